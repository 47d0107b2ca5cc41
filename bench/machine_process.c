/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine in a process of its own, asked line by line; bench/peers/README.md has the protocol. It runs whole transactions.
 */
#include <cevm/hex.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"

typedef struct machine {
    bench_machine base;
    pid_t pid;
    FILE *to;
    FILE *from;
    const bench_program *program;
    char line[4096]; /* the last answer */
} machine;

static bool fail(const machine *m, const char *why)
{
    (void)fprintf(stderr, "bench: %s: %s%s%s\n", m->base.name, m->program != NULL ? m->program->name : "",
                  m->program != NULL ? ": " : "", why);
    return false;
}

/** Reads a line into m->line, without its end. */
static bool hear(machine *m)
{
    if (fgets(m->line, sizeof m->line, m->from) == NULL) {
        return fail(m, "the process has ended");
    }
    m->line[strcspn(m->line, "\r\n")] = '\0';
    return true;
}

/** What follows "ok " in the answer, or NULL after a message. */
static const char *hear_ok(machine *m)
{
    if (fflush(m->to) != 0 || !hear(m)) {
        return NULL;
    }
    if (strncmp(m->line, "ok ", 3) != 0) {
        (void)fail(m, m->line);
        return NULL;
    }
    return m->line + 3;
}

static bool read_hash(cevm_hash *out, const char *text) { return cevm_hex_decode_exact(out->bytes, 32, text); }

/** "END GAS OUTPUT LOGS [ROOT]". */
static bool read_answer(bench_answer *out, const char *text)
{
    char end[16], output[72], logs[72], root[72];
    const int count = sscanf(text, "%15s %" SCNu64 " %71s %71s %71s", end, &out->gas, output, logs, root);
    if (count < 4 || !read_hash(&out->output, output) || !read_hash(&out->logs, logs)) {
        return false;
    }
    out->has_root = count == 5;
    if (out->has_root && !read_hash(&out->root, root)) {
        return false;
    }
    for (bench_end e = BENCH_SUCCESS; e <= BENCH_HALT; ++e) {
        if (strcmp(end, bench_end_name(e)) == 0) {
            out->end = e;
            return true;
        }
    }
    return false;
}

static bool load(bench_machine *base, const bench_program *program)
{
    machine *m = (machine *)base;
    m->program = program;
    return true;
}

static bool answer(bench_machine *base, bench_mode mode, bench_answer *out)
{
    (void)mode;
    machine *m = (machine *)base;
    const bench_program *p = m->program;
    *out = (bench_answer){0};
    (void)fprintf(m->to, "load\t%s\t%s\t%s\t%zu\t%zu\t%zu\t%" PRIu64 "\n", p->path, p->test->name, p->entry->fork_name,
                  p->entry->data, p->entry->gas, p->entry->value, p->tx.gas_limit);
    const char *text = hear_ok(m);
    if (text == NULL) {
        return false;
    }
    return read_answer(out, text) || fail(m, "an answer that is none");
}

static bool sample(bench_machine *base, bench_mode mode, uint64_t count, uint64_t *ns)
{
    (void)mode;
    machine *m = (machine *)base;
    (void)fprintf(m->to, "run\t%" PRIu64 "\n", count);
    const char *text = hear_ok(m);
    if (text == NULL) {
        return false;
    }
    return sscanf(text, "%" SCNu64, ns) == 1 || fail(m, "an answer that is none");
}

static void unload(bench_machine *base) { ((machine *)base)->program = NULL; }

static void close_machine(bench_machine *base)
{
    machine *m = (machine *)base;
    if (m->to != NULL) {
        (void)fclose(m->to);
    }
    if (m->from != NULL) {
        (void)fclose(m->from);
    }
    if (m->pid > 0) { /* it ends when its input does */
        while (waitpid(m->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    free(m);
}

/** Starts the program between two pipes. They close on exec: another peer that held one open would keep this from ending. */
static bool start(machine *m, const char *path)
{
    int in[2], out[2];
    char *const argv[] = {(char *)(uintptr_t)path, (char *)(uintptr_t) "--serve", NULL};
    if (pipe2(in, O_CLOEXEC) != 0) {
        return fail(m, "no pipe");
    }
    if (pipe2(out, O_CLOEXEC) != 0) {
        (void)close(in[0]);
        (void)close(in[1]);
        return fail(m, "no pipe");
    }
    posix_spawn_file_actions_t actions;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    const int error = posix_spawnp(&m->pid, path, &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(in[0]);
    (void)close(out[1]);
    m->to = fdopen(in[1], "w");
    m->from = fdopen(out[0], "r");
    if (error != 0) {
        m->pid = 0;
        return fail(m, strerror(error));
    }
    return m->to != NULL && m->from != NULL;
}

bench_machine *bench_machine_process(const char *name, const char *path)
{
    static const bench_machine_vtable vtable = {load, answer, sample, unload, close_machine};
    machine *m = calloc(1, sizeof *m);
    if (m == NULL) {
        (void)fputs("bench: out of memory\n", stderr);
        return NULL;
    }
    const char *file = strrchr(path, '/');
    m->base = (bench_machine){.vtable = &vtable, .modes = {false, false, true}};
    (void)snprintf(m->base.name, sizeof m->base.name, "%.15s", name != NULL ? name : file != NULL ? file + 1 : path);
    (void)signal(SIGPIPE, SIG_IGN); /* a peer that dies is told by its silence */
    static const char greeting[] = "bench 1 ";
    if (!start(m, path) || !hear(m)) {
        close_machine(&m->base);
        return NULL;
    }
    if (strncmp(m->line, greeting, strlen(greeting)) != 0) {
        (void)fail(m, "does not speak the protocol of bench/peers");
        close_machine(&m->base);
        return NULL;
    }
    (void)snprintf(m->base.version, sizeof m->base.version, "%.60s, a process", m->line + strlen(greeting));
    return &m->base;
}
