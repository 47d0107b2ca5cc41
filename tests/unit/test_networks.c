/* SPDX-License-Identifier: Apache-2.0 */
/* The networks that blockchain tests name: which fork rules which block, and its blob parameters (EIP-7840, EIP-7892). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "ethereum-tests/networks.h"

/* The network of a name; schedule is JSON or NULL. */
static bool find(cevm_test_network *out, bool *known, const char *name, const char *schedule)
{
    cevm_json_error error;
    json_t *text = json_string(name), *rows = NULL;
    cevm_json_at at = cevm_json_root(text, "file.json", "network", &error);
    if (schedule != NULL) {
        assert_true(cevm_json_load_text(&rows, &error, "schedule", schedule, strlen(schedule)));
    }
    cevm_json_at schedule_at = cevm_json_root(rows, "file.json", "blobSchedule", &error);
    bool ok = cevm_test_network_by_name(out, known, &at, schedule != NULL ? &schedule_at : NULL);
    json_decref(text);
    json_decref(rows);
    return ok;
}

static cevm_test_network network(const char *name, const char *schedule)
{
    cevm_test_network out;
    bool known = false;
    if (!find(&out, &known, name, schedule) || !known) {
        fail_msg("%s is not known", name);
    }
    return out;
}

/* What rules the block before a switch and the block at it; a time switch looks at the time, all others at the number. */
static void test_transitions(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        cevm_fork before, after;
        uint64_t number, time;
    } rows[] = {
        {"FrontierToHomesteadAt5", CEVM_FRONTIER, CEVM_HOMESTEAD, 5, 0},
        {"HomesteadToDaoAt5", CEVM_HOMESTEAD, CEVM_HOMESTEAD, 5, 0},
        {"HomesteadToEIP150At5", CEVM_HOMESTEAD, CEVM_TANGERINE_WHISTLE, 5, 0},
        {"EIP158ToByzantiumAt5", CEVM_SPURIOUS_DRAGON, CEVM_BYZANTIUM, 5, 0},
        {"ByzantiumToConstantinopleAt5", CEVM_BYZANTIUM, CEVM_CONSTANTINOPLE, 5, 0},
        {"ByzantiumToConstantinopleFixAt5", CEVM_BYZANTIUM, CEVM_PETERSBURG, 5, 0},
        {"BerlinToLondonAt5", CEVM_BERLIN, CEVM_LONDON, 5, 0},
        {"ParisToShanghaiAtTime15k", CEVM_PARIS, CEVM_SHANGHAI, 0, 15000},
        {"ShanghaiToCancunAtTime15k", CEVM_SHANGHAI, CEVM_CANCUN, 0, 15000},
        {"CancunToPragueAtTime15k", CEVM_CANCUN, CEVM_PRAGUE, 0, 15000},
        {"PragueToOsakaAtTime15k", CEVM_PRAGUE, CEVM_OSAKA, 0, 15000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cevm_test_network n = network(rows[i].name, NULL);
        bool by_time = rows[i].time != 0;
        uint64_t number = by_time ? 100 : rows[i].number, time = by_time ? rows[i].time : 100000;
        assert_true(n.is_transition);
        assert_int_equal(n.merged_from_start, by_time);
        assert_int_equal(n.last, rows[i].after);
        assert_int_equal(cevm_chain_fork(&n.config, by_time ? number : number - 1, by_time ? time - 1 : time, by_time),
                         rows[i].before);
        assert_int_equal(cevm_chain_fork(&n.config, number, time, by_time), rows[i].after);
    }
}

static void test_dao_fork(void **state)
{
    (void)state;
    cevm_test_network n = network("HomesteadToDaoAt5", NULL);
    assert_false(cevm_is_active(&n.config.dao_fork, 4, 0));
    assert_true(cevm_is_active(&n.config.dao_fork, 5, 0));
    n = network("Homestead", NULL);
    assert_false(cevm_is_active(&n.config.dao_fork, UINT64_MAX, 0));
}

static void test_merge_by_total_difficulty(void **state)
{
    (void)state;
    cevm_test_network n = network("ArrowGlacierToParisAtDiffC0000", NULL);
    assert_false(n.merged_from_start);
    assert_int_equal(n.last, CEVM_PARIS);
    assert_int_equal(n.config.terminal_total_difficulty.w[0], 0xc0000);
    assert_int_equal(cevm_chain_fork(&n.config, 7, 7, false), CEVM_LONDON);
    assert_int_equal(cevm_chain_fork(&n.config, 7, 7, true), CEVM_PARIS);
    assert_true(cevm_is_active(&n.config.glaciers.muir, 0, 0));
    assert_true(cevm_is_active(&n.config.glaciers.arrow, 0, 0));
    assert_false(cevm_is_active(&n.config.glaciers.gray, UINT64_MAX, 0));
}

static void test_every_fork_has_a_network(void **state)
{
    (void)state;
    for (int fork = 0; fork < CEVM_FORK_COUNT; fork++) {
        cevm_test_network n = network(cevm_fork_name((cevm_fork)fork), NULL);
        bool merged = CEVM_HAS_EIP(fork, 4399);
        assert_false(n.is_transition);
        assert_int_equal(n.merged_from_start, merged);
        assert_int_equal(cevm_chain_fork(&n.config, 1, 1, merged), fork);
        assert_int_equal(n.config.chain_id, 1);
    }
}

static void test_blob_parameters(void **state)
{
    (void)state;
    static const char schedule[] =
        "{\"Osaka\":{\"target\":\"0x06\",\"max\":\"0x09\",\"baseFeeUpdateFraction\":\"0x4c6964\"},"
        "\"BPO1\":{\"target\":\"0x0a\",\"max\":\"0x0f\",\"baseFeeUpdateFraction\":\"0x7f5a51\"}}";
    cevm_test_network n = network("OsakaToBPO1AtTime15k", schedule);
    assert_int_equal(cevm_chain_fork(&n.config, 1, 14999, true), CEVM_OSAKA);
    assert_int_equal(cevm_chain_fork(&n.config, 1, 15000, true), CEVM_OSAKA);
    assert_int_equal(cevm_chain_blob_params(&n.config, 14999).max, 9);
    cevm_blob_params after = cevm_chain_blob_params(&n.config, 15000);
    assert_int_equal(after.target, 10);
    assert_int_equal(after.max, 15);
    assert_int_equal(after.base_fee_update_fraction, 0x7f5a51);

    n = network("CancunToPragueAtTime15k", NULL); /* mainnet's (EIP-4844, EIP-7691) */
    assert_int_equal(cevm_chain_blob_params(&n.config, 14999).max, 6);
    assert_int_equal(cevm_chain_blob_params(&n.config, 15000).max, 9);
    n = network("ShanghaiToCancunAtTime15k", NULL);
    assert_int_equal(cevm_chain_blob_params(&n.config, 14999).max, 0);
    assert_int_equal(cevm_chain_blob_params(&n.config, 15000).max, 6);
}

/** EIP-7892: what mainnet has (EIP-8134, EIP-8135), and what the official vectors' networks have after it. */
static void test_forks_of_blob_parameters_alone(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        cevm_blob_params params;
    } rows[] = {
        {"BPO1", {10, 15, 8346193}},  {"BPO2", {14, 21, 11684671}}, {"bpo3", {21, 32, 20609697}},
        {"BPO4", {14, 21, 13739630}}, {"BPO5", {14, 21, 13739630}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        const cevm_test_network n = network(rows[i].name, "{\"Osaka\":{\"target\":6}}");
        const cevm_blob_params params = cevm_chain_blob_params(&n.config, 0);
        assert_memory_equal(&params, &rows[i].params, sizeof params);
        assert_int_equal(n.last, CEVM_OSAKA);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"",
                                        "Atlantis",
                                        "AtlantisToCancunAtTime15k",
                                        "CancunToAtlantisAtTime15k",
                                        "CancunToPragueAtTime",
                                        "CancunToPragueAtTime15x",
                                        "CancunToPragueAtTime99999999999999999999",
                                        "CancunToPrague",
                                        "PragueToCancunAtTime15k",
                                        "To5At",
                                        "AtTo",
                                        "BPO0",
                                        "BPO12"};
    cevm_test_network n;
    bool known = true;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_false(find(&n, &known, names[i], NULL));
        assert_false(known);
    }
    /* A fork of blob parameters only that does not say which, and that nobody has. */
    assert_false(find(&n, &known, "BPO5ToBPO6AtTime15k", NULL));
    assert_true(known);
    assert_false(find(&n, &known, "Cancun", "{\"Cancun\":{\"target\":\"0x03\",\"max\":\"six\"}}"));
    assert_true(known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transitions),
        cmocka_unit_test(test_dao_fork),
        cmocka_unit_test(test_merge_by_total_difficulty),
        cmocka_unit_test(test_every_fork_has_a_network),
        cmocka_unit_test(test_blob_parameters),
        cmocka_unit_test(test_forks_of_blob_parameters_alone),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
