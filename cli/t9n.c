/* SPDX-License-Identifier: Apache-2.0 */
/* `cevm t9n`: checks transactions without a state, as geth's tool does. */
#include <cevm/hex.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "chain/validate.h"
#include "cli/options.h"
#include "cli/t8n.h"
#include "evm/u256.h"

/* The rules transactions are checked by. */
typedef struct rules {
    cevm_fork fork;
    uint64_t chain_id;
} rules;

/* Reads the RLP: a file of hex text, or "txsRlp" on standard input. */
static bool read_rlp(cevm_bytes *out, cevm_t8n_error *error, const char *path, cevm_arena *arena)
{
    json_t *json = NULL;
    size_t length = strlen(path);
    bool from_stdin = strcmp(path, "stdin") == 0;
    if (!from_stdin && (length < 4 || strcmp(path + length - 4, ".rlp") != 0)) {
        return cevm_t8n_fail(error, CEVM_T8N_IO, "only rlp supported");
    }
    if (!cevm_t8n_read_json(&json, error, path, "txs")) {
        return false;
    }
    const char *text = json_string_value(from_stdin ? json_object_get(json, "txsRlp") : json);
    bool ok = text != NULL ? cevm_t8n_read_hex(out, error, "txs", text, arena)
                           : cevm_t8n_fail(error, CEVM_T8N_JSON, "failed unmarshalling txs: not a text of hex");
    json_decref(json);
    return ok;
}

/* Whether gas times a price passes 256 bits. */
static bool cost_overflows(const cevm_tx *tx)
{
    const cevm_u256 gas = cevm_u256_from_u64(tx->gas_limit);
    cevm_u256 cost;
    return cevm_u256_mul_overflow(&cost, &tx->max_fee, &gas);
}

/* What is wrong with the fields of a transaction whose sender and intrinsic gas are in order; NULL when nothing is. */
static const char *field_error(const cevm_tx *tx, cevm_fork fork)
{
    if (cevm_tx_check_alone(tx, fork) == CEVM_TX_GAS_LIMIT_EXCEEDS_MAXIMUM) { /* EIP-7825 */
        return "gas limit exceeds maximum";
    }
    if (tx->nonce == UINT64_MAX) { /* EIP-2681 */
        return "nonce exceeds 2^64-1";
    }
    if (u256_lt(&tx->max_fee, &tx->max_priority_fee)) { /* EIP-1559 */
        return "maxFeePerGas < maxPriorityFeePerGas";
    }
    return cost_overflows(tx) ? "gas * gasPrice exceeds 256 bits" : NULL;
}

/* Sender, intrinsic gas, fields: adds what is known to the object, and the first thing that is wrong. */
static bool check(json_t *out, cevm_tx *tx, const rules *r)
{
    const cevm_block_env block = {.fork = r->fork, .chain_id = r->chain_id};
    const cevm_t8n_refusal about = {.tx = tx, .block = &block};
    char text[CEVM_T8N_REASON_SIZE] = "";
    cevm_tx_error reason = cevm_tx_check_type(tx, r->fork);
    if (reason == CEVM_TX_NONE) {
        reason = cevm_tx_check_chain(tx, r->fork, r->chain_id);
    }
    if (reason == CEVM_TX_NONE && cevm_tx_recover_sender(tx, &reason, r->fork, NULL) != CEVM_OK) {
        return false;
    }
    if (reason == CEVM_TX_NONE) {
        cevm_bytes sender = {tx->sender.bytes, sizeof tx->sender.bytes};
        uint64_t intrinsic = cevm_tx_intrinsic_gas(tx, r->fork).gas;
        if (json_object_set_new(out, "address", cevm_t8n_json_hex(sender)) != 0 ||
            json_object_set_new(out, "intrinsicGas", cevm_t8n_json_quantity(intrinsic)) != 0) {
            return false;
        }
        reason = cevm_tx_check_alone(tx, r->fork);
        const char *field = field_error(tx, r->fork);
        if (field != NULL && reason != CEVM_TX_INTRINSIC_GAS_TOO_LOW &&
            reason != CEVM_TX_INTRINSIC_GAS_BELOW_FLOOR_GAS_COST) {
            (void)snprintf(text, sizeof text, "%s", field);
            reason = CEVM_TX_NONE;
        }
    }
    if (reason != CEVM_TX_NONE) {
        cevm_t8n_describe(text, reason, &about);
    }
    return text[0] == '\0' || json_object_set_new(out, "error", json_string(text)) == 0;
}

/* One transaction: {"error", "address", "hash", "intrinsicGas"}, each where there is one. */
static json_t *judge(const cevm_t8n_tx *item, const rules *r)
{
    json_t *found = json_object();
    json_t *out = json_object();
    bool ok = found != NULL && out != NULL;
    if (ok && item->tx == NULL) {
        char text[CEVM_T8N_REASON_SIZE];
        cevm_t8n_describe_encoding(text, item);
        ok = json_object_set_new(found, "error", json_string(text)) == 0;
    } else if (ok) {
        cevm_bytes hash = {item->hash.bytes, sizeof item->hash.bytes};
        ok = json_object_set_new(found, "hash", cevm_t8n_json_hex(hash)) == 0 && check(found, item->tx, r);
    }
    static const char *const order[] = {"error", "address", "hash", "intrinsicGas"};
    for (size_t i = 0; ok && i < sizeof order / sizeof order[0]; i++) {
        json_t *value = json_object_get(found, order[i]);
        ok = value == NULL || json_object_set(out, order[i], value) == 0;
    }
    json_decref(found);
    if (!ok) {
        json_decref(out);
        return NULL;
    }
    return out;
}

static bool judge_all(cevm_t8n_error *error, const cevm_t8n_txs *txs, const rules *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < txs->count; i++) {
        json_t *one = judge(&txs->items[i], r);
        if (one == NULL || json_array_append_new(list, one) != 0) {
            json_decref(list);
            return cevm_t8n_fail(error, CEVM_T8N_EVM, "out of memory");
        }
    }
    bool ok = cevm_t8n_write_stream(error, stdout, list);
    json_decref(list);
    return ok;
}

static bool run(cevm_t8n_error *error, const char *path, const char *fork, uint64_t chain_id)
{
    cevm_arena arena = {0};
    cevm_t8n_txs txs = {0};
    cevm_test_network network;
    cevm_bytes rlp = {0};
    bool ok = cevm_t8n_rules(&network, error, fork, NULL) && read_rlp(&rlp, error, path, &arena);
    if (ok) {
        const rules r = {cevm_chain_fork(&network.config, 0, 0, network.merged_from_start), chain_id};
        ok = cevm_t8n_txs_from_rlp(&txs, error, rlp, &arena) || cevm_t8n_code(error, CEVM_T8N_IO);
        ok = ok && judge_all(error, &txs, &r);
    }
    cevm_t8n_txs_clear(&txs);
    cevm_arena_destroy(&arena);
    return ok;
}

int cevm_cmd_t9n(const cevm_cli *cli, int argc, char **argv)
{
    const char *path = "txs.json", *fork = CEVM_T8N_DEFAULT_FORK, *verbosity = NULL;
    uint64_t chain_id = 1;
    const cevm_option table[] = {
        {"input.txs", CEVM_OPTION_TEXT, &path},
        {"state.fork", CEVM_OPTION_TEXT, &fork},
        {"state.chainid", CEVM_OPTION_NUMBER, &chain_id},
        {"verbosity", CEVM_OPTION_TEXT, &verbosity},
        {NULL, CEVM_OPTION_SWITCH, NULL},
    };
    cevm_arguments arguments;
    cevm_t8n_error error = {0};
    char command[32];
    (void)snprintf(command, sizeof command, "%s %.16s", cli->program, argv[0]);
    if (!cevm_options_parse(&arguments, table, command, argc, argv)) {
        return CEVM_T8N_CONFIG;
    }
    if (arguments.help) {
        cevm_help_t9n(stdout, cli);
        return CEVM_EXIT_OK;
    }
    return cevm_t8n_only_options(&error, &arguments) && run(&error, path, fork, chain_id) ? CEVM_EXIT_OK
                                                                                          : cevm_t8n_report(&error);
}

void cevm_help_t9n(FILE *to, const cevm_cli *cli)
{
    (void)fprintf(to,
                  "Usage: %s t9n [OPTION]...          (also: %s transaction)\n"
                  "\n"
                  "Checks transactions without a state: encoding, signature, intrinsic gas, fields.\n"
                  "Writes a JSON array with an object for each: hash, address (of the sender),\n"
                  "intrinsicGas, and error when it is not valid.\n"
                  "\n",
                  cli->program, cli->program);
    (void)fputs("  --input.txs FILE     an RLP list of transactions as hex text (the name ends\n"
                "                       with .rlp), or stdin: an object with \"txsRlp\"\n"
                "  --state.chainid N    (default 1)\n"
                "  --state.fork NAME    (default " CEVM_T8N_DEFAULT_FORK "); the names are\n"
                "\n",
                to);
    cevm_t8n_list_forks(to);
    (void)fprintf(to,
                  "\n"
                  "Example\n"
                  "  %s t9n --state.fork London --input.txs signed_txs.rlp\n",
                  cli->program);
}
