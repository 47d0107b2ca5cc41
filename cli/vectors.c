/* SPDX-License-Identifier: Apache-2.0 */
/* `cevm statetest` and `cevm blocktest`: the command line, the files it names, and the batch mode. */
#include "cli/vectors.h"

#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/options.h"
#include "ethereum-tests/networks.h"

/* The command line as it was given. */
typedef struct flags {
    const char *run, *fork, *index, *summary;
    uint64_t jobs;
    bool bench, dump, human;
    bool memory, return_data; /* the positive spellings; tracing has the negative ones */
    cevm_tracing tracing;
} flags;

static double now(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- Files ------------------------------------------------------------------------------------------------------- */

typedef struct path_list {
    char **items;
    size_t count, room;
} path_list;

static bool add_path(path_list *list, const char *path)
{
    if (list->count == list->room) {
        size_t room = list->room != 0 ? list->room * 2 : 64;
        char **items = realloc(list->items, room * sizeof *items);
        if (items == NULL) {
            return false;
        }
        list->items = items;
        list->room = room;
    }
    list->items[list->count] = strdup(path);
    return list->items[list->count++] != NULL;
}

static void free_paths(path_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i]);
    }
    free(list->items);
}

static bool is_json_name(const char *name)
{
    size_t length = strlen(name);
    return length > 5 && strcmp(name + length - 5, ".json") == 0;
}

static int by_name(const FTSENT **a, const FTSENT **b) { return strcmp((*a)->fts_name, (*b)->fts_name); }

/* Adds a file as it is, or the .json files below a folder in order of name; hidden folders hold indexes, not tests. */
static bool collect(path_list *list, const cevm_vectors_options *o, char *path)
{
    char *roots[] = {path, NULL};
    FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    bool ok = walk != NULL;
    FTSENT *entry;
    while (ok && (entry = fts_read(walk)) != NULL) {
        bool top = entry->fts_level == FTS_ROOTLEVEL;
        switch (entry->fts_info) {
        case FTS_D:
            if (!top && entry->fts_name[0] == '.') {
                (void)fts_set(walk, entry, FTS_SKIP);
            }
            break;
        case FTS_F:
        case FTS_DEFAULT:
            if (top || is_json_name(entry->fts_name)) {
                ok = add_path(list, entry->fts_path);
            }
            break;
        case FTS_DNR:
        case FTS_NS:
        case FTS_ERR:
        case FTS_SLNONE:
            (void)fprintf(stderr, "%s %s: %s: %s\n", o->cli->program, o->kind->command, entry->fts_path,
                          strerror(entry->fts_errno != 0 ? entry->fts_errno : ENOENT));
            ok = false;
            break;
        default: break;
        }
    }
    if (walk != NULL) {
        (void)fts_close(walk);
    }
    return ok;
}

/* ---- Command line ------------------------------------------------------------------------------------------------ */

static bool usage_error(const cevm_vectors_options *o, const char *option, const char *value, const char *why)
{
    (void)fprintf(stderr, "%s %s: --%s \"%s\": %s\n", o->cli->program, o->kind->command, option, value, why);
    return false;
}

static bool set_fork(cevm_vectors_options *o, const char *name)
{
    o->has_fork = true;
    o->fork_name = name;
    if (cevm_test_fork_by_name(&o->fork, name)) {
        return true;
    }
    (void)usage_error(o, "statetest.fork", name, "no such fork; known are:");
    for (int fork = 0; fork < CEVM_FORK_COUNT; fork++) {
        (void)fprintf(stderr, " %s", cevm_fork_name((cevm_fork)fork));
    }
    (void)fputs(" BPO1 … BPO5\n", stderr);
    return false;
}

static bool set_index(cevm_vectors_options *o, const char *text)
{
    if (strcmp(text, "-1") == 0) { /* geth's "all" */
        return true;
    }
    char *end = NULL;
    errno = 0;
    o->has_index = true;
    o->index = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || errno != 0 || *end != '\0') {
        return usage_error(o, "statetest.index", text, "must be a number from 0 on, or -1 for all");
    }
    return true;
}

static bool set_run(cevm_vectors_options *o, const char *pattern)
{
    int code = regcomp(&o->run, pattern, REG_EXTENDED | REG_NOSUB);
    if (code != 0) {
        char why[160];
        (void)regerror(code, &o->run, why, sizeof why);
        return usage_error(o, "run", pattern, why);
    }
    o->has_run = true;
    return true;
}

/* Turns what was given into what is meant. False after a message when it cannot be. */
static bool settle(cevm_vectors_options *o, const flags *f)
{
    o->human = f->human || isatty(STDOUT_FILENO) == 1;
    o->bench = f->bench;
    o->dump = f->dump;
    bool is_named = f->tracing.tracer != NULL && f->tracing.tracer[0] != '\0';
    o->trace = f->tracing.trace || f->tracing.json || is_named;
    o->tracing = f->tracing;
    o->tracing.no_memory = f->tracing.no_memory && !f->memory;
    o->tracing.no_return_data = f->tracing.no_return_data && !f->return_data;
    o->jobs = f->jobs;
    if (is_named && !o->kind->has_entries) { /* an imported chain shows its instructions, not its state */
        (void)fprintf(stderr, "%s %s: --trace.tracer works with run, statetest and t8n\n", o->cli->program,
                      o->kind->command);
        return false;
    }
    char command[64];
    cevm_open_trace trial; /* a format that is not known is told before anything is run */
    (void)snprintf(command, sizeof command, "%s %s", o->cli->program, o->kind->command);
    if (!cevm_tracing_open(&trial, &o->tracing, "json", command, stderr) || !cevm_tracing_close(&trial, command)) {
        return false;
    }
    if (f->jobs > 1024) {
        (void)fprintf(stderr, "%s %s: --jobs: at most 1024\n", o->cli->program, o->kind->command);
        return false;
    }
    if (o->trace) {
        o->jobs = 1; /* traces of two executions must not mix */
    } else if (o->jobs == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        o->jobs = cores > 1 ? (uint64_t)cores : 1;
    }
    return (f->fork == NULL || set_fork(o, f->fork)) && (f->index == NULL || set_index(o, f->index)) &&
           (f->run == NULL || set_run(o, f->run));
}

static bool parse(cevm_arguments *arguments, flags *f, const cevm_vectors_options *o, int argc, char **argv)
{
    const cevm_option own[] = {
        {"run", CEVM_OPTION_TEXT, &f->run},
        {"bench", CEVM_OPTION_SWITCH, &f->bench},
        {"dump", CEVM_OPTION_SWITCH, &f->dump},
        {"human", CEVM_OPTION_SWITCH, &f->human},
        {"trace.memory", CEVM_OPTION_SWITCH, &f->memory},
        {"trace.returndata", CEVM_OPTION_SWITCH, &f->return_data},
        {"jobs", CEVM_OPTION_NUMBER, &f->jobs},
        {"summary", CEVM_OPTION_TEXT, &f->summary},
        {o->kind->has_entries ? "statetest.fork" : NULL, CEVM_OPTION_TEXT, &f->fork},
        {"statetest.index", CEVM_OPTION_TEXT, &f->index},
        {NULL, CEVM_OPTION_SWITCH, NULL},
    };
    cevm_option table[CEVM_TRACING_OPTION_COUNT + sizeof own / sizeof own[0]];
    cevm_tracing_options(table, &f->tracing);
    memcpy(table + CEVM_TRACING_OPTION_COUNT, own, sizeof own);
    char command[64];
    (void)snprintf(command, sizeof command, "%s %s", o->cli->program, o->kind->command);
    return cevm_options_parse(arguments, table, command, argc, argv);
}

/* ---- Modes ------------------------------------------------------------------------------------------------------- */

static int exit_code(const cevm_vectors_options *o, const cevm_vectors_tally *tally)
{
    if (tally->bad_files != 0) {
        return CEVM_EXIT_FAILURE;
    }
    if (o->human && tally->total.passed + tally->total.failed + tally->total.skipped == 0) { /* nothing was proved */
        (void)fprintf(stderr, "%s %s: no test was chosen%s\n", o->cli->program, o->kind->command,
                      o->has_run || o->has_fork || o->has_index ? " by --run and its like" : "");
        return CEVM_EXIT_FAILURE;
    }
    return o->human && tally->total.failed != 0 ? CEVM_EXIT_FAILURE : CEVM_EXIT_OK;
}

static int run_paths(const cevm_vectors_options *o, const cevm_arguments *arguments, const char *summary)
{
    path_list paths = {0};
    cevm_vectors_tally tally = {0};
    double start = now();
    bool ok = true;
    for (size_t i = 0; ok && i < arguments->count; i++) {
        ok = collect(&paths, o, arguments->items[i]);
    }
    if (ok && paths.count == 0) {
        (void)fprintf(stderr, "%s %s: no .json file was found\n", o->cli->program, o->kind->command);
        ok = false;
    }
    if (ok) {
        ok = cevm_vectors_pool(&tally, o, paths.items, paths.count);
    }
    free_paths(&paths);
    if (!ok) {
        return CEVM_EXIT_FAILURE;
    }
    double seconds = now() - start;
    if (o->human) {
        cevm_vectors_write_summary(stdout, o->kind, &tally, seconds);
    }
    if (summary != NULL && !cevm_vectors_write_summary_file(o, summary, &tally, seconds)) {
        return CEVM_EXIT_FAILURE;
    }
    return exit_code(o, &tally);
}

/* Paths come on stdin, one a line; each is answered before the next is read. An empty line ends it, as in geth. */
static int run_batch(const cevm_vectors_options *o, const char *summary)
{
    cevm_vectors_options one = *o;
    cevm_vectors_tally tally = {0};
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    double start = now();
    one.jobs = 1;
    if (isatty(STDIN_FILENO) == 1) {
        (void)fprintf(stderr, "%s %s: names of files, one a line (Ctrl-D ends them; --help explains):\n",
                      o->cli->program, o->kind->command);
    }
    while ((length = getline(&line, &room, stdin)) >= 0) {
        while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r')) {
            line[--length] = '\0';
        }
        if (length == 0) {
            break;
        }
        bool ok = cevm_vectors_pool(&tally, &one, &line, 1);
        (void)fflush(stdout);
        if (!ok || tally.bad_files != 0) {
            break; /* whoever feeds us waits for an answer that this file has not got */
        }
    }
    free(line);
    double seconds = now() - start;
    if (o->human) {
        cevm_vectors_write_summary(stdout, o->kind, &tally, seconds);
    }
    if (summary != NULL && !cevm_vectors_write_summary_file(o, summary, &tally, seconds)) {
        return CEVM_EXIT_FAILURE;
    }
    return exit_code(o, &tally);
}

int cevm_vectors_main(const cevm_vectors_kind *kind, const cevm_cli *cli, int argc, char **argv)
{
    flags f = {.tracing = CEVM_TRACING_DEFAULTS};
    cevm_arguments arguments;
    cevm_vectors_options options = {.kind = kind, .cli = cli};
    if (!parse(&arguments, &f, &options, argc, argv)) {
        return CEVM_EXIT_USAGE;
    }
    if (arguments.help) {
        kind->help(stdout, cli);
        return CEVM_EXIT_OK;
    }
    int code = CEVM_EXIT_USAGE;
    if (settle(&options, &f)) {
        code = arguments.count != 0 ? run_paths(&options, &arguments, f.summary) : run_batch(&options, f.summary);
    }
    if (options.has_run) {
        regfree(&options.run);
    }
    return code;
}
