/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/methods.h: the handlers of methods.def, declared. Each file with handlers includes it.
 */
#ifndef CEVM_RPC_METHODS_H
#define CEVM_RPC_METHODS_H

#include "rpc/rpc.h"

/* One handler may stand in several rows: methods have aliases. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wredundant-decls"
#define METHOD(name, handler, flags, parameters, result, summary) void cevm_rpc_##handler(cevm_rpc_call *call);
#include "rpc/methods.def"
#undef METHOD
#pragma GCC diagnostic pop

#endif
