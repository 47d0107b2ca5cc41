/* SPDX-License-Identifier: Apache-2.0 */
/**
 * chain/signature.h: what EIP-2 and the curve demand of the two numbers of a signature, shared by transactions and by the
 * authorizations of EIP-7702. Pure, safe on any thread.
 */
#ifndef CEVM_CHAIN_SIGNATURE_H
#define CEVM_CHAIN_SIGNATURE_H

#include <cevm/types.h>

/** Whether r is in [1, n-1] and s in [1, n-1], or with low_s in [1, n/2] (EIP-2). */
bool cevm_signature_in_range(const cevm_u256 *r, const cevm_u256 *s, bool low_s);

#endif
