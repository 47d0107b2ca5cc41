/* SPDX-License-Identifier: Apache-2.0 */
/* `cevm statetest` and `cevm blocktest`: what people and machines read. */
#include <cevm/hex.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/vectors.h"

/* ---- Counting ---------------------------------------------------------------------------------------------------- */

static void add_count(cevm_vectors_count *to, const cevm_vectors_count *from)
{
    to->passed += from->passed;
    to->failed += from->failed;
    to->skipped += from->skipped;
}

static void add_reason(cevm_vectors_tally *tally, const char *text, uint64_t count)
{
    size_t i = 0;
    while (i + 1 < CEVM_VECTORS_REASONS && tally->reasons[i].count != 0 && strcmp(tally->reasons[i].text, text) != 0) {
        i++;
    }
    if (tally->reasons[i].count == 0) {
        bool last = i + 1 == CEVM_VECTORS_REASONS;
        (void)snprintf(tally->reasons[i].text, sizeof tally->reasons[i].text, "%s", last ? "another contract" : text);
    }
    tally->reasons[i].count += count;
}

/* Transactions that burn 2^63 gas each would go around. */
static void add_gas(cevm_vectors_tally *tally, uint64_t gas)
{
    tally->gas_used = gas <= UINT64_MAX - tally->gas_used ? tally->gas_used + gas : UINT64_MAX;
}

void cevm_vectors_tally_case(cevm_vectors_tally *tally, const cevm_vectors_case *c)
{
    cevm_vectors_count count = {0};
    switch (c->result->verdict) {
    case CEVM_TEST_PASS: count.passed = 1; break;
    case CEVM_TEST_NOT_BUILT: {
        char reason[CEVM_VECTORS_REASON_SIZE];
        bool named = c->result->detail[0] != '\0';
        (void)snprintf(reason, sizeof reason, "%.60s", named ? c->result->detail : "a precompiled contract");
        add_reason(tally, reason, 1);
        count.skipped = 1;
        break;
    }
    case CEVM_TEST_FAIL:
    case CEVM_TEST_ERROR: count.failed = 1; break;
    }
    add_count(&tally->total, &count);
    add_count(&tally->rows[c->row], &count);
    add_gas(tally, c->result->gas_used);
}

void cevm_vectors_tally_add(cevm_vectors_tally *to, const cevm_vectors_tally *from)
{
    add_count(&to->total, &from->total);
    for (size_t i = 0; i < CEVM_VECTORS_ROWS; i++) {
        add_count(&to->rows[i], &from->rows[i]);
    }
    for (size_t i = 0; i < CEVM_VECTORS_REASONS; i++) {
        if (from->reasons[i].count != 0) {
            add_reason(to, from->reasons[i].text, from->reasons[i].count);
        }
    }
    add_gas(to, from->gas_used);
    to->files += from->files;
    to->bad_files += from->bad_files;
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

/* A JSON string with its quotes; bytes that are not UTF-8 cannot come here, the parser refuses them. */
static void write_json_string(FILE *out, const char *text)
{
    (void)fputc('"', out);
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char ch = (unsigned char)*p;
        if (ch == '"' || ch == '\\') {
            (void)fprintf(out, "\\%c", ch);
        } else if (ch < 0x20) {
            (void)fprintf(out, "\\u%04x", ch);
        } else {
            (void)fputc(ch, out);
        }
    }
    (void)fputc('"', out);
}

static void write_json_member(FILE *out, const char *key, const char *text)
{
    (void)fprintf(out, ",\n    \"%s\": ", key);
    write_json_string(out, text);
}

void cevm_vectors_write_json(FILE *out, const cevm_vectors_case *c, bool bench)
{
    const cevm_test_result *r = c->result;
    (void)fputs("  {\n    \"name\": ", out);
    write_json_string(out, c->name);
    (void)fprintf(out, ",\n    \"pass\": %s", r->verdict == CEVM_TEST_PASS ? "true" : "false");
    if (r->has_root) {
        char hex[65];
        cevm_hex_encode(hex, r->root.bytes, sizeof r->root.bytes);
        (void)fprintf(out, ",\n    \"stateRoot\": \"0x%s\"", hex);
    }
    write_json_member(out, "fork", c->fork_name);
    if (r->error[0] != '\0') {
        write_json_member(out, "error", r->error);
    }
    if (c->state != NULL) {
        (void)fprintf(out, ",\n    \"state\": %s", c->state);
    }
    if (bench) {
        (void)fprintf(out, ",\n    \"stats\": {\"time\": %ju, \"gasUsed\": %ju}", (uintmax_t)c->time_ns,
                      (uintmax_t)r->gas_used);
    }
    (void)fputs("\n  }", out);
}

/* ---- For people -------------------------------------------------------------------------------------------------- */

/* A shell word in single quotes; with `regex` the characters special to extended regular expressions are escaped. */
static void write_quoted(FILE *out, const char *text, bool regex)
{
    (void)fputc('\'', out);
    (void)fputs(regex ? "^" : "", out);
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\'') {
            (void)fputs("'\\''", out);
        } else if (regex && strchr(".[]*^$+?(){}|\\", *p) != NULL) {
            (void)fprintf(out, "\\%c", *p);
        } else {
            (void)fputc(*p, out);
        }
    }
    (void)fputs(regex ? "$'" : "'", out);
}

void cevm_vectors_write_failure(FILE *out, const cevm_vectors_options *options, const cevm_vectors_case *c)
{
    const cevm_test_result *r = c->result;
    const cevm_vectors_kind *kind = options->kind;
    (void)fprintf(out, "FAIL %s [%s", c->name, c->fork_name);
    if (kind->has_entries) {
        (void)fprintf(out, "/%zu%s%s", c->index, c->label != NULL ? " " : "", c->label != NULL ? c->label : "");
    }
    (void)fputs("]\n", out);
    if (r->verdict == CEVM_TEST_ERROR) {
        (void)fprintf(out, "  could not be run: %s\n", r->error);
    } else if (r->expected[0] != '\0') {
        (void)fprintf(out, "  %s: expected %s\n  %*s       got %s\n", cevm_test_aspect_name(r->aspect), r->expected,
                      (int)strlen(cevm_test_aspect_name(r->aspect)), "", r->got);
    } else {
        (void)fprintf(out, "  %s: %s\n", cevm_test_aspect_name(r->aspect), r->error);
    }
    if (r->detail[0] != '\0') {
        (void)fprintf(out, "  first difference: %s\n", r->detail);
    }
    (void)fprintf(out, "  again: %s %s --human --run ", options->cli->program, kind->command);
    write_quoted(out, c->name, true);
    if (kind->has_entries) {
        (void)fprintf(out, " --statetest.fork %s --statetest.index %zu", c->fork_name, c->index);
    }
    (void)fputc(' ', out);
    write_quoted(out, c->file, false);
    (void)fputs("\n", out);
}

static const char *row_name(size_t i)
{
    return i < CEVM_FORK_COUNT            ? cevm_fork_name((cevm_fork)i)
           : i == CEVM_VECTORS_TRANSITION ? "(transitions)"
                                          : "(unknown)";
}

void cevm_vectors_write_summary(FILE *out, const cevm_vectors_kind *kind, const cevm_vectors_tally *tally,
                                double seconds)
{
    const cevm_vectors_count *t = &tally->total;
    if (t->passed + t->failed + t->skipped != 0) {
        (void)fprintf(out, "%-18s %9s %9s %9s\n", kind->rows, "passed", "failed", "skipped");
    }
    for (size_t i = 0; i < CEVM_VECTORS_ROWS; i++) {
        const cevm_vectors_count *f = &tally->rows[i];
        if (f->passed + f->failed + f->skipped != 0) {
            (void)fprintf(out, "%-18s %9ju %9ju %9ju\n", row_name(i), (uintmax_t)f->passed, (uintmax_t)f->failed,
                          (uintmax_t)f->skipped);
        }
    }
    for (size_t i = 0; i < CEVM_VECTORS_REASONS && tally->reasons[i].count != 0; i++) {
        (void)fprintf(out, "skipped %ju: not built yet: precompiled contract %s\n", (uintmax_t)tally->reasons[i].count,
                      tally->reasons[i].text);
    }
    if (tally->bad_files != 0) {
        (void)fprintf(out, "%ju of %ju files could not be read as %s\n", (uintmax_t)tally->bad_files,
                      (uintmax_t)tally->files, kind->what);
    }
    (void)fprintf(out, "%ju passed, %ju failed, %ju skipped (%ju files, %.1f s)\n", (uintmax_t)t->passed,
                  (uintmax_t)t->failed, (uintmax_t)t->skipped, (uintmax_t)tally->files, seconds);
}

static bool not_written(const cevm_vectors_options *o, const char *path)
{
    (void)fprintf(stderr, "%s %s: %s: cannot be written: %s\n", o->cli->program, o->kind->command, path,
                  strerror(errno));
    return false;
}

bool cevm_vectors_write_summary_file(const cevm_vectors_options *o, const char *path, const cevm_vectors_tally *tally,
                                     double seconds)
{
    FILE *out = fopen(path, "we");
    if (out == NULL) {
        return not_written(o, path);
    }
    const cevm_vectors_count *t = &tally->total;
    (void)fprintf(out,
                  "{\"passed\": %ju, \"failed\": %ju, \"skipped\": %ju, \"files\": %ju, \"badFiles\": %ju, "
                  "\"gasUsed\": %ju, \"seconds\": %.3f, \"forks\": {",
                  (uintmax_t)t->passed, (uintmax_t)t->failed, (uintmax_t)t->skipped, (uintmax_t)tally->files,
                  (uintmax_t)tally->bad_files, (uintmax_t)tally->gas_used, seconds);
    const char *comma = "";
    for (size_t i = 0; i < CEVM_VECTORS_ROWS; i++) {
        const cevm_vectors_count *f = &tally->rows[i];
        if (f->passed + f->failed + f->skipped != 0) {
            (void)fprintf(out, "%s\"%s\": {\"passed\": %ju, \"failed\": %ju, \"skipped\": %ju}", comma, row_name(i),
                          (uintmax_t)f->passed, (uintmax_t)f->failed, (uintmax_t)f->skipped);
            comma = ", ";
        }
    }
    (void)fputs("}, \"skips\": {", out);
    comma = "";
    for (size_t i = 0; i < CEVM_VECTORS_REASONS && tally->reasons[i].count != 0; i++) {
        (void)fprintf(out, "%s\"%s\": %ju", comma, tally->reasons[i].text, (uintmax_t)tally->reasons[i].count);
        comma = ", ";
    }
    (void)fputs("}}\n", out);
    bool ok = ferror(out) == 0;
    ok = fclose(out) == 0 && ok;
    return ok || not_written(o, path);
}
