/* What the service is for, over HTTP: models, versions, runs; and what every answer has. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/golden.h"
#include "tests/support/http.h"
#include "tests/support/iris.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

/* The JSON of a GET as text, compared byte by byte. */
static char *text_of(const char *path, const char *member)
{
    json_t *answer = http_get(&server, path);
    char *text = json_dumps(json_object_get(answer, member), JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(answer);
    ck_assert_ptr_nonnull(text);
    return text;
}

static void assert_version(const char *path, json_int_t version)
{
    json_t *model = http_get(&server, path);
    ck_assert_int_eq(json_integer_value(json_object_get(model, "version")), version);
    json_decref(model);
}

/* --- runs --- */

static json_t *small_order(int epochs)
{
    return json_pack("{s:[[i,i],[i,i]], s:[i,i], s:i}", "in_spikes", 1, 5, 5, 1, "label", 0, 1,
                     "epochs", epochs);
}

START_TEST(a_run_is_reported_and_publishes_a_version)
{
    create_plain_model(&server, "plain");
    json_t *run = run_succeed(&server, "plain", small_order(7));
    ck_assert_str_eq(json_string_value(json_object_get(run, "model")), "plain");
    ck_assert_int_eq(json_integer_value(json_object_get(run, "epoch")), 7);
    ck_assert_int_eq(json_integer_value(json_object_get(run, "base_version")), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(run, "version")), 2);
    ck_assert(json_is_null(json_object_get(run, "error")));
    const json_t *metrics = json_object_get(run, "metrics");
    ck_assert(json_is_real(json_object_get(metrics, "loss")));
    ck_assert(json_is_null(json_object_get(metrics, "validation_loss")));
    assert_version("/models/plain", 2);

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
    json_t *order = small_order(1);
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
    json_decref(http_call(&server, 202, "POST", "/models/plain/train", small_order(100000)));
    json_decref(http_call(&server, 202, "POST", "/runs/1/cancel", NULL));
    json_t *next = run_succeed(&server, "plain", small_order(1)); /* waits for the first's end */
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
    json_decref(run_succeed(&server, "one", small_order(1)));
    json_decref(run_succeed(&server, "two", small_order(1)));
    json_decref(run_succeed(&server, "one", small_order(1)));
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

/* Of the nine samples that are left, before the only step of a model that is always the same. The
 * checksum is that of all ten. */
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

/* --- models and versions --- */

START_TEST(a_model_is_shown_as_it_was_created)
{
    json_t *made = http_call(&server, 201, "POST", "/models", iris_model("iris"));
    json_t *shown = http_get(&server, "/models/iris");
    ck_assert(json_equal(made, shown));
    ck_assert_int_eq(json_integer_value(json_object_get(shown, "in_features")), 64);
    ck_assert_double_eq(golden_number(shown, "tau"), 15);
    ck_assert_double_eq(golden_number(shown, "tau_s"), 3.75);
    ck_assert_str_eq(json_string_value(json_object_get(shown, "clock")), "grid");
    ck_assert_int_eq(json_integer_value(json_object_get(shown, "version")), 1);
    json_decref(shown);
    json_decref(made);
}
END_TEST

START_TEST(a_model_without_id_is_given_one)
{
    struct http_answer answer = http_send(
        &server, "POST", "/models", "{\"in_features\": 1, \"out_features\": 1, \"T\": 1}", NULL);
    ck_assert_int_eq(answer.status, 201);
    char path[128];
    snprintf(path, sizeof path, "/models/%s",
             json_string_value(json_object_get(answer.json, "id")));
    http_expect_location(&answer, "/models", path);
    json_decref(http_get(&server, path));
    http_answer_finish(&answer);
}
END_TEST

/* Follows the cursors of a listing, two at a time, and checks that the ids come newest first. */
START_TEST(models_are_listed_in_pages_newest_first)
{
    static const char *const ids[] = {"e", "d", "c", "b", "a"};
    char path[96] = "/models?limit=2";
    size_t seen = 0;
    for (size_t i = 5; i-- > 0;)
        create_plain_model(&server, ids[i]);
    for (bool more = true; more;) {
        size_t index;
        json_t *model, *page = http_get(&server, path);
        ck_assert_uint_le(json_array_size(json_object_get(page, "models")), 2);
        json_array_foreach(json_object_get(page, "models"), index, model) {
            ck_assert_uint_lt(seen, 5);
            ck_assert_str_eq(json_string_value(json_object_get(model, "id")), ids[seen++]);
        }
        const char *cursor = json_string_value(json_object_get(page, "next_cursor"));
        more = cursor != NULL;
        snprintf(path, sizeof path, "/models?limit=2&cursor=%s", more ? cursor : "");
        json_decref(page);
    }
    ck_assert_uint_eq(seen, 5);
}
END_TEST

static json_t *weights(double first)
{
    return json_pack("{s:[[f,f],[f,f]]}", "weight", first, 0.25, -0.5, 1.5);
}

START_TEST(imported_weights_become_a_version_and_come_out_again)
{
    create_plain_model(&server, "plain");
    json_t *put = http_call(&server, 200, "PUT", "/models/plain/weights", weights(0.125));
    ck_assert_int_eq(json_integer_value(json_object_get(put, "version")), 2);
    json_t *got = http_get(&server, "/models/plain/weights"), *expected = weights(0.125);
    ck_assert_int_eq(json_integer_value(json_object_get(got, "version")), 2);
    expect_near(got, expected, "weight", 4, 0);
    json_decref(expected);
    json_decref(put);
    put = http_call(&server, 200, "PUT", "/models/plain/weights", got); /* as it came out */
    ck_assert_int_eq(json_integer_value(json_object_get(put, "version")), 3);
    json_decref(put);
}
END_TEST

START_TEST(the_served_version_goes_back_and_forth)
{
    create_plain_model(&server, "plain");
    char *initial = text_of("/models/plain/weights", "weight");
    json_decref(http_call(&server, 200, "PUT", "/models/plain/weights", weights(2)));
    char *imported = text_of("/models/plain/weights", "weight");
    ck_assert_str_ne(initial, imported);
    for (int version = 1; version <= 2; version++) {
        json_decref(http_call(&server, 200, "PATCH", "/models/plain",
                              json_pack("{s:i}", "version", version)));
        assert_version("/models/plain", version);
        char *served = text_of("/models/plain/weights", "weight");
        ck_assert_str_eq(served, version == 1 ? initial : imported);
        free(served);
    }
    free(imported);
    free(initial);
}
END_TEST

START_TEST(an_older_version_predicts_by_its_path)
{
    static const char body[] = "{\"in_spikes\": [[1, 2]], \"ret_type\": \"v_max\"}";
    create_plain_model(&server, "plain");
    json_t *before = http_post(&server, "/models/plain/predict", json_loads(body, 0, NULL));
    json_decref(http_call(&server, 200, "PUT", "/models/plain/weights", weights(2)));
    json_t *older =
        http_post(&server, "/models/plain/versions/1/predict", json_loads(body, 0, NULL));
    json_t *newer = http_post(&server, "/models/plain/predict", json_loads(body, 0, NULL));
    ck_assert(json_equal(before, older));
    ck_assert(!json_equal(before, newer));
    ck_assert_int_eq(json_integer_value(json_object_get(newer, "version")), 2);
    json_decref(newer);
    json_decref(older);
    json_decref(before);
}
END_TEST

START_TEST(labels_are_answered_by_name_and_null_where_nothing_spiked)
{
    create_model(&server, json_pack("{s:s, s:i, s:i, s:i, s:[s,s], s:[[f,f],[f,f]]}", "id", "named",
                                    "in_features", 2, "out_features", 2, "T", 50, "labels", "low",
                                    "high", "weight", 1.0, 0.0, 0.0, 1.0));
    json_t *answer =
        http_post(&server, "/models/named/predict",
                  json_pack("{s:[[i,i],[i,i],[i,i]]}", "in_spikes", 3, -1, -1, 3, -1, -1));
    json_t *expected = json_pack("[s,s,n]", "low", "high");
    ck_assert(json_equal(json_object_get(answer, "label"), expected));
    ck_assert_ptr_null(json_object_get(answer, "v"));
    json_decref(expected);
    json_decref(answer);
}
END_TEST

START_TEST(description_and_labels_can_be_changed)
{
    create_plain_model(&server, "plain");
    json_t *model =
        http_call(&server, 200, "PATCH", "/models/plain",
                  json_pack("{s:s, s:[s,s]}", "description", "Grüße", "labels", "a", "b"));
    json_t *expected = json_pack("[s,s]", "a", "b");
    ck_assert_str_eq(json_string_value(json_object_get(model, "description")), "Grüße");
    ck_assert(json_equal(json_object_get(model, "labels"), expected));
    json_decref(model);
    model = http_call(&server, 200, "PATCH", "/models/plain", json_pack("{s:n}", "labels"));
    ck_assert(json_is_null(json_object_get(model, "labels")));
    ck_assert_str_eq(json_string_value(json_object_get(model, "description")), "Grüße");
    json_decref(expected);
    json_decref(model);
}
END_TEST

START_TEST(a_deleted_model_is_gone_and_its_id_is_free)
{
    create_plain_model(&server, "plain");
    json_decref(http_call(&server, 204, "DELETE", "/models/plain", NULL));
    json_decref(http_call(&server, 404, "GET", "/models/plain", NULL));
    json_decref(http_call(&server, 404, "POST", "/models/plain/predict", json_object()));
    create_plain_model(&server, "plain");
    assert_version("/models/plain", 1);
}
END_TEST

START_TEST(models_survive_a_restart)
{
    create_plain_model(&server, "plain");
    json_decref(run_succeed(&server, "plain", small_order(3)));
    char *before = text_of("/models/plain/weights", "weight");
    service_restart(&server);
    char *after = text_of("/models/plain/weights", "weight");
    ck_assert_str_eq(before, after);
    assert_version("/models/plain", 2);
    free(after);
    free(before);
}
END_TEST

/* --- request ids, health, HEAD --- */

START_TEST(the_longest_request_id_is_echoed_and_longer_ones_are_not)
{
    char header[5100] = "X-Request-Id: ";
    const size_t name = strlen(header);
    const size_t lengths[] = {128, 129, 5000};
    for (size_t i = 0; i < 3; i++) {
        memset(header + name, 'a', lengths[i]);
        header[name + lengths[i]] = '\0';
        struct http_answer answer = http_send(&server, "GET", "/health/live", NULL, header, NULL);
        ck_assert_int_eq(answer.status, 200);
        ck_assert_int_eq(strcmp(http_header(&answer, "x-request-id"), header + name) == 0, i == 0);
        http_answer_finish(&answer);
    }
}
END_TEST

START_TEST(a_request_id_is_echoed_or_made_up)
{
    struct http_answer echoed =
        http_send(&server, "GET", "/health/live", NULL, "X-Request-Id: a.B_c~1-2", NULL);
    struct http_answer one = http_send(&server, "GET", "/health/live", NULL, NULL);
    struct http_answer two =
        http_send(&server, "GET", "/health/live", NULL, "X-Request-Id: no spaces", NULL);
    ck_assert_str_eq(http_header(&echoed, "x-request-id"), "a.B_c~1-2");
    const char *made = http_header(&one, "x-request-id");
    ck_assert_uint_eq(strlen(made), 16);
    ck_assert_uint_eq(strspn(made, "0123456789abcdef"), 16);
    ck_assert_uint_eq(strspn(http_header(&two, "x-request-id"), "0123456789abcdef"), 16);
    ck_assert_str_ne(made, http_header(&two, "x-request-id"));
    http_answer_finish(&two);
    http_answer_finish(&one);
    http_answer_finish(&echoed);
}
END_TEST

START_TEST(health_and_contract_are_served)
{
    char *live = text_of("/health/live", "status"), *ready = text_of("/health/ready", "status");
    ck_assert_str_eq(live, "\"live\"");
    ck_assert_str_eq(ready, "\"ready\"");
    struct http_answer contract = http_send(&server, "GET", "/openapi.yaml", NULL, NULL);
    ck_assert_int_eq(contract.status, 200);
    ck_assert_str_eq(http_header(&contract, "content-type"), "application/yaml");
    ck_assert_ptr_nonnull(strstr(contract.body, "openapi: 3.1"));
    http_answer_finish(&contract);
    free(ready);
    free(live);
}
END_TEST

START_TEST(head_answers_like_get_without_a_body)
{
    create_plain_model(&server, "plain");
    struct http_answer got = http_send(&server, "GET", "/models/plain", NULL, NULL);
    struct http_answer head = http_send(&server, "HEAD", "/models/plain", NULL, NULL);
    ck_assert_int_eq(head.status, 200);
    ck_assert_uint_eq(head.size, 0);
    ck_assert_str_eq(http_header(&head, "content-length"), http_header(&got, "content-length"));
    http_answer_finish(&head);
    http_answer_finish(&got);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("service");
    TCase *tests = fixture_case(suite, "service", NULL);
    tcase_add_test(tests, a_run_is_reported_and_publishes_a_version);
    tcase_add_test(tests, a_run_is_accepted_before_it_ends);
    tcase_add_test(tests, a_cancelled_run_publishes_nothing);
    tcase_add_test(tests, runs_are_listed_by_model_and_state);
    tcase_add_test(tests, a_model_is_shown_as_it_was_created);
    tcase_add_test(tests, a_model_without_id_is_given_one);
    tcase_add_test(tests, models_are_listed_in_pages_newest_first);
    tcase_add_test(tests, imported_weights_become_a_version_and_come_out_again);
    tcase_add_test(tests, the_served_version_goes_back_and_forth);
    tcase_add_test(tests, an_older_version_predicts_by_its_path);
    tcase_add_test(tests, labels_are_answered_by_name_and_null_where_nothing_spiked);
    tcase_add_test(tests, description_and_labels_can_be_changed);
    tcase_add_test(tests, a_deleted_model_is_gone_and_its_id_is_free);
    tcase_add_test(tests, models_survive_a_restart);
    tcase_add_test(tests, a_validation_fraction_sets_that_share_aside_by_the_seed);
    tcase_add_test(tests, patience_ends_a_run_early);
    tcase_add_test(tests, whole_numbers_may_be_written_as_reals_and_reals_as_whole_numbers);
    tcase_add_test(tests, the_longest_request_id_is_echoed_and_longer_ones_are_not);
    tcase_add_test(tests, a_request_id_is_echoed_or_made_up);
    tcase_add_test(tests, health_and_contract_are_served);
    tcase_add_test(tests, head_answers_like_get_without_a_body);
    return suite_run(suite);
}
