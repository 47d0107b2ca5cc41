/* SPDX-License-Identifier: Apache-2.0 */
/* What a host that serves strangers relies on: memory limit, cancel flag, deadline, and that a stopped VM can go on. */
#include "evm_fixture.h"

#include <time.h>

static cevm_err run_limited(world *w, const cevm_vm_config *config, const char *hex, int64_t gas)
{
    cevm_vm_destroy(w->vm);
    assert_int_equal(cevm_vm_create(&w->vm, config), CEVM_OK);
    world_account(w, CONTRACT, 0, 1, hex);
    cevm_state_discard(w->state);
    world_begin(w);
    const cevm_message msg = {.kind = CEVM_CALL,
                              .gas = gas,
                              .sender = addr(SENDER),
                              .recipient = addr(CONTRACT),
                              .code_address = addr(CONTRACT)};
    return cevm_vm_execute(w->vm, &w->result, &msg, &w->block, &w->tx, &w->host, NULL);
}

static void assert_slot_zero(world *w)
{
    const cevm_address contract = addr(CONTRACT);
    const cevm_u256 key = cevm_u256_from_u64(0);
    cevm_u256 value;
    assert_int_equal(cevm_state_get_storage(w->state, &value, &contract, &key), CEVM_OK);
    assert_true(cevm_u256_is_zero(&value));
}

static void test_memory_limit_counts_all_frames(void **state)
{
    (void)state;
    const cevm_vm_config config = {.struct_size = sizeof config, .memory_limit = 64 * 1024};
    world w;
    world_open(&w, CEVM_LATEST);
    /* 32 KiB in one frame is fine, 96 KiB is not */
    assert_int_equal(run_limited(&w, &config, "6001617fe05200", 1000000), CEVM_OK);
    assert_int_equal(run_limited(&w, &config, "600160005560016201800052", 1000000), CEVM_ERR_LIMIT);
    assert_slot_zero(&w); /* what it wrote before is gone */
    /* 32 KiB in each of two frames and a bit: the callee's is over */
    world_account(&w, 0xb0b, 0, 1, "6001618000525f5ff3");
    assert_int_equal(run_limited(&w, &config, "6001617fe0525f5f5f5f5f610b0b5af100", 1000000), CEVM_ERR_LIMIT);
    world_close(&w);
}

static void test_without_a_limit_nobody_gets_more_than_four_gib(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_LATEST);
    /* MSTORE at 2^33 with gas that would pay for it */
    assert_int_equal(run_limited(&w, NULL, "60016402000000005200", INT64_MAX), CEVM_ERR_LIMIT);
    /* beyond what any gas pays for: out of gas */
    assert_int_equal(run_limited(&w, NULL, "6001600160801b5200", INT64_MAX), CEVM_OK);
    assert_int_equal(w.result.status, CEVM_STATUS_OUT_OF_GAS);
    world_close(&w);
}

static void test_cancel_flag_stops_loops_and_recursion(void **state)
{
    (void)state;
    static const char *const codes[] = {
        "60016000555b600556",                           /* store, then loop for ever */
        "60016000555f5f5f5f5f305af15f5f5f5f5f305af100", /* a tree of calls, without a jump */
    };
    volatile bool cancel = true;
    const cevm_vm_config config = {.struct_size = sizeof config, .cancel = &cancel};
    for (size_t i = 0; i < 2; ++i) {
        world w;
        world_open(&w, CEVM_LATEST);
        assert_int_equal(run_limited(&w, &config, codes[i], INT64_MAX), CEVM_ERR_CANCELLED);
        assert_slot_zero(&w);
        world_close(&w);
    }
}

static void test_deadline(void **state)
{
    (void)state;
    struct timespec now;
    world w;
    world_open(&w, CEVM_LATEST);
    clock_gettime(CLOCK_MONOTONIC, &now);
    const uint64_t start = (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
    const cevm_vm_config config = {.struct_size = sizeof config, .deadline_ns = start + 50000000};
    assert_int_equal(run_limited(&w, &config, "5b5f56", INT64_MAX), CEVM_ERR_CANCELLED);
    clock_gettime(CLOCK_MONOTONIC, &now);
    assert_true((uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec >= config.deadline_ns);
    /* the same VM serves the next one */
    cevm_vm_set_deadline(w.vm, 0);
    assert_int_equal(world_run(&w, "602a5f5260205ff3", 1000), CEVM_STATUS_RETURN);
    assert_output_u64(&w, 42);
    world_close(&w);
}

/** A VM that had to grow large answers the next small message just the same. */
static void test_after_a_large_execution(void **state)
{
    (void)state;
    world w;
    world_open(&w, CEVM_LATEST);
    for (int i = 0; i < 3; ++i) {
        assert_int_equal(world_run(&w, "6001630400000052 60206303fffff0f3", INT64_C(1) << 40), CEVM_STATUS_RETURN);
        assert_int_equal(w.result.output.size, 32);
        assert_int_equal(world_run(&w, "5f5160015260205ff3", 1000), CEVM_STATUS_RETURN);
        assert_int_equal(w.result.output.size, 32);
        assert_int_equal(w.result.output.data[0], 0);
    }
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_limit_counts_all_frames),
        cmocka_unit_test(test_without_a_limit_nobody_gets_more_than_four_gib),
        cmocka_unit_test(test_cancel_flag_stops_loops_and_recursion),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_after_a_large_execution),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
