/* One layer of tempotrons against SpikingJelly's voltages and losses. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include <jansson.h>

#include "core/loss.h"
#include "core/membranes.h"
#include "core/v_max_read_out.h"
#include "tests/support/golden.h"
#include "tests/support/run_pattern.h"
#include "tests/support/suite.h"

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
    struct arena arena = {0};
    const struct tempotron_params params = golden_params(golden);
    const size_t in = params.in_features, out = params.out_features, T = params.T;
    const size_t batch = json_array_size(json_object_get(golden, "in_spikes"));
    float *weight = golden_floats(golden, "weight", out * in);
    float *in_spikes = golden_floats(golden, "in_spikes", batch * in);
    float *expected_v = golden_floats(golden, "v", batch * out * T);
    float *expected_v_max = golden_floats(golden, "v_max", batch * out);
    float *expected_spikes = golden_floats(golden, "spikes", batch * out);
    float *v = calloc(out * T, sizeof *v);
    struct pattern pattern;
    struct membranes membranes;
    struct tempotron *tempotron = tempotron_create(&params, weight, &arena);
    pattern_init(&pattern, in, (float)(T - 1), &arena);
    membranes_init(&membranes, tempotron, &arena);
    for (size_t b = 0; b < batch; b++) {
        pattern_clear(&pattern);
        for (size_t i = 0; i < in; i++)
            pattern_add(&pattern, i, in_spikes[b * in + i]);
        run_pattern(tempotron, &pattern, &membranes, v);
        assert_close(v, expected_v + b * out * T, out * T);
        assert_close(membranes.v_max, expected_v_max + b * out, out);
        for (size_t j = 0; j < out; j++) {
            const bool fires = (double)membranes.v_max[j] >= params.v_threshold;
            ck_assert_float_eq(fires ? (float)membranes.t_max[j] : -1,
                               expected_spikes[b * out + j]);
        }
    }
    arena_finish(&arena);
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

int main(void)
{
    Suite *suite = suite_create("tempotron");
    TCase *tests = tcase_create("core");
    tcase_add_test(tests, mse_loss_equals_golden);
    tcase_add_test(tests, forward_equals_golden);
    tcase_add_test(tests, decision_is_the_lowest_of_equals);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
