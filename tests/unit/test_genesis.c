/* SPDX-License-Identifier: Apache-2.0 */
/*
 * genesis.json (cevm/genesis.h). Hashes are those of official vectors: the first parent of the chain in
 * ethereum-tests/chain-samples, and the genesis headers of blockchain tests, written anew as genesis files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cevm/genesis.h>
#include <cevm/hex.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/oom/faulty.h"

static const char sample[] = "ethereum-tests/chain-samples/genesis.json";

enum { PATH_SIZE = 64 };

typedef struct loaded {
    cevm_memdb *db;
    cevm_genesis *genesis;
    cevm_genesis_error error;
    cevm_err err;
} loaded;

static loaded load(const char *path)
{
    loaded l;
    assert_int_equal(cevm_memdb_create(&l.db, NULL), CEVM_OK);
    l.err = cevm_genesis_load(&l.genesis, &l.error, l.db, path, NULL);
    return l;
}

static void unload(loaded *l)
{
    cevm_genesis_destroy(l->genesis, NULL);
    cevm_memdb_destroy(l->db);
}

/* A file with this text; its name is in `path`. */
static void write_file(char path[PATH_SIZE], const char *text)
{
    (void)snprintf(path, PATH_SIZE, P_tmpdir "/cevm-genesis-XXXXXX");
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(close(fd), 0);
}

static loaded load_text(const char *text)
{
    char path[PATH_SIZE];
    write_file(path, text);
    loaded l = load(path);
    assert_int_equal(unlink(path), 0);
    return l;
}

/* ---- Hashes ------------------------------------------------------------------------------------------------------ */

static void test_hash_is_the_first_parent_of_the_chain(void **unused)
{
    uint8_t bytes[256];
    FILE *f = fopen("ethereum-tests/chain-samples/chain.rlp", "rb");
    assert_non_null(f);
    assert_int_equal(fread(bytes, 1, sizeof bytes, f), sizeof bytes);
    assert_int_equal(fclose(f), 0);
    (void)unused;
    loaded l = load(sample);
    assert_int_equal(l.err, CEVM_OK);
    /* [0xf9 .. ..] of the block, [0xf9 .. ..] of its header, 0xa0, then the parent hash */
    assert_true(bytes[0] == 0xf9 && bytes[3] == 0xf9 && bytes[6] == 0xa0);
    assert_memory_equal(l.genesis->hash.bytes, bytes + 7, 32);
    unload(&l);
}

/* "config" of a chain that is at one fork from the start; NULL for a network that is none. */
static json_t *config_of(const char *network)
{
    static const char *const blocks[] = {"homesteadBlock",      "eip150Block",   "eip158Block", "byzantiumBlock",
                                         "constantinopleBlock", "istanbulBlock", "berlinBlock", "londonBlock"};
    static const char *const networks[] = {"Homestead",         "EIP150",   "EIP158", "Byzantium",
                                           "ConstantinopleFix", "Istanbul", "Berlin", "London"};
    static const char *const times[] = {"shanghaiTime", "cancunTime", "pragueTime", "osakaTime"};
    static const char *const later[] = {"Paris", "Shanghai", "Cancun", "Prague", "Osaka"};
    json_t *config = json_object();
    bool found = strcmp(network, "Frontier") == 0;
    for (size_t i = 0; !found && i < 8; ++i) {
        json_object_set_new(config, blocks[i], json_integer(0));
        found = strcmp(network, networks[i]) == 0;
    }
    for (size_t i = 0; !found && i < 5; ++i) {
        if (i == 0) {
            json_object_set_new(config, "terminalTotalDifficulty", json_integer(0));
        } else {
            json_object_set_new(config, times[i - 1], json_integer(0));
        }
        found = strcmp(network, later[i]) == 0;
    }
    if (!found) {
        json_decref(config);
        return NULL;
    }
    return config;
}

/* Whether a test's genesis could be written as a file: its hash is then compared. */
static bool check_test_genesis(json_t *test)
{
    json_t *config = config_of(json_string_value(json_object_get(test, "network")));
    json_t *header = json_object_get(test, "genesisBlockHeader");
    if (config == NULL) {
        return false;
    }
    json_t *genesis = json_copy(header);
    json_object_set_new(genesis, "config", config);
    json_object_set(genesis, "alloc", json_object_get(test, "pre"));
    char *text = json_dumps(genesis, 0);
    loaded l = load_text(text);
    if (l.err != CEVM_OK) {
        fail_msg("%s", l.error.text);
    }
    char hex[67] = "0x";
    cevm_hex_encode(hex + 2, l.genesis->hash.bytes, sizeof l.genesis->hash.bytes);
    assert_string_equal(hex, json_string_value(json_object_get(header, "hash")));
    unload(&l);
    free(text);
    json_decref(genesis);
    return true;
}

static void test_hashes_of_blockchain_tests(void **unused)
{
    static const char *const files[] = {"eest/test_eip_2935.json",
                                        "eest/test_tx_into_self_delegating_set_code.json",
                                        "eest/test_beacon_root_contract_deploy.json",
                                        "tests/withdrawalsAddressBounds.json",
                                        "tests/oneUncle.json",
                                        "legacy/mergeExample.json",
                                        "legacy/shanghaiExample.json",
                                        "legacy/uncleHeaderAtBlock2Byzantium.json"};
    size_t count = 0;
    (void)unused;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; ++i) {
        char path[128];
        json_error_t error;
        const char *name;
        json_t *test;
        (void)snprintf(path, sizeof path, "ethereum-tests/block-samples/%s", files[i]);
        json_t *root = json_load_file(path, 0, &error);
        assert_non_null(root);
        json_object_foreach(root, name, test) { count += check_test_genesis(test); }
        json_decref(root);
    }
    assert_true(count >= 8);
}

/* ---- What is read ------------------------------------------------------------------------------------------------ */

static void check_activation(const cevm_activation *a, cevm_activation_kind kind, uint64_t at)
{
    assert_int_equal(a->kind, kind);
    assert_int_equal(a->at, at);
}

static void test_config_of_the_sample_eip7840_eip7892(void **unused)
{
    loaded l = load(sample);
    const cevm_chain_config *c = &l.genesis->config;
    (void)unused;
    assert_int_equal(c->chain_id, 3503995874084926);
    check_activation(&c->forks[CEVM_HOMESTEAD], CEVM_BY_BLOCK, 0);
    check_activation(&c->forks[CEVM_TANGERINE_WHISTLE], CEVM_BY_BLOCK, 3);
    check_activation(&c->forks[CEVM_SPURIOUS_DRAGON], CEVM_BY_BLOCK, 6);
    check_activation(&c->forks[CEVM_LONDON], CEVM_BY_BLOCK, 27);
    check_activation(&c->forks[CEVM_PARIS], CEVM_BY_TOTAL_DIFFICULTY, 0);
    check_activation(&c->forks[CEVM_SHANGHAI], CEVM_BY_TIME, 390);
    check_activation(&c->forks[CEVM_OSAKA], CEVM_BY_TIME, 480);
    check_activation(&c->glaciers.muir, CEVM_BY_BLOCK, 21);
    check_activation(&c->glaciers.gray, CEVM_BY_BLOCK, 33);
    check_activation(&c->dao_fork, CEVM_NOT_ACTIVATED, 0);
    assert_true(cevm_u256_fits_u64(&c->terminal_total_difficulty));
    assert_int_equal(c->terminal_total_difficulty.w[0], 4732352);
    assert_int_equal(c->blob_schedule_count, 5);
    assert_int_equal(c->blob_schedule[4].timestamp, 540);
    assert_int_equal(c->blob_schedule[4].params.max, 21);
    assert_false(c->checks_seal);
    assert_int_equal(l.genesis->header.extra_data.size, 9);
    assert_memory_equal(l.genesis->header.extra_data.data, "hivechain", 9);
    unload(&l);
}

#define HEADER "\"gasLimit\":\"0x1388\",\"difficulty\":\"0x20000\",\"alloc\":{}"

static void test_other_spellings(void **unused)
{
    (void)unused;
    /* A number beyond 64 bits without quotes, as geth writes it; text with escapes around it. */
    loaded l = load_text("{\"comment\":\"\\\"\\\\ 123456789012345678901234567890\",\"config\":{\"chainId\":1,"
                         "\"daoForkBlock\":1920000,\"daoForkSupport\":true,\"constantinopleBlock\":7,"
                         "\"terminalTotalDifficulty\":58750000000000000000000,\"shanghaiTime\":null," HEADER "},"
                         "\"nonce\":\"0x42\"," HEADER "}");
    if (l.err != CEVM_OK) {
        fail_msg("%s", l.error.text);
    }
    char decimal[79];
    cevm_u256_to_decimal(decimal, &l.genesis->config.terminal_total_difficulty);
    assert_string_equal(decimal, "58750000000000000000000");
    check_activation(&l.genesis->config.dao_fork, CEVM_BY_BLOCK, 1920000); /* EIP-779 */
    check_activation(&l.genesis->config.forks[CEVM_PETERSBURG], CEVM_BY_BLOCK, 7);
    assert_int_equal(l.genesis->header.nonce[7], 0x42);
    assert_false(l.genesis->header.has_base_fee);
    unload(&l);
    /* A chain that did not take part in the change of the DAO fork; one that was merged before it began. */
    l = load_text("{\"config\":{\"daoForkBlock\":5,\"daoForkSupport\":false,\"terminalTotalDifficultyPassed\":true,"
                  "\"londonBlock\":0,\"shanghaiTime\":0,\"cancunTime\":0}," HEADER "}");
    assert_int_equal(l.err, CEVM_OK);
    check_activation(&l.genesis->config.dao_fork, CEVM_NOT_ACTIVATED, 0);
    check_activation(&l.genesis->config.forks[CEVM_PARIS], CEVM_BY_TOTAL_DIFFICULTY, 0);
    assert_int_equal(l.genesis->config.blob_schedule_count, 1); /* mainnet's, where the file has none */
    assert_int_equal(l.genesis->config.blob_schedule[0].params.max, 6);
    assert_true(l.genesis->header.has_parent_beacon_root && !l.genesis->header.has_requests_hash);
    assert_int_equal(l.genesis->header.base_fee.w[0], 1000000000); /* EIP-1559 */
    unload(&l);
}

/* ---- What is refused --------------------------------------------------------------------------------------------- */

static void test_errors_name_file_and_key(void **unused)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "is not valid JSON"},
        {"[]", "must be an object"},
        {"{}", "has no \"config\""},
        {"{\"config\":[]," HEADER "}", "config: must be an object"},
        {"{\"config\":{},\"difficulty\":1,\"alloc\":{}}", "has no \"gasLimit\""},
        {"{\"config\":{},\"gasLimit\":1,\"alloc\":{}}", "has no \"difficulty\""},
        {"{\"config\":{},\"gasLimit\":1,\"difficulty\":1}", "has no \"alloc\""},
        {"{\"config\":{\"chainId\":-1}," HEADER "}", "config/chainId: must not be negative"},
        {"{\"config\":{\"londonBlock\":\"x\"}," HEADER "}", "config/londonBlock: must be a number"},
        {"{\"config\":{\"homesteadBlock\":5,\"londonBlock\":4}," HEADER "}", "londonBlock: must not be before"},
        {"{\"config\":{\"eip155Block\":5,\"eip158Block\":4}," HEADER "}", "must be equal"},
        {"{\"config\":{\"shanghaiTime\":0}," HEADER "}", "needs a terminalTotalDifficulty"},
        {"{\"config\":{\"terminalTotalDifficulty\":0,\"shanghaiTime\":9,\"cancunTime\":8}," HEADER "}",
         "cancunTime: must not be before"},
        {"{\"config\":{\"terminalTotalDifficulty\":0,\"bpo1Time\":9}," HEADER "}", "has no \"bpo1\""},
        {"{\"config\":{\"terminalTotalDifficulty\":0,\"cancunTime\":9,\"blobSchedule\":{\"cancun\":{\"target\":3,"
         "\"max\":6,\"baseFeeUpdateFraction\":0}}}," HEADER "}",
         "baseFeeUpdateFraction: must not be 0"},
        {"{\"config\":{\"amsterdamTime\":0}," HEADER "}", "config/amsterdamTime: this version does not know"},
        {"{\"config\":{\"daoForkSupport\":1}," HEADER "}", "must be true or false"},
        {"{\"config\":{},\"coinbase\":\"0x00\"," HEADER "}", "coinbase: must be 20 bytes"},
        {"{\"config\":{},\"mixHash\":\"0x00\"," HEADER "}", "mixHash: must be 32 bytes"},
        {"{\"config\":{},\"extraData\":\"0x0\"," HEADER "}", "extraData: must be bytes of hex"},
        {"{\"config\":{},\"gasLimit\":1,\"difficulty\":1,\"alloc\":{\"0x00\":{}}}", "must be an address"},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        loaded l = load_text(cases[i].text);
        assert_int_equal(l.err, CEVM_ERR_ENCODING);
        assert_null(l.genesis);
        if (strstr(l.error.text, cases[i].message) == NULL ||
            strncmp(l.error.text, P_tmpdir "/cevm-genesis-", strlen(P_tmpdir)) != 0) {
            fail_msg("%s\nshould say: %s", l.error.text, cases[i].message);
        }
        unload(&l);
    }
    loaded l = load("/nowhere/genesis.json");
    assert_int_equal(l.err, CEVM_ERR_IO);
    assert_non_null(strstr(l.error.text, "/nowhere/genesis.json: cannot be opened"));
    unload(&l);
}

/* ---- Memory ------------------------------------------------------------------------------------------------------ */

static void test_every_allocation_fails_cleanly(void **unused)
{
    bool done = false;
    (void)unused;
    for (size_t n = 1; !done; ++n) {
        faulty f = {.fail_at = n};
        const cevm_allocator allocator = {&f, faulty_resize};
        loaded l = {.err = CEVM_ERR_NOMEM};
        if (cevm_memdb_create(&l.db, &allocator) == CEVM_OK) {
            l.err = cevm_genesis_load(&l.genesis, &l.error, l.db, sample, &allocator);
        }
        done = l.err == CEVM_OK;
        assert_true(done == (f.calls < n));
        assert_true(done || l.err == CEVM_ERR_NOMEM);
        cevm_genesis_destroy(l.genesis, &allocator);
        cevm_memdb_destroy(l.db);
        assert_int_equal(f.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash_is_the_first_parent_of_the_chain),
        cmocka_unit_test(test_hashes_of_blockchain_tests),
        cmocka_unit_test(test_config_of_the_sample_eip7840_eip7892),
        cmocka_unit_test(test_other_spellings),
        cmocka_unit_test(test_errors_name_file_and_key),
        cmocka_unit_test(test_every_allocation_fails_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
