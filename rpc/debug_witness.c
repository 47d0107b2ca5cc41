/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debug_executionWitness: what somebody without the state needs to execute a block and find its root: the headers it
 * looks back to, the code it runs, and of the tries before it every node on the way to what it reads or writes. Where
 * something goes away a branch can be left with one child, which moves up: that child is there too.
 */
#include <cevm/alloc.h>
#include <cevm/crypto.h>

#include "rpc/debug_block.h"
#include "rpc/methods.h"
#include "rpc/node_internal.h"
#include "rpc/shapes.h"
#include "rpc/trace_config.h"
#include "rpc/trial.h"
#include "state/map.h"
#include "state/rlp.h"

typedef struct read_key {
    cevm_address address;
    bool is_slot;
    cevm_u256 key;
} read_key;

typedef struct witness {
    cevm_rpc_call *call;
    const cevm_record *record;
    cevm_db below; /* the state before the block */
    cevm_node_view view;
    uint64_t oldest; /* number of the oldest block that was looked back to */
    read_key *keys;  /* each once: the state above asks once */
    size_t key_count, key_capacity;
    cevm_bytes *codes; /* views of the state before */
    size_t code_count, code_capacity;
    cevm_bytes *nodes; /* in the call's arena; some more than once */
    size_t node_count, node_capacity;
    size_t gone; /* keys that were there before and are not after */
    cevm_err err;
} witness;

/* ---- What is read -------------------------------------------------------------------------------------------------- */

static cevm_err grow(const witness *t, void **array, size_t *capacity, size_t count, size_t size)
{
    if (count < *capacity) {
        return CEVM_OK;
    }
    void *grown = cevm_array_reserve(cevm_node_allocator(t->call->node), *array, capacity, count, 1, size);
    *array = grown != NULL ? grown : *array;
    return grown != NULL ? CEVM_OK : CEVM_ERR_NOMEM;
}

static cevm_err note_key(witness *t, const cevm_address *address, const cevm_u256 *key)
{
    void *array = t->keys;
    cevm_err err = grow(t, &array, &t->key_capacity, t->key_count, sizeof t->keys[0]);
    t->keys = array;
    if (err == CEVM_OK) {
        t->keys[t->key_count] = (read_key){.address = *address, .is_slot = key != NULL};
        if (key != NULL) {
            t->keys[t->key_count].key = *key;
        }
        t->key_count++;
    }
    return err;
}

static cevm_err read_account(void *ctx, cevm_db_account *out, bool *exists, const cevm_address *address)
{
    witness *t = ctx;
    const cevm_err err = note_key(t, address, NULL);
    return err == CEVM_OK ? t->below.vtable->account(t->below.ctx, out, exists, address) : err;
}

static cevm_err read_storage(void *ctx, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key)
{
    witness *t = ctx;
    const cevm_err err = note_key(t, address, key);
    return err == CEVM_OK ? t->below.vtable->storage(t->below.ctx, out, address, key) : err;
}

static cevm_err read_code(void *ctx, cevm_bytes *out, const cevm_hash *hash)
{
    witness *t = ctx;
    cevm_err err = t->below.vtable->code(t->below.ctx, out, hash);
    if (err == CEVM_OK) {
        void *array = t->codes;
        err = grow(t, &array, &t->code_capacity, t->code_count, sizeof t->codes[0]);
        t->codes = array;
        if (err == CEVM_OK) {
            t->codes[t->code_count++] = *out;
        }
    }
    return err;
}

static cevm_err read_block_hash(void *ctx, cevm_hash *out, uint64_t number)
{
    witness *t = ctx;
    const cevm_db chain = cevm_node_view_db(&t->view);
    t->oldest = number < t->oldest ? number : t->oldest;
    return chain.vtable->block_hash(chain.ctx, out, number);
}

static const cevm_db_vtable recorder = {.struct_size = sizeof recorder,
                                        .account = read_account,
                                        .storage = read_storage,
                                        .code = read_code,
                                        .block_hash = read_block_hash};

/* Executes the whole block: system calls, transactions, withdrawals, requests. */
static cevm_err execute(witness *t, const cevm_world *world, cevm_vm *vm)
{
    const cevm_record *record = t->record;
    const cevm_db db = {.vtable = &recorder, .ctx = t};
    const cevm_allocator *allocator = cevm_node_allocator(t->call->node);
    cevm_execution_input input;
    cevm_execution *execution = NULL;
    cevm_execution_output output;
    cevm_block_error bad;
    cevm_state *state = NULL;
    cevm_node_input(&input, &world->settings.config, &record->block.header, record->is_merged);
    input.env = record->env;
    input.withdrawals = record->block.withdrawals;
    input.withdrawal_count = record->block.withdrawal_count;
    cevm_err err = cevm_state_create(&state, &db, allocator);
    if (err == CEVM_OK) {
        err = cevm_execution_create(&execution, vm, state, &input, allocator);
    }
    if (err == CEVM_OK) {
        err = cevm_execution_begin(execution, NULL);
    }
    for (size_t i = 0; i < record->block.tx_count && err == CEVM_OK; ++i) {
        cevm_tx_error reason;
        err = cevm_execution_tx(execution, NULL, &reason, record->block.txs[i], NULL);
    }
    if (err == CEVM_OK) {
        err = cevm_execution_end(execution, &output, &bad, NULL);
    }
    cevm_execution_destroy(execution);
    if (state != NULL) {
        cevm_state_destroy(state);
    }
    return err;
}

/* ---- Nodes --------------------------------------------------------------------------------------------------------- */

static bool keep_node(void *user, cevm_bytes rlp)
{
    witness *t = user;
    void *array = t->nodes;
    t->err = grow(t, &array, &t->node_capacity, t->node_count, sizeof t->nodes[0]);
    t->nodes = array;
    uint8_t *copy = t->err == CEVM_OK ? cevm_arena_alloc(t->call->arena, rlp.size) : NULL;
    if (copy == NULL) {
        t->err = CEVM_ERR_NOMEM;
        return false;
    }
    memcpy(copy, rlp.data, rlp.size);
    t->nodes[t->node_count++] = (cevm_bytes){copy, rlp.size};
    return true;
}

static cevm_err prove(witness *t, const cevm_address *address, const cevm_u256 *key)
{
    const cevm_tree *before = t->record->before;
    cevm_err err = key != NULL ? cevm_tree_prove_slot(before, address, key, keep_node, t)
                               : cevm_tree_prove_account(before, NULL, address, keep_node, t);
    return err == CEVM_OK ? t->err : err;
}

/* The first key at or behind a hash is proved as well: the node it stands under comes with it. */
typedef struct neighbour {
    bool found;
    cevm_address address;
    cevm_u256 key;
} neighbour;

static bool take_account(void *user, const cevm_hash *hashed, const cevm_address *address,
                         const cevm_db_account *account, const cevm_hash *storage_root, cevm_bytes code)
{
    neighbour *n = user;
    (void)hashed;
    (void)account;
    (void)storage_root;
    (void)code;
    n->found = true;
    n->address = *address;
    return false;
}

static bool take_slot(void *user, const cevm_hash *hashed, const cevm_u256 *key, const cevm_u256 *value)
{
    neighbour *n = user;
    (void)hashed;
    (void)value;
    n->found = true;
    n->key = *key;
    return false;
}

static cevm_err prove_from(witness *t, const read_key *gone, const cevm_hash *from)
{
    neighbour n = {.found = false};
    const cevm_tree *before = t->record->before;
    cevm_err err = gone->is_slot ? cevm_tree_for_each_slot(before, &gone->address, from, take_slot, &n)
                                 : cevm_tree_for_each_account(before, from, take_account, &n);
    if (err != CEVM_OK || !n.found) {
        return err;
    }
    return gone->is_slot ? prove(t, &gone->address, &n.key) : prove(t, &n.address, NULL);
}

static uint8_t nibble(const cevm_hash *path, size_t i)
{
    return i % 2 == 0 ? path->bytes[i / 2] >> 4 : path->bytes[i / 2] & 15;
}

/* The children of a branch beside the one the path takes at depth `at`. */
static cevm_err prove_siblings(witness *t, const read_key *gone, const cevm_hash *path, size_t at, uint32_t children)
{
    cevm_err err = CEVM_OK;
    for (uint8_t k = 0; k < 16 && err == CEVM_OK; ++k) {
        if ((children >> k & 1) == 0 || k == nibble(path, at)) {
            continue;
        }
        cevm_hash from = {{0}};
        memcpy(from.bytes, path->bytes, at / 2);
        const unsigned high = path->bytes[at / 2] & 0xf0u;
        from.bytes[at / 2] = (uint8_t)(at % 2 == 0 ? (unsigned)k << 4 : high | (unsigned)k);
        err = prove_from(t, gone, &from);
    }
    return err;
}

/* Which of the 16 children a branch has; 0 when the node is no branch. */
static uint32_t children_of(cevm_bytes payload, size_t *items, cevm_rlp_item child[17])
{
    uint32_t children = 0;
    *items = 0;
    while (payload.size != 0 && *items < 17 && cevm_rlp_next(&payload, &child[*items])) {
        ++*items;
    }
    for (size_t i = 0; i < 16 && *items == 17; ++i) {
        children |= child[i].is_list || child[i].payload.size != 0 ? (uint32_t)1 << i : 0;
    }
    return children;
}

static unsigned count_bits(uint32_t bits)
{
    unsigned n = 0;
    for (; bits != 0; bits &= bits - 1) {
        ++n;
    }
    return n;
}

/* Walks the nodes from `first` on, which lead to a key that goes away, past branches that may be left with one child. */
static cevm_err widen(witness *t, const read_key *gone, const cevm_hash *path, size_t first, size_t end)
{
    size_t at = 0;
    cevm_err err = CEVM_OK;
    for (size_t i = first; i < end && err == CEVM_OK; ++i) {
        cevm_bytes cursor = t->nodes[i];
        cevm_rlp_item node;
        bool ok = cevm_rlp_next(&cursor, &node) && node.is_list;
        while (ok && at < 64) { /* a short node stands in the one above */
            cevm_rlp_item item[17];
            size_t items;
            const uint32_t children = children_of(node.payload, &items, item);
            if (items == 17) {
                if (count_bits(children) - 1 <= t->gone) {
                    err = prove_siblings(t, gone, path, at, children);
                }
                node = item[nibble(path, at)];
                at++;
            } else if (items == 2 && item[0].payload.size != 0) {
                const bool odd = (item[0].payload.data[0] & 0x10) != 0;
                at += 2 * (item[0].payload.size - 1) + (odd ? 1 : 0);
                node = item[1];
            } else {
                break;
            }
            ok = err == CEVM_OK && node.is_list;
        }
    }
    return err;
}

static bool is_gone(const witness *t, const read_key *key)
{
    const cevm_db before = cevm_tree_interface(t->record->before);
    const cevm_db after = cevm_tree_interface(t->record->state);
    cevm_u256 value[2] = {{{0}}, {{0}}};
    bool exists[2] = {false, false};
    cevm_db_account account;
    if (key->is_slot) {
        (void)before.vtable->storage(before.ctx, &value[0], &key->address, &key->key);
        (void)after.vtable->storage(after.ctx, &value[1], &key->address, &key->key);
        return !cevm_u256_is_zero(&value[0]) && cevm_u256_is_zero(&value[1]);
    }
    (void)before.vtable->account(before.ctx, &account, &exists[0], &key->address);
    (void)after.vtable->account(after.ctx, &account, &exists[1], &key->address);
    return exists[0] && !exists[1];
}

static cevm_hash path_of(const read_key *key)
{
    cevm_hash path;
    uint8_t bytes[32];
    if (key->is_slot) {
        cevm_u256_to_be(bytes, &key->key);
        cevm_keccak256(&path, bytes, sizeof bytes);
    } else {
        cevm_keccak256(&path, key->address.bytes, sizeof key->address.bytes);
    }
    return path;
}

static cevm_err collect_nodes(witness *t)
{
    for (size_t i = 0; i < t->key_count; ++i) {
        t->gone += is_gone(t, &t->keys[i]) ? 1 : 0;
    }
    cevm_err err = CEVM_OK;
    for (size_t i = 0; i < t->key_count && err == CEVM_OK; ++i) {
        const read_key *key = &t->keys[i];
        const size_t first = t->node_count;
        err = prove(t, &key->address, key->is_slot ? &key->key : NULL);
        if (err == CEVM_OK && is_gone(t, key)) {
            const cevm_hash path = path_of(key);
            err = widen(t, key, &path, first, t->node_count);
        }
    }
    return err;
}

/* ---- The answer ---------------------------------------------------------------------------------------------------- */

static int by_bytes(const void *a, const void *b)
{
    const cevm_bytes *x = a;
    const cevm_bytes *y = b;
    const size_t n = x->size < y->size ? x->size : y->size;
    const int order = n != 0 ? memcmp(x->data, y->data, n) : 0;
    return order != 0 ? order : x->size < y->size ? -1 : x->size > y->size ? 1 : 0;
}

/* In order, each once. */
static void put_set(cevm_json_writer *w, const char *key, cevm_bytes *items, size_t count)
{
    cevm_sort(items, count, sizeof items[0], by_bytes);
    cevm_json_put_key(w, key);
    cevm_json_begin_array(w);
    for (size_t i = 0; i < count; ++i) {
        if (i == 0 || by_bytes(&items[i - 1], &items[i]) != 0) {
            cevm_json_put_data(w, items[i]);
        }
    }
    cevm_json_end_array(w);
}

static void put_keys(const witness *t)
{
    cevm_json_writer *w = t->call->out;
    cevm_json_put_key(w, "keys");
    cevm_json_begin_array(w);
    for (size_t i = 0; i < t->key_count; ++i) {
        if (t->keys[i].is_slot) {
            cevm_json_put_word(w, &t->keys[i].key);
        } else {
            cevm_json_put_address(w, &t->keys[i].address);
        }
    }
    cevm_json_end_array(w);
}

static void put_headers(const witness *t, const cevm_world *world)
{
    cevm_json_writer *w = t->call->out;
    cevm_json_put_key(w, "headers");
    cevm_json_begin_array(w);
    for (uint64_t number = t->oldest; number < t->record->block.header.number; ++number) {
        const cevm_record *ancestor = cevm_world_block(world, number);
        if (ancestor != NULL) {
            cevm_json_begin_object(w);
            cevm_shape_hash(w, "hash", &ancestor->block.hash);
            cevm_shape_header_members(w, &ancestor->block.header);
            cevm_json_end_object(w);
        }
    }
    cevm_json_end_array(w);
}

static void put_witness(witness *t, const cevm_world *world)
{
    cevm_json_writer *w = t->call->out;
    cevm_json_begin_object(w);
    put_headers(t, world);
    put_set(w, "codes", t->codes, t->code_count);
    put_set(w, "state", t->nodes, t->node_count);
    put_keys(t);
    cevm_json_end_object(w);
}

static void make_witness(cevm_rpc_call *call, cevm_world *world, cevm_record *record)
{
    const uint64_t number = record->block.header.number;
    witness t = {.call = call,
                 .record = record,
                 .below = cevm_tree_interface(record->before),
                 .oldest = number != 0 ? number - 1 : 0,
                 .view = {.below = cevm_tree_interface(record->before),
                          .world = world,
                          .head = cevm_world_block_by_hash(world, &record->block.header.parent_hash)}};
    cevm_vm *vm = cevm_call_vm(call, NULL, cevm_call_deadline(call));
    if (vm == NULL) {
        return;
    }
    cevm_err err = execute(&t, world, vm);
    if (err == CEVM_OK) {
        err = collect_nodes(&t);
    }
    if (err == CEVM_OK) {
        put_witness(&t, world);
    } else {
        (void)cevm_trace_fail_call(call, err);
    }
    const cevm_allocator *allocator = cevm_node_allocator(call->node);
    cevm_vm_destroy(vm);
    cevm_free(allocator, t.keys);
    cevm_free(allocator, t.codes);
    cevm_free(allocator, t.nodes);
}

void cevm_rpc_debug_executionWitness(cevm_rpc_call *call)
{
    cevm_view view;
    if (!cevm_debug_open_block(&view, call, 0)) {
        return;
    }
    if (view.record->before == NULL) {
        (void)cevm_rpc_fail(call, CEVM_RPC_SERVER, "block found, but parent missing");
    } else if (cevm_node_get_options(call->node)->fork_url != NULL) {
        (void)cevm_rpc_fail(call, CEVM_RPC_UNSUPPORTED,
                            "the tries of the chain this node was forked from are not here");
    } else if (!CEVM_HAS_EIP(view.record->fork, 658)) {
        (void)cevm_rpc_fail(call, CEVM_RPC_UNSUPPORTED, "there are witnesses from Byzantium on");
    } else {
        make_witness(call, view.world, view.record);
    }
    cevm_view_close(&view);
}
