/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/filters_internal.h: what filters.c and subscriptions.c share.
 */
#ifndef CEVM_RPC_FILTERS_INTERNAL_H
#define CEVM_RPC_FILTERS_INTERNAL_H

#include <pthread.h>

#include "rpc/filters.h"

typedef struct cevm_filter {
    cevm_ref ref;
    const cevm_allocator *allocator;
    struct cevm_filter *next;
    uint64_t id;
    cevm_filter_terms terms;
    cevm_world *seen; /* held; under the lock */
    uint64_t used_ns; /* under the lock */
} cevm_filter;

typedef struct cevm_subscription {
    struct cevm_subscription *next;
    struct cevm_subscriber *subscriber;
    uint64_t id;
    cevm_filter_terms terms;
} cevm_subscription;

struct cevm_filters {
    const cevm_allocator *allocator;
    cevm_node *node;
    pthread_mutex_t lock; /* of the filters */
    cevm_filter *first;
    size_t count;
    uint64_t last_id;
    pthread_mutex_t telling; /* of the subscriptions: held while they are told, so that none ends meanwhile */
    cevm_subscription *subscriptions;
};

/** A number for a filter or subscription. */
uint64_t cevm_filters_next_id(cevm_filters *filters);
/** The node's listener: tells all subscriptions. `user` is the set. */
void cevm_filters_tell(void *user, const cevm_node_event *event);

#endif
