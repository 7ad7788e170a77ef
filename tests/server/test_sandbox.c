/* What a confined process can still do, and what it can't: in this process, and in the server. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "server/sandbox.h"
#include "tests/support/client.h"
#include "tests/support/program.h"
#include "tests/support/suite.h"

static bool has_landlock; /* asked before the process is confined */

static const char *all_that_holds(void)
{
    return has_landlock ? "seccomp, landlock" : "seccomp";
}

/* Sanitizers do at the end of a process what a sandbox does not let them. */
#ifdef TEMPOTROND_SANDBOX
enum { IS_TESTED = 0 };
#else
enum { IS_TESTED = 1 };
#endif

/* --- this process --- */

#define KEYS "a admin sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\n"

static void write_keys(const char *path)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(KEYS, file);
    ck_assert_int_eq(fclose(file), 0);
}

static void confine(void)
{
    const struct sandbox_file files[] = {{"data/new.db", true}, {"keys/k", false}, {NULL, false}};
    ck_assert_str_eq(sandbox_enter(files, 3), all_that_holds());
}

static void expect_errno(long result, int expected, const char *what)
{
    ck_assert_msg(result < 0 && errno == expected, "%s: %ld, errno %d", what, result, errno);
}

START_TEST(calls_that_serving_does_not_need_fail)
{
    char *const words[] = {(char *)(uintptr_t) "true", NULL};
    confine();
    expect_errno(fork(), EPERM, "fork");
    expect_errno(vfork(), EPERM, "vfork");
    expect_errno(execv("/bin/true", words), EPERM, "execve");
    expect_errno(socket(AF_INET, SOCK_STREAM, 0), EPERM, "socket");
    expect_errno(syscall(SYS_connect, 0, NULL, 0), EPERM, "connect");
    expect_errno(syscall(SYS_bind, 0, NULL, 0), EPERM, "bind");
    expect_errno(syscall(SYS_ptrace, 0, getppid(), 0, 0), EPERM, "ptrace");
    expect_errno(process_vm_readv(getppid(), NULL, 0, NULL, 0, 0), EPERM, "process_vm_readv");
    expect_errno(kill(getppid(), 0), EPERM, "kill");
    expect_errno(syscall(SYS_tgkill, getppid(), getppid(), 0), EPERM, "tgkill");
    expect_errno(chmod("data", 0777), EPERM, "chmod");
    expect_errno(mkdir("data/more", 0700), EPERM, "mkdir");
    expect_errno(link("keys/k", "data/k"), EPERM, "link");
    expect_errno(symlink("/etc", "data/etc"), EPERM, "symlink");
    expect_errno(syscall(SYS_io_uring_setup, 1, NULL), EPERM, "io_uring_setup");
    expect_errno(syscall(SYS_bpf, 0, NULL, 0), EPERM, "bpf");
    expect_errno(syscall(SYS_memfd_create, "x", 0), EPERM, "memfd_create");
    expect_errno(syscall(SYS_unshare, 0), EPERM, "unshare");
    expect_errno(syscall(SYS_setuid, 0), EPERM, "setuid");
}
END_TEST

START_TEST(memory_does_not_become_executable)
{
    confine();
    void *const plain =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(plain, MAP_FAILED);
    expect_errno(mprotect(plain, 4096, PROT_READ | PROT_EXEC), EPERM, "mprotect");
    ck_assert_ptr_eq(
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
        MAP_FAILED);
    ck_assert_int_eq(errno, EPERM);
}
END_TEST

START_TEST(files_elsewhere_can_not_be_opened)
{
    confine();
    if (!has_landlock)
        return;
    expect_errno(open("elsewhere", O_RDONLY), EACCES, "to read elsewhere");
    expect_errno(open("elsewhere", O_WRONLY), EACCES, "to write elsewhere");
    expect_errno(open("other", O_WRONLY | O_CREAT, 0600), EACCES, "a new one elsewhere");
    expect_errno(open("/etc/passwd", O_RDONLY), EACCES, "/etc/passwd");
    expect_errno(open("/proc/self/maps", O_RDONLY), EACCES, "/proc/self/maps");
    expect_errno(open("keys/k", O_WRONLY), EACCES, "to write a key");
    expect_errno(open("keys/other", O_WRONLY | O_CREAT, 0600), EACCES, "a new key");
    expect_errno(unlink("keys/k"), EACCES, "to remove a key");
    expect_errno(unlink("elsewhere"), EACCES, "to remove elsewhere");
    expect_errno(rename("keys/k", "data/k"), EACCES, "to move a key");
}
END_TEST

static void expect_open(const char *path, int flags)
{
    const int file = open(path, flags, 0600);
    ck_assert_msg(file >= 0, "%s: %s", path, strerror(errno));
    close(file);
}

static void *do_nothing(void *argument)
{
    return argument;
}

START_TEST(what_serving_needs_goes_on)
{
    pthread_t thread;
    void *result;
    int token;
    confine();
    expect_open("keys/k", O_RDONLY);
    expect_open("data/new.db", O_RDWR | O_CREAT);
    expect_open("data/new.db", O_RDWR | O_TRUNC);
    expect_open("data", O_TMPFILE | O_RDWR);
    expect_open("data", O_RDONLY | O_DIRECTORY);
    expect_open("/dev/urandom", O_RDONLY);
    ck_assert_int_eq(unlink("data/new.db"), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, do_nothing, &token), 0);
    ck_assert_int_eq(pthread_join(thread, &result), 0);
    ck_assert_ptr_eq(result, &token);
}
END_TEST

/* Two directories: "data", which may be written, and "keys", which may be read. The process that
 * makes them is not that of the tests, which could not remove them. */
static int start; /* the directory that the tests are started in */

static void make_directories(void)
{
    program_directory_create();
    start = open(".", O_PATH | O_CLOEXEC);
    ck_assert_int_ge(start, 0);
    ck_assert_int_eq(chdir(program_directory), 0);
    ck_assert_int_eq(mkdir("data", 0700), 0);
    ck_assert_int_eq(mkdir("keys", 0700), 0);
    write_keys("keys/k");
    write_keys("elsewhere");
}

static void remove_directories(void)
{
    ck_assert_int_eq(unlink("keys/k"), 0);
    ck_assert_int_eq(fchdir(start), 0);
    close(start);
    program_directory_remove();
}

/* --- the server --- */

static struct service service;

static int count_confined_threads(int *ret_all)
{
    char path[300], text[4096];
    int confined = 0, all = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)service.pid);
    DIR *tasks = opendir(path);
    ck_assert_ptr_nonnull(tasks);
    for (const struct dirent *task; (task = readdir(tasks)) != NULL;) {
        if (*task->d_name == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/status", (int)service.pid, task->d_name);
        FILE *file = fopen(path, "r");
        ck_assert_ptr_nonnull(file);
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        fclose(file);
        all++;
        confined +=
            strstr(text, "\nSeccomp:\t2\n") != NULL && strstr(text, "\nNoNewPrivs:\t1\n") != NULL;
    }
    closedir(tasks);
    *ret_all = all;
    return confined;
}

START_TEST(every_thread_of_the_server_is_confined_and_it_says_so)
{
    char text[64];
    int all;
    service_start(&service, NULL);
    snprintf(text, sizeof text, " (sandbox: %s) ready on ", all_that_holds());
    service_await_log(&service, text);
    ck_assert_int_eq(count_confined_threads(&all), all);
    ck_assert_int_gt(all, 4);
    service_finish(&service);
}
END_TEST

START_TEST(a_server_without_a_sandbox_says_so)
{
    int all;
    service_start(&service, FLAGS("--sandbox", "off"));
    service_await_log(&service, " (sandbox: off) ready on ");
    ck_assert_int_eq(count_confined_threads(&all), 0);
    service_finish(&service);
}
END_TEST

/* The key file is replaced by another in its directory, and then by a link that leads out of it. */
START_TEST(a_reload_reads_the_directory_of_the_keys_only)
{
    char keys[128], away[128];
    snprintf(keys, sizeof keys, "%s/keys", program_directory);
    snprintf(away, sizeof away, "%s.away", program_directory);
    write_keys(keys);
    write_keys(away);
    service_start(&service, FLAGS("--api-key-file", keys));
    ck_assert_int_eq(unlink(keys), 0);
    write_keys(keys);
    ck_assert_int_eq(kill(service.pid, SIGHUP), 0);
    service_await_log(&service, " reload=done\n");
    ck_assert_int_eq(unlink(keys), 0);
    ck_assert_int_eq(symlink(away, keys), 0);
    ck_assert_int_eq(kill(service.pid, SIGHUP), 0);
    service_await_log(&service, "reload=");
    if (has_landlock)
        service_await_log(&service, "/keys: Permission denied\"\n");
    service_finish(&service);
    ck_assert_int_eq(unlink(away), 0);
}
END_TEST

START_TEST(a_database_behind_a_link_is_served)
{
    char link_path[128], directory[128], target[160], lock[192];
    snprintf(directory, sizeof directory, "%s/real", program_directory);
    ck_assert_int_eq(mkdir(directory, 0700), 0);
    snprintf(target, sizeof target, "%s/x.db", directory);
    snprintf(link_path, sizeof link_path, "%s/x.db", program_directory);
    const int file = creat(target, 0600);
    ck_assert_int_ge(file, 0);
    close(file);
    ck_assert_int_eq(symlink(target, link_path), 0);
    service_start(&service, FLAGS("--db", link_path));
    create_plain_model(&service, "m");
    service_stop(&service);
    ck_assert_int_eq(unlink(target), 0);
    snprintf(lock, sizeof lock, "%s.lock", target);
    unlink(lock);
    ck_assert_int_eq(rmdir(directory), 0);
    service_finish(&service);
}
END_TEST

int main(void)
{
    has_landlock =
        syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
    Suite *suite = suite_create("sandbox");
    TCase *here = suite_case(suite, "this process", NULL, NULL, 10);
    tcase_add_unchecked_fixture(here, make_directories, remove_directories);
    TCase *served = suite_case(suite, "the server", program_directory_create,
                               program_directory_remove, 2 * SERVICE_SECONDS);
    tcase_add_test(served, a_server_without_a_sandbox_says_so);
    if (IS_TESTED) {
        tcase_add_test(here, calls_that_serving_does_not_need_fail);
        tcase_add_test(here, memory_does_not_become_executable);
        tcase_add_test(here, files_elsewhere_can_not_be_opened);
        tcase_add_test(here, what_serving_needs_goes_on);
        tcase_add_test(served, every_thread_of_the_server_is_confined_and_it_says_so);
        tcase_add_test(served, a_reload_reads_the_directory_of_the_keys_only);
        tcase_add_test(served, a_database_behind_a_link_is_served);
    }
    return suite_run(suite);
}
