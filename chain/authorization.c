/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EIP-7702: the authorization tuples of a set-code transaction. Every authority a tuple proves is warm from then on, also
 * when the tuple then fails on its code or nonce; a tuple that fails earlier proves nobody.
 */
#include "chain/authorization.h"

#include <cevm/crypto.h>

#include "chain/signature.h"

#define EXISTING_ACCOUNT_REFUND 12500u /* PER_EMPTY_ACCOUNT_COST - PER_AUTH_BASE_COST */
#define DELEGATION_SIZE         23u
#define DELEGATION_PREFIX_SIZE  3u

static const uint8_t delegation_prefix[DELEGATION_PREFIX_SIZE] = {0xef, 0x01, 0x00};

/** Appends a number as RLP writes it: no zeros in front, one byte below 0x80 as itself. Returns the bytes written. */
static size_t put_number(uint8_t *out, const cevm_u256 *value)
{
    uint8_t word[32];
    size_t skip = 0;
    cevm_u256_to_be(word, value);
    while (skip < sizeof word && word[skip] == 0) {
        ++skip;
    }
    const size_t size = sizeof word - skip;
    if (size == 1 && word[skip] < 0x80) {
        out[0] = word[skip];
        return 1;
    }
    out[0] = (uint8_t)(0x80 + size);
    memcpy(out + 1, word + skip, size);
    return 1 + size;
}

/** The digest an authority signs. A tuple never passes 63 bytes, so it is built here without an allocation that can fail. */
static void signing_hash(cevm_hash *out, const cevm_authorization *a)
{
    enum { MAGIC_AND_PREFIX = 3, NUMBER_MAX = 33, ADDRESS = 21, NONCE_MAX = 9 };
    uint8_t payload[NUMBER_MAX + ADDRESS + NONCE_MAX];
    const cevm_u256 nonce = cevm_u256_from_u64(a->nonce);
    size_t size = put_number(payload, &a->chain_id);
    payload[size++] = 0x80 + sizeof a->address.bytes;
    memcpy(payload + size, a->address.bytes, sizeof a->address.bytes);
    size += sizeof a->address.bytes;
    size += put_number(payload + size, &nonce);

    uint8_t message[MAGIC_AND_PREFIX + sizeof payload];
    size_t at = 0;
    message[at++] = 0x05; /* EIP-7702 MAGIC */
    if (size > 55) {
        message[at++] = 0xf8;
        message[at++] = (uint8_t)size;
    } else {
        message[at++] = (uint8_t)(0xc0 + size);
    }
    memcpy(message + at, payload, size);
    cevm_keccak256(out, message, at + size);
}

bool cevm_authorization_authority(cevm_address *authority, const cevm_authorization *authorization)
{
    if (authorization->y_parity > 1 || !cevm_signature_in_range(&authorization->r, &authorization->s, true)) {
        return false;
    }
    cevm_hash digest;
    uint8_t r[32], s[32];
    signing_hash(&digest, authorization);
    cevm_u256_to_be(r, &authorization->r);
    cevm_u256_to_be(s, &authorization->s);
    return cevm_recover_address(authority, &digest, r, s, authorization->y_parity);
}

/** Points the authority's code at the tuple's address, or clears it for the zero address. */
static cevm_err set_delegation(const cevm_host *host, const cevm_address *authority, const cevm_address *target)
{
    static const cevm_address zero = {{0}};
    uint8_t code[DELEGATION_SIZE];
    memcpy(code, delegation_prefix, DELEGATION_PREFIX_SIZE);
    memcpy(code + DELEGATION_PREFIX_SIZE, target->bytes, sizeof target->bytes);
    const cevm_bytes bytes = {code, cevm_address_equal(target, &zero) ? 0 : sizeof code};
    const cevm_err err = host->vtable->set_code(host->ctx, authority, bytes);
    return err != CEVM_OK ? err : host->vtable->increment_nonce(host->ctx, authority);
}

static cevm_err apply_one(uint64_t *refund, const cevm_host *host, const cevm_authorization *a, uint64_t chain_id)
{
    const cevm_u256 ours = cevm_u256_from_u64(chain_id);
    cevm_address authority;
    if ((!cevm_u256_is_zero(&a->chain_id) && !cevm_u256_equal(&a->chain_id, &ours)) || a->nonce == UINT64_MAX ||
        !cevm_authorization_authority(&authority, a)) {
        return CEVM_OK;
    }
    cevm_account_info account;
    cevm_err err = host->vtable->load_account(host->ctx, &account, &authority, false);
    if (err != CEVM_OK) {
        return err;
    }
    if (!cevm_hash_equal(&account.code_hash, &cevm_empty_code_hash)) {
        cevm_code code;
        cevm_address target;
        err = host->vtable->load_code(host->ctx, &code, &authority);
        if (err != CEVM_OK || !cevm_delegation_target(&target, code.bytes)) {
            return err;
        }
    }
    if (account.nonce != a->nonce) {
        return CEVM_OK;
    }
    if (account.exists) {
        *refund += EXISTING_ACCOUNT_REFUND;
    }
    return set_delegation(host, &authority, &a->address);
}

cevm_err cevm_authorizations_apply(uint64_t *refund, const cevm_host *host, const cevm_tx *tx, uint64_t chain_id)
{
    *refund = 0;
    for (size_t i = 0; i < tx->authorization_count; ++i) {
        const cevm_err err = apply_one(refund, host, &tx->authorizations[i], chain_id);
        if (err != CEVM_OK) {
            return err;
        }
    }
    return CEVM_OK;
}

cevm_err cevm_delegation_follow(cevm_message *message, const cevm_host *host)
{
    cevm_code code;
    cevm_address target;
    const cevm_err err = host->vtable->load_code(host->ctx, &code, &message->recipient);
    if (err != CEVM_OK || !cevm_delegation_target(&target, code.bytes)) {
        return err;
    }
    message->code_address = target;
    message->disable_precompiles = true;
    return host->vtable->warm_account(host->ctx, &target);
}
