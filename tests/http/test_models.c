/* Models and their versions over HTTP: created, listed, changed, switched and deleted. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/ask.h"
#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/golden.h"
#include "tests/support/http.h"
#include "tests/support/iris.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

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
    char *initial = ask_member("/models/plain/weights", "weight");
    json_decref(http_call(&server, 200, "PUT", "/models/plain/weights", weights(2)));
    char *imported = ask_member("/models/plain/weights", "weight");
    ck_assert_str_ne(initial, imported);
    for (int version = 1; version <= 2; version++) {
        json_decref(http_call(&server, 200, "PATCH", "/models/plain",
                              json_pack("{s:i}", "version", version)));
        expect_version("/models/plain", version);
        char *served = ask_member("/models/plain/weights", "weight");
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
    expect_version("/models/plain", 1);
}
END_TEST

START_TEST(models_survive_a_restart)
{
    create_plain_model(&server, "plain");
    json_decref(run_succeed(&server, "plain", run_small_order(3)));
    char *before = ask_member("/models/plain/weights", "weight");
    service_restart(&server);
    char *after = ask_member("/models/plain/weights", "weight");
    ck_assert_str_eq(before, after);
    expect_version("/models/plain", 2);
    free(after);
    free(before);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("service_models");
    TCase *tests = fixture_case(suite, "service", NULL);
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
    return suite_run(suite);
}
