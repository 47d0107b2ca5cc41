/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a transaction was refused, worded as geth words it: test generators tell the reasons apart by these texts. The
 * table of reasons holds the first words of each; here come the numbers that follow them.
 */
#include <cevm/hex.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chain/validate.h"
#include "cli/t8n.h"

enum { MAX_INITCODE_SIZE = 49152, MAX_TX_GAS = 1 << 24 };

typedef char decimal[79];

static const char *dec(decimal text, const cevm_u256 *value)
{
    cevm_u256_to_decimal(text, value);
    return text;
}

/* What the reason is about, ready for print. */
typedef struct facts {
    char *out;
    const char *text;
    const cevm_tx *tx;
    const cevm_block_env *block;
    char sender[43]; /* with the upper case digits of EIP-55 */
    cevm_account_info account;
    size_t code_size;
} facts;

static void gather(facts *f, const cevm_t8n_refusal *about)
{
    cevm_address_to_text(f->sender, &f->tx->sender);
    if (about->state == NULL || !f->tx->has_sender ||
        cevm_state_get_account(about->state, &f->account, &f->tx->sender) != CEVM_OK) {
        return;
    }
    cevm_host host = cevm_state_host(about->state);
    cevm_code code;
    if (host.vtable->load_code(host.ctx, &code, &f->tx->sender) == CEVM_OK) {
        f->code_size = code.bytes.size;
    }
}

#define PUT(f, ...) ((void)snprintf((f)->out, CEVM_T8N_REASON_SIZE, __VA_ARGS__))

static void put_funds(const facts *f)
{
    decimal have, want;
    cevm_u256 cost;
    if (cevm_tx_max_cost(&cost, f->tx) != CEVM_TX_NONE) {
        PUT(f, "insufficient funds for gas * price + value: address %s required balance exceeds 256 bits", f->sender);
        return;
    }
    PUT(f, "%s: address %s have %s want %s", f->text, f->sender, dec(have, &f->account.balance), dec(want, &cost));
}

static void put_blob_room(const facts *f, const cevm_block_usage *usage)
{
    uint64_t used = usage != NULL ? usage->blob_gas_used : 0;
    PUT(f, "blob gas (%" PRIu64 ") would exceed maximum allowance %" PRIu64, used + cevm_tx_blob_gas(f->tx),
        f->block->max_blobs * CEVM_T8N_GAS_PER_BLOB);
}

static void put_blob_hash(const facts *f)
{
    size_t i = 0;
    while (i + 1 < f->tx->blob_count && f->tx->blob_hashes[i].bytes[0] == 0x01) { /* EIP-4844 */
        i++;
    }
    PUT(f, "blob %zu has invalid hash version", i);
}

/* Reasons that are about the sender's account. */
static bool put_account(const facts *f, cevm_tx_error reason)
{
    switch ((int)reason) {
    case CEVM_TX_NONCE_MISMATCH_TOO_LOW:
    case CEVM_TX_NONCE_MISMATCH_TOO_HIGH:
        PUT(f, "%s: address %s, tx: %" PRIu64 " state: %" PRIu64, f->text, f->sender, f->tx->nonce, f->account.nonce);
        return true;
    case CEVM_TX_NONCE_IS_MAX: PUT(f, "%s: address %s, nonce: %" PRIu64, f->text, f->sender, f->tx->nonce); return true;
    case CEVM_TX_SENDER_NOT_EOA:
        PUT(f, "%s: address %s, len(code): %zu", f->text, f->sender, f->code_size);
        return true;
    case CEVM_TX_GASLIMIT_PRICE_PRODUCT_OVERFLOW:
    case CEVM_TX_INSUFFICIENT_ACCOUNT_FUNDS: put_funds(f); return true;
    default: return false;
    }
}

/* Reasons that are about fees. */
static bool put_fees(const facts *f, cevm_tx_error reason)
{
    decimal a, b;
    switch ((int)reason) {
    case CEVM_TX_PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS:
        PUT(f, "%s: address %s, maxPriorityFeePerGas: %s, maxFeePerGas: %s", f->text, f->sender,
            dec(a, &f->tx->max_priority_fee), dec(b, &f->tx->max_fee));
        return true;
    case CEVM_TX_INSUFFICIENT_MAX_FEE_PER_GAS:
        PUT(f, "%s: address %s, maxFeePerGas: %s, baseFee: %s", f->text, f->sender, dec(a, &f->tx->max_fee),
            dec(b, &f->block->base_fee));
        return true;
    case CEVM_TX_INSUFFICIENT_MAX_FEE_PER_BLOB_GAS:
        PUT(f, "%s: address %s blobGasFeeCap: %s, blobBaseFee: %s", f->text, f->sender,
            dec(a, &f->tx->max_fee_per_blob_gas), dec(b, &f->block->blob_base_fee));
        return true;
    default: return false;
    }
}

/* Reasons that are about gas and size. */
static bool put_limits(const facts *f, cevm_tx_error reason)
{
    cevm_intrinsic_gas intrinsic = cevm_tx_intrinsic_gas(f->tx, f->block->fork);
    switch ((int)reason) {
    case CEVM_TX_INTRINSIC_GAS_TOO_LOW:
        PUT(f, "%s: have %" PRIu64 ", want %" PRIu64, f->text, f->tx->gas_limit, intrinsic.gas);
        return true;
    case CEVM_TX_INTRINSIC_GAS_BELOW_FLOOR_GAS_COST:
        PUT(f, "%s: have %" PRIu64 ", want %" PRIu64, f->text, f->tx->gas_limit, intrinsic.floor);
        return true;
    case CEVM_TX_GAS_LIMIT_EXCEEDS_MAXIMUM: /* EIP-7825 */
        PUT(f, "%s (cap: %d, tx: %" PRIu64 ")", f->text, MAX_TX_GAS, f->tx->gas_limit);
        return true;
    case CEVM_TX_INITCODE_SIZE_EXCEEDED: /* EIP-3860 */
        PUT(f, "%s: code size %zu limit %d", f->text, f->tx->data.size, MAX_INITCODE_SIZE);
        return true;
    default: return false;
    }
}

/* The rest. */
static void put_other(const facts *f, cevm_tx_error reason, const cevm_block_usage *usage)
{
    switch ((int)reason) {
    case CEVM_TX_INVALID_CHAINID:
        PUT(f, "%s: have %" PRIu64 " want %" PRIu64, f->text, f->tx->chain_id, f->block->chain_id);
        return;
    case CEVM_TX_TYPE_4_TX_CONTRACT_CREATION:
    case CEVM_TX_TYPE_4_EMPTY_AUTHORIZATION_LIST: PUT(f, "%s (sender %s)", f->text, f->sender); return;
    case CEVM_TX_TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH: put_blob_hash(f); return;
    case CEVM_TX_TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED:
    case CEVM_TX_TYPE_3_TX_BLOBS_ABOVE_BLOCK_LIMIT: put_blob_room(f, usage); return;
    default: break;
    }
    PUT(f, "%s", f->text);
}

void cevm_t8n_describe(char out[CEVM_T8N_REASON_SIZE], cevm_tx_error reason, const cevm_t8n_refusal *about)
{
    facts f = {.out = out, .text = cevm_tx_error_string(reason), .tx = about->tx, .block = about->block};
    gather(&f, about);
    if (!put_account(&f, reason) && !put_fees(&f, reason) && !put_limits(&f, reason)) {
        put_other(&f, reason, about->usage);
    }
}

void cevm_t8n_describe_encoding(char out[CEVM_T8N_REASON_SIZE], const cevm_t8n_tx *item)
{
    static const char *const types[] = {NULL, "AccessListTx", "DynamicFeeTx", "BlobTx", "SetCodeTx"};
    const facts f = {.out = out, .text = cevm_tx_error_string(item->reason)};
    cevm_bytes raw = item->raw;
    const char *type = raw.size != 0 && raw.data[0] < sizeof types / sizeof types[0] ? types[raw.data[0]] : NULL;
    if (raw.size <= 1) {
        PUT(&f, "typed transaction too short");
    } else if (type != NULL && raw.data[1] < 0xc0) {
        PUT(&f, "rlp: expected input list for types.%s", type);
    } else if (item->reason == CEVM_TX_TYPE_3_TX_CONTRACT_CREATION ||
               item->reason == CEVM_TX_TYPE_4_TX_CONTRACT_CREATION) {
        PUT(&f, "rlp: input string too short for common.Address, decoding into (types.Transaction)(types.%s).To",
            type != NULL ? type : "BlobTx");
    } else {
        PUT(&f, "%s", f.text);
    }
}
