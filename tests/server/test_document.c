/* Documents that are read: the values of each kind, and what is not a document. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "server/base/budget.h"
#include "server/base/buffer.h"
#include "server/base/limits.h"
#include "server/base/problem.h"
#include "server/http/reply.h"
#include "server/json/document.h"
#include "server/json/numbers.h"
#include "server/json/value.h"
#include "tests/support/suite.h"

START_TEST(values_are_read_by_their_kind)
{
    const char *text = "{\"null\":null,\"true\":true,\"false\":false,\"number\":-2.5,"
                       "\"string\":\"caf\u00e9\",\"array\":[\"a\",[1],{\"x\":[7]}],"
                       "\"numbers\":[[1,2],[3]],\"object\":{\"deep\":{\"deeper\":[5]}}}";
    struct problem problem = {0};
    struct document *document = document_read(text, strlen(text), NULL, &problem);
    ck_assert_ptr_nonnull(document);
    const struct json_value root = document_root(document);
    ck_assert_int_eq(json_value_kind(root), JSON_KIND_OBJECT);
    ck_assert_int_eq(json_value_kind(json_value_member(root, "null")), JSON_KIND_NULL);
    ck_assert(!json_value_is_given(json_value_member(root, "null")));
    ck_assert(json_value_boolean(json_value_member(root, "true")));
    ck_assert(!json_value_boolean(json_value_member(root, "false")));
    ck_assert_int_eq(json_value_kind(json_value_member(root, "false")), JSON_KIND_BOOLEAN);
    ck_assert(json_value_number(json_value_member(root, "number")) == -2.5);
    ck_assert_str_eq(json_value_string(json_value_member(root, "string")), "caf\xc3\xa9");
    ck_assert_uint_eq(json_value_size(json_value_member(root, "string")), 5);

    const struct json_value array = json_value_member(root, "array");
    ck_assert_uint_eq(json_value_count(array), 3);
    ck_assert_ptr_null(json_value_numbers(array));
    ck_assert_str_eq(json_value_string(json_value_element(array, 0)), "a");
    const struct json_value inner = json_value_element(array, 1);
    ck_assert_ptr_null(json_value_numbers(inner));
    ck_assert(json_value_number(json_value_element(inner, 0)) == 1);
    const struct json_value x = json_value_member(json_value_element(array, 2), "x");
    ck_assert_ptr_null(json_value_numbers(x));
    ck_assert(json_value_number(json_value_element(x, 0)) == 7);

    const struct json_value numbers = json_value_member(root, "numbers");
    ck_assert_int_eq(json_value_kind(numbers), JSON_KIND_ARRAY);
    ck_assert_uint_eq(json_value_count(numbers), 2);
    ck_assert_uint_eq(json_value_numbers(numbers)->count, 3);
    ck_assert_int_eq(json_value_kind(json_value_element(numbers, 0)), JSON_KIND_ABSENT);

    const struct json_value deeper =
        json_value_member(json_value_member(json_value_member(root, "object"), "deep"), "deeper");
    ck_assert_ptr_null(json_value_numbers(deeper));
    ck_assert(json_value_number(json_value_element(deeper, 0)) == 5);
    document_destroy(document);
}
END_TEST

START_TEST(an_absent_value_has_nothing)
{
    struct problem problem = {0};
    struct document *document = document_read("[1]", 3, NULL, &problem);
    ck_assert_ptr_nonnull(document);
    const struct json_value absent = json_value_member(document_root(document), "x");
    ck_assert_int_eq(json_value_kind(absent), JSON_KIND_ABSENT);
    ck_assert(!json_value_boolean(absent) && json_value_number(absent) == 0);
    ck_assert_ptr_null(json_value_string(absent));
    ck_assert_ptr_null(json_value_numbers(absent));
    ck_assert_ptr_null(json_value_next_name(absent, NULL));
    ck_assert_uint_eq(json_value_size(absent) + json_value_count(absent), 0);
    ck_assert_int_eq(json_value_kind(json_value_element(absent, 0)), JSON_KIND_ABSENT);
    ck_assert_int_eq(json_value_kind(json_value_element(document_root(document), 1)),
                     JSON_KIND_ABSENT);
    document_destroy(document);
}
END_TEST

/* As long as the store's own texts may be. */
START_TEST(only_a_stored_text_may_be_longer_than_a_body)
{
    const size_t size = LIMIT_DOCUMENT + 3;
    struct problem problem = {0};
    char *text = malloc(size + 1);
    ck_assert_ptr_nonnull(text);
    memset(text, 'a', size);
    memcpy(text, "[\"", 2);
    memcpy(text + size - 2, "\"]", 3);
    struct document *document = document_read_stored(text, &problem);
    ck_assert_ptr_nonnull(document);
    ck_assert_uint_eq(json_value_size(json_value_element(document_root(document), 0)), size - 4);
    document_destroy(document);
    ck_assert_ptr_null(document_read(text, size, NULL, &problem));
    ck_assert_uint_eq(problem.code, PROBLEM_BODY_TOO_LARGE);
    free(text);
}
END_TEST

/* {"z":[{},{},...]}: free() */
static char *many_objects(size_t count)
{
    char *text = malloc(3 * count + 16), *at = text;
    ck_assert_ptr_nonnull(text);
    at = stpcpy(at, "{\"z\":[{}");
    for (size_t i = 1; i < count; i++)
        at = stpcpy(at, ",{}");
    strcpy(at, "]}");
    return text;
}

START_TEST(values_that_would_take_too_much_memory_are_too_large)
{
    struct budget budget = {.max = SIZE_MAX};
    struct charge memory = {.budget = &budget};
    struct problem problem = {0};
    char *text = many_objects(LIMIT_DOCUMENT / 3 - 16);
    ck_assert_ptr_null(document_read(text, strlen(text), &memory, &problem));
    ck_assert_uint_eq(problem.code, PROBLEM_BODY_TOO_LARGE);
    ck_assert_uint_eq(budget_used(&budget), 0);
    free(text);
}
END_TEST

START_TEST(reading_counts_in_the_memory_that_is_given)
{
    enum { OBJECTS = 20000, MUCH = 64 * 1024 * 1024 };
    struct budget budget = {.max = MUCH};
    struct charge memory = {.budget = &budget};
    struct problem problem = {0};
    char *text = many_objects(OBJECTS);
    struct document *document = document_read(text, strlen(text), &memory, &problem);
    ck_assert_ptr_nonnull(document);
    ck_assert_uint_gt(budget_used(&budget), OBJECTS * 100);
    document_destroy(document);
    ck_assert_uint_eq(budget_used(&budget), 0);

    ck_assert(budget_take(&budget, MUCH - OBJECTS * 100));
    ck_assert_ptr_null(document_read(text, strlen(text), &memory, &problem));
    ck_assert_uint_eq(problem.code, PROBLEM_OVERLOADED);
    ck_assert_uint_eq(budget_used(&budget), MUCH - OBJECTS * 100);

    budget = (struct budget){.max = OBJECTS * 100};
    problem = (struct problem){0};
    ck_assert_ptr_null(document_read(text, strlen(text), &memory, &problem));
    ck_assert_uint_eq(problem.code, PROBLEM_BODY_TOO_LARGE);
    ck_assert_uint_eq(budget_used(&budget), 0);
    free(text);
}
END_TEST

/* A handler that takes the numbers keeps them longer than the document. */
START_TEST(numbers_count_until_the_charge_is_finished)
{
    static const char text[] = "{\"x\": [1, 2.5, 3], \"y\": [[4], [5]]}";
    enum { NUMBERS = 5 };
    struct budget budget = {.max = 1024 * 1024};
    struct charge memory = {.budget = &budget};
    struct problem problem = {0};
    document_destroy(document_read(text, sizeof text - 1, &memory, &problem));
    ck_assert_uint_eq(problem.code, PROBLEM_NONE);
    ck_assert_uint_eq(budget_used(&budget), NUMBERS * sizeof(float));
    charge_finish(&memory);
    ck_assert_uint_eq(budget_used(&budget), 0);

    budget.max = sizeof text;
    ck_assert_ptr_null(document_read(text, sizeof text - 1, &memory, &problem));
    ck_assert_uint_eq(problem.code, PROBLEM_OVERLOADED);
    ck_assert_uint_eq(budget_used(&budget), 0);
}
END_TEST

START_TEST(arrays_that_are_too_many_are_too_large)
{
    enum { ARRAYS = LIMIT_BLOCKS + 1, MEMBER = 16 };
    struct problem problem = {0};
    char *text = malloc((size_t)ARRAYS * MEMBER);
    ck_assert_ptr_nonnull(text);
    size_t size = 0;
    for (size_t i = 0; i < ARRAYS; i++)
        size += (size_t)sprintf(text + size, "%c\"%06zx\":[1]", i == 0 ? '{' : ',', i);
    text[size++] = '}';
    ck_assert_ptr_null(document_read(text, size, NULL, &problem));
    ck_assert_uint_eq(problem.code, PROBLEM_BODY_TOO_LARGE);
    free(text);
}
END_TEST

START_TEST(one_value_is_told_from_other_texts)
{
    static const char *const values[] = {"1",    "[1,2]", "\"a\"", "null", "{\"a\":1,\"a\":2}",
                                         " 1e3 "};
    static const char *const others[] = {"", "a", "1 2", "v_max", "[1", "1e999", "01"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        ck_assert_msg(document_matches(values[i]), "%s", values[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_msg(!document_matches(others[i]), "%s", others[i]);
}
END_TEST

static void expect_unreadable(const char *text, size_t size, enum problem_code code)
{
    struct problem problem = {0};
    ck_assert_ptr_null(document_read(text, size, NULL, &problem));
    ck_assert_msg(problem.code == code, "%.40s: %s, not %s", text, problem_name(problem.code),
                  problem_name(code));
    ck_assert_uint_eq(problem_status(problem.code), 400);
    ck_assert_uint_eq(problem.field_count, 0);
}

START_TEST(unreadable_bodies_have_their_codes)
{
    static const struct {
        const char *text;
        enum problem_code code;
    } cases[] = {
        {"", PROBLEM_TRUNCATED_JSON},
        {" \n", PROBLEM_TRUNCATED_JSON},
        {"{\"a\": [1, 2", PROBLEM_TRUNCATED_JSON},
        {"{\"a\": \"b", PROBLEM_TRUNCATED_JSON},
        {"hello", PROBLEM_INVALID_JSON},
        {"{\"a\": NaN}", PROBLEM_INVALID_JSON},
        {"[Infinity]", PROBLEM_INVALID_JSON},
        {"[1,]", PROBLEM_INVALID_JSON},
        {"{} {}", PROBLEM_INVALID_JSON},
        {"[\"\\u0000\"]", PROBLEM_INVALID_JSON},
        {"[\"\xff\"]", PROBLEM_INVALID_UTF8},
        {"{\"a\": 1, \"a\": 2}", PROBLEM_DUPLICATE_KEY},
        {"[1e999]", PROBLEM_NUMBER_OUT_OF_RANGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_unreadable(cases[i].text, strlen(cases[i].text), cases[i].code);
    char deep[4096];
    memset(deep, '[', sizeof deep);
    expect_unreadable(deep, sizeof deep, PROBLEM_NESTING_TOO_DEEP);
    expect_unreadable("[1]\0", 4, PROBLEM_INVALID_JSON);
}
END_TEST

START_TEST(an_unreadable_body_says_where_it_broke)
{
    struct problem problem = {0};
    ck_assert_ptr_null(document_read("[1,\n2 3]", 8, NULL, &problem));
    ck_assert_str_eq(problem.detail, "']' expected near '3' (line 2, column 3)");
}
END_TEST

static size_t allocations_left;

static void *allocate_some(size_t size)
{
    return allocations_left > 0 ? (allocations_left--, malloc(size)) : NULL;
}

/* jansson calls a failed allocation within a string a syntax error; the document does not. */
START_TEST(a_document_without_memory_is_a_problem)
{
    const char *text = "{\"a\": [1, 2.5, \"word\", {\"b\": null}]}";
    struct document *document = NULL;
    json_set_alloc_funcs(allocate_some, free);
    for (size_t allowed = 0; document == NULL; allowed++) {
        struct problem problem = {0};
        allocations_left = allowed;
        document = document_read(text, strlen(text), NULL, &problem);
        if (document == NULL)
            ck_assert_uint_eq(problem.code, PROBLEM_OUT_OF_MEMORY);
    }
    document_destroy(document);
    json_set_alloc_funcs(malloc, free);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("document");
    TCase *tests = tcase_create("json");
    tcase_add_test(tests, values_are_read_by_their_kind);
    tcase_add_test(tests, an_absent_value_has_nothing);
    tcase_add_test(tests, only_a_stored_text_may_be_longer_than_a_body);
    tcase_add_test(tests, values_that_would_take_too_much_memory_are_too_large);
    tcase_add_test(tests, reading_counts_in_the_memory_that_is_given);
    tcase_add_test(tests, numbers_count_until_the_charge_is_finished);
    tcase_add_test(tests, arrays_that_are_too_many_are_too_large);
    tcase_add_test(tests, one_value_is_told_from_other_texts);
    tcase_add_test(tests, unreadable_bodies_have_their_codes);
    tcase_add_test(tests, an_unreadable_body_says_where_it_broke);
    tcase_add_test(tests, a_document_without_memory_is_a_problem);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
