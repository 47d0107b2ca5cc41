/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/node.h: the development node: one writer that moves from world to world, and services for those who read.
 *
 * Threads: everything here may be called from any thread. Writers wait for one another; readers for nobody.
 */
#ifndef CEVM_RPC_NODE_H
#define CEVM_RPC_NODE_H

#include <cevm/remote.h>

#include "rpc/world.h"

typedef struct cevm_node cevm_node;

/** Text of an error, one line. */
typedef struct cevm_node_error {
    int code; /* for JSON-RPC; 0: an error of the library, `err` */
    cevm_err err;
    char text[1024];
} cevm_node_error;

/** The least history: what BLOCKHASH may ask for, and the head. */
enum { CEVM_NODE_MIN_HISTORY = 257 };

/** How many forks of EIP-7892, which change blob parameters alone, there are after the latest fork: bpo1, bpo2. */
enum { CEVM_NODE_BLOB_FORKS = 2 };

/** As far as the clock goes, in seconds: blocks go on from there without meeting the end of 64 bits. */
#define CEVM_NODE_LAST_TIME (UINT64_C(1) << 62)

/** Zero-initialise, fill what you need; strings are borrowed for cevm_node_create. */
typedef struct cevm_node_options {
    const cevm_allocator *allocator;
    const char *mnemonic;     /* NULL = the usual "test test … junk" */
    const char *derivation;   /* NULL = m/44'/60'/0'/0/ */
    size_t accounts;          /* how many are made from it (10 by default: the caller sets it) */
    cevm_u256 balance;        /* of each, wei */
    const char *genesis_path; /* geth's genesis.json, instead of the built-in one */
    const char *import_path;  /* blocks to import at the start */
    const char *data_dir;     /* NULL: in memory */
    bool no_sync;             /* with data_dir: the disk is not waited for; a power cut, but no crash, can destroy it */
    const char *fork_url;     /* state of a remote chain below */
    bool has_fork_block;
    uint64_t fork_block;
    const char *fork_cache;
    bool offline;
    const cevm_remote_transport *fork_transport; /* instead of libcurl; must outlive the node */
    uint64_t chain_id;                           /* 0 = 31337, or the genesis' or the remote's */
    cevm_fork fork;                              /* of the built-in genesis */
    bool has_blob_forks;                         /* with the latest fork: */
    unsigned
        blob_forks; /* so many of EIP-7892's forks after it, CEVM_NODE_BLOB_FORKS at most; all that are known otherwise */
    bool has_timestamp;
    uint64_t timestamp; /* of the built-in genesis, at most CEVM_NODE_LAST_TIME; real time otherwise */
    uint64_t gas_limit; /* 0 = 30,000,000 */
    bool has_base_fee;
    cevm_u256 base_fee; /* of the built-in genesis */
    cevm_u256 gas_price;
    uint64_t code_size_limit; /* 0 = the fork's */
    uint64_t history;         /* so many of the newest blocks are kept, at least 257; 0 = all */
    bool no_mining;           /* only evm_mine makes blocks */
    uint64_t block_time_ms;   /* 0: a block a transaction */
    bool mixed_mining;        /* with block_time_ms: also a block a transaction */
    cevm_order order;
    bool auto_impersonate;
    uint64_t call_gas_limit;  /* of eth_call; 0 = 50,000,000 */
    uint64_t call_timeout_ms; /* of eth_call and traces; 0 = 5000 */
    size_t call_memory;       /* bytes of EVM memory of a call; 0 = 1 GiB */
} cevm_node_options;

cevm_err cevm_node_create(cevm_node **out, cevm_node_error *error, const cevm_node_options *options);
/** Stops the miner and frees all; requests must have ended. */
void cevm_node_destroy(cevm_node *node);
const cevm_node_options *cevm_node_get_options(const cevm_node *node);
const cevm_allocator *cevm_node_allocator(const cevm_node *node);

/** The world of the moment; the caller releases it. Never waits for a writer, nor for blocks that are promised. */
cevm_world *cevm_node_world(cevm_node *node);
/** Number of the newest block, promised ones (cevm_node_mine) included. Never waits. */
uint64_t cevm_node_head_number(cevm_node *node);
/**
 * Waits for the blocks that have been promised until now. False when there was not time enough (deadline_ns: CLOCK_MONOTONIC,
 * 0 = none; cancel may be NULL), or when a promise could not be kept, which is told once.
 */
bool cevm_node_settle(cevm_node *node, cevm_node_error *error, uint64_t deadline_ns, const volatile bool *cancel);

/* ---- Accounts that the node can sign for -------------------------------------------------------------------------- */

size_t cevm_node_account_count(const cevm_node *node);
void cevm_node_account(const cevm_node *node, size_t index, cevm_address *address, uint8_t secret_key[32]);
/** False when the node has no key for this address. */
bool cevm_node_key(const cevm_node *node, uint8_t secret_key[32], const cevm_address *address);

/* ---- Execution for readers ----------------------------------------------------------------------------------------- */

/** A state to read or run calls on, with block hashes of the world; a VM with the node's limits for calls. */
typedef struct cevm_workbench {
    cevm_node *node;
    cevm_world *world;   /* held */
    cevm_record *record; /* of whose state it is; borrowed from the world, or held when pending */
    cevm_state *state;
    cevm_vm *vm;
    cevm_block_env env; /* of the record (a call on it sees its number and time) */
    void *internal;
} cevm_workbench;

/**
 * Opens the state after a record (NULL: the head with edits made since; what `latest` means). Errors: CEVM_ERR_NOMEM,
 * CEVM_ERR_BACKEND. Closed with cevm_workbench_close; the VM and state go back to a pool.
 */
cevm_err cevm_workbench_open(cevm_workbench *out, cevm_node *node, cevm_world *world, cevm_record *record);
/** The same for the state before a record's transactions (cevm_record.before), to execute the block again. */
cevm_err cevm_workbench_open_before(cevm_workbench *out, cevm_node *node, cevm_world *world, cevm_record *record);
void cevm_workbench_close(cevm_workbench *bench);
/**
 * Executes a block again, on a workbench opened before it: calls tracer(user, index) before each transaction for the hooks
 * to watch it with (NULL: none), done(user, index, receipt) after it; a `done` that returns false ends the replay.
 * impersonated transactions need no signature. Errors: as cevm_execution_tx; CEVM_ERR_BACKEND when a transaction is refused
 * that was not.
 */
cevm_err cevm_workbench_replay(cevm_workbench *bench, const cevm_tracer *(*tracer)(void *user, size_t index),
                               bool (*done)(void *user, size_t index, const cevm_receipt *receipt), void *user);
/** The block that would be mined now out of this world's pool; the caller releases it (cevm_ref_release(&r->ref)). */
cevm_err cevm_node_pending(cevm_node *node, cevm_world *world, cevm_record **out);

/* ---- A remote chain below ------------------------------------------------------------------------------------------ */

/** The remote chain that this one was forked from (cevm/remote.h); NULL: none. Valid as long as the node. */
cevm_remote *cevm_node_remote(const cevm_node *node);
/**
 * Runs something that reads state again and again over guesses, until all it reads is known, in a few round trips. What
 * comes of these runs says nothing; their effects are undone by `run` itself. Nothing happens, and run is not called, when
 * there is no remote chain below. Errors: CEVM_ERR_NOMEM, CEVM_ERR_CANCELLED, CEVM_ERR_BACKEND.
 */
cevm_err cevm_node_rehearse(cevm_node *node, cevm_err (*run)(void *user), void *user);

/* ---- Writing ------------------------------------------------------------------------------------------------------ */

/**
 * Takes a transaction that is signed, or whose sender is set and impersonated (tx->has_sender, impersonated true), into the
 * pool, and mines it at once where automine is on. On return its receipt is there. tx is copied. On false *error says why,
 * in geth's words.
 */
bool cevm_node_submit(cevm_node *node, cevm_node_error *error, cevm_hash *hash, const cevm_tx *tx, bool impersonated);
/**
 * Mines `count` blocks (the first with what the pool holds), `interval` seconds apart when count > 1 and it is not 0. Many
 * empty ones in memory are promised: they are the same as if they were there, but for cevm_node_world (cevm_node_settle).
 */
bool cevm_node_mine(cevm_node *node, cevm_node_error *error, uint64_t count, uint64_t interval);
bool cevm_node_snapshot(cevm_node *node, cevm_node_error *error, uint64_t *id);
/** Goes back to a snapshot, which is used up with all after it; *found false when there is none of this number. */
bool cevm_node_revert(cevm_node *node, cevm_node_error *error, bool *found, uint64_t id);
/** A transaction for a block of a new branch: its place among them, from 0. */
typedef struct cevm_reorg_tx {
    const cevm_tx *tx; /* as for cevm_node_submit */
    bool impersonated;
    uint64_t offset;
} cevm_reorg_tx;

/**
 * Replaces the newest `depth` blocks by as many others, which hold `txs` and nothing else. What was in the old ones waits in
 * the pool again.
 */
bool cevm_node_reorg(cevm_node *node, cevm_node_error *error, uint64_t depth, const cevm_reorg_tx *txs,
                     size_t tx_count);
/** Takes the newest `depth` blocks away; what was in them waits in the pool again. */
bool cevm_node_rollback(cevm_node *node, cevm_node_error *error, uint64_t depth);
/** Goes back to the world the node began with; snapshots are gone. */
bool cevm_node_reset(cevm_node *node, cevm_node_error *error);
/**
 * Changes the world under the writer's lock: `edit` gets a world of its own to change (with `db` holding its state, to be
 * changed through cevm_treedb_set_…; changes to it are taken over) and returns false to give up.
 */
bool cevm_node_edit(cevm_node *node, cevm_node_error *error,
                    bool (*edit)(void *user, cevm_world *world, cevm_treedb *db, cevm_node_error *error), void *user);

/** The value of sets that are maps (cevm_world.impersonated). */
cevm_ref *cevm_node_nothing(cevm_node *node);

/** The node's clock now: real time with the world's offset, seconds. */
uint64_t cevm_node_now(const cevm_world *world);

/* ---- Events --------------------------------------------------------------------------------------------------------- */

/** What publishing a world changed; views are valid inside the call. */
typedef struct cevm_node_event {
    cevm_world *world;
    cevm_record *const *removed; /* blocks that are no longer on the head's branch, newest first */
    size_t removed_count;
    cevm_record *const *added; /* oldest first */
    size_t added_count;
    cevm_pooled *const *pooled; /* new in the pool */
    size_t pooled_count;
} cevm_node_event;

typedef void (*cevm_node_listener)(void *user, const cevm_node_event *event);
/** Called by the writer right after a world was published, in the order of listening: must be quick. At most 16. */
bool cevm_node_listen(cevm_node *node, cevm_node_listener listener, void *user);

/** The node's filters and subscriptions (rpc/filters.h); they live as long as it. */
struct cevm_filters *cevm_node_filters(const cevm_node *node);

#endif
