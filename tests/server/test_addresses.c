/* Where the server listens, and which hosts it answers. */
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/http.h"
#include "tests/support/program.h"
#include "tests/support/service.h"
#include "tests/support/suite.h"
#include "tests/support/wire.h"

/* --- hosts --- */

static long status_for_host(const struct service *service, const char *host)
{
    char header[128];
    snprintf(header, sizeof header, "Host: %s", host);
    struct http_answer answer = http_send(service, "GET", "/models", NULL, header, NULL);
    const long status = answer.status;
    http_answer_finish(&answer);
    return status;
}

START_TEST(blanks_around_the_names_of_hosts_are_trimmed)
{
    struct service service;
    service_start(&service, FLAGS("--hosts", " iris.example , ,localhost\t[2001:db8::1],"));
    ck_assert_int_eq(status_for_host(&service, "iris.example"), 200);
    ck_assert_int_eq(status_for_host(&service, "iris.example:8080"), 200);
    ck_assert_int_eq(status_for_host(&service, "127.0.0.1"), 200);
    ck_assert_int_eq(status_for_host(&service, "[2001:db8::1]:80"), 200);
    ck_assert_int_eq(status_for_host(&service, "evil.example"), 403);
    service_finish(&service);
}
END_TEST

START_TEST(any_host_is_answered_if_the_list_says_so)
{
    struct service service;
    service_start(&service, FLAGS("--hosts", "iris.example,*"));
    ck_assert_int_eq(status_for_host(&service, "evil.example"), 200);
    service_finish(&service);
}
END_TEST

/* --- addresses --- */

/* Whether this machine has ::1. */
static bool has_v6(void)
{
    const struct sockaddr_in6 any_port = {.sin6_family = AF_INET6,
                                          .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool has =
        probe >= 0 && bind(probe, (const struct sockaddr *)&any_port, sizeof any_port) == 0;
    close(probe);
    return has;
}

static void expect_answer(bool by_v6, unsigned port, bool expected)
{
    const int connection = wire_connect(by_v6, port);
    ck_assert_msg((connection >= 0) == expected, "IPv%d", by_v6 ? 6 : 4);
    if (connection < 0)
        return;
    ck_assert_int_eq(wire_ask(connection, "/health/live"), 200);
    close(connection);
}

static const struct {
    const char *host;
    const char *shown;
    bool by_v4, by_v6;
} addresses[] = {
    {"127.0.0.1", "127.0.0.1", true, false},
    {"0.0.0.0", "0.0.0.0", true, false},
    {"[::1]", "[::1]", false, true},
    {"[::]", "[::]", true, true},
    {"", "[::]", true, true},
};

START_TEST(each_form_of_an_address_is_served_and_checked)
{
    char listen[64], shown[64];
    struct service service;
    if (addresses[_i].by_v6 && !has_v6())
        return;
    snprintf(listen, sizeof listen, "%s:0", addresses[_i].host);
    service_start(&service, FLAGS("--listen", listen, "--api-key-file", "none"));
    snprintf(shown, sizeof shown, "%s:%u", addresses[_i].shown, service.port);
    ck_assert_str_eq(service.address, shown);
    expect_answer(false, service.port, addresses[_i].by_v4);
    expect_answer(true, service.port, addresses[_i].by_v6 && has_v6());

    snprintf(listen, sizeof listen, "%s:%u", addresses[_i].host, service.port);
    const struct program_result ready =
        program_run(NULL, FLAGS("--healthcheck", "--listen", listen));
    ck_assert_msg(ready.status == 0, "%s", ready.error);
    service_stop(&service);
    const struct program_result gone =
        program_run(NULL, FLAGS("--healthcheck", "--listen", listen));
    ck_assert_int_eq(gone.status, 1);
    service_finish(&service);
}
END_TEST

START_TEST(an_address_outside_of_the_loopback_needs_a_word_about_keys)
{
    const struct program_result result =
        program_run(program_directory, FLAGS("--listen", "0.0.0.0:0", "--db", "x.db"));
    expect_program_failure(&result,
                           "0.0.0.0:0: it is not on the loopback, so it needs --api-key-file FILE, "
                           "or --api-key-file none to let anyone in");
    ck_assert_int_eq(program_directory_empty(), 0);
}
END_TEST

START_TEST(a_name_is_served_at_an_address_that_its_clients_reach)
{
    char url[64], name[64];
    struct service service;
    service_start(&service, FLAGS("--listen", "localhost:0"));
    snprintf(name, sizeof name, "localhost:%u", service.port);
    snprintf(url, sizeof url, "%s", service.address);
    strcpy(service.address, name); /* libcurl resolves it as any client does */
    ck_assert_int_eq(status_for_host(&service, "localhost"), 200);
    ck_assert_int_eq(status_for_host(&service, "evil.example"), 403); /* it is on the loopback */
    const struct program_result ready = program_run(NULL, FLAGS("--healthcheck", "--listen", name));
    ck_assert_msg(ready.status == 0, "%s", ready.error);
    service_finish(&service);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("addresses");
    TCase *tests = suite_case(suite, "command line", program_directory_create,
                              program_directory_remove, 2 * SERVICE_SECONDS);
    tcase_add_test(tests, blanks_around_the_names_of_hosts_are_trimmed);
    tcase_add_test(tests, any_host_is_answered_if_the_list_says_so);
    tcase_add_loop_test(tests, each_form_of_an_address_is_served_and_checked, 0, ROWS(addresses));
    tcase_add_test(tests, an_address_outside_of_the_loopback_needs_a_word_about_keys);
    tcase_add_test(tests, a_name_is_served_at_an_address_that_its_clients_reach);
    return suite_run(suite);
}
