/* Models that read out how often their outputs fire, over HTTP: what they predict against the
 * voltage by its definition, what they learn, and what is kept of it. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "tests/support/arrays.h"
#include "tests/support/bodies.h"
#include "tests/support/client.h"
#include "tests/support/datasets.h"
#include "tests/support/dense.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

static void start_server(void)
{
    fixture_start(FLAGS("--log", "errors"));
}

static json_t *post(const char *path, const char *body)
{
    return http_post(&server, path, json_loads(body, 0, NULL));
}

static const json_t *element(const json_t *object, const char *name, size_t sample, size_t output)
{
    return json_array_get(json_array_get(json_object_get(object, name), sample), output);
}

static void expect_json(const json_t *found, const char *expected)
{
    char *text = json_dumps(found, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    json_t *json = json_loads(expected, JSON_DECODE_ANY, NULL);
    char *wanted = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    ck_assert_str_eq(text, wanted);
    json_decref(json);
    free(text);
    free(wanted);
}

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
    json_t *answer = post("/models/known/predict", "{\"in_spikes\": [" SAMPLE "], \"ret_type\": "
                                                   "[\"count\", \"spike_times\"]}");
    for (size_t j = 0; j < OUTPUTS; j++) {
        const struct dense_spikes spikes = spikes_of(j, values);
        const size_t count = dense_fire(&kernel, &spikes, threshold, WINDOW, 1e-4, fired, MOST);
        const json_t *found = element(answer, "spike_times", 0, j);
        ck_assert_int_eq(json_integer_value(element(answer, "count", 0, j)), (json_int_t)count);
        ck_assert_uint_eq(json_array_size(found), count);
        for (size_t s = 0; s < count; s++)
            ck_assert_double_eq_tol(json_number_value(json_array_get(found, s)), fired[s], 2e-3);
    }
    ck_assert_int_gt(json_integer_value(element(answer, "count", 0, 0)), 2);
    ck_assert_int_eq(json_integer_value(element(answer, "count", 0, 2)), 0);
    json_decref(answer);
}
END_TEST

START_TEST(the_voltage_has_the_resets_of_the_spikes)
{
    double values[SPIKES], fired[8];
    create_known_model("known");
    json_t *answer = post("/models/known/predict", "{\"in_spikes\": [" SAMPLE "], \"ret_type\": "
                                                   "[\"spike_times\", \"v\"]}");
    for (size_t j = 0; j < OUTPUTS; j++) {
        const struct dense_spikes spikes = spikes_of(j, values);
        const json_t *list = element(answer, "spike_times", 0, j), *v = element(answer, "v", 0, j);
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
    json_t *answer = post("/models/known/predict", "{\"in_spikes\": [" SAMPLE "], \"ret_type\": "
                                                   "[\"count\", \"thresholds\"], \"k_max\": 8}");
    for (size_t j = 0; j < 2; j++) {
        const struct dense_spikes spikes = spikes_of(j, values);
        const json_t *thresholds = element(answer, "thresholds", 0, j);
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
        ck_assert_int_eq(reached, json_integer_value(element(answer, "count", 0, j)));
    }
    expect_json(element(answer, "thresholds", 0, 2), "[null, null, null, null, null, null, null, "
                                                     "null]");
    json_decref(answer);
}
END_TEST

START_TEST(only_what_is_asked_for_is_answered)
{
    create_known_model("known");
    json_t *answer = post("/models/known/predict", "{\"in_spikes\": [[-1, -1, -1, -1]]}");
    expect_json(answer, "{\"model\": \"known\", \"version\": 1, \"count\": [[0, 0, 0]]}");
    json_decref(answer);
    answer = post("/models/known/versions/1/predict",
                  "{\"in_spikes\": [[-1, -1, -1, -1]], \"ret_type\": \"spike_times\"}");
    expect_json(answer, "{\"model\": \"known\", \"version\": 1, \"spike_times\": [[[], [], []]]}");
    json_decref(answer);
    answer = post("/models/known/predict",
                  "{\"in_spikes\": [[-1, -1, -1, -1]], \"ret_type\": [\"thresholds\"]}");
    ck_assert_uint_eq(json_array_size(element(answer, "thresholds", 0, 0)), 10);
    json_decref(answer);
}
END_TEST

START_TEST(spikes_are_counted_up_to_a_limit)
{
    create_model_of_text(&server, "{\"id\": \"few\", \"in_features\": 1, \"out_features\": 1, "
                                  "\"T\": 50, \"read_out\": \"spike_count\", \"max_spikes\": 3, "
                                  "\"weight\": [[20]]}");
    json_t *answer = post("/models/few/predict", "{\"in_spikes\": [[0]], \"ret_type\": "
                                                 "[\"count\", \"spike_times\", \"thresholds\"]}");
    expect_json(json_object_get(answer, "count"), "[[3]]");
    ck_assert_uint_eq(json_array_size(element(answer, "spike_times", 0, 0)), 3);
    ck_assert_uint_eq(json_array_size(element(answer, "thresholds", 0, 0)), 3);
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
    json_t *answer = post("/models/known/predict", "{\"in_spikes\": [" SAMPLE "], \"ret_type\": "
                                                   "[\"count\", \"thresholds\"]}");
    for (size_t j = 0; j < OUTPUTS; j++) {
        count[j] = (int32_t)json_integer_value(element(answer, "count", 0, j));
        for (size_t k = 0; k < 10; k++) {
            const json_t *theta = json_array_get(element(answer, "thresholds", 0, j), k);
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
    json_t *before = post("/models/known/predict", "{\"in_spikes\": [" SAMPLE "]}");
    json_t *put = http_call(&server, 200, "PUT", "/models/known/weights",
                            json_loads("{\"weight\": [[0, 0, 0, 0], [0, 0, 0, 0], "
                                       "[3, 0, 0, 0]]}",
                                       0, NULL));
    ck_assert_int_eq(member_integer(put, "version"), 2);
    json_t *after = post("/models/known/predict", "{\"in_spikes\": [" SAMPLE "]}");
    json_t *shown = http_get(&server, "/models/known/weights");
    expect_json(json_object_get(shown, "weight"), "[[0, 0, 0, 0], [0, 0, 0, 0], [3, 0, 0, 0]]");
    ck_assert_int_eq(json_integer_value(element(after, "count", 0, 0)), 0);
    ck_assert_int_gt(json_integer_value(element(after, "count", 0, 2)), 3);
    json_decref(before);
    json_decref(put);
    json_decref(after);
    json_decref(shown);
}
END_TEST

/* --- learning --- */

#define CLUES                                                                                      \
    "\"in_spikes\": [[20, 22, -1, -1], [[20, 70], [22, 72], -1, -1], [-1, -1, 40, 42], "           \
    "[60, 62, [10, 30], [12, 32]]], \"count\": [[1, 0], [2, 0], [0, 1], [1, 2]]"

static void create_clue_model(const char *id)
{
    create_model(&server, json_pack("{s:s, s:i, s:i, s:i, s:s}", "id", id, "in_features", 4,
                                    "out_features", 2, "T", 100, "read_out", "spike_count"));
}

static json_t *clue_order(const char *more)
{
    char text[512];
    snprintf(text, sizeof text, "{" CLUES ", \"learning_rate\": 0.02%s}", more);
    return json_loads(text, 0, NULL);
}

static double metric(const json_t *run, const char *name)
{
    const json_t *value = json_object_get(json_object_get(run, "metrics"), name);
    ck_assert(json_is_number(value));
    return json_number_value(value);
}

START_TEST(a_small_task_is_learned_without_an_error)
{
    create_clue_model("clues");
    json_t *run =
        run_succeed(&server, "clues", clue_order(", \"optimizer\": \"adam\", \"epochs\": 300"));
    ck_assert_double_eq(metric(run, "loss"), 0);
    ck_assert_double_eq(metric(run, "accuracy"), 1);
    ck_assert_int_eq(member_integer(run, "version"), 2);
    expect_json(json_object_get(run, "params"),
                "{\"epochs\": 300, \"batch_size\": 64, \"learning_rate\": 0.02, "
                "\"learning_rate_schedule\": \"constant\", \"optimizer\": \"adam\", \"shuffle\": "
                "true, \"seed\": 0}");
    json_decref(run);
    json_t *evaluation = post("/models/clues/evaluate", "{" CLUES "}");
    expect_json(evaluation,
                "{\"model\": \"clues\", \"version\": 2, \"count\": 4, \"loss\": 0, \"accuracy\": "
                "1}");
    json_decref(evaluation);
    json_t *answer = post("/models/clues/predict", /* in the same order, never seen */
                          "{\"in_spikes\": [[[5, 35, 85], [7, 37, 87], 60, 62]]}");
    expect_json(json_object_get(answer, "count"), "[[3, 1]]");
    json_decref(answer);
}
END_TEST

START_TEST(an_evaluation_is_the_mean_over_samples_and_outputs)
{
    create_known_model("known");
    json_t *answer = post("/models/known/predict", "{\"in_spikes\": [" SAMPLE "]}");
    const json_int_t count = json_integer_value(element(answer, "count", 0, 0));
    json_decref(answer);
    json_t *evaluation = http_post(&server, "/models/known/evaluate",
                                   json_pack("{s:[o, [i, i, i, i]], s:[[I, i, i], [i, i, i]]}",
                                             "in_spikes", json_loads(SAMPLE, 0, NULL), -1, -1, -1,
                                             -1, "count", count + 2, 9, 0, 0, 0, 5));
    /* errors 2, 9 - some, 0, 0, 0, 5 */
    answer = post("/models/known/predict", "{\"in_spikes\": [" SAMPLE "]}");
    const double second = (double)json_integer_value(element(answer, "count", 0, 1));
    json_decref(answer);
    ck_assert_int_eq(member_integer(evaluation, "count"), 2);
    ck_assert_double_eq_tol(json_number_value(json_object_get(evaluation, "loss")),
                            (2 + (9 - second) + 5) / 6, 1e-12);
    ck_assert_double_eq(json_number_value(json_object_get(evaluation, "accuracy")), 0.5);
    json_decref(evaluation);
}
END_TEST

START_TEST(every_parameter_of_a_run_that_applies_is_taken)
{
    create_clue_model("clues");
    json_t *run = run_succeed(
        &server, "clues",
        clue_order(", \"optimizer\": \"sgd\", \"momentum\": 0.5, \"weight_decay\": 0.01, "
                   "\"epochs\": 3, \"batch_size\": 1, \"seed\": 5, \"shuffle\": false, "
                   "\"learning_rate_schedule\": \"cosine\", \"validation_fraction\": 0.25"));
    expect_json(json_object_get(run, "params"),
                "{\"epochs\": 3, \"batch_size\": 1, \"learning_rate\": 0.02, "
                "\"learning_rate_schedule\": \"cosine\", \"optimizer\": \"sgd\", \"momentum\": "
                "0.5, \"weight_decay\": 0.01, \"shuffle\": false, \"seed\": 5, "
                "\"validation_fraction\": 0.25}");
    const double share = metric(run, "validation_accuracy"); /* of one sample's two outputs */
    ck_assert(share == 0 || share == 0.5 || share == 1);
    json_decref(run);
}
END_TEST

START_TEST(samples_to_validate_by_have_counts_of_their_own)
{
    create_clue_model("clues");
    json_t *run =
        run_succeed(&server, "clues",
                    clue_order(", \"optimizer\": \"adam\", \"epochs\": 300, \"validation\": "
                               "{\"in_spikes\": [[30, 32, -1, -1], [-1, -1, 50, 52]], "
                               "\"count\": [[1, 0], [5, 1]]}"));
    ck_assert_double_eq(metric(run, "validation_loss"), 5.0 / 4);
    ck_assert_double_eq(metric(run, "validation_accuracy"), 0.75);
    json_decref(run);
}
END_TEST

START_TEST(patience_ends_a_run_early)
{
    create_clue_model("patient");
    json_t *run =
        run_succeed(&server, "patient",
                    clue_order(", \"epochs\": 100000, \"patience\": 3, \"validation\": "
                               "{\"in_spikes\": [[30, 32, -1, -1]], \"count\": [[5, 0]]}"));
    ck_assert_int_lt(json_integer_value(json_object_get(run, "epoch")), 100000);
    ck_assert_int_eq(member_integer(json_object_get(run, "params"), "patience"), 3);
    json_decref(run);
}
END_TEST

/* Three values in a row of a table, through an encoder whose ranges the run finds. */
START_TEST(counts_are_learned_of_values_too)
{
    create_model_of_text(&server, "{\"id\": \"values\", \"encoder\": {\"type\": "
                                  "\"gaussian_tuning\", \"m\": 8, \"n\": 1}, \"T\": 80, "
                                  "\"out_features\": 1, \"read_out\": \"spike_count\"}");
    json_t *run = run_succeed(&server, "values",
                              json_loads("{\"x\": [[0], [10], [20], [30]], \"count\": [[0], [1], "
                                         "[2], [3]], \"fit\": true, \"optimizer\": \"adam\", "
                                         "\"learning_rate\": 0.05, \"epochs\": 400}",
                                         0, NULL));
    ck_assert_double_eq(metric(run, "accuracy"), 1);
    json_decref(run);
    json_t *answer = post("/models/values/predict", "{\"x\": [[0], [10], [20], [30]]}");
    expect_json(json_object_get(answer, "count"), "[[0], [1], [2], [3]]");
    json_decref(answer);
}
END_TEST

START_TEST(a_run_that_diverges_publishes_nothing)
{
    create_clue_model("clues");
    json_t *run = run_finish(
        &server, "clues",
        json_loads("{" CLUES ", \"learning_rate\": 1000000, \"momentum\": 1, \"epochs\": 3000, "
                   "\"weight_decay\": 1000}",
                   0, NULL));
    ck_assert_str_eq(member_string(run, "state"), "failed");
    ck_assert_str_eq(member_string(json_object_get(run, "error"), "code"), "diverged");
    json_decref(run);
}
END_TEST

/* --- what is kept --- */

/* 150 samples of many spikes each. */
static json_t *long_order(int epochs)
{
    enum { SAMPLES = 150, INPUTS = 8, EACH = 4 };
    uint32_t state = 7;
    json_t *samples = json_array(), *counts = json_array();
    for (size_t b = 0; b < SAMPLES; b++) {
        json_t *sample = json_array();
        for (size_t i = 0; i < INPUTS; i++) {
            json_t *train = json_array();
            for (size_t k = 0; k < EACH; k++)
                json_array_append_new(train, json_integer(next_random(&state) % 100));
            json_array_append_new(sample, train);
        }
        json_array_append_new(samples, sample);
        json_array_append_new(counts, json_pack("[i, i]", (int)(next_random(&state) % 4),
                                                (int)(next_random(&state) % 6)));
    }
    return json_pack("{s:o, s:o, s:i, s:i, s:f, s:s, s:i}", "in_spikes", samples, "count", counts,
                     "epochs", epochs, "batch_size", 16, "learning_rate", 0.01, "optimizer", "adam",
                     "seed", 3);
}

static void create_long_model(const struct service *service, const char *id)
{
    create_model(service,
                 json_pack("{s:s, s:i, s:i, s:i, s:s, s:i}", "id", id, "in_features", 8,
                           "out_features", 2, "T", 100, "read_out", "spike_count", "seed", 2));
}

START_TEST(a_model_outlives_a_restart)
{
    static const char question[] = "{\"in_spikes\": [[20, 22, 40, 42]], \"ret_type\": "
                                   "[\"count\", \"spike_times\", \"thresholds\", \"v\"]}";
    create_clue_model("clues");
    json_decref(run_succeed(&server, "clues", clue_order(", \"epochs\": 50")));
    json_t *model = http_get(&server, "/models/clues");
    json_t *before = post("/models/clues/predict", question);
    service_restart(&server);
    json_t *again = http_get(&server, "/models/clues");
    json_t *after = post("/models/clues/predict", question);
    ck_assert(json_equal(model, again));
    ck_assert(json_equal(before, after));
    json_decref(model);
    json_decref(again);
    json_decref(before);
    json_decref(after);
}
END_TEST

/* Trains models calm-EPOCHS until one took long enough to be killed in its middle. */
static int epochs_of_a_while(char calm[64])
{
    enum { LEAST_MS = 1000 };
    for (int epochs = 30;; epochs *= 3) {
        snprintf(calm, 64, "calm-%d", epochs);
        create_long_model(&server, calm);
        json_t *run = run_succeed(&server, calm, long_order(epochs));
        const long taken = run_duration(run);
        json_decref(run);
        if (taken >= LEAST_MS)
            return epochs;
    }
}

START_TEST(a_run_killed_in_its_middle_ends_with_the_same_bits)
{
    char calm[64];
    const int epochs = epochs_of_a_while(calm);
    create_long_model(&server, "killed");
    const json_int_t id = run_queue(&server, "killed", long_order(epochs));
    run_await_begun(&server, id);
    service_kill(&server);
    service_restart(&server);
    json_t *run = run_await(&server, id, run_has_ended);
    ck_assert_str_eq(member_string(run, "state"), "succeeded");
    ck_assert_int_eq(member_integer(run, "epoch"), epochs);
    json_decref(run);
    expect_equal_weights(&server, calm, "killed");
}
END_TEST

/* Equal samples are stored once, but for what is to be learned of them. */
START_TEST(counts_and_labels_of_the_same_numbers_are_told_apart)
{
    static const char *const aims[] = {"\"label\": [0, 0]", "\"count\": [[0], [0]]",
                                       "\"count\": [[0], [1]]", "\"count\": [[0], [0]]"};
    char order[128], id[32];
    for (int i = 0; i < ROWS(aims); i++) {
        snprintf(id, sizeof id, "same-%d", i);
        create_model(&server, json_pack("{s:s, s:i, s:i, s:i, s:s}", "id", id, "in_features", 1,
                                        "out_features", 1, "T", 20, "read_out",
                                        i == 0 ? "v_max" : "spike_count"));
        snprintf(order, sizeof order, "{\"in_spikes\": [[1], [2]], \"epochs\": 1, %s}", aims[i]);
        json_decref(run_succeed(&server, id, json_loads(order, 0, NULL)));
    }
    ck_assert_int_eq(number_in_database(&server, "SELECT count(*) FROM samples"), 3);
    ck_assert_int_eq(
        number_in_database(&server, "SELECT count(*) FROM samples WHERE counts IS NULL"), 1);
}
END_TEST

/* Behind the server's back. */
static void damage_counts(void)
{
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open_v2(server.database, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(db, service_patience());
    ck_assert_int_eq(
        sqlite3_exec(db, "UPDATE samples SET counts = zeroblob(length(counts))", NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
}

START_TEST(counts_that_were_damaged_are_not_trained_on)
{
    create_clue_model("clues");
    const json_int_t first = run_queue(&server, "clues", clue_order(", \"epochs\": 100000"));
    run_await_begun(&server, first);
    const json_int_t run = run_queue(&server, "clues", clue_order(", \"epochs\": 1"));
    damage_counts();
    json_decref(run_cancel(&server, first, 202));
    json_t *ended = run_await(&server, run, run_has_ended);
    ck_assert_str_eq(member_string(ended, "state"), "failed");
    ck_assert_str_eq(member_string(json_object_get(ended, "error"), "code"), "damaged_data");
    json_decref(ended);
}
END_TEST

/* --- threads --- */

/* The text of what many samples, shared out to a team, are answered after a training. */
static char *answer_of_threads(const char *threads)
{
    struct service service;
    service_start(&service, FLAGS("--log", "errors", "--threads", threads));
    create_long_model(&service, "shared");
    json_decref(run_succeed(&service, "shared", long_order(5)));
    json_t *order = long_order(1);
    json_t *answer = http_post(&service, "/models/shared/predict",
                               json_pack("{s:O, s:[s, s, s, s], s:i}", "in_spikes",
                                         json_object_get(order, "in_spikes"), "ret_type", "count",
                                         "spike_times", "thresholds", "v", "k_max", 3));
    char *text = json_dumps(answer, JSON_COMPACT);
    json_decref(order);
    json_decref(answer);
    service_finish(&service);
    return text;
}

START_TEST(any_number_of_threads_gives_the_same_bits)
{
    char *one = answer_of_threads("1"), *two = answer_of_threads("2"), *five = NULL;
    ck_assert_str_eq(one, two);
    five = answer_of_threads("5");
    ck_assert_str_eq(one, five);
    free(one);
    free(two);
    free(five);
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
    json_t *named = post("/models/known/predict", "{\"dataset\": \"table\"}");
    json_t *given = post("/models/known/predict", "{\"x\": [[0, 100], [127, 7], [3, 50]]}");
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

/* --- what is wrong --- */

/* The pointers of all fields that a problem names, one after the other. */
static void list_pointers(const struct http_answer *answer, char *list, size_t size)
{
    size_t index;
    json_t *error;
    list[0] = '\0';
    json_array_foreach(json_object_get(answer->json, "errors"), index, error) {
        const size_t length = strlen(list);
        snprintf(list + length, size - length, "%s%s", index > 0 ? " " : "",
                 member_string(error, "pointer"));
    }
}

static const struct {
    const char *path;
    const char *body;
    const char *code;
    const char *pointers;
} wrongs[] = {
#define SHAPE    "\"in_features\": 4, \"out_features\": 2, \"T\": 50"
#define COUNTING SHAPE ", \"read_out\": \"spike_count\""
    {"/models", "{" SHAPE ", \"read_out\": \"counts\"}", "unknown_value", "/read_out"},
    {"/models", "{" SHAPE ", \"max_spikes\": 9}", "conflicting_fields", "/max_spikes"},
    {"/models", "{" COUNTING ", \"max_spikes\": 1}", "out_of_range", "/max_spikes"},
    {"/models", "{" COUNTING ", \"max_spikes\": 1001}", "out_of_range", "/max_spikes"},
    {"/models",
     "{\"in_features\": 1, \"out_features\": 60000, \"T\": 50, \"read_out\": \"spike_count\"}",
     "too_large", "/max_spikes"},
    {"/models", "{" COUNTING ", \"clock\": \"grid\", \"hidden\": [3], \"neurons_per_class\": 2}",
     "conflicting_fields", "/neurons_per_class /clock /hidden"},
    {"/models", "{" COUNTING ", \"score_beta\": 2}", "conflicting_fields", "/score_beta"},

#define SPIKES_JSON "\"in_spikes\": [[1, 2, 3, 4]]"
    {"/models/counts/predict", "{" SPIKES_JSON ", \"ret_type\": \"label\"}", "unknown_value",
     "/ret_type"},
    {"/models/counts/predict", "{" SPIKES_JSON ", \"ret_type\": [\"count\", \"v_max\"]}",
     "unknown_value", "/ret_type/1"},
    {"/models/counts/predict", "{" SPIKES_JSON ", \"ret_type\": [\"score\"]}", "unknown_value",
     "/ret_type/0"},
    {"/models/counts/predict", "{" SPIKES_JSON ", \"ret_type\": \"spikes\"}", "unknown_value",
     "/ret_type"},
    {"/models/counts/predict", "{" SPIKES_JSON ", \"ret_type\": []}", "wrong_shape", "/ret_type"},
    {"/models/counts/predict", "{" SPIKES_JSON ", \"k_max\": 3}", "conflicting_fields", "/k_max"},
    {"/models/counts/predict", "{" SPIKES_JSON ", \"ret_type\": \"thresholds\", \"k_max\": 101}",
     "out_of_range", "/k_max"},
    {"/models/counts/predict", "{" SPIKES_JSON ", \"explain\": false}", "conflicting_fields",
     "/explain"},
    {"/models/counts/predict", "{" SPIKES_JSON ", \"count\": [[1, 2]]}", "unknown_field", "/count"},
    {"/models/peaks/predict", "{" SPIKES_JSON ", \"ret_type\": \"count\", \"k_max\": 2}",
     "unknown_value", "/ret_type /k_max"},

    {"/models/counts/evaluate", "{" SPIKES_JSON "}", "missing_field", "/count"},
    {"/models/counts/evaluate", "{" SPIKES_JSON ", \"label\": [1]}", "conflicting_fields",
     "/label /count"},
    {"/models/counts/evaluate", "{" SPIKES_JSON ", \"count\": [1, 2]}", "wrong_type", "/count/0"},
    {"/models/counts/evaluate", "{" SPIKES_JSON ", \"count\": [[1, 2, 3]]}", "wrong_shape",
     "/count"},
    {"/models/counts/evaluate", "{" SPIKES_JSON ", \"count\": [[1, 2], [3, 4]]}", "wrong_shape",
     "/count"},
    {"/models/counts/evaluate", "{" SPIKES_JSON ", \"count\": [[1, 2], [3]]}", "ragged_array",
     "/count/1"},
    {"/models/counts/evaluate", "{" SPIKES_JSON ", \"count\": [[1.5, -1]]}", "wrong_type",
     "/count/0/0 /count/0/1"},
    {"/models/counts/evaluate", "{" SPIKES_JSON ", \"count\": [[99, 100]]}", "out_of_range",
     "/count/0/1"},
    {"/models/counts/evaluate", "{" SPIKES_JSON ", \"count\": [[1, \"two\"]]}", "wrong_type",
     "/count/0/1"},
    {"/models/counts/evaluate", "{" SPIKES_JSON ", \"count\": []}", "empty_batch", "/count"},
    {"/models/counts/evaluate",
     "{" SPIKES_JSON ", \"count\": [[1, 2]], \"loss\": \"mse\", \"beta\": 5, \"margin_target\": 1,"
     " \"margin_other\": 0}",
     "conflicting_fields", "/loss /beta /margin_target /margin_other"},
    {"/models/counts/evaluate", "{\"dataset\": \"none\", " SPIKES_JSON ", \"count\": [[1, 2]]}",
     "conflicting_fields", "/in_spikes /dataset"},
    {"/models/peaks/evaluate", "{" SPIKES_JSON ", \"count\": [[1, 2]]}", "conflicting_fields",
     "/count /label"},

    {"/models/counts/train",
     "{" SPIKES_JSON ", \"count\": [[1, 2]], \"loss\": \"mse\", \"beta\": 5, \"margin_target\": 1, "
     "\"margin_other\": 0, \"input_dropout\": 0.1, \"dropout\": 0.1, \"silence_cost\": 0, "
     "\"max_grad_norm\": 1, \"augment\": {\"shift\": 1, \"height\": 2, \"width\": 2}}",
     "conflicting_fields",
     "/loss /beta /margin_target /margin_other /input_dropout /dropout /silence_cost "
     "/max_grad_norm /augment"},
    {"/models/counts/train", "{" SPIKES_JSON ", \"count\": [[1, 2]], \"patience\": 3}",
     "conflicting_fields", "/patience"},
    {"/models/counts/train", "{" SPIKES_JSON ", \"count\": [[1, 100]], \"epochs\": 0}",
     "out_of_range", "/count/0/1 /epochs"},
    {"/models/counts/train",
     "{" SPIKES_JSON ", \"count\": [[1, 2]], \"validation\": {" SPIKES_JSON ", \"label\": [0]}}",
     "conflicting_fields", "/validation/label /validation/count"},
    {"/models/counts/train",
     "{" SPIKES_JSON ", \"count\": [[1, 2]], \"validation\": {\"dataset\": \"none\"}}",
     "conflicting_fields", "/validation/dataset"},
    {"/models/counts/train", "{" SPIKES_JSON ", \"count\": [[1, 2]], \"fit\": true}",
     "conflicting_fields", "/fit"},
    {"/models/peaks/train", "{" SPIKES_JSON ", \"label\": [0], \"count\": [[1, 2]]}",
     "conflicting_fields", "/count"},
};

START_TEST(every_wrong_field_is_named)
{
    char list[512];
    create_model_of_text(&server, "{\"id\": \"counts\", " COUNTING "}");
    create_model_of_text(&server, "{\"id\": \"peaks\", " SHAPE "}");
    for (int i = 0; i < ROWS(wrongs); i++) {
        struct http_answer answer =
            http_send(&server, "POST", wrongs[i].path, wrongs[i].body, NULL);
        expect_problem(&answer, 422, wrongs[i].code);
        list_pointers(&answer, list, sizeof list);
        ck_assert_msg(strcmp(list, wrongs[i].pointers) == 0, "%s: %s are named", wrongs[i].body,
                      list);
        http_answer_finish(&answer);
    }
}
END_TEST

/* --- what is too much --- */

START_TEST(what_would_take_too_long_is_refused)
{
    create_model_of_text(&server, "{\"id\": \"wide\", \"in_features\": 1, \"out_features\": 4000, "
                                  "\"T\": 4000, \"read_out\": \"spike_count\", \"max_spikes\": "
                                  "1000}");
    static const struct {
        const char *more;
        size_t samples;
        const char *pointer;
    } heavy[] = {
        {", \"ret_type\": \"thresholds\", \"k_max\": 1000", 1, "/k_max"},
        {", \"ret_type\": \"v\"", 1, "/ret_type"},
        {", \"ret_type\": \"spike_times\"", 2, "/ret_type"},
        {"", 6, "/in_spikes"},
    };
    for (int i = 0; i < ROWS(heavy); i++) {
        char body[256] = "{\"in_spikes\": [[0]";
        for (size_t b = 1; b < heavy[i].samples; b++)
            strcat(body, ", [0]");
        strcat(body, "]");
        strcat(body, heavy[i].more);
        strcat(body, "}");
        struct http_answer answer = http_send(&server, "POST", "/models/wide/predict", body, NULL);
        expect_problem(&answer, 422, "too_large");
        ck_assert_str_eq(problem_names(&answer), heavy[i].pointer);
        http_answer_finish(&answer);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("service_counts");
    TCase *tests = fixture_case(suite, "counts", start_server);
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
    tcase_add_test(tests, a_small_task_is_learned_without_an_error);
    tcase_add_test(tests, an_evaluation_is_the_mean_over_samples_and_outputs);
    tcase_add_test(tests, every_parameter_of_a_run_that_applies_is_taken);
    tcase_add_test(tests, samples_to_validate_by_have_counts_of_their_own);
    tcase_add_test(tests, patience_ends_a_run_early);
    tcase_add_test(tests, counts_are_learned_of_values_too);
    tcase_add_test(tests, a_run_that_diverges_publishes_nothing);
    tcase_add_test(tests, a_model_outlives_a_restart);
    tcase_add_test(tests, a_run_killed_in_its_middle_ends_with_the_same_bits);
    tcase_add_test(tests, counts_and_labels_of_the_same_numbers_are_told_apart);
    tcase_add_test(tests, counts_that_were_damaged_are_not_trained_on);
    tcase_add_test(tests, any_number_of_threads_gives_the_same_bits);
    tcase_add_test(tests, a_dataset_is_predicted_and_not_learned);
    tcase_add_test(tests, every_wrong_field_is_named);
    tcase_add_test(tests, what_would_take_too_long_is_refused);
    return suite_run(suite);
}
