/* SPDX-License-Identifier: Apache-2.0 */
/**
 * tests/unit/tx_support.h: a small world for the tests of transactions: a store, a state over it, a VM and a block.
 */
#ifndef CEVM_TESTS_TX_SUPPORT_H
#define CEVM_TESTS_TX_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include <cevm/crypto.h>
#include <cevm/hex.h>
#include <cevm/transition.h>

#include "state/rlp.h"

#define ETHER 1000000000000000000u

typedef struct world {
    cevm_memdb *db;
    cevm_state *state;
    cevm_vm *vm;
    cevm_block_env block;
    cevm_block_usage usage;
} world;

static inline cevm_address address_of(unsigned number)
{
    cevm_address a = {{0}};
    a.bytes[18] = (uint8_t)(number >> 8);
    a.bytes[19] = (uint8_t)number;
    return a;
}

/** The account of secret key `number`, used as sender or authority. */
static inline cevm_address account_of(uint8_t number)
{
    uint8_t key[32] = {0};
    cevm_address a;
    key[31] = number;
    assert_true(cevm_secret_to_address(&a, key));
    return a;
}

enum { COINBASE = 0xc01b, CONTRACT = 0xc0de, STRANGER = 0x5771, SENDER_KEY = 1, AUTHORITY_KEY = 2 };

static inline void world_put(world *w, cevm_address address, uint64_t balance, uint64_t nonce, const char *code_hex)
{
    uint8_t code[512];
    size_t size = 0;
    const cevm_u256 wei = cevm_u256_from_u64(balance);
    assert_true(strlen(code_hex) / 2 <= sizeof code);
    assert_true(cevm_hex_decode(code, &size, code_hex, strlen(code_hex)));
    assert_int_equal(cevm_memdb_set_account(w->db, &address, &wei, nonce, (cevm_bytes){code, size}), CEVM_OK);
}

/** A sender with one ether and nonce 0; a block with a gas limit of 30 million at price 0. */
static inline void world_open(world *w, cevm_fork fork)
{
    memset(w, 0, sizeof *w);
    assert_int_equal(cevm_memdb_create(&w->db, NULL), CEVM_OK);
    const cevm_db db = cevm_memdb_interface(w->db);
    assert_int_equal(cevm_state_create(&w->state, &db, NULL), CEVM_OK);
    assert_int_equal(cevm_vm_create(&w->vm, NULL), CEVM_OK);
    w->block.fork = fork;
    w->block.coinbase = address_of(COINBASE);
    w->block.number = 1;
    w->block.gas_limit = 30000000;
    w->block.chain_id = 1;
    w->block.blob_base_fee = cevm_u256_from_u64(1);
    w->block.max_blobs = cevm_blob_params_default(fork).max;
    world_put(w, account_of(SENDER_KEY), ETHER, 0, "");
}

static inline void world_close(world *w)
{
    cevm_vm_destroy(w->vm);
    cevm_state_destroy(w->state);
    cevm_memdb_destroy(w->db);
}

/** A legacy call of CONTRACT with 100000 gas at price 10. */
static inline cevm_tx plain_tx(void)
{
    cevm_tx tx = {
        .gas_limit = 100000, .to = address_of(CONTRACT), .sender = account_of(SENDER_KEY), .has_sender = true};
    tx.max_fee = cevm_u256_from_u64(10);
    tx.max_priority_fee = tx.max_fee;
    return tx;
}

/** The same with a type, whose fees are all 10. */
static inline cevm_tx typed_tx(cevm_tx_type type)
{
    cevm_tx tx = plain_tx();
    tx.type = type;
    tx.has_chain_id = type != CEVM_TX_LEGACY;
    tx.chain_id = tx.has_chain_id ? 1 : 0;
    return tx;
}

static inline cevm_tx_error validate(world *w, const cevm_tx *tx)
{
    cevm_tx_error reason = CEVM_TX_ERROR_COUNT;
    assert_int_equal(cevm_tx_validate(&reason, w->state, tx, &w->block, &w->usage), CEVM_OK);
    return reason;
}

static inline cevm_receipt apply(world *w, const cevm_tx *tx)
{
    cevm_receipt receipt;
    cevm_tx_error reason = CEVM_TX_ERROR_COUNT;
    assert_int_equal(cevm_tx_apply(w->vm, w->state, &receipt, &reason, tx, &w->block, &w->usage, NULL), CEVM_OK);
    assert_string_equal(cevm_tx_error_name(reason), "NONE");
    return receipt;
}

static inline cevm_account_info account(world *w, cevm_address address)
{
    cevm_account_info info;
    assert_int_equal(cevm_state_get_account(w->state, &info, &address), CEVM_OK);
    return info;
}

static inline uint64_t balance(world *w, cevm_address address)
{
    const cevm_account_info info = account(w, address);
    assert_true(cevm_u256_fits_u64(&info.balance));
    return info.balance.w[0];
}

/** An authorization signed by `key`, its digest made with the RLP writer. */
static inline cevm_authorization authorize(uint8_t key, uint64_t chain_id, uint64_t nonce, cevm_address target)
{
    cevm_authorization a = {.chain_id = cevm_u256_from_u64(chain_id), .address = target, .nonce = nonce};
    uint8_t secret[32] = {0}, r[32], s[32];
    unsigned parity;
    cevm_hash digest;
    cevm_buf buf;
    const uint8_t magic = 5;
    cevm_buf_init(&buf, NULL);
    cevm_buf_append(&buf, &magic, 1);
    const size_t mark = cevm_rlp_list_begin(&buf);
    cevm_rlp_put_u256(&buf, &a.chain_id);
    cevm_rlp_put_address(&buf, &a.address);
    cevm_rlp_put_u64(&buf, a.nonce);
    cevm_rlp_list_end(&buf, mark);
    assert_false(buf.failed);
    cevm_keccak256(&digest, buf.data, buf.size);
    cevm_buf_free(&buf);
    secret[31] = key;
    assert_true(cevm_sign(r, s, &parity, &digest, secret));
    a.r = cevm_u256_from_be(r);
    a.s = cevm_u256_from_be(s);
    a.y_parity = (uint8_t)parity;
    return a;
}

/** n - s and the other parity: the same key signs, but not under EIP-2. */
static inline void make_high_s(cevm_u256 *s, uint64_t *parity)
{
    static const cevm_u256 n = {{0xbfd25e8cd0364141u, 0xbaaedce6af48a03bu, 0xfffffffffffffffeu, 0xffffffffffffffffu}};
    uint64_t borrow = 0;
    for (size_t i = 0; i < 4; ++i) {
        const uint64_t limb = s->w[i];
        s->w[i] = n.w[i] - limb - borrow;
        borrow = n.w[i] < limb || (n.w[i] == limb && borrow != 0) ? 1 : 0;
    }
    *parity ^= 1;
}

#endif
