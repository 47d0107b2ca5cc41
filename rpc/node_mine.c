/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks that are asked for, and the thread that makes blocks when nobody waits for them.
 *
 * Many blocks with nothing waiting for them are promised: the request is answered as soon as the first of them could be
 * made, and the rest come into being in the background, the same ones that would have been made at once, because all they
 * depend on is fixed: nothing else changes the world before (cevm_node_lock). Who wants to see them waits (cevm_node_settle).
 */
#include <time.h>

#include "rpc/filters.h"
#include "rpc/node_internal.h"

/** So few blocks are there as soon as a thread would be that makes them. */
enum { AT_ONCE = 16, MAX_PROMISED = 1000000 };

/* ---- The promises; each holds `publishing` -------------------------------------------------------------------------- */

static bool has_promises(cevm_node *node)
{
    (void)pthread_mutex_lock(&node->publishing);
    const bool has = node->promises.count != 0;
    (void)pthread_mutex_unlock(&node->publishing);
    return has;
}

static bool give(cevm_node *node, const cevm_promise *promise, bool behind_others)
{
    cevm_promises *p = &node->promises;
    (void)pthread_mutex_lock(&node->publishing);
    const bool ok = (p->count != 0) == behind_others && p->count < CEVM_NODE_MAX_PROMISES && !p->is_broken &&
                    promise->count <= MAX_PROMISED && p->blocks <= MAX_PROMISED - promise->count;
    if (ok) {
        p->list[p->count++] = *promise;
        p->blocks += promise->count;
        ++p->given;
    }
    (void)pthread_mutex_unlock(&node->publishing);
    return ok;
}

void cevm_node_take_promises(cevm_promises *p, size_t count)
{
    p->is_broken = p->is_broken && count != SIZE_MAX; /* who left does not miss them */
    count = count < p->count ? count : p->count;
    for (size_t i = 0; i < count; ++i) {
        p->blocks -= p->list[i].count;
    }
    p->count -= count;
    memmove(p->list, p->list + count, p->count * sizeof p->list[0]);
}

void cevm_node_end_promises(cevm_node *node)
{
    cevm_promises *p = &node->promises;
    (void)pthread_mutex_lock(&node->publishing);
    p->settled = p->given - p->count;
    (void)pthread_cond_broadcast(&p->changed);
    (void)pthread_mutex_unlock(&node->publishing);
}

static void break_promises(cevm_node *node, const cevm_node_error *error)
{
    cevm_promises *p = &node->promises;
    (void)pthread_mutex_lock(&node->publishing);
    cevm_node_take_promises(p, p->count);
    p->is_broken = true;
    p->broken = *error;
    (void)pthread_mutex_unlock(&node->publishing);
}

/** Tells of a promise that could not be kept, once. */
static bool take_broken(cevm_node *node, cevm_node_error *error)
{
    cevm_promises *p = &node->promises;
    if (!p->is_broken) {
        return true;
    }
    *error = p->broken;
    p->is_broken = false;
    return false;
}

uint64_t cevm_node_head_number(cevm_node *node)
{
    (void)pthread_mutex_lock(&node->publishing);
    const uint64_t number = node->world->head->block.header.number + node->promises.blocks;
    (void)pthread_mutex_unlock(&node->publishing);
    return number;
}

/* ---- Waiting for them ------------------------------------------------------------------------------------------------ */

enum { NANOSECONDS = 1000000000, NANOSECONDS_A_MILLISECOND = 1000000, LOOK_UP_MS = 50 };

static uint64_t monotonic(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NANOSECONDS + (uint64_t)t.tv_nsec;
}

static struct timespec as_timespec(uint64_t at)
{
    return (struct timespec){.tv_sec = (time_t)(at / NANOSECONDS), .tv_nsec = (long)(at % NANOSECONDS)};
}

bool cevm_node_settle(cevm_node *node, cevm_node_error *error, uint64_t deadline_ns, const volatile bool *cancel)
{
    cevm_promises *p = &node->promises;
    bool ok = true;
    (void)pthread_mutex_lock(&node->publishing);
    const uint64_t wanted = p->given;
    while (ok && p->settled < wanted) {
        const uint64_t now = monotonic();
        if ((deadline_ns != 0 && now >= deadline_ns) || (cancel != NULL && __atomic_load_n(cancel, __ATOMIC_RELAXED))) {
            ok = cevm_node_say(error, -32002, "%llu blocks are still being mined", (unsigned long long)p->blocks);
        } else {
            uint64_t until = now + (uint64_t)LOOK_UP_MS * NANOSECONDS_A_MILLISECOND;
            until = deadline_ns != 0 && deadline_ns < until ? deadline_ns : until;
            const struct timespec t = as_timespec(until);
            (void)pthread_cond_timedwait(&p->changed, &node->publishing, &t);
        }
    }
    ok = ok && take_broken(node, error);
    (void)pthread_mutex_unlock(&node->publishing);
    return ok;
}

/* ---- Making blocks; `writing` is held --------------------------------------------------------------------------------- */

/**
 * Makes the blocks of a promise on a draft, without the first `made`; between them the clock is at least the interval apart.
 * may_stop: gives up with CEVM_ERR_CANCELLED when somebody wants to go elsewhere.
 */
static bool make_blocks(cevm_node *node, cevm_node_error *error, cevm_world *draft, const cevm_promise *promise,
                        uint64_t made, bool may_stop)
{
    const cevm_mine_plan plan = {.real_time = promise->real_time};
    const uint64_t interval = promise->interval;
    for (uint64_t i = made; i < promise->count; ++i) {
        cevm_mined mined;
        if (may_stop && atomic_load_explicit(&node->leaving, memory_order_relaxed) != 0) {
            return cevm_node_say_err(error, CEVM_ERR_CANCELLED);
        }
        if (i > 0 && interval != 0 && !draft->settings.has_next_timestamp) {
            const uint64_t last = draft->head->block.header.timestamp;
            draft->settings.has_next_timestamp = last <= UINT64_MAX - interval;
            draft->settings.next_timestamp = last + interval;
        }
        if (!cevm_node_mine_on(node, error, draft, &plan, &mined)) {
            return false;
        }
    }
    return true;
}

/** Makes what is missing of a draft's blocks (NULL: none could be made, for want of memory) and publishes it. */
static bool make_and_publish(cevm_node *node, cevm_node_error *error, cevm_world *draft, const cevm_promise *promise,
                             uint64_t made, bool may_stop)
{
    if (draft == NULL) {
        return cevm_node_say_err(error, CEVM_ERR_NOMEM);
    }
    const bool ok =
        make_blocks(node, error, draft, promise, made, may_stop) && cevm_node_publish(node, error, draft, NULL, 0);
    if (!ok) {
        cevm_world_release(draft);
    }
    return ok;
}

/** Keeps the oldest promise; all are void when that fails. False when it was given up, and nothing has changed. */
static bool keep_one(cevm_node *node, bool may_stop)
{
    cevm_node_error error = {.err = CEVM_OK};
    cevm_world *draft = node->begun;
    const uint64_t made = draft != NULL ? 1 : 0;
    (void)pthread_mutex_lock(&node->publishing);
    const cevm_promise promise = node->promises.list[0];
    (void)pthread_mutex_unlock(&node->publishing);
    node->begun = NULL;
    draft = draft != NULL ? draft : cevm_world_clone(node->world);
    node->settles = 1;
    const bool ok = make_and_publish(node, &error, draft, &promise, made, may_stop);
    node->settles = 0;
    if (!ok && error.err != CEVM_ERR_CANCELLED) {
        break_promises(node, &error);
    }
    cevm_node_end_promises(node);
    return ok || error.err != CEVM_ERR_CANCELLED;
}

static bool keep_all(cevm_node *node, cevm_node_error *error)
{
    while (has_promises(node)) {
        (void)keep_one(node, false);
    }
    (void)pthread_mutex_lock(&node->publishing);
    const bool ok = take_broken(node, error);
    (void)pthread_mutex_unlock(&node->publishing);
    return ok;
}

bool cevm_node_lock(cevm_node *node, cevm_node_error *error)
{
    (void)pthread_mutex_lock(&node->writing);
    if (!keep_all(node, error)) {
        (void)pthread_mutex_unlock(&node->writing);
        return false;
    }
    return true;
}

bool cevm_node_lock_to_leave(cevm_node *node, cevm_node_error *error)
{
    if (cevm_filters_has_subscriptions(node->filters)) {
        return cevm_node_lock(node, error); /* who is told of every block is told of these too */
    }
    (void)atomic_fetch_add(&node->leaving, 1);
    (void)pthread_mutex_lock(&node->writing);
    (void)atomic_fetch_sub(&node->leaving, 1);
    return true;
}

void cevm_node_unlock(cevm_node *node)
{
    if (node->yields || has_promises(node)) {
        (void)pthread_cond_signal(&node->wake);
    }
    (void)pthread_mutex_unlock(&node->writing);
}

/**
 * Whether a request for so many blocks may be answered before they are there. What a store has not got, nobody may be told of;
 * and what a remote chain says is not known before it was asked.
 */
static bool may_promise(const cevm_node *node, uint64_t count)
{
    return count > AT_ONCE && node->world->pool.count == 0 && node->store == NULL && node->remote == NULL;
}

/** Makes the first block, so that what speaks against all of them is said now, and leaves the rest to the thread. */
static bool begin_promise(cevm_node *node, cevm_node_error *error, const cevm_promise *promise)
{
    const cevm_promise first = {.count = 1, .real_time = promise->real_time};
    cevm_world *draft = cevm_world_clone(node->world);
    if (draft == NULL) {
        return cevm_node_say_err(error, CEVM_ERR_NOMEM);
    }
    if (!make_blocks(node, error, draft, &first, 0, false)) {
        cevm_world_release(draft);
        return false;
    }
    if (cevm_node_miner_run(node) != CEVM_OK || !give(node, promise, false)) {
        return make_and_publish(node, error, draft, promise, 1, false);
    }
    node->begun = draft;
    return true;
}

/** cevm_node_mine for who has the lock. */
static bool mine_locked(cevm_node *node, cevm_node_error *error, const cevm_promise *promise)
{
    return may_promise(node, promise->count)
               ? begin_promise(node, error, promise)
               : make_and_publish(node, error, cevm_world_clone(node->world), promise, 0, false);
}

bool cevm_node_mine(cevm_node *node, cevm_node_error *error, uint64_t count, uint64_t interval)
{
    const cevm_promise promise = {.count = count, .interval = interval, .real_time = cevm_node_real_time()};
    if (count > 0 && give(node, &promise, true)) {
        return true; /* nothing waits in a pool behind promises */
    }
    if (!cevm_node_lock(node, error)) {
        return false;
    }
    const bool ok = mine_locked(node, error, &promise);
    cevm_node_unlock(node);
    return ok;
}

/* ---- The thread ------------------------------------------------------------------------------------------------------- */

/** Waits until a time, or for ever when it is 0; with the lock. */
static void wait_until(cevm_node *node, uint64_t at)
{
    if (at == 0) {
        (void)pthread_cond_wait(&node->wake, &node->writing);
        return;
    }
    const struct timespec t = as_timespec(at);
    (void)pthread_cond_timedwait(&node->wake, &node->writing, &t);
}

static void *run_miner(void *arg)
{
    cevm_node *node = arg;
    uint64_t interval = 0;
    uint64_t at = 0;
    (void)pthread_mutex_lock(&node->writing);
    while (!node->stops) {
        const uint64_t wanted = node->world->settings.interval_ms;
        if (wanted != interval) {
            interval = wanted;
            at = wanted != 0 ? monotonic() + wanted * NANOSECONDS_A_MILLISECOND : 0;
        }
        if (has_promises(node)) {
            if (!keep_one(node, true)) {
                node->yields = true; /* to who wants to leave, and wakes this thread when it has */
                wait_until(node, 0);
                node->yields = false;
            }
            continue;
        }
        if (at == 0 || monotonic() < at) {
            wait_until(node, at);
            continue;
        }
        cevm_node_error error; /* a block that cannot be made now may be made at the next turn */
        const cevm_promise one = {.count = 1, .real_time = cevm_node_real_time()};
        (void)mine_locked(node, &error, &one);
        at = monotonic() + interval * NANOSECONDS_A_MILLISECOND;
    }
    (void)pthread_mutex_unlock(&node->writing);
    return NULL;
}

cevm_err cevm_node_miner_run(cevm_node *node)
{
    if (!node->has_miner) {
        if (pthread_create(&node->miner, NULL, run_miner, node) != 0) {
            return CEVM_ERR_NOMEM;
        }
        node->has_miner = true;
    }
    return CEVM_OK;
}

cevm_err cevm_node_miner_start(cevm_node *node, const cevm_world *world)
{
    if (world->settings.interval_ms == node->world->settings.interval_ms && world != node->world) {
        return CEVM_OK; /* as it was: the thread need not be woken to see that */
    }
    cevm_err err = CEVM_OK;
    if (world->settings.interval_ms != 0) {
        err = cevm_node_miner_run(node);
    }
    if (node->has_miner) {
        (void)pthread_cond_signal(&node->wake);
    }
    return err;
}

void cevm_node_miner_stop(cevm_node *node)
{
    if (!node->has_miner) {
        return;
    }
    (void)atomic_fetch_add(&node->leaving, 1);
    (void)pthread_mutex_lock(&node->writing);
    node->stops = true;
    (void)pthread_cond_signal(&node->wake);
    (void)pthread_mutex_unlock(&node->writing);
    (void)pthread_join(node->miner, NULL);
    (void)atomic_fetch_sub(&node->leaving, 1);
    node->has_miner = false;
    cevm_world_release(node->begun);
    node->begun = NULL;
}
