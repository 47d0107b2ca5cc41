/* SPDX-License-Identifier: Apache-2.0 */
/* The harness: reads the command line, finds programs and machines, measures, reports. `make bench` runs it. */
#include "bench/bench.h"

#include <errno.h>
#include <getopt.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

typedef struct command {
    bench_options options;
    const char *filter;
    const char *json;
    bool by_min;
    bool list;
    bool failed; /* a machine could not be opened */
    bench_results results;
} command;

static void help(FILE *to)
{
    (void)fputs("usage: bench [options] FILE|FOLDER...\n"
                "\n"
                "Runs the programs of state tests (*.json) on this library and on other machines,\n"
                "checks that all of them give the same result, and says how long each took.\n"
                "\n"
                "  --vm [NAME=]FILE       an EVMC machine, ABI 12 or 18: a shared object\n"
                "  --peer [NAME=]PROGRAM  a machine in a process of its own (see bench/peers/)\n"
                "  --engine [NAME=]ENGINE this library once more with an engine: auto, exact, block\n"
                "  --mode LIST            of execute, total, transaction; without it all of them\n"
                "  --filter REGEX         only programs whose name matches\n"
                "  --rounds N             turns of each machine (9)\n"
                "  --time MS              length of a turn in milliseconds (20)\n"
                "  --min                  compare minima, not medians (for a busy machine)\n"
                "  --json FILE            write everything that was measured\n"
                "  --check                compare results, time nothing\n"
                "  --list                 name the programs\n"
                "  --help                 this text\n"
                "\n"
                "Exit code: 0, 1 when a result is wrong or something cannot be run, 2 usage.\n"
                "\n"
                "examples:\n"
                "  bench --vm libevmone.so bench/workloads/evm-benchmarks/main\n"
                "  bench --mode execute --filter '^main/' --json now.json bench/workloads\n"
                "  bench --peer revm=build/bench-revm --mode transaction bench/own\n",
                to);
}

static int usage(const char *what, const char *value)
{
    (void)fprintf(stderr, "bench: %s '%s'; --help lists the options\n", what, value);
    return 2;
}

/** A machine from "NAME=PATH" or "PATH". */
static bool open_machine(command *c, const char *text, bench_machine *(*open)(const char *name, const char *path))
{
    char name[16];
    const char *path = text, *equals = strchr(text, '=');
    if (equals != NULL && equals != text && memchr(text, '/', (size_t)(equals - text)) == NULL) {
        (void)snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
        path = equals + 1;
    }
    if (c->results.machine_count == BENCH_MACHINES) {
        (void)fprintf(stderr, "bench: at most %d machines\n", BENCH_MACHINES);
        return false;
    }
    bench_machine *m = open(path != text ? name : NULL, path);
    if (m != NULL) {
        c->results.machines[c->results.machine_count++] = m;
    }
    return m != NULL;
}

static bench_machine *open_engine(const char *name, const char *engine)
{
    return bench_machine_cevm(name != NULL ? name : engine, engine);
}

static bool parse_modes(bench_options *options, const char *text)
{
    memset(options->modes, 0, sizeof options->modes);
    while (*text != '\0') {
        const size_t length = strcspn(text, ",");
        bool known = false;
        for (bench_mode mode = BENCH_EXECUTE; mode < BENCH_MODE_COUNT; ++mode) {
            const char *name = bench_mode_name(mode);
            if (strlen(name) == length && strncmp(name, text, length) == 0) {
                options->modes[mode] = known = true;
            }
        }
        if (!known) {
            return false;
        }
        text += length + (text[length] == ',' ? 1 : 0);
    }
    return true;
}

static bool parse_number(uint64_t *out, const char *text, uint64_t most)
{
    char *end;
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 10);
    *out = value;
    return errno == 0 && *end == '\0' && end != text && text[0] != '-' && value != 0 && value <= most;
}

/** The command line. Returns -1 to go on, otherwise the exit code. */
static int parse(command *c, int argc, char **argv)
{
    enum { VM = 1, PEER, ENGINE, MODE, FILTER, ROUNDS, TIME, MIN, JSON, CHECK, LIST, HELP };
    static const struct option table[] = {
        {"vm", required_argument, NULL, VM},
        {"peer", required_argument, NULL, PEER},
        {"engine", required_argument, NULL, ENGINE},
        {"mode", required_argument, NULL, MODE},
        {"filter", required_argument, NULL, FILTER},
        {"rounds", required_argument, NULL, ROUNDS},
        {"time", required_argument, NULL, TIME},
        {"min", no_argument, NULL, MIN},
        {"json", required_argument, NULL, JSON},
        {"check", no_argument, NULL, CHECK},
        {"list", no_argument, NULL, LIST},
        {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0},
    };
    uint64_t ms = 20;
    int option;
    while ((option = getopt_long(argc, argv, "h", table, NULL)) != -1) {
        switch (option) {
        case VM: c->failed |= !open_machine(c, optarg, bench_machine_evmc); break;
        case PEER: c->failed |= !open_machine(c, optarg, bench_machine_process); break;
        case ENGINE: c->failed |= !open_machine(c, optarg, open_engine); break;
        case MODE:
            if (!parse_modes(&c->options, optarg)) {
                return usage("a mode is wrong in", optarg);
            }
            break;
        case FILTER: c->filter = optarg; break;
        case ROUNDS:
            if (!parse_number(&c->options.rounds, optarg, BENCH_ROUNDS)) {
                return usage("not a number of rounds:", optarg);
            }
            break;
        case TIME:
            if (!parse_number(&ms, optarg, 60000)) {
                return usage("not a number of milliseconds:", optarg);
            }
            break;
        case MIN: c->by_min = true; break;
        case JSON: c->json = optarg; break;
        case CHECK: c->options.check_only = true; break;
        case LIST: c->list = true; break;
        case 'h':
        case HELP: help(stdout); return 0;
        default: (void)fputs("bench: --help lists the options\n", stderr); return 2;
        }
    }
    c->options.sample_ns = ms * 1000000;
    return -1;
}

/** Keeps the programs whose names match. False when the expression is wrong or none is left. */
static bool filter(bench_programs *programs, const char *expression)
{
    regex_t regex;
    size_t kept = 0;
    if (expression == NULL) {
        return true;
    }
    if (regcomp(&regex, expression, REG_EXTENDED | REG_NOSUB) != 0) {
        (void)fprintf(stderr, "bench: '%s' is no regular expression\n", expression);
        return false;
    }
    for (size_t i = 0; i < programs->count; ++i) {
        if (regexec(&regex, programs->items[i].name, 0, NULL, 0) == 0) {
            programs->items[kept++] = programs->items[i];
        }
    }
    regfree(&regex);
    programs->count = kept;
    if (kept == 0) {
        (void)fprintf(stderr, "bench: no program's name matches '%s'\n", expression);
    }
    return kept != 0;
}

static bool run(command *c, bench_programs *programs)
{
    if (c->list) {
        for (size_t i = 0; i < programs->count; ++i) {
            (void)printf("%s\n", programs->items[i].name);
        }
        return true;
    }
    if (!bench_measure(&c->results, programs, &c->options)) {
        return false;
    }
    if (c->options.check_only) {
        (void)printf("%zu programs, %zu machines, %zu wrong\n", programs->count, c->results.machine_count,
                     c->results.wrong);
    } else {
        bench_report(stdout, &c->results, c->by_min);
    }
    const bool written = c->json == NULL || bench_report_json(c->json, &c->results, &c->options);
    return written && c->results.wrong == 0;
}

int main(int argc, char **argv)
{
    command c = {.options = {.modes = {true, true, true}, .rounds = 9}};
    bench_programs programs = {0};
    c.results.machines[0] = bench_machine_cevm(NULL, "auto");
    c.results.machine_count = c.results.machines[0] != NULL ? 1 : 0;
    c.failed = c.results.machine_count == 0;
    int code = parse(&c, argc, argv);
    if (code < 0 && optind == argc) {
        (void)fputs("bench: no program is given; --help lists the options\n", stderr);
        code = 2;
    }
    if (code < 0) {
        bool ok = !c.failed;
        for (int i = optind; i < argc && ok; ++i) {
            ok = bench_programs_add(&programs, argv[i]);
        }
        code = ok && filter(&programs, c.filter) && run(&c, &programs) ? 0 : 1;
    }
    bench_results_free(&c.results);
    bench_programs_free(&programs);
    return code;
}
