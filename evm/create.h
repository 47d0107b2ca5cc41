/* SPDX-License-Identifier: Apache-2.0 */
/**
 * evm/create.h: what is particular to contract creation: its address, the collision check (EIP-684, EIP-7610) and the
 * storing of the code (EIP-170, EIP-3541; the initcode limits of EIP-3860 are in ops_call.h). EIP-2681 is checked where
 * the message begins (call.c).
 */
#ifndef CEVM_EVM_CREATE_H
#define CEVM_EVM_CREATE_H

#include "evm/frame.h"

/** Whether a contract may be made at an address, which this warms: OP_NEXT, CREATE_COLLISION or OP_ERROR. */
int cevm_create_check(cevm_vm *vm, const cevm_address *address);

/** Pays for and stores vm->output as the code of the frame's account: `status`, a halt, or OP_ERROR. */
int cevm_create_deposit(cevm_frame *f, int status);

#endif
