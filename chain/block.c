/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks to bytes and back: [header, transactions, ommers] and, from EIP-4895 on, withdrawals. A legacy transaction stands
 * in the list as a list, a typed one as a string of type ‖ list (EIP-2718).
 *
 * As with transactions the parser runs twice: once to check and to count, and once over the copied bytes into memory of
 * exactly that size. Ommers and withdrawals are thus seen whole before room is made for them, and memory stays within a
 * constant factor of the input.
 */
#include <cevm/alloc.h>
#include <cevm/crypto.h>

#include "chain/encoding.h"
#include "chain/header_codec.h"
#include "state/trie.h"

const cevm_hash cevm_empty_ommers_hash = {{0x1d, 0xcc, 0x4d, 0xe8, 0xde, 0xc7, 0x5d, 0x7a, 0xab, 0x85, 0xb5,
                                           0x67, 0xb6, 0xcc, 0xd4, 0x1a, 0xd3, 0x12, 0x45, 0x1b, 0x94, 0x8a,
                                           0x74, 0x13, 0xf0, 0xa1, 0x42, 0xfd, 0x40, 0xd4, 0x93, 0x47}};

/* ---- Reading ------------------------------------------------------------------------------------------------------ */

/** What the parser is at. On the counting run the arrays are NULL and nothing but `block` is written. */
typedef struct parser {
    cevm_block *block;
    cevm_bytes txs; /* payload of the list, read later */
    cevm_tx **tx;
    cevm_bytes *raw;
    cevm_header *ommers;
    cevm_withdrawal *withdrawals;
} parser;

static cevm_block_error read_number(cevm_bytes *cursor, uint64_t *out)
{
    const cevm_rlp_number result = cevm_rlp_next_u64(cursor, out);
    if (result == CEVM_RLP_NUMBER_OK) {
        return CEVM_BLOCK_NONE;
    }
    return result == CEVM_RLP_NUMBER_TOO_WIDE ? CEVM_BLOCK_RLP_INVALID_FIELD_OVERFLOW_64
                                              : CEVM_BLOCK_RLP_STRUCTURES_ENCODING;
}

/** EIP-4895: [index, validator index, address, amount]. */
static cevm_block_error read_withdrawal(cevm_withdrawal *out, cevm_bytes *list)
{
    cevm_bytes cursor, address;
    if (!cevm_rlp_next_list(list, &cursor)) {
        return CEVM_BLOCK_RLP_STRUCTURES_ENCODING;
    }
    cevm_block_error reason = read_number(&cursor, &out->index);
    if (reason == CEVM_BLOCK_NONE) {
        reason = read_number(&cursor, &out->validator_index);
    }
    if (reason != CEVM_BLOCK_NONE) {
        return reason;
    }
    if (!cevm_rlp_next_string(&cursor, &address)) {
        return CEVM_BLOCK_RLP_STRUCTURES_ENCODING;
    }
    if (address.size != sizeof out->address.bytes) {
        return CEVM_BLOCK_RLP_INVALID_ADDRESS;
    }
    memcpy(out->address.bytes, address.data, address.size);
    reason = read_number(&cursor, &out->amount);
    return reason == CEVM_BLOCK_NONE && cursor.size != 0 ? CEVM_BLOCK_RLP_STRUCTURES_ENCODING : reason;
}

static cevm_block_error read_withdrawals(parser *p, cevm_bytes list)
{
    size_t count = 0;
    for (; list.size != 0; ++count) {
        cevm_withdrawal one;
        const cevm_block_error reason = read_withdrawal(&one, &list);
        if (reason != CEVM_BLOCK_NONE) {
            return reason;
        }
        if (p->withdrawals != NULL) {
            p->withdrawals[count] = one;
        }
    }
    p->block->withdrawal_count = count;
    return CEVM_BLOCK_NONE;
}

static cevm_block_error read_ommers(parser *p, cevm_bytes list)
{
    size_t count = 0;
    for (; list.size != 0; ++count) {
        cevm_bytes payload;
        cevm_header one;
        if (!cevm_rlp_next_list(&list, &payload)) {
            return CEVM_BLOCK_RLP_STRUCTURES_ENCODING;
        }
        const cevm_block_error reason = cevm_header_read(&one, payload);
        if (reason != CEVM_BLOCK_NONE) {
            return reason;
        }
        if (p->ommers != NULL) {
            p->ommers[count] = one;
        }
    }
    p->block->ommer_count = count;
    return CEVM_BLOCK_NONE;
}

/** Everything but the transactions, which are only counted. */
static cevm_block_error read_block(parser *p, cevm_bytes rlp)
{
    cevm_bytes cursor, fields, ommers, withdrawals = {NULL, 0};
    cevm_rlp_item header;
    cevm_block *block = p->block;
    if (!cevm_rlp_next_list(&rlp, &cursor) || rlp.size != 0 || !cevm_rlp_next(&cursor, &header) || !header.is_list) {
        return CEVM_BLOCK_RLP_STRUCTURES_ENCODING;
    }
    fields = header.payload;
    cevm_block_error reason = cevm_header_read(&block->header, fields);
    if (reason != CEVM_BLOCK_NONE) {
        return reason;
    }
    if (!cevm_rlp_next_list(&cursor, &p->txs) || !cevm_rlp_count(&block->tx_count, p->txs) ||
        !cevm_rlp_next_list(&cursor, &ommers)) {
        return CEVM_BLOCK_RLP_STRUCTURES_ENCODING;
    }
    reason = read_ommers(p, ommers);
    if (reason != CEVM_BLOCK_NONE) {
        return reason;
    }
    block->has_withdrawals = cursor.size != 0;
    if (!block->has_withdrawals) {
        return block->header.has_withdrawals_root ? CEVM_BLOCK_RLP_WITHDRAWALS_NOT_READ : CEVM_BLOCK_NONE;
    }
    if (!cevm_rlp_next_list(&cursor, &withdrawals) || cursor.size != 0) {
        return CEVM_BLOCK_RLP_STRUCTURES_ENCODING;
    }
    return read_withdrawals(p, withdrawals);
}

/** Adds the room `count` items of `size` bytes take to *total; false when that is more than memory can be. */
static bool add_size(size_t *total, size_t count, size_t size)
{
    const size_t limit = SIZE_MAX / 8;
    if (count > limit / size || count * size > limit - *total) {
        return false;
    }
    *total += count * size;
    return true;
}

/** One block of memory for everything but the transactions: the struct, the arrays, and the bytes they point into. */
static cevm_block *allocate(parser *fill, const cevm_block *counted, cevm_bytes rlp, const cevm_allocator *allocator)
{
    _Static_assert(sizeof(cevm_block) % _Alignof(cevm_header) == 0, "ommers follow the struct");
    _Static_assert(sizeof(cevm_header) % _Alignof(cevm_withdrawal) == 0, "withdrawals follow the ommers");
    _Static_assert(sizeof(cevm_withdrawal) % _Alignof(cevm_bytes) == 0, "views follow the withdrawals");
    _Static_assert(sizeof(cevm_bytes) % _Alignof(cevm_tx *) == 0, "pointers follow the views");
    const size_t ommers_at = sizeof(cevm_block);
    size_t withdrawals_at = ommers_at;
    if (!add_size(&withdrawals_at, counted->ommer_count, sizeof(cevm_header))) {
        return NULL;
    }
    size_t raw_at = withdrawals_at;
    if (!add_size(&raw_at, counted->withdrawal_count, sizeof(cevm_withdrawal))) {
        return NULL;
    }
    size_t tx_at = raw_at;
    if (!add_size(&tx_at, counted->tx_count, sizeof(cevm_bytes))) {
        return NULL;
    }
    size_t rlp_at = tx_at;
    if (!add_size(&rlp_at, counted->tx_count, sizeof(cevm_tx *))) {
        return NULL;
    }
    size_t total = rlp_at;
    uint8_t *memory = add_size(&total, rlp.size, 1) ? cevm_alloc(allocator, total) : NULL;
    if (memory == NULL) {
        return NULL;
    }
    memcpy(memory + rlp_at, rlp.data, rlp.size);
    cevm_block *block = (cevm_block *)(void *)memory;
    memset(block, 0, sizeof *block);
    *fill = (parser){.block = block};
    fill->ommers = (cevm_header *)(void *)(memory + ommers_at);
    fill->withdrawals = (cevm_withdrawal *)(void *)(memory + withdrawals_at);
    fill->raw = (cevm_bytes *)(void *)(memory + raw_at);
    fill->tx = (cevm_tx **)(void *)(memory + tx_at);
    (void)read_block(fill, (cevm_bytes){memory + rlp_at, rlp.size}); /* the same bytes have just been accepted */
    block->rlp_size = rlp.size;
    block->txs = block->tx_count != 0 ? fill->tx : NULL;
    block->raw_txs = block->tx_count != 0 ? fill->raw : NULL;
    block->ommers = block->ommer_count != 0 ? fill->ommers : NULL;
    block->withdrawals = block->withdrawal_count != 0 ? fill->withdrawals : NULL;
    return block;
}

/** Decodes the transactions one by one; block->tx_count is how many there are to free, at any time. */
static cevm_err read_txs(parser *p, cevm_block_verdict *verdict, const cevm_allocator *allocator)
{
    const size_t count = p->block->tx_count;
    cevm_bytes cursor = p->txs;
    p->block->tx_count = 0;
    for (size_t i = 0; i < count; ++i) {
        cevm_rlp_item item;
        (void)cevm_rlp_next(&cursor, &item); /* they have been counted */
        /* A string that begins like a list would be a legacy transaction in the wrapping of a typed one. */
        const bool is_known_form = item.is_list || item.payload.size == 0 || item.payload.data[0] < 0x80;
        p->raw[i] = item.is_list ? item.whole : item.payload;
        cevm_tx_error reason = CEVM_TX_TYPE_NOT_SUPPORTED;
        const cevm_err err =
            is_known_form ? cevm_tx_decode(&p->tx[i], &reason, p->raw[i], allocator) : CEVM_ERR_ENCODING;
        if (err == CEVM_ERR_ENCODING) {
            *verdict = (cevm_block_verdict){CEVM_BLOCK_TRANSACTION, reason, i};
        }
        if (err != CEVM_OK) {
            return err;
        }
        p->block->tx_count = i + 1;
    }
    return CEVM_OK;
}

/** The hash of the block, over the bytes of its header as they came. */
static void hash_header(cevm_hash *out, cevm_bytes rlp)
{
    cevm_bytes cursor;
    cevm_rlp_item header;
    if (cevm_rlp_next_list(&rlp, &cursor) && cevm_rlp_next(&cursor, &header)) {
        cevm_keccak256(out, header.whole.data, header.whole.size);
    }
}

cevm_err cevm_block_decode(cevm_block **out, cevm_block_verdict *verdict, cevm_bytes rlp,
                           const cevm_allocator *allocator)
{
    cevm_block scratch = {0};
    parser count = {.block = &scratch};
    *out = NULL;
    *verdict = (cevm_block_verdict){read_block(&count, rlp), CEVM_TX_NONE, 0};
    if (verdict->error != CEVM_BLOCK_NONE) {
        return CEVM_ERR_ENCODING;
    }
    parser fill;
    cevm_block *block = allocate(&fill, &scratch, rlp, allocator);
    if (block == NULL) {
        return CEVM_ERR_NOMEM;
    }
    hash_header(&block->hash, rlp);
    const cevm_err err = read_txs(&fill, verdict, allocator);
    if (err != CEVM_OK) {
        cevm_block_destroy(block, allocator);
        return err;
    }
    *out = block;
    return CEVM_OK;
}

void cevm_block_destroy(cevm_block *block, const cevm_allocator *allocator)
{
    if (block == NULL) {
        return;
    }
    for (size_t i = 0; i < block->tx_count; ++i) {
        cevm_tx_destroy(block->txs[i], allocator);
    }
    cevm_free(allocator, block);
}

/* ---- Writing ------------------------------------------------------------------------------------------------------ */

static void put_withdrawal(cevm_buf *buf, const cevm_withdrawal *withdrawal)
{
    const size_t list = cevm_rlp_list_begin(buf);
    cevm_rlp_put_u64(buf, withdrawal->index);
    cevm_rlp_put_u64(buf, withdrawal->validator_index);
    cevm_rlp_put_address(buf, &withdrawal->address);
    cevm_rlp_put_u64(buf, withdrawal->amount);
    cevm_rlp_list_end(buf, list);
}

static void put_ommers(cevm_buf *buf, const cevm_header *ommers, size_t count)
{
    const size_t list = cevm_rlp_list_begin(buf);
    for (size_t i = 0; i < count; ++i) {
        cevm_header_put(buf, &ommers[i], true);
    }
    cevm_rlp_list_end(buf, list);
}

cevm_err cevm_block_encode(uint8_t *out, size_t *size, size_t capacity, const cevm_block *block,
                           const cevm_allocator *allocator)
{
    cevm_buf buf;
    cevm_buf_init(&buf, allocator);
    const size_t all = cevm_rlp_list_begin(&buf);
    cevm_header_put(&buf, &block->header, true);
    const size_t txs = cevm_rlp_list_begin(&buf);
    for (size_t i = 0; i < block->tx_count; ++i) {
        const cevm_bytes raw = block->raw_txs[i];
        if (raw.size != 0 && raw.data[0] >= 0xc0) {
            cevm_buf_append(&buf, raw.data, raw.size); /* a list already */
        } else {
            cevm_rlp_put_bytes(&buf, raw.data, raw.size);
        }
    }
    cevm_rlp_list_end(&buf, txs);
    put_ommers(&buf, block->ommers, block->ommer_count);
    if (block->has_withdrawals) {
        const size_t list = cevm_rlp_list_begin(&buf);
        for (size_t i = 0; i < block->withdrawal_count; ++i) {
            put_withdrawal(&buf, &block->withdrawals[i]);
        }
        cevm_rlp_list_end(&buf, list);
    }
    cevm_rlp_list_end(&buf, all);
    return cevm_encoding_finish(out, size, capacity, &buf);
}

/* ---- Roots -------------------------------------------------------------------------------------------------------- */

cevm_err cevm_transactions_root(cevm_hash *out, const cevm_bytes *raw_txs, size_t count,
                                const cevm_allocator *allocator)
{
    return cevm_trie_ordered_root(out, raw_txs, count, allocator);
}

cevm_err cevm_withdrawals_root(cevm_hash *out, const cevm_withdrawal *withdrawals, size_t count,
                               const cevm_allocator *allocator)
{
    if (count == 0) {
        *out = cevm_trie_empty_root;
        return CEVM_OK;
    }
    cevm_bytes *values = cevm_resize_array(allocator, NULL, count, sizeof *values);
    if (values == NULL) {
        return CEVM_ERR_NOMEM;
    }
    cevm_buf buf;
    cevm_buf_init(&buf, allocator);
    for (size_t i = 0; i < count; ++i) {
        const size_t start = buf.size;
        put_withdrawal(&buf, &withdrawals[i]);
        values[i].size = buf.size - start;
    }
    cevm_err err = buf.failed ? CEVM_ERR_NOMEM : CEVM_OK;
    if (err == CEVM_OK) {
        size_t at = 0; /* the buffer has moved while it grew; now it stands still */
        for (size_t i = 0; i < count; at += values[i].size, ++i) {
            values[i].data = buf.data + at;
        }
        err = cevm_trie_ordered_root(out, values, count, allocator);
    }
    cevm_buf_free(&buf);
    cevm_free(allocator, values);
    return err;
}

cevm_err cevm_ommers_hash(cevm_hash *out, const cevm_header *ommers, size_t count, const cevm_allocator *allocator)
{
    cevm_buf buf;
    cevm_buf_init(&buf, allocator);
    put_ommers(&buf, ommers, count);
    return cevm_hash_finish(out, &buf);
}
