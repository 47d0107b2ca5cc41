/* SPDX-License-Identifier: Apache-2.0 */
/* Readers while the writer writes: each sees a world that is whole, and waits for nobody. Run it under ThreadSanitizer. */
#include "node_support.h"

#include <pthread.h>

enum { READERS = 3, BLOCKS = 150 };

typedef struct reader {
    cevm_node *node;
    atomic_bool *stop;
    size_t reads;
    const char *wrong;
} reader;

/** Wei that Bob has beyond what he began with, as the state of a world tells it. */
static cevm_err gain_of(cevm_workbench *bench, const cevm_address *bob, uint64_t *out)
{
    cevm_account_info info;
    const cevm_err err = cevm_state_get_account(bench->state, &info, bob);
    *out = info.balance.w[0] - UINT64_C(0x19e0c9bab2400000); /* the low part of 10,000 ether */
    return err;
}

/* One wei a transaction: what Bob has is what the blocks hold. */
static const char *read_once(cevm_node *node, const cevm_address *bob)
{
    cevm_workbench bench;
    uint64_t gain = 0;
    const char *wrong = NULL;
    cevm_world *world = cevm_node_world(node);
    const uint64_t number = world->head->block.header.number;
    cevm_record *some = cevm_world_block(world, number / 2);
    if (cevm_world_block(world, number) != world->head || some == NULL ||
        cevm_world_block_by_hash(world, &some->block.hash) != some) {
        wrong = "the head or a block is not where it should be";
    } else if (cevm_workbench_open(&bench, node, world, some) != CEVM_OK) {
        wrong = "a state cannot be opened";
    } else {
        if (gain_of(&bench, bob, &gain) != CEVM_OK || gain != number / 2) {
            wrong = "the state is not that of its block";
        }
        cevm_workbench_close(&bench);
    }
    if (wrong == NULL && world->txs.count != number) {
        wrong = "the index of transactions is not that of the head";
    }
    cevm_world_release(world);
    return wrong;
}

static void *run_reader(void *arg)
{
    reader *r = arg;
    cevm_address bob;
    cevm_node_account(r->node, 1, &bob, NULL);
    do { /* on a busy machine the writer may be done before the first */
        r->wrong = read_once(r->node, &bob);
        r->reads++;
    } while (!atomic_load(r->stop) && r->wrong == NULL);
    return NULL;
}

/** Blocks of one transaction each, and now and then back to where it was. */
static void write_blocks(cevm_node *node)
{
    for (int round = 0; round < 3; ++round) {
        char params[24];
        const uint64_t id = rpc_quantity(node, "evm_snapshot", "");
        for (int i = 0; i < BLOCKS / 3; ++i) {
            send_wei(node, "", NULL);
        }
        (void)snprintf(params, sizeof params, "%llu", (unsigned long long)id);
        if (round != 2) {
            expect_bool(node, "evm_revert", params, true);
        }
    }
}

static void test_readers(void **unused)
{
    cevm_node *node = node_open();
    atomic_bool stop = false;
    pthread_t threads[READERS];
    reader readers[READERS];
    (void)unused;
    for (size_t i = 0; i < READERS; ++i) {
        readers[i] = (reader){.node = node, .stop = &stop};
        assert_int_equal(pthread_create(&threads[i], NULL, run_reader, &readers[i]), 0);
    }
    write_blocks(node);
    atomic_store(&stop, true);
    for (size_t i = 0; i < READERS; ++i) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        if (readers[i].wrong != NULL) {
            fail_msg("%s", readers[i].wrong);
        }
        assert_true(readers[i].reads > 0);
    }
    assert_int_equal(block_number(node), BLOCKS / 3);
    cevm_node_destroy(node);
}

/* Two writers and the miner's thread at once: every transaction gets into exactly one block. */
static void *run_writer(void *arg)
{
    cevm_node *node = ((reader *)arg)->node;
    for (int i = 0; i < 40; ++i) {
        json_t *answer = rpc_answer(node, "eth_sendTransaction",
                                    "{\"from\":\"" BOB "\",\"to\":\"" CAROL "\",\"value\":\"0x1\",\"gas\":\"0x5208\"}");
        ((reader *)arg)->reads += json_object_get(answer, "result") != NULL;
        json_decref(answer);
    }
    return NULL;
}

static void test_writers(void **unused)
{
    cevm_node_options options = node_options();
    pthread_t thread;
    (void)unused;
    options.block_time_ms = 5;
    options.mixed_mining = true;
    cevm_node *node = node_open_with(&options);
    reader other = {.node = node};
    assert_int_equal(pthread_create(&thread, NULL, run_writer, &other), 0);
    for (int i = 0; i < 40; ++i) {
        send_wei(node, "", NULL);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(other.reads, 40);
    assert_int_equal(rpc_quantity(node, "eth_getTransactionCount", "\"" ALICE "\""), 40);
    assert_int_equal(rpc_quantity(node, "eth_getTransactionCount", "\"" BOB "\""), 40);
    cevm_node_destroy(node);
}

/* Requests of one sender at the same time, none of which names a nonce. */
static void test_nonces(void **unused)
{
    cevm_node_options options = node_options();
    pthread_t threads[READERS];
    reader writers[READERS];
    (void)unused;
    options.no_mining = true;
    cevm_node *node = node_open_with(&options);
    for (size_t i = 0; i < READERS; ++i) {
        writers[i] = (reader){.node = node};
        assert_int_equal(pthread_create(&threads[i], NULL, run_writer, &writers[i]), 0);
    }
    for (size_t i = 0; i < READERS; ++i) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(writers[i].reads, 40);
    }
    json_t *status = rpc(node, "txpool_status", "");
    assert_int_equal(quantity(status, "pending"), 40 * READERS);
    json_decref(status);
    cevm_node_destroy(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_readers), cmocka_unit_test(test_writers),
                                       cmocka_unit_test(test_nonces)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
