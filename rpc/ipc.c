/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPC: a Unix socket with JSON texts one after the other, as geth's has; each is answered before the next, answers and
 * notifications end with a newline.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "rpc/server_internal.h"

enum { READ_SIZE = 16 * 1024, MESSAGE_SECONDS = 60 };

/* ---- Where texts end ---------------------------------------------------------------------------------------------------- */

typedef struct scanner {
    size_t at;      /* bytes looked at */
    unsigned depth; /* open objects and arrays */
    bool quoted, escaped;
} scanner;

typedef enum scanned { MORE, COMPLETE, NONSENSE } scanned;

/* Looks on for the end of the text that begins at the front; COMPLETE: it ends before s->at. */
static scanned scan(scanner *s, const char *text, size_t size)
{
    while (s->at < size) {
        char c = text[s->at++];
        if (s->quoted) {
            s->quoted = s->escaped || c != '"';
            s->escaped = !s->escaped && c == '\\';
        } else if (c == '"') {
            s->quoted = true;
        } else if (c == '{' || c == '[') {
            s->depth++;
        } else if ((c == '}' || c == ']') && s->depth > 0 && --s->depth == 0) {
            return COMPLETE;
        }
        if (s->depth == 0) {
            return NONSENSE; /* only objects and arrays are requests */
        }
    }
    return MORE;
}

static size_t blank(const char *text, size_t size)
{
    size_t n = 0;
    while (n < size && (text[n] == ' ' || text[n] == '\n' || text[n] == '\r' || text[n] == '\t')) {
        ++n;
    }
    return n;
}

/* ---- A connection ------------------------------------------------------------------------------------------------------- */

typedef struct ipc {
    cevm_session session;
    cevm_intake intake;
    scanner scanner;
    uint64_t since; /* when the text at the front began; 0: there is none */
} ipc;

/* Answers what has come in whole. False when the connection has to end. */
static bool answer_all(ipc *c)
{
    for (;;) {
        if (c->scanner.at == 0) {
            cevm_intake_drop(&c->intake, blank(c->intake.data, c->intake.size));
        }
        if (c->intake.size == 0) {
            c->since = 0;
            return true;
        }
        c->since = c->since != 0 ? c->since : cevm_server_now();
        scanned found = scan(&c->scanner, c->intake.data, c->intake.size);
        if (found == MORE) {
            return true;
        }
        size_t size = found == NONSENSE ? c->intake.size : c->scanner.at;
        bool ok = cevm_session_answer(&c->session, c->intake.data, size) && cevm_session_flush(&c->session);
        cevm_intake_drop(&c->intake, size);
        c->scanner = (scanner){0};
        c->since = 0;
        if (!ok || found == NONSENSE || cevm_session_ending(&c->session) != 0) {
            return false;
        }
    }
}

/* Reads what there is. False when the connection has to end. */
static bool take(ipc *c)
{
    char buffer[READ_SIZE];
    ssize_t n = recv(c->session.fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n <= 0) {
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    }
    switch (cevm_intake_add(&c->intake, buffer, (size_t)n)) {
    case CEVM_INTAKE_OK: return answer_all(c);
    case CEVM_INTAKE_LARGE:
    case CEVM_INTAKE_BUSY: break;
    }
    static const char text[] =
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32005,\"message\":\"the request is "
        "too large\"}}\n";
    (void)cevm_session_write(&c->session, text, sizeof text - 1);
    return false;
}

static void loop(ipc *c)
{
    struct pollfd p[2] = {{.fd = c->session.fd, .events = POLLIN}, {.fd = c->session.wake, .events = POLLIN}};
    for (;;) {
        if (!cevm_session_flush(&c->session) || cevm_session_ending(&c->session) != 0) {
            return;
        }
        uint64_t allowed = MESSAGE_SECONDS + c->intake.size / 65536;
        if (c->since != 0 && cevm_server_now() - c->since > allowed * 1000000000u) {
            return;
        }
        p[0].revents = p[1].revents = 0;
        (void)poll(p, 2, c->since != 0 ? 1000 : -1);
        if (p[0].revents != 0 && !take(c)) {
            return;
        }
    }
}

void cevm_ipc_serve(cevm_conn *conn, int fd)
{
    ipc *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return;
    }
    c->intake.server = conn->server;
    if (cevm_session_init(&c->session, conn, fd, false)) {
        cevm_conn_enter(conn, CEVM_STAGE_SESSION);
        loop(c);
        cevm_session_finish(&c->session);
    }
    cevm_intake_clear(&c->intake);
    free(c);
}

static void *serve(void *arg)
{
    cevm_conn *conn = arg;
    int fd = conn->fd;
    cevm_ipc_serve(conn, fd);
    cevm_conn_remove(conn);
    (void)close(fd);
    free(conn);
    return NULL;
}

/* ---- The socket --------------------------------------------------------------------------------------------------------- */

static void accept_one(cevm_server *s, int fd)
{
    pthread_t thread;
    cevm_conn *conn = malloc(sizeof *conn);
    if (conn == NULL) {
        (void)close(fd);
        return;
    }
    bool ok = cevm_conn_add(conn, s, fd);
    cevm_conn_enter(conn, CEVM_STAGE_SESSION);
    if (ok && pthread_create(&thread, NULL, serve, conn) == 0) {
        (void)pthread_detach(thread);
        return;
    }
    cevm_conn_remove(conn);
    (void)close(fd);
    free(conn);
}

static void *accept_all(void *arg)
{
    cevm_server *s = arg;
    for (;;) {
        int fd = accept4(s->ipc_listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            accept_one(s, fd);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            (void)poll(NULL, 0, 50);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return NULL;
        }
    }
}

static bool fail(char *error, size_t size, const char *path, const char *why)
{
    (void)snprintf(error, size, "cannot listen on %s: %s", path, why);
    return false;
}

/* A socket that nobody listens on is what an earlier run left: it makes room. Anything else stays. */
static bool make_room(const struct sockaddr_un *address, char *error, size_t size)
{
    struct stat st;
    if (lstat(address->sun_path, &st) != 0) {
        return true;
    }
    if (!S_ISSOCK(st.st_mode)) {
        return fail(error, size, address->sun_path, "there is a file of this name");
    }
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool in_use = probe >= 0 && connect(probe, (const struct sockaddr *)(const void *)address, sizeof *address) == 0;
    if (probe >= 0) {
        (void)close(probe);
    }
    if (in_use) {
        return fail(error, size, address->sun_path, "another node listens there");
    }
    return unlink(address->sun_path) == 0 || fail(error, size, address->sun_path, strerror(errno));
}

bool cevm_ipc_start(cevm_server *s, char *error, size_t error_size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = s->options.ipc;
    if (strlen(path) >= sizeof address.sun_path) {
        return fail(error, error_size, path, "the path is too long for a socket");
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (!make_room(&address, error, error_size)) {
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    mode_t mask = umask(0177); /* for this user alone */
    bool ok = fd >= 0 && bind(fd, (const struct sockaddr *)(const void *)&address, sizeof address) == 0 &&
              listen(fd, SOMAXCONN) == 0;
    int why = errno;
    (void)umask(mask);
    s->ipc_listener = fd;
    if (ok && pthread_create(&s->ipc_thread, NULL, accept_all, s) == 0) {
        return true;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    s->ipc_listener = -1;
    return fail(error, error_size, path, strerror(why));
}

void cevm_ipc_stop(cevm_server *s)
{
    if (s->ipc_listener >= 0) {
        (void)shutdown(s->ipc_listener, SHUT_RDWR);
        (void)pthread_join(s->ipc_thread, NULL);
        (void)close(s->ipc_listener);
        (void)unlink(s->options.ipc);
        s->ipc_listener = -1;
    }
}
