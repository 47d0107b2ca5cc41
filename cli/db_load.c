/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cevm db load: the dumps of db_dump.c, a genesis.json, or accounts as JSON, read an account at a time. In a JSON file the
 * accounts are its members, or those of its "alloc" (geth's genesis) or "accounts" (anvil's state); whatever else stands
 * beside these is passed over.
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

/* Slots and accounts that are read before they are committed: enough that a transaction is worth its price. */
enum { BATCH_ITEMS = 20000 };

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

/* Reads a key up to its closing quote: an address, or a name without escapes. */
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

/*
 * Passes over a value of any depth; its last character is the last that is read. What is inside is not looked at closely:
 * it is not wanted. False when the file ends first.
 */
static bool skip_value(FILE *file)
{
    uint64_t depth = 0;
    bool in_text = false;
    int c = next_char(file);
    for (bool first = true;; first = false) {
        if (!first) {
            c = getc_unlocked(file);
        }
        if (c == EOF) {
            return false;
        }
        if (in_text) {
            if (c == '\\') {
                (void)getc_unlocked(file);
            }
            in_text = c != '"';
        } else if (c == '"') {
            in_text = true;
        } else if (c == '{' || c == '[') {
            ++depth;
        } else if (c == '}' || c == ']') {
            if (depth == 0) { /* of what the value stands in: a number or a name ended there */
                return ungetc(c, file) != EOF;
            }
            --depth;
        } else if (depth == 0 && c == ',') {
            return ungetc(c, file) != EOF;
        }
        if (depth == 0 && !in_text && (c == '"' || c == '}' || c == ']')) {
            return true;
        }
    }
}

static bool is_address(const char *key)
{
    cevm_address address;
    return cevm_hex_decode_exact(address.bytes, sizeof address.bytes, key);
}

/* One member of an object, its key read; *descends is set when the accounts are in its value, whose '{' is then read. */
static bool load_member(batch *b, const char *path, const char *key, FILE *file, bool inside, bool *descends)
{
    *descends = !inside && (strcmp(key, "alloc") == 0 || strcmp(key, "accounts") == 0);
    if (*descends) {
        return next_char(file) == '{' || say_json(b, path, "the accounts are no object");
    }
    if (inside || is_address(key)) {
        return load_value(b, path, key, file);
    }
    return skip_value(file) || say_json(b, path, "the JSON is cut off");
}

/* The members of the file's object and, between them, of the one that holds the accounts. */
static bool load_json(batch *b, const char *path, FILE *file)
{
    static const char malformed[] = "the JSON is cut off or malformed";
    char key[72];
    bool inside = false; /* the object of accounts */
    bool any = false;    /* there was such an object, or accounts */
    bool other = false;  /* there was something else */
    if (next_char(file) != '{') {
        return say_json(b, path, "this is neither a dump nor a JSON object of accounts");
    }
    for (int c = next_char(file);; c = next_char(file)) {
        if (c == '"') {
            bool descends = false;
            if (!read_key(key, file) || next_char(file) != ':') {
                return say_json(b, path, "a key and a colon should stand where something else does");
            }
            if (!load_member(b, path, key, file, inside, &descends)) {
                return false;
            }
            any = any || inside || descends || is_address(key);
            other = true;
            if (descends) {
                inside = true;
                continue;
            }
            c = next_char(file);
            if (c == ',') {
                continue;
            }
        }
        if (c != '}') {
            return say_json(b, path, malformed);
        }
        if (!inside) {
            break;
        }
        inside = false;
        c = next_char(file);
        if (c != ',' && c != '}') {
            return say_json(b, path, malformed);
        }
        if (c == '}') {
            break;
        }
    }
    if (next_char(file) != EOF) {
        return say_json(b, path, malformed);
    }
    return any || !other ? commit(b) : say_json(b, path, "there are no accounts in it");
}

/* ---- Either ------------------------------------------------------------------------------------------------------ */

static bool load_file(batch *b, const char *path)
{
    cevm_block_reader reader;
    if (!cevm_block_reader_open(&reader, path, "account")) {
        (void)fprintf(stderr, "%s: %s: %s\n", b->c->command, path, reader.error);
        return false;
    }
    const bool binary = cevm_block_reader_skip(&reader, CEVM_DB_DUMP_MAGIC);
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
