/* SPDX-License-Identifier: Apache-2.0 */
/* eth_subscribe and eth_unsubscribe, for connections that last. */
#include <cevm/alloc.h>

#include "rpc/filters.h"
#include "rpc/member.h"
#include "rpc/methods.h"

static bool read_hashes(cevm_filter_terms *out, cevm_rpc_call *call, const json_t *object)
{
    const json_t *list = cevm_member(object, "transactionHashes");
    const size_t count = json_array_size(list);
    if (list != NULL && !json_is_array(list)) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "invalid transactionHashes: an array is wanted");
    }
    if (count == 0) {
        return true;
    }
    if (count > CEVM_LOG_MAX_TOPICS) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "too many transactionHashes: at most %d are allowed",
                             (int)CEVM_LOG_MAX_TOPICS);
    }
    out->hashes = cevm_resize_array(out->logs.allocator, NULL, count, sizeof *out->hashes);
    if (out->hashes == NULL) {
        return cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
    }
    out->hash_count = count;
    for (size_t i = 0; i < count; ++i) {
        if (!cevm_rpc_read_hash(&out->hashes[i], call, json_array_get(list, i), "transaction hash")) {
            cevm_filter_terms_free(out);
            return false;
        }
    }
    return true;
}

static bool read_terms(cevm_filter_terms *out, cevm_rpc_call *call)
{
    const char *name = json_string_value(cevm_rpc_param(call, 0));
    json_t *options = cevm_rpc_param(call, 1);
    const cevm_allocator *allocator = cevm_node_allocator(call->node);
    *out = (cevm_filter_terms){.logs = {.allocator = allocator}};
    if (name != NULL && strcmp(name, "newHeads") == 0) {
        out->kind = CEVM_FILTER_BLOCKS;
        return true;
    }
    if (name != NULL && strcmp(name, "logs") == 0) {
        out->kind = CEVM_FILTER_LOGS;
        return cevm_log_filter_read(&out->logs, call, options, allocator);
    }
    if (name != NULL && strcmp(name, "newPendingTransactions") == 0) {
        out->kind = json_is_true(options) ? CEVM_FILTER_TXS_FULL : CEVM_FILTER_TXS;
        return true;
    }
    if (name != NULL && strcmp(name, "transactionReceipts") == 0) {
        out->kind = CEVM_FILTER_RECEIPTS;
        return read_hashes(out, call, options);
    }
    if (name != NULL && strcmp(name, "syncing") == 0) {
        out->kind = CEVM_FILTER_SYNCING;
        return true;
    }
    return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS,
                         "no \"%.40s\" subscription: there are newHeads, logs, newPendingTransactions, "
                         "transactionReceipts and syncing",
                         name != NULL ? name : "");
}

static bool has_session(cevm_rpc_call *call)
{
    return call->session != NULL ||
           cevm_rpc_fail(call, CEVM_RPC_METHOD_NOT_FOUND, "notifications not supported: connect by WebSocket or IPC");
}

void cevm_rpc_eth_subscribe(cevm_rpc_call *call)
{
    cevm_filter_terms terms;
    uint64_t id = 0;
    if (!has_session(call) || !read_terms(&terms, call)) {
        return;
    }
    const cevm_err err = cevm_filters_subscribe(cevm_node_filters(call->node), &id, call->session, &terms);
    if (err == CEVM_ERR_LIMIT) {
        (void)cevm_rpc_fail(call, CEVM_RPC_LIMIT, "this connection has %d subscriptions already",
                            (int)CEVM_MAX_SUBSCRIPTIONS);
    } else if (err != CEVM_OK) {
        (void)cevm_rpc_fail_err(call, err);
    } else {
        cevm_json_put_quantity(call->out, id);
    }
}

void cevm_rpc_eth_unsubscribe(cevm_rpc_call *call)
{
    uint64_t id = 0;
    if (has_session(call) && cevm_rpc_read_u64(&id, call, cevm_rpc_param(call, 0), "subscription id")) {
        cevm_json_put_bool(call->out, cevm_filters_unsubscribe(cevm_node_filters(call->node), call->session, id));
    }
}
