/* SPDX-License-Identifier: Apache-2.0 */
/**
 * evm/gas.h: gas constants that are not an opcode's static price, and the charging of memory and of state access.
 *
 * A charge that cannot be paid leaves the frame's gas negative: before - after is then what was asked for, which is what a
 * trace shows. The engine turns a halt into "all gas gone".
 */
#ifndef CEVM_EVM_GAS_H
#define CEVM_EVM_GAS_H

#include <cevm/forks.h>
#include <cevm/types.h>

/* Gas units. Yellow Paper appendix G unless an EIP is named. */
enum {
    GAS_KECCAK256_WORD = 6,
    GAS_COPY_WORD = 3,
    GAS_LOG_BYTE = 8,
    GAS_EXP_BYTE = 10,
    GAS_EXP_BYTE_160 = 50, /* EIP-160 */
    GAS_CALL_VALUE = 9000,
    GAS_CALL_STIPEND = 2300,
    GAS_NEW_ACCOUNT = 25000,
    GAS_INITCODE_WORD = 2, /* EIP-3860 */
    GAS_CODE_DEPOSIT_BYTE = 200,
    GAS_COLD_ACCOUNT = 2600, /* EIP-2929 */
    GAS_COLD_SLOAD = 2100,   /* EIP-2929 */
    GAS_WARM_ACCESS = 100,   /* EIP-2929 */
    GAS_SSTORE_SET = 20000,
    GAS_SSTORE_RESET = 5000,
    GAS_SSTORE_SENTRY = 2300, /* EIP-2200 */
    GAS_SSTORE_CLEAR_REFUND = 15000,
    GAS_SSTORE_CLEAR_REFUND_3529 = 4800, /* EIP-3529 */
    GAS_SELFDESTRUCT_REFUND = 24000,     /* until EIP-3529 */
};

enum {
    CEVM_MAX_CODE_SIZE = 24576,     /* EIP-170 */
    CEVM_MAX_INITCODE_SIZE = 49152, /* EIP-3860 */
    CEVM_MAX_CALL_DEPTH = 1024,
};

/** Bytes as 32-byte words, rounded up. bytes is at most 2^63. */
static inline uint64_t gas_words(uint64_t bytes) { return (bytes + 31) / 32; }

/** Memory beyond this many bytes, 64 GiB, costs more than 2^53 gas, which no block has; asking for it is out of gas. */
#define CEVM_MEMORY_MAX ((uint64_t)1 << 36)

/** Price of a memory of so many words: 3w + w²/512. words is at most CEVM_MEMORY_MAX / 32 + 1. */
static inline int64_t gas_memory(uint64_t words) { return (int64_t)(3 * words + words * words / 512); }

#endif
