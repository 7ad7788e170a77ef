/* Which hosts and which pages of browsers are answered. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/refusals.h"
#include "tests/support/suite.h"

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
    {"Content-Encoding: identity\t", 200, NULL},
    {"Content-Encoding: br", 415, "unsupported_media_type"},
    {"Content-Type: text/plain", 415, "unsupported_media_type"},
    {"Content-Type: application/jsonp", 415, "unsupported_media_type"},
    {"Content-Type: multipart/form-data; boundary=x", 415, "unsupported_media_type"},
    {"Host: localhost:8080", 200, NULL},
    {"Host: tempotron.localhost", 200, NULL},
    {"Host: [::1]:80", 200, NULL},
    {"Host: localhost ", 200, NULL},
    {"Host:   localhost:8080 \t ", 200, NULL},
    {"Host: localhost:0", 200, NULL},
    {"Host: localhost:65535", 200, NULL},
    {"Host: localhost:", 200, NULL},
    {"Host: localhost:65536", 403, "foreign_host"},
    {"Host: localhost:99999999999999999999999", 403, "foreign_host"},
    {"Host: localhost:evil.example", 403, "foreign_host"},
    {"Host: localhost:80x", 403, "foreign_host"},
    {"Host: localhost:+80", 403, "foreign_host"},
    {"Host: localhost:-1", 403, "foreign_host"},
    {"Host: localhost:80:80", 403, "foreign_host"},
    {"Host: localhost:80@evil.example", 403, "foreign_host"},
    {"Host: [::1]evil.example", 403, "foreign_host"},
    {"Host: [::1]:evil.example", 403, "foreign_host"},
    {"Host: local host", 403, "foreign_host"},
    {"Host: evil.example", 403, "foreign_host"},
    {"Host: evil.example ", 403, "foreign_host"},
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
    {"Sec-Fetch-Site: none ", 200, NULL},
};

START_TEST(foreign_pages_and_media_types_are_refused)
{
    struct http_answer answer =
        http_send(&server, "POST", "/psp_kernel", "{\"t\": [0]}", headers[_i].header, NULL);
    if (headers[_i].code != NULL)
        expect_problem(&answer, headers[_i].status, headers[_i].code);
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
    {"GET http://localhost:evil.example/models HTTP/1.1\r\nHost: localhost", 403, "foreign_host"},
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
        expect_problem(&answer, absolute_targets[_i].status, absolute_targets[_i].code);
    ck_assert_msg(answer.status == absolute_targets[_i].status, "%s: %ld", request, answer.status);
    http_answer_finish(&answer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hosts");
    TCase *tests = fixture_shared_case(suite, "errors", refusals_start);
    tcase_add_loop_test(tests, foreign_pages_and_media_types_are_refused, 0, ROWS(headers));
    tcase_add_test(tests, pages_of_the_same_origin_are_served);
    tcase_add_test(tests, only_the_hosts_that_were_named_are_answered);
    tcase_add_loop_test(tests, an_absolute_request_target_is_understood, 0, ROWS(absolute_targets));
    return suite_run(suite);
}
