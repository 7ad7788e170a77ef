/* Numbers in CSV. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/files/csv_number.h"
#include "tests/support/files.h"
#include "tests/support/suite.h"

START_TEST(numbers_are_read_as_strtod_reads_them)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "5.1",
        " 5.1\t",
        "+.5",
        "3.",
        "1e3",
        "1E+3",
        "-1.25e-3",
        "0.1",
        "123456789012345678",
        "9007199254740993",
        "0.30000000000000004",
        "1e22",
        "1e23",
        "8.5e-23",
        "1e-400",
        "0e999999999",
        "1.7976931348623157e308",
        "4.9e-324",
        "00012",
        "3.4028235e38",
        "0.000000000000000000000000000000000001234567890123456789",
        "100000000000000000000000000000000000000000000000000000000000001",
        "2.2250738585072011e-308",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        double value = 9;
        const double expected = strtod(texts[i], NULL);
        ck_assert_msg(csv_number_read(texts[i], strlen(texts[i]), &value) == CSV_NUMBER, "%s",
                      texts[i]);
        ck_assert_msg(memcmp(&value, &expected, sizeof value) == 0, "%s: %a", texts[i], value);
    }
}
END_TEST

START_TEST(random_numbers_are_read_as_strtod_reads_them)
{
    uint32_t state = 3;
    for (int i = 0; i < 100000; i++) {
        char text[64];
        double value = 0;
        snprintf(text, sizeof text, "%s%u.%0*ue%d", i % 2 ? "-" : "", next_random(&state) >> i % 32,
                 1 + i % 12, next_random(&state) >> i % 31, (int)(next_random(&state) % 60) - 30);
        const double expected = strtod(text, NULL);
        ck_assert(csv_number_read(text, strlen(text), &value) == CSV_NUMBER);
        ck_assert_msg(memcmp(&value, &expected, sizeof value) == 0, "%s: %a", text, value);
    }
}
END_TEST

START_TEST(a_cell_that_is_not_a_number_differs_from_one_that_is_not_finite)
{
    static const char *const none[] = {"",
                                       " ",
                                       "a",
                                       "-",
                                       ".",
                                       "e5",
                                       "1e",
                                       "1e+",
                                       "0x1",
                                       "1 2",
                                       "1,5",
                                       "--1",
                                       "+-1",
                                       "1.2.3",
                                       "nano",
                                       "infinit",
                                       "1f",
                                       "\xC2\xA0"
                                       "1",
                                       "- 1",
                                       "NA"};
    static const char *const not_finite[] = {"nan",       "-NaN",  "inf",
                                             "+Infinity", "1e309", "-1e999999"};
    double value = 9;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        ck_assert_msg(csv_number_read(none[i], strlen(none[i]), &value) == CSV_NO_NUMBER, "%s",
                      none[i]);
    for (size_t i = 0; i < sizeof not_finite / sizeof *not_finite; i++)
        ck_assert_msg(csv_number_read(not_finite[i], strlen(not_finite[i]), &value) ==
                          CSV_NOT_FINITE,
                      "%s", not_finite[i]);
    ck_assert(csv_number_read("1\0002", 3, &value) == CSV_NO_NUMBER);
    ck_assert(value == 9);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("csv_number");
    TCase *texts = tcase_create("texts");
    tcase_add_test(texts, numbers_are_read_as_strtod_reads_them);
    tcase_add_test(texts, random_numbers_are_read_as_strtod_reads_them);
    tcase_add_test(texts, a_cell_that_is_not_a_number_differs_from_one_that_is_not_finite);
    suite_add_tcase(suite, texts);
    return suite_run(suite);
}
