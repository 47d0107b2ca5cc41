/* SPDX-License-Identifier: Apache-2.0 */
/**
 * evm/block.h: code in the form the block engine runs.
 *
 * Code is cut into sections: straight lines that are entered at their beginning only. Gas and stack are checked once for a
 * whole section, by its BEGIN entry. Inside one, an entry names the stack words it works on by their distance from the top
 * of the stack at the beginning of the section, as a three-address machine names its registers: PUSH, DUP, SWAP and POP are
 * then no work at all, but only change which word is meant. Where a section ends, every word is moved to where the EVM has
 * it. docs/adr/0010-block-engine.md has the reasons.
 *
 * Decoded code is immutable and may be run by any number of threads at once.
 */
#ifndef CEVM_EVM_BLOCK_H
#define CEVM_EVM_BLOCK_H

#include "evm/dispatch.h"
#include "evm/frame.h"

/*
 * The entries that no row of the opcode table stands for. R is a stack word, I a constant of 32 bits, K one in the pool. The
 * branches hold what they compare; those with two operands have their target in the entry behind them. SELECT is a
 * BRANCH_EQ_I that others of the same word follow, as many as the `to` of the entry behind it says. In a copy `to` and `a` are
 * no words of the stack but, without their signs, where it goes to and comes from.
 */
/* clang-format off */
#define CEVM_BLOCK_ENTRIES(E)                                                                                          \
    E(BEGIN) E(SKIP) E(FALL) E(JUMP_TO) E(JUMP_AT) E(JUMPI_AT) E(BAD_JUMP)                                             \
    E(BRANCH_IF) E(BRANCH_UNLESS) E(BRANCH_LT) E(BRANCH_NOT_LT) E(BRANCH_SLT) E(BRANCH_NOT_SLT)                        \
    E(BRANCH_EQ) E(BRANCH_NOT_EQ) E(BRANCH_LT_I) E(BRANCH_NOT_LT_I) E(BRANCH_I_LT) E(BRANCH_NOT_I_LT)                  \
    E(BRANCH_EQ_I) E(BRANCH_NOT_EQ_I) E(SELECT)                                                                        \
    E(MOVE) E(MOVE2) E(EXCHANGE) E(CONST_I) E(CONST_K)                                                                 \
    E(ADD_I) E(SUB_I) E(I_SUB) E(MUL_I) E(AND_I) E(AND_K) E(OR_I) E(XOR_I) E(EQ_I) E(LT_I) E(I_LT)                     \
    E(SHL_I) E(SHR_I) E(SAR_I) E(BYTE_I) E(SIGNEXTEND_I)                                                               \
    E(MLOAD_R) E(MLOAD_I) E(MSTORE_R) E(MSTORE_I) E(MSTORE8_R)                                                         \
    E(CALLDATACOPY_I) E(CODECOPY_I) E(MCOPY_I)
/* clang-format on */

enum cevm_decoded_entry_kind {
#define ENTRY(name)                                         BLOCK_##name,
#define OPCODE(at, code, name, in, out, kind, since, price) BLOCK_OP_##name,
    CEVM_BLOCK_ENTRIES(ENTRY) CEVM_OPCODES(OPCODE, 0)
#undef ENTRY
#undef OPCODE
        BLOCK_KIND_COUNT
};

typedef struct cevm_entry cevm_entry;

/** What runs an entry; which of the two it is depends on the compiler (see block.c). */
typedef union cevm_decoded_handler {
    CEVM_HANDLER_CALL int (*call)(const cevm_entry *ip, cevm_u256 *sp, int64_t gas, cevm_frame *f);
    const void *label;
} cevm_decoded_handler;

/** 16 bytes. Words of the stack are given in bytes from its top at the beginning of the section. */
struct cevm_entry {
    cevm_decoded_handler handler;
    union {
        struct {
            int16_t to; /* result; for what ends a section, the new top of the stack */
            int16_t a;
            union {
                struct {
                    int16_t b, c;
                };
                uint32_t imm;
                uint32_t target; /* BEGIN entry, counted from this one, modulo 2^32 */
            };
        };
        struct {
            uint32_t gas;  /* static gas of the section */
            uint16_t need; /* bytes of stack it takes at least */
            uint16_t span; /* bytes: a height is right if height - need < span */
        } begin;
    };
};

/** A code decoded for one fork. */
typedef struct cevm_decoded_code {
    cevm_entry *entries;
    uint32_t *pcs; /* of each entry, where it comes from */
    uint32_t entry_count;
    uint32_t *targets; /* for each byte of code, the BEGIN entry of a JUMPDEST, or 0 */
    cevm_u256 *pool;
    uint32_t pool_count;
    uint32_t code_size;
    cevm_fork fork;
    size_t bytes; /* memory held, this struct included */
} cevm_decoded_code;

enum {
    CEVM_BLOCK_FIRST = 1,          /* the entry where code begins; 0 means "no target" */
    CEVM_BLOCK_MAX_CODE = 1 << 20, /* longer code stays in the exact engine */
    CEVM_BLOCK_SCRATCH_WORDS = 48, /* words above the EVM's stack that entries may use */
};

/** The handlers by kind. */
const cevm_decoded_handler *cevm_decoded_handlers(void);

/**
 * Decodes code of at most CEVM_BLOCK_MAX_CODE bytes, in time and memory linear in its size; NULL when memory runs out. To be
 * freed with cevm_decoded_free and the same allocator.
 */
cevm_decoded_code *cevm_decoded_decode(const uint8_t *code, size_t size, cevm_fork fork,
                                       const cevm_allocator *allocator);
void cevm_decoded_free(cevm_decoded_code *code, const cevm_allocator *allocator);

/** Runs a frame whose f->ip is set until it ends (a status), calls (OP_CHILD) or fails (OP_ERROR). */
int cevm_decoded_run(cevm_frame *f);

/**
 * Puts a frame that stopped at an entry inside a section into the state the exact engine would have there: words to their
 * places, f->top, f->pc. Returns the static gas of the instructions from there to the end of the section.
 */
int64_t cevm_decoded_restore(cevm_frame *f, const cevm_entry *ip, cevm_u256 *sp);

#endif
