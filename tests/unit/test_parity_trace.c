/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traces as Parity's trace module has them: trace, stateDiff and vmTrace. Shapes and words are those of its documentation
 * and of OpenEthereum's answers; gas is computed by hand from the prices of the yellow paper, EIP-150 and EIP-2929.
 */
#include "trace_support.h"

#include "trace/parity.h"

#define SENDER  "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"
#define CODE_AT "0x000000000000000000000000000000000000c0de"
#define OTHER   "0x0000000000000000000000000000000000005771"
#define MINER   "0x000000000000000000000000000000000000c01b"
#define WORD(n) "0x00000000000000000000000000000000000000000000000000000000000000" n

static char *parity_text(world *w, const cevm_parity_parts *parts, const cevm_tx *tx)
{
    traced t;
    memset(&t, 0, sizeof t);
    cevm_json_writer_init(&t.writer, json_text_take, &t.text);
    const cevm_trace_request request = {.out = &t.writer, .state = w->state};
    assert_int_equal(cevm_parity_create(&t.trace, &request, parts), CEVM_OK);
    return traced_text(&t, w, tx);
}

static json_t *parity_json(world *w, const cevm_parity_parts *parts, const cevm_tx *tx)
{
    char *text = parity_text(w, parts, tx);
    json_t *out = parse_json(text);
    free(text);
    return out;
}

/* One member of the object. */
static json_t *part_of(world *w, const char *name, const cevm_tx *tx)
{
    const cevm_parity_parts all = {.trace = true, .state_diff = true, .vm_trace = true};
    json_t *object = parity_json(w, &all, tx);
    json_t *out = json_incref(json_object_get(object, name));
    assert_non_null(out);
    json_decref(object);
    return out;
}

/*
 * 1, 2, DUP1, SWAP2, SSTORE; a call with all but a 64th of the gas, of a contract that writes a byte and reverts with it;
 * the byte comes back. 79000 gas are there for the code.
 */
static const char caller_code[] = "600160028091556001601f5f5f5f61577161fffff100";
static const char callee_code[] = "60ff5f5360015ffd";

static void open_call(world *w)
{
    world_open(w, CEVM_CANCUN);
    world_put(w, address_of(CONTRACT), 0, 1, caller_code);
    world_put(w, address_of(STRANGER), 0, 1, callee_code);
}

/* ---- vmTrace ------------------------------------------------------------------------------------------------------ */

__attribute__((format(printf, 3, 4))) static void add(char *out, size_t size, const char *format, ...)
{
    va_list arguments;
    const size_t used = strlen(out);
    va_start(arguments, format);
    const int n = vsnprintf(out + used, size - used, format, arguments);
    va_end(arguments);
    assert_in_range(n, 0, size - used - 1);
}

/* An instruction as a line: pc, cost, words pushed, "off:data" for memory, "key=val" for a slot, the gas left. */
static void add_op(char *out, size_t size, const json_t *op)
{
    size_t i;
    const json_t *word;
    const json_t *ex = json_object_get(op, "ex");
    const json_t *mem = json_object_get(ex, "mem");
    const json_t *store = json_object_get(ex, "store");
    assert_int_equal(json_object_size(op), 4);
    assert_int_equal(json_object_size(ex), 4);
    add(out, size, "%d %d [", (int)json_integer_value(json_object_get(op, "pc")),
        (int)json_integer_value(json_object_get(op, "cost")));
    json_array_foreach(json_object_get(ex, "push"), i, word)
    {
        add(out, size, "%s%s", i != 0 ? " " : "", json_string_value(word));
    }
    add(out, size, "]");
    if (!json_is_null(mem)) {
        add(out, size, " %d:%s", (int)json_integer_value(json_object_get(mem, "off")),
            json_string_value(json_object_get(mem, "data")));
    }
    if (!json_is_null(store)) {
        add(out, size, " %s=%s", json_string_value(json_object_get(store, "key")),
            json_string_value(json_object_get(store, "val")));
    }
    add(out, size, " %d\n", (int)json_integer_value(json_object_get(ex, "used")));
}

/* All of a frame, and the trace of the one frame that it began, if it began one. */
static const json_t *expect_ops(const json_t *trace, const char *code, const char *want)
{
    size_t i;
    const json_t *op;
    const json_t *sub = NULL;
    char got[2000] = "";
    assert_int_equal(json_object_size(trace), 2);
    assert_string_equal(json_string_value(json_object_get(trace, "code")) + 2, code);
    json_array_foreach(json_object_get(trace, "ops"), i, op)
    {
        add_op(got, sizeof got, op);
        sub = json_is_null(json_object_get(op, "sub")) ? sub : json_object_get(op, "sub");
    }
    assert_string_equal(got, want);
    return sub;
}

static void test_vm_trace(void **unused)
{
    (void)unused;
    world w;
    open_call(&w);
    const cevm_tx tx = plain_tx();
    json_t *got = part_of(&w, "vmTrace", &tx);
    const json_t *sub = expect_ops(got, caller_code,
                                   "0 3 [0x1] 78997\n"
                                   "2 3 [0x2] 78994\n"
                                   "4 3 [0x2 0x2] 78991\n"
                                   "5 3 [0x2 0x2 0x1] 78988\n"
                                   "6 22100 [] 0x1=0x2 56888\n"
                                   "7 3 [0x1] 56885\n"
                                   "9 3 [0x1f] 56882\n"
                                   "11 2 [0x0] 56880\n"
                                   "12 2 [0x0] 56878\n"
                                   "13 2 [0x0] 56876\n"
                                   "14 3 [0x5771] 56873\n"
                                   "17 3 [0xffff] 56870\n"
                                   "20 56023 [0x0] 31:0xff 54251\n"
                                   "21 0 [] 54251\n");
    assert_null(expect_ops(sub, callee_code,
                           "0 3 [0xff] 53417\n"
                           "2 2 [0x0] 53415\n"
                           "3 6 [] 0:0xff 53409\n"
                           "4 3 [0x1] 53406\n"
                           "6 2 [0x0] 53404\n"
                           "7 0 [] 53404\n"));
    json_decref(got);
    world_close(&w);
}

/* An instruction that fails did nothing; a transfer has no code to run. */
static void test_vm_trace_edges(void **unused)
{
    (void)unused;
    world w;
    world_open(&w, CEVM_CANCUN);
    world_put(&w, address_of(CONTRACT), 0, 1, "5f01");
    cevm_tx tx = plain_tx();
    expect_json(
        part_of(&w, "vmTrace", &tx),
        "{\"code\":\"0x5f01\",\"ops\":["
        "{\"pc\":0,\"cost\":2,\"ex\":{\"mem\":null,\"push\":[\"0x0\"],\"store\":null,\"used\":78998},\"sub\":null},"
        "{\"pc\":1,\"cost\":3,\"ex\":null,\"sub\":null}]}");
    cevm_state_discard(w.state);
    tx.to = address_of(STRANGER);
    expect_json(part_of(&w, "vmTrace", &tx), "{\"code\":\"0x\",\"ops\":[]}");
    world_close(&w);
}

/* The last instruction's work is told when the code ends behind it, and RETURN's when its frame does. */
static void test_vm_trace_ends(void **unused)
{
    static const char *const codes[] = {"5f", "5f5ff3"};
    static const char *const want[] = {"0 2 [0x0] 78998\n", "0 2 [0x0] 78998\n1 2 [0x0] 78996\n2 0 [] 78996\n"};
    (void)unused;
    world w;
    world_open(&w, CEVM_CANCUN);
    const cevm_tx tx = plain_tx();
    for (size_t i = 0; i < 2; ++i) {
        world_put(&w, address_of(CONTRACT), 0, 1, codes[i]);
        json_t *got = part_of(&w, "vmTrace", &tx);
        assert_null(expect_ops(got, codes[i], want[i]));
        json_decref(got);
        cevm_state_discard(w.state);
    }
    world_close(&w);
}

/* ---- trace --------------------------------------------------------------------------------------------------------- */

static void test_trace_and_output(void **unused)
{
    static const cevm_parity_parts parts = {.trace = true};
    (void)unused;
    world w;
    open_call(&w);
    const cevm_tx tx = plain_tx();
    expect_json(parity_json(&w, &parts, &tx),
                "{\"output\":\"0x\",\"stateDiff\":null,\"vmTrace\":null,\"trace\":["
                "{\"action\":{\"callType\":\"call\",\"from\":\"" SENDER
                "\",\"gas\":\"0x13498\",\"input\":\"0x\",\"to\":\"" CODE_AT
                "\",\"value\":\"0x0\"},\"result\":{\"gasUsed\":\"0x60ad\",\"output\":\"0x\"},\"subtraces\":1,"
                "\"traceAddress\":[],\"type\":\"call\"},"
                "{\"action\":{\"callType\":\"call\",\"from\":\"" CODE_AT
                "\",\"gas\":\"0xd0ac\",\"input\":\"0x\",\"to\":\"" OTHER
                "\",\"value\":\"0x0\"},\"error\":\"Reverted\",\"result\":{\"gasUsed\":\"0x10\",\"output\":\"0xff\"},"
                "\"subtraces\":0,\"traceAddress\":[0],\"type\":\"call\"}]}");
    world_close(&w);
}

/* ---- stateDiff ----------------------------------------------------------------------------------------------------- */

/* 45749 gas at 10 wei go from the sender to who makes the block, whose account comes into being with them. */
static void test_state_diff(void **unused)
{
    (void)unused;
    world w;
    open_call(&w);
    const cevm_tx tx = plain_tx();
    expect_json(
        part_of(&w, "stateDiff", &tx),
        "{\"" MINER
        "\":{\"balance\":{\"+\":\"0x6fb12\"},\"code\":{\"+\":\"0x\"},\"nonce\":{\"+\":\"0x0\"},\"storage\":{}},"
        "\"" CODE_AT
        "\":{\"balance\":\"=\",\"code\":\"=\",\"nonce\":\"=\",\"storage\":{\"" WORD("01") "\":{\"*\":{\"from\":\"" WORD(
            "00") "\",\"to\":\"" WORD("02") "\"}}}},"
                                            "\"" SENDER "\":{\"balance\":{\"*\":{\"from\":\"0xde0b6b3a7640000\",\"to\":"
                                            "\"0xde0b6b3a75d04ee\"}},\"code\":\"=\","
                                            "\"nonce\":{\"*\":{\"from\":\"0x0\",\"to\":\"0x1\"}},\"storage\":{}}}");
    world_close(&w);
}

static cevm_tx free_tx(void)
{
    cevm_tx tx = plain_tx();
    tx.max_fee = cevm_u256_from_u64(0);
    tx.max_priority_fee = tx.max_fee;
    return tx;
}

/* Before EIP-6780 a contract with a slot that goes away, and who gets what it had. */
static void test_state_diff_of_destruction(void **unused)
{
    (void)unused;
    world w;
    const cevm_address contract = address_of(CONTRACT);
    const cevm_u256 one = cevm_u256_from_u64(1);
    const cevm_u256 nine = cevm_u256_from_u64(9);
    world_open(&w, CEVM_LONDON);
    world_put(&w, contract, 7, 1, "60015450615771ff");
    assert_int_equal(cevm_memdb_set_storage(w.db, &contract, &one, &nine), CEVM_OK);
    const cevm_tx tx = free_tx();
    expect_json(part_of(&w, "stateDiff", &tx),
                "{\"" OTHER
                "\":{\"balance\":{\"+\":\"0x7\"},\"code\":{\"+\":\"0x\"},\"nonce\":{\"+\":\"0x0\"},\"storage\":{}},"
                "\"" CODE_AT
                "\":{\"balance\":{\"-\":\"0x7\"},\"code\":{\"-\":\"0x60015450615771ff\"},\"nonce\":{\"-\":\"0x1\"},"
                "\"storage\":{\"" WORD("01") "\":{\"-\":\"" WORD(
                    "09") "\"}}},"
                          "\"" SENDER
                          "\":{\"balance\":\"=\",\"code\":\"=\",\"nonce\":{\"*\":{\"from\":\"0x0\",\"to\":\"0x1\"}},"
                          "\"storage\":{}}}");
    cevm_state_discard(w.state);
    json_t *trace = part_of(&w, "trace", &tx);
    assert_int_equal(json_array_size(trace), 2);
    expect_json(json_incref(json_array_get(trace, 1)),
                "{\"action\":{\"address\":\"" CODE_AT "\",\"balance\":\"0x7\",\"refundAddress\":\"" OTHER
                "\"},\"result\":null,\"subtraces\":0,\"traceAddress\":[0],\"type\":\"suicide\"}");
    json_decref(trace);
    world_close(&w);
}

/* A contract that writes a slot while it is made; its address is that of the sender's first. */
static void test_state_diff_of_creation(void **unused)
{
    static const uint8_t init[] = {0x60, 0x03, 0x5f, 0x55, 0x60, 0x01, 0x5f, 0xf3}; /* slot 0 = 3; the code is 00 */
    static const char made[] = "0xf2e246bb76df876cef8b38ae84130f4f55de395b";
    (void)unused;
    world w;
    json_t *want = parse_json(
        "{\"balance\":{\"+\":\"0x5\"},\"code\":{\"+\":\"0x00\"},\"nonce\":{\"+\":\"0x1\"},\"storage\":{\"" WORD(
            "00") "\":{\"+\":\"" WORD("03") "\"}}}");
    world_open(&w, CEVM_CANCUN);
    cevm_tx tx = free_tx();
    tx.is_create = true;
    tx.data = (cevm_bytes){init, sizeof init};
    tx.value = cevm_u256_from_u64(5);
    json_t *got = part_of(&w, "stateDiff", &tx);
    assert_int_equal(json_object_size(got), 2);
    assert_true(json_equal(json_object_get(got, made), want));
    json_decref(got);
    json_decref(want);
    cevm_state_discard(w.state);
    /* no byte of it is zero: 100000 - 21000 - 32000 - 8 * 16 - 2 (EIP-3860) are there for the code */
    got = part_of(&w, "trace", &tx);
    const json_t *entry = json_array_get(got, 0);
    const json_t *action = json_object_get(entry, "action");
    assert_string_equal(json_string_value(json_object_get(entry, "type")), "create");
    assert_string_equal(json_string_value(json_object_get(action, "gas")), "0xb716");
    assert_string_equal(json_string_value(json_object_get(action, "init")), "0x60035f5560015ff3");
    assert_string_equal(json_string_value(json_object_get(json_object_get(entry, "result"), "address")), made);
    assert_string_equal(json_string_value(json_object_get(json_object_get(entry, "result"), "code")), "0x00");
    json_decref(got);
    world_close(&w);
}

/* ---- Words --------------------------------------------------------------------------------------------------------- */

static void expect_word(world *w, const cevm_tx *tx, size_t index, const char *word)
{
    json_t *trace = part_of(w, "trace", tx);
    const json_t *entry = json_array_get(trace, index);
    assert_string_equal(json_string_value(json_object_get(entry, "error")), word);
    assert_int_equal(json_object_get(entry, "result") != NULL, strcmp(word, "Reverted") == 0);
    json_decref(trace);
    cevm_state_discard(w->state);
}

static void test_words(void **unused)
{
    static const struct {
        const char *code;
        const char *word;
    } cases[] = {{"fe", "Bad instruction"},          {"0c", "Bad instruction"},   {"01", "Stack underflow"},
                 {"600056", "Bad jump destination"}, {"5b5f56", "Out of gas"},    {"5f5ffd", "Reverted"},
                 {"60ff5f5f3e00", "Out of bounds"},  {"5b5f5f56", "Out of stack"}};
    (void)unused;
    world w;
    world_open(&w, CEVM_CANCUN);
    cevm_tx tx = free_tx();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        world_put(&w, address_of(CONTRACT), 0, 1, cases[i].code);
        expect_word(&w, &tx, 0, cases[i].word);
    }
    world_put(&w, address_of(CONTRACT), 0, 1, "5f5f5f5f615771614000fa00");
    world_put(&w, address_of(STRANGER), 0, 1, "5f5f55");
    expect_word(&w, &tx, 1, "Mutable Call In Static Context");
    tx.to = address_of(8); /* EIP-197: no multiple of 192 bytes */
    tx.data = (cevm_bytes){(const uint8_t *)"x", 1};
    expect_word(&w, &tx, 0, "Built-in failed");
    tx.is_create = true; /* EIP-3541 */
    tx.data = (cevm_bytes){(const uint8_t *)"\x60\xef\x5f\x53\x60\x01\x5f\xf3", 8};
    expect_word(&w, &tx, 0, "Invalid code");
    world_close(&w);
}

/* CALL and STATICCALL of a precompiled contract are not shown when they move no value; DELEGATECALL is. */
static void test_precompiles(void **unused)
{
    (void)unused;
    world w;
    world_open(&w, CEVM_CANCUN);
    world_put(&w, address_of(CONTRACT), 9, 1,
              "5f5f5f5f5f60045af15f5f5f5f60045af45f5f5f5f60045afa5f5f5f5f600160045af100");
    const cevm_tx tx = plain_tx();
    json_t *got = part_of(&w, "trace", &tx);
    assert_int_equal(json_array_size(got), 3);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(got, 0), "subtraces")), 2);
    const json_t *first = json_object_get(json_array_get(got, 1), "action");
    const json_t *second = json_object_get(json_array_get(got, 2), "action");
    assert_string_equal(json_string_value(json_object_get(first, "callType")), "delegatecall");
    assert_string_equal(json_string_value(json_object_get(second, "value")), "0x1");
    json_decref(got);
    world_close(&w);
}

/* ---- Size ---------------------------------------------------------------------------------------------------------- */

/* 1026 frames in each other, before EIP-150: an object and two lists each are within what the writer can nest. */
static void test_deepest(void **unused)
{
    static const cevm_parity_parts parts = {.trace = true, .vm_trace = true};
    (void)unused;
    world w;
    world_open(&w, CEVM_HOMESTEAD);
    world_put(&w, address_of(CONTRACT), 0, 1, "6000808080803061c3505a03f100");
    cevm_tx tx = plain_tx();
    w.block.gas_limit = tx.gas_limit = 60000000;
    char *text = parity_text(&w, &parts, &tx);
    size_t braces[2] = {0, 0};
    size_t codes = 0;
    for (const char *p = text; *p != '\0'; ++p) {
        braces[0] += *p == '{' || *p == '[' ? 1 : 0;
        braces[1] += *p == '}' || *p == ']' ? 1 : 0;
        codes += strncmp(p, "\"code\":", 7) == 0 ? 1 : 0;
    }
    assert_int_equal(braces[0], braces[1]);
    assert_int_equal(codes, 1026);
    free(text);
    world_close(&w);
}

/* ---- Lists --------------------------------------------------------------------------------------------------------- */

typedef struct seen {
    size_t count;
    size_t deepest;
} seen;

static bool want_deep(void *user, const cevm_parity_entry *entry)
{
    seen *s = user;
    s->count++;
    s->deepest = entry->path_size > s->deepest ? entry->path_size : s->deepest;
    return entry->path_size == 1 && entry->path[0] == 0;
}

static void test_list(void **unused)
{
    seen s = {0, 0};
    const cevm_parity_list list = {.wants = want_deep, .user = &s};
    const cevm_parity_reward reward = {.author = address_of(COINBASE), .value = cevm_u256_from_u64(5), .type = "block"};
    (void)unused;
    world w;
    traced t;
    memset(&t, 0, sizeof t);
    open_call(&w);
    cevm_json_writer_init(&t.writer, json_text_take, &t.text);
    const cevm_trace_request request = {
        .out = &t.writer,
        .state = w.state,
        .context = {.has_block = true, .block_number = 13, .has_tx = true, .tx_index = 4}};
    cevm_json_begin_array(&t.writer);
    assert_int_equal(cevm_parity_list_create(&t.trace, &request, &list), CEVM_OK);
    const cevm_tx tx = plain_tx();
    const cevm_receipt receipt = traced_apply(&t, &w, &tx);
    assert_int_equal(cevm_trace_finish(t.trace, &receipt), CEVM_OK);
    cevm_trace_destroy(t.trace);
    cevm_parity_put_reward(&t.writer, &request.context, &reward);
    cevm_json_end_array(&t.writer);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.deepest, 1);
    expect_json(json_text_read(&t.writer, &t.text),
                "[{\"action\":{\"callType\":\"call\",\"from\":\"" CODE_AT
                "\",\"gas\":\"0xd0ac\",\"input\":\"0x\",\"to\":\"" OTHER "\",\"value\":\"0x0\"},\"blockHash\":\"" WORD(
                    "00") "\",\"blockNumber\":13,\"error\":\"Reverted\","
                          "\"result\":{\"gasUsed\":\"0x10\",\"output\":\"0xff\"},\"subtraces\":0,\"traceAddress\":[0],"
                          "\"transactionHash\":\"" WORD(
                              "00") "\",\"transactionPosition\":4,\"type\":\"call\"},"
                                    "{\"action\":{\"author\":\"" MINER
                                    "\",\"rewardType\":\"block\",\"value\":\"0x5\"},\"blockHash\":\"" WORD(
                                        "00") "\",\"blockNumber\":13,\"result\":null,\"subtraces\":0,\"traceAddress\":["
                                              "],\"transactionHash\":null,"
                                              "\"transactionPosition\":null,\"type\":\"reward\"}]");
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vm_trace),
        cmocka_unit_test(test_vm_trace_edges),
        cmocka_unit_test(test_vm_trace_ends),
        cmocka_unit_test(test_trace_and_output),
        cmocka_unit_test(test_state_diff),
        cmocka_unit_test(test_state_diff_of_destruction),
        cmocka_unit_test(test_state_diff_of_creation),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_precompiles),
        cmocka_unit_test(test_deepest),
        cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
