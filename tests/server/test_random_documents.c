/* Documents as the service reads them, held against jansson alone: the same texts are accepted and
 * refused, in the same words, and numbers have the same bits. TEMPOTROND_FUZZ=1000000 makes it that
 * many random documents. */
#include <check.h>
#include <float.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/json/float_array.h"
#include "server/json/numbers.h"
#include "tests/support/suite.h"

enum { SHORT_FORM = 60000, TEXT = 512 };

/* --- the reference: what jansson says of a text --- */

static json_t *reference(const char *text, size_t size, json_error_t *error)
{
    return json_loadb(text, size,
                      JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, error);
}

/* Compares the numbers of `value`, at `depth`, with what comes next; false at the first that does
 * not fit the shape of rank 2. */
static bool same_numbers(const json_t *value, const struct float_array *array, unsigned depth,
                         size_t *next)
{
    if (depth == array->rank) {
        const float expected = (float)json_number_value(value);
        return json_is_number(value) && fabsf(expected) <= FLT_MAX &&
               memcmp(&expected, &array->values[(*next)++], sizeof expected) == 0;
    }
    if (!json_is_array(value) || json_array_size(value) != array->shape[depth])
        return false;
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!same_numbers(json_array_get(value, i), array, depth + 1, next))
            return false;
    return true;
}

/* Whether jansson's value is a rectangle of finite float32, of a rank from 1 to 3. */
static bool is_rectangle(const json_t *value, struct float_array *shape)
{
    *shape = (struct float_array){0};
    for (const json_t *at = value; json_is_array(at); at = json_array_get(at, 0)) {
        if (shape->rank == 3 || json_array_size(at) == 0)
            return false;
        shape->shape[shape->rank++] = json_array_size(at);
    }
    return shape->rank > 0;
}

static bool fits(const json_t *value, const struct float_array *shape, unsigned depth)
{
    if (depth == shape->rank)
        return json_is_number(value) && fabsf((float)json_number_value(value)) <= FLT_MAX;
    if (!json_is_array(value) || json_array_size(value) != shape->shape[depth])
        return false;
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!fits(json_array_get(value, i), shape, depth + 1))
            return false;
    return true;
}

/* The walk finds every number of the value, in order, with the bits of its double. */
static void check_walk(const json_t *value, struct numbers_walk *walk)
{
    double number;
    const enum numbers_token token = numbers_next(walk, &number);
    if (!json_is_array(value)) {
        const double expected = json_number_value(value);
        ck_assert_int_eq(token, NUMBERS_NUMBER);
        ck_assert_mem_eq(&number, &expected, sizeof number);
        return;
    }
    ck_assert_int_eq(token, NUMBERS_OPEN);
    for (size_t i = 0; i < json_array_size(value); i++)
        check_walk(json_array_get(value, i), walk);
    ck_assert_int_eq(numbers_next(walk, &number), NUMBERS_CLOSE);
}

static bool same_value(struct json_value kept, const json_t *value);

static bool same_elements(struct json_value kept, const json_t *value)
{
    bool same = json_value_count(kept) == json_array_size(value);
    for (size_t i = 0; same && i < json_array_size(value); i++)
        same = same_value(json_value_element(kept, i), json_array_get(value, i));
    return same;
}

static bool same_members(struct json_value kept, const json_t *value)
{
    const char *name = NULL;
    size_t count = 0;
    bool same = true;
    while (same && (name = json_value_next_name(kept, name)) != NULL) {
        same = same_value(json_value_member(kept, name), json_object_get(value, name));
        count++;
    }
    return same && count == json_object_size(value);
}

/* Whether the handle shows the same value as jansson. */
static bool same_value(struct json_value kept, const json_t *value)
{
    switch (json_value_kind(kept)) {
    case JSON_KIND_ABSENT:
        return false;
    case JSON_KIND_NULL:
        return json_is_null(value);
    case JSON_KIND_BOOLEAN:
        return json_is_boolean(value) && json_value_boolean(kept) == json_is_true(value);
    case JSON_KIND_NUMBER:
        return json_is_number(value) && json_value_number(kept) == json_number_value(value);
    case JSON_KIND_STRING:
        return json_is_string(value) && json_value_size(kept) == json_string_length(value) &&
               strcmp(json_value_string(kept), json_string_value(value)) == 0;
    case JSON_KIND_ARRAY:
        return json_is_array(value) && same_elements(kept, value);
    case JSON_KIND_OBJECT:
        return json_is_object(value) && same_members(kept, value);
    }
    return false;
}

static void check_member(struct fields *fields, const char *name, const json_t *value,
                         const char *text)
{
    size_t next = 0;
    struct float_array array = {0}, shape;
    const struct json_value kept = fields_get(fields, name, FIELD_OPTIONAL);
    const struct numbers *numbers = json_value_numbers(kept);
    if (numbers != NULL) {
        struct numbers_walk walk = numbers_walk(numbers);
        check_walk(value, &walk);
    } else if (!json_is_object(value)) {
        ck_assert_msg(json_is_null(value) || same_value(kept, value), "%s: %s", text, name);
    }
    const bool fit = is_rectangle(value, &shape) && fits(value, &shape, 0);
    const bool read = float_array_read(fields, name, FIELD_OPTIONAL, 1, 3, SIZE_MAX, &array);
    ck_assert_msg(read == fit, "%s: %s is %s", text, name, read ? "read" : "refused");
    ck_assert_msg(!read || same_numbers(value, &array, 0, &next), "%s: %s", text, name);
    float_array_finish(&array);
}

static void check_object(struct fields *fields, const json_t *object, const char *text)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value) {
        struct fields inner;
        struct problem problem = {0};
        fields->asked_count = 0;
        if (json_is_object(value) && fields->pointer[0] == '\0') {
            fields_open(&inner, fields_get(fields, name, FIELD_OPTIONAL), "/inner", &problem);
            check_object(&inner, value, text);
        } else {
            check_member(fields, name, value, text);
        }
    }
}

static void check_text(const char *text, size_t size)
{
    json_error_t error = {0};
    struct problem problem = {0};
    char *exact = malloc(size > 0 ? size : 1); /* a sanitizer guards the byte after it */
    memcpy(exact, text, size);
    json_t *expected = reference(text, size, &error);
    struct document *document = document_read(exact, size, NULL, &problem);
    ck_assert_msg((expected != NULL) == (document != NULL), "%.*s: %s, where jansson says %s",
                  (int)size, text, problem.detail, error.text);
    if (expected == NULL && size > 0 && json_error_code(&error) != json_error_null_character) {
        char detail[PROBLEM_DETAIL];
        snprintf(detail, sizeof detail, "%s (line %d, column %d)", error.text, error.line,
                 error.column);
        ck_assert_msg(strcmp(problem.detail, detail) == 0, "%.*s: %s, where jansson says %s",
                      (int)size, text, problem.detail, detail);
    }
    if (json_is_object(expected)) {
        struct fields fields;
        struct problem wrong = {0};
        fields_open_document(&fields, document, &wrong);
        check_object(&fields, expected, text);
    }
    document_destroy(document);
    json_decref(expected);
    free(exact);
}

/* --- texts --- */

static const char *const known_texts[] = {
    "{}",
    "[]",
    "[[1,2],[3]]",
    "1",
    "\"x\"",
    "null",
    "",
    " ",
    "{",
    "{\"",
    "{\"x\"",
    "{\"x\":",
    "{\"x\":[",
    "{\"x\":[1",
    "{\"x\":[1,",
    "{\"x\":[1]",
    "{\"x\":[1],",
    "{\"x\":[[1,2],[3,NaN]],\"y\":1}",
    "{\"x\":[[1,2],[3,-]]}",
    "{\"x\":[[1,2],[3,]]}",
    "{\"x\":[[1,2],,[3]]}",
    "{\"x\":[,1]}",
    "{\"x\":[[1,2] [3]]}",
    "{\"x\":[1 2]}",
    "{\"x\":[1}",
    "{\"x\":[[1}]}",
    "{\"x\":[[1]}",
    "{\"x\":[1]]}",
    "{\"x\":[01]}",
    "{\"x\":[1.]}",
    "{\"x\":[.5]}",
    "{\"x\":[+1]}",
    "{\"x\":[1e]}",
    "{\"x\":[1e+]}",
    "{\"x\":[1e5,1E5,1e+5,1e-5,-0,-0.0,0e0]}",
    "{\"x\":[1e999]}",
    "{\"x\":[-1e999]}",
    "{\"x\":[1e-999,1e39,3.4028235e38,3.4028236e38]}",
    "{\"x\":[1]\n,\n\"y\":[2,\n3,x]}",
    "{\"\xc3\xa9\":[1],\"y\":[\xc3]}",
    "{\"\xc3\xa9\":[1],\"y\":oops}",
    "{\"\xff\":[1]}",
    "{\"x\":[1],\"x\":[2]}",
    "{\"x\":[1],\"y\":{\"x\":[1],\"x\":[2]}}",
    "{\"x\":[1,\"a\"],\"y\":[2]}",
    "{\"x\":[[\"a\",\"]\"],[\"\\\"]\",1]],\"y\":[2]}",
    "{\"x\":[1,{\"y\":[1]}],\"y\":[2]}",
    "{\"x\":[1,true,null],\"y\":[2,false]}",
    "{\"x\":[[],[1]],\"y\":[[1],[]],\"z\":[[[[[1]]]]]}",
    "{\"x\":[ ],\"y\":[\t[\r1\n] ]}",
    "{\"a\":{\"b\":{\"c\":[1],\"d\":[2]},\"e\":[3,4]},\"f\":[5]}",
    "{\"a\":[0],\"b\":[1,[2]],\"c\":[[1,2],3]}",
    "{\"a\":[0],\"b\":\"\\u0000\"}",
    "{\"\\u0061\":[0],\"a\":[1]}",
    "{\"x\":[1]} {}",
    "{\"x\":[1]},",
    "{\"x\":[0,0,0,0,0,0,0,0]}",
    "{\"x\":[0,0,0,0, 1,0,0,0,0,\n2]}",
    "{\"x\":[0,0,0,0,[1]],\"y\":[0, 0, 0, 0, [1]]}",
    "{\"x\":[0,0,0,0,null],\"y\":[0, 0, 0, 0, \"a\"]}",
    "{\"x\":[0,0,0,0,00,1]}",
    "{\"x\":[0, 0, 0, 0, 0, 0, 0, 0, -0, 1]}",
    "{\"x\":[0, 0, 0, 0, ]}",
    "{\"x\":[0,0,0,0,]}",
    "{\"x\":[[0,0,0,0,0],[0,0,0,0,5]]}",
    "{\"x\":[0,0,0,0,",
    "{\"x\":[0.1,0.30000000000000004,123456789012345678901234567890]}",
};

START_TEST(documents_are_read_as_jansson_reads_them)
{
    for (size_t i = 0; i < sizeof known_texts / sizeof *known_texts; i++)
        check_text(known_texts[i], strlen(known_texts[i]));
    struct problem problem = {0};
    ck_assert_ptr_null(document_read("{\"x\":[1\0]}", 10, NULL, &problem));
    ck_assert_str_eq(problem.detail, "JSON can't contain a NUL (byte 7).");
}
END_TEST

/* Wherever the room for a block of zeros ends. */
START_TEST(arrays_grow_while_a_row_of_zeros_is_read)
{
    enum { FIRST = 4096, MOST = 2 * (FIRST + 64) + 16 };
    char *text = malloc(MOST);
    for (size_t ones = FIRST - 20; ones <= FIRST + 4; ones++) {
        size_t size = (size_t)sprintf(text, "{\"x\":[");
        for (size_t i = 0; i < ones + 40; i++) {
            text[size++] = i < ones ? '1' : '0';
            text[size++] = ',';
        }
        size += (size_t)sprintf(text + size, "2]}");
        check_text(text, size);
    }
    free(text);
}
END_TEST

START_TEST(arrays_may_be_nested_as_deeply_as_for_jansson)
{
    for (size_t depth = 1; depth <= 2049; depth += depth < 70 ? 1 : 1979) {
        char text[2 * 2049 + 16];
        size_t size = 0;
        size += (size_t)sprintf(text, "{\"x\":");
        memset(text + size, '[', depth - 1);
        size += depth - 1;
        text[size++] = '1';
        memset(text + size, ']', depth - 1);
        size += depth - 1;
        text[size++] = '}';
        json_error_t error;
        struct problem problem = {0};
        json_t *expected = reference(text, size, &error);
        struct document *document = document_read(text, size, NULL, &problem);
        ck_assert((expected != NULL) == (document != NULL));
        document_destroy(document);
        json_decref(expected);
    }
}
END_TEST

/* --- random ones --- */

struct writing {
    uint64_t state;
    char text[TEXT];
    size_t size;
};

static unsigned draw(struct writing *writing, unsigned below)
{
    writing->state = writing->state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(writing->state >> 33) % below;
}

static void write_text(struct writing *writing, const char *text)
{
    const size_t size = strlen(text);
    if (writing->size + size >= TEXT)
        return;
    memcpy(writing->text + writing->size, text, size);
    writing->size += size;
}

static void write_one_of(struct writing *writing, const char *const *texts, unsigned count)
{
    write_text(writing, texts[draw(writing, count)]);
}
#define WRITE_ONE_OF(writing, ...)                                                                 \
    write_one_of(writing, (const char *const[]){__VA_ARGS__},                                      \
                 sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void write_space(struct writing *writing)
{
    if (draw(writing, 8) == 0)
        WRITE_ONE_OF(writing, " ", "\n", "\t", "\r", "  ");
}

static void write_number(struct writing *writing)
{
    char text[64];
    switch (draw(writing, 6)) {
    case 0:
    case 1:
        snprintf(text, sizeof text, "%u", draw(writing, 256));
        break;
    case 2:
        snprintf(text, sizeof text, "%.17g", ldexp((double)draw(writing, 1u << 30), -30));
        break;
    case 3:
        snprintf(text, sizeof text, "-%.9ge%d", (double)draw(writing, 1u << 30),
                 (int)draw(writing, 90) - 45);
        break;
    case 4:
        snprintf(text, sizeof text, "%u%09u.%u", draw(writing, 1u << 30), draw(writing, 1000000000),
                 draw(writing, 1000));
        break;
    default:
        WRITE_ONE_OF(writing, "0", "-0", "1e39", "1e999", "1e-999", "0.1", "1E+2", "16777217",
                     "9007199254740993", "1e-46", "3.4028235677973366e38");
        return;
    }
    write_text(writing, text);
}

static void write_value(struct writing *writing, unsigned depth);

/* As the background of images has them. */
static void write_zeros(struct writing *writing)
{
    const char *zero = draw(writing, 2) == 0 ? "0," : "0, ";
    for (unsigned i = draw(writing, 14); i > 0; i--)
        write_text(writing, zero);
}

static void write_array(struct writing *writing, unsigned depth)
{
    const unsigned size = draw(writing, 10) == 0 ? 0 : 1 + draw(writing, 3);
    const bool is_row = depth >= 2 || draw(writing, 2) == 0;
    const bool is_mixed = draw(writing, 12) == 0;
    write_text(writing, "[");
    for (unsigned i = 0; i < size; i++) {
        write_space(writing);
        if (i > 0)
            write_text(writing, ",");
        write_space(writing);
        if (is_mixed && draw(writing, 2) == 0)
            write_value(writing, depth + 1);
        else if (is_row) {
            if (draw(writing, 6) == 0)
                write_zeros(writing);
            write_number(writing);
        } else {
            write_array(writing, depth + 1);
        }
    }
    write_space(writing);
    write_text(writing, "]");
}

static void write_object(struct writing *writing, unsigned depth)
{
    const unsigned size = draw(writing, 4);
    write_text(writing, "{");
    for (unsigned i = 0; i < size; i++) {
        if (i > 0)
            write_text(writing, ",");
        write_space(writing);
        WRITE_ONE_OF(writing, "\"x\"", "\"label\"", "\"a\"", "\"b\"", "\"\\u0078\"", "\"\xc3\xa9\"",
                     "\"[\"", "\"\\\"\"", "\"\"");
        write_space(writing);
        write_text(writing, ":");
        write_space(writing);
        if (draw(writing, 3) > 0)
            write_array(writing, 0);
        else
            write_value(writing, depth + 1);
        write_space(writing);
    }
    write_text(writing, "}");
}

static void write_value(struct writing *writing, unsigned depth)
{
    const unsigned kind = draw(writing, depth < 3 ? 6 : 4);
    if (kind == 4)
        write_object(writing, depth + 1);
    else if (kind == 5)
        write_array(writing, depth);
    else if (kind == 3)
        write_number(writing);
    else
        WRITE_ONE_OF(writing, "true", "false", "null", "\"\"", "\"a]\"", "\"\\\\\"",
                     "\"\\u00e9\\n\"", "\"\xf0\x9f\x98\x80\"");
}

/* Most of the wrong ones are wrong by a byte. */
static void damage(struct writing *writing)
{
    static const char bytes[] = "[]{},:\"\\0129.eE+-tn \n\xc3\x01";
    const size_t at = draw(writing, (unsigned)writing->size);
    const char byte = bytes[draw(writing, sizeof bytes - 1)];
    switch (draw(writing, 4)) {
    case 0:
        writing->text[at] = byte;
        break;
    case 1:
        memmove(writing->text + at, writing->text + at + 1, --writing->size - at);
        break;
    case 2:
        writing->size = at;
        break;
    default:
        if (writing->size + 1 < TEXT) {
            memmove(writing->text + at + 1, writing->text + at, writing->size++ - at);
            writing->text[at] = byte;
        }
    }
}

START_TEST(random_documents_are_read_as_jansson_reads_them)
{
    const unsigned long count = suite_rounds(SHORT_FORM);
    struct writing writing = {.state = 2026};
    for (unsigned long i = 0; i < count; i++) {
        writing.size = 0;
        write_object(&writing, 0);
        while (draw(&writing, 3) == 0 && writing.size > 0)
            damage(&writing);
        writing.text[writing.size] = '\0';
        check_text(writing.text, writing.size);
    }
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("documents");
    tcase_set_timeout(tests, 600);
    tcase_add_test(tests, documents_are_read_as_jansson_reads_them);
    tcase_add_test(tests, arrays_grow_while_a_row_of_zeros_is_read);
    tcase_add_test(tests, arrays_may_be_nested_as_deeply_as_for_jansson);
    tcase_add_test(tests, random_documents_are_read_as_jansson_reads_them);
    Suite *suite = suite_create("random_documents");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
