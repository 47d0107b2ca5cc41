/* SPDX-License-Identifier: Apache-2.0 */
/* The state before a run: a genesis file as geth has it, or its "alloc" alone. */
#include <string.h>

#include "chain/alloc.h"
#include "chain/genesis_json.h"
#include "cli/run.h"

/* What a prestate is read with. */
typedef struct reader {
    const cevm_run_options *options;
    cevm_json_error error;
    cevm_arena arena;
} reader;

static bool say(const reader *r, const char *text)
{
    (void)fprintf(stderr, "%s: %s\n", r->options->command, text);
    return false;
}

/*
 * A config need not say what the merge waits for: with a fork of later in it there was one, whenever that fork or the
 * netsplit block comes.
 */
static bool allow_missing_merge(const cevm_json_at *config)
{
    cevm_json_at at;
    if (cevm_json_find(&at, config, "terminalTotalDifficulty") ||
        (!cevm_json_find(&at, config, "mergeNetsplitBlock") && !cevm_json_find(&at, config, "shanghaiTime"))) {
        return true;
    }
    return json_object_set_new(config->value, "terminalTotalDifficulty",
                               json_string("0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")) ==
               0 ||
           cevm_json_fail(config, "out of memory");
}

static bool read_config(cevm_block_env *block, const cevm_json_at *at)
{
    cevm_chain_config config;
    if (!cevm_json_is_object(at) || !allow_missing_merge(at) || !cevm_genesis_config_read(&config, at)) {
        return false;
    }
    const bool is_merged = (config.forks[CEVM_PARIS].kind == CEVM_BY_TOTAL_DIFFICULTY &&
                            cevm_u256_is_zero(&config.terminal_total_difficulty)) ||
                           cevm_is_active(&config.merge_netsplit, block->number, block->timestamp) ||
                           cevm_is_active(&config.forks[CEVM_SHANGHAI], block->number, block->timestamp);
    block->fork = cevm_chain_fork(&config, block->number, block->timestamp, is_merged);
    block->chain_id = config.chain_id != 0 ? config.chain_id : block->chain_id;
    return true;
}

static bool read_u64(uint64_t *out, const cevm_json_at *root, const char *key)
{
    cevm_json_at at;
    return !cevm_json_find(&at, root, key) || cevm_json_u64(out, &at);
}

static bool read_header(cevm_run_world *world, const cevm_json_at *root)
{
    cevm_block_env *b = &world->block;
    cevm_hash mix = b->prev_randao;
    cevm_json_at at;
    if ((cevm_json_find(&at, root, "difficulty") && !cevm_json_u256(&b->difficulty, &at)) ||
        (cevm_json_find(&at, root, "baseFeePerGas") && !cevm_json_u256(&b->base_fee, &at)) ||
        (cevm_json_find(&at, root, "coinbase") && !cevm_json_address(&b->coinbase, &at)) ||
        (cevm_json_find(&at, root, "mixHash") && !cevm_json_hash(&mix, &at))) {
        return false;
    }
    b->prev_randao = mix;
    return read_u64(&b->number, root, "number") && read_u64(&b->timestamp, root, "timestamp") &&
           read_u64(&world->gas_limit, root, "gasLimit") &&
           (!cevm_json_find(&at, root, "config") || read_config(b, &at));
}

static bool store(cevm_memdb *db, const reader *r, const cevm_genesis_alloc *alloc)
{
    const cevm_err err = cevm_genesis_alloc_store(db, alloc);
    return err == CEVM_OK || say(r, cevm_err_string(err));
}

/** Stores the accounts; the receiver with `code`, if there is any, whether it is one of them or not. */
static bool store_with_code(cevm_memdb *db, reader *r, const cevm_genesis_alloc *alloc, const cevm_address *receiver,
                            cevm_bytes code)
{
    if (code.size == 0) {
        return store(db, r, alloc);
    }
    size_t count = alloc->count;
    cevm_genesis_account *accounts = cevm_arena_array(&r->arena, count + 1, sizeof *accounts);
    if (accounts == NULL) {
        return say(r, cevm_err_string(CEVM_ERR_NOMEM));
    }
    if (count != 0) {
        memcpy(accounts, alloc->accounts, count * sizeof *accounts);
    }
    size_t i = 0;
    while (i < count && !cevm_address_equal(&accounts[i].address, receiver)) {
        ++i;
    }
    if (i == count) {
        accounts[count++] = (cevm_genesis_account){.address = *receiver};
    }
    accounts[i].code = code;
    return store(db, r, &(cevm_genesis_alloc){.accounts = accounts, .count = count});
}

static bool load_file(cevm_genesis_alloc *out, cevm_run_world *world, reader *r)
{
    cevm_blob text;
    json_t *json = NULL;
    cevm_json_at alloc;
    const char *path = r->options->prestate;
    if (!cevm_read_file(&text, r->options->command, path)) {
        return false;
    }
    bool ok = cevm_json_load_text(&json, &r->error, path, (const char *)text.data, text.size);
    cevm_blob_free(&text);
    if (ok) {
        const cevm_json_at root = cevm_json_root(json, path, NULL, &r->error);
        const bool is_whole = json_is_object(json) && cevm_json_find(&alloc, &root, "alloc");
        ok = (!is_whole || read_header(world, &root)) &&
             cevm_genesis_alloc_load(out, is_whole ? &alloc : &root, &r->arena);
    }
    json_decref(json);
    return ok || say(r, r->error.text);
}

bool cevm_run_load_prestate(cevm_memdb *db, cevm_run_world *world, const cevm_run_options *options,
                            const cevm_address *receiver, cevm_bytes code)
{
    reader r = {.options = options};
    cevm_genesis_alloc alloc = {0};
    cevm_arena_init(&r.arena, NULL);
    const bool ok =
        (options->prestate == NULL || load_file(&alloc, world, &r)) && store_with_code(db, &r, &alloc, receiver, code);
    cevm_arena_destroy(&r.arena);
    return ok;
}
