/* SPDX-License-Identifier: Apache-2.0 */
/* Files, messages and exit codes of the transition tools. */
#include <cevm/hex.h>

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/t8n.h"

bool cevm_t8n_fail(cevm_t8n_error *error, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error->code = code;
    (void)vsnprintf(error->message.text, sizeof error->message.text, format, args);
    va_end(args);
    return false;
}

bool cevm_t8n_only_options(cevm_t8n_error *error, const cevm_arguments *arguments)
{
    return arguments->count == 0 ||
           cevm_t8n_fail(error, CEVM_T8N_CONFIG, "what is \"%.80s\" for? There are only options", arguments->items[0]);
}

bool cevm_t8n_code(cevm_t8n_error *error, int code)
{
    error->code = code;
    return false;
}

int cevm_t8n_report(const cevm_t8n_error *error)
{
    (void)fflush(stdout);
    (void)fprintf(stderr, "ERROR(%d): %s\n", error->code, error->message.text);
    return error->code;
}

/* All of a stream, up to the limit of JSON files. */
static char *read_all(size_t *size, FILE *from)
{
    size_t capacity = 65536;
    size_t used = 0;
    char *text = malloc(capacity);
    while (text != NULL) {
        size_t n = fread(text + used, 1, capacity - used, from);
        used += n;
        if (n == 0) {
            break;
        }
        if (used < capacity) {
            continue;
        }
        char *grown = capacity < CEVM_JSON_MAX_SIZE ? realloc(text, capacity * 2) : NULL;
        if (grown == NULL) {
            free(text);
            errno = EFBIG;
            return NULL;
        }
        text = grown;
        capacity *= 2;
    }
    *size = used;
    return text;
}

bool cevm_t8n_read_json(json_t **out, cevm_t8n_error *error, const char *path, const char *what)
{
    bool is_stdin = strcmp(path, "stdin") == 0;
    FILE *from = is_stdin ? stdin : fopen(path, "rb");
    *out = NULL;
    if (from == NULL) {
        return cevm_t8n_fail(error, CEVM_T8N_IO, "failed reading %s file: open %.200s: %s", what, path,
                             strerror(errno));
    }
    size_t size = 0;
    errno = 0;
    char *text = read_all(&size, from);
    bool failed = text == NULL || ferror(from);
    int reason = errno;
    if (!is_stdin) {
        (void)fclose(from);
    }
    if (failed) {
        free(text);
        return cevm_t8n_fail(error, CEVM_T8N_IO, "failed reading %s file: %.200s: %s", what, path, strerror(reason));
    }
    json_error_t where;
    *out = cevm_json_parse(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    free(text);
    if (*out == NULL) {
        return cevm_t8n_fail(error, CEVM_T8N_JSON, "failed unmarshalling %s%s: line %d, column %d: %s",
                             is_stdin ? "stdin" : what, is_stdin ? "" : " file", where.line, where.column, where.text);
    }
    return true;
}

bool cevm_t8n_make_folder(cevm_t8n_error *error, const char *path)
{
    char *copy = path != NULL ? strdup(path) : NULL;
    int failed = 0;
    if (path == NULL || path[0] == '\0') {
        free(copy);
        return true;
    }
    for (char *at = copy; at != NULL && failed == 0; at = at != NULL ? strchr(at + 1, '/') : NULL) {
        char *slash = strchr(at + 1, '/');
        if (slash != NULL) {
            *slash = '\0';
        }
        if (copy[0] != '\0' && mkdir(copy, 0777) != 0 && errno != EEXIST) {
            failed = errno;
        }
        if (slash == NULL) {
            break;
        }
        *slash = '/';
    }
    struct stat st;
    if (failed == 0 && (copy == NULL || stat(copy, &st) != 0 || !S_ISDIR(st.st_mode))) {
        failed = copy == NULL ? ENOMEM : ENOTDIR;
    }
    free(copy);
    return failed == 0 || cevm_t8n_fail(error, CEVM_T8N_IO, "failed creating output basedir: mkdir %.200s: %s", path,
                                        strerror(failed));
}

bool cevm_t8n_write_file(cevm_t8n_error *error, const char *folder, const char *name, const json_t *json)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s%s%s", folder != NULL ? folder : "",
                     folder != NULL && folder[0] != '\0' ? "/" : "", name);
    if (n < 0 || (size_t)n >= sizeof path) {
        return cevm_t8n_fail(error, CEVM_T8N_IO, "failed writing output: the name is too long");
    }
    FILE *to = fopen(path, "wb");
    bool ok = to != NULL;
    if (ok) {
        ok = json_dumpf(json, to, JSON_INDENT(1) | JSON_ENCODE_ANY | JSON_PRESERVE_ORDER) == 0;
        ok = fclose(to) == 0 && ok;
    }
    return ok || cevm_t8n_fail(error, CEVM_T8N_IO, "failed writing output: open %.200s: %s", path, strerror(errno));
}

bool cevm_t8n_write_stream(cevm_t8n_error *error, FILE *to, const json_t *json)
{
    bool ok = json_dumpf(json, to, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_PRESERVE_ORDER) == 0;
    ok = fputc('\n', to) != EOF && ok;
    ok = fflush(to) == 0 && ok;
    return ok || cevm_t8n_fail(error, CEVM_T8N_IO, "failed writing output: %s", strerror(errno));
}

bool cevm_t8n_read_hex(cevm_bytes *out, cevm_t8n_error *error, const char *what, const char *text, cevm_arena *arena)
{
    size_t length = strlen(text);
    size_t size = 0;
    uint8_t *data = cevm_arena_alloc(arena, length / 2 + 1);
    if (data == NULL) {
        return cevm_t8n_fail(error, CEVM_T8N_EVM, "out of memory");
    }
    if (length != 0 && !cevm_hex_decode(data, &size, text, length)) {
        return cevm_t8n_fail(error, CEVM_T8N_JSON, "failed unmarshalling %s: not bytes of hex", what);
    }
    *out = (cevm_bytes){data, size};
    return true;
}
