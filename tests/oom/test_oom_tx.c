/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation and every backend read of a transaction's life fails in turn: the answer is the error, nothing leaks,
 * and the state is what it was.
 */
#include "faulty.h"

#include <cevm/crypto.h>
#include <cevm/hex.h>
#include <cevm/transition.h>

/* ---- The transactions -------------------------------------------------------------------------------------------- */

static const uint8_t key_of_sender[32] = {[31] = 1};

static cevm_address address_of(uint8_t number)
{
    cevm_address a = {{[18] = 0xcc}};
    a.bytes[19] = number;
    return a;
}

enum { CONTRACT = 1, CHILD = 2 };

/** A set-code transaction with everything in it, signed. */
static cevm_tx full_tx(cevm_tx_type type)
{
    static const cevm_hash keys[] = {{{1}}, {{2}}};
    static const cevm_hash blobs[] = {{{1, 7}}, {{1, 8}}};
    static const uint8_t data[100] = {1, 2, 3};
    static cevm_access_entry entries[2];
    static cevm_authorization tuples[2];
    cevm_tx tx = {.type = type, .has_chain_id = true, .chain_id = 1, .gas_limit = 500000, .to = address_of(CONTRACT)};
    tx.max_fee = cevm_u256_from_u64(10);
    tx.max_priority_fee = type == CEVM_TX_LEGACY || type == CEVM_TX_ACCESS_LIST ? tx.max_fee : cevm_u256_from_u64(2);
    tx.value = cevm_u256_from_u64(3);
    tx.data = (cevm_bytes){data, sizeof data};
    if (type != CEVM_TX_LEGACY) {
        entries[0] = (cevm_access_entry){address_of(CHILD), keys, 2};
        entries[1] = (cevm_access_entry){address_of(9), NULL, 0};
        tx.access_list = entries;
        tx.access_count = 2;
    }
    if (type == CEVM_TX_BLOB) {
        tx.max_fee_per_blob_gas = cevm_u256_from_u64(1);
        tx.blob_hashes = blobs;
        tx.blob_count = 2;
    }
    if (type == CEVM_TX_SET_CODE) {
        /* Any r with a point on the curve recovers someone: r = 1 and s = 1 do. */
        for (size_t i = 0; i < 2; ++i) {
            tuples[i] = (cevm_authorization){.address = address_of(CHILD), .y_parity = (uint8_t)i};
            tuples[i].r = cevm_u256_from_u64(1);
            tuples[i].s = cevm_u256_from_u64(1);
        }
        tx.authorizations = tuples;
        tx.authorization_count = 2;
    }
    assert_int_equal(cevm_tx_sign(&tx, key_of_sender, NULL), CEVM_OK);
    return tx;
}

/* ---- Codec ------------------------------------------------------------------------------------------------------- */

/** Everything the codec does with an encoded transaction; stops at the first error. */
static cevm_err use_codec(cevm_bytes raw, const cevm_allocator *allocator)
{
    cevm_tx *tx;
    cevm_tx_error reason;
    cevm_hash hash;
    uint8_t again[2048];
    size_t size = 0;
    cevm_err err = cevm_tx_decode(&tx, &reason, raw, allocator);
    if (err != CEVM_OK) {
        assert_null(tx);
        return err;
    }
    err = cevm_tx_recover_sender(tx, &reason, CEVM_LATEST, allocator);
    assert_true(tx->has_sender == (err == CEVM_OK));
    if (err == CEVM_OK) {
        err = cevm_tx_hash(&hash, tx, allocator);
    }
    if (err == CEVM_OK) {
        err = cevm_tx_sign(tx, key_of_sender, allocator);
    }
    if (err == CEVM_OK) {
        err = cevm_tx_encode(again, &size, sizeof again, tx, allocator);
    }
    if (err == CEVM_OK) {
        assert_int_equal(size, raw.size);
        assert_memory_equal(again, raw.data, size);
    }
    cevm_tx_destroy(tx, allocator);
    return err;
}

static void test_codec_with_every_allocation_failing(void **state)
{
    (void)state;
    for (int type = CEVM_TX_LEGACY; type <= CEVM_TX_SET_CODE; ++type) {
        const cevm_tx tx = full_tx((cevm_tx_type)type);
        uint8_t raw[2048];
        size_t size;
        assert_int_equal(cevm_tx_encode(raw, &size, sizeof raw, &tx, NULL), CEVM_OK);
        faulty count = {0};
        cevm_allocator allocator = {&count, faulty_resize};
        assert_int_equal(use_codec((cevm_bytes){raw, size}, &allocator), CEVM_OK);
        assert_true(count.calls >= 5 && count.live == 0);
        for (size_t at = 1; at <= count.calls; ++at) {
            faulty one = {.fail_at = at};
            allocator.ctx = &one;
            assert_int_equal(use_codec((cevm_bytes){raw, size}, &allocator), CEVM_ERR_NOMEM);
            assert_int_equal(one.live, 0);
        }
    }
}

static void test_logs_hash_with_every_allocation_failing(void **state)
{
    (void)state;
    static const uint8_t data[2000] = {0};
    const cevm_log logs[] = {{.topic_count = 4, .data = {data, sizeof data}}, {.topic_count = 0}};
    faulty count = {0};
    cevm_allocator allocator = {&count, faulty_resize};
    cevm_hash hash;
    assert_int_equal(cevm_logs_hash(&hash, logs, 2, &allocator), CEVM_OK);
    for (size_t at = 1; at <= count.calls; ++at) {
        faulty one = {.fail_at = at};
        allocator.ctx = &one;
        assert_int_equal(cevm_logs_hash(&hash, logs, 2, &allocator), CEVM_ERR_NOMEM);
        assert_int_equal(one.live, 0);
    }
}

/* ---- A whole transaction ----------------------------------------------------------------------------------------- */

static void put(cevm_memdb *db, cevm_address address, uint64_t wei, const char *hex)
{
    uint8_t code[256];
    size_t size = 0;
    const cevm_u256 balance = cevm_u256_from_u64(wei);
    assert_true(strlen(hex) / 2 <= sizeof code && cevm_hex_decode(code, &size, hex, strlen(hex)));
    assert_int_equal(cevm_memdb_set_account(db, &address, &balance, hex[0] != 0, (cevm_bytes){code, size}), CEVM_OK);
}

/**
 * The contract stores, logs, keeps a transient value, grows memory, calls a child that reads storage, a balance and a
 * block hash, stores and reverts, calls a precompile and creates a contract.
 */
static cevm_memdb *make_store(const cevm_address *sender)
{
    static const char contract_code[] = "5f5f55"                   /* SSTORE(0, 0) clears a slot */
                                        "6001600155"               /* SSTORE(1, 1) */
                                        "600560065d"               /* TSTORE(6, 5) */
                                        "60076020611000a1"         /* LOG1(0x1000, 32, 7) */
                                        "5f5f5f5f5f61cc025af150"   /* CALL(child) */
                                        "60205f60205f5f60045af150" /* CALL(identity), 32 bytes */
                                        "6760015f5360015ff35f52"   /* MSTORE(0, initcode) */
                                        "600860185ff050"
                                        "00";     /* CREATE(0, 24, 8) */
    static const char child_code[] = "5f5450"     /* SLOAD(0) */
                                     "61cc093150" /* BALANCE */
                                     "5f4050"     /* BLOCKHASH(0) */
                                     "60015f55"   /* SSTORE(0, 1) */
                                     "5f5ffd";    /* REVERT */
    cevm_memdb *db;
    const cevm_address contract = address_of(CONTRACT);
    const cevm_u256 zero = {{0}}, one = cevm_u256_from_u64(1);
    assert_int_equal(cevm_memdb_create(&db, NULL), CEVM_OK);
    put(db, *sender, 1000000000000000000u, "");
    put(db, contract, 0, contract_code);
    put(db, address_of(CHILD), 0, child_code);
    assert_int_equal(cevm_memdb_set_storage(db, &contract, &zero, &one), CEVM_OK);
    return db;
}

/** One store, a state over it whose memory and reads can be made to fail, and a VM. */
typedef struct bench {
    cevm_memdb *db;
    flaky_db flaky;
    faulty memory;
    cevm_allocator allocator;
    cevm_state *state;
    cevm_vm *vm;
    cevm_block_env block;
    cevm_tx tx;
    cevm_hash before; /* root */
} bench;

static void bench_open(bench *b, cevm_tx_type type, cevm_engine engine)
{
    memset(b, 0, sizeof *b);
    b->tx = full_tx(type);
    b->db = make_store(&b->tx.sender);
    b->flaky = (flaky_db){.below = cevm_memdb_interface(b->db), .counted = FLAKY_READS};
    b->allocator = (cevm_allocator){&b->memory, faulty_resize};
    const cevm_db db = flaky_interface(&b->flaky);
    const cevm_vm_config config = {.struct_size = sizeof config, .allocator = &b->allocator, .engine = engine};
    assert_int_equal(cevm_state_create(&b->state, &db, &b->allocator), CEVM_OK);
    assert_int_equal(cevm_vm_create(&b->vm, &config), CEVM_OK);
    assert_int_equal(cevm_memdb_root(b->db, &b->before), CEVM_OK);
    b->memory.calls = 0;
    b->block.fork = CEVM_PRAGUE;
    b->block.number = 1;
    b->block.gas_limit = 30000000;
    b->block.chain_id = 1;
    b->block.coinbase = address_of(200);
    b->block.base_fee = cevm_u256_from_u64(3);
    b->block.blob_base_fee = cevm_u256_from_u64(1);
    b->block.max_blobs = 9;
}

static void bench_close(bench *b)
{
    cevm_vm_destroy(b->vm);
    cevm_state_destroy(b->state);
    cevm_memdb_destroy(b->db);
    assert_int_equal(b->memory.live, 0);
}

static cevm_err bench_apply(bench *b)
{
    cevm_receipt receipt;
    cevm_tx_error reason = CEVM_TX_NONE;
    const cevm_err err = cevm_tx_apply(b->vm, b->state, &receipt, &reason, &b->tx, &b->block, NULL, NULL);
    assert_int_equal(reason, CEVM_TX_NONE);
    if (err == CEVM_OK) {
        assert_int_equal(receipt.status, CEVM_STATUS_STOP);
        assert_int_equal(receipt.log_count, 1);
    }
    return err;
}

static cevm_hash bench_root(bench *b)
{
    cevm_hash root;
    assert_int_equal(cevm_state_commit(b->state), CEVM_OK);
    assert_int_equal(cevm_memdb_root(b->db, &root), CEVM_OK);
    return root;
}

/** The error has come: nothing is left of the transaction, and it goes through when it is tried again. */
static void assert_untouched_and_repeatable(bench *b, const cevm_hash *after)
{
    b->memory.fail_at = 0;
    b->flaky.fail_at = 0;
    cevm_hash root = bench_root(b);
    assert_memory_equal(root.bytes, b->before.bytes, 32);
    assert_int_equal(bench_apply(b), CEVM_OK);
    root = bench_root(b);
    assert_memory_equal(root.bytes, after->bytes, 32);
}

static cevm_hash root_without_faults(cevm_tx_type type, cevm_engine engine, size_t *allocations, size_t *reads)
{
    bench b;
    bench_open(&b, type, engine);
    assert_int_equal(bench_apply(&b), CEVM_OK);
    *allocations = b.memory.calls;
    *reads = b.flaky.calls;
    const cevm_hash root = bench_root(&b);
    assert_memory_not_equal(root.bytes, b.before.bytes, 32);
    bench_close(&b);
    return root;
}

/**
 * Refuses one allocation, or all from one on. Without memory to decode code or to remember it a transaction just runs
 * slower: its result must then be the right one. Returns whether that was so.
 */
static bool goes_on_without(cevm_tx_type type, cevm_engine engine, size_t at, bool for_good, const cevm_hash *after)
{
    bench b;
    bench_open(&b, type, engine);
    b.memory.fail_at = at;
    b.memory.for_good = for_good;
    const cevm_err err = bench_apply(&b);
    if (err == CEVM_OK) {
        b.memory.fail_at = 0;
        const cevm_hash root = bench_root(&b);
        assert_memory_equal(root.bytes, after->bytes, 32);
    } else {
        assert_int_equal(err, CEVM_ERR_NOMEM);
        assert_untouched_and_repeatable(&b, after);
    }
    bench_close(&b);
    return err == CEVM_OK;
}

static void test_transaction_with_every_allocation_failing(void **state)
{
    (void)state;
    for (int type = CEVM_TX_LEGACY; type <= CEVM_TX_SET_CODE; ++type) {
        for (int engine = CEVM_ENGINE_AUTO; engine <= CEVM_ENGINE_BLOCK; ++engine) {
            size_t allocations, reads, needless = 0;
            const cevm_hash after = root_without_faults((cevm_tx_type)type, (cevm_engine)engine, &allocations, &reads);
            assert_true(allocations != 0);
            for (size_t at = 1; at <= allocations; ++at) {
                needless += goes_on_without((cevm_tx_type)type, (cevm_engine)engine, at, false, &after);
                (void)goes_on_without((cevm_tx_type)type, (cevm_engine)engine, at, true, &after);
            }
            print_message("type %d engine %d: %zu allocations, %zu of them needless\n", type, engine, allocations,
                          needless);
            assert_true(engine != CEVM_ENGINE_EXACT || needless == 0);
            assert_true(engine != CEVM_ENGINE_AUTO || needless <= 2);
        }
    }
}

static void test_transaction_with_every_read_failing(void **state)
{
    (void)state;
    for (int type = CEVM_TX_LEGACY; type <= CEVM_TX_SET_CODE; ++type) {
        size_t allocations, reads;
        const cevm_hash after = root_without_faults((cevm_tx_type)type, CEVM_ENGINE_AUTO, &allocations, &reads);
        assert_true(reads != 0);
        for (size_t at = 1; at <= reads; ++at) {
            bench b;
            bench_open(&b, (cevm_tx_type)type, CEVM_ENGINE_AUTO);
            b.flaky.fail_at = at;
            assert_int_equal(bench_apply(&b), CEVM_ERR_BACKEND);
            assert_untouched_and_repeatable(&b, &after);
            bench_close(&b);
        }
        print_message("type %d: %zu reads\n", type, reads);
    }
}

/*
 * The touch of the RIPEMD-160 precompile outlives a failed call, but not a transaction that broke off: an empty account
 * there (from before EIP-161) stays when the backend fails after the call.
 */
static void test_ripemd_touch_does_not_outlive_a_broken_transaction(void **state)
{
    (void)state;
    bench b;
    bench_open(&b, CEVM_TX_LEGACY, CEVM_ENGINE_AUTO);
    const cevm_address ripemd = {{[19] = 3}};
    put(b.db, ripemd, 0, "");
    put(b.db, b.tx.to, 0,
        "600060006000600060006003620186a0f15060055450"
        "00"); /* CALL(100000 gas, 3), SLOAD(5) */
    assert_int_equal(cevm_memdb_root(b.db, &b.before), CEVM_OK);
    b.block.fork = CEVM_SPURIOUS_DRAGON;
    b.tx.has_chain_id = false;
    size_t broken = 0;
    for (size_t at = 1;; ++at) {
        cevm_receipt receipt;
        cevm_tx_error reason;
        cevm_state_discard(b.state);
        b.flaky.calls = 0;
        b.flaky.fail_at = at;
        const cevm_err err = cevm_tx_apply(b.vm, b.state, &receipt, &reason, &b.tx, &b.block, NULL, NULL);
        if (err == CEVM_OK) {
            break;
        }
        assert_int_equal(err, CEVM_ERR_BACKEND);
        const cevm_hash root = bench_root(&b);
        assert_memory_equal(root.bytes, b.before.bytes, 32);
        ++broken;
    }
    assert_true(broken >= 4);
    const cevm_hash root = bench_root(&b); /* unbroken it is deleted, and fees are paid */
    assert_memory_not_equal(root.bytes, b.before.bytes, 32);
    cevm_account_info info;
    assert_int_equal(cevm_state_get_account(b.state, &info, &ripemd), CEVM_OK);
    assert_false(info.exists);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codec_with_every_allocation_failing),
        cmocka_unit_test(test_logs_hash_with_every_allocation_failing),
        cmocka_unit_test(test_transaction_with_every_allocation_failing),
        cmocka_unit_test(test_transaction_with_every_read_failing),
        cmocka_unit_test(test_ripemd_touch_does_not_outlive_a_broken_transaction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
