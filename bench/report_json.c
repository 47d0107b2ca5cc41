/* SPDX-License-Identifier: Apache-2.0 */
/* The results as JSON, for bench/plot.py and for keeping. Times are nanoseconds. */
#include "bench/bench.h"

#include <cevm/hex.h>

#include <string.h>
#include <time.h>

static json_t *hash_text(const cevm_hash *hash)
{
    char text[67] = "0x";
    cevm_hex_encode(text + 2, hash->bytes, sizeof hash->bytes);
    return json_string(text);
}

static json_t *machines(const bench_results *results)
{
    json_t *list = json_array();
    for (size_t i = 0; i < results->machine_count; ++i) {
        const bench_machine *m = results->machines[i];
        (void)json_array_append_new(list, json_pack("{s:s, s:s}", "name", m->name, "version", m->version));
    }
    return list;
}

static json_t *row_object(const bench_results *results, const bench_row *row)
{
    const bench_answer *a = &row->answer;
    json_t *times = json_object();
    for (size_t i = 0; i < results->machine_count; ++i) {
        const bench_times *t = &row->times[i];
        if (t->measured) {
            (void)json_object_set_new(times, results->machines[i]->name,
                                      json_pack("{s:f, s:f, s:f, s:I}", "min", t->min, "median", t->median, "spread",
                                                t->spread, "runs", (json_int_t)t->runs));
        }
    }
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:I, s:o, s:o}", "program", row->program->name, "group",
                               row->program->group, "mode", bench_mode_name(row->mode), "end", bench_end_name(a->end),
                               "gas", (json_int_t)a->gas, "output", hash_text(&a->output), "logs", hash_text(&a->logs));
    if (row->program->unit != NULL) {
        (void)json_object_set_new(object, "unit", json_string(row->program->unit));
        (void)json_object_set_new(object, "units", json_integer((json_int_t)row->program->units));
    }
    (void)json_object_set_new(object, "ns", times);
    return object;
}

bool bench_report_json(const char *path, const bench_results *results, const bench_options *options)
{
    char date[32];
    struct tm utc;
    const time_t now = time(NULL);
    (void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    json_t *rows = json_array();
    for (size_t i = 0; i < results->row_count; ++i) {
        (void)json_array_append_new(rows, row_object(results, &results->rows[i]));
    }
    json_t *top = json_pack("{s:s, s:I, s:I, s:o, s:o}", "date", date, "rounds", (json_int_t)options->rounds, "wrong",
                            (json_int_t)results->wrong, "machines", machines(results), "rows", rows);
    const bool ok = top != NULL && json_dump_file(top, path, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) == 0;
    json_decref(top);
    if (!ok) {
        (void)fprintf(stderr, "bench: %s cannot be written\n", path);
    }
    return ok;
}
