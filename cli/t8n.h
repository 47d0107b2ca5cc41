/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cli/t8n.h: the state transition tool and its relatives, to the contract of geth's `evm t8n`, `t9n` and `b11r`:
 * t8n.c and t8n_server.c take work from a command line and from HTTP; t8n_env.c and t8n_txs.c read it; t8n_rules.c knows
 * the forks by name; t8n_run.c does it; t8n_output.c writes what came of it; t8n_reject.c words refusals as geth does;
 * t8n_trace.c writes trace files and counts opcodes; t8n_files.c reads and writes files.
 *
 * Convention: functions that return bool have filled the error when it is false. Threads: no shared state.
 */
#ifndef CEVM_CLI_T8N_H
#define CEVM_CLI_T8N_H

#include <cevm/cevm.h>
#include <cevm/execution.h>

#include <jansson.h>
#include <stdio.h>

#include "chain/json.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "ethereum-tests/networks.h"

/** geth's exit codes, which callers tell failures apart by. */
enum {
    CEVM_T8N_EVM = 2,        /* the block cannot be executed */
    CEVM_T8N_CONFIG = 3,     /* fork, environment and options do not fit together */
    CEVM_T8N_BLOCK_HASH = 4, /* BLOCKHASH wants a hash that was not given */
    CEVM_T8N_JSON = 10,
    CEVM_T8N_IO = 11,
    CEVM_T8N_RLP = 12
};

typedef struct cevm_t8n_error {
    int code;
    cevm_json_error message;
} cevm_t8n_error;

/** Fills the error; returns false. */
bool cevm_t8n_fail(cevm_t8n_error *error, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/** Gives the message that is already there its code; returns false. */
bool cevm_t8n_code(cevm_t8n_error *error, int code);
/** Fails when there is an argument that is no option: none of these tools takes one. */
bool cevm_t8n_only_options(cevm_t8n_error *error, const cevm_arguments *arguments);
/** Writes "ERROR(10): …" to stderr; returns the exit code. */
int cevm_t8n_report(const cevm_t8n_error *error);

/* ---- Rules (t8n_rules.c) ------------------------------------------------------------------------------------------ */

/**
 * The rules behind --state.fork. `schedule` is {"Cancun": {"target", "max", "baseFeeUpdateFraction"}…} or NULL for the
 * parameters of mainnet and, for BPO1 to BPO4, of geth's test networks.
 */
bool cevm_t8n_rules(cevm_test_network *out, cevm_t8n_error *error, const char *fork, json_t *schedule);
/** Writes the names, wrapped, for --help. */
void cevm_t8n_list_forks(FILE *to);
/** The fork when none is named, as in geth. */
#define CEVM_T8N_DEFAULT_FORK "GrayGlacier"

/* ---- The environment (t8n_env.c) ---------------------------------------------------------------------------------- */

typedef struct cevm_t8n_number {
    bool given;
    cevm_u256 value;
} cevm_t8n_number;

typedef struct cevm_t8n_block_hash {
    uint64_t number;
    cevm_hash hash;
} cevm_t8n_block_hash;

/** What "env" says, and what follows from it. Lists live in the arena it was read into. */
typedef struct cevm_t8n_env {
    cevm_address coinbase;
    uint64_t gas_limit, number, timestamp;
    cevm_t8n_number difficulty, random, base_fee, excess_blob_gas;
    cevm_t8n_number parent_difficulty, parent_base_fee, parent_excess_blob_gas, parent_blob_gas_used;
    uint64_t parent_gas_used, parent_gas_limit, parent_timestamp;
    bool has_parent_ommers_hash, has_parent_beacon_root, has_parent_hash;
    cevm_hash parent_ommers_hash, parent_beacon_root, parent_hash;
    bool has_block_hashes, has_withdrawals;
    const cevm_t8n_block_hash *block_hashes;
    size_t block_hash_count;
    const cevm_ommer_reward *ommers;
    size_t ommer_count;
    const cevm_withdrawal *withdrawals;
    size_t withdrawal_count;
    bool is_merged;
    cevm_fork fork;
} cevm_t8n_env;

bool cevm_t8n_read_env(cevm_t8n_env *out, cevm_t8n_error *error, json_t *json, const char *file, cevm_arena *arena);
/** Checks that the fork has what it needs, and works out from the parent's fields what is not given. */
bool cevm_t8n_complete_env(cevm_t8n_env *env, cevm_t8n_error *error, const cevm_test_network *network,
                           bool is_state_test);
/** [{"index", "validatorIndex", "address", "amount"}] (EIP-4895). */
bool cevm_t8n_read_withdrawals(const cevm_withdrawal **out, size_t *count, const cevm_json_at *list, cevm_arena *arena);
/** The hash of a past block, or NULL when it was not given. */
const cevm_hash *cevm_t8n_find_hash(const cevm_t8n_env *env, uint64_t number);

/* ---- Transactions (t8n_txs.c) ------------------------------------------------------------------------------------- */

/** One transaction of the input. */
typedef struct cevm_t8n_tx {
    cevm_tx *tx; /* NULL: it could not be decoded, `reason` tells why */
    cevm_tx_error reason;
    cevm_bytes raw; /* as it stands in the transactions trie */
    cevm_hash hash;
    bool owned; /* made by cevm_tx_decode */
} cevm_t8n_tx;

typedef struct cevm_t8n_txs {
    cevm_t8n_tx *items;
    size_t count;
} cevm_t8n_txs;

/** From a JSON array; unsigned ones with a secretKey are signed. */
bool cevm_t8n_txs_from_json(cevm_t8n_txs *out, cevm_t8n_error *error, json_t *json, const char *file, uint64_t chain_id,
                            cevm_arena *arena);
/** From an RLP list, which must outlive *out. One that cannot be decoded is an item without `tx`. */
bool cevm_t8n_txs_from_rlp(cevm_t8n_txs *out, cevm_t8n_error *error, cevm_bytes rlp, cevm_arena *arena);
void cevm_t8n_txs_clear(cevm_t8n_txs *txs);

/* ---- Refusals (t8n_reject.c) -------------------------------------------------------------------------------------- */

enum { CEVM_T8N_REASON_SIZE = 256, CEVM_T8N_GAS_PER_BLOB = 1 << 17 /* EIP-4844 */ };

/** What a refusal is worded from; usage and state may be NULL. */
typedef struct cevm_t8n_refusal {
    const cevm_tx *tx;
    const cevm_block_env *block;
    const cevm_block_usage *usage;
    cevm_state *state;
} cevm_t8n_refusal;

/** geth's wording of a reason, with the numbers it names. */
void cevm_t8n_describe(char out[CEVM_T8N_REASON_SIZE], cevm_tx_error reason, const cevm_t8n_refusal *about);
/** geth's wording for one that could not be decoded. */
void cevm_t8n_describe_encoding(char out[CEVM_T8N_REASON_SIZE], const cevm_t8n_tx *item);

/* ---- The transition (t8n_run.c) ----------------------------------------------------------------------------------- */

/** How instructions are traced; zero is no trace. */
typedef struct cevm_t8n_tracing {
    bool trace;
    bool memory, no_stack, return_data, call_frames;
    bool count_opcodes;
    const char *tracer; /* --trace.tracer: a named tracer instead of the lines; NULL for none */
    const char *config; /* its options, JSON; NULL for none */
    const char *folder; /* where trace files go */
} cevm_t8n_tracing;

/** All that is to be done. Borrowed. */
typedef struct cevm_t8n_request {
    const char *fork;
    json_t *blob_schedule; /* may be NULL */
    uint64_t chain_id;
    bool pays_reward;
    cevm_u256 reward;   /* wei */
    bool is_state_test; /* only the transactions: no system calls, withdrawals, requests, rewards */
    bool keeps_invalid; /* a block that cannot be valid is an answer ("blockException"), not a failure */
    json_t *alloc, *env;
    json_t *txs; /* an array; or NULL, and the RLP below */
    cevm_bytes rlp;
    const char *alloc_name, *env_name, *txs_name; /* for messages */
    uint64_t deadline_ns; /* CLOCK_MONOTONIC nanoseconds at which execution is stopped; 0 = never */
    cevm_t8n_tracing tracing;
} cevm_t8n_request;

/** What came of it. The JSON is the caller's (json_decref). */
typedef struct cevm_t8n_answer {
    json_t *alloc, *result, *body;
    json_t *opcode_counts; /* NULL unless asked for */
} cevm_t8n_answer;

bool cevm_t8n_run(cevm_t8n_answer *out, cevm_t8n_error *error, const cevm_t8n_request *request);
void cevm_t8n_answer_clear(cevm_t8n_answer *answer);

/* ---- Output (t8n_output.c) ---------------------------------------------------------------------------------------- */

/** One refused transaction. */
typedef struct cevm_t8n_rejected {
    size_t index;
    char reason[CEVM_T8N_REASON_SIZE];
} cevm_t8n_rejected;

/** What the result is written from. */
typedef struct cevm_t8n_outcome {
    const cevm_t8n_env *env;
    const cevm_block_env *block;
    const cevm_execution_output *output;
    cevm_hash state_root, tx_root;
    const cevm_block_receipt *receipts;
    size_t receipt_count;
    const cevm_t8n_rejected *rejected;
    size_t rejected_count;
    bool has_withdrawals_root;
    cevm_hash withdrawals_root;
    const char *block_exception; /* NULL when there is none */
} cevm_t8n_outcome;

/** The result as geth writes it; NULL when memory runs out. */
json_t *cevm_t8n_result_json(const cevm_t8n_outcome *outcome);
/** The accounts of a store, by address; NULL when memory runs out. */
json_t *cevm_t8n_alloc_json(cevm_memdb *db);
/** "0x…"; NULL when memory runs out. */
json_t *cevm_t8n_json_hex(cevm_bytes bytes);
/** "0x1f" */
json_t *cevm_t8n_json_quantity(uint64_t value);

/* ---- Traces (t8n_trace.c) ----------------------------------------------------------------------------------------- */

typedef struct cevm_t8n_tracer cevm_t8n_tracer;

/** NULL in *out when nothing is traced or counted. `state` tells balances to the trace of frames. */
bool cevm_t8n_tracer_create(cevm_t8n_tracer **out, cevm_t8n_error *error, const cevm_t8n_tracing *options,
                            cevm_state *state);
void cevm_t8n_tracer_destroy(cevm_t8n_tracer *tracer);
/** Hooks for what is no transaction: counted, not traced. NULL when nothing is counted. */
const cevm_tracer *cevm_t8n_tracer_system(cevm_t8n_tracer *tracer);
/** Opens the file of a transaction; *out are the hooks. */
bool cevm_t8n_tracer_begin(const cevm_tracer **out, cevm_t8n_tracer *tracer, cevm_t8n_error *error,
                           const cevm_t8n_tx *tx, const cevm_block_env *block);
/** receipt is NULL when the transaction was refused or stopped. */
bool cevm_t8n_tracer_end(cevm_t8n_tracer *tracer, cevm_t8n_error *error, const cevm_receipt *receipt);
/** {"PUSH1": 3, …}; NULL when memory runs out. */
json_t *cevm_t8n_tracer_counts(const cevm_t8n_tracer *tracer);

/* ---- Files (t8n_files.c) ------------------------------------------------------------------------------------------ */

/** Reads JSON of any kind from a file, or from standard input when path is "stdin". `what` names it in messages. */
bool cevm_t8n_read_json(json_t **out, cevm_t8n_error *error, const char *path, const char *what);
/** Makes a folder and those above it. NULL and "" are fine. */
bool cevm_t8n_make_folder(cevm_t8n_error *error, const char *path);
/** Writes a document into folder/name (folder may be NULL). */
bool cevm_t8n_write_file(cevm_t8n_error *error, const char *folder, const char *name, const json_t *json);
/** Writes a document to a stream, indented by two, with a newline. */
bool cevm_t8n_write_stream(cevm_t8n_error *error, FILE *to, const json_t *json);
/** Hex text, "0x" optional, to bytes in the arena. */
bool cevm_t8n_read_hex(cevm_bytes *out, cevm_t8n_error *error, const char *what, const char *text, cevm_arena *arena);

#endif
