/* The JSON that is written: commas, strings, numbers and arrays. */
#include <check.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include <jansson.h>

#include "server/base/buffer.h"
#include "server/base/problem.h"
#include "server/http/reply.h"
#include "server/json/document.h"
#include "server/json/value.h"
#include "server/json/writer.h"
#include "tests/support/suite.h"
#include "tests/support/value_writer.h"
#include "tests/support/writing.h"

static void expect_float(float value, const char *expected)
{
    struct buffer text = {0};
    json_write_float(&text, value);
    expect_written(&text, expected);
}

static void expect_double(double value, const char *expected)
{
    struct buffer text = {0};
    json_write_double(&text, value);
    expect_written(&text, expected);
}

START_TEST(writer_puts_commas_where_they_belong)
{
    struct buffer text = {0};
    json_write_object_begin(&text);
    json_write_key(&text, "a");
    json_write_array_begin(&text);
    json_write_array_end(&text);
    json_write_key(&text, "b");
    json_write_array_begin(&text);
    json_write_integer(&text, INT64_MIN);
    json_write_integer(&text, INT64_MAX);
    json_write_boolean(&text, true);
    json_write_null(&text);
    json_write_string(&text, NULL);
    json_write_raw(&text, "[1]");
    json_write_array_end(&text);
    json_write_key(&text, "c");
    json_write_object_begin(&text);
    json_write_object_end(&text);
    json_write_object_end(&text);
    expect_written(&text,
                   "{\"a\":[],\"b\":[-9223372036854775808,9223372036854775807,true,null,null,"
                   "[1]],\"c\":{}}");
}
END_TEST

START_TEST(writer_escapes_strings)
{
    struct buffer text = {0};
    json_write_string(&text, "\"\\/\b\f\n\r\t\x01\x1f\x7fé");
    expect_written(&text, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7fé\"");
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
        json_write_array_begin(&text);
        json_write_float(&text, value);
        json_write_double(&text, (double)value / 3);
        json_write_array_end(&text);
        struct problem problem = {0};
        struct document *document = document_read(text.bytes, text.size, NULL, &problem);
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
    json_write_array_begin(&text);
    json_write_float_array(&text, values, (size_t[]){3, 2}, 2);
    json_write_float_array(&text, values, (size_t[]){1, 2, 1}, 3);
    json_write_float_array(&text, values, (size_t[]){2, 0}, 2);
    json_write_float_array(&text, values + 1, NULL, 0);
    json_write_spike_array(&text, values + 2, (size_t[]){4}, 1);
    json_write_array_end(&text);
    expect_written(&text, "[[[0,0.5],[2,3],[-1,5]],[[[0],[0.5]]],[[],[]],0.5,[2,3,-1,5]]");
}
END_TEST

START_TEST(a_document_is_written_as_it_was_read)
{
    const char *text = "{\"a\":[true,1,-2.5,0.1,false,null,\"x\\n\"],\"b\":{},\"c\":[[0.1,2],[3]],"
                       "\"d\":{\"e\":[-1000000,[]],\"f\":{\"g\":[4294967295]}}}";
    struct problem problem = {0};
    struct document *document = document_read(text, strlen(text), NULL, &problem);
    struct buffer written = {0};
    value_writer_write(&written, document_root(document));
    expect_written(&written, text);
    document_destroy(document);
}
END_TEST

START_TEST(members_are_written_between_others)
{
    struct buffer written = {0};
    json_write_object_begin(&written);
    json_write_raw_members(&written, "{}");
    json_write_member_double(&written, "first", 1);
    json_write_raw_members(&written, "{\"a\":[-1000000],\"b\":\"\"}");
    json_write_member_double(&written, "last", 2);
    json_write_object_end(&written);
    expect_written(&written, "{\"first\":1,\"a\":[-1000000],\"b\":\"\",\"last\":2}");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("writer");
    TCase *tests = tcase_create("json");
    tcase_add_test(tests, writer_puts_commas_where_they_belong);
    tcase_add_test(tests, writer_escapes_strings);
    tcase_add_test(tests, writer_writes_numbers_with_the_fewest_digits);
    tcase_add_test(tests, floats_of_any_bits_come_back_the_same);
    tcase_add_test(tests, writer_nests_arrays_by_their_shape);
    tcase_add_test(tests, a_document_is_written_as_it_was_read);
    tcase_add_test(tests, members_are_written_between_others);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
