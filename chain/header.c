/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers to bytes and back. The list grew with the forks: 15 fields at first, then one for the base fee (EIP-1559), one for
 * the withdrawals (EIP-4895), three at once for blobs and the beacon root (EIP-4844, EIP-4788), one for the requests
 * (EIP-7685). A field can only be there when all before it are.
 */
#include "chain/encoding.h"
#include "chain/header_codec.h"

enum { FIELDS_FRONTIER = 15, FIELDS_LONDON = 16, FIELDS_SHANGHAI = 17, FIELDS_CANCUN = 20, FIELDS_PRAGUE = 21 };

/* ---- Reading ------------------------------------------------------------------------------------------------------ */

/** The fields still to be read, and the first thing that was wrong. */
typedef struct reader {
    cevm_bytes cursor;
    cevm_block_error reason;
} reader;

static void fail(reader *r, cevm_block_error reason)
{
    if (r->reason == CEVM_BLOCK_NONE) {
        r->reason = reason;
    }
}

static void read_exact(reader *r, uint8_t *out, size_t size, cevm_block_error otherwise)
{
    if (!cevm_rlp_next_exact(&r->cursor, out, size)) {
        fail(r, otherwise);
    }
}

static void read_hash(reader *r, cevm_hash *out)
{
    read_exact(r, out->bytes, sizeof out->bytes, CEVM_BLOCK_RLP_STRUCTURES_ENCODING);
}

static void read_u64(reader *r, uint64_t *out)
{
    const cevm_rlp_number result = cevm_rlp_next_u64(&r->cursor, out);
    if (result != CEVM_RLP_NUMBER_OK) {
        fail(r, result == CEVM_RLP_NUMBER_TOO_WIDE ? CEVM_BLOCK_RLP_INVALID_FIELD_OVERFLOW_64
                                                   : CEVM_BLOCK_RLP_STRUCTURES_ENCODING);
    }
}

static void read_u256(reader *r, cevm_u256 *out)
{
    if (cevm_rlp_next_u256(&r->cursor, out) != CEVM_RLP_NUMBER_OK) {
        fail(r, CEVM_BLOCK_RLP_STRUCTURES_ENCODING);
    }
}

static void read_first_fields(reader *r, cevm_header *out)
{
    read_hash(r, &out->parent_hash);
    read_hash(r, &out->ommers_hash);
    read_exact(r, out->coinbase.bytes, sizeof out->coinbase.bytes, CEVM_BLOCK_RLP_INVALID_ADDRESS);
    read_hash(r, &out->state_root);
    read_hash(r, &out->transactions_root);
    read_hash(r, &out->receipts_root);
    read_exact(r, out->logs_bloom.bytes, sizeof out->logs_bloom.bytes, CEVM_BLOCK_RLP_STRUCTURES_ENCODING);
    read_u256(r, &out->difficulty);
    read_u64(r, &out->number);
    read_u64(r, &out->gas_limit);
    read_u64(r, &out->gas_used);
    read_u64(r, &out->timestamp);
    if (!cevm_rlp_next_string(&r->cursor, &out->extra_data)) {
        fail(r, CEVM_BLOCK_RLP_STRUCTURES_ENCODING);
    }
    read_hash(r, &out->mix_hash);
    read_exact(r, out->nonce, sizeof out->nonce, CEVM_BLOCK_RLP_STRUCTURES_ENCODING);
}

cevm_block_error cevm_header_read(cevm_header *out, cevm_bytes payload)
{
    reader r = {payload, CEVM_BLOCK_NONE};
    size_t count;
    if (!cevm_rlp_count(&count, payload) || count < FIELDS_FRONTIER || count > FIELDS_PRAGUE) {
        return CEVM_BLOCK_RLP_STRUCTURES_ENCODING;
    }
    if (count > FIELDS_SHANGHAI && count < FIELDS_CANCUN) {
        return CEVM_BLOCK_INCORRECT_BLOCK_FORMAT; /* some of the fields that came together, but not all of them */
    }
    memset(out, 0, sizeof *out);
    out->has_base_fee = count >= FIELDS_LONDON;
    out->has_withdrawals_root = count >= FIELDS_SHANGHAI;
    out->has_blob_gas = count >= FIELDS_CANCUN;
    out->has_parent_beacon_root = count >= FIELDS_CANCUN;
    out->has_requests_hash = count >= FIELDS_PRAGUE;

    read_first_fields(&r, out);
    if (out->has_base_fee) {
        read_u256(&r, &out->base_fee);
    }
    if (out->has_withdrawals_root) {
        read_hash(&r, &out->withdrawals_root);
    }
    if (out->has_blob_gas) {
        read_u64(&r, &out->blob_gas_used);
        read_u64(&r, &out->excess_blob_gas);
        read_hash(&r, &out->parent_beacon_root);
    }
    if (out->has_requests_hash) {
        read_hash(&r, &out->requests_hash);
    }
    return r.reason;
}

cevm_err cevm_header_decode(cevm_header *out, cevm_block_error *reason, cevm_bytes rlp)
{
    cevm_bytes payload;
    *reason = CEVM_BLOCK_RLP_STRUCTURES_ENCODING;
    if (cevm_rlp_next_list(&rlp, &payload) && rlp.size == 0) {
        *reason = cevm_header_read(out, payload);
    }
    return *reason == CEVM_BLOCK_NONE ? CEVM_OK : CEVM_ERR_ENCODING;
}

/* ---- Writing ------------------------------------------------------------------------------------------------------ */

void cevm_header_put(cevm_buf *buf, const cevm_header *header, bool with_seal)
{
    const size_t list = cevm_rlp_list_begin(buf);
    cevm_rlp_put_hash(buf, &header->parent_hash);
    cevm_rlp_put_hash(buf, &header->ommers_hash);
    cevm_rlp_put_address(buf, &header->coinbase);
    cevm_rlp_put_hash(buf, &header->state_root);
    cevm_rlp_put_hash(buf, &header->transactions_root);
    cevm_rlp_put_hash(buf, &header->receipts_root);
    cevm_rlp_put_bytes(buf, header->logs_bloom.bytes, sizeof header->logs_bloom.bytes);
    cevm_rlp_put_u256(buf, &header->difficulty);
    cevm_rlp_put_u64(buf, header->number);
    cevm_rlp_put_u64(buf, header->gas_limit);
    cevm_rlp_put_u64(buf, header->gas_used);
    cevm_rlp_put_u64(buf, header->timestamp);
    cevm_rlp_put_bytes(buf, header->extra_data.data, header->extra_data.size);
    if (with_seal) {
        cevm_rlp_put_hash(buf, &header->mix_hash);
        cevm_rlp_put_bytes(buf, header->nonce, sizeof header->nonce);
    }
    if (header->has_base_fee) {
        cevm_rlp_put_u256(buf, &header->base_fee);
    }
    if (header->has_withdrawals_root) {
        cevm_rlp_put_hash(buf, &header->withdrawals_root);
    }
    if (header->has_blob_gas) {
        cevm_rlp_put_u64(buf, header->blob_gas_used);
        cevm_rlp_put_u64(buf, header->excess_blob_gas);
    }
    if (header->has_parent_beacon_root) {
        cevm_rlp_put_hash(buf, &header->parent_beacon_root);
    }
    if (header->has_requests_hash) {
        cevm_rlp_put_hash(buf, &header->requests_hash);
    }
    cevm_rlp_list_end(buf, list);
}

cevm_err cevm_header_encode(uint8_t *out, size_t *size, size_t capacity, const cevm_header *header,
                            const cevm_allocator *allocator)
{
    cevm_buf buf;
    cevm_buf_init(&buf, allocator);
    cevm_header_put(&buf, header, true);
    return cevm_encoding_finish(out, size, capacity, &buf);
}

cevm_err cevm_header_hash(cevm_hash *out, const cevm_header *header, const cevm_allocator *allocator)
{
    cevm_buf buf;
    cevm_buf_init(&buf, allocator);
    cevm_header_put(&buf, header, true);
    return cevm_hash_finish(out, &buf);
}
