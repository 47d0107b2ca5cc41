/* SPDX-License-Identifier: Apache-2.0 */
/* What all named tracers share: limits, memory, reads of the state, options. */
#include "trace/trace_base.h"

#include <cevm/alloc.h>
#include <cevm/hex.h>

#include <stdio.h>

#include "state/map.h"

static const uint64_t default_memory = (uint64_t)1 << 30;

void *cevm_trace_new(size_t size, const cevm_trace_ops *ops, const cevm_trace_request *request)
{
    cevm_trace *t = cevm_zalloc(request->allocator, size);
    if (t != NULL) {
        t->ops = ops;
        t->hooks = (cevm_tracer){.struct_size = sizeof t->hooks, .ctx = t};
        t->allocator = request->allocator;
        t->out = request->out;
        t->depth = request->out->depth;
        t->total_start = request->out->total;
        t->state = request->state;
        t->limits = request->limits;
        t->limits.memory = t->limits.memory != 0 ? t->limits.memory : default_memory;
        t->context = request->context;
        t->stop = request->stop;
        t->cancel = request->cancel;
        t->fork = CEVM_LATEST;
    }
    return t;
}

void cevm_trace_fail(cevm_trace *t, cevm_err err)
{
    if (t->failed == CEVM_OK) {
        t->failed = err;
    }
    if (t->stop != NULL) {
        __atomic_store_n(t->stop, true, __ATOMIC_RELAXED);
    }
}

bool cevm_trace_may_write(cevm_trace *t)
{
    if (t->out->failed) {
        cevm_trace_fail(t, CEVM_ERR_IO);
    } else if (t->limits.bytes != 0 && t->out->total - t->total_start > t->limits.bytes) {
        cevm_trace_fail(t, CEVM_ERR_LIMIT);
    }
    return t->failed == CEVM_OK;
}

/** Counts memory that is to be kept; false (and the trace failed) when it is too much. */
static bool keep(cevm_trace *t, uint64_t bytes)
{
    if (bytes > t->limits.memory - t->kept) {
        cevm_trace_fail(t, CEVM_ERR_LIMIT);
        return false;
    }
    t->kept += bytes;
    return true;
}

cevm_bytes cevm_trace_copy(cevm_trace *t, cevm_bytes bytes)
{
    cevm_bytes copy = {NULL, 0};
    if (bytes.size == 0 || !keep(t, bytes.size)) {
        return copy;
    }
    uint8_t *data = cevm_alloc(t->allocator, bytes.size);
    if (data == NULL) {
        cevm_trace_fail(t, CEVM_ERR_NOMEM);
        return copy;
    }
    memcpy(data, bytes.data, bytes.size);
    return (cevm_bytes){data, bytes.size};
}

void cevm_trace_free(const cevm_trace *t, cevm_bytes bytes)
{
    union {
        const uint8_t *kept;
        uint8_t *owned;
    } data = {.kept = bytes.data};
    cevm_free(t->allocator, data.owned);
}

bool cevm_trace_grow(cevm_trace *t, void **array, size_t *capacity, size_t count, size_t size)
{
    if (count < *capacity) {
        return true;
    }
    size_t before = *capacity;
    if (count >= UINT32_MAX - 1) { /* items are numbered in 32 bits */
        cevm_trace_fail(t, CEVM_ERR_LIMIT);
        return false;
    }
    void *grown = cevm_array_reserve(t->allocator, *array, capacity, count, 1, size);
    if (grown == NULL) {
        cevm_trace_fail(t, CEVM_ERR_NOMEM);
        return false;
    }
    *array = grown;
    return keep(t, (uint64_t)(*capacity - before) * size);
}

bool cevm_trace_memory(cevm_trace *t, cevm_bytes *out, uint8_t **copy, const cevm_step *step, const cevm_u256 *offset,
                       const cevm_u256 *size)
{
    *out = (cevm_bytes){NULL, 0};
    *copy = NULL;
    if (cevm_u256_is_zero(size)) {
        return true;
    }
    /* A word of memory costs three gas, so more than that is not paid for, and not looked at. */
    uint64_t most = step->memory.size + ((uint64_t)step->gas / 3 + 1) * 32;
    if (!cevm_u256_fits_u64(size) || !cevm_u256_fits_u64(offset) || size->w[0] > most ||
        offset->w[0] > most - size->w[0]) {
        return false;
    }
    size_t at = (size_t)offset->w[0];
    size_t n = (size_t)size->w[0];
    if (at <= step->memory.size && n <= step->memory.size - at) {
        *out = (cevm_bytes){step->memory.data + at, n};
        return true;
    }
    if (n > t->limits.memory - t->kept) {
        cevm_trace_fail(t, CEVM_ERR_LIMIT);
        return false;
    }
    *copy = cevm_zalloc(t->allocator, n);
    if (*copy == NULL) {
        cevm_trace_fail(t, CEVM_ERR_NOMEM);
        return false;
    }
    if (at < step->memory.size) {
        memcpy(*copy, step->memory.data + at, step->memory.size - at);
    }
    *out = (cevm_bytes){*copy, n};
    return true;
}

cevm_account_info cevm_trace_account(cevm_trace *t, const cevm_address *address)
{
    cevm_account_info account = {.code_hash = cevm_empty_code_hash};
    cevm_err err = cevm_state_get_account(t->state, &account, address);
    if (err != CEVM_OK) {
        cevm_trace_fail(t, err);
        account = (cevm_account_info){.code_hash = cevm_empty_code_hash};
    }
    return account;
}

cevm_u256 cevm_trace_slot(cevm_trace *t, const cevm_address *address, const cevm_u256 *key)
{
    cevm_u256 value = {{0, 0, 0, 0}};
    cevm_err err = cevm_state_get_storage(t->state, &value, address, key);
    if (err != CEVM_OK) {
        cevm_trace_fail(t, err);
        value = (cevm_u256){{0, 0, 0, 0}};
    }
    return value;
}

cevm_bytes cevm_trace_code(cevm_trace *t, const cevm_address *address)
{
    cevm_code code = {.bytes = {NULL, 0}};
    cevm_host host = cevm_state_host(t->state);
    cevm_err err = host.vtable->load_code(host.ctx, &code, address);
    if (err != CEVM_OK) {
        cevm_trace_fail(t, err);
        return (cevm_bytes){NULL, 0};
    }
    return code.bytes;
}

bool cevm_trace_option_bool(bool *out, cevm_trace_error *error, const json_t *config, const char *name)
{
    const json_t *value = json_object_get(config, name);
    if (value == NULL || json_is_null(value)) {
        return true;
    }
    if (!json_is_boolean(value)) {
        (void)snprintf(error->text, sizeof error->text, "option %s must be true or false", name);
        return false;
    }
    *out = json_is_true(value);
    return true;
}

bool cevm_trace_option_number(uint64_t *out, cevm_trace_error *error, const json_t *config, const char *name)
{
    const json_t *value = json_object_get(config, name);
    cevm_u256 wide;
    if (value == NULL || json_is_null(value)) {
        return true;
    }
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *out = (uint64_t)json_integer_value(value);
        return true;
    }
    if (json_is_string(value) && cevm_u256_from_text(&wide, json_string_value(value)) && cevm_u256_fits_u64(&wide)) {
        *out = wide.w[0];
        return true;
    }
    (void)snprintf(error->text, sizeof error->text, "option %s must be a number that is not negative", name);
    return false;
}
