/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures on secp256k1, by libsecp256k1. Recovery uses the library's static context, which nothing ever writes, so any
 * number of threads may. Signing needs a context with the generator's blinding: each call builds its own on the stack, for
 * the library has no global state and neither have we.
 */
#include <cevm/crypto.h>

#include <secp256k1.h>
#include <secp256k1_preallocated.h>
#include <secp256k1_recovery.h>

/* Version 0.2 asks for about 200 bytes; the tables of precomputed points are constants of the library since 0.1. */
enum { CONTEXT_ROOM = 4096 };

typedef struct context_room {
    _Alignas(max_align_t) uint8_t bytes[CONTEXT_ROOM];
} context_room;

/* A signing context within room; NULL only if a library yet to come needs more than we hold. It owns nothing else. */
static secp256k1_context *signing_context(context_room *room)
{
    if (secp256k1_context_preallocated_size(SECP256K1_CONTEXT_SIGN) > sizeof room->bytes) {
        return NULL;
    }
    return secp256k1_context_preallocated_create(room->bytes, SECP256K1_CONTEXT_SIGN);
}

/* keccak256 of the 64 bytes of a public key, without the prefix that says it is uncompressed; its last 20 bytes. */
static void address_of_key(cevm_address *out, const secp256k1_pubkey *key)
{
    uint8_t encoded[65];
    size_t size = sizeof encoded;
    cevm_hash hash;
    (void)secp256k1_ec_pubkey_serialize(secp256k1_context_static, encoded, &size, key, SECP256K1_EC_UNCOMPRESSED);
    cevm_keccak256(&hash, encoded + 1, sizeof encoded - 1);
    memcpy(out->bytes, hash.bytes + sizeof hash.bytes - sizeof out->bytes, sizeof out->bytes);
}

bool cevm_recover_address(cevm_address *out, const cevm_hash *digest, const uint8_t r[32], const uint8_t s[32],
                          unsigned y_parity)
{
    secp256k1_ecdsa_recoverable_signature signature;
    secp256k1_pubkey key;
    uint8_t compact[64];
    if (y_parity > 1) {
        return false; /* the library knows 2 and 3 too (r plus the group order); Ethereum does not */
    }
    memcpy(compact, r, 32);
    memcpy(compact + 32, s, 32);
    /* The first refuses r, s >= n; the second r, s = 0, an r that is no x-coordinate, and a key at infinity. */
    if (secp256k1_ecdsa_recoverable_signature_parse_compact(secp256k1_context_static, &signature, compact,
                                                            (int)y_parity) != 1 ||
        secp256k1_ecdsa_recover(secp256k1_context_static, &key, &signature, digest->bytes) != 1) {
        return false;
    }
    address_of_key(out, &key);
    return true;
}

bool cevm_sign(uint8_t r[32], uint8_t s[32], unsigned *y_parity, const cevm_hash *digest, const uint8_t secret_key[32])
{
    context_room room;
    secp256k1_ecdsa_recoverable_signature signature;
    uint8_t compact[64];
    int recovery_id = 0;
    secp256k1_context *context = signing_context(&room);
    if (context == NULL) {
        return false;
    }
    const bool done = secp256k1_ecdsa_sign_recoverable(context, &signature, digest->bytes, secret_key,
                                                       secp256k1_nonce_function_rfc6979, NULL) == 1;
    secp256k1_context_preallocated_destroy(context);
    if (!done || secp256k1_ecdsa_recoverable_signature_serialize_compact(secp256k1_context_static, compact,
                                                                         &recovery_id, &signature) != 1) {
        return false;
    }
    if (recovery_id > 1) {
        return false; /* an r above the field's last n values: chance 2^-127, and Ethereum could not carry it */
    }
    memcpy(r, compact, 32);
    memcpy(s, compact + 32, 32);
    *y_parity = (unsigned)recovery_id;
    return true;
}

bool cevm_secret_to_address(cevm_address *out, const uint8_t secret_key[32])
{
    context_room room;
    secp256k1_pubkey key;
    secp256k1_context *context = signing_context(&room);
    if (context == NULL) {
        return false;
    }
    const bool done = secp256k1_ec_pubkey_create(context, &key, secret_key) == 1;
    secp256k1_context_preallocated_destroy(context);
    if (done) {
        address_of_key(out, &key);
    }
    return done;
}
