/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System contracts: EIP-4788 (beacon roots), EIP-2935 (block hashes), EIP-7002 (withdrawals), EIP-7251 (consolidations).
 */
#include "chain/system_calls.h"

#include "chain/authorization.h"

enum { SYSTEM_CALL_GAS = 30000000 };

/** Sends every system call. It is only a name: the account is never created and its nonce never moves. */
static const cevm_address system_address = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                             0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe}};
const cevm_address cevm_beacon_roots_address = {{0x00, 0x0f, 0x3d, 0xf6, 0xd7, 0x32, 0x80, 0x7e, 0xf1, 0x31,
                                                 0x9f, 0xb7, 0xb8, 0xbb, 0x85, 0x22, 0xd0, 0xbe, 0xac, 0x02}};
const cevm_address cevm_history_address = {{0x00, 0x00, 0xf9, 0x08, 0x27, 0xf1, 0xc5, 0x3a, 0x10, 0xcb,
                                            0x7a, 0x02, 0x33, 0x5b, 0x17, 0x53, 0x20, 0x00, 0x29, 0x35}};
const cevm_address cevm_withdrawals_address = {{0x00, 0x00, 0x09, 0x61, 0xef, 0x48, 0x0e, 0xb5, 0x5e, 0x80,
                                                0xd1, 0x9a, 0xd8, 0x35, 0x79, 0xa6, 0x4c, 0x00, 0x70, 0x02}};
const cevm_address cevm_consolidations_address = {{0x00, 0x00, 0xbb, 0xdd, 0xc7, 0xce, 0x48, 0x86, 0x42, 0xfb,
                                                   0x57, 0x9f, 0x8b, 0x00, 0xf3, 0xa5, 0x90, 0x00, 0x72, 0x51}};

size_t cevm_system_contracts(const cevm_address *out[CEVM_MAX_SYSTEM_CONTRACTS], cevm_fork fork)
{
    size_t count = 0;
    if (CEVM_HAS_EIP(fork, 4788)) {
        out[count++] = &cevm_beacon_roots_address;
    }
    if (CEVM_HAS_EIP(fork, 2935)) {
        out[count++] = &cevm_history_address;
    }
    if (CEVM_HAS_EIP(fork, 7002)) {
        out[count++] = &cevm_withdrawals_address;
    }
    if (CEVM_HAS_EIP(fork, 7251)) {
        out[count++] = &cevm_consolidations_address;
    }
    return count;
}

size_t cevm_system_ring_slots(cevm_db_key out[CEVM_MAX_RING_SLOTS], const cevm_block_env *block)
{
    const uint64_t ring = 8191; /* both EIPs */
    const uint64_t at = block->timestamp % ring;
    size_t count = 0;
    if (CEVM_HAS_EIP(block->fork, 4788)) {
        out[count++] = (cevm_db_key){cevm_beacon_roots_address, true, cevm_u256_from_u64(at)};
        out[count++] = (cevm_db_key){cevm_beacon_roots_address, true, cevm_u256_from_u64(at + ring)};
    }
    if (CEVM_HAS_EIP(block->fork, 2935) && block->number != 0) {
        out[count++] = (cevm_db_key){cevm_history_address, true, cevm_u256_from_u64((block->number - 1) % ring)};
    }
    return count;
}

/** The call itself, inside a transaction that has begun. */
static cevm_err execute(const cevm_system_caller *c, cevm_result *result, const cevm_address *target, cevm_bytes input)
{
    const cevm_host host = cevm_state_host(c->state);
    const cevm_tx_env env = {.origin = system_address, .gas_price = c->block->base_fee};
    cevm_message message = {
        .kind = CEVM_CALL,
        .gas = SYSTEM_CALL_GAS,
        .sender = system_address,
        .recipient = *target,
        .code_address = *target,
        .input = input,
    };
    if (CEVM_HAS_EIP(c->block->fork, 7702)) { /* a system contract is called as any account is */
        const cevm_err err = cevm_delegation_follow(&message, &host);
        if (err != CEVM_OK) {
            return err;
        }
    }
    if (c->tracer != NULL && c->tracer->on_tx_start != NULL) {
        c->tracer->on_tx_start(c->tracer->ctx, c->block, &env);
    }
    const cevm_err err = cevm_vm_execute(c->vm, result, &message, c->block, &env, &host, c->tracer);
    if (err == CEVM_OK && c->tracer != NULL && c->tracer->on_tx_end != NULL) {
        c->tracer->on_tx_end(c->tracer->ctx, SYSTEM_CALL_GAS - result->gas.left);
    }
    return err;
}

/** Calls a contract; without code there (*has_code is false) nothing is done at all. */
static cevm_err call(const cevm_system_caller *c, cevm_result *result, bool *has_code, const cevm_address *target,
                     cevm_bytes input)
{
    cevm_account_info info;
    cevm_err err = cevm_state_begin_tx(c->state, c->block->fork);
    if (err == CEVM_OK) {
        err = cevm_state_get_account(c->state, &info, target);
    }
    if (err != CEVM_OK) {
        return err;
    }
    *has_code = !cevm_hash_equal(&info.code_hash, &cevm_empty_code_hash);
    if (*has_code) {
        err = execute(c, result, target, input);
    }
    return err != CEVM_OK ? err : cevm_state_end_tx(c->state);
}

/** What a contract is told at the start of a block, whatever it makes of it. */
static cevm_err tell(const cevm_system_caller *c, const cevm_address *target, const cevm_hash *word)
{
    cevm_result result;
    bool has_code;
    return call(c, &result, &has_code, target, (cevm_bytes){word->bytes, sizeof word->bytes});
}

/** What a contract is asked for at the end of a block. It must be there and must answer. */
static cevm_err ask(const cevm_system_caller *c, cevm_bytes *out, cevm_block_error *reason, const cevm_address *target)
{
    cevm_result result = {.status = CEVM_STATUS_STOP};
    bool has_code = false;
    *reason = CEVM_BLOCK_NONE;
    const cevm_err err = call(c, &result, &has_code, target, (cevm_bytes){NULL, 0});
    if (err != CEVM_OK) {
        return err;
    }
    if (!has_code) {
        *reason = CEVM_BLOCK_SYSTEM_CONTRACT_EMPTY;
    } else if (!cevm_status_is_success(result.status)) {
        *reason = CEVM_BLOCK_SYSTEM_CONTRACT_CALL_FAILED;
    }
    *out = result.output;
    return CEVM_OK;
}

cevm_err cevm_system_store_beacon_root(const cevm_system_caller *caller, const cevm_hash *root)
{
    return tell(caller, &cevm_beacon_roots_address, root);
}

cevm_err cevm_system_store_parent_hash(const cevm_system_caller *caller, const cevm_hash *hash)
{
    return tell(caller, &cevm_history_address, hash);
}

cevm_err cevm_system_take_withdrawals(const cevm_system_caller *caller, cevm_bytes *out, cevm_block_error *reason)
{
    return ask(caller, out, reason, &cevm_withdrawals_address);
}

cevm_err cevm_system_take_consolidations(const cevm_system_caller *caller, cevm_bytes *out, cevm_block_error *reason)
{
    return ask(caller, out, reason, &cevm_consolidations_address);
}
