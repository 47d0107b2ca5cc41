/* SPDX-License-Identifier: Apache-2.0 */
/* What a request says about its trace. */
#include "rpc/trace_config.h"

#include <stdlib.h>
#include <time.h>

#include "rpc/node.h"
#include "rpc/trial.h"

#define KEPT_MEMORY ((uint64_t)512 << 20)

/* Options of the request that belong to the struct log; with a named tracer they mean nothing, and clients send them. */
static const char *const log_options[] = {"enableMemory",     "disableStack",  "disableStorage",
                                          "enableReturnData", "disableMemory", "limit"};
enum { LOG_OPTIONS = sizeof log_options / sizeof log_options[0] };

/* A duration in Go's spelling: numbers with units, "1m30s", "500ms". */
static bool read_duration(uint64_t *out_ns, const char *text)
{
    static const struct {
        const char *unit;
        double ns;
    } units[] = {{"ns", 1}, {"us", 1e3}, {"µs", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 6e10}, {"h", 3.6e12}};
    double sum = 0;
    if (*text == '\0') {
        return false;
    }
    while (*text != '\0') {
        char *end = NULL;
        if (*text < '0' || *text > '9') {
            return false;
        }
        double value = strtod(text, &end);
        size_t best = SIZE_MAX;
        for (size_t i = 0; i < sizeof units / sizeof units[0]; ++i) {
            size_t n = strlen(units[i].unit);
            if (strncmp(end, units[i].unit, n) == 0 && (best == SIZE_MAX || n > strlen(units[best].unit))) {
                best = i;
            }
        }
        if (best == SIZE_MAX) {
            return false;
        }
        sum += value * units[best].ns;
        text = end + strlen(units[best].unit);
    }
    *out_ns = sum < 1e18 ? (uint64_t)sum : (uint64_t)1000000000000000000u;
    return true;
}

static bool read_timeout(cevm_trace_config *out, cevm_rpc_call *call, const json_t *value)
{
    struct timespec now;
    uint64_t ns = 0;
    out->deadline_ns = cevm_call_deadline(call);
    if (value == NULL || json_is_null(value)) {
        return true;
    }
    if (!json_is_string(value) || !read_duration(&ns, json_string_value(value))) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "timeout wants a duration such as \"10s\" or \"500ms\"");
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t end = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec + ns;
    out->deadline_ns = call->deadline_ns != 0 && call->deadline_ns < end ? call->deadline_ns : end;
    return true;
}

static bool is_log_option(const char *key)
{
    for (size_t i = 0; i < LOG_OPTIONS; ++i) {
        if (strcmp(key, log_options[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_tx_index(cevm_trace_config *out, cevm_rpc_call *call, json_t *value)
{
    out->has_tx_index = !json_is_null(value);
    return !out->has_tx_index || cevm_rpc_read_u64(&out->tx_index, call, value, "txIndex");
}

static bool refuse(cevm_rpc_call *call, const char *key, bool of_call)
{
    return cevm_rpc_fail(
        call, CEVM_RPC_INVALID_PARAMS,
        "unknown trace option \"%.40s\"; there are tracer, tracerConfig, timeout, reexec%s, and without a "
        "tracer enableMemory, disableStack, disableStorage, enableReturnData, limit",
        key, of_call ? ", stateOverrides, blockOverrides, txIndex" : "");
}

static bool read_member(cevm_trace_config *out, cevm_rpc_call *call, const char *key, json_t *value, bool of_call)
{
    if (strcmp(key, "tracer") == 0) {
        out->tracer = json_string_value(value);
        return out->tracer != NULL || json_is_null(value) ||
               cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "tracer wants the name of one");
    }
    if (strcmp(key, "timeout") == 0) {
        return read_timeout(out, call, value);
    }
    if (of_call && strcmp(key, "stateOverrides") == 0) {
        out->state_overrides = value;
    } else if (of_call && strcmp(key, "blockOverrides") == 0) {
        out->block_overrides = value;
    } else if (of_call && strcmp(key, "txIndex") == 0) {
        return read_tx_index(out, call, value);
    } else if (strcmp(key, "tracerConfig") != 0 && strcmp(key, "reexec") != 0 && !is_log_option(key)) {
        return refuse(call, key, of_call); /* reexec: how far to go back for a state; here each one is there */
    }
    return true;
}

/* The options for the tracer: tracerConfig, or without a tracer those of the request itself. */
static bool take_options(cevm_trace_config *out, cevm_rpc_call *call, json_t *object)
{
    json_t *given = json_object_get(object, "tracerConfig");
    if (out->tracer != NULL && out->tracer[0] != '\0') {
        out->options = given != NULL ? json_incref(given) : NULL;
        return true;
    }
    if (given != NULL && !json_is_null(given) && json_object_size(given) != 0) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS,
                             "tracerConfig gives options to a tracer, and none is named");
    }
    out->options = json_object();
    bool ok = out->options != NULL;
    for (size_t i = 0; i < LOG_OPTIONS && ok; ++i) {
        json_t *value = json_object_get(object, log_options[i]);
        ok = value == NULL || json_object_set(out->options, log_options[i], value) == 0;
    }
    return ok || cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
}

bool cevm_trace_config_read(cevm_trace_config *out, cevm_rpc_call *call, json_t *object, bool of_call)
{
    const char *key;
    json_t *value;
    *out = (cevm_trace_config){0};
    if (!read_timeout(out, call, NULL)) {
        return false;
    }
    json_object_foreach(object, key, value)
    {
        if (!read_member(out, call, key, value, of_call)) {
            return false;
        }
    }
    if (!take_options(out, call, object)) {
        cevm_trace_config_free(out);
        return false;
    }
    return true;
}

void cevm_trace_config_free(cevm_trace_config *config)
{
    json_decref(config->options);
    config->options = NULL;
}

cevm_trace_request cevm_trace_request_of(cevm_rpc_call *call, cevm_state *state, const cevm_trace_context *context,
                                         volatile bool *stop)
{
    return (cevm_trace_request){.out = call->out,
                                .state = state,
                                .allocator = cevm_node_allocator(call->node),
                                .limits = {.memory = KEPT_MEMORY},
                                .context = *context,
                                .stop = stop,
                                .cancel = call->cancel};
}

cevm_trace *cevm_trace_config_make(const cevm_trace_config *config, cevm_rpc_call *call, cevm_state *state,
                                   const cevm_trace_context *context, volatile bool *stop)
{
    cevm_trace *trace = NULL;
    cevm_trace_error error;
    cevm_trace_request request = cevm_trace_request_of(call, state, context, stop);
    request.name = config->tracer;
    request.config = config->options;
    cevm_err err = cevm_trace_create(&trace, &error, &request);
    if (err == CEVM_ERR_ARGUMENT) {
        (void)cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "%s", error.text);
    } else if (err != CEVM_OK) {
        (void)cevm_rpc_fail_err(call, err);
    }
    return trace;
}

bool cevm_trace_fail_call(cevm_rpc_call *call, cevm_err err)
{
    static const char of_debug[] = "debug_";
    if (err == CEVM_ERR_CANCELLED) {
        const bool has_timeout = strncmp(call->row->name, of_debug, sizeof of_debug - 1) == 0;
        return cevm_rpc_fail(call, CEVM_RPC_SERVER, "execution timeout: %s",
                             has_timeout ? "give a longer \"timeout\" to the trace"
                                         : "ask for less at once, or start the node with a longer --timeout");
    }
    return cevm_rpc_fail_err(call, err);
}
