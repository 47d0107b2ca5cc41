/* SPDX-License-Identifier: Apache-2.0 */
/**
 * precompiles/point_evaluation.h: what verifying a KZG proof needs of the trusted setup (EIP-4844).
 */
#ifndef CEVM_PRECOMPILES_POINT_EVALUATION_H
#define CEVM_PRECOMPILES_POINT_EVALUATION_H

#include "precompiles/crypto/bls12_pairing.h"

#ifndef CEVM_NO_BLST
/** The lines of a Miller loop for the generator of G2 and for [τ]G2, the second of the ceremony's powers in G2. */
extern const cevm_bls12_line cevm_kzg_lines[2][CEVM_BLS12_LINES];
#endif

#endif
