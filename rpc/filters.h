/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/filters.h: filters that are polled (eth_newFilter and its kin) and subscriptions that are told (eth_subscribe). A
 * node has one set of them.
 *
 * A filter holds the world it saw last and nothing else; one that is not polled for five minutes is dropped. A subscription
 * lives as long as its connection at most.
 *
 * Threads: everything may be called from any thread.
 */
#ifndef CEVM_RPC_FILTERS_H
#define CEVM_RPC_FILTERS_H

#include "rpc/log_query.h"
#include "rpc/node.h"
#include "rpc/session.h"

enum { CEVM_MAX_FILTERS = 4096, CEVM_MAX_SUBSCRIPTIONS = 1024 /* of one connection */ };
#define CEVM_FILTER_LIFE_NS (300ull * 1000000000u) /* without being polled */

typedef struct cevm_filters cevm_filters;

/** Makes the set and has the node tell it what happens. Errors: CEVM_ERR_NOMEM, CEVM_ERR_LIMIT (too many listeners). */
cevm_err cevm_filters_create(cevm_filters **out, cevm_node *node);
/** The node no longer tells, and all connections have ended. NULL is allowed. */
void cevm_filters_destroy(cevm_filters *filters);

/* ---- Filters ------------------------------------------------------------------------------------------------------- */

typedef enum cevm_filter_kind {
    CEVM_FILTER_LOGS,
    CEVM_FILTER_BLOCKS,
    CEVM_FILTER_TXS,      /* hashes of transactions that come into the pool */
    CEVM_FILTER_TXS_FULL, /* the whole of them */
    CEVM_FILTER_RECEIPTS, /* subscriptions only: of each new block */
    CEVM_FILTER_SYNCING   /* subscriptions only: nothing to tell, ever */
} cevm_filter_kind;

/** What is wanted; `logs` is owned. */
typedef struct cevm_filter_terms {
    cevm_filter_kind kind;
    cevm_log_filter logs;
    cevm_log_bounds bounds;
    cevm_hash *hashes; /* RECEIPTS: of these transactions; owned. None: of all */
    size_t hash_count;
} cevm_filter_terms;
void cevm_filter_terms_free(cevm_filter_terms *terms);

/** A filter that was found; holds what it points to. */
typedef struct cevm_polled {
    cevm_ref *filter;               /* held */
    const cevm_filter_terms *terms; /* of it */
    cevm_world *before;             /* held: what it saw last; NULL unless changes were asked for */
    cevm_world *after;              /* held: the world now */
} cevm_polled;

/** Adds a filter, which takes the terms over (also on an error). *id: to find it by. Errors: CEVM_ERR_NOMEM, CEVM_ERR_LIMIT. */
cevm_err cevm_filters_add(cevm_filters *filters, uint64_t *id, cevm_filter_terms *terms);
/** Finds one; for changes, what it sees last is now `after`. False: there is none. */
bool cevm_filters_poll(cevm_filters *filters, cevm_polled *out, uint64_t id, bool changes);
void cevm_polled_release(cevm_polled *polled);
bool cevm_filters_remove(cevm_filters *filters, uint64_t id);

/* ---- Subscriptions ------------------------------------------------------------------------------------------------- */

/** Adds one to a session, during a call of it; as cevm_filters_add. */
cevm_err cevm_filters_subscribe(cevm_filters *filters, uint64_t *id, cevm_session *session, cevm_filter_terms *terms);
/** Whether anybody has one. */
bool cevm_filters_has_subscriptions(cevm_filters *filters);
/** False: this session has none of that number. */
bool cevm_filters_unsubscribe(cevm_filters *filters, cevm_session *session, uint64_t id);

#endif
