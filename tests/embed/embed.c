/* SPDX-License-Identifier: Apache-2.0 */
#include <cevm/cevm.h>
#include <stdio.h>

int main(void)
{
    /* PUSH1 2, PUSH1 40, ADD, PUSH0, MSTORE, PUSH1 32, PUSH0, RETURN */
    static const uint8_t code[] = {0x60, 2, 0x60, 40, 0x01, 0x5f, 0x52, 0x60, 32, 0x5f, 0xf3};
    const cevm_address contract = {{[19] = 0xc0}}, caller = {{[19] = 0xca}};
    const cevm_u256 balance = {{0}};
    const cevm_block_env block = {.fork = CEVM_OSAKA, .gas_limit = 30000000, .chain_id = 1};
    const cevm_tx_env tx = {.origin = caller};
    const cevm_message call = {
        .kind = CEVM_CALL, .gas = 100000, .sender = caller, .recipient = contract, .code_address = contract};
    cevm_memdb *store = NULL;
    cevm_state *state = NULL;
    cevm_vm *vm = NULL;
    cevm_result result;

    cevm_err err = cevm_memdb_create(&store, NULL); /* or a cevm_db of your own */
    if (err == CEVM_OK &&
        (err = cevm_memdb_set_account(store, &contract, &balance, 1, (cevm_bytes){code, sizeof code})) == CEVM_OK) {
        const cevm_db db = cevm_memdb_interface(store);
        err = cevm_state_create(&state, &db, NULL);
    }
    if (err == CEVM_OK && (err = cevm_vm_create(&vm, NULL)) == CEVM_OK &&
        (err = cevm_state_begin_tx(state, block.fork)) == CEVM_OK) {
        const cevm_host host = cevm_state_host(state);
        err = cevm_vm_execute(vm, &result, &call, &block, &tx, &host, NULL);
    }
    if (err == CEVM_OK) {
        printf("%s %u, gas left %lld\n", cevm_status_string(result.status), result.output.data[31],
               (long long)result.gas.left);
    } else {
        printf("%s\n", cevm_err_string(err));
    }
    cevm_vm_destroy(vm);
    cevm_state_destroy(state);
    cevm_memdb_destroy(store);
    return err != CEVM_OK;
}
// prints: return 42, gas left 99978
