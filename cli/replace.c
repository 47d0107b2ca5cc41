/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/** Waits until a file, or what a folder lists, is on the disk. */
static bool sync_path(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    const bool ok = fsync(fd) == 0 || errno == EINVAL; /* there is nothing to wait for in such a file system */
    const int failure = errno;
    (void)close(fd);
    errno = failure;
    return ok;
}

bool cevm_replace_file(const char *from, const char *to)
{
    char folder[PATH_MAX] = ".";
    const char *slash = strrchr(to, '/');
    if (slash != NULL && snprintf(folder, sizeof folder, "%.*s", (int)(slash - to) + 1, to) >= (int)sizeof folder) {
        errno = ENAMETOOLONG;
        return false;
    }
    return sync_path(from) && rename(from, to) == 0 && sync_path(folder);
}
