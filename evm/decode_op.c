/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From instructions to entries. Each does to the stack of its section (section.h) what it would do to the real one; what is
 * left to be computed becomes an entry.
 */
#include "evm/decode.h"
#include "evm/ops_arith.h"
#include "evm/ops_flow.h"

static const uint8_t entry_kinds[256] = {
#define KIND(at, code, name, in, out, kind, since, price) [code] = BLOCK_OP_##name,
    CEVM_OPCODES(KIND, 0)
#undef KIND
};

/* Entries with operands -------------------------------------------------------------------------------------------- */

/** An entry that computes the next word of the stack from slots a and b (or only a, when b is NO_SLOT). */
enum { NO_SLOT = INT16_MIN };

__attribute__((always_inline)) static inline cevm_entry *emit_result(cevm_section *s, enum cevm_decoded_entry_kind kind,
                                                                     int a, int b)
{
    const int to = section_free_slot(s);
    cevm_entry *e = section_emit(s, kind);
    e->to = section_offset(to);
    if (a != NO_SLOT) {
        e->a = section_offset(a);
        section_reads(s, a);
    }
    if (b != NO_SLOT) {
        e->b = section_offset(b);
        section_reads(s, b);
    }
    section_writes(s, to, true);
    section_push(s, to);
    s->before = s->last;
    s->last = (section_computed){.count = s->count, .to = (int16_t)to, .from = (int16_t)a, .kind = (uint8_t)kind};
    return e;
}

static void emit_with_imm(cevm_section *s, enum cevm_decoded_entry_kind kind, int a, uint32_t imm)
{
    cevm_entry *e = emit_result(s, kind, a, NO_SLOT);
    e->imm = imm;
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

_Static_assert(BLOCK_KIND_COUNT <= 256, "kinds are kept in bytes");

/** Whether what an entry computes is 0 or 1. */
static bool is_boolean(enum cevm_decoded_entry_kind kind)
{
    static const bool booleans[BLOCK_KIND_COUNT] = {
        [BLOCK_OP_ISZERO] = true, [BLOCK_OP_LT] = true, [BLOCK_OP_SLT] = true, [BLOCK_OP_EQ] = true,
        [BLOCK_EQ_I] = true,      [BLOCK_LT_I] = true,  [BLOCK_I_LT] = true,
    };
    return booleans[kind];
}

/**
 * NOT of a NOT, and ISZERO of an ISZERO of 0 or 1, are the word itself: when the inner one is the last entry and `slot`, which
 * nothing needs any more, is where it goes, it is dropped. Returns whether it was.
 */
static bool cancel_unary(cevm_section *s, uint8_t op, int slot)
{
    if (op != OP_NOT && op != OP_ISZERO) {
        return false; /* CLZ of a CLZ is something else again */
    }
    const section_computed last = s->last;
    const bool is_last = last.count == s->count && last.count > 0 && last.to == slot && section_at(s, slot)->refs == 0;
    if (!is_last || last.kind != entry_kinds[op]) {
        return false;
    }
    if (op == OP_ISZERO && !(s->before.count == last.count - 1 && s->before.count > 0 && s->before.to == last.from &&
                             is_boolean((enum cevm_decoded_entry_kind)s->before.kind))) {
        return false;
    }
    s->used -= s->step;
    --s->count;
    section_at(s, last.to)->producer = 0; /* it was the dropped entry, and its number is free again */
    section_at(s, last.from)->producer = 0;
    s->last = s->before;
    s->before.count = -1;
    section_push(s, last.from);
    return true;
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
    if (!cancel_unary(s, op, a)) {
        (void)emit_result(s, (enum cevm_decoded_entry_kind)entry_kinds[op], a, NO_SLOT);
    }
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
    e->c = section_offset(c);
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
    if (has_imm) {
        e->imm = (uint32_t)offset->w[0];
    } else {
        e->b = section_offset(to);
    }
    e->a = section_offset(from);
    section_reads(s, from);
    section_release(s, from);
    if (!has_imm) {
        section_reads(s, to);
        section_release(s, to);
    }
    s->last_fail = s->count;
}

/* Copies ----------------------------------------------------------------------------------------------------------- */

/** The entry of a copy whose three operands are constants. */
static enum cevm_decoded_entry_kind copy_kind(uint8_t op)
{
    return op == OP_MCOPY ? BLOCK_MCOPY_I : op == OP_CODECOPY ? BLOCK_CODECOPY_I : BLOCK_CALLDATACOPY_I;
}

/** Whether the three operands of a copy are constants that such an entry has room for: two of 16 bits, and a size above 0. */
static bool is_constant_copy(cevm_section *s)
{
    const cevm_u256 *to = constant_of(s, section_at(s, s->top)->value);
    const cevm_u256 *from = constant_of(s, section_at(s, s->top - 1)->value);
    const cevm_u256 *size = constant_of(s, section_at(s, s->top - 2)->value);
    return to != NULL && from != NULL && size != NULL && is_short(to) && to->w[0] <= UINT16_MAX && is_short(from) &&
           from->w[0] <= UINT16_MAX && is_short(size) && size->w[0] != 0;
}

static void decode_constant_copy(cevm_section *s, uint8_t op)
{
    const uint64_t to = section_constant(s, section_pop(s))->w[0];
    const uint64_t from = section_constant(s, section_pop(s))->w[0];
    const uint64_t size = section_constant(s, section_pop(s))->w[0];
    cevm_entry *e = section_emit(s, copy_kind(op));
    e->to = (int16_t)(uint16_t)to;
    e->a = (int16_t)(uint16_t)from;
    e->imm = (uint32_t)size;
    s->last_fail = s->count;
}

/* Bodies that want their operands where the EVM has them ----------------------------------------------------------- */

static void decode_in_place(const cevm_decoder *d, uint8_t op)
{
    cevm_section *s = d->s;
    cevm_entry *e = section_emit(s, (enum cevm_decoded_entry_kind)entry_kinds[op]);
    e->to = section_offset(s->top);
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

static void decode_read(const cevm_decoder *d, uint8_t op)
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
    const uint32_t last = s->used - 1;
    s->entries[last].target = target;
    s->pcs[last] = s->fixups;
    s->fixups = last;
}

/** The target of a jump, if it is a constant and might be a JUMPDEST; UINT32_MAX otherwise. */
static uint32_t static_target(const cevm_decoder *d, int value)
{
    const cevm_u256 *target = constant_of(d->s, value);
    if (target == NULL || !cevm_u256_fits_u64(target) || target->w[0] >= d->size ||
        d->code[target->w[0]] != OP_JUMPDEST) {
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
        e->to = section_offset(copy);
        e->a = section_offset(slot);
        section_reads(s, slot);
        section_writes(s, copy, false);
        section_release(s, slot);
        ++section_at(s, copy)->refs;
        slot = copy;
    }
    return slot;
}

static void decode_jump(const cevm_decoder *d)
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

/** The last entry of the section, if what it computes goes to a slot where nothing else needs it; or NULL. */
static const cevm_entry *last_computes(cevm_section *s, int slot)
{
    const cevm_entry *last = &s->entries[s->used - 1];
    return s->count > 0 && last->to == section_offset(slot) && section_at(s, slot)->refs == 0 ? last : NULL;
}

static void drop_last(cevm_section *s)
{
    --s->used;
    --s->count;
}

/**
 * The condition of a branch that goes where the word in `slot` is not zero, in as few entries as possible: ISZERO and
 * comparisons that were the last to be written become part of it. Fills *branch; its `to` and the target are the caller's.
 */
static enum cevm_decoded_entry_kind choose_branch(cevm_section *s, cevm_entry *branch, int slot)
{
    const cevm_decoded_handler *handlers = s->handlers;
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

static void decode_jumpi(const cevm_decoder *d)
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

/* All of them --------------------------------------------------------------------------------------------------------- */

static void decode_push(const cevm_decoder *d, uint8_t op, size_t pc)
{
    cevm_section *s = d->s;
    const size_t size = (size_t)(op - OP_PUSH1) + 1;
    const uint8_t *bytes = &d->code[pc + 1];
    if (size <= 8 && d->size - pc > 8) {
        const cevm_u256 value = cevm_u256_from_u64(cevm_load_be64(bytes) >> (64 - 8 * size));
        section_push_constant(s, &value);
    } else {
        cevm_u256 word[2]; /* the body leaves the result in the second */
        op_PUSH(word, size, bytes, d->size - pc - 1);
        section_push_constant(s, &word[1]);
    }
}

/* What is done with an opcode: by its kind, and by itself where one is different. The order matters. */
enum step {
    /* writes an entry */
    STEP_UNARY,
    STEP_BINARY,
    STEP_TERNARY,
    STEP_READ,
    STEP_MLOAD,
    STEP_MSTORE,
    STEP_COPY, /* from here … */
    STEP_IN_PLACE,
    STEP_EDGE, /* from here it ends the section */
    STEP_END,  /* … to here words go to their places first, unless it is a copy with constants */
    STEP_STOP,
    STEP_JUMP,
    STEP_JUMPI,
    /* only moves words */
    STEP_PUSH,
    STEP_DUP,
    STEP_SWAP,
    STEP_POP,
    STEP_PUSH0,
    STEP_PC,
    STEP_JUMPDEST, /* begins a section, or what is undefined */
};

#define STEP_OF_UNARY(byte)   STEP_UNARY
#define STEP_OF_BINARY(byte)  STEP_BINARY
#define STEP_OF_TERNARY(byte) STEP_TERNARY
#define STEP_OF_READ(byte)    STEP_READ
#define STEP_OF_PUSH(byte)    STEP_PUSH
#define STEP_OF_DUP(byte)     STEP_DUP
#define STEP_OF_SWAP(byte)    STEP_SWAP
#define STEP_OF_LOG(byte)     STEP_IN_PLACE
#define STEP_OF_PURE(byte)    (byte) == OP_POP ? STEP_POP : (byte) == OP_PUSH0 ? STEP_PUSH0 : STEP_JUMPDEST
#define STEP_OF_FLOW(byte)    (byte) == OP_JUMP ? STEP_JUMP : (byte) == OP_JUMPI ? STEP_JUMPI : STEP_PC
#define STEP_OF_FULL(byte)                                                                   \
    (byte) == OP_MLOAD                                                         ? STEP_MLOAD  \
    : (byte) == OP_MSTORE || (byte) == OP_MSTORE8                              ? STEP_MSTORE \
    : (byte) == OP_CALLDATACOPY || (byte) == OP_CODECOPY || (byte) == OP_MCOPY ? STEP_COPY   \
                                                                               : STEP_IN_PLACE
#define STEP_OF_EDGE(byte)                                                                \
    (byte) == OP_STOP || (byte) == OP_INVALID                                 ? STEP_STOP \
    : (byte) == OP_RETURN || (byte) == OP_REVERT || (byte) == OP_SELFDESTRUCT ? STEP_END  \
                                                                              : STEP_EDGE

static const uint8_t steps[256] = {
#define ROW(at, code, name, in, out, kind, since, price) [code] = STEP_OF_##kind(code),
    CEVM_OPCODES(ROW, 0)
#undef ROW
};

/** Ends a section that goes on in the one behind it. */
static void fall_through(cevm_section *s)
{
    cevm_section_flush(s);
    if (s->top != 0) {
        cevm_entry *e = section_emit(s, BLOCK_FALL);
        e->to = section_offset(s->top);
    }
}

/** Moves the words of the stack as PUSH, DUP, SWAP and POP do. Returns the size of the instruction. */
static inline size_t decode_move(const cevm_decoder *d, uint8_t op, enum step step, size_t pc)
{
    cevm_section *s = d->s;
    if (step == STEP_PUSH) {
        decode_push(d, op, pc);
        return (size_t)(op - OP_PUSH1) + 2;
    }
    if (step == STEP_DUP) {
        section_push(s, section_at(s, s->top - (op - OP_DUP1))->value);
    } else if (step == STEP_SWAP) {
        section_swap(s, op - OP_SWAP1 + 1);
    } else if (step == STEP_POP) {
        section_release(s, section_pop(s));
    } else {
        section_push_constant(s, &(const cevm_u256){{step == STEP_PC ? pc : 0}});
    }
    return 1;
}

/** Writes what the instruction does to the section. */
static inline void decode_op(const cevm_decoder *d, uint8_t op, enum step step)
{
    cevm_section *s = d->s;
    switch (step) {
    case STEP_UNARY: decode_unary(s, op); break;
    case STEP_BINARY: decode_binary(s, op); break;
    case STEP_TERNARY: decode_ternary(s, op); break;
    case STEP_READ: decode_read(d, op); break;
    case STEP_MLOAD: decode_mload(s); break;
    case STEP_MSTORE: decode_mstore(s, op); break;
    case STEP_COPY:
        if (is_constant_copy(s)) {
            decode_constant_copy(s, op);
            break;
        }
        __attribute__((fallthrough));
    case STEP_IN_PLACE:
    case STEP_EDGE:
    case STEP_END:
        cevm_section_flush(s);
        decode_in_place(d, op);
        break;
    case STEP_STOP: decode_in_place(d, op); break;
    case STEP_JUMP: decode_jump(d); break;
    case STEP_JUMPI: decode_jumpi(d); break;
    case STEP_PUSH:
    case STEP_DUP:
    case STEP_SWAP:
    case STEP_POP:
    case STEP_PUSH0:
    case STEP_PC:
    case STEP_JUMPDEST:
    default: break;
    }
}

/** Replaying has come to the instruction at which to stop: does what had been done when its entry was written. */
static void prepare_stop(cevm_section *s, enum step step)
{
    if (step < STEP_PUSH) {
        cevm_section_make_room(s);
    }
    if (step >= STEP_COPY && step <= STEP_END && !(step == STEP_COPY && is_constant_copy(s))) {
        cevm_section_flush(s);
    }
}

/** Decodes the instructions from pc on; returns where they end, with the last one's step in *step if it ends the section. */
static inline size_t decode_straight(const cevm_decoder *d, size_t pc, size_t limit, enum step *step)
{
    cevm_section *s = d->s;
    uint64_t gas = 0;
    int need = 0;
    do {
        const uint8_t op = d->code[pc];
        const cevm_op_info *info = &d->ops[op];
        const enum step now = (enum step)steps[op];
        if (__builtin_expect(info->span == 0 || now == STEP_JUMPDEST, 0)) {
            break;
        }
        const int takes = (int)info->in - s->top;
        if (__builtin_expect(takes > SECTION_MAX_TAKEN, 0)) {
            break; /* at a beginning it never is */
        }
        need = takes > need ? takes : need;
        gas += info->gas;
        if (now >= STEP_PUSH) {
            pc += decode_move(d, op, now, pc);
            continue;
        }
        if (!section_reserve(s, (size_t)s->dirty_count + 16)) {
            break;
        }
        s->pc = (uint32_t)pc;
        cevm_section_make_room(s);
        decode_op(d, op, now);
        ++pc;
        if (now >= STEP_EDGE) {
            *step = now;
            break;
        }
    } while (pc < limit);
    s->gas += (int64_t)gas;
    s->need = need;
    return pc;
}

cevm_section_end cevm_decode_section(const cevm_decoder *d, const size_t begin)
{
    cevm_section *s = d->s;
    const size_t end = d->size - begin < SECTION_MAX_BYTES ? d->size : begin + SECTION_MAX_BYTES;
    const size_t limit = end < d->stop ? end : d->stop;
    const uint8_t first = d->code[begin];
    size_t pc = begin;
    enum step step = STEP_JUMPDEST;
    if (__builtin_expect(d->ops[first].span == 0, 0)) {
        s->refused = true; /* the exact engine takes it from here */
        return (cevm_section_end){pc + 1, true};
    }
    if (first == OP_JUMPDEST && pc < limit) {
        s->gas = d->ops[first].gas;
        ++pc;
    }
    if (pc < limit) {
        pc = decode_straight(d, pc, limit, &step);
    }
    if (step != STEP_JUMPDEST) {
        return (cevm_section_end){pc, step != STEP_EDGE && step != STEP_JUMPI};
    }
    if (__builtin_expect(pc == d->stop, 0)) {
        prepare_stop(s, (enum step)steps[d->code[pc]]);
        return (cevm_section_end){pc, true};
    }
    if (section_reserve(s, (size_t)s->dirty_count + 16)) {
        fall_through(s);
    }
    return (cevm_section_end){pc, false};
}
