/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to sections, and back from an entry to the state of the exact engine. */
#include "evm/decode.h"

/**
 * A row of JUMPDESTs before the section that begins at the last one, at *pc: each gets a BEGIN of its own, which pays for
 * all from there to the end of that section, and a way into it, so that a row is not walked through. Returns how many there
 * are before the last.
 */
static uint32_t decode_row(const cevm_decoder *d, size_t *pc)
{
    cevm_section *s = d->s;
    uint32_t *targets = s->out->code->targets;
    uint32_t count = 0;
    while (*pc + 1 < d->size && d->code[*pc] == OP_JUMPDEST && d->code[*pc + 1] == OP_JUMPDEST &&
           section_reserve(s, 16)) {
        targets[*pc] = s->used;
        cevm_section_begin(s, (uint32_t)*pc);
        (void)section_emit(s, BLOCK_SKIP);
        ++count;
        ++*pc;
    }
    return count;
}

/** The first JUMPDEST from pc on, where an instruction begins, or the size of the code. */
static size_t next_jumpdest(const cevm_decoder *d, size_t pc)
{
    while (pc < d->size && d->code[pc] != OP_JUMPDEST) {
        const uint8_t op = d->code[pc];
        pc += op >= OP_PUSH1 && op <= OP_PUSH32 ? (size_t)(op - OP_PUSH1) + 2 : 1;
    }
    return pc;
}

/**
 * Decodes what there is, then what constant jumps to bad targets lead to, of which *bad becomes the index. Returns whether
 * there are rows of JUMPDESTs.
 */
static bool decode_all(const cevm_decoder *d, uint32_t *bad)
{
    cevm_section *s = d->s;
    uint32_t *targets = s->out->code->targets;
    size_t pc = 0;
    bool has_rows = false;
    while (pc < d->size && section_reserve(s, 16)) {
        const uint32_t row = decode_row(d, &pc);
        const uint32_t first = s->used;
        if (!section_reserve(s, 16)) {
            break;
        }
        has_rows |= row != 0;
        if (d->code[pc] == OP_JUMPDEST) {
            targets[pc] = first;
        }
        cevm_section_begin(s, (uint32_t)pc);
        const cevm_section_end end = cevm_decode_section(d, pc);
        cevm_section_seal(s);
        for (uint32_t i = 1; i <= row; ++i) {
            s->entries[first - 2 * i + 1].target = 2 * i; /* to the first entry behind that BEGIN */
        }
        pc = end.closed ? next_jumpdest(d, end.pc) : end.pc;
    }
    if (section_reserve(s, 16)) {
        cevm_section_begin(s, (uint32_t)d->size); /* the zeros behind the code: STOP */
        (void)section_emit(s, BLOCK_OP_STOP);
        cevm_section_seal(s);
        *bad = s->used;
        cevm_section_begin(s, (uint32_t)d->size);
        (void)section_emit(s, BLOCK_BAD_JUMP);
        cevm_section_seal(s);
    }
    return has_rows;
}

/**
 * A jump to a section that does nothing but jump on goes to the end of the chain at once, or HOPS further; its own section
 * pays for those it passes. They check nothing that it has not checked: where it had its target on the stack, so may they.
 */
static void follow_chain(cevm_decoded_code *code, uint32_t begin, uint32_t jump, const void *jump_label)
{
    enum { HOPS = 15, MAX_GAS = 1 << 20 }; /* in a circle the gas would double and double */
    cevm_entry *e = &code->entries[jump];
    for (int hops = 0; hops < HOPS; ++hops) {
        const uint32_t next = jump + e->target;
        const cevm_entry *n = &code->entries[next];
        const bool only_pushes_target = n->begin.need == 0 && n->begin.span == CEVM_STACK_LIMIT * sizeof(cevm_u256);
        if (n[1].handler.label != jump_label || n[1].to != 0 || !only_pushes_target ||
            code->entries[begin].begin.gas > MAX_GAS) {
            return;
        }
        code->entries[begin].begin.gas += n->begin.gas;
        e->target += n[1].target + 1;
    }
}

/**
 * Whether the section at `begin` does nothing but compare the word at offset `a` with a constant and branch if they are equal,
 * as the one at `other` does, and asks the same of the stack.
 */
static bool selects_like(const cevm_entry *begin, const cevm_entry *other, const cevm_decoded_handler *handlers)
{
    const cevm_entry *e = begin + 1;
    return begin->handler.label == handlers[BLOCK_BEGIN].label && begin->begin.need == other->begin.need &&
           begin->begin.span == other->begin.span && e->to == 0 && e->a == other[1].a &&
           (e->handler.label == handlers[BLOCK_BRANCH_EQ_I].label || e->handler.label == handlers[BLOCK_SELECT].label);
}

/** Makes the comparison whose target is at `target` a SELECT, if one like it follows. Those behind it have been looked at. */
static void fuse_selector(cevm_decoded_code *code, uint32_t target, const cevm_decoded_handler *handlers)
{
    cevm_entry *e = &code->entries[target];
    const bool is_compare = e[-1].handler.label == handlers[BLOCK_BRANCH_EQ_I].label;
    if (is_compare && target + 3 < code->entry_count && selects_like(e - 2, e - 2, handlers) &&
        selects_like(e + 1, e - 2, handlers) && e[3].to < INT16_MAX) {
        e[-1].handler = handlers[BLOCK_SELECT];
        e->to = (int16_t)(e[2].handler.label == handlers[BLOCK_SELECT].label ? e[3].to + 1 : 1);
    }
}

/** Turns positions in the code into distances of entries; those that are no JUMPDEST lead to `bad`. */
static void resolve_targets(cevm_decoded_code *code, uint32_t fixups, uint32_t bad)
{
    const cevm_decoded_handler *handlers = cevm_decoded_handlers();
    const void *jump_label = handlers[BLOCK_JUMP_TO].label;
    const void *begin_label = handlers[BLOCK_BEGIN].label;
    for (uint32_t i = fixups; i != 0; i = code->pcs[i]) {
        const uint32_t target = code->targets[code->entries[i].target];
        code->entries[i].target = (target != 0 ? target : bad) - i;
    }
    for (uint32_t i = fixups; i != 0; i = code->pcs[i]) {
        if (code->entries[i].handler.label == jump_label) {
            uint32_t begin = i;
            while (code->entries[begin].handler.label != begin_label) {
                --begin;
            }
            follow_chain(code, begin, i, jump_label);
        } else {
            fuse_selector(code, i, handlers);
        }
    }
}

/** Completes the entries of rows of JUMPDESTs, which pay for what they lead to. */
static void price_rows(cevm_decoded_code *code)
{
    const uint32_t jumpdest_price = cevm_op_tables[code->fork][OP_JUMPDEST].gas;
    const void *skip_label = cevm_decoded_handlers()[BLOCK_SKIP].label;
    for (uint32_t i = 0; i < code->entry_count; ++i) {
        cevm_entry *e = &code->entries[i];
        if (e->handler.label == skip_label) {
            e[-1].begin = e[e->target - 1].begin;
            e[-1].begin.gas += e->target / 2 * jumpdest_price;
        }
    }
}

/** Gives back what the arrays have too much. */
static void shrink(cevm_decoded_code *code, const cevm_allocator *allocator)
{
    cevm_entry *entries = cevm_resize_array(allocator, code->entries, code->entry_count, sizeof *entries);
    uint32_t *pcs = cevm_resize_array(allocator, code->pcs, code->entry_count, sizeof *pcs);
    code->entries = entries != NULL ? entries : code->entries;
    code->pcs = pcs != NULL ? pcs : code->pcs;
    if (code->pool_count != 0) {
        cevm_u256 *pool = cevm_resize_array(allocator, code->pool, code->pool_count, sizeof *pool);
        code->pool = pool != NULL ? pool : code->pool;
    }
    code->bytes = sizeof *code + code->entry_count * (sizeof *code->entries + sizeof *code->pcs) +
                  (code->code_size + 1) * sizeof *code->targets + code->pool_count * sizeof *code->pool;
}

/** Decodes into `code`; false when memory runs out. */
static bool decode_into(cevm_decoded_code *code, cevm_section *s, const uint8_t *bytes, const cevm_allocator *allocator)
{
    section_output out = {.allocator = allocator, .code = code};
    const cevm_decoder d = {s, bytes, code->code_size, cevm_op_tables[code->fork], SIZE_MAX};
    uint32_t bad = 0;
    bool has_rows = false;
    cevm_section_init(s, &out);
    if (section_reserve(s, d.size / 2 + 64)) {
        for (int i = 0; i < CEVM_BLOCK_FIRST; ++i) {
            (void)section_emit(s, BLOCK_BEGIN);
        }
        has_rows = decode_all(&d, &bad);
    }
    code->entries = s->entries;
    code->pcs = s->pcs;
    code->entry_count = s->used;
    if (out.failed) {
        return false;
    }
    resolve_targets(code, s->fixups, bad);
    if (has_rows) {
        price_rows(code);
    }
    shrink(code, allocator);
    return true;
}

cevm_decoded_code *cevm_decoded_decode(const uint8_t *bytes, size_t size, cevm_fork fork,
                                       const cevm_allocator *allocator)
{
    cevm_decoded_code *code = size <= CEVM_BLOCK_MAX_CODE ? cevm_zalloc(allocator, sizeof *code) : NULL;
    cevm_section *s = cevm_alloc(allocator, sizeof *s);
    bool done = false;
    if (code != NULL && s != NULL) {
        code->fork = fork;
        code->code_size = (uint32_t)size;
        code->targets = cevm_zalloc(allocator, (size + 1) * sizeof *code->targets);
        done = code->targets != NULL && decode_into(code, s, bytes, allocator);
    }
    cevm_free(allocator, s);
    if (!done) {
        cevm_decoded_free(code, allocator);
        return NULL;
    }
    return code;
}

void cevm_decoded_free(cevm_decoded_code *code, const cevm_allocator *allocator)
{
    if (code != NULL) {
        cevm_free(allocator, code->entries);
        cevm_free(allocator, code->pcs);
        cevm_free(allocator, code->targets);
        cevm_free(allocator, code->pool);
        cevm_free(allocator, code);
    }
}

int64_t cevm_decoded_restore(cevm_frame *f, const cevm_entry *ip, cevm_u256 *sp)
{
    const cevm_decoded_code *code = f->block;
    const void *begin_label = cevm_decoded_handlers()[BLOCK_BEGIN].label;
    const cevm_entry *begin = ip;
    while (begin->handler.label != begin_label) {
        --begin;
    }
    cevm_section section;
    cevm_section *s = &section;
    const uint32_t pc = code->pcs[ip - code->entries];
    const uint32_t first = code->pcs[begin - code->entries];
    const cevm_decoder d = {s, f->code, f->code_size, f->vm->ops, pc};
    cevm_section_init(s, NULL);
    cevm_section_begin(s, first);
    if (begin != ip) {
        (void)cevm_decode_section(&d, first);
    }
    s->live = sp;
    cevm_section_flush(s);
    f->top = sp + s->top;
    f->pc = pc;
    return begin->begin.gas - s->gas;
}
