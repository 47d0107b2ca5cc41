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
    "BPO4ToBPO5AtTime15k",
    "BPO5",
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

void cevm_t8n_list_forks(FILE *to)
{
    size_t column = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t length = strlen(names[i]);
        if (column + length > 78) {
            (void)fputc('\n', to);
            column = 0;
        }
        (void)fprintf(to, "%s%s", column == 0 ? "  " : " ", names[i]);
        column += length + 1;
    }
    (void)fputc('\n', to);
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
    bool ok = name != NULL;
    if (ok) {
        cevm_json_at at = cevm_json_root(name, "failed constructing chain configuration", NULL, &error->message);
        cevm_json_at rows = cevm_json_root(schedule, "blobSchedule", NULL, &error->message);
        ok = (is_default || cevm_json_is_object(&rows)) &&
             cevm_test_network_by_name(out, &known, &at, is_default ? NULL : &rows);
        ok = ok || cevm_t8n_code(error, CEVM_T8N_CONFIG);
    } else {
        (void)cevm_t8n_fail(error, CEVM_T8N_EVM, "out of memory");
    }
    json_decref(name);
    return ok;
}
