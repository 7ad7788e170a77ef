/* The core against SpikingJelly's and torch's outputs, and against plain references. */
#include <check.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "core/gaussian_tuning.h"
#include "core/loss.h"
#include "core/membranes.h"
#include "core/psp_kernel.h"
#include "core/random.h"
#include "core/v_max_read_out.h"
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

static void psp_kernel_case(const json_t *golden)
{
    const size_t count = json_array_size(json_object_get(golden, "t"));
    float *t = golden_floats(golden, "t", count), *k = golden_floats(golden, "k", count);
    const double tau = golden_number(golden, "tau"), tau_s = golden_number(golden, "tau_s");
    for (size_t i = 0; i < count; i++)
        ck_assert_double_eq_tol(psp_kernel((double)t[i], tau, tau_s), (double)k[i], 1e-6);
    free(k);
    free(t);
}

START_TEST(psp_kernel_equals_golden)
{
    golden_each("psp_kernel", psp_kernel_case);
}
END_TEST

START_TEST(psp_peaks_at_v_threshold)
{
    const double tau_s[] = {3.75, 14.9999999, 0.01};
    for (size_t i = 0; i < 3; i++) {
        struct psp psp;
        psp_init(&psp, 15, tau_s[i], 2);
        ck_assert_double_eq_tol(psp_value(&psp, psp.t_peak), 2, 1e-9);
        ck_assert_double_lt(psp_value(&psp, psp.t_peak * 1.01), 2);
        ck_assert_double_lt(psp_value(&psp, psp.t_peak * 0.99), 2);
    }
}
END_TEST

static void mse_loss_case(const json_t *golden)
{
    const json_t *threshold = json_object_get(golden, "v_threshold");
    const size_t batch = json_array_size(json_object_get(golden, "label"));
    const size_t classes = golden_size(golden, "num_classes");
    const size_t stride = json_is_array(threshold) ? 1 : 0;
    float *v_max = golden_floats(golden, "v_max", batch * classes);
    float *v_threshold = golden_floats(golden, "v_threshold", stride ? batch * classes : 1);
    int32_t *label = golden_labels(golden, "label", batch);
    ck_assert_double_eq_tol(mse_loss(v_max, v_threshold, stride, label, batch, classes),
                            golden_number(golden, "loss"), 1e-6);
    free(label);
    free(v_threshold);
    free(v_max);
}

START_TEST(mse_loss_equals_golden)
{
    golden_each("mse_loss", mse_loss_case);
}
END_TEST

static void assert_close(const float *actual, const float *expected, size_t count)
{
    float largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmaxf(largest, fabsf(expected[i]));
    for (size_t i = 0; i < count; i++)
        ck_assert_float_le(fabsf(actual[i] - expected[i]), 1e-5f * largest);
}

static struct tempotron_params golden_params(const json_t *golden)
{
    return (struct tempotron_params){
        .in_features = golden_size(golden, "in_features"),
        .out_features = golden_size(golden, "out_features"),
        .T = golden_size(golden, "T"),
        .tau = golden_number(golden, "tau"),
        .tau_s = golden_number(golden, "tau_s"),
        .v_threshold = golden_number(golden, "v_threshold"),
    };
}

static void forward_case(const json_t *golden)
{
    const struct tempotron_params params = golden_params(golden);
    const size_t in = params.in_features, out = params.out_features, T = params.T;
    const size_t batch = json_array_size(json_object_get(golden, "in_spikes"));
    float *weight = golden_floats(golden, "weight", out * in);
    float *in_spikes = golden_floats(golden, "in_spikes", batch * in);
    float *expected_v = golden_floats(golden, "v", batch * out * T);
    float *expected_v_max = golden_floats(golden, "v_max", batch * out);
    float *expected_spikes = golden_floats(golden, "spikes", batch * out);
    float *v = calloc(out * T, sizeof *v);
    struct tempotron *tempotron;
    struct pattern pattern;
    struct membranes membranes;
    ck_assert_int_eq(tempotron_create(&params, weight, &tempotron), CORE_OK);
    ck_assert_int_eq(pattern_init(&pattern, in, (float)(T - 1)), CORE_OK);
    ck_assert_int_eq(membranes_init(&membranes, tempotron, in), CORE_OK);
    for (size_t b = 0; b < batch; b++) {
        pattern_clear(&pattern);
        for (size_t i = 0; i < in; i++)
            pattern_add(&pattern, i, in_spikes[b * in + i]);
        membranes_forward(tempotron, &pattern, &membranes, v);
        assert_close(v, expected_v + b * out * T, out * T);
        assert_close(membranes.v_max, expected_v_max + b * out, out);
        for (size_t j = 0; j < out; j++) {
            const bool fires = (double)membranes.v_max[j] >= params.v_threshold;
            ck_assert_float_eq(fires ? (float)membranes.t_max[j] : -1,
                               expected_spikes[b * out + j]);
        }
    }
    membranes_finish(&membranes);
    pattern_finish(&pattern);
    tempotron_destroy(tempotron);
    free(v);
    free(expected_spikes);
    free(expected_v_max);
    free(expected_v);
    free(in_spikes);
    free(weight);
}

START_TEST(forward_equals_golden)
{
    golden_each("forward", forward_case);
}
END_TEST

START_TEST(decision_is_the_lowest_of_equals)
{
    const float score[] = {0.5f, 2, 2, 1};
    ck_assert_uint_eq(v_max_read_out_decide(score, 4), 1);
    ck_assert_uint_eq(v_max_read_out_decide(score, 1), 0);
}
END_TEST

START_TEST(random_is_the_mersenne_twister)
{
    struct random random;
    random_init(&random, 5489);
    uint32_t bits = 0;
    for (int i = 0; i < 10000; i++)
        bits = random_bits(&random);
    ck_assert_uint_eq(bits, 4123659995u); /* as the C++ standard demands of std::mt19937 */
}
END_TEST

/* torch 1.13: torch.manual_seed(seed); torch.nn.Linear(in, out, bias=False).weight */
START_TEST(drawn_weights_are_those_of_torch)
{
    static const struct {
        uint32_t seed;
        size_t in, out;
        float first[4];
    } torch[] = {
        {0, 4, 3, {-0x1.eaa8p-9f, 0x1.12a8bcp-2f, -0x1.a5662cp-2f, -0x1.78cdp-2f}},
        {7, 64, 3, {0x1.1e15ep-7f, -0x1.346cfp-4f, 0x1.4610c8p-5f, 0x1.414fbp-5f}},
        {4294967295, 13, 2, {0x1.187c06p-2f, 0x1.440602p-5f, 0x1.3e1fb2p-5f, -0x1.ffc684p-3f}},
    };
    float weight[64 * 3];
    for (size_t i = 0; i < sizeof torch / sizeof *torch; i++) {
        tempotron_draw_weight(torch[i].seed, torch[i].in, torch[i].out, weight);
        for (size_t k = 0; k < 4; k++)
            ck_assert_float_eq(weight[k], torch[i].first[k]);
    }
}
END_TEST

START_TEST(shuffle_is_a_permutation)
{
    struct random random;
    random_init(&random, 1);
    uint32_t items[100];
    bool seen[100] = {false};
    size_t moved = 0;
    for (uint32_t i = 0; i < 100; i++)
        items[i] = i;
    random_shuffle(&random, items, 100);
    for (uint32_t i = 0; i < 100; i++) {
        ck_assert(!seen[items[i]]);
        seen[items[i]] = true;
        moved += items[i] != i;
    }
    ck_assert_uint_gt(moved, 80);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core");
    TCase *tests = tcase_create("core");
    tcase_add_test(tests, encode_equals_golden_spike_times);
    tcase_add_test(tests, encode_leaves_far_values_silent);
    tcase_add_test(tests, encode_follows_the_formula_at_every_value);
    tcase_add_test(tests, psp_kernel_equals_golden);
    tcase_add_test(tests, psp_peaks_at_v_threshold);
    tcase_add_test(tests, mse_loss_equals_golden);
    tcase_add_test(tests, forward_equals_golden);
    tcase_add_test(tests, decision_is_the_lowest_of_equals);
    tcase_add_test(tests, random_is_the_mersenne_twister);
    tcase_add_test(tests, drawn_weights_are_those_of_torch);
    tcase_add_test(tests, shuffle_is_a_permutation);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
