/* SPDX-License-Identifier: Apache-2.0 */
#include "evm/keccak_memo.h"

#include <cevm/alloc.h>
#include <cevm/crypto.h>

enum { PLACE_BITS = 10 };

struct cevm_keccak_entry {
    uint64_t in[8];
    cevm_u256 out;
    bool used;
};

void cevm_keccak_memo_open(cevm_keccak_memo *memo, const cevm_allocator *allocator)
{
    memo->entries = cevm_zalloc(allocator, sizeof *memo->entries << PLACE_BITS);
}

void cevm_keccak_memo_destroy(cevm_keccak_memo *memo, const cevm_allocator *allocator)
{
    cevm_free(allocator, memo->entries);
    *memo = (cevm_keccak_memo){NULL, 0};
}

static cevm_u256 hash(const uint8_t bytes[64])
{
    cevm_hash h;
    cevm_keccak256(&h, bytes, 64);
    return cevm_u256_from_be(h.bytes);
}

cevm_u256 cevm_keccak_memo_get(cevm_keccak_memo *memo, const uint8_t bytes[64])
{
    if (memo->entries == NULL) {
        memo->count += memo->count < CEVM_KECCAK_MEMO_WORTH_IT;
        return hash(bytes);
    }
    uint64_t in[8];
    uint64_t mixed = 0;
    uint64_t different = 0;
    memcpy(in, bytes, sizeof in);
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; ++i) {
        mixed += (in[i] ^ (in[i + 4] << 32 | in[i + 4] >> 32)) * (UINT64_C(0x9e3779b97f4a7c15) + 2 * i);
    }
    cevm_keccak_entry *entry = &memo->entries[mixed >> (64 - PLACE_BITS)];
#pragma GCC unroll 8
    for (unsigned i = 0; i < 8; ++i) {
        different |= in[i] ^ entry->in[i];
    }
    if (different != 0 || !entry->used) {
        memcpy(entry->in, in, sizeof in);
        entry->out = hash(bytes);
        entry->used = true;
    }
    return entry->out;
}
