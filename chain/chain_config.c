/* SPDX-License-Identifier: Apache-2.0 */
/* Which rules are in force at which block: asked of a configuration, never of a chain's name. */
#include <cevm/chain_config.h>

bool cevm_is_active(const cevm_activation *activation, uint64_t number, uint64_t timestamp)
{
    switch (activation->kind) {
    case CEVM_BY_BLOCK: return number >= activation->at;
    case CEVM_BY_TIME: return timestamp >= activation->at;
    case CEVM_NOT_ACTIVATED:
    case CEVM_BY_TOTAL_DIFFICULTY:
    default: return false;
    }
}

cevm_fork cevm_chain_fork(const cevm_chain_config *config, uint64_t number, uint64_t timestamp, bool is_merged)
{
    for (int fork = CEVM_FORK_COUNT - 1; fork > CEVM_FRONTIER; --fork) {
        const cevm_activation *a = &config->forks[fork];
        const bool is_active = a->kind == CEVM_BY_TOTAL_DIFFICULTY
                                   ? is_merged
                                   : cevm_is_active(a, number, timestamp) && (a->kind != CEVM_BY_TIME || is_merged);
        if (is_active) {
            return (cevm_fork)fork;
        }
    }
    return CEVM_FRONTIER;
}

cevm_blob_params cevm_chain_blob_params(const cevm_chain_config *config, uint64_t timestamp)
{
    cevm_blob_params params = {0, 0, 0};
    for (size_t i = 0; i < config->blob_schedule_count && config->blob_schedule[i].timestamp <= timestamp; ++i) {
        params = config->blob_schedule[i].params;
    }
    return params;
}
