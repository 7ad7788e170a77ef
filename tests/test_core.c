/* The core against SpikingJelly's outputs (tests/golden/). */
#include <check.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "gaussian_tuning.h"
#include "loss.h"
#include "psp_kernel.h"

static json_t *golden_load(const char *path)
{
    json_error_t error;
    json_t *document = json_load_file(path, 0, &error);
    ck_assert_msg(document != NULL, "%s: %s", path, error.text);
    return document;
}

static double number(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

static void encode_case(const json_t *golden)
{
    const size_t n = (size_t)number(golden, "n"), m = (size_t)number(golden, "m");
    float *x_min = calloc(n, sizeof *x_min), *x_max = calloc(n, sizeof *x_max);
    float *times = calloc(m, sizeof *times);
    for (size_t i = 0; i < n; i++) {
        x_min[i] = (float)json_number_value(json_array_get(json_object_get(golden, "x_min"), i));
        x_max[i] = (float)json_number_value(json_array_get(json_object_get(golden, "x_max"), i));
    }
    struct gaussian_tuning tuning;
    ck_assert_int_eq(gaussian_tuning_init(&tuning, n, m, x_min, x_max,
                                          (uint32_t)number(golden, "max_spike_time")),
                     CORE_OK);
    size_t b, i, k;
    json_t *sample, *feature, *value;
    json_array_foreach(json_object_get(golden, "x"), b, sample)
        json_array_foreach(sample, i, feature)
            json_array_foreach(feature, k, value) {
                const json_t *spikes = json_object_get(golden, "spikes");
                spikes = json_array_get(json_array_get(json_array_get(spikes, b), i), k);
                gaussian_tuning_encode(&tuning, i, (float)json_number_value(value), times);
                ck_assert_uint_eq(json_array_size(spikes), m);
                for (size_t j = 0; j < m; j++)
                    ck_assert_float_eq(times[j],
                                       (float)json_number_value(json_array_get(spikes, j)));
            }
    gaussian_tuning_finish(&tuning);
    free(times);
    free(x_max);
    free(x_min);
}

START_TEST(encode_equals_golden_spike_times)
{
    json_t *document = golden_load("tests/golden/encode.json");
    size_t index;
    json_t *golden;
    ck_assert_uint_gt(json_array_size(json_object_get(document, "cases")), 0);
    json_array_foreach(json_object_get(document, "cases"), index, golden)
        encode_case(golden);
    json_decref(document);
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
    gaussian_tuning_finish(&tuning);
}
END_TEST

START_TEST(psp_kernel_equals_golden)
{
    json_t *document = golden_load("tests/golden/psp_kernel.json");
    size_t index;
    json_t *golden;
    ck_assert_uint_gt(json_array_size(json_object_get(document, "cases")), 0);
    json_array_foreach(json_object_get(document, "cases"), index, golden) {
        size_t i;
        json_t *t;
        json_array_foreach(json_object_get(golden, "t"), i, t)
            ck_assert_double_eq_tol(
                psp_kernel(json_number_value(t), number(golden, "tau"), number(golden, "tau_s")),
                json_number_value(json_array_get(json_object_get(golden, "k"), i)), 1e-6);
    }
    json_decref(document);
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

/* Reads an array of numbers of any depth into out, from *count on. */
static void numbers_flatten(const json_t *value, float *out, size_t *count)
{
    size_t index;
    json_t *item;
    if (json_is_number(value))
        out[(*count)++] = (float)json_number_value(value);
    json_array_foreach(value, index, item)
        numbers_flatten(item, out, count);
}

static void mse_loss_case(const json_t *golden)
{
    const json_t *labels = json_object_get(golden, "label");
    const size_t batch = json_array_size(labels), classes = (size_t)number(golden, "num_classes");
    float *v_max = calloc(batch * classes, sizeof *v_max);
    float *v_threshold = calloc(batch * classes, sizeof *v_threshold);
    int32_t *label = calloc(batch, sizeof *label);
    size_t voltages = 0, thresholds = 0;
    numbers_flatten(json_object_get(golden, "v_max"), v_max, &voltages);
    numbers_flatten(json_object_get(golden, "v_threshold"), v_threshold, &thresholds);
    ck_assert_uint_eq(voltages, batch * classes);
    ck_assert(thresholds == 1 || thresholds == voltages);
    for (size_t b = 0; b < batch; b++)
        label[b] = (int32_t)json_number_value(json_array_get(labels, b));
    const size_t stride = json_is_array(json_object_get(golden, "v_threshold")) ? 1 : 0;
    ck_assert_double_eq_tol(mse_loss(v_max, v_threshold, stride, label, batch, classes),
                            number(golden, "loss"), 1e-6);
    free(label);
    free(v_threshold);
    free(v_max);
}

START_TEST(mse_loss_equals_golden)
{
    json_t *document = golden_load("tests/golden/mse_loss.json");
    size_t index;
    json_t *golden;
    ck_assert_uint_gt(json_array_size(json_object_get(document, "cases")), 0);
    json_array_foreach(json_object_get(document, "cases"), index, golden)
        mse_loss_case(golden);
    json_decref(document);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core");
    TCase *tests = tcase_create("parity");
    tcase_add_test(tests, encode_equals_golden_spike_times);
    tcase_add_test(tests, encode_leaves_far_values_silent);
    tcase_add_test(tests, psp_kernel_equals_golden);
    tcase_add_test(tests, psp_peaks_at_v_threshold);
    tcase_add_test(tests, mse_loss_equals_golden);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
