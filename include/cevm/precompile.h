/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cevm/precompile.h: the precompiled contracts: bytes in, bytes out, and what it costs. Table: precompiles/precompiles.def.
 *
 * Pure functions without state, safe on any thread. An input that a contract refuses by its length has a price like any
 * other and fails in `run`: either way the frame halts and its gas is gone.
 */
#ifndef CEVM_PRECOMPILE_H
#define CEVM_PRECOMPILE_H

#include <cevm/forks.h>
#include <cevm/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What running a contract on an input takes; known before any work is done. */
typedef struct cevm_precompile_cost {
    uint64_t gas;        /* UINT64_MAX = more than any message can pay */
    size_t output_size;  /* upper bound of the output, bytes */
    size_t scratch_size; /* bytes of scratch `run` wants, aligned to 16 */
} cevm_precompile_cost;

typedef enum cevm_precompile_status {
    CEVM_PRECOMPILE_OK,
    CEVM_PRECOMPILE_FAIL,      /* input refused: the frame fails and its gas is gone */
    CEVM_PRECOMPILE_NOT_BUILT, /* this build does not hold the contract: the execution must be given up */
    CEVM_PRECOMPILE_NOMEM /* no memory: MODEXP before EIP-7823 above 10^9 gas wants too much; P256VERIFY allocates */
} cevm_precompile_status;

typedef struct cevm_precompile {
    uint16_t address; /* 0x01 … 0x11, 0x100 */
    cevm_fork since;
    const char *name; /* "ECREC", as geth names it */
    uint32_t eip;     /* 0 for the first four */
    cevm_precompile_cost (*cost)(cevm_bytes input, cevm_fork fork);
    /**
     * Runs it. `output` has room for cost.output_size bytes, `scratch` for cost.scratch_size; *output_size is set on OK.
     * The caller has checked that cost.gas can be paid. Input and output must not overlap.
     */
    cevm_precompile_status (*run)(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                  void *scratch);
} cevm_precompile;

/** The contract at an address at a fork, or NULL when the address is an ordinary one there. */
CEVM_API const cevm_precompile *cevm_precompile_find(const cevm_address *address, cevm_fork fork);

/**
 * One change that a chain makes to the table: a contract of its own at an address, also in the place of a standard one, or
 * (contract NULL) none there. A contract counts from its `since` on; before it nothing is at the address. Its own `address`
 * is not looked at, so it may lie anywhere.
 *
 *     static const cevm_precompile_change changes[] = {
 *         {CEVM_ADDRESS_OF(0x0a), NULL},        // no point evaluation on this chain
 *         {CEVM_ADDRESS_OF(0x64), &our_oracle}, // one more; a cevm_precompile of ours
 *     };
 */
typedef struct cevm_precompile_change {
    cevm_address address;
    const cevm_precompile *contract;
} cevm_precompile_change;

/** The initialiser of a small address: its last two bytes. */
#define CEVM_ADDRESS_OF(number)                                                                                      \
    {                                                                                                                \
        {                                                                                                            \
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (uint8_t)((number) >> 8), (uint8_t)((number)&0xff) \
        }                                                                                                            \
    }

/** As cevm_precompile_find, with these changes; where two name one address the first counts. changes may be NULL at 0. */
CEVM_API const cevm_precompile *cevm_precompile_find_with(const cevm_precompile_change *changes, size_t count,
                                                          const cevm_address *address, cevm_fork fork);

/** All rows of the table, in address order. Static storage. */
CEVM_API const cevm_precompile *cevm_precompiles(size_t *count);

#ifdef __cplusplus
}
#endif
#endif
