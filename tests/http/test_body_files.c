/* The files that uploads go to: without a name, on any file system, and given back however the
 * upload ends. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/support/arrays.h"
#include "tests/support/client.h"
#include "tests/support/datasets.h"
#include "tests/support/descriptors.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/suite.h"
#include "tests/support/wire.h"

/* --- a file system without O_TMPFILE --- */

/* This process, and those that it starts, are told this error in place of a file without a name. */
static void refuse_nameless_files(int error)
{
    const unsigned flag = O_TMPFILE & ~O_DIRECTORY;
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_openat, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, flag, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = {sizeof program / sizeof *program, program};
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
    ck_assert_int_eq(open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), -1);
    ck_assert_int_eq(errno, error);
}

/* Sends all of a table except its last byte. */
static int begin_table(const char *table)
{
    const int connection = http_connect(&server);
    wire_begin(connection,
               "PUT /datasets/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
               "Content-Type: text/csv\r\n",
               table);
    return connection;
}

static const char table[] = "a,b\n1,2\n3,4\n";

START_TEST(without_nameless_files_a_body_has_a_name_for_a_moment)
{
    static const int errors[] = {EOPNOTSUPP, EISDIR, EINVAL};
    refuse_nameless_files(errors[_i]);
    datasets_start();
    const struct descriptors before = descriptors_count(&server);
    const struct descriptors during = {before.sockets + 1, before.nameless + 1};
    const int connection = begin_table(table);
    descriptors_await(&server, &during);
    ck_assert(descriptors_have(&server, "/tempotrond-"));
    expect_arrays(&server, 0); /* and no file */
    ck_assert_int_eq(wire_end(connection, table), 201);
    descriptors_await(&server, &before);
    expect_arrays(&server, 1);
}
END_TEST

START_TEST(a_body_that_no_file_can_be_made_for_is_told_why)
{
    refuse_nameless_files(ENFILE);
    datasets_start();
    const struct bytes file = {(unsigned char *)(uintptr_t)table, strlen(table), 0};
    struct http_answer answer = put_bytes(&server, "/datasets/a", &file);
    expect_problem(&answer, 503, "store_unavailable");
    ck_assert_ptr_nonnull(strstr(answer.body, strerror(ENFILE)));
    http_answer_finish(&answer);
    http_await_readiness(&server, 200); /* the database can be written to */
    expect_arrays(&server, 0);
}
END_TEST

/* --- how uploads end --- */

static void expect_status(const char *path, struct bytes file, long status)
{
    struct http_answer answer = put_bytes(&server, path, &file);
    ck_assert_msg(answer.status == status, "%s: %ld %s", path, answer.status, answer.body);
    http_answer_finish(&answer);
    bytes_finish(&file);
}

/* One of each end: published, wrong, too large, without room, cut off. */
static void upload_once(void)
{
    enum { SIZE = 1100000, SMALL = 100000 };
    uint8_t *zeros = calloc(1, SIZE);
    put_x(&server, "/datasets/a/x", "|u1");
    expect_status("/datasets/a/x", bytes_of("nothing known", 13), 415);
    expect_status("/datasets/a/x", npy_of("|u1", "(11, 100000)", zeros, SIZE), 413);
    service_limit_files(&server, SMALL / 2);
    expect_status("/datasets/a/x", npy_of("|u1", "(1, 100000)", zeros, SMALL), 507);
    service_limit_files(&server, RLIM_INFINITY);
    close(begin_table(table));
    free(zeros);
}

/* Nothing of it has reached the database, which can't be written to either. */
START_TEST(a_body_without_room_on_the_disk_makes_the_server_unready)
{
    service_limit_files(&server, 1);
    expect_status("/datasets/a", bytes_of(table, strlen(table)), 507);
    struct http_answer answer = http_send(&server, "GET", "/health/ready", NULL, NULL);
    expect_problem(&answer, 503, "store_unavailable");
    http_answer_finish(&answer);
    service_limit_files(&server, RLIM_INFINITY);
    http_await_readiness(&server, 200);
}
END_TEST

START_TEST(uploads_give_their_descriptors_back_however_they_end)
{
    enum { TIMES = 20 };
    const struct descriptors before = descriptors_count(&server);
    for (int i = 0; i < TIMES; i++)
        upload_once();
    descriptors_await(&server, &before);
    expect_arrays(&server, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("body files");
    TCase *tests = fixture_case(suite, "files", datasets_start);
    tcase_add_loop_test(tests, without_nameless_files_a_body_has_a_name_for_a_moment, 0, 3);
    tcase_add_test(tests, a_body_that_no_file_can_be_made_for_is_told_why);
    tcase_add_test(tests, a_body_without_room_on_the_disk_makes_the_server_unready);
    tcase_add_test(tests, uploads_give_their_descriptors_back_however_they_end);
    return suite_run(suite);
}
