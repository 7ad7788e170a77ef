#include "tests/support/golden.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void golden_each(const char *name, void (*check)(const json_t *golden))
{
    char path[128];
    json_error_t error;
    size_t index;
    json_t *golden;
    snprintf(path, sizeof path, "tests/golden/%s.json", name);
    json_t *document = json_load_file(path, 0, &error);
    ck_assert_msg(document != NULL, "%s: %s", path, error.text);
    const json_t *cases = json_object_get(document, "cases");
    ck_assert_uint_gt(json_array_size(cases), 0);
    json_array_foreach(cases, index, golden)
        check(golden);
    json_decref(document);
}

double golden_number(const json_t *golden, const char *name)
{
    return json_number_value(json_object_get(golden, name));
}

size_t golden_size(const json_t *golden, const char *name)
{
    return (size_t)golden_number(golden, name);
}

static size_t flatten(const json_t *value, float *out, size_t count)
{
    size_t index;
    json_t *item;
    if (json_is_number(value)) {
        if (out != NULL)
            out[count] = (float)json_number_value(value);
        return count + 1;
    }
    json_array_foreach(value, index, item)
        count = flatten(item, out, count);
    return count;
}

float *golden_floats(const json_t *golden, const char *name, size_t count)
{
    const json_t *value = json_object_get(golden, name);
    ck_assert_msg(flatten(value, NULL, 0) == count, "%s has not %zu numbers", name, count);
    float *numbers = calloc(count + 1, sizeof *numbers);
    ck_assert_ptr_nonnull(numbers);
    flatten(value, numbers, 0);
    return numbers;
}

int32_t *golden_labels(const json_t *golden, const char *name, size_t count)
{
    const json_t *array = json_object_get(golden, name);
    ck_assert_uint_eq(json_array_size(array), count);
    int32_t *labels = calloc(count, sizeof *labels);
    ck_assert_ptr_nonnull(labels);
    for (size_t i = 0; i < count; i++)
        labels[i] = (int32_t)json_integer_value(json_array_get(array, i));
    return labels;
}

void expect_near(const json_t *actual, const json_t *expected, const char *name, size_t count,
                 float tolerance)
{
    float *is = golden_floats(actual, name, count), *should = golden_floats(expected, name, count);
    for (size_t i = 0; i < count; i++)
        ck_assert_float_le(fabsf(is[i] - should[i]), tolerance);
    free(should);
    free(is);
}
