/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cevm/log.h: what a long-lived object has to say beside what its functions return: a chain of its imports and
 * reorganisations, a remote state of the node it waits for. Nothing is said that a return value hides: a host that gives
 * no function for it misses no error.
 *
 * Threads: write is called on the thread that is inside the library, before the call returns; a cevm_remote that several
 * threads use calls it from each of them, at once too. It must not call functions on the object that it was given to.
 */
#ifndef CEVM_LOG_H
#define CEVM_LOG_H

#include <cevm/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum cevm_log_level {
    CEVM_LOG_DEBUG, /* what goes on all the time: each block */
    CEVM_LOG_INFO,  /* what is rare and as it should be: a reorganisation, a block that is refused */
    CEVM_LOG_WARN   /* what a host may want to look after: the store had to be brought back, the node limits the rate */
} cevm_log_level;

/** "debug", "info" or "warn"; static storage, never NULL. */
CEVM_API const char *cevm_log_level_string(cevm_log_level level);

/** Where messages go. Copied into the object; ctx must outlive it. Will not grow: it stands inside of options. */
typedef struct cevm_log_sink {
    /** One line of UTF-8 without its end, at most 511 bytes; valid for the call. NULL = nothing is said. */
    void (*write)(void *ctx, cevm_log_level level, const char *text);
    void *ctx;
} cevm_log_sink;

#ifdef __cplusplus
}
#endif
#endif
