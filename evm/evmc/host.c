/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a frame asks of its host, asked of EVMC's host. EVMC's callbacks cannot fail, so only memory can run out here.
 */
#include "evm/evmc/adapter.h"

static cevm_hash hash_of(const cevm_u256 *value)
{
    cevm_hash out;
    cevm_u256_to_be(out.bytes, value);
    return out;
}

/** Warms an account from EIP-2929 on; whether it was cold. */
static bool access_account(const cevm_evmc_run *run, const cevm_address *address)
{
    return CEVM_HAS_EIP(run->fork, 2929) && !run->abi->access_account(run, address);
}

static cevm_u256 balance_of(const cevm_evmc_run *run, const cevm_address *address)
{
    const cevm_hash balance = run->callbacks.get_balance(run->context, address);
    return cevm_u256_from_be(balance.bytes);
}

/**
 * SELFDESTRUCT asks for the existence of the beneficiary, then for the balance of the account that runs. From EIP-161 on
 * the first does not matter where the second is zero.
 */
static void ask_of_heir(cevm_evmc_run *run, cevm_account_info *out, const cevm_address *address)
{
    const bool balance_counts = CEVM_HAS_EIP(run->fork, 161);
    if (balance_counts) {
        run->balance = balance_of(run, &run->vm->frames[run->vm->depth - 1]->address);
        run->has_balance = true;
    }
    const bool matters = !balance_counts ? CEVM_HAS_EIP(run->fork, 150) : !cevm_u256_is_zero(&run->balance);
    out->exists = !matters || run->callbacks.account_exists(run->context, address);
}

/** A frame that runs asks for what its opcode wants. */
static void ask_of_account(cevm_evmc_run *run, cevm_account_info *out, const cevm_address *address)
{
    switch (run->vm->wants) {
    case CEVM_WANTS_BALANCE: out->balance = balance_of(run, address); break;
    case CEVM_WANTS_EXISTENCE: out->exists = run->callbacks.account_exists(run->context, address); break;
    case CEVM_WANTS_HEIR: ask_of_heir(run, out, address); break;
    case CEVM_WANTS_CODE_HASH: /* zero when there is no account */
        out->code_hash = run->callbacks.get_code_hash(run->context, address);
        out->exists = !cevm_hash_equal(&out->code_hash, &(cevm_hash){{0}});
        break;
    case CEVM_WANTS_OWN_BALANCE:
    case CEVM_WANTS_NOTHING:
    case CEVM_WANTS_CODE_SIZE:
    case CEVM_WANTS_CODE:
    case CEVM_WANTS_CODE_TO_RUN:
    default: break;
    }
    out->nonce = out->exists ? 1 : 0;
}

/**
 * Whether an account is there is the host's to say: from EIP-161 on it says no of an empty one. Opcodes only ask
 * whether it is empty, so the nonce, which not every ABI can tell, is one or zero by that.
 */
static cevm_err load_account(void *ctx, cevm_account_info *out, const cevm_address *address, bool skip_cold)
{
    cevm_evmc_run *run = ctx;
    *out = (cevm_account_info){.code_hash = cevm_empty_code_hash};
    if (run->has_balance) {
        out->balance = run->balance;
        run->has_balance = false;
        return CEVM_OK;
    }
    if (run->vm->wants == CEVM_WANTS_OWN_BALANCE) {
        out->balance = balance_of(run, address);
        return CEVM_OK;
    }
    out->cold = access_account(run, address);
    if (skip_cold && out->cold) {
        out->skipped = true; /* it is warm now, but the frame ends here and the host takes that back */
        return CEVM_OK;
    }
    ask_of_account(run, out, address);
    return CEVM_OK;
}

/** Before a call: no more than tells whether it is a delegation, for the code is run by the host. */
static cevm_bytes code_to_run(cevm_evmc_run *run, const cevm_address *address)
{
    if (!CEVM_HAS_EIP(run->fork, 7702)) {
        return (cevm_bytes){NULL, 0};
    }
    const size_t most = sizeof run->code_begin;
    const size_t size = run->callbacks.copy_code(run->context, address, 0, run->code_begin, most);
    return (cevm_bytes){run->code_begin, size < most ? size : most};
}

/**
 * Copies the code. Room for one byte more than EIP-170 allows makes that one callback; only what is longer needs to be
 * asked for its size. The last copy is kept: until a call, which may create accounts, code does not change.
 */
static cevm_err copy_code(cevm_evmc_run *run, const cevm_address *address)
{
    size_t room = CEVM_MAX_CODE_SIZE + 1;
    size_t copied = room;
    for (int i = 0; i < 2 && copied == room; ++i) {
        room = i == 0 ? room : run->callbacks.get_code_size(run->context, address);
        uint8_t *copy = cevm_resize(NULL, run->code_copy, room != 0 ? room : 1);
        if (copy == NULL) {
            return CEVM_ERR_NOMEM;
        }
        run->code_copy = copy;
        copied = run->callbacks.copy_code(run->context, address, 0, copy, room);
    }
    run->code = (cevm_bytes){run->code_copy, copied < room ? copied : room};
    run->code_of = *address;
    run->code_known = true;
    return CEVM_OK;
}

static cevm_err load_code(void *ctx, cevm_code *out, const cevm_address *address)
{
    cevm_evmc_run *run = ctx;
    *out = (cevm_code){{NULL, 0}, {{0}}};
    if (run->given) { /* the frame's own, as it begins */
        run->given = false;
        out->bytes = run->code;
        return CEVM_OK;
    }
    const bool known = run->code_known && cevm_address_equal(&run->code_of, address);
    const cevm_wants wants = run->vm->wants;
    if (wants == CEVM_WANTS_CODE_TO_RUN) {
        out->bytes = code_to_run(run, address);
    } else if (wants == CEVM_WANTS_CODE_SIZE && !known) {
        out->bytes.size = run->callbacks.get_code_size(run->context, address);
    } else if (wants == CEVM_WANTS_CODE_SIZE || wants == CEVM_WANTS_CODE) {
        const cevm_err err = known ? CEVM_OK : copy_code(run, address);
        if (err != CEVM_OK) {
            return err;
        }
        out->bytes = run->code;
    }
    return CEVM_OK;
}

/** Warms a slot from EIP-2929 on; whether it was cold. */
static bool access_storage(const cevm_evmc_run *run, const cevm_address *address, const cevm_hash *key)
{
    return CEVM_HAS_EIP(run->fork, 2929) && !run->abi->access_storage(run, address, key);
}

static cevm_err sload(void *ctx, cevm_slot_info *out, const cevm_address *address, const cevm_u256 *key, bool skip_cold)
{
    const cevm_evmc_run *run = ctx;
    const cevm_hash slot = hash_of(key);
    *out = (cevm_slot_info){.cold = access_storage(run, address, &slot)};
    out->skipped = skip_cold && out->cold;
    if (!out->skipped) {
        const cevm_hash value = run->callbacks.get_storage(run->context, address, &slot);
        out->value = cevm_u256_from_be(value.bytes);
    }
    return CEVM_OK;
}

/** A value that is neither zero nor the given one. */
static cevm_u256 other_than(const cevm_u256 *value)
{
    cevm_u256 one = cevm_u256_from_u64(1);
    return cevm_u256_equal(value, &one) ? cevm_u256_from_u64(2) : one;
}

/**
 * EVMC says of a write which of its nine kinds it was. The prices depend on nothing else (EIP-2200), so any original
 * and present value of that kind will do; they are written X, Y, Z below as EVMC does.
 */
static void values_of_kind(cevm_sstore_info *out, int kind, const cevm_u256 *value)
{
    const cevm_u256 zero = cevm_u256_from_u64(0);
    const cevm_u256 other = other_than(value);
    switch (kind) {
    case EVMC_STORAGE_ADDED: /* 0 -> 0 -> Z */
        out->original = zero;
        out->current = zero;
        break;
    case EVMC_STORAGE_DELETED:  /* X -> X -> 0 */
    case EVMC_STORAGE_MODIFIED: /* X -> X -> Z */
        out->original = other;
        out->current = other;
        break;
    case EVMC_STORAGE_DELETED_ADDED: /* X -> 0 -> Z */
        out->original = other;
        out->current = zero;
        break;
    case EVMC_STORAGE_MODIFIED_DELETED: /* X -> Y -> 0 */
        out->original = other;
        out->current = other_than(&other);
        break;
    case EVMC_STORAGE_DELETED_RESTORED: /* X -> 0 -> X */
        out->original = *value;
        out->current = zero;
        break;
    case EVMC_STORAGE_ADDED_DELETED:     /* 0 -> Y -> 0 */
    case EVMC_STORAGE_MODIFIED_RESTORED: /* X -> Y -> X */
        out->original = *value;
        out->current = other;
        break;
    case EVMC_STORAGE_ASSIGNED: /* the rest: nothing changes, or X -> Y -> Z */
    default:
        out->original = *value;
        out->current = *value;
        break;
    }
}

static cevm_err sstore(void *ctx, cevm_sstore_info *out, const cevm_address *address, const cevm_u256 *key,
                       const cevm_u256 *value, bool skip_cold)
{
    const cevm_evmc_run *run = ctx;
    const cevm_hash slot = hash_of(key);
    const cevm_hash word = hash_of(value);
    *out = (cevm_sstore_info){.cold = access_storage(run, address, &slot)};
    out->skipped = skip_cold && out->cold;
    if (!out->skipped) {
        values_of_kind(out, run->callbacks.set_storage(run->context, address, &slot, &word), value);
    }
    return CEVM_OK;
}

static cevm_err tload(void *ctx, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key)
{
    const cevm_evmc_run *run = ctx;
    const cevm_hash slot = hash_of(key);
    const cevm_hash value = run->callbacks.get_transient_storage(run->context, address, &slot);
    *out = cevm_u256_from_be(value.bytes);
    return CEVM_OK;
}

static cevm_err tstore(void *ctx, const cevm_address *address, const cevm_u256 *key, const cevm_u256 *value)
{
    const cevm_evmc_run *run = ctx;
    const cevm_hash slot = hash_of(key);
    const cevm_hash word = hash_of(value);
    run->callbacks.set_transient_storage(run->context, address, &slot, &word);
    return CEVM_OK;
}

static cevm_err block_hash(void *ctx, cevm_hash *out, uint64_t number)
{
    const cevm_evmc_run *run = ctx;
    *out = run->callbacks.get_block_hash(run->context, (int64_t)number);
    return CEVM_OK;
}

static cevm_err selfdestruct(void *ctx, cevm_selfdestruct_info *out, const cevm_address *address,
                             const cevm_address *beneficiary)
{
    const cevm_evmc_run *run = ctx;
    out->first = run->callbacks.selfdestruct(run->context, address, beneficiary);
    return CEVM_OK;
}

static cevm_err emit_log(void *ctx, const cevm_log *log)
{
    const cevm_evmc_run *run = ctx;
    run->callbacks.emit_log(run->context, &log->address, log->data.data, log->data.size, log->topics, log->topic_count);
    return CEVM_OK;
}

/* A frame that fails is undone by EVMC's host, which began it. */
static cevm_checkpoint checkpoint(void *ctx)
{
    (void)ctx;
    return (cevm_checkpoint){0, 0};
}

static void revert(void *ctx, cevm_checkpoint mark)
{
    (void)ctx;
    (void)mark;
}

const cevm_host_vtable cevm_evmc_host = {
    .struct_size = sizeof(cevm_host_vtable),
    .load_account = load_account,
    .load_code = load_code,
    .sload = sload,
    .sstore = sstore,
    .tload = tload,
    .tstore = tstore,
    .block_hash = block_hash,
    .selfdestruct = selfdestruct,
    .log = emit_log,
    .checkpoint = checkpoint,
    .revert = revert,
};
