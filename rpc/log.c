/* SPDX-License-Identifier: Apache-2.0 */
/* The log's queue, and the thread that writes it out. */
#include "rpc/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include <cevm/alloc.h>

#include "rpc/console.h"

enum {
    QUEUE = 8192,      /* entries that wait; what comes when it is full is counted */
    GATHER_MS = 20,    /* entries are gathered for so long: waking a thread for each would cost more than writing it */
    KEPT_MEMORY = 1024 /* blocks that may wait with all they hold */
};

#define REPLAY_NS 5000000000u /* for console.log of a block */

typedef enum kind { TEXT, RECORD, REMOVED } kind;

typedef struct entry {
    uint64_t when; /* a request counts from its beginning, so it stands before what it did */
    uint64_t order;
    kind kind;
    size_t count;        /* REMOVED: blocks */
    char *text;          /* TEXT: owned */
    cevm_record *record; /* RECORD, REMOVED: held */
} entry;

struct cevm_node_log {
    cevm_node_log_options options;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    entry *queue;
    size_t count;
    uint64_t order;
    uint64_t dropped;
    bool sleeps; /* the thread waits to be woken */
    bool stops;
    atomic_bool off;       /* hardhat_setLoggingEnabled(false) */
    atomic_bool replays;   /* code that logs has been seen */
    cevm_console *console; /* the thread's, made when it is first needed */
};

static uint64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void clear(entry *e)
{
    cevm_free(NULL, e->text);
    if (e->record != NULL) {
        cevm_ref_release(&e->record->ref);
    }
}

/* ---- In ------------------------------------------------------------------------------------------------------------------ */

static void enqueue(cevm_node_log *l, entry e)
{
    (void)pthread_mutex_lock(&l->lock);
    bool fits = l->count < QUEUE && (e.kind == TEXT || l->count < QUEUE - KEPT_MEMORY);
    if (fits) {
        e.order = l->order++;
        l->queue[l->count++] = e;
    } else {
        l->dropped++;
    }
    bool wake = l->sleeps;
    l->sleeps = false;
    if (wake) {
        (void)pthread_cond_signal(&l->changed);
    }
    (void)pthread_mutex_unlock(&l->lock);
    if (!fits) {
        clear(&e);
    }
}

/* hardhat_setLoggingEnabled and its kin. */
static void look_for_switch(cevm_node_log *l, const cevm_rpc_call *call, const char *method)
{
    const char *name = strchr(method, '_');
    if (name != NULL && strcmp(name, "_setLoggingEnabled") == 0 && call->error.code == 0) {
        atomic_store(&l->off, !json_is_true(cevm_rpc_param(call, 0)));
    }
}

/* hardhat_setCode and its kin may bring code that logs; and who has heard a call write expects transactions to. */
static void look_for_code(cevm_node_log *l, const cevm_rpc_call *call, const char *method)
{
    static const char name[] = "636f6e736f6c652e6c6f67"; /* "console.log" */
    const char *bar = strchr(method, '_');
    bool found = call->console.size != 0;
    if (bar != NULL && (strcmp(bar, "_setCode") == 0 || strcmp(bar, "_setAccountCode") == 0)) {
        const char *code = json_string_value(cevm_rpc_param(call, 1));
        found = code != NULL && strcasestr(code, name) != NULL;
    }
    if (found) {
        atomic_store(&l->replays, true);
    }
}

/* What a call has written stands under its line. */
static void append_console(const cevm_node_log *l, cevm_buf *out, cevm_bytes text)
{
    char piece[CEVM_LOG_LINE];
    char line[CEVM_LOG_LINE];
    while (text.size != 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        const size_t size = end != NULL ? (size_t)(end - text.data) : text.size;
        (void)snprintf(piece, sizeof piece, "%.*s", size < CEVM_LOG_LINE ? (int)size : CEVM_LOG_LINE,
                       (const char *)text.data);
        const size_t length = cevm_log_console(line, &l->options, piece);
        cevm_buf_append(out, "\n", 1);
        cevm_buf_append(out, line, length);
        text = (cevm_bytes){text.data + size + (end != NULL ? 1 : 0), text.size - size - (end != NULL ? 1 : 0)};
    }
}

void cevm_node_log_observe(void *logger, const cevm_rpc_call *call, const char *method, uint64_t nanoseconds)
{
    cevm_node_log *l = logger;
    char text[CEVM_LOG_LINE];
    look_for_switch(l, call, method);
    look_for_code(l, call, method);
    bool polled = call->row != NULL && (call->row->flags & CEVM_RPC_QUIET) != 0;
    if (atomic_load(&l->off) || (polled && call->error.code == 0)) {
        return;
    }
    size_t size = cevm_log_request(text, &l->options, call, method, nanoseconds);
    cevm_buf lines;
    cevm_buf_init(&lines, NULL);
    cevm_buf_append(&lines, text, size);
    append_console(l, &lines, call->console);
    cevm_buf_append(&lines, "", 1);
    if (lines.failed) {
        cevm_buf_free(&lines);
    } else {
        enqueue(l, (entry){.when = now_ns() - nanoseconds, .kind = TEXT, .text = (char *)lines.data});
    }
}

void cevm_node_log_listen(void *logger, const cevm_node_event *event)
{
    cevm_node_log *l = logger;
    if (atomic_load(&l->off)) {
        return;
    }
    uint64_t when = now_ns();
    if (event->removed_count != 0) {
        cevm_ref_retain(&event->removed[0]->ref);
        enqueue(l, (entry){.when = when, .kind = REMOVED, .count = event->removed_count, .record = event->removed[0]});
    }
    for (size_t i = 0; i < event->added_count; ++i) {
        cevm_ref_retain(&event->added[i]->ref);
        enqueue(l, (entry){.when = when, .kind = RECORD, .record = event->added[i]});
    }
}

/* ---- Out ----------------------------------------------------------------------------------------------------------------- */

static void write_line(cevm_node_log *l, const char *text)
{
    (void)fputs(text, l->options.to);
    (void)fputc('\n', l->options.to);
}

typedef struct block_lines {
    cevm_node_log *logger;
    const cevm_record *record;
    size_t next; /* transaction whose line has not been written */
} block_lines;

/* The lines of transactions up to this one. */
static void write_txs(block_lines *b, size_t end)
{
    char text[CEVM_LOG_LINE];
    for (; b->next < end; ++b->next) {
        (void)cevm_log_tx(text, &b->logger->options, b->record, b->next);
        write_line(b->logger, text);
    }
}

/* What a transaction has written stands under its line. */
static bool write_console(void *user, size_t index, const char *text)
{
    block_lines *b = user;
    char out[CEVM_LOG_LINE];
    write_txs(b, index + 1);
    bool more = true;
    while (more) {
        size_t size = strcspn(text, "\n");
        char piece[CEVM_LOG_LINE];
        (void)snprintf(piece, sizeof piece, "%.*s", size < CEVM_LOG_LINE ? (int)size : CEVM_LOG_LINE, text);
        (void)cevm_log_console(out, &b->logger->options, piece);
        write_line(b->logger, out);
        more = text[size] == '\n' && text[size + 1] != '\0';
        text += size + (more ? 1 : 0);
    }
    return true;
}

/* Blocks are executed again for console.log only once a transaction, or setCode, has brought code that has it. */
static void look_for_console(cevm_node_log *l, const cevm_record *record)
{
    for (size_t i = 0; i < record->block.tx_count && !atomic_load(&l->replays); ++i) {
        atomic_store(&l->replays, cevm_console_in_code(record->block.txs[i]->data));
    }
    if (atomic_load(&l->replays) && l->console == NULL) {
        l->console = cevm_console_create(NULL);
    }
}

static void write_record(cevm_node_log *l, cevm_record *record)
{
    char text[CEVM_LOG_LINE];
    block_lines lines = {.logger = l, .record = record};
    look_for_console(l, record);
    if (l->console != NULL) {
        cevm_world *world = cevm_node_world(l->options.node);
        const cevm_console_bounds bounds = {.deadline_ns = now_ns() + REPLAY_NS};
        (void)cevm_console_replay(l->console, l->options.node, world, record, SIZE_MAX, &bounds, write_console, &lines);
        cevm_world_release(world);
    }
    write_txs(&lines, record->block.tx_count);
    (void)cevm_log_block(text, &l->options, record);
    write_line(l, text);
}

static bool is_empty_block(const entry *e) { return e->kind == RECORD && e->record->block.tx_count == 0; }

/* Writes entry i, and with it the empty blocks that follow on an empty one. Returns how many it wrote. */
static size_t write_entry(cevm_node_log *l, entry *entries, size_t i, size_t count)
{
    char text[CEVM_LOG_LINE];
    entry *e = &entries[i];
    size_t n = 1;
    if (e->kind == TEXT) {
        write_line(l, e->text);
    } else if (e->kind == REMOVED) {
        (void)cevm_log_removed(text, &l->options, e->record, e->count);
        write_line(l, text);
    } else if (is_empty_block(e)) {
        uint64_t first = e->record->block.header.number;
        while (i + n < count && is_empty_block(&entries[i + n]) &&
               entries[i + n].record->block.header.number == first + n) {
            ++n;
        }
        (void)cevm_log_empty_blocks(text, &l->options, entries[i + n - 1].record, first);
        write_line(l, text);
    } else {
        write_record(l, e->record);
    }
    return n;
}

static int compare(const void *a, const void *b)
{
    const entry *x = a;
    const entry *y = b;
    if (x->when != y->when) {
        return x->when < y->when ? -1 : 1;
    }
    return x->order < y->order ? -1 : 1;
}

static void write_all(cevm_node_log *l, entry *entries, size_t count, uint64_t dropped)
{
    qsort(entries, count, sizeof *entries, compare);
    for (size_t i = 0; i < count;) {
        i += write_entry(l, entries, i, count);
    }
    if (dropped != 0) {
        (void)fprintf(l->options.to,
                      l->options.json ? "{\"event\":\"dropped\",\"lines\":%llu}\n" : "  (%llu lines left out)\n",
                      (unsigned long long)dropped);
    }
    (void)fflush(l->options.to);
    for (size_t i = 0; i < count; ++i) {
        clear(&entries[i]);
    }
}

static void *write_out(void *arg)
{
    cevm_node_log *l = arg;
    const struct timespec gather = {0, GATHER_MS * 1000000};
    entry *batch = cevm_resize_array(NULL, NULL, QUEUE, sizeof *batch);
    bool stops = batch == NULL;
    while (!stops) {
        (void)pthread_mutex_lock(&l->lock);
        while (l->count == 0 && l->dropped == 0 && !l->stops) {
            l->sleeps = true;
            (void)pthread_cond_wait(&l->changed, &l->lock);
        }
        stops = l->stops;
        (void)pthread_mutex_unlock(&l->lock);
        if (!stops) {
            (void)nanosleep(&gather, NULL);
        }
        (void)pthread_mutex_lock(&l->lock);
        entry *full = l->queue;
        size_t count = l->count;
        uint64_t dropped = l->dropped;
        l->queue = batch;
        l->count = 0;
        l->dropped = 0;
        stops = stops && count == 0;
        (void)pthread_mutex_unlock(&l->lock);
        batch = full;
        write_all(l, batch, count, dropped);
    }
    cevm_free(NULL, batch);
    return NULL;
}

/* ---- Life ---------------------------------------------------------------------------------------------------------------- */

cevm_node_log *cevm_node_log_start(const cevm_node_log_options *options)
{
    cevm_node_log *l = cevm_zalloc(NULL, sizeof *l);
    if (l == NULL) {
        return NULL;
    }
    l->options = *options;
    atomic_init(&l->replays, options->replays_all);
    l->queue = cevm_resize_array(NULL, NULL, QUEUE, sizeof *l->queue);
    (void)pthread_mutex_init(&l->lock, NULL);
    (void)pthread_cond_init(&l->changed, NULL);
    if (l->queue == NULL || pthread_create(&l->thread, NULL, write_out, l) != 0) {
        cevm_free(NULL, l->queue);
        cevm_free(NULL, l);
        return NULL;
    }
    return l;
}

void cevm_node_log_stop(cevm_node_log *l)
{
    if (l == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&l->lock);
    l->stops = true;
    (void)pthread_cond_signal(&l->changed);
    (void)pthread_mutex_unlock(&l->lock);
    (void)pthread_join(l->thread, NULL);
    for (size_t i = 0; i < l->count; ++i) {
        clear(&l->queue[i]);
    }
    cevm_free(NULL, l->queue);
    cevm_console_destroy(l->console);
    (void)pthread_mutex_destroy(&l->lock);
    (void)pthread_cond_destroy(&l->changed);
    cevm_free(NULL, l);
}
