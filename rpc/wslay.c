/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/wslay.h"

#include <stddef.h>

#include "rpc/library.h"

#define FUNCTION(name)                             \
    {                                              \
        "wslay_" #name, offsetof(cevm_wslay, name) \
    }

static const cevm_library_function functions[] = {
    FUNCTION(event_context_server_init),
    FUNCTION(event_context_free),
    FUNCTION(event_config_set_no_buffering),
    FUNCTION(event_config_set_max_recv_msg_length),
    FUNCTION(event_recv),
    FUNCTION(event_send),
    FUNCTION(event_want_read),
    FUNCTION(event_want_write),
    FUNCTION(event_queue_close),
    FUNCTION(event_get_close_sent),
    FUNCTION(event_set_error),
};

bool cevm_wslay_load(cevm_wslay *out, const char *command)
{
    static const cevm_library library = {"libwslay.so.1", "libwslay1", functions,
                                         sizeof functions / sizeof functions[0]};
    return cevm_library_load(out, &library, command);
}
