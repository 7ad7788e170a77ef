#include "server/model/labels.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/limits.h"

static bool check_name(struct json_value name, const char *pointer, struct problem *problem)
{
    if (json_value_kind(name) != JSON_KIND_STRING)
        problem_add_field(problem, PROBLEM_WRONG_TYPE, pointer, "A label's name must be a string.");
    else if (json_value_size(name) > LIMIT_LABEL)
        problem_add_field(problem, PROBLEM_TOO_LARGE, pointer,
                          "A label's name has at most %d bytes.", LIMIT_LABEL);
    return !problem_is_set(problem);
}

static bool check_names(struct json_value array, const char *pointer, size_t count,
                        struct problem *problem)
{
    char item_pointer[PROBLEM_POINTER];
    if (json_value_kind(array) != JSON_KIND_ARRAY) {
        problem_add_field(problem, PROBLEM_WRONG_TYPE, pointer, "labels must be an array.");
        return false;
    }
    for (size_t i = 0; i < json_value_count(array); i++) {
        problem_pointer_index(pointer, i, item_pointer);
        if (!check_name(json_value_element(array, i), item_pointer, problem))
            return false;
    }
    if (json_value_count(array) == count)
        return true;
    problem_add_field(problem, PROBLEM_WRONG_SHAPE, pointer,
                      "labels must have one name for each of the %zu out_features.", count);
    return false;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct label *)a)->name, ((const struct label *)b)->name);
}

/* Sorts the names for labels_find(), and looks for two that are the same. */
static bool sort_names(struct labels *labels, const char *pointer, struct problem *problem)
{
    for (size_t i = 0; i < labels->count; i++)
        labels->sorted[i] = (struct label){.name = labels->names[i], .number = (int32_t)i};
    qsort(labels->sorted, labels->count, sizeof *labels->sorted, compare_names);
    for (size_t i = 1; i < labels->count; i++) {
        if (compare_names(&labels->sorted[i - 1], &labels->sorted[i]) != 0)
            continue;
        problem_add_field(problem, PROBLEM_DUPLICATE_LABEL, pointer,
                          "Two classes have the name \"%s\".", labels->sorted[i].name);
        return false;
    }
    return true;
}

bool labels_read(struct json_value value, const char *pointer, size_t count,
                 struct problem *problem, struct labels *ret_labels)
{
    if (!check_names(value, pointer, count, problem))
        return false;
    size_t bytes = count * (sizeof(struct label) + sizeof(char *));
    for (size_t i = 0; i < count; i++)
        bytes += json_value_size(json_value_element(value, i)) + 1;
    struct labels labels = {.count = count, .sorted = malloc(bytes)};
    if (labels.sorted == NULL) {
        problem_set_no_memory(problem);
        return false;
    }
    labels.names = (char **)(labels.sorted + count);
    char *text = (char *)(labels.names + count);
    for (size_t i = 0; i < count; i++) {
        labels.names[i] = text;
        text = stpcpy(text, json_value_string(json_value_element(value, i))) + 1;
    }
    if (!sort_names(&labels, pointer, problem)) {
        labels_finish(&labels);
        return false;
    }
    *ret_labels = labels;
    return true;
}

void labels_finish(struct labels *labels)
{
    free(labels->sorted);
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
    const struct label key = {.name = name};
    const struct label *found = NULL;
    if (labels->count > 0)
        found = bsearch(&key, labels->sorted, labels->count, sizeof key, compare_names);
    return found != NULL ? found->number : -1;
}
