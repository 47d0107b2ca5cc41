/* SPDX-License-Identifier: Apache-2.0 */
/* `cevm run`: bytecode over a state in memory, or of a chain on disk or elsewhere, without a transaction around it. */
#include "cli/run.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chain/authorization.h"

enum { BENCH_NS = 1000000000, BENCH_LEAST = 3 };

/* libc's allocator, counting. */
typedef struct counter {
    uint64_t calls;
    uint64_t bytes;
} counter;

static void *count_resize(void *ctx, void *ptr, size_t new_size)
{
    counter *c = ctx;
    if (new_size == 0) {
        free(ptr);
        return NULL;
    }
    c->calls += 1;
    c->bytes += new_size;
    return realloc(ptr, new_size);
}

/* Everything one run needs, so that there is one place to free it. */
typedef struct run {
    const cevm_run_options *options;
    cevm_run_world world;
    cevm_tx_env tx;
    cevm_message msg;
    cevm_blob code;
    cevm_blob input; /* calldata; for a creation the code with it */
    cevm_memdb *db;
    cevm_remote *remote;     /* the state is elsewhere */
    cevm_run_stored *stored; /* the state is on disk; both NULL: in memory */
    cevm_state *state;
    cevm_host host;
    cevm_vm *vm;
    counter counter;
    cevm_allocator allocator;
    cevm_open_trace trace;
} run;

static bool failed(const run *r, cevm_err err)
{
    if (r->remote != NULL && err == CEVM_ERR_BACKEND) {
        cevm_fork_report(r->remote, r->options->command);
        return false;
    }
    if (r->stored != NULL && err == CEVM_ERR_BACKEND) {
        cevm_run_stored_report(r->stored, r->options);
        return false;
    }
    (void)fprintf(stderr, "%s: %s\n", r->options->command, cevm_err_string(err));
    return false;
}

/* Whether the state is only looked at. */
static bool is_fixed(const run *r) { return r->remote != NULL || r->stored != NULL; }

static uint64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

/* The address geth takes when none is given: the bytes of a word. */
static cevm_address word_address(const char *word)
{
    cevm_address a = {{0}};
    memcpy(a.bytes + sizeof a.bytes - strlen(word), word, strlen(word));
    return a;
}

static bool parse_wei(cevm_u256 *out, const run *r, const char *what, const char *text)
{
    if (text == NULL || cevm_u256_from_text(out, text)) {
        return true;
    }
    (void)fprintf(stderr, "%s: %s wants an amount of wei (decimal or 0x...), not \"%s\"\n", r->options->command, what,
                  text);
    return false;
}

static bool load_input(run *r)
{
    const cevm_run_options *o = r->options;
    cevm_blob text;
    if (o->input != NULL && o->input_file != NULL) {
        (void)fprintf(stderr, "%s: give --input or --inputfile, not both\n", o->command);
        return false;
    }
    if (o->input != NULL) {
        return cevm_parse_hex(&r->input, o->command, "--input", o->input, strlen(o->input));
    }
    if (o->input_file == NULL) {
        return true;
    }
    if (!cevm_read_file(&text, o->command, o->input_file)) {
        return false;
    }
    bool ok = cevm_parse_hex(&r->input, o->command, o->input_file, (const char *)text.data, text.size);
    cevm_blob_free(&text);
    return ok;
}

/* For a creation the input follows the code. */
static bool join_input(run *r)
{
    size_t size = r->code.size + r->input.size;
    uint8_t *joined = malloc(size != 0 ? size : 1);
    if (joined == NULL) {
        return failed(r, CEVM_ERR_NOMEM);
    }
    if (r->code.size != 0) {
        memcpy(joined, r->code.data, r->code.size);
    }
    if (r->input.size != 0) {
        memcpy(joined + r->code.size, r->input.data, r->input.size);
    }
    cevm_blob_free(&r->input);
    r->input = (cevm_blob){joined, size};
    return true;
}

/* The world geth's evm runs in when no genesis file says otherwise. */
static void default_world(cevm_run_world *world)
{
    cevm_blob_params blobs = cevm_blob_params_default(CEVM_LATEST);
    *world = (cevm_run_world){.block = {.fork = CEVM_LATEST, .chain_id = 1337, .max_blobs = blobs.max}};
    world->block.base_fee = cevm_u256_from_u64(1000000000);
    world->block.blob_base_fee = cevm_u256_from_u64(1);
}

static bool settle_fork(run *r)
{
    const char *name = r->options->fork;
    if (name == NULL || cevm_fork_by_name(&r->world.block.fork, name)) {
        return true;
    }
    (void)fprintf(stderr, "%s: unknown fork \"%s\"; there are", r->options->command, name);
    for (int fork = 0; fork < CEVM_FORK_COUNT; ++fork) {
        (void)fprintf(stderr, " %s", cevm_fork_name((cevm_fork)fork));
    }
    (void)fprintf(stderr, "\n");
    return false;
}

/* Everything up to the state: what the command line names is read and checked. */
static bool prepare(run *r)
{
    const cevm_run_options *o = r->options;
    cevm_message *m = &r->msg;
    m->kind = o->create ? CEVM_CREATE : CEVM_CALL;
    m->sender = word_address("sender");
    m->recipient = word_address("receiver");
    if ((o->sender != NULL && !cevm_parse_address(&m->sender, o->command, "--sender", o->sender)) ||
        (o->receiver != NULL && !cevm_parse_address(&m->recipient, o->command, "--receiver", o->receiver)) ||
        !parse_wei(&m->value, r, "--value", o->value) || !parse_wei(&r->tx.gas_price, r, "--price", o->price)) {
        return false;
    }
    if (o->gas > INT64_MAX) {
        (void)fprintf(stderr, "%s: --gas is at most %lld\n", o->command, (long long)INT64_MAX);
        return false;
    }
    r->tx.origin = m->sender;
    default_world(&r->world);
    return cevm_run_load_code(&r->code, o) && load_input(r) && (!o->create || join_input(r));
}

/* The state after a block of a chain elsewhere, and that block as the environment. */
static bool open_remote(run *r, cevm_db *db)
{
    cevm_remote_block block;
    cevm_chain_config config;
    if (!cevm_fork_open(&r->remote, &r->options->remote, r->options->command, &r->allocator)) {
        return false;
    }
    cevm_remote_get_block(r->remote, &block);
    cevm_remote_chain_config(&config, &block, CEVM_LATEST);
    cevm_header_env(&r->world.block, &config, &block.header, cevm_u256_is_zero(&block.header.difficulty));
    r->world.gas_limit = block.header.gas_limit;
    *db = cevm_remote_interface(r->remote);
    return settle_fork(r);
}

static bool open_memory(run *r, cevm_db *db)
{
    const cevm_run_options *o = r->options;
    cevm_err err = cevm_memdb_create(&r->db, &r->allocator);
    if (err != CEVM_OK) {
        return failed(r, err);
    }
    *db = cevm_memdb_interface(r->db);
    cevm_bytes code = {o->create ? NULL : r->code.data, o->create ? 0 : r->code.size};
    return cevm_run_load_prestate(r->db, &r->world, o, &r->msg.recipient, code) && settle_fork(r);
}

static bool open_state(run *r)
{
    const cevm_run_options *o = r->options;
    cevm_db db;
    if (o->data_dir != NULL) {
        if (!cevm_run_stored_open(&r->stored, &r->world, &db, o) || !settle_fork(r)) {
            return false;
        }
    } else if (cevm_fork_is_wanted(&o->remote) ? !open_remote(r, &db) : !open_memory(r, &db)) {
        return false;
    }
    cevm_err err = CEVM_OK;
    const cevm_vm_config config = {.struct_size = sizeof config, .allocator = &r->allocator};
    err = cevm_state_create(&r->state, &db, &r->allocator);
    if (err == CEVM_OK) {
        r->host = cevm_state_host(r->state);
        err = cevm_vm_create(&r->vm, &config);
    }
    r->msg.gas = (int64_t)o->gas;
    if (!o->has_gas && r->world.gas_limit != 0) {
        r->msg.gas = r->world.gas_limit <= INT64_MAX ? (int64_t)r->world.gas_limit : INT64_MAX;
    }
    r->world.block.gas_limit = (uint64_t)r->msg.gas;
    return err == CEVM_OK || failed(r, err);
}

static cevm_err warm(run *r, const cevm_address *address) { return r->host.vtable->warm_account(r->host.ctx, address); }

/* What a transaction makes warm before it runs (EIP-2929, EIP-3651). */
static cevm_err warm_all(run *r)
{
    cevm_fork fork = r->world.block.fork;
    if (!CEVM_HAS_EIP(fork, 2929)) {
        return CEVM_OK;
    }
    cevm_err err = warm(r, &r->msg.sender);
    err = err == CEVM_OK ? warm(r, &r->msg.recipient) : err;
    if (err == CEVM_OK && CEVM_HAS_EIP(fork, 3651)) {
        err = warm(r, &r->world.block.coinbase);
    }
    return err == CEVM_OK ? cevm_vm_warm_precompiles(r->vm, &r->host, fork) : err;
}

/* The account whose code runs: the receiver, or the one it has delegated to (EIP-7702). */
static cevm_err find_code(run *r)
{
    r->msg.code_address = r->msg.recipient;
    return CEVM_HAS_EIP(r->world.block.fork, 7702) ? cevm_delegation_follow(&r->msg, &r->host) : CEVM_OK;
}

/* What the sender does before a creation: its nonce gives the address, and is used up. */
static cevm_err begin_create(run *r)
{
    cevm_account_info sender;
    cevm_err err = cevm_state_get_account(r->state, &sender, &r->msg.sender);
    if (err != CEVM_OK) {
        return err;
    }
    cevm_create_address(&r->msg.recipient, &r->msg.sender, sender.nonce);
    return cevm_state_set_nonce(r->state, &r->msg.sender, sender.nonce + 1);
}

/* A chain's state cannot be changed; the receiver gets its code in the journal. */
static cevm_err put_code(run *r)
{
    const cevm_bytes code = {r->code.data, r->code.size};
    return is_fixed(r) && !r->options->create && code.size != 0
               ? r->host.vtable->set_code(r->host.ctx, &r->msg.recipient, code)
               : CEVM_OK;
}

/* Executes once from the state as it is. */
static cevm_err execute(run *r, cevm_result *result, const cevm_tracer *tracer)
{
    cevm_err err = cevm_state_begin_tx(r->state, r->world.block.fork);
    if (err == CEVM_OK) {
        err = put_code(r);
    }
    if (err == CEVM_OK) {
        err = r->options->create ? begin_create(r) : find_code(r);
    }
    err = err == CEVM_OK ? warm_all(r) : err;
    r->msg.input = (cevm_bytes){r->input.data, r->input.size};
    if (err == CEVM_OK && tracer != NULL && tracer->on_tx_start != NULL) {
        tracer->on_tx_start(tracer->ctx, &r->world.block, &r->tx);
    }
    return err == CEVM_OK ? cevm_vm_execute(r->vm, result, &r->msg, &r->world.block, &r->tx, &r->host, tracer) : err;
}

/*
 * Fetches what the run will read, in batches: it is made over guesses until it needs none. What an execution over guesses
 * ends with says nothing.
 */
static bool rehearse(run *r)
{
    enum { MAX_ROUNDS = 64 };
    size_t guesses = r->remote != NULL ? 1 : 0;
    for (int round = 0; guesses != 0 && round < MAX_ROUNDS; ++round) {
        cevm_result result;
        cevm_err err = cevm_remote_begin_guessing(r->remote);
        if (err == CEVM_OK) {
            err = execute(r, &result, NULL);
            cevm_remote_end_guessing(r->remote, &guesses);
            cevm_state_discard(r->state);
        }
        if (err == CEVM_OK || err == CEVM_ERR_NOT_BUILT || err == CEVM_ERR_LIMIT) {
            err = cevm_remote_fetch_guessed(r->remote);
        }
        if (err != CEVM_OK) {
            return failed(r, err);
        }
    }
    return true;
}

/* Executes again and again for about a second, undoing what each execution did. */
static cevm_err bench(run *r, cevm_run_outcome *out)
{
    cevm_result result;
    uint64_t spent = 0;
    while (out->runs < BENCH_LEAST || spent < BENCH_NS) {
        counter before = r->counter;
        uint64_t start = now_ns();
        cevm_err err = execute(r, &result, NULL);
        spent += now_ns() - start;
        if (err != CEVM_OK) {
            return err;
        }
        out->allocations += r->counter.calls - before.calls;
        out->allocated_bytes += r->counter.bytes - before.bytes;
        out->runs += 1;
        cevm_state_discard(r->state);
    }
    out->time_ns = spent / out->runs;
    out->allocations /= out->runs;
    out->allocated_bytes /= out->runs;
    return CEVM_OK;
}

/* A tracer with a name is shown the message as the transaction it stands for. */
static const cevm_tracer *begin_trace(run *r)
{
    if (!r->trace.is_named) {
        return r->trace.tracer;
    }
    const cevm_tx tx = {.gas_limit = (uint64_t)r->msg.gas,
                        .max_fee = r->tx.gas_price,
                        .max_priority_fee = r->tx.gas_price,
                        .is_create = r->options->create,
                        .to = r->msg.recipient,
                        .value = r->msg.value,
                        .data = {r->input.data, r->input.size},
                        .sender = r->msg.sender,
                        .has_sender = true};
    return cevm_named_trace_begin(&r->trace.named, r->state, &tx, &r->world.block, NULL);
}

static void end_trace(run *r, const cevm_result *result)
{
    cevm_receipt receipt = {0};
    if (!r->trace.is_named) {
        return;
    }
    if (result != NULL) {
        receipt.status = result->status;
        receipt.gas_used = (uint64_t)(r->msg.gas - result->gas.left);
        receipt.output = result->output;
    }
    cevm_named_trace_end(&r->trace.named, result != NULL ? &receipt : NULL);
}

/* The execution that counts: traced, and its effects kept. */
static bool run_once(run *r, cevm_run_outcome *out)
{
    cevm_result result;
    counter before = r->counter;
    uint64_t start = now_ns();
    cevm_err err = execute(r, &result, begin_trace(r));
    uint64_t spent = now_ns() - start;
    if (err == CEVM_OK) {
        err = cevm_state_end_tx(r->state);
    }
    end_trace(r, err == CEVM_OK ? &result : NULL);
    if (err == CEVM_OK && !is_fixed(r)) {
        err = cevm_state_commit(r->state);
    }
    if (err != CEVM_OK) {
        return failed(r, err);
    }
    if (out->runs == 0) {
        out->time_ns = spent;
        out->allocations = r->counter.calls - before.calls;
        out->allocated_bytes = r->counter.bytes - before.bytes;
    }
    out->status = result.status;
    out->gas_limit = (uint64_t)r->msg.gas;
    out->gas_used = (uint64_t)(r->msg.gas - result.gas.left);
    out->refund = result.gas.refund;
    out->output = result.output;
    out->has_created = r->options->create && cevm_status_is_success(result.status);
    out->created = r->msg.recipient;
    out->logs = cevm_state_logs(r->state, &out->log_count);
    return true;
}

static bool run_all(run *r)
{
    const cevm_run_options *o = r->options;
    cevm_run_outcome outcome = {0};
    if (!prepare(r) || !open_state(r) || !rehearse(r) ||
        !cevm_tracing_open(&r->trace, &o->tracing, o->cli->as_evm ? "json" : "table", o->command, stderr)) {
        return false;
    }
    if (o->bench) {
        cevm_err err = bench(r, &outcome);
        if (err != CEVM_OK) {
            return failed(r, err);
        }
    }
    if (!run_once(r, &outcome)) {
        return false;
    }
    cevm_open_trace kind = r->trace;
    if (cevm_tracing_is_open(&r->trace) && !cevm_tracing_close(&r->trace, o->command)) {
        return false;
    }
    if (o->dump && !cevm_run_dump(o, r->db)) {
        return false;
    }
    if (o->bench || o->stat_dump) {
        cevm_run_report_cost(&outcome);
    }
    cevm_run_report(o, &outcome, &kind);
    return true;
}

/* An option that would do nothing without another is a mistake, not a wish. */
static bool is_alone(const cevm_run_options *o, bool given, const char *option, const char *other)
{
    if (given) {
        (void)fprintf(stderr, "%s: %s wants %s too\n", o->command, option, other);
    }
    return given;
}

static bool fit_together(const cevm_run_options *o)
{
    const bool is_remote = cevm_fork_is_wanted(&o->remote);
    const bool is_elsewhere = is_remote || o->data_dir != NULL;
    if (o->code == NULL && o->code_file == NULL && o->prestate == NULL && !is_elsewhere) {
        (void)fprintf(stderr, "%s: no code: give it as hex, as a file, or as an account of --prestate\n(%s --help)\n",
                      o->command, o->command);
        return false;
    }
    if (is_elsewhere && (o->prestate != NULL || o->dump)) {
        (void)fprintf(stderr, "%s: %s does not go with --prestate or --dump\n", o->command,
                      o->data_dir != NULL ? "--data-dir" : "--fork-url");
        return false;
    }
    if (is_remote && o->data_dir != NULL) {
        (void)fprintf(stderr, "%s: --fork-url and --data-dir do not go together\n", o->command);
        return false;
    }
    return !is_alone(o, o->data_dir == NULL && o->block != UINT64_MAX, "--block", "--data-dir") &&
           !is_alone(o, o->data_dir == NULL && o->genesis != NULL, "--genesis",
                     "--data-dir (--prestate reads a genesis file)") &&
           !is_alone(o, !is_remote && o->remote.block != UINT64_MAX, "--fork-block-number", "--fork-url") &&
           !is_alone(o, !is_remote && o->remote.cache != NULL, "--fork-cache", "--fork-url (or --offline)") &&
           !is_alone(o, o->contract != NULL && o->code == NULL && o->code_file == NULL, "--contract", "a file of code");
}

static bool parse(cevm_run_options *o, cevm_arguments *arguments, int argc, char **argv)
{
    uint64_t none = UINT64_MAX;
    const cevm_option own[] = {
        {"codefile", CEVM_OPTION_TEXT, &o->code_file},   {"contract", CEVM_OPTION_TEXT, &o->contract},
        {"create", CEVM_OPTION_SWITCH, &o->create},      {"gas", CEVM_OPTION_NUMBER, &none},
        {"price", CEVM_OPTION_TEXT, &o->price},          {"value", CEVM_OPTION_TEXT, &o->value},
        {"sender", CEVM_OPTION_TEXT, &o->sender},        {"receiver", CEVM_OPTION_TEXT, &o->receiver},
        {"input", CEVM_OPTION_TEXT, &o->input},          {"inputfile", CEVM_OPTION_TEXT, &o->input_file},
        {"prestate", CEVM_OPTION_TEXT, &o->prestate},    {"fork", CEVM_OPTION_TEXT, &o->fork},
        {"state.fork", CEVM_OPTION_TEXT, &o->fork},      {"bench", CEVM_OPTION_SWITCH, &o->bench},
        {"statdump", CEVM_OPTION_SWITCH, &o->stat_dump}, {"dump", CEVM_OPTION_SWITCH, &o->dump},
        {"data-dir", CEVM_OPTION_TEXT, &o->data_dir},    {"genesis", CEVM_OPTION_TEXT, &o->genesis},
        {"block", CEVM_OPTION_NUMBER, &o->block},
    };
    enum { OWN = sizeof own / sizeof own[0] };
    cevm_option table[OWN + CEVM_TRACING_OPTION_COUNT + CEVM_FORK_OPTION_COUNT + 1] = {
        {NULL, CEVM_OPTION_SWITCH, NULL}};
    memcpy(table, own, sizeof own);
    cevm_tracing_options(table + OWN, &o->tracing);
    cevm_fork_option_rows(table + OWN + CEVM_TRACING_OPTION_COUNT, &o->remote);
    if (!cevm_options_parse(arguments, table, o->command, argc, argv)) {
        return false;
    }
    if (arguments->count > 1) {
        (void)fprintf(stderr, "%s: one CODE, please; \"%s\" is too many\n", o->command, arguments->items[1]);
        return false;
    }
    o->code = arguments->count == 1 ? arguments->items[0] : NULL;
    o->has_gas = none != UINT64_MAX;
    o->gas = o->has_gas ? none : 10000000000U;
    return arguments->help || fit_together(o);
}

int cevm_cmd_run(const cevm_cli *cli, int argc, char **argv)
{
    char command[32];
    cevm_arguments arguments;
    cevm_run_options options = {.cli = cli,
                                .command = command,
                                .tracing = CEVM_TRACING_DEFAULTS,
                                .remote = CEVM_FORK_DEFAULTS,
                                .block = UINT64_MAX};
    (void)snprintf(command, sizeof command, "%s run", cli->program);
    if (!parse(&options, &arguments, argc, argv)) {
        return CEVM_EXIT_USAGE;
    }
    if (arguments.help) {
        cevm_help_run(stdout, cli);
        return CEVM_EXIT_OK;
    }
    run r = {.options = &options};
    r.allocator = (cevm_allocator){.ctx = &r.counter, .resize = count_resize};
    bool ok = run_all(&r);
    if (cevm_tracing_is_open(&r.trace)) {
        (void)cevm_tracing_close(&r.trace, command);
    }
    cevm_vm_destroy(r.vm);
    cevm_state_destroy(r.state);
    cevm_memdb_destroy(r.db);
    cevm_remote_close(r.remote);
    cevm_run_stored_close(r.stored);
    cevm_blob_free(&r.code);
    cevm_blob_free(&r.input);
    return ok ? CEVM_EXIT_OK : CEVM_EXIT_FAILURE;
}
