/* tempotrond backup, check and restore, and what keeps a database to one server. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/ask.h"
#include "tests/support/client.h"
#include "tests/support/copies.h"
#include "tests/support/datasets.h"
#include "tests/support/fixture.h"
#include "tests/support/program.h"
#include "tests/support/suite.h"

static void start(void)
{
    fixture_start(FLAGS("--model-cache", "1K"));
    create_model(&server, model_with_encoder("one"));
    put_both(&server, "a");
}

static void delete_model(void)
{
    struct http_answer answer = ask(204, "DELETE", "/models/one", NULL);
    http_answer_finish(&answer);
}

START_TEST(a_backup_of_a_running_server_brings_back_what_it_had)
{
    copies_run(0, "backup", "copy");
    copies_run(0, "check", "copy");
    delete_model();
    copies_run(1, "restore", "copy"); /* the server runs */
    expect_refused("GET", "/models/one", NULL, 404, "model_not_found", NULL);
    service_stop(&server);
    copies_run(0, "restore", "copy");
    service_restart(&server);
    json_decref(ask_json("/models/one/evaluate", "{\"dataset\": \"a\"}"));
    copies_remove();
}
END_TEST

START_TEST(a_backup_replaces_no_file)
{
    copies_run(0, "backup", "copy");
    copies_run(1, "backup", "copy");
    copies_remove();
}
END_TEST

START_TEST(a_damaged_copy_is_not_restored)
{
    static const char *const damages[] = {
        "UPDATE models SET config = replace(config, '15', '16')",
        "UPDATE chunks SET data = zeroblob(length(data)) WHERE array = 1",
        "UPDATE arrays SET dtype = 'int8' WHERE id = 1",
    };
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        char copy[16];
        struct service damaged = server;
        snprintf(copy, sizeof copy, "copy-%zu", i);
        copies_run(0, "backup", copy);
        snprintf(damaged.database, sizeof damaged.database, "%s/%s", server.directory, copy);
        damage_database(&damaged, damages[i]);
        copies_run(1, "check", copy);
    }
    service_stop(&server);
    copies_run(1, "restore", "copy-0");
    service_restart(&server);
    json_decref(ask_json("/models/one/evaluate", "{\"dataset\": \"a\"}"));
    copies_remove();
}
END_TEST

static void refuse_second_server(const char *database)
{
    const struct program_result result =
        program_run(server.directory, FLAGS("--listen", "127.0.0.1:0", "--db", database));
    ck_assert_int_eq(result.status, 1);
    ck_assert_ptr_nonnull(strstr(result.error, "another tempotrond uses it"));
}

START_TEST(a_second_server_is_refused_by_any_name_of_the_file)
{
    char other[SERVICE_PATH];
    snprintf(other, sizeof other, "%s/other", server.directory);
    ck_assert_int_eq(link(server.database, other), 0);
    refuse_second_server(other);
    ck_assert_int_eq(unlink(other), 0);
    ck_assert_int_eq(rename(server.database, other), 0);
    refuse_second_server(other);
    ck_assert_int_eq(rename(other, server.database), 0);
    copies_remove();
}
END_TEST

START_TEST(a_server_whose_file_is_gone_or_replaced_is_not_ready)
{
    char other[SERVICE_PATH];
    snprintf(other, sizeof other, "%s/other", server.directory);
    ck_assert_int_eq(rename(server.database, other), 0);
    expect_refused("GET", "/health/ready", NULL, 503, "store_unavailable", NULL);
    copies_run(0, "check", other);
    ck_assert_int_eq(rename(other, server.database), 0);
    struct http_answer answer = ask(200, "GET", "/health/ready", NULL);
    http_answer_finish(&answer);
    copies_remove();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("maintenance");
    TCase *tests = fixture_case(suite, "maintenance", start);
    tcase_add_test(tests, a_backup_of_a_running_server_brings_back_what_it_had);
    tcase_add_test(tests, a_backup_replaces_no_file);
    tcase_add_test(tests, a_damaged_copy_is_not_restored);
    tcase_add_test(tests, a_second_server_is_refused_by_any_name_of_the_file);
    tcase_add_test(tests, a_server_whose_file_is_gone_or_replaced_is_not_ready);
    return suite_run(suite);
}
