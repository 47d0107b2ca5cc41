/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that are tried: what they return, how they fail, and what they may suppose. */
#include "node_support.h"

#define CODE "0x00000000000000000000000000000000000000c0"
#define WORD "000000000000000000000000000000000000000000000000000000000000"

/** A call of CODE with this code there and, after it, more overrides of the account. */
static const char *with_code(char out[2048], const char *code, const char *more)
{
    (void)snprintf(out, 2048,
                   "{\"from\":\"" ALICE "\",\"to\":\"" CODE "\"},\"latest\",{\"" CODE "\":{\"code\":\"%s\"%s}}", code,
                   more);
    return out;
}

static void test_what_it_returns(void **unused)
{
    cevm_node *node = node_open();
    char params[2048];
    (void)unused;
    /* PUSH1 2a PUSH0 MSTORE PUSH1 20 PUSH0 RETURN */
    expect_text(node, "eth_call", with_code(params, "0x602a5f5260205ff3", ""), "0x" WORD "002a");
    /* Nothing stays. */
    expect_text(node, "eth_call", "{\"to\":\"" CODE "\"}", "0x");
    expect_text(node, "eth_getCode", "\"" CODE "\"", "0x");
    /* A creation returns what its initcode returns: calls without a contract are made that way. */
    expect_text(node, "eth_call", "{\"data\":\"0x602a5f5260205ff3\"}", "0x" WORD "002a");
    cevm_node_destroy(node);
}

static void test_state_overrides(void **unused)
{
    cevm_node *node = node_open();
    char params[2048];
    (void)unused;
    /* SELFBALANCE / the nonce of nobody shows in CREATE's address; here the balance: 47 5f 52 60 20 5f f3. */
    expect_text(node, "eth_call", with_code(params, "0x475f5260205ff3", ",\"balance\":\"0x1234\""), "0x" WORD "1234");
    /* Slots 0 and 1: PUSH0 SLOAD PUSH0 MSTORE PUSH1 1 SLOAD PUSH1 20 MSTORE PUSH1 40 PUSH0 RETURN. */
    rpc_do(node, "anvil_setCode", "\"" CODE "\",\"0x5f545f5260015460205260405ff3\"");
    rpc_do(node, "anvil_setStorageAt", "\"" CODE "\",\"0x0\",\"0x" WORD "0007\"");
    rpc_do(node, "anvil_setStorageAt", "\"" CODE "\",\"0x1\",\"0x" WORD "0008\"");
    expect_text(node, "eth_call", "{\"to\":\"" CODE "\"}", "0x" WORD "0007" WORD "0008");
    expect_text(node, "eth_call",
                "{\"to\":\"" CODE "\"},\"latest\",{\"" CODE "\":{\"stateDiff\":{\"0x" WORD "0000\":\"0x" WORD
                "0009\"}}}",
                "0x" WORD "0009" WORD "0008");
    expect_text(node, "eth_call",
                "{\"to\":\"" CODE "\"},\"latest\",{\"" CODE "\":{\"state\":{\"0x" WORD "0000\":\"0x" WORD "0009\"}}}",
                "0x" WORD "0009" WORD "0000");
    expect_text(node, "eth_call", "{\"to\":\"" CODE "\"}", "0x" WORD "0007" WORD "0008");
    expect_error(node, "eth_call", "{\"to\":\"" CODE "\"},\"latest\",{\"" CODE "\":{\"storage\":{}}}", -32602,
                 "invalid state override of " CODE ": \"storage\" is none of balance, nonce, code, state");
    expect_error(node, "eth_call", "{\"to\":\"" CODE "\"},\"latest\",{\"" CODE "\":{\"state\":{},\"stateDiff\":{}}}",
                 -32602, "account " CODE " has both 'state' and 'stateDiff'");
    expect_error(node, "eth_call", "{\"to\":\"" CODE "\"},\"latest\",{\"" CODE "\":{\"balance\":\"lots\"}}", -32602,
                 "invalid balance");
    cevm_node_destroy(node);
}

static void test_block_overrides(void **unused)
{
    cevm_node *node = node_open();
    char params[2048];
    (void)unused;
    /* NUMBER, TIMESTAMP, GASLIMIT in three words: 43 5f 52 42 60 20 52 45 60 40 52 60 60 5f f3. */
    (void)with_code(params, "0x435f52426020524560405260605ff3", "");
    (void)snprintf(params + strlen(params), 500,
                   ",{\"number\":\"0x1234\",\"time\":\"0x5678\",\"gasLimit\":\"0x9abc\"}");
    expect_text(node, "eth_call", params, "0x" WORD "1234" WORD "5678" WORD "9abc");
    /* Who pays nothing sees a base fee of zero; who pays sees the one that is set. */
    (void)with_code(params, "0x485f5260205ff3", "");
    (void)snprintf(params + strlen(params), 500, ",{\"baseFeePerGas\":\"0x7\"}");
    expect_text(node, "eth_call", params, "0x" WORD "0000");
    expect_text(node, "eth_call",
                "{\"from\":\"" ALICE "\",\"to\":\"" CODE "\",\"gasPrice\":\"0x8\"},\"latest\",{\"" CODE
                "\":{\"code\":\"0x485f5260205ff3\"}},{\"baseFeePerGas\":\"0x7\"}",
                "0x" WORD "0007");
    cevm_node_destroy(node);
}

static void test_reverts_say_why(void **unused)
{
    cevm_node *node = node_open();
    char params[2048];
    (void)unused;
    expect_error(node, "eth_call", with_code(params, "0x5f5ffd", ""), 3, "execution reverted");
    /* Reverts with the 100 bytes that stand behind its code, from byte 12 on: Error("no"). */
    json_t *answer = rpc_answer(node, "eth_call",
                                with_code(params,
                                          "0x6064600c5f3960645ffd"
                                          "0000"
                                          "08c379a0" WORD "0020" WORD "0002"
                                          "6e6f000000000000000000000000000000000000000000000000000000000000",
                                          ""));
    const json_t *error = json_object_get(answer, "error");
    assert_int_equal(json_integer_value(json_object_get(error, "code")), 3);
    assert_string_equal(json_string_value(json_object_get(error, "message")), "execution reverted: no");
    assert_string_equal(json_string_value(json_object_get(error, "data")),
                        "0x08c379a0" WORD "0020" WORD "0002"
                        "6e6f000000000000000000000000000000000000000000000000000000000000");
    json_decref(answer);
    cevm_node_destroy(node);
}

static void test_what_cannot_be_called(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    expect_error(node, "eth_call",
                 "{\"from\":\"0x00000000000000000000000000000000000000aa\",\"to\":\"" BOB "\",\"value\":\"0x1\"}",
                 -32000, "insufficient funds for gas * price + value: address 0x0000");
    expect_error(node, "eth_call", "{\"to\":\"" BOB "\",\"gas\":\"0x5207\"}", -32000, "intrinsic gas too low");
    expect_error(node, "eth_call", "{\"to\":\"" BOB "\",\"data\":\"0x01\",\"input\":\"0x02\"}", -32602,
                 "both \"data\" and");
    expect_error(node, "eth_call", "{\"to\":\"" BOB "\",\"gasPrice\":\"0x1\",\"maxFeePerGas\":\"0x1\"}", -32602,
                 "both gasPrice and");
    expect_error(node, "eth_call", "{\"to\":\"" BOB "\",\"chainId\":\"0x1\"}", -32602, "chainId does not match node's");
    expect_error(node, "eth_call",
                 "{\"from\":\"" ALICE "\",\"to\":\"" BOB
                 "\",\"maxFeePerGas\":\"0x1\",\"maxPriorityFeePerGas\":\"0x2\"}",
                 -32000, "max priority fee per gas higher than max fee per gas");
    expect_error(node, "eth_call", "{\"from\":\"" ALICE "\",\"to\":\"" BOB "\",\"gasPrice\":\"0x1\"}", -32000,
                 "max fee per gas less than block base fee");
    expect_error(node, "eth_call", "{\"to\":\"" BOB "\"},\"0x10\"", -32000, "header not found");
    cevm_node_destroy(node);
}

/* A contract may call, and be the sender, and hold more gas than a transaction can have (EIP-7825). */
static void test_what_only_a_call_may(void **unused)
{
    cevm_node_options options = node_options();
    options.call_gas_limit = 100000000;
    cevm_node *node = node_open_with(&options);
    char params[2048];
    (void)unused;
    /* GAS PUSH0 MSTORE PUSH1 20 PUSH0 RETURN: 100,000,000 - 21,000 - 2 = 0x5f58ef6. */
    expect_text(node, "eth_call", with_code(params, "0x5a5f5260205ff3", ""),
                "0x0000000000000000000000000000000000000000000000000000000005f58ef6");
    rpc_do(node, "anvil_setCode", "\"" CODE "\",\"0x00\"");
    expect_text(node, "eth_call", "{\"from\":\"" CODE "\",\"to\":\"" BOB "\"}", "0x");
    cevm_node_destroy(node);
}

static void test_moved_precompile(void **unused)
{
    cevm_node *node = node_open();
    static const char move[] =
        "\"latest\",{\"0x0000000000000000000000000000000000000004\":{\"movePrecompileToAddress\":\"" CODE "\"}}";
    char params[2048];
    (void)unused;
    (void)snprintf(params, sizeof params, "{\"to\":\"" CODE "\",\"data\":\"0x1234\"},%s", move);
    expect_text(node, "eth_call", params, "0x1234");
    (void)snprintf(params, sizeof params,
                   "{\"to\":\"0x0000000000000000000000000000000000000004\",\"data\":\"0x1234\"},%s", move);
    expect_text(node, "eth_call", params, "0x");
    expect_text(node, "eth_call", "{\"to\":\"0x0000000000000000000000000000000000000004\",\"data\":\"0x1234\"}",
                "0x1234");
    expect_error(node, "eth_call",
                 "{\"to\":\"" BOB "\"},\"latest\",{\"" CODE "\":{\"movePrecompileToAddress\":\"" BOB "\"}}", -32000,
                 "account 0x0000");
    cevm_node_destroy(node);
}

/* JUMPDEST PUSH0 JUMP with gas for a day. */
static void test_a_call_that_does_not_end(void **unused)
{
    cevm_node_options options = node_options();
    options.call_gas_limit = (uint64_t)1 << 50;
    options.call_timeout_ms = 50;
    cevm_node *node = node_open_with(&options);
    char params[2048];
    (void)unused;
    expect_error(node, "eth_call", with_code(params, "0x5b5f56", ""), -32002, "execution aborted");
    expect_text(node, "eth_call", with_code(params, "0x602a5f5260205ff3", ""), "0x" WORD "002a");
    cevm_node_destroy(node);
}

/* EIP-2930: what a contract touches, without sender, recipient and precompiled contracts. */
static void test_access_list(void **unused)
{
    cevm_node *node = node_open();
    (void)unused;
    /* BALANCE of ...dd, SLOAD of slot 5: 60 dd 31 50 60 05 54 50 00. */
    rpc_do(node, "anvil_setCode", "\"" CODE "\",\"0x60dd315060055450\"");
    json_t *result = rpc(node, "eth_createAccessList", "{\"from\":\"" ALICE "\",\"to\":\"" CODE "\"}");
    json_t *list = json_object_get(result, "accessList");
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "address")),
                        "0x00000000000000000000000000000000000000dd");
    assert_int_equal(json_array_size(json_object_get(json_array_get(list, 0), "storageKeys")), 0);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "address")), CODE);
    assert_string_equal(json_string_value(json_array_get(json_object_get(json_array_get(list, 1), "storageKeys"), 0)),
                        "0x" WORD "0005");
    /* 21,000 + 2 * 2,400 + 1,900 for the list; 100 + 100 for what is warm; pushes and pops 3 + 2 + 3 + 2. */
    assert_int_equal(quantity(result, "gasUsed"), 21000 + 2 * 2400 + 1900 + 100 + 100 + 10);
    json_decref(result);
    cevm_node_destroy(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_it_returns),       cmocka_unit_test(test_state_overrides),
        cmocka_unit_test(test_block_overrides),       cmocka_unit_test(test_reverts_say_why),
        cmocka_unit_test(test_what_cannot_be_called), cmocka_unit_test(test_what_only_a_call_may),
        cmocka_unit_test(test_moved_precompile),      cmocka_unit_test(test_a_call_that_does_not_end),
        cmocka_unit_test(test_access_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
