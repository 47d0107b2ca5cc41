/* SPDX-License-Identifier: Apache-2.0 */
/* `cevm blocktest`: blockchain tests. */
#include "cli/vectors.h"

static int row_of(const cevm_blockchain_test *test)
{
    return !test->network_known          ? (int)CEVM_VECTORS_UNKNOWN
           : test->network.is_transition ? (int)CEVM_VECTORS_TRANSITION
                                         : (int)test->network.last;
}

static bool run_case(cevm_vectors_run *run, const cevm_json_at *at)
{
    cevm_blockchain_test test;
    if (!cevm_blockchain_test_is(at->value)) {
        (void)cevm_json_fail(at, "is not a blockchain test: a blockchain test has \"network\", \"pre\", "
                                 "\"genesisBlockHeader\" and \"blocks\"");
        return cevm_vectors_bad_file(run, at->error->text);
    }
    if (!cevm_blockchain_test_load(&test, at, NULL)) {
        return cevm_vectors_bad_file(run, at->error->text);
    }
    cevm_test_result result;
    uint64_t start = cevm_vectors_now_ns();
    cevm_test_run_blockchain(&run->worker->runner, &result, &test);
    cevm_vectors_case c = {.file = run->path,
                           .name = test.name,
                           .fork_name = test.network_name,
                           .row = row_of(&test),
                           .time_ns = cevm_vectors_now_ns() - start,
                           .result = &result};
    cevm_vectors_report(run, &c);
    cevm_blockchain_test_free(&test);
    return true;
}

int cevm_cmd_blocktest(const cevm_cli *cli, int argc, char **argv)
{
    static const cevm_vectors_kind kind = {.command = "blocktest",
                                           .what = "blockchain tests",
                                           .rows = "network",
                                           .help = cevm_help_blocktest,
                                           .run_case = run_case};
    return cevm_vectors_main(&kind, cli, argc, argv);
}
