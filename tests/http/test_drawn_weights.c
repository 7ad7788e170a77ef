/* Weights that a seed draws are not in the database, and are the same ones whenever they are asked
 * for. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/ask.h"
#include "tests/support/client.h"
#include "tests/support/datasets.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

static const char *const shapes[] = {
    "{\"id\": \"drawn\", \"in_features\": 2, \"out_features\": 2, \"T\": 20, \"seed\": 7}",
    "{\"id\": \"drawn\", \"in_features\": 2, \"hidden\": [5, 3], \"out_features\": 2, \"T\": 20, "
    "\"seed\": 7}",
};

static void start(void)
{
    fixture_start(NULL);
}

static json_t *weights(const char *model)
{
    char path[64];
    snprintf(path, sizeof path, "/models/%s/weights", model);
    return http_get(&server, path);
}

static json_t *sha256_of_first(const char *model)
{
    char path[64];
    snprintf(path, sizeof path, "/models/%s/versions", model);
    json_t *page = http_get(&server, path);
    const json_t *versions = json_object_get(page, "versions");
    const json_t *first = json_array_get(versions, json_array_size(versions) - 1);
    json_t *sha256 = json_incref(json_object_get(first, "sha256"));
    json_decref(page);
    return sha256;
}

static json_int_t tensors(void)
{
    return number_in_database(&server, "SELECT count(*) FROM tensors");
}

START_TEST(drawn_weights_are_not_stored_and_stay_the_same)
{
    http_answer_finish((struct http_answer[]){ask(201, "POST", "/models", shapes[_i])});
    json_t *before = weights("drawn"), *sha256 = sha256_of_first("drawn");
    ck_assert_int_eq(tensors(), 0);
    service_restart(&server);
    expect_equal_json(weights("drawn"), json_incref(before));
    /* The same weights, given, are stored, and have the same checksum. */
    json_t *given = json_loads(shapes[_i], 0, NULL);
    json_object_update(given, before);
    json_object_del(given, "model");
    json_object_del(given, "version");
    json_object_set_new(given, "id", json_string("given"));
    json_decref(http_call(&server, 201, "POST", "/models", given));
    ck_assert_int_eq(tensors(), _i == 0 ? 1 : 3);
    expect_equal_json(sha256_of_first("given"), sha256);
    json_decref(before);
}
END_TEST

START_TEST(a_run_stores_what_it_trained_and_the_first_version_can_be_served_again)
{
    http_answer_finish((struct http_answer[]){ask(201, "POST", "/models", shapes[_i])});
    json_t *before = weights("drawn");
    json_decref(run_succeed(&server, "drawn", run_small_order(3)));
    ck_assert_int_eq(tensors(), _i == 0 ? 1 : 3);
    json_decref(
        http_call(&server, 200, "PATCH", "/models/drawn", json_pack("{s:i}", "version", 1)));
    expect_equal_json(weights("drawn"), before);
}
END_TEST

/* Another seed, or a checksum of other weights: the version can't be read, and others can. */
START_TEST(weights_that_do_not_have_their_checksum_are_refused)
{
    static const char *const damages[] = {
        "UPDATE versions SET sha256 = 'aa' WHERE model = 1",
        "UPDATE models SET config = replace(config, '\"seed\":7', '\"seed\":8') WHERE sequence = 1",
        "UPDATE versions SET drawn = 0 WHERE model = 1"};
    http_answer_finish((struct http_answer[]){ask(201, "POST", "/models", shapes[0])});
    create_plain_model(&server, "plain");
    service_stop(&server);
    change_database(&server, damages[_i]);
    service_restart(&server);
    struct http_answer answer = http_send(&server, "GET", "/models/drawn/weights", NULL, NULL);
    ck_assert_int_ne(answer.status, 200);
    http_answer_finish(&answer);
    json_decref(weights("plain"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("drawn_weights");
    TCase *tests = fixture_case(suite, "drawn_weights", start);
    tcase_add_loop_test(tests, drawn_weights_are_not_stored_and_stay_the_same, 0, ROWS(shapes));
    tcase_add_loop_test(tests,
                        a_run_stores_what_it_trained_and_the_first_version_can_be_served_again, 0,
                        ROWS(shapes));
    tcase_add_loop_test(tests, weights_that_do_not_have_their_checksum_are_refused, 0, 3);
    return suite_run(suite);
}
