/* SPDX-License-Identifier: Apache-2.0 */
#include "ethereum-tests/networks.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* One end of a transition, or all of a network that has none. */
typedef struct stage {
    cevm_fork fork;
    bool has_dao, has_muir, has_arrow, has_gray; /* what a fork of the library's table does not tell */
    char name[32];
} stage;

/* Whether a name is one of a fork that changes blob parameters alone (EIP-7892). */
static bool is_blob_only(const char *name)
{
    return strncasecmp(name, "BPO", 3) == 0 && name[3] >= '1' && name[3] <= '9' && name[4] == '\0';
}

bool cevm_test_fork_by_name(cevm_fork *out, const char *name)
{
    return cevm_fork_by_name(out, is_blob_only(name) ? "Osaka" : name);
}

/* A stage by the first `length` characters of a text. */
static bool stage_by_name(stage *out, const char *text, size_t length)
{
    *out = (stage){0};
    if (length == 0 || length >= sizeof out->name) {
        return false;
    }
    memcpy(out->name, text, length);
    const char *name = out->name;
    out->has_dao = strcasecmp(name, "Dao") == 0 || strcasecmp(name, "DAOFork") == 0;
    out->has_gray = strcasecmp(name, "GrayGlacier") == 0;
    out->has_arrow = out->has_gray || strcasecmp(name, "ArrowGlacier") == 0;
    out->has_muir = out->has_arrow || strcasecmp(name, "MuirGlacier") == 0;
    return cevm_test_fork_by_name(&out->fork, name);
}

/* When the second stage begins: "5", "Time15k", "DiffC0000". */
static bool parse_moment(cevm_activation *out, cevm_u256 *total_difficulty, const char *text)
{
    cevm_activation_kind kind = CEVM_BY_BLOCK;
    int base = 10;
    if (strncmp(text, "Time", 4) == 0) {
        kind = CEVM_BY_TIME;
        text += 4;
    } else if (strncmp(text, "Diff", 4) == 0) {
        kind = CEVM_BY_TOTAL_DIFFICULTY;
        base = 16;
        text += 4;
    }
    char *end = NULL;
    unsigned long long value = strtoull(text, &end, base);
    if (end == text || value > UINT32_MAX) {
        return false;
    }
    if (kind == CEVM_BY_TIME && *end == 'k') {
        value *= 1000;
        end++;
    }
    *out = (cevm_activation){.kind = kind, .at = kind == CEVM_BY_TOTAL_DIFFICULTY ? 0 : value};
    *total_difficulty = cevm_u256_from_u64(kind == CEVM_BY_TOTAL_DIFFICULTY ? value : 0);
    return *end == '\0';
}

/* A whole name: both stages, the same one twice where there is no transition. */
typedef struct parsed_name {
    stage from, to;
    bool is_transition;
    cevm_activation moment;
    cevm_u256 total_difficulty;
} parsed_name;

static bool parse_name(parsed_name *out, const char *name)
{
    *out = (parsed_name){0};
    if (stage_by_name(&out->from, name, strlen(name))) {
        out->to = out->from;
        return true;
    }
    const char *at = strstr(name, "At");
    const char *to = at != NULL ? strstr(name, "To") : NULL;
    if (to == NULL || to > at) {
        return false;
    }
    out->is_transition = true;
    return stage_by_name(&out->from, name, (size_t)(to - name)) &&
           stage_by_name(&out->to, to + 2, (size_t)(at - to - 2)) && out->from.fork <= out->to.fork &&
           parse_moment(&out->moment, &out->total_difficulty, at + 2);
}

/* How a fork is activated that is in force from the genesis on. */
static cevm_activation from_start(cevm_fork fork)
{
    const cevm_activation by_block = {CEVM_BY_BLOCK, 0}, by_time = {CEVM_BY_TIME, 0};
    const cevm_activation by_difficulty = {CEVM_BY_TOTAL_DIFFICULTY, 0};
    return fork == CEVM_PARIS ? by_difficulty : CEVM_HAS_EIP(fork, 4399) ? by_time : by_block;
}

static cevm_activation glacier(bool before, bool after, cevm_activation moment)
{
    const cevm_activation none = {CEVM_NOT_ACTIVATED, 0}, start = {CEVM_BY_BLOCK, 0};
    return before ? start : after ? moment : none;
}

static void set_forks(cevm_test_network *out, const parsed_name *name)
{
    cevm_chain_config *config = &out->config;
    for (int fork = 0; fork <= (int)name->to.fork; fork++) {
        config->forks[fork] = fork <= (int)name->from.fork ? from_start((cevm_fork)fork) : name->moment;
    }
    const stage *from = &name->from, *to = &name->to;
    /* A chain that has reached Berlin has passed Muir Glacier. */
    config->glaciers.muir = glacier(from->has_muir || CEVM_HAS_EIP(from->fork, 2929),
                                    to->has_muir || CEVM_HAS_EIP(to->fork, 2929), name->moment);
    config->glaciers.arrow = glacier(from->has_arrow, to->has_arrow, name->moment);
    config->glaciers.gray = glacier(from->has_gray, to->has_gray, name->moment);
    config->dao_fork = glacier(from->has_dao, to->has_dao, name->moment);
    config->terminal_total_difficulty = name->total_difficulty;
    out->last = to->fork;
    out->is_transition = name->is_transition;
    out->merged_from_start = CEVM_HAS_EIP(from->fork, 4399);
}

/* ---- Blob parameters --------------------------------------------------------------------------------------------- */

static bool need_u64(uint64_t *out, const cevm_json_at *object, const char *key)
{
    cevm_json_at at;
    return cevm_json_need(&at, object, key) && cevm_json_u64(out, &at);
}

bool cevm_test_blob_params(cevm_blob_params *out, cevm_fork fork, const char *name, const cevm_json_at *schedule,
                           const cevm_json_at *at)
{
    /* BPO1 and what follows it: two forks of mainnet, and those that test networks count on to. */
    static const cevm_blob_params blob_only[] = {
        {10, 15, 8346193}, {14, 21, 11684671}, {21, 32, 20609697}, {14, 21, 13739630}, {14, 21, 13739630},
    };
    cevm_json_at row;
    if (schedule != NULL && cevm_json_find(&row, schedule, name)) {
        return need_u64(&out->target, &row, "target") && need_u64(&out->max, &row, "max") &&
               need_u64(&out->base_fee_update_fraction, &row, "baseFeeUpdateFraction");
    }
    *out = cevm_blob_params_default(fork);
    if (is_blob_only(name)) {
        const size_t index = (size_t)(name[3] - '1');
        if (index >= sizeof blob_only / sizeof blob_only[0]) {
            return cevm_json_fail(at, "the test has no blob parameters for %s", name);
        }
        *out = blob_only[index];
    }
    return true;
}

static bool add_blob_params(cevm_chain_config *config, const stage *s, uint64_t timestamp, const cevm_json_at *name,
                            const cevm_json_at *schedule)
{
    cevm_blob_schedule_entry *entry = &config->blob_schedule[config->blob_schedule_count];
    if (!CEVM_HAS_EIP(s->fork, 4844)) {
        return true;
    }
    entry->timestamp = timestamp;
    config->blob_schedule_count++;
    return cevm_test_blob_params(&entry->params, s->fork, s->name, schedule, name);
}

bool cevm_test_network_by_name(cevm_test_network *out, bool *known, const cevm_json_at *name,
                               const cevm_json_at *schedule)
{
    /* 0x00000000219ab540356cBB839Cbe05303d7705Fa, mainnet's (EIP-6110) */
    static const cevm_address deposit_contract = {{0x00, 0x00, 0x00, 0x00, 0x21, 0x9a, 0xb5, 0x40, 0x35, 0x6c,
                                                   0xbb, 0x83, 0x9c, 0xbe, 0x05, 0x30, 0x3d, 0x77, 0x05, 0xfa}};
    const char *text;
    parsed_name parsed;
    *out = (cevm_test_network){.config = {.chain_id = 1, .deposit_contract = deposit_contract}};
    *known = true;
    if (!cevm_json_text(&text, name)) {
        return false;
    }
    if (!parse_name(&parsed, text)) {
        *known = false;
        return cevm_json_fail(name, "unsupported fork \"%.80s\"", text);
    }
    set_forks(out, &parsed);
    return add_blob_params(&out->config, &parsed.from, 0, name, schedule) &&
           (!parsed.is_transition || parsed.moment.kind != CEVM_BY_TIME ||
            add_blob_params(&out->config, &parsed.to, parsed.moment.at, name, schedule));
}
