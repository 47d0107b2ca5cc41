/* SPDX-License-Identifier: Apache-2.0 */
/** The memory backend (cevm/db.h). Roots are those of the official state tests kept in ethereum-tests/samples. */
#include <cevm/crypto.h>
#include <cevm/db.h>
#include <cevm/hex.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static const cevm_address alice = {{0xaa, [19] = 1}};
static const cevm_address bob = {{0x0b, [19] = 2}};
static const cevm_bytes no_code = {NULL, 0};

static cevm_u256 number(uint64_t v) { return cevm_u256_from_u64(v); }

static cevm_memdb *make_db(void)
{
    cevm_memdb *db = NULL;
    assert_int_equal(cevm_memdb_create(&db, NULL), CEVM_OK);
    return db;
}

static void set_account(cevm_memdb *db, const cevm_address *address, uint64_t balance, uint64_t nonce, cevm_bytes code)
{
    const cevm_u256 wei = number(balance);
    assert_int_equal(cevm_memdb_set_account(db, address, &wei, nonce, code), CEVM_OK);
}

static void set_slot(cevm_memdb *db, const cevm_address *address, uint64_t key, uint64_t value)
{
    const cevm_u256 k = number(key);
    const cevm_u256 v = number(value);
    assert_int_equal(cevm_memdb_set_storage(db, address, &k, &v), CEVM_OK);
}

static uint64_t get_slot(cevm_memdb *db, const cevm_address *address, uint64_t key)
{
    const cevm_db view = cevm_memdb_interface(db);
    const cevm_u256 k = number(key);
    cevm_u256 v;
    assert_int_equal(view.vtable->storage(view.ctx, &v, address, &k), CEVM_OK);
    assert_true(cevm_u256_fits_u64(&v));
    return v.w[0];
}

static bool get_account(cevm_memdb *db, cevm_db_account *out, const cevm_address *address)
{
    const cevm_db view = cevm_memdb_interface(db);
    bool exists = true;
    assert_int_equal(view.vtable->account(view.ctx, out, &exists, address), CEVM_OK);
    return exists;
}

static cevm_hash root_of(cevm_memdb *db)
{
    cevm_hash root;
    assert_int_equal(cevm_memdb_root(db, &root), CEVM_OK);
    return root;
}

static void test_accounts(void **unused)
{
    cevm_memdb *db = make_db();
    const cevm_db view = cevm_memdb_interface(db);
    const cevm_bytes code = {(const uint8_t *)"\x60\x00", 2};
    cevm_db_account account;
    cevm_bytes read;
    cevm_hash hash;
    (void)unused;
    assert_false(get_account(db, &account, &alice));
    set_account(db, &alice, 5, 7, code);
    set_account(db, &bob, 6, 0, no_code);
    assert_true(get_account(db, &account, &alice));
    assert_true(account.balance.w[0] == 5 && account.nonce == 7 && !account.has_storage);
    cevm_keccak256(&hash, code.data, code.size);
    assert_true(cevm_hash_equal(&account.code_hash, &hash));
    assert_int_equal(view.vtable->code(view.ctx, &read, &hash), CEVM_OK);
    assert_int_equal(read.size, 2);
    assert_memory_equal(read.data, code.data, 2);
    assert_ptr_not_equal(read.data, code.data);
    assert_true(get_account(db, &account, &bob));
    assert_true(cevm_hash_equal(&account.code_hash, &cevm_empty_code_hash));
    hash.bytes[0] ^= 1;
    assert_int_equal(view.vtable->code(view.ctx, &read, &hash), CEVM_ERR_BACKEND);
    cevm_memdb_destroy(db);
}

static void test_storage(void **unused)
{
    cevm_memdb *db = make_db();
    const cevm_u256 one = number(1);
    cevm_db_account account;
    (void)unused;
    assert_int_equal(cevm_memdb_set_storage(db, &alice, &one, &one), CEVM_ERR_ARGUMENT);
    set_account(db, &alice, 1, 0, no_code);
    const cevm_hash bare = root_of(db);
    for (uint64_t i = 0; i < 100; ++i) {
        set_slot(db, &alice, i, i + 1);
    }
    assert_true(get_account(db, &account, &alice) && account.has_storage);
    assert_int_equal(get_slot(db, &alice, 42), 43);
    assert_int_equal(get_slot(db, &alice, 100), 0);
    assert_int_equal(get_slot(db, &bob, 1), 0);
    const cevm_hash full = root_of(db);
    for (uint64_t i = 0; i < 100; ++i) {
        set_slot(db, &alice, i, 0);
    }
    assert_true(get_account(db, &account, &alice) && !account.has_storage);
    cevm_hash root = root_of(db);
    assert_true(cevm_hash_equal(&root, &bare));
    for (uint64_t i = 100; i-- > 0;) {
        set_slot(db, &alice, i, i + 1);
    }
    root = root_of(db);
    assert_true(cevm_hash_equal(&root, &full));
    /* Replacing an account drops its storage. */
    set_account(db, &alice, 1, 0, no_code);
    assert_int_equal(get_slot(db, &alice, 42), 0);
    root = root_of(db);
    assert_true(cevm_hash_equal(&root, &bare));
    cevm_memdb_destroy(db);
}

static void test_block_hash(void **unused)
{
    cevm_memdb *db = make_db();
    const cevm_db view = cevm_memdb_interface(db);
    const cevm_hash zero = {{0}};
    cevm_hash hash = {{9}};
    (void)unused;
    assert_int_equal(view.vtable->block_hash(view.ctx, &hash, 5), CEVM_OK);
    assert_true(cevm_hash_equal(&hash, &zero));
    for (uint64_t i = 0; i < 300; ++i) {
        cevm_hash set = {{(uint8_t)i, (uint8_t)(i >> 8), 1}};
        assert_int_equal(cevm_memdb_set_block_hash(db, i, &set), CEVM_OK);
    }
    hash = (cevm_hash){{0xff}};
    assert_int_equal(cevm_memdb_set_block_hash(db, 7, &hash), CEVM_OK);
    assert_int_equal(view.vtable->block_hash(view.ctx, &hash, 299), CEVM_OK);
    assert_true(hash.bytes[0] == 43 && hash.bytes[1] == 1);
    assert_int_equal(view.vtable->block_hash(view.ctx, &hash, 7), CEVM_OK);
    assert_int_equal(hash.bytes[0], 0xff);
    cevm_memdb_destroy(db);
}

static void test_commit(void **unused)
{
    cevm_memdb *db = make_db();
    const cevm_db view = cevm_memdb_interface(db);
    const cevm_slot_change slots[] = {{number(1), number(0)}, {number(3), number(33)}};
    cevm_account_change changes[2];
    cevm_diff diff = {changes, 2};
    cevm_db_account account;
    (void)unused;
    set_account(db, &alice, 1, 1, no_code);
    set_slot(db, &alice, 1, 11);
    set_slot(db, &alice, 2, 22);
    const cevm_hash empty_alice = root_of(db);
    memset(changes, 0, sizeof changes);
    changes[0].address = bob;
    changes[0].code_hash = cevm_empty_code_hash;
    changes[0].balance = number(9);
    changes[1].address = alice;
    changes[1].code_hash = cevm_empty_code_hash;
    changes[1].slots = slots;
    changes[1].slot_count = 2;
    assert_int_equal(view.vtable->commit(view.ctx, &diff), CEVM_OK);
    assert_int_equal(get_slot(db, &alice, 1), 0);
    assert_int_equal(get_slot(db, &alice, 2), 22);
    assert_int_equal(get_slot(db, &alice, 3), 33);
    /* Cleared: the old slots are gone before the new are written. */
    changes[1].storage_cleared = true;
    assert_int_equal(view.vtable->commit(view.ctx, &diff), CEVM_OK);
    assert_int_equal(get_slot(db, &alice, 2), 0);
    assert_int_equal(get_slot(db, &alice, 3), 33);
    /* Deleted, and back again with nothing left of the past. */
    changes[0].deleted = true;
    changes[1].deleted = true;
    assert_int_equal(view.vtable->commit(view.ctx, &diff), CEVM_OK);
    assert_false(get_account(db, &account, &alice));
    assert_int_equal(get_slot(db, &alice, 3), 0);
    set_account(db, &alice, 1, 1, no_code);
    assert_int_equal(get_slot(db, &alice, 3), 0);
    set_slot(db, &alice, 2, 22);
    set_slot(db, &alice, 1, 11);
    const cevm_hash again = root_of(db);
    assert_true(cevm_hash_equal(&again, &empty_alice));
    cevm_memdb_destroy(db);
}

typedef struct walk {
    size_t count;
    size_t stop_at;
    cevm_address last_address;
    cevm_u256 last_key;
    size_t code_bytes;
} walk;

static bool on_account(void *user, const cevm_address *address, const cevm_db_account *account, cevm_bytes code)
{
    walk *w = user;
    assert_true(w->count == 0 || memcmp(w->last_address.bytes, address->bytes, 20) < 0);
    assert_true(account->nonce == address->bytes[1]);
    w->last_address = *address;
    w->code_bytes += code.size;
    return ++w->count != w->stop_at;
}

static bool on_slot(void *user, const cevm_u256 *key, const cevm_u256 *value)
{
    walk *w = user;
    uint8_t before[32];
    uint8_t now[32];
    cevm_u256_to_be(before, &w->last_key);
    cevm_u256_to_be(now, key);
    assert_true(w->count == 0 || memcmp(before, now, 32) < 0);
    assert_false(cevm_u256_is_zero(value));
    w->last_key = *key;
    return ++w->count != w->stop_at;
}

static void test_visit(void **unused)
{
    cevm_memdb *db = make_db();
    walk all = {.count = 0};
    walk some = {.stop_at = 5};
    (void)unused;
    assert_int_equal(cevm_memdb_for_each_account(db, on_account, &all), CEVM_OK);
    assert_int_equal(all.count, 0);
    for (unsigned i = 0; i < 200; ++i) {
        const cevm_address address = {{(uint8_t)(i * 77), (uint8_t)i}};
        set_account(db, &address, 1, i, (cevm_bytes){(const uint8_t *)"\xfe", i % 2});
    }
    assert_int_equal(cevm_memdb_for_each_account(db, on_account, &all), CEVM_OK);
    assert_int_equal(all.count, 200);
    assert_int_equal(all.code_bytes, 100);
    assert_int_equal(cevm_memdb_for_each_account(db, on_account, &some), CEVM_OK);
    assert_int_equal(some.count, 5);

    const cevm_address owner = {{0}};
    for (unsigned i = 0; i < 200; ++i) {
        const cevm_u256 key = {{i * 31, 0, i % 3, (uint64_t)(i * 7919) << 40}};
        const cevm_u256 value = number(i % 4);
        assert_int_equal(cevm_memdb_set_storage(db, &owner, &key, &value), CEVM_OK);
    }
    walk slots = {.count = 0};
    assert_int_equal(cevm_memdb_for_each_slot(db, &owner, on_slot, &slots), CEVM_OK);
    assert_int_equal(slots.count, 150);
    walk none = {.count = 0};
    assert_int_equal(cevm_memdb_for_each_slot(db, &bob, on_slot, &none), CEVM_OK);
    assert_int_equal(none.count, 0);
    cevm_memdb_destroy(db);
}

/* ---- Roots of the official vectors ------------------------------------------------------------------------------- */

static cevm_address read_address(const char *text)
{
    cevm_address address;
    assert_true(cevm_hex_decode_exact(address.bytes, sizeof address.bytes, text));
    return address;
}

static void load_account(cevm_memdb *db, const char *name, const json_t *account)
{
    const cevm_address address = read_address(name);
    const char *code_text = json_string_value(json_object_get(account, "code"));
    cevm_u256 balance;
    cevm_u256 nonce;
    size_t size;
    assert_true(cevm_u256_from_text(&balance, json_string_value(json_object_get(account, "balance"))));
    assert_true(cevm_u256_from_text(&nonce, json_string_value(json_object_get(account, "nonce"))));
    uint8_t *code = malloc(strlen(code_text) / 2 + 1);
    assert_non_null(code);
    assert_true(cevm_hex_decode(code, &size, code_text, strlen(code_text)));
    assert_int_equal(cevm_memdb_set_account(db, &address, &balance, nonce.w[0], (cevm_bytes){code, size}), CEVM_OK);
    free(code);
    const char *key_text;
    json_t *value_text;
    json_object_foreach(json_object_get(account, "storage"), key_text, value_text)
    {
        cevm_u256 key;
        cevm_u256 value;
        assert_true(cevm_u256_from_text(&key, key_text));
        assert_true(cevm_u256_from_text(&value, json_string_value(value_text)));
        assert_int_equal(cevm_memdb_set_storage(db, &address, &key, &value), CEVM_OK);
    }
}

static void load_alloc(cevm_memdb *db, const json_t *alloc)
{
    const char *name;
    json_t *account;
    json_object_foreach((json_t *)(uintptr_t)alloc, name, account) { load_account(db, name, account); }
}

static void delete_missing(cevm_memdb *db, const json_t *pre, const json_t *post)
{
    const cevm_db view = cevm_memdb_interface(db);
    const char *name;
    json_t *account;
    json_object_foreach((json_t *)(uintptr_t)pre, name, account)
    {
        if (json_object_get(post, name) == NULL) {
            const cevm_account_change change = {.address = read_address(name), .deleted = true};
            const cevm_diff diff = {&change, 1};
            assert_int_equal(view.vtable->commit(view.ctx, &diff), CEVM_OK);
        }
    }
}

/** The root of a post state, made at once and as a change of the pre state; returns 1 when the test carries one. */
static size_t check_post(const json_t *pre, const json_t *post)
{
    const json_t *alloc = json_object_get(post, "state");
    cevm_hash expected;
    if (alloc == NULL) {
        return 0;
    }
    assert_true(cevm_hex_decode_exact(expected.bytes, 32, json_string_value(json_object_get(post, "hash"))));
    cevm_memdb *fresh = make_db();
    load_alloc(fresh, alloc);
    cevm_hash root = root_of(fresh);
    assert_true(cevm_hash_equal(&root, &expected));
    cevm_memdb_destroy(fresh);
    cevm_memdb *changed = make_db();
    load_alloc(changed, pre);
    (void)root_of(changed);
    delete_missing(changed, pre, alloc);
    load_alloc(changed, alloc);
    root = root_of(changed);
    assert_true(cevm_hash_equal(&root, &expected));
    root = root_of(changed);
    assert_true(cevm_hash_equal(&root, &expected));
    cevm_memdb_destroy(changed);
    return 1;
}

static size_t check_file(const char *path)
{
    json_t *file = json_load_file(path, 0, NULL);
    size_t roots = 0;
    const char *name;
    json_t *test;
    assert_non_null(file);
    json_object_foreach(file, name, test)
    {
        const char *fork;
        json_t *posts;
        json_object_foreach(json_object_get(test, "post"), fork, posts)
        {
            size_t i;
            json_t *post;
            json_array_foreach(posts, i, post) { roots += check_post(json_object_get(test, "pre"), post); }
        }
    }
    json_decref(file);
    return roots;
}

static void test_official_roots(void **unused)
{
    static const char folder[] = "ethereum-tests/samples/eest";
    DIR *dir = opendir(folder);
    struct dirent *entry;
    size_t roots = 0;
    (void)unused;
    if (dir == NULL) {
        fail_msg("%s is missing: run from the root of the repository", folder);
        return;
    }
    while ((entry = readdir(dir)) != NULL) {
        const size_t length = strlen(entry->d_name);
        if (length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0) {
            char path[512];
            (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            roots += check_file(path);
        }
    }
    (void)closedir(dir);
    print_message("%zu roots\n", roots);
    assert_true(roots >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accounts), cmocka_unit_test(test_storage), cmocka_unit_test(test_block_hash),
        cmocka_unit_test(test_commit),   cmocka_unit_test(test_visit),   cmocka_unit_test(test_official_roots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
