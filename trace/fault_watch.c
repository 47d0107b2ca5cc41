/* SPDX-License-Identifier: Apache-2.0 */
/* The words for a frame that failed. */
#include "trace/fault_watch.h"

#include "trace/geth_fault.h"

void cevm_fault_watch_enter(cevm_fault_watch *w) { w->text[0] = '\0'; }

bool cevm_fault_watch_step(cevm_fault_watch *w, const cevm_step *step)
{
    if (step->code.size == 0) {
        w->holding = false;
        return false;
    }
    size_t size = step->stack_size <= CEVM_FAULT_STACK ? step->stack_size : CEVM_FAULT_STACK;
    size_t n = size < CEVM_FAULT_OPERANDS ? size : CEVM_FAULT_OPERANDS;
    w->held = *step;
    w->held.stack = w->stack;
    w->held.stack_size = size;
    w->address = *step->address;
    w->held.address = &w->address;
    if (n != 0) {
        memcpy(w->stack + size - n, step->stack + step->stack_size - n, n * sizeof w->stack[0]);
    }
    w->holding = true;
    return true;
}

bool cevm_fault_watch_step_end(cevm_fault_watch *w, int64_t *gas_cost, int status)
{
    bool fails = w->holding && status >= 0 && !cevm_status_is_success((cevm_status)status);
    w->holding = false;
    if (fails) {
        cevm_geth_fault(w->text, sizeof w->text, gas_cost, &w->held, status, w->fork);
    }
    return fails;
}

const char *cevm_fault_watch_exit(cevm_fault_watch *w, cevm_status status)
{
    if (cevm_status_is_success(status)) {
        return NULL;
    }
    return w->text[0] != '\0' ? w->text : cevm_status_string(status);
}

/* Sizes of EIP-152, EIP-197, EIP-2537, EIP-4844, EIP-7951: an input whose length is wrong is refused for that. */
const char *cevm_precompile_fault(const cevm_address *address, size_t input_size)
{
    static const struct {
        size_t size;
        bool many; /* any number of parts of that size but none */
    } lengths[] = {[0x09] = {213, false}, [0x0a] = {192, false}, [0x0b] = {256, false},
                   [0x0c] = {160, true},  [0x0d] = {512, false}, [0x0e] = {288, true},
                   [0x0f] = {384, true},  [0x10] = {64, false},  [0x11] = {128, false}};
    uint8_t number = address->bytes[19];
    if (number == 0x08 && input_size % 192 != 0) {
        return "bad elliptic curve pairing size";
    }
    if (number < sizeof lengths / sizeof lengths[0] && lengths[number].size != 0) {
        bool right = lengths[number].many ? input_size != 0 && input_size % lengths[number].size == 0
                                          : input_size == lengths[number].size;
        if (!right) {
            return "invalid input length";
        }
    }
    if (number == 0x09) {
        return "invalid final flag";
    }
    return cevm_status_string(CEVM_STATUS_PRECOMPILE_FAILED);
}
