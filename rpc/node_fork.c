/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chain that begins where another one is: its first block is the remote's, its state is the remote's with what was changed
 * here above it (the base of cevm_treedb). What will be read is found out by rehearsal and fetched in batches.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include <cevm/alloc.h>
#include <cevm/crypto.h>

#include "chain/system_calls.h"
#include "rpc/node_internal.h"
#include "rpc/store.h"

/** A call whose reads depend on each other further down goes on over what is known by then. */
enum { MAX_ROUNDS = 64, DELEGATION_SIZE = 23 };

cevm_remote *cevm_node_remote(const cevm_node *node) { return node->remote; }

bool cevm_node_say_remote(const cevm_node *node, cevm_node_error *error, cevm_err err)
{
    (void)cevm_node_say_err(error, err);
    if (node->remote != NULL && err == CEVM_ERR_BACKEND) {
        cevm_remote_error text;
        cevm_remote_last_error(node->remote, &text);
        (void)snprintf(error->text, sizeof error->text, "the remote chain: %s", text.text);
    }
    return false;
}

/** What the store says of the fork; its own file for what was read, unless another is wanted. */
typedef struct stored_fork {
    bool is_there;
    cevm_fork_point point;
    char cache[PATH_MAX];
} stored_fork;

static bool ask_store(const cevm_node *node, cevm_node_error *error, stored_fork *out)
{
    const cevm_node_options *o = &node->options;
    const bool wants_fork = o->fork_url != NULL || o->fork_transport != NULL || o->offline;
    bool is_empty = true;
    out->is_there = false;
    if (node->store == NULL) {
        return true;
    }
    if (!cevm_store_is_empty(node->store, error, &is_empty) ||
        !cevm_store_fork_point(node->store, error, &out->is_there, &out->point)) {
        return false;
    }
    if (out->is_there && !wants_fork) {
        return cevm_node_say(error, 0,
                             "data-dir: it holds a fork of chain %" PRIu64 " at block %" PRIu64
                             ": --fork-url says where that is, or --offline that all was read",
                             out->point.chain_id, out->point.number);
    }
    if (!out->is_there && !is_empty && wants_fork) {
        return cevm_node_say(error, 0, "data-dir: it holds a chain of its own, no fork: a fork needs another folder");
    }
    if (out->is_there && o->has_fork_block && o->fork_block != out->point.number) {
        return cevm_node_say(error, 0, "data-dir: it holds a fork at block %" PRIu64 ", not %" PRIu64,
                             out->point.number, o->fork_block);
    }
    if (snprintf(out->cache, sizeof out->cache, "%s/fork.cache", o->data_dir) >= (int)sizeof out->cache) {
        return cevm_node_say(error, 0, "data-dir: the name is too long");
    }
    return true;
}

/** The block that the remote told of is the one that the store's chain goes on from; or the store is told of it. */
static bool tell_store(const cevm_node *node, cevm_node_error *error, const stored_fork *stored)
{
    cevm_remote_block block;
    if (node->store == NULL) {
        return true;
    }
    cevm_remote_get_block(node->remote, &block);
    const cevm_fork_point point = {block.chain_id, block.header.number, block.hash};
    if (!stored->is_there) {
        cevm_store_set_fork_point(node->store, &point);
        return true;
    }
    if (point.chain_id != stored->point.chain_id || !cevm_hash_equal(&point.hash, &stored->point.hash)) {
        return cevm_node_say(error, 0,
                             "data-dir: it holds a fork of chain %" PRIu64 " at block %" PRIu64
                             ", and the remote chain has another block there",
                             stored->point.chain_id, stored->point.number);
    }
    return true;
}

bool cevm_node_fork_open(cevm_node *node, cevm_node_error *error)
{
    const cevm_node_options *o = &node->options;
    cevm_remote_options options = {.struct_size = sizeof options,
                                   .allocator = node->allocator,
                                   .url = o->fork_url,
                                   .has_block = o->has_fork_block,
                                   .block = o->fork_block,
                                   .cache_path = o->fork_cache,
                                   .offline = o->offline,
                                   .patience_ms = 30000,
                                   .transport = o->fork_transport};
    cevm_remote_error text;
    stored_fork stored;
    if (!ask_store(node, error, &stored)) {
        return false;
    }
    if (o->fork_url == NULL && o->fork_transport == NULL && !o->offline) {
        return true;
    }
    if (o->genesis_path != NULL || o->import_path != NULL) {
        return cevm_node_say(error, 0, "a fork of a remote chain takes no genesis and no blocks to import");
    }
    if (stored.is_there) {
        options.has_block = true;
        options.block = stored.point.number;
    }
    if (node->store != NULL && options.cache_path == NULL) {
        options.cache_path = stored.cache;
    }
    const cevm_err err = cevm_remote_open(&node->remote, &text, &options);
    if (err != CEVM_OK) {
        (void)cevm_node_say_err(error, err);
        (void)snprintf(error->text, sizeof error->text, "%s", text.text);
    }
    return err == CEVM_OK && tell_store(node, error, &stored);
}

/* ---- The first block ------------------------------------------------------------------------------------------------ */

/**
 * Gives the node's accounts their balance. What nonce they have there stays. The keys are known to everybody, so on public
 * chains some have delegated to contracts that take what comes (EIP-7702): that they lose.
 */
static cevm_err put_accounts(const cevm_node *node)
{
    const cevm_db db = cevm_remote_interface(node->remote);
    cevm_err err = CEVM_OK;
    if (node->key_count == 0) {
        return CEVM_OK;
    }
    cevm_db_key *keys = cevm_resize_array(node->allocator, NULL, node->key_count, sizeof *keys);
    if (keys == NULL) {
        return CEVM_ERR_NOMEM;
    }
    for (size_t i = 0; i < node->key_count; ++i) {
        keys[i] = (cevm_db_key){.address = node->keys[i].address};
    }
    err = db.vtable->prefetch(db.ctx, keys, node->key_count);
    cevm_free(node->allocator, keys);
    for (size_t i = 0; err == CEVM_OK && i < node->key_count; ++i) {
        cevm_db_account account;
        bool exists = false;
        cevm_bytes code = {NULL, 0};
        err = db.vtable->account(db.ctx, &account, &exists, &node->keys[i].address);
        if (err == CEVM_OK && !cevm_hash_equal(&account.code_hash, &cevm_empty_code_hash)) {
            err = db.vtable->code(db.ctx, &code, &account.code_hash);
            code.size = code.size != DELEGATION_SIZE ? code.size : 0;
        }
        if (err == CEVM_OK) {
            err = cevm_treedb_set_account(node->engine.db, &node->keys[i].address, &node->options.balance,
                                          account.nonce, code);
        }
    }
    return err;
}

static void make_settings(cevm_node_settings *out, const cevm_node *node, const cevm_remote_block *block)
{
    const cevm_node_options *options = &node->options;
    cevm_node_common_settings(out, options);
    cevm_remote_chain_config(&out->config, block, options->fork);
    out->config.chain_id = options->chain_id != 0 ? options->chain_id : block->chain_id;
    out->gas_limit = options->gas_limit != 0 ? options->gas_limit : block->header.gas_limit;
}

static cevm_err make_record(const cevm_node *node, cevm_record **out, const cevm_node_settings *settings,
                            const cevm_remote_block *block)
{
    cevm_tree *state = NULL;
    const cevm_header *header = &block->header;
    const bool is_merged = cevm_u256_is_zero(&header->difficulty);
    cevm_err err = cevm_treedb_snapshot(node->engine.db, &state);
    if (err == CEVM_OK) {
        cevm_record_parts parts = {.header = header,
                                   .hash = &block->hash,
                                   .total_difficulty = header->difficulty,
                                   .is_merged = is_merged,
                                   .state = state};
        cevm_header_env(&parts.env, &settings->config, header, is_merged);
        err = cevm_record_create(out, &parts, node->allocator);
    }
    cevm_tree_release(state);
    return err;
}

bool cevm_node_fork_begin(cevm_node *node, cevm_node_error *error, cevm_world **out)
{
    cevm_remote_block block;
    cevm_node_settings settings;
    cevm_record *record = NULL;
    cevm_remote_get_block(node->remote, &block);
    make_settings(&settings, node, &block);
    cevm_world *world = cevm_world_create(node->allocator);
    cevm_err err = world != NULL ? put_accounts(node) : CEVM_ERR_NOMEM;
    if (err == CEVM_OK) {
        err = cevm_node_put_predeploys(node,
                                       cevm_chain_fork(&settings.config, block.header.number, block.header.timestamp,
                                                       cevm_u256_is_zero(&block.header.difficulty)));
    }
    if (err == CEVM_OK) {
        err = make_record(node, &record, &settings, &block);
    }
    if (err == CEVM_OK) {
        world->settings = settings;
        world->first = block.header.number;
        err = cevm_world_append(world, record);
    }
    cevm_record_release(record);
    if (err != CEVM_OK) {
        cevm_world_release(world);
        return cevm_node_say_remote(node, error, err);
    }
    *out = world;
    return true;
}

/* ---- Rehearsals ------------------------------------------------------------------------------------------------------- */

/** Errors that do not come of a guess. */
static bool is_serious(cevm_err err) { return err == CEVM_ERR_NOMEM || err == CEVM_ERR_CANCELLED; }

cevm_err cevm_node_rehearse(cevm_node *node, cevm_err (*run)(void *user), void *user)
{
    size_t guesses = node->remote != NULL ? 1 : 0;
    cevm_err err = CEVM_OK;
    for (int round = 0; err == CEVM_OK && guesses != 0 && round < MAX_ROUNDS; ++round) {
        err = cevm_remote_begin_guessing(node->remote);
        if (err == CEVM_OK) {
            err = run(user);
            cevm_remote_end_guessing(node->remote, &guesses);
        }
        if (!is_serious(err)) {
            err = cevm_remote_fetch_guessed(node->remote);
        }
    }
    return err;
}

/** Whether a system contract has the code that its EIP gives it. */
static cevm_err is_as_given(const cevm_db *db, bool *yes, const cevm_address *address)
{
    cevm_predeploy given;
    cevm_db_account account;
    const cevm_err err = db->vtable->account(db->ctx, &account, yes, address);
    if (err != CEVM_OK || !*yes) {
        return err;
    }
    *yes = false;
    for (size_t i = 0; cevm_node_predeploy(&given, i); ++i) {
        if (cevm_address_equal(&given.address, address)) {
            cevm_hash hash;
            cevm_keccak256(&hash, given.code, given.size);
            *yes = cevm_hash_equal(&hash, &account.code_hash);
        }
    }
    return CEVM_OK;
}

/**
 * The rings of EIP-4788 and EIP-2935 are written at another place in each block, over what was there some thousand blocks
 * ago. To ask for that would be a round trip a block, and could not be done offline.
 */
static cevm_err pass_over_rings(const cevm_node *node, const cevm_db *db, const cevm_block_env *block)
{
    cevm_db_key slots[CEVM_MAX_RING_SLOTS];
    const size_t count = cevm_system_ring_slots(slots, block);
    cevm_err err = CEVM_OK;
    for (size_t i = 0; err == CEVM_OK && i < count; ++i) {
        bool yes = false;
        err = is_as_given(db, &yes, &slots[i].address);
        if (err == CEVM_OK && yes) {
            err = cevm_remote_assume_zero(node->remote, &slots[i].address, &slots[i].slot);
        }
    }
    return err;
}

cevm_err cevm_node_warm_block(cevm_node *node, const cevm_execution_input *input, cevm_pooled *const *txs, size_t count)
{
    const cevm_vm_config config = {
        .struct_size = sizeof config, .allocator = node->allocator, .code_cache = node->code_cache};
    if (node->remote == NULL) {
        return CEVM_OK;
    }
    const cevm_db db = cevm_node_view_db(&node->engine.view);
    cevm_err err = pass_over_rings(node, &db, &input->env);
    if (err != CEVM_OK) {
        return err;
    }
    const cevm_tx **list = NULL;
    if (count != 0) {
        list = cevm_resize_array(node->allocator, NULL, count, sizeof(const cevm_tx *));
        if (list == NULL) {
            return CEVM_ERR_NOMEM;
        }
    }
    for (size_t i = 0; i < count; ++i) {
        list[i] = txs[i]->tx;
    }
    err = cevm_remote_warm_block(node->remote, NULL, &db, &config, input, list, count);
    cevm_free(node->allocator, (void *)list);
    return err;
}
