/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A block over a remote state (cevm_remote_warm_block): how many round trips it takes, and that what comes of it is what
 * comes of it over the state itself.
 */
#include "execution_support.h"

#include "remote_support.h"
#include "state/layer.h"

#include <unistd.h>

enum { TXS = 200, PROXIES = 20, IMPLEMENTATION = 0x1a1a, FIRST_PROXY = 0x2000, FIRST_SENDER = 0x4000 };

/** DELEGATECALL of the address in slot 0 with all of the input. */
#define PROXY_CODE "365f5f375f5f365f5f545af45000"
/**
 * Follows the input through three slots; the balance, the code size and the code of the address it comes to; keeps the
 * caller in the slot of that number, and logs the hash of a block near.
 */
#define WALK_CODE "5f35545454803150803b50803f5033815560014303405f525f5260405fa000"

/** A backend that keeps what is committed as text, over one that is read. */
typedef struct recorder {
    cevm_db below; /* first: state/layer.h */
    cevm_buf text;
} recorder;

static cevm_err recorder_commit(void *ctx, const cevm_diff *diff)
{
    recorder *r = ctx;
    for (size_t i = 0; i < diff->account_count; ++i) {
        const cevm_account_change *c = &diff->accounts[i];
        cevm_rlp_put_address(&r->text, &c->address);
        cevm_rlp_put_u64(&r->text, (uint64_t)c->deleted | (uint64_t)c->storage_cleared << 1);
        cevm_rlp_put_u256(&r->text, &c->balance);
        cevm_rlp_put_u64(&r->text, c->nonce);
        cevm_rlp_put_hash(&r->text, &c->code_hash);
        for (size_t s = 0; s < c->slot_count; ++s) {
            cevm_rlp_put_u256(&r->text, &c->slots[s].key);
            cevm_rlp_put_u256(&r->text, &c->slots[s].value);
        }
    }
    return CEVM_OK;
}

static cevm_db recorder_interface(recorder *r)
{
    static const cevm_db_vtable vtable = {.struct_size = sizeof vtable,
                                          .account = cevm_layer_account,
                                          .storage = cevm_layer_storage,
                                          .code = cevm_layer_code,
                                          .block_hash = cevm_layer_block_hash,
                                          .commit = recorder_commit};
    return (cevm_db){.vtable = &vtable, .ctx = r};
}

/* ---- A block ---------------------------------------------------------------------------------------------------------- */

typedef struct scene {
    world w; /* its store is the state before the block */
    fake_node node;
    cevm_remote_transport transport;
    cevm_execution_input input;
    cevm_tx txs[TXS];
    const cevm_tx *list[TXS];
    uint8_t data[TXS][32];
} scene;

static void put_slot(scene *s, const cevm_address *address, uint64_t key, uint64_t value)
{
    const cevm_u256 k = cevm_u256_from_u64(key);
    const cevm_u256 v = cevm_u256_from_u64(value);
    assert_int_equal(cevm_memdb_set_storage(s->w.db, address, &k, &v), CEVM_OK);
}

/** 200 transactions of as many senders, each through one of 20 proxies along slots of its own. */
static void scene_open(scene *s)
{
    memset(s, 0, sizeof *s);
    world_open(&s->w, CEVM_OSAKA);
    put_system_contracts(&s->w);
    world_put(&s->w, address_of(IMPLEMENTATION), 0, 1, WALK_CODE);
    for (unsigned p = 0; p < PROXIES; ++p) {
        const cevm_address proxy = address_of(FIRST_PROXY + p);
        world_put(&s->w, proxy, 0, 1, PROXY_CODE);
        put_slot(s, &proxy, 0, IMPLEMENTATION);
    }
    for (unsigned i = 0; i < TXS; ++i) {
        const cevm_address proxy = address_of(FIRST_PROXY + i % PROXIES);
        world_put(&s->w, address_of(FIRST_SENDER + i), ETHER, i, "");
        put_slot(s, &proxy, 10000 + i, 20000 + i);
        put_slot(s, &proxy, 20000 + i, 30000 + i);
        put_slot(s, &proxy, 30000 + i, i % 3 == 0 ? FIRST_SENDER + i : 50000 + i);
        cevm_store_be64(s->data[i] + 24, 10000 + i);
        s->txs[i] = (cevm_tx){.type = CEVM_TX_DYNAMIC_FEE,
                              .has_chain_id = true,
                              .chain_id = 1,
                              .nonce = i,
                              .gas_limit = 140000,
                              .max_fee = cevm_u256_from_u64(10),
                              .to = proxy,
                              .data = {s->data[i], 32},
                              .sender = address_of(FIRST_SENDER + i),
                              .has_sender = true};
        s->list[i] = &s->txs[i];
    }
    s->w.block.number = 1001;
    s->w.block.timestamp = 1700000000;
    s->input = input_of(&s->w);
    s->input.skips_hashes = true;
    s->input.parent_hash.bytes[3] = 4;
    s->node = (fake_node){.db = cevm_memdb_interface(s->w.db), .number = 1000, .chain_id = 1, .branch = 0xaa};
    for (uint64_t number = 700; number <= 1000; ++number) {
        const cevm_hash hash = fake_node_block_hash(&s->node, number);
        assert_int_equal(cevm_memdb_set_block_hash(s->w.db, number, &hash), CEVM_OK);
    }
    s->transport = fake_node_transport(&s->node);
}

static void scene_close(scene *s)
{
    fake_node_free(&s->node);
    world_close(&s->w);
}

/** The block over a backend: its receipts root, and as text what it changed. */
static cevm_err run_block(const scene *s, cevm_execution_output *out, cevm_buf *changes, const cevm_db *below)
{
    recorder r = {.below = *below};
    cevm_vm *vm = NULL;
    cevm_state *state = NULL;
    cevm_execution *execution = NULL;
    cevm_buf_init(&r.text, NULL);
    const cevm_db db = recorder_interface(&r);
    assert_int_equal(cevm_vm_create(&vm, NULL), CEVM_OK);
    assert_int_equal(cevm_state_create(&state, &db, NULL), CEVM_OK);
    assert_int_equal(cevm_execution_create(&execution, vm, state, &s->input, NULL), CEVM_OK);
    cevm_err err = cevm_execution_begin(execution, NULL);
    for (size_t i = 0; i < TXS && err == CEVM_OK; ++i) {
        cevm_tx_error reason = CEVM_TX_NONE;
        cevm_receipt receipt;
        err = cevm_execution_tx(execution, &receipt, &reason, s->list[i], NULL);
        assert_true(err != CEVM_OK || (reason == CEVM_TX_NONE && receipt.log_count == 1));
    }
    if (err == CEVM_OK) {
        cevm_block_error reason = CEVM_BLOCK_NONE;
        err = cevm_execution_end(execution, out, &reason, NULL);
        assert_int_equal(reason, CEVM_BLOCK_NONE);
        out->requests = NULL;
        assert_int_equal(cevm_state_commit(state), err == CEVM_OK ? CEVM_OK : CEVM_ERR_COUNT);
    }
    cevm_execution_destroy(execution);
    cevm_state_destroy(state);
    cevm_vm_destroy(vm);
    *changes = r.text;
    return err;
}

static void assert_same_block(const scene *s, const cevm_db *db)
{
    const cevm_db full = cevm_memdb_interface(s->w.db);
    cevm_execution_output left;
    cevm_execution_output right;
    cevm_buf left_changes;
    cevm_buf right_changes;
    assert_int_equal(run_block(s, &left, &left_changes, &full), CEVM_OK);
    assert_int_equal(run_block(s, &right, &right_changes, db), CEVM_OK);
    assert_int_equal(left.gas_used, right.gas_used);
    assert_memory_equal(left.receipts_root.bytes, right.receipts_root.bytes, 32);
    assert_memory_equal(left.logs_bloom.bytes, right.logs_bloom.bytes, sizeof left.logs_bloom.bytes);
    assert_memory_equal(left.requests_hash.bytes, right.requests_hash.bytes, 32);
    assert_int_equal(left_changes.size, right_changes.size);
    assert_memory_equal(left_changes.data, right_changes.data, left_changes.size);
    cevm_buf_free(&left_changes);
    cevm_buf_free(&right_changes);
}

static cevm_remote *open_remote(const cevm_remote_options *options)
{
    cevm_remote *remote = NULL;
    cevm_remote_error error;
    assert_int_equal(cevm_remote_open(&remote, &error, options), CEVM_OK);
    return remote;
}

static void test_round_trips_of_a_block(void **state)
{
    (void)state;
    scene s;
    scene_open(&s);
    const cevm_remote_options options = fake_node_options(&s.transport, NULL);
    cevm_remote *remote = open_remote(&options);
    cevm_db db = cevm_remote_interface(remote);
    assert_same_block(&s, &db); /* as it would be without */
    const size_t without = s.node.requests;
    cevm_remote_close(remote);

    s.node.requests = s.node.calls = 0;
    remote = open_remote(&options);
    db = cevm_remote_interface(remote);
    size_t rounds = 0;
    assert_int_equal(cevm_remote_warm_block(remote, &rounds, &db, NULL, &s.input, s.list, TXS), CEVM_OK);
    const size_t with = s.node.requests;
    assert_same_block(&s, &db);
    assert_int_equal(s.node.requests, with);
    print_message("%d transactions: %zu round trips (%zu calls, %zu rounds), one key at a time %zu\n", TXS, with,
                  s.node.calls, rounds, without);
    assert_true(with <= 12);
    assert_true(without > 1000);
    s.node.requests = 0; /* all of it is known now */
    assert_int_equal(cevm_remote_warm_block(remote, &rounds, &db, NULL, &s.input, s.list, TXS), CEVM_OK);
    assert_int_equal(rounds, 1);
    assert_int_equal(s.node.requests, 0);
    cevm_remote_close(remote);
    scene_close(&s);
}

/** Recorded once, the block runs with nobody to ask, and comes out the same. */
static void test_a_block_offline(void **state)
{
    (void)state;
    scene s;
    char path[300];
    const char *place = getenv("TMPDIR");
    (void)snprintf(path, sizeof path, "%.200s/cevm-XXXXXX", place != NULL ? place : P_tmpdir);
    const int file = mkstemp(path);
    assert_true(file >= 0);
    (void)close(file);
    scene_open(&s);
    cevm_remote_options options = fake_node_options(&s.transport, path);
    cevm_remote *remote = open_remote(&options);
    cevm_db db = cevm_remote_interface(remote);
    assert_int_equal(cevm_remote_warm_block(remote, NULL, &db, NULL, &s.input, s.list, TXS), CEVM_OK);
    cevm_remote_close(remote);
    options = (cevm_remote_options){.struct_size = sizeof options, .cache_path = path, .offline = true};
    remote = open_remote(&options);
    db = cevm_remote_interface(remote);
    assert_same_block(&s, &db);
    s.data[7][31] ^= 1; /* another block needs what is not there */
    cevm_execution_output out;
    cevm_buf changes;
    assert_int_equal(run_block(&s, &out, &changes, &db), CEVM_ERR_BACKEND);
    cevm_buf_free(&changes);
    cevm_remote_error error;
    cevm_remote_last_error(remote, &error);
    assert_non_null(strstr(error.text, "does not have slot "));
    assert_int_equal(cevm_remote_warm_block(remote, NULL, &db, NULL, &s.input, s.list, TXS), CEVM_ERR_BACKEND);
    cevm_remote_close(remote);
    scene_close(&s);
    (void)unlink(path);
}

/** A transaction that is not valid, and one without a sender. */
static void test_blocks_that_are_not_valid(void **state)
{
    (void)state;
    scene s;
    scene_open(&s);
    const cevm_remote_options options = fake_node_options(&s.transport, NULL);
    cevm_remote *remote = open_remote(&options);
    const cevm_db db = cevm_remote_interface(remote);
    s.txs[3].nonce += 5;
    s.txs[4].gas_limit = 1;
    assert_int_equal(cevm_remote_warm_block(remote, NULL, &db, NULL, &s.input, s.list, TXS), CEVM_OK);
    s.txs[5].has_sender = false;
    assert_int_equal(cevm_remote_warm_block(remote, NULL, &db, NULL, &s.input, s.list, TXS), CEVM_ERR_ARGUMENT);
    cevm_remote_close(remote);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips_of_a_block),
        cmocka_unit_test(test_a_block_offline),
        cmocka_unit_test(test_blocks_that_are_not_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
