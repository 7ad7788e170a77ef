/* The score of a class from its neurons, its derivative, and the decision. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "core/random.h"
#include "core/v_max_read_out.h"
#include "tests/support/suite.h"

enum { MAX_CLASSES = 5, MAX_GROUP = 7 };

static double exact_score(const struct v_max_read_out *read_out, const float *v)
{
    double sum = 0;
    for (size_t g = 0; g < read_out->neurons_per_class; g++)
        sum += exp((double)read_out->beta * (double)v[g]);
    return log(sum) / (double)read_out->beta;
}

START_TEST(groups_follow_the_formula)
{
    struct random random;
    random_init(&random, 1);
    for (int trial = 0; trial < 1000; trial++) {
        const size_t classes = 1 + random_bits(&random) % MAX_CLASSES;
        const size_t group = 2 + random_bits(&random) % (MAX_GROUP - 1);
        const struct v_max_read_out read_out = {group, 0.2f + 20 * random_uniform(&random)};
        float v[MAX_CLASSES * MAX_GROUP], score[MAX_CLASSES], ds[MAX_CLASSES];
        float dv[MAX_CLASSES * MAX_GROUP];
        for (size_t i = 0; i < classes * group; i++)
            v[i] = 3 * random_uniform(&random);
        for (size_t k = 0; k < classes; k++)
            ds[k] = 2 * random_uniform(&random) - 1;
        v_max_read_out_scores(&read_out, v, classes, score);
        v_max_read_out_backward(&read_out, v, ds, classes, dv);
        for (size_t k = 0; k < classes; k++) {
            const double exact = exact_score(&read_out, v + k * group);
            ck_assert_double_eq_tol((double)score[k], exact, 1e-6);
            for (size_t i = k * group; i < (k + 1) * group; i++)
                ck_assert_double_eq_tol(
                    (double)dv[i],
                    (double)ds[k] * exp((double)read_out.beta * ((double)v[i] - exact)), 1e-6);
        }
    }
}
END_TEST

/* The derivative is that of the score, and shares the whole of ds out. */
START_TEST(the_derivative_is_that_of_the_score)
{
    const struct v_max_read_out read_out = {3, 4};
    const float v[] = {0.9f, 1.1f, 0.2f}, ds = 0.7f, h = 1e-2f;
    float dv[3], sum = 0;
    v_max_read_out_backward(&read_out, v, &ds, 1, dv);
    for (size_t g = 0; g < 3; g++) {
        float low[] = {v[0], v[1], v[2]}, high[] = {v[0], v[1], v[2]}, below, above;
        low[g] -= h;
        high[g] += h;
        v_max_read_out_scores(&read_out, low, 1, &below);
        v_max_read_out_scores(&read_out, high, 1, &above);
        ck_assert_float_eq_tol(dv[g], ds * (above - below) / (2 * h), 1e-3f);
        sum += dv[g];
    }
    ck_assert_float_eq_tol(sum, ds, 1e-6f);
}
END_TEST

START_TEST(one_neuron_a_class_is_its_own_score)
{
    const struct v_max_read_out read_out = {1, 5};
    const float v[] = {0.1f, 1e30f, -2, 0x1.234568p-3f}, ds[] = {1, -2, 3, 0x1p-30f};
    float score[4], dv[4];
    v_max_read_out_scores(&read_out, v, 4, score);
    v_max_read_out_backward(&read_out, v, ds, 4, dv);
    for (size_t k = 0; k < 4; k++) {
        ck_assert_float_eq(score[k], v[k]);
        ck_assert_float_eq(dv[k], ds[k]);
    }
}
END_TEST

START_TEST(nothing_overflows)
{
    const struct v_max_read_out read_out = {2, 1000};
    const float v[] = {1e4f, -1e4f, /**/ 5e3f, 5e3f}, ds[] = {1, 1};
    float score[2], dv[4];
    v_max_read_out_scores(&read_out, v, 2, score);
    v_max_read_out_backward(&read_out, v, ds, 2, dv);
    ck_assert_float_eq(score[0], 1e4f);
    ck_assert_float_eq_tol(score[1], 5e3f + logf(2) / 1000, 1e-3f);
    ck_assert_float_eq(dv[0], 1);
    ck_assert_float_eq(dv[1], 0);
    ck_assert_float_eq(dv[2], 0.5f);
    ck_assert_float_eq(dv[3], 0.5f);
}
END_TEST

START_TEST(the_lowest_of_equal_scores_decides)
{
    const float score[] = {0.5f, 2, 2, 1};
    ck_assert_uint_eq(v_max_read_out_decide(score, 4), 1);
    ck_assert_uint_eq(v_max_read_out_decide(score, 1), 0);
    ck_assert_uint_eq(v_max_read_out_decide(score + 2, 2), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("read_out");
    TCase *tests = tcase_create("read_out");
    tcase_add_test(tests, groups_follow_the_formula);
    tcase_add_test(tests, the_derivative_is_that_of_the_score);
    tcase_add_test(tests, one_neuron_a_class_is_its_own_score);
    tcase_add_test(tests, nothing_overflows);
    tcase_add_test(tests, the_lowest_of_equal_scores_decides);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
