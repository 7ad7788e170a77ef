/* Ranges of encoders that are fitted to training data, over HTTP: which data count, what is kept of
 * them, and what becomes of runs that find none. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/arrays.h"
#include "tests/support/ask.h"
#include "tests/support/client.h"
#include "tests/support/datasets.h"
#include "tests/support/fixture.h"
#include "tests/support/golden.h"
#include "tests/support/http.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

#define FLOWERS                                                                                    \
    "\"x\": [[1.4, 0.2], [1.5, 0.4], [4.7, 1.4], [4, 1.3], [6, 2.5], [5.1, 1.9]], "                \
    "\"label\": [0, 0, 1, 1, 2, 2]"

#define EPOCHS "\"epochs\": 5, \"batch_size\": 2, \"learning_rate\": 0.1, \"seed\": 3"

static void create_coded(const char *id, const char *encoder)
{
    char text[512];
    snprintf(text, sizeof text, "{\"id\": \"%s\", \"out_features\": 3, \"encoder\": {%s}}", id,
             encoder);
    create_model_of_text(&server, text);
}

static json_t *train(const char *model, const char *order)
{
    return run_succeed(&server, model, json_loads(order, 0, NULL));
}

static void expect_range(const char *model, const char *name, const char *expected)
{
    char path[64];
    snprintf(path, sizeof path, "/models/%s", model);
    json_t *shown = http_get(&server, path);
    char *text = json_dumps(json_object_get(json_object_get(shown, "encoder"), name),
                            JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(7));
    ck_assert_str_eq(text, expected);
    free(text);
    json_decref(shown);
}

static const char *const unfitted_codes[] = {
    "\"type\": \"gaussian_tuning\", \"m\": 6, \"n\": 2",
    "\"type\": \"latency\", \"n\": 2, \"max_spike_time\": 20, \"out_of_range\": \"clamp\"",
};

static const char *const ranged_codes[] = {
    "\"type\": \"gaussian_tuning\", \"m\": 6, \"x_min\": [1.4, 0.2], \"x_max\": [6, 2.5]",
    "\"type\": \"latency\", \"max_spike_time\": 20, \"out_of_range\": \"clamp\","
    " \"x_min\": [1.4, 0.2], \"x_max\": [6, 2.5]",
};

START_TEST(a_fit_gives_the_weights_of_the_ranges_it_finds)
{
    create_coded("fitted", unfitted_codes[_i]);
    create_coded("ranged", ranged_codes[_i]);
    json_t *run = train("fitted", "{" FLOWERS ", " EPOCHS ", \"fit\": true}");
    ck_assert(json_is_true(json_object_get(json_object_get(run, "params"), "fit")));
    json_decref(run);
    json_decref(train("ranged", "{" FLOWERS ", " EPOCHS "}"));
    expect_range("fitted", "x_min", "[1.4,0.2]");
    expect_range("fitted", "x_max", "[6,2.5]");
    expect_equal_weights(&server, "fitted", "ranged");
    json_t *one = http_post(&server, "/models/fitted/predict",
                            json_pack("{s:[[f,f],[f,f]]}", "x", 1.0, 0.3, 7.0, 2.0));
    json_t *other = http_post(&server, "/models/ranged/predict",
                              json_pack("{s:[[f,f],[f,f]]}", "x", 1.0, 0.3, 7.0, 2.0));
    ck_assert(json_equal(json_object_get(one, "v_max"), json_object_get(other, "v_max")));
    json_decref(other);
    json_decref(one);
}
END_TEST

/* The loop runs over the files' types. */
START_TEST(a_fit_takes_the_ranges_of_a_dataset)
{
    static const char *const types[] = {"|u1", "<f4", "<f8"};
    float x_min[DATASET_FEATURES], x_max[DATASET_FEATURES];
    for (size_t k = 0; k < DATASET_FEATURES; k++) {
        x_min[k] = x_max[k] = (float)dataset_number(0, k);
        for (size_t i = 0; i < DATASET_COUNT; i++) {
            const float x = (float)dataset_number(i, k);
            x_min[k] = x < x_min[k] ? x : x_min[k];
            x_max[k] = x > x_max[k] ? x : x_max[k];
        }
    }
    put_x(&server, "/datasets/d/x", types[_i]);
    put_label(&server, "/datasets/d/label", "|u1");
    create_coded("fitted", "\"type\": \"gaussian_tuning\", \"m\": 5, \"n\": 3");
    json_decref(train("fitted", "{\"dataset\": \"d\", \"epochs\": 2, \"fit\": true}"));
    char ranged[256];
    snprintf(ranged, sizeof ranged,
             "\"type\": \"gaussian_tuning\", \"m\": 5, \"x_min\": [%g, %g, %g], \"x_max\": [%g, %g,"
             " %g]",
             (double)x_min[0], (double)x_min[1], (double)x_min[2], (double)x_max[0],
             (double)x_max[1], (double)x_max[2]);
    create_coded("ranged", ranged);
    json_decref(train("ranged", "{\"dataset\": \"d\", \"epochs\": 2}"));
    expect_equal_weights(&server, "fitted", "ranged");
    json_t *fitted = http_get(&server, "/models/fitted"),
           *other = http_get(&server, "/models/ranged");
    ck_assert(json_equal(json_object_get(fitted, "encoder"), json_object_get(other, "encoder")));
    json_decref(other);
    json_decref(fitted);
}
END_TEST

/* Bytes of many features, which share few ranges, or have all their own. */
START_TEST(a_fit_of_bytes_works_with_and_without_a_table)
{
    enum { N = 64, COUNT = 6 };
    double numbers[COUNT * N], labels[COUNT];
    json_t *x = json_array(), *label = json_array();
    for (size_t b = 0; b < COUNT; b++) {
        json_t *row = json_array();
        for (size_t i = 0; i < N; i++) {
            const double dark = _i == 0 ? 0 : (double)i;
            numbers[b * N + i] = b == i % COUNT ? 200 : b % 2 == 0 ? 100 : dark;
            json_array_append_new(row, json_real(numbers[b * N + i]));
        }
        labels[b] = (double)(b % 3);
        json_array_append_new(label, json_integer((json_int_t)(b % 3)));
        json_array_append_new(x, row);
    }
    json_decref(
        put_file(&server, "/datasets/d/x", npy_of_numbers("|u1", "(6, 64)", numbers, COUNT * N)));
    json_decref(
        put_file(&server, "/datasets/d/label", npy_of_numbers("|u1", "(6,)", labels, COUNT)));
    create_coded("bytes", "\"type\": \"latency\", \"n\": 64, \"max_spike_time\": 20");
    create_coded("values", "\"type\": \"latency\", \"n\": 64, \"max_spike_time\": 20");
    json_decref(train("bytes", "{\"dataset\": \"d\", " EPOCHS ", \"fit\": true}"));
    json_decref(run_succeed(&server, "values",
                            json_pack("{s:o, s:o, s:i, s:i, s:f, s:i, s:b}", "x", x, "label", label,
                                      "epochs", 5, "batch_size", 2, "learning_rate", 0.1, "seed", 3,
                                      "fit", 1)));
    expect_equal_weights(&server, "bytes", "values");
    json_t *evaluation =
        http_post(&server, "/models/bytes/evaluate", json_pack("{s:s}", "dataset", "d"));
    ck_assert_int_eq(member_integer(evaluation, "count"), COUNT);
    json_decref(evaluation);
}
END_TEST

START_TEST(a_fit_does_not_look_at_the_validation)
{
    create_coded("given", unfitted_codes[_i]);
    json_decref(train("given", "{" FLOWERS ", " EPOCHS ", \"fit\": true, \"validation\":"
                               " {\"x\": [[-5, 9], [20, -3]], \"label\": [0, 1]}}"));
    expect_range("given", "x_min", "[1.4,0.2]");
    expect_range("given", "x_max", "[6,2.5]");
}
END_TEST

/* One of two samples is set aside: the range is that of the other alone. */
START_TEST(a_fit_looks_at_what_is_not_set_aside)
{
    static const char *const data[] = {"\"x\": [[8], [90]], \"label\": [0, 1]",
                                       "\"dataset\": \"d\""};
    const double numbers[] = {8, 90}, labels[] = {0, 1};
    char order[128];
    json_decref(put_file(&server, "/datasets/d/x", npy_of_numbers("|u1", "(2, 1)", numbers, 2)));
    json_decref(put_file(&server, "/datasets/d/label", npy_of_numbers("|u1", "(2,)", labels, 2)));
    create_coded("m", "\"type\": \"latency\", \"n\": 1, \"out_of_range\": \"reject\"");
    snprintf(order, sizeof order,
             "{%s, \"epochs\": 1, \"fit\": true, \"validation_fraction\": 0.5}", data[_i]);
    json_decref(train("m", order));
    json_t *shown = http_get(&server, "/models/m");
    const json_t *encoder = json_object_get(shown, "encoder");
    const double x_min = json_number_value(json_array_get(json_object_get(encoder, "x_min"), 0));
    const double x_max = json_number_value(json_array_get(json_object_get(encoder, "x_max"), 0));
    ck_assert(x_min == 8 || x_min == 90);
    ck_assert_double_eq(x_max, x_min == 8 ? 9 : 90 + 90.0 / 64); /* of a feature of one value */
    json_decref(shown);
}
END_TEST

START_TEST(a_feature_of_one_value_has_a_range)
{
    create_coded("constant", "\"type\": \"gaussian_tuning\", \"m\": 1024, \"n\": 4");
    json_decref(train("constant", "{\"x\": [[0, 5, -1e6, 1e15], [0, 5.00001, -1e6, 1e15]],"
                                  " \"label\": [0, 1], \"epochs\": 1, \"fit\": true}"));
    expect_range("constant", "x_min", "[0,5,-1000000,1e15]");
    expect_range("constant", "x_max", "[1,6,-984375,1.015625e15]");
}
END_TEST

START_TEST(a_range_beyond_all_bounds_fails_the_run)
{
    create_coded("wide", "\"type\": \"latency\", \"n\": 2");
    json_t *run = run_finish(
        &server, "wide",
        json_loads("{\"x\": [[0, -1e15], [1, 1e15]], \"label\": [0, 1], \"fit\": true}", 0, NULL));
    ck_assert_str_eq(member_string(run, "state"), "failed");
    const json_t *error = json_object_get(run, "error");
    ck_assert_str_eq(member_string(error, "code"), "out_of_range");
    ck_assert_ptr_nonnull(strstr(member_string(error, "detail"), "The feature 1"));
    json_decref(run);
}
END_TEST

START_TEST(an_encoder_without_ranges_is_not_used)
{
    static const struct {
        const char *path, *body;
    } rows[] = {
        {"/models/unfitted/predict", "{\"x\": [[1, 2]]}"},
        {"/models/unfitted/versions/1/predict", "{\"x\": [[1, 2]]}"},
        {"/models/unfitted/predict", "{\"dataset\": \"d\"}"},
        {"/models/unfitted/encode", "{\"x\": [[1, 2]]}"},
        {"/models/unfitted/evaluate", "{\"x\": [[1, 2]], \"label\": [0]}"},
        {"/models/unfitted/evaluate", "{\"dataset\": \"d\"}"},
        {"/models/unfitted/train", "{" FLOWERS "}"},
        {"/models/unfitted/train", "{" FLOWERS ", \"fit\": false}"},
        {"/models/unfitted/train", "{\"dataset\": \"d\"}"},
    };
    const double numbers[] = {1, 2, 3, 4}, labels[] = {0, 1};
    json_decref(put_file(&server, "/datasets/d/x", npy_of_numbers("|u1", "(2, 2)", numbers, 4)));
    json_decref(put_file(&server, "/datasets/d/label", npy_of_numbers("|u1", "(2,)", labels, 2)));
    create_coded("unfitted", unfitted_codes[_i]);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_refused("POST", rows[i].path, rows[i].body, 409, "encoder_not_fitted", "");
    if (_i == 1) /* spikes go past the encoder */
        expect_member("/models/unfitted/predict", "{\"in_spikes\": [[1, 2]]}", "version", "1");
    json_decref(train("unfitted", "{\"dataset\": \"d\", \"epochs\": 1, \"fit\": true}"));
    expect_range("unfitted", "x_max", "[3,4]");
    expect_member("/models/unfitted/predict", "{\"x\": [[1, 2]]}", "version", "2");
}
END_TEST

START_TEST(a_fit_needs_an_encoder_and_values)
{
    create_plain_model(&server, "plain");
    create_coded("coded", ranged_codes[1]);
    expect_refused("POST", "/models/plain/train",
                   "{\"in_spikes\": [[1, 2]], \"label\": [0], \"fit\": true}", 422,
                   "conflicting_fields", "/fit");
    expect_refused("POST", "/models/coded/train",
                   "{\"in_spikes\": [[1, 2]], \"label\": [0], \"fit\": true}", 422,
                   "conflicting_fields", "/fit");
    expect_refused("POST", "/models/coded/train",
                   "{\"in_spikes\": [[[1], [2, 3]]], \"label\": [0], \"fit\": true}", 422,
                   "conflicting_fields", "/fit");
    expect_refused("POST", "/models/coded/train", "{" FLOWERS ", \"fit\": 1}", 422, "wrong_type",
                   "/fit");
}
END_TEST

static void expect_ranges_of(const char *model, json_int_t version, const char *x_min,
                             const char *spikes)
{
    json_decref(
        http_call(&server, 200, "PATCH", "/models/m", json_pack("{s:I}", "version", version)));
    expect_range(model, "x_min", x_min);
    expect_member("/models/m/encode", "{\"x\": [[2]]}", "out_spikes", spikes);
}

START_TEST(every_version_keeps_its_ranges)
{
    const char *order = "{\"x\": [[%d], [%d]], \"label\": [0, 1], \"epochs\": 1, \"fit\": true}";
    char text[128];
    create_coded("m", "\"type\": \"latency\", \"n\": 1, \"x_min\": 0, \"x_max\": 4,"
                      " \"max_spike_time\": 9");
    snprintf(text, sizeof text, order, 1, 3);
    json_decref(train("m", text)); /* version 2 */
    snprintf(text, sizeof text, order, -6, 10);
    json_decref(train("m", text)); /* version 3 */
    json_decref(train("m", "{\"x\": [[0], [1]], \"label\": [0, 1], \"epochs\": 1}")); /* 4 */
    json_t *weights = http_get(&server, "/models/m/weights");
    json_decref(http_call(&server, 200, "PUT", "/models/m/weights", weights)); /* 5 */
    for (int restarted = 0; restarted < 2; restarted++) {
        expect_ranges_of("m", 1, "0", "[[[4]]]");
        expect_ranges_of("m", 2, "[1]", "[[[4]]]");
        expect_ranges_of("m", 3, "[-6]", "[[[4]]]");
        expect_ranges_of("m", 4, "[-6]", "[[[4]]]");
        expect_ranges_of("m", 5, "[-6]", "[[[4]]]");
        json_t *list = http_get(&server, "/models");
        const json_t *listed = json_array_get(json_object_get(list, "models"), 0);
        const json_t *x_max = json_object_get(json_object_get(listed, "encoder"), "x_max");
        ck_assert_double_eq(json_number_value(json_array_get(x_max, 0)), 10);
        json_decref(list);
        service_restart(&server);
    }
    expect_ranges_of("m", 1, "0", "[[[4]]]");
    weights = http_get(&server, "/models/m/weights");
    json_decref(http_call(&server, 200, "PUT", "/models/m/weights", weights)); /* 6 */
    expect_range("m", "x_min", "0");
}
END_TEST

/* A run that others have to wait for, until it is cancelled. */
static json_int_t queue_endless(const char *model)
{
    json_t *spikes = json_array(), *label = json_array();
    for (int i = 0; i < 500; i++) {
        json_array_append_new(spikes, json_pack("[i]", i % 7));
        json_array_append_new(label, json_integer(i % 3));
    }
    return run_queue(&server, model,
                     json_pack("{s:o, s:o, s:i, s:i}", "in_spikes", spikes, "label", label,
                               "epochs", RUN_ENDLESS, "batch_size", 1));
}

/* Ends the endless run; the other then fails. */
static void expect_failure(json_int_t endless, json_int_t failing, const char *code)
{
    json_decref(run_cancel(&server, endless, 202));
    json_t *run = run_await(&server, failing, run_has_ended);
    ck_assert_str_eq(member_string(run, "state"), "failed");
    ck_assert_str_eq(member_string(json_object_get(run, "error"), "code"), code);
    json_decref(run);
}

static const char late_order[] = "{\"x\": [[2], [8]], \"label\": [0, 1], \"epochs\": 1}";

/* It was checked against ranges that the run before it changes. */
START_TEST(a_run_that_waited_checks_the_ranges_it_finds)
{
    create_coded("m", "\"type\": \"latency\", \"n\": 1, \"x_min\": 0, \"x_max\": 9,"
                      " \"out_of_range\": \"reject\"");
    const json_int_t endless = queue_endless("m");
    run_queue(&server, "m",
              json_loads("{\"x\": [[1], [3]], \"label\": [0, 1], \"fit\": true, \"epochs\": 1}", 0,
                         NULL));
    const json_int_t late = run_queue(&server, "m", json_loads(late_order, 0, NULL));
    expect_failure(endless, late, "out_of_range");
    expect_range("m", "x_max", "[3]");
}
END_TEST

START_TEST(a_run_that_waited_may_find_no_ranges)
{
    create_coded("m", "\"type\": \"latency\", \"n\": 1");
    json_decref(train("m", "{\"x\": [[1], [3]], \"label\": [0, 1], \"fit\": true, \"epochs\": 1}"));
    const json_int_t endless = queue_endless("m");
    const json_int_t late = run_queue(&server, "m", json_loads(late_order, 0, NULL));
    json_decref(http_call(&server, 200, "PATCH", "/models/m", json_pack("{s:i}", "version", 1)));
    expect_failure(endless, late, "encoder_not_fitted");
}
END_TEST

/* Begun again after the end of the process, it comes to the same. */
START_TEST(a_fit_survives_a_crash)
{
    static const char order[] = "{\"dataset\": \"d\", \"epochs\": 400, \"batch_size\": 1,"
                                " \"learning_rate\": 0.01, \"fit\": true}";
    put_both(&server, "d");
    create_coded("whole", "\"type\": \"gaussian_tuning\", \"m\": 5, \"n\": 3");
    create_coded("killed", "\"type\": \"gaussian_tuning\", \"m\": 5, \"n\": 3");
    json_decref(train("whole", order));
    const json_int_t run = run_queue(&server, "killed", json_loads(order, 0, NULL));
    service_kill(&server);
    service_restart(&server);
    json_decref(run_await(&server, run, run_has_ended));
    expect_equal_weights(&server, "whole", "killed");
    json_t *whole = http_get(&server, "/models/whole"),
           *killed = http_get(&server, "/models/killed");
    ck_assert_ptr_nonnull(json_object_get(json_object_get(whole, "encoder"), "x_min"));
    ck_assert(json_equal(json_object_get(whole, "encoder"), json_object_get(killed, "encoder")));
    json_decref(killed);
    json_decref(whole);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("encoder_ranges");
    TCase *tests = fixture_case(suite, "encoders", NULL);
    tcase_add_loop_test(tests, a_fit_gives_the_weights_of_the_ranges_it_finds, 0, 2);
    tcase_add_loop_test(tests, a_fit_takes_the_ranges_of_a_dataset, 0, 3);
    tcase_add_loop_test(tests, a_fit_of_bytes_works_with_and_without_a_table, 0, 2);
    tcase_add_loop_test(tests, a_fit_does_not_look_at_the_validation, 0, 2);
    tcase_add_loop_test(tests, a_fit_looks_at_what_is_not_set_aside, 0, 2);
    tcase_add_test(tests, a_feature_of_one_value_has_a_range);
    tcase_add_test(tests, a_range_beyond_all_bounds_fails_the_run);
    tcase_add_loop_test(tests, an_encoder_without_ranges_is_not_used, 0, 2);
    tcase_add_test(tests, a_fit_needs_an_encoder_and_values);
    tcase_add_test(tests, every_version_keeps_its_ranges);
    tcase_add_test(tests, a_run_that_waited_checks_the_ranges_it_finds);
    tcase_add_test(tests, a_run_that_waited_may_find_no_ranges);
    tcase_add_test(tests, a_fit_survives_a_crash);
    return suite_run(suite);
}
