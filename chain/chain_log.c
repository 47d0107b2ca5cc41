/* SPDX-License-Identifier: Apache-2.0 */
/* What a chain tells its host (cevm/log.h). */
#include "chain/chain_internal.h"

#include <cevm/hex.h>

#include <inttypes.h>

typedef struct hash_text {
    char text[2 * sizeof(cevm_hash) + 1];
} hash_text;

static hash_text text_of(const cevm_hash *hash)
{
    hash_text out;
    cevm_hex_encode(out.text, hash->bytes, sizeof hash->bytes);
    return out;
}

void cevm_chain_log_import(const cevm_chain *chain, const cevm_import_result *result)
{
    if (chain->log.write == NULL || result->is_known) {
        return;
    }
    const hash_text hash = text_of(&result->hash);
    const cevm_block_verdict *verdict = &result->verdict;
    if (verdict->error == CEVM_BLOCK_NONE) {
        cevm_log_write(&chain->log, CEVM_LOG_DEBUG, "block %" PRIu64 " 0x%s: %zu transactions, %" PRIu64 " gas%s",
                       result->number, hash.text, result->tx_count, result->gas_used,
                       result->is_head ? "" : ", not the head");
    } else if (verdict->error == CEVM_BLOCK_TRANSACTION) {
        cevm_log_write(&chain->log, CEVM_LOG_INFO, "block %" PRIu64 " 0x%s is refused: transaction %zu: %s",
                       result->number, hash.text, verdict->tx_index, cevm_tx_error_string(verdict->tx_error));
    } else {
        cevm_log_write(&chain->log, CEVM_LOG_INFO, "block %" PRIu64 " 0x%s is refused: %s", result->number, hash.text,
                       cevm_block_error_string(verdict->error));
    }
}

void cevm_chain_log_head(const cevm_chain *chain, const cevm_chain_node *node)
{
    const cevm_chain_node *common = cevm_chain_common(chain->head, node);
    if (chain->log.write == NULL || common == NULL || common == chain->head) {
        return;
    }
    const hash_text hash = text_of(&node->hash);
    cevm_log_write(
        &chain->log, CEVM_LOG_INFO,
        "reorganisation: %" PRIu64 " blocks after block %" PRIu64 " taken back, the head is block %" PRIu64 " 0x%s",
        chain->head->header.number - common->header.number, common->header.number, node->header.number, hash.text);
}

void cevm_chain_log_recovered(const cevm_chain *chain)
{
    if (chain->log.write == NULL) {
        return;
    }
    const hash_text hash = text_of(&chain->head->hash);
    cevm_log_write(&chain->log, CEVM_LOG_WARN,
                   "the store stood elsewhere after an error; it is back at the head, block %" PRIu64 " 0x%s",
                   chain->head->header.number, hash.text);
}
