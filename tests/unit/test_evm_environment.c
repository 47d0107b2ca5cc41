/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opcodes that read the environment, and the endings and creations that later EIPs changed. Numbers are those of the EIPs
 * a test is named after.
 */
#include "evm_fixture.h"

enum { GAS = 100000, BENEFICIARY = 0xbe };

/** Returns the word on top of the stack; costs 15 gas: PUSH1 0, MSTORE (and a word of memory), PUSH1 32, PUSH1 0, RETURN. */
#define RETURN_WORD " 6000 52 6020 6000 f3"
enum { RETURN_WORD_GAS = 15 };

static cevm_u256 value_at(world *w, uint64_t address, uint64_t key)
{
    const cevm_address a = addr(address);
    const cevm_u256 k = cevm_u256_from_u64(key);
    cevm_u256 out = {{0}};
    assert_int_equal(cevm_state_get_storage(w->state, &out, &a, &k), CEVM_OK);
    return out;
}

static cevm_account_info account_at(world *w, const cevm_address *address)
{
    cevm_account_info out;
    assert_int_equal(cevm_state_get_account(w->state, &out, address), CEVM_OK);
    return out;
}

/** Runs one opcode (hex) that pushes a word for 2 gas from fork `since` on and is undefined before. */
static void check_environment_word(const char *op, cevm_fork since, const cevm_u256 *expected, const world *settings)
{
    char code[64];
    (void)snprintf(code, sizeof code, "%s" RETURN_WORD, op);
    for (int fork = 0; fork < CEVM_FORK_COUNT; ++fork) {
        world w;
        world_open(&w, (cevm_fork)fork);
        w.block = settings->block;
        w.block.fork = (cevm_fork)fork;
        const cevm_status status = world_run(&w, code, GAS);
        if (fork < (int)since) {
            assert_int_equal(status, CEVM_STATUS_UNDEFINED_OPCODE);
            assert_int_equal(w.result.gas.left, 0);
        } else {
            assert_int_equal(status, CEVM_STATUS_RETURN);
            const cevm_u256 word = output_word(&w);
            assert_true(cevm_u256_equal(&word, expected));
            assert_int_equal(gas_used(&w, GAS), 2 + RETURN_WORD_GAS);
        }
        world_close(&w);
    }
}

static void test_eip1344_chainid(void **state)
{
    (void)state;
    const world settings = {.block = {.chain_id = 0x123456789a}};
    const cevm_u256 expected = {{0x123456789a}};
    check_environment_word("46", CEVM_ISTANBUL, &expected, &settings);
}

static void test_eip3198_basefee(void **state)
{
    (void)state;
    const cevm_u256 fee = {{1, 2, 3, 4}};
    const world settings = {.block = {.base_fee = fee}};
    check_environment_word("48", CEVM_LONDON, &fee, &settings);
}

static void test_eip7516_blobbasefee(void **state)
{
    (void)state;
    const cevm_u256 fee = {{5, 6, 7, 8}};
    const world settings = {.block = {.blob_base_fee = fee}};
    check_environment_word("4a", CEVM_CANCUN, &fee, &settings);
}

static void test_eip4399_prevrandao_takes_the_place_of_difficulty(void **state)
{
    (void)state;
    for (int fork = 0; fork < CEVM_FORK_COUNT; ++fork) {
        world w;
        world_open(&w, (cevm_fork)fork);
        w.block.difficulty = cevm_u256_from_u64(0xd1ff);
        w.block.prev_randao.bytes[31] = 0x77;
        assert_int_equal(world_run(&w, "44" RETURN_WORD, GAS), CEVM_STATUS_RETURN);
        assert_output_u64(&w, fork >= CEVM_PARIS ? 0x77 : 0xd1ff);
        assert_int_equal(gas_used(&w, GAS), 2 + RETURN_WORD_GAS);
        world_close(&w);
    }
}

static void test_eip1052_extcodehash(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_CONSTANTINOPLE);
    world_account(&w, 0x10, 1, 0, "");     /* a balance, no code */
    world_account(&w, 0x11, 0, 1, "6001"); /* code */

    static const uint8_t code[] = {0x60, 0x01};
    cevm_hash code_hash;
    cevm_keccak256(&code_hash, code, sizeof code);

    assert_int_equal(world_run(&w, "6010 3f" RETURN_WORD, GAS), CEVM_STATUS_RETURN);
    assert_memory_equal(w.result.output.data, cevm_empty_code_hash.bytes, 32);
    assert_int_equal(gas_used(&w, GAS), 3 + 400 + RETURN_WORD_GAS);
    assert_int_equal(world_run(&w, "6011 3f" RETURN_WORD, GAS), CEVM_STATUS_RETURN);
    assert_memory_equal(w.result.output.data, code_hash.bytes, 32);
    assert_int_equal(world_run(&w, "6012 3f" RETURN_WORD, GAS), CEVM_STATUS_RETURN);
    assert_output_u64(&w, 0); /* no account */
    world_close(&w);
}

static void test_eip160_exp_costs_by_the_byte(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        int64_t bytes;
    } cases[] = {{"6000 6002 0a 00", 0}, {"60ff 6002 0a 00", 1}, {"610100 6002 0a 00", 2}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        for (int fork = 0; fork < CEVM_FORK_COUNT; ++fork) {
            world w;
            world_open(&w, (cevm_fork)fork);
            assert_int_equal(world_run(&w, cases[i].code, GAS), CEVM_STATUS_STOP);
            assert_int_equal(gas_used(&w, GAS), 6 + 10 + cases[i].bytes * (fork >= CEVM_SPURIOUS_DRAGON ? 50 : 10));
            world_close(&w);
        }
    }
}

static void test_eip140_revert_keeps_gas_and_data_and_nothing_else(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_BYZANTIUM);
    assert_int_equal(world_run(&w, "6001 6000 55 60aa 6000 52 6020 6000 fd", GAS), CEVM_STATUS_REVERT);
    assert_output_u64(&w, 0xaa);
    assert_int_equal(gas_used(&w, GAS), 3 + 3 + 20000 + 3 + 3 + 6 + 3 + 3);
    assert_int_equal(w.result.gas.refund, 0);
    const cevm_u256 slot = value_at(&w, CONTRACT, 0);
    assert_true(cevm_u256_is_zero(&slot));
    world_close(&w);
}

static void test_eip7_delegatecall_keeps_sender_and_value(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_HOMESTEAD);
    world_account(&w, SENDER, 100, 0, "");
    world_account(&w, 0x11b, 0, 1, "33 6000 55 34 6001 55 00"); /* stores CALLER and CALLVALUE */
    world_account(&w, CONTRACT, 0, 1, "6000 6000 6000 6000 61011b 61fff0 f4 00");
    world_begin(&w);
    const cevm_message msg = {.kind = CEVM_CALL,
                              .gas = GAS,
                              .sender = addr(SENDER),
                              .recipient = addr(CONTRACT),
                              .code_address = addr(CONTRACT),
                              .value = {{7}}};
    assert_int_equal(cevm_vm_execute(w.vm, &w.result, &msg, &w.block, &w.tx, &w.host, NULL), CEVM_OK);
    assert_int_equal(w.result.status, CEVM_STATUS_STOP);
    assert_int_equal(value_at(&w, CONTRACT, 0).w[0], SENDER);
    assert_int_equal(value_at(&w, CONTRACT, 1).w[0], 7);
    const cevm_u256 of_library = value_at(&w, 0x11b, 0);
    assert_true(cevm_u256_is_zero(&of_library));
    world_close(&w);
}

static void check_selfdestruct_of_old_account(cevm_fork fork, bool stays)
{
    world w;
    world_open(&w, fork);
    world_account(&w, CONTRACT, 50, 1, "60be ff");
    world_begin(&w);
    assert_int_equal(world_call(&w, GAS, (cevm_bytes){NULL, 0}), CEVM_STATUS_SELFDESTRUCT);
    assert_int_equal(cevm_state_end_tx(w.state), CEVM_OK);

    const cevm_address contract = addr(CONTRACT), beneficiary = addr(BENEFICIARY);
    const cevm_account_info left = account_at(&w, &contract), paid = account_at(&w, &beneficiary);
    assert_int_equal(left.exists, stays);
    assert_true(cevm_u256_is_zero(&left.balance));
    assert_int_equal(left.nonce, stays ? 1 : 0);
    assert_int_equal(paid.balance.w[0], 50);
    world_close(&w);
}

static void test_eip6780_selfdestruct_of_an_old_account_moves_its_balance(void **state)
{
    (void)state;
    check_selfdestruct_of_old_account(CEVM_SHANGHAI, false);
    check_selfdestruct_of_old_account(CEVM_CANCUN, true);
    check_selfdestruct_of_old_account(CEVM_OSAKA, true);
}

static void test_eip6780_selfdestruct_in_the_transaction_of_creation_deletes(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_CANCUN);
    /* Creates, with 5 wei, a contract whose initcode is PUSH1 0xbe, SELFDESTRUCT. */
    world_account(&w, CONTRACT, 50, 1, "6260beff 6000 52 6003 601d 6005 f0" RETURN_WORD);
    world_begin(&w);
    assert_int_equal(world_call(&w, GAS, (cevm_bytes){NULL, 0}), CEVM_STATUS_RETURN);
    const cevm_u256 word = output_word(&w);
    const cevm_address created = cevm_address_from_u256(&word), beneficiary = addr(BENEFICIARY);
    assert_false(cevm_u256_is_zero(&word));
    assert_int_equal(cevm_state_end_tx(w.state), CEVM_OK);
    assert_false(account_at(&w, &created).exists);
    assert_int_equal(account_at(&w, &beneficiary).balance.w[0], 5);
    world_close(&w);
}

/** Creates with empty initcode over an account that is there; the result must be 0 and the gas given must be gone. */
static void check_collision(cevm_fork fork, uint64_t nonce, const char *code_hex, uint64_t slot, bool collides)
{
    world w;
    world_open(&w, fork);
    const cevm_address contract = addr(CONTRACT);
    const cevm_u256 nothing = {{0}}, one = {{1}}, value = {{slot}};
    cevm_address target;
    cevm_create_address(&target, &contract, 1);
    size_t size;
    uint8_t *code = bytes_of(code_hex, &size);
    assert_int_equal(cevm_memdb_set_account(w.db, &target, &nothing, nonce, (cevm_bytes){code, size}), CEVM_OK);
    assert_int_equal(cevm_memdb_set_storage(w.db, &target, &one, &value), CEVM_OK);
    free(code);

    assert_int_equal(world_run(&w, "6000 6000 6000 f0" RETURN_WORD, GAS), CEVM_STATUS_RETURN);
    const cevm_u256 word = output_word(&w);
    assert_int_equal(cevm_u256_is_zero(&word), collides);
    assert_int_equal(w.result.gas.left < (GAS - 32000) / 64, collides);
    assert_int_equal(account_at(&w, &contract).nonce, 2);
    world_close(&w);
}

static void test_eip684_creation_over_nonce_or_code_fails(void **state)
{
    (void)state;
    check_collision(CEVM_OSAKA, 1, "", 0, true);
    check_collision(CEVM_OSAKA, 0, "00", 0, true);
    check_collision(CEVM_OSAKA, 0, "", 0, false);
}

static void test_eip7610_creation_over_storage_fails(void **state)
{
    (void)state;
    check_collision(CEVM_SPURIOUS_DRAGON, 0, "", 9, true);
    check_collision(CEVM_OSAKA, 0, "", 9, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eip1344_chainid),
        cmocka_unit_test(test_eip3198_basefee),
        cmocka_unit_test(test_eip7516_blobbasefee),
        cmocka_unit_test(test_eip4399_prevrandao_takes_the_place_of_difficulty),
        cmocka_unit_test(test_eip1052_extcodehash),
        cmocka_unit_test(test_eip160_exp_costs_by_the_byte),
        cmocka_unit_test(test_eip140_revert_keeps_gas_and_data_and_nothing_else),
        cmocka_unit_test(test_eip7_delegatecall_keeps_sender_and_value),
        cmocka_unit_test(test_eip6780_selfdestruct_of_an_old_account_moves_its_balance),
        cmocka_unit_test(test_eip6780_selfdestruct_in_the_transaction_of_creation_deletes),
        cmocka_unit_test(test_eip684_creation_over_nonce_or_code_fails),
        cmocka_unit_test(test_eip7610_creation_over_storage_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
