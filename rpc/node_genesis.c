/* SPDX-License-Identifier: Apache-2.0 */
/* The first block of a node: the built-in one, or that of a genesis.json. */
#include <inttypes.h>
#include <stdio.h>

#include <cevm/alloc.h>
#include <cevm/genesis.h>
#include <cevm/hex.h>

#include "chain/genesis_json.h"
#include "rpc/node_internal.h"

enum { DEFAULT_CHAIN_ID = 31337, DEFAULT_GAS_LIMIT = 30000000 };

/* ---- Accounts ------------------------------------------------------------------------------------------------------ */

bool cevm_node_predeploy(cevm_predeploy *out, size_t i)
{
    static const struct {
        const char *address;
        int since;
        const char *code;
    } rows[] = {
#define PREDEPLOY(address, since, code) {address, since, code},
#include "rpc/predeploys.def"
#undef PREDEPLOY
    };
    if (i >= sizeof rows / sizeof rows[0]) {
        return false;
    }
    out->since = rows[i].since;
    return strlen(rows[i].code) <= 2 * sizeof out->code &&
           cevm_hex_decode_exact(out->address.bytes, sizeof out->address.bytes, rows[i].address) &&
           cevm_hex_decode(out->code, &out->size, rows[i].code, strlen(rows[i].code));
}

cevm_err cevm_node_put_predeploys(const cevm_node *node, cevm_fork fork)
{
    const cevm_db db = cevm_treedb_interface(node->engine.db);
    cevm_err err = CEVM_OK;
    cevm_predeploy given;
    for (size_t i = 0; err == CEVM_OK && cevm_node_predeploy(&given, i); ++i) {
        if ((int)fork < given.since) {
            continue;
        }
        cevm_db_account account = {.code_hash = cevm_empty_code_hash};
        bool exists = false;
        err = db.vtable->account(db.ctx, &account, &exists, &given.address);
        if (err == CEVM_OK && (!exists || cevm_hash_equal(&account.code_hash, &cevm_empty_code_hash))) {
            const cevm_u256 balance = exists ? account.balance : cevm_u256_from_u64(0);
            const cevm_bytes code = {given.code, given.size};
            err = cevm_treedb_set_account(node->engine.db, &given.address, &balance, 1, code);
        }
    }
    return err;
}

static cevm_err put_accounts(const cevm_node *node)
{
    cevm_err err = CEVM_OK;
    for (size_t i = 0; err == CEVM_OK && i < node->key_count; ++i) {
        err = cevm_treedb_set_account(node->engine.db, &node->keys[i].address, &node->options.balance, 0,
                                      (cevm_bytes){NULL, 0});
    }
    return err;
}

/** What is copied from the loader's store to the node's. */
typedef struct copying {
    cevm_memdb *from;
    cevm_treedb *to;
    const cevm_address *address;
    cevm_err err;
} copying;

static bool copy_slot(void *user, const cevm_u256 *key, const cevm_u256 *value)
{
    copying *c = user;
    c->err = cevm_treedb_set_storage(c->to, c->address, key, value);
    return c->err == CEVM_OK;
}

static bool copy_account(void *user, const cevm_address *address, const cevm_db_account *account, cevm_bytes code)
{
    copying *c = user;
    c->address = address;
    c->err = cevm_treedb_set_account(c->to, address, &account->balance, account->nonce, code);
    if (c->err == CEVM_OK && account->has_storage) {
        const cevm_err err = cevm_memdb_for_each_slot(c->from, address, copy_slot, c);
        c->err = c->err == CEVM_OK ? err : c->err;
    }
    return c->err == CEVM_OK;
}

/* ---- The block ----------------------------------------------------------------------------------------------------- */

/** A world whose head is this first block; the store holds its state. */
static cevm_err make_world(cevm_node *node, cevm_world **out, const cevm_node_settings *settings, cevm_header *header,
                           bool is_merged)
{
    cevm_tree *state = NULL;
    cevm_record *record = NULL;
    cevm_world *world = cevm_world_create(node->allocator);
    cevm_err err = world != NULL ? cevm_treedb_snapshot(node->engine.db, &state) : CEVM_ERR_NOMEM;
    if (err == CEVM_OK) {
        cevm_tree_root(state, &header->state_root);
        cevm_genesis_complete(header, &settings->config, &header->state_root);
        cevm_record_parts parts = {
            .header = header, .total_difficulty = header->difficulty, .is_merged = is_merged, .state = state};
        cevm_header_env(&parts.env, &settings->config, header, is_merged);
        err = cevm_record_create(&record, &parts, node->allocator);
    }
    if (err == CEVM_OK) {
        world->settings = *settings;
        world->first = header->number;
        err = cevm_world_append(world, record);
    }
    cevm_record_release(record);
    cevm_tree_release(state);
    if (err != CEVM_OK) {
        cevm_world_release(world);
        return err;
    }
    *out = world;
    return CEVM_OK;
}

void cevm_node_common_settings(cevm_node_settings *out, const cevm_node_options *options)
{
    *out = (cevm_node_settings){.gas_limit = options->gas_limit != 0 ? options->gas_limit : DEFAULT_GAS_LIMIT,
                                .min_gas_price = options->gas_price,
                                .interval_ms = options->no_mining ? 0 : options->block_time_ms,
                                .order = options->order,
                                .auto_impersonate = options->auto_impersonate};
    out->automine = !options->no_mining && (options->block_time_ms == 0 || options->mixed_mining);
    if (options->has_timestamp) {
        out->time_offset = (int64_t)(options->timestamp - cevm_node_real_time());
    }
}

static void built_in_config(cevm_chain_config *out, const cevm_node_options *options)
{
    if (options->fork == CEVM_LATEST) {
        (void)cevm_chain_preset(out, "dev"); /* its schedule ends with EIP-7892's forks, one entry each */
        if (options->has_blob_forks && options->blob_forks < CEVM_NODE_BLOB_FORKS) {
            out->blob_schedule_count -= CEVM_NODE_BLOB_FORKS - options->blob_forks;
        }
    } else {
        cevm_chain_config_at_fork(out, options->fork);
    }
    out->chain_id = options->chain_id != 0 ? options->chain_id : DEFAULT_CHAIN_ID;
}

static bool built_in(cevm_node *node, cevm_node_error *error, cevm_world **out)
{
    const cevm_node_options *options = &node->options;
    cevm_node_settings settings;
    cevm_node_common_settings(&settings, options);
    built_in_config(&settings.config, options);
    cevm_header header = {.ommers_hash = cevm_empty_ommers_hash,
                          .gas_limit = settings.gas_limit,
                          .timestamp = options->has_timestamp ? options->timestamp : cevm_node_real_time(),
                          .has_base_fee = options->has_base_fee,
                          .base_fee = options->base_fee};
    const bool is_merged = CEVM_HAS_EIP(options->fork, 3675);
    if (!is_merged) {
        header.difficulty = cevm_u256_from_u64(1);
    }
    cevm_err err = cevm_node_put_predeploys(node, options->fork);
    if (err == CEVM_OK) {
        err = put_accounts(node);
    }
    if (err == CEVM_OK) {
        err = make_world(node, out, &settings, &header, is_merged);
    }
    return err == CEVM_OK || cevm_node_say_err(error, err);
}

/** Whether a chain is merged from its first block on. */
static bool begins_merged(const cevm_chain_config *config, const cevm_header *header)
{
    bool is_merged = config->forks[CEVM_PARIS].kind == CEVM_BY_TOTAL_DIFFICULTY &&
                     cevm_u256_is_zero(&config->terminal_total_difficulty);
    for (int fork = CEVM_SHANGHAI; fork < CEVM_FORK_COUNT; ++fork) {
        const cevm_activation *a = &config->forks[fork];
        is_merged = is_merged || (a->kind == CEVM_BY_TIME && header->timestamp >= a->at);
    }
    return is_merged;
}

static bool from_file(cevm_node *node, cevm_node_error *error, cevm_world **out)
{
    cevm_genesis_error text = {.text = ""};
    cevm_genesis *genesis = NULL;
    cevm_memdb *accounts = NULL;
    cevm_node_settings settings;
    cevm_err err = cevm_memdb_create(&accounts, node->allocator);
    if (err != CEVM_OK) {
        return cevm_node_say_err(error, err);
    }
    err = cevm_genesis_load(&genesis, &text, accounts, node->options.genesis_path, node->allocator);
    if (err == CEVM_OK) {
        copying c = {.from = accounts, .to = node->engine.db, .err = CEVM_OK};
        err = cevm_memdb_for_each_account(accounts, copy_account, &c);
        err = err == CEVM_OK ? c.err : err;
    }
    if (err == CEVM_OK) {
        cevm_node_common_settings(&settings, &node->options);
        settings.config = genesis->config;
        settings.gas_limit = node->options.gas_limit != 0 ? settings.gas_limit : genesis->header.gas_limit;
        settings.coinbase = genesis->header.coinbase;
        if (node->options.chain_id != 0) {
            settings.config.chain_id = node->options.chain_id;
        }
        err = make_world(node, out, &settings, &genesis->header, begins_merged(&genesis->config, &genesis->header));
    }
    cevm_genesis_destroy(genesis, node->allocator);
    cevm_memdb_destroy(accounts);
    if (err != CEVM_OK) {
        (void)cevm_node_say_err(error, err);
        (void)snprintf(error->text, sizeof error->text, "%s", text.text[0] != '\0' ? text.text : cevm_err_string(err));
    }
    return err == CEVM_OK;
}

/* ---- A chain that is there already --------------------------------------------------------------------------------- */

/** Whether the genesis file makes the block the chain begins with. */
static bool begins_so(cevm_node *node, cevm_node_error *error, const cevm_hash *first)
{
    cevm_genesis_error text = {.text = ""};
    cevm_genesis *genesis = NULL;
    cevm_memdb *accounts = NULL;
    bool is_same = false;
    cevm_err err = cevm_memdb_create(&accounts, node->allocator);
    if (err == CEVM_OK) {
        err = cevm_genesis_load(&genesis, &text, accounts, node->options.genesis_path, node->allocator);
    }
    if (err == CEVM_OK) {
        is_same = cevm_hash_equal(&genesis->hash, first);
    }
    cevm_genesis_destroy(genesis, node->allocator);
    cevm_memdb_destroy(accounts);
    if (err != CEVM_OK) {
        (void)cevm_node_say_err(error, err);
        (void)snprintf(error->text, sizeof error->text, "%s", text.text[0] != '\0' ? text.text : cevm_err_string(err));
        return false;
    }
    return is_same || cevm_node_say(error, 0, "data-dir: it holds a chain that begins with another block than %.200s",
                                    node->options.genesis_path);
}

bool cevm_node_is_described(cevm_node *node, cevm_node_error *error, const cevm_world *stored)
{
    const cevm_node_options *o = &node->options;
    const uint64_t chain_id = stored->settings.config.chain_id;
    if (o->chain_id != 0 && o->chain_id != chain_id) {
        return cevm_node_say(error, 0, "data-dir: it holds chain %" PRIu64 ", not %" PRIu64, chain_id, o->chain_id);
    }
    if (o->genesis_path == NULL && o->fork != CEVM_LATEST && o->fork != stored->head->fork) {
        return cevm_node_say(error, 0, "data-dir: it holds a chain with the rules of %s, not %s",
                             cevm_fork_name(stored->head->fork), cevm_fork_name(o->fork));
    }
    return o->genesis_path == NULL || stored->first != 0 ||
           begins_so(node, error, &cevm_world_block(stored, 0)->block.hash);
}

bool cevm_node_genesis(cevm_node *node, cevm_node_error *error, cevm_world **out)
{
    const bool ok = node->remote != NULL                 ? cevm_node_fork_begin(node, error, out)
                    : node->options.genesis_path != NULL ? from_file(node, error, out)
                                                         : built_in(node, error, out);
    if (ok && (*out)->head->block.header.timestamp > CEVM_NODE_LAST_TIME) {
        const uint64_t time = (*out)->head->block.header.timestamp;
        cevm_world_release(*out);
        *out = NULL;
        return cevm_node_say(error, 0,
                             "the first block's timestamp, %llu, leaves no time for blocks after it; the last is %llu",
                             (unsigned long long)time, (unsigned long long)CEVM_NODE_LAST_TIME);
    }
    return ok;
}
