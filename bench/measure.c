/* SPDX-License-Identifier: Apache-2.0 */
/* Every machine first has to give the same answer; then they take turns, round by round. */
#include "bench/bench.h"

#include <cevm/hex.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t read_clock(clockid_t clock)
{
    struct timespec t = {0};
    (void)clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t bench_cpu_ns(void) { return read_clock(CLOCK_THREAD_CPUTIME_ID); }
uint64_t bench_wall_ns(void) { return read_clock(CLOCK_MONOTONIC); }

bench_stopwatch bench_start(void)
{
    bench_stopwatch watch = {.cpu = bench_cpu_ns()};
    watch.wall = bench_wall_ns();
    return watch;
}

uint64_t bench_stop(const bench_stopwatch *watch)
{
    enum { SHORT_NS = 50000 };
    const uint64_t wall = bench_wall_ns() - watch->wall;
    return wall < SHORT_NS ? wall : bench_cpu_ns() - watch->cpu;
}

static int compare_u64(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return left < right ? -1 : (int)(left > right);
}

uint64_t bench_median(uint64_t *times, size_t count)
{
    qsort(times, count, sizeof *times, compare_u64);
    return (times[(count - 1) / 2] + times[count / 2]) / 2;
}

/* ---- Answers ----------------------------------------------------------------------------------------------------- */

static bool differ(char *text, size_t size, const char *what, const cevm_hash *a, const cevm_hash *b)
{
    char left[65], right[65];
    cevm_hex_encode(left, a->bytes, sizeof a->bytes);
    cevm_hex_encode(right, b->bytes, sizeof b->bytes);
    (void)snprintf(text, size, "%s: 0x%.16s… and 0x%.16s…", what, left, right);
    return false;
}

bool bench_answer_equal(const bench_answer *a, const bench_answer *b, char *text, size_t size)
{
    if (a->end != b->end) {
        (void)snprintf(text, size, "end: %s and %s", bench_end_name(a->end), bench_end_name(b->end));
        return false;
    }
    if (a->gas != b->gas) {
        (void)snprintf(text, size, "gas: %" PRIu64 " and %" PRIu64, a->gas, b->gas);
        return false;
    }
    if (a->refund != b->refund) {
        (void)snprintf(text, size, "refund: %" PRId64 " and %" PRId64, a->refund, b->refund);
        return false;
    }
    if (!cevm_hash_equal(&a->output, &b->output)) {
        return differ(text, size, "output", &a->output, &b->output);
    }
    if (!cevm_hash_equal(&a->logs, &b->logs)) {
        return differ(text, size, "logs", &a->logs, &b->logs);
    }
    if (a->has_root && b->has_root && !cevm_hash_equal(&a->root, &b->root)) {
        return differ(text, size, "state root", &a->root, &b->root);
    }
    return true;
}

/** Whether a transaction's answer is what the file of the program says. */
static bool as_the_file_says(const bench_program *program, const bench_answer *answer, char *text, size_t size)
{
    if (!program->has_post || !answer->has_root) {
        return true;
    }
    if (!cevm_hash_equal(&answer->root, &program->entry->root)) {
        return differ(text, size, "state root, got and expected", &answer->root, &program->entry->root);
    }
    if (!cevm_hash_equal(&answer->logs, &program->entry->logs)) {
        return differ(text, size, "logs, got and expected", &answer->logs, &program->entry->logs);
    }
    return true;
}

/** Asks every machine. *agreed tells whether they said the same; false when one could not be asked. */
static bool check_row(const bench_results *results, bench_row *row, bool *agreed)
{
    bool first = true;
    char text[256];
    *agreed = true;
    for (size_t i = 0; i < results->machine_count; ++i) {
        bench_machine *m = results->machines[i];
        bench_answer answer;
        if (!m->modes[row->mode]) {
            continue;
        }
        if (!m->vtable->answer(m, row->mode, &answer)) {
            return false;
        }
        if (row->mode == BENCH_TRANSACTION && !as_the_file_says(row->program, &answer, text, sizeof text)) {
            (void)fprintf(stderr, "bench: %s: wrong on %s: %s\n", row->program->name, m->name, text);
            *agreed = false;
        }
        if (first) {
            row->answer = answer;
            first = false;
        } else if (!bench_answer_equal(&row->answer, &answer, text, sizeof text)) {
            (void)fprintf(stderr, "bench: %s: %s and %s differ: %s\n", row->program->name, results->machines[0]->name,
                          m->name, text);
            *agreed = false;
        }
    }
    return true;
}

/* ---- Times ------------------------------------------------------------------------------------------------------- */

static int compare_double(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;
    return left < right ? -1 : (int)(left > right);
}

static double quantile(const double *sorted, size_t count, double q)
{
    const double at = q * (double)(count - 1);
    const size_t below = (size_t)at;
    const size_t above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (at - (double)below) * (sorted[above] - sorted[below]);
}

static void summarise(bench_times *out, double *samples, size_t count)
{
    qsort(samples, count, sizeof *samples, compare_double);
    out->measured = true;
    out->min = samples[0];
    out->median = quantile(samples, count, 0.5);
    out->spread = (quantile(samples, count, 0.75) - quantile(samples, count, 0.25)) / out->median;
}

/** How many runs fill a sample. The first runs also warm what is warm in the mode. */
static bool calibrate(bench_machine *m, bench_mode mode, uint64_t sample_ns, uint64_t *runs)
{
    uint64_t ns = 0;
    for (*runs = 1;; *runs *= 2) {
        const uint64_t start = bench_wall_ns();
        if (!m->vtable->sample(m, mode, *runs, &ns)) {
            return false;
        }
        /* A cold run has work around it that is not in its time; a sample must not take ages for that. */
        const uint64_t wall = bench_wall_ns() - start;
        if (ns >= sample_ns / 4 || wall >= sample_ns || (mode == BENCH_TOTAL && 2 * *runs > BENCH_COLD_RUNS)) {
            const uint64_t each = ns / *runs + 1;
            const uint64_t fits = sample_ns / each, bearable = 4 * sample_ns / (wall / *runs + 1);
            *runs = fits < bearable ? fits : bearable;
            *runs = *runs != 0 ? *runs : 1;
            *runs = mode == BENCH_TOTAL && *runs > BENCH_COLD_RUNS ? BENCH_COLD_RUNS : *runs;
            return true;
        }
    }
}

/** samples has room for `rounds` of each machine. */
static bool time_row(const bench_results *results, bench_row *row, const bench_options *options, double *samples)
{
    const size_t count = results->machine_count;
    for (size_t i = 0; i < count; ++i) {
        bench_machine *m = results->machines[i];
        if (m->modes[row->mode] && !calibrate(m, row->mode, options->sample_ns, &row->times[i].runs)) {
            return false;
        }
    }
    for (uint64_t round = 0; round < options->rounds; ++round) {
        for (size_t turn = 0; turn < count; ++turn) {
            const size_t i = (turn + round) % count; /* nobody always comes after the same one */
            bench_machine *m = results->machines[i];
            uint64_t ns = 0;
            if (!m->modes[row->mode]) {
                continue;
            }
            if (!m->vtable->sample(m, row->mode, row->times[i].runs, &ns)) {
                return false;
            }
            samples[i * options->rounds + round] = (double)ns / (double)row->times[i].runs;
        }
    }
    for (size_t i = 0; i < count; ++i) {
        if (results->machines[i]->modes[row->mode]) {
            summarise(&row->times[i], samples + i * options->rounds, options->rounds);
        }
    }
    return true;
}

/* ---- Everything -------------------------------------------------------------------------------------------------- */

static void unload_all(const bench_results *results, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        results->machines[i]->vtable->unload(results->machines[i]);
    }
}

/** One program in every mode. Its rows are `count` apart: tables go mode by mode. */
static bool measure_program(bench_results *results, size_t index, size_t count, const bench_options *options,
                            double *samples)
{
    const bench_program *program = results->rows[index].program;
    size_t loaded = 0;
    bool ok = true, wrong = false;
    for (; ok && loaded < results->machine_count; loaded += ok ? 1 : 0) {
        ok = results->machines[loaded]->vtable->load(results->machines[loaded], program);
    }
    for (size_t i = index; ok && i < results->row_count; i += count) {
        bool agreed = true;
        ok = check_row(results, &results->rows[i], &agreed);
        wrong = wrong || !agreed;
        if (ok && agreed && !options->check_only) {
            ok = time_row(results, &results->rows[i], options, samples);
        }
    }
    unload_all(results, loaded);
    results->wrong += wrong ? 1 : 0;
    return ok;
}

bool bench_measure(bench_results *results, const bench_programs *programs, const bench_options *options)
{
    double *samples = calloc(results->machine_count * options->rounds + 1, sizeof *samples);
    results->rows = calloc(programs->count * BENCH_MODE_COUNT + 1, sizeof *results->rows);
    if (samples == NULL || results->rows == NULL) {
        free(samples);
        (void)fputs("bench: out of memory\n", stderr);
        return false;
    }
    for (bench_mode mode = BENCH_EXECUTE; mode < BENCH_MODE_COUNT; ++mode) {
        for (size_t i = 0; options->modes[mode] && i < programs->count; ++i) {
            results->rows[results->row_count++] = (bench_row){.program = &programs->items[i], .mode = mode};
        }
    }
    bool ok = true;
    const bool terminal = isatty(STDERR_FILENO) == 1;
    for (size_t i = 0; i < programs->count && ok; ++i) {
        if (terminal) {
            (void)fprintf(stderr, "\r\033[K[%zu/%zu] %s", i + 1, programs->count, programs->items[i].name);
        }
        ok = measure_program(results, i, programs->count, options, samples);
    }
    if (terminal) {
        (void)fputs("\r\033[K", stderr);
    }
    free(samples);
    return ok;
}

void bench_results_free(bench_results *results)
{
    for (size_t i = 0; i < results->machine_count; ++i) {
        results->machines[i]->vtable->close(results->machines[i]);
    }
    free(results->rows);
    *results = (bench_results){0};
}
