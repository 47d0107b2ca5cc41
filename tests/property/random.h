/* SPDX-License-Identifier: Apache-2.0 */
/**
 * tests/property/random.h: numbers of chance for property tests, and the settings that replay a run.
 */
#ifndef CEVM_TESTS_RANDOM_H
#define CEVM_TESTS_RANDOM_H

#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/** splitmix64: a generator whose whole state is one number, so that a seed repeats a run on any machine. */
static inline uint64_t random_next(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/** A number from the environment (SEED, ITERATIONS …), or another. */
static inline uint64_t random_setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}

/** SEED, or one from the clock. Print it: it replays the run. */
static inline uint64_t random_seed(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return random_setting("SEED", (uint64_t)now.tv_sec * 1000000007 + (uint64_t)now.tv_nsec);
}

#endif
