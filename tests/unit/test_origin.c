/* SPDX-License-Identifier: Apache-2.0 */
/* Which web pages and which names in Host the node answers (rpc/origin.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rpc/origin.h"

static void hosts_of_this_machine(void **state)
{
    static const char *const good[] = {"localhost",  "LOCALHOST:8545", "app.localhost:1",
                                       "127.0.0.1",  "127.0.0.1:8545", "192.168.1.7:1",
                                       "[::1]:8545", "[fe80::1]",      "0.0.0.0:8545"};
    static const char *const bad[] = {"evil.example",
                                      "localhost.evil.example",
                                      "evil.example:8545",
                                      "127.0.0.1.evil.example",
                                      "",
                                      ":8545",
                                      "[::1",
                                      "[evil.example]",
                                      "localhost:80a",
                                      "notlocalhost",
                                      ".localhost",
                                      "127.0.0.256"};
    (void)state;
    assert_true(cevm_host_allowed(NULL, NULL)); /* HTTP/1.0 has none */
    for (size_t i = 0; i < sizeof good / sizeof good[0]; ++i) {
        assert_true(cevm_host_allowed(good[i], NULL));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        assert_false(cevm_host_allowed(bad[i], NULL));
        assert_true(cevm_host_allowed(bad[i], "*"));
    }
}

static void hosts_that_are_named(void **state)
{
    (void)state;
    assert_true(cevm_host_allowed("node:8545", "chain,node"));
    assert_true(cevm_host_allowed("Chain", "chain, node"));
    assert_false(cevm_host_allowed("nod", "chain,node"));
    assert_false(cevm_host_allowed("chain,node", "chain,node"));
    assert_true(cevm_host_allowed("localhost", "chain"));
}

static void origins_of_this_machine(void **state)
{
    static const char *const good[] = {"http://localhost",       "http://localhost:3000", "https://app.localhost",
                                       "http://127.0.0.1:80",    "http://127.1.2.3",      "http://[::1]:5173",
                                       "chrome-extension://abc", "moz-extension://a-b-c"};
    static const char *const bad[] = {"https://evil.example",
                                      "http://localhost.evil.example",
                                      "null",
                                      "http://192.168.1.7",
                                      "file://",
                                      "",
                                      "ftp://localhost",
                                      "http://[::2]",
                                      "localhost",
                                      "http://localhost@evil.com",
                                      "http://localhost:80.evil.com"};
    (void)state;
    assert_true(cevm_origin_allowed(NULL, NULL)); /* no web page */
    assert_true(cevm_origin_allowed(NULL, ""));
    for (size_t i = 0; i < sizeof good / sizeof good[0]; ++i) {
        assert_true(cevm_origin_allowed(good[i], NULL));
        assert_false(cevm_origin_allowed(good[i], ""));
        assert_false(cevm_origin_allowed(good[i], "https://app.example"));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
        assert_false(cevm_origin_allowed(bad[i], NULL));
        assert_true(cevm_origin_allowed(bad[i], "*"));
    }
}

static void origins_that_are_named(void **state)
{
    (void)state;
    assert_true(cevm_origin_allowed("https://app.example", "https://app.example"));
    assert_true(cevm_origin_allowed("https://b.example", "https://a.example, https://b.example"));
    assert_false(cevm_origin_allowed("https://app.example:8443", "https://app.example"));
    assert_false(cevm_origin_allowed("http://app.example", "https://app.example"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_of_this_machine),
        cmocka_unit_test(hosts_that_are_named),
        cmocka_unit_test(origins_of_this_machine),
        cmocka_unit_test(origins_that_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
