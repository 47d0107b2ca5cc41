/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Any options and any code under each named tracer: the first byte is the fork, the second the tracer, the third how many of
 * the next bytes are the options as JSON, the rest a contract that is called with itself. What comes out is JSON, whatever
 * limit is reached; the transaction comes to the same as without a tracer.
 */
#include <cevm/cevm.h>

#include <stdlib.h>

#include "trace/tracers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_JSON = 1 << 22 };

typedef struct text {
    char *data;
    size_t size;
} text;

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

static bool take(void *ctx, const char *piece, size_t size)
{
    text *t = ctx;
    char *grown = realloc(t->data, t->size + size + 1);
    must(grown != NULL);
    t->data = grown;
    memcpy(t->data + t->size, piece, size);
    t->size += size;
    return true;
}

typedef struct bench {
    cevm_memdb *store;
    cevm_state *state;
    cevm_vm *vm;
    cevm_block_env block;
    cevm_tx tx;
} bench;

static void open_bench(bench *b, cevm_fork fork, cevm_bytes code, const volatile bool *stop)
{
    const cevm_vm_config config = {.struct_size = sizeof config, .cancel = stop, .engine = CEVM_ENGINE_EXACT};
    const cevm_u256 balance = cevm_u256_from_u64(1000000000);
    *b = (bench){.block = {.fork = fork,
                           .number = 300,
                           .gas_limit = 30000000,
                           .chain_id = 1,
                           .coinbase = {{[19] = 0xcb}},
                           .max_blobs = 6},
                 .tx = {.gas_limit = 200000,
                        .to = {{[19] = 0xc0}},
                        .value = {{1}},
                        .data = code,
                        .sender = {{[19] = 0xca}},
                        .has_sender = true}};
    must(cevm_memdb_create(&b->store, NULL) == CEVM_OK);
    must(cevm_memdb_set_account(b->store, &b->tx.to, &balance, 1, code) == CEVM_OK);
    must(cevm_memdb_set_account(b->store, &b->tx.sender, &balance, 0, (cevm_bytes){NULL, 0}) == CEVM_OK);
    const cevm_db db = cevm_memdb_interface(b->store);
    must(cevm_state_create(&b->state, &db, NULL) == CEVM_OK);
    must(cevm_vm_create(&b->vm, &config) == CEVM_OK);
}

static void close_bench(bench *b)
{
    cevm_vm_destroy(b->vm);
    cevm_state_destroy(b->state);
    cevm_memdb_destroy(b->store);
}

static cevm_err apply(bench *b, cevm_receipt *receipt, cevm_tx_error *reason, const cevm_tracer *tracer)
{
    const cevm_block_usage usage = {0};
    *reason = CEVM_TX_NONE;
    return cevm_tx_apply(b->vm, b->state, receipt, reason, &b->tx, &b->block, &usage, tracer);
}

/* The JSON written so far must be one value; a struct log that ends early has its error. */
static void check_text(cevm_json_writer *writer, const text *t)
{
    must(writer->depth == 0 && cevm_json_flush(writer));
    json_t *read = json_loadb(t->data, t->size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    must(read != NULL);
    json_decref(read);
}

static void run_trace(bench *b, cevm_trace *trace, cevm_json_writer *writer, const text *t)
{
    bench plain;
    cevm_receipt receipt;
    cevm_receipt expected;
    cevm_tx_error reason;
    must(cevm_trace_begin(trace, &b->tx, &b->block) == CEVM_OK);
    cevm_err err = apply(b, &receipt, &reason, cevm_trace_hooks(trace));
    must(reason == CEVM_TX_NONE);
    if (err != CEVM_OK) {
        must(err == CEVM_ERR_NOT_BUILT || cevm_trace_failure(trace) == CEVM_ERR_LIMIT);
        if (!cevm_trace_abort(trace, "stopped")) {
            cevm_json_put_null(writer);
        }
        check_text(writer, t);
        return;
    }
    err = cevm_trace_finish(trace, &receipt);
    must(err == CEVM_OK || err == CEVM_ERR_LIMIT);
    check_text(writer, t);
    open_bench(&plain, b->block.fork, b->tx.data, NULL);
    must(apply(&plain, &expected, &reason, NULL) == CEVM_OK);
    must(receipt.status == expected.status && receipt.gas_used == expected.gas_used);
    close_bench(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static cevm_json_writer writer;
    size_t count;
    const cevm_trace_info *infos = cevm_trace_list(&count);
    if (size < 3 || size - 3 < data[2]) {
        return 0;
    }
    const cevm_bytes code = {data + 3 + data[2], size - 3 - data[2]};
    json_t *config = data[2] != 0 ? json_loadb((const char *)data + 3, data[2], JSON_DECODE_ANY, NULL) : NULL;
    volatile bool stop = false;
    text t = {NULL, 0};
    bench b;
    cevm_trace *trace;
    cevm_trace_error error;
    open_bench(&b, (cevm_fork)(data[0] % CEVM_FORK_COUNT), code, &stop);
    cevm_json_writer_init(&writer, take, &t);
    const cevm_trace_request request = {.name = infos[data[1] % count].name,
                                        .config = config,
                                        .out = &writer,
                                        .state = b.state,
                                        .limits = {.bytes = MOST_JSON, .steps = 20000, .memory = 1 << 20},
                                        .stop = &stop};
    if (cevm_trace_create(&trace, &error, &request) == CEVM_OK) {
        run_trace(&b, trace, &writer, &t);
        cevm_trace_destroy(trace);
    } else {
        must(error.text[0] != '\0' && writer.total == 0);
    }
    close_bench(&b);
    json_decref(config);
    free(t.data);
    return 0;
}
