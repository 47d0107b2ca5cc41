/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/fee_history.h"

#include <stdlib.h>

#include <cevm/alloc.h>

#include "evm/u256.h"

enum {
    SUGGEST_BLOCKS = 20,    /* looked at for a tip */
    SUGGEST_SAMPLES = 3,    /* lowest tips of each */
    SUGGEST_PERCENTILE = 60 /* of all samples */
};
#define DEFAULT_TIP 1000000000u /* wei per gas */
#define MIN_TIP     1u          /* tips below do not count: they were let in by hand */

/** Wei per gas that the coinbase gets of a transaction of the block, above the base fee. */
static void tip_of(cevm_u256 *out, const cevm_record *record, size_t index)
{
    const cevm_header *header = &record->block.header;
    const cevm_u256 *price = &record->receipts[index].gas_price;
    const cevm_u256 zero = {{0, 0, 0, 0}};
    *out =
        header->has_base_fee ? (u256_lt(price, &header->base_fee) ? zero : u256_sub(price, &header->base_fee)) : *price;
}

/* ---- Percentiles --------------------------------------------------------------------------------------------------- */

typedef struct tipped {
    cevm_u256 tip;
    uint64_t gas_used;
} tipped;

static int compare_tips(const void *a, const void *b)
{
    const tipped *x = a;
    const tipped *y = b;
    return u256_lt(&x->tip, &y->tip) ? -1 : u256_lt(&y->tip, &x->tip) ? 1 : 0;
}

cevm_err cevm_fee_percentiles(cevm_u256 *out, const cevm_record *record, const double *percentiles, size_t count,
                              const cevm_allocator *allocator)
{
    const size_t tx_count = record->block.tx_count;
    memset(out, 0, count * sizeof *out);
    if (tx_count == 0 || count == 0) {
        return CEVM_OK;
    }
    tipped *sorted = cevm_resize_array(allocator, NULL, tx_count, sizeof *sorted);
    if (sorted == NULL) {
        return CEVM_ERR_NOMEM;
    }
    for (size_t i = 0; i < tx_count; ++i) {
        tip_of(&sorted[i].tip, record, i);
        sorted[i].gas_used = record->receipts[i].gas_used;
    }
    qsort(sorted, tx_count, sizeof *sorted, compare_tips);
    size_t at = 0;
    uint64_t sum = sorted[0].gas_used;
    for (size_t i = 0; i < count; ++i) {
        const uint64_t threshold = (uint64_t)((double)record->block.header.gas_used * percentiles[i] / 100);
        while (sum < threshold && at + 1 < tx_count) {
            sum += sorted[++at].gas_used;
        }
        out[i] = sorted[at].tip;
    }
    cevm_free(allocator, sorted);
    return CEVM_OK;
}

/* ---- Fees of blocks ------------------------------------------------------------------------------------------------ */

void cevm_record_blob_fee(cevm_u256 *out, const cevm_record *record)
{
    *out = record->block.header.has_blob_gas ? record->env.blob_base_fee : cevm_u256_from_u64(0);
}

void cevm_next_fees(cevm_u256 *base_fee, cevm_u256 *blob_base_fee, const cevm_world *world, const cevm_record *record)
{
    const cevm_header *header = &record->block.header;
    const cevm_chain_config *config = &world->settings.config;
    const cevm_fork fork = cevm_chain_fork(config, header->number + 1, header->timestamp, record->is_merged);
    const cevm_blob_params params = cevm_chain_blob_params(config, header->timestamp);
    *base_fee = cevm_u256_from_u64(0);
    *blob_base_fee = cevm_u256_from_u64(0);
    if (CEVM_HAS_EIP(fork, 1559)) {
        cevm_next_base_fee(base_fee, header->has_base_fee, &header->base_fee, header->gas_used, header->gas_limit);
    }
    if (record == world->head && world->settings.has_next_base_fee) {
        *base_fee = world->settings.next_base_fee;
    }
    if (header->has_blob_gas && params.base_fee_update_fraction != 0) {
        const uint64_t excess =
            cevm_next_excess_blob_gas(fork, &params, header->excess_blob_gas, header->blob_gas_used, &header->base_fee);
        cevm_blob_base_fee(blob_base_fee, excess, params.base_fee_update_fraction);
    }
}

/* ---- Suggesting ---------------------------------------------------------------------------------------------------- */

/** The lowest tips of a block that count, ascending; returns how many. */
static size_t lowest_tips(cevm_u256 out[SUGGEST_SAMPLES], const cevm_record *record)
{
    const cevm_u256 least = cevm_u256_from_u64(MIN_TIP);
    size_t count = 0;
    for (size_t i = 0; i < record->block.tx_count; ++i) {
        cevm_u256 tip;
        tip_of(&tip, record, i);
        if (u256_lt(&tip, &least)) {
            continue;
        }
        size_t at = count < SUGGEST_SAMPLES ? count++ : SUGGEST_SAMPLES;
        for (; at > 0 && u256_lt(&tip, &out[at - 1]); --at) {
            if (at < SUGGEST_SAMPLES) {
                out[at] = out[at - 1];
            }
        }
        if (at < SUGGEST_SAMPLES) {
            out[at] = tip;
        }
    }
    return count;
}

static int compare_words(const void *a, const void *b)
{
    const cevm_u256 *x = a;
    const cevm_u256 *y = b;
    return u256_lt(x, y) ? -1 : u256_lt(y, x) ? 1 : 0;
}

void cevm_suggest_tip(cevm_u256 *out, const cevm_world *world)
{
    cevm_u256 samples[SUGGEST_BLOCKS * SUGGEST_SAMPLES];
    size_t count = 0;
    const uint64_t head = world->head->block.header.number;
    for (uint64_t back = 0; back < SUGGEST_BLOCKS && back <= head - world->first; ++back) {
        const cevm_record *record = cevm_world_block(world, head - back);
        if (record != NULL) {
            count += lowest_tips(&samples[count], record);
        }
    }
    if (count == 0) {
        *out = cevm_u256_from_u64(DEFAULT_TIP);
        return;
    }
    qsort(samples, count, sizeof samples[0], compare_words);
    *out = samples[(count - 1) * SUGGEST_PERCENTILE / 100];
}
