/* Weights of networks over HTTP, a layer at a time or all, and what is kept of them. */
#include <check.h>
#include <stdio.h>

#include "tests/support/arrays.h"
#include "tests/support/ask.h"
#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/networks.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

static void expect_tensor(const char *path, const json_t *expected, size_t rows, size_t columns)
{
    char shape[32];
    struct http_answer answer =
        http_send(&server, "GET", path, NULL, "Accept: application/x-npy", NULL);
    snprintf(shape, sizeof shape, "(%zu, %zu)", rows, columns);
    expect_shape(expected, rows, columns);
    expect_npy_rows(&answer, expected, shape);
    http_answer_finish(&answer);
}

START_TEST(weights_make_the_round_trip)
{
    put_pictures(&server, "pictures", "|u1");
    create_network(&server, "one", _i, ", \"seed\": 1");
    create_network(&server, "other", _i, ", \"seed\": 2");
    json_decref(run_succeed(&server, "one", network_order(_i, "pictures", 2)));
    json_t *weights = http_get(&server, "/models/one/weights");
    ck_assert_uint_eq(json_object_size(weights), 2 + (size_t)network_depths[_i]);
    json_decref(http_call(&server, 200, "PUT", "/models/other/weights", json_incref(weights)));
    expect_equal_weights(&server, "one", "other");
    expect_equal_json(network_answers(&server, "one"), network_answers(&server, "other"));
    json_object_del(weights, "model");
    json_object_del(weights, "version");
    json_object_set_new(weights, "id", json_string("third"));
    json_object_set_new(weights, "description", json_null());
    json_t *shown = http_get(&server, "/models/one");
    static const char *const kept[] = {
        "encoder",      "out_features",      "T",          "tau",  "hidden",
        "hidden_spike", "neurons_per_class", "score_beta", "clock"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (json_object_get(shown, kept[i]) != NULL)
            json_object_set(weights, kept[i], json_object_get(shown, kept[i]));
    create_model(&server, weights);
    expect_equal_json(network_answers(&server, "one"), network_answers(&server, "third"));
    json_decref(shown);
}
END_TEST

START_TEST(weights_are_an_array_each)
{
    create_network(&server, "m", 2, "");
    json_t *weights = http_get(&server, "/models/m/weights");
    expect_tensor("/models/m/weights?tensor=hidden_0", json_object_get(weights, "hidden_0"), 40,
                  PICTURE_PIXELS);
    expect_tensor("/models/m/weights?tensor=hidden_1", json_object_get(weights, "hidden_1"), 16,
                  40);
    expect_tensor("/models/m/weights?tensor=weight", json_object_get(weights, "weight"),
                  PICTURE_CLASSES, 16);
    create_network(&server, "flat", 4, "");
    json_t *flat = http_get(&server, "/models/flat/weights");
    expect_tensor("/models/flat/weights", json_object_get(flat, "weight"), PICTURE_CLASSES * 4,
                  PICTURE_PIXELS);
    json_decref(flat);
    expect_equal_json(http_get(&server, "/models/m/weights?tensor=hidden_0"), weights);

    expect_refused("GET", "/models/m/weights?tensor=hidden_2", NULL, 422, "invalid_parameter",
                   "tensor");
    expect_refused("GET", "/models/flat/weights?tensor=hidden_0", NULL, 422, "invalid_parameter",
                   "tensor");
    struct http_answer answer =
        http_send(&server, "GET", "/models/m/weights", NULL, "Accept: application/x-npy", NULL);
    expect_problem(&answer, 406, "not_acceptable");
    http_answer_finish(&answer);
    answer = http_send(&server, "GET", "/models/m/weights", NULL,
                       "Accept: application/x-npy, application/json", NULL);
    ck_assert_str_eq(http_header(&answer, "content-type"), "application/json");
    http_answer_finish(&answer);
}
END_TEST

static void put_tensor(const char *path, const char *shape, const double *numbers, size_t count,
                       json_int_t version)
{
    struct bytes body = npy_of_numbers("<f4", shape, numbers, count);
    struct http_answer answer =
        http_send_bytes(&server, "PUT", path, &body, "Content-Type: application/x-npy", NULL);
    ck_assert_msg(answer.status == 200, "%s", answer.body);
    ck_assert_int_eq(member_integer(answer.json, "version"), version);
    http_answer_finish(&answer);
    bytes_finish(&body);
}

/* The other layers stay as they are served. */
START_TEST(an_array_replaces_one_layer)
{
    static const double hidden[] = {1, 2, 3, 4}, last[] = {5, 6};
    create_model_of_text(&server, "{\"id\": \"m\", " FOUR_TO_TWO ", \"hidden\": [1]}");
    json_t *drawn = http_get(&server, "/models/m/weights");
    put_tensor("/models/m/weights?tensor=hidden_0", "(1, 4)", hidden, 4, 2);
    json_t *weights = http_get(&server, "/models/m/weights");
    json_t *expected =
        json_pack("{s:s, s:i, s:[[i, i, i, i]], s:O}", "model", "m", "version", 2, "hidden_0", 1, 2,
                  3, 4, "weight", json_object_get(drawn, "weight"));
    expect_equal_json(weights, expected);
    put_tensor("/models/m/weights?tensor=weight", "(2, 1)", last, 2, 3);
    expect_equal_json(http_get(&server, "/models/m/weights"),
                      json_pack("{s:s, s:i, s:[[i, i, i, i]], s:[[i], [i]]}", "model", "m",
                                "version", 3, "hidden_0", 1, 2, 3, 4, "weight", 5, 6));
    expect_equal_json(http_get(&server, "/models/m/versions/1/weights"), drawn);
}
END_TEST

START_TEST(wrong_weights_are_refused)
{
    static const struct {
        const char *body, *code, *pointer;
    } rows[] = {
        {"{\"weight\": [[1], [2]]}", "missing_field", "/hidden_0"},
        {"{\"hidden_0\": [[1, 2, 3, 4]]}", "missing_field", "/weight"},
        {"{\"hidden_0\": [[1, 2, 3, 4]], \"weight\": [[1, 2]]}", "wrong_shape", "/weight"},
        {"{\"hidden_0\": [[1, 2, 3]], \"weight\": [[1], [2]]}", "wrong_shape", "/hidden_0"},
        {"{\"hidden_0\": [1, 2, 3, 4], \"weight\": [[1], [2]]}", "wrong_type", "/hidden_0/0"},
        {"{\"hidden_0\": [[1, 2, 3, 4]], \"hidden_1\": [[1]], \"weight\": [[1], [2]]}",
         "unknown_field", "/hidden_1"},
    };
    const double numbers[] = {1, 2};
    struct bytes body = npy_of_numbers("<f4", "(2, 1)", numbers, 2);
    create_model_of_text(&server, "{\"id\": \"m\", " FOUR_TO_TWO ", \"hidden\": [1]}");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_refused("PUT", "/models/m/weights", rows[i].body, 422, rows[i].code,
                       rows[i].pointer);
    struct http_answer answer =
        http_send_bytes(&server, "PUT", "/models/m/weights", &body,
                        "Content-Type: application/x-npy", NULL); /* which is of one layer */
    expect_problem(&answer, 422, "invalid_parameter");
    ck_assert_str_eq(problem_names(&answer), "tensor");
    http_answer_finish(&answer);
    answer = http_send_bytes(&server, "PUT", "/models/m/weights?tensor=hidden_1", &body,
                             "Content-Type: application/x-npy", NULL);
    expect_problem(&answer, 422, "invalid_parameter");
    http_answer_finish(&answer);
    answer = http_send_bytes(&server, "PUT", "/models/m/weights?tensor=hidden_0", &body,
                             "Content-Type: application/x-npy", NULL);
    expect_problem(&answer, 422, "wrong_shape");
    ck_assert_str_eq(problem_names(&answer), "/hidden_0");
    http_answer_finish(&answer);
    bytes_finish(&body);
    json_t *model = http_get(&server, "/models/m");
    ck_assert_int_eq(member_integer(model, "version"), 1);
    json_decref(model);
}
END_TEST

START_TEST(a_restart_and_a_switch_keep_everything)
{
    put_pictures(&server, "pictures", "|u1");
    create_network(&server, "m", _i, "");
    json_t *before = network_answers(&server, "m");
    json_decref(run_succeed(&server, "m", network_order(_i, "pictures", 2)));
    json_t *after = network_answers(&server, "m"), *model = http_get(&server, "/models/m");
    json_t *weights = http_get(&server, "/models/m/weights");
    ck_assert(!json_equal(before, after));
    service_restart(&server);
    expect_equal_json(json_incref(model), http_get(&server, "/models/m"));
    expect_equal_json(weights, http_get(&server, "/models/m/weights"));
    expect_equal_json(json_incref(after), network_answers(&server, "m"));
    expect_equal_json(json_incref(before), network_answers(&server, "m/versions/1"));
    for (int version = 1; version <= 2; version++) {
        json_decref(
            http_call(&server, 200, "PATCH", "/models/m", json_pack("{s:i}", "version", version)));
        expect_equal_json(json_incref(version == 1 ? before : after),
                          network_answers(&server, "m"));
    }
    json_decref(model);
    json_decref(before);
    json_decref(after);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("network_weights");
    TCase *tests = fixture_case(suite, "networks", NULL);
    tcase_add_loop_test(tests, weights_make_the_round_trip, 0, NETWORK_KINDS);
    tcase_add_test(tests, weights_are_an_array_each);
    tcase_add_test(tests, an_array_replaces_one_layer);
    tcase_add_test(tests, wrong_weights_are_refused);
    tcase_add_loop_test(tests, a_restart_and_a_switch_keep_everything, 0, NETWORK_KINDS);
    return suite_run(suite);
}
