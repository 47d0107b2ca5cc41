/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configurations by name (cevm/chain_config.h). The fork identifiers of EIP-2124 are hashes over the genesis and every
 * activation, so they say whether a preset has them all: those of mainnet up to Petersburg are in the EIP's text, the
 * later ones are what the networks' nodes announce (EIP-7910 shows mainnet's of Osaka and the blob forks, EIP-7892).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include <cevm/chain_config.h>
#include <cevm/hex.h>

static cevm_chain_config preset(const char *name)
{
    cevm_chain_config config;
    assert_true(cevm_chain_preset(&config, name));
    return config;
}

/* ---- EIP-2124 ---------------------------------------------------------------------------------------------------- */

/* CRC-32 (IEEE 802.3) of bytes that follow those whose CRC is `crc`. */
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

static int by_size(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

enum { MOST_FORKS = CEVM_FORK_COUNT + 8 + CEVM_MAX_BLOB_SCHEDULE };

static void add(uint64_t *list, size_t *count, const cevm_activation *a, cevm_activation_kind kind)
{
    if (a->kind == kind && a->at != 0) {
        list[(*count)++] = a->at;
    }
}

/* Activations by block, then by time, each list in order; what is active at genesis is left out. */
static size_t activations(uint64_t out[MOST_FORKS], const cevm_chain_config *c, uint64_t netsplit)
{
    size_t blocks = 0;
    for (int f = 0; f < CEVM_FORK_COUNT; ++f) {
        add(out, &blocks, &c->forks[f], CEVM_BY_BLOCK);
    }
    add(out, &blocks, &c->glaciers.muir, CEVM_BY_BLOCK);
    add(out, &blocks, &c->glaciers.arrow, CEVM_BY_BLOCK);
    add(out, &blocks, &c->glaciers.gray, CEVM_BY_BLOCK);
    add(out, &blocks, &c->dao_fork, CEVM_BY_BLOCK);
    if (netsplit != 0) {
        out[blocks++] = netsplit;
    }
    qsort(out, blocks, sizeof *out, by_size);
    size_t count = blocks;
    for (int f = 0; f < CEVM_FORK_COUNT; ++f) {
        add(out, &count, &c->forks[f], CEVM_BY_TIME);
    }
    for (size_t i = 0; i < c->blob_schedule_count; ++i) {
        if (c->blob_schedule[i].timestamp != 0) {
            out[count++] = c->blob_schedule[i].timestamp;
        }
    }
    qsort(out + blocks, count - blocks, sizeof *out, by_size);
    return count;
}

static void check_fork_ids(const char *name, const char *genesis, uint64_t netsplit, const uint32_t *expected,
                           size_t expected_count)
{
    uint64_t list[MOST_FORKS];
    uint8_t hash[32];
    const cevm_chain_config config = preset(name);
    const size_t count = activations(list, &config, netsplit);
    assert_true(cevm_hex_decode_exact(hash, sizeof hash, genesis));
    uint32_t crc = crc32_more(0, hash, sizeof hash);
    size_t seen = 0;
    assert_int_equal(crc, expected[seen++]);
    for (size_t i = 0; i < count; ++i) {
        uint8_t number[8];
        if (i > 0 && list[i] == list[i - 1]) {
            continue;
        }
        cevm_store_be64(number, list[i]);
        crc = crc32_more(crc, number, sizeof number);
        assert_true(seen < expected_count);
        assert_int_equal(crc, expected[seen++]);
    }
    assert_int_equal(seen, expected_count);
}

static void test_mainnet_fork_ids_eip2124(void **unused)
{
    static const uint32_t ids[] = {0xfc64ec04, 0x97c2c34c, 0x91d1f948, 0x7a64da13, 0x3edd5b10, 0xa00bc324, 0x668db0af,
                                   0x879d6e30, 0xe029e991, 0x0eb440f6, 0xb715077d, 0x20c327fc, 0xf0afd0e3, 0xdce96c2d,
                                   0x9f3d2254, 0xc376cf8b, 0x5167e2a6, 0xcba2a1c0, 0x07c9462e};
    (void)unused;
    check_fork_ids("mainnet", "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3", 0, ids,
                   sizeof ids / sizeof ids[0]);
}

/* Sepolia split its network at a block after the merge (MergeNetsplit), which is a fork for its peers only. */
static void test_sepolia_fork_ids_eip2124(void **unused)
{
    static const uint32_t ids[] = {0xfe3366e7, 0xb96cbd13, 0xf7f9bc08, 0x88cf81d9,
                                   0xed88b5fd, 0xe2ae4999, 0x56078a1e, 0x268956b6};
    (void)unused;
    check_fork_ids("sepolia", "0x25a5cc106eea7138acab33231d7160d69cb777ee0c2c553fcddf5138993e6dd9", 1735371, ids,
                   sizeof ids / sizeof ids[0]);
}

static void test_hoodi_fork_ids_eip2124(void **unused)
{
    static const uint32_t ids[] = {0xbef71d30, 0x0929e24e, 0xe7e0e7ff, 0x3893353e, 0x23aa1351};
    (void)unused;
    check_fork_ids("hoodi", "0xbbe312868b376a3001692a646dd2d7d1e4406380dfd86b98aa8a34d1557c971b", 0, ids,
                   sizeof ids / sizeof ids[0]);
}

/* ---- Forks ------------------------------------------------------------------------------------------------------- */

static void check_boundary(const cevm_chain_config *c, cevm_fork before, cevm_fork fork, uint64_t number)
{
    assert_int_equal(cevm_chain_fork(c, number - 1, 0, false), before);
    assert_int_equal(cevm_chain_fork(c, number, 0, false), fork);
}

static void test_forks_begin_with_their_block(void **unused)
{
    const cevm_chain_config c = preset("mainnet");
    (void)unused;
    assert_int_equal(cevm_chain_fork(&c, 0, 0, false), CEVM_FRONTIER);
    check_boundary(&c, CEVM_FRONTIER, CEVM_HOMESTEAD, 1150000);
    check_boundary(&c, CEVM_HOMESTEAD, CEVM_TANGERINE_WHISTLE, 2463000);
    check_boundary(&c, CEVM_TANGERINE_WHISTLE, CEVM_SPURIOUS_DRAGON, 2675000);
    check_boundary(&c, CEVM_SPURIOUS_DRAGON, CEVM_BYZANTIUM, 4370000);
    check_boundary(&c, CEVM_BYZANTIUM, CEVM_PETERSBURG, 7280000); /* Constantinople lasted no block */
    check_boundary(&c, CEVM_PETERSBURG, CEVM_ISTANBUL, 9069000);
    check_boundary(&c, CEVM_ISTANBUL, CEVM_BERLIN, 12244000);
    check_boundary(&c, CEVM_BERLIN, CEVM_LONDON, 12965000);
}

static void test_forks_by_time_wait_for_the_merge_eip3675(void **unused)
{
    const cevm_chain_config c = preset("mainnet");
    (void)unused;
    assert_int_equal(cevm_chain_fork(&c, 15537393, 1663224162, false), CEVM_LONDON);
    assert_int_equal(cevm_chain_fork(&c, 15537394, 1663224179, true), CEVM_PARIS);
    assert_int_equal(cevm_chain_fork(&c, 17034869, 1681338454, true), CEVM_PARIS);
    assert_int_equal(cevm_chain_fork(&c, 17034870, 1681338455, true), CEVM_SHANGHAI);
    assert_int_equal(cevm_chain_fork(&c, 19426587, 1710338135, true), CEVM_CANCUN);
    assert_int_equal(cevm_chain_fork(&c, 22431084, 1746612311, true), CEVM_PRAGUE);
    assert_int_equal(cevm_chain_fork(&c, 23935694, 1764798551, true), CEVM_OSAKA);
    assert_int_equal(cevm_chain_fork(&c, 23935694, 1764798551, false), CEVM_LONDON);
}

static void test_activation_kinds(void **unused)
{
    const cevm_activation block = {CEVM_BY_BLOCK, 5}, time = {CEVM_BY_TIME, 100};
    const cevm_activation none = {CEVM_NOT_ACTIVATED, 0}, total = {CEVM_BY_TOTAL_DIFFICULTY, 0};
    (void)unused;
    assert_false(cevm_is_active(&block, 4, UINT64_MAX));
    assert_true(cevm_is_active(&block, 5, 0));
    assert_false(cevm_is_active(&time, UINT64_MAX, 99));
    assert_true(cevm_is_active(&time, 0, 100));
    assert_false(cevm_is_active(&none, UINT64_MAX, UINT64_MAX));
    assert_false(cevm_is_active(&total, UINT64_MAX, UINT64_MAX));
}

static void test_each_fork_alone(void **unused)
{
    (void)unused;
    for (int f = 0; f < CEVM_FORK_COUNT; ++f) {
        cevm_chain_config c;
        const cevm_fork fork = (cevm_fork)f;
        cevm_chain_config_at_fork(&c, fork);
        assert_int_equal(cevm_chain_fork(&c, 0, 0, CEVM_HAS_EIP(fork, 3675)), fork);
        assert_int_equal(c.chain_id, 1);
        assert_true(cevm_u256_is_zero(&c.terminal_total_difficulty));
        const cevm_blob_params params = cevm_chain_blob_params(&c, 0);
        const cevm_blob_params expected = cevm_blob_params_default(fork);
        assert_memory_equal(&params, &expected, sizeof params);
    }
}

/* ---- Blobs ------------------------------------------------------------------------------------------------------- */

static void check_blobs(const cevm_chain_config *c, uint64_t time, uint64_t target, uint64_t max, uint64_t fraction)
{
    const cevm_blob_params p = cevm_chain_blob_params(c, time);
    assert_int_equal(p.target, target);
    assert_int_equal(p.max, max);
    assert_int_equal(p.base_fee_update_fraction, fraction);
}

static void test_blob_schedule_eip7840_eip7892(void **unused)
{
    const cevm_chain_config c = preset("mainnet");
    const cevm_chain_config dev = preset("dev");
    (void)unused;
    check_blobs(&c, 1710338134, 0, 0, 0);
    check_blobs(&c, 1710338135, 3, 6, 3338477);
    check_blobs(&c, 1746612311, 6, 9, 5007716);
    check_blobs(&c, 1764798551, 6, 9, 5007716);
    check_blobs(&c, 1765290070, 6, 9, 5007716);
    check_blobs(&c, 1765290071, 10, 15, 8346193);
    check_blobs(&c, 1767747671, 14, 21, 11684671);
    check_blobs(&c, UINT64_MAX, 14, 21, 11684671);
    check_blobs(&dev, 0, 14, 21, 11684671);
}

/* ---- The rest ---------------------------------------------------------------------------------------------------- */

static void check_address(const cevm_address *address, const char *expected)
{
    char text[43];
    cevm_address_to_text(text, address);
    assert_string_equal(text, expected);
}

static void test_other_constants(void **unused)
{
    char decimal[79];
    const cevm_chain_config mainnet = preset("Mainnet"), sepolia = preset("sepolia"), dev = preset("dev");
    cevm_chain_config untouched = {.chain_id = 77};
    (void)unused;
    cevm_u256_to_decimal(decimal, &mainnet.terminal_total_difficulty); /* EIP-3675 */
    assert_string_equal(decimal, "58750000000000000000000");
    cevm_u256_to_decimal(decimal, &sepolia.terminal_total_difficulty);
    assert_string_equal(decimal, "17000000000000000");
    assert_int_equal(mainnet.chain_id, 1);
    assert_int_equal(sepolia.chain_id, 11155111);
    assert_int_equal(dev.chain_id, 1337);
    assert_int_equal(cevm_chain_fork(&dev, 0, 0, true), CEVM_LATEST);
    check_address(&mainnet.deposit_contract, "0x00000000219ab540356cBB839Cbe05303d7705Fa"); /* EIP-6110 */
    check_address(&sepolia.deposit_contract, "0x7f02C3E3c98b133055B8B348B2Ac625669Ed295D");
    assert_true(mainnet.dao_fork.kind == CEVM_BY_BLOCK && mainnet.dao_fork.at == 1920000); /* EIP-779 */
    assert_true(sepolia.dao_fork.kind == CEVM_NOT_ACTIVATED);
    assert_true(mainnet.checks_seal);
    assert_false(cevm_chain_preset(&untouched, "goerli"));
    assert_int_equal(untouched.chain_id, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mainnet_fork_ids_eip2124),
        cmocka_unit_test(test_sepolia_fork_ids_eip2124),
        cmocka_unit_test(test_hoodi_fork_ids_eip2124),
        cmocka_unit_test(test_forks_begin_with_their_block),
        cmocka_unit_test(test_forks_by_time_wait_for_the_merge_eip3675),
        cmocka_unit_test(test_activation_kinds),
        cmocka_unit_test(test_each_fork_alone),
        cmocka_unit_test(test_blob_schedule_eip7840_eip7892),
        cmocka_unit_test(test_other_constants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
