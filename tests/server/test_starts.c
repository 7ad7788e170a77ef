/* Starts that fail, each told in one line, and what a start inherits: signals and streams. */
#include <check.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "tests/support/http.h"
#include "tests/support/program.h"
#include "tests/support/service.h"
#include "tests/support/suite.h"
#include "tests/support/wire.h"

/* --- starts that fail --- */

static void run_sql(const char *sql)
{
    char path[128];
    sqlite3 *database;
    snprintf(path, sizeof path, "%s/x.db", program_directory);
    ck_assert_int_eq(sqlite3_open(path, &database), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(database), SQLITE_OK);
}

static struct program_result start_on(const char *database)
{
    return program_run(program_directory, FLAGS("--listen", "127.0.0.1:0", "--db", database));
}

START_TEST(a_database_in_a_missing_directory_is_told)
{
    const struct program_result result = start_on("nowhere/x.db");
    expect_program_failure(&result, "nowhere/x.db: No such file or directory");
}
END_TEST

START_TEST(a_directory_in_place_of_the_database_is_told)
{
    const struct program_result result = start_on(".");
    expect_program_failure(&result, ".: Is a directory");
}
END_TEST

/* Whether a program waits for one of these shows only in that it ends. */
START_TEST(a_pipe_or_a_device_in_place_of_the_database_is_told)
{
    char path[128];
    snprintf(path, sizeof path, "%s/x.db", program_directory);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    const struct program_result pipe = start_on("x.db"), device = start_on("/dev/zero");
    expect_program_failure(&pipe, "x.db: it is not a regular file");
    expect_program_failure(&device, "/dev/zero: it is not a regular file");
}
END_TEST

START_TEST(another_programs_database_is_refused_and_left_as_it_is)
{
    run_sql("CREATE TABLE notes (text)");
    const struct program_result result = start_on("x.db");
    expect_program_failure(&result, "x.db: it is not a database of tempotrond");
    run_sql("INSERT INTO notes VALUES ('still here')");
}
END_TEST

START_TEST(a_newer_database_is_refused)
{
    run_sql("PRAGMA application_id = 0x746d7074; PRAGMA user_version = 1000");
    const struct program_result result = start_on("x.db");
    expect_program_failure(&result, "x.db: it was made by a newer tempotrond");
}
END_TEST

START_TEST(a_file_that_is_not_a_database_is_refused)
{
    char path[128];
    snprintf(path, sizeof path, "%s/x.db", program_directory);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    for (int i = 0; i < 1000; i++)
        fputs("not a database ", file);
    fclose(file);
    const struct program_result result = start_on("x.db");
    expect_program_failure(&result, "x.db: it is damaged, or not a database");
}
END_TEST

START_TEST(a_database_that_another_server_uses_is_refused)
{
    char line[256];
    struct service service;
    service_start(&service, NULL);
    const struct program_result result = start_on(service.database);
    snprintf(line, sizeof line, "%s: another tempotrond uses it", service.database);
    expect_program_failure(&result, line);
    service_finish(&service);
}
END_TEST

/* The user without rights, whom a start in a directory that can't be written to names. */
static unsigned poor_user(void)
{
    return geteuid() == 0 ? 65534 : (unsigned)geteuid();
}

static void expect_no_access(void)
{
    char line[256];
    ck_assert_int_eq(chmod(program_directory, 0555), 0);
    const struct program_result result = program_run_without_rights(
        program_directory, FLAGS("--listen", "127.0.0.1:0", "--db", "x.db"));
    snprintf(line, sizeof line,
             "x.db: permission denied: user %u needs write access to it and its directory",
             poor_user());
    expect_program_failure(&result, line);
    ck_assert_int_eq(chmod(program_directory, 0755), 0);
}

START_TEST(a_database_without_write_access_is_told_with_the_user)
{
    expect_no_access();
}
END_TEST

/* The files may be written, but SQLite also makes one beside them. */
START_TEST(a_directory_without_write_access_is_told_with_the_user)
{
    static const char *const names[] = {"x.db", "x.db.lock", NULL};
    char path[128];
    for (int i = 0; names[i] != NULL; i++) {
        snprintf(path, sizeof path, "%s/%s", program_directory, names[i]);
        const int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        ck_assert_int_ge(file, 0);
        ck_assert_int_eq(fchown(file, poor_user(), (gid_t)-1), 0);
        close(file);
    }
    expect_no_access();
}
END_TEST

START_TEST(a_port_that_is_taken_is_told)
{
    char line[256];
    struct service service;
    service_start(&service, NULL);
    const struct program_result result =
        program_run(program_directory, FLAGS("--listen", service.address, "--db", "x.db"));
    snprintf(line, sizeof line, "%s: can't listen there: Address already in use", service.address);
    expect_program_failure(&result, line);
    service_finish(&service);
}
END_TEST

START_TEST(an_address_of_another_machine_and_an_unknown_name_are_told)
{
    const struct program_result elsewhere =
        program_run(program_directory, FLAGS("--listen", "192.0.2.1:0", "--db", "x.db"));
    expect_program_failure(&elsewhere,
                           "192.0.2.1:0: can't listen there: Cannot assign requested address");
    const struct program_result nowhere =
        program_run(program_directory, FLAGS("--listen", "name.invalid:0", "--db", "x.db"));
    ck_assert_int_eq(nowhere.status, 1);
    ck_assert_int_eq(strncmp(nowhere.error, "tempotrond: name.invalid:0: can't listen there: ", 48),
                     0);
    ck_assert_ptr_eq(strchr(nowhere.error, '\n'), strrchr(nowhere.error, '\n'));
}
END_TEST

START_TEST(too_few_descriptors_are_told)
{
    const struct rlimit files = {40, 40};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &files), 0);
    const struct program_result result = start_on("x.db");
    expect_program_failure(&result, "127.0.0.1:0: the limit of open files is too low (ulimit -n)");
}
END_TEST

/* --- inherited signals and streams --- */

/* The mask of "SigBlk:" or "SigIgn:" of the server. */
static bool has_signal(const struct service *service, const char *line, int number)
{
    char path[64], text[4096];
    unsigned long long mask;
    snprintf(path, sizeof path, "/proc/%d/status", (int)service->pid);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    const char *found = strstr(text, line);
    ck_assert(found != NULL && sscanf(found + strlen(line), "%llx", &mask) == 1);
    return (mask >> (number - 1) & 1) != 0;
}

static const int awaited[] = {SIGTERM, SIGINT, SIGHUP};
enum { STOPPING = 2 /* the first of them */ };

START_TEST(each_of_two_signals_stops_the_server)
{
    struct service service;
    service_start(&service, NULL);
    ck_assert_int_eq(kill(service.pid, awaited[_i]), 0);
    const int status = service_wait(&service);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    service_finish(&service);
}
END_TEST

START_TEST(a_hangup_does_not_stop_the_server)
{
    struct service service;
    service_start(&service, NULL);
    ck_assert_int_eq(kill(service.pid, SIGHUP), 0);
    service_await_log(&service, " reload=nothing\n");
    http_await_readiness(&service, 200);
    service_finish(&service);
}
END_TEST

START_TEST(a_signal_that_was_ignored_stays_ignored)
{
    const int ignored = awaited[_i], other = awaited[ignored == SIGTERM];
    struct service service;
    signal(ignored, SIG_IGN);
    service_start(&service, NULL);
    signal(ignored, SIG_DFL);
    ck_assert(has_signal(&service, "SigIgn:", ignored));
    ck_assert(!has_signal(&service, "SigBlk:", ignored));
    ck_assert_int_eq(kill(service.pid, ignored), 0);
    http_await_readiness(&service, 200);
    ck_assert_int_eq(kill(service.pid, other), 0);
    const int status = service_wait(&service);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    service_finish(&service);
}
END_TEST

/* A request that has not wholly arrived would hold up the stop for an hour. */
START_TEST(a_second_signal_ends_it_at_once)
{
    struct service service;
    service_start(&service, FLAGS("--drain-timeout", "3600", "--request-timeout", "3600"));
    const int connection = http_connect(&service);
    wire_send(connection, "POST /encode HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                          "Content-Length: 10\r\n\r\n");
    static struct wire_answer answer;
    wire_read_head(connection, &answer);
    ck_assert_int_eq(answer.status, 100);
    ck_assert_int_eq(kill(service.pid, SIGTERM), 0);
    service_await_log(&service, "tempotrond stopping"); /* before it, none is blocked */
    while (has_signal(&service, "SigBlk:", SIGTERM))
        poll(NULL, 0, 1);
    ck_assert_int_eq(kill(service.pid, awaited[_i]), 0);
    const int status = service_wait(&service);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == awaited[_i]);
    close(connection);
    service_finish(&service);
}
END_TEST

START_TEST(a_blocked_signal_still_stops_the_server)
{
    sigset_t all, before;
    struct service service;
    sigfillset(&all);
    ck_assert_int_eq(sigprocmask(SIG_SETMASK, &all, &before), 0);
    service_start(&service, NULL);
    ck_assert_int_eq(sigprocmask(SIG_SETMASK, &before, NULL), 0);
    ck_assert(!has_signal(&service, "SigBlk:", SIGQUIT));
    service_stop(&service);
    service_finish(&service);
}
END_TEST

/* A free port, which nothing else takes in the next moments. */
static unsigned free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(probe, (const struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(getsockname(probe, (struct sockaddr *)&address, &size), 0);
    close(probe);
    return ntohs(address.sin_port);
}

/* Without its streams it has nowhere to say that it is ready: so it is asked again and again. */
START_TEST(closed_streams_do_not_become_files_of_the_service)
{
    char listen[64], path[128];
    struct stat lock;
    int connection = -1;
    const char *program = getenv("TEMPOTROND");
    const unsigned port = free_port();
    snprintf(listen, sizeof listen, "127.0.0.1:%u", port);
    snprintf(path, sizeof path, "%s/x.db", program_directory);
    const pid_t server = fork();
    ck_assert_int_ge(server, 0);
    if (server == 0) {
        close(STDIN_FILENO);
        close(STDOUT_FILENO);
        close(STDERR_FILENO);
        execl(program != NULL ? program : "build/tempotrond", "tempotrond", "--listen", listen,
              "--db", path, NULL);
        _exit(127);
    }
    while (connection < 0)
        connection = wire_connect(false, port);
    ck_assert_int_eq(wire_ask(connection, "/models"), 200);
    ck_assert_int_eq(wire_ask(connection, "/models"), 200);
    close(connection);
    ck_assert_int_eq(kill(server, SIGTERM), 0);
    int status;
    ck_assert_int_eq(waitpid(server, &status, 0), server);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    strcat(path, ".lock");
    ck_assert_int_eq(stat(path, &lock), 0);
    ck_assert_int_eq(lock.st_size, 0);
}
END_TEST

/* A program that counts its lines says at its end that this user can't write the counts. */
#ifdef COUNTS_LINES
enum { IS_QUIET = false };
#else
enum { IS_QUIET = true };
#endif

int main(void)
{
    Suite *suite = suite_create("starts");
    TCase *tests = suite_case(suite, "command line", program_directory_create,
                              program_directory_remove, 2 * SERVICE_SECONDS);
    tcase_add_test(tests, a_database_in_a_missing_directory_is_told);
    tcase_add_test(tests, a_directory_in_place_of_the_database_is_told);
    tcase_add_test(tests, a_pipe_or_a_device_in_place_of_the_database_is_told);
    tcase_add_test(tests, another_programs_database_is_refused_and_left_as_it_is);
    tcase_add_test(tests, a_newer_database_is_refused);
    tcase_add_test(tests, a_file_that_is_not_a_database_is_refused);
    tcase_add_test(tests, a_database_that_another_server_uses_is_refused);
    tcase_add_loop_test(tests, a_database_without_write_access_is_told_with_the_user, 0, IS_QUIET);
    tcase_add_loop_test(tests, a_directory_without_write_access_is_told_with_the_user, 0, IS_QUIET);
    tcase_add_test(tests, a_port_that_is_taken_is_told);
    tcase_add_test(tests, an_address_of_another_machine_and_an_unknown_name_are_told);
    tcase_add_test(tests, too_few_descriptors_are_told);
    tcase_add_loop_test(tests, each_of_two_signals_stops_the_server, 0, STOPPING);
    tcase_add_test(tests, a_hangup_does_not_stop_the_server);
    tcase_add_loop_test(tests, a_second_signal_ends_it_at_once, 0, STOPPING);
    tcase_add_loop_test(tests, a_signal_that_was_ignored_stays_ignored, 0, ROWS(awaited));
    tcase_add_test(tests, a_blocked_signal_still_stops_the_server);
    tcase_add_test(tests, closed_streams_do_not_become_files_of_the_service);
    return suite_run(suite);
}
