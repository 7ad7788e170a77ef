/* Large bodies and heavy work, over HTTP, and the compute pool that takes them, full and at its
 * end. */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/base/limits.h"
#include "tests/support/bodies.h"
#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/suite.h"
#include "tests/support/wire.h"

/* --- large bodies and heavy work --- */

/* Samples of the model "tuned"; few fit into the event loop's share, many do not. */
static char *samples_json(size_t first, size_t count)
{
    char *body = NULL;
    size_t size;
    FILE *stream = open_memstream(&body, &size);
    fputs("{\"ret_type\": [\"label\", \"v_max\", \"spikes\"], \"x\": [", stream);
    for (size_t i = first; i < first + count; i++)
        fprintf(stream, "%s[%zu, %zu.25]", i > first ? ", " : "", i * 37 % 256, i * 11 % 100);
    fputs("]}", stream);
    fclose(stream);
    return body;
}

START_TEST(many_samples_are_answered_like_each_by_itself)
{
    enum { SAMPLES = 8000 };
    char *body = samples_json(0, SAMPLES);
    ck_assert_uint_gt(strlen(body), LIMIT_INLINE_BODY);
    struct http_answer all = post_text(&server, "/models/tuned/predict", body);
    free(body);
    ck_assert_uint_eq(json_array_size(json_object_get(all.json, "label")), SAMPLES);
    for (size_t i = 0; i < SAMPLES; i += i < 20 || i > SAMPLES - 40 ? 1 : 97) {
        static const char *const members[] = {"label", "v_max", "spikes"};
        body = samples_json(i, 1);
        struct http_answer one = post_text(&server, "/models/tuned/predict", body);
        for (int m = 0; m < ROWS(members); m++)
            ck_assert(json_equal(json_array_get(json_object_get(all.json, members[m]), i),
                                 json_array_get(json_object_get(one.json, members[m]), 0)));
        http_answer_finish(&one);
        free(body);
    }
    http_answer_finish(&all);
}
END_TEST

/* The document beside its numbers is limited; the numbers are not. */
START_TEST(words_are_limited_and_numbers_are_not)
{
    enum { NUMBERS = 1700000, WORDS = 5000000 };
    fixture_start(FLAGS("--log", "errors"));
    struct bytes body = bytes_of("{\"t\": [0", 8);
    for (int i = 0; i < NUMBERS; i++)
        bytes_add(&body, ", 1.25", 6);
    bytes_add(&body, "]}", 2);
    ck_assert_uint_gt(body.size, 10000000);
    struct http_answer answer =
        http_send_bytes(&server, "POST", "/psp_kernel", &body, "Expect:", NULL);
    ck_assert_msg(answer.status == 200, "%ld %.300s", answer.status, answer.body);
    ck_assert_uint_eq(json_array_size(json_object_get(answer.json, "k")), NUMBERS + 1);
    http_answer_finish(&answer);
    bytes_finish(&body);
    body = bytes_of("{\"t\": \"", 7);
    for (int i = 0; i < WORDS / 10; i++)
        bytes_add(&body, "a, b, c, d", 10);
    bytes_add(&body, "\"}", 2);
    answer = http_send_bytes(&server, "POST", "/psp_kernel", &body, "Expect:", NULL);
    expect_problem(&answer, 413, "body_too_large");
    http_answer_finish(&answer);
    bytes_finish(&body);
}
END_TEST

/* --- the pool, full and at its end --- */

/* Each of its samples is more than an event loop does itself. */
#define HEAVY                                                                                      \
    "{\"id\": \"heavy\", \"in_features\": 1, \"out_features\": 100, \"T\": 20000, \"seed\": 3}"

static char *spikes_body(const char *members, int samples, const char *label)
{
    char *body = NULL;
    size_t size;
    FILE *stream = open_memstream(&body, &size);
    fprintf(stream, "{%s\"in_spikes\": [[0]", members);
    for (int i = 1; i < samples; i++)
        fprintf(stream, ",[%d]", i % 100);
    fputs("]", stream);
    for (int i = 0; i < samples && label != NULL; i++)
        fprintf(stream, "%s%s", i == 0 ? ", \"label\": [" : ",", label);
    fputs(label != NULL ? "]}" : "}", stream);
    fclose(stream);
    return body;
}

/* Milliseconds of work a sample. */
static char *heavy_body(int samples)
{
    return spikes_body("\"ret_type\": \"v_max\", ", samples, NULL);
}

static void send_all(int connection, const char *bytes, size_t size)
{
    for (size_t sent = 0; sent < size;) {
        const ssize_t piece = send(connection, bytes + sent, size - sent, MSG_NOSIGNAL);
        ck_assert_msg(piece > 0, "%s", strerror(errno));
        sent += (size_t)piece;
    }
}

/* The lines are further headers, each with its line's end. */
static int send_bytes(const char *path, const char *lines, const void *body, size_t body_size)
{
    char head[256];
    const int connection = http_connect(&server);
    const int size = snprintf(
        head, sizeof head, "POST %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %zu\r\n\r\n",
        path, lines, body_size);
    send_all(connection, head, (size_t)size);
    send_all(connection, body, body_size);
    return connection;
}

static int send_request(const char *path, const char *body)
{
    return send_bytes(path, "", body, strlen(body));
}

/* Whether something, or the end, can be read in so many milliseconds. */
static bool is_readable(int connection, int milliseconds)
{
    struct pollfd event = {.fd = connection, .events = POLLIN};
    return poll(&event, 1, milliseconds) == 1;
}

/* The status of the answer; 0: none came. Closes. */
static long read_status(int connection, char *answer, size_t size)
{
    long status = 0;
    size_t used = 0;
    answer[0] = '\0';
    while (strstr(answer, "\r\n\r\n") == NULL && used + 1 < size) {
        ck_assert(is_readable(connection, service_patience()));
        const ssize_t piece = recv(connection, answer + used, size - 1 - used, 0);
        if (piece <= 0)
            break;
        used += (size_t)piece;
        answer[used] = '\0';
    }
    close(connection);
    sscanf(answer, "HTTP/1.1 %3ld", &status);
    return status;
}

/* As under valgrind: there the pool has done its work by the time that an event loop looks again.
 */
static bool threads_take_turns(void)
{
    return getenv("TEMPOTROND_WRAPPER") != NULL;
}

/* Whoever comes when the queue is full is told so, and the others are served. */
START_TEST(a_full_queue_is_told_at_once)
{
    enum { CLIENTS = LIMIT_WAITING_JOBS + 150 };
    int connections[CLIENTS], served = 0, refused = 0;
    char answer[2048];
    create_model_of_text(&server, HEAVY);
    char *body = heavy_body(1);
    for (int i = 0; i < CLIENTS; i++)
        connections[i] = send_request("/models/heavy/predict", body);
    for (int i = 0; i < CLIENTS; i++) {
        const long status = read_status(connections[i], answer, sizeof answer);
        served += status == 200;
        if (status == 200)
            continue;
        ck_assert_msg(status == 503, "%s", answer);
        ck_assert_ptr_nonnull(strcasestr(answer, "\r\nRetry-After: "));
        refused++;
    }
    free(body);
    ck_assert_int_ge(served, LIMIT_WAITING_JOBS);
    ck_assert(refused > 0 || threads_take_turns());
    /* What is not for the pool was served all the time; what is, is again. */
    struct http_answer again = post_text(&server, "/models/tuned/predict", "{\"x\": [[1, 2]]}");
    http_answer_finish(&again);
}
END_TEST

enum { LARGE = 16, SMALL = 40 };

/* Whether small requests, one after another, are answered before the last of the large ones, whose
 * answers all have this status. */
static bool serves_beside(const int large[LARGE], long status)
{
    char status_line[256];
    for (int i = 0; i < SMALL; i++) {
        struct http_answer answer = post_text(&server, "/psp_kernel", "{\"t\": [0]}");
        http_answer_finish(&answer);
    }
    const bool was_busy = !is_readable(large[LARGE - 1], 0);
    for (int i = 0; i < LARGE; i++)
        ck_assert_int_eq(read_status(large[i], status_line, sizeof status_line), status);
    return was_busy;
}

static bool serves_beside_pool(int samples)
{
    int large[LARGE];
    char *body = heavy_body(samples);
    for (int i = 0; i < LARGE; i++)
        large[i] = send_request("/models/heavy/predict", body);
    free(body);
    return serves_beside(large, 200);
}

/* On a busy machine the small requests take long too: the work grows until it takes longer. Behind
 * the jobs in the pool's queue, they would take longer than any. */
START_TEST(event_loops_serve_while_the_pool_is_busy)
{
    enum { SAMPLES = 25, MAX_SAMPLES = 16 * SAMPLES };
    int samples = SAMPLES;
    create_model_of_text(&server, HEAVY);
    while (!serves_beside_pool(samples) && !threads_take_turns())
        ck_assert_int_le(samples *= 2, MAX_SAMPLES);
}
END_TEST

/* Blanks that are no gzip stream only in their last bytes: the event loop that decompresses them
 * answers too. */
static bool serves_beside_bombs(size_t size)
{
    int large[LARGE];
    struct bytes blanks = {.at = malloc(size), .size = size, .capacity = size};
    ck_assert_ptr_nonnull(blanks.at);
    memset(blanks.at, ' ', size);
    struct bytes bomb = bytes_gzipped(&blanks);
    bomb.at[bomb.size - 7] ^= 1; /* of the checksum */
    for (int i = 0; i < LARGE; i++)
        large[i] = send_bytes("/psp_kernel", "Content-Encoding: gzip\r\n", bomb.at, bomb.size);
    bytes_finish(&bomb);
    bytes_finish(&blanks);
    return serves_beside(large, 400);
}

START_TEST(event_loops_serve_while_small_bodies_become_large)
{
    enum { BYTES = 16 << 20, MAX_BYTES = 4 * BYTES };
    size_t bytes = BYTES;
    fixture_start(FLAGS("--log", "errors", "--threads", "1", "--max-bodies", "4G"));
    while (!serves_beside_bombs(bytes) && !threads_take_turns())
        ck_assert_uint_le(bytes *= 2, MAX_BYTES);
}
END_TEST

static char *wide_member(const char *name, int features, const char *number)
{
    char *member = NULL;
    size_t size;
    FILE *stream = open_memstream(&member, &size);
    fprintf(stream, "\"%s\": [%s", name, number);
    for (int i = 1; i < features; i++)
        fprintf(stream, ",%s", number);
    fputs("]", stream);
    fclose(stream);
    return member;
}

static void create_wide_model(const char *id, int features)
{
    char *model = NULL;
    size_t size;
    char *x_min = wide_member("x_min", features, "0.01234567");
    char *x_max = wide_member("x_max", features, "9.87654321");
    FILE *stream = open_memstream(&model, &size);
    fprintf(stream,
            "{\"id\": \"%s\", \"out_features\": 1, \"T\": 10, \"encoder\": {\"type\": \"latency\", "
            "\"max_spike_time\": 9, %s, %s}}",
            id, x_min, x_max);
    fclose(stream);
    create_model_of_text(&server, model);
    free(model);
    free(x_min);
    free(x_max);
}

static bool serves_beside_documents(const char *path)
{
    int large[LARGE];
    for (int i = 0; i < LARGE; i++) {
        char request[128];
        const int size =
            snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
        large[i] = http_connect(&server);
        send_all(large[i], request, (size_t)size);
    }
    return serves_beside(large, 200);
}

START_TEST(event_loops_serve_while_large_documents_are_read)
{
    enum { FEATURES = 250000, MAX_FEATURES = 4 * FEATURES };
    char id[16], path[32];
    fixture_start(FLAGS("--log", "errors", "--threads", "1", "--max-answers", "1G"));
    for (int features = FEATURES;; features *= 2) {
        ck_assert_int_le(features, MAX_FEATURES);
        snprintf(id, sizeof id, "wide-%d", features);
        snprintf(path, sizeof path, "/models/%s", id);
        create_wide_model(id, features);
        if (serves_beside_documents(path) || threads_take_turns())
            break;
    }
}
END_TEST

/* A table of one column, whose gzip stream is a sixth of it. */
static struct bytes packed_table(size_t rows)
{
    struct bytes text = {.at = malloc(2 * rows + 2), .size = 2 * rows + 2};
    ck_assert_ptr_nonnull(text.at);
    memcpy(text.at, "a\n", 2);
    for (size_t i = 1; i <= rows; i++) {
        text.at[2 * i] = (uint8_t)('0' + i * i % 97 % 10);
        text.at[2 * i + 1] = '\n';
    }
    struct bytes packed = bytes_gzipped(&text);
    bytes_finish(&text);
    return packed;
}

/* As many uploads as threads. The model is not in memory, so that its prediction needs one too. */
START_TEST(uploads_leave_a_thread_to_others)
{
    enum { UPLOADS = 2, ROWS_EACH = 4000000 };
    char head[160], answer[2048];
    int uploads[UPLOADS];
    fixture_start(FLAGS("--threads", "2"));
    create_model_of_text(&server, "{\"id\": \"cold\", \"in_features\": 1, "
                                  "\"out_features\": 1, \"T\": 10}");
    struct bytes table = packed_table(ROWS_EACH);
    for (int i = 0; i < UPLOADS; i++) {
        snprintf(head, sizeof head,
                 "PUT /datasets/t%d HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\n"
                 "Content-Length: %zu\r\n\r\n",
                 i, table.size);
        uploads[i] = http_connect(&server);
        wire_send(uploads[i], head);
        wire_send_bytes(uploads[i], table.at, table.size);
    }
    struct http_answer predicted =
        post_text(&server, "/models/cold/predict", "{\"in_spikes\": [[1]]}");
    ck_assert_int_eq(predicted.status, 200);
    http_answer_finish(&predicted);
    char *log = service_log(&server);
    ck_assert_msg(strstr(log, "method=PUT") == NULL, "%s", log);
    free(log);
    for (int i = 0; i < UPLOADS; i++)
        ck_assert_int_eq(read_status(uploads[i], answer, sizeof answer), 201);
    bytes_finish(&table);
}
END_TEST

START_TEST(a_stop_lets_jobs_end_that_wait_and_run)
{
    enum { CLIENTS = 12 };
    int connections[CLIENTS];
    char answer[256];
    create_model_of_text(&server, HEAVY);
    char *body = heavy_body(8);
    for (int i = 0; i < CLIENTS; i++)
        connections[i] = send_request("/models/heavy/predict", body);
    free(body);
    ck_assert(is_readable(connections[0], service_patience())); /* so the others have been read */
    ck_assert_int_eq(kill(server.pid, SIGTERM), 0);
    for (int i = 0; i < CLIENTS; i++)
        ck_assert_int_eq(read_status(connections[i], answer, sizeof answer), 200);
    const int status = service_wait(&server);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

static void restart_with_short_drain(const char *seconds)
{
    fixture_start(FLAGS("--drain-timeout", seconds, "--log", "errors"));
    create_model_of_text(&server, HEAVY);
    create_model_of_text(&server,
                         "{\"id\": \"plain\", \"in_features\": 2, \"out_features\": 2, \"T\": 20}");
}

/* An order that takes a while to be read. */
static struct bytes large_order(void)
{
    enum { SAMPLES = 200000 };
    struct bytes order = bytes_of("{\"epochs\": 1, \"in_spikes\": [[1, 2]", 34);
    for (int i = 1; i < SAMPLES; i++)
        bytes_add(&order, ", [1, 2]", 8);
    bytes_add(&order, "], \"label\": [0", 14);
    for (int i = 1; i < SAMPLES; i++)
        bytes_add(&order, ", 1", 3);
    bytes_add(&order, "]}", 3); /* with its end */
    return order;
}

/* Predictions and orders that the stop finds queued and running. */
START_TEST(a_stop_that_does_not_wait_ends_well)
{
    enum { CLIENTS = 120 };
    int connections[CLIENTS];
    char answer[256];
    restart_with_short_drain(_i % 2 == 0 ? "0" : "1");
    char *heavy = heavy_body(2);
    struct bytes order = large_order();
    for (int i = 0; i < CLIENTS; i++)
        connections[i] = i % 3 == 0 ? send_request("/models/heavy/predict", heavy)
                                    : send_request("/models/plain/train", (const char *)order.at);
    bytes_finish(&order);
    free(heavy);
    struct http_answer still = http_send(&server, "GET", "/health/live", NULL, NULL);
    http_answer_finish(&still);
    ck_assert_int_eq(kill(server.pid, SIGTERM), 0);
    const int status = service_wait(&server);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", (unsigned)status);
    for (int i = 0; i < CLIENTS; i++) {
        const long told = read_status(connections[i], answer, sizeof answer);
        ck_assert_msg(told == 200 || told == 202 || told == 503 || told == 0, "%s", answer);
    }
}
END_TEST

/* One who asks for what the pool does, again and again over one connection. */
static void *ask_on(void *argument)
{
    char answer[4096];
    static const char request[] =
        "POST /models/plain/train HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40\r\n\r\n"
        "{\"in_spikes\": [[1, 2]], \"label\": [0]    }";
    sem_t *asked = argument;
    const int connection = http_connect(&server);
    for (int turn = 0;; turn++) {
        if (send(connection, request, sizeof request - 1, MSG_NOSIGNAL) <= 0 ||
            recv(connection, answer, sizeof answer, 0) <= 0)
            break;
        if (turn == 3)
            sem_post(asked);
    }
    sem_post(asked);
    close(connection);
    return NULL;
}

/* While the server is torn down, connections that live on bring it further jobs. */
START_TEST(jobs_that_come_while_the_server_ends_do_no_harm)
{
    enum { CLIENTS = 8 };
    pthread_t clients[CLIENTS];
    sem_t asked;
    sem_init(&asked, 0, 0);
    restart_with_short_drain("0");
    for (int i = 0; i < CLIENTS; i++)
        ck_assert_int_eq(pthread_create(&clients[i], NULL, ask_on, &asked), 0);
    for (int i = 0; i < CLIENTS; i++)
        sem_wait(&asked);
    ck_assert_int_eq(kill(server.pid, SIGTERM), 0);
    const int status = service_wait(&server);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %#x", (unsigned)status);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(clients[i], NULL);
}
END_TEST

START_TEST(a_client_that_leaves_does_no_harm_to_its_job)
{
    enum { CLIENTS = 20 };
    char answer[256];
    int connections[CLIENTS];
    create_model_of_text(&server, HEAVY);
    char *body = heavy_body(10);
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < CLIENTS; i++)
            connections[i] = send_request("/models/heavy/predict", body);
        const struct linger reset = {.l_onoff = 1, .l_linger = 0};
        for (int i = 0; i < CLIENTS; i++) {
            if (turn == 1)
                setsockopt(connections[i], SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            close(connections[i]);
        }
    }
    const int last = send_request("/models/heavy/predict", body);
    ck_assert_int_eq(read_status(last, answer, sizeof answer), 200);
    free(body);
}
END_TEST

/* --- clients that leave, and a stop, while there is much to compute --- */

/* Seconds of work for any machine: in many samples, or in one output of one sample. */
enum { MANY_SAMPLES = 10000, MANY_SPIKES = 20000 };

static char *numbers_body(const char *before, int step, int count, const char *after)
{
    char *body = NULL;
    size_t size;
    FILE *stream = open_memstream(&body, &size);
    fprintf(stream, "%s", before);
    for (int i = 0; i < count; i++)
        fprintf(stream, "%s%d", i > 0 ? "," : "", 3 + i * step);
    fputs(after, stream);
    fclose(stream);
    return body;
}

static char *many_predictions(void)
{
    return heavy_body(MANY_SAMPLES);
}

static char *many_evaluations(void)
{
    return spikes_body("", MANY_SAMPLES, "0");
}

static char *many_thresholds(void)
{
    return numbers_body("{\"ret_type\": \"thresholds\", \"k_max\": 100, \"in_spikes\": [[", 4,
                        MANY_SPIKES, "]]}");
}

static const struct {
    const char *path;
    char *(*body)(void);
} long_work[] = {
    {"/models/heavy/predict", many_predictions},
    {"/models/heavy/evaluate", many_evaluations},
    {"/models/counts/predict", many_thresholds},
};

/* The server has accepted the request: it has asked for the body. */
static int begin_long_work(int number)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    char head[256], asked[sizeof go_on] = "";
    char *body = long_work[number].body();
    const int connection = http_connect(&server);
    snprintf(head, sizeof head,
             "POST %s HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
             "Content-Length: %zu\r\n\r\n",
             long_work[number].path, strlen(body));
    wire_send(connection, head);
    ck_assert_int_eq(recv(connection, asked, sizeof go_on - 1, MSG_WAITALL), sizeof go_on - 1);
    ck_assert_str_eq(asked, go_on);
    wire_send(connection, body);
    free(body);
    return connection;
}

static void start_with_long_work(const char *drain_seconds)
{
    fixture_start(FLAGS("--threads", "1", "--drain-timeout", drain_seconds));
    create_model_of_text(&server, HEAVY);
    char *counts = numbers_body("{\"id\": \"counts\", \"in_features\": 20000, \"out_features\": 1, "
                                "\"T\": 100000, \"tau\": 1000, \"read_out\": \"spike_count\", "
                                "\"max_spikes\": 1000, \"weight\": [[",
                                0, MANY_SPIKES, "]]}");
    create_model_of_text(&server, counts);
    free(counts);
}

/* Of the model "heavy", more than an event loop does. */
static void expect_short_prediction(void)
{
    char *body = heavy_body(1);
    struct http_answer answer = post_text(&server, "/models/heavy/predict", body);
    ck_assert_int_eq(answer.status, 200);
    http_answer_finish(&answer);
    free(body);
}

START_TEST(short_work_does_not_wait_for_long_work)
{
    int connections[3 * ROWS(long_work)];
    start_with_long_work("1");
    for (int i = 0; i < ROWS(connections); i++)
        connections[i] = begin_long_work(i % 2); /* many samples: these give way */
    for (int i = 0; i < 10; i++)
        expect_short_prediction();
    for (int i = 0; i < ROWS(connections); i++) {
        ck_assert(!is_readable(connections[i], 0));
        close(connections[i]);
    }
}
END_TEST

START_TEST(no_more_work_waits_than_some_minutes_of_it)
{
    enum { FIT = LIMIT_WAITING_WORK / (MANY_SAMPLES * 2080000ull), MORE = 3 };
    char answer[2048];
    int connections[FIT + 1 + MORE], refused = 0;
    start_with_long_work("1");
    for (int i = 0; i < ROWS(connections); i++)
        connections[i] = begin_long_work(0);
    for (int left = MORE; left > 0; left--) {
        struct pollfd events[ROWS(connections)];
        for (int i = 0; i < ROWS(connections); i++)
            events[i] = (struct pollfd){.fd = connections[i], .events = POLLIN};
        ck_assert_int_gt(poll(events, ROWS(connections), service_patience()), 0);
        for (refused = 0; events[refused].revents == 0;)
            refused++;
        ck_assert_int_eq(read_status(connections[refused], answer, sizeof answer), 503);
        ck_assert_ptr_nonnull(strstr(answer, "queue_full"));
        ck_assert_ptr_nonnull(strcasestr(answer, "\r\nRetry-After: "));
        connections[refused] = -1;
    }
    expect_short_prediction();
    for (int i = 0; i < ROWS(connections); i++)
        if (connections[i] >= 0)
            close(connections[i]);
}
END_TEST

START_TEST(a_computation_ends_when_its_client_leaves)
{
    char line[64];
    start_with_long_work("25");
    const int connection = begin_long_work(_i);
    snprintf(line, sizeof line, "path=\"%s\" status=503", long_work[_i].path);
    close(connection);
    service_await_log(&server, line);
    struct http_answer answer = post_text(&server, "/psp_kernel", "{\"t\": [0]}");
    http_answer_finish(&answer);
}
END_TEST

/* One that waits longer can't be told from one that has left. */
START_TEST(a_client_that_closes_its_side_is_served_for_a_second)
{
    char answer[2048];
    create_model_of_text(&server, HEAVY);
    char *body = heavy_body(2);
    for (int i = 0; i < 10; i++) {
        const int connection = send_request("/models/heavy/predict", body);
        ck_assert_int_eq(shutdown(connection, SHUT_WR), 0);
        ck_assert_int_eq(read_status(connection, answer, sizeof answer), 200);
    }
    free(body);
}
END_TEST

START_TEST(a_stop_ends_what_is_computed_for_longer_and_says_so)
{
    char answer[2048];
    start_with_long_work("1");
    const int connection = begin_long_work(_i);
    ck_assert_int_eq(kill(server.pid, SIGTERM), 0);
    ck_assert_int_eq(read_status(connection, answer, sizeof answer), 503);
    ck_assert_ptr_nonnull(strcasestr(answer, "\r\nRetry-After: "));
    const int status = service_wait(&server);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("heavy_work");
    TCase *tests = fixture_case(suite, "heavy work", bodies_start);
    tcase_add_test(tests, many_samples_are_answered_like_each_by_itself);
    tcase_add_test(tests, words_are_limited_and_numbers_are_not);
    tcase_add_test(tests, a_full_queue_is_told_at_once);
    tcase_add_test(tests, event_loops_serve_while_the_pool_is_busy);
    tcase_add_test(tests, event_loops_serve_while_small_bodies_become_large);
    tcase_add_test(tests, event_loops_serve_while_large_documents_are_read);
    tcase_add_test(tests, uploads_leave_a_thread_to_others);
    tcase_add_test(tests, a_stop_lets_jobs_end_that_wait_and_run);
    tcase_add_loop_test(tests, a_stop_that_does_not_wait_ends_well, 0, 4);
    tcase_add_test(tests, jobs_that_come_while_the_server_ends_do_no_harm);
    tcase_add_test(tests, a_client_that_leaves_does_no_harm_to_its_job);
    tcase_add_test(tests, short_work_does_not_wait_for_long_work);
    tcase_add_test(tests, no_more_work_waits_than_some_minutes_of_it);
    tcase_add_loop_test(tests, a_computation_ends_when_its_client_leaves, 0, ROWS(long_work));
    tcase_add_test(tests, a_client_that_closes_its_side_is_served_for_a_second);
    tcase_add_loop_test(tests, a_stop_ends_what_is_computed_for_longer_and_says_so, 0,
                        ROWS(long_work));
    return suite_run(suite);
}
