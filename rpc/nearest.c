/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/nearest.h"

#include <string.h>

enum { NAME_LIMIT = 48 };

/* Levenshtein's distance; texts longer than NAME_LIMIT count as far away. */
static size_t distance(const char *a, const char *b)
{
    size_t na = strlen(a);
    size_t nb = strlen(b);
    size_t row[NAME_LIMIT + 1];
    if (na > NAME_LIMIT || nb > NAME_LIMIT) {
        return NAME_LIMIT;
    }
    for (size_t j = 0; j <= nb; ++j) {
        row[j] = j;
    }
    for (size_t i = 1; i <= na; ++i) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= nb; ++j) {
            size_t best = diagonal + (a[i - 1] != b[j - 1] ? 1 : 0);
            diagonal = row[j];
            best = best < row[j] + 1 ? best : row[j] + 1;
            row[j] = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
        }
    }
    return row[nb];
}

const char *cevm_nearest_name(const char *text, const char *const *first, size_t stride, size_t count)
{
    const char *nearest = NULL;
    const char *family = strrchr(text, '_'); /* "anvil_" is right in every name of its family: it says nothing */
    size_t best = strlen(family != NULL ? family + 1 : text) / 3 + 2; /* further away it is no misspelling */
    for (size_t i = 0; i < count; ++i) {
        const char *name = *(const char *const *)(const void *)((const char *)first + i * stride);
        size_t d = distance(text, name);
        if (d < best) {
            best = d;
            nearest = name;
        }
    }
    return nearest;
}
