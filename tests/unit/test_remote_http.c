/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The remote backend over HTTP, with libcurl and a server on this machine: what only a real connection can do to it. What
 * the answers mean is tested in test_remote.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "remote_support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_REQUEST = 1 << 20 };

/** What the server does with a connection. */
typedef enum http_mode {
    HTTP_WELL,
    HTTP_RETRY_AFTER, /* 429, "Retry-After: 1", once */
    HTTP_SLOW,        /* no answer for a second */
    HTTP_CUT,         /* promises more than it sends, once */
    HTTP_HANGS_UP,    /* closes without an answer, once */
    HTTP_ENDLESS,     /* sends for ever */
    HTTP_MOVED,       /* 302 to another place */
} http_mode;

typedef struct server {
    fake_node node;
    _Atomic int mode;
    int listener;
    uint16_t port;
    pthread_t thread;
    atomic_bool stop;
    char request[MAX_REQUEST];
    char headers[4096]; /* of the last request */
} server;

static bool send_all(int to, const char *data, size_t size)
{
    while (size != 0) {
        const ssize_t n = send(to, data, size, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        data += n;
        size -= (size_t)n;
    }
    return true;
}

/** Reads one request; its body is at the end of s->request. Size 0: the connection ended. */
static cevm_bytes receive(server *s, int from)
{
    size_t have = 0;
    size_t need = SIZE_MAX;
    const char *body = NULL;
    while (have < need) {
        const ssize_t n = recv(from, s->request + have, MAX_REQUEST - 1 - have, 0);
        if (n <= 0) {
            return (cevm_bytes){NULL, 0};
        }
        have += (size_t)n;
        s->request[have] = '\0';
        body = strstr(s->request, "\r\n\r\n");
        const char *length = strcasestr(s->request, "content-length:");
        if (body != NULL && length != NULL) {
            body += 4;
            need = (size_t)(body - s->request) + strtoul(length + 15, NULL, 10);
        }
    }
    (void)snprintf(s->headers, sizeof s->headers, "%.*s", (int)(body - s->request), s->request);
    return (cevm_bytes){(const uint8_t *)body, need - (size_t)(body - s->request)};
}

static bool answer(server *s, int to, const cevm_remote_reply *reply)
{
    char head[256];
    const int mode = s->mode;
    if (mode == HTTP_HANGS_UP) {
        s->mode = HTTP_WELL;
        return false;
    }
    if (mode == HTTP_SLOW) {
        (void)usleep(1000000);
    }
    if (mode == HTTP_RETRY_AFTER) {
        static const char busy[] = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
        s->mode = HTTP_WELL;
        return send_all(to, busy, sizeof busy - 1);
    }
    if (mode == HTTP_MOVED) {
        static const char moved[] =
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/elsewhere\r\nContent-Length: 0\r\n\r\n";
        return send_all(to, moved, sizeof moved - 1);
    }
    if (mode == HTTP_ENDLESS) {
        static const char begin[] = "HTTP/1.1 200 OK\r\n\r\n[";
        static const char more[8192] = "          ";
        bool ok = send_all(to, begin, sizeof begin - 1);
        while (ok && !s->stop) {
            ok = send_all(to, more, sizeof more);
        }
        return false;
    }
    const size_t extra = mode == HTTP_CUT ? 100 : 0;
    (void)snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                   reply->status, reply->body.size + extra);
    if (mode == HTTP_CUT) {
        s->mode = HTTP_WELL;
    }
    return send_all(to, head, strlen(head)) && send_all(to, (const char *)reply->body.data, reply->body.size) &&
           extra == 0;
}

static void serve(server *s, int connection)
{
    bool ok = true;
    while (ok && !s->stop) {
        struct pollfd wait = {.fd = connection, .events = POLLIN};
        if (poll(&wait, 1, 20) <= 0) {
            continue;
        }
        const cevm_bytes body = receive(s, connection);
        cevm_remote_reply reply;
        ok = body.size != 0 && fake_node_post(&s->node, &reply, body) == CEVM_OK && answer(s, connection, &reply);
    }
    (void)close(connection);
}

static void *run_server(void *user)
{
    server *s = user;
    while (!s->stop) {
        struct pollfd wait = {.fd = s->listener, .events = POLLIN};
        const int connection = poll(&wait, 1, 20) > 0 ? accept(s->listener, NULL, NULL) : -1;
        if (connection >= 0) {
            serve(s, connection);
        }
    }
    return NULL;
}

static int start_server(void **state)
{
    static cevm_memdb *db;
    server *s = calloc(1, sizeof *s);
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof place;
    const cevm_address address = {{1}};
    const cevm_u256 balance = cevm_u256_from_u64(77);
    assert_non_null(s);
    assert_int_equal(cevm_memdb_create(&db, NULL), CEVM_OK);
    assert_int_equal(cevm_memdb_set_account(db, &address, &balance, 3, (cevm_bytes){NULL, 0}), CEVM_OK);
    s->node = (fake_node){.db = cevm_memdb_interface(db), .number = 1000, .chain_id = 5, .branch = 0xaa};
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(s->listener >= 0);
    assert_int_equal(bind(s->listener, (const struct sockaddr *)&place, sizeof place), 0);
    assert_int_equal(listen(s->listener, 4), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&place, &size), 0);
    s->port = ntohs(place.sin_port);
    assert_int_equal(pthread_create(&s->thread, NULL, run_server, s), 0);
    *state = s;
    return 0;
}

static int stop_server(void **state)
{
    server *s = *state;
    s->stop = true;
    assert_int_equal(pthread_join(s->thread, NULL), 0);
    (void)close(s->listener);
    cevm_memdb_destroy(s->node.db.ctx);
    fake_node_free(&s->node);
    free(s);
    return 0;
}

/** Opens a store over the server and reads the one account there is. */
static cevm_err read_over_http(const server *s, cevm_remote_error *error, cevm_remote_options options)
{
    char url[128];
    cevm_remote *remote = NULL;
    options.struct_size = sizeof options;
    if (options.url == NULL) {
        (void)snprintf(url, sizeof url, "http://name:word@127.0.0.1:%u/v3/secret?key=secret", (unsigned)s->port);
        options.url = url;
    }
    options.first_wait_ms = 1;
    memset(error, 0, sizeof *error);
    cevm_err err = cevm_remote_open(&remote, error, &options);
    if (err == CEVM_OK) {
        const cevm_db db = cevm_remote_interface(remote);
        const cevm_address address = {{1}};
        cevm_db_account account;
        bool exists = false;
        err = db.vtable->account(db.ctx, &account, &exists, &address);
        assert_true(err != CEVM_OK || (exists && account.balance.w[0] == 77 && account.nonce == 3));
        cevm_remote_last_error(remote, error);
    }
    cevm_remote_close(remote);
    assert_null(strstr(error->text, "secret"));
    assert_null(strstr(error->text, "word"));
    return err;
}

static void test_it_reads(void **state)
{
    server *s = *state;
    const char *const headers[] = {"Authorization: Bearer of-news", "X-Two: 2"};
    cevm_remote_error error;
    assert_int_equal(read_over_http(s, &error, (cevm_remote_options){.headers = headers, .header_count = 2}), CEVM_OK);
    assert_int_equal(s->node.requests, 2);
    assert_non_null(strstr(s->headers, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(s->headers, "Authorization: Bearer of-news\r\n"));
    assert_non_null(strstr(s->headers, "X-Two: 2\r\n"));
    assert_non_null(strstr(s->headers, "POST /v3/secret?key=secret HTTP/1.1\r\n"));
    assert_null(strstr(s->headers, "Expect"));
}

static void test_troubles_that_pass(void **state)
{
    static const http_mode modes[] = {HTTP_RETRY_AFTER, HTTP_CUT, HTTP_HANGS_UP};
    server *s = *state;
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; ++i) {
        cevm_remote_error error;
        s->mode = (int)modes[i];
        assert_int_equal(read_over_http(s, &error, (cevm_remote_options){.patience_ms = 5000}), CEVM_OK);
        assert_int_equal(s->mode, HTTP_WELL);
    }
}

static void test_troubles_that_stay(void **state)
{
    static const struct {
        http_mode mode;
        const char *text;
    } rows[] = {{HTTP_SLOW, "Timeout was reached (given up after "},
                {HTTP_ENDLESS, "the answer is larger than max_response"},
                {HTTP_MOVED, "HTTP status 302"}};
    server *s = *state;
    char host[64];
    (void)snprintf(host, sizeof host, "127.0.0.1:%u: ", (unsigned)s->port);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        const cevm_remote_options options = {.timeout_ms = 100, .patience_ms = 150, .max_response = 1 << 20};
        cevm_remote_error error;
        s->mode = (int)rows[i].mode;
        cevm_remote_options large = options;
        large.timeout_ms = rows[i].mode == HTTP_ENDLESS ? 10000 : options.timeout_ms;
        assert_int_equal(read_over_http(s, &error, large), CEVM_ERR_BACKEND);
        assert_memory_equal(error.text, host, strlen(host));
        assert_non_null(strstr(error.text, rows[i].text));
    }
    s->mode = HTTP_WELL;
}

static void *cancel_soon(void *user)
{
    volatile bool *flag = user;
    (void)usleep(100000);
    *flag = true;
    return NULL;
}

/** Also in the middle of a request. */
static void test_cancelled(void **state)
{
    server *s = *state;
    static volatile bool cancel;
    cevm_remote_error error;
    pthread_t thread;
    union {
        volatile bool *flag;
        void *user;
    } argument = {.flag = &cancel};
    s->mode = HTTP_SLOW;
    cancel = false;
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, argument.user), 0);
    assert_int_equal(read_over_http(s, &error, (cevm_remote_options){.cancel = &cancel}), CEVM_ERR_CANCELLED);
    assert_int_equal(pthread_join(thread, NULL), 0);
    s->mode = HTTP_WELL;
}

static void test_urls(void **state)
{
    server *s = *state;
    static const struct {
        const char *url;
        cevm_err err;
        const char *text;
    } rows[] = {
        {"http://127.0.0.1:1/secret", CEVM_ERR_BACKEND, "127.0.0.1:1: Couldn't connect to server (given up"},
        {"http://secret@nowhere.invalid", CEVM_ERR_BACKEND, "nowhere.invalid: Couldn't resolve host name (given up"},
        {"file:///etc/secret", CEVM_ERR_ARGUMENT, ": the URL begins neither with http:// nor with https://"},
        {"ftp://secret:x@host/secret", CEVM_ERR_ARGUMENT, "host: the URL begins neither"},
        {"secret@host/secret", CEVM_ERR_ARGUMENT, "host: the URL begins neither"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        cevm_remote_error error;
        assert_int_equal(read_over_http(s, &error, (cevm_remote_options){.url = rows[i].url, .patience_ms = 20}),
                         rows[i].err);
        if (strncmp(error.text, rows[i].text, strlen(rows[i].text)) != 0) {
            print_error("%s\n", error.text);
        }
        assert_memory_equal(error.text, rows[i].text, strlen(rows[i].text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_it_reads, start_server, stop_server),
        cmocka_unit_test_setup_teardown(test_troubles_that_pass, start_server, stop_server),
        cmocka_unit_test_setup_teardown(test_troubles_that_stay, start_server, stop_server),
        cmocka_unit_test_setup_teardown(test_cancelled, start_server, stop_server),
        cmocka_unit_test_setup_teardown(test_urls, start_server, stop_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
