/* SPDX-License-Identifier: Apache-2.0 */
/* A chain in a folder: made from a genesis, closed in the middle, opened where it stood, and searched. */
#include <cevm/cevm.h>
#include <stdio.h>
#include <stdlib.h>

/* The accounts of a genesis on their way into the store. */
typedef struct filling {
    cevm_memdb *from;
    cevm_db to;
    cevm_account_change account;
    cevm_err err;
} filling;

static bool put_change(filling *f)
{
    f->err = f->to.vtable->commit(f->to.ctx, &(cevm_diff){.accounts = &f->account, .account_count = 1});
    return f->err == CEVM_OK;
}

static bool put_slot(void *user, const cevm_u256 *key, const cevm_u256 *value)
{
    filling *f = user;
    const cevm_slot_change slot = {.key = *key, .value = *value};
    f->account.code_changed = false;
    f->account.slots = &slot;
    f->account.slot_count = 1; /* many at a time are faster */
    const bool ok = put_change(f);
    f->account.slots = NULL;
    return ok;
}

static bool put_account(void *user, const cevm_address *address, const cevm_db_account *account, cevm_bytes code)
{
    filling *f = user;
    f->account = (cevm_account_change){.address = *address,
                                       .balance = account->balance,
                                       .nonce = account->nonce,
                                       .code_hash = account->code_hash,
                                       .code_changed = true,
                                       .code = code};
    if (put_change(f)) {
        const cevm_err err = cevm_memdb_for_each_slot(f->from, address, put_slot, f);
        f->err = f->err == CEVM_OK ? err : f->err;
    }
    return f->err == CEVM_OK;
}

/* Puts the first block into a store: its accounts, then the block itself, which says whose state this is. */
static cevm_err put_genesis(cevm_lmdb *store, cevm_memdb *accounts, const cevm_genesis *genesis)
{
    static const uint8_t no_receipts[1] = {0xc0}; /* an empty list */
    uint8_t rlp[2048];
    size_t size = 0;
    filling f = {.from = accounts, .to = cevm_lmdb_interface(store), .err = CEVM_OK};
    const cevm_block block = {.header = genesis->header, .has_withdrawals = genesis->header.has_withdrawals_root};
    cevm_err err = cevm_block_encode(rlp, &size, sizeof rlp, &block, NULL);
    if (err != CEVM_OK || (err = f.to.vtable->begin_block(f.to.ctx)) != CEVM_OK) {
        return err;
    }
    const cevm_db_block stored = {.number = genesis->header.number,
                                  .hash = genesis->hash,
                                  .rlp = {rlp, size},
                                  .total_difficulty = genesis->header.difficulty,
                                  .receipts = {no_receipts, sizeof no_receipts}};
    err = cevm_memdb_for_each_account(accounts, put_account, &f);
    if (err == CEVM_OK && (err = f.err) == CEVM_OK && (err = f.to.vtable->put_block(f.to.ctx, &stored)) == CEVM_OK &&
        (err = f.to.vtable->end_block(f.to.ctx, true)) == CEVM_OK) {
        return cevm_lmdb_prune(store, 0, NULL, NULL); /* the first block is not to be taken back */
    }
    (void)f.to.vtable->end_block(f.to.ctx, false);
    return err;
}

/* Reads the next block of a file: an RLP list, whose prefix says how long it is. Size 0 at the end. */
static cevm_bytes next_block(FILE *file, uint8_t *room, size_t capacity)
{
    const cevm_bytes none = {NULL, 0};
    size_t have = fread(room, 1, 1, file), length = 0;
    if (have == 0 || room[0] <= 0xf7) { /* a block has more than 55 bytes */
        return none;
    }
    have += fread(room + 1, 1, room[0] - 0xf7u, file);
    for (size_t i = 1; i < have; ++i) {
        length = length << 8 | room[i];
    }
    if (length > capacity - have || fread(room + have, 1, length, file) != length) {
        return none;
    }
    return (cevm_bytes){room, have + length};
}

/* Opens the chain where the store says that it stands, and imports up to `count` blocks. */
static cevm_err go_on(cevm_lmdb *store, const cevm_chain_config *config, FILE *file, unsigned count)
{
    static uint8_t room[CEVM_MAX_BLOCK_SIZE];
    const cevm_chain_options options = {.struct_size = sizeof options, .config = *config};
    cevm_chain *chain = NULL;
    cevm_chain_block head;
    cevm_import_result result;
    cevm_err err = cevm_chain_open_stored(&chain, &options, store);
    if (err != CEVM_OK) {
        return err;
    }
    cevm_chain_head(chain, &head);
    printf("from block %llu ", (unsigned long long)head.header->number);
    for (; err == CEVM_OK && count != 0; --count) {
        const cevm_bytes rlp = next_block(file, room, sizeof room);
        if (rlp.size == 0) {
            break;
        }
        err = cevm_chain_import(chain, &result, rlp, NULL);
        if (err == CEVM_OK && result.verdict.error != CEVM_BLOCK_NONE) {
            printf("(%s) ", cevm_block_error_string(result.verdict.error));
            break;
        }
    }
    cevm_chain_head(chain, &head);
    printf("to block %llu\n", (unsigned long long)head.header->number);
    cevm_chain_close(chain);
    return err;
}

static bool show_log(void *user, const cevm_lmdb_log *found)
{
    printf("block %llu, transaction %u: log %zu with %u topics\n", (unsigned long long)found->block_number,
           (unsigned)found->tx_index, found->index, (unsigned)found->log.topic_count);
    *(cevm_hash *)user = found->tx_hash;
    return true;
}

/* The logs of some blocks, the transaction of the last of them by its hash, and the state as it was. */
static cevm_err search(cevm_lmdb *store)
{
    static const cevm_hash name = {{[28] = 'e', 'm', 'i', 't'}};
    const cevm_db db = cevm_lmdb_interface(store);
    const cevm_u256 key = {{0}};
    cevm_address contract;
    cevm_hash input, hash = {{0}};
    cevm_lmdb_tx tx;
    cevm_db past;
    cevm_u256 then, now;
    bool found = false;
    if (!cevm_hex_decode_exact(contract.bytes, sizeof contract.bytes, "7dcd17433742f4c0ca53122ab541d0ba67fc27df") ||
        !cevm_hex_decode_exact(input.bytes, sizeof input.bytes,
                               "95b7276947f6331672b0c63eca28c1d39f25286d5e2793d6a487837ff1475ba0")) {
        return CEVM_ERR_ARGUMENT;
    }
    const cevm_lmdb_filter filter = {.from = 3,
                                     .to = 6,
                                     .addresses = &contract,
                                     .address_count = 1,
                                     .topics = {{&name, 1}, {&input, 1}},
                                     .topic_count = 2};
    cevm_err err = cevm_lmdb_for_each_log(store, &filter, show_log, &hash);
    if (err == CEVM_OK && (err = cevm_lmdb_find_tx(store, &found, &tx, &hash)) == CEVM_OK && found) {
        char text[2 * sizeof hash.bytes + 1];
        cevm_hex_encode(text, hash.bytes, sizeof hash.bytes);
        printf("0x%s is in block %llu\n", text, (unsigned long long)tx.block_number);
    }
    if (err == CEVM_OK && (err = db.vtable->open_past(db.ctx, &past, 50)) == CEVM_OK) {
        err = past.vtable->storage(past.ctx, &then, &contract, &key);
        db.vtable->close_past(db.ctx, &past);
    }
    if (err == CEVM_OK && (err = db.vtable->storage(db.ctx, &now, &contract, &key)) == CEVM_OK) {
        printf("slot 0 is %llu, 50 blocks ago it was %llu\n", (unsigned long long)now.w[0],
               (unsigned long long)then.w[0]);
    }
    return err;
}

/* One run of a program: opens the store, makes it when it is not there, goes on, closes it. */
static cevm_err run(const char *folder, const char *genesis_path, FILE *file, unsigned count, bool and_search)
{
    cevm_lmdb *store = NULL;
    cevm_memdb *accounts = NULL;
    cevm_genesis *genesis = NULL;
    cevm_lmdb_error error;
    cevm_genesis_error genesis_error;
    cevm_db_block head;
    bool found = false;
    const cevm_lmdb_options options = {.struct_size = sizeof options, .path = folder, .create = true};
    cevm_err err = cevm_lmdb_open(&store, &error, &options);
    if (err != CEVM_OK) {
        printf("%s\n", error.text);
        return err;
    }
    if ((err = cevm_memdb_create(&accounts, NULL)) == CEVM_OK &&
        (err = cevm_genesis_load(&genesis, &genesis_error, accounts, genesis_path, NULL)) != CEVM_OK) {
        printf("%s\n", genesis_error.text);
    }
    if (err == CEVM_OK && (err = cevm_lmdb_head(store, &found, &head)) == CEVM_OK && !found) {
        err = put_genesis(store, accounts, genesis);
    }
    if (err == CEVM_OK && (err = go_on(store, &genesis->config, file, count)) == CEVM_OK && and_search) {
        err = search(store);
    }
    if (err != CEVM_OK) {
        printf("%s: %s\n", cevm_err_string(err), cevm_lmdb_error_text(store));
    }
    cevm_genesis_destroy(genesis, NULL);
    cevm_memdb_destroy(accounts);
    cevm_lmdb_close(store);
    return err;
}

int main(int argc, char **argv)
{
    FILE *file = argc == 4 ? fopen(argv[3], "rb") : NULL;
    if (file == NULL) {
        printf("usage: store FOLDER GENESIS BLOCKS\n");
        return EXIT_FAILURE;
    }
    const bool ok =
        run(argv[1], argv[2], file, 30, false) == CEVM_OK && run(argv[1], argv[2], file, 1000, true) == CEVM_OK;
    fclose(file);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
// prints: from block 0 to block 30
// prints: from block 30 to block 54
// prints: block 4, transaction 1: log 0 with 2 topics
// prints: 0xd48ebacfb769b85602310e2e0cf322e19f8cce25ac69cfd52f2d8622e3bbc3c9 is in block 4
// prints: slot 0 is 56, 50 blocks ago it was 2
