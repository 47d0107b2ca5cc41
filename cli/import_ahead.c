/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading ahead: while one block is executed, other threads read, decode and recover the senders of those that follow.
 * Recovery takes most of the time of an import, and needs nothing of the state.
 *
 * A ring of places; blocks are taken off the file in order, by whichever thread holds the file, and given out in order.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/import.h"

enum { PLACES = 32, MAX_THREADS = 16, WAIT_NANOSECONDS = 50000000 };

typedef enum place_state { PLACE_FREE, PLACE_TAKEN, PLACE_READY } place_state;

typedef struct place {
    place_state state;
    cevm_import_item item;
    uint8_t *data;
    size_t capacity;
} place;

struct cevm_import_ahead {
    cevm_block_reader reader;
    const cevm_chain_config *config;
    pthread_t threads[MAX_THREADS];
    size_t thread_count;
    atomic_bool stop;

    pthread_mutex_t file; /* held to read: the reader, next_read, is_over */
    uint64_t next_read;
    bool is_over;

    pthread_mutex_t lock; /* held to look at states of places, next_given, and never while waiting for the file */
    pthread_cond_t changed;
    place places[PLACES];
    uint64_t next_given;
};

/* ---- The threads ------------------------------------------------------------------------------------------------- */

/* Copies the block that was read last into a place. */
static void fill(place *p, const cevm_block_reader *reader, cevm_block_read read, cevm_bytes rlp)
{
    p->item = (cevm_import_item){.read = read, .offset = reader->offset, .end = reader->end};
    if (read == CEVM_READ_FAILED) {
        (void)snprintf(p->item.message, sizeof p->item.message, "%s", reader->error);
    }
    if (read != CEVM_READ_BLOCK) {
        return;
    }
    if (rlp.size > p->capacity) {
        free(p->data);
        p->data = malloc(rlp.size);
        p->capacity = p->data != NULL ? rlp.size : 0;
    }
    if (p->data == NULL) {
        p->item.err = CEVM_ERR_NOMEM;
        return;
    }
    memcpy(p->data, rlp.data, rlp.size);
    p->item.rlp = (cevm_bytes){p->data, rlp.size};
}

/*
 * Decodes and recovers. Rules about signatures changed with blocks, never with the merge or a time. A sender that cannot
 * be recovered is left for the chain to say why.
 */
static void prepare(place *p, const cevm_chain_config *config)
{
    cevm_import_item *item = &p->item;
    if (item->read != CEVM_READ_BLOCK || item->err != CEVM_OK) {
        return;
    }
    item->err = cevm_block_decode(&item->block, &item->verdict, item->rlp, NULL);
    if (item->err != CEVM_OK) {
        return;
    }
    const cevm_header *header = &item->block->header;
    const cevm_fork fork = cevm_chain_fork(config, header->number, header->timestamp, false);
    for (size_t i = 0; item->err == CEVM_OK && i < item->block->tx_count; ++i) {
        cevm_tx_error reason;
        item->err = cevm_tx_recover_sender(item->block->txs[i], &reason, fork, NULL);
    }
}

/* Waits until the place of a block is free; NULL when it is time to stop. */
static place *wait_for_place(cevm_import_ahead *a, uint64_t number)
{
    place *p = &a->places[number % PLACES];
    (void)pthread_mutex_lock(&a->lock);
    while (p->state != PLACE_FREE && !atomic_load(&a->stop)) {
        (void)pthread_cond_wait(&a->changed, &a->lock);
    }
    p->state = atomic_load(&a->stop) ? p->state : PLACE_TAKEN;
    (void)pthread_mutex_unlock(&a->lock);
    return atomic_load(&a->stop) ? NULL : p;
}

/* Takes the next block off the file; NULL when there is none or it is time to stop. */
static place *read_one(cevm_import_ahead *a)
{
    cevm_bytes rlp = {NULL, 0};
    place *p = NULL;
    (void)pthread_mutex_lock(&a->file);
    if (!a->is_over && (p = wait_for_place(a, a->next_read)) != NULL) {
        const cevm_block_read read = cevm_block_reader_next(&a->reader, &rlp);
        fill(p, &a->reader, read, rlp);
        a->next_read++;
        a->is_over = read != CEVM_READ_BLOCK;
    }
    (void)pthread_mutex_unlock(&a->file);
    return p;
}

static void *work(void *argument)
{
    cevm_import_ahead *a = argument;
    for (place *p = read_one(a); p != NULL; p = read_one(a)) {
        prepare(p, a->config);
        (void)pthread_mutex_lock(&a->lock);
        p->state = PLACE_READY;
        (void)pthread_cond_broadcast(&a->changed);
        (void)pthread_mutex_unlock(&a->lock);
    }
    return NULL;
}

/* ---- The one who takes ------------------------------------------------------------------------------------------- */

/* One thread for each processor but the one that executes; at least one. */
static size_t wanted_threads(void)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors <= 2 ? 1 : processors > MAX_THREADS ? MAX_THREADS : (size_t)processors - 1;
}

bool cevm_import_ahead_start(cevm_import_ahead **out, const char *command, const char *path,
                             const cevm_chain_config *config)
{
    cevm_import_ahead *a = calloc(1, sizeof *a);
    *out = NULL;
    if (a == NULL) {
        (void)fprintf(stderr, "%s: out of memory\n", command);
        return false;
    }
    if (!cevm_block_reader_open(&a->reader, path, "block")) {
        (void)fprintf(stderr, "%s: %s: %s\n", command, a->reader.name, a->reader.error);
        free(a);
        return false;
    }
    a->config = config;
    a->reader.stop = &a->stop;
    (void)pthread_mutex_init(&a->file, NULL);
    (void)pthread_mutex_init(&a->lock, NULL);
    (void)pthread_cond_init(&a->changed, NULL);
    const size_t wanted = wanted_threads();
    while (a->thread_count < wanted && pthread_create(&a->threads[a->thread_count], NULL, work, a) == 0) {
        a->thread_count++;
    }
    if (a->thread_count == 0) {
        (void)fprintf(stderr, "%s: no thread can be started\n", command);
        cevm_import_ahead_stop(a);
        return false;
    }
    *out = a;
    return true;
}

const cevm_import_item *cevm_import_ahead_next(cevm_import_ahead *a)
{
    place *p = &a->places[a->next_given % PLACES];
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += WAIT_NANOSECONDS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    (void)pthread_mutex_lock(&a->lock);
    int waited = 0;
    while (p->state != PLACE_READY && waited == 0) {
        waited = pthread_cond_timedwait(&a->changed, &a->lock, &until);
    }
    const bool ready = p->state == PLACE_READY;
    (void)pthread_mutex_unlock(&a->lock);
    return ready ? &p->item : NULL;
}

void cevm_import_ahead_done(cevm_import_ahead *a)
{
    place *p = &a->places[a->next_given % PLACES];
    cevm_block_destroy(p->item.block, NULL);
    p->item.block = NULL;
    (void)pthread_mutex_lock(&a->lock);
    p->state = PLACE_FREE;
    a->next_given++;
    (void)pthread_cond_broadcast(&a->changed);
    (void)pthread_mutex_unlock(&a->lock);
}

void cevm_import_ahead_stop(cevm_import_ahead *a)
{
    if (a == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&a->lock);
    atomic_store(&a->stop, true);
    (void)pthread_cond_broadcast(&a->changed);
    (void)pthread_mutex_unlock(&a->lock);
    for (size_t i = 0; i < a->thread_count; ++i) {
        (void)pthread_join(a->threads[i], NULL);
    }
    for (size_t i = 0; i < PLACES; ++i) {
        cevm_block_destroy(a->places[i].item.block, NULL);
        free(a->places[i].data);
    }
    cevm_block_reader_close(&a->reader);
    (void)pthread_mutex_destroy(&a->file);
    (void)pthread_mutex_destroy(&a->lock);
    (void)pthread_cond_destroy(&a->changed);
    free(a);
}
