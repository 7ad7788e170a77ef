/* Fitting an encoder's ranges to samples, and a stop meanwhile. */
#include <check.h>

#include "server/model/encoder_ranges.h"
#include "tests/support/suite.h"
#include "tests/support/views.h"

static bool always(void *context)
{
    (void)context;
    return true;
}

static float values[] = {3, -1, 5, 2, 4, 7};
static int32_t label[] = {0, 1, 0};
static const struct encoder latency = {.type = ENCODER_LATENCY, .ranges.n = 2};

START_TEST(the_ranges_are_those_of_the_samples)
{
    struct encoder fitted;
    struct problem problem = {0};
    const struct samples samples = view_values(SAMPLES_VALUES, 3, 2, values, label);
    ck_assert(encoder_ranges_fit(&latency, &samples, NULL, &problem, &fitted));
    ck_assert_float_eq(fitted.ranges.x_min[0], 3);
    ck_assert_float_eq(fitted.ranges.x_max[0], 5);
    ck_assert_float_eq(fitted.ranges.x_min[1], -1);
    ck_assert_float_eq(fitted.ranges.x_max[1], 7);
    encoder_finish(&fitted);
}
END_TEST

START_TEST(a_stop_ends_it)
{
    struct encoder fitted;
    struct problem problem = {0};
    const struct stop_check stop_check = {NULL, always};
    const struct samples samples = view_values(SAMPLES_VALUES, 3, 2, values, label);
    ck_assert(!encoder_ranges_fit(&latency, &samples, &stop_check, &problem, &fitted));
    ck_assert_int_eq(problem.code, PROBLEM_SHUTTING_DOWN);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("range fit");
    TCase *tests = tcase_create("range fit");
    tcase_add_test(tests, the_ranges_are_those_of_the_samples);
    tcase_add_test(tests, a_stop_ends_it);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
