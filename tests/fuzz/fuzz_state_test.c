/* SPDX-License-Identifier: Apache-2.0 */
/** Any text as a file of state tests or blockchain tests: it loads, or the reason is said. */
#include "ethereum-tests/blockchain_test.h"
#include "ethereum-tests/state_test.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void build_transactions(cevm_state_test *test)
{
    for (size_t i = 0; i < test->entry_count; ++i) {
        cevm_json_error error = {{0}};
        cevm_block_env block;
        cevm_tx tx;
        if (test->entries[i].fork_known) {
            cevm_state_test_block(&block, test, &test->entries[i]);
        }
        if (!cevm_state_test_transaction(&tx, test, &test->entries[i], &error) && error.text[0] == '\0') {
            abort();
        }
    }
}

static void load_state_test(const cevm_json_at *at)
{
    cevm_state_test test;
    if (cevm_state_test_load(&test, at, NULL)) {
        build_transactions(&test);
        cevm_state_test_free(&test);
    } else if (at->error->text[0] == '\0') {
        abort();
    }
}

static void load_blocks(cevm_blockchain_test *test)
{
    cevm_json_error error = {{0}};
    cevm_genesis_alloc post;
    for (size_t i = 0; i < test->block_count; ++i) {
        cevm_test_block block;
        if (!cevm_blockchain_test_block(&block, test, i, &error) && error.text[0] == '\0') {
            abort();
        }
        error.text[0] = '\0';
    }
    if (test->post != NULL && !cevm_blockchain_test_post(&post, test, &error) && error.text[0] == '\0') {
        abort();
    }
}

static void load_blockchain_test(const cevm_json_at *at)
{
    cevm_blockchain_test test;
    if (cevm_blockchain_test_load(&test, at, NULL)) {
        load_blocks(&test);
        cevm_blockchain_test_free(&test);
    } else if (at->error->text[0] == '\0') {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cevm_json_error error = {{0}};
    json_t *document = NULL;
    if (!cevm_json_load_text(&document, &error, "fuzz", (const char *)data, size)) {
        if (error.text[0] == '\0') {
            abort();
        }
        return 0;
    }
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(document, name, value)
    {
        const cevm_json_at root = cevm_json_root(document, "fuzz", NULL, &error);
        cevm_json_at at;
        if (!cevm_json_find(&at, &root, name)) {
            continue;
        }
        error.text[0] = '\0';
        if (cevm_blockchain_test_is(at.value)) {
            load_blockchain_test(&at);
        } else {
            load_state_test(&at);
        }
    }
    json_decref(document);
    return 0;
}
