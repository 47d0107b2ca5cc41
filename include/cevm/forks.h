/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cevm/forks.h: the hard forks in order, and which EIP is in force at which. Tables: forks.def, eips.def.
 *
 * Threads: constant; any thread may read it.
 */
#ifndef CEVM_FORKS_H
#define CEVM_FORKS_H

#include <cevm/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Hard forks in order of activation; comparable with `<`, but ask CEVM_HAS_EIP instead. */
typedef enum cevm_fork {
#define FORK(id, name, aliases) CEVM_##id,
#include <cevm/forks.def>
#undef FORK
    CEVM_FORK_COUNT,
    CEVM_NEVER = CEVM_FORK_COUNT,
    CEVM_LATEST = CEVM_FORK_COUNT - 1
} cevm_fork;

enum {
#define EIP(number, since, until, title, home) \
    CEVM_EIP_##number##_SINCE = CEVM_##since, CEVM_EIP_##number##_UNTIL = CEVM_##until,
#include <cevm/eips.def>
#undef EIP
};

/** Whether EIP `number` (a row of eips.def) is in force at `fork`. */
#define CEVM_HAS_EIP(fork, number) \
    ((int)(fork) >= (int)CEVM_EIP_##number##_SINCE && (int)(fork) < (int)CEVM_EIP_##number##_UNTIL)

/** One row of eips.def. */
typedef struct cevm_eip_info {
    uint32_t number;
    cevm_fork since; /* first fork with the rule */
    cevm_fork until; /* first fork without it again; CEVM_NEVER while in force */
    const char *title;
    const char *home; /* the source file to read */
} cevm_eip_info;

/** The rows of eips.def; *count receives their number. Static storage. */
CEVM_API const cevm_eip_info *cevm_eips(size_t *count);

/** The vectors' name of a fork ("EIP150", "Cancun"), or NULL when fork is out of range. Static storage. */
CEVM_API const char *cevm_fork_name(cevm_fork fork);

/** Finds a fork by any of its spellings, ignoring case. False, and *out untouched, when there is none. */
CEVM_API bool cevm_fork_by_name(cevm_fork *out, const char *name);

#ifdef __cplusplus
}
#endif
#endif
