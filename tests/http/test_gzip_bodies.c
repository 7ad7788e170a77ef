/* Compressed bodies, over HTTP, either way: what clients send with Content-Encoding, and what they
 * get with Accept-Encoding. */
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

/* --- compressed bodies --- */

static struct http_answer send_gzip(const char *path, const struct bytes *body, const char *type)
{
    return http_send_bytes(&server, "POST", path, body, "Content-Encoding: gzip", type, NULL);
}

START_TEST(a_compressed_body_is_as_good_as_its_content)
{
    static const char body[] = "{\"x\": " BODY_NUMBERS_JSON "}";
    struct bytes plain = bytes_of(body, sizeof body - 1), gzipped = bytes_gzipped(&plain);
    expect_equal_bodies(
        post_text(&server, "/models/tuned/predict", body),
        send_gzip("/models/tuned/predict", &gzipped, "Content-Type: application/json"));
    bytes_finish(&plain);
    bytes_finish(&gzipped);
    plain = npy_of_numbers("|u1", "(3, 2)", body_numbers, 6);
    gzipped = bytes_gzipped(&plain);
    expect_equal_bodies(post_text(&server, "/models/tuned/predict", body),
                        send_gzip("/models/tuned/predict", &gzipped, NPY_TYPE));
    struct http_answer chunked = http_send_bytes(&server, "POST", "/models/tuned/predict", &gzipped,
                                                 "Content-Encoding: GZIP", NPY_TYPE,
                                                 "Transfer-Encoding: chunked", "Expect:", NULL);
    expect_equal_bodies(post_text(&server, "/models/tuned/predict", body), chunked);
    bytes_finish(&plain);
    bytes_finish(&gzipped);
}
END_TEST

START_TEST(a_damaged_compressed_body_is_malformed)
{
    static const char body[] = "{\"x\": " BODY_NUMBERS_JSON "}";
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

static const struct {
    const char *method, *path, *body;
} large_answers[] = {
    {"GET", "/openapi.yaml", NULL},
    {"POST", "/models/tuned/predict",
     "{\"ret_type\": \"v\", \"x\": [[1, 2], [3, 4], [5, 6], [7, 8]]}"},
};

START_TEST(a_large_answer_is_compressed_if_the_client_accepts_it)
{
    const char *method = large_answers[_i].method, *path = large_answers[_i].path,
               *body = large_answers[_i].body;
    struct bytes inflated;
    struct http_answer plain = http_send(&server, method, path, body, NULL);
    ck_assert_int_eq(plain.status, 200);
    ck_assert_uint_ge(plain.size, LIMIT_GZIP_MIN);
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
        inflated = bytes_inflated(packed.body, packed.size);
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
    ck_assert_uint_lt(answer.size, LIMIT_GZIP_MIN);
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

int main(void)
{
    Suite *suite = suite_create("gzip_bodies");
    TCase *tests = fixture_case(suite, "gzip", bodies_start);
    tcase_add_test(tests, a_compressed_body_is_as_good_as_its_content);
    tcase_add_loop_test(tests, a_damaged_compressed_body_is_malformed, 0, 6);
    tcase_add_test(tests, a_body_is_limited_by_what_it_becomes);
    tcase_add_loop_test(tests, a_large_answer_is_compressed_if_the_client_accepts_it, 0,
                        ROWS(large_answers));
    tcase_add_loop_test(tests, an_answer_is_not_compressed_otherwise, 0, 5);
    tcase_add_test(tests, head_has_the_headers_of_the_compressed_answer);
    return suite_run(suite);
}
