/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/alloc.h"

#include <cevm/alloc.h>
#include <cevm/crypto.h>
#include <cevm/hex.h>

#include <stdio.h>
#include <stdlib.h>

/** A word of storage: hex, as geth has it, with "0x" or without. */
static bool read_word(cevm_u256 *out, const char *text)
{
    char hex[67];
    const size_t length = strlen(text);
    if (length >= 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        return cevm_u256_from_text(out, text);
    }
    return length <= 64 && snprintf(hex, sizeof hex, "0x%s", text) > 0 && cevm_u256_from_text(out, hex);
}

/** A value may also be a JSON integer. */
static bool read_slot(cevm_slot_change *out, const cevm_json_at *at)
{
    const char *text;
    if (!read_word(&out->key, at->key)) {
        return cevm_json_fail(at, "the key must be a number of at most 256 bits, in hex");
    }
    if (json_is_integer(at->value)) {
        return cevm_json_u256(&out->value, at);
    }
    return cevm_json_text(&text, at) &&
           (read_word(&out->value, text) || cevm_json_fail(at, "must be a number of at most 256 bits, in hex"));
}

static bool load_storage(cevm_genesis_account *out, const cevm_json_at *at, cevm_arena *arena)
{
    if (!cevm_json_is_object(at)) {
        return false;
    }
    size_t count = json_object_size(at->value);
    cevm_slot_change *slots = cevm_arena_array(arena, count, sizeof *slots);
    if (slots == NULL) {
        return cevm_json_fail(at, "out of memory");
    }
    size_t i = 0;
    const char *key;
    json_t *value;
    json_object_foreach(at->value, key, value)
    {
        cevm_json_at slot = {.up = at, .key = key, .value = value, .file = at->file, .error = at->error};
        if (!read_slot(&slots[i], &slot)) {
            return false;
        }
        i++;
    }
    out->slots = slots;
    out->slot_count = count;
    return true;
}

static bool load_account(cevm_genesis_account *out, const cevm_json_at *at, cevm_arena *arena)
{
    cevm_json_at field;
    if (!cevm_json_key_address(&out->address, at) || !cevm_json_is_object(at)) {
        return false;
    }
    if (cevm_json_find(&field, at, "balance") && !cevm_json_u256(&out->balance, &field)) {
        return false;
    }
    if (cevm_json_find(&field, at, "nonce") && !cevm_json_u64(&out->nonce, &field)) {
        return false;
    }
    if (cevm_json_find(&field, at, "code") && !cevm_json_bytes(&out->code, &field, arena)) {
        return false;
    }
    return !cevm_json_find(&field, at, "storage") || load_storage(out, &field, arena);
}

static int by_address(const void *a, const void *b)
{
    const cevm_genesis_account *x = a, *y = b;
    return memcmp(x->address.bytes, y->address.bytes, sizeof x->address.bytes);
}

bool cevm_genesis_alloc_load(cevm_genesis_alloc *out, const cevm_json_at *at, cevm_arena *arena)
{
    if (!cevm_json_is_object(at)) {
        return false;
    }
    size_t count = json_object_size(at->value);
    cevm_genesis_account *accounts = cevm_arena_array(arena, count, sizeof *accounts);
    if (accounts == NULL) {
        return cevm_json_fail(at, "out of memory");
    }
    size_t i = 0;
    const char *key;
    json_t *value;
    json_object_foreach(at->value, key, value)
    {
        cevm_json_at account = {.up = at, .key = key, .value = value, .file = at->file, .error = at->error};
        if (!load_account(&accounts[i++], &account, arena)) {
            return false;
        }
    }
    qsort(accounts, count, sizeof *accounts, by_address);
    for (i = 1; i < count; i++) { /* the keys differ, but "0xAB…" and "ab…" are one address */
        if (cevm_address_equal(&accounts[i - 1].address, &accounts[i].address)) {
            char hex[41];
            cevm_hex_encode(hex, accounts[i].address.bytes, sizeof accounts[i].address.bytes);
            return cevm_json_fail(at, "account 0x%s stands here twice", hex);
        }
    }
    out->accounts = accounts;
    out->count = count;
    return true;
}

cevm_err cevm_genesis_alloc_store(cevm_memdb *db, const cevm_genesis_alloc *alloc)
{
    for (size_t i = 0; i < alloc->count; i++) {
        const cevm_genesis_account *a = &alloc->accounts[i];
        cevm_err err = cevm_memdb_set_account(db, &a->address, &a->balance, a->nonce, a->code);
        for (size_t s = 0; err == CEVM_OK && s < a->slot_count; s++) {
            err = cevm_memdb_set_storage(db, &a->address, &a->slots[s].key, &a->slots[s].value);
        }
        if (err != CEVM_OK) {
            return err;
        }
    }
    return CEVM_OK;
}

/* ---- Comparison -------------------------------------------------------------------------------------------------- */

typedef struct comparison {
    cevm_memdb *db;
    const cevm_genesis_alloc *expected;
    size_t next; /* first expected account not yet met */
    char *text;
    size_t text_size;
    bool same;
    cevm_err err;
} comparison;

static void differ_at(comparison *c, const cevm_address *address, const char *what)
{
    char hex[41];
    cevm_hex_encode(hex, address->bytes, sizeof address->bytes);
    (void)snprintf(c->text, c->text_size, "account 0x%s: %s", hex, what);
    c->same = false;
}

static void differ_number(comparison *c, const cevm_address *address, const char *field, const cevm_u256 *want,
                          const cevm_u256 *got)
{
    char w[67], g[67], what[256];
    cevm_u256_to_hex(w, want);
    cevm_u256_to_hex(g, got);
    (void)snprintf(what, sizeof what, "%s: expected %s, got %s", field, w, g);
    differ_at(c, address, what);
}

typedef struct slot_walk {
    comparison *c;
    const cevm_genesis_account *expected;
    bool *met; /* one flag per expected slot */
} slot_walk;

static void differ_slot(comparison *c, const cevm_address *address, const cevm_u256 *key, const cevm_u256 *want,
                        const cevm_u256 *got)
{
    char k[67], field[96];
    cevm_u256_to_hex(k, key);
    (void)snprintf(field, sizeof field, "storage %s", k);
    differ_number(c, address, field, want, got);
}

static bool visit_slot(void *user, const cevm_u256 *key, const cevm_u256 *value)
{
    slot_walk *walk = user;
    const cevm_genesis_account *e = walk->expected;
    cevm_u256 want = {{0, 0, 0, 0}};
    for (size_t i = 0; i < e->slot_count; i++) {
        if (cevm_u256_equal(&e->slots[i].key, key)) {
            want = e->slots[i].value;
            walk->met[i] = true;
            break;
        }
    }
    if (!cevm_u256_equal(&want, value)) {
        differ_slot(walk->c, &e->address, key, &want, value);
        return false;
    }
    return true;
}

static void compare_storage(comparison *c, const cevm_genesis_account *e)
{
    bool *met = cevm_zalloc(NULL, (e->slot_count + 1) * sizeof *met);
    if (met == NULL) {
        c->err = CEVM_ERR_NOMEM;
        return;
    }
    slot_walk walk = {.c = c, .expected = e, .met = met};
    c->err = cevm_memdb_for_each_slot(c->db, &e->address, visit_slot, &walk);
    const cevm_u256 zero = {{0, 0, 0, 0}};
    for (size_t i = 0; c->err == CEVM_OK && c->same && i < e->slot_count; i++) {
        if (!met[i] && !cevm_u256_is_zero(&e->slots[i].value)) {
            differ_slot(c, &e->address, &e->slots[i].key, &e->slots[i].value, &zero);
        }
    }
    cevm_free(NULL, met);
}

static void compare_account(comparison *c, const cevm_genesis_account *e, const cevm_db_account *got, cevm_bytes code)
{
    cevm_u256 want_nonce = cevm_u256_from_u64(e->nonce), got_nonce = cevm_u256_from_u64(got->nonce);
    if (!cevm_u256_equal(&e->balance, &got->balance)) {
        differ_number(c, &e->address, "balance", &e->balance, &got->balance);
    } else if (e->nonce != got->nonce) {
        differ_number(c, &e->address, "nonce", &want_nonce, &got_nonce);
    } else if (e->code.size != code.size || (code.size != 0 && memcmp(e->code.data, code.data, code.size) != 0)) {
        char what[96];
        (void)snprintf(what, sizeof what, "code: expected %zu bytes, got %zu%s", e->code.size, code.size,
                       e->code.size == code.size ? " others" : "");
        differ_at(c, &e->address, what);
    } else {
        compare_storage(c, e);
    }
}

static bool visit_account(void *user, const cevm_address *address, const cevm_db_account *account, cevm_bytes code)
{
    comparison *c = user;
    const cevm_genesis_account *e = c->next < c->expected->count ? &c->expected->accounts[c->next] : NULL;
    int order = e != NULL ? memcmp(e->address.bytes, address->bytes, sizeof address->bytes) : 1;
    if (order < 0) {
        differ_at(c, &e->address, "expected, but missing");
    } else if (order > 0) {
        differ_at(c, address, "exists, but is not expected");
    } else {
        c->next++;
        compare_account(c, e, account, code);
    }
    return c->same && c->err == CEVM_OK;
}

cevm_err cevm_genesis_alloc_compare(bool *same, char *text, size_t text_size, cevm_memdb *db,
                                    const cevm_genesis_alloc *expected)
{
    comparison c = {.db = db, .expected = expected, .text = text, .text_size = text_size, .same = true};
    cevm_err err = cevm_memdb_for_each_account(db, visit_account, &c);
    if (err != CEVM_OK || c.err != CEVM_OK) {
        return err != CEVM_OK ? err : c.err;
    }
    if (c.same && c.next < expected->count) {
        differ_at(&c, &expected->accounts[c.next].address, "expected, but missing");
    }
    *same = c.same;
    return CEVM_OK;
}
