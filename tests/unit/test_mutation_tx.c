/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every field of a valid block's transactions, changed one at a time: with the old signature, by which the transaction is
 * now another's, and signed anew by the sender; each with the old root of transactions in the header and with a new one. With
 * all that made anew only the rules of transactions or what came out bind a field, and some are free within bounds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cevm/hex.h>

#include "tests/unit/mutation.h"

typedef enum field {
    NONCE_UP,
    NONCE_DOWN,
    NONCE_MAX,
    PRICE_UP,
    PRICE_LOW,
    TIP_UP,
    TIP_HIGH,
    GAS_UP,
    GAS_LOW,
    GAS_HUGE,
    GAS_CAP,
    TO_OTHER,
    TO_NONE,
    VALUE_UP,
    VALUE_HUGE,
    DATA_MORE,
    CHAIN_OTHER,
    CHAIN_OWN,
    ACCESS_MORE,
    BLOB_FEE_UP,
    BLOB_FEE_ZERO,
    BLOB_OTHER,
    BLOB_VERSION,
    BLOB_NONE,
    BLOB_MORE,
    TUPLE_CHAIN,
    TUPLE_ADDRESS,
    TUPLE_NONCE,
    TUPLE_PARITY,
    TUPLE_R,
    TUPLE_S,
    TUPLE_NONE,
    TUPLE_MORE,
    FIELDS
} field;

/** What is expected of a change. NULL: a transaction of this type has no such field, or it cannot be changed so. */
typedef struct expectation {
    const char *what;
    const char *legacy, *access_list, *dynamic_fee, *blob, *set_code; /* signed anew */
    const char *stale; /* with the old signature; NULL: the account it now comes from has nothing */
} expectation;

#define SAME(text) text, text, text, text, text

/*
 * The set-code transaction runs into an undefined opcode and consumes all its gas, so that what else it would have paid or
 * moved is free; unless it no longer gets there.
 */
static const expectation expectations[FIELDS] = {
    [NONCE_UP] = {"nonce + 1", SAME("NONCE_MISMATCH_TOO_HIGH"), NULL},
    [NONCE_DOWN] = {"nonce - 1", SAME("NONCE_MISMATCH_TOO_LOW"), NULL},
    [NONCE_MAX] = {"nonce = 2^64 - 1", SAME("NONCE_IS_MAX"), "NONCE_IS_MAX"},
    [PRICE_UP] = {"price + 1", "INVALID_STATE_ROOT", "INVALID_STATE_ROOT", "accepted", "accepted", "accepted", NULL},
    [PRICE_LOW] = {"price = 1", SAME("INSUFFICIENT_MAX_FEE_PER_GAS"), "INSUFFICIENT_MAX_FEE_PER_GAS"},
    [TIP_UP] = {"tip + 1", NULL, NULL, "INVALID_STATE_ROOT", "INVALID_STATE_ROOT", "accepted", NULL},
    [TIP_HIGH] = {"tip above the price", NULL, NULL, "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS",
                  "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS", "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS",
                  "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS"},
    [GAS_UP] = {"gas_limit + 1", "accepted", "accepted", "accepted", "accepted", "INVALID_GAS_USED", NULL},
    [GAS_LOW] = {"gas_limit = 20999", SAME("INTRINSIC_GAS_TOO_LOW"), "INTRINSIC_GAS_TOO_LOW"},
    [GAS_HUGE] = {"gas_limit = 2^64 - 1", SAME("GAS_ALLOWANCE_EXCEEDED"), "GAS_ALLOWANCE_EXCEEDED"},
    [GAS_CAP] = {"gas_limit = 2^24 + 1", NULL, NULL, NULL, NULL, "GAS_LIMIT_EXCEEDS_MAXIMUM",
                 "GAS_LIMIT_EXCEEDS_MAXIMUM"}, /* EIP-7825 */
    [TO_OTHER] = {"to", "INVALID_STATE_ROOT", "INVALID_STATE_ROOT", "INVALID_STATE_ROOT", "INVALID_STATE_ROOT",
                  "INVALID_GAS_USED", NULL},
    [TO_NONE] = {"no to", "INVALID_GAS_USED", "INVALID_GAS_USED", "INVALID_GAS_USED", "TYPE_3_TX_CONTRACT_CREATION",
                 "TYPE_4_TX_CONTRACT_CREATION", NULL},
    [VALUE_UP] = {"value + 1", "INVALID_STATE_ROOT", "INVALID_STATE_ROOT", "INVALID_STATE_ROOT", "INVALID_STATE_ROOT",
                  "accepted", NULL},
    [VALUE_HUGE] = {"value + 2^200", SAME("INSUFFICIENT_ACCOUNT_FUNDS"), NULL},
    [DATA_MORE] = {"data", "INVALID_GAS_USED", "INVALID_GAS_USED", "INVALID_GAS_USED", "INVALID_GAS_USED", "accepted",
                   NULL},
    [CHAIN_OTHER] = {"chain_id = 2", SAME("INVALID_CHAINID"), "INVALID_CHAINID"},
    [CHAIN_OWN] = {"EIP-155", "accepted", NULL, NULL, NULL, NULL, NULL},
    [ACCESS_MORE] = {"access list", NULL, "INVALID_GAS_USED", "INVALID_GAS_USED", "INVALID_GAS_USED", "accepted", NULL},
    [BLOB_FEE_UP] = {"blob fee + 1", NULL, NULL, NULL, "accepted", NULL, NULL},
    [BLOB_FEE_ZERO] = {"blob fee = 0", NULL, NULL, NULL, "INSUFFICIENT_MAX_FEE_PER_BLOB_GAS", NULL,
                       "INSUFFICIENT_MAX_FEE_PER_BLOB_GAS"},
    [BLOB_OTHER] = {"blob hash", NULL, NULL, NULL, "accepted", NULL, NULL},
    [BLOB_VERSION] = {"blob version", NULL, NULL, NULL, "TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH", NULL,
                      "TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH"},
    [BLOB_NONE] = {"no blobs", NULL, NULL, NULL, "TYPE_3_TX_ZERO_BLOBS", NULL, "TYPE_3_TX_ZERO_BLOBS"},
    [BLOB_MORE] = {"one blob more", NULL, NULL, NULL, "INCORRECT_BLOB_GAS_USED", NULL, NULL},
    [TUPLE_CHAIN] = {"tuple's chain_id", NULL, NULL, NULL, NULL, "INVALID_GAS_USED", NULL},
    [TUPLE_ADDRESS] = {"tuple's address", NULL, NULL, NULL, NULL, "INVALID_GAS_USED", NULL},
    [TUPLE_NONCE] = {"tuple's nonce", NULL, NULL, NULL, NULL, "INVALID_GAS_USED", NULL},
    [TUPLE_PARITY] = {"tuple's y_parity", NULL, NULL, NULL, NULL, "INVALID_GAS_USED", NULL},
    [TUPLE_R] = {"tuple's r", NULL, NULL, NULL, NULL, "INVALID_GAS_USED", NULL},
    [TUPLE_S] = {"tuple's s", NULL, NULL, NULL, NULL, "INVALID_GAS_USED", NULL},
    [TUPLE_NONE] = {"no tuples", NULL, NULL, NULL, NULL, "TYPE_4_EMPTY_AUTHORIZATION_LIST",
                    "TYPE_4_EMPTY_AUTHORIZATION_LIST"},
    [TUPLE_MORE] = {"one tuple more", NULL, NULL, NULL, NULL, "accepted", NULL},
};

/** Where changed lists and bytes live. */
typedef struct storage {
    uint8_t data[64];
    cevm_access_entry entry;
    cevm_hash blobs[8];
    cevm_authorization tuples[4];
} storage;

static void change_lists(cevm_tx *tx, field f, storage *s)
{
    if (tx->blob_count != 0) {
        assert_in_range(tx->blob_count, 1, 7);
        memcpy(s->blobs, tx->blob_hashes, tx->blob_count * sizeof *s->blobs);
        s->blobs[tx->blob_count] = s->blobs[0];
        s->blobs[0].bytes[31] ^= f == BLOB_OTHER;
        s->blobs[0].bytes[0] ^= f == BLOB_VERSION;
        tx->blob_hashes = s->blobs;
        tx->blob_count = f == BLOB_NONE ? 0 : tx->blob_count + (f == BLOB_MORE);
    }
    if (tx->authorization_count != 0) {
        assert_in_range(tx->authorization_count, 1, 3);
        memcpy(s->tuples, tx->authorizations, tx->authorization_count * sizeof *s->tuples);
        s->tuples[tx->authorization_count] = s->tuples[0]; /* its nonce is then no longer the account's */
        s->tuples[0].chain_id.w[0] ^= f == TUPLE_CHAIN;
        s->tuples[0].address.bytes[0] ^= f == TUPLE_ADDRESS;
        s->tuples[0].nonce += f == TUPLE_NONCE;
        s->tuples[0].y_parity ^= f == TUPLE_PARITY;
        s->tuples[0].r.w[0] ^= f == TUPLE_R;
        s->tuples[0].s.w[0] ^= f == TUPLE_S;
        tx->authorizations = s->tuples;
        tx->authorization_count = f == TUPLE_NONE ? 0 : tx->authorization_count + (f == TUPLE_MORE);
    }
    if (f == ACCESS_MORE) {
        s->entry = (cevm_access_entry){.address = {{0xac}}};
        assert_int_equal(tx->access_count, 0);
        tx->access_list = &s->entry;
        tx->access_count = 1;
    }
}

static void change_fees(cevm_tx *tx, field f)
{
    const bool has_tip = tx->type != CEVM_TX_LEGACY && tx->type != CEVM_TX_ACCESS_LIST;
    tx->max_fee.w[0] += f == PRICE_UP;
    if (f == PRICE_LOW) {
        tx->max_fee = cevm_u256_from_u64(1);
    }
    tx->max_priority_fee.w[0] += f == TIP_UP;
    if (f == TIP_HIGH || !has_tip) {
        tx->max_priority_fee = tx->max_fee;
        tx->max_priority_fee.w[0] += has_tip;
    }
    tx->max_fee_per_blob_gas.w[0] += f == BLOB_FEE_UP;
    if (f == BLOB_FEE_ZERO) {
        tx->max_fee_per_blob_gas = cevm_u256_from_u64(0);
    }
}

static cevm_tx changed_tx(const cevm_tx *original, field f, storage *s)
{
    cevm_tx tx = *original;
    tx.nonce += f == NONCE_UP;
    tx.nonce -= f == NONCE_DOWN;
    tx.gas_limit += f == GAS_UP;
    tx.to.bytes[0] ^= f == TO_OTHER;
    tx.is_create = tx.is_create || f == TO_NONE;
    tx.value.w[0] += f == VALUE_UP;
    tx.value.w[3] += f == VALUE_HUGE ? 1u << 8 : 0;
    switch ((int)f) {
    case NONCE_MAX: tx.nonce = UINT64_MAX; break;
    case GAS_LOW: tx.gas_limit = 20999; break;
    case GAS_HUGE: tx.gas_limit = UINT64_MAX; break;
    case GAS_CAP: tx.gas_limit = (1 << 24) + 1; break;
    case DATA_MORE:
        assert_in_range(tx.data.size, 0, sizeof s->data - 1);
        if (tx.data.size != 0) {
            memcpy(s->data, tx.data.data, tx.data.size);
        }
        s->data[tx.data.size] = 0xff;
        tx.data = (cevm_bytes){s->data, tx.data.size + 1};
        break;
    case CHAIN_OTHER:
    case CHAIN_OWN:
        tx.has_chain_id = true;
        tx.chain_id = f == CHAIN_OWN ? 1 : 2;
        break;
    default: break;
    }
    change_fees(&tx, f);
    change_lists(&tx, f, s);
    return tx;
}

/** The valid block with another transaction in the place of one; the root is made anew or not. */
static bool import_with_tx(bed *b, size_t at, const cevm_tx *tx, bool new_root, const char *what, const char *expected)
{
    static uint8_t raw[4096];
    cevm_bytes views[16];
    size_t size;
    cevm_block changed = *b->block;
    assert_in_range(changed.tx_count, 1, 16);
    memcpy(views, changed.raw_txs, changed.tx_count * sizeof *views);
    assert_int_equal(cevm_tx_encode(raw, &size, sizeof raw, tx, NULL), CEVM_OK);
    views[at] = (cevm_bytes){raw, size};
    changed.raw_txs = views;
    if (new_root) {
        cevm_hash *root = &changed.header.transactions_root;
        assert_int_equal(cevm_transactions_root(root, views, changed.tx_count, NULL), CEVM_OK);
    }
    return import_block(b, &changed, what, expected);
}

static const char *expected_of(const expectation *e, cevm_tx_type type)
{
    switch (type) {
    case CEVM_TX_LEGACY: return e->legacy;
    case CEVM_TX_ACCESS_LIST: return e->access_list;
    case CEVM_TX_DYNAMIC_FEE: return e->dynamic_fee;
    case CEVM_TX_BLOB: return e->blob;
    case CEVM_TX_SET_CODE: return e->set_code;
    }
    return NULL;
}

/** What an account that holds nothing is told. */
static const char *of_nobody(const cevm_tx *tx)
{
    return tx->nonce != 0 ? "NONCE_MISMATCH_TOO_HIGH" : "INSUFFICIENT_ACCOUNT_FUNDS";
}

/** With the old root a transaction that is not valid is still named first; any other is one that should not be there. */
static const char *with_old_root(const char *expected)
{
    static const char *const by_execution[] = {"accepted", "INVALID_STATE_ROOT", "INVALID_GAS_USED",
                                               "INCORRECT_BLOB_GAS_USED"};
    for (size_t i = 0; i < sizeof by_execution / sizeof by_execution[0]; ++i) {
        if (strcmp(expected, by_execution[i]) == 0) {
            return "INVALID_TRANSACTIONS_ROOT";
        }
    }
    return expected;
}

static void change_txs(bed *b)
{
    uint8_t key[32];
    assert_true(cevm_hex_decode_exact(key, sizeof key, b->subject->secret_key));
    for (size_t at = 0; at < b->block->tx_count; ++at) {
        const cevm_tx *original = b->block->txs[at];
        for (int f = 0; f < FIELDS; ++f) {
            const expectation *e = &expectations[f];
            const char *expected = expected_of(e, original->type);
            const bool is_impossible = (f == NONCE_DOWN && original->nonce == 0) ||
                                       (f == PRICE_LOW && !b->block->header.has_base_fee) ||
                                       (f == GAS_CAP && b->fork < CEVM_OSAKA);
            if (expected == NULL || is_impossible) {
                continue;
            }
            storage s;
            cevm_tx tx = changed_tx(original, (field)f, &s);
            /* The chain of a legacy transaction is told by its signature alone. */
            const bool is_written = original->type != CEVM_TX_LEGACY || (f != CHAIN_OTHER && f != CHAIN_OWN);
            const char *stale = e->stale != NULL ? e->stale : of_nobody(&tx);
            if (f == TO_NONE && original->type >= CEVM_TX_BLOB) {
                stale = expected;
            }
            assert_int_equal(import_with_tx(b, at, &tx, false, e->what, stale), is_written);
            assert_int_equal(import_with_tx(b, at, &tx, true, e->what, stale), is_written);
            assert_int_equal(cevm_tx_sign(&tx, key, NULL), CEVM_OK);
            assert_true(import_with_tx(b, at, &tx, false, e->what, with_old_root(expected)));
            assert_true(import_with_tx(b, at, &tx, true, e->what, expected));
        }
    }
}

static const subject subjects[] = {
    {"legacy/uncleHeaderAtBlock2Byzantium.json", "Byzantium", 1, USUAL_KEY},
    {"tests/blockWithAllTransactionTypes.json", "Cancun", 0, USUAL_KEY},
    {"eest/test_tx_into_self_delegating_set_code.json", "Prague", 0,
     "793514f4a15210e743e5df0529b6472959676f0173a40de0e0e18a21572c4ed7"},
    {"eest/test_tx_into_self_delegating_set_code.json", "Osaka", 0,
     "793514f4a15210e743e5df0529b6472959676f0173a40de0e0e18a21572c4ed7"},
};
enum { SUBJECTS = sizeof subjects / sizeof subjects[0] };

static void test_every_transaction_field(void **state)
{
    (void)state;
    size_t refused = 0, accepted = 0;
    for (size_t i = 0; i < SUBJECTS; ++i) {
        refused += with_subject(&subjects[i], change_txs, &accepted);
    }
    print_message("%zu changes refused, %zu accepted\n", refused, accepted);
    assert_true(refused >= 300 && accepted >= 20);
}

/* ---- The signature -------------------------------------------------------------------------------------------------- */

/** n - s for the order n of secp256k1: as good mathematically, refused by EIP-2. */
static cevm_u256 other_s(const cevm_u256 *s)
{
    static const cevm_u256 order = {{UINT64_C(0xbfd25e8cd0364141), UINT64_C(0xbaaedce6af48a03b),
                                     UINT64_C(0xfffffffffffffffe), UINT64_C(0xffffffffffffffff)}};
    cevm_u256 out = {{0}};
    uint64_t borrow = 0;
    for (int i = 0; i < 4; ++i) {
        const uint64_t difference = order.w[i] - s->w[i];
        out.w[i] = difference - borrow;
        borrow = (uint64_t)(order.w[i] < s->w[i] || difference < borrow);
    }
    return out;
}

static void change_signatures(bed *b)
{
    for (size_t at = 0; at < b->block->tx_count; ++at) {
        const cevm_tx *original = b->block->txs[at];
        const bool typed = original->type != CEVM_TX_LEGACY;
        const struct {
            const char *what;
            cevm_u256 v, r, s;
            const char *expected;
        } cases[] = {
            {"the other parity", {{original->v.w[0] ^ (typed ? 1 : 7)}}, original->r, original->s, of_nobody(original)},
            {"no parity",
             {{typed ? 2 : 26}},
             original->r,
             original->s,
             typed ? "INVALID_SIGNATURE_VRS" : "INVALID_CHAINID"},
            {"r = 0", original->v, {{0}}, original->s, "INVALID_SIGNATURE_VRS"},
            {"s = 0", original->v, original->r, {{0}}, "INVALID_SIGNATURE_VRS"},
            {"s + 1",
             original->v,
             original->r,
             {{original->s.w[0] + 1, original->s.w[1], original->s.w[2], original->s.w[3]}},
             of_nobody(original)},
            {"n - s",
             {{original->v.w[0] ^ (typed ? 1 : 7)}},
             original->r,
             other_s(&original->s),
             "INVALID_SIGNATURE_VRS"},
        };
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
            cevm_tx tx = *original;
            tx.v = cases[i].v;
            tx.r = cases[i].r;
            tx.s = cases[i].s;
            assert_true(import_with_tx(b, at, &tx, false, cases[i].what, cases[i].expected));
            assert_true(import_with_tx(b, at, &tx, true, cases[i].what, cases[i].expected));
        }
    }
}

static void test_signature(void **state)
{
    (void)state;
    size_t accepted = 0;
    for (size_t i = 0; i < SUBJECTS; ++i) {
        assert_true(with_subject(&subjects[i], change_signatures, &accepted) >= 12);
    }
    assert_int_equal(accepted, 0);
}

/* ---- Transactions as a whole ---------------------------------------------------------------------------------------- */

/** Left out, doubled, exchanged, of another type. */
static void change_list(bed *b)
{
    cevm_block changed = *b->block;
    cevm_bytes views[8];
    uint8_t other_type[1024];
    memcpy(views, changed.raw_txs, 4 * sizeof *views);
    changed.raw_txs = views;
    changed.tx_count = 3;
    import_block(b, &changed, "one transaction less", "INVALID_TRANSACTIONS_ROOT");
    assert_int_equal(cevm_transactions_root(&changed.header.transactions_root, views, 3, NULL), CEVM_OK);
    import_block(b, &changed, "one transaction less", "INVALID_GAS_USED");
    views[4] = views[3];
    changed.tx_count = 5;
    assert_int_equal(cevm_transactions_root(&changed.header.transactions_root, views, 5, NULL), CEVM_OK);
    import_block(b, &changed, "one transaction twice", "NONCE_MISMATCH_TOO_LOW");
    views[0] = views[1];
    views[1] = b->block->raw_txs[0];
    changed.tx_count = 4;
    assert_int_equal(cevm_transactions_root(&changed.header.transactions_root, views, 4, NULL), CEVM_OK);
    import_block(b, &changed, "transactions exchanged", "NONCE_MISMATCH_TOO_HIGH");
    memcpy(views, b->block->raw_txs, 4 * sizeof *views);
    memcpy(other_type, views[3].data, views[3].size);
    views[3].data = other_type;
    changed.header = b->block->header;
    other_type[0] = 5;
    import_block(b, &changed, "another type", "TYPE_NOT_SUPPORTED");
    other_type[0] = 2;
    import_block(b, &changed, "another type", "RLP_INVALID_SIGNATURE_R"); /* blobs stand there */
}

static void test_list(void **state)
{
    (void)state;
    size_t accepted = 0;
    assert_int_equal(with_subject(&subjects[1], change_list, &accepted), 6);
    assert_int_equal(accepted, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_transaction_field),
        cmocka_unit_test(test_signature),
        cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
