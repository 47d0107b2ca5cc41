/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/dispatch.h: text of requests to text of answers (JSON-RPC 2.0, single or a batch), whatever they come by.
 *
 * Threads: any number at once; a request and its output are one thread's.
 */
#ifndef CEVM_RPC_DISPATCH_H
#define CEVM_RPC_DISPATCH_H

#include "rpc/rpc.h"

typedef struct cevm_rpc_limits {
    size_t body;         /* bytes of a request */
    size_t answer;       /* bytes of an answer that is not streamed */
    size_t batch;        /* requests in an array */
    unsigned depth;      /* nesting of a request */
    uint64_t timeout_ms; /* until a call that only reads has to be there; 0: no limit */
} cevm_rpc_limits;

/** Called after each call, whether it went well or not; `call` is valid inside. For logs. */
typedef void (*cevm_rpc_observer)(void *user, const cevm_rpc_call *call, const char *method, uint64_t nanoseconds);

/** Who asks, and whom. */
typedef struct cevm_rpc_peer {
    struct cevm_node *node;
    struct cevm_session *session;
    const volatile bool *cancel;
    const cevm_rpc_limits *limits;
    cevm_rpc_observer observer; /* may be NULL */
    void *observer_user;
} cevm_rpc_peer;

/** Where an answer goes. Zero-initialise; cevm_rpc_output_clear when done. */
typedef struct cevm_rpc_output {
    char *data; /* what has not been handed over; empty: nothing is to be answered (notifications) */
    size_t size;
    size_t capacity;
    /**
     * Takes what there is of an answer that is streamed; waits while the reader is slow (that is the back-pressure), false
     * when it is gone. NULL: everything is collected, and the limit holds for streamed answers too.
     */
    bool (*flush)(void *ctx, const char *data, size_t size);
    void *ctx;
    size_t limit;  /* of `size` */
    bool overflow; /* the limit was reached */
    bool handed;   /* a part of this call's value has gone out and cannot be taken back */
    bool started;  /* something has gone out */
    bool gone;     /* nobody reads, or memory ran out: no answer can be given */
} cevm_rpc_output;

enum { CEVM_RPC_CHUNK = 64 * 1024 }; /* handed over when there is so much of it */

void cevm_rpc_output_clear(cevm_rpc_output *out);

/** A request that was read. */
typedef struct cevm_rpc_request {
    json_t *json; /* NULL when it could not be read: answered with `error` */
    int code;
    char error[256];
} cevm_rpc_request;

/** Reads text. What is wrong with it becomes the answer. */
void cevm_rpc_request_read(cevm_rpc_request *out, const cevm_rpc_limits *limits, const char *text, size_t size);
/** Whether the answer may be of any length: the method of one of its calls streams. */
bool cevm_rpc_request_streams(const cevm_rpc_request *request);
/** Makes the calls in order and writes the answer. */
void cevm_rpc_request_answer(cevm_rpc_request *request, const cevm_rpc_peer *peer, cevm_rpc_output *out);
void cevm_rpc_request_clear(cevm_rpc_request *request);

#endif
