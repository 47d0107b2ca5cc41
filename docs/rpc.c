/* SPDX-License-Identifier: Apache-2.0 */
/** docs/rpc.c: prints docs/rpc.md from THE table of JSON-RPC methods (rpc/methods.def). Run by `make docs`. */
#include <stdio.h>
#include <string.h>

#include "rpc/rpc.h"

static int family_size(const char *name) { return (int)strcspn(name, "_."); }

static bool same_family(const char *a, const char *b)
{
    return family_size(a) == family_size(b) && strncmp(a, b, (size_t)family_size(a)) == 0;
}

/** Text in a cell: a bar would end it. */
static void print_cell(const char *text, char quote)
{
    if (quote != '\0' && *text != '\0') {
        (void)putchar(quote);
    }
    for (const char *p = text; *p != '\0'; ++p) {
        (void)(*p == '|' ? printf("\\|") : putchar(*p));
    }
    if (quote != '\0' && *text != '\0') {
        (void)putchar(quote);
    }
}

int main(void)
{
    size_t count;
    const cevm_rpc_row *rows = cevm_rpc_rows(&count);
    printf(
        "# JSON-RPC methods of `cevm node`\n\n"
        "Written by `make docs` from the table in `rpc/methods.def`; do not edit. %zu methods. A parameter with `?` "
        "may be "
        "left\nout, `...` takes all the rest; parameters may also be given by name, as an object. `rpc.discover` gives "
        "this "
        "list as an\nOpenRPC document.\n\n"
        "*Block* is a number, a hash, `latest`, `pending`, `earliest`, `safe`, `finalized`, or an object of EIP-1898. "
        "*Quantity* is\n`0x` and hex digits; JSON numbers and decimal text are taken too. *Call* is a transaction "
        "object. "
        "*streamed*: the answer\nmay be of any length and is sent as it is made. *session*: takes a WebSocket or IPC "
        "connection.\n",
        count);
    for (size_t i = 0; i < count; ++i) {
        const cevm_rpc_row *r = &rows[i];
        if (i == 0 || !same_family(r->name, rows[i - 1].name)) {
            printf("\n## %.*s\n\n| method | parameters | result | |\n| --- | --- | --- | --- |\n", family_size(r->name),
                   r->name);
        }
        printf("| `%s` | ", r->name);
        print_cell(r->params, '`');
        printf(" | ");
        print_cell(r->result, '\0');
        printf(" | ");
        print_cell(r->summary, '\0');
        printf("%s%s |\n", (r->flags & CEVM_RPC_STREAM) != 0 ? "; *streamed*" : "",
               (r->flags & CEVM_RPC_SESSION) != 0 ? "; *session*" : "");
    }
    return 0;
}
