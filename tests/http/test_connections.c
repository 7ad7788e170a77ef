/* The limit of connections: what makes room for a new one, what a refused one is answered, that the
 * event loops survive clients which come and go at the limit, and that no descriptor is lost. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"

#include "tests/support/suite.h"
#include "tests/support/wire.h"

/* Of one address; two more are for others. */
enum { LIMIT = 4, RESERVED = 2 };

static void start(void)
{
    fixture_start(FLAGS("--connections", "6", "--connections-per-address", "0", "--log", "errors"));
}

static int count(const char *text, const char *part)
{
    int found = 0;
    for (; (text = strstr(text, part)) != NULL; text += strlen(part))
        found++;
    return found;
}

/* --- making room --- */

/* The one of the first `count` connections that the server closes. */
static size_t await_closed(const int *connections, size_t count)
{
    struct pollfd events[LIMIT];
    for (size_t i = 0; i < count; i++)
        events[i] = (struct pollfd){.fd = connections[i], .events = POLLIN};
    ck_assert_int_eq(poll(events, count, service_patience()), 1);
    size_t closed = 0;
    while (events[closed].revents == 0)
        closed++;
    ck_assert(wire_is_closed(connections[closed]));
    return closed;
}

/* A request may end later than its client sees the answer, so that of those asked at nearly the
 * same time any may count as silent for the longest time; but not the first, which is asked again.
 */
START_TEST(a_connection_that_was_silent_for_long_makes_room)
{
    int connections[LIMIT + 1];
    for (size_t i = 0; i < LIMIT; i++) {
        connections[i] = http_connect(&server);
        ck_assert_int_eq(wire_ask(connections[i], "/health/live"), 200);
    }
    ck_assert_int_eq(wire_ask(connections[0], "/health/live"), 200);
    connections[LIMIT] = http_connect(&server);
    ck_assert_int_eq(wire_ask(connections[LIMIT], "/health/live"), 200);
    const size_t closed = await_closed(connections, LIMIT);
    ck_assert_uint_ne(closed, 0);
    for (size_t i = 0; i <= LIMIT; i++) {
        if (i != closed)
            ck_assert_int_eq(wire_ask(connections[i], "/health/live"), 200);
        close(connections[i]);
    }
}
END_TEST

START_TEST(connections_without_a_whole_request_line_make_room)
{
    int silent[LIMIT];
    for (size_t i = 0; i < LIMIT; i++) {
        silent[i] = http_connect(&server);
        wire_send(silent[i], i % 2 == 0 ? "" : "GET /health/li");
    }
    for (size_t i = 0; i < LIMIT; i++) {
        const int connection = http_connect(&server);
        ck_assert_int_eq(wire_ask(connection, "/health/live"), 200);
        close(connection);
        close(silent[i]);
    }
}
END_TEST

#define BODY "{\"t\": [0]}"
#define HEAD                                                                                       \
    "POST /psp_kernel HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: "     \
    "10\r\n\r\n"

/* A connection whose request has begun: its body is missing. */
static int begin_request(void)
{
    struct wire_answer answer;
    const int connection = http_connect(&server);
    wire_send(connection, HEAD);
    wire_read_head(connection, &answer);
    ck_assert_int_eq(answer.status, 100);
    return connection;
}

START_TEST(a_new_connection_is_refused_while_all_have_a_request)
{
    static struct wire_answer answer;
    int busy[LIMIT];
    for (size_t i = 0; i < LIMIT; i++)
        busy[i] = begin_request();
    for (int i = 0; i < 3; i++) {
        const int refused = http_connect(&server);
        wire_read(refused, &answer);
        ck_assert_int_eq(answer.status, 503);
        ck_assert_ptr_nonnull(strstr(answer.body, "\"code\":\"overloaded\""));
        ck_assert_int_eq(strncmp(wire_header(&answer, "Retry-After"), "1\r\n", 3), 0);
        ck_assert_int_eq(strncmp(wire_header(&answer, "Connection"), "close\r\n", 7), 0);
        ck_assert(wire_is_closed(refused));
        close(refused);
    }
    service_await_log(&server, "connections=4 refusing=new (--connections)\n");
    char *log = service_log(&server);
    ck_assert_msg(count(log, "connections=4 refusing=new (--connections)\n") == 1, "%s", log);
    free(log);

    for (size_t i = 0; i < LIMIT; i++) {
        wire_send(busy[i], BODY);
        wire_read(busy[i], &answer);
        ck_assert_int_eq(answer.status, 200);
    }
    const int connection = http_connect(&server);
    ck_assert_int_eq(wire_ask(connection, "/health/live"), 200);
    close(connection);
    for (size_t i = 0; i < LIMIT; i++)
        close(busy[i]);
}
END_TEST

/* --- coming and going at the limit --- */

enum { CLIENTS = 8, KEPT = 8, ROUNDS = 400, LOOPS_MAX = 64 };

/* Keeps KEPT connections open, each of which has been asked once, and replaces the oldest. */
static void *come_and_go(void *argument)
{
    int kept[KEPT];
    long *served = argument;
    for (size_t i = 0; i < KEPT; i++)
        kept[i] = -1;
    for (size_t i = 0; i < ROUNDS; i++) {
        int *place = &kept[i % KEPT];
        if (*place >= 0)
            close(*place);
        *place = http_connect(&server);
        const long status = wire_ask(*place, "/health/live");
        ck_assert_msg(status == 200 || status == 503 || status == 0, "%ld", status);
        *served += status == 200;
    }
    for (size_t i = 0; i < KEPT; i++)
        close(kept[i]);
    return NULL;
}

START_TEST(every_event_loop_survives_clients_that_come_and_go_at_the_limit)
{
    pthread_t clients[CLIENTS];
    long served[CLIENTS] = {0};
    int after[LOOPS_MAX / 4];
    fixture_start(
        FLAGS("--connections", "32", "--connections-per-address", "0", "--log", "errors"));
    for (size_t i = 0; i < CLIENTS; i++)
        ck_assert_int_eq(pthread_create(&clients[i], NULL, come_and_go, &served[i]), 0);
    for (size_t i = 0; i < CLIENTS; i++) {
        pthread_join(clients[i], NULL);
        ck_assert_int_gt(served[i], ROUNDS / 2);
    }
    /* Connections that are open together are spread over the loops. */
    for (size_t i = 0; i < sizeof after / sizeof *after; i++)
        after[i] = http_connect(&server);
    for (size_t i = 0; i < sizeof after / sizeof *after; i++) {
        ck_assert_int_eq(wire_ask(after[i], "/health/live"), 200);
        close(after[i]);
    }
    service_stop(&server);
}
END_TEST

/* --- descriptors --- */

#define UPLOAD                                                                                     \
    "PUT /datasets/d HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"                      \
    "Content-Length: 1000\r\n\r\n"

/* Starts a server that may open few files; returns how many connections it has. */
static unsigned start_with_few_descriptors(void)
{
    char wrapper[64];
    unsigned connections = 0;
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const long files = 150 + 12 * (cores > 2 ? cores : 2);
    snprintf(wrapper, sizeof wrapper, "prlimit --nofile=%ld:%ld", files, files);
    setenv("TEMPOTROND_WRAPPER", wrapper, 1);
    fixture_start(FLAGS("--threads", "1", "--workers", "1", "--log", "errors"));
    char *log = service_log(&server);
    ck_assert_msg(sscanf(log,
                         "tempotrond: the limit of open files is enough for %u connections only "
                         "(ulimit -n)",
                         &connections) == 1,
                  "%s", log);
    free(log);
    return connections;
}

/* Each connection holds two descriptors: one more than that is refused, and nothing fails. */
START_TEST(with_few_descriptors_there_are_fewer_connections)
{
    enum { UPLOADS_MAX = 64 };
    static struct wire_answer answer;
    int uploads[UPLOADS_MAX];
    const unsigned count = start_with_few_descriptors() - RESERVED;
    ck_assert(count > 4 && count <= UPLOADS_MAX);
    for (unsigned i = 0; i < count; i++) {
        uploads[i] = http_connect(&server);
        wire_send(uploads[i], UPLOAD);
        wire_read_head(uploads[i], &answer);
        ck_assert_msg(answer.status == 100, "%u: %s", i, answer.text);
    }
    const int refused = http_connect(&server);
    wire_read(refused, &answer);
    ck_assert_int_eq(answer.status, 503);
    close(refused);
    close(uploads[0]);
    long status = 0;
    while (status != 200) {
        const int connection = http_connect(&server);
        status = wire_ask(connection, "/models");
        ck_assert_msg(status == 200 || status == 503 || status == 0, "%ld", status);
        close(connection);
    }
    for (unsigned i = 1; i < count; i++)
        close(uploads[i]);
    char *log = service_log(&server);
    ck_assert_ptr_null(strstr(log, "status=5"));
    free(log);
}
END_TEST

/* --- the limit of one address --- */

enum { PER_ADDRESS = 3 };

/* From 127.0.0.HOST. */
static int connect_from(unsigned host)
{
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000000 + host)};
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((in_port_t)server.port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(connection, (struct sockaddr *)&from, sizeof from), 0);
    ck_assert_int_eq(connect(connection, (const struct sockaddr *)&to, sizeof to), 0);
    return connection;
}

/* A connection that is served. No event tells when the server has ended a request whose answer has
 * been read: until then it may refuse. */
static int connect_when_there_is_room(void)
{
    for (;;) {
        const int connection = http_connect(&server);
        if (wire_ask(connection, "/health/live") == 200)
            return connection;
        close(connection);
    }
}

START_TEST(an_address_has_no_more_than_its_share)
{
    static struct wire_answer answer;
    int busy[PER_ADDRESS];
    fixture_start(FLAGS("--connections", "16", "--connections-per-address", "3"));
    const int idle = connect_from(2);
    ck_assert_int_eq(wire_ask(idle, "/health/live"), 200);
    for (size_t i = 0; i < PER_ADDRESS; i++)
        busy[i] = begin_request();
    const int refused = http_connect(&server);
    wire_read(refused, &answer);
    ck_assert_int_eq(answer.status, 503);
    close(refused);
    service_await_log(&server, "refusing=new (--connections-per-address)\n");
    const int other = connect_from(2);
    ck_assert_int_eq(wire_ask(other, "/health/live"), 200);
    ck_assert_int_eq(wire_ask(idle, "/health/live"), 200); /* it had not to make room */

    wire_send(busy[0], BODY);
    wire_read(busy[0], &answer);
    ck_assert_int_eq(answer.status, 200);
    const int next = connect_when_there_is_room(); /* in place of the one that is idle now */
    ck_assert_int_eq(wire_ask(next, "/health/live"), 200);
    ck_assert(wire_is_closed(busy[0]));
    ck_assert_int_eq(wire_ask(idle, "/health/live"), 200);
}
END_TEST

START_TEST(a_probe_gets_in_while_one_address_holds_all_places)
{
    enum { PLACES = 16 };
    static struct wire_answer answer;
    int busy[PLACES - RESERVED], probes[RESERVED];
    fixture_start(FLAGS("--connections", "16", "--connections-per-address", "0"));
    for (size_t i = 0; i < PLACES - RESERVED; i++)
        busy[i] = begin_request();
    const int refused = http_connect(&server);
    wire_read(refused, &answer);
    ck_assert_int_eq(answer.status, 503);
    close(refused);
    service_await_log(&server, "connections=14 refusing=new (--connections)\n");
    for (unsigned i = 0; i < RESERVED; i++) {
        probes[i] = connect_from(2);
        ck_assert_int_eq(wire_ask(probes[i], "/health/ready"), 200);
    }
    const int other = connect_from(3); /* in place of the probe that is idle for longer */
    ck_assert_int_eq(wire_ask(other, "/health/ready"), 200);
    for (size_t i = 0; i < PLACES - RESERVED; i++) {
        wire_send(busy[i], BODY);
        wire_read(busy[i], &answer);
        ck_assert_int_eq(answer.status, 200);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("connections");
    TCase *tests = fixture_case(suite, "connections", start);
    tcase_add_test(tests, a_connection_that_was_silent_for_long_makes_room);
    tcase_add_test(tests, connections_without_a_whole_request_line_make_room);
    tcase_add_test(tests, a_new_connection_is_refused_while_all_have_a_request);
    tcase_add_test(tests, every_event_loop_survives_clients_that_come_and_go_at_the_limit);
    tcase_add_test(tests, with_few_descriptors_there_are_fewer_connections);
    tcase_add_test(tests, an_address_has_no_more_than_its_share);
    tcase_add_test(tests, a_probe_gets_in_while_one_address_holds_all_places);
    return suite_run(suite);
}
