/* SPDX-License-Identifier: Apache-2.0 */
#include <cevm/forks.h>

#include <strings.h>

typedef struct fork_row {
    const char *name;
    const char *aliases; /* separated by '|' */
} fork_row;

static const fork_row forks[CEVM_FORK_COUNT] = {
#define FORK(id, name, aliases) [CEVM_##id] = {name, aliases},
#include <cevm/forks.def>
#undef FORK
};

static const cevm_eip_info eips[] = {
#define EIP(number, since, until, title, home) {number, CEVM_##since, CEVM_##until, title, home},
#include <cevm/eips.def>
#undef EIP
};

const cevm_eip_info *cevm_eips(size_t *count)
{
    *count = sizeof eips / sizeof eips[0];
    return eips;
}

const char *cevm_fork_name(cevm_fork fork)
{
    return (int)fork >= 0 && fork < CEVM_FORK_COUNT ? forks[fork].name : NULL;
}

/** Whether `name` is one of the spellings in a '|'-separated list, ignoring case. */
static bool in_list(const char *list, const char *name)
{
    const size_t length = strlen(name);
    while (*list != '\0') {
        const char *end = strchr(list, '|');
        const size_t n = end != NULL ? (size_t)(end - list) : strlen(list);
        if (n == length && strncasecmp(list, name, n) == 0) {
            return true;
        }
        list += end != NULL ? n + 1 : n;
    }
    return false;
}

bool cevm_fork_by_name(cevm_fork *out, const char *name)
{
    for (int i = 0; i < CEVM_FORK_COUNT; ++i) {
        if (strcasecmp(forks[i].name, name) == 0 || in_list(forks[i].aliases, name)) {
            *out = (cevm_fork)i;
            return true;
        }
    }
    return false;
}
