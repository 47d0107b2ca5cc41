/* SPDX-License-Identifier: Apache-2.0 */
/* The "config" of a genesis.json: by which block or time each fork begins, and the blob schedule (EIP-7840, EIP-7892). */
#include "chain/genesis_json.h"

/* Forks that begin with a block, in order. */
static const struct {
    const char *key;
    cevm_fork fork;
} by_block[] = {
    {"homesteadBlock", CEVM_HOMESTEAD},
    {"eip150Block", CEVM_TANGERINE_WHISTLE},
    {"eip158Block", CEVM_SPURIOUS_DRAGON},
    {"byzantiumBlock", CEVM_BYZANTIUM},
    {"constantinopleBlock", CEVM_CONSTANTINOPLE},
    {"petersburgBlock", CEVM_PETERSBURG},
    {"istanbulBlock", CEVM_ISTANBUL},
    {"berlinBlock", CEVM_BERLIN},
    {"londonBlock", CEVM_LONDON},
};

/* Forks that begin with a time, in order. NEVER: only the blob parameters change (EIP-7892). */
static const struct {
    const char *key;
    const char *blobs; /* key in "blobSchedule"; NULL before EIP-4844 */
    cevm_fork fork;
} by_time[] = {
    {"shanghaiTime", NULL, CEVM_SHANGHAI}, {"cancunTime", "cancun", CEVM_CANCUN}, {"pragueTime", "prague", CEVM_PRAGUE},
    {"osakaTime", "osaka", CEVM_OSAKA},    {"bpo1Time", "bpo1", CEVM_NEVER},      {"bpo2Time", "bpo2", CEVM_NEVER},
    {"bpo3Time", "bpo3", CEVM_NEVER},      {"bpo4Time", "bpo4", CEVM_NEVER},      {"bpo5Time", "bpo5", CEVM_NEVER},
};

_Static_assert(CEVM_LATEST == CEVM_OSAKA, "by_time has a row for every fork");

/* Forks that geth knows, or will, and this library does not. */
static const char *const unknown_forks[] = {"amsterdamTime", "bogotaTime", "verkleTime", "ubtTime"};

/* An activation that may be missing or null. */
static bool read_activation(cevm_activation *out, const cevm_json_at *config, const char *key,
                            cevm_activation_kind kind)
{
    cevm_json_at at;
    *out = (cevm_activation){CEVM_NOT_ACTIVATED, 0};
    if (!cevm_json_find(&at, config, key)) {
        return true;
    }
    out->kind = kind;
    return cevm_json_u64(&out->at, &at);
}

static bool read_blob_params(cevm_blob_params *out, const cevm_json_at *at)
{
    cevm_json_at target;
    cevm_json_at max;
    cevm_json_at fraction;
    return cevm_json_need(&target, at, "target") && cevm_json_need(&max, at, "max") &&
           cevm_json_need(&fraction, at, "baseFeeUpdateFraction") && cevm_json_u64(&out->target, &target) &&
           cevm_json_u64(&out->max, &max) && cevm_json_u64(&out->base_fee_update_fraction, &fraction) &&
           (out->base_fee_update_fraction != 0 || cevm_json_fail(&fraction, "must not be 0"));
}

/* Adds the entry of one fork. Osaka may go on with Prague's; the others have mainnet's where the file says nothing. */
static bool read_blobs(cevm_chain_config *out, const cevm_json_at *config, const char *key, cevm_fork fork,
                       uint64_t timestamp)
{
    cevm_json_at schedule;
    cevm_json_at at;
    cevm_blob_params params = {0, 0, 0};
    bool known = false;
    if (cevm_json_find(&schedule, config, "blobSchedule") && cevm_json_is_object(&schedule) &&
        cevm_json_find(&at, &schedule, key)) {
        known = true;
        if (!read_blob_params(&params, &at)) {
            return false;
        }
    } else if (fork == CEVM_NEVER) {
        return cevm_json_fail(config, "%sTime is given, but \"blobSchedule\" has no \"%s\"", key, key);
    } else if (fork == CEVM_CANCUN || fork == CEVM_PRAGUE) {
        known = true;
        params = cevm_blob_params_default(fork);
    }
    if (known) {
        out->blob_schedule[out->blob_schedule_count++] = (cevm_blob_schedule_entry){timestamp, params};
    }
    return true;
}

static bool read_blocks(cevm_chain_config *out, const cevm_json_at *config)
{
    cevm_activation eip155;
    uint64_t last = 0;
    for (size_t i = 0; i < sizeof by_block / sizeof by_block[0]; ++i) {
        cevm_activation *a = &out->forks[by_block[i].fork];
        if (!read_activation(a, config, by_block[i].key, CEVM_BY_BLOCK)) {
            return false;
        }
        if (by_block[i].fork == CEVM_PETERSBURG && a->kind == CEVM_NOT_ACTIVATED) {
            *a = out->forks[CEVM_CONSTANTINOPLE]; /* Constantinople alone was never on a public chain */
        }
        if (a->kind == CEVM_BY_BLOCK && a->at < last) {
            return cevm_json_fail(config, "%s: must not be before the fork ahead of it", by_block[i].key);
        }
        last = a->kind == CEVM_BY_BLOCK ? a->at : last;
    }
    if (!read_activation(&eip155, config, "eip155Block", CEVM_BY_BLOCK)) {
        return false;
    }
    if (eip155.kind == CEVM_BY_BLOCK &&
        (out->forks[CEVM_SPURIOUS_DRAGON].kind != CEVM_BY_BLOCK || out->forks[CEVM_SPURIOUS_DRAGON].at != eip155.at)) {
        return cevm_json_fail(config, "eip155Block and eip158Block are one fork and must be equal");
    }
    return read_activation(&out->glaciers.muir, config, "muirGlacierBlock", CEVM_BY_BLOCK) &&
           read_activation(&out->glaciers.arrow, config, "arrowGlacierBlock", CEVM_BY_BLOCK) &&
           read_activation(&out->glaciers.gray, config, "grayGlacierBlock", CEVM_BY_BLOCK) &&
           read_activation(&out->merge_netsplit, config, "mergeNetsplitBlock", CEVM_BY_BLOCK);
}

static bool read_times(cevm_chain_config *out, const cevm_json_at *config)
{
    uint64_t last = 0;
    for (size_t i = 0; i < sizeof by_time / sizeof by_time[0]; ++i) {
        cevm_activation a;
        if (!read_activation(&a, config, by_time[i].key, CEVM_BY_TIME)) {
            return false;
        }
        if (a.kind == CEVM_NOT_ACTIVATED) {
            continue;
        }
        if (out->forks[CEVM_PARIS].kind == CEVM_NOT_ACTIVATED) {
            return cevm_json_fail(config, "%s needs a terminalTotalDifficulty", by_time[i].key);
        }
        if (a.at < last) {
            return cevm_json_fail(config, "%s: must not be before the fork ahead of it", by_time[i].key);
        }
        last = a.at;
        if (by_time[i].fork != CEVM_NEVER) {
            out->forks[by_time[i].fork] = a;
        }
        if (by_time[i].blobs != NULL && !read_blobs(out, config, by_time[i].blobs, by_time[i].fork, a.at)) {
            return false;
        }
    }
    return true;
}

/* EIP-779; a chain that stayed without the change has "daoForkSupport": false. */
static bool read_dao(cevm_chain_config *out, const cevm_json_at *config)
{
    cevm_json_at support;
    if (!cevm_json_find(&support, config, "daoForkSupport")) {
        return true;
    }
    if (!json_is_boolean(support.value)) {
        return cevm_json_fail(&support, "must be true or false");
    }
    return !json_is_true(support.value) || read_activation(&out->dao_fork, config, "daoForkBlock", CEVM_BY_BLOCK);
}

/* EIP-3675. */
static bool read_merge(cevm_chain_config *out, const cevm_json_at *config)
{
    cevm_json_at at;
    if (cevm_json_find(&at, config, "terminalTotalDifficulty")) {
        out->forks[CEVM_PARIS].kind = CEVM_BY_TOTAL_DIFFICULTY;
        return cevm_json_u256(&out->terminal_total_difficulty, &at);
    }
    if (cevm_json_find(&at, config, "terminalTotalDifficultyPassed") && json_is_true(at.value)) {
        out->forks[CEVM_PARIS].kind = CEVM_BY_TOTAL_DIFFICULTY; /* 0: reached before the first block */
    }
    return true;
}

bool cevm_genesis_config_read(cevm_chain_config *out, const cevm_json_at *config)
{
    cevm_json_at at;
    *out = (cevm_chain_config){.chain_id = 0};
    if (!cevm_json_is_object(config)) {
        return false;
    }
    for (size_t i = 0; i < sizeof unknown_forks / sizeof unknown_forks[0]; ++i) {
        if (cevm_json_find(&at, config, unknown_forks[i])) {
            return cevm_json_fail(&at, "this version does not know the rules of that fork");
        }
    }
    if (cevm_json_find(&at, config, "chainId") && !cevm_json_u64(&out->chain_id, &at)) {
        return false;
    }
    if (cevm_json_find(&at, config, "depositContractAddress") && !cevm_json_address(&out->deposit_contract, &at)) {
        return false;
    }
    out->forks[CEVM_FRONTIER].kind = CEVM_BY_BLOCK;
    return read_blocks(out, config) && read_dao(out, config) && read_merge(out, config) && read_times(out, config);
}
