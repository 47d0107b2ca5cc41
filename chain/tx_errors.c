/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of the reasons to reject a transaction; all of it comes from the table cevm/tx_errors.def.
 */
#include <cevm/tx.h>

#include "chain/names.h"

typedef struct tx_error_row {
    const char *name;
    const char *others; /* separated by '|' */
    int rpc_code;
    const char *text;
} tx_error_row;

static const tx_error_row rows[CEVM_TX_ERROR_COUNT] = {
#define TX_ERROR(id, others, code, text) [CEVM_TX_##id] = {#id, others, code, text},
#include <cevm/tx_errors.def>
#undef TX_ERROR
};

static const tx_error_row unknown = {"UNKNOWN", "", -32603, "unknown transaction error"};

static const tx_error_row *row_of(cevm_tx_error error)
{
    return (unsigned)error < CEVM_TX_ERROR_COUNT ? &rows[error] : &unknown;
}

const char *cevm_tx_error_name(cevm_tx_error error) { return row_of(error)->name; }

const char *cevm_tx_error_string(cevm_tx_error error) { return row_of(error)->text; }

int cevm_tx_error_rpc_code(cevm_tx_error error) { return row_of(error)->rpc_code; }

bool cevm_tx_error_matches(cevm_tx_error error, const char *expected)
{
    static const char prefix[] = "TransactionException.";
    const size_t prefix_size = sizeof prefix - 1;
    if (error == CEVM_TX_NONE || expected == NULL) {
        return false;
    }
    const tx_error_row *row = row_of(error);
    for (const char *at = expected;;) {
        const size_t length = strcspn(at, "|");
        const bool prefixed = length >= prefix_size && memcmp(at, prefix, prefix_size) == 0;
        const char *name = prefixed ? at + prefix_size : at;
        const size_t size = prefixed ? length - prefix_size : length;
        if (name_is_listed(row->name, name, size) || name_is_listed(row->others, name, size)) {
            return true;
        }
        if (at[length] == '\0') {
            return false;
        }
        at += length + 1;
    }
}
