/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/rlp.h: recursive length prefix, the encoding of everything Ethereum hashes (Yellow Paper, appendix B).
 *
 * The writer appends to a growable buffer whose failure sticks: check `failed` once at the end. The reader is strict: it
 * accepts only the one canonical encoding, and every length is checked before it is used.
 */
#ifndef CEVM_STATE_RLP_H
#define CEVM_STATE_RLP_H

#include <cevm/types.h>

/** A growable byte buffer. After a failed allocation `failed` is set and appends do nothing. */
typedef struct cevm_buf {
    const cevm_allocator *allocator;
    uint8_t *data;
    size_t size;
    size_t capacity;
    bool failed;
} cevm_buf;

void cevm_buf_init(cevm_buf *buf, const cevm_allocator *allocator);
/** Frees the memory and makes the buffer empty and usable again. */
void cevm_buf_free(cevm_buf *buf);
/** Empties the buffer, keeping its memory; clears `failed`. */
void cevm_buf_clear(cevm_buf *buf);
void cevm_buf_append(cevm_buf *buf, const void *data, size_t size);

void cevm_rlp_put_bytes(cevm_buf *buf, const void *data, size_t size);
void cevm_rlp_put_u64(cevm_buf *buf, uint64_t value);
void cevm_rlp_put_u256(cevm_buf *buf, const cevm_u256 *value);
void cevm_rlp_put_address(cevm_buf *buf, const cevm_address *address);
void cevm_rlp_put_hash(cevm_buf *buf, const cevm_hash *hash);
/** Begins a list; what is appended until list_end (with the mark returned here) is its payload. Lists nest. */
size_t cevm_rlp_list_begin(cevm_buf *buf);
void cevm_rlp_list_end(cevm_buf *buf, size_t mark);

/** One decoded item: a string, or a list whose payload is read with cevm_rlp_next again. */
typedef struct cevm_rlp_item {
    bool is_list;
    cevm_bytes payload; /* points into the input */
    cevm_bytes whole;   /* with its prefix */
} cevm_rlp_item;

/**
 * Takes the next item off the front of *cursor. False when the bytes are not a canonical encoding or end too soon
 * (*cursor is then unchanged); an empty cursor is also false.
 */
bool cevm_rlp_next(cevm_bytes *cursor, cevm_rlp_item *out);
/** Like cevm_rlp_next, but the item must be a list / a string. */
bool cevm_rlp_next_list(cevm_bytes *cursor, cevm_bytes *payload);
bool cevm_rlp_next_string(cevm_bytes *cursor, cevm_bytes *payload);

/** Why a string is not the number that was asked for. */
typedef enum cevm_rlp_number {
    CEVM_RLP_NUMBER_OK,
    CEVM_RLP_NUMBER_LEADING_ZERO, /* not canonical */
    CEVM_RLP_NUMBER_TOO_WIDE,     /* more bytes than the type holds */
    CEVM_RLP_NUMBER_NOT_STRING    /* a list, or no item */
} cevm_rlp_number;

cevm_rlp_number cevm_rlp_next_u64(cevm_bytes *cursor, uint64_t *out);
cevm_rlp_number cevm_rlp_next_u256(cevm_bytes *cursor, cevm_u256 *out);
/** The next item must be a string of exactly `size` bytes. */
bool cevm_rlp_next_exact(cevm_bytes *cursor, uint8_t *out, size_t size);
/** Number of items in a list's payload; false when it is malformed. */
bool cevm_rlp_count(size_t *out, cevm_bytes payload);

#endif
