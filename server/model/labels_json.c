#include "server/model/labels_json.h"

#include <stdlib.h>

#include "server/base/limits.h"

static bool check_name(struct json_value name, const char *pointer, struct problem *problem)
{
    if (json_value_kind(name) != JSON_KIND_STRING) {
        problem_add_field(problem, PROBLEM_WRONG_TYPE, pointer, "must be a string");
        return false;
    }
    if (json_value_size(name) > LIMIT_LABEL) {
        problem_add_field(problem, PROBLEM_TOO_LARGE, pointer, "must be at most %d bytes long",
                          LIMIT_LABEL);
        return false;
    }
    return true;
}

static bool check_names(struct json_value array, const char *pointer, size_t count,
                        struct problem *problem)
{
    char item_pointer[PROBLEM_POINTER];
    if (json_value_kind(array) != JSON_KIND_ARRAY) {
        problem_add_field(problem, PROBLEM_WRONG_TYPE, pointer, "must be an array of names");
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
                      "must hold %zu names, one for each class, but holds %zu", count,
                      json_value_count(array));
    return false;
}

static bool init(const char *const *names, size_t count, const char *pointer,
                 struct problem *problem, struct labels *ret_labels)
{
    const char *duplicate;
    struct labels labels;
    if (labels_init(&labels, names, count, &duplicate)) {
        *ret_labels = labels;
        return true;
    }
    if (duplicate == NULL)
        problem_set_no_memory(problem);
    else
        problem_add_field(problem, PROBLEM_DUPLICATE_LABEL, pointer,
                          "Two classes have the name \"%s\".", duplicate);
    return false;
}

bool labels_json_read(struct json_value value, const char *pointer, size_t count,
                      struct problem *problem, struct labels *ret_labels)
{
    if (!check_names(value, pointer, count, problem))
        return false;
    const char **names = malloc(count * sizeof *names);
    if (names == NULL) {
        problem_set_no_memory(problem);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        names[i] = json_value_string(json_value_element(value, i));
    const bool read = init(names, count, pointer, problem, ret_labels);
    free(names);
    return read;
}

void labels_json_write(struct json_writer *writer, const struct labels *labels)
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

char *labels_json_text(const struct labels *labels)
{
    struct buffer text = {0};
    struct json_writer json = json_writer_to(&text);
    labels_json_write(&json, labels);
    return buffer_take_string(&text);
}
