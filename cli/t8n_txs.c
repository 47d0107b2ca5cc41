/* SPDX-License-Identifier: Apache-2.0 */
/* The transactions of a transition: from JSON or from RLP, signed or to be signed. */
#include <string.h>

#include "chain/tx_json.h"
#include "cli/t8n.h"
#include "state/rlp.h"

static bool no_memory(cevm_t8n_error *error) { return cevm_t8n_fail(error, CEVM_T8N_EVM, "out of memory"); }

/* The encoding and the hash of a transaction that came as JSON. */
static bool encode(cevm_t8n_tx *item, cevm_arena *arena)
{
    size_t size = 0;
    (void)cevm_tx_encode(NULL, &size, 0, item->tx, arena->allocator);
    uint8_t *raw = cevm_arena_alloc(arena, size);
    if (raw == NULL || cevm_tx_encode(raw, &size, size, item->tx, arena->allocator) != CEVM_OK) {
        return false;
    }
    item->raw = (cevm_bytes){raw, size};
    cevm_keccak256(&item->hash, raw, size);
    return true;
}

bool cevm_t8n_txs_from_json(cevm_t8n_txs *out, cevm_t8n_error *error, json_t *json, const char *file, uint64_t chain_id,
                            cevm_arena *arena)
{
    cevm_json_at list = cevm_json_root(json, file, NULL, &error->message);
    *out = (cevm_t8n_txs){0};
    if (json == NULL || json_is_null(json)) {
        return true;
    }
    if (!cevm_json_is_array(&list)) {
        return cevm_t8n_code(error, CEVM_T8N_JSON);
    }
    size_t count = json_array_size(json);
    out->items = cevm_arena_array(arena, count, sizeof *out->items);
    cevm_tx *txs = cevm_arena_array(arena, count, sizeof *txs);
    if (out->items == NULL || txs == NULL) {
        return no_memory(error);
    }
    for (size_t i = 0; i < count; i++) {
        cevm_json_at at = cevm_json_item(&list, i);
        out->items[i].tx = &txs[i];
        if (!cevm_tx_json_load(&txs[i], &at, chain_id, arena)) {
            return cevm_t8n_code(error, CEVM_T8N_JSON);
        }
        if (!encode(&out->items[i], arena)) {
            return no_memory(error);
        }
    }
    out->count = count;
    return true;
}

static bool decode(cevm_t8n_tx *out, const cevm_rlp_item *item, const cevm_allocator *allocator)
{
    *out = (cevm_t8n_tx){.raw = item->is_list ? item->whole : item->payload, .owned = true};
    if (!item->is_list && (out->raw.size == 0 || out->raw.data[0] >= 0xc0)) { /* EIP-2718: no type, no legacy one */
        out->reason = CEVM_TX_TYPE_NOT_SUPPORTED;
        return true;
    }
    cevm_keccak256(&out->hash, out->raw.data, out->raw.size);
    cevm_err err = cevm_tx_decode(&out->tx, &out->reason, out->raw, allocator);
    if (err == CEVM_OK && out->tx->is_create &&
        (out->tx->type == CEVM_TX_BLOB || out->tx->type == CEVM_TX_SET_CODE)) { /* to geth that is no encoding of one */
        bool is_blob = out->tx->type == CEVM_TX_BLOB;
        out->reason = is_blob ? CEVM_TX_TYPE_3_TX_CONTRACT_CREATION : CEVM_TX_TYPE_4_TX_CONTRACT_CREATION;
        cevm_tx_destroy(out->tx, allocator);
        out->tx = NULL;
    }
    return err == CEVM_OK || err == CEVM_ERR_ENCODING;
}

bool cevm_t8n_txs_from_rlp(cevm_t8n_txs *out, cevm_t8n_error *error, cevm_bytes rlp, cevm_arena *arena)
{
    cevm_bytes list;
    size_t count = 0;
    *out = (cevm_t8n_txs){0};
    if (!cevm_rlp_next_list(&rlp, &list) || rlp.size != 0 || !cevm_rlp_count(&count, list)) {
        return cevm_t8n_fail(error, CEVM_T8N_RLP, "rlp: the transactions are not a list");
    }
    out->items = cevm_arena_array(arena, count, sizeof *out->items);
    if (out->items == NULL) {
        return no_memory(error);
    }
    cevm_rlp_item item;
    while (out->count < count && cevm_rlp_next(&list, &item)) {
        if (!decode(&out->items[out->count], &item, arena->allocator)) {
            return no_memory(error);
        }
        out->count++;
    }
    return true;
}

void cevm_t8n_txs_clear(cevm_t8n_txs *txs)
{
    for (size_t i = 0; i < txs->count; i++) {
        if (txs->items[i].owned) {
            cevm_tx_destroy(txs->items[i].tx, NULL);
        }
    }
    *txs = (cevm_t8n_txs){0};
}
