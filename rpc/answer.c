/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/answer.h"

bool cevm_rpc_fail_node(cevm_rpc_call *call, const cevm_node_error *error)
{
    if (error->code != 0) {
        return cevm_rpc_fail(call, error->code, "%s", error->text);
    }
    return error->err != CEVM_OK ? cevm_rpc_fail_err(call, error->err)
                                 : cevm_rpc_fail(call, CEVM_RPC_SERVER, "%s", error->text);
}

void cevm_rpc_done(cevm_rpc_call *call)
{
    static const char prefix[] = "hardhat_";
    if (strncmp(call->row->name, prefix, sizeof prefix - 1) == 0) {
        cevm_json_put_bool(call->out, true);
    } else {
        cevm_json_put_null(call->out);
    }
}

bool cevm_rpc_edit(cevm_rpc_call *call,
                   bool (*edit)(void *user, cevm_world *world, cevm_treedb *db, cevm_node_error *error), void *user)
{
    cevm_node_error error = {.err = CEVM_OK};
    return cevm_node_edit(call->node, &error, edit, user) || cevm_rpc_fail_node(call, &error);
}

bool cevm_rpc_optional_u64(uint64_t *out, cevm_rpc_call *call, size_t index, const char *what)
{
    json_t *value = cevm_rpc_param(call, index);
    return value == NULL || cevm_rpc_read_u64(out, call, value, what);
}

static bool append(void *ctx, const char *text, size_t size)
{
    cevm_buf *buf = ctx;
    cevm_buf_append(buf, text, size);
    return !buf->failed;
}

void cevm_rpc_capture_begin(cevm_rpc_capture *capture, const cevm_allocator *allocator)
{
    cevm_buf_init(&capture->text, allocator);
    cevm_json_writer_init(&capture->writer, append, &capture->text);
}

bool cevm_rpc_capture_end(cevm_rpc_capture *capture) { return cevm_json_flush(&capture->writer); }

bool cevm_rpc_settle(cevm_rpc_call *call)
{
    cevm_node_error error = {.err = CEVM_OK};
    return call->node == NULL || cevm_node_settle(call->node, &error, call->deadline_ns, call->cancel) ||
           cevm_rpc_fail_node(call, &error);
}
