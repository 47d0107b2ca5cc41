/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node with --data-dir: what clients were told is there again when it is started anew, however it ended. Clients' answers
 * before and after are compared word for word.
 */
#include "node_support.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cevm/lmdb.h>

#include "rpc/world_file.h"

/* ---- Folders --------------------------------------------------------------------------------------------------------- */

static void make_folder(char out[256])
{
    const char *place = getenv("TMPDIR");
    (void)snprintf(out, 256, "%s/cevm-node-XXXXXX", place != NULL ? place : P_tmpdir);
    assert_non_null(mkdtemp(out));
}

static void remove_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    char path[600];
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.') {
            (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            assert_int_equal(unlink(path), 0);
        }
    }
    (void)closedir(dir);
    assert_int_equal(rmdir(folder), 0);
}

static cevm_node *open_in(const char *folder)
{
    cevm_node_options options = node_options();
    options.data_dir = folder;
    return node_open_with(&options);
}

/** Whether the store is sound in itself, root, blocks, receipts and all; the node must be closed. */
static void verify(const char *folder)
{
    cevm_lmdb *store = NULL;
    cevm_lmdb_error error;
    const cevm_lmdb_options options = {.struct_size = sizeof options, .path = folder, .read_only = true};
    assert_int_equal(cevm_lmdb_open(&store, &error, &options), CEVM_OK);
    const cevm_err err = cevm_lmdb_verify(store, NULL, NULL);
    if (err != CEVM_OK) {
        fail_msg("the store is not sound: %s", cevm_lmdb_error_text(store));
    }
    cevm_lmdb_close(store);
}

/* Nobody has a key of this one. */
#define STRANGER "0x00000000000000000000000000000000deadbeef"

/* ---- What a node says ------------------------------------------------------------------------------------------------- */

/** Appends the answer to a question. */
static void ask(json_t *answers, cevm_node *node, const char *method, const char *params)
{
    assert_int_equal(json_array_append_new(answers, rpc_answer(node, method, params)), 0);
}

/** All that can be asked of a chain: every block and receipt, the state after each, the pool, the next block's fees. */
static json_t *everything(cevm_node *node)
{
    static const char *const accounts[] = {ALICE, BOB, STRANGER};
    json_t *answers = json_array();
    char params[200];
    const uint64_t head = block_number(node);
    ask(answers, node, "eth_chainId", "");
    ask(answers, node, "txpool_content", "");
    ask(answers, node, "eth_gasPrice", "");
    ask(answers, node, "eth_getLogs", "{\"fromBlock\":\"earliest\",\"toBlock\":\"latest\"}");
    for (uint64_t n = 0; n <= head; ++n) {
        (void)snprintf(params, sizeof params, "\"0x%llx\",true", (unsigned long long)n);
        ask(answers, node, "eth_getBlockByNumber", params);
        (void)snprintf(params, sizeof params, "\"0x%llx\"", (unsigned long long)n);
        ask(answers, node, "eth_getBlockReceipts", params);
        for (size_t a = 0; a < 3; ++a) {
            (void)snprintf(params, sizeof params, "\"%s\",[\"0x0\",\"0x1\"],\"0x%llx\"", accounts[a],
                           (unsigned long long)n);
            ask(answers, node, "eth_getProof", params);
        }
    }
    for (size_t a = 0; a < 3; ++a) {
        (void)snprintf(params, sizeof params, "\"%s\",[\"0x0\",\"0x1\"],\"latest\"", accounts[a]);
        ask(answers, node, "eth_getProof", params);
        (void)snprintf(params, sizeof params, "\"%s\",\"latest\"", accounts[a]);
        ask(answers, node, "eth_getCode", params);
        (void)snprintf(params, sizeof params, "\"%s\",\"pending\"", accounts[a]);
        ask(answers, node, "eth_getTransactionCount", params);
    }
    return answers;
}

static void compare(json_t *expected, json_t *answers)
{
    assert_int_equal(json_array_size(expected), json_array_size(answers));
    for (size_t i = 0; i < json_array_size(expected); ++i) {
        if (!json_equal(json_array_get(expected, i), json_array_get(answers, i))) {
            char *before = json_dumps(json_array_get(expected, i), JSON_SORT_KEYS);
            char *after = json_dumps(json_array_get(answers, i), JSON_SORT_KEYS);
            fail_msg("answer %zu was\n%s\nand is\n%s", i, before, after);
        }
    }
}

/** Closes a node and starts another on the same folder, which has to say the same. */
static cevm_node *start_again(cevm_node *node, const char *folder)
{
    json_t *before = everything(node);
    cevm_node_destroy(node);
    verify(folder);
    node = open_in(folder);
    json_t *after = everything(node);
    compare(before, after);
    json_decref(before);
    json_decref(after);
    return node;
}

/* ---- Tests ------------------------------------------------------------------------------------------------------------- */

/* SSTORE(0, 1), SSTORE(1, 42), LOG1(CALLER), and a program of one STOP is returned. */
#define CREATION "0x60015f55602a600155335f5fa15f5f5360015ff3"

static void test_blocks_and_states(void **unused)
{
    char folder[256];
    char hash[67];
    (void)unused;
    make_folder(folder);
    cevm_node *node = open_in(folder);
    node = start_again(node, folder); /* a genesis and nothing more */
    send_wei(node, "", hash);
    rpc_do(node, "eth_sendTransaction", "{\"from\":\"" ALICE "\",\"data\":\"" CREATION "\",\"gas\":\"0x30000\"}");
    rpc_do(node, "evm_mine", "{\"blocks\":3}");
    node = start_again(node, folder);
    assert_int_equal(block_number(node), 5);
    assert_true(is_mined(node, hash));
    send_wei(node, "", NULL); /* the nonce goes on */
    node = start_again(node, folder);
    assert_int_equal(block_number(node), 6);
    cevm_node_destroy(node);
    remove_folder(folder);
}

static void test_edits_and_impersonation(void **unused)
{
    char folder[256];
    (void)unused;
    make_folder(folder);
    cevm_node *node = open_in(folder);
    rpc_do(node, "anvil_setBalance", "\"" STRANGER "\",\"0x1234\"");
    node = start_again(node, folder); /* an edit that no block has */
    expect_text(node, "eth_getBalance", "\"" STRANGER "\",\"latest\"", "0x1234");
    rpc_do(node, "anvil_setCode", "\"" STRANGER "\",\"0x60016000\"");
    rpc_do(node, "anvil_setStorageAt",
           "\"" STRANGER "\",\"0x1\",\"0x0000000000000000000000000000000000000000000000000000000000000007\"");
    rpc_do(node, "evm_mine", "");
    rpc_do(node, "anvil_setBalance", "\"" STRANGER "\",\"0xffffffffffffffff\"");
    rpc_do(node, "anvil_impersonateAccount", "\"" STRANGER "\"");
    rpc_do(node, "eth_sendTransaction",
           "{\"from\":\"" STRANGER "\",\"to\":\"" BOB "\",\"value\":\"0x5\",\"gas\":\"0x5208\"}");
    rpc_do(node, "anvil_setNonce", "\"" BOB "\",\"0x9\"");
    node = start_again(node, folder);
    expect_text(node, "eth_getBalance", "\"" STRANGER "\",\"0x1\"", "0x1234");
    /* She still may. */
    rpc_do(node, "eth_sendTransaction",
           "{\"from\":\"" STRANGER "\",\"to\":\"" BOB "\",\"value\":\"0x5\",\"gas\":\"0x5208\"}");
    node = start_again(node, folder);
    cevm_node_destroy(node);
    remove_folder(folder);
}

static void test_going_back(void **unused)
{
    char folder[256];
    (void)unused;
    make_folder(folder);
    cevm_node *node = open_in(folder);
    send_wei(node, "", NULL);
    rpc_do(node, "anvil_setBalance", "\"" STRANGER "\",\"0x77\"");
    rpc_do(node, "evm_snapshot", "");
    rpc_do(node, "anvil_setBalance", "\"" STRANGER "\",\"0x78\"");
    send_wei(node, "", NULL);
    rpc_do(node, "evm_mine", "{\"blocks\":4}");
    node = start_again(node, folder);
    expect_bool(node, "evm_revert", "\"0x1\"", false); /* snapshots are of a process */
    rpc_do(node, "evm_snapshot", "");
    send_wei(node, "", NULL);
    rpc_do(node, "anvil_setBalance", "\"" BOB "\",\"0x1\"");
    rpc_do(node, "evm_revert", "\"0x1\"");
    node = start_again(node, folder);
    assert_int_equal(block_number(node), 6);
    rpc_do(node, "anvil_reorg", "3,[]");
    node = start_again(node, folder);
    rpc_do(node, "anvil_rollback", "4");
    node = start_again(node, folder);
    assert_int_equal(block_number(node), 2);
    rpc_do(node, "anvil_rollback", "2");
    node = start_again(node, folder);
    send_wei(node, "", NULL);
    node = start_again(node, folder);
    cevm_node_destroy(node);
    remove_folder(folder);
}

static void test_pool_and_settings(void **unused)
{
    char folder[256];
    char first[67];
    char second[67];
    (void)unused;
    make_folder(folder);
    cevm_node *node = open_in(folder);
    rpc_do(node, "evm_setAutomine", "false");
    send_wei(node, "", first);
    send_wei(node, "", second);
    send_wei(node, ",\"nonce\":\"0x9\"", NULL);
    rpc_do(node, "anvil_setCoinbase", "\"" BOB "\"");
    rpc_do(node, "evm_setNextBlockTimestamp", "1800000000");
    rpc_do(node, "anvil_setNextBlockBaseFeePerGas", "\"0x3b9aca00\"");
    node = start_again(node, folder);
    rpc_do(node, "evm_mine", "");
    assert_int_equal(latest(node, "timestamp"), 1800000000);
    assert_int_equal(latest(node, "baseFeePerGas"), 1000000000);
    assert_true(is_mined(node, first));
    assert_true(is_mined(node, second));
    json_t *block = latest_block(node);
    assert_string_equal(json_string_value(json_object_get(block, "miner")),
                        "0x70997970c51812dc3a010c7d01b50e0d17dc79c8");
    json_decref(block);
    node = start_again(node, folder); /* one still waits */
    cevm_node_destroy(node);
    remove_folder(folder);
}

/** A node that forgets old blocks, before and after they were saved, and in between. */
static void test_short_memory(void **unused)
{
    char folder[256];
    cevm_node_options options = node_options();
    (void)unused;
    make_folder(folder);
    options.history = 257;
    options.data_dir = folder;
    options.no_sync = true;
    cevm_node *node = node_open_with(&options);
    for (unsigned i = 0; i < 4; ++i) {
        send_wei(node, "", NULL);
        rpc_do(node, "anvil_setBalance", i == 1 ? "\"" STRANGER "\",\"0x78\"" : "\"" STRANGER "\",\"0x79\"");
        if (i == 3) {
            rpc_do(node, "anvil_rollback", "200");
        } else {
            rpc_do(node, "evm_mine", i == 1 ? "{\"blocks\":700}" : "{\"blocks\":150}"); /* all at once */
        }
        json_t *before = everything(node);
        json_t *dump = rpc(node, "anvil_dumpState", "");
        cevm_node_destroy(node);
        verify(folder);
        node = node_open_with(&options);
        json_t *after = everything(node);
        compare(before, after);
        json_decref(before);
        json_decref(after);
        after = rpc(node, "anvil_dumpState", "");
        assert_true(json_equal(dump, after));
        json_decref(dump);
        json_decref(after);
    }
    cevm_node_destroy(node);
    remove_folder(folder);
}

/** A state from elsewhere, with a head beyond ours: the chain begins with that block from then on. */
static void test_loaded_state(void **unused)
{
    char folder[256];
    (void)unused;
    make_folder(folder);
    cevm_node *other = node_open();
    rpc_do(other, "anvil_setBalance", "\"" STRANGER "\",\"0x1234\"");
    rpc_do(other, "evm_mine", "{\"blocks\":20}");
    json_t *state = rpc(other, "anvil_dumpState", "false");
    cevm_node_destroy(other);
    cevm_node *node = open_in(folder);
    send_wei(node, "", NULL);
    char *param = json_dumps(state, JSON_ENCODE_ANY);
    expect_bool(node, "anvil_loadState", param, true);
    assert_int_equal(block_number(node), 20);
    free(param);
    json_decref(state);
    json_t *before = rpc(node, "eth_getBlockByNumber", "\"latest\",true");
    cevm_node_destroy(node);
    verify(folder);
    node = open_in(folder);
    json_t *after = rpc(node, "eth_getBlockByNumber", "\"latest\",true");
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    expect_text(node, "eth_getBalance", "\"" STRANGER "\",\"latest\"", "0x1234");
    send_wei(node, "", NULL);
    assert_int_equal(block_number(node), 21);
    cevm_node_destroy(node);
    remove_folder(folder);
}

/** A second node in the same folder is told why it cannot be; the first goes on. */
static void test_one_at_a_time(void **unused)
{
    char folder[256];
    cevm_node *second = NULL;
    cevm_node_error error;
    (void)unused;
    make_folder(folder);
    cevm_node *node = open_in(folder);
    cevm_node_options options = node_options();
    options.data_dir = folder;
    assert_int_not_equal(cevm_node_create(&second, &error, &options), CEVM_OK);
    assert_null(second);
    assert_non_null(strstr(error.text, folder));
    send_wei(node, "", NULL);
    node = start_again(node, folder);
    cevm_node_destroy(node);
    remove_folder(folder);
}

/* ---- Dumps ------------------------------------------------------------------------------------------------------------- */

/** A chain with something of everything, the same each time. */
static cevm_node *busy_node(void)
{
    cevm_node *node = node_open();
    char params[80];
    rpc_do(node, "anvil_impersonateAccount", "\"" STRANGER "\"");
    for (unsigned i = 1; i <= 4; ++i) {
        (void)snprintf(params, sizeof params, "\"" STRANGER "\",\"0x%x0000000000000000\"", i);
        rpc_do(node, "anvil_setBalance", params);
        (void)snprintf(params, sizeof params, "%u", GENESIS_TIME + 100 * i);
        rpc_do(node, "evm_setNextBlockTimestamp", params);
        if (i == 2) {
            rpc_do(node, "eth_sendTransaction",
                   "{\"from\":\"" ALICE "\",\"data\":\"" CREATION "\",\"gas\":\"0x30000\"}");
        } else {
            rpc_do(node, "eth_sendTransaction",
                   "{\"from\":\"" STRANGER "\",\"to\":\"" BOB "\",\"value\":\"0x5\",\"gas\":\"0x5208\"}");
        }
    }
    rpc_do(node, "anvil_setCode", "\"" STRANGER "\",\"0x60016000\"");
    rpc_do(node, "evm_setAutomine", "false");
    send_wei(node, "", NULL);
    return node;
}

static void test_dump_and_load(void **unused)
{
    char folder[256];
    cevm_node_options options = node_options();
    (void)unused;
    make_folder(folder);
    cevm_node *node = busy_node();
    cevm_node *twin = busy_node();
    json_t *dump = rpc(node, "anvil_dumpState", "");
    json_t *same = rpc(twin, "anvil_dumpState", "");
    assert_string_equal(json_string_value(dump), json_string_value(same));
    json_decref(same);
    cevm_node_destroy(twin);
    /* Into a node that is another in everything, and lasts. */
    options.data_dir = folder;
    options.accounts = 3;
    options.timestamp = GENESIS_TIME + 5000;
    options.no_mining = true; /* how a node mines stays */
    cevm_node *other = node_open_with(&options);
    rpc_do(other, "evm_mine", "{\"blocks\":9}");
    char *param = json_dumps(dump, JSON_ENCODE_ANY);
    expect_bool(other, "anvil_loadState", param, true);
    json_t *before = everything(node);
    json_t *after = everything(other);
    compare(before, after);
    json_decref(after);
    same = rpc(other, "anvil_dumpState", "");
    assert_true(json_string_length(same) == json_string_length(dump));
    json_decref(same);
    cevm_node_destroy(other);
    verify(folder);
    other = node_open_with(&options);
    after = everything(other);
    compare(before, after);
    json_decref(before);
    json_decref(after);
    /* It goes on. */
    rpc_do(other, "evm_mine", "");
    assert_int_equal(block_number(other), 5);
    assert_true(latest(other, "timestamp") > GENESIS_TIME + 400 && latest(other, "timestamp") < GENESIS_TIME + 1000);
    free(param);
    json_decref(dump);
    cevm_node_destroy(node);
    cevm_node_destroy(other);
    remove_folder(folder);
}

/* ---- Damaged ----------------------------------------------------------------------------------------------------------- */

static uint64_t chance = 20150730;

static uint64_t below(uint64_t n)
{
    chance = chance * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (chance >> 33) % n;
}

typedef struct entries {
    uint8_t names[32][64];
    size_t name_sizes[32];
    uint8_t values[32][16384];
    size_t value_sizes[32];
    size_t count;
} entries;

static bool copy_entry(void *user, cevm_bytes name, cevm_bytes value)
{
    entries *e = user;
    assert_true(e->count < 32 && name.size <= 64 && value.size <= 16384);
    memcpy(e->names[e->count], name.data, name.size);
    memcpy(e->values[e->count], value.data, value.size);
    e->name_sizes[e->count] = name.size;
    e->value_sizes[e->count++] = value.size;
    return true;
}

static cevm_lmdb *open_store(const char *folder)
{
    cevm_lmdb *store = NULL;
    cevm_lmdb_error error;
    const cevm_lmdb_options options = {.struct_size = sizeof options, .path = folder};
    assert_int_equal(cevm_lmdb_open(&store, &error, &options), CEVM_OK);
    return store;
}

static void put_entry(const char *folder, const entries *e, size_t i, const uint8_t *value, size_t size)
{
    cevm_lmdb *store = open_store(folder);
    assert_int_equal(cevm_lmdb_put_entry(store, (cevm_bytes){e->names[i], e->name_sizes[i]}, (cevm_bytes){value, size}),
                     CEVM_OK);
    cevm_lmdb_close(store);
}

/** Some other bytes than those of an entry; none: it is gone. */
static size_t spoil(uint8_t *out, const entries *e, size_t i)
{
    size_t size = e->value_sizes[i];
    memcpy(out, e->values[i], size);
    switch (below(4)) {
    case 0: return (size_t)below(size);
    case 1: out[size++] = (uint8_t)below(256); break;
    default:
        for (uint64_t n = 1 + below(3); n > 0; --n) {
            out[below(size)] ^= (uint8_t)(1 + below(255));
        }
        break;
    }
    return size;
}

/** What a node kept beside its blocks may be anything: it starts, or says that it cannot, and changes nothing. */
static void test_damaged(void **unused)
{
    enum { TIMES = 120 };
    static entries e;
    static uint8_t spoilt[16385];
    char folder[256];
    size_t refused = 0;
    (void)unused;
    make_folder(folder);
    cevm_node *node = open_in(folder);
    rpc_do(node, "anvil_impersonateAccount", "\"" STRANGER "\"");
    rpc_do(node, "anvil_setBalance", "\"" STRANGER "\",\"0x77\"");
    rpc_do(node, "eth_sendTransaction", "{\"from\":\"" ALICE "\",\"data\":\"" CREATION "\",\"gas\":\"0x30000\"}");
    send_wei(node, "", NULL);
    rpc_do(node, "anvil_setBalance", "\"" STRANGER "\",\"0x78\"");
    rpc_do(node, "evm_setAutomine", "false");
    send_wei(node, "", NULL);
    json_t *before = everything(node);
    cevm_node_destroy(node);
    cevm_lmdb *store = open_store(folder);
    assert_int_equal(cevm_lmdb_for_each_entry(store, (cevm_bytes){NULL, 0}, copy_entry, &e), CEVM_OK);
    cevm_lmdb_close(store);
    assert_int_equal(e.count, 6); /* node, three blocks, edits, one that waits */
    for (unsigned n = 0; n < TIMES; ++n) {
        const size_t i = (size_t)below(e.count);
        cevm_node_options options = node_options();
        cevm_node_error error;
        options.data_dir = folder;
        options.accounts = 0;
        put_entry(folder, &e, i, spoilt, spoil(spoilt, &e, i));
        const cevm_err err = cevm_node_create(&node, &error, &options);
        if (err != CEVM_OK) {
            ++refused;
            assert_non_null(strstr(error.text, "data-dir"));
        }
        cevm_node_destroy(node);
        put_entry(folder, &e, i, e.values[i], e.value_sizes[i]);
    }
    assert_true(refused > TIMES / 2); /* a balance of another address, for one, cannot be told */
    node = open_in(folder);
    json_t *after = everything(node);
    compare(before, after);
    json_decref(before);
    json_decref(after);
    cevm_node_destroy(node);
    remove_folder(folder);
}

/** The same for a dump: it is loaded, or the node is as it was. */
static void test_damaged_dump(void **unused)
{
    enum { TIMES = 300 };
    size_t refused = 0;
    (void)unused;
    cevm_node *node = busy_node();
    const cevm_allocator *allocator = cevm_node_allocator(node);
    cevm_world *world = cevm_node_world(node);
    cevm_world *draft = cevm_world_clone(world);
    cevm_treedb *db = NULL;
    cevm_buf bytes;
    assert_non_null(draft);
    cevm_buf_init(&bytes, allocator);
    assert_int_equal(cevm_treedb_create(&db, NULL, allocator), CEVM_OK);
    assert_int_equal(cevm_world_write(&bytes, world), CEVM_OK);
    assert_int_equal(cevm_world_load(draft, db, (cevm_bytes){bytes.data, bytes.size}, cevm_node_nothing(node)),
                     CEVM_OK);
    for (unsigned n = 0; n < TIMES; ++n) {
        const size_t at = (size_t)below(bytes.size);
        const uint8_t old = bytes.data[at];
        const size_t size = below(4) == 0 ? at : bytes.size;
        bytes.data[at] ^= (uint8_t)(1 + below(255));
        const cevm_err err = cevm_world_load(draft, db, (cevm_bytes){bytes.data, size}, cevm_node_nothing(node));
        refused += err != CEVM_OK ? 1 : 0;
        bytes.data[at] = old;
    }
    assert_true(refused > TIMES / 2);
    cevm_buf_free(&bytes);
    cevm_world_release(draft);
    cevm_world_release(world);
    cevm_treedb_destroy(db);
    cevm_node_destroy(node);
}

/* ---- Killed ------------------------------------------------------------------------------------------------------------ */

/** A node that works until it is killed, and tells by the pipe how many blocks its clients have been told of. */
static void work(const char *folder, int pipe_end)
{
    cevm_node *node = open_in(folder);
    for (;;) {
        send_wei(node, "", NULL);
        rpc_do(node, "anvil_setBalance", "\"" STRANGER "\",\"0x77\"");
        const uint64_t number = block_number(node);
        if (write(pipe_end, &number, sizeof number) != (ssize_t)sizeof number) {
            _exit(1);
        }
    }
}

static void test_killed(void **unused)
{
    enum { TIMES = 8 };
    char folder[256];
    uint64_t told = 0;
    (void)unused;
    make_folder(folder);
    for (unsigned i = 0; i < TIMES; ++i) {
        int ends[2];
        int status = 0;
        assert_int_equal(pipe(ends), 0);
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            (void)close(ends[0]);
            work(folder, ends[1]);
        }
        (void)close(ends[1]);
        for (unsigned n = 0; n < 2 + i; ++n) { /* then at any moment */
            assert_int_equal(read(ends[0], &told, sizeof told), sizeof told);
        }
        (void)usleep(1000 * (i * 7 % 5));
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        while (read(ends[0], &told, sizeof told) == (ssize_t)sizeof told) {
        }
        (void)close(ends[0]);
        verify(folder);
        cevm_node *node = open_in(folder);
        assert_true(block_number(node) == told || block_number(node) == told + 1);
        assert_int_equal(rpc_quantity(node, "eth_getTransactionCount", "\"" ALICE "\",\"latest\""), block_number(node));
        node = start_again(node, folder);
        cevm_node_destroy(node);
    }
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_and_states),
        cmocka_unit_test(test_edits_and_impersonation),
        cmocka_unit_test(test_going_back),
        cmocka_unit_test(test_pool_and_settings),
        cmocka_unit_test(test_short_memory),
        cmocka_unit_test(test_loaded_state),
        cmocka_unit_test(test_one_at_a_time),
        cmocka_unit_test(test_dump_and_load),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_damaged_dump),
        cmocka_unit_test(test_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
