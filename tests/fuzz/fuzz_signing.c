/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Any bytes as what clients let a node sign or send: typed data (EIP-712 and the older list) as JSON, and a blob transaction
 * with its sidecar. What is refused has a reason, and equal input gives equal digests.
 */
#include <stdlib.h>

#include "rpc/blob_sidecar.h"
#include "rpc/typed_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool digest(cevm_hash *out, const json_t *json)
{
    cevm_typed_error error = {.text = ""};
    const bool ok = json_is_array(json) ? cevm_typed_list_digest(out, &error, json, NULL)
                                        : cevm_typed_data_digest(out, &error, json, NULL);
    if (!ok && error.text[0] == '\0') {
        abort();
    }
    return ok;
}

static void try_typed_data(const uint8_t *data, size_t size)
{
    json_error_t problem;
    cevm_hash once;
    cevm_hash twice;
    json_t *json = json_loadb((const char *)data, size, 0, &problem);
    if (json == NULL) {
        return;
    }
    const bool ok = digest(&once, json);
    if (ok != digest(&twice, json) || (ok && !cevm_hash_equal(&once, &twice))) {
        abort();
    }
    json_decref(json);
}

static void try_sidecar(cevm_bytes raw)
{
    cevm_blob_sidecar sidecar;
    cevm_bytes fields;
    const cevm_hash hash = {{1}};
    const cevm_tx tx = {.type = CEVM_TX_BLOB, .blob_hashes = &hash, .blob_count = 1};
    if (cevm_blob_sidecar_split(&sidecar, &fields, raw)) {
        if (fields.size == 0 || fields.data < raw.data || fields.data + fields.size > raw.data + raw.size) {
            abort();
        }
        (void)cevm_blob_sidecar_check(&sidecar, &tx, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_typed_data(data, size);
    try_sidecar((cevm_bytes){data, size});
    return 0;
}
