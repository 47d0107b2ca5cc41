/* SPDX-License-Identifier: Apache-2.0 */
/* A world as bytes: making it again. */
#include <cevm/alloc.h>

#include <cevm/lmdb.h>

#include "rpc/node_internal.h"
#include "rpc/world_entry.h"

/* More than a node makes in years: numbers that mean nothing are not counted through. */
enum { MAX_BLOCKS = 1 << 28 };

typedef struct loading {
    const cevm_world_source *source;
    const cevm_allocator *allocator;
    cevm_world *world;
    cevm_treedb *db;
    cevm_ref *nothing;
    cevm_err err; /* of a walk */
    /* Of the block that is being read. */
    cevm_db_block stored;
    cevm_hash root; /* of the state after it */
    cevm_block *block;
    cevm_codec entry;
    cevm_codec_tx *txs;
    cevm_block_receipt *receipts;
    cevm_bytes *outputs;
    cevm_pooled **pooled;
    cevm_log *logs;
    cevm_tree *before;
    cevm_tree *state;
} loading;

/** What is there is not what was written. */
static const cevm_err damaged = CEVM_ERR_ENCODING;

static void free_block(loading *l)
{
    const cevm_allocator *allocator = l->allocator;
    for (size_t i = 0; l->pooled != NULL && l->block != NULL && i < l->block->tx_count; ++i) {
        cevm_pooled_release(l->pooled[i]);
    }
    if (l->block != NULL) {
        cevm_block_destroy(l->block, allocator);
    }
    cevm_free(allocator, l->txs);
    cevm_free(allocator, l->receipts);
    cevm_free(allocator, l->outputs);
    cevm_free(allocator, (void *)l->pooled);
    cevm_free(allocator, l->logs);
    cevm_tree_release(l->before);
    cevm_tree_release(l->state);
    l->block = NULL;
    l->txs = NULL;
    l->receipts = NULL;
    l->outputs = NULL;
    l->pooled = NULL;
    l->logs = NULL;
    l->before = NULL;
    l->state = NULL;
}

/* ---- Parts of a block ---------------------------------------------------------------------------------------------- */

/** Whether a block is that of a remote chain with which ours begins. */
static bool is_remote(const loading *l, uint64_t number) { return l->source->is_fork && number == l->world->first; }

/** Decodes the block that was found. */
static cevm_err decode_block(loading *l, uint64_t number)
{
    const cevm_record *parent = l->world->head;
    cevm_block_verdict verdict;
    const cevm_err err = cevm_block_decode(&l->block, &verdict, l->stored.rlp, l->allocator);
    if (err != CEVM_OK) {
        return err;
    }
    const cevm_header *header = &l->block->header;
    const bool follows = parent == NULL || parent->block.header.number + 1 != number ||
                         cevm_hash_equal(&header->parent_hash, &parent->block.hash);
    if (is_remote(l, number)) { /* headers of other chains may have fields that are not known here */
        l->block->hash = l->stored.hash;
    }
    return follows && header->number == number && cevm_hash_equal(&l->block->hash, &l->stored.hash) ? CEVM_OK : damaged;
}

static cevm_err read_txs(loading *l)
{
    const cevm_allocator *allocator = l->allocator;
    const size_t count = l->block->tx_count;
    uint64_t said = 0;
    cevm_codec_hash(&l->entry, &l->root);
    cevm_codec_u64(&l->entry, &said);
    if (said != count || l->entry.failed) {
        return damaged;
    }
    if (count == 0) {
        return CEVM_OK;
    }
    l->txs = cevm_resize_array(allocator, NULL, count, sizeof *l->txs);
    l->receipts = cevm_resize_array(allocator, NULL, count, sizeof *l->receipts);
    l->outputs = cevm_resize_array(allocator, NULL, count, sizeof *l->outputs);
    l->pooled = cevm_resize_array(allocator, NULL, count, sizeof(cevm_pooled *));
    if (l->pooled != NULL) {
        for (size_t i = 0; i < count; ++i) {
            l->pooled[i] = NULL;
        }
    }
    if (l->txs == NULL || l->receipts == NULL || l->outputs == NULL || l->pooled == NULL) {
        return CEVM_ERR_NOMEM;
    }
    for (size_t i = 0; i < count; ++i) {
        cevm_codec_block_tx(&l->entry, &l->txs[i]);
        l->outputs[i] = l->txs[i].output;
    }
    return l->entry.failed ? damaged : CEVM_OK;
}

/** Number of logs of a list of receipts; false when it is malformed. */
static bool count_logs(size_t *out, cevm_bytes receipts)
{
    cevm_bytes cursor;
    cevm_lmdb_receipt receipt;
    cevm_log log;
    *out = 0;
    if (!cevm_lmdb_receipts_begin(&cursor, receipts)) {
        return false;
    }
    while (cevm_lmdb_next_receipt(&cursor, &receipt)) {
        while (cevm_lmdb_next_log(&receipt.logs, &log)) {
            ++*out;
        }
        if (receipt.logs.size != 0) {
            return false;
        }
    }
    return cursor.size == 0;
}

static void make_receipt(cevm_block_receipt *out, const cevm_lmdb_receipt *from, const cevm_codec_tx *tx)
{
    *out = (cevm_block_receipt){.type = (cevm_tx_type)from->type,
                                .has_root = from->has_root,
                                .root = from->root,
                                .succeeded = from->succeeded,
                                .cumulative_gas_used = from->cumulative_gas_used,
                                .gas_used = tx->gas_used,
                                .gas_price = tx->gas_price,
                                .has_created = tx->has_created,
                                .created = tx->created,
                                .blob_gas_used = tx->blob_gas_used,
                                .encoded = from->encoded};
    memcpy(out->bloom.bytes, from->bloom.data, sizeof out->bloom.bytes);
}

static cevm_err read_receipts(loading *l)
{
    size_t log_count = 0;
    cevm_bytes cursor;
    cevm_lmdb_receipt receipt;
    if (!count_logs(&log_count, l->stored.receipts)) {
        return damaged;
    }
    if (log_count != 0) {
        l->logs = cevm_resize_array(l->allocator, NULL, log_count, sizeof *l->logs);
        if (l->logs == NULL) {
            return CEVM_ERR_NOMEM;
        }
    }
    size_t used = 0;
    bool whole = cevm_lmdb_receipts_begin(&cursor, l->stored.receipts);
    for (size_t i = 0; whole && i < l->block->tx_count; ++i) {
        whole = cevm_lmdb_next_receipt(&cursor, &receipt) && receipt.type <= CEVM_TX_SET_CODE;
        if (!whole) {
            break;
        }
        make_receipt(&l->receipts[i], &receipt, &l->txs[i]);
        l->receipts[i].logs = l->logs != NULL ? l->logs + used : NULL;
        const size_t first = used;
        while (used < log_count && cevm_lmdb_next_log(&receipt.logs, &l->logs[used])) {
            ++used;
        }
        l->receipts[i].log_count = used - first;
    }
    return whole && cursor.size == 0 ? CEVM_OK : damaged;
}

static cevm_err read_state(loading *l, cevm_tree **out)
{
    const cevm_err err = cevm_codec_commit_changes(&l->entry, l->db, l->allocator);
    return err == CEVM_OK ? cevm_treedb_snapshot(l->db, out) : err;
}

static cevm_err read_states(loading *l)
{
    cevm_err err = CEVM_OK;
    bool was_edited = false;
    cevm_codec_bool(&l->entry, &was_edited);
    if (was_edited) {
        err = read_state(l, &l->before);
    } else if (l->world->head != NULL) {
        err = cevm_treedb_snapshot(l->db, &l->before);
    }
    if (err == CEVM_OK) {
        err = read_state(l, &l->state);
    }
    if (err != CEVM_OK) {
        return err;
    }
    cevm_hash root;
    cevm_tree_root(l->state, &root);
    return cevm_codec_end(&l->entry) && cevm_hash_equal(&root, &l->root) ? CEVM_OK : damaged;
}

/* ---- Blocks -------------------------------------------------------------------------------------------------------- */

/** Senders as they were; and the transactions on their own, unless the body has more than the node makes itself. */
static cevm_err take_txs(loading *l, bool alone)
{
    cevm_err err = CEVM_OK;
    for (size_t i = 0; err == CEVM_OK && i < l->block->tx_count; ++i) {
        cevm_tx *tx = l->block->txs[i];
        tx->sender = l->txs[i].sender;
        tx->has_sender = true;
        if (alone) {
            err = cevm_pooled_create(&l->pooled[i], tx, l->txs[i].impersonated, l->allocator);
        }
    }
    return err;
}

static cevm_err append(loading *l)
{
    const bool alone = l->block->ommer_count == 0 && l->block->withdrawal_count == 0;
    cevm_record *record = NULL;
    cevm_record_parts parts = {.header = &l->block->header,
                               .txs = alone ? l->pooled : NULL,
                               .tx_count = alone ? l->block->tx_count : 0,
                               .decoded = alone ? NULL : l->block,
                               .receipts = l->receipts,
                               .outputs = l->outputs,
                               .total_difficulty = l->stored.total_difficulty,
                               .is_merged = l->stored.is_merged,
                               .state = l->state,
                               .before = l->before};
    if (is_remote(l, l->block->header.number)) {
        parts.hash = &l->stored.hash;
    }
    cevm_header_env(&parts.env, &l->world->settings.config, &l->block->header, l->stored.is_merged);
    cevm_err err = take_txs(l, alone);
    if (err == CEVM_OK) {
        err = cevm_record_create(&record, &parts, l->allocator);
    }
    if (err == CEVM_OK) {
        l->block = alone ? l->block : NULL;
        err = cevm_world_append(l->world, record);
    }
    cevm_record_release(record);
    return err;
}

static cevm_err load_block(loading *l, uint64_t number)
{
    cevm_err err = decode_block(l, number);
    if (err == CEVM_OK) {
        err = read_txs(l);
    }
    if (err == CEVM_OK) {
        err = read_receipts(l);
    }
    if (err == CEVM_OK) {
        err = read_states(l);
    }
    if (err == CEVM_OK) {
        err = append(l);
    }
    free_block(l);
    return err;
}

/** Of a block that the world had forgotten only what it changed counts. */
static cevm_err pass_block(loading *l)
{
    cevm_codec *c = &l->entry;
    uint64_t count = 0;
    bool was_edited = false;
    cevm_codec_hash(c, &l->root);
    cevm_codec_u64(c, &count);
    for (uint64_t i = 0; !c->failed && i < count; ++i) {
        cevm_codec_tx tx;
        cevm_codec_block_tx(c, &tx);
    }
    cevm_codec_bool(c, &was_edited);
    cevm_err err = c->failed ? damaged : CEVM_OK;
    if (err == CEVM_OK && was_edited) {
        err = cevm_codec_commit_changes(c, l->db, l->allocator);
    }
    if (err == CEVM_OK) {
        err = cevm_codec_commit_changes(c, l->db, l->allocator);
    }
    return err == CEVM_OK && !cevm_codec_end(c) ? damaged : err;
}

static cevm_err load_blocks(loading *l)
{
    const cevm_world_source *source = l->source;
    const cevm_world *world = l->world;
    cevm_err err = CEVM_OK;
    for (uint64_t n = world->first; err == CEVM_OK && n <= source->head; ++n) {
        const bool is_forgotten = n > world->first && n <= world->forgotten;
        bool found = false;
        l->entry = (cevm_codec){.out = NULL};
        err = source->block(source->ctx, &found, &l->stored, &l->entry.in, n);
        if (err == CEVM_OK && !found) {
            err = is_forgotten ? CEVM_OK : damaged;
        } else if (err == CEVM_OK) {
            err = is_forgotten ? pass_block(l) : load_block(l, n);
        }
    }
    return err;
}

static cevm_err load_edits(loading *l)
{
    cevm_tree *state = NULL;
    bool found = false;
    l->entry = (cevm_codec){.out = NULL};
    cevm_err err = l->source->edits(l->source->ctx, &found, &l->entry.in);
    if (err == CEVM_OK && found) {
        err = read_state(l, &state);
        if (err == CEVM_OK) {
            cevm_world_set_state(l->world, state);
            err = cevm_codec_end(&l->entry) ? CEVM_OK : damaged;
        }
        cevm_tree_release(state);
    }
    return err;
}

/* ---- The rest ------------------------------------------------------------------------------------------------------ */

static cevm_err load_node(loading *l, cevm_bytes entry)
{
    cevm_codec c = {.in = entry};
    uint64_t numbers[6] = {0};
    for (size_t i = 0; i < 6; ++i) {
        cevm_codec_u64(&c, &numbers[i]);
    }
    if (c.failed || numbers[0] != CEVM_WORLD_VERSION) {
        return damaged;
    }
    cevm_err err = CEVM_OK;
    for (uint64_t i = 0; err == CEVM_OK && !c.failed && i < numbers[5]; ++i) {
        cevm_address address;
        cevm_codec_address(&c, &address);
        const cevm_hash key = cevm_world_address_key(&address);
        err = cevm_pmap_put(&l->world->impersonated, &key, l->nothing, l->allocator);
    }
    cevm_codec_settings(&c, &l->world->settings);
    l->world->first = numbers[1];
    l->world->forgotten = numbers[2];
    l->world->branch = numbers[3];
    l->world->pool_sequence = numbers[4];
    return err != CEVM_OK || cevm_codec_end(&c) ? err : damaged;
}

static bool load_pooled(void *user, cevm_bytes entry)
{
    loading *l = user;
    cevm_codec c = {.in = entry};
    uint64_t sequence = 0;
    cevm_address sender;
    bool impersonated = false;
    cevm_bytes raw;
    cevm_tx *tx = NULL;
    cevm_pooled *pooled = NULL;
    cevm_tx_error reason = CEVM_TX_NONE;
    cevm_codec_u64(&c, &sequence);
    cevm_codec_address(&c, &sender);
    cevm_codec_bool(&c, &impersonated);
    cevm_codec_bytes(&c, &raw);
    l->err = cevm_codec_end(&c) ? cevm_tx_decode(&tx, &reason, raw, l->allocator) : damaged;
    if (l->err != CEVM_OK) {
        return false;
    }
    tx->sender = sender;
    tx->has_sender = true;
    l->err = cevm_pooled_create(&pooled, tx, impersonated, l->allocator);
    cevm_tx_destroy(tx, l->allocator);
    if (l->err == CEVM_OK) {
        pooled->sequence = sequence;
        l->err = cevm_pool_put(l->world, pooled);
    }
    cevm_pooled_release(pooled);
    return l->err == CEVM_OK;
}

static cevm_err load_world(loading *l)
{
    const cevm_world_source *source = l->source;
    cevm_err err = load_node(l, source->node);
    if (err == CEVM_OK && (source->head < l->world->first || source->head - l->world->first > MAX_BLOCKS ||
                           (source->head > l->world->first && source->head <= l->world->forgotten))) {
        return damaged;
    }
    if (err == CEVM_OK) {
        err = load_blocks(l);
    }
    if (err == CEVM_OK) {
        err = load_edits(l);
    }
    if (err == CEVM_OK) {
        err = source->pool(source->ctx, load_pooled, l);
    }
    return err == CEVM_OK ? l->err : err;
}

cevm_err cevm_world_read(cevm_world **out, const cevm_world_source *source, cevm_treedb *db, cevm_ref *nothing,
                         const cevm_allocator *allocator)
{
    loading l = {.source = source, .allocator = allocator, .db = db, .nothing = nothing, .err = CEVM_OK};
    *out = NULL;
    l.world = cevm_world_create(allocator);
    const cevm_err err = l.world != NULL ? load_world(&l) : CEVM_ERR_NOMEM;
    if (err != CEVM_OK) {
        cevm_world_release(l.world);
        return err;
    }
    *out = l.world;
    return CEVM_OK;
}
