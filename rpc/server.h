/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/server.h: the node's calls over HTTP and WebSocket on one port, and over a Unix socket (IPC).
 *
 * A connection has a thread. Limits hold for each connection (size, nesting, time to send a request) and for all (how many,
 * bytes of requests that wait): a client that goes beyond them is answered or cut off, the others do not notice.
 *
 * Threads: started and stopped by one thread.
 */
#ifndef CEVM_RPC_SERVER_H
#define CEVM_RPC_SERVER_H

#include "rpc/dispatch.h"

typedef struct cevm_server cevm_server;

/** Zero-initialise, fill what you need. Strings are borrowed until the server has stopped. */
typedef struct cevm_server_options {
    struct cevm_node *node;
    const char *host; /* an IP address or localhost; NULL = 127.0.0.1 */
    uint16_t port;    /* 0: one that is free */
    const char *ipc;  /* path of a Unix socket, open to this user alone; NULL: none */
    /**
     * Origins (of web pages) that are answered, separated by commas, or "*". NULL: pages of this machine and extensions of
     * the browser; "" none.
     */
    const char *origins;
    const char *hosts; /* names in Host that are answered beside localhost and addresses, or "*"; see rpc/origin.h */
    unsigned max_connections; /* 0 = 2,000 */
    size_t max_intake;        /* bytes of requests that come in at once, over all connections; 0 = 256 MiB */
    size_t max_queue;         /* bytes that wait for one reader of subscriptions; 0 = 16 MiB */
    unsigned head_seconds;    /* a request's head has to be there in; 0 = 10 */
    unsigned body_seconds;    /* its body, and one more for each 64 KiB; 0 = 30 */
    unsigned idle_seconds;    /* a connection may wait for its next request; 0 = 300 */
    cevm_rpc_limits limits;
    cevm_rpc_observer observer;
    void *observer_user;
} cevm_server_options;

/** What is used where limits are 0. */
void cevm_server_defaults(cevm_server_options *options);

/** Starts to listen. False, with the reason in one line, when it cannot: the port is in use, a library is missing. */
bool cevm_server_start(cevm_server **out, char *error, size_t error_size, const cevm_server_options *options);
/** The port, and the address as it stands in URLs ("127.0.0.1", "[::1]"). */
uint16_t cevm_server_port(const cevm_server *server);
const char *cevm_server_address(const cevm_server *server);
/**
 * Stops: no new connections, calls that go on come to their end (those that only read are cancelled after a second),
 * sessions are closed (1001). Returns when no thread of it is left.
 */
void cevm_server_stop(cevm_server *server);

#endif
