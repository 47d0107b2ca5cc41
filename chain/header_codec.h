/* SPDX-License-Identifier: Apache-2.0 */
/** chain/header_codec.h: headers as parts of larger encodings, for the files of chain/ that read or write them. */
#ifndef CEVM_CHAIN_HEADER_CODEC_H
#define CEVM_CHAIN_HEADER_CODEC_H

#include <cevm/block.h>

#include "state/rlp.h"

/** Appends a header. Without its seal (mix hash and nonce) it is what Ethash hashes first. */
void cevm_header_put(cevm_buf *buf, const cevm_header *header, bool with_seal);

/** Reads the fields of a header out of its list's payload; extra_data points into it. NONE when all is well. */
cevm_block_error cevm_header_read(cevm_header *out, cevm_bytes payload);

#endif
