/* SPDX-License-Identifier: Apache-2.0 */
/* Block overrides. */
#include "rpc/member.h"
#include "rpc/overrides.h"

/** The newer spelling, or the one that clients used before. */
static const char *spelling(const json_t *object, const char *key, const char *older)
{
    return cevm_member(object, key) == NULL && cevm_member(object, older) != NULL ? older : key;
}

static bool read_withdrawal(cevm_withdrawal *out, cevm_rpc_call *call, const json_t *object)
{
    bool has = false;
    if (!json_is_object(object)) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "invalid withdrawal: an object is wanted");
    }
    return cevm_member_u64(&out->index, &has, call, object, "index") &&
           cevm_member_u64(&out->validator_index, &has, call, object, "validatorIndex") &&
           cevm_member_address(&out->address, &has, call, object, "address") &&
           cevm_member_u64(&out->amount, &has, call, object, "amount");
}

bool cevm_withdrawals_read(cevm_block_overrides *out, cevm_rpc_call *call, const json_t *list)
{
    out->has_withdrawals = list != NULL;
    if (list == NULL) {
        return true;
    }
    if (!json_is_array(list)) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "invalid withdrawals: an array is wanted");
    }
    cevm_withdrawal *withdrawals = cevm_arena_array(call->arena, json_array_size(list), sizeof *withdrawals);
    if (withdrawals == NULL) {
        return cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
    }
    for (size_t i = 0; i < json_array_size(list); ++i) {
        if (!read_withdrawal(&withdrawals[i], call, json_array_get(list, i))) {
            return false;
        }
    }
    out->withdrawals = withdrawals;
    out->withdrawal_count = json_array_size(list);
    return true;
}

bool cevm_block_overrides_read(cevm_block_overrides *out, cevm_rpc_call *call, json_t *object)
{
    cevm_u256 randao = {{0, 0, 0, 0}};
    *out = (cevm_block_overrides){.has_number = false};
    if (object == NULL) {
        return true;
    }
    if (!json_is_object(object)) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "invalid block overrides: an object is wanted");
    }
    const bool ok =
        cevm_member_u64(&out->number, &out->has_number, call, object, "number") &&
        cevm_member_u64(&out->time, &out->has_time, call, object, spelling(object, "time", "timestamp")) &&
        cevm_member_u64(&out->gas_limit, &out->has_gas_limit, call, object, "gasLimit") &&
        cevm_member_address(&out->coinbase, &out->has_coinbase, call, object,
                            spelling(object, "feeRecipient", "coinbase")) &&
        cevm_member_u256(&randao, &out->has_prev_randao, call, object, spelling(object, "prevRandao", "random")) &&
        cevm_member_u256(&out->difficulty, &out->has_difficulty, call, object, "difficulty") &&
        cevm_member_u256(&out->base_fee, &out->has_base_fee, call, object,
                         spelling(object, "baseFeePerGas", "baseFee")) &&
        cevm_member_u256(&out->blob_base_fee, &out->has_blob_base_fee, call, object, "blobBaseFee") &&
        cevm_member_hash(&out->beacon_root, &out->has_beacon_root, call, object, "beaconRoot") &&
        cevm_withdrawals_read(out, call, cevm_member(object, "withdrawals"));
    cevm_u256_to_be(out->prev_randao.bytes, &randao);
    return ok;
}

void cevm_block_overrides_apply(const cevm_block_overrides *overrides, cevm_block_env *env)
{
    env->number = overrides->has_number ? overrides->number : env->number;
    env->timestamp = overrides->has_time ? overrides->time : env->timestamp;
    env->gas_limit = overrides->has_gas_limit ? overrides->gas_limit : env->gas_limit;
    env->coinbase = overrides->has_coinbase ? overrides->coinbase : env->coinbase;
    env->prev_randao = overrides->has_prev_randao ? overrides->prev_randao : env->prev_randao;
    env->difficulty = overrides->has_difficulty ? overrides->difficulty : env->difficulty;
    env->base_fee = overrides->has_base_fee ? overrides->base_fee : env->base_fee;
    env->blob_base_fee = overrides->has_blob_base_fee ? overrides->blob_base_fee : env->blob_base_fee;
}
