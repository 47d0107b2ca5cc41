/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/estimate.h: the least gas with which a transaction succeeds, searched as geth searches it (so that clients get the
 * numbers they know): within 1.5 %, upwards.
 *
 * Pure but for the runs, which are the caller's. Threads: those of the caller.
 */
#ifndef CEVM_RPC_ESTIMATE_H
#define CEVM_RPC_ESTIMATE_H

#include <stdbool.h>
#include <stdint.h>

/** What one run with some gas limit gave. */
typedef struct cevm_estimate_run {
    bool succeeded;
    bool needs_more; /* it failed for want of gas: before it began, or by running out */
    uint64_t gas_used;
    uint64_t gas_peak; /* before refunds */
} cevm_estimate_run;

/** Runs the transaction with a gas limit. False: it cannot be run at all, and the search ends. */
typedef bool (*cevm_estimate_runner)(void *user, cevm_estimate_run *out, uint64_t gas);

typedef enum cevm_estimate_end {
    CEVM_ESTIMATE_FOUND,
    CEVM_ESTIMATE_FAILS,   /* it fails with any gas; the last run, with the highest limit, says how */
    CEVM_ESTIMATE_TOO_LOW, /* it wants more gas than `highest` */
    CEVM_ESTIMATE_STOPPED  /* a run returned false */
} cevm_estimate_end;

/** Searches between 21,000 and `highest`; with `is_transfer` (no data, no code) 21,000 alone is tried first. */
cevm_estimate_end cevm_estimate_gas(uint64_t *out, uint64_t highest, bool is_transfer, cevm_estimate_runner runner,
                                    void *user);

#endif
