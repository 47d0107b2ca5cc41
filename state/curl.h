/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/curl.h: requests over HTTP with libcurl, which is loaded when the first one is opened: who does not use a remote
 * state neither needs it nor pays for it (docs/adr/0013-remote-state.md).
 *
 * Threads: one connection is used by one thread at a time.
 */
#ifndef CEVM_STATE_CURL_H
#define CEVM_STATE_CURL_H

#include <cevm/remote.h>

typedef struct cevm_curl cevm_curl;

typedef struct cevm_curl_options {
    const cevm_allocator *allocator;
    const char *url; /* http or https; copied, as the headers are */
    const char *const *headers;
    size_t header_count;
    uint32_t timeout_ms;
    size_t max_response; /* bytes, after decompression */
    const volatile bool *cancel;
} cevm_curl_options;

/**
 * Loads libcurl and prepares a connection, without making it. Errors: CEVM_ERR_NOMEM; CEVM_ERR_IO when libcurl cannot be
 * loaded, CEVM_ERR_ARGUMENT when the URL is not one, both with *reason (static).
 */
cevm_err cevm_curl_open(cevm_curl **out, const char **reason, const cevm_curl_options *options);
void cevm_curl_close(cevm_curl *curl);
/** Valid as long as the connection. */
cevm_remote_transport cevm_curl_transport(cevm_curl *curl);

#endif
