/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Any text as the input of t8n: it is carried out, or the reason is said with one of geth's exit codes; and the accounts
 * that come out, read again, have the root that was told.
 */
#include "cli/t8n.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Enough to get anywhere, too little to take long. */
enum { GAS = 3000000 };

static void check_error(const cevm_t8n_error *error)
{
    static const int codes[] = {CEVM_T8N_EVM,  CEVM_T8N_CONFIG, CEVM_T8N_BLOCK_HASH,
                                CEVM_T8N_JSON, CEVM_T8N_IO,     CEVM_T8N_RLP};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (error->code == codes[i] && error->message.text[0] != '\0') {
            return;
        }
    }
    abort();
}

/* The text of a member of the result. */
static const char *result_of(const cevm_t8n_answer *answer, const char *key)
{
    return json_string_value(json_object_get(answer->result, key));
}

static void check_answer(const cevm_t8n_answer *answer, const cevm_t8n_request *first)
{
    cevm_t8n_request request = *first;
    cevm_t8n_answer again;
    cevm_t8n_error error = {0};
    request.alloc = answer->alloc;
    request.txs = json_array();
    request.is_state_test = true;
    request.pays_reward = false;
    request.tracing.count_opcodes = false;
    if (!cevm_t8n_run(&again, &error, &request) ||
        strcmp(result_of(&again, "stateRoot"), result_of(answer, "stateRoot")) != 0) {
        abort();
    }
    cevm_t8n_answer_clear(&again);
    json_decref(request.txs);
}

static bool is_small(const json_t *env)
{
    json_t *limit = json_object_get(env, "currentGasLimit");
    cevm_json_error error;
    cevm_json_at at = cevm_json_root(limit, "fuzz", NULL, &error);
    uint64_t gas = 0;
    return limit == NULL || json_is_null(limit) || !cevm_json_u64(&gas, &at) || gas <= GAS;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned sum = 0; /* picks the fork: the text itself does not name it */
    json_t *json = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
    json_t *env = json_object_get(json, "env");
    for (size_t i = 0; i < size; i++) {
        sum += data[i];
    }
    if (env == NULL || !is_small(env)) {
        json_decref(json);
        return 0;
    }
    cevm_t8n_answer answer;
    cevm_t8n_error error = {0};
    cevm_t8n_request request = {.fork = cevm_fork_name((cevm_fork)(sum % CEVM_FORK_COUNT)),
                                .chain_id = 1,
                                .pays_reward = true,
                                .keeps_invalid = true,
                                .alloc = json_object_get(json, "alloc"),
                                .env = env,
                                .txs = json_object_get(json, "txs"),
                                .alloc_name = "alloc",
                                .env_name = "env",
                                .txs_name = "txs",
                                .tracing = {.count_opcodes = true}};
    if (request.txs != NULL && cevm_t8n_run(&answer, &error, &request)) {
        check_answer(&answer, &request);
        cevm_t8n_answer_clear(&answer);
    } else if (request.txs != NULL) {
        check_error(&error);
    }
    json_decref(json);
    return 0;
}
