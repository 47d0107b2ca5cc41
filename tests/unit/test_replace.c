/* SPDX-License-Identifier: Apache-2.0 */
/* A file in the place of another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/replace.h"

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void expect_text(const char *path, const char *expected)
{
    char text[16] = "";
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    (void)fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    assert_string_equal(text, expected);
}

static void test_replace(void **state)
{
    const char *place = getenv("TMPDIR");
    char folder[256];
    char before[512];
    (void)state;
    (void)snprintf(folder, sizeof folder, "%s/cevm-replace-XXXXXX", place != NULL ? place : P_tmpdir);
    assert_non_null(getcwd(before, sizeof before));
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    write_text("new", "1");
    assert_true(cevm_replace_file("new", "old")); /* there was none */
    expect_text("old", "1");
    write_text("new", "2");
    assert_true(cevm_replace_file("./new", "./old"));
    expect_text("old", "2");
    assert_int_equal(access("new", F_OK), -1);
    assert_false(cevm_replace_file("new", "old")); /* nothing to put there: the old one stays */
    assert_int_equal(errno, ENOENT);
    expect_text("old", "2");
    write_text("new", "3");
    assert_false(cevm_replace_file("new", "nowhere/old"));
    assert_int_equal(errno, ENOENT);
    assert_int_equal(mkdir("folder", 0700), 0);
    assert_false(cevm_replace_file("new", "folder"));
    assert_int_equal(errno, EISDIR);
    expect_text("new", "3");
    assert_int_equal(unlink("new") | unlink("old") | rmdir("folder"), 0);
    assert_int_equal(chdir(before), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_replace)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
