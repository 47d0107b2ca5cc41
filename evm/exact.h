/* SPDX-License-Identifier: Apache-2.0 */
/** evm/exact.h: what the two halves of the exact engine share. */
#ifndef CEVM_EVM_EXACT_H
#define CEVM_EVM_EXACT_H

#include "evm/frame.h"

/** Why an instruction may not run at this height of the stack. */
cevm_status cevm_stack_fault(const cevm_op_info *info, size_t height);

/** cevm_exact_run without a tracer. */
int cevm_exact_run_plain(cevm_frame *f);

#endif
