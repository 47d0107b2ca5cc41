/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cevm db dump and load. Both forms are in the order of the hashes of addresses and keys, and there is one way to write a
 * state in each, so that equal states are equal files. They are written and read an account at a time.
 *
 * The binary form: a line that names it, for each account a list [address, nonce, balance, code, key, value …], and at the
 * end a list of one, the state root.
 */
#include <cevm/alloc.h>
#include <cevm/crypto.h>
#include <cevm/hex.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "chain/alloc.h"
#include "cli/db.h"
#include "cli/import.h"
#include "state/rlp.h"

static const char magic[] = "cevm state dump 1\n";

/* Slots and accounts that are read before they are committed: enough that a transaction is worth its price. */
enum { BATCH_ITEMS = 20000 };

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

typedef struct writer {
    cevm_db_command *c;
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
    (void)fprintf(w->file, "\":{\"balance\":\"%s\"", number);
    if (account->nonce != 0) {
        (void)fprintf(w->file, ",\"nonce\":\"0x%jx\"", (uintmax_t)account->nonce);
    }
    if (code.size != 0) {
        (void)fputs(",\"code\":\"0x", w->file);
        write_hex(w->file, code.data, code.size);
        (void)fputc('"', w->file);
    }
    if (account->has_storage) {
        (void)fputs(",\"storage\":{", w->file);
        w->comma = "";
        w->err = cevm_lmdb_for_each_slot(w->c->store, address, write_json_slot, w);
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

/* Everything into an open file. */
static cevm_err write_all(writer *w, bool binary)
{
    cevm_lmdb_stat stat;
    cevm_err err = cevm_lmdb_get_stat(w->c->store, &stat);
    if (err != CEVM_OK) {
        return err;
    }
    w->total = stat.accounts;
    if (!binary) {
        (void)fputc('{', w->file);
        err = cevm_lmdb_for_each_account(w->c->store, write_json, w);
        (void)fputs("\n}\n", w->file);
        return err != CEVM_OK ? err : w->err;
    }
    cevm_buf_append(&w->buf, magic, sizeof magic - 1);
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

bool cevm_db_dump(cevm_db_command *c, const char *path, bool binary)
{
    writer w = {.c = c, .err = CEVM_OK};
    cevm_buf_init(&w.buf, NULL);
    errno = 0;
    w.file = path != NULL ? fopen(path, "wb") : stdout;
    if (w.file == NULL) {
        (void)fprintf(stderr, "%s: %s: %s\n", c->command, path, strerror(errno));
        return false;
    }
    const cevm_err err = write_all(&w, binary);
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

/* ---- Reading ----------------------------------------------------------------------------------------------------- */

/* Accounts on their way into the store. */
typedef struct batch {
    cevm_db_command *c;
    cevm_account_change *changes;
    size_t count;
    size_t capacity;
    size_t items;
    uint64_t accounts;
    cevm_arena arena; /* what the changes point to */
} batch;

static int by_address(const void *a, const void *b)
{
    const cevm_account_change *left = a;
    const cevm_account_change *right = b;
    return memcmp(left->address.bytes, right->address.bytes, sizeof left->address.bytes);
}

static bool commit(batch *b)
{
    if (b->count == 0) {
        return true;
    }
    qsort(b->changes, b->count, sizeof *b->changes, by_address);
    const cevm_diff diff = {.accounts = b->changes, .account_count = b->count};
    const cevm_err err = b->c->db.vtable->commit(b->c->db.ctx, &diff);
    b->accounts += b->count;
    b->count = 0;
    b->items = 0;
    cevm_arena_destroy(&b->arena);
    cevm_db_show(b->c, "accounts", b->accounts, 0);
    return err == CEVM_OK || cevm_db_say(b->c, err);
}

/* Adds an account whose parts live in the batch's arena. */
static bool add(batch *b, const cevm_genesis_account *account)
{
    if (b->count == b->capacity) {
        const size_t capacity = b->capacity != 0 ? 2 * b->capacity : 1024;
        cevm_account_change *changes = cevm_resize_array(NULL, b->changes, capacity, sizeof *changes);
        if (changes == NULL) {
            return cevm_db_say(b->c, CEVM_ERR_NOMEM);
        }
        b->changes = changes;
        b->capacity = capacity;
    }
    cevm_account_change *change = &b->changes[b->count++];
    *change = (cevm_account_change){.address = account->address,
                                    .storage_cleared = true,
                                    .balance = account->balance,
                                    .nonce = account->nonce,
                                    .code_changed = true,
                                    .code = account->code,
                                    .slots = account->slots,
                                    .slot_count = account->slot_count};
    cevm_keccak256(&change->code_hash, account->code.data, account->code.size);
    b->items += 1 + account->slot_count;
    return b->items < BATCH_ITEMS || commit(b);
}

/* ---- Binary ------------------------------------------------------------------------------------------------------ */

/* Reads an account's record, copying into the arena. False when it is not one or memory runs out. */
static bool take_account(cevm_genesis_account *out, cevm_bytes a, cevm_arena *arena)
{
    cevm_bytes code;
    size_t words = 0;
    *out = (cevm_genesis_account){.nonce = 0};
    if (!cevm_rlp_next_exact(&a, out->address.bytes, sizeof out->address.bytes) ||
        cevm_rlp_next_u64(&a, &out->nonce) != CEVM_RLP_NUMBER_OK ||
        cevm_rlp_next_u256(&a, &out->balance) != CEVM_RLP_NUMBER_OK || !cevm_rlp_next_string(&a, &code) ||
        (a.size != 0 && !cevm_rlp_count(&words, a)) || words % 2 != 0) {
        return false;
    }
    uint8_t *copy = cevm_arena_array(arena, code.size + 1, 1);
    cevm_slot_change *slots = cevm_arena_array(arena, words / 2 + 1, sizeof *slots);
    if (copy == NULL || slots == NULL) {
        return false;
    }
    if (code.size != 0) {
        memcpy(copy, code.data, code.size);
    }
    out->code = (cevm_bytes){copy, code.size};
    out->slots = slots;
    for (; out->slot_count < words / 2; ++out->slot_count) {
        cevm_slot_change *slot = &slots[out->slot_count];
        if (cevm_rlp_next_u256(&a, &slot->key) != CEVM_RLP_NUMBER_OK ||
            cevm_rlp_next_u256(&a, &slot->value) != CEVM_RLP_NUMBER_OK || cevm_u256_is_zero(&slot->value)) {
            return false;
        }
    }
    return true;
}

static bool say_place(const batch *b, const cevm_block_reader *reader, const char *what)
{
    cevm_db_clear(b->c);
    (void)fprintf(stderr, "%s: %s: byte %ju: %s\n", b->c->command, reader->name, (uintmax_t)reader->offset, what);
    return false;
}

static bool load_binary(batch *b, cevm_block_reader *reader)
{
    for (;;) {
        cevm_bytes rlp;
        cevm_bytes list;
        cevm_hash expected;
        cevm_genesis_account account;
        const cevm_block_read got = cevm_block_reader_next(reader, &rlp);
        if (got != CEVM_READ_BLOCK) {
            return say_place(b, reader, got == CEVM_READ_FAILED ? reader->error : "the file is cut off here");
        }
        if (!cevm_rlp_next_list(&rlp, &list)) {
            return say_place(b, reader, "this is no record of a dump");
        }
        cevm_bytes last = list;
        if (cevm_rlp_next_exact(&last, expected.bytes, sizeof expected.bytes) && last.size == 0) {
            cevm_hash root;
            if (!commit(b)) {
                return false;
            }
            const cevm_err err = b->c->db.vtable->root(b->c->db.ctx, &root);
            if (err != CEVM_OK) {
                return cevm_db_say(b->c, err);
            }
            return cevm_hash_equal(&root, &expected) ||
                   say_place(b, reader, "the accounts do not have the root the dump ends with");
        }
        if (!take_account(&account, list, &b->arena)) {
            return say_place(b, reader, "this is no account, or memory ran out");
        }
        if (!add(b, &account)) {
            return false;
        }
    }
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static bool say_json(const batch *b, const char *path, const char *what)
{
    cevm_db_clear(b->c);
    (void)fprintf(stderr, "%s: %s: %s\n", b->c->command, path, what);
    return false;
}

/* The next character that is no white space. */
static int next_char(FILE *file)
{
    int c = getc_unlocked(file);
    while (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
        c = getc_unlocked(file);
    }
    return c;
}

/* Reads a key up to its closing quote, which is all an address takes: no escapes. */
static bool read_key(char out[72], FILE *file)
{
    size_t size = 0;
    for (int c = getc_unlocked(file); c != '"'; c = getc_unlocked(file)) {
        if (c == EOF || c == '\\' || c < ' ' || size == 71) {
            return false;
        }
        out[size++] = (char)c;
    }
    out[size] = '\0';
    return true;
}

/* Reads the value of an account and adds it. The parser stops behind the value. */
static bool load_value(batch *b, const char *path, const char *key, FILE *file)
{
    json_error_t parse;
    cevm_json_error error;
    cevm_genesis_alloc alloc;
    json_t *value = json_loadf(file, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, &parse);
    if (value == NULL) {
        char text[400];
        (void)snprintf(text, sizeof text, "%.80s: %.300s", key, parse.text);
        return say_json(b, path, text);
    }
    json_t *object = json_object();
    if (object == NULL || json_object_set_new(object, key, value) != 0) {
        json_decref(object);
        return cevm_db_say(b->c, CEVM_ERR_NOMEM);
    }
    const cevm_json_at at = cevm_json_root(object, path, NULL, &error);
    const bool ok = cevm_genesis_alloc_load(&alloc, &at, &b->arena);
    json_decref(object);
    if (!ok) {
        cevm_db_clear(b->c);
        (void)fprintf(stderr, "%s: %s\n", b->c->command, error.text);
        return false;
    }
    return add(b, &alloc.accounts[0]);
}

static bool load_json(batch *b, const char *path, FILE *file)
{
    char key[72];
    int c = next_char(file);
    if (c != '{') {
        return say_json(b, path, "this is neither a dump nor a JSON object of accounts");
    }
    for (c = next_char(file); c == '"'; c = next_char(file)) {
        if (!read_key(key, file) || next_char(file) != ':') {
            return say_json(b, path, "an address and a colon should stand where something else does");
        }
        if (!load_value(b, path, key, file)) {
            return false;
        }
        c = next_char(file);
        if (c != ',') {
            break;
        }
    }
    return (c == '}' && next_char(file) == EOF) ? commit(b) : say_json(b, path, "the JSON is cut off or malformed");
}

/* ---- Either ------------------------------------------------------------------------------------------------------ */

static bool load_file(batch *b, const char *path)
{
    cevm_block_reader reader;
    if (!cevm_block_reader_open(&reader, path, "account")) {
        (void)fprintf(stderr, "%s: %s: %s\n", b->c->command, path, reader.error);
        return false;
    }
    const bool binary = cevm_block_reader_skip(&reader, magic);
    bool ok = binary && load_binary(b, &reader);
    cevm_block_reader_close(&reader);
    if (binary) {
        return ok;
    }
    if (strcmp(path, "-") == 0) {
        return say_json(b, "standard input", "this is no binary dump");
    }
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return say_json(b, path, strerror(errno));
    }
    ok = load_json(b, path, file);
    (void)fclose(file);
    return ok;
}

bool cevm_db_load(cevm_db_command *c, const char *path)
{
    batch b = {.c = c};
    cevm_lmdb_stat stat;
    const cevm_err err = cevm_lmdb_get_stat(c->store, &stat);
    if (err != CEVM_OK) {
        return cevm_db_say(c, err);
    }
    if (stat.accounts != 0 || stat.blocks != 0) {
        (void)fprintf(stderr, "%s: %s: is not empty; load into a new store\n", c->command, c->data_dir);
        return false;
    }
    cevm_arena_init(&b.arena, NULL);
    bool ok = load_file(&b, path);
    cevm_arena_destroy(&b.arena);
    cevm_free(NULL, b.changes);
    cevm_db_clear(c);
    if (ok && cevm_lmdb_get_stat(c->store, &stat) == CEVM_OK && stat.accounts != b.accounts) {
        ok = say_json(&b, path, "an account stands in it twice");
    }
    if (!ok && b.accounts != 0) {
        (void)fprintf(stderr, "%s: %s: holds a part of the dump now; remove it\n", c->command, c->data_dir);
    }
    return ok;
}
