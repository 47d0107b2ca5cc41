/* SPDX-License-Identifier: Apache-2.0 */
/* Level one: one message over a host of your own. The state is a struct of this program; the library keeps none. */
#include <cevm/cevm.h>
#include <stdio.h>
#include <stdlib.h>

enum { ACCOUNTS = 8, SLOTS = 16, UNDO = 4096 };

typedef struct slot {
    bool used, warm;
    cevm_u256 key, value, original;
} slot;

typedef struct account {
    bool used, warm;
    cevm_address address;
    cevm_u256 balance;
    uint64_t nonce;
    cevm_code code;
    slot slots[SLOTS];
} account;

/* Every change is noted with what was there, so that revert can put it back. */
typedef struct undo {
    void *where;
    cevm_u256 old; /* as many bytes of it as were changed */
    size_t size;
} undo;

typedef struct world {
    account accounts[ACCOUNTS];
    undo log[UNDO];
    size_t log_size;
} world;

static cevm_err change(world *w, void *where, const void *value, size_t size)
{
    if (w->log_size == UNDO) {
        return CEVM_ERR_LIMIT; /* ends the execution: cevm_vm_execute reverts and returns it */
    }
    undo *u = &w->log[w->log_size++];
    u->where = where;
    u->size = size;
    memcpy(&u->old, where, size);
    memcpy(where, value, size);
    return CEVM_OK;
}

static cevm_err mark(world *w, bool *flag) { return *flag ? CEVM_OK : change(w, flag, &(bool){true}, sizeof *flag); }

/* The account at an address; makes an empty one when there is none. NULL when all are taken. */
static account *find(world *w, const cevm_address *address)
{
    for (size_t i = 0; i < ACCOUNTS; ++i) {
        account *a = &w->accounts[i];
        if (!a->used) {
            *a = (account){.used = true, .address = *address, .code = {.hash = cevm_empty_code_hash}};
        }
        if (cevm_address_equal(&a->address, address)) {
            return a;
        }
    }
    return NULL;
}

static slot *find_slot(world *w, const cevm_address *address, const cevm_u256 *key)
{
    account *a = find(w, address);
    for (size_t i = 0; a != NULL && i < SLOTS; ++i) {
        slot *s = &a->slots[i];
        if (!s->used) {
            *s = (slot){.used = true, .key = *key};
        }
        if (cevm_u256_equal(&s->key, key)) {
            return s;
        }
    }
    return NULL;
}

static cevm_err load_account(void *ctx, cevm_account_info *out, const cevm_address *address, bool skip_cold)
{
    account *a = find(ctx, address);
    if (a == NULL) {
        return CEVM_ERR_LIMIT;
    }
    *out = (cevm_account_info){.balance = a->balance, .nonce = a->nonce, .code_hash = a->code.hash, .cold = !a->warm};
    out->exists = !cevm_account_info_is_empty(out);
    out->skipped = skip_cold && out->cold;
    return out->skipped ? CEVM_OK : mark(ctx, &a->warm);
}

static cevm_err load_code(void *ctx, cevm_code *out, const cevm_address *address)
{
    const account *a = find(ctx, address);
    if (a != NULL) {
        *out = a->code;
    }
    return a != NULL ? CEVM_OK : CEVM_ERR_LIMIT;
}

static cevm_err sload(void *ctx, cevm_slot_info *out, const cevm_address *address, const cevm_u256 *key, bool skip_cold)
{
    slot *s = find_slot(ctx, address, key);
    if (s == NULL) {
        return CEVM_ERR_LIMIT;
    }
    *out = (cevm_slot_info){.value = s->value, .cold = !s->warm, .skipped = skip_cold && !s->warm};
    return out->skipped ? CEVM_OK : mark(ctx, &s->warm);
}

static cevm_err sstore(void *ctx, cevm_sstore_info *out, const cevm_address *address, const cevm_u256 *key,
                       const cevm_u256 *value, bool skip_cold)
{
    slot *s = find_slot(ctx, address, key);
    if (s == NULL) {
        return CEVM_ERR_LIMIT;
    }
    *out = (cevm_sstore_info){.original = s->original, .current = s->value, .cold = !s->warm};
    out->skipped = skip_cold && out->cold;
    if (out->skipped) {
        return CEVM_OK;
    }
    const cevm_err err = mark(ctx, &s->warm);
    return err != CEVM_OK ? err : change(ctx, &s->value, value, sizeof *value);
}

static cevm_err transfer(void *ctx, const cevm_address *from, const cevm_address *to, const cevm_u256 *value)
{
    (void)ctx, (void)from, (void)to;
    return cevm_u256_is_zero(value) ? CEVM_OK : CEVM_ERR_BACKEND; /* nobody owns anything in this world */
}

static cevm_err warm_account(void *ctx, const cevm_address *address)
{
    account *a = find(ctx, address);
    return a != NULL ? mark(ctx, &a->warm) : CEVM_ERR_LIMIT;
}

static cevm_err log_record(void *ctx, const cevm_log *log)
{
    (void)ctx;
    printf("log with %u topics\n", (unsigned)log->topic_count);
    return CEVM_OK;
}

static cevm_checkpoint checkpoint(void *ctx) { return (cevm_checkpoint){.journal = ((world *)ctx)->log_size}; }

static void revert(void *ctx, cevm_checkpoint to)
{
    world *w = ctx;
    while (w->log_size > to.journal) {
        const undo *u = &w->log[--w->log_size];
        memcpy(u->where, &u->old, u->size);
    }
}

/*
 * What this world has not, contracts that make contracts say, ends the execution with an error instead of a wrong
 * result.
 */
static cevm_err no_address(void *ctx, const cevm_address *address)
{
    return (void)ctx, (void)address, CEVM_ERR_BACKEND;
}
static cevm_err no_code(void *ctx, const cevm_address *address, cevm_bytes code)
{
    return (void)ctx, (void)address, (void)code, CEVM_ERR_BACKEND;
}
static cevm_err no_tload(void *ctx, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key)
{
    return (void)ctx, (void)out, (void)address, (void)key, CEVM_ERR_BACKEND;
}
static cevm_err no_tstore(void *ctx, const cevm_address *address, const cevm_u256 *key, const cevm_u256 *value)
{
    return (void)ctx, (void)address, (void)key, (void)value, CEVM_ERR_BACKEND;
}
static cevm_err no_hash(void *ctx, cevm_hash *out, uint64_t number)
{
    return (void)ctx, (void)out, (void)number, CEVM_ERR_BACKEND;
}
static cevm_err no_selfdestruct(void *ctx, cevm_selfdestruct_info *out, const cevm_address *address,
                                const cevm_address *beneficiary)
{
    return (void)ctx, (void)out, (void)address, (void)beneficiary, CEVM_ERR_BACKEND;
}

static const cevm_host_vtable functions = {
    .struct_size = sizeof functions,
    .load_account = load_account,
    .load_code = load_code,
    .sload = sload,
    .sstore = sstore,
    .tload = no_tload,
    .tstore = no_tstore,
    .block_hash = no_hash,
    .warm_account = warm_account,
    .transfer = transfer,
    .create_account = no_address,
    .increment_nonce = no_address,
    .set_code = no_code,
    .selfdestruct = no_selfdestruct,
    .log = log_record,
    .checkpoint = checkpoint,
    .revert = revert,
};

/* Adds one to slot 0 and logs; reverts when it was called with input. */
static const uint8_t counter[] = {
    0x5f, 0x54, 0x60, 1,    0x01, 0x5f, 0x55, /* PUSH0 SLOAD PUSH1 1 ADD PUSH0 SSTORE */
    0x5f, 0x5f, 0xa0,                         /* PUSH0 PUSH0 LOG0 */
    0x36, 0x60, 15,   0x57, 0x00,             /* CALLDATASIZE PUSH1 15 JUMPI STOP */
    0x5b, 0x5f, 0x5f, 0xfd,                   /* JUMPDEST PUSH0 PUSH0 REVERT */
};

static bool call(cevm_vm *vm, world *w, cevm_bytes input)
{
    const cevm_address contract = {{[19] = 0xc0}}, caller = {{[19] = 0xca}};
    const cevm_block_env block = {.fork = CEVM_OSAKA, .number = 1, .gas_limit = 30000000, .chain_id = 1};
    const cevm_tx_env tx = {.origin = caller};
    const cevm_host host = {.vtable = &functions, .ctx = w};
    const cevm_message message = {.kind = CEVM_CALL,
                                  .gas = 100000,
                                  .sender = caller,
                                  .recipient = contract,
                                  .code_address = contract,
                                  .input = input};
    cevm_result result;
    const cevm_err err = cevm_vm_execute(vm, &result, &message, &block, &tx, &host, NULL);
    if (err != CEVM_OK) {
        printf("%s\n", cevm_err_string(err));
        return false;
    }
    const cevm_u256 zero = {{0}};
    const slot *s = find_slot(w, &contract, &zero);
    printf("%s, gas used %lld, counter %llu\n", cevm_status_string(result.status),
           (long long)(message.gas - result.gas.left), s != NULL ? (unsigned long long)s->value.w[0] : 0);
    return true;
}

int main(void)
{
    const cevm_address contract = {{[19] = 0xc0}};
    world *w = calloc(1, sizeof *w);
    cevm_vm *vm = NULL;
    bool ok = w != NULL && cevm_vm_create(&vm, NULL) == CEVM_OK;
    if (ok) {
        account *a = find(w, &contract);
        a->nonce = 1;
        a->code.bytes = (cevm_bytes){counter, sizeof counter};
        cevm_keccak256(&a->code.hash, counter, sizeof counter);
        ok = call(vm, w, (cevm_bytes){NULL, 0}) && call(vm, w, (cevm_bytes){counter, 1}); /* the second reverts */
    }
    cevm_vm_destroy(vm);
    free(w);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
// prints: log with 0 topics
// prints: stop, gas used 22504, counter 1
// prints: log with 0 topics
// prints: execution reverted, gas used 609, counter 1
