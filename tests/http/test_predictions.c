/* What a prediction and an evaluation tell, over HTTP: times, margins, explanations, and each
 * class. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "tests/support/ask.h"
#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

START_TEST(the_continuous_clock_answers_times_between_steps)
{
    create_model(&server, json_pack("{s:s, s:i, s:i, s:i, s:i, s:f, s:s, s:[[i, f]]}", "id", "kink",
                                    "in_features", 2, "out_features", 1, "T", 200, "tau", 10,
                                    "tau_s", 2.5, "clock", "continuous", "weight", 1, -0.4));
    json_t *answer =
        http_post(&server, "/models/kink/predict",
                  json_loads("{\"in_spikes\": [[100, 102], [100.5, -1]], \"ret_type\": [\"v_max\", "
                             "\"spikes\", \"v\"]}",
                             0, NULL));
    const json_t *v_max = json_object_get(answer, "v_max");
    const json_t *spikes = json_object_get(answer, "spikes");
    ck_assert_double_eq_tol(matrix_number(v_max, 0, 0), 0.782, 1e-3);
    ck_assert_double_eq(matrix_number(spikes, 0, 0), -1);
    ck_assert_double_eq_tol(matrix_number(v_max, 1, 0), 1, 1e-6);
    const double t_peak = 10 * 2.5 / 7.5 * log(4);
    ck_assert_double_eq_tol(matrix_number(spikes, 1, 0), 100.5 + t_peak, 1e-4);
    ck_assert_uint_eq(
        json_array_size(json_array_get(json_array_get(json_object_get(answer, "v"), 0), 0)), 200);
    json_decref(answer);
}
END_TEST

START_TEST(a_single_neurons_margin_is_above_its_threshold)
{
    create_model(&server, json_pack("{s:s, s:i, s:i, s:i, s:[[i, i]]}", "id", "lone", "in_features",
                                    2, "out_features", 1, "T", 40, "weight", 2, -1));
    json_t *answer = http_post(&server, "/models/lone/predict",
                               json_loads("{\"in_spikes\": [[0, 0]], \"explain\": true}", 0, NULL));
    const json_t *first = json_array_get(json_object_get(answer, "explain"), 0);
    const json_t *contributions = json_object_get(first, "contributions");
    const double v_max = matrix_number(json_object_get(answer, "v_max"), 0, 0);
    ck_assert_double_eq_tol(json_number_value(json_object_get(first, "margin")), v_max - 1, 1e-6);
    for (size_t i = 0; i < 2; i++) /* the larger first, of either sign */
        ck_assert_double_eq_tol(
            json_number_value(json_object_get(json_array_get(contributions, i), "potential")),
            i == 0 ? 2 * v_max : -v_max, 1e-6);
    json_decref(answer);
}
END_TEST

START_TEST(the_margins_follow_even_the_highest_threshold)
{
    create_model(&server, json_pack("{s:s, s:i, s:i, s:i, s:i}", "id", "high", "in_features", 2,
                                    "out_features", 2, "T", 20, "v_threshold", 1000000));
    json_decref(run_succeed(&server, "high",
                            json_loads("{\"in_spikes\": [[1, 2]], \"label\": [0], \"epochs\": 2, "
                                       "\"loss\": \"margin\"}",
                                       0, NULL)));
}
END_TEST

START_TEST(an_explanation_adds_up_to_the_peak)
{
    create_model(
        &server,
        json_loads("{\"id\": \"why\", \"out_features\": 2, \"labels\": [\"low\", \"high\"], "
                   "\"T\": 60, \"encoder\": {\"type\": \"gaussian_tuning\", \"m\": 4, \"x_min\":"
                   " [0, 0], \"x_max\": [1, 1]}}",
                   0, NULL));
    json_t *answer =
        http_post(&server, "/models/why/predict",
                  json_loads("{\"x\": [[0.2, 0.7], [1e9, 1e9]], \"explain\": true}", 0, NULL));
    const json_t *explain = json_object_get(answer, "explain");
    const json_t *first = json_array_get(explain, 0), *v_max = json_object_get(answer, "v_max");
    ck_assert(json_is_null(json_array_get(explain, 1)));
    const size_t output = (size_t)json_integer_value(json_object_get(first, "output"));
    double sum = 0, before = INFINITY;
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(first, "contributions"), index, item) {
        const double potential = json_number_value(json_object_get(item, "potential"));
        const json_int_t afferent = json_integer_value(json_object_get(item, "afferent"));
        ck_assert_double_le(fabs(potential), before);
        ck_assert_int_eq(json_integer_value(json_object_get(item, "feature")), afferent / 4);
        ck_assert_int_eq(json_integer_value(json_object_get(item, "neuron")), afferent % 4);
        before = fabs(potential);
        sum += potential;
    }
    ck_assert_uint_gt(index, 1);
    ck_assert_double_eq_tol(sum, matrix_number(v_max, 0, output), 1e-5);
    ck_assert_double_eq_tol(json_number_value(json_object_get(first, "margin")),
                            matrix_number(v_max, 0, output) - matrix_number(v_max, 0, 1 - output),
                            1e-6);
    json_decref(answer);
}
END_TEST

START_TEST(evaluation_tells_of_each_class)
{
    create_model(&server,
                 json_pack("{s:s, s:i, s:i, s:i, s:[[i, i], [i, i]]}", "id", "classes",
                           "in_features", 2, "out_features", 2, "T", 20, "weight", 1, 0, 0, 1));
    json_t *answer = http_post(&server, "/models/classes/evaluate",
                               json_loads("{\"in_spikes\": [[0, -1], [-1, 0], [0, -1], [-1, -1]], "
                                          "\"label\": [0, 1, 1, 1]}",
                                          0, NULL));
    json_t *expected =
        json_loads("[{\"label\": 0, \"support\": 1, \"precision\": 0.5, \"recall\": 1, \"f1\": "
                   "0.6666666666666666}, {\"label\": 1, \"support\": 3, \"precision\": 1, "
                   "\"recall\": 0.3333333333333333, \"f1\": 0.5}]",
                   0, NULL);
    char *text =
        json_dumps(json_object_get(answer, "classes"), JSON_COMPACT | JSON_REAL_PRECISION(6));
    char *wanted = json_dumps(expected, JSON_COMPACT | JSON_REAL_PRECISION(6));
    ck_assert_str_eq(text, wanted);
    free(text);
    free(wanted);
    json_decref(expected);
    json_decref(answer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("predictions");
    TCase *tests = fixture_case(suite, "spikes", NULL);
    tcase_add_test(tests, the_continuous_clock_answers_times_between_steps);
    tcase_add_test(tests, a_single_neurons_margin_is_above_its_threshold);
    tcase_add_test(tests, the_margins_follow_even_the_highest_threshold);
    tcase_add_test(tests, an_explanation_adds_up_to_the_peak);
    tcase_add_test(tests, evaluation_tells_of_each_class);
    return suite_run(suite);
}
