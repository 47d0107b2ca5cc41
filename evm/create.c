/* SPDX-License-Identifier: Apache-2.0 */
#include "evm/create.h"

#include <cevm/crypto.h>

void cevm_create_address(cevm_address *out, const cevm_address *sender, uint64_t nonce)
{
    uint8_t rlp[1 + 21 + 9]; /* list of a 20-byte string and a number of at most eight bytes */
    size_t n = 1;
    rlp[n++] = 0x80 + 20;
    memcpy(rlp + n, sender->bytes, 20);
    n += 20;
    if (nonce != 0 && nonce < 0x80) {
        rlp[n++] = (uint8_t)nonce;
    } else {
        uint8_t be[8];
        size_t zeros = 0;
        cevm_store_be64(be, nonce);
        while (zeros < 8 && be[zeros] == 0) {
            ++zeros;
        }
        rlp[n++] = (uint8_t)(0x80 + (8 - zeros));
        memcpy(rlp + n, be + zeros, 8 - zeros);
        n += 8 - zeros;
    }
    rlp[0] = (uint8_t)(0xc0 + (n - 1));
    cevm_hash h;
    cevm_keccak256(&h, rlp, n);
    memcpy(out->bytes, h.bytes + 12, sizeof out->bytes);
}

void cevm_create2_address(cevm_address *out, const cevm_address *sender, const cevm_hash *salt,
                          const cevm_hash *initcode_hash)
{
    uint8_t preimage[1 + 20 + 32 + 32];
    preimage[0] = 0xff;
    memcpy(preimage + 1, sender->bytes, 20);
    memcpy(preimage + 21, salt->bytes, 32);
    memcpy(preimage + 53, initcode_hash->bytes, 32);
    cevm_hash h;
    cevm_keccak256(&h, preimage, sizeof preimage);
    memcpy(out->bytes, h.bytes + 12, sizeof out->bytes);
}

bool cevm_delegation_target(cevm_address *out, cevm_bytes code)
{
    static const uint8_t marker[3] = {0xef, 0x01, 0x00};
    if (code.size != sizeof marker + sizeof out->bytes || memcmp(code.data, marker, sizeof marker) != 0) {
        return false;
    }
    memcpy(out->bytes, code.data + sizeof marker, sizeof out->bytes);
    return true;
}

int cevm_create_check(cevm_vm *vm, const cevm_address *address)
{
    cevm_account_info account;
    const cevm_err err = vm->host.vtable->load_account(vm->host.ctx, &account, address, false);
    if (err != CEVM_OK) {
        vm->err = err;
        return OP_ERROR;
    }
    /* EIP-684: nonce or code; EIP-7610: or storage. */
    const bool has_code = account.exists && !cevm_hash_equal(&account.code_hash, &cevm_empty_code_hash);
    if (account.exists && (account.nonce != 0 || has_code || account.has_storage)) {
        return CEVM_STATUS_CREATE_COLLISION;
    }
    return OP_NEXT;
}

int cevm_create_deposit(cevm_frame *f, int status)
{
    cevm_vm *vm = f->vm;
    const cevm_bytes code = {vm->output.data, vm->output.size};
    /* EIP-170 */
    if (CEVM_HAS_EIP(vm->fork, 170) && code.size > vm->max_code_size) {
        return CEVM_STATUS_CODE_TOO_LARGE;
    }
    /* EIP-3541 */
    if (CEVM_HAS_EIP(vm->fork, 3541) && code.size != 0 && code.data[0] == 0xef) {
        return CEVM_STATUS_CODE_PREFIX;
    }
    const int64_t price = (int64_t)code.size * GAS_CODE_DEPOSIT_BYTE;
    if (f->gas < price) {
        if (CEVM_HAS_EIP(vm->fork, 2)) {
            return CEVM_STATUS_CODE_STORE_GAS;
        }
        return status; /* Frontier: the account is made, without code and without charge */
    }
    f->gas -= price;
    const cevm_err err = vm->host.vtable->set_code(vm->host.ctx, &f->address, code);
    if (err != CEVM_OK) {
        vm->err = err;
        return OP_ERROR;
    }
    return status;
}
