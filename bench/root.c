/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What a state root costs after a block: a store of many accounts, then blocks that change 1, 100, 10,000 of them. The cost
 * should follow the change, not the store. Prints a table; `make bench-root` runs it.
 *
 * usage: root [ACCOUNTS]     (1,000,000)
 */
#include <cevm/crypto.h>
#include <cevm/db.h>

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

/** Median time of a root after a change of `count` accounts; the commit is not in it. */
static uint64_t root_after(const cevm_db *db, cevm_account_change *changes, uint64_t total, uint64_t count)
{
    uint64_t times[ROUNDS];
    for (uint64_t round = 0; round < ROUNDS; ++round) {
        cevm_hash root;
        change(db, changes, count, total / count, round, 1000 + round);
        const uint64_t start = now_ns();
        require(db->vtable->root(db->ctx, &root), "root");
        times[round] = now_ns() - start;
    }
    qsort(times, ROUNDS, sizeof times[0], compare_u64);
    return times[ROUNDS / 2];
}

static void measure(uint64_t total)
{
    static const uint64_t counts[] = {1, 100, 10000};
    cevm_memdb *memdb = NULL;
    require(cevm_memdb_create(&memdb, NULL), "create");
    const cevm_db db = cevm_memdb_interface(memdb);
    cevm_account_change *changes = calloc(total, sizeof *changes);
    if (changes == NULL) {
        require(CEVM_ERR_NOMEM, "changes");
    }
    cevm_hash root;
    change(&db, changes, total, 1, 0, 1);
    const uint64_t start = now_ns();
    require(db.vtable->root(db.ctx, &root), "root");
    printf("%9" PRIu64 "  first root %8.1f ms", total, (double)(now_ns() - start) / 1e6);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; ++i) {
        if (counts[i] <= total) {
            const double ns = (double)root_after(&db, changes, total, counts[i]);
            printf("   %" PRIu64 ": %.1f us (%.2f us each)", counts[i], ns / 1e3, ns / 1e3 / (double)counts[i]);
        }
    }
    printf("\n");
    fflush(stdout);
    free(changes);
    cevm_memdb_destroy(memdb);
}

int main(int argc, char **argv)
{
    const uint64_t most = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    if (most < 10000) {
        fprintf(stderr, "usage: root [ACCOUNTS]     at least 10000\n");
        return 2;
    }
    printf(" accounts                            root after changing 1, 100, 10,000 accounts (median of %d)\n", ROUNDS);
    for (uint64_t total = 10000; total < most; total *= 10) {
        measure(total);
    }
    measure(most);
    return 0;
}
