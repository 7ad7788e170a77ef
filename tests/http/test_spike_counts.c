/* Models that read out how often their outputs fire, over HTTP: what they predict against the
 * voltage by its definition. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/arrays.h"
#include "tests/support/ask.h"
#include "tests/support/bodies.h"
#include "tests/support/client.h"
#include "tests/support/datasets.h"
#include "tests/support/dense.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/suite.h"

/* --- models --- */

START_TEST(a_model_shows_that_it_counts)
{
    json_t *model = http_call(&server, 201, "POST", "/models",
                              json_pack("{s:s, s:i, s:i, s:i, s:s}", "id", "counts", "in_features",
                                        3, "out_features", 2, "T", 50, "read_out", "spike_count"));
    ck_assert_str_eq(member_string(model, "read_out"), "spike_count");
    ck_assert_str_eq(member_string(model, "clock"), "continuous");
    ck_assert_int_eq(member_integer(model, "max_spikes"), 100);
    json_t *shown = http_get(&server, "/models/counts");
    ck_assert(json_equal(model, shown));
    json_decref(model);
    json_decref(shown);
}
END_TEST

START_TEST(other_models_are_what_they_were)
{
    json_t *model = http_call(&server, 201, "POST", "/models",
                              json_pack("{s:s, s:i, s:i, s:i, s:s}", "id", "peaks", "in_features",
                                        3, "out_features", 2, "T", 50, "read_out", "v_max"));
    ck_assert_str_eq(member_string(model, "clock"), "grid");
    ck_assert_ptr_null(json_object_get(model, "read_out"));
    ck_assert_ptr_null(json_object_get(model, "max_spikes"));
    json_decref(model);
}
END_TEST

/* --- predictions --- */

enum { AFFERENTS = 4, OUTPUTS = 3, WINDOW = 80, SPIKES = 7 };

static const double weights[OUTPUTS][AFFERENTS] = {
    {1.4, 0.9, -0.5, 0.75}, {0.25, -0.25, 0.5, 0.125}, {-1, -0.5, -0.25, -0.75}};

static const double threshold = 0.75;

/* The sample below, spike by spike. */
static const double times[SPIKES] = {3, 20.5f, 41, 5, 12, 44.25f, 60};

static const size_t afferent[SPIKES] = {0, 0, 0, 1, 2, 3, 3};

#define SAMPLE "[[41, 3, 20.5], 5, [12], [44.25, 60]]"

/* Its outputs fire often, seldom, and never. */
static void create_known_model(const char *id)
{
    json_t *rows = json_array();
    for (size_t j = 0; j < OUTPUTS; j++) {
        json_t *row = json_array();
        for (size_t i = 0; i < AFFERENTS; i++)
            json_array_append_new(row, json_real(weights[j][i]));
        json_array_append_new(rows, row);
    }
    create_model(&server, json_pack("{s:s, s:i, s:i, s:i, s:f, s:f, s:f, s:s, s:o}", "id", id,
                                    "in_features", AFFERENTS, "out_features", OUTPUTS, "T", WINDOW,
                                    "tau", 12.0, "tau_s", 3.0, "v_threshold", threshold, "read_out",
                                    "spike_count", "weight", rows));
}

static const struct dense_kernel kernel = {.tau = 12, .tau_s = 3, .v_threshold = 0.75};

/* The spikes as one output has them; values[SPIKES] is theirs. */
static struct dense_spikes spikes_of(size_t output, double *values)
{
    for (size_t s = 0; s < SPIKES; s++)
        values[s] = (double)(float)weights[output][afferent[s]];
    return (struct dense_spikes){.count = SPIKES, .weight = values, .time = times};
}

START_TEST(counts_and_times_are_those_of_the_definition)
{
    enum { MOST = 50 };
    double values[SPIKES], fired[MOST];
    create_known_model("known");
    json_t *answer =
        ask_json("/models/known/predict", "{\"in_spikes\": [" SAMPLE "], \"ret_type\": "
                                          "[\"count\", \"spike_times\"]}");
    for (size_t j = 0; j < OUTPUTS; j++) {
        const struct dense_spikes spikes = spikes_of(j, values);
        const size_t count = dense_fire(&kernel, &spikes, threshold, WINDOW, 1e-4, fired, MOST);
        const json_t *found = member_element(answer, "spike_times", 0, j);
        ck_assert_int_eq(json_integer_value(member_element(answer, "count", 0, j)),
                         (json_int_t)count);
        ck_assert_uint_eq(json_array_size(found), count);
        for (size_t s = 0; s < count; s++)
            ck_assert_double_eq_tol(json_number_value(json_array_get(found, s)), fired[s], 2e-3);
    }
    ck_assert_int_gt(json_integer_value(member_element(answer, "count", 0, 0)), 2);
    ck_assert_int_eq(json_integer_value(member_element(answer, "count", 0, 2)), 0);
    json_decref(answer);
}
END_TEST

START_TEST(the_voltage_has_the_resets_of_the_spikes)
{
    double values[SPIKES], fired[8];
    create_known_model("known");
    json_t *answer =
        ask_json("/models/known/predict", "{\"in_spikes\": [" SAMPLE "], \"ret_type\": "
                                          "[\"spike_times\", \"v\"]}");
    for (size_t j = 0; j < OUTPUTS; j++) {
        const struct dense_spikes spikes = spikes_of(j, values);
        const json_t *list = member_element(answer, "spike_times", 0, j),
                     *v = member_element(answer, "v", 0, j);
        ck_assert_uint_eq(json_array_size(v), WINDOW);
        for (size_t t = 0; t < WINDOW; t++) {
            size_t count = 0;
            for (; count < json_array_size(list); count++) {
                fired[count] = json_number_value(json_array_get(list, count));
                if (fired[count] >= (double)t)
                    break;
            }
            ck_assert_double_eq_tol(
                json_number_value(json_array_get(v, t)),
                dense_voltage_with_reset(&kernel, &spikes, threshold, fired, count, (double)t),
                1e-5);
        }
    }
    json_decref(answer);
}
END_TEST

/* As many of them as spikes are counted reach the threshold; and a little below each one there are
 * so many spikes, a little above it fewer. */
START_TEST(thresholds_are_where_spikes_are_lost)
{
    enum { K_MAX = 8 };
    double values[SPIKES], fired[K_MAX];
    create_known_model("known");
    json_t *answer =
        ask_json("/models/known/predict", "{\"in_spikes\": [" SAMPLE "], \"ret_type\": "
                                          "[\"count\", \"thresholds\"], \"k_max\": 8}");
    for (size_t j = 0; j < 2; j++) {
        const struct dense_spikes spikes = spikes_of(j, values);
        const json_t *thresholds = member_element(answer, "thresholds", 0, j);
        json_int_t reached = 0;
        double last = INFINITY;
        ck_assert_uint_eq(json_array_size(thresholds), K_MAX);
        for (size_t k = 1; k <= K_MAX; k++) {
            const double theta = json_number_value(json_array_get(thresholds, k - 1));
            ck_assert_double_le(theta, last);
            last = theta;
            reached += theta >= threshold;
            ck_assert_uint_eq(dense_fire(&kernel, &spikes, theta * 0.998, WINDOW, 1e-3, fired, k),
                              k);
            ck_assert_uint_lt(dense_fire(&kernel, &spikes, theta * 1.002, WINDOW, 1e-3, fired, k),
                              k);
        }
        ck_assert_int_eq(reached, json_integer_value(member_element(answer, "count", 0, j)));
    }
    expect_json(member_element(answer, "thresholds", 0, 2),
                "[null, null, null, null, null, null, null, "
                "null]");
    json_decref(answer);
}
END_TEST

START_TEST(only_what_is_asked_for_is_answered)
{
    create_known_model("known");
    json_t *answer = ask_json("/models/known/predict", "{\"in_spikes\": [[-1, -1, -1, -1]]}");
    expect_json(answer, "{\"model\": \"known\", \"version\": 1, \"count\": [[0, 0, 0]]}");
    json_decref(answer);
    answer = ask_json("/models/known/versions/1/predict",
                      "{\"in_spikes\": [[-1, -1, -1, -1]], \"ret_type\": \"spike_times\"}");
    expect_json(answer, "{\"model\": \"known\", \"version\": 1, \"spike_times\": [[[], [], []]]}");
    json_decref(answer);
    answer = ask_json("/models/known/predict",
                      "{\"in_spikes\": [[-1, -1, -1, -1]], \"ret_type\": [\"thresholds\"]}");
    ck_assert_uint_eq(json_array_size(member_element(answer, "thresholds", 0, 0)), 10);
    json_decref(answer);
}
END_TEST

START_TEST(spikes_are_counted_up_to_a_limit)
{
    create_model_of_text(&server, "{\"id\": \"few\", \"in_features\": 1, \"out_features\": 1, "
                                  "\"T\": 50, \"read_out\": \"spike_count\", \"max_spikes\": 3, "
                                  "\"weight\": [[20]]}");
    json_t *answer =
        ask_json("/models/few/predict", "{\"in_spikes\": [[0]], \"ret_type\": "
                                        "[\"count\", \"spike_times\", \"thresholds\"]}");
    expect_json(json_object_get(answer, "count"), "[[3]]");
    ck_assert_uint_eq(json_array_size(member_element(answer, "spike_times", 0, 0)), 3);
    ck_assert_uint_eq(json_array_size(member_element(answer, "thresholds", 0, 0)), 3);
    json_decref(answer);
}
END_TEST

/* The numbers of the array's type follow its header. */
static void expect_array(const char *ret_type, const char *header, const void *values, size_t size)
{
    char body[128];
    snprintf(body, sizeof body, "{\"in_spikes\": [" SAMPLE "], \"ret_type\": \"%s\"}", ret_type);
    struct http_answer answer = http_send(&server, "POST", "/models/known/predict", body,
                                          "Accept: application/x-npy", NULL);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_uint_gt(answer.size, size);
    ck_assert_ptr_nonnull(strstr(answer.body + 10, header));
    ck_assert_mem_eq(answer.body + answer.size - size, values, size);
    http_answer_finish(&answer);
}

START_TEST(counts_and_thresholds_are_arrays_too)
{
    int32_t count[OUTPUTS];
    double thresholds[OUTPUTS][10];
    create_known_model("known");
    json_t *answer =
        ask_json("/models/known/predict", "{\"in_spikes\": [" SAMPLE "], \"ret_type\": "
                                          "[\"count\", \"thresholds\"]}");
    for (size_t j = 0; j < OUTPUTS; j++) {
        count[j] = (int32_t)json_integer_value(member_element(answer, "count", 0, j));
        for (size_t k = 0; k < 10; k++) {
            const json_t *theta = json_array_get(member_element(answer, "thresholds", 0, j), k);
            thresholds[j][k] = json_is_null(theta) ? (double)NAN : json_number_value(theta);
        }
    }
    json_decref(answer);
    expect_array("count", "'<i4'", count, sizeof count);
    expect_array("thresholds", "'<f8'", thresholds, sizeof thresholds);
    struct http_answer lists =
        http_send(&server, "POST", "/models/known/predict",
                  "{\"in_spikes\": [" SAMPLE "], \"ret_type\": \"spike_times\"}",
                  "Accept: application/x-npy", NULL);
    expect_problem(&lists, 406, "not_acceptable");
    http_answer_finish(&lists);
}
END_TEST

START_TEST(an_array_is_x)
{
    create_model_of_text(&server, "{\"id\": \"array\", \"encoder\": {\"type\": \"latency\", \"n\": "
                                  "2, \"x_min\": 0, \"x_max\": 255}, \"out_features\": 2, "
                                  "\"read_out\": \"spike_count\", \"weight\": [[3, 1], [1, 2]]}");
    struct bytes npy = npy_of_numbers("|u1", "(3, 2)", body_numbers, 6);
    expect_equal_bodies(
        post_text(&server, "/models/array/predict",
                  "{\"x\": " BODY_NUMBERS_JSON
                  ", \"ret_type\": [\"count\", \"thresholds\"], \"k_max\": 2}"),
        http_send_bytes(&server, "POST",
                        "/models/array/predict?ret_type=[\"count\",\"thresholds\"]&k_max=2", &npy,
                        NPY_TYPE, NULL));
    expect_equal_bodies(
        post_text(&server, "/models/array/evaluate",
                  "{\"x\": " BODY_NUMBERS_JSON ", \"count\": [[1, 2], [3, 4], [0, 0]]}"),
        http_send_bytes(&server, "POST", "/models/array/evaluate?count=[[1,2],[3,4],[0,0]]", &npy,
                        NPY_TYPE, NULL));
    bytes_finish(&npy);
}
END_TEST

START_TEST(weights_come_and_go_as_those_of_any_model)
{
    create_known_model("known");
    json_t *before = ask_json("/models/known/predict", "{\"in_spikes\": [" SAMPLE "]}");
    json_t *put = http_call(&server, 200, "PUT", "/models/known/weights",
                            json_loads("{\"weight\": [[0, 0, 0, 0], [0, 0, 0, 0], "
                                       "[3, 0, 0, 0]]}",
                                       0, NULL));
    ck_assert_int_eq(member_integer(put, "version"), 2);
    json_t *after = ask_json("/models/known/predict", "{\"in_spikes\": [" SAMPLE "]}");
    json_t *shown = http_get(&server, "/models/known/weights");
    expect_json(json_object_get(shown, "weight"), "[[0, 0, 0, 0], [0, 0, 0, 0], [3, 0, 0, 0]]");
    ck_assert_int_eq(json_integer_value(member_element(after, "count", 0, 0)), 0);
    ck_assert_int_gt(json_integer_value(member_element(after, "count", 0, 2)), 3);
    json_decref(before);
    json_decref(put);
    json_decref(after);
    json_decref(shown);
}
END_TEST

/* --- learning --- */

START_TEST(an_evaluation_is_the_mean_over_samples_and_outputs)
{
    create_known_model("known");
    json_t *answer = ask_json("/models/known/predict", "{\"in_spikes\": [" SAMPLE "]}");
    const json_int_t count = json_integer_value(member_element(answer, "count", 0, 0));
    json_decref(answer);
    json_t *evaluation = http_post(&server, "/models/known/evaluate",
                                   json_pack("{s:[o, [i, i, i, i]], s:[[I, i, i], [i, i, i]]}",
                                             "in_spikes", json_loads(SAMPLE, 0, NULL), -1, -1, -1,
                                             -1, "count", count + 2, 9, 0, 0, 0, 5));
    /* errors 2, 9 - some, 0, 0, 0, 5 */
    answer = ask_json("/models/known/predict", "{\"in_spikes\": [" SAMPLE "]}");
    const double second = (double)json_integer_value(member_element(answer, "count", 0, 1));
    json_decref(answer);
    ck_assert_int_eq(member_integer(evaluation, "count"), 2);
    ck_assert_double_eq_tol(json_number_value(json_object_get(evaluation, "loss")),
                            (2 + (9 - second) + 5) / 6, 1e-12);
    ck_assert_double_eq(json_number_value(json_object_get(evaluation, "accuracy")), 0.5);
    json_decref(evaluation);
}
END_TEST

/* --- datasets --- */

START_TEST(a_dataset_is_predicted_and_not_learned)
{
    struct bytes table = csv_of("a,b,species\n0,100,0\n127,7,1\n3,50,0\n");
    json_decref(put_file(&server, "/datasets/table?label=species", table));
    create_model_of_text(&server, "{\"id\": \"known\", \"encoder\": {\"type\": \"latency\", \"n\": "
                                  "2, \"x_min\": 0, \"x_max\": 127}, \"out_features\": 1, "
                                  "\"read_out\": \"spike_count\", \"weight\": [[2, 3]]}");
    json_t *named = ask_json("/models/known/predict", "{\"dataset\": \"table\"}");
    json_t *given = ask_json("/models/known/predict", "{\"x\": [[0, 100], [127, 7], [3, 50]]}");
    ck_assert(json_equal(named, given));
    json_decref(named);
    json_decref(given);
    static const char *const paths[] = {"/models/known/train", "/models/known/evaluate"};
    for (int i = 0; i < ROWS(paths); i++) {
        struct http_answer answer =
            http_send(&server, "POST", paths[i], "{\"dataset\": \"table\"}", NULL);
        expect_problem(&answer, 422, "conflicting_fields");
        ck_assert_str_eq(problem_names(&answer), "/dataset");
        http_answer_finish(&answer);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spike_counts");
    TCase *tests = fixture_case(suite, "counts", NULL);
    tcase_add_test(tests, a_model_shows_that_it_counts);
    tcase_add_test(tests, other_models_are_what_they_were);
    tcase_add_test(tests, counts_and_times_are_those_of_the_definition);
    tcase_add_test(tests, the_voltage_has_the_resets_of_the_spikes);
    tcase_add_test(tests, thresholds_are_where_spikes_are_lost);
    tcase_add_test(tests, only_what_is_asked_for_is_answered);
    tcase_add_test(tests, spikes_are_counted_up_to_a_limit);
    tcase_add_test(tests, counts_and_thresholds_are_arrays_too);
    tcase_add_test(tests, an_array_is_x);
    tcase_add_test(tests, weights_come_and_go_as_those_of_any_model);
    tcase_add_test(tests, an_evaluation_is_the_mean_over_samples_and_outputs);
    tcase_add_test(tests, a_dataset_is_predicted_and_not_learned);
    return suite_run(suite);
}
