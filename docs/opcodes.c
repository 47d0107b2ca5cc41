/* SPDX-License-Identifier: Apache-2.0 */
/** docs/opcodes.c: prints docs/opcodes.md from THE opcode table (evm/opcodes.h). Run by `make docs`. */
#include "evm/opcodes.h"

#include <stdio.h>

typedef struct row {
    unsigned code;
    const char *name;
    int in, out;
    cevm_fork since;
} row;

static const row rows[] = {
#define ROW(at, code, name, in, out, kind, since, price) {code, #name, in, out, CEVM_##since},
    CEVM_OPCODES(ROW, 0)
#undef ROW
};

/** The price at the first fork that has the opcode, then each fork that changed it. */
static void print_prices(const row *r)
{
    unsigned last = cevm_op_tables[r->since][r->code].gas;
    printf("%u", last);
    for (int fork = (int)r->since + 1; fork < CEVM_FORK_COUNT; ++fork) {
        const unsigned price = cevm_op_tables[fork][r->code].gas;
        if (price != last) {
            printf(", %s %u", cevm_fork_name((cevm_fork)fork), price);
            last = price;
        }
    }
}

int main(void)
{
    puts("# Opcodes\n\n"
         "Written by `make docs` from the table in `evm/opcodes.h`; do not edit. *In* and *out* are the words taken "
         "from and\n"
         "put on the stack. *Gas* is the static price at the first fork and at each fork that changed it; what an "
         "instruction\n"
         "costs beyond that (memory, words copied, cold access, value sent) is in its body: `git grep op_SLOAD`.\n\n"
         "| code | name | in | out | since | static gas |\n"
         "| --- | --- | ---: | ---: | --- | --- |");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        const row *r = &rows[i];
        printf("| `0x%02x` | %s | %d | %d | %s | ", r->code, r->name, r->in, r->out, cevm_fork_name(r->since));
        print_prices(r);
        puts(" |");
    }
    return 0;
}
