/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/microhttpd.h: libmicrohttpd, loaded when a server starts.
 */
#ifndef CEVM_RPC_MICROHTTPD_H
#define CEVM_RPC_MICROHTTPD_H

#include <stdbool.h>
#include <sys/socket.h>

#include <microhttpd.h>

/** The functions that are used: MHD_start_daemon is start_daemon here. */
typedef struct cevm_microhttpd {
    __typeof__(&MHD_start_daemon) start_daemon;
    __typeof__(&MHD_stop_daemon) stop_daemon;
    __typeof__(&MHD_quiesce_daemon) quiesce_daemon;
    __typeof__(&MHD_create_response_from_buffer) create_response_from_buffer;
    __typeof__(&MHD_create_response_from_callback) create_response_from_callback;
    __typeof__(&MHD_create_response_for_upgrade) create_response_for_upgrade;
    __typeof__(&MHD_upgrade_action) upgrade_action;
    __typeof__(&MHD_add_response_header) add_response_header;
    __typeof__(&MHD_queue_response) queue_response;
    __typeof__(&MHD_destroy_response) destroy_response;
    __typeof__(&MHD_get_connection_info) get_connection_info;
    __typeof__(&MHD_get_connection_values) get_connection_values;
    __typeof__(&MHD_lookup_connection_value) lookup_connection_value;
} cevm_microhttpd;

/** Loads the library; it stays loaded. False, with a message on stderr that begins with `command`, when it cannot. */
bool cevm_microhttpd_load(cevm_microhttpd *out, const char *command);

#endif
