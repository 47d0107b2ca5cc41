/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/blob_sidecar.h: blob transactions as they travel: with their blobs, commitments and proofs, of the whole blob
 * (EIP-4844) or of its cells (EIP-7594). Pure, safe on any thread.
 */
#ifndef CEVM_RPC_BLOB_SIDECAR_H
#define CEVM_RPC_BLOB_SIDECAR_H

#include <cevm/tx.h>

/** What a sidecar says. Views point into the bytes it was read from; lists are RLP payloads. */
typedef struct cevm_blob_sidecar {
    bool has_cell_proofs;
    cevm_bytes blobs;
    cevm_bytes commitments;
    cevm_bytes proofs;
} cevm_blob_sidecar;

/**
 * Whether bytes are a blob transaction with its sidecar: 0x03 ‖ [[fields], [version,] [blobs], [commitments], [proofs]].
 * *fields is then the list of the transaction's fields with its RLP prefix.
 */
bool cevm_blob_sidecar_split(cevm_blob_sidecar *out, cevm_bytes *fields, cevm_bytes raw);

/**
 * Checks a sidecar against its transaction: as many blobs, commitments and proofs as there should be, commitments that hash
 * to the transaction's, field elements in range, and the proofs, of blobs or of cells (rpc/blob_cells.h).
 *
 * Returns NULL when all is well, or what is wrong (static storage).
 */
const char *cevm_blob_sidecar_check(const cevm_blob_sidecar *sidecar, const cevm_tx *tx,
                                    const cevm_allocator *allocator);

#endif
