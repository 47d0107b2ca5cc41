/* SPDX-License-Identifier: Apache-2.0 */
/* genesis.json as geth reads it: header fields, accounts, and what the fork at block 0 adds to the header. */
#include <cevm/alloc.h>
#include <cevm/genesis.h>

#include <stdio.h>
#include <unistd.h>

#include "chain/genesis_json.h"
#include "state/trie.h"

/* geth's genesis without a base fee has EIP-1559's initial one. */
enum { INITIAL_BASE_FEE = 1000000000 };

/* sha256(""): EIP-7685's hash of a list without requests. */
static const cevm_hash empty_requests_hash = {{0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
                                               0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
                                               0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55}};

/* A genesis and the extra data of its header, in one block. */
typedef struct genesis_block {
    cevm_genesis genesis;
    uint8_t extra_data[];
} genesis_block;

/* Tells a parser that ran out of memory from one that met a wrong file. */
typedef struct watched_allocator {
    cevm_allocator face;
    const cevm_allocator *below;
    bool failed;
} watched_allocator;

static void *watched_resize(void *ctx, void *ptr, size_t size)
{
    watched_allocator *w = ctx;
    void *out = w->below->resize(w->below->ctx, ptr, size);
    w->failed = w->failed || (out == NULL && size != 0);
    return out;
}

static void watch(watched_allocator *out, const cevm_allocator *allocator)
{
    *out = (watched_allocator){.face = {.ctx = out, .resize = watched_resize},
                               .below = allocator != NULL ? allocator : cevm_default_allocator()};
}

/* ---- The header -------------------------------------------------------------------------------------------------- */

static bool read_optional_u64(uint64_t *out, const cevm_json_at *genesis, const char *key)
{
    cevm_json_at at;
    return !cevm_json_find(&at, genesis, key) || cevm_json_u64(out, &at);
}

static bool read_optional_hash(cevm_hash *out, const cevm_json_at *genesis, const char *key)
{
    cevm_json_at at;
    return !cevm_json_find(&at, genesis, key) || cevm_json_hash(out, &at);
}

/* The nonce is written as a number, but stands in the header as eight bytes. */
static bool read_nonce(cevm_header *out, const cevm_json_at *genesis)
{
    uint64_t nonce = 0;
    if (!read_optional_u64(&nonce, genesis, "nonce")) {
        return false;
    }
    cevm_store_be64(out->nonce, nonce);
    return true;
}

bool cevm_genesis_header_read(cevm_header *out, const cevm_json_at *genesis, cevm_arena *arena)
{
    cevm_json_at at;
    *out = (cevm_header){.ommers_hash = cevm_empty_ommers_hash};
    if (!cevm_json_need(&at, genesis, "gasLimit") || !cevm_json_u64(&out->gas_limit, &at) ||
        !cevm_json_need(&at, genesis, "difficulty") || !cevm_json_u256(&out->difficulty, &at)) {
        return false;
    }
    if (cevm_json_find(&at, genesis, "extraData") && !cevm_json_bytes(&out->extra_data, &at, arena)) {
        return false;
    }
    if (cevm_json_find(&at, genesis, "coinbase") && !cevm_json_address(&out->coinbase, &at)) {
        return false;
    }
    if (cevm_json_find(&at, genesis, "baseFeePerGas") && !cevm_json_u256(&out->base_fee, &at)) {
        return false;
    }
    out->has_base_fee = cevm_json_find(&at, genesis, "baseFeePerGas");
    return read_optional_u64(&out->number, genesis, "number") &&
           read_optional_u64(&out->gas_used, genesis, "gasUsed") &&
           read_optional_u64(&out->timestamp, genesis, "timestamp") && read_nonce(out, genesis) &&
           read_optional_hash(&out->parent_hash, genesis, "parentHash") &&
           read_optional_hash(&out->mix_hash, genesis, "mixHash") &&
           read_optional_hash(&out->mix_hash, genesis, "mixhash") &&
           read_optional_u64(&out->excess_blob_gas, genesis, "excessBlobGas") &&
           read_optional_u64(&out->blob_gas_used, genesis, "blobGasUsed");
}

/*
 * Which fork the first block has. geth asks for London by number and for the later ones by time, without regard to total
 * difficulty: a chain that begins with Shanghai begins merged.
 */
static cevm_fork fork_of(const cevm_header *header, const cevm_chain_config *config)
{
    bool is_merged = false;
    for (int fork = CEVM_SHANGHAI; fork < CEVM_FORK_COUNT; ++fork) {
        const cevm_activation *a = &config->forks[fork];
        is_merged = is_merged || (a->kind == CEVM_BY_TIME && header->timestamp >= a->at);
    }
    return cevm_chain_fork(config, header->number, header->timestamp, is_merged);
}

void cevm_genesis_complete(cevm_header *header, const cevm_chain_config *config, const cevm_hash *root)
{
    const cevm_fork fork = fork_of(header, config);
    header->state_root = *root;
    header->transactions_root = cevm_trie_empty_root;
    header->receipts_root = cevm_trie_empty_root;
    if (CEVM_HAS_EIP(fork, 1559) && !header->has_base_fee) {
        header->base_fee = cevm_u256_from_u64(INITIAL_BASE_FEE);
    }
    header->has_base_fee = CEVM_HAS_EIP(fork, 1559);
    header->has_withdrawals_root = CEVM_HAS_EIP(fork, 4895);
    header->withdrawals_root = cevm_trie_empty_root;
    header->has_blob_gas = CEVM_HAS_EIP(fork, 4844);
    header->has_parent_beacon_root = CEVM_HAS_EIP(fork, 4788);
    header->has_requests_hash = CEVM_HAS_EIP(fork, 7685);
    header->requests_hash = empty_requests_hash;
}

/* ---- The file ---------------------------------------------------------------------------------------------------- */

/* What the file says, read before anything is stored. */
typedef struct parts {
    cevm_chain_config config;
    cevm_header header;
    cevm_genesis_alloc alloc;
} parts;

static bool read_parts(parts *out, const cevm_json_at *genesis, cevm_arena *arena)
{
    cevm_json_at at;
    return cevm_json_is_object(genesis) && cevm_json_need(&at, genesis, "config") &&
           cevm_genesis_config_read(&out->config, &at) && cevm_genesis_header_read(&out->header, genesis, arena) &&
           cevm_json_need(&at, genesis, "alloc") && cevm_genesis_alloc_load(&out->alloc, &at, arena);
}

static cevm_err build(cevm_genesis **out, cevm_memdb *db, const parts *p, const cevm_allocator *allocator)
{
    cevm_hash root;
    cevm_err err = cevm_genesis_alloc_store(db, &p->alloc);
    if (err == CEVM_OK) {
        err = cevm_memdb_root(db, &root);
    }
    if (err != CEVM_OK) {
        return err;
    }
    const size_t extra = p->header.extra_data.size;
    genesis_block *block = cevm_alloc(allocator, sizeof *block + extra);
    if (block == NULL) {
        return CEVM_ERR_NOMEM;
    }
    block->genesis = (cevm_genesis){.config = p->config, .header = p->header};
    if (extra != 0) {
        memcpy(block->extra_data, p->header.extra_data.data, extra);
    }
    block->genesis.header.extra_data = (cevm_bytes){block->extra_data, extra};
    cevm_genesis_complete(&block->genesis.header, &p->config, &root);
    err = cevm_header_hash(&block->genesis.hash, &block->genesis.header, allocator);
    if (err != CEVM_OK) {
        cevm_free(allocator, block);
        return err;
    }
    *out = &block->genesis;
    return CEVM_OK;
}

cevm_err cevm_genesis_load(cevm_genesis **out, cevm_genesis_error *error, cevm_memdb *db, const char *path,
                           const cevm_allocator *allocator)
{
    cevm_json_error text = {.text = ""};
    json_t *json = NULL;
    cevm_err err = CEVM_OK;
    watched_allocator watched;
    cevm_arena arena;
    parts p = {.alloc = {0}};
    *out = NULL;
    watch(&watched, allocator);
    cevm_arena_init(&arena, &watched.face);
    if (!cevm_json_load_file(&json, &text, path)) {
        err = access(path, R_OK) != 0 ? CEVM_ERR_IO : CEVM_ERR_ENCODING;
    } else {
        const cevm_json_at root = cevm_json_root(json, path, NULL, &text);
        if (!read_parts(&p, &root, &arena)) {
            err = watched.failed ? CEVM_ERR_NOMEM : CEVM_ERR_ENCODING;
        }
    }
    if (err == CEVM_OK) {
        err = build(out, db, &p, allocator);
        if (err != CEVM_OK) {
            (void)cevm_json_say(&text, "%s: %s", path, cevm_err_string(err));
        }
    }
    json_decref(json);
    cevm_arena_destroy(&arena);
    (void)snprintf(error->text, sizeof error->text, "%s", text.text);
    return err;
}

void cevm_genesis_destroy(cevm_genesis *genesis, const cevm_allocator *allocator)
{
    cevm_free(allocator, genesis); /* the first member of its genesis_block */
}
