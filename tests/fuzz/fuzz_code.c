/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Code at any fork. The first byte of the input is the fork and how the rest is read, the next two are the gas, then comes
 * one for each word of calldata; what follows are three contracts that may call each other and themselves. Most inputs are
 * read as a program being written: a byte is an instruction, whose words are made first if the stack has not enough of
 * them, and jumps lead to JUMPDESTs; bytes that are no opcode repeat what was there or work on words. The others are bytes
 * as they are. Inputs are short at first, and programs have to be long to be worth something: most go on with bytes of
 * chance, for which the input is the seed.
 *
 * Neither engine, nor code that gets hot, nor a tracer changes anything: how the execution ends, gas, refund, output, stack,
 * memory, everything asked of the host in order, and with the real one the state root. The same holds with less gas, which
 * runs out somewhere in the middle.
 */
#include <stdlib.h>

#include "tests/property/mock_host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER = 6, CODE_SIZE = 1500, ROOM = 64, HOLES = 32, EDGES = 32, TIMES = 4, AS_IT_IS = 0xe0, NEWEST = 0x40 };
/* Bytes that are no opcodes. */
enum { IDIOMS = 0xe0, IDIOMS_END = 0xef };

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

/** What is left of the input, and how much of chance comes behind it. */
typedef struct source {
    const uint8_t *data;
    size_t size;
    size_t more;
    uint64_t random;
} source;

static uint8_t next(source *s)
{
    if (s->size == 0) {
        s->more -= s->more != 0;
        return s->more != 0 ? (uint8_t)(random_next(&s->random) >> 56) : 0;
    }
    --s->size;
    return *s->data++;
}

/** A word at a limit of something. */
static cevm_u256 edge(unsigned i)
{
    static const uint64_t small[] = {0,   1,   2,          3,          5,          8,
                                     31,  32,  33,         64,         100,        255,
                                     256, 257, 0xffffffff, 1ull << 32, MOCK_BASE,  MOCK_BASE + 1,
                                     300, 299, 0x1000,     INT64_MAX,  1ull << 63, UINT64_MAX};
    enum { SMALL = sizeof small / sizeof small[0] };
    const cevm_u256 one = cevm_u256_from_u64(1);
    const cevm_u256 five = cevm_u256_from_u64(5);
    i %= EDGES;
    switch (i) {
    case SMALL: return (cevm_u256){{0, 1, 0, 0}};
    case SMALL + 1: return (cevm_u256){{0, 0, 1, 0}};
    case SMALL + 2: return u256_shl_u(&one, 200);
    case SMALL + 3: return u256_shl_u(&one, 255);
    case SMALL + 4: return (cevm_u256){{UINT64_MAX, UINT64_MAX, UINT64_MAX, INT64_MAX}};
    case SMALL + 5: return u256_max();
    case SMALL + 6: return u256_neg(&five);
    case SMALL + 7:
        return (cevm_u256){{0x8123456789abcdef, 0xfedcba9876543210, 0x0f1e2d3c4b5a6978, 0x7766554433221100}};
    default: return cevm_u256_from_u64(small[i]);
    }
}

/* Programs --------------------------------------------------------------------------------------------------------- */

/** A program being written. */
typedef struct program {
    const cevm_op_info *ops;
    uint8_t code[CODE_SIZE + ROOM];
    size_t size;
    int height;          /* words on the stack here, as far as can be told */
    size_t holes[HOLES]; /* places of two bytes that want a JUMPDEST ahead */
    size_t hole_count;
    size_t behind; /* the last JUMPDEST */
} program;

static void put(program *p, uint8_t byte)
{
    if (p->size < sizeof p->code) {
        p->code[p->size++] = byte;
    }
}

static void put_op(program *p, uint8_t op)
{
    put(p, op);
    p->height += (int)p->ops[op].out - (int)p->ops[op].in;
}

static void put_word(program *p, const cevm_u256 *v)
{
    uint8_t be[32];
    cevm_u256_to_be(be, v);
    unsigned skip = 0;
    while (skip < 31 && be[skip] == 0) {
        ++skip;
    }
    put_op(p, (uint8_t)(OP_PUSH1 + 31 - skip));
    for (; skip < 32; ++skip) {
        put(p, be[skip]);
    }
}

static void put_small(program *p, uint64_t value)
{
    const cevm_u256 v = cevm_u256_from_u64(value);
    put_word(p, &v);
}

/** A word of any kind: a constant, one that the decoder cannot know, or one that is there already. */
static void put_any_word(program *p, source *s)
{
    const uint8_t kind = next(s);
    const cevm_u256 limit = edge(kind);
    switch (kind >> 5) {
    case 0:
    case 1:
    case 2: put_word(p, &limit); break;
    case 3:
    case 4:
        put_small(p, kind % 8U * 32);
        put_op(p, OP_CALLDATALOAD);
        break;
    case 5: put_op(p, OP_CALLER); break;
    case 6: put_small(p, next(s)); break;
    default:
        if (p->height > kind % 16) {
            put_op(p, (uint8_t)(OP_DUP1 + kind % 16));
        } else {
            put_op(p, OP_MSIZE);
        }
        break;
    }
}

/** PUSH2 of a place that is not known yet, or of the one behind, or of anything. */
static void put_target(program *p, source *s)
{
    const uint8_t kind = next(s);
    put_op(p, OP_PUSH2);
    if (kind < 192 && p->hole_count < HOLES) {
        p->holes[p->hole_count++] = p->size;
    }
    const size_t target = kind < 240 ? p->behind : next(s);
    put(p, (uint8_t)(target >> 8));
    put(p, (uint8_t)target);
    if (kind % 8 == 7) { /* no constant any more */
        put_small(p, 0);
        put_op(p, OP_CALLDATALOAD);
        put_op(p, OP_DUP1);
        put_op(p, OP_XOR);
        put_op(p, OP_XOR);
    }
}

/** JUMPDEST: every second hole leads here, or all of them. */
static void put_jumpdest(program *p, bool all)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->hole_count; ++i) {
        const size_t at = p->holes[i];
        if (!all && i % 2 == 1) {
            p->holes[kept++] = at;
        } else if (at + 1 < p->size) {
            p->code[at] = (uint8_t)(p->size >> 8);
            p->code[at + 1] = (uint8_t)p->size;
        }
    }
    p->hole_count = kept;
    p->behind = p->size;
    put(p, OP_JUMPDEST);
}

static bool is_between(uint8_t op, uint8_t first, uint8_t last) { return op >= first && op <= last; }

/** How many of the words on top an instruction takes as places in memory and sizes, or as what has to be small. */
static unsigned small_words(uint8_t op)
{
    switch (op) {
    case OP_MLOAD:
    case OP_MSTORE:
    case OP_MSTORE8: return 1;
    case OP_KECCAK256:
    case OP_RETURN:
    case OP_REVERT: return 2;
    case OP_CALLDATACOPY:
    case OP_CODECOPY:
    case OP_RETURNDATACOPY:
    case OP_MCOPY:
    case OP_CREATE: return 3;
    case OP_EXTCODECOPY:
    case OP_CREATE2: return 4;
    default: return is_between(op, OP_LOG0, OP_LOG4) ? 2 : 0;
    }
}

/** CALL and its like. */
static void put_call(program *p, source *s, uint8_t op)
{
    for (int i = 0; i < 4; ++i) {
        put_small(p, next(s));
    }
    if (op == OP_CALL || op == OP_CALLCODE) {
        put_small(p, next(s) / 128);
    }
    const uint8_t to = next(s);
    put_small(p, to < 192 ? MOCK_BASE + to % (MOCK_CONTRACTS + 1U) : to % 20U);
    put_small(p, next(s) * 100U);
    put_op(p, op);
}

static void put_instruction(program *p, source *s, uint8_t op)
{
    const cevm_op_info *info = &p->ops[op];
    const bool ends = op == OP_STOP || op == OP_RETURN || op == OP_REVERT || op == OP_INVALID ||
                      op == OP_SELFDESTRUCT || info->span == 0;
    if (ends && next(s) < 0xf0) {
        return;
    }
    if (op == OP_JUMPDEST) {
        put_jumpdest(p, false);
    } else if (op >= OP_PUSH1 && op <= OP_PUSH32) {
        const cevm_u256 v = edge(next(s));
        put_word(p, &v);
    } else if (is_between(op, OP_CALL, OP_CALLCODE) || op == OP_DELEGATECALL || op == OP_STATICCALL) {
        put_call(p, s, op);
    } else {
        const bool jumps = op == OP_JUMP || op == OP_JUMPI;
        const int small = (int)small_words(op);
        while (p->size < CODE_SIZE && p->height < (int)info->in - small - jumps) {
            put_any_word(p, s);
        }
        for (int i = 0; i < small && (i == 0 || p->size < CODE_SIZE); ++i) {
            const uint8_t n = next(s);
            put_small(p, n < 250 ? n % 128U : n * 1000U);
        }
        if (jumps) {
            put_target(p, s);
        }
        put_op(p, op);
    }
}

/** The instruction that a byte stands for: the one before it once more, or one of those whose meetings matter most. */
static uint8_t meant_by(const program *p, uint8_t byte, uint8_t before)
{
    static const uint8_t words[] = {
        OP_NOT,   OP_ISZERO, OP_CLZ,  OP_ADD,    OP_SUB,        OP_MUL, OP_DIV,   OP_MOD,    OP_AND,   OP_OR,   OP_XOR,
        OP_LT,    OP_GT,     OP_SLT,  OP_SGT,    OP_EQ,         OP_SHL, OP_SHR,   OP_SAR,    OP_BYTE,  OP_DUP1, OP_DUP2,
        OP_SWAP1, OP_SWAP2,  OP_SDIV, OP_MULMOD, OP_SIGNEXTEND, OP_POP, OP_MLOAD, OP_MSTORE, OP_JUMPI, OP_PUSH1};
    if (p->ops[byte].span != 0 || byte == OP_INVALID) {
        return byte;
    }
    return byte % 3 == 0 ? before : words[byte / 3 % sizeof words];
}

/** What compilers write: a comparison of a selector, a jump to a jump, a loop that counts down. */
static void put_idiom(program *p, source *s)
{
    const uint8_t kind = next(s);
    const cevm_u256 v = edge(next(s));
    if (p->height == 0) {
        put_any_word(p, s);
    }
    switch (kind % 4) {
    case 0:
        put_jumpdest(p, false);
        put_target(p, s);
        put_op(p, OP_JUMP);
        break;
    case 1:
        put_jumpdest(p, false);
        put_small(p, 1);
        put_op(p, OP_SWAP1);
        put_op(p, OP_SUB);
        put_op(p, OP_DUP1);
        put_small(p, p->behind);
        put_op(p, OP_JUMPI);
        break;
    default:
        put_op(p, (uint8_t)(OP_DUP1 + (kind / 4 % 8 == 7 && p->height > 1)));
        put_word(p, &v);
        put_op(p, kind / 32 == 7 ? OP_GT : OP_EQ);
        put_target(p, s);
        put_op(p, OP_JUMPI);
        break;
    }
}

/** Writes a program of at most `share` bytes of the input. */
static void write_program(program *p, source *s, size_t share, bool as_it_is)
{
    source own = *s;
    own.size = share < s->size ? share : s->size;
    s->random = random_next(&own.random);
    s->data += own.size;
    s->size -= own.size;
    p->size = 0;
    p->height = 0;
    p->hole_count = 0;
    p->behind = 0;
    uint8_t before = OP_JUMPDEST;
    while (own.size + own.more != 0 && p->size < CODE_SIZE) {
        const uint8_t byte = next(&own);
        if (as_it_is) {
            put(p, byte);
        } else if (is_between(byte, IDIOMS, IDIOMS_END)) {
            put_idiom(p, &own);
        } else {
            before = meant_by(p, byte, before);
            put_instruction(p, &own, before);
        }
    }
    if (!as_it_is) { /* an end that shows stack and memory */
        put_jumpdest(p, true);
        put_small(p, 64);
        put_small(p, 0);
        put(p, OP_RETURN);
    }
}

/* Executions ------------------------------------------------------------------------------------------------------- */

typedef struct subject {
    program programs[MOCK_CONTRACTS];
    mock_host host;
    uint8_t input[32 * (HEADER - 3) + 5];
    cevm_fork fork;
} subject;

static cevm_vm *make_vm(cevm_engine engine)
{
    const cevm_vm_config config = {.struct_size = sizeof config, .memory_limit = 1 << 20, .engine = engine};
    cevm_vm *vm;
    must(cevm_vm_create(&vm, &config) == CEVM_OK);
    return vm;
}

static mock_outcome execute(cevm_vm *vm, subject *s, int64_t gas)
{
    const mock_outcome out = mock_execute(vm, &s->host, s->fork, gas, (cevm_bytes){s->input, sizeof s->input});
    must(out.err != CEVM_OK || (out.gas.left >= 0 && out.gas.left <= gas));
    must(out.err != CEVM_OK || !cevm_status_is_halt(out.status) || (out.gas.left == 0 && out.output_size == 0));
    return out;
}

static bool same(const mock_outcome *a, const mock_outcome *b) { return memcmp(a, b, sizeof *a) == 0; }

/** Both engines, with enough gas and with less. */
static void compare_engines(subject *s, int64_t gas, uint8_t less)
{
    cevm_vm *exact = make_vm(CEVM_ENGINE_EXACT);
    cevm_vm *block = make_vm(CEVM_ENGINE_BLOCK);
    const mock_outcome a = execute(exact, s, gas);
    const mock_outcome b = execute(block, s, gas);
    must(same(&a, &b));
    const int64_t used = gas - a.gas.left;
    const int64_t limits[] = {used - 1 - less % 16, used * less / 256};
    for (size_t i = 0; a.err == CEVM_OK && i < sizeof limits / sizeof limits[0]; ++i) {
        const int64_t limit = limits[i] > 0 ? limits[i] : 0;
        const mock_outcome x = execute(exact, s, limit);
        const mock_outcome y = execute(block, s, limit);
        must(same(&x, &y));
    }
    cevm_vm_destroy(exact);
    cevm_vm_destroy(block);
}

/** The way from one engine to the other, for which code has to run some times. */
static void compare_hot(subject *s, int64_t gas)
{
    cevm_vm *exact = make_vm(CEVM_ENGINE_EXACT);
    cevm_vm *automatic = make_vm(CEVM_ENGINE_AUTO);
    const mock_outcome a = execute(exact, s, gas);
    for (int i = 0; i < TIMES; ++i) {
        const mock_outcome b = execute(automatic, s, gas);
        must(same(&a, &b));
    }
    cevm_vm_destroy(exact);
    cevm_vm_destroy(automatic);
}

/** What a message came to over the library's own host. */
typedef struct outcome {
    cevm_err err;
    cevm_status status;
    cevm_gas gas;
    cevm_hash output, root;
} outcome;

typedef struct steps {
    int64_t most;
    uint64_t sum;
} steps;

static void check_step(void *ctx, const cevm_step *step)
{
    steps *s = ctx;
    s->sum += step->pc + step->stack_size + step->memory.size;
    must(step->gas >= 0 && step->gas <= s->most && step->stack_size <= CEVM_STACK_LIMIT);
}

static cevm_address contract_address(unsigned i)
{
    const cevm_u256 n = cevm_u256_from_u64(MOCK_BASE + i);
    return cevm_address_from_u256(&n);
}

static outcome run(const subject *s, int64_t gas, cevm_engine engine, const cevm_tracer *tracer)
{
    const cevm_u256 balance = cevm_u256_from_u64(1000);
    cevm_memdb *store;
    cevm_state *state;
    must(cevm_memdb_create(&store, NULL) == CEVM_OK);
    for (unsigned i = 0; i < MOCK_CONTRACTS; ++i) {
        const cevm_address address = contract_address(i);
        const cevm_u256 key = cevm_u256_from_u64(i), value = cevm_u256_from_u64(i + 1);
        must(cevm_memdb_set_account(store, &address, &balance, 1, s->host.code[i].bytes) == CEVM_OK);
        must(cevm_memdb_set_storage(store, &address, &key, &value) == CEVM_OK);
    }
    const cevm_db db = cevm_memdb_interface(store);
    must(cevm_state_create(&state, &db, NULL) == CEVM_OK);
    must(cevm_state_begin_tx(state, s->fork) == CEVM_OK);
    cevm_vm *vm = make_vm(engine);
    const cevm_block_env block = {.fork = s->fork, .number = 300, .gas_limit = 30000000, .chain_id = 1};
    const cevm_tx_env tx = {.origin = {{[19] = 0xca}}};
    const cevm_message call = {.kind = CEVM_CALL,
                               .gas = gas,
                               .sender = tx.origin,
                               .recipient = contract_address(0),
                               .code_address = contract_address(0),
                               .input = {s->input, sizeof s->input}};
    const cevm_host host = cevm_state_host(state);
    cevm_result result = {0};
    outcome out;
    memset(&out, 0, sizeof out);
    out.err = cevm_vm_execute(vm, &result, &call, &block, &tx, &host, tracer);
    must(out.err == CEVM_OK || out.err == CEVM_ERR_NOT_BUILT || out.err == CEVM_ERR_LIMIT);
    if (out.err == CEVM_OK) {
        out.status = result.status;
        out.gas = result.gas;
        cevm_keccak256(&out.output, result.output.data, result.output.size);
        must(cevm_state_end_tx(state) == CEVM_OK);
        must(cevm_state_commit_root(state, &out.root) == CEVM_OK);
    }
    cevm_vm_destroy(vm);
    cevm_state_destroy(state);
    cevm_memdb_destroy(store);
    return out;
}

/** The same with a tracer, and with the state that the library brings. */
static void compare_over_state(const subject *s, int64_t gas)
{
    steps seen = {.most = gas};
    const cevm_tracer tracer = {.struct_size = sizeof tracer, .ctx = &seen, .on_step = check_step};
    const outcome plain = run(s, gas, CEVM_ENGINE_EXACT, NULL);
    const outcome traced = run(s, gas, CEVM_ENGINE_EXACT, &tracer);
    const outcome block = run(s, gas, CEVM_ENGINE_BLOCK, NULL);
    must(memcmp(&plain, &traced, sizeof plain) == 0 && memcmp(&plain, &block, sizeof plain) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static subject s;
    if (size < HEADER) {
        return 0;
    }
    const bool as_it_is = data[0] >= AS_IT_IS;
    source rest = {data + HEADER, size - HEADER, data[3] < 0xc0 ? data[4] : 0, 1};
    for (size_t i = 0; i < size; ++i) {
        rest.random = (rest.random ^ data[i]) * UINT64_C(0x100000001b3);
    }
    s.fork = (cevm_fork)((data[0] & NEWEST) != 0 ? CEVM_FORK_COUNT - 1 : data[0] % NEWEST % CEVM_FORK_COUNT);
    const int64_t gas = 1000 + (int64_t)data[1] * 256 + data[2];
    for (unsigned i = 0; i < HEADER - 3; ++i) {
        const cevm_u256 v = edge(data[3 + i]);
        cevm_u256_to_be(s.input + (size_t)32 * i, &v);
    }
    const size_t shares[MOCK_CONTRACTS] = {rest.size / 2, rest.size / 4, rest.size};
    for (unsigned i = 0; i < MOCK_CONTRACTS; ++i) {
        program *p = &s.programs[i];
        p->ops = cevm_op_tables[s.fork];
        write_program(p, &rest, shares[i], as_it_is);
        s.host.code[i].bytes = (cevm_bytes){p->code, p->size};
        cevm_keccak256(&s.host.code[i].hash, p->code, p->size);
    }
    compare_engines(&s, gas, data[2]);
    if (data[1] % 4 == 0) {
        compare_hot(&s, gas);
    } else if (data[1] % 4 == 1) {
        compare_over_state(&s, gas);
    }
    return 0;
}
