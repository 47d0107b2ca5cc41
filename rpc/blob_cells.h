/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/blob_cells.h: proofs of the cells of a blob (EIP-7594).
 */
#ifndef CEVM_RPC_BLOB_CELLS_H
#define CEVM_RPC_BLOB_CELLS_H

#include <cevm/types.h>

enum {
    CEVM_BLOB_SIZE = 131072, /* 4096 numbers of 32 bytes */
    CEVM_BLOB_CELLS = 128,   /* of a blob, extended to twice its length */
    CEVM_KZG_POINT = 48      /* a commitment or a proof, compressed */
};

/**
 * Verifies the proofs of all cells of a blob, whose numbers have been found in range, against its commitment. Pure, safe on
 * any thread; some ten milliseconds. Returns NULL when they hold, or what is wrong (static storage). A build without the
 * curve takes them on trust.
 */
const char *cevm_blob_cells_check(const uint8_t *blob, const uint8_t *commitment,
                                  const uint8_t *const proofs[CEVM_BLOB_CELLS], const cevm_allocator *allocator);

#endif
