/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/remote_fetch.c: asking the node for many things: as few requests as it allows, again after a wait where it limits
 * the rate or cannot be reached, in smaller batches where it refuses large ones.
 */
#include "state/remote_internal.h"

#include <cevm/alloc.h>

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { MAX_WAIT_MS = 10000, NAP_MS = 20, SHRINK = 10 };
enum { FIRST_TRIES = 5 }; /* to reach a node at all: what never answers is more likely a wrong URL than a busy node */

typedef struct remote_call {
    uint32_t want;
    uint8_t part;
    bool is_done;
} remote_call;

/** What to do after a request. */
typedef enum verdict {
    GO_ON, /* something was answered */
    WAIT,  /* nothing, or not all, and the node wants time */
    SPLIT, /* the batch was too much */
    GIVE_UP
} verdict;

typedef struct exchange {
    cevm_remote *remote;
    remote_want *wants;
    remote_call *calls; /* those not answered yet */
    size_t count;
    cevm_buf request;
    unsigned tries; /* since something was last answered */
    uint64_t since_ms;
    uint32_t retry_after;
    bool was_limited;
    cevm_err err;     /* with GIVE_UP */
    char reason[200]; /* of the last trouble */
} exchange;

static uint64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool is_cancelled(const cevm_remote *remote) { return remote->cancel != NULL && *remote->cancel; }

/* ---- Reading an answer ------------------------------------------------------------------------------------------------ */

/** A message of the node, fit for a line of text. */
static void copy_message(char *out, size_t size, const cevm_scan_value *value)
{
    size_t used = 0;
    for (size_t i = 0; i < value->size && used + 1 < size; ++i) {
        const char c = value->text[i];
        out[used++] = c >= 0x20 && c < 0x7f ? c : '?';
    }
    out[used] = '\0';
}

/** Codes and words by which nodes and those who offer them say "too fast". */
static bool is_rate_limit(int64_t code, const char *message)
{
    static const char *const words[] = {"rate limit",     "rate-limit",    "ratelimit",  "too many requests",
                                        "limit exceeded", "compute units", "throughput", "try again later"};
    bool found = code == -32005 || code == 429 || code == -32029;
    for (size_t i = 0; !found && i < sizeof words / sizeof words[0]; ++i) {
        found = strcasestr(message, words[i]) != NULL;
    }
    return found;
}

/** Notes an error object of the node. WAIT when it limits the rate, else GIVE_UP. */
static verdict note_error(exchange *x, const cevm_scan_value *error, const char *method)
{
    cevm_scan_value member;
    int64_t code = 0;
    char message[120] = "";
    if (cevm_scan_member(&member, error, "code")) {
        (void)cevm_scan_int64(&code, &member);
    }
    if (cevm_scan_member(&member, error, "message") && member.type == CEVM_SCAN_STRING) {
        copy_message(message, sizeof message, &member);
    }
    (void)snprintf(x->reason, sizeof x->reason, "%s: the node says %s (code %" PRId64 ")", method,
                   message[0] != '\0' ? message : "nothing more", code);
    return is_rate_limit(code, message) ? WAIT : GIVE_UP;
}

static verdict take_answer(exchange *x, remote_call *call, const cevm_scan_value *answer)
{
    remote_want *want = &x->wants[call->want];
    const char *method = cevm_remote_method(want, call->part);
    cevm_scan_value member;
    if (cevm_scan_member(&member, answer, "error") && member.type != CEVM_SCAN_NULL) {
        x->err = CEVM_ERR_BACKEND;
        return note_error(x, &member, method);
    }
    if (!cevm_scan_member(&member, answer, "result")) {
        x->err = CEVM_ERR_BACKEND;
        (void)snprintf(x->reason, sizeof x->reason, "%s: the answer has no result", method);
        return GIVE_UP;
    }
    const cevm_err err = cevm_remote_take_result(x->remote, want, call->part, &member);
    if (err == CEVM_OK) {
        call->is_done = true;
        want->left = (uint8_t)(want->left & ~(1U << call->part));
        return GO_ON;
    }
    x->err = err == CEVM_ERR_ENCODING ? CEVM_ERR_BACKEND : err;
    (void)snprintf(x->reason, sizeof x->reason, "%s: %s", method,
                   member.type == CEVM_SCAN_NULL ? "the node does not have it"
                                                 : "the result is not what the method gives");
    return GIVE_UP;
}

static verdict take_array(exchange *x, size_t sent, const cevm_scan_value *array)
{
    cevm_scan_walk walk = cevm_scan_items(array);
    cevm_scan_value answer;
    cevm_scan_value member;
    size_t answered = 0;
    bool limited = false;
    while (cevm_scan_next(&walk, NULL, &answer)) {
        int64_t id = 0;
        if (!cevm_scan_member(&member, &answer, "id") || !cevm_scan_int64(&id, &member) || id < 1 ||
            (uint64_t)id > sent || x->calls[id - 1].is_done) {
            continue;
        }
        const verdict v = take_answer(x, &x->calls[id - 1], &answer);
        if (v == GIVE_UP) {
            return v;
        }
        answered += v == GO_ON ? 1 : 0;
        limited = limited || v == WAIT;
    }
    if (answered == 0 && !limited) {
        (void)snprintf(x->reason, sizeof x->reason, "the answer has nothing that was asked for");
    }
    x->was_limited = limited;
    return answered != 0 ? GO_ON : WAIT;
}

/** Whatever a batch's objection is, a smaller one may not meet it. */
static verdict smaller(size_t sent) { return sent > 1 ? SPLIT : GIVE_UP; }

static verdict take_document(exchange *x, size_t sent, const cevm_scan_value *document)
{
    cevm_scan_value member;
    if (document->type == CEVM_SCAN_ARRAY) {
        return take_array(x, sent, document);
    }
    if (sent == 1 && document->type == CEVM_SCAN_OBJECT) {
        return take_answer(x, &x->calls[0], document);
    }
    (void)snprintf(x->reason, sizeof x->reason, "the answer to a batch is not one");
    if (cevm_scan_member(&member, document, "error") && note_error(x, &member, "a batch") == WAIT) {
        return WAIT;
    }
    return smaller(sent);
}

static verdict take_reply(exchange *x, size_t sent, const cevm_remote_reply *reply)
{
    cevm_scan_value document;
    const int status = reply->status;
    x->err = CEVM_ERR_BACKEND;
    x->retry_after = reply->retry_after;
    x->was_limited = false;
    if (status == 0) {
        (void)snprintf(x->reason, sizeof x->reason, "%s",
                       reply->is_too_large     ? "the answer is larger than max_response"
                       : reply->reason != NULL ? reply->reason
                                               : "no answer");
        return reply->is_too_large ? smaller(sent) : WAIT;
    }
    (void)snprintf(x->reason, sizeof x->reason, "HTTP status %d", status);
    if (status == 408 || status == 425 || status == 429 || status >= 500) {
        return WAIT;
    }
    if (status == 401 || status == 403 || status == 404 || status == 407 || (status >= 300 && status < 400)) {
        return GIVE_UP;
    }
    if (cevm_scan_document(&document, reply->body)) {
        return take_document(x, sent, &document);
    }
    if (status >= 200 && status < 300) { /* cut off on its way, or a page in its place */
        (void)snprintf(x->reason, sizeof x->reason, "the answer is not JSON, or not whole");
        return WAIT;
    }
    return smaller(sent);
}

/* ---- Asking ----------------------------------------------------------------------------------------------------------- */

/** Sleeps, in short naps so that a cancellation is seen. */
static cevm_err nap(cevm_remote *remote, uint64_t ms)
{
    remote->stat.waited_ms += ms;
    while (ms != 0 && !is_cancelled(remote)) {
        const uint64_t piece = ms < NAP_MS ? ms : NAP_MS;
        const struct timespec t = {.tv_sec = 0, .tv_nsec = (long)piece * 1000000};
        (void)nanosleep(&t, NULL);
        ms -= piece;
    }
    return is_cancelled(remote) ? cevm_remote_fail(remote, CEVM_ERR_CANCELLED, "cancelled") : CEVM_OK;
}

/** How long before the next try: doubling, less a random part of up to a half, so that many clients spread. */
static uint64_t wait_of(exchange *x)
{
    cevm_remote *remote = x->remote;
    uint64_t wait = remote->first_wait_ms;
    for (unsigned i = 1; i < x->tries && wait < MAX_WAIT_MS; ++i) {
        wait *= 2;
    }
    wait = wait < MAX_WAIT_MS ? wait : MAX_WAIT_MS;
    remote->random ^= remote->random << 13;
    remote->random ^= remote->random >> 7;
    remote->random ^= remote->random << 17;
    wait -= wait / 2 * (remote->random >> 40) >> 24;
    const uint64_t asked = (uint64_t)x->retry_after * 1000;
    return wait > asked ? wait : asked;
}

static cevm_err give_up(exchange *x)
{
    return cevm_remote_fail(x->remote, x->err, "%s: %s", x->remote->host, x->reason);
}

/** Waits before the next try; gives up when patience would end before. */
static cevm_err wait_for_node(exchange *x)
{
    x->tries++;
    const uint64_t wait = wait_of(x);
    const uint64_t spent = now_ms() - x->since_ms;
    const bool is_lost = !x->remote->was_reached && x->tries >= FIRST_TRIES;
    if (is_lost || spent + wait > x->remote->patience_ms) {
        return cevm_remote_fail(x->remote, CEVM_ERR_BACKEND, "%s: %s (given up after %u tries in %.1f s)",
                                x->remote->host, x->reason, x->tries, (double)spent / 1000);
    }
    x->remote->stat.retries++;
    cevm_log_write(&x->remote->log, CEVM_LOG_WARN, "%s: %s; again in %" PRIu64 " ms", x->remote->host, x->reason, wait);
    return nap(x->remote, wait);
}

static void drop_done(exchange *x)
{
    size_t kept = 0;
    for (size_t i = 0; i < x->count; ++i) {
        if (!x->calls[i].is_done) {
            x->calls[kept++] = x->calls[i];
        }
    }
    x->count = kept;
}

static cevm_err write_request(exchange *x, size_t sent)
{
    cevm_buf *buf = &x->request;
    cevm_buf_clear(buf);
    cevm_buf_append(buf, "[", sent > 1 ? 1 : 0);
    for (size_t i = 0; i < sent; ++i) {
        cevm_buf_append(buf, ",", i != 0 ? 1 : 0);
        cevm_remote_put_call(buf, x->remote, &x->wants[x->calls[i].want], x->calls[i].part, i + 1);
    }
    cevm_buf_append(buf, "]", sent > 1 ? 1 : 0);
    return buf->failed ? CEVM_ERR_NOMEM : CEVM_OK;
}

/** One request and what follows from its answer. */
static cevm_err step(exchange *x)
{
    cevm_remote *remote = x->remote;
    cevm_remote_reply reply = {.status = 0};
    const size_t sent = x->count < remote->batch ? x->count : remote->batch;
    cevm_err err = is_cancelled(remote) ? CEVM_ERR_CANCELLED : write_request(x, sent);
    if (err == CEVM_OK) {
        remote->stat.requests++;
        remote->stat.calls += sent;
        remote->stat.sent_bytes += x->request.size;
        err = remote->transport.post(remote->transport.ctx, &reply, (cevm_bytes){x->request.data, x->request.size});
        remote->stat.received_bytes += reply.body.size;
        remote->was_reached = remote->was_reached || reply.status != 0;
    }
    if (err != CEVM_OK) {
        return cevm_remote_fail(remote, err, "%s: %s", remote->host, cevm_err_string(err));
    }
    const verdict v = take_reply(x, sent, &reply);
    drop_done(x);
    switch (v) {
    case GO_ON:
        x->tries = 0;
        x->since_ms = now_ms();
        return x->was_limited ? wait_for_node(x) : CEVM_OK;
    case WAIT: return wait_for_node(x);
    case SPLIT:
        remote->batch = sent / SHRINK > 1 ? sent / SHRINK : 1;
        cevm_log_write(&remote->log, CEVM_LOG_INFO, "%s: %s; at most %zu calls in a request from now on", remote->host,
                       x->reason, (size_t)remote->batch);
        return CEVM_OK;
    case GIVE_UP: break;
    }
    return give_up(x);
}

static cevm_err refuse_offline(cevm_remote *remote, const remote_want *want)
{
    char text[160];
    cevm_remote_describe(text, sizeof text, want);
    return cevm_remote_fail(remote, CEVM_ERR_BACKEND,
                            "offline, and %s does not have %s (block %" PRIu64 ", chain %" PRIu64 ")",
                            remote->cache.path != NULL ? remote->cache.path : "no cache file", text,
                            remote->block.header.number, remote->block.chain_id);
}

cevm_err cevm_remote_ask(cevm_remote *remote, remote_want *wants, size_t count)
{
    exchange x = {.remote = remote, .wants = wants};
    size_t calls = 0;
    for (size_t i = 0; i < count; ++i) {
        calls += wants[i].left != 0 ? cevm_remote_call_count(wants[i].kind) : 0;
    }
    if (calls == 0) {
        return CEVM_OK;
    }
    for (size_t i = 0; remote->is_offline && i < count; ++i) {
        if (wants[i].left != 0) {
            return refuse_offline(remote, &wants[i]);
        }
    }
    if (count > UINT32_MAX) {
        return CEVM_ERR_NOMEM;
    }
    x.calls = cevm_resize_array(remote->allocator, NULL, calls, sizeof *x.calls);
    if (x.calls == NULL) {
        return CEVM_ERR_NOMEM;
    }
    for (size_t i = 0; i < count; ++i) {
        for (unsigned part = 0; part < cevm_remote_call_count(wants[i].kind); ++part) {
            if ((wants[i].left >> part & 1) != 0) {
                x.calls[x.count++] = (remote_call){.want = (uint32_t)i, .part = (uint8_t)part};
            }
        }
    }
    cevm_buf_init(&x.request, remote->allocator);
    x.since_ms = now_ms();
    cevm_err err = CEVM_OK;
    while (err == CEVM_OK && x.count != 0) {
        err = step(&x);
    }
    cevm_buf_free(&x.request);
    cevm_free(remote->allocator, x.calls);
    return err;
}
