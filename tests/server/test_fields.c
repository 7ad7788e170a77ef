/* Fields of an object: read by type and bounds, and every one that is wrong is named. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "server/base/problem.h"
#include "server/http/reply.h"
#include "server/json/document.h"
#include "server/json/fields.h"
#include "server/json/float_array.h"
#include "server/json/value.h"
#include "tests/support/suite.h"

static struct document *parse(const char *text)
{
    struct problem problem = {0};
    struct document *document = document_read(text, strlen(text), NULL, &problem);
    ck_assert_msg(document != NULL, "%s: %s", text, problem.detail);
    return document;
}

static void expect_field(const struct problem *problem, unsigned at, enum problem_code code,
                         const char *pointer)
{
    ck_assert_uint_gt(problem->field_count, at);
    ck_assert_str_eq(problem_name(problem->fields[at].code), problem_name(code));
    ck_assert_str_eq(problem->fields[at].pointer, pointer);
    ck_assert_str_ne(problem->fields[at].detail, "");
}

START_TEST(fields_are_read_by_value)
{
    struct document *document =
        parse("{\"i\":3.0,\"n\":2,\"b\":true,\"s\":\"abc\",\"c\":\"adam\",\"z\":null,"
              "\"x\":[[1,2]]}");
    struct problem problem = {0};
    struct fields fields;
    int64_t i = 0, absent = 7;
    double n = 0, above = 0;
    bool b = false;
    const char *s = NULL;
    unsigned c = 0;
    struct float_array x = {0};
    ck_assert(fields_open_document(&fields, document, &problem));
    ck_assert(fields_integer(&fields, "i", FIELD_REQUIRED, 0, 3, &i) && i == 3);
    ck_assert(fields_number(&fields, "n", FIELD_REQUIRED, 2, 2, false, &n) && n == 2);
    ck_assert(fields_number(&fields, "n", FIELD_REQUIRED, 1, 2, true, &above) && above == 2);
    ck_assert(fields_boolean(&fields, "b", FIELD_REQUIRED, &b) && b);
    ck_assert(fields_string(&fields, "s", FIELD_REQUIRED, 3, &s));
    ck_assert_str_eq(s, "abc");
    ck_assert(
        fields_choice(&fields, "c", FIELD_REQUIRED, (const char *[]){"sgd", "adam", NULL}, &c));
    ck_assert_uint_eq(c, 1);
    ck_assert(!fields_integer(&fields, "z", FIELD_OPTIONAL, 0, 9, &absent) && absent == 7);
    ck_assert(!fields_integer(&fields, "y", FIELD_OPTIONAL, 0, 9, &absent) && absent == 7);
    ck_assert(fields_has(&fields, "z") && !fields_has(&fields, "y"));
    ck_assert(float_array_read(&fields, "x", FIELD_REQUIRED, 2, 2, 2, &x) && x.count == 2);
    fields_close(&fields);
    ck_assert(!problem_is_set(&problem));
    float_array_finish(&x);
    document_destroy(document);
}
END_TEST

START_TEST(every_wrong_field_is_named)
{
    struct document *document =
        parse("{\"i\":3.5,\"big\":1e300,\"n\":\"1\",\"low\":0,\"b\":0,\"s\":\"abcd\",\"c\":"
              "\"x\",\"null\":null,\"a/b~\":1}");
    struct problem problem = {0};
    struct fields fields;
    int64_t i = -7;
    double n = -7;
    bool b = true;
    const char *s = NULL;
    unsigned c = 9;
    fields_open(&fields, document_root(document), "/encoder", &problem);
    ck_assert(!fields_integer(&fields, "i", FIELD_REQUIRED, 0, 9, &i));
    ck_assert(!fields_integer(&fields, "big", FIELD_REQUIRED, 0, 9, &i));
    ck_assert(!fields_number(&fields, "n", FIELD_REQUIRED, 0, 9, false, &n));
    ck_assert(!fields_number(&fields, "low", FIELD_REQUIRED, 0, 9, true, &n));
    ck_assert(!fields_boolean(&fields, "b", FIELD_REQUIRED, &b));
    ck_assert(!fields_string(&fields, "s", FIELD_REQUIRED, 3, &s));
    ck_assert(
        !fields_choice(&fields, "c", FIELD_REQUIRED, (const char *[]){"sgd", "adam", NULL}, &c));
    ck_assert(!fields_number(&fields, "null", FIELD_REQUIRED, 0, 9, false, &n));
    ck_assert(!fields_number(&fields, "absent", FIELD_REQUIRED, 0, 9, false, &n));
    fields_close(&fields);
    ck_assert(i == -7 && n == -7 && b && s == NULL && c == 9);
    ck_assert_uint_eq(problem.code, PROBLEM_WRONG_TYPE);
    ck_assert_uint_eq(problem.field_count, 10);
    expect_field(&problem, 0, PROBLEM_WRONG_TYPE, "/encoder/i");
    expect_field(&problem, 1, PROBLEM_OUT_OF_RANGE, "/encoder/big");
    expect_field(&problem, 2, PROBLEM_WRONG_TYPE, "/encoder/n");
    expect_field(&problem, 3, PROBLEM_OUT_OF_RANGE, "/encoder/low");
    expect_field(&problem, 4, PROBLEM_WRONG_TYPE, "/encoder/b");
    expect_field(&problem, 5, PROBLEM_TOO_LARGE, "/encoder/s");
    expect_field(&problem, 6, PROBLEM_UNKNOWN_VALUE, "/encoder/c");
    ck_assert_str_eq(problem.fields[6].detail, "must be one of sgd, adam");
    expect_field(&problem, 7, PROBLEM_MISSING_FIELD, "/encoder/null");
    expect_field(&problem, 8, PROBLEM_MISSING_FIELD, "/encoder/absent");
    expect_field(&problem, 9, PROBLEM_UNKNOWN_FIELD, "/encoder/a~1b~0");
    document_destroy(document);
}
END_TEST

START_TEST(a_value_that_is_not_an_object_is_one_error)
{
    struct document *document = parse("[]");
    struct problem problem = {0};
    struct fields fields;
    bool b;
    ck_assert(!fields_open_document(&fields, document, &problem));
    ck_assert(!fields_boolean(&fields, "b", FIELD_REQUIRED, &b));
    fields_close(&fields);
    ck_assert_uint_eq(problem.field_count, 1);
    expect_field(&problem, 0, PROBLEM_WRONG_TYPE, "");
    ck_assert_str_eq(problem.detail, "must be an object");
    document_destroy(document);
}
END_TEST

/* Reads the member x of {"x": text}. */
static bool read_x(const char *text, unsigned min_rank, unsigned max_rank, size_t limit,
                   struct problem *problem, struct float_array *array)
{
    char whole[256];
    struct fields fields;
    snprintf(whole, sizeof whole, "{\"x\":%s}", text);
    struct document *document = parse(whole);
    fields_open_document(&fields, document, problem);
    const bool read =
        float_array_read(&fields, "x", FIELD_REQUIRED, min_rank, max_rank, limit, array);
    document_destroy(document);
    return read;
}

START_TEST(arrays_are_read_with_their_shape)
{
    struct problem problem = {0};
    struct float_array array;
    ck_assert(read_x(" [[[1,2.5 , 3]],[ [4,5,\n-0.1]] ]", 2, 3, 6, &problem, &array));
    ck_assert_uint_eq(array.rank, 3);
    ck_assert_uint_eq(array.count, 6);
    ck_assert(array.shape[0] == 2 && array.shape[1] == 1 && array.shape[2] == 3);
    const float expected[] = {1, 2.5f, 3, 4, 5, -0.1f};
    ck_assert_mem_eq(array.values, expected, sizeof expected);
    float_array_finish(&array);
    ck_assert(read_x("7", 0, 2, 6, &problem, &array));
    ck_assert(array.rank == 0 && array.count == 1 && array.values[0] == 7);
    float_array_finish(&array);
    float_array_finish(NULL);
}
END_TEST

START_TEST(wrong_arrays_name_the_first_culprit)
{
    static const struct {
        const char *text;
        enum problem_code code;
        const char *pointer;
    } cases[] = {
        {"3", PROBLEM_WRONG_TYPE, "/x"},
        {"[1,2]", PROBLEM_WRONG_TYPE, "/x/0"},
        {"[[[1]]]", PROBLEM_WRONG_TYPE, "/x/0/0"},
        {"[[1,2],[3,4],[5,6],[\"7\",8]]", PROBLEM_WRONG_TYPE, "/x/3/0"},
        {"[[1,2],[3,null]]", PROBLEM_WRONG_TYPE, "/x/1/1"},
        {"[[1,2],[3,[4]]]", PROBLEM_WRONG_TYPE, "/x/1/1"},
        {"[[1,2],3]", PROBLEM_WRONG_TYPE, "/x/1"},
        {"[[1,2],\"a\"]", PROBLEM_WRONG_TYPE, "/x/1"},
        {"[\"a\",[1,2]]", PROBLEM_WRONG_TYPE, "/x/0"},
        {"[1,\"a\"]", PROBLEM_WRONG_TYPE, "/x/0"},
        {"[[1,[\"a\"]]]", PROBLEM_WRONG_TYPE, "/x/0/1"},
        {"[[1,2],[3,4],[5,6],[7]]", PROBLEM_RAGGED_ARRAY, "/x/3"},
        {"[[1],[2,3]]", PROBLEM_RAGGED_ARRAY, "/x/1"},
        {"[]", PROBLEM_EMPTY_BATCH, "/x"},
        {"[[]]", PROBLEM_WRONG_SHAPE, "/x/0"},
        {"[[1,1e39]]", PROBLEM_NOT_FINITE, "/x/0/1"},
        {"[[1,2,3],[4,5,6],[7,8,9]]", PROBLEM_TOO_LARGE, "/x"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct problem problem = {0};
        struct float_array array = {.rank = 99};
        ck_assert(!read_x(cases[i].text, 2, 2, 8, &problem, &array));
        expect_field(&problem, 0, cases[i].code, cases[i].pointer);
        ck_assert_uint_eq(problem.field_count, 1);
        ck_assert_uint_eq(array.rank, 99);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fields");
    TCase *tests = tcase_create("json");
    tcase_add_test(tests, fields_are_read_by_value);
    tcase_add_test(tests, every_wrong_field_is_named);
    tcase_add_test(tests, a_value_that_is_not_an_object_is_one_error);
    tcase_add_test(tests, arrays_are_read_with_their_shape);
    tcase_add_test(tests, wrong_arrays_name_the_first_culprit);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
