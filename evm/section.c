/* SPDX-License-Identifier: Apache-2.0 */
#include "evm/section.h"

/** Puts the cells of positions in their first state. */
static void reset_cells(cevm_section *s, int lowest, int highest)
{
    section_cell *c = section_at(s, lowest);
    for (int i = lowest; i <= 0; ++i, ++c) {
        *c = (section_cell){.value = (int16_t)i, .refs = 1};
    }
    for (int i = 1; i <= highest; ++i, ++c) {
        *c = (section_cell){.value = (int16_t)i};
    }
}

void cevm_section_init(cevm_section *s, section_output *out)
{
    memset(s, 0, offsetof(cevm_section, dirty)); /* the rest is written before it is read */
    s->out = out;
    s->handlers = cevm_decoded_handlers();
    s->step = out != NULL;
    if (out == NULL) {
        s->entries = &s->nowhere;
        s->pcs = &s->nowhere_pc;
        s->capacity = UINT32_MAX;
    }
    reset_cells(s, 1 - SECTION_BELOW, SECTION_ABOVE);
}

void cevm_section_begin(cevm_section *s, uint32_t pc)
{
    const int reach = s->reach > s->highest ? s->reach : s->highest;
    reset_cells(s, 1 - s->need, reach > s->growth ? reach : s->growth);
    s->pc = pc;
    s->top = s->need = s->growth = s->highest = s->reach = 0;
    s->refused = false;
    s->gas = 0;
    s->last_fail = s->dirty_count = s->constant_count = 0;
    s->count = s->last.count = s->before.count = -1;
    s->watched = INT16_MIN;
    s->first = s->used;
    (void)section_emit(s, BLOCK_BEGIN);
}

void cevm_section_seal(cevm_section *s)
{
    const int heights = s->refused ? 0 : CEVM_STACK_LIMIT + 1 - s->growth - s->need;
    cevm_entry *begin = &s->entries[s->first];
    begin->begin.gas = (uint32_t)s->gas;
    begin->begin.need = (uint16_t)((size_t)s->need * sizeof(cevm_u256));
    begin->begin.span = (uint16_t)(heights > 0 ? (size_t)heights * sizeof(cevm_u256) : 0);
}

/* Entries ---------------------------------------------------------------------------------------------------------- */

bool cevm_section_grow(cevm_section *s, size_t n)
{
    section_output *out = s->out;
    const size_t capacity = 2 * (size_t)s->capacity + n;
    if (out->failed || capacity > UINT32_MAX / 2) {
        out->failed = true;
        return false;
    }
    cevm_entry *entries = cevm_resize_array(out->allocator, s->entries, capacity, sizeof *entries);
    s->entries = entries != NULL ? entries : s->entries;
    uint32_t *pcs = cevm_resize_array(out->allocator, s->pcs, capacity, sizeof *pcs);
    s->pcs = pcs != NULL ? pcs : s->pcs;
    out->failed = entries == NULL || pcs == NULL;
    s->capacity = out->failed ? s->capacity : (uint32_t)capacity;
    return !out->failed;
}

uint32_t cevm_section_pool(cevm_section *s, const cevm_u256 *constant)
{
    if (s->out == NULL) {
        return 0;
    }
    section_output *out = s->out;
    cevm_decoded_code *code = out->code;
    if (code->pool_count == out->pool_capacity) {
        const size_t capacity = 2 * out->pool_capacity + 16;
        cevm_u256 *pool = cevm_resize_array(out->allocator, code->pool, capacity, sizeof *pool);
        if (pool == NULL) {
            out->failed = true;
            return 0;
        }
        code->pool = pool;
        out->pool_capacity = capacity;
    }
    code->pool[code->pool_count] = *constant;
    return code->pool_count++;
}

/* Values ----------------------------------------------------------------------------------------------------------- */

void cevm_section_look_for_room(cevm_section *s)
{
    enum { NEEDED = SECTION_NEEDED, LOOK_AT = SECTION_LOOK_AT };
    int found = 0;
    for (int i = 1; i <= LOOK_AT && found < NEEDED; ++i) {
        found += section_at(s, s->top + i)->refs == 0;
    }
    if (found < NEEDED) {
        cevm_section_flush(s);
    }
}

/** Writes a constant to a slot. */
static void emit_constant(cevm_section *s, int slot, const cevm_u256 *constant)
{
    if (s->live != NULL) {
        s->live[slot] = *constant;
        return;
    }
    const bool is_short = cevm_u256_fits_u64(constant) && constant->w[0] <= UINT32_MAX;
    cevm_entry *e = section_emit(s, is_short ? BLOCK_CONST_I : BLOCK_CONST_K);
    e->to = section_offset(slot);
    e->imm = is_short ? (uint32_t)constant->w[0] : cevm_section_pool(s, constant);
    section_writes(s, slot, true);
}

int cevm_section_materialise(cevm_section *s, int value)
{
    if (!section_is_constant(value)) {
        return value;
    }
    const int slot = section_free_slot(s);
    emit_constant(s, slot, section_constant(s, value));
    ++section_at(s, slot)->refs;
    return slot;
}

/* Flushing --------------------------------------------------------------------------------------------------------- */

/**
 * Lets the entry that produced the word in `from` write it to `to` at once, instead of moving it now. It may not be when
 * another entry has looked at either slot since, or could still go back to the exact engine, which wants the old words.
 */
static bool redirect(cevm_section *s, int to, int from)
{
    section_cell *source = section_at(s, from);
    section_cell *target = section_at(s, to);
    const uint16_t producer = source->producer;
    if (producer == 0 || s->live != NULL || source->refs != 1 || source->touched != producer ||
        target->touched > producer || producer < s->last_fail) {
        return false;
    }
    if (s->step != 0) {
        s->entries[s->first + producer].to = section_offset(to);
    }
    target->touched = target->producer = producer;
    source->producer = 0;
    s->watched = s->watched == from ? to : s->watched;
    return true;
}

static void emit_move(cevm_section *s, int to, int from)
{
    if (s->live != NULL) {
        s->live[to] = s->live[from];
        return;
    }
    cevm_entry *last = s->step != 0 ? &s->entries[s->used - 1] : NULL;
    if (last != NULL && last->handler.label == s->handlers[BLOCK_MOVE].label) {
        last->handler = s->handlers[BLOCK_MOVE2];
        last->b = section_offset(to);
        last->c = section_offset(from);
    } else {
        cevm_entry *e = section_emit(s, BLOCK_MOVE);
        e->to = section_offset(to);
        e->a = section_offset(from);
    }
    section_reads(s, from);
    section_writes(s, to, false);
}

static void emit_exchange(cevm_section *s, int a, int b)
{
    if (s->live != NULL) {
        const cevm_u256 t = s->live[a];
        s->live[a] = s->live[b];
        s->live[b] = t;
        return;
    }
    cevm_entry *e = section_emit(s, BLOCK_EXCHANGE);
    e->to = section_offset(a);
    e->a = section_offset(b);
    section_writes(s, a, false);
    section_writes(s, b, false);
}

/**
 * Brings the word of a position home if nothing else needs its slot, then the word that this set free, and so on. Returns
 * whether something else needs it.
 */
static bool settle(cevm_section *s, int position)
{
    while (position <= s->top) {
        section_cell *c = section_at(s, position);
        const int value = c->value;
        if (value == position) {
            return false;
        }
        if (c->refs != 0) {
            return true;
        }
        c->value = (int16_t)position;
        c->refs = 1;
        if (section_is_constant(value)) {
            emit_constant(s, position, section_constant(s, value));
            return false;
        }
        if (!redirect(s, position, value)) {
            emit_move(s, position, value);
        }
        if (--section_at(s, value)->refs != 0) {
            return false;
        }
        position = value;
    }
    return false;
}

/** Moves words that go round in circles, once nothing else is left. */
static void settle_circles(cevm_section *s)
{
    for (int i = 0; i < s->dirty_count; ++i) {
        const int start = s->dirty[i];
        int position = start;
        while (position <= s->top) {
            section_cell *c = section_at(s, position);
            const int next = c->value;
            if (next == position) {
                break;
            }
            section_cell *n = section_at(s, next);
            emit_exchange(s, position, next);
            c->value = (int16_t)position;
            if (n->value == start) {
                n->value = (int16_t)next;
                break;
            }
            position = next;
        }
    }
}

void cevm_section_flush(cevm_section *s)
{
    bool is_left = false;
    for (int i = 0; i < s->dirty_count; ++i) {
        is_left |= settle(s, s->dirty[i]);
    }
    if (is_left) {
        settle_circles(s);
    }
    s->last.count = -1; /* what it computed may go elsewhere now */
    s->dirty_count = 0;
    s->reach = s->highest > s->reach ? s->highest : s->reach;
    s->highest = s->top;
}

bool cevm_section_survives_flush(cevm_section *s, int slot)
{
    return slot > s->top || section_at(s, slot)->value == slot;
}
