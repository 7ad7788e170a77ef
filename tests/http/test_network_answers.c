/* What networks answer over HTTP: scores, explanations, and the spikes of hidden layers. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/ask.h"
#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/networks.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

/* --- answers --- */

static void expect_decision(const json_t *answer, size_t sample, size_t group, double beta)
{
    const json_t *v_max = json_object_get(answer, "v_max"),
                 *score = json_object_get(answer, "score");
    const json_t *why = json_array_get(json_object_get(answer, "explain"), sample);
    const json_t *label = json_array_get(json_object_get(answer, "label"), sample);
    const size_t output = (size_t)member_number(why, "output");
    size_t best = 0, greatest = 0;
    double next = -INFINITY;
    for (size_t k = 0; k < PICTURE_CLASSES; k++) {
        double sum = 0, expected = matrix_number(v_max, sample, k);
        for (size_t g = 0; g < group; g++)
            sum += exp(beta * matrix_number(v_max, sample, k * group + g));
        if (group > 1)
            expected = log(sum) / beta;
        ck_assert_double_eq_tol(matrix_number(score, sample, k), expected, 1e-5);
        if (matrix_number(score, sample, k) > matrix_number(score, sample, best))
            best = k;
    }
    ck_assert_int_eq(json_integer_value(label), (json_int_t)best);
    for (size_t k = 0; k < PICTURE_CLASSES; k++)
        next = k == best ? next : fmax(next, matrix_number(score, sample, k));
    ck_assert_double_eq_tol(member_number(why, "margin"), matrix_number(score, sample, best) - next,
                            1e-5);
    for (size_t g = 0; g < group; g++)
        if (matrix_number(v_max, sample, best * group + g) >
            matrix_number(v_max, sample, best * group + greatest))
            greatest = g;
    ck_assert_uint_eq(output, best * group + greatest);
}

/* The score of a class is the logarithm of a sum of exponentials of its neurons' v_max. */
START_TEST(scores_pool_the_peaks)
{
    static const double betas[] = {1, 1, 1, 1, 3, 5, 5};
    const size_t group = (size_t)network_groups[_i], neurons = PICTURE_CLASSES * group;
    put_pictures(&server, "pictures", "|u1");
    create_network(&server, "m", _i, "");
    json_decref(run_succeed(&server, "m", network_order(_i, "pictures", 3)));
    json_t *answer = network_answers(&server, "m");
    expect_shape(json_object_get(answer, "v_max"), PICTURES, neurons);
    expect_shape(json_object_get(answer, "spikes"), PICTURES, neurons);
    expect_shape(json_object_get(answer, "v"), PICTURES, neurons);
    expect_shape(json_object_get(answer, "score"), PICTURES, PICTURE_CLASSES);
    for (size_t b = 0; b < PICTURES; b++)
        expect_decision(answer, b, group, betas[_i]);
    json_decref(answer);
}
END_TEST

START_TEST(scores_are_an_array)
{
    put_pictures(&server, "pictures", "|u1");
    create_network(&server, "m", _i, "");
    json_t *scores =
        ask_json("/models/m/predict", "{\"dataset\": \"pictures\", \"ret_type\": \"score\"}");
    ck_assert_ptr_null(json_object_get(scores, "v_max"));
    struct http_answer answer = http_send(&server, "POST", "/models/m/predict",
                                          "{\"dataset\": \"pictures\", \"ret_type\": [\"score\"]}",
                                          "Accept: application/x-npy", NULL);
    expect_npy_rows(&answer, json_object_get(scores, "score"), "(60, 3)");
    http_answer_finish(&answer);
    json_decref(scores);
}
END_TEST

/* Adds a sample's contributions; they give its v_max. */
static double add_contributions(const json_t *answer, size_t sample)
{
    size_t i;
    json_t *part;
    double sum = 0, size = 0, before = INFINITY;
    const json_t *why = json_array_get(json_object_get(answer, "explain"), sample);
    if (json_is_null(why))
        return 0;
    json_array_foreach(json_object_get(why, "contributions"), i, part) {
        const double potential = member_number(part, "potential");
        ck_assert_double_le(fabs(potential), before);
        before = fabs(potential);
        sum += potential;
        size += before;
    }
    const double v_max = matrix_number(json_object_get(answer, "v_max"), sample,
                                       (size_t)member_number(why, "output"));
    ck_assert_double_eq_tol(sum, v_max, 2e-6 * (size + 1));
    return v_max;
}

/* Ten contributions hold all that there are of ten afferents. */
START_TEST(contributions_add_up_to_the_peak)
{
    enum { MODELS = 12, SAMPLES = 3 };
    static const char spikes[] =
        "{\"in_spikes\": [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [9, 0.5, 3.25, -1, 2, 2, 11.75, 4, 0, 1],"
        " [-1, -1, 5, -1, 0, -1, 3, -1, 19, 2]], \"explain\": true}";
    char model[NETWORK_TEXT], path[32];
    int above = 0;
    for (int seed = 0; seed < MODELS; seed++) {
        snprintf(
            model, sizeof model,
            "{\"id\": \"m%d\", \"in_features\": 10, \"out_features\": 2, \"T\": 24, \"tau\": 8,"
            " \"seed\": %d, %s}",
            seed, seed, network_kinds[_i]);
        create_model_of_text(&server, model);
        snprintf(path, sizeof path, "/models/m%d/predict", seed);
        json_t *answer = ask_json(path, spikes);
        for (size_t b = 0; b < SAMPLES; b++)
            above += add_contributions(answer, b) > 0.1;
        json_decref(answer);
    }
    ck_assert_int_gt(above, MODELS);
}
END_TEST

/* Where a layer passes nothing on, nothing is decided. */
START_TEST(silence_between_layers_decides_nothing)
{
    create_model_of_text(&server, "{\"id\": \"m\", " FOUR_TO_TWO ", \"hidden\": [1], \"hidden_0\":"
                                  " [[-1, 0, 0, 2]], \"weight\": [[1], [2]]}");
    json_t *answer = ask_json("/models/m/predict", "{\"in_spikes\": [[1, -1, -1, -1], [-1, -1, -1,"
                                                   " 1]], \"explain\": true}");
    const json_t *label = json_object_get(answer, "label");
    ck_assert(json_is_null(json_array_get(label, 0)));
    ck_assert_int_eq(json_integer_value(json_array_get(label, 1)), 1);
    ck_assert(json_is_null(json_array_get(json_object_get(answer, "explain"), 0)));
    ck_assert_double_eq(matrix_number(json_object_get(answer, "v_max"), 0, 1), 0);
    json_decref(answer);
    answer = ask_json("/models/m/evaluate", "{\"in_spikes\": [[1, -1, -1, -1], [-1, -1, -1, 1]],"
                                            " \"label\": [0, 1]}");
    ck_assert_int_eq(member_integer(answer, "undecided"), 1);
    ck_assert_double_eq(member_number(answer, "accuracy"), 0.5);
    json_decref(answer);
}
END_TEST

/* --- weights and versions --- */

/* The last layer by itself, fed with what the one before it fires. */
START_TEST(hidden_spikes_are_what_the_next_layer_gets)
{
    char model[NETWORK_TEXT], name[32];
    if (network_depths[_i] == 1)
        return;
    put_pictures(&server, "pictures", "|u1");
    create_network(&server, "m", _i, "");
    json_decref(run_succeed(&server, "m", network_order(_i, "pictures", 2)));
    json_t *answer =
        ask_json("/models/m/predict",
                 "{\"dataset\": \"pictures\", \"ret_type\": [\"hidden_spikes\", \"v_max\"]}");
    json_t *hidden = json_object_get(answer, "hidden_spikes");
    ck_assert_uint_eq(json_object_size(hidden), (size_t)network_depths[_i] - 1);
    snprintf(name, sizeof name, "hidden_%d", network_depths[_i] - 2);
    json_t *weights = http_get(&server, "/models/m/weights"),
           *spikes = json_object_get(hidden, name);
    json_t *weight = json_object_get(weights, "weight");
    const size_t in = json_array_size(json_array_get(weight, 0));
    expect_shape(spikes, PICTURES, in);
    snprintf(
        model, sizeof model,
        "{\"id\": \"last\", \"in_features\": %zu, \"out_features\": %zu, \"T\": 32, \"tau\": 30, "
        "\"clock\": \"%s\"}",
        in, json_array_size(weight),
        strstr(network_kinds[_i], "continuous") != NULL ? "continuous" : "grid");
    create_model_of_text(&server, model);
    json_decref(http_call(&server, 200, "PUT", "/models/last/weights",
                          json_pack("{s:O}", "weight", weight)));
    json_t *again = http_post(&server, "/models/last/predict",
                              json_pack("{s:O, s:s}", "in_spikes", spikes, "ret_type", "v_max"));
    ck_assert(json_equal(json_object_get(again, "v_max"), json_object_get(answer, "v_max")));
    json_decref(again);
    json_decref(weights);
    json_decref(answer);
}
END_TEST

START_TEST(hidden_spikes_of_one_layer_are_an_array)
{
    create_model_of_text(&server, "{\"id\": \"one\", " FOUR_TO_TWO
                                  ", \"hidden\": [3], \"hidden_0\": [[2, 2, 2, 2], [1, 1, 1, 1], "
                                  "[0, 0, 0, 0]], \"weight\": [[1, 1, 1], [1, 1, 1]]}");
    create_model_of_text(&server, "{\"id\": \"two\", " FOUR_TO_TWO ", \"hidden\": [3, 2]}");
    create_model_of_text(&server, "{\"id\": \"none\", " FOUR_TO_TWO "}");
    static const char question[] =
        "{\"in_spikes\": [[1, 2, 3, 4], [-1, -1, -1, -1]], \"ret_type\": \"hidden_spikes\"}";
    json_t *answer = ask_json("/models/one/predict", question);
    const json_t *spikes = json_object_get(json_object_get(answer, "hidden_spikes"), "hidden_0");
    ck_assert_double_ge(matrix_number(spikes, 0, 0), 0);
    ck_assert_double_eq(matrix_number(spikes, 1, 0), -1);
    struct http_answer array = http_send(&server, "POST", "/models/one/predict", question,
                                         "Accept: application/x-npy", NULL);
    expect_npy_rows(&array, spikes, "(2, 3)");
    http_answer_finish(&array);
    array = http_send(&server, "POST", "/models/two/predict", question, "Accept: application/x-npy",
                      NULL);
    expect_problem(&array, 406, "not_acceptable");
    http_answer_finish(&array);
    expect_refused("POST", "/models/none/predict", question, 422, "conflicting_fields",
                   "/ret_type");
    json_decref(answer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("network_answers");
    TCase *tests = fixture_case(suite, "networks", NULL);
    tcase_add_loop_test(tests, scores_pool_the_peaks, 0, NETWORK_KINDS);
    tcase_add_loop_test(tests, scores_are_an_array, 0, NETWORK_KINDS);
    tcase_add_loop_test(tests, contributions_add_up_to_the_peak, 0, NETWORK_KINDS);
    tcase_add_test(tests, silence_between_layers_decides_nothing);
    tcase_add_loop_test(tests, hidden_spikes_are_what_the_next_layer_gets, 0, NETWORK_KINDS);
    tcase_add_test(tests, hidden_spikes_of_one_layer_are_an_array);
    return suite_run(suite);
}
