/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts and logs as JSON. */
#include "rpc/shapes.h"

void cevm_shape_log(cevm_json_writer *w, const cevm_log *log, const cevm_log_place *place)
{
    cevm_json_begin_object(w);
    cevm_shape_address(w, "address", &log->address);
    cevm_json_put_key(w, "topics");
    cevm_json_begin_array(w);
    for (uint32_t i = 0; i < log->topic_count; ++i) {
        cevm_json_put_hash(w, &log->topics[i]);
    }
    cevm_json_end_array(w);
    cevm_shape_data(w, "data", log->data);
    cevm_shape_quantity(w, "blockNumber", place->block.header->number);
    cevm_shape_hash(w, "transactionHash", place->tx_hash);
    cevm_shape_quantity(w, "transactionIndex", place->tx_index);
    if (place->block.hash != NULL) {
        cevm_shape_hash(w, "blockHash", place->block.hash);
    } else {
        cevm_shape_null(w, "blockHash");
    }
    cevm_shape_quantity(w, "blockTimestamp", place->block.header->timestamp);
    cevm_shape_quantity(w, "logIndex", place->log_index);
    cevm_json_put_key(w, "removed");
    cevm_json_put_bool(w, place->removed);
    cevm_json_end_object(w);
}

static void put_logs(cevm_json_writer *w, const cevm_record *record, size_t index)
{
    const cevm_node_receipt *receipt = &record->receipts[index];
    cevm_log_place place = {
        .block = {&record->block.header, &record->block.hash},
        .tx_hash = &record->hashes[index],
        .tx_index = index,
    };
    cevm_json_put_key(w, "logs");
    cevm_json_begin_array(w);
    for (size_t i = 0; i < receipt->log_count && !w->failed; ++i) {
        place.log_index = receipt->first_log + i;
        cevm_shape_log(w, &receipt->logs[i], &place);
    }
    cevm_json_end_array(w);
}

/** EIP-658: a status from Byzantium on, the state's root before. */
static void put_outcome(cevm_json_writer *w, const cevm_node_receipt *receipt)
{
    if (receipt->has_root) {
        cevm_shape_hash(w, "root", &receipt->root);
    } else {
        cevm_shape_quantity(w, "status", receipt->succeeded ? 1 : 0);
    }
}

void cevm_shape_receipt(cevm_json_writer *w, const cevm_record *record, size_t index)
{
    const cevm_node_receipt *receipt = &record->receipts[index];
    const cevm_tx *tx = record->block.txs[index];
    cevm_json_begin_object(w);
    cevm_shape_hash(w, "blockHash", &record->block.hash);
    cevm_shape_quantity(w, "blockNumber", record->block.header.number);
    if (receipt->has_created) {
        cevm_shape_address(w, "contractAddress", &receipt->created);
    } else {
        cevm_shape_null(w, "contractAddress");
    }
    cevm_shape_quantity(w, "cumulativeGasUsed", receipt->cumulative_gas_used);
    cevm_shape_quantity256(w, "effectiveGasPrice", &receipt->gas_price);
    cevm_shape_address(w, "from", &tx->sender);
    cevm_shape_quantity(w, "gasUsed", receipt->gas_used);
    put_logs(w, record, index);
    cevm_shape_data(w, "logsBloom", (cevm_bytes){receipt->bloom.bytes, sizeof receipt->bloom.bytes});
    put_outcome(w, receipt);
    if (tx->is_create) {
        cevm_shape_null(w, "to");
    } else {
        cevm_shape_address(w, "to", &tx->to);
    }
    cevm_shape_hash(w, "transactionHash", &record->hashes[index]);
    cevm_shape_quantity(w, "transactionIndex", index);
    cevm_shape_quantity(w, "type", (uint64_t)tx->type);
    if (tx->type == CEVM_TX_BLOB) { /* EIP-4844 */
        cevm_shape_quantity(w, "blobGasUsed", receipt->blob_gas_used);
        cevm_shape_quantity256(w, "blobGasPrice", &receipt->blob_gas_price);
    }
    cevm_json_end_object(w);
}
