/* POST /backup: a copy of the database that is sent while the server works. */
#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/arrays.h"
#include "tests/support/ask.h"
#include "tests/support/client.h"
#include "tests/support/copies.h"
#include "tests/support/datasets.h"
#include "tests/support/descriptors.h"
#include "tests/support/fixture.h"
#include "tests/support/program.h"
#include "tests/support/suite.h"
#include "tests/support/wire.h"

static const char x[] = "{\"x\": [[0.25, 0.75]], \"ret_type\": \"v_max\"}";
static const char predict[] = "/models/kept/predict";

static void start(void)
{
    fixture_start(NULL);
    create_model_of_text(&server,
                         "{\"id\": \"kept\", \"in_features\": 10, \"out_features\": 3, \"T\": 20,"
                         " \"encoder\": {\"type\": \"gaussian_tuning\", \"n\": 2, \"m\": 5, "
                         "\"x_min\": 0, \"x_max\": 1}}");
}

/* More than the sockets hold. */
static void put_large_dataset(void)
{
    enum { SIZE = 16000000 };
    uint8_t *zeros = calloc(1, SIZE);
    json_decref(
        put_file(&server, "/datasets/large/x", npy_of("|u1", "(160, 100000)", zeros, SIZE)));
    free(zeros);
}

static struct http_answer back_up(long status)
{
    struct http_answer answer = http_send(&server, "POST", "/backup", NULL, NULL);
    ck_assert_msg(answer.status == status, "%ld %s", answer.status, answer.body);
    return answer;
}

static void write_copy(const void *bytes, size_t size)
{
    char path[SERVICE_PATH];
    snprintf(path, sizeof path, "%s/copy", server.directory);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

/* The database becomes the copy, and is served. */
static void restore_copy(void)
{
    copies_run(0, "check", "copy");
    service_stop(&server);
    copies_run(0, "restore", "copy");
    service_restart(&server);
    copies_remove();
}

static void expect_name(const char *disposition)
{
    static const char shape[] = "attachment; filename=\"tempotron-dddd-dd-ddTdd-dd-dd.dddZ.db\"";
    ck_assert_ptr_nonnull(disposition);
    ck_assert_uint_eq(strlen(disposition), strlen(shape));
    for (size_t i = strlen("attachment; filename=\"tempotron-"); shape[i] != '.'; i++)
        ck_assert(shape[i] == 'd' ? disposition[i] >= '0' && disposition[i] <= '9'
                                  : disposition[i] == shape[i]);
}

START_TEST(a_copy_is_whole_and_predicts_the_same_once_it_is_restored)
{
    json_t *before = ask_json(predict, x);
    struct http_answer copy = back_up(200);
    ck_assert_str_eq(http_header(&copy, "content-type"), "application/vnd.sqlite3");
    ck_assert_uint_eq(strtoull(http_header(&copy, "content-length"), NULL, 10), copy.size);
    expect_name(http_header(&copy, "content-disposition"));
    write_copy(copy.body, copy.size);
    struct http_answer deleted = ask(204, "DELETE", "/models/kept", NULL);
    http_answer_finish(&deleted);
    restore_copy();
    expect_equal_json(before, ask_json(predict, x));
    http_answer_finish(&copy);
}
END_TEST

/* A copy whose client has read only the head, and its length. */
static int begin_unread(size_t *ret_size)
{
    static struct wire_answer answer;
    const int connection = http_connect(&server);
    wire_send(connection, "POST /backup HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    wire_read_head(connection, &answer);
    ck_assert_int_eq(answer.status, 200);
    *ret_size = strtoull(wire_header(&answer, "Content-Length"), NULL, 10);
    return connection;
}

static void expect_busy(void)
{
    struct http_answer refused = back_up(503);
    expect_problem(&refused, 503, "overloaded");
    ck_assert_ptr_nonnull(strstr(member_string(refused.json, "detail"), "copy"));
    ck_assert_str_eq(http_header(&refused, "retry-after"), "1");
    ck_assert_ptr_null(http_header(&refused, "content-disposition"));
    http_answer_finish(&refused);
}

START_TEST(writes_go_on_while_the_one_copy_is_read)
{
    size_t size;
    put_large_dataset();
    const int connection = begin_unread(&size);
    ck_assert(descriptors_have(&server, ".copy (deleted)"));
    expect_busy();
    create_plain_model(&server, "later");
    char *bytes = malloc(size);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(wire_read_bytes(connection, bytes, size), size);
    close(connection);
    write_copy(bytes, size);
    free(bytes);
    expect_version("/models/later", 1);
    restore_copy();
    json_decref(http_get(&server, "/datasets/large"));
    expect_refused("GET", "/models/later", NULL, 404, "model_not_found", NULL);
}
END_TEST

/* Until no other copy is there. */
static struct http_answer await_turn(void)
{
    for (int waited = 0;; waited++) {
        struct http_answer answer = http_send(&server, "POST", "/backup", NULL, NULL);
        if (answer.status != 503)
            return answer;
        http_answer_finish(&answer);
        ck_assert_int_lt(waited, service_patience());
        poll(NULL, 0, 1);
    }
}

START_TEST(a_client_that_leaves_makes_room_for_the_next_copy)
{
    size_t size;
    put_large_dataset();
    close(begin_unread(&size));
    struct http_answer next = await_turn();
    ck_assert_int_eq(next.status, 200);
    ck_assert_uint_eq(next.size, size);
    http_answer_finish(&next);
}
END_TEST

/* What remained beside the database would be found at the end of the test, too. */
START_TEST(a_copy_without_room_is_told_and_leaves_nothing)
{
    char left[SERVICE_PATH + 8];
    put_large_dataset();
    service_limit_files(&server, 1000000);
    struct http_answer full = back_up(507);
    expect_problem(&full, 507, "store_full");
    http_answer_finish(&full);
    snprintf(left, sizeof left, "%s.copy", server.database);
    ck_assert_int_eq(access(left, F_OK), -1);
    service_limit_files(&server, RLIM_INFINITY);
    struct http_answer next = back_up(200);
    http_answer_finish(&next);
}
END_TEST

/* A copy of it takes a while. */
static void put_huge_dataset(void)
{
    enum { SIZE = 200000000 };
    uint8_t *zeros = calloc(1, SIZE);
    struct bytes plain = npy_of("|u1", "(200, 1000000)", zeros, SIZE);
    free(zeros);
    json_decref(put_file(&server, "/datasets/huge/x", bytes_gzipped(&plain)));
    bytes_finish(&plain);
}

/* Stops the server as soon as a copy is being made. Whether it was not whole by then. */
static bool stop_within_copy(void)
{
    static struct wire_answer answer;
    char name[SERVICE_PATH + 8];
    snprintf(name, sizeof name, "%s.copy", server.database);
    const int connection = http_connect(&server);
    wire_send(connection, "POST /backup HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
    struct pollfd answered = {.fd = connection, .events = POLLIN};
    while (access(name, F_OK) != 0 && poll(&answered, 1, 0) == 0)
        ;
    ck_assert_int_eq(kill(server.pid, SIGTERM), 0);
    wire_read_head(connection, &answer);
    close(connection);
    const int status = service_wait(&server);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ck_assert_int_eq(access(name, F_OK), -1);
    ck_assert(answer.status == 200 || answer.status == 503);
    ck_assert_ptr_nonnull(strstr(answer.text, "Connection: close"));
    return answer.status == 503;
}

START_TEST(a_stop_ends_a_copy_that_is_being_made)
{
    enum { TRIES = 5 }; /* on a busy machine this test may be too late */
    int tries = 0;
    put_huge_dataset();
    while (!stop_within_copy()) {
        ck_assert_int_lt(++tries, TRIES);
        service_restart(&server);
    }
    service_restart(&server);
    json_decref(http_get(&server, "/datasets/huge"));
}
END_TEST

START_TEST(what_a_crash_has_left_of_a_copy_is_removed_at_the_start)
{
    char left[SERVICE_PATH + 8];
    snprintf(left, sizeof left, "%s.copy", server.database);
    service_kill(&server);
    FILE *file = fopen(left, "w");
    ck_assert_ptr_nonnull(file);
    fputs("SQLite format 3", file);
    ck_assert_int_eq(fclose(file), 0);
    service_restart(&server);
    ck_assert_int_eq(access(left, F_OK), -1);
}
END_TEST

/* --- keys --- */

enum { KEY_TEXT = 128 };

/* Makes a key, whose header it writes, and adds its line to the file. */
static void make_key(FILE *file, const char *role, char *ret_header)
{
    const struct program_result made = program_run(NULL, FLAGS("new-key", role, role));
    ck_assert_msg(made.status == 0, "%s", made.error);
    snprintf(ret_header, KEY_TEXT, "Authorization: Bearer %.*s", (int)strcspn(made.error, "\n"),
             made.error);
    fputs(made.out, file);
}

START_TEST(only_an_admin_may_have_a_copy)
{
    char path[SERVICE_PATH], writer[KEY_TEXT], admin[KEY_TEXT];
    program_directory_create();
    snprintf(path, sizeof path, "%s/keys", program_directory);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    make_key(file, "read-write", writer);
    make_key(file, "admin", admin);
    ck_assert_int_eq(fclose(file), 0);
    fixture_start(FLAGS("--api-key-file", path));
    struct http_answer refused = http_send(&server, "POST", "/backup", NULL, writer, NULL);
    expect_problem(&refused, 403, "forbidden");
    http_answer_finish(&refused);
    struct http_answer copy = http_send(&server, "POST", "/backup", NULL, admin, NULL);
    ck_assert_int_eq(copy.status, 200);
    ck_assert_int_eq(memcmp(copy.body, "SQLite format 3", 16), 0);
    http_answer_finish(&copy);
    program_directory_remove();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("backup");
    TCase *tests = fixture_case(suite, "backup", start);
    tcase_add_test(tests, a_copy_is_whole_and_predicts_the_same_once_it_is_restored);
    tcase_add_test(tests, writes_go_on_while_the_one_copy_is_read);
    tcase_add_test(tests, a_client_that_leaves_makes_room_for_the_next_copy);
    tcase_add_test(tests, a_copy_without_room_is_told_and_leaves_nothing);
    tcase_add_test(tests, a_stop_ends_a_copy_that_is_being_made);
    tcase_add_test(tests, what_a_crash_has_left_of_a_copy_is_removed_at_the_start);
    tcase_add_test(tests, only_an_admin_may_have_a_copy);
    return suite_run(suite);
}
