/* The files that are part of the program. */
#include <check.h>
#include <string.h>

#include "server/base/embedded.h"
#include "tests/support/suite.h"

START_TEST(embedded_files_are_whole_and_terminated)
{
    for (size_t i = 0; i < embedded_migrations_count; i++)
        ck_assert_uint_eq(strlen(embedded_migrations[i].text), embedded_migrations[i].size);
    ck_assert_uint_eq(strlen(embedded_openapi.text), embedded_openapi.size);
    ck_assert_int_eq(strncmp(embedded_openapi.text, "openapi:", 8), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("embedded");
    TCase *tests = tcase_create("embedded");
    tcase_add_test(tests, embedded_files_are_whole_and_terminated);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
