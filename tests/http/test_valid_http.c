/* HTTP that is unusual but valid, and query strings: what any client may send has to be served. */
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

#define HOST  "Host: localhost\r\n"
#define CLOSE HOST "Connection: close\r\n"
#define GET   "GET /models HTTP/1.1\r\n" CLOSE
#define POST  "POST /psp_kernel HTTP/1.1\r\n" CLOSE
#define BODY  "{\"t\": [0]}" /* 10 bytes */

static const char models[] = "{\"models\":[],\"next_cursor\":null}\n", kernel[] = "{\"k\":[0]}\n";

static const struct {
    const char *bytes; /* closes the connection */
    const char *body;  /* of an answer of 200 */
} valid[] = {
    {GET "X_A: b\r\n\r\n", models},
    {GET "!#$%&'*+-.^_`|~9Az: v\r\n\r\n", models},
    {GET "A:\r\n\r\n", models},
    {GET "A: \t b\tc \r\n\r\n", models},
    {GET "A: \xc3\xa9\xff\r\n\r\n", models},
    {GET "A: 1\r\nA: 2\r\n\r\n", models},
    {GET "Content-Length: 0\r\n\r\n", models},
    {POST "Content_Length: 3\r\nTransfer_Encoding: chunked\r\nContent-Length: 10\r\n\r\n" BODY,
     kernel},
    {"GET /models HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", models},
    {"POST /psp_kernel HTTP/1.1\r\nHOST: LOCALHOST\r\nCONNECTION: CLOSE\r\nCONTENT-LENGTH: "
     "10\r\n\r\n" BODY,
     kernel},
    {"GET /models HTTP/1.1\r\n" HOST "Connection: x, close\r\n\r\n", models},
    {"GET /models HTTP/1.1\r\n" HOST "Connection: keep-alive, Close\r\n\r\n", models},
    {"\r\n" GET "\r\n", models},
    {"\r\n\r\n\r\n" GET "\r\n", models},
    {"GET /models? HTTP/1.1\r\n" CLOSE "\r\n", models},
    {"GET /models?limit=1 HTTP/1.1\r\n" CLOSE "\r\n", models},
    {"GET /models?limit=%31 HTTP/1.1\r\n" CLOSE "\r\n", models},
    {"GET /models?l%69mit=1 HTTP/1.1\r\n" CLOSE "\r\n", models},
    {"GET /models?limit=1& HTTP/1.1\r\n" CLOSE "\r\n", models},
    {"GET /models?&limit=1 HTTP/1.1\r\n" CLOSE "\r\n", models},
    {"GET /models?&&limit=1&& HTTP/1.1\r\n" CLOSE "\r\n", models},
    {"GET /models HTTP/1.0\r\n\r\n", models},
    {"GET /models HTTP/1.0\r\n" HOST "\r\n", models},
    {"GET /models HTTP/1.9\r\n" CLOSE "\r\n", models},
    {"POST /psp_kernel HTTP/1.0\r\nContent-Length: 10\r\n\r\n" BODY, kernel},
    {"POST /psp_kernel HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n" BODY,
     kernel},
    {POST "Expect: something\r\nContent-Length: 10\r\n\r\n" BODY, kernel},
    {POST "Transfer-Encoding: chunked\r\n\r\n"
          "4;a=b;c=\"d\"\r\n{\"t\"\r\n6\r\n: [0]}\r\n0;e\r\nTrailer: yes\r\nOther:\r\n\r\n",
     kernel},
    {POST "transfer-encoding:\tCHUNKED\r\n\r\n000A\r\n" BODY "\r\n0000\r\n\r\n", kernel},
    {POST "Transfer-Encoding: chunked\r\n\r\n"
          "1\r\n{\r\n1\r\n\"\r\n1\r\nt\r\n1\r\n\"\r\n1\r\n:\r\n5\r\n [0]}\r\n0\r\n\r\n",
     kernel},
};

START_TEST(unusual_requests_are_served)
{
    struct http_answer answer;
    http_exchange_bytes(&server, valid[_i].bytes, strlen(valid[_i].bytes), &answer);
    ck_assert_msg(answer.status == 200, "%ld: %s", answer.status, answer.body);
    ck_assert_str_eq(answer.body, valid[_i].body);
    ck_assert_str_eq(http_header(&answer, "connection"), "close");
    http_answer_finish(&answer);
}
END_TEST

START_TEST(a_request_may_come_byte_by_byte)
{
    static const char bytes[] =
        "\r\nPOST /psp_kernel HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\na;x=y\r\n" BODY
        "\r\n0\r\nT: u\r\n\r\n";
    static struct wire_answer answer;
    const int connection = http_connect(&server);
    for (size_t i = 0; i < sizeof bytes - 1; i++)
        wire_send_bytes(connection, bytes + i, 1);
    wire_read(connection, &answer);
    ck_assert_msg(answer.status == 200, "%s", answer.text);
    ck_assert_str_eq(answer.body, kernel);
    ck_assert_int_eq(wire_ask(connection, "/models"), 200);
    close(connection);
}
END_TEST

START_TEST(requests_in_a_row_are_answered_in_their_order)
{
    static struct wire_answer answer;
    const int connection = http_connect(&server);
    wire_send(connection, "GET /models HTTP/1.1\r\n" HOST "\r\n"
                          "POST /psp_kernel HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n" BODY
                          "\r\nGET /none HTTP/1.1\r\n" HOST "\r\n"
                          "POST /psp_kernel HTTP/1.1\r\n" HOST
                          "Transfer-Encoding: chunked\r\n\r\na\r\n" BODY "\r\n0\r\n\r\n"
                          "GET /health/live HTTP/1.1\r\n" CLOSE "\r\n");
    static const struct {
        long status;
        const char *body;
    } answers[] = {
        {200, models}, {200, kernel}, {404, NULL}, {200, kernel}, {200, "{\"status\":\"live\"}\n"}};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        wire_read(connection, &answer);
        ck_assert_msg(answer.status == answers[i].status, "%zu: %s", i, answer.text);
        if (answers[i].body != NULL)
            ck_assert_str_eq(answer.body, answers[i].body);
    }
    ck_assert(wire_is_closed(connection));
    close(connection);
}
END_TEST

START_TEST(a_client_of_http_1_0_may_keep_its_connection)
{
    static struct wire_answer answer;
    const int connection = http_connect(&server);
    for (int i = 0; i < 3; i++) {
        wire_send(connection, "POST /psp_kernel HTTP/1.0\r\nConnection: Keep-Alive\r\n"
                              "Content-Length: 10\r\n\r\n" BODY);
        wire_read(connection, &answer);
        ck_assert_int_eq(answer.status, 200);
        ck_assert_str_eq(answer.body, kernel);
        ck_assert_int_eq(strncasecmp(wire_header(&answer, "Connection"), "keep-alive\r\n", 12), 0);
    }
    wire_send(connection, "GET /models HTTP/1.0\r\n\r\n");
    wire_read(connection, &answer);
    ck_assert_int_eq(answer.status, 200);
    ck_assert(wire_is_closed(connection));
    close(connection);
}
END_TEST

START_TEST(a_client_that_expects_100_is_told_to_go_on)
{
    static struct wire_answer answer;
    const int connection = http_connect(&server);
    for (int i = 0; i < 2; i++) {
        wire_send(connection, "POST /psp_kernel HTTP/1.1\r\n" HOST
                              "Expect: 100-Continue\r\nContent-Length: 10\r\n\r\n");
        wire_read_head(connection, &answer);
        ck_assert_int_eq(answer.status, 100);
        wire_send(connection, BODY);
        wire_read(connection, &answer);
        ck_assert_int_eq(answer.status, 200);
        ck_assert_str_eq(answer.body, kernel);
    }
    close(connection);
}
END_TEST

/* --- methods --- */

static const char *const readable[] = {
    "/models",
    "/models?limit=1",
    "/models/plain",
    "/models/plain/weights",
    "/models/plain/versions",
    "/models/plain/versions/1",
    "/datasets",
    "/runs",
    "/health/live",
    "/health/ready",
    "/openapi.yaml",
    "/models/none",
    "/none",
    "/models?nope=1",
};

/* The answer up to its date, which may be another. */
static void expect_same_head(struct wire_answer *one, struct wire_answer *other)
{
    static const char *const names[] = {"Content-Type", "Content-Length", "Cache-Control", "Allow"};
    ck_assert_int_eq(one->status, other->status);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *a = wire_header(one, names[i]), *b = wire_header(other, names[i]);
        ck_assert_int_eq(a == NULL, b == NULL);
        ck_assert(a == NULL || strncmp(a, b, strcspn(a, "\r") + 1) == 0);
    }
}

static void send_request(int connection, const char *method, const char *path)
{
    char request[256];
    snprintf(request, sizeof request, "%s %s HTTP/1.1\r\n" HOST "X-Request-Id: same\r\n\r\n",
             method, path);
    wire_send(connection, request);
}

START_TEST(head_answers_as_get_without_a_body)
{
    static struct wire_answer get, head;
    create_plain_model(&server, "plain");
    const int connection = http_connect(&server);
    for (size_t i = 0; i < sizeof readable / sizeof *readable; i++) {
        send_request(connection, "HEAD", readable[i]);
        wire_read_head(connection, &head);
        /* A body would be taken for the head of the next answer. */
        send_request(connection, "GET", readable[i]);
        wire_read_head(connection, &get);
        expect_same_head(&get, &head);
        char *body = malloc(strtoul(wire_header(&get, "Content-Length"), NULL, 10) + 1);
        ck_assert_ptr_nonnull(body);
        wire_read_bytes(connection, body, strtoul(wire_header(&get, "Content-Length"), NULL, 10));
        free(body);
    }
    close(connection);
}
END_TEST

static const struct {
    const char *method, *path;
    long status;
    const char *allow;
} methods[] = {
    {"OPTIONS", "/models", 405, "POST, GET, HEAD"}, {"OPTIONS", "*", 404, NULL},
    {"TRACE", "/models", 405, "POST, GET, HEAD"},   {"get", "/models", 405, "POST, GET, HEAD"},
    {"PATCH", "/health/live", 405, "GET, HEAD"},    {"A.B-C_D", "/health/live", 405, "GET, HEAD"},
    {"HEAD", "/psp_kernel", 405, "POST"},           {"CONNECT", "localhost:80", 404, NULL},
};

START_TEST(other_methods_are_told_which_there_are)
{
    static struct wire_answer answer;
    const int connection = http_connect(&server);
    send_request(connection, methods[_i].method, methods[_i].path);
    wire_read_head(connection, &answer);
    ck_assert_int_eq(answer.status, methods[_i].status);
    const char *allow = wire_header(&answer, "Allow");
    ck_assert_int_eq(allow != NULL, methods[_i].allow != NULL);
    if (allow != NULL)
        ck_assert_msg(strncmp(allow, methods[_i].allow, strcspn(allow, "\r")) == 0, "%s", allow);
    close(connection);
}
END_TEST

/* --- values of query parameters --- */

static const struct {
    const char *value; /* of ?model= */
    long status;
    const char *code;
} values[] = {
    {"plain", 200, NULL},
    {"p%6Cain", 200, NULL},
    {"p%6cain", 200, NULL},
    {"plain+", 404, "model_not_found"}, /* a blank */
    {"plain%2B", 404, "model_not_found"},
    {"p%zzain", 404, "model_not_found"},
    {"plain%", 404, "model_not_found"},
    {"\xc3\xa9", 404, "model_not_found"},
    {"%C3%A9", 404, "model_not_found"},
    {"plain%00", 422, "invalid_parameter"},
    {"plain%0A", 422, "invalid_parameter"},
    {"plain%0d%0a", 422, "invalid_parameter"},
    {"plain%1f", 422, "invalid_parameter"},
    {"plain%7F", 422, "invalid_parameter"},
    {"plain\x01", 422, "invalid_parameter"},
    {"plain\t", 422, "invalid_parameter"},
    {"%FF", 422, "invalid_parameter"},
    {"\xff", 422, "invalid_parameter"},
    {"%C3%28", 422, "invalid_parameter"},
    {"plain&model=plain", 422, "invalid_parameter"},
    {"plain&MODEL=plain", 422, "unknown_parameter"},
    {"plain&=x", 422, "unknown_parameter"},
    {"plain&a%0Ab", 422, "unknown_parameter"},
};

START_TEST(values_of_parameters_are_decoded_and_have_to_be_text)
{
    char request[256];
    struct http_answer answer;
    create_plain_model(&server, "plain");
    snprintf(request, sizeof request, "GET /runs?model=%s HTTP/1.1\r\n" CLOSE "\r\n",
             values[_i].value);
    http_exchange_bytes(&server, request, strlen(request), &answer);
    ck_assert_msg(answer.status == values[_i].status, "%ld: %s", answer.status, answer.body);
    ck_assert_ptr_nonnull(answer.json); /* valid UTF-8, whatever the client has sent */
    if (values[_i].code != NULL)
        expect_problem(&answer, values[_i].status, values[_i].code);
    http_answer_finish(&answer);
}
END_TEST

START_TEST(the_longest_value_of_a_parameter_is_read)
{
    enum { LONGEST = 8192 };
    static char path[LONGEST + 64];
    for (size_t size = LONGEST; size <= LONGEST + 1; size++) {
        strcpy(path, "/runs?model=");
        const size_t start = strlen(path);
        memset(path + start, 'a', size);
        path[start + size] = '\0';
        const int connection = http_connect(&server);
        static struct wire_answer answer;
        static char request[LONGEST + 256];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" HOST "\r\n", path);
        wire_send(connection, request);
        wire_read(connection, &answer);
        ck_assert_int_eq(answer.status, size == LONGEST ? 404 : 422);
        close(connection);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("valid HTTP");
    TCase *tests = fixture_case(suite, "valid HTTP", NULL);
    tcase_add_loop_test(tests, unusual_requests_are_served, 0, ROWS(valid));
    tcase_add_test(tests, a_request_may_come_byte_by_byte);
    tcase_add_test(tests, requests_in_a_row_are_answered_in_their_order);
    tcase_add_test(tests, a_client_of_http_1_0_may_keep_its_connection);
    tcase_add_test(tests, a_client_that_expects_100_is_told_to_go_on);
    tcase_add_test(tests, head_answers_as_get_without_a_body);
    tcase_add_loop_test(tests, other_methods_are_told_which_there_are, 0, ROWS(methods));
    tcase_add_loop_test(tests, values_of_parameters_are_decoded_and_have_to_be_text, 0,
                        ROWS(values));
    tcase_add_test(tests, the_longest_value_of_a_parameter_is_read);
    return suite_run(suite);
}
