/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who sent a transaction: recovery and signing. EIP-2 (low s), EIP-155 (chain id in v), EIP-2718 (y parity).
 */
#include <cevm/crypto.h>
#include <cevm/tx.h>

#include "chain/signature.h"
#include "evm/u256.h"

bool cevm_signature_in_range(const cevm_u256 *r, const cevm_u256 *s, bool low_s)
{
    static const cevm_u256 order = {
        {0xbfd25e8cd0364141u, 0xbaaedce6af48a03bu, 0xfffffffffffffffeu, 0xffffffffffffffffu}};
    static const cevm_u256 half_order = {
        {0xdfe92f46681b20a0u, 0x5d576e7357a4501du, 0xffffffffffffffffu, 0x7fffffffffffffffu}};
    if (cevm_u256_is_zero(r) || cevm_u256_is_zero(s) || !u256_lt(r, &order)) {
        return false;
    }
    return low_s ? !u256_gt(s, &half_order) : u256_lt(s, &order);
}

/** v of EIP-155 in 128 bits: 35 + 2 * chain_id + parity may pass 2^64. */
static cevm_u256 eip155_v(uint64_t chain_id, unsigned parity)
{
    const cevm_u256 doubled = {{chain_id << 1, chain_id >> 63, 0, 0}};
    const cevm_u256 rest = cevm_u256_from_u64(35 + parity);
    return u256_add(&doubled, &rest);
}

void cevm_tx_chain_of_v(cevm_tx *tx)
{
    if ((tx->v.w[2] | tx->v.w[3]) != 0 || (tx->v.w[1] == 0 && tx->v.w[0] < 35)) {
        return;
    }
    const uint64_t low = tx->v.w[0] - 35;
    const uint64_t high = tx->v.w[1] - (tx->v.w[0] < 35);
    if (high <= 1) {
        tx->has_chain_id = true;
        tx->chain_id = (low >> 1) | (high << 63);
    }
}

/** Reads the parity of the curve point out of v, or says what is wrong with v. */
static cevm_tx_error read_parity(unsigned *parity, const cevm_tx *tx, cevm_fork fork)
{
    if (tx->type != CEVM_TX_LEGACY) {
        *parity = (unsigned)(tx->v.w[0] & 1);
        return cevm_u256_fits_u64(&tx->v) && tx->v.w[0] <= 1 ? CEVM_TX_NONE : CEVM_TX_INVALID_SIGNATURE_VRS;
    }
    if (!tx->has_chain_id && cevm_u256_fits_u64(&tx->v) && (tx->v.w[0] == 27 || tx->v.w[0] == 28)) {
        *parity = (unsigned)(tx->v.w[0] - 27);
        return CEVM_TX_NONE;
    }
    const bool bare_parity =
        cevm_u256_fits_u64(&tx->v) && tx->v.w[0] <= 1; /* what typed transactions have in this place */
    if (!CEVM_HAS_EIP(fork, 155) || bare_parity) {
        return CEVM_TX_INVALID_SIGNATURE_VRS;
    }
    for (*parity = 0; tx->has_chain_id && *parity < 2; ++*parity) {
        const cevm_u256 v = eip155_v(tx->chain_id, *parity);
        if (cevm_u256_equal(&v, &tx->v)) {
            return CEVM_TX_NONE;
        }
    }
    return CEVM_TX_INVALID_CHAINID; /* v names no chain */
}

cevm_err cevm_tx_recover_sender(cevm_tx *tx, cevm_tx_error *reason, cevm_fork fork, const cevm_allocator *allocator)
{
    unsigned parity = 0;
    tx->has_sender = false;
    *reason = read_parity(&parity, tx, fork);
    if (*reason == CEVM_TX_NONE && !cevm_signature_in_range(&tx->r, &tx->s, CEVM_HAS_EIP(fork, 2))) {
        *reason = CEVM_TX_INVALID_SIGNATURE_VRS;
    }
    if (*reason != CEVM_TX_NONE) {
        return CEVM_OK;
    }
    cevm_hash digest;
    const cevm_err err = cevm_tx_signing_hash(&digest, tx, allocator);
    if (err != CEVM_OK) {
        return err;
    }
    uint8_t r[32], s[32];
    cevm_u256_to_be(r, &tx->r);
    cevm_u256_to_be(s, &tx->s);
    tx->has_sender = cevm_recover_address(&tx->sender, &digest, r, s, parity);
    if (!tx->has_sender) {
        *reason = CEVM_TX_EC_RECOVERY_FAIL;
    }
    return CEVM_OK;
}

cevm_err cevm_tx_sign(cevm_tx *tx, const uint8_t secret_key[32], const cevm_allocator *allocator)
{
    cevm_hash digest;
    cevm_address sender;
    const cevm_err err = cevm_tx_signing_hash(&digest, tx, allocator);
    if (err != CEVM_OK) {
        return err;
    }
    uint8_t r[32], s[32];
    unsigned parity = 0;
    if (!cevm_secret_to_address(&sender, secret_key) || !cevm_sign(r, s, &parity, &digest, secret_key)) {
        return CEVM_ERR_ARGUMENT;
    }
    tx->r = cevm_u256_from_be(r);
    tx->s = cevm_u256_from_be(s);
    if (tx->type != CEVM_TX_LEGACY) {
        tx->v = cevm_u256_from_u64(parity);
    } else {
        tx->v = tx->has_chain_id ? eip155_v(tx->chain_id, parity) : cevm_u256_from_u64(27 + parity);
    }
    tx->sender = sender;
    tx->has_sender = true;
    return CEVM_OK;
}
