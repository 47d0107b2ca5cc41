/* SPDX-License-Identifier: Apache-2.0 */
/**
 * precompiles/point_evaluation.h: the one number of the trusted setup that verifying a KZG proof needs (EIP-4844).
 */
#ifndef CEVM_PRECOMPILES_POINT_EVALUATION_H
#define CEVM_PRECOMPILES_POINT_EVALUATION_H

#include <stdint.h>

/** [τ]G2, the second point of the ceremony's powers in G2: x and y, each real part first, as limbs least first. */
extern const uint64_t cevm_kzg_tau_g2[4][6];

#endif
