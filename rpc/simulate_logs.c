/* SPDX-License-Identifier: Apache-2.0 */
/* Logs and transfers of ether, in the order in which they happened; those of frames that failed are forgotten. */
#include "chain/receipts.h"
#include "evm/opcodes.h"
#include "rpc/simulate.h"

/** Where ether is named like a token (ERC-7528). */
static const cevm_address ether = {{0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee,
                                    0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee, 0xee}};
/** keccak256("Transfer(address,address,uint256)"). */
static const cevm_hash transfer_topic = {{0xdd, 0xf2, 0x52, 0xad, 0x1b, 0xe2, 0xc8, 0x9b, 0x69, 0xc2, 0xb0,
                                          0x68, 0xfc, 0x37, 0x8d, 0xaa, 0x95, 0x2b, 0xa7, 0xf1, 0x63, 0xc4,
                                          0xa1, 0x16, 0x28, 0xf5, 0x5a, 0x4d, 0xf5, 0x23, 0xb3, 0xef}};

/** Room for one more item; false when memory runs out. */
static bool reserve(cevm_transfer_logs *t, void **items, size_t *capacity, size_t count, size_t size)
{
    if (count < *capacity) {
        return true;
    }
    const size_t wanted = 2 * *capacity + 16;
    void *grown = cevm_arena_array(t->arena, wanted, size);
    if (grown == NULL) {
        t->failed = true;
        return false;
    }
    if (count != 0) {
        memcpy(grown, *items, count * size);
    }
    *items = grown;
    *capacity = wanted;
    return true;
}

static void add(cevm_transfer_logs *t, const cevm_log *log)
{
    void *logs = t->logs;
    const cevm_log *copy = NULL;
    if (!reserve(t, &logs, &t->capacity, t->count, sizeof *t->logs) ||
        cevm_copy_logs(&copy, log, 1, t->arena) != CEVM_OK) {
        t->failed = true;
        return;
    }
    t->logs = logs;
    t->logs[t->count++] = *copy;
}

static cevm_log transfer_log(const cevm_address *from, const cevm_address *to, const uint8_t value[32])
{
    cevm_log log = {.address = ether, .topic_count = 3, .data = {value, 32}};
    log.topics[0] = transfer_topic;
    memcpy(log.topics[1].bytes + 12, from->bytes, sizeof from->bytes);
    memcpy(log.topics[2].bytes + 12, to->bytes, sizeof to->bytes);
    return log;
}

static void enter_frame(void *ctx, const cevm_message *msg, uint32_t depth)
{
    cevm_transfer_logs *t = ctx;
    void *frames = t->frames;
    (void)depth;
    if (!reserve(t, &frames, &t->frame_capacity, t->depth, sizeof *t->frames)) {
        return;
    }
    t->frames = frames;
    t->frames[t->depth++] = t->count;
    if (msg->kind != CEVM_DELEGATECALL && !cevm_u256_is_zero(&msg->value)) {
        uint8_t value[32];
        const cevm_address *to = msg->kind == CEVM_CALLCODE ? &msg->code_address : &msg->recipient;
        cevm_u256_to_be(value, &msg->value);
        const cevm_log log = transfer_log(&msg->sender, to, value);
        add(t, &log);
    }
}

static void leave_frame(void *ctx, const cevm_result *result, uint32_t depth)
{
    cevm_transfer_logs *t = ctx;
    (void)depth;
    if (t->depth == 0) { /* memory ran out when it was entered */
        return;
    }
    --t->depth;
    if (!cevm_status_is_success(result->status)) {
        t->count = t->frames[t->depth];
    }
}

static void see_log(void *ctx, const cevm_log *log) { add(ctx, log); }

/** A SELFDESTRUCT moves the balance without a frame of its own. */
static void see_step(void *ctx, const cevm_step *step)
{
    cevm_transfer_logs *t = ctx;
    cevm_account_info account;
    t->has_pending = false;
    if (step->op != OP_SELFDESTRUCT || step->stack_size == 0 ||
        cevm_state_get_account(t->state, &account, step->address) != CEVM_OK || cevm_u256_is_zero(&account.balance)) {
        return;
    }
    uint8_t *value = cevm_arena_alloc(t->arena, 32);
    if (value == NULL) {
        t->failed = true;
        return;
    }
    const cevm_address to = cevm_address_from_u256(&step->stack[step->stack_size - 1]);
    cevm_u256_to_be(value, &account.balance);
    t->pending = transfer_log(step->address, &to, value);
    t->has_pending = true;
}

static void see_step_end(void *ctx, int64_t gas_cost, int status)
{
    cevm_transfer_logs *t = ctx;
    (void)gas_cost;
    if (t->has_pending && (status < 0 || cevm_status_is_success((cevm_status)status))) {
        add(t, &t->pending);
    }
    t->has_pending = false;
}

const cevm_tracer *cevm_transfer_logs_begin(cevm_transfer_logs *out, cevm_state *state, cevm_arena *arena)
{
    *out = (cevm_transfer_logs){.state = state, .arena = arena};
    out->tracer = (cevm_tracer){
        .struct_size = sizeof out->tracer,
        .ctx = out,
        .on_enter = enter_frame,
        .on_exit = leave_frame,
        .on_step = see_step,
        .on_step_end = see_step_end,
        .on_log = see_log,
    };
    return &out->tracer;
}
