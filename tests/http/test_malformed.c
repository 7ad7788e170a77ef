/* Malformed requests, also those that libmicrohttpd answers itself: each is answered once and the
 * connection is closed, or it is closed without an answer; other connections are left in peace. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/suite.h"
#include "tests/support/wire.h"

#define HOST    "Host: localhost\r\n"
#define GET     "GET /models HTTP/1.1\r\n" HOST
#define POST    "POST /psp_kernel HTTP/1.1\r\n" HOST
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define BODY    "{\"t\": [0]}" /* 10 bytes */
#define NEXT    "GET /health/live HTTP/1.1\r\n" HOST "\r\n"

static size_t count(const char *text, const char *part)
{
    size_t found = 0;
    for (; (text = strstr(text, part)) != NULL; text += strlen(part))
        found++;
    return found;
}

/* All that comes until the server closes. */
static void exchange(const char *bytes, size_t size, struct http_answer *ret_answer)
{
    http_exchange_bytes(&server, bytes, size, ret_answer);
    ck_assert_msg(count(ret_answer->body, "HTTP/1.1 ") == 0, "a second head: %s", ret_answer->body);
}

static const struct {
    const char *bytes;
    long status;      /* 0: closed without an answer */
    const char *code; /* of the problem; NULL: the library's own answer */
} rows[] = {
    {POST "Content-Length: x\r\n\r\n" BODY NEXT, 400, "malformed_request"},
    {POST "Content-Length: +10\r\n\r\n" BODY NEXT, 400, "malformed_request"},
    {POST "Content-Length: -1\r\n\r\n" BODY NEXT, 400, "malformed_request"},
    {POST "Content-Length: 10 \r\n\r\n" BODY NEXT, 400, "malformed_request"},
    {POST "Content-Length: 10, 10\r\n\r\n" BODY NEXT, 400, "malformed_request"},
    {POST "Content-Length: 1e1\r\n\r\n" BODY NEXT, 400, "malformed_request"},
    {POST "Content-Length: 0x0a\r\n\r\n" BODY NEXT, 400, "malformed_request"},
    {POST "Content-Length:\r\n\r\n" BODY NEXT, 400, "malformed_request"},
    {POST "Content-Length: \t \r\n\r\n" BODY NEXT, 400, "malformed_request"},
    {POST "Content-Length: x\r\nContent-Length: 10\r\n\r\n" BODY NEXT, 400, "malformed_request"},
    {POST "Content-Length: 10\r\nContent-Length: x\r\n\r\n" BODY NEXT, 400, "malformed_request"},
    {POST "Content-Length: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT, 400,
     "malformed_request"},
    {POST "Content-Length: 18446744073709551616\r\n\r\n" BODY NEXT, 413, "body_too_large"},
    {POST "Content-Length: 99999999999999999999999\r\n\r\n" BODY NEXT, 413, "body_too_large"},
    {POST "Content-Length: 18446744073709551615\r\n\r\n" BODY NEXT, 413, "body_too_large"},
    {GET "Content-Length: x\r\n\r\n" NEXT, 400, "malformed_request"},
    {"HEAD /models HTTP/1.1\r\n" HOST "Content-Length: x\r\n\r\n" NEXT, 400, "malformed_request"},
    {"GET /models HTTP/1.0\r\nContent-Length: x\r\n\r\n" NEXT, 400, "malformed_request"},
    {"GET /models HTTP/1.1\r\nContent-Length: x\r\n\r\n" NEXT, 400, "malformed_request"},

    {CHUNKED "zz\r\n" BODY "\r\n0\r\n\r\n" NEXT, 400, NULL},
    {CHUNKED "\r\n" BODY "\r\n0\r\n\r\n" NEXT, 400, NULL},
    {CHUNKED "-1\r\n" BODY "\r\n0\r\n\r\n" NEXT, 400, NULL},
    {CHUNKED "0xa\r\n" BODY "\r\n0\r\n\r\n" NEXT, 400, NULL},
    {CHUNKED "a \r\n" BODY "\r\n0\r\n\r\n" NEXT, 400, NULL},
    {CHUNKED "10000000000000000\r\n" BODY "\r\n0\r\n\r\n" NEXT, 413, NULL},
    {CHUNKED "a\r\n" BODY "0\r\n\r\n" NEXT, 400, NULL},
    {CHUNKED "a\r\n" BODY "\r\nzz\r\n\r\n" NEXT, 400, NULL},
    {CHUNKED "a\r\n" BODY "\r\n0\r\nno colon\r\n\r\n" NEXT, 400, NULL},
    {CHUNKED "a\r\n" BODY "\r\n0\r\nA: b\r\nno colon\r\n\r\n" NEXT, 400, NULL},

    {"GET /models HTTP/1.1\r\nno colon\r\n" HOST "\r\n" NEXT, 400, NULL},
    {GET "no colon\r\n\r\n" NEXT, 400, NULL},
    {GET "A : b\r\n\r\n" NEXT, 400, "malformed_request"},
    {GET ": b\r\n\r\n" NEXT, 400, "malformed_request"},
    {GET "\x01: b\r\n\r\n" NEXT, 400, "malformed_request"},
    {GET "A: b\x01\r\n\r\n" NEXT, 400, "malformed_request"},
    {GET "A(b): c\r\n\r\n" NEXT, 400, "malformed_request"},
    {GET "A:\r\n b\r\n\r\n" NEXT, 400, "malformed_request"},

    {"GET /models\r\n" HOST "\r\n" NEXT, 400, NULL},
    {"GET /models http/1.1\r\n" HOST "\r\n" NEXT, 400, NULL},
    {"GET /models HTTP/1.1x\r\n" HOST "\r\n" NEXT, 400, NULL},
    {"GET /models HTTP/0.9\r\n" HOST "\r\n" NEXT, 505, NULL},
    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, NULL},
    {"GET\r\n" HOST "\r\n" NEXT, 0, NULL},
    {" GET /models HTTP/1.1\r\n" HOST "\r\n" NEXT, 0, NULL},
    {"\x16\x03\x01\x02 hello\r\n\r\n", 400, NULL},
};

START_TEST(a_malformed_request_is_answered_once_and_cut_off)
{
    struct http_answer answer;
    exchange(rows[_i].bytes, strlen(rows[_i].bytes), &answer);
    ck_assert_msg(answer.status == rows[_i].status, "%ld: %s", answer.status, answer.body);
    if (rows[_i].code != NULL) {
        expect_problem(&answer, rows[_i].status, rows[_i].code);
        ck_assert_str_eq(http_header(&answer, "content-type"), "application/problem+json");
        ck_assert_str_eq(http_header(&answer, "connection"), "close");
        ck_assert_str_eq(http_header(&answer, "x-request-id"),
                         member_string(answer.json, "request_id"));
    }
    if (answer.status != 0)
        ck_assert_uint_eq(strtoul(http_header(&answer, "content-length"), NULL, 10), answer.size);
    http_answer_finish(&answer);
}
END_TEST

/* --- beyond what a connection has memory for --- */

enum { LARGE = 40000, MANY = 5000 };

static const struct {
    const char *begin, *repeated;
    int times;
    const char *end;
    long status;
    const char *code;
} large[] = {
    {"GET /", "x", LARGE, " HTTP/1.1\r\n" HOST "\r\n", 414, NULL},
    {"GET /", "x", LARGE / 2, " HTTP/1.1\r\n" HOST "\r\n", 400, "malformed_request"},
    {"GET /models?limit=", "1", LARGE / 2, " HTTP/1.1\r\n" HOST "\r\n", 400, "malformed_request"},
    {"GET /models?", "a&", MANY, " HTTP/1.1\r\n" HOST "\r\n", 400, "malformed_request"},
    {"GET /models?", "a&", 64, " HTTP/1.1\r\n" HOST "\r\n", 400, "malformed_request"},
    {"X", "X", LARGE, " /models HTTP/1.1\r\n" HOST "\r\n", 414, NULL},
    {GET "A: ", "x", LARGE, "\r\n\r\n", 431, NULL},
    {GET, "A: b\r\n", MANY, "\r\n", 431, NULL},
    {GET "Cookie: ", "a=b;", LARGE / 4, "\r\n\r\n", 431, NULL},
    {CHUNKED, "0", LARGE, "a\r\n" BODY "\r\n0\r\n\r\n", 500, NULL},
    {CHUNKED "a;", "x", LARGE, "\r\n" BODY "\r\n0\r\n\r\n", 500, NULL},
    {CHUNKED "a\r\n" BODY "\r\n0\r\nA: ", "x", LARGE, "\r\n\r\n", 431, NULL},
};

static char *repeat(const char *begin, const char *repeated, int times, const char *end)
{
    char *bytes;
    size_t size;
    FILE *stream = open_memstream(&bytes, &size);
    fputs(begin, stream);
    for (int i = 0; i < times; i++)
        fputs(repeated, stream);
    fputs(end, stream);
    fclose(stream);
    return bytes;
}

START_TEST(a_request_too_large_for_memory_is_answered_once_and_cut_off)
{
    struct http_answer answer;
    char *bytes = repeat(large[_i].begin, large[_i].repeated, large[_i].times, large[_i].end);
    exchange(bytes, strlen(bytes), &answer);
    ck_assert_msg(answer.status == large[_i].status, "%ld: %s", answer.status, answer.body);
    if (large[_i].code != NULL)
        expect_problem(&answer, large[_i].status, large[_i].code);
    http_answer_finish(&answer);
    free(bytes);
}
END_TEST

static const struct {
    const char *repeated;
    int times;
} cookies[] = {{"a=b;", 4000}, {"a;", 5000}, {"a", 16000}, {",;= \"", 1000}, {"", 0}};

/* Browsers send the cookies of every service on localhost, whatever its port. */
START_TEST(cookies_are_passed_over)
{
    char *bytes = repeat(GET "Connection: close\r\nCookie: ", cookies[_i].repeated,
                         cookies[_i].times, "\r\nX-Request-Id: last\r\n\r\n");
    struct http_answer answer;
    exchange(bytes, strlen(bytes), &answer);
    ck_assert_msg(answer.status == 200, "%ld: %s", answer.status, answer.body);
    ck_assert_str_eq(http_header(&answer, "x-request-id"), "last");
    http_answer_finish(&answer);
    free(bytes);
}
END_TEST

/* --- on connections beside others --- */

START_TEST(a_malformed_request_may_come_in_pieces_and_after_others)
{
    static struct wire_answer answer;
    const int connection = http_connect(&server);
    ck_assert_int_eq(wire_ask(connection, "/models"), 200);
    wire_send(connection, POST);
    ck_assert_int_eq(wire_ask(http_connect(&server), "/models"), 200);
    wire_send(connection, "Content-Length: 1");
    ck_assert_int_eq(wire_ask(http_connect(&server), "/models"), 200);
    wire_send(connection, "x\r\n\r\n");
    wire_read(connection, &answer);
    ck_assert_int_eq(answer.status, 400);
    ck_assert(wire_is_closed(connection));
    close(connection);
}
END_TEST

/* More than there are event loops, so that each has several whose headers are being read. */
START_TEST(a_malformed_request_leaves_others_in_peace)
{
    enum { OTHERS = 64 };
    static struct wire_answer answer;
    int others[OTHERS];
    for (int i = 0; i < OTHERS; i++) {
        others[i] = http_connect(&server);
        wire_send(others[i], POST "Content-Length: 10\r\nX-Begun: ");
    }
    for (int i = 0; i < OTHERS; i++) {
        const int connection = http_connect(&server);
        wire_send(connection, POST "Content-Length: 10x\r\n\r\n");
        wire_read(connection, &answer);
        ck_assert_int_eq(answer.status, 400);
        ck_assert(wire_is_closed(connection));
        close(connection);
    }
    for (int i = 0; i < OTHERS; i++) {
        wire_send(others[i], "yes\r\n\r\n" BODY);
        wire_read(others[i], &answer);
        ck_assert_msg(answer.status == 200, "%s", answer.text);
        close(others[i]);
    }
}
END_TEST

START_TEST(a_request_that_is_answered_unread_is_not_carried_out)
{
    struct http_answer answer;
    create_plain_model(&server, "plain");
    char *bytes = repeat("DELETE /models/plain?", "a&", MANY / 10, " HTTP/1.1\r\n" HOST "\r\n");
    exchange(bytes, strlen(bytes), &answer);
    expect_problem(&answer, 400, "malformed_request");
    http_answer_finish(&answer);
    json_decref(http_get(&server, "/models/plain"));
    free(bytes);
}
END_TEST

/* What a NUL cuts off, in a request whose beginning would delete the model. */
#define REST        " HTTP/1.1\r\n" HOST "\r\n"
#define BYTES(text) text, sizeof text - 1
static const struct {
    const char *bytes;
    size_t size;
} cut[] = {
    {BYTES("DELETE /models/cut\0/versions" REST NEXT)},
    {BYTES("DELETE /models/cut\0" REST NEXT)},
    {BYTES("DELETE /models/cut\0\0\0" REST NEXT)},
    {BYTES("DELETE /models/cut\0?limit=1" REST NEXT)},
    {BYTES("DELETE /models/cut?\0limit=1" REST NEXT)},
    {BYTES("DELETE /models/cut\0 x" REST NEXT)},
    {BYTES("DELETE /models/cut \0" REST NEXT)},
    {BYTES("DELETE /models/c%75t\0/versions" REST NEXT)},
    {BYTES("DELETE http://localhost/models/cut\0/versions" REST NEXT)},
    {BYTES("DELETE http://localhost\0.example/models/cut" REST NEXT)},
    {BYTES("DELETE\0X /models/cut" REST NEXT)},
    {BYTES("DELETE\0 /models/cut" REST NEXT)},
    {BYTES("DELETE \0/models/cut" REST NEXT)},
    {BYTES("DELETE \0 /models/cut" REST NEXT)},
    {BYTES("DELETE  /models/cut" REST NEXT)},
    {BYTES("DELETE /models/cut HTTP/1.1\0\r\n" HOST "\r\n" NEXT)},
    {BYTES("DELETE /models/cut HTTP/1.1\0x\r\n" HOST "\r\n" NEXT)},
    {BYTES("DELETE /models/cut HTTP/1.\0\r\n" HOST "\r\n" NEXT)},
    {BYTES("DELETE /models/cut\0HTTP/1.1\r\n" HOST "\r\n" NEXT)},
    {BYTES("DELETE /models/cut HTTP/1.1\0\n" HOST "\r\n" NEXT)},
};

START_TEST(a_nul_in_the_request_line_is_no_end)
{
    struct http_answer answer;
    create_plain_model(&server, "cut");
    exchange(cut[_i].bytes, cut[_i].size, &answer);
    ck_assert_msg(answer.status == 400, "%ld: %s", answer.status, answer.body);
    http_answer_finish(&answer);
    json_t *deleted = http_call(&server, 204, "DELETE", "/models/cut", NULL);
    json_decref(deleted);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("malformed");
    TCase *tests = fixture_shared_case(suite, "malformed", NULL);
    tcase_add_loop_test(tests, a_malformed_request_is_answered_once_and_cut_off, 0, ROWS(rows));
    tcase_add_loop_test(tests, a_request_too_large_for_memory_is_answered_once_and_cut_off, 0,
                        ROWS(large));
    tcase_add_loop_test(tests, cookies_are_passed_over, 0, ROWS(cookies));
    tcase_add_test(tests, a_malformed_request_may_come_in_pieces_and_after_others);
    tcase_add_test(tests, a_malformed_request_leaves_others_in_peace);
    tcase_add_test(tests, a_request_that_is_answered_unread_is_not_carried_out);
    tcase_add_loop_test(tests, a_nul_in_the_request_line_is_no_end, 0, ROWS(cut));
    return suite_run(suite);
}
