/* Problems: their codes, and how they are written. */
#include <check.h>
#include <string.h>

#include <jansson.h>

#include "server/base/buffer.h"
#include "server/base/problem.h"
#include "server/http/reply.h"
#include "server/json/document.h"
#include "server/json/fields.h"
#include "server/json/value.h"
#include "server/json/writer.h"
#include "tests/support/suite.h"
#include "tests/support/writing.h"

START_TEST(a_problem_is_written_as_rfc_9457_says)
{
    struct problem problem = {0};
    struct buffer text = {0};
    problem_add_field(&problem, PROBLEM_OUT_OF_RANGE, "/m", "must be above %d", 2);
    problem_add_parameter(&problem, PROBLEM_INVALID_PARAMETER, "limit", "must be a number");
    problem_set(&problem, PROBLEM_NOT_FOUND, "comes too late");
    reply_write_problem(&problem, "/encode", "r1", &text);
    expect_written(
        &text,
        "{\"type\":\"about:blank\",\"title\":\"Unprocessable Content\",\"status\":422,"
        "\"detail\":\"/m: must be above 2\",\"instance\":\"/encode\","
        "\"code\":\"out_of_range\",\"errors\":[{\"pointer\":\"/m\",\"code\":\"out_of_range\","
        "\"detail\":\"must be above 2\"},{\"parameter\":\"limit\",\"code\":"
        "\"invalid_parameter\",\"detail\":\"must be a number\"}],\"request_id\":\"r1\"}");
    problem = (struct problem){0};
    problem_set(&problem, PROBLEM_STORE_FULL, "the disk is full");
    reply_write_problem(&problem, "/models", "r2", &text);
    expect_written(&text,
                   "{\"type\":\"about:blank\",\"title\":\"Insufficient Storage\",\"status\":507,"
                   "\"detail\":\"the disk is full\",\"instance\":\"/models\","
                   "\"code\":\"store_full\",\"request_id\":\"r2\"}");
}
END_TEST

START_TEST(every_code_has_a_status_and_a_name_of_its_own)
{
    for (unsigned a = PROBLEM_INVALID_JSON; a <= PROBLEM_STORE_FULL; a++) {
        ck_assert_uint_ge(problem_status(a), 400);
        ck_assert_ptr_nonnull(problem_name(a));
        for (unsigned b = PROBLEM_NONE; b < a; b++)
            ck_assert_str_ne(problem_name(a), problem_name(b));
    }
}
END_TEST

START_TEST(long_texts_are_cut_between_characters)
{
    char name[1024] = "";
    for (int i = 0; i < 500; i++)
        strcat(name, "é");
    for (const char *prefix = "abc"; *prefix != '\0'; prefix++) {
        char pointer[PROBLEM_POINTER];
        struct problem problem = {0};
        problem_pointer_join(prefix, name, pointer);
        for (int i = 0; i < PROBLEM_FIELDS + 5; i++)
            problem_add_field(&problem, PROBLEM_UNKNOWN_FIELD, pointer, "%s%s", prefix, name);
        ck_assert_uint_eq(problem.field_count, PROBLEM_FIELDS + 5);
        ck_assert_uint_ge(strlen(problem.fields[0].pointer), PROBLEM_POINTER - 4);
        struct buffer text = {0};
        reply_write_problem(&problem, "/", "r", &text);
        struct problem unreadable = {0};
        struct document *document = document_read(text.bytes, text.size, NULL, &unreadable);
        ck_assert_msg(document != NULL, "%s", unreadable.detail);
        ck_assert_uint_eq(json_value_count(json_value_member(document_root(document), "errors")),
                          PROBLEM_FIELDS);
        document_destroy(document);
        buffer_finish(&text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("problem");
    TCase *tests = tcase_create("json");
    tcase_add_test(tests, a_problem_is_written_as_rfc_9457_says);
    tcase_add_test(tests, every_code_has_a_status_and_a_name_of_its_own);
    tcase_add_test(tests, long_texts_are_cut_between_characters);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
