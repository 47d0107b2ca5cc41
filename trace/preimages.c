/* SPDX-License-Identifier: Apache-2.0 */
/* What was hashed, and keccak256PreimageTracer, which shows it. */
#include "trace/preimages.h"

#include <cevm/alloc.h>
#include <cevm/crypto.h>
#include <cevm/hex.h>

#include "evm/opcodes.h"

void cevm_preimages_init(cevm_preimages *p, const cevm_allocator *allocator)
{
    cevm_map_seed_init(&p->seed);
    cevm_map_init(&p->map, allocator);
}

void cevm_preimages_release(cevm_preimages *p, const cevm_trace *t)
{
    for (size_t i = 0; i < p->count; ++i) {
        cevm_trace_free(t, p->items[i].data);
    }
    cevm_map_free(&p->map);
    cevm_free(t->allocator, p->items);
}

static void keep(cevm_preimages *p, cevm_trace *t, cevm_bytes data)
{
    cevm_hash hash;
    cevm_keccak256(&hash, data.data, data.size);
    uint32_t tag = cevm_map_hash_hash(&p->seed, &hash);
    uint32_t at = cevm_map_start(&p->map, tag);
    for (uint32_t i; (i = cevm_map_next(&p->map, &at, tag)) != CEVM_MAP_NONE;) {
        if (cevm_hash_equal(&p->items[i].hash, &hash)) {
            return;
        }
    }
    void *array = p->items;
    bool ok = cevm_trace_grow(t, &array, &p->capacity, p->count, sizeof p->items[0]);
    p->items = array;
    if (!ok) {
        return;
    }
    if (cevm_map_reserve(&p->map, 1) != CEVM_OK) {
        cevm_trace_fail(t, CEVM_ERR_NOMEM);
        return;
    }
    p->items[p->count] = (cevm_preimage){hash, cevm_trace_copy(t, data)};
    cevm_map_insert(&p->map, tag, (uint32_t)p->count++);
}

void cevm_preimages_step(cevm_preimages *p, cevm_trace *t, const cevm_step *step)
{
    if (step->op != OP_KECCAK256 || step->stack_size < 2) {
        return;
    }
    const cevm_u256 *top = step->stack + step->stack_size - 1;
    cevm_bytes data;
    uint8_t *copy;
    if (cevm_trace_memory(t, &data, &copy, step, &top[0], &top[-1])) {
        keep(p, t, data);
        cevm_free(t->allocator, copy);
    }
}

static int by_bytes(const void *a, const void *b)
{
    const cevm_bytes *x = &((const cevm_preimage *)a)->data;
    const cevm_bytes *y = &((const cevm_preimage *)b)->data;
    size_t n = x->size < y->size ? x->size : y->size;
    int order = n != 0 ? memcmp(x->data, y->data, n) : 0;
    return order != 0 ? order : x->size < y->size ? -1 : x->size > y->size ? 1 : 0;
}

void cevm_preimages_sort(cevm_preimages *p) { cevm_sort(p->items, p->count, sizeof p->items[0], by_bytes); }

/* ---- keccak256PreimageTracer -------------------------------------------------------------------------------------- */

typedef struct preimage_tracer {
    cevm_trace base;
    cevm_preimages preimages;
} preimage_tracer;

static void on_step(void *ctx, const cevm_step *step)
{
    preimage_tracer *t = ctx;
    if (cevm_trace_step(&t->base)) {
        cevm_preimages_step(&t->preimages, &t->base, step);
    }
}

static cevm_err finish(cevm_trace *base, const cevm_receipt *receipt)
{
    preimage_tracer *t = (preimage_tracer *)base;
    (void)receipt;
    cevm_preimages_sort(&t->preimages);
    cevm_json_begin_object(base->out);
    for (size_t i = 0; i < t->preimages.count && cevm_trace_may_write(base); ++i) {
        char name[67] = "0x";
        cevm_hex_encode(name + 2, t->preimages.items[i].hash.bytes, 32);
        cevm_json_put_key(base->out, name);
        cevm_json_put_data(base->out, t->preimages.items[i].data);
    }
    cevm_json_end_object(base->out);
    return base->failed;
}

static void release(cevm_trace *base) { cevm_preimages_release(&((preimage_tracer *)base)->preimages, base); }

cevm_err cevm_trace_make_keccak_preimage(cevm_trace **out, cevm_trace_error *error, const cevm_trace_request *request)
{
    static const cevm_trace_ops ops = {.finish = finish, .release = release};
    preimage_tracer *t = cevm_trace_new(sizeof *t, &ops, request);
    (void)error;
    if (t == NULL) {
        return CEVM_ERR_NOMEM;
    }
    cevm_preimages_init(&t->preimages, request->allocator);
    t->base.hooks.on_step = on_step;
    *out = &t->base;
    return CEVM_OK;
}
