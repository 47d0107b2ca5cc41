/* SPDX-License-Identifier: Apache-2.0 */
/**
 * trace/mux.h: a trace that hands every hook on to others: muxTracer, and those of trace/parity.h. Internal to trace/.
 */
#ifndef CEVM_TRACE_MUX_H
#define CEVM_TRACE_MUX_H

#include "trace/trace_base.h"

enum { CEVM_MUX_PARTS = 16 };

typedef struct cevm_mux {
    cevm_trace base;
    size_t count;
    const char *names[CEVM_MUX_PARTS]; /* static storage */
    cevm_trace *parts[CEVM_MUX_PARTS]; /* owned */
} cevm_mux;

/** Sets the hooks once all parts are there; one that no part has costs nothing. */
void cevm_mux_hook_up(cevm_mux *t);
/* Operations of such a tracer. */
cevm_err cevm_mux_begin(cevm_trace *base, const cevm_tx *tx, const cevm_block_env *block);
void cevm_mux_release(cevm_trace *base);
/** What stopped one of the parts; CEVM_OK when nothing has. */
cevm_err cevm_mux_failure(const cevm_mux *t);

#endif
