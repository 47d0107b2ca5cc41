/* SPDX-License-Identifier: Apache-2.0 */
/**
 * evm/keccak_memo.h: hashes of 64 bytes, remembered.
 *
 * A contract hashes 64 bytes whenever it looks into a mapping: the key and the number of the mapping's slot. The same few come
 * again and again, and looking one up takes a tenth of the time of hashing. A VM that hashes so remembers some, one to a place,
 * the latest. Inputs made to miss cost a few nanoseconds more each.
 */
#ifndef CEVM_EVM_KECCAK_MEMO_H
#define CEVM_EVM_KECCAK_MEMO_H

#include <cevm/types.h>

typedef struct cevm_keccak_entry cevm_keccak_entry;

typedef struct cevm_keccak_memo {
    cevm_keccak_entry *entries; /* NULL until enough has been hashed */
    uint32_t count;             /* hashes of 64 bytes until then */
} cevm_keccak_memo;

enum { CEVM_KECCAK_MEMO_WORTH_IT = 64 };

/** Makes room to remember. Without memory nothing is remembered. */
void cevm_keccak_memo_open(cevm_keccak_memo *memo, const cevm_allocator *allocator);
/** The same when that seems worth it; between executions. */
static inline void cevm_keccak_memo_begin(cevm_keccak_memo *memo, const cevm_allocator *allocator)
{
    if (memo->count >= CEVM_KECCAK_MEMO_WORTH_IT && memo->entries == NULL) {
        cevm_keccak_memo_open(memo, allocator);
    }
}
void cevm_keccak_memo_destroy(cevm_keccak_memo *memo, const cevm_allocator *allocator);

/** The Keccak-256 hash of 64 bytes as a number. */
cevm_u256 cevm_keccak_memo_get(cevm_keccak_memo *memo, const uint8_t bytes[64]);

#endif
