/* The Gaussian tuning against SpikingJelly's spike times, and by its formula. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include <jansson.h>

#include "core/gaussian_tuning.h"
#include "tests/support/golden.h"
#include "tests/support/suite.h"

static void encode_case(const json_t *golden)
{
    const size_t n = golden_size(golden, "n"), m = golden_size(golden, "m");
    const json_t *x = json_object_get(golden, "x");
    const size_t batch = json_array_size(x);
    const size_t k = json_array_size(json_array_get(json_array_get(x, 0), 0));
    float *x_min = golden_floats(golden, "x_min", n), *x_max = golden_floats(golden, "x_max", n);
    float *values = golden_floats(golden, "x", batch * n * k);
    float *spikes = golden_floats(golden, "spikes", batch * n * k * m);
    float *times = calloc(m, sizeof *times);
    struct gaussian_tuning tuning;
    const uint32_t max_spike_time = (uint32_t)golden_number(golden, "max_spike_time");
    ck_assert_int_eq(gaussian_tuning_init(&tuning, n, m, x_min, x_max, max_spike_time), CORE_OK);
    for (size_t at = 0; at < batch * n * k; at++) {
        gaussian_tuning_encode(&tuning, at / k % n, values[at], times);
        for (size_t j = 0; j < m; j++)
            ck_assert_float_eq(times[j], spikes[at * m + j]);
    }
    feature_ranges_finish(&tuning.ranges);
    free(times);
    free(spikes);
    free(values);
    free(x_max);
    free(x_min);
}

START_TEST(encode_equals_golden_spike_times)
{
    golden_each("encode", encode_case);
}
END_TEST

START_TEST(encode_leaves_far_values_silent)
{
    const float x_min = 0, x_max = 1;
    struct gaussian_tuning tuning;
    ck_assert_int_eq(gaussian_tuning_init(&tuning, 1, 4, &x_min, &x_max, 100), CORE_OK);
    float times[4];
    gaussian_tuning_encode(&tuning, 0, 1e30f, times);
    for (int j = 0; j < 4; j++)
        ck_assert_float_eq(times[j], -1);
    feature_ranges_finish(&tuning.ranges);
}
END_TEST

/* The formula, in double precision and for every neuron. Where the two differ, the exact time must
 * lie where float32 can't tell which of two to round to. */
static size_t compare_with_formula(uint32_t max_spike_time, float x, const float *times, size_t m)
{
    const double x_min = -3, x_max = 11, delta = (x_max - x_min) / ((double)m - 2);
    size_t fired = 0;
    for (size_t j = 1; j <= m; j++) {
        const double distance = (double)x - (x_min + (2 * (double)j - 3) / 2 * delta);
        const double sigma = delta / 1.5;
        const double exact = max_spike_time * (1 - exp(-distance * distance / (2 * sigma * sigma)));
        const double time = rint(exact) >= max_spike_time ? -1 : rint(exact);
        fired += time >= 0;
        if ((double)times[j - 1] == time)
            continue;
        const double half = exact - floor(exact);
        ck_assert_double_eq_tol(half, 0.5, 2e-6 * max_spike_time);
    }
    return fired;
}

START_TEST(encode_follows_the_formula_at_every_value)
{
    enum { M = 16 };
    const float x_min = -3, x_max = 11;
    size_t fired = 0;
    for (uint32_t max_spike_time = 1; max_spike_time <= 100000; max_spike_time *= 10) {
        float times[M];
        struct gaussian_tuning tuning;
        ck_assert_int_eq(gaussian_tuning_init(&tuning, 1, M, &x_min, &x_max, max_spike_time),
                         CORE_OK);
        for (float x = -10; x < 20; x += 0.0137f) {
            gaussian_tuning_encode(&tuning, 0, x, times);
            fired += compare_with_formula(max_spike_time, x, times, M);
        }
        feature_ranges_finish(&tuning.ranges);
    }
    ck_assert_uint_gt(fired, 10000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gaussian_tuning");
    TCase *tests = tcase_create("core");
    tcase_add_test(tests, encode_equals_golden_spike_times);
    tcase_add_test(tests, encode_leaves_far_values_silent);
    tcase_add_test(tests, encode_follows_the_formula_at_every_value);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
