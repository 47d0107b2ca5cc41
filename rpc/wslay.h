/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/wslay.h: libwslay, which reads the frames of WebSockets (RFC 6455), loaded when a server starts.
 */
#ifndef CEVM_RPC_WSLAY_H
#define CEVM_RPC_WSLAY_H

#include <stdbool.h>

#include <wslay/wslay.h>

/** The functions that are used: wslay_event_recv is event_recv here. */
typedef struct cevm_wslay {
    __typeof__(&wslay_event_context_server_init) event_context_server_init;
    __typeof__(&wslay_event_context_free) event_context_free;
    __typeof__(&wslay_event_config_set_no_buffering) event_config_set_no_buffering;
    __typeof__(&wslay_event_config_set_max_recv_msg_length) event_config_set_max_recv_msg_length;
    __typeof__(&wslay_event_recv) event_recv;
    __typeof__(&wslay_event_send) event_send;
    __typeof__(&wslay_event_want_read) event_want_read;
    __typeof__(&wslay_event_want_write) event_want_write;
    __typeof__(&wslay_event_queue_close) event_queue_close;
    __typeof__(&wslay_event_get_close_sent) event_get_close_sent;
    __typeof__(&wslay_event_set_error) event_set_error;
} cevm_wslay;

/** Loads the library; it stays loaded. False, with a message on stderr that begins with `command`, when it cannot. */
bool cevm_wslay_load(cevm_wslay *out, const char *command);

#endif
