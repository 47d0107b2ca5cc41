/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a transaction does to the state: who pays what, what is warm, what is refunded, and that nothing stays of one that
 * is rejected or breaks off. The gas in the comments is added up from the EIPs.
 */
#include "tx_support.h"

#include <stdio.h>

/* ---- Fees -------------------------------------------------------------------------------------------------------- */

static void test_plain_transfer_in_every_fork(void **state)
{
    (void)state;
    for (int fork = 0; fork < CEVM_FORK_COUNT; ++fork) {
        world w;
        world_open(&w, (cevm_fork)fork);
        cevm_tx tx = plain_tx();
        tx.value = cevm_u256_from_u64(7);
        const cevm_receipt receipt = apply(&w, &tx);
        assert_int_equal(receipt.status, CEVM_STATUS_STOP);
        assert_true(receipt.gas_used == 21000 && receipt.gas_refunded == 0 && receipt.blob_gas_used == 0);
        assert_int_equal(receipt.log_count, 0);
        assert_false(receipt.has_created);
        assert_true(balance(&w, tx.sender) == ETHER - 210000 - 7);
        assert_true(balance(&w, tx.to) == 7);
        assert_true(balance(&w, w.block.coinbase) == 210000);
        assert_int_equal(account(&w, tx.sender).nonce, 1);
        world_close(&w);
    }
}

static void test_eip1559_base_fee_is_burnt(void **state)
{
    (void)state;
    static const struct {
        uint64_t base, max, priority, price;
    } rows[] = {{7, 10, 2, 9}, {7, 10, 3, 10}, {7, 10, 9, 10}, {7, 7, 0, 7}, {0, 10, 4, 4}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        world w;
        world_open(&w, CEVM_LONDON);
        w.block.base_fee = cevm_u256_from_u64(rows[i].base);
        cevm_tx tx = typed_tx(CEVM_TX_DYNAMIC_FEE);
        tx.max_fee = cevm_u256_from_u64(rows[i].max);
        tx.max_priority_fee = cevm_u256_from_u64(rows[i].priority);
        world_put(&w, tx.to, 0, 1, "3a60005500"); /* SSTORE(0, GASPRICE) */
        (void)apply(&w, &tx);
        const uint64_t used = 21000 + 2 + 3 + 2100 + 20000;
        const cevm_u256 zero = {{0}};
        cevm_u256 price;
        assert_int_equal(cevm_state_get_storage(w.state, &price, &tx.to, &zero), CEVM_OK);
        assert_true(price.w[0] == rows[i].price);
        assert_true(balance(&w, tx.sender) == ETHER - used * rows[i].price);
        assert_true(balance(&w, w.block.coinbase) == used * (rows[i].price - rows[i].base));
        world_close(&w);
    }
}

static void test_a_huge_priority_fee_does_not_wrap(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_LONDON);
    w.block.base_fee = cevm_u256_from_u64(10);
    cevm_tx tx = typed_tx(CEVM_TX_DYNAMIC_FEE);
    const cevm_u256 rich = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    assert_int_equal(cevm_memdb_set_account(w.db, &tx.sender, &rich, 0, (cevm_bytes){NULL, 0}), CEVM_OK);
    tx.gas_limit = 1 << 15;
    tx.max_fee = (cevm_u256){{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX >> 15}};
    tx.max_priority_fee = tx.max_fee;
    const cevm_receipt receipt = apply(&w, &tx);
    assert_true(receipt.gas_used == 21000);
    /* 2^256 - 1 - 21000 * (2^241 - 1): the price is max_fee, as base fee + priority fee is above it. */
    const cevm_account_info sender = account(&w, tx.sender);
    assert_true(sender.balance.w[3] == (uint64_t)0 - ((uint64_t)21000 << 49));
    assert_true(sender.balance.w[0] == 20999);
    world_close(&w);
}

static void test_eip4844_blob_fee_goes_to_nobody(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_CANCUN);
    w.block.blob_base_fee = cevm_u256_from_u64(3);
    cevm_hash blobs[2];
    memset(blobs, 1, sizeof blobs);
    cevm_tx tx = typed_tx(CEVM_TX_BLOB);
    tx.blob_hashes = blobs;
    tx.blob_count = 2;
    tx.max_fee_per_blob_gas = cevm_u256_from_u64(1000); /* the block's price is paid, not this */
    world_put(&w, tx.to, 0, 1, "60014960005500");       /* SSTORE(0, BLOBHASH(1)) */
    const cevm_receipt receipt = apply(&w, &tx);
    assert_true(receipt.blob_gas_used == 2 * 131072);
    assert_true(receipt.gas_used == 21000 + 3 + 3 + 3 + 22100);
    assert_true(balance(&w, tx.sender) == ETHER - receipt.gas_used * 10 - (uint64_t)2 * 131072 * 3);
    assert_true(balance(&w, w.block.coinbase) == receipt.gas_used * 10);
    const cevm_u256 zero = {{0}};
    cevm_u256 hash;
    assert_int_equal(cevm_state_get_storage(w.state, &hash, &tx.to, &zero), CEVM_OK);
    assert_true(hash.w[3] == 0x0101010101010101u);
    world_close(&w);
}

/* An empty coinbase that earns nothing appears before EIP-161 and disappears from then on. */
static void test_eip161_coinbase_is_touched(void **state)
{
    (void)state;
    for (int fork = 0; fork < CEVM_FORK_COUNT; ++fork) {
        world w;
        world_open(&w, (cevm_fork)fork);
        cevm_tx tx = plain_tx();
        world_put(&w, tx.to, 1, 0, "");
        tx.max_fee = cevm_u256_from_u64(0);
        tx.max_priority_fee = tx.max_fee;
        (void)apply(&w, &tx);
        assert_int_equal(account(&w, w.block.coinbase).exists, fork < CEVM_SPURIOUS_DRAGON);
        world_close(&w);
        world_open(&w, (cevm_fork)fork);
        world_put(&w, w.block.coinbase, 0, 0, "");
        (void)apply(&w, &tx);
        assert_int_equal(account(&w, w.block.coinbase).exists, fork < CEVM_SPURIOUS_DRAGON);
        world_close(&w);
    }
}

/* ---- Refunds ----------------------------------------------------------------------------------------------------- */

/** Clears two slots that hold 1. */
static cevm_receipt clear_two_slots(cevm_fork fork, cevm_bytes data)
{
    world w;
    world_open(&w, fork);
    cevm_tx tx = plain_tx();
    const cevm_u256 one = cevm_u256_from_u64(1);
    world_put(&w, tx.to, 0, 1, "600060005560006001550000");
    for (uint64_t slot = 0; slot < 2; ++slot) {
        const cevm_u256 key = cevm_u256_from_u64(slot);
        assert_int_equal(cevm_memdb_set_storage(w.db, &tx.to, &key, &one), CEVM_OK);
    }
    tx.data = data;
    const cevm_receipt receipt = apply(&w, &tx);
    assert_true(balance(&w, tx.sender) == ETHER - receipt.gas_used * 10);
    assert_true(balance(&w, w.block.coinbase) == receipt.gas_used * 10);
    world_close(&w);
    return receipt;
}

static void test_eip3529_refund_limit(void **state)
{
    (void)state;
    const cevm_bytes none = {NULL, 0};
    /* 21000 + 2 * (6 + 5000) = 31012; 2 * 15000 is more than the half of it */
    cevm_receipt receipt = clear_two_slots(CEVM_ISTANBUL, none);
    assert_true(receipt.gas_used == 31012 - 15506 && receipt.gas_refunded == 15506);
    /* 21000 + 2 * (6 + 2100 + 2900) = 31012; EIP-3529: 2 * 4800 is more than a fifth of it, 6202 */
    receipt = clear_two_slots(CEVM_LONDON, none);
    assert_true(receipt.gas_used == 31012 - 6202 && receipt.gas_refunded == 6202);
}

static void test_eip7623_floor_after_refund(void **state)
{
    (void)state;
    uint8_t ones[400];
    memset(ones, 1, sizeof ones);
    /* 100 bytes: 21000 + 1600 + 10012 = 32612, less 6522 = 26090; the floor is 21000 + 40 * 100 = 25000 */
    cevm_receipt receipt = clear_two_slots(CEVM_PRAGUE, (cevm_bytes){ones, 100});
    assert_true(receipt.gas_used == 26090 && receipt.gas_refunded == 6522);
    /* 400 bytes: 21000 + 6400 + 10012 = 37412, less 7482 = 29930; the floor is 21000 + 40 * 400 = 37000 */
    receipt = clear_two_slots(CEVM_PRAGUE, (cevm_bytes){ones, 400});
    assert_true(receipt.gas_used == 37000 && receipt.gas_refunded == 7482);
    receipt = clear_two_slots(CEVM_CANCUN, (cevm_bytes){ones, 400});
    assert_true(receipt.gas_used == 29930);
}

static void test_failed_execution_pays_for_everything(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        cevm_status status;
        uint64_t used;
    } rows[] = {
        {"6000600055fe", CEVM_STATUS_INVALID_OPCODE, 100000},
        {"60006000fd", CEVM_STATUS_REVERT, 21006},
        {"5b600056", CEVM_STATUS_OUT_OF_GAS, 100000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        world w;
        world_open(&w, CEVM_BYZANTIUM);
        cevm_tx tx = plain_tx();
        const cevm_u256 zero = {{0}}, one = cevm_u256_from_u64(1);
        tx.value = cevm_u256_from_u64(5);
        world_put(&w, tx.to, 0, 1, rows[i].code);
        assert_int_equal(cevm_memdb_set_storage(w.db, &tx.to, &zero, &one), CEVM_OK);
        const cevm_receipt receipt = apply(&w, &tx);
        assert_int_equal(receipt.status, rows[i].status);
        assert_true(receipt.gas_used == rows[i].used);
        assert_true(balance(&w, tx.sender) == ETHER - rows[i].used * 10);
        assert_true(balance(&w, tx.to) == 0);
        assert_int_equal(account(&w, tx.sender).nonce, 1);
        world_close(&w);
    }
}

/* ---- Warmth ------------------------------------------------------------------------------------------------------ */

/** Gas of BALANCE(address) alone, from a contract at CONTRACT. */
static uint64_t balance_cost(cevm_fork fork, const cevm_address *address, const cevm_tx *tx)
{
    world w;
    char code[64], hex[41];
    world_open(&w, fork);
    cevm_hex_encode(hex, address->bytes, 20);
    snprintf(code, sizeof code, "73%s315000", hex);
    world_put(&w, address_of(CONTRACT), 0, 1, code);
    const cevm_receipt receipt = apply(&w, tx);
    assert_int_equal(receipt.status, CEVM_STATUS_STOP);
    world_close(&w);
    return receipt.gas_used - cevm_tx_intrinsic_gas(tx, fork).gas - 3 - 2;
}

static void test_eip2929_sender_and_recipient_are_warm(void **state)
{
    (void)state;
    const cevm_tx tx = plain_tx();
    const cevm_address stranger = address_of(STRANGER);
    for (int fork = CEVM_BERLIN; fork < CEVM_FORK_COUNT; ++fork) {
        assert_true(balance_cost((cevm_fork)fork, &tx.sender, &tx) == 100);
        assert_true(balance_cost((cevm_fork)fork, &tx.to, &tx) == 100);
        assert_true(balance_cost((cevm_fork)fork, &stranger, &tx) == 2600);
    }
    assert_true(balance_cost(CEVM_ISTANBUL, &tx.sender, &tx) == 700);
}

static void test_eip3651_coinbase_is_warm(void **state)
{
    (void)state;
    const cevm_tx tx = plain_tx();
    const cevm_address coinbase = address_of(COINBASE);
    for (int fork = CEVM_BERLIN; fork < CEVM_FORK_COUNT; ++fork) {
        assert_true(balance_cost((cevm_fork)fork, &coinbase, &tx) == (fork >= CEVM_SHANGHAI ? 100 : 2600));
    }
}

/* Regression 11: only the precompiles that are active at the fork are warm. */
static void test_inactive_precompiles_are_cold(void **state)
{
    (void)state;
    static const struct {
        unsigned first, last;
        cevm_fork since;
    } rows[] = {{0x01, 0x09, CEVM_BERLIN},  {0x0a, 0x0a, CEVM_CANCUN}, {0x0b, 0x11, CEVM_PRAGUE},
                {0x100, 0x100, CEVM_OSAKA}, {0x12, 0x12, CEVM_NEVER},  {0xff, 0xff, CEVM_NEVER},
                {0x101, 0x101, CEVM_NEVER}, {0, 0, CEVM_NEVER}};
    const cevm_tx tx = plain_tx();
    for (int fork = CEVM_BERLIN; fork < CEVM_FORK_COUNT; ++fork) {
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
            for (unsigned number = rows[i].first; number <= rows[i].last; ++number) {
                const cevm_address address = address_of(number);
                const bool warm = fork >= (int)rows[i].since;
                assert_true(balance_cost((cevm_fork)fork, &address, &tx) == (warm ? 100 : 2600));
            }
        }
    }
}

static void test_eip2930_access_list_is_warm(void **state)
{
    (void)state;
    const cevm_hash keys[] = {{{0}}, {{[31] = 5}}};
    const cevm_access_entry entries[] = {{address_of(CONTRACT), keys, 2}, {address_of(STRANGER), NULL, 0}};
    cevm_tx tx = typed_tx(CEVM_TX_ACCESS_LIST);
    const cevm_address stranger = address_of(STRANGER);
    tx.access_list = entries;
    tx.access_count = 2;
    assert_true(balance_cost(CEVM_BERLIN, &stranger, &tx) == 100);

    world w;
    world_open(&w, CEVM_BERLIN);
    world_put(&w, tx.to, 0, 1, "60005450600554506006545000"); /* SLOAD of 0, 5 and 6 */
    const cevm_receipt receipt = apply(&w, &tx);
    assert_true(receipt.gas_used == 21000 + 2 * 2400 + 2 * 1900 + 3 * 5 + 100 + 100 + 2100);
    world_close(&w);
}

/* ---- Creation ---------------------------------------------------------------------------------------------------- */

static void test_creation(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_CANCUN);
    cevm_tx tx = plain_tx();
    uint8_t code[16];
    size_t size;
    assert_true(cevm_hex_decode(code, &size, "60016000f3", 10)); /* returns one byte of memory: STOP */
    tx.is_create = true;
    tx.nonce = 4;
    world_put(&w, tx.sender, ETHER, 4, "");
    tx.data = (cevm_bytes){code, size};
    tx.value = cevm_u256_from_u64(9);
    const cevm_receipt receipt = apply(&w, &tx);
    cevm_address expected;
    cevm_create_address(&expected, &tx.sender, 4);
    assert_int_equal(receipt.status, CEVM_STATUS_RETURN);
    assert_true(receipt.has_created && cevm_address_equal(&receipt.created, &expected));
    /* 53000 + 4 * 16 + 1 * 4 (a zero byte) + 2 (a word of initcode) + 3 + 3 + 3 (memory) + 200 */
    assert_true(receipt.gas_used == 53000 + 4 * 16 + 4 + 2 + 9 + 200);
    const cevm_account_info created = account(&w, expected);
    assert_true(created.nonce == 1 && created.balance.w[0] == 9);
    assert_false(cevm_hash_equal(&created.code_hash, &cevm_empty_code_hash));
    assert_int_equal(account(&w, tx.sender).nonce, 5);
    world_close(&w);
}

static void test_created_address_is_warm(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_BERLIN);
    cevm_tx tx = plain_tx();
    const uint8_t code[] = {0x30, 0x31, 0x50, 0x00}; /* BALANCE(ADDRESS) */
    tx.is_create = true;
    tx.data = (cevm_bytes){code, sizeof code};
    const cevm_receipt receipt = apply(&w, &tx);
    assert_true(receipt.gas_used == 53000 + 3 * 16 + 4 + 2 + 100 + 2);
    world_close(&w);
}

static void test_collision_takes_all_gas(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_CANCUN);
    cevm_tx tx = plain_tx();
    cevm_address address;
    tx.is_create = true;
    tx.value = cevm_u256_from_u64(9);
    cevm_create_address(&address, &tx.sender, 0);
    world_put(&w, address, 1, 1, "");
    const cevm_receipt receipt = apply(&w, &tx);
    assert_int_equal(receipt.status, CEVM_STATUS_CREATE_COLLISION);
    assert_true(receipt.gas_used == 100000 && balance(&w, address) == 1);
    assert_true(receipt.has_created && cevm_address_equal(&receipt.created, &address));
    assert_int_equal(account(&w, tx.sender).nonce, 1);
    world_close(&w);
}

/* ---- EIP-7702 ---------------------------------------------------------------------------------------------------- */

static cevm_tx set_code_tx(const cevm_authorization *tuples, size_t count)
{
    cevm_tx tx = typed_tx(CEVM_TX_SET_CODE);
    tx.gas_limit = 200000;
    tx.authorizations = tuples;
    tx.authorization_count = count;
    return tx;
}

static cevm_bytes code_of(world *w, cevm_address address)
{
    const cevm_host host = cevm_state_host(w->state);
    cevm_code code;
    assert_int_equal(host.vtable->load_code(host.ctx, &code, &address), CEVM_OK);
    return code.bytes;
}

static void test_eip7702_delegates_and_clears(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_PRAGUE);
    const cevm_address authority = account_of(AUTHORITY_KEY);
    cevm_authorization tuple = authorize(AUTHORITY_KEY, 1, 0, address_of(STRANGER));
    cevm_tx tx = set_code_tx(&tuple, 1);
    cevm_receipt receipt = apply(&w, &tx);
    assert_true(receipt.gas_used == 46000); /* no account before, so no refund */
    cevm_bytes code = code_of(&w, authority);
    assert_int_equal(code.size, 23);
    assert_memory_equal(code.data, "\xef\x01\x00", 3);
    assert_memory_equal(code.data + 3, address_of(STRANGER).bytes, 20);
    assert_int_equal(account(&w, authority).nonce, 1);

    tuple = authorize(AUTHORITY_KEY, 0, 1, address_of(0)); /* chain id 0 is any chain, address 0 clears */
    tx.nonce = 1;
    receipt = apply(&w, &tx);
    assert_true(receipt.gas_used == 46000 - 9200); /* 12500, but at most a fifth */
    assert_int_equal(code_of(&w, authority).size, 0);
    const cevm_account_info cleared = account(&w, authority);
    assert_true(cevm_hash_equal(&cleared.code_hash, &cevm_empty_code_hash));
    assert_int_equal(cleared.nonce, 2);
    world_close(&w);
}

/* Regressions 20 and 21: 12500 are refunded only for accounts that exist, also when the execution fails. */
static void test_eip7702_refund_only_if_the_account_existed(void **state)
{
    (void)state;
    for (int exists = 0; exists < 2; ++exists) {
        for (int fails = 0; fails < 2; ++fails) {
            world w;
            world_open(&w, CEVM_PRAGUE);
            const cevm_authorization tuple = authorize(AUTHORITY_KEY, 1, 0, address_of(STRANGER));
            const cevm_tx tx = set_code_tx(&tuple, 1);
            if (exists) {
                world_put(&w, account_of(AUTHORITY_KEY), 1, 0, "");
            }
            /* A fifth of what is used limits the refund or does not: INVALID takes all of the gas. */
            world_put(&w, tx.to, 0, 1, fails ? "fe" : "61f0005100"); /* MLOAD(0xf000): 1921 words */
            const cevm_receipt receipt = apply(&w, &tx);
            /* 3 * 1921 + 1921 * 1921 / 512 = 5763 + 7207 */
            const uint64_t before = fails ? 200000 : 46000 + 3 + 3 + 5763 + 7207;
            const uint64_t limit = before / 5;
            const uint64_t refund = exists ? (limit < 12500 ? limit : 12500) : 0;
            assert_true(receipt.gas_refunded == refund);
            assert_true(receipt.gas_used == before - refund);
            assert_true(balance(&w, tx.sender) == ETHER - receipt.gas_used * 10);
            /* The delegation stays also when the execution fails. */
            assert_int_equal(code_of(&w, account_of(AUTHORITY_KEY)).size, 23);
            world_close(&w);
        }
    }
}

/** What a tuple did: gas of BALANCE(authority) in the same transaction, and whether a delegation was set. */
static void assert_tuple(const cevm_authorization *tuple, bool set, bool warm, uint64_t nonce, const char *code)
{
    world w;
    char text[64], hex[41];
    const cevm_address authority = account_of(AUTHORITY_KEY);
    world_open(&w, CEVM_PRAGUE);
    world_put(&w, authority, 0, nonce, code);
    cevm_hex_encode(hex, authority.bytes, 20);
    snprintf(text, sizeof text, "73%s315000", hex);
    world_put(&w, address_of(CONTRACT), 0, 1, text);
    const cevm_tx tx = set_code_tx(tuple, 1);
    const size_t before = strlen(code) / 2;
    const cevm_receipt receipt = apply(&w, &tx);
    const uint64_t used = 46000 + 3 + (warm ? 100 : 2600) + 2;
    assert_true(receipt.gas_used + receipt.gas_refunded == used);
    assert_true(receipt.gas_refunded == (set ? used / 5 : 0));
    assert_int_equal(code_of(&w, authority).size, set ? 23 : before);
    if (nonce != UINT64_MAX && (nonce != 0 || before != 0 || set)) {
        assert_true(account(&w, authority).nonce == nonce + (set ? 1 : 0));
    }
    world_close(&w);
}

static void test_eip7702_tuples_that_fail(void **state)
{
    (void)state;
    const cevm_address target = address_of(STRANGER);
    cevm_authorization tuple = authorize(AUTHORITY_KEY, 1, 3, target);
    assert_tuple(&tuple, true, true, 3, "");
    assert_tuple(&tuple, true, true, 3, "ef01000000000000000000000000000000000000000001");
    /* Regression 20: warm although the tuple fails, once the authority is recovered. */
    assert_tuple(&tuple, false, true, 2, "");
    assert_tuple(&tuple, false, true, 4, "");
    assert_tuple(&tuple, false, true, 3, "00");
    assert_tuple(&tuple, false, true, 3, "ef010000000000000000000000000000000000000001");
    /* Not recovered: cold. */
    tuple = authorize(AUTHORITY_KEY, 2, 3, target);
    assert_tuple(&tuple, false, false, 3, "");
    tuple = authorize(AUTHORITY_KEY, 257, 3, target);
    assert_tuple(&tuple, false, false, 3, "");
    tuple = authorize(AUTHORITY_KEY, 1, 3, target);
    tuple.chain_id.w[2] = 1; /* only the low limb is ours */
    assert_tuple(&tuple, false, false, 3, "");
    tuple = authorize(AUTHORITY_KEY, 1, UINT64_MAX, target);
    assert_tuple(&tuple, false, false, UINT64_MAX, "");
    /* Regression 20: the range of y_parity. 27 + parity and 2 + parity are other numbers, not other spellings. */
    static const unsigned char parities[] = {2, 3, 27, 28, 128, 254, 255};
    for (size_t i = 0; i < sizeof parities; ++i) {
        tuple = authorize(AUTHORITY_KEY, 1, 3, target);
        tuple.y_parity = parities[i];
        assert_tuple(&tuple, false, false, 3, "");
    }
    /* EIP-2 holds for tuples. */
    tuple = authorize(AUTHORITY_KEY, 1, 3, target);
    uint64_t parity = tuple.y_parity;
    make_high_s(&tuple.s, &parity);
    tuple.y_parity = (uint8_t)parity;
    assert_tuple(&tuple, false, false, 3, "");
    /* The signature covers every field: a changed one proves another authority. */
    tuple = authorize(AUTHORITY_KEY, 1, 3, target);
    tuple.address.bytes[0] = 1;
    assert_tuple(&tuple, false, false, 3, "");
    tuple = authorize(AUTHORITY_KEY, 1, 3, target);
    tuple.r = (cevm_u256){{0}};
    assert_tuple(&tuple, false, false, 3, "");
}

static void test_eip7702_tuples_build_on_each_other(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_PRAGUE);
    const cevm_authorization tuples[] = {
        authorize(AUTHORITY_KEY, 1, 0, address_of(STRANGER)), authorize(AUTHORITY_KEY, 1, 0, address_of(1)),
        authorize(AUTHORITY_KEY, 1, 1, address_of(CONTRACT)), authorize(SENDER_KEY, 1, 1, address_of(CONTRACT)),
        authorize(SENDER_KEY, 1, 0, address_of(STRANGER)), /* the sender's nonce is 1 by now */
    };
    const cevm_tx tx = set_code_tx(tuples, 5);
    const cevm_receipt receipt = apply(&w, &tx);
    /* 21000 + 5 * 25000; refunds for the third and the fourth */
    assert_true(receipt.gas_used == 146000 - 25000 && receipt.gas_refunded == 25000);
    assert_int_equal(account(&w, account_of(AUTHORITY_KEY)).nonce, 2);
    assert_memory_equal(code_of(&w, account_of(AUTHORITY_KEY)).data + 3, address_of(CONTRACT).bytes, 20);
    assert_int_equal(account(&w, tx.sender).nonce, 2);
    assert_memory_equal(code_of(&w, tx.sender).data + 3, address_of(CONTRACT).bytes, 20);
    world_close(&w);
}

static void test_eip7702_delegated_recipient(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_PRAGUE);
    cevm_tx tx = plain_tx();
    const cevm_address delegate = address_of(STRANGER);
    char text[64], hex[41];
    cevm_hex_encode(hex, delegate.bytes, 20);
    snprintf(text, sizeof text, "ef0100%s", hex);
    world_put(&w, tx.to, 0, 1, text);
    snprintf(text, sizeof text, "3060005573%s315000", hex); /* SSTORE(0, ADDRESS), BALANCE(delegate) */
    world_put(&w, delegate, 0, 1, text);
    const cevm_receipt receipt = apply(&w, &tx);
    assert_int_equal(receipt.status, CEVM_STATUS_STOP);
    assert_true(receipt.gas_used == 21000 + 2 + 3 + 22100 + 3 + 100 + 2); /* the delegate is warm and costs nothing */
    const cevm_u256 zero = {{0}}, self = cevm_u256_from_address(&tx.to);
    cevm_u256 stored;
    assert_int_equal(cevm_state_get_storage(w.state, &stored, &tx.to, &zero), CEVM_OK);
    assert_true(cevm_u256_equal(&stored, &self));
    world_close(&w);
}

static void test_eip7702_delegation_to_a_precompile_is_empty_code(void **state)
{
    (void)state;
    static const uint8_t input[] = {1, 2, 3};
    static const char *const codes[] = {"", "602a5f5260205ff3"}; /* at the precompile's address: nobody runs it */
    for (int i = 0; i < 4; ++i) {
        const bool direct = i % 2 != 0;
        world w;
        world_open(&w, CEVM_PRAGUE);
        world_put(&w, address_of(4), 0, 1, codes[i / 2]);
        cevm_tx tx = plain_tx();
        tx.data = (cevm_bytes){input, sizeof input};
        world_put(&w, tx.to, 0, 1, "ef01000000000000000000000000000000000000000004");
        if (direct) {
            tx.to = address_of(4);
        }
        const cevm_receipt receipt = apply(&w, &tx);
        assert_true(cevm_status_is_success(receipt.status));
        assert_int_equal(receipt.output.size, direct ? sizeof input : 0);
        assert_true(receipt.gas_used == 21120); /* the floor: 12 tokens */
        world_close(&w);
    }
}

/* ---- Logs, tracers, rejection ------------------------------------------------------------------------------------ */

static void test_logs_and_their_hash(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_CANCUN);
    const cevm_tx tx = plain_tx();
    cevm_hash hash, expected;
    assert_int_equal(cevm_logs_hash(&hash, NULL, 0, NULL), CEVM_OK);
    uint8_t bytes[128];
    assert_true(cevm_hex_decode_exact(bytes, 32, "1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"));
    assert_memory_equal(hash.bytes, bytes, 32);

    /* memory[0] = 0xaa; LOG1(0, 1, topic 7); LOG0(0, 0) */
    world_put(&w, tx.to, 0, 1, "60aa600053600760016000a160006000a000");
    const cevm_receipt receipt = apply(&w, &tx);
    assert_int_equal(receipt.log_count, 2);
    assert_int_equal(receipt.logs[0].topic_count, 1);
    assert_int_equal(receipt.logs[1].topic_count, 0);
    /* [[0x..c0de, [7], 0xaa], [0x..c0de, [], ""]] */
    size_t size;
    static const char rlp[] = "f853"
                              "f839"
                              "94000000000000000000000000000000000000c0de"
                              "e1a00000000000000000000000000000000000000000000000000000000000000007"
                              "81aa"
                              "d7"
                              "94000000000000000000000000000000000000c0de"
                              "c0"
                              "80";
    assert_true(cevm_hex_decode(bytes, &size, rlp, strlen(rlp)));
    cevm_keccak256(&expected, bytes, size);
    assert_int_equal(cevm_logs_hash(&hash, receipt.logs, receipt.log_count, NULL), CEVM_OK);
    assert_memory_equal(hash.bytes, expected.bytes, 32);
    world_close(&w);
}

typedef struct counts {
    int started, ended;
    int64_t gas_used;
    uint64_t price;
} counts;

static void count_start(void *ctx, const struct cevm_block_env *block, const struct cevm_tx_env *tx)
{
    (void)block;
    ((counts *)ctx)->started += 1;
    ((counts *)ctx)->price = tx->gas_price.w[0];
}

static void count_end(void *ctx, int64_t gas_used)
{
    ((counts *)ctx)->ended += 1;
    ((counts *)ctx)->gas_used = gas_used;
}

static void test_tracer_sees_start_and_end(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_CANCUN);
    counts seen = {0};
    const cevm_tracer tracer = {
        .struct_size = sizeof tracer, .ctx = &seen, .on_tx_start = count_start, .on_tx_end = count_end};
    cevm_tx tx = plain_tx();
    cevm_receipt receipt;
    cevm_tx_error reason;
    assert_int_equal(cevm_tx_apply(w.vm, w.state, &receipt, &reason, &tx, &w.block, NULL, &tracer), CEVM_OK);
    assert_int_equal(reason, CEVM_TX_NONE);
    assert_true(seen.started == 1 && seen.ended == 1 && seen.gas_used == 21000 && seen.price == 10);
    /* A rejected one is not seen. */
    assert_int_equal(cevm_tx_apply(w.vm, w.state, &receipt, &reason, &tx, &w.block, NULL, &tracer), CEVM_OK);
    assert_int_equal(reason, CEVM_TX_NONCE_MISMATCH_TOO_LOW);
    assert_true(seen.started == 1 && seen.ended == 1);
    world_close(&w);
}

static void test_rejection_changes_nothing(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_FRONTIER);
    cevm_hash before, after;
    cevm_tx tx = plain_tx();
    cevm_receipt receipt;
    cevm_tx_error reason;
    assert_int_equal(cevm_memdb_root(w.db, &before), CEVM_OK);
    tx.value = cevm_u256_from_u64(ETHER);
    assert_int_equal(cevm_tx_apply(w.vm, w.state, &receipt, &reason, &tx, &w.block, &w.usage, NULL), CEVM_OK);
    assert_int_equal(reason, CEVM_TX_INSUFFICIENT_ACCOUNT_FUNDS);
    assert_int_equal(cevm_state_commit(w.state), CEVM_OK);
    assert_int_equal(cevm_memdb_root(w.db, &after), CEVM_OK);
    assert_true(cevm_hash_equal(&before, &after));
    tx.value = cevm_u256_from_u64(1); /* and the state is fit for the next one */
    (void)apply(&w, &tx);
    world_close(&w);
}

static void test_several_transactions_before_a_commit(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_CANCUN);
    cevm_tx tx = plain_tx();
    world_put(&w, tx.to, 0, 1, "60005460010160005500"); /* SSTORE(0, SLOAD(0) + 1) */
    for (uint64_t i = 0; i < 5; ++i) {
        tx.nonce = i;
        (void)apply(&w, &tx);
    }
    assert_int_equal(cevm_state_commit(w.state), CEVM_OK);
    const cevm_db db = cevm_memdb_interface(w.db);
    const cevm_u256 zero = {{0}};
    cevm_u256 value;
    assert_int_equal(db.vtable->storage(db.ctx, &value, &tx.to, &zero), CEVM_OK);
    assert_true(value.w[0] == 5);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_transfer_in_every_fork),
        cmocka_unit_test(test_eip1559_base_fee_is_burnt),
        cmocka_unit_test(test_a_huge_priority_fee_does_not_wrap),
        cmocka_unit_test(test_eip4844_blob_fee_goes_to_nobody),
        cmocka_unit_test(test_eip161_coinbase_is_touched),
        cmocka_unit_test(test_eip3529_refund_limit),
        cmocka_unit_test(test_eip7623_floor_after_refund),
        cmocka_unit_test(test_failed_execution_pays_for_everything),
        cmocka_unit_test(test_eip2929_sender_and_recipient_are_warm),
        cmocka_unit_test(test_eip3651_coinbase_is_warm),
        cmocka_unit_test(test_inactive_precompiles_are_cold),
        cmocka_unit_test(test_eip2930_access_list_is_warm),
        cmocka_unit_test(test_creation),
        cmocka_unit_test(test_created_address_is_warm),
        cmocka_unit_test(test_collision_takes_all_gas),
        cmocka_unit_test(test_eip7702_delegates_and_clears),
        cmocka_unit_test(test_eip7702_refund_only_if_the_account_existed),
        cmocka_unit_test(test_eip7702_tuples_that_fail),
        cmocka_unit_test(test_eip7702_tuples_build_on_each_other),
        cmocka_unit_test(test_eip7702_delegated_recipient),
        cmocka_unit_test(test_eip7702_delegation_to_a_precompile_is_empty_code),
        cmocka_unit_test(test_logs_and_their_hash),
        cmocka_unit_test(test_tracer_sees_start_and_end),
        cmocka_unit_test(test_rejection_changes_nothing),
        cmocka_unit_test(test_several_transactions_before_a_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
