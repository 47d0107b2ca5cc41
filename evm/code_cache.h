/* SPDX-License-Identifier: Apache-2.0 */
/**
 * evm/code_cache.h: which code is decoded, and when it becomes so.
 *
 * Two levels: the cache of cevm/vm.h, which VMs may share and which is locked for each access, and a table of each VM that
 * remembers what it got from there, counts how hot the rest is, and needs no lock.
 */
#ifndef CEVM_EVM_CODE_CACHE_H
#define CEVM_EVM_CODE_CACHE_H

#include "evm/block.h"

typedef struct cevm_cached_code cevm_cached_code;

/** What a VM knows about a code. */
typedef struct cevm_code_slot {
    cevm_hash hash;
    cevm_fork fork;
    bool used;
    uint32_t heat;
    uint64_t last_use; /* execution in which a frame last used it: until the next one it stays */
    cevm_cached_code *decoded;
} cevm_code_slot;

enum { CEVM_CODE_SLOTS = 512 };

/** Decides at the beginning of a frame which engine runs it: sets f->ip, or f->heat. */
void cevm_frame_choose_engine(cevm_frame *f);

/** After OP_HOT: goes over to the block engine at f->pc, or says that the exact engine has to go on. */
void cevm_frame_heat_up(cevm_frame *f);

/** Says that a new execution begins: what the cache has dropped since the last is given back. */
void cevm_code_slots_begin(cevm_vm *vm);

/** Gives back what a VM holds. */
void cevm_code_slots_destroy(cevm_vm *vm);

#endif
