/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/artifacts.h: the names in ABIs that Hardhat, Foundry or solc have written, by what a call or an error shows of them:
 * the first bytes of the hash of their signature.
 *
 * Threads: immutable once loaded.
 */
#ifndef CEVM_RPC_ARTIFACTS_H
#define CEVM_RPC_ARTIFACTS_H

#include <cevm/types.h>

typedef struct cevm_artifacts cevm_artifacts;

/**
 * Reads every *.json below a folder (or one file) that has an "abi". False, with a reason in one line, when the folder
 * cannot be read or memory runs out; files that are something else are passed over.
 */
bool cevm_artifacts_load(cevm_artifacts **out, char *error, size_t error_size, const char *path);
void cevm_artifacts_free(cevm_artifacts *artifacts);
/** How many functions, errors and events there are; artifacts may be NULL. */
size_t cevm_artifacts_count(const cevm_artifacts *artifacts);

/** "transfer(address,uint256)", or NULL; artifacts may be NULL. What contracts share (trace/selectors.h) is known too. */
const char *cevm_artifacts_function(const cevm_artifacts *artifacts, uint32_t selector);

/** What a call said when it reverted, with the names there are: one line, cut to `size` - 1 bytes. */
void cevm_artifacts_describe_revert(char *out, size_t size, const cevm_artifacts *artifacts, cevm_bytes data);

#endif
