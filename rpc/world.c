/* SPDX-License-Identifier: Apache-2.0 */
/* Look-ups in a world, its copies, and the header that follows from it. */
#include <cevm/alloc.h>
#include <cevm/crypto.h>

#include "evm/u256.h"
#include "rpc/node_internal.h"
#include "state/trie.h"

/* ---- Keys ---------------------------------------------------------------------------------------------------------- */

cevm_hash cevm_world_address_key(const cevm_address *address)
{
    cevm_hash key = {{0}};
    memcpy(key.bytes, address->bytes, sizeof address->bytes);
    return key;
}

cevm_hash cevm_world_queue_key(const cevm_address *sender, uint64_t nonce)
{
    cevm_hash key = cevm_world_address_key(sender);
    cevm_store_be64(key.bytes + sizeof sender->bytes, nonce);
    return key;
}

/* ---- Look-ups: a counted reference is the first member of what it counts -------------------------------------------- */

cevm_record *cevm_world_block(const cevm_world *world, uint64_t number)
{
    const cevm_hash key = cevm_pmap_number(number);
    return (cevm_record *)(void *)cevm_pmap_get(&world->by_number, &key);
}

cevm_record *cevm_world_block_by_hash(const cevm_world *world, const cevm_hash *hash)
{
    return (cevm_record *)(void *)cevm_pmap_get(&world->by_hash, hash);
}

cevm_tx_place *cevm_world_tx(const cevm_world *world, const cevm_hash *hash)
{
    return (cevm_tx_place *)(void *)cevm_pmap_get(&world->txs, hash);
}

cevm_pooled *cevm_world_pooled(const cevm_world *world, const cevm_hash *hash)
{
    return (cevm_pooled *)(void *)cevm_pmap_get(&world->pool, hash);
}

cevm_pooled *cevm_world_queued(const cevm_world *world, const cevm_address *sender, uint64_t nonce)
{
    const cevm_hash key = cevm_world_queue_key(sender, nonce);
    return (cevm_pooled *)(void *)cevm_pmap_get(&world->queues, &key);
}

uint64_t cevm_world_next_nonce(const cevm_world *world, const cevm_address *sender, uint64_t nonce)
{
    while (world->queues.count != 0 && nonce < UINT64_MAX && cevm_world_queued(world, sender, nonce) != NULL) {
        ++nonce;
    }
    return nonce;
}

bool cevm_world_is_impersonated(const cevm_world *world, const cevm_address *address)
{
    const cevm_hash key = cevm_world_address_key(address);
    return cevm_pmap_get(&world->impersonated, &key) != NULL;
}

/* ---- Life ---------------------------------------------------------------------------------------------------------- */

static void destroy_world(cevm_ref *self)
{
    cevm_world *world = (cevm_world *)(void *)self;
    cevm_pmap_release(&world->by_number);
    cevm_pmap_release(&world->by_hash);
    cevm_pmap_release(&world->txs);
    cevm_pmap_release(&world->with_logs);
    cevm_pmap_release(&world->pool);
    cevm_pmap_release(&world->queues);
    cevm_pmap_release(&world->impersonated);
    cevm_tree_release(world->state);
    if (world->head != NULL) {
        cevm_ref_release(&world->head->ref);
    }
    cevm_free(world->allocator, world);
}

cevm_world *cevm_world_create(const cevm_allocator *allocator)
{
    cevm_world *world = cevm_zalloc(allocator, sizeof *world);
    if (world != NULL) {
        cevm_ref_init(&world->ref, destroy_world);
        world->allocator = allocator;
    }
    return world;
}

cevm_world *cevm_world_clone(const cevm_world *world)
{
    cevm_world *clone = cevm_world_create(world->allocator);
    if (clone == NULL) {
        return NULL;
    }
    clone->by_number = cevm_pmap_copy(&world->by_number);
    clone->by_hash = cevm_pmap_copy(&world->by_hash);
    clone->txs = cevm_pmap_copy(&world->txs);
    clone->with_logs = cevm_pmap_copy(&world->with_logs);
    clone->pool = cevm_pmap_copy(&world->pool);
    clone->queues = cevm_pmap_copy(&world->queues);
    clone->impersonated = cevm_pmap_copy(&world->impersonated);
    clone->head = world->head;
    cevm_ref_retain(&clone->head->ref);
    clone->state = cevm_tree_retain(world->state);
    clone->first = world->first;
    clone->forgotten = world->forgotten;
    clone->pool_sequence = world->pool_sequence;
    clone->branch = world->branch;
    clone->settings = world->settings;
    return clone;
}

/* ---- Blocks -------------------------------------------------------------------------------------------------------- */

static bool has_logs(const cevm_record *record)
{
    static const cevm_bloom none = {{0}};
    return memcmp(&record->block.header.logs_bloom, &none, sizeof none) != 0;
}

static void destroy_place(cevm_ref *self)
{
    cevm_tx_place *place = (cevm_tx_place *)(void *)self;
    const cevm_allocator *allocator = place->allocator;
    cevm_ref_release(&place->record->ref);
    cevm_free(allocator, place);
}

static cevm_err put_place(cevm_world *world, cevm_record *record, size_t index)
{
    cevm_tx_place *place = cevm_zalloc(world->allocator, sizeof *place);
    if (place == NULL) {
        return CEVM_ERR_NOMEM;
    }
    cevm_ref_init(&place->ref, destroy_place);
    cevm_ref_retain(&record->ref);
    place->allocator = world->allocator;
    place->record = record;
    place->index = index;
    const cevm_err err = cevm_pmap_put(&world->txs, &record->hashes[index], &place->ref, world->allocator);
    cevm_ref_release(&place->ref);
    return err;
}

cevm_err cevm_world_append(cevm_world *world, cevm_record *record)
{
    const cevm_hash number = cevm_pmap_number(record->block.header.number);
    cevm_err err = cevm_pmap_put(&world->by_number, &number, &record->ref, world->allocator);
    if (err == CEVM_OK) {
        err = cevm_pmap_put(&world->by_hash, &record->block.hash, &record->ref, world->allocator);
    }
    if (err == CEVM_OK && has_logs(record)) {
        err = cevm_pmap_put(&world->with_logs, &number, &record->ref, world->allocator);
    }
    for (size_t i = 0; err == CEVM_OK && i < record->block.tx_count; ++i) {
        err = put_place(world, record, i);
    }
    if (err != CEVM_OK) {
        return err;
    }
    cevm_ref_retain(&record->ref);
    if (world->head != NULL) {
        cevm_ref_release(&world->head->ref);
    }
    world->head = record;
    cevm_world_set_state(world, record->state);
    return CEVM_OK;
}

static cevm_err forget(cevm_world *world, uint64_t number)
{
    cevm_record *record = cevm_world_block(world, number);
    const cevm_hash key = cevm_pmap_number(number);
    if (record == NULL) {
        return CEVM_OK;
    }
    cevm_ref_retain(&record->ref); /* until its hashes are out */
    cevm_err err = cevm_pmap_remove(&world->by_number, &key, world->allocator);
    if (err == CEVM_OK) {
        err = cevm_pmap_remove(&world->by_hash, &record->block.hash, world->allocator);
    }
    if (err == CEVM_OK) {
        err = cevm_pmap_remove(&world->with_logs, &key, world->allocator);
    }
    for (size_t i = 0; err == CEVM_OK && i < record->block.tx_count; ++i) {
        err = cevm_pmap_remove(&world->txs, &record->hashes[i], world->allocator);
    }
    cevm_record_release(record);
    return err;
}

cevm_err cevm_world_forget(cevm_world *world, uint64_t keep)
{
    const uint64_t head = world->head->block.header.number;
    cevm_err err = CEVM_OK;
    keep = keep < CEVM_NODE_MIN_HISTORY ? CEVM_NODE_MIN_HISTORY : keep;
    world->forgotten = world->forgotten < world->first ? world->first : world->forgotten;
    while (err == CEVM_OK && head > keep && world->forgotten < head - keep) {
        err = forget(world, ++world->forgotten);
    }
    return err;
}

cevm_err cevm_world_drop_head(cevm_world *world)
{
    cevm_record *record = world->head;
    cevm_record *parent = cevm_world_block(world, record->block.header.number - 1);
    const cevm_hash number = cevm_pmap_number(record->block.header.number);
    cevm_err err = parent != NULL && record->block.header.number > world->first ? CEVM_OK : CEVM_ERR_ARGUMENT;
    for (size_t i = 0; err == CEVM_OK && i < record->block.tx_count; ++i) {
        err = cevm_pmap_remove(&world->txs, &record->hashes[i], world->allocator);
    }
    if (err == CEVM_OK) {
        err = cevm_pmap_remove(&world->by_number, &number, world->allocator);
    }
    if (err == CEVM_OK) {
        err = cevm_pmap_remove(&world->with_logs, &number, world->allocator);
    }
    if (err != CEVM_OK) {
        return err;
    }
    cevm_world_set_state(world, record->before);
    cevm_ref_retain(&parent->ref);
    world->head = parent;
    cevm_ref_release(&record->ref);
    return CEVM_OK;
}

void cevm_world_set_state(cevm_world *world, cevm_tree *state)
{
    cevm_tree *old = world->state;
    world->state = cevm_tree_retain(state);
    cevm_tree_release(old);
}

/* ---- The next block ------------------------------------------------------------------------------------------------ */

bool cevm_world_child_is_merged(const cevm_chain_config *config, const cevm_record *parent, uint64_t number,
                                uint64_t timestamp)
{
    const cevm_activation *merge = &config->forks[CEVM_PARIS];
    if (merge->kind == CEVM_BY_TOTAL_DIFFICULTY) {
        return parent->is_merged || !u256_lt(&parent->total_difficulty, &config->terminal_total_difficulty);
    }
    return parent->is_merged || cevm_is_active(merge, number, timestamp);
}

/** Always later than the parent; beyond that as it is set, or else as the clock goes. */
static uint64_t next_timestamp(const cevm_world *world, uint64_t now)
{
    const cevm_node_settings *settings = &world->settings;
    const uint64_t parent = world->head->block.header.timestamp;
    uint64_t timestamp = now;
    if (settings->has_next_timestamp) {
        timestamp = settings->next_timestamp;
    } else if (settings->has_timestamp_interval) {
        timestamp =
            parent <= UINT64_MAX - settings->timestamp_interval ? parent + settings->timestamp_interval : parent;
    }
    return timestamp > parent || parent == UINT64_MAX ? timestamp : parent + 1;
}

/** The same in every run, different in every block and on every branch. */
static cevm_hash next_randao(const cevm_world *world, uint64_t number)
{
    static const char seed[] = "cevm prev_randao";
    uint8_t bytes[sizeof seed - 1 + 16];
    cevm_hash out;
    memcpy(bytes, seed, sizeof seed - 1);
    cevm_store_be64(bytes + sizeof seed - 1, number);
    cevm_store_be64(bytes + sizeof seed + 7, world->branch);
    cevm_keccak256(&out, bytes, sizeof bytes);
    return out;
}

static void set_blob_gas(cevm_header *out, const cevm_chain_config *config, const cevm_header *parent, cevm_fork fork)
{
    const cevm_blob_params params = cevm_chain_blob_params(config, out->timestamp);
    out->has_blob_gas = true;
    out->excess_blob_gas =
        cevm_next_excess_blob_gas(fork, &params, parent->has_blob_gas ? parent->excess_blob_gas : 0,
                                  parent->has_blob_gas ? parent->blob_gas_used : 0, &parent->base_fee);
}

void cevm_world_next_header(cevm_header *out, bool *is_merged, const cevm_world *world, uint64_t now)
{
    const cevm_node_settings *settings = &world->settings;
    const cevm_header *parent = &world->head->block.header;
    *out = (cevm_header){.parent_hash = world->head->block.hash,
                         .ommers_hash = cevm_empty_ommers_hash,
                         .coinbase = settings->coinbase,
                         .transactions_root = cevm_trie_empty_root,
                         .receipts_root = cevm_trie_empty_root,
                         .withdrawals_root = cevm_trie_empty_root,
                         .number = parent->number + 1,
                         .gas_limit = settings->gas_limit,
                         .timestamp = next_timestamp(world, now)};
    *is_merged = cevm_world_child_is_merged(&settings->config, world->head, out->number, out->timestamp);
    const cevm_fork fork = cevm_chain_fork(&settings->config, out->number, out->timestamp, *is_merged);
    if (CEVM_HAS_EIP(fork, 4399)) {
        out->mix_hash = settings->has_prev_randao ? settings->prev_randao : next_randao(world, out->number);
    } else {
        cevm_next_difficulty(&out->difficulty, &settings->config, fork, out->number, out->timestamp,
                             &parent->difficulty, parent->timestamp,
                             !cevm_hash_equal(&parent->ommers_hash, &cevm_empty_ommers_hash));
    }
    out->has_base_fee = CEVM_HAS_EIP(fork, 1559);
    if (out->has_base_fee) {
        cevm_next_base_fee(&out->base_fee, parent->has_base_fee, &parent->base_fee, parent->gas_used,
                           parent->gas_limit);
        out->base_fee = settings->has_next_base_fee ? settings->next_base_fee : out->base_fee;
    }
    out->has_withdrawals_root = CEVM_HAS_EIP(fork, 4895);
    out->has_parent_beacon_root = CEVM_HAS_EIP(fork, 4788);
    out->has_requests_hash = CEVM_HAS_EIP(fork, 7685);
    if (CEVM_HAS_EIP(fork, 4844)) {
        set_blob_gas(out, &settings->config, parent, fork);
    }
}
