/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ethash, verified the light way (Yellow Paper, appendix J): the cache of the epoch is made, and of the dataset only the 128
 * items that one nonce asks for.
 *
 * A node is 64 bytes: one output of Keccak-512, read as sixteen little-endian words. All inputs of Keccak-512 here are
 * shorter than its block of 72 bytes, so hashing is one permutation of lanes that are set directly.
 */
#include <cevm/alloc.h>
#include <cevm/crypto.h>

#include "chain/encoding.h"
#include "chain/ethash.h"
#include "chain/header_codec.h"
#include "evm/u256.h"
#include "precompiles/crypto/keccak.h"
#include "precompiles/crypto/little_endian.h"

enum {
    EPOCH_LENGTH = 30000, /* blocks */
    MAX_EPOCH = 2048,     /* bounds time and memory; Ethereum was merged in epoch 517 */
    NODE_WORDS = 16,
    NODE_BYTES = 64,
    MIX_NODES = 2,
    MIX_WORDS = MIX_NODES * NODE_WORDS,
    MIX_BYTES = MIX_NODES * NODE_BYTES,
    CACHE_ROUNDS = 3,
    DATASET_PARENTS = 256,
    ACCESSES = 64
};

typedef struct node {
    uint32_t word[NODE_WORDS];
} node;

struct cevm_ethash {
    const cevm_allocator *allocator;
    node *cache; /* of `epoch`; NULL before the first check */
    uint32_t count;
    uint64_t epoch;
};

/* ---- Hashing ------------------------------------------------------------------------------------------------------ */

/** Keccak-512 of `count` lanes (at most eight), each eight little-endian bytes of the input. */
static node keccak512(const uint64_t *lanes, size_t count)
{
    uint64_t state[25] = {0};
    node out = {{0}};
    memcpy(state, lanes, count * sizeof *lanes);
    state[count] ^= CEVM_KECCAK_PAD;
    state[8] ^= UINT64_C(0x80) << 56; /* the last byte of the block */
    cevm_keccak_permute(state);
    for (size_t i = 0; i < NODE_WORDS; ++i) {
        out.word[i] = (uint32_t)(state[i / 2] >> (32 * (i % 2)));
    }
    return out;
}

static node hash_node(const node *in)
{
    uint64_t lanes[NODE_WORDS / 2];
    for (size_t i = 0; i < NODE_WORDS / 2; ++i) {
        lanes[i] = in->word[2 * i] | (uint64_t)in->word[2 * i + 1] << 32;
    }
    return keccak512(lanes, NODE_WORDS / 2);
}

static uint32_t fnv(uint32_t a, uint32_t b) { return a * UINT32_C(0x01000193) ^ b; }

/* ---- The cache ---------------------------------------------------------------------------------------------------- */

static bool is_prime(uint64_t n)
{
    for (uint64_t d = 2; d * d <= n; ++d) {
        if (n % d == 0) {
            return false;
        }
    }
    return n > 1;
}

/** The greatest prime number of items below what linear growth gives. */
static uint64_t item_count(uint64_t first_bytes, uint64_t growth_bytes, uint64_t item_bytes, uint64_t epoch)
{
    uint64_t count = (first_bytes + growth_bytes * epoch) / item_bytes - 1;
    while (!is_prime(count)) {
        count -= 2;
    }
    return count;
}

static void fill_cache(node *cache, uint32_t count, uint64_t epoch)
{
    cevm_hash seed = {{0}};
    uint64_t lanes[4];
    for (uint64_t i = 0; i < epoch; ++i) {
        cevm_keccak256(&seed, seed.bytes, sizeof seed.bytes);
    }
    for (size_t i = 0; i < 4; ++i) {
        lanes[i] = load_le64(seed.bytes + 8 * i);
    }
    cache[0] = keccak512(lanes, 4);
    for (uint32_t i = 1; i < count; ++i) {
        cache[i] = hash_node(&cache[i - 1]);
    }
    for (int round = 0; round < CACHE_ROUNDS; ++round) {
        for (uint32_t i = 0; i < count; ++i) {
            node mixed = cache[i != 0 ? i - 1 : count - 1];
            const node *other = &cache[cache[i].word[0] % count];
            for (size_t w = 0; w < NODE_WORDS; ++w) {
                mixed.word[w] ^= other->word[w];
            }
            cache[i] = hash_node(&mixed);
        }
    }
}

/** Makes the cache of an epoch the one that is held. On an error none is. */
static cevm_err hold_cache(cevm_ethash *ethash, uint64_t epoch)
{
    if (ethash->cache != NULL && ethash->epoch == epoch) {
        return CEVM_OK;
    }
    const uint64_t count = item_count(UINT64_C(1) << 24, UINT64_C(1) << 17, NODE_BYTES, epoch);
    cevm_free(ethash->allocator, ethash->cache);
    ethash->cache = cevm_resize_array(ethash->allocator, NULL, (size_t)count, sizeof *ethash->cache);
    if (ethash->cache == NULL) {
        return CEVM_ERR_NOMEM;
    }
    ethash->count = (uint32_t)count; /* below 2^23 in the last epoch */
    ethash->epoch = epoch;
    fill_cache(ethash->cache, ethash->count, epoch);
    return CEVM_OK;
}

/* ---- Hashimoto ---------------------------------------------------------------------------------------------------- */

static node dataset_item(const cevm_ethash *ethash, uint32_t index)
{
    node mix = ethash->cache[index % ethash->count];
    mix.word[0] ^= index;
    mix = hash_node(&mix);
    for (uint32_t j = 0; j < DATASET_PARENTS; ++j) {
        const node *parent = &ethash->cache[fnv(index ^ j, mix.word[j % NODE_WORDS]) % ethash->count];
        for (size_t w = 0; w < NODE_WORDS; ++w) {
            mix.word[w] = fnv(mix.word[w], parent->word[w]);
        }
    }
    return hash_node(&mix);
}

/** The mix digest and the result of a nonce; `sealed` is the hash of the header without its seal. */
static void hashimoto(cevm_hash *digest, cevm_hash *result, const cevm_ethash *ethash, const cevm_hash *sealed,
                      const uint8_t nonce[8])
{
    const uint32_t pages =
        (uint32_t)item_count(UINT64_C(1) << 30, UINT64_C(1) << 23, MIX_BYTES, ethash->epoch); /* below 2^28 */
    uint64_t lanes[5];
    uint32_t mix[MIX_WORDS];
    uint8_t last[NODE_BYTES + sizeof digest->bytes];
    for (size_t i = 0; i < 4; ++i) {
        lanes[i] = load_le64(sealed->bytes + 8 * i);
    }
    lanes[4] = cevm_load_be64(nonce); /* written the other way round */
    const node seed = keccak512(lanes, 5);
    for (size_t i = 0; i < MIX_WORDS; ++i) {
        mix[i] = seed.word[i % NODE_WORDS];
    }
    for (uint32_t i = 0; i < ACCESSES; ++i) {
        const uint32_t page = fnv(i ^ seed.word[0], mix[i % MIX_WORDS]) % pages;
        for (uint32_t n = 0; n < MIX_NODES; ++n) {
            const node item = dataset_item(ethash, MIX_NODES * page + n);
            for (size_t w = 0; w < NODE_WORDS; ++w) {
                mix[n * NODE_WORDS + w] = fnv(mix[n * NODE_WORDS + w], item.word[w]);
            }
        }
    }
    for (size_t i = 0; i < MIX_WORDS; i += 4) {
        store_le32(digest->bytes + i, fnv(fnv(fnv(mix[i], mix[i + 1]), mix[i + 2]), mix[i + 3]));
    }
    for (size_t i = 0; i < NODE_WORDS; ++i) {
        store_le32(last + 4 * i, seed.word[i]);
    }
    memcpy(last + NODE_BYTES, digest->bytes, sizeof digest->bytes);
    cevm_keccak256(result, last, sizeof last);
}

/** Whether result <= floor(2^256 / difficulty). */
static bool is_hard_enough(const cevm_hash *result, const cevm_u256 *difficulty)
{
    const cevm_u256 one = cevm_u256_from_u64(1), max = u256_max(), value = cevm_u256_from_be(result->bytes);
    cevm_u256 bound, remainder;
    if (cevm_u256_is_zero(difficulty)) {
        return false;
    }
    if (cevm_u256_equal(difficulty, &one)) {
        return true; /* the bound, 2^256, does not fit a word */
    }
    cevm_u256_divmod(&bound, &remainder, &max, difficulty);
    remainder = u256_add(&remainder, &one);
    if (cevm_u256_equal(&remainder, difficulty)) {
        bound = u256_add(&bound, &one); /* difficulty divides 2^256 */
    }
    return !u256_gt(&value, &bound);
}

cevm_err cevm_ethash_create(cevm_ethash **out, const cevm_allocator *allocator)
{
    cevm_ethash *ethash = cevm_zalloc(allocator, sizeof *ethash);
    *out = ethash;
    if (ethash == NULL) {
        return CEVM_ERR_NOMEM;
    }
    ethash->allocator = allocator;
    return CEVM_OK;
}

void cevm_ethash_destroy(cevm_ethash *ethash)
{
    if (ethash != NULL) {
        cevm_free(ethash->allocator, ethash->cache);
        cevm_free(ethash->allocator, ethash);
    }
}

cevm_err cevm_ethash_hash(cevm_ethash *ethash, cevm_hash *digest, cevm_hash *result, uint64_t number,
                          const cevm_hash *sealed, const uint8_t nonce[8])
{
    const uint64_t epoch = number / EPOCH_LENGTH;
    if (epoch > MAX_EPOCH) {
        return CEVM_ERR_LIMIT;
    }
    const cevm_err err = hold_cache(ethash, epoch);
    if (err == CEVM_OK) {
        hashimoto(digest, result, ethash, sealed, nonce);
    }
    return err;
}

cevm_err cevm_ethash_verify(cevm_ethash *ethash, bool *valid, const cevm_header *header)
{
    cevm_hash sealed, digest, result;
    cevm_buf buf;
    cevm_buf_init(&buf, ethash->allocator);
    cevm_header_put(&buf, header, false);
    cevm_err err = cevm_hash_finish(&sealed, &buf);
    if (err == CEVM_OK) {
        err = cevm_ethash_hash(ethash, &digest, &result, header->number, &sealed, header->nonce);
    }
    if (err == CEVM_OK) {
        *valid = cevm_hash_equal(&digest, &header->mix_hash) && is_hard_enough(&result, &header->difficulty);
    }
    return err;
}

cevm_err cevm_ethash_check(bool *valid, const cevm_header *header, const cevm_allocator *allocator)
{
    cevm_ethash *ethash;
    cevm_err err = cevm_ethash_create(&ethash, allocator);
    if (err == CEVM_OK) {
        err = cevm_ethash_verify(ethash, valid, header);
        cevm_ethash_destroy(ethash);
    }
    return err;
}
