/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From bytes to entries. Each instruction does to the stack of its section (section.h) what it would do to the real one;
 * what is left to be computed becomes an entry.
 */
#include "evm/ops_arith.h"
#include "evm/ops_flow.h"
#include "evm/section.h"

/** Decoding of one code. */
typedef struct decoder {
    cevm_section *s;
    const uint8_t *code;
    size_t size;
    const cevm_op_info *ops;
    const uint64_t *jumpdests; /* NULL while replaying */
    size_t stop;               /* replaying: the instruction before which to stop; otherwise SIZE_MAX */
} decoder;

/* In a pc: the entry's target is still a position in the code. */
static const uint32_t NEEDS_TARGET = UINT32_C(1) << 31;

enum op_kind {
    KIND_UNDEFINED,
    KIND_UNARY,
    KIND_BINARY,
    KIND_TERNARY,
    KIND_PURE,
    KIND_READ,
    KIND_FULL,
    KIND_EDGE,
    KIND_FLOW,
    KIND_PUSH,
    KIND_DUP,
    KIND_SWAP,
    KIND_LOG
};

static const uint8_t kinds[256] = {
#define KIND(at, code, name, in, out, kind, since, price) [code] = KIND_##kind,
    CEVM_OPCODES(KIND, 0)
#undef KIND
};

static const uint8_t entry_kinds[256] = {
#define KIND(at, code, name, in, out, kind, since, price) [code] = BLOCK_OP_##name,
    CEVM_OPCODES(KIND, 0)
#undef KIND
};

/* Entries with operands -------------------------------------------------------------------------------------------- */

/** An entry that computes the next word of the stack from slots a and b (or only a, when b is NO_SLOT). */
enum { NO_SLOT = INT16_MIN };

static cevm_entry *emit_result(cevm_section *s, enum cevm_decoded_entry_kind kind, int a, int b)
{
    const int to = section_free_slot(s);
    cevm_entry *e = section_emit(s, kind);
    if (e != NULL) {
        e->to = section_offset(to);
        e->a = a != NO_SLOT ? section_offset(a) : 0;
        e->b = b != NO_SLOT ? section_offset(b) : 0;
    }
    if (a != NO_SLOT) {
        section_reads(s, a);
    }
    if (b != NO_SLOT) {
        section_reads(s, b);
    }
    section_writes(s, to, true);
    section_push(s, to);
    return e;
}

static void emit_with_imm(cevm_section *s, enum cevm_decoded_entry_kind kind, int a, uint32_t imm)
{
    cevm_entry *e = emit_result(s, kind, a, NO_SLOT);
    if (e != NULL) {
        e->imm = imm;
    }
}

static bool is_short(const cevm_u256 *v) { return cevm_u256_fits_u64(v) && v->w[0] <= UINT32_MAX; }

/** The constant that a value is, or NULL. */
static const cevm_u256 *constant_of(const cevm_section *s, int value)
{
    return section_is_constant(value) ? section_constant(s, value) : NULL;
}

/** Exponent of a power of two; -1 for other numbers. */
static int log2_exact(const cevm_u256 *v)
{
    const unsigned n = u256_bit_length(v);
    if (n == 0) {
        return -1;
    }
    const cevm_u256 one = cevm_u256_from_u64(1);
    const cevm_u256 power = u256_shl_u(&one, n - 1);
    return cevm_u256_equal(v, &power) ? (int)(n - 1) : -1;
}

/** Computes an instruction on two constants now; false when that would take too long here. */
static bool fold(cevm_u256 *out, uint8_t op, const cevm_u256 *a, const cevm_u256 *b)
{
    switch (op) {
    case OP_ADD: *out = op_ADD(a, b); return true;
    case OP_SUB: *out = op_SUB(a, b); return true;
    case OP_MUL: *out = op_MUL(a, b); return true;
    case OP_AND: *out = op_AND(a, b); return true;
    case OP_OR: *out = op_OR(a, b); return true;
    case OP_XOR: *out = op_XOR(a, b); return true;
    case OP_SHL: *out = op_SHL(a, b); return true;
    case OP_SHR: *out = op_SHR(a, b); return true;
    case OP_EQ: *out = op_EQ(a, b); return true;
    case OP_LT: *out = op_LT(a, b); return true;
    case OP_GT: *out = op_GT(a, b); return true;
    default: return false;
    }
}

/** Instructions for which both orders of the operands are the same. */
static bool is_commutative(uint8_t op)
{
    return op == OP_ADD || op == OP_MUL || op == OP_AND || op == OP_OR || op == OP_XOR || op == OP_EQ;
}

/** Division and multiplication by a power of two. Returns whether there is such an entry. */
static bool emit_power_of_two(cevm_section *s, uint8_t op, int a, const cevm_u256 *b)
{
    const int bits = op == OP_MUL || op == OP_DIV || op == OP_MOD ? log2_exact(b) : -1;
    if (bits < 0) {
        return false;
    }
    if (op == OP_MOD) {
        const cevm_u256 one = cevm_u256_from_u64(1);
        const cevm_u256 mask = u256_sub(b, &one);
        const bool fits = is_short(&mask);
        emit_with_imm(s, fits ? BLOCK_AND_I : BLOCK_AND_K, a, fits ? (uint32_t)mask.w[0] : cevm_section_pool(s, &mask));
    } else {
        emit_with_imm(s, op == OP_MUL ? BLOCK_SHL_I : BLOCK_SHR_I, a, (uint32_t)bits);
    }
    return true;
}

/** op(a, constant). Returns whether there is such an entry. */
static bool emit_right_constant(cevm_section *s, uint8_t op, int a, const cevm_u256 *b)
{
    static const uint8_t with_imm[256] = {
        [OP_ADD] = BLOCK_ADD_I, [OP_SUB] = BLOCK_SUB_I, [OP_MUL] = BLOCK_MUL_I,
        [OP_AND] = BLOCK_AND_I, [OP_OR] = BLOCK_OR_I,   [OP_XOR] = BLOCK_XOR_I,
        [OP_EQ] = BLOCK_EQ_I,   [OP_LT] = BLOCK_LT_I,   [OP_GT] = BLOCK_I_LT,
    };
    if (emit_power_of_two(s, op, a, b)) {
        return true;
    }
    if (with_imm[op] != 0 && is_short(b)) {
        emit_with_imm(s, with_imm[op], a, (uint32_t)b->w[0]);
        return true;
    }
    if (op == OP_AND) {
        emit_with_imm(s, BLOCK_AND_K, a, cevm_section_pool(s, b));
        return true;
    }
    return false;
}

/** op(constant, b), the constant having been on top. Returns whether there is such an entry. */
static bool emit_left_constant(cevm_section *s, uint8_t op, const cevm_u256 *a, int b)
{
    static const uint8_t with_imm[256] = {
        [OP_SUB] = BLOCK_I_SUB, [OP_LT] = BLOCK_I_LT,   [OP_GT] = BLOCK_LT_I,     [OP_SHL] = BLOCK_SHL_I,
        [OP_SHR] = BLOCK_SHR_I, [OP_SAR] = BLOCK_SAR_I, [OP_BYTE] = BLOCK_BYTE_I, [OP_SIGNEXTEND] = BLOCK_SIGNEXTEND_I,
    };
    if (is_commutative(op)) {
        return emit_right_constant(s, op, b, a);
    }
    const bool is_shift = op == OP_SHL || op == OP_SHR || op == OP_SAR;
    if (with_imm[op] == 0 || !is_short(a) || (is_shift && a->w[0] > 255)) {
        return false;
    }
    emit_with_imm(s, with_imm[op], b, (uint32_t)a->w[0]);
    return true;
}

/** Two slots; a comparison "greater" becomes "less" with its operands exchanged. */
static void emit_two_slots(cevm_section *s, uint8_t op, int a, int b)
{
    if (op == OP_GT || op == OP_SGT) {
        (void)emit_result(s, op == OP_GT ? BLOCK_OP_LT : BLOCK_OP_SLT, b, a);
    } else {
        (void)emit_result(s, (enum cevm_decoded_entry_kind)entry_kinds[op], a, b);
    }
}

static void decode_binary(cevm_section *s, uint8_t op)
{
    int a = section_pop(s);
    int b = section_pop(s);
    const cevm_u256 *left = constant_of(s, a);
    const cevm_u256 *right = constant_of(s, b);
    cevm_u256 folded;
    if (left != NULL && right != NULL && fold(&folded, op, left, right)) {
        section_push_constant(s, &folded);
        return;
    }
    if (left != NULL && right != NULL) {
        a = cevm_section_materialise(s, a);
        left = NULL;
    }
    /* With one constant the only slot to free is the other's; a result may take its place. */
    if (right != NULL) {
        section_release(s, a);
        if (emit_right_constant(s, op, a, right)) {
            return;
        }
        ++section_at(s, a)->refs;
    } else if (left != NULL) {
        section_release(s, b);
        if (emit_left_constant(s, op, left, b)) {
            return;
        }
        ++section_at(s, b)->refs;
    }
    a = cevm_section_materialise(s, a);
    b = cevm_section_materialise(s, b);
    section_release(s, a);
    section_release(s, b);
    emit_two_slots(s, op, a, b);
}

static void decode_unary(cevm_section *s, uint8_t op)
{
    const int value = section_pop(s);
    const cevm_u256 *constant = constant_of(s, value);
    if (constant != NULL && (op == OP_NOT || op == OP_ISZERO)) {
        const cevm_u256 folded = op == OP_NOT ? op_NOT(constant) : op_ISZERO(constant);
        section_push_constant(s, &folded);
        return;
    }
    const int a = cevm_section_materialise(s, value);
    section_release(s, a);
    (void)emit_result(s, (enum cevm_decoded_entry_kind)entry_kinds[op], a, NO_SLOT);
}

static void decode_ternary(cevm_section *s, uint8_t op)
{
    int a = section_pop(s);
    int b = section_pop(s);
    int c = section_pop(s);
    a = cevm_section_materialise(s, a);
    b = cevm_section_materialise(s, b);
    c = cevm_section_materialise(s, c);
    section_release(s, a);
    section_release(s, b);
    section_release(s, c);
    cevm_entry *e = emit_result(s, (enum cevm_decoded_entry_kind)entry_kinds[op], a, b);
    if (e != NULL) {
        e->c = section_offset(c);
    }
    section_reads(s, c);
}

/* Memory ----------------------------------------------------------------------------------------------------------- */

static void decode_mload(cevm_section *s)
{
    const int value = section_pop(s);
    const cevm_u256 *offset = constant_of(s, value);
    if (offset != NULL && is_short(offset)) {
        emit_with_imm(s, BLOCK_MLOAD_I, NO_SLOT, (uint32_t)offset->w[0]);
    } else {
        const int a = cevm_section_materialise(s, value);
        section_release(s, a);
        (void)emit_result(s, BLOCK_MLOAD_R, a, NO_SLOT);
    }
    s->last_fail = s->count;
}

static void decode_mstore(cevm_section *s, uint8_t op)
{
    const int a = section_pop(s);
    const int b = section_pop(s);
    const cevm_u256 *offset = constant_of(s, a);
    const bool has_imm = op == OP_MSTORE && offset != NULL && is_short(offset);
    const int to = has_imm ? NO_SLOT : cevm_section_materialise(s, a);
    const int from = cevm_section_materialise(s, b);
    cevm_entry *e = section_emit(s, has_imm ? BLOCK_MSTORE_I : op == OP_MSTORE ? BLOCK_MSTORE_R : BLOCK_MSTORE8_R);
    if (e != NULL && has_imm) {
        e->imm = (uint32_t)offset->w[0];
    } else if (e != NULL) {
        e->b = section_offset(to);
    }
    if (e != NULL) {
        e->a = section_offset(from);
    }
    section_reads(s, from);
    section_release(s, from);
    if (!has_imm) {
        section_reads(s, to);
        section_release(s, to);
    }
    s->last_fail = s->count;
}

/* Bodies that want their operands where the EVM has them ----------------------------------------------------------- */

static void decode_in_place(const decoder *d, uint8_t op)
{
    cevm_section *s = d->s;
    cevm_entry *e = section_emit(s, (enum cevm_decoded_entry_kind)entry_kinds[op]);
    if (e != NULL) {
        e->to = section_offset(s->top);
    }
    for (unsigned i = 0; i < d->ops[op].in; ++i) {
        const int slot = section_pop(s);
        section_reads(s, slot);
        section_release(s, slot);
    }
    for (unsigned i = 0; i < d->ops[op].out; ++i) {
        section_writes(s, s->top + 1, false);
        section_push(s, s->top + 1);
    }
    s->last_fail = s->count;
}

static void decode_read(const decoder *d, uint8_t op)
{
    cevm_section *s = d->s;
    int a = NO_SLOT;
    if (d->ops[op].in != 0) {
        a = cevm_section_materialise(s, section_pop(s));
        section_release(s, a);
    }
    (void)emit_result(s, (enum cevm_decoded_entry_kind)entry_kinds[op], a, NO_SLOT);
}

/* Ends of sections ------------------------------------------------------------------------------------------------- */

/** Marks the last entry as one whose target is the instruction at `target`. */
static void set_target(cevm_section *s, uint32_t target)
{
    cevm_decoded_code *code = s->out->code;
    code->entries[code->entry_count - 1].target = target;
    code->pcs[code->entry_count - 1] = target | NEEDS_TARGET;
}

/** The target of a jump, if it is a constant and a JUMPDEST; UINT32_MAX otherwise. */
static uint32_t static_target(const decoder *d, int value)
{
    const cevm_u256 *target = constant_of(d->s, value);
    if (target == NULL || !cevm_u256_fits_u64(target) || target->w[0] >= d->size ||
        !jumpdest_test(d->jumpdests, target->w[0])) {
        return UINT32_MAX;
    }
    return (uint32_t)target->w[0];
}

/** A slot holding the value that a flush leaves alone. To be released. */
static int protect(cevm_section *s, int value)
{
    int slot = cevm_section_materialise(s, value);
    if (!cevm_section_survives_flush(s, slot)) {
        const int copy = section_free_slot(s);
        cevm_entry *e = section_emit(s, BLOCK_MOVE);
        if (e != NULL) {
            e->to = section_offset(copy);
            e->a = section_offset(slot);
        }
        section_reads(s, slot);
        section_writes(s, copy, false);
        section_release(s, slot);
        ++section_at(s, copy)->refs;
        slot = copy;
    }
    return slot;
}

static void decode_jump(const decoder *d)
{
    cevm_section *s = d->s;
    const int value = section_pop(s);
    const uint32_t target = static_target(d, value);
    const int slot = target == UINT32_MAX ? protect(s, value) : NO_SLOT;
    cevm_section_flush(s);
    cevm_entry *e = section_emit(s, target == UINT32_MAX ? BLOCK_JUMP_AT : BLOCK_JUMP_TO);
    e->to = section_offset(s->top);
    if (target == UINT32_MAX) {
        e->a = section_offset(slot);
    } else {
        set_target(s, target);
    }
}

/** A comparison and the branches that can take its place. */
typedef struct compare_branch {
    uint8_t compare, branch, branch_not;
    bool has_imm;
} compare_branch;

static const compare_branch compare_branches[] = {
    {BLOCK_OP_LT, BLOCK_BRANCH_LT, BLOCK_BRANCH_NOT_LT, false},
    {BLOCK_OP_SLT, BLOCK_BRANCH_SLT, BLOCK_BRANCH_NOT_SLT, false},
    {BLOCK_OP_EQ, BLOCK_BRANCH_EQ, BLOCK_BRANCH_NOT_EQ, false},
    {BLOCK_LT_I, BLOCK_BRANCH_LT_I, BLOCK_BRANCH_NOT_LT_I, true},
    {BLOCK_I_LT, BLOCK_BRANCH_I_LT, BLOCK_BRANCH_NOT_I_LT, true},
    {BLOCK_EQ_I, BLOCK_BRANCH_EQ_I, BLOCK_BRANCH_NOT_EQ_I, true},
};

/** The last entry of the section, if it computes the word in a slot that nothing else needs; or NULL. */
static const cevm_entry *last_computes(cevm_section *s, int slot)
{
    const cevm_entry *last = &s->out->code->entries[s->out->code->entry_count - 1];
    const section_cell *c = section_at(s, slot);
    return s->count > 0 && c->refs == 0 && c->producer == s->count ? last : NULL;
}

static void drop_last(cevm_section *s)
{
    --s->out->code->entry_count;
    --s->count;
}

/**
 * The condition of a branch that goes where the word in `slot` is not zero, in as few entries as possible: ISZERO and
 * comparisons that were the last to be written become part of it. Fills *branch; its `to` and the target are the caller's.
 */
static enum cevm_decoded_entry_kind choose_branch(cevm_section *s, cevm_entry *branch, int slot)
{
    const cevm_decoded_handler *handlers = s->out->handlers;
    bool negate = false;
    const cevm_entry *last = last_computes(s, slot);
    while (last != NULL && last->handler.label == handlers[BLOCK_OP_ISZERO].label &&
           cevm_section_survives_flush(s, section_slot(last->a))) {
        slot = section_slot(last->a);
        negate = !negate;
        drop_last(s);
        last = last_computes(s, slot);
    }
    for (size_t i = 0; last != NULL && i < sizeof compare_branches / sizeof compare_branches[0]; ++i) {
        const compare_branch *row = &compare_branches[i];
        if (last->handler.label == handlers[row->compare].label &&
            cevm_section_survives_flush(s, section_slot(last->a)) &&
            (row->has_imm || cevm_section_survives_flush(s, section_slot(last->b)))) {
            *branch = *last;
            drop_last(s);
            return (enum cevm_decoded_entry_kind)(negate ? row->branch_not : row->branch);
        }
    }
    *branch = (cevm_entry){.a = section_offset(slot)};
    return negate ? BLOCK_BRANCH_UNLESS : BLOCK_BRANCH_IF;
}

static void decode_jumpi(const decoder *d)
{
    cevm_section *s = d->s;
    const int to = section_pop(s);
    const int condition = section_pop(s);
    const uint32_t target = static_target(d, to);
    if (target == UINT32_MAX) {
        const int a = protect(s, to);
        const int b = protect(s, condition);
        cevm_section_flush(s);
        cevm_entry *e = section_emit(s, BLOCK_JUMPI_AT);
        e->to = section_offset(s->top);
        e->a = section_offset(a);
        e->b = section_offset(b);
        return;
    }
    cevm_entry branch;
    const bool is_safe = !section_is_constant(condition) && cevm_section_survives_flush(s, condition);
    const int slot = is_safe ? condition : protect(s, condition);
    section_release(s, slot);
    const enum cevm_decoded_entry_kind kind = choose_branch(s, &branch, slot);
    s->watched = section_slot(branch.a);
    cevm_section_flush(s);
    branch.a = section_offset(s->watched);
    cevm_entry *e = section_emit(s, kind);
    const cevm_decoded_handler handler = e->handler;
    *e = branch;
    e->handler = handler;
    e->to = section_offset(s->top);
    if (kind != BLOCK_BRANCH_IF && kind != BLOCK_BRANCH_UNLESS) {
        (void)section_emit(s, BLOCK_BEGIN); /* only for its target */
    }
    set_target(s, target);
}

/* The loop --------------------------------------------------------------------------------------------------------- */

/** What comes before the instruction itself: the words that its entry wants in their places, room for its result. */
static void prepare(const decoder *d, uint8_t op)
{
    const enum op_kind kind = kinds[op];
    const bool own_entry = op == OP_MLOAD || op == OP_MSTORE || op == OP_MSTORE8;
    if (kind == KIND_LOG || kind == KIND_EDGE || (kind == KIND_FULL && !own_entry)) {
        if (op != OP_STOP && op != OP_INVALID) {
            cevm_section_flush(d->s);
        }
    } else if (kind != KIND_PUSH && kind != KIND_DUP && kind != KIND_SWAP && kind != KIND_PURE) {
        cevm_section_make_room(d->s);
    }
}

static void decode_push(const decoder *d, size_t pc)
{
    cevm_u256 word[2]; /* the body leaves the result in the second */
    op_PUSH(word, (size_t)(d->code[pc] - OP_PUSH1) + 1, &d->code[pc + 1], d->size - pc - 1);
    section_push_constant(d->s, &word[1]);
}

static void decode_flow(const decoder *d, uint8_t op, size_t pc)
{
    if (op == OP_PC) {
        const cevm_u256 value = cevm_u256_from_u64(pc);
        section_push_constant(d->s, &value);
    } else if (op == OP_JUMP) {
        decode_jump(d);
    } else {
        decode_jumpi(d);
    }
}

static void decode_pure(cevm_section *s, uint8_t op)
{
    if (op == OP_POP) {
        section_release(s, section_pop(s));
    } else if (op == OP_PUSH0) {
        const cevm_u256 zero = cevm_u256_from_u64(0);
        section_push_constant(s, &zero);
    } /* and nothing for JUMPDEST */
}

static void decode_op(const decoder *d, uint8_t op, size_t pc)
{
    cevm_section *s = d->s;
    switch ((enum op_kind)kinds[op]) {
    case KIND_UNARY: decode_unary(s, op); break;
    case KIND_BINARY: decode_binary(s, op); break;
    case KIND_TERNARY: decode_ternary(s, op); break;
    case KIND_PURE: decode_pure(s, op); break;
    case KIND_READ: decode_read(d, op); break;
    case KIND_FULL:
        if (op == OP_MLOAD) {
            decode_mload(s);
        } else if (op == OP_MSTORE || op == OP_MSTORE8) {
            decode_mstore(s, op);
        } else {
            decode_in_place(d, op);
        }
        break;
    case KIND_EDGE:
    case KIND_LOG: decode_in_place(d, op); break;
    case KIND_FLOW: decode_flow(d, op, pc); break;
    case KIND_PUSH: decode_push(d, pc); break;
    case KIND_DUP: section_push(s, section_at(s, s->top - (op - OP_DUP1))->value); break;
    case KIND_SWAP: section_swap(s, op - OP_SWAP1 + 1); break;
    case KIND_UNDEFINED:
    default: break; /* the loop does not come here */
    }
}

/** Ends a section that goes on in the one behind it. */
static void fall_through(cevm_section *s)
{
    cevm_section_flush(s);
    if (s->top != 0) {
        cevm_entry *e = section_emit(s, BLOCK_FALL);
        if (e != NULL) {
            e->to = section_offset(s->top);
        }
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
static uint32_t decode_row(const decoder *d, size_t *pc)
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
static section_end decode_section(const decoder *d, size_t pc)
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
        prepare(d, op);
        if (pc == d->stop) {
            return (section_end){pc, true};
        }
        account(s, info);
        decode_op(d, op, pc);
        pc += kinds[op] == KIND_PUSH ? (size_t)(op - OP_PUSH1) + 2 : 1;
        if (kinds[op] == KIND_EDGE || op == OP_JUMP || op == OP_JUMPI) {
            const bool goes_on = op == OP_JUMPI || (op != OP_JUMP && op != OP_STOP && op != OP_RETURN &&
                                                    op != OP_REVERT && op != OP_INVALID && op != OP_SELFDESTRUCT);
            return (section_end){pc, !goes_on};
        }
    }
    fall_through(s);
    return (section_end){pc, false};
}

/** The first JUMPDEST from pc on, or the size of the code. */
static size_t next_jumpdest(const decoder *d, size_t pc)
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

static void decode_all(const decoder *d)
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
        if ((code->pcs[i] & NEEDS_TARGET) != 0) {
            code->entries[i].target = code->targets[code->pcs[i] & ~NEEDS_TARGET] - i;
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
        const decoder d = {s, bytes, size, cevm_op_tables[fork], jumpdests, SIZE_MAX};
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
    const decoder d = {s, f->code, f->code_size, f->vm->ops, NULL, pc};
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
