/* SPDX-License-Identifier: Apache-2.0 */
/**
 * rpc/types.h: the types that rows of methods.def give their parameters: what a value of each looks like, in a check, in
 * words, and as JSON Schema. Pure, safe on any thread.
 */
#ifndef CEVM_RPC_TYPES_H
#define CEVM_RPC_TYPES_H

#include "rpc/rpc.h"

/** A piece of static text. */
typedef struct cevm_rpc_text {
    const char *text;
    size_t size;
} cevm_rpc_text;

/** One parameter of a row. */
typedef struct cevm_rpc_spec {
    cevm_rpc_text name;
    cevm_rpc_text type; /* "Address", "Hash[]", "Block|Object" */
    bool optional;
    bool rest; /* takes all values that are left */
} cevm_rpc_spec;

/** Takes the next parameter from a row's text; false at its end. *cursor begins as row->params. */
bool cevm_rpc_next_spec(cevm_rpc_spec *out, const char **cursor);
/** Takes the next of the types that a type allows ("A|B"): its name without "[]"; false at the end. Begins with {0}. */
bool cevm_rpc_next_type(cevm_rpc_text *name, bool *is_array, const cevm_rpc_text *type, size_t *cursor);

/** What a value of this type is in words: "an address (0x and 40 hex digits)"; NULL when there is no such type. */
const char *cevm_rpc_type_words(const cevm_rpc_text *name);
/** The type as JSON Schema; NULL when there is no such type. */
const char *cevm_rpc_type_schema(const cevm_rpc_text *name);

enum { CEVM_RPC_SHOWN = 88 };
/** A value as it is shown in messages: JSON, cut where it is long. */
void cevm_rpc_show(char out[CEVM_RPC_SHOWN], const json_t *value);

/**
 * Checks call->params against call->row: makes an array out of named ones (what is given is then owned by *made, to be
 * released by the caller after the call), and fails the call where something is missing, of another type, or too many.
 */
bool cevm_rpc_check_params(cevm_rpc_call *call, json_t *given, json_t **made);

#endif
