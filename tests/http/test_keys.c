/* API keys: what each role may do, the rate of a key, the key file and its reload, and what the log
 * says of keys. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "server/api/routes.h"
#include "server/base/named_file.h"
#include "tests/support/client.h"
#include "tests/support/program.h"
#include "tests/support/suite.h"
#include "tests/support/wire.h"

enum { KEYS = 4, KEY_TEXT = 128 };

/* One key of each role, and one that may ask once a second. */
static const struct {
    const char *name, *role, *rate;
} made[KEYS] = {
    {"reader", "read-only", NULL},
    {"writer", "read-write", NULL},
    {"boss", "admin", NULL},
    {"slow", "read-only", "1"},
};
static char headers[KEYS][KEY_TEXT]; /* "Authorization: Bearer KEY" */
static char key_file[128];
static struct service service;

static void append(const char *text)
{
    FILE *file = fopen(key_file, "a");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

/* Makes a key, whose header it writes, and adds its line to the key file. */
static void make_key(const char *name, const char *role, const char *rate, char *ret_header)
{
    const struct program_result result = program_run(NULL, FLAGS("new-key", name, role, rate));
    ck_assert_msg(result.status == 0, "%s", result.error);
    ck_assert_uint_eq(strcspn(result.error, "\n"), strlen(result.error) - 1);
    snprintf(ret_header, KEY_TEXT, "Authorization: Bearer %.*s", (int)strcspn(result.error, "\n"),
             result.error);
    append(result.out);
}

static void start_with(const char *what)
{
    program_directory_create();
    snprintf(key_file, sizeof key_file, "%s/keys", program_directory);
    append("# name role checksum rate\n\n");
    for (int i = 0; i < KEYS; i++)
        make_key(made[i].name, made[i].role, made[i].rate, headers[i]);
    service_start(&service, FLAGS("--api-key-file", key_file, "--log", what));
}

static void start(void)
{
    start_with("requests");
}

static void start_quiet(void)
{
    start_with("errors");
}

static void stop(void)
{
    service_finish(&service);
    program_directory_remove();
}

/* --- roles --- */

/* The status of a request without a body; `header` may be NULL. */
static long status_of(const char *method, const char *path, const char *header)
{
    struct http_answer answer = http_send(&service, method, path, NULL, header, NULL);
    const long status = answer.status;
    http_answer_finish(&answer);
    return status;
}

/* A path of the route that names nothing. */
static void fill_in(const char *pattern, char *path)
{
    while (*pattern != '\0')
        if (*pattern == '{') {
            path = stpcpy(path, "9");
            pattern = strchr(pattern, '}') + 1;
        } else {
            *path++ = *pattern++;
        }
    *path = '\0';
}

START_TEST(each_route_needs_its_role)
{
    char path[256];
    for (size_t i = 0; i < routes_count; i++) {
        const struct route *route = &routes[i];
        fill_in(route->pattern, path);
        const long without = status_of(route->method, path, NULL);
        ck_assert_msg((without == 401) == (route->role != ROLE_NONE), "%s %s: %ld", route->method,
                      path, without);
        for (enum role role = ROLE_READ_ONLY; role <= ROLE_ADMIN; role++) {
            const long status = status_of(route->method, path, headers[role - ROLE_READ_ONLY]);
            ck_assert_msg((status == 403) == (role < route->role) && status != 401 && status != 0,
                          "%s %s as %s: %ld", route->method, path, role_name(role), status);
        }
    }
}
END_TEST

/* Which role a route needs, by what it does. */
START_TEST(what_changes_something_needs_more_than_reading)
{
    static const char *const computing[] = {"/encode", "/psp_kernel", "/mse_loss", "/predict",
                                            "/evaluate"};
    for (size_t i = 0; i < routes_count; i++) {
        const struct route *route = &routes[i];
        const char *end = strrchr(route->pattern, '/');
        bool reads = strcmp(route->method, "GET") == 0;
        for (size_t j = 0; j < ROWS(computing); j++)
            reads |= strcmp(end, computing[j]) == 0;
        const bool is_health = strncmp(route->pattern, "/health/", 8) == 0;
        ck_assert_msg(is_health ? route->role == ROLE_NONE
                      : reads   ? route->role == ROLE_READ_ONLY
                                : route->role >= ROLE_READ_WRITE,
                      "%s %s", route->method, route->pattern);
    }
}
END_TEST

START_TEST(a_role_that_is_not_enough_is_told)
{
    struct http_answer answer = http_send(
        &service, "POST", "/models", "{\"in_features\": 1, \"out_features\": 1}", headers[0], NULL);
    expect_problem(&answer, 403, "forbidden");
    ck_assert_str_eq(member_string(answer.json, "detail"),
                     "This needs a key of the role read-write; the role of \"reader\" is "
                     "read-only.");
    http_answer_finish(&answer);
}
END_TEST

/* --- keys that are refused --- */

START_TEST(a_request_without_a_known_key_is_told_how_to_show_one)
{
    static const char *const wrong[] = {
        NULL,
        "Authorization: Bearer",
        "Authorization: Bearer  ",
        "Authorization: Bearer tempotron_0000000000000000000000000000000000000000000000000000",
        "Authorization: Basic cmVhZGVyOnNlY3JldA==",
        "Authorization: reader",
        "Authorization: Bearer reader",
    };
    for (size_t i = 0; i < ROWS(wrong); i++) {
        struct http_answer answer = http_send(&service, "GET", "/nope", NULL, wrong[i], NULL);
        expect_problem(&answer, 401, "unauthorized");
        ck_assert_str_eq(http_header(&answer, "www-authenticate"), "Bearer realm=\"tempotrond\"");
        http_answer_finish(&answer);
    }
    ck_assert_int_eq(status_of("GET", "/nope", headers[0]), 404);
}
END_TEST

START_TEST(only_the_whole_key_is_one)
{
    char header[KEY_TEXT + 300];
    strcpy(header, headers[0]);
    header[strlen(header) - 1] = '\0';
    ck_assert_int_eq(status_of("GET", "/models", header), 401);
    snprintf(header, sizeof header, "%s0", headers[0]);
    ck_assert_int_eq(status_of("GET", "/models", header), 401);
    snprintf(header, sizeof header, "%s%0280d", headers[0], 0);
    ck_assert_int_eq(status_of("GET", "/models", header), 401);
    snprintf(header, sizeof header, "Authorization: bearer  %s  ", strrchr(headers[0], ' ') + 1);
    ck_assert_int_eq(status_of("GET", "/models", header), 200);
}
END_TEST

START_TEST(two_keys_are_malformed)
{
    struct http_answer answer =
        http_send(&service, "GET", "/models", NULL, headers[0], headers[1], NULL);
    expect_problem(&answer, 400, "malformed_request");
    http_answer_finish(&answer);
}
END_TEST

START_TEST(a_body_without_a_key_is_not_read_into_memory)
{
    static struct wire_answer answer;
    const int client = http_connect(&service);
    wire_send(client, "PUT /datasets/d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20\r\n"
                      "Expect: 100-continue\r\n\r\n");
    wire_read(client, &answer);
    ck_assert_int_eq(answer.status, 401);
    close(client);
}
END_TEST

/* --- rates --- */

static double seconds_since(const struct timespec *begin)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - begin->tv_sec) + (double)(now.tv_nsec - begin->tv_nsec) / 1e9;
}

/* Two requests within a second: on a busy machine, that may take several tries. */
START_TEST(a_key_that_is_too_fast_is_told_to_wait)
{
    struct timespec begin;
    struct http_answer answer = {0};
    do {
        http_answer_finish(&answer);
        clock_gettime(CLOCK_MONOTONIC, &begin);
        status_of("GET", "/models", headers[3]);
        answer = http_send(&service, "GET", "/models", NULL, headers[3], NULL);
    } while (seconds_since(&begin) >= 1);
    expect_problem(&answer, 429, "rate_limited");
    ck_assert_str_eq(http_header(&answer, "retry-after"), "1");
    http_answer_finish(&answer);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(status_of("GET", "/models", headers[0]), 200);
}
END_TEST

START_TEST(a_key_may_ask_again_after_its_wait)
{
    struct timespec begin;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    ck_assert_int_eq(status_of("GET", "/models", headers[3]), 200);
    while (status_of("GET", "/models", headers[3]) != 200)
        ck_assert_double_lt(seconds_since(&begin), service_patience() / 1e3);
    ck_assert_double_ge(seconds_since(&begin), 1);
}
END_TEST

/* --- reloading --- */

static void reload(const char *expected)
{
    ck_assert_int_eq(kill(service.pid, SIGHUP), 0);
    service_await_log(&service, expected);
}

START_TEST(a_reload_takes_new_keys_and_drops_old_ones)
{
    char header[KEY_TEXT];
    ck_assert_int_eq(unlink(key_file), 0);
    make_key("fresh", "read-only", NULL, header);
    ck_assert_int_eq(status_of("GET", "/models", header), 401);
    reload(" reload=done\n");
    ck_assert_int_eq(status_of("GET", "/models", header), 200);
    ck_assert_int_eq(status_of("GET", "/models", headers[0]), 401);
}
END_TEST

START_TEST(a_wrong_file_keeps_the_keys_that_are_there)
{
    append("boss admin sha256:00\n");
    reload(" reload=failed error=\"");
    char *log = service_log(&service);
    ck_assert_ptr_nonnull(strstr(log, "/keys:7: after the role stands sha256:"));
    free(log);
    ck_assert_int_eq(status_of("GET", "/models", headers[0]), 200);
    ck_assert_int_eq(unlink(key_file), 0);
    reload("/keys: No such file or directory\"\n");
    ck_assert_int_eq(status_of("GET", "/models", headers[0]), 200);
}
END_TEST

START_TEST(a_pipe_in_place_of_the_keys_holds_up_neither_a_reload_nor_a_stop)
{
    ck_assert_int_eq(unlink(key_file), 0);
    ck_assert_int_eq(mkfifo(key_file, 0600), 0);
    reload("/keys: it is not a regular file\"\n");
    ck_assert_int_eq(status_of("GET", "/models", headers[0]), 200);
    service_stop(&service);
}
END_TEST

/* --- the log --- */

#define MODEL "{\"in_features\": 2, \"out_features\": 2, \"T\": 5}"

static void ask_as(const char *header, const char *method, const char *id)
{
    char name[64];
    snprintf(name, sizeof name, "X-Request-Id: %s", id);
    struct http_answer answer =
        http_send(&service, method, "/models", strcmp(method, "POST") == 0 ? MODEL : NULL, name,
                  header, NULL);
    http_answer_finish(&answer);
}

START_TEST(the_log_names_the_key_and_never_shows_it)
{
    ask_as(headers[0], "GET", "one");
    ask_as(headers[1], "POST", "two");
    ask_as(NULL, "GET", "three");
    ask_as("Authorization: Bearer not-a-key", "GET", "four");
    service_await_log(&service, " key=reader request_id=one\n");
    service_await_log(&service, " key=writer request_id=two\n");
    service_await_log(&service, " key=- request_id=three\n");
    service_await_log(&service, " key=- request_id=four\n");
    char *log = service_log(&service);
    ck_assert_ptr_null(strstr(log, "tempotron_"));
    ck_assert_ptr_null(strstr(log, "not-a-key"));
    ck_assert_ptr_null(strstr(log, "Bearer"));
    ck_assert_ptr_null(strstr(log, "in_features"));
    free(log);
}
END_TEST

START_TEST(a_log_of_errors_has_each_change_too)
{
    ask_as(headers[0], "GET", "look");
    ask_as(headers[0], "POST", "try");
    ask_as(headers[1], "POST", "change");
    service_await_log(&service, " key=writer request_id=change\n");
    char *log = service_log(&service);
    ck_assert_ptr_nonnull(strstr(log, " status=403 "));
    ck_assert_ptr_nonnull(strstr(log, " key=reader request_id=try\n"));
    ck_assert_ptr_null(strstr(log, "request_id=look"));
    free(log);
}
END_TEST

/* Before its route is known, or without one. */
START_TEST(a_log_of_errors_has_what_was_refused_early)
{
    static const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "FOO"};
    char id[32], line[64];
    for (size_t i = 0; i < ROWS(methods); i++)
        for (size_t j = 0; j < 3; j++) {
            snprintf(id, sizeof id, "%s-%zu", methods[i], j);
            ask_as(j == 0   ? NULL
                   : j == 1 ? "Authorization: Bearer not-a-key"
                            : headers[1],
                   j < 2 ? methods[i] : "PUT", id);
        }
    ask_as(NULL, "GET", "GET-0");
    ask_as(NULL, "HEAD", "HEAD-0");
    ask_as(NULL, "DELETE", "last");
    service_await_log(&service, " key=- request_id=last\n");
    char *log = service_log(&service);
    for (size_t i = 0; i < ROWS(methods); i++)
        for (size_t j = 0; j < 3; j++) {
            snprintf(line, sizeof line, " request_id=%s-%zu\n", methods[i], j);
            ck_assert_msg(strstr(log, line) != NULL, "%s: %s", line, log);
        }
    ck_assert_ptr_null(strstr(log, "GET-0"));
    ck_assert_ptr_null(strstr(log, "HEAD-0"));
    free(log);
}
END_TEST

/* --- files that are refused at the start --- */

#define DIGEST "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define OTHER  "sha256:60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
#define SHAPE  "a line is NAME ROLE sha256:HEX, and REQUESTS_A_SECOND if they are limited"
#define HEX    "after the role stands sha256: and 64 hexadecimal digits"
#define RATE   "requests a second are a whole number from 1 to 1000000"
#define NAME   "a name has 1 to 63 of a-z, 0-9, _ and -, and begins with one of a-z or 0-9"

static const struct {
    const char *text, *line;
} wrong_files[] = {
    {"", "keys: it has no key; tempotrond new-key NAME ROLE makes one"},
    {"\n# nothing\n  \t\n", "keys: it has no key; tempotrond new-key NAME ROLE makes one"},
    {"a read-only\n", "keys:1: " SHAPE},
    {"\n\na admin " DIGEST " 5 6\n", "keys:3: " SHAPE},
    {"A read-only " DIGEST "\n", "keys:1: " NAME},
    {"a reader " DIGEST "\n", "keys:1: a role is read-only, read-write or admin"},
    {"a none " DIGEST "\n", "keys:1: a role is read-only, read-write or admin"},
    {"a admin tempotron_secret\n", "keys:1: " HEX},
    {"a admin " DIGEST "0\n", "keys:1: " HEX},
    {"a admin sha256:xyz\n", "keys:1: " HEX},
    {"a admin " DIGEST " 0\n", "keys:1: " RATE},
    {"a admin " DIGEST " -1\n", "keys:1: " RATE},
    {"a admin " DIGEST " 1.5\n", "keys:1: " RATE},
    {"a admin " DIGEST " 1000001\n", "keys:1: " RATE},
    {"a admin " DIGEST "\na admin " OTHER "\n", "keys:2: the name a is given twice"},
    {"a admin " DIGEST "\nb admin " DIGEST "\n", "keys:2: it is the same key as that of a"},
};

static struct program_result start_here(void)
{
    return program_run(program_directory,
                       FLAGS("--listen", "127.0.0.1:0", "--db", "x.db", "--api-key-file", "keys"));
}

static void write_key_file(const char *text)
{
    snprintf(key_file, sizeof key_file, "%s/keys", program_directory);
    append(text);
}

START_TEST(a_wrong_key_file_is_told_with_its_line)
{
    write_key_file(wrong_files[_i].text);
    const struct program_result result = start_here();
    expect_program_failure(&result, wrong_files[_i].line);
    ck_assert_int_eq(program_directory_empty(), 1); /* no database has been made */
}
END_TEST

START_TEST(a_missing_key_file_is_told)
{
    const struct program_result result = start_here();
    expect_program_failure(&result, "keys: No such file or directory");
}
END_TEST

START_TEST(a_key_file_that_is_a_directory_is_told)
{
    char path[SERVICE_PATH];
    snprintf(path, sizeof path, "%s/keys", program_directory);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    const struct program_result result = start_here();
    expect_program_failure(&result, "keys: Is a directory");
    ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

START_TEST(a_key_file_that_is_a_pipe_or_too_large_is_told)
{
    write_key_file("a admin " DIGEST "\n");
    ck_assert_int_eq(truncate(key_file, NAMED_FILE_TEXT + 1), 0);
    const struct program_result large = start_here();
    expect_program_failure(&large, "keys: File too large");
    ck_assert_int_eq(unlink(key_file), 0);
    ck_assert_int_eq(mkfifo(key_file, 0600), 0);
    const struct program_result pipe = start_here();
    expect_program_failure(&pipe, "keys: it is not a regular file");
}
END_TEST

START_TEST(a_key_file_that_every_user_may_write_to_is_refused)
{
    write_key_file("a admin " DIGEST "\n");
    ck_assert_int_eq(chmod(key_file, 0666), 0);
    const struct program_result result = start_here();
    expect_program_failure(&result, "keys: every user may write to it");
}
END_TEST

START_TEST(more_keys_than_the_limit_are_told)
{
    snprintf(key_file, sizeof key_file, "%s/keys", program_directory);
    FILE *file = fopen(key_file, "w");
    ck_assert_ptr_nonnull(file);
    for (int i = 0; i <= LIMIT_KEYS; i++)
        fprintf(file, "k%d read-only sha256:%064d\n", i, i);
    ck_assert_int_eq(fclose(file), 0);
    const struct program_result result = start_here();
    expect_program_failure(&result, "keys:1001: it has more than 1000 keys");
}
END_TEST

START_TEST(a_new_key_is_a_line_and_a_key_that_no_other_is)
{
    const struct program_result one = program_run(NULL, FLAGS("new-key", "a", "admin", "7"));
    const struct program_result two = program_run(NULL, FLAGS("new-key", "a", "admin", "7"));
    ck_assert_int_eq(one.status, 0);
    ck_assert_int_eq(strncmp(one.out, "a admin sha256:", 15), 0);
    ck_assert_uint_eq(strlen(one.out), 15 + 64 + strlen(" 7\n"));
    ck_assert_uint_eq(strlen(one.error), strlen("tempotron_") + 64 + 1);
    ck_assert_str_ne(one.out, two.out);
    ck_assert_str_ne(one.error, two.error);
}
END_TEST

START_TEST(a_wrong_new_key_is_told)
{
    static const struct {
        const char *name, *role, *rate, *line;
    } wrong[] = {
        {"a", NULL, NULL, "new-key: it needs NAME ROLE, and REQUESTS a second if they are limited"},
        {"A", "admin", NULL, "new-key: " NAME},
        {"a", "root", NULL, "new-key: a role is read-only, read-write or admin"},
        {"a", "admin", "0", "new-key: " RATE},
    };
    for (size_t i = 0; i < ROWS(wrong); i++) {
        const struct program_result result =
            program_run(NULL, FLAGS("new-key", wrong[i].name, wrong[i].role, wrong[i].rate));
        expect_program_failure(&result, wrong[i].line);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keys");
    TCase *tests = suite_case(suite, "keys", start, stop, 2 * SERVICE_SECONDS);
    tcase_add_test(tests, each_route_needs_its_role);
    tcase_add_test(tests, what_changes_something_needs_more_than_reading);
    tcase_add_test(tests, a_role_that_is_not_enough_is_told);
    tcase_add_test(tests, a_request_without_a_known_key_is_told_how_to_show_one);
    tcase_add_test(tests, only_the_whole_key_is_one);
    tcase_add_test(tests, two_keys_are_malformed);
    tcase_add_test(tests, a_body_without_a_key_is_not_read_into_memory);
    tcase_add_test(tests, a_key_that_is_too_fast_is_told_to_wait);
    tcase_add_test(tests, a_key_may_ask_again_after_its_wait);
    tcase_add_test(tests, a_reload_takes_new_keys_and_drops_old_ones);
    tcase_add_test(tests, a_wrong_file_keeps_the_keys_that_are_there);
    tcase_add_test(tests, a_pipe_in_place_of_the_keys_holds_up_neither_a_reload_nor_a_stop);
    tcase_add_test(tests, the_log_names_the_key_and_never_shows_it);
    TCase *quiet = suite_case(suite, "quiet", start_quiet, stop, 2 * SERVICE_SECONDS);
    tcase_add_test(quiet, a_log_of_errors_has_each_change_too);
    tcase_add_test(quiet, a_log_of_errors_has_what_was_refused_early);
    TCase *files = suite_case(suite, "files", program_directory_create, program_directory_remove,
                              2 * SERVICE_SECONDS);
    tcase_add_loop_test(files, a_wrong_key_file_is_told_with_its_line, 0, ROWS(wrong_files));
    tcase_add_test(files, a_missing_key_file_is_told);
    tcase_add_test(files, a_key_file_that_is_a_directory_is_told);
    tcase_add_test(files, a_key_file_that_is_a_pipe_or_too_large_is_told);
    tcase_add_test(files, a_key_file_that_every_user_may_write_to_is_refused);
    tcase_add_test(files, more_keys_than_the_limit_are_told);
    tcase_add_test(files, a_new_key_is_a_line_and_a_key_that_no_other_is);
    tcase_add_test(files, a_wrong_new_key_is_told);
    return suite_run(suite);
}
