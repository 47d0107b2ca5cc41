/* SPDX-License-Identifier: Apache-2.0 */
/* Subscriptions: the node says what happened, everybody who asked is told, in order, before the next thing happens. */
#include <inttypes.h>
#include <stdio.h>

#include <cevm/alloc.h>

#include "rpc/filters_internal.h"
#include "rpc/shapes.h"
#include "state/rlp.h"

/** A connection with subscriptions; the session's guest. */
typedef struct cevm_subscriber {
    cevm_session_guest guest; /* first */
    cevm_filters *filters;
    cevm_session *session;
    size_t count; /* under the lock */
} cevm_subscriber;

static const char subscriber_kind;

enum { MAX_HEADS = 256 };

/* ---- Subscribing --------------------------------------------------------------------------------------------------- */

static void free_subscription(cevm_filters *filters, cevm_subscription *subscription)
{
    cevm_filter_terms_free(&subscription->terms);
    cevm_free(filters->allocator, subscription);
}

/** Takes out a subscription, or with id 0 any, of a subscriber; NULL when there is none. The lock is held. */
static cevm_subscription *take(cevm_filters *filters, const cevm_subscriber *subscriber, uint64_t id)
{
    cevm_subscription **link = &filters->subscriptions;
    while (*link != NULL && ((*link)->subscriber != subscriber || (id != 0 && (*link)->id != id))) {
        link = &(*link)->next;
    }
    cevm_subscription *subscription = *link;
    if (subscription != NULL) {
        *link = subscription->next;
        --subscription->subscriber->count;
    }
    return subscription;
}

static void session_closed(cevm_session_guest *self, cevm_session *session)
{
    cevm_subscriber *subscriber = (cevm_subscriber *)(void *)self;
    cevm_filters *filters = subscriber->filters;
    cevm_subscription *subscription = NULL;
    (void)session;
    do {
        (void)pthread_mutex_lock(&filters->telling);
        subscription = take(filters, subscriber, 0);
        (void)pthread_mutex_unlock(&filters->telling);
        if (subscription != NULL) {
            free_subscription(filters, subscription);
        }
    } while (subscription != NULL);
    cevm_free(filters->allocator, subscriber);
}

static cevm_subscriber *subscriber_of(cevm_filters *filters, cevm_session *session)
{
    cevm_session_guest *guest = cevm_session_guest_of(session, &subscriber_kind);
    if (guest != NULL) {
        return (cevm_subscriber *)(void *)guest;
    }
    cevm_subscriber *subscriber = cevm_zalloc(filters->allocator, sizeof *subscriber);
    if (subscriber != NULL) {
        subscriber->guest = (cevm_session_guest){.kind = &subscriber_kind, .closed = session_closed};
        subscriber->filters = filters;
        subscriber->session = session;
        cevm_session_attach(session, &subscriber->guest);
    }
    return subscriber;
}

cevm_err cevm_filters_subscribe(cevm_filters *filters, uint64_t *id, cevm_session *session, cevm_filter_terms *terms)
{
    cevm_subscriber *subscriber = subscriber_of(filters, session);
    cevm_subscription *subscription = cevm_zalloc(filters->allocator, sizeof *subscription);
    if (subscriber == NULL || subscription == NULL) {
        cevm_filter_terms_free(terms);
        cevm_free(filters->allocator, subscription);
        return CEVM_ERR_NOMEM;
    }
    *id = cevm_filters_next_id(filters);
    *subscription = (cevm_subscription){.subscriber = subscriber, .id = *id, .terms = *terms};
    (void)pthread_mutex_lock(&filters->telling);
    const bool fits = subscriber->count < CEVM_MAX_SUBSCRIPTIONS;
    if (fits) { /* at the end: who came first is told first */
        cevm_subscription **link = &filters->subscriptions;
        while (*link != NULL) {
            link = &(*link)->next;
        }
        *link = subscription;
        ++subscriber->count;
    }
    (void)pthread_mutex_unlock(&filters->telling);
    if (!fits) {
        free_subscription(filters, subscription);
    }
    return fits ? CEVM_OK : CEVM_ERR_LIMIT;
}

bool cevm_filters_unsubscribe(cevm_filters *filters, cevm_session *session, uint64_t id)
{
    cevm_session_guest *guest = cevm_session_guest_of(session, &subscriber_kind);
    if (guest == NULL || id == 0) {
        return false;
    }
    (void)pthread_mutex_lock(&filters->telling);
    cevm_subscription *subscription = take(filters, (cevm_subscriber *)(void *)guest, id);
    (void)pthread_mutex_unlock(&filters->telling);
    if (subscription != NULL) {
        free_subscription(filters, subscription);
    }
    return subscription != NULL;
}

bool cevm_filters_has_subscriptions(cevm_filters *filters)
{
    (void)pthread_mutex_lock(&filters->telling);
    const bool has = filters->subscriptions != NULL;
    (void)pthread_mutex_unlock(&filters->telling);
    return has;
}

/* ---- Telling ------------------------------------------------------------------------------------------------------- */

/** What is told on its way. Where memory runs out a notification is left out: there is nobody to say it to. */
typedef struct teller {
    cevm_filters *filters;
    cevm_buf body;    /* of the result */
    cevm_buf message; /* the whole */
    cevm_json_writer writer;
    const cevm_subscription *subscription; /* that logs are searched for */
    bool removed;
} teller;

static bool append(void *ctx, const char *text, size_t size)
{
    cevm_buf *buf = ctx;
    cevm_buf_append(buf, text, size);
    return !buf->failed;
}

static cevm_json_writer *begin_body(teller *t)
{
    cevm_buf_clear(&t->body);
    cevm_json_writer_init(&t->writer, append, &t->body);
    return &t->writer;
}

static bool end_body(teller *t) { return cevm_json_flush(&t->writer) && !t->body.failed; }

static void send_body(teller *t, const cevm_subscription *subscription)
{
    char head[128];
    const int size =
        snprintf(head, sizeof head,
                 "{\"jsonrpc\":\"2.0\",\"method\":\"eth_subscription\",\"params\":{\"subscription\":\"0x%" PRIx64
                 "\",\"result\":",
                 subscription->id);
    cevm_buf_clear(&t->message);
    cevm_buf_append(&t->message, head, (size_t)size);
    cevm_buf_append(&t->message, t->body.data, t->body.size);
    cevm_buf_append(&t->message, "}}", 2);
    if (!t->message.failed) {
        (void)cevm_session_send(subscription->subscriber->session, (const char *)t->message.data, t->message.size);
    }
}

/** The next subscription of a kind, from `at` on. */
static const cevm_subscription *next_of(const cevm_subscription *at, cevm_filter_kind kind)
{
    while (at != NULL && at->terms.kind != kind) {
        at = at->next;
    }
    return at;
}

/** What is the same for all subscribers of a kind is written once. */
static void send_all(teller *t, cevm_filter_kind kind)
{
    const cevm_subscription *s = end_body(t) ? next_of(t->filters->subscriptions, kind) : NULL;
    for (; s != NULL; s = next_of(s->next, kind)) {
        send_body(t, s);
    }
}

static bool has_any(const teller *t, cevm_filter_kind kind) { return next_of(t->filters->subscriptions, kind) != NULL; }

/** Of very many blocks that were mined in one step the newest are told: a reader's queue has an end. */
static void tell_heads(teller *t, const cevm_node_event *event)
{
    size_t i = event->added_count > MAX_HEADS ? event->added_count - MAX_HEADS : 0;
    for (; i < event->added_count && has_any(t, CEVM_FILTER_BLOCKS); ++i) {
        cevm_shape_block(begin_body(t), event->added[i], CEVM_BLOCK_HEADER, false);
        send_all(t, CEVM_FILTER_BLOCKS);
    }
}

static bool tell_log(void *user, const cevm_record *record, size_t tx_index, size_t log_index)
{
    teller *t = user;
    cevm_shape_record_log(begin_body(t), record, tx_index, log_index, t->removed);
    if (end_body(t)) {
        send_body(t, t->subscription);
    }
    return true;
}

static void tell_logs(teller *t, cevm_record *const *records, size_t count, bool removed)
{
    t->removed = removed;
    for (size_t i = 0; i < count; ++i) {
        const cevm_subscription *s = next_of(t->filters->subscriptions, CEVM_FILTER_LOGS);
        for (; s != NULL; s = next_of(s->next, CEVM_FILTER_LOGS)) {
            t->subscription = s;
            (void)cevm_log_filter_search(&s->terms.logs, records[i], tell_log, t);
        }
    }
}

static void tell_txs(teller *t, const cevm_node_event *event)
{
    for (size_t i = 0; i < event->pooled_count; ++i) {
        const cevm_pooled *pooled = event->pooled[i];
        if (has_any(t, CEVM_FILTER_TXS)) {
            cevm_json_put_hash(begin_body(t), &pooled->hash);
            send_all(t, CEVM_FILTER_TXS);
        }
        if (has_any(t, CEVM_FILTER_TXS_FULL)) {
            cevm_shape_tx(begin_body(t), pooled->tx, &pooled->hash, (cevm_block_place){NULL, NULL}, 0);
            send_all(t, CEVM_FILTER_TXS_FULL);
        }
    }
}

static bool wants_receipt(const cevm_filter_terms *terms, const cevm_hash *hash)
{
    bool wanted = terms->hash_count == 0;
    for (size_t i = 0; i < terms->hash_count && !wanted; ++i) {
        wanted = cevm_hash_equal(&terms->hashes[i], hash);
    }
    return wanted;
}

/** The receipts of a block that a subscriber wants, in one array; no array when there are none. */
static void tell_receipts_of(teller *t, const cevm_subscription *s, const cevm_record *record)
{
    cevm_json_writer *w = begin_body(t);
    size_t count = 0;
    cevm_json_begin_array(w);
    for (size_t i = 0; i < record->block.tx_count; ++i) {
        if (wants_receipt(&s->terms, &record->hashes[i])) {
            cevm_shape_receipt(w, record, i);
            ++count;
        }
    }
    cevm_json_end_array(w);
    if (end_body(t) && count != 0) {
        send_body(t, s);
    }
}

static void tell_receipts(teller *t, const cevm_node_event *event)
{
    for (size_t i = 0; i < event->added_count; ++i) {
        const cevm_subscription *s = next_of(t->filters->subscriptions, CEVM_FILTER_RECEIPTS);
        for (; s != NULL; s = next_of(s->next, CEVM_FILTER_RECEIPTS)) {
            tell_receipts_of(t, s, event->added[i]);
        }
    }
}

void cevm_filters_tell(void *user, const cevm_node_event *event)
{
    cevm_filters *filters = user;
    (void)pthread_mutex_lock(&filters->telling);
    if (filters->subscriptions != NULL) {
        teller t = {.filters = filters};
        cevm_buf_init(&t.body, filters->allocator);
        cevm_buf_init(&t.message, filters->allocator);
        tell_txs(&t, event);
        tell_heads(&t, event);
        tell_logs(&t, event->removed, event->removed_count, true);
        tell_logs(&t, event->added, event->added_count, false);
        tell_receipts(&t, event);
        cevm_buf_free(&t.body);
        cevm_buf_free(&t.message);
    }
    (void)pthread_mutex_unlock(&filters->telling);
}
