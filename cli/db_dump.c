/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cevm db dump. All forms are in the order of the hashes of addresses and keys, and there is one way to write a state in
 * each, so that equal states are equal files. They are written an account at a time.
 *
 * The binary form: a line that names it, for each account a list [address, nonce, balance, code, key, value …], and at the
 * end a list of one, the state root. anvil's form is what its --dump-state writes and its --load-state reads: the accounts,
 * and the head without its transactions, so that it goes on from there.
 */
#include <cevm/block.h>
#include <cevm/hex.h>
#include <cevm/transition.h>

#include <errno.h>
#include <string.h>

#include "cli/db.h"
#include "state/rlp.h"

typedef struct writer {
    cevm_db_command *c;
    cevm_dump_format format;
    FILE *file;
    cevm_buf buf; /* of the account, in the binary form */
    const char *comma;
    uint64_t accounts;
    uint64_t total;
    cevm_err err;
} writer;

static void write_hex(FILE *file, const uint8_t *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; ++i) {
        (void)putc_unlocked(digits[data[i] >> 4], file);
        (void)putc_unlocked(digits[data[i] & 15], file);
    }
}

static bool write_json_slot(void *user, const cevm_u256 *key, const cevm_u256 *value)
{
    writer *w = user;
    uint8_t word[32];
    (void)fprintf(w->file, "%s\"0x", w->comma);
    cevm_u256_to_be(word, key);
    write_hex(w->file, word, sizeof word);
    (void)fputs("\":\"0x", w->file);
    cevm_u256_to_be(word, value);
    write_hex(w->file, word, sizeof word);
    (void)fputc('"', w->file);
    w->comma = ",";
    return true;
}

static bool write_json(void *user, const cevm_address *address, const cevm_db_account *account, cevm_bytes code)
{
    writer *w = user;
    char number[67];
    (void)fprintf(w->file, "%s\n\"0x", w->accounts != 0 ? "," : "");
    write_hex(w->file, address->bytes, sizeof address->bytes);
    cevm_u256_to_hex(number, &account->balance);
    const bool all = w->format == CEVM_DUMP_ANVIL; /* members that say nothing are written too */
    if (all) {
        (void)fprintf(w->file, "\":{\"nonce\":%ju,\"balance\":\"%s\"", (uintmax_t)account->nonce, number);
    } else {
        (void)fprintf(w->file, "\":{\"balance\":\"%s\"", number);
    }
    if (account->nonce != 0 && !all) {
        (void)fprintf(w->file, ",\"nonce\":\"0x%jx\"", (uintmax_t)account->nonce);
    }
    if (code.size != 0 || all) {
        (void)fputs(",\"code\":\"0x", w->file);
        write_hex(w->file, code.data, code.size);
        (void)fputc('"', w->file);
    }
    if (account->has_storage || all) {
        (void)fputs(",\"storage\":{", w->file);
        w->comma = "";
        if (account->has_storage) {
            w->err = cevm_lmdb_for_each_slot(w->c->store, address, write_json_slot, w);
        }
        (void)fputc('}', w->file);
    }
    (void)fputc('}', w->file);
    cevm_db_show(w->c, "accounts", ++w->accounts, w->total);
    return w->err == CEVM_OK && !ferror(w->file);
}

static bool put_slot(void *user, const cevm_u256 *key, const cevm_u256 *value)
{
    writer *w = user;
    cevm_rlp_put_u256(&w->buf, key);
    cevm_rlp_put_u256(&w->buf, value);
    return !w->buf.failed;
}

/* Writes what the buffer holds. */
static bool flush(writer *w)
{
    w->err = w->buf.failed ? CEVM_ERR_NOMEM : w->err;
    const bool ok = w->err == CEVM_OK && fwrite(w->buf.data, 1, w->buf.size, w->file) == w->buf.size;
    cevm_buf_clear(&w->buf);
    return ok;
}

static bool write_binary(void *user, const cevm_address *address, const cevm_db_account *account, cevm_bytes code)
{
    writer *w = user;
    const size_t list = cevm_rlp_list_begin(&w->buf);
    cevm_rlp_put_address(&w->buf, address);
    cevm_rlp_put_u64(&w->buf, account->nonce);
    cevm_rlp_put_u256(&w->buf, &account->balance);
    cevm_rlp_put_bytes(&w->buf, code.data, code.size);
    if (account->has_storage) {
        w->err = cevm_lmdb_for_each_slot(w->c->store, address, put_slot, w);
    }
    cevm_rlp_list_end(&w->buf, list);
    cevm_db_show(w->c, "accounts", ++w->accounts, w->total);
    return flush(w);
}

/* ---- anvil's form ------------------------------------------------------------------------------------------------ */

static void write_member(FILE *file, const char *name, const uint8_t *data, size_t size)
{
    (void)fprintf(file, ",\"%s\":\"0x", name);
    write_hex(file, data, size);
    (void)fputc('"', file);
}

static void write_quantity(FILE *file, const char *name, uint64_t number)
{
    (void)fprintf(file, ",\"%s\":\"0x%jx\"", name, (uintmax_t)number);
}

static void write_u256(FILE *file, const char *name, const cevm_u256 *number)
{
    char text[67];
    cevm_u256_to_hex(text, number);
    (void)fprintf(file, ",\"%s\":\"%s\"", name, text);
}

/* The environment of the head. */
static void write_environment(FILE *file, const cevm_header *h)
{
    (void)fprintf(file, "{\"number\":\"0x%jx\"", (uintmax_t)h->number);
    write_member(file, "beneficiary", h->coinbase.bytes, sizeof h->coinbase.bytes);
    write_quantity(file, "timestamp", h->timestamp);
    (void)fprintf(file, ",\"gas_limit\":%ju,\"basefee\":%ju", (uintmax_t)h->gas_limit, (uintmax_t)h->base_fee.w[0]);
    write_u256(file, "difficulty", &h->difficulty);
    write_member(file, "prevrandao", h->mix_hash.bytes, sizeof h->mix_hash.bytes);
    (void)fputs(",\"blob_excess_gas_and_price\":", file);
    if (h->has_blob_gas) {
        const cevm_blob_params blobs = cevm_blob_params_default(h->has_requests_hash ? CEVM_PRAGUE : CEVM_CANCUN);
        cevm_u256 price;
        char text[79];
        cevm_blob_base_fee(&price, h->excess_blob_gas, blobs.base_fee_update_fraction);
        cevm_u256_to_decimal(text, &price);
        (void)fprintf(file, "{\"excess_blob_gas\":%ju,\"blob_gasprice\":%s}", (uintmax_t)h->excess_blob_gas, text);
    } else {
        (void)fputs("null", file);
    }
    (void)fputc('}', file);
}

/* The header of the head; what its fork does not have is left out. */
static void write_header(FILE *file, const cevm_header *h)
{
    (void)fputs("{\"parentHash\":\"0x", file);
    write_hex(file, h->parent_hash.bytes, sizeof h->parent_hash.bytes);
    (void)fputc('"', file);
    write_member(file, "sha3Uncles", h->ommers_hash.bytes, sizeof h->ommers_hash.bytes);
    write_member(file, "miner", h->coinbase.bytes, sizeof h->coinbase.bytes);
    write_member(file, "stateRoot", h->state_root.bytes, sizeof h->state_root.bytes);
    write_member(file, "transactionsRoot", h->transactions_root.bytes, sizeof h->transactions_root.bytes);
    write_member(file, "receiptsRoot", h->receipts_root.bytes, sizeof h->receipts_root.bytes);
    write_member(file, "logsBloom", h->logs_bloom.bytes, sizeof h->logs_bloom.bytes);
    write_u256(file, "difficulty", &h->difficulty);
    write_quantity(file, "number", h->number);
    write_quantity(file, "gasLimit", h->gas_limit);
    write_quantity(file, "gasUsed", h->gas_used);
    write_quantity(file, "timestamp", h->timestamp);
    write_member(file, "extraData", h->extra_data.data, h->extra_data.size);
    write_member(file, "mixHash", h->mix_hash.bytes, sizeof h->mix_hash.bytes);
    write_member(file, "nonce", h->nonce, sizeof h->nonce);
    if (h->has_base_fee) {
        write_u256(file, "baseFeePerGas", &h->base_fee);
    }
    if (h->has_withdrawals_root) {
        write_member(file, "withdrawalsRoot", h->withdrawals_root.bytes, sizeof h->withdrawals_root.bytes);
    }
    if (h->has_blob_gas) {
        write_quantity(file, "blobGasUsed", h->blob_gas_used);
        write_quantity(file, "excessBlobGas", h->excess_blob_gas);
    }
    if (h->has_parent_beacon_root) {
        write_member(file, "parentBeaconBlockRoot", h->parent_beacon_root.bytes, sizeof h->parent_beacon_root.bytes);
    }
    if (h->has_requests_hash) {
        write_member(file, "requestsHash", h->requests_hash.bytes, sizeof h->requests_hash.bytes);
    }
    (void)fputc('}', file);
}

/* Around the accounts: the head's environment, or null for accounts of no chain, and the head. */
static cevm_err write_anvil(writer *w)
{
    cevm_block *block = NULL;
    cevm_block_verdict verdict;
    cevm_db_block head;
    bool found = false;
    cevm_err err = cevm_lmdb_head(w->c->store, &found, &head);
    if (err == CEVM_OK && found) {
        err = cevm_block_decode(&block, &verdict, head.rlp, NULL);
        err = err == CEVM_ERR_ENCODING ? CEVM_ERR_BACKEND : err;
    }
    if (err != CEVM_OK) {
        return err;
    }
    (void)fputs("{\"block\":", w->file);
    if (block != NULL) {
        write_environment(w->file, &block->header);
    } else {
        (void)fputs("null", w->file);
    }
    (void)fputs(",\"accounts\":{", w->file);
    err = cevm_lmdb_for_each_account(w->c->store, write_json, w);
    (void)fputs("\n},\"best_block_number\":", w->file);
    if (block != NULL) {
        (void)fprintf(w->file, "%ju,\"blocks\":[{\"header\":", (uintmax_t)block->header.number);
        write_header(w->file, &block->header);
        (void)fputs(",\"transactions\":[],\"ommers\":[]}]", w->file);
    } else {
        (void)fputs("null,\"blocks\":[]", w->file);
    }
    (void)fputs(",\"transactions\":[],\"historical_states\":null}\n", w->file);
    cevm_block_destroy(block, NULL);
    return err;
}

/* ---- All forms --------------------------------------------------------------------------------------------------- */

static cevm_err write_all(writer *w)
{
    cevm_lmdb_stat stat;
    cevm_err err = cevm_lmdb_get_stat(w->c->store, &stat);
    if (err != CEVM_OK) {
        return err;
    }
    w->total = stat.accounts;
    if (w->format == CEVM_DUMP_ANVIL) {
        err = write_anvil(w);
        return err != CEVM_OK ? err : w->err;
    }
    if (w->format == CEVM_DUMP_JSON) {
        (void)fputc('{', w->file);
        err = cevm_lmdb_for_each_account(w->c->store, write_json, w);
        (void)fputs("\n}\n", w->file);
        return err != CEVM_OK ? err : w->err;
    }
    cevm_buf_append(&w->buf, CEVM_DB_DUMP_MAGIC, sizeof CEVM_DB_DUMP_MAGIC - 1);
    if (flush(w)) {
        err = cevm_lmdb_for_each_account(w->c->store, write_binary, w);
    }
    if (err == CEVM_OK && w->err == CEVM_OK) {
        const size_t list = cevm_rlp_list_begin(&w->buf);
        cevm_rlp_put_hash(&w->buf, &stat.root);
        cevm_rlp_list_end(&w->buf, list);
        (void)flush(w);
    }
    return err != CEVM_OK ? err : w->err;
}

bool cevm_db_dump(cevm_db_command *c, const char *path, cevm_dump_format format)
{
    writer w = {.c = c, .format = format, .err = CEVM_OK};
    cevm_buf_init(&w.buf, NULL);
    errno = 0;
    w.file = path != NULL ? fopen(path, "wb") : stdout;
    if (w.file == NULL) {
        (void)fprintf(stderr, "%s: %s: %s\n", c->command, path, strerror(errno));
        return false;
    }
    const cevm_err err = write_all(&w);
    bool ok = fflush(w.file) == 0 && !ferror(w.file);
    if (path != NULL) {
        ok = fclose(w.file) == 0 && ok;
    }
    cevm_buf_free(&w.buf);
    cevm_db_clear(c);
    if (err != CEVM_OK) {
        return cevm_db_say(c, err);
    }
    if (!ok) {
        (void)fprintf(stderr, "%s: %s: cannot be written: %s\n", c->command, path != NULL ? path : "standard output",
                      strerror(errno));
    }
    return ok;
}
