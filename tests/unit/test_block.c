/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks: their codec, their roots, the bloom filter, and the names of what may be wrong with one. The blocks are those of
 * the official tests in the repository, and all others when the vectors are at hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cevm/crypto.h>
#include <cevm/hex.h>

#include <ftw.h>

#include "state/rlp.h"
#include "tests/unit/block_samples.h"
#include "tests/unit/vector_file.h"

/* ---- There and back ----------------------------------------------------------------------------------------------- */

static void assert_same_hash(const cevm_hash *actual, const cevm_hash *expected)
{
    assert_memory_equal(actual->bytes, expected->bytes, sizeof actual->bytes);
}

/** Decodes a block and encodes it again; header and transactions one by one too. Returns false when it does not decode. */
static bool goes_there_and_back(cevm_bytes rlp, const cevm_hash *hash)
{
    cevm_block *block;
    cevm_block_verdict verdict;
    cevm_hash actual;
    size_t size = 0;
    const cevm_err err = cevm_block_decode(&block, &verdict, rlp, NULL);
    if (err == CEVM_ERR_ENCODING) {
        assert_null(block);
        assert_int_not_equal(verdict.error, CEVM_BLOCK_NONE);
        return false;
    }
    assert_int_equal(err, CEVM_OK);
    uint8_t *again = malloc(rlp.size);
    assert_non_null(again);
    assert_int_equal(cevm_block_encode(NULL, &size, 0, block, NULL), CEVM_OK);
    assert_int_equal(size, rlp.size);
    assert_int_equal(block->rlp_size, rlp.size);
    assert_int_equal(cevm_block_encode(again, &size, rlp.size, block, NULL), CEVM_OK);
    assert_memory_equal(again, rlp.data, rlp.size);
    assert_int_equal(cevm_header_hash(&actual, &block->header, NULL), CEVM_OK);
    assert_same_hash(&actual, &block->hash);
    if (hash != NULL) {
        assert_same_hash(&block->hash, hash);
    }
    for (size_t i = 0; i < block->tx_count; ++i) {
        assert_int_equal(cevm_tx_encode(again, &size, rlp.size, block->txs[i], NULL), CEVM_OK);
        assert_int_equal(size, block->raw_txs[i].size);
        assert_memory_equal(again, block->raw_txs[i].data, size);
    }
    free(again);
    cevm_block_destroy(block, NULL);
    return true;
}

/** The roots of a valid block's body are those its header has. */
static void assert_roots(const cevm_block *block)
{
    cevm_hash root;
    assert_int_equal(cevm_transactions_root(&root, block->raw_txs, block->tx_count, NULL), CEVM_OK);
    assert_same_hash(&root, &block->header.transactions_root);
    assert_int_equal(cevm_ommers_hash(&root, block->ommers, block->ommer_count, NULL), CEVM_OK);
    assert_same_hash(&root, &block->header.ommers_hash);
    assert_int_equal(block->has_withdrawals, block->header.has_withdrawals_root);
    if (block->has_withdrawals) {
        assert_int_equal(cevm_withdrawals_root(&root, block->withdrawals, block->withdrawal_count, NULL), CEVM_OK);
        assert_same_hash(&root, &block->header.withdrawals_root);
    }
}

typedef struct seen {
    size_t blocks, txs[5], ommers, withdrawals;
} seen;

static void check_sample(cevm_blockchain_test *test, void *user)
{
    seen *s = user;
    for (size_t i = 0; i < test->block_count; ++i) {
        const cevm_test_block b = test_block_at(test, i);
        if (!b.is_valid) {
            (void)goes_there_and_back(b.rlp, NULL);
            continue;
        }
        assert_true(goes_there_and_back(b.rlp, &b.hash));
        cevm_block *block = decode_block(b.rlp);
        assert_roots(block);
        ++s->blocks;
        s->ommers += block->ommer_count;
        s->withdrawals += block->withdrawal_count;
        for (size_t t = 0; t < block->tx_count; ++t) {
            ++s->txs[block->txs[t]->type];
        }
        cevm_block_destroy(block, NULL);
    }
}

static void test_samples(void **state)
{
    (void)state;
    seen s = {0};
    for (size_t i = 0; i < BLOCK_SAMPLES; ++i) {
        for_each_blockchain_test(block_samples[i], check_sample, &s);
    }
    assert_true(s.blocks >= 50 && s.ommers >= 3 && s.withdrawals >= 3); /* EIP-4895 among them */
    for (size_t type = 0; type < 5; ++type) {
        assert_true(s.txs[type] != 0);
    }
}

/* ---- All blocks of the vectors ------------------------------------------------------------------------------------ */

static size_t vector_blocks; /* nftw's callback takes no argument of ours */

static int visit(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)place;
    const size_t length = strlen(path);
    if (kind != FTW_F || length < 5 || strcmp(path + length - 5, ".json") != 0) {
        return 0;
    }
    json_t *root = json_load_file(path, JSON_ALLOW_NUL, NULL), *test, *entry;
    assert_non_null(root);
    const char *name;
    json_object_foreach(root, name, test)
    {
        size_t index;
        json_array_foreach(json_object_get(test, "blocks"), index, entry)
        {
            const char *text = json_string_value(json_object_get(entry, "rlp"));
            const json_t *header = json_object_get(entry, "blockHeader");
            if (text == NULL) {
                continue;
            }
            size_t size = 0;
            cevm_hash hash;
            uint8_t *raw = malloc(strlen(text) / 2 + 1);
            assert_non_null(raw);
            assert_true(cevm_hex_decode(raw, &size, text, strlen(text)));
            if (header != NULL) {
                const char *expected = json_string_value(json_object_get(header, "hash"));
                assert_true(cevm_hex_decode_exact(hash.bytes, sizeof hash.bytes, expected));
            }
            const bool decodes = goes_there_and_back((cevm_bytes){raw, size}, header != NULL ? &hash : NULL);
            if (!decodes && header != NULL) {
                fail_msg("%s: %s: valid block %zu does not decode", path, name, index);
            }
            vector_blocks += decodes;
            free(raw);
        }
    }
    json_decref(root);
    return 0;
}

static void test_vectors(void **state)
{
    (void)state;
    static const char *const folders[] = {
        "BlockchainTests/InvalidBlocks",
        "BlockchainTests/TransitionTests",
        "BlockchainTests/ValidBlocks",
        "LegacyTests/Cancun/BlockchainTests",
        "blockchain_tests/cancun/eip4844_blobs",
        "blockchain_tests/prague/eip7702_set_code_tx",
        "blockchain_tests/shanghai",
    };
    json_decref(open_vectors("BlockchainTests/InvalidBlocks/bcEIP1559/badBlocks.json"));
    const char *top = getenv("CEVM_VECTORS_DIR");
    vector_blocks = 0;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; ++i) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/%s", top != NULL ? top : "ethereum-tests/vectors", folders[i]);
        assert_int_equal(nftw(path, visit, 16, FTW_PHYS), 0);
    }
    print_message("%zu blocks\n", vector_blocks);
    assert_true(vector_blocks > 1000);
}

/* ---- What is no block --------------------------------------------------------------------------------------------- */

/** A valid block of Shanghai (shanghaiExample) taken apart: a transaction, no ommers, a withdrawal. */
typedef struct parts {
    uint8_t rlp[1024];
    size_t size;
    cevm_rlp_item header, txs, ommers, withdrawals;
} parts;

static void keep_shanghai_block(cevm_blockchain_test *test, void *user)
{
    parts *p = user;
    const cevm_test_block b = test_block_at(test, 0);
    if (strcmp(test->network_name, "Shanghai") == 0) {
        assert_in_range(b.rlp.size, 1, sizeof p->rlp);
        memcpy(p->rlp, b.rlp.data, b.rlp.size);
        p->size = b.rlp.size;
    }
}

static void take_apart(parts *p)
{
    cevm_bytes cursor;
    p->size = 0;
    for_each_blockchain_test("legacy/shanghaiExample.json", keep_shanghai_block, p);
    cevm_bytes rlp = {p->rlp, p->size};
    assert_true(cevm_rlp_next_list(&rlp, &cursor) && cevm_rlp_next(&cursor, &p->header) &&
                cevm_rlp_next(&cursor, &p->txs) && cevm_rlp_next(&cursor, &p->ommers) &&
                cevm_rlp_next(&cursor, &p->withdrawals));
    assert_int_equal(cursor.size, 0);
}

/** The verdict on the list of these items. */
static cevm_block_verdict verdict_on(const cevm_bytes *items, size_t count)
{
    cevm_buf buf;
    cevm_block *block;
    cevm_block_verdict verdict;
    cevm_buf_init(&buf, NULL);
    const size_t list = cevm_rlp_list_begin(&buf);
    for (size_t i = 0; i < count; ++i) {
        cevm_buf_append(&buf, items[i].data, items[i].size);
    }
    cevm_rlp_list_end(&buf, list);
    assert_false(buf.failed);
    const cevm_err err = cevm_block_decode(&block, &verdict, (cevm_bytes){buf.data, buf.size}, NULL);
    assert_int_equal(err, verdict.error == CEVM_BLOCK_NONE ? CEVM_OK : CEVM_ERR_ENCODING);
    assert_int_equal(block != NULL, err == CEVM_OK);
    cevm_block_destroy(block, NULL);
    cevm_buf_free(&buf);
    return verdict;
}

#define VIEW(literal) ((cevm_bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

static void test_wrong_structures(void **state)
{
    (void)state;
    parts p;
    take_apart(&p);
    const cevm_bytes header = p.header.whole, txs = p.txs.whole, ommers = p.ommers.whole, last = p.withdrawals.whole;
    const cevm_bytes text = VIEW("\x83"
                                 "abc"),
                     none = VIEW("\x80");
    const struct {
        cevm_bytes items[5];
        size_t count;
        cevm_block_error error;
    } cases[] = {
        {{header, txs, ommers, last}, 4, CEVM_BLOCK_NONE},
        {{header, txs, ommers}, 3, CEVM_BLOCK_RLP_WITHDRAWALS_NOT_READ},
        {{header, txs}, 2, CEVM_BLOCK_RLP_STRUCTURES_ENCODING},
        {{header}, 1, CEVM_BLOCK_RLP_STRUCTURES_ENCODING},
        {{header}, 0, CEVM_BLOCK_RLP_STRUCTURES_ENCODING},
        {{header, txs, ommers, last, last}, 5, CEVM_BLOCK_RLP_STRUCTURES_ENCODING},
        {{text, txs, ommers, last}, 4, CEVM_BLOCK_RLP_STRUCTURES_ENCODING},
        {{header, text, ommers, last}, 4, CEVM_BLOCK_RLP_STRUCTURES_ENCODING},
        {{header, none, ommers, last}, 4, CEVM_BLOCK_RLP_STRUCTURES_ENCODING},
        {{header, txs, text, last}, 4, CEVM_BLOCK_RLP_STRUCTURES_ENCODING},
        {{header, txs, ommers, text}, 4, CEVM_BLOCK_RLP_STRUCTURES_ENCODING},
        {{header, txs, VIEW("\xc1\xc0"), last}, 4, CEVM_BLOCK_RLP_STRUCTURES_ENCODING},
        {{header, txs, VIEW("\xc1\x80"), last}, 4, CEVM_BLOCK_RLP_STRUCTURES_ENCODING},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        assert_int_equal(verdict_on(cases[i].items, cases[i].count).error, cases[i].error);
    }
}

/* Every prefix of a block, a block with a byte behind it, and what is no list at all. */
static void test_truncated(void **state)
{
    (void)state;
    parts p;
    cevm_block *block;
    cevm_block_verdict verdict;
    take_apart(&p);
    for (size_t size = 0; size <= p.size + 1; ++size) {
        const cevm_err err = cevm_block_decode(&block, &verdict, (cevm_bytes){p.rlp, size}, NULL);
        assert_int_equal(err, size == p.size ? CEVM_OK : CEVM_ERR_ENCODING);
        assert_int_equal(verdict.error, size == p.size ? CEVM_BLOCK_NONE : CEVM_BLOCK_RLP_STRUCTURES_ENCODING);
        cevm_block_destroy(block, NULL);
    }
    assert_int_equal(cevm_block_decode(&block, &verdict,
                                       VIEW("\x83"
                                            "abc"),
                                       NULL),
                     CEVM_ERR_ENCODING);
    cevm_block_destroy(NULL, NULL);
}

/* EIP-4895: index, validator index and amount of 64 bits, an address of 20 bytes, and nothing else. */
static void test_eip4895_withdrawal_encoding(void **state)
{
    (void)state;
#define ADDRESS \
    "\x94"      \
    "aaaaaaaaaaaaaaaaaaaa"
#define MOST "\x88\xff\xff\xff\xff\xff\xff\xff\xff"
#define MORE "\x89\x01\0\0\0\0\0\0\0\0"
    static const struct {
        cevm_bytes fields;
        cevm_block_error error;
    } cases[] = {
        {{(const uint8_t *)"\x01\x02" ADDRESS "\x03", 24}, CEVM_BLOCK_NONE},
        {{(const uint8_t *)"\x80\x80" ADDRESS "\x80", 24}, CEVM_BLOCK_NONE},
        {{(const uint8_t *)MOST MOST ADDRESS MOST, 48}, CEVM_BLOCK_NONE},
        {{(const uint8_t *)MORE "\x02" ADDRESS "\x03", 33}, CEVM_BLOCK_RLP_INVALID_FIELD_OVERFLOW_64},
        {{(const uint8_t *)"\x01" MORE ADDRESS "\x03", 33}, CEVM_BLOCK_RLP_INVALID_FIELD_OVERFLOW_64},
        {{(const uint8_t *)"\x01\x02" ADDRESS MORE, 33}, CEVM_BLOCK_RLP_INVALID_FIELD_OVERFLOW_64},
        {{(const uint8_t *)"\x00\x02" ADDRESS "\x03", 24}, CEVM_BLOCK_RLP_STRUCTURES_ENCODING},
        {{(const uint8_t *)"\x01\xc0" ADDRESS "\x03", 24}, CEVM_BLOCK_RLP_STRUCTURES_ENCODING},
        {{(const uint8_t *)"\x01\x02\x93"
                           "aaaaaaaaaaaaaaaaaaa\x03",
          23},
         CEVM_BLOCK_RLP_INVALID_ADDRESS},
        {{(const uint8_t *)"\x01\x02\x95"
                           "aaaaaaaaaaaaaaaaaaaaa\x03",
          25},
         CEVM_BLOCK_RLP_INVALID_ADDRESS},
        {{(const uint8_t *)"\x01\x02\xc0\x03", 4}, CEVM_BLOCK_RLP_STRUCTURES_ENCODING},
        {{(const uint8_t *)"\x01\x02" ADDRESS, 23}, CEVM_BLOCK_RLP_STRUCTURES_ENCODING},
        {{(const uint8_t *)"\x01\x02" ADDRESS "\x03\x04", 25}, CEVM_BLOCK_RLP_STRUCTURES_ENCODING},
    };
#undef ADDRESS
#undef MOST
#undef MORE
    parts p;
    take_apart(&p);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        cevm_buf buf;
        cevm_buf_init(&buf, NULL);
        const size_t all = cevm_rlp_list_begin(&buf), one = cevm_rlp_list_begin(&buf);
        cevm_buf_append(&buf, cases[i].fields.data, cases[i].fields.size);
        cevm_rlp_list_end(&buf, one);
        cevm_rlp_list_end(&buf, all);
        const cevm_bytes items[] = {p.header.whole, p.txs.whole, p.ommers.whole, {buf.data, buf.size}};
        assert_int_equal(verdict_on(items, 4).error, cases[i].error);
        cevm_buf_free(&buf);
    }
}

/* EIP-2718: what stands in the list of transactions, and where the first bad one is. */
static void test_transaction_forms(void **state)
{
    (void)state;
    parts p;
    take_apart(&p);
    cevm_buf wrapped;
    cevm_buf_init(&wrapped, NULL);
    cevm_rlp_put_bytes(&wrapped, p.txs.payload.data, p.txs.payload.size); /* a legacy one as typed ones stand there */
    const struct {
        cevm_bytes second; /* behind a good one */
        cevm_tx_error error;
    } cases[] = {
        {p.txs.payload, CEVM_TX_NONE},
        {{wrapped.data, wrapped.size}, CEVM_TX_TYPE_NOT_SUPPORTED},
        {VIEW("\x80"), CEVM_TX_RLP_ERROR_EOF},
        {VIEW("\x02"), CEVM_TX_RLP_ERROR_EOF},
        {VIEW("\x7f"), CEVM_TX_TYPE_NOT_SUPPORTED},
        {VIEW("\x82\x05\xc0"), CEVM_TX_TYPE_NOT_SUPPORTED},
        {VIEW("\x82\x02\xc0"), CEVM_TX_RLP_TOO_FEW_ELEMENTS},
        {VIEW("\xc0"), CEVM_TX_RLP_TOO_FEW_ELEMENTS},
        {VIEW("\x86\x03\xc4\xc0\xc0\xc0\xc0"), CEVM_TX_TYPE_3_TX_WITH_FULL_BLOBS}, /* EIP-4844's form for the network */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        cevm_buf buf;
        cevm_buf_init(&buf, NULL);
        const size_t list = cevm_rlp_list_begin(&buf);
        cevm_buf_append(&buf, p.txs.payload.data, p.txs.payload.size);
        cevm_buf_append(&buf, cases[i].second.data, cases[i].second.size);
        cevm_rlp_list_end(&buf, list);
        const cevm_bytes items[] = {p.header.whole, {buf.data, buf.size}, p.ommers.whole, p.withdrawals.whole};
        const cevm_block_verdict verdict = verdict_on(items, 4);
        assert_int_equal(verdict.error, cases[i].error != CEVM_TX_NONE ? CEVM_BLOCK_TRANSACTION : CEVM_BLOCK_NONE);
        assert_int_equal(verdict.tx_error, cases[i].error);
        assert_int_equal(verdict.tx_index, cases[i].error != CEVM_TX_NONE ? 1 : 0);
        cevm_buf_free(&buf);
    }
    cevm_buf_free(&wrapped);
}

/* A list of withdrawals in a block whose header has no root of one is well encoded; the chain refuses it. */
static void test_withdrawals_without_root(void **state)
{
    (void)state;
    parts p;
    take_apart(&p);
    cevm_header header;
    cevm_block_error reason;
    uint8_t encoded[1024];
    size_t size;
    assert_int_equal(cevm_header_decode(&header, &reason, p.header.whole), CEVM_OK);
    header.has_withdrawals_root = false;
    assert_int_equal(cevm_header_encode(encoded, &size, sizeof encoded, &header, NULL), CEVM_OK);
    const cevm_bytes items[] = {{encoded, size}, p.txs.whole, p.ommers.whole, p.withdrawals.whole};
    assert_int_equal(verdict_on(items, 4).error, CEVM_BLOCK_NONE);
    assert_int_equal(verdict_on(items, 3).error, CEVM_BLOCK_NONE);
}

/* ---- Encoding ----------------------------------------------------------------------------------------------------- */

static void test_encode_limits(void **state)
{
    (void)state;
    parts p;
    take_apart(&p);
    uint8_t out[1024];
    size_t size = 0;
    cevm_block *block = decode_block((cevm_bytes){p.rlp, p.size});
    assert_int_equal(cevm_block_encode(out, &size, p.size - 1, block, NULL), CEVM_ERR_LIMIT);
    assert_int_equal(size, p.size);
    assert_int_equal(cevm_block_encode(out, &size, p.size, block, NULL), CEVM_OK);
    assert_memory_equal(out, p.rlp, size);
    cevm_block_destroy(block, NULL);
}

/* Roots of nothing: keccak256(rlp("")), and of ommers keccak256(rlp([])). */
static void test_empty_roots(void **state)
{
    (void)state;
    cevm_hash root, empty, empty_list;
    cevm_keccak256(&empty, "\x80", 1);
    cevm_keccak256(&empty_list, "\xc0", 1);
    assert_int_equal(cevm_transactions_root(&root, NULL, 0, NULL), CEVM_OK);
    assert_same_hash(&root, &empty);
    assert_int_equal(cevm_withdrawals_root(&root, NULL, 0, NULL), CEVM_OK);
    assert_same_hash(&root, &empty);
    assert_int_equal(cevm_ommers_hash(&root, NULL, 0, NULL), CEVM_OK);
    assert_same_hash(&root, &empty_list);
    assert_same_hash(&cevm_empty_ommers_hash, &empty_list);
}

/* EIP-7934: 8 MiB, to the byte, from Osaka on. */
static void test_eip7934_size(void **state)
{
    (void)state;
    assert_true(cevm_block_size_is_valid(CEVM_OSAKA, 10485760 - 2097152));
    assert_false(cevm_block_size_is_valid(CEVM_OSAKA, 10485760 - 2097152 + 1));
    assert_true(cevm_block_size_is_valid(CEVM_PRAGUE, 10485760));
}

/* ---- Bloom -------------------------------------------------------------------------------------------------------- */

/* The log of the official test log1_correct, and the bits that the bloom of its block has. */
static void test_bloom(void **state)
{
    (void)state;
    static const struct {
        size_t byte;
        uint8_t value;
    } bits[] = {{8, 0x10}, {100, 0x02}, {110, 0x08}, {168, 0x04}, {222, 0x20}, {228, 0x40}};
    cevm_bloom expected = {{0}}, bloom = {{0}}, by_hand = {{0}};
    cevm_log log = {.topic_count = 1}; /* the topic is zero */
    assert_true(cevm_hex_decode_exact(log.address.bytes, 20, "095e7baea6a6c7c4c2dfeb977efac326af552d87"));
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; ++i) {
        expected.bytes[bits[i].byte] = bits[i].value;
    }
    cevm_bloom_add_logs(&bloom, &log, 1);
    assert_memory_equal(bloom.bytes, expected.bytes, sizeof bloom.bytes);
    cevm_bloom_add(&by_hand, (cevm_bytes){log.address.bytes, 20});
    cevm_bloom_add(&by_hand, (cevm_bytes){log.topics[0].bytes, 32});
    assert_memory_equal(by_hand.bytes, expected.bytes, sizeof bloom.bytes);
    cevm_bloom_add_logs(&bloom, NULL, 0); /* adds nothing */
    assert_memory_equal(bloom.bytes, expected.bytes, sizeof bloom.bytes);
}

/* ---- Names -------------------------------------------------------------------------------------------------------- */

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(cevm_block_error_name(CEVM_BLOCK_INVALID_GASLIMIT), "INVALID_GASLIMIT");
    assert_string_equal(cevm_block_error_string(CEVM_BLOCK_UNKNOWN_PARENT), "unknown ancestor");
    assert_int_equal(cevm_block_error_rpc_code(CEVM_BLOCK_UNKNOWN_PARENT), -32000);
    assert_string_equal(cevm_block_error_name(CEVM_BLOCK_NONE), "NONE");
    assert_string_equal(cevm_block_error_name(CEVM_BLOCK_ERROR_COUNT), "UNKNOWN");
    assert_int_equal(cevm_block_error_rpc_code(CEVM_BLOCK_ERROR_COUNT), -32603);
    for (int e = 1; e < CEVM_BLOCK_ERROR_COUNT; ++e) {
        const cevm_block_error error = (cevm_block_error)e;
        assert_true(strlen(cevm_block_error_string(error)) != 0 && cevm_block_error_rpc_code(error) < 0);
    }
}

/* Each spelling that a vector has for a reason. */
static void test_matching(void **state)
{
    (void)state;
    static const struct {
        cevm_block_error error;
        cevm_tx_error tx_error;
        const char *expected;
        bool matches;
    } cases[] = {
        {CEVM_BLOCK_INVALID_GASLIMIT, CEVM_TX_NONE, "BlockException.INVALID_GASLIMIT", true},
        {CEVM_BLOCK_INVALID_GASLIMIT, CEVM_TX_NONE, "InvalidGasLimit", true},
        {CEVM_BLOCK_INVALID_GASLIMIT, CEVM_TX_NONE, "InvalidGasLimit2", true},
        {CEVM_BLOCK_INVALID_GASLIMIT, CEVM_TX_NONE, "BlockException.INVALID_GASLIMI", false},
        {CEVM_BLOCK_INVALID_GASLIMIT, CEVM_TX_NONE, "BlockException.INVALID_GASLIMIT2", false},
        {CEVM_BLOCK_INVALID_GASLIMIT, CEVM_TX_NONE, "TransactionException.INVALID_GASLIMIT", false},
        {CEVM_BLOCK_INVALID_GASLIMIT, CEVM_TX_NONE, "", false},
        {CEVM_BLOCK_INVALID_GASLIMIT, CEVM_TX_NONE, "|", false},
        {CEVM_BLOCK_INVALID_GASLIMIT, CEVM_TX_NONE, NULL, false},
        {CEVM_BLOCK_NONE, CEVM_TX_NONE, "NONE", false},
        {CEVM_BLOCK_NONE, CEVM_TX_NONE, "", false},
        {CEVM_BLOCK_RLP_INVALID_FIELD_OVERFLOW_64, CEVM_TX_NONE,
         "BlockException.RLP_STRUCTURES_ENCODING|BlockException.RLP_INVALID_FIELD_OVERFLOW_64", true},
        {CEVM_BLOCK_INVALID_STATE_ROOT, CEVM_TX_NONE, "BlockException.A|BlockException.INVALID_STATE_ROOT", true},
        {CEVM_BLOCK_INCORRECT_BLOB_GAS_USED, CEVM_TX_NONE,
         "BlockException.BLOB_GAS_USED_ABOVE_LIMIT|BlockException.INCORRECT_BLOB_GAS_USED", true},
        {CEVM_BLOCK_IMPORT_IMPOSSIBLE_UNCLES_OVER_PARIS, CEVM_TX_NONE, "3675PreParis1559BlockRejected", true},
        {CEVM_BLOCK_IMPORT_IMPOSSIBLE_DIFFICULTY_OVER_PARIS, CEVM_TX_NONE, "3675PoWBlockRejected", true},
        {CEVM_BLOCK_IMPORT_IMPOSSIBLE_PARIS_WRONG_POS, CEVM_TX_NONE, "3675PoSBlockRejected", true},
        {CEVM_BLOCK_IMPORT_IMPOSSIBLE_PARIS_WRONG_POS, CEVM_TX_NONE, "3675PoWBlockRejected", false},
        {CEVM_BLOCK_TRANSACTION, CEVM_TX_NONCE_MISMATCH_TOO_LOW, "TransactionException.NONCE_MISMATCH_TOO_LOW", true},
        {CEVM_BLOCK_TRANSACTION, CEVM_TX_NONCE_MISMATCH_TOO_LOW, "TR_NonceTooLow", true},
        {CEVM_BLOCK_TRANSACTION, CEVM_TX_NONCE_MISMATCH_TOO_LOW, "BlockException.NONCE_MISMATCH_TOO_LOW", false},
        {CEVM_BLOCK_TRANSACTION, CEVM_TX_NONCE_MISMATCH_TOO_LOW, "BlockException.TRANSACTION", false},
        {CEVM_BLOCK_TRANSACTION, CEVM_TX_NONCE_MISMATCH_TOO_LOW, "BlockException.RLP_STRUCTURES_ENCODING", false},
        {CEVM_BLOCK_TRANSACTION, CEVM_TX_TYPE_3_TX_WITH_FULL_BLOBS,
         "BlockException.RLP_STRUCTURES_ENCODING|TransactionException.TYPE_3_TX_WITH_FULL_BLOBS", true},
        {CEVM_BLOCK_TRANSACTION, CEVM_TX_RLP_TOO_FEW_ELEMENTS, "BlockException.RLP_STRUCTURES_ENCODING", true},
        {CEVM_BLOCK_TRANSACTION, CEVM_TX_TYPE_NOT_SUPPORTED, "BlockException.RLP_STRUCTURES_ENCODING", true},
        {CEVM_BLOCK_TRANSACTION, CEVM_TX_TYPE_1_TX_PRE_FORK, "BlockException.RLP_STRUCTURES_ENCODING", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        const cevm_block_verdict verdict = {cases[i].error, cases[i].tx_error, 0};
        assert_int_equal(cevm_block_verdict_matches(&verdict, cases[i].expected), cases[i].matches);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_wrong_structures),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_eip4895_withdrawal_encoding),
        cmocka_unit_test(test_transaction_forms),
        cmocka_unit_test(test_withdrawals_without_root),
        cmocka_unit_test(test_encode_limits),
        cmocka_unit_test(test_empty_roots),
        cmocka_unit_test(test_eip7934_size),
        cmocka_unit_test(test_bloom),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_matching),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
