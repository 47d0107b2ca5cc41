/* SPDX-License-Identifier: Apache-2.0 */
/* Filters that are polled and subscriptions that are told: blocks, logs with what reorganisations remove, transactions. */
#include "node_support.h"

#include "rpc/filters.h"

#define CODE  "0x00000000000000000000000000000000000000c0"
#define WORD  "00000000000000000000000000000000000000000000000000000000000000"
#define FIRST "0x" WORD "01"

/** LOG1 of the second word of the call's data with the first as topic. */
static cevm_node *open_with_emitter(void)
{
    cevm_node *node = node_open();
    rpc_do(node, "anvil_setCode", "\"" CODE "\",\"0x6020355f525f3560205fa100\"");
    return node;
}

static void emit(cevm_node *node, unsigned topic, unsigned value)
{
    char params[512];
    (void)snprintf(params, sizeof params,
                   "{\"from\":\"" ALICE "\",\"to\":\"" CODE "\",\"gas\":\"0x186a0\",\"data\":\"0x" WORD "%02x" WORD
                   "%02x\"}",
                   topic, value);
    rpc_do(node, "eth_sendTransaction", params);
}

static void new_filter(cevm_node *node, const char *method, const char *params, char id[40])
{
    json_t *result = rpc(node, method, params);
    (void)snprintf(id, 40, "\"%s\"", json_string_value(result));
    json_decref(result);
}

/** How many changes there are; *first, if not NULL, receives the first one. */
static size_t changes(cevm_node *node, const char *id, json_t **first)
{
    json_t *result = rpc(node, "eth_getFilterChanges", id);
    const size_t count = json_array_size(result);
    if (first != NULL) {
        *first = json_incref(json_array_get(result, 0));
    }
    json_decref(result);
    return count;
}

static void test_blocks(void **unused)
{
    cevm_node *node = open_with_emitter();
    char id[40];
    json_t *hash = NULL;
    (void)unused;
    new_filter(node, "eth_newBlockFilter", "", id);
    assert_int_equal(changes(node, id, NULL), 0);
    rpc_do(node, "evm_mine", "");
    rpc_do(node, "evm_mine", "");
    assert_int_equal(changes(node, id, &hash), 2);
    json_t *block = rpc(node, "eth_getBlockByNumber", "\"0x1\",false");
    assert_string_equal(json_string_value(hash), json_string_value(json_object_get(block, "hash")));
    json_decref(block);
    json_decref(hash);
    assert_int_equal(changes(node, id, NULL), 0);
    expect_bool(node, "eth_uninstallFilter", id, true);
    expect_bool(node, "eth_uninstallFilter", id, false);
    expect_error(node, "eth_getFilterChanges", id, -32000, "filter not found");
    cevm_node_destroy(node);
}

static void test_logs_and_what_is_removed(void **unused)
{
    cevm_node *node = open_with_emitter();
    char id[40];
    json_t *log = NULL;
    (void)unused;
    new_filter(node, "eth_newFilter", "{\"address\":\"" CODE "\",\"topics\":[\"" FIRST "\"]}", id);
    emit(node, 1, 7);
    emit(node, 2, 8); /* another topic */
    assert_int_equal(changes(node, id, &log), 1);
    assert_string_equal(json_string_value(json_object_get(log, "data")), "0x" WORD "07");
    assert_true(json_is_false(json_object_get(log, "removed")));
    json_decref(log);
    rpc_do(node, "anvil_rollback", "2");
    assert_int_equal(changes(node, id, &log), 1);
    assert_true(json_is_true(json_object_get(log, "removed")));
    assert_int_equal(quantity(log, "blockNumber"), 1);
    json_decref(log);
    cevm_node_destroy(node);
}

/* Going back to a snapshot is a reorganisation too. */
static void test_logs_of_a_snapshot(void **unused)
{
    cevm_node *node = open_with_emitter();
    char id[40];
    char snapshot[40];
    (void)unused;
    new_filter(node, "evm_snapshot", "", snapshot);
    new_filter(node, "eth_newFilter", "{}", id);
    emit(node, 1, 7);
    assert_int_equal(changes(node, id, NULL), 1);
    expect_bool(node, "evm_revert", snapshot, true);
    emit(node, 1, 9);
    json_t *log = NULL;
    assert_int_equal(changes(node, id, &log), 2); /* one went, one came */
    assert_true(json_is_true(json_object_get(log, "removed")));
    json_decref(log);
    cevm_node_destroy(node);
}

static void test_pending_transactions(void **unused)
{
    cevm_node *node = node_open();
    char id[40];
    char full[40];
    char hash[67];
    json_t *seen = NULL;
    (void)unused;
    new_filter(node, "eth_newPendingTransactionFilter", "", id);
    new_filter(node, "eth_newPendingTransactionFilter", "true", full);
    send_wei(node, "", hash); /* mined at once: it was pending all the same */
    assert_int_equal(changes(node, id, &seen), 1);
    assert_string_equal(json_string_value(seen), hash);
    json_decref(seen);
    assert_int_equal(changes(node, full, &seen), 1);
    assert_string_equal(json_string_value(json_object_get(seen, "hash")), hash);
    json_decref(seen);
    rpc_do(node, "evm_setAutomine", "false");
    send_wei(node, "", hash);
    assert_int_equal(changes(node, id, &seen), 1);
    assert_string_equal(json_string_value(seen), hash);
    json_decref(seen);
    rpc_do(node, "evm_mine", "");
    assert_int_equal(changes(node, id, NULL), 0); /* told already */
    cevm_node_destroy(node);
}

static size_t logs(cevm_node *node, const char *filter)
{
    json_t *result = rpc(node, "eth_getLogs", filter);
    const size_t count = json_array_size(result);
    json_decref(result);
    return count;
}

static void test_get_logs(void **unused)
{
    cevm_node *node = open_with_emitter();
    char id[40];
    (void)unused;
    emit(node, 1, 1);
    emit(node, 2, 2);
    emit(node, 3, 3);
    assert_int_equal(logs(node, "{}"), 1); /* the newest block */
    assert_int_equal(logs(node, "{\"fromBlock\":\"earliest\"}"), 3);
    assert_int_equal(logs(node, "{\"fromBlock\":\"0x2\",\"toBlock\":\"0x63\"}"), 2);
    assert_int_equal(logs(node, "{\"fromBlock\":\"0x1\",\"toBlock\":\"0x1\"}"), 1);
    assert_int_equal(logs(node, "{\"fromBlock\":\"0x0\",\"topics\":[[\"" FIRST "\",\"0x" WORD "03\"]]}"), 2);
    assert_int_equal(logs(node, "{\"fromBlock\":\"0x0\",\"topics\":[null]}"), 3);
    assert_int_equal(logs(node, "{\"fromBlock\":\"0x0\",\"topics\":[[]]}"), 3);
    assert_int_equal(logs(node, "{\"fromBlock\":\"0x0\",\"topics\":[null,null]}"), 0); /* more places than topics */
    assert_int_equal(logs(node, "{\"fromBlock\":\"0x0\",\"address\":[\"" ALICE "\"]}"), 0);
    assert_int_equal(logs(node, "{\"fromBlock\":\"0x0\",\"address\":[\"" ALICE "\",\"" CODE "\"]}"), 3);
    assert_int_equal(logs(node, "{\"fromBlock\":\"0x0\",\"topics\":[\"0x" WORD "04\"]}"), 0);
    expect_error(node, "eth_getLogs", "{\"fromBlock\":\"0x3\",\"toBlock\":\"0x2\"}", -32602,
                 "invalid block range params");
    expect_error(node, "eth_getLogs", "{\"blockHash\":\"" FIRST "\"}", -32000, "unknown block");
    expect_error(node, "eth_getLogs", "{\"topics\":[null,null,null,null,null]}", -32602, "exceed max topics");
    expect_error(node, "eth_getLogs", "{\"address\":\"0x12\"}", -32602, "invalid address of the filter");
    new_filter(node, "eth_newFilter", "{\"fromBlock\":\"0x2\"}", id);
    json_t *all = rpc(node, "eth_getFilterLogs", id);
    assert_int_equal(json_array_size(all), 2);
    json_decref(all);
    cevm_node_destroy(node);
}

/* ---- Subscriptions, to a connection that only counts ------------------------------------------------------------------ */

struct cevm_session {
    cevm_session_guest *guest;
    char *last; /* of what was sent */
    size_t count;
};

bool cevm_session_send(cevm_session *session, const char *json, size_t size)
{
    free(session->last);
    session->last = strndup(json, size);
    ++session->count;
    return true;
}

void cevm_session_attach(cevm_session *session, cevm_session_guest *guest) { session->guest = guest; }

cevm_session_guest *cevm_session_guest_of(const cevm_session *session, const void *kind)
{
    return session->guest != NULL && session->guest->kind == kind ? session->guest : NULL;
}

static void close_session(cevm_session *session)
{
    if (session->guest != NULL) {
        session->guest->closed(session->guest, session);
    }
    free(session->last);
}

static uint64_t subscribe(cevm_node *node, cevm_session *session, cevm_filter_kind kind)
{
    cevm_filter_terms terms = {.kind = kind};
    uint64_t id = 0;
    assert_int_equal(cevm_filters_subscribe(cevm_node_filters(node), &id, session, &terms), CEVM_OK);
    return id;
}

/** What was sent last: its result; the caller drops it. */
static json_t *last_result(const cevm_session *session, uint64_t id)
{
    char text[40];
    json_t *message = json_loads(session->last, 0, NULL);
    assert_non_null(message);
    assert_string_equal(json_string_value(json_object_get(message, "method")), "eth_subscription");
    const json_t *params = json_object_get(message, "params");
    (void)snprintf(text, sizeof text, "0x%llx", (unsigned long long)id);
    assert_string_equal(json_string_value(json_object_get(params, "subscription")), text);
    json_t *result = json_incref(json_object_get(params, "result"));
    json_decref(message);
    return result;
}

static void test_told_of_heads(void **unused)
{
    cevm_node *node = node_open();
    cevm_session session = {.count = 0};
    (void)unused;
    const uint64_t id = subscribe(node, &session, CEVM_FILTER_BLOCKS);
    rpc_do(node, "evm_mine", "");
    rpc_do(node, "evm_mine", "");
    assert_int_equal(session.count, 2);
    json_t *head = last_result(&session, id);
    assert_int_equal(quantity(head, "number"), 2);
    assert_null(json_object_get(head, "transactions"));
    json_decref(head);
    assert_true(cevm_filters_unsubscribe(cevm_node_filters(node), &session, id));
    assert_false(cevm_filters_unsubscribe(cevm_node_filters(node), &session, id));
    rpc_do(node, "evm_mine", "");
    assert_int_equal(session.count, 2);
    close_session(&session);
    cevm_node_destroy(node);
}

static void test_told_of_logs_and_their_removal(void **unused)
{
    cevm_node *node = open_with_emitter();
    cevm_session session = {.count = 0};
    (void)unused;
    const uint64_t id = subscribe(node, &session, CEVM_FILTER_LOGS);
    emit(node, 1, 7);
    assert_int_equal(session.count, 1);
    rpc_do(node, "anvil_rollback", "1");
    assert_int_equal(session.count, 2);
    json_t *log = last_result(&session, id);
    assert_true(json_is_true(json_object_get(log, "removed")));
    json_decref(log);
    close_session(&session);
    cevm_node_destroy(node);
}

static void test_told_of_transactions_and_receipts(void **unused)
{
    cevm_node *node = node_open();
    cevm_session pending = {.count = 0};
    cevm_session receipts = {.count = 0};
    char hash[67];
    (void)unused;
    const uint64_t a = subscribe(node, &pending, CEVM_FILTER_TXS);
    const uint64_t b = subscribe(node, &receipts, CEVM_FILTER_RECEIPTS);
    send_wei(node, "", hash);
    assert_int_equal(pending.count, 1);
    json_t *seen = last_result(&pending, a);
    assert_string_equal(json_string_value(seen), hash);
    json_decref(seen);
    assert_int_equal(receipts.count, 1);
    seen = last_result(&receipts, b);
    assert_int_equal(json_array_size(seen), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(seen, 0), "transactionHash")), hash);
    json_decref(seen);
    rpc_do(node, "evm_mine", ""); /* no transaction, no receipts */
    assert_int_equal(receipts.count, 1);
    close_session(&pending);
    send_wei(node, "", NULL);
    assert_int_equal(receipts.count, 2);
    close_session(&receipts);
    cevm_node_destroy(node);
}

static void test_no_subscription_without_a_connection(void **unused)
{
    cevm_node *node = node_open();
    json_t *answer = rpc_answer(node, "eth_subscribe", "\"newHeads\"");
    (void)unused;
    assert_non_null(json_object_get(answer, "error"));
    json_decref(answer);
    cevm_node_destroy(node);
}

/* Few logs among many empty blocks are found without a look at each block, in order, and as they are on the present branch. */
static void test_sparse_logs(void **unused)
{
    cevm_node *node = open_with_emitter();
    char snapshot[40];
    (void)unused;
    for (unsigned i = 1; i <= 20; ++i) {
        rpc_do(node, "anvil_mine", "\"0x1e\"");
        emit(node, i % 2 + 1, i);
    }
    new_filter(node, "evm_snapshot", "", snapshot);
    json_t *found = rpc(node, "eth_getLogs", "{\"fromBlock\":\"0x1\",\"topics\":[\"" FIRST "\"]}");
    assert_int_equal(json_array_size(found), 10);
    for (size_t i = 0; i < 10; ++i) {
        assert_int_equal(quantity(json_array_get(found, i), "blockNumber"), 31 * 2 * (i + 1));
    }
    json_decref(found);
    assert_int_equal(logs(node, "{\"fromBlock\":\"0x1f\",\"toBlock\":\"0x26c\"}"), 20);
    assert_int_equal(logs(node, "{\"fromBlock\":\"0x20\",\"toBlock\":\"0x26b\"}"), 18);
    rpc_do(node, "anvil_rollback", "32"); /* and with it the last two */
    assert_int_equal(logs(node, "{\"fromBlock\":\"0x0\"}"), 18);
    emit(node, 3, 3); /* the two waited in the pool */
    assert_int_equal(logs(node, "{\"fromBlock\":\"0x0\"}"), 21);
    expect_bool(node, "evm_revert", snapshot, true);
    assert_int_equal(logs(node, "{\"fromBlock\":\"0x0\"}"), 20);
    cevm_node_destroy(node);
    /* What is forgotten is not found. */
    cevm_node_options options = node_options();
    options.history = 300;
    node = node_open_with(&options);
    rpc_do(node, "anvil_setCode", "\"" CODE "\",\"0x6020355f525f3560205fa100\"");
    emit(node, 1, 1);
    emit(node, 1, 2);
    rpc_do(node, "anvil_mine", "\"0x12b\"");
    assert_int_equal(logs(node, "{\"fromBlock\":\"0x0\"}"), 1);
    cevm_node_destroy(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_logs_and_what_is_removed),
        cmocka_unit_test(test_logs_of_a_snapshot),
        cmocka_unit_test(test_pending_transactions),
        cmocka_unit_test(test_get_logs),
        cmocka_unit_test(test_sparse_logs),
        cmocka_unit_test(test_told_of_heads),
        cmocka_unit_test(test_told_of_logs_and_their_removal),
        cmocka_unit_test(test_told_of_transactions_and_receipts),
        cmocka_unit_test(test_no_subscription_without_a_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
