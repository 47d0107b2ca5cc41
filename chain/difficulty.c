/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Difficulty before the merge: Frontier's steps, EIP-2's from Homestead on, EIP-100's (which counts ommers) from Byzantium
 * on, and the bomb that doubles every 100,000 blocks, put off by EIP-649, EIP-1234, EIP-2384 (Muir Glacier), EIP-3554
 * (London), EIP-4345 (Arrow Glacier) and EIP-5133 (Gray Glacier). From EIP-3675 (Paris) on it is zero.
 */
#include <cevm/block.h>

#include "evm/u256.h"

enum { MINIMUM_DIFFICULTY = 131072, ADJUSTMENT_DIVISOR = 2048, BOMB_PERIOD = 100000 };

/** How many steps of 1/2048 the difficulty goes up (or down, when negative). */
static int steps(cevm_fork fork, uint64_t seconds, bool parent_has_ommers)
{
    const int lowest = -99;
    if (!CEVM_HAS_EIP(fork, 2)) {
        return seconds < 13 ? 1 : -1;
    }
    const bool counts_ommers = CEVM_HAS_EIP(fork, 100);
    const int highest = counts_ommers && parent_has_ommers ? 2 : 1;
    const uint64_t periods = seconds / (counts_ommers ? 9 : 10);
    return periods > (uint64_t)(highest - lowest) ? lowest : highest - (int)periods;
}

/** By how many blocks the bomb is late at `number`. */
static uint64_t bomb_delay(const cevm_chain_config *config, cevm_fork fork, uint64_t number, uint64_t timestamp)
{
    const cevm_glaciers *glaciers = &config->glaciers;
    if (cevm_is_active(&glaciers->gray, number, timestamp)) {
        return 11400000; /* EIP-5133 */
    }
    if (cevm_is_active(&glaciers->arrow, number, timestamp)) {
        return 10700000; /* EIP-4345 */
    }
    if (CEVM_HAS_EIP(fork, 3554)) {
        return 9700000;
    }
    if (cevm_is_active(&glaciers->muir, number, timestamp)) {
        return 9000000; /* EIP-2384 */
    }
    if (CEVM_HAS_EIP(fork, 1234)) {
        return 5000000;
    }
    return CEVM_HAS_EIP(fork, 649) ? 3000000 : 0;
}

/** 2^(periods - 2) from the second period on, saturating. */
static cevm_u256 bomb(uint64_t number, uint64_t delay)
{
    const uint64_t periods = number > delay ? (number - delay) / BOMB_PERIOD : 0;
    if (periods < 2) {
        return cevm_u256_from_u64(0);
    }
    const cevm_u256 one = cevm_u256_from_u64(1);
    return periods - 2 < 256 ? u256_shl_u(&one, (unsigned)(periods - 2)) : u256_max();
}

static void add_saturating(cevm_u256 *sum, const cevm_u256 *more)
{
    if (u256_add_overflow(sum, sum, more)) {
        *sum = u256_max();
    }
}

void cevm_next_difficulty(cevm_u256 *out, const cevm_chain_config *config, cevm_fork fork, uint64_t number,
                          uint64_t timestamp, const cevm_u256 *parent_difficulty, uint64_t parent_timestamp,
                          bool parent_has_ommers)
{
    if (CEVM_HAS_EIP(fork, 3675)) {
        *out = cevm_u256_from_u64(0);
        return;
    }
    const cevm_u256 divisor = cevm_u256_from_u64(ADJUSTMENT_DIVISOR);
    const cevm_u256 minimum = cevm_u256_from_u64(MINIMUM_DIFFICULTY);
    const cevm_u256 step = cevm_u256_div(parent_difficulty, &divisor);
    const uint64_t seconds = timestamp > parent_timestamp ? timestamp - parent_timestamp : 0;
    const int count = steps(fork, seconds, parent_has_ommers);
    cevm_u256 difficulty = *parent_difficulty;
    for (int i = 0; i < count; ++i) {
        add_saturating(&difficulty, &step);
    }
    for (int i = 0; i > count; --i) {
        difficulty = u256_sub(&difficulty, &step); /* at most 99/2048 of it */
    }
    const cevm_u256 more = bomb(number, bomb_delay(config, fork, number, timestamp));
    add_saturating(&difficulty, &more);
    *out = u256_lt(&difficulty, &minimum) ? minimum : difficulty;
}
