/* The JSON codec and problem details: exact texts, codes and pointers. */
#include <check.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "server/base/limits.h"
#include "server/http/reply.h"
#include "server/json/fields.h"
#include "server/json/numbers.h"
#include "server/json/writer.h"
#include "tests/support/suite.h"

static void expect_text(struct json_writer *writer, const char *expected)
{
    struct buffer *text = writer->text;
    ck_assert(!text->failed);
    ck_assert_msg(text->size == strlen(expected) && memcmp(text->bytes, expected, text->size) == 0,
                  "%.*s, not %s", (int)text->size, text->bytes, expected);
    buffer_finish(text);
    *writer = json_writer_to(text);
}

static void expect_float(float value, const char *expected)
{
    struct buffer text = {0};
    struct json_writer writer = json_writer_to(&text);
    json_write_float(&writer, value);
    expect_text(&writer, expected);
}

static void expect_double(double value, const char *expected)
{
    struct buffer text = {0};
    struct json_writer writer = json_writer_to(&text);
    json_write_double(&writer, value);
    expect_text(&writer, expected);
}

START_TEST(writer_puts_commas_where_they_belong)
{
    struct buffer text = {0};
    struct json_writer writer = json_writer_to(&text);
    json_write_object_begin(&writer);
    json_write_key(&writer, "a");
    json_write_array_begin(&writer);
    json_write_array_end(&writer);
    json_write_key(&writer, "b");
    json_write_array_begin(&writer);
    json_write_integer(&writer, INT64_MIN);
    json_write_integer(&writer, INT64_MAX);
    json_write_boolean(&writer, true);
    json_write_null(&writer);
    json_write_string(&writer, NULL);
    json_write_raw(&writer, "[1]");
    json_write_array_end(&writer);
    json_write_key(&writer, "c");
    json_write_object_begin(&writer);
    json_write_object_end(&writer);
    json_write_object_end(&writer);
    expect_text(&writer, "{\"a\":[],\"b\":[-9223372036854775808,9223372036854775807,true,null,null,"
                         "[1]],\"c\":{}}");
}
END_TEST

START_TEST(writer_escapes_strings)
{
    struct buffer text = {0};
    struct json_writer writer = json_writer_to(&text);
    json_write_string(&writer, "\"\\/\b\f\n\r\t\x01\x1f\x7fé");
    expect_text(&writer, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7fé\"");
}
END_TEST

START_TEST(writer_writes_numbers_with_the_fewest_digits)
{
    expect_float(0.0f, "0");
    expect_float(-0.0f, "-0.0");
    expect_float(0.1f, "0.1");
    expect_float(-3.0f, "-3");
    expect_float(999999.0f, "999999");
    expect_float(16777216.0f, "16777216");
    expect_float(1.0f / 3, "0.33333334");
    expect_float(1e20f, "1e+20");
    expect_float(FLT_MAX, "3.4028235e+38");
    expect_float(FLT_TRUE_MIN, "1e-45");
    expect_float(NAN, "null");
    expect_float(-INFINITY, "null");
    expect_double(0.1, "0.1");
    expect_double(1.0 / 3, "0.3333333333333333");
    expect_double(0.1 + 0.2, "0.30000000000000004");
    expect_double(-0.0, "-0.0");
    expect_double(1234567890123.0, "1234567890123");
    expect_double(DBL_TRUE_MIN, "5e-324");
    expect_double(NAN, "null");
}
END_TEST

START_TEST(floats_of_any_bits_come_back_the_same)
{
    uint32_t state = 1;
    for (int i = 0; i < 100000; i++) {
        state = state * 1664525u + 1013904223u;
        float value;
        memcpy(&value, &state, sizeof value);
        if (!isfinite(value))
            continue;
        struct buffer text = {0};
        struct json_writer writer = json_writer_to(&text);
        json_write_array_begin(&writer);
        json_write_float(&writer, value);
        json_write_double(&writer, (double)value / 3);
        json_write_array_end(&writer);
        struct problem problem = {0};
        struct document *document = document_read(text.bytes, text.size, &problem);
        ck_assert_ptr_nonnull(document);
        const struct json_value root = document_root(document);
        const float back = (float)json_value_number(json_value_element(root, 0));
        ck_assert(memcmp(&back, &value, sizeof value) == 0);
        ck_assert(json_value_number(json_value_element(root, 1)) == (double)value / 3);
        document_destroy(document);
        buffer_finish(&text);
    }
}
END_TEST

START_TEST(writer_nests_arrays_by_their_shape)
{
    const float values[] = {0, 0.5f, 2, 3, -1, 5};
    struct buffer text = {0};
    struct json_writer writer = json_writer_to(&text);
    json_write_array_begin(&writer);
    json_write_float_array(&writer, values, (size_t[]){3, 2}, 2);
    json_write_float_array(&writer, values, (size_t[]){1, 2, 1}, 3);
    json_write_float_array(&writer, values, (size_t[]){2, 0}, 2);
    json_write_float_array(&writer, values + 1, NULL, 0);
    json_write_spike_array(&writer, values + 2, (size_t[]){4}, 1);
    json_write_array_end(&writer);
    expect_text(&writer, "[[[0,0.5],[2,3],[-1,5]],[[[0],[0.5]]],[[],[]],0.5,[2,3,-1,5]]");
}
END_TEST

START_TEST(a_document_is_written_as_it_was_read)
{
    const char *text = "{\"a\":[true,1,-2.5,0.1,false,null,\"x\\n\"],\"b\":{},\"c\":[[0.1,2],[3]],"
                       "\"d\":{\"e\":[-1000000,[]],\"f\":{\"g\":[4294967295]}}}";
    struct problem problem = {0};
    struct document *document = document_read(text, strlen(text), &problem);
    struct buffer written = {0};
    struct json_writer writer = json_writer_to(&written);
    json_write_value(&writer, document_root(document));
    expect_text(&writer, text);
    document_destroy(document);
}
END_TEST

START_TEST(members_are_written_between_others)
{
    const char *text = "{\"empty\":{},\"full\":{\"a\":[-1e6],\"b\":\"\"}}";
    struct problem problem = {0};
    struct document *document = document_read(text, strlen(text), &problem);
    struct buffer written = {0};
    struct json_writer writer = json_writer_to(&written);
    json_write_object_begin(&writer);
    json_write_members(&writer, json_value_member(document_root(document), "empty"));
    json_write_number(&writer, "first", 1);
    json_write_members(&writer, json_value_member(document_root(document), "full"));
    json_write_number(&writer, "last", 2);
    json_write_object_end(&writer);
    expect_text(&writer, "{\"first\":1,\"a\":[-1000000],\"b\":\"\",\"last\":2}");
    document_destroy(document);
}
END_TEST

START_TEST(values_are_read_by_their_kind)
{
    const char *text = "{\"null\":null,\"true\":true,\"false\":false,\"number\":-2.5,"
                       "\"string\":\"caf\u00e9\",\"array\":[\"a\",[1],{\"x\":[7]}],"
                       "\"numbers\":[[1,2],[3]],\"object\":{\"deep\":{\"deeper\":[5]}}}";
    struct problem problem = {0};
    struct document *document = document_read(text, strlen(text), &problem);
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
    struct document *document = document_read("[1]", 3, &problem);
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
    ck_assert_ptr_null(document_read(text, size, &problem));
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
    ck_assert_ptr_null(document_read(text, size, &problem));
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
    ck_assert_ptr_null(document_read("[1,\n2 3]", 8, &problem));
    ck_assert_str_eq(problem.detail, "']' expected near '3' (line 2, column 3)");
}
END_TEST

static size_t allocations_left;

static void *allocate_some(size_t size)
{
    return allocations_left > 0 ? (allocations_left--, malloc(size)) : NULL;
}

/* jansson calls a failed allocation within a string a syntax error, so only the first is named. */
START_TEST(a_document_without_memory_is_a_problem)
{
    const char *text = "{\"a\": [1, 2.5, \"word\", {\"b\": null}]}";
    struct document *document = NULL;
    json_set_alloc_funcs(allocate_some, free);
    for (size_t allowed = 0; document == NULL; allowed++) {
        struct problem problem = {0};
        allocations_left = allowed;
        document = document_read(text, strlen(text), &problem);
        ck_assert(document != NULL || problem_is_set(&problem));
        if (allowed == 0)
            ck_assert_uint_eq(problem.code, PROBLEM_OUT_OF_MEMORY);
    }
    document_destroy(document);
    json_set_alloc_funcs(malloc, free);
}
END_TEST

static struct document *parse(const char *text)
{
    struct problem problem = {0};
    struct document *document = document_read(text, strlen(text), &problem);
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
    ck_assert(fields_number(&fields, "n", FIELD_REQUIRED, 2, 2, &n) && n == 2);
    ck_assert(fields_number_above(&fields, "n", FIELD_REQUIRED, 1, 2, &above) && above == 2);
    ck_assert(fields_boolean(&fields, "b", FIELD_REQUIRED, &b) && b);
    ck_assert(fields_string(&fields, "s", FIELD_REQUIRED, 3, &s));
    ck_assert_str_eq(s, "abc");
    ck_assert(
        fields_choice(&fields, "c", FIELD_REQUIRED, (const char *[]){"sgd", "adam", NULL}, &c));
    ck_assert_uint_eq(c, 1);
    ck_assert(!fields_integer(&fields, "z", FIELD_OPTIONAL, 0, 9, &absent) && absent == 7);
    ck_assert(!fields_integer(&fields, "y", FIELD_OPTIONAL, 0, 9, &absent) && absent == 7);
    ck_assert(fields_has(&fields, "z") && !fields_has(&fields, "y"));
    ck_assert(fields_float_array(&fields, "x", FIELD_REQUIRED, 2, 2, 2, &x) && x.count == 2);
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
    ck_assert(!fields_number(&fields, "n", FIELD_REQUIRED, 0, 9, &n));
    ck_assert(!fields_number_above(&fields, "low", FIELD_REQUIRED, 0, 9, &n));
    ck_assert(!fields_boolean(&fields, "b", FIELD_REQUIRED, &b));
    ck_assert(!fields_string(&fields, "s", FIELD_REQUIRED, 3, &s));
    ck_assert(
        !fields_choice(&fields, "c", FIELD_REQUIRED, (const char *[]){"sgd", "adam", NULL}, &c));
    ck_assert(!fields_number(&fields, "null", FIELD_REQUIRED, 0, 9, &n));
    ck_assert(!fields_number(&fields, "absent", FIELD_REQUIRED, 0, 9, &n));
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

START_TEST(what_is_no_object_is_one_error)
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
        fields_float_array(&fields, "x", FIELD_REQUIRED, min_rank, max_rank, limit, array);
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
    ck_assert_uint_eq((uintptr_t)array.values % 64, 0);
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

START_TEST(a_problem_is_written_as_rfc_9457_says)
{
    struct problem problem = {0};
    struct buffer text = {0};
    struct json_writer writer = json_writer_to(&text);
    problem_add_field(&problem, PROBLEM_OUT_OF_RANGE, "/m", "must be above %d", 2);
    problem_add_parameter(&problem, PROBLEM_INVALID_PARAMETER, "limit", "must be a number");
    problem_set(&problem, PROBLEM_NOT_FOUND, "comes too late");
    reply_write_problem(&problem, "/encode", "r1", &writer);
    expect_text(
        &writer,
        "{\"type\":\"about:blank\",\"title\":\"Unprocessable Content\",\"status\":422,"
        "\"detail\":\"/m: must be above 2\",\"instance\":\"/encode\","
        "\"code\":\"out_of_range\",\"errors\":[{\"pointer\":\"/m\",\"code\":\"out_of_range\","
        "\"detail\":\"must be above 2\"},{\"parameter\":\"limit\",\"code\":"
        "\"invalid_parameter\",\"detail\":\"must be a number\"}],\"request_id\":\"r1\"}");
    problem = (struct problem){0};
    problem_set(&problem, PROBLEM_STORE_FULL, "the disk is full");
    reply_write_problem(&problem, "/models", "r2", &writer);
    expect_text(&writer,
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
        struct json_writer writer = json_writer_to(&text);
        reply_write_problem(&problem, "/", "r", &writer);
        struct problem unreadable = {0};
        struct document *document = document_read(text.bytes, text.size, &unreadable);
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
    TCase *tests = tcase_create("json");
    tcase_add_test(tests, writer_puts_commas_where_they_belong);
    tcase_add_test(tests, writer_escapes_strings);
    tcase_add_test(tests, writer_writes_numbers_with_the_fewest_digits);
    tcase_add_test(tests, floats_of_any_bits_come_back_the_same);
    tcase_add_test(tests, writer_nests_arrays_by_their_shape);
    tcase_add_test(tests, a_document_is_written_as_it_was_read);
    tcase_add_test(tests, members_are_written_between_others);
    tcase_add_test(tests, values_are_read_by_their_kind);
    tcase_add_test(tests, an_absent_value_has_nothing);
    tcase_add_test(tests, only_a_stored_text_may_be_longer_than_a_body);
    tcase_add_test(tests, one_value_is_told_from_other_texts);
    tcase_add_test(tests, unreadable_bodies_have_their_codes);
    tcase_add_test(tests, an_unreadable_body_says_where_it_broke);
    tcase_add_test(tests, a_document_without_memory_is_a_problem);
    tcase_add_test(tests, fields_are_read_by_value);
    tcase_add_test(tests, every_wrong_field_is_named);
    tcase_add_test(tests, what_is_no_object_is_one_error);
    tcase_add_test(tests, arrays_are_read_with_their_shape);
    tcase_add_test(tests, wrong_arrays_name_the_first_culprit);
    tcase_add_test(tests, a_problem_is_written_as_rfc_9457_says);
    tcase_add_test(tests, every_code_has_a_status_and_a_name_of_its_own);
    tcase_add_test(tests, long_texts_are_cut_between_characters);
    Suite *suite = suite_create("json");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
