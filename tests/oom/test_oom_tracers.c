/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation of every named tracer fails in turn: the trace says so, what was written is JSON all the same, the
 * transaction is not touched by it, and nothing leaks.
 */
#include "faulty.h"
#include "tests/unit/trace_support.h"
#include "trace/parity.h"

/* A call tree with logs, storage, hashes, a creation that fails and a precompiled contract. */
static const char code[] =
    "600160015560205f20505f5f60245f5f6157715af1505f5f5f5f60045afa5060fe5f5360015f5ff0505f5f60045f"
    "6157715af4505f5fa05f545000";

static void make_world(world *w)
{
    world_open(w, CEVM_CANCUN);
    world_put(w, address_of(CONTRACT), 1000, 1, code);
    world_put(w, address_of(STRANGER), 0, 1, "5f5fa060205f205460205f5260205ffd");
}

/* The traces of Parity's module have no name. */
static cevm_err open_parity(traced *t, world *w, cevm_trace_request *request)
{
    static const cevm_parity_parts parts = {.trace = true, .state_diff = true, .vm_trace = true};
    memset(t, 0, sizeof *t);
    cevm_json_writer_init(&t->writer, json_text_take, &t->text);
    request->out = &t->writer;
    request->state = w->state;
    return cevm_parity_create(&t->trace, request, &parts);
}

/* One traced transaction whose tracer's allocation `fail_at` fails; returns how many there were. */
static size_t run(const char *name, const char *config, size_t fail_at, bool for_good)
{
    static const uint8_t data[36] = {0xa9, 0x05, 0x9c, 0xbb};
    faulty memory = {.fail_at = fail_at, .for_good = for_good};
    const cevm_allocator allocator = {&memory, faulty_resize};
    world w;
    traced t;
    cevm_tx tx = plain_tx();
    cevm_trace_request request = {.allocator = &allocator};
    make_world(&w);
    tx.gas_limit = 1000000;
    tx.data = (cevm_bytes){data, sizeof data};
    cevm_err err = name != NULL ? traced_open(&t, &w, name, config, &request) : open_parity(&t, &w, &request);
    if (err != CEVM_OK) {
        assert_int_equal(err, CEVM_ERR_NOMEM);
        assert_null(t.trace);
        assert_int_equal(t.writer.total, 0);
        goto done;
    }
    err = cevm_trace_begin(t.trace, &tx, &w.block);
    if (err == CEVM_OK) {
        cevm_receipt receipt;
        cevm_tx_error reason;
        assert_int_equal(
            cevm_tx_apply(w.vm, w.state, &receipt, &reason, &tx, &w.block, &w.usage, cevm_trace_hooks(t.trace)),
            CEVM_OK);
        assert_int_equal(reason, CEVM_TX_NONE);
        assert_true(cevm_status_is_success(receipt.status));
        err = cevm_trace_finish(t.trace, &receipt);
        assert_true(cevm_json_flush(&t.writer));
        json_error_t error;
        json_t *read = json_loadb(t.text.data, t.text.size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
        assert_non_null(read);
        json_decref(read);
    }
    assert_int_equal(err, fail_at != 0 && fail_at <= memory.calls ? CEVM_ERR_NOMEM : CEVM_OK);
    cevm_trace_destroy(t.trace);
done:
    free(t.text.data);
    assert_int_equal(memory.live, 0);
    world_close(&w);
    return memory.calls;
}

static void test_tracers(void **unused)
{
    static const struct {
        const char *name;
        const char *config;
    } cases[] = {{"", "{\"enableMemory\":true,\"enableReturnData\":true}"},
                 {"callTracer", "{\"withLog\":true}"},
                 {"flatCallTracer", "{\"includePrecompiles\":true}"},
                 {"prestateTracer", NULL},
                 {"prestateTracer", "{\"diffMode\":true}"},
                 {"4byteTracer", NULL},
                 {"keccak256PreimageTracer", NULL},
                 {"unigramTracer", NULL},
                 {"opcodeGasTracer", NULL},
                 {"erc7562Tracer", "{\"withLog\":true}"},
                 {"muxTracer", "{\"callTracer\":{},\"prestateTracer\":{},\"4byteTracer\":null}"},
                 {"noopTracer", NULL},
                 {NULL, NULL}};
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        const size_t calls = run(cases[i].name, cases[i].config, 0, false);
        for (size_t k = 1; k <= calls; ++k) {
            (void)run(cases[i].name, cases[i].config, k, false);
            (void)run(cases[i].name, cases[i].config, k, true);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tracers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
