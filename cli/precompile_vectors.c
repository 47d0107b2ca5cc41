/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cevm precompile --vectors: files in go-ethereum's form, [{Input, Expected | ExpectedError, Gas, Name}]. The files do not
 * say which contract they are for; their names do, geth's and those of EIP-2537.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "chain/json.h"
#include "cli/precompile.h"

/* How a file's name begins, "fail-" left out; the fork is the one whose prices it has. Longer names stand first. */
static const struct {
    const char *begins;
    uint16_t address;
    cevm_fork fork;
} files[] = {
    {"ecRecover", 0x01, CEVM_LATEST},     {"modexp_eip2565", 0x05, CEVM_BERLIN}, {"modexp_eip7883", 0x05, CEVM_OSAKA},
    {"modexp", 0x05, CEVM_BYZANTIUM},     {"bn256Add", 0x06, CEVM_LATEST},       {"bn256ScalarMul", 0x07, CEVM_LATEST},
    {"bn256Pairing", 0x08, CEVM_LATEST},  {"blake2F", 0x09, CEVM_LATEST},        {"pointEvaluation", 0x0a, CEVM_LATEST},
    {"blsG1Add", 0x0b, CEVM_LATEST},      {"blsG1MultiExp", 0x0c, CEVM_LATEST},  {"blsG1Mul", 0x0c, CEVM_LATEST},
    {"blsG2Add", 0x0d, CEVM_LATEST},      {"blsG2MultiExp", 0x0e, CEVM_LATEST},  {"blsG2Mul", 0x0e, CEVM_LATEST},
    {"blsPairing", 0x0f, CEVM_LATEST},    {"blsMapG1", 0x10, CEVM_LATEST},       {"blsMapG2", 0x11, CEVM_LATEST},
    {"add_G1", 0x0b, CEVM_LATEST},        {"mul_G1", 0x0c, CEVM_LATEST},         {"msm_G1", 0x0c, CEVM_LATEST},
    {"add_G2", 0x0d, CEVM_LATEST},        {"mul_G2", 0x0e, CEVM_LATEST},         {"msm_G2", 0x0e, CEVM_LATEST},
    {"pairing_check", 0x0f, CEVM_LATEST}, {"map_fp_to_G1", 0x10, CEVM_LATEST},   {"map_fp2_to_G2", 0x11, CEVM_LATEST},
    {"p256Verify", 0x100, CEVM_LATEST},
};

/* What the cases are run with, and how many passed. */
typedef struct vector_run {
    const cevm_precompile_options *o;
    const cevm_precompile *contract;
    cevm_fork fork;
    bool first;
    size_t passed;
    size_t failed;
    cevm_precompile_time slowest; /* --bench: the case with the least gas a second */
    char slowest_name[96];
} vector_run;

static bool choose(vector_run *run)
{
    const cevm_precompile_options *o = run->o;
    const char *slash = strrchr(o->vectors, '/');
    const char *name = slash != NULL ? slash + 1 : o->vectors;
    name += strncmp(name, "fail-", 5) == 0 ? 5 : 0;
    run->fork = CEVM_LATEST;
    for (size_t i = 0; i < sizeof files / sizeof files[0] && run->contract == NULL; ++i) {
        if (strncmp(name, files[i].begins, strlen(files[i].begins)) == 0) {
            char address[8];
            (void)snprintf(address, sizeof address, "0x%x", files[i].address);
            run->contract = cevm_precompile_by_name(o, address);
            run->fork = files[i].fork;
        }
    }
    if (o->name != NULL) {
        run->contract = cevm_precompile_by_name(o, o->name);
    } else if (run->contract == NULL) {
        (void)fprintf(stderr,
                      "%s: the name of %s does not tell its contract; say it behind the file: --vectors %s NAME\n",
                      o->command, o->vectors, o->vectors);
    }
    if (o->fork != NULL && !cevm_fork_by_name(&run->fork, o->fork)) {
        (void)fprintf(stderr, "%s: no fork is called \"%s\" (cevm version lists them)\n", o->command, o->fork);
        return false;
    }
    return run->contract != NULL;
}

/* EIP-7951's own file has the price of RIP-7212, from which it stems; its text says 6900. */
static bool is_draft_price(const vector_run *run, const json_t *gas)
{
    return run->contract->eip == 7951 && json_integer_value(gas) == 3450;
}

/* What is wrong with a call, or "" when nothing is. */
static void judge(char *out, size_t size, const vector_run *run, const json_t *entry, const cevm_precompile_call *call,
                  size_t input_size)
{
    const char *expected = json_string_value(json_object_get(entry, "Expected"));
    const json_t *gas = json_object_get(entry, "Gas");
    cevm_blob bytes = {NULL, 0};
    out[0] = '\0';
    if (expected != NULL && !cevm_parse_hex(&bytes, run->o->command, "Expected", expected, strlen(expected))) {
        (void)snprintf(out, size, "Expected is not hex");
    } else if (call->status == CEVM_PRECOMPILE_NOT_BUILT) {
        (void)snprintf(out, size, "this build does not hold the contract");
    } else if (expected == NULL && call->status == CEVM_PRECOMPILE_OK) {
        (void)snprintf(out, size, "succeeds, but must fail");
    } else if (expected != NULL && call->status != CEVM_PRECOMPILE_OK) {
        (void)snprintf(out, size, "fails: %s", cevm_precompile_rule(run->contract, input_size));
    } else if (expected != NULL && (bytes.size != call->output.size ||
                                    (bytes.size != 0 && memcmp(bytes.data, call->output.data, bytes.size) != 0))) {
        (void)snprintf(out, size, "another output");
    } else if (run->o->fork == NULL && json_is_integer(gas) && (uint64_t)json_integer_value(gas) != call->gas &&
               !is_draft_price(run, gas)) {
        (void)snprintf(out, size, "gas is %" PRIu64 ", not %" JSON_INTEGER_FORMAT, call->gas, json_integer_value(gas));
    }
    cevm_blob_free(&bytes);
}

/* One case as an item of the array, or, when it failed, as a line for people. */
static bool tell(vector_run *run, const char *name, const char *wrong)
{
    run->passed += wrong[0] == '\0';
    run->failed += wrong[0] != '\0';
    if (!run->o->json) {
        if (wrong[0] != '\0') {
            (void)printf("FAIL  %s: %s\n", name, wrong);
        }
        return true;
    }
    json_t *item = json_pack("{s:s, s:b}", "name", name, "pass", wrong[0] == '\0');
    const bool named =
        item != NULL && (wrong[0] == '\0' || json_object_set_new(item, "error", json_string(wrong)) == 0);
    (void)printf("%s", run->first ? "[\n " : ",\n ");
    run->first = false;
    const bool ok = named && json_dumpf(item, stdout, JSON_COMPACT) == 0;
    json_decref(item);
    return ok;
}

/* --bench: measures a case that gave an output, and shows it. */
static bool bench_case(vector_run *run, const char *name, cevm_bytes input)
{
    cevm_precompile_time t;
    if (!cevm_precompile_bench(&t, run->o, run->contract, run->fork, input)) {
        return false;
    }
    (void)printf("%-44.44s %10" PRIu64 " gas %12.0f ns %8.1f Mgas/s\n", name, t.gas, t.ns, t.mgas);
    if (t.gas != 0 && (run->slowest.ns == 0 || t.mgas < run->slowest.mgas)) {
        run->slowest = t;
        (void)snprintf(run->slowest_name, sizeof run->slowest_name, "%s", name);
    }
    return true;
}

static bool run_case(vector_run *run, const json_t *entry)
{
    const char *name = json_string_value(json_object_get(entry, "Name"));
    const char *text = json_string_value(json_object_get(entry, "Input"));
    const bool tells = json_object_get(entry, "Expected") != NULL || json_object_get(entry, "ExpectedError") != NULL;
    cevm_blob input;
    cevm_precompile_call call;
    char wrong[256];
    if (name == NULL || text == NULL || !tells) {
        (void)fprintf(stderr, "%s: %s: a case without Name, Input, or Expected or ExpectedError\n", run->o->command,
                      run->o->vectors);
        return false;
    }
    if (!cevm_parse_hex(&input, run->o->command, name, text, strlen(text))) {
        return false;
    }
    bool ok = cevm_precompile_run(&call, run->o, run->contract, run->fork, (cevm_bytes){input.data, input.size});
    if (ok) {
        judge(wrong, sizeof wrong, run, entry, &call, input.size);
        cevm_blob_free(&call.output);
        ok = tell(run, name, wrong);
        if (ok && run->o->bench && call.status == CEVM_PRECOMPILE_OK) {
            ok = bench_case(run, name, (cevm_bytes){input.data, input.size});
        }
    }
    cevm_blob_free(&input);
    return ok;
}

int cevm_precompile_vectors(const cevm_precompile_options *o)
{
    vector_run run = {.o = o, .first = true};
    json_t *root = NULL;
    cevm_json_error error;
    if (o->bench && o->json) {
        (void)fprintf(stderr, "%s: --bench is for people; leave --json out\n", o->command);
        return CEVM_EXIT_USAGE;
    }
    if (!cevm_json_load_file(&root, &error, o->vectors)) {
        (void)fprintf(stderr, "%s: %s\n", o->command, error.text);
        return CEVM_EXIT_FAILURE;
    }
    if (!choose(&run)) {
        json_decref(root);
        return CEVM_EXIT_USAGE;
    }
    bool ok = json_array_size(root) != 0;
    if (!ok) {
        (void)fprintf(stderr, "%s: %s is no array of cases\n", o->command, o->vectors);
    }
    for (size_t i = 0; ok && i < json_array_size(root); ++i) {
        ok = run_case(&run, json_array_get(root, i));
    }
    json_decref(root);
    if (!ok) {
        return CEVM_EXIT_FAILURE;
    }
    if (run.slowest.ns > 0) {
        (void)printf("%s at %s, slowest: %.1f Mgas/s, %s\n", run.contract->name, cevm_fork_name(run.fork),
                     run.slowest.mgas, run.slowest_name);
    }
    if (o->json) {
        (void)printf(run.first ? "[]\n" : "\n]\n");
    } else {
        (void)printf("%s at %s: %zu passed, %zu failed\n", run.contract->name, cevm_fork_name(run.fork), run.passed,
                     run.failed);
    }
    return run.failed != 0 ? CEVM_EXIT_FAILURE : CEVM_EXIT_OK;
}
