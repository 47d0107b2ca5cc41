/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC 2.0: requests are read, their calls made, answers written. */
#include "rpc/dispatch.h"

#include <stdio.h>
#include <time.h>

#include <cevm/alloc.h>

#include "rpc/answer.h"
#include "rpc/nearest.h"
#include "rpc/types.h"

/* ---- Output --------------------------------------------------------------------------------------------------------- */

void cevm_rpc_output_clear(cevm_rpc_output *out)
{
    cevm_free(NULL, out->data);
    out->data = NULL;
    out->size = out->capacity = 0;
}

static bool reserve(cevm_rpc_output *out, size_t more)
{
    if (out->capacity - out->size >= more) {
        return true;
    }
    size_t wanted = out->capacity < 512 ? 1024 : out->capacity * 2;
    wanted = wanted - out->size < more ? out->size + more : wanted;
    char *grown = cevm_resize(NULL, out->data, wanted);
    if (grown == NULL) {
        out->overflow = true;
        return false;
    }
    out->data = grown;
    out->capacity = wanted;
    return true;
}

static bool append(cevm_rpc_output *out, const char *text, size_t size)
{
    if (out->gone || out->size > out->limit || size > out->limit - out->size) {
        out->overflow = true;
        return false;
    }
    if (!reserve(out, size)) {
        return false;
    }
    memcpy(out->data + out->size, text, size);
    out->size += size;
    return true;
}

/* What frames values, which has to fit whatever the limit is. */
static void frame(cevm_rpc_output *out, const char *text, size_t size)
{
    if (out->gone || !reserve(out, size)) {
        out->gone = true; /* an answer with a hole is none */
        return;
    }
    memcpy(out->data + out->size, text, size);
    out->size += size;
}

static bool hand_over(cevm_rpc_output *out)
{
    if (!out->gone && out->size != 0 && !out->flush(out->ctx, out->data, out->size)) {
        out->gone = true;
    }
    out->size = 0;
    out->handed = out->started = true;
    return !out->gone;
}

static bool sink_whole(void *ctx, const char *text, size_t size) { return append(ctx, text, size); }

static bool sink_streamed(void *ctx, const char *text, size_t size)
{
    cevm_rpc_output *out = ctx;
    return append(out, text, size) && (out->size < CEVM_RPC_CHUNK || hand_over(out));
}

/* ---- One call ------------------------------------------------------------------------------------------------------- */

static uint64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void write_id(cevm_json_writer *w, const json_t *id)
{
    if (json_is_integer(id)) {
        cevm_json_put_signed(w, json_integer_value(id));
    } else if (json_is_string(id)) {
        cevm_json_put_string_n(w, json_string_value(id), json_string_length(id));
    } else {
        char *text = id != NULL ? json_dumps(id, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
        if (text != NULL) {
            cevm_json_put_raw(w, text, strlen(text));
        } else {
            cevm_json_put_null(w);
        }
        free(text);
    }
}

static bool sink_frame(void *ctx, const char *text, size_t size)
{
    frame(ctx, text, size);
    return true;
}

/* {"jsonrpc":"2.0","id":… without its end. */
static void begin_answer(cevm_rpc_output *out, const json_t *id)
{
    cevm_json_writer w;
    static const char start[] = "{\"jsonrpc\":\"2.0\",\"id\":";
    frame(out, start, sizeof start - 1);
    cevm_json_writer_init(&w, sink_frame, out);
    write_id(&w, id);
    (void)cevm_json_flush(&w);
}

/* ,"error":{…} */
static void write_error(cevm_rpc_output *out, int code, const char *message, const char *data)
{
    cevm_json_writer w;
    static const char key[] = ",\"error\":";
    frame(out, key, sizeof key - 1);
    cevm_json_writer_init(&w, sink_frame, out);
    cevm_json_begin_object(&w);
    cevm_json_put_key(&w, "code");
    cevm_json_put_signed(&w, code);
    cevm_json_put_key(&w, "message");
    cevm_json_put_string(&w, message);
    if (data != NULL) {
        cevm_json_put_key(&w, "data");
        cevm_json_put_raw(&w, data, strlen(data));
    }
    cevm_json_end_object(&w);
    (void)cevm_json_flush(&w);
}

static void refuse(cevm_rpc_output *out, const json_t *id, int code, const char *message)
{
    begin_answer(out, id);
    write_error(out, code, message, NULL);
    frame(out, "}", 1);
}

static void no_such_method(cevm_rpc_call *call, const char *name)
{
    size_t count;
    const cevm_rpc_row *rows = cevm_rpc_rows(&count);
    const char *near = cevm_nearest_name(name, &rows[0].name, sizeof rows[0], count);
    const char *bar = strchr(name, '_');
    const char *cousin = NULL; /* the same under another prefix */
    for (size_t i = 0; bar != NULL && cousin == NULL && i < count; ++i) {
        const char *other = strchr(rows[i].name, '_');
        cousin = other != NULL && strcmp(other, bar) == 0 ? rows[i].name : NULL;
    }
    near = cousin != NULL ? cousin : near;
    (void)cevm_rpc_fail(call, CEVM_RPC_METHOD_NOT_FOUND, "the method %.64s does not exist%s%s%s", name,
                        near != NULL ? "; did you mean " : "", near != NULL ? near : "", near != NULL ? "?" : "");
}

/* Runs the handler; its value goes to the output behind ,"result": */
static void run(cevm_rpc_call *call, cevm_rpc_output *out, bool may_stream)
{
    static const char key[] = ",\"result\":";
    cevm_json_writer w;
    size_t start = out->size;
    frame(out, key, sizeof key - 1);
    cevm_json_writer_init(&w, may_stream ? sink_streamed : sink_whole, out);
    call->out = &w;
    out->overflow = out->handed = false;
    call->row->handler(call);
    if (call->error.code == 0 || out->handed) {
        cevm_json_close_to(&w, 0);
        if (w.total == 0) {
            cevm_json_put_null(&w);
        }
        (void)cevm_json_flush(&w);
    }
    if (call->error.code == 0 && w.failed) {
        (void)cevm_rpc_fail(call, CEVM_RPC_LIMIT, "the answer is larger than %zu bytes or nested too deeply",
                            out->limit);
    }
    if (call->error.code != 0) {
        out->size = out->handed ? out->size : start;
        write_error(out, call->error.code, call->error.message, call->error.data);
    }
}

static void call_method(cevm_rpc_call *call, cevm_rpc_output *out, const char *name, json_t *params, bool notification)
{
    json_t *made = NULL;
    if (call->row == NULL) {
        no_such_method(call, name);
    } else if ((call->row->flags & CEVM_RPC_SESSION) != 0 && call->session == NULL) {
        (void)cevm_rpc_fail(call, CEVM_RPC_UNSUPPORTED, "%s takes a connection that lasts: WebSocket or IPC", name);
    } else if (cevm_rpc_check_params(call, params, &made) &&
               ((call->row->flags & CEVM_RPC_AHEAD) != 0 || cevm_rpc_settle(call))) {
        run(call, out, (call->row->flags & CEVM_RPC_STREAM) != 0 && out->flush != NULL && !notification);
        json_decref(made);
        return;
    }
    write_error(out, call->error.code, call->error.message, call->error.data);
    json_decref(made);
}

/* One request of an array, or the only one. Returns whether it was answered. */
static bool answer_one(json_t *request, const cevm_rpc_peer *peer, cevm_rpc_output *out)
{
    json_t *id = json_object_get(request, "id");
    json_t *method = json_object_get(request, "method");
    json_t *version = json_object_get(request, "jsonrpc");
    const char *name = json_string_value(method);
    if (!json_is_object(request) || name == NULL || strlen(name) != json_string_length(method) || json_is_object(id) ||
        json_is_array(id)) {
        refuse(out, json_is_object(id) || json_is_array(id) ? NULL : id, CEVM_RPC_INVALID_REQUEST,
               "invalid request: an object with \"jsonrpc\", \"id\", \"method\" and \"params\" is wanted");
        return true;
    }
    if (version != NULL && (!json_is_string(version) || strcmp(json_string_value(version), "2.0") != 0)) {
        refuse(out, id, CEVM_RPC_INVALID_REQUEST, "invalid request: only \"jsonrpc\": \"2.0\" is spoken here");
        return true;
    }
    cevm_arena arena = {0};
    uint64_t began = now_ns();
    size_t start = out->size;
    cevm_rpc_call call = {.node = peer->node,
                          .session = peer->session,
                          .row = cevm_rpc_find(name),
                          .arena = &arena,
                          .cancel = peer->cancel,
                          .is_logged = peer->observer != NULL,
                          .largest = peer->limits->body};
    if (peer->limits->timeout_ms != 0 && call.row != NULL && (call.row->flags & CEVM_RPC_WRITE) == 0) {
        call.deadline_ns = began + peer->limits->timeout_ms * 1000000u;
    }
    begin_answer(out, id);
    call_method(&call, out, name, json_object_get(request, "params"), id == NULL);
    frame(out, "}", 1);
    if (id == NULL) {
        out->size = start;
    }
    if (peer->observer != NULL) {
        peer->observer(peer->observer_user, &call, name, now_ns() - began);
    }
    cevm_arena_destroy(&arena);
    return id != NULL;
}

static bool is_cancelled(const cevm_rpc_peer *peer, const cevm_rpc_output *out)
{
    return out->gone || (peer->cancel != NULL && __atomic_load_n(peer->cancel, __ATOMIC_RELAXED));
}

static void answer_batch(json_t *batch, const cevm_rpc_peer *peer, cevm_rpc_output *out)
{
    size_t count = json_array_size(batch);
    bool any = false;
    if (count == 0) {
        refuse(out, NULL, CEVM_RPC_INVALID_REQUEST, "invalid request: an empty batch");
        return;
    }
    if (count > peer->limits->batch) {
        char text[96];
        (void)snprintf(text, sizeof text, "a batch of %zu requests; at most %zu are answered", count,
                       peer->limits->batch);
        refuse(out, NULL, CEVM_RPC_LIMIT, text);
        return;
    }
    for (size_t i = 0; i < count && !is_cancelled(peer, out); ++i) {
        size_t start = out->size;
        frame(out, any ? "," : "[", 1);
        if (answer_one(json_array_get(batch, i), peer, out)) {
            any = true;
        } else {
            out->size = start;
        }
        if (out->flush != NULL && out->size >= CEVM_RPC_CHUNK) {
            (void)hand_over(out);
        }
    }
    if (any) {
        frame(out, "]", 1);
    }
}

/* ---- Requests ------------------------------------------------------------------------------------------------------- */

/* Whether values are nested no deeper than this; the parser goes down by recursion. Text that is not JSON may pass. */
static bool is_shallow(const char *text, size_t size, unsigned limit)
{
    unsigned depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < size; ++i) {
        char c = text[i];
        if (quoted) {
            i += c == '\\';
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '[' || c == '{') {
            if (++depth > limit) {
                return false;
            }
        } else if ((c == ']' || c == '}') && depth > 0) {
            --depth;
        }
    }
    return true;
}

void cevm_rpc_request_read(cevm_rpc_request *out, const cevm_rpc_limits *limits, const char *text, size_t size)
{
    json_error_t error;
    *out = (cevm_rpc_request){0};
    if (size > limits->body) {
        out->code = CEVM_RPC_LIMIT;
        (void)snprintf(out->error, sizeof out->error, "the request is larger than %zu bytes", limits->body);
        return;
    }
    if (!is_shallow(text, size, limits->depth)) {
        out->code = CEVM_RPC_PARSE_ERROR;
        (void)snprintf(out->error, sizeof out->error, "values are nested deeper than %u levels", limits->depth);
        return;
    }
    out->json = json_loadb(text, size, JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
    if (out->json == NULL) {
        out->code = CEVM_RPC_PARSE_ERROR;
        (void)snprintf(out->error, sizeof out->error, "not JSON: %s (line %d, column %d)", error.text, error.line,
                       error.column);
    }
}

static bool streams(const json_t *request)
{
    const char *name = json_string_value(json_object_get(request, "method"));
    const cevm_rpc_row *row = name != NULL ? cevm_rpc_find(name) : NULL;
    return row != NULL && (row->flags & CEVM_RPC_STREAM) != 0;
}

bool cevm_rpc_request_streams(const cevm_rpc_request *request)
{
    if (!json_is_array(request->json)) {
        return streams(request->json);
    }
    for (size_t i = 0; i < json_array_size(request->json); ++i) {
        if (streams(json_array_get(request->json, i))) {
            return true;
        }
    }
    return false;
}

void cevm_rpc_request_answer(cevm_rpc_request *request, const cevm_rpc_peer *peer, cevm_rpc_output *out)
{
    if (request->json == NULL) {
        refuse(out, NULL, request->code, request->error);
    } else if (json_is_array(request->json)) {
        answer_batch(request->json, peer, out);
    } else {
        (void)answer_one(request->json, peer, out);
    }
}

void cevm_rpc_request_clear(cevm_rpc_request *request)
{
    json_decref(request->json);
    *request = (cevm_rpc_request){0};
}
