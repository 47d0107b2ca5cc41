/* SPDX-License-Identifier: Apache-2.0 */
/* A tracer: the tree of calls, with the instructions of each frame counted. Any hook may be left out. */
#include <cevm/cevm.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct counts {
    unsigned long steps[1026]; /* by depth: 1 to 1025 */
} counts;

static const char *const kinds[] = {"CALL", "CALLCODE", "DELEGATECALL", "STATICCALL", "CREATE", "CREATE2"};

static void on_enter(void *ctx, const struct cevm_message *message, uint32_t depth)
{
    counts *c = ctx;
    c->steps[depth] = 0;
    printf("%*s%s to ..%02x with %lld gas\n", 2 * (int)depth - 2, "", kinds[message->kind],
           message->recipient.bytes[19], (long long)message->gas);
}

static void on_step(void *ctx, const cevm_step *step)
{
    counts *c = ctx;
    ++c->steps[step->depth];
    if (step->op == 0x55) { /* the stack is as the instruction finds it */
        printf("%*sSSTORE %llu = %llu\n", 2 * (int)step->depth, "",
               (unsigned long long)step->stack[step->stack_size - 1].w[0],
               (unsigned long long)step->stack[step->stack_size - 2].w[0]);
    }
}

static void on_exit_frame(void *ctx, const struct cevm_result *result, uint32_t depth)
{
    const counts *c = ctx;
    printf("%*s%s after %lu instructions, %lld gas left\n", 2 * (int)depth - 2, "", cevm_status_string(result->status),
           c->steps[depth], (long long)result->gas.left);
}

int main(void)
{
    /* c0 calls c1 with 50000 gas; c1 writes 7 to slot 1. */
    static const uint8_t caller_code[] = {0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x60, 0xc1, 0x61, 0xc3, 0x50, 0xf1};
    static const uint8_t callee_code[] = {0x60, 7, 0x60, 1, 0x55};
    const cevm_address c0 = {{[19] = 0xc0}}, c1 = {{[19] = 0xc1}}, sender = {{[19] = 0xca}};
    const cevm_u256 zero = {{0}};
    const cevm_block_env block = {.fork = CEVM_OSAKA, .number = 1, .gas_limit = 30000000, .chain_id = 1};
    const cevm_tx_env tx = {.origin = sender};
    const cevm_message message = {
        .kind = CEVM_CALL, .gas = 100000, .sender = sender, .recipient = c0, .code_address = c0};
    counts c = {{0}};
    const cevm_tracer tracer = {
        .struct_size = sizeof tracer, .ctx = &c, .on_enter = on_enter, .on_exit = on_exit_frame, .on_step = on_step};
    cevm_memdb *store = NULL;
    cevm_state *state = NULL;
    cevm_vm *vm = NULL;
    cevm_result result;
    bool ok = cevm_memdb_create(&store, NULL) == CEVM_OK && cevm_vm_create(&vm, NULL) == CEVM_OK &&
              cevm_memdb_set_account(store, &c0, &zero, 1, (cevm_bytes){caller_code, sizeof caller_code}) == CEVM_OK &&
              cevm_memdb_set_account(store, &c1, &zero, 1, (cevm_bytes){callee_code, sizeof callee_code}) == CEVM_OK;
    if (ok) {
        const cevm_db db = cevm_memdb_interface(store);
        ok = cevm_state_create(&state, &db, NULL) == CEVM_OK && cevm_state_begin_tx(state, block.fork) == CEVM_OK;
    }
    if (ok) {
        const cevm_host host = cevm_state_host(state);
        ok = cevm_vm_execute(vm, &result, &message, &block, &tx, &host, &tracer) == CEVM_OK;
    }
    cevm_vm_destroy(vm);
    cevm_state_destroy(state);
    cevm_memdb_destroy(store);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
// prints: CALL to ..c0 with 100000 gas
// prints:   CALL to ..c1 with 50000 gas
// prints:     SSTORE 1 = 7
// prints:   stop after 4 instructions, 27894 gas left
// prints: stop after 9 instructions, 75278 gas left
