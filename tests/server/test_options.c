/* The command line and the environment: help, version, every option, and what is said of a wrong
 * one. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/client.h"
#include "tests/support/http.h"
#include "tests/support/program.h"
#include "tests/support/service.h"
#include "tests/support/suite.h"

/* --- texts --- */

START_TEST(the_help_names_every_option_and_its_default)
{
    static const char *const parts[] = {
        "\nusage: tempotrond [--OPTION VALUE]...\n",
        "\n  --api-key-file FILE        ",
        "\n  --sandbox WHAT             ",
        "\n  new-key NAME ROLE          ",
        "\n  --listen ADDRESS:PORT      ",
        "(127.0.0.1:8080)",
        "\n  --hosts NAMES              ",
        "\n  --db FILE                  ",
        "(./tempotron.db)",
        "\n  --connections N            ",
        "(4096)",
        "\n  --max-body SIZE            ",
        "(65M, or a quarter of",
        "\n  --max-bodies SIZE          ",
        "(512M, or a tenth of the memory",
        "\n  --max-dataset SIZE         ",
        "(1G)",
        "\n  --model-cache SIZE         ",
        "\n  --checkpoint-interval SECONDS\n                             how long",
        "(256M, or a tenth of",
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
    const struct program_result result = program_run(program_directory, FLAGS(flags[_i]));
    ck_assert_int_eq(result.status, 0);
    ck_assert_str_eq(result.error, "");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        ck_assert_msg(strstr(result.out, parts[i]) != NULL, "%s is not in %s", parts[i],
                      result.out);
    for (const char *line = result.out; *line != '\0'; line += strcspn(line, "\n") + 1)
        ck_assert_msg(strcspn(line, "\n") <= 86, "too long: %s", line);
    ck_assert_int_eq(program_directory_empty(), 0);
}
END_TEST

START_TEST(the_help_comes_whatever_else_is_wrong)
{
    setenv("TEMPOTROND_WORKERS", "none", 1);
    const struct program_result result = program_run(program_directory, FLAGS("--nope", "--help"));
    ck_assert_int_eq(result.status, 0);
    ck_assert_ptr_nonnull(strstr(result.out, "usage: "));
    ck_assert_str_eq(result.error, "");
}
END_TEST

START_TEST(the_version_is_told)
{
    const struct program_result result = program_run(program_directory, FLAGS("--version"));
    unsigned numbers[3];
    char end;
    ck_assert_int_eq(result.status, 0);
    ck_assert_str_eq(result.error, "");
    ck_assert_msg(sscanf(result.out, "tempotrond %u.%u.%u%c", &numbers[0], &numbers[1], &numbers[2],
                         &end) == 4 &&
                      end == '\n',
                  "%s", result.out);
    ck_assert_int_eq(program_directory_empty(), 0);
}
END_TEST

/* --- wrong options --- */

#define SIZE_REASON " is not a size, e.g. 64M or 64MiB (K, M, G and T are powers of 1024)"

#define LISTEN_REASON " is not ADDRESS:PORT, e.g. 127.0.0.1:8080, [::1]:8080, :8080"

#define HOST_REASON " is not a host name, an address ([::1] in brackets) or *"

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

START_TEST(a_wrong_option_is_told_in_a_line_and_nothing_starts)
{
    const struct program_result result = program_run(program_directory, wrong[_i].arguments);
    expect_program_failure(&result, wrong[_i].line);
    ck_assert_int_eq(program_directory_empty(), 0);
}
END_TEST

static const struct {
    const char *name, *value, *line;
} wrong_variables[] = {
    {"TEMPOTROND_LISTEN", "8080", "TEMPOTROND_LISTEN: \"8080\"" LISTEN_REASON},
    {"TEMPOTROND_HOSTS", "a:80", "TEMPOTROND_HOSTS: \"a:80\": leave out the port"},
    {"TEMPOTROND_MAX_BODY", "64MB", "TEMPOTROND_MAX_BODY: \"64MB\"" SIZE_REASON},
    {"TEMPOTROND_MAX_BODIES", "2", "TEMPOTROND_MAX_BODIES: \"2\" is not between 1K and 1T"},
    {"TEMPOTROND_REQUEST_TIMEOUT", "x",
     "TEMPOTROND_REQUEST_TIMEOUT: \"x\" is not a whole number from 1 to 86400"},
    {"TEMPOTROND_LOG", "yes", "TEMPOTROND_LOG: \"yes\" is neither requests nor errors"},
};

START_TEST(a_wrong_variable_is_named)
{
    setenv(wrong_variables[_i].name, wrong_variables[_i].value, 1);
    const struct program_result result = program_run(program_directory, FLAGS("--workers", "1"));
    expect_program_failure(&result, wrong_variables[_i].line);
    ck_assert_int_eq(program_directory_empty(), 0);
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
    expect_max_body(&service, "68157440");
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

int main(void)
{
    Suite *suite = suite_create("options");
    TCase *tests = suite_case(suite, "command line", program_directory_create,
                              program_directory_remove, 2 * SERVICE_SECONDS);
    tcase_add_loop_test(tests, the_help_names_every_option_and_its_default, 0, 2);
    tcase_add_test(tests, the_help_comes_whatever_else_is_wrong);
    tcase_add_test(tests, the_version_is_told);
    tcase_add_loop_test(tests, a_wrong_option_is_told_in_a_line_and_nothing_starts, 0, ROWS(wrong));
    tcase_add_loop_test(tests, a_wrong_variable_is_named, 0, ROWS(wrong_variables));
    tcase_add_loop_test(tests, sizes_have_units_that_are_powers_of_1024, 0, ROWS(sizes));
    tcase_add_test(tests, an_empty_variable_counts_as_unset);
    tcase_add_test(tests, a_flag_overrides_a_variable_and_that_the_default);
    return suite_run(suite);
}
