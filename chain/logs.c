/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logs as bytes, and the hash of a transaction's logs, by which state tests compare them.
 */
#include "chain/receipts.h"

#include <cevm/crypto.h>

void cevm_put_log(cevm_buf *buf, const cevm_log *log)
{
    const size_t list = cevm_rlp_list_begin(buf);
    cevm_rlp_put_address(buf, &log->address);
    const size_t topics = cevm_rlp_list_begin(buf);
    for (uint32_t i = 0; i < log->topic_count; ++i) {
        cevm_rlp_put_hash(buf, &log->topics[i]);
    }
    cevm_rlp_list_end(buf, topics);
    cevm_rlp_put_bytes(buf, log->data.data, log->data.size);
    cevm_rlp_list_end(buf, list);
}

cevm_err cevm_logs_hash(cevm_hash *out, const cevm_log *logs, size_t count, const cevm_allocator *allocator)
{
    cevm_buf buf;
    cevm_buf_init(&buf, allocator);
    const size_t list = cevm_rlp_list_begin(&buf);
    for (size_t i = 0; i < count; ++i) {
        cevm_put_log(&buf, &logs[i]);
    }
    cevm_rlp_list_end(&buf, list);
    const cevm_err err = buf.failed ? CEVM_ERR_NOMEM : CEVM_OK;
    if (err == CEVM_OK) {
        cevm_keccak256(out, buf.data, buf.size);
    }
    cevm_buf_free(&buf);
    return err;
}
