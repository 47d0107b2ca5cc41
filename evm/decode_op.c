/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From instructions to entries. Each does to the stack of its section (section.h) what it would do to the real one; what is
 * left to be computed becomes an entry.
 */
#include "evm/decode.h"
#include "evm/ops_arith.h"
#include "evm/ops_flow.h"

const uint8_t cevm_op_kinds[256] = {
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
    e->to = section_offset(to);
    e->a = a != NO_SLOT ? section_offset(a) : 0;
    e->b = b != NO_SLOT ? section_offset(b) : 0;
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
    cevm_decoded_code *code = s->out->code;
    code->entries[code->entry_count - 1].target = target;
    code->pcs[code->entry_count - 1] = target | CEVM_NEEDS_TARGET;
}

/** The target of a jump, if it is a constant and a JUMPDEST; UINT32_MAX otherwise. */
static uint32_t static_target(const cevm_decoder *d, int value)
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
    const cevm_entry *last = &s->out->code->entries[s->out->code->entry_count - 1];
    return s->count > 0 && last->to == section_offset(slot) && section_at(s, slot)->refs == 0 ? last : NULL;
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

/* What comes before an opcode: words to their places, room for a result, or nothing. */
enum { PREPARE_NOTHING, PREPARE_FLUSH, PREPARE_ROOM };
#define PREPARE_UNARY(byte)   PREPARE_ROOM
#define PREPARE_BINARY(byte)  PREPARE_ROOM
#define PREPARE_TERNARY(byte) PREPARE_ROOM
#define PREPARE_READ(byte)    PREPARE_ROOM
#define PREPARE_FLOW(byte)    PREPARE_ROOM
#define PREPARE_PURE(byte)    PREPARE_NOTHING
#define PREPARE_PUSH(byte)    PREPARE_NOTHING
#define PREPARE_DUP(byte)     PREPARE_NOTHING
#define PREPARE_SWAP(byte)    PREPARE_NOTHING
#define PREPARE_LOG(byte)     PREPARE_FLUSH
#define PREPARE_FULL(byte) \
    ((byte) == OP_MLOAD || (byte) == OP_MSTORE || (byte) == OP_MSTORE8 ? PREPARE_ROOM : PREPARE_FLUSH)
#define PREPARE_EDGE(byte) ((byte) == OP_STOP || (byte) == OP_INVALID ? PREPARE_NOTHING : PREPARE_FLUSH)

static const uint8_t preparations[256] = {
#define ROW(at, code, name, in, out, kind, since, price) [code] = PREPARE_##kind(code),
    CEVM_OPCODES(ROW, 0)
#undef ROW
};

void cevm_decode_prepare(const cevm_decoder *d, uint8_t op)
{
    if (preparations[op] == PREPARE_ROOM) {
        cevm_section_make_room(d->s);
    } else if (preparations[op] == PREPARE_FLUSH) {
        cevm_section_flush(d->s);
    }
}

static void decode_push(const cevm_decoder *d, size_t pc)
{
    cevm_u256 word[2]; /* the body leaves the result in the second */
    op_PUSH(word, (size_t)(d->code[pc] - OP_PUSH1) + 1, &d->code[pc + 1], d->size - pc - 1);
    section_push_constant(d->s, &word[1]);
}

static void decode_flow(const cevm_decoder *d, uint8_t op, size_t pc)
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

void cevm_decode_op(const cevm_decoder *d, uint8_t op, size_t pc)
{
    cevm_section *s = d->s;
    switch ((enum op_kind)cevm_op_kinds[op]) {
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
