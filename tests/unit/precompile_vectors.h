/* SPDX-License-Identifier: Apache-2.0 */
/**
 * tests/unit/precompile_vectors.h: a file of vectors in geth's form, [{Input, Expected | ExpectedError, Gas, Name}], run
 * against one contract. Include after cmocka.h.
 */
#ifndef CEVM_TESTS_PRECOMPILE_VECTORS_H
#define CEVM_TESTS_PRECOMPILE_VECTORS_H

#include "tests/unit/precompile_call.h"
#include "tests/unit/vector_file.h"

/** Skips the rest of a test that takes blst in a build that has none. */
static inline void needs_blst(void)
{
#ifdef CEVM_NO_BLST
    print_message("built without blst\n");
    skip();
#endif
}

/**
 * Runs all cases of a file, which must be at least `least`; the first that differs fails the test with its name. `price` is
 * each call's gas, 0 when the file tells it.
 */
static inline void run_vectors(const char *path, unsigned number, cevm_fork fork, size_t least, uint64_t price)
{
    json_t *cases = open_vectors(path);
    const size_t count = json_array_size(cases);
    assert_in_range(count, least, SIZE_MAX);
    for (size_t i = 0; i < count; ++i) {
        const json_t *entry = json_array_get(cases, i);
        const char *name = json_string_value(json_object_get(entry, "Name"));
        const char *expected = json_string_value(json_object_get(entry, "Expected"));
        const json_t *gas = json_object_get(entry, "Gas");
        const call_result r = call_hex(number, fork, json_string_value(json_object_get(entry, "Input")));
        if (gas != NULL && r.gas != (price != 0 ? price : (uint64_t)json_integer_value(gas))) {
            fail_msg("%s, %s: gas %llu", path, name, (unsigned long long)r.gas);
        }
        if (expected == NULL) {
            assert_non_null(json_object_get(entry, "ExpectedError"));
            if (r.status != CEVM_PRECOMPILE_FAIL) {
                fail_msg("%s, %s: status %d instead of a refusal", path, name, (int)r.status);
            }
            continue;
        }
        size_t size = 0;
        uint8_t *bytes = bytes_of_hex(expected, &size);
        if (r.status != CEVM_PRECOMPILE_OK || r.size != size || memcmp(r.output, bytes, size) != 0) {
            fail_msg("%s, %s: status %d, or another output", path, name, (int)r.status);
        }
        free(bytes);
        free(r.output);
    }
    print_message("%s: %zu cases\n", path, count);
    json_decref(cases);
}

#endif
