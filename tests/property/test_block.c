/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random blocks: encode and decode are inverse, and a damaged encoding is refused or is the one encoding of another block.
 * The base fee is held against GMP. The seed is printed; SEED= replays it, ROUNDS= sets how many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <gmp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <cevm/block.h>

#include "tests/property/random_tx.h"

enum { MAX_TXS = 4, MAX_OMMERS = 3, MAX_WITHDRAWALS = 4, RAW_SIZE = 1 << 16 };

static void seed_rounds(uint64_t *rounds, uint64_t otherwise)
{
    random_state = random_seed();
    *rounds = random_setting("ROUNDS", otherwise);
    print_message("SEED=%" PRIu64 " ROUNDS=%" PRIu64 "\n", random_state, *rounds);
}

/** A header with the fields of a random fork. */
static cevm_header random_header(uint8_t extra[64])
{
    cevm_header h = {0};
    random_bytes(h.parent_hash.bytes, 32);
    random_bytes(h.ommers_hash.bytes, 32);
    random_bytes(h.coinbase.bytes, 20);
    random_bytes(h.state_root.bytes, 32);
    random_bytes(h.transactions_root.bytes, 32);
    random_bytes(h.receipts_root.bytes, 32);
    random_bytes(h.logs_bloom.bytes, sizeof h.logs_bloom.bytes);
    h.difficulty = random_u256();
    h.number = random_number();
    h.gas_limit = random_number();
    h.gas_used = random_number();
    h.timestamp = random_number();
    h.extra_data = (cevm_bytes){extra, below(65)};
    random_bytes(extra, h.extra_data.size);
    random_bytes(h.mix_hash.bytes, 32);
    random_bytes(h.nonce, sizeof h.nonce);
    const size_t age = below(5); /* Frontier, London, Shanghai, Cancun, Prague */
    if (age >= 1) {
        h.has_base_fee = true;
        h.base_fee = random_u256();
    }
    if (age >= 2) {
        h.has_withdrawals_root = true;
        random_bytes(h.withdrawals_root.bytes, 32);
    }
    if (age >= 3) {
        h.has_blob_gas = true;
        h.blob_gas_used = random_number();
        h.excess_blob_gas = random_number();
        h.has_parent_beacon_root = true;
        random_bytes(h.parent_beacon_root.bytes, 32);
    }
    if (age >= 4) {
        h.has_requests_hash = true;
        random_bytes(h.requests_hash.bytes, 32);
    }
    return h;
}

/** What a random block points into. */
typedef struct block_pool {
    uint8_t extra[1 + MAX_OMMERS][64];
    pool txs[MAX_TXS];
    cevm_tx tx[MAX_TXS];
    cevm_tx *pointers[MAX_TXS];
    uint8_t raw[MAX_TXS][8192];
    cevm_bytes views[MAX_TXS];
    cevm_header ommers[MAX_OMMERS];
    cevm_withdrawal withdrawals[MAX_WITHDRAWALS];
} block_pool;

static cevm_block random_block(block_pool *p)
{
    cevm_block b = {.header = random_header(p->extra[0]), .txs = p->pointers, .raw_txs = p->views};
    b.tx_count = below(MAX_TXS + 1);
    for (size_t i = 0; i < b.tx_count; ++i) {
        p->tx[i] = random_tx(&p->txs[i]);
        p->tx[i].v = random_u256();
        p->tx[i].r = random_u256();
        p->tx[i].s = random_u256();
        p->pointers[i] = &p->tx[i];
        size_t size;
        assert_int_equal(cevm_tx_encode(p->raw[i], &size, sizeof p->raw[i], &p->tx[i], NULL), CEVM_OK);
        p->views[i] = (cevm_bytes){p->raw[i], size};
    }
    b.ommers = p->ommers;
    b.ommer_count = below(MAX_OMMERS + 1);
    for (size_t i = 0; i < b.ommer_count; ++i) {
        p->ommers[i] = random_header(p->extra[1 + i]);
    }
    b.has_withdrawals = b.header.has_withdrawals_root;
    b.withdrawals = p->withdrawals;
    b.withdrawal_count = b.has_withdrawals ? below(MAX_WITHDRAWALS + 1) : 0;
    for (size_t i = 0; i < b.withdrawal_count; ++i) {
        cevm_withdrawal *w = &p->withdrawals[i];
        random_bytes(w->address.bytes, 20);
        w->index = random_number();
        w->validator_index = random_number();
        w->amount = random_number();
    }
    return b;
}

static void assert_same_header(const cevm_header *a, const cevm_header *b)
{
    cevm_header x = *a, y = *b;
    assert_int_equal(x.extra_data.size, y.extra_data.size);
    assert_true(x.extra_data.size == 0 || memcmp(x.extra_data.data, y.extra_data.data, x.extra_data.size) == 0);
    assert_memory_equal(&x.parent_hash, &y.parent_hash, offsetof(cevm_header, logs_bloom) + sizeof x.logs_bloom);
    assert_true(cevm_u256_equal(&x.difficulty, &y.difficulty));
    assert_true(x.number == y.number && x.gas_limit == y.gas_limit && x.gas_used == y.gas_used);
    assert_true(x.timestamp == y.timestamp && memcmp(x.nonce, y.nonce, sizeof x.nonce) == 0);
    assert_true(cevm_hash_equal(&x.mix_hash, &y.mix_hash));
    assert_true(x.has_base_fee == y.has_base_fee && cevm_u256_equal(&x.base_fee, &y.base_fee));
    assert_int_equal(x.has_withdrawals_root, y.has_withdrawals_root);
    assert_true(cevm_hash_equal(&x.withdrawals_root, &y.withdrawals_root));
    assert_true(x.has_blob_gas == y.has_blob_gas && x.blob_gas_used == y.blob_gas_used);
    assert_int_equal(x.excess_blob_gas, y.excess_blob_gas);
    assert_int_equal(x.has_parent_beacon_root, y.has_parent_beacon_root);
    assert_true(cevm_hash_equal(&x.parent_beacon_root, &y.parent_beacon_root));
    assert_int_equal(x.has_requests_hash, y.has_requests_hash);
    assert_true(cevm_hash_equal(&x.requests_hash, &y.requests_hash));
}

static void assert_same_block(const cevm_block *a, const cevm_block *b)
{
    assert_same_header(&a->header, &b->header);
    assert_int_equal(a->tx_count, b->tx_count);
    for (size_t i = 0; i < a->tx_count; ++i) {
        assert_int_equal(a->raw_txs[i].size, b->raw_txs[i].size);
        assert_memory_equal(a->raw_txs[i].data, b->raw_txs[i].data, a->raw_txs[i].size);
    }
    assert_int_equal(a->ommer_count, b->ommer_count);
    for (size_t i = 0; i < a->ommer_count; ++i) {
        assert_same_header(&a->ommers[i], &b->ommers[i]);
    }
    assert_int_equal(a->has_withdrawals, b->has_withdrawals);
    assert_int_equal(a->withdrawal_count, b->withdrawal_count);
    for (size_t i = 0; i < a->withdrawal_count; ++i) {
        const cevm_withdrawal *x = &a->withdrawals[i], *y = &b->withdrawals[i];
        assert_true(x->index == y->index && x->validator_index == y->validator_index && x->amount == y->amount);
        assert_true(cevm_address_equal(&x->address, &y->address));
    }
}

/** Decodes an exact-size copy, so that ASan sees any read past its end; what decodes must encode to the same bytes. */
static void decode_canonically(const uint8_t *raw, size_t size, const cevm_block *same)
{
    uint8_t *exact = malloc(size != 0 ? size : 1);
    cevm_block *block;
    cevm_block_verdict verdict;
    assert_non_null(exact);
    memcpy(exact, raw, size);
    const cevm_err err = cevm_block_decode(&block, &verdict, (cevm_bytes){exact, size}, NULL);
    free(exact); /* the block must not point into it */
    assert_int_equal(err, verdict.error == CEVM_BLOCK_NONE ? CEVM_OK : CEVM_ERR_ENCODING);
    assert_true(same == NULL || err == CEVM_OK);
    if (err != CEVM_OK) {
        assert_null(block);
        return;
    }
    size_t again_size;
    uint8_t *again = malloc(size);
    assert_non_null(again);
    assert_int_equal(cevm_block_encode(again, &again_size, size, block, NULL), CEVM_OK);
    assert_int_equal(again_size, size);
    assert_memory_equal(again, raw, size);
    free(again);
    if (same != NULL) {
        assert_same_block(block, same);
    }
    cevm_block_destroy(block, NULL);
}

static void test_random_blocks(void **state)
{
    (void)state;
    static uint8_t raw[RAW_SIZE], damaged[RAW_SIZE];
    static block_pool arrays;
    uint64_t rounds;
    seed_rounds(&rounds, 1000);
    for (uint64_t round = 0; round < rounds; ++round) {
        const cevm_block block = random_block(&arrays);
        size_t size;
        assert_int_equal(cevm_block_encode(raw, &size, sizeof raw, &block, NULL), CEVM_OK);
        decode_canonically(raw, size, &block);
        for (size_t i = 0; i < 20; ++i) {
            memcpy(damaged, raw, size);
            decode_canonically(damaged, damage(damaged, size, sizeof damaged), NULL);
        }
    }
}

static void test_random_headers(void **state)
{
    (void)state;
    uint64_t rounds;
    seed_rounds(&rounds, 5000);
    for (uint64_t round = 0; round < rounds; ++round) {
        uint8_t extra[64], raw[1024], again[1024];
        size_t size, again_size;
        cevm_header back;
        cevm_block_error reason;
        const cevm_header header = random_header(extra);
        assert_int_equal(cevm_header_encode(raw, &size, sizeof raw, &header, NULL), CEVM_OK);
        assert_int_equal(cevm_header_decode(&back, &reason, (cevm_bytes){raw, size}), CEVM_OK);
        assert_same_header(&header, &back);
        size = damage(raw, size, sizeof raw);
        if (cevm_header_decode(&back, &reason, (cevm_bytes){raw, size}) == CEVM_OK) {
            assert_int_equal(cevm_header_encode(again, &again_size, sizeof again, &back, NULL), CEVM_OK);
            assert_int_equal(again_size, size);
            assert_memory_equal(again, raw, size);
        } else {
            assert_int_not_equal(reason, CEVM_BLOCK_NONE);
        }
    }
}

/* ---- Against GMP -------------------------------------------------------------------------------------------------- */

static void to_gmp(mpz_t out, const cevm_u256 *value)
{
    uint8_t bytes[32];
    cevm_u256_to_be(bytes, value);
    mpz_import(out, sizeof bytes, 1, 1, 1, 0, bytes);
}

static void set_u64(mpz_t out, uint64_t value)
{
    const cevm_u256 wide = cevm_u256_from_u64(value);
    to_gmp(out, &wide);
}

/** EIP-1559 word for word, capped at 2^256-1. */
static void base_fee_by_gmp(mpz_t out, const cevm_u256 *parent, uint64_t used, uint64_t limit)
{
    mpz_t base, delta, target;
    mpz_inits(base, delta, target, NULL);
    to_gmp(base, parent);
    set_u64(target, limit / 2);
    set_u64(delta, used > limit / 2 ? used - limit / 2 : limit / 2 - used);
    mpz_mul(out, base, delta);
    mpz_fdiv_q(out, out, target);
    mpz_fdiv_q_ui(out, out, 8);
    if (used > limit / 2) {
        if (mpz_sgn(out) == 0) {
            mpz_set_ui(out, 1);
        }
        mpz_add(out, base, out);
    } else {
        mpz_sub(out, base, out);
    }
    mpz_set_ui(base, 1);
    mpz_mul_2exp(base, base, 256);
    if (mpz_cmp(out, base) >= 0) {
        mpz_sub_ui(out, base, 1);
    }
    mpz_clears(base, delta, target, NULL);
}

static void test_base_fee_against_gmp(void **state)
{
    (void)state;
    uint64_t rounds;
    seed_rounds(&rounds, 20000);
    mpz_t expected, got;
    mpz_inits(expected, got, NULL);
    for (uint64_t round = 0; round < rounds; ++round) {
        const uint64_t limit = 2 + (random_number() >> 1);
        const uint64_t used = below(4) == 0 ? random_number() % limit : limit / 2 + random_u64() % (limit - limit / 2);
        const cevm_u256 parent = random_u256();
        cevm_u256 fee;
        cevm_next_base_fee(&fee, true, &parent, used, limit);
        base_fee_by_gmp(expected, &parent, used, limit);
        to_gmp(got, &fee);
        assert_int_equal(mpz_cmp(expected, got), 0);
    }
    mpz_clears(expected, got, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_blocks),
        cmocka_unit_test(test_random_headers),
        cmocka_unit_test(test_base_fee_against_gmp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
