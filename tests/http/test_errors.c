/* Every documented error, over HTTP: its exact status, code and pointer.
 *
 * One server for all; its models are made once. Most errors are a row: a request, and the problem
 * that must come of it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/suite.h"

enum { MAX_BODY = 65536 };

struct row {
    const char *method;
    const char *path;
    const char *body;
    long status;
    const char *code;
    const char *pointer; /* of the first wrong field, or its parameter; NULL: none is named */
};

/* --- what a problem must look like --- */

static const char *text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value != NULL ? value : "";
}

static void assert_first_error(const struct http_answer *answer, const char *code,
                               const char *pointer)
{
    const json_t *errors = json_object_get(answer->json, "errors");
    const json_t *first = json_array_get(errors, 0);
    if (pointer == NULL) {
        ck_assert_msg(errors == NULL, "a field is named: %s", answer->body);
        return;
    }
    const json_t *named = json_object_get(first, "pointer");
    if (named == NULL)
        named = json_object_get(first, "parameter");
    ck_assert_msg(named != NULL, "no field is named: %s", answer->body);
    ck_assert_str_eq(json_string_value(named), pointer);
    ck_assert_str_eq(text(first, "code"), code);
    ck_assert_str_ne(text(first, "detail"), "");
}

static void assert_problem(const struct http_answer *answer, long status, const char *code,
                           const char *pointer)
{
    ck_assert_msg(answer->status == status && strcmp(text(answer->json, "code"), code) == 0,
                  "expected %ld %s, but %ld came: %s", status, code, answer->status, answer->body);
    ck_assert_str_eq(http_header(answer, "content-type"), "application/problem+json");
    ck_assert_str_eq(text(answer->json, "type"), "about:blank");
    ck_assert_str_ne(text(answer->json, "title"), "");
    ck_assert_str_ne(text(answer->json, "detail"), "");
    ck_assert_int_eq(json_integer_value(json_object_get(answer->json, "status")), status);
    ck_assert_str_eq(text(answer->json, "request_id"), http_header(answer, "x-request-id"));
    assert_first_error(answer, code, pointer);
}

static void check_row(const struct row *row)
{
    struct http_answer answer = http_send(&server, row->method, row->path, row->body, NULL);
    assert_problem(&answer, row->status, row->code, row->pointer);
    const char *instance = text(answer.json, "instance");
    ck_assert_uint_eq(strlen(instance), strcspn(row->path, "?"));
    ck_assert_int_eq(strncmp(instance, row->path, strlen(instance)), 0);
    http_answer_finish(&answer);
}

/* --- the server --- */

static void create(const char *model)
{
    struct http_answer answer = http_send(&server, "POST", "/models", model, NULL);
    ck_assert_msg(answer.status == 201, "%s", answer.body);
    http_answer_finish(&answer);
}

#define PLAIN_SAMPLES "\"in_spikes\": [[1, 2], [3, -1]], \"label\": [0, 1]"
#define NAMED_SAMPLES "\"x\": [[0.1], [0.9]], \"label\": [\"low\", \"high\"]"

static void start_server(void)
{
    fixture_start(FLAGS("--max-body", "65536"));
    create("{\"id\": \"plain\", \"in_features\": 2, \"out_features\": 2, \"T\": 10}");
    create("{\"id\": \"named\", \"encoder\": {\"type\": \"gaussian_tuning\", \"m\": 4,"
           " \"x_min\": [0], \"x_max\": [1]}, \"out_features\": 2, \"labels\": [\"low\", "
           "\"high\"]}");
    create("{\"id\": \"long\", \"in_features\": 1, \"out_features\": 100, \"T\": 100000}");
    struct http_answer run =
        http_send(&server, "POST", "/models/plain/train", "{" PLAIN_SAMPLES ", \"epochs\": 1}",
                  "Prefer: wait=20", NULL);
    ck_assert_msg(run.status == 200, "%s", run.body);
    ck_assert_int_eq(json_integer_value(json_object_get(run.json, "id")), 1);
    http_answer_finish(&run);
}

/* --- bodies --- */

static const struct row unreadable[] = {
    {"POST", "/psp_kernel", "", 400, "truncated_json", NULL},
    {"POST", "/psp_kernel", "{\"t\": [1", 400, "truncated_json", NULL},
    {"POST", "/psp_kernel", "{\"t\": \"1", 400, "truncated_json", NULL},
    {"POST", "/psp_kernel", "t=1", 400, "invalid_json", NULL},
    {"POST", "/psp_kernel", "{'t': [1]}", 400, "invalid_json", NULL},
    {"POST", "/psp_kernel", "{\"t\": [1]} {}", 400, "invalid_json", NULL},
    {"POST", "/psp_kernel", "{\"t\": [1,]}", 400, "invalid_json", NULL},
    {"POST", "/psp_kernel", "{\"t\": [NaN]}", 400, "invalid_json", NULL},
    {"POST", "/psp_kernel", "{\"t\": [Infinity]}", 400, "invalid_json", NULL},
    {"POST", "/psp_kernel", "{\"t\": [-Infinity]}", 400, "invalid_json", NULL},
    {"POST", "/psp_kernel", "{\"t\\u0000\": [1]}", 400, "invalid_json", NULL},
    {"POST", "/psp_kernel", "{\"\xff\": [1]}", 400, "invalid_utf8", NULL},
    {"POST", "/psp_kernel", "{\"t\": [1e999]}", 400, "number_out_of_range", NULL},
    {"POST", "/psp_kernel", "{\"t\": [-1e999]}", 400, "number_out_of_range", NULL},
    {"POST", "/psp_kernel", "{\"t\": [1], \"t\": [2]}", 400, "duplicate_key", NULL},
    {"POST", "/models", "{\"encoder\": {\"m\": 3, \"m\": 4}}", 400, "duplicate_key", NULL},
};

START_TEST(bodies_that_are_no_json_are_refused)
{
    check_row(&unreadable[_i]);
}
END_TEST

START_TEST(deep_nesting_is_refused)
{
    char body[20001] = "";
    memset(body, '[', sizeof body - 1);
    const struct row row = {"POST", "/psp_kernel", body, 400, "nesting_too_deep", NULL};
    check_row(&row);
}
END_TEST

#define TUNING "\"m\": 4, \"x_min\": [0], \"x_max\": [1]"

static const struct row wrong_functions[] = {
    {"POST", "/psp_kernel", "[]", 422, "wrong_type", ""},
    {"POST", "/psp_kernel", "{}", 422, "missing_field", "/t"},
    {"POST", "/psp_kernel", "{\"t\": null}", 422, "missing_field", "/t"},
    {"POST", "/psp_kernel", "{\"t\": 1}", 422, "wrong_type", "/t"},
    {"POST", "/psp_kernel", "{\"t\": []}", 422, "empty_batch", "/t"},
    {"POST", "/psp_kernel", "{\"t\": [1, \"2\"]}", 422, "wrong_type", "/t/1"},
    {"POST", "/psp_kernel", "{\"t\": [1, null]}", 422, "wrong_type", "/t/1"},
    {"POST", "/psp_kernel", "{\"t\": [[1]]}", 422, "wrong_type", "/t/0"},
    {"POST", "/psp_kernel", "{\"t\": [1, 1e39]}", 422, "not_finite", "/t/1"},
    {"POST", "/psp_kernel", "{\"t\": [-1e39]}", 422, "not_finite", "/t/0"},
    {"POST", "/psp_kernel", "{\"t\": [1], \"tau\": \"15\"}", 422, "wrong_type", "/tau"},
    {"POST", "/psp_kernel", "{\"t\": [1], \"tau\": 0}", 422, "out_of_range", "/tau"},
    {"POST", "/psp_kernel", "{\"t\": [1], \"tau_s\": -1}", 422, "out_of_range", "/tau_s"},
    {"POST", "/psp_kernel", "{\"t\": [1], \"tau_s\": 15}", 422, "equal_time_constants", "/tau_s"},
    {"POST", "/psp_kernel", "{\"t\": [1], \"Tau\": 5}", 422, "unknown_field", "/Tau"},
    {"POST", "/psp_kernel", "{\"t\": [1], \"a/b~\": 5}", 422, "unknown_field", "/a~1b~0"},

    {"POST", "/encode", "{" TUNING "}", 422, "missing_field", "/x"},
    {"POST", "/encode", "{" TUNING ", \"x\": []}", 422, "empty_batch", "/x"},
    {"POST", "/encode", "{" TUNING ", \"x\": [[]]}", 422, "wrong_shape", "/x/0"},
    {"POST", "/encode", "{" TUNING ", \"x\": [[1], [1, 2]]}", 422, "ragged_array", "/x/1"},
    {"POST", "/encode", "{" TUNING ", \"x\": [[[1, 2]], [[1]]]}", 422, "ragged_array", "/x/1/0"},
    {"POST", "/encode", "{" TUNING ", \"x\": [[1], 2]}", 422, "wrong_type", "/x/1"},
    {"POST", "/encode", "{" TUNING ", \"x\": [1]}", 422, "wrong_type", "/x/0"},
    {"POST", "/encode", "{" TUNING ", \"x\": [[1, 2]]}", 422, "wrong_shape", "/x"},
    {"POST", "/encode", "{\"m\": 2, \"x_min\": [0], \"x_max\": [1], \"x\": [[0]]}", 422,
     "out_of_range", "/m"},
    {"POST", "/encode", "{\"m\": 1025, \"x_min\": [0], \"x_max\": [1], \"x\": [[0]]}", 422,
     "out_of_range", "/m"},
    {"POST", "/encode", "{\"m\": 3.5, \"x_min\": [0], \"x_max\": [1], \"x\": [[0]]}", 422,
     "wrong_type", "/m"},
    {"POST", "/encode", "{\"m\": 4, \"x_min\": [0, 1], \"x_max\": [1, 1], \"x\": [[0, 1]]}", 422,
     "empty_range", "/x_max/1"},
    {"POST", "/encode", "{\"m\": 4, \"x_min\": [2], \"x_max\": [1], \"x\": [[0]]}", 422,
     "empty_range", "/x_max/0"},
    {"POST", "/encode", "{\"m\": 4, \"x_min\": [0], \"x_max\": [1e30], \"x\": [[0]]}", 422,
     "out_of_range", "/x_max/0"},
    {"POST", "/encode", "{\"m\": 4, \"x_min\": [0], \"x_max\": [1, 2], \"x\": [[0]]}", 422,
     "wrong_shape", "/x_max"},
    {"POST", "/encode", "{" TUNING ", \"x\": [[0]], \"max_spike_time\": 0}", 422, "out_of_range",
     "/max_spike_time"},

    {"POST", "/mse_loss",
     "{\"v_max\": [[1, 2]], \"v_threshold\": 1, \"label\": [2], \"num_classes\": 2}", 422,
     "label_out_of_range", "/label/0"},
    {"POST", "/mse_loss",
     "{\"v_max\": [[1, 2]], \"v_threshold\": 1, \"label\": [-1], \"num_classes\": 2}", 422,
     "label_out_of_range", "/label/0"},
    {"POST", "/mse_loss",
     "{\"v_max\": [[1, 2]], \"v_threshold\": 1, \"label\": [0.5], \"num_classes\": 2}", 422,
     "label_out_of_range", "/label/0"},
    {"POST", "/mse_loss",
     "{\"v_max\": [[1, 2]], \"v_threshold\": 1, \"label\": [0, 1], \"num_classes\": 2}", 422,
     "wrong_shape", "/label"},
    {"POST", "/mse_loss",
     "{\"v_max\": [[1, 2]], \"v_threshold\": 1, \"label\": [0], \"num_classes\": 3}", 422,
     "wrong_shape", "/v_max"},
    {"POST", "/mse_loss",
     "{\"v_max\": [[1, 2]], \"v_threshold\": [1, 1], \"label\": [0], \"num_classes\": 2}", 422,
     "wrong_shape", "/v_threshold"},
    {"POST", "/mse_loss", "{\"v_max\": [[1, 2]], \"label\": [0], \"num_classes\": 2}", 422,
     "missing_field", "/v_threshold"},
};

START_TEST(wrong_fields_of_functions_are_named)
{
    check_row(&wrong_functions[_i]);
}
END_TEST

/* 1024 neurons for each of 16385 values are more than an answer may hold. */
START_TEST(encodings_beyond_the_limit_are_refused)
{
    enum { VALUES = 16385 };
    char *body = NULL;
    size_t size;
    FILE *stream = open_memstream(&body, &size);
    fputs("{\"m\": 1024, \"x_min\": [0], \"x_max\": [1], \"x\": [[[0", stream);
    for (int i = 1; i < VALUES; i++)
        fputs(",0", stream);
    fputs("]]]}", stream);
    fclose(stream);
    const struct row row = {"POST", "/encode", body, 422, "too_large", "/x"};
    check_row(&row);
    free(body);
}
END_TEST

/* --- models --- */

#define SHAPE "\"in_features\": 2, \"out_features\": 2, \"T\": 10"
#define CODED "\"out_features\": 2, \"encoder\": {\"type\": \"gaussian_tuning\", "
#define A64   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct row wrong_models[] = {
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
    check_row(&wrong_models[_i]);
}
END_TEST

START_TEST(every_wrong_field_is_named)
{
    static const char *const pointers[] = {"/in_features", "/out_features", "/T", "/tau", "/extra"};
    struct http_answer answer = http_send(&server, "POST", "/models",
                                          "{\"in_features\": 0, \"out_features\": 0, \"T\": 0, "
                                          "\"tau\": 0, \"extra\": 0}",
                                          NULL);
    assert_problem(&answer, 422, "out_of_range", "/in_features");
    const json_t *errors = json_object_get(answer.json, "errors");
    ck_assert_uint_eq(json_array_size(errors), 5);
    for (size_t i = 0; i < 5; i++)
        ck_assert_str_eq(text(json_array_get(errors, i), "pointer"), pointers[i]);
    http_answer_finish(&answer);
}
END_TEST

/* --- samples and runs --- */

#define PREDICT "/models/plain/predict"
#define TRAIN   "/models/named/train"

static const struct row wrong_samples[] = {
    {"POST", PREDICT, "{}", 422, "missing_field", "/in_spikes"},
    {"POST", PREDICT, "{\"x\": [[1, 2]]}", 422, "conflicting_fields", "/x"},
    {"POST", PREDICT, "{\"in_spikes\": []}", 422, "empty_batch", "/in_spikes"},
    {"POST", PREDICT, "{\"in_spikes\": [[1]]}", 422, "wrong_shape", "/in_spikes"},
    {"POST", PREDICT, "{\"in_spikes\": [[1, 2], [1]]}", 422, "ragged_array", "/in_spikes/1"},
    {"POST", PREDICT, "{\"in_spikes\": [[1, 1e39]]}", 422, "not_finite", "/in_spikes/0/1"},
    {"POST", PREDICT, "{\"in_spikes\": [[1, 2]], \"ret_type\": 1}", 422, "wrong_type", "/ret_type"},
    {"POST", PREDICT, "{\"in_spikes\": [[1, 2]], \"ret_type\": \"volts\"}", 422, "unknown_value",
     "/ret_type"},
    {"POST", PREDICT, "{\"in_spikes\": [[1, 2]], \"ret_type\": [\"v\", \"volts\"]}", 422,
     "unknown_value", "/ret_type/1"},
    {"POST", PREDICT, "{\"in_spikes\": [[1, 2]], \"ret_type\": []}", 422, "wrong_shape",
     "/ret_type"},
    {"POST", PREDICT, "{\"in_spikes\": [[1, 2]], \"ret_typ\": \"v\"}", 422, "unknown_field",
     "/ret_typ"},
    {"POST", "/models/plain/versions/1/predict", "{}", 422, "missing_field", "/in_spikes"},
    {"POST", "/models/long/predict", "{\"in_spikes\": [[1], [2]], \"ret_type\": \"v\"}", 422,
     "too_large", "/in_spikes"},
    {"POST", "/models/named/predict", "{\"x\": [[1]], \"in_spikes\": [[1, 2, 3, 4]]}", 422,
     "conflicting_fields", "/in_spikes"},
    {"POST", "/models/named/encode", "{}", 422, "missing_field", "/x"},
    {"POST", "/models/named/encode", "{\"x\": [[1]], \"m\": 5}", 422, "unknown_field", "/m"},
    {"POST", "/models/plain/encode", "{\"x\": [[1]]}", 422, "conflicting_fields", NULL},

    {"POST", "/models/plain/evaluate", "{\"in_spikes\": [[1, 2]]}", 422, "missing_field", "/label"},
    {"POST", "/models/plain/evaluate", "{\"in_spikes\": [[1, 2]], \"label\": [2]}", 422,
     "label_out_of_range", "/label/0"},

    {"POST", TRAIN, "{\"x\": [[1]]}", 422, "missing_field", "/label"},
    {"POST", TRAIN, "{\"x\": [[1]], \"label\": 0}", 422, "wrong_type", "/label"},
    {"POST", TRAIN, "{\"x\": [[1]], \"label\": [0.5]}", 422, "wrong_type", "/label/0"},
    {"POST", TRAIN, "{\"x\": [[1]], \"label\": [0, 1]}", 422, "wrong_shape", "/label"},
    {"POST", TRAIN, "{\"x\": [[1], [2]], \"label\": [0, 2]}", 422, "label_out_of_range",
     "/label/1"},
    {"POST", TRAIN, "{\"x\": [[1]], \"label\": [-1]}", 422, "label_out_of_range", "/label/0"},
    {"POST", TRAIN, "{\"x\": [[1]], \"label\": [\"middle\"]}", 422, "unknown_label", "/label/0"},
    {"POST", "/models/plain/train", "{\"in_spikes\": [[1, 2]], \"label\": [\"low\"]}", 422,
     "unknown_label", "/label/0"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"epochs\": 0}", 422, "out_of_range", "/epochs"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"margin_target\": 2}", 422, "conflicting_fields",
     "/margin_target"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"loss\": \"margin\", \"margin_other\": 1.5}", 422,
     "conflicting_fields", "/margin_other"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"learning_rate_schedule\": \"step\"}", 422,
     "unknown_value", "/learning_rate_schedule"},
    {"POST", TRAIN,
     "{" NAMED_SAMPLES ", \"learning_rate_schedule\": \"cosine\", \"learning_rate_decay\": 0.5}",
     422, "conflicting_fields", "/learning_rate_decay"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"weight_decay\": -1}", 422, "out_of_range",
     "/weight_decay"},
    {"POST", "/models/plain/predict", "{\"in_spikes\": [[1, [2, -3]]]}", 422, "out_of_range",
     "/in_spikes/0/1/1"},
    {"POST", "/models/plain/predict", "{\"in_spikes\": [[1, [2, \"a\"]]]}", 422, "wrong_type",
     "/in_spikes/0/1/1"},
    {"POST", "/models/plain/predict", "{\"in_spikes\": [[1, [2]], [true, [1]]]}", 422, "wrong_type",
     "/in_spikes/1/0"},
    {"POST", "/models/plain/predict", "{\"in_spikes\": [[1, [2]], [1]]}", 422, "wrong_shape",
     "/in_spikes/1"},
    {"POST", "/models/plain/predict", "{\"in_spikes\": [[1, [2]], 1]}", 422, "wrong_type",
     "/in_spikes/1"},
    {"POST", "/models/plain/predict", "{\"in_spikes\": [[1, [1e39]]]}", 422, "not_finite",
     "/in_spikes/0/1/0"},
    {"POST", "/models/plain/predict", "{\"in_spikes\": [[1, 2]], \"explain\": 1}", 422,
     "wrong_type", "/explain"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"epochs\": 100001}", 422, "out_of_range", "/epochs"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"batch_size\": 0}", 422, "out_of_range", "/batch_size"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"learning_rate\": 0}", 422, "out_of_range",
     "/learning_rate"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"learning_rate_decay\": 2}", 422, "out_of_range",
     "/learning_rate_decay"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"momentum\": -1}", 422, "out_of_range", "/momentum"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"optimizer\": \"rms\"}", 422, "unknown_value",
     "/optimizer"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"loss\": \"hinge\"}", 422, "unknown_value", "/loss"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"shuffle\": \"yes\"}", 422, "wrong_type", "/shuffle"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"beta\": 5}", 422, "conflicting_fields", "/beta"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"optimizer\": \"adam\", \"momentum\": 0.9}", 422,
     "conflicting_fields", "/momentum"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"patience\": 3}", 422, "conflicting_fields", "/patience"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"validation_fraction\": 1}", 422, "out_of_range",
     "/validation_fraction"},
    {"POST", TRAIN, "{\"x\": [[1]], \"label\": [0], \"validation_fraction\": 0.5}", 422,
     "out_of_range", "/validation_fraction"},
    {"POST", TRAIN,
     "{" NAMED_SAMPLES ", \"validation_fraction\": 0.5, \"validation\": {" NAMED_SAMPLES "}}", 422,
     "conflicting_fields", "/validation_fraction"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"validation\": {\"x\": [[1]], \"label\": [2]}}", 422,
     "label_out_of_range", "/validation/label/0"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"validation\": {\"x\": [[1, 2]], \"label\": [0]}}", 422,
     "wrong_shape", "/validation/x"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"epoch\": 5}", 422, "unknown_field", "/epoch"},
    {"POST", "/runs/1/cancel", NULL, 409, "run_ended", NULL},
};

START_TEST(wrong_samples_and_parameters_are_refused_by_field)
{
    check_row(&wrong_samples[_i]);
}
END_TEST

/* 100000 steps for each of 4000 samples are more than one prediction may take. */
START_TEST(batches_beyond_the_limit_are_refused)
{
    char body[32768] = "{\"in_spikes\": [[1]";
    for (int i = 1; i < 4000; i++)
        strcat(body, ",[1]");
    strcat(body, "]}");
    const struct row row = {"POST", "/models/long/predict", body, 422, "too_large", "/in_spikes"};
    check_row(&row);
}
END_TEST

START_TEST(a_model_in_use_is_not_deleted)
{
    create("{\"id\": \"busy\", \"in_features\": 2, \"out_features\": 2, \"T\": 1000}");
    json_t *run = http_call(
        &server, 202, "POST", "/models/busy/train",
        json_pack("{s[[i,i]], s[i], s:i}", "in_spikes", 1, 2, "label", 0, "epochs", 100000));
    char cancel[64];
    snprintf(cancel, sizeof cancel, "/runs/%lld/cancel",
             (long long)json_integer_value(json_object_get(run, "id")));
    json_decref(run);
    const struct row row = {"DELETE", "/models/busy", NULL, 409, "model_in_use", NULL};
    check_row(&row);
    json_decref(http_call(&server, 202, "POST", cancel, NULL));
}
END_TEST

/* --- paths, methods, parameters --- */

static const struct row missing[] = {
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
    check_row(&missing[_i]);
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
    assert_problem(&answer, 405, "method_not_allowed", NULL);
    ck_assert_str_eq(http_header(&answer, "allow"), wrong_methods[_i].allow);
    http_answer_finish(&answer);
}
END_TEST

static const struct row wrong_parameters[] = {
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
    {"POST", "/encode?m=4", "{}", 422, "invalid_parameter", "m"},
};

START_TEST(wrong_parameters_are_named)
{
    check_row(&wrong_parameters[_i]);
}
END_TEST

/* --- headers --- */

static const struct {
    const char *header;
    long status;
    const char *code; /* NULL: served */
} headers[] = {
    {"Content-Type: application/json", 200, NULL},
    {"Content-Type: application/json; charset=utf-8", 200, NULL},
    {"Content-Type: application/x-www-form-urlencoded", 200, NULL},
    {"Content-Type:", 200, NULL},
    {"Content-Encoding: identity", 200, NULL},
    {"Content-Encoding: br", 415, "unsupported_media_type"},
    {"Content-Type: text/plain", 415, "unsupported_media_type"},
    {"Content-Type: application/jsonp", 415, "unsupported_media_type"},
    {"Content-Type: multipart/form-data; boundary=x", 415, "unsupported_media_type"},
    {"Host: localhost:8080", 200, NULL},
    {"Host: tempotron.localhost", 200, NULL},
    {"Host: [::1]:80", 200, NULL},
    {"Host: evil.example", 403, "foreign_host"},
    {"Host: localhost.evil.example", 403, "foreign_host"},
    {"Host: 127.0.0.1.evil.example", 403, "foreign_host"},
    {"Host: evillocalhost", 403, "foreign_host"},
    {"Origin: http://evil.example", 403, "foreign_origin"},
    {"Origin: http://localhost:1", 403, "foreign_origin"},
    {"Origin: null", 403, "foreign_origin"},
    {"Sec-Fetch-Site: cross-site", 403, "foreign_origin"},
    {"Sec-Fetch-Site: same-site", 403, "foreign_origin"},
    {"Sec-Fetch-Site: same-origin", 200, NULL},
    {"Sec-Fetch-Site: none", 200, NULL},
};

START_TEST(foreign_pages_and_media_types_are_refused)
{
    struct http_answer answer =
        http_send(&server, "POST", "/psp_kernel", "{\"t\": [0]}", headers[_i].header, NULL);
    if (headers[_i].code != NULL)
        assert_problem(&answer, headers[_i].status, headers[_i].code, NULL);
    ck_assert_msg(answer.status == headers[_i].status, "%s: %ld", headers[_i].header,
                  answer.status);
    http_answer_finish(&answer);
}
END_TEST

START_TEST(pages_of_the_same_origin_are_served)
{
    char origin[128];
    snprintf(origin, sizeof origin, "Origin: http://%s", server.address);
    struct http_answer answer =
        http_send(&server, "POST", "/psp_kernel", "{\"t\": [0]}", origin, NULL);
    ck_assert_int_eq(answer.status, 200);
    http_answer_finish(&answer);
}
END_TEST

START_TEST(only_the_hosts_that_were_named_are_answered)
{
    static const struct {
        const char *host;
        long status;
    } hosts[] = {{"Host: iris.example", 200},     {"Host: IRIS.example:8080", 200},
                 {"Host: localhost:8080", 200},   {"Host: 127.0.0.1", 200},
                 {"Host: evil.example", 403},     {"Host: a.iris.example", 403},
                 {"Host: iris.example.evil", 403}};
    struct service named;
    service_start(&named, FLAGS("--hosts", "iris.example,localhost"));
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct http_answer answer = http_send(&named, "GET", "/models", NULL, hosts[i].host, NULL);
        ck_assert_msg(answer.status == hosts[i].status, "%s: %ld", hosts[i].host, answer.status);
        http_answer_finish(&answer);
    }
    service_finish(&named);
}
END_TEST

/* The form of a request target that is for proxies; its host counts, not the header. */
static const struct {
    const char *request;
    long status;
    const char *code; /* NULL: served */
} absolute_targets[] = {
    {"GET http://127.0.0.1:8080/models HTTP/1.1\r\nHost: localhost", 200, NULL},
    {"GET HTTP://LOCALHOST/models?limit=2 HTTP/1.1\r\nHost: localhost", 200, NULL},
    {"GET http://localhost/models HTTP/1.1\r\nHost: evil.example", 200, NULL},
    {"GET http://localhost/models HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost", 200,
     NULL},
    {"POST http://localhost/psp_kernel HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"
     "{\"t\": [0]}",
     200, NULL},
    {"GET http://evil.example/models HTTP/1.1\r\nHost: localhost", 403, "foreign_host"},
    {"GET http://localhost@evil.example/models HTTP/1.1\r\nHost: localhost", 403, "foreign_host"},
    {"GET http:///models HTTP/1.1\r\nHost: localhost", 404, "not_found"},
    {"GET http://localhost HTTP/1.1\r\nHost: localhost", 404, "not_found"},
    {"GET http://localhost?/models HTTP/1.1\r\nHost: localhost", 404, "not_found"},
    {"GET ftp://localhost/models HTTP/1.1\r\nHost: localhost", 404, "not_found"},
};

START_TEST(an_absolute_request_target_is_understood)
{
    char bytes[512];
    struct http_answer answer;
    const char *request = absolute_targets[_i].request, *body = strstr(request, "\r\n\r\n");
    const int head = body != NULL ? (int)(body - request) : (int)strlen(request);
    snprintf(bytes, sizeof bytes, "%.*s\r\nConnection: close%s", head, request,
             body != NULL ? body : "\r\n\r\n");
    http_exchange_bytes(&server, bytes, strlen(bytes), &answer);
    if (absolute_targets[_i].code != NULL)
        assert_problem(&answer, absolute_targets[_i].status, absolute_targets[_i].code, NULL);
    ck_assert_msg(answer.status == absolute_targets[_i].status, "%s: %ld", request, answer.status);
    http_answer_finish(&answer);
}
END_TEST

/* The fields that an answer names, in order, with spaces between them. */
static void named_fields(const struct http_answer *answer, char *names, size_t size)
{
    size_t index;
    json_t *error;
    *names = '\0';
    json_array_foreach(json_object_get(answer->json, "errors"), index, error) {
        const size_t length = strlen(names);
        snprintf(names + length, size - length, "%s%s", index > 0 ? " " : "",
                 text(error, "pointer"));
    }
}

static const struct {
    const char *path;
    const char *body;
    const char *names;
} several[] = {
    {"/models/named/train", "{\"x\": [[\"a\"]], \"label\": \"zzz\", \"epochs\": 0}",
     "/x/0/0 /label /epochs"},
    {"/models/named/train", "{" NAMED_SAMPLES ", \"epochs\": 0, \"patience\": 3}",
     "/epochs /patience"},
    {"/models/named/train",
     "{" NAMED_SAMPLES ", \"epochs\": 0, \"validation\": {" NAMED_SAMPLES
     "}, \"validation_fraction\": 0.2}",
     "/epochs /validation_fraction"},
    {"/models/named/train",
     "{\"x\": [[1, 2]], \"label\": [9], \"validation\": {\"x\": [[0.1]], \"label\": [\"q\"]}}",
     "/x /label/0 /validation/label/0"},
    {"/models",
     "{\"in_features\": 1, \"T\": 9, \"out_features\": 2, \"labels\": [\"a\"], \"spikes_most\": 5}",
     "/spikes_most /labels"},
    {"/models",
     "{\"in_features\": 1, \"T\": 9, \"out_features\": 1, \"score_beta\": 2, \"hidden_spike\": "
     "\"peak\", "
     "\"tau\": 0, \"max_spikes\": 9}",
     "/score_beta /hidden_spike /tau /max_spikes"},
    {"/models/named/train",
     "{" NAMED_SAMPLES ", \"learning_rate_schedule\": \"cosine\", \"learning_rate_decay\": 0.5, "
     "\"optimizer\": \"adam\", \"momentum\": 0.9, \"beta\": 5, \"dropout\": 0, \"slope_floor\": 1}",
     "/learning_rate_decay /momentum /beta /dropout /slope_floor"},
};

START_TEST(wrong_fields_are_named_whatever_else_is_wrong)
{
    char names[256];
    struct http_answer answer =
        http_send(&server, "POST", several[_i].path, several[_i].body, NULL);
    ck_assert_int_eq(answer.status, 422);
    named_fields(&answer, names, sizeof names);
    ck_assert_str_eq(names, several[_i].names);
    http_answer_finish(&answer);
}
END_TEST

START_TEST(details_that_quote_long_names_are_valid_utf8)
{
    char body[1024] = "{\"x\": [[0.1]], \"label\": [\"a";
    for (int i = 0; i < 200; i++)
        strcat(body, "\xc3\xa9");
    strcat(body, "\"]}");
    struct http_answer answer = http_send(&server, "POST", "/models/named/train", body, NULL);
    assert_problem(&answer, 422, "unknown_label", "/label/0"); /* jansson reads UTF-8 alone */
    http_answer_finish(&answer);
}
END_TEST

START_TEST(work_that_would_hold_up_others_is_refused)
{
    enum { SAMPLES = 5000 };
    const char *paths[] = {"/models/long/evaluate", "/models/long/predict"};
    char body[SAMPLES * 8 + 64] = "{\"in_spikes\": [[0]";
    for (int i = 1; i < SAMPLES; i++)
        strcat(body, ",[0]");
    strcat(body, "]");
    for (int i = 0; _i == 0 && i < SAMPLES; i++)
        strcat(body, i == 0 ? ", \"label\": [0" : ",0");
    strcat(body, _i == 0 ? "]}" : "}");
    struct http_answer answer = http_send(&server, "POST", paths[_i], body, NULL);
    assert_problem(&answer, 422, "too_large", "/in_spikes");
    http_answer_finish(&answer);
}
END_TEST

/* 300 spikes for 65536 outputs: more numbers than a run may keep of one sample. */
START_TEST(a_sample_of_too_many_spikes_is_refused)
{
    char body[2048] = "{\"label\": [0], \"in_spikes\": [[[0";
    create("{\"id\": \"broad\", \"in_features\": 1, \"out_features\": 65536, \"T\": 100, "
           "\"clock\": \"continuous\"}");
    for (int i = 1; i < 300; i++)
        strcat(body, ",1");
    strcat(body, "]]]}");
    struct http_answer answer = http_send(&server, "POST", "/models/broad/train", body, NULL);
    assert_problem(&answer, 422, "too_large", "/in_spikes/0");
    http_answer_finish(&answer);
}
END_TEST

START_TEST(a_wrong_encoder_is_all_that_is_named)
{
    struct http_answer answer =
        http_send(&server, "POST", "/models",
                  "{\"out_features\": 2, \"encoder\": {\"type\": \"gaussian_tuning\", \"m\": 2,"
                  " \"x_min\": [0, 0], \"x_max\": [1]}}",
                  NULL);
    assert_problem(&answer, 422, "out_of_range", "/encoder/m");
    const json_t *errors = json_object_get(answer.json, "errors");
    ck_assert_uint_eq(json_array_size(errors), 2);
    ck_assert_str_eq(text(json_array_get(errors, 1), "pointer"), "/encoder/x_max");
    http_answer_finish(&answer);
}
END_TEST

/* --- bytes that no client library sends --- */

#define HOST "Host: localhost\r\n"
#define POST "POST /psp_kernel HTTP/1.1\r\n" HOST
#define BODY "{\"t\": [0]}" /* 10 bytes */
#define NEXT "GET /health/live HTTP/1.1\r\n" HOST "\r\n"

/* The last words of each are a request that must not be taken for one. libmicrohttpd refuses some
 * of them itself, before a handler is asked, hence without a problem document. */
static const char *const smuggling[] = {
    POST "Content-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT,
    POST "Transfer-Encoding: chunked\r\nContent-Length: 10\r\n\r\n0\r\n\r\n" NEXT,
    POST "Content-Length: 10\r\nContent-Length: 10\r\n\r\n" BODY NEXT,
    POST "Content-Length: 0\r\nContent-Length: 10\r\n\r\n" BODY NEXT,
    POST "Content-Length: +10\r\n\r\n" BODY NEXT,
    POST "Content-Length: 1e1\r\n\r\n" BODY NEXT,
    POST "Content-Length: 10, 10\r\n\r\n" BODY NEXT,
    POST "Content-Length: -1\r\n\r\n" BODY NEXT,
    POST "Content-Length: 99999999999999999999999\r\n\r\n" BODY NEXT,
    POST "Content-Length : 10\r\n\r\n" BODY NEXT,
    POST "Transfer-Encoding: gzip\r\n\r\n" BODY NEXT,
    POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" NEXT,
    POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT,
    POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" NEXT,
    POST "X-Folded: a\r\n Content-Length: 10\r\n\r\n" BODY NEXT,
    POST HOST "Content-Length: 10\r\n\r\n" BODY NEXT,
    POST "Transfer-Encoding: chunked\r\n\r\nzz\r\n" BODY "\r\n0\r\n\r\n" NEXT,
    "POST /psp_kernel HTTP/1.1\r\nContent-Length: 10\r\n\r\n" BODY NEXT,
    POST "Content-Length:\r\n 10\r\n\r\n" BODY NEXT,
    POST "Content-Length: 1\r\n 0\r\n\r\n" BODY NEXT,
    POST "Content-Length: 10\r\n: x\r\n\r\n" BODY NEXT,
    POST "Content-Length: 10\r\n:\r\n\r\n" BODY NEXT,
    POST "Content-Length: 10\r\n:\r\n" NEXT,
    "POST /psp_kernel HTTP/1.1\r\n: x\r\n" HOST "Content-Length: 10\r\n\r\n" BODY NEXT,
    POST "Content-Length: 10\n\r\n" BODY NEXT,
    "POST /psp_kernel HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT,
};

START_TEST(requests_that_could_be_read_two_ways_are_refused_and_cut_off)
{
    struct http_answer answer;
    http_exchange_bytes(&server, smuggling[_i], strlen(smuggling[_i]), &answer);
    ck_assert_msg(answer.status == 400 || answer.status == 413, "%ld %s", answer.status,
                  answer.body);
    ck_assert_msg(strstr(answer.body, "HTTP/1.1 200") == NULL, "it was served: %s", answer.body);
    http_answer_finish(&answer);
}
END_TEST

START_TEST(contradicting_lengths_are_named_malformed)
{
    struct http_answer answer;
    http_exchange_bytes(&server, smuggling[0], strlen(smuggling[0]), &answer);
    assert_problem(&answer, 400, "malformed_request", NULL);
    ck_assert_str_eq(http_header(&answer, "connection"), "close");
    http_answer_finish(&answer);
}
END_TEST

START_TEST(a_body_where_none_belongs_is_refused)
{
    static const struct row row = {"DELETE", "/models/plain", "{}", 400, "malformed_request", NULL};
    check_row(&row);
}
END_TEST

START_TEST(a_body_announced_too_large_is_refused_unread)
{
    static const char bytes[] = POST "Content-Length: 999999\r\n\r\n";
    struct http_answer answer;
    http_exchange_bytes(&server, bytes, sizeof bytes - 1, &answer);
    assert_problem(&answer, 413, "body_too_large", NULL);
    http_answer_finish(&answer);
}
END_TEST

START_TEST(a_client_that_waits_for_100_continue_is_told_that_its_body_is_too_large)
{
    static const char bytes[] = POST "Content-Length: 65537\r\nExpect: 100-continue\r\n\r\n";
    struct http_answer answer;
    http_exchange_bytes(&server, bytes, sizeof bytes - 1, &answer);
    assert_problem(&answer, 413, "body_too_large", NULL);
    http_answer_finish(&answer);
}
END_TEST

START_TEST(what_stands_behind_a_nul_is_not_passed_over)
{
    static const char bytes[] = POST "Content-Length: 10\0 9\r\n\r\n" BODY;
    struct http_answer answer;
    http_exchange_bytes(&server, bytes, sizeof bytes - 1, &answer);
    ck_assert_int_eq(answer.status, 400);
    http_answer_finish(&answer);
}
END_TEST

/* `size` blanks and a request's JSON, in chunks of at most 4 KiB. */
static char *chunked_request(size_t size)
{
    char *bytes = NULL;
    size_t length;
    FILE *stream = open_memstream(&bytes, &length);
    fputs(POST "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n", stream);
    for (size_t left = size; left > 0;) {
        const size_t piece = left < 4096 ? left : 4096;
        fprintf(stream, "%zx\r\n%*s\r\n", piece, (int)piece, "");
        left -= piece;
    }
    fputs("a\r\n" BODY "\r\n0\r\n\r\n", stream);
    fclose(stream);
    return bytes;
}

START_TEST(a_body_without_length_may_have_the_limit_exactly)
{
    struct http_answer answer;
    char *bytes = chunked_request(MAX_BODY - strlen(BODY));
    http_exchange_bytes(&server, bytes, strlen(bytes), &answer);
    ck_assert_msg(answer.status == 200, "%ld %s", answer.status, answer.body);
    http_answer_finish(&answer);
    free(bytes);
}
END_TEST

START_TEST(a_body_without_length_is_refused_beyond_the_limit)
{
    struct http_answer answer;
    char *bytes = chunked_request(MAX_BODY - strlen(BODY) + 1);
    http_exchange_bytes(&server, bytes, strlen(bytes), &answer);
    assert_problem(&answer, 413, "body_too_large", NULL);
    http_answer_finish(&answer);
    free(bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("errors");
    TCase *tests = fixture_shared_case(suite, "errors", start_server);
    tcase_add_loop_test(tests, bodies_that_are_no_json_are_refused, 0, ROWS(unreadable));
    tcase_add_test(tests, deep_nesting_is_refused);
    tcase_add_loop_test(tests, wrong_fields_of_functions_are_named, 0, ROWS(wrong_functions));
    tcase_add_test(tests, encodings_beyond_the_limit_are_refused);
    tcase_add_loop_test(tests, wrong_models_are_refused_by_field, 0, ROWS(wrong_models));
    tcase_add_test(tests, every_wrong_field_is_named);
    tcase_add_loop_test(tests, wrong_samples_and_parameters_are_refused_by_field, 0,
                        ROWS(wrong_samples));
    tcase_add_test(tests, batches_beyond_the_limit_are_refused);
    tcase_add_test(tests, a_model_in_use_is_not_deleted);
    tcase_add_loop_test(tests, what_is_unknown_is_not_found, 0, ROWS(missing));
    tcase_add_loop_test(tests, a_wrong_method_is_told_the_right_ones, 0, ROWS(wrong_methods));
    tcase_add_loop_test(tests, wrong_parameters_are_named, 0, ROWS(wrong_parameters));
    tcase_add_loop_test(tests, foreign_pages_and_media_types_are_refused, 0, ROWS(headers));
    tcase_add_test(tests, only_the_hosts_that_were_named_are_answered);
    tcase_add_loop_test(tests, an_absolute_request_target_is_understood, 0, ROWS(absolute_targets));
    tcase_add_test(tests, a_sample_of_too_many_spikes_is_refused);
    tcase_add_test(tests, a_wrong_encoder_is_all_that_is_named);
    tcase_add_loop_test(tests, wrong_fields_are_named_whatever_else_is_wrong, 0, ROWS(several));
    tcase_add_test(tests, details_that_quote_long_names_are_valid_utf8);
    tcase_add_loop_test(tests, work_that_would_hold_up_others_is_refused, 0, 2);
    tcase_add_test(tests, pages_of_the_same_origin_are_served);
    tcase_add_loop_test(tests, requests_that_could_be_read_two_ways_are_refused_and_cut_off, 0,
                        ROWS(smuggling));
    tcase_add_test(tests, contradicting_lengths_are_named_malformed);
    tcase_add_test(tests, what_stands_behind_a_nul_is_not_passed_over);
    tcase_add_test(tests, a_body_where_none_belongs_is_refused);
    tcase_add_test(tests, a_body_announced_too_large_is_refused_unread);
    tcase_add_test(tests, a_client_that_waits_for_100_continue_is_told_that_its_body_is_too_large);
    tcase_add_test(tests, a_body_without_length_may_have_the_limit_exactly);
    tcase_add_test(tests, a_body_without_length_is_refused_beyond_the_limit);
    return suite_run(suite);
}
