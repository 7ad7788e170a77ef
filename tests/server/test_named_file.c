/* Files that a person names: regular ones, of a bounded size, opened without waiting. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/named_file.h"
#include "tests/support/program.h"
#include "tests/support/suite.h"

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", program_directory, name);
    return path;
}

static void expect_refusal(const char *path, int flags, int error)
{
    errno = EBADF;
    ck_assert_int_eq(named_file_open(path, flags, 100), -1);
    ck_assert_int_eq(errno, error);
}

START_TEST(a_regular_file_up_to_its_bound_is_opened)
{
    const int file = named_file_open(path_of("new"), O_RDWR | O_CREAT, 100);
    struct stat about;
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(fstat(file, &about), 0);
    ck_assert_uint_eq(about.st_mode & 0777, 0600);
    ck_assert_int_eq(ftruncate(file, 100), 0);
    const int again = named_file_open(path_of("new"), O_RDONLY, 100);
    ck_assert_int_ge(again, 0);
    ck_assert_int_ne(fcntl(again, F_GETFD) & FD_CLOEXEC, 0);
    close(again);
    ck_assert_int_eq(ftruncate(file, 101), 0);
    expect_refusal(path_of("new"), O_RDONLY, EFBIG);
    close(file);
}
END_TEST

START_TEST(what_is_no_regular_file_is_refused_at_once)
{
    ck_assert_int_eq(mkfifo(path_of("pipe"), 0600), 0);
    expect_refusal(path_of("pipe"), O_RDONLY, 0);
    expect_refusal(path_of("pipe"), O_RDWR, 0);
    expect_refusal("/dev/zero", O_RDONLY, 0);
    expect_refusal("/dev/null", O_RDWR | O_CREAT, 0);
    expect_refusal(program_directory, O_RDONLY, EISDIR);
    expect_refusal(path_of("nowhere"), O_RDONLY, ENOENT);
    ck_assert_str_eq(named_file_error(0), "it is not a regular file");
    ck_assert_str_eq(named_file_error(ENOENT), "No such file or directory");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("named files");
    TCase *tests =
        suite_case(suite, "named files", program_directory_create, program_directory_remove, 30);
    tcase_add_test(tests, a_regular_file_up_to_its_bound_is_opened);
    tcase_add_test(tests, what_is_no_regular_file_is_refused_at_once);
    return suite_run(suite);
}
