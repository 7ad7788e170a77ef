#include "labels.h"

#include <stdlib.h>
#include <string.h>

#include "limits.h"

static bool check_names(const json_t *array, const char *pointer, size_t count,
                        struct problem *problem)
{
    char item_pointer[PROBLEM_POINTER];
    size_t index;
    json_t *item;
    if (!json_is_array(array)) {
        problem_add_field(problem, PROBLEM_WRONG_TYPE, pointer, "labels must be an array.");
        return false;
    }
    if (json_array_size(array) != count) {
        problem_add_field(problem, PROBLEM_WRONG_SHAPE, pointer,
                          "labels must have one name for each of the %zu out_features.", count);
        return false;
    }
    json_array_foreach((json_t *)(uintptr_t)array, index, item) {
        problem_pointer_index(pointer, index, item_pointer);
        if (!json_is_string(item)) {
            problem_add_field(problem, PROBLEM_WRONG_TYPE, item_pointer,
                              "A label's name must be a string.");
            return false;
        }
        if (json_string_length(item) > LIMIT_LABEL) {
            problem_add_field(problem, PROBLEM_TOO_LARGE, item_pointer,
                              "A label's name has at most %d bytes.", LIMIT_LABEL);
            return false;
        }
    }
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts a copy, so that even thousands of names are compared quickly. */
static bool check_unique(const struct labels *labels, const char *pointer, struct problem *problem)
{
    char **sorted = malloc(labels->count * sizeof *sorted);
    if (sorted == NULL) {
        problem_set_no_memory(problem);
        return false;
    }
    memcpy(sorted, labels->names, labels->count * sizeof *sorted);
    qsort(sorted, labels->count, sizeof *sorted, compare_names);
    const char *twice = NULL;
    for (size_t i = 1; i < labels->count && twice == NULL; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            twice = sorted[i];
    if (twice != NULL)
        problem_add_field(problem, PROBLEM_DUPLICATE_LABEL, pointer,
                          "Two classes have the name \"%.100s\".", twice);
    free(sorted);
    return twice == NULL;
}

bool labels_read(const json_t *value, const char *pointer, size_t count, struct problem *problem,
                 struct labels *ret_labels)
{
    if (!check_names(value, pointer, count, problem))
        return false;
    size_t bytes = count * sizeof(char *);
    for (size_t i = 0; i < count; i++)
        bytes += json_string_length(json_array_get(value, i)) + 1;
    struct labels labels = {.count = count, .names = malloc(bytes)};
    if (labels.names == NULL) {
        problem_set_no_memory(problem);
        return false;
    }
    char *text = (char *)(labels.names + count);
    for (size_t i = 0; i < count; i++) {
        labels.names[i] = text;
        text = stpcpy(text, json_string_value(json_array_get(value, i))) + 1;
    }
    if (!check_unique(&labels, pointer, problem)) {
        labels_finish(&labels);
        return false;
    }
    *ret_labels = labels;
    return true;
}

void labels_finish(struct labels *labels)
{
    free(labels->names);
    *labels = (struct labels){0};
}

void labels_write(struct json_writer *writer, const struct labels *labels)
{
    if (labels->count == 0) {
        json_write_null(writer);
        return;
    }
    json_write_array_begin(writer);
    for (size_t i = 0; i < labels->count; i++)
        json_write_string(writer, labels->names[i]);
    json_write_array_end(writer);
}

int32_t labels_find(const struct labels *labels, const char *name)
{
    for (size_t i = 0; i < labels->count; i++)
        if (strcmp(labels->names[i], name) == 0)
            return (int32_t)i;
    return -1;
}
