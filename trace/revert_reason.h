/* SPDX-License-Identifier: Apache-2.0 */
/**
 * trace/revert_reason.h: the reason in revert data, word for word as geth reports it: what wallets and libraries look for
 * behind "execution reverted: ". For people there is trace/revert.h. Pure.
 */
#ifndef CEVM_TRACE_REVERT_REASON_H
#define CEVM_TRACE_REVERT_REASON_H

#include <cevm/types.h>

enum { CEVM_REVERT_REASON_SIZE = 96 };

/**
 * The string of Error(string) or the meaning of Panic(uint256). *text then lies in `data`, in `scratch` or in static
 * storage, as it came: it may hold anything, NUL and what is not UTF-8 included. False when the data is neither, or broken.
 */
bool cevm_revert_reason(cevm_bytes *text, char scratch[CEVM_REVERT_REASON_SIZE], cevm_bytes data);

#endif
