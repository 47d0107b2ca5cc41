/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/microhttpd.h"

#include <stddef.h>

#include "rpc/library.h"

#define FUNCTION(name)                                \
    {                                                 \
        "MHD_" #name, offsetof(cevm_microhttpd, name) \
    }

static const cevm_library_function functions[] = {
    FUNCTION(start_daemon),
    FUNCTION(stop_daemon),
    FUNCTION(quiesce_daemon),
    FUNCTION(create_response_from_buffer),
    FUNCTION(create_response_from_callback),
    FUNCTION(create_response_for_upgrade),
    FUNCTION(upgrade_action),
    FUNCTION(add_response_header),
    FUNCTION(queue_response),
    FUNCTION(destroy_response),
    FUNCTION(get_connection_info),
    FUNCTION(get_connection_values),
    FUNCTION(lookup_connection_value),
};

bool cevm_microhttpd_load(cevm_microhttpd *out, const char *command)
{
    static const cevm_library library = {"libmicrohttpd.so.12", "libmicrohttpd12", functions,
                                         sizeof functions / sizeof functions[0]};
    return cevm_library_load(out, &library, command);
}
