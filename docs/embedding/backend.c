/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Level two: a transaction over a store of your own. Here the store is two tables; a database does the same with its
 * keys.
 */
#include <cevm/cevm.h>
#include <stdio.h>
#include <stdlib.h>

enum { ACCOUNTS = 16, SLOTS = 64 };

typedef struct store {
    struct {
        cevm_address address;
        cevm_db_account account;
        cevm_bytes code;
    } accounts[ACCOUNTS];
    size_t account_count;
    struct {
        cevm_address address;
        cevm_slot_change slot;
    } slots[SLOTS];
    size_t slot_count;
} store;

static cevm_err read_account(void *ctx, cevm_db_account *out, bool *exists, const cevm_address *address)
{
    const store *s = ctx;
    *exists = false;
    for (size_t i = 0; i < s->account_count; ++i) {
        if (cevm_address_equal(&s->accounts[i].address, address)) {
            *out = s->accounts[i].account;
            *exists = true;
        }
    }
    return CEVM_OK; /* or CEVM_ERR_BACKEND: a read that fails is never taken for "not there" */
}

static cevm_err read_slot(void *ctx, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key)
{
    const store *s = ctx;
    *out = cevm_u256_from_u64(0);
    for (size_t i = 0; i < s->slot_count; ++i) {
        if (cevm_address_equal(&s->slots[i].address, address) && cevm_u256_equal(&s->slots[i].slot.key, key)) {
            *out = s->slots[i].slot.value;
        }
    }
    return CEVM_OK;
}

static cevm_err read_code(void *ctx, cevm_bytes *out, const cevm_hash *code_hash)
{
    const store *s = ctx;
    for (size_t i = 0; i < s->account_count; ++i) {
        if (cevm_hash_equal(&s->accounts[i].account.code_hash, code_hash)) {
            *out = s->accounts[i].code;
            return CEVM_OK;
        }
    }
    return CEVM_ERR_BACKEND;
}

static cevm_err read_block_hash(void *ctx, cevm_hash *out, uint64_t number)
{
    (void)ctx, (void)number;
    *out = (cevm_hash){{0}}; /* not known */
    return CEVM_OK;
}

/* Whether the store has room for every change; it applies all of them or none. */
static bool has_room(const store *s, const cevm_diff *diff)
{
    size_t slots = s->slot_count;
    for (size_t i = 0; i < diff->account_count; ++i) {
        slots += diff->accounts[i].slot_count;
        if (diff->accounts[i].deleted || diff->accounts[i].storage_cleared || diff->accounts[i].code_changed) {
            return false; /* this small store knows no deletions and no new contracts */
        }
    }
    return slots <= SLOTS && s->account_count + diff->account_count <= ACCOUNTS;
}

static void write_account(store *s, const cevm_account_change *change)
{
    size_t at = 0;
    while (at < s->account_count && !cevm_address_equal(&s->accounts[at].address, &change->address)) {
        ++at;
    }
    if (at == s->account_count) {
        s->accounts[s->account_count++].address = change->address;
    }
    cevm_db_account *account = &s->accounts[at].account;
    account->balance = change->balance;
    account->nonce = change->nonce;
    account->code_hash = change->code_hash;
    account->has_storage = account->has_storage || change->slot_count != 0;
    for (size_t i = 0; i < change->slot_count; ++i) { /* a later entry for the same key counts */
        s->slots[s->slot_count].address = change->address;
        s->slots[s->slot_count++].slot = change->slots[i];
    }
    printf("account ..%02x: nonce %llu, balance %llu, %zu slots\n", change->address.bytes[19],
           (unsigned long long)change->nonce, (unsigned long long)change->balance.w[0], change->slot_count);
}

static cevm_err commit(void *ctx, const cevm_diff *diff)
{
    if (!has_room(ctx, diff)) {
        return CEVM_ERR_BACKEND;
    }
    for (size_t i = 0; i < diff->account_count; ++i) {
        write_account(ctx, &diff->accounts[i]);
    }
    return CEVM_OK;
}

static const cevm_db_vtable functions = {
    .struct_size = sizeof functions, /* what is left out is NULL: prefetch, root, and what a chain needs */
    .account = read_account,
    .storage = read_slot,
    .code = read_code,
    .block_hash = read_block_hash,
    .commit = commit,
};

static void put(store *s, uint8_t last_byte, uint64_t balance, cevm_bytes code)
{
    const size_t i = s->account_count++;
    s->accounts[i].address = (cevm_address){{[19] = last_byte}};
    s->accounts[i].account = (cevm_db_account){.balance = cevm_u256_from_u64(balance)};
    s->accounts[i].code = code;
    cevm_keccak256(&s->accounts[i].account.code_hash, code.data, code.size);
}

int main(void)
{
    static const uint8_t code[] = {0x34, 0x5f,
                                   0x55}; /* CALLVALUE PUSH0 SSTORE: keeps the value it was sent in slot 0 */
    static store s;
    put(&s, 0xaa, 1000000000, (cevm_bytes){NULL, 0});
    put(&s, 0xcc, 0, (cevm_bytes){code, sizeof code});

    const cevm_db db = {.vtable = &functions, .ctx = &s};
    const cevm_block_env block = {
        .fork = CEVM_OSAKA, .coinbase = {{[19] = 0xee}}, .number = 1, .gas_limit = 30000000, .chain_id = 1};
    const cevm_tx tx = {.type = CEVM_TX_LEGACY, /* cevm_tx_decode and cevm_tx_recover_sender read a signed one */
                        .gas_limit = 100000,
                        .max_fee = cevm_u256_from_u64(10),
                        .max_priority_fee = cevm_u256_from_u64(10),
                        .to = {{[19] = 0xcc}},
                        .value = cevm_u256_from_u64(77),
                        .sender = {{[19] = 0xaa}},
                        .has_sender = true};
    cevm_vm *vm = NULL;
    cevm_state *state = NULL;
    cevm_receipt receipt;
    cevm_tx_error reason = CEVM_TX_NONE;
    cevm_err err = cevm_vm_create(&vm, NULL);
    if (err == CEVM_OK && (err = cevm_state_create(&state, &db, NULL)) == CEVM_OK &&
        (err = cevm_tx_apply(vm, state, &receipt, &reason, &tx, &block, &(cevm_block_usage){0, 0}, NULL)) == CEVM_OK) {
        if (reason == CEVM_TX_NONE) {
            printf("%s, gas used %llu\n", cevm_status_string(receipt.status), (unsigned long long)receipt.gas_used);
            err = cevm_state_commit(state); /* until now the store has only been read */
        } else {
            printf("%s\n", cevm_tx_error_string(reason));
        }
    }
    if (err != CEVM_OK) {
        printf("%s\n", cevm_err_string(err));
    }
    cevm_state_destroy(state);
    cevm_vm_destroy(vm);
    return err == CEVM_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
// prints: stop, gas used 43104
// prints: account ..aa: nonce 1, balance 999568883, 0 slots
// prints: account ..cc: nonce 0, balance 77, 1 slots
// prints: account ..ee: nonce 0, balance 431040, 0 slots
