/* SPDX-License-Identifier: Apache-2.0 */
/* The forks of the transition tools by name. */
#include <string.h>

#include "cli/t8n.h"

/* All that --state.fork takes, alphabetically; test fillers look for a name in --help before they use the tool. */
static const char *const names[] = {
    "ArrowGlacier",
    "ArrowGlacierToParisAtDiffC0000",
    "BPO1",
    "BPO1ToBPO2AtTime15k",
    "BPO2",
    "BPO2ToBPO3AtTime15k",
    "BPO3",
    "BPO3ToBPO4AtTime15k",
    "BPO4",
    "Berlin",
    "BerlinToLondonAt5",
    "Byzantium",
    "ByzantiumToConstantinopleAt5",
    "ByzantiumToConstantinopleFixAt5",
    "Cancun",
    "CancunToPragueAtTime15k",
    "Constantinople",
    "ConstantinopleFix",
    "ConstantinopleFixToIstanbulAt5",
    "EIP150",
    "EIP158",
    "EIP158ToByzantiumAt5",
    "Frontier",
    "FrontierToHomesteadAt5",
    "GrayGlacier",
    "Homestead",
    "HomesteadToDaoAt5",
    "HomesteadToEIP150At5",
    "Istanbul",
    "London",
    "Merge",
    "MuirGlacier",
    "Osaka",
    "OsakaToBPO1AtTime15k",
    "Paris",
    "ParisToShanghaiAtTime15k",
    "Prague",
    "PragueToOsakaAtTime15k",
    "Shanghai",
    "ShanghaiToCancunAtTime15k",
    "SpuriousDragon",
    "TangerineWhistle",
};

/* geth's test networks for the forks that only change blob parameters: the first two are mainnet's (EIP-7892). */
static const struct {
    const char *name;
    int target, max, fraction;
} blob_forks[] = {
    {"BPO1", 10, 15, 8346193},
    {"BPO2", 14, 21, 11684671},
    {"BPO3", 21, 32, 20609697},
    {"BPO4", 14, 21, 13739630},
};

void cevm_t8n_list_forks(FILE *to)
{
    size_t column = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t length = strlen(names[i]);
        if (column + length > 96) {
            (void)fputc('\n', to);
            column = 0;
        }
        (void)fprintf(to, "%s%s", column == 0 ? "  " : " ", names[i]);
        column += length + 1;
    }
    (void)fputc('\n', to);
}

static json_t *default_schedule(void)
{
    json_t *all = json_object();
    for (size_t i = 0; i < sizeof blob_forks / sizeof blob_forks[0]; i++) {
        json_t *row = json_pack("{s:i,s:i,s:i}", "target", blob_forks[i].target, "max", blob_forks[i].max,
                                "baseFeeUpdateFraction", blob_forks[i].fraction);
        if (json_object_set_new(all, blob_forks[i].name, row) != 0) {
            json_decref(all);
            return NULL;
        }
    }
    return all;
}

bool cevm_t8n_rules(cevm_test_network *out, cevm_t8n_error *error, const char *fork, json_t *schedule)
{
    if (strchr(fork, '+') != NULL) {
        return cevm_t8n_fail(error, CEVM_T8N_CONFIG,
                             "failed constructing chain configuration: %.80s: EIPs cannot be added to a fork", fork);
    }
    bool known = false;
    bool is_default = schedule == NULL || json_is_null(schedule);
    json_t *name = json_string(fork);
    json_t *blobs = is_default ? default_schedule() : json_incref(schedule);
    bool ok = name != NULL && blobs != NULL;
    if (ok) {
        cevm_json_at at = cevm_json_root(name, "failed constructing chain configuration", NULL, &error->message);
        cevm_json_at rows = cevm_json_root(blobs, "blobSchedule", NULL, &error->message);
        ok = (is_default || cevm_json_is_object(&rows)) && cevm_test_network_by_name(out, &known, &at, &rows);
        ok = ok || cevm_t8n_code(error, CEVM_T8N_CONFIG);
    } else {
        (void)cevm_t8n_fail(error, CEVM_T8N_EVM, "out of memory");
    }
    json_decref(name);
    json_decref(blobs);
    return ok;
}
