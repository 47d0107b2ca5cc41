/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys from a mnemonic: BIP-39 (words to seed: PBKDF2 with HMAC-SHA512, no passphrase) and BIP-32 (seed to keys). The words
 * are not checked against a list: any text gives a seed.
 */
#include <stdlib.h>

#include <cevm/crypto.h>

#include <secp256k1.h>

#include "rpc/hmac.h"
#include "rpc/node_internal.h"

enum { SEED_ROUNDS = 2048, KEY_SIZE = 32, COMPRESSED = 33, MAX_DEPTH = 16 };
#define HARDENED UINT32_C(0x80000000)

/** A key that others are derived from: key and chain code. */
typedef struct extended_key {
    uint8_t key[KEY_SIZE];
    uint8_t chain_code[KEY_SIZE];
} extended_key;

static void master_key(extended_key *out, const char *mnemonic)
{
    static const cevm_bytes name = {(const uint8_t *)"Bitcoin seed", 12};
    static const cevm_bytes salt = {(const uint8_t *)"mnemonic", 8};
    uint8_t seed[CEVM_SHA512_SIZE];
    uint8_t digest[CEVM_SHA512_SIZE];
    cevm_pbkdf2_sha512(seed, (cevm_bytes){(const uint8_t *)mnemonic, strlen(mnemonic)}, salt, SEED_ROUNDS);
    cevm_hmac_sha512(digest, name, (cevm_bytes){seed, sizeof seed});
    memcpy(out->key, digest, KEY_SIZE);
    memcpy(out->chain_code, digest + KEY_SIZE, KEY_SIZE);
}

/** BIP-32's CKDpriv. The one index in 2^127 for which there is no key is a failure. */
static bool child_key(extended_key *key, const secp256k1_context *context, uint32_t index)
{
    uint8_t data[1 + KEY_SIZE + 4] = {0};
    uint8_t digest[CEVM_SHA512_SIZE];
    if (index >= HARDENED) {
        memcpy(data + 1, key->key, KEY_SIZE);
    } else {
        secp256k1_pubkey point;
        size_t size = COMPRESSED;
        if (secp256k1_ec_pubkey_create(context, &point, key->key) != 1) {
            return false;
        }
        (void)secp256k1_ec_pubkey_serialize(context, data, &size, &point, SECP256K1_EC_COMPRESSED);
    }
    cevm_store_be32(data + COMPRESSED, index);
    cevm_hmac_sha512(digest, (cevm_bytes){key->chain_code, KEY_SIZE}, (cevm_bytes){data, sizeof data});
    if (secp256k1_ec_seckey_tweak_add(context, key->key, digest) != 1) {
        return false;
    }
    memcpy(key->chain_code, digest + KEY_SIZE, KEY_SIZE);
    return true;
}

/** "m/44'/60'/0'/0/" as indices; the last slash may be missing. */
static bool parse_path(uint32_t out[MAX_DEPTH], size_t *count, const char *path)
{
    *count = 0;
    if (*path++ != 'm') {
        return false;
    }
    while (*path == '/' && path[1] != '\0') {
        char *end = NULL;
        const unsigned long number = strtoul(path + 1, &end, 10);
        if (end == path + 1 || path[1] < '0' || path[1] > '9' || number >= HARDENED || *count == MAX_DEPTH) {
            return false;
        }
        const bool hardened = *end == '\'' || *end == 'h';
        out[(*count)++] = (uint32_t)number | (hardened ? HARDENED : 0);
        path = end + (hardened ? 1 : 0);
    }
    return *path == '\0' || (*path == '/' && path[1] == '\0');
}

static bool derive(cevm_account_key *out, size_t count, const secp256k1_context *context, const char *mnemonic,
                   const char *derivation)
{
    uint32_t path[MAX_DEPTH];
    size_t depth = 0;
    extended_key parent;
    if (!parse_path(path, &depth, derivation)) {
        return false;
    }
    master_key(&parent, mnemonic);
    for (size_t i = 0; i < depth; ++i) {
        if (!child_key(&parent, context, path[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < count && i < HARDENED; ++i) {
        extended_key key = parent;
        if (!child_key(&key, context, (uint32_t)i) || !cevm_secret_to_address(&out[i].address, key.key)) {
            return false;
        }
        memcpy(out[i].secret, key.key, KEY_SIZE);
    }
    return count < HARDENED;
}

bool cevm_accounts_derive(cevm_account_key *out, size_t count, const char *mnemonic, const char *derivation)
{
    secp256k1_context *context = secp256k1_context_create(SECP256K1_CONTEXT_SIGN);
    const bool ok = context != NULL && derive(out, count, context, mnemonic, derivation);
    secp256k1_context_destroy(context);
    return ok;
}
