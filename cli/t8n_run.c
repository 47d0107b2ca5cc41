/* SPDX-License-Identifier: Apache-2.0 */
/* A transition from beginning to end: read, execute, write. */
#include <string.h>

#include "chain/alloc.h"
#include "chain/receipts.h"
#include "chain/requests.h"
#include "chain/validate.h"
#include "cli/t8n.h"
#include "state/layer.h"

/* A store that knows no block hashes but those of the environment, and remembers when it was asked for another. */
typedef struct hash_db {
    cevm_db inner; /* first: state/layer.h */
    const cevm_t8n_env *env;
    bool missed;
    uint64_t number;
} hash_db;

static cevm_err db_block_hash(void *ctx, cevm_hash *out, uint64_t number)
{
    hash_db *db = ctx;
    const cevm_hash *hash = cevm_t8n_find_hash(db->env, number);
    if (hash == NULL) {
        db->missed = true;
        db->number = number;
        return CEVM_ERR_BACKEND;
    }
    *out = *hash;
    return CEVM_OK;
}

static const cevm_db_vtable hash_db_vtable = {.struct_size = sizeof(cevm_db_vtable),
                                              .account = cevm_layer_account,
                                              .storage = cevm_layer_storage,
                                              .code = cevm_layer_code,
                                              .block_hash = db_block_hash,
                                              .commit = cevm_layer_commit,
                                              .root = cevm_layer_root};

/* Everything a transition holds while it goes on. */
typedef struct transition {
    const cevm_t8n_request *request;
    cevm_t8n_error *error;
    cevm_arena arena;
    cevm_test_network network;
    cevm_t8n_env env;
    cevm_t8n_txs txs;
    cevm_memdb *memdb;
    hash_db db;
    cevm_state *state;
    cevm_vm *vm;
    cevm_execution_input input;
    cevm_execution *execution;
    cevm_t8n_tracer *tracer;
    cevm_bytes *included; /* the encodings of those in the block */
    size_t included_count;
    cevm_t8n_rejected *rejected;
    size_t rejected_count;
    cevm_execution_output output;
    cevm_block_error block_error;
} transition;

static bool failed(transition *t, cevm_err err)
{
    if (err == CEVM_ERR_BACKEND && t->db.missed) {
        return cevm_t8n_fail(
            t->error, CEVM_T8N_BLOCK_HASH, "getHash(%llu) invoked, %s", (unsigned long long)t->db.number,
            t->env.has_block_hashes ? "blockhash for that block not provided" : "no blockhashes provided");
    }
    return cevm_t8n_fail(t->error, CEVM_T8N_EVM, "%s", cevm_err_string(err));
}

/* ---- Input -------------------------------------------------------------------------------------------------------- */

static bool read_alloc(transition *t)
{
    const cevm_t8n_request *request = t->request;
    cevm_genesis_alloc alloc = {0};
    cevm_json_at at = cevm_json_root(request->alloc, request->alloc_name, NULL, &t->error->message);
    bool is_given = request->alloc != NULL && !json_is_null(request->alloc);
    if (is_given && !cevm_genesis_alloc_load(&alloc, &at, &t->arena)) {
        return cevm_t8n_code(t->error, CEVM_T8N_JSON);
    }
    cevm_err err = cevm_memdb_create(&t->memdb, NULL);
    if (err == CEVM_OK) {
        err = cevm_genesis_alloc_store(t->memdb, &alloc);
    }
    return err == CEVM_OK || failed(t, err);
}

static bool read_input(transition *t)
{
    const cevm_t8n_request *r = t->request;
    if (!cevm_t8n_read_env(&t->env, t->error, r->env, r->env_name, &t->arena) ||
        !cevm_t8n_rules(&t->network, t->error, r->fork, r->blob_schedule)) {
        return false;
    }
    t->network.config.chain_id = r->chain_id;
    bool ok = r->txs != NULL ? cevm_t8n_txs_from_json(&t->txs, t->error, r->txs, r->txs_name, r->chain_id, &t->arena)
                             : cevm_t8n_txs_from_rlp(&t->txs, t->error, r->rlp, &t->arena);
    return ok && cevm_t8n_complete_env(&t->env, t->error, &t->network, r->is_state_test) && read_alloc(t);
}

static void fill_block_env(cevm_block_env *out, const transition *t)
{
    const cevm_t8n_env *env = &t->env;
    const cevm_chain_config *config = &t->network.config;
    cevm_blob_params blobs = cevm_chain_blob_params(config, env->timestamp);
    *out = (cevm_block_env){.fork = env->fork,
                            .coinbase = env->coinbase,
                            .number = env->number,
                            .timestamp = env->timestamp,
                            .gas_limit = env->gas_limit,
                            .difficulty = env->difficulty.value,
                            .max_blobs = blobs.max,
                            .chain_id = config->chain_id};
    cevm_u256_to_be(out->prev_randao.bytes, &env->random.value);
    if (CEVM_HAS_EIP(env->fork, 1559)) {
        out->base_fee = env->base_fee.value;
    }
    if (env->excess_blob_gas.given) {
        cevm_blob_base_fee(&out->blob_base_fee, env->excess_blob_gas.value.w[0], blobs.base_fee_update_fraction);
    }
}

static bool prepare(transition *t)
{
    const cevm_t8n_request *r = t->request;
    const cevm_activation *dao = &t->network.config.dao_fork;
    const cevm_hash *parent = t->env.number != 0 ? cevm_t8n_find_hash(&t->env, t->env.number - 1) : NULL;
    cevm_execution_input *in = &t->input;
    *in = (cevm_execution_input){.struct_size = sizeof *in,
                                 .parent_beacon_root = t->env.parent_beacon_root,
                                 .is_dao_fork = dao->kind == CEVM_BY_BLOCK && dao->at == t->env.number,
                                 .pays_reward = r->pays_reward,
                                 .reward = r->reward,
                                 .ommers = t->env.ommers,
                                 .ommer_count = t->env.ommer_count,
                                 .deposit_contract = t->network.config.deposit_contract};
    if (CEVM_HAS_EIP(t->env.fork, 4895)) {
        in->withdrawals = t->env.withdrawals;
        in->withdrawal_count = t->env.withdrawal_count;
    }
    if (t->env.has_parent_hash) {
        in->parent_hash = t->env.parent_hash;
    } else if (parent != NULL) {
        in->parent_hash = *parent;
    }
    fill_block_env(&in->env, t);
    t->db = (hash_db){.inner = cevm_memdb_interface(t->memdb), .env = &t->env};
    const cevm_db db = {&hash_db_vtable, &t->db};
    cevm_err err = cevm_state_create(&t->state, &db, NULL);
    if (err == CEVM_OK) {
        const cevm_vm_config config = {.struct_size = sizeof config, .deadline_ns = r->deadline_ns};
        err = cevm_vm_create(&t->vm, &config);
    }
    if (err == CEVM_OK) {
        err = cevm_execution_create(&t->execution, t->vm, t->state, in, NULL);
    }
    if (err != CEVM_OK) {
        return failed(t, err);
    }
    t->included = cevm_arena_array(&t->arena, t->txs.count, sizeof *t->included);
    t->rejected = cevm_arena_array(&t->arena, t->txs.count, sizeof *t->rejected);
    if (t->included == NULL || t->rejected == NULL) {
        return failed(t, CEVM_ERR_NOMEM);
    }
    return cevm_t8n_tracer_create(&t->tracer, t->error, &r->tracing, t->state);
}

/* ---- Execution ---------------------------------------------------------------------------------------------------- */

/* Whether the blobs of a transaction find room in the block; geth's tool asks that before anything else. */
static bool has_blob_room(const transition *t, const cevm_tx *tx)
{
    uint64_t used = cevm_execution_usage(t->execution).blob_gas_used, wanted = cevm_tx_blob_gas(tx);
    uint64_t room = t->input.env.max_blobs * CEVM_T8N_GAS_PER_BLOB;
    return tx->type != CEVM_TX_BLOB || (wanted <= room && used <= room - wanted);
}

/* What is checked before a transaction comes to the block: its type, its chain, its signature. */
static cevm_err check_signature(cevm_tx_error *reason, const transition *t, cevm_tx *tx)
{
    *reason = cevm_tx_check_type(tx, t->env.fork);
    if (*reason == CEVM_TX_NONE) {
        *reason = cevm_tx_check_chain(tx, t->env.fork, t->network.config.chain_id);
    }
    if (*reason == CEVM_TX_NONE && tx->type == CEVM_TX_LEGACY && tx->has_chain_id && !CEVM_HAS_EIP(t->env.fork, 155)) {
        *reason = CEVM_TX_INVALID_SIGNATURE_VRS; /* signed here in a form that the fork does not know yet */
    }
    if (*reason != CEVM_TX_NONE || tx->has_sender) {
        return CEVM_OK;
    }
    cevm_err err = cevm_tx_recover_sender(tx, reason, t->env.fork, NULL);
    tx->has_sender = err == CEVM_OK && *reason == CEVM_TX_NONE;
    return err;
}

static bool refuse(transition *t, size_t index, cevm_tx_error reason, const cevm_tx *tx)
{
    cevm_block_usage usage = cevm_execution_usage(t->execution);
    const cevm_t8n_refusal about = {.tx = tx, .block = &t->input.env, .usage = &usage, .state = t->state};
    cevm_t8n_rejected *rejected = &t->rejected[t->rejected_count++];
    rejected->index = index;
    if (tx->type == CEVM_TX_BLOB && !t->env.excess_blob_gas.given) {
        (void)snprintf(rejected->reason, sizeof rejected->reason, "blob tx used but field env.ExcessBlobGas missing");
        return true;
    }
    cevm_t8n_describe(rejected->reason, reason, &about);
    return true;
}

static bool apply(transition *t, size_t index)
{
    cevm_t8n_tx *item = &t->txs.items[index];
    const cevm_tracer *tracer = NULL;
    cevm_tx_error reason = CEVM_TX_NONE;
    if (item->tx == NULL) {
        cevm_t8n_rejected *rejected = &t->rejected[t->rejected_count++];
        rejected->index = index;
        cevm_t8n_describe_encoding(rejected->reason, item);
        return true;
    }
    if (item->tx->type == CEVM_TX_BLOB && !t->env.excess_blob_gas.given) {
        return refuse(t, index, CEVM_TX_TYPE_3_TX_PRE_FORK, item->tx);
    }
    cevm_err err = check_signature(&reason, t, item->tx);
    if (err != CEVM_OK) {
        return failed(t, err);
    }
    if (reason == CEVM_TX_NONE && !has_blob_room(t, item->tx)) {
        reason = CEVM_TX_TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED;
    }
    if (reason != CEVM_TX_NONE) {
        return refuse(t, index, reason, item->tx);
    }
    cevm_receipt receipt;
    if (!cevm_t8n_tracer_begin(&tracer, t->tracer, t->error, item, &t->input.env)) {
        return false;
    }
    err = cevm_execution_tx(t->execution, &receipt, &reason, item->tx, tracer);
    bool applied = err == CEVM_OK && reason == CEVM_TX_NONE;
    if (!cevm_t8n_tracer_end(t->tracer, t->error, applied ? &receipt : NULL)) {
        return false;
    }
    if (err != CEVM_OK) {
        return failed(t, err);
    }
    if (reason != CEVM_TX_NONE) {
        return refuse(t, index, reason, item->tx);
    }
    t->included[t->included_count++] = item->raw;
    return true;
}

/* The sums of a block whose end did not come, or is not wanted. */
static cevm_err summarise(transition *t)
{
    static const cevm_requests none = {.count = 0};
    cevm_execution_output *out = &t->output;
    cevm_block_usage usage = cevm_execution_usage(t->execution);
    size_t count = 0;
    const cevm_block_receipt *receipts = cevm_execution_receipts(t->execution, &count);
    *out = (cevm_execution_output){.gas_used = usage.gas_used,
                                   .blob_gas_used = usage.blob_gas_used,
                                   .has_requests = CEVM_HAS_EIP(t->env.fork, 7685)};
    if (out->has_requests) {
        cevm_requests_hash(&out->requests_hash, &none);
    }
    for (size_t i = 0; i < count; i++) {
        cevm_bloom_add_logs(&out->logs_bloom, receipts[i].logs, receipts[i].log_count);
    }
    cevm_buf scratch;
    cevm_buf_init(&scratch, NULL);
    cevm_err err = cevm_receipts_logs_hash(&out->logs_hash, receipts, count, &scratch);
    cevm_buf_free(&scratch);
    return err != CEVM_OK ? err : cevm_receipts_root(&out->receipts_root, receipts, count, NULL);
}

static bool end_block(transition *t)
{
    const cevm_tracer *tracer = cevm_t8n_tracer_system(t->tracer);
    cevm_err err = CEVM_OK;
    if (!t->request->is_state_test) {
        err = cevm_execution_end(t->execution, &t->output, &t->block_error, tracer);
    }
    if (err == CEVM_OK && t->block_error != CEVM_BLOCK_NONE && !t->request->keeps_invalid) {
        return cevm_t8n_fail(t->error, CEVM_T8N_EVM, "failed to process post-execution: %s",
                             cevm_block_error_string(t->block_error));
    }
    if (err == CEVM_OK && (t->request->is_state_test || t->block_error != CEVM_BLOCK_NONE)) {
        err = summarise(t);
    }
    if (err == CEVM_OK) {
        err = cevm_state_commit(t->state);
    }
    return err == CEVM_OK || failed(t, err);
}

static bool execute(transition *t)
{
    cevm_err err = CEVM_OK;
    if (!t->request->is_state_test) {
        err = cevm_execution_begin(t->execution, cevm_t8n_tracer_system(t->tracer));
    }
    if (err != CEVM_OK) {
        return failed(t, err);
    }
    for (size_t i = 0; i < t->txs.count; i++) {
        if (!apply(t, i)) {
            return false;
        }
    }
    return end_block(t);
}

/* ---- Output ------------------------------------------------------------------------------------------------------- */

static json_t *body_json(const transition *t)
{
    cevm_buf buf;
    cevm_buf_init(&buf, NULL);
    size_t mark = cevm_rlp_list_begin(&buf);
    for (size_t i = 0; i < t->included_count; i++) {
        cevm_bytes raw = t->included[i];
        if (raw.data[0] >= 0xc0) { /* legacy: a list already */
            cevm_buf_append(&buf, raw.data, raw.size);
        } else {
            cevm_rlp_put_bytes(&buf, raw.data, raw.size);
        }
    }
    cevm_rlp_list_end(&buf, mark);
    json_t *json = buf.failed ? NULL : cevm_t8n_json_hex((cevm_bytes){buf.data, buf.size});
    cevm_buf_free(&buf);
    return json;
}

static bool answer(cevm_t8n_answer *out, transition *t)
{
    cevm_t8n_outcome o = {.env = &t->env,
                          .block = &t->input.env,
                          .output = &t->output,
                          .rejected = t->rejected,
                          .rejected_count = t->rejected_count,
                          .has_withdrawals_root = t->env.has_withdrawals,
                          .block_exception =
                              t->block_error != CEVM_BLOCK_NONE ? cevm_block_error_string(t->block_error) : NULL};
    o.receipts = cevm_execution_receipts(t->execution, &o.receipt_count);
    cevm_err err = cevm_memdb_root(t->memdb, &o.state_root);
    if (err == CEVM_OK) {
        err = cevm_transactions_root(&o.tx_root, t->included, t->included_count, NULL);
    }
    if (err == CEVM_OK && o.has_withdrawals_root) {
        err = cevm_withdrawals_root(&o.withdrawals_root, t->env.withdrawals, t->env.withdrawal_count, NULL);
    }
    if (err != CEVM_OK) {
        return failed(t, err);
    }
    bool counts = t->request->tracing.count_opcodes;
    out->result = cevm_t8n_result_json(&o);
    out->alloc = cevm_t8n_alloc_json(t->memdb);
    out->body = body_json(t);
    out->opcode_counts = counts ? cevm_t8n_tracer_counts(t->tracer) : NULL;
    return (out->result != NULL && out->alloc != NULL && out->body != NULL &&
            (!counts || out->opcode_counts != NULL)) ||
           failed(t, CEVM_ERR_NOMEM);
}

bool cevm_t8n_run(cevm_t8n_answer *out, cevm_t8n_error *error, const cevm_t8n_request *request)
{
    transition t = {.request = request, .error = error, .block_error = CEVM_BLOCK_NONE};
    *out = (cevm_t8n_answer){0};
    bool ok = read_input(&t) && prepare(&t) && execute(&t) && answer(out, &t);
    if (!ok) {
        cevm_t8n_answer_clear(out);
    }
    cevm_t8n_tracer_destroy(t.tracer);
    cevm_execution_destroy(t.execution);
    cevm_vm_destroy(t.vm);
    cevm_state_destroy(t.state);
    cevm_memdb_destroy(t.memdb);
    cevm_t8n_txs_clear(&t.txs);
    cevm_arena_destroy(&t.arena);
    return ok;
}

void cevm_t8n_answer_clear(cevm_t8n_answer *answer)
{
    json_decref(answer->alloc);
    json_decref(answer->result);
    json_decref(answer->body);
    json_decref(answer->opcode_counts);
    *answer = (cevm_t8n_answer){0};
}
