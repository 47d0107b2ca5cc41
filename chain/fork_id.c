/* SPDX-License-Identifier: Apache-2.0 */
/* EIP-2124: which rules a node follows, in four bytes. EIP-6122 counts activations by time as well. */
#include <cevm/chain_config.h>

/** CRC-32 (IEEE 802.3) of bytes that follow those whose CRC is `crc`. */
static uint32_t crc32_more(uint32_t crc, const uint8_t *data, size_t size)
{
    crc = ~crc;
    for (size_t i = 0; i < size; ++i) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1)));
        }
    }
    return ~crc;
}

/** Takes the activation for the next one if it comes after `last`, not after `end`, and before what was found so far. */
static void consider(uint64_t *next, const cevm_activation *a, cevm_activation_kind kind, uint64_t last, uint64_t end)
{
    if (a->kind == kind && a->at > last && a->at <= end && a->at < *next) {
        *next = a->at;
    }
}

/** The first activation of a kind after `last` and up to `end`; UINT64_MAX when there is none. */
static uint64_t next_activation(const cevm_chain_config *c, cevm_activation_kind kind, uint64_t last, uint64_t end)
{
    uint64_t next = UINT64_MAX;
    for (int f = 0; f < CEVM_FORK_COUNT; ++f) {
        consider(&next, &c->forks[f], kind, last, end);
    }
    consider(&next, &c->glaciers.muir, kind, last, end);
    consider(&next, &c->glaciers.arrow, kind, last, end);
    consider(&next, &c->glaciers.gray, kind, last, end);
    consider(&next, &c->dao_fork, kind, last, end);
    consider(&next, &c->merge_netsplit, kind, last, end);
    for (size_t i = 0; i < c->blob_schedule_count; ++i) {
        const cevm_activation a = {CEVM_BY_TIME, c->blob_schedule[i].timestamp};
        consider(&next, &a, kind, last, end);
    }
    return next;
}

static uint32_t add_activations(uint32_t crc, const cevm_chain_config *config, cevm_activation_kind kind,
                                uint64_t first, uint64_t end)
{
    uint64_t at = next_activation(config, kind, first, end);
    while (at != UINT64_MAX) {
        uint8_t number[8];
        cevm_store_be64(number, at);
        crc = crc32_more(crc, number, sizeof number);
        at = next_activation(config, kind, at, end);
    }
    return crc;
}

uint32_t cevm_fork_id(const cevm_chain_config *config, const cevm_hash *genesis, uint64_t genesis_time, uint64_t number,
                      uint64_t timestamp)
{
    uint32_t crc = crc32_more(0, genesis->bytes, sizeof genesis->bytes);
    crc = add_activations(crc, config, CEVM_BY_BLOCK, 0, number);
    return add_activations(crc, config, CEVM_BY_TIME, genesis_time, timestamp);
}
