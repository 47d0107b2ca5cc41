/* SPDX-License-Identifier: Apache-2.0 */
/** The Merkle Patricia trie (state/trie.h): the official TrieTests, limits, and the lists of a block. */
#include "state/trie.h"

#include <cevm/crypto.h>
#include <cevm/hex.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/vector_file.h"

typedef struct text_bytes {
    uint8_t data[512];
    size_t size;
} text_bytes;

/** Test texts are hex after "0x" and themselves otherwise; null is nothing. */
static text_bytes read_text(const char *text)
{
    text_bytes out = {.size = 0};
    if (text == NULL) {
        return out;
    }
    assert_true(strlen(text) < sizeof out.data);
    if (strncmp(text, "0x", 2) == 0) {
        assert_true(cevm_hex_decode(out.data, &out.size, text, strlen(text)));
    } else {
        out.size = strlen(text);
        memcpy(out.data, text, out.size);
    }
    return out;
}

static void put_text(cevm_trie *trie, const char *key, const char *value, bool secure)
{
    text_bytes k = read_text(key);
    text_bytes v = read_text(value);
    if (secure) {
        cevm_hash hash;
        cevm_keccak256(&hash, k.data, k.size);
        memcpy(k.data, hash.bytes, sizeof hash.bytes);
        k.size = sizeof hash.bytes;
    }
    assert_int_equal(cevm_trie_put(trie, (cevm_bytes){k.data, k.size}, (cevm_bytes){v.data, v.size}), CEVM_OK);
    cevm_bytes found = {NULL, 0};
    assert_true(cevm_trie_get(trie, &found, (cevm_bytes){k.data, k.size}) == (v.size != 0));
    assert_int_equal(found.size, v.size);
    assert_memory_equal(v.size != 0 ? found.data : v.data, v.data, v.size);
}

static void check_root(cevm_trie *trie, const char *name, const char *expected)
{
    cevm_buf scratch;
    cevm_hash root;
    cevm_hash want;
    cevm_buf_init(&scratch, NULL);
    assert_true(cevm_hex_decode_exact(want.bytes, sizeof want.bytes, expected));
    assert_int_equal(cevm_trie_root(trie, &root, &scratch), CEVM_OK);
    if (!cevm_hash_equal(&root, &want)) {
        fail_msg("%s: wrong root", name);
    }
    cevm_buf_free(&scratch);
}

/** Puts a test's pairs in order, or from `first` on and around again; asks for the root on the way when told so. */
static void run_case(const char *name, const json_t *test, bool secure, size_t first, bool roots_between)
{
    const json_t *in = json_object_get(test, "in");
    const char *expected = json_string_value(json_object_get(test, "root"));
    cevm_trie trie;
    cevm_buf scratch;
    cevm_hash between;
    assert_non_null(expected);
    cevm_trie_init(&trie, NULL);
    cevm_buf_init(&scratch, NULL);
    const size_t count = json_is_array(in) ? json_array_size(in) : json_object_size(in);
    for (size_t i = 0; i < count; ++i) {
        const size_t at = (first + i) % count;
        if (json_is_array(in)) {
            const json_t *pair = json_array_get(in, at);
            put_text(&trie, json_string_value(json_array_get(pair, 0)), json_string_value(json_array_get(pair, 1)),
                     secure);
        } else {
            void *iterator = json_object_iter((json_t *)(uintptr_t)in);
            for (size_t skip = 0; skip < at; ++skip) {
                iterator = json_object_iter_next((json_t *)(uintptr_t)in, iterator);
            }
            put_text(&trie, json_object_iter_key(iterator), json_string_value(json_object_iter_value(iterator)),
                     secure);
        }
        if (roots_between) {
            assert_int_equal(cevm_trie_root(&trie, &between, &scratch), CEVM_OK);
        }
    }
    check_root(&trie, name, expected);
    cevm_buf_free(&scratch);
    cevm_trie_clear(&trie);
}

static void run_file(const char *file, bool secure, bool any_order)
{
    json_t *root = open_vectors(file);
    const char *name;
    json_t *test;
    assert_true(json_object_size(root) >= 3);
    json_object_foreach(root, name, test)
    {
        const size_t starts = any_order ? json_object_size(json_object_get(test, "in")) : 1;
        for (size_t first = 0; first < starts; ++first) {
            run_case(name, test, secure, first, false);
            run_case(name, test, secure, first, true);
        }
    }
    json_decref(root);
}

static void test_any_order(void **unused)
{
    (void)unused;
    run_file("EthereumTestsMisc/TrieTests/trieanyorder.json", false, true);
}

static void test_in_order(void **unused)
{
    (void)unused;
    run_file("EthereumTestsMisc/TrieTests/trietest.json", false, false);
}

static void test_secure(void **unused)
{
    (void)unused;
    run_file("EthereumTestsMisc/TrieTests/trietest_secureTrie.json", true, false);
}

static void test_secure_hex(void **unused)
{
    (void)unused;
    run_file("EthereumTestsMisc/TrieTests/hex_encoded_securetrie_test.json", true, true);
}

/* From the any-order set, so that some roots are checked where the vectors are not at hand. */
static void test_known_roots(void **unused)
{
    cevm_trie trie;
    (void)unused;
    cevm_trie_init(&trie, NULL);
    check_root(&trie, "empty", "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
    put_text(&trie, "do", "verb", false);
    put_text(&trie, "horse", "stallion", false);
    put_text(&trie, "doge", "coin", false);
    put_text(&trie, "dog", "puppy", false);
    check_root(&trie, "puppy", "0x5991bb8c6514148a29db676a14ac506cd2cd5775ace63c30a4fe457715e9ac84");
    put_text(&trie, "do", NULL, false);
    put_text(&trie, "horse", NULL, false);
    put_text(&trie, "dog", "puppy", false);
    put_text(&trie, "doge", NULL, false);
    put_text(&trie, "doe", "reindeer", false);
    put_text(&trie, "dogglesworth", "cat", false);
    check_root(&trie, "dogs", "0x8aad789dff2f538bca5d8ea56e8abe10f4c7ba3a5dea95fea4cd6e7c3a1168d3");
    put_text(&trie, "doe", NULL, false);
    put_text(&trie, "dogglesworth", NULL, false);
    put_text(&trie, "dog", NULL, false);
    check_root(&trie, "empty again", "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
    cevm_trie_clear(&trie);
}

static void test_keys(void **unused)
{
    uint8_t key[CEVM_TRIE_MAX_KEY + 1] = {0};
    const cevm_bytes one = {(const uint8_t *)"1", 1};
    cevm_trie trie;
    cevm_buf scratch;
    cevm_hash before;
    cevm_hash root;
    cevm_bytes found;
    (void)unused;
    cevm_trie_init(&trie, NULL);
    cevm_buf_init(&scratch, NULL);
    /* Too long: refused, nothing changed. */
    assert_int_equal(cevm_trie_put(&trie, (cevm_bytes){key, sizeof key}, one), CEVM_ERR_ARGUMENT);
    assert_null(trie.root);
    /* The deepest path there can be: every prefix of a key of the greatest length. */
    for (size_t size = 0; size < sizeof key; ++size) {
        assert_int_equal(cevm_trie_put(&trie, (cevm_bytes){key, size}, one), CEVM_OK);
        if (size == 0) {
            assert_int_equal(cevm_trie_root(&trie, &before, &scratch), CEVM_OK);
        }
    }
    assert_int_equal(cevm_trie_root(&trie, &root, &scratch), CEVM_OK);
    for (size_t size = 1; size < sizeof key; ++size) {
        assert_true(cevm_trie_get(&trie, &found, (cevm_bytes){key, size}));
        assert_int_equal(cevm_trie_put(&trie, (cevm_bytes){key, size}, (cevm_bytes){NULL, 0}), CEVM_OK);
        assert_false(cevm_trie_get(&trie, &found, (cevm_bytes){key, size}));
    }
    assert_int_equal(cevm_trie_root(&trie, &root, &scratch), CEVM_OK);
    assert_true(cevm_hash_equal(&root, &before));
    /* Removing what is not there changes nothing. */
    key[0] = 9;
    assert_int_equal(cevm_trie_put(&trie, (cevm_bytes){key, 1}, (cevm_bytes){NULL, 0}), CEVM_OK);
    assert_true(cevm_trie_get(&trie, &found, (cevm_bytes){key, 0}));
    cevm_trie_clear(&trie);
    cevm_buf_free(&scratch);
}

/** A list is a trie under rlp(index): the same keys put by hand, from the last to the first, give the same root. */
static void test_ordered(void **unused)
{
    enum { COUNT = 300 };
    static uint8_t text[COUNT][40];
    static cevm_bytes values[COUNT];
    cevm_hash root;
    cevm_hash by_hand;
    cevm_trie trie;
    cevm_buf scratch;
    (void)unused;
    assert_int_equal(cevm_trie_ordered_root(&root, NULL, 0, NULL), CEVM_OK);
    assert_true(cevm_hash_equal(&root, &cevm_trie_empty_root));
    cevm_trie_init(&trie, NULL);
    cevm_buf_init(&scratch, NULL);
    for (size_t i = COUNT; i-- > 0;) {
        memset(text[i], (int)(i & 0xff), sizeof text[i]);
        values[i] = (cevm_bytes){text[i], 1 + i % sizeof text[i]};
        uint8_t key[3] = {0x82, (uint8_t)(i >> 8), (uint8_t)i};
        size_t size = 3;
        if (i < 128) {
            key[0] = i == 0 ? 0x80 : (uint8_t)i;
            size = 1;
        } else if (i < 256) {
            key[0] = 0x81;
            key[1] = (uint8_t)i;
            size = 2;
        }
        assert_int_equal(cevm_trie_put(&trie, (cevm_bytes){key, size}, values[i]), CEVM_OK);
    }
    assert_int_equal(cevm_trie_ordered_root(&root, values, COUNT, NULL), CEVM_OK);
    assert_int_equal(cevm_trie_root(&trie, &by_hand, &scratch), CEVM_OK);
    assert_true(cevm_hash_equal(&root, &by_hand));
    values[7].size = 0;
    assert_int_equal(cevm_trie_ordered_root(&root, values, COUNT, NULL), CEVM_ERR_ARGUMENT);
    cevm_trie_clear(&trie);
    cevm_buf_free(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_order),  cmocka_unit_test(test_in_order),    cmocka_unit_test(test_secure),
        cmocka_unit_test(test_secure_hex), cmocka_unit_test(test_known_roots), cmocka_unit_test(test_keys),
        cmocka_unit_test(test_ordered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
