/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/http_stream.h: answers of any length over HTTP. libmicrohttpd asks for the next piece when the last has gone out; the
 * handler writes when it has one. The two meet here: the handler runs on a thread of its own, and writes no faster than
 * the client reads.
 */
#ifndef CEVM_RPC_HTTP_STREAM_H
#define CEVM_RPC_HTTP_STREAM_H

#include "rpc/server_internal.h"

typedef struct cevm_http_stream cevm_http_stream;

/** Begins to answer; the request then belongs to the stream. NULL when there is no memory or thread for it. */
cevm_http_stream *cevm_http_stream_start(cevm_conn *conn, cevm_rpc_request *request);
/**
 * Waits until it is known whether the answer fits a piece. Then *whole is all of it, the caller's, and the stream is gone;
 * otherwise false: it goes out through cevm_http_stream_response.
 */
bool cevm_http_stream_fits(cevm_http_stream *stream, cevm_rpc_output *whole);
/** The response that ends the stream when it is destroyed. NULL when memory ran out: the stream has ended. */
struct MHD_Response *cevm_http_stream_response(cevm_http_stream *stream);

#endif
