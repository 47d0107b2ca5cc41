/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes to transaction: legacy lists and the typed envelopes of EIP-2718 (EIP-2930, EIP-1559, EIP-4844, EIP-7702).
 *
 * The parser runs twice over the bytes: first with nowhere to write, checking everything and counting what it finds, then
 * into one block of exactly that size. A count is therefore never believed before its items have been seen, and memory
 * stays within a constant factor of the input.
 */
#include <cevm/alloc.h>
#include <cevm/tx.h>

#include "chain/signature.h"
#include "state/rlp.h"

/** Which reason a malformed field gives. */
typedef struct field_errors {
    cevm_tx_error not_string;    /* a list stands there */
    cevm_tx_error non_canonical; /* its size is not written in the one shortest way */
    cevm_tx_error leading_zeros;
    cevm_tx_error too_wide;
} field_errors;

#define FIELD(not_string, non_canonical, leading_zeros, too_wide)                                  \
    {                                                                                              \
        CEVM_TX_##not_string, CEVM_TX_##non_canonical, CEVM_TX_##leading_zeros, CEVM_TX_##too_wide \
    }

/* One row a field; the names are the official vectors'. */
static const field_errors number_errors =
    FIELD(RLP_INVALID_VALUE, RLP_NON_CANONICAL, RLP_INVALID_VALUE, RLP_INVALID_VALUE);
static const field_errors nonce_errors =
    FIELD(RLP_INVALID_NONCE, RLP_LEADING_ZEROS_NONCE_SIZE, RLP_LEADING_ZEROS_NONCE, NONCE_OVERFLOW);
static const field_errors gas_price_errors =
    FIELD(RLP_INVALID_VALUE, RLP_NON_CANONICAL, RLP_LEADING_ZEROS_GASPRICE, GASPRICE_OVERFLOW);
static const field_errors priority_errors =
    FIELD(RLP_INVALID_VALUE, RLP_NON_CANONICAL, RLP_LEADING_ZEROS_PRIORITY_FEE, PRIORITY_OVERFLOW);
static const field_errors max_fee_errors =
    FIELD(RLP_INVALID_VALUE, RLP_NON_CANONICAL, RLP_LEADING_ZEROS_BASEFEE, GASPRICE_OVERFLOW);
static const field_errors gas_limit_errors =
    FIELD(RLP_INVALID_GASLIMIT, RLP_NON_CANONICAL, RLP_LEADING_ZEROS_GASLIMIT, GASLIMIT_OVERFLOW);
static const field_errors value_errors =
    FIELD(RLP_INVALID_VALUE, RLP_NON_CANONICAL, RLP_LEADING_ZEROS_VALUE, VALUE_OVERFLOW);
static const field_errors data_errors =
    FIELD(RLP_INVALID_DATA, RLP_LEADING_ZEROS_DATA_SIZE, RLP_INVALID_DATA, RLP_INVALID_DATA);
static const field_errors to_errors = FIELD(RLP_INVALID_TO, RLP_NON_CANONICAL, ADDRESS_TOO_SHORT, ADDRESS_TOO_LONG);
static const field_errors v_errors =
    FIELD(RLP_INVALID_VALUE, RLP_NON_CANONICAL, RLP_LEADING_ZEROS_V, INVALID_SIGNATURE_VRS);
static const field_errors r_errors =
    FIELD(RLP_INVALID_SIGNATURE_R, RLP_NON_CANONICAL, RLP_LEADING_ZEROS_R, INVALID_SIGNATURE_VRS);
static const field_errors s_errors =
    FIELD(RLP_INVALID_SIGNATURE_S, RLP_NON_CANONICAL, RLP_LEADING_ZEROS_S, INVALID_SIGNATURE_VRS);
static const field_errors authorization_errors =
    FIELD(TYPE_4_INVALID_AUTHORIZATION_FORMAT, TYPE_4_INVALID_AUTHORIZATION_FORMAT, TYPE_4_INVALID_AUTHORIZATION_FORMAT,
          TYPE_4_INVALID_AUTHORIZATION_FORMAT);
#undef FIELD

/** What the parser is at. On the counting run `fill` is false and nothing is written but counts. */
typedef struct parser {
    cevm_bytes cursor;
    cevm_tx_error reason; /* NONE until something is wrong; then everything stops */
    bool fill;
    cevm_tx *tx;
    cevm_authorization *authorizations;
    cevm_access_entry *entries;
    cevm_hash *hashes; /* blob hashes and access list keys, in order of appearance */
    size_t authorization_count, entry_count, hash_count;
} parser;

static bool fail(parser *p, cevm_tx_error reason)
{
    if (p->reason == CEVM_TX_NONE) {
        p->reason = reason;
    }
    return false;
}

/** Whether an RLP prefix states its size in more bytes than it takes; the reader refused it, this says why. */
static bool is_non_canonical(cevm_bytes at)
{
    const uint8_t first = at.data[0];
    if (first == 0x81) {
        return at.size > 1 && at.data[1] < 0x80;
    }
    const bool long_form = (first >= 0xb8 && first <= 0xbf) || first >= 0xf8;
    if (!long_form || at.size < 2) {
        return false;
    }
    return at.data[1] == 0 || ((first == 0xb8 || first == 0xf8) && at.data[1] < 56);
}

/** The next item of *cursor, or the reason why there is none. */
static bool next_item(parser *p, cevm_bytes *cursor, cevm_rlp_item *item, const field_errors *errors)
{
    if (cursor->size == 0) {
        return fail(p, CEVM_TX_RLP_TOO_FEW_ELEMENTS);
    }
    if (!cevm_rlp_next(cursor, item)) {
        return fail(p, is_non_canonical(*cursor) ? errors->non_canonical : CEVM_TX_RLP_ERROR_SIZE);
    }
    return true;
}

static bool next_string(parser *p, cevm_bytes *cursor, cevm_bytes *out, const field_errors *errors)
{
    cevm_rlp_item item;
    if (!next_item(p, cursor, &item, errors)) {
        return false;
    }
    if (item.is_list) {
        return fail(p, errors->not_string);
    }
    *out = item.payload;
    return true;
}

static bool next_list(parser *p, cevm_bytes *cursor, cevm_bytes *out, const field_errors *errors)
{
    cevm_rlp_item item;
    if (!next_item(p, cursor, &item, errors)) {
        return false;
    }
    if (!item.is_list) {
        return fail(p, errors->not_string);
    }
    *out = item.payload;
    return true;
}

/** A number of at most 256 bits. Zeros in front are named before the width, as the vectors expect. */
static bool next_u256(parser *p, cevm_bytes *cursor, cevm_u256 *out, const field_errors *errors)
{
    cevm_bytes bytes;
    if (!next_string(p, cursor, &bytes, errors)) {
        return false;
    }
    if (bytes.size != 0 && bytes.data[0] == 0) {
        return fail(p, errors->leading_zeros);
    }
    uint8_t word[32] = {0};
    if (bytes.size > sizeof word) {
        return fail(p, errors->too_wide);
    }
    if (bytes.size != 0) {
        memcpy(word + sizeof word - bytes.size, bytes.data, bytes.size);
    }
    *out = cevm_u256_from_be(word);
    return true;
}

/** A number of at most 64 bits. Here the width is named before zeros in front, as the vectors expect. */
static bool next_u64(parser *p, cevm_bytes *cursor, uint64_t *out, const field_errors *errors)
{
    cevm_bytes bytes;
    if (!next_string(p, cursor, &bytes, errors)) {
        return false;
    }
    uint8_t word[8] = {0};
    if (bytes.size > sizeof word) {
        return fail(p, errors->too_wide);
    }
    if (bytes.size != 0 && bytes.data[0] == 0) {
        return fail(p, errors->leading_zeros);
    }
    if (bytes.size != 0) {
        memcpy(word + sizeof word - bytes.size, bytes.data, bytes.size);
    }
    *out = cevm_load_be64(word);
    return true;
}

/** A string of exactly `size` bytes. */
static bool next_exact(parser *p, cevm_bytes *cursor, uint8_t *out, size_t size, const field_errors *errors)
{
    cevm_bytes bytes;
    if (!next_string(p, cursor, &bytes, errors)) {
        return false;
    }
    if (bytes.size != size) {
        return fail(p, bytes.size < size ? errors->leading_zeros : errors->too_wide);
    }
    memcpy(out, bytes.data, size);
    return true;
}

static bool parse_to(parser *p)
{
    cevm_bytes bytes;
    if (!next_string(p, &p->cursor, &bytes, &to_errors)) {
        return false;
    }
    p->tx->is_create = bytes.size == 0;
    if (bytes.size == 0) {
        return true;
    }
    if (bytes.size != sizeof p->tx->to.bytes) {
        return fail(p, bytes.size < sizeof p->tx->to.bytes ? CEVM_TX_ADDRESS_TOO_SHORT : CEVM_TX_ADDRESS_TOO_LONG);
    }
    memcpy(p->tx->to.bytes, bytes.data, bytes.size);
    return true;
}

/** A list of 32-byte strings; *out points to them on the filling run. */
static bool parse_hashes(parser *p, cevm_bytes list, const cevm_hash **out, size_t *count, const field_errors *errors)
{
    const size_t first = p->hash_count;
    while (list.size != 0) {
        cevm_hash hash;
        if (!next_exact(p, &list, hash.bytes, sizeof hash.bytes, errors)) {
            return false;
        }
        if (p->fill) {
            p->hashes[p->hash_count] = hash;
        }
        ++p->hash_count;
    }
    *count = p->hash_count - first;
    *out = p->fill && *count != 0 ? p->hashes + first : NULL;
    return true;
}

/** EIP-2930: [[address, [key, ...]], ...]. */
static bool parse_access_list(parser *p)
{
    /* leading_zeros stands for "too short" here, as in next_exact. */
    static const field_errors address_errors = {CEVM_TX_RLP_INVALID_VALUE, CEVM_TX_RLP_NON_CANONICAL,
                                                CEVM_TX_RLP_INVALID_ACCESS_LIST_ADDRESS_TOO_SHORT,
                                                CEVM_TX_RLP_INVALID_ACCESS_LIST_ADDRESS_TOO_LONG};
    static const field_errors key_errors = {CEVM_TX_RLP_INVALID_VALUE, CEVM_TX_RLP_NON_CANONICAL,
                                            CEVM_TX_RLP_INVALID_ACCESS_LIST_STORAGE_TOO_SHORT,
                                            CEVM_TX_RLP_INVALID_ACCESS_LIST_STORAGE_TOO_LONG};
    cevm_bytes list;
    if (!next_list(p, &p->cursor, &list, &number_errors)) {
        return false;
    }
    while (list.size != 0) {
        cevm_bytes pair, keys;
        cevm_access_entry entry = {0};
        if (!next_list(p, &list, &pair, &number_errors) ||
            !next_exact(p, &pair, entry.address.bytes, sizeof entry.address.bytes, &address_errors) ||
            !next_list(p, &pair, &keys, &number_errors) ||
            !parse_hashes(p, keys, &entry.keys, &entry.key_count, &key_errors)) {
            return false;
        }
        if (pair.size != 0) {
            return fail(p, CEVM_TX_RLP_TOO_MANY_ELEMENTS);
        }
        if (p->fill) {
            p->entries[p->entry_count] = entry;
        }
        ++p->entry_count;
    }
    p->tx->access_list = p->fill && p->entry_count != 0 ? p->entries : NULL;
    p->tx->access_count = p->entry_count;
    return true;
}

/** EIP-7702: [[chain_id, address, nonce, y_parity, r, s], ...], with the widths the EIP demands of a valid transaction. */
static bool parse_authorizations(parser *p)
{
    cevm_bytes list;
    if (!next_list(p, &p->cursor, &list, &authorization_errors)) {
        return false;
    }
    while (list.size != 0) {
        cevm_bytes tuple;
        cevm_authorization a = {0};
        uint64_t y_parity = 0;
        const bool whole = next_list(p, &list, &tuple, &authorization_errors) &&
                           next_u256(p, &tuple, &a.chain_id, &authorization_errors) &&
                           next_exact(p, &tuple, a.address.bytes, sizeof a.address.bytes, &authorization_errors) &&
                           next_u64(p, &tuple, &a.nonce, &authorization_errors) &&
                           next_u64(p, &tuple, &y_parity, &authorization_errors) &&
                           next_u256(p, &tuple, &a.r, &authorization_errors) &&
                           next_u256(p, &tuple, &a.s, &authorization_errors);
        if (!whole || tuple.size != 0 || y_parity > UINT8_MAX) {
            p->reason = CEVM_TX_TYPE_4_INVALID_AUTHORIZATION_FORMAT;
            return false;
        }
        a.y_parity = (uint8_t)y_parity;
        if (p->fill) {
            p->authorizations[p->authorization_count] = a;
        }
        ++p->authorization_count;
    }
    p->tx->authorizations = p->fill && p->authorization_count != 0 ? p->authorizations : NULL;
    p->tx->authorization_count = p->authorization_count;
    return true;
}

static bool parse_fees(parser *p)
{
    cevm_tx *tx = p->tx;
    if (tx->type == CEVM_TX_LEGACY || tx->type == CEVM_TX_ACCESS_LIST) {
        if (!next_u256(p, &p->cursor, &tx->max_fee, &gas_price_errors)) {
            return false;
        }
        tx->max_priority_fee = tx->max_fee;
        return true;
    }
    return next_u256(p, &p->cursor, &tx->max_priority_fee, &priority_errors) &&
           next_u256(p, &p->cursor, &tx->max_fee, &max_fee_errors);
}

static bool parse_blob_fields(parser *p)
{
    cevm_bytes hashes;
    return next_u256(p, &p->cursor, &p->tx->max_fee_per_blob_gas, &number_errors) &&
           next_list(p, &p->cursor, &hashes, &number_errors) &&
           parse_hashes(p, hashes, &p->tx->blob_hashes, &p->tx->blob_count, &number_errors);
}

/** The fields of the list, in the order that the type's EIP gives them. */
static bool parse_fields(parser *p)
{
    cevm_tx *tx = p->tx;
    const bool typed = tx->type != CEVM_TX_LEGACY;
    if (typed) {
        tx->has_chain_id = true;
        if (tx->type == CEVM_TX_BLOB && p->cursor.size != 0 && p->cursor.data[0] >= 0xc0) {
            return fail(p, CEVM_TX_TYPE_3_TX_WITH_FULL_BLOBS); /* [transaction, blobs, commitments, proofs] */
        }
        if (!next_u64(p, &p->cursor, &tx->chain_id, &number_errors)) {
            return false;
        }
    }
    if (!next_u64(p, &p->cursor, &tx->nonce, &nonce_errors) || !parse_fees(p) ||
        !next_u64(p, &p->cursor, &tx->gas_limit, &gas_limit_errors) || !parse_to(p) ||
        !next_u256(p, &p->cursor, &tx->value, &value_errors) || !next_string(p, &p->cursor, &tx->data, &data_errors)) {
        return false;
    }
    if ((typed && !parse_access_list(p)) || (tx->type == CEVM_TX_BLOB && !parse_blob_fields(p)) ||
        (tx->type == CEVM_TX_SET_CODE && !parse_authorizations(p))) {
        return false;
    }
    if (!next_u256(p, &p->cursor, &tx->v, &v_errors) || !next_u256(p, &p->cursor, &tx->r, &r_errors) ||
        !next_u256(p, &p->cursor, &tx->s, &s_errors)) {
        return false;
    }
    return p->cursor.size == 0 || fail(p, CEVM_TX_RLP_TOO_MANY_ELEMENTS);
}

/** Finds the type and the payload of the list; the type byte of EIP-2718 is 0..0x7f, a legacy list begins at 0xc0. */
static cevm_tx_error open_envelope(cevm_tx_type *type, cevm_bytes *payload, cevm_bytes raw)
{
    if (raw.size == 0) {
        return CEVM_TX_RLP_ERROR_EOF;
    }
    const uint8_t first = raw.data[0];
    *type = CEVM_TX_LEGACY;
    if (first < 0x80) {
        if (first < CEVM_TX_ACCESS_LIST || first > CEVM_TX_SET_CODE) {
            return CEVM_TX_TYPE_NOT_SUPPORTED;
        }
        *type = (cevm_tx_type)first;
        raw.data += 1;
        raw.size -= 1;
        if (raw.size == 0) {
            return CEVM_TX_RLP_ERROR_EOF;
        }
    } else if (first < 0xc0) {
        /* A string: an envelope in the wrapping it has inside a block. What it wraps may not even be a known type. */
        cevm_bytes wrapped;
        const bool known = cevm_rlp_next_string(&raw, &wrapped) && wrapped.size != 0 &&
                           wrapped.data[0] >= CEVM_TX_ACCESS_LIST && wrapped.data[0] <= CEVM_TX_SET_CODE;
        return known ? CEVM_TX_RLP_INVALID_HEADER : CEVM_TX_TYPE_NOT_SUPPORTED;
    }
    cevm_rlp_item item;
    const cevm_bytes start = raw;
    if (!cevm_rlp_next(&raw, &item)) {
        return is_non_canonical(start) ? CEVM_TX_RLP_ERROR_SIZE_LEADING_ZEROS : CEVM_TX_RLP_ERROR_SIZE;
    }
    if (!item.is_list) {
        return CEVM_TX_RLP_INVALID_HEADER;
    }
    *payload = item.payload;
    return raw.size == 0 ? CEVM_TX_NONE : CEVM_TX_RLP_ERROR_SIZE;
}

/**
 * One block for everything the counting run found, most strictly aligned first. The counts are bounded by the input's
 * size (an entry takes at least 23 bytes of it, a tuple 27, a hash 33), and that by what fits memory; checked all the same.
 */
static cevm_tx *allocate(parser *fill, const parser *counted, const cevm_allocator *allocator)
{
    const size_t limit = SIZE_MAX / 8;
    const size_t data_size = counted->tx->data.size;
    if (counted->authorization_count > limit / sizeof(cevm_authorization) ||
        counted->entry_count > limit / sizeof(cevm_access_entry) || counted->hash_count > limit / sizeof(cevm_hash) ||
        data_size > limit) {
        return NULL;
    }
    const size_t authorizations_at = sizeof(cevm_tx);
    const size_t entries_at = authorizations_at + counted->authorization_count * sizeof(cevm_authorization);
    const size_t hashes_at = entries_at + counted->entry_count * sizeof(cevm_access_entry);
    const size_t data_at = hashes_at + counted->hash_count * sizeof(cevm_hash);
    _Static_assert(sizeof(cevm_tx) % _Alignof(cevm_authorization) == 0, "authorizations follow the struct");
    _Static_assert(sizeof(cevm_authorization) % _Alignof(cevm_access_entry) == 0 &&
                       sizeof(cevm_tx) % _Alignof(cevm_access_entry) == 0,
                   "access list entries follow the authorizations");
    _Static_assert(_Alignof(cevm_hash) == 1, "hashes may stand anywhere");

    uint8_t *block = cevm_alloc(allocator, data_at + data_size);
    if (block == NULL) {
        return NULL;
    }
    cevm_tx *tx = (cevm_tx *)(void *)block;
    memset(tx, 0, sizeof *tx);
    *fill = (parser){.fill = true, .tx = tx};
    fill->authorizations = (cevm_authorization *)(void *)(block + authorizations_at);
    fill->entries = (cevm_access_entry *)(void *)(block + entries_at);
    fill->hashes = (cevm_hash *)(void *)(block + hashes_at);
    if (data_size != 0) {
        memcpy(block + data_at, counted->tx->data.data, data_size);
    }
    return tx;
}

cevm_err cevm_tx_decode(cevm_tx **out, cevm_tx_error *reason, cevm_bytes raw, const cevm_allocator *allocator)
{
    cevm_tx scratch = {0};
    parser count = {.tx = &scratch};
    *out = NULL;
    *reason = open_envelope(&scratch.type, &count.cursor, raw);
    if (*reason != CEVM_TX_NONE) {
        return CEVM_ERR_ENCODING;
    }
    const cevm_bytes payload = count.cursor;
    if (!parse_fields(&count)) {
        *reason = count.reason;
        return CEVM_ERR_ENCODING;
    }

    parser fill;
    cevm_tx *tx = allocate(&fill, &count, allocator);
    if (tx == NULL) {
        return CEVM_ERR_NOMEM;
    }
    tx->type = scratch.type;
    fill.cursor = payload;
    (void)parse_fields(&fill); /* the same bytes have just been accepted */
    tx->data.data = tx->data.size != 0 ? (const uint8_t *)(fill.hashes + fill.hash_count) : NULL;
    if (tx->type == CEVM_TX_LEGACY) {
        cevm_tx_chain_of_v(tx);
    }
    *out = tx;
    return CEVM_OK;
}

void cevm_tx_destroy(cevm_tx *tx, const cevm_allocator *allocator) { cevm_free(allocator, tx); }
