/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/gunzip.h: unpacking gzip (RFC 1952) with zlib, which is loaded when it is first needed (rpc/library.h).
 *
 * Threads: any.
 */
#ifndef CEVM_RPC_GUNZIP_H
#define CEVM_RPC_GUNZIP_H

#include "state/rlp.h"

/** Whether bytes begin as gzip does. */
bool cevm_is_gzip(cevm_bytes bytes);

/**
 * Appends what is packed to a buffer, whose memory comes from its allocator; files packed one after the other are one text.
 * Nothing may follow them. Memory grows with what has been unpacked, never with what a header says. On an error the
 * buffer holds some beginning. Errors: CEVM_ERR_ENCODING (no gzip, cut short, a wrong checksum or length, other bytes
 * behind it), CEVM_ERR_LIMIT (more than `most` bytes come out), CEVM_ERR_NOMEM, CEVM_ERR_NOT_BUILT (there is no zlib on
 * this machine).
 */
cevm_err cevm_gunzip(cevm_buf *out, cevm_bytes packed, size_t most);

#endif
