/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thousand VMs in one process, on four threads, over one cache of decoded code. Every other one runs something
 * hostile. Each is stopped by the limit that is its own, with that limit's error; nothing of what it did stays; it
 * can be used again; and the others count on undisturbed. Run under ThreadSanitizer too (make tsan).
 */
#include "evm_fixture.h"

#include <pthread.h>
#include <time.h>

enum { TENANTS = 1000, THREADS = 4, ROUNDS = 3, QUOTA = 16 << 20, TIGHT_QUOTA = 1 << 20, MEMORY_LIMIT = 256 << 10 };

static const int64_t GAS = INT64_C(1) << 40;

/** What a tenant runs. Every program adds to slot 0 first, or would; the hostile ones never get to keep it. */
typedef enum kind {
    COUNTS,
    RECURSES,
    NEVER_ENDS,
    NEVER_ENDS_EITHER,
    TAKES_MEMORY,
    TAKES_MEMORY_BY_CALLS,
    FILLS_STATE
} kind;

static const struct {
    const char *code;
    cevm_err err;
    uint64_t counted; /* in each round */
} programs[] = {
    /* slot 0 = slot 0 + 1; a loop of 1000, so that the code is worth decoding; return the count */
    [COUNTS] = {"5f54 600101 80 5f55  6103e8 5b 6001 90 03 80 600b 57 50  5f52 60205ff3", CEVM_OK, 1},
    /* calls itself with all gas, then counts: 1025 frames (EIP-150 leaves enough) */
    [RECURSES] = {"5f5f5f5f5f 30 5a f1 50  5f54 600101 5f55", CEVM_OK, 1025},
    /* deadline and cancel flag; a loop of jumps alone would be passed at once, and its gas used up, too soon */
    [NEVER_ENDS] = {"60015f55 5b 5a50 6004 56", CEVM_ERR_CANCELLED, 0},
    [NEVER_ENDS_EITHER] = {"60015f55 5b 5a50 6004 56", CEVM_ERR_CANCELLED, 0},
    /* a byte at 1 MiB; a word at 16 KiB in frame after frame */
    [TAKES_MEMORY] = {"60015f55 5f 62100000 53", CEVM_ERR_LIMIT, 0},
    [TAKES_MEMORY_BY_CALLS] = {"60015f55 5f 614000 52 5f5f5f5f5f 30 5a f1", CEVM_ERR_LIMIT, 0},
    /* slot i = i for ever: the allocator gives no more */
    [FILLS_STATE] = {"60015f55 5f 5b 6001 01 80 80 55 6005 56", CEVM_ERR_NOMEM, 0},
};

static const kind every_tenth[10] = {
    COUNTS,     NEVER_ENDS, COUNTS, RECURSES, TAKES_MEMORY, COUNTS, NEVER_ENDS_EITHER, COUNTS, TAKES_MEMORY_BY_CALLS,
    FILLS_STATE};

typedef struct tenant {
    kind what;
    cevm_allocator allocator; /* its own, with a quota */
    size_t taken, quota;
    cevm_memdb *store;
    cevm_state *state;
    cevm_vm *vm;
    bool cancel;  /* set by the watcher */
    bool running; /* seen by the watcher */
    uint64_t expected;
} tenant;

static tenant tenants[TENANTS];
static bool finished;

/** An allocator that counts; a header of 16 bytes before each block holds its size. */
static void *counted(void *ctx, void *ptr, size_t size)
{
    enum { HEADER = 16 };
    tenant *t = ctx;
    uint8_t *block = ptr != NULL ? (uint8_t *)ptr - HEADER : NULL;
    size_t old = 0;
    if (block != NULL) {
        memcpy(&old, block, sizeof old);
    }
    if (size == 0) {
        t->taken -= old;
        free(block);
        return NULL;
    }
    if (size > t->quota || t->taken - old > t->quota - size) {
        return NULL;
    }
    uint8_t *moved = realloc(block, size + HEADER);
    if (moved == NULL) {
        return NULL;
    }
    t->taken += size - old;
    memcpy(moved, &size, sizeof size);
    return moved + HEADER;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static const uint8_t benign_code[] = {0x60, 0x2a, 0x5f, 0x52, 0x60, 0x20, 0x5f, 0xf3}; /* returns 42 */

/* cmocka's assertions belong to the main thread, so the threads count what is wrong. */
static bool open_tenant(tenant *t, size_t i, cevm_code_cache *cache)
{
    const cevm_address contract = addr(CONTRACT), benign = addr(0xbe);
    const cevm_u256 zero = cevm_u256_from_u64(0);
    *t = (tenant){.what = every_tenth[i % 10], .quota = QUOTA};
    t->allocator = (cevm_allocator){.ctx = t, .resize = counted};
    size_t size;
    uint8_t *code = bytes_of(programs[t->what].code, &size);
    const cevm_vm_config config = {.struct_size = sizeof config,
                                   .allocator = &t->allocator,
                                   .memory_limit = MEMORY_LIMIT,
                                   .cancel = &t->cancel,
                                   .code_cache = cache};
    bool ok =
        cevm_memdb_create(&t->store, &t->allocator) == CEVM_OK &&
        cevm_memdb_set_account(t->store, &contract, &zero, 1, (cevm_bytes){code, size}) == CEVM_OK &&
        cevm_memdb_set_account(t->store, &benign, &zero, 1, (cevm_bytes){benign_code, sizeof benign_code}) == CEVM_OK;
    if (ok) {
        const cevm_db db = cevm_memdb_interface(t->store);
        ok = cevm_state_create(&t->state, &db, &t->allocator) == CEVM_OK && cevm_vm_create(&t->vm, &config) == CEVM_OK;
    }
    free(code);
    return ok;
}

static void close_tenant(tenant *t)
{
    cevm_vm_destroy(t->vm);
    cevm_state_destroy(t->state);
    cevm_memdb_destroy(t->store);
}

static cevm_err call(tenant *t, uint64_t target, cevm_result *result)
{
    const cevm_block_env block = {.fork = CEVM_LATEST, .number = 1, .gas_limit = 30000000, .chain_id = 1};
    const cevm_tx_env tx = {.origin = addr(SENDER)};
    const cevm_message msg = {
        .kind = CEVM_CALL, .gas = GAS, .sender = addr(SENDER), .recipient = addr(target), .code_address = addr(target)};
    const cevm_host host = cevm_state_host(t->state);
    cevm_err err = cevm_state_begin_tx(t->state, block.fork);
    if (err == CEVM_OK) {
        err = cevm_vm_execute(t->vm, result, &msg, &block, &tx, &host, NULL);
    }
    const cevm_err ended = cevm_state_end_tx(t->state);
    return err != CEVM_OK ? err : ended;
}

/** Slot 0 is what was counted, and nothing else. */
static bool count_is_right(tenant *t)
{
    const cevm_address contract = addr(CONTRACT);
    const cevm_u256 key = cevm_u256_from_u64(0), expected = cevm_u256_from_u64(t->expected);
    cevm_u256 value;
    return cevm_state_get_storage(t->state, &value, &contract, &key) == CEVM_OK && cevm_u256_equal(&value, &expected);
}

/** One round of one tenant; how many things went wrong. */
static size_t one_round(tenant *t)
{
    cevm_result result = {.status = CEVM_STATUS_OUT_OF_GAS};
    if (t->what == NEVER_ENDS) {
        cevm_vm_set_deadline(t->vm, now_ns() + 1000000);
    } else if (t->what == NEVER_ENDS_EITHER) {
        __atomic_store_n(&t->running, true, __ATOMIC_RELAXED);
    } else if (t->what == FILLS_STATE) {
        t->quota = t->taken + TIGHT_QUOTA;
    }
    size_t wrong = call(t, CONTRACT, &result) != programs[t->what].err;
    __atomic_store_n(&t->running, false, __ATOMIC_RELAXED);
    __atomic_store_n(&t->cancel, false, __ATOMIC_RELAXED);
    cevm_vm_set_deadline(t->vm, 0);
    t->quota = QUOTA;
    t->expected += programs[t->what].counted;
    wrong += programs[t->what].err == CEVM_OK && !cevm_status_is_success(result.status);
    wrong += t->what == COUNTS && (result.output.size != 32 || result.output.data[31] != t->expected);
    wrong += !count_is_right(t);
    /* Whatever it was, the VM goes on. The watcher may have been late with its flag: then once more. */
    cevm_err err = call(t, 0xbe, &result);
    if (err == CEVM_ERR_CANCELLED && t->what == NEVER_ENDS_EITHER) {
        __atomic_store_n(&t->cancel, false, __ATOMIC_RELAXED);
        err = call(t, 0xbe, &result);
    }
    return wrong + (err != CEVM_OK || result.output.size != 32 || result.output.data[31] != 42);
}

static void *serve(void *argument)
{
    size_t *wrong = argument; /* begins as the number of the thread */
    const size_t first = *wrong;
    *wrong = 0;
    for (int round = 0; round < ROUNDS; ++round) {
        for (size_t i = first; i < TENANTS; i += THREADS) {
            *wrong += one_round(&tenants[i]);
        }
    }
    return NULL;
}

/** Cancels whoever runs and would never end. */
static void *watch(void *argument)
{
    (void)argument;
    while (!__atomic_load_n(&finished, __ATOMIC_RELAXED)) {
        const struct timespec pause = {.tv_nsec = 1000000};
        (void)nanosleep(&pause, NULL);
        for (size_t i = 0; i < TENANTS; ++i) {
            if (__atomic_load_n(&tenants[i].running, __ATOMIC_RELAXED)) {
                __atomic_store_n(&tenants[i].cancel, true, __ATOMIC_RELAXED);
            }
        }
    }
    return NULL;
}

static void test_a_thousand_vms_some_hostile(void **state)
{
    (void)state;
    cevm_code_cache *cache = NULL;
    pthread_t threads[THREADS], watcher;
    size_t wrong[THREADS];
    assert_int_equal(cevm_code_cache_create(&cache, NULL, 0), CEVM_OK);
    for (size_t i = 0; i < TENANTS; ++i) {
        assert_true(open_tenant(&tenants[i], i, cache));
    }
    finished = false;
    assert_int_equal(pthread_create(&watcher, NULL, watch, NULL), 0);
    for (size_t i = 0; i < THREADS; ++i) {
        wrong[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, serve, &wrong[i]), 0);
    }
    for (size_t i = 0; i < THREADS; ++i) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    __atomic_store_n(&finished, true, __ATOMIC_RELAXED);
    assert_int_equal(pthread_join(watcher, NULL), 0);
    for (size_t i = 0; i < THREADS; ++i) {
        assert_int_equal(wrong[i], 0);
    }
    for (size_t i = 0; i < TENANTS; ++i) {
        close_tenant(&tenants[i]);
        assert_int_equal(tenants[i].taken, 0); /* nothing of one was given to, or kept by, another */
    }
    cevm_code_cache_destroy(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_thousand_vms_some_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
