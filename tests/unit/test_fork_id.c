/* SPDX-License-Identifier: Apache-2.0 */
/* EIP-2124: fork identifiers. The values are those of the EIP and of the networks' published configurations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cevm/chain_config.h>
#include <cevm/hex.h>

typedef struct point {
    uint64_t number;
    uint64_t timestamp;
    uint32_t id;
} point;

static void check(const char *preset, const char *genesis, const point *points, size_t count)
{
    cevm_chain_config config;
    cevm_hash hash;
    assert_true(cevm_chain_preset(&config, preset));
    assert_true(cevm_hex_decode_exact(hash.bytes, sizeof hash.bytes, genesis));
    for (size_t i = 0; i < count; ++i) {
        assert_int_equal(cevm_fork_id(&config, &hash, 0, points[i].number, points[i].timestamp), points[i].id);
    }
}

/* The table of EIP-2124, "Test cases", and the later forks. */
static void test_mainnet_eip2124(void **unused)
{
    static const point points[] = {
        {0, 0, 0xfc64ec04},
        {1149999, 0, 0xfc64ec04},
        {1150000, 0, 0x97c2c34c},
        {1919999, 0, 0x97c2c34c},
        {1920000, 0, 0x91d1f948},
        {2463000, 0, 0x7a64da13},
        {2675000, 0, 0x3edd5b10},
        {4370000, 0, 0xa00bc324},
        {7280000, 0, 0x668db0af},
        {9069000, 0, 0x879d6e30},
        {9200000, 0, 0xe029e991},
        {UINT64_MAX, 1681338454, 0xf0afd0e3},
        {UINT64_MAX, 1681338455, 0xdce96c2d},
        {UINT64_MAX, 1710338135, 0x9f3d2254},
        {UINT64_MAX, 1746612311, 0xc376cf8b},
        {UINT64_MAX, UINT64_MAX, 0x07c9462e},
    };
    (void)unused;
    check("mainnet", "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3", points,
          sizeof points / sizeof points[0]);
}

/* Its peers parted at a block after the merge. */
static void test_sepolia_netsplit(void **unused)
{
    static const point points[] = {
        {1735370, 0, 0xfe3366e7},
        {1735371, 0, 0xb96cbd13},
        {UINT64_MAX, 1677557088, 0xf7f9bc08},
        {UINT64_MAX, 1706655072, 0x88cf81d9},
    };
    (void)unused;
    check("sepolia", "0x25a5cc106eea7138acab33231d7160d69cb777ee0c2c553fcddf5138993e6dd9", points,
          sizeof points / sizeof points[0]);
}

/* What is active at the genesis is no fork. */
static void test_time_of_the_genesis(void **unused)
{
    cevm_chain_config config;
    const cevm_hash genesis = {{1}};
    (void)unused;
    assert_true(cevm_chain_preset(&config, "mainnet"));
    assert_int_equal(cevm_fork_id(&config, &genesis, 1710338135, 0, 1710338135),
                     cevm_fork_id(&config, &genesis, 0, 0, 0));
    assert_int_not_equal(cevm_fork_id(&config, &genesis, 1710338135, 0, 1746612311),
                         cevm_fork_id(&config, &genesis, 0, 0, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mainnet_eip2124),
        cmocka_unit_test(test_sepolia_netsplit),
        cmocka_unit_test(test_time_of_the_genesis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
