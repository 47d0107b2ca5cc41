/* SPDX-License-Identifier: Apache-2.0 */
/* cevm db get: an account, a slot, a block, a transaction, its receipt, and logs, as they stand in the store. */
#include <cevm/block.h>
#include <cevm/crypto.h>
#include <cevm/hex.h>
#include <cevm/tx.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/db.h"

static bool say(const cevm_db_command *c, const char *text, const char *what)
{
    (void)fprintf(stderr, "%s: \"%s\" is no %s\n", c->command, text, what);
    return false;
}

static bool missing(const char *what)
{
    (void)printf("there is no such %s\n", what);
    return true;
}

static void print_bytes(const char *name, const uint8_t *data, size_t size)
{
    (void)printf("%-13s0x", name);
    for (size_t i = 0; i < size; ++i) {
        (void)printf("%02x", data[i]);
    }
    (void)printf("\n");
}

static void print_hash(const char *name, const cevm_hash *hash) { print_bytes(name, hash->bytes, sizeof hash->bytes); }

static void print_wei(const char *name, const cevm_u256 *value)
{
    char text[79];
    cevm_u256_to_decimal(text, value);
    (void)printf("%-13s%s wei\n", name, text);
}

static void print_number(const char *name, uint64_t number) { (void)printf("%-13s%" PRIu64 "\n", name, number); }

/* ---- Accounts and slots ------------------------------------------------------------------------------------------ */

static bool print_account(cevm_db_command *c, const cevm_db *db, const cevm_address *address)
{
    cevm_db_account account;
    cevm_bytes code = {NULL, 0};
    bool exists = false;
    char balance[79];
    char hash[65];
    cevm_err err = db->vtable->account(db->ctx, &account, &exists, address);
    if (err == CEVM_OK && exists && !cevm_hash_equal(&account.code_hash, &cevm_empty_code_hash)) {
        err = db->vtable->code(db->ctx, &code, &account.code_hash);
    }
    if (err != CEVM_OK) {
        return cevm_db_say(c, err);
    }
    if (!exists) {
        return missing("account");
    }
    cevm_u256_to_decimal(balance, &account.balance);
    cevm_hex_encode(hash, account.code_hash.bytes, sizeof account.code_hash.bytes);
    (void)printf("balance    %s wei\nnonce      %" PRIu64 "\ncode hash  0x%s (%zu bytes)\nstorage    %s\n", balance,
                 account.nonce, hash, code.size, account.has_storage ? "yes" : "none");
    return true;
}

static bool print_slot(cevm_db_command *c, const cevm_db *db, const cevm_address *address, const cevm_u256 *key)
{
    cevm_u256 value;
    char text[67];
    const cevm_err err = db->vtable->storage(db->ctx, &value, address, key);
    if (err != CEVM_OK) {
        return cevm_db_say(c, err);
    }
    cevm_u256_to_hex(text, &value);
    (void)printf("%s\n", text);
    return true;
}

static bool get_account(cevm_db_command *c, const cevm_db_get *get)
{
    cevm_address address;
    cevm_u256 key;
    cevm_db past;
    const bool has_key = get->rest.count == 2;
    if (!cevm_hex_decode_exact(address.bytes, sizeof address.bytes, get->rest.items[0])) {
        return say(c, get->rest.items[0], "address (nor block, tx, receipt or logs)");
    }
    if (has_key && !cevm_u256_from_text(&key, get->rest.items[1])) {
        return say(c, get->rest.items[1], "number");
    }
    const cevm_err err = c->db.vtable->open_past(c->db.ctx, &past, (size_t)get->back);
    if (err == CEVM_ERR_ARGUMENT) {
        (void)fprintf(stderr, "%s: %s: does not remember %" PRIu64 " blocks\n", c->command, c->data_dir, get->back);
        return false;
    }
    if (err != CEVM_OK) {
        return cevm_db_say(c, err);
    }
    const bool ok = has_key ? print_slot(c, &past, &address, &key) : print_account(c, &past, &address);
    c->db.vtable->close_past(c->db.ctx, &past);
    return ok;
}

/* ---- Blocks ------------------------------------------------------------------------------------------------------ */

static void print_header(const cevm_db_block *block, const cevm_header *header)
{
    char text[79];
    print_number("block", block->number);
    print_hash("hash", &block->hash);
    print_hash("parent", &header->parent_hash);
    print_number("time", header->timestamp);
    print_bytes("coinbase", header->coinbase.bytes, sizeof header->coinbase.bytes);
    (void)printf("%-13s%" PRIu64 " of %" PRIu64 "\n", "gas used", header->gas_used, header->gas_limit);
    if (header->has_base_fee) {
        print_wei("base fee", &header->base_fee);
    }
    cevm_u256_to_decimal(text, &block->total_difficulty);
    (void)printf("%-13s%s%s\n", "total", text, block->is_merged ? " (past the merge)" : "");
    print_hash("state root", &header->state_root);
}

static bool get_block(cevm_db_command *c, const cevm_db_get *get)
{
    const char *name = get->rest.items[1];
    cevm_hash hash;
    cevm_u256 number;
    cevm_db_block found;
    cevm_block *block = NULL;
    cevm_block_verdict verdict;
    bool there = false;
    cevm_err err;
    if (cevm_hex_decode_exact(hash.bytes, sizeof hash.bytes, name)) {
        err = cevm_lmdb_block_by_hash(c->store, &there, &found, &hash);
    } else if (cevm_u256_from_text(&number, name) && cevm_u256_fits_u64(&number)) {
        err = cevm_lmdb_block(c->store, &there, &found, number.w[0]);
    } else {
        return say(c, name, "number or hash of a block");
    }
    if (err != CEVM_OK || !there) {
        return err == CEVM_OK ? missing("block") : cevm_db_say(c, err);
    }
    err = cevm_block_decode(&block, &verdict, found.rlp, NULL);
    if (err != CEVM_OK) {
        return cevm_db_say(c, err);
    }
    print_header(&found, &block->header);
    print_number("transactions", block->tx_count);
    for (size_t i = 0; i < block->tx_count; ++i) {
        cevm_keccak256(&hash, block->raw_txs[i].data, block->raw_txs[i].size);
        print_hash("", &hash);
    }
    if (block->has_withdrawals) {
        print_number("withdrawals", block->withdrawal_count);
    }
    print_number("ommers", block->ommer_count);
    (void)printf("%-13s%s\n", "receipts", found.receipts.size != 0 ? "kept" : "not kept");
    cevm_block_destroy(block, NULL);
    return true;
}

/* ---- Transactions ------------------------------------------------------------------------------------------------ */

static void print_place(const cevm_lmdb_tx *tx)
{
    print_number("block", tx->block_number);
    print_hash("block hash", &tx->block_hash);
    print_number("index", tx->index);
}

static bool print_tx(cevm_db_command *c, const cevm_lmdb_tx *found)
{
    cevm_tx *tx = NULL;
    cevm_tx_error reason;
    cevm_err err = cevm_tx_decode(&tx, &reason, found->encoded, NULL);
    if (err == CEVM_OK) {
        err = cevm_tx_recover_sender(tx, &reason, tx->has_chain_id ? CEVM_LATEST : CEVM_FRONTIER, NULL);
    }
    if (err != CEVM_OK) {
        cevm_tx_destroy(tx, NULL);
        return cevm_db_say(c, err);
    }
    print_place(found);
    print_number("type", (uint64_t)tx->type);
    if (tx->has_sender) {
        print_bytes("from", tx->sender.bytes, sizeof tx->sender.bytes);
    }
    if (tx->is_create) {
        (void)printf("%-13s(creates a contract)\n", "to");
    } else {
        print_bytes("to", tx->to.bytes, sizeof tx->to.bytes);
    }
    print_wei("value", &tx->value);
    print_number("nonce", tx->nonce);
    print_number("gas limit", tx->gas_limit);
    print_wei("max fee", &tx->max_fee);
    print_bytes("input", tx->data.data, tx->data.size);
    cevm_tx_destroy(tx, NULL);
    return true;
}

static void print_log(size_t index, const cevm_log *log)
{
    print_number("log", index);
    print_bytes("  address", log->address.bytes, sizeof log->address.bytes);
    for (uint32_t i = 0; i < log->topic_count; ++i) {
        print_hash("  topic", &log->topics[i]);
    }
    print_bytes("  data", log->data.data, log->data.size);
}

static bool print_receipt(const cevm_lmdb_tx *tx)
{
    cevm_log log;
    cevm_bytes logs = tx->receipt.logs;
    if (!tx->has_receipt) {
        return missing("receipt any more");
    }
    print_place(tx);
    print_number("type", tx->receipt.type);
    if (tx->receipt.has_root) {
        print_hash("state root", &tx->receipt.root);
    } else {
        (void)printf("%-13s%s\n", "status", tx->receipt.succeeded ? "1 (success)" : "0 (failure)");
    }
    print_number("gas used", tx->gas_used);
    print_number("cumulative", tx->receipt.cumulative_gas_used);
    for (size_t i = tx->first_log; cevm_lmdb_next_log(&logs, &log); ++i) {
        print_log(i, &log);
    }
    return true;
}

static bool get_tx(cevm_db_command *c, const cevm_db_get *get)
{
    cevm_hash hash;
    cevm_lmdb_tx tx;
    bool found = false;
    if (!cevm_hex_decode_exact(hash.bytes, sizeof hash.bytes, get->rest.items[1])) {
        return say(c, get->rest.items[1], "hash of a transaction");
    }
    const cevm_err err = cevm_lmdb_find_tx(c->store, &found, &tx, &hash);
    if (err != CEVM_OK || !found) {
        return err == CEVM_OK ? missing("transaction") : cevm_db_say(c, err);
    }
    return strcmp(get->rest.items[0], "tx") == 0 ? print_tx(c, &tx) : print_receipt(&tx);
}

/* ---- Logs -------------------------------------------------------------------------------------------------------- */

static bool show_log(void *user, const cevm_lmdb_log *log)
{
    uint64_t *count = user;
    print_number("block", log->block_number);
    print_hash("transaction", &log->tx_hash);
    print_log(log->index, &log->log);
    ++*count;
    return !ferror(stdout);
}

/* Hex values of `size` bytes with commas between them, into memory of malloc. */
static bool parse_list(cevm_db_command *c, void **out, size_t *count, const char *text, size_t size, const char *what)
{
    enum { LONGEST = 67 };
    *out = NULL;
    *count = 0;
    if (text == NULL) {
        return true;
    }
    uint8_t *values = malloc((strlen(text) / 2 + 1) * size); /* more than there can be */
    *out = values;
    if (values == NULL) {
        return cevm_db_say(c, CEVM_ERR_NOMEM);
    }
    for (const char *at = text;; ++at) {
        char one[LONGEST] = "";
        const size_t length = strcspn(at, ",");
        if (length < LONGEST) {
            memcpy(one, at, length);
        }
        if (!cevm_hex_decode_exact(values + *count * size, size, one)) {
            return say(c, text, what);
        }
        ++*count;
        at += length;
        if (*at == '\0') {
            return true;
        }
    }
}

static bool get_logs(cevm_db_command *c, const cevm_db_get *get)
{
    enum { TOPICS = 4 };
    cevm_lmdb_filter filter = {.from = get->from, .to = get->to};
    void *addresses = NULL;
    void *topics[TOPICS] = {NULL};
    cevm_lmdb_stat stat;
    uint64_t count = 0;
    bool ok = parse_list(c, &addresses, &filter.address_count, get->address, sizeof(cevm_address), "list of addresses");
    filter.addresses = addresses;
    for (size_t i = 0; ok && i < TOPICS; ++i) {
        ok = parse_list(c, &topics[i], &filter.topics[i].count, get->topics[i], sizeof(cevm_hash), "list of topics");
        filter.topics[i].hashes = topics[i];
        filter.topic_count = filter.topics[i].count != 0 ? i + 1 : filter.topic_count;
    }
    if (ok) {
        cevm_err err = cevm_lmdb_for_each_log(c->store, &filter, show_log, &count);
        if (err == CEVM_OK) {
            err = cevm_lmdb_get_stat(c->store, &stat);
        }
        ok = err == CEVM_OK || cevm_db_say(c, err);
        if (ok && stat.first_receipts > filter.from) {
            (void)fprintf(stderr, "%s: receipts of blocks before %" PRIu64 " are not kept\n", c->command,
                          stat.first_receipts);
        }
    }
    if (ok && count == 0) {
        (void)printf("there are no such logs\n");
    }
    free(addresses);
    for (size_t i = 0; i < TOPICS; ++i) {
        free(topics[i]);
    }
    return ok;
}

bool cevm_db_run_get(cevm_db_command *c, const cevm_db_get *get)
{
    static const struct {
        const char *name;
        size_t arguments;
        bool (*run)(cevm_db_command *c, const cevm_db_get *get);
    } kinds[] = {{"block", 2, get_block}, {"tx", 2, get_tx}, {"receipt", 2, get_tx}, {"logs", 1, get_logs}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; ++i) {
        if (strcmp(get->rest.items[0], kinds[i].name) == 0) {
            if (get->rest.count == kinds[i].arguments) {
                return kinds[i].run(c, get);
            }
            (void)fprintf(stderr, "%s: %s wants %s\n", c->command, kinds[i].name,
                          kinds[i].arguments == 1 ? "options only" : "one number or hash");
            return false;
        }
    }
    return get_account(c, get);
}
