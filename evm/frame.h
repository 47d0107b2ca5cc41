/* SPDX-License-Identifier: Apache-2.0 */
/**
 * evm/frame.h: the machine: a VM, its frames, its operand stack and its memory.
 *
 * Calls do not recurse in C: a frame is an entry of an explicit stack, so depth 1024 costs no native stack. One operand
 * stack and one memory serve all frames, each with its base; they may move when they grow, and then the pointers held in
 * the frames are set anew (cevm_memory_grow, cevm_frame_push).
 */
#ifndef CEVM_EVM_FRAME_H
#define CEVM_EVM_FRAME_H

#include "evm/analysis.h"
#include "evm/arena.h"
#include "evm/gas.h"
#include "evm/keccak_memo.h"
#include "evm/opcodes.h"
#include "evm/u256.h"

#include <cevm/alloc.h>
#include <cevm/vm.h>

/** What a body returns when the frame does not end (statuses are >= 0). */
enum {
    OP_NEXT = -1,  /* go on */
    OP_CHILD = -2, /* vm->pending holds a message to begin */
    OP_ERROR = -3, /* vm->err says why the execution is given up */
    OP_HOT = -4,   /* the exact engine stopped at a JUMPDEST: the code is worth decoding */
};

struct cevm_entry;
struct cevm_decoded_code;
struct cevm_code_slot;

typedef struct cevm_frame {
    /* what the engine works on */
    cevm_vm *vm;
    int64_t gas; /* left; negative once a charge failed */
    const uint8_t *code;
    size_t code_size;
    cevm_u256 *base;             /* one below the first word; the word there is the caller's and never touched */
    cevm_u256 *top;              /* saved while the frame waits for a callee */
    size_t pc;                   /* likewise */
    uint8_t *memory;             /* vm->memory + memory_base */
    size_t memory_size;          /* bytes, a multiple of 32 */
    const uint64_t *jumpdests;   /* NULL until so many jumps that finding all is worth it */
    cevm_bytes input;            /* calldata */
    const struct cevm_entry *ip; /* where the block engine goes on; NULL: the exact engine runs the frame */
    const struct cevm_decoded_code *block; /* the code that ip is in */
    size_t heat_mark;                      /* in code, up to where heat has been counted */
    uint32_t *heat;                        /* bytes of code run in the exact engine; NULL: not counted */
    uint32_t heat_limit;                   /* at so many the code is worth decoding */
    uint32_t own_heat;                     /* of initcode */
    uint32_t jump_effort;                  /* nanoseconds spent on looking at the targets of jumps one by one */
    /* what the frame is */
    cevm_call_kind kind;
    bool is_static;
    bool has_hash;        /* code_hash is known: not initcode */
    cevm_address address; /* whose storage is used */
    cevm_address sender;
    cevm_u256 value;
    cevm_hash code_hash;
    /* how to undo it and where its results go */
    cevm_checkpoint checkpoint;
    cevm_arena_mark arena;
    int64_t refund_before; /* vm->refund when it began */
    size_t memory_base;
    bool input_in_memory; /* input points into vm->memory, at input_offset */
    size_t input_offset;
    uint64_t output_offset; /* the caller's memory that gets the output; already paid for and there */
    uint64_t output_size;
} cevm_frame;

/** A message about to begin, and where its results go in the caller. */
typedef struct cevm_pending {
    cevm_message msg; /* input points into the caller's memory */
    cevm_code code;   /* for the call kinds */
    cevm_u256 salt;   /* of CREATE2 */
    uint64_t output_offset;
    uint64_t output_size;
} cevm_pending;

/**
 * What the opcode that loads an account, or code, needs of it. A host that has accounts at hand gives all; one that must ask
 * for each part elsewhere looks here (vm->wants) and leaves out the rest.
 */
typedef enum cevm_wants {
    CEVM_WANTS_NOTHING, /* but to warm the account */
    CEVM_WANTS_BALANCE,
    CEVM_WANTS_OWN_BALANCE, /* of the account that runs, which is warm */
    CEVM_WANTS_EXISTENCE,   /* and whether it is empty */
    CEVM_WANTS_HEIR, /* SELFDESTRUCT: the existence of the beneficiary, then the balance of the account that runs */
    CEVM_WANTS_CODE_HASH,
    CEVM_WANTS_CODE_SIZE,
    CEVM_WANTS_CODE,
    CEVM_WANTS_CODE_TO_RUN /* for a call */
} cevm_wants;

/** A growable byte buffer of the VM. */
typedef struct cevm_vm_buffer {
    uint8_t *data;
    size_t capacity; /* between them: data and size in one load would wait for the store of the size */
    size_t size;
} cevm_vm_buffer;

struct cevm_vm {
    const cevm_allocator *allocator;
    /* the execution */
    cevm_host host;
    const cevm_tracer *tracer;
    const cevm_block_env *block;
    const cevm_tx_env *tx;
    const cevm_op_info *ops; /* the fork's row of cevm_op_tables */
    cevm_fork fork;
    cevm_err err;
    int64_t refund; /* refund counter of the execution; a frame that fails puts back its refund_before */
    cevm_pending pending;
    /* frames[depth - 1] runs; each is made at first need and kept */
    size_t depth;
    cevm_frame **frames; /* CEVM_MAX_CALL_DEPTH + 1 places */
    cevm_u256 *stack;
    size_t stack_capacity; /* words */
    uint8_t *memory;
    size_t memory_capacity; /* bytes */
    uint8_t *memory_block;  /* what the allocator gave; `memory` begins at a line of the cache in it */
    size_t memory_zeroed;   /* what lies above the running frame's memory is zero up to here */
    cevm_vm_buffer output;  /* return data of the last callee, or of the frame that ends */
    cevm_vm_buffer scratch; /* for precompiles */
    cevm_keccak_memo keccak_memo;
    cevm_modulus modulus; /* of the last MULMODs */
    cevm_arena arena;
    cevm_analysis_cache analysis;
    uint64_t execution;       /* counts them */
    size_t max_code_size;     /* EIP-170 */
    size_t max_initcode_size; /* EIP-3860 */
    cevm_engine engine;
    bool owns_code_cache;
    cevm_code_cache *code_cache;       /* NULL until first needed, unless the host gave one */
    struct cevm_code_slot *code_slots; /* likewise; see code_cache.h */
    size_t code_bytes;                 /* of decoded code that the slots hold */
    size_t code_removals;              /* the cache's count at the beginning of the execution */
    /* limits */
    size_t memory_limit;
    const volatile bool *cancel;
    uint64_t deadline_ns;
    const cevm_precompile_change *precompile_changes;
    size_t precompile_change_count;
    uint32_t poll_countdown; /* jumps until the limits are looked at again; each call looks */
    /*
     * Runs the message in `pending`, which a frame sends, somewhere else; NULL: it becomes a frame here. Returns how it ended,
     * or OP_ERROR, and leaves in pending.msg.gas what is left, in output what came back, in pending.msg.recipient the address
     * of a creation. Whoever keeps the frames has begun the outermost one too, and knows no hash of its code.
     */
    int (*outside)(cevm_vm *vm);
    /* Fills in block and tx when an opcode first reads them, and sets itself to NULL; NULL: they are there. */
    void (*environment)(cevm_vm *vm);
    cevm_wants wants; /* set before each load of an opcode */
};

enum { CEVM_POLL_INTERVAL = 4096 };

/** Gives the execution up. */
static inline int op_error(cevm_frame *f, cevm_err err)
{
    f->vm->err = err;
    return OP_ERROR;
}

/** Charges gas; false when there is not enough (the frame then ends with OUT_OF_GAS). */
static inline bool charge(cevm_frame *f, int64_t gas)
{
    f->gas -= gas;
    return f->gas >= 0;
}

/** Charges more than anyone has, for requests that are too large to be priced. */
static inline int charge_too_much(cevm_frame *f)
{
    f->gas = -1;
    return CEVM_STATUS_OUT_OF_GAS;
}

/** Looks at the cancel flag and the deadline: OP_NEXT or OP_ERROR. */
int cevm_vm_poll(cevm_vm *vm);

static inline int poll_limits(cevm_frame *f) { return --f->vm->poll_countdown != 0 ? OP_NEXT : cevm_vm_poll(f->vm); }

/** Makes room for size bytes in a buffer, dropping what it held; false when memory runs out. */
bool cevm_buffer_reserve(cevm_vm *vm, cevm_vm_buffer *buffer, size_t size);

/** Charges for and makes memory up to `end` bytes, end > memory_size and <= CEVM_MEMORY_MAX: OP_NEXT, a status or OP_ERROR. */
int cevm_memory_grow(cevm_frame *f, uint64_t end);

/**
 * Charges for the memory range [offset, offset + size) and makes it exist. A range of size 0 costs nothing wherever it
 * is. On OP_NEXT both numbers fit size_t and the range is inside f->memory (or size is 0).
 */
static inline int memory_expand(cevm_frame *f, const cevm_u256 *offset, const cevm_u256 *size)
{
    if (cevm_u256_is_zero(size)) {
        return OP_NEXT;
    }
    if (!cevm_u256_fits_u64(offset) || !cevm_u256_fits_u64(size) || offset->w[0] > CEVM_MEMORY_MAX ||
        size->w[0] > CEVM_MEMORY_MAX) {
        return charge_too_much(f);
    }
    const uint64_t end = offset->w[0] + size->w[0];
    return end <= f->memory_size ? OP_NEXT : cevm_memory_grow(f, end);
}

/** The same for a small constant size. */
static inline int memory_expand_fixed(cevm_frame *f, const cevm_u256 *offset, uint64_t size)
{
    if (!cevm_u256_fits_u64(offset) || offset->w[0] > CEVM_MEMORY_MAX) {
        return charge_too_much(f);
    }
    const uint64_t end = offset->w[0] + size;
    return end <= f->memory_size ? OP_NEXT : cevm_memory_grow(f, end);
}

/** Whether [offset, offset + size) is memory that is there. */
static inline bool memory_has(const cevm_frame *f, const cevm_u256 *offset, uint64_t size)
{
    return ((offset->w[0] >> 32) | offset->w[1] | offset->w[2] | offset->w[3]) == 0 &&
           offset->w[0] + size <= f->memory_size;
}

/** Begins vm->pending: pushes a frame, or does it at once (precompile, no code, refused) and delivers the result. */
int cevm_message_begin(cevm_vm *vm);

/** Ends the running frame with a status and delivers the result to its caller, if it has one. */
int cevm_frame_end(cevm_vm *vm, int status);

/** Runs the top frame until it ends (a status), calls (OP_CHILD), fails (OP_ERROR) or becomes hot (OP_HOT). */
int cevm_exact_run(cevm_frame *f);

#endif
