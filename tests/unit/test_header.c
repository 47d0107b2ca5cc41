/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers: their codec, the rules that tie one to its parent, and the environment it gives. The headers are those of valid
 * blocks of the official tests; each rule is then broken by the smallest step.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cevm/hex.h>

#include "state/rlp.h"
#include "tests/unit/block_samples.h"

/* ---- Pairs of parent and child ------------------------------------------------------------------------------------ */

/** A valid header on its parent. */
typedef struct pair {
    const char *network;
    cevm_chain_config config;
    cevm_header parent, child;
    uint8_t extra[2][64]; /* their extra data */
    bool is_merged;
    bool found;
} pair;

static void own_extra_data(cevm_header *header, uint8_t extra[64])
{
    assert_in_range(header->extra_data.size, 0, 64);
    if (header->extra_data.size != 0) {
        memcpy(extra, header->extra_data.data, header->extra_data.size);
    }
    header->extra_data.data = extra;
}

static void keep_first_pair(cevm_blockchain_test *test, void *user)
{
    pair *p = user;
    if (strcmp(test->network_name, p->network) != 0) {
        return;
    }
    cevm_block *block = decode_block(test_block_at(test, 0).rlp);
    p->config = test->network.config;
    p->is_merged = test->network.merged_from_start;
    p->parent = test->genesis;
    p->child = block->header;
    own_extra_data(&p->parent, p->extra[0]);
    own_extra_data(&p->child, p->extra[1]);
    p->found = true;
    cevm_block_destroy(block, NULL);
}

/** The first block of a network's test and its genesis. */
static void get_pair(pair *out, const char *network)
{
    static const struct {
        const char *network, *file;
    } files[] = {
        {"Byzantium", "legacy/uncleHeaderAtBlock2Byzantium.json"},
        {"London", "legacy/mergeExample.json"},
        {"Paris", "legacy/mergeExample.json"},
        {"Shanghai", "legacy/mergeExample.json"},
        {"Cancun", "legacy/mergeExample.json"},
        {"Prague", "eest/test_tx_into_self_delegating_set_code.json"},
        {"Osaka", "eest/test_tx_into_self_delegating_set_code.json"},
    };
    memset(out, 0, sizeof *out);
    out->network = network;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; ++i) {
        if (strcmp(files[i].network, network) == 0) {
            for_each_blockchain_test(files[i].file, keep_first_pair, out);
        }
    }
    assert_true(out->found);
}

static const char *const networks[] = {"Byzantium", "London", "Paris", "Shanghai", "Cancun", "Prague", "Osaka"};
enum { NETWORKS = sizeof networks / sizeof networks[0] };

static cevm_block_error check(const pair *p)
{
    cevm_block_error reason = CEVM_BLOCK_ERROR_COUNT;
    cevm_header_check(&reason, &p->config, &p->child, &p->parent, p->is_merged);
    return reason;
}

static bool has_eip_of(const pair *p, cevm_fork since)
{
    return cevm_chain_fork(&p->config, p->child.number, p->child.timestamp, p->is_merged) >= since;
}

static void expect(const pair *p, cevm_block_error expected)
{
    const cevm_block_error actual = check(p);
    if (actual != expected) {
        fail_msg("%s: %s instead of %s", p->network, cevm_block_error_name(actual), cevm_block_error_name(expected));
    }
}

/* ---- Codec -------------------------------------------------------------------------------------------------------- */

static void test_there_and_back(void **state)
{
    (void)state;
    static const size_t fields[NETWORKS] = {15, 16, 16, 17, 20, 21, 21};
    for (size_t i = 0; i < NETWORKS; ++i) {
        pair p;
        uint8_t raw[1024], again[1024];
        size_t size = 0, count = 0;
        cevm_header header;
        cevm_block_error reason;
        get_pair(&p, networks[i]);
        assert_int_equal(cevm_header_encode(NULL, &size, 0, &p.child, NULL), CEVM_OK);
        assert_int_equal(cevm_header_encode(raw, &count, size - 1, &p.child, NULL), CEVM_ERR_LIMIT);
        assert_int_equal(count, size);
        assert_int_equal(cevm_header_encode(raw, &size, sizeof raw, &p.child, NULL), CEVM_OK);
        assert_int_equal(cevm_header_decode(&header, &reason, (cevm_bytes){raw, size}), CEVM_OK);
        assert_int_equal(reason, CEVM_BLOCK_NONE);
        assert_int_equal(cevm_header_encode(again, &count, sizeof again, &header, NULL), CEVM_OK);
        assert_int_equal(count, size);
        assert_memory_equal(again, raw, size);
        cevm_bytes cursor = {raw, size}, payload;
        assert_true(cevm_rlp_next_list(&cursor, &payload) && cevm_rlp_count(&count, payload));
        assert_int_equal(count, fields[i]);
        for (size_t cut = 0; cut < size; ++cut) {
            assert_int_equal(cevm_header_decode(&header, &reason, (cevm_bytes){raw, cut}), CEVM_ERR_ENCODING);
            assert_int_equal(reason, CEVM_BLOCK_RLP_STRUCTURES_ENCODING);
        }
        raw[size] = 0x80;
        assert_int_equal(cevm_header_decode(&header, &reason, (cevm_bytes){raw, size + 1}), CEVM_ERR_ENCODING);
        assert_int_equal(reason, CEVM_BLOCK_RLP_STRUCTURES_ENCODING);
    }
}

/** Decodes an Osaka header whose field `at` is replaced (NULL data: left out), with `more` fields behind it. */
static cevm_block_error decode_with(size_t at, cevm_bytes field, size_t keep, size_t more)
{
    pair p;
    uint8_t raw[1024];
    size_t size;
    cevm_header header;
    cevm_block_error reason;
    cevm_bytes cursor = {raw, 0}, payload;
    cevm_rlp_item item;
    cevm_buf buf;
    get_pair(&p, "Osaka");
    assert_int_equal(cevm_header_encode(raw, &size, sizeof raw, &p.child, NULL), CEVM_OK);
    cursor.size = size;
    assert_true(cevm_rlp_next_list(&cursor, &payload));
    cevm_buf_init(&buf, NULL);
    const size_t list = cevm_rlp_list_begin(&buf);
    for (size_t i = 0; payload.size != 0 && i < keep; ++i) {
        assert_true(cevm_rlp_next(&payload, &item));
        const cevm_bytes chosen = i == at ? field : item.whole;
        cevm_buf_append(&buf, chosen.data, chosen.size);
    }
    for (; more != 0; --more) {
        cevm_buf_append(&buf, "\x80", 1);
    }
    cevm_rlp_list_end(&buf, list);
    const cevm_err err = cevm_header_decode(&header, &reason, (cevm_bytes){buf.data, buf.size});
    assert_int_equal(err, reason == CEVM_BLOCK_NONE ? CEVM_OK : CEVM_ERR_ENCODING);
    cevm_buf_free(&buf);
    return reason;
}

static void test_field_counts(void **state)
{
    (void)state;
    static const cevm_bytes none = {NULL, 0};
    for (size_t count = 0; count <= 21; ++count) {
        const bool is_known = count == 15 || count == 16 || count == 17 || count == 20 || count == 21;
        const cevm_block_error expected = is_known     ? CEVM_BLOCK_NONE
                                          : count < 15 ? CEVM_BLOCK_RLP_STRUCTURES_ENCODING
                                                       : CEVM_BLOCK_INCORRECT_BLOCK_FORMAT;
        assert_int_equal(decode_with(SIZE_MAX, none, count, 0), expected);
    }
    assert_int_equal(decode_with(SIZE_MAX, none, 21, 1), CEVM_BLOCK_RLP_STRUCTURES_ENCODING);
}

static void test_field_forms(void **state)
{
    (void)state;
    static const size_t hashes[] = {0, 1, 3, 4, 5, 13, 16, 19, 20}, words[] = {7, 15},
                        numbers[] = {8, 9, 10, 11, 17, 18};
    uint8_t wide[34] = {0x80 + 33, 1}, nine[10] = {0x89, 1}, text[33] = {0x80 + 31};
    const cevm_bytes too_wide = {wide, sizeof wide}, of_nine = {nine, sizeof nine}, of_31 = {text, 32};
    const cevm_bytes list = {(const uint8_t *)"\xc0", 1}, zero = {(const uint8_t *)"\0", 1};
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; ++i) {
        assert_int_equal(decode_with(hashes[i], of_31, 21, 0), CEVM_BLOCK_RLP_STRUCTURES_ENCODING);
        assert_int_equal(decode_with(hashes[i], too_wide, 21, 0), CEVM_BLOCK_RLP_STRUCTURES_ENCODING);
        assert_int_equal(decode_with(hashes[i], list, 21, 0), CEVM_BLOCK_RLP_STRUCTURES_ENCODING);
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; ++i) {
        assert_int_equal(decode_with(words[i], of_nine, 21, 0), CEVM_BLOCK_NONE);
        assert_int_equal(decode_with(words[i], too_wide, 21, 0), CEVM_BLOCK_RLP_STRUCTURES_ENCODING);
        assert_int_equal(decode_with(words[i], zero, 21, 0), CEVM_BLOCK_RLP_STRUCTURES_ENCODING);
        assert_int_equal(decode_with(words[i], list, 21, 0), CEVM_BLOCK_RLP_STRUCTURES_ENCODING);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; ++i) {
        assert_int_equal(decode_with(numbers[i], of_nine, 21, 0), CEVM_BLOCK_RLP_INVALID_FIELD_OVERFLOW_64);
        assert_int_equal(decode_with(numbers[i], zero, 21, 0), CEVM_BLOCK_RLP_STRUCTURES_ENCODING);
        assert_int_equal(decode_with(numbers[i], list, 21, 0), CEVM_BLOCK_RLP_STRUCTURES_ENCODING);
    }
    assert_int_equal(decode_with(2, of_31, 21, 0), CEVM_BLOCK_RLP_INVALID_ADDRESS);
    assert_int_equal(decode_with(6, of_31, 21, 0), CEVM_BLOCK_RLP_STRUCTURES_ENCODING);
    assert_int_equal(decode_with(12, list, 21, 0), CEVM_BLOCK_RLP_STRUCTURES_ENCODING);
    assert_int_equal(decode_with(12, too_wide, 21, 0), CEVM_BLOCK_NONE); /* how long it may be is for the check */
    assert_int_equal(decode_with(14, of_nine, 21, 0), CEVM_BLOCK_RLP_STRUCTURES_ENCODING);
}

/* ---- Every rule, broken -------------------------------------------------------------------------------------------- */

/* All headers of all valid blocks, each on its parent. */
static void check_chain(cevm_blockchain_test *test, void *user)
{
    size_t *count = user;
    cevm_header parent = test->genesis;
    cevm_hash parent_hash = test->genesis_hash;
    cevm_block *held = NULL; /* parent's extra data */
    for (size_t i = 0; i < test->block_count; ++i) {
        const cevm_test_block b = test_block_at(test, i);
        if (!b.is_valid) {
            continue;
        }
        cevm_block *block = decode_block(b.rlp);
        if (cevm_hash_equal(&block->header.parent_hash, &parent_hash)) {
            const bool is_merged = cevm_u256_is_zero(&block->header.difficulty);
            cevm_block_error reason;
            cevm_header_check(&reason, &test->network.config, &block->header, &parent, is_merged);
            if (reason != CEVM_BLOCK_NONE) {
                fail_msg("%s, block %zu: %s", test->name, i, cevm_block_error_name(reason));
            }
            ++*count;
        }
        parent = block->header;
        parent_hash = block->hash;
        cevm_block_destroy(held, NULL);
        held = block;
    }
    cevm_block_destroy(held, NULL);
}

static void test_valid_headers(void **state)
{
    (void)state;
    size_t count = 0;
    for (size_t i = 0; i < BLOCK_SAMPLES; ++i) {
        for_each_blockchain_test(block_samples[i], check_chain, &count);
    }
    assert_true(count >= 50);
}

static void test_number_and_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < NETWORKS; ++i) {
        pair p, q;
        get_pair(&p, networks[i]);
        expect(&p, CEVM_BLOCK_NONE);
        q = p;
        q.child.number += 1;
        expect(&q, CEVM_BLOCK_INVALID_BLOCK_NUMBER);
        q.child.number = p.parent.number;
        expect(&q, CEVM_BLOCK_INVALID_BLOCK_NUMBER);
        q.parent.number = UINT64_MAX;
        q.child.number = 0;
        expect(&q, CEVM_BLOCK_INVALID_BLOCK_NUMBER);
        q = p;
        q.child.timestamp = p.parent.timestamp;
        expect(&q, CEVM_BLOCK_INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT);
        q.parent.timestamp = UINT64_MAX;
        expect(&q, CEVM_BLOCK_INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT);
        q = p;
        q.child.timestamp = p.parent.timestamp + 1;
        /* Before Paris the time makes the difficulty. */
        expect(&q, p.is_merged ? CEVM_BLOCK_NONE : CEVM_BLOCK_INVALID_DIFFICULTY);
    }
}

static void test_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < NETWORKS; ++i) {
        pair p, q;
        get_pair(&p, networks[i]);
        q = p;
        q.child.has_base_fee = !q.child.has_base_fee;
        expect(&q, p.child.has_base_fee ? CEVM_BLOCK_IMPORT_IMPOSSIBLE_LEGACY_WRONG_PARENT
                                        : CEVM_BLOCK_IMPORT_IMPOSSIBLE_LONDON_WRONG_PARENT);
        q.parent.has_base_fee = false;
        if (p.child.has_base_fee) {
            q.parent.gas_limit = p.child.gas_limit / 2; /* EIP-1559's first block has twice the room */
        }
        expect(&q, p.child.has_base_fee ? CEVM_BLOCK_IMPORT_IMPOSSIBLE_LEGACY
                                        : CEVM_BLOCK_IMPORT_IMPOSSIBLE_LONDON_WRONG_PARENT);
        q = p;
        q.child.has_withdrawals_root = !q.child.has_withdrawals_root;
        expect(&q, p.child.has_withdrawals_root ? CEVM_BLOCK_IMPORT_IMPOSSIBLE_PARIS_OVER_SHANGHAI
                                                : CEVM_BLOCK_IMPORT_IMPOSSIBLE_SHANGHAI);
        q = p;
        q.child.has_blob_gas = !q.child.has_blob_gas;
        expect(&q, CEVM_BLOCK_INCORRECT_BLOCK_FORMAT);
        q = p;
        q.child.has_parent_beacon_root = !q.child.has_parent_beacon_root; /* EIP-4788 */
        expect(&q, CEVM_BLOCK_INCORRECT_BLOCK_FORMAT);
        q = p;
        q.child.has_requests_hash = !q.child.has_requests_hash; /* EIP-7685 */
        expect(&q, CEVM_BLOCK_INCORRECT_BLOCK_FORMAT);
    }
}

static void test_extra_data(void **state)
{
    (void)state;
    static const uint8_t dao[] = "dao-hard-fork!";
    pair p;
    uint8_t extra[33] = {0};
    for (size_t i = 0; i < NETWORKS; ++i) {
        get_pair(&p, networks[i]);
        p.child.extra_data = (cevm_bytes){extra, 32};
        expect(&p, CEVM_BLOCK_NONE);
        p.child.extra_data.size = 0;
        expect(&p, CEVM_BLOCK_NONE);
        p.child.extra_data.size = 33;
        expect(&p, CEVM_BLOCK_EXTRA_DATA_TOO_BIG);
    }
    /* EIP-779: at the fork's block and the nine after it. */
    get_pair(&p, "Byzantium");
    for (uint64_t after = 0; after < 12; ++after) {
        p.parent.number = 100 + after;
        p.child.number = 101 + after;
        p.config.dao_fork = (cevm_activation){CEVM_BY_BLOCK, 101};
        p.child.extra_data = (cevm_bytes){dao, 13};
        expect(&p, CEVM_BLOCK_NONE);
        p.child.extra_data = (cevm_bytes){dao, 14};
        expect(&p, after < 10 ? CEVM_BLOCK_EXTRA_DATA_INVALID_DAO : CEVM_BLOCK_NONE);
        p.child.extra_data = (cevm_bytes){extra, 0};
        expect(&p, after < 10 ? CEVM_BLOCK_EXTRA_DATA_INVALID_DAO : CEVM_BLOCK_NONE);
        p.config.dao_fork.at = 102 + after;
        expect(&p, CEVM_BLOCK_NONE);
        p.config.dao_fork = (cevm_activation){CEVM_NOT_ACTIVATED, 0};
        expect(&p, CEVM_BLOCK_NONE);
    }
}

/* EIP-3675: from Paris on difficulty and nonce are zero and there are no ommers. */
static void test_eip3675_difficulty_and_seal(void **state)
{
    (void)state;
    for (size_t i = 0; i < NETWORKS; ++i) {
        pair p, q;
        get_pair(&p, networks[i]);
        const bool is_merged = has_eip_of(&p, CEVM_PARIS);
        assert_int_equal(is_merged, p.is_merged);
        q = p;
        q.child.difficulty.w[0] += 1;
        expect(&q, is_merged ? CEVM_BLOCK_IMPORT_IMPOSSIBLE_DIFFICULTY_OVER_PARIS : CEVM_BLOCK_INVALID_DIFFICULTY);
        q = p;
        q.child.difficulty.w[3] += 1;
        expect(&q, is_merged ? CEVM_BLOCK_IMPORT_IMPOSSIBLE_DIFFICULTY_OVER_PARIS : CEVM_BLOCK_INVALID_DIFFICULTY);
        q = p;
        q.child.difficulty = (cevm_u256){{0}};
        expect(&q, is_merged ? CEVM_BLOCK_NONE : CEVM_BLOCK_IMPORT_IMPOSSIBLE_PARIS_WRONG_POS);
        for (size_t byte = 0; byte < 8; ++byte) {
            q = p;
            q.child.nonce[byte] ^= 1;
            expect(&q, is_merged ? CEVM_BLOCK_INVALID_NONCE : CEVM_BLOCK_NONE);
        }
        q = p;
        q.child.ommers_hash.bytes[31] ^= 1;
        expect(&q, is_merged ? CEVM_BLOCK_IMPORT_IMPOSSIBLE_UNCLES_OVER_PARIS : CEVM_BLOCK_NONE);
        q = p;
        q.child.mix_hash.bytes[0] ^= 1;
        expect(&q, CEVM_BLOCK_NONE);
    }
    /* EIP-100: a parent with ommers makes the difficulty of the child greater. */
    pair p;
    get_pair(&p, "Byzantium");
    p.parent.difficulty = cevm_u256_from_u64(2048000);
    p.child.timestamp = p.parent.timestamp + 1;
    p.child.difficulty = cevm_u256_from_u64(2048000 + 1000);
    expect(&p, CEVM_BLOCK_NONE);
    p.parent.ommers_hash.bytes[0] ^= 1;
    expect(&p, CEVM_BLOCK_INVALID_DIFFICULTY);
    p.child.difficulty = cevm_u256_from_u64(2048000 + 2000);
    expect(&p, CEVM_BLOCK_NONE);
}

/** Sets both limits, and the base fee that follows. */
static void set_gas_limits(pair *p, uint64_t parent, uint64_t child)
{
    p->parent.gas_limit = parent;
    p->parent.gas_used = 0;
    p->child.gas_limit = child;
    p->child.gas_used = 0;
    if (p->child.has_base_fee) {
        cevm_next_base_fee(&p->child.base_fee, p->parent.has_base_fee, &p->parent.base_fee, 0, parent);
    }
}

static void test_gas_limit(void **state)
{
    (void)state;
    static const struct {
        uint64_t parent, child;
        cevm_block_error expected;
    } cases[] = {
        {10240000, 10240000, CEVM_BLOCK_NONE},
        {10240000, 10240000 + 9999, CEVM_BLOCK_NONE},
        {10240000, 10240000 - 9999, CEVM_BLOCK_NONE},
        {10240000, 10240000 + 10000, CEVM_BLOCK_INVALID_GASLIMIT},
        {10240000, 10240000 - 10000, CEVM_BLOCK_INVALID_GASLIMIT},
        {5003, 5000, CEVM_BLOCK_NONE},
        {5003, 4999, CEVM_BLOCK_INVALID_GASLIMIT},
        {5001, 4999, CEVM_BLOCK_INVALID_GASLIMIT}, /* 2 < 5001 / 1024, but too low */
        {5119, 5123, CEVM_BLOCK_INVALID_GASLIMIT},
        {5120, 5124, CEVM_BLOCK_NONE},
        {INT64_MAX, INT64_MAX, CEVM_BLOCK_NONE},
        {INT64_MAX, (uint64_t)INT64_MAX + 1, CEVM_BLOCK_GASLIMIT_TOO_BIG},
        {INT64_MAX, UINT64_MAX, CEVM_BLOCK_GASLIMIT_TOO_BIG},
        {10240000, 0, CEVM_BLOCK_INVALID_GASLIMIT},
    };
    for (size_t i = 0; i < NETWORKS; ++i) {
        pair p;
        get_pair(&p, networks[i]);
        for (size_t k = 0; k < sizeof cases / sizeof cases[0]; ++k) {
            set_gas_limits(&p, cases[k].parent, cases[k].child);
            expect(&p, cases[k].expected);
        }
        set_gas_limits(&p, 10240000, 10240000);
        p.child.gas_used = 10240000;
        expect(&p, CEVM_BLOCK_NONE);
        p.child.gas_used = 10240001;
        expect(&p, CEVM_BLOCK_GAS_USED_OVERFLOW);
    }
}

/* EIP-1559: the limit of its first block is measured against twice its parent's, and its base fee is 10^9. */
static void test_eip1559_first_block(void **state)
{
    (void)state;
    pair p;
    get_pair(&p, "London");
    p.parent.has_base_fee = false;
    p.parent.base_fee = (cevm_u256){{0}};
    set_gas_limits(&p, 5120000, 10240000);
    assert_true(p.child.base_fee.w[0] == 1000000000);
    expect(&p, CEVM_BLOCK_NONE);
    p.child.gas_limit = 10240000 + 9999;
    expect(&p, CEVM_BLOCK_NONE);
    p.child.gas_limit = 10240000 + 10000;
    expect(&p, CEVM_BLOCK_INVALID_GASLIMIT);
    p.child.gas_limit = 5120000;
    expect(&p, CEVM_BLOCK_INVALID_GASLIMIT);
    p.parent.gas_limit = UINT64_MAX;
    p.child.gas_limit = INT64_MAX;
    expect(&p, CEVM_BLOCK_INVALID_GASLIMIT);
}

static void test_fees(void **state)
{
    (void)state;
    for (size_t i = 0; i < NETWORKS; ++i) {
        pair p, q;
        get_pair(&p, networks[i]);
        q = p;
        q.child.base_fee.w[0] += 1;
        expect(&q, p.child.has_base_fee ? CEVM_BLOCK_INVALID_BASEFEE_PER_GAS : CEVM_BLOCK_NONE);
        q.child.base_fee = p.child.base_fee;
        q.child.base_fee.w[3] += 1;
        expect(&q, p.child.has_base_fee ? CEVM_BLOCK_INVALID_BASEFEE_PER_GAS : CEVM_BLOCK_NONE);
        q = p;
        q.child.excess_blob_gas += 1;
        expect(&q, p.child.has_blob_gas ? CEVM_BLOCK_INCORRECT_EXCESS_BLOB_GAS : CEVM_BLOCK_NONE);
        q = p;
        q.child.blob_gas_used += 1; /* for the body to say */
        expect(&q, CEVM_BLOCK_NONE);
    }
}

/* What only the body, the state or the parent's hash can contradict. */
static void test_free_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < NETWORKS; ++i) {
        pair p;
        get_pair(&p, networks[i]);
        memset(&p.child.parent_hash, 1, sizeof p.child.parent_hash);
        memset(&p.child.coinbase, 1, sizeof p.child.coinbase);
        memset(&p.child.state_root, 1, sizeof p.child.state_root);
        memset(&p.child.transactions_root, 1, sizeof p.child.transactions_root);
        memset(&p.child.receipts_root, 1, sizeof p.child.receipts_root);
        memset(&p.child.logs_bloom, 1, sizeof p.child.logs_bloom);
        memset(&p.child.withdrawals_root, 1, sizeof p.child.withdrawals_root);
        memset(&p.child.parent_beacon_root, 1, sizeof p.child.parent_beacon_root);
        memset(&p.child.requests_hash, 1, sizeof p.child.requests_hash);
        expect(&p, CEVM_BLOCK_NONE);
    }
}

/* ---- Environment --------------------------------------------------------------------------------------------------- */

static void test_environment(void **state)
{
    (void)state;
    static const cevm_fork forks[NETWORKS] = {CEVM_BYZANTIUM, CEVM_LONDON, CEVM_PARIS, CEVM_SHANGHAI,
                                              CEVM_CANCUN,    CEVM_PRAGUE, CEVM_OSAKA};
    for (size_t i = 0; i < NETWORKS; ++i) {
        pair p;
        cevm_block_env env;
        static const cevm_hash no_hash = {{0}};
        get_pair(&p, networks[i]);
        memset(&p.child.mix_hash, 7, sizeof p.child.mix_hash);
        cevm_header_env(&env, &p.config, &p.child, p.is_merged);
        assert_int_equal(env.fork, forks[i]);
        assert_memory_equal(env.coinbase.bytes, p.child.coinbase.bytes, 20);
        assert_int_equal(env.number, p.child.number);
        assert_int_equal(env.timestamp, p.child.timestamp);
        assert_int_equal(env.gas_limit, p.child.gas_limit);
        assert_true(cevm_u256_equal(&env.base_fee, &p.child.base_fee));
        assert_true(cevm_u256_equal(&env.difficulty, &p.child.difficulty));
        assert_int_equal(env.chain_id, 1);
        assert_memory_equal(&env.prev_randao, p.is_merged ? &p.child.mix_hash : &no_hash, 32);
        /* EIP-4844 has 6 blobs, EIP-7691 has 9; without excess a unit of blob gas costs 1 wei. */
        assert_int_equal(env.max_blobs, forks[i] >= CEVM_PRAGUE ? 9 : forks[i] == CEVM_CANCUN ? 6 : 0);
        assert_int_equal(env.blob_base_fee.w[0], forks[i] >= CEVM_CANCUN ? 1 : 0);
        if (forks[i] == CEVM_CANCUN) {
            p.child.excess_blob_gas = 2314058; /* the smallest that makes it 2 (EIP-4844) */
            cevm_header_env(&env, &p.config, &p.child, true);
            assert_int_equal(env.blob_base_fee.w[0], 2);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_field_counts),
        cmocka_unit_test(test_field_forms),
        cmocka_unit_test(test_valid_headers),
        cmocka_unit_test(test_number_and_time),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_extra_data),
        cmocka_unit_test(test_eip3675_difficulty_and_seal),
        cmocka_unit_test(test_gas_limit),
        cmocka_unit_test(test_eip1559_first_block),
        cmocka_unit_test(test_fees),
        cmocka_unit_test(test_free_fields),
        cmocka_unit_test(test_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
