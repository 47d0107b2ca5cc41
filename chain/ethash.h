/* SPDX-License-Identifier: Apache-2.0 */
/** chain/ethash.h: what a nonce gives, below the check of a whole header (cevm/block.h). */
#ifndef CEVM_CHAIN_ETHASH_H
#define CEVM_CHAIN_ETHASH_H

#include <cevm/block.h>

/**
 * Mix digest and result of a nonce at a block number; `sealed` is the hash of the header without mix hash and nonce.
 * Errors: as cevm_ethash_verify.
 */
cevm_err cevm_ethash_hash(cevm_ethash *ethash, cevm_hash *digest, cevm_hash *result, uint64_t number,
                          const cevm_hash *sealed, const uint8_t nonce[8]);

#endif
