/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of <openssl/sha.h> are called deprecated since OpenSSL 3.0, which wants providers to be used. */
#define OPENSSL_API_COMPAT 0x10101000L

#include "rpc/hmac.h"

#include <openssl/sha.h>

enum { BLOCK = 128 };

/* A key, ready for use: the two hashes with their first block taken in. */
typedef struct hmac_key {
    SHA512_CTX inner, outer;
} hmac_key;

static void begin(SHA512_CTX *out, const uint8_t key[BLOCK], uint8_t pad)
{
    uint8_t block[BLOCK];
    for (size_t i = 0; i < BLOCK; ++i) {
        block[i] = key[i] ^ pad;
    }
    (void)SHA512_Init(out);
    (void)SHA512_Update(out, block, BLOCK);
}

static void prepare(hmac_key *out, cevm_bytes key)
{
    uint8_t block[BLOCK] = {0};
    if (key.size > BLOCK) {
        (void)SHA512(key.data, key.size, block);
    } else if (key.size != 0) {
        memcpy(block, key.data, key.size);
    }
    begin(&out->inner, block, 0x36);
    begin(&out->outer, block, 0x5c);
}

/* The MAC of data and, behind it, tail. */
static void mac(uint8_t out[CEVM_SHA512_SIZE], const hmac_key *key, cevm_bytes data, cevm_bytes tail)
{
    SHA512_CTX context = key->inner;
    (void)SHA512_Update(&context, data.data, data.size);
    (void)SHA512_Update(&context, tail.data, tail.size);
    (void)SHA512_Final(out, &context);
    context = key->outer;
    (void)SHA512_Update(&context, out, CEVM_SHA512_SIZE);
    (void)SHA512_Final(out, &context);
}

void cevm_hmac_sha512(uint8_t out[CEVM_SHA512_SIZE], cevm_bytes key, cevm_bytes data)
{
    hmac_key prepared;
    prepare(&prepared, key);
    mac(out, &prepared, data, (cevm_bytes){NULL, 0});
}

void cevm_pbkdf2_sha512(uint8_t out[CEVM_SHA512_SIZE], cevm_bytes password, cevm_bytes salt, unsigned rounds)
{
    static const uint8_t first[4] = {0, 0, 0, 1};
    uint8_t link[CEVM_SHA512_SIZE];
    hmac_key key;
    prepare(&key, password);
    mac(link, &key, salt, (cevm_bytes){first, sizeof first});
    memcpy(out, link, sizeof link);
    for (unsigned i = 1; i < rounds; ++i) {
        mac(link, &key, (cevm_bytes){link, sizeof link}, (cevm_bytes){NULL, 0});
        for (size_t k = 0; k < sizeof link; ++k) {
            out[k] ^= link[k];
        }
    }
}
