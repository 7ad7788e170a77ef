/* The service over TLS: answers, versions, the certificate and its reload, and clients that don't
 * speak it. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/certificate.h"
#include "tests/support/client.h"
#include "tests/support/descriptors.h"
#include "tests/support/program.h"
#include "tests/support/suite.h"
#include "tests/support/wire.h"

enum { ANSWER = 8192 };

static char certificate[128], key[128];
static struct service service;

static void make_paths(void)
{
    program_directory_create();
    snprintf(certificate, sizeof certificate, "%s/cert", program_directory);
    snprintf(key, sizeof key, "%s/key", program_directory);
    certificate_make(certificate, key, "first");
}

static void start_with(const char *flag, const char *value)
{
    make_paths();
    service_start(&service, FLAGS("--tls-cert", certificate, "--tls-key", key, flag, value));
    service.certificate = certificate;
}

static void start(void)
{
    start_with(NULL, NULL);
}

static void start_impatient(void)
{
    start_with("--request-timeout", "1");
}

static void start_narrow(void)
{
    start_with("--connections", "1");
}

static void stop(void)
{
    service_finish(&service);
    program_directory_remove();
}

/* --- requests --- */

START_TEST(requests_are_answered_as_over_plain_http)
{
    create_plain_model(&service, "m");
    struct http_answer answer =
        http_send(&service, "POST", "/models/m/predict", "{\"in_spikes\": [[1, 2]]}", NULL);
    ck_assert_msg(answer.status == 200, "%s", answer.body);
    ck_assert_str_eq(http_header(&answer, "strict-transport-security"), "max-age=31536000");
    http_answer_finish(&answer);
}
END_TEST

/* More than a record and than a socket takes at once, both ways. */
START_TEST(large_bodies_and_answers_are_whole)
{
    enum { NUMBERS = 300000 };
    char *body = malloc(NUMBERS * 4 + 64), *at = body + sprintf(body, "{\"t\": [0");
    for (int i = 1; i < NUMBERS; i++)
        at = stpcpy(at, ",0.5");
    strcpy(at, "]}");
    struct http_answer answer = http_send(&service, "POST", "/psp_kernel", body, NULL);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_uint_eq(json_array_size(json_object_get(answer.json, "k")), NUMBERS);
    http_answer_finish(&answer);
    free(body);
}
END_TEST

static const struct {
    const char *request;
    long status;
} raw[] = {
    {"GET https://localhost/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 200},
    {"GET http://localhost/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404},
    {"GET /models HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", 400},
    {"POST /models HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
     413},
};

START_TEST(requests_that_no_library_sends_are_answered_too)
{
    static char answer[ANSWER + 1];
    long status = 0;
    struct tls_client *client = tls_client_connect(&service, NULL);
    ck_assert_ptr_nonnull(client);
    tls_client_ask(client, raw[_i].request, answer, ANSWER);
    ck_assert_msg(sscanf(answer, "HTTP/1.1 %3ld", &status) == 1 && status == raw[_i].status, "%s",
                  answer);
    tls_client_close(client);
}
END_TEST

static const struct {
    const char *priorities;
    bool is_taken;
} versions[] = {
    {"NORMAL:-VERS-ALL:+VERS-TLS1.3", true},
    {"NORMAL:-VERS-ALL:+VERS-TLS1.2", true},
    {"NORMAL:-VERS-ALL:+VERS-TLS1.1", false},
    {"NORMAL:-VERS-ALL:+VERS-TLS1.0", false},
};

START_TEST(versions_before_1_2_are_refused)
{
    struct tls_client *client = tls_client_connect(&service, versions[_i].priorities);
    ck_assert_int_eq(client != NULL, versions[_i].is_taken);
    if (client != NULL)
        tls_client_close(client);
}
END_TEST

START_TEST(the_health_check_speaks_tls)
{
    const struct program_result ready =
        program_run(NULL, FLAGS("--healthcheck", "--listen", service.address, "--tls-cert",
                                certificate, "--tls-key", key));
    ck_assert_msg(ready.status == 0, "%s", ready.error);
    const struct program_result plain =
        program_run(NULL, FLAGS("--healthcheck", "--listen", service.address));
    ck_assert_int_eq(plain.status, 1);
}
END_TEST

/* --- clients that don't speak it --- */

static const struct {
    const char *bytes;
    size_t size;
} garbage[] = {
#define BYTES(text)                                                                                \
    {                                                                                              \
        text, sizeof text - 1                                                                      \
    }
    BYTES("GET /models HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    BYTES("\0\0\0\0\0\0\0\0"),
    BYTES("\x16\x03\x01\xff\xff\x01\x00\x00\x00\x00\x00\x00\x00"),
    BYTES("SSH-2.0-client\r\n"),
};

static double seconds_until_closed(int connection)
{
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    wire_is_closed(connection);
    clock_gettime(CLOCK_MONOTONIC, &end);
    close(connection);
    return (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
}

/* Long before the time in which a request has to arrive, which is a minute. */
START_TEST(what_is_not_tls_is_closed_at_once)
{
    const int connection = http_connect(&service);
    wire_send_bytes(connection, garbage[_i].bytes, garbage[_i].size);
    ck_assert_double_lt(seconds_until_closed(connection), 30);
    http_await_readiness(&service, 200);
}
END_TEST

START_TEST(a_handshake_that_does_not_end_is_cut_off)
{
    const int silent = http_connect(&service), begun = http_connect(&service);
    wire_send_bytes(begun, "\x16\x03\x01\x02\x00\x01", 6);
    seconds_until_closed(silent); /* fails if it never is */
    seconds_until_closed(begun);
}
END_TEST

/* What each has sent before it leaves; with a word of good-bye after it, as TLS has it, or without.
 */
START_TEST(clients_that_leave_are_noticed)
{
    enum { CLIENTS = 40 };
    static const char *const sent[] = {
        "G", "GET /models HTTP/1.1\r\nHost: localhost\r\n",
        "GET /models HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "PUT /datasets/d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf"};
    char none[1];
    const struct descriptors before = descriptors_count(&service);
    for (int i = 0; i < CLIENTS; i++) {
        struct tls_client *client = tls_client_connect(&service, NULL);
        ck_assert_ptr_nonnull(client);
        tls_client_ask(client, sent[i % ROWS(sent)], none, 0);
        if (i % 2 == 0)
            tls_client_say_bye(client);
        tls_client_close(client);
    }
    descriptors_await(&service, &before);
}
END_TEST

/* The one place is taken by a request that has begun. */
START_TEST(a_connection_without_a_place_is_closed)
{
    static char answer[ANSWER + 1];
    struct tls_client *client = tls_client_connect(&service, NULL);
    ck_assert_ptr_nonnull(client);
    tls_client_ask(client,
                   "POST /encode HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                   "Content-Length: 10\r\n\r\n",
                   answer, strlen("HTTP/1.1 100"));
    ck_assert_str_eq(answer, "HTTP/1.1 100");
    ck_assert_ptr_null(tls_client_connect(&service, NULL));
    tls_client_close(client);
}
END_TEST

/* --- reloading --- */

static void expect_name(const char *expected)
{
    char name[TLS_CLIENT_NAME];
    struct tls_client *client = tls_client_connect(&service, NULL);
    ck_assert_ptr_nonnull(client);
    tls_client_read_name(client, name);
    ck_assert_str_eq(name, expected);
    tls_client_close(client);
}

static void reload(const char *expected)
{
    ck_assert_int_eq(kill(service.pid, SIGHUP), 0);
    service_await_log(&service, expected);
}

START_TEST(a_reload_gives_new_connections_the_new_certificate)
{
    static const char request[] = "GET /models HTTP/1.1\r\nHost: localhost\r\n\r\n";
    char answer[sizeof "HTTP/1.1 200"];
    struct tls_client *old = tls_client_connect(&service, NULL);
    ck_assert_ptr_nonnull(old);
    expect_name("first");
    certificate_make(certificate, key, "second");
    expect_name("first");
    reload(" reload=done\n");
    expect_name("second");
    tls_client_ask(old, request, answer, strlen("HTTP/1.1 200"));
    ck_assert_str_eq(answer, "HTTP/1.1 200");
    tls_client_close(old);
    struct http_answer after = http_send(&service, "GET", "/models", NULL, NULL);
    ck_assert_int_eq(after.status, 200);
    http_answer_finish(&after);
}
END_TEST

START_TEST(a_wrong_certificate_keeps_the_one_that_is_there)
{
    char other[160];
    snprintf(other, sizeof other, "%s/other", program_directory);
    certificate_make(other, key, "second");
    reload("/key: it is not the key of the certificate in ");
    expect_name("first");
    ck_assert_int_eq(unlink(certificate), 0);
    reload("/cert: No such file or directory\"\n");
    expect_name("first");
}
END_TEST

/* --- starts that fail --- */

static void write_text(const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", program_directory, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

static const struct {
    const char *certificate, *key, *error; /* how the line begins */
} wrong[] = {
    {"cert", NULL, "tempotrond: --tls-cert and --tls-key go together\n"},
    {NULL, "key", "tempotrond: --tls-cert and --tls-key go together\n"},
    {"none", "key", "tempotrond: none: No such file or directory\n"},
    {"cert", "none", "tempotrond: none: No such file or directory\n"},
    {"/dev/zero", "key", "tempotrond: /dev/zero: it is not a regular file\n"},
    {"cert", "/dev/zero", "tempotrond: /dev/zero: it is not a regular file\n"},
    {".", "key", "tempotrond: .: Is a directory\n"},
    {"text", "key", "tempotrond: text: it has no certificate as PEM: "},
    {"cert", "text", "tempotrond: text: it has no key as PEM: "},
    {"key", "cert", "tempotrond: key: it has no certificate as PEM: "},
    {"cert", "other", "tempotrond: other: it is not the key of the certificate in cert\n"},
};

START_TEST(a_wrong_certificate_is_told)
{
    char other[160], spare[160];
    snprintf(other, sizeof other, "%s/other", program_directory);
    snprintf(spare, sizeof spare, "%s/spare", program_directory);
    certificate_make(spare, other, "other");
    write_text("text", "no PEM\n");
    if (wrong[_i].certificate != NULL)
        setenv("TEMPOTROND_TLS_CERT", wrong[_i].certificate, 1);
    if (wrong[_i].key != NULL)
        setenv("TEMPOTROND_TLS_KEY", wrong[_i].key, 1);
    const struct program_result result =
        program_run(program_directory, FLAGS("--listen", "127.0.0.1:0", "--db", "x.db"));
    ck_assert_int_eq(result.status, 1);
    ck_assert_msg(strncmp(result.error, wrong[_i].error, strlen(wrong[_i].error)) == 0, "%s",
                  result.error);
    ck_assert_ptr_eq(strchr(result.error, '\n'), strrchr(result.error, '\n'));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tls");
    TCase *tests = suite_case(suite, "tls", start, stop, 2 * SERVICE_SECONDS);
    tcase_add_test(tests, requests_are_answered_as_over_plain_http);
    tcase_add_test(tests, large_bodies_and_answers_are_whole);
    tcase_add_loop_test(tests, requests_that_no_library_sends_are_answered_too, 0, ROWS(raw));
    tcase_add_loop_test(tests, versions_before_1_2_are_refused, 0, ROWS(versions));
    tcase_add_test(tests, the_health_check_speaks_tls);
    tcase_add_loop_test(tests, what_is_not_tls_is_closed_at_once, 0, ROWS(garbage));
    tcase_add_test(tests, clients_that_leave_are_noticed);
    tcase_add_test(tests, a_reload_gives_new_connections_the_new_certificate);
    tcase_add_test(tests, a_wrong_certificate_keeps_the_one_that_is_there);
    TCase *impatient = suite_case(suite, "impatient", start_impatient, stop, 2 * SERVICE_SECONDS);
    tcase_add_test(impatient, a_handshake_that_does_not_end_is_cut_off);
    TCase *narrow = suite_case(suite, "narrow", start_narrow, stop, 2 * SERVICE_SECONDS);
    tcase_add_test(narrow, a_connection_without_a_place_is_closed);
    TCase *starts =
        suite_case(suite, "starts", make_paths, program_directory_remove, 2 * SERVICE_SECONDS);
    tcase_add_loop_test(starts, a_wrong_certificate_is_told, 0, ROWS(wrong));
    return suite_run(suite);
}
