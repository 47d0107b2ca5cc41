/* SPDX-License-Identifier: Apache-2.0 */
/* Life of the server: it listens, and it stops. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cevm/alloc.h>

#include "rpc/server_internal.h"

void cevm_server_defaults(cevm_server_options *o)
{
    o->host = o->host != NULL ? o->host : "127.0.0.1";
    o->max_connections = o->max_connections != 0 ? o->max_connections : 2000;
    o->max_intake = o->max_intake != 0 ? o->max_intake : (size_t)256 << 20;
    o->max_queue = o->max_queue != 0 ? o->max_queue : (size_t)16 << 20;
    o->head_seconds = o->head_seconds != 0 ? o->head_seconds : 10;
    o->body_seconds = o->body_seconds != 0 ? o->body_seconds : 30;
    o->idle_seconds = o->idle_seconds != 0 ? o->idle_seconds : 300;
    o->limits.body = o->limits.body != 0 ? o->limits.body : (size_t)32 << 20;
    o->limits.answer = o->limits.answer != 0 ? o->limits.answer : (size_t)128 << 20;
    o->limits.batch = o->limits.batch != 0 ? o->limits.batch : 1000;
    o->limits.depth = o->limits.depth != 0 ? o->limits.depth : 128;
}

/* ---- The port ----------------------------------------------------------------------------------------------------------- */

typedef union any_address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
} any_address;

static bool parse_address(any_address *out, socklen_t *size, const char *host, uint16_t port)
{
    const char *text = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
    *out = (any_address){0};
    if (inet_pton(AF_INET, text, &out->four.sin_addr) == 1) {
        out->four.sin_family = AF_INET;
        out->four.sin_port = htons(port);
        *size = sizeof out->four;
        return true;
    }
    if (inet_pton(AF_INET6, text, &out->six.sin6_addr) == 1) {
        out->six.sin6_family = AF_INET6;
        out->six.sin6_port = htons(port);
        *size = sizeof out->six;
        return true;
    }
    return false;
}

static void remember_address(cevm_server *s, const any_address *address)
{
    char text[INET6_ADDRSTRLEN] = "";
    bool six = address->any.sa_family == AF_INET6;
    if (six) {
        (void)inet_ntop(AF_INET6, &address->six.sin6_addr, text, sizeof text);
    } else {
        (void)inet_ntop(AF_INET, &address->four.sin_addr, text, sizeof text);
    }
    (void)snprintf(s->address, sizeof s->address, six ? "[%s]" : "%s", text);
    s->port = ntohs(six ? address->six.sin6_port : address->four.sin_port);
}

static int fail(int fd, char *error, size_t size, const cevm_server_options *o, const char *why)
{
    const char *hint = errno == EADDRINUSE ? "; --port N takes another, 0 any that is free" : "";
    (void)snprintf(error, size, "cannot listen on %s port %u: %s%s", o->host, (unsigned)o->port, why, hint);
    if (fd >= 0) {
        (void)close(fd);
    }
    return -1;
}

static int open_port(cevm_server *s, char *error, size_t error_size)
{
    any_address address;
    socklen_t size;
    const int on = 1;
    errno = 0;
    if (!parse_address(&address, &size, s->options.host, s->options.port)) {
        return fail(-1, error, error_size, &s->options, "not an IP address");
    }
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 || bind(fd, &address.any, size) != 0 ||
        listen(fd, 1024) != 0 || getsockname(fd, &address.any, &size) != 0) {
        return fail(fd, error, error_size, &s->options, strerror(errno));
    }
    remember_address(s, &address);
    return fd;
}

uint16_t cevm_server_port(const cevm_server *server) { return server->port; }
const char *cevm_server_address(const cevm_server *server) { return server->address; }

/* ---- Life --------------------------------------------------------------------------------------------------------------- */

static void destroy(cevm_server *s)
{
    (void)pthread_mutex_destroy(&s->lock);
    (void)pthread_cond_destroy(&s->changed);
    free(s);
}

/* Tells the watcher, and waits until it has seen the last connection go. */
static void drain(cevm_server *s)
{
    (void)pthread_mutex_lock(&s->lock);
    s->stopping = true;
    s->stopping_since = cevm_server_now();
    (void)pthread_cond_broadcast(&s->changed);
    (void)pthread_mutex_unlock(&s->lock);
    (void)pthread_join(s->watcher, NULL);
}

bool cevm_server_start(cevm_server **out, char *error, size_t error_size, const cevm_server_options *options)
{
    cevm_server *s = calloc(1, sizeof *s);
    *out = NULL;
    (void)snprintf(error, error_size, "the server cannot start: %s", "out of memory");
    if (s == NULL) {
        return false;
    }
    s->options = *options;
    cevm_server_defaults(&s->options);
    s->ipc_listener = -1;
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_cond_init(&s->changed, NULL);
    json_object_seed(0); /* otherwise two threads may do it at once */
    bool loaded = cevm_microhttpd_load(&s->http, "node") && cevm_wslay_load(&s->wslay, "node");
    if (!loaded) {
        (void)snprintf(error, error_size, "the server cannot start: %s", "a library is missing");
    }
    int listener = loaded ? open_port(s, error, error_size) : -1;
    if (listener < 0 || pthread_create(&s->watcher, NULL, cevm_conn_watch, s) != 0) {
        if (listener >= 0) {
            (void)close(listener);
        }
        destroy(s);
        return false;
    }
    bool ok = s->options.ipc == NULL || cevm_ipc_start(s, error, error_size);
    if (ok && !cevm_http_start(s, listener)) {
        (void)snprintf(error, error_size, "the server cannot start: %s", "libmicrohttpd refuses");
        ok = false;
    }
    if (!ok) {
        (void)close(listener);
        cevm_ipc_stop(s);
        drain(s);
        destroy(s);
        return false;
    }
    *out = s;
    return true;
}

void cevm_server_stop(cevm_server *s)
{
    MHD_socket listener = s->http.quiesce_daemon(s->daemon);
    cevm_ipc_stop(s);
    drain(s);
    s->http.stop_daemon(s->daemon);
    if (listener != MHD_INVALID_SOCKET) {
        (void)close(listener);
    }
    destroy(s);
}
