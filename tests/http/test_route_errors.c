/* Paths, methods and parameters that do not exist, and what a resource refuses in its state. */
#include <check.h>
#include <stdio.h>

#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/refusals.h"
#include "tests/support/suite.h"

/* --- samples and runs --- */

START_TEST(a_model_in_use_is_not_deleted)
{
    create_model_of_text(
        &server, "{\"id\": \"busy\", \"in_features\": 2, \"out_features\": 2, \"T\": 1000}");
    json_t *run = http_call(
        &server, 202, "POST", "/models/busy/train",
        json_pack("{s[[i,i]], s[i], s:i}", "in_spikes", 1, 2, "label", 0, "epochs", 100000));
    char cancel[64];
    snprintf(cancel, sizeof cancel, "/runs/%lld/cancel",
             (long long)json_integer_value(json_object_get(run, "id")));
    json_decref(run);
    const struct refusal row = {"DELETE", "/models/busy", NULL, 409, "model_in_use", NULL};
    expect_refusal_row(&row);
    json_decref(http_call(&server, 202, "POST", cancel, NULL));
}
END_TEST

/* --- paths, methods, parameters --- */

static const struct refusal missing[] = {
    {"GET", "/", NULL, 404, "not_found", NULL},
    {"GET", "/nothing", NULL, 404, "not_found", NULL},
    {"GET", "/models/", NULL, 404, "not_found", NULL},
    {"GET", "/models/plain/weights/", NULL, 404, "not_found", NULL},
    {"GET", "/models/none", NULL, 404, "model_not_found", NULL},
    {"GET", "/models/NONE", NULL, 404, "model_not_found", NULL},
    {"PATCH", "/models/none", "{}", 404, "model_not_found", NULL},
    {"DELETE", "/models/none", NULL, 404, "model_not_found", NULL},
    {"GET", "/models/none/versions", NULL, 404, "model_not_found", NULL},
    {"GET", "/models/none/weights", NULL, 404, "model_not_found", NULL},
    {"PUT", "/models/none/weights", "{}", 404, "model_not_found", NULL},
    {"POST", "/models/none/encode", "{}", 404, "model_not_found", NULL},
    {"POST", "/models/none/predict", "{}", 404, "model_not_found", NULL},
    {"POST", "/models/none/evaluate", "{}", 404, "model_not_found", NULL},
    {"POST", "/models/none/train", "{}", 404, "model_not_found", NULL},
    {"POST", "/models/none/versions/1/predict", "{}", 404, "model_not_found", NULL},
    {"POST", "/models/plain/versions/99/predict", "{}", 404, "version_not_found", NULL},
    {"POST", "/models/plain/versions/0/predict", "{}", 404, "version_not_found", NULL},
    {"POST", "/models/plain/versions/one/predict", "{}", 404, "version_not_found", NULL},
    {"GET", "/runs/999", NULL, 404, "run_not_found", NULL},
    {"GET", "/runs/0", NULL, 404, "run_not_found", NULL},
    {"GET", "/runs/99999999999999999999", NULL, 404, "run_not_found", NULL},
    {"GET", "/runs/999/metrics", NULL, 404, "run_not_found", NULL},
    {"POST", "/runs/999/cancel", NULL, 404, "run_not_found", NULL},
};

START_TEST(what_is_unknown_is_not_found)
{
    expect_refusal_row(&missing[_i]);
}
END_TEST

static const struct {
    const char *method, *path, *allow;
} wrong_methods[] = {
    {"GET", "/encode", "POST"},
    {"DELETE", "/models", "POST, GET, HEAD"},
    {"POST", "/models/plain", "GET, HEAD, PATCH, DELETE"},
    {"POST", "/models/plain/weights", "GET, HEAD, PUT"},
    {"GET", "/models/none/predict", "POST"},
    {"PUT", "/runs/1", "GET, HEAD"},
    {"DELETE", "/runs/1/cancel", "POST"},
    {"POST", "/health/ready", "GET, HEAD"},
    {"BREW", "/openapi.yaml", "GET, HEAD"},
};

START_TEST(a_wrong_method_is_told_the_right_ones)
{
    struct http_answer answer =
        http_send(&server, wrong_methods[_i].method, wrong_methods[_i].path, NULL, NULL);
    expect_problem(&answer, 405, "method_not_allowed");
    ck_assert_str_eq(http_header(&answer, "allow"), wrong_methods[_i].allow);
    http_answer_finish(&answer);
}
END_TEST

static const struct refusal wrong_parameters[] = {
    {"GET", "/models?page=2", NULL, 422, "unknown_parameter", "page"},
    {"GET", "/models?limit=0", NULL, 422, "invalid_parameter", "limit"},
    {"GET", "/models?limit=1001", NULL, 422, "invalid_parameter", "limit"},
    {"GET", "/models?limit=ten", NULL, 422, "invalid_parameter", "limit"},
    {"GET", "/models?limit=5x", NULL, 422, "invalid_parameter", "limit"},
    {"GET", "/models?limit", NULL, 422, "invalid_parameter", "limit"},
    {"GET", "/models?limit=1&limit=2", NULL, 422, "invalid_parameter", "limit"},
    {"GET", "/models?cursor=-1", NULL, 422, "invalid_parameter", "cursor"},
    {"GET", "/models/plain/versions?cursor=x", NULL, 422, "invalid_parameter", "cursor"},
    {"GET", "/runs?state=done", NULL, 422, "invalid_parameter", "state"},
    {"GET", "/runs/1?verbose=1", NULL, 422, "unknown_parameter", "verbose"},
    {"POST", "/encode?k=4", "{}", 422, "unknown_parameter", "k"},
    {"POST", "/encode?m=4", "{}", 422, "invalid_parameter", "m /x /m /x_min /x_max"},
};

START_TEST(wrong_parameters_are_named)
{
    expect_refusal_row(&wrong_parameters[_i]);
}
END_TEST

/* --- bytes that no client library sends --- */

START_TEST(a_delete_with_a_body_is_refused)
{
    static const struct refusal row = {"DELETE", "/models/plain",     "{}",
                                       400,      "malformed_request", NULL};
    expect_refusal_row(&row);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("route_errors");
    TCase *tests = fixture_shared_case(suite, "errors", refusals_start);
    tcase_add_test(tests, a_model_in_use_is_not_deleted);
    tcase_add_loop_test(tests, what_is_unknown_is_not_found, 0, ROWS(missing));
    tcase_add_loop_test(tests, a_wrong_method_is_told_the_right_ones, 0, ROWS(wrong_methods));
    tcase_add_loop_test(tests, wrong_parameters_are_named, 0, ROWS(wrong_parameters));
    tcase_add_test(tests, a_delete_with_a_body_is_refused);
    return suite_run(suite);
}
