/* What may be wrong with a model: each by its exact status, code and pointers. */
#include <check.h>

#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/refusals.h"
#include "tests/support/suite.h"

/* --- models --- */

#define SHAPE "\"in_features\": 2, \"out_features\": 2, \"T\": 10"

#define CODED "\"out_features\": 2, \"encoder\": {\"type\": \"gaussian_tuning\", "

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct refusal wrong_models[] = {
    {"POST", "/models", "{\"id\": \"plain\", " SHAPE "}", 409, "id_taken", "/id"},
    {"POST", "/models", "{\"id\": \"No\", " SHAPE "}", 422, "unknown_value", "/id"},
    {"POST", "/models", "{\"id\": \"\", " SHAPE "}", 422, "unknown_value", "/id"},
    {"POST", "/models", "{\"id\": \"-a\", " SHAPE "}", 422, "unknown_value", "/id"},
    {"POST", "/models", "{\"id\": \"" A64 "\", " SHAPE "}", 422, "too_large", "/id"},
    {"POST", "/models", "{\"id\": 7, " SHAPE "}", 422, "wrong_type", "/id"},
    {"POST", "/models", "{\"description\": 7, " SHAPE "}", 422, "wrong_type", "/description"},
    {"POST", "/models", "{\"out_features\": 2, \"T\": 5}", 422, "missing_field", "/in_features"},
    {"POST", "/models", "{\"in_features\": 2, \"T\": 5}", 422, "missing_field", "/out_features"},
    {"POST", "/models", "{\"in_features\": 2, \"out_features\": 2}", 422, "missing_field", "/T"},
    {"POST", "/models", "{\"in_features\": 2, \"out_features\": 2, \"T\": 0}", 422, "out_of_range",
     "/T"},
    {"POST", "/models", "{\"in_features\": 2, \"out_features\": 2, \"T\": -5}", 422, "out_of_range",
     "/T"},
    {"POST", "/models", "{\"in_features\": 2, \"out_features\": 2, \"T\": 1e300}", 422,
     "out_of_range", "/T"},
    {"POST", "/models", "{\"in_features\": 0, \"out_features\": 2, \"T\": 5}", 422, "out_of_range",
     "/in_features"},
    {"POST", "/models", "{\"in_features\": 2, \"out_features\": 0, \"T\": 5}", 422, "out_of_range",
     "/out_features"},
    {"POST", "/models", "{\"in_features\": 9223372036854775807, \"out_features\": 2, \"T\": 5}",
     422, "out_of_range", "/in_features"},
    {"POST", "/models", "{\"in_features\": 1000000, \"out_features\": 65536, \"T\": 5}", 422,
     "too_large", "/out_features"},
    {"POST", "/models", "{\"in_features\": 1, \"out_features\": 65536, \"T\": 100000}", 422,
     "too_large", "/T"},
    {"POST", "/models", "{" SHAPE ", \"tau\": 5, \"tau_s\": 5}", 422, "equal_time_constants",
     "/tau_s"},
    {"POST", "/models", "{" SHAPE ", \"tau\": 0}", 422, "out_of_range", "/tau"},
    {"POST", "/models", "{" SHAPE ", \"v_threshold\": 0}", 422, "out_of_range", "/v_threshold"},
    {"POST", "/models", "{" SHAPE ", \"clock\": \"sundial\"}", 422, "unknown_value", "/clock"},
    {"POST", "/models", "{" SHAPE ", \"seed\": -1}", 422, "out_of_range", "/seed"},
    {"POST", "/models", "{" SHAPE ", \"labels\": \"a\"}", 422, "wrong_type", "/labels"},
    {"POST", "/models", "{" SHAPE ", \"labels\": [\"a\"]}", 422, "wrong_shape", "/labels"},
    {"POST", "/models", "{" SHAPE ", \"labels\": [\"a\", 1]}", 422, "wrong_type", "/labels/1"},
    {"POST", "/models", "{" SHAPE ", \"labels\": [1, 2]}", 422, "wrong_type", "/labels/0"},
    {"POST", "/models", "{" SHAPE ", \"labels\": [\"a\", \"" A64 A64 A64 A64 "a\"]}", 422,
     "too_large", "/labels/1"},
    {"POST", "/models", "{" SHAPE ", \"labels\": [\"a\", \"a\"]}", 422, "duplicate_label",
     "/labels"},
    {"POST", "/models", "{" SHAPE ", \"lables\": [\"a\", \"b\"]}", 422, "unknown_field", "/lables"},
    {"POST", "/models", "{" SHAPE ", \"weight\": [[1, 2]]}", 422, "wrong_shape", "/weight"},
    {"POST", "/models", "{" SHAPE ", \"weight\": [[1, 2], [3]]}", 422, "ragged_array", "/weight/1"},
    {"POST", "/models", "{" SHAPE ", \"weight\": [[1, 2], [3, 1e39]]}", 422, "not_finite",
     "/weight/1/1"},
    {"POST", "/models", "{\"out_features\": 2, \"encoder\": 5}", 422, "wrong_type", "/encoder"},
    {"POST", "/models", "{\"out_features\": 2, \"encoder\": {" TUNING "}}", 422, "missing_field",
     "/encoder/type"},
    {"POST", "/models", "{\"out_features\": 2, \"encoder\": {\"type\": \"morse\", " TUNING "}}",
     422, "unknown_value", "/encoder/type"},
    {"POST", "/models", "{" CODED "\"m\": 2, \"x_min\": [0], \"x_max\": [1]}}", 422, "out_of_range",
     "/encoder/m"},
    {"POST", "/models", "{" CODED "\"m\": 4, \"x_min\": [1], \"x_max\": [1]}}", 422, "empty_range",
     "/encoder/x_max/0"},
    {"POST", "/models", "{" CODED TUNING ", \"sigma\": 1}}", 422, "unknown_field",
     "/encoder/sigma"},
    {"POST", "/models", "{" CODED TUNING "}, \"in_features\": 5}", 422, "conflicting_fields",
     "/in_features"},

    {"PATCH", "/models/plain", "{\"version\": 99}", 422, "unknown_version", "/version"},
    {"PATCH", "/models/plain", "{\"version\": 0}", 422, "out_of_range", "/version"},
    {"PATCH", "/models/plain", "{\"description\": []}", 422, "wrong_type", "/description"},
    {"PATCH", "/models/plain", "{\"labels\": [\"a\"]}", 422, "wrong_shape", "/labels"},
    {"PATCH", "/models/plain", "{\"T\": 5}", 422, "unknown_field", "/T"},
    {"PUT", "/models/plain/weights", "{}", 422, "missing_field", "/weight"},
    {"PUT", "/models/plain/weights", "{\"weight\": [[1], [2]]}", 422, "wrong_shape", "/weight"},
    {"PUT", "/models/plain/weights", "{\"weight\": [[1, 2], [3, 4]], \"bias\": 1}", 422,
     "unknown_field", "/bias"},
};

START_TEST(wrong_models_are_refused_by_field)
{
    expect_refusal_row(&wrong_models[_i]);
}
END_TEST

START_TEST(every_wrong_field_is_named)
{
    struct http_answer answer = http_send(&server, "POST", "/models",
                                          "{\"in_features\": 0, \"out_features\": 0, \"T\": 0, "
                                          "\"tau\": 0, \"extra\": 0}",
                                          NULL);
    expect_problem(&answer, 422, "out_of_range");
    ck_assert_str_eq(problem_names(&answer), "/in_features /out_features /T /tau /extra");
    http_answer_finish(&answer);
}
END_TEST

/* --- headers --- */

START_TEST(a_wrong_encoder_is_all_that_is_named)
{
    struct http_answer answer =
        http_send(&server, "POST", "/models",
                  "{\"out_features\": 2, \"encoder\": {\"type\": \"gaussian_tuning\", \"m\": 2,"
                  " \"x_min\": [0, 0], \"x_max\": [1]}}",
                  NULL);
    expect_problem(&answer, 422, "out_of_range");
    ck_assert_str_eq(problem_names(&answer), "/encoder/m /encoder/x_max");
    http_answer_finish(&answer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("model_errors");
    TCase *tests = fixture_shared_case(suite, "errors", refusals_start);
    tcase_add_loop_test(tests, wrong_models_are_refused_by_field, 0, ROWS(wrong_models));
    tcase_add_test(tests, every_wrong_field_is_named);
    tcase_add_test(tests, a_wrong_encoder_is_all_that_is_named);
    return suite_run(suite);
}
