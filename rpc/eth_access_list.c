/* SPDX-License-Identifier: Apache-2.0 */
/* eth_createAccessList: the list with which a transaction finds all it touches warm (EIP-2930). */
#include "rpc/access_list.h"
#include "rpc/methods.h"
#include "rpc/shapes.h"
#include "rpc/trial.h"

enum { MAX_ROUNDS = 32 };

/** What is warm without a list: sender, recipient, precompiled contracts. NULL when memory runs out. */
static const cevm_address *warm_addresses(const cevm_trial *trial, size_t *count)
{
    size_t precompile_count = 0;
    const cevm_tx *tx = &trial->args.tx;
    const cevm_precompile *precompiles = cevm_precompiles(&precompile_count);
    cevm_address *out = cevm_arena_array(trial->call->arena, precompile_count + 2, sizeof *out);
    if (out == NULL) {
        return NULL;
    }
    out[0] = tx->sender;
    if (tx->is_create) {
        cevm_create_address(&out[1], &tx->sender, tx->nonce);
    } else {
        out[1] = tx->to;
    }
    *count = 2;
    for (size_t i = 0; i < precompile_count; ++i) {
        if (precompiles[i].since <= trial->env.fork) {
            const cevm_u256 word = cevm_u256_from_u64(precompiles[i].address);
            out[(*count)++] = cevm_address_from_u256(&word);
        }
    }
    return out;
}

/** One round: runs with the list of the round before and gathers the next. */
static bool run_round(cevm_trial *trial, cevm_access_list *list, cevm_trial_outcome *outcome, uint64_t gas)
{
    cevm_tx *tx = &trial->args.tx;
    if (!cevm_trial_run(trial, outcome, gas, cevm_access_list_tracer(list))) {
        return false;
    }
    if (outcome->reason != CEVM_TX_NONE) {
        return cevm_trial_expect_success(trial, outcome);
    }
    size_t count = 0;
    const cevm_access_entry *entries = cevm_access_list_entries(list, &count);
    if (list->failed || entries == NULL) {
        return cevm_rpc_fail_err(trial->call, CEVM_ERR_NOMEM);
    }
    tx->access_list = entries;
    tx->access_count = count;
    if (tx->type == CEVM_TX_LEGACY && count != 0) {
        tx->type = CEVM_TX_ACCESS_LIST;
        tx->has_chain_id = true;
    }
    return true;
}

static void put_result(cevm_rpc_call *call, const cevm_tx *tx, const cevm_trial_outcome *outcome)
{
    cevm_json_writer *w = call->out;
    const cevm_status status = outcome->receipt.status;
    cevm_json_begin_object(w);
    cevm_json_put_key(w, "accessList");
    cevm_shape_access_list(w, tx->access_list, tx->access_count);
    if (!cevm_status_is_success(status)) {
        char message[1024];
        cevm_revert_message(message, sizeof message, outcome->receipt.output);
        cevm_json_put_key(w, "error");
        cevm_json_put_string(w, status == CEVM_STATUS_REVERT ? message : cevm_status_string(status));
    }
    cevm_shape_quantity(w, "gasUsed", outcome->receipt.gas_used);
    cevm_json_end_object(w);
}

/** The list changes what gas buys, and so what is touched: it is made again until it stays. */
static void gather(cevm_rpc_call *call, cevm_trial *trial)
{
    size_t excluded_count = 0;
    cevm_account_info sender;
    cevm_tx *tx = &trial->args.tx;
    uint64_t gas = tx->gas_limit;
    if (!cevm_trial_account(trial, &sender, &tx->sender) ||
        (!trial->args.has_gas && !cevm_trial_allowance(trial, &gas))) {
        return;
    }
    tx->nonce = sender.nonce;
    const cevm_address *excluded = warm_addresses(trial, &excluded_count);
    if (excluded == NULL) {
        (void)cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
        return;
    }
    cevm_access_list before;
    cevm_trial_outcome outcome;
    cevm_access_list_begin(&before, tx, excluded, excluded_count, call->arena);
    for (size_t round = 0; round < MAX_ROUNDS; ++round) {
        cevm_access_list list;
        cevm_access_list_begin(&list, tx, excluded, excluded_count, call->arena);
        if (!run_round(trial, &list, &outcome, gas)) {
            return;
        }
        const bool is_stable = cevm_access_list_equal(&list, &before);
        before = list;
        if (is_stable) {
            break;
        }
    }
    put_result(call, tx, &outcome);
}

void cevm_rpc_eth_createAccessList(cevm_rpc_call *call)
{
    static const cevm_trial_params params = {.block = 1, .state_overrides = 2, .in_next_block = true};
    cevm_trial trial;
    if (cevm_trial_open(&trial, call, &params)) {
        gather(call, &trial);
        cevm_trial_close(&trial);
    }
}
