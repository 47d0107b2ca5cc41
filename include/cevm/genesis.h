/* SPDX-License-Identifier: Apache-2.0 */
/**
 * cevm/genesis.h: the first block of a chain and its configuration, from the genesis.json that geth reads.
 *
 * Threads: functions of their arguments; the store is used by the calling thread.
 */
#ifndef CEVM_GENESIS_H
#define CEVM_GENESIS_H

#include <cevm/block.h>
#include <cevm/chain_config.h>
#include <cevm/db.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A genesis that was read. header.extra_data belongs to the genesis. */
typedef struct cevm_genesis {
    cevm_chain_config config;
    cevm_header header; /* complete, with the state root of the accounts that were stored */
    cevm_hash hash;
} cevm_genesis;

/** Text of an error, one line. */
typedef struct cevm_genesis_error {
    char text[1024];
} cevm_genesis_error;

/**
 * Reads a genesis.json ("config", "alloc", header fields; geth's spelling) and puts its accounts into an empty store.
 * *out is freed with cevm_genesis_destroy. Errors: CEVM_ERR_ENCODING, CEVM_ERR_IO with error->text naming file and key;
 * CEVM_ERR_NOMEM. On an error the store's contents are undefined.
 */
CEVM_API cevm_err cevm_genesis_load(cevm_genesis **out, cevm_genesis_error *error, cevm_memdb *db, const char *path,
                                    const cevm_allocator *allocator);
/** Frees it, with the allocator that it was loaded with. NULL is allowed. */
CEVM_API void cevm_genesis_destroy(cevm_genesis *genesis, const cevm_allocator *allocator);

#ifdef __cplusplus
}
#endif
#endif
