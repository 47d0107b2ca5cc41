/* SPDX-License-Identifier: Apache-2.0 */
#include "evm/code_cache.h"

#include <cevm/crypto.h>

#include <pthread.h>
#include <stdatomic.h>

enum { BUCKETS = 2048, DEFAULT_MAX_BYTES = 64 << 20 };

struct cevm_cached_code {
    cevm_cached_code *next; /* in its bucket */
    cevm_cached_code *newer, *older;
    cevm_hash hash;
    size_t users; /* slots of VMs that have it */
    bool listed;  /* to be found; otherwise its last user frees it */
    cevm_decoded_code *code;
};

struct cevm_code_cache {
    const cevm_allocator *allocator;
    pthread_mutex_t lock;
    size_t max_bytes;
    size_t bytes; /* of what is listed */
    atomic_size_t removals;
    cevm_cached_code *newest, *oldest;
    cevm_cached_code **buckets; /* NULL until there is something to find */
};

cevm_err cevm_code_cache_create(cevm_code_cache **out, const cevm_allocator *allocator, size_t max_bytes)
{
    *out = NULL;
    cevm_code_cache *cache = cevm_zalloc(allocator, sizeof *cache);
    if (cache == NULL || pthread_mutex_init(&cache->lock, NULL) != 0) {
        cevm_free(allocator, cache);
        return CEVM_ERR_NOMEM;
    }
    cache->allocator = allocator;
    cache->max_bytes = max_bytes != 0 ? max_bytes : DEFAULT_MAX_BYTES;
    *out = cache;
    return CEVM_OK;
}

static void free_cached(const cevm_code_cache *cache, cevm_cached_code *c)
{
    cevm_decoded_free(c->code, cache->allocator);
    cevm_free(cache->allocator, c);
}

void cevm_code_cache_destroy(cevm_code_cache *cache)
{
    if (cache == NULL) {
        return;
    }
    cevm_cached_code *c = cache->newest;
    while (c != NULL) {
        cevm_cached_code *older = c->older;
        free_cached(cache, c);
        c = older;
    }
    pthread_mutex_destroy(&cache->lock);
    cevm_free(cache->allocator, cache->buckets);
    cevm_free(cache->allocator, cache);
}

static size_t bytes_of(const cevm_cached_code *c) { return sizeof *c + c->code->bytes; }

/* The functions from here to `release` are called with the lock held. */

static cevm_cached_code **bucket_of(cevm_code_cache *cache, const cevm_hash *hash)
{
    return &cache->buckets[cevm_load_be64(hash->bytes) % BUCKETS];
}

static void unlink_age(cevm_code_cache *cache, cevm_cached_code *c)
{
    *(c->newer != NULL ? &c->newer->older : &cache->newest) = c->older;
    *(c->older != NULL ? &c->older->newer : &cache->oldest) = c->newer;
}

static void make_newest(cevm_code_cache *cache, cevm_cached_code *c)
{
    c->newer = NULL;
    c->older = cache->newest;
    *(c->older != NULL ? &c->older->newer : &cache->oldest) = c;
    cache->newest = c;
}

static void unlist(cevm_code_cache *cache, cevm_cached_code *c)
{
    cevm_cached_code **link = bucket_of(cache, &c->hash);
    while (*link != c) {
        link = &(*link)->next;
    }
    *link = c->next;
    unlink_age(cache, c);
    cache->bytes -= bytes_of(c);
    c->listed = false;
    atomic_fetch_add_explicit(&cache->removals, 1, memory_order_relaxed);
    if (c->users == 0) {
        free_cached(cache, c);
    }
}

/** Finds a code, makes it the newest and the caller its user; NULL when it is not there. */
static cevm_cached_code *find(cevm_code_cache *cache, const cevm_hash *hash, cevm_fork fork)
{
    cevm_cached_code *c = cache->buckets != NULL ? *bucket_of(cache, hash) : NULL;
    while (c != NULL && (c->code->fork != fork || !cevm_hash_equal(&c->hash, hash))) {
        c = c->next;
    }
    if (c != NULL) {
        ++c->users;
        unlink_age(cache, c);
        make_newest(cache, c);
    }
    return c;
}

static void list(cevm_code_cache *cache, cevm_cached_code *c)
{
    const size_t bytes = bytes_of(c);
    if (cache->buckets == NULL) {
        cache->buckets = cevm_zalloc(cache->allocator, BUCKETS * sizeof *cache->buckets);
    }
    if (bytes > cache->max_bytes || cache->buckets == NULL) {
        atomic_fetch_add_explicit(&cache->removals, 1, memory_order_relaxed);
        return; /* its user alone has it, until its execution ends */
    }
    while (cache->bytes + bytes > cache->max_bytes) {
        unlist(cache, cache->oldest);
    }
    cevm_cached_code **bucket = bucket_of(cache, &c->hash);
    c->next = *bucket;
    *bucket = c;
    c->listed = true;
    make_newest(cache, c);
    cache->bytes += bytes;
}

static void release(cevm_code_cache *cache, cevm_cached_code *c)
{
    if (c != NULL) {
        pthread_mutex_lock(&cache->lock);
        if (--c->users == 0 && !c->listed) {
            free_cached(cache, c);
        }
        pthread_mutex_unlock(&cache->lock);
    }
}

static bool is_listed(cevm_code_cache *cache, const cevm_cached_code *c)
{
    pthread_mutex_lock(&cache->lock);
    const bool listed = c->listed;
    pthread_mutex_unlock(&cache->lock);
    return listed;
}

static cevm_cached_code *lookup(cevm_code_cache *cache, const cevm_hash *hash, cevm_fork fork)
{
    pthread_mutex_lock(&cache->lock);
    cevm_cached_code *c = find(cache, hash, fork);
    pthread_mutex_unlock(&cache->lock);
    return c;
}

/** Decodes a code and lists it, unless another thread was faster. NULL when memory runs out. */
static cevm_cached_code *decode(cevm_code_cache *cache, const cevm_hash *hash, const cevm_frame *f)
{
    cevm_cached_code *made = cevm_zalloc(cache->allocator, sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    made->hash = *hash;
    made->users = 1;
    made->code = cevm_decoded_decode(f->code, f->code_size, f->vm->fork, cache->allocator);
    if (made->code == NULL) {
        free_cached(cache, made);
        return NULL;
    }
    pthread_mutex_lock(&cache->lock);
    cevm_cached_code *there = find(cache, hash, f->vm->fork);
    if (there == NULL) {
        list(cache, made);
    }
    pthread_mutex_unlock(&cache->lock);
    if (there != NULL) {
        free_cached(cache, made);
        return there;
    }
    return made;
}

/* The table of a VM ------------------------------------------------------------------------------------------------ */

/** Lets go of what a slot holds. */
static void clear_slot(cevm_vm *vm, cevm_code_slot *slot)
{
    if (slot->decoded != NULL) {
        vm->code_bytes -= bytes_of(slot->decoded);
        release(vm->code_cache, slot->decoded);
        slot->decoded = NULL;
    }
}

void cevm_code_slots_begin(cevm_vm *vm)
{
    if (vm->code_slots == NULL) {
        return;
    }
    const size_t removals = atomic_load_explicit(&vm->code_cache->removals, memory_order_relaxed);
    if (removals == vm->code_removals) {
        return;
    }
    vm->code_removals = removals;
    for (size_t i = 0; i < CEVM_CODE_SLOTS; ++i) {
        cevm_code_slot *slot = &vm->code_slots[i];
        if (slot->decoded != NULL && !is_listed(vm->code_cache, slot->decoded)) {
            clear_slot(vm, slot);
            slot->heat = 0;
        }
    }
}

void cevm_code_slots_destroy(cevm_vm *vm)
{
    for (size_t i = 0; vm->code_bytes != 0 && i < CEVM_CODE_SLOTS; ++i) {
        clear_slot(vm, &vm->code_slots[i]);
    }
    cevm_free(vm->allocator, vm->code_slots);
    vm->code_slots = NULL;
    if (vm->owns_code_cache) {
        cevm_code_cache_destroy(vm->code_cache);
        vm->code_cache = NULL;
    }
}

/** Notes decoded code, if there is any, in a slot. */
static void fill_slot(cevm_vm *vm, cevm_code_slot *slot, cevm_cached_code *decoded)
{
    slot->decoded = decoded;
    vm->code_bytes += decoded != NULL ? bytes_of(decoded) : 0;
}

/** Whether a VM may hold more: one execution is not to fill the memory with the code of hundreds of contracts. */
static bool may_hold_more(const cevm_vm *vm) { return vm->code_bytes < vm->code_cache->max_bytes; }

/** Makes the table, and a cache if the host gave none; false when memory runs out. */
static bool prepare_slots(cevm_vm *vm)
{
    if (vm->code_cache == NULL) {
        if (cevm_code_cache_create(&vm->code_cache, vm->allocator, 0) != CEVM_OK) {
            return false;
        }
        vm->owns_code_cache = true;
    }
    if (vm->code_slots == NULL) {
        vm->code_slots = cevm_zalloc(vm->allocator, CEVM_CODE_SLOTS * sizeof *vm->code_slots);
    }
    return vm->code_slots != NULL;
}

static inline cevm_code_slot *place_of(const cevm_vm *vm, const cevm_hash *hash)
{
    return &vm->code_slots[cevm_load_be64(hash->bytes) % CEVM_CODE_SLOTS];
}

/** The slot of a frame's code when another code has its place, or none. */
__attribute__((noinline)) static cevm_code_slot *take_slot(cevm_frame *f)
{
    cevm_vm *vm = f->vm;
    if (vm->code_slots == NULL && !prepare_slots(vm)) {
        return NULL;
    }
    cevm_code_slot *slot = place_of(vm, &f->code_hash);
    if (slot->last_use == vm->execution && slot->decoded != NULL) {
        return NULL; /* a frame may be running it */
    }
    clear_slot(vm, slot);
    *slot = (cevm_code_slot){.hash = f->code_hash, .fork = vm->fork, .used = true};
    if (may_hold_more(vm)) {
        fill_slot(vm, slot, lookup(vm->code_cache, &f->code_hash, vm->fork));
    }
    slot->last_use = vm->execution;
    return slot;
}

/** The slot of a frame's code; NULL when there is none to be had. */
static inline cevm_code_slot *slot_of(cevm_frame *f)
{
    const cevm_vm *vm = f->vm;
    cevm_code_slot *slot = vm->code_slots != NULL ? place_of(vm, &f->code_hash) : NULL;
    if (slot == NULL || !slot->used || slot->fork != vm->fork || !cevm_hash_equal(&slot->hash, &f->code_hash)) {
        return take_slot(f);
    }
    slot->last_use = vm->execution;
    return slot;
}

static void run_decoded(cevm_frame *f, const cevm_code_slot *slot, uint32_t entry)
{
    f->block = slot->decoded->code;
    f->ip = &f->block->entries[entry];
}

/**
 * Bytes run in the exact engine after which code is decoded. To decode a byte takes about as long as to run four of them, and
 * what runs decoded saves half or more. Of a large contract an execution that will soon end runs much, of a small one it does
 * not run as many bytes as there are unless it goes in circles: so that takes its size once, the other twice. Decoded code is
 * kept; initcode that is made to be decoded each time it runs has to run longer.
 */
static uint32_t heat_limit(const cevm_frame *f)
{
    enum { ALWAYS = 256, LARGE = 1 << 14, INITCODE = 16 };
    const size_t size = f->code_size;
    const size_t more = size < LARGE ? size * size / LARGE : size;
    return (uint32_t)(ALWAYS + (f->has_hash ? size + more : INITCODE * size));
}

void cevm_frame_choose_engine(cevm_frame *f)
{
    const cevm_vm *vm = f->vm;
    const cevm_tracer *tracer = vm->tracer;
    f->ip = NULL;
    f->heat = NULL;
    if (vm->engine == CEVM_ENGINE_EXACT || f->code_size > CEVM_BLOCK_MAX_CODE ||
        (tracer != NULL && (tracer->on_step != NULL || tracer->on_step_end != NULL))) {
        return;
    }
    if (vm->engine == CEVM_ENGINE_BLOCK) {
        cevm_frame_heat_up(f);
        return;
    }
    f->heat_limit = heat_limit(f);
    if (!f->has_hash) {
        f->own_heat = 0;
        f->heat = &f->own_heat;
        return;
    }
    cevm_code_slot *slot = slot_of(f);
    if (slot != NULL && slot->decoded != NULL) {
        run_decoded(f, slot, CEVM_BLOCK_FIRST);
    } else if (slot != NULL && slot->heat >= f->heat_limit) {
        cevm_frame_heat_up(f);
    } else if (slot != NULL) {
        f->heat = &slot->heat;
    }
}

void cevm_frame_heat_up(cevm_frame *f)
{
    f->heat = NULL;
    if (!f->has_hash) {
        cevm_keccak256(&f->code_hash, f->code, f->code_size);
        f->has_hash = true;
    }
    cevm_code_slot *slot = slot_of(f);
    if (slot == NULL) {
        return;
    }
    if (slot->decoded == NULL && may_hold_more(f->vm)) {
        fill_slot(f->vm, slot, decode(f->vm->code_cache, &f->code_hash, f));
    }
    if (slot->decoded != NULL) {
        const uint32_t entry = f->pc == 0 ? CEVM_BLOCK_FIRST : slot->decoded->code->targets[f->pc];
        run_decoded(f, slot, entry);
    }
}
