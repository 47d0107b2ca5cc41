/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/log_filter.h: which logs someone wants (the filter object of eth_getLogs, eth_newFilter and eth_subscribe), and
 * finding them in blocks.
 *
 * A filter owns what it points to. Matching is pure; any number of threads may use one filter at a time.
 */
#ifndef CEVM_RPC_LOG_FILTER_H
#define CEVM_RPC_LOG_FILTER_H

#include "rpc/rpc.h"
#include "rpc/world.h"

enum { CEVM_LOG_MAX_ADDRESSES = 1000, CEVM_LOG_MAX_TOPICS = 1000 /* at each place */ };

/** The bits of a bloom filter that a value sets. */
typedef struct cevm_bloom_bits {
    uint16_t byte[3];
    uint8_t mask[3];
} cevm_bloom_bits;

/** One place of the topics: any of these; none means anything. */
typedef struct cevm_topic_choice {
    cevm_hash *topics;
    cevm_bloom_bits *bits; /* of each */
    size_t count;
} cevm_topic_choice;

typedef struct cevm_log_filter {
    const cevm_allocator *allocator;
    cevm_address *addresses; /* any of these; none means anything */
    cevm_bloom_bits *address_bits;
    size_t address_count;
    cevm_topic_choice topics[4]; /* a log must have as many topics as places are given */
    size_t topic_count;
} cevm_log_filter;

/** Reads "address" and "topics" of a filter object (NULL: every log). False: the call failed, nothing to free. */
bool cevm_log_filter_read(cevm_log_filter *out, cevm_rpc_call *call, const json_t *object,
                          const cevm_allocator *allocator);
void cevm_log_filter_free(cevm_log_filter *filter);

/** Whether a bloom filter leaves it possible that a log matches. */
bool cevm_log_filter_may_match(const cevm_log_filter *filter, const cevm_bloom *bloom);

/** Called for each log of a block that matches, in order; false stops. */
typedef bool (*cevm_log_visit)(void *user, const cevm_record *record, size_t tx_index, size_t log_index);
/** False: visit has stopped it. */
bool cevm_log_filter_search(const cevm_log_filter *filter, const cevm_record *record, cevm_log_visit visit, void *user);

/** Writes one log of a record. log_index counts within its receipt. */
void cevm_shape_record_log(cevm_json_writer *w, const cevm_record *record, size_t tx_index, size_t log_index,
                           bool removed);

#endif
