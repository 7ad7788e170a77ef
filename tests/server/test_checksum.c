/* SHA-256 in pieces. */
#include <check.h>
#include <string.h>

#include "server/base/checksum.h"
#include "tests/support/suite.h"

START_TEST(checksums_are_sha256)
{
    char text[CHECKSUM_TEXT];
    struct checksum checksum;
    checksum_init(&checksum);
    checksum_add(&checksum, "a", 1);
    checksum_add(&checksum, "bc", 2);
    checksum_finish(&checksum, text);
    ck_assert_str_eq(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("checksum");
    TCase *tests = tcase_create("checksum");
    tcase_add_test(tests, checksums_are_sha256);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
