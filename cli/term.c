/* SPDX-License-Identifier: Apache-2.0 */
/* What a stream can show. */
#include "cli/term.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The first of the locale variables that is set decides (POSIX). */
static bool locale_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0') {
            return strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
        }
    }
    return false;
}

cevm_term cevm_term_of(FILE *stream)
{
    cevm_term t = {.width = 80, .unicode = locale_is_utf8()};
    int fd = fileno(stream);
    t.is_terminal = fd >= 0 && isatty(fd) == 1;
    if (t.is_terminal) {
        const char *no_color = getenv("NO_COLOR"); /* https://no-color.org: set and not empty */
        const char *kind = getenv("TERM");
        struct winsize size;
        t.colour = (no_color == NULL || no_color[0] == '\0') && kind != NULL && strcmp(kind, "dumb") != 0;
        if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40) {
            t.width = size.ws_col;
        }
    }
    return t;
}
