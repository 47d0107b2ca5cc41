/* SPDX-License-Identifier: Apache-2.0 */
/* `cevm t8n` and `cevm t9n`: the command line of geth's tools. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "cli/t8n.h"

/* What the command line says. */
typedef struct t8n_options {
    const char *alloc, *env, *txs;
    const char *base_dir, *out_alloc, *out_result, *out_body;
    const char *fork, *chain_id, *reward;
    const char *tracer, *tracer_config, *opcode_count;
    bool trace, memory, no_memory, no_stack, return_data, no_return_data, call_frames, state_test;
} t8n_options;

#define T8N_DEFAULTS                                                                               \
    {                                                                                              \
        .alloc = "alloc.json", .env = "env.json", .txs = "txs.json", .out_alloc = "alloc.json",    \
        .out_result = "result.json", .fork = CEVM_T8N_DEFAULT_FORK, .chain_id = "1", .reward = "0" \
    }

/* The input while it is held: what was read from standard input, and what from files. */
typedef struct t8n_input {
    json_t *stdin_json, *alloc, *env, *txs;
    cevm_arena arena;
} t8n_input;

static void input_clear(t8n_input *input)
{
    json_decref(input->stdin_json);
    json_decref(input->alloc);
    json_decref(input->env);
    json_decref(input->txs);
    cevm_arena_destroy(&input->arena);
}

static bool is_stdin(const char *name) { return strcmp(name, "stdin") == 0; }

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* A part of the input: a member of what came on standard input, or a file of its own. */
static bool read_part(json_t **out, cevm_t8n_error *error, const t8n_input *input, const char *path, const char *what)
{
    if (!is_stdin(path)) {
        return cevm_t8n_read_json(out, error, path, what);
    }
    *out = json_incref(json_object_get(input->stdin_json, what));
    return true;
}

static bool read_stdin(t8n_input *input, cevm_t8n_error *error)
{
    if (!cevm_t8n_read_json(&input->stdin_json, error, "stdin", "stdin")) {
        return false;
    }
    return json_is_object(input->stdin_json) ||
           cevm_t8n_fail(error, CEVM_T8N_JSON, "failed unmarshalling stdin: not an object");
}

/* Transactions as RLP: a text of hex. */
static bool read_rlp(cevm_bytes *out, cevm_t8n_error *error, const json_t *json, cevm_arena *arena)
{
    const char *text = json_string_value(json);
    if (text == NULL) {
        return cevm_t8n_fail(error, CEVM_T8N_JSON, "failed unmarshalling txs: not a text of hex");
    }
    return cevm_t8n_read_hex(out, error, "txs", text, arena);
}

static bool read_txs(cevm_t8n_request *request, t8n_input *input, cevm_t8n_error *error, const char *path)
{
    const json_t *rlp = is_stdin(path) ? json_object_get(input->stdin_json, "txsRlp") : NULL;
    if (json_is_string(rlp) && json_string_length(rlp) != 0) {
        return read_rlp(&request->rlp, error, rlp, &input->arena);
    }
    if (!read_part(&input->txs, error, input, path, "txs")) {
        return false;
    }
    if (!is_stdin(path) && ends_with(path, ".rlp")) {
        return read_rlp(&request->rlp, error, input->txs, &input->arena);
    }
    if (input->txs == NULL) {
        input->txs = json_array();
    }
    request->txs = input->txs;
    return true;
}

static bool read_input(cevm_t8n_request *request, t8n_input *input, cevm_t8n_error *error, const t8n_options *o)
{
    if ((is_stdin(o->alloc) || is_stdin(o->env) || is_stdin(o->txs)) && !read_stdin(input, error)) {
        return false;
    }
    if (!read_part(&input->alloc, error, input, o->alloc, "alloc") ||
        !read_part(&input->env, error, input, o->env, "env")) {
        return false;
    }
    if (input->env == NULL) {
        return cevm_t8n_fail(error, CEVM_T8N_JSON, "failed unmarshalling stdin: there is no \"env\"");
    }
    request->alloc = input->alloc;
    request->env = input->env;
    request->alloc_name = "failed unmarshalling alloc";
    request->env_name = "failed unmarshalling env";
    request->txs_name = "failed unmarshalling txs";
    return read_txs(request, input, error, o->txs);
}

static bool read_u64(uint64_t *out, const char *text)
{
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
    *out = value;
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

/* --state.reward: -1 pays nothing to nobody, 0 still touches the coinbase. */
static bool read_reward(cevm_t8n_request *request, const char *text)
{
    request->pays_reward = text[0] != '-';
    return !request->pays_reward ? strcmp(text, "-1") == 0 : cevm_u256_from_text(&request->reward, text);
}

static bool set_state(cevm_t8n_request *request, cevm_t8n_error *error, const t8n_options *o)
{
    request->fork = o->fork;
    request->is_state_test = o->state_test;
    if (!read_u64(&request->chain_id, o->chain_id)) {
        return cevm_t8n_fail(error, CEVM_T8N_CONFIG, "--state.chainid wants a number, not \"%.80s\"", o->chain_id);
    }
    if (!read_reward(request, o->reward)) {
        return cevm_t8n_fail(error, CEVM_T8N_CONFIG, "--state.reward wants a number of wei or -1, not \"%.80s\"",
                             o->reward);
    }
    request->pays_reward = request->pays_reward && !o->state_test;
    request->tracing = (cevm_t8n_tracing){.trace = o->trace,
                                          .memory = o->memory && !o->no_memory,
                                          .no_stack = o->no_stack,
                                          .return_data = o->return_data && !o->no_return_data,
                                          .call_frames = o->call_frames,
                                          .count_opcodes = o->opcode_count != NULL && o->opcode_count[0] != '\0',
                                          .tracer = o->tracer != NULL && o->tracer[0] != '\0' ? o->tracer : NULL,
                                          .config = o->tracer_config,
                                          .folder = o->base_dir};
    return true;
}

/* ---- Output ------------------------------------------------------------------------------------------------------- */

/* What goes to a stream is gathered in one object a stream. */
typedef struct t8n_streams {
    json_t *out, *err;
} t8n_streams;

static bool dispatch(t8n_streams *streams, cevm_t8n_error *error, const t8n_options *o, const char *where,
                     const char *name, json_t *json)
{
    if (where == NULL || where[0] == '\0') {
        return true;
    }
    json_t *stream = strcmp(where, "stdout") == 0 ? streams->out : strcmp(where, "stderr") == 0 ? streams->err : NULL;
    if (stream == NULL) {
        return cevm_t8n_write_file(error, o->base_dir, where, json);
    }
    return json_object_set(stream, name, json) == 0 || cevm_t8n_fail(error, CEVM_T8N_EVM, "out of memory");
}

static bool write_answer(cevm_t8n_error *error, const t8n_options *o, const cevm_t8n_answer *answer)
{
    t8n_streams streams = {json_object(), json_object()};
    bool ok = dispatch(&streams, error, o, o->out_alloc, "alloc", answer->alloc) &&
              dispatch(&streams, error, o, o->out_body, "body", answer->body) &&
              (answer->opcode_counts == NULL ||
               dispatch(&streams, error, o, o->opcode_count, "opcodeCount", answer->opcode_counts)) &&
              dispatch(&streams, error, o, o->out_result, "result", answer->result);
    if (ok && json_object_size(streams.out) != 0) {
        ok = cevm_t8n_write_stream(error, stdout, streams.out);
    }
    if (ok && json_object_size(streams.err) != 0) {
        ok = cevm_t8n_write_stream(error, stderr, streams.err);
    }
    json_decref(streams.out);
    json_decref(streams.err);
    return ok;
}

static bool transition(cevm_t8n_error *error, const t8n_options *o)
{
    cevm_t8n_request request = {0};
    cevm_t8n_answer answer = {0};
    t8n_input input = {0};
    bool ok = cevm_t8n_make_folder(error, o->base_dir) && set_state(&request, error, o) &&
              read_input(&request, &input, error, o) && cevm_t8n_run(&answer, error, &request) &&
              write_answer(error, o, &answer);
    cevm_t8n_answer_clear(&answer);
    input_clear(&input);
    return ok;
}

int cevm_cmd_t8n(const cevm_cli *cli, int argc, char **argv)
{
    t8n_options o = T8N_DEFAULTS;
    const char *verbosity = NULL;
    const cevm_option table[] = {
        {"input.alloc", CEVM_OPTION_TEXT, &o.alloc},
        {"input.env", CEVM_OPTION_TEXT, &o.env},
        {"input.txs", CEVM_OPTION_TEXT, &o.txs},
        {"output.basedir", CEVM_OPTION_TEXT, &o.base_dir},
        {"output.alloc", CEVM_OPTION_TEXT, &o.out_alloc},
        {"output.result", CEVM_OPTION_TEXT, &o.out_result},
        {"output.body", CEVM_OPTION_TEXT, &o.out_body},
        {"state.fork", CEVM_OPTION_TEXT, &o.fork},
        {"state.chainid", CEVM_OPTION_TEXT, &o.chain_id},
        {"state.reward", CEVM_OPTION_TEXT, &o.reward},
        {"state-test", CEVM_OPTION_SWITCH, &o.state_test},
        {"trace", CEVM_OPTION_SWITCH, &o.trace},
        {"trace.tracer", CEVM_OPTION_TEXT, &o.tracer},
        {"trace.jsonconfig", CEVM_OPTION_TEXT, &o.tracer_config},
        {"trace.config", CEVM_OPTION_TEXT, &o.tracer_config},
        {"trace.memory", CEVM_OPTION_SWITCH, &o.memory},
        {"trace.nomemory", CEVM_OPTION_SWITCH, &o.no_memory},
        {"trace.nostack", CEVM_OPTION_SWITCH, &o.no_stack},
        {"trace.returndata", CEVM_OPTION_SWITCH, &o.return_data},
        {"trace.noreturndata", CEVM_OPTION_SWITCH, &o.no_return_data},
        {"trace.callframes", CEVM_OPTION_SWITCH, &o.call_frames},
        {"opcode.count", CEVM_OPTION_TEXT, &o.opcode_count},
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
        cevm_help_t8n(stdout, cli);
        return CEVM_EXIT_OK;
    }
    return cevm_t8n_only_options(&error, &arguments) && transition(&error, &o) ? CEVM_EXIT_OK : cevm_t8n_report(&error);
}

void cevm_help_t8n(FILE *to, const cevm_cli *cli)
{
    (void)fprintf(to,
                  "Usage: %s t8n [OPTION]...          (also: %s transition)\n"
                  "\n"
                  "Applies a block's transactions to a state and tells what came of it: the state\n"
                  "afterwards, roots, receipts, and why transactions were refused. Input and output\n"
                  "are those of go-ethereum's evm t8n.\n"
                  "\n",
                  cli->program, cli->program);
    (void)fputs("Input: a file, or stdin, where one object holds them all\n"
                "  --input.alloc FILE      the accounts before (default alloc.json)\n"
                "  --input.env FILE        the block's environment (default env.json)\n"
                "  --input.txs FILE        the transactions (default txs.json): signed, or with a\n"
                "                          secretKey; or an RLP list as hex, when the name ends\n"
                "                          with .rlp\n"
                "\n"
                "Output: a file, stdout or stderr\n"
                "  --output.basedir DIR    where files go; it is made if it is missing\n"
                "  --output.alloc FILE     the accounts after (default alloc.json)\n"
                "  --output.result FILE    roots, receipts, refusals (default result.json)\n"
                "  --output.body FILE      the block's transactions as RLP (default: not written)\n"
                "\n"
                "Rules\n"
                "  --state.chainid N       (default 1)\n"
                "  --state.reward WEI      for the miner; 0 (the default) still touches the\n"
                "                          coinbase, -1 does not\n"
                "  --state-test            the transactions alone: no system calls, withdrawals,\n"
                "                          requests, rewards\n"
                "  --state.fork NAME       (default " CEVM_T8N_DEFAULT_FORK "); the names are\n"
                "\n",
                to);
    cevm_t8n_list_forks(to);
    (void)fputs("\n"
                "Traces\n"
                "  --trace                 each transaction's instructions as JSON lines\n"
                "                          (EIP-3155), in files trace-<index>-<hash>.jsonl in the\n"
                "                          basedir\n"
                "  --trace.memory, --trace.returndata, --trace.callframes, --trace.nostack\n"
                "                          what they show besides, or do not\n"
                "  --trace.tracer NAME     a tracer's JSON instead, in files\n"
                "                          trace-<index>-<hash>.json: callTracer, prestateTracer\n"
                "                          ... (cevm run --help lists them)\n"
                "  --trace.config JSON     its options; --trace.jsonconfig is the same\n"
                "  --opcode.count FILE     how often each instruction was executed\n"
                "\n"
                "The exit code is 0, or 2: the block cannot be executed; 3: fork, environment or\n"
                "options do not fit together; 4: a block hash is missing; 10: JSON; 11: files;\n"
                "12: RLP. A refused transaction is no error.\n",
                to);
    (void)fprintf(to,
                  "\n"
                  "Examples\n"
                  "  %s t8n --state.fork Cancun --output.result stdout --output.alloc stdout\n"
                  "  %s t8n --input.alloc stdin --input.env stdin --input.txs stdin --trace \\\n"
                  "      --output.basedir out\n"
                  "  %s t8n-server --uds t8n.sock       answers many requests from one process\n",
                  cli->program, cli->program, cli->program);
}
