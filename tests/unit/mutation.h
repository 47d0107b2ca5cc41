/* SPDX-License-Identifier: Apache-2.0 */
/**
 * tests/unit/mutation.h: a valid block of an official test, changed in one place and imported where the valid one belongs.
 * Include after cmocka.h.
 */
#ifndef CEVM_TESTS_MUTATION_H
#define CEVM_TESTS_MUTATION_H

#include <cevm/chain.h>

#include "tests/unit/block_samples.h"

/** A block to change, and what its tests need to know about it. */
typedef struct subject {
    const char *file, *network;
    size_t index;           /* of the block in its test */
    const char *secret_key; /* of whoever sent its transactions */
} subject;

/** The key of 0xa94f...bf0b, who sends most transactions of the official tests. */
#define USUAL_KEY "45a915e4d060149eb4365960e6a7a45f334393093061116b197e3240065ff2d8"

typedef struct bed {
    const subject *subject;
    cevm_blockchain_test *test;
    cevm_block *block; /* the valid one */
    cevm_bytes rlp;    /* its encoding */
    cevm_fork fork;
    size_t refused, accepted; /* changes so far */
} bed;

typedef struct bed_use {
    const subject *subject;
    void (*use)(bed *b);
    size_t refused, accepted;
} bed_use;

/** The chain up to the block's parent. */
static inline cevm_chain *open_chain(const bed *b, cevm_memdb **db)
{
    cevm_blockchain_test *test = b->test;
    assert_int_equal(cevm_memdb_create(db, NULL), CEVM_OK);
    assert_int_equal(cevm_genesis_alloc_store(*db, &test->pre), CEVM_OK);
    cevm_memdb_set_history(*db, 16);
    const cevm_chain_options options = {.struct_size = sizeof options,
                                        .config = test->network.config,
                                        .head = &test->genesis,
                                        .head_is_merged = test->network.merged_from_start,
                                        .db = cevm_memdb_interface(*db),
                                        .history = 16};
    cevm_chain *chain;
    assert_int_equal(cevm_chain_open(&chain, &options), CEVM_OK);
    for (size_t i = 0; i < b->subject->index; ++i) {
        cevm_import_result result;
        assert_int_equal(cevm_chain_import(chain, &result, test_block_at(test, i).rlp, NULL), CEVM_OK);
        assert_true(result.is_head);
    }
    return chain;
}

static inline void assert_head(cevm_chain *chain, const cevm_hash *hash, cevm_memdb *db)
{
    cevm_chain_block head;
    cevm_hash root;
    cevm_chain_head(chain, &head);
    assert_memory_equal(head.hash.bytes, hash->bytes, 32);
    assert_int_equal(cevm_memdb_root(db, &root), CEVM_OK);
    assert_memory_equal(root.bytes, head.header->state_root.bytes, 32);
}

static inline const char *verdict_name(const cevm_block_verdict *verdict)
{
    switch ((int)verdict->error) {
    case CEVM_BLOCK_NONE: return "accepted";
    case CEVM_BLOCK_TRANSACTION: return cevm_tx_error_name(verdict->tx_error);
    default: return cevm_block_error_name(verdict->error);
    }
}

/**
 * Imports changed bytes, which must come out as `expected`: "accepted" or the name of a reason. After a refusal head and
 * state are what they were, and the valid block goes in.
 */
static inline void import_changed(bed *b, cevm_bytes changed, const char *what, const char *expected)
{
    cevm_memdb *db;
    cevm_import_result result;
    cevm_chain *chain = open_chain(b, &db);
    assert_int_equal(cevm_chain_import(chain, &result, changed, NULL), CEVM_OK);
    const char *actual = verdict_name(&result.verdict);
    if (strcmp(actual, expected) != 0) {
        fail_msg("%s, %s: %s: %s instead of %s", b->subject->file, b->subject->network, what, actual, expected);
    }
    if (result.verdict.error == CEVM_BLOCK_NONE) {
        assert_true(result.is_head);
        assert_head(chain, &result.hash, db);
        ++b->accepted;
    } else {
        assert_head(chain, &b->block->header.parent_hash, db);
        assert_int_equal(cevm_chain_import(chain, &result, b->rlp, NULL), CEVM_OK);
        assert_int_equal(result.verdict.error, CEVM_BLOCK_NONE);
        assert_true(result.is_head);
        ++b->refused;
    }
    cevm_chain_close(chain);
    cevm_memdb_destroy(db);
}

/** The same with a block that is still to be encoded. One that encodes to the valid bytes has not been changed: false. */
static inline bool import_block(bed *b, const cevm_block *changed, const char *what, const char *expected)
{
    static uint8_t raw[1 << 14];
    size_t size;
    assert_int_equal(cevm_block_encode(raw, &size, sizeof raw, changed, NULL), CEVM_OK);
    if (size == b->rlp.size && memcmp(raw, b->rlp.data, size) == 0) {
        return false;
    }
    import_changed(b, (cevm_bytes){raw, size}, what, expected);
    return true;
}

static inline void use_if_subject(cevm_blockchain_test *test, void *user)
{
    bed_use *u = user;
    if (strcmp(test->network_name, u->subject->network) != 0) {
        return;
    }
    bed b = {.subject = u->subject, .test = test};
    b.rlp = test_block_at(test, u->subject->index).rlp;
    b.block = decode_block(b.rlp);
    const cevm_header *h = &b.block->header;
    const bool is_merged = test->network.merged_from_start;
    b.fork = cevm_chain_fork(&test->network.config, h->number, h->timestamp, is_merged);
    import_changed(&b, b.rlp, "nothing", "accepted");
    u->use(&b);
    cevm_block_destroy(b.block, NULL);
    u->refused += b.refused;
    u->accepted += b.accepted;
}

/** Calls `use` with the bed of a subject; returns how many changes were refused, and accepted in *accepted. */
static inline size_t with_subject(const subject *s, void (*use)(bed *b), size_t *accepted)
{
    bed_use u = {.subject = s, .use = use};
    for_each_blockchain_test(s->file, use_if_subject, &u);
    assert_true(u.accepted != 0); /* it was found */
    *accepted += u.accepted - 1;
    return u.refused;
}

#endif
