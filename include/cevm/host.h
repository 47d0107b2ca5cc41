/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cevm/host.h: what the VM asks of the world it runs in.
 *
 * A host keeps accounts, storage, warmth (EIP-2929), transient storage (EIP-1153) and logs, and can undo them to a
 * checkpoint. It never executes code. The journal in state/ is the host the library brings (cevm_state_host); write your
 * own to run the VM over other state.
 *
 * Every function returns CEVM_OK or an error that ends the execution at once and is returned from cevm_vm_execute.
 * Pointers given to the host are borrowed for the call. Pointers the host gives out stay valid as said below.
 *
 * Threads: called only from the thread that is in cevm_vm_execute.
 */
#ifndef CEVM_HOST_H
#define CEVM_HOST_H

#include <cevm/forks.h>
#include <cevm/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An account as the VM sees it. A missing account has zero fields, the hash of no code, and exists = false. */
typedef struct cevm_account_info {
    cevm_u256 balance; /* wei */
    uint64_t nonce;
    cevm_hash code_hash; /* keccak256(code); keccak256("") for none */
    bool exists;         /* in the state, even if empty (before EIP-161 that can be) */
    bool has_storage; /* any non-zero slot (EIP-7610); set by load_account only when the nonce is 0 and code is empty */
    bool cold;        /* this load was the first of the transaction (EIP-2929); it warms the account */
    bool skipped;     /* skip_cold was set and the account is cold: nothing fetched, nothing warmed, fields undefined */
} cevm_account_info;

/** Empty in the sense of EIP-161: no nonce, no balance, no code. A missing account is empty too. */
static inline bool cevm_account_info_is_empty(const cevm_account_info *a)
{
    return a->nonce == 0 && cevm_u256_is_zero(&a->balance) && cevm_hash_equal(&a->code_hash, &cevm_empty_code_hash);
}

/** Code of an account. bytes stay valid and unchanged until the transaction ends. */
typedef struct cevm_code {
    cevm_bytes bytes;
    cevm_hash hash;
} cevm_code;

/** A storage slot read. */
typedef struct cevm_slot_info {
    cevm_u256 value;
    bool cold;    /* first access of the transaction (EIP-2929); it warms the slot */
    bool skipped; /* as in cevm_account_info */
} cevm_slot_info;

/** A storage slot written; what the gas rules of EIP-2200 need. */
typedef struct cevm_sstore_info {
    cevm_u256 original; /* value at the start of the transaction */
    cevm_u256 current;  /* value before this write */
    bool cold;
    bool skipped; /* skip_cold was set and the slot is cold: nothing written */
} cevm_sstore_info;

/** What a SELFDESTRUCT did. */
typedef struct cevm_selfdestruct_info {
    bool first; /* the account was not yet marked for deletion in this transaction (refund before EIP-3529) */
} cevm_selfdestruct_info;

/** A log record (LOG0 … LOG4). */
typedef struct cevm_log {
    cevm_address address;
    uint32_t topic_count; /* 0 … 4 */
    cevm_hash topics[4];
    cevm_bytes data;
} cevm_log;

/** A mark to revert to; opaque to the VM. */
typedef struct cevm_checkpoint {
    size_t journal;
    size_t logs;
} cevm_checkpoint;

typedef struct cevm_host_vtable {
    size_t struct_size; /* sizeof(cevm_host_vtable) */

    /** Reads an account and warms it. With skip_cold a cold account is left alone (the gas cannot pay for it). */
    cevm_err (*load_account)(void *ctx, cevm_account_info *out, const cevm_address *address, bool skip_cold);
    /** Reads the code of an account (loading the account if need be); does not warm. */
    cevm_err (*load_code)(void *ctx, cevm_code *out, const cevm_address *address);
    /** Reads a slot and warms it. */
    cevm_err (*sload)(void *ctx, cevm_slot_info *out, const cevm_address *address, const cevm_u256 *key,
                      bool skip_cold);
    /** Writes a slot and warms it, and says what was there. */
    cevm_err (*sstore)(void *ctx, cevm_sstore_info *out, const cevm_address *address, const cevm_u256 *key,
                       const cevm_u256 *value, bool skip_cold);
    /** Transient storage (EIP-1153). */
    cevm_err (*tload)(void *ctx, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key);
    cevm_err (*tstore)(void *ctx, const cevm_address *address, const cevm_u256 *key, const cevm_u256 *value);
    /** Hash of block `number`; the VM asks only for the 256 before the current one. All zero when unknown. */
    cevm_err (*block_hash)(void *ctx, cevm_hash *out, uint64_t number);

    /** Warms an address without reading it (EIP-2929, EIP-2930, EIP-3651). */
    cevm_err (*warm_account)(void *ctx, const cevm_address *address);
    /**
     * Moves value (which may be zero) and touches the recipient: before EIP-161 that creates it, from EIP-161 on an empty
     * one is deleted when the transaction ends. The VM has checked the balance.
     */
    cevm_err (*transfer)(void *ctx, const cevm_address *from, const cevm_address *to, const cevm_u256 *value);
    /**
     * Begins a contract at an address the VM has checked to be free: storage cleared, "created in this transaction" set
     * (EIP-6780), nonce 1 from EIP-161 on and 0 before. A balance it already had stays.
     */
    cevm_err (*create_account)(void *ctx, const cevm_address *address);
    /** Adds one to a nonce. The VM has checked that it is below 2^64-1 (EIP-2681). */
    cevm_err (*increment_nonce)(void *ctx, const cevm_address *address);
    /** Sets the code of an account; bytes are copied. */
    cevm_err (*set_code)(void *ctx, const cevm_address *address, cevm_bytes code);
    /**
     * SELFDESTRUCT: the whole balance goes to the beneficiary (touching it), and the account is deleted when the
     * transaction ends; from EIP-6780 on only if it was created in this transaction (otherwise just the balance moves, and
     * to itself means nothing happens).
     */
    cevm_err (*selfdestruct)(void *ctx, cevm_selfdestruct_info *out, const cevm_address *address,
                             const cevm_address *beneficiary);
    /** Appends a log; copied. */
    cevm_err (*log)(void *ctx, const cevm_log *log);

    /** Marks the present state; it may be reverted to as long as no earlier mark has been. */
    cevm_checkpoint (*checkpoint)(void *ctx);
    /** Undoes everything since the mark: values, warmth, transient storage, logs, marks for deletion. Cannot fail. */
    void (*revert)(void *ctx, cevm_checkpoint mark);
} cevm_host_vtable;

typedef struct cevm_host {
    const cevm_host_vtable *vtable;
    void *ctx;
} cevm_host;

#ifdef __cplusplus
}
#endif
#endif
