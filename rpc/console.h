/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/console.h: console.log of Hardhat's and Foundry's libraries: calls of an address without code, whose input is the
 * text's parts, ABI-encoded.
 */
#ifndef CEVM_RPC_CONSOLE_H
#define CEVM_RPC_CONSOLE_H

#include <cevm/tracer.h>

#include "rpc/node.h"
#include "rpc/rpc.h"
#include "state/rlp.h"

/** The signatures console.log comes in, by selector. Immutable: any thread. */
typedef struct cevm_console cevm_console;

/** NULL when memory runs out. */
cevm_console *cevm_console_create(const cevm_allocator *allocator);
void cevm_console_destroy(cevm_console *console);

/**
 * Writes what a call of the console's address says, as JavaScript's console.log would: parts with blanks between, %s %d %i
 * %o %x in the first one filled in. Cut to `size` - 1 bytes, NUL-terminated; size must not be 0. False when the input is
 * not one of console.log's.
 */
bool cevm_console_format(char *out, size_t size, const cevm_console *console, cevm_bytes input);

/** Whether code or initcode mentions the console's address: whether to expect such calls of it. */
bool cevm_console_in_code(cevm_bytes code);

/** Called for each line in the order of the calls; false stops. */
typedef bool (*cevm_console_visit)(void *user, size_t tx_index, const char *text);
/** Listens to what is executed; initialised with cevm_console_tap_open. One thread's; it may not move. */
typedef struct cevm_console_tap {
    cevm_tracer tracer; /* for whoever executes */
    const cevm_allocator *allocator;
    const cevm_console *console;
    cevm_console *own; /* made when it is first needed, where none was given */
    char *text;        /* likewise */
    cevm_console_visit visit;
    void *user;
    size_t index; /* for visit; the caller's to set */
    bool stopped; /* visit wants no more, or memory ran out */
} cevm_console_tap;
/** console may be NULL: signatures are then known once something is written. */
void cevm_console_tap_open(cevm_console_tap *out, const cevm_console *console, cevm_console_visit visit, void *user,
                           const cevm_allocator *allocator);
void cevm_console_tap_close(cevm_console_tap *tap);

/** What bounds a replay. Zero: nothing. */
typedef struct cevm_console_bounds {
    uint64_t deadline_ns; /* CLOCK_MONOTONIC */
    const volatile bool *cancel;
} cevm_console_bounds;

/**
 * Executes the block again for what its transactions (only_index SIZE_MAX: all; otherwise one) wrote, also in calls that
 * were reverted. Errors: as cevm_workbench_replay; CEVM_ERR_ARGUMENT for a block whose state before it is not there.
 */
cevm_err cevm_console_replay(const cevm_console *console, cevm_node *node, cevm_world *world, cevm_record *record,
                             size_t only_index, const cevm_console_bounds *bounds, cevm_console_visit visit,
                             void *user);

/* ---- Calls that are tried: rpc/console_call.c ---------------------------------------------------------------------- */

/** What one run of a call writes, for those who read cevm_rpc_call.console. It may not move. */
typedef struct cevm_console_lines {
    cevm_rpc_call *call;
    cevm_console_tap tap;
    cevm_buf text; /* a line each, with its newline */
} cevm_console_lines;

void cevm_console_lines_open(cevm_console_lines *out, cevm_rpc_call *call);
/** Forgets earlier runs. The tracer for the next one; NULL where nobody reads it. */
const cevm_tracer *cevm_console_lines_begin(cevm_console_lines *lines);
/** keep: the call has written what the last run wrote. */
void cevm_console_lines_close(cevm_console_lines *lines, bool keep);

#endif
