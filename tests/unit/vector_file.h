/* SPDX-License-Identifier: Apache-2.0 */
/**
 * tests/unit/vector_file.h: opens a JSON file of the official vectors, below $CEVM_VECTORS_DIR or ethereum-tests/vectors.
 * Without the file the test is skipped, or failed when CEVM_REQUIRE_VECTORS is 1. Include after cmocka.h.
 */
#ifndef CEVM_TESTS_VECTOR_FILE_H
#define CEVM_TESTS_VECTOR_FILE_H

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** The parsed file; the caller drops it with json_decref. */
static inline json_t *open_vectors(const char *name)
{
    const char *folder = getenv("CEVM_VECTORS_DIR");
    const char *require = getenv("CEVM_REQUIRE_VECTORS");
    char path[4096];
    json_error_t error;
    (void)snprintf(path, sizeof path, "%s/%s", folder != NULL ? folder : "ethereum-tests/vectors", name);
    if (access(path, R_OK) != 0) {
        print_message("no vectors at %s: set CEVM_VECTORS_DIR\n", path);
        if (require != NULL && strcmp(require, "1") == 0) {
            fail_msg("CEVM_REQUIRE_VECTORS=1 and %s is missing", path);
        }
        skip();
    }
    json_t *root = json_load_file(path, JSON_ALLOW_NUL, &error);
    if (root == NULL) {
        fail_msg("%s:%d: %s", path, error.line, error.text);
    }
    return root;
}

#endif
