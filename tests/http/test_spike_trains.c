/* Spike trains, several spikes of an afferent, over HTTP. */
#include <check.h>
#include <stdio.h>

#include "tests/support/ask.h"
#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

/* Two spikes of one afferent are as good as one each of two afferents of the same weight. */
START_TEST(spike_trains_are_several_spikes_of_an_afferent)
{
    for (int continuous = 0; continuous < 2; continuous++) {
        const char *clock = continuous ? "continuous" : "grid";
        char path[2][64];
        for (int two = 0; two < 2; two++) {
            char id[32];
            snprintf(id, sizeof id, "%s-%d", clock, two);
            snprintf(path[two], sizeof path[two], "/models/%s/predict", id);
            create_model(&server,
                         json_pack("{s:s, s:i, s:i, s:i, s:s, s:[o]}", "id", id, "in_features",
                                   1 + two, "out_features", 1, "T", 40, "clock", clock, "weight",
                                   two ? json_pack("[f, f]", 0.5, 0.5) : json_pack("[f]", 0.5)));
        }
        json_t *one =
            http_post(&server, path[0], json_loads("{\"in_spikes\": [[[9, 2.5]]]}", 0, NULL));
        json_t *other =
            http_post(&server, path[1], json_loads("{\"in_spikes\": [[9, 2.5]]}", 0, NULL));
        ck_assert_double_gt(matrix_number(json_object_get(one, "v_max"), 0, 0), 0.5);
        ck_assert_double_eq_tol(matrix_number(json_object_get(one, "v_max"), 0, 0),
                                matrix_number(json_object_get(other, "v_max"), 0, 0), 1e-6);
        json_decref(one);
        json_decref(other);
    }
}
END_TEST

START_TEST(spike_trains_are_trained_on)
{
    create_plain_model(&server, "trains");
    json_t *run =
        run_succeed(&server, "trains",
                    json_loads("{\"in_spikes\": [[[1, 2], []], [[], [4, 5, 6]], [7, -1], [[],"
                               " 8]], \"label\": [0, 1, 0, 1], \"epochs\": 300, \"optimizer\": "
                               "\"adam\", \"learning_rate\": 0.05, \"loss\": \"margin\", "
                               "\"margin_target\": 1.2, \"learning_rate_schedule\": \"cosine\","
                               " \"weight_decay\": 0.001, \"validation_fraction\": 0.25}",
                               0, NULL));
    const json_t *params = json_object_get(run, "params");
    ck_assert_double_eq_tol(json_number_value(json_object_get(params, "margin_target")), 1.2, 1e-6);
    ck_assert_double_eq(json_number_value(json_object_get(params, "margin_other")), 0.5);
    ck_assert_double_eq(json_number_value(json_object_get(params, "weight_decay")), 0.001);
    ck_assert_str_eq(json_string_value(json_object_get(params, "learning_rate_schedule")),
                     "cosine");
    ck_assert_double_eq(
        json_number_value(json_object_get(json_object_get(run, "metrics"), "accuracy")), 1);
    json_decref(run);
}
END_TEST

START_TEST(trains_without_any_spike_are_trained_on)
{
    create_plain_model(&server, "silence");
    json_decref(run_succeed(&server, "silence",
                            json_loads("{\"in_spikes\": [[[], []], [[], []]], \"label\": [0, 1], "
                                       "\"epochs\": 2}",
                                       0, NULL)));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spike_trains");
    TCase *tests = fixture_case(suite, "spikes", NULL);
    tcase_add_test(tests, spike_trains_are_several_spikes_of_an_afferent);
    tcase_add_test(tests, spike_trains_are_trained_on);
    tcase_add_test(tests, trains_without_any_spike_are_trained_on);
    return suite_run(suite);
}
