/* SPDX-License-Identifier: Apache-2.0 */
/**
 * trace/parity_parts.h: the traces that a trace of cevm_parity_create is made of. Each writes one value when it ends.
 * Internal to trace/.
 */
#ifndef CEVM_TRACE_PARITY_PARTS_H
#define CEVM_TRACE_PARITY_PARTS_H

#include "trace/trace_base.h"

/** The calls and creations as a list, without block and transaction ("trace"). Errors: CEVM_ERR_NOMEM. */
cevm_err cevm_trace_make_parity_flat(cevm_trace **out, const cevm_trace_request *request);
/** The accounts that changed ("stateDiff"). Errors: CEVM_ERR_NOMEM. */
cevm_err cevm_trace_make_state_diff(cevm_trace **out, const cevm_trace_request *request);
/**
 * Every instruction ("vmTrace"). It begins to write when the outermost frame begins (and not before: whoever holds it can
 * write what goes ahead in an on_enter of its own). Errors: CEVM_ERR_NOMEM.
 */
cevm_err cevm_trace_make_vm(cevm_trace **out, const cevm_trace_request *request);
/** Whether it has begun. */
bool cevm_trace_vm_has_begun(const cevm_trace *base);

#endif
