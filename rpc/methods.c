/* SPDX-License-Identifier: Apache-2.0 */
/* THE table of methods, as methods.def writes it. */
#include "rpc/methods.h"

static const cevm_rpc_row rows[] = {
#define METHOD(name, handler, flags, parameters, result, summary) \
    {#name, cevm_rpc_##handler, flags, parameters, result, summary},
#include "rpc/methods.def"
#undef METHOD
};

const cevm_rpc_row *cevm_rpc_rows(size_t *count)
{
    *count = sizeof rows / sizeof rows[0];
    return rows;
}

const cevm_rpc_row *cevm_rpc_find(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        if (strcmp(rows[i].name, name) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}
