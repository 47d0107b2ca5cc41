/* SPDX-License-Identifier: Apache-2.0 */
/**
 * trace/parity.h: traces as Parity's trace module has them. Used as those of trace/tracers.h: begin, execute, finish.
 *
 * cevm_parity_create: one object, {"output", "trace", "stateDiff", "vmTrace"}, as trace_call and trace_replayTransaction
 * answer. The vmTrace is written while the transaction executes, in constant memory; the rest at the end.
 * cevm_parity_list_create: entries of a list, one a call or creation, as trace_block and trace_filter answer.
 *
 * What `gas` and `gasUsed` of the outermost entry mean is Parity's: what was there for the code, without the intrinsic gas.
 */
#ifndef CEVM_TRACE_PARITY_H
#define CEVM_TRACE_PARITY_H

#include "trace/tracers.h"

/** What of a transaction is asked for; the others are null, or for `trace` an empty list. */
typedef struct cevm_parity_parts {
    bool trace;
    bool state_diff;
    bool vm_trace;
} cevm_parity_parts;

/** name and config of the request mean nothing. Errors: CEVM_ERR_NOMEM. */
cevm_err cevm_parity_create(cevm_trace **out, const cevm_trace_request *request, const cevm_parity_parts *parts);

/** An entry of the list, as who wants to choose among them sees it. Addresses are NULL where there are none. */
typedef struct cevm_parity_entry {
    const cevm_address *from; /* who calls, creates, or destroys itself */
    const cevm_address *to;   /* who is called, created, or gets what is left */
    const uint32_t *path;     /* traceAddress */
    size_t path_size;
} cevm_parity_entry;

/** Which entries are written. */
typedef struct cevm_parity_list {
    bool (*wants)(void *user, const cevm_parity_entry *entry); /* NULL: all */
    void *user;
} cevm_parity_list;

/**
 * A trace that writes its entries, with block and transaction, into a list that the caller has begun and will end.
 * Errors: CEVM_ERR_NOMEM.
 */
cevm_err cevm_parity_list_create(cevm_trace **out, const cevm_trace_request *request, const cevm_parity_list *list);

/** Who is paid for a block before the merge. */
typedef struct cevm_parity_reward {
    cevm_address author;
    cevm_u256 value;  /* wei */
    const char *type; /* "block" or "uncle" */
} cevm_parity_reward;

/** Its entry of such a list. */
void cevm_parity_put_reward(cevm_json_writer *w, const cevm_trace_context *context, const cevm_parity_reward *reward);

#endif
