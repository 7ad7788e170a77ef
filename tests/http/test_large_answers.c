/* Answers that are large: weights are written in pieces while the client reads, and what clients
 * have not read yet is counted. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/base/limits.h"
#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/suite.h"
#include "tests/support/wire.h"

enum { IN = 301, HIDDEN = 230, OUT = 7, NPY_HEADER = 128 };

/* More weights than are answered at once, in two layers. */
static void start(void)
{
    fixture_start(FLAGS("--max-answers", "100K"));
    ck_assert_int_gt(IN * HIDDEN + HIDDEN * OUT, LIMIT_WHOLE_ANSWER);
    create_model_of_text(&server, "{\"id\": \"large\", \"in_features\": 301, \"out_features\": 7,"
                                  " \"hidden\": [230], \"T\": 20}");
}

static struct http_answer get(const char *path, const char *header)
{
    struct http_answer answer = http_send(&server, "GET", path, NULL, header, NULL);
    ck_assert_msg(answer.status == 200, "%ld %s", answer.status, answer.body);
    return answer;
}

static void expect_layer(const json_t *weights, const char *path, const char *name, size_t rows,
                         size_t columns)
{
    struct http_answer npy = get(path, "Accept: application/x-npy");
    ck_assert_uint_eq(npy.size, NPY_HEADER + rows * columns * sizeof(float));
    ck_assert_ptr_nonnull(http_header(&npy, "content-length"));
    const json_t *layer = json_object_get(weights, name);
    ck_assert_uint_eq(json_array_size(layer), rows);
    for (size_t j = 0; j < rows; j++) {
        const json_t *row = json_array_get(layer, j);
        ck_assert_uint_eq(json_array_size(row), columns);
        for (size_t i = 0; i < columns; i++) {
            float value;
            memcpy(&value, npy.body + NPY_HEADER + (j * columns + i) * sizeof value, sizeof value);
            ck_assert((float)json_number_value(json_array_get(row, i)) == value);
        }
    }
    http_answer_finish(&npy);
}

START_TEST(large_weights_are_whole_as_json_and_as_npy)
{
    struct http_answer answer = get("/models/large/weights", "Accept-Encoding: gzip");
    ck_assert_ptr_null(http_header(&answer, "content-encoding"));
    ck_assert_ptr_null(http_header(&answer, "content-length"));
    ck_assert_str_eq(member_string(answer.json, "model"), "large");
    ck_assert_int_eq(member_integer(answer.json, "version"), 1);
    expect_layer(answer.json, "/models/large/weights?tensor=weight", "weight", OUT, HIDDEN);
    expect_layer(answer.json, "/models/large/weights?tensor=hidden_0", "hidden_0", HIDDEN, IN);
    ck_assert_int_eq(answer.body[answer.size - 1], '\n');
    json_t *put = http_call(&server, 200, "PUT", "/models/large/weights", json_incref(answer.json));
    ck_assert_int_eq(member_integer(put, "version"), 2);
    json_decref(put);
    json_t *versions = http_get(&server, "/models/large/versions");
    json_t *list = json_object_get(versions, "versions");
    ck_assert_str_eq(member_string(json_array_get(list, 0), "sha256"),
                     member_string(json_array_get(list, 1), "sha256"));
    json_decref(versions);
    http_answer_finish(&answer);
}
END_TEST

START_TEST(head_and_http_1_0_work_as_well)
{
    static char text[1 << 16];
    struct http_answer head = http_send(&server, "HEAD", "/models/large/weights", NULL, NULL);
    ck_assert_int_eq(head.status, 200);
    ck_assert_uint_eq(head.size, 0);
    http_answer_finish(&head);
    const int connection = http_connect(&server);
    wire_send(connection, "GET /models/large/weights HTTP/1.0\r\nHost: localhost\r\n\r\n");
    char last = '\0';
    for (size_t size; (size = wire_read_bytes(connection, text, sizeof text)) > 0;)
        last = text[size - 1];
    ck_assert_int_eq(last, '\n');
    close(connection);
}
END_TEST

/* More than the sockets hold. */
static void create_huge(void)
{
    create_model_of_text(
        &server, "{\"id\": \"huge\", \"in_features\": 4000, \"out_features\": 1000, \"T\": 20}");
}

static void begin_huge(int connection)
{
    wire_send(connection, "GET /models/huge/weights HTTP/1.1\r\nHost: localhost\r\n\r\n");
    static struct wire_answer answer;
    wire_read_head(connection, &answer);
    ck_assert_int_eq(answer.status, 200);
}

static int begin_unread(void)
{
    const int connection = http_connect(&server);
    begin_huge(connection);
    return connection;
}

static bool is_overloaded(void)
{
    struct http_answer answer = http_send(&server, "HEAD", "/models/huge/weights", NULL, NULL);
    const bool overloaded = answer.status == 503;
    ck_assert_msg(overloaded || answer.status == 200, "%ld", answer.status);
    http_answer_finish(&answer);
    return overloaded;
}

START_TEST(answers_that_are_not_read_have_a_budget_that_is_given_back)
{
    create_huge();
    const int first = begin_unread(), second = begin_unread();
    struct http_answer refused = http_send(&server, "GET", "/models/huge/weights", NULL, NULL);
    expect_problem(&refused, 503, "overloaded");
    ck_assert_str_eq(http_header(&refused, "retry-after"), "1");
    http_answer_finish(&refused);
    json_decref(http_get(&server, "/models/large")); /* a small answer needs none of it */
    close(first);
    for (int waited = 0; is_overloaded(); waited++) {
        ck_assert_int_lt(waited, service_patience());
        poll(NULL, 0, 1);
    }
    close(second);
}
END_TEST

/* --- how fast they are read --- */

static void start_impatient(void)
{
    fixture_start(FLAGS("--request-timeout", "1"));
    create_huge();
}

/* The buffers of a client's kernel hide for minutes that it reads 1 KiB a second: one that does not
 * read for some seconds may still do so. */
START_TEST(a_client_whose_reading_does_not_show_is_served)
{
    static char text[1 << 20];
    size_t size, read = 0;
    start_impatient();
    struct http_answer whole = get("/models/huge/weights", "Accept: application/x-npy");
    const int connection = http_connect(&server);
    wire_send(connection, "GET /models/huge/weights HTTP/1.0\r\nHost: localhost\r\n"
                          "Accept: application/x-npy\r\n\r\n");
    sleep(5);
    while ((size = wire_read_bytes(connection, text, sizeof text)) > 0)
        read += size;
    ck_assert_uint_gt(read, whole.size);
    http_answer_finish(&whole);
    close(connection);
}
END_TEST

/* Its kernel's buffer is small, so that its reading would show. */
START_TEST(a_client_that_does_not_read_is_cut_off)
{
    start_impatient();
    const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), size = 4096;
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((in_port_t)server.port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    ck_assert_int_eq(setsockopt(connection, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
    ck_assert_int_eq(connect(connection, (const struct sockaddr *)&to, sizeof to), 0);
    begin_huge(connection);
    service_await_log(&server, "path=\"/models/huge/weights\" status=200");
    close(connection);
}
END_TEST

static struct http_answer predict_with(const char *path, const char *members, int samples,
                                       const char *header)
{
    struct bytes body = bytes_of(members, strlen(members));
    bytes_add(&body, "\"in_spikes\": [[1, 2]", 20);
    for (int i = 1; i < samples; i++) {
        char sample[32];
        bytes_add(&body, sample,
                  (size_t)snprintf(sample, sizeof sample, ", [%d, %d]", i % 19, i * 7 % 17 - 1));
    }
    bytes_add(&body, "]}", 2);
    struct http_answer answer =
        http_send_bytes(&server, "POST", path, &body, "Expect:", header, NULL);
    bytes_finish(&body);
    return answer;
}

/* Voltages of `samples` samples of two outputs over 20 steps. */
static struct http_answer predict_voltages(int samples, const char *header)
{
    return predict_with("/models/plain/predict", "{\"ret_type\": \"v\", ", samples, header);
}

START_TEST(an_answer_that_could_never_be_given_is_refused_for_good)
{
    create_plain_model(&server, "plain");
    struct http_answer answer = predict_voltages(1000, NULL);
    expect_problem(&answer, 422, "too_large");
    ck_assert_ptr_nonnull(strstr(answer.body, "together may take 102400 (--max-answers)"));
    ck_assert_ptr_null(http_header(&answer, "retry-after"));
    http_answer_finish(&answer);
    answer = predict_voltages(100, NULL);
    ck_assert_int_eq(answer.status, 200);
    http_answer_finish(&answer);
}
END_TEST

/* --- predictions in pieces --- */

static void start_for_predictions(const char *max_answers)
{
    fixture_start(FLAGS("--max-answers", max_answers, "--log", "errors"));
    create_plain_model(&server, "plain");
    create_model_of_text(&server, "{\"id\": \"deep\", \"in_features\": 2, \"hidden\": [5, 3], "
                                  "\"out_features\": 3, \"T\": 20, \"seed\": 5, "
                                  "\"labels\": [\"a\", \"b \\\"\", \"c\"]}");
    create_model_of_text(&server, "{\"id\": \"counts\", \"in_features\": 2, \"out_features\": 2, "
                                  "\"T\": 20, \"read_out\": \"spike_count\", "
                                  "\"weight\": [[3, 1], [1, 2]]}");
}

static const struct {
    const char *path, *members;
    int samples;
} large_predictions[] = {
    {"/models/plain/predict", "{\"ret_type\": \"v\", ", 4000},
    {"/models/plain/predict", "{\"ret_type\": \"label\", ", 70000},
    {"/models/deep/predict", "{\"ret_type\": [\"label\", \"v_max\", \"hidden_spikes\"], ", 9000},
    {"/models/deep/predict", "{\"ret_type\": [\"hidden_spikes\"], \"explain\": true, ", 9000},
    {"/models/deep/predict", "{\"ret_type\": [\"v\", \"score\", \"spikes\"], \"explain\": true, ",
     3000},
    {"/models/counts/predict",
     "{\"ret_type\": [\"count\", \"spike_times\", \"thresholds\", \"v\"], ", 2000},
    {"/models/counts/predict", "{\"ret_type\": [\"spike_times\"], ", 5000},
};

/* The answer that is compressed is made as a whole. */
START_TEST(a_prediction_in_pieces_has_the_bytes_of_a_whole_one)
{
    start_for_predictions("64M");
    const char *path = large_predictions[_i].path, *members = large_predictions[_i].members;
    const int samples = large_predictions[_i].samples;
    struct http_answer pieces = predict_with(path, members, samples, NULL);
    ck_assert_msg(pieces.status == 200, "%ld %.300s", pieces.status, pieces.body);
    ck_assert_ptr_nonnull(pieces.json);
    ck_assert_ptr_null(http_header(&pieces, "content-length"));
    struct http_answer packed = predict_with(path, members, samples, "Accept-Encoding: gzip");
    ck_assert_str_eq(http_header(&packed, "content-encoding"), "gzip");
    struct bytes whole = bytes_inflated(packed.body, packed.size);
    ck_assert_uint_eq(pieces.size, whole.size);
    ck_assert_mem_eq(pieces.body, whole.at, whole.size);
    bytes_finish(&whole);
    http_answer_finish(&packed);
    http_answer_finish(&pieces);
}
END_TEST

START_TEST(a_large_array_is_as_whole_as_its_document)
{
    enum { SAMPLES = 4000, STEPS = 20, VALUES = SAMPLES * 2 * STEPS };
    start_for_predictions("64M");
    struct http_answer json = predict_voltages(SAMPLES, NULL);
    struct http_answer npy = predict_voltages(SAMPLES, "Accept: application/x-npy");
    ck_assert_int_eq(npy.status, 200);
    ck_assert_uint_eq(npy.size, NPY_HEADER + VALUES * sizeof(float));
    ck_assert_uint_eq(strtoul(http_header(&npy, "content-length"), NULL, 10), npy.size);
    const json_t *v = json_object_get(json.json, "v");
    for (size_t i = 0; i < VALUES; i++) {
        float value;
        memcpy(&value, npy.body + NPY_HEADER + i * sizeof value, sizeof value);
        const json_t *row = json_array_get(json_array_get(v, i / (2 * STEPS)), i / STEPS % 2);
        ck_assert((float)json_number_value(json_array_get(row, i % STEPS)) == value);
    }
    http_answer_finish(&npy);
    http_answer_finish(&json);
}
END_TEST

static int begin_unread_prediction(const char *lines)
{
    static struct wire_answer answer;
    enum { SAMPLES = 50000, SAMPLE = 6 };
    static const char before[] = "{\"ret_type\": \"v\", \"in_spikes\": [[1,2]";
    struct bytes body = bytes_of(lines, strlen(lines));
    char length[64];
    bytes_add(&body, length,
              (size_t)snprintf(length, sizeof length, "Content-Length: %zu\r\n\r\n",
                               sizeof before - 1 + (SAMPLES - 1) * SAMPLE + 2));
    const int connection = http_connect(&server);
    bytes_add(&body, before, sizeof before - 1);
    for (int i = 1; i < SAMPLES; i++)
        bytes_add(&body, ",[1,2]", SAMPLE);
    bytes_add(&body, "]}", 2);
    wire_send_bytes(connection, body.at, body.size);
    bytes_finish(&body);
    wire_read_head(connection, &answer);
    ck_assert_msg(answer.status == 200, "%s", answer.text);
    return connection;
}

/* 8 MB of numbers, whose text is longer than all answers may be. */
START_TEST(an_unread_prediction_takes_what_its_numbers_take)
{
    static const char *const lines[] = {
        "POST /models/plain/predict HTTP/1.1\r\nHost: localhost\r\n",
        "POST /models/plain/predict HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-npy\r\n",
    };
    start_for_predictions("10M");
    const int connection = begin_unread_prediction(lines[_i]);
    struct http_answer refused = predict_voltages(25000, NULL);
    expect_problem(&refused, 503, "overloaded");
    http_answer_finish(&refused);
    close(connection);
    long status = 503;
    for (int waited = 0; status == 503; waited++) {
        struct http_answer answer = predict_voltages(25000, NULL);
        status = answer.status;
        http_answer_finish(&answer);
        ck_assert_int_lt(waited, service_patience());
    }
    ck_assert_int_eq(status, 200);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("large_answers");
    TCase *tests = fixture_case(suite, "large_answers", start);
    tcase_add_test(tests, large_weights_are_whole_as_json_and_as_npy);
    tcase_add_test(tests, head_and_http_1_0_work_as_well);
    tcase_add_test(tests, answers_that_are_not_read_have_a_budget_that_is_given_back);
    tcase_add_test(tests, a_client_whose_reading_does_not_show_is_served);
    tcase_add_test(tests, a_client_that_does_not_read_is_cut_off);
    tcase_add_test(tests, an_answer_that_could_never_be_given_is_refused_for_good);
    tcase_add_loop_test(tests, a_prediction_in_pieces_has_the_bytes_of_a_whole_one, 0,
                        ROWS(large_predictions));
    tcase_add_test(tests, a_large_array_is_as_whole_as_its_document);
    tcase_add_loop_test(tests, an_unread_prediction_takes_what_its_numbers_take, 0, 2);
    return suite_run(suite);
}
