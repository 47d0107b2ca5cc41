/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/origin.h: which web pages are answered. A page of anywhere can make its visitor's browser send requests to this
 * machine: by its address, which the browser tells in Origin, or by a name of its own that it lets point here (DNS
 * rebinding), which stands in Host. Programs send no Origin and are always answered.
 *
 * Pure, safe on any thread.
 */
#ifndef CEVM_RPC_ORIGIN_H
#define CEVM_RPC_ORIGIN_H

#include <stdbool.h>

/**
 * Whether a Host header (NULL: none) names this machine: localhost, a name under .localhost, an address, or one of `hosts`
 * (separated by commas; "*" allows all; may be NULL). A port does not matter.
 */
bool cevm_host_allowed(const char *host, const char *hosts);

/**
 * Whether an Origin header (NULL: none, always allowed) may ask. origins: separated by commas, or "*"; NULL: pages of
 * localhost and of loopback addresses on any port, and browser extensions; "": none.
 */
bool cevm_origin_allowed(const char *origin, const char *origins);

#endif
