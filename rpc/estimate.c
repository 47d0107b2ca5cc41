/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/estimate.h"

enum { TRANSFER_GAS = 21000, CALL_STIPEND = 2300, ERROR_PER_MILLE = 15 };

/**
 * The limit that is likely to do: what was used before refunds, and what EIP-150 makes a caller hold back for a callee
 * (a 64th), with the stipend of one that sends value.
 */
static uint64_t likely_limit(const cevm_estimate_run *run)
{
    return (run->gas_peak + CALL_STIPEND) / 63 * 64 + (run->gas_peak + CALL_STIPEND) % 63 * 64 / 63;
}

/** Whether what is left between the bounds is within the error that is let pass. */
static bool is_close(uint64_t low, uint64_t high)
{
    return high - low < high / 1000 * ERROR_PER_MILLE + (high % 1000 * ERROR_PER_MILLE + 999) / 1000;
}

/** Tries a limit and moves the bound that it decides. */
static bool probe(uint64_t gas, uint64_t *low, uint64_t *high, cevm_estimate_runner runner, void *user)
{
    cevm_estimate_run run;
    if (!runner(user, &run, gas)) {
        return false;
    }
    if (run.succeeded) {
        *high = gas;
    } else {
        *low = gas;
    }
    return true;
}

static cevm_estimate_end search(uint64_t *out, uint64_t low, uint64_t high, cevm_estimate_runner runner, void *user)
{
    while (low + 1 < high && !is_close(low, high)) {
        uint64_t middle = low + (high - low) / 2;
        if (middle > 2 * low) { /* most need little more than they use: begin near it */
            middle = 2 * low;
        }
        if (!probe(middle, &low, &high, runner, user)) {
            return CEVM_ESTIMATE_STOPPED;
        }
    }
    *out = high;
    return CEVM_ESTIMATE_FOUND;
}

cevm_estimate_end cevm_estimate_gas(uint64_t *out, uint64_t highest, bool is_transfer, cevm_estimate_runner runner,
                                    void *user)
{
    cevm_estimate_run run;
    uint64_t high = highest;
    if (is_transfer && highest >= TRANSFER_GAS) {
        if (!runner(user, &run, TRANSFER_GAS)) {
            return CEVM_ESTIMATE_STOPPED;
        }
        if (run.succeeded) {
            *out = TRANSFER_GAS;
            return CEVM_ESTIMATE_FOUND;
        }
    }
    if (!runner(user, &run, high)) {
        return CEVM_ESTIMATE_STOPPED;
    }
    if (!run.succeeded) {
        return run.needs_more ? CEVM_ESTIMATE_TOO_LOW : CEVM_ESTIMATE_FAILS;
    }
    uint64_t low = run.gas_used > 0 ? run.gas_used - 1 : 0;
    const uint64_t likely = likely_limit(&run);
    if (likely < high && !probe(likely, &low, &high, runner, user)) {
        return CEVM_ESTIMATE_STOPPED;
    }
    return search(out, low, high, runner, user);
}
