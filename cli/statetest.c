/* SPDX-License-Identifier: Apache-2.0 */
/* `cevm statetest`: state tests and VM tests. */
#include <strings.h>

#include "cli/vectors.h"

/* Whether --statetest.fork picks an entry. Forks of blob parameters alone (BPO1, EIP-7892) are not Osaka here. */
static bool is_picked(const cevm_vectors_options *o, const cevm_test_entry *e)
{
    cevm_fork fork;
    if (!o->has_fork || !e->fork_known || !cevm_fork_by_name(&fork, o->fork_name)) {
        return !o->has_fork || strcasecmp(e->fork_name, o->fork_name) == 0;
    }
    return e->fork == o->fork && cevm_fork_by_name(&fork, e->fork_name);
}

static bool run_state_test(cevm_vectors_run *run, const cevm_json_at *at)
{
    const cevm_vectors_options *o = run->worker->options;
    cevm_state_test test;
    if (!cevm_state_test_load(&test, at, NULL)) {
        return cevm_vectors_bad_file(run, at->error->text);
    }
    for (size_t i = 0; i < test.entry_count; i++) {
        const cevm_test_entry *e = &test.entries[i];
        if (!is_picked(o, e) || (o->has_index && e->index != o->index)) {
            continue;
        }
        cevm_test_result result;
        uint64_t start = cevm_vectors_now_ns();
        cevm_test_run_entry(&run->worker->runner, &result, &test, e);
        cevm_vectors_case c = {.file = run->path,
                               .name = test.name,
                               .fork_name = e->fork_name,
                               .row = e->fork_known ? (int)e->fork : (int)CEVM_VECTORS_UNKNOWN,
                               .index = e->index,
                               .label = e->label,
                               .time_ns = cevm_vectors_now_ns() - start,
                               .result = &result};
        cevm_vectors_report(run, &c);
    }
    cevm_state_test_free(&test);
    return true;
}

static bool run_vm_test(cevm_vectors_run *run, const cevm_json_at *at)
{
    const cevm_vectors_options *o = run->worker->options;
    cevm_vm_test test;
    if (!cevm_vm_test_load(&test, at, NULL)) {
        return cevm_vectors_bad_file(run, at->error->text);
    }
    if ((!o->has_fork || test.block.fork == o->fork) && (!o->has_index || o->index == 0)) {
        cevm_test_result result;
        uint64_t start = cevm_vectors_now_ns();
        cevm_test_run_vm(&run->worker->runner, &result, &test);
        cevm_vectors_case c = {.file = run->path,
                               .name = test.name,
                               .fork_name = cevm_fork_name(test.block.fork),
                               .row = (int)test.block.fork,
                               .time_ns = cevm_vectors_now_ns() - start,
                               .result = &result};
        cevm_vectors_report(run, &c);
    }
    cevm_vm_test_free(&test);
    return true;
}

static bool run_case(cevm_vectors_run *run, const cevm_json_at *at)
{
    if (cevm_state_test_is(at->value)) {
        return run_state_test(run, at);
    }
    if (cevm_vm_test_is(at->value)) {
        return run_vm_test(run, at);
    }
    (void)cevm_json_fail(at, "is not a state test: a state test has \"env\", \"pre\", \"transaction\" and \"post\"");
    return cevm_vectors_bad_file(run, at->error->text);
}

int cevm_cmd_statetest(const cevm_cli *cli, int argc, char **argv)
{
    static const cevm_vectors_kind kind = {.command = "statetest",
                                           .what = "state tests",
                                           .rows = "fork",
                                           .has_entries = true,
                                           .help = cevm_help_statetest,
                                           .run_case = run_case};
    return cevm_vectors_main(&kind, cli, argc, argv);
}
