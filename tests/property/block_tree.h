/* SPDX-License-Identifier: Apache-2.0 */
/**
 * tests/property/block_tree.h: a random tree of valid blocks, and a model of a chain that is given them: it knows only their
 * weights. Steps are done on a chain and on the model, and compared.
 */
#ifndef CEVM_TESTS_BLOCK_TREE_H
#define CEVM_TESTS_BLOCK_TREE_H

#include "tests/property/random.h"
#include "tests/unit/chain_support.h"

enum { TREE_BLOCKS = 48, TREE_GENESIS = TREE_BLOCKS };

/** A block of the tree; the genesis is the last entry. */
typedef struct tree_block {
    const forged *made;
    cevm_hash hash;
    cevm_hash root;
    size_t parent;
    uint64_t number;
    uint64_t total;    /* difficulty */
    uint64_t sent;     /* wei that FRIEND has after it */
    uint64_t recorded; /* first topic of its log; 0: it has none */
} tree_block;

typedef struct block_tree {
    forge f;
    tree_block blocks[TREE_BLOCKS + 1];
    bool known[TREE_BLOCKS + 1]; /* to the chain */
    size_t head;                 /* of the chain */
} block_tree;

/** The model of a chain that has the genesis alone. */
static inline void tree_restart(block_tree *t)
{
    memset(t->known, 0, sizeof t->known);
    t->known[TREE_GENESIS] = true;
    t->head = TREE_GENESIS;
}

/** Makes the blocks, by the numbers of a generator (random.h). */
static inline void tree_open(block_tree *t, uint64_t *random)
{
    cevm_chain_config config;
    cevm_chain_config_at_fork(&config, random_next(random) % 2 == 0 ? CEVM_BERLIN : CEVM_TANGERINE_WHISTLE);
    forge_open(&t->f, &config);
    t->blocks[TREE_GENESIS] =
        (tree_block){.hash = t->f.genesis_hash, .root = t->f.genesis.state_root, .total = 0x20000};
    for (size_t i = 0; i < TREE_BLOCKS; ++i) {
        const size_t recent = i < 6 ? i : 6;
        const size_t parent =
            i == 0 || random_next(random) % 8 == 0 ? TREE_GENESIS : i - 1 - random_next(random) % recent;
        const recipe r = {.coinbase = (uint8_t)(1 + i),
                          .seconds = 1 + random_next(random) % 40,
                          .value = 1 + random_next(random) % 9,
                          .recorded = random_next(random) % 3};
        const tree_block *on = &t->blocks[parent];
        const forged *made = forge_block(&t->f, &on->hash, r);
        t->blocks[i] = (tree_block){.made = made,
                                    .hash = made->hash,
                                    .root = made->header.state_root,
                                    .parent = parent,
                                    .number = on->number + 1,
                                    .total = on->total + made->header.difficulty.w[0],
                                    .sent = on->sent + r.value,
                                    .recorded = r.recorded};
    }
    tree_restart(t);
}

static inline void tree_close(block_tree *t) { forge_close(&t->f); }

static inline bool tree_is_on_branch(const block_tree *t, size_t block, size_t tip)
{
    while (tip != block && tip != TREE_GENESIS) {
        tip = t->blocks[tip].parent;
    }
    return tip == block;
}

/** Has the chain import a block, which may fail for want of memory. */
static inline void tree_deliver(block_tree *t, cevm_chain *chain, size_t block)
{
    const tree_block *b = &t->blocks[block];
    cevm_import_result r;
    const cevm_err err = cevm_chain_import(chain, &r, (cevm_bytes){b->made->data, b->made->size}, NULL);
    if (err != CEVM_OK) {
        assert_int_equal(err, CEVM_ERR_NOMEM);
        return;
    }
    assert_int_equal(r.is_known, t->known[block]);
    if (t->known[block]) {
        return;
    }
    assert_int_equal(r.verdict.error, t->known[b->parent] ? CEVM_BLOCK_NONE : CEVM_BLOCK_UNKNOWN_PARENT);
    if (t->known[b->parent]) {
        t->known[block] = true;
        assert_int_equal(r.is_head, b->total > t->blocks[t->head].total);
        t->head = r.is_head ? block : t->head;
    }
}

/** Sets the head of the chain, which may fail for want of memory. */
static inline void tree_set_head(block_tree *t, cevm_chain *chain, size_t block)
{
    const cevm_err err = cevm_chain_set_head(chain, &t->blocks[block].hash);
    if (err == CEVM_OK) {
        assert_true(t->known[block]);
        t->head = block;
    } else {
        assert_true(err == CEVM_ERR_NOMEM || (err == CEVM_ERR_ARGUMENT && !t->known[block]));
    }
}

#endif
