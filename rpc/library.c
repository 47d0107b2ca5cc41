/* SPDX-License-Identifier: Apache-2.0 */
#include "rpc/library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

bool cevm_library_load(void *out, const cevm_library *library, const char *command)
{
    void *handle = dlopen(library->file, RTLD_NOW | RTLD_LOCAL);
    bool ok = handle != NULL;
    for (size_t i = 0; ok && i < library->count; i++) {
        void *symbol = dlsym(handle, library->functions[i].name);
        memcpy((char *)out + library->functions[i].offset, &symbol,
               sizeof symbol); /* ISO C has no cast to a function */
        ok = symbol != NULL;
    }
    if (!ok && command != NULL) {
        (void)fprintf(stderr, "%s: %s is needed (Debian: %s): %s\n", command, library->file, library->package,
                      dlerror());
    }
    return ok;
}
