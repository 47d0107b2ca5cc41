/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Any bytes as a block and as a header: what decodes must encode to the same bytes, and every function must take what
 * decodes. Input that begins with a small number is a list of edits to a valid block or header of that age, because chance
 * does not find the 500 bytes of the shortest header.
 */
#include <cevm/block.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool condition)
{
    if (!condition) {
        abort();
    }
}

/** Every rule on a header, with itself as the parent and with one it would fit on. */
static void use_header(const cevm_header *header)
{
    for (int fork = 0; fork < CEVM_FORK_COUNT; ++fork) {
        cevm_chain_config config;
        cevm_block_env env;
        cevm_block_error reason = CEVM_BLOCK_ERROR_COUNT;
        cevm_header parent = *header;
        const bool is_merged = fork >= (int)CEVM_PARIS;
        cevm_chain_config_at_fork(&config, (cevm_fork)fork);
        cevm_header_check(&reason, &config, header, &parent, is_merged);
        need(reason != CEVM_BLOCK_NONE && reason < CEVM_BLOCK_ERROR_COUNT); /* nothing is its own parent */
        parent.number = header->number - 1;
        parent.timestamp = header->timestamp / 2;
        cevm_header_check(&reason, &config, header, &parent, is_merged);
        need(reason < CEVM_BLOCK_ERROR_COUNT);
        cevm_header_env(&env, &config, header, is_merged);
        need(env.fork == (cevm_fork)fork);
    }
}

static void fuzz_header(cevm_bytes data)
{
    cevm_header header;
    cevm_block_error reason = CEVM_BLOCK_NONE;
    cevm_hash hash;
    size_t size = 0;
    const cevm_err err = cevm_header_decode(&header, &reason, data);
    if (err != CEVM_OK) {
        need(err == CEVM_ERR_ENCODING && reason != CEVM_BLOCK_NONE);
        return;
    }
    uint8_t *again = malloc(data.size);
    need(again != NULL && cevm_header_encode(again, &size, data.size, &header, NULL) == CEVM_OK);
    need(size == data.size && memcmp(again, data.data, size) == 0);
    free(again);
    need(cevm_header_hash(&hash, &header, NULL) == CEVM_OK);
    use_header(&header);
}

static void use_block(const cevm_block *block)
{
    cevm_hash root;
    need(cevm_transactions_root(&root, block->raw_txs, block->tx_count, NULL) == CEVM_OK);
    need(cevm_ommers_hash(&root, block->ommers, block->ommer_count, NULL) == CEVM_OK);
    need(cevm_withdrawals_root(&root, block->withdrawals, block->withdrawal_count, NULL) == CEVM_OK);
    need(cevm_header_hash(&root, &block->header, NULL) == CEVM_OK && cevm_hash_equal(&root, &block->hash));
    need(block->has_withdrawals || !block->header.has_withdrawals_root);
    use_header(&block->header);
}

static void fuzz_block(cevm_bytes data)
{
    cevm_block *block = NULL;
    cevm_block_verdict verdict = {CEVM_BLOCK_NONE, CEVM_TX_NONE, 0};
    size_t size = 0;
    const cevm_err err = cevm_block_decode(&block, &verdict, data, NULL);
    if (err != CEVM_OK) {
        need(block == NULL && err == CEVM_ERR_ENCODING && verdict.error != CEVM_BLOCK_NONE);
        need((verdict.error == CEVM_BLOCK_TRANSACTION) == (verdict.tx_error != CEVM_TX_NONE));
        return;
    }
    uint8_t *again = malloc(data.size);
    need(again != NULL && cevm_block_encode(again, &size, data.size, block, NULL) == CEVM_OK);
    need(size == data.size && memcmp(again, data.data, size) == 0);
    free(again);
    use_block(block);
    cevm_block_destroy(block, NULL);
}

/* ---- Edits of something valid ------------------------------------------------------------------------------------- */

enum { AGES = 5, CAPACITY = 8192 }; /* Frontier, London, Shanghai, Cancun, Prague: each with more fields */

static cevm_header make_header(unsigned age)
{
    static const uint8_t extra[] = {1, 2, 3};
    cevm_header h = {.number = 200, .gas_limit = 30000000, .timestamp = 1000, .extra_data = {extra, sizeof extra}};
    h.ommers_hash = cevm_empty_ommers_hash;
    h.has_base_fee = age >= 1;
    h.base_fee = cevm_u256_from_u64(1000000000);
    h.has_withdrawals_root = age >= 2;
    h.has_blob_gas = age >= 3;
    h.has_parent_beacon_root = age >= 3;
    h.has_requests_hash = age >= 4;
    return h;
}

/** A block with a transaction of each type, an ommer and two withdrawals; returns the size of its encoding. */
static size_t make_block(uint8_t out[CAPACITY], unsigned age)
{
    static const cevm_hash hashes[] = {{{1}}, {{2}}};
    static const cevm_access_entry entries[] = {{{{3}}, hashes, 2}};
    static const cevm_authorization tuples[] = {{.nonce = 1, .y_parity = 1}};
    uint8_t raw[AGES][1024];
    cevm_bytes views[AGES];
    const cevm_header ommer = make_header(0);
    const cevm_withdrawal withdrawals[] = {{.index = 1, .amount = 300}, {.index = 2}};
    cevm_block block = {.header = make_header(age), .raw_txs = views, .tx_count = AGES};
    for (size_t type = 0; type < AGES; ++type) {
        cevm_tx tx = {.type = (cevm_tx_type)type, .has_chain_id = true, .chain_id = 1, .gas_limit = 21000};
        size_t size = 0;
        tx.v = cevm_u256_from_u64(type == 0 ? 37 : 1);
        if (type != CEVM_TX_LEGACY) {
            tx.access_list = entries;
            tx.access_count = 1;
        }
        if (type == CEVM_TX_BLOB) {
            tx.blob_hashes = hashes;
            tx.blob_count = 2;
        }
        if (type == CEVM_TX_SET_CODE) {
            tx.authorizations = tuples;
            tx.authorization_count = 1;
        }
        need(cevm_tx_encode(raw[type], &size, sizeof raw[type], &tx, NULL) == CEVM_OK);
        views[type] = (cevm_bytes){raw[type], size};
    }
    block.ommers = &ommer;
    block.ommer_count = 1;
    block.has_withdrawals = age >= 2;
    block.withdrawals = withdrawals;
    block.withdrawal_count = block.has_withdrawals ? 2 : 0;
    size_t size = 0;
    need(cevm_block_encode(out, &size, CAPACITY, &block, NULL) == CEVM_OK);
    return size;
}

/** Applies edits of four bytes each: a place (two bytes), what to do there, and a byte to do it with. */
static size_t edit(uint8_t *bytes, size_t size, cevm_bytes edits)
{
    for (; edits.size >= 4 && size != 0; edits.data += 4, edits.size -= 4) {
        const size_t at = ((size_t)edits.data[0] << 8 | edits.data[1]) % size;
        const uint8_t byte = edits.data[3];
        switch (edits.data[2] % 4) {
        case 0: bytes[at] = byte; break;
        case 1: bytes[at] = (uint8_t)(bytes[at] + byte); break;
        case 2:
            memmove(bytes + at, bytes + at + 1, size - at - 1);
            size -= 1;
            break;
        default:
            if (size < CAPACITY) {
                memmove(bytes + at + 1, bytes + at, size - at);
                bytes[at] = byte;
                size += 1;
            }
            break;
        }
    }
    return size;
}

/** A copy of exactly the size, so that a read past its end is seen. */
static void fuzz_copy(const uint8_t *bytes, size_t size, bool is_block)
{
    uint8_t *exact = malloc(size != 0 ? size : 1);
    need(exact != NULL);
    memcpy(exact, bytes, size);
    if (is_block) {
        fuzz_block((cevm_bytes){exact, size});
    } else {
        fuzz_header((cevm_bytes){exact, size});
    }
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || data[0] >= 2 * AGES) {
        fuzz_block((cevm_bytes){data, size});
        fuzz_header((cevm_bytes){data, size});
        return 0;
    }
    uint8_t bytes[CAPACITY];
    const bool is_block = data[0] >= AGES;
    const cevm_bytes edits = {data + 1, size - 1};
    size_t length = 0;
    if (is_block) {
        length = make_block(bytes, data[0] - AGES);
    } else {
        const cevm_header header = make_header(data[0]);
        need(cevm_header_encode(bytes, &length, CAPACITY, &header, NULL) == CEVM_OK);
    }
    fuzz_copy(bytes, edit(bytes, length, edits), is_block);
    return 0;
}
