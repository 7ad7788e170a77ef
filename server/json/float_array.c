#include "server/json/float_array.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/json/numbers.h"

/* What the array of a field may be. */
struct rules {
    const struct fields *fields;
    const char *name;
    unsigned min_rank;
    unsigned max_rank;
    size_t limit; /* of its numbers */
};

/* Names the element at the first `depth` indices of the path. */
static bool refuse(const struct rules *rules, const size_t *path, unsigned depth,
                   enum problem_code code, const char *detail)
{
    return fields_refuse_element(rules->fields, rules->name, path, depth, code, "%s", detail);
}

/* Checks the shape as the first elements say it. */
static bool check_shape(const struct numbers *numbers, const struct rules *rules)
{
    static const size_t first[NUMBERS_RANK] = {0};
    for (unsigned d = 0; d < numbers->rank; d++) {
        if (d == rules->max_rank)
            return refuse(rules, first, d, PROBLEM_WRONG_TYPE, "must be a number");
        if (numbers->shape[d] == 0)
            return refuse(rules, first, d, d == 0 ? PROBLEM_EMPTY_BATCH : PROBLEM_WRONG_SHAPE,
                          "must not be empty");
    }
    if (numbers->rank < rules->min_rank)
        return refuse(rules, first, numbers->rank, PROBLEM_WRONG_TYPE, "must be an array");
    return true;
}

static bool check_limit(const struct numbers *numbers, const struct rules *rules)
{
    size_t count = 1;
    for (unsigned d = 0; d < numbers->rank; d++) {
        if (numbers->shape[d] > rules->limit / count)
            return fields_refuse(rules->fields, rules->name, PROBLEM_TOO_LARGE,
                                 "must hold at most %zu numbers", rules->limit);
        count *= numbers->shape[d];
    }
    return true;
}

static bool allocate(size_t count, const struct rules *rules, float **ret_values)
{
    float *values = malloc(count * sizeof *values);
    if (values == NULL)
        problem_set_no_memory(rules->fields->problem);
    else
        *ret_values = values;
    return values != NULL;
}

static bool take_numbers(struct numbers *numbers, const struct rules *rules,
                         struct float_array *ret_array)
{
    const struct numbers_fault *fault = &numbers->fault;
    if (!check_shape(numbers, rules) || !check_limit(numbers, rules))
        return false;
    if (fault->code != PROBLEM_NONE)
        return refuse(rules, fault->path, fault->depth, fault->code, fault->detail);
    if (numbers->bytes != NULL && !allocate(numbers->count, rules, &numbers->values))
        return false;
    for (size_t i = 0; numbers->bytes != NULL && i < numbers->count; i++)
        numbers->values[i] = numbers->bytes[i];
    *ret_array = (struct float_array){
        .rank = numbers->rank, .count = numbers->count, .values = numbers->values};
    memcpy(ret_array->shape, numbers->shape, sizeof ret_array->shape);
    numbers->values = NULL;
    return true;
}

/* The path to the first element that has no place in an array of such ranks: its length; 0: all
 * have one. */
static unsigned find_misfit(struct json_value array, const struct rules *rules, unsigned depth,
                            size_t path[NUMBERS_RANK])
{
    unsigned length = 0;
    for (size_t i = 0; length == 0 && i < json_value_count(array); i++) {
        const struct json_value element = json_value_element(array, i);
        const enum json_kind kind = json_value_kind(element);
        path[depth] = i;
        if (kind == JSON_KIND_ARRAY && depth + 1 < rules->max_rank)
            length = find_misfit(element, rules, depth + 1, path);
        else if (kind != JSON_KIND_NUMBER || depth + 1 < rules->min_rank)
            length = depth + 1;
    }
    return length;
}

/* Refuses an array that holds other things too, or nothing. */
static bool refuse_mixed(struct json_value array, const struct rules *rules)
{
    size_t path[NUMBERS_RANK];
    const unsigned length = find_misfit(array, rules, 0, path);
    if (length == 0)
        return refuse(rules, path, 0, PROBLEM_EMPTY_BATCH, "must not be empty");
    return refuse(rules, path, length, PROBLEM_WRONG_TYPE,
                  length < rules->min_rank    ? "must be an array"
                  : length == rules->max_rank ? "must be a number"
                                              : "must be a number or an array");
}

static bool read_number(struct json_value value, const struct rules *rules,
                        struct float_array *ret_array)
{
    const float number = (float)json_value_number(value);
    struct float_array array = {.count = 1};
    if (rules->min_rank > 0)
        return refuse(rules, NULL, 0, PROBLEM_WRONG_TYPE, "must be an array");
    if (json_value_kind(value) != JSON_KIND_NUMBER)
        return refuse(rules, NULL, 0, PROBLEM_WRONG_TYPE, "must be a number");
    if (!(fabsf(number) <= FLT_MAX))
        return refuse(rules, NULL, 0, PROBLEM_NOT_FINITE, "is beyond the range of float32");
    if (!allocate(1, rules, &array.values))
        return false;
    array.values[0] = number;
    *ret_array = array;
    return true;
}

bool float_array_read(struct fields *fields, const char *name, enum field_presence presence,
                      unsigned min_rank, unsigned max_rank, size_t limit,
                      struct float_array *ret_array)
{
    const struct rules rules = {fields, name, min_rank, max_rank, limit};
    const struct json_value value = fields_get(fields, name, presence);
    struct numbers *numbers = json_value_numbers(value);
    assert(min_rank <= max_rank && max_rank <= NUMBERS_RANK);
    if (!json_value_is_given(value))
        return false;
    if (numbers != NULL)
        return take_numbers(numbers, &rules, ret_array);
    if (json_value_kind(value) == JSON_KIND_ARRAY)
        return refuse_mixed(value, &rules);
    return read_number(value, &rules, ret_array);
}

void float_array_finish(struct float_array *array)
{
    if (array == NULL)
        return;
    free(array->values);
    *array = (struct float_array){0};
}
