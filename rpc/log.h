/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/log.h: what the node tells on its terminal: a line for each request, each transaction and each block, and what
 * contracts write with console.log.
 *
 * Lines are written by a thread of its own, so that a slow terminal delays no request; what it cannot keep up with is
 * counted and left out.
 *
 * Threads: the observer and the listener may be called from any thread.
 */
#ifndef CEVM_RPC_LOG_H
#define CEVM_RPC_LOG_H

#include <stdio.h>

#include "rpc/artifacts.h"
#include "rpc/dispatch.h"
#include "rpc/node.h"

typedef struct cevm_node_log cevm_node_log;

typedef struct cevm_node_log_options {
    cevm_node *node;
    FILE *to;
    bool json; /* a JSON object a line, for machines */
    bool colour;
    bool unicode;
    unsigned width;                  /* columns; 0: lines are not cut */
    const cevm_artifacts *artifacts; /* names of functions, errors and events; may be NULL */
    bool replays_all;                /* look for console.log in every block, whether code that has it was seen or not */
} cevm_node_log_options;

/** NULL when there is no memory or thread for it. */
cevm_node_log *cevm_node_log_start(const cevm_node_log_options *options);
/** Writes what is left and ends. The node must still be there. */
void cevm_node_log_stop(cevm_node_log *logger);

/** For cevm_rpc_peer: `logger` is the user. */
void cevm_node_log_observe(void *logger, const cevm_rpc_call *call, const char *method, uint64_t nanoseconds);
/** For cevm_node_listen. */
void cevm_node_log_listen(void *logger, const cevm_node_event *event);

/* ---- Lines: rpc/log_lines.c ----------------------------------------------------------------------------------------- */

enum { CEVM_LOG_LINE = 1024 };

/** Each writes one line without its newline, cut to CEVM_LOG_LINE - 1 bytes, and returns its length. */
size_t cevm_log_request(char out[CEVM_LOG_LINE], const cevm_node_log_options *options, const cevm_rpc_call *call,
                        const char *method, uint64_t nanoseconds);
size_t cevm_log_tx(char out[CEVM_LOG_LINE], const cevm_node_log_options *options, const cevm_record *record,
                   size_t index);
size_t cevm_log_block(char out[CEVM_LOG_LINE], const cevm_node_log_options *options, const cevm_record *record);
/** Blocks without transactions, from number `first` to the record's. */
size_t cevm_log_empty_blocks(char out[CEVM_LOG_LINE], const cevm_node_log_options *options, const cevm_record *record,
                             uint64_t first);
size_t cevm_log_removed(char out[CEVM_LOG_LINE], const cevm_node_log_options *options, const cevm_record *record,
                        size_t count);
size_t cevm_log_console(char out[CEVM_LOG_LINE], const cevm_node_log_options *options, const char *text);

#endif
