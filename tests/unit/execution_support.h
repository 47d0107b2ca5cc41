/* SPDX-License-Identifier: Apache-2.0 */
/**
 * tests/unit/execution_support.h: a block to execute over the small world of tx_support.h, and the system contracts with
 * the code and the addresses their EIPs give.
 */
#ifndef CEVM_TESTS_EXECUTION_SUPPORT_H
#define CEVM_TESTS_EXECUTION_SUPPORT_H

#include "tx_support.h"

#include <cevm/execution.h>

#define BEACON_ROOTS   "000f3df6d732807ef1319fb7b8bb8522d0beac02" /* EIP-4788 */
#define HISTORY        "0000f90827f1c53a10cb7a02335b175320002935" /* EIP-2935 */
#define WITHDRAWALS    "00000961ef480eb55e80d19ad83579a64c007002" /* EIP-7002 */
#define CONSOLIDATIONS "0000bbddc7ce488642fb579f8b00f3a590007251" /* EIP-7251 */
#define SYSTEM         "fffffffffffffffffffffffffffffffffffffffe"

#define BEACON_ROOTS_CODE                                                                                            \
    "3373fffffffffffffffffffffffffffffffffffffffe14604d57602036146024575f5ffd5b5f35801560495762001fff81069081541460" \
    "3c575f5ffd5b62001fff01545f5260205ff35b5f5ffd5b62001fff42064281555f359062001fff015500"
#define HISTORY_CODE                                                                                                 \
    "3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff8143031160425761" \
    "1fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500"
#define WITHDRAWALS_CODE                                                                                             \
    "3373fffffffffffffffffffffffffffffffffffffffe1460cb5760115f54807fffffffffffffffffffffffffffffffffffffffffffffff" \
    "ffffffffffffffffff146101f457600182026001905f5b5f82111560685781019083028483029004916001019190604d565b9093900492" \
    "50505036603814608857366101f457346101f4575f5260205ff35b34106101f45760015460010160015560035480600302600401338155" \
    "6001015f35815560010160203590553360601b5f5260385f601437604c5fa0600101600355005b6003546002548082038060101160df57" \
    "5060105b5f5b8181146101835782810160030260040181604c02815460601b8152601401816001015481526020019060020154807fffff" \
    "ffffffffffffffffffffffffffff00000000000000000000000000000000168252906010019060401c908160381c81600701538160301c" \
    "81600601538160281c81600501538160201c81600401538160181c81600301538160101c81600201538160081c81600101535360010160" \
    "e1565b910180921461019557906002556101a0565b90505f6002555f6003555b5f54807fffffffffffffffffffffffffffffffffffffff" \
    "ffffffffffffffffffffffffff14156101cd57505f5b6001546002828201116101e25750505f6101e8565b01600290035b5f555f600155" \
    "604c025ff35b5f5ffd"
#define CONSOLIDATIONS_CODE                                                                                          \
    "3373fffffffffffffffffffffffffffffffffffffffe1460d35760115f54807fffffffffffffffffffffffffffffffffffffffffffffff" \
    "ffffffffffffffffff1461019a57600182026001905f5b5f82111560685781019083028483029004916001019190604d565b9093900492" \
    "505050366060146088573661019a573461019a575f5260205ff35b341061019a5760015460010160015560035480600402600401338155" \
    "6001015f358155600101602035815560010160403590553360601b5f5260605f60143760745fa0600101600355005b6003546002548082" \
    "038060021160e7575060025b5f5b8181146101295782810160040260040181607402815460601b81526014018160010154815260200181" \
    "6002015481526020019060030154905260010160e9565b910180921461013b5790600255610146565b90505f6002555f6003555b5f5480" \
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff141561017357505f5b60015460018282011161018857" \
    "50505f61018e565b01600190035b5f555f6001556074025ff35b5f5ffd"

static inline cevm_address address_from(const char *hex)
{
    cevm_address a;
    assert_true(cevm_hex_decode_exact(a.bytes, sizeof a.bytes, hex));
    return a;
}

static inline cevm_hash hash_from(const char *hex)
{
    cevm_hash h;
    assert_true(cevm_hex_decode_exact(h.bytes, sizeof h.bytes, hex));
    return h;
}

/** A contract at an address, with nonce 1 as the system contracts have it. */
static inline void put_contract(world *w, const char *address, const char *code)
{
    world_put(w, address_from(address), 0, 1, code);
}

/** All four system contracts, as their constructors leave them: those of requests are inhibited until a system call. */
static inline void put_system_contracts(world *w)
{
    const cevm_address inhibited[] = {address_from(WITHDRAWALS), address_from(CONSOLIDATIONS)};
    const cevm_u256 excess = {{0}}, inhibitor = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    put_contract(w, BEACON_ROOTS, BEACON_ROOTS_CODE);
    put_contract(w, HISTORY, HISTORY_CODE);
    put_contract(w, WITHDRAWALS, WITHDRAWALS_CODE);
    put_contract(w, CONSOLIDATIONS, CONSOLIDATIONS_CODE);
    for (size_t i = 0; i < 2; ++i) {
        assert_int_equal(cevm_memdb_set_storage(w->db, &inhibited[i], &excess, &inhibitor), CEVM_OK);
    }
}

static inline cevm_u256 storage_at(world *w, const char *address, uint64_t key)
{
    const cevm_address a = address_from(address);
    const cevm_u256 k = cevm_u256_from_u64(key);
    cevm_u256 value;
    assert_int_equal(cevm_state_get_storage(w->state, &value, &a, &k), CEVM_OK);
    return value;
}

static inline cevm_hash root_of(world *w)
{
    cevm_hash root;
    assert_int_equal(cevm_state_commit(w->state), CEVM_OK);
    assert_int_equal(cevm_memdb_root(w->db, &root), CEVM_OK);
    return root;
}

static inline cevm_execution_input input_of(const world *w)
{
    cevm_execution_input input = {.struct_size = sizeof input, .env = w->block};
    return input;
}

static inline cevm_execution *execution_open(world *w, const cevm_execution_input *input)
{
    cevm_execution *execution;
    assert_int_equal(cevm_execution_create(&execution, w->vm, w->state, input, NULL), CEVM_OK);
    assert_int_equal(cevm_execution_begin(execution, NULL), CEVM_OK);
    return execution;
}

/** Applies a transaction that must be valid. */
static inline cevm_receipt execute_tx(cevm_execution *execution, const cevm_tx *tx)
{
    cevm_receipt receipt;
    cevm_tx_error reason = CEVM_TX_ERROR_COUNT;
    assert_int_equal(cevm_execution_tx(execution, &receipt, &reason, tx, NULL), CEVM_OK);
    assert_string_equal(cevm_tx_error_name(reason), "NONE");
    return receipt;
}

static inline cevm_block_error execution_finish(cevm_execution *execution, cevm_execution_output *out)
{
    cevm_block_error reason = CEVM_BLOCK_ERROR_COUNT;
    assert_int_equal(cevm_execution_end(execution, out, &reason, NULL), CEVM_OK);
    return reason;
}

/** A whole block without transactions. */
static inline cevm_block_error execute_empty(world *w, const cevm_execution_input *input)
{
    cevm_execution_output out;
    cevm_execution *execution = execution_open(w, input);
    const cevm_block_error reason = execution_finish(execution, &out);
    cevm_execution_destroy(execution);
    return reason;
}

#endif
