/* What every answer has: a request id, and no body for HEAD; the health checks and the contract. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/ask.h"
#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/golden.h"
#include "tests/support/http.h"
#include "tests/support/suite.h"

START_TEST(the_longest_request_id_is_echoed_and_longer_ones_are_not)
{
    char header[5100] = "X-Request-Id: ";
    const size_t name = strlen(header);
    const size_t lengths[] = {128, 129, 5000};
    for (size_t i = 0; i < 3; i++) {
        memset(header + name, 'a', lengths[i]);
        header[name + lengths[i]] = '\0';
        struct http_answer answer = http_send(&server, "GET", "/health/live", NULL, header, NULL);
        ck_assert_int_eq(answer.status, 200);
        ck_assert_int_eq(strcmp(http_header(&answer, "x-request-id"), header + name) == 0, i == 0);
        http_answer_finish(&answer);
    }
}
END_TEST

START_TEST(a_request_id_is_echoed_or_made_up)
{
    struct http_answer echoed =
        http_send(&server, "GET", "/health/live", NULL, "X-Request-Id: a.B_c~1-2", NULL);
    struct http_answer one = http_send(&server, "GET", "/health/live", NULL, NULL);
    struct http_answer two =
        http_send(&server, "GET", "/health/live", NULL, "X-Request-Id: no spaces", NULL);
    ck_assert_str_eq(http_header(&echoed, "x-request-id"), "a.B_c~1-2");
    const char *made = http_header(&one, "x-request-id");
    ck_assert_uint_eq(strlen(made), 16);
    ck_assert_uint_eq(strspn(made, "0123456789abcdef"), 16);
    ck_assert_uint_eq(strspn(http_header(&two, "x-request-id"), "0123456789abcdef"), 16);
    ck_assert_str_ne(made, http_header(&two, "x-request-id"));
    http_answer_finish(&two);
    http_answer_finish(&one);
    http_answer_finish(&echoed);
}
END_TEST

START_TEST(answers_tell_browsers_that_they_are_data)
{
    static const char *const paths[] = {"/models", "/health/live", "/nope"};
    for (size_t i = 0; i < 3; i++) {
        struct http_answer answer = http_send(&server, "GET", paths[i], NULL, NULL);
        ck_assert_str_eq(http_header(&answer, "x-content-type-options"), "nosniff");
        ck_assert_str_eq(http_header(&answer, "content-security-policy"),
                         "default-src 'none'; frame-ancestors 'none'");
        ck_assert_str_eq(http_header(&answer, "cross-origin-resource-policy"), "same-origin");
        ck_assert_ptr_null(http_header(&answer, "strict-transport-security"));
        http_answer_finish(&answer);
    }
}
END_TEST

START_TEST(health_and_contract_are_served)
{
    char *live = ask_member("/health/live", "status"),
         *ready = ask_member("/health/ready", "status");
    ck_assert_str_eq(live, "\"live\"");
    ck_assert_str_eq(ready, "\"ready\"");
    struct http_answer contract = http_send(&server, "GET", "/openapi.yaml", NULL, NULL);
    ck_assert_int_eq(contract.status, 200);
    ck_assert_str_eq(http_header(&contract, "content-type"), "application/yaml");
    ck_assert_ptr_nonnull(strstr(contract.body, "openapi: 3.1"));
    http_answer_finish(&contract);
    free(ready);
    free(live);
}
END_TEST

START_TEST(head_answers_like_get_without_a_body)
{
    create_plain_model(&server, "plain");
    struct http_answer got = http_send(&server, "GET", "/models/plain", NULL, NULL);
    struct http_answer head = http_send(&server, "HEAD", "/models/plain", NULL, NULL);
    ck_assert_int_eq(head.status, 200);
    ck_assert_uint_eq(head.size, 0);
    ck_assert_str_eq(http_header(&head, "content-length"), http_header(&got, "content-length"));
    http_answer_finish(&head);
    http_answer_finish(&got);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("every_answer");
    TCase *tests = fixture_case(suite, "service", NULL);
    tcase_add_test(tests, the_longest_request_id_is_echoed_and_longer_ones_are_not);
    tcase_add_test(tests, a_request_id_is_echoed_or_made_up);
    tcase_add_test(tests, answers_tell_browsers_that_they_are_data);
    tcase_add_test(tests, health_and_contract_are_served);
    tcase_add_test(tests, head_answers_like_get_without_a_body);
    return suite_run(suite);
}
