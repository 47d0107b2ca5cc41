/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/member.h"

json_t *cevm_member(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    return json_is_null(value) ? NULL : value;
}

bool cevm_member_u64(uint64_t *out, bool *has, cevm_rpc_call *call, const json_t *object, const char *key)
{
    json_t *value = cevm_member(object, key);
    *has = value != NULL;
    return value == NULL || cevm_rpc_read_u64(out, call, value, key);
}

bool cevm_member_u256(cevm_u256 *out, bool *has, cevm_rpc_call *call, const json_t *object, const char *key)
{
    json_t *value = cevm_member(object, key);
    *has = value != NULL;
    return value == NULL || cevm_rpc_read_u256(out, call, value, key);
}

bool cevm_member_address(cevm_address *out, bool *has, cevm_rpc_call *call, const json_t *object, const char *key)
{
    json_t *value = cevm_member(object, key);
    *has = value != NULL;
    return value == NULL || cevm_rpc_read_address(out, call, value, key);
}

bool cevm_member_hash(cevm_hash *out, bool *has, cevm_rpc_call *call, const json_t *object, const char *key)
{
    json_t *value = cevm_member(object, key);
    *has = value != NULL;
    return value == NULL || cevm_rpc_read_hash(out, call, value, key);
}

bool cevm_member_flag(bool *out, cevm_rpc_call *call, const json_t *object, const char *key)
{
    json_t *value = cevm_member(object, key);
    *out = false;
    return value == NULL || cevm_rpc_read_bool(out, call, value, key);
}
