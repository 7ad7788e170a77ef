#include "server/json/float_array.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/json/internal.h"

enum { ALIGNMENT = 64 };

/* Names the element at the first `depth` indices of the path. */
static bool refuse(const struct float_array_rules *rules, const size_t *path, unsigned depth,
                   enum problem_code code, const char *detail)
{
    char pointer[PROBLEM_POINTER];
    snprintf(pointer, sizeof pointer, "%s", rules->pointer);
    for (unsigned d = 0; d < depth; d++)
        problem_pointer_index(pointer, path[d], pointer);
    problem_add_field(rules->problem, code, pointer, "%s", detail);
    return false;
}

/* Checks the shape as the first elements say it. */
static bool check_shape(const struct numbers *numbers, const struct float_array_rules *rules)
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

static bool check_limit(const struct numbers *numbers, const struct float_array_rules *rules)
{
    char detail[NUMBERS_DETAIL];
    size_t count = 1;
    for (unsigned d = 0; d < numbers->rank; d++) {
        if (numbers->shape[d] == NUMBERS_UNKNOWN)
            return true;
        if (numbers->shape[d] > rules->limit / count) {
            snprintf(detail, sizeof detail, "must hold at most %zu numbers", rules->limit);
            return refuse(rules, NULL, 0, PROBLEM_TOO_LARGE, detail);
        }
        count *= numbers->shape[d];
    }
    return true;
}

static bool convert_bytes(struct numbers *numbers, struct problem *problem)
{
    const size_t bytes = numbers->count * sizeof(float);
    numbers->values = aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    if (numbers->values == NULL) {
        problem_set_no_memory(problem);
        return false;
    }
    for (size_t i = 0; i < numbers->count; i++)
        numbers->values[i] = numbers->bytes[i];
    return true;
}

static bool take_block(struct numbers *numbers, const struct float_array_rules *rules,
                       struct float_array *ret_array)
{
    const struct numbers_fault *fault = &numbers->fault;
    if (!check_shape(numbers, rules) || !check_limit(numbers, rules))
        return false;
    if (fault->code != PROBLEM_NONE)
        return refuse(rules, fault->path, fault->depth, fault->code, fault->detail);
    if (numbers->bytes != NULL && !convert_bytes(numbers, rules->problem))
        return false;
    struct float_array array = {
        .rank = numbers->rank, .count = numbers->count, .values = numbers->values};
    memcpy(array.shape, numbers->shape, sizeof array.shape);
    numbers->values = NULL;
    *ret_array = array;
    return true;
}

static bool read_number(double value, const struct float_array_rules *rules,
                        struct float_array *ret_array)
{
    const float number = (float)value;
    if (!(fabsf(number) <= FLT_MAX))
        return refuse(rules, NULL, 0, PROBLEM_NOT_FINITE, "is beyond the range of float32");
    struct float_array array = {.count = 1, .values = aligned_alloc(ALIGNMENT, ALIGNMENT)};
    if (array.values == NULL) {
        problem_set_no_memory(rules->problem);
        return false;
    }
    array.values[0] = number;
    *ret_array = array;
    return true;
}

/* Reads a value that has no block: a number, or what is not allowed. */
static bool read_other(struct json_value value, const struct float_array_rules *rules,
                       struct float_array *ret_array)
{
    static const size_t first[] = {0};
    const bool is_array = json_value_kind(value) == JSON_KIND_ARRAY;
    if (is_array && json_value_count(value) == 0)
        return refuse(rules, NULL, 0, PROBLEM_EMPTY_BATCH, "must not be empty");
    if (is_array)
        return refuse(rules, first, 1, PROBLEM_WRONG_TYPE,
                      rules->min_rank > 1 ? "must be an array" : "must be a number");
    if (rules->min_rank > 0)
        return refuse(rules, NULL, 0, PROBLEM_WRONG_TYPE, "must be an array");
    if (json_value_kind(value) != JSON_KIND_NUMBER)
        return refuse(rules, NULL, 0, PROBLEM_WRONG_TYPE, "must be a number");
    return read_number(json_value_number(value), rules, ret_array);
}

bool float_array_take(struct json_value value, const struct float_array_rules *rules,
                      struct float_array *ret_array)
{
    struct numbers *block = json_value_block(value);
    assert(rules->min_rank <= rules->max_rank && rules->max_rank <= NUMBERS_RANK);
    return block != NULL ? take_block(block, rules, ret_array)
                         : read_other(value, rules, ret_array);
}

void float_array_finish(struct float_array *array)
{
    if (array == NULL)
        return;
    free(array->values);
    *array = (struct float_array){0};
}
