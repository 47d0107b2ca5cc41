/* SPDX-License-Identifier: Apache-2.0 */
/**
 * evm/section.h: the stack of a section while it is decoded: for each position, where its word really is.
 *
 * Positions and slots are counted from the top of the stack at the beginning of the section: 0 is that word, -1 the one
 * below, 1 the first one above. A position holds a value, which is a slot (the word that belongs there may lie elsewhere
 * in memory) or a constant. Everything here takes constant time for each instruction, whatever the code.
 */
#ifndef CEVM_EVM_SECTION_H
#define CEVM_EVM_SECTION_H

#include "evm/block.h"

enum {
    /* A section is cut at so many bytes, and with them most of what is counted below: an instruction adds at most one to the
     * height of the stack, one constant and two dirty positions, and becomes four entries. */
    SECTION_MAX_BYTES = 512,
    /* It is cut too before an instruction that works on more words of the stack than this, those above it included. */
    SECTION_MAX_TAKEN = 512,
    SECTION_BELOW = SECTION_MAX_TAKEN + 32, /* lowest position */
    SECTION_ABOVE = SECTION_MAX_BYTES + 64, /* highest one, scratch included */
    SECTION_CONSTANTS = SECTION_MAX_BYTES + 4,
    SECTION_DIRTY = 2 * SECTION_MAX_BYTES + 8,
    SECTION_NEEDED = 4, /* free slots: an instruction takes at most three constants and gives one result */
    SECTION_LOOK_AT = 12,
    SECTION_CONSTANT_BASE = 4096, /* values from here on are constants, below it slots */
};

/** Position and slot of one distance. */
typedef struct section_cell {
    int16_t value;     /* of the position */
    uint16_t refs;     /* of the slot: how many positions have it as their value */
    uint16_t touched;  /* last entry that reads or writes the slot; entries count from 1, behind BEGIN */
    uint16_t producer; /* entry that wrote it, if its result may be sent elsewhere instead; or 0 */
} section_cell;

/** An entry that computes a word from one slot, or from two, as far as what comes next wants to know. */
typedef struct section_computed {
    int count; /* which entry it is; -1: none */
    int16_t to;
    int16_t from; /* its slot */
    uint8_t kind;
} section_computed;

/** What is written while a code is decoded. */
typedef struct section_output {
    const cevm_allocator *allocator;
    cevm_decoded_code *code; /* gets the pool; the entries are the section's until the end */
    size_t pool_capacity;
    bool failed; /* out of memory */
} section_output;

typedef struct cevm_section {
    section_output *out; /* NULL: only the stack is followed */
    cevm_u256 *live;     /* not NULL: words are moved on this stack instead of entries written */
    /* the entries so far; while replaying, `nowhere`, and `step` is 0 */
    const cevm_decoded_handler *handlers;
    cevm_entry *entries;
    uint32_t *pcs;
    uint32_t used;
    uint32_t capacity;
    uint32_t step;
    uint32_t
        fixups; /* the last entry whose target is a position in the code still; its pc is the one before that; 0: none */
    /* the section */
    uint32_t pc;    /* of the instruction being decoded */
    uint32_t first; /* index of the BEGIN entry */
    int count;      /* entries behind it */
    int last_fail;  /* the last of them that can fail and go back to the exact engine; 0 for none */
    int top;        /* position of the top of the stack */
    int need;       /* words that must be there at the beginning */
    int growth;     /* highest position reached */
    int highest;    /* no slot above it holds a word */
    int reach;      /* what `highest` was at most, before the last flush */
    bool refused;   /* no height of the stack is right */
    int watched;    /* a slot whose word is wanted after the flush; follows it when it is produced elsewhere */
    section_computed last, before; /* the last words that were computed */
    int64_t gas;
    cevm_entry nowhere;
    uint32_t nowhere_pc;
    int dirty_count;
    int constant_count;
    int16_t dirty[SECTION_DIRTY]; /* positions whose word may lie elsewhere */
    cevm_u256 constants[SECTION_CONSTANTS];
    /* Between sections each position has its own slot as its value, and those up to 0 hold a word. */
    section_cell cells[SECTION_BELOW + SECTION_ABOVE];
} cevm_section;

/** Prepares for a first section; without an output, for following the stack alone. */
void cevm_section_init(cevm_section *s, section_output *out);
/** Begins a section at pc, and writes its BEGIN entry. */
void cevm_section_begin(cevm_section *s, uint32_t pc);
/** Completes the BEGIN entry. */
void cevm_section_seal(cevm_section *s);

static inline bool section_is_constant(int value) { return value >= SECTION_CONSTANT_BASE; }
static inline const cevm_u256 *section_constant(const cevm_section *s, int value)
{
    return &s->constants[value - SECTION_CONSTANT_BASE];
}

static inline int16_t section_offset(int slot) { return (int16_t)(slot * (int)sizeof(cevm_u256)); }
static inline int section_slot(int16_t offset) { return offset / (int)sizeof(cevm_u256); }

/** Makes room for n more entries; false when memory runs out. */
bool cevm_section_grow(cevm_section *s, size_t n);
/** Makes sure of room for n entries; false when memory runs out, now or before. */
static inline bool section_reserve(cevm_section *s, size_t n)
{
    return s->used + n <= s->capacity || cevm_section_grow(s, n);
}

/** The cell of a position. */
static inline section_cell *section_at(cevm_section *s, int position)
{
    return &s->cells[position + SECTION_BELOW - 1];
}

/** Appends an entry, for which there is room. While replaying, what is written to it goes nowhere. */
static inline cevm_entry *section_emit(cevm_section *s, enum cevm_decoded_entry_kind kind)
{
    const uint32_t at = s->used;
    cevm_entry *e = &s->entries[at];
    *e = (cevm_entry){.handler = s->handlers[kind]};
    s->pcs[at] = s->pc;
    s->used = at + s->step;
    ++s->count;
    return e;
}

/** Notes that the last entry reads, or writes, a slot; `movable` if its result may be sent elsewhere. */
static inline void section_reads(cevm_section *s, int slot) { section_at(s, slot)->touched = (uint16_t)s->count; }

static inline void section_writes(cevm_section *s, int slot, bool movable)
{
    section_cell *c = section_at(s, slot);
    c->touched = (uint16_t)s->count;
    c->producer = (uint16_t)(movable ? s->count : 0);
    s->highest = slot > s->highest ? slot : s->highest;
}

/** Notes a position whose word may lie elsewhere. */
static inline void section_mark_dirty(cevm_section *s, int position) { s->dirty[s->dirty_count++] = (int16_t)position; }

/** Puts a value on the stack. */
static inline void section_push(cevm_section *s, int value)
{
    ++s->top;
    s->growth = s->top > s->growth ? s->top : s->growth;
    if (!section_is_constant(value)) {
        ++section_at(s, value)->refs;
    }
    section_at(s, s->top)->value = (int16_t)value;
    if (value != s->top) {
        section_mark_dirty(s, s->top);
    }
}

/** Puts a new constant on the stack. */
static inline void section_push_constant(cevm_section *s, const cevm_u256 *constant)
{
    s->constants[s->constant_count] = *constant;
    section_push(s, SECTION_CONSTANT_BASE + s->constant_count++);
}

/** SWAPn. */
static inline void section_swap(cevm_section *s, int n)
{
    section_cell *a = section_at(s, s->top);
    section_cell *b = section_at(s, s->top - n);
    const int16_t value = a->value;
    a->value = b->value;
    b->value = value;
    section_mark_dirty(s, s->top);
    section_mark_dirty(s, s->top - n);
}

/** Takes the top value off but keeps its slot from being reused; section_release lets go of it. */
static inline int section_pop(cevm_section *s) { return section_at(s, s->top--)->value; }

static inline void section_release(cevm_section *s, int value)
{
    if (!section_is_constant(value)) {
        --section_at(s, value)->refs;
    }
}

/** A free slot for a result that becomes the next word on the stack. */
static inline int section_free_slot(cevm_section *s)
{
    int slot = s->top + 1;
    while (section_at(s, slot)->refs != 0) {
        ++slot;
    }
    return slot;
}

/** A slot that holds the value; a constant is written to a free one. The result too has to be released. */
int cevm_section_materialise(cevm_section *s, int value);
/** Looks at the slots above the stack, and flushes when too few are free. */
void cevm_section_look_for_room(cevm_section *s);

/** Makes sure that section_free_slot has slots to give during the next instruction. */
static inline void cevm_section_make_room(cevm_section *s)
{
    if (s->highest > s->top + SECTION_LOOK_AT - SECTION_NEEDED) {
        cevm_section_look_for_room(s);
    }
}
/** Moves every word to where the EVM has it. */
void cevm_section_flush(cevm_section *s);
/** Whether cevm_section_flush leaves a slot alone. */
bool cevm_section_survives_flush(cevm_section *s, int slot);

/** The index in the pool of a constant put there. */
uint32_t cevm_section_pool(cevm_section *s, const cevm_u256 *constant);

#endif
