/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The named tracers (trace/tracers.def) on small programs; geth's own vectors are in test_geth_tracers.c. What is expected
 * follows from the program and the shapes of geth's tracers.
 */
#include "trace_support.h"

#define SENDER  "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf" /* of secret key 1 */
#define C0DE    "0x000000000000000000000000000000000000c0de"
#define OTHER   "0x0000000000000000000000000000000000005771"
#define NOTHING "0x0000000000000000000000000000000000000000000000000000000000000000"
#define TOP(gas, used, rest)                                                                                 \
    "{\"type\":\"CALL\",\"from\":\"" SENDER "\",\"to\":\"" C0DE "\",\"gas\":\"" gas "\",\"gasUsed\":\"" used \
    "\",\"input\":\"0x\",\"value\":\"0x0\"" rest "}"

/* ---- Names and options -------------------------------------------------------------------------------------------- */

static void expect_refusal(const char *name, const char *config, const char *part)
{
    world w;
    traced t;
    cevm_trace_request request = {0};
    world_open(&w, CEVM_CANCUN);
    assert_int_equal(traced_open(&t, &w, name, config, &request), CEVM_ERR_ARGUMENT);
    assert_null(t.trace);
    assert_int_equal(t.writer.total, 0);
    if (strstr(t.error.text, part) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", t.error.text, part);
    }
    world_close(&w);
}

static void test_refusals(void **unused)
{
    (void)unused;
    expect_refusal("calltracer", NULL, "unknown tracer \"calltracer\"; there are callTracer, ");
    expect_refusal("{step: function() {}, fault: function() {}}", NULL, "JavaScript");
    expect_refusal("\x1b[2J", NULL, "unknown tracer \"?[2J\"");
    expect_refusal("callTracer", "{\"onlyTop\":true}",
                   "unknown option \"onlyTop\" of callTracer; there are onlyTopCall, "
                   "withLog");
    expect_refusal("callTracer", "{\"withLog\":1}", "option withLog must be true or false");
    expect_refusal("callTracer", "[]", "must be an object");
    expect_refusal("noopTracer", "{\"a\":1}", "noopTracer, which has none");
    expect_refusal("", "{\"limit\":-1}", "option limit must be a number that is not negative");
    expect_refusal("", "{\"fullStorage\":true}", "of the struct log; there are enableMemory");
    expect_refusal("prestateTracer", "{\"diffMode\":true,\"includeEmpty\":true}", "exclude each other");
    expect_refusal("muxTracer", "{\"callTracer\":{\"a\":1}}", "unknown option \"a\" of callTracer");
    expect_refusal("muxTracer", "{\"muxTracer\":{}}", "muxTracer cannot hold another");
    expect_refusal("muxTracer", "{\"structLog\":{}}", "muxTracer cannot hold the struct log");
    expect_refusal("erc7562Tracer", "{\"ignoredOpcodes\":[\"0x100\"]}", "list of opcodes in hex");
}

static void test_list(void **unused)
{
    size_t count;
    const cevm_trace_info *infos = cevm_trace_list(&count);
    (void)unused;
    assert_in_range(count, 12, 100);
    for (size_t i = 0; i < count; ++i) { /* each works without options */
        world w;
        world_open(&w, CEVM_CANCUN);
        world_put(&w, address_of(CONTRACT), 0, 1, "5f5f2000");
        const cevm_tx tx = plain_tx();
        json_decref(trace_json(&w, infos[i].name, NULL, &tx));
        world_close(&w);
    }
}

/* ---- callTracer --------------------------------------------------------------------------------------------------- */

#define ERROR_NO                                                       \
    "08c379a0"                                                         \
    "0000000000000000000000000000000000000000000000000000000000000020" \
    "0000000000000000000000000000000000000000000000000000000000000002" \
    "6e6f000000000000000000000000000000000000000000000000000000000000"

static void test_revert_reasons(void **unused)
{
    (void)unused;
    expect_trace(CEVM_CANCUN,
                 "6308c379a060e01b5f526020600452600260245261"
                 "6e6f60f01b60445260645ffd",
                 100000, "callTracer", NULL,
                 TOP("0x186a0", "0x5248",
                     ",\"error\":\"execution reverted\",\"revertReason\":\"no\",\"output\":\"0x" ERROR_NO "\""));
    expect_trace(
        CEVM_CANCUN, "634e487b7160e01b5f52601160045260245ffd", 100000, "callTracer", NULL,
        TOP("0x186a0", "0x522a",
            ",\"error\":\"execution reverted\",\"revertReason\":\"arithmetic underflow or overflow\",\"output\":"
            "\"0x4e487b710000000000000000000000000000000000000000000000000000000000000011\""));
    expect_trace(CEVM_CANCUN, "634e487b7160e01b5f52609960045260245ffd", 100000, "callTracer", NULL,
                 TOP("0x186a0", "0x522a",
                     ",\"error\":\"execution reverted\",\"revertReason\":\"unknown panic code: 0x99\",\"output\":"
                     "\"0x4e487b710000000000000000000000000000000000000000000000000000000000000099\""));
    expect_trace(CEVM_CANCUN, "fe", 100000, "callTracer", NULL,
                 TOP("0x186a0", "0x186a0", ",\"error\":\"invalid opcode: INVALID\""));
    expect_trace(CEVM_CANCUN, "01", 100000, "callTracer", NULL,
                 TOP("0x186a0", "0x186a0", ",\"error\":\"stack underflow (0 <=> 2)\""));
}

static void test_selfdestruct(void **unused)
{
    (void)unused;
    world w;
    world_open(&w, CEVM_CANCUN);
    world_put(&w, address_of(CONTRACT), 7, 1, "615771ff");
    const cevm_tx tx = plain_tx();
    /* 21000, PUSH2, SELFDESTRUCT: 5000, a cold account 2600 (EIP-2929), which it brings to life 25000 (EIP-161) */
    expect_json(trace_json(&w, "callTracer", NULL, &tx),
                TOP("0x186a0", "0xd163",
                    ",\"calls\":[{\"type\":\"SELFDESTRUCT\",\"from\":\"" C0DE "\",\"to\":\"" OTHER
                    "\",\"gas\":\"0x0\",\"gasUsed\":\"0x0\",\"input\":\"0x\",\"value\":\"0x7\"}]"));
    world_close(&w);
}

/* A creation that fails has no address; its failure is not its creator's. */
static void test_failed_creation(void **unused)
{
    (void)unused;
    world w;
    world_open(&w, CEVM_CANCUN);
    world_put(&w, address_of(CONTRACT), 0, 1, "60fe5f5360015f5ff000");
    const cevm_tx tx = plain_tx();
    json_t *got = trace_json(&w, "callTracer", NULL, &tx);
    const json_t *inner = json_array_get(json_object_get(got, "calls"), 0);
    assert_string_equal(json_string_value(json_object_get(inner, "type")), "CREATE");
    assert_string_equal(json_string_value(json_object_get(inner, "error")), "invalid opcode: INVALID");
    assert_string_equal(json_string_value(json_object_get(inner, "input")), "0xfe");
    assert_null(json_object_get(inner, "to"));
    assert_true(json_equal(json_object_get(inner, "gas"), json_object_get(inner, "gasUsed")));
    assert_null(json_object_get(got, "error"));
    json_decref(got);
    world_close(&w);
}

#define LOG(index, position) \
    "{\"address\":\"" C0DE "\",\"topics\":[],\"data\":\"0x\",\"index\":\"" index "\",\"position\":\"" position "\"}"

/* Logs of what failed are gone, the others are numbered as they stand in the block. */
static void test_logs(void **unused)
{
    (void)unused;
    world w;
    world_open(&w, CEVM_CANCUN);
    world_put(&w, address_of(CONTRACT), 0, 1, "5f5fa05f5f5f5f5f6157715af1505f5fa000");
    world_put(&w, address_of(STRANGER), 0, 1, "5f5fa05f5ffd");
    const cevm_tx tx = plain_tx();
    const cevm_trace_context context = {.log_index = 5};
    char *text = trace_text(&w, "callTracer", "{\"withLog\":true}", &tx, &context);
    json_t *got = parse_json(text);
    free(text);
    json_t *want = parse_json("[" LOG("0x5", "0x0") "," LOG("0x6", "0x1") "]");
    assert_true(json_equal(json_object_get(got, "logs"), want));
    const json_t *inner = json_array_get(json_object_get(got, "calls"), 0);
    assert_string_equal(json_string_value(json_object_get(inner, "error")), "execution reverted");
    assert_null(json_object_get(inner, "logs"));
    json_decref(want);
    json_decref(got);
    world_close(&w);
}

static void test_only_top(void **unused)
{
    (void)unused;
    world w;
    world_open(&w, CEVM_CANCUN);
    world_put(&w, address_of(CONTRACT), 0, 1, "5f5f5f5f5f6157715af15000");
    world_put(&w, address_of(STRANGER), 0, 1, "fe");
    cevm_tx tx = plain_tx();
    tx.gas_limit = 50000;
    json_t *got = trace_json(&w, "callTracer", "{\"onlyTopCall\":true}", &tx);
    assert_null(json_object_get(got, "calls"));
    assert_null(json_object_get(got, "error"));
    json_decref(got);
    world_close(&w);
}

/* What was called is the account that delegates, not the one whose code it runs (EIP-7702). */
static void test_delegated_account(void **unused)
{
    (void)unused;
    world w;
    world_open(&w, CEVM_PRAGUE);
    world_put(&w, address_of(CONTRACT), 0, 1, "5f5f5f5f6157715af400");
    world_put(&w, address_of(STRANGER), 0, 1, "ef01000000000000000000000000000000000000001234");
    world_put(&w, address_of(0x1234), 0, 1, "00");
    const cevm_tx tx = plain_tx();
    json_t *got = trace_json(&w, "callTracer", NULL, &tx);
    const json_t *inner = json_array_get(json_object_get(got, "calls"), 0);
    assert_string_equal(json_string_value(json_object_get(inner, "type")), "DELEGATECALL");
    assert_string_equal(json_string_value(json_object_get(inner, "from")), C0DE);
    assert_string_equal(json_string_value(json_object_get(inner, "to")), OTHER);
    json_decref(got);
    cevm_state_discard(w.state);
    got = trace_json(&w, "prestateTracer", NULL, &tx); /* which sees both */
    assert_non_null(json_object_get(got, OTHER));
    assert_non_null(json_object_get(got, "0x0000000000000000000000000000000000001234"));
    json_decref(got);
    world_close(&w);
}

static size_t count_text(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, part)) != NULL; ++p) {
        n++;
    }
    return n;
}

/* 1025 frames and the one that is too deep, nested in each other: before EIP-150 all gas can be handed on. */
static void test_deepest(void **unused)
{
    static const char *const names[] = {"callTracer", "flatCallTracer", "erc7562Tracer"};
    (void)unused;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        world w;
        world_open(&w, CEVM_HOMESTEAD);
        world_put(&w, address_of(CONTRACT), 0, 1, "6000808080803061c3505a03f100");
        cevm_tx tx = plain_tx();
        w.block.gas_limit = tx.gas_limit = 60000000;
        char *text = trace_text(&w, names[i], NULL, &tx, NULL);
        assert_int_equal(count_text(text, "\"input\":\"0x\""), 1026);
        assert_int_equal(count_text(text, "\"error\":\"max call depth exceeded\""), 1);
        assert_int_equal(count_text(text, "\"error\""), 1);
        assert_int_equal(count_text(text, "{"), count_text(text, "}"));
        assert_int_equal(count_text(text, "["), count_text(text, "]"));
        free(text);
        world_close(&w);
    }
}

/* ---- flatCallTracer ----------------------------------------------------------------------------------------------- */

static const char *path_of(const json_t *list, size_t i)
{
    static char text[64];
    char *dumped = json_dumps(json_object_get(json_array_get(list, i), "traceAddress"), JSON_COMPACT);
    assert_non_null(dumped);
    (void)snprintf(text, sizeof text, "%s", dumped);
    free(dumped);
    return text;
}

/* Identity, then a contract that calls identity and itself fails: calls of precompiled contracts leave no gap. */
static void test_flat(void **unused)
{
    (void)unused;
    world w;
    world_open(&w, CEVM_CANCUN);
    world_put(&w, address_of(CONTRACT), 0, 1, "5f5f5f5f60045afa5f5f5f5f5f6157715af100");
    world_put(&w, address_of(STRANGER), 0, 1, "5f5f5f5f60045afa5f5f5f5f611234612710f400");
    world_put(&w, address_of(0x1234), 0, 1, "5b5f56");
    const cevm_tx tx = plain_tx();
    json_t *got = trace_json(&w, "flatCallTracer", "{\"convertParityErrors\":true}", &tx);
    assert_int_equal(json_array_size(got), 3);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(got, 0), "subtraces")), 1);
    assert_string_equal(path_of(got, 0), "[]");
    assert_string_equal(path_of(got, 1), "[0]");
    assert_string_equal(path_of(got, 2), "[0,0]");
    const json_t *last = json_array_get(got, 2);
    assert_string_equal(json_string_value(json_object_get(last, "error")), "Out of gas");
    assert_null(json_object_get(last, "result"));
    assert_string_equal(json_string_value(json_object_get(json_object_get(last, "action"), "callType")),
                        "delegatecall");
    json_decref(got);
    cevm_state_discard(w.state);
    got = trace_json(&w, "flatCallTracer", "{\"includePrecompiles\":true}", &tx);
    assert_int_equal(json_array_size(got), 5);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(got, 0), "subtraces")), 2);
    assert_string_equal(path_of(got, 1), "[0]");
    assert_string_equal(path_of(got, 2), "[1]");
    assert_string_equal(path_of(got, 3), "[1,0]");
    assert_string_equal(path_of(got, 4), "[1,1]");
    json_decref(got);
    world_close(&w);
}

/* ---- prestateTracer ----------------------------------------------------------------------------------------------- */

static void test_prestate(void **unused)
{
    (void)unused;
    world w;
    const cevm_address contract = address_of(CONTRACT);
    const cevm_u256 one = cevm_u256_from_u64(1);
    const cevm_u256 nine = cevm_u256_from_u64(9);
    world_open(&w, CEVM_CANCUN);
    world_put(&w, contract, 3, 1, "60016001556157713100"); /* slot 1 = 1; BALANCE of nobody */
    assert_int_equal(cevm_memdb_set_storage(w.db, &contract, &one, &nine), CEVM_OK);
    const cevm_tx tx = plain_tx();
    json_t *got = trace_json(&w, "prestateTracer", NULL, &tx);
    assert_int_equal(json_object_size(got), 2); /* neither the coinbase nor the account that is not there */
    const json_t *account = json_object_get(got, C0DE);
    assert_string_equal(json_string_value(json_object_get(account, "balance")), "0x3");
    assert_int_equal(json_integer_value(json_object_get(account, "nonce")), 1);
    assert_string_equal(json_string_value(json_object_get(account, "code")), "0x60016001556157713100");
    json_t *storage = parse_json("{\"0x0000000000000000000000000000000000000000000000000000000000000001\":"
                                 "\"0x0000000000000000000000000000000000000000000000000000000000000009\"}");
    assert_true(json_equal(json_object_get(account, "storage"), storage));
    json_decref(got);
    cevm_state_discard(w.state);
    got = trace_json(&w, "prestateTracer", "{\"includeEmpty\":true,\"disableCode\":true,\"disableStorage\":true}", &tx);
    assert_int_equal(json_object_size(got), 4);
    assert_null(json_object_get(json_object_get(got, C0DE), "storage"));
    assert_null(json_object_get(json_object_get(got, C0DE), "code"));
    assert_non_null(json_object_get(json_object_get(got, C0DE), "codeHash"));
    json_decref(got);
    json_decref(storage);
    world_close(&w);
}

/* What an instruction names that could not be paid for was not touched. */
static void test_prestate_unpaid(void **unused)
{
    (void)unused;
    world w;
    world_open(&w, CEVM_CANCUN);
    world_put(&w, address_of(CONTRACT), 0, 1, "615771315f5400");
    world_put(&w, address_of(STRANGER), 1, 0, "");
    cevm_tx tx = plain_tx();
    tx.gas_limit = 21000 + 3 + 2600 + 2 + 2099; /* SLOAD of a cold slot: 2100 (EIP-2929) */
    json_t *got = trace_json(&w, "prestateTracer", NULL, &tx);
    assert_non_null(json_object_get(got, OTHER));
    assert_null(json_object_get(json_object_get(got, C0DE), "storage"));
    json_decref(got);
    cevm_state_discard(w.state);
    tx.gas_limit = 21000 + 3 + 2599;
    got = trace_json(&w, "prestateTracer", NULL, &tx);
    assert_null(json_object_get(got, OTHER));
    json_decref(got);
    cevm_state_discard(w.state);
    tx.gas_limit = 21000 + 3 + 2600 + 2 + 2100;
    got = trace_json(&w, "prestateTracer", NULL, &tx);
    assert_non_null(json_object_get(json_object_get(got, C0DE), "storage"));
    json_decref(got);
    world_close(&w);
}

/* An old contract that destroys itself is gone before EIP-6780, and has lost its balance since. */
static void test_prestate_selfdestruct(void **unused)
{
    (void)unused;
    for (int i = 0; i < 2; ++i) {
        world w;
        world_open(&w, i == 0 ? CEVM_SHANGHAI : CEVM_CANCUN);
        world_put(&w, address_of(CONTRACT), 7, 1, "615771ff");
        const cevm_tx tx = plain_tx();
        json_t *got = trace_json(&w, "prestateTracer", "{\"diffMode\":true}", &tx);
        const json_t *after = json_object_get(json_object_get(got, "post"), C0DE);
        assert_non_null(json_object_get(json_object_get(got, "pre"), C0DE));
        assert_non_null(json_object_get(json_object_get(got, "post"), OTHER));
        if (i == 0) {
            assert_null(after);
        } else {
            assert_string_equal(json_string_value(json_object_get(after, "balance")), "0x0");
            assert_int_equal(json_object_size(after), 1);
        }
        json_decref(got);
        world_close(&w);
    }
}

/* ---- Counts ------------------------------------------------------------------------------------------------------- */

static void test_counts(void **unused)
{
    (void)unused;
    expect_trace(CEVM_CANCUN, "600160020150", 100000, "opcountTracer", NULL, "5");
    expect_trace(CEVM_CANCUN, "600160020150", 100000, "unigramTracer", NULL,
                 "{\"PUSH1\":2,\"ADD\":1,\"POP\":1,\"STOP\":1}");
    expect_trace(CEVM_CANCUN, "600160020150", 100000, "opcodeGasTracer", NULL,
                 "{\"opcodeGas\":[{\"opcode\":\"STOP\",\"count\":1,\"gasUsed\":0},{\"opcode\":\"ADD\",\"count\":1,"
                 "\"gasUsed\":3},{\"opcode\":\"POP\",\"count\":1,\"gasUsed\":2},{\"opcode\":\"PUSH1\",\"count\":2,"
                 "\"gasUsed\":6}]}");
    expect_trace(CEVM_CANCUN, "0c", 100000, "unigramTracer", NULL, "{\"opcode 0xc not defined\":1}");
    expect_trace(CEVM_CANCUN, "600160020150", 100000, "noopTracer", NULL, "{}");
    /* keccak256 of 32 zero bytes, well known as the slot where the elements of the first dynamic array begin */
    expect_trace(CEVM_CANCUN, "60205f20", 100000, "keccak256PreimageTracer", NULL,
                 "{\"0x290decd9548b62a8d60345a988386fc84ba6bc95484008f6362f93160ef3e563\":\"" NOTHING "\"}");
}

/* What all instructions took is what the transaction took but for what it costs to begin. */
static void test_gas_is_all_there(void **unused)
{
    (void)unused;
    world w;
    world_open(&w, CEVM_CANCUN);
    /* identity over 100 bytes, a call with value to nobody, a contract that logs and hashes, a creation */
    world_put(&w, address_of(CONTRACT), 1000, 1,
              "5f5f60645f60045afa505f5f5f5f60016112345af1505f5f5f5f5f6157715af1505f5f5ff000");
    world_put(&w, address_of(STRANGER), 0, 1, "60205f205f5fa000");
    cevm_tx tx = plain_tx();
    tx.gas_limit = 300000;
    traced t;
    cevm_trace_request request = {0};
    assert_int_equal(traced_open(&t, &w, "opcodeGasTracer", NULL, &request), CEVM_OK);
    const cevm_receipt receipt = traced_apply(&t, &w, &tx);
    assert_int_equal(cevm_trace_finish(t.trace, &receipt), CEVM_OK);
    cevm_trace_destroy(t.trace);
    assert_true(cevm_status_is_success(receipt.status));
    json_t *got = json_text_read(&t.writer, &t.text);
    json_int_t sum = 21000;
    size_t i;
    const json_t *row;
    json_array_foreach(json_object_get(got, "opcodeGas"), i, row)
    {
        sum += json_integer_value(json_object_get(row, "gasUsed"));
    }
    assert_int_equal(sum, receipt.gas_used);
    json_decref(got);
    world_close(&w);
}

static void test_selectors(void **unused)
{
    static const uint8_t data[36] = {0xa9, 0x05, 0x9c, 0xbb};
    (void)unused;
    world w;
    world_open(&w, CEVM_CANCUN);
    /* the calldata on to another contract twice, its first four bytes once, three bytes, and all to a precompile */
    world_put(&w, address_of(CONTRACT), 0, 1,
              "60245f5f37"
              "5f5f60245f5f6157715af150"
              "5f5f60245f6157715af450"
              "5f5f60045f6157715afa50"
              "5f5f60035f6157715afa50"
              "5f5f60245f60045afa00");
    world_put(&w, address_of(STRANGER), 0, 1, "00");
    cevm_tx tx = plain_tx();
    tx.data = (cevm_bytes){data, sizeof data};
    expect_json(trace_json(&w, "4byteTracer", NULL, &tx), "{\"0xa9059cbb-32\":3,\"0xa9059cbb-0\":1}");
    world_close(&w);
}

static void test_mux(void **unused)
{
    (void)unused;
    expect_trace(CEVM_CANCUN, "600160020150", 100000, "muxTracer",
                 "{\"opcountTracer\":null,\"callTracer\":{\"onlyTopCall\":true},\"noopTracer\":{}}",
                 "{\"opcountTracer\":5,\"noopTracer\":{},\"callTracer\":" TOP("0x186a0", "0x5213", "") "}");
    expect_trace(CEVM_CANCUN, "00", 100000, "muxTracer", NULL, "{}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_revert_reasons),
        cmocka_unit_test(test_selfdestruct),
        cmocka_unit_test(test_failed_creation),
        cmocka_unit_test(test_logs),
        cmocka_unit_test(test_only_top),
        cmocka_unit_test(test_delegated_account),
        cmocka_unit_test(test_deepest),
        cmocka_unit_test(test_flat),
        cmocka_unit_test(test_prestate),
        cmocka_unit_test(test_prestate_unpaid),
        cmocka_unit_test(test_prestate_selfdestruct),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_gas_is_all_there),
        cmocka_unit_test(test_selectors),
        cmocka_unit_test(test_mux),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
