/* What the service computes, over HTTP: the golden vectors, and Iris, which is learned. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/golden.h"
#include "tests/support/http.h"
#include "tests/support/iris.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

/* An object of those members of a golden vector; the list ends by NULL. */
static json_t *take(const json_t *golden, const char *const *names)
{
    json_t *object = json_object();
    for (size_t i = 0; names[i] != NULL; i++)
        json_object_set_new(object, names[i], json_copy(json_object_get(golden, names[i])));
    return object;
}

/* --- golden vectors --- */

static void encode_case(const json_t *golden)
{
    static const char *const names[] = {"m", "x_min", "x_max", "max_spike_time", "x", NULL};
    json_t *answer = http_post(&server, "/encode", take(golden, names));
    ck_assert(json_equal(json_object_get(answer, "out_spikes"), json_object_get(golden, "spikes")));
    const json_t *shape = json_object_get(answer, "shape");
    ck_assert_uint_eq(json_array_size(shape), 4);
    ck_assert_int_eq(json_integer_value(json_array_get(shape, 1)), (int)golden_size(golden, "n"));
    ck_assert_int_eq(json_integer_value(json_array_get(shape, 3)), (int)golden_size(golden, "m"));
    json_decref(answer);
}

START_TEST(encode_answers_golden_spike_times)
{
    golden_each("encode", encode_case);
}
END_TEST

static void model_encode_case(const json_t *golden)
{
    static const char *const encoder_names[] = {"m", "x_min", "x_max", "max_spike_time", NULL};
    static const char *const sample_names[] = {"x", NULL};
    json_t *encoder = take(golden, encoder_names);
    json_object_set_new(encoder, "type", json_string("gaussian_tuning"));
    create_model(&server, json_pack("{s:s, s:i, s:o}", "id", "golden", "out_features", 2, "encoder",
                                    encoder));
    json_t *answer = http_post(&server, "/models/golden/encode", take(golden, sample_names));
    ck_assert(json_equal(json_object_get(answer, "out_spikes"), json_object_get(golden, "spikes")));
    json_decref(answer);
    json_decref(http_call(&server, 204, "DELETE", "/models/golden", NULL));
}

START_TEST(a_models_encoder_answers_golden_spike_times)
{
    golden_each("encode", model_encode_case);
}
END_TEST

static void psp_kernel_case(const json_t *golden)
{
    static const char *const names[] = {"t", "tau", "tau_s", NULL};
    json_t *answer = http_post(&server, "/psp_kernel", take(golden, names));
    expect_near(answer, golden, "k", json_array_size(json_object_get(golden, "t")), 1e-6f);
    json_decref(answer);
}

START_TEST(psp_kernel_answers_golden)
{
    golden_each("psp_kernel", psp_kernel_case);
}
END_TEST

static void mse_loss_case(const json_t *golden)
{
    static const char *const names[] = {"v_max", "v_threshold", "label", "num_classes", NULL};
    json_t *answer = http_post(&server, "/mse_loss", take(golden, names));
    ck_assert_double_eq_tol(golden_number(answer, "loss"), golden_number(golden, "loss"), 1e-6);
    json_decref(answer);
}

START_TEST(mse_loss_answers_golden)
{
    golden_each("mse_loss", mse_loss_case);
}
END_TEST

static void create_golden(const json_t *golden)
{
    static const char *const names[] = {"in_features", "out_features", "T",      "tau",
                                        "tau_s",       "v_threshold",  "weight", NULL};
    json_t *model = take(golden, names);
    json_object_set_new(model, "id", json_string("golden"));
    create_model(&server, model);
}

static float largest_of(const json_t *golden, const char *name, size_t count)
{
    float largest = 0;
    float *values = golden_floats(golden, name, count);
    for (size_t i = 0; i < count; i++)
        largest = fmaxf(largest, fabsf(values[i]));
    free(values);
    return largest;
}

/* The class of the highest v_max, where any input spikes. */
static void assert_labels(const json_t *answer, const json_t *golden)
{
    size_t sample;
    json_t *row;
    json_array_foreach(json_object_get(golden, "v_max"), sample, row) {
        size_t best = 0;
        for (size_t j = 1; j < json_array_size(row); j++)
            if (json_number_value(json_array_get(row, j)) >
                json_number_value(json_array_get(row, best)))
                best = j;
        const json_t *label = json_array_get(json_object_get(answer, "label"), sample);
        ck_assert_int_eq(json_integer_value(label), (json_int_t)best);
    }
}

static void forward_case(const json_t *golden)
{
    const size_t batch = json_array_size(json_object_get(golden, "in_spikes"));
    const size_t outputs = batch * golden_size(golden, "out_features");
    const size_t volts = outputs * golden_size(golden, "T");
    create_golden(golden);
    json_t *answer =
        http_post(&server, "/models/golden/predict",
                  json_pack("{s:O, s:[s,s,s,s]}", "in_spikes", json_object_get(golden, "in_spikes"),
                            "ret_type", "label", "v_max", "spikes", "v"));
    expect_near(answer, golden, "v", volts, 1e-5f * largest_of(golden, "v", volts));
    expect_near(answer, golden, "v_max", outputs, 1e-5f * largest_of(golden, "v_max", outputs));
    expect_near(answer, golden, "spikes", outputs, 0);
    assert_labels(answer, golden);
    json_decref(answer);
    json_decref(http_call(&server, 204, "DELETE", "/models/golden", NULL));
}

START_TEST(predictions_equal_golden)
{
    golden_each("forward", forward_case);
}
END_TEST

static void training_case(const json_t *golden)
{
    const size_t weights = golden_size(golden, "in_features") * golden_size(golden, "out_features");
    const size_t steps = json_array_size(json_object_get(golden, "loss"));
    create_golden(golden);
    json_t *order = json_pack(
        "{s:O, s:O, s:O, s:O, s:O, s:i, s:b}", "in_spikes", json_object_get(golden, "in_spikes"),
        "label", json_object_get(golden, "label"), "batch_size",
        json_object_get(golden, "batch_size"), "learning_rate", json_object_get(golden, "lr"),
        "optimizer", json_object_get(golden, "optimizer"), "epochs", 1, "shuffle", 0);
    if (json_object_get(golden, "momentum") != NULL)
        json_object_set(order, "momentum", json_object_get(golden, "momentum"));
    json_t *run = run_succeed(&server, "golden", order);
    json_t *trained = http_get(&server, "/models/golden/weights");
    json_object_set(trained, "final_weight", json_object_get(trained, "weight"));
    expect_near(trained, golden, "final_weight", weights, 1e-4f);

    double sum = 0;
    float *losses = golden_floats(golden, "loss", steps);
    for (size_t i = 0; i < steps; i++)
        sum += (double)losses[i];
    free(losses);
    ck_assert_double_eq_tol(golden_number(json_object_get(run, "metrics"), "loss"),
                            sum / (double)steps, 1e-4);
    json_decref(trained);
    json_decref(run);
    json_decref(http_call(&server, 204, "DELETE", "/models/golden", NULL));
}

START_TEST(training_takes_torchs_steps)
{
    golden_each("training", training_case);
}
END_TEST

/* --- Iris --- */

static json_t *rows_of(const struct samples *set)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < set->count; i++) {
        json_t *row = json_array();
        for (size_t k = 0; k < set->features; k++)
            json_array_append_new(row, json_real((double)set->data.values[i * set->features + k]));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *labels_of(const struct samples *set)
{
    json_t *labels = json_array();
    for (size_t i = 0; i < set->count; i++)
        json_array_append_new(labels, json_integer(set->targets.label[i]));
    return labels;
}

static json_t *iris_order(const struct samples *set, int epochs)
{
    return json_pack("{s:o, s:o, s:i, s:s, s:f, s:i, s:s, s:i}", "x", rows_of(set), "label",
                     labels_of(set), "epochs", epochs, "optimizer", "adam", "learning_rate", 0.01,
                     "batch_size", 16, "loss", "cross_entropy", "beta", 5);
}

/* How many of the test samples are predicted right. */
static size_t iris_hits(const struct samples *training, const struct samples *test)
{
    size_t hits = 0;
    create_model(&server, iris_model("iris"));
    json_decref(run_succeed(&server, "iris", iris_order(training, 100)));
    json_t *answer =
        http_post(&server, "/models/iris/predict", json_pack("{s:o}", "x", rows_of(test)));
    for (size_t i = 0; i < test->count; i++)
        hits += json_integer_value(json_array_get(json_object_get(answer, "label"), i)) ==
                test->targets.label[i];
    json_decref(answer);

    json_t *evaluation =
        http_post(&server, "/models/iris/evaluate",
                  json_pack("{s:o, s:o}", "x", rows_of(test), "label", labels_of(test)));
    ck_assert_double_eq_tol(golden_number(evaluation, "accuracy"),
                            (double)hits / (double)test->count, 1e-9);
    json_decref(evaluation);
    json_decref(http_call(&server, 204, "DELETE", "/models/iris", NULL));
    return hits;
}

START_TEST(iris_is_learned_over_http)
{
    struct iris iris;
    struct samples training, test;
    size_t hits = 0;
    iris_load(&iris);
    for (uint32_t seed = 0; seed < 2; seed++) {
        for (size_t fold = 0; fold < 5; fold++) {
            iris_fold(&iris, seed, fold, &training, &test);
            hits += iris_hits(&training, &test);
        }
    }
    iris_finish(&iris);
    const double accuracy = (double)hits / (2 * IRIS_COUNT);
    ck_assert_msg(accuracy >= 0.945, "accuracy %.4f", accuracy);
}
END_TEST

/* The checksum of the stored bytes of the weights. */
static const char *newest_checksum(const json_t *listing)
{
    const json_t *newest = json_array_get(json_object_get(listing, "versions"), 0);
    ck_assert_int_eq(json_integer_value(json_object_get(newest, "version")), 2);
    return json_string_value(json_object_get(newest, "sha256"));
}

START_TEST(training_twice_gives_the_same_bits)
{
    struct iris iris;
    iris_load(&iris);
    create_model(&server, iris_model("one"));
    create_model(&server, iris_model("two"));
    json_decref(run_succeed(&server, "one", iris_order(&iris.all, 10)));
    json_decref(run_succeed(&server, "two", iris_order(&iris.all, 10)));
    iris_finish(&iris);
    json_t *one = http_get(&server, "/models/one/versions?limit=1"),
           *two = http_get(&server, "/models/two/versions?limit=1");
    const char *sum = newest_checksum(one);
    ck_assert_uint_eq(strlen(sum), 64);
    ck_assert_str_eq(sum, newest_checksum(two));
    json_decref(two);
    json_decref(one);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("service_golden");
    TCase *tests = fixture_case(suite, "golden", NULL);
    tcase_add_test(tests, encode_answers_golden_spike_times);
    tcase_add_test(tests, a_models_encoder_answers_golden_spike_times);
    tcase_add_test(tests, psp_kernel_answers_golden);
    tcase_add_test(tests, mse_loss_answers_golden);
    tcase_add_test(tests, predictions_equal_golden);
    tcase_add_test(tests, training_takes_torchs_steps);
    tcase_add_test(tests, iris_is_learned_over_http);
    tcase_add_test(tests, training_twice_gives_the_same_bits);
    return suite_run(suite);
}
