/* SPDX-License-Identifier: Apache-2.0 */
/* An import into a store on disk: the store made from a genesis, and the point at which its chain stands. */
#include <cevm/alloc.h>

#include <stdlib.h>
#include <string.h>

#include "cli/import.h"
#include "cli/whole.h"

static bool say(const char *command, const char *dir, const char *what)
{
    (void)fprintf(stderr, "%s: %s: %s\n", command, dir, what);
    return false;
}

/* An error of the store, with what it was about when the store knows. */
static bool say_err(const char *command, const char *dir, const cevm_lmdb *store, cevm_err err)
{
    const char *text = err == CEVM_ERR_BACKEND || err == CEVM_ERR_IO ? cevm_lmdb_error_text(store) : "";
    return say(command, dir, text[0] != '\0' ? text : cevm_err_string(err));
}

bool cevm_import_store_open(cevm_lmdb **out, const cevm_import_options *options)
{
    cevm_lmdb_error error;
    const cevm_lmdb_options store = {
        .struct_size = sizeof store, .path = options->data_dir, .create = true, .no_sync = options->no_sync};
    const cevm_err err = cevm_lmdb_open(out, &error, &store);
    if (err != CEVM_OK) {
        (void)fprintf(stderr, "%s: %s\n", options->command, error.text[0] != '\0' ? error.text : cevm_err_string(err));
    }
    return err == CEVM_OK && cevm_is_whole_store(*out, options->command, options->data_dir);
}

/* ---- A new chain ------------------------------------------------------------------------------------------------- */

typedef struct filling {
    cevm_memdb *from;
    cevm_db to;
    cevm_slot_change *slots;
    size_t count;
    size_t capacity;
    cevm_err err;
} filling;

static bool take_slot(void *user, const cevm_u256 *key, const cevm_u256 *value)
{
    filling *f = user;
    if (f->count == f->capacity) {
        const size_t capacity = f->capacity != 0 ? 2 * f->capacity : 64;
        cevm_slot_change *slots = cevm_resize_array(NULL, f->slots, capacity, sizeof *slots);
        if (slots == NULL) {
            f->err = CEVM_ERR_NOMEM;
            return false;
        }
        f->slots = slots;
        f->capacity = capacity;
    }
    f->slots[f->count++] = (cevm_slot_change){.key = *key, .value = *value};
    return true;
}

static bool take_account(void *user, const cevm_address *address, const cevm_db_account *account, cevm_bytes code)
{
    filling *f = user;
    f->count = 0;
    const cevm_err err = cevm_memdb_for_each_slot(f->from, address, take_slot, f);
    f->err = f->err != CEVM_OK ? f->err : err;
    const cevm_account_change change = {.address = *address,
                                        .storage_cleared = true,
                                        .balance = account->balance,
                                        .nonce = account->nonce,
                                        .code_hash = account->code_hash,
                                        .code_changed = true,
                                        .code = code,
                                        .slots = f->slots,
                                        .slot_count = f->count};
    const cevm_diff diff = {.accounts = &change, .account_count = 1};
    if (f->err == CEVM_OK) {
        f->err = f->to.vtable->commit(f->to.ctx, &diff);
    }
    return f->err == CEVM_OK;
}

/* The first block: a header and empty lists. The memory is the caller's (free). */
static cevm_err encode_genesis(uint8_t **out, size_t *size, const cevm_genesis *genesis)
{
    const cevm_block block = {.header = genesis->header, .has_withdrawals = genesis->header.has_withdrawals_root};
    *size = 0;
    *out = NULL;
    (void)cevm_block_encode(NULL, size, 0, &block, NULL);
    *out = malloc(*size + 1);
    return *out != NULL ? cevm_block_encode(*out, size, *size, &block, NULL) : CEVM_ERR_NOMEM;
}

static cevm_err put_genesis(filling *f, const cevm_genesis *genesis)
{
    static const uint8_t no_receipts[1] = {0xc0}; /* an empty list */
    cevm_db_block block = {.hash = genesis->hash,
                           .number = genesis->header.number,
                           .total_difficulty = genesis->header.difficulty,
                           .receipts = {no_receipts, sizeof no_receipts}};
    uint8_t *rlp = NULL;
    cevm_err err = cevm_memdb_for_each_account(f->from, take_account, f);
    err = err == CEVM_OK ? f->err : err;
    if (err == CEVM_OK) {
        err = encode_genesis(&rlp, &block.rlp.size, genesis);
    }
    if (err == CEVM_OK) {
        block.rlp.data = rlp;
        err = f->to.vtable->put_block(f->to.ctx, &block);
    }
    free(rlp);
    return err;
}

bool cevm_import_store_fill(cevm_lmdb *store, cevm_memdb *db, const cevm_genesis *genesis,
                            const cevm_import_options *options)
{
    filling f = {.from = db, .to = cevm_lmdb_interface(store), .err = CEVM_OK};
    cevm_hash root;
    cevm_err err = f.to.vtable->root(f.to.ctx, &root);
    cevm_lmdb_stat stat;
    if (err == CEVM_OK) {
        err = cevm_lmdb_get_stat(store, &stat);
    }
    if (err == CEVM_OK && stat.accounts != 0) {
        return say(options->command, options->data_dir, "holds accounts of no chain");
    }
    if (err == CEVM_OK) {
        err = f.to.vtable->begin_block(f.to.ctx);
    }
    if (err == CEVM_OK) {
        err = put_genesis(&f, genesis);
        if (err == CEVM_OK) {
            err = f.to.vtable->end_block(f.to.ctx, true);
        }
        if (err != CEVM_OK) {
            (void)say_err(options->command, options->data_dir, store, err);
            (void)f.to.vtable->end_block(f.to.ctx, false);
            free(f.slots);
            return false;
        }
        err = cevm_lmdb_prune(store, 0, NULL, NULL); /* the first block is not to be taken back */
    }
    free(f.slots);
    return err == CEVM_OK || say_err(options->command, options->data_dir, store, err);
}

/* ---- A chain that is there --------------------------------------------------------------------------------------- */

static bool copy_block(cevm_import_block *out, const cevm_db_block *block)
{
    out->data = malloc(block->rlp.size + 1);
    if (out->data == NULL) {
        return false;
    }
    memcpy(out->data, block->rlp.data, block->rlp.size);
    out->hash = block->hash;
    out->size = block->rlp.size;
    out->capacity = block->rlp.size;
    return true;
}

/* The header of the head, out of the block that is already in out->recent[0]. */
static bool take_head(cevm_import_point *out, const cevm_db_block *head)
{
    cevm_block *block = NULL;
    cevm_block_verdict verdict;
    const cevm_bytes rlp = {out->recent[0].data, out->recent[0].size};
    if (cevm_block_decode(&block, &verdict, rlp, NULL) != CEVM_OK) {
        return false;
    }
    bool ok = cevm_hash_equal(&block->hash, &head->hash) && block->header.number == head->number;
    (void)cevm_header_encode(NULL, &out->header_size, 0, &block->header, NULL);
    out->header_rlp = malloc(out->header_size + 1);
    ok = ok && out->header_rlp != NULL &&
         cevm_header_encode(out->header_rlp, &out->header_size, out->header_size, &block->header, NULL) == CEVM_OK;
    cevm_block_destroy(block, NULL);
    cevm_block_error reason;
    return ok && cevm_header_decode(&out->head, &reason, (cevm_bytes){out->header_rlp, out->header_size}) == CEVM_OK;
}

/* Head, hashes and blocks before it. */
static cevm_err read_point(cevm_import_point *out, bool *whole, cevm_lmdb *store, const cevm_db_block *head)
{
    cevm_db_block block = *head;
    bool found = true;
    cevm_err err = cevm_lmdb_undoable(store, &out->undoable, CEVM_IMPORT_HISTORY);
    const size_t recent = out->undoable + CEVM_IMPORT_RECENT;
    *whole = head->rlp.size != 0 && copy_block(&out->recent[0], head);
    out->recent_count = 1;
    out->total_difficulty = head->total_difficulty;
    out->is_merged = head->is_merged;
    *whole = *whole && take_head(out, head);
    while (*whole && err == CEVM_OK && block.number != 0 && out->ancestor_count < CEVM_IMPORT_HASHES) {
        err = cevm_lmdb_block(store, &found, &block, block.number - 1);
        if (err != CEVM_OK || !found) {
            break;
        }
        out->ancestors[out->ancestor_count++] = block.hash;
        if (out->recent_count == out->ancestor_count && out->recent_count < recent && block.rlp.size != 0) {
            *whole = copy_block(&out->recent[out->recent_count++], &block);
        }
    }
    *whole = *whole && (found || err != CEVM_OK);
    return err;
}

bool cevm_import_store_load(cevm_import_point *out, bool *found, cevm_lmdb *store, const cevm_import_options *options)
{
    cevm_db_block head;
    cevm_db_block first;
    bool whole = true;
    bool has_first = false;
    *out = (cevm_import_point){.head = {.number = 0}};
    cevm_err err = cevm_lmdb_head(store, found, &head);
    if (err == CEVM_OK && *found) {
        err = read_point(out, &whole, store, &head);
        if (err == CEVM_OK) {
            err = cevm_lmdb_block(store, &has_first, &first, 0);
        }
    }
    if (err != CEVM_OK) {
        return say_err(options->command, options->data_dir, store, err);
    }
    if (*found && (!whole || !has_first)) {
        return say(options->command, options->data_dir, "the blocks before the head are damaged or missing");
    }
    if (*found) {
        out->genesis = first.hash;
    }
    return true;
}
