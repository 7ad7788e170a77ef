/* Clients that leave while their request waits for the end of a run: it ends, whichever way they
 * leave, and their connections have room for others. */
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/datasets.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/patterns.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"
#include "tests/support/wire.h"

#define TRAIN                                                                                      \
    "POST /models/plain/train HTTP/1.1\r\nHost: localhost\r\nPrefer: wait=600\r\n"                 \
    "Content-Length: 50\r\nIdempotency-Key: "
#define ORDER "{\"in_spikes\": [[0, 1]], \"label\": [0], \"epochs\": 1}"

/* Of one address; two more are for others. */
enum { PLACES = 4 };

static void start(void)
{
    fixture_start(FLAGS("--connections", "6", "--connections-per-address", "0", "--workers", "1"));
    create_plain_model(&server, "plain");
}

/* A connection whose request trains, and waits. */
static int begin_wait(const char *key)
{
    char request[256];
    const int connection = http_connect(&server);
    snprintf(request, sizeof request, TRAIN "%s\r\n\r\n" ORDER, key);
    wire_send(connection, request);
    return connection;
}

/* Nothing else ends while this run trains. */
static void keep_busy(void)
{
    create_pattern_model(&server, "busy");
    run_await_begun(&server, queue_patterns(&server, "busy", RUN_ENDLESS));
}

/* A reset takes a request along that has not been read. */
static void await_runs(int64_t count)
{
    while (number_in_database(&server, "SELECT count(*) FROM runs") < count)
        usleep(1000);
}

static void leave(int connection)
{
    close(connection);
}

static void leave_with_a_reset(int connection)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};
    ck_assert_int_eq(setsockopt(connection, SOL_SOCKET, SO_LINGER, &none, sizeof none), 0);
    close(connection);
}

static void leave_another_request(int connection)
{
    wire_send(connection, "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n");
    close(connection);
}

static void (*const ways[])(int connection) = {leave, leave_with_a_reset, leave_another_request};

START_TEST(a_wait_ends_when_its_client_leaves)
{
    static const char *const keys[PLACES] = {"one", "two", "three", "three"};
    keep_busy();
    for (int i = 0; i < PLACES; i++) {
        const int connection = begin_wait(keys[i]);
        await_runs(i < PLACES - 1 ? i + 2 : PLACES);
        ways[_i](connection);
    }
    long status = 0;
    while (status != 200) {
        const int connection = http_connect(&server);
        status = wire_ask(connection, "/health/live");
        ck_assert_msg(status == 200 || status == 503 || status == 0, "%ld", status);
        close(connection);
    }
    service_await_log(&server, "path=\"/models/plain/train\" status=202");
}
END_TEST

/* It can't be told from one that has left, and may still read. */
START_TEST(a_client_that_closes_its_side_is_answered_after_a_second)
{
    struct wire_answer answer;
    keep_busy();
    const int connection = begin_wait("one");
    ck_assert_int_eq(shutdown(connection, SHUT_WR), 0);
    wire_read(connection, &answer);
    ck_assert_int_eq(answer.status, 202);
    ck_assert_ptr_nonnull(strstr(answer.body, "\"state\":\"queued\""));
    ck_assert(wire_is_closed(connection));
    close(connection);
}
END_TEST

START_TEST(a_client_that_closes_its_side_is_served_within_a_second)
{
    struct wire_answer answer;
    for (int i = 0; i < 5; i++) {
        char key[2] = {(char)('a' + i), '\0'};
        const int connection = begin_wait(key);
        ck_assert_int_eq(shutdown(connection, SHUT_WR), 0);
        wire_read(connection, &answer);
        ck_assert_int_eq(answer.status, 200);
        ck_assert_ptr_nonnull(strstr(answer.body, "\"state\":\"succeeded\""));
        close(connection);
    }
}
END_TEST

/* The kernel asks hosts that are silent whether they are there. Its table shows which timer of a
 * connection runs: 02 is that one. */
START_TEST(a_host_that_is_gone_is_found_out)
{
    char line[256];
    unsigned port, state, timer, found = 0;
    const int connection = http_connect(&server);
    ck_assert_int_eq(wire_ask(connection, "/health/live"), 200);
    FILE *table = fopen("/proc/net/tcp", "r");
    ck_assert_ptr_nonnull(table);
    while (fgets(line, sizeof line, table) != NULL)
        if (sscanf(line, " %*d: %*x:%x %*x:%*x %x %*x:%*x %x:", &port, &state, &timer) == 3 &&
            port == server.port && state == 1) {
            ck_assert_uint_eq(timer, 2);
            found++;
        }
    fclose(table);
    ck_assert_uint_ge(found, 1);
    close(connection);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("left_clients");
    TCase *tests = fixture_case(suite, "left clients", start);
    tcase_add_loop_test(tests, a_wait_ends_when_its_client_leaves, 0, ROWS(ways));
    tcase_add_test(tests, a_client_that_closes_its_side_is_answered_after_a_second);
    tcase_add_test(tests, a_client_that_closes_its_side_is_served_within_a_second);
    tcase_add_test(tests, a_host_that_is_gone_is_found_out);
    return suite_run(suite);
}
