/* SPDX-License-Identifier: Apache-2.0 */
/* How a call says what is wrong. */
#include "rpc/node.h"
#include "rpc/rpc.h"

#include <stdarg.h>
#include <stdio.h>

#include <cevm/hex.h>

bool cevm_rpc_fail(cevm_rpc_call *call, int code, const char *format, ...)
{
    if (call->error.code == 0) {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(call->error.message, sizeof call->error.message, format, arguments);
        va_end(arguments);
        call->error.code = code;
    }
    return false;
}

bool cevm_rpc_fail_data(cevm_rpc_call *call, int code, cevm_bytes data, const char *format, ...)
{
    if (call->error.code != 0) {
        return false;
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(call->error.message, sizeof call->error.message, format, arguments);
    va_end(arguments);
    call->error.code = code;
    char *text = data.size < SIZE_MAX / 2 - 8 ? cevm_arena_alloc(call->arena, 2 * data.size + 5) : NULL;
    if (text != NULL) { /* without memory the error goes without its data */
        memcpy(text, "\"0x", 3);
        cevm_hex_encode(text + 3, data.data, data.size);
        memcpy(text + 3 + 2 * data.size, "\"", 2);
    }
    call->error.data = text;
    return false;
}

static bool fail_backend(cevm_rpc_call *call)
{
    cevm_remote *remote = cevm_node_remote(call->node);
    cevm_remote_error error = {.text = ""};
    if (remote == NULL) {
        return cevm_rpc_fail(call, CEVM_RPC_INTERNAL, "the state could not be read");
    }
    cevm_remote_last_error(remote, &error);
    return cevm_rpc_fail(call, CEVM_RPC_INTERNAL, "the remote chain: %s", error.text);
}

bool cevm_rpc_fail_err(cevm_rpc_call *call, cevm_err err)
{
    switch (err) {
    case CEVM_ERR_CANCELLED:
        return cevm_rpc_fail(call, CEVM_RPC_UNAVAILABLE, "execution aborted: it took too long (timeout)");
    case CEVM_ERR_LIMIT: return cevm_rpc_fail(call, CEVM_RPC_LIMIT, "a limit of the node was reached");
    case CEVM_ERR_NOMEM: return cevm_rpc_fail(call, CEVM_RPC_INTERNAL, "out of memory");
    case CEVM_ERR_BACKEND: return fail_backend(call);
    case CEVM_OK:
    case CEVM_ERR_ENCODING:
    case CEVM_ERR_ARGUMENT:
    case CEVM_ERR_IO:
    case CEVM_ERR_NOT_BUILT:
    case CEVM_ERR_COUNT: break;
    }
    return cevm_rpc_fail(call, CEVM_RPC_INTERNAL, "%s", cevm_err_string(err));
}
