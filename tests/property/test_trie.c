/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The trie under random changes: its content is that of a plain list, its root does not depend on how it came about, and
 * equals that of a trie built afresh. Prints its seed; SEED=n replays it.
 */
#include "state/trie.h"
#include "tests/property/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>

enum { KEYS = 400, ROUNDS = 60, STEPS = 150 };

/** What the trie should hold. */
typedef struct pair {
    uint8_t key[34];
    size_t key_size;
    uint8_t value[80];
    size_t value_size; /* 0: absent */
} pair;

static uint64_t random_state;

static uint64_t next_random(void) { return random_next(&random_state); }

static size_t below(size_t limit) { return (size_t)(next_random() % limit); }

static void start_random(void)
{
    random_state = random_seed();
    print_message("SEED=%" PRIu64 "\n", random_state);
}

/** Different keys that share prefixes, some of them prefixes of others; or of 32 bytes, as hashes are. */
static void make_keys(pair *pairs, bool like_hashes)
{
    for (size_t i = 0; i < KEYS; ++i) {
        pair *p = &pairs[i];
        bool again;
        do {
            p->key_size = like_hashes ? 32 : below(6);
            for (size_t j = 0; j < p->key_size; ++j) {
                p->key[j] = (uint8_t)(like_hashes && j > 1 ? next_random() : (below(3) << 4 | below(4)));
            }
            again = false;
            for (size_t j = 0; j < i && !again; ++j) {
                again = pairs[j].key_size == p->key_size && memcmp(pairs[j].key, p->key, p->key_size) == 0;
            }
        } while (again);
        p->value_size = 0;
    }
}

static void put(cevm_trie *trie, const pair *p)
{
    assert_int_equal(cevm_trie_put(trie, (cevm_bytes){p->key, p->key_size}, (cevm_bytes){p->value, p->value_size}),
                     CEVM_OK);
}

static cevm_hash root_of(cevm_trie *trie, cevm_buf *scratch)
{
    cevm_hash root;
    assert_int_equal(cevm_trie_root(trie, &root, scratch), CEVM_OK);
    return root;
}

/** The root of the same content put into a new trie in random order. */
static cevm_hash fresh_root(const pair *pairs, cevm_buf *scratch)
{
    size_t order[KEYS];
    cevm_trie trie;
    cevm_trie_init(&trie, NULL);
    for (size_t i = 0; i < KEYS; ++i) {
        const size_t j = below(i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    for (size_t i = 0; i < KEYS; ++i) {
        put(&trie, &pairs[order[i]]);
    }
    const cevm_hash root = root_of(&trie, scratch);
    cevm_trie_clear(&trie);
    return root;
}

static void check_content(const cevm_trie *trie, const pair *pairs)
{
    for (size_t i = 0; i < KEYS; ++i) {
        cevm_bytes value = {NULL, 0};
        const bool found = cevm_trie_get(trie, &value, (cevm_bytes){pairs[i].key, pairs[i].key_size});
        assert_true(found == (pairs[i].value_size != 0));
        assert_int_equal(value.size, pairs[i].value_size);
        assert_true(!found || memcmp(value.data, pairs[i].value, value.size) == 0);
    }
}

static void run(bool like_hashes)
{
    static pair pairs[KEYS];
    cevm_trie trie;
    cevm_buf scratch;
    make_keys(pairs, like_hashes);
    cevm_trie_init(&trie, NULL);
    cevm_buf_init(&scratch, NULL);
    for (size_t round = 0; round < ROUNDS; ++round) {
        /* Phases that mostly add and phases that mostly remove, down to the empty trie. */
        const size_t removals = round % 3 == 2 ? 9 : 2;
        for (size_t i = 0; i < STEPS; ++i) {
            pair *p = &pairs[below(KEYS)];
            p->value_size = below(10) < removals ? 0 : 1 + below(below(3) == 0 ? sizeof p->value : 4);
            memset(p->value, (int)(1 + below(255)), p->value_size);
            put(&trie, p);
        }
        if (round % 10 == 9) {
            for (size_t i = 0; i < KEYS; ++i) {
                pairs[i].value_size = i == round ? 1 : 0;
                put(&trie, &pairs[i]);
            }
        }
        const cevm_hash root = root_of(&trie, &scratch);
        const cevm_hash expected = fresh_root(pairs, &scratch);
        assert_true(cevm_hash_equal(&root, &expected));
        check_content(&trie, pairs);
    }
    cevm_trie_clear(&trie);
    cevm_buf_free(&scratch);
}

static void test_short_keys(void **unused)
{
    (void)unused;
    run(false);
}

static void test_hashed_keys(void **unused)
{
    (void)unused;
    run(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_short_keys), cmocka_unit_test(test_hashed_keys)};
    start_random();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
