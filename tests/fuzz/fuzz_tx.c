/* SPDX-License-Identifier: Apache-2.0 */
/** Any bytes as a transaction: what decodes must encode to the same bytes, and every function must take what decodes. */
#include <cevm/transition.h>
#include <cevm/tx.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cevm_tx *tx = NULL;
    cevm_tx_error reason = CEVM_TX_NONE;
    const cevm_err err = cevm_tx_decode(&tx, &reason, (cevm_bytes){data, size}, NULL);
    if (err != CEVM_OK) {
        if (tx != NULL || (err == CEVM_ERR_ENCODING && reason == CEVM_TX_NONE)) {
            abort();
        }
        return 0;
    }

    size_t encoded_size = 0;
    uint8_t *encoded = malloc(size);
    if (encoded == NULL || cevm_tx_encode(encoded, &encoded_size, size, tx, NULL) != CEVM_OK || encoded_size != size ||
        memcmp(encoded, data, size) != 0) {
        abort();
    }
    free(encoded);

    cevm_hash digest;
    for (int fork = 0; fork < CEVM_FORK_COUNT; ++fork) {
        (void)cevm_tx_intrinsic_gas(tx, (cevm_fork)fork);
        if (cevm_tx_recover_sender(tx, &reason, (cevm_fork)fork, NULL) != CEVM_OK) {
            abort();
        }
    }
    if (cevm_tx_hash(&digest, tx, NULL) != CEVM_OK || cevm_tx_signing_hash(&digest, tx, NULL) != CEVM_OK) {
        abort();
    }
    cevm_tx_destroy(tx, NULL);
    return 0;
}
