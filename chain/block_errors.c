/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of the reasons to reject a block; all of it comes from the table cevm/block_errors.def.
 */
#include <cevm/block.h>

#include "chain/names.h"

typedef struct block_error_row {
    const char *name;
    const char *others; /* separated by '|' */
    int rpc_code;
    const char *text;
} block_error_row;

static const block_error_row rows[CEVM_BLOCK_ERROR_COUNT] = {
#define BLOCK_ERROR(id, others, code, text) [CEVM_BLOCK_##id] = {#id, others, code, text},
#include <cevm/block_errors.def>
#undef BLOCK_ERROR
};

static const block_error_row unknown = {"UNKNOWN", "", -32603, "unknown block error"};

static const block_error_row *row_of(cevm_block_error error)
{
    return (unsigned)error < CEVM_BLOCK_ERROR_COUNT ? &rows[error] : &unknown;
}

const char *cevm_block_error_name(cevm_block_error error) { return row_of(error)->name; }

const char *cevm_block_error_string(cevm_block_error error) { return row_of(error)->text; }

int cevm_block_error_rpc_code(cevm_block_error error) { return row_of(error)->rpc_code; }

/** Whether one of the names that `expected` lists, with "BlockException." before it or not, is the row's. */
static bool row_matches(const block_error_row *row, const char *expected)
{
    static const char prefix[] = "BlockException.";
    const size_t prefix_size = sizeof prefix - 1;
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

/** Whether a transaction was refused because its bytes are none: then those of its block are none of a block either. */
static bool is_undecodable(cevm_tx_error error) { return error > CEVM_TX_NONE && error <= CEVM_TX_TYPE_NOT_SUPPORTED; }

bool cevm_block_verdict_matches(const cevm_block_verdict *verdict, const char *expected)
{
    if (verdict->error == CEVM_BLOCK_NONE || expected == NULL) {
        return false;
    }
    if (verdict->error != CEVM_BLOCK_TRANSACTION) {
        return row_matches(row_of(verdict->error), expected);
    }
    return cevm_tx_error_matches(verdict->tx_error, expected) ||
           (is_undecodable(verdict->tx_error) && row_matches(row_of(CEVM_BLOCK_RLP_STRUCTURES_ENCODING), expected));
}
