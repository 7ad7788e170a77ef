/* The running process: the priority of its threads, the lines of its log, and the descriptors that
 * it gives back. */
#include <check.h>
#include <dirent.h>
#include <poll.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/descriptors.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/patterns.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"
#include "tests/support/wire.h"

/* --- the priority of threads --- */

enum { WORKERS = 2, THREADS = 3, POLICY_OTHER = 0, POLICY_BATCH = 3, NICE_OF_TRAINING = 10 };

struct thread_counts {
    int trains; /* batch policy, nice 10 */
    int serves; /* the usual policy, as nice as this process */
    int others;
};

/* The fields of /proc/PID/task/TID/stat that follow the name, which may hold anything. */
static void read_scheduling(const char *task, long *ret_nice, long *ret_policy)
{
    enum { NICE = 19, POLICY = 41, FIRST_AFTER_NAME = 3 };
    char path[300], text[2048];
    snprintf(path, sizeof path, "/proc/%d/task/%s/stat", (int)server.pid, task);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    char *field = strrchr(text, ')');
    ck_assert_ptr_nonnull(field);
    field = strtok(field + 1, " ");
    for (int number = FIRST_AFTER_NAME; field != NULL; number++, field = strtok(NULL, " ")) {
        if (number == NICE)
            *ret_nice = strtol(field, NULL, 10);
        if (number == POLICY)
            *ret_policy = strtol(field, NULL, 10);
    }
}

static struct thread_counts count_threads(void)
{
    char path[64];
    struct thread_counts counts = {0};
    snprintf(path, sizeof path, "/proc/%d/task", (int)server.pid);
    DIR *tasks = opendir(path);
    ck_assert_ptr_nonnull(tasks);
    for (const struct dirent *task; (task = readdir(tasks)) != NULL;) {
        long nice = -1, policy = -1;
        if (*task->d_name == '.')
            continue;
        read_scheduling(task->d_name, &nice, &policy);
        if (policy == POLICY_BATCH && nice == NICE_OF_TRAINING)
            counts.trains++;
        else if (policy == POLICY_OTHER && nice == getpriority(PRIO_PROCESS, 0))
            counts.serves++;
        else
            counts.others++;
    }
    closedir(tasks);
    return counts;
}

START_TEST(only_the_threads_that_train_give_way)
{
    fixture_start(FLAGS("--workers", "2", "--threads", "3", "--log", "errors"));
    create_pattern_model(&server, "a");
    create_pattern_model(&server, "b");
    const int serving = count_threads().serves;
    const json_int_t first = queue_patterns(&server, "a", RUN_ENDLESS);
    const json_int_t second = queue_patterns(&server, "b", RUN_ENDLESS);
    run_await_begun(&server, first);
    run_await_begun(&server, second);
    const struct thread_counts counts = count_threads();
    /* The run that began first has all threads, and the other one its share of them. */
    ck_assert_int_eq(counts.trains, THREADS + (THREADS + WORKERS - 1) / WORKERS);
    ck_assert_int_eq(counts.serves, serving);
    ck_assert_int_gt(serving, THREADS);
    ck_assert_int_eq(counts.others, 0);
}
END_TEST

/* --- the log --- */

static char *log_line(const char *request_id)
{
    char wanted[160];
    char *log = service_log(&server), *line = NULL;
    snprintf(wanted, sizeof wanted, " request_id=%s\n", request_id);
    const char *found = strstr(log, wanted);
    if (found != NULL) {
        const char *begin = found;
        while (begin > log && begin[-1] != '\n')
            begin--;
        line = strndup(begin, (size_t)(found - begin) + strlen(wanted));
    }
    free(log);
    return line;
}

/* A request's line is written after its answer. */
static char *await_log_line(const char *request_id)
{
    enum { ASK_AGAIN_MS = 2 };
    char *line = log_line(request_id);
    for (int waited = 0; line == NULL; waited += ASK_AGAIN_MS) {
        ck_assert_msg(waited < service_patience(), "no line of %s", request_id);
        poll(NULL, 0, ASK_AGAIN_MS);
        line = log_line(request_id);
    }
    return line;
}

static void expect_match(const char *line, const char *pattern)
{
    regex_t expression;
    ck_assert_int_eq(regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB), 0);
    ck_assert_msg(regexec(&expression, line, 0, NULL, 0) == 0, "%s is not like %s", line, pattern);
    regfree(&expression);
}

#define TIME    "^time=[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z "
#define END(id) " ms=[0-9]+\\.[0-9]{3} request_id=" id "\n$"

static const struct {
    const char *bytes; /* closes the connection */
    const char *id;
    const char *pattern;
} lines[] = {
    {"GET /models?limit=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
     "X-Request-Id: one\r\n\r\n",
     "one", TIME "method=GET path=\"/models\" status=200 bytes=33" END("one")},
    {"HEAD /models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Request-Id: two\r\n\r\n",
     "two", TIME "method=HEAD path=\"/models\" status=200 bytes=33" END("two")},
    {"GET /none HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Request-Id: three\r\n\r\n",
     "three", TIME "method=GET path=\"/none\" status=404 bytes=[0-9]+" END("three")},
    {"GET /a\x01\x1b[31m\x7f\xff\"\\b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
     "X-Request-Id: four\r\n\r\n",
     "four",
     TIME "method=GET path=\"/a\\?\\?\\[31m\\?\\?\\?\\?b\" status=404 bytes=[0-9]+" END("four")},
    {"\x01\x1b\xff\"X /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
     "X-Request-Id: five\r\n\r\n",
     "five", TIME "method=\\?\\?\\?\\?X path=\"/x\" status=404 bytes=[0-9]+" END("five")},
    {"ABCDEFGHIJKLMNOPQRSTUVWXYZ /models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
     "X-Request-Id: six\r\n\r\n",
     "six", TIME "method=ABCDEFGHIJKLMNO path=\"/models\" status=405 bytes=[0-9]+" END("six")},
};

START_TEST(each_request_is_a_line_without_control_characters)
{
    struct http_answer answer;
    http_exchange_bytes(&server, lines[_i].bytes, strlen(lines[_i].bytes), &answer);
    ck_assert_str_eq(http_header(&answer, "x-request-id"), lines[_i].id);
    char *line = await_log_line(lines[_i].id);
    expect_match(line, lines[_i].pattern);
    free(line);
    http_answer_finish(&answer);
}
END_TEST

START_TEST(a_request_id_with_control_characters_is_not_in_the_log)
{
    static const char bytes[] = "GET /models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                                "X-Request-Id: a\tstatus=500\r\n\r\n";
    struct http_answer answer;
    http_exchange_bytes(&server, bytes, sizeof bytes - 1, &answer);
    free(await_log_line(http_header(&answer, "x-request-id")));
    char *log = service_log(&server);
    ck_assert_ptr_null(strstr(log, "status=500"));
    ck_assert_ptr_null(strchr(log, '\t'));
    free(log);
    http_answer_finish(&answer);
}
END_TEST

START_TEST(requests_that_are_answered_unread_have_a_line_too)
{
    static const struct {
        const char *bytes, *line;
    } requests[] = {
        {"GET /models HTTP/1.1\r\nno colon\r\n\r\n", " method=- path=\"/models\" status=400 "},
        {"GET /models HTTP/1.1\r\nContent-Length: x\r\n\r\n",
         " method=- path=\"/models\" status=400 "},
        {"POST /encode HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n",
         " method=POST path=\"/encode\" status=400 "},
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct http_answer answer;
        http_exchange_bytes(&server, requests[i].bytes, strlen(requests[i].bytes), &answer);
        ck_assert_int_eq(answer.status, 400);
        http_answer_finish(&answer);
        service_await_log(&server, requests[i].line);
    }
}
END_TEST

static void ask(const char *path, long status, const char *id)
{
    char header[64];
    snprintf(header, sizeof header, "X-Request-Id: %s", id);
    struct http_answer answer = http_send(&server, "GET", path, NULL, header, NULL);
    ck_assert_int_eq(answer.status, status);
    http_answer_finish(&answer);
}

START_TEST(health_checks_are_not_logged)
{
    ask("/health/live", 200, "live");
    ask("/health/ready", 200, "ready");
    ask("/models", 200, "last");
    free(await_log_line("last"));
    ck_assert_ptr_null(log_line("live"));
    ck_assert_ptr_null(log_line("ready"));
}
END_TEST

START_TEST(a_log_of_errors_has_the_answers_of_500_and_more)
{
    enum { ROOM_FOR_THE_LOG = 2000 };
    fixture_start(FLAGS("--log", "errors"));
    ask("/models", 200, "fine");
    ask("/none", 404, "absent");
    ask("/models?nope=1", 422, "wrong");
    service_limit_files(&server, ROOM_FOR_THE_LOG); /* too little for the database */
    struct http_answer answer =
        http_send(&server, "POST", "/models", "{\"in_features\": 2, \"out_features\": 2, \"T\": 5}",
                  "X-Request-Id: full", NULL);
    ck_assert_int_ge(answer.status, 500);
    http_answer_finish(&answer);
    ask("/health/ready", 503, "unready");
    service_limit_files(&server, RLIM_INFINITY);
    char *full = await_log_line("full"), *unready = await_log_line("unready");
    expect_match(full, TIME "method=POST path=\"/models\" status=50[37] bytes=[0-9]+" END("full"));
    expect_match(unready,
                 TIME "method=GET path=\"/health/ready\" status=503 bytes=[0-9]+" END("unready"));
    http_await_readiness(&server, 200);
    char *log = service_log(&server);
    ck_assert_ptr_null(strstr(log, "status=2"));
    ck_assert_ptr_null(strstr(log, "status=4"));
    free(log);
    free(unready);
    free(full);
}
END_TEST

/* --- descriptors --- */

#define UPLOAD "PUT /datasets/d HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"

START_TEST(descriptors_of_connections_and_uploads_are_given_back)
{
    enum { CLIENTS = 20 };
    int clients[CLIENTS];
    static struct wire_answer answer;
    const struct descriptors before = descriptors_count(&server);
    const struct descriptors during = {before.sockets + CLIENTS, before.nameless + CLIENTS};
    ck_assert_int_gt(before.sockets, 0);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = http_connect(&server);
        wire_send(clients[i], UPLOAD "half of it");
    }
    descriptors_await(&server, &during);
    for (int i = 0; i < CLIENTS; i++)
        close(clients[i]);
    descriptors_await(&server, &before);

    const int client = http_connect(&server);
    wire_send(client, UPLOAD);
    for (int i = 0; i < 1000; i++)
        wire_send(client, "x");
    wire_read(client, &answer);
    ck_assert_msg(answer.status == 422, "%s", answer.text);
    const struct descriptors after = {before.sockets + 1, before.nameless};
    descriptors_await(&server, &after);
    close(client);
    descriptors_await(&server, &before);
}
END_TEST

/* --- stopping --- */

START_TEST(a_stop_waits_for_a_request_no_longer_than_it_may)
{
    struct timespec begin, end;
    fixture_start(FLAGS("--drain-timeout", "1"));
    const int connection = http_connect(&server);
    static struct wire_answer answer;
    wire_send(connection, "POST /encode HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                          "Content-Length: 10\r\n\r\n");
    wire_read_head(connection, &answer);
    ck_assert_int_eq(answer.status, 100);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    service_stop(&server);
    clock_gettime(CLOCK_MONOTONIC, &end);
    const double seconds =
        (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
    ck_assert_msg(seconds > 0.9 && seconds < 20, "%g seconds", seconds);
    close(connection);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("process");
    TCase *tests = fixture_case(suite, "process", NULL);
    tcase_add_test(tests, only_the_threads_that_train_give_way);
    tcase_add_loop_test(tests, each_request_is_a_line_without_control_characters, 0, ROWS(lines));
    tcase_add_test(tests, a_request_id_with_control_characters_is_not_in_the_log);
    tcase_add_test(tests, requests_that_are_answered_unread_have_a_line_too);
    tcase_add_test(tests, health_checks_are_not_logged);
    tcase_add_test(tests, a_log_of_errors_has_the_answers_of_500_and_more);
    tcase_add_test(tests, descriptors_of_connections_and_uploads_are_given_back);
    tcase_add_test(tests, a_stop_waits_for_a_request_no_longer_than_it_may);
    return suite_run(suite);
}
