/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cevm/tx.h: transactions: the five types, their codec, their sender, and the reasons to reject one.
 *
 * A decoded transaction is immutable and may be shared between threads. Sources: EIP-155, 2718, 2930, 1559, 4844, 7702.
 */
#ifndef CEVM_TX_H
#define CEVM_TX_H

#include <cevm/forks.h>
#include <cevm/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Why a transaction is not valid; named as the official vectors name it (tx_errors.def). 0 = it is. */
typedef enum cevm_tx_error {
#define TX_ERROR(id, older, code, text) CEVM_TX_##id,
#include <cevm/tx_errors.def>
#undef TX_ERROR
    CEVM_TX_ERROR_COUNT
} cevm_tx_error;

/** "INTRINSIC_GAS_TOO_LOW": the vectors' name without its prefix; static storage, never NULL. */
CEVM_API const char *cevm_tx_error_name(cevm_tx_error error);
/** geth's wording; static storage, never NULL. */
CEVM_API const char *cevm_tx_error_string(cevm_tx_error error);
/** The JSON-RPC error code. */
CEVM_API int cevm_tx_error_rpc_code(cevm_tx_error error);
/**
 * Whether a vector's "expectException" ("TransactionException.A|TransactionException.B", "TR_NoFunds") names `error`, by
 * its ID or by another name of its row. Never true of NONE.
 */
CEVM_API bool cevm_tx_error_matches(cevm_tx_error error, const char *expected);

typedef enum cevm_tx_type {
    CEVM_TX_LEGACY = 0,
    CEVM_TX_ACCESS_LIST = 1, /* EIP-2930 */
    CEVM_TX_DYNAMIC_FEE = 2, /* EIP-1559 */
    CEVM_TX_BLOB = 3,        /* EIP-4844 */
    CEVM_TX_SET_CODE = 4     /* EIP-7702 */
} cevm_tx_type;

typedef struct cevm_access_entry {
    cevm_address address;
    const cevm_hash *keys;
    size_t key_count;
} cevm_access_entry;

/** EIP-7702 authorization tuple; fields keep the widths the EIP allows in a valid transaction. */
typedef struct cevm_authorization {
    cevm_u256 chain_id;
    cevm_address address;
    uint64_t nonce;
    uint8_t y_parity; /* any byte decodes; only 0 and 1 can be valid */
    cevm_u256 r, s;
} cevm_authorization;

/**
 * Checks that are left out of a transaction that is only tried (eth_call), or whose sender is impersonated. No transaction
 * that comes from bytes has any.
 */
enum {
    CEVM_SKIP_SENDER_CODE = 1 << 0, /* an account with code may send (EIP-3607) */
    CEVM_SKIP_GAS_CAP = 1 << 1,     /* neither EIP-7825's cap nor the room in the block counts */
    CEVM_SKIP_NONCE = 1 << 2,       /* the nonce is not compared with the sender's; the account gets the one after it */
    CEVM_SKIP_ZERO_FEES = 1 << 3,   /* fees of zero are not too low for the block: nobody is paid then */
    CEVM_SKIP_MOVED = 1 << 4, /* where a VM's precompiled contracts were moved, the usual addresses are the warm ones */
    CEVM_SKIP_INITCODE_SIZE = 1 << 5 /* initcode may be of any size (EIP-3860): see cevm_vm_config.max_code_size */
};

/**
 * A transaction. Pointers in it are owned by whoever made it: cevm_tx_decode allocates one block with the struct, freed by
 * cevm_tx_destroy; a caller may also fill the struct over its own arrays.
 */
typedef struct cevm_tx {
    cevm_tx_type type;
    bool has_chain_id; /* false: legacy without EIP-155 */
    uint64_t chain_id;
    uint64_t nonce;
    uint64_t gas_limit;
    cevm_u256 max_fee;          /* wei per gas; gas price for legacy and EIP-2930 */
    cevm_u256 max_priority_fee; /* equal to max_fee for legacy and EIP-2930 */
    bool is_create;             /* no recipient */
    cevm_address to;
    cevm_u256 value; /* wei */
    cevm_bytes data;
    const cevm_access_entry *access_list;
    size_t access_count;
    cevm_u256 max_fee_per_blob_gas;
    const cevm_hash *blob_hashes;
    size_t blob_count;
    const cevm_authorization *authorizations;
    size_t authorization_count;

    cevm_u256 v; /* as encoded: 27/28/35+… for legacy, y parity for typed */
    cevm_u256 r, s;

    cevm_address sender; /* valid when has_sender */
    bool has_sender;
    unsigned skips; /* CEVM_SKIP_…; 0 for a transaction that is meant */
} cevm_tx;

/**
 * Decodes one transaction: an RLP list (legacy) or type ‖ RLP (EIP-2718, not wrapped in a string). The blob sidecar form
 * of EIP-4844 is not accepted here. The bytes are copied; the sender is not recovered.
 *
 * @return CEVM_OK; CEVM_ERR_ENCODING with *reason set; CEVM_ERR_NOMEM. *out is NULL unless CEVM_OK.
 */
CEVM_API cevm_err cevm_tx_decode(cevm_tx **out, cevm_tx_error *reason, cevm_bytes raw, const cevm_allocator *allocator);
/** Frees a decoded transaction, with the allocator that it was decoded with. NULL is allowed. */
CEVM_API void cevm_tx_destroy(cevm_tx *tx, const cevm_allocator *allocator);

/**
 * Encodes a transaction with its signature as cevm_tx_decode reads it. Call with out = NULL to learn the size.
 * Errors: CEVM_ERR_LIMIT when capacity is too small (*size then says how much it takes), CEVM_ERR_NOMEM.
 */
CEVM_API cevm_err cevm_tx_encode(uint8_t *out, size_t *size, size_t capacity, const cevm_tx *tx,
                                 const cevm_allocator *allocator);
/** keccak256 of the encoding: the transaction's hash. Errors: CEVM_ERR_NOMEM. */
CEVM_API cevm_err cevm_tx_hash(cevm_hash *out, const cevm_tx *tx, const cevm_allocator *allocator);
/** The digest its sender signs (EIP-155 form when has_chain_id). Errors: CEVM_ERR_NOMEM. */
CEVM_API cevm_err cevm_tx_signing_hash(cevm_hash *out, const cevm_tx *tx, const cevm_allocator *allocator);

/**
 * Recovers the sender into tx->sender under the rules of `fork` (low s from EIP-2 on, EIP-155 forms from its fork on).
 * *reason: NONE; INVALID_SIGNATURE_VRS; INVALID_CHAINID (from EIP-155 on, a legacy v that is neither 0, 1, 27, 28
 * nor 35 + 2 * chain_id + {0, 1}); EC_RECOVERY_FAIL (r is the x of no point, or the key is no key). Unless it is NONE
 * tx->has_sender is false. That chain_id is the right one is for cevm_tx_validate to say. Errors: CEVM_ERR_NOMEM.
 */
CEVM_API cevm_err cevm_tx_recover_sender(cevm_tx *tx, cevm_tx_error *reason, cevm_fork fork,
                                         const cevm_allocator *allocator);
/** Signs with a secret key: sets v, r, s, sender. CEVM_ERR_ARGUMENT on a bad key. Errors: CEVM_ERR_NOMEM. */
CEVM_API cevm_err cevm_tx_sign(cevm_tx *tx, const uint8_t secret_key[32], const cevm_allocator *allocator);

#ifdef __cplusplus
}
#endif
#endif
