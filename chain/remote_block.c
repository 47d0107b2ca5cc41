/* SPDX-License-Identifier: Apache-2.0 */
/**
 * chain/remote_block.c: finding out what a block reads before it is executed over a remote state (cevm/remote.h).
 *
 * A key of which nothing is known is answered with a guess and noted, and execution goes on: the rest of the transaction,
 * and all others, show their keys in the same round. What was noted is fetched at once, and the block is executed again. A
 * round brings every transaction of the block one step further down its longest chain of reads that depend on each other,
 * so that there are as many round trips as steps in that chain, however many transactions there are.
 *
 * What a transaction did after a guess would lead those behind it astray: it is tried on a state over the block's, and only
 * what was done without a guess is done on the block's.
 */
#include <cevm/remote.h>

#include "chain/prefetch.h"
#include "state/map.h"

#include <cevm/alloc.h>

void cevm_remote_chain_config(cevm_chain_config *out, const cevm_remote_block *block, cevm_fork fork)
{
    static const char *const names[] = {"mainnet", "sepolia", "hoodi"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        if (cevm_chain_preset(out, names[i]) && out->chain_id == block->chain_id) {
            return;
        }
    }
    cevm_chain_config_at_fork(out, fork);
    out->chain_id = block->chain_id;
}

/** A block whose reads depend on each other further down is executed over what is known by then. */
enum { MAX_ROUNDS = 64 };

typedef struct code_place {
    cevm_hash hash;
    cevm_address address;
} code_place;

typedef struct rehearsal {
    cevm_remote *remote;
    const cevm_execution_input *input;
    const cevm_tx *const *txs;
    size_t tx_count;
    const cevm_allocator *allocator;
    cevm_vm *vm;
    cevm_state *block; /* as the block has left it so far */
    cevm_state *trial; /* over it */
    code_place *codes; /* of accounts that the trial has read */
    size_t code_count;
    size_t code_capacity;
} rehearsal;

/* ---- The block's state as a backend ----------------------------------------------------------------------------------- */

static cevm_err read_account(void *ctx, cevm_db_account *out, bool *exists, const cevm_address *address)
{
    rehearsal *r = ctx;
    cevm_account_info info;
    const cevm_err err = cevm_state_get_account(r->block, &info, address);
    if (err != CEVM_OK) {
        return err;
    }
    *exists = info.exists;
    *out = (cevm_db_account){
        .balance = info.balance, .nonce = info.nonce, .code_hash = info.code_hash, .has_storage = info.has_storage};
    if (cevm_hash_equal(&info.code_hash, &cevm_empty_code_hash)) {
        return CEVM_OK;
    }
    code_place *codes = cevm_array_reserve(r->allocator, r->codes, &r->code_capacity, r->code_count, 1, sizeof *codes);
    if (codes == NULL) {
        return CEVM_ERR_NOMEM;
    }
    r->codes = codes;
    codes[r->code_count++] = (code_place){info.code_hash, *address};
    return CEVM_OK;
}

static cevm_err read_storage(void *ctx, cevm_u256 *out, const cevm_address *address, const cevm_u256 *key)
{
    const rehearsal *r = ctx;
    return cevm_state_get_storage(r->block, out, address, key);
}

static cevm_err read_code(void *ctx, cevm_bytes *out, const cevm_hash *hash)
{
    const rehearsal *r = ctx;
    const cevm_host host = cevm_state_host(r->block);
    for (size_t i = 0; i < r->code_count; ++i) {
        if (cevm_hash_equal(&r->codes[i].hash, hash)) {
            cevm_code code;
            const cevm_err err = host.vtable->load_code(host.ctx, &code, &r->codes[i].address);
            if (err == CEVM_OK) {
                *out = code.bytes;
            }
            return err;
        }
    }
    return CEVM_ERR_BACKEND;
}

static cevm_err read_block_hash(void *ctx, cevm_hash *out, uint64_t number)
{
    const rehearsal *r = ctx;
    const cevm_host host = cevm_state_host(r->block);
    return host.vtable->block_hash(host.ctx, out, number);
}

static cevm_err drop_commit(void *ctx, const cevm_diff *diff)
{
    (void)ctx;
    (void)diff;
    return CEVM_OK;
}

static cevm_db trial_backend(rehearsal *r)
{
    static const cevm_db_vtable vtable = {.struct_size = sizeof vtable,
                                          .account = read_account,
                                          .storage = read_storage,
                                          .code = read_code,
                                          .block_hash = read_block_hash,
                                          .commit = drop_commit};
    return (cevm_db){.vtable = &vtable, .ctx = r};
}

/* ---- A round ----------------------------------------------------------------------------------------------------------- */

/** Errors that say something about a guess only, not about the machine. */
static cevm_err serious(cevm_err err)
{
    return err == CEVM_ERR_NOMEM || err == CEVM_ERR_CANCELLED || err == CEVM_ERR_BACKEND ? err : CEVM_OK;
}

/** Receipts are not wanted, and before Byzantium cannot be had from a state without a root. */
static cevm_err apply(const rehearsal *r, cevm_state *state, const cevm_tx *tx)
{
    const cevm_block_usage usage = {0, 0};
    cevm_receipt receipt;
    cevm_tx_error reason;
    return serious(cevm_tx_apply(r->vm, state, &receipt, &reason, tx, &r->input->env, &usage, NULL));
}

static cevm_err rehearse_tx(rehearsal *r, const cevm_tx *tx)
{
    const size_t before = cevm_remote_guess_count(r->remote);
    cevm_err err = apply(r, r->trial, tx);
    cevm_state_discard(r->trial);
    r->code_count = 0;
    if (err != CEVM_OK) {
        return err;
    }
    if (cevm_remote_guess_count(r->remote) == before) {
        return apply(r, r->block, tx);
    }
    /* The sender's next transaction is to be tried too. */
    cevm_account_info sender;
    err = cevm_state_get_account(r->block, &sender, &tx->sender);
    return err == CEVM_OK && sender.nonce == tx->nonce && tx->nonce != UINT64_MAX
               ? cevm_state_set_nonce(r->block, &tx->sender, tx->nonce + 1)
               : err;
}

static cevm_err rehearse(rehearsal *r)
{
    cevm_execution *execution = NULL;
    cevm_err err = cevm_execution_create(&execution, r->vm, r->block, r->input, r->allocator);
    if (err != CEVM_OK) {
        return err;
    }
    err = serious(cevm_execution_begin(execution, NULL));
    for (size_t i = 0; err == CEVM_OK && i < r->tx_count; ++i) {
        err = rehearse_tx(r, r->txs[i]);
    }
    if (err == CEVM_OK) {
        cevm_execution_output out;
        cevm_block_error reason;
        err = serious(cevm_execution_end(execution, &out, &reason, NULL));
    }
    cevm_execution_destroy(execution);
    cevm_state_discard(r->block);
    return err;
}

static cevm_err warm(rehearsal *r, size_t *rounds)
{
    size_t guesses = 1;
    cevm_err err = cevm_prefetch_block(r->block, r->input, r->txs, r->tx_count, r->allocator);
    while (err == CEVM_OK && guesses != 0 && *rounds < MAX_ROUNDS) {
        err = cevm_remote_begin_guessing(r->remote);
        if (err != CEVM_OK) {
            break;
        }
        err = rehearse(r);
        cevm_remote_end_guessing(r->remote, &guesses);
        *rounds += 1;
        if (err == CEVM_OK) {
            err = cevm_remote_fetch_guessed(r->remote);
        }
    }
    return err;
}

cevm_err cevm_remote_warm_block(cevm_remote *remote, size_t *rounds, const cevm_db *db, const cevm_vm_config *config,
                                const cevm_execution_input *input, const cevm_tx *const *txs, size_t tx_count)
{
    rehearsal r = {.remote = remote, .input = input, .txs = txs, .tx_count = tx_count};
    size_t count = 0;
    if (config != NULL) {
        r.allocator = config->allocator;
    }
    for (size_t i = 0; i < tx_count; ++i) {
        if (!txs[i]->has_sender) {
            return CEVM_ERR_ARGUMENT;
        }
    }
    const cevm_db over = trial_backend(&r);
    cevm_err err = cevm_state_create(&r.block, db, r.allocator);
    if (err == CEVM_OK) {
        err = cevm_state_create(&r.trial, &over, r.allocator);
    }
    if (err == CEVM_OK) {
        err = cevm_vm_create(&r.vm, config);
    }
    if (err == CEVM_OK) {
        err = warm(&r, &count);
    }
    cevm_vm_destroy(r.vm);
    cevm_state_destroy(r.trial);
    cevm_state_destroy(r.block);
    cevm_free(r.allocator, r.codes);
    if (rounds != NULL) {
        *rounds = count;
    }
    return err;
}
