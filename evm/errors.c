/* SPDX-License-Identifier: Apache-2.0 */
#include <cevm/types.h>
#include <cevm/vm.h>

#include <stdlib.h>

#define CEVM_VERSION_STRING "0.1.0"

const char *cevm_version(void) { return CEVM_VERSION_STRING; }

const char *cevm_err_string(cevm_err err)
{
    static const char *const text[CEVM_ERR_COUNT] = {
        [CEVM_OK] = "success",
        [CEVM_ERR_NOMEM] = "out of memory",
        [CEVM_ERR_BACKEND] = "the state backend could not answer",
        [CEVM_ERR_ENCODING] = "malformed input",
        [CEVM_ERR_ARGUMENT] = "invalid argument",
        [CEVM_ERR_IO] = "input or output failed",
        [CEVM_ERR_LIMIT] = "a configured limit was reached",
        [CEVM_ERR_CANCELLED] = "cancelled, or past its deadline",
        [CEVM_ERR_NOT_BUILT] = "precompiled contract not in this build",
    };
    return (int)err >= 0 && err < CEVM_ERR_COUNT ? text[err] : "unknown error";
}

const char *cevm_status_string(cevm_status status)
{
    switch (status) {
#define STATUS(id, value, text) \
    case CEVM_STATUS_##id:      \
        return text;
#include <cevm/status.def>
#undef STATUS
    }
    return "unknown status";
}

static void *libc_resize(void *ctx, void *ptr, size_t new_size)
{
    (void)ctx;
    if (new_size == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, new_size);
}

const cevm_allocator *cevm_default_allocator(void)
{
    static const cevm_allocator libc = {.ctx = NULL, .resize = libc_resize};
    return &libc;
}
