/* That the service goes on serving, and how it stops: versions that switch under load, requests
 * that a stop finds begun, clients that go away. The real binary is stopped. */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/patterns.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

/* --- serving meanwhile --- */

START_TEST(predictions_go_on_while_a_run_trains)
{
    enum { PREDICTIONS = 100 };
    create_pattern_model(&server, "a");
    json_t *before = predict_pattern(&server, "a", 0);
    const json_int_t id = queue_patterns(&server, "a", RUN_ENDLESS);
    run_await_begun(&server, id);
    for (int i = 0; i < PREDICTIONS; i++) {
        json_t *answer = predict_pattern(&server, "a", 0);
        ck_assert(json_equal(answer, before));
        json_decref(answer);
    }
    json_t *run = run_get(&server, id);
    ck_assert_str_eq(member_string(run, "state"), "running");
    json_decref(run);
    json_decref(before);
}
END_TEST

enum { HAMMERS = 4, VERSIONS = 15 };

/* One client that predicts until it is told to stop. */
struct hammer {
    pthread_t thread;
    atomic_bool *done;
    json_t *seen[VERSIONS + 2]; /* by version: the first answer */
};

static void *hammer(void *argument)
{
    struct hammer *self = argument;
    json_int_t newest = 1;
    while (!atomic_load(self->done)) {
        json_t *answer = predict_pattern(&server, "a", 0);
        const json_int_t version = member_integer(answer, "version");
        ck_assert_msg(version >= newest && version <= VERSIONS + 1, "version %lld after %lld",
                      (long long)version, (long long)newest);
        newest = version;
        json_t **seen = &self->seen[version];
        if (*seen == NULL)
            *seen = json_incref(answer);
        ck_assert_msg(json_equal(*seen, answer), "two answers of version %lld", (long long)version);
        json_decref(answer);
    }
    return NULL;
}

static void expect_whole_version(json_t *const seen, json_int_t version)
{
    if (seen == NULL)
        return;
    json_t *expected = predict_pattern(&server, "a", version);
    ck_assert_int_eq(member_integer(expected, "version"), version);
    ck_assert_msg(json_equal(seen, expected), "an answer of version %lld is not its own",
                  (long long)version);
    json_decref(expected);
    json_decref(seen);
}

START_TEST(versions_switch_in_one_step)
{
    atomic_bool done = false;
    struct hammer hammers[HAMMERS] = {0};
    create_pattern_model(&server, "a");
    for (size_t i = 0; i < HAMMERS; i++) {
        hammers[i].done = &done;
        ck_assert_int_eq(pthread_create(&hammers[i].thread, NULL, hammer, &hammers[i]), 0);
    }
    for (int i = 0; i < VERSIONS; i++) {
        json_t *run = run_finish(&server, "a", pattern_order(2, i));
        ck_assert_int_eq(member_integer(run, "version"), i + 2);
        ck_assert_int_eq(served_version(&server, "a"), i + 2);
        json_decref(run);
    }
    atomic_store(&done, true);
    for (size_t i = 0; i < HAMMERS; i++) {
        pthread_join(hammers[i].thread, NULL);
        for (int version = 1; version <= VERSIONS + 1; version++)
            expect_whole_version(hammers[i].seen[version], version);
    }
    json_t *first = predict_pattern(&server, "a", 1),
           *last = predict_pattern(&server, "a", VERSIONS + 1);
    ck_assert(!json_equal(json_object_get(first, "v_max"), json_object_get(last, "v_max")));
    json_decref(first);
    json_decref(last);
}
END_TEST

/* --- stopping --- */

static int connect_to_service(void)
{
    const int connection = http_connect(&server);
    ck_assert_int_ge(connection, 0);
    return connection;
}

static void send_text(int connection, const char *text, size_t size)
{
    ck_assert_int_eq(send(connection, text, size, MSG_NOSIGNAL), (ssize_t)size);
}

/* Reads a head, or with `to_close` all until the server closes. */
static void read_answer(int connection, bool to_close, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    while (to_close || strstr(text, "\r\n\r\n") == NULL) {
        struct pollfd event = {.fd = connection, .events = POLLIN};
        ck_assert_int_eq(poll(&event, 1, service_patience()), 1);
        ck_assert_uint_lt(used + 1, size);
        const ssize_t piece = recv(connection, text + used, size - 1 - used, 0);
        ck_assert_msg(piece >= 0, "the answer was cut: %s", strerror(errno));
        if (piece == 0)
            return;
        used += (size_t)piece;
        text[used] = '\0';
    }
}

/* Whether the answer has status 200 and a body as long as it says. */
static bool is_whole(const char *answer)
{
    size_t length;
    const char *header = strcasestr(answer, "\r\ncontent-length:");
    const char *body = strstr(answer, "\r\n\r\n");
    return strncmp(answer, "HTTP/1.1 200 ", 13) == 0 && header != NULL && body != NULL &&
           sscanf(header + 17, "%zu", &length) == 1 && strlen(body + 4) == length;
}

enum { HALF_SENT = 16 };

START_TEST(a_stop_finishes_the_requests_in_progress)
{
    int connections[HALF_SENT];
    char head[256], answer[4096];
    create_pattern_model(&server, "a");
    json_t *json = json_pack("{s:o, s:s}", "in_spikes", patterns(3), "ret_type", "v_max");
    char *body = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    const size_t half = strlen(body) / 2;
    const int head_size = snprintf(head, sizeof head,
                                   "POST /models/a/predict HTTP/1.1\r\nHost: localhost\r\n"
                                   "Expect: 100-continue\r\nContent-Length: %zu\r\n\r\n",
                                   strlen(body));
    for (size_t i = 0; i < HALF_SENT; i++) {
        connections[i] = connect_to_service();
        send_text(connections[i], head, (size_t)head_size);
        read_answer(connections[i], false, answer, sizeof answer);
        ck_assert_int_eq(strncmp(answer, "HTTP/1.1 100 ", 13), 0);
        send_text(connections[i], body, half);
    }
    ck_assert_int_eq(kill(server.pid, SIGTERM), 0);
    for (size_t i = 0; i < HALF_SENT; i++) {
        send_text(connections[i], body + half, strlen(body) - half);
        read_answer(connections[i], true, answer, sizeof answer);
        ck_assert_msg(is_whole(answer), "%s", answer);
        close(connections[i]);
    }
    free(body);
    const int status = service_wait(&server);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

static void *wait_for_run(void *argument)
{
    struct http_answer *answer = argument;
    *answer = run_order(&server, "a", pattern_order(RUN_ENDLESS, 1), "Prefer: wait=600");
    return NULL;
}

static void await_first_run(void)
{
    for (size_t count = 0; count == 0;) {
        json_t *runs = http_get(&server, "/runs");
        count = json_array_size(json_object_get(runs, "runs"));
        json_decref(runs);
    }
}

START_TEST(a_stop_answers_clients_that_wait_for_a_run)
{
    pthread_t waiter;
    struct http_answer answer;
    create_pattern_model(&server, "a");
    ck_assert_int_eq(pthread_create(&waiter, NULL, wait_for_run, &answer), 0);
    await_first_run();
    run_await_begun(&server, 1);
    struct http_answer before = http_send(&server, "GET", "/models", NULL, NULL);
    ck_assert_ptr_null(http_header(&before, "connection"));
    http_answer_finish(&before);
    service_stop(&server);
    pthread_join(waiter, NULL);
    ck_assert_int_eq(answer.status, 202);
    ck_assert_str_eq(member_string(answer.json, "state"), "running");
    /* The server is draining by then, and asks its clients to go; before, it does not. */
    ck_assert_str_eq(http_header(&answer, "connection"), "close");
    http_answer_finish(&answer);
}
END_TEST

/* One client that asks, each time over a new connection, until none can be had. */
struct visitor {
    pthread_t thread;
    atomic_uint *answered; /* by all of them together */
    const char *body;
};

static void *visit(void *argument)
{
    const struct visitor *self = argument;
    for (;;) {
        struct http_answer answer =
            http_send(&server, "POST", "/models/a/predict", self->body, NULL);
        const long status = answer.status;
        ck_assert_msg(status == 200 || (status == 0 && strstr(answer.body, "connect") != NULL),
                      "%ld: %s", status, answer.body);
        http_answer_finish(&answer);
        if (status == 0)
            return NULL;
        atomic_fetch_add(self->answered, 1);
    }
}

START_TEST(a_stop_under_load_cuts_no_request)
{
    enum { VISITORS = 8, ENOUGH = 200 };
    atomic_uint answered = 0;
    struct visitor visitors[VISITORS];
    create_pattern_model(&server, "a");
    queue_patterns(&server, "a", RUN_ENDLESS);
    json_t *json = json_pack("{s:o}", "in_spikes", patterns(3));
    char *body = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    for (size_t i = 0; i < VISITORS; i++) {
        visitors[i] = (struct visitor){.answered = &answered, .body = body};
        ck_assert_int_eq(pthread_create(&visitors[i].thread, NULL, visit, &visitors[i]), 0);
    }
    while (atomic_load(&answered) < ENOUGH)
        sched_yield();
    service_stop(&server);
    for (size_t i = 0; i < VISITORS; i++)
        pthread_join(visitors[i].thread, NULL);
    free(body);
}
END_TEST

/* --- clients that go, or never come to an end --- */

/* Whether the server closes the connection before patience ends. */
static bool is_closed(int connection)
{
    char byte;
    struct pollfd event = {.fd = connection, .events = POLLIN};
    return poll(&event, 1, service_patience()) == 1 && recv(connection, &byte, 1, 0) <= 0;
}

START_TEST(the_connection_of_a_client_that_leaves_within_its_body_is_closed)
{
    static const char begin[] = "POST /psp_kernel HTTP/1.1\r\nHost: localhost\r\n"
                                "Content-Length: 100\r\n\r\n{\"t\"";
    const int connection = http_connect(&server);
    ck_assert_int_eq(send(connection, begin, sizeof begin - 1, 0), sizeof begin - 1);
    ck_assert_int_eq(shutdown(connection, SHUT_WR), 0);
    ck_assert(is_closed(connection));
    close(connection);
}
END_TEST

START_TEST(a_request_that_trickles_in_is_cut_off)
{
    fixture_start(FLAGS("--request-timeout", "1", "--log", "errors"));
    const int connection = http_connect(&server);
    struct pollfd event = {.fd = connection, .events = POLLIN};
    int sent = 0;
    while (poll(&event, 1, 50) == 0 && sent < service_patience() / 50) {
        send(connection, sent == 0 ? "GET /health/live?" : "x", sent == 0 ? 17 : 1, MSG_NOSIGNAL);
        sent++;
    }
    ck_assert(is_closed(connection));
    close(connection);
}
END_TEST

/* --- healthcheck --- */

static int healthcheck(void)
{
    int status;
    const char *program = getenv("TEMPOTROND");
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        execl(program != NULL ? program : "build/tempotrond", "tempotrond", "--healthcheck",
              "--listen", server.address, NULL);
        _exit(127);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

START_TEST(the_healthcheck_succeeds_only_if_a_server_is_ready)
{
    ck_assert_int_eq(healthcheck(), 0);
    service_stop(&server);
    ck_assert_int_eq(healthcheck(), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("serving");
    TCase *tests = fixture_case(suite, "serving and stopping", patterns_start);
    tcase_add_test(tests, predictions_go_on_while_a_run_trains);
    tcase_add_test(tests, versions_switch_in_one_step);
    tcase_add_test(tests, a_stop_finishes_the_requests_in_progress);
    tcase_add_test(tests, a_stop_answers_clients_that_wait_for_a_run);
    tcase_add_test(tests, a_stop_under_load_cuts_no_request);
    tcase_add_test(tests, the_connection_of_a_client_that_leaves_within_its_body_is_closed);
    tcase_add_test(tests, a_request_that_trickles_in_is_cut_off);
    tcase_add_test(tests, the_healthcheck_succeeds_only_if_a_server_is_ready);
    return suite_run(suite);
}
