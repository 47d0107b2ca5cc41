/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of JSON-RPC calls: the readers (rpc/rpc.h), the types of the table and the check against a row (rpc/types.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rpc/types.h"

typedef struct fixture {
    cevm_arena arena;
    cevm_rpc_row row;
    cevm_rpc_call call;
} fixture;

static fixture make(const char *params) { return (fixture){.row = {.name = "test_method", .params = params}}; }

static json_t *parse(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, JSON_DECODE_ANY, &error);
    assert_non_null(json);
    return json;
}

/* The error code of a check; 0: it passed. */
static int check(const char *spec, const char *params)
{
    fixture f = make(spec);
    json_t *given = params != NULL ? parse(params) : NULL;
    json_t *made;
    f.call.row = &f.row;
    f.call.arena = &f.arena;
    bool ok = cevm_rpc_check_params(&f.call, given, &made);
    assert_int_equal(ok, f.call.error.code == 0);
    json_decref(made);
    json_decref(given);
    cevm_arena_destroy(&f.arena);
    return f.call.error.code;
}

#define ADDRESS "\"0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266\""
#define HASH    "\"0x0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20\""
enum { BAD = CEVM_RPC_INVALID_PARAMS };

static void how_many(void **state)
{
    (void)state;
    assert_int_equal(check("", NULL), 0);
    assert_int_equal(check("", "null"), 0);
    assert_int_equal(check("", "[]"), 0);
    assert_int_equal(check("", "[null]"), 0);
    assert_int_equal(check("", "[1]"), BAD);
    assert_int_equal(check("", "5"), BAD);
    assert_int_equal(check("a: Bool", "[]"), BAD);
    assert_int_equal(check("a: Bool", "[null]"), BAD);
    assert_int_equal(check("a: Bool, b?: Bool", "[true]"), 0);
    assert_int_equal(check("a: Bool, b?: Bool", "[true, null]"), 0);
    assert_int_equal(check("a: Bool, b?: Bool", "[true, false, false]"), BAD);
    assert_int_equal(check("a?: Bool, b: Bool", "[null, true]"), 0);
    assert_int_equal(check("a: Bool, ...b: Hash", "[true]"), 0);
    assert_int_equal(check("a: Bool, ...b: Hash", "[true," HASH "," HASH "]"), 0);
    assert_int_equal(check("a: Bool, ...b: Hash", "[true," HASH ",1]"), BAD);
}

static void by_name(void **state)
{
    (void)state;
    assert_int_equal(check("a: Bool, b?: Bool", "{\"b\":true,\"a\":false}"), 0);
    assert_int_equal(check("a: Bool, b?: Bool", "{\"b\":true}"), BAD);
    assert_int_equal(check("a: Bool, b?: Bool", "{\"a\":true,\"c\":1}"), BAD);
    assert_int_equal(check("a?: Bool", "{}"), 0);
}

static void of_types(void **state)
{
    static const struct {
        const char *spec, *value;
        int code;
    } cases[] = {
        {"a: Address", ADDRESS, 0},
        {"a: Address", "\"0X12\"", BAD},
        {"a: Address", HASH, BAD},
        {"a: Address", "5", BAD},
        {"a: Hash", HASH, 0},
        {"a: Hash", ADDRESS, BAD},
        {"a: Quantity", "\"0x0\"", 0},
        {"a: Quantity", "\"0x\"", BAD},
        {"a: Quantity", "\"0x00ff\"", 0},
        {"a: Quantity", "17", 0},
        {"a: Quantity", "\"17\"", 0},
        {"a: Quantity", "-1", BAD},
        {"a: Quantity", "\"\"", BAD},
        {"a: Quantity", "\"0xzz\"", BAD},
        {"a: Data", "\"0x\"", 0},
        {"a: Data", "\"0x1\"", BAD},
        {"a: Data", "\"ab\"", BAD},
        {"a: Block", "\"latest\"", 0},
        {"a: Block", "\"newest\"", BAD},
        {"a: Block", HASH, 0},
        {"a: Block", "{\"blockNumber\":\"0x1\"}", 0},
        {"a: Block", "12", 0},
        {"a: Bool", "\"true\"", BAD},
        {"a: Object", "[]", BAD},
        {"a: Call", "{}", 0},
        {"a: Array", "{}", BAD},
        {"a: String", "\"\"", 0},
        {"a: Number", "1.5", 0},
        {"a: Any", "1.5", 0},
        {"a: Address|Hash", HASH, 0},
        {"a: Address|Hash", ADDRESS, 0},
        {"a: Address|Hash", "true", BAD},
        {"a: Hash[]", "[]", 0},
        {"a: Hash[]", "[" HASH "]", 0},
        {"a: Hash[]", "[" HASH ",1]", BAD},
        {"a: Hash[]", HASH, BAD},
        {"a: Hash[]|Bool", "true", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        char text[256];
        (void)snprintf(text, sizeof text, "[%s]", cases[i].value);
        assert_int_equal(check(cases[i].spec, text), cases[i].code);
    }
}

static void messages_name_the_parameter(void **state)
{
    fixture f = make("who: Address, block?: Block");
    json_t *given = parse("[" ADDRESS ", \"sometime\"]");
    json_t *made;
    (void)state;
    f.call.row = &f.row;
    f.call.arena = &f.arena;
    assert_false(cevm_rpc_check_params(&f.call, given, &made));
    assert_non_null(strstr(f.call.error.message, "(block)"));
    assert_non_null(strstr(f.call.error.message, "\"sometime\""));
    json_decref(made);
    json_decref(given);
    cevm_arena_destroy(&f.arena);
}

static void quantities(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t value;
    } cases[] = {
        {"\"0x1f\"", true, 31},
        {"\"0x001f\"", true, 31},
        {"31", true, 31},
        {"\"31\"", true, 31},
        {"-1", false, 0},
        {"\"0xffffffffffffffff\"", true, UINT64_MAX},
        {"\"0x10000000000000000\"", false, 0},
        {"\"\"", false, 0},
        {"\"0x\"", false, 0},
        {"1e3", true, 1000},
        {"1.5", false, 0},
        {"\"1\\u0000\"", false, 0},
        {"true", false, 0},
        {"null", false, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        cevm_rpc_call call = {0};
        json_error_t error;
        json_t *value = json_loads(cases[i].text, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
        uint64_t got = 0;
        assert_int_equal(cevm_rpc_read_u64(&got, &call, value, "n"), cases[i].ok);
        assert_int_equal(call.error.code, cases[i].ok ? 0 : BAD);
        assert_int_equal(got, cases[i].value);
        json_decref(value);
    }
}

static void blocks(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        cevm_block_tag tag;
        uint64_t number;
    } cases[] = {
        {"\"latest\"", true, CEVM_TAG_LATEST, 0},
        {"\"pending\"", true, CEVM_TAG_PENDING, 0},
        {"\"earliest\"", true, CEVM_TAG_EARLIEST, 0},
        {"\"safe\"", true, CEVM_TAG_SAFE, 0},
        {"\"finalized\"", true, CEVM_TAG_FINALIZED, 0},
        {"null", true, CEVM_TAG_LATEST, 0},
        {"\"0x10\"", true, CEVM_TAG_NUMBER, 16},
        {"16", true, CEVM_TAG_NUMBER, 16},
        {HASH, true, CEVM_TAG_HASH, 0},
        {"{\"blockNumber\":\"0x10\"}", true, CEVM_TAG_NUMBER, 16},
        {"{\"blockHash\":" HASH ",\"requireCanonical\":true}", true, CEVM_TAG_HASH, 0},
        {"{\"blockHash\":" HASH ",\"blockNumber\":\"0x1\"}", false, CEVM_TAG_LATEST, 0},
        {"{\"blockHash\":\"0x12\"}", false, CEVM_TAG_HASH, 0},
        {"{\"blockNumber\":{\"blockNumber\":\"0x1\"}}", false, CEVM_TAG_LATEST, 0},
        {"{}", false, CEVM_TAG_LATEST, 0},
        {"\"0x10000000000000000\"", false, CEVM_TAG_LATEST, 0},
        {"\"Latest\"", false, CEVM_TAG_LATEST, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        cevm_rpc_call call = {0};
        cevm_block_id id;
        json_t *value = parse(cases[i].text);
        assert_int_equal(cevm_rpc_read_block_id(&id, &call, value, "block"), cases[i].ok);
        if (cases[i].ok) {
            assert_int_equal(id.tag, cases[i].tag);
            assert_int_equal(id.number, cases[i].number);
        }
        json_decref(value);
    }
}

/* Every type in the table of methods is one that is known, and every row can be read to its end. */
static void the_table(void **state)
{
    size_t count;
    const cevm_rpc_row *rows = cevm_rpc_rows(&count);
    (void)state;
    assert_true(count > 100);
    for (size_t i = 0; i < count; ++i) {
        const char *cursor = rows[i].params;
        cevm_rpc_spec spec;
        assert_ptr_equal(cevm_rpc_find(rows[i].name), &rows[i]);
        assert_true(rows[i].summary[0] != '\0' && rows[i].result[0] != '\0');
        while (cevm_rpc_next_spec(&spec, &cursor)) {
            cevm_rpc_text name;
            bool array;
            size_t at = 0;
            assert_true(spec.name.size != 0 && spec.type.size != 0);
            while (cevm_rpc_next_type(&name, &array, &spec.type, &at)) {
                assert_non_null(cevm_rpc_type_words(&name));
                assert_non_null(cevm_rpc_type_schema(&name));
            }
        }
    }
    assert_null(cevm_rpc_find("eth_noSuchMethod"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_many),   cmocka_unit_test(by_name),
        cmocka_unit_test(of_types),   cmocka_unit_test(messages_name_the_parameter),
        cmocka_unit_test(quantities), cmocka_unit_test(blocks),
        cmocka_unit_test(the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
