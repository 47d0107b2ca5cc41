/* SPDX-License-Identifier: Apache-2.0 */
/**
 * trace/call_tree.h: the frames of a transaction as a tree, for the tracers that show calls. Internal to trace/.
 *
 * Frames stand in an array in the order in which they began, parents before children.
 */
#ifndef CEVM_TRACE_CALL_TREE_H
#define CEVM_TRACE_CALL_TREE_H

#include "trace/fault_watch.h"
#include "trace/trace_base.h"

/** No frame, no log. */
#define CEVM_NO_FRAME UINT32_MAX

typedef struct cevm_call_frame {
    uint8_t type; /* the opcode: CALL, CREATE, SELFDESTRUCT … */
    bool has_to;  /* not of a creation that failed */
    bool has_value;
    bool is_precompile;
    bool is_lost; /* it, or a frame it stands in, has failed; known after cevm_call_trace_settle */
    cevm_address from, to;
    cevm_u256 value;
    uint64_t gas, gas_used;
    cevm_bytes input, output; /* owned */
    cevm_bytes error;         /* text, owned; empty for success */
    cevm_status status;
    uint32_t parent, first_child, last_child, next_sibling; /* CEVM_NO_FRAME where there is none */
    uint32_t child_count;
    uint32_t first_log, last_log; /* CEVM_NO_FRAME for none */
} cevm_call_frame;

typedef struct cevm_call_log {
    cevm_address address;
    uint32_t topic_count;
    cevm_hash topics[4];
    cevm_bytes data;   /* owned */
    uint64_t index;    /* in the block */
    uint32_t position; /* calls its frame had made before */
    uint32_t next;     /* of the same frame */
} cevm_call_log;

/** What of the frames is kept. */
typedef struct cevm_call_tree_options {
    bool only_top;
    bool logs;
} cevm_call_tree_options;

typedef struct cevm_call_tree {
    cevm_trace *trace;
    cevm_call_tree_options options;
    cevm_fault_watch watch;
    uint64_t gas_limit; /* of the transaction: the gas of the outermost frame */
    cevm_call_frame *frames;
    size_t frame_count, frame_capacity;
    uint32_t current; /* the frame that executes, or CEVM_NO_FRAME */
    uint32_t hidden;  /* frames open below `current` that are not kept */
    cevm_call_log *logs;
    size_t log_count, log_capacity;
    bool destroys; /* a SELFDESTRUCT has begun */
    cevm_address heir;
    cevm_u256 estate; /* the balance it moves */
} cevm_call_tree;

/** What a tracer of calls begins with. */
typedef struct cevm_call_trace {
    cevm_trace base;
    cevm_call_tree tree;
} cevm_call_trace;

/** Fills the tree of a trace just made, and sets the hooks that grow it. */
void cevm_call_trace_init(cevm_call_trace *t, const cevm_call_tree_options *options);
/** `begin` of such a tracer. */
cevm_err cevm_call_trace_begin(cevm_trace *base, const cevm_tx *tx, const cevm_block_env *block);
/** Before anything is written: the gas of the whole, and whose logs are gone. False when there was no frame. */
bool cevm_call_trace_settle(cevm_call_trace *t, const cevm_receipt *receipt);
void cevm_call_tree_release(cevm_call_tree *tree);

/* Hooks, for a tracer that has its own and calls these from them. */
void cevm_call_tree_step(cevm_call_tree *tree, const cevm_step *step);

/** "CALL"; static storage. */
const char *cevm_call_type_name(uint8_t type);

/**
 * Walks the tree, parents before children: call with *i = 0, *closing = false, then with what came back. Each frame comes
 * twice, the second time with *closing; false when all have.
 */
bool cevm_call_tree_next(const cevm_call_tree *tree, uint32_t *i, bool *closing);

/** Members of a frame that all tracers of calls share: from … value, and error and revertReason, but neither type nor calls. */
void cevm_call_put_members(cevm_json_writer *w, const cevm_call_frame *frame);
/** "logs": [...] of a frame, when it has any. */
void cevm_call_put_logs(cevm_json_writer *w, const cevm_call_tree *tree, const cevm_call_frame *frame);

#endif
