/* Bodies, over HTTP: arrays as application/x-npy, compression either way, large bodies and heavy
 * work, and the compute pool that takes them, full and at its end. */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "arrays.h"
#include "limits.h"
#include "support/http.h"
#include "support/service.h"
#include "support/suite.h"

enum { MAX_BODY = 1048576 };

#define ROWS(table) ((int)(sizeof(table) / sizeof *(table)))
#define NPY_TYPE    "Content-Type: application/x-npy"

static struct service server;

/* --- asking --- */

static const char *text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value != NULL ? value : "";
}

static void expect_problem(const struct http_answer *answer, long status, const char *code)
{
    ck_assert_msg(answer->status == status && strcmp(text(answer->json, "code"), code) == 0,
                  "expected %ld %s, but %ld came: %s", status, code, answer->status, answer->body);
}

/* The pointer, or the parameter, of the first field that a problem names. */
static const char *named_by(const struct http_answer *answer)
{
    const json_t *first = json_array_get(json_object_get(answer->json, "errors"), 0);
    const char *pointer = text(first, "pointer");
    return *pointer != '\0' ? pointer : text(first, "parameter");
}

static void create(const char *model)
{
    struct http_answer answer = http_send(&server, "POST", "/models", model, NULL);
    ck_assert_msg(answer.status == 201, "%s", answer.body);
    http_answer_finish(&answer);
}

/* "tuned" has an encoder of 2 features with a table of bytes, "plain" has none. */
static void start_server(void)
{
    static const char *const flags[] = {"--max-body", "1048576", "--log", "errors", NULL};
    service_start(&server, flags);
    create("{\"id\": \"tuned\", \"encoder\": {\"type\": \"gaussian_tuning\", \"m\": 4, \"x_min\": "
           "[0, 0], \"x_max\": [255, 100]}, \"out_features\": 3, \"T\": 50, \"seed\": 1}");
    create("{\"id\": \"plain\", \"in_features\": 2, \"out_features\": 2, \"T\": 20}");
}

static void stop_server(void)
{
    service_finish(&server);
}

static struct http_answer post(const char *path, const char *body)
{
    struct http_answer answer = http_send(&server, "POST", path, body, NULL);
    ck_assert_msg(answer.status == 200, "%s: %ld %s", path, answer.status, answer.body);
    return answer;
}

/* Takes the array. */
static struct http_answer send_npy(const char *method, const char *path, struct bytes npy)
{
    const struct http_answer answer = http_send_bytes(&server, method, path, &npy, NPY_TYPE, NULL);
    bytes_finish(&npy);
    return answer;
}

/* --- arrays in --- */

static const char *const types[] = {"|u1", "<i2", ">i2", "<i4", ">i4", "<i8",
                                    ">i8", "<f4", ">f4", "<f8", ">f8", "|i1"};
static const double numbers[] = {0, 100, 127, 7, 3, 50};
#define NUMBERS_JSON "[[0, 100], [127, 7], [3, 50]]"

static void expect_equal(struct http_answer expected, struct http_answer found)
{
    ck_assert_msg(found.status == 200, "%ld %s", found.status, found.body);
    ck_assert_str_eq(found.body, expected.body);
    http_answer_finish(&expected);
    http_answer_finish(&found);
}

START_TEST(an_array_of_any_type_is_x)
{
    const char *type = types[_i];
    expect_equal(
        post("/models/tuned/predict", "{\"x\": " NUMBERS_JSON "}"),
        send_npy("POST", "/models/tuned/predict", npy_of_numbers(type, "(3, 2)", numbers, 6)));
    expect_equal(
        post("/models/tuned/encode", "{\"x\": " NUMBERS_JSON "}"),
        send_npy("POST", "/models/tuned/encode", npy_of_numbers(type, "(3, 2)", numbers, 6)));
    expect_equal(post("/models/tuned/evaluate",
                      "{\"x\": " NUMBERS_JSON ", \"label\": [2, 0, 1], \"loss\": \"tempotron\"}"),
                 send_npy("POST", "/models/tuned/evaluate?label=[2,0,1]&loss=tempotron",
                          npy_of_numbers(type, "(3, 2)", numbers, 6)));
    expect_equal(post("/encode", "{\"x\": " NUMBERS_JSON ", \"m\": 3, \"x_min\": [0, 1], "
                                 "\"x_max\": [255, 100]}"),
                 send_npy("POST", "/encode?m=3&x_min=[0,1]&x_max=%5B255,100%5D",
                          npy_of_numbers(type, "(3, 2)", numbers, 6)));
}
END_TEST

START_TEST(dimensions_of_samples_are_flattened_and_those_of_encode_are_not)
{
    expect_equal(post("/models/tuned/predict", "{\"x\": [[0, 100]]}"),
                 send_npy("POST", "/models/tuned/predict",
                          npy_of_numbers("|u1", "(1, 2, 1, 1)", numbers, 2)));
    expect_equal(
        post("/models/tuned/encode", "{\"x\": [[[0, 100, 127], [7, 3, 50]]]}"),
        send_npy("POST", "/models/tuned/encode", npy_of_numbers("<f4", "(1, 2, 3)", numbers, 6)));
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
    snprintf(body, sizeof body, "{\"x\": " NUMBERS_JSON ", %s}", cases[_i].json);
    expect_equal(post("/models/tuned/predict", body),
                 send_npy("POST", path, npy_of_numbers("<f8", "(3, 2)", numbers, 6)));
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
    {"/encode", "|u1", "(3, 2)", 6, 422, "missing_field", "/m"},
    {"/models/nobody/predict", "|u1", "(3, 2)", 6, 404, "model_not_found", ""},
};

START_TEST(wrong_arrays_and_parameters_are_named)
{
    struct bytes values = values_of(wrong_arrays[_i].type[1] == 'O' ? "|u1" : wrong_arrays[_i].type,
                                    numbers, wrong_arrays[_i].count);
    struct http_answer answer =
        send_npy("POST", wrong_arrays[_i].path,
                 npy_of(wrong_arrays[_i].type, wrong_arrays[_i].shape, values.at, values.size));
    expect_problem(&answer, wrong_arrays[_i].status, wrong_arrays[_i].code);
    ck_assert_str_eq(named_by(&answer), wrong_arrays[_i].name);
    http_answer_finish(&answer);
    bytes_finish(&values);
}
END_TEST

START_TEST(a_number_that_is_none_is_named_by_its_place)
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
        ck_assert_str_eq(named_by(&answer), cases[_i].name);
        http_answer_finish(&answer);
    }
}
END_TEST

START_TEST(what_is_no_npy_is_refused)
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
    ck_assert_str_eq(named_by(&answer), "ret_type");
    http_answer_finish(&answer);
}
END_TEST

START_TEST(only_where_an_array_is_wanted_one_is_taken)
{
    static const char *const paths[] = {"/models/tuned/train", "/models", "/psp_kernel"};
    struct http_answer answer =
        send_npy("POST", paths[_i], npy_of_numbers("|u1", "(3, 2)", numbers, 6));
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
    {"/models/tuned/encode", "\"x\": " NUMBERS_JSON, "out_spikes", "<f4", "(3, 2, 4)"},
    {"/encode", "\"m\": 3, \"x_min\": [0, 0], \"x_max\": [1, 1]", "out_spikes", "<f4", "(3, 2, 3)"},
};

START_TEST(one_array_is_answered_as_npy_where_it_is_asked_for)
{
    char body[256];
    snprintf(body, sizeof body, "{%s%s}", answers[_i].parameters,
             strstr(answers[_i].parameters, "\"x\"") ? "" : ", \"x\": " NUMBERS_JSON);
    struct bytes values = {0};
    struct http_answer plain = post(answers[_i].path, body);
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
    create("{\"id\": \"copy\", \"encoder\": {\"type\": \"gaussian_tuning\", \"m\": 4, \"x_min\": "
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
    ck_assert_str_eq(named_by(&put), "/weight");
    http_answer_finish(&put);
    http_answer_finish(&before);
    http_answer_finish(&npy);
    http_answer_finish(&after);
    bytes_finish(&values);
}
END_TEST

START_TEST(weights_of_other_types_are_converted)
{
    static const double weights[] = {1, -2, 3, 100};
    const char *type = types[1 + _i];
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

/* --- compressed bodies --- */

static struct http_answer send_gzip(const char *path, const struct bytes *body, const char *type)
{
    return http_send_bytes(&server, "POST", path, body, "Content-Encoding: gzip", type, NULL);
}

START_TEST(a_compressed_body_is_as_good_as_its_content)
{
    static const char body[] = "{\"x\": " NUMBERS_JSON "}";
    struct bytes plain = bytes_of(body, sizeof body - 1), gzipped = bytes_gzipped(&plain);
    expect_equal(post("/models/tuned/predict", body),
                 send_gzip("/models/tuned/predict", &gzipped, "Content-Type: application/json"));
    bytes_finish(&plain);
    bytes_finish(&gzipped);
    plain = npy_of_numbers("|u1", "(3, 2)", numbers, 6);
    gzipped = bytes_gzipped(&plain);
    expect_equal(post("/models/tuned/predict", body),
                 send_gzip("/models/tuned/predict", &gzipped, NPY_TYPE));
    struct http_answer chunked = http_send_bytes(&server, "POST", "/models/tuned/predict", &gzipped,
                                                 "Content-Encoding: GZIP", NPY_TYPE,
                                                 "Transfer-Encoding: chunked", "Expect:", NULL);
    expect_equal(post("/models/tuned/predict", body), chunked);
    bytes_finish(&plain);
    bytes_finish(&gzipped);
}
END_TEST

START_TEST(a_damaged_compressed_body_is_malformed)
{
    static const char body[] = "{\"x\": " NUMBERS_JSON "}";
    struct bytes plain = bytes_of(body, sizeof body - 1), gzipped = bytes_gzipped(&plain);
    gzipped.capacity = 0;
    switch (_i) {
    case 0:
        gzipped.size--;
        break;
    case 1:
        gzipped.size = 1;
        break;
    case 2:
        gzipped.size = 0;
        break;
    case 3:
        bytes_add(&gzipped, "}", 1);
        break;
    case 4:
        gzipped.at[gzipped.size - 7] ^= 1; /* of the checksum */
        break;
    case 5:
        bytes_finish(&gzipped);
        gzipped = bytes_of(body, sizeof body - 1);
        break;
    }
    struct http_answer answer =
        send_gzip("/models/tuned/predict", &gzipped, "Content-Type: application/json");
    expect_problem(&answer, 400, "malformed_request");
    http_answer_finish(&answer);
    bytes_finish(&plain);
    bytes_finish(&gzipped);
}
END_TEST

/* A body of JSON with blanks in it, of a size once decompressed. */
static struct bytes blanks(size_t size)
{
    struct bytes body = {.at = malloc(size), .size = size, .capacity = size};
    ck_assert_ptr_nonnull(body.at);
    memset(body.at, ' ', size);
    memcpy(body.at, "{\"x\": [[1,", 10);
    memcpy(body.at + size - 4, "2]]}", 4);
    return body;
}

START_TEST(a_body_is_limited_by_what_it_becomes)
{
    static const size_t sizes[] = {MAX_BODY, MAX_BODY + 1, 200 * 1024 * 1024};
    for (int i = 0; i < ROWS(sizes); i++) {
        struct bytes plain = blanks(sizes[i]), gzipped = bytes_gzipped(&plain);
        ck_assert_uint_lt(gzipped.size, MAX_BODY);
        struct http_answer answer =
            send_gzip("/models/tuned/predict", &gzipped, "Content-Type: application/json");
        if (i == 0)
            ck_assert_msg(answer.status == 200, "%ld %s", answer.status, answer.body);
        else
            expect_problem(&answer, 413, "body_too_large");
        http_answer_finish(&answer);
        bytes_finish(&plain);
        bytes_finish(&gzipped);
    }
}
END_TEST

/* --- compressed answers --- */

static void inflate_answer(const struct http_answer *answer, struct bytes *ret_plain)
{
    char piece[4096];
    z_stream stream = {0};
    *ret_plain = (struct bytes){0};
    ck_assert_int_eq(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
    stream.next_in = (Bytef *)answer->body;
    stream.avail_in = (uInt)answer->size;
    int result;
    do {
        stream.next_out = (Bytef *)piece;
        stream.avail_out = sizeof piece;
        result = inflate(&stream, Z_NO_FLUSH);
        bytes_add(ret_plain, piece, sizeof piece - stream.avail_out);
    } while (result == Z_OK);
    ck_assert_int_eq(result, Z_STREAM_END);
    ck_assert_uint_eq(stream.avail_in, 0);
    inflateEnd(&stream);
}

static const struct {
    const char *method, *path, *body;
} large_answers[] = {
    {"GET", "/openapi.yaml", NULL},
    {"POST", "/models/tuned/predict",
     "{\"ret_type\": \"v\", \"x\": [[1, 2], [3, 4], [5, 6], [7, 8]]}"},
};

START_TEST(a_large_answer_is_compressed_where_that_is_asked_for)
{
    const char *method = large_answers[_i].method, *path = large_answers[_i].path,
               *body = large_answers[_i].body;
    struct bytes inflated;
    struct http_answer plain = http_send(&server, method, path, body, NULL);
    ck_assert_int_eq(plain.status, 200);
    ck_assert_uint_ge(plain.size, LIMIT_GZIP_LEAST);
    ck_assert_ptr_null(http_header(&plain, "content-encoding"));
    static const char *const accepts[] = {"Accept-Encoding: gzip",
                                          "Accept-Encoding: br, GZip;q=0.5"};
    for (int i = 0; i < ROWS(accepts); i++) {
        struct http_answer packed = http_send(&server, method, path, body, accepts[i], NULL);
        ck_assert_int_eq(packed.status, 200);
        ck_assert_str_eq(http_header(&packed, "content-encoding"), "gzip");
        ck_assert_str_eq(http_header(&packed, "vary"), "Accept-Encoding");
        ck_assert_str_eq(http_header(&packed, "content-type"), http_header(&plain, "content-type"));
        ck_assert_uint_lt(packed.size, plain.size);
        inflate_answer(&packed, &inflated);
        ck_assert_uint_eq(inflated.size, plain.size);
        ck_assert_mem_eq(inflated.at, plain.body, plain.size);
        bytes_finish(&inflated);
        http_answer_finish(&packed);
    }
    http_answer_finish(&plain);
}
END_TEST

START_TEST(an_answer_is_not_compressed_otherwise)
{
    static const char *const accepts[] = {"Accept-Encoding: gzip;q=0", "Accept-Encoding: br",
                                          "Accept-Encoding: gzip;q=0.000, br",
                                          "Accept-Encoding: identity", "Accept-Encoding:"};
    struct http_answer answer = http_send(&server, "GET", "/openapi.yaml", NULL, accepts[_i], NULL);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_ptr_null(http_header(&answer, "content-encoding"));
    ck_assert_int_eq(strncmp(answer.body, "openapi:", 8), 0);
    http_answer_finish(&answer);
    answer = http_send(&server, "GET", "/models/tuned", NULL, "Accept-Encoding: gzip", NULL);
    ck_assert_uint_lt(answer.size, LIMIT_GZIP_LEAST);
    ck_assert_ptr_null(http_header(&answer, "content-encoding"));
    http_answer_finish(&answer);
}
END_TEST

START_TEST(head_has_the_headers_of_the_compressed_answer)
{
    struct http_answer got =
        http_send(&server, "GET", "/openapi.yaml", NULL, "Accept-Encoding: gzip", NULL);
    struct http_answer head =
        http_send(&server, "HEAD", "/openapi.yaml", NULL, "Accept-Encoding: gzip", NULL);
    ck_assert_int_eq(head.status, 200);
    ck_assert_uint_eq(head.size, 0);
    ck_assert_str_eq(http_header(&head, "content-encoding"), "gzip");
    ck_assert_str_eq(http_header(&head, "content-length"), http_header(&got, "content-length"));
    http_answer_finish(&got);
    http_answer_finish(&head);
}
END_TEST

/* --- large bodies and heavy work --- */

/* Samples of the model "tuned"; few fit into the event loop's share, many do not. */
static char *samples_json(size_t first, size_t count)
{
    char *body = NULL;
    size_t size;
    FILE *stream = open_memstream(&body, &size);
    fputs("{\"ret_type\": [\"label\", \"v_max\", \"spikes\"], \"x\": [", stream);
    for (size_t i = first; i < first + count; i++)
        fprintf(stream, "%s[%zu, %zu.25]", i > first ? ", " : "", i * 37 % 256, i * 11 % 100);
    fputs("]}", stream);
    fclose(stream);
    return body;
}

START_TEST(many_samples_are_answered_as_each_alone)
{
    enum { SAMPLES = 8000 };
    char *body = samples_json(0, SAMPLES);
    ck_assert_uint_gt(strlen(body), LIMIT_INLINE_BODY);
    struct http_answer all = post("/models/tuned/predict", body);
    free(body);
    ck_assert_uint_eq(json_array_size(json_object_get(all.json, "label")), SAMPLES);
    for (size_t i = 0; i < SAMPLES; i += i < 20 || i > SAMPLES - 40 ? 1 : 97) {
        static const char *const members[] = {"label", "v_max", "spikes"};
        body = samples_json(i, 1);
        struct http_answer one = post("/models/tuned/predict", body);
        for (int m = 0; m < ROWS(members); m++)
            ck_assert(json_equal(json_array_get(json_object_get(all.json, members[m]), i),
                                 json_array_get(json_object_get(one.json, members[m]), 0)));
        http_answer_finish(&one);
        free(body);
    }
    http_answer_finish(&all);
}
END_TEST

/* The document beside its numbers is limited; the numbers are not. */
START_TEST(words_are_limited_and_numbers_are_not)
{
    enum { NUMBERS = 1700000, WORDS = 5000000 };
    static const char *const flags[] = {"--log", "errors", NULL};
    struct service ample;
    service_start(&ample, flags);
    struct bytes body = bytes_of("{\"t\": [0", 8);
    for (int i = 0; i < NUMBERS; i++)
        bytes_add(&body, ", 1.25", 6);
    bytes_add(&body, "]}", 2);
    ck_assert_uint_gt(body.size, 10000000);
    struct http_answer answer =
        http_send_bytes(&ample, "POST", "/psp_kernel", &body, "Expect:", NULL);
    ck_assert_msg(answer.status == 200, "%ld %.300s", answer.status, answer.body);
    ck_assert_uint_eq(json_array_size(json_object_get(answer.json, "k")), NUMBERS + 1);
    http_answer_finish(&answer);
    bytes_finish(&body);
    body = bytes_of("{\"t\": \"", 7);
    for (int i = 0; i < WORDS / 10; i++)
        bytes_add(&body, "a, b, c, d", 10);
    bytes_add(&body, "\"}", 2);
    answer = http_send_bytes(&ample, "POST", "/psp_kernel", &body, "Expect:", NULL);
    expect_problem(&answer, 413, "body_too_large");
    http_answer_finish(&answer);
    bytes_finish(&body);
    service_finish(&ample);
}
END_TEST

/* --- the pool, full and at its end --- */

/* Each of its samples is more than an event loop does itself. */
#define HEAVY                                                                                      \
    "{\"id\": \"heavy\", \"in_features\": 1, \"out_features\": 100, \"T\": 20000, \"seed\": 3}"

/* Milliseconds of work a sample. */
static char *heavy_body(int samples)
{
    char *body = NULL;
    size_t size;
    FILE *stream = open_memstream(&body, &size);
    fputs("{\"ret_type\": \"v_max\", \"in_spikes\": [[0]", stream);
    for (int i = 1; i < samples; i++)
        fprintf(stream, ",[%d]", i % 100);
    fputs("]}", stream);
    fclose(stream);
    return body;
}

static void send_all(int connection, const char *bytes, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        const ssize_t piece = send(connection, bytes + sent, size - sent, MSG_NOSIGNAL);
        ck_assert_msg(piece > 0, "%s", strerror(errno));
        sent += (size_t)piece;
    }
}

static int send_request(const char *path, const char *body)
{
    char head[256];
    const int connection = http_connect(&server);
    const int size = snprintf(head, sizeof head,
                              "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n",
                              path, strlen(body));
    send_all(connection, head, (size_t)size);
    send_all(connection, body, strlen(body));
    return connection;
}

/* Whether something, or the end, can be read in so many milliseconds. */
static bool is_readable(int connection, int milliseconds)
{
    struct pollfd event = {.fd = connection, .events = POLLIN};
    return poll(&event, 1, milliseconds) == 1;
}

/* The status of the answer; 0: none came. Closes. */
static long read_status(int connection, char *answer, size_t size)
{
    long status = 0;
    size_t used = 0;
    answer[0] = '\0';
    while (strstr(answer, "\r\n\r\n") == NULL && used + 1 < size) {
        ck_assert(is_readable(connection, service_patience()));
        const ssize_t piece = recv(connection, answer + used, size - 1 - used, 0);
        if (piece <= 0)
            break;
        used += (size_t)piece;
        answer[used] = '\0';
    }
    close(connection);
    sscanf(answer, "HTTP/1.1 %3ld", &status);
    return status;
}

/* As under valgrind: there the pool has done its work by the time that an event loop looks again.
 */
static bool threads_take_turns(void)
{
    return getenv("TEMPOTROND_WRAPPER") != NULL;
}

/* Whoever comes when the queue is full is told so, and the others are served. */
START_TEST(a_full_queue_is_told_at_once)
{
    enum { CLIENTS = LIMIT_WAITING_JOBS + 150 };
    int connections[CLIENTS], served = 0, refused = 0;
    char answer[2048];
    create(HEAVY);
    char *body = heavy_body(1);
    for (int i = 0; i < CLIENTS; i++)
        connections[i] = send_request("/models/heavy/predict", body);
    for (int i = 0; i < CLIENTS; i++) {
        const long status = read_status(connections[i], answer, sizeof answer);
        served += status == 200;
        if (status == 200)
            continue;
        ck_assert_msg(status == 503, "%s", answer);
        ck_assert_ptr_nonnull(strcasestr(answer, "\r\nRetry-After: "));
        refused++;
    }
    free(body);
    ck_assert_int_ge(served, LIMIT_WAITING_JOBS);
    ck_assert(refused > 0 || threads_take_turns());
    /* What is not for the pool was served all the time; what is, is again. */
    struct http_answer again = post("/models/tuned/predict", "{\"x\": [[1, 2]]}");
    http_answer_finish(&again);
}
END_TEST

START_TEST(event_loops_serve_while_the_pool_is_busy)
{
    enum { CLIENTS = 16 };
    int connections[CLIENTS];
    char status_line[256];
    create(HEAVY);
    char *body = heavy_body(25);
    for (int i = 0; i < CLIENTS; i++)
        connections[i] = send_request("/models/heavy/predict", body);
    free(body);
    for (int i = 0; i < 20; i++) {
        struct http_answer answer = post("/models/tuned/predict", "{\"x\": [[1, 2]]}");
        http_answer_finish(&answer);
    }
    ck_assert(threads_take_turns() || !is_readable(connections[CLIENTS - 1], 0));
    for (int i = 0; i < CLIENTS; i++)
        ck_assert_int_eq(read_status(connections[i], status_line, sizeof status_line), 200);
}
END_TEST

START_TEST(a_stop_lets_jobs_end_that_wait_and_run)
{
    enum { CLIENTS = 12 };
    int connections[CLIENTS];
    char answer[256];
    create(HEAVY);
    char *body = heavy_body(8);
    for (int i = 0; i < CLIENTS; i++)
        connections[i] = send_request("/models/heavy/predict", body);
    free(body);
    ck_assert(is_readable(connections[0], service_patience())); /* so the others have been read */
    ck_assert_int_eq(kill(server.pid, SIGTERM), 0);
    for (int i = 0; i < CLIENTS; i++)
        ck_assert_int_eq(read_status(connections[i], answer, sizeof answer), 200);
    const int status = service_wait(&server);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

static void restart_with_short_drain(const char *seconds)
{
    const char *flags[] = {"--drain-timeout", seconds, "--log", "errors", NULL};
    struct service hasty;
    service_start(&hasty, flags);
    stop_server();
    server = hasty;
    create(HEAVY);
    create("{\"id\": \"plain\", \"in_features\": 2, \"out_features\": 2, \"T\": 20}");
}

/* An order that takes a while to be read. */
static struct bytes large_order(void)
{
    enum { SAMPLES = 200000 };
    struct bytes order = bytes_of("{\"epochs\": 1, \"in_spikes\": [[1, 2]", 34);
    for (int i = 1; i < SAMPLES; i++)
        bytes_add(&order, ", [1, 2]", 8);
    bytes_add(&order, "], \"label\": [0", 14);
    for (int i = 1; i < SAMPLES; i++)
        bytes_add(&order, ", 1", 3);
    bytes_add(&order, "]}", 3); /* with its end */
    return order;
}

/* Predictions and orders that the stop finds queued and running. */
START_TEST(a_stop_that_does_not_wait_ends_well)
{
    enum { CLIENTS = 120 };
    int connections[CLIENTS];
    char answer[256];
    restart_with_short_drain(_i % 2 == 0 ? "0" : "1");
    char *heavy = heavy_body(2);
    struct bytes order = large_order();
    for (int i = 0; i < CLIENTS; i++)
        connections[i] = i % 3 == 0 ? send_request("/models/heavy/predict", heavy)
                                    : send_request("/models/plain/train", (const char *)order.at);
    bytes_finish(&order);
    free(heavy);
    struct http_answer still = http_send(&server, "GET", "/health/live", NULL, NULL);
    http_answer_finish(&still);
    ck_assert_int_eq(kill(server.pid, SIGTERM), 0);
    const int status = service_wait(&server);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", (unsigned)status);
    for (int i = 0; i < CLIENTS; i++) {
        const long told = read_status(connections[i], answer, sizeof answer);
        ck_assert_msg(told == 200 || told == 202 || told == 503 || told == 0, "%s", answer);
    }
}
END_TEST

/* One who asks for what the pool does, again and again over one connection. */
static void *ask_on(void *argument)
{
    char answer[4096];
    static const char request[] =
        "POST /models/plain/train HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40\r\n\r\n"
        "{\"in_spikes\": [[1, 2]], \"label\": [0]    }";
    sem_t *asked = argument;
    const int connection = http_connect(&server);
    for (int turn = 0;; turn++) {
        if (send(connection, request, sizeof request - 1, MSG_NOSIGNAL) <= 0 ||
            recv(connection, answer, sizeof answer, 0) <= 0)
            break;
        if (turn == 3)
            sem_post(asked);
    }
    sem_post(asked);
    close(connection);
    return NULL;
}

/* While the server is torn down, connections that live on bring it further jobs. */
START_TEST(jobs_that_come_while_the_server_ends_do_no_harm)
{
    enum { CLIENTS = 8 };
    pthread_t clients[CLIENTS];
    sem_t asked;
    sem_init(&asked, 0, 0);
    restart_with_short_drain("0");
    for (int i = 0; i < CLIENTS; i++)
        ck_assert_int_eq(pthread_create(&clients[i], NULL, ask_on, &asked), 0);
    for (int i = 0; i < CLIENTS; i++)
        sem_wait(&asked);
    ck_assert_int_eq(kill(server.pid, SIGTERM), 0);
    const int status = service_wait(&server);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", (unsigned)status);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(clients[i], NULL);
}
END_TEST

START_TEST(a_client_that_leaves_does_no_harm_to_its_job)
{
    enum { CLIENTS = 20 };
    char answer[256];
    int connections[CLIENTS];
    create(HEAVY);
    char *body = heavy_body(10);
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < CLIENTS; i++)
            connections[i] = send_request("/models/heavy/predict", body);
        const struct linger reset = {.l_onoff = 1, .l_linger = 0};
        for (int i = 0; i < CLIENTS; i++) {
            if (turn == 1)
                setsockopt(connections[i], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            close(connections[i]);
        }
    }
    const int last = send_request("/models/heavy/predict", body);
    ck_assert_int_eq(read_status(last, answer, sizeof answer), 200);
    free(body);
}
END_TEST

static TCase *test_case(const char *name, Suite *suite)
{
    TCase *tests = tcase_create(name);
    tcase_add_checked_fixture(tests, start_server, stop_server);
    tcase_set_timeout(tests, 2 * SERVICE_SECONDS);
    suite_add_tcase(suite, tests);
    return tests;
}

static void add_arrays(Suite *suite)
{
    TCase *tests = test_case("arrays", suite);
    tcase_add_loop_test(tests, an_array_of_any_type_is_x, 0, ROWS(types));
    tcase_add_test(tests, dimensions_of_samples_are_flattened_and_those_of_encode_are_not);
    tcase_add_loop_test(tests, parameters_are_json_or_words, 0, 4);
    tcase_add_loop_test(tests, wrong_arrays_and_parameters_are_named, 0, ROWS(wrong_arrays));
    tcase_add_loop_test(tests, a_number_that_is_none_is_named_by_its_place, 0, 6);
    tcase_add_loop_test(tests, what_is_no_npy_is_refused, 0, 4);
    tcase_add_test(tests, json_takes_no_parameters_from_the_query);
    tcase_add_loop_test(tests, only_where_an_array_is_wanted_one_is_taken, 0, 3);
    tcase_add_loop_test(tests, one_array_is_answered_as_npy_where_it_is_asked_for, 0,
                        ROWS(answers));
    tcase_add_test(tests, an_undecided_sample_is_minus_one);
    tcase_add_loop_test(tests, several_arrays_are_json_or_not_acceptable, 0, 2);
    tcase_add_test(tests, weights_go_out_and_in_as_npy);
    tcase_add_loop_test(tests, weights_of_other_types_are_converted, 0, ROWS(types) - 1);
}

static void add_compression(Suite *suite)
{
    TCase *tests = test_case("compression", suite);
    tcase_add_test(tests, a_compressed_body_is_as_good_as_its_content);
    tcase_add_loop_test(tests, a_damaged_compressed_body_is_malformed, 0, 6);
    tcase_add_test(tests, a_body_is_limited_by_what_it_becomes);
    tcase_add_loop_test(tests, a_large_answer_is_compressed_where_that_is_asked_for, 0,
                        ROWS(large_answers));
    tcase_add_loop_test(tests, an_answer_is_not_compressed_otherwise, 0, 5);
    tcase_add_test(tests, head_has_the_headers_of_the_compressed_answer);
}

static void add_pool(Suite *suite)
{
    TCase *tests = test_case("pool", suite);
    tcase_add_test(tests, many_samples_are_answered_as_each_alone);
    tcase_add_test(tests, words_are_limited_and_numbers_are_not);
    tcase_add_test(tests, a_full_queue_is_told_at_once);
    tcase_add_test(tests, event_loops_serve_while_the_pool_is_busy);
    tcase_add_test(tests, a_stop_lets_jobs_end_that_wait_and_run);
    tcase_add_loop_test(tests, a_stop_that_does_not_wait_ends_well, 0, 4);
    tcase_add_test(tests, jobs_that_come_while_the_server_ends_do_no_harm);
    tcase_add_test(tests, a_client_that_leaves_does_no_harm_to_its_job);
}

int main(void)
{
    Suite *suite = suite_create("bodies");
    add_arrays(suite);
    add_compression(suite);
    add_pool(suite);
    return suite_run(suite);
}
