/* SPDX-License-Identifier: Apache-2.0 */
#include "ethereum-tests/runner.h"

#include <cevm/hex.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/** CEVM_ENGINE=exact and CEVM_ENGINE=block in the environment choose an engine for all tests, to compare them. */
static cevm_engine engine_wanted(void)
{
    const char *name = getenv("CEVM_ENGINE");
    if (name != NULL && strcmp(name, "exact") == 0) {
        return CEVM_ENGINE_EXACT;
    }
    return name != NULL && strcmp(name, "block") == 0 ? CEVM_ENGINE_BLOCK : CEVM_ENGINE_AUTO;
}

cevm_err cevm_test_runner_init(cevm_test_runner *out, const cevm_allocator *allocator)
{
    const cevm_vm_config config = {.struct_size = sizeof config, .allocator = allocator, .engine = engine_wanted()};
    *out = (cevm_test_runner){.config = config, .allocator = allocator};
    cevm_err err = cevm_ethash_create(&out->ethash, allocator);
    if (err == CEVM_OK) {
        err = cevm_vm_create(&out->vm, &config);
    }
    if (err != CEVM_OK) {
        cevm_test_runner_clear(out);
    }
    return err;
}

void cevm_test_runner_clear(cevm_test_runner *runner)
{
    cevm_vm_destroy(runner->vm);
    cevm_ethash_destroy(runner->ethash);
    runner->vm = NULL;
    runner->ethash = NULL;
}

const char *cevm_test_aspect_name(cevm_test_aspect aspect)
{
    static const char *const names[] = {"nothing", "reason", "status",  "gas",  "output",   "root",
                                        "logs",    "state",  "genesis", "hash", "receipts", "head"};
    return (size_t)aspect < sizeof names / sizeof names[0] ? names[aspect] : "unknown";
}

void cevm_test_fail(cevm_test_result *out, cevm_test_aspect aspect, const char *expected, const char *got,
                    const char *format, ...)
{
    out->verdict = CEVM_TEST_FAIL;
    out->aspect = aspect;
    (void)snprintf(out->expected, sizeof out->expected, "%s", expected);
    (void)snprintf(out->got, sizeof out->got, "%s", got);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(out->error, sizeof out->error, format, args);
    va_end(args);
}

void cevm_test_fail_hash(cevm_test_result *out, cevm_test_aspect aspect, const char *what, const cevm_hash *expected,
                         const cevm_hash *got)
{
    char want[2 + 65] = "0x", have[2 + 65] = "0x";
    cevm_hex_encode(want + 2, expected->bytes, sizeof expected->bytes);
    cevm_hex_encode(have + 2, got->bytes, sizeof got->bytes);
    cevm_test_fail(out, aspect, want, have, "%s mismatch: got %s, want %s", what, have + 2, want + 2);
}

void cevm_test_fail_err(cevm_test_result *out, const char *what, cevm_err err)
{
    out->verdict = err == CEVM_ERR_NOT_BUILT ? CEVM_TEST_NOT_BUILT : CEVM_TEST_ERROR;
    (void)snprintf(out->error, sizeof out->error, "%s: %s", what, cevm_err_string(err));
}
