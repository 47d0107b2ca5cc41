/* SPDX-License-Identifier: Apache-2.0 */
/* rpc.discover: the table of methods as an OpenRPC 1.3 document. */
#include <stdio.h>

#include "rpc/methods.h"
#include "rpc/types.h"

static void put_type(cevm_json_writer *w, const cevm_rpc_text *name, bool is_array)
{
    const char *schema = cevm_rpc_type_schema(name);
    schema = schema != NULL ? schema : "{}";
    if (is_array) {
        cevm_json_begin_object(w);
        cevm_json_put_key(w, "type");
        cevm_json_put_string(w, "array");
        cevm_json_put_key(w, "items");
        cevm_json_put_raw(w, schema, strlen(schema));
        cevm_json_end_object(w);
    } else {
        cevm_json_put_raw(w, schema, strlen(schema));
    }
}

static void put_schema(cevm_json_writer *w, const cevm_rpc_text *type)
{
    cevm_rpc_text name;
    bool is_array;
    size_t cursor = 0;
    bool several = memchr(type->text, '|', type->size) != NULL;
    if (several) {
        cevm_json_begin_object(w);
        cevm_json_put_key(w, "anyOf");
        cevm_json_begin_array(w);
    }
    while (cevm_rpc_next_type(&name, &is_array, type, &cursor)) {
        put_type(w, &name, is_array);
    }
    if (several) {
        cevm_json_end_array(w);
        cevm_json_end_object(w);
    }
}

static void put_params(cevm_json_writer *w, const cevm_rpc_row *row)
{
    const char *cursor = row->params;
    cevm_rpc_spec spec;
    cevm_json_begin_array(w);
    while (cevm_rpc_next_spec(&spec, &cursor)) {
        cevm_json_begin_object(w);
        cevm_json_put_key(w, "name");
        cevm_json_put_string_n(w, spec.name.text, spec.name.size);
        cevm_json_put_key(w, "required");
        cevm_json_put_bool(w, !spec.optional && !spec.rest);
        cevm_json_put_key(w, "schema");
        put_schema(w, &spec.type);
        cevm_json_end_object(w);
    }
    cevm_json_end_array(w);
}

static void put_method(cevm_json_writer *w, const cevm_rpc_row *row)
{
    cevm_json_begin_object(w);
    cevm_json_put_key(w, "name");
    cevm_json_put_string(w, row->name);
    cevm_json_put_key(w, "summary");
    cevm_json_put_string(w, row->summary);
    cevm_json_put_key(w, "params");
    put_params(w, row);
    cevm_json_put_key(w, "result");
    cevm_json_begin_object(w);
    cevm_json_put_key(w, "name");
    cevm_json_put_string(w, row->result);
    cevm_json_put_key(w, "schema");
    cevm_rpc_text type = {row->result, strcspn(row->result, "| [")};
    const char *schema = cevm_rpc_type_schema(&type);
    schema = schema != NULL && row->result[type.size] == '\0' ? schema : "{}";
    cevm_json_put_raw(w, schema, strlen(schema));
    cevm_json_end_object(w);
    cevm_json_end_object(w);
}

void cevm_rpc_rpc_discover(cevm_rpc_call *call)
{
    cevm_json_writer *w = call->out;
    size_t count;
    const cevm_rpc_row *rows = cevm_rpc_rows(&count);
    cevm_json_begin_object(w);
    cevm_json_put_key(w, "openrpc");
    cevm_json_put_string(w, "1.3.2");
    cevm_json_put_key(w, "info");
    cevm_json_begin_object(w);
    cevm_json_put_key(w, "title");
    cevm_json_put_string(w, "cevm");
    cevm_json_put_key(w, "version");
    cevm_json_put_string(w, cevm_version());
    cevm_json_end_object(w);
    cevm_json_put_key(w, "methods");
    cevm_json_begin_array(w);
    for (size_t i = 0; i < count; ++i) {
        put_method(w, &rows[i]);
    }
    cevm_json_end_array(w);
    cevm_json_end_object(w);
}
