/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/node_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cevm/hex.h>

#include "cli/replace.h"

enum { MAX_STATE = 1 << 30 };

static bool fail(const cevm_node_command *c, const char *path, const char *why)
{
    (void)fprintf(stderr, "%s: %s: %s\n", c->name, path, why);
    return false;
}

/* Calls a method of the node with one parameter (taken) or none. The result, owned by the caller; NULL after a message. */
static json_t *call(const cevm_node_command *c, cevm_node *node, const char *method, json_t *param, const char *path)
{
    const cevm_rpc_limits limits = {.body = MAX_STATE, .answer = MAX_STATE, .batch = 1, .depth = 64};
    const cevm_rpc_peer peer = {.node = node, .limits = &limits};
    cevm_rpc_output out = {.limit = limits.answer};
    json_error_t error;
    json_t *params = json_array();
    if (param != NULL) {
        (void)json_array_append_new(params, param);
    }
    cevm_rpc_request request = {.json = json_pack("{s:i,s:s,s:o}", "id", 1, "method", method, "params", params)};
    cevm_rpc_request_answer(&request, &peer, &out);
    cevm_rpc_request_clear(&request);
    json_t *answer = json_loadb(out.data != NULL ? out.data : "", out.size, 0, &error);
    cevm_rpc_output_clear(&out);
    json_t *result = json_incref(json_object_get(answer, "result"));
    if (result == NULL) {
        const char *why = json_string_value(json_object_get(json_object_get(answer, "error"), "message"));
        (void)fail(c, path, why != NULL ? why : "out of memory");
    }
    json_decref(answer);
    return result;
}

/* A file as "0x…". */
static json_t *read_hex(const char *path)
{
    FILE *file = fopen(path, "rb");
    json_t *result = NULL;
    uint8_t *bytes = NULL;
    char *text = NULL;
    long size = -1;
    struct stat info;
    if (file != NULL && fstat(fileno(file), &info) == 0 && S_ISDIR(info.st_mode)) {
        errno = EISDIR;
    } else if (file != NULL && fseek(file, 0, SEEK_END) == 0) {
        size = ftell(file);
    }
    if (size >= 0 && size < MAX_STATE / 2 && fseek(file, 0, SEEK_SET) == 0) {
        bytes = malloc((size_t)size + 1);
        text = malloc(2 * (size_t)size + 3);
    }
    if (bytes != NULL && text != NULL && fread(bytes, 1, (size_t)size, file) == (size_t)size) {
        memcpy(text, "0x", 2);
        cevm_hex_encode(text + 2, bytes, (size_t)size);
        result = json_stringn_nocheck(text, 2 * (size_t)size + 2);
    } else if (file != NULL && errno == 0) {
        errno = size >= MAX_STATE / 2 ? EFBIG : EIO;
    }
    free(bytes);
    free(text);
    if (file != NULL) {
        (void)fclose(file);
    }
    return result;
}

/** Whether a dump can be written when the node ends: better told at the start than when the chain is about to go. */
static bool can_dump(const cevm_node_command *c)
{
    const char *path = c->dump_state != NULL ? c->dump_state : c->state;
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    char folder[4096] = ".";
    if (path == NULL) {
        return true;
    }
    if (slash != NULL && snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path) >= (int)sizeof folder) {
        return fail(c, path, strerror(ENAMETOOLONG));
    }
    return access(folder, W_OK | X_OK) == 0 || fail(c, path, strerror(errno));
}

bool cevm_node_state_load(const cevm_node_command *c, cevm_node *node)
{
    if (!can_dump(c)) {
        return false;
    }
    const char *path = c->load_state != NULL ? c->load_state : c->state;
    if (path == NULL || (c->load_state == NULL && access(path, F_OK) != 0)) {
        return true;
    }
    errno = 0;
    json_t *hex = read_hex(path);
    if (hex == NULL) {
        return fail(c, path, errno != 0 ? strerror(errno) : "out of memory");
    }
    json_t *result = call(c, node, "anvil_loadState", hex, path);
    bool ok = result != NULL;
    json_decref(result);
    return ok;
}

static bool write_file(const char *path, const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    bool ok = file != NULL && fwrite(bytes, 1, size, file) == size && fflush(file) == 0;
    return (file == NULL || fclose(file) == 0) && ok;
}

bool cevm_node_state_dump(const cevm_node_command *c, cevm_node *node)
{
    const char *path = c->dump_state != NULL ? c->dump_state : c->state;
    char beside[4096];
    if (path == NULL) {
        return true;
    }
    if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside) {
        return fail(c, path, strerror(ENAMETOOLONG));
    }
    json_t *hex = call(c, node, "anvil_dumpState", NULL, path);
    size_t length = json_string_length(hex);
    uint8_t *bytes = malloc(length / 2 + 1);
    size_t size = 0;
    errno = 0;
    bool ok = bytes != NULL && json_is_string(hex) && cevm_hex_decode(bytes, &size, json_string_value(hex), length) &&
              write_file(beside, bytes, size) && cevm_replace_file(beside, path);
    if (!ok && hex != NULL) {
        (void)fail(c, path, errno != 0 ? strerror(errno) : "the state could not be written");
        (void)unlink(beside);
    }
    free(bytes);
    json_decref(hex);
    return ok;
}
