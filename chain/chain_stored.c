/* SPDX-License-Identifier: Apache-2.0 */
/* A chain opened where a store on disk says that it stands. */
#include <cevm/alloc.h>
#include <cevm/lmdb.h>

#include "chain/chain_internal.h"

/* Blocks before those that can be taken back whose encodings are needed: ommers can be their children. */
enum { MORE_BLOCKS = CEVM_OMMER_GENERATIONS + 1 };

/* What is read out of the store. Views are valid until it is written to. */
typedef struct reading {
    const cevm_allocator *allocator;
    cevm_lmdb *store;
    cevm_chain_options options;
    cevm_block *head;
    cevm_hash *ancestors;
    cevm_bytes *blocks;
    size_t most_blocks;
} reading;

/* The blocks before the head: hashes, and encodings as far as they are wanted and there without a gap. */
static cevm_err read_ancestors(reading *r, uint64_t number)
{
    cevm_chain_options *o = &r->options;
    bool has_all = true;
    for (; number != 0 && o->ancestor_count < CEVM_RECENT_HASHES; --number) {
        cevm_db_block block;
        bool found = false;
        const cevm_err err = cevm_lmdb_block(r->store, &found, &block, number - 1);
        if (err != CEVM_OK || !found) {
            return err != CEVM_OK ? err : CEVM_ERR_BACKEND;
        }
        r->ancestors[o->ancestor_count++] = block.hash;
        has_all = has_all && block.rlp.size != 0 && o->recent_block_count < r->most_blocks;
        if (has_all) {
            r->blocks[o->recent_block_count++] = block.rlp;
        }
    }
    return CEVM_OK;
}

static cevm_err read_all(reading *r)
{
    cevm_chain_options *o = &r->options;
    cevm_db_block head;
    cevm_block_verdict verdict;
    bool found = false;
    cevm_err err = cevm_lmdb_head(r->store, &found, &head);
    if (err != CEVM_OK || !found || head.rlp.size == 0) {
        return err != CEVM_OK ? err : CEVM_ERR_ARGUMENT;
    }
    err = cevm_lmdb_undoable(r->store, &o->undoable, o->history);
    if (err == CEVM_OK) {
        err = cevm_block_decode(&r->head, &verdict, head.rlp, r->allocator);
    }
    if (err != CEVM_OK || !cevm_hash_equal(&r->head->hash, &head.hash)) {
        return err == CEVM_OK || err == CEVM_ERR_ENCODING ? CEVM_ERR_BACKEND : err;
    }
    r->most_blocks = (size_t)o->undoable + MORE_BLOCKS;
    r->ancestors = cevm_resize_array(r->allocator, NULL, CEVM_RECENT_HASHES, sizeof *r->ancestors);
    r->blocks = cevm_resize_array(r->allocator, NULL, r->most_blocks, sizeof *r->blocks);
    if (r->ancestors == NULL || r->blocks == NULL) {
        return CEVM_ERR_NOMEM;
    }
    r->blocks[0] = head.rlp;
    o->recent_block_count = 1;
    o->head = &r->head->header;
    o->total_difficulty = head.total_difficulty;
    o->head_is_merged = head.is_merged;
    o->ancestors = r->ancestors;
    o->ancestor_count = 0;
    o->recent_blocks = r->blocks;
    return read_ancestors(r, head.number);
}

cevm_err cevm_chain_open_stored(cevm_chain **out, const cevm_chain_options *options, cevm_lmdb *store)
{
    *out = NULL;
    if (options->struct_size != sizeof *options) {
        return CEVM_ERR_ARGUMENT;
    }
    reading r = {.allocator = options->allocator, .store = store, .options = *options};
    r.options.history = options->history != 0 ? options->history : CEVM_DEFAULT_HISTORY;
    r.options.db = cevm_lmdb_interface(store);
    cevm_err err = read_all(&r);
    if (err == CEVM_OK) {
        err = cevm_chain_open(out, &r.options);
        err = err == CEVM_ERR_ARGUMENT || err == CEVM_ERR_ENCODING ? CEVM_ERR_BACKEND : err;
    }
    if (r.head != NULL) {
        cevm_block_destroy(r.head, r.allocator);
    }
    cevm_free(r.allocator, r.ancestors);
    cevm_free(r.allocator, r.blocks);
    return err;
}
