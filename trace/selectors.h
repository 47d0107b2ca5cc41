/* SPDX-License-Identifier: Apache-2.0 */
/**
 * trace/selectors.h: the functions, errors and events that most contracts share (ERC-20, ERC-721, ERC-6093, Ownable …),
 * found by the first four bytes of the hash of their signature, and their arguments in words. A name found here is what the
 * contract most likely means, not a proof: four bytes can be shared. Pure, safe on any thread.
 */
#ifndef CEVM_TRACE_SELECTORS_H
#define CEVM_TRACE_SELECTORS_H

#include <cevm/types.h>

/** The signature of a function ("transfer(address,uint256)"), or NULL when it is not one of the known. Static storage. */
const char *cevm_known_function(uint32_t selector);
/** The signature of an error, or NULL. */
const char *cevm_known_error(uint32_t selector);
/** The signature of an event by the first four bytes of its first topic, or NULL. */
const char *cevm_known_event(uint32_t topic_start);

/**
 * Writes a call with its arguments in words: `transfer(0xab…cd, 1000)`. Addresses in full, numbers in decimal up to
 * 128 bits and in hex above, strings in quotes, the first 32 of bytes, arrays as `…`; a tuple or an array of a fixed size is
 * `…` too and ends the list. `arguments` are the ABI-encoded words behind the selector; when they are too short for the
 * signature it is written with its types instead.
 *
 * @param out receives the text, cut to `size` - 1 bytes, NUL-terminated; size must not be 0
 */
void cevm_describe_call(char *out, size_t size, const char *text, cevm_bytes arguments);

/** Bytes of the first line of `text` when lines are `width` columns wide and break after ", "; all when it fits. */
size_t cevm_wrap(const char *text, size_t width);

#endif
