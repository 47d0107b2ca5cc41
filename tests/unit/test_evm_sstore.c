/* SPDX-License-Identifier: Apache-2.0 */
/* SSTORE: gas and refund, from the tables of EIP-1283, EIP-2200 and EIP-3529 (which has Berlin's numbers too). */
#include "evm_fixture.h"

typedef struct sstore_case {
    const char *code;
    int64_t gas;
    int64_t refund;
    uint64_t original;
} sstore_case;

static const sstore_case eip1283[] = {
    {"60006000556000600055", 412, 0, 0},
    {"60006000556001600055", 20212, 0, 0},
    {"60016000556000600055", 20212, 19800, 0},
    {"60016000556002600055", 20212, 0, 0},
    {"60016000556001600055", 20212, 0, 0},
    {"60006000556000600055", 5212, 15000, 1},
    {"60006000556001600055", 5212, 4800, 1},
    {"60006000556002600055", 5212, 0, 1},
    {"60026000556000600055", 5212, 15000, 1},
    {"60026000556003600055", 5212, 0, 1},
    {"60026000556001600055", 5212, 4800, 1},
    {"60026000556002600055", 5212, 0, 1},
    {"60016000556000600055", 5212, 15000, 1},
    {"60016000556002600055", 5212, 0, 1},
    {"60016000556001600055", 412, 0, 1},
    {"600160005560006000556001600055", 40218, 19800, 0},
    {"600060005560016000556000600055", 10218, 19800, 1},
};

static const sstore_case eip2200[] = {
    {"60006000556000600055", 1612, 0, 0},
    {"60006000556001600055", 20812, 0, 0},
    {"60016000556000600055", 20812, 19200, 0},
    {"60016000556002600055", 20812, 0, 0},
    {"60016000556001600055", 20812, 0, 0},
    {"60006000556000600055", 5812, 15000, 1},
    {"60006000556001600055", 5812, 4200, 1},
    {"60006000556002600055", 5812, 0, 1},
    {"60026000556000600055", 5812, 15000, 1},
    {"60026000556003600055", 5812, 0, 1},
    {"60026000556001600055", 5812, 4200, 1},
    {"60026000556002600055", 5812, 0, 1},
    {"60016000556000600055", 5812, 15000, 1},
    {"60016000556002600055", 5812, 0, 1},
    {"60016000556001600055", 1612, 0, 1},
    {"600160005560006000556001600055", 40818, 19200, 0},
    {"600060005560016000556000600055", 10818, 19200, 1},
};

static const sstore_case eip2929[] = {
    {"60006000556000600055", 212, 0, 0},
    {"60006000556001600055", 20112, 0, 0},
    {"60016000556000600055", 20112, 19900, 0},
    {"60016000556002600055", 20112, 0, 0},
    {"60016000556001600055", 20112, 0, 0},
    {"60006000556000600055", 3012, 15000, 1},
    {"60006000556001600055", 3012, 2800, 1},
    {"60006000556002600055", 3012, 0, 1},
    {"60026000556000600055", 3012, 15000, 1},
    {"60026000556003600055", 3012, 0, 1},
    {"60026000556001600055", 3012, 2800, 1},
    {"60026000556002600055", 3012, 0, 1},
    {"60016000556000600055", 3012, 15000, 1},
    {"60016000556002600055", 3012, 0, 1},
    {"60016000556001600055", 212, 0, 1},
    {"600160005560006000556001600055", 40118, 19900, 0},
    {"600060005560016000556000600055", 5918, 17800, 1},
};

static const sstore_case eip3529[] = {
    {"60006000556000600055", 212, 0, 0},
    {"60006000556001600055", 20112, 0, 0},
    {"60016000556000600055", 20112, 19900, 0},
    {"60016000556002600055", 20112, 0, 0},
    {"60016000556001600055", 20112, 0, 0},
    {"60006000556000600055", 3012, 4800, 1},
    {"60006000556001600055", 3012, 2800, 1},
    {"60006000556002600055", 3012, 0, 1},
    {"60026000556000600055", 3012, 4800, 1},
    {"60026000556003600055", 3012, 0, 1},
    {"60026000556001600055", 3012, 2800, 1},
    {"60026000556002600055", 3012, 0, 1},
    {"60016000556000600055", 3012, 4800, 1},
    {"60016000556002600055", 3012, 0, 1},
    {"60016000556001600055", 212, 0, 1},
    {"600160005560006000556001600055", 40118, 19900, 0},
    {"600060005560016000556000600055", 5918, 7600, 1},
};

static void check_table(cevm_fork fork, const sstore_case *cases, size_t count)
{
    const int64_t gas = 1000000;
    const cevm_address contract = addr(CONTRACT);
    const cevm_u256 key = cevm_u256_from_u64(0);
    for (size_t i = 0; i < count; ++i) {
        world w;
        world_open(&w, fork);
        world_account(&w, CONTRACT, 0, 1, cases[i].code);
        world_storage(&w, CONTRACT, 0, cases[i].original);
        world_begin(&w);
        assert_int_equal(cevm_state_warm_slot(w.state, &contract, &key), CEVM_OK);
        assert_int_equal(world_call(&w, gas, (cevm_bytes){NULL, 0}), CEVM_STATUS_STOP);
        if (gas_used(&w, gas) != cases[i].gas || w.result.gas.refund != cases[i].refund) {
            print_error("case %zu: %s with original %d\n", i, cases[i].code, (int)cases[i].original);
        }
        assert_int_equal(gas_used(&w, gas), cases[i].gas);
        assert_int_equal(w.result.gas.refund, cases[i].refund);
        world_close(&w);
    }
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void test_eip1283_sstore_table(void **state)
{
    (void)state;
    check_table(CEVM_CONSTANTINOPLE, eip1283, COUNT(eip1283));
}

static void test_eip2200_sstore_table(void **state)
{
    (void)state;
    check_table(CEVM_ISTANBUL, eip2200, COUNT(eip2200));
}

static void test_eip2929_sstore_table(void **state)
{
    (void)state;
    check_table(CEVM_BERLIN, eip2929, COUNT(eip2929));
}

static void test_eip3529_sstore_table(void **state)
{
    (void)state;
    check_table(CEVM_LONDON, eip3529, COUNT(eip3529));
}

/* Before net metering (and in Petersburg again): 20000 to fill a slot, 5000 otherwise, 15000 back to clear it. */
static void test_gross_sstore(void **state)
{
    (void)state;
    static const sstore_case gross[] = {
        {"60006000556001600055", 25012, 0, 0},
        {"60016000556000600055", 25012, 15000, 0},
        {"60026000556002600055", 10012, 0, 1},
        {"60006000556001600055", 25012, 15000, 1},
    };
    check_table(CEVM_FRONTIER, gross, COUNT(gross));
    check_table(CEVM_BYZANTIUM, gross, COUNT(gross));
    check_table(CEVM_PETERSBURG, gross, COUNT(gross));
}

/* EIP-2200: with 2300 gas or less left SSTORE fails whatever it would cost. */
static void test_eip2200_sentry(void **state)
{
    (void)state;
    static const cevm_fork forks[] = {CEVM_ISTANBUL, CEVM_LONDON, CEVM_OSAKA};
    for (size_t i = 0; i < COUNT(forks); ++i) {
        world w;
        world_open(&w, forks[i]);
        assert_int_equal(world_run(&w, "6000600055", 2306), CEVM_STATUS_OUT_OF_GAS);
        assert_int_equal(world_run(&w, "6000600055", 2307), CEVM_STATUS_STOP);
        world_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eip1283_sstore_table), cmocka_unit_test(test_eip2200_sstore_table),
        cmocka_unit_test(test_eip2929_sstore_table), cmocka_unit_test(test_eip3529_sstore_table),
        cmocka_unit_test(test_gross_sstore),         cmocka_unit_test(test_eip2200_sentry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
