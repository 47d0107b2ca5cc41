/* SPDX-License-Identifier: Apache-2.0 */
/**
 * trace/prestate.h: the accounts and slots that a transaction touches, as they were before it: what prestateTracer and the
 * stateDiff of trace/parity.h are written from. Internal to trace/.
 */
#ifndef CEVM_TRACE_PRESTATE_H
#define CEVM_TRACE_PRESTATE_H

#include "state/map.h"
#include "trace/trace_base.h"

typedef struct cevm_touched_account {
    cevm_address address;
    cevm_u256 balance;
    uint64_t nonce;
    bool has_code;
    cevm_hash code_hash;
    cevm_bytes code; /* owned */
    bool existed;
    bool empty;   /* there was nothing in it */
    bool created; /* by this transaction */
    bool deleted;
    uint32_t first_slot; /* CEVM_MAP_NONE at the end */
} cevm_touched_account;

typedef struct cevm_touched_slot {
    cevm_u256 key;
    cevm_u256 value;
    uint32_t owner;
    uint32_t next;
} cevm_touched_slot;

typedef struct cevm_prestate {
    cevm_trace base;
    bool diff, no_code, no_storage, with_empty;
    cevm_map_seed seed;
    cevm_map account_map, slot_map;
    cevm_touched_account *accounts;
    size_t account_count, account_capacity;
    cevm_touched_slot *slots;
    size_t slot_count, slot_capacity;
    /* The instruction in progress: what it touched is forgotten when it cannot be paid for. */
    cevm_step held;
    cevm_address held_address;
    size_t accounts_before, slots_before;
} cevm_prestate;

/** Makes one, of a tracer with these operations. NULL without memory. */
cevm_prestate *cevm_prestate_create(const cevm_trace_request *request, const cevm_trace_ops *ops);
/* Operations of such a tracer. */
cevm_err cevm_prestate_begin(cevm_trace *base, const cevm_tx *tx, const cevm_block_env *block);
void cevm_prestate_release(cevm_trace *base);
/** Before writing: slots by key and accounts by address, so that the same transaction always gives the same text. */
void cevm_prestate_sort(cevm_prestate *t);
/** Names of members: "0x" and the digits of an address, of a word. */
void cevm_prestate_put_address_key(cevm_json_writer *w, const cevm_address *address);
void cevm_prestate_put_word_key(cevm_json_writer *w, const cevm_u256 *key);

#endif
