/* SPDX-License-Identifier: Apache-2.0 */
/* Files of vectors shared among threads; what they report comes out in the order of the files. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/term.h"
#include "cli/vectors.h"

/* What one file reported, kept until it is its turn. */
typedef struct outcome {
    char *out, *err;
    size_t out_size, err_size;
    bool done;
} outcome;

/* Everything the threads share; `lock` guards all but the first three. */
typedef struct pool {
    const cevm_vectors_options *options;
    char *const *paths;
    size_t count;

    pthread_mutex_t lock;
    size_t next;    /* first file nobody has taken */
    size_t emitted; /* first file whose report is not out yet */
    outcome *outcomes;
    cevm_vectors_tally *tally;
    bool wrote_json;
    bool failed; /* no memory for a worker or a report, or the trace could not be written */
    cevm_term progress;
    struct timespec progress_time;
} pool;

static void clear_progress(const pool *p)
{
    if (p->progress.is_terminal) {
        (void)fputs("\r\033[K", stderr);
    }
}

static void show_progress(pool *p)
{
    struct timespec now = {0};
    if (!p->progress.is_terminal) {
        return;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    long since = (now.tv_sec - p->progress_time.tv_sec) * 1000 + (now.tv_nsec - p->progress_time.tv_nsec) / 1000000;
    if (since < 100 && p->progress_time.tv_sec != 0) {
        return;
    }
    enum { BAR = 12 }; /* so that the counts of a whole release fit into 80 columns */
    char bar[BAR + 1];
    size_t full = (size_t)(p->tally->files * BAR / p->count);
    memset(bar, '.', BAR);
    memset(bar, '#', full < BAR ? full : BAR);
    bar[BAR] = '\0';
    p->progress_time = now;
    char line[160];
    (void)snprintf(line, sizeof line, "[%s] %ju of %zu files: %ju passed, %ju failed, %ju skipped", bar,
                   (uintmax_t)p->tally->files, p->count, (uintmax_t)p->tally->total.passed,
                   (uintmax_t)p->tally->total.failed, (uintmax_t)p->tally->total.skipped);
    (void)fprintf(stderr, "\r\033[K%.*s", (int)p->progress.width - 1, line);
    (void)fflush(stderr);
}

/* Puts out the reports whose turn has come. */
static void emit(pool *p)
{
    while (p->emitted < p->count && p->outcomes[p->emitted].done) {
        outcome *o = &p->outcomes[p->emitted++];
        if (o->out_size != 0 || o->err_size != 0) {
            clear_progress(p);
        }
        if (o->err_size != 0) {
            (void)fwrite(o->err, 1, o->err_size, stderr);
        }
        if (o->out_size != 0) {
            if (!p->options->human && p->wrote_json) {
                (void)fputs(",\n", stdout);
            }
            p->wrote_json = true;
            (void)fwrite(o->out, 1, o->out_size, stdout);
        }
        free(o->out);
        free(o->err);
        o->out = o->err = NULL;
    }
}

/* Runs one file into memory; the messages go straight to stderr where there is no other thread to mix with. */
static bool run_file(cevm_vectors_worker *worker, cevm_vectors_tally *tally, outcome *o, const char *path)
{
    bool direct = worker->options->jobs == 1;
    FILE *out = open_memstream(&o->out, &o->out_size);
    FILE *err = direct ? stderr : open_memstream(&o->err, &o->err_size);
    if (out != NULL && err != NULL) {
        cevm_vectors_file(worker, tally, out, err, path);
    }
    bool ok = out != NULL && err != NULL;
    if (out != NULL) {
        ok = fclose(out) == 0 && ok;
    }
    if (err != NULL && !direct) {
        ok = fclose(err) == 0 && ok;
    }
    return ok;
}

static void *work(void *user)
{
    pool *p = user;
    cevm_vectors_worker worker;
    bool ready = cevm_vectors_worker_init(&worker, p->options);
    (void)pthread_mutex_lock(&p->lock);
    p->failed = p->failed || !ready;
    while (ready && !p->failed && p->next < p->count) {
        size_t mine = p->next++;
        (void)pthread_mutex_unlock(&p->lock);
        cevm_vectors_tally tally = {0};
        outcome o = {0};
        bool ok = run_file(&worker, &tally, &o, p->paths[mine]);
        (void)pthread_mutex_lock(&p->lock);
        o.done = true;
        p->outcomes[mine] = o;
        p->failed = p->failed || !ok;
        cevm_vectors_tally_add(p->tally, &tally);
        emit(p);
        show_progress(p);
    }
    if (ready && !cevm_vectors_worker_clear(&worker)) {
        p->failed = true;
    }
    (void)pthread_mutex_unlock(&p->lock);
    return NULL;
}

static void run_threads(pool *p)
{
    size_t wanted = p->options->jobs < p->count ? (size_t)p->options->jobs : p->count;
    pthread_t *threads = calloc(wanted, sizeof *threads);
    size_t started = 0;
    while (threads != NULL && started + 1 < wanted && pthread_create(&threads[started], NULL, work, p) == 0) {
        started++;
    }
    (void)work(p); /* this thread works too */
    for (size_t i = 0; i < started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    free(threads);
}

bool cevm_vectors_pool(cevm_vectors_tally *tally, const cevm_vectors_options *options, char *const *paths, size_t count)
{
    pool p = {.options = options, .paths = paths, .count = count, .tally = tally};
    p.outcomes = calloc(count, sizeof *p.outcomes);
    if (p.outcomes == NULL || pthread_mutex_init(&p.lock, NULL) != 0) {
        free(p.outcomes);
        (void)fprintf(stderr, "%s %s: out of memory\n", options->cli->program, options->kind->command);
        return false;
    }
    if (options->human && !options->trace && count > 1) {
        p.progress = cevm_term_of(stderr);
    }
    if (!options->human) {
        (void)fputs("[\n", stdout);
    }
    run_threads(&p);
    clear_progress(&p);
    if (!options->human) {
        (void)fputs(p.wrote_json ? "\n]\n" : "]\n", stdout);
    }
    for (size_t i = p.emitted; i < count; i++) {
        free(p.outcomes[i].out);
        free(p.outcomes[i].err);
    }
    free(p.outcomes);
    (void)pthread_mutex_destroy(&p.lock);
    if (p.failed) {
        (void)fprintf(stderr, "%s %s: out of memory, or the trace could not be written\n", options->cli->program,
                      options->kind->command);
    }
    return !p.failed;
}
