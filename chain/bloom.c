/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bloom filter of a block's or a receipt's logs (Yellow Paper, section 4.3.1): a value sets three of 2048 bits, each
 * named by 11 bits of its hash; bit 0 is the last byte's lowest.
 */
#include <cevm/block.h>
#include <cevm/crypto.h>

enum { BLOOM_BITS = 2048, HASHES = 3 };

void cevm_bloom_add(cevm_bloom *bloom, cevm_bytes value)
{
    cevm_hash hash;
    cevm_keccak256(&hash, value.data, value.size);
    for (size_t i = 0; i < HASHES; ++i) {
        const unsigned bit = ((unsigned)hash.bytes[2 * i] << 8 | hash.bytes[2 * i + 1]) % BLOOM_BITS;
        bloom->bytes[sizeof bloom->bytes - 1 - bit / 8] |= (uint8_t)(1u << bit % 8);
    }
}

void cevm_bloom_add_logs(cevm_bloom *bloom, const cevm_log *logs, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        cevm_bloom_add(bloom, (cevm_bytes){logs[i].address.bytes, sizeof logs[i].address.bytes});
        for (uint32_t t = 0; t < logs[i].topic_count; ++t) {
            cevm_bloom_add(bloom, (cevm_bytes){logs[i].topics[t].bytes, sizeof logs[i].topics[t].bytes});
        }
    }
}
