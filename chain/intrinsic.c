/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intrinsic gas: what a transaction costs before its first instruction. EIP-2 (creation costs 32000 more from Homestead
 * on), EIP-2028 (data), EIP-2930 (access list), EIP-3860 (initcode words), EIP-7623 (floor), EIP-7702 (authorizations).
 */
#include <cevm/transition.h>

#define TX_BASE_GAS               21000u
#define TX_CREATE_GAS             32000u /* EIP-2 */
#define DATA_ZERO_GAS             4u     /* per byte */
#define DATA_NONZERO_GAS_FRONTIER 68u    /* per byte */
#define DATA_NONZERO_GAS          16u    /* per byte, EIP-2028 */
#define ACCESS_ADDRESS_GAS        2400u  /* EIP-2930 */
#define ACCESS_KEY_GAS            1900u  /* EIP-2930 */
#define INITCODE_WORD_GAS         2u     /* EIP-3860 */
#define AUTHORIZATION_GAS         25000u /* EIP-7702 PER_EMPTY_ACCOUNT_COST */
#define FLOOR_GAS_PER_TOKEN       10u    /* EIP-7623 */
#define TOKENS_PER_NONZERO_BYTE   4u     /* EIP-7623 */

/** sum + count * price, saturating: no list that fits memory gets near, but a caller's struct may say anything. */
static uint64_t add_cost(uint64_t sum, uint64_t count, uint64_t price)
{
    if (price != 0 && count > (UINT64_MAX - sum) / price) {
        return UINT64_MAX;
    }
    return sum + count * price;
}

static uint64_t access_list_gas(uint64_t sum, const cevm_tx *tx)
{
    sum = add_cost(sum, tx->access_count, ACCESS_ADDRESS_GAS);
    for (size_t i = 0; i < tx->access_count; ++i) {
        sum = add_cost(sum, tx->access_list[i].key_count, ACCESS_KEY_GAS);
    }
    return sum;
}

cevm_intrinsic_gas cevm_tx_intrinsic_gas(const cevm_tx *tx, cevm_fork fork)
{
    uint64_t zeros = 0;
    for (size_t i = 0; i < tx->data.size; ++i) {
        zeros += tx->data.data[i] == 0;
    }
    const uint64_t nonzeros = tx->data.size - zeros;

    cevm_intrinsic_gas out = {TX_BASE_GAS, 0};
    out.gas = add_cost(out.gas, zeros, DATA_ZERO_GAS);
    out.gas = add_cost(out.gas, nonzeros, CEVM_HAS_EIP(fork, 2028) ? DATA_NONZERO_GAS : DATA_NONZERO_GAS_FRONTIER);
    if (tx->is_create) {
        if (CEVM_HAS_EIP(fork, 2)) {
            out.gas = add_cost(out.gas, 1, TX_CREATE_GAS);
        }
        if (CEVM_HAS_EIP(fork, 3860)) {
            const uint64_t words = tx->data.size / 32 + (tx->data.size % 32 != 0);
            out.gas = add_cost(out.gas, words, INITCODE_WORD_GAS);
        }
    }
    if (CEVM_HAS_EIP(fork, 2930)) {
        out.gas = access_list_gas(out.gas, tx);
    }
    if (CEVM_HAS_EIP(fork, 7702)) {
        out.gas = add_cost(out.gas, tx->authorization_count, AUTHORIZATION_GAS);
    }
    if (CEVM_HAS_EIP(fork, 7623)) {
        const uint64_t tokens = add_cost(zeros, nonzeros, TOKENS_PER_NONZERO_BYTE);
        out.floor = add_cost(TX_BASE_GAS, tokens, FLOOR_GAS_PER_TOKEN);
    }
    return out;
}
