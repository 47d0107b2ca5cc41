/* SPDX-License-Identifier: Apache-2.0 */
/* The option parser. */
#include "cli/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_LIMIT = 40 };

static const cevm_option *find(const cevm_option *table, const char *name, size_t length)
{
    for (const cevm_option *o = table; o->name != NULL; ++o) {
        if (strlen(o->name) == length && memcmp(o->name, name, length) == 0) {
            return o;
        }
    }
    return NULL;
}

/* "-p8545": a number right behind its letter. Letters there are more likely a long name with one dash. */
static const cevm_option *find_joined(const char **value, const cevm_option *table, const char *name)
{
    const cevm_option *option = find(table, name, 1);
    if (option == NULL || option->kind == CEVM_OPTION_SWITCH || name[1] < '0' || name[1] > '9') {
        return NULL;
    }
    *value = name + 1;
    return option;
}

static const char *dashes(const cevm_option *option) { return option->name[1] == '\0' ? "-" : "--"; }

/* The dashes as they were typed, so that the message shows what stands on the command line. */
static void unknown(const cevm_option *table, const char *command, const char *typed, const char *name, size_t length)
{
    char text[NAME_LIMIT + 1];
    size_t count = 0;
    size_t kept = length < NAME_LIMIT ? length : NAME_LIMIT;
    memcpy(text, name, kept);
    text[kept] = '\0';
    while (table[count].name != NULL) {
        ++count;
    }
    /* Every letter is as near to every other: a name of one has no neighbours. */
    const char *near = count != 0 && kept > 1 ? cevm_nearest_name(text, &table[0].name, sizeof table[0], count) : NULL;
    (void)fprintf(stderr, "%s: unknown option %.*s%.*s", command, (int)(name - typed), typed, (int)kept, name);
    if (near != NULL) {
        (void)fprintf(stderr, "; did you mean --%s?", near);
    }
    (void)fprintf(stderr, "\n(%s --help lists the options)\n", command);
}

static bool parse_switch(bool *out, const char *text)
{
    if (strcmp(text, "true") == 0 || strcmp(text, "1") == 0) {
        *out = true;
        return true;
    }
    *out = false;
    return strcmp(text, "false") == 0 || strcmp(text, "0") == 0;
}

static bool parse_number(uint64_t *out, const char *text)
{
    char *end = NULL;
    int base = strncmp(text, "0x", 2) == 0 ? 16 : 10;
    if (text[0] < '0' || text[0] > '9') { /* strtoull would take blanks and a sign */
        return false;
    }
    errno = 0;
    unsigned long long v = strtoull(text, &end, base);
    *out = v;
    return errno == 0 && *end == '\0';
}

/* Stores a value; false with a message when it is not of the option's kind. */
static bool store(const cevm_option *option, const char *command, const char *value)
{
    const char *wanted = NULL;
    switch (option->kind) {
    case CEVM_OPTION_SWITCH: wanted = parse_switch(option->target, value) ? NULL : "true or false"; break;
    case CEVM_OPTION_NUMBER:
        wanted = parse_number(option->target, value) ? NULL : "a number (decimal or 0x…) below 2^64";
        break;
    case CEVM_OPTION_TEXT: *(const char **)option->target = value; break;
    }
    if (wanted != NULL) {
        (void)fprintf(stderr, "%s: %s%s wants %s, not \"%s\"\n", command, dashes(option), option->name, wanted, value);
        return false;
    }
    return true;
}

bool cevm_options_parse(cevm_arguments *out, const cevm_option *table, const char *command, int argc, char **argv)
{
    size_t kept = 1;
    bool only_arguments = false;
    *out = (cevm_arguments){0};
    for (int i = 1; i < argc; ++i) {
        const char *text = argv[i];
        if (only_arguments || text[0] != '-' || text[1] == '\0') {
            argv[kept++] = argv[i];
            continue;
        }
        const char *name = text + (text[1] == '-' ? 2 : 1);
        size_t length = strcspn(name, "=");
        if (name[0] == '\0') {
            only_arguments = true;
            continue;
        }
        const cevm_option *option = find(table, name, length);
        const char *joined = NULL;
        if (option == NULL && text[1] != '-') {
            option = find_joined(&joined, table, name);
        }
        if (option == NULL && (strcmp(name, "help") == 0 || strcmp(name, "h") == 0)) {
            out->help = true;
            continue;
        }
        if (option == NULL) {
            unknown(table, command, text, name, length);
            return false;
        }
        const char *value = name[length] == '=' ? name + length + 1 : joined;
        if (value == NULL && option->kind == CEVM_OPTION_SWITCH) {
            value = "true";
        } else if (value == NULL && i + 1 < argc) {
            value = argv[++i];
        }
        if (value == NULL) {
            (void)fprintf(stderr, "%s: %s%s wants a value\n", command, dashes(option), option->name);
            return false;
        }
        if (!store(option, command, value)) {
            return false;
        }
    }
    out->items = argv + 1;
    out->count = kept - 1;
    return true;
}
