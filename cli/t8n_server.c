/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `cevm t8n-server`: transitions over HTTP, in the shape of the executable specification's daemon, so that a test
 * generator starts one process and not one a block. HTTP itself is libmicrohttpd's work.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/t8n.h"
#include "rpc/microhttpd.h"

enum { CONNECTIONS = 256, CONNECTION_SECONDS = 60, GRACE_SECONDS = 30 };

typedef struct server_options {
    const char *uds, *listen;
    uint64_t jobs, timeout, time_limit, max_mib;
} server_options;

typedef struct server {
    const server_options *options;
    cevm_microhttpd http;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t working; /* transitions that go on */
    uint64_t open;    /* requests whose answer has not been sent */
    time_t last_answer;
} server;

/* One request while its body comes in. */
typedef struct exchange {
    char *body;
    size_t size, capacity;
    unsigned refusal; /* HTTP status when it is refused without being read; 0 otherwise */
} exchange;

static time_t now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

static uint64_t deadline(uint64_t seconds)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return seconds != 0 ? ((uint64_t)t.tv_sec + seconds) * 1000000000u + (uint64_t)t.tv_nsec : 0;
}

/* ---- A request ---------------------------------------------------------------------------------------------------- */

static bool read_state(cevm_t8n_request *out, const cevm_json_at *root)
{
    cevm_json_at state, at;
    cevm_u256 chain_id = cevm_u256_from_u64(1);
    if (!cevm_json_need(&state, root, "state") || !cevm_json_need(&at, &state, "fork") ||
        !cevm_json_text(&out->fork, &at)) {
        return false;
    }
    bool has_chain = cevm_json_find(&at, &state, "chainid") || cevm_json_find(&at, &state, "chainId");
    if (has_chain && !cevm_json_u256(&chain_id, &at)) {
        return false;
    }
    if (!cevm_u256_fits_u64(&chain_id)) {
        return cevm_json_fail(&at, "must fit 64 bits");
    }
    out->chain_id = chain_id.w[0];
    if (cevm_json_find(&at, &state, "reward")) {
        const char *text = json_string_value(at.value);
        bool none = (json_is_integer(at.value) && json_integer_value(at.value) == -1) ||
                    (text != NULL && strcmp(text, "-1") == 0);
        out->pays_reward = !none;
        if (!none && !cevm_json_u256(&out->reward, &at)) {
            return false;
        }
    }
    if (cevm_json_find(&at, &state, "blobSchedule")) {
        out->blob_schedule = at.value;
    }
    return true;
}

static bool read_trace(cevm_t8n_request *out, const cevm_json_at *root, const server_options *o)
{
    cevm_json_at at;
    out->tracing.count_opcodes = cevm_json_find(&at, root, "count-opcodes") && json_is_true(at.value);
    if (!cevm_json_find(&at, root, "trace") || !json_is_true(at.value)) {
        return true;
    }
    if (o->uds == NULL) { /* whoever connects could have files written */
        return cevm_json_fail(&at, "traces are written only for requests over a Unix socket");
    }
    out->tracing.trace = out->tracing.memory = out->tracing.return_data = true;
    return cevm_json_need(&at, root, "output-basedir") && cevm_json_text(&out->tracing.folder, &at);
}

static bool read_input(cevm_t8n_request *out, cevm_arena *arena, const cevm_json_at *root)
{
    cevm_json_at input, at;
    if (!cevm_json_need(&input, root, "input") || !cevm_json_need(&at, &input, "env")) {
        return false;
    }
    out->env = at.value;
    out->alloc = json_object_get(input.value, "alloc");
    out->alloc_name = "input/alloc";
    out->env_name = "input/env";
    out->txs_name = "input/txs";
    if (cevm_json_find(&at, &input, "txsRlp")) {
        return cevm_json_bytes(&out->rlp, &at, arena);
    }
    return cevm_json_need(&at, &input, "txs") && (out->txs = at.value) != NULL;
}

static bool read_request(cevm_t8n_request *out, cevm_t8n_error *error, cevm_arena *arena, json_t *json,
                         const server_options *o)
{
    cevm_json_at root = cevm_json_root(json, "request", NULL, &error->message);
    out->deadline_ns = deadline(o->time_limit);
    out->keeps_invalid = true;
    bool ok = cevm_json_is_object(&root) && read_state(out, &root) && read_input(out, arena, &root) &&
              read_trace(out, &root, o);
    out->pays_reward = out->pays_reward && !out->is_state_test;
    return ok || cevm_t8n_code(error, CEVM_T8N_JSON);
}

static char *answer_text(cevm_t8n_answer *answer)
{
    json_t *all = json_object();
    bool ok = json_object_set(all, "body", answer->body) == 0 && json_object_set(all, "alloc", answer->alloc) == 0 &&
              json_object_set(all, "result", answer->result) == 0 &&
              (answer->opcode_counts == NULL || json_object_set(all, "opcodeCount", answer->opcode_counts) == 0);
    char *text = ok ? json_dumps(all, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
    json_decref(all);
    return text;
}

static char *error_text(const cevm_t8n_error *error)
{
    json_t *json = json_pack("{s:s,s:i}", "error", error->message.text, "code", error->code);
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    return text;
}

/* Does the work. The text is from malloc; NULL when memory ran out. */
static char *transition(unsigned *status, const server *s, const exchange *e, bool is_state_test)
{
    cevm_t8n_error error = {0};
    cevm_t8n_request request = {.is_state_test = is_state_test};
    cevm_t8n_answer answer = {0};
    cevm_arena arena = {0};
    json_t *json = NULL;
    char *text = NULL;
    *status = MHD_HTTP_OK;
    bool ok = cevm_json_load_text(&json, &error.message, "request", e->body != NULL ? e->body : "", e->size) ||
              cevm_t8n_code(&error, CEVM_T8N_JSON);
    ok = ok && read_request(&request, &error, &arena, json, s->options) && cevm_t8n_run(&answer, &error, &request);
    if (ok) {
        text = answer_text(&answer);
    } else {
        bool ours = error.code == CEVM_T8N_EVM || error.code == CEVM_T8N_IO;
        *status = ours ? MHD_HTTP_INTERNAL_SERVER_ERROR : MHD_HTTP_BAD_REQUEST;
        text = error_text(&error);
    }
    cevm_t8n_answer_clear(&answer);
    json_decref(json);
    cevm_arena_destroy(&arena);
    return text;
}

/* ---- HTTP --------------------------------------------------------------------------------------------------------- */

static enum MHD_Result reply(const server *s, struct MHD_Connection *connection, unsigned status, char *text,
                             bool is_json)
{
    static char nothing[] = "";
    struct MHD_Response *response =
        s->http.create_response_from_buffer(text != NULL ? strlen(text) : 0, text != NULL ? text : nothing,
                                            is_json && text != NULL ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    if (response == NULL) {
        if (is_json) {
            free(text);
        }
        return MHD_NO;
    }
    (void)s->http.add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                      is_json ? "application/json" : "text/plain; charset=utf-8");
    enum MHD_Result result = s->http.queue_response(connection, status, response);
    s->http.destroy_response(response);
    return result;
}

static enum MHD_Result refuse(const server *s, struct MHD_Connection *connection, unsigned status)
{
    static char too_large[] = "the request is too large\n";
    static char method[] = "POST a transition to /\n";
    static char path[] = "there is only /\n";
    static char argument[] = "the only \"arg\" is --state-test\n";
    char *text = status == MHD_HTTP_CONTENT_TOO_LARGE    ? too_large
                 : status == MHD_HTTP_METHOD_NOT_ALLOWED ? method
                 : status == MHD_HTTP_NOT_FOUND          ? path
                                                         : argument;
    return reply(s, connection, status, text, false);
}

/* Takes a turn: no more transitions go on at once than there are jobs. */
static void begin_work(server *s)
{
    (void)pthread_mutex_lock(&s->lock);
    while (s->working >= s->options->jobs) {
        (void)pthread_cond_wait(&s->changed, &s->lock);
    }
    s->working++;
    (void)pthread_mutex_unlock(&s->lock);
}

static void end_work(server *s)
{
    (void)pthread_mutex_lock(&s->lock);
    s->working--;
    (void)pthread_cond_broadcast(&s->changed);
    (void)pthread_mutex_unlock(&s->lock);
}

/* What stands behind "?arg=". */
typedef struct query {
    bool is_state_test, unknown;
} query;

static enum MHD_Result add_argument(void *ctx, enum MHD_ValueKind kind, const char *key, const char *value)
{
    query *q = ctx;
    (void)kind;
    if (strcmp(key, "arg") == 0 && value != NULL && strcmp(value, "--state-test") == 0) {
        q->is_state_test = true;
    } else if (strcmp(key, "arg") == 0) {
        q->unknown = true;
    }
    return MHD_YES;
}

static enum MHD_Result answer(server *s, struct MHD_Connection *connection, exchange *e)
{
    query q = {false, false};
    unsigned status = MHD_HTTP_OK;
    (void)s->http.get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_argument, &q);
    if (e->refusal != 0 || q.unknown) {
        return refuse(s, connection, e->refusal != 0 ? e->refusal : MHD_HTTP_BAD_REQUEST);
    }
    begin_work(s);
    char *text = transition(&status, s, e, q.is_state_test);
    end_work(s);
    if (text == NULL) {
        return reply(s, connection, MHD_HTTP_INTERNAL_SERVER_ERROR, NULL, true);
    }
    return reply(s, connection, status, text, true);
}

/* Adds a piece of the body; what is too large is not kept. */
static void take(exchange *e, const char *data, size_t size, size_t limit)
{
    if (e->refusal != 0) {
        return;
    }
    if (size > limit || e->size > limit - size) {
        e->refusal = MHD_HTTP_CONTENT_TOO_LARGE;
        return;
    }
    if (e->capacity - e->size < size) {
        size_t wanted = e->capacity * 2 > e->size + size ? e->capacity * 2 : e->size + size;
        char *grown = realloc(e->body, wanted);
        if (grown == NULL) {
            e->refusal = MHD_HTTP_CONTENT_TOO_LARGE;
            return;
        }
        e->body = grown;
        e->capacity = wanted;
    }
    memcpy(e->body + e->size, data, size);
    e->size += size;
}

static size_t body_limit(const server *s) { return (size_t)s->options->max_mib << 20; }

/* The head of a request has been read. */
static enum MHD_Result begin(server *s, struct MHD_Connection *connection, const char *url, const char *method,
                             void **slot)
{
    exchange *e = calloc(1, sizeof *e);
    if (e == NULL) {
        return MHD_NO;
    }
    *slot = e;
    (void)pthread_mutex_lock(&s->lock);
    s->open++;
    (void)pthread_mutex_unlock(&s->lock);
    const char *length = s->http.lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (strcmp(url, "/") != 0) {
        e->refusal = MHD_HTTP_NOT_FOUND;
    } else if (strcmp(method, MHD_HTTP_METHOD_POST) != 0) {
        e->refusal = MHD_HTTP_METHOD_NOT_ALLOWED;
    } else if (length != NULL && strtoull(length, NULL, 10) > body_limit(s)) {
        e->refusal = MHD_HTTP_CONTENT_TOO_LARGE;
    }
    return e->refusal != 0 ? refuse(s, connection, e->refusal) : MHD_YES;
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **slot)
{
    server *s = ctx;
    (void)version;
    if (*slot == NULL) {
        return begin(s, connection, url, method, slot);
    }
    if (*size != 0) {
        take(*slot, data, *size, body_limit(s));
        *size = 0;
        return MHD_YES;
    }
    return answer(s, connection, *slot);
}

static void completed(void *ctx, struct MHD_Connection *connection, void **slot, enum MHD_RequestTerminationCode code)
{
    server *s = ctx;
    exchange *e = *slot;
    (void)connection;
    (void)code;
    if (e == NULL) {
        return;
    }
    free(e->body);
    free(e);
    *slot = NULL;
    (void)pthread_mutex_lock(&s->lock);
    s->open--;
    s->last_answer = now();
    (void)pthread_mutex_unlock(&s->lock);
}

/* ---- Sockets ------------------------------------------------------------------------------------------------------ */

static int say(const char *what, const char *name)
{
    (void)fprintf(stderr, "cevm t8n-server: %s %s: %s\n", what, name, strerror(errno));
    return -1;
}

/* A socket that nobody listens on is what an earlier run left: it makes room. Anything else stays. */
static bool clear_path(const struct sockaddr_un *address)
{
    struct stat st;
    if (lstat(address->sun_path, &st) != 0) {
        return true;
    }
    if (!S_ISSOCK(st.st_mode)) {
        errno = EEXIST;
        return false;
    }
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool in_use = probe >= 0 && connect(probe, (const struct sockaddr *)(const void *)address, sizeof *address) == 0;
    if (probe >= 0) {
        (void)close(probe);
    }
    if (in_use) {
        errno = EADDRINUSE;
        return false;
    }
    return unlink(address->sun_path) == 0;
}

static int open_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return say("cannot listen on", path);
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (!clear_path(&address)) {
        return say("cannot listen on", path);
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    mode_t mask = umask(0177); /* for this user alone */
    bool ok = fd >= 0 && bind(fd, (const struct sockaddr *)(const void *)&address, sizeof address) == 0 &&
              listen(fd, SOMAXCONN) == 0;
    int reason = errno;
    (void)umask(mask);
    if (!ok && fd >= 0) {
        (void)close(fd);
    }
    errno = reason;
    return ok ? fd : say("cannot listen on", path);
}

/* "8545" or "127.0.0.1:8545" */
static bool parse_address(struct sockaddr_in *out, const char *text)
{
    char host[64] = "127.0.0.1";
    const char *colon = strrchr(text, ':');
    const char *port = colon != NULL ? colon + 1 : text;
    char *end = NULL;
    if (colon != NULL) {
        size_t length = (size_t)(colon - text);
        if (length >= sizeof host) {
            return false;
        }
        memcpy(host, text, length);
        host[length] = '\0';
    }
    unsigned long number = strtoul(port, &end, 10);
    *out = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)number)};
    return *port >= '0' && *port <= '9' && *end == '\0' && number <= UINT16_MAX &&
           inet_pton(AF_INET, host, &out->sin_addr) == 1;
}

static int open_tcp(const char *text)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    const int on = 1;
    if (!parse_address(&address, text)) {
        errno = EINVAL;
        return say("cannot listen on", text);
    }
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
              bind(fd, (const struct sockaddr *)(const void *)&address, size) == 0 && listen(fd, SOMAXCONN) == 0 &&
              getsockname(fd, (struct sockaddr *)(void *)&address, &size) == 0;
    if (!ok) {
        int reason = errno;
        if (fd >= 0) {
            (void)close(fd);
        }
        errno = reason;
        return say("cannot listen on", text);
    }
    char host[INET_ADDRSTRLEN] = "";
    (void)inet_ntop(AF_INET, &address.sin_addr, host, sizeof host);
    (void)printf("listening on http://%s:%u/\n", host, (unsigned)ntohs(address.sin_port));
    (void)fflush(stdout);
    return fd;
}

/* ---- Life --------------------------------------------------------------------------------------------------------- */

static bool is_idle(server *s, time_t seconds)
{
    (void)pthread_mutex_lock(&s->lock);
    bool idle = s->open == 0 && now() - s->last_answer >= seconds;
    (void)pthread_mutex_unlock(&s->lock);
    return idle;
}

/* Waits for SIGINT or SIGTERM, or for `timeout` seconds without a request (0 = for ever). */
static void wait_for_end(server *s, const sigset_t *signals)
{
    const struct timespec second = {1, 0};
    for (;;) {
        if (sigtimedwait(signals, NULL, &second) > 0) {
            return;
        }
        if (s->options->timeout != 0 && is_idle(s, (time_t)s->options->timeout)) {
            return;
        }
    }
}

/* Lets what goes on come to its end, within a limit that a second signal shortens. */
static void drain(server *s, const sigset_t *signals)
{
    const struct timespec moment = {0, 20000000};
    time_t until = now() + GRACE_SECONDS;
    while (!is_idle(s, 0) && now() < until) {
        if (sigtimedwait(signals, NULL, &moment) > 0) {
            return;
        }
    }
}

static int serve(server *s, int fd)
{
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before there are threads: all inherit it */
    (void)signal(SIGPIPE, SIG_IGN);
    json_object_seed(0); /* otherwise two threads may do it at once */
    struct MHD_Daemon *daemon = s->http.start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL, 0, NULL, NULL, handle, s,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_SECONDS,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)1 << 17,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_COMPLETED, completed, s, MHD_OPTION_END);
    if (daemon == NULL) {
        (void)close(fd);
        (void)say("cannot start", "the HTTP server");
        return CEVM_EXIT_FAILURE;
    }
    wait_for_end(s, &signals);
    MHD_socket listener = s->http.quiesce_daemon(daemon);
    if (s->options->uds != NULL) {
        (void)unlink(s->options->uds);
    }
    drain(s, &signals);
    s->http.stop_daemon(daemon);
    if (listener != MHD_INVALID_SOCKET) {
        (void)close(listener);
    }
    return CEVM_EXIT_OK;
}

int cevm_cmd_t8n_server(const cevm_cli *cli, int argc, char **argv)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    server_options o = {.jobs = processors > 0 ? (uint64_t)processors : 1, .time_limit = 600, .max_mib = 256};
    const cevm_option table[] = {
        {"uds", CEVM_OPTION_TEXT, &o.uds},
        {"listen", CEVM_OPTION_TEXT, &o.listen},
        {"jobs", CEVM_OPTION_NUMBER, &o.jobs},
        {"timeout", CEVM_OPTION_NUMBER, &o.timeout},
        {"time-limit", CEVM_OPTION_NUMBER, &o.time_limit},
        {"max-request", CEVM_OPTION_NUMBER, &o.max_mib},
        {NULL, CEVM_OPTION_SWITCH, NULL},
    };
    cevm_arguments arguments;
    char command[32];
    (void)snprintf(command, sizeof command, "%s %.16s", cli->program, argv[0]);
    if (!cevm_options_parse(&arguments, table, command, argc, argv)) {
        return CEVM_EXIT_USAGE;
    }
    if (arguments.help) {
        cevm_help_t8n_server(stdout, cli);
        return CEVM_EXIT_OK;
    }
    if (arguments.count != 0 || (o.uds == NULL) == (o.listen == NULL) || o.jobs == 0 || o.max_mib == 0 ||
        o.max_mib > 4096) {
        (void)fprintf(stderr, "%s wants either --uds or --listen; --jobs of at least 1; --max-request of 1 to 4096\n",
                      command);
        return CEVM_EXIT_USAGE;
    }
    server s = {.options = &o, .last_answer = now()};
    if (pthread_mutex_init(&s.lock, NULL) != 0 || pthread_cond_init(&s.changed, NULL) != 0) {
        return CEVM_EXIT_FAILURE;
    }
    if (!cevm_microhttpd_load(&s.http, command)) {
        return CEVM_EXIT_FAILURE;
    }
    int fd = o.uds != NULL ? open_unix(o.uds) : open_tcp(o.listen);
    return fd < 0 ? CEVM_EXIT_FAILURE : serve(&s, fd);
}

void cevm_help_t8n_server(FILE *to, const cevm_cli *cli)
{
    (void)fprintf(to,
                  "Usage: %s t8n-server --uds PATH | --listen [ADDRESS:]PORT\n"
                  "\n"
                  "Answers transitions over HTTP from one process. POST to / an object\n"
                  "  {\"state\": {\"fork\", \"chainid\", \"reward\"}, \"input\": {\"alloc\", \"env\", \"txs\"}}\n"
                  "and it answers {\"body\", \"alloc\", \"result\"}, each as %s t8n writes it. A\n"
                  "request that cannot be carried out is answered with status 400 or 500 and\n"
                  "{\"error\", \"code\"}; refused transactions and blocks that cannot be valid\n"
                  "(\"blockException\") are part of the result.\n"
                  "\n",
                  cli->program, cli->program);
    (void)fputs("  --uds PATH         a Unix socket, open to this user alone\n"
                "  --listen WHERE     a TCP port; the address is 127.0.0.1 unless one is given\n"
                "  --jobs N           transitions at once (default: the processors there are)\n"
                "  --timeout S        stop after so many seconds without a request (never)\n"
                "  --time-limit S     stop executing a request after so many seconds (600; 0:\n"
                "                     never)\n"
                "  --max-request MIB  the size a request may have (default 256)\n"
                "\n"
                "Also in a request: \"trace\": true with \"output-basedir\" (over a Unix socket),\n"
                "\"count-opcodes\": true, \"blobSchedule\" in the state, \"txsRlp\" in the input;\n"
                "?arg=--state-test after the path. SIGINT and SIGTERM end it when it has answered\n"
                "what it is working on.\n",
                to);
    (void)fprintf(to,
                  "\n"
                  "Example\n"
                  "  %s t8n-server --uds t8n.sock &\n"
                  "  curl --unix-socket t8n.sock -d @request.json http://localhost/\n",
                  cli->program);
}
