/* SPDX-License-Identifier: Apache-2.0 */
/** cevm/cevm.h: the whole public interface of libcevm. */
#ifndef CEVM_CEVM_H
#define CEVM_CEVM_H

#include <cevm/alloc.h>
#include <cevm/block.h>
#include <cevm/chain.h>
#include <cevm/chain_config.h>
#include <cevm/crypto.h>
#include <cevm/db.h>
#include <cevm/execution.h>
#include <cevm/forks.h>
#include <cevm/genesis.h>
#include <cevm/hex.h>
#include <cevm/host.h>
#include <cevm/lmdb.h>
#include <cevm/log.h>
#include <cevm/precompile.h>
#include <cevm/remote.h>
#include <cevm/state.h>
#include <cevm/tracer.h>
#include <cevm/transition.h>
#include <cevm/treedb.h>
#include <cevm/tx.h>
#include <cevm/types.h>
#include <cevm/vm.h>

#endif
