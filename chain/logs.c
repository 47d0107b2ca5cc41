/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hash of a transaction's logs, by which state tests compare them.
 */
#include <cevm/crypto.h>
#include <cevm/transition.h>

#include "state/rlp.h"

cevm_err cevm_logs_hash(cevm_hash *out, const cevm_log *logs, size_t count, const cevm_allocator *allocator)
{
    cevm_buf buf;
    cevm_buf_init(&buf, allocator);
    const size_t all = cevm_rlp_list_begin(&buf);
    for (size_t i = 0; i < count; ++i) {
        const size_t one = cevm_rlp_list_begin(&buf);
        cevm_rlp_put_address(&buf, &logs[i].address);
        const size_t topics = cevm_rlp_list_begin(&buf);
        for (uint32_t t = 0; t < logs[i].topic_count; ++t) {
            cevm_rlp_put_hash(&buf, &logs[i].topics[t]);
        }
        cevm_rlp_list_end(&buf, topics);
        cevm_rlp_put_bytes(&buf, logs[i].data.data, logs[i].data.size);
        cevm_rlp_list_end(&buf, one);
    }
    cevm_rlp_list_end(&buf, all);
    const cevm_err err = buf.failed ? CEVM_ERR_NOMEM : CEVM_OK;
    if (err == CEVM_OK) {
        cevm_keccak256(out, buf.data, buf.size);
    }
    cevm_buf_free(&buf);
    return err;
}
