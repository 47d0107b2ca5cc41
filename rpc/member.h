/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/member.h: members of an object in the parameters that may be missing or null; *has says whether one is there, and
 * where it is not nothing else is written. The key names it in messages. False: the call failed.
 */
#ifndef CEVM_RPC_MEMBER_H
#define CEVM_RPC_MEMBER_H

#include "rpc/rpc.h"

/** The member, or NULL when it is missing or null. */
json_t *cevm_member(const json_t *object, const char *key);
bool cevm_member_u64(uint64_t *out, bool *has, cevm_rpc_call *call, const json_t *object, const char *key);
bool cevm_member_u256(cevm_u256 *out, bool *has, cevm_rpc_call *call, const json_t *object, const char *key);
bool cevm_member_address(cevm_address *out, bool *has, cevm_rpc_call *call, const json_t *object, const char *key);
bool cevm_member_hash(cevm_hash *out, bool *has, cevm_rpc_call *call, const json_t *object, const char *key);
/** A flag that is false where it is missing. */
bool cevm_member_flag(bool *out, cevm_rpc_call *call, const json_t *object, const char *key);

#endif
