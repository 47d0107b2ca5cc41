/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client sends on a WebSocket, or over IPC: any bytes, in any pieces. The connection ends in good order, and
 * nothing is left of it.
 */
#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rpc/node.h"
#include "rpc/server_internal.h"

static cevm_server *make_server(void)
{
    static cevm_server server;
    cevm_node *node;
    cevm_node_error error;
    const cevm_node_options options = {.accounts = 1, .fork = CEVM_LATEST, .has_timestamp = true, .timestamp = 1000000};
    cevm_err err = cevm_node_create(&node, &error, &options);
    assert(err == CEVM_OK);
    bool loaded = cevm_wslay_load(&server.wslay, "fuzz_websocket");
    assert(loaded);
    (void)err;
    (void)loaded;
    server.options.node = node;
    server.options.limits = (cevm_rpc_limits){.body = 4096, .answer = 65536, .batch = 4, .depth = 16, .timeout_ms = 20};
    server.options.max_queue = 1 << 16;
    cevm_server_defaults(&server.options);
    (void)pthread_mutex_init(&server.lock, NULL);
    (void)pthread_cond_init(&server.changed, NULL);
    return &server;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static cevm_server *server;
    const int room = 4 << 20; /* for all it may answer: nobody reads */
    int pair[2];
    cevm_conn conn;
    if (server == NULL) {
        server = make_server();
    }
    if (size < 2 || size > 8192 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return 0;
    }
    (void)setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    (void)setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    size_t early = data[1] % size; /* what came with the handshake */
    early = early > 2 ? early - 2 : 0;
    ssize_t sent = send(pair[1], data + 2 + early, size - 2 - early, MSG_NOSIGNAL);
    assert(sent == (ssize_t)(size - 2 - early));
    (void)sent;
    (void)shutdown(pair[1], SHUT_WR);
    bool added = cevm_conn_add(&conn, server, pair[0]);
    assert(added);
    (void)added;
    if (data[0] % 4 != 0) {
        cevm_websocket_serve(&conn, pair[0], (const char *)data + 2, early);
    } else {
        cevm_ipc_serve(&conn, pair[0]);
    }
    cevm_conn_remove(&conn);
    assert(atomic_load(&server->intake) == 0);
    (void)close(pair[0]);
    (void)close(pair[1]);
    return 0;
}
