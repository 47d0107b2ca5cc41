/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of precompiles.def as a table, and the search in it that every CALL makes. */
#include "precompiles/precompiles.h"

enum {
#define PRECOMPILE(address, name, since, eip, handler) ROW_##handler,
#include "precompiles/precompiles.def"
#undef PRECOMPILE
    ROW_COUNT
};

static const cevm_precompile rows[ROW_COUNT] = {
#define PRECOMPILE(address, name, since, eip, handler) \
    {address, CEVM_##since, name, eip, cevm_##handler##_cost, cevm_##handler##_run},
#include "precompiles/precompiles.def"
#undef PRECOMPILE
};

const cevm_precompile *cevm_precompile_find(const cevm_address *address, cevm_fork fork)
{
    uint64_t first;
    uint64_t second;
    memcpy(&first, address->bytes, sizeof first);
    memcpy(&second, address->bytes + 8, sizeof second);
    if ((first | second | address->bytes[16] | address->bytes[17]) != 0) {
        return NULL; /* nearly every address there is */
    }
    const cevm_precompile *row;
    switch (((unsigned)address->bytes[18] << 8) | address->bytes[19]) {
#define PRECOMPILE(number, name, since, eip, handler) \
    case number:                                      \
        row = &rows[ROW_##handler];                   \
        break;
#include "precompiles/precompiles.def"
#undef PRECOMPILE
    default: return NULL;
    }
    return fork >= row->since ? row : NULL;
}

const cevm_precompile *cevm_precompile_find_with(const cevm_precompile_change *changes, size_t count,
                                                 const cevm_address *address, cevm_fork fork)
{
    for (size_t i = 0; i < count; ++i) {
        if (memcmp(&changes[i].address, address, sizeof *address) == 0) {
            const cevm_precompile *own = changes[i].contract;
            return own != NULL && fork >= own->since ? own : NULL;
        }
    }
    return cevm_precompile_find(address, fork);
}

const cevm_precompile *cevm_precompiles(size_t *count)
{
    *count = ROW_COUNT;
    return rows;
}
