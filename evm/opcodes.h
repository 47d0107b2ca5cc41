/* SPDX-License-Identifier: Apache-2.0 */
/**
 * evm/opcodes.h: THE opcode table. One row an opcode:
 *
 *     OP(at, code, NAME, in, out, kind, since, price)
 *
 * `in` words are taken off the stack and `out` put there; `since` is the first fork that has it; `price` is the static gas
 * as a history, read at fork `at`: P3(at, 20, TANGERINE_WHISTLE, 400, BERLIN, 0) is 20 at first, 400 from Tangerine
 * Whistle on, 0 from Berlin on (there the whole price depends on warmth, EIP-2929). What is charged on top (memory,
 * words copied, warmth …) is in the body.
 *
 * `kind` says how the body op_NAME is called, and by that what it can do:
 *   UNARY, BINARY, TERNARY    op_X(a), op_X(a, b), op_X(f, a, b, c) return the result; a was on top
 *   PURE  op_X(top)           touches the stack only, cannot fail
 *   READ  op_X(f, top)        reads the frame or its environment too, cannot fail
 *   FULL  op_X(f, top)        may charge gas and fail
 *   EDGE  op_X(f, top)        as FULL, and gas charged ahead must not pass it: it touches state that others can see, or
 *                             looks at the gas, or ends the frame, or begins another
 *   FLOW  op_X(f, top, &pc)   sets the program counter
 *   PUSH, DUP, SWAP, LOG      one body for the family, op_PUSH(top, n, bytes, left), op_DUP(top, n), op_SWAP(top, n), op_LOG(f, top, n)
 * `top` points at the topmost word; a result is left where the new topmost word belongs: top[out - in].
 *
 * To add an opcode: one row here, one body in the ops_*.h of its family.
 */
#ifndef CEVM_EVM_OPCODES_H
#define CEVM_EVM_OPCODES_H

#include <cevm/forks.h>

/* clang-format off */
#define P1(price) (price)
#define P2(at, p0, f1, p1) ((at) >= CEVM_##f1 ? (p1) : (p0))
#define P3(at, p0, f1, p1, f2, p2) ((at) >= CEVM_##f2 ? (p2) : P2(at, p0, f1, p1))
#define P4(at, p0, f1, p1, f2, p2, f3, p3) ((at) >= CEVM_##f3 ? (p3) : P3(at, p0, f1, p1, f2, p2))

#define CEVM_OPCODES(OP, at) \
    OP(at, 0x00, STOP, 0, 0, EDGE, FRONTIER, P1(0))                                                                    \
    OP(at, 0x01, ADD, 2, 1, BINARY, FRONTIER, P1(3))                                                                   \
    OP(at, 0x02, MUL, 2, 1, BINARY, FRONTIER, P1(5))                                                                   \
    OP(at, 0x03, SUB, 2, 1, BINARY, FRONTIER, P1(3))                                                                   \
    OP(at, 0x04, DIV, 2, 1, BINARY, FRONTIER, P1(5))                                                                   \
    OP(at, 0x05, SDIV, 2, 1, BINARY, FRONTIER, P1(5))                                                                  \
    OP(at, 0x06, MOD, 2, 1, BINARY, FRONTIER, P1(5))                                                                   \
    OP(at, 0x07, SMOD, 2, 1, BINARY, FRONTIER, P1(5))                                                                  \
    OP(at, 0x08, ADDMOD, 3, 1, TERNARY, FRONTIER, P1(8))                                                               \
    OP(at, 0x09, MULMOD, 3, 1, TERNARY, FRONTIER, P1(8))                                                               \
    OP(at, 0x0a, EXP, 2, 1, FULL, FRONTIER, P1(10))                                                                    \
    OP(at, 0x0b, SIGNEXTEND, 2, 1, BINARY, FRONTIER, P1(5))                                                            \
    OP(at, 0x10, LT, 2, 1, BINARY, FRONTIER, P1(3))                                                                    \
    OP(at, 0x11, GT, 2, 1, BINARY, FRONTIER, P1(3))                                                                    \
    OP(at, 0x12, SLT, 2, 1, BINARY, FRONTIER, P1(3))                                                                   \
    OP(at, 0x13, SGT, 2, 1, BINARY, FRONTIER, P1(3))                                                                   \
    OP(at, 0x14, EQ, 2, 1, BINARY, FRONTIER, P1(3))                                                                    \
    OP(at, 0x15, ISZERO, 1, 1, UNARY, FRONTIER, P1(3))                                                                 \
    OP(at, 0x16, AND, 2, 1, BINARY, FRONTIER, P1(3))                                                                   \
    OP(at, 0x17, OR, 2, 1, BINARY, FRONTIER, P1(3))                                                                    \
    OP(at, 0x18, XOR, 2, 1, BINARY, FRONTIER, P1(3))                                                                   \
    OP(at, 0x19, NOT, 1, 1, UNARY, FRONTIER, P1(3))                                                                    \
    OP(at, 0x1a, BYTE, 2, 1, BINARY, FRONTIER, P1(3))                                                                  \
    OP(at, 0x1b, SHL, 2, 1, BINARY, CONSTANTINOPLE, P1(3))                                                             \
    OP(at, 0x1c, SHR, 2, 1, BINARY, CONSTANTINOPLE, P1(3))                                                             \
    OP(at, 0x1d, SAR, 2, 1, BINARY, CONSTANTINOPLE, P1(3))                                                             \
    OP(at, 0x1e, CLZ, 1, 1, UNARY, OSAKA, P1(5))                                                                       \
    OP(at, 0x20, KECCAK256, 2, 1, FULL, FRONTIER, P1(30))                                                              \
    OP(at, 0x30, ADDRESS, 0, 1, READ, FRONTIER, P1(2))                                                                 \
    OP(at, 0x31, BALANCE, 1, 1, EDGE, FRONTIER, P4(at, 20, TANGERINE_WHISTLE, 400, ISTANBUL, 700, BERLIN, 0))          \
    OP(at, 0x32, ORIGIN, 0, 1, READ, FRONTIER, P1(2))                                                                  \
    OP(at, 0x33, CALLER, 0, 1, READ, FRONTIER, P1(2))                                                                  \
    OP(at, 0x34, CALLVALUE, 0, 1, READ, FRONTIER, P1(2))                                                               \
    OP(at, 0x35, CALLDATALOAD, 1, 1, READ, FRONTIER, P1(3))                                                            \
    OP(at, 0x36, CALLDATASIZE, 0, 1, READ, FRONTIER, P1(2))                                                            \
    OP(at, 0x37, CALLDATACOPY, 3, 0, FULL, FRONTIER, P1(3))                                                            \
    OP(at, 0x38, CODESIZE, 0, 1, READ, FRONTIER, P1(2))                                                                \
    OP(at, 0x39, CODECOPY, 3, 0, FULL, FRONTIER, P1(3))                                                                \
    OP(at, 0x3a, GASPRICE, 0, 1, READ, FRONTIER, P1(2))                                                                \
    OP(at, 0x3b, EXTCODESIZE, 1, 1, EDGE, FRONTIER, P3(at, 20, TANGERINE_WHISTLE, 700, BERLIN, 0))                     \
    OP(at, 0x3c, EXTCODECOPY, 4, 0, EDGE, FRONTIER, P3(at, 20, TANGERINE_WHISTLE, 700, BERLIN, 0))                     \
    OP(at, 0x3d, RETURNDATASIZE, 0, 1, READ, BYZANTIUM, P1(2))                                                         \
    OP(at, 0x3e, RETURNDATACOPY, 3, 0, FULL, BYZANTIUM, P1(3))                                                         \
    OP(at, 0x3f, EXTCODEHASH, 1, 1, EDGE, CONSTANTINOPLE, P3(at, 400, ISTANBUL, 700, BERLIN, 0))                       \
    OP(at, 0x40, BLOCKHASH, 1, 1, FULL, FRONTIER, P1(20))                                                              \
    OP(at, 0x41, COINBASE, 0, 1, READ, FRONTIER, P1(2))                                                                \
    OP(at, 0x42, TIMESTAMP, 0, 1, READ, FRONTIER, P1(2))                                                               \
    OP(at, 0x43, NUMBER, 0, 1, READ, FRONTIER, P1(2))                                                                  \
    OP(at, 0x44, PREVRANDAO, 0, 1, READ, FRONTIER, P1(2))                                                              \
    OP(at, 0x45, GASLIMIT, 0, 1, READ, FRONTIER, P1(2))                                                                \
    OP(at, 0x46, CHAINID, 0, 1, READ, ISTANBUL, P1(2))                                                                 \
    OP(at, 0x47, SELFBALANCE, 0, 1, FULL, ISTANBUL, P1(5))                                                             \
    OP(at, 0x48, BASEFEE, 0, 1, READ, LONDON, P1(2))                                                                   \
    OP(at, 0x49, BLOBHASH, 1, 1, READ, CANCUN, P1(3))                                                                  \
    OP(at, 0x4a, BLOBBASEFEE, 0, 1, READ, CANCUN, P1(2))                                                               \
    OP(at, 0x50, POP, 1, 0, PURE, FRONTIER, P1(2))                                                                     \
    OP(at, 0x51, MLOAD, 1, 1, FULL, FRONTIER, P1(3))                                                                   \
    OP(at, 0x52, MSTORE, 2, 0, FULL, FRONTIER, P1(3))                                                                  \
    OP(at, 0x53, MSTORE8, 2, 0, FULL, FRONTIER, P1(3))                                                                 \
    OP(at, 0x54, SLOAD, 1, 1, EDGE, FRONTIER, P4(at, 50, TANGERINE_WHISTLE, 200, ISTANBUL, 800, BERLIN, 0))            \
    OP(at, 0x55, SSTORE, 2, 0, EDGE, FRONTIER, P1(0))                                                                  \
    OP(at, 0x56, JUMP, 1, 0, FLOW, FRONTIER, P1(8))                                                                    \
    OP(at, 0x57, JUMPI, 2, 0, FLOW, FRONTIER, P1(10))                                                                  \
    OP(at, 0x58, PC, 0, 1, FLOW, FRONTIER, P1(2))                                                                      \
    OP(at, 0x59, MSIZE, 0, 1, READ, FRONTIER, P1(2))                                                                   \
    OP(at, 0x5a, GAS, 0, 1, EDGE, FRONTIER, P1(2))                                                                     \
    OP(at, 0x5b, JUMPDEST, 0, 0, PURE, FRONTIER, P1(1))                                                                \
    OP(at, 0x5c, TLOAD, 1, 1, FULL, CANCUN, P1(100))                                                                   \
    OP(at, 0x5d, TSTORE, 2, 0, FULL, CANCUN, P1(100))                                                                  \
    OP(at, 0x5e, MCOPY, 3, 0, FULL, CANCUN, P1(3))                                                                     \
    OP(at, 0x5f, PUSH0, 0, 1, PURE, SHANGHAI, P1(2))                                                                   \
    OP(at, 0x60, PUSH1, 0, 1, PUSH, FRONTIER, P1(3))                                                                   \
    OP(at, 0x61, PUSH2, 0, 1, PUSH, FRONTIER, P1(3))                                                                   \
    OP(at, 0x62, PUSH3, 0, 1, PUSH, FRONTIER, P1(3))                                                                   \
    OP(at, 0x63, PUSH4, 0, 1, PUSH, FRONTIER, P1(3))                                                                   \
    OP(at, 0x64, PUSH5, 0, 1, PUSH, FRONTIER, P1(3))                                                                   \
    OP(at, 0x65, PUSH6, 0, 1, PUSH, FRONTIER, P1(3))                                                                   \
    OP(at, 0x66, PUSH7, 0, 1, PUSH, FRONTIER, P1(3))                                                                   \
    OP(at, 0x67, PUSH8, 0, 1, PUSH, FRONTIER, P1(3))                                                                   \
    OP(at, 0x68, PUSH9, 0, 1, PUSH, FRONTIER, P1(3))                                                                   \
    OP(at, 0x69, PUSH10, 0, 1, PUSH, FRONTIER, P1(3))                                                                  \
    OP(at, 0x6a, PUSH11, 0, 1, PUSH, FRONTIER, P1(3))                                                                  \
    OP(at, 0x6b, PUSH12, 0, 1, PUSH, FRONTIER, P1(3))                                                                  \
    OP(at, 0x6c, PUSH13, 0, 1, PUSH, FRONTIER, P1(3))                                                                  \
    OP(at, 0x6d, PUSH14, 0, 1, PUSH, FRONTIER, P1(3))                                                                  \
    OP(at, 0x6e, PUSH15, 0, 1, PUSH, FRONTIER, P1(3))                                                                  \
    OP(at, 0x6f, PUSH16, 0, 1, PUSH, FRONTIER, P1(3))                                                                  \
    OP(at, 0x70, PUSH17, 0, 1, PUSH, FRONTIER, P1(3))                                                                  \
    OP(at, 0x71, PUSH18, 0, 1, PUSH, FRONTIER, P1(3))                                                                  \
    OP(at, 0x72, PUSH19, 0, 1, PUSH, FRONTIER, P1(3))                                                                  \
    OP(at, 0x73, PUSH20, 0, 1, PUSH, FRONTIER, P1(3))                                                                  \
    OP(at, 0x74, PUSH21, 0, 1, PUSH, FRONTIER, P1(3))                                                                  \
    OP(at, 0x75, PUSH22, 0, 1, PUSH, FRONTIER, P1(3))                                                                  \
    OP(at, 0x76, PUSH23, 0, 1, PUSH, FRONTIER, P1(3))                                                                  \
    OP(at, 0x77, PUSH24, 0, 1, PUSH, FRONTIER, P1(3))                                                                  \
    OP(at, 0x78, PUSH25, 0, 1, PUSH, FRONTIER, P1(3))                                                                  \
    OP(at, 0x79, PUSH26, 0, 1, PUSH, FRONTIER, P1(3))                                                                  \
    OP(at, 0x7a, PUSH27, 0, 1, PUSH, FRONTIER, P1(3))                                                                  \
    OP(at, 0x7b, PUSH28, 0, 1, PUSH, FRONTIER, P1(3))                                                                  \
    OP(at, 0x7c, PUSH29, 0, 1, PUSH, FRONTIER, P1(3))                                                                  \
    OP(at, 0x7d, PUSH30, 0, 1, PUSH, FRONTIER, P1(3))                                                                  \
    OP(at, 0x7e, PUSH31, 0, 1, PUSH, FRONTIER, P1(3))                                                                  \
    OP(at, 0x7f, PUSH32, 0, 1, PUSH, FRONTIER, P1(3))                                                                  \
    OP(at, 0x80, DUP1, 1, 2, DUP, FRONTIER, P1(3))                                                                     \
    OP(at, 0x81, DUP2, 2, 3, DUP, FRONTIER, P1(3))                                                                     \
    OP(at, 0x82, DUP3, 3, 4, DUP, FRONTIER, P1(3))                                                                     \
    OP(at, 0x83, DUP4, 4, 5, DUP, FRONTIER, P1(3))                                                                     \
    OP(at, 0x84, DUP5, 5, 6, DUP, FRONTIER, P1(3))                                                                     \
    OP(at, 0x85, DUP6, 6, 7, DUP, FRONTIER, P1(3))                                                                     \
    OP(at, 0x86, DUP7, 7, 8, DUP, FRONTIER, P1(3))                                                                     \
    OP(at, 0x87, DUP8, 8, 9, DUP, FRONTIER, P1(3))                                                                     \
    OP(at, 0x88, DUP9, 9, 10, DUP, FRONTIER, P1(3))                                                                    \
    OP(at, 0x89, DUP10, 10, 11, DUP, FRONTIER, P1(3))                                                                  \
    OP(at, 0x8a, DUP11, 11, 12, DUP, FRONTIER, P1(3))                                                                  \
    OP(at, 0x8b, DUP12, 12, 13, DUP, FRONTIER, P1(3))                                                                  \
    OP(at, 0x8c, DUP13, 13, 14, DUP, FRONTIER, P1(3))                                                                  \
    OP(at, 0x8d, DUP14, 14, 15, DUP, FRONTIER, P1(3))                                                                  \
    OP(at, 0x8e, DUP15, 15, 16, DUP, FRONTIER, P1(3))                                                                  \
    OP(at, 0x8f, DUP16, 16, 17, DUP, FRONTIER, P1(3))                                                                  \
    OP(at, 0x90, SWAP1, 2, 2, SWAP, FRONTIER, P1(3))                                                                   \
    OP(at, 0x91, SWAP2, 3, 3, SWAP, FRONTIER, P1(3))                                                                   \
    OP(at, 0x92, SWAP3, 4, 4, SWAP, FRONTIER, P1(3))                                                                   \
    OP(at, 0x93, SWAP4, 5, 5, SWAP, FRONTIER, P1(3))                                                                   \
    OP(at, 0x94, SWAP5, 6, 6, SWAP, FRONTIER, P1(3))                                                                   \
    OP(at, 0x95, SWAP6, 7, 7, SWAP, FRONTIER, P1(3))                                                                   \
    OP(at, 0x96, SWAP7, 8, 8, SWAP, FRONTIER, P1(3))                                                                   \
    OP(at, 0x97, SWAP8, 9, 9, SWAP, FRONTIER, P1(3))                                                                   \
    OP(at, 0x98, SWAP9, 10, 10, SWAP, FRONTIER, P1(3))                                                                 \
    OP(at, 0x99, SWAP10, 11, 11, SWAP, FRONTIER, P1(3))                                                                \
    OP(at, 0x9a, SWAP11, 12, 12, SWAP, FRONTIER, P1(3))                                                                \
    OP(at, 0x9b, SWAP12, 13, 13, SWAP, FRONTIER, P1(3))                                                                \
    OP(at, 0x9c, SWAP13, 14, 14, SWAP, FRONTIER, P1(3))                                                                \
    OP(at, 0x9d, SWAP14, 15, 15, SWAP, FRONTIER, P1(3))                                                                \
    OP(at, 0x9e, SWAP15, 16, 16, SWAP, FRONTIER, P1(3))                                                                \
    OP(at, 0x9f, SWAP16, 17, 17, SWAP, FRONTIER, P1(3))                                                                \
    OP(at, 0xa0, LOG0, 2, 0, LOG, FRONTIER, P1(375))                                                                   \
    OP(at, 0xa1, LOG1, 3, 0, LOG, FRONTIER, P1(750))                                                                   \
    OP(at, 0xa2, LOG2, 4, 0, LOG, FRONTIER, P1(1125))                                                                  \
    OP(at, 0xa3, LOG3, 5, 0, LOG, FRONTIER, P1(1500))                                                                  \
    OP(at, 0xa4, LOG4, 6, 0, LOG, FRONTIER, P1(1875))                                                                  \
    OP(at, 0xf0, CREATE, 3, 1, EDGE, FRONTIER, P1(32000))                                                              \
    OP(at, 0xf1, CALL, 7, 1, EDGE, FRONTIER, P3(at, 40, TANGERINE_WHISTLE, 700, BERLIN, 0))                            \
    OP(at, 0xf2, CALLCODE, 7, 1, EDGE, FRONTIER, P3(at, 40, TANGERINE_WHISTLE, 700, BERLIN, 0))                        \
    OP(at, 0xf3, RETURN, 2, 0, EDGE, FRONTIER, P1(0))                                                                  \
    OP(at, 0xf4, DELEGATECALL, 6, 1, EDGE, HOMESTEAD, P3(at, 40, TANGERINE_WHISTLE, 700, BERLIN, 0))                   \
    OP(at, 0xf5, CREATE2, 4, 1, EDGE, CONSTANTINOPLE, P1(32000))                                                       \
    OP(at, 0xfa, STATICCALL, 6, 1, EDGE, BYZANTIUM, P2(at, 700, BERLIN, 0))                                            \
    OP(at, 0xfd, REVERT, 2, 0, EDGE, BYZANTIUM, P1(0))                                                                 \
    OP(at, 0xfe, INVALID, 0, 0, EDGE, FRONTIER, P1(0))                                                                 \
    OP(at, 0xff, SELFDESTRUCT, 1, 0, EDGE, FRONTIER, P2(at, 0, TANGERINE_WHISTLE, 5000))
/* clang-format on */

/** Opcode numbers, OP_STOP … OP_SELFDESTRUCT. */
enum cevm_opcode {
#define OP(at, code, name, in, out, kind, since, price) OP_##name = (code),
    CEVM_OPCODES(OP, 0)
#undef OP
};

/**
 * What the engine checks before an opcode runs, at one fork. An opcode may run at a stack height h if and only if
 * (unsigned)(h - in) < span; an undefined one has span 0, as has every byte without a row.
 */
typedef struct cevm_op_info {
    uint16_t gas;  /* static gas */
    uint16_t in;   /* words needed */
    uint16_t span; /* number of heights at which neither underflow nor overflow happens */
    uint16_t out;  /* words left in their place */
} cevm_op_info;

#define CEVM_STACK_LIMIT 1024

/** The rows by fork and byte. */
extern const cevm_op_info cevm_op_tables[CEVM_FORK_COUNT][256];

/** "PUSH1"; NULL when the byte is no opcode at the fork. */
const char *cevm_opcode_name(cevm_fork fork, uint8_t op);

#endif
