/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/node_internal.h: what the files of the node share.
 *
 *   world.c          look-ups, copies of worlds, the header that comes next
 *   record.c         blocks with all that is known of them
 *   node.c           life of the node, publishing, settings and state edits, snapshots
 *   node_genesis.c   the first block: built in, or from a file
 *   node_fork.c      ... or where a remote chain is
 *   node_import.c    blocks from a file
 *   node_execute.c   the writer's state and VM; a block executed on them
 *   miner.c          a block out of the pool
 *   node_mine.c      blocks that are asked for, at once or later; the thread that mines in the background
 *   pool.c           what comes into the pool, and why not
 *   reorg.c          going back, and other blocks in the place of those that were
 *   workbench.c      states and VMs for readers
 *   accounts.c       keys from a mnemonic
 *
 * Everything that changes the world works on a clone of it (a draft) and publishes that: whatever fails before leaves the
 * world as it was.
 */
#ifndef CEVM_RPC_NODE_INTERNAL_H
#define CEVM_RPC_NODE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "rpc/node.h"
#include "state/rlp.h"

enum { CEVM_NODE_MAX_LISTENERS = 16, CEVM_NODE_MAX_POOL = 65536, CEVM_NODE_MAX_PROMISES = 64 };

/** A state as a VM sees it: a backend, with the hashes of the blocks up to `head`. */
typedef struct cevm_node_view {
    cevm_db below; /* first: state/layer.h */
    const cevm_world *world;
    const cevm_record *head; /* the newest block whose hash is known */
} cevm_node_view;

/** The backend interface of a view; valid as long as it. */
cevm_db cevm_node_view_db(cevm_node_view *view);

/** What the writer executes blocks with. */
typedef struct cevm_node_engine {
    cevm_treedb *db;
    cevm_tree *at; /* what db holds and `state` caches; NULL: not known */
    cevm_node_view view;
    cevm_state *state;
    cevm_vm *vm;
    cevm_execution *execution;
    cevm_buf outputs; /* of the block's transactions, one after the other */
    cevm_bytes *output_list;
    size_t output_count;
    size_t output_capacity;
    cevm_pooled **included; /* the block's transactions; borrowed from the pool */
    size_t included_count;
    size_t included_capacity;
    uint64_t cached_gas; /* used since the cache of the state was emptied */
} cevm_node_engine;

typedef struct cevm_kept_world {
    uint64_t id;
    uint64_t now; /* what the clock said */
    cevm_world *world;
} cevm_kept_world;

/** A request for blocks: see cevm_node_mine. */
typedef struct cevm_promise {
    uint64_t count;
    uint64_t interval;
    uint64_t real_time; /* when it came */
} cevm_promise;

/** Blocks that clients have been told of and that are not there yet (rpc/node_mine.c). */
typedef struct cevm_promises {
    cevm_promise list[CEVM_NODE_MAX_PROMISES]; /* the oldest first */
    size_t count;
    uint64_t blocks;  /* of all of them */
    uint64_t given;   /* how many there ever were */
    uint64_t settled; /* how many of those nobody has to wait for any more */
    bool is_broken;   /* and nobody has been told */
    cevm_node_error broken;
    pthread_cond_t changed;
} cevm_promises;

typedef struct cevm_account_key {
    cevm_address address;
    uint8_t secret[32];
} cevm_account_key;

typedef struct cevm_workbench_slot cevm_workbench_slot;

struct cevm_node {
    cevm_node_options options; /* its strings are not kept */
    const cevm_allocator *allocator;
    cevm_code_cache *code_cache;
    cevm_remote *remote; /* the chain below; NULL: none */
    cevm_account_key *keys;
    size_t key_count;
    cevm_ref nothing; /* the value of sets */

    pthread_mutex_t publishing; /* of these two alone: held for a pointer's time */
    cevm_world *world;
    cevm_promises promises;

    pthread_mutex_t sending; /* of nonces that are given out; taken before `writing` */

    pthread_mutex_t writing;  /* of all that follows */
    struct cevm_store *store; /* --data-dir (rpc/store.h); NULL: none */
    cevm_world *origin;       /* what it began with */
    cevm_node_engine engine;
    cevm_kept_world *snapshots;
    size_t snapshot_count;
    size_t snapshot_capacity;
    uint64_t last_snapshot;
    struct {
        cevm_node_listener call;
        void *user;
    } listeners[CEVM_NODE_MAX_LISTENERS];
    size_t listener_count;
    struct cevm_filters *filters; /* made and freed with the node */
    cevm_world *pending_world;    /* of which `pending` was made; not held, never read through */
    cevm_record *pending;

    cevm_world *begun; /* a draft with the first block of the oldest promise; or NULL */
    size_t settles;    /* so many promises are settled by what is published next */
    pthread_t miner;
    pthread_cond_t wake;
    bool has_miner;
    bool stops;
    bool yields;        /* the miner's thread waits for who is leaving */
    atomic_int leaving; /* how many want to go where promised blocks will not be; needs no lock */

    pthread_mutex_t benches_lock;
    cevm_workbench_slot *benches; /* free ones */
    size_t bench_count;
};

/* ---- world.c ------------------------------------------------------------------------------------------------------- */

/** An empty world; NULL when memory runs out. */
cevm_world *cevm_world_create(const cevm_allocator *allocator);
/** Makes a block the head (a reference is taken). On an error the world may hold a part of it: drop it. */
cevm_err cevm_world_append(cevm_world *world, cevm_record *record);
/** Goes back to the state before the head, which stays known by its hash. Errors: as above; CEVM_ERR_ARGUMENT. */
cevm_err cevm_world_drop_head(cevm_world *world);
/** Forgets all but the newest `keep` blocks of the head's branch, and the first. Errors: as above. */
cevm_err cevm_world_forget(cevm_world *world, uint64_t keep);
void cevm_world_set_state(cevm_world *world, cevm_tree *state);
bool cevm_world_child_is_merged(const cevm_chain_config *config, const cevm_record *parent, uint64_t number,
                                uint64_t timestamp);

/* ---- record.c ------------------------------------------------------------------------------------------------------ */

/** What a record is made of. Everything is copied but for what is said. */
typedef struct cevm_record_parts {
    const cevm_header *header;
    const cevm_hash *hash;              /* of the block, when it is not that of the header as we write it; or NULL */
    cevm_block *decoded;                /* of an imported block: the record's from then on; or NULL */
    cevm_pooled *const *txs;            /* else its transactions, of which references are taken */
    size_t tx_count;                    /* of txs */
    const cevm_block_receipt *receipts; /* one a transaction */
    const cevm_bytes *outputs;          /* likewise, or NULL */
    cevm_block_env env;
    cevm_u256 total_difficulty;
    bool is_merged;
    cevm_tree *state;  /* a reference is taken */
    cevm_tree *before; /* likewise; may be NULL */
} cevm_record_parts;

/** On an error `decoded` still is the caller's. Errors: CEVM_ERR_NOMEM. */
cevm_err cevm_record_create(cevm_record **out, const cevm_record_parts *parts, const cevm_allocator *allocator);
static inline void cevm_record_release(cevm_record *record)
{
    if (record != NULL) {
        cevm_ref_release(&record->ref);
    }
}

/* ---- node.c -------------------------------------------------------------------------------------------------------- */

/** Writes an error; returns false. */
bool cevm_node_say(cevm_node_error *error, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool cevm_node_say_err(cevm_node_error *error, cevm_err err);
/**
 * Saves a draft where the node has a store, makes it the world, tells the listeners, and lets go of the one before. The draft
 * is the node's from then on, unless it fails: then the world is the one it was.
 */
bool cevm_node_publish(cevm_node *node, cevm_node_error *error, cevm_world *draft, cevm_pooled *const *pooled,
                       size_t pooled_count);
/** Real time, seconds. */
uint64_t cevm_node_real_time(void);

/* ---- node_genesis.c, node_import.c, accounts.c --------------------------------------------------------------------- */

/** The first world of a node. */
bool cevm_node_genesis(cevm_node *node, cevm_node_error *error, cevm_world **out);
/** Whether a stored chain is the one that the options describe, as far as they do: chain id, rules, genesis file. */
bool cevm_node_is_described(cevm_node *node, cevm_node_error *error, const cevm_world *stored);
/** What the options say about mining, whatever the genesis. */
void cevm_node_common_settings(cevm_node_settings *out, const cevm_node_options *options);
/** The contracts that a fork expects to be there, where there is no code yet. Errors: the backend's, CEVM_ERR_NOMEM. */
cevm_err cevm_node_put_predeploys(const cevm_node *node, cevm_fork fork);

/** A contract of the built-in genesis. */
typedef struct cevm_predeploy {
    cevm_address address;
    int since; /* a cevm_fork */
    size_t size;
    uint8_t code[1024];
} cevm_predeploy;

/** The i-th row of rpc/predeploys.def; false behind the last. */
bool cevm_node_predeploy(cevm_predeploy *out, size_t i);
/** Adds the blocks of a file to a draft. */
bool cevm_node_import(cevm_node *node, cevm_node_error *error, cevm_world *draft, const char *path);
/** The keys of a mnemonic. */
bool cevm_accounts_derive(cevm_account_key *out, size_t count, const char *mnemonic, const char *derivation);

/* ---- node_fork.c --------------------------------------------------------------------------------------------------- */

/** Opens the remote chain, if the options name one. */
bool cevm_node_fork_open(cevm_node *node, cevm_node_error *error);
/** The first world over it. */
bool cevm_node_fork_begin(cevm_node *node, cevm_node_error *error, cevm_world **out);
/** Fetches what a block of these transactions (at most) reads on the engine's state, which must be at its parent. */
cevm_err cevm_node_warm_block(cevm_node *node, const cevm_execution_input *input, cevm_pooled *const *txs,
                              size_t count);
/** cevm_node_say_err, with what the remote chain said if it was that. */
bool cevm_node_say_remote(const cevm_node *node, cevm_node_error *error, cevm_err err);

/* ---- node_execute.c ------------------------------------------------------------------------------------------------ */

cevm_err cevm_node_engine_open(cevm_node *node);
void cevm_node_engine_close(cevm_node *node);
/** Puts the writer's store and state at a world's state. Errors: those of cevm_treedb_restore. */
cevm_err cevm_node_engine_seek(cevm_node *node, const cevm_world *world);
/** Forgets what was begun: the next seek goes back. */
void cevm_node_engine_abandon(cevm_node *node);
/** Begins a block on the head of a draft, whose state the engine must be at. */
cevm_err cevm_node_engine_begin(cevm_node *node, const cevm_world *draft, const cevm_execution_input *input);
/** Ends it: *out is the state after it, a reference of the caller's. */
cevm_err cevm_node_engine_end(cevm_node *node, cevm_execution_output *out, cevm_block_error *reason, cevm_tree **state,
                              cevm_hash *root);
/** What a block of this header is executed with, but for ommers and withdrawals. */
void cevm_node_input(cevm_execution_input *out, const cevm_chain_config *config, const cevm_header *header,
                     bool is_merged);

/* ---- pool.c -------------------------------------------------------------------------------------------------------- */

/** Adds to the pool of a draft, in place of one of the same sender and nonce if there is one. */
cevm_err cevm_pool_put(cevm_world *draft, cevm_pooled *pooled);
/** Takes it out, if it is there. */
cevm_err cevm_pool_remove(cevm_world *draft, const cevm_pooled *pooled);
/**
 * Takes a transaction into the pool of a draft, or says in geth's words why not. The sender is recovered if it is not known.
 */
bool cevm_pool_admit(cevm_node *node, cevm_node_error *error, cevm_world *draft, cevm_pooled *pooled);
/** A transaction for the pool, copied. Errors: CEVM_ERR_NOMEM. */
cevm_err cevm_pooled_create(cevm_pooled **out, const cevm_tx *tx, bool impersonated, const cevm_allocator *allocator);
/** By sender, of each sender by nonce. */
void cevm_pooled_sort(cevm_pooled **items, size_t count);
static inline void cevm_pooled_release(cevm_pooled *pooled)
{
    if (pooled != NULL) {
        cevm_ref_release(&pooled->ref);
    }
}

/* ---- miner.c ------------------------------------------------------------------------------------------------------- */

/** How one block is made. */
typedef struct cevm_mine_plan {
    cevm_pooled *const *txs; /* these and no others, in this order; NULL: out of the pool */
    size_t tx_count;
    bool needs_txs;            /* no block when no transaction gets into it */
    const cevm_pooled *wanted; /* when this one is refused for good, that is an error */
    uint64_t real_time;        /* the time it is taken to be (cevm_node_real_time); 0: the time it is */
} cevm_mine_plan;

typedef struct cevm_mined {
    bool a_block;
    bool is_full; /* there was more than it could hold */
} cevm_mined;

/** Mines one block on a draft. The draft is spoilt when it fails. */
bool cevm_node_mine_on(cevm_node *node, cevm_node_error *error, cevm_world *draft, const cevm_mine_plan *plan,
                       cevm_mined *mined);

/* ---- node_mine.c --------------------------------------------------------------------------------------------------- */

/** Takes the writer's lock and makes what was promised. False, and no lock, when that fails. */
bool cevm_node_lock(cevm_node *node, cevm_node_error *error);
/**
 * The same for who goes to a world without the promised blocks: these are not made, unless there are subscribers to tell of
 * them. What is published then has to settle them (`settles` SIZE_MAX).
 */
bool cevm_node_lock_to_leave(cevm_node *node, cevm_node_error *error);
void cevm_node_unlock(cevm_node *node);
/** The oldest promises are no more: their blocks are there, or will not be; for who holds `publishing`. */
void cevm_node_take_promises(cevm_promises *promises, size_t count);
/** Everybody has been told of that, and need not wait for them any more. */
void cevm_node_end_promises(cevm_node *node);
/** Starts the thread that mines in the background, if it is not there yet. Errors: CEVM_ERR_NOMEM. */
cevm_err cevm_node_miner_run(cevm_node *node);
/** Starts it if this world, about to be published, mines at intervals; tells it when that has changed. */
cevm_err cevm_node_miner_start(cevm_node *node, const cevm_world *world);
void cevm_node_miner_stop(cevm_node *node);

/* ---- workbench.c --------------------------------------------------------------------------------------------------- */

void cevm_node_benches_free(cevm_node *node);

#endif
