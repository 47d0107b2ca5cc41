/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/http_stream.h"

#include <stdlib.h>

struct cevm_http_stream {
    cevm_conn *conn;
    cevm_rpc_request request;
    pthread_t producer;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    const char *piece; /* what the producer waits to get rid of */
    size_t left;       /* bytes of it */
    bool done;         /* the producer has ended */
    bool abandoned;    /* nobody reads any more */
    cevm_rpc_output out;
};

/* The producer's side: waits until the piece has been taken. */
static bool give(void *ctx, const char *data, size_t size)
{
    cevm_http_stream *s = ctx;
    (void)pthread_mutex_lock(&s->lock);
    s->piece = data;
    s->left = size;
    (void)pthread_cond_broadcast(&s->changed);
    while (s->left != 0 && !s->abandoned) {
        (void)pthread_cond_wait(&s->changed, &s->lock);
    }
    bool ok = !s->abandoned;
    s->left = 0;
    (void)pthread_mutex_unlock(&s->lock);
    return ok;
}

static void *produce(void *arg)
{
    cevm_http_stream *s = arg;
    cevm_rpc_peer peer = cevm_conn_peer(s->conn);
    cevm_rpc_request_answer(&s->request, &peer, &s->out);
    cevm_rpc_request_clear(&s->request);
    if (s->out.started && !s->out.gone && s->out.size != 0) {
        s->out.gone = !give(s, s->out.data, s->out.size);
    }
    (void)pthread_mutex_lock(&s->lock);
    s->done = true;
    (void)pthread_cond_broadcast(&s->changed);
    (void)pthread_mutex_unlock(&s->lock);
    return NULL;
}

static void destroy(cevm_http_stream *s)
{
    cevm_rpc_request_clear(&s->request);
    cevm_rpc_output_clear(&s->out);
    (void)pthread_mutex_destroy(&s->lock);
    (void)pthread_cond_destroy(&s->changed);
    free(s);
}

cevm_http_stream *cevm_http_stream_start(cevm_conn *conn, cevm_rpc_request *request)
{
    cevm_http_stream *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    s->conn = conn;
    s->out = (cevm_rpc_output){.flush = give, .ctx = s, .limit = conn->server->options.limits.answer};
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_cond_init(&s->changed, NULL);
    s->request = *request;
    if (pthread_create(&s->producer, NULL, produce, s) != 0) {
        s->request = (cevm_rpc_request){0};
        destroy(s);
        return NULL;
    }
    *request = (cevm_rpc_request){0};
    return s;
}

bool cevm_http_stream_fits(cevm_http_stream *s, cevm_rpc_output *whole)
{
    (void)pthread_mutex_lock(&s->lock);
    while (s->left == 0 && !s->done) {
        (void)pthread_cond_wait(&s->changed, &s->lock);
    }
    bool fits = s->left == 0 && !s->out.started;
    (void)pthread_mutex_unlock(&s->lock);
    if (fits) {
        (void)pthread_join(s->producer, NULL);
        *whole = s->out;
        s->out = (cevm_rpc_output){0};
        destroy(s);
    }
    return fits;
}

/* The reader's side. */
static ssize_t take(void *cls, uint64_t position, char *out, size_t size)
{
    cevm_http_stream *s = cls;
    (void)position;
    (void)pthread_mutex_lock(&s->lock);
    while (s->left == 0 && !s->done) {
        (void)pthread_cond_wait(&s->changed, &s->lock);
    }
    ssize_t result = s->out.gone ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
    if (s->left != 0) {
        size_t n = s->left < size ? s->left : size;
        memcpy(out, s->piece, n);
        s->piece += n;
        s->left -= n;
        result = (ssize_t)n;
        if (s->left == 0) {
            (void)pthread_cond_broadcast(&s->changed);
        }
    }
    (void)pthread_mutex_unlock(&s->lock);
    return result;
}

static void end(void *cls)
{
    cevm_http_stream *s = cls;
    (void)pthread_mutex_lock(&s->lock);
    s->abandoned = true;
    cevm_conn_cancel(s->conn);
    (void)pthread_cond_broadcast(&s->changed);
    (void)pthread_mutex_unlock(&s->lock);
    (void)pthread_join(s->producer, NULL);
    destroy(s);
}

struct MHD_Response *cevm_http_stream_response(cevm_http_stream *s)
{
    struct MHD_Response *response =
        s->conn->server->http.create_response_from_callback(MHD_SIZE_UNKNOWN, CEVM_RPC_CHUNK, take, s, end);
    if (response == NULL) {
        end(s);
    }
    return response;
}
