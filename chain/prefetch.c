/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/prefetch.h"

#include "chain/system_calls.h"
#include "state/journal_internal.h"

#include <cevm/alloc.h>

/** Keys, or with items NULL only their number. */
typedef struct key_list {
    cevm_db_key *items;
    size_t count;
} key_list;

static void add_account(key_list *list, const cevm_address *address)
{
    if (list->items != NULL) {
        list->items[list->count] = (cevm_db_key){.address = *address};
    }
    list->count++;
}

static void add_tx(key_list *list, const cevm_tx *tx)
{
    if (tx->has_sender) {
        add_account(list, &tx->sender);
    }
    if (!tx->is_create) {
        add_account(list, &tx->to);
    }
    for (size_t i = 0; i < tx->authorization_count; ++i) {
        add_account(list, &tx->authorizations[i].address);
    }
    for (size_t i = 0; i < tx->access_count; ++i) {
        const cevm_access_entry *entry = &tx->access_list[i];
        add_account(list, &entry->address);
        for (size_t k = 0; k < entry->key_count; ++k) {
            if (list->items != NULL) {
                list->items[list->count] = (cevm_db_key){
                    .address = entry->address, .is_slot = true, .slot = cevm_u256_from_be(entry->keys[k].bytes)};
            }
            list->count++;
        }
    }
}

static void add_block(key_list *list, const cevm_execution_input *input, const cevm_tx *const *txs, size_t tx_count)
{
    const cevm_address *contracts[CEVM_MAX_SYSTEM_CONTRACTS];
    const size_t contract_count = cevm_system_contracts(contracts, input->env.fork);
    list->count = 0;
    add_account(list, &input->env.coinbase);
    for (size_t i = 0; i < contract_count; ++i) {
        add_account(list, contracts[i]);
    }
    for (size_t i = 0; i < input->withdrawal_count; ++i) {
        add_account(list, &input->withdrawals[i].address);
    }
    for (size_t i = 0; i < input->ommer_count; ++i) {
        add_account(list, &input->ommers[i].coinbase);
    }
    for (size_t i = 0; i < tx_count; ++i) {
        add_tx(list, txs[i]);
    }
}

cevm_err cevm_prefetch_block(cevm_state *state, const cevm_execution_input *input, const cevm_tx *const *txs,
                             size_t tx_count, const cevm_allocator *allocator)
{
    key_list list = {.items = NULL};
    if (state->db.vtable->prefetch == NULL) {
        return CEVM_OK;
    }
    add_block(&list, input, txs, tx_count);
    list.items = cevm_resize_array(allocator, NULL, list.count, sizeof *list.items);
    if (list.items == NULL) {
        return CEVM_ERR_NOMEM;
    }
    add_block(&list, input, txs, tx_count);
    const cevm_err err = cevm_state_prefetch(state, list.items, list.count);
    cevm_free(allocator, list.items);
    return err;
}
