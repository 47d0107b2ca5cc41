/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/filters_internal.h"

#include <time.h>

#include <cevm/alloc.h>

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- Life ---------------------------------------------------------------------------------------------------------- */

void cevm_filter_terms_free(cevm_filter_terms *terms)
{
    cevm_free(terms->logs.allocator, terms->hashes);
    terms->hashes = NULL;
    terms->hash_count = 0;
    cevm_log_filter_free(&terms->logs);
}

cevm_err cevm_filters_create(cevm_filters **out, cevm_node *node)
{
    const cevm_allocator *allocator = cevm_node_allocator(node);
    cevm_filters *filters = cevm_zalloc(allocator, sizeof *filters);
    if (filters == NULL) {
        return CEVM_ERR_NOMEM;
    }
    filters->allocator = allocator;
    filters->node = node;
    const bool has_lock = pthread_mutex_init(&filters->lock, NULL) == 0;
    const bool has_telling = has_lock && pthread_mutex_init(&filters->telling, NULL) == 0;
    if (has_telling && cevm_node_listen(node, cevm_filters_tell, filters)) {
        *out = filters;
        return CEVM_OK;
    }
    if (has_telling) {
        (void)pthread_mutex_destroy(&filters->telling);
    }
    if (has_lock) {
        (void)pthread_mutex_destroy(&filters->lock);
    }
    cevm_free(allocator, filters);
    return has_telling ? CEVM_ERR_LIMIT : CEVM_ERR_NOMEM;
}

void cevm_filters_destroy(cevm_filters *filters)
{
    if (filters == NULL) {
        return;
    }
    while (filters->first != NULL) {
        cevm_filter *filter = filters->first;
        filters->first = filter->next;
        cevm_ref_release(&filter->ref);
    }
    (void)pthread_mutex_destroy(&filters->lock);
    (void)pthread_mutex_destroy(&filters->telling);
    cevm_free(filters->allocator, filters);
}

static void destroy_filter(cevm_ref *self)
{
    cevm_filter *filter = (cevm_filter *)(void *)self;
    cevm_world_release(filter->seen);
    cevm_filter_terms_free(&filter->terms);
    cevm_free(filter->allocator, filter);
}

uint64_t cevm_filters_next_id(cevm_filters *filters)
{
    (void)pthread_mutex_lock(&filters->lock);
    const uint64_t id = ++filters->last_id;
    (void)pthread_mutex_unlock(&filters->lock);
    return id;
}

/* ---- The list; the lock is held ------------------------------------------------------------------------------------- */

/** Takes a filter out of the list; the caller releases it. */
static cevm_filter *take(cevm_filters *filters, uint64_t id)
{
    cevm_filter **link = &filters->first;
    while (*link != NULL && (*link)->id != id) {
        link = &(*link)->next;
    }
    cevm_filter *filter = *link;
    if (filter != NULL) {
        *link = filter->next;
        --filters->count;
    }
    return filter;
}

/** Takes out all that nobody has polled for long; a list of what is to be released. */
static cevm_filter *take_expired(cevm_filters *filters, uint64_t now)
{
    cevm_filter *expired = NULL;
    cevm_filter **link = &filters->first;
    while (*link != NULL) {
        cevm_filter *filter = *link;
        if (now - filter->used_ns > CEVM_FILTER_LIFE_NS) {
            *link = filter->next;
            --filters->count;
            filter->next = expired;
            expired = filter;
        } else {
            link = &filter->next;
        }
    }
    return expired;
}

static void release_list(cevm_filter *filter)
{
    while (filter != NULL) {
        cevm_filter *next = filter->next;
        cevm_ref_release(&filter->ref);
        filter = next;
    }
}

/* ---- Filters ------------------------------------------------------------------------------------------------------- */

cevm_err cevm_filters_add(cevm_filters *filters, uint64_t *id, cevm_filter_terms *terms)
{
    cevm_filter *filter = cevm_zalloc(filters->allocator, sizeof *filter);
    if (filter == NULL) {
        cevm_filter_terms_free(terms);
        return CEVM_ERR_NOMEM;
    }
    cevm_ref_init(&filter->ref, destroy_filter);
    filter->allocator = filters->allocator;
    filter->terms = *terms;
    filter->seen = cevm_node_world(filters->node);
    filter->used_ns = now_ns();
    (void)pthread_mutex_lock(&filters->lock);
    cevm_filter *expired = take_expired(filters, filter->used_ns);
    const bool fits = filters->count < CEVM_MAX_FILTERS;
    if (fits) {
        filter->id = *id = ++filters->last_id;
        filter->next = filters->first;
        filters->first = filter;
        ++filters->count;
    }
    (void)pthread_mutex_unlock(&filters->lock);
    release_list(expired);
    if (!fits) {
        cevm_ref_release(&filter->ref);
    }
    return fits ? CEVM_OK : CEVM_ERR_LIMIT;
}

bool cevm_filters_poll(cevm_filters *filters, cevm_polled *out, uint64_t id, bool changes)
{
    const uint64_t now = now_ns();
    *out = (cevm_polled){.filter = NULL};
    (void)pthread_mutex_lock(&filters->lock);
    cevm_filter *expired = take_expired(filters, now);
    cevm_filter *filter = filters->first;
    while (filter != NULL && filter->id != id) {
        filter = filter->next;
    }
    if (filter != NULL) {
        cevm_ref_retain(&filter->ref);
        filter->used_ns = now;
        out->filter = &filter->ref;
        out->terms = &filter->terms;
        out->after = cevm_node_world(filters->node); /* under the lock: two polls see the worlds in order */
        if (changes) {
            out->before = filter->seen;
            filter->seen = cevm_world_retain(out->after);
        }
    }
    (void)pthread_mutex_unlock(&filters->lock);
    release_list(expired);
    return filter != NULL;
}

void cevm_polled_release(cevm_polled *polled)
{
    cevm_world_release(polled->before);
    cevm_world_release(polled->after);
    cevm_ref_release(polled->filter);
    *polled = (cevm_polled){.filter = NULL};
}

bool cevm_filters_remove(cevm_filters *filters, uint64_t id)
{
    (void)pthread_mutex_lock(&filters->lock);
    cevm_filter *filter = take(filters, id);
    (void)pthread_mutex_unlock(&filters->lock);
    if (filter != NULL) {
        cevm_ref_release(&filter->ref);
    }
    return filter != NULL;
}
