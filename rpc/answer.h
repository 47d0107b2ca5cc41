/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/answer.h: how the methods that change something end. Threads: those of the call.
 */
#ifndef CEVM_RPC_ANSWER_H
#define CEVM_RPC_ANSWER_H

#include "rpc/node.h"
#include "rpc/rpc.h"
#include "state/rlp.h"

/** The call fails as the node did. Returns false. */
bool cevm_rpc_fail_node(cevm_rpc_call *call, const cevm_node_error *error);
/** Waits for blocks that are promised, as long as the call may take. False: the call failed. */
bool cevm_rpc_settle(cevm_rpc_call *call);
/** It is done and there is nothing to tell: true under Hardhat's names, null under all others, as those nodes answer. */
void cevm_rpc_done(cevm_rpc_call *call);
/** Changes the world (cevm_node_edit); false: the call failed. */
bool cevm_rpc_edit(cevm_rpc_call *call,
                   bool (*edit)(void *user, cevm_world *world, cevm_treedb *db, cevm_node_error *error), void *user);

/** JSON that is written into memory first. One thread's. */
typedef struct cevm_rpc_capture {
    cevm_json_writer writer;
    cevm_buf text;
} cevm_rpc_capture;
void cevm_rpc_capture_begin(cevm_rpc_capture *capture, const cevm_allocator *allocator);
/** False when memory ran out; the text is in capture->text until it is freed with cevm_buf_free. */
bool cevm_rpc_capture_end(cevm_rpc_capture *capture);

/** Optional parameters: the reader of the name, or `out` untouched when there is none. False: the call failed. */
bool cevm_rpc_optional_u64(uint64_t *out, cevm_rpc_call *call, size_t index, const char *what);

#endif
