/* SPDX-License-Identifier: Apache-2.0 */
/** chain/encoding.h: how the encoders and hashes of the public headers end. Both free the buffer in any case. */
#ifndef CEVM_CHAIN_ENCODING_H
#define CEVM_CHAIN_ENCODING_H

#include "state/rlp.h"

/**
 * Copies the buffer to `out`, unless that is NULL; *size is its length. Errors: CEVM_ERR_NOMEM when the buffer has failed;
 * CEVM_ERR_LIMIT when capacity is too small, *size then says how much it takes.
 */
cevm_err cevm_encoding_finish(uint8_t *out, size_t *size, size_t capacity, cevm_buf *buf);
/** keccak256 of the buffer. Errors: CEVM_ERR_NOMEM when it has failed. */
cevm_err cevm_hash_finish(cevm_hash *out, cevm_buf *buf);

#endif
