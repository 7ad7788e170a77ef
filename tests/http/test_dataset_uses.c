/* What datasets are for, over HTTP: predictions, evaluations and runs on them are those on the same
 * samples, what does not suit is refused, and nobody takes one away from a run. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/arrays.h"
#include "tests/support/client.h"
#include "tests/support/datasets.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

/* --- what samples in JSON give, a dataset gives --- */

static json_t *x_in_json(void)
{
    json_t *array = json_array();
    for (size_t i = 0; i < DATASET_COUNT; i++) {
        json_t *row = json_array();
        for (size_t k = 0; k < DATASET_FEATURES; k++)
            json_array_append_new(row, json_real(dataset_number(i, k)));
        json_array_append_new(array, row);
    }
    return array;
}

static json_t *label_in_json(void)
{
    json_t *array = json_array();
    for (size_t i = 0; i < DATASET_COUNT; i++)
        json_array_append_new(array, json_integer((json_int_t)dataset_class(i)));
    return array;
}

/* The answers to the two bodies, which it takes, are the same bytes. */
static void expect_equal_answers(const char *path, json_t *first, json_t *second)
{
    char *bodies[] = {json_dumps(first, JSON_COMPACT), json_dumps(second, JSON_COMPACT)};
    struct http_answer answers[2];
    for (int i = 0; i < 2; i++) {
        answers[i] = http_send(&server, "POST", path, bodies[i], NULL);
        ck_assert_msg(answers[i].status == 200, "%ld %s", answers[i].status, answers[i].body);
    }
    ck_assert_str_eq(answers[0].body, answers[1].body);
    for (int i = 0; i < 2; i++) {
        http_answer_finish(&answers[i]);
        free(bodies[i]);
    }
    json_decref(first);
    json_decref(second);
}

START_TEST(predictions_and_evaluations_are_those_of_the_same_samples)
{
    create_model(&server, model_with_encoder("m"));
    if (strcmp(npy_types[_i], "|i1") == 0)
        return; /* which does not hold 255 */
    put_x(&server, "/datasets/a/x", npy_types[_i]);
    expect_equal_answers("/models/m/predict",
                         json_pack("{s:s, s:[s,s,s,s]}", "dataset", "a", "ret_type", "label",
                                   "v_max", "spikes", "v"),
                         json_pack("{s:o, s:[s,s,s,s]}", "x", x_in_json(), "ret_type", "label",
                                   "v_max", "spikes", "v"));
    put_label(&server, "/datasets/a/label", npy_types[_i]);
    expect_equal_answers("/models/m/evaluate",
                         json_pack("{s:s, s:s}", "dataset", "a", "loss", "cross_entropy"),
                         json_pack("{s:o, s:o, s:s}", "x", x_in_json(), "label", label_in_json(),
                                   "loss", "cross_entropy"));
}
END_TEST

START_TEST(without_an_encoder_samples_are_spike_times)
{
    const char *type = _i == 0 ? "|u1" : "<f8";
    create_model(&server, json_pack("{s:s, s:i, s:i, s:i}", "id", "m", "in_features",
                                    DATASET_FEATURES, "out_features", DATASET_CLASSES, "T", 300));
    put_x(&server, "/datasets/a/x", type);
    put_label(&server, "/datasets/a/label", "<i8");
    expect_equal_answers("/models/m/predict", json_pack("{s:s}", "dataset", "a"),
                         json_pack("{s:o}", "in_spikes", x_in_json()));
    expect_equal_answers(
        "/models/m/evaluate", json_pack("{s:s}", "dataset", "a"),
        json_pack("{s:o, s:o}", "in_spikes", x_in_json(), "label", label_in_json()));
    struct http_answer array = http_send(&server, "POST", "/models/m/predict",
                                         "{\"dataset\": \"a\", \"ret_type\": \"v_max\"}",
                                         "Accept: application/x-npy", NULL);
    ck_assert_int_eq(array.status, 200);
    ck_assert_str_eq(http_header(&array, "content-type"), "application/x-npy");
    http_answer_finish(&array);
}
END_TEST

static json_t *metrics_of(const json_t *run)
{
    char path[96];
    snprintf(path, sizeof path, "/runs/%lld/metrics?limit=1000",
             (long long)member_integer(run, "id"));
    return http_get(&server, path);
}

/* Both orders give the same weights and the same metrics of every epoch. Takes them, and adds what
 * they share. */
static void expect_equal_runs(json_t *first, json_t *second, json_t *shared)
{
    json_t *orders[] = {first, second}, *metrics[2];
    const char *const models[] = {"first", "second"};
    for (int i = 0; i < 2; i++) {
        json_object_update(orders[i], shared);
        create_model(&server, model_with_encoder(models[i]));
        json_t *run = run_succeed(&server, models[i], orders[i]);
        metrics[i] = metrics_of(run);
        json_decref(run);
    }
    expect_equal_weights(&server, models[0], models[1]);
    ck_assert(json_equal(metrics[0], metrics[1]));
    ck_assert_uint_eq(json_array_size(json_object_get(metrics[0], "metrics")), 6);
    for (int i = 0; i < 2; i++)
        json_decref(metrics[i]);
    json_decref(shared);
}

static json_t *shared_order(void)
{
    return json_pack("{s:i, s:i, s:s, s:f, s:s, s:i}", "epochs", 6, "batch_size", 7, "optimizer",
                     "adam", "learning_rate", 0.05, "loss", "cross_entropy", "seed", 5);
}

static json_t *samples_in_json(void)
{
    return json_pack("{s:o, s:o}", "x", x_in_json(), "label", label_in_json());
}

START_TEST(training_is_that_on_the_same_samples)
{
    put_x(&server, "/datasets/a/x", _i == 0 ? "|u1" : "<f8");
    put_label(&server, "/datasets/a/label", "|u1");
    expect_equal_runs(json_pack("{s:s}", "dataset", "a"), samples_in_json(), shared_order());
}
END_TEST

START_TEST(the_share_for_validation_is_that_of_the_same_samples)
{
    json_t *shared = shared_order();
    json_object_set_new(shared, "validation_fraction", json_real(0.3));
    json_object_set_new(shared, "patience", json_integer(50));
    put_both(&server, "a");
    expect_equal_runs(json_pack("{s:s}", "dataset", "a"), samples_in_json(), shared);
}
END_TEST

START_TEST(a_dataset_may_be_for_validation)
{
    put_both(&server, "a");
    json_t *first = samples_in_json(), *second = samples_in_json();
    if (_i == 1) {
        json_decref(first);
        first = json_pack("{s:s}", "dataset", "a");
    }
    json_object_set_new(first, "validation", json_pack("{s:s}", "dataset", "a"));
    json_object_set_new(second, "validation", samples_in_json());
    expect_equal_runs(first, second, shared_order());
}
END_TEST

/* A model may know the classes by other numbers, and more of them. */
START_TEST(names_of_a_table_are_matched_with_the_models_in_any_order)
{
    struct bytes file = csv_of("a,kind,b\n");
    static const char *const names[] = {"zebra", "ant", "mole"}; /* by dataset_class() */
    char line[96];
    for (size_t i = 0; i < DATASET_COUNT; i++) {
        const int size = snprintf(line, sizeof line, "%g,%s,%g\n", dataset_number(i, 0),
                                  names[(size_t)dataset_class(i)], dataset_number(i, 1));
        bytes_add(&file, line, (size_t)size);
    }
    json_decref(put_file(&server, "/datasets/a?label=kind", file));
    create_model(&server,
                 json_pack("{s:s, s:i, s:i, s:i, s:[s,s,s,s]}", "id", "m", "in_features", 2,
                           "out_features", 4, "T", 300, "labels", "mole", "zebra", "bee", "ant"));
    json_t *x = json_array(), *label = json_array();
    for (size_t i = 0; i < DATASET_COUNT; i++) {
        json_array_append_new(x, json_pack("[f, f]", dataset_number(i, 0), dataset_number(i, 1)));
        json_array_append_new(label, json_string(names[(size_t)dataset_class(i)]));
    }
    expect_equal_answers("/models/m/evaluate", json_pack("{s:s}", "dataset", "a"),
                         json_pack("{s:o, s:o}", "in_spikes", x, "label", label));
    json_t *evaluation =
        http_call(&server, 200, "POST", "/models/m/evaluate", json_pack("{s:s}", "dataset", "a"));
    const json_t *bee = json_array_get(json_object_get(evaluation, "classes"), 2);
    ck_assert_str_eq(member_string(bee, "label"), "bee");
    ck_assert_int_eq((int)json_number_value(json_object_get(bee, "support")), 0);
    json_decref(evaluation);
}
END_TEST

/* --- what does not suit --- */

#define ENCODER                                                                                    \
    "\"encoder\": {\"type\": \"gaussian_tuning\", \"m\": 4, \"x_min\": [0, 0], \"x_max\": [9, 9]}"

static const struct {
    const char *model, *table, *call, *body, *code, *pointer;
} unsuitable[] = {
    {"\"in_features\": 2, \"out_features\": 2, \"T\": 9", "a,c,b\n1,0,2\n", "evaluate",
     "{\"dataset\": \"b\"}", "unknown_value", "/dataset"},
    {"\"in_features\": 2, \"out_features\": 2, \"T\": 9", "a,c,b\n1,0,2\n", "predict",
     "{\"dataset\": 5}", "wrong_type", "/dataset"},
    {"\"in_features\": 3, \"out_features\": 2, \"T\": 9", "a,c,b\n1,0,2\n", "predict",
     "{\"dataset\": \"a\"}", "wrong_shape", "/dataset"},
    {ENCODER ", \"out_features\": 2", "a,c\n1,0\n", "predict", "{\"dataset\": \"a\"}",
     "wrong_shape", "/dataset"},
    {ENCODER ", \"out_features\": 2", "a,c,b\n1,2,2\n", "evaluate", "{\"dataset\": \"a\"}",
     "label_out_of_range", "/dataset"},
    {ENCODER ", \"out_features\": 2", "a,c,b\n1,ant,2\n", "evaluate", "{\"dataset\": \"a\"}",
     "unknown_label", "/dataset"},
    {ENCODER ", \"out_features\": 2, \"labels\": [\"bee\", \"cat\"]", "a,c,b\n1,ant,2\n", "train",
     "{\"dataset\": \"a\"}", "unknown_label", "/dataset"},
    {ENCODER ", \"out_features\": 2", "a,c,b\n1,0,2\n", "evaluate",
     "{\"dataset\": \"a\", \"label\": [0]}", "conflicting_fields", "/label"},
    {ENCODER ", \"out_features\": 2", "a,c,b\n1,0,2\n", "predict",
     "{\"dataset\": \"a\", \"x\": [[1, 2]]}", "conflicting_fields", "/x"},
    {ENCODER ", \"out_features\": 2", "a,c,b\n1,0,2\n", "train",
     "{\"dataset\": \"a\", \"in_spikes\": [[1, 2]]}", "conflicting_fields", "/in_spikes"},
    {ENCODER ", \"out_features\": 2", "a,c,b\n1,0,2\n", "train",
     "{\"dataset\": \"a\", \"validation\": {\"dataset\": \"z\"}}", "unknown_value",
     "/validation/dataset"},
    {ENCODER ", \"out_features\": 2", "a,c,b\n1,0,2\n", "train",
     "{\"dataset\": \"a\", \"validation_fraction\": 0.9}", "out_of_range", "/validation_fraction"},
    {"\"in_features\": 2, \"out_features\": 100, \"T\": 50000", "a,c,b\n1,0,2\n", "predict",
     "{\"dataset\": \"a\", \"ret_type\": \"v\"}", "too_large", "/dataset"},
};

START_TEST(a_dataset_that_does_not_suit_is_refused_by_field)
{
    char model[512], path[64];
    snprintf(model, sizeof model, "{\"id\": \"m\", %s}", unsuitable[_i].model);
    create_model_of_text(&server, model);
    json_decref(put_file(&server, "/datasets/a?label=c", csv_of(unsuitable[_i].table)));
    snprintf(path, sizeof path, "/models/m/%s", unsuitable[_i].call);
    struct http_answer answer = http_send(&server, "POST", path, unsuitable[_i].body, NULL);
    expect_problem(&answer, 422, unsuitable[_i].code);
    ck_assert_str_eq(problem_names(&answer), unsuitable[_i].pointer);
    http_answer_finish(&answer);
}
END_TEST

START_TEST(more_work_than_one_request_may_ask_for_is_refused)
{
    enum { SAMPLES = 2600, OUTPUTS = 1000, STEPS = 16000 }; /* beyond LIMIT_WORK */
    uint8_t *zeros = calloc(1, SAMPLES);
    json_decref(put_file(&server, "/datasets/a/x", npy_of("|u1", "(2600,)", zeros, SAMPLES)));
    json_decref(put_file(&server, "/datasets/a/label", npy_of("|u1", "(2600,)", zeros, SAMPLES)));
    free(zeros);
    create_model(&server, json_pack("{s:s, s:i, s:i, s:i}", "id", "m", "in_features", 1,
                                    "out_features", OUTPUTS, "T", STEPS));
    struct http_answer answer =
        http_send(&server, "POST", "/models/m/evaluate", "{\"dataset\": \"a\"}", NULL);
    expect_problem(&answer, 422, "too_large");
    ck_assert_str_eq(problem_names(&answer), "/dataset");
    http_answer_finish(&answer);
}
END_TEST

START_TEST(half_a_dataset_is_told_what_it_misses)
{
    create_model(&server, model_with_encoder("m"));
    put_label(&server, "/datasets/labels/label", "|u1");
    put_x(&server, "/datasets/x/x", "|u1");
    static const char *const bodies[] = {"{\"dataset\": \"labels\"}", "{\"dataset\": \"x\"}"};
    static const char *const paths[] = {"/models/m/evaluate", "/models/m/train"};
    for (int i = 0; i < 4; i++) {
        struct http_answer answer = http_send(&server, "POST", paths[i / 2], bodies[i % 2], NULL);
        expect_problem(&answer, 422, "missing_field");
        ck_assert_str_eq(problem_names(&answer), "/dataset");
        http_answer_finish(&answer);
    }
}
END_TEST

/* --- runs and their datasets --- */

static void cancel(json_int_t run)
{
    json_decref(run_cancel(&server, run, 202));
    json_decref(run_await(&server, run, run_has_ended));
}

static void expect_in_use(void)
{
    static const struct {
        const char *method, *path;
    } changes[] = {{"DELETE", "/datasets/a"}, {"PUT", "/datasets/a/x"}, {"PUT", "/datasets/a"}};
    static const double numbers[DATASET_COUNT * DATASET_FEATURES] = {0};
    struct bytes array =
        npy_of_numbers("|u1", DATASET_SHAPE, numbers, DATASET_COUNT * DATASET_FEATURES);
    struct bytes table = csv_of("a\n1\n"), none = {0};
    const struct bytes *const bodies[] = {&none, &array, &table};
    for (int i = 0; i < ROWS(changes); i++) {
        struct http_answer answer =
            i == 0 ? http_send(&server, changes[i].method, changes[i].path, NULL, NULL)
                   : put_bytes(&server, changes[i].path, bodies[i]);
        expect_problem(&answer, 409, "dataset_in_use");
        http_answer_finish(&answer);
    }
    bytes_finish(&array);
    bytes_finish(&table);
}

START_TEST(a_dataset_in_use_is_neither_deleted_nor_changed)
{
    create_model(&server, model_with_encoder("m"));
    put_both(&server, "a");
    put_both(&server, "b");
    json_t *before = http_get(&server, "/datasets/a");
    const json_int_t running =
        run_queue(&server, "m", json_pack("{s:s, s:i}", "dataset", "a", "epochs", RUN_ENDLESS));
    json_t *waiting = samples_in_json();
    json_object_set_new(waiting, "validation", json_pack("{s:s}", "dataset", "a"));
    const json_int_t queued = run_queue(&server, "m", waiting);
    json_decref(run_await(&server, running, run_has_begun));
    expect_in_use();
    cancel(queued);
    expect_in_use();
    expect_arrays(&server, 4);
    cancel(running);
    json_t *after = http_get(&server, "/datasets/a");
    ck_assert(json_equal(before, after));
    put_x(&server, "/datasets/a/x", "<f4");
    json_decref(http_call(&server, 204, "DELETE", "/datasets/a", NULL));
    expect_arrays(&server, 2);
    json_decref(before);
    json_decref(after);
}
END_TEST

START_TEST(a_queued_run_keeps_its_dataset)
{
    create_model(&server, model_with_encoder("m"));
    put_both(&server, "a");
    put_both(&server, "b");
    const json_int_t running =
        run_queue(&server, "m", json_pack("{s:s, s:i}", "dataset", "b", "epochs", RUN_ENDLESS));
    json_decref(run_await(&server, running, run_has_begun));
    const json_int_t queued = run_queue(&server, "m",
                                        json_pack("{s:s, s:{s:s}}", "dataset", _i == 0 ? "a" : "b",
                                                  "validation", "dataset", _i == 0 ? "b" : "a"));
    expect_in_use();
    cancel(queued);
    json_decref(http_call(&server, 204, "DELETE", "/datasets/a", NULL));
    cancel(running);
}
END_TEST

/* The run looks the names up when it begins, which may be after a restart. */
START_TEST(a_models_labels_stay_while_a_run_needs_their_names)
{
    struct http_answer answer;
    const char *change = _i == 0 ? "{\"labels\": [\"b\", \"a\"]}" : "{\"labels\": null}";
    json_decref(put_file(&server, "/datasets/a?label=kind", csv_of("x,kind\n1,a\n2,b\n")));
    create_model(&server, json_pack("{s:s, s:i, s:i, s:i, s:[s,s]}", "id", "m", "in_features", 1,
                                    "out_features", 2, "T", 9999, "labels", "a", "b"));
    const json_int_t run =
        run_queue(&server, "m", json_pack("{s:s, s:i}", "dataset", "a", "epochs", RUN_ENDLESS));
    answer = http_send(&server, "PATCH", "/models/m", change, NULL);
    expect_problem(&answer, 409, "model_in_use");
    http_answer_finish(&answer);
    json_decref(
        http_call(&server, 200, "PATCH", "/models/m", json_pack("{s:s}", "description", "d")));
    cancel(run);
    json_decref(run_await(&server, run, run_has_ended));
    answer = http_send(&server, "PATCH", "/models/m", change, NULL);
    ck_assert_int_eq(answer.status, 200);
    http_answer_finish(&answer);
}
END_TEST

START_TEST(a_run_keeps_the_checksum_of_a_dataset_that_is_gone)
{
    create_model(&server, model_with_encoder("m"));
    put_both(&server, "a");
    json_t *dataset = http_get(&server, "/datasets/a");
    json_t *run = run_succeed(&server, "m", json_pack("{s:s, s:i}", "dataset", "a", "epochs", 2));
    ck_assert_str_eq(member_string(run, "samples_sha256"), member_string(dataset, "sha256"));
    ck_assert_str_eq(member_string(run, "dataset"), "a");
    json_decref(http_call(&server, 204, "DELETE", "/datasets/a", NULL));
    put_both(&server, "a"); /* another one by that name */
    service_restart(&server);
    json_t *later = http_get(&server, "/runs/1");
    ck_assert_str_eq(member_string(later, "samples_sha256"), member_string(dataset, "sha256"));
    ck_assert(json_is_null(json_object_get(later, "dataset")));
    ck_assert_str_eq(member_string(later, "state"), "succeeded");
    json_decref(later);
    json_decref(run);
    json_decref(dataset);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dataset_uses");
    TCase *tests = fixture_case(suite, "uses", datasets_start);
    tcase_add_loop_test(tests, predictions_and_evaluations_are_those_of_the_same_samples, 0,
                        NPY_TYPES);
    tcase_add_loop_test(tests, without_an_encoder_samples_are_spike_times, 0, 2);
    tcase_add_loop_test(tests, training_is_that_on_the_same_samples, 0, 2);
    tcase_add_test(tests, the_share_for_validation_is_that_of_the_same_samples);
    tcase_add_loop_test(tests, a_dataset_may_be_for_validation, 0, 2);
    tcase_add_test(tests, names_of_a_table_are_matched_with_the_models_in_any_order);
    tcase_add_loop_test(tests, a_dataset_that_does_not_suit_is_refused_by_field, 0,
                        ROWS(unsuitable));
    tcase_add_test(tests, more_work_than_one_request_may_ask_for_is_refused);
    tcase_add_test(tests, half_a_dataset_is_told_what_it_misses);
    tcase_add_test(tests, a_dataset_in_use_is_neither_deleted_nor_changed);
    tcase_add_loop_test(tests, a_queued_run_keeps_its_dataset, 0, 2);
    tcase_add_loop_test(tests, a_models_labels_stay_while_a_run_needs_their_names, 0, 2);
    tcase_add_test(tests, a_run_keeps_the_checksum_of_a_dataset_that_is_gone);
    return suite_run(suite);
}
