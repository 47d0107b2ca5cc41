/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/debug_block.h: the block that a debug method is about.
 */
#ifndef CEVM_RPC_DEBUG_BLOCK_H
#define CEVM_RPC_DEBUG_BLOCK_H

#include "rpc/find.h"

/**
 * As cevm_view_open_block for parameter `index`, but a number must be in hex, as execution-apis wants it of these methods:
 * their callers are tools, and one that means 0x3 and says "3" shall know.
 */
bool cevm_debug_open_block(cevm_view *out, cevm_rpc_call *call, size_t index);

#endif
