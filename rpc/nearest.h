/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/nearest.h: what was probably meant by a misspelt name. Pure, safe on any thread.
 */
#ifndef CEVM_RPC_NEAREST_H
#define CEVM_RPC_NEAREST_H

#include <stddef.h>

/** The candidate that looks most like `text`, or NULL when none is close. `stride` bytes lie between the names. */
const char *cevm_nearest_name(const char *text, const char *const *first, size_t stride, size_t count);

#endif
