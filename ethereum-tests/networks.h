/* SPDX-License-Identifier: Apache-2.0 */
/**
 * ethereum-tests/networks.h: the rules behind the "network" of a blockchain test.
 *
 * A network is a fork that is in force from the start ("Cancun"; "BPO2" for Osaka with other blob parameters, EIP-7892)
 * or goes from one to another: at a block ("BerlinToLondonAt5"), at a time in seconds ("ShanghaiToCancunAtTime15k", with
 * k = 1000) or at a total difficulty in hex ("ArrowGlacierToParisAtDiffC0000"). Every network from Paris on is merged
 * from its genesis.
 *
 * Threads: no shared state.
 */
#ifndef CEVM_TESTS_NETWORKS_H
#define CEVM_TESTS_NETWORKS_H

#include <cevm/chain_config.h>

#include "chain/json.h"

typedef struct cevm_test_network {
    cevm_chain_config config; /* chain id 1, mainnet's deposit contract; no seal is checked */
    cevm_fork last;           /* the last fork that comes into force */
    bool is_transition;       /* another is in force before it */
    bool merged_from_start;   /* the genesis is past the merge */
} cevm_test_network;

/** Finds a fork by a name of the vectors: as cevm_fork_by_name, and "BPO1" to "BPO9" are Osaka. */
bool cevm_test_fork_by_name(cevm_fork *out, const char *name);

/**
 * The blob parameters of a fork that has that name. `schedule` is the test's own "blobSchedule" by the names of forks
 * (EIP-7840), or NULL: where it has no row, mainnet's parameters count (EIP-8134, EIP-8135), and for "BPO3" to "BPO5",
 * which mainnet has not, those of the test networks. False with the reason in at->error when the row cannot be read or
 * nobody has parameters.
 */
bool cevm_test_blob_params(cevm_blob_params *out, cevm_fork fork, const char *name, const cevm_json_at *schedule,
                           const cevm_json_at *at);

/**
 * Finds the rules of a network. `schedule` is as for cevm_test_blob_params. False with the reason in name->error when
 * the name is not known or the schedule cannot be read; *known tells which: it is false for a name that is not known.
 */
bool cevm_test_network_by_name(cevm_test_network *out, bool *known, const cevm_json_at *name,
                               const cevm_json_at *schedule);

#endif
