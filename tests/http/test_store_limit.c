/* --max-store: the database grows no further, and what is deleted makes room. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/support/ask.h"
#include "tests/support/fixture.h"
#include "tests/support/suite.h"

enum { MAX_STORE = 1024 * 1024, MANY = 100 };

static void start(void)
{
    fixture_start(FLAGS("--max-store", "1M"));
}

/* A model of 64 KiB: its weights are given, since drawn ones are not stored. */
static long create(int number)
{
    enum { WEIGHTS = 16384 };
    char *body;
    size_t size;
    FILE *stream = open_memstream(&body, &size);
    fprintf(stream,
            "{\"id\": \"m%d\", \"in_features\": %d, \"out_features\": 1, \"T\": 5, "
            "\"weight\": [[0",
            number, WEIGHTS);
    for (int i = 1; i < WEIGHTS; i++)
        fputs(",0", stream);
    fputs("]]}", stream);
    fclose(stream);
    struct http_answer answer = http_send(&server, "POST", "/models", body, NULL, NULL);
    const long status = answer.status;
    http_answer_finish(&answer);
    free(body);
    return status;
}

static int create_until_full(int from)
{
    long status;
    int number = from;
    while ((status = create(number)) == 201)
        ck_assert_int_lt(number++, MANY);
    ck_assert_int_eq(status, 507);
    return number;
}

START_TEST(a_full_database_refuses_what_would_grow_it_and_takes_deletions)
{
    struct stat file;
    const int count = create_until_full(0);
    ck_assert_int_gt(count, 5);
    expect_refused("GET", "/models/m99", NULL, 404, "model_not_found", NULL);
    for (int i = 0; i < 2; i++) {
        char path[32];
        snprintf(path, sizeof path, "/models/m%d", i);
        struct http_answer answer = ask(204, "DELETE", path, NULL);
        http_answer_finish(&answer);
    }
    ck_assert_int_eq(create(0), 201);
    http_await_readiness(&server, 200);
    service_restart(&server);
    ck_assert_int_eq(stat(server.database, &file), 0);
    ck_assert_int_le(file.st_size, MAX_STORE);
    create_until_full(MANY / 2);
}
END_TEST

START_TEST(a_limit_of_less_than_a_page_leaves_no_room)
{
    struct stat before, after;
    server.flags[1] = "1K";
    service_restart(&server);
    ck_assert_int_eq(stat(server.database, &before), 0);
    ck_assert_int_eq(create(0), 507);
    service_restart(&server);
    ck_assert_int_eq(stat(server.database, &after), 0);
    ck_assert_int_eq(after.st_size, before.st_size);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store limit");
    TCase *tests = fixture_case(suite, "store limit", start);
    tcase_add_test(tests, a_full_database_refuses_what_would_grow_it_and_takes_deletions);
    tcase_add_test(tests, a_limit_of_less_than_a_page_leaves_no_room);
    return suite_run(suite);
}
