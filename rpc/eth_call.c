/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that are tried: eth_call and eth_estimateGas. */
#include <inttypes.h>

#include "rpc/console.h"
#include "rpc/estimate.h"
#include "rpc/methods.h"
#include "rpc/trial.h"

enum { MAX_TX_GAS = 1 << 24 /* EIP-7825 */, TRANSFER_GAS = 21000 };

static const cevm_trial_params call_params = {.block = 1, .state_overrides = 2, .block_overrides = 3};

void cevm_rpc_eth_call(cevm_rpc_call *call)
{
    cevm_trial trial;
    cevm_trial_outcome outcome;
    cevm_console_lines lines;
    if (!cevm_trial_open(&trial, call, &call_params)) {
        return;
    }
    cevm_console_lines_open(&lines, call);
    uint64_t gas = trial.args.tx.gas_limit;
    const bool bounded = trial.args.has_gas || cevm_trial_allowance(&trial, &gas);
    if (bounded && cevm_trial_run(&trial, &outcome, gas, cevm_console_lines_begin(&lines)) &&
        cevm_trial_expect_success(&trial, &outcome)) {
        cevm_json_put_data(call->out, outcome.receipt.output);
    }
    cevm_console_lines_close(&lines, true);
    cevm_trial_close(&trial);
}

/* ---- eth_estimateGas ----------------------------------------------------------------------------------------------- */

typedef struct estimation {
    cevm_trial *trial;
    cevm_trial_outcome outcome; /* of the last run */
    cevm_console_lines lines;   /* likewise */
} estimation;

static bool run_estimate(void *user, cevm_estimate_run *out, uint64_t gas)
{
    estimation *e = user;
    if (!cevm_trial_run(e->trial, &e->outcome, gas, cevm_console_lines_begin(&e->lines))) {
        return false;
    }
    const cevm_tx_error reason = e->outcome.reason;
    const bool too_low =
        reason == CEVM_TX_INTRINSIC_GAS_TOO_LOW || reason == CEVM_TX_INTRINSIC_GAS_BELOW_FLOOR_GAS_COST;
    if (reason != CEVM_TX_NONE && !too_low) { /* more gas does not help: say why */
        return cevm_trial_expect_success(e->trial, &e->outcome);
    }
    const cevm_receipt *receipt = &e->outcome.receipt;
    *out = (cevm_estimate_run){.needs_more = too_low};
    if (!too_low) {
        out->succeeded = cevm_status_is_success(receipt->status);
        out->needs_more = receipt->status == CEVM_STATUS_OUT_OF_GAS || receipt->status == CEVM_STATUS_CODE_STORE_GAS;
        out->gas_used = receipt->gas_used;
        out->gas_peak = receipt->gas_peak;
    }
    return true;
}

/** Neither data nor code: 21,000 and no more, unless lists make it dearer, which trying tells. */
static bool is_transfer(cevm_trial *trial, bool *out)
{
    const cevm_tx *tx = &trial->args.tx;
    cevm_account_info recipient;
    *out = false;
    if (tx->is_create || tx->data.size != 0) {
        return true;
    }
    if (!cevm_trial_account(trial, &recipient, &tx->to)) {
        return false;
    }
    *out = cevm_hash_equal(&recipient.code_hash, &cevm_empty_code_hash);
    return true;
}

/** The highest limit to try: what was asked for, or the block's; never more than the rules, the node or the sender allow. */
static bool highest_limit(cevm_trial *trial, uint64_t *out)
{
    const cevm_tx *tx = &trial->args.tx;
    uint64_t gas = tx->gas_limit; /* without one in the call, the node's cap */
    if (trial->args.has_gas ? gas < TRANSFER_GAS : gas > trial->env.gas_limit) {
        gas = trial->env.gas_limit; /* a limit that buys nothing is none: wallets give 0 */
    }
    if (CEVM_HAS_EIP(trial->env.fork, 7825) && gas > MAX_TX_GAS) {
        gas = MAX_TX_GAS;
    }
    *out = gas;
    return cevm_trial_allowance(trial, out);
}

static void put_estimate(cevm_rpc_call *call, cevm_trial *trial)
{
    estimation e = {.trial = trial};
    uint64_t highest = 0;
    uint64_t gas = 0;
    bool transfer = false;
    if (!highest_limit(trial, &highest) || !is_transfer(trial, &transfer)) {
        return;
    }
    cevm_console_lines_open(&e.lines, call);
    const cevm_estimate_end end = cevm_estimate_gas(&gas, highest, transfer, run_estimate, &e);
    switch (end) {
    case CEVM_ESTIMATE_FOUND: cevm_json_put_quantity(call->out, gas); break;
    case CEVM_ESTIMATE_TOO_LOW:
        (void)cevm_rpc_fail(call, CEVM_RPC_SERVER, "gas required exceeds allowance (%" PRIu64 ")", highest);
        break;
    case CEVM_ESTIMATE_FAILS: (void)cevm_trial_expect_success(trial, &e.outcome); break;
    case CEVM_ESTIMATE_STOPPED: break; /* the run has failed the call */
    }
    /* Where it succeeds the transaction follows, and what is written would be there twice. */
    cevm_console_lines_close(&e.lines, end != CEVM_ESTIMATE_FOUND);
}

void cevm_rpc_eth_estimateGas(cevm_rpc_call *call)
{
    static const cevm_trial_params params = {
        .block = 1, .state_overrides = 2, .block_overrides = 3, .in_next_block = true};
    cevm_trial trial;
    if (cevm_trial_open(&trial, call, &params)) {
        put_estimate(call, &trial);
        cevm_trial_close(&trial);
    }
}
