/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for people: at most 80 columns; colour only on a terminal. */
#include "bench/bench.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "cli/term.h"

enum { GROUPS = 16, BEST = BENCH_MACHINES, COLUMNS = BENCH_MACHINES + 1, NAME_WIDTH = 30 };

/** One table while it is written. */
typedef struct table {
    FILE *out;
    const bench_results *results;
    bench_mode mode;
    bool by_min;
    bool colour;
    size_t peers[BENCH_MACHINES]; /* the machines that stand beside the first, in this mode */
    size_t peer_count;
} table;

/** Ratios of a group; a column for each machine and one for the fastest of the peers. */
typedef struct group {
    const char *name;
    double log_sum[COLUMNS];
    double least[COLUMNS];
    size_t count[COLUMNS];
} group;

static double time_of(const table *t, const bench_row *row, size_t machine)
{
    return t->by_min ? row->times[machine].min : row->times[machine].median;
}

/** Above 1: the first machine is that many times as fast. 0 when it was not measured. */
static double ratio_of(const table *t, const bench_row *row, size_t machine)
{
    if (!row->times[0].measured || !row->times[machine].measured) {
        return 0;
    }
    return time_of(t, row, machine) / time_of(t, row, 0);
}

/** Against the fastest of the peers on this program. */
static double best_ratio(const table *t, const bench_row *row)
{
    double best = 0;
    for (size_t i = 0; i < t->peer_count; ++i) {
        if (t->results->machines[t->peers[i]]->is_cevm) {
            continue;
        }
        const double ratio = ratio_of(t, row, t->peers[i]);
        best = ratio > 0 && (best <= 0 || ratio < best) ? ratio : best;
    }
    return best;
}

/** Transactions are compared with different machines, messages with builds of one; the best of those is the one to beat. */
static bool has_best(const table *t)
{
    size_t others = 0;
    for (size_t i = 0; i < t->peer_count; ++i) {
        others += t->results->machines[t->peers[i]]->is_cevm ? 0 : 1;
    }
    return t->mode != BENCH_TRANSACTION && others > 1;
}

static void write_time(FILE *out, double ns)
{
    static const struct {
        double unit;
        const char *name;
    } units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}};
    size_t i = 0;
    while (i < 3 && ns < units[i].unit) {
        ++i;
    }
    const double value = ns / units[i].unit;
    (void)fprintf(out, "%7.*f %-2s", value >= 100 ? 1 : value >= 10 ? 2 : 3, value, units[i].name);
}

static void write_ratio(const table *t, double ratio)
{
    if (ratio <= 0) {
        (void)fprintf(t->out, "%7s", "-");
        return;
    }
    const char *colour = ratio < 1 ? "\033[31m" : ratio >= 1.4 ? "\033[32m" : "";
    (void)fprintf(t->out, "%s%7.*f%s", t->colour ? colour : "",
                  ratio >= 1000  ? 0
                  : ratio >= 100 ? 1
                                 : 2,
                  ratio, t->colour ? "\033[0m" : "");
}

static void write_head(const table *t)
{
    static const char *const what[BENCH_MODE_COUNT] = {
        "execute: the message, by a machine that has run it before",
        "total: the message, by a machine that has not seen the code: with its analysis",
        "transaction: the whole of it, from the store",
    };
    const bench_results *r = t->results;
    (void)fprintf(t->out, "\n%s\n%-*s %10s %5s", what[t->mode], NAME_WIDTH, "", r->machines[0]->name, "+-%");
    if (t->peer_count == 1) {
        (void)fprintf(t->out, " %10.10s %5s", r->machines[t->peers[0]]->name, "+-%");
    }
    for (size_t i = 0; i < t->peer_count; ++i) {
        (void)fprintf(t->out, " %6.6s", t->peer_count == 1 ? "ratio" : r->machines[t->peers[i]]->name);
    }
    (void)fprintf(t->out, "%s\n", has_best(t) ? "   best" : "");
}

static void write_row(const table *t, const bench_row *row)
{
    const bench_program *p = row->program;
    const char *mark = row->answer.end == BENCH_SUCCESS  ? ""
                       : row->answer.end == BENCH_REVERT ? " (reverts)"
                                                         : " (halts)";
    char name[128];
    (void)snprintf(name, sizeof name, "%s%s", p->name, mark);
    (void)fprintf(t->out, "%-*.*s", NAME_WIDTH, NAME_WIDTH, name);
    if (!row->times[0].measured) {
        (void)fprintf(t->out, " wrong: not timed\n");
        return;
    }
    for (size_t i = 0; i <= t->peer_count && i < 2; ++i) {
        const size_t machine = i == 0 ? 0 : t->peers[0];
        if (i == 0 || t->peer_count == 1) {
            (void)fputc(' ', t->out);
            write_time(t->out, time_of(t, row, machine));
            (void)fprintf(t->out, " %5.1f", row->times[machine].spread * 100);
        }
    }
    for (size_t i = 0; i < t->peer_count; ++i) {
        write_ratio(t, ratio_of(t, row, t->peers[i]));
    }
    if (has_best(t)) {
        write_ratio(t, best_ratio(t, row));
    }
    (void)fputc('\n', t->out);
}

/* ---- Groups ------------------------------------------------------------------------------------------------------ */

static group *group_of(group *groups, size_t *count, const char *name)
{
    for (size_t i = 0; i < *count; ++i) {
        if (strcmp(groups[i].name, name) == 0) {
            return &groups[i];
        }
    }
    if (*count == GROUPS) {
        return &groups[GROUPS - 1];
    }
    groups[*count] = (group){.name = name};
    return &groups[(*count)++];
}

static void add_ratio(group *g, size_t column, double ratio)
{
    if (ratio > 0) {
        g->log_sum[column] += log(ratio);
        g->least[column] = g->count[column] == 0 || ratio < g->least[column] ? ratio : g->least[column];
        ++g->count[column];
    }
}

static void write_group(const table *t, const group *g)
{
    for (int line = 0; line < 2; ++line) {
        char title[64];
        (void)snprintf(title, sizeof title, "%s: %s", g->name, line == 0 ? "geometric mean" : "least");
        (void)fprintf(t->out, "%-*.*s%*s", NAME_WIDTH, NAME_WIDTH, title, t->peer_count == 1 ? 34 : 17, "");
        for (size_t i = 0; i <= t->peer_count; ++i) {
            const size_t column = i < t->peer_count ? t->peers[i] : BEST;
            if ((i < t->peer_count || has_best(t)) && g->count[column] != 0) {
                const double mean = exp(g->log_sum[column] / (double)g->count[column]);
                write_ratio(t, line == 0 ? mean : g->least[column]);
            }
        }
        (void)fputc('\n', t->out);
    }
}

/** What one call, one hash costs, where a program does the same thing many times. */
static void write_units(const table *t)
{
    const bench_results *r = t->results;
    for (size_t i = 0; i < r->row_count; ++i) {
        const bench_row *row = &r->rows[i];
        if (row->mode != t->mode || row->program->unit == NULL || !row->times[0].measured) {
            continue;
        }
        (void)fprintf(t->out, "%s, one %s:", row->program->name, row->program->unit);
        for (size_t m = 0; m < r->machine_count; ++m) {
            if (row->times[m].measured) {
                (void)fprintf(t->out, " %s %.1f ns", r->machines[m]->name,
                              time_of(t, row, m) / (double)row->program->units);
            }
        }
        (void)fputc('\n', t->out);
    }
}

static void write_table(table *t)
{
    const bench_results *r = t->results;
    group groups[GROUPS];
    size_t group_count = 0;
    t->peer_count = 0;
    for (size_t i = 1; i < r->machine_count; ++i) {
        if (r->machines[i]->modes[t->mode]) {
            t->peers[t->peer_count++] = i;
        }
    }
    write_head(t);
    for (size_t i = 0; i < r->row_count; ++i) {
        const bench_row *row = &r->rows[i];
        if (row->mode != t->mode) {
            continue;
        }
        write_row(t, row);
        group *g = group_of(groups, &group_count, row->program->group);
        for (size_t p = 0; p < t->peer_count; ++p) {
            add_ratio(g, t->peers[p], ratio_of(t, row, t->peers[p]));
        }
        add_ratio(g, BEST, best_ratio(t, row));
    }
    for (size_t i = 0; t->peer_count != 0 && i < group_count; ++i) {
        write_group(t, &groups[i]);
    }
    write_units(t);
}

void bench_report(FILE *out, const bench_results *results, bool by_min)
{
    table t = {.out = out, .results = results, .by_min = by_min, .colour = cevm_term_of(out).colour};
    for (size_t i = 0; i < results->machine_count; ++i) {
        (void)fprintf(out, "%-10s %s\n", results->machines[i]->name, results->machines[i]->version);
    }
    (void)fprintf(out,
                  "Times are %s; +-%% is the distance of the quartiles.\n"
                  "A column of a peer holds its time over that of %s: above 1, %s is faster.\n",
                  by_min ? "minima" : "medians", results->machines[0]->name, results->machines[0]->name);
    for (t.mode = BENCH_EXECUTE; t.mode < BENCH_MODE_COUNT; ++t.mode) {
        for (size_t i = 0; i < results->row_count; ++i) {
            if (results->rows[i].mode == t.mode) {
                write_table(&t);
                break;
            }
        }
    }
}
