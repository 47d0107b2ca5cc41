/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to the consensus layer (EIP-7685): deposits out of logs (EIP-6110), and what waits in the system contracts of
 * EIP-7002 and EIP-7251.
 */
#include "chain/requests.h"

#include "precompiles/precompiles.h"

#include <cevm/alloc.h>

/** EIP-7685's type bytes. */
enum { DEPOSIT_REQUEST = 0, WITHDRAWAL_REQUEST = 1, CONSOLIDATION_REQUEST = 2 };

static void sha256(cevm_hash *out, cevm_bytes data)
{
    size_t size;
    (void)cevm_sha256_run(out->bytes, &size, data, CEVM_LATEST, NULL); /* has no way to fail */
}

void cevm_requests_hash(cevm_hash *out, const cevm_requests *requests)
{
    cevm_hash hashes[CEVM_REQUEST_TYPES];
    for (size_t i = 0; i < requests->count; ++i) {
        sha256(&hashes[i], requests->items[i]);
    }
    sha256(out, (cevm_bytes){hashes[0].bytes, requests->count * sizeof hashes[0]});
}

/** Appends a request; one without data does not appear at all. */
static cevm_err add(cevm_requests *requests, uint8_t type, cevm_bytes data, cevm_arena *arena)
{
    if (data.size == 0) {
        return CEVM_OK;
    }
    uint8_t *copy = data.size < SIZE_MAX ? cevm_arena_alloc(arena, data.size + 1) : NULL;
    if (copy == NULL) {
        return CEVM_ERR_NOMEM;
    }
    copy[0] = type;
    memcpy(copy + 1, data.data, data.size);
    requests->items[requests->count++] = (cevm_bytes){copy, data.size + 1};
    return CEVM_OK;
}

/* ---- EIP-6110 ---------------------------------------------------------------------------------------------------- */

/** keccak256("DepositEvent(bytes,bytes,bytes,bytes,bytes)"). */
static const cevm_hash deposit_event = {{0x64, 0x9b, 0xbc, 0x62, 0xd0, 0xe3, 0x13, 0x42, 0xaf, 0xea, 0x4e,
                                         0x5c, 0xd8, 0x2d, 0x40, 0x49, 0xe7, 0xe1, 0xee, 0x91, 0x2f, 0xc0,
                                         0x88, 0x9a, 0xa7, 0x90, 0x80, 0x3b, 0xe3, 0x90, 0x38, 0xc5}};

/** The event's five byte strings, as the ABI lays them out: where the length of each stands, and what it must be. */
typedef struct deposit_field {
    uint16_t offset;
    uint16_t size;
} deposit_field;

static const deposit_field deposit_fields[] = {
    {160, 48}, /* public key */
    {256, 32}, /* withdrawal credentials */
    {320, 8},  /* amount, gwei, little-endian */
    {384, 96}, /* signature */
    {512, 8},  /* index, little-endian */
};

enum { WORD = 32, DEPOSIT_FIELDS = sizeof deposit_fields / sizeof deposit_fields[0], DEPOSIT_EVENT_SIZE = 576 };

static bool word_is(const uint8_t *word, uint64_t value)
{
    const cevm_u256 number = cevm_u256_from_be(word);
    return cevm_u256_fits_u64(&number) && number.w[0] == value;
}

/** Only this one layout is a deposit: every offset and every length where the deposit contract puts them. */
static bool is_deposit(cevm_bytes data)
{
    if (data.size != DEPOSIT_EVENT_SIZE) {
        return false;
    }
    for (size_t i = 0; i < DEPOSIT_FIELDS; ++i) {
        const deposit_field *field = &deposit_fields[i];
        if (!word_is(data.data + i * WORD, field->offset) || !word_is(data.data + field->offset, field->size)) {
            return false;
        }
    }
    return true;
}

static bool is_deposit_event(const cevm_log *log, const cevm_address *contract)
{
    return cevm_address_equal(&log->address, contract) && log->topic_count != 0 &&
           cevm_hash_equal(&log->topics[0], &deposit_event);
}

/** Appends what the events of one transaction deposit; false when one of them has another layout. */
static bool put_deposits(cevm_buf *buf, const cevm_block_receipt *receipt, const cevm_address *contract)
{
    for (size_t i = 0; i < receipt->log_count; ++i) {
        const cevm_log *log = &receipt->logs[i];
        if (!is_deposit_event(log, contract)) {
            continue;
        }
        if (!is_deposit(log->data)) {
            return false;
        }
        for (size_t f = 0; f < DEPOSIT_FIELDS; ++f) {
            cevm_buf_append(buf, log->data.data + deposit_fields[f].offset + WORD, deposit_fields[f].size);
        }
    }
    return true;
}

cevm_err cevm_requests_add_deposits(cevm_requests *requests, cevm_block_error *reason,
                                    const cevm_address *deposit_contract, const cevm_block_receipt *receipts,
                                    size_t receipt_count, cevm_arena *arena, cevm_buf *scratch)
{
    *reason = CEVM_BLOCK_NONE;
    cevm_buf_clear(scratch);
    for (size_t i = 0; i < receipt_count; ++i) {
        if (!put_deposits(scratch, &receipts[i], deposit_contract)) {
            *reason = CEVM_BLOCK_INVALID_DEPOSIT_EVENT_LAYOUT;
            return CEVM_OK;
        }
    }
    if (scratch->failed) {
        return CEVM_ERR_NOMEM;
    }
    return add(requests, DEPOSIT_REQUEST, (cevm_bytes){scratch->data, scratch->size}, arena);
}

/* ---- EIP-7002 and EIP-7251 --------------------------------------------------------------------------------------- */

cevm_err cevm_requests_add_from_contracts(cevm_requests *requests, cevm_block_error *reason,
                                          const cevm_system_caller *caller, cevm_arena *arena)
{
    cevm_bytes data;
    *reason = CEVM_BLOCK_NONE;
    if (CEVM_HAS_EIP(caller->block->fork, 7002)) {
        cevm_err err = cevm_system_take_withdrawals(caller, &data, reason);
        if (err == CEVM_OK && *reason == CEVM_BLOCK_NONE) {
            err = add(requests, WITHDRAWAL_REQUEST, data, arena);
        }
        if (err != CEVM_OK || *reason != CEVM_BLOCK_NONE) {
            return err;
        }
    }
    if (CEVM_HAS_EIP(caller->block->fork, 7251)) {
        const cevm_err err = cevm_system_take_consolidations(caller, &data, reason);
        if (err != CEVM_OK || *reason != CEVM_BLOCK_NONE) {
            return err;
        }
        return add(requests, CONSOLIDATION_REQUEST, data, arena);
    }
    return CEVM_OK;
}
