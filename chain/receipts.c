/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipts: their encoding (EIP-2718 for typed ones; EIP-658 put the status in the place of the state root), their trie,
 * and the hash of logs by which tests compare them.
 */
#include "chain/receipts.h"

#include "state/trie.h"

#include <cevm/alloc.h>
#include <cevm/crypto.h>

static void put_logs(cevm_buf *buf, const cevm_log *logs, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        cevm_put_log(buf, &logs[i]);
    }
}

void cevm_put_receipt(cevm_buf *buf, const cevm_block_receipt *receipt)
{
    if (receipt->type != CEVM_TX_LEGACY) {
        const uint8_t type = (uint8_t)receipt->type;
        cevm_buf_append(buf, &type, sizeof type);
    }
    const size_t list = cevm_rlp_list_begin(buf);
    if (receipt->has_root) {
        cevm_rlp_put_hash(buf, &receipt->root);
    } else {
        cevm_rlp_put_u64(buf, receipt->succeeded ? 1 : 0);
    }
    cevm_rlp_put_u64(buf, receipt->cumulative_gas_used);
    cevm_rlp_put_bytes(buf, receipt->bloom.bytes, sizeof receipt->bloom.bytes);
    const size_t logs = cevm_rlp_list_begin(buf);
    put_logs(buf, receipt->logs, receipt->log_count);
    cevm_rlp_list_end(buf, logs);
    cevm_rlp_list_end(buf, list);
}

cevm_err cevm_copy_logs(const cevm_log **out, const cevm_log *logs, size_t count, cevm_arena *arena)
{
    *out = NULL;
    if (count == 0) {
        return CEVM_OK;
    }
    cevm_log *copies = cevm_arena_array(arena, count, sizeof *copies);
    if (copies == NULL) {
        return CEVM_ERR_NOMEM;
    }
    for (size_t i = 0; i < count; ++i) {
        copies[i] = logs[i];
        if (logs[i].data.size != 0) {
            uint8_t *data = cevm_arena_alloc(arena, logs[i].data.size);
            if (data == NULL) {
                return CEVM_ERR_NOMEM;
            }
            memcpy(data, logs[i].data.data, logs[i].data.size);
            copies[i].data.data = data;
        }
    }
    *out = copies;
    return CEVM_OK;
}

cevm_err cevm_receipts_root(cevm_hash *out, const cevm_block_receipt *receipts, size_t count,
                            const cevm_allocator *allocator)
{
    if (count == 0) {
        *out = cevm_trie_empty_root;
        return CEVM_OK;
    }
    cevm_bytes *values = cevm_resize_array(allocator, NULL, count, sizeof *values);
    if (values == NULL) {
        return CEVM_ERR_NOMEM;
    }
    for (size_t i = 0; i < count; ++i) {
        values[i] = receipts[i].encoded;
    }
    const cevm_err err = cevm_trie_ordered_root(out, values, count, allocator);
    cevm_free(allocator, values);
    return err;
}

cevm_err cevm_receipts_logs_hash(cevm_hash *out, const cevm_block_receipt *receipts, size_t count, cevm_buf *scratch)
{
    cevm_buf_clear(scratch);
    const size_t list = cevm_rlp_list_begin(scratch);
    for (size_t i = 0; i < count; ++i) {
        put_logs(scratch, receipts[i].logs, receipts[i].log_count);
    }
    cevm_rlp_list_end(scratch, list);
    if (scratch->failed) {
        return CEVM_ERR_NOMEM;
    }
    cevm_keccak256(out, scratch->data, scratch->size);
    return CEVM_OK;
}
