/* SPDX-License-Identifier: Apache-2.0 */
/* Remembered hashes are the hashes, whatever else came to the same place before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cevm/crypto.h>

#include "evm/keccak_memo.h"
#include "tests/property/random.h"

static void check(cevm_keccak_memo *memo, const uint8_t bytes[64])
{
    cevm_hash h;
    cevm_keccak256(&h, bytes, 64);
    const cevm_u256 expected = cevm_u256_from_be(h.bytes);
    for (int times = 0; times < 2; ++times) {
        const cevm_u256 got = cevm_keccak_memo_get(memo, bytes);
        assert_true(cevm_u256_equal(&got, &expected));
    }
}

static void test_remembered_hashes(void **state)
{
    (void)state;
    cevm_keccak_memo memo = {NULL, 0};
    uint8_t bytes[64] = {0};
    uint64_t random = 1;
    cevm_keccak_memo_begin(&memo, NULL);
    assert_null(memo.entries);
    for (uint64_t i = 0; i < 20000; ++i) {
        cevm_keccak_memo_begin(&memo, NULL);
        switch (i % 4) {
        case 0: cevm_store_be64(bytes + 24, i); break;
        case 1: cevm_store_be64(bytes + 56, i % 7); break;
        case 2: memset(bytes, 0, sizeof bytes); break; /* what an empty place holds */
        default: cevm_store_be64(bytes + random_next(&random) % 57, random_next(&random)); break;
        }
        check(&memo, bytes);
    }
    assert_non_null(memo.entries);
    cevm_keccak_memo_destroy(&memo, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_remembered_hashes)};
    return cmocka_run_group_tests_name("keccak_memo", tests, NULL, NULL);
}
