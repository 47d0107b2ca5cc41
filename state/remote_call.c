/* SPDX-License-Identifier: Apache-2.0 */
/**
 * state/remote_call.c: one call of a method: how it is written, and what its result must look like.
 */
#include "state/remote_internal.h"

#include <cevm/alloc.h>
#include <cevm/crypto.h>
#include <cevm/hex.h>

#include <inttypes.h>
#include <stdio.h>

enum { MAX_EXTRA_DATA = 1 << 16, MAX_CODE = 1 << 24 };

unsigned cevm_remote_call_count(remote_kind kind) { return kind == REMOTE_ACCOUNT ? 3 : 1; }

const char *cevm_remote_method(const remote_want *want, unsigned part)
{
    static const char *const of_account[] = {"eth_getBalance", "eth_getTransactionCount", "eth_getCode"};
    switch (want->kind) {
    case REMOTE_ACCOUNT: return of_account[part];
    case REMOTE_SLOT: return "eth_getStorageAt";
    case REMOTE_CHAIN_ID: return "eth_chainId";
    case REMOTE_HASH:
    case REMOTE_BLOCK: return "eth_getBlockByNumber";
    case REMOTE_OTHER: return want->method;
    }
    return "";
}

void cevm_remote_put_call(cevm_buf *buf, const cevm_remote *remote, const remote_want *want, unsigned part, size_t id)
{
    char text[320];
    char address[41];
    char key[65];
    uint8_t word[32];
    cevm_hex_encode(address, want->address.bytes, sizeof want->address.bytes);
    cevm_u256_to_be(word, &want->key);
    cevm_hex_encode(key, word, sizeof word);
    (void)snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":%zu,\"method\":\"%.100s\",\"params\":", id,
                   cevm_remote_method(want, part));
    cevm_buf_append(buf, text, strlen(text));
    if (want->kind == REMOTE_OTHER) {
        cevm_buf_append(buf, want->params, strlen(want->params));
        cevm_buf_append(buf, "}", 1);
        return;
    }
    cevm_buf_append(buf, "[", 1);
    text[0] = '\0';
    switch (want->kind) {
    case REMOTE_ACCOUNT: (void)snprintf(text, sizeof text, "\"0x%s\",\"%s\"", address, remote->tag); break;
    case REMOTE_SLOT: (void)snprintf(text, sizeof text, "\"0x%s\",\"0x%s\",\"%s\"", address, key, remote->tag); break;
    case REMOTE_OTHER:
    case REMOTE_CHAIN_ID: break;
    case REMOTE_HASH:
    case REMOTE_BLOCK:
        if (want->is_newest) {
            (void)snprintf(text, sizeof text, "\"latest\",false");
        } else {
            (void)snprintf(text, sizeof text, "\"0x%" PRIx64 "\",false", want->key.w[0]);
        }
        break;
    }
    cevm_buf_append(buf, text, strlen(text));
    cevm_buf_append(buf, "]}", 2);
}

void cevm_remote_describe(char *out, size_t size, const remote_want *want)
{
    char address[43];
    char key[67];
    cevm_address_to_text(address, &want->address);
    cevm_u256_to_hex(key, &want->key);
    switch (want->kind) {
    case REMOTE_ACCOUNT: (void)snprintf(out, size, "account %s", address); break;
    case REMOTE_SLOT: (void)snprintf(out, size, "slot %s of %s", key, address); break;
    case REMOTE_HASH: (void)snprintf(out, size, "the hash of block %" PRIu64, want->key.w[0]); break;
    case REMOTE_CHAIN_ID: (void)snprintf(out, size, "the chain id"); break;
    case REMOTE_BLOCK: (void)snprintf(out, size, "the block"); break;
    case REMOTE_OTHER: (void)snprintf(out, size, "what %.60s tells", want->method); break;
    }
}

/* ---- Results --------------------------------------------------------------------------------------------------------- */

/** Bytes "0x…" into memory of their own. */
static cevm_err take_bytes(const cevm_remote *remote, uint8_t **out, size_t *size, size_t limit,
                           const cevm_scan_value *value)
{
    const size_t digits = value->size >= 2 ? value->size - 2 : 0;
    if (value->type != CEVM_SCAN_STRING || value->size < 2 || memcmp(value->text, "0x", 2) != 0 || digits / 2 > limit) {
        return CEVM_ERR_ENCODING;
    }
    uint8_t *bytes = cevm_alloc(remote->allocator, digits / 2);
    if (bytes == NULL) {
        return CEVM_ERR_NOMEM;
    }
    if (!cevm_hex_decode(bytes, size, value->text, value->size)) {
        cevm_free(remote->allocator, bytes);
        return CEVM_ERR_ENCODING;
    }
    *out = bytes;
    return CEVM_OK;
}

static cevm_err take_code(const cevm_remote *remote, remote_want *want, const cevm_scan_value *result)
{
    const cevm_err err = take_bytes(remote, &want->code, &want->code_size, MAX_CODE, result);
    if (err == CEVM_OK) {
        cevm_keccak256(&want->hash, want->code, want->code_size);
    }
    return err;
}

/** Some nodes answer with the block before they know its hash; that is not the hash of a block of the chain. */
static bool take_hash(remote_want *want, const cevm_scan_value *result)
{
    cevm_scan_value member;
    uint64_t number = 0;
    memset(&want->hash, 0, sizeof want->hash);
    if (result->type == CEVM_SCAN_NULL) {
        return true;
    }
    return cevm_scan_member(&member, result, "number") && cevm_scan_u64(&number, &member) && number == want->key.w[0] &&
           cevm_scan_member(&member, result, "hash") &&
           cevm_scan_fixed(want->hash.bytes, sizeof want->hash.bytes, &member);
}

/** The member when it is there and not null. */
static bool present(cevm_scan_value *out, const cevm_scan_value *object, const char *name)
{
    return cevm_scan_member(out, object, name) && out->type != CEVM_SCAN_NULL;
}

static bool need_fixed(uint8_t *out, size_t size, const cevm_scan_value *object, const char *name)
{
    cevm_scan_value member;
    return present(&member, object, name) && cevm_scan_fixed(out, size, &member);
}

static bool need_u64(uint64_t *out, const cevm_scan_value *object, const char *name)
{
    cevm_scan_value member;
    return present(&member, object, name) && cevm_scan_u64(out, &member);
}

/** Absent is fine; then *has (may be NULL) is false. */
static bool may_fixed(uint8_t *out, size_t size, bool *has, const cevm_scan_value *object, const char *name)
{
    cevm_scan_value member;
    const bool found = present(&member, object, name);
    if (has != NULL) {
        *has = found;
    }
    return !found || cevm_scan_fixed(out, size, &member);
}

static bool may_u64(uint64_t *out, bool *has, const cevm_scan_value *object, const char *name)
{
    cevm_scan_value member;
    const bool found = present(&member, object, name);
    if (has != NULL) {
        *has = found;
    }
    return !found || cevm_scan_u64(out, &member);
}

static bool may_word(cevm_u256 *out, bool *has, const cevm_scan_value *object, const char *name)
{
    cevm_scan_value member;
    const bool found = present(&member, object, name);
    if (has != NULL) {
        *has = found;
    }
    return !found || cevm_scan_quantity(out, &member);
}

/** What blocks of some chains lack is zero. */
static bool take_header(cevm_header *h, const cevm_scan_value *o)
{
    bool has_used = false;
    bool has_excess = false;
    const bool ok =
        need_u64(&h->number, o, "number") && need_u64(&h->timestamp, o, "timestamp") &&
        need_u64(&h->gas_limit, o, "gasLimit") && may_u64(&h->gas_used, NULL, o, "gasUsed") &&
        need_fixed(h->parent_hash.bytes, 32, o, "parentHash") &&
        may_fixed(h->ommers_hash.bytes, 32, NULL, o, "sha3Uncles") &&
        may_fixed(h->coinbase.bytes, 20, NULL, o, "miner") &&
        may_fixed(h->state_root.bytes, 32, NULL, o, "stateRoot") &&
        may_fixed(h->transactions_root.bytes, 32, NULL, o, "transactionsRoot") &&
        may_fixed(h->receipts_root.bytes, 32, NULL, o, "receiptsRoot") &&
        may_fixed(h->logs_bloom.bytes, sizeof h->logs_bloom.bytes, NULL, o, "logsBloom") &&
        may_fixed(h->mix_hash.bytes, 32, NULL, o, "mixHash") &&
        may_fixed(h->nonce, sizeof h->nonce, NULL, o, "nonce") && may_word(&h->difficulty, NULL, o, "difficulty") &&
        may_word(&h->base_fee, &h->has_base_fee, o, "baseFeePerGas") &&
        may_fixed(h->withdrawals_root.bytes, 32, &h->has_withdrawals_root, o, "withdrawalsRoot") &&
        may_u64(&h->blob_gas_used, &has_used, o, "blobGasUsed") &&
        may_u64(&h->excess_blob_gas, &has_excess, o, "excessBlobGas") &&
        may_fixed(h->parent_beacon_root.bytes, 32, &h->has_parent_beacon_root, o, "parentBeaconBlockRoot") &&
        may_fixed(h->requests_hash.bytes, 32, &h->has_requests_hash, o, "requestsHash");
    h->has_blob_gas = has_used && has_excess;
    return ok;
}

static cevm_err take_block(cevm_remote *remote, remote_want *want, const cevm_scan_value *result)
{
    cevm_remote_block block = {.chain_id = remote->block.chain_id};
    cevm_scan_value member;
    uint8_t *extra = NULL;
    size_t size = 0;
    if (result->type != CEVM_SCAN_OBJECT || !take_header(&block.header, result) ||
        !need_fixed(block.hash.bytes, 32, result, "hash") ||
        (!want->is_newest && block.header.number != want->key.w[0])) {
        return CEVM_ERR_ENCODING;
    }
    if (present(&member, result, "extraData")) {
        const cevm_err err = take_bytes(remote, &extra, &size, MAX_EXTRA_DATA, &member);
        if (err != CEVM_OK) {
            return err;
        }
    }
    cevm_free(remote->allocator, remote->extra_data);
    remote->extra_data = extra;
    remote->block = block;
    remote->block.header.extra_data = (cevm_bytes){extra, size};
    want->key = cevm_u256_from_u64(block.header.number);
    return CEVM_OK;
}

static cevm_err take_text(const cevm_remote *remote, remote_want *want, const cevm_scan_value *result)
{
    const size_t quotes = result->type == CEVM_SCAN_STRING ? 1 : 0; /* they stand around it */
    const size_t size = result->size + 2 * quotes;
    want->code = cevm_alloc(remote->allocator, size + 1);
    if (want->code == NULL) {
        return CEVM_ERR_NOMEM;
    }
    memcpy(want->code, result->text - quotes, size);
    want->code[size] = '\0';
    want->code_size = size;
    return CEVM_OK;
}

static cevm_err check(bool ok) { return ok ? CEVM_OK : CEVM_ERR_ENCODING; }

cevm_err cevm_remote_take_result(cevm_remote *remote, remote_want *want, unsigned part, const cevm_scan_value *result)
{
    cevm_err err = CEVM_ERR_ENCODING;
    switch (want->kind) {
    case REMOTE_ACCOUNT:
        if (part == 0) {
            err = check(cevm_scan_quantity(&want->value, result));
        } else {
            err = part == 1 ? check(cevm_scan_u64(&want->nonce, result)) : take_code(remote, want, result);
        }
        break;
    case REMOTE_SLOT: err = check(cevm_scan_quantity(&want->value, result)); break;
    case REMOTE_HASH: err = check(take_hash(want, result)); break;
    case REMOTE_CHAIN_ID: err = check(cevm_scan_u64(&want->nonce, result)); break;
    case REMOTE_BLOCK: err = take_block(remote, want, result); break;
    case REMOTE_OTHER: err = take_text(remote, want, result); break;
    }
    return err;
}
