/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where instructions begin: a look at the bytes before a position against a walk from the beginning of the code. SEED= repeats a
 * run, ITERATIONS= lengthens it.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "evm/analysis.h"
#include "tests/property/random.h"

enum { SIZE = 700 };

static size_t below(uint64_t *random, size_t limit) { return (size_t)(random_next(random) % limit); }

/* Bytes of which some are PUSHes, of any length or of one, and some JUMPDESTs. */
static void make_code(uint8_t *code, uint64_t *random)
{
    const size_t pushes = below(random, 100) * below(random, 100) / 100;
    const size_t length = below(random, 33);
    for (size_t i = 0; i < SIZE; ++i) {
        if (below(random, 100) < pushes) {
            code[i] = (uint8_t)(0x60 + (length != 0 ? length - 1 : below(random, 32)));
        } else {
            code[i] = below(random, 3) == 0 ? 0x5b : (uint8_t)below(random, 256);
        }
    }
}

static void test_boundaries(void **state)
{
    (void)state;
    const uint64_t seed = random_seed();
    const uint64_t programs = random_setting("ITERATIONS", 3000);
    uint64_t random = seed;
    uint64_t known = 0;
    print_message("SEED=%" PRIu64 "\n", seed);
    for (uint64_t n = 0; n < programs; ++n) {
        uint8_t *code = malloc(SIZE); /* by itself, so that a read outside is seen */
        uint32_t effort = 0;
        bool begins[SIZE] = {false};
        uint64_t bits[SIZE / 64 + 1];
        assert_non_null(code);
        make_code(code, &random);
        for (size_t pc = 0; pc < SIZE; pc += code[pc] >= 0x60 && code[pc] <= 0x7f ? (size_t)code[pc] - 0x5e : 1) {
            begins[pc] = true;
        }
        cevm_jumpdest_scan(bits, code, SIZE);
        for (size_t pc = 0; pc < SIZE; ++pc) {
            const cevm_boundary answer = cevm_boundary_at(code, pc, &effort);
            assert_true(answer == CEVM_BOUNDARY_UNKNOWN || (answer == CEVM_BOUNDARY_YES) == begins[pc]);
            assert_int_equal(jumpdest_test(bits, pc), begins[pc] && code[pc] == 0x5b);
            known += answer != CEVM_BOUNDARY_UNKNOWN;
        }
        free(code);
    }
    assert_true(known > SIZE * programs / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_boundaries)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
