/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/typed_data.h: what is signed of structured data: EIP-712 (eth_signTypedData_v4, of which _v3 is a part), and the older
 * list of typed values (eth_signTypedData). Pure, safe on any thread.
 */
#ifndef CEVM_RPC_TYPED_DATA_H
#define CEVM_RPC_TYPED_DATA_H

#include <cevm/types.h>
#include <jansson.h>

typedef struct cevm_typed_error {
    char text[512]; /* one line */
} cevm_typed_error;

/**
 * keccak256(0x1901 ‖ domain separator ‖ hashStruct(message)) of {types, primaryType, domain, message}. False: error->text says
 * what is wrong. Limits: 256 types, 32 levels of values.
 */
bool cevm_typed_data_digest(cevm_hash *out, cevm_typed_error *error, const json_t *data,
                            const cevm_allocator *allocator);
/** The digest of [{type, name, value}, …]: keccak256(keccak256(types and names) ‖ keccak256(packed values)). No arrays. */
bool cevm_typed_list_digest(cevm_hash *out, cevm_typed_error *error, const json_t *list,
                            const cevm_allocator *allocator);

#endif
