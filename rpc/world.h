/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/world.h: everything the development node is at one moment, as one immutable value: blocks, state, pool, settings.
 *
 * The one writer makes the next world out of the present one and publishes it; readers take the world of the moment, keep
 * it for the length of their request, and never wait. A snapshot (evm_snapshot) is a world that is kept; going back is
 * publishing it again: head, state, time, fees and pool with it, in constant time. Worlds share all they have in common.
 *
 * Threads: immutable and counted; any thread may read one that it holds.
 */
#ifndef CEVM_RPC_WORLD_H
#define CEVM_RPC_WORLD_H

#include <cevm/block.h>
#include <cevm/execution.h>
#include <cevm/treedb.h>

#include "state/pmap.h"

/** What became of a transaction in its block; logs and all else belong to the record. */
typedef struct cevm_node_receipt {
    cevm_hash tx_hash;
    bool has_root; /* before Byzantium */
    cevm_hash root;
    bool succeeded;
    uint64_t cumulative_gas_used;
    uint64_t gas_used;
    cevm_u256 gas_price; /* effective, wei per gas */
    cevm_bloom bloom;
    const cevm_log *logs;
    size_t log_count;
    size_t first_log; /* index in the block of its first log */
    bool has_created;
    cevm_address created;
    uint64_t blob_gas_used;
    cevm_u256 blob_gas_price;
    cevm_bytes encoded; /* as in the receipts trie */
    cevm_bytes output;  /* what it returned or reverted with; empty when not known (imported) */
} cevm_node_receipt;

/** A block with all that is known of it: immutable, counted. */
typedef struct cevm_record {
    cevm_ref ref;
    cevm_block block;         /* header, hash, transactions with their senders, ommers, withdrawals */
    const cevm_hash *hashes;  /* of the transactions */
    const bool *impersonated; /* whose sender did not sign */
    const cevm_node_receipt *receipts;
    cevm_u256 total_difficulty;
    bool is_merged;
    cevm_fork fork;
    cevm_block_env env;
    cevm_tree *state;  /* after it; with edits made before the next block not in it */
    cevm_tree *before; /* the state it was executed on: its parent's with the edits made since; NULL for the genesis */
} cevm_record;

/** Where a transaction is. */
typedef struct cevm_tx_place {
    cevm_ref ref;
    const cevm_allocator *allocator;
    cevm_record *record; /* held */
    size_t index;
} cevm_tx_place;

/** A transaction that waits. */
typedef struct cevm_pooled {
    cevm_ref ref;
    const cevm_allocator *allocator;
    cevm_tx *tx; /* owned; with its sender */
    cevm_bytes raw;
    cevm_hash hash;
    bool impersonated;
    uint64_t sequence; /* order of arrival */
} cevm_pooled;

typedef enum cevm_order { CEVM_ORDER_FEES, CEVM_ORDER_FIFO } cevm_order;

/** What can be set while the node runs. Units: wei, gas, seconds; intervals in milliseconds. */
typedef struct cevm_node_settings {
    cevm_chain_config config;
    cevm_address coinbase;
    uint64_t gas_limit;
    bool has_next_base_fee;
    cevm_u256 next_base_fee;
    bool has_prev_randao;
    cevm_hash prev_randao;
    int64_t time_offset; /* the virtual clock: real time plus this */
    bool has_next_timestamp;
    uint64_t next_timestamp;
    bool has_timestamp_interval;
    uint64_t timestamp_interval;
    bool automine;
    uint64_t interval_ms; /* 0: no interval mining */
    cevm_order order;
    cevm_u256 min_gas_price;
    bool auto_impersonate;
    bool is_silent; /* requests are not to be logged (hardhat_setLoggingEnabled) */
} cevm_node_settings;

typedef struct cevm_world {
    cevm_ref ref;
    const cevm_allocator *allocator;
    cevm_pmap by_number; /* cevm_pmap_number → cevm_record, the branch of the head */
    cevm_pmap by_hash;   /* block hash → cevm_record, other branches too */
    cevm_pmap txs;       /* transaction hash → cevm_tx_place */
    cevm_pmap with_logs; /* those of by_number whose bloom is not empty */
    cevm_record *head;
    uint64_t forgotten; /* blocks up to this number, but for the first, are not known any more; 0: none */
    uint64_t first;     /* number of the oldest block: 0, or where a fork of a remote chain begins */
    cevm_tree *state;   /* the head's, with edits made since */
    cevm_pmap pool;     /* transaction hash → cevm_pooled */
    cevm_pmap queues;   /* the same by sender and nonce: cevm_world_queue_key */
    uint64_t pool_sequence;
    uint64_t branch;        /* how many reorganisations were made: blocks of different branches differ */
    cevm_pmap impersonated; /* address (padded with zeros) → an empty reference */
    cevm_node_settings settings;
} cevm_world;

static inline cevm_world *cevm_world_retain(cevm_world *world)
{
    cevm_ref_retain(&world->ref);
    return world;
}
static inline void cevm_world_release(cevm_world *world)
{
    if (world != NULL) {
        cevm_ref_release(&world->ref);
    }
}

/** Blocks and transactions of a world, borrowed from it; NULL when they are not there. */
cevm_record *cevm_world_block(const cevm_world *world, uint64_t number);
cevm_record *cevm_world_block_by_hash(const cevm_world *world, const cevm_hash *hash);
cevm_tx_place *cevm_world_tx(const cevm_world *world, const cevm_hash *hash);
cevm_pooled *cevm_world_pooled(const cevm_world *world, const cevm_hash *hash);
/** The transaction of a sender with this nonce that waits. */
cevm_pooled *cevm_world_queued(const cevm_world *world, const cevm_address *sender, uint64_t nonce);
/** The first nonce from `nonce` (the account's) on for which nothing waits: what `pending` means for a nonce. */
uint64_t cevm_world_next_nonce(const cevm_world *world, const cevm_address *sender, uint64_t nonce);
bool cevm_world_is_impersonated(const cevm_world *world, const cevm_address *address);
/** An address as a key: padded with zeros. */
cevm_hash cevm_world_address_key(const cevm_address *address);
cevm_hash cevm_world_queue_key(const cevm_address *sender, uint64_t nonce);

/**
 * The header of the block that would come next, as far as it is known before its transactions: number, time, fees, rules;
 * *is_merged as cevm_chain_fork wants it. `now` is the clock (cevm_node_now).
 */
void cevm_world_next_header(cevm_header *out, bool *is_merged, const cevm_world *world, uint64_t now);

/* ---- For the writer ------------------------------------------------------------------------------------------------ */

/** A world of its own with the same contents; NULL when memory runs out. */
cevm_world *cevm_world_clone(const cevm_world *world);

#endif
