/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fees of a block follow from its parent: the base fee (EIP-1559), and the excess of blob gas that prices blobs
 * (EIP-4844, with the reserve price of EIP-7918).
 */
#include <cevm/block.h>

#include "evm/u256.h"

enum { ELASTICITY = 2, BASE_FEE_MAX_CHANGE_DENOMINATOR = 8, INITIAL_BASE_FEE = 1000000000 };
enum { GAS_PER_BLOB = 1 << 17, BLOB_BASE_COST = 1 << 13 };

/** floor(value * factor / divisor), saturating at 2^256-1; the product never exists whole. divisor is not 0. */
static cevm_u256 scale(const cevm_u256 *value, uint64_t factor, uint64_t divisor)
{
    const cevm_u256 by = cevm_u256_from_u64(divisor), times = cevm_u256_from_u64(factor);
    cevm_u256 quotient, remainder, whole, rest;
    cevm_u256_divmod(&quotient, &remainder, value, &by);
    const bool over = cevm_u256_mul_overflow(&whole, &quotient, &times);
    (void)cevm_u256_mul_overflow(&rest, &remainder, &times); /* two numbers below 2^64 */
    rest = cevm_u256_div(&rest, &by);
    return over || u256_add_overflow(&whole, &whole, &rest) ? u256_max() : whole;
}

void cevm_next_base_fee(cevm_u256 *out, bool parent_is_1559, const cevm_u256 *parent_base_fee, uint64_t parent_gas_used,
                        uint64_t parent_gas_limit)
{
    if (!parent_is_1559) {
        *out = cevm_u256_from_u64(INITIAL_BASE_FEE);
        return;
    }
    const uint64_t target = parent_gas_limit / ELASTICITY;
    *out = *parent_base_fee;
    if (target == 0 || parent_gas_used == target) {
        return;
    }
    const cevm_u256 denominator = cevm_u256_from_u64(BASE_FEE_MAX_CHANGE_DENOMINATOR);
    const bool rises = parent_gas_used > target;
    const uint64_t distance = rises ? parent_gas_used - target : target - parent_gas_used;
    const cevm_u256 scaled = scale(parent_base_fee, distance, target);
    cevm_u256 change = cevm_u256_div(&scaled, &denominator);
    if (!rises) {
        *out = u256_sub(parent_base_fee, &change);
        return;
    }
    if (cevm_u256_is_zero(&change)) {
        change = cevm_u256_from_u64(1);
    }
    if (u256_add_overflow(out, parent_base_fee, &change)) {
        *out = u256_max();
    }
}

/** EIP-7918: whether carrying a blob costs less than BLOB_BASE_COST gas of execution does. */
static bool is_below_reserve(const cevm_blob_params *params, uint64_t excess, const cevm_u256 *base_fee)
{
    cevm_u256 price;
    const cevm_u256 ratio = cevm_u256_from_u64(GAS_PER_BLOB / BLOB_BASE_COST);
    cevm_blob_base_fee(&price, excess, params->base_fee_update_fraction);
    return !cevm_u256_mul_overflow(&price, &price, &ratio) && u256_lt(&price, base_fee);
}

uint64_t cevm_next_excess_blob_gas(cevm_fork fork, const cevm_blob_params *params, uint64_t parent_excess,
                                   uint64_t parent_blob_gas_used, const cevm_u256 *parent_base_fee)
{
    const uint64_t target =
        params->target <= UINT64_MAX / GAS_PER_BLOB ? params->target * GAS_PER_BLOB : UINT64_MAX; /* gas */
    const uint64_t sum =
        parent_blob_gas_used <= UINT64_MAX - parent_excess ? parent_excess + parent_blob_gas_used : UINT64_MAX;
    if (sum < target) {
        return 0;
    }
    if (CEVM_HAS_EIP(fork, 7918) && params->max != 0 && is_below_reserve(params, parent_excess, parent_base_fee)) {
        const uint64_t above = params->max > params->target ? params->max - params->target : 0;
        const cevm_u256 used = cevm_u256_from_u64(parent_blob_gas_used);
        const uint64_t more = scale(&used, above, params->max).w[0]; /* not more than was used */
        return more <= UINT64_MAX - parent_excess ? parent_excess + more : UINT64_MAX;
    }
    return sum - target;
}
