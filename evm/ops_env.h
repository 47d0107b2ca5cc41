/* SPDX-License-Identifier: Apache-2.0 */
/**
 * evm/ops_env.h: bodies of the opcodes that read the environment: the message, the transaction, the block, and other
 * accounts (0x30 … 0x4a). See opcodes.h for how a body is called.
 */
#ifndef CEVM_EVM_OPS_ENV_H
#define CEVM_EVM_OPS_ENV_H

#include "evm/ops_memory.h"

static inline const cevm_block_env *block_of(const cevm_frame *f)
{
    cevm_vm *vm = f->vm;
    if (vm->environment != NULL) {
        vm->environment(vm);
    }
    return vm->block;
}

static inline const cevm_tx_env *tx_of(const cevm_frame *f)
{
    (void)block_of(f);
    return f->vm->tx;
}

static inline void op_ADDRESS(const cevm_frame *f, cevm_u256 *top) { top[1] = cevm_u256_from_address(&f->address); }
static inline void op_ORIGIN(const cevm_frame *f, cevm_u256 *top)
{
    top[1] = cevm_u256_from_address(&tx_of(f)->origin);
}
static inline void op_CALLER(const cevm_frame *f, cevm_u256 *top) { top[1] = cevm_u256_from_address(&f->sender); }
static inline void op_CALLVALUE(const cevm_frame *f, cevm_u256 *top) { top[1] = f->value; }
static inline void op_GASPRICE(const cevm_frame *f, cevm_u256 *top) { top[1] = tx_of(f)->gas_price; }
static inline void op_CODESIZE(const cevm_frame *f, cevm_u256 *top) { top[1] = cevm_u256_from_u64(f->code_size); }
static inline void op_CALLDATASIZE(const cevm_frame *f, cevm_u256 *top) { top[1] = cevm_u256_from_u64(f->input.size); }

static inline void op_CALLDATALOAD(const cevm_frame *f, cevm_u256 *top)
{
    const size_t at = (size_t)top[0].w[0];
    const size_t have = cevm_u256_fits_u64(&top[0]) && top[0].w[0] < f->input.size ? f->input.size - at : 0;
    if (have >= sizeof(cevm_u256)) {
        top[0] = cevm_u256_from_be(f->input.data + at);
        return;
    }
    uint8_t word[sizeof(cevm_u256)] = {0};
    if (have != 0) {
        memcpy(word, f->input.data + at, have);
    }
    top[0] = cevm_u256_from_be(word);
}

/* EIP-211 */
static inline void op_RETURNDATASIZE(const cevm_frame *f, cevm_u256 *top)
{
    top[1] = cevm_u256_from_u64(f->vm->output.size);
}

static inline void op_COINBASE(const cevm_frame *f, cevm_u256 *top)
{
    top[1] = cevm_u256_from_address(&block_of(f)->coinbase);
}
static inline void op_TIMESTAMP(const cevm_frame *f, cevm_u256 *top)
{
    top[1] = cevm_u256_from_u64(block_of(f)->timestamp);
}
static inline void op_NUMBER(const cevm_frame *f, cevm_u256 *top) { top[1] = cevm_u256_from_u64(block_of(f)->number); }
static inline void op_GASLIMIT(const cevm_frame *f, cevm_u256 *top)
{
    top[1] = cevm_u256_from_u64(block_of(f)->gas_limit);
}

/* DIFFICULTY until EIP-4399 made it PREVRANDAO. */
static inline void op_PREVRANDAO(const cevm_frame *f, cevm_u256 *top)
{
    const cevm_block_env *block = block_of(f);
    top[1] = CEVM_HAS_EIP(f->vm->fork, 4399) ? cevm_u256_from_be(block->prev_randao.bytes) : block->difficulty;
}

/* EIP-1344 */
static inline void op_CHAINID(const cevm_frame *f, cevm_u256 *top)
{
    top[1] = cevm_u256_from_u64(block_of(f)->chain_id);
}
/* EIP-3198 */
static inline void op_BASEFEE(const cevm_frame *f, cevm_u256 *top) { top[1] = block_of(f)->base_fee; }
/* EIP-7516 */
static inline void op_BLOBBASEFEE(const cevm_frame *f, cevm_u256 *top) { top[1] = block_of(f)->blob_base_fee; }

/* EIP-4844 */
static inline void op_BLOBHASH(const cevm_frame *f, cevm_u256 *top)
{
    const cevm_tx_env *tx = tx_of(f);
    const bool there = cevm_u256_fits_u64(&top[0]) && top[0].w[0] < tx->blob_hash_count;
    top[0] = there ? cevm_u256_from_be(tx->blob_hashes[top[0].w[0]].bytes) : cevm_u256_from_u64(0);
}

static inline int op_BLOCKHASH(cevm_frame *f, cevm_u256 *top)
{
    const uint64_t current = block_of(f)->number;
    const uint64_t wanted = top[0].w[0];
    cevm_hash h = {{0}};
    if (cevm_u256_fits_u64(&top[0]) && wanted < current && current - wanted <= 256) {
        const cevm_err err = f->vm->host.vtable->block_hash(f->vm->host.ctx, &h, wanted);
        if (err != CEVM_OK) {
            return op_error(f, err);
        }
    }
    top[0] = cevm_u256_from_be(h.bytes);
    return OP_NEXT;
}

/**
 * Loads an account for an opcode that names one, charging its access from EIP-2929 on (before, the static price has it).
 * A cold account that the gas cannot pay for is not fetched.
 */
static inline int load_account(cevm_frame *f, cevm_account_info *out, const cevm_address *address, cevm_wants wants)
{
    const bool has_2929 = CEVM_HAS_EIP(f->vm->fork, 2929);
    const bool skip_cold = has_2929 && f->gas < GAS_COLD_ACCOUNT;
    f->vm->wants = wants;
    const cevm_err err = f->vm->host.vtable->load_account(f->vm->host.ctx, out, address, skip_cold);
    if (err != CEVM_OK) {
        return op_error(f, err);
    }
    /* Never asked as `skipped || cold`: that is one load of two bytes, which waits for the two stores of the host. */
    const bool cold = (skip_cold && out->skipped) || out->cold;
    if (has_2929 && !charge(f, cold ? GAS_COLD_ACCOUNT : GAS_WARM_ACCESS)) {
        return CEVM_STATUS_OUT_OF_GAS;
    }
    return OP_NEXT;
}

static inline int load_code(cevm_frame *f, cevm_code *out, const cevm_address *address, cevm_wants wants)
{
    f->vm->wants = wants;
    const cevm_err err = f->vm->host.vtable->load_code(f->vm->host.ctx, out, address);
    return err == CEVM_OK ? OP_NEXT : op_error(f, err);
}

static inline int op_BALANCE(cevm_frame *f, cevm_u256 *top)
{
    const cevm_address address = cevm_address_from_u256(&top[0]);
    cevm_account_info account;
    const int st = load_account(f, &account, &address, CEVM_WANTS_BALANCE);
    if (st == OP_NEXT) {
        top[0] = account.balance;
    }
    return st;
}

/* EIP-1884. The account that runs is warm: it was loaded when its frame began. */
static inline int op_SELFBALANCE(cevm_frame *f, cevm_u256 *top)
{
    cevm_account_info account;
    f->vm->wants = CEVM_WANTS_OWN_BALANCE;
    const cevm_err err = f->vm->host.vtable->load_account(f->vm->host.ctx, &account, &f->address, false);
    if (err != CEVM_OK) {
        return op_error(f, err);
    }
    top[1] = account.balance;
    return OP_NEXT;
}

static inline int op_EXTCODESIZE(cevm_frame *f, cevm_u256 *top)
{
    const cevm_address address = cevm_address_from_u256(&top[0]);
    cevm_account_info account;
    cevm_code code;
    int st = load_account(f, &account, &address, CEVM_WANTS_NOTHING);
    if (st == OP_NEXT) {
        st = load_code(f, &code, &address, CEVM_WANTS_CODE_SIZE);
    }
    if (st == OP_NEXT) {
        top[0] = cevm_u256_from_u64(code.bytes.size);
    }
    return st;
}

/* EIP-1052: 0 for an account that is missing or empty (EIP-161). */
static inline int op_EXTCODEHASH(cevm_frame *f, cevm_u256 *top)
{
    const cevm_address address = cevm_address_from_u256(&top[0]);
    cevm_account_info account;
    const int st = load_account(f, &account, &address, CEVM_WANTS_CODE_HASH);
    if (st == OP_NEXT) {
        const bool dead = !account.exists || cevm_account_info_is_empty(&account);
        top[0] = dead ? cevm_u256_from_u64(0) : cevm_u256_from_be(account.code_hash.bytes);
    }
    return st;
}

static inline int op_EXTCODECOPY(cevm_frame *f, cevm_u256 *top)
{
    const cevm_address address = cevm_address_from_u256(&top[0]);
    cevm_account_info account;
    cevm_code code;
    int st = copy_charge(f, &top[-1], &top[-3]);
    if (st == OP_NEXT) {
        st = load_account(f, &account, &address, CEVM_WANTS_NOTHING);
    }
    if (st == OP_NEXT && top[-3].w[0] != 0) {
        st = load_code(f, &code, &address, CEVM_WANTS_CODE);
        if (st == OP_NEXT) {
            copy_padded(f, &top[-1], code.bytes, &top[-2], &top[-3]);
        }
    }
    return st;
}

#endif
