/* Runs over HTTP: what they report and publish, and how they are listed and cancelled. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/ask.h"
#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/golden.h"
#include "tests/support/http.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

START_TEST(a_run_is_reported_and_publishes_a_version)
{
    create_plain_model(&server, "plain");
    json_t *run = run_succeed(&server, "plain", run_small_order(7));
    ck_assert_str_eq(json_string_value(json_object_get(run, "model")), "plain");
    ck_assert_int_eq(json_integer_value(json_object_get(run, "epoch")), 7);
    ck_assert_int_eq(json_integer_value(json_object_get(run, "base_version")), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(run, "version")), 2);
    ck_assert(json_is_null(json_object_get(run, "error")));
    const json_t *metrics = json_object_get(run, "metrics");
    ck_assert(json_is_real(json_object_get(metrics, "loss")));
    ck_assert(json_is_null(json_object_get(metrics, "validation_loss")));
    expect_version("/models/plain", 2);

    json_t *shown = http_get(&server, "/runs/1"), *epochs = http_get(&server, "/runs/1/metrics");
    ck_assert(json_equal(shown, run));
    ck_assert_uint_eq(json_array_size(json_object_get(epochs, "metrics")), 7);
    const json_t *last = json_array_get(json_object_get(epochs, "metrics"), 6);
    ck_assert_int_eq(json_integer_value(json_object_get(last, "epoch")), 7);
    ck_assert_double_eq(golden_number(last, "loss"), golden_number(metrics, "loss"));
    json_decref(epochs);
    json_decref(shown);
    json_decref(run);
}
END_TEST

START_TEST(a_run_is_accepted_before_it_ends)
{
    create_plain_model(&server, "plain");
    json_t *order = run_small_order(1);
    char *body = json_dumps(order, JSON_COMPACT);
    struct http_answer answer = http_send(&server, "POST", "/models/plain/train", body, NULL);
    /* A run this short may have ended by the time it is answered. */
    ck_assert(answer.status == 202 || answer.status == 200);
    http_expect_location(&answer, "/models/plain/train", "/runs/1");
    ck_assert_int_eq(json_integer_value(json_object_get(answer.json, "id")), 1);
    http_answer_finish(&answer);
    json_decref(order);
    free(body);
}
END_TEST

START_TEST(a_cancelled_run_publishes_nothing)
{
    create_plain_model(&server, "plain");
    json_decref(http_call(&server, 202, "POST", "/models/plain/train", run_small_order(100000)));
    json_decref(http_call(&server, 202, "POST", "/runs/1/cancel", NULL));
    json_t *next =
        run_succeed(&server, "plain", run_small_order(1)); /* waits for the first's end */
    json_t *cancelled = http_get(&server, "/runs/1");
    ck_assert_str_eq(json_string_value(json_object_get(cancelled, "state")), "cancelled");
    ck_assert(json_is_null(json_object_get(cancelled, "version")));
    ck_assert_int_eq(json_integer_value(json_object_get(next, "version")), 2);
    json_decref(cancelled);
    json_decref(next);
}
END_TEST

START_TEST(runs_are_listed_by_model_and_state)
{
    static const struct {
        const char *path;
        size_t count;
    } listings[] = {
        {"/runs", 3},
        {"/runs?model=one", 2},
        {"/runs?model=two", 1},
        {"/runs?model=two&state=succeeded", 1},
        {"/runs?state=failed", 0},
    };
    create_plain_model(&server, "one");
    create_plain_model(&server, "two");
    json_decref(run_succeed(&server, "one", run_small_order(1)));
    json_decref(run_succeed(&server, "two", run_small_order(1)));
    json_decref(run_succeed(&server, "one", run_small_order(1)));
    for (size_t i = 0; i < sizeof listings / sizeof *listings; i++) {
        json_t *runs = http_get(&server, listings[i].path);
        ck_assert_uint_eq(json_array_size(json_object_get(runs, "runs")), listings[i].count);
        ck_assert(json_is_null(json_object_get(runs, "next_cursor")));
        json_decref(runs);
    }
}
END_TEST

/* Ten samples whose labels one epoch can't learn: accuracies are between 0 and 1. */
static json_t *ten_samples(double fraction, int seed)
{
    json_t *spikes = json_array(), *labels = json_array();
    for (int i = 0; i < 10; i++) {
        json_array_append_new(spikes, json_pack("[i, i]", i, i * i % 10));
        json_array_append_new(labels, json_integer(i % 2));
    }
    return json_pack("{s:o, s:o, s:i, s:i, s:f}", "in_spikes", spikes, "label", labels, "epochs", 1,
                     "seed", seed, "validation_fraction", fraction);
}

/* The loss of the nine samples that are left, before the only step of a model that is always the
 * same. The checksum is that of all ten. */
static double loss_of_the_rest(const char *model, int seed, const char *checksum)
{
    create_plain_model(&server, model);
    json_t *run = run_succeed(&server, model, ten_samples(0.1, seed));
    const json_t *metrics = json_object_get(run, "metrics");
    const double loss = json_number_value(json_object_get(metrics, "loss"));
    ck_assert_str_eq(member_string(run, "samples_sha256"), checksum);
    json_decref(run);
    return loss;
}

START_TEST(a_validation_fraction_sets_that_share_aside_by_the_seed)
{
    create_plain_model(&server, "tenth");
    json_t *run = run_succeed(&server, "tenth", ten_samples(0.1, 1));
    const json_t *metrics = json_object_get(run, "metrics");
    const double accuracy = json_number_value(json_object_get(metrics, "accuracy"));
    const double validation = json_number_value(json_object_get(metrics, "validation_accuracy"));
    ck_assert(accuracy > 0 && accuracy < 1); /* of 9 samples, and of 1 */
    ck_assert_double_eq_tol(accuracy * 9, rint(accuracy * 9), 1e-9);
    ck_assert(validation == 0 || validation == 1);

    const char *checksum = member_string(run, "samples_sha256");
    const double loss = json_number_value(json_object_get(metrics, "loss"));
    ck_assert_double_eq(loss_of_the_rest("again", 1, checksum), loss);
    ck_assert_double_gt(fabs(loss_of_the_rest("other", 2, checksum) - loss), 1e-3);
    json_decref(run);
}
END_TEST

START_TEST(patience_ends_a_run_early)
{
    create_plain_model(&server, "patient");
    json_t *order = ten_samples(0.5, 1);
    json_object_set_new(order, "epochs", json_integer(100000));
    json_object_set_new(order, "patience", json_integer(3));
    json_t *run = run_succeed(&server, "patient", order);
    const json_int_t epochs = member_integer(run, "epoch"),
                     best = member_integer(run, "best_epoch");
    ck_assert_int_lt(epochs, 100000);
    ck_assert_int_eq(best, epochs - 3);
    ck_assert_int_gt(best, 1);
    char path[64];
    snprintf(path, sizeof path, "/runs/%lld/metrics?limit=1&cursor=%lld",
             (long long)member_integer(run, "id"), (long long)best - 1);
    json_t *metrics = http_get(&server, path);
    const json_t *of_best = json_array_get(json_object_get(metrics, "metrics"), 0);
    const json_t *loss = json_object_get(of_best, "validation_loss");
    ck_assert_ptr_nonnull(loss);
    ck_assert(
        json_equal(loss, json_object_get(json_object_get(run, "metrics"), "validation_loss")));
    json_decref(metrics);
    json_decref(run);
}
END_TEST

START_TEST(whole_numbers_may_be_written_as_reals_and_reals_as_whole_numbers)
{
    create_plain_model(&server, "reals");
    json_decref(run_succeed(
        &server, "reals",
        json_loads("{\"in_spikes\": [[0, 1.0]], \"label\": [1.0], \"epochs\": 2.0}", 0, NULL)));
    struct http_answer answer = http_send(&server, "POST", "/psp_kernel",
                                          "{\"t\": [1000000000000000000000000000000]}", NULL);
    ck_assert_int_eq(answer.status, 200);
    http_answer_finish(&answer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("service_runs");
    TCase *tests = fixture_case(suite, "service", NULL);
    tcase_add_test(tests, a_run_is_reported_and_publishes_a_version);
    tcase_add_test(tests, a_run_is_accepted_before_it_ends);
    tcase_add_test(tests, a_cancelled_run_publishes_nothing);
    tcase_add_test(tests, runs_are_listed_by_model_and_state);
    tcase_add_test(tests, a_validation_fraction_sets_that_share_aside_by_the_seed);
    tcase_add_test(tests, patience_ends_a_run_early);
    tcase_add_test(tests, whole_numbers_may_be_written_as_reals_and_reals_as_whole_numbers);
    return suite_run(suite);
}
