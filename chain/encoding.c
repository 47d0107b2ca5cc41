/* SPDX-License-Identifier: Apache-2.0 */
/* The end of an encoding: copied out, or hashed. */
#include "chain/encoding.h"

#include <cevm/crypto.h>

cevm_err cevm_encoding_finish(uint8_t *out, size_t *size, size_t capacity, cevm_buf *buf)
{
    cevm_err err = buf->failed ? CEVM_ERR_NOMEM : CEVM_OK;
    if (err == CEVM_OK) {
        *size = buf->size;
        if (out != NULL && capacity < buf->size) {
            err = CEVM_ERR_LIMIT;
        } else if (out != NULL) {
            memcpy(out, buf->data, buf->size);
        }
    }
    cevm_buf_free(buf);
    return err;
}

cevm_err cevm_hash_finish(cevm_hash *out, cevm_buf *buf)
{
    const cevm_err err = buf->failed ? CEVM_ERR_NOMEM : CEVM_OK;
    if (err == CEVM_OK) {
        cevm_keccak256(out, buf->data, buf->size);
    }
    cevm_buf_free(buf);
    return err;
}
