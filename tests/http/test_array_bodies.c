/* Arrays as bodies, over HTTP: application/x-npy instead of JSON, in and out. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/limits.h"
#include "tests/support/arrays.h"
#include "tests/support/bodies.h"
#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/suite.h"

/* Takes the array. */
static struct http_answer send_npy(const char *method, const char *path, struct bytes npy)
{
    const struct http_answer answer = http_send_bytes(&server, method, path, &npy, NPY_TYPE, NULL);
    bytes_finish(&npy);
    return answer;
}

/* --- arrays in --- */

START_TEST(an_array_of_any_type_is_x)
{
    const char *type = npy_types[_i];
    expect_equal_bodies(
        post_text(&server, "/models/tuned/predict", "{\"x\": " BODY_NUMBERS_JSON "}"),
        send_npy("POST", "/models/tuned/predict", npy_of_numbers(type, "(3, 2)", body_numbers, 6)));
    expect_equal_bodies(
        post_text(&server, "/models/tuned/encode", "{\"x\": " BODY_NUMBERS_JSON "}"),
        send_npy("POST", "/models/tuned/encode", npy_of_numbers(type, "(3, 2)", body_numbers, 6)));
    expect_equal_bodies(post_text(&server, "/models/tuned/evaluate",
                                  "{\"x\": " BODY_NUMBERS_JSON
                                  ", \"label\": [2, 0, 1], \"loss\": \"tempotron\"}"),
                        send_npy("POST", "/models/tuned/evaluate?label=[2,0,1]&loss=tempotron",
                                 npy_of_numbers(type, "(3, 2)", body_numbers, 6)));
    expect_equal_bodies(post_text(&server, "/encode",
                                  "{\"x\": " BODY_NUMBERS_JSON ", \"m\": 3, \"x_min\": [0, 1], "
                                  "\"x_max\": [255, 100]}"),
                        send_npy("POST", "/encode?m=3&x_min=[0,1]&x_max=%5B255,100%5D",
                                 npy_of_numbers(type, "(3, 2)", body_numbers, 6)));
}
END_TEST

START_TEST(dimensions_of_samples_are_flattened_and_those_of_encode_are_not)
{
    expect_equal_bodies(post_text(&server, "/models/tuned/predict", "{\"x\": [[0, 100]]}"),
                        send_npy("POST", "/models/tuned/predict",
                                 npy_of_numbers("|u1", "(1, 2, 1, 1)", body_numbers, 2)));
    expect_equal_bodies(
        post_text(&server, "/models/tuned/encode", "{\"x\": [[[0, 100, 127], [7, 3, 50]]]}"),
        send_npy("POST", "/models/tuned/encode",
                 npy_of_numbers("<f4", "(1, 2, 3)", body_numbers, 6)));
}
END_TEST

START_TEST(parameters_are_json_or_words)
{
    static const struct {
        const char *query, *json;
    } cases[] = {
        {"?ret_type=spikes", "\"ret_type\": \"spikes\""},
        {"?ret_type=%22spikes%22", "\"ret_type\": \"spikes\""},
        {"?ret_type=[%22v%22,%22label%22]&explain=true",
         "\"ret_type\": [\"v\", \"label\"], \"explain\": true"},
        {"?explain=false", "\"explain\": false"},
    };
    char path[128], body[256];
    snprintf(path, sizeof path, "/models/tuned/predict%s", cases[_i].query);
    snprintf(body, sizeof body, "{\"x\": " BODY_NUMBERS_JSON ", %s}", cases[_i].json);
    expect_equal_bodies(post_text(&server, "/models/tuned/predict", body),
                        send_npy("POST", path, npy_of_numbers("<f8", "(3, 2)", body_numbers, 6)));
}
END_TEST

static const struct {
    const char *path, *type, *shape;
    size_t count; /* of numbers */
    long status;
    const char *code, *name;
} wrong_arrays[] = {
    {"/models/tuned/predict", "<f4", "(3, 2)", 5, 422, "truncated_data", ""},
    {"/models/tuned/predict", "<f4", "(2, 2)", 5, 422, "malformed_data", ""},
    {"/models/tuned/predict", "<f4", "(2, 3)", 6, 422, "wrong_shape", "/x"},
    {"/models/tuned/predict", "|u1", "(2, 3)", 6, 422, "wrong_shape", "/x"},
    {"/models/tuned/predict", "|u1", "(6,)", 6, 422, "wrong_shape", "/x"},
    {"/models/tuned/predict", "<f4", "(6,)", 6, 422, "wrong_shape", "/x"},
    {"/models/tuned/predict", "|O", "(3, 2)", 0, 415, "unsupported_format", ""},
    {"/models/tuned/predict", "|u1", "(0, 2)", 0, 422, "empty_batch", ""},
    {"/models/tuned/predict?ret_type=q", "|u1", "(3, 2)", 6, 422, "unknown_value", "/ret_type"},
    {"/models/tuned/predict?explain", "|u1", "(3, 2)", 6, 422, "wrong_type", "/explain"},
    {"/models/tuned/predict?explain=1", "|u1", "(3, 2)", 6, 422, "wrong_type", "/explain"},
    {"/models/tuned/predict?T=1", "|u1", "(3, 2)", 6, 422, "unknown_parameter", "T"},
    {"/models/tuned/predict?explain=true&explain=true", "|u1", "(3, 2)", 6, 422,
     "invalid_parameter", "explain"},
    {"/models/tuned/evaluate", "|u1", "(3, 2)", 6, 422, "missing_field", "/label"},
    {"/models/tuned/evaluate?label=[0,1]", "|u1", "(3, 2)", 6, 422, "wrong_shape", "/label"},
    {"/models/tuned/evaluate?label=[0,1,7]", "|u1", "(3, 2)", 6, 422, "label_out_of_range",
     "/label/2"},
    {"/models/tuned/evaluate?label=[0,1,1e999]", "|u1", "(3, 2)", 6, 422, "wrong_type", "/label"},
    {"/models/tuned/encode", "|u1", "(3, 2, 1, 1)", 6, 422, "wrong_type", "/x/0/0/0"},
    {"/models/tuned/encode", "<f4", "(3, 2, 1, 1, 1, 1, 1, 1)", 6, 422, "wrong_type", "/x/0/0/0"},
    {"/models/plain/encode", "|u1", "(3, 2)", 6, 422, "conflicting_fields", ""},
    {"/encode", "|u1", "(3, 2)", 6, 422, "missing_field", "/m /x_min /x_max"},
    {"/models/nobody/predict", "|u1", "(3, 2)", 6, 404, "model_not_found", ""},
};

START_TEST(wrong_arrays_and_parameters_are_named)
{
    struct bytes values = values_of(wrong_arrays[_i].type[1] == 'O' ? "|u1" : wrong_arrays[_i].type,
                                    body_numbers, wrong_arrays[_i].count);
    struct http_answer answer =
        send_npy("POST", wrong_arrays[_i].path,
                 npy_of(wrong_arrays[_i].type, wrong_arrays[_i].shape, values.at, values.size));
    expect_problem(&answer, wrong_arrays[_i].status, wrong_arrays[_i].code);
    ck_assert_str_eq(problem_names(&answer), wrong_arrays[_i].name);
    http_answer_finish(&answer);
    bytes_finish(&values);
}
END_TEST

START_TEST(a_number_that_is_not_finite_is_named_by_its_place)
{
    static const struct {
        const char *path, *shape, *code, *name;
        size_t place;
    } cases[] = {
        {"/models/tuned/predict", "(3, 2)", "not_finite", "/x/1/0", 2},
        {"/models/tuned/predict", "(3, 2)", "not_finite", "/x/2/1", 5},
        {"/models/tuned/predict", "(3, 2, 1)", "not_finite", "/x/1/1", 3},
        {"/models/tuned/encode", "(1, 2, 3)", "not_finite", "/x/0/1/2", 5},
        {"/models/tuned/encode", "(3, 2, 1, 1, 1)", "wrong_type", "/x/0/0/0", 5},
        {"/models/tuned/encode", "(1, 1, 1, 1, 1, 1, 1, 6)", "wrong_type", "/x/0/0/0", 5},
    };
    static const double bad[] = {0.0 / 0.0, 1.0 / 0.0, 1e300};
    for (int b = 0; b < ROWS(bad); b++) {
        double values[6] = {0};
        values[cases[_i].place] = bad[b];
        struct http_answer answer =
            send_npy("POST", cases[_i].path,
                     npy_of_numbers(b % 2 == 0 ? "<f8" : ">f4", cases[_i].shape, values, 6));
        expect_problem(&answer, 422, cases[_i].code);
        ck_assert_str_eq(problem_names(&answer), cases[_i].name);
        http_answer_finish(&answer);
    }
}
END_TEST

START_TEST(a_body_that_is_not_npy_is_refused)
{
    static const char *const bodies[] = {"", "{\"x\": [[1, 2]]}", "\x93NUMPY", "\x93NUMPY\1\0\xff"};
    struct bytes body = bytes_of(bodies[_i], strlen(bodies[_i]));
    struct http_answer answer = send_npy("POST", "/models/tuned/predict", body);
    expect_problem(&answer, 422, _i < 2 ? "malformed_data" : "truncated_data");
    http_answer_finish(&answer);
}
END_TEST

START_TEST(json_takes_no_parameters_from_the_query)
{
    struct http_answer answer =
        http_send(&server, "POST", "/models/tuned/predict?ret_type=v", "{\"x\": [[1, 2]]}", NULL);
    expect_problem(&answer, 422, "invalid_parameter");
    ck_assert_str_eq(problem_names(&answer), "ret_type");
    http_answer_finish(&answer);
}
END_TEST

START_TEST(an_array_is_accepted_only_by_endpoints_that_take_one)
{
    static const char *const paths[] = {"/models/tuned/train", "/models", "/psp_kernel"};
    struct http_answer answer =
        send_npy("POST", paths[_i], npy_of_numbers("|u1", "(3, 2)", body_numbers, 6));
    expect_problem(&answer, 415, "unsupported_media_type");
    http_answer_finish(&answer);
}
END_TEST

/* --- arrays out --- */

static void expect_npy(const struct http_answer *answer, const char *type, const char *shape,
                       const struct bytes *values)
{
    char dict[128];
    ck_assert_msg(answer->status == 200, "%ld %s", answer->status, answer->body);
    ck_assert_str_eq(http_header(answer, "content-type"), "application/x-npy");
    ck_assert_uint_ge(answer->size, 10);
    const unsigned char *byte = (const unsigned char *)answer->body;
    ck_assert_mem_eq(byte, "\x93NUMPY\1\0", 8);
    const size_t header = 10 + byte[8] + 256u * byte[9];
    ck_assert_uint_eq(header % 64, 0);
    ck_assert_uint_eq(answer->size, header + values->size);
    ck_assert_int_eq(byte[header - 1], '\n');
    const int size = snprintf(
        dict, sizeof dict, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", type, shape);
    ck_assert_mem_eq(byte + 10, dict, (size_t)size);
    ck_assert_mem_eq(byte + header, values->at, values->size);
}

/* All numbers within an array of JSON, as the type's values. */
static void flatten(const json_t *array, const char *type, struct bytes *values)
{
    size_t index;
    json_t *item;
    json_array_foreach(array, index, item) {
        const double number = json_number_value(item);
        if (json_is_array(item)) {
            flatten(item, type, values);
            continue;
        }
        struct bytes value = values_of(type, &number, 1);
        bytes_add(values, value.at, value.size);
        bytes_finish(&value);
    }
}

static const struct {
    const char *path, *parameters, *member, *type, *shape;
} answers[] = {
    {"/models/tuned/predict", "\"ret_type\": \"label\"", "label", "<i4", "(3,)"},
    {"/models/tuned/predict", "\"ret_type\": \"v_max\"", "v_max", "<f4", "(3, 3)"},
    {"/models/tuned/predict", "\"ret_type\": \"spikes\"", "spikes", "<f4", "(3, 3)"},
    {"/models/tuned/predict", "\"ret_type\": [\"v\"]", "v", "<f4", "(3, 3, 50)"},
    {"/models/tuned/encode", "\"x\": " BODY_NUMBERS_JSON, "out_spikes", "<f4", "(3, 2, 4)"},
    {"/encode", "\"m\": 3, \"x_min\": [0, 0], \"x_max\": [1, 1]", "out_spikes", "<f4", "(3, 2, 3)"},
};

START_TEST(one_array_is_answered_as_npy_if_the_client_accepts_it)
{
    char body[256];
    snprintf(body, sizeof body, "{%s%s}", answers[_i].parameters,
             strstr(answers[_i].parameters, "\"x\"") ? "" : ", \"x\": " BODY_NUMBERS_JSON);
    struct bytes values = {0};
    struct http_answer plain = post_text(&server, answers[_i].path, body);
    flatten(json_object_get(plain.json, answers[_i].member), answers[_i].type, &values);
    struct http_answer npy =
        http_send(&server, "POST", answers[_i].path, body, "Accept: application/x-npy", NULL);
    expect_npy(&npy, answers[_i].type, answers[_i].shape, &values);
    http_answer_finish(&npy);
    http_answer_finish(&plain);
    bytes_finish(&values);
}
END_TEST

START_TEST(an_undecided_sample_is_minus_one)
{
    static const double labels[] = {-1, 0};
    struct http_answer answer =
        http_send(&server, "POST", "/models/plain/predict",
                  "{\"in_spikes\": [[-1, -1], [3, 4]], \"ret_type\": \"label\"}",
                  "Accept: application/x-npy", NULL);
    struct bytes values = values_of("<i4", labels, 2);
    ck_assert_uint_eq(answer.size, 128 + 8);
    ck_assert_mem_eq(answer.body + 128, values.at, 4);
    http_answer_finish(&answer);
    bytes_finish(&values);
}
END_TEST

START_TEST(several_arrays_are_json_or_not_acceptable)
{
    static const char *const bodies[] = {
        "{\"x\": [[1, 2]]}", "{\"x\": [[1, 2]], \"ret_type\": \"v\", \"explain\": true}"};
    static const char *const accepts[] = {"Accept: application/x-npy, application/json;q=0.1",
                                          "Accept: application/x-npy, */*"};
    struct http_answer answer = http_send(&server, "POST", "/models/tuned/predict", bodies[_i],
                                          "Accept: application/x-npy", NULL);
    expect_problem(&answer, 406, "not_acceptable");
    http_answer_finish(&answer);
    for (int i = 0; i < ROWS(accepts); i++) {
        answer = http_send(&server, "POST", "/models/tuned/predict", bodies[_i], accepts[i], NULL);
        ck_assert_int_eq(answer.status, 200);
        ck_assert_str_eq(http_header(&answer, "content-type"), "application/json");
        http_answer_finish(&answer);
    }
}
END_TEST

START_TEST(weights_go_out_and_in_as_npy)
{
    struct http_answer before = http_send(&server, "GET", "/models/tuned/weights", NULL, NULL);
    struct http_answer npy =
        http_send(&server, "GET", "/models/tuned/weights", NULL, "Accept: application/x-npy", NULL);
    struct bytes values = {0};
    flatten(json_object_get(before.json, "weight"), "<f4", &values);
    expect_npy(&npy, "<f4", "(3, 8)", &values);
    create_model_of_text(
        &server,
        "{\"id\": \"copy\", \"encoder\": {\"type\": \"gaussian_tuning\", \"m\": 4, \"x_min\": "
        "[0, 0], \"x_max\": [255, 100]}, \"out_features\": 3, \"T\": 50, \"seed\": 2}");
    struct http_answer put = send_npy("PUT", "/models/copy/weights", bytes_of(npy.body, npy.size));
    ck_assert_msg(put.status == 200, "%s", put.body);
    ck_assert_int_eq(json_integer_value(json_object_get(put.json, "version")), 2);
    struct http_answer after = http_send(&server, "GET", "/models/copy/weights", NULL, NULL);
    ck_assert(
        json_equal(json_object_get(before.json, "weight"), json_object_get(after.json, "weight")));
    http_answer_finish(&put);
    put = send_npy("PUT", "/models/copy/weights", npy_of("<f4", "(8, 3)", values.at, values.size));
    expect_problem(&put, 422, "wrong_shape");
    ck_assert_str_eq(problem_names(&put), "/weight");
    http_answer_finish(&put);
    http_answer_finish(&before);
    http_answer_finish(&npy);
    http_answer_finish(&after);
    bytes_finish(&values);
}
END_TEST

/* With the default of --max-body. */
START_TEST(the_largest_weights_fit)
{
    enum { WIDTH = 4096 };
    const size_t size = (size_t)WIDTH * WIDTH * sizeof(float);
    ck_assert_uint_eq(size, (size_t)LIMIT_WEIGHTS * sizeof(float));
    struct service defaults;
    service_start(&defaults, NULL);
    create_model_of_text(&defaults, "{\"id\": \"largest\", \"in_features\": 4096, "
                                    "\"out_features\": 4096, \"T\": 5}");
    float *values = calloc(1, size);
    ck_assert_ptr_nonnull(values);
    struct bytes npy = npy_of("<f4", "(4096, 4096)", values, size);
    struct http_answer put =
        http_send_bytes(&defaults, "PUT", "/models/largest/weights", &npy, NPY_TYPE, NULL);
    ck_assert_msg(put.status == 200, "%ld: %s", put.status, put.body);
    http_answer_finish(&put);
    bytes_finish(&npy);
    free(values);
    service_finish(&defaults);
}
END_TEST

START_TEST(weights_of_other_types_are_converted)
{
    static const double weights[] = {1, -2, 3, 100};
    const char *type = npy_types[1 + _i];
    struct http_answer put =
        send_npy("PUT", "/models/plain/weights", npy_of_numbers(type, "(2, 2)", weights, 4));
    ck_assert_msg(put.status == 200, "%s", put.body);
    http_answer_finish(&put);
    struct http_answer got = http_send(&server, "GET", "/models/plain/weights", NULL, NULL);
    struct bytes expected = values_of("<f8", weights, 4), found = {0};
    flatten(json_object_get(got.json, "weight"), "<f8", &found);
    ck_assert_uint_eq(found.size, expected.size);
    ck_assert_mem_eq(found.at, expected.at, expected.size);
    bytes_finish(&expected);
    bytes_finish(&found);
    http_answer_finish(&got);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("array_bodies");
    TCase *tests = fixture_case(suite, "arrays", bodies_start);
    tcase_add_loop_test(tests, an_array_of_any_type_is_x, 0, NPY_TYPES);
    tcase_add_test(tests, dimensions_of_samples_are_flattened_and_those_of_encode_are_not);
    tcase_add_loop_test(tests, parameters_are_json_or_words, 0, 4);
    tcase_add_loop_test(tests, wrong_arrays_and_parameters_are_named, 0, ROWS(wrong_arrays));
    tcase_add_loop_test(tests, a_number_that_is_not_finite_is_named_by_its_place, 0, 6);
    tcase_add_loop_test(tests, a_body_that_is_not_npy_is_refused, 0, 4);
    tcase_add_test(tests, json_takes_no_parameters_from_the_query);
    tcase_add_loop_test(tests, an_array_is_accepted_only_by_endpoints_that_take_one, 0, 3);
    tcase_add_loop_test(tests, one_array_is_answered_as_npy_if_the_client_accepts_it, 0,
                        ROWS(answers));
    tcase_add_test(tests, an_undecided_sample_is_minus_one);
    tcase_add_loop_test(tests, several_arrays_are_json_or_not_acceptable, 0, 2);
    tcase_add_test(tests, weights_go_out_and_in_as_npy);
    tcase_add_test(tests, the_largest_weights_fit);
    tcase_add_loop_test(tests, weights_of_other_types_are_converted, 0, NPY_TYPES - 1);
    return suite_run(suite);
}
