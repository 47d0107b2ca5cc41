/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/microhttpd.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Debian's package of it is libmicrohttpd12. */
#define LIBRARY "libmicrohttpd.so.12"

#define FUNCTION(name)                                \
    {                                                 \
        "MHD_" #name, offsetof(cevm_microhttpd, name) \
    }

static const struct {
    const char *name;
    size_t offset;
} functions[] = {
    FUNCTION(start_daemon),
    FUNCTION(stop_daemon),
    FUNCTION(quiesce_daemon),
    FUNCTION(create_response_from_buffer),
    FUNCTION(add_response_header),
    FUNCTION(queue_response),
    FUNCTION(destroy_response),
    FUNCTION(get_connection_values),
    FUNCTION(lookup_connection_value),
};

bool cevm_microhttpd_load(cevm_microhttpd *out, const char *command)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    bool ok = library != NULL;
    for (size_t i = 0; ok && i < sizeof functions / sizeof functions[0]; i++) {
        void *symbol = dlsym(library, functions[i].name);
        memcpy((char *)out + functions[i].offset, &symbol, sizeof symbol); /* ISO C has no cast to a function */
        ok = symbol != NULL;
    }
    if (!ok) {
        (void)fprintf(stderr, "%s: HTTP takes %s (Debian: libmicrohttpd12): %s\n", command, LIBRARY, dlerror());
    }
    return ok;
}
