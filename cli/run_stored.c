/* SPDX-License-Identifier: Apache-2.0 */
/* The state before a run out of a store on disk: after its newest block, or one before that it remembers. */
#include <cevm/chain.h>
#include <cevm/genesis.h>
#include <cevm/lmdb.h>

#include <inttypes.h>
#include <stdlib.h>

#include "cli/run.h"
#include "cli/whole.h"

struct cevm_run_stored {
    cevm_lmdb *store;
    cevm_db past;
};

static bool say(const cevm_run_options *o, const char *what)
{
    (void)fprintf(stderr, "%s: %s: %s\n", o->command, o->data_dir, what);
    return false;
}

void cevm_run_stored_report(const cevm_run_stored *stored, const cevm_run_options *options)
{
    (void)say(options, cevm_lmdb_error_text(stored->store));
}

/* An error of the store, with what it was about when the store knows. */
static bool say_err(const cevm_run_stored *stored, const cevm_run_options *o, cevm_err err)
{
    const char *text = err == CEVM_ERR_BACKEND ? cevm_lmdb_error_text(stored->store) : "";
    return say(o, text[0] != '\0' ? text : cevm_err_string(err));
}

/* The rules of --genesis; without it the newest, from the start. */
static bool find_rules(cevm_chain_config *out, const cevm_run_options *o)
{
    cevm_genesis_error error;
    cevm_genesis *genesis = NULL;
    cevm_memdb *accounts = NULL;
    if (o->genesis == NULL) {
        cevm_chain_config_at_fork(out, CEVM_LATEST);
        return true;
    }
    if (cevm_memdb_create(&accounts, NULL) != CEVM_OK) {
        return say(o, cevm_err_string(CEVM_ERR_NOMEM));
    }
    const cevm_err err = cevm_genesis_load(&genesis, &error, accounts, o->genesis, NULL);
    if (err == CEVM_OK) {
        *out = genesis->config;
    } else {
        (void)fprintf(stderr, "%s: %s\n", o->command, error.text);
    }
    cevm_genesis_destroy(genesis, NULL);
    cevm_memdb_destroy(accounts);
    return err == CEVM_OK;
}

/* The environment of a block that is in the store. */
static bool take_environment(cevm_run_world *world, const cevm_run_options *o, const cevm_db_block *found)
{
    cevm_block *block = NULL;
    cevm_block_verdict verdict;
    cevm_chain_config config;
    if (cevm_block_decode(&block, &verdict, found->rlp, NULL) != CEVM_OK) {
        return say(o, "the block is damaged");
    }
    const bool ok = find_rules(&config, o);
    if (ok) {
        cevm_header_env(&world->block, &config, &block->header, found->is_merged);
        world->gas_limit = block->header.gas_limit;
    }
    cevm_block_destroy(block, NULL);
    return ok;
}

/* The block that is asked for, and the state after it. */
static bool open_block(cevm_run_stored *s, cevm_run_world *world, const cevm_run_options *o)
{
    cevm_db_block head;
    cevm_db_block block;
    bool found = false;
    const cevm_db now = cevm_lmdb_interface(s->store);
    cevm_err err = cevm_lmdb_head(s->store, &found, &head);
    if (err == CEVM_OK && found) {
        err = cevm_lmdb_block(s->store, &found, &block, o->block != UINT64_MAX ? o->block : head.number);
    }
    if (err != CEVM_OK || !found) {
        return err != CEVM_OK ? say_err(s, o, err) : say(o, "holds no such block");
    }
    uint32_t undoable = 0;
    const uint64_t back = head.number - block.number;
    err = cevm_lmdb_undoable(s->store, &undoable, back < UINT32_MAX ? (uint32_t)back : UINT32_MAX);
    if (err == CEVM_OK && back <= undoable) {
        err = now.vtable->open_past(now.ctx, &s->past, (size_t)back);
    } else if (err == CEVM_OK) {
        return say(o, "does not remember the state after this block");
    }
    return err == CEVM_OK ? take_environment(world, o, &block) : say_err(s, o, err);
}

bool cevm_run_stored_open(cevm_run_stored **out, cevm_run_world *world, cevm_db *db, const cevm_run_options *options)
{
    cevm_lmdb_error error;
    const cevm_lmdb_options store = {.struct_size = sizeof store, .path = options->data_dir, .read_only = true};
    cevm_run_stored *s = calloc(1, sizeof *s);
    *out = s;
    if (s == NULL) {
        return say(options, cevm_err_string(CEVM_ERR_NOMEM));
    }
    const cevm_err err = cevm_lmdb_open(&s->store, &error, &store);
    if (err != CEVM_OK) {
        (void)fprintf(stderr, "%s: %s\n", options->command, error.text[0] != '\0' ? error.text : cevm_err_string(err));
        return false;
    }
    if (!cevm_is_whole_store(s->store, options->command, options->data_dir) || !open_block(s, world, options)) {
        return false;
    }
    *db = s->past;
    return true;
}

void cevm_run_stored_close(cevm_run_stored *stored)
{
    if (stored == NULL) {
        return;
    }
    if (stored->past.vtable != NULL) {
        const cevm_db now = cevm_lmdb_interface(stored->store);
        now.vtable->close_past(now.ctx, &stored->past);
    }
    cevm_lmdb_close(stored->store);
    free(stored);
}
