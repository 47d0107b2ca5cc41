/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/server_internal.h: what the parts of the server share: connections and who looks after them, bytes that come in,
 * sessions.
 */
#ifndef CEVM_RPC_SERVER_INTERNAL_H
#define CEVM_RPC_SERVER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "rpc/microhttpd.h"
#include "rpc/server.h"
#include "rpc/session.h"
#include "rpc/wslay.h"

/** What a connection is at: decides how long it may stay there, and whether it may be cut off for another. */
typedef enum cevm_stage {
    CEVM_STAGE_IDLE, /* waits for a request */
    CEVM_STAGE_HEAD, /* a request has begun */
    CEVM_STAGE_BODY,
    CEVM_STAGE_CALL,   /* a call goes on; cancelled when the client hangs up */
    CEVM_STAGE_SESSION /* WebSocket or IPC, between calls */
} cevm_stage;

/** A connection. In the server's list from its beginning to its end; fields not marked are guarded by the server's lock. */
typedef struct cevm_conn {
    struct cevm_conn *next, *previous;
    cevm_server *server;
    int fd;
    atomic_bool is_new;     /* has not sent a request yet */
    cevm_session *session;  /* while it is one */
    bool is_cut;            /* to make room for another */
    atomic_int stage;       /* written by its own thread */
    atomic_ullong since;    /* nanoseconds, CLOCK_MONOTONIC: when the stage began */
    atomic_size_t received; /* bytes of the body */
    volatile bool cancel;   /* what calls look at; set by the watcher, cleared by its own thread before a call */
} cevm_conn;

struct cevm_server {
    cevm_server_options options;
    char address[64];
    uint16_t port;
    cevm_microhttpd http;
    cevm_wslay wslay;
    struct MHD_Daemon *daemon;
    int ipc_listener; /* -1: none */
    pthread_t ipc_thread;
    pthread_t watcher;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* connections came or went, or it stops */
    cevm_conn *first;       /* the youngest */
    unsigned count;
    unsigned leaving; /* of them: cut off, about to go */
    bool stopping;
    uint64_t stopping_since;
    atomic_size_t intake; /* bytes of requests that come in */
};

uint64_t cevm_server_now(void);

static inline void cevm_conn_cancel(cevm_conn *conn) { __atomic_store_n(&conn->cancel, true, __ATOMIC_RELAXED); }

/* ---- Connections: rpc/connections.c --------------------------------------------------------------------------------- */

/** Adds a connection. False when there are too many and none that waits could be cut off for it. */
bool cevm_conn_add(cevm_conn *conn, cevm_server *server, int fd);
/** Takes it off the list: must come before its socket is closed. */
void cevm_conn_remove(cevm_conn *conn);
void cevm_conn_enter(cevm_conn *conn, cevm_stage stage);
/** The same, for the beginning of a call: not cancelled. */
void cevm_conn_begin_call(cevm_conn *conn);
/** The watcher's thread; `server` is its argument. */
void *cevm_conn_watch(void *server);
/** Who asks on this connection. */
cevm_rpc_peer cevm_conn_peer(cevm_conn *conn);

/* ---- Bytes of a request: rpc/intake.c -------------------------------------------------------------------------------- */

typedef struct cevm_intake {
    cevm_server *server;
    char *data;
    size_t size;
    size_t capacity; /* counted in the server's budget */
} cevm_intake;

typedef enum cevm_intake_result {
    CEVM_INTAKE_OK,
    CEVM_INTAKE_LARGE, /* beyond the limit of a request */
    CEVM_INTAKE_BUSY   /* beyond what all requests together may have, or no memory */
} cevm_intake_result;

cevm_intake_result cevm_intake_add(cevm_intake *intake, const char *data, size_t size);
/** Takes `size` bytes from the front. */
void cevm_intake_drop(cevm_intake *intake, size_t size);
void cevm_intake_clear(cevm_intake *intake);

/* ---- Sessions: rpc/session.c ------------------------------------------------------------------------------------------ */

struct cevm_session {
    cevm_server *server;
    cevm_conn *conn;
    int fd;   /* not blocking */
    int wake; /* an eventfd: there is something in the queue, or it ends */
    bool is_websocket;
    bool broken;     /* nothing more can be written */
    bool in_message; /* a message that is sent in parts has begun */
    cevm_session_guest *guests;
    pthread_mutex_t lock;
    char *queue; /* guarded by the lock: framed, what others have sent */
    size_t queued, capacity;
    unsigned ending;   /* guarded by the lock: close code, 0 = goes on */
    uint64_t farewell; /* its own thread's: when it gives up writing what is left before the end; 0: not yet known */
};

bool cevm_session_init(cevm_session *session, cevm_conn *conn, int fd, bool is_websocket);
/** Tells the guests, frees what it holds; the socket stays open. */
void cevm_session_finish(cevm_session *session);
/** Makes it end with this code (of RFC 6455); any thread that holds the server's lock, or its own. */
void cevm_session_end(cevm_session *session, unsigned code);
unsigned cevm_session_ending(cevm_session *session);
/** Writes out what is in the queue. False when nothing more can be written. */
bool cevm_session_flush(cevm_session *session);
/** Writes bytes as they are, waiting for the reader within limits. False when nothing more can be written. */
bool cevm_session_write(cevm_session *session, const void *data, size_t size);
/** Answers one request text. False when nothing more can be written. */
bool cevm_session_answer(cevm_session *session, const char *text, size_t size);

/* ---- What comes by which way ------------------------------------------------------------------------------------------- */

/** rpc/http.c: begins to serve a socket that listens. */
bool cevm_http_start(cevm_server *server, int listener);
/** rpc/websocket.c: whether the request asks for a WebSocket; then queues the answer to it. */
bool cevm_websocket_wanted(cevm_server *server, struct MHD_Connection *connection);
enum MHD_Result cevm_websocket_accept(cevm_server *server, struct MHD_Connection *connection, cevm_conn *conn);
/** Serves a WebSocket until it ends; `early` are bytes that have been read already. The socket stays open. */
void cevm_websocket_serve(cevm_conn *conn, int fd, const char *early, size_t early_size);
/** rpc/ipc.c */
bool cevm_ipc_start(cevm_server *server, char *error, size_t error_size);
void cevm_ipc_stop(cevm_server *server);
/** Serves a stream of JSON texts until it ends. The socket stays open. */
void cevm_ipc_serve(cevm_conn *conn, int fd);

#endif
