/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configurations known by name. Sources: the activations that the executable specifications and EIP-7892 name for
 * mainnet and the public test networks; tests/unit/test_chain_config.c checks them against the networks' fork
 * identifiers (EIP-2124), which are hashes over all activations.
 */
#include <cevm/chain_config.h>
#include <cevm/hex.h>

#include <strings.h>

/* An activation that a chain does not have. */
#define NONE UINT64_MAX

typedef struct preset {
    const char *name;
    uint64_t chain_id;
    uint64_t blocks[CEVM_PARIS]; /* Frontier to London, by number */
    uint64_t muir, arrow, gray;  /* difficulty bomb delays, by number */
    uint64_t dao;
    uint64_t netsplit; /* of the merge, by number; 0 = none */
    const char *terminal_total_difficulty;
    uint64_t times[CEVM_FORK_COUNT - CEVM_SHANGHAI]; /* Shanghai and on, seconds */
    uint64_t bpo[2];                                 /* EIP-7892: blob parameters change alone, seconds */
    const char *deposit_contract;
    bool checks_seal;
} preset;

/* A row of `times` must not leave out a fork: it would then begin with the chain. */
_Static_assert(CEVM_LATEST == CEVM_OSAKA, "the presets know when each fork begins");

/* EIP-6110 names the contract of mainnet; Hoodi has its own at the same address. */
static const char mainnet_deposits[] = "00000000219ab540356cbb839cbe05303d7705fa";

static const preset presets[] = {
    {
        .name = "mainnet",
        .chain_id = 1,
        .blocks = {0, 1150000, 2463000, 2675000, 4370000, 7280000, 7280000, 9069000, 12244000, 12965000},
        .muir = 9200000,
        .arrow = 13773000,
        .gray = 15050000,
        .dao = 1920000,
        .terminal_total_difficulty = "58750000000000000000000",
        .times = {1681338455, 1710338135, 1746612311, 1764798551},
        .bpo = {1765290071, 1767747671},
        .deposit_contract = mainnet_deposits,
        .checks_seal = true,
    },
    {
        .name = "sepolia",
        .chain_id = 11155111,
        .muir = 0,
        .arrow = NONE,
        .gray = NONE,
        .dao = NONE,
        .netsplit = 1735371,
        .terminal_total_difficulty = "17000000000000000",
        .times = {1677557088, 1706655072, 1741159776, 1760427360},
        .bpo = {1761017184, 1761607008},
        .deposit_contract = "7f02c3e3c98b133055b8b348b2ac625669ed295d",
        .checks_seal = true,
    },
    {
        .name = "hoodi",
        .chain_id = 560048,
        .terminal_total_difficulty = "0",
        .muir = 0,
        .arrow = NONE,
        .gray = NONE,
        .dao = NONE,
        .times = {0, 0, 1742999832, 1761677592},
        .bpo = {1762365720, 1762955544},
        .deposit_contract = mainnet_deposits,
    },
    {
        .name = "dev", /* what mainnet has now, from the first block on */
        .chain_id = 1337,
        .terminal_total_difficulty = "0",
        .muir = 0,
        .arrow = 0,
        .gray = 0,
        .dao = NONE,
        .deposit_contract = mainnet_deposits,
    },
};

/* EIP-7892's first two forks that change blob parameters alone, as mainnet and its test networks have them. */
static const cevm_blob_params bpo_params[2] = {{10, 15, 8346193}, {14, 21, 11684671}};

static cevm_activation by_block(uint64_t at)
{
    return (cevm_activation){at == NONE ? CEVM_NOT_ACTIVATED : CEVM_BY_BLOCK, at == NONE ? 0 : at};
}

static void add_blobs(cevm_chain_config *config, uint64_t timestamp, cevm_blob_params params)
{
    config->blob_schedule[config->blob_schedule_count++] = (cevm_blob_schedule_entry){timestamp, params};
}

bool cevm_chain_preset(cevm_chain_config *out, const char *name)
{
    const preset *p = NULL;
    for (size_t i = 0; i < sizeof presets / sizeof presets[0]; ++i) {
        p = p == NULL && strcasecmp(presets[i].name, name) == 0 ? &presets[i] : p;
    }
    if (p == NULL) {
        return false;
    }
    *out = (cevm_chain_config){.chain_id = p->chain_id,
                               .glaciers = {by_block(p->muir), by_block(p->arrow), by_block(p->gray)},
                               .dao_fork = by_block(p->dao),
                               .merge_netsplit = by_block(p->netsplit != 0 ? p->netsplit : NONE),
                               .checks_seal = p->checks_seal};
    (void)cevm_u256_from_text(&out->terminal_total_difficulty, p->terminal_total_difficulty);
    (void)cevm_hex_decode_exact(out->deposit_contract.bytes, sizeof out->deposit_contract.bytes, p->deposit_contract);
    for (size_t fork = 0; fork < sizeof p->blocks / sizeof p->blocks[0]; ++fork) {
        out->forks[fork] = by_block(p->blocks[fork]);
    }
    out->forks[CEVM_PARIS].kind = CEVM_BY_TOTAL_DIFFICULTY;
    for (int fork = CEVM_SHANGHAI; fork < CEVM_FORK_COUNT; ++fork) {
        const uint64_t time = p->times[fork - CEVM_SHANGHAI];
        const cevm_blob_params params = cevm_blob_params_default((cevm_fork)fork);
        out->forks[fork] = (cevm_activation){CEVM_BY_TIME, time};
        if (params.max != 0) {
            add_blobs(out, time, params);
        }
    }
    for (size_t i = 0; i < sizeof bpo_params / sizeof bpo_params[0]; ++i) {
        add_blobs(out, p->bpo[i], bpo_params[i]);
    }
    return true;
}

void cevm_chain_config_at_fork(cevm_chain_config *out, cevm_fork fork)
{
    *out = (cevm_chain_config){.chain_id = 1};
    (void)cevm_hex_decode_exact(out->deposit_contract.bytes, sizeof out->deposit_contract.bytes, mainnet_deposits);
    for (int f = 0; f <= (int)fork; ++f) {
        out->forks[f].kind = CEVM_BY_BLOCK;
        if (f == CEVM_PARIS) {
            out->forks[f].kind = CEVM_BY_TOTAL_DIFFICULTY; /* the terminal one is 0: merged from the first block on */
        } else if (f > CEVM_PARIS) {
            out->forks[f].kind = CEVM_BY_TIME;
        }
    }
    const cevm_blob_params params = cevm_blob_params_default(fork);
    if (params.max != 0) {
        add_blobs(out, 0, params);
    }
}
