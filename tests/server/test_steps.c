/* The steps of a handler: which thread calls each, how often, and that the state between them is
 * freed once, whatever happens. An HTTP server runs within the test, with routes of its own. */
#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/http/internal.h"
#include "server/http/route.h"
#include "server/http/server.h"
#include "tests/support/http.h"
#include "tests/support/service.h"
#include "tests/support/suite.h"
#include "tests/support/wire.h"

enum { EVENT = 7 };

static struct http_server *http;
static struct service address; /* of the server, for the client's side */

static atomic_uint reads, runs, runs_before_long, finishes;
static atomic_bool happened, draining;
static sem_t has_read;     /* once a first step */
static sem_t has_finished; /* once a state is freed */
static sem_t has_asked;    /* once a request waits for its event */
static sem_t is_inside;    /* the pool's thread is at the gate, */
static sem_t gate;         /* which opens */

/* --- handlers --- */

struct kept {
    char text[16]; /* of the body */
    bool read_on_pool;
};

static void finish(void *state)
{
    const struct kept *kept = state;
    ck_assert_str_eq(kept->text, "hello");
    atomic_fetch_add(&finishes, 1);
    sem_post(&has_finished);
}

static struct kept *keep_body(const struct request *request, struct reply *reply)
{
    struct kept *kept = reply_make_state(reply, sizeof *kept, finish);
    ck_assert_ptr_nonnull(kept);
    ck_assert_ptr_null(request->state);
    memcpy(kept->text, request->body, strlen("hello"));
    kept->read_on_pool = request->team != NULL;
    atomic_fetch_add(&reads, 1);
    sem_post(&has_read);
    return kept;
}

static void run(struct service *service, const struct request *request, struct reply *reply)
{
    (void)service;
    const struct kept *kept = request->state;
    ck_assert_uint_eq(request->body_size, 0);
    atomic_fetch_add(&runs, 1);
    json_write_array_begin(&reply->body);
    json_write_string(&reply->body, kept->text);
    json_write_boolean(&reply->body, kept->read_on_pool);
    json_write_boolean(&reply->body, request->team != NULL);
    json_write_array_end(&reply->body);
    reply->status = 200;
}

static void read_light(struct service *service, const struct request *request, struct reply *reply)
{
    (void)service;
    keep_body(request, reply);
    reply_continue(reply, run, LIMIT_INLINE_WORK);
}

static void read_heavy(struct service *service, const struct request *request, struct reply *reply)
{
    (void)service;
    keep_body(request, reply);
    reply_continue(reply, run, LIMIT_INLINE_WORK + 1);
}

static void run_long(struct service *service, const struct request *request, struct reply *reply)
{
    atomic_store(&runs_before_long, atomic_load(&runs));
    run(service, request, reply);
}

static void read_long(struct service *service, const struct request *request, struct reply *reply)
{
    (void)service;
    keep_body(request, reply);
    reply_continue(reply, run_long, LIMIT_LONG_WORK + 1);
}

static void read_long_at_gate(struct service *service, const struct request *request,
                              struct reply *reply)
{
    sem_post(&is_inside);
    sem_wait(&gate);
    read_long(service, request, reply);
}

/* Its state is that of the step before. */
static void load(struct service *service, const struct request *request, struct reply *reply)
{
    (void)service;
    ck_assert_ptr_nonnull(request->state);
    ck_assert_uint_eq(atomic_load(&finishes), 0);
    reply_continue(reply, run, LIMIT_LONG_WORK + 1);
}

static void read_and_load(struct service *service, const struct request *request,
                          struct reply *reply)
{
    (void)service;
    keep_body(request, reply);
    reply_continue(reply, load, WORK_FOR_POOL);
}

static void read_wrong(struct service *service, const struct request *request, struct reply *reply)
{
    (void)service;
    keep_body(request, reply);
    reply_continue(reply, run, 0);
    problem_set(&reply->problem, PROBLEM_WRONG_TYPE, "It is wrong.");
}

static void read_only(struct service *service, const struct request *request, struct reply *reply)
{
    (void)service;
    keep_body(request, reply);
    reply->status = 204;
}

static bool has_happened(struct service *service, int64_t event)
{
    (void)service;
    ck_assert_int_eq(event, EVENT);
    sem_post(&has_asked);
    return atomic_load(&happened);
}

static void read_and_wait(struct service *service, const struct request *request,
                          struct reply *reply)
{
    (void)service;
    keep_body(request, reply);
    reply_wait(reply, run, request->wait_seconds, EVENT, has_happened);
}

static void pass_gate(struct service *service, const struct request *request, struct reply *reply)
{
    (void)service;
    (void)request;
    sem_post(&is_inside);
    sem_wait(&gate);
    reply->status = 204;
}

static const struct route routes[] = {
    {"POST", "/light", read_light, ROLE_READ_ONLY, BODY_JSON, ON_EVENT_LOOP, NULL},
    {"POST", "/heavy", read_heavy, ROLE_READ_ONLY, BODY_JSON, ON_EVENT_LOOP, NULL},
    {"POST", "/disk", read_light, ROLE_READ_ONLY, BODY_JSON, ON_POOL, NULL},
    {"POST", "/long", read_long_at_gate, ROLE_READ_ONLY, BODY_JSON, ON_POOL, NULL},
    {"POST", "/long-write", read_long, ROLE_READ_WRITE, BODY_JSON, ON_WRITE_LANE, NULL},
    {"POST", "/loaded", read_and_load, ROLE_READ_ONLY, BODY_JSON, ON_EVENT_LOOP, NULL},
    {"POST", "/wrong", read_wrong, ROLE_READ_ONLY, BODY_JSON, ON_EVENT_LOOP, NULL},
    {"POST", "/only", read_only, ROLE_READ_ONLY, BODY_JSON, ON_EVENT_LOOP, NULL},
    {"POST", "/event", read_and_wait, ROLE_READ_ONLY, BODY_JSON, ON_EVENT_LOOP, NULL},
    {"POST", "/write", read_light, ROLE_READ_WRITE, BODY_JSON, ON_WRITE_LANE, NULL},
    {"POST", "/gate", pass_gate, ROLE_READ_ONLY, BODY_NONE, ON_POOL, NULL},
};

/* --- the server, whose pool has one thread --- */

static void start_server(void)
{
    char error[256];
    sem_t *const semaphores[] = {&has_read, &has_finished, &has_asked, &is_inside, &gate};
    const struct http_options options = {
        .listen = {.host = "127.0.0.1", .port = "0"},
        .connections = 1024,
        .bodies = {.max_bytes = 1 << 20,
                   .memory.max = 1 << 30,
                   .max_file_bytes = 1 << 20,
                   .directory = "/tmp"},
        .answers.max = 1 << 30,
        .request_timeout_seconds = 60,
        .pool_threads = 1,
        .draining = &draining,
        .routes = routes,
        .routes_count = sizeof routes / sizeof *routes,
    };
    atomic_store(&draining, false);
    for (size_t i = 0; i < sizeof semaphores / sizeof *semaphores; i++)
        sem_init(semaphores[i], 0, 0);
    http = http_server_open(&options, NULL, error, sizeof error);
    ck_assert_msg(http != NULL, "%s", error);
    ck_assert_msg(http_server_start(http, error, sizeof error), "%s", error);
    ck_assert_int_eq(sscanf(http_server_address(http), "127.0.0.1:%u", &address.port), 1);
}

static void stop_server(void)
{
    atomic_store(&draining, true);
    http_server_drain(http, 60);
    http_server_destroy(http);
    http = NULL;
}

/* A connection that has sent a request, whose body is "hello" and spaces up to the size. */
static int ask(const char *path, const char *header, size_t body_size)
{
    char head[256];
    const int connection = http_connect(&address);
    char *body = malloc(body_size + 1);
    snprintf(head, sizeof head,
             "POST %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %zu\r\n\r\n", path, header,
             body_size);
    wire_send(connection, head);
    memset(body, ' ', body_size);
    memcpy(body, "hello", body_size > 0 ? strlen("hello") : 0);
    wire_send_bytes(connection, body, body_size);
    free(body);
    return connection;
}

static void expect_answer(int connection, long status, const char *body)
{
    struct wire_answer answer;
    wire_read(connection, &answer);
    close(connection);
    ck_assert_msg(answer.status == status, "%s", answer.text);
    ck_assert_msg(body == NULL || strcmp(answer.body, body) == 0, "%s", answer.text);
}

static void expect_counts(unsigned read, unsigned ran, unsigned finished)
{
    ck_assert_uint_eq(atomic_load(&reads), read);
    ck_assert_uint_eq(atomic_load(&runs), ran);
    ck_assert_uint_eq(atomic_load(&finishes), finished);
}

/* The pool's only thread is busy until the gate opens. */
static int close_gate(void)
{
    const int connection = ask("/gate", "", 0);
    sem_wait(&is_inside);
    return connection;
}

/* --- the tests --- */

enum { SHORT = 5, LONG = LIMIT_INLINE_BODY + 1 };

/* [the text kept, whether it was read on the pool, whether it was run there] */
static const struct {
    const char *path;
    size_t body_size;
    const char *answer;
} places[] = {
    {"/light", SHORT, "[\"hello\",false,false]\n"}, {"/heavy", SHORT, "[\"hello\",false,true]\n"},
    {"/light", LONG, "[\"hello\",true,true]\n"},    {"/heavy", LONG, "[\"hello\",true,true]\n"},
    {"/disk", SHORT, "[\"hello\",true,true]\n"},
};

START_TEST(each_step_is_called_once_where_its_work_belongs)
{
    expect_answer(ask(places[_i].path, "", places[_i].body_size), 200, places[_i].answer);
    expect_counts(1, 1, 1);
}
END_TEST

START_TEST(a_problem_of_the_first_step_is_the_answer)
{
    expect_answer(ask("/wrong", "", SHORT), 422, NULL);
    expect_counts(1, 0, 1);
}
END_TEST

START_TEST(a_state_without_a_next_step_is_freed)
{
    expect_answer(ask("/only", "", SHORT), 204, "");
    expect_counts(1, 0, 1);
}
END_TEST

enum { CLIENTS = LIMIT_WAITING_JOBS + 1 };

/* If one request more comes than may wait, one is refused; then all others wait in the queue. */
static void fill_queue(int waiting[LIMIT_WAITING_JOBS])
{
    struct pollfd events[CLIENTS];
    int refused = 0;
    for (int i = 0; i < CLIENTS; i++)
        events[i] = (struct pollfd){.fd = ask("/heavy", "", SHORT), .events = POLLIN};
    ck_assert_int_eq(poll(events, CLIENTS, service_patience()), 1);
    while (events[refused].revents == 0)
        refused++;
    expect_answer(events[refused].fd, 503, NULL);
    expect_counts(CLIENTS, 0, 1);
    for (int i = 0; i < LIMIT_WAITING_JOBS; i++)
        waiting[i] = events[i < refused ? i : i + 1].fd;
}

START_TEST(a_full_queue_frees_what_was_read)
{
    int waiting[LIMIT_WAITING_JOBS];
    const int at_gate = close_gate();
    fill_queue(waiting);
    sem_post(&gate);
    expect_answer(at_gate, 204, "");
    for (int i = 0; i < LIMIT_WAITING_JOBS; i++)
        expect_answer(waiting[i], 200, places[1].answer);
    expect_counts(CLIENTS, CLIENTS - 1, CLIENTS);
}
END_TEST

START_TEST(a_client_that_leaves_between_the_steps_frees_what_was_read)
{
    const struct linger reset = {.l_onoff = _i, .l_linger = 0};
    const int at_gate = close_gate();
    const int connection = ask("/heavy", "", SHORT);
    sem_wait(&has_read);
    setsockopt(connection, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(connection);
    ck_assert_uint_eq(atomic_load(&finishes), 0);
    sem_post(&gate);
    expect_answer(at_gate, 204, "");
    sem_wait(&has_finished);
    expect_answer(ask("/heavy", "", SHORT), 200, places[1].answer);
    ck_assert_uint_eq(atomic_load(&finishes), 2);
}
END_TEST

/* A client that has closed only its own side looks the same: hence its job must have waited. Its
 * time begins when it is queued, which a full queue shows. */
START_TEST(a_job_whose_client_has_left_is_not_begun)
{
    enum { WAITED_MS = 1100 };
    int waiting[LIMIT_WAITING_JOBS];
    const int at_gate = close_gate();
    fill_queue(waiting);
    close(waiting[0]);
    poll(NULL, 0, WAITED_MS);
    sem_post(&gate);
    expect_answer(at_gate, 204, "");
    for (int i = 1; i < LIMIT_WAITING_JOBS; i++)
        expect_answer(waiting[i], 200, places[1].answer);
    for (int i = 0; i < CLIENTS; i++)
        sem_wait(&has_finished);
    expect_counts(CLIENTS, CLIENTS - 2, CLIENTS);
}
END_TEST

START_TEST(a_short_write_waits_for_no_computation)
{
    const int at_gate = close_gate(), waits = ask("/disk", "", SHORT);
    expect_answer(ask("/write", "", SHORT), 200, places[4].answer);
    expect_counts(1, 1, 1);
    const int large = ask("/write", "", LONG);
    sem_post(&gate);
    expect_answer(waits, 200, places[4].answer);
    expect_answer(large, 200, places[4].answer);
    expect_answer(at_gate, 204, "");
}
END_TEST

/* The other request comes while the first step runs, and is done before the second one. */
START_TEST(a_step_that_turns_out_long_goes_after_short_ones)
{
    const int prolonged = ask("/long", "", SHORT);
    sem_wait(&is_inside);
    const int brief = ask("/heavy", "", SHORT);
    sem_wait(&has_read);
    poll(NULL, 0, 100); /* it is queued a moment after it has been read */
    sem_post(&gate);
    expect_answer(prolonged, 200, places[4].answer);
    expect_counts(2, 2, 2);
    ck_assert_uint_eq(atomic_load(&runs_before_long), 1);
    expect_answer(brief, 200, places[1].answer);
}
END_TEST

START_TEST(a_long_step_of_a_write_leaves_the_threads_of_writes)
{
    const int at_gate = close_gate(), prolonged = ask("/long-write", "", SHORT);
    sem_wait(&has_read);
    expect_answer(ask("/write", "", SHORT), 200, places[4].answer);
    expect_counts(2, 1, 1);
    sem_post(&gate);
    expect_answer(at_gate, 204, "");
    expect_answer(prolonged, 200, places[4].answer);
}
END_TEST

START_TEST(a_state_is_handed_on_from_step_to_step)
{
    expect_answer(ask("/loaded", "", SHORT), 200, places[1].answer);
    expect_counts(1, 1, 1);
}
END_TEST

static void *destroy_server(void *unused)
{
    (void)unused;
    http_server_drain(http, 0);
    http_server_destroy(http);
    return NULL;
}

START_TEST(a_stop_between_the_steps_frees_what_was_read)
{
    pthread_t stopper;
    const int at_gate = close_gate();
    const int connection = ask("/heavy", "", SHORT);
    sem_wait(&has_read);
    ck_assert_int_eq(pthread_create(&stopper, NULL, destroy_server, NULL), 0);
    while (!atomic_load(&http->stopping)) /* it stays alive until the gate opens */
        sched_yield();
    sem_post(&gate);
    pthread_join(stopper, NULL);
    expect_counts(1, 0, 1);
    close(connection);
    close(at_gate);
    start_server();
}
END_TEST

START_TEST(an_event_calls_the_step_that_follows_it)
{
    const int connection = ask("/event", "Prefer: wait=60\r\n", SHORT);
    sem_wait(&has_asked);
    http_server_wake(http, EVENT + 1);
    expect_counts(1, 0, 0);
    http_server_wake(http, EVENT);
    expect_answer(connection, 200, places[0].answer);
    expect_counts(1, 1, 1);
}
END_TEST

START_TEST(an_event_that_came_before_the_wait_is_not_missed)
{
    atomic_store(&happened, true);
    expect_answer(ask("/event", "Prefer: wait=60\r\n", SHORT), 200, places[0].answer);
    expect_counts(1, 1, 1);
}
END_TEST

START_TEST(a_wait_ends_with_its_time)
{
    expect_answer(ask("/event", "Prefer: wait=1\r\n", SHORT), 200, places[0].answer);
    expect_counts(1, 1, 1);
}
END_TEST

START_TEST(a_stop_ends_a_wait)
{
    const int connection = ask("/event", "Prefer: wait=60\r\n", SHORT);
    sem_wait(&has_asked);
    stop_server();
    expect_answer(connection, 200, places[0].answer);
    expect_counts(1, 1, 1);
    start_server();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("steps");
    TCase *tests = suite_case(suite, "steps", start_server, stop_server, 2 * SERVICE_SECONDS);
    tcase_add_loop_test(tests, each_step_is_called_once_where_its_work_belongs, 0, ROWS(places));
    tcase_add_test(tests, a_problem_of_the_first_step_is_the_answer);
    tcase_add_test(tests, a_state_without_a_next_step_is_freed);
    tcase_add_test(tests, a_full_queue_frees_what_was_read);
    tcase_add_loop_test(tests, a_client_that_leaves_between_the_steps_frees_what_was_read, 0, 2);
    tcase_add_test(tests, a_job_whose_client_has_left_is_not_begun);
    tcase_add_test(tests, a_short_write_waits_for_no_computation);
    tcase_add_test(tests, a_step_that_turns_out_long_goes_after_short_ones);
    tcase_add_test(tests, a_long_step_of_a_write_leaves_the_threads_of_writes);
    tcase_add_test(tests, a_state_is_handed_on_from_step_to_step);
    tcase_add_test(tests, a_stop_between_the_steps_frees_what_was_read);
    tcase_add_test(tests, an_event_calls_the_step_that_follows_it);
    tcase_add_test(tests, an_event_that_came_before_the_wait_is_not_missed);
    tcase_add_test(tests, a_wait_ends_with_its_time);
    tcase_add_test(tests, a_stop_ends_a_wait);
    return suite_run(suite);
}
