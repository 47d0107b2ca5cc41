/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebSocket (RFC 6455): the handshake on a connection of the HTTP server, then a loop on its thread. libwslay reads frames
 * and answers pings and closes; each text is a request, answered before the next is read.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdlib.h>
#include <strings.h>

#include "rpc/server_internal.h"

enum {
    FRAGMENTS = 65536,
    TURN = 64 * 1024, /* bytes that are read before what waits to be sent (pongs) has its turn */
    CLOSE_SECONDS = 1,
    MESSAGE_SECONDS = 60
};

typedef struct websocket {
    cevm_session session;
    cevm_wslay *wslay;
    wslay_event_context_ptr context;
    cevm_intake message;
    bool in_control;        /* the frame that comes in is a ping, a pong or a close */
    unsigned fragments;     /* of the message that comes in */
    uint64_t message_since; /* when it began; 0: there is none */
    const char *early;
    size_t early_size;
    size_t turn;   /* bytes left of this turn */
    bool finished; /* the other side sends no more */
} websocket;

/* ---- Handshake ---------------------------------------------------------------------------------------------------------- */

/* Whether a header with a list ("keep-alive, Upgrade") has a word. */
static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    while (list != NULL && *list != '\0') {
        list += strspn(list, ", \t");
        size_t size = strcspn(list, ", \t");
        if (size == length && strncasecmp(list, word, size) == 0) {
            return true;
        }
        list += size;
    }
    return false;
}

static const char *header(cevm_server *s, struct MHD_Connection *connection, const char *name)
{
    return s->http.lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

bool cevm_websocket_wanted(cevm_server *server, struct MHD_Connection *connection)
{
    return has_word(header(server, connection, MHD_HTTP_HEADER_UPGRADE), "websocket") &&
           has_word(header(server, connection, MHD_HTTP_HEADER_CONNECTION), "upgrade");
}

/* Sec-WebSocket-Accept of a key; false when the key is none (16 bytes in base64). */
static bool accept_key(char out[32], const char *key)
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[24 + sizeof guid];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (key == NULL || strlen(key) != 24 || key[22] != '=' || key[23] != '=') {
        return false;
    }
    memcpy(text, key, 24);
    memcpy(text + 24, guid, sizeof guid);
    if (EVP_Digest(text, strlen(text), digest, &size, EVP_sha1(), NULL) != 1 || size != 20) {
        return false;
    }
    return EVP_EncodeBlock((unsigned char *)out, digest, (int)size) == 28;
}

static void upgraded(void *cls, struct MHD_Connection *connection, void *slot, const char *early, size_t early_size,
                     MHD_socket fd, struct MHD_UpgradeResponseHandle *handle)
{
    cevm_conn *conn = cls;
    (void)connection;
    (void)slot;
    cevm_websocket_serve(conn, fd, early, early_size);
    (void)conn->server->http.upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
}

enum MHD_Result cevm_websocket_accept(cevm_server *server, struct MHD_Connection *connection, cevm_conn *conn)
{
    static char refusal[] = "this WebSocket handshake is not RFC 6455, version 13\n";
    char key[32];
    const char *version = header(server, connection, "Sec-WebSocket-Version");
    bool ok = version != NULL && strcmp(version, "13") == 0 &&
              accept_key(key, header(server, connection, "Sec-WebSocket-Key"));
    struct MHD_Response *response =
        ok ? server->http.create_response_for_upgrade(upgraded, conn)
           : server->http.create_response_from_buffer(sizeof refusal - 1, refusal, MHD_RESPMEM_PERSISTENT);
    if (response == NULL) {
        return MHD_NO;
    }
    if (ok) {
        (void)server->http.add_response_header(response, MHD_HTTP_HEADER_UPGRADE, "websocket");
        (void)server->http.add_response_header(response, "Sec-WebSocket-Accept", key);
    } else {
        (void)server->http.add_response_header(response, "Sec-WebSocket-Version", "13");
    }
    enum MHD_Result result = server->http.queue_response(
        connection, ok ? MHD_HTTP_SWITCHING_PROTOCOLS : MHD_HTTP_UPGRADE_REQUIRED, response);
    server->http.destroy_response(response);
    return result;
}

/* ---- Frames ------------------------------------------------------------------------------------------------------------- */

static void close_with(websocket *w, unsigned code, const char *reason)
{
    (void)w->wslay->event_queue_close(w->context, (uint16_t)code, (const uint8_t *)reason, strlen(reason));
}

static ssize_t receive(wslay_event_context_ptr context, uint8_t *out, size_t size, int flags, void *user)
{
    websocket *w = user;
    (void)flags;
    ssize_t n = -1;
    size = size < w->turn ? size : w->turn;
    errno = EAGAIN;
    if (w->early_size != 0) {
        n = (ssize_t)(w->early_size < size ? w->early_size : size);
        memcpy(out, w->early, (size_t)n);
        w->early += n;
        w->early_size -= (size_t)n;
    } else if (size != 0) {
        n = recv(w->session.fd, out, size, MSG_DONTWAIT);
    }
    if (n > 0) {
        w->turn -= (size_t)n;
        return n;
    }
    bool later = size == 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
    w->finished = !later;
    w->wslay->event_set_error(context, later ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static ssize_t transmit(wslay_event_context_ptr context, const uint8_t *data, size_t size, int flags, void *user)
{
    websocket *w = user;
    (void)flags;
    if (!cevm_session_write(&w->session, data, size)) {
        w->wslay->event_set_error(context, WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    return (ssize_t)size;
}

static void frame_begins(wslay_event_context_ptr context, const struct wslay_event_on_frame_recv_start_arg *frame,
                         void *user)
{
    websocket *w = user;
    (void)context;
    w->in_control = wslay_is_ctrl_frame(frame->opcode);
    if (w->in_control) {
        return;
    }
    if (w->message_since == 0) {
        w->message_since = cevm_server_now();
    }
    if (++w->fragments > FRAGMENTS) { /* empty ones cost no bytes of the limit */
        cevm_session_end(&w->session, WSLAY_CODE_MESSAGE_TOO_BIG);
    }
}

static void piece(wslay_event_context_ptr context, const struct wslay_event_on_frame_recv_chunk_arg *chunk, void *user)
{
    websocket *w = user;
    (void)context;
    if (w->in_control || cevm_session_ending(&w->session) != 0) {
        return;
    }
    switch (cevm_intake_add(&w->message, (const char *)chunk->data, chunk->data_length)) {
    case CEVM_INTAKE_OK: break;
    case CEVM_INTAKE_LARGE: cevm_session_end(&w->session, WSLAY_CODE_MESSAGE_TOO_BIG); break;
    case CEVM_INTAKE_BUSY: cevm_session_end(&w->session, WSLAY_CODE_INTERNAL_SERVER_ERROR); break;
    }
}

static void message(wslay_event_context_ptr context, const struct wslay_event_on_msg_recv_arg *m, void *user)
{
    websocket *w = user;
    (void)context;
    if (wslay_is_ctrl_frame(m->opcode)) {
        return;
    }
    if (cevm_session_ending(&w->session) == 0) {
        (void)cevm_session_answer(&w->session, w->message.data != NULL ? w->message.data : "", w->message.size);
        (void)cevm_session_flush(&w->session);
    }
    cevm_intake_drop(&w->message, w->message.size);
    w->fragments = 0;
    w->message_since = 0;
}

/* ---- The loop ----------------------------------------------------------------------------------------------------------- */

/* Milliseconds to wait for; 0 when it has taken too long. */
static int patience(const websocket *w, uint64_t closing_since)
{
    uint64_t now = cevm_server_now();
    uint64_t since = closing_since != 0 ? closing_since : w->message_since;
    uint64_t allowed = (closing_since != 0 ? CLOSE_SECONDS : MESSAGE_SECONDS + w->message.size / 65536) * 1000000000ull;
    if (since == 0) {
        return -1;
    }
    return now - since >= allowed ? 0 : (int)((allowed - (now - since)) / 1000000u) + 1;
}

static const char *reason(unsigned code)
{
    switch (code) {
    case WSLAY_CODE_POLICY_VIOLATION: return "too slow: notifications were not read";
    case WSLAY_CODE_GOING_AWAY: return "the node stops";
    case WSLAY_CODE_MESSAGE_TOO_BIG: return "the request is too large";
    case WSLAY_CODE_INTERNAL_SERVER_ERROR: return "too much at once; try again";
    default: return "";
    }
}

static void loop(websocket *w)
{
    uint64_t closing_since = 0;
    struct pollfd p[2] = {{.fd = w->session.fd, .events = POLLIN}, {.fd = w->session.wake, .events = POLLIN}};
    bool readable = w->early_size != 0;
    while (!w->session.broken) {
        w->turn = TURN;
        if (readable && w->wslay->event_recv(w->context) != 0 && w->finished) {
            return;
        }
        unsigned ending = cevm_session_ending(&w->session);
        if (!cevm_session_flush(&w->session)) {
            return;
        }
        if (ending != 0 && closing_since == 0) {
            close_with(w, ending, reason(ending));
        }
        if (w->wslay->event_want_write(w->context) && w->wslay->event_send(w->context) != 0) {
            return;
        }
        if (closing_since == 0 && w->wslay->event_get_close_sent(w->context)) {
            closing_since = cevm_server_now();
        }
        int wait = patience(w, closing_since);
        if (wait == 0 || (!w->wslay->event_want_read(w->context) && !w->wslay->event_want_write(w->context))) {
            return;
        }
        p[0].revents = p[1].revents = 0;
        (void)poll(p, 2, w->early_size != 0 ? 0 : wait);
        readable = p[0].revents != 0 || w->early_size != 0;
    }
}

/* A socket that is closed with unread bytes is reset, and the other side may never see why: reads on for a moment. */
static void linger(int fd)
{
    char buffer[4096];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    uint64_t until = cevm_server_now() + 500000000u;
    (void)shutdown(fd, SHUT_WR);
    while (cevm_server_now() < until && poll(&p, 1, 200) >= 0) {
        ssize_t n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            return;
        }
    }
}

void cevm_websocket_serve(cevm_conn *conn, int fd, const char *early, size_t early_size)
{
    static const struct wslay_event_callbacks callbacks = {.recv_callback = receive,
                                                           .send_callback = transmit,
                                                           .on_frame_recv_start_callback = frame_begins,
                                                           .on_frame_recv_chunk_callback = piece,
                                                           .on_msg_recv_callback = message};
    cevm_server *s = conn->server;
    const int on = 1;
    websocket *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    w->wslay = &s->wslay;
    w->message.server = s;
    w->early = early;
    w->early_size = early_size;
    if (cevm_session_init(&w->session, conn, fd, true)) {
        cevm_conn_enter(conn, CEVM_STAGE_SESSION);
        if (s->wslay.event_context_server_init(&w->context, &callbacks, w) == 0) {
            s->wslay.event_config_set_no_buffering(w->context, 1);
            s->wslay.event_config_set_max_recv_msg_length(w->context, s->options.limits.body);
            loop(w);
            s->wslay.event_context_free(w->context);
        }
        cevm_session_finish(&w->session);
        linger(fd);
    }
    cevm_intake_clear(&w->message);
    free(w);
}
