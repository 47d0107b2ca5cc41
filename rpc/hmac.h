/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/hmac.h: HMAC (RFC 2104) and PBKDF2 (RFC 8018) with SHA-512, for keys out of mnemonics. Over libcrypto's SHA-512 itself:
 * its own HMAC would load its providers first, which takes as long as all the rest of a node's start, and 2 MB.
 *
 * Pure, safe on any thread.
 */
#ifndef CEVM_RPC_HMAC_H
#define CEVM_RPC_HMAC_H

#include <cevm/types.h>

enum { CEVM_SHA512_SIZE = 64 };

void cevm_hmac_sha512(uint8_t out[CEVM_SHA512_SIZE], cevm_bytes key, cevm_bytes data);
/** The first block of PBKDF2's output. rounds: at least 1. */
void cevm_pbkdf2_sha512(uint8_t out[CEVM_SHA512_SIZE], cevm_bytes password, cevm_bytes salt, unsigned rounds);

#endif
