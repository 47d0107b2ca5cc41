/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What a state root costs after a block: a store of many accounts, then blocks that change 1, 100, 10,000 of them, in the
 * plain memory backend and in the one whose states are shared (cevm/treedb.h). The cost should follow the change, not the
 * store. The shared one also shows what a snapshot, going back, and reading cost. Prints a table; `make bench-root` runs it.
 *
 * usage: root [ACCOUNTS]     (1,000,000)
 */
#include <cevm/crypto.h>
#include <cevm/db.h>
#include <cevm/treedb.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 11 };

static uint64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void require(cevm_err err, const char *what)
{
    if (err != CEVM_OK) {
        fprintf(stderr, "root: %s: %s\n", what, cevm_err_string(err));
        exit(1);
    }
}

static cevm_address address_of(uint64_t number)
{
    cevm_address a = {{0}};
    cevm_store_be64(a.bytes + 12, number);
    return a;
}

/** One commit that gives `count` accounts, `stride` apart, another balance. */
static void change(const cevm_db *db, cevm_account_change *changes, uint64_t count, uint64_t stride, uint64_t offset,
                   uint64_t balance)
{
    for (uint64_t i = 0; i < count; ++i) {
        changes[i] = (cevm_account_change){
            .address = address_of(i * stride + offset),
            .balance = cevm_u256_from_u64(balance),
            .code_hash = cevm_empty_code_hash,
        };
    }
    const cevm_diff diff = {.accounts = changes, .account_count = count};
    require(db->vtable->commit(db->ctx, &diff), "commit");
}

static int compare_u64(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *)a;
    const uint64_t right = *(const uint64_t *)b;
    return left < right ? -1 : (int)(left > right);
}

static uint64_t median(uint64_t times[ROUNDS])
{
    qsort(times, ROUNDS, sizeof times[0], compare_u64);
    return times[ROUNDS / 2];
}

/** Median times of a change of `count` accounts, and of the root after it. */
static void change_and_root(const cevm_db *db, cevm_account_change *changes, uint64_t total, uint64_t count,
                            uint64_t *commit, uint64_t *root)
{
    uint64_t commits[ROUNDS];
    uint64_t roots[ROUNDS];
    for (uint64_t round = 0; round < ROUNDS; ++round) {
        cevm_hash hash;
        const uint64_t start = now_ns();
        change(db, changes, count, total / count, round, 1000 + round);
        const uint64_t middle = now_ns();
        require(db->vtable->root(db->ctx, &hash), "root");
        commits[round] = middle - start;
        roots[round] = now_ns() - middle;
    }
    *commit = median(commits);
    *root = median(roots);
}

static void measure(const char *name, const cevm_db *db, uint64_t total)
{
    static const uint64_t counts[] = {1, 100, 10000};
    cevm_account_change *changes = calloc(total, sizeof *changes);
    if (changes == NULL) {
        require(CEVM_ERR_NOMEM, "changes");
    }
    cevm_hash root;
    change(db, changes, total, 1, 0, 1);
    const uint64_t start = now_ns();
    require(db->vtable->root(db->ctx, &root), "root");
    printf("%9" PRIu64 "  %-6s  first root %8.1f ms", total, name, (double)(now_ns() - start) / 1e6);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; ++i) {
        if (counts[i] <= total) {
            uint64_t commit = 0;
            uint64_t hash = 0;
            change_and_root(db, changes, total, counts[i], &commit, &hash);
            printf("   %" PRIu64 ": %.1f + %.1f us", counts[i], (double)commit / 1e3, (double)hash / 1e3);
        }
    }
    printf("\n");
    (void)fflush(stdout);
    free(changes);
}

/** Mean time of reading accounts in an order that no cache likes. */
static double reading(const cevm_db *db, uint64_t total)
{
    enum { READS = 200000 };
    uint64_t number = 1;
    uint64_t missing = 0;
    const uint64_t start = now_ns();
    for (int i = 0; i < READS; ++i) {
        number = number * UINT64_C(6364136223846793005) + 1442695040888963407u;
        const cevm_address address = address_of((number >> 20) % total);
        cevm_db_account account;
        bool exists = false;
        require(db->vtable->account(db->ctx, &account, &exists, &address), "account");
        missing += exists ? 0 : 1;
    }
    if (missing != 0) {
        require(CEVM_ERR_BACKEND, "account");
    }
    return (double)(now_ns() - start) / (double)READS;
}

static void measure_states(cevm_treedb *treedb, uint64_t total)
{
    const cevm_db db = cevm_treedb_interface(treedb);
    cevm_account_change one[1];
    uint64_t keeping[ROUNDS];
    uint64_t going_back[ROUNDS];
    for (uint64_t round = 0; round < ROUNDS; ++round) {
        cevm_tree *state = NULL;
        cevm_hash root;
        change(&db, one, 1, 1, round, 5000 + round);
        require(db.vtable->root(db.ctx, &root), "root");
        uint64_t start = now_ns();
        require(cevm_treedb_snapshot(treedb, &state), "snapshot");
        keeping[round] = now_ns() - start;
        change(&db, one, 1, 1, round, 6000 + round);
        start = now_ns();
        require(cevm_treedb_restore(treedb, state), "restore");
        going_back[round] = now_ns() - start;
        cevm_tree_release(state);
    }
    printf("%9" PRIu64 "  %-6s  snapshot %.2f us, revert %.2f us, read %.0f ns\n", total, "shared",
           (double)median(keeping) / 1e3, (double)median(going_back) / 1e3, reading(&db, total));
}

static void measure_both(uint64_t total)
{
    cevm_memdb *memdb = NULL;
    cevm_treedb *treedb = NULL;
    require(cevm_memdb_create(&memdb, NULL), "create");
    const cevm_db plain = cevm_memdb_interface(memdb);
    measure("plain", &plain, total);
    cevm_memdb_destroy(memdb);
    require(cevm_treedb_create(&treedb, NULL, NULL), "create");
    const cevm_db shared = cevm_treedb_interface(treedb);
    measure("shared", &shared, total);
    measure_states(treedb, total);
    cevm_treedb_destroy(treedb);
}

int main(int argc, char **argv)
{
    const uint64_t most = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    if (most < 10000) {
        fprintf(stderr, "usage: root [ACCOUNTS]     at least 10000\n");
        return 2;
    }
    printf(" accounts  store                              commit + root of 1, 100, 10,000 changed accounts (median of "
           "%d)\n",
           ROUNDS);
    for (uint64_t total = 10000; total < most; total *= 10) {
        measure_both(total);
    }
    measure_both(most);
    return 0;
}
