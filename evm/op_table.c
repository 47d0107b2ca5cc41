/* SPDX-License-Identifier: Apache-2.0 */
#include "evm/opcodes.h"

/* Heights allowed: from words_in to 1024 less what the opcode adds. */
#define SPAN(words_in, words_out) \
    (CEVM_STACK_LIMIT + 1 - (words_in) - ((words_out) > (words_in) ? (words_out) - (words_in) : 0))
#define ROW(at, code, name, words_in, words_out, kind, since, price)        \
    [code] = {.gas = (at) >= CEVM_##since ? (price) : 0,                    \
              .in = (words_in),                                             \
              .span = (at) >= CEVM_##since ? SPAN(words_in, words_out) : 0, \
              .out = (words_out)},

#define FORK(id, name, aliases) [CEVM_##id] = {CEVM_OPCODES(ROW, CEVM_##id)},
const cevm_op_info cevm_op_tables[CEVM_FORK_COUNT][256] = {
#include <cevm/forks.def>
};
#undef FORK

static const char *const names[256] = {
#define NAME(at, code, name, words_in, words_out, kind, since, price) [code] = #name,
    CEVM_OPCODES(NAME, 0)
#undef NAME
};

const char *cevm_opcode_name(cevm_fork fork, uint8_t op)
{
    return cevm_op_tables[fork][op].span != 0 ? names[op] : NULL;
}
