/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a block does to the state beside its transactions: rewards (EIP-649, EIP-1234), the DAO (EIP-779), withdrawals
 * (EIP-4895), system calls (EIP-4788, EIP-2935), and what comes out of it. Amounts and slots are the EIPs' own.
 */
#include "execution_support.h"

#include "state/trie.h"

/* ---- Rewards ----------------------------------------------------------------------------------------------------- */

static void test_rewards_of_each_fork(void **state)
{
    (void)state;
    for (int fork = 0; fork < CEVM_FORK_COUNT; ++fork) {
        const uint64_t ether = fork < CEVM_BYZANTIUM ? 5 : fork < CEVM_CONSTANTINOPLE ? 3 : fork < CEVM_PARIS ? 2 : 0;
        cevm_u256 reward;
        cevm_block_reward(&reward, (cevm_fork)fork);
        assert_true(cevm_u256_fits_u64(&reward) && reward.w[0] == ether * ETHER);
    }
}

/** Yellow Paper, section 11.3: 1/32 for each ommer; (8 - age)/8 to its miner. */
static void test_rewards_with_ommers(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_FRONTIER);
    w.block.number = 100;
    cevm_execution_input input = input_of(&w);
    const cevm_ommer_reward ommers[] = {{address_of(0xa1), 99}, {address_of(0xa6), 94}};
    cevm_block_reward(&input.reward, CEVM_FRONTIER);
    input.pays_reward = true;
    input.ommers = ommers;
    input.ommer_count = 2;
    assert_int_equal(execute_empty(&w, &input), CEVM_BLOCK_NONE);
    assert_true(balance(&w, w.block.coinbase) == 5312500000000000000u);
    assert_true(balance(&w, address_of(0xa1)) == 4375000000000000000u);
    assert_true(balance(&w, address_of(0xa6)) == 1250000000000000000u);
    assert_int_equal(execute_empty(&w, &input), CEVM_BLOCK_NONE); /* and again */
    assert_true(balance(&w, w.block.coinbase) == 10625000000000000000u);
    world_close(&w);
}

static void test_ommers_that_no_reward_is_defined_for(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_FRONTIER);
    w.block.number = 100;
    cevm_execution_input input = input_of(&w);
    static const struct {
        uint64_t number;
        cevm_err err;
    } rows[] = {{100, CEVM_OK},           {92, CEVM_OK},          {91, CEVM_ERR_ARGUMENT},
                {101, CEVM_ERR_ARGUMENT}, {0, CEVM_ERR_ARGUMENT}, {UINT64_MAX, CEVM_ERR_ARGUMENT}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        const cevm_ommer_reward ommer = {address_of(1), rows[i].number};
        cevm_execution *execution;
        input.ommers = &ommer;
        input.ommer_count = 1;
        assert_int_equal(cevm_execution_create(&execution, w.vm, w.state, &input, NULL), rows[i].err);
        assert_true((execution != NULL) == (rows[i].err == CEVM_OK));
        cevm_execution_destroy(execution);
    }
    input.ommer_count = 0;
    input.struct_size = 8;
    cevm_execution *execution;
    assert_int_equal(cevm_execution_create(&execution, w.vm, w.state, &input, NULL), CEVM_ERR_ARGUMENT);
    world_close(&w);
}

/** Even a reward of nothing touches: before EIP-161 that makes an account, from then on it ends an empty one. */
static void test_a_reward_of_nothing(void **state)
{
    (void)state;
    static const cevm_fork forks[] = {CEVM_TANGERINE_WHISTLE, CEVM_SPURIOUS_DRAGON};
    for (size_t i = 0; i < 2; ++i) {
        world w;
        world_open(&w, forks[i]);
        cevm_execution_input input = input_of(&w);
        assert_int_equal(execute_empty(&w, &input), CEVM_BLOCK_NONE); /* no reward at all: no touch */
        assert_false(account(&w, w.block.coinbase).exists);
        input.pays_reward = true;
        assert_int_equal(execute_empty(&w, &input), CEVM_BLOCK_NONE);
        assert_true(account(&w, w.block.coinbase).exists == (i == 0));
        world_put(&w, address_of(0xe1), 0, 0, "");
        input.env.coinbase = address_of(0xe1);
        assert_int_equal(execute_empty(&w, &input), CEVM_BLOCK_NONE);
        assert_true(account(&w, address_of(0xe1)).exists == (i == 0));
        world_close(&w);
    }
}

/* ---- EIP-779 ----------------------------------------------------------------------------------------------------- */

static const char *const dao_refund_contract = "bf4ed7b27f1d666546e30d74d50d173d20bca754";

typedef struct dao_count {
    size_t accounts;
    size_t empty;
} dao_count;

static bool count_account(void *user, const cevm_address *address, const cevm_db_account *stored, cevm_bytes code)
{
    dao_count *count = user;
    (void)address;
    (void)code;
    count->accounts += 1;
    count->empty += cevm_u256_is_zero(&stored->balance) && stored->nonce == 0;
    return true;
}

/** The first, one in the middle and the last of the EIP's list, the DAO itself among them. 116 accounts are emptied. */
static void test_eip779_the_dao(void **state)
{
    (void)state;
    static const char *const accounts[] = {
        "d4fe7bc31cedb7bfb8a345f31e668033056b2728", "bb9bc244d798123fde783fcc1c72d3bb8c189413",
        "807640a13483f8ac783c557fcdf27be11ea4ac7a", "304a554a310c7e546dfe434669c62820b7d83490"};
    for (int is_fork = 0; is_fork < 2; ++is_fork) {
        world w;
        world_open(&w, CEVM_HOMESTEAD);
        for (uint64_t i = 0; i < 4; ++i) {
            world_put(&w, address_from(accounts[i]), 1000 + i, 0, "");
        }
        world_put(&w, address_from(dao_refund_contract), 5, 1, "00");
        cevm_execution_input input = input_of(&w);
        input.is_dao_fork = is_fork != 0;
        assert_int_equal(execute_empty(&w, &input), CEVM_BLOCK_NONE);
        (void)root_of(&w);
        dao_count count = {0};
        assert_int_equal(cevm_memdb_for_each_account(w.db, count_account, &count), CEVM_OK);
        assert_true(balance(&w, address_from(dao_refund_contract)) == (is_fork ? 5 + 4006 : 5));
        assert_true(balance(&w, address_from(accounts[2])) == (is_fork ? 0 : 1002));
        assert_int_equal(account(&w, address_from(dao_refund_contract)).nonce, 1);
        assert_int_equal(count.empty, is_fork ? 116 : 0);
        assert_int_equal(count.accounts, is_fork ? 1 + 1 + 116 : 1 + 1 + 4);
        world_close(&w);
    }
}

/* ---- EIP-4895 ---------------------------------------------------------------------------------------------------- */

static void test_eip4895_withdrawals(void **state)
{
    (void)state;
    enum { RICH = 1, TWICE, MISSING, EMPTY, MOST };
    world w;
    world_open(&w, CEVM_SHANGHAI);
    world_put(&w, address_of(0xd0 + RICH), 7, 0, "");
    world_put(&w, address_of(0xd0 + EMPTY), 0, 0, "");
    const cevm_withdrawal withdrawals[] = {
        {0, 0, address_of(0xd0 + RICH), 1},          {1, 0, address_of(0xd0 + TWICE), 3},
        {2, 0, address_of(0xd0 + MISSING), 0},       {3, 0, address_of(0xd0 + EMPTY), 0},
        {4, 0, address_of(0xd0 + TWICE), 0},         {5, 0, address_of(0xd0 + TWICE), 4},
        {6, 0, address_of(0xd0 + MOST), UINT64_MAX},
    };
    cevm_execution_input input = input_of(&w);
    input.withdrawals = withdrawals;
    input.withdrawal_count = sizeof withdrawals / sizeof withdrawals[0];
    cevm_execution *execution = execution_open(&w, &input);
    cevm_execution_output out;
    assert_int_equal(execution_finish(execution, &out), CEVM_BLOCK_NONE);
    assert_true(out.gas_used == 0);
    cevm_execution_destroy(execution);
    assert_true(balance(&w, address_of(0xd0 + RICH)) == 1000000007);
    assert_true(balance(&w, address_of(0xd0 + TWICE)) == 7000000000);
    assert_false(account(&w, address_of(0xd0 + MISSING)).exists);
    assert_false(account(&w, address_of(0xd0 + EMPTY)).exists);
    /* (2^64 - 1) * 10^9 = 999999999 * 2^64 + (2^64 - 10^9) */
    const cevm_u256 most = {{UINT64_MAX - 999999999u, 999999999u, 0, 0}};
    const cevm_account_info info = account(&w, address_of(0xd0 + MOST));
    assert_true(cevm_u256_equal(&info.balance, &most));
    input.env.fork = CEVM_PARIS;
    assert_int_equal(execute_empty(&w, &input), CEVM_BLOCK_NONE); /* no such thing before Shanghai */
    assert_true(balance(&w, address_of(0xd0 + RICH)) == 1000000007);
    world_close(&w);
}

/* ---- System calls ------------------------------------------------------------------------------------------------ */

static void test_eip4788_beacon_root(void **state)
{
    (void)state;
    static const uint64_t times[] = {1, 8190, 8191, 8192, 1710338135}; /* the last is mainnet's first with Cancun */
    for (size_t i = 0; i < sizeof times / sizeof times[0]; ++i) {
        world w;
        world_open(&w, CEVM_CANCUN);
        w.block.timestamp = times[i];
        w.block.gas_limit = 5000; /* the call's 30 million gas are not the block's */
        put_contract(&w, BEACON_ROOTS, BEACON_ROOTS_CODE);
        cevm_execution_input input = input_of(&w);
        memset(input.parent_beacon_root.bytes, 0xb0, 32);
        assert_int_equal(execute_empty(&w, &input), CEVM_BLOCK_NONE);
        const uint64_t slot = times[i] % 8191;
        const cevm_u256 time = storage_at(&w, BEACON_ROOTS, slot);
        const cevm_u256 root = storage_at(&w, BEACON_ROOTS, slot + 8191);
        const cevm_u256 expected = cevm_u256_from_be(input.parent_beacon_root.bytes);
        assert_true(cevm_u256_fits_u64(&time) && time.w[0] == times[i]);
        assert_true(cevm_u256_equal(&root, &expected));
        assert_false(account(&w, address_from(SYSTEM)).exists);
        assert_int_equal(account(&w, address_from(BEACON_ROOTS)).nonce, 1);
        world_close(&w);
    }
}

static void test_eip2935_parent_hash(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {1, 8191, 8192, 8193, 22431084};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; ++i) {
        world w;
        world_open(&w, CEVM_PRAGUE);
        w.block.number = numbers[i];
        put_system_contracts(&w);
        cevm_execution_input input = input_of(&w);
        memset(input.parent_hash.bytes, 0xfa, 32);
        assert_int_equal(execute_empty(&w, &input), CEVM_BLOCK_NONE);
        const cevm_u256 hash = storage_at(&w, HISTORY, (numbers[i] - 1) % 8191);
        const cevm_u256 expected = cevm_u256_from_be(input.parent_hash.bytes);
        assert_true(cevm_u256_equal(&hash, &expected));
        assert_false(account(&w, address_from(SYSTEM)).exists);
        world_close(&w);
    }
}

/** Neither contract there, each failing, or before its fork: nothing happens, not even to the system address. */
static void test_calls_at_the_start_that_do_nothing(void **state)
{
    (void)state;
    static const struct {
        cevm_fork fork;
        const char *beacon_roots, *history;
    } rows[] = {
        {CEVM_OSAKA, NULL, NULL},
        {CEVM_OSAKA, "5f5f5560016001555f5ffd", "6001600155fe"},     /* stores, then REVERT; stores, then INVALID */
        {CEVM_OSAKA, "600160015560005b5f56", "60016001555b600356"}, /* stores, then a bad jump; out of gas */
        {CEVM_SHANGHAI, "6001600155", "6001600155"},
        {CEVM_CANCUN, "fe", "6001600155"},
        {CEVM_OSAKA, "5f5f5f5f5f60995af1", "5f5f5f5f5f60995af1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        world w;
        world_open(&w, rows[i].fork);
        put_contract(&w, WITHDRAWALS, "00");
        put_contract(&w, CONSOLIDATIONS, "5f5f5f5f5f60995af15f5ff3"); /* CALL(0x99) touches a missing account */
        world_put(&w, address_from(SYSTEM), 77, 0, "");
        if (rows[i].history != NULL) {
            put_contract(&w, BEACON_ROOTS, rows[i].beacon_roots);
            put_contract(&w, HISTORY, rows[i].history);
        }
        const cevm_hash before = root_of(&w);
        const cevm_execution_input input = input_of(&w);
        assert_int_equal(execute_empty(&w, &input), CEVM_BLOCK_NONE);
        const cevm_hash after = root_of(&w);
        assert_memory_equal(after.bytes, before.bytes, 32);
        world_close(&w);
    }
}

/** Runs `code` as the contract of EIP-7002 at the end of a block and returns the 32-byte word it answers. */
static uint64_t ask_at_the_end(const char *code, bool with_tx, const cevm_withdrawal *withdrawal)
{
    world w;
    world_open(&w, CEVM_PRAGUE);
    w.block.base_fee = cevm_u256_from_u64(7);
    put_contract(&w, WITHDRAWALS, code);
    put_contract(&w, CONSOLIDATIONS, "00");
    cevm_execution_input input = input_of(&w);
    input.withdrawals = withdrawal;
    input.withdrawal_count = withdrawal != NULL ? 1 : 0;
    cevm_execution *execution = execution_open(&w, &input);
    if (with_tx) {
        cevm_tx tx = plain_tx();
        tx.to = address_from(WITHDRAWALS);
        (void)execute_tx(execution, &tx);
    }
    cevm_execution_output out;
    assert_int_equal(execution_finish(execution, &out), CEVM_BLOCK_NONE);
    assert_true(out.request_count == 1 && out.requests[0].size == 33 && out.requests[0].data[0] == 1);
    const cevm_u256 word = cevm_u256_from_be(out.requests[0].data + 1);
    cevm_execution_destroy(execution);
    world_close(&w);
    return word.w[0];
}

static void test_what_a_system_call_sees(void **state)
{
    (void)state;
    const uint64_t system = 0xfffffffffffffffe;
    const cevm_withdrawal withdrawal = {0, 0, address_of(0x99), 3};
    assert_true(ask_at_the_end("335f5260205ff3", false, NULL) == system);       /* CALLER */
    assert_true(ask_at_the_end("325f5260205ff3", false, NULL) == system);       /* ORIGIN */
    assert_true(ask_at_the_end("5a5f5260205ff3", false, NULL) == 30000000 - 2); /* GAS */
    assert_true(ask_at_the_end("5a5f5260205ff3", true, NULL) == 30000000 - 2);
    assert_true(ask_at_the_end("345f5260205ff3", false, NULL) == 0); /* CALLVALUE */
    assert_true(ask_at_the_end("365f5260205ff3", false, NULL) == 0); /* CALLDATASIZE */
    assert_true(ask_at_the_end("3a5f5260205ff3", false, NULL) ==
                7); /* GASPRICE: as the executable specification has it */
    /* Withdrawals have been paid before: BALANCE(0x99). */
    assert_true(ask_at_the_end("6099315f5260205ff3", false, &withdrawal) == 3000000000);
}

/** EIP-7702: whoever calls a delegated account runs the delegate's code, and a system call is no exception. */
static void test_a_system_contract_that_delegates(void **state)
{
    (void)state;
    static const char at_99[] = "ef01000000000000000000000000000000000000000099";
    static const char at_sha256[] = "ef01000000000000000000000000000000000000000002";
    static const struct {
        cevm_fork fork;
        const char *history, *withdrawals;
        uint64_t stored;
        cevm_block_error reason;
    } rows[] = {
        {CEVM_OSAKA, at_99, at_99, 0x1234, CEVM_BLOCK_NONE},
        {CEVM_PRAGUE, at_99, at_99, 0x1234, CEVM_BLOCK_NONE},
        {CEVM_PRAGUE, at_sha256, at_sha256, 0, CEVM_BLOCK_NONE}, /* no code, and no precompile either */
        {CEVM_PRAGUE, "ef0100", "ef0100", 0, CEVM_BLOCK_SYSTEM_CONTRACT_CALL_FAILED}, /* too short to delegate */
        {CEVM_CANCUN, at_99, at_99, 0, CEVM_BLOCK_NONE}, /* EIP-7702 is not there: an instruction that fails */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        world w;
        world_open(&w, rows[i].fork);
        world_put(&w, address_of(0x99), 0, 1, "5f3560015560205ff3"); /* SSTORE(1, CALLDATALOAD(0)), a word of zeros */
        put_contract(&w, BEACON_ROOTS, rows[i].history);
        put_contract(&w, HISTORY, rows[i].history);
        put_contract(&w, WITHDRAWALS, rows[i].withdrawals);
        put_contract(&w, CONSOLIDATIONS, "00");
        cevm_execution_input input = input_of(&w);
        input.parent_beacon_root.bytes[30] = input.parent_hash.bytes[30] = 0x12;
        input.parent_beacon_root.bytes[31] = input.parent_hash.bytes[31] = 0x34;
        cevm_execution_output out;
        cevm_execution *execution = execution_open(&w, &input);
        assert_int_equal(execution_finish(execution, &out), rows[i].reason);
        if (rows[i].stored != 0) {
            assert_true(out.request_count == 1 && out.requests[0].size == 33 && out.requests[0].data[0] == 1);
        }
        assert_true(storage_at(&w, BEACON_ROOTS, 1).w[0] == rows[i].stored);
        assert_true(storage_at(&w, HISTORY, 1).w[0] == rows[i].stored);
        cevm_execution_destroy(execution);
        world_close(&w);
    }
}

/** A transaction's transient storage and warmth are gone when the system call begins. */
static void test_a_system_call_is_a_transaction_of_its_own(void **state)
{
    (void)state;
    static const char transient[] = "5f5c5f5260015f5d60205ff3"; /* answer TLOAD(0), after TSTORE(0, 1) */
    static const char warmth[] = "5a5f54505a90035f5260205ff3";  /* GAS before minus GAS after SLOAD(0), POP */
    assert_true(ask_at_the_end(transient, true, NULL) == 0);
    assert_true(ask_at_the_end(warmth, true, NULL) == 2 + 2100 + 2 + 2);
    assert_true(ask_at_the_end(warmth, false, NULL) == 2 + 2100 + 2 + 2);
}

static void test_logs_of_system_calls_count_nowhere(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_PRAGUE);
    put_contract(&w, BEACON_ROOTS, "5f5fa0");
    put_contract(&w, HISTORY, "5f5fa0");
    put_contract(&w, WITHDRAWALS, "5f5fa0");
    put_contract(&w, CONSOLIDATIONS, "5f5fa0");
    const cevm_execution_input input = input_of(&w);
    cevm_execution *execution = execution_open(&w, &input);
    cevm_execution_output out;
    assert_int_equal(execution_finish(execution, &out), CEVM_BLOCK_NONE);
    const cevm_bloom none = {{0}};
    cevm_hash no_logs;
    assert_int_equal(cevm_logs_hash(&no_logs, NULL, 0, NULL), CEVM_OK);
    assert_memory_equal(out.logs_bloom.bytes, none.bytes, sizeof none.bytes);
    assert_memory_equal(out.logs_hash.bytes, no_logs.bytes, 32);
    assert_memory_equal(out.receipts_root.bytes, cevm_trie_empty_root.bytes, 32);
    cevm_execution_destroy(execution);
    world_close(&w);
}

/* ---- Transactions and what comes out ----------------------------------------------------------------------------- */

/** Gas adds up, a refused transaction leaves no trace, logs outlive the next transaction. */
static void test_receipts_of_a_block(void **state)
{
    (void)state;
    static const uint8_t data[] = {0xaa, 0xbb};
    world w;
    world_open(&w, CEVM_CANCUN);
    w.block.gas_limit = 200000;
    world_put(&w, address_of(CONTRACT), 0, 1, "365f5f37365fa0");       /* LOG0(calldata) */
    world_put(&w, address_of(STRANGER), 0, 1, "600160025f5fa25f5ffd"); /* LOG2, then REVERT */
    const cevm_execution_input input = input_of(&w);
    cevm_execution *execution = execution_open(&w, &input);
    size_t count;
    (void)cevm_execution_receipts(execution, &count);
    assert_int_equal(count, 0);

    cevm_tx tx = plain_tx();
    tx.data = (cevm_bytes){data, sizeof data};
    const cevm_receipt first = execute_tx(execution, &tx);
    cevm_tx_error reason;
    assert_int_equal(cevm_execution_tx(execution, NULL, &reason, &tx, NULL), CEVM_OK);
    assert_string_equal(cevm_tx_error_name(reason), "NONCE_MISMATCH_TOO_LOW");
    cevm_tx blobs = typed_tx(CEVM_TX_BLOB);
    const cevm_hash blob_hashes[] = {{{1, 1}}, {{1, 2}}};
    blobs.nonce = 1;
    blobs.to = address_of(STRANGER);
    blobs.max_fee_per_blob_gas = cevm_u256_from_u64(1);
    blobs.blob_hashes = blob_hashes;
    blobs.blob_count = 2;
    const cevm_receipt second = execute_tx(execution, &blobs);
    assert_int_equal(second.status, CEVM_STATUS_REVERT);
    tx.nonce = 2;
    tx.gas_limit = 200000 - first.gas_used - second.gas_used + 1;
    assert_int_equal(cevm_execution_tx(execution, NULL, &reason, &tx, NULL), CEVM_OK);
    assert_string_equal(cevm_tx_error_name(reason), "GAS_ALLOWANCE_EXCEEDED");

    const cevm_block_receipt *receipts = cevm_execution_receipts(execution, &count);
    assert_int_equal(count, 2);
    assert_true(receipts[0].succeeded && !receipts[1].succeeded && !receipts[0].has_root);
    assert_true(receipts[0].gas_used == first.gas_used && receipts[1].gas_used == second.gas_used);
    assert_true(receipts[0].cumulative_gas_used == first.gas_used);
    assert_true(receipts[1].cumulative_gas_used == first.gas_used + second.gas_used);
    assert_true(receipts[1].blob_gas_used == 2 * 131072 && receipts[0].blob_gas_used == 0);
    assert_true(receipts[0].gas_price.w[0] == 10);
    assert_int_equal(receipts[0].log_count, 1);
    assert_int_equal(receipts[1].log_count, 0);
    assert_memory_equal(receipts[0].logs[0].data.data, data, sizeof data);
    assert_ptr_equal(first.logs, receipts[0].logs);
    cevm_hash hash;
    assert_int_equal(cevm_tx_hash(&hash, &blobs, NULL), CEVM_OK);
    assert_memory_equal(receipts[1].tx_hash.bytes, hash.bytes, 32);

    cevm_bloom bloom = {{0}}; /* of the one log's address */
    cevm_bloom_add(&bloom, (cevm_bytes){tx.to.bytes, sizeof tx.to.bytes});
    cevm_execution_output out;
    assert_int_equal(execution_finish(execution, &out), CEVM_BLOCK_NONE);
    const cevm_block_usage usage = cevm_execution_usage(execution);
    assert_true(out.gas_used == first.gas_used + second.gas_used && usage.gas_used == out.gas_used);
    assert_true(out.blob_gas_used == 2 * 131072 && usage.blob_gas_used == out.blob_gas_used);
    assert_memory_equal(out.logs_bloom.bytes, bloom.bytes, sizeof bloom.bytes);
    const cevm_bytes encoded[] = {receipts[0].encoded, receipts[1].encoded};
    assert_int_equal(cevm_trie_ordered_root(&hash, encoded, 2, NULL), CEVM_OK);
    assert_memory_equal(out.receipts_root.bytes, hash.bytes, 32);
    cevm_execution_destroy(execution);
    world_close(&w);
}

static void test_hashes_that_are_not_wanted(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_CANCUN);
    cevm_execution_input input = input_of(&w);
    input.skips_hashes = true;
    cevm_execution *execution = execution_open(&w, &input);
    const cevm_tx tx = plain_tx();
    (void)execute_tx(execution, &tx);
    cevm_execution_output out;
    size_t count;
    const cevm_hash zero = {{0}};
    assert_int_equal(execution_finish(execution, &out), CEVM_BLOCK_NONE);
    assert_memory_equal(cevm_execution_receipts(execution, &count)[0].tx_hash.bytes, zero.bytes, 32);
    assert_memory_equal(out.logs_hash.bytes, zero.bytes, 32);
    cevm_execution_destroy(execution);
    world_close(&w);
}

/** EIP-658: before it each receipt has the root of the state as the transaction left it, and the store has that state. */
static void test_roots_before_byzantium(void **state)
{
    (void)state;
    for (int fork = CEVM_FRONTIER; fork <= CEVM_BYZANTIUM; ++fork) {
        world w;
        world_open(&w, (cevm_fork)fork);
        world_put(&w, address_of(CONTRACT), 0, 0, "43600055"); /* SSTORE(0, NUMBER) */
        const cevm_execution_input input = input_of(&w);
        cevm_execution *execution = execution_open(&w, &input);
        cevm_tx tx = plain_tx();
        for (tx.nonce = 0; tx.nonce < 3; ++tx.nonce) {
            (void)execute_tx(execution, &tx);
            size_t count;
            cevm_hash root;
            const cevm_block_receipt *receipts = cevm_execution_receipts(execution, &count);
            assert_int_equal(cevm_memdb_root(w.db, &root), CEVM_OK);
            assert_true(receipts[count - 1].has_root == (fork < CEVM_BYZANTIUM));
            if (fork < CEVM_BYZANTIUM) {
                assert_memory_equal(receipts[count - 1].root.bytes, root.bytes, 32);
                root = root_of(&w); /* nothing was left to commit */
                assert_memory_equal(receipts[count - 1].root.bytes, root.bytes, 32);
            }
        }
        cevm_execution_destroy(execution);
        world_close(&w);
    }
}

static void test_a_created_address_is_in_the_receipt(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_CANCUN);
    const cevm_execution_input input = input_of(&w);
    cevm_execution *execution = execution_open(&w, &input);
    cevm_tx tx = plain_tx();
    tx.is_create = true;
    (void)execute_tx(execution, &tx);
    size_t count;
    const cevm_block_receipt *receipts = cevm_execution_receipts(execution, &count);
    cevm_address expected;
    cevm_create_address(&expected, &tx.sender, 0);
    assert_true(count == 1 && receipts[0].has_created);
    assert_memory_equal(receipts[0].created.bytes, expected.bytes, 20);
    cevm_execution_destroy(execution);
    world_close(&w);
}

/** A stopped transaction leaves no trace and the block can go on; after its end a block takes nothing more. */
static void test_life_of_an_execution(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_CANCUN);
    world_put(&w, address_of(CONTRACT), 0, 1, "5b5f56"); /* for ever, as far as the gas goes */
    volatile bool cancel = true;
    const cevm_vm_config config = {.struct_size = sizeof config, .cancel = &cancel};
    cevm_vm *vm;
    assert_int_equal(cevm_vm_create(&vm, &config), CEVM_OK);
    const cevm_execution_input input = input_of(&w);
    cevm_execution *execution;
    assert_int_equal(cevm_execution_create(&execution, vm, w.state, &input, NULL), CEVM_OK);
    assert_int_equal(cevm_execution_begin(execution, NULL), CEVM_OK);
    cevm_tx tx = plain_tx();
    cevm_receipt receipt;
    cevm_tx_error reason;
    assert_int_equal(cevm_execution_tx(execution, &receipt, &reason, &tx, NULL), CEVM_ERR_CANCELLED);
    cancel = false;
    tx.to = address_of(STRANGER);
    assert_int_equal(execute_tx(execution, &tx).gas_used, 21000);
    cevm_execution_output out;
    cevm_block_error verdict;
    assert_int_equal(execution_finish(execution, &out), CEVM_BLOCK_NONE);
    assert_true(out.gas_used == 21000);
    tx.nonce = 1;
    assert_int_equal(cevm_execution_tx(execution, &receipt, &reason, &tx, NULL), CEVM_ERR_ARGUMENT);
    assert_int_equal(cevm_execution_begin(execution, NULL), CEVM_ERR_ARGUMENT);
    assert_int_equal(cevm_execution_end(execution, &out, &verdict, NULL), CEVM_ERR_ARGUMENT);
    cevm_execution_destroy(execution);
    cevm_execution_destroy(NULL);
    cevm_vm_destroy(vm);
    world_close(&w);
}

/* ---- Tracing ----------------------------------------------------------------------------------------------------- */

typedef struct witness {
    size_t started, ended, entered;
    int64_t gas;
} witness;

static void saw_start(void *ctx, const cevm_block_env *block, const cevm_tx_env *tx)
{
    witness *seen = ctx;
    const cevm_address system = address_from(SYSTEM);
    assert_int_equal(block->fork, CEVM_PRAGUE);
    assert_memory_equal(tx->origin.bytes, system.bytes, 20);
    seen->started += 1;
}

static void saw_end(void *ctx, int64_t gas_used)
{
    witness *seen = ctx;
    seen->ended += 1;
    seen->gas += gas_used;
}

static void saw_enter(void *ctx, const cevm_message *msg, uint32_t depth)
{
    witness *seen = ctx;
    assert_true(depth == 1 && msg->gas == 30000000);
    seen->entered += 1;
}

static void test_system_calls_are_traced_as_transactions(void **state)
{
    (void)state;
    world w;
    witness seen = {0};
    const cevm_tracer tracer = {.struct_size = sizeof tracer,
                                .ctx = &seen,
                                .on_tx_start = saw_start,
                                .on_tx_end = saw_end,
                                .on_enter = saw_enter};
    world_open(&w, CEVM_PRAGUE);
    put_contract(&w, BEACON_ROOTS, "5f50"); /* PUSH0, POP: 4 gas */
    put_contract(&w, WITHDRAWALS, "5f50");
    put_contract(&w, CONSOLIDATIONS, "5f50");
    const cevm_execution_input input = input_of(&w);
    cevm_execution *execution;
    cevm_execution_output out;
    cevm_block_error reason;
    assert_int_equal(cevm_execution_create(&execution, w.vm, w.state, &input, NULL), CEVM_OK);
    assert_int_equal(cevm_execution_begin(execution, &tracer), CEVM_OK);
    assert_int_equal(cevm_execution_end(execution, &out, &reason, &tracer), CEVM_OK);
    assert_true(seen.started == 3 && seen.ended == 3 && seen.entered == 3 && seen.gas == 12);
    cevm_execution_destroy(execution);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rewards_of_each_fork),
        cmocka_unit_test(test_rewards_with_ommers),
        cmocka_unit_test(test_ommers_that_no_reward_is_defined_for),
        cmocka_unit_test(test_a_reward_of_nothing),
        cmocka_unit_test(test_eip779_the_dao),
        cmocka_unit_test(test_eip4895_withdrawals),
        cmocka_unit_test(test_eip4788_beacon_root),
        cmocka_unit_test(test_eip2935_parent_hash),
        cmocka_unit_test(test_calls_at_the_start_that_do_nothing),
        cmocka_unit_test(test_what_a_system_call_sees),
        cmocka_unit_test(test_a_system_contract_that_delegates),
        cmocka_unit_test(test_a_system_call_is_a_transaction_of_its_own),
        cmocka_unit_test(test_logs_of_system_calls_count_nowhere),
        cmocka_unit_test(test_receipts_of_a_block),
        cmocka_unit_test(test_hashes_that_are_not_wanted),
        cmocka_unit_test(test_roots_before_byzantium),
        cmocka_unit_test(test_a_created_address_is_in_the_receipt),
        cmocka_unit_test(test_life_of_an_execution),
        cmocka_unit_test(test_system_calls_are_traced_as_transactions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
