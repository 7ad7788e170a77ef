#include "server/json/arrays.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

/* Names the element at the first `depth` indices of the path. */
static bool refuse(const struct array_rules *rules, const size_t *path, unsigned depth,
                   enum problem_code code, const char *detail)
{
    char pointer[PROBLEM_POINTER];
    snprintf(pointer, sizeof pointer, "%s", rules->pointer);
    for (unsigned d = 0; d < depth; d++)
        problem_pointer_index(pointer, path[d], pointer);
    problem_add_field(rules->problem, code, pointer, "%s", detail);
    return false;
}

/* The shape as the first elements say it. */
static bool check_shape(const struct numbers *numbers, const struct array_rules *rules)
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

static bool check_limit(const struct numbers *numbers, const struct array_rules *rules)
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
        problem_set(problem, PROBLEM_OUT_OF_MEMORY, "no memory to read the numbers");
        return false;
    }
    for (size_t i = 0; i < numbers->count; i++)
        numbers->values[i] = numbers->bytes[i];
    return true;
}

bool float_array_take(struct numbers *numbers, const struct array_rules *rules,
                      struct float_array *out)
{
    const struct numbers_fault *fault = &numbers->fault;
    assert(rules->min_rank <= rules->max_rank && rules->max_rank <= NUMBERS_RANK);
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
    *out = array;
    return true;
}

static bool read_number(const json_t *value, const struct array_rules *rules,
                        struct float_array *out)
{
    const float number = (float)json_number_value(value);
    if (!(fabsf(number) <= FLT_MAX))
        return refuse(rules, NULL, 0, PROBLEM_NOT_FINITE, "is beyond the range of float32");
    struct float_array array = {.count = 1, .values = aligned_alloc(ALIGNMENT, ALIGNMENT)};
    if (array.values == NULL) {
        problem_set(rules->problem, PROBLEM_OUT_OF_MEMORY, "no memory to read the numbers");
        return false;
    }
    array.values[0] = number;
    *out = array;
    return true;
}

bool float_array_read(const json_t *value, const struct array_rules *rules, struct float_array *out)
{
    static const size_t first[] = {0};
    if (json_is_array(value) && json_array_size(value) == 0)
        return refuse(rules, NULL, 0, PROBLEM_EMPTY_BATCH, "must not be empty");
    if (json_is_array(value))
        return refuse(rules, first, 1, PROBLEM_WRONG_TYPE,
                      rules->min_rank > 1 ? "must be an array" : "must be a number");
    if (rules->min_rank > 0)
        return refuse(rules, NULL, 0, PROBLEM_WRONG_TYPE, "must be an array");
    if (!json_is_number(value))
        return refuse(rules, NULL, 0, PROBLEM_WRONG_TYPE, "must be a number");
    return read_number(value, rules, out);
}

void float_array_finish(struct float_array *array)
{
    if (array == NULL)
        return;
    free(array->values);
    *array = (struct float_array){0};
}
