#include "server/api/answer.h"

#include <stdio.h>
#include <string.h>

#include "server/files/npy.h"

/* --- ret_type --- */

static void refuse(const struct prediction_type *types, enum problem_code code, const char *pointer,
                   struct problem *problem)
{
    char list[PROBLEM_DETAIL] = "";
    for (size_t i = 0; types[i].name != NULL; i++) {
        const size_t size = strlen(list);
        snprintf(list + size, sizeof list - size, "%s\"%s\"", i > 0 ? ", " : "", types[i].name);
    }
    problem_add_field(problem, code, pointer, "ret_type is one or a list of %s.", list);
}

static bool want(struct json_value name, const struct prediction_type *types, const char *pointer,
                 struct problem *problem, bool *wanted)
{
    const bool is_string = json_value_kind(name) == JSON_KIND_STRING;
    for (size_t i = 0; is_string && types[i].name != NULL; i++) {
        if (strcmp(json_value_string(name), types[i].name) == 0) {
            wanted[i] = true;
            return true;
        }
    }
    refuse(types, is_string ? PROBLEM_UNKNOWN_VALUE : PROBLEM_WRONG_TYPE, pointer, problem);
    return false;
}

void answer_read_ret_type(struct fields *fields, const struct prediction_type *types, bool *wanted)
{
    char pointer[PROBLEM_POINTER];
    const struct json_value given = fields_get(fields, "ret_type", FIELD_OPTIONAL);
    if (!json_value_is_given(given)) {
        for (size_t i = 0; types[i].name != NULL; i++)
            wanted[i] = types[i].is_default;
        return;
    }
    if (json_value_kind(given) != JSON_KIND_ARRAY) {
        want(given, types, "/ret_type", fields->problem, wanted);
        return;
    }
    if (json_value_count(given) == 0)
        problem_add_field(fields->problem, PROBLEM_WRONG_SHAPE, "/ret_type", "The list is empty.");
    for (size_t i = 0; i < json_value_count(given); i++) {
        problem_pointer_index("/ret_type", i, pointer);
        if (!want(json_value_element(given, i), types, pointer, fields->problem, wanted))
            break;
    }
}

/* --- documents --- */

void answer_write_version(struct json_writer *writer, const struct model *model)
{
    json_write_key(writer, "model");
    json_write_string(writer, model->id);
    json_write_key(writer, "version");
    json_write_integer(writer, model->version);
}

/* --- one array --- */

bool answer_wants_npy(const struct request *request, unsigned arrays, struct reply *reply)
{
    if (!request->accepts_npy)
        return false;
    if (arrays != 1 && !request->accepts_json)
        problem_set(
            &reply->problem, PROBLEM_NOT_ACCEPTABLE,
            "application/x-npy holds one array: ask for exactly one, by ret_type or tensor.");
    return arrays == 1;
}

void answer_npy(struct reply *reply, enum dtype dtype, unsigned rank, const size_t *shape,
                const void *values)
{
    char header[NPY_HEADER_WRITTEN];
    size_t bytes = dtype_size(dtype);
    for (unsigned d = 0; d < rank; d++)
        bytes *= shape[d];
    buffer_add(&reply->body, header, npy_header_write(dtype, rank, shape, header));
    buffer_add(&reply->body, values, bytes);
    reply->content_type = "application/x-npy";
    reply_with(reply, 200);
}
