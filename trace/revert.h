/* SPDX-License-Identifier: Apache-2.0 */
/**
 * trace/revert.h: what a contract said when it reverted, in words: Solidity's Error(string), Panic(uint256), and the
 * selectors of custom errors. Pure, safe on any thread.
 */
#ifndef CEVM_TRACE_REVERT_H
#define CEVM_TRACE_REVERT_H

#include <cevm/types.h>

/**
 * Describes revert data on one line: `Error("paused")`, `Panic(0x11): arithmetic overflow or underflow`,
 * `ERC20InsufficientBalance(0xab…, 1, 2)`, `custom error 0x8baa579f (no arguments)`. Control characters and bytes that
 * are not UTF-8 are shown as \xNN: the text comes from a contract and goes to a terminal.
 *
 * @param out  receives the text, cut to `size` - 1 bytes, NUL-terminated; size must not be 0
 * @return whether the data had a form known to carry a reason
 */
bool cevm_revert_describe(char *out, size_t size, cevm_bytes data);

/** The string or bytes among ABI-encoded arguments whose word lies at `head`; false when the encoding is broken. */
bool cevm_abi_bytes(cevm_bytes *out, cevm_bytes arguments, size_t head);

/** Writes `prefix`, the text in quotes and escaped as above, and `suffix`; cut where size ends. */
void cevm_put_quoted(char *out, size_t size, const char *prefix, cevm_bytes text, const char *suffix);

#endif
