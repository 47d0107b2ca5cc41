/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A header against its parent, and the environment a header gives its transactions. Number and time come first: they decide
 * which rules the rest is held against.
 */
#include <cevm/block.h>

#include "evm/u256.h"

enum { MAX_EXTRA_DATA = 32, DAO_EXTRA_DATA_BLOCKS = 10, GAS_LIMIT_ADJUSTMENT = 1024, MINIMUM_GAS_LIMIT = 5000 };

/** Everything a rule looks at. */
typedef struct check {
    const cevm_chain_config *config;
    const cevm_header *header;
    const cevm_header *parent;
    cevm_fork fork; /* the header's */
} check;

static cevm_block_error check_place(const check *c)
{
    if (c->parent->number == UINT64_MAX || c->header->number != c->parent->number + 1) {
        return CEVM_BLOCK_INVALID_BLOCK_NUMBER;
    }
    return c->header->timestamp > c->parent->timestamp ? CEVM_BLOCK_NONE
                                                       : CEVM_BLOCK_INVALID_BLOCK_TIMESTAMP_OLDER_THAN_PARENT;
}

/** EIP-779: the first ten blocks of the DAO fork carry its name. */
static cevm_block_error check_extra_data(const check *c)
{
    static const uint8_t dao[] = {'d', 'a', 'o', '-', 'h', 'a', 'r', 'd', '-', 'f', 'o', 'r', 'k'};
    const cevm_bytes extra = c->header->extra_data;
    const cevm_activation *fork = &c->config->dao_fork;
    if (extra.size > MAX_EXTRA_DATA) {
        return CEVM_BLOCK_EXTRA_DATA_TOO_BIG;
    }
    const bool is_named = fork->kind == CEVM_BY_BLOCK && c->header->number >= fork->at &&
                          c->header->number - fork->at < DAO_EXTRA_DATA_BLOCKS;
    if (is_named && (extra.size != sizeof dao || memcmp(extra.data, dao, sizeof dao) != 0)) {
        return CEVM_BLOCK_EXTRA_DATA_INVALID_DAO;
    }
    return CEVM_BLOCK_NONE;
}

static cevm_block_error check_difficulty(const check *c)
{
    const cevm_header *h = c->header, *parent = c->parent;
    cevm_u256 expected;
    if (cevm_u256_is_zero(&h->difficulty)) {
        return CEVM_BLOCK_IMPORT_IMPOSSIBLE_PARIS_WRONG_POS;
    }
    cevm_next_difficulty(&expected, c->config, c->fork, h->number, h->timestamp, &parent->difficulty, parent->timestamp,
                         !cevm_hash_equal(&parent->ommers_hash, &cevm_empty_ommers_hash));
    return cevm_u256_equal(&h->difficulty, &expected) ? CEVM_BLOCK_NONE : CEVM_BLOCK_INVALID_DIFFICULTY;
}

/** EIP-3675: no proof of work and no ommers any more. */
static cevm_block_error check_no_work(const check *c)
{
    static const uint8_t no_nonce[sizeof c->header->nonce] = {0};
    const cevm_header *h = c->header;
    if (!cevm_u256_is_zero(&h->difficulty)) {
        return CEVM_BLOCK_IMPORT_IMPOSSIBLE_DIFFICULTY_OVER_PARIS;
    }
    if (memcmp(h->nonce, no_nonce, sizeof no_nonce) != 0) {
        return CEVM_BLOCK_INVALID_NONCE;
    }
    return cevm_hash_equal(&h->ommers_hash, &cevm_empty_ommers_hash) ? CEVM_BLOCK_NONE
                                                                     : CEVM_BLOCK_IMPORT_IMPOSSIBLE_UNCLES_OVER_PARIS;
}

static cevm_block_error check_work(const check *c)
{
    return CEVM_HAS_EIP(c->fork, 3675) ? check_no_work(c) : check_difficulty(c);
}

static cevm_block_error check_gas(const check *c)
{
    const cevm_header *h = c->header, *parent = c->parent;
    if (h->gas_limit > INT64_MAX) {
        return CEVM_BLOCK_GASLIMIT_TOO_BIG;
    }
    /* EIP-1559: its first block has twice the room, so that its target is what the limit was. */
    uint64_t before = parent->gas_limit;
    if (CEVM_HAS_EIP(c->fork, 1559) && !parent->has_base_fee) {
        before = before <= UINT64_MAX / 2 ? 2 * before : UINT64_MAX;
    }
    const uint64_t distance = h->gas_limit > before ? h->gas_limit - before : before - h->gas_limit;
    if (distance >= before / GAS_LIMIT_ADJUSTMENT || h->gas_limit < MINIMUM_GAS_LIMIT) {
        return h->gas_used <= h->gas_limit ? CEVM_BLOCK_INVALID_GASLIMIT : CEVM_BLOCK_GASLIMIT_BELOW_GAS_USED;
    }
    return h->gas_used <= h->gas_limit ? CEVM_BLOCK_NONE : CEVM_BLOCK_GAS_USED_OVERFLOW;
}

/** The header has the fields of its fork and no others. */
static cevm_block_error check_fields(const check *c)
{
    const cevm_header *h = c->header;
    const bool base_fee = CEVM_HAS_EIP(c->fork, 1559);
    const bool withdrawals = CEVM_HAS_EIP(c->fork, 4895);
    if (h->has_base_fee != base_fee) {
        if (!base_fee) {
            return CEVM_BLOCK_IMPORT_IMPOSSIBLE_LONDON_WRONG_PARENT;
        }
        return c->parent->has_base_fee ? CEVM_BLOCK_IMPORT_IMPOSSIBLE_LEGACY_WRONG_PARENT
                                       : CEVM_BLOCK_IMPORT_IMPOSSIBLE_LEGACY;
    }
    if (h->has_withdrawals_root != withdrawals) {
        return withdrawals ? CEVM_BLOCK_IMPORT_IMPOSSIBLE_PARIS_OVER_SHANGHAI : CEVM_BLOCK_IMPORT_IMPOSSIBLE_SHANGHAI;
    }
    if (h->has_blob_gas != CEVM_HAS_EIP(c->fork, 4844) || h->has_parent_beacon_root != CEVM_HAS_EIP(c->fork, 4788) ||
        h->has_requests_hash != CEVM_HAS_EIP(c->fork, 7685)) {
        return CEVM_BLOCK_INCORRECT_BLOCK_FORMAT;
    }
    return CEVM_BLOCK_NONE;
}

static cevm_block_error check_fees(const check *c)
{
    const cevm_header *h = c->header, *parent = c->parent;
    if (h->has_base_fee) {
        cevm_u256 expected;
        cevm_next_base_fee(&expected, parent->has_base_fee, &parent->base_fee, parent->gas_used, parent->gas_limit);
        if (!cevm_u256_equal(&h->base_fee, &expected)) {
            return CEVM_BLOCK_INVALID_BASEFEE_PER_GAS;
        }
    }
    if (h->has_blob_gas) {
        const cevm_blob_params params = cevm_chain_blob_params(c->config, h->timestamp);
        const uint64_t expected = cevm_next_excess_blob_gas(c->fork, &params, parent->excess_blob_gas,
                                                            parent->blob_gas_used, &parent->base_fee);
        if (h->excess_blob_gas != expected) {
            return CEVM_BLOCK_INCORRECT_EXCESS_BLOB_GAS;
        }
    }
    return CEVM_BLOCK_NONE;
}

void cevm_header_check(cevm_block_error *reason, const cevm_chain_config *config, const cevm_header *header,
                       const cevm_header *parent, bool is_merged)
{
    const cevm_fork fork = cevm_chain_fork(config, header->number, header->timestamp, is_merged);
    const check c = {config, header, parent, fork};
    static cevm_block_error (*const rules[])(const check *) = {check_place, check_extra_data, check_work,
                                                               check_gas,   check_fields,     check_fees};
    *reason = CEVM_BLOCK_NONE;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0] && *reason == CEVM_BLOCK_NONE; ++i) {
        *reason = rules[i](&c);
    }
}

void cevm_header_env(cevm_block_env *out, const cevm_chain_config *config, const cevm_header *header, bool is_merged)
{
    memset(out, 0, sizeof *out);
    out->fork = cevm_chain_fork(config, header->number, header->timestamp, is_merged);
    out->coinbase = header->coinbase;
    out->number = header->number;
    out->timestamp = header->timestamp;
    out->gas_limit = header->gas_limit;
    out->base_fee = header->base_fee;
    out->difficulty = header->difficulty;
    out->chain_id = config->chain_id;
    if (CEVM_HAS_EIP(out->fork, 4399)) {
        out->prev_randao = header->mix_hash;
    }
    if (CEVM_HAS_EIP(out->fork, 4844)) {
        const cevm_blob_params params = cevm_chain_blob_params(config, header->timestamp);
        cevm_blob_base_fee(&out->blob_base_fee, header->excess_blob_gas, params.base_fee_update_fraction);
        out->max_blobs = params.max;
    }
}

bool cevm_block_size_is_valid(cevm_fork fork, size_t rlp_size)
{
    return !CEVM_HAS_EIP(fork, 7934) || rlp_size <= CEVM_MAX_BLOCK_SIZE;
}
