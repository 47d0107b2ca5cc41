/* SPDX-License-Identifier: Apache-2.0 */
/* What a call that is tried writes with console.log, for the log. */
#include <string.h>

#include "rpc/console.h"

enum { MAX_TEXT = 32 * 1024 }; /* of one call: a loop can write very much */

static bool add_line(void *user, size_t tx_index, const char *text)
{
    cevm_console_lines *lines = user;
    const size_t size = strlen(text);
    (void)tx_index;
    if (lines->text.size > MAX_TEXT - size) {
        static const char end[] = "(and more)\n";
        cevm_buf_append(&lines->text, end, sizeof end - 1);
        return false;
    }
    cevm_buf_append(&lines->text, text, size);
    cevm_buf_append(&lines->text, "\n", 1);
    return !lines->text.failed;
}

void cevm_console_lines_open(cevm_console_lines *out, cevm_rpc_call *call)
{
    const cevm_allocator *allocator = cevm_node_allocator(call->node);
    out->call = call;
    cevm_buf_init(&out->text, allocator);
    cevm_console_tap_open(&out->tap, NULL, add_line, out, allocator);
}

const cevm_tracer *cevm_console_lines_begin(cevm_console_lines *lines)
{
    cevm_buf_clear(&lines->text);
    lines->tap.stopped = false;
    return lines->call->is_logged ? &lines->tap.tracer : NULL;
}

void cevm_console_lines_close(cevm_console_lines *lines, bool keep)
{
    const size_t size = lines->text.size;
    uint8_t *copy = keep && size != 0 && !lines->text.failed ? cevm_arena_alloc(lines->call->arena, size) : NULL;
    if (copy != NULL) {
        memcpy(copy, lines->text.data, size);
        lines->call->console = (cevm_bytes){copy, size};
    }
    cevm_console_tap_close(&lines->tap);
    cevm_buf_free(&lines->text);
}
