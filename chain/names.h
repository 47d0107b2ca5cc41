/* SPDX-License-Identifier: Apache-2.0 */
/** chain/names.h: lists of names separated by '|', as the tables of reasons and the vectors write them. */
#ifndef CEVM_CHAIN_NAMES_H
#define CEVM_CHAIN_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/** Whether the '|'-separated `list` holds the name of `size` bytes; the empty name is in no list. */
static inline bool name_is_listed(const char *list, const char *name, size_t size)
{
    for (const char *at = list;;) {
        const size_t length = strcspn(at, "|");
        if (length == size && length != 0 && memcmp(at, name, size) == 0) {
            return true;
        }
        if (at[length] == '\0') {
            return false;
        }
        at += length + 1;
    }
}

#endif
