/* SPDX-License-Identifier: Apache-2.0 */
/* Headers, blocks and transactions as JSON. */
#include "rpc/shapes.h"

#include "chain/validate.h"

void cevm_shape_quantity(cevm_json_writer *w, const char *key, uint64_t value)
{
    cevm_json_put_key(w, key);
    cevm_json_put_quantity(w, value);
}

void cevm_shape_quantity256(cevm_json_writer *w, const char *key, const cevm_u256 *value)
{
    cevm_json_put_key(w, key);
    cevm_json_put_quantity256(w, value);
}

void cevm_shape_hash(cevm_json_writer *w, const char *key, const cevm_hash *value)
{
    cevm_json_put_key(w, key);
    cevm_json_put_hash(w, value);
}

void cevm_shape_address(cevm_json_writer *w, const char *key, const cevm_address *value)
{
    cevm_json_put_key(w, key);
    cevm_json_put_address(w, value);
}

void cevm_shape_data(cevm_json_writer *w, const char *key, cevm_bytes value)
{
    cevm_json_put_key(w, key);
    cevm_json_put_data(w, value);
}

void cevm_shape_null(cevm_json_writer *w, const char *key)
{
    cevm_json_put_key(w, key);
    cevm_json_put_null(w);
}

/* ---- Headers and blocks ------------------------------------------------------------------------------------------ */

/** The fields that forks brought: EIP-1559, EIP-4895, EIP-4844, EIP-4788, EIP-7685. */
static void put_newer_fields(cevm_json_writer *w, const cevm_header *header)
{
    if (header->has_base_fee) {
        cevm_shape_quantity256(w, "baseFeePerGas", &header->base_fee);
    }
    if (header->has_withdrawals_root) {
        cevm_shape_hash(w, "withdrawalsRoot", &header->withdrawals_root);
    }
    if (header->has_blob_gas) {
        cevm_shape_quantity(w, "blobGasUsed", header->blob_gas_used);
        cevm_shape_quantity(w, "excessBlobGas", header->excess_blob_gas);
    }
    if (header->has_parent_beacon_root) {
        cevm_shape_hash(w, "parentBeaconBlockRoot", &header->parent_beacon_root);
    }
    if (header->has_requests_hash) {
        cevm_shape_hash(w, "requestsHash", &header->requests_hash);
    }
}

/** Everything but nonce and coinbase, which a pending block has not. */
static void put_header(cevm_json_writer *w, const cevm_header *header)
{
    cevm_shape_quantity(w, "number", header->number);
    cevm_shape_hash(w, "parentHash", &header->parent_hash);
    cevm_shape_hash(w, "mixHash", &header->mix_hash);
    cevm_shape_hash(w, "sha3Uncles", &header->ommers_hash);
    cevm_shape_data(w, "logsBloom", (cevm_bytes){header->logs_bloom.bytes, sizeof header->logs_bloom.bytes});
    cevm_shape_hash(w, "stateRoot", &header->state_root);
    cevm_shape_quantity256(w, "difficulty", &header->difficulty);
    cevm_shape_data(w, "extraData", header->extra_data);
    cevm_shape_quantity(w, "gasLimit", header->gas_limit);
    cevm_shape_quantity(w, "gasUsed", header->gas_used);
    cevm_shape_quantity(w, "timestamp", header->timestamp);
    cevm_shape_hash(w, "transactionsRoot", &header->transactions_root);
    cevm_shape_hash(w, "receiptsRoot", &header->receipts_root);
    put_newer_fields(w, header);
}

static void put_seal(cevm_json_writer *w, const cevm_header *header)
{
    cevm_shape_data(w, "nonce", (cevm_bytes){header->nonce, sizeof header->nonce});
    cevm_shape_address(w, "miner", &header->coinbase);
}

void cevm_shape_header_members(cevm_json_writer *w, const cevm_header *header)
{
    put_header(w, header);
    put_seal(w, header);
}

void cevm_shape_withdrawals(cevm_json_writer *w, const cevm_withdrawal *withdrawals, size_t count)
{
    cevm_json_begin_array(w);
    for (size_t i = 0; i < count; ++i) {
        cevm_json_begin_object(w);
        cevm_shape_quantity(w, "index", withdrawals[i].index);
        cevm_shape_quantity(w, "validatorIndex", withdrawals[i].validator_index);
        cevm_shape_address(w, "address", &withdrawals[i].address);
        cevm_shape_quantity(w, "amount", withdrawals[i].amount);
        cevm_json_end_object(w);
    }
    cevm_json_end_array(w);
}

static void put_transactions(cevm_json_writer *w, const cevm_record *record, cevm_block_detail detail, bool pending)
{
    const cevm_block_place place = {&record->block.header, pending ? NULL : &record->block.hash};
    cevm_json_put_key(w, "transactions");
    cevm_json_begin_array(w);
    for (size_t i = 0; i < record->block.tx_count && !w->failed; ++i) {
        if (detail == CEVM_BLOCK_FULL) {
            cevm_shape_tx(w, record->block.txs[i], &record->hashes[i], place, i);
        } else {
            cevm_json_put_hash(w, &record->hashes[i]);
        }
    }
    cevm_json_end_array(w);
}

/** An ommer's hash costs an encoding; one that cannot be had for want of memory is told as null. */
static void put_ommer_hashes(cevm_json_writer *w, const cevm_block *block)
{
    cevm_json_put_key(w, "uncles");
    cevm_json_begin_array(w);
    for (size_t i = 0; i < block->ommer_count; ++i) {
        cevm_hash hash;
        if (cevm_header_hash(&hash, &block->ommers[i], NULL) == CEVM_OK) {
            cevm_json_put_hash(w, &hash);
        } else {
            cevm_json_put_null(w);
        }
    }
    cevm_json_end_array(w);
}

void cevm_shape_block_members(cevm_json_writer *w, const cevm_record *record, cevm_block_detail detail, bool pending)
{
    const cevm_block *block = &record->block;
    put_header(w, &block->header);
    if (pending) {
        cevm_shape_null(w, "hash");
        cevm_shape_null(w, "nonce");
        cevm_shape_null(w, "miner");
    } else {
        cevm_shape_hash(w, "hash", &block->hash);
        put_seal(w, &block->header);
    }
    if (detail == CEVM_BLOCK_HEADER) {
        return;
    }
    cevm_shape_quantity(w, "size", block->rlp_size);
    put_transactions(w, record, detail, pending);
    put_ommer_hashes(w, block);
    if (block->has_withdrawals) {
        cevm_json_put_key(w, "withdrawals");
        cevm_shape_withdrawals(w, block->withdrawals, block->withdrawal_count);
    }
}

void cevm_shape_block(cevm_json_writer *w, const cevm_record *record, cevm_block_detail detail, bool pending)
{
    cevm_json_begin_object(w);
    cevm_shape_block_members(w, record, detail, pending);
    cevm_json_end_object(w);
}

cevm_err cevm_shape_ommer(cevm_json_writer *w, const cevm_header *ommer, const cevm_allocator *allocator)
{
    const cevm_block alone = {.header = *ommer};
    cevm_hash hash;
    size_t size = 0;
    cevm_err err = cevm_header_hash(&hash, ommer, allocator);
    if (err == CEVM_OK) {
        err = cevm_block_encode(NULL, &size, 0, &alone, allocator);
    }
    if (err != CEVM_OK) {
        return err;
    }
    cevm_json_begin_object(w);
    cevm_shape_header_members(w, ommer);
    cevm_shape_hash(w, "hash", &hash);
    cevm_shape_quantity(w, "size", size);
    cevm_json_put_key(w, "uncles");
    cevm_json_begin_array(w);
    cevm_json_end_array(w);
    cevm_json_end_object(w);
    return CEVM_OK;
}

/* ---- Transactions ------------------------------------------------------------------------------------------------- */

void cevm_shape_access_list(cevm_json_writer *w, const cevm_access_entry *entries, size_t count)
{
    cevm_json_begin_array(w);
    for (size_t i = 0; i < count; ++i) {
        cevm_json_begin_object(w);
        cevm_shape_address(w, "address", &entries[i].address);
        cevm_json_put_key(w, "storageKeys");
        cevm_json_begin_array(w);
        for (size_t k = 0; k < entries[i].key_count; ++k) {
            cevm_json_put_hash(w, &entries[i].keys[k]);
        }
        cevm_json_end_array(w);
        cevm_json_end_object(w);
    }
    cevm_json_end_array(w);
}

static void put_authorizations(cevm_json_writer *w, const cevm_tx *tx)
{
    cevm_json_put_key(w, "authorizationList");
    cevm_json_begin_array(w);
    for (size_t i = 0; i < tx->authorization_count; ++i) {
        const cevm_authorization *a = &tx->authorizations[i];
        cevm_json_begin_object(w);
        cevm_shape_quantity256(w, "chainId", &a->chain_id);
        cevm_shape_address(w, "address", &a->address);
        cevm_shape_quantity(w, "nonce", a->nonce);
        cevm_shape_quantity(w, "yParity", a->y_parity);
        cevm_shape_quantity256(w, "r", &a->r);
        cevm_shape_quantity256(w, "s", &a->s);
        cevm_json_end_object(w);
    }
    cevm_json_end_array(w);
}

static void put_place(cevm_json_writer *w, cevm_block_place place, size_t index)
{
    cevm_json_put_key(w, "blockHash");
    if (place.hash != NULL) {
        cevm_json_put_hash(w, place.hash);
    } else {
        cevm_json_put_null(w);
    }
    if (place.header == NULL) {
        cevm_shape_null(w, "blockNumber");
        cevm_shape_null(w, "blockTimestamp");
        cevm_shape_null(w, "transactionIndex");
        return;
    }
    cevm_shape_quantity(w, "blockNumber", place.header->number);
    cevm_shape_quantity(w, "blockTimestamp", place.header->timestamp);
    cevm_shape_quantity(w, "transactionIndex", index);
}

/** gasPrice of a transaction with a fee market is what it pays in its block, or while it waits the most it would pay. */
static void put_prices(cevm_json_writer *w, const cevm_tx *tx, const cevm_header *header)
{
    const bool has_market = tx->type != CEVM_TX_LEGACY && tx->type != CEVM_TX_ACCESS_LIST;
    cevm_u256 price = tx->max_fee;
    if (has_market && header != NULL && header->has_base_fee) {
        const cevm_block_env env = {.fork = CEVM_LONDON, .base_fee = header->base_fee};
        price = cevm_tx_effective_price(tx, &env);
    }
    cevm_shape_quantity256(w, "gasPrice", &price);
    if (has_market) {
        cevm_shape_quantity256(w, "maxFeePerGas", &tx->max_fee);
        cevm_shape_quantity256(w, "maxPriorityFeePerGas", &tx->max_priority_fee);
    }
}

/** What the typed transactions have beyond legacy ones. */
static void put_typed_fields(cevm_json_writer *w, const cevm_tx *tx)
{
    cevm_json_put_key(w, "accessList");
    cevm_shape_access_list(w, tx->access_list, tx->access_count);
    if (tx->type == CEVM_TX_BLOB) {
        cevm_shape_quantity256(w, "maxFeePerBlobGas", &tx->max_fee_per_blob_gas);
        cevm_json_put_key(w, "blobVersionedHashes");
        cevm_json_begin_array(w);
        for (size_t i = 0; i < tx->blob_count; ++i) {
            cevm_json_put_hash(w, &tx->blob_hashes[i]);
        }
        cevm_json_end_array(w);
    }
    if (tx->type == CEVM_TX_SET_CODE) {
        put_authorizations(w, tx);
    }
}

void cevm_shape_tx(cevm_json_writer *w, const cevm_tx *tx, const cevm_hash *hash, cevm_block_place place, size_t index)
{
    cevm_json_begin_object(w);
    put_place(w, place, index);
    cevm_shape_address(w, "from", &tx->sender);
    cevm_shape_quantity(w, "gas", tx->gas_limit);
    put_prices(w, tx, place.header);
    cevm_shape_hash(w, "hash", hash);
    cevm_shape_data(w, "input", tx->data);
    cevm_shape_quantity(w, "nonce", tx->nonce);
    if (tx->is_create) {
        cevm_shape_null(w, "to");
    } else {
        cevm_shape_address(w, "to", &tx->to);
    }
    cevm_shape_quantity256(w, "value", &tx->value);
    cevm_shape_quantity(w, "type", (uint64_t)tx->type);
    if (tx->has_chain_id || tx->type != CEVM_TX_LEGACY) {
        cevm_shape_quantity(w, "chainId", tx->chain_id);
    }
    if (tx->type != CEVM_TX_LEGACY) {
        put_typed_fields(w, tx);
        cevm_shape_quantity256(w, "yParity", &tx->v);
    }
    cevm_shape_quantity256(w, "v", &tx->v);
    cevm_shape_quantity256(w, "r", &tx->r);
    cevm_shape_quantity256(w, "s", &tx->s);
    cevm_json_end_object(w);
}

void cevm_shape_record_tx(cevm_json_writer *w, const cevm_record *record, size_t index)
{
    const cevm_block_place place = {&record->block.header, &record->block.hash};
    cevm_shape_tx(w, record->block.txs[index], &record->hashes[index], place, index);
}
