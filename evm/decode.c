/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to sections, and back from an entry to the state of the exact engine. */
#include "evm/decode.h"

/** Ends a section that goes on in the one behind it. */
static void fall_through(cevm_section *s)
{
    cevm_section_flush(s);
    if (s->top != 0) {
        cevm_entry *e = section_emit(s, BLOCK_FALL);
        e->to = section_offset(s->top);
    }
}

/** What an instruction adds to the checks of its section. */
static void account(cevm_section *s, const cevm_op_info *info)
{
    s->gas += info->gas;
    const int need = (int)info->in - s->top;
    s->need = need > s->need ? need : s->need;
}

typedef struct section_end {
    size_t pc;   /* where to go on */
    bool closed; /* nothing falls through to there */
} section_end;

/**
 * A row of JUMPDESTs before the section that begins at the last one, at *pc: each gets a BEGIN of its own, which pays for
 * all from there to the end of that section, and a way into it, so that a row is not walked through. Returns how many there
 * are before the last.
 */
static uint32_t decode_row(const cevm_decoder *d, size_t *pc)
{
    cevm_section *s = d->s;
    cevm_decoded_code *code = s->out->code;
    uint32_t count = 0;
    while (*pc + 1 < d->size && d->code[*pc] == OP_JUMPDEST && d->code[*pc + 1] == OP_JUMPDEST &&
           section_reserve(s, 16)) {
        code->targets[*pc] = code->entry_count;
        cevm_section_begin(s, (uint32_t)*pc);
        (void)section_emit(s, BLOCK_SKIP);
        ++count;
        ++*pc;
    }
    return count;
}

/** Decodes the section that begins at pc, which is inside the code. */
static section_end decode_section(const cevm_decoder *d, size_t pc)
{
    cevm_section *s = d->s;
    const size_t begin = pc;
    while (pc < d->size) {
        const uint8_t op = d->code[pc];
        const cevm_op_info *info = &d->ops[op];
        if (info->span == 0 && pc == begin) {
            s->growth = CEVM_STACK_LIMIT + 1; /* no height is right: the exact engine takes it from here */
            return (section_end){pc + 1, true};
        }
        if (info->span == 0 || (op == OP_JUMPDEST && pc != begin) || pc - begin >= SECTION_MAX_BYTES ||
            !section_reserve(s, (size_t)s->dirty_count + 16)) {
            break;
        }
        s->pc = (uint32_t)pc;
        cevm_decode_prepare(d, op);
        if (pc == d->stop) {
            return (section_end){pc, true};
        }
        account(s, info);
        cevm_decode_op(d, op, pc);
        pc += cevm_op_kinds[op] == KIND_PUSH ? (size_t)(op - OP_PUSH1) + 2 : 1;
        if (cevm_op_kinds[op] == KIND_EDGE || op == OP_JUMP || op == OP_JUMPI) {
            const bool goes_on = op == OP_JUMPI || (op != OP_JUMP && op != OP_STOP && op != OP_RETURN &&
                                                    op != OP_REVERT && op != OP_INVALID && op != OP_SELFDESTRUCT);
            return (section_end){pc, !goes_on};
        }
    }
    fall_through(s);
    return (section_end){pc, false};
}

/** The first JUMPDEST from pc on, or the size of the code. */
static size_t next_jumpdest(const cevm_decoder *d, size_t pc)
{
    while (pc < d->size) {
        const uint64_t rest = d->jumpdests[pc / 64] >> (pc % 64);
        if (rest != 0) {
            while (!jumpdest_test(d->jumpdests, pc)) {
                ++pc;
            }
            return pc;
        }
        pc = (pc / 64 + 1) * 64;
    }
    return d->size;
}

static void decode_all(const cevm_decoder *d)
{
    cevm_section *s = d->s;
    cevm_decoded_code *code = s->out->code;
    size_t pc = 0;
    while (pc < d->size && section_reserve(s, 16)) {
        const uint32_t row = decode_row(d, &pc);
        const uint32_t first = code->entry_count;
        if (!section_reserve(s, 16)) {
            return;
        }
        if (d->code[pc] == OP_JUMPDEST) {
            code->targets[pc] = first;
        }
        cevm_section_begin(s, (uint32_t)pc);
        const section_end end = decode_section(d, pc);
        cevm_section_seal(s);
        for (uint32_t i = 1; i <= row; ++i) {
            code->entries[first - 2 * i + 1].target = 2 * i; /* to the first entry behind that BEGIN */
        }
        pc = end.closed ? next_jumpdest(d, end.pc) : end.pc;
    }
    if (section_reserve(s, 16)) { /* the zeros behind the code: STOP */
        cevm_section_begin(s, (uint32_t)d->size);
        (void)section_emit(s, BLOCK_OP_STOP);
        cevm_section_seal(s);
    }
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

/** Turns positions in the code into distances of entries, and completes what hangs on other sections. */
static void resolve_targets(cevm_decoded_code *code)
{
    const uint32_t jumpdest_price = cevm_op_tables[code->fork][OP_JUMPDEST].gas;
    const cevm_decoded_handler *handlers = cevm_decoded_handlers();
    const void *jump_label = handlers[BLOCK_JUMP_TO].label;
    uint32_t begin = 0;
    for (uint32_t i = 0; i < code->entry_count; ++i) {
        if ((code->pcs[i] & CEVM_NEEDS_TARGET) != 0) {
            code->entries[i].target = code->targets[code->pcs[i] & ~CEVM_NEEDS_TARGET] - i;
        }
    }
    for (uint32_t i = 0; i < code->entry_count; ++i) {
        const void *label = code->entries[i].handler.label;
        if (label == jump_label) {
            follow_chain(code, begin, i, jump_label);
        } else if (label == handlers[BLOCK_BEGIN].label) {
            begin = i;
        }
    }
    for (uint32_t i = 0; i < code->entry_count; ++i) {
        cevm_entry *e = &code->entries[i];
        if (e->handler.label == handlers[BLOCK_SKIP].label) {
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

cevm_decoded_code *cevm_decoded_decode(const uint8_t *bytes, size_t size, cevm_fork fork,
                                       const cevm_allocator *allocator)
{
    cevm_decoded_code *code = cevm_zalloc(allocator, sizeof *code);
    cevm_section *s = cevm_alloc(allocator, sizeof *s);
    uint64_t *jumpdests = cevm_alloc(allocator, jumpdest_words(size) * sizeof *jumpdests);
    bool done = false;
    if (code != NULL && s != NULL && jumpdests != NULL && size <= CEVM_BLOCK_MAX_CODE) {
        section_output out = {.allocator = allocator, .code = code, .handlers = cevm_decoded_handlers()};
        const cevm_decoder d = {s, bytes, size, cevm_op_tables[fork], jumpdests, SIZE_MAX};
        cevm_jumpdest_scan(jumpdests, bytes, size);
        code->fork = fork;
        code->code_size = (uint32_t)size;
        code->targets = cevm_zalloc(allocator, (size + 1) * sizeof *code->targets);
        cevm_section_init(s, &out);
        if (code->targets != NULL && section_reserve(s, size / 2 + 64)) {
            for (int i = 0; i < CEVM_BLOCK_FIRST; ++i) {
                (void)section_emit(s, BLOCK_BEGIN);
            }
            decode_all(&d);
            done = !out.failed;
        }
    }
    cevm_free(allocator, s);
    cevm_free(allocator, jumpdests);
    if (!done) {
        cevm_decoded_free(code, allocator);
        return NULL;
    }
    resolve_targets(code);
    shrink(code, allocator);
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
    const cevm_decoder d = {s, f->code, f->code_size, f->vm->ops, NULL, pc};
    cevm_section_init(s, NULL);
    cevm_section_begin(s, first);
    if (begin != ip) {
        (void)decode_section(&d, first);
    }
    s->live = sp;
    cevm_section_flush(s);
    f->top = sp + s->top;
    f->pc = pc;
    return begin->begin.gas - s->gas;
}
