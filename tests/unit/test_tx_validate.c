/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a transaction is refused: each reason on a transaction that is right but for one thing, limits at both sides, and
 * the order in which two faults are named.
 */
#include "tx_support.h"

static void expect(world *w, const cevm_tx *tx, cevm_tx_error expected)
{
    assert_string_equal(cevm_tx_error_name(validate(w, tx)), cevm_tx_error_name(expected));
}

static void test_right_transactions_of_every_type(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_OSAKA);
    static const cevm_hash blob = {{1}};
    const cevm_authorization authorization = {.y_parity = 9};
    for (int type = CEVM_TX_LEGACY; type <= CEVM_TX_SET_CODE; ++type) {
        cevm_tx tx = typed_tx((cevm_tx_type)type);
        tx.blob_hashes = &blob;
        tx.blob_count = 1;
        tx.max_fee_per_blob_gas = cevm_u256_from_u64(1);
        tx.authorizations = &authorization;
        tx.authorization_count = 1;
        expect(&w, &tx, CEVM_TX_NONE);
    }
    world_close(&w);
}

static void test_types_before_their_fork(void **state)
{
    (void)state;
    static const struct {
        cevm_tx_type type;
        cevm_fork last;
        cevm_tx_error reason;
    } rows[] = {
        {CEVM_TX_ACCESS_LIST, CEVM_ISTANBUL, CEVM_TX_TYPE_1_TX_PRE_FORK},
        {CEVM_TX_DYNAMIC_FEE, CEVM_BERLIN, CEVM_TX_TYPE_2_TX_PRE_FORK},
        {CEVM_TX_BLOB, CEVM_SHANGHAI, CEVM_TX_TYPE_3_TX_PRE_FORK},
        {CEVM_TX_SET_CODE, CEVM_CANCUN, CEVM_TX_TYPE_4_TX_PRE_FORK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        const cevm_tx tx = typed_tx(rows[i].type);
        for (int fork = 0; fork <= (int)rows[i].last; ++fork) {
            world w;
            world_open(&w, (cevm_fork)fork);
            expect(&w, &tx, rows[i].reason);
            world_close(&w);
        }
    }
}

static void test_chain_id(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_OSAKA);
    cevm_tx tx = plain_tx();
    tx.has_chain_id = true;
    tx.chain_id = 257; /* the low byte is right */
    expect(&w, &tx, CEVM_TX_INVALID_CHAINID);
    tx.has_chain_id = false;
    expect(&w, &tx, CEVM_TX_NONE);
    tx = typed_tx(CEVM_TX_DYNAMIC_FEE);
    tx.chain_id = 0;
    expect(&w, &tx, CEVM_TX_INVALID_CHAINID);
    w.block.chain_id = 0;
    expect(&w, &tx, CEVM_TX_NONE);
    world_close(&w);
}

static void test_gas_limits(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_PRAGUE);
    cevm_tx tx = plain_tx();
    static const uint8_t ones[10] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    tx.gas_limit = 20999;
    expect(&w, &tx, CEVM_TX_INTRINSIC_GAS_TOO_LOW);
    tx.gas_limit = 21000;
    expect(&w, &tx, CEVM_TX_NONE);
    /* EIP-7623: intrinsic 21160, floor 21400 */
    tx.data = (cevm_bytes){ones, sizeof ones};
    tx.gas_limit = 21159;
    expect(&w, &tx, CEVM_TX_INTRINSIC_GAS_TOO_LOW);
    tx.gas_limit = 21160;
    expect(&w, &tx, CEVM_TX_INTRINSIC_GAS_BELOW_FLOOR_GAS_COST);
    tx.gas_limit = 21399;
    expect(&w, &tx, CEVM_TX_INTRINSIC_GAS_BELOW_FLOOR_GAS_COST);
    tx.gas_limit = 21400;
    expect(&w, &tx, CEVM_TX_NONE);
    /* The block's gas. */
    tx.gas_limit = w.block.gas_limit;
    expect(&w, &tx, CEVM_TX_NONE);
    tx.gas_limit = w.block.gas_limit + 1;
    expect(&w, &tx, CEVM_TX_GAS_ALLOWANCE_EXCEEDED);
    w.usage.gas_used = w.block.gas_limit - 50000;
    tx.gas_limit = 50000;
    expect(&w, &tx, CEVM_TX_NONE);
    tx.gas_limit = 50001;
    expect(&w, &tx, CEVM_TX_GAS_ALLOWANCE_EXCEEDED);
    w.usage.gas_used = w.block.gas_limit + 1;
    expect(&w, &tx, CEVM_TX_GAS_ALLOWANCE_EXCEEDED);
    /* Gas is a signed 64-bit number in the machine. */
    w.usage.gas_used = 0;
    w.block.gas_limit = UINT64_MAX;
    tx.max_fee = cevm_u256_from_u64(0);
    tx.max_priority_fee = tx.max_fee;
    tx.gas_limit = INT64_MAX;
    expect(&w, &tx, CEVM_TX_NONE);
    tx.gas_limit = (uint64_t)INT64_MAX + 1;
    expect(&w, &tx, CEVM_TX_GAS_ALLOWANCE_EXCEEDED);
    world_close(&w);
}

static void test_eip7825_gas_cap(void **state)
{
    (void)state;
    world w;
    cevm_tx tx = plain_tx();
    world_open(&w, CEVM_OSAKA);
    tx.gas_limit = 16777216;
    expect(&w, &tx, CEVM_TX_NONE);
    tx.gas_limit = 16777217;
    expect(&w, &tx, CEVM_TX_GAS_LIMIT_EXCEEDS_MAXIMUM);
    w.block.fork = CEVM_PRAGUE;
    expect(&w, &tx, CEVM_TX_NONE);
    world_close(&w);
}

static void test_eip3860_initcode_size(void **state)
{
    (void)state;
    world w;
    cevm_tx tx = plain_tx();
    uint8_t *code = calloc(1, 49153);
    assert_non_null(code);
    world_open(&w, CEVM_SHANGHAI);
    tx.is_create = true;
    tx.gas_limit = 1000000;
    tx.data = (cevm_bytes){code, 49152};
    expect(&w, &tx, CEVM_TX_NONE);
    tx.data.size = 49153;
    expect(&w, &tx, CEVM_TX_INITCODE_SIZE_EXCEEDED);
    tx.is_create = false;
    expect(&w, &tx, CEVM_TX_NONE);
    tx.is_create = true;
    w.block.fork = CEVM_PARIS;
    expect(&w, &tx, CEVM_TX_NONE);
    world_close(&w);
    free(code);
}

static void test_nonces(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_CANCUN);
    cevm_tx tx = plain_tx();
    world_put(&w, tx.sender, ETHER, 5, "");
    tx.nonce = 4;
    expect(&w, &tx, CEVM_TX_NONCE_MISMATCH_TOO_LOW);
    tx.nonce = 6;
    expect(&w, &tx, CEVM_TX_NONCE_MISMATCH_TOO_HIGH);
    tx.nonce = 5;
    expect(&w, &tx, CEVM_TX_NONE);
    /* EIP-2681, also when it is the account's nonce */
    world_close(&w);
    world_open(&w, CEVM_CANCUN);
    world_put(&w, tx.sender, ETHER, UINT64_MAX, "");
    tx.nonce = UINT64_MAX;
    expect(&w, &tx, CEVM_TX_NONCE_IS_MAX);
    world_close(&w);
    world_open(&w, CEVM_CANCUN);
    world_put(&w, tx.sender, ETHER, UINT64_MAX - 1, "");
    tx.nonce = UINT64_MAX - 1;
    expect(&w, &tx, CEVM_TX_NONE);
    world_close(&w);
}

static void test_eip1559_fees(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_LONDON);
    w.block.base_fee = cevm_u256_from_u64(10);
    cevm_tx tx = typed_tx(CEVM_TX_DYNAMIC_FEE);
    expect(&w, &tx, CEVM_TX_NONE);
    tx.max_priority_fee = cevm_u256_from_u64(11);
    expect(&w, &tx, CEVM_TX_PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS);
    tx.max_priority_fee = (cevm_u256){{0, 0, 0, 1}};
    expect(&w, &tx, CEVM_TX_PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS);
    tx.max_priority_fee = cevm_u256_from_u64(0);
    w.block.base_fee = cevm_u256_from_u64(11);
    expect(&w, &tx, CEVM_TX_INSUFFICIENT_MAX_FEE_PER_GAS);
    tx = plain_tx(); /* a legacy gas price must reach the base fee too */
    expect(&w, &tx, CEVM_TX_INSUFFICIENT_MAX_FEE_PER_GAS);
    w.block.fork = CEVM_BERLIN;
    expect(&w, &tx, CEVM_TX_NONE);
    world_close(&w);
}

static void test_funds(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_LONDON);
    cevm_tx tx = plain_tx();
    tx.value = cevm_u256_from_u64(ETHER - 1000000);
    expect(&w, &tx, CEVM_TX_NONE); /* 100000 gas at 10 and the value are all there is */
    tx.value.w[0] += 1;
    expect(&w, &tx, CEVM_TX_INSUFFICIENT_ACCOUNT_FUNDS);
    /* The limit counts, not the price paid. */
    tx = typed_tx(CEVM_TX_DYNAMIC_FEE);
    tx.max_fee = cevm_u256_from_u64(ETHER / 100000 + 1);
    tx.max_priority_fee = cevm_u256_from_u64(0);
    expect(&w, &tx, CEVM_TX_INSUFFICIENT_ACCOUNT_FUNDS);
    /* Sums and products that pass 2^256 never wrap to something affordable. */
    tx = plain_tx();
    tx.value = (cevm_u256){{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    expect(&w, &tx, CEVM_TX_INSUFFICIENT_ACCOUNT_FUNDS);
    tx = plain_tx();
    tx.gas_limit = 1 << 20;
    tx.max_fee = (cevm_u256){{0, 0, 0, (uint64_t)1 << 44}};
    tx.max_priority_fee = tx.max_fee;
    expect(&w, &tx, CEVM_TX_GASLIMIT_PRICE_PRODUCT_OVERFLOW);
    tx.max_fee = (cevm_u256){{0, 0, 0, ((uint64_t)1 << 44) - 1}};
    tx.max_priority_fee = tx.max_fee;
    expect(&w, &tx, CEVM_TX_INSUFFICIENT_ACCOUNT_FUNDS);
    world_close(&w);
}

static void test_eip3607_sender_code(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        cevm_fork fork;
        cevm_tx_error reason;
    } rows[] = {
        {"00", CEVM_FRONTIER, CEVM_TX_SENDER_NOT_EOA},
        {"00", CEVM_OSAKA, CEVM_TX_SENDER_NOT_EOA},
        {"ef01000000000000000000000000000000000000000001", CEVM_CANCUN, CEVM_TX_SENDER_NOT_EOA},
        {"ef01000000000000000000000000000000000000000001", CEVM_PRAGUE, CEVM_TX_NONE},
        {"ef010000000000000000000000000000000000000001", CEVM_PRAGUE, CEVM_TX_SENDER_NOT_EOA},     /* 22 bytes */
        {"ef0100000000000000000000000000000000000000000001", CEVM_PRAGUE, CEVM_TX_SENDER_NOT_EOA}, /* 24 bytes */
        {"ef01010000000000000000000000000000000000000001", CEVM_PRAGUE, CEVM_TX_SENDER_NOT_EOA},
    };
    const cevm_tx tx = plain_tx();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        world w;
        world_open(&w, rows[i].fork);
        world_put(&w, tx.sender, ETHER, 0, rows[i].code);
        expect(&w, &tx, rows[i].reason);
        world_close(&w);
    }
}

static void test_eip4844_blobs(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_CANCUN);
    cevm_hash blobs[10];
    memset(blobs, 0, sizeof blobs);
    for (size_t i = 0; i < 10; ++i) {
        blobs[i].bytes[0] = 1;
    }
    cevm_tx tx = typed_tx(CEVM_TX_BLOB);
    tx.max_fee_per_blob_gas = cevm_u256_from_u64(1);
    tx.blob_hashes = blobs;
    expect(&w, &tx, CEVM_TX_TYPE_3_TX_ZERO_BLOBS);
    tx.blob_count = 6;
    expect(&w, &tx, CEVM_TX_NONE);
    tx.blob_count = 7;
    expect(&w, &tx, CEVM_TX_TYPE_3_TX_BLOBS_ABOVE_BLOCK_LIMIT);
    tx.blob_count = 6;
    w.usage.blob_gas_used = 131072;
    expect(&w, &tx, CEVM_TX_TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED);
    tx.blob_count = 5;
    expect(&w, &tx, CEVM_TX_NONE);
    w.usage.blob_gas_used = UINT64_MAX;
    expect(&w, &tx, CEVM_TX_TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED);
    w.usage.blob_gas_used = 0;
    blobs[4].bytes[0] = 2;
    expect(&w, &tx, CEVM_TX_TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH);
    blobs[4].bytes[0] = 0;
    expect(&w, &tx, CEVM_TX_TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH);
    blobs[4].bytes[0] = 1;
    w.block.blob_base_fee = cevm_u256_from_u64(2);
    expect(&w, &tx, CEVM_TX_INSUFFICIENT_MAX_FEE_PER_BLOB_GAS);
    tx.max_fee_per_blob_gas = cevm_u256_from_u64(2);
    expect(&w, &tx, CEVM_TX_NONE);
    tx.is_create = true;
    expect(&w, &tx, CEVM_TX_TYPE_3_TX_CONTRACT_CREATION);
    tx.is_create = false;
    /* 5 * 131072 * max_fee_per_blob_gas counts against the balance: 1 ether / 655360 = 1525878906250 */
    tx.max_fee_per_blob_gas = cevm_u256_from_u64(1525878906250u);
    expect(&w, &tx, CEVM_TX_INSUFFICIENT_ACCOUNT_FUNDS);
    tx.max_fee_per_blob_gas = cevm_u256_from_u64(1525878906248u); /* leaves 1310720 for 100000 gas at 10 */
    expect(&w, &tx, CEVM_TX_NONE);
    tx.max_fee_per_blob_gas = (cevm_u256){{0, 0, 0, (uint64_t)1 << 63}};
    expect(&w, &tx, CEVM_TX_INSUFFICIENT_ACCOUNT_FUNDS);
    world_close(&w);
}

static void test_eip7594_blobs_of_one_transaction(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_OSAKA);
    cevm_hash blobs[10];
    memset(blobs, 1, sizeof blobs);
    cevm_tx tx = typed_tx(CEVM_TX_BLOB);
    tx.max_fee_per_blob_gas = cevm_u256_from_u64(1);
    tx.blob_hashes = blobs;
    tx.blob_count = 6;
    expect(&w, &tx, CEVM_TX_NONE);
    tx.blob_count = 7;
    expect(&w, &tx, CEVM_TX_TYPE_3_TX_BLOB_COUNT_EXCEEDED);
    w.block.fork = CEVM_PRAGUE;
    tx.blob_count = 9;
    expect(&w, &tx, CEVM_TX_NONE);
    tx.blob_count = 10;
    expect(&w, &tx, CEVM_TX_TYPE_3_TX_BLOBS_ABOVE_BLOCK_LIMIT);
    world_close(&w);
}

static void test_eip7702_form(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_PRAGUE);
    const cevm_authorization authorization = {.y_parity = 9};
    cevm_tx tx = typed_tx(CEVM_TX_SET_CODE);
    expect(&w, &tx, CEVM_TX_TYPE_4_EMPTY_AUTHORIZATION_LIST);
    tx.authorizations = &authorization;
    tx.authorization_count = 1;
    expect(&w, &tx, CEVM_TX_NONE);
    tx.is_create = true;
    expect(&w, &tx, CEVM_TX_TYPE_4_TX_CONTRACT_CREATION);
    world_close(&w);
}

static void test_first_fault_is_named(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_LONDON);
    cevm_tx tx = plain_tx();
    tx.sender = account_of(77); /* no account: no funds */
    tx.nonce = 3;
    tx.gas_limit = 20000;
    w.block.gas_limit = 10000;
    w.block.base_fee = cevm_u256_from_u64(11);
    tx.has_chain_id = true;
    tx.chain_id = 2;
    expect(&w, &tx, CEVM_TX_INVALID_CHAINID);
    tx.has_chain_id = false;
    expect(&w, &tx, CEVM_TX_GAS_ALLOWANCE_EXCEEDED);
    w.block.gas_limit = 21000;
    expect(&w, &tx, CEVM_TX_INSUFFICIENT_MAX_FEE_PER_GAS);
    w.block.base_fee = cevm_u256_from_u64(10);
    expect(&w, &tx, CEVM_TX_INTRINSIC_GAS_TOO_LOW);
    tx.gas_limit = 21000;
    expect(&w, &tx, CEVM_TX_NONCE_MISMATCH_TOO_HIGH);
    tx.nonce = 0;
    expect(&w, &tx, CEVM_TX_INSUFFICIENT_ACCOUNT_FUNDS);
    world_close(&w);
}

static void test_sender_must_be_known(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_LONDON);
    cevm_tx tx = plain_tx();
    cevm_tx_error reason;
    tx.has_sender = false;
    assert_int_equal(cevm_tx_validate(&reason, w.state, &tx, &w.block, &w.usage), CEVM_ERR_ARGUMENT);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right_transactions_of_every_type),
        cmocka_unit_test(test_types_before_their_fork),
        cmocka_unit_test(test_chain_id),
        cmocka_unit_test(test_gas_limits),
        cmocka_unit_test(test_eip7825_gas_cap),
        cmocka_unit_test(test_eip3860_initcode_size),
        cmocka_unit_test(test_nonces),
        cmocka_unit_test(test_eip1559_fees),
        cmocka_unit_test(test_funds),
        cmocka_unit_test(test_eip3607_sender_code),
        cmocka_unit_test(test_eip4844_blobs),
        cmocka_unit_test(test_eip7594_blobs_of_one_transaction),
        cmocka_unit_test(test_eip7702_form),
        cmocka_unit_test(test_first_fault_is_named),
        cmocka_unit_test(test_sender_must_be_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
