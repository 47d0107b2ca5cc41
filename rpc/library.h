/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/library.h: a shared library that is loaded when it is needed. Linked in the ordinary way, what a server takes would be
 * loaded at every start of the program: libmicrohttpd alone, with the GnuTLS it brings, makes 2.6 ms of 1.6.
 */
#ifndef CEVM_RPC_LIBRARY_H
#define CEVM_RPC_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

/** A function and where its address goes in a struct of pointers. */
typedef struct cevm_library_function {
    const char *name;
    size_t offset;
} cevm_library_function;

typedef struct cevm_library {
    const char *file;    /* "libwslay.so.1" */
    const char *package; /* Debian's name */
    const cevm_library_function *functions;
    size_t count;
} cevm_library;

/**
 * Loads it for good and fills the struct. False when it cannot, with a message on stderr that begins with `command`; NULL: no
 * message.
 */
bool cevm_library_load(void *out, const cevm_library *library, const char *command);

#endif
