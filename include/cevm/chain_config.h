/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cevm/chain_config.h: which rules are in force at which block of a chain.
 *
 * A configuration is a plain value: copy it, share it between threads, change it before it is used.
 */
#ifndef CEVM_CHAIN_CONFIG_H
#define CEVM_CHAIN_CONFIG_H

#include <cevm/forks.h>
#include <cevm/transition.h>
#include <cevm/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** By what a fork is activated. */
typedef enum cevm_activation_kind {
    CEVM_NOT_ACTIVATED = 0,
    CEVM_BY_BLOCK,           /* from block `at` on */
    CEVM_BY_TIME,            /* from the first block whose timestamp is at least `at` (seconds) */
    CEVM_BY_TOTAL_DIFFICULTY /* from the first block whose parent's total difficulty reaches the terminal one (Paris) */
} cevm_activation_kind;

typedef struct cevm_activation {
    cevm_activation_kind kind;
    uint64_t at;
} cevm_activation;

/** Blob parameters from a time on (EIP-7840; EIP-7892 calls those between forks "blob parameter only" forks). */
typedef struct cevm_blob_schedule_entry {
    uint64_t timestamp; /* seconds; in force for blocks at or after it */
    cevm_blob_params params;
} cevm_blob_schedule_entry;

/** Blocks that only delay the difficulty bomb; NOT_ACTIVATED where a chain has none. Kind NONE or BY_BLOCK. */
typedef struct cevm_glaciers {
    cevm_activation muir;  /* EIP-2384 */
    cevm_activation arrow; /* EIP-4345 */
    cevm_activation gray;  /* EIP-5133 */
} cevm_glaciers;

enum { CEVM_MAX_BLOB_SCHEDULE = 16 };

typedef struct cevm_chain_config {
    uint64_t chain_id;
    cevm_activation forks[CEVM_FORK_COUNT]; /* a fork without an activation is passed over; Frontier is always active */
    cevm_glaciers glaciers;
    cevm_activation dao_fork;       /* the irregular state change and the extra data of EIP-779; BY_BLOCK or none */
    cevm_activation merge_netsplit; /* where peers part after the merge; BY_BLOCK or none. Counts in fork ids alone. */
    cevm_u256 terminal_total_difficulty;
    cevm_blob_schedule_entry blob_schedule[CEVM_MAX_BLOB_SCHEDULE]; /* by time, ascending */
    size_t blob_schedule_count;
    cevm_address deposit_contract; /* EIP-6110 */
    bool checks_seal;              /* Ethash proof of work is verified before Paris */
} cevm_chain_config;

/**
 * The rules of a block. `is_merged`: its parent's total difficulty reached the terminal one, or its parent is merged.
 * Forks activated by time count only on a merged chain.
 */
CEVM_API cevm_fork cevm_chain_fork(const cevm_chain_config *config, uint64_t number, uint64_t timestamp,
                                   bool is_merged);
/** Whether an activation by block or time has come. */
CEVM_API bool cevm_is_active(const cevm_activation *activation, uint64_t number, uint64_t timestamp);
/** Blob parameters of a block: the last entry of the schedule that has begun; all zero before the first. */
CEVM_API cevm_blob_params cevm_chain_blob_params(const cevm_chain_config *config, uint64_t timestamp);

/**
 * EIP-2124's identifier (its checksum) of the rules in force at a block: over the genesis' hash and the activations up to it.
 * `number` UINT64_MAX: all those by block. What is active at the genesis, whose time is genesis_time, does not count.
 */
CEVM_API uint32_t cevm_fork_id(const cevm_chain_config *config, const cevm_hash *genesis, uint64_t genesis_time,
                               uint64_t number, uint64_t timestamp);

/**
 * A configuration by name: "mainnet", "sepolia", "hoodi", "dev" (chain 1337, every fork from the start). False when there
 * is none of that name; *out is then untouched.
 */
CEVM_API bool cevm_chain_preset(cevm_chain_config *out, const char *name);
/** All rules of one fork from block 0 on, chain id 1; blob parameters are mainnet's at that fork. */
CEVM_API void cevm_chain_config_at_fork(cevm_chain_config *out, cevm_fork fork);

#ifdef __cplusplus
}
#endif
#endif
