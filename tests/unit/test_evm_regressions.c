/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bugs of the interpreter that have split or crashed other EVMs. The expected values follow from the specification; each
 * test is named after the bug.
 */
#include "evm_fixture.h"

#include <pthread.h>

/** CVE-2020-26241 (geth): the identity precompile handed out the caller's memory as return data. */
static void test_cve_2020_26241_identity_aliases_memory(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_LATEST);
    /* mem[0]=0xaa; staticcall(identity, mem[0..32]); mem[0]=0xbb; returndatacopy(32,0,32); return mem[32..64] */
    const cevm_status st =
        world_run(&w, "60aa600052 60006000602060006004 5afa50 60bb600052 602060006020 3e 60206020f3", 100000);
    assert_int_equal(st, CEVM_STATUS_RETURN);
    assert_output_u64(&w, 0xaa);
    world_close(&w);
}

/** CVE-2021-39137 (geth, mainnet block 13107518): overlapping input and output corrupted the return data. */
static void test_cve_2021_39137_overlapping_call_ranges(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_LONDON);
    assert_int_equal(world_run(&w, "3034526020600760203460045afa602034343e604034f3", 100000), CEVM_STATUS_RETURN);
    /* memory 7..38 holds the copied word, then 0..31 is restored from the return data: the address, right-aligned */
    uint8_t expected[64] = {0};
    const cevm_address self = addr(CONTRACT);
    memcpy(expected + 7 + 12, self.bytes, 20);
    memset(expected, 0, 32);
    memcpy(expected + 12, self.bytes, 20);
    assert_int_equal(w.result.output.size, 64);
    assert_memory_equal(w.result.output.data, expected, 64);
    world_close(&w);
}

/** CVE-2020-26242 (geth): MULMOD with modulus 0 crashed. */
static void test_cve_2020_26242_mulmod_by_zero(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_LATEST);
    assert_int_equal(world_run(&w, "6000 6000 19 6000 19 09 600052 60206000f3", 100000), CEVM_STATUS_RETURN);
    assert_output_u64(&w, 0);
    world_close(&w);
}

/** CVE-2021-41272 (besu): shift counts of 2^31 and more were taken as negative. */
static void test_cve_2021_41272_huge_shift_counts(void **state)
{
    (void)state;
    static const char *const shifts[] = {"1b", "1c", "1d"};
    world w;
    world_open(&w, CEVM_LATEST);
    for (size_t i = 0; i < 3; ++i) {
        char code[128];
        snprintf(code, sizeof code, "6001 6380000000 %s 600052 60206000f3", shifts[i]);
        assert_int_equal(world_run(&w, code, 100000), CEVM_STATUS_RETURN);
        assert_output_u64(&w, 0);
    }
    world_close(&w);
}

/** CVE-2022-36025 (besu): a call with a gas operand of 2^63 and more came back with more gas than it was given. */
static void test_cve_2022_36025_huge_call_gas(void **state)
{
    (void)state;
    const int64_t gas = 100000;
    static const char *const operands[] = {"7fffffffffffffff", "8000000000000000", "ffffffffffffffff"};
    for (size_t i = 0; i < 3; ++i) {
        world w;
        world_open(&w, CEVM_LONDON);
        world_account(&w, 0xb0b, 0, 1, "00");
        char code[128];
        snprintf(code, sizeof code, "6000 6000 6000 6000 6000 610b0b 67%s f1 00", operands[i]);
        assert_int_equal(world_run(&w, code, gas), CEVM_STATUS_STOP);
        /* seven pushes, one cold account; the callee stops at once and gives all its gas back */
        assert_int_equal(gas_used(&w, gas), 7 * 3 + 2600);
        world_close(&w);
    }
}

/** besu 2019: SELFBALANCE under DELEGATECALL gave the balance of the code's account. */
static void test_selfbalance_under_delegatecall(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_ISTANBUL);
    world_account(&w, CONTRACT, 5, 1, "6020600060006000610b0b5af4 60206000f3");
    world_account(&w, 0xb0b, 7, 1, "47600052 60206000f3");
    world_begin(&w);
    assert_int_equal(world_call(&w, 100000, (cevm_bytes){NULL, 0}), CEVM_STATUS_RETURN);
    assert_output_u64(&w, 5);
    world_close(&w);
}

/** evmone #217, #219, #221: tables of jump targets and stack growth overflowed 16 bits. */
static void test_evmone_217_jumpdest_beyond_64k(void **state)
{
    (void)state;
    enum { SIZE = 200000, TARGET = 0x20005 };
    char *hex = malloc(2 * SIZE + 1);
    assert_non_null(hex);
    memset(hex, '0', 2 * SIZE);
    hex[2 * SIZE] = '\0';
    memcpy(hex, "6202000556", 10); /* PUSH3 0x020005 JUMP; 0x0005 holds a STOP, not a JUMPDEST */
    memcpy(hex + 2 * TARGET, "5b602a60005260206000f3", 22);
    world w;
    world_open(&w, CEVM_FRONTIER);
    assert_int_equal(world_run(&w, hex, 100000), CEVM_STATUS_RETURN);
    assert_output_u64(&w, 42);
    memcpy(hex, "6200000556", 10);
    assert_int_equal(world_run(&w, hex, 100000), CEVM_STATUS_BAD_JUMP);
    world_close(&w);
    free(hex);
}

/** evmone: after an invalid jump the frame must end there, with all its gas gone. */
static void test_evmone_invalid_jump_ends_the_frame(void **state)
{
    (void)state;
    static const char *const codes[] = {
        "600056",       /* to a PUSH */
        "6002565b",     /* to the JUMP itself, one before the JUMPDEST */
        "60055660005b", /* the JUMPDEST is the immediate of no push: valid, see below */
        "600456605b00", /* a 0x5b inside an immediate */
        "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff56",
        "68010000000000000004565b", /* low 64 bits would be in range */
        "60016000 57",              /* JUMPI taken, to 0 */
        "6001600a57",               /* past the end */
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; ++i) {
        world w;
        world_open(&w, CEVM_LATEST);
        const cevm_status st = world_run(&w, codes[i], 50000);
        if (i == 2) {
            assert_int_equal(st, CEVM_STATUS_STOP);
        } else {
            assert_int_equal(st, CEVM_STATUS_BAD_JUMP);
            assert_int_equal(w.result.gas.left, 0);
        }
        assert_int_equal(w.result.output.size, 0);
        world_close(&w);
    }
}

/** Nethermind #9726: CREATE and CREATE2 must refuse a static context, and end the frame. */
static void test_nethermind_9726_create_in_static_context(void **state)
{
    (void)state;
    static const char *const creates[] = {"600060006000f0", "6000600060006000f5"};
    for (size_t i = 0; i < 2; ++i) {
        world w;
        world_open(&w, CEVM_LATEST);
        world_account(&w, 0xb0b, 0, 1, creates[i]);
        /* return the success flag of a STATICCALL with 50000 gas */
        world_account(&w, CONTRACT, 0, 1, "6000600060006000610b0b61c350fa 600052 60206000f3");
        world_begin(&w);
        assert_int_equal(world_call(&w, 100000, (cevm_bytes){NULL, 0}), CEVM_STATUS_RETURN);
        assert_output_u64(&w, 0);
        assert_true(w.result.gas.left < 50000);
        world_close(&w);
    }
}

/** Nimbus 5080941: a creation may revert with more than 24 KiB of return data. */
static void test_nimbus_5080941_long_return_data_of_create(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_LATEST);
    /* mem[27..31] = initcode 6161a86000fd (PUSH2 25000 PUSH1 0 REVERT); create(0, 26, 6); return RETURNDATASIZE */
    assert_int_equal(world_run(&w, "656161a86000fd600052 6006601a6000f050 3d600052 60206000f3", 1000000),
                     CEVM_STATUS_RETURN);
    assert_output_u64(&w, 25000);
    world_close(&w);
}

/** EIP-2681: CREATE at nonce 2^64-1 pushes 0, costs no more, and the frame goes on. */
static void test_eip2681_create_at_last_nonce(void **state)
{
    (void)state;
    const int64_t gas = 100000;
    world w;
    world_open(&w, CEVM_LONDON);
    world_account(&w, CONTRACT, 0, UINT64_MAX, "600060006000f0 600052 60206000f3");
    world_begin(&w);
    assert_int_equal(world_call(&w, gas, (cevm_bytes){NULL, 0}), CEVM_STATUS_RETURN);
    assert_output_u64(&w, 0);
    /* 3 pushes + CREATE; PUSH1 MSTORE with one word of memory; 2 pushes */
    assert_int_equal(gas_used(&w, gas), 3 * 3 + 32000 + 3 + 3 + 3 + 2 * 3);
    const cevm_address contract = addr(CONTRACT);
    cevm_account_info info;
    assert_int_equal(cevm_state_get_account(w.state, &info, &contract), CEVM_OK);
    assert_true(info.nonce == UINT64_MAX);
    world_close(&w);
}

/** EIP-3860: initcode over 49152 bytes ends the frame before the nonce is bumped; at the limit it is run. */
static void test_eip3860_oversize_initcode_keeps_the_nonce(void **state)
{
    (void)state;
    const cevm_address contract = addr(CONTRACT);
    cevm_account_info info;
    world w;
    world_open(&w, CEVM_SHANGHAI);
    assert_int_equal(world_run(&w, "61c001 6000 6000 f0 00", 10000000), CEVM_STATUS_INITCODE_TOO_LARGE);
    assert_int_equal(cevm_state_get_account(w.state, &info, &contract), CEVM_OK);
    assert_int_equal(info.nonce, 1);
    assert_int_equal(world_run(&w, "61c000 6000 6000 f0 00", 10000000), CEVM_STATUS_STOP);
    assert_int_equal(cevm_state_get_account(w.state, &info, &contract), CEVM_OK);
    assert_int_equal(info.nonce, 2);
    world_close(&w);
}

/** RUSTSEC-2021-0066: a range of no bytes at a huge offset allocated memory. It costs and allocates nothing. */
static void test_rustsec_2021_0066_empty_ranges_at_huge_offsets(void **state)
{
    (void)state;
    /* each leaves the stack empty and has its gas: PUSH1 0 (3) for the size, PUSH1 0 NOT (6) for each huge offset */
    static const struct {
        const char *code;
        int64_t gas;
    } cases[] = {
        {"6000 600019 20 50", 3 + 6 + 30 + 2},             /* KECCAK256 */
        {"6000 600019 600019 37", 3 + 6 + 6 + 3},          /* CALLDATACOPY */
        {"6000 600019 600019 39", 3 + 6 + 6 + 3},          /* CODECOPY */
        {"6000 600019 600019 5e", 3 + 6 + 6 + 3},          /* MCOPY */
        {"6000 6000 600019 3e", 3 + 3 + 6 + 3},            /* RETURNDATACOPY */
        {"6000 600019 a0", 3 + 6 + 375},                   /* LOG0 */
        {"6000 600019 600019 30 3c", 3 + 6 + 6 + 2 + 100}, /* EXTCODECOPY of itself, warm */
        {"6000 600019 f3", 3 + 6},                         /* RETURN */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        world w;
        world_open(&w, CEVM_LATEST);
        assert_true(cevm_status_is_success(world_run(&w, cases[i].code, 100000)));
        assert_int_equal(gas_used(&w, 100000), cases[i].gas);
        world_close(&w);
    }
}

static void *run_deep_recursion(void *arg)
{
    world *w = arg;
    /* calls itself with all gas, then returns the depth reached, counted in storage slot 0 */
    world_run(w, "6001600054016000556000600060006000600030 5af1 600054600052 60206000f3", INT64_C(1) << 60);
    return NULL;
}

/** Depth 1024 costs no native stack: it runs on a thread that has 256 KiB. */
static void test_depth_1024_on_a_256_kib_stack(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_HOMESTEAD);
    pthread_attr_t attr;
    pthread_t thread;
    assert_int_equal(pthread_attr_init(&attr), 0);
    assert_int_equal(pthread_attr_setstacksize(&attr, (size_t)256 * 1024), 0);
    w.block.fork = CEVM_TANGERINE_WHISTLE; /* all but one 64th is passed on: 2^60 gas reaches the limit of depth */
    assert_int_equal(pthread_create(&thread, &attr, run_deep_recursion, &w), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attr);
    assert_int_equal(w.result.status, CEVM_STATUS_RETURN);
    /* frames at depths 0 to 1024 ran */
    assert_output_u64(&w, 1025);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cve_2020_26241_identity_aliases_memory),
        cmocka_unit_test(test_cve_2021_39137_overlapping_call_ranges),
        cmocka_unit_test(test_cve_2020_26242_mulmod_by_zero),
        cmocka_unit_test(test_cve_2021_41272_huge_shift_counts),
        cmocka_unit_test(test_cve_2022_36025_huge_call_gas),
        cmocka_unit_test(test_selfbalance_under_delegatecall),
        cmocka_unit_test(test_evmone_217_jumpdest_beyond_64k),
        cmocka_unit_test(test_evmone_invalid_jump_ends_the_frame),
        cmocka_unit_test(test_nethermind_9726_create_in_static_context),
        cmocka_unit_test(test_nimbus_5080941_long_return_data_of_create),
        cmocka_unit_test(test_eip2681_create_at_last_nonce),
        cmocka_unit_test(test_eip3860_oversize_initcode_keeps_the_nonce),
        cmocka_unit_test(test_rustsec_2021_0066_empty_ranges_at_huge_offsets),
        cmocka_unit_test(test_depth_1024_on_a_256_kib_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
