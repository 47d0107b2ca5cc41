/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP: POST of JSON-RPC to any path, preflights of browsers (CORS), and WebSocket handshakes. libmicrohttpd has a thread
 * for each connection, so a call may take as long as it takes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "rpc/http_stream.h"
#include "rpc/origin.h"

enum { STACK = 1 << 20, CONNECTION_MEMORY = 32 * 1024, RESERVE = 1024 }; /* RESERVE: connections that are about to go */

/* One request while it comes in. */
typedef struct exchange {
    cevm_intake body;
    unsigned refusal; /* HTTP status when it is refused; 0 otherwise */
    const char *text; /* that goes with it */
} exchange;

static const char *header(const cevm_server *s, struct MHD_Connection *connection, const char *name)
{
    return s->http.lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static cevm_conn *conn_of(const cevm_server *s, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = s->http.get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

/* ---- Answers ------------------------------------------------------------------------------------------------------------ */

/* What lets the browser show the answer to the page that asked. */
static void add_cors(const cevm_server *s, struct MHD_Connection *connection, struct MHD_Response *response)
{
    const char *origin = header(s, connection, MHD_HTTP_HEADER_ORIGIN);
    if (origin == NULL || !cevm_origin_allowed(origin, s->options.origins)) {
        return;
    }
    (void)s->http.add_response_header(response, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    (void)s->http.add_response_header(response, MHD_HTTP_HEADER_VARY, "Origin");
}

static enum MHD_Result send_response(const cevm_server *s, struct MHD_Connection *connection, unsigned status,
                                     struct MHD_Response *response, const char *type)
{
    if (response == NULL) {
        return MHD_NO;
    }
    if (type != NULL) {
        (void)s->http.add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    }
    add_cors(s, connection, response);
    enum MHD_Result result = s->http.queue_response(connection, status, response);
    s->http.destroy_response(response);
    return result;
}

/* Static text. */
static enum MHD_Result say(const cevm_server *s, struct MHD_Connection *connection, unsigned status, const char *text)
{
    struct MHD_Response *response =
        s->http.create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
    if (response != NULL && status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        (void)s->http.add_response_header(response, MHD_HTTP_HEADER_ALLOW, "POST, OPTIONS, GET");
    }
    return send_response(s, connection, status, response, *text != '\0' ? "text/plain; charset=utf-8" : NULL);
}

static enum MHD_Result preflight(const cevm_server *s, struct MHD_Connection *connection)
{
    static char nothing[] = "";
    struct MHD_Response *response = s->http.create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
    const char *headers = header(s, connection, "Access-Control-Request-Headers");
    if (response != NULL) {
        (void)s->http.add_response_header(response, "Access-Control-Allow-Methods", "POST, GET, OPTIONS");
        (void)s->http.add_response_header(response, "Access-Control-Allow-Headers",
                                          headers != NULL ? headers : "Content-Type");
        (void)s->http.add_response_header(response, "Access-Control-Max-Age", "600");
        if (header(s, connection, "Access-Control-Request-Private-Network") != NULL) {
            (void)s->http.add_response_header(response, "Access-Control-Allow-Private-Network", "true");
        }
    }
    return send_response(s, connection, MHD_HTTP_NO_CONTENT, response, NULL);
}

static enum MHD_Result send_output(const cevm_server *s, struct MHD_Connection *connection, cevm_rpc_output *out)
{
    if (out->gone) {
        cevm_rpc_output_clear(out);
        return say(s, connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory\n");
    }
    if (out->size == 0) { /* notifications alone */
        cevm_rpc_output_clear(out);
        return say(s, connection, MHD_HTTP_NO_CONTENT, "");
    }
    struct MHD_Response *response =
        s->http.create_response_from_buffer(out->size, out->data, MHD_RESPMEM_MUST_FREE); /* it is from libc */
    if (response == NULL) {
        cevm_rpc_output_clear(out);
    }
    return send_response(s, connection, MHD_HTTP_OK, response, "application/json");
}

static enum MHD_Result answer(cevm_server *s, struct MHD_Connection *connection, cevm_conn *conn, exchange *e)
{
    cevm_rpc_request request;
    cevm_rpc_output out = {.limit = s->options.limits.answer};
    cevm_conn_begin_call(conn);
    cevm_rpc_peer peer = cevm_conn_peer(conn);
    cevm_rpc_request_read(&request, &s->options.limits, e->body.data != NULL ? e->body.data : "", e->body.size);
    cevm_intake_clear(&e->body);
    if (cevm_rpc_request_streams(&request)) {
        cevm_http_stream *stream = cevm_http_stream_start(conn, &request);
        if (stream != NULL && !cevm_http_stream_fits(stream, &out)) {
            return send_response(s, connection, MHD_HTTP_OK, cevm_http_stream_response(stream), "application/json");
        }
        if (stream != NULL) {
            return send_output(s, connection, &out);
        }
    }
    cevm_rpc_request_answer(&request, &peer, &out);
    cevm_rpc_request_clear(&request);
    return send_output(s, connection, &out);
}

/* ---- Requests ----------------------------------------------------------------------------------------------------------- */

static void refuse(exchange *e, unsigned status, const char *text)
{
    if (e->refusal == 0) {
        e->refusal = status;
        e->text = text;
    }
}

/* What the head alone tells. */
static void judge(const cevm_server *s, struct MHD_Connection *connection, exchange *e, const char *method)
{
    const char *length = header(s, connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (!cevm_host_allowed(header(s, connection, MHD_HTTP_HEADER_HOST), s->options.hosts)) {
        refuse(e, MHD_HTTP_FORBIDDEN,
               "The name in Host is not one of this node's: a web page may have been rebound to it.\n"
               "To allow the name, start the node with --host-allow NAME.\n");
    } else if (!cevm_origin_allowed(header(s, connection, MHD_HTTP_HEADER_ORIGIN), s->options.origins)) {
        refuse(e, MHD_HTTP_FORBIDDEN,
               "Web pages of this origin are not answered.\n"
               "To allow it, start the node with --cors-origins ORIGIN, or '*' for all.\n");
    } else if (strcmp(method, MHD_HTTP_METHOD_POST) != 0 && strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
               strcmp(method, MHD_HTTP_METHOD_HEAD) != 0 && strcmp(method, MHD_HTTP_METHOD_OPTIONS) != 0) {
        refuse(e, MHD_HTTP_METHOD_NOT_ALLOWED, "POST JSON-RPC here.\n");
    } else if (length != NULL && strtoull(length, NULL, 10) > s->options.limits.body) {
        refuse(e, MHD_HTTP_CONTENT_TOO_LARGE, "The request is too large.\n");
    }
}

/* The head of a request has been read. */
static enum MHD_Result begin(cevm_server *s, struct MHD_Connection *connection, cevm_conn *conn, const char *method,
                             void **slot)
{
    exchange *e = *slot;
    if (e == NULL) {
        return MHD_NO;
    }
    judge(s, connection, e, method);
    if (e->refusal != 0) {
        return say(s, connection, e->refusal, e->text);
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) == 0 && cevm_websocket_wanted(s, connection)) {
        return cevm_websocket_accept(s, connection, conn);
    }
    atomic_store(&conn->received, 0);
    cevm_conn_enter(conn, CEVM_STAGE_BODY);
    return MHD_YES;
}

static enum MHD_Result finish(cevm_server *s, struct MHD_Connection *connection, cevm_conn *conn, exchange *e,
                              const char *method)
{
    if (e->refusal != 0) {
        return say(s, connection, e->refusal, e->text);
    }
    if (strcmp(method, MHD_HTTP_METHOD_OPTIONS) == 0) {
        return preflight(s, connection);
    }
    if (strcmp(method, MHD_HTTP_METHOD_POST) != 0) {
        return say(s, connection, MHD_HTTP_OK, "cevm: a development node. POST JSON-RPC here, or open a WebSocket.\n");
    }
    return answer(s, connection, conn, e);
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **slot)
{
    cevm_server *s = ctx;
    cevm_conn *conn = conn_of(s, connection);
    exchange *e = *slot;
    (void)url;
    (void)version;
    if (conn == NULL) {
        return MHD_NO;
    }
    if (atomic_load(&conn->stage) == CEVM_STAGE_HEAD) {
        return begin(s, connection, conn, method, slot);
    }
    if (*size == 0) {
        return finish(s, connection, conn, e, method);
    }
    atomic_fetch_add(&conn->received, *size);
    if (e->refusal == 0) {
        switch (cevm_intake_add(&e->body, data, *size)) {
        case CEVM_INTAKE_OK: break;
        case CEVM_INTAKE_LARGE: refuse(e, MHD_HTTP_CONTENT_TOO_LARGE, "The request is too large.\n"); break;
        case CEVM_INTAKE_BUSY: refuse(e, MHD_HTTP_SERVICE_UNAVAILABLE, "Too much at once; try again.\n"); break;
        }
    }
    *size = 0;
    return MHD_YES;
}

/* The first line of a request has been read: what it returns is the request's slot. */
static void *requested(void *ctx, const char *uri, struct MHD_Connection *connection)
{
    cevm_server *s = ctx;
    cevm_conn *conn = conn_of(s, connection);
    (void)uri;
    exchange *e = calloc(1, sizeof *e);
    if (e != NULL) {
        e->body.server = s;
    }
    if (conn != NULL) {
        cevm_conn_enter(conn, CEVM_STAGE_HEAD);
    }
    return e;
}

static void completed(void *ctx, struct MHD_Connection *connection, void **slot, enum MHD_RequestTerminationCode code)
{
    cevm_server *s = ctx;
    cevm_conn *conn = conn_of(s, connection);
    exchange *e = *slot;
    (void)code;
    if (e != NULL) {
        cevm_intake_clear(&e->body);
        free(e);
        *slot = NULL;
    }
    if (conn != NULL) {
        cevm_conn_enter(conn, CEVM_STAGE_IDLE);
    }
}

static void connected(void *ctx, struct MHD_Connection *connection, void **slot,
                      enum MHD_ConnectionNotificationCode code)
{
    cevm_server *s = ctx;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*slot != NULL) {
            cevm_conn_remove(*slot);
            free(*slot);
            *slot = NULL;
        }
        return;
    }
    const union MHD_ConnectionInfo *info = s->http.get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    cevm_conn *conn = info != NULL ? malloc(sizeof *conn) : NULL;
    *slot = conn;
    if (conn != NULL && !cevm_conn_add(conn, s, info->connect_fd)) {
        (void)shutdown(info->connect_fd, SHUT_RDWR);
    }
}

bool cevm_http_start(cevm_server *s, int listener)
{
    s->daemon = s->http.start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL | MHD_ALLOW_UPGRADE |
            MHD_USE_ITC,
        0, NULL, NULL, handle, s, MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_TIMEOUT,
        s->options.idle_seconds, MHD_OPTION_CONNECTION_LIMIT, 2 * s->options.max_connections + RESERVE,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, requested, s, MHD_OPTION_NOTIFY_COMPLETED,
        completed, s, MHD_OPTION_NOTIFY_CONNECTION, connected, s, MHD_OPTION_END);
    return s->daemon != NULL;
}
