/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/log_filter.h"

#include <cevm/alloc.h>
#include <cevm/crypto.h>

#include "rpc/member.h"
#include "rpc/shapes.h"

/* ---- Reading ------------------------------------------------------------------------------------------------------- */

/** A value sets at most three bits: in one byte or in up to three. */
static cevm_bloom_bits bits_of(const uint8_t *data, size_t size)
{
    cevm_bloom_bits bits = {{0}, {0}};
    cevm_bloom one = {{0}};
    size_t count = 0;
    cevm_bloom_add(&one, (cevm_bytes){data, size});
    for (size_t i = 0; i < sizeof one.bytes; ++i) {
        if (one.bytes[i] != 0 && count < sizeof bits.mask) {
            bits.byte[count] = (uint16_t)i;
            bits.mask[count++] = one.bytes[i];
        }
    }
    return bits;
}

/** One value or an array of them: how many there are. */
static size_t choice_count(const json_t *value) { return json_is_array(value) ? json_array_size(value) : 1; }

static json_t *choice(json_t *value, size_t index)
{
    return json_is_array(value) ? json_array_get(value, index) : value;
}

static bool read_addresses(cevm_log_filter *out, cevm_rpc_call *call, json_t *value)
{
    const size_t count = value != NULL ? choice_count(value) : 0;
    if (count == 0) {
        return true;
    }
    if (count > CEVM_LOG_MAX_ADDRESSES) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "exceed max addresses: %zu, at most %d are allowed", count,
                             (int)CEVM_LOG_MAX_ADDRESSES);
    }
    out->addresses = cevm_resize_array(out->allocator, NULL, count, sizeof *out->addresses);
    out->address_bits = cevm_resize_array(out->allocator, NULL, count, sizeof *out->address_bits);
    if (out->addresses == NULL || out->address_bits == NULL) {
        return cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
    }
    out->address_count = count;
    for (size_t i = 0; i < count; ++i) {
        if (!cevm_rpc_read_address(&out->addresses[i], call, choice(value, i), "address of the filter")) {
            return false;
        }
        out->address_bits[i] = bits_of(out->addresses[i].bytes, sizeof out->addresses[i].bytes);
    }
    return true;
}

/** null, and an array with a null in it, mean anything. */
static bool read_choice(cevm_topic_choice *out, const cevm_allocator *allocator, cevm_rpc_call *call, json_t *value)
{
    const size_t count = json_is_null(value) ? 0 : choice_count(value);
    for (size_t i = 0; i < count; ++i) {
        if (json_is_null(choice(value, i))) {
            return true;
        }
    }
    if (count == 0) {
        return true;
    }
    if (count > CEVM_LOG_MAX_TOPICS) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS,
                             "exceed max topics: %zu at one place, at most %d are allowed", count,
                             (int)CEVM_LOG_MAX_TOPICS);
    }
    out->topics = cevm_resize_array(allocator, NULL, count, sizeof *out->topics);
    out->bits = cevm_resize_array(allocator, NULL, count, sizeof *out->bits);
    if (out->topics == NULL || out->bits == NULL) {
        return cevm_rpc_fail_err(call, CEVM_ERR_NOMEM);
    }
    out->count = count;
    for (size_t i = 0; i < count; ++i) {
        if (!cevm_rpc_read_hash(&out->topics[i], call, choice(value, i), "topic of the filter")) {
            return false;
        }
        out->bits[i] = bits_of(out->topics[i].bytes, sizeof out->topics[i].bytes);
    }
    return true;
}

static bool read_topics(cevm_log_filter *out, cevm_rpc_call *call, json_t *value)
{
    if (value == NULL) {
        return true;
    }
    if (!json_is_array(value)) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "invalid topics of the filter: an array is wanted");
    }
    if (json_array_size(value) > 4) {
        return cevm_rpc_fail(call, CEVM_RPC_INVALID_PARAMS, "exceed max topics: a log has at most 4");
    }
    out->topic_count = json_array_size(value);
    for (size_t i = 0; i < out->topic_count; ++i) {
        if (!read_choice(&out->topics[i], out->allocator, call, json_array_get(value, i))) {
            return false;
        }
    }
    return true;
}

bool cevm_log_filter_read(cevm_log_filter *out, cevm_rpc_call *call, const json_t *object,
                          const cevm_allocator *allocator)
{
    *out = (cevm_log_filter){.allocator = allocator};
    if (read_addresses(out, call, cevm_member(object, "address")) &&
        read_topics(out, call, cevm_member(object, "topics"))) {
        return true;
    }
    cevm_log_filter_free(out);
    return false;
}

void cevm_log_filter_free(cevm_log_filter *filter)
{
    cevm_free(filter->allocator, filter->addresses);
    cevm_free(filter->allocator, filter->address_bits);
    for (size_t i = 0; i < 4; ++i) {
        cevm_free(filter->allocator, filter->topics[i].topics);
        cevm_free(filter->allocator, filter->topics[i].bits);
    }
    *filter = (cevm_log_filter){.allocator = filter->allocator};
}

/* ---- Matching ------------------------------------------------------------------------------------------------------ */

static bool may_hold(const cevm_bloom *bloom, const cevm_bloom_bits *bits)
{
    return (bloom->bytes[bits->byte[0]] & bits->mask[0]) == bits->mask[0] &&
           (bloom->bytes[bits->byte[1]] & bits->mask[1]) == bits->mask[1] &&
           (bloom->bytes[bits->byte[2]] & bits->mask[2]) == bits->mask[2];
}

bool cevm_log_filter_may_match(const cevm_log_filter *filter, const cevm_bloom *bloom)
{
    bool possible = filter->address_count == 0;
    for (size_t i = 0; i < filter->address_count && !possible; ++i) {
        possible = may_hold(bloom, &filter->address_bits[i]);
    }
    for (size_t t = 0; t < filter->topic_count && possible; ++t) {
        const cevm_topic_choice *choices = &filter->topics[t];
        possible = choices->count == 0;
        for (size_t i = 0; i < choices->count && !possible; ++i) {
            possible = may_hold(bloom, &choices->bits[i]);
        }
    }
    return possible;
}

static bool log_matches(const cevm_log_filter *filter, const cevm_log *log)
{
    bool matches = filter->address_count == 0;
    for (size_t i = 0; i < filter->address_count && !matches; ++i) {
        matches = cevm_address_equal(&filter->addresses[i], &log->address);
    }
    matches = matches && filter->topic_count <= log->topic_count;
    for (size_t t = 0; t < filter->topic_count && matches; ++t) {
        const cevm_topic_choice *choices = &filter->topics[t];
        matches = choices->count == 0;
        for (size_t i = 0; i < choices->count && !matches; ++i) {
            matches = cevm_hash_equal(&choices->topics[i], &log->topics[t]);
        }
    }
    return matches;
}

bool cevm_log_filter_search(const cevm_log_filter *filter, const cevm_record *record, cevm_log_visit visit, void *user)
{
    if (!cevm_log_filter_may_match(filter, &record->block.header.logs_bloom)) {
        return true;
    }
    for (size_t t = 0; t < record->block.tx_count; ++t) {
        const cevm_node_receipt *receipt = &record->receipts[t];
        for (size_t i = 0; i < receipt->log_count; ++i) {
            if (log_matches(filter, &receipt->logs[i]) && !visit(user, record, t, i)) {
                return false;
            }
        }
    }
    return true;
}

void cevm_shape_record_log(cevm_json_writer *w, const cevm_record *record, size_t tx_index, size_t log_index,
                           bool removed)
{
    const cevm_node_receipt *receipt = &record->receipts[tx_index];
    const cevm_log_place place = {
        .block = {&record->block.header, &record->block.hash},
        .tx_hash = &record->hashes[tx_index],
        .tx_index = tx_index,
        .log_index = receipt->first_log + log_index,
        .removed = removed,
    };
    cevm_shape_log(w, &receipt->logs[log_index], &place);
}
