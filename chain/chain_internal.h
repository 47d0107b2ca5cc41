/* SPDX-License-Identifier: Apache-2.0 */
/**
 * chain/chain_internal.h: the parts of a chain (cevm/chain.h), shared by chain/chain*.c.
 *
 * Blocks are nodes of a tree, found by hash; each knows its parent as long as both are kept. The store holds the state of
 * one of them, `at`, which between calls is the head. To execute a block elsewhere the store is taken there: back block by
 * block to the common ancestor, then forward by executing again.
 *
 * A store that can (cevm_db_vtable.begin_move) is taken there in one move, which is kept when the head moves with it and
 * given up otherwise: that brings the store back at no cost, after errors too. With others, when an error (memory, the
 * store) ends a call while the store stands elsewhere, it stays there: the chain itself is unchanged, and the next call
 * first brings the store back (cevm_chain_settle).
 */
#ifndef CEVM_CHAIN_INTERNAL_H
#define CEVM_CHAIN_INTERNAL_H

#include <cevm/chain.h>

#include "state/log.h"
#include "state/map.h"
#include "state/rlp.h"

/** Ommers of a block (Yellow Paper, 11.1), and how many generations back their parents may be. */
enum { CEVM_MAX_OMMERS = 2, CEVM_OMMER_GENERATIONS = 7 };

/** Blocks whose hashes BLOCKHASH can ask for when the block itself counts too (a call on top of it). */
enum { CEVM_RECENT_HASHES = 257 };

/** Blocks that can be taken back when the options do not say how many. */
enum { CEVM_DEFAULT_HISTORY = 128 };

typedef struct cevm_chain_node {
    struct cevm_chain_node *parent; /* NULL: not kept; for a node without use: the next of the free list */
    cevm_hash hash;
    cevm_header header; /* extra_data points to `extra` or, when longer, into memory of its own */
    cevm_u256 total_difficulty;
    bool is_merged;
    size_t ommer_count;
    cevm_hash ommers[CEVM_MAX_OMMERS];
    uint8_t *rlp;    /* the block, to execute it again; the memory stays with the node when it is used anew */
    size_t rlp_size; /* 0: no body is kept */
    size_t rlp_capacity;
    uint8_t extra[32];
    uint8_t *long_extra; /* of a genesis */
    uint32_t slot;       /* index in chain->nodes */
} cevm_chain_node;

/** A backend for states: reads go to a store, block hashes are answered from a node and its ancestors. */
typedef struct cevm_chain_view {
    cevm_db below; /* first: state/layer.h */
    const cevm_chain *chain;
    const cevm_chain_node *base; /* the newest block whose hash can be asked for */
    bool has_hashes;             /* `hashes` is filled in, nearest first; zero where nothing is known */
    cevm_hash hashes[CEVM_RECENT_HASHES];
} cevm_chain_view;

/** A view of the past that was opened since the last import. */
typedef struct cevm_chain_past {
    struct cevm_chain_past *next;
    cevm_chain_view view;
} cevm_chain_past;

struct cevm_chain {
    const cevm_allocator *allocator;
    cevm_chain_config config;
    uint32_t history;

    cevm_log_sink log;
    cevm_db db;           /* the caller's */
    cevm_chain_view view; /* over it, for `state` */
    cevm_vm *vm;
    cevm_execution *execution; /* made for the first block, used for all */
    cevm_ethash *ethash;       /* the caller's or own_ethash; NULL before the first seal is checked */
    cevm_ethash *own_ethash;
    cevm_state *state;
    uint64_t cached_gas; /* gas of blocks executed since the state's cache was last emptied */
    bool block_open;     /* a block of the store still has to be closed */
    bool move_open;      /* a move of the store has to be ended */
    uint32_t undoable_before_move;
    cevm_buf receipts; /* of the block that is put into the store */
    cevm_chain_past *past;

    cevm_map map; /* hash -> slot */
    cevm_map_seed seed;
    cevm_chain_node **nodes; /* by slot; NULL where free */
    size_t slot_count;
    size_t slot_capacity;
    cevm_chain_node *spare; /* nodes to use again */
    size_t until_prune;     /* blocks to add before old ones are looked for again */

    cevm_chain_node *head;
    cevm_chain_node *at;    /* whose state the store holds */
    cevm_chain_node *stray; /* a node that is not in the tree but on which the store may stand; given up by settle */
    uint32_t undoable;      /* blocks the store can take back */
    cevm_chain_node **path; /* room for history + 1 nodes */

    cevm_hash *ancestors; /* hashes before the block the chain was opened at, nearest first */
    size_t ancestor_count;
    uint64_t opened_at; /* its number */
};

/* ---- chain_index.c: the tree ------------------------------------------------------------------------------------- */

cevm_chain_node *cevm_chain_find_node(const cevm_chain *chain, const cevm_hash *hash);
/** The ancestor-or-self of a node with this number, or NULL. */
cevm_chain_node *cevm_chain_ancestor(const cevm_chain_node *node, uint64_t number);
/** The newest block that two nodes share, or NULL when it is not kept. */
cevm_chain_node *cevm_chain_common(const cevm_chain_node *a, const cevm_chain_node *b);
/**
 * Makes a node of a block, ready to be added: hash, header, ommers and a copy of its encoding (rlp may be empty). All that
 * can fail fails here. Errors: CEVM_ERR_NOMEM.
 */
cevm_err cevm_chain_make_node(cevm_chain *chain, cevm_chain_node **out, const cevm_block *block, cevm_bytes rlp);
/** Adds a node that was made; its parent, total difficulty and is_merged are set. Cannot fail. */
void cevm_chain_add_node(cevm_chain *chain, cevm_chain_node *node);
/** Gives back a node that was made and not added. */
void cevm_chain_drop_node(cevm_chain *chain, cevm_chain_node *node);
/** Lets go of blocks and bodies that are too old, now and then. */
void cevm_chain_prune(cevm_chain *chain);
void cevm_chain_free_nodes(cevm_chain *chain);

/* ---- chain_log.c: what a host is told ---------------------------------------------------------------------------- */

/** A block was imported or refused. */
void cevm_chain_log_import(const cevm_chain *chain, const cevm_import_result *result);
/** A node becomes the head: a message if blocks of the old branch are taken back for it. */
void cevm_chain_log_head(const cevm_chain *chain, const cevm_chain_node *node);
/** The store was brought back to the head. */
void cevm_chain_log_recovered(const cevm_chain *chain);

/* ---- chain_view.c: block hashes ---------------------------------------------------------------------------------- */

/** The backend over a view. Commits go through when the store takes them. */
cevm_db cevm_chain_view_db(cevm_chain_view *view);
/** Says of which block the hashes are asked from now on. */
void cevm_chain_view_rebase(cevm_chain_view *view, const cevm_chain_node *base);
/** Closes every view of the past. */
void cevm_chain_close_past(cevm_chain *chain);

/* ---- chain_execute.c: the state ---------------------------------------------------------------------------------- */

/**
 * Executes a block on the state of its node's parent, where the store stands, and keeps it if it is what its header says.
 * Otherwise (verdict or error) the store is as before. *verdict is what was found so far: NONE, or a fault in the roots
 * that a transaction may explain better; the block is then executed as far as its transactions go.
 */
cevm_err cevm_chain_execute(cevm_chain *chain, cevm_block_verdict *verdict, const cevm_block *block,
                            const cevm_chain_node *node, const cevm_tracer *tracer);
/** Whether the store can be taken from the head to a node and, from there or from one more block, back again. */
bool cevm_chain_can_reach(const cevm_chain *chain, const cevm_chain_node *target);
/** Takes the store to a node. CEVM_ERR_ARGUMENT when it cannot go back so far or the bodies are not kept. */
cevm_err cevm_chain_move(cevm_chain *chain, cevm_chain_node *target);
/** Begins a move, if the store can: what it does until the end lasts together or not at all. */
cevm_err cevm_chain_begin_move(cevm_chain *chain);
/** Keeps the move: the block where the store stands is about to be the head. After an error the store is at the head. */
cevm_err cevm_chain_keep_move(cevm_chain *chain);
/** Gives the move up, if one is open: the store is back at the head. */
void cevm_chain_drop_move(cevm_chain *chain);
/** Brings the store back to the head after a call that failed half-way. */
cevm_err cevm_chain_settle(cevm_chain *chain);
/** The same as the first thing of a call: what there is to bring back then, an error of an earlier one has left. */
cevm_err cevm_chain_recover(cevm_chain *chain);

/* ---- chain_ommers.c ---------------------------------------------------------------------------------------------- */

/** Checks number, kinship and headers of the ommers of a child of `parent`. Errors: CEVM_ERR_NOMEM. */
cevm_err cevm_chain_check_ommers(cevm_chain *chain, cevm_block_error *reason, const cevm_block *block,
                                 const cevm_chain_node *parent, bool is_merged);

/* ---- chain_import.c ---------------------------------------------------------------------------------------------- */

/** Checks the proof of work of a header or ommer, if the configuration wants it. Errors: those of cevm_ethash_verify. */
cevm_err cevm_chain_check_seal(cevm_chain *chain, cevm_block_error *reason, const cevm_header *header);

#endif
