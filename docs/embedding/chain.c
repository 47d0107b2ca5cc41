/* SPDX-License-Identifier: Apache-2.0 */
#include <cevm/cevm.h>
#include <stdio.h>
#include <stdlib.h>

/* Reads the next block: an RLP list, whose prefix says how long it is. Size 0 at the end of the file. */
static cevm_bytes next_block(FILE *file, uint8_t *room, size_t capacity)
{
    const cevm_bytes none = {NULL, 0};
    size_t have = fread(room, 1, 1, file), length = 0;
    if (have == 0 || room[0] < 0xc0) {
        return none;
    }
    if (room[0] <= 0xf7) {
        length = room[0] - 0xc0u;
    } else {
        have += fread(room + 1, 1, room[0] - 0xf7u, file);
        for (size_t i = 1; i < have; ++i) {
            length = length << 8 | room[i];
        }
    }
    if (length > capacity - have || fread(room + have, 1, length, file) != length) {
        return none;
    }
    return (cevm_bytes){room, have + length};
}

/* Imports every block of a file. False at the first that is not valid. */
static bool import_file(cevm_chain *chain, FILE *file)
{
    static uint8_t room[16 << 20]; /* EIP-7934: a block has at most 8 MiB */
    cevm_import_result result;
    for (;;) {
        const cevm_bytes rlp = next_block(file, room, sizeof room);
        if (rlp.size == 0) {
            return true;
        }
        const cevm_err err = cevm_chain_import(chain, &result, rlp, NULL);
        if (err != CEVM_OK) {
            printf("block %llu: %s\n", (unsigned long long)result.number, cevm_err_string(err));
            return false; /* nothing has changed: the call may be made again */
        }
        if (result.verdict.error != CEVM_BLOCK_NONE) {
            printf("block %llu is not valid: %s\n", (unsigned long long)result.number,
                   cevm_block_error_string(result.verdict.error));
            return false;
        }
    }
}

/* Looks at an account after the head. */
static cevm_err look(cevm_chain *chain, const cevm_address *address)
{
    cevm_chain_block head;
    cevm_state *state = NULL;
    cevm_account_info account;
    cevm_u256 slot;
    const cevm_u256 key = {{0}};
    cevm_chain_head(chain, &head);
    cevm_err err = cevm_chain_state_at(chain, &state, &head.hash);
    if (err == CEVM_OK && (err = cevm_state_get_account(state, &account, address)) == CEVM_OK &&
        (err = cevm_state_get_storage(state, &slot, address, &key)) == CEVM_OK) {
        printf("head %llu: balance %llu, slot 0 is %llu\n", (unsigned long long)head.header->number,
               (unsigned long long)account.balance.w[0], (unsigned long long)slot.w[0]);
    }
    cevm_state_destroy(state); /* before the next import */
    return err;
}

int main(int argc, char **argv)
{
    cevm_memdb *store = NULL; /* or a cevm_db of your own */
    cevm_genesis *genesis = NULL;
    cevm_chain *chain = NULL;
    cevm_genesis_error error;
    cevm_address contract;
    bool ok = argc == 3 && cevm_memdb_create(&store, NULL) == CEVM_OK;
    FILE *file = ok ? fopen(argv[2], "rb") : NULL;
    ok = file != NULL;
    if (ok && cevm_genesis_load(&genesis, &error, store, argv[1], NULL) != CEVM_OK) {
        printf("%s\n", error.text);
        ok = false;
    }
    if (ok) {
        cevm_memdb_set_history(store, 128); /* as many blocks as may have to be taken back */
        const cevm_chain_options options = {.struct_size = sizeof options,
                                            .config = genesis->config,
                                            .head = &genesis->header,
                                            .db = cevm_memdb_interface(store),
                                            .history = 128};
        ok = cevm_chain_open(&chain, &options) == CEVM_OK;
    }
    ok = ok && import_file(chain, file) &&
         cevm_hex_decode_exact(contract.bytes, sizeof contract.bytes, "7dcd17433742f4c0ca53122ab541d0ba67fc27df") &&
         look(chain, &contract) == CEVM_OK;
    cevm_chain_close(chain);
    cevm_genesis_destroy(genesis, NULL);
    cevm_memdb_destroy(store);
    if (file != NULL) {
        fclose(file);
    }
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
// prints: head 54: balance 118, slot 0 is 56
