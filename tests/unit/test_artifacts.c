/* SPDX-License-Identifier: Apache-2.0 */
/* Names out of ABIs (rpc/artifacts.h). Selectors are those that Solidity's documentation and ERC-20 have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "rpc/artifacts.h"

static const char hardhat[] =
    "{\"contractName\":\"A\",\"abi\":["
    "{\"type\":\"constructor\",\"inputs\":[]},"
    "{\"type\":\"function\",\"name\":\"baz\",\"inputs\":[{\"type\":\"uint32\"},{\"type\":\"bool\"}]},"
    "{\"type\":\"function\",\"name\":\"f\",\"inputs\":[{\"type\":\"uint256\"},{\"type\":\"uint32[]\"},{\"type\":"
    "\"bytes10\"},"
    "{\"type\":\"bytes\"}]},"
    "{\"type\":\"function\",\"name\":\"g\",\"inputs\":[{\"type\":\"tuple[2]\",\"components\":[{\"type\":\"address\"},"
    "{\"type\":\"tuple\",\"components\":[{\"type\":\"bool\"}]}]},{\"type\":\"string\"}]},"
    "{\"type\":\"error\",\"name\":\"InsufficientBalance\",\"inputs\":[{\"type\":\"uint256\"},{\"type\":\"uint256\"}]},"
    "{\"type\":\"event\",\"name\":\"Transfer\",\"inputs\":[{\"type\":\"address\"},{\"type\":\"address\"},"
    "{\"type\":\"uint256\"}]},"
    "{\"type\":\"function\"},5]}";

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void names_of_a_folder(void **state)
{
    char folder[] = "/var/tmp/cevm-artifacts-XXXXXX";
    char below[64], error[256], text[128];
    cevm_artifacts *a = NULL;
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(below, sizeof below, "%s/A.sol", folder);
    assert_int_equal(mkdir(below, 0700), 0);
    write_file(below, "A.json", hardhat);
    write_file(folder, "bad.json", "{nonsense");
    write_file(folder, "other.txt", "text");
    assert_true(cevm_artifacts_load(&a, error, sizeof error, folder));
    assert_string_equal(cevm_artifacts_function(a, 0xcdcd77c0), "baz(uint32,bool)");
    assert_string_equal(cevm_artifacts_function(a, 0x8be65246), "f(uint256,uint32[],bytes10,bytes)");
    assert_null(cevm_artifacts_function(a, 0xddf252ad)); /* an event's */
    assert_null(cevm_artifacts_function(a, 0x12345678));
    assert_string_equal(cevm_artifacts_function(NULL, 0xa9059cbb), "transfer(address,uint256)");
    uint8_t data[68] = {0xcf, 0x47, 0x91, 0x81, [35] = 5, [67] = 7};
    cevm_artifacts_describe_revert(text, sizeof text, a, (cevm_bytes){data, sizeof data});
    assert_string_equal(text, "InsufficientBalance(5, 7)");
    cevm_artifacts_free(a);
    (void)snprintf(text, sizeof text, "rm -r %s", folder);
    assert_int_equal(system(text), 0);
}

static void a_folder_that_is_not_there(void **state)
{
    char error[256];
    cevm_artifacts *a = NULL;
    (void)state;
    assert_false(cevm_artifacts_load(&a, error, sizeof error, "no/such/folder"));
    assert_null(a);
    assert_non_null(strstr(error, "no/such/folder: No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_a_folder),
        cmocka_unit_test(a_folder_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
