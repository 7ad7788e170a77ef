#include "server/model/labels_json.h"

#include <stdlib.h>

#include "server/base/limits.h"
#include "server/json/writer.h"

static bool check_name(struct json_value name, const char *pointer, struct problem *problem)
{
    if (json_value_kind(name) != JSON_KIND_STRING)
        return problem_add_field(problem, PROBLEM_WRONG_TYPE, pointer, "must be a string");
    return json_value_size(name) <= LIMIT_LABEL ||
           problem_add_field(problem, PROBLEM_TOO_LARGE, pointer, "must be at most %d bytes long",
                             LIMIT_LABEL);
}

static bool check_names(struct json_value array, const char *pointer, size_t count,
                        struct problem *problem)
{
    char item_pointer[PROBLEM_POINTER];
    const size_t given = json_value_count(array);
    if (json_value_kind(array) != JSON_KIND_ARRAY)
        return problem_add_field(problem, PROBLEM_WRONG_TYPE, pointer, "must be an array of names");
    for (size_t i = 0; i < given; i++) {
        problem_pointer_index(pointer, i, item_pointer);
        if (!check_name(json_value_element(array, i), item_pointer, problem))
            return false;
    }
    return given == count ||
           problem_add_field(problem, PROBLEM_WRONG_SHAPE, pointer,
                             "must hold %zu names, one for each class, but holds %zu", count,
                             given);
}

bool labels_json_read(struct json_value value, const char *pointer, size_t count,
                      struct problem *problem, struct labels *ret_labels)
{
    struct labels labels;
    if (!check_names(value, pointer, count, problem))
        return false;
    const char **names = malloc(count * sizeof *names);
    for (size_t i = 0; names != NULL && i < count; i++)
        names[i] = json_value_string(json_value_element(value, i));
    const bool has_memory = names != NULL && labels_init(&labels, names, count);
    free(names);
    if (!has_memory)
        return problem_set_no_memory(problem);
    const char *duplicate = labels_duplicate(&labels);
    if (duplicate != NULL) {
        problem_add_field(problem, PROBLEM_DUPLICATE_LABEL, pointer,
                          "Two classes have the name \"%s\".", duplicate);
        labels_finish(&labels);
        return false;
    }
    *ret_labels = labels;
    return true;
}

char *labels_json_text(const char *const *names, size_t count)
{
    struct buffer text = {0};
    json_write_array_begin(&text);
    for (size_t i = 0; i < count; i++)
        json_write_string(&text, names[i]);
    json_write_array_end(&text);
    return buffer_take_string(&text);
}
