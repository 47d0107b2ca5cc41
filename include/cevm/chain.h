/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cevm/chain.h: a chain: blocks are imported over a state backend, checked whole, and the head moves.
 *
 * A block is added whole or not at all: one that is refused, and any error, leaves head and state as they were. Before the
 * merge the branch of greatest total difficulty is the head (the first seen among equals); from Paris on a child of the head
 * becomes the head, and any other block only when the caller says so with cevm_chain_set_head, as consensus clients do.
 *
 * Limits: what lies more than `history` blocks behind the head is final: blocks on older parents are refused with
 * CEVM_BLOCK_UNKNOWN_PARENT, and their state can no longer be opened. So are blocks more than `history` after the point
 * where their branch leaves the head's. Headers of the last history + 264 blocks and bodies of the last `history` are kept
 * in memory, those of other branches too; a few more at times, because old ones are let go in batches.
 *
 * Threads: one chain per thread at a time; states opened by cevm_chain_state_at belong to that thread too.
 */
#ifndef CEVM_CHAIN_H
#define CEVM_CHAIN_H

#include <cevm/block.h>
#include <cevm/chain_config.h>
#include <cevm/db.h>
#include <cevm/execution.h>
#include <cevm/log.h>
#include <cevm/state.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cevm_chain cevm_chain;
struct cevm_lmdb;

/** Zero-initialise, set struct_size, fill what you need. Borrowed pointers must outlive the chain. */
typedef struct cevm_chain_options {
    size_t struct_size;              /* sizeof(cevm_chain_options) */
    const cevm_allocator *allocator; /* NULL = libc */
    cevm_chain_config config;
    const cevm_header *head;    /* the block whose state the backend holds: the genesis, or where to go on */
    cevm_u256 total_difficulty; /* of that block; zero means its own difficulty */
    bool head_is_merged;        /* that block is past the merge */
    const cevm_hash *ancestors; /* hashes of the blocks before head, nearest first, for BLOCKHASH; may be NULL */
    size_t ancestor_count;
    const cevm_bytes
        *recent_blocks; /* encodings of head and the blocks before it, nearest first; may be NULL. Before the
                                        merge, ommers of the first blocks imported can be children of seven of them. */
    size_t recent_block_count;
    cevm_db db;       /* needs begin_block, end_block and root; undo_block too for reorganisations */
    uint32_t history; /* blocks that can be taken back; 0 = 128. The store must remember as many of those that are added
                         (cevm_memdb_set_history), or reorganisations deeper than it does fail with CEVM_ERR_ARGUMENT. */
    cevm_vm_config vm;   /* struct_size 0 = defaults */
    cevm_ethash *ethash; /* checks proof of work, also for other chains of the thread; NULL = the chain makes its own */
    uint32_t undoable;   /* blocks before and with head that the store can take back already; those that recent_blocks
                            does not show with the block before them are not counted */
    cevm_log_sink log; /* told of blocks (debug), refusals and reorganisations (info), and of a store that an error left
                            elsewhere and that was brought back (warn) */
} cevm_chain_options;

/** One block on the chain, for callers: views are valid until the next import. */
typedef struct cevm_chain_block {
    cevm_hash hash;
    const cevm_header *header;
    cevm_u256 total_difficulty; /* of the block and all before it; the terminal one's once merged */
    bool is_merged;
} cevm_chain_block;

/**
 * Opens a chain whose head is options->head, closed with cevm_chain_close. Errors: CEVM_ERR_NOMEM, CEVM_ERR_ARGUMENT (a root
 * that is not the backend's, a backend that lacks a function), CEVM_ERR_BACKEND.
 */
CEVM_API cevm_err cevm_chain_open(cevm_chain **out, const cevm_chain_options *options);
/**
 * Opens a chain where a store on disk (cevm/lmdb.h) says that it stands: head and what is before it, backend and how much
 * can be taken back come from the store, the rest from the options. Errors: as cevm_chain_open; CEVM_ERR_ARGUMENT when the
 * store holds no chain; CEVM_ERR_BACKEND when what it holds does not fit together.
 */
CEVM_API cevm_err cevm_chain_open_stored(cevm_chain **out, const cevm_chain_options *options, struct cevm_lmdb *store);
/** Closes it, after the states that it opened. The backend stays open. NULL is allowed. */
CEVM_API void cevm_chain_close(cevm_chain *chain);

/** What an import did, for progress and reports. */
typedef struct cevm_import_result {
    cevm_block_verdict verdict;
    cevm_hash hash; /* of the block; zero when it could not be decoded */
    uint64_t number;
    size_t tx_count;
    uint64_t gas_used;
    bool is_known;        /* it was there already; nothing was done */
    bool is_head;         /* it became the head */
    uint32_t reorg_depth; /* blocks of the old branch that were taken back */
} cevm_import_result;

/**
 * Decodes, checks and executes a block on its parent, and adds it. A block on another branch is executed too, on its
 * parent's state, so that every block on the chain is known to be valid.
 *
 * @return CEVM_OK, also for a block that is refused (out->verdict says why); any other error: nothing has changed, but the
 *         store may have been left at another block's state; the next call first brings it back.
 */
CEVM_API cevm_err cevm_chain_import(cevm_chain *chain, cevm_import_result *out, cevm_bytes rlp,
                                    const cevm_tracer *tracer);

/**
 * The same for a block that the caller has decoded from `rlp`. Transactions that have a sender (cevm_tx.has_sender) keep
 * it, so that other threads can decode and recover ahead of the execution; it must be the one cevm_tx_recover_sender
 * finds. The senders of the others are recovered into the block, which stays the caller's. Errors: as cevm_chain_import.
 */
CEVM_API cevm_err cevm_chain_import_block(cevm_chain *chain, cevm_import_result *out, const cevm_block *block,
                                          cevm_bytes rlp, const cevm_tracer *tracer);

/** The head. */
CEVM_API void cevm_chain_head(const cevm_chain *chain, cevm_chain_block *out);
/** A block by hash, on any branch / by number on the branch of the head. False when it is not (or no longer) there. */
CEVM_API bool cevm_chain_find(const cevm_chain *chain, cevm_chain_block *out, const cevm_hash *hash);
CEVM_API bool cevm_chain_find_number(const cevm_chain *chain, cevm_chain_block *out, uint64_t number);

/**
 * Makes a known block the head, taking back and importing anew what lies between. CEVM_ERR_ARGUMENT when the hash is
 * unknown or the backend cannot go back so far.
 */
CEVM_API cevm_err cevm_chain_set_head(cevm_chain *chain, const cevm_hash *hash);

/**
 * Opens the state after a block of the head's branch, to read or to run calls on: what is done to it stays in it. Valid
 * until the next import or set_head; destroy it with cevm_state_destroy before that. CEVM_ERR_ARGUMENT when the block is
 * unknown or too old, or the backend keeps no past.
 */
CEVM_API cevm_err cevm_chain_state_at(cevm_chain *chain, cevm_state **out, const cevm_hash *hash);

/** The configuration the chain was opened with. */
CEVM_API const cevm_chain_config *cevm_chain_get_config(const cevm_chain *chain);

#ifdef __cplusplus
}
#endif
#endif
