/* SPDX-License-Identifier: Apache-2.0 */
/* Where the bytecode of `cevm run` comes from: the command line, a file of hex, or what a Solidity compiler wrote. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/run.h"

enum { FILE_LIMIT = 256 << 20, SHOWN_NAMES = 12 };

void cevm_blob_free(cevm_blob *blob)
{
    free(blob->data);
    *blob = (cevm_blob){0};
}

static bool no_memory(const char *command)
{
    (void)fprintf(stderr, "%s: %s\n", command, cevm_err_string(CEVM_ERR_NOMEM));
    return false;
}

static bool read_stream(cevm_blob *out, const char *command, const char *path, FILE *f)
{
    size_t capacity = 65536;
    uint8_t *data = malloc(capacity);
    size_t size = 0;
    size_t n = 0;
    while (data != NULL && (n = fread(data + size, 1, capacity - size - 1, f)) != 0) {
        size += n;
        if (size + 1 < capacity) {
            continue;
        }
        uint8_t *grown = capacity <= FILE_LIMIT ? realloc(data, capacity * 2) : NULL;
        if (grown == NULL) {
            free(data);
            if (capacity > FILE_LIMIT) {
                (void)fprintf(stderr, "%s: %s is larger than %d MiB\n", command, path, FILE_LIMIT >> 20);
                return false;
            }
            return no_memory(command);
        }
        data = grown;
        capacity *= 2;
    }
    if (data == NULL) {
        return no_memory(command);
    }
    if (ferror(f)) {
        (void)fprintf(stderr, "%s: cannot read %s: %s\n", command, path, strerror(errno));
        free(data);
        return false;
    }
    data[size] = 0;
    *out = (cevm_blob){data, size};
    return true;
}

bool cevm_read_file(cevm_blob *out, const char *command, const char *path)
{
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *f = is_stdin ? stdin : fopen(path, "rb");
    *out = (cevm_blob){0};
    if (f == NULL) {
        (void)fprintf(stderr, "%s: cannot open %s: %s\n", command, path, strerror(errno));
        return false;
    }
    bool ok = read_stream(out, command, is_stdin ? "standard input" : path, f);
    if (!is_stdin) {
        (void)fclose(f);
    }
    return ok;
}

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static void bad_hex(const char *command, const char *what, const char *text, size_t length, size_t at)
{
    unsigned char c = (unsigned char)text[at];
    (void)fprintf(stderr, "%s: %s is not hex: ", command, what);
    if (c == '_' && at + 1 < length && text[at + 1] == '_') {
        (void)fprintf(stderr, "a library is not linked (position %zu)\n", at + 1);
    } else if (c > 32 && c < 127) {
        (void)fprintf(stderr, "'%c' at position %zu\n", c, at + 1);
    } else {
        (void)fprintf(stderr, "byte 0x%02x at position %zu\n", c, at + 1);
    }
}

bool cevm_parse_hex(cevm_blob *out, const char *command, const char *what, const char *text, size_t length)
{
    size_t at = 0;
    size_t digits = 0;
    *out = (cevm_blob){malloc(length / 2 + 1), 0};
    if (out->data == NULL) {
        return no_memory(command);
    }
    while (at < length && is_blank(text[at])) {
        ++at;
    }
    if (length - at >= 2 && text[at] == '0' && (text[at + 1] == 'x' || text[at + 1] == 'X')) {
        at += 2;
    }
    for (; at < length; ++at) {
        int d = digit(text[at]);
        if (d < 0 && is_blank(text[at])) {
            continue;
        }
        if (d < 0) {
            bad_hex(command, what, text, length, at);
            cevm_blob_free(out);
            return false;
        }
        uint8_t *byte = &out->data[digits / 2];
        *byte = (uint8_t)(digits % 2 == 0 ? d << 4 : *byte | d);
        ++digits;
    }
    if (digits % 2 != 0) {
        (void)fprintf(stderr, "%s: %s is not hex: %zu digit%s, an odd number, make no bytes\n", command, what, digits,
                      digits == 1 ? "" : "s");
        cevm_blob_free(out);
        return false;
    }
    out->size = digits / 2;
    return true;
}

bool cevm_parse_address(cevm_address *out, const char *command, const char *what, const char *text)
{
    char digits[41];
    const char *start = strncmp(text, "0x", 2) == 0 ? text + 2 : text;
    size_t length = strlen(start);
    if (length >= sizeof digits) {
        (void)fprintf(stderr, "%s: %s is no address: it has %zu digits, more than 40\n", command, what, length);
        return false;
    }
    memset(digits, '0', sizeof digits - 1);
    memcpy(digits + sizeof digits - 1 - length, start, length + 1);
    for (size_t i = 0; i < length; ++i) {
        if (digit(start[i]) < 0) {
            bad_hex(command, what, text, strlen(text), (size_t)(start - text) + i);
            return false;
        }
    }
    return cevm_hex_decode_exact(out->bytes, sizeof out->bytes, digits);
}

/* ---- What compilers write ----------------------------------------------------------------------------------------- */

/* The search for one contract in a compiler's JSON. */
typedef struct search {
    const char *wanted; /* --contract, or NULL */
    bool create;
    const json_t *code; /* the string found */
    size_t matches;
    char names[SHOWN_NAMES][128];
    size_t names_count;
} search;

/* The code of one artifact: solc's evm.bytecode.object, Foundry's bytecode.object, Hardhat's bytecode, solc's bin. */
static const json_t *artifact_code(const json_t *artifact, bool create)
{
    const json_t *evm = json_object_get(artifact, "evm");
    const json_t *code = json_object_get(evm != NULL ? evm : artifact, create ? "bytecode" : "deployedBytecode");
    if (json_is_object(code)) {
        code = json_object_get(code, "object");
    }
    if (code == NULL) {
        code = json_object_get(artifact, create ? "bin" : "bin-runtime");
    }
    return json_is_string(code) ? code : NULL;
}

/* Looks at one artifact, called `name` in `file` (either may be NULL). Interfaces have no code and never match. */
static void consider(search *s, const char *file, const char *name, const json_t *artifact)
{
    const json_t *code = artifact_code(artifact, s->create);
    char full[128];
    if (code == NULL || json_string_value(code)[0] == '\0' || strcmp(json_string_value(code), "0x") == 0) {
        return;
    }
    if (name == NULL) {
        name = json_string_value(json_object_get(artifact, "contractName"));
    }
    name = name != NULL ? name : "";
    const char *colon = strrchr(name, ':');
    (void)snprintf(full, sizeof full, "%s%s%s", file != NULL ? file : "", file != NULL ? ":" : "", name);
    if (s->wanted != NULL && name[0] != '\0' && strcmp(s->wanted, name) != 0 && strcmp(s->wanted, full) != 0 &&
        (colon == NULL || strcmp(s->wanted, colon + 1) != 0)) {
        if (s->names_count < SHOWN_NAMES) {
            memcpy(s->names[s->names_count++], full, sizeof full);
        }
        return;
    }
    if (s->names_count < SHOWN_NAMES) {
        memcpy(s->names[s->names_count++], full, sizeof full);
    }
    s->matches += 1;
    s->code = code;
}

static void consider_all(search *s, json_t *root)
{
    json_t *contracts = json_object_get(root, "contracts");
    const char *file = NULL;
    json_t *inner = NULL;
    if (contracts == NULL) {
        consider(s, NULL, NULL, root);
        return;
    }
    json_object_foreach(contracts, file, inner)
    {
        const char *name = NULL;
        json_t *artifact = NULL;
        if (artifact_code(inner, s->create) != NULL) { /* combined-json: "file:Name" is the key */
            consider(s, NULL, file, inner);
            continue;
        }
        json_object_foreach(inner, name, artifact) { consider(s, file, name, artifact); }
    }
}

static bool artifact_failure(const search *s, const cevm_run_options *o, const char *path)
{
    const char *kind = s->create ? "creation code" : "runtime code";
    if (s->matches > 1) {
        (void)fprintf(stderr, "%s: %s holds several contracts; choose one with --contract:\n", o->command, path);
    } else if (s->wanted != NULL && s->names_count != 0) {
        (void)fprintf(stderr, "%s: %s holds no contract \"%s\" with %s; it holds:\n", o->command, path, s->wanted,
                      kind);
    } else {
        (void)fprintf(stderr, "%s: %s is JSON, but no Solidity compiler output with %s in it\n", o->command, path,
                      kind);
    }
    for (size_t i = 0; i < s->names_count; ++i) {
        (void)fprintf(stderr, "  %s\n", s->names[i]);
    }
    return false;
}

static bool load_artifact(cevm_blob *out, const cevm_run_options *o, const char *path, const cevm_blob *text)
{
    json_error_t where;
    json_t *root = json_loadb((const char *)text->data, text->size, 0, &where);
    if (root == NULL) {
        (void)fprintf(stderr, "%s: %s, line %d, column %d: %s\n", o->command, path, where.line, where.column,
                      where.text);
        return false;
    }
    search s = {.wanted = o->contract, .create = o->create};
    consider_all(&s, root);
    bool ok = s.matches == 1 && s.code != NULL;
    if (ok) {
        ok = cevm_parse_hex(out, o->command, path, json_string_value(s.code), json_string_length(s.code));
    } else {
        (void)artifact_failure(&s, o, path);
    }
    json_decref(root);
    return ok;
}

static bool load_file(cevm_blob *out, const cevm_run_options *o, const char *path)
{
    cevm_blob text;
    size_t at = 0;
    if (!cevm_read_file(&text, o->command, path)) {
        return false;
    }
    while (at < text.size && is_blank((char)text.data[at])) {
        ++at;
    }
    bool json = at < text.size && text.data[at] == '{';
    bool ok = json ? load_artifact(out, o, path, &text)
                   : cevm_parse_hex(out, o->command, path, (const char *)text.data, text.size);
    if (ok && !json && o->contract != NULL) {
        (void)fprintf(stderr, "%s: --contract chooses from compiler JSON, and %s is hex\n", o->command, path);
        cevm_blob_free(out);
        ok = false;
    }
    cevm_blob_free(&text);
    return ok;
}

/* Whether CODE can only be a file: it has a character that no hex has, and there is such a file. */
static bool names_file(const char *code)
{
    const char *p = strncmp(code, "0x", 2) == 0 ? code + 2 : code;
    while (digit(*p) >= 0) {
        ++p;
    }
    if (*p == '\0') {
        return false;
    }
    FILE *f = fopen(code, "rb");
    if (f != NULL) {
        (void)fclose(f);
    }
    return f != NULL || strpbrk(code, "/.") != NULL; /* with a dot or a slash, "no such file" says it better */
}

bool cevm_run_load_code(cevm_blob *out, const cevm_run_options *o)
{
    *out = (cevm_blob){0};
    if (o->code != NULL && o->code_file != NULL) {
        (void)fprintf(stderr, "%s: give the code once, as an argument or with --codefile\n", o->command);
        return false;
    }
    if (o->code_file != NULL) {
        return load_file(out, o, o->code_file);
    }
    if (o->code == NULL) {
        return true;
    }
    if (names_file(o->code)) {
        return load_file(out, o, o->code);
    }
    const bool ok = cevm_parse_hex(out, o->command, "CODE", o->code, strlen(o->code));
    if (!ok && strncmp(o->code, "0x", 2) != 0 && access(o->code, F_OK) != 0) {
        (void)fprintf(stderr, "(and no file has this name)\n");
    }
    return ok;
}
