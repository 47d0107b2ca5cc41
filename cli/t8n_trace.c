/* SPDX-License-Identifier: Apache-2.0 */
/* What the transition tool shows of execution: a trace file a transaction, and a count of all instructions. */
#include <cevm/hex.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/named_trace.h"
#include "cli/t8n.h"
#include "evm/opcodes.h"
#include "trace/eip3155.h"

struct cevm_t8n_tracer {
    cevm_t8n_tracing options;
    cevm_state *state;
    cevm_tracer hooks; /* counts, and hands on to `inner` */
    const cevm_tracer *inner;
    cevm_eip3155 *json;
    cevm_named_trace named; /* with options.tracer, in place of `json` */
    uint64_t logs;          /* of the transactions before */
    FILE *file;
    char path[4096];
    size_t index; /* of the next transaction */
    uint64_t counts[256];
    const char *names[256]; /* of the instructions met; NULL: no opcode */
};

static void pass_tx_start(void *ctx, const struct cevm_block_env *block, const struct cevm_tx_env *tx)
{
    const cevm_tracer *inner = ((cevm_t8n_tracer *)ctx)->inner;
    if (inner != NULL && inner->on_tx_start != NULL) {
        inner->on_tx_start(inner->ctx, block, tx);
    }
}

static void pass_tx_end(void *ctx, int64_t gas_used)
{
    const cevm_tracer *inner = ((cevm_t8n_tracer *)ctx)->inner;
    if (inner != NULL && inner->on_tx_end != NULL) {
        inner->on_tx_end(inner->ctx, gas_used);
    }
}

static void pass_enter(void *ctx, const struct cevm_message *msg, uint32_t depth)
{
    const cevm_tracer *inner = ((cevm_t8n_tracer *)ctx)->inner;
    if (inner != NULL && inner->on_enter != NULL) {
        inner->on_enter(inner->ctx, msg, depth);
    }
}

static void pass_exit(void *ctx, const struct cevm_result *result, uint32_t depth)
{
    const cevm_tracer *inner = ((cevm_t8n_tracer *)ctx)->inner;
    if (inner != NULL && inner->on_exit != NULL) {
        inner->on_exit(inner->ctx, result, depth);
    }
}

static void pass_step(void *ctx, const cevm_step *step)
{
    cevm_t8n_tracer *t = ctx;
    if (step->code.size != 0) { /* a creation without initcode runs nothing */
        t->counts[step->op]++;
        t->names[step->op] = step->op_name;
    }
    if (t->inner != NULL && t->inner->on_step != NULL) {
        t->inner->on_step(t->inner->ctx, step);
    }
}

static void pass_step_end(void *ctx, int64_t gas_cost, int status)
{
    const cevm_tracer *inner = ((cevm_t8n_tracer *)ctx)->inner;
    if (inner != NULL && inner->on_step_end != NULL) {
        inner->on_step_end(inner->ctx, gas_cost, status);
    }
}

static void pass_log(void *ctx, const cevm_log *log)
{
    const cevm_tracer *inner = ((cevm_t8n_tracer *)ctx)->inner;
    if (inner != NULL && inner->on_log != NULL) {
        inner->on_log(inner->ctx, log);
    }
}

static bool balance_of(void *ctx, cevm_u256 *out, const cevm_address *address)
{
    cevm_account_info account;
    bool ok = cevm_state_get_account(ctx, &account, address) == CEVM_OK;
    *out = ok ? account.balance : (cevm_u256){{0}};
    return ok;
}

bool cevm_t8n_tracer_create(cevm_t8n_tracer **out, cevm_t8n_error *error, const cevm_t8n_tracing *options,
                            cevm_state *state)
{
    *out = NULL;
    if (!options->trace && !options->count_opcodes && options->tracer == NULL) {
        return true;
    }
    cevm_t8n_tracer *t = calloc(1, sizeof *t);
    if (t == NULL) {
        return cevm_t8n_fail(error, CEVM_T8N_EVM, "out of memory");
    }
    t->options = *options;
    t->options.trace = options->trace || options->tracer != NULL;
    t->state = state;
    if (options->tracer != NULL && !cevm_named_trace_open(&t->named, options->tracer, options->config, NULL)) {
        (void)cevm_t8n_fail(error, CEVM_T8N_CONFIG, "failed instantiating tracer: %s", t->named.error.text);
        free(t);
        return false;
    }
    t->hooks = (cevm_tracer){.struct_size = sizeof t->hooks,
                             .ctx = t,
                             .on_tx_start = pass_tx_start,
                             .on_tx_end = pass_tx_end,
                             .on_enter = pass_enter,
                             .on_exit = pass_exit,
                             .on_step = pass_step,
                             .on_step_end = pass_step_end,
                             .on_log = pass_log};
    *out = t;
    return true;
}

const cevm_tracer *cevm_t8n_tracer_system(cevm_t8n_tracer *tracer)
{
    return tracer != NULL && tracer->options.count_opcodes ? &tracer->hooks : NULL;
}

static bool open_lines(cevm_t8n_tracer *t, cevm_t8n_error *error)
{
    const cevm_eip3155_options options = {.memory = t->options.memory,
                                          .no_stack = t->options.no_stack,
                                          .return_data = t->options.return_data,
                                          .call_frames = t->options.call_frames,
                                          .balance = balance_of,
                                          .balance_ctx = t->state};
    if (cevm_eip3155_create(&t->json, t->file, &options, NULL) != CEVM_OK) {
        return cevm_t8n_fail(error, CEVM_T8N_EVM, "out of memory");
    }
    t->inner = cevm_eip3155_tracer(t->json);
    return true;
}

static bool open_named(cevm_t8n_tracer *t, cevm_t8n_error *error, const cevm_t8n_tx *tx, const cevm_block_env *block)
{
    const cevm_trace_context context = {
        .block_number = block->number, .has_tx = true, .tx_hash = tx->hash, .tx_index = t->index, .log_index = t->logs};
    t->named.stream = t->file;
    t->inner = cevm_named_trace_begin(&t->named, t->state, tx->tx, block, &context);
    return t->inner != NULL || cevm_t8n_fail(error, CEVM_T8N_EVM, "%s", cevm_err_string(t->named.failed));
}

/* geth's names: .jsonl for lines, .json for what a tracer gives. */
static bool open_file(cevm_t8n_tracer *t, cevm_t8n_error *error, const cevm_hash *hash)
{
    char hex[65];
    const char *folder = t->options.folder != NULL ? t->options.folder : "";
    cevm_hex_encode(hex, hash->bytes, sizeof hash->bytes);
    int n = snprintf(t->path, sizeof t->path, "%s%strace-%zu-0x%s.json%s", folder, folder[0] != '\0' ? "/" : "",
                     t->index, hex, t->options.tracer != NULL ? "" : "l");
    if (n < 0 || (size_t)n >= sizeof t->path) {
        return cevm_t8n_fail(error, CEVM_T8N_IO, "failed creating trace-file: the name is too long");
    }
    t->file = fopen(t->path, "wb");
    if (t->file == NULL) {
        return cevm_t8n_fail(error, CEVM_T8N_IO, "failed creating trace-file %.200s: %s", t->path, strerror(errno));
    }
    return true;
}

static void close_file(cevm_t8n_tracer *t)
{
    cevm_eip3155_destroy(t->json);
    t->json = NULL;
    t->inner = NULL;
    if (t->file != NULL) {
        (void)fclose(t->file);
        t->file = NULL;
    }
}

bool cevm_t8n_tracer_begin(const cevm_tracer **out, cevm_t8n_tracer *tracer, cevm_t8n_error *error,
                           const cevm_t8n_tx *tx, const cevm_block_env *block)
{
    *out = NULL;
    if (tracer == NULL) {
        return true;
    }
    if (tracer->options.trace) {
        if (!open_file(tracer, error, &tx->hash)) {
            return false;
        }
        bool ok = tracer->options.tracer != NULL ? open_named(tracer, error, tx, block) : open_lines(tracer, error);
        if (!ok) {
            close_file(tracer);
            return false;
        }
    }
    *out = tracer->options.count_opcodes ? &tracer->hooks : tracer->inner;
    return true;
}

bool cevm_t8n_tracer_end(cevm_t8n_tracer *tracer, cevm_t8n_error *error, const cevm_receipt *receipt)
{
    if (tracer == NULL || tracer->file == NULL) {
        return true;
    }
    cevm_err err = CEVM_OK;
    if (tracer->json != NULL) {
        err = cevm_eip3155_flush(tracer->json);
    } else {
        cevm_named_trace_end(&tracer->named, receipt);
        err = tracer->named.failed;
    }
    bool failed = err != CEVM_OK || fflush(tracer->file) != 0;
    close_file(tracer);
    tracer->index++;
    tracer->logs += receipt != NULL ? receipt->log_count : 0;
    return !failed || cevm_t8n_fail(error, CEVM_T8N_IO, "failed writing trace-file %.200s", tracer->path);
}

json_t *cevm_t8n_tracer_counts(const cevm_t8n_tracer *tracer)
{
    json_t *all = json_object();
    for (size_t op = 0; tracer != NULL && op < 256; op++) {
        char text[32];
        const char *name = tracer->names[op];
        if (tracer->counts[op] == 0) {
            continue;
        }
        name =
            name != NULL ? name : cevm_opcode_name(CEVM_LATEST, (uint8_t)op); /* one that the fork does not have yet */
        if (name == NULL) {
            (void)snprintf(text, sizeof text, "opcode 0x%zx not defined", op);
            name = text;
        }
        if (json_object_set_new(all, name, json_integer((json_int_t)tracer->counts[op])) != 0) {
            json_decref(all);
            return NULL;
        }
    }
    return all;
}

void cevm_t8n_tracer_destroy(cevm_t8n_tracer *tracer)
{
    if (tracer == NULL) {
        return;
    }
    close_file(tracer);
    (void)cevm_named_trace_close(&tracer->named);
    free(tracer);
}
