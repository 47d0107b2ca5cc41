/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The struct log (trace/struct_log.c): geth's shape, prices from the EIPs named beside them, and that it is written in
 * constant memory whatever its length.
 */
#include "trace_support.h"

#include <sys/resource.h>

#define STEP(pc, op, gas, cost, stack, rest)                                                                          \
    "{\"pc\":" #pc ",\"op\":\"" op "\",\"gas\":" #gas ",\"gasCost\":" #cost ",\"depth\":1,\"stack\":[" stack "]" rest \
    "}"
#define WORD0 "0x0000000000000000000000000000000000000000000000000000000000000000"
#define WORD1 "0x0000000000000000000000000000000000000000000000000000000000000001"

/* Prices and the refund of EIP-2200 and EIP-2929; the refund counter is the one after the SSTORE, as in geth. */
static void test_storage_and_refund(void **unused)
{
    (void)unused;
    expect_trace(
        CEVM_CANCUN, "6001600055600060005560005400", 100000, "", NULL,
        "{\"gas\":34652,\"failed\":false,\"returnValue\":\"0x\",\"structLogs\":[" STEP(0, "PUSH1", 79000, 3, "", "") "," STEP(
            2, "PUSH1", 78997, 3, "\"0x1\"",
            "") "," STEP(4, "SSTORE", 78994, 22100, "\"0x1\",\"0x0\"",
                         ",\"storage\":{\"" WORD0 "\":\"" WORD1
                         "\"}") "," STEP(5, "PUSH1", 56894, 3, "",
                                         "") "," STEP(7, "PUSH1", 56891, 3, "\"0x0\"",
                                                      "") "," STEP(9, "SSTORE", 56888, 100, "\"0x0\",\"0x0\"",
                                                                   ",\"refund\":19900,\"storage\":{\"" WORD0
                                                                   "\":\"" WORD0
                                                                   "\"}") "," STEP(10, "PUSH1", 56788, 3, "",
                                                                                   ",\"refund\":19900") "," STEP(12,
                                                                                                                 "SLOA"
                                                                                                                 "D",
                                                                                                                 56785,
                                                                                                                 100,
                                                                                                                 "\"0x0"
                                                                                                                 "\"",
                                                                                                                 ",\"re"
                                                                                                                 "fund"
                                                                                                                 "\":"
                                                                                                                 "19900"
                                                                                                                 ",\"st"
                                                                                                                 "orage"
                                                                                                                 "\":{"
                                                                                                                 "\"" WORD0
                                                                                                                 "\":"
                                                                                                                 "\"" WORD0
                                                                                                                 "\"}") "," STEP(13,
                                                                                                                                 "STOP",
                                                                                                                                 56685,
                                                                                                                                 0,
                                                                                                                                 "\"0x0\"",
                                                                                                                                 ",\"refund\":19900") "]}");
}

/* What execution finds wrong is not shown on the line, what is found before it is. */
static void test_failures(void **unused)
{
    (void)unused;
    expect_trace(CEVM_CANCUN, "60aa5f5260205ffd", 100000, "", "{\"disableStack\":true}",
                 "{\"gas\":21016,\"failed\":true,\"returnValue\":"
                 "\"0x00000000000000000000000000000000000000000000000000000000000000aa\",\"structLogs\":["
                 "{\"pc\":0,\"op\":\"PUSH1\",\"gas\":79000,\"gasCost\":3,\"depth\":1},"
                 "{\"pc\":2,\"op\":\"PUSH0\",\"gas\":78997,\"gasCost\":2,\"depth\":1},"
                 "{\"pc\":3,\"op\":\"MSTORE\",\"gas\":78995,\"gasCost\":6,\"depth\":1},"
                 "{\"pc\":4,\"op\":\"PUSH1\",\"gas\":78989,\"gasCost\":3,\"depth\":1},"
                 "{\"pc\":6,\"op\":\"PUSH0\",\"gas\":78986,\"gasCost\":2,\"depth\":1},"
                 "{\"pc\":7,\"op\":\"REVERT\",\"gas\":78984,\"gasCost\":0,\"depth\":1}]}");
    expect_trace(CEVM_CANCUN, "01", 30000, "", NULL,
                 "{\"gas\":30000,\"failed\":true,\"returnValue\":\"0x\",\"structLogs\":[" STEP(
                     0, "ADD", 9000, 3, "", ",\"error\":\"stack underflow (0 <=> 2)\"") "]}");
    expect_trace(CEVM_CANCUN, "0c", 30000, "", NULL,
                 "{\"gas\":30000,\"failed\":true,\"returnValue\":\"0x\",\"structLogs\":[" STEP(
                     0, "opcode 0xc not defined", 9000, 0, "", "") "]}");
    expect_trace(CEVM_CANCUN, "60016001", 21004, "", NULL,
                 "{\"gas\":21004,\"failed\":true,\"returnValue\":\"0x\",\"structLogs\":[" STEP(
                     0, "PUSH1", 4, 3, "", "") "," STEP(2, "PUSH1", 1, 3, "\"0x1\"", ",\"error\":\"out of gas\"") "]}");
}

/* The price of a creation is without the gas its frame gets (EIP-3860: nothing for no initcode). */
static void test_create(void **unused)
{
    (void)unused;
    expect_trace(CEVM_CANCUN, "5f5f5ff0", 100000, "", "{\"disableStack\":true}",
                 "{\"gas\":53006,\"failed\":false,\"returnValue\":\"0x\",\"structLogs\":["
                 "{\"pc\":0,\"op\":\"PUSH0\",\"gas\":79000,\"gasCost\":2,\"depth\":1},"
                 "{\"pc\":1,\"op\":\"PUSH0\",\"gas\":78998,\"gasCost\":2,\"depth\":1},"
                 "{\"pc\":2,\"op\":\"PUSH0\",\"gas\":78996,\"gasCost\":2,\"depth\":1},"
                 "{\"pc\":3,\"op\":\"CREATE\",\"gas\":78994,\"gasCost\":32000,\"depth\":1},"
                 "{\"pc\":4,\"op\":\"STOP\",\"gas\":46994,\"gasCost\":0,\"depth\":1}]}");
}

/* Memory in words, as the instruction finds it; return data of the call before. */
static void test_memory_and_return_data(void **unused)
{
    (void)unused;
    world w;
    world_open(&w, CEVM_CANCUN);
    world_put(&w, address_of(CONTRACT), 0, 1, "5f5f5f5f6157715afa5f5200");
    world_put(&w, address_of(STRANGER), 0, 1, "60bb5f5360015ff3");
    const cevm_tx tx = plain_tx();
    json_t *got = trace_json(&w, "", "{\"enableMemory\":true,\"enableReturnData\":true}", &tx);
    const json_t *logs = json_object_get(got, "structLogs");
    assert_int_equal(json_array_size(logs), 10 + 6);
    const json_t *inner = json_array_get(logs, 10); /* PUSH1 1, after the MSTORE8 */
    assert_int_equal(json_integer_value(json_object_get(inner, "depth")), 2);
    assert_string_equal(json_string_value(json_array_get(json_object_get(inner, "memory"), 0)),
                        "0xbb00000000000000000000000000000000000000000000000000000000000000");
    assert_null(json_object_get(inner, "returnData"));
    const json_t *after = json_array_get(logs, 13); /* PUSH0, behind the call */
    assert_string_equal(json_string_value(json_object_get(after, "returnData")), "0xbb");
    assert_null(json_object_get(after, "memory"));
    const json_t *stop = json_array_get(logs, 15);
    assert_string_equal(json_string_value(json_object_get(stop, "op")), "STOP");
    assert_string_equal(json_string_value(json_array_get(json_object_get(stop, "memory"), 0)), WORD1);
    json_decref(got);
    world_close(&w);
}

static void test_options(void **unused)
{
    static const char code[] = "60015460025400";
    (void)unused;
    world w;
    world_open(&w, CEVM_CANCUN);
    world_put(&w, address_of(CONTRACT), 0, 1, code);
    const cevm_tx tx = plain_tx();
    json_t *got = trace_json(&w, "", "{\"disableStorage\":true}", &tx);
    assert_null(json_object_get(json_array_get(json_object_get(got, "structLogs"), 1), "storage"));
    json_decref(got);
    cevm_state_discard(w.state);
    got = trace_json(&w, "structLog", NULL, &tx); /* all slots of the contract so far */
    assert_int_equal(
        json_object_size(json_object_get(json_array_get(json_object_get(got, "structLogs"), 3), "storage")), 2);
    json_decref(got);
    cevm_state_discard(w.state);
    got = trace_json(&w, NULL, "{\"limit\":1}", &tx); /* entries until they are longer */
    assert_int_equal(json_array_size(json_object_get(got, "structLogs")), 1);
    assert_int_equal(json_integer_value(json_object_get(got, "gas")), 21000 + 2 * 2100 + 6);
    json_decref(got);
    world_close(&w);
}

/* ---- Limits ------------------------------------------------------------------------------------------------------- */

/* Executes a loop for ever under limits; the trace stops it, and its JSON is whole. */
static void expect_stop(const cevm_trace_limits *limits, const char *name, cevm_err want)
{
    volatile bool stop = false;
    const cevm_vm_config config = {.struct_size = sizeof config, .cancel = &stop};
    world w;
    traced t;
    cevm_receipt receipt;
    cevm_tx_error reason;
    world_open(&w, CEVM_CANCUN);
    cevm_vm_destroy(w.vm);
    assert_int_equal(cevm_vm_create(&w.vm, &config), CEVM_OK);
    world_put(&w, address_of(CONTRACT), 0, 1, "5b5f5f5f5f5f6157715af1505f56");
    cevm_tx tx = plain_tx();
    tx.gas_limit = 29000000;
    cevm_trace_request request = {.limits = *limits, .stop = &stop};
    assert_int_equal(traced_open(&t, &w, name, NULL, &request), CEVM_OK);
    cevm_json_begin_object(&t.writer);
    cevm_json_put_key(&t.writer, "result");
    cevm_trace_destroy(t.trace); /* made anew, at its place in an answer */
    assert_int_equal(cevm_trace_create(&t.trace, &t.error, &request), CEVM_OK);
    assert_int_equal(cevm_trace_begin(t.trace, &tx, &w.block), CEVM_OK);
    assert_int_equal(
        cevm_tx_apply(w.vm, w.state, &receipt, &reason, &tx, &w.block, &w.usage, cevm_trace_hooks(t.trace)),
        CEVM_ERR_CANCELLED);
    assert_true(stop);
    assert_int_equal(cevm_trace_failure(t.trace), want);
    if (!cevm_trace_abort(t.trace, "stopped")) {
        cevm_json_put_null(&t.writer);
    }
    cevm_trace_destroy(t.trace);
    assert_int_equal(t.writer.depth, 1);
    cevm_json_end_object(&t.writer);
    json_t *read = json_text_read(&t.writer, &t.text);
    const json_t *result = json_object_get(read, "result");
    if (name[0] == '\0') {
        assert_string_equal(json_string_value(json_object_get(result, "error")), "stopped");
    } else {
        assert_true(json_is_null(result));
    }
    json_decref(read);
    world_close(&w);
}

static void test_limits(void **unused)
{
    (void)unused;
    expect_stop(&(cevm_trace_limits){.steps = 1000}, "", CEVM_ERR_LIMIT);
    expect_stop(&(cevm_trace_limits){.bytes = 100000}, "", CEVM_ERR_LIMIT);
    expect_stop(&(cevm_trace_limits){.steps = 1000}, "callTracer", CEVM_ERR_LIMIT);
    expect_stop(&(cevm_trace_limits){.memory = 100000}, "callTracer", CEVM_ERR_LIMIT);
    expect_stop(&(cevm_trace_limits){.memory = 100000}, "flatCallTracer", CEVM_ERR_LIMIT);
    expect_stop(&(cevm_trace_limits){.memory = 100000}, "erc7562Tracer", CEVM_ERR_LIMIT);
    expect_stop(&(cevm_trace_limits){.steps = 1000}, "opcountTracer", CEVM_ERR_LIMIT);
}

/* ---- Memory ------------------------------------------------------------------------------------------------------- */

typedef struct counted {
    size_t bytes; /* handed to the sink */
    size_t refuse_at;
} counted;

static bool count_bytes(void *ctx, const char *text, size_t size)
{
    counted *c = ctx;
    (void)text;
    c->bytes += size;
    return c->refuse_at == 0 || c->bytes < c->refuse_at;
}

typedef struct meter {
    size_t calls;
} meter;

static void *metered(void *ctx, void *ptr, size_t size)
{
    meter *m = ctx;
    m->calls += size != 0;
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, size);
}

static long peak_kilobytes(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

/* A loop of three instructions and 12 gas, `steps` of them in all. */
static cevm_err run_loop(uint64_t steps, counted *sink, cevm_trace_error *error, meter *m)
{
    static cevm_json_writer writer;
    const cevm_allocator allocator = {m, metered};
    volatile bool stop = false;
    const cevm_vm_config config = {.struct_size = sizeof config, .cancel = &stop};
    world w;
    cevm_trace *trace;
    cevm_receipt receipt;
    cevm_tx_error reason;
    world_open(&w, CEVM_CANCUN);
    cevm_vm_destroy(w.vm);
    assert_int_equal(cevm_vm_create(&w.vm, &config), CEVM_OK);
    w.block.gas_limit = 21000 + steps * 4;
    world_put(&w, address_of(CONTRACT), 0, 1, "5b600056");
    cevm_tx tx = plain_tx();
    tx.gas_limit = w.block.gas_limit;
    cevm_json_writer_init(&writer, count_bytes, sink);
    const cevm_trace_request request = {.out = &writer, .state = w.state, .allocator = &allocator, .stop = &stop};
    assert_int_equal(cevm_trace_create(&trace, error, &request), CEVM_OK);
    assert_int_equal(cevm_trace_begin(trace, &tx, &w.block), CEVM_OK);
    const size_t calls = m->calls;
    cevm_err err = cevm_tx_apply(w.vm, w.state, &receipt, &reason, &tx, &w.block, &w.usage, cevm_trace_hooks(trace));
    assert_int_equal(m->calls, calls); /* nothing was allocated while it ran */
    if (err == CEVM_OK) {
        assert_int_equal(reason, CEVM_TX_NONE);
        err = cevm_trace_finish(trace, &receipt);
        (void)cevm_json_flush(&writer);
    } else {
        err = cevm_trace_failure(trace);
        (void)cevm_trace_abort(trace, "stopped");
    }
    cevm_trace_destroy(trace);
    world_close(&w);
    return err;
}

static void test_constant_memory(void **unused)
{
    cevm_trace_error error;
    meter m = {0};
    (void)unused;
    counted sink = {0};
    assert_int_equal(run_loop(1000, &sink, &error, &m), CEVM_OK);
    const long before = peak_kilobytes();
    sink = (counted){0};
    assert_int_equal(run_loop(1000000, &sink, &error, &m), CEVM_OK);
    assert_in_range(sink.bytes, 60000000, 100000000);
    const long grown = peak_kilobytes() - before;
    print_message("1,000,000 steps: %zu bytes of JSON, %ld KiB more memory\n", sink.bytes, grown);
#if !defined(__SANITIZE_ADDRESS__)
    assert_in_range(grown, 0, 1024);
#endif
}

/* When the reader goes, so does the execution. */
static void test_reader_gone(void **unused)
{
    cevm_trace_error error;
    meter m = {0};
    (void)unused;
    counted sink = {.refuse_at = 100000};
    assert_int_equal(run_loop(10000000, &sink, &error, &m), CEVM_ERR_IO);
    assert_in_range(sink.bytes, 100000, 110000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_storage_and_refund),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_memory_and_return_data),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_constant_memory),
        cmocka_unit_test(test_reader_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
