/* Where a request ends: requests that could be read two ways are refused and cut off, and bodies
 * have their limit whether or not they state their length. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/refusals.h"
#include "tests/support/suite.h"

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
    POST "Transfer-Encoding: chunked \r\n\r\n0\r\n\r\n" NEXT,
    POST "Content-Length: 10 \r\n\r\n" BODY NEXT,
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
    expect_problem(&answer, 400, "malformed_request");
    ck_assert_str_eq(http_header(&answer, "connection"), "close");
    http_answer_finish(&answer);
}
END_TEST

START_TEST(a_body_announced_too_large_is_refused_unread)
{
    static const char bytes[] = POST "Content-Length: 999999\r\n\r\n";
    struct http_answer answer;
    http_exchange_bytes(&server, bytes, sizeof bytes - 1, &answer);
    expect_problem(&answer, 413, "body_too_large");
    http_answer_finish(&answer);
}
END_TEST

START_TEST(a_client_that_waits_for_100_continue_is_told_that_its_body_is_too_large)
{
    static const char bytes[] = POST "Content-Length: 65537\r\nExpect: 100-continue\r\n\r\n";
    struct http_answer answer;
    http_exchange_bytes(&server, bytes, sizeof bytes - 1, &answer);
    expect_problem(&answer, 413, "body_too_large");
    http_answer_finish(&answer);
}
END_TEST

START_TEST(a_nul_in_a_header_is_refused)
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
    char *bytes = chunked_request(REFUSAL_MAX_BODY - strlen(BODY));
    http_exchange_bytes(&server, bytes, strlen(bytes), &answer);
    ck_assert_msg(answer.status == 200, "%ld %s", answer.status, answer.body);
    http_answer_finish(&answer);
    free(bytes);
}
END_TEST

START_TEST(a_body_without_length_is_refused_beyond_the_limit)
{
    struct http_answer answer;
    char *bytes = chunked_request(REFUSAL_MAX_BODY - strlen(BODY) + 1);
    http_exchange_bytes(&server, bytes, strlen(bytes), &answer);
    expect_problem(&answer, 413, "body_too_large");
    http_answer_finish(&answer);
    free(bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("framing");
    TCase *tests = fixture_shared_case(suite, "errors", refusals_start);
    tcase_add_loop_test(tests, requests_that_could_be_read_two_ways_are_refused_and_cut_off, 0,
                        ROWS(smuggling));
    tcase_add_test(tests, contradicting_lengths_are_named_malformed);
    tcase_add_test(tests, a_body_announced_too_large_is_refused_unread);
    tcase_add_test(tests, a_client_that_waits_for_100_continue_is_told_that_its_body_is_too_large);
    tcase_add_test(tests, a_nul_in_a_header_is_refused);
    tcase_add_test(tests, a_body_without_length_may_have_the_limit_exactly);
    tcase_add_test(tests, a_body_without_length_is_refused_beyond_the_limit);
    return suite_run(suite);
}
