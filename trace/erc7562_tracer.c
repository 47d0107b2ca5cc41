/* SPDX-License-Identifier: Apache-2.0 */
/*
 * erc7562Tracer: the calls with what the rules of ERC-7562 look at: slots read and written, instructions used, code of
 * others looked at, sizes of the contracts called, what was hashed. In the shape of geth's.
 */
#include <cevm/alloc.h>
#include <cevm/hex.h>

#include <stdio.h>

#include "evm/opcodes.h"
#include "trace/call_tree.h"
#include "trace/preimages.h"

typedef enum fact_kind {
    READ,
    WRITTEN,
    READ_TRANSIENT,
    WRITTEN_TRANSIENT,
    OPCODE,
    CONTRACT,
    LOOKED_AT,
    KINDS
} fact_kind;

/* Something noted of a frame. */
typedef struct fact {
    cevm_u256 key; /* a slot, an address, an opcode */
    cevm_u256 value;
    uint32_t frame;
    fact_kind kind;
    uint8_t op;    /* CONTRACT: the instruction that named it first */
    uint32_t next; /* of the same frame and kind */
} fact;

typedef struct frame_facts {
    uint32_t first[KINDS], last[KINDS];
} frame_facts;

typedef struct erc7562_tracer {
    cevm_call_trace calls;
    cevm_preimages preimages;
    bool ignored[256];
    bool has_last; /* the instruction before, in whatever frame */
    uint8_t last_op;
    cevm_u256 last_top;
    bool last_had_top;
    cevm_map_seed seed;
    cevm_map map;
    fact *facts;
    size_t fact_count, fact_capacity;
    frame_facts *frames; /* beside tree.frames */
    size_t frame_count, frame_capacity;
} erc7562_tracer;

/* ---- Facts -------------------------------------------------------------------------------------------------------- */

/* The facts of the frame that executes; false when it is not kept. */
static bool frame_of(erc7562_tracer *t, uint32_t *out)
{
    while (t->frame_count < t->calls.tree.frame_count) {
        void *array = t->frames;
        bool ok = cevm_trace_grow(&t->calls.base, &array, &t->frame_capacity, t->frame_count, sizeof t->frames[0]);
        t->frames = array;
        if (!ok) {
            return false;
        }
        memset(&t->frames[t->frame_count], 0xff, sizeof t->frames[0]); /* CEVM_MAP_NONE in all */
        t->frame_count++;
    }
    *out = t->calls.tree.current;
    return t->calls.tree.hidden == 0 && t->calls.tree.current != CEVM_NO_FRAME;
}

static uint64_t owner_of(uint32_t frame, fact_kind kind) { return (uint64_t)frame * KINDS + (uint64_t)kind; }

static fact *find(erc7562_tracer *t, uint32_t frame, fact_kind kind, const cevm_u256 *key)
{
    uint32_t tag = cevm_map_hash_slot(&t->seed, owner_of(frame, kind), key);
    uint32_t at = cevm_map_start(&t->map, tag);
    for (uint32_t i; (i = cevm_map_next(&t->map, &at, tag)) != CEVM_MAP_NONE;) {
        fact *f = &t->facts[i];
        if (f->frame == frame && f->kind == kind && cevm_u256_equal(&f->key, key)) {
            return f;
        }
    }
    return NULL;
}

/* Adds a fact at the end of its list. NULL: the trace has failed. */
static fact *add(erc7562_tracer *t, uint32_t frame, fact_kind kind, const cevm_u256 *key)
{
    void *array = t->facts;
    bool ok = cevm_trace_grow(&t->calls.base, &array, &t->fact_capacity, t->fact_count, sizeof t->facts[0]);
    t->facts = array;
    if (!ok) {
        return NULL;
    }
    if (cevm_map_reserve(&t->map, 1) != CEVM_OK) {
        cevm_trace_fail(&t->calls.base, CEVM_ERR_NOMEM);
        return NULL;
    }
    uint32_t i = (uint32_t)t->fact_count++;
    t->facts[i] = (fact){.key = *key, .frame = frame, .kind = kind, .next = CEVM_MAP_NONE};
    cevm_map_insert(&t->map, cevm_map_hash_slot(&t->seed, owner_of(frame, kind), key), i);
    frame_facts *lists = &t->frames[frame];
    if (lists->last[kind] != CEVM_MAP_NONE) {
        t->facts[lists->last[kind]].next = i;
    } else {
        lists->first[kind] = i;
    }
    lists->last[kind] = i;
    return &t->facts[i];
}

static void count(erc7562_tracer *t, uint32_t frame, fact_kind kind, const cevm_u256 *key)
{
    fact *f = find(t, frame, kind, key);
    f = f != NULL ? f : add(t, frame, kind, key);
    if (f != NULL) {
        f->value.w[0]++;
    }
}

static void count_op(erc7562_tracer *t, uint32_t frame, uint8_t op)
{
    const cevm_u256 key = cevm_u256_from_u64(op);
    count(t, frame, OPCODE, &key);
}

/* ---- What an instruction adds ------------------------------------------------------------------------------------- */

static bool looks_at_code(uint8_t op) { return op == OP_EXTCODEHASH || op == OP_EXTCODESIZE || op == OP_EXTCODECOPY; }

static bool calls(uint8_t op)
{
    return op == OP_CALL || op == OP_CALLCODE || op == OP_DELEGATECALL || op == OP_STATICCALL;
}

/* What the instruction before meant is known with this one: GAS before a call is allowed, EXTCODESIZE before ISZERO too. */
static void note_last(erc7562_tracer *t, uint32_t frame, uint8_t op)
{
    if (!t->has_last) {
        return;
    }
    if (looks_at_code(t->last_op) && t->last_had_top && !(t->last_op == OP_EXTCODESIZE && op == OP_ISZERO)) {
        (void)add(t, frame, LOOKED_AT, &t->last_top);
    }
    if (t->last_op == OP_GAS && !calls(op)) {
        count_op(t, frame, OP_GAS);
    }
}

static void note_contract(erc7562_tracer *t, uint32_t frame, const cevm_step *step)
{
    size_t at = looks_at_code(step->op) ? 0 : 1;
    if ((!looks_at_code(step->op) && !calls(step->op)) || step->stack_size <= at) {
        return;
    }
    cevm_address address = cevm_address_from_u256(&step->stack[step->stack_size - 1 - at]);
    cevm_u256 key = cevm_u256_from_address(&address);
    if (find(t, frame, CONTRACT, &key) != NULL) {
        return;
    }
    fact *f = add(t, frame, CONTRACT, &key);
    if (f != NULL) {
        f->op = step->op;
        f->value.w[0] = cevm_trace_code(&t->calls.base, &address).size;
    }
}

static void note_storage(erc7562_tracer *t, uint32_t frame, const cevm_step *step)
{
    if (step->stack_size == 0) {
        return;
    }
    const cevm_u256 *key = &step->stack[step->stack_size - 1];
    switch (step->op) {
    case OP_SLOAD: /* the value from before, unless it was written first */
        if (find(t, frame, READ, key) == NULL && find(t, frame, WRITTEN, key) == NULL) {
            fact *f = add(t, frame, READ, key);
            if (f != NULL) {
                f->value = cevm_trace_slot(&t->calls.base, step->address, key);
            }
        }
        break;
    case OP_SSTORE: count(t, frame, WRITTEN, key); break;
    case OP_TLOAD: count(t, frame, READ_TRANSIENT, key); break;
    case OP_TSTORE: count(t, frame, WRITTEN_TRANSIENT, key); break;
    default: break;
    }
}

static void on_step(void *ctx, const cevm_step *step)
{
    erc7562_tracer *t = ctx;
    uint32_t frame;
    if (!cevm_trace_step(&t->calls.base)) {
        return;
    }
    cevm_call_tree_step(&t->calls.tree, step);
    if (step->code.size == 0 || !frame_of(t, &frame)) {
        return;
    }
    uint8_t op = step->op;
    if (op == OP_REVERT || op == OP_RETURN) {
        t->has_last = false;
    }
    note_last(t, frame, op);
    note_contract(t, frame, step);
    if (op != OP_GAS && !t->ignored[op]) {
        count_op(t, frame, op);
    }
    note_storage(t, frame, step);
    cevm_preimages_step(&t->preimages, &t->calls.base, step);
    t->has_last = true;
    t->last_op = op;
    t->last_had_top = step->stack_size != 0;
    if (t->last_had_top) {
        cevm_address address = cevm_address_from_u256(&step->stack[step->stack_size - 1]);
        t->last_top = cevm_u256_from_address(&address);
    }
}

/* ---- Writing ------------------------------------------------------------------------------------------------------ */

static void put_word_key(cevm_json_writer *w, const cevm_u256 *word)
{
    char name[67] = "0x";
    uint8_t bytes[32];
    cevm_u256_to_be(bytes, word);
    cevm_hex_encode(name + 2, bytes, sizeof bytes);
    cevm_json_put_key(w, name);
}

static void put_address_key(cevm_json_writer *w, const cevm_u256 *word)
{
    char name[43] = "0x";
    cevm_address address = cevm_address_from_u256(word);
    cevm_hex_encode(name + 2, address.bytes, sizeof address.bytes);
    cevm_json_put_key(w, name);
}

static void put_fact(cevm_json_writer *w, const fact *f)
{
    char name[8];
    cevm_address address;
    switch (f->kind) {
    case READ:
        put_word_key(w, &f->key);
        cevm_json_begin_array(w);
        cevm_json_put_word(w, &f->value);
        cevm_json_end_array(w);
        break;
    case OPCODE:
        (void)snprintf(name, sizeof name, "0x%x", (unsigned)f->key.w[0]);
        cevm_json_put_key(w, name);
        cevm_json_put_number(w, f->value.w[0]);
        break;
    case CONTRACT:
        put_address_key(w, &f->key);
        cevm_json_begin_object(w);
        cevm_json_put_key(w, "contractSize");
        cevm_json_put_number(w, f->value.w[0]);
        cevm_json_put_key(w, "opcode");
        cevm_json_put_number(w, f->op);
        cevm_json_end_object(w);
        break;
    case LOOKED_AT:
        address = cevm_address_from_u256(&f->key);
        cevm_json_put_address(w, &address);
        break;
    case WRITTEN:
    case READ_TRANSIENT:
    case WRITTEN_TRANSIENT:
    case KINDS:
    default:
        put_word_key(w, &f->key);
        cevm_json_put_number(w, f->value.w[0]);
        break;
    }
}

static void put_facts(erc7562_tracer *t, uint32_t frame, const char *key, fact_kind kind)
{
    cevm_json_writer *w = t->calls.base.out;
    cevm_json_put_key(w, key);
    if (kind == LOOKED_AT) {
        cevm_json_begin_array(w);
    } else {
        cevm_json_begin_object(w);
    }
    uint32_t i = frame < t->frame_count ? t->frames[frame].first[kind] : CEVM_MAP_NONE;
    for (; i != CEVM_MAP_NONE && cevm_trace_may_write(&t->calls.base); i = t->facts[i].next) {
        put_fact(w, &t->facts[i]);
    }
    cevm_json_end_object(w); /* or the array */
}

static void put_preimages(erc7562_tracer *t)
{
    cevm_json_writer *w = t->calls.base.out;
    if (t->preimages.count == 0) {
        return;
    }
    cevm_preimages_sort(&t->preimages);
    cevm_json_put_key(w, "keccak");
    cevm_json_begin_array(w);
    for (size_t i = 0; i < t->preimages.count && cevm_trace_may_write(&t->calls.base); ++i) {
        cevm_json_put_data(w, t->preimages.items[i].data);
    }
    cevm_json_end_array(w);
}

static bool out_of_gas(const cevm_call_frame *frame)
{
    static const char text[] = "out of gas";
    bool begins = frame->error.size >= sizeof text - 1 && memcmp(frame->error.data, text, sizeof text - 1) == 0;
    return begins || frame->status == CEVM_STATUS_CODE_STORE_GAS;
}

static void open_frame(erc7562_tracer *t, uint32_t i)
{
    cevm_json_writer *w = t->calls.base.out;
    const cevm_call_frame *frame = &t->calls.tree.frames[i];
    cevm_json_begin_object(w);
    cevm_call_put_members(w, frame);
    cevm_call_put_logs(w, &t->calls.tree, frame);
    cevm_json_put_key(w, "type");
    cevm_json_put_string(w, cevm_call_type_name(frame->type));
    cevm_json_put_key(w, "accessedSlots");
    cevm_json_begin_object(w);
    put_facts(t, i, "reads", READ);
    put_facts(t, i, "writes", WRITTEN);
    put_facts(t, i, "transientReads", READ_TRANSIENT);
    put_facts(t, i, "transientWrites", WRITTEN_TRANSIENT);
    cevm_json_end_object(w);
    put_facts(t, i, "extCodeAccessInfo", LOOKED_AT);
    put_facts(t, i, "usedOpcodes", OPCODE);
    put_facts(t, i, "contractSize", CONTRACT);
    cevm_json_put_key(w, "outOfGas");
    cevm_json_put_bool(w, out_of_gas(frame));
    if (i == 0) {
        put_preimages(t);
    }
    if (frame->first_child != CEVM_NO_FRAME) {
        cevm_json_put_key(w, "calls");
        cevm_json_begin_array(w);
    }
}

static cevm_err finish(cevm_trace *base, const cevm_receipt *receipt)
{
    erc7562_tracer *t = (erc7562_tracer *)base;
    uint32_t i = 0;
    bool closing = false;
    if (!cevm_call_trace_settle(&t->calls, receipt)) {
        return CEVM_ERR_ARGUMENT;
    }
    do {
        if (!closing) {
            open_frame(t, i);
            continue;
        }
        if (t->calls.tree.frames[i].first_child != CEVM_NO_FRAME) {
            cevm_json_end_array(base->out);
        }
        cevm_json_end_object(base->out);
    } while (cevm_trace_may_write(base) && cevm_call_tree_next(&t->calls.tree, &i, &closing));
    return base->failed;
}

static void release(cevm_trace *base)
{
    erc7562_tracer *t = (erc7562_tracer *)base;
    cevm_call_tree_release(&t->calls.tree);
    cevm_preimages_release(&t->preimages, base);
    cevm_map_free(&t->map);
    cevm_free(base->allocator, t->facts);
    cevm_free(base->allocator, t->frames);
}

static const cevm_trace_ops ops = {.begin = cevm_call_trace_begin, .finish = finish, .release = release};

/* ---- Options ------------------------------------------------------------------------------------------------------ */

/* What every contract may use, so that it is not worth counting. */
static void ignore_common(bool ignored[256])
{
    static const uint8_t common[] = {OP_POP, OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_EQ, OP_LT,  OP_GT,
                                     OP_SLT, OP_SGT, OP_SHL, OP_SHR, OP_AND, OP_OR, OP_NOT, OP_ISZERO};
    for (size_t op = OP_PUSH0; op <= OP_SWAP16; ++op) {
        ignored[op] = true;
    }
    for (size_t i = 0; i < sizeof common; ++i) {
        ignored[common[i]] = true;
    }
}

/* ["0x20", …] */
static bool read_ignored(bool ignored[256], cevm_trace_error *error, const json_t *config)
{
    const json_t *list = json_object_get(config, "ignoredOpcodes");
    if (list == NULL || json_is_null(list)) {
        ignore_common(ignored);
        return true;
    }
    bool ok = json_is_array(list);
    for (size_t i = 0; ok && i < json_array_size(list); ++i) {
        const char *text = json_string_value(json_array_get(list, i));
        cevm_u256 op;
        ok = text != NULL && cevm_u256_from_text(&op, text) && cevm_u256_fits_u64(&op) && op.w[0] < 256;
        if (ok) {
            ignored[op.w[0]] = true;
        }
    }
    if (!ok) {
        (void)snprintf(error->text, sizeof error->text, "option ignoredOpcodes must be a list of opcodes in hex");
    }
    return ok;
}

cevm_err cevm_trace_make_erc7562(cevm_trace **out, cevm_trace_error *error, const cevm_trace_request *request)
{
    cevm_call_tree_options options = {0};
    uint64_t shown_words = 3; /* of the stack, before each instruction: the top one is all that is looked at */
    erc7562_tracer *t = cevm_trace_new(sizeof *t, &ops, request);
    if (t == NULL) {
        return CEVM_ERR_NOMEM;
    }
    if (!cevm_trace_option_bool(&options.logs, error, request->config, "withLog") ||
        !cevm_trace_option_number(&shown_words, error, request->config, "stackTopItemsSize") ||
        !read_ignored(t->ignored, error, request->config)) {
        cevm_free(request->allocator, t);
        return CEVM_ERR_ARGUMENT;
    }
    cevm_call_trace_init(&t->calls, &options);
    cevm_preimages_init(&t->preimages, request->allocator);
    cevm_map_seed_init(&t->seed);
    cevm_map_init(&t->map, request->allocator);
    t->calls.base.hooks.on_step = on_step;
    *out = &t->calls.base;
    return CEVM_OK;
}
