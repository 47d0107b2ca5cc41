/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/access_list.h: which accounts and slots an execution touches, gathered by watching it (EIP-2930).
 *
 * Memory comes from the arena. Threads: one thread's.
 */
#ifndef CEVM_RPC_ACCESS_LIST_H
#define CEVM_RPC_ACCESS_LIST_H

#include <cevm/tracer.h>
#include <cevm/tx.h>

#include "evm/arena.h"

typedef struct cevm_touched_account {
    cevm_address address;
    cevm_hash *keys;
    size_t key_count;
    size_t key_capacity;
} cevm_touched_account;

/** Zero-initialise with the arena, or use cevm_access_list_begin. */
typedef struct cevm_access_list {
    cevm_arena *arena;
    const cevm_address *excluded; /* in the list only with slots: they are warm anyhow */
    size_t excluded_count;
    cevm_touched_account *accounts; /* in the order of their first touch */
    size_t count;
    size_t capacity;
    cevm_tracer tracer;
    bool failed; /* memory ran out */
} cevm_access_list;

/** Begins with what a transaction lists already. excluded is borrowed. */
void cevm_access_list_begin(cevm_access_list *out, const cevm_tx *tx, const cevm_address *excluded,
                            size_t excluded_count, cevm_arena *arena);
/** The hooks; they write to the list until the next begin. */
const cevm_tracer *cevm_access_list_tracer(cevm_access_list *list);
/** Whether two lists hold the same, in whatever order. */
bool cevm_access_list_equal(const cevm_access_list *a, const cevm_access_list *b);
/** The list as a transaction has it; NULL when memory runs out (and for an empty one: *count is then 0). */
const cevm_access_entry *cevm_access_list_entries(const cevm_access_list *list, size_t *count);

#endif
