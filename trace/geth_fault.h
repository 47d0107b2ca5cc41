/* SPDX-License-Identifier: Apache-2.0 */
/**
 * trace/geth_fault.h: what geth's tracers show of an instruction that failed: how often, with what price, in what words.
 * Internal to trace/. Pure.
 */
#ifndef CEVM_TRACE_GETH_FAULT_H
#define CEVM_TRACE_GETH_FAULT_H

#include <cevm/forks.h>
#include <cevm/tracer.h>

/**
 * Whether geth finds a failure only after it has shown the instruction as one that works; it then shows it again, with the
 * error. Everything else (gas, stack) it finds before, and shows once.
 */
bool cevm_geth_shows_twice(const cevm_step *step, int status);

/** How many operands geth has taken off the stack when it shows the instruction again. */
size_t cevm_geth_operands_taken(const cevm_step *step, int status);

/** Bytes of memory then: the expansion was paid for and is there. */
size_t cevm_geth_memory_at_fault(const cevm_step *step, int status);

/** The error, cut to size and NUL-terminated, and the price geth shows; *gas_cost holds the engine's and is corrected. */
void cevm_geth_fault(char *out, size_t size, int64_t *gas_cost, const cevm_step *step, int status, cevm_fork fork);

#endif
