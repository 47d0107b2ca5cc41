/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON lines of trace/eip3155. Expected lines come from EIP-3155's own example, from geth's recorded output of
 * `evm run 6040`, and from what its tracer is known to show of failures.
 */
#include "evm_fixture.h"

#include "tests/oom/faulty.h"
#include "trace/eip3155.h"
#include "trace/geth_text.h"
#include "trace/steps.h"

/* What a traced run wrote; the caller frees it. */
typedef struct traced {
    world w;
    char *text;
    size_t size;
    FILE *stream;
    cevm_eip3155 *tracer;
} traced;

static void traced_open(traced *t, cevm_fork fork, const cevm_eip3155_options *options)
{
    world_open(&t->w, fork);
    t->text = NULL;
    t->stream = open_memstream(&t->text, &t->size);
    assert_non_null(t->stream);
    assert_int_equal(cevm_eip3155_create(&t->tracer, t->stream, options, NULL), CEVM_OK);
    t->w.tracer = cevm_eip3155_tracer(t->tracer);
    t->w.tracer->on_tx_start(t->w.tracer->ctx, &t->w.block, &t->w.tx);
}

static const char *traced_text(traced *t)
{
    assert_int_equal(cevm_eip3155_flush(t->tracer), CEVM_OK);
    return t->text;
}

static void traced_close(traced *t)
{
    cevm_eip3155_destroy(t->tracer);
    (void)fclose(t->stream);
    free(t->text);
    world_close(&t->w);
}

static void check_run(cevm_fork fork, const char *code, int64_t gas, const char *expected)
{
    traced t;
    traced_open(&t, fork, NULL);
    (void)world_run(&t.w, code, gas);
    assert_string_equal(traced_text(&t), expected);
    traced_close(&t);
}

#define GAS 10000000000

/* Recorded from geth: `evm run --trace --trace.format=json 6040`. */
static void test_geth_6040(void **state)
{
    (void)state;
    check_run(CEVM_LATEST, "6040", GAS,
              "{\"pc\":0,\"op\":96,\"gas\":\"0x2540be400\",\"gasCost\":\"0x3\",\"memSize\":0,\"stack\":[],\"depth\":1,"
              "\"refund\":0,\"opName\":\"PUSH1\"}\n"
              "{\"pc\":2,\"op\":0,\"gas\":\"0x2540be3fd\",\"gasCost\":\"0x0\",\"memSize\":0,\"stack\":[\"0x40\"],"
              "\"depth\":1,\"refund\":0,\"opName\":\"STOP\"}\n"
              "{\"output\":\"\",\"gasUsed\":\"0x3\"}\n");
}

#define ZEROS32    "0000000000000000000000000000000000000000000000000000000000000000"
#define HASH       "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"
#define BYTE40     "4000000000000000000000000000000000000000000000000000000000000000"
#define MEM1       "\"memory\":\"0x" ZEROS32 ZEROS32 BYTE40 "\",\"memSize\":96,"
#define MEM2       "\"memory\":\"0x" HASH ZEROS32 BYTE40 "\",\"memSize\":96,"
#define TAIL(name) "\"depth\":1,\"refund\":0,\"opName\":\"" name "\"}\n"
#define RETURNED   "\"returnData\":\"0x" HASH "\","

/* The example of EIP-3155 (Istanbul), but for its last line, which is a client's own. */
/* clang-format off */
static const char *const example[] = {
    "{\"pc\":0,\"op\":96,\"gas\":\"0x2540be400\",\"gasCost\":\"0x3\",\"memSize\":0,\"stack\":[]," TAIL("PUSH1"),
    "{\"pc\":2,\"op\":128,\"gas\":\"0x2540be3fd\",\"gasCost\":\"0x3\",\"memSize\":0,\"stack\":[\"0x40\"]," TAIL("DUP1"),
    "{\"pc\":3,\"op\":83,\"gas\":\"0x2540be3fa\",\"gasCost\":\"0xc\",\"memSize\":0,\"stack\":[\"0x40\",\"0x40\"]," TAIL("MSTORE8"),
    "{\"pc\":4,\"op\":96,\"gas\":\"0x2540be3ee\",\"gasCost\":\"0x3\"," MEM1 "\"stack\":[]," TAIL("PUSH1"),
    "{\"pc\":6,\"op\":96,\"gas\":\"0x2540be3eb\",\"gasCost\":\"0x3\"," MEM1 "\"stack\":[\"0x40\"]," TAIL("PUSH1"),
    "{\"pc\":8,\"op\":85,\"gas\":\"0x2540be3e8\",\"gasCost\":\"0x4e20\"," MEM1 "\"stack\":[\"0x40\",\"0x40\"]," TAIL("SSTORE"),
    "{\"pc\":9,\"op\":96,\"gas\":\"0x2540b95c8\",\"gasCost\":\"0x3\"," MEM1 "\"stack\":[]," TAIL("PUSH1"),
    "{\"pc\":11,\"op\":96,\"gas\":\"0x2540b95c5\",\"gasCost\":\"0x3\"," MEM1 "\"stack\":[\"0x40\"]," TAIL("PUSH1"),
    "{\"pc\":13,\"op\":96,\"gas\":\"0x2540b95c2\",\"gasCost\":\"0x3\"," MEM1 "\"stack\":[\"0x40\",\"0x0\"]," TAIL("PUSH1"),
    "{\"pc\":15,\"op\":96,\"gas\":\"0x2540b95bf\",\"gasCost\":\"0x3\"," MEM1 "\"stack\":[\"0x40\",\"0x0\",\"0x40\"]," TAIL("PUSH1"),
    "{\"pc\":17,\"op\":96,\"gas\":\"0x2540b95bc\",\"gasCost\":\"0x3\"," MEM1 "\"stack\":[\"0x40\",\"0x0\",\"0x40\",\"0x0\"]," TAIL("PUSH1"),
    "{\"pc\":19,\"op\":90,\"gas\":\"0x2540b95b9\",\"gasCost\":\"0x2\"," MEM1
        "\"stack\":[\"0x40\",\"0x0\",\"0x40\",\"0x0\",\"0x2\"]," TAIL("GAS"),
    "{\"pc\":20,\"op\":250,\"gas\":\"0x2540b95b7\",\"gasCost\":\"0x24abb676c\"," MEM1
        "\"stack\":[\"0x40\",\"0x0\",\"0x40\",\"0x0\",\"0x2\",\"0x2540b95b7\"]," TAIL("STATICCALL"),
    "{\"output\":\"" HASH "\",\"gasUsed\":\"0x54\"}\n", /* not in the EIP: the precompiled contract's own frame */
    "{\"pc\":21,\"op\":96,\"gas\":\"0x2540b92a7\",\"gasCost\":\"0x3\"," MEM2 "\"stack\":[\"0x1\"]," RETURNED TAIL("PUSH1"),
    "{\"pc\":23,\"op\":243,\"gas\":\"0x2540b92a4\",\"gasCost\":\"0x0\"," MEM2 "\"stack\":[\"0x1\",\"0x40\"]," RETURNED TAIL("RETURN"),
};
/* clang-format on */

static void test_eip3155_example(void **state)
{
    (void)state;
    const cevm_eip3155_options options = {.memory = true, .return_data = true};
    traced t;
    traced_open(&t, CEVM_ISTANBUL, &options);
    (void)world_run(&t.w, "604080536040604055604060006040600060025afa6040f3", GAS);
    const char *text = traced_text(&t);
    for (size_t i = 0; i < sizeof example / sizeof example[0]; ++i) {
        size_t length = strlen(example[i]);
        if (strncmp(text, example[i], length) != 0) {
            fail_msg("line %zu is\n%.900s\ninstead of\n%s", i + 1, text, example[i]);
        }
        text += length;
    }
    traced_close(&t);
}

#define LINE(pc, op, gas, cost, stack, rest)                                                                    \
    "{\"pc\":" pc ",\"op\":" op ",\"gas\":\"" gas "\",\"gasCost\":\"" cost "\",\"memSize\":0,\"stack\":[" stack \
    "],\"depth\":1,\"refund\":0,\"opName\":" rest "}\n"

/* Found before the instruction is shown: one line with the error. */
static void test_shown_once(void **state)
{
    (void)state;
    check_run(
        CEVM_LATEST, "01", 100,
        LINE("0", "1", "0x64", "0x3", "",
             "\"ADD\",\"error\":\"stack underflow (0 \\u003c=\\u003e 2)\"") "{\"output\":\"\",\"gasUsed\":\"0x64\","
                                                                            "\"error\":\"stack underflow (0 "
                                                                            "\\u003c=\\u003e 2)\"}\n");
    check_run(
        CEVM_LATEST, "5f", 1,
        LINE("0", "95", "0x1", "0x2", "",
             "\"PUSH0\",\"error\":\"out of gas\"") "{\"output\":\"\",\"gasUsed\":\"0x1\",\"error\":\"out of gas\"}\n");
}

/* Found while it executes: shown as any other, and again with the error and without its operands. */
static void test_shown_twice(void **state)
{
    (void)state;
    check_run(CEVM_LATEST, "600756", 100,
              LINE("0", "96", "0x64", "0x3", "", "\"PUSH1\"") LINE("2", "86", "0x61", "0x8", "\"0x7\"", "\"JUMP\"")
                  LINE("2", "86", "0x61", "0x8", "",
                       "\"JUMP\",\"error\":\"invalid jump destination\"") "{\"output\":\"\",\"gasUsed\":\"0x64\","
                                                                          "\"error\":\"invalid jump destination\"}\n");
    check_run(CEVM_LATEST, "0c", 100,
              LINE("0", "12", "0x64", "0x0", "", "\"opcode 0xc not defined\"")
                  LINE("0", "12", "0x64", "0x0", "",
                       "\"opcode 0xc not defined\",\"error\":\"invalid opcode: opcode 0xc not "
                       "defined\"") "{\"output\":\"\",\"gasUsed\":\"0x64\",\"error\":"
                                    "\"invalid opcode: opcode 0xc not defined\"}\n");
    check_run(CEVM_LATEST, "5f5ffd", 100,
              LINE("0", "95", "0x64", "0x2", "", "\"PUSH0\"") LINE("1", "95", "0x62", "0x2", "\"0x0\"", "\"PUSH0\"")
                  LINE("2", "253", "0x60", "0x0", "\"0x0\",\"0x0\"", "\"REVERT\"")
                      LINE("2", "253", "0x60", "0x0", "",
                           "\"REVERT\",\"error\":\"execution reverted\"") "{\"output\":\"\",\"gasUsed\":\"0x4\","
                                                                          "\"error\":\"execution reverted\"}\n");
}

/* Without the stack geth writes null, not an empty array. */
static void test_no_stack(void **state)
{
    (void)state;
    const cevm_eip3155_options options = {.no_stack = true};
    traced t;
    traced_open(&t, CEVM_LATEST, &options);
    (void)world_run(&t.w, "00", 100);
    assert_string_equal(
        traced_text(&t),
        "{\"pc\":0,\"op\":0,\"gas\":\"0x64\",\"gasCost\":\"0x0\",\"memSize\":0,\"stack\":null,\"depth\":1,"
        "\"refund\":0,\"opName\":\"STOP\"}\n{\"output\":\"\",\"gasUsed\":\"0x0\"}\n");
    traced_close(&t);
}

/* A tracer sees, it does not touch: status, gas and output are those of a run without it. */
static void test_changes_nothing(void **state)
{
    (void)state;
    static const char *const codes[] = {"60056003015f5260205ff3", "5f5ffd", "60016000556000545f5260205ff3",
                                        "6000600060006000600060045af1505a5f5260205ff3", "5b5f56"};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; ++i) {
        traced t;
        traced_open(&t, CEVM_LATEST, NULL);
        cevm_status with = world_run(&t.w, codes[i], 50000);
        int64_t gas = t.w.result.gas.left;
        uint8_t output[32] = {0};
        size_t size = t.w.result.output.size;
        assert_true(size <= sizeof output);
        memcpy(output, t.w.result.output.data != NULL ? t.w.result.output.data : output, size);
        t.w.tracer = NULL;
        assert_int_equal(world_run(&t.w, codes[i], 50000), with);
        assert_int_equal(t.w.result.gas.left, gas);
        assert_int_equal(t.w.result.output.size, size);
        assert_memory_equal(t.w.result.output.data != NULL ? t.w.result.output.data : output, output, size);
        traced_close(&t);
    }
}

/* ---- Failures of the machine -------------------------------------------------------------------------------------- */

static void test_no_memory(void **state)
{
    (void)state;
    const cevm_eip3155_options options = {.memory = true};
    faulty memory = {.fail_at = 1, .for_good = true};
    const cevm_allocator none = {&memory, faulty_resize};
    cevm_eip3155 *tracer = NULL;
    cevm_geth_text *text = NULL;
    cevm_steps *steps = NULL;
    assert_int_equal(cevm_eip3155_create(&tracer, stderr, NULL, &none), CEVM_ERR_NOMEM);
    assert_int_equal(cevm_geth_text_create(&text, stderr, NULL, &none), CEVM_ERR_NOMEM);
    assert_int_equal(cevm_steps_create(&steps, stderr, NULL, &none), CEVM_ERR_NOMEM);

    /* Enough for the tracer, not for the copy of the traced memory. */
    traced t;
    faulty_after(&memory, 2);
    traced_open(&t, CEVM_LATEST, NULL);
    assert_int_equal(cevm_eip3155_create(&tracer, t.stream, &options, &none), CEVM_OK);
    t.w.tracer = cevm_eip3155_tracer(tracer);
    assert_int_equal(world_run(&t.w, "60055f5200", 100), CEVM_STATUS_STOP);
    assert_int_equal(cevm_eip3155_flush(tracer), CEVM_ERR_NOMEM);
    cevm_eip3155_destroy(tracer);
    traced_close(&t);
}

static void test_full_disk(void **state)
{
    (void)state;
    traced t;
    cevm_eip3155 *tracer = NULL;
    FILE *full = fopen("/dev/full", "w");
    if (full == NULL) {
        skip();
    }
    traced_open(&t, CEVM_LATEST, NULL);
    assert_int_equal(cevm_eip3155_create(&tracer, full, NULL, NULL), CEVM_OK);
    t.w.tracer = cevm_eip3155_tracer(tracer);
    assert_int_equal(world_run(&t.w, "00", 100), CEVM_STATUS_STOP);
    assert_int_equal(cevm_eip3155_flush(tracer), CEVM_ERR_IO);
    cevm_eip3155_destroy(tracer);
    (void)fclose(full);
    traced_close(&t);
}

/* ---- The other traces --------------------------------------------------------------------------------------------- */

/* Recorded from geth: `evm run --trace --trace.format=struct 0x6040`. */
static void test_struct(void **state)
{
    (void)state;
    traced t;
    cevm_geth_text *text = NULL;
    traced_open(&t, CEVM_LATEST, NULL);
    assert_int_equal(cevm_geth_text_create(&text, t.stream, NULL, NULL), CEVM_OK);
    t.w.tracer = cevm_geth_text_tracer(text);
    (void)world_run(&t.w, "6040", GAS);
    assert_int_equal(cevm_geth_text_flush(text), CEVM_OK);
    assert_string_equal(t.text, "PUSH1           pc=00000000 gas=10000000000 cost=3\n\n"
                                "STOP            pc=00000002 gas=9999999997 cost=0\nStack:\n00000000  0x40\n\n");
    cevm_geth_text_destroy(text);
    traced_close(&t);
}

/* The table for people keeps to its width, whatever the words are, and says why a call failed. */
static void test_steps_width(void **state)
{
    (void)state;
    traced t;
    cevm_steps *steps = NULL;
    traced_open(&t, CEVM_LATEST, NULL);
    assert_int_equal(cevm_steps_create(&steps, t.stream, NULL, NULL), CEVM_OK);
    t.w.tracer = cevm_steps_tracer(steps);
    /* 32-byte words, storage, memory, a call to a precompile, and Panic(0x11) at the end. */
    (void)world_run(
        &t.w,
        "7f112233445566778899aabbccddeeff00112233445566778899aabbccddeeff00 80 80 80 80 80 80 60015f55 5f54 "
        "5f5260206000602060006000600462ffffff f1 634e487b7160e01b5f52601160045260245ffd",
        90000000);
    assert_int_equal(cevm_steps_flush(steps), CEVM_OK);
    assert_non_null(strstr(t.text, "storage[0] <- 1"));
    assert_non_null(strstr(t.text, "reverted: Panic(0x11): arithmetic overflow or underflow"));
    for (const char *line = t.text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        assert_in_range(length, 0, 80);
        line += length + (line[length] == '\n' ? 1 : 0);
    }
    cevm_steps_destroy(steps);
    traced_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_geth_6040),  cmocka_unit_test(test_eip3155_example),
        cmocka_unit_test(test_shown_once), cmocka_unit_test(test_shown_twice),
        cmocka_unit_test(test_no_stack),   cmocka_unit_test(test_changes_nothing),
        cmocka_unit_test(test_no_memory),  cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_struct),     cmocka_unit_test(test_steps_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
