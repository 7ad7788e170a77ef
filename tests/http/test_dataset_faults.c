/* Datasets when something goes wrong: the server is killed in the middle of an upload or a run, the
 * disk is full, or many change at once what others use. */
#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/arrays.h"
#include "tests/support/client.h"
#include "tests/support/datasets.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

/* --- crashes --- */

/* Starts a server that takes large files, in the place of the other. */
static void restart_ample(void)
{
    fixture_start(FLAGS("--log", "errors"));
}

/* Sends a file that is small on the wire and takes the server a while, and waits until some of its
 * chunks are in the database, beside `before` others. */
static int begin_long_upload(int64_t before)
{
    enum { PIXELS = 400000000 };
    char head[256];
    uint8_t *zeros = calloc(1, PIXELS);
    struct bytes plain = npy_of("|u1", "(400000, 1000)", zeros, PIXELS);
    free(zeros);
    struct bytes file = bytes_gzipped(&plain);
    bytes_finish(&plain);
    const int size = snprintf(head, sizeof head,
                              "PUT /datasets/a/x HTTP/1.1\r\nHost: localhost\r\n"
                              "Connection: close\r\nContent-Length: %zu\r\n\r\n",
                              file.size);
    const int connection = http_connect(&server);
    ck_assert_int_eq(send(connection, head, (size_t)size, MSG_NOSIGNAL), size);
    ck_assert_int_eq(send(connection, file.at, file.size, MSG_NOSIGNAL), (ssize_t)file.size);
    bytes_finish(&file);
    while (number_in_database(&server, "SELECT count(*) FROM chunks") < before + 2)
        poll(NULL, 0, 1);
    return connection;
}

static int64_t unfinished_arrays(void)
{
    return number_in_database(&server, "SELECT count(*) FROM arrays WHERE sha256 IS NULL");
}

START_TEST(what_a_killed_server_was_uploading_is_gone_after_the_next_start)
{
    restart_ample();
    put_both(&server, "kept");
    const int connection = begin_long_upload(2);
    service_kill(&server);
    close(connection);
    ck_assert_int_eq(unfinished_arrays(), 1);
    service_restart(&server);
    expect_arrays(&server, 2);
    json_decref(http_call(&server, 404, "GET", "/datasets/a", NULL));
    json_decref(http_call(&server, 204, "DELETE", "/datasets/kept", NULL));
}
END_TEST

static json_t *long_order(int epochs)
{
    return json_pack("{s:s, s:i, s:f, s:i, s:s}", "dataset", "a", "epochs", epochs,
                     "validation_fraction", 0.3, "batch_size", 5, "optimizer", "adam");
}

static void create_encoding_model(const struct service *service, const char *id)
{
    create_model(service, model_with_encoder(id));
}

START_TEST(a_run_on_a_dataset_that_is_interrupted_ends_with_the_same_bits)
{
    static const struct run_recipe recipe = {create_encoding_model, long_order};
    char ended[RUN_MODEL], calm[RUN_MODEL];
    put_both(&server, "a");
    run_survives(&server, &recipe, _i == 0 ? service_kill : service_stop, ended, calm);
}
END_TEST

/* --- a full disk --- */

/* SQLite tells a disk that is full from a file that may not grow. */
static void expect_no_room(const struct http_answer *answer)
{
    expect_problem(answer, answer->status == 503 ? 503 : 507,
                   answer->status == 503 ? "store_unavailable" : "store_full");
}

/* Where it happens: in the file that the body goes to, or in the database. */
START_TEST(an_upload_without_room_on_the_disk_is_refused_and_leaves_nothing)
{
    enum { PIXELS = 1000000 };
    uint8_t *pixels = malloc(PIXELS);
    uint32_t state = 1;
    for (size_t i = 0; i < PIXELS; i++)
        pixels[i] = _i == 0 ? (uint8_t)next_random(&state) : 0;
    struct bytes plain = npy_of("|u1", "(1000, 1000)", pixels, PIXELS);
    struct bytes file = bytes_gzipped(&plain);
    put_both(&server, "kept");
    service_limit_files(&server, _i == 0 ? 500000 : 700000);
    struct http_answer answer = put_bytes(&server, "/datasets/a/x", &file);
    expect_no_room(&answer);
    http_answer_finish(&answer);
    if (_i == 0)
        http_await_readiness(&server, 200); /* there is room in the database */
    service_limit_files(&server, RLIM_INFINITY);
    http_await_readiness(&server, 200);
    expect_arrays(&server, 2);
    json_decref(put_file(&server, "/datasets/a/x", file));
    expect_arrays(&server, 3);
    bytes_finish(&plain);
    free(pixels);
}
END_TEST

/* From the middle of an upload on nothing can be written, so nothing deleted either. */
START_TEST(what_could_not_be_deleted_is_deleted_with_the_next_upload)
{
    char answer[16] = "";
    restart_ample();
    put_both(&server, "kept");
    const int connection = begin_long_upload(2);
    service_limit_files(&server, 1);
    ck_assert_int_eq(recv(connection, answer, 12, MSG_WAITALL), 12);
    close(connection);
    ck_assert_msg(strcmp(answer, "HTTP/1.1 507") == 0 || strcmp(answer, "HTTP/1.1 503") == 0, "%s",
                  answer);
    ck_assert_int_eq(unfinished_arrays(), 1);
    http_await_readiness(&server, 503);
    service_limit_files(&server, RLIM_INFINITY);
    http_await_readiness(&server, 200);
    put_x(&server, "/datasets/a/x", "|u1");
    expect_arrays(&server, 3);
    put_both(&server, "a");
    expect_arrays(&server, 4);
}
END_TEST

/* --- many at once --- */

struct client {
    pthread_t thread;
    void (*turn)(struct client *client);
    unsigned number;
    atomic_bool *done;
};

static void *take_turns(void *argument)
{
    struct client *client = argument;
    while (!atomic_load(client->done))
        client->turn(client);
    return NULL;
}

/* Uploads x and label of a dataset that two clients share, in types of their own. */
static void upload_turn(struct client *client)
{
    char path[64];
    static const char *const kinds[] = {"|u1", "<f4"};
    snprintf(path, sizeof path, "/datasets/set-%u/x", client->number / 2);
    put_x(&server, path, kinds[client->number % 2]);
    snprintf(path, sizeof path, "/datasets/set-%u/label", client->number / 2);
    put_label(&server, path, "|u1");
}

static void run_clients(struct client *clients, unsigned count, atomic_bool *done)
{
    for (unsigned i = 0; i < count; i++) {
        clients[i].number = i;
        clients[i].done = done;
        ck_assert_int_eq(pthread_create(&clients[i].thread, NULL, take_turns, &clients[i]), 0);
    }
}

static void end_clients(struct client *clients, unsigned count, atomic_bool *done)
{
    atomic_store(done, true);
    for (unsigned i = 0; i < count; i++)
        pthread_join(clients[i].thread, NULL);
}

START_TEST(many_upload_at_once)
{
    enum { CLIENTS = 8, TURNS = 15 };
    atomic_bool done = false;
    struct client clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        clients[i].turn = upload_turn;
    run_clients(clients, CLIENTS, &done);
    for (int i = 0; i < TURNS; i++) {
        put_x(&server, "/datasets/mine/x", "<i8");
        json_decref(http_call(&server, 204, "DELETE", "/datasets/mine", NULL));
    }
    end_clients(clients, CLIENTS, &done);
    expect_arrays(&server, CLIENTS);
}
END_TEST

/* Puts and deletes the dataset that others use. */
static void change_turn(struct client *client)
{
    static const double numbers[] = {1, 2, 3, 4};
    struct http_answer answer;
    (void)client;
    struct bytes narrow = npy_of_numbers("|u1", "(4,)", numbers, 4);
    struct bytes table = csv_of("a,c,b,d\n1,0,2,3\n4,1,5,6\n");
    const struct bytes *const bodies[] = {&narrow, &table};
    static const char *const paths[] = {"/datasets/a/x", "/datasets/a?label=c"};
    for (int i = 0; i < 2; i++) {
        answer = put_bytes(&server, paths[i], bodies[i]);
        ck_assert_msg(answer.status == 200 || answer.status == 201 || answer.status == 409 ||
                          answer.status == 404 || answer.status == 422,
                      "%ld %s", answer.status, answer.body);
        http_answer_finish(&answer);
        answer = http_send(&server, "DELETE", "/datasets/a", NULL, NULL);
        ck_assert_msg(answer.status == 204 || answer.status == 409 || answer.status == 404,
                      "%ld %s", answer.status, answer.body);
        http_answer_finish(&answer);
    }
    bytes_finish(&narrow);
    bytes_finish(&table);
}

/* What is there is used; what is not, or is another by now, is the client's to hear of. */
static void use_turn(struct client *client)
{
    static const char *const paths[] = {"/models/m/predict", "/models/m/evaluate",
                                        "/models/m/train"};
    struct http_answer answer =
        http_send(&server, "POST", paths[client->number % 3], "{\"dataset\": \"a\"}", NULL);
    ck_assert_msg(
        answer.status == 200 || answer.status == 202 || answer.status == 422 ||
            (answer.status == 503 && strcmp(member_string(answer.json, "code"), "queue_full") == 0),
        "%s: %ld %s", paths[client->number % 3], answer.status, answer.body);
    http_answer_finish(&answer);
}

START_TEST(a_dataset_may_change_while_others_use_it)
{
    enum { CLIENTS = 7, CHANGES = 60 };
    atomic_bool done = false;
    struct client clients[CLIENTS];
    create_model(&server, model_with_encoder("m"));
    for (int i = 0; i < CLIENTS; i++)
        clients[i].turn = i == CLIENTS - 1 ? change_turn : use_turn;
    run_clients(clients, CLIENTS, &done);
    struct client mine = {0};
    for (int i = 0; i < CHANGES; i++)
        change_turn(&mine);
    end_clients(clients, CLIENTS, &done);
    json_t *failed = http_get(&server, "/runs?state=failed");
    char *list = json_dumps(failed, 0);
    ck_assert_msg(json_array_size(json_object_get(failed, "runs")) == 0, "%.1000s", list);
    free(list);
    json_decref(failed);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dataset_faults");
    TCase *tests = fixture_case(suite, "faults", datasets_start);
    tcase_add_test(tests, what_a_killed_server_was_uploading_is_gone_after_the_next_start);
    tcase_add_loop_test(tests, a_run_on_a_dataset_that_is_interrupted_ends_with_the_same_bits, 0,
                        2);
    tcase_add_loop_test(tests, an_upload_without_room_on_the_disk_is_refused_and_leaves_nothing, 0,
                        2);
    tcase_add_test(tests, what_could_not_be_deleted_is_deleted_with_the_next_upload);
    tcase_add_test(tests, many_upload_at_once);
    tcase_add_test(tests, a_dataset_may_change_while_others_use_it);
    return suite_run(suite);
}
