/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: a queue that any thread fills and the connection's own thread empties; answers go out between its texts. */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cevm/alloc.h>

#include "rpc/server_internal.h"

enum { WRITE_SECONDS = 30, FAREWELL_SECONDS = 3, HEADER_SIZE = 10, FINAL = 0x80, TEXT = 1, CONTINUATION = 0 };

bool cevm_session_init(cevm_session *session, cevm_conn *conn, int fd, bool is_websocket)
{
    cevm_server *s = conn->server;
    *session = (cevm_session){.server = s, .conn = conn, .fd = fd, .is_websocket = is_websocket};
    session->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (session->wake < 0) {
        return false;
    }
    if (pthread_mutex_init(&session->lock, NULL) != 0) {
        (void)close(session->wake);
        return false;
    }
    (void)pthread_mutex_lock(&s->lock);
    conn->session = session;
    (void)pthread_mutex_unlock(&s->lock);
    return true;
}

void cevm_session_finish(cevm_session *session)
{
    cevm_server *s = session->server;
    (void)pthread_mutex_lock(&s->lock);
    session->conn->session = NULL;
    (void)pthread_mutex_unlock(&s->lock);
    cevm_session_end(session, WSLAY_CODE_NORMAL_CLOSURE);
    while (session->guests != NULL) {
        cevm_session_guest *guest = session->guests;
        session->guests = guest->next;
        guest->closed(guest, session);
    }
    cevm_free(NULL, session->queue);
    (void)pthread_mutex_destroy(&session->lock);
    (void)close(session->wake);
}

void cevm_session_attach(cevm_session *session, cevm_session_guest *guest)
{
    guest->next = session->guests;
    session->guests = guest;
}

cevm_session_guest *cevm_session_guest_of(const cevm_session *session, const void *kind)
{
    for (cevm_session_guest *guest = session->guests; guest != NULL; guest = guest->next) {
        if (guest->kind == kind) {
            return guest;
        }
    }
    return NULL;
}

/* ---- Others' side ------------------------------------------------------------------------------------------------------- */

static void wake(cevm_session *session)
{
    const uint64_t one = 1;
    (void)!write(session->wake, &one, sizeof one); /* full means that it is awake */
}

void cevm_session_end(cevm_session *session, unsigned code)
{
    (void)pthread_mutex_lock(&session->lock);
    bool first = session->ending == 0;
    if (first) {
        session->ending = code;
    }
    (void)pthread_mutex_unlock(&session->lock);
    if (first) {
        wake(session);
    }
}

unsigned cevm_session_ending(cevm_session *session)
{
    (void)pthread_mutex_lock(&session->lock);
    unsigned ending = session->ending;
    (void)pthread_mutex_unlock(&session->lock);
    return ending;
}

/* What goes before `size` bytes of a frame (RFC 6455, section 5.2; a server does not mask). */
static size_t frame_header(uint8_t out[HEADER_SIZE], unsigned first, size_t size)
{
    out[0] = (uint8_t)first;
    if (size < 126) {
        out[1] = (uint8_t)size;
        return 2;
    }
    if (size <= UINT16_MAX) {
        out[1] = 126;
        out[2] = (uint8_t)(size >> 8);
        out[3] = (uint8_t)size;
        return 4;
    }
    out[1] = 127;
    cevm_store_be64(out + 2, size);
    return 10;
}

static bool enqueue(cevm_session *session, const void *data, size_t size)
{
    size_t limit = session->server->options.max_queue;
    if (size > limit || session->queued > limit - size) {
        return false;
    }
    if (session->capacity - session->queued < size) {
        size_t wanted = session->capacity * 2 > session->queued + size ? session->capacity * 2 : session->queued + size;
        char *grown = cevm_resize(NULL, session->queue, wanted);
        if (grown == NULL) {
            return false;
        }
        session->queue = grown;
        session->capacity = wanted;
    }
    memcpy(session->queue + session->queued, data, size);
    session->queued += size;
    return true;
}

bool cevm_session_send(cevm_session *session, const char *json, size_t size)
{
    uint8_t header[HEADER_SIZE];
    (void)pthread_mutex_lock(&session->lock);
    bool ok = session->ending == 0;
    bool was_empty = session->queued == 0;
    if (ok && session->is_websocket) {
        ok = enqueue(session, header, frame_header(header, FINAL | TEXT, size)) && enqueue(session, json, size);
    } else if (ok) {
        ok = enqueue(session, json, size) && enqueue(session, "\n", 1);
    }
    if (!ok && session->ending == 0) {
        session->ending = WSLAY_CODE_POLICY_VIOLATION; /* too slow */
        session->queued = 0;
    }
    (void)pthread_mutex_unlock(&session->lock);
    if (!ok || was_empty) {
        wake(session);
    }
    return ok;
}

/* ---- The connection's own side ------------------------------------------------------------------------------------------ */

/* Waits until the socket takes more; false when it did not for too long. */
static bool wait_writable(cevm_session *session, uint64_t *deadline)
{
    struct pollfd p[2] = {{.fd = session->fd, .events = POLLOUT}, {.fd = session->wake, .events = POLLIN}};
    bool ending = cevm_session_ending(session) != 0;
    uint64_t now = cevm_server_now();
    if (ending && session->farewell == 0) {
        session->farewell = now + FAREWELL_SECONDS * 1000000000ull;
    }
    if (ending && *deadline > session->farewell) {
        *deadline = session->farewell; /* however much has gone out since: there is no end to a slow reader's queue */
    }
    if (now >= *deadline) {
        return false;
    }
    (void)poll(p, ending ? 1 : 2, (int)((*deadline - now) / 1000000u) + 1);
    if ((p[1].revents & POLLIN) != 0 && (p[0].revents & POLLOUT) == 0 && cevm_session_ending(session) == 0) {
        struct pollfd only = {.fd = session->fd, .events = POLLOUT}; /* more for the queue: it has to wait */
        (void)poll(&only, 1, 50);
    }
    return true;
}

bool cevm_session_write(cevm_session *session, const void *data, size_t size)
{
    const char *p = data;
    uint64_t deadline = cevm_server_now() + WRITE_SECONDS * 1000000000ull;
    while (size != 0 && !session->broken) {
        ssize_t n = send(session->fd, p, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            p += n;
            size -= (size_t)n;
            deadline = cevm_server_now() + WRITE_SECONDS * 1000000000ull;
        } else if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
            session->broken = true;
        } else if (n < 0 && errno != EINTR && !wait_writable(session, &deadline)) {
            session->broken = true;
        }
    }
    return !session->broken;
}

bool cevm_session_flush(cevm_session *session)
{
    uint64_t count;
    while (read(session->wake, &count, sizeof count) == (ssize_t)sizeof count) {
    }
    (void)pthread_mutex_lock(&session->lock);
    char *queue = session->queue;
    size_t size = session->queued;
    session->queue = NULL;
    session->queued = session->capacity = 0;
    (void)pthread_mutex_unlock(&session->lock);
    bool ok = !session->broken && (size == 0 || cevm_session_write(session, queue, size));
    cevm_free(NULL, queue);
    return ok;
}

/* A part of an answer; the last one ends the message. */
static bool write_part(cevm_session *session, const char *data, size_t size, bool last)
{
    uint8_t header[HEADER_SIZE];
    bool ok = true;
    if (session->is_websocket) {
        unsigned first = (last ? FINAL : 0u) | (session->in_message ? CONTINUATION : TEXT);
        ok = cevm_session_write(session, header, frame_header(header, first, size));
    }
    session->in_message = !last;
    return ok && cevm_session_write(session, data, size) &&
           (session->is_websocket || !last || cevm_session_write(session, "\n", 1));
}

static bool flush_part(void *ctx, const char *data, size_t size) { return write_part(ctx, data, size, false); }

bool cevm_session_answer(cevm_session *session, const char *text, size_t size)
{
    cevm_conn *conn = session->conn;
    cevm_rpc_request request;
    cevm_rpc_output out = {.flush = flush_part, .ctx = session, .limit = session->server->options.limits.answer};
    cevm_conn_begin_call(conn);
    cevm_rpc_peer peer = cevm_conn_peer(conn);
    cevm_rpc_request_read(&request, &peer.limits[0], text, size);
    cevm_rpc_request_answer(&request, &peer, &out);
    cevm_rpc_request_clear(&request);
    cevm_conn_enter(conn, CEVM_STAGE_SESSION);
    if (out.gone) {
        session->broken = true;
    } else if (out.size != 0 || session->in_message) {
        (void)write_part(session, out.data, out.size, true);
    }
    cevm_rpc_output_clear(&out);
    return !session->broken;
}
