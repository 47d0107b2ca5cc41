/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The remote backend (cevm/remote.h) against a node in the process: what it reads, how often it asks, what it does when
 * the node misbehaves, its file, and guessing.
 */
#include "execution_support.h"

#include "remote_support.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ACCOUNTS = 60, SLOTS = 4 };

/** A memory backend with something in it, and a node over it. */
typedef struct bench {
    cevm_memdb *memdb;
    fake_node node;
    cevm_remote_transport transport;
    char path[300]; /* of a cache file that is not there yet */
} bench;

static uint64_t slot_value(uint64_t account, uint64_t slot) { return slot == 0 ? 0 : account * 100 + slot; }

static void bench_open(bench *b)
{
    const char *place = getenv("TMPDIR");
    memset(b, 0, sizeof *b);
    assert_int_equal(cevm_memdb_create(&b->memdb, NULL), CEVM_OK);
    for (uint64_t i = 0; i < ACCOUNTS; ++i) {
        const uint8_t code[3] = {0x60, (uint8_t)(i / 8), 0x00};
        const cevm_address address = address_of((unsigned)i + 1);
        const cevm_u256 balance = cevm_u256_from_u64(i % 5 == 0 ? 0 : 1000 + i);
        const cevm_bytes bytes = {code, i % 4 == 0 ? sizeof code : 0};
        assert_int_equal(cevm_memdb_set_account(b->memdb, &address, &balance, i + 1, bytes), CEVM_OK);
        for (uint64_t s = 0; s < SLOTS && i % 4 == 0; ++s) {
            const cevm_u256 key = cevm_u256_from_u64(s);
            const cevm_u256 value = cevm_u256_from_u64(slot_value(i, s));
            assert_int_equal(cevm_memdb_set_storage(b->memdb, &address, &key, &value), CEVM_OK);
        }
    }
    b->node = (fake_node){.db = cevm_memdb_interface(b->memdb), .number = 1000, .chain_id = 5, .branch = 0xaa};
    b->transport = fake_node_transport(&b->node);
    (void)snprintf(b->path, sizeof b->path, "%.200s/cevm-XXXXXX", place != NULL ? place : P_tmpdir);
    const int file = mkstemp(b->path);
    assert_true(file >= 0);
    (void)close(file);
    assert_int_equal(unlink(b->path), 0);
}

static void bench_close(bench *b)
{
    fake_node_free(&b->node);
    cevm_memdb_destroy(b->memdb);
    (void)unlink(b->path);
}

static cevm_remote *open_remote(const cevm_remote_options *options)
{
    cevm_remote *remote = NULL;
    cevm_remote_error error;
    const cevm_err err = cevm_remote_open(&remote, &error, options);
    if (err != CEVM_OK) {
        print_error("%s\n", error.text);
    }
    assert_int_equal(err, CEVM_OK);
    return remote;
}

static cevm_remote *open_plain(const bench *b)
{
    const cevm_remote_options options = fake_node_options(&b->transport, NULL);
    return open_remote(&options);
}

static cevm_remote *open_cached(const bench *b, bool offline)
{
    cevm_remote_options options = fake_node_options(&b->transport, b->path);
    options.offline = offline;
    return open_remote(&options);
}

static size_t make_keys(cevm_db_key *keys)
{
    size_t count = 0;
    for (unsigned i = 0; i < ACCOUNTS + 5; ++i) { /* some are not there */
        keys[count++] = (cevm_db_key){.address = address_of(i + 1)};
        for (uint64_t s = 0; s < SLOTS; ++s) {
            keys[count++] = (cevm_db_key){.address = address_of(i + 1), .is_slot = true, .slot = cevm_u256_from_u64(s)};
        }
    }
    return count;
}

enum { KEYS = (ACCOUNTS + 5) * (1 + SLOTS) };

/** Everything a backend of accounts can be asked for, on both. */
static void compare_all(const bench *b, cevm_remote *remote)
{
    const cevm_db left = cevm_memdb_interface(b->memdb);
    const cevm_db right = cevm_remote_interface(remote);
    static cevm_db_key keys[KEYS];
    for (size_t i = 0, count = make_keys(keys); i < count; ++i) {
        if (keys[i].is_slot) {
            cevm_u256 expected;
            cevm_u256 value;
            assert_int_equal(left.vtable->storage(left.ctx, &expected, &keys[i].address, &keys[i].slot), CEVM_OK);
            assert_int_equal(right.vtable->storage(right.ctx, &value, &keys[i].address, &keys[i].slot), CEVM_OK);
            assert_true(cevm_u256_equal(&value, &expected));
            continue;
        }
        cevm_db_account expected;
        cevm_db_account account;
        bool expected_exists = false;
        bool exists = false;
        assert_int_equal(left.vtable->account(left.ctx, &expected, &expected_exists, &keys[i].address), CEVM_OK);
        assert_int_equal(right.vtable->account(right.ctx, &account, &exists, &keys[i].address), CEVM_OK);
        assert_true(exists == expected_exists);
        if (exists) {
            cevm_bytes code = {NULL, 0};
            assert_true(cevm_u256_equal(&account.balance, &expected.balance));
            assert_true(account.nonce == expected.nonce);
            assert_true(account.has_storage == expected.has_storage);
            assert_memory_equal(account.code_hash.bytes, expected.code_hash.bytes, 32);
            if (!cevm_hash_equal(&account.code_hash, &cevm_empty_code_hash)) {
                assert_int_equal(right.vtable->code(right.ctx, &code, &account.code_hash), CEVM_OK);
                cevm_hash hash;
                cevm_keccak256(&hash, code.data, code.size);
                assert_memory_equal(hash.bytes, expected.code_hash.bytes, 32);
            }
        }
    }
}

static cevm_err prefetch_all(cevm_remote *remote)
{
    static cevm_db_key keys[KEYS];
    const cevm_db db = cevm_remote_interface(remote);
    return db.vtable->prefetch(db.ctx, keys, make_keys(keys));
}

/** An account, for its error. */
static cevm_err read_one(cevm_remote *remote, unsigned number)
{
    const cevm_db db = cevm_remote_interface(remote);
    const cevm_address address = address_of(number);
    cevm_db_account account;
    bool exists;
    return db.vtable->account(db.ctx, &account, &exists, &address);
}

static void assert_error(cevm_remote *remote, const char *text)
{
    cevm_remote_error error;
    cevm_remote_last_error(remote, &error);
    if (strstr(error.text, text) == NULL) {
        print_error("wanted \"%s\", got \"%s\"\n", text, error.text);
    }
    assert_non_null(strstr(error.text, text));
    assert_null(strstr(error.text, "secret"));
    assert_null(strstr(error.text, "key"));
}

/* ---- Reads ------------------------------------------------------------------------------------------------------------ */

static void test_reads(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    cevm_remote *remote = open_plain(&b);
    assert_int_equal(b.node.requests, 1); /* chain id and block */
    compare_all(&b, remote);
    assert_int_equal(b.node.requests, 1 + KEYS); /* an account is one round trip too */
    compare_all(&b, remote);
    assert_int_equal(b.node.requests, 1 + KEYS);
    cevm_remote_block block;
    cevm_remote_get_block(remote, &block);
    const cevm_hash hash = fake_node_block_hash(&b.node, 1000);
    assert_true(block.chain_id == 5 && block.header.number == 1000 && block.header.timestamp == 1000);
    assert_memory_equal(block.hash.bytes, hash.bytes, 32);
    assert_true(block.header.has_base_fee && block.header.base_fee.w[0] == 7 && !block.header.has_blob_gas);
    assert_int_equal(block.header.extra_data.size, 3);
    assert_int_equal(block.header.extra_data.data[2], 3);
    cevm_remote_close(remote);
    bench_close(&b);
}

static void test_block_hashes(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    cevm_remote *remote = open_plain(&b);
    const cevm_db db = cevm_remote_interface(remote);
    static const uint64_t numbers[] = {1000, 999, 998, 1, 0, 1001, UINT64_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; ++i) {
        const cevm_hash none = {{0}};
        const cevm_hash expected = numbers[i] <= 1000 ? fake_node_block_hash(&b.node, numbers[i]) : none;
        cevm_hash hash;
        for (int twice = 0; twice < 2; ++twice) {
            assert_int_equal(db.vtable->block_hash(db.ctx, &hash, numbers[i]), CEVM_OK);
            assert_memory_equal(hash.bytes, expected.bytes, 32);
        }
    }
    assert_int_equal(b.node.requests, 1 + 3); /* the block tells its own hash and its parent's */
    cevm_remote_close(remote);
    bench_close(&b);
}

static void test_prefetch_is_one_round_trip(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    cevm_remote *remote = open_plain(&b);
    assert_int_equal(prefetch_all(remote), CEVM_OK);
    assert_int_equal(b.node.requests, 2);
    assert_int_equal(b.node.largest, (ACCOUNTS + 5) * (3 + SLOTS));
    assert_int_equal(prefetch_all(remote), CEVM_OK);
    compare_all(&b, remote);
    assert_int_equal(b.node.requests, 2);
    cevm_remote_stat stat;
    cevm_remote_get_stat(remote, &stat);
    assert_int_equal(stat.requests, 2);
    assert_int_equal(stat.calls, 2 + (ACCOUNTS + 5) * (3 + SLOTS));
    assert_int_equal(stat.accounts, ACCOUNTS + 5);
    assert_int_equal(stat.slots, (ACCOUNTS + 5) * SLOTS);
    assert_int_equal(stat.codes, 8); /* codes of accounts that have the same are one */
    cevm_remote_close(remote);

    cevm_remote_options options = fake_node_options(&b.transport, NULL);
    options.batch_size = 100;
    b.node.requests = b.node.largest = 0;
    remote = open_remote(&options);
    assert_int_equal(prefetch_all(remote), CEVM_OK);
    assert_int_equal(b.node.largest, 100);
    assert_int_equal(b.node.requests, 1 + ((ACCOUNTS + 5) * (3 + SLOTS) + 99) / 100);
    compare_all(&b, remote);
    cevm_remote_close(remote);
    bench_close(&b);
}

/** A chosen block, a chain that must be the one that was asked for, and a block that is not there. */
static void test_which_block(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    cevm_remote_options options = fake_node_options(&b.transport, NULL);
    options.has_block = true;
    options.block = 7;
    options.has_chain_id = true;
    options.chain_id = 5;
    cevm_remote *remote = open_remote(&options);
    cevm_remote_block block;
    cevm_remote_get_block(remote, &block);
    assert_true(block.header.number == 7);
    cevm_remote_close(remote);
    cevm_remote_error error;
    options.chain_id = 6;
    assert_int_equal(cevm_remote_open(&remote, &error, &options), CEVM_ERR_ARGUMENT);
    assert_string_equal(error.text, "node.example:8545: the node is on chain 5, not on chain 6");
    options.chain_id = 5;
    options.block = 1001;
    assert_int_equal(cevm_remote_open(&remote, &error, &options), CEVM_ERR_BACKEND);
    assert_string_equal(error.text, "node.example:8545: eth_getBlockByNumber: the node does not have it");
    options.struct_size = 8;
    assert_int_equal(cevm_remote_open(&remote, &error, &options), CEVM_ERR_ARGUMENT);
    const cevm_remote_options nothing = {.struct_size = sizeof nothing};
    assert_int_equal(cevm_remote_open(&remote, &error, &nothing), CEVM_ERR_ARGUMENT);
    const cevm_remote_options no_file = {.struct_size = sizeof no_file, .offline = true};
    assert_int_equal(cevm_remote_open(&remote, &error, &no_file), CEVM_ERR_ARGUMENT);
    assert_null(remote);
    bench_close(&b);
}

static void test_it_is_for_reading(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    cevm_remote *remote = open_plain(&b);
    const cevm_db db = cevm_remote_interface(remote);
    const cevm_account_change change = {.address = address_of(1), .code_hash = cevm_empty_code_hash};
    const cevm_diff diff = {.accounts = &change, .account_count = 1};
    const cevm_diff nothing = {.account_count = 0};
    assert_int_equal(db.vtable->commit(db.ctx, &diff), CEVM_ERR_ARGUMENT);
    assert_int_equal(db.vtable->commit(db.ctx, &nothing), CEVM_OK);
    assert_true(db.vtable->root == NULL);
    cevm_bytes code;
    assert_int_equal(db.vtable->code(db.ctx, &code, &cevm_empty_code_hash), CEVM_ERR_BACKEND);
    cevm_remote_close(remote);
    cevm_remote_close(NULL);
    bench_close(&b);
}

/* ---- Nodes that misbehave --------------------------------------------------------------------------------------------- */

static void test_troubles_that_pass(void **state)
{
    (void)state;
    static const struct {
        fake_node_mode mode;
        size_t times;
        size_t retries; /* after waits: what came in part is completed at once */
    } rows[] = {{NODE_BUSY, 3, 3},         {NODE_BROKEN, 3, 3},  {NODE_UNREACHABLE, 3, 3},  {NODE_LIMITS_CALLS, 3, 3},
                {NODE_LIMITS_BATCH, 3, 3}, {NODE_GARBAGE, 3, 3}, {NODE_CUT, 3, 3},          {NODE_FORGETS, 3, 0},
                {NODE_NO_BATCH, 0, 0},     {NODE_SMALL, 0, 0},   {NODE_LARGE_ANSWER, 0, 0}, {NODE_BAD_REQUEST, 0, 0},
                {NODE_BACKWARDS, 0, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        bench b;
        bench_open(&b);
        cevm_remote *remote = open_plain(&b);
        b.node.mode = rows[i].mode;
        b.node.times = rows[i].times;
        assert_int_equal(prefetch_all(remote), CEVM_OK);
        const size_t asked = b.node.requests;
        compare_all(&b, remote);
        assert_int_equal(b.node.requests, asked);
        cevm_remote_stat stat;
        cevm_remote_get_stat(remote, &stat);
        assert_int_equal(stat.retries, rows[i].retries);
        cevm_remote_close(remote);
        b.node.times = rows[i].times; /* and from the start */
        remote = open_plain(&b);
        compare_all(&b, remote);
        cevm_remote_close(remote);
        bench_close(&b);
    }
}

static void test_troubles_that_stay(void **state)
{
    (void)state;
    static const struct {
        fake_node_mode mode;
        const char *text;
    } rows[] = {
        {NODE_BUSY, "node.example:8545: HTTP status 429 (given up after "},
        {NODE_UNREACHABLE, "node.example:8545: Couldn't connect to server (given up after "},
        {NODE_GARBAGE, "node.example:8545: the answer is not JSON, or not whole (given up after "},
        {NODE_PRUNED,
         "node.example:8545: eth_getBalance: the node says missing trie node d67e (path ) \\n state is not "
         "available (code -32000)"},
        {NODE_NONSENSE, "node.example:8545: eth_getBalance: the result is not what the method gives"},
        {NODE_NULL, "node.example:8545: eth_getBalance: the node does not have it"},
        {NODE_FORBIDS, "node.example:8545: HTTP status 401"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        bench b;
        bench_open(&b);
        cevm_remote *remote = open_plain(&b);
        b.node.mode = rows[i].mode;
        b.node.times = SIZE_MAX;
        assert_int_equal(read_one(remote, 3), CEVM_ERR_BACKEND);
        assert_error(remote, rows[i].text);
        assert_int_equal(prefetch_all(remote), CEVM_ERR_BACKEND);
        b.node.mode = NODE_WELL; /* nothing wrong was kept */
        compare_all(&b, remote);
        cevm_remote_close(remote);
        bench_close(&b);
    }
}

static void test_cancelled(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    volatile bool cancel = false;
    cevm_remote_options options = fake_node_options(&b.transport, NULL);
    options.cancel = &cancel;
    options.patience_ms = 60000;
    cevm_remote *remote = open_remote(&options);
    cancel = true;
    assert_int_equal(read_one(remote, 3), CEVM_ERR_CANCELLED);
    cancel = false;
    assert_int_equal(read_one(remote, 3), CEVM_OK);
    cevm_remote_close(remote);
    bench_close(&b);
}

/* ---- The file ---------------------------------------------------------------------------------------------------------- */

static void test_recorded_and_offline(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    cevm_remote *remote = open_cached(&b, false);
    const cevm_db db = cevm_remote_interface(remote);
    cevm_hash hash;
    assert_int_equal(prefetch_all(remote), CEVM_OK);
    assert_int_equal(db.vtable->block_hash(db.ctx, &hash, 900), CEVM_OK);
    cevm_remote_block online;
    cevm_remote_get_block(remote, &online);
    online.header.extra_data.data = NULL;
    cevm_remote_close(remote);

    b.node.requests = 0;
    remote = open_cached(&b, true);
    compare_all(&b, remote);
    const cevm_db offline = cevm_remote_interface(remote);
    const cevm_hash expected = fake_node_block_hash(&b.node, 900);
    assert_int_equal(offline.vtable->block_hash(offline.ctx, &hash, 900), CEVM_OK);
    assert_memory_equal(hash.bytes, expected.bytes, 32);
    cevm_remote_block block;
    cevm_remote_get_block(remote, &block);
    assert_int_equal(block.header.extra_data.data[1], 2);
    block.header.extra_data.data = NULL;
    assert_memory_equal(&block, &online, sizeof block);
    assert_int_equal(read_one(remote, 200), CEVM_ERR_BACKEND);
    assert_error(remote, "does not have account 0x00000000000000000000000000000000000000C8 (block 1000, chain 5)");
    assert_int_equal(b.node.requests, 0);
    cevm_remote_close(remote);

    remote = open_cached(&b, false); /* online, but with all of it known */
    compare_all(&b, remote);
    assert_int_equal(b.node.requests, 1);
    cevm_remote_close(remote);
    bench_close(&b);
}

/** One file, several blocks and a branch: state is never taken from another block, code is. */
static void test_blocks_share_a_file(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    cevm_remote *remote = open_cached(&b, false);
    assert_int_equal(prefetch_all(remote), CEVM_OK);
    cevm_remote_close(remote);
    const cevm_address address = address_of(2);
    const cevm_u256 balance = cevm_u256_from_u64(77);
    assert_int_equal(cevm_memdb_set_account(b.memdb, &address, &balance, 2, (cevm_bytes){NULL, 0}), CEVM_OK);
    for (int branch = 0; branch < 2; ++branch) { /* the next block, then another block with its number */
        b.node.number = 1001;
        b.node.branch = (uint8_t)(0xaa + branch);
        b.node.requests = 0;
        remote = open_cached(&b, false);
        cevm_remote_stat stat;
        cevm_remote_get_stat(remote, &stat);
        assert_int_equal(stat.accounts, 0);
        assert_int_equal(stat.codes, 8);
        assert_int_equal(prefetch_all(remote), CEVM_OK);
        assert_int_equal(b.node.requests, 2);
        compare_all(&b, remote);
        cevm_remote_close(remote);
    }
    cevm_remote_options options = fake_node_options(NULL, b.path);
    options.offline = true;
    remote = open_remote(&options); /* the last one */
    compare_all(&b, remote);
    cevm_remote_block block;
    cevm_remote_get_block(remote, &block);
    assert_int_equal(block.hash.bytes[0], 0xab);
    cevm_remote_close(remote);
    options.has_block = true;
    options.block = 1000;
    remote = open_remote(&options);
    assert_int_equal(read_one(remote, 2), CEVM_OK);
    cevm_remote_get_block(remote, &block);
    assert_true(block.header.number == 1000);
    cevm_remote_close(remote);
    cevm_remote_error error;
    options.block = 1002;
    assert_int_equal(cevm_remote_open(&remote, &error, &options), CEVM_ERR_BACKEND);
    assert_non_null(strstr(error.text, "has nothing of block 1002"));
    bench_close(&b);
}

/** Two stores over one file at a time: each adds, none loses what the other added. */
static void test_two_at_a_time(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    cevm_remote *one = open_cached(&b, false);
    cevm_remote *two = open_cached(&b, false);
    for (unsigned i = 1; i <= 20; ++i) {
        assert_int_equal(read_one(i % 2 == 0 ? one : two, i), CEVM_OK);
    }
    cevm_remote_close(one);
    cevm_remote_close(two);
    cevm_remote *remote = open_cached(&b, true);
    for (unsigned i = 1; i <= 20; ++i) {
        assert_int_equal(read_one(remote, i), CEVM_OK);
    }
    cevm_remote_close(remote);
    bench_close(&b);
}

static size_t file_size(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return (size_t)info.st_size;
}

/** However much of the end is missing, or zero: what is whole is used, and recording goes on. */
static void test_a_torn_end(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    cevm_remote *remote = open_cached(&b, false);
    const size_t begun = file_size(b.path);
    assert_int_equal(read_one(remote, 1), CEVM_OK);
    const size_t first = file_size(b.path);
    assert_int_equal(read_one(remote, 2), CEVM_OK);
    cevm_remote_close(remote);
    const size_t whole = file_size(b.path);
    for (size_t size = first; size < whole; ++size) {
        for (int filled = 0; filled < 2; ++filled) {
            assert_int_equal(truncate(b.path, (off_t)size), 0);
            assert_int_equal(truncate(b.path, (off_t)(filled ? whole : size)), 0);
            remote = open_cached(&b, true);
            assert_int_equal(read_one(remote, 1), CEVM_OK);
            assert_int_equal(read_one(remote, 2), CEVM_ERR_BACKEND);
            cevm_remote_close(remote);
            assert_int_equal(file_size(b.path), filled ? whole : size); /* offline changes nothing */
            remote = open_cached(&b, false);
            assert_int_equal(read_one(remote, 2), CEVM_OK);
            cevm_remote_close(remote);
            assert_int_equal(file_size(b.path), whole);
        }
    }
    for (size_t size = 0; size < begun; ++size) { /* not even a block */
        cevm_remote_error error;
        cevm_remote_options options = fake_node_options(&b.transport, b.path);
        assert_int_equal(truncate(b.path, (off_t)size), 0);
        options.offline = true;
        assert_int_equal(cevm_remote_open(&remote, &error, &options), CEVM_ERR_BACKEND);
        remote = open_cached(&b, false);
        cevm_remote_close(remote);
        assert_int_equal(file_size(b.path), begun);
    }
    bench_close(&b);
}

/** A byte changed anywhere but in the last record is seen, named, and not repaired away. */
static void test_a_damaged_file(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    cevm_remote *remote = open_cached(&b, false);
    assert_int_equal(read_one(remote, 1), CEVM_OK);
    const size_t first = file_size(b.path);
    assert_int_equal(read_one(remote, 2), CEVM_OK);
    cevm_remote_close(remote);
    const size_t whole = file_size(b.path);
    const int file = open(b.path, O_RDWR | O_CLOEXEC);
    assert_true(file >= 0);
    for (size_t at = 0; at < first; ++at) {
        uint8_t byte;
        assert_int_equal(pread(file, &byte, 1, (off_t)at), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(file, &byte, 1, (off_t)at), 1);
        cevm_remote_error error;
        cevm_remote_options options = fake_node_options(&b.transport, b.path);
        assert_int_equal(cevm_remote_open(&remote, &error, &options), CEVM_ERR_BACKEND);
        assert_non_null(strstr(error.text, at < 16 ? "is not a cache of this version" : "is damaged at byte "));
        assert_int_equal(file_size(b.path), whole);
        byte ^= 0x10;
        assert_int_equal(pwrite(file, &byte, 1, (off_t)at), 1);
    }
    (void)close(file);
    remote = open_cached(&b, true);
    assert_int_equal(read_one(remote, 2), CEVM_OK);
    cevm_remote_close(remote);
    bench_close(&b);
}

static void test_a_file_that_cannot_be(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    cevm_remote *remote = NULL;
    cevm_remote_error error;
    cevm_remote_options options = fake_node_options(&b.transport, b.path);
    options.offline = true;
    assert_int_equal(cevm_remote_open(&remote, &error, &options), CEVM_ERR_IO);
    assert_non_null(strstr(error.text, "cannot open "));
    options.offline = false;
    options.cache_path = "/dev/full";
    assert_int_equal(cevm_remote_open(&remote, &error, &options) == CEVM_OK, 0);
    bench_close(&b);
}

/* ---- Guessing ---------------------------------------------------------------------------------------------------------- */

static void test_guessing(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    cevm_remote *remote = open_plain(&b);
    const cevm_db db = cevm_remote_interface(remote);
    const cevm_address address = address_of(5);
    const cevm_u256 key = cevm_u256_from_u64(2);
    cevm_db_account account;
    cevm_u256 value = cevm_u256_from_u64(9);
    cevm_hash hash;
    bool exists = true;
    size_t guesses = 0;
    assert_int_equal(cevm_remote_begin_guessing(remote), CEVM_OK);
    assert_int_equal(cevm_remote_begin_guessing(remote), CEVM_ERR_ARGUMENT);
    for (int twice = 0; twice < 2; ++twice) {
        assert_int_equal(db.vtable->account(db.ctx, &account, &exists, &address), CEVM_OK);
        assert_int_equal(db.vtable->storage(db.ctx, &value, &address, &key), CEVM_OK);
        assert_int_equal(db.vtable->block_hash(db.ctx, &hash, 800), CEVM_OK);
        assert_true(!exists && cevm_u256_is_zero(&value));
    }
    cevm_remote_end_guessing(remote, &guesses);
    assert_int_equal(guesses, 6);
    assert_int_equal(b.node.requests, 1);
    assert_int_equal(cevm_remote_fetch_guessed(remote), CEVM_OK);
    assert_int_equal(b.node.requests, 2);
    assert_int_equal(b.node.largest, 5);
    assert_int_equal(cevm_remote_begin_guessing(remote), CEVM_OK);
    assert_int_equal(db.vtable->account(db.ctx, &account, &exists, &address), CEVM_OK);
    assert_int_equal(db.vtable->storage(db.ctx, &value, &address, &key), CEVM_OK);
    cevm_remote_end_guessing(remote, &guesses);
    assert_int_equal(guesses, 0);
    assert_true(exists && value.w[0] == slot_value(4, 2));
    assert_int_equal(cevm_remote_fetch_guessed(remote), CEVM_OK);
    assert_int_equal(b.node.requests, 2);
    cevm_remote_close(remote);
    bench_close(&b);
}

/** Anything else is asked for and comes back as it was written. */
static void test_other_calls(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    cevm_remote *remote = open_cached(&b, false);
    const size_t recorded = file_size(b.path);
    char *result = NULL;
    assert_int_equal(cevm_remote_call(remote, &result, "eth_chainId", "[]"), CEVM_OK);
    assert_string_equal(result, "\"0x5\"");
    free(result);
    assert_int_equal(cevm_remote_call(remote, &result, "eth_getBlockByNumber", "[\"0x3e9\", false]"), CEVM_OK);
    assert_string_equal(result, "null");
    free(result);
    assert_int_equal(cevm_remote_call(remote, &result, "eth_noSuchThing", "[]"), CEVM_ERR_BACKEND);
    assert_null(result);
    assert_error(remote, "node.example:8545: eth_noSuchThing: the node says invalid params (code -32602)");
    cevm_remote_close(remote);
    assert_int_equal(file_size(b.path), recorded);
    remote = open_cached(&b, true);
    assert_int_equal(cevm_remote_call(remote, &result, "eth_chainId", "[]"), CEVM_ERR_BACKEND);
    assert_error(remote, "does not have what eth_chainId tells");
    cevm_remote_close(remote);
    bench_close(&b);
}

static void *read_in_a_thread(void *user)
{
    for (unsigned i = 1; i <= ACCOUNTS; ++i) {
        if (read_one(user, i) != CEVM_OK) {
            return user;
        }
    }
    return NULL;
}

/** Guesses are for the thread that wants them; the others get what is true. */
static void test_threads(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    bench b;
    bench_open(&b);
    cevm_remote *remote = open_plain(&b);
    pthread_t threads[THREADS];
    size_t guesses = 0;
    assert_int_equal(cevm_remote_begin_guessing(remote), CEVM_OK);
    for (size_t i = 0; i < THREADS; ++i) {
        assert_int_equal(pthread_create(&threads[i], NULL, read_in_a_thread, remote), 0);
    }
    for (unsigned i = 1; i <= ACCOUNTS; ++i) {
        assert_int_equal(read_one(remote, i), CEVM_OK);
    }
    for (size_t i = 0; i < THREADS; ++i) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    cevm_remote_end_guessing(remote, &guesses);
    assert_int_equal(cevm_remote_fetch_guessed(remote), CEVM_OK);
    assert_true(b.node.requests <= 1 + ACCOUNTS + 1); /* nothing was asked for twice */
    compare_all(&b, remote);
    cevm_remote_close(remote);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_block_hashes),
        cmocka_unit_test(test_prefetch_is_one_round_trip),
        cmocka_unit_test(test_which_block),
        cmocka_unit_test(test_it_is_for_reading),
        cmocka_unit_test(test_troubles_that_pass),
        cmocka_unit_test(test_troubles_that_stay),
        cmocka_unit_test(test_cancelled),
        cmocka_unit_test(test_recorded_and_offline),
        cmocka_unit_test(test_blocks_share_a_file),
        cmocka_unit_test(test_two_at_a_time),
        cmocka_unit_test(test_a_torn_end),
        cmocka_unit_test(test_a_damaged_file),
        cmocka_unit_test(test_a_file_that_cannot_be),
        cmocka_unit_test(test_guessing),
        cmocka_unit_test(test_other_calls),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
