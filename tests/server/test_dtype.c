/* Types of numbers: their sizes, names and byte orders, and how their values become floats and
 * labels. */
#include <check.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "server/base/dtype.h"
#include "tests/support/files.h"
#include "tests/support/suite.h"

START_TEST(types_have_sizes_and_numpys_names)
{
    static const struct {
        const char *name;
        size_t size;
    } expected[DTYPES] = {{"uint8", 1}, {"int8", 1},    {"int16", 2},  {"int32", 4},
                          {"int64", 8}, {"float32", 4}, {"float64", 8}};
    enum dtype found = DTYPE_U1;
    for (unsigned i = 0; i < DTYPES; i++) {
        ck_assert_str_eq(dtype_name((enum dtype)i), expected[i].name);
        ck_assert_uint_eq(dtype_size((enum dtype)i), expected[i].size);
        ck_assert(dtype_find(expected[i].name, &found) && found == i);
    }
    ck_assert(!dtype_find("uint16", &found) && !dtype_find("", &found));
    ck_assert_int_eq(found, DTYPE_F8);
}
END_TEST

START_TEST(bytes_are_swapped_within_each_value)
{
    static const char *const expected[DTYPES] = {
        [DTYPE_U1] = "01234567", [DTYPE_I1] = "01234567", [DTYPE_I2] = "10325476",
        [DTYPE_I4] = "32107654", [DTYPE_I8] = "76543210", [DTYPE_F4] = "32107654",
        [DTYPE_F8] = "76543210",
    };
    for (unsigned i = 0; i < DTYPES; i++) {
        char bytes[] = "-01234567-";
        dtype_swap((enum dtype)i, bytes + 1, 8 / dtype_size((enum dtype)i));
        ck_assert_mem_eq(bytes + 1, expected[i], 8);
        ck_assert(bytes[0] == '-' && bytes[9] == '-');
    }
}
END_TEST

/* Converts from an odd address; returns how many values were converted. */
static size_t to_float(enum dtype dtype, const void *values, size_t count, float *out)
{
    char bytes[128];
    memcpy(bytes + 1, values, count * dtype_size(dtype));
    return dtype_to_float(dtype, bytes + 1, count, out);
}

START_TEST(values_become_the_nearest_floats)
{
    float out[3];
    ck_assert_uint_eq(to_float(DTYPE_U1, (uint8_t[]){0, 255, 7}, 3, out), 3);
    ck_assert(out[0] == 0 && out[1] == 255 && out[2] == 7);
    ck_assert_uint_eq(to_float(DTYPE_I1, (int8_t[]){-128, 127}, 2, out), 2);
    ck_assert(out[0] == -128 && out[1] == 127);
    ck_assert_uint_eq(to_float(DTYPE_I2, (int16_t[]){-32768, 258}, 2, out), 2);
    ck_assert(out[0] == -32768 && out[1] == 258);
    ck_assert_uint_eq(to_float(DTYPE_I4, (int32_t[]){16777217, INT32_MIN}, 2, out), 2);
    ck_assert(out[0] == 16777216 && out[1] == -0x1p31f);
    /* The first would be another by way of a double. */
    const int64_t wide[] = {(INT64_C(1) << 60) + (INT64_C(1) << 36) + 1, INT64_MAX, -3};
    ck_assert_uint_eq(to_float(DTYPE_I8, wide, 3, out), 3);
    ck_assert(out[0] == 0x1p60f + 0x1p37f && out[1] == 0x1p63f && out[2] == -3);
    ck_assert_uint_eq(to_float(DTYPE_F4, (float[]){FLT_MAX, -0.1f}, 2, out), 2);
    ck_assert(out[0] == FLT_MAX && out[1] == -0.1f);
    ck_assert_uint_eq(to_float(DTYPE_F8, (double[]){0.1, 3.40282350e38, 1e-60}, 3, out), 3);
    ck_assert(out[0] == 0.1f && out[1] == FLT_MAX && out[2] == 0);
}
END_TEST

START_TEST(the_first_value_that_is_not_a_finite_float_is_named)
{
    float out[3] = {0, 9, 9};
    ck_assert_uint_eq(to_float(DTYPE_F4, (float[]){1, NAN, 2}, 3, out), 1);
    ck_assert(out[0] == 1 && out[1] == 9 && out[2] == 9);
    ck_assert_uint_eq(to_float(DTYPE_F4, (float[]){-INFINITY}, 1, out), 0);
    ck_assert_uint_eq(to_float(DTYPE_F8, (double[]){1, 2, 1e39}, 3, out), 2);
    ck_assert_uint_eq(dtype_find_not_finite(DTYPE_F8, (double[]){1, -1e39, NAN}, 3), 1);
    ck_assert_uint_eq(dtype_find_not_finite(DTYPE_F4, (float[]){1, 2, INFINITY}, 3), 2);
    ck_assert_uint_eq(dtype_find_not_finite(DTYPE_F4, (float[]){FLT_MAX, -1}, 2), 2);
    ck_assert_uint_eq(dtype_find_not_finite(DTYPE_I8, (int64_t[]){INT64_MAX}, 1), 1);
    double many[5000] = {0};
    ck_assert_uint_eq(dtype_find_not_finite(DTYPE_F8, many, 5000), 5000);
    many[3000] = many[4999] = NAN;
    ck_assert_uint_eq(dtype_find_not_finite(DTYPE_F8, many, 5000), 3000);
}
END_TEST

START_TEST(whole_numbers_become_labels)
{
    int32_t out[3] = {0, 9, 9};
    ck_assert_uint_eq(dtype_to_label(DTYPE_U1, (uint8_t[]){255, 0}, 2, out), 2);
    ck_assert(out[0] == 255 && out[1] == 0);
    ck_assert_uint_eq(dtype_to_label(DTYPE_I8, (int64_t[]){INT32_MAX, 4}, 2, out), 2);
    ck_assert(out[0] == INT32_MAX && out[1] == 4);
    ck_assert_uint_eq(dtype_to_label(DTYPE_F8, (double[]){3.0, -0.0, INT32_MAX}, 3, out), 3);
    ck_assert(out[0] == 3 && out[1] == 0 && out[2] == INT32_MAX);
    ck_assert_uint_eq(dtype_to_label(DTYPE_F4, (float[]){2, 2.5f}, 2, out), 1);
    ck_assert(out[0] == 2 && out[1] == 0);
    ck_assert_uint_eq(dtype_to_label(DTYPE_I1, (int8_t[]){1, -1}, 2, out), 1);
    ck_assert_uint_eq(dtype_to_label(DTYPE_I2, (int16_t[]){-1}, 1, out), 0);
    ck_assert_uint_eq(dtype_to_label(DTYPE_I4, (int32_t[]){0, 1, INT32_MIN}, 3, out), 2);
    ck_assert_uint_eq(dtype_to_label(DTYPE_I8, (int64_t[]){INT32_MAX + INT64_C(1)}, 1, out), 0);
    ck_assert_uint_eq(dtype_to_label(DTYPE_F8, (double[]){0x1p31}, 1, out), 0);
    ck_assert_uint_eq(dtype_to_label(DTYPE_F8, (double[]){NAN}, 1, out), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dtype");
    TCase *types = tcase_create("types");
    tcase_add_test(types, types_have_sizes_and_numpys_names);
    tcase_add_test(types, bytes_are_swapped_within_each_value);
    tcase_add_test(types, values_become_the_nearest_floats);
    tcase_add_test(types, the_first_value_that_is_not_a_finite_float_is_named);
    tcase_add_test(types, whole_numbers_become_labels);
    suite_add_tcase(suite, types);
    return suite_run(suite);
}
