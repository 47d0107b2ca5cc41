/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the interpreter by fork: which opcodes exist, what they cost, and what the EIPs' own examples say. */
#include "evm_fixture.h"

#include "evm/opcodes.h"

/** The opcodes each fork adds, taken from the executable specification (the Ops of its instruction tables). */
static const struct {
    cevm_fork fork;
    const char *opcodes;
} added[] = {
    {CEVM_FRONTIER, "000102030405060708090a0b101112131415161718191a20303132333435363738393a3b3c4041424344455051525354"
                    "55565758595a5b606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788"
                    "898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4f0f1f2f3ff"},
    {CEVM_HOMESTEAD, "f4"},
    {CEVM_BYZANTIUM, "3d3efafd"},
    {CEVM_CONSTANTINOPLE, "1b1c1d3ff5"},
    {CEVM_ISTANBUL, "4647"},
    {CEVM_LONDON, "48"},
    {CEVM_SHANGHAI, "5f"},
    {CEVM_CANCUN, "494a5c5d5e"},
    {CEVM_OSAKA, "1e"},
};

static void test_each_opcode_exists_from_its_fork_on(void **state)
{
    (void)state;
    int since[256];
    for (int op = 0; op < 256; ++op) {
        since[op] = CEVM_NEVER;
    }
    since[OP_INVALID] = CEVM_FRONTIER; /* the designated invalid instruction has no row there */
    for (size_t i = 0; i < sizeof added / sizeof added[0]; ++i) {
        size_t n;
        uint8_t *ops = bytes_of(added[i].opcodes, &n);
        for (size_t j = 0; j < n; ++j) {
            since[ops[j]] = (int)added[i].fork;
        }
        free(ops);
    }
    for (int fork = 0; fork < CEVM_FORK_COUNT; ++fork) {
        for (int op = 0; op < 256; ++op) {
            const bool defined = cevm_opcode_name((cevm_fork)fork, (uint8_t)op) != NULL;
            if (defined != (fork >= since[op])) {
                print_error("opcode 0x%02x at %s\n", (unsigned)op, cevm_fork_name((cevm_fork)fork));
            }
            assert_int_equal(defined, fork >= since[op]);
        }
    }
}

/** Every opcode with one word too few underflows; with enough words it does not. Full stacks overflow where they must. */
static void test_stack_bounds_of_every_opcode(void **state)
{
    (void)state;
    const cevm_op_info *ops = cevm_op_tables[CEVM_LATEST];
    for (int op = 0; op < 256; ++op) {
        const int in = ops[op].in, out = ops[op].out;
        char hex[2 * (1024 + 1) + 1];
        char *p = hex;
        if (ops[op].span == 0) {
            continue;
        }
        world w;
        world_open(&w, CEVM_LATEST);
        for (int i = 0; i < in; ++i, p += 2) {
            memcpy(p, "5f", 2);
        }
        snprintf(p, 3, "%02x", (unsigned)op);
        assert_true(world_run(&w, hex, 1000000) != CEVM_STATUS_STACK_UNDERFLOW);
        if (in > 0) {
            assert_int_equal(world_run(&w, hex + 2, 1000000), CEVM_STATUS_STACK_UNDERFLOW);
        }
        for (p = hex; p < hex + 2048; p += 2) {
            memcpy(p, "5f", 2);
        }
        snprintf(p, 3, "%02x", (unsigned)op);
        const cevm_status full = world_run(&w, hex, 1000000);
        assert_int_equal(full == CEVM_STATUS_STACK_OVERFLOW, out > in);
        world_close(&w);
    }
}

typedef struct gas_case {
    cevm_fork fork;
    const char *code;
    int64_t gas;
} gas_case;

static void check_gas(const gas_case *cases, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        world w;
        world_open(&w, cases[i].fork);
        world_account(&w, 0xb0b, 0, 1, "00");
        assert_true(cevm_status_is_success(world_run(&w, cases[i].code, 1000000)));
        if (gas_used(&w, 1000000) != cases[i].gas) {
            print_error("%s at %s\n", cases[i].code, cevm_fork_name(cases[i].fork));
        }
        assert_int_equal(gas_used(&w, 1000000), cases[i].gas);
        world_close(&w);
    }
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* 0x0b0b is a contract of one STOP; prices of EIP-150, EIP-1884 and EIP-2929. PUSH2 and POP are 5 gas together. */
static void test_price_history_of_state_access(void **state)
{
    (void)state;
    static const gas_case cases[] = {
        {CEVM_FRONTIER, "610b0b3150", 20 + 5},
        {CEVM_TANGERINE_WHISTLE, "610b0b3150", 400 + 5},
        {CEVM_ISTANBUL, "610b0b3150", 700 + 5},
        {CEVM_BERLIN, "610b0b3150", 2600 + 5},
        {CEVM_BERLIN, "303150", 100 + 4},
        {CEVM_FRONTIER, "610b0b3b50", 20 + 5},
        {CEVM_TANGERINE_WHISTLE, "610b0b3b50", 705},
        {CEVM_BERLIN, "610b0b3b50", 2605},
        {CEVM_CONSTANTINOPLE, "610b0b3f50", 405},
        {CEVM_ISTANBUL, "610b0b3f50", 705},
        {CEVM_BERLIN, "610b0b3f50", 2605},
        {CEVM_FRONTIER, "60005450", 55},
        {CEVM_TANGERINE_WHISTLE, "60005450", 205},
        {CEVM_ISTANBUL, "60005450", 805},
        {CEVM_BERLIN, "60005450", 2105},
        {CEVM_BERLIN, "6000545060005450", 2105 + 105},
        {CEVM_BERLIN, "610b0b3150610b0b3b50", 2605 + 105}, /* any opcode warms for any other */
        {CEVM_FRONTIER, "60ff60020a50", 10 + 10 + 8},
        {CEVM_SPURIOUS_DRAGON, "61ffff60020a50", 10 + 100 + 8},
        {CEVM_OSAKA, "60011e50", 5 + 5},
    };
    check_gas(cases, COUNT(cases));
}

/* Seven pushes (21), the call's own price, and what the callee does not give back (nothing: it stops). */
static void test_price_history_of_calls(void **state)
{
    (void)state;
    static const gas_case cases[] = {
        {CEVM_FRONTIER, "60006000600060006000610b0b611388f1", 21 + 40},
        {CEVM_TANGERINE_WHISTLE, "60006000600060006000610b0b611388f1", 21 + 700},
        {CEVM_BERLIN, "60006000600060006000610b0b611388f1", 21 + 2600},
        {CEVM_FRONTIER, "60006000600060006000610bad611388f1", 21 + 40 + 25000}, /* makes an account, though empty */
        {CEVM_SPURIOUS_DRAGON, "60006000600060006000610bad611388f1", 21 + 700}, /* EIP-161: not without value */
        {CEVM_HOMESTEAD, "6000600060006000610b0b611388f4", 18 + 40},
        {CEVM_BYZANTIUM, "6000600060006000610b0b611388fa", 18 + 700},
        {CEVM_FRONTIER, "60006000600060006000610bad611388f2", 21 + 40},
    };
    check_gas(cases, COUNT(cases));
}

/* A call with value and too little balance: 9000 for the value, of which the stipend comes back with the rest. */
static void test_failed_value_call_returns_gas_and_stipend(void **state)
{
    (void)state;
    static const gas_case cases[] = {
        {CEVM_BYZANTIUM, "60006000600060006001610b0b611388f1", 21 + 700 + 9000 - 2300},
        {CEVM_BERLIN, "60006000600060006001610b0b611388f1", 21 + 2600 + 9000 - 2300},
        {CEVM_BERLIN, "60006000600060006001610bad611388f1", 21 + 2600 + 9000 + 25000 - 2300},
    };
    check_gas(cases, COUNT(cases));
}

/** EIP-150: before it a call may ask for all gas and no more; after it asks are cut to all but one 64th. */
static void test_eip150_gas_of_calls(void **state)
{
    (void)state;
    world w;
    /* the callee returns its GAS */
    const char *callee = "5a600052 60206000f3";
    const char *caller = "6020 6000 6000 6000 6000 610b0b 620fffff f1 60206000f3";
    world_open(&w, CEVM_HOMESTEAD);
    world_account(&w, 0xb0b, 0, 1, callee);
    assert_int_equal(world_run(&w, caller, 100000), CEVM_STATUS_OUT_OF_GAS);
    world_close(&w);
    world_open(&w, CEVM_TANGERINE_WHISTLE);
    world_account(&w, 0xb0b, 0, 1, callee);
    assert_int_equal(world_run(&w, caller, 100000), CEVM_STATUS_RETURN);
    const uint64_t left = 100000 - 7 * 3 - 3 - 700; /* pushes, one word of memory, the call */
    assert_output_u64(&w, left - left / 64 - 2);
    world_close(&w);
}

/** EIP-1014's examples. */
static void test_eip1014_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *sender, *salt, *initcode, *expected;
    } cases[] = {
        {"0000000000000000000000000000000000000000", "0000000000000000000000000000000000000000000000000000000000000000",
         "00", "4D1A2e2bB4F88F0250f26Ffff098B0b30B26BF38"},
        {"deadbeef00000000000000000000000000000000", "0000000000000000000000000000000000000000000000000000000000000000",
         "00", "B928f69Bb1D91Cd65274e3c79d8986362984fDA3"},
        {"deadbeef00000000000000000000000000000000", "000000000000000000000000feed000000000000000000000000000000000000",
         "00", "D04116cDd17beBE565EB2422F2497E06cC1C9833"},
        {"0000000000000000000000000000000000000000", "0000000000000000000000000000000000000000000000000000000000000000",
         "deadbeef", "70f2b2914A2a4b783FaEFb75f459A580616Fcb5e"},
        {"00000000000000000000000000000000deadbeef", "00000000000000000000000000000000000000000000000000000000cafebabe",
         "deadbeef", "60f3f640a8508fC6a86d45DF051962668E1e8AC7"},
        {"0000000000000000000000000000000000000000", "0000000000000000000000000000000000000000000000000000000000000000",
         "", "E33C0C7F7df4809055C3ebA6c09CFe4BaF1BD9e0"},
    };
    for (size_t i = 0; i < COUNT(cases); ++i) {
        cevm_address sender, expected, got;
        cevm_hash salt, hash;
        size_t n;
        assert_true(cevm_hex_decode_exact(sender.bytes, 20, cases[i].sender));
        assert_true(cevm_hex_decode_exact(salt.bytes, 32, cases[i].salt));
        assert_true(cevm_hex_decode_exact(expected.bytes, 20, cases[i].expected));
        uint8_t *initcode = bytes_of(cases[i].initcode, &n);
        cevm_keccak256(&hash, initcode, n);
        free(initcode);
        cevm_create2_address(&got, &sender, &salt, &hash);
        assert_memory_equal(&got, &expected, sizeof got);
    }
}

/** Addresses of CREATE, known from the chain: the first contracts of one well-known sender. */
static void test_create_addresses(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d", "343c43a37d37dff08ae8c4a11544c718abb4fcf8",
        "f778b86fa74e846c4f0a1fbd1335fe81c00a0c91", "fffd933a0bc612844eaf0c6fe3e5b8e9b6c1d19c"};
    cevm_address sender, want, got;
    assert_true(cevm_hex_decode_exact(sender.bytes, 20, "6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0"));
    for (uint64_t nonce = 0; nonce < COUNT(expected); ++nonce) {
        assert_true(cevm_hex_decode_exact(want.bytes, 20, expected[nonce]));
        cevm_create_address(&got, &sender, nonce);
        assert_memory_equal(&got, &want, sizeof got);
    }
}

/** EIP-3855: 1024 times PUSH0 is fine, 1025 times is not. */
static void test_eip3855_push0(void **state)
{
    (void)state;
    char hex[2 * 1025 + 1];
    world w;
    world_open(&w, CEVM_SHANGHAI);
    for (int i = 0; i < 1025; ++i) {
        memcpy(hex + (size_t)2 * (size_t)i, "5f", 3);
    }
    assert_int_equal(world_run(&w, hex + 2, 10000), CEVM_STATUS_STOP);
    assert_int_equal(gas_used(&w, 10000), 2048);
    assert_int_equal(world_run(&w, hex, 10000), CEVM_STATUS_STACK_OVERFLOW);
    w.block.fork = CEVM_PARIS;
    assert_int_equal(world_run(&w, "5f", 10000), CEVM_STATUS_UNDEFINED_OPCODE);
    world_close(&w);
}

/** EIP-5656's examples: MCOPY 0 32 32, MCOPY 0 1 8 and MCOPY 1 0 8, the last two overlapping. */
static void test_eip5656_mcopy(void **state)
{
    (void)state;
    const char *word = "7f000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    char code[256];
    cevm_u256 out;
    world w;
    world_open(&w, CEVM_CANCUN);
    snprintf(code, sizeof code, "%s6020526020602060005e60206000f3", word);
    assert_int_equal(world_run(&w, code, 10000), CEVM_STATUS_RETURN);
    out = output_word(&w);
    assert_true(out.w[3] == 0x0001020304050607 && out.w[0] == 0x18191a1b1c1d1e1f);
    snprintf(code, sizeof code, "670001020304050607 60c01b 600052 6008600160005e 60206000f3");
    assert_int_equal(world_run(&w, code, 10000), CEVM_STATUS_RETURN);
    out = output_word(&w);
    assert_true(out.w[3] == 0x0102030405060700 && out.w[2] == 0);
    snprintf(code, sizeof code, "670001020304050607 60c01b 600052 6008600060015e 60206000f3");
    assert_int_equal(world_run(&w, code, 10000), CEVM_STATUS_RETURN);
    out = output_word(&w);
    assert_true(out.w[3] == 0x0000010203040506 && out.w[2] == 0x0700000000000000);
    world_close(&w);
}

/** EIP-211: a read past the end of the return data is a halt even for no bytes; a fresh frame has none. */
static void test_eip211_return_data(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_BYZANTIUM);
    assert_int_equal(world_run(&w, "600060006000 3e 00", 10000), CEVM_STATUS_STOP);
    assert_int_equal(world_run(&w, "600060016000 3e 00", 10000), CEVM_STATUS_RETURN_DATA_BOUNDS);
    assert_int_equal(world_run(&w, "600160006000 3e 00", 10000), CEVM_STATUS_RETURN_DATA_BOUNDS);
    /* 2^64 + 0 must not wrap */
    assert_int_equal(world_run(&w, "6000 68010000000000000000 6000 3e 00", 10000), CEVM_STATUS_RETURN_DATA_BOUNDS);
    world_close(&w);
}

/** EIP-214: whatever writes ends a static frame; CALL without value does not. */
static void test_eip214_static_frames(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        uint64_t success;
    } cases[] = {
        {"6001600055", 0},
        {"60006000a0", 0},
        {"600060006000f0", 0},
        {"30ff", 0},
        {"600160005d", 0},
        {"60006000600060006001 30 612710f1", 0},
        {"60006000600060006000 6004 612710f1", 1},
        {"600060006000600060016004 612710f2", 1},
        {"600054 60005c", 1},
    };
    for (size_t i = 0; i < COUNT(cases); ++i) {
        world w;
        world_open(&w, CEVM_CANCUN);
        world_account(&w, 0xb0b, 10, 1, cases[i].code);
        assert_int_equal(world_run(&w, "6000600060006000 610b0b 6207a120 fa 600052 60206000f3", 2000000),
                         CEVM_STATUS_RETURN);
        assert_output_u64(&w, cases[i].success);
        world_close(&w);
    }
}

/** EIP-3541 and EIP-170: code that may not be stored, and the halves of the code deposit (EIP-2). */
static void test_code_deposit(void **state)
{
    (void)state;
    /* initcodes: store 0xef at 0 and return one byte; return so many zero bytes */
    static const struct {
        cevm_fork fork;
        const char *initcode; /* at most 32 bytes */
        int made;
    } cases[] = {
        {CEVM_LONDON, "60ef60005360016000f3", 0}, {CEVM_BERLIN, "60ef60005360016000f3", 1},
        {CEVM_LONDON, "60fe60005360016000f3", 1}, {CEVM_LONDON, "6160006000f3", 1},
        {CEVM_LONDON, "6160016000f3", 0},         {CEVM_TANGERINE_WHISTLE, "6160016000f3", 1},
    };
    for (size_t i = 0; i < COUNT(cases); ++i) {
        char code[160];
        const unsigned n = (unsigned)strlen(cases[i].initcode) / 2;
        world w;
        world_open(&w, cases[i].fork);
        snprintf(code, sizeof code, "%02x%s600052 60%02x 60%02x 6000 f0 600052 60206000f3", 0x5f + n, cases[i].initcode,
                 n, 32 - n);
        assert_int_equal(world_run(&w, code, 10000000), CEVM_STATUS_RETURN);
        const cevm_u256 address = output_word(&w);
        assert_int_equal(!cevm_u256_is_zero(&address), cases[i].made);
        world_close(&w);
    }
}

/** EIP-2: when the deposit cannot be paid Frontier makes a contract without code; later forks fail. */
static void test_eip2_unpayable_code_deposit(void **state)
{
    (void)state;
    static const cevm_fork forks[] = {CEVM_FRONTIER, CEVM_HOMESTEAD};
    for (size_t i = 0; i < COUNT(forks); ++i) {
        world w;
        world_open(&w, forks[i]);
        world_begin(&w);
        size_t n;
        uint8_t *initcode = bytes_of("60206000f3", &n); /* 32 zero bytes: 6400 gas */
        const cevm_message msg = {.kind = CEVM_CREATE,
                                  .gas = 1000,
                                  .sender = addr(SENDER),
                                  .recipient = addr(0xdead),
                                  .input = {initcode, n}};
        assert_int_equal(cevm_vm_execute(w.vm, &w.result, &msg, &w.block, &w.tx, &w.host, NULL), CEVM_OK);
        cevm_account_info info;
        const cevm_address made = addr(0xdead);
        assert_int_equal(cevm_state_get_account(w.state, &info, &made), CEVM_OK);
        if (forks[i] == CEVM_FRONTIER) {
            assert_true(cevm_status_is_success(w.result.status));
            assert_int_equal(w.result.gas.left, 1000 - 9); /* two pushes and a word of memory */
            assert_true(info.exists);
        } else {
            assert_int_equal(w.result.status, CEVM_STATUS_CODE_STORE_GAS);
            assert_int_equal(w.result.gas.left, 0);
            assert_false(info.exists);
        }
        assert_true(!info.exists || cevm_hash_equal(&info.code_hash, &cevm_empty_code_hash));
        free(initcode);
        world_close(&w);
    }
}

/** A contract of the chain's own: answers with its fork. */
static cevm_precompile_cost own_cost(cevm_bytes input, cevm_fork fork)
{
    (void)input;
    (void)fork;
    return (cevm_precompile_cost){.gas = 77, .output_size = 1, .scratch_size = 0};
}

static cevm_precompile_status own_run(uint8_t *output, size_t *output_size, cevm_bytes input, cevm_fork fork,
                                      void *scratch)
{
    (void)input;
    (void)scratch;
    output[0] = (uint8_t)fork;
    *output_size = 1;
    return CEVM_PRECOMPILE_OK;
}

/** A chain can add a contract, turn one off, and put its own in the place of one; warmth follows (EIP-2929). */
static void test_precompile_changes_of_a_chain(void **state)
{
    (void)state;
    const cevm_precompile own = {.since = CEVM_BERLIN, .name = "OWN", .cost = own_cost, .run = own_run};
    const cevm_precompile_change changes[] = {
        {CEVM_ADDRESS_OF(0x1234), &own}, {CEVM_ADDRESS_OF(4), NULL}, {CEVM_ADDRESS_OF(2), &own}};
    const cevm_vm_config config = {
        .struct_size = sizeof config, .precompile_changes = changes, .precompile_change_count = COUNT(changes)};
    static const struct {
        const char *address;
        uint64_t size; /* of the return data; a call of an account without code gives none */
        int64_t gas;   /* of the call and the callee */
    } cases[] = {{"1234", 1, 100 + 77}, {"0002", 1, 100 + 77}, {"0004", 0, 2600}, {"0003", 32, 100 + 600}};
    world w;
    world_open(&w, CEVM_LATEST);
    cevm_vm_destroy(w.vm);
    assert_int_equal(cevm_vm_create(&w.vm, &config), CEVM_OK);
    for (size_t i = 0; i < COUNT(cases); ++i) {
        char code[96];
        snprintf(code, sizeof code, "5f5f5f5f61%s5afa50 3d5f5260205ff3", cases[i].address);
        world_account(&w, CONTRACT, 0, 1, code);
        cevm_state_discard(w.state);
        world_begin(&w);
        assert_int_equal(cevm_vm_warm_precompiles(w.vm, &w.host, w.block.fork), CEVM_OK);
        assert_int_equal(world_call(&w, 100000, (cevm_bytes){NULL, 0}), CEVM_STATUS_RETURN);
        assert_output_u64(&w, cases[i].size);
        /* around the call: 4 PUSH0, PUSH2, GAS, POP; RETURNDATASIZE, PUSH0, MSTORE with a word of memory, PUSH1, PUSH0 */
        assert_int_equal(gas_used(&w, 100000), cases[i].gas + (4 * 2 + 3 + 2 + 2) + (2 + 2 + 6 + 3 + 2));
    }
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_opcode_exists_from_its_fork_on),
        cmocka_unit_test(test_stack_bounds_of_every_opcode),
        cmocka_unit_test(test_price_history_of_state_access),
        cmocka_unit_test(test_price_history_of_calls),
        cmocka_unit_test(test_failed_value_call_returns_gas_and_stipend),
        cmocka_unit_test(test_eip150_gas_of_calls),
        cmocka_unit_test(test_eip1014_addresses),
        cmocka_unit_test(test_create_addresses),
        cmocka_unit_test(test_eip3855_push0),
        cmocka_unit_test(test_eip5656_mcopy),
        cmocka_unit_test(test_eip211_return_data),
        cmocka_unit_test(test_eip214_static_frames),
        cmocka_unit_test(test_code_deposit),
        cmocka_unit_test(test_eip2_unpayable_code_deposit),
        cmocka_unit_test(test_precompile_changes_of_a_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
