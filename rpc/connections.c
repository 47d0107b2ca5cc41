/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections, and the watcher that looks after them: cuts off those that take too long over a request, cancels the calls
 * of those that have hung up, and, when the server stops, ends them all.
 */
#include <poll.h>
#include <time.h>

#include "rpc/server_internal.h"

#define SECOND 1000000000ull
#define TICK   (SECOND / 10) /* how often the watcher looks */

uint64_t cevm_server_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

/* ---- The list --------------------------------------------------------------------------------------------------------- */

static bool may_be_cut(const cevm_conn *c)
{
    int stage = atomic_load(&c->stage);
    return stage == CEVM_STAGE_IDLE || stage == CEVM_STAGE_HEAD || stage == CEVM_STAGE_BODY;
}

/* Makes room: the connection that has waited longest for (the rest of) a request goes. */
static bool cut_one(cevm_server *s)
{
    cevm_conn *oldest = NULL;
    for (cevm_conn *c = s->first; c != NULL; c = c->next) {
        if (may_be_cut(c) && !c->is_cut && (oldest == NULL || atomic_load(&c->since) < atomic_load(&oldest->since))) {
            oldest = c;
        }
    }
    if (oldest != NULL) {
        oldest->is_cut = true;
        s->leaving++;
        (void)shutdown(oldest->fd, SHUT_RDWR);
    }
    return oldest != NULL;
}

bool cevm_conn_add(cevm_conn *conn, cevm_server *server, int fd)
{
    *conn = (cevm_conn){.server = server, .fd = fd};
    atomic_init(&conn->is_new, true);
    atomic_init(&conn->stage, CEVM_STAGE_IDLE);
    atomic_init(&conn->since, cevm_server_now());
    atomic_init(&conn->received, 0);
    (void)pthread_mutex_lock(&server->lock);
    bool ok =
        !server->stopping && (server->count - server->leaving < server->options.max_connections || cut_one(server));
    conn->next = server->first;
    if (conn->next != NULL) {
        conn->next->previous = conn;
    }
    server->first = conn;
    server->count++;
    conn->is_cut = !ok;
    server->leaving += ok ? 0 : 1;
    (void)pthread_cond_broadcast(&server->changed);
    (void)pthread_mutex_unlock(&server->lock);
    return ok;
}

void cevm_conn_remove(cevm_conn *conn)
{
    cevm_server *s = conn->server;
    (void)pthread_mutex_lock(&s->lock);
    if (conn->previous != NULL) {
        conn->previous->next = conn->next;
    } else {
        s->first = conn->next;
    }
    if (conn->next != NULL) {
        conn->next->previous = conn->previous;
    }
    s->count--;
    s->leaving -= conn->is_cut ? 1 : 0;
    (void)pthread_cond_broadcast(&s->changed);
    (void)pthread_mutex_unlock(&s->lock);
}

void cevm_conn_enter(cevm_conn *conn, cevm_stage stage)
{
    atomic_store_explicit(&conn->since, cevm_server_now(), memory_order_relaxed);
    atomic_store(&conn->stage, (int)stage);
}

void cevm_conn_begin_call(cevm_conn *conn)
{
    atomic_store(&conn->is_new, false);
    __atomic_store_n(&conn->cancel, false, __ATOMIC_RELAXED);
    cevm_conn_enter(conn, CEVM_STAGE_CALL);
}

cevm_rpc_peer cevm_conn_peer(cevm_conn *conn)
{
    const cevm_server_options *o = &conn->server->options;
    return (cevm_rpc_peer){.node = o->node,
                           .session = conn->session,
                           .cancel = &conn->cancel,
                           .limits = &o->limits,
                           .observer = o->observer,
                           .observer_user = o->observer_user};
}

/* ---- The watcher ------------------------------------------------------------------------------------------------------ */

static bool has_hung_up(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLRDHUP};
    return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0;
}

/* How long a connection may be at what it is at, in nanoseconds; 0: as long as it likes. */
static uint64_t allowance(const cevm_conn *c, int stage)
{
    const cevm_server_options *o = &c->server->options;
    switch (stage) {
    case CEVM_STAGE_IDLE: return (atomic_load(&c->is_new) ? o->head_seconds : o->idle_seconds) * SECOND;
    case CEVM_STAGE_HEAD: return o->head_seconds * SECOND;
    case CEVM_STAGE_BODY: return (o->body_seconds + atomic_load(&c->received) / 65536) * SECOND;
    default: return 0;
    }
}

static void look_at(cevm_conn *c, uint64_t now)
{
    cevm_server *s = c->server;
    int stage = atomic_load(&c->stage);
    uint64_t since = atomic_load(&c->since);
    uint64_t age = now > since ? now - since : 0;
    uint64_t allowed = allowance(c, stage);
    uint64_t stopping = s->stopping ? now - s->stopping_since + 1 : 0;
    if (stage == CEVM_STAGE_CALL) {
        if (stopping > SECOND || (age > TICK && has_hung_up(c->fd))) {
            cevm_conn_cancel(c);
        }
    } else if (stopping != 0 && c->session != NULL) {
        cevm_session_end(c->session, WSLAY_CODE_GOING_AWAY);
    } else if ((allowed != 0 && age > allowed) || (stopping != 0 && stage == CEVM_STAGE_IDLE)) {
        (void)shutdown(c->fd, SHUT_RDWR);
    }
    if (stopping > 5 * SECOND) {
        (void)shutdown(c->fd, SHUT_RDWR);
    }
}

void *cevm_conn_watch(void *server)
{
    cevm_server *s = server;
    (void)pthread_mutex_lock(&s->lock);
    while (!s->stopping || s->count != 0) {
        uint64_t now = cevm_server_now();
        for (cevm_conn *c = s->first; c != NULL; c = c->next) {
            look_at(c, now);
        }
        if (s->count == 0 && !s->stopping) {
            (void)pthread_cond_wait(&s->changed, &s->lock);
            continue;
        }
        uint64_t until = now + (s->stopping ? TICK / 10 : TICK);
        struct timespec t = {.tv_sec = (time_t)(until / SECOND), .tv_nsec = (long)(until % SECOND)};
        (void)pthread_mutex_unlock(&s->lock);
        (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
        (void)pthread_mutex_lock(&s->lock);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return NULL;
}
