/* SPDX-License-Identifier: Apache-2.0 */
#include "state/curl.h"

#include "state/rlp.h"

#include <cevm/alloc.h>

#include <curl/curl.h>
#include <dlfcn.h>
#include <strings.h>

/** The functions that are used: curl_easy_init is init here. */
typedef struct curl_functions {
    __typeof__(&curl_easy_init) init;
    __typeof__(&curl_easy_cleanup) cleanup;
    __typeof__(&curl_easy_setopt) setopt;
    __typeof__(&curl_easy_perform) perform;
    __typeof__(&curl_easy_getinfo) getinfo;
    __typeof__(&curl_easy_strerror) strerror;
    __typeof__(&curl_slist_append) append;
    __typeof__(&curl_slist_free_all) free_all;
} curl_functions;

#define FUNCTION(prefix, name)                       \
    {                                                \
        prefix #name, offsetof(curl_functions, name) \
    }

static const struct {
    const char *name;
    size_t offset;
} functions[] = {
    FUNCTION("curl_easy_", init),    FUNCTION("curl_easy_", cleanup),   FUNCTION("curl_easy_", setopt),
    FUNCTION("curl_easy_", perform), FUNCTION("curl_easy_", getinfo),   FUNCTION("curl_easy_", strerror),
    FUNCTION("curl_slist_", append), FUNCTION("curl_slist_", free_all),
};

/** Debian has it in three packages, built over different libraries for TLS. */
static const char *const libraries[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};

struct cevm_curl {
    const cevm_allocator *allocator;
    curl_functions call;
    CURL *handle;
    struct curl_slist *headers;
    size_t max_response;
    const volatile bool *cancel;
    bool is_too_large;
    cevm_buf body;
};

/** Loads the library; it stays loaded. */
static bool load(curl_functions *out)
{
    void *library = NULL;
    for (size_t i = 0; library == NULL && i < sizeof libraries / sizeof libraries[0]; ++i) {
        library = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL);
    }
    bool ok = library != NULL;
    for (size_t i = 0; ok && i < sizeof functions / sizeof functions[0]; ++i) {
        void *symbol = dlsym(library, functions[i].name);
        memcpy((char *)out + functions[i].offset, &symbol, sizeof symbol); /* ISO C has no cast to a function */
        ok = symbol != NULL;
    }
    return ok;
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    cevm_curl *curl = user;
    const size_t bytes = size * count; /* libcurl has them in memory */
    curl->is_too_large = bytes > curl->max_response - curl->body.size;
    if (curl->is_too_large) {
        return 0;
    }
    cevm_buf_append(&curl->body, data, bytes);
    return curl->body.failed ? 0 : bytes;
}

static int on_progress(void *user, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
    const cevm_curl *curl = user;
    (void)down_total;
    (void)down;
    (void)up_total;
    (void)up;
    return curl->cancel != NULL && *curl->cancel ? 1 : 0;
}

static bool add_header(cevm_curl *curl, const char *line)
{
    struct curl_slist *longer = curl->call.append(curl->headers, line);
    if (longer != NULL) {
        curl->headers = longer;
    }
    return longer != NULL;
}

static cevm_err set_up(cevm_curl *curl, const cevm_curl_options *options)
{
    const curl_functions *c = &curl->call;
    CURL *h = curl->handle;
    bool ok = add_header(curl, "Content-Type: application/json") && add_header(curl, "Expect:");
    for (size_t i = 0; ok && i < options->header_count; ++i) {
        ok = add_header(curl, options->headers[i]);
    }
    /* Redirections are not followed: where the answers come from is for the caller to say. */
    return ok && c->setopt(h, CURLOPT_URL, options->url) == CURLE_OK &&
                   c->setopt(h, CURLOPT_HTTPHEADER, curl->headers) == CURLE_OK &&
                   c->setopt(h, CURLOPT_USERAGENT, "cevm") == CURLE_OK &&
                   c->setopt(h, CURLOPT_ACCEPT_ENCODING, "") == CURLE_OK &&
                   c->setopt(h, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
                   c->setopt(h, CURLOPT_TIMEOUT_MS, (long)options->timeout_ms) == CURLE_OK &&
                   c->setopt(h, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
                   c->setopt(h, CURLOPT_WRITEDATA, curl) == CURLE_OK &&
                   c->setopt(h, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
                   c->setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
                   c->setopt(h, CURLOPT_XFERINFODATA, curl) == CURLE_OK
               ? CEVM_OK
               : CEVM_ERR_NOMEM;
}

cevm_err cevm_curl_open(cevm_curl **out, const char **reason, const cevm_curl_options *options)
{
    if (strncasecmp(options->url, "http://", 7) != 0 && strncasecmp(options->url, "https://", 8) != 0) {
        *reason = "the URL begins neither with http:// nor with https://";
        return CEVM_ERR_ARGUMENT;
    }
    cevm_curl *curl = cevm_zalloc(options->allocator, sizeof *curl);
    if (curl == NULL) {
        return CEVM_ERR_NOMEM;
    }
    curl->allocator = options->allocator;
    curl->max_response = options->max_response;
    curl->cancel = options->cancel;
    cevm_buf_init(&curl->body, options->allocator);
    cevm_err err = CEVM_ERR_IO;
    *reason = "libcurl.so.4 is not there (Debian: libcurl4)";
    if (load(&curl->call)) {
        curl->handle = curl->call.init();
        err = curl->handle != NULL ? set_up(curl, options) : CEVM_ERR_NOMEM;
    }
    if (err != CEVM_OK) {
        cevm_curl_close(curl);
        return err;
    }
    *out = curl;
    return CEVM_OK;
}

void cevm_curl_close(cevm_curl *curl)
{
    if (curl == NULL) {
        return;
    }
    if (curl->handle != NULL) {
        curl->call.cleanup(curl->handle);
    }
    if (curl->headers != NULL) {
        curl->call.free_all(curl->headers);
    }
    cevm_buf_free(&curl->body);
    cevm_free(curl->allocator, curl);
}

static cevm_err post(void *ctx, cevm_remote_reply *out, cevm_bytes body)
{
    cevm_curl *curl = ctx;
    const curl_functions *c = &curl->call;
    long status = 0;
    curl_off_t wait = 0;
    *out = (cevm_remote_reply){.status = 0};
    cevm_buf_clear(&curl->body);
    curl->is_too_large = false;
    CURLcode code = c->setopt(curl->handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.size);
    if (code == CURLE_OK) {
        code = c->setopt(curl->handle, CURLOPT_POSTFIELDS, body.data);
    }
    if (code == CURLE_OK) {
        code = c->perform(curl->handle);
    }
    if (code == CURLE_ABORTED_BY_CALLBACK) {
        return CEVM_ERR_CANCELLED;
    }
    if (code == CURLE_OUT_OF_MEMORY || curl->body.failed) {
        return CEVM_ERR_NOMEM;
    }
    out->is_too_large = curl->is_too_large;
    out->reason = c->strerror(code); /* the longer texts that libcurl has can quote the URL */
    if (code == CURLE_OK && c->getinfo(curl->handle, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK) {
        out->status = (int)status;
        out->body = (cevm_bytes){curl->body.data, curl->body.size};
        if (c->getinfo(curl->handle, CURLINFO_RETRY_AFTER, &wait) == CURLE_OK && wait > 0) {
            out->retry_after = wait < 3600 ? (uint32_t)wait : 3600;
        }
    }
    return CEVM_OK;
}

cevm_remote_transport cevm_curl_transport(cevm_curl *curl)
{
    return (cevm_remote_transport){.ctx = curl, .post = post};
}
