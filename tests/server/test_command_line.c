/* The program as a command: its help, wrong options, starts that fail, and how the environment, the
 * signals and the streams that it inherits change it. */
#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/client.h"
#include "tests/support/http.h"
#include "tests/support/program.h"
#include "tests/support/service.h"
#include "tests/support/suite.h"
#include "tests/support/wire.h"

static char directory[64];

static void make_directory(void)
{
    strcpy(directory, "/tmp/tempotrond-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(chmod(directory, 0755), 0);
}

/* Removes what is in it; returns how much that was. */
static int empty_directory(void)
{
    char path[512];
    int count = 0;
    DIR *files = opendir(directory);
    ck_assert_ptr_nonnull(files);
    for (const struct dirent *file; (file = readdir(files)) != NULL;) {
        if (strcmp(file->d_name, ".") == 0 || strcmp(file->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", directory, file->d_name);
        ck_assert_int_eq(remove(path), 0);
        count++;
    }
    closedir(files);
    return count;
}

static void remove_directory(void)
{
    empty_directory();
    ck_assert_int_eq(rmdir(directory), 0);
}

/* --- texts --- */

START_TEST(the_help_names_every_option_and_its_default)
{
    static const char *const parts[] = {
        "\nusage: tempotrond [--OPTION VALUE]...\n",
        "\n  --listen ADDRESS:PORT      ",
        "(127.0.0.1:8080)",
        "\n  --hosts NAMES              ",
        "\n  --db FILE                  ",
        "(./tempotron.db)",
        "\n  --connections N            ",
        "(4096)",
        "\n  --max-body SIZE            ",
        "(64M)",
        "\n  --max-bodies SIZE          ",
        "(512M)",
        "\n  --max-dataset SIZE         ",
        "(1G)",
        "\n  --model-cache SIZE         ",
        "(256M)",
        "\n  --request-timeout SECONDS  ",
        "(60)",
        "\n  --drain-timeout SECONDS    ",
        "(25)",
        "\n  --workers N                ",
        "\n  --threads N                ",
        "\n  --log WHAT                 ",
        "\n  --healthcheck              ",
        "\n  --help, --version\n",
        "TEMPOTROND_MAX_BODY",
    };
    static const char *const flags[] = {"--help", "-h"};
    const struct program_result result = program_run(directory, FLAGS(flags[_i]));
    ck_assert_int_eq(result.status, 0);
    ck_assert_str_eq(result.error, "");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        ck_assert_msg(strstr(result.out, parts[i]) != NULL, "%s is not in %s", parts[i],
                      result.out);
    for (const char *line = result.out; *line != '\0'; line += strcspn(line, "\n") + 1)
        ck_assert_msg(strcspn(line, "\n") <= 86, "too long: %s", line);
    ck_assert_int_eq(empty_directory(), 0);
}
END_TEST

START_TEST(the_help_comes_whatever_else_is_wrong)
{
    setenv("TEMPOTROND_WORKERS", "none", 1);
    const struct program_result result = program_run(directory, FLAGS("--nope", "--help"));
    ck_assert_int_eq(result.status, 0);
    ck_assert_ptr_nonnull(strstr(result.out, "usage: "));
    ck_assert_str_eq(result.error, "");
}
END_TEST

START_TEST(the_version_is_told)
{
    const struct program_result result = program_run(directory, FLAGS("--version"));
    unsigned numbers[3];
    char end;
    ck_assert_int_eq(result.status, 0);
    ck_assert_str_eq(result.error, "");
    ck_assert_msg(sscanf(result.out, "tempotrond %u.%u.%u%c", &numbers[0], &numbers[1], &numbers[2],
                         &end) == 4 &&
                      end == '\n',
                  "%s", result.out);
    ck_assert_int_eq(empty_directory(), 0);
}
END_TEST

/* --- wrong options --- */

#define SIZE_REASON   " is not a size, e.g. 64M or 64MiB (K, M, G and T are powers of 1024)"
#define LISTEN_REASON " is not ADDRESS:PORT, e.g. 127.0.0.1:8080, [::1]:8080, :8080"
#define HOST_REASON   " is not a host name, an address ([::1] in brackets) or *"

static const struct {
    const char *arguments[4];
    const char *line;
} wrong[] = {
    {{"--nope"}, "there is no option \"--nope\" (see --help)"},
    {{"--nope=1"}, "there is no option \"--nope=1\" (see --help)"},
    {{"--lis", "127.0.0.1:0"}, "there is no option \"--lis\" (see --help)"},
    {{"--database", "x"}, "there is no option \"--database\" (see --help)"},
    {{"-x"}, "there is no option \"-x\" (see --help)"},
    {{"--healthcheck=1"}, "there is no option \"--healthcheck=1\" (see --help)"},
    {{"--no\npe\x1b"}, "there is no option \"--no?pe?\" (see --help)"},
    {{"serve"}, "\"serve\" is not an option: they begin with -- (see --help)"},
    {{"--workers", "2", "x.db"}, "\"x.db\" is not an option: they begin with -- (see --help)"},
    {{""}, "\"\" is not an option: they begin with -- (see --help)"},
    {{"--db"}, "--db needs a value: FILE"},
    {{"--db", ""}, "--db needs a value: FILE"},
    {{"--db="}, "--db needs a value: FILE"},
    {{"--db", "--workers", "2"}, "--db needs a value: FILE"},
    {{"--listen"}, "--listen needs a value: ADDRESS:PORT"},
    {{"--max-body"}, "--max-body needs a value: SIZE"},

    {{"--workers", "0"}, "--workers: \"0\" is not a whole number from 1 to 256"},
    {{"--workers", "257"}, "--workers: \"257\" is not a whole number from 1 to 256"},
    {{"--workers", "1.5"}, "--workers: \"1.5\" is not a whole number from 1 to 256"},
    {{"--workers", "+1"}, "--workers: \"+1\" is not a whole number from 1 to 256"},
    {{"--workers", " 1"}, "--workers: \" 1\" is not a whole number from 1 to 256"},
    {{"--workers", "1 "}, "--workers: \"1 \" is not a whole number from 1 to 256"},
    {{"--workers", "-1"}, "--workers: \"-1\" is not a whole number from 1 to 256"},
    {{"--workers", "4294967297"}, "--workers: \"4294967297\" is not a whole number from 1 to 256"},
    {{"--threads=x"}, "--threads: \"x\" is not a whole number from 1 to 256"},
    {{"--connections", "0"}, "--connections: \"0\" is not a whole number from 1 to 65536"},
    {{"--connections", "65537"}, "--connections: \"65537\" is not a whole number from 1 to 65536"},
    {{"--request-timeout", "0"}, "--request-timeout: \"0\" is not a whole number from 1 to 86400"},
    {{"--drain-timeout", "1m"}, "--drain-timeout: \"1m\" is not a whole number from 0 to 86400"},
    {{"--log", "all"}, "--log: \"all\" is neither requests nor errors"},

    {{"--max-body", "x"}, "--max-body: \"x\"" SIZE_REASON},
    {{"--max-body", "M"}, "--max-body: \"M\"" SIZE_REASON},
    {{"--max-body", "64MB"}, "--max-body: \"64MB\"" SIZE_REASON},
    {{"--max-body", "64 M"}, "--max-body: \"64 M\"" SIZE_REASON},
    {{"--max-body", "64Mib"}, "--max-body: \"64Mib\"" SIZE_REASON},
    {{"--max-body", "64B"}, "--max-body: \"64B\"" SIZE_REASON},
    {{"--max-body", "1.5G"}, "--max-body: \"1.5G\"" SIZE_REASON},
    {{"--max-body", "-1M"}, "--max-body: \"-1M\"" SIZE_REASON},
    {{"--max-body", "64MM"}, "--max-body: \"64MM\"" SIZE_REASON},
    {{"--max-body", "1P"}, "--max-body: \"1P\"" SIZE_REASON},
    {{"--max-body", "99999999999999999999"}, "--max-body: \"99999999999999999999\"" SIZE_REASON},
    {{"--max-body", "1023"}, "--max-body: \"1023\" is not between 1K and 1T"},
    {{"--max-body", "0K"}, "--max-body: \"0K\" is not between 1K and 1T"},
    {{"--max-body", "1025G"}, "--max-body: \"1025G\" is not between 1K and 1T"},
    {{"--max-bodies", "17179869185G"}, "--max-bodies: \"17179869185G\" is not between 1K and 1T"},
    {{"--max-dataset", "16777217T"}, "--max-dataset: \"16777217T\" is not between 1K and 1T"},
    {{"--model-cache", "2T"}, "--model-cache: \"2T\" is not between 1K and 1T"},
    {{"--max-body", "2M", "--max-bodies=1M"}, "--max-bodies is less than --max-body"},

    {{"--listen", "8080"}, "--listen: \"8080\"" LISTEN_REASON},
    {{"--listen", "127.0.0.1"}, "--listen: \"127.0.0.1\"" LISTEN_REASON},
    {{"--listen", "127.0.0.1:"}, "--listen: \"127.0.0.1:\"" LISTEN_REASON},
    {{"--listen", "127.0.0.1:65536"}, "--listen: \"127.0.0.1:65536\"" LISTEN_REASON},
    {{"--listen", "127.0.0.1:4294967376"}, "--listen: \"127.0.0.1:4294967376\"" LISTEN_REASON},
    {{"--listen", "127.0.0.1:http"}, "--listen: \"127.0.0.1:http\"" LISTEN_REASON},
    {{"--listen", "127.0.0.1:+80"}, "--listen: \"127.0.0.1:+80\"" LISTEN_REASON},
    {{"--listen", "::1:8080"}, "--listen: \"::1:8080\"" LISTEN_REASON},
    {{"--listen", "[::1]"}, "--listen: \"[::1]\"" LISTEN_REASON},
    {{"--listen", "[::1:8080"}, "--listen: \"[::1:8080\"" LISTEN_REASON},
    {{"--listen", "::1]:8080"}, "--listen: \"::1]:8080\"" LISTEN_REASON},
    {{"--listen", "[]:8080"}, "--listen: \"[]:8080\"" LISTEN_REASON},
    {{"--listen", "[localhost]:8080"}, "--listen: \"[localhost]:8080\"" LISTEN_REASON},
    {{"--listen", " :8080"}, "--listen: \" :8080\"" LISTEN_REASON},
    {{"--listen", "http://localhost:8080"}, "--listen: \"http://localhost:8080\"" LISTEN_REASON},

    {{"--hosts", "iris.example:8080"}, "--hosts: \"iris.example:8080\": leave out the port"},
    {{"--hosts", "localhost,[::1]:80"}, "--hosts: \"[::1]:80\": leave out the port"},
    {{"--hosts", "::1"}, "--hosts: \"::1\"" HOST_REASON},
    {{"--hosts", "http://iris.example"}, "--hosts: \"http://iris.example\"" HOST_REASON},
    {{"--hosts", "a,b/c"}, "--hosts: \"b/c\"" HOST_REASON},
    {{"--hosts", "*.example"}, "--hosts: \"*.example\"" HOST_REASON},
    {{"--hosts", "[]"}, "--hosts: \"[]\"" HOST_REASON},
    {{"--hosts", "iris;example"}, "--hosts: \"iris;example\"" HOST_REASON},
    {{"--hosts", " , "}, "--hosts: it names no host"},
};

static void expect_failure(const struct program_result *result, const char *line)
{
    char expected[1024];
    snprintf(expected, sizeof expected, "tempotrond: %s\n", line);
    ck_assert_str_eq(result->error, expected);
    ck_assert_str_eq(result->out, "");
    ck_assert_int_eq(result->status, 1);
}

START_TEST(a_wrong_option_is_told_in_a_line_and_nothing_starts)
{
    const struct program_result result = program_run(directory, wrong[_i].arguments);
    expect_failure(&result, wrong[_i].line);
    ck_assert_int_eq(empty_directory(), 0);
}
END_TEST

static const struct {
    const char *name, *value, *line;
} wrong_variables[] = {
    {"TEMPOTROND_LISTEN", "8080", "TEMPOTROND_LISTEN: \"8080\"" LISTEN_REASON},
    {"TEMPOTROND_HOSTS", "a:80", "TEMPOTROND_HOSTS: \"a:80\": leave out the port"},
    {"TEMPOTROND_MAX_BODY", "64MB", "TEMPOTROND_MAX_BODY: \"64MB\"" SIZE_REASON},
    {"TEMPOTROND_MAX_BODIES", "2M", "--max-bodies is less than --max-body"},
    {"TEMPOTROND_REQUEST_TIMEOUT", "x",
     "TEMPOTROND_REQUEST_TIMEOUT: \"x\" is not a whole number from 1 to 86400"},
    {"TEMPOTROND_LOG", "yes", "TEMPOTROND_LOG: \"yes\" is neither requests nor errors"},
};

START_TEST(a_wrong_variable_is_named)
{
    setenv(wrong_variables[_i].name, wrong_variables[_i].value, 1);
    const struct program_result result = program_run(directory, FLAGS("--workers", "1"));
    expect_failure(&result, wrong_variables[_i].line);
    ck_assert_int_eq(empty_directory(), 0);
}
END_TEST

/* --- starts that fail --- */

static void run_sql(const char *sql)
{
    char path[128];
    sqlite3 *database;
    snprintf(path, sizeof path, "%s/x.db", directory);
    ck_assert_int_eq(sqlite3_open(path, &database), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(database), SQLITE_OK);
}

static struct program_result start_on(const char *database)
{
    return program_run(directory, FLAGS("--listen", "127.0.0.1:0", "--db", database));
}

START_TEST(a_database_in_a_missing_directory_is_told)
{
    const struct program_result result = start_on("nowhere/x.db");
    expect_failure(&result, "nowhere/x.db: No such file or directory");
}
END_TEST

START_TEST(a_directory_in_place_of_the_database_is_told)
{
    const struct program_result result = start_on(".");
    expect_failure(&result, ".: Is a directory");
}
END_TEST

START_TEST(another_programs_database_is_refused_and_left_as_it_is)
{
    run_sql("CREATE TABLE notes (text)");
    const struct program_result result = start_on("x.db");
    expect_failure(&result, "x.db: it is another program's database");
    run_sql("INSERT INTO notes VALUES ('still here')");
}
END_TEST

START_TEST(a_newer_database_is_refused)
{
    run_sql("PRAGMA application_id = 0x746d7074; PRAGMA user_version = 1000");
    const struct program_result result = start_on("x.db");
    expect_failure(&result, "x.db: it was made by a newer tempotrond");
}
END_TEST

START_TEST(a_file_that_is_no_database_is_refused)
{
    char path[128];
    snprintf(path, sizeof path, "%s/x.db", directory);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    for (int i = 0; i < 1000; i++)
        fputs("not a database ", file);
    fclose(file);
    const struct program_result result = start_on("x.db");
    expect_failure(&result, "x.db: it is damaged, or not a database");
}
END_TEST

START_TEST(a_database_that_another_server_uses_is_refused)
{
    char line[256];
    struct service service;
    service_start(&service, NULL);
    const struct program_result result = start_on(service.database);
    snprintf(line, sizeof line, "%s: another tempotrond uses it", service.database);
    expect_failure(&result, line);
    service_finish(&service);
}
END_TEST

START_TEST(a_database_without_write_access_is_told_with_the_user)
{
    char line[256];
    const unsigned user = geteuid() == 0 ? 65534 : (unsigned)geteuid();
    ck_assert_int_eq(chmod(directory, 0555), 0);
    const struct program_result result =
        program_run_without_rights(directory, FLAGS("--listen", "127.0.0.1:0", "--db", "x.db"));
    snprintf(line, sizeof line,
             "x.db: permission denied: user %u needs write access to it and its directory", user);
    expect_failure(&result, line);
    ck_assert_int_eq(chmod(directory, 0755), 0);
}
END_TEST

/* The files may be written, but SQLite also makes one beside them. */
START_TEST(a_directory_without_write_access_is_told_with_the_user)
{
    static const char *const names[] = {"x.db", "x.db.lock", NULL};
    char path[128], line[256];
    const unsigned user = geteuid() == 0 ? 65534 : (unsigned)geteuid();
    for (int i = 0; names[i] != NULL; i++) {
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        const int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        ck_assert_int_ge(file, 0);
        ck_assert_int_eq(fchown(file, user, (gid_t)-1), 0);
        close(file);
    }
    ck_assert_int_eq(chmod(directory, 0555), 0);
    const struct program_result result =
        program_run_without_rights(directory, FLAGS("--listen", "127.0.0.1:0", "--db", "x.db"));
    snprintf(line, sizeof line,
             "x.db: permission denied: user %u needs write access to it and its directory", user);
    expect_failure(&result, line);
    ck_assert_int_eq(chmod(directory, 0755), 0);
}
END_TEST

START_TEST(a_port_that_is_taken_is_told)
{
    char line[256];
    struct service service;
    service_start(&service, NULL);
    const struct program_result result =
        program_run(directory, FLAGS("--listen", service.address, "--db", "x.db"));
    snprintf(line, sizeof line, "%s: can't listen there: Address already in use", service.address);
    expect_failure(&result, line);
    service_finish(&service);
}
END_TEST

START_TEST(an_address_of_another_machine_and_an_unknown_name_are_told)
{
    const struct program_result elsewhere =
        program_run(directory, FLAGS("--listen", "192.0.2.1:0", "--db", "x.db"));
    expect_failure(&elsewhere, "192.0.2.1:0: can't listen there: Cannot assign requested address");
    const struct program_result nowhere =
        program_run(directory, FLAGS("--listen", "name.invalid:0", "--db", "x.db"));
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
    expect_failure(&result, "127.0.0.1:0: the limit of open files is too low (ulimit -n)");
}
END_TEST

/* --- sizes --- */

static const struct {
    const char *text, *bytes;
} sizes[] = {
    {"1024", "1024"},        {"1500", "1500"},          {"2K", "2048"},
    {"2k", "2048"},          {"2KiB", "2048"},          {"64M", "67108864"},
    {"64MiB", "67108864"},   {"3g", "3221225472"},      {"1024G", "1099511627776"},
    {"1T", "1099511627776"}, {"1TiB", "1099511627776"},
};

/* A body is refused by what it announces, and the answer names the limit. */
static void expect_max_body(const struct service *service, const char *bytes)
{
    struct http_answer answer;
    char expected[64];
    static const char request[] = "POST /psp_kernel HTTP/1.1\r\nHost: localhost\r\n"
                                  "Content-Length: 9999999999999\r\n\r\n";
    http_exchange_bytes(service, request, sizeof request - 1, &answer);
    expect_problem(&answer, 413, "body_too_large");
    snprintf(expected, sizeof expected, " %s bytes ", bytes);
    ck_assert_msg(strstr(member_string(answer.json, "detail"), expected) != NULL, "%s",
                  answer.body);
    http_answer_finish(&answer);
}

START_TEST(sizes_have_units_that_are_powers_of_1024)
{
    struct service service;
    service_start(&service, FLAGS("--max-body", sizes[_i].text, "--max-bodies", "1T"));
    expect_max_body(&service, sizes[_i].bytes);
    service_finish(&service);
}
END_TEST

/* --- the environment --- */

START_TEST(an_empty_variable_counts_as_unset)
{
    static const char *const names[] = {
        "TEMPOTROND_LISTEN",      "TEMPOTROND_HOSTS",       "TEMPOTROND_DB",
        "TEMPOTROND_CONNECTIONS", "TEMPOTROND_MAX_BODY",    "TEMPOTROND_MAX_BODIES",
        "TEMPOTROND_MAX_DATASET", "TEMPOTROND_MODEL_CACHE", "TEMPOTROND_REQUEST_TIMEOUT",
        "TEMPOTROND_WORKERS",     "TEMPOTROND_THREADS",     "TEMPOTROND_DRAIN_TIMEOUT",
        "TEMPOTROND_LOG",
    };
    struct service service;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        setenv(names[i], "", 1);
    service_start(&service, NULL);
    expect_max_body(&service, "67108864");
    service_finish(&service);
}
END_TEST

START_TEST(a_flag_overrides_a_variable_and_that_the_default)
{
    struct service service;
    setenv("TEMPOTROND_MAX_BODY", "3K", 1);
    service_start(&service, NULL);
    expect_max_body(&service, "3072");
    service_finish(&service);
    service_start(&service, FLAGS("--max-body=2K"));
    expect_max_body(&service, "2048");
    service_finish(&service);
}
END_TEST

/* --- hosts --- */

static long status_for_host(const struct service *service, const char *host)
{
    char header[128];
    snprintf(header, sizeof header, "Host: %s", host);
    struct http_answer answer = http_send(service, "GET", "/models", NULL, header, NULL);
    const long status = answer.status;
    http_answer_finish(&answer);
    return status;
}

START_TEST(blanks_around_the_names_of_hosts_are_no_part_of_them)
{
    struct service service;
    service_start(&service, FLAGS("--hosts", " iris.example , ,localhost\t[2001:db8::1],"));
    ck_assert_int_eq(status_for_host(&service, "iris.example"), 200);
    ck_assert_int_eq(status_for_host(&service, "iris.example:8080"), 200);
    ck_assert_int_eq(status_for_host(&service, "127.0.0.1"), 200);
    ck_assert_int_eq(status_for_host(&service, "[2001:db8::1]:80"), 200);
    ck_assert_int_eq(status_for_host(&service, "evil.example"), 403);
    service_finish(&service);
}
END_TEST

START_TEST(any_host_is_answered_if_the_list_says_so)
{
    struct service service;
    service_start(&service, FLAGS("--hosts", "iris.example,*"));
    ck_assert_int_eq(status_for_host(&service, "evil.example"), 200);
    service_finish(&service);
}
END_TEST

/* --- addresses --- */

/* Connects to a loopback address; -1 if nothing listens there. */
static int connect_to(bool by_v6, unsigned port)
{
    const struct sockaddr_in v4 = {.sin_family = AF_INET,
                                   .sin_port = htons((in_port_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                                    .sin6_port = htons((in_port_t)port),
                                    .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const int connection = socket(by_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection < 0)
        return -1;
    if (connect(connection, by_v6 ? (const struct sockaddr *)&v6 : (const struct sockaddr *)&v4,
                by_v6 ? sizeof v6 : sizeof v4) == 0)
        return connection;
    close(connection);
    return -1;
}

/* Whether this machine has ::1. */
static bool has_v6(void)
{
    const struct sockaddr_in6 any_port = {.sin6_family = AF_INET6,
                                          .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool has =
        probe >= 0 && bind(probe, (const struct sockaddr *)&any_port, sizeof any_port) == 0;
    close(probe);
    return has;
}

static void expect_answer(bool by_v6, unsigned port, bool expected)
{
    const int connection = connect_to(by_v6, port);
    ck_assert_msg((connection >= 0) == expected, "IPv%d", by_v6 ? 6 : 4);
    if (connection < 0)
        return;
    ck_assert_int_eq(wire_ask(connection, "/health/live"), 200);
    close(connection);
}

static const struct {
    const char *host;
    const char *shown;
    bool by_v4, by_v6;
} addresses[] = {
    {"127.0.0.1", "127.0.0.1", true, false},
    {"0.0.0.0", "0.0.0.0", true, false},
    {"[::1]", "[::1]", false, true},
    {"[::]", "[::]", true, true},
    {"", "[::]", true, true},
};

START_TEST(each_form_of_an_address_is_served_and_checked)
{
    char listen[64], shown[64];
    struct service service;
    if (addresses[_i].by_v6 && !has_v6())
        return;
    snprintf(listen, sizeof listen, "%s:0", addresses[_i].host);
    service_start(&service, FLAGS("--listen", listen));
    snprintf(shown, sizeof shown, "%s:%u", addresses[_i].shown, service.port);
    ck_assert_str_eq(service.address, shown);
    expect_answer(false, service.port, addresses[_i].by_v4);
    expect_answer(true, service.port, addresses[_i].by_v6 && has_v6());

    snprintf(listen, sizeof listen, "%s:%u", addresses[_i].host, service.port);
    const struct program_result ready =
        program_run(NULL, FLAGS("--healthcheck", "--listen", listen));
    ck_assert_msg(ready.status == 0, "%s", ready.error);
    service_stop(&service);
    const struct program_result gone =
        program_run(NULL, FLAGS("--healthcheck", "--listen", listen));
    ck_assert_int_eq(gone.status, 1);
    service_finish(&service);
}
END_TEST

START_TEST(a_name_is_served_at_an_address_that_its_clients_reach)
{
    char url[64], name[64];
    struct service service;
    service_start(&service, FLAGS("--listen", "localhost:0"));
    snprintf(name, sizeof name, "localhost:%u", service.port);
    snprintf(url, sizeof url, "%s", service.address);
    strcpy(service.address, name); /* libcurl resolves it as any client does */
    ck_assert_int_eq(status_for_host(&service, "localhost"), 200);
    ck_assert_int_eq(status_for_host(&service, "evil.example"), 403); /* it is on the loopback */
    const struct program_result ready = program_run(NULL, FLAGS("--healthcheck", "--listen", name));
    ck_assert_msg(ready.status == 0, "%s", ready.error);
    service_finish(&service);
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

static const int stopping[] = {SIGTERM, SIGINT, SIGHUP};

START_TEST(each_of_three_signals_stops_the_server)
{
    struct service service;
    service_start(&service, NULL);
    ck_assert_int_eq(kill(service.pid, stopping[_i]), 0);
    const int status = service_wait(&service);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    service_finish(&service);
}
END_TEST

START_TEST(a_signal_that_was_ignored_stays_ignored)
{
    const int ignored = stopping[_i], other = stopping[(_i + 1) % 3];
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
    snprintf(path, sizeof path, "%s/x.db", directory);
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
        connection = connect_to(false, port);
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

int main(void)
{
    Suite *suite = suite_create("command line");
    TCase *tests =
        suite_case(suite, "command line", make_directory, remove_directory, 2 * SERVICE_SECONDS);
    tcase_add_loop_test(tests, the_help_names_every_option_and_its_default, 0, 2);
    tcase_add_test(tests, the_help_comes_whatever_else_is_wrong);
    tcase_add_test(tests, the_version_is_told);
    tcase_add_loop_test(tests, a_wrong_option_is_told_in_a_line_and_nothing_starts, 0, ROWS(wrong));
    tcase_add_loop_test(tests, a_wrong_variable_is_named, 0, ROWS(wrong_variables));
    tcase_add_test(tests, a_database_in_a_missing_directory_is_told);
    tcase_add_test(tests, a_directory_in_place_of_the_database_is_told);
    tcase_add_test(tests, another_programs_database_is_refused_and_left_as_it_is);
    tcase_add_test(tests, a_newer_database_is_refused);
    tcase_add_test(tests, a_file_that_is_no_database_is_refused);
    tcase_add_test(tests, a_database_that_another_server_uses_is_refused);
    tcase_add_test(tests, a_database_without_write_access_is_told_with_the_user);
    tcase_add_test(tests, a_directory_without_write_access_is_told_with_the_user);
    tcase_add_test(tests, a_directory_without_write_access_is_told_with_the_user);
    tcase_add_test(tests, a_port_that_is_taken_is_told);
    tcase_add_test(tests, an_address_of_another_machine_and_an_unknown_name_are_told);
    tcase_add_test(tests, too_few_descriptors_are_told);
    tcase_add_loop_test(tests, sizes_have_units_that_are_powers_of_1024, 0, ROWS(sizes));
    tcase_add_test(tests, an_empty_variable_counts_as_unset);
    tcase_add_test(tests, a_flag_overrides_a_variable_and_that_the_default);
    tcase_add_test(tests, blanks_around_the_names_of_hosts_are_no_part_of_them);
    tcase_add_test(tests, any_host_is_answered_if_the_list_says_so);
    tcase_add_loop_test(tests, each_form_of_an_address_is_served_and_checked, 0, ROWS(addresses));
    tcase_add_test(tests, a_name_is_served_at_an_address_that_its_clients_reach);
    tcase_add_loop_test(tests, each_of_three_signals_stops_the_server, 0, ROWS(stopping));
    tcase_add_loop_test(tests, a_signal_that_was_ignored_stays_ignored, 0, ROWS(stopping));
    tcase_add_test(tests, a_blocked_signal_still_stops_the_server);
    tcase_add_test(tests, closed_streams_do_not_become_files_of_the_service);
    return suite_run(suite);
}
