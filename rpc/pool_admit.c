/* SPDX-License-Identifier: Apache-2.0 */
/* What comes into the pool, and why not: geth's rules of its transaction pool, in its words. */
#include <cevm/hex.h>

#include "chain/validate.h"
#include "evm/u256.h"
#include "rpc/node_internal.h"

enum { DECIMAL = 80, PRICE_BUMP = 10 /* percent */, MAX_TX_SIZE = 4 * 1024 * 1024, MAX_TX_GAS = 1 << 24 };

/** One transaction at the door. */
typedef struct candidate {
    cevm_node_error *error;
    const cevm_world *world;
    cevm_pooled *pooled;
    cevm_tx *tx;
    cevm_header header; /* of the next block */
    cevm_block_env env;
    cevm_account_info sender;
} candidate;

static bool refuse(const candidate *c, cevm_tx_error reason)
{
    return cevm_node_say(c->error, cevm_tx_error_rpc_code(reason), "%s", cevm_tx_error_string(reason));
}

/* ---- The transaction alone ------------------------------------------------------------------------------------------ */

static bool check_signature(candidate *c, const cevm_allocator *allocator)
{
    cevm_tx_error reason = cevm_tx_check_type(c->tx, c->env.fork);
    if (reason != CEVM_TX_NONE) {
        return refuse(c, reason);
    }
    reason = cevm_tx_check_chain(c->tx, c->env.fork, c->env.chain_id);
    if (reason != CEVM_TX_NONE) {
        return cevm_node_say(c->error, cevm_tx_error_rpc_code(reason), "%s: have %llu want %llu",
                             cevm_tx_error_string(reason), (unsigned long long)c->tx->chain_id,
                             (unsigned long long)c->env.chain_id);
    }
    if (c->tx->has_sender) {
        return true;
    }
    const cevm_err err = cevm_tx_recover_sender(c->tx, &reason, c->env.fork, allocator);
    if (err != CEVM_OK) {
        return cevm_node_say_err(c->error, err);
    }
    return reason == CEVM_TX_NONE || refuse(c, reason);
}

static bool check_alone(const candidate *c)
{
    const cevm_intrinsic_gas intrinsic = cevm_tx_intrinsic_gas(c->tx, c->env.fork);
    const cevm_tx_error reason = cevm_tx_check_alone(c->tx, c->env.fork);
    const unsigned long long gas = c->tx->gas_limit;
    const int code = cevm_tx_error_rpc_code(reason);
    const char *text = cevm_tx_error_string(reason);
    switch ((int)reason) {
    case CEVM_TX_NONE: return true;
    case CEVM_TX_INTRINSIC_GAS_TOO_LOW:
        return cevm_node_say(c->error, code, "%s: gas %llu, minimum needed %llu", text, gas,
                             (unsigned long long)intrinsic.gas);
    case CEVM_TX_INTRINSIC_GAS_BELOW_FLOOR_GAS_COST:
        return cevm_node_say(c->error, code, "%s: gas %llu, minimum needed %llu", text, gas,
                             (unsigned long long)intrinsic.floor);
    case CEVM_TX_GAS_LIMIT_EXCEEDS_MAXIMUM:
        return cevm_node_say(c->error, code, "%s (cap: %d, tx: %llu)", text, MAX_TX_GAS, gas);
    default: return refuse(c, reason);
    }
}

static bool check_new(const candidate *c)
{
    return cevm_world_pooled(c->world, &c->pooled->hash) == NULL || cevm_node_say(c->error, -32000, "already known");
}

static bool check_size(const candidate *c)
{
    return c->pooled->raw.size <= MAX_TX_SIZE ||
           cevm_node_say(c->error, -32000, "oversized data: transaction size %zu, limit %d", c->pooled->raw.size,
                         (int)MAX_TX_SIZE);
}

/** What cannot become right in any block: blobs without hashes, a creation where there can be none. */
static bool check_type_rules(const candidate *c)
{
    const cevm_tx *tx = c->tx;
    if (tx->type == CEVM_TX_BLOB) {
        const bool none = tx->blob_count == 0;
        const bool many = tx->blob_count > c->env.max_blobs;
        if (none || many || tx->is_create) {
            return refuse(c, none   ? CEVM_TX_TYPE_3_TX_ZERO_BLOBS
                             : many ? CEVM_TX_TYPE_3_TX_BLOBS_ABOVE_BLOCK_LIMIT
                                    : CEVM_TX_TYPE_3_TX_CONTRACT_CREATION);
        }
    }
    if (tx->type == CEVM_TX_SET_CODE && (tx->is_create || tx->authorization_count == 0)) {
        return refuse(c, tx->is_create ? CEVM_TX_TYPE_4_TX_CONTRACT_CREATION : CEVM_TX_TYPE_4_EMPTY_AUTHORIZATION_LIST);
    }
    return true;
}

/* ---- Fees ---------------------------------------------------------------------------------------------------------- */

static bool check_fees(const candidate *c)
{
    const cevm_tx *tx = c->tx;
    char have[DECIMAL];
    char need[DECIMAL];
    char sender[43];
    if (u256_lt(&tx->max_fee, &tx->max_priority_fee)) {
        return refuse(c, CEVM_TX_PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS);
    }
    if (tx->gas_limit > c->env.gas_limit) {
        return cevm_node_say(c->error, -32000, "exceeds block gas limit");
    }
    if (u256_lt(&tx->max_fee, &c->world->settings.min_gas_price)) {
        cevm_u256_to_decimal(have, &tx->max_fee);
        cevm_u256_to_decimal(need, &c->world->settings.min_gas_price);
        return cevm_node_say(c->error, -32000, "transaction underpriced: gas fee cap %s, minimum needed %s", have,
                             need);
    }
    /* Where blocks are made at once there is no time at which the fee could have fallen. */
    if (c->world->settings.automine && u256_lt(&tx->max_fee, &c->env.base_fee)) {
        cevm_u256_to_decimal(have, &tx->max_fee);
        cevm_u256_to_decimal(need, &c->env.base_fee);
        cevm_address_to_text(sender, &tx->sender);
        return cevm_node_say(c->error, -32000, "%s: address %s, maxFeePerGas: %s, baseFee: %s",
                             cevm_tx_error_string(CEVM_TX_INSUFFICIENT_MAX_FEE_PER_GAS), sender, have, need);
    }
    return true;
}

/** Whether `more` is at least PRICE_BUMP percent above `less`. */
static bool is_bumped(const cevm_u256 *more, const cevm_u256 *less)
{
    const cevm_u256 hundred = cevm_u256_from_u64(100);
    const cevm_u256 factor = cevm_u256_from_u64(100 + PRICE_BUMP);
    cevm_u256 left;
    cevm_u256 right;
    if (cevm_u256_mul_overflow(&right, less, &factor)) {
        return false;
    }
    return cevm_u256_mul_overflow(&left, more, &hundred) || !u256_lt(&left, &right);
}

static bool check_replacement(const candidate *c)
{
    const cevm_pooled *old = cevm_world_queued(c->world, &c->tx->sender, c->tx->nonce);
    if (old == NULL) {
        return c->world->pool.count < CEVM_NODE_MAX_POOL || cevm_node_say(c->error, -32000, "txpool is full");
    }
    return (is_bumped(&c->tx->max_fee, &old->tx->max_fee) &&
            is_bumped(&c->tx->max_priority_fee, &old->tx->max_priority_fee) &&
            (old->tx->type != CEVM_TX_BLOB ||
             is_bumped(&c->tx->max_fee_per_blob_gas, &old->tx->max_fee_per_blob_gas))) ||
           cevm_node_say(c->error, -32000, "replacement transaction underpriced");
}

/* ---- The sender ---------------------------------------------------------------------------------------------------- */

static bool check_nonce(const candidate *c)
{
    return c->tx->nonce >= c->sender.nonce ||
           cevm_node_say(c->error, -32000, "nonce too low: next nonce %llu, tx nonce %llu",
                         (unsigned long long)c->sender.nonce, (unsigned long long)c->tx->nonce);
}

static bool check_funds(const candidate *c)
{
    cevm_u256 cost;
    const cevm_tx_error reason = cevm_tx_max_cost(&cost, c->tx);
    if (reason != CEVM_TX_NONE) {
        return refuse(c, reason);
    }
    if (!u256_lt(&c->sender.balance, &cost)) {
        return true;
    }
    char balance[DECIMAL];
    char wanted[DECIMAL];
    char overshot[DECIMAL];
    const cevm_u256 more = u256_sub(&cost, &c->sender.balance);
    cevm_u256_to_decimal(balance, &c->sender.balance);
    cevm_u256_to_decimal(wanted, &cost);
    cevm_u256_to_decimal(overshot, &more);
    return cevm_node_say(c->error, -32000, "%s: balance %s, tx cost %s, overshot %s",
                         cevm_tx_error_string(CEVM_TX_INSUFFICIENT_ACCOUNT_FUNDS), balance, wanted, overshot);
}

static bool check_sender(candidate *c, cevm_node *node)
{
    cevm_err err = cevm_node_engine_seek(node, c->world);
    if (err == CEVM_OK) {
        err = cevm_state_get_account(node->engine.state, &c->sender, &c->tx->sender);
    }
    if (err != CEVM_OK) {
        return cevm_node_say_err(c->error, err);
    }
    return check_nonce(c) && check_funds(c);
}

bool cevm_pool_admit(cevm_node *node, cevm_node_error *error, cevm_world *draft, cevm_pooled *pooled)
{
    if (node->options.code_size_limit != 0) {
        pooled->tx->skips |= CEVM_SKIP_INITCODE_SIZE;
    }
    candidate c = {.error = error, .world = draft, .pooled = pooled, .tx = pooled->tx};
    bool is_merged = false;
    cevm_world_next_header(&c.header, &is_merged, draft, cevm_node_now(draft));
    cevm_header_env(&c.env, &draft->settings.config, &c.header, is_merged);
    if (!check_new(&c) || !check_size(&c) || !check_signature(&c, node->allocator) || !check_alone(&c) ||
        !check_type_rules(&c) || !check_fees(&c) || !check_sender(&c, node) || !check_replacement(&c)) {
        return false;
    }
    pooled->sequence = draft->pool_sequence++;
    const cevm_err err = cevm_pool_put(draft, pooled);
    return err == CEVM_OK || cevm_node_say_err(error, err);
}
