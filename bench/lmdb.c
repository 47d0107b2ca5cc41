/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The backend on disk by the size of what it holds: filled with accounts and four times as many slots, in the order of a
 * dump, then random reads, and blocks of 5,000 changes, half accounts and half slots, with root and commit. Prints a line of
 * a table for each size.
 *
 * usage: lmdb FOLDER [ACCOUNTS]...     (FOLDER is made and filled; 50,000 accounts)
 */
#include <cevm/crypto.h>
#include <cevm/lmdb.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { SLOTS_EACH = 4, BATCH = 5000, READS = 200000, BLOCKS = 11, CHANGES = 5000 };

/** Processor time: other programs' share of the machine is not in it, nor is waiting for the disk, which nothing here does. */
static uint64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void require(cevm_err err, const char *what)
{
    if (err != CEVM_OK) {
        (void)fprintf(stderr, "lmdb: %s: %s\n", what, cevm_err_string(err));
        exit(1);
    }
}

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static cevm_address address_of(uint64_t number)
{
    cevm_address a = {{0}};
    cevm_store_be64(a.bytes + 12, number + 1);
    return a;
}

/** An account's number and the beginning of the hash it is found by. */
typedef struct place {
    uint64_t hash;
    uint64_t number;
} place;

static int by_hash(const void *a, const void *b)
{
    const place *left = a;
    const place *right = b;
    return left->hash < right->hash ? -1 : (int)(left->hash > right->hash);
}

static int by_number(const void *a, const void *b)
{
    const place *left = a;
    const place *right = b;
    return left->number < right->number ? -1 : (int)(left->number > right->number);
}

/** The accounts in the order in which they will lie in the store, as a dump has them. */
static place *find_places(uint64_t accounts)
{
    place *places = malloc((size_t)accounts * sizeof *places);
    if (places == NULL) {
        require(CEVM_ERR_NOMEM, "memory");
        exit(1);
    }
    for (uint64_t i = 0; i < accounts; ++i) {
        const cevm_address address = address_of(i);
        cevm_hash hash;
        cevm_keccak256(&hash, address.bytes, sizeof address.bytes);
        places[i] = (place){cevm_load_be64(hash.bytes), i};
    }
    qsort(places, (size_t)accounts, sizeof *places, by_hash);
    return places;
}

/** Some accounts of a new store, each with its slots, as one commit. */
static void fill(const cevm_db *db, place *places, uint64_t count)
{
    qsort(places, (size_t)count, sizeof *places, by_number); /* a commit is in the order of addresses */
    static cevm_account_change changes[BATCH];
    static cevm_slot_change slots[BATCH][SLOTS_EACH];
    for (uint64_t i = 0; i < count; ++i) {
        const uint64_t number = places[i].number;
        for (uint64_t s = 0; s < SLOTS_EACH; ++s) {
            slots[i][s] = (cevm_slot_change){cevm_u256_from_u64(s), cevm_u256_from_u64(1 + number + s)};
        }
        changes[i] = (cevm_account_change){.address = address_of(number),
                                           .balance = cevm_u256_from_u64(1000000007 * number),
                                           .nonce = i,
                                           .code_hash = cevm_empty_code_hash,
                                           .slots = slots[i],
                                           .slot_count = SLOTS_EACH};
    }
    const cevm_diff diff = {.accounts = changes, .account_count = (size_t)count};
    require(db->vtable->commit(db->ctx, &diff), "commit");
}

/** Nanoseconds of a random read: an account, then one of its slots. */
static uint64_t read_some(const cevm_db *db, uint64_t accounts, bool slots, uint64_t *x)
{
    const uint64_t start = now_ns();
    for (int i = 0; i < READS; ++i) {
        const cevm_address address = address_of(next_random(x) % accounts);
        const cevm_u256 key = cevm_u256_from_u64(next_random(x) % SLOTS_EACH);
        cevm_db_account account;
        cevm_u256 value;
        bool exists = false;
        if (slots) {
            require(db->vtable->storage(db->ctx, &value, &address, &key), "storage");
        } else {
            require(db->vtable->account(db->ctx, &account, &exists, &address), "account");
        }
    }
    return (now_ns() - start) / READS;
}

static int by_address(const void *a, const void *b)
{
    const cevm_account_change *left = a;
    const cevm_account_change *right = b;
    return memcmp(left->address.bytes, right->address.bytes, sizeof left->address.bytes);
}

/** Nanoseconds of one block: changes, root, commit to the disk. */
static uint64_t one_block(const cevm_db *db, uint64_t accounts, uint64_t *x)
{
    static cevm_account_change changes[CHANGES / 2];
    static cevm_slot_change slots[CHANGES / 2];
    cevm_hash root;
    const uint64_t stride = accounts / (CHANGES / 2);
    for (uint64_t i = 0; i < CHANGES / 2; ++i) {
        slots[i] = (cevm_slot_change){cevm_u256_from_u64(next_random(x) % SLOTS_EACH), {{next_random(x), 1, 0, 0}}};
        changes[i] = (cevm_account_change){.address = address_of(i * stride + next_random(x) % stride),
                                           .balance = cevm_u256_from_u64(next_random(x)),
                                           .code_hash = cevm_empty_code_hash,
                                           .slots = &slots[i],
                                           .slot_count = 1};
    }
    qsort(changes, CHANGES / 2, sizeof changes[0], by_address);
    const cevm_diff diff = {.accounts = changes, .account_count = CHANGES / 2};
    const uint64_t start = now_ns();
    require(db->vtable->begin_block(db->ctx), "begin");
    require(db->vtable->commit(db->ctx, &diff), "commit");
    require(db->vtable->root(db->ctx, &root), "root");
    require(db->vtable->end_block(db->ctx, true), "end");
    return now_ns() - start;
}

static int compare_u64(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *)a;
    const uint64_t right = *(const uint64_t *)b;
    return left < right ? -1 : (int)(left > right);
}

static void measure(const char *folder, uint64_t accounts)
{
    char path[1024];
    cevm_lmdb *store = NULL;
    cevm_lmdb_error error;
    cevm_lmdb_stat stat;
    uint64_t x = 88172645463325252u;
    uint64_t times[BLOCKS];
    (void)snprintf(path, sizeof path, "%s-%" PRIu64, folder, accounts);
    const cevm_lmdb_options options = {.struct_size = sizeof options, .path = path, .create = true, .no_sync = true};
    const cevm_err err = cevm_lmdb_open(&store, &error, &options);
    if (err != CEVM_OK) {
        (void)fprintf(stderr, "lmdb: %s\n", error.text);
        exit(1);
    }
    const cevm_db db = cevm_lmdb_interface(store);
    const uint64_t start = now_ns();
    place *places = find_places(accounts);
    for (uint64_t from = 0; from < accounts; from += BATCH) {
        fill(&db, places + from, accounts - from < BATCH ? accounts - from : BATCH);
    }
    free(places);
    const double filled = (double)(now_ns() - start) / 1e9;
    require(cevm_lmdb_get_stat(store, &stat), "stat");
    const uint64_t account_ns = read_some(&db, accounts, false, &x);
    const uint64_t slot_ns = read_some(&db, accounts, true, &x);
    for (size_t i = 0; i < BLOCKS; ++i) {
        times[i] = one_block(&db, accounts, &x);
    }
    qsort(times, BLOCKS, sizeof times[0], compare_u64);
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    (void)printf("%10" PRIu64 " %10" PRIu64 " %9.1f s %9" PRIu64 " ns %9" PRIu64 " ns %9.1f ms %9.1f MB %8.1f MB\n",
                 accounts, accounts * SLOTS_EACH, filled, account_ns, slot_ns, (double)times[BLOCKS / 2] / 1e6,
                 (double)stat.used_bytes / 1e6, (double)usage.ru_maxrss / 1e3);
    (void)fflush(stdout);
    cevm_lmdb_close(store);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "usage: lmdb FOLDER [ACCOUNTS]...\n");
        return 2;
    }
    (void)printf("  accounts      slots      filled      account         slot   5000 changes     used    resident\n");
    for (int i = 2; i < argc; ++i) {
        measure(argv[1], strtoull(argv[i], NULL, 10));
    }
    if (argc == 2) {
        measure(argv[1], 50000);
    }
    return 0;
}
