/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cli/microhttpd.h: libmicrohttpd, loaded when a server starts. Linked in the ordinary way it would bring GnuTLS and what
 * that needs into every run of the program, and starting would take 2.6 ms instead of 1.6.
 */
#ifndef CEVM_CLI_MICROHTTPD_H
#define CEVM_CLI_MICROHTTPD_H

#include <stdbool.h>
#include <sys/socket.h>

#include <microhttpd.h>

/** The functions that are used: MHD_start_daemon is start_daemon here. */
typedef struct cevm_microhttpd {
    __typeof__(&MHD_start_daemon) start_daemon;
    __typeof__(&MHD_stop_daemon) stop_daemon;
    __typeof__(&MHD_quiesce_daemon) quiesce_daemon;
    __typeof__(&MHD_create_response_from_buffer) create_response_from_buffer;
    __typeof__(&MHD_add_response_header) add_response_header;
    __typeof__(&MHD_queue_response) queue_response;
    __typeof__(&MHD_destroy_response) destroy_response;
    __typeof__(&MHD_get_connection_values) get_connection_values;
    __typeof__(&MHD_lookup_connection_value) lookup_connection_value;
} cevm_microhttpd;

/** Loads the library; it stays loaded. False, with a message on stderr that begins with `command`, when it cannot. */
bool cevm_microhttpd_load(cevm_microhttpd *out, const char *command);

#endif
