/* SPDX-License-Identifier: Apache-2.0 */
/* What the node keeps beside its blocks, as bytes. */
#include <cevm/alloc.h>

#include "rpc/world_codec.h"

bool cevm_codec_end(const cevm_codec *c) { return c->out != NULL ? !c->out->failed : !c->failed && c->in.size == 0; }

/* ---- Values -------------------------------------------------------------------------------------------------------- */

void cevm_codec_u64(cevm_codec *c, uint64_t *value)
{
    if (c->out != NULL) {
        cevm_rlp_put_u64(c->out, *value);
    } else if (c->failed || cevm_rlp_next_u64(&c->in, value) != CEVM_RLP_NUMBER_OK) {
        *value = 0;
        c->failed = true;
    }
}

void cevm_codec_bool(cevm_codec *c, bool *value)
{
    uint64_t number = c->out != NULL && *value ? 1 : 0;
    cevm_codec_u64(c, &number);
    c->failed = c->failed || number > 1;
    *value = number == 1;
}

void cevm_codec_u256(cevm_codec *c, cevm_u256 *value)
{
    if (c->out != NULL) {
        cevm_rlp_put_u256(c->out, value);
    } else if (c->failed || cevm_rlp_next_u256(&c->in, value) != CEVM_RLP_NUMBER_OK) {
        *value = (cevm_u256){{0, 0, 0, 0}};
        c->failed = true;
    }
}

static void exact(cevm_codec *c, uint8_t *bytes, size_t size)
{
    if (c->out != NULL) {
        cevm_rlp_put_bytes(c->out, bytes, size);
    } else if (c->failed || !cevm_rlp_next_exact(&c->in, bytes, size)) {
        memset(bytes, 0, size);
        c->failed = true;
    }
}

void cevm_codec_hash(cevm_codec *c, cevm_hash *value) { exact(c, value->bytes, sizeof value->bytes); }

void cevm_codec_address(cevm_codec *c, cevm_address *value) { exact(c, value->bytes, sizeof value->bytes); }

void cevm_codec_bytes(cevm_codec *c, cevm_bytes *value)
{
    if (c->out != NULL) {
        cevm_rlp_put_bytes(c->out, value->data, value->size);
    } else if (c->failed || !cevm_rlp_next_string(&c->in, value)) {
        *value = (cevm_bytes){NULL, 0};
        c->failed = true;
    }
}

/* ---- Settings ------------------------------------------------------------------------------------------------------ */

static void activation(cevm_codec *c, cevm_activation *value)
{
    uint64_t kind = (uint64_t)value->kind;
    cevm_codec_u64(c, &kind);
    cevm_codec_u64(c, &value->at);
    c->failed = c->failed || kind > CEVM_BY_TOTAL_DIFFICULTY;
    value->kind = c->failed ? CEVM_NOT_ACTIVATED : (cevm_activation_kind)kind;
}

/** A count of things of which there can be no more than `most`. */
static size_t count_of(cevm_codec *c, size_t count, size_t most)
{
    uint64_t number = count;
    cevm_codec_u64(c, &number);
    c->failed = c->failed || number > most;
    return c->failed ? 0 : (size_t)number;
}

static void chain_config(cevm_codec *c, cevm_chain_config *config)
{
    cevm_codec_u64(c, &config->chain_id);
    const size_t forks = count_of(c, CEVM_FORK_COUNT, CEVM_FORK_COUNT);
    for (size_t i = 0; i < forks; ++i) { /* forks that this version knows besides are not activated */
        activation(c, &config->forks[i]);
    }
    activation(c, &config->glaciers.muir);
    activation(c, &config->glaciers.arrow);
    activation(c, &config->glaciers.gray);
    activation(c, &config->dao_fork);
    activation(c, &config->merge_netsplit);
    cevm_codec_u256(c, &config->terminal_total_difficulty);
    config->blob_schedule_count = count_of(c, config->blob_schedule_count, CEVM_MAX_BLOB_SCHEDULE);
    for (size_t i = 0; i < config->blob_schedule_count; ++i) {
        cevm_blob_schedule_entry *entry = &config->blob_schedule[i];
        cevm_codec_u64(c, &entry->timestamp);
        cevm_codec_u64(c, &entry->params.target);
        cevm_codec_u64(c, &entry->params.max);
        cevm_codec_u64(c, &entry->params.base_fee_update_fraction);
    }
    cevm_codec_address(c, &config->deposit_contract);
    cevm_codec_bool(c, &config->checks_seal);
}

void cevm_codec_settings(cevm_codec *c, cevm_node_settings *settings)
{
    uint64_t order = (uint64_t)settings->order;
    uint64_t offset = (uint64_t)settings->time_offset;
    chain_config(c, &settings->config);
    cevm_codec_address(c, &settings->coinbase);
    cevm_codec_u64(c, &settings->gas_limit);
    cevm_codec_bool(c, &settings->has_next_base_fee);
    cevm_codec_u256(c, &settings->next_base_fee);
    cevm_codec_bool(c, &settings->has_prev_randao);
    cevm_codec_hash(c, &settings->prev_randao);
    cevm_codec_u64(c, &offset);
    cevm_codec_bool(c, &settings->has_next_timestamp);
    cevm_codec_u64(c, &settings->next_timestamp);
    cevm_codec_bool(c, &settings->has_timestamp_interval);
    cevm_codec_u64(c, &settings->timestamp_interval);
    cevm_codec_bool(c, &settings->automine);
    cevm_codec_u64(c, &settings->interval_ms);
    cevm_codec_u64(c, &order);
    cevm_codec_u256(c, &settings->min_gas_price);
    cevm_codec_bool(c, &settings->auto_impersonate);
    c->failed = c->failed || order > CEVM_ORDER_FIFO;
    settings->time_offset = (int64_t)offset;
    settings->order = order == CEVM_ORDER_FIFO ? CEVM_ORDER_FIFO : CEVM_ORDER_FEES;
}

/* ---- Transactions -------------------------------------------------------------------------------------------------- */

void cevm_codec_block_tx(cevm_codec *c, cevm_codec_tx *tx)
{
    cevm_codec_address(c, &tx->sender);
    cevm_codec_bool(c, &tx->impersonated);
    cevm_codec_u256(c, &tx->gas_price);
    cevm_codec_u64(c, &tx->gas_used);
    cevm_codec_bool(c, &tx->has_created);
    cevm_codec_address(c, &tx->created);
    cevm_codec_u64(c, &tx->blob_gas_used);
    cevm_codec_bytes(c, &tx->output);
}

/* ---- Changes ------------------------------------------------------------------------------------------------------- */

/** All of a change but its slots. */
static void account(cevm_codec *c, cevm_account_change *change)
{
    cevm_codec_address(c, &change->address);
    cevm_codec_bool(c, &change->deleted);
    if (change->deleted) {
        return;
    }
    cevm_codec_bool(c, &change->storage_cleared);
    cevm_codec_u256(c, &change->balance);
    cevm_codec_u64(c, &change->nonce);
    cevm_codec_hash(c, &change->code_hash);
    cevm_codec_bool(c, &change->code_changed);
    if (change->code_changed) {
        cevm_codec_bytes(c, &change->code);
    }
    uint64_t slots = change->slot_count;
    cevm_codec_u64(c, &slots);
    change->slot_count = (size_t)slots;
    c->failed = c->failed || slots > SIZE_MAX;
}

cevm_err cevm_codec_put_changes(cevm_codec *c, const cevm_tree *from, const cevm_tree *to)
{
    cevm_diff diff;
    const cevm_err err = cevm_tree_diff(&diff, from, to);
    if (err != CEVM_OK) {
        return err;
    }
    cevm_rlp_put_u64(c->out, diff.account_count);
    for (size_t i = 0; i < diff.account_count; ++i) {
        cevm_account_change change = diff.accounts[i];
        account(c, &change);
        for (size_t s = 0; s < change.slot_count; ++s) {
            cevm_rlp_put_u256(c->out, &change.slots[s].key);
            cevm_rlp_put_u256(c->out, &change.slots[s].value);
        }
    }
    cevm_tree_diff_free(&diff, to);
    return c->out->failed ? CEVM_ERR_NOMEM : CEVM_OK;
}

/** The slots of a change; each takes two bytes at least, so that no count makes more memory than the input is long. */
static cevm_err read_slots(cevm_codec *c, cevm_slot_change **out, size_t count, const cevm_allocator *allocator)
{
    *out = NULL;
    if (count > c->in.size / 2) {
        c->failed = true;
    }
    if (c->failed || count == 0) {
        return c->failed ? CEVM_ERR_ENCODING : CEVM_OK;
    }
    cevm_slot_change *slots = cevm_resize_array(allocator, NULL, count, sizeof *slots);
    if (slots == NULL) {
        return CEVM_ERR_NOMEM;
    }
    for (size_t i = 0; i < count; ++i) {
        cevm_codec_u256(c, &slots[i].key);
        cevm_codec_u256(c, &slots[i].value);
    }
    *out = slots;
    return c->failed ? CEVM_ERR_ENCODING : CEVM_OK;
}

cevm_err cevm_codec_commit_changes(cevm_codec *c, cevm_treedb *db, const cevm_allocator *allocator)
{
    const cevm_db view = cevm_treedb_interface(db);
    uint64_t count = 0;
    cevm_err err = CEVM_OK;
    cevm_codec_u64(c, &count);
    for (uint64_t i = 0; err == CEVM_OK && !c->failed && i < count; ++i) {
        cevm_account_change change = {.deleted = false};
        cevm_slot_change *slots = NULL;
        account(c, &change);
        err = read_slots(c, &slots, change.slot_count, allocator);
        if (err == CEVM_OK) {
            const cevm_diff diff = {.accounts = &change, .account_count = 1};
            change.slots = slots;
            err = view.vtable->commit(view.ctx, &diff);
        }
        cevm_free(allocator, slots);
    }
    return err == CEVM_OK && c->failed ? CEVM_ERR_ENCODING : err;
}
