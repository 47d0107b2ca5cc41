/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Difficulty before the merge: Frontier, EIP-2, EIP-100, and the bomb as EIP-649, EIP-1234, EIP-2384, EIP-3554, EIP-4345
 * and EIP-5133 put it off. Cases out of the official DifficultyTests, by their names there, and all of them when the vectors
 * are at hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cevm/block.h>
#include <cevm/hex.h>

#include "tests/unit/vector_file.h"

typedef struct difficulty_case {
    const char *rules; /* the vectors' name of a fork or glacier */
    const char *name;
    uint64_t number, parent_timestamp, timestamp;
    const char *parent_difficulty;
    bool parent_has_ommers;
    const char *expected;
} difficulty_case;

static const difficulty_case samples[] = {
    {"Frontier", "DifficultyTest1940", 2900000, 0x537d7218, 0x537d723e, "0xd84070b43cb0b0b", true, "0xd82568a6a6291aa"},
    {"Frontier", "DifficultyTest291", 4600000, 0x313ab7c64, 0x313ab7c68, "0x4d50c756d172c76e", true,
     "0x4d5a816fbc4cf5c6"},
    {"Frontier", "DifficultyTest924", 4200000, 0x40fdf036e, 0x40fdf0380, "0x2ab0983ea7fef4a", false,
     "0x2aab522ba029f4d"},
    {"Frontier", "DifficultyTest1104", 2600000, 0x492f5aa97, 0x492f5aaad, "0x68f4e09642e0c20", false,
     "0x68e7c1fa401865f"},
    {"Homestead", "DifficultyTest687", 100000, 0x396e6274d, 0x396e6275b, "0x694effe9db7e175", false,
     "0x694effe9db7e175"},
    {"Homestead", "DifficultyTest1917", 600000, 0x700dbf5d4, 0x700dbf5fa, "0x575089ce2400857d", true,
     "0x573ab5abb077856d"},
    {"Homestead", "DifficultyTest119", 2100000, 0x77e20651, 0x77e20653, "0x6ec3277a76847759", false,
     "0x6ed0ffdf65db47e7"},
    {"Homestead", "DifficultyTest1577", 900000, 0x390c14ee5, 0x390c14f05, "0x1dfdeb62024f7beb", false,
     "0x1df66be729cee88d"},
    {"Byzantium", "DifficultyTest1415", 4300000, 0x5805241c3, 0x5805241df, "0x101ea2cba5542e91", false,
     "0x101a9b22f26ae187"},
    {"Byzantium", "DifficultyTest34", 3400000, 0x3d91bcf5, 0x3d91bcf6, "0x16115aa7f077dfbc", false,
     "0x16141cd34575eebb"},
    {"Byzantium", "DifficultyTest7", 700000, 0x2dff3f7a1, 0x2dff3f7a2, "0x66c24b6ae4a3e85b", false,
     "0x66cf23b452007cd8"},
    {"Byzantium", "DifficultyTest1907", 4500000, 0x143528277, 0x14352829d, "0x4ee3253e48c24886", false,
     "0x4ec5901051671fab"},
    {"Byzantium", "DifficultyTest373", 3000000, 0x14fea023, 0x14fea029, "0x46c9d9cb40920a", true, "0x46db8c41b3622e"},
    {"Constantinople", "DifficultyTest975", 4400000, 0x5a2fd5ca4, 0x5a2fd5cb6, "0x31cca74eb2a69adf", true,
     "0x31cca74eb2a69adf"},
    {"Constantinople", "DifficultyTest1374", 200000, 0x78824e64f, 0x78824e66b, "0x1df163598df5294b", false,
     "0x1de9e700b791ac01"},
    {"Constantinople", "DifficultyTest1918", 700000, 0x6449c4175, 0x6449c419b, "0x11984597f3c3f7e6", true,
     "0x1193df868dc706ea"},
    {"Constantinople", "DifficultyTest1046", 1700000, 0x1225177f7, 0x12251780b, "0x698032a11a1d3831", true,
     "0x698032a11a1d3831"},
    {"Berlin", "TestHeight4866628", 4866628, 0xc4d1c488, 0xc4d1c4bd, "0x7478a1439ef63748", true, "0x744cf407259a9af6"},
    {"Berlin", "TestHeight13611957", 13611957, 0x504dc45c, 0x504dc492, "0x6dcb56cac2739c9e", true,
     "0x6d94811f5d1262d2"},
    {"Berlin", "TestHeight17469570", 17469570, 0x64127f32, 0x64127f60, "0x5a686f5826a84851", true,
     "0x400005a46882e6599c936"},
    {"Berlin", "TestHeight14874201", 14874201, 0x1ace471c, 0x1ace4724, "0x226522c0085b9861", false,
     "0x23696f64605ca3d4"},
    {"Berlin", "TestHeight13153217", 13153217, 0x9c25aa2a, 0x9c25aa2c, "0x1f99425e3653491e", false,
     "0x1f9d3606821a1387"},
    {"ArrowGlacier", "difficultyArrowGlacierMinus1-804", 14699999, 0x0, 0x13, "0x223a2d17232652", false,
     "0x223605d18041ee"},
    {"ArrowGlacier", "difficultyArrowGlacierMinus1-457", 12899999, 0x0, 0x49, "0x223a2d17232652", true,
     "0x2220817559cbfa"},
    {"ArrowGlacier", "difficultyArrowGlacierMinus1-245", 11899999, 0x0, 0x13, "0x223a2d17232652", true,
     "0x223a2d17232852"},
    {"ArrowGlacier", "difficultyArrowGlacierMinus1-800", 14699999, 0x0, 0x1, "0x223a2d17232652", false,
     "0x223e945cc60ab6"},
    {"ArrowGlacier", "difficultyArrowGlacierForkBlock-466", 13773000, 0x0, 0x52, "0x6f2abf51ac981d98", false,
     "0x6ebb94926aeb8580"},
    {"ArrowGlacier", "difficultyArrowGlacierForkBlock-130", 13773000, 0x0, 0x13, "0xd04fbe3b40541d98", false,
     "0xd035b44388ec1315"},
    {"GrayGlacier", "difficultyGrayGlacierMinus1-226", 12499999, 0x0, 0x1c, "0x223a2d17232652", false,
     "0x22319e8bdd5e8a"},
    {"GrayGlacier", "difficultyGrayGlacierMinus1-668", 14699999, 0x0, 0x25, "0x223a2d17232652", false,
     "0x222d57863a7926"},
    {"GrayGlacier", "difficultyGrayGlacierMinus1-508", 13899999, 0x0, 0x25, "0x223a2d17232652", false,
     "0x222d57467a7926"},
    {"GrayGlacier", "difficultyGrayGlacierMinus1-214", 12399999, 0x0, 0x40, "0x223a2d17232652", false,
     "0x2220817551cc7a"},
    {"GrayGlacier", "difficultyGrayGlacierTimeDiff1-128", 15700000, 0x0, 0x248, "0x223a2d17232652", false,
     "0x212ea2f40cf1b6"},
    {"GrayGlacier", "difficultyGrayGlacierTimeDiff1-0", 15700000, 0x0, 0x8, "0x223a2d17232652", false,
     "0x2240745cc60ab6"},
    {"GrayGlacier", "difficultyGrayGlacierTimeDiff1-1", 15700000, 0x0, 0x8, "0x223a2d17232652", true,
     "0x2244bba268ef1a"},
};

/** A chain that has been under one set of rules from its first block on. */
typedef struct rules {
    cevm_fork fork;
    cevm_chain_config config;
} rules;

static rules rules_of(const char *name)
{
    static const cevm_activation from_the_start = {CEVM_BY_BLOCK, 0};
    rules r = {0};
    if (!cevm_fork_by_name(&r.fork, name)) {
        fail_msg("no rules called %s", name);
    }
    if (strcmp(name, "Berlin") == 0) {
        r.config.glaciers.muir = from_the_start;
    } else if (strcmp(name, "ArrowGlacier") == 0) {
        r.config.glaciers.arrow = from_the_start;
    } else if (strcmp(name, "GrayGlacier") == 0) {
        r.config.glaciers.arrow = from_the_start;
        r.config.glaciers.gray = from_the_start;
    }
    return r;
}

static cevm_u256 number_of(const char *text)
{
    cevm_u256 value;
    if (!cevm_u256_from_text(&value, text)) {
        fail_msg("\"%s\" is no number", text);
    }
    return value;
}

static void expect(const rules *r, const difficulty_case *c)
{
    const cevm_u256 parent = number_of(c->parent_difficulty), expected = number_of(c->expected);
    cevm_u256 actual;
    cevm_next_difficulty(&actual, &r->config, r->fork, c->number, c->timestamp, &parent, c->parent_timestamp,
                         c->parent_has_ommers);
    if (!cevm_u256_equal(&actual, &expected)) {
        char text[80];
        cevm_u256_to_hex(text, &actual);
        fail_msg("%s, %s: %s instead of %s", c->rules, c->name, text, c->expected);
    }
}

static void test_samples(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; ++i) {
        const rules r = rules_of(samples[i].rules);
        expect(&r, &samples[i]);
    }
}

/* ---- All of the vectors ------------------------------------------------------------------------------------------ */

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    assert_non_null(text);
    return text;
}

static difficulty_case case_of(const char *fork, const char *name, const json_t *entry)
{
    const char *ommers = text_at(entry, "parentUncles"); /* 0, 1, or the hash of the ommers */
    char none[2 * 32 + 3] = "0x";
    cevm_hex_encode(none + 2, cevm_empty_ommers_hash.bytes, sizeof cevm_empty_ommers_hash.bytes);
    difficulty_case c = {.rules = fork, .name = name};
    c.number = number_of(text_at(entry, "currentBlockNumber")).w[0];
    c.timestamp = number_of(text_at(entry, "currentTimestamp")).w[0];
    c.parent_timestamp = number_of(text_at(entry, "parentTimestamp")).w[0];
    c.parent_difficulty = text_at(entry, "parentDifficulty");
    c.parent_has_ommers = strcmp(ommers, "0x00") != 0 && strcmp(ommers, none) != 0;
    c.expected = text_at(entry, "currentDifficulty");
    return c;
}

/** {name: {"_info": ..., rules: {case: ...}}} */
static size_t run_file(const char *path)
{
    json_t *root = open_vectors(path);
    const char *test, *fork, *name;
    json_t *of_test, *of_fork, *entry;
    size_t count = 0;
    json_object_foreach(root, test, of_test)
    {
        json_object_foreach(of_test, fork, of_fork)
        {
            if (strcmp(fork, "_info") == 0) {
                continue;
            }
            const rules r = rules_of(fork);
            json_object_foreach(of_fork, name, entry)
            {
                const difficulty_case c = case_of(fork, name, entry);
                expect(&r, &c);
                ++count;
            }
        }
    }
    json_decref(root);
    return count;
}

static void test_difficulty_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        size_t count;
    } files[] = {
        {"dfFrontier/difficultyFrontier", 2254},
        {"dfHomestead/difficultyHomestead", 2254},
        {"dfByzantium/difficultyByzantium", 2254},
        {"dfConstantinople/difficultyConstantinople", 2254},
        {"dfEIP2384/difficultyEIP2384", 2254},
        {"dfEIP2384/difficultyEIP2384_random_to20M", 1000},
        {"dfArrowGlacier/difficultyArrowGlacierForkBlock", 500},
        {"dfArrowGlacier/difficultyArrowGlacierMinus1", 880},
        {"dfArrowGlacier/difficultyArrowGlacierTimeDiff1", 202},
        {"dfArrowGlacier/difficultyArrowGlacierTimeDiff2", 202},
        {"dfGrayGlacier/difficultyGrayGlacierForkBlock", 500},
        {"dfGrayGlacier/difficultyGrayGlacierMinus1", 880},
        {"dfGrayGlacier/difficultyGrayGlacierTimeDiff1", 202},
        {"dfGrayGlacier/difficultyGrayGlacierTimeDiff2", 202},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; ++i) {
        char path[256];
        (void)snprintf(path, sizeof path, "EthereumTestsMisc/DifficultyTests/%s.json", files[i].path);
        assert_int_equal(run_file(path), files[i].count);
    }
}

/** {case: ...}, on a chain whose forks come at the blocks where mainnet or another had them. */
static void run_chain(const char *file, uint64_t homestead, uint64_t byzantium, uint64_t constantinople, size_t count)
{
    char path[256];
    (void)snprintf(path, sizeof path, "EthereumTestsMisc/BasicTests/%s.json", file);
    json_t *root = open_vectors(path), *entry;
    const char *name;
    rules r = {0};
    r.config.forks[CEVM_HOMESTEAD] = (cevm_activation){CEVM_BY_BLOCK, homestead};
    r.config.forks[CEVM_BYZANTIUM] = (cevm_activation){CEVM_BY_BLOCK, byzantium};
    r.config.forks[CEVM_CONSTANTINOPLE] = (cevm_activation){CEVM_BY_BLOCK, constantinople};
    assert_int_equal(json_object_size(root), count);
    json_object_foreach(root, name, entry)
    {
        const difficulty_case c = case_of(file, name, entry);
        r.fork = cevm_chain_fork(&r.config, c.number, c.timestamp, false);
        expect(&r, &c);
    }
    json_decref(root);
}

static void test_chains(void **state)
{
    (void)state;
    run_chain("difficulty", 1150000, 4370000, 7280000, 14);
    run_chain("difficultyMainNetwork", 1150000, 4370000, 7280000, 2254);
    run_chain("difficultyCustomMainNetwork", 1150000, 4370000, 7280000, 360);
    run_chain("difficultyRopsten", 0, 1700000, 4230000, 2254);
}

/* ---- What no vector has ------------------------------------------------------------------------------------------- */

static cevm_u256 next(const char *rules_name, uint64_t number, uint64_t seconds, cevm_u256 parent)
{
    const rules r = rules_of(rules_name);
    cevm_u256 out;
    cevm_next_difficulty(&out, &r.config, r.fork, number, 1000 + seconds, &parent, 1000, false);
    return out;
}

/* The bomb beyond any number a word holds, and steps beyond the fastest decline of 99/2048. */
static void test_bounds(void **state)
{
    (void)state;
    const cevm_u256 max = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    cevm_u256 got = next("Frontier", UINT64_MAX, 0, max);
    assert_true(cevm_u256_equal(&got, &max));
    got = next("Byzantium", 1, UINT64_MAX - 1000, cevm_u256_from_u64(2048000));
    assert_true(cevm_u256_fits_u64(&got) && got.w[0] == 2048000 - 99 * 1000);
    got = next("Byzantium", 1, 0, cevm_u256_from_u64(1));
    assert_true(cevm_u256_fits_u64(&got) && got.w[0] == 131072);
    /* 2^(257 - 2) is the last that fits: block 25,700,000 of a chain whose bomb was never put off. */
    got = next("Homestead", 25700000, 10, cevm_u256_from_u64(131072));
    assert_true(got.w[3] == UINT64_C(1) << 63 && got.w[0] == 131072);
}

/* EIP-3675: the difficulty of every block is zero. */
static void test_eip3675_paris(void **state)
{
    (void)state;
    const cevm_u256 got = next("Paris", 15537394, 12, cevm_u256_from_u64(UINT64_MAX));
    assert_true(cevm_u256_is_zero(&got));
}

/* EIP-3554: London's own delay is 9,700,000: the bomb's second period begins at 9,900,000. */
static void test_eip3554_london(void **state)
{
    (void)state;
    cevm_u256 got = next("London", 9899999, 9, cevm_u256_from_u64(131072));
    assert_int_equal(got.w[0], 131072);
    got = next("London", 9900000, 9, cevm_u256_from_u64(131072));
    assert_int_equal(got.w[0], 131073);
    got = next("London", 10000000, 9, cevm_u256_from_u64(131072));
    assert_int_equal(got.w[0], 131074);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),       cmocka_unit_test(test_difficulty_vectors),
        cmocka_unit_test(test_chains),        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_eip3675_paris), cmocka_unit_test(test_eip3554_london),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
