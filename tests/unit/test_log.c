/* SPDX-License-Identifier: Apache-2.0 */
/* What a host is told (cevm/log.h): by a chain of its imports, by a remote state of a node that lets it wait. */
#include "chain_support.h"
#include "tests/oom/faulty.h"

#include <cevm/log.h>
#include <cevm/remote.h>

#include <stdio.h>
#include <string.h>

/** The messages, each as "level: text\n". */
typedef struct heard {
    char text[4096];
    size_t size;
} heard;

static void hear(void *ctx, cevm_log_level level, const char *text)
{
    heard *h = ctx;
    const int n = snprintf(h->text + h->size, sizeof h->text - h->size, "%s: %s\n", cevm_log_level_string(level), text);
    assert_true(n > 0 && h->size + (size_t)n < sizeof h->text);
    assert_null(strchr(text, '\n'));
    h->size += (size_t)n;
}

/** Whether that is all that was said since the last time. */
static void expect(heard *h, const char *text)
{
    assert_string_equal(h->text, text);
    h->size = 0;
    h->text[0] = '\0';
}

static void open_chain(subject *s, const forge *f, const cevm_db *db, heard *h)
{
    const cevm_chain_options options = {.struct_size = sizeof options,
                                        .config = f->config,
                                        .head = &f->genesis,
                                        .db = *db,
                                        .log = {.write = h != NULL ? hear : NULL, .ctx = h}};
    assert_int_equal(cevm_chain_open(&s->chain, &options), CEVM_OK);
}

static const char *hex_of(char out[65], const cevm_hash *hash)
{
    for (size_t i = 0; i < sizeof hash->bytes; ++i) {
        (void)snprintf(out + 2 * i, 3, "%02x", hash->bytes[i]);
    }
    return out;
}

static void test_a_chain(void **state)
{
    forge f;
    cevm_chain_config config;
    (void)state;
    cevm_chain_config_at_fork(&config, CEVM_LATEST);
    forge_open(&f, &config);
    const forged *one = forge_block(&f, &f.genesis_hash, (recipe){.value = 1});
    const forged *two = forge_block(&f, &one->hash, (recipe){.value = 1});
    const forged *other = forge_block(&f, &f.genesis_hash, (recipe){.value = 2});
    subject s = {.db = forge_store(NULL)};
    cevm_memdb_set_history(s.db, 128);
    const cevm_db db = cevm_memdb_interface(s.db);
    heard h = {{0}, 0};
    char text[512], hash[65];
    open_chain(&s, &f, &db, &h);
    expect(&h, "");
    (void)subject_import(&s, one);
    (void)snprintf(text, sizeof text, "debug: block 1 0x%s: 1 transactions, 21000 gas\n", hex_of(hash, &one->hash));
    expect(&h, text);
    (void)subject_import(&s, one); /* known */
    expect(&h, "");
    (void)subject_import(&s, two);
    h.size = 0;
    (void)subject_import(&s, other);
    (void)snprintf(text, sizeof text, "debug: block 1 0x%s: 1 transactions, 21000 gas, not the head\n",
                   hex_of(hash, &other->hash));
    expect(&h, text);
    assert_int_equal(cevm_chain_set_head(s.chain, &other->hash), CEVM_OK);
    (void)snprintf(text, sizeof text,
                   "info: reorganisation: 2 blocks after block 0 taken back, the head is block 1 0x%s\n",
                   hex_of(hash, &other->hash));
    expect(&h, text);
    assert_int_equal(cevm_chain_set_head(s.chain, &other->hash), CEVM_OK);
    expect(&h, "");
    const forged garbage = {.data = (uint8_t *)(uintptr_t) "\xc1\x80", .size = 2};
    const cevm_import_result refused = subject_import(&s, &garbage);
    (void)snprintf(text, sizeof text, "info: block 0 0x%064d is refused: %s\n", 0,
                   cevm_block_error_string(refused.verdict.error));
    expect(&h, text);
    subject_close(&s);
    forge_close(&f);
}

/* ---- A store that fails while it is away from the head ----------------------------------------------------------- */

static void test_a_store_brought_back(void **state)
{
    forge f;
    cevm_chain_config config;
    cevm_import_result result;
    (void)state;
    cevm_chain_config_at_fork(&config, CEVM_LATEST);
    forge_open(&f, &config);
    const forged *one = forge_block(&f, &f.genesis_hash, (recipe){.value = 1});
    const forged *two = forge_block(&f, &one->hash, (recipe){.value = 1});
    const forged *other = forge_block(&f, &f.genesis_hash, (recipe){.value = 2});
    subject s = {.db = forge_store(NULL)};
    cevm_memdb_set_history(s.db, 128);
    flaky_db layer = {.below = cevm_memdb_interface(s.db), .counted = FLAKY_BLOCKS};
    const cevm_db db = flaky_interface(&layer);
    heard h = {{0}, 0};
    char text[512], hash[65];
    open_chain(&s, &f, &db, &h);
    (void)subject_import(&s, one);
    (void)subject_import(&s, two);
    h.size = 0;
    h.text[0] = '\0';
    layer.fail_at = layer.calls + 2; /* after block 1, and the way back to block 2 fails as well */
    layer.for_good = true;
    assert_int_equal(cevm_chain_set_head(s.chain, &f.genesis_hash), CEVM_ERR_BACKEND);
    layer.fail_at = 0;
    expect(&h, "");
    assert_int_equal(cevm_chain_import(s.chain, &result, (cevm_bytes){other->data, other->size}, NULL), CEVM_OK);
    const size_t first = (size_t)snprintf(
        text, sizeof text, "warn: the store stood elsewhere after an error; it is back at the head, block 2 0x%s\n",
        hex_of(hash, &two->hash));
    (void)snprintf(text + first, sizeof text - first, "debug: block 1 0x%s: 1 transactions, 21000 gas, not the head\n",
                   hex_of(hash, &other->hash));
    expect(&h, text);
    subject_close(&s);
    forge_close(&f);
}

/* ---- A node that is busy ----------------------------------------------------------------------------------------- */

static cevm_err busy(void *ctx, cevm_remote_reply *out, cevm_bytes body)
{
    (void)ctx;
    (void)body;
    out->status = 503;
    return CEVM_OK;
}

static void test_a_busy_node(void **state)
{
    heard h = {{0}, 0};
    cevm_remote *remote = NULL;
    cevm_remote_error error;
    const cevm_remote_transport transport = {NULL, busy};
    const cevm_remote_options options = {.struct_size = sizeof options,
                                         .url = "http://user:secret@node.example/key",
                                         .patience_ms = 40,
                                         .first_wait_ms = 10,
                                         .transport = &transport,
                                         .log = {hear, &h}};
    (void)state;
    assert_int_equal(cevm_remote_open(&remote, &error, &options), CEVM_ERR_BACKEND);
    assert_int_equal(strncmp(h.text, "warn: node.example: HTTP status 503; again in ", 46), 0);
    assert_null(strstr(h.text, "secret"));
    assert_null(strstr(h.text, "key"));
}

static void test_levels(void **state)
{
    (void)state;
    assert_string_equal(cevm_log_level_string(CEVM_LOG_DEBUG), "debug");
    assert_string_equal(cevm_log_level_string(CEVM_LOG_INFO), "info");
    assert_string_equal(cevm_log_level_string(CEVM_LOG_WARN), "warn");
    assert_string_equal(cevm_log_level_string((cevm_log_level)9), "unknown level");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_chain),
        cmocka_unit_test(test_a_store_brought_back),
        cmocka_unit_test(test_a_busy_node),
        cmocka_unit_test(test_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
