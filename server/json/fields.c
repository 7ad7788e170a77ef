/* fields.c - each reader asks for its member, checks the type, then the value. What was asked for
 * is kept in a short list, which fields_close() compares with the object. */
#include "server/json/fields.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "server/base/budget.h"

bool fields_open(struct fields *fields, struct json_value value, const char *pointer,
                 struct problem *problem)
{
    const bool is_object = json_value_kind(value) == JSON_KIND_OBJECT;
    *fields = (struct fields){.problem = problem};
    snprintf(fields->pointer, sizeof fields->pointer, "%s", pointer);
    if (is_object)
        fields->object = value;
    else
        problem_add_field(problem, PROBLEM_WRONG_TYPE, pointer, "must be an object");
    return is_object;
}

bool fields_open_document(struct fields *fields, const struct document *document,
                          struct problem *problem)
{
    return document != NULL && fields_open(fields, document_root(document), "", problem);
}

static bool was_asked(const struct fields *fields, const char *name)
{
    for (unsigned i = 0; i < fields->asked_count; i++)
        if (strcmp(fields->asked[i], name) == 0)
            return true;
    return false;
}

static struct json_value ask(struct fields *fields, const char *name)
{
    if (!was_asked(fields, name)) {
        assert(fields->asked_count < FIELDS_MAX);
        fields->asked[fields->asked_count++] = name;
    }
    return json_value_member(fields->object, name);
}

void fields_close(struct fields *fields)
{
    const char *name = NULL;
    while ((name = json_value_next_name(fields->object, name)) != NULL)
        if (!was_asked(fields, name))
            fields_refuse(fields, name, PROBLEM_UNKNOWN_FIELD, "is not a known field");
}

void fields_pointer(const struct fields *fields, const char *name, char *out)
{
    problem_pointer_join(fields->pointer, name, out);
}

bool fields_refuse_element(const struct fields *fields, const char *name, const size_t *path,
                           unsigned depth, enum problem_code code, const char *detail, ...)
{
    char pointer[PROBLEM_POINTER], text[PROBLEM_DETAIL];
    va_list arguments;
    va_start(arguments, detail);
    vsnprintf(text, sizeof text, detail, arguments);
    va_end(arguments);
    fields_pointer(fields, name, pointer);
    for (unsigned d = 0; d < depth; d++)
        problem_pointer_index(pointer, path[d], pointer);
    return problem_add_field(fields->problem, code, pointer, "%s", text);
}

bool fields_take_memory(const struct fields *fields, size_t bytes)
{
    return charge_demand(document_memory(fields->object.document), bytes, fields->problem);
}

bool fields_refuse(const struct fields *fields, const char *name, enum problem_code code,
                   const char *detail, ...)
{
    char text[PROBLEM_DETAIL];
    va_list arguments;
    va_start(arguments, detail);
    vsnprintf(text, sizeof text, detail, arguments);
    va_end(arguments);
    return fields_refuse_element(fields, name, NULL, 0, code, "%s", text);
}

bool fields_has(struct fields *fields, const char *name)
{
    return json_value_kind(ask(fields, name)) != JSON_KIND_ABSENT;
}

bool fields_is_given(struct fields *fields, const char *name)
{
    return json_value_is_given(ask(fields, name));
}

struct json_value fields_get(struct fields *fields, const char *name, enum field_presence presence)
{
    const struct json_value value = ask(fields, name);
    if (json_value_is_given(value))
        return value;
    if (presence == FIELD_REQUIRED && json_value_kind(fields->object) == JSON_KIND_OBJECT)
        fields_refuse(fields, name, PROBLEM_MISSING_FIELD, "is required");
    return (struct json_value){0};
}

bool fields_open_member(struct fields *fields, struct fields *parent, const char *name,
                        enum field_presence presence)
{
    char pointer[PROBLEM_POINTER];
    const struct json_value value = fields_get(parent, name, presence);
    fields_pointer(parent, name, pointer);
    return json_value_is_given(value) && fields_open(fields, value, pointer, parent->problem);
}

bool fields_integer(struct fields *fields, const char *name, enum field_presence presence,
                    int64_t min, int64_t max, int64_t *out)
{
    const struct json_value value = fields_get(fields, name, presence);
    if (!json_value_is_given(value))
        return false;
    const double number = json_value_number(value); /* 3.0 is an integer too */
    if (json_value_kind(value) != JSON_KIND_NUMBER || number != trunc(number))
        return fields_refuse(fields, name, PROBLEM_WRONG_TYPE, "must be an integer");
    if (number < (double)min || number > (double)max || number >= 0x1p63)
        return fields_refuse(fields, name, PROBLEM_OUT_OF_RANGE,
                             "must be from %" PRId64 " to %" PRId64, min, max);
    *out = (int64_t)number;
    return true;
}

bool fields_number(struct fields *fields, const char *name, enum field_presence presence,
                   double min, double max, bool is_above_min, double *out)
{
    const struct json_value value = fields_get(fields, name, presence);
    if (!json_value_is_given(value))
        return false;
    if (json_value_kind(value) != JSON_KIND_NUMBER)
        return fields_refuse(fields, name, PROBLEM_WRONG_TYPE, "must be a number");
    const double number = json_value_number(value);
    if (number < min || number > max || (is_above_min && number == min))
        return fields_refuse(fields, name, PROBLEM_OUT_OF_RANGE, "must be %s %g and at most %g",
                             is_above_min ? "above" : "at least", min, max);
    *out = number;
    return true;
}

bool fields_boolean(struct fields *fields, const char *name, enum field_presence presence,
                    bool *out)
{
    const struct json_value value = fields_get(fields, name, presence);
    if (!json_value_is_given(value))
        return false;
    if (json_value_kind(value) != JSON_KIND_BOOLEAN)
        return fields_refuse(fields, name, PROBLEM_WRONG_TYPE, "must be true or false");
    *out = json_value_boolean(value);
    return true;
}

bool fields_string(struct fields *fields, const char *name, enum field_presence presence,
                   size_t max_bytes, const char **out)
{
    const struct json_value value = fields_get(fields, name, presence);
    if (!json_value_is_given(value))
        return false;
    if (json_value_kind(value) != JSON_KIND_STRING)
        return fields_refuse(fields, name, PROBLEM_WRONG_TYPE, "must be a string");
    if (json_value_size(value) > max_bytes)
        return fields_refuse(fields, name, PROBLEM_TOO_LARGE, "must be at most %zu bytes long",
                             max_bytes);
    *out = json_value_string(value);
    return true;
}

static bool refuse_choice(const struct fields *fields, const char *name, const char *const *choices)
{
    char detail[PROBLEM_DETAIL] = "must be one of";
    for (size_t i = 0; choices[i] != NULL; i++) {
        const size_t size = strlen(detail);
        snprintf(detail + size, sizeof detail - size, "%s %s", i > 0 ? "," : "", choices[i]);
    }
    return fields_refuse(fields, name, PROBLEM_UNKNOWN_VALUE, "%s", detail);
}

bool fields_choice(struct fields *fields, const char *name, enum field_presence presence,
                   const char *const *choices, unsigned *out)
{
    const char *given;
    if (!fields_string(fields, name, presence, SIZE_MAX, &given))
        return false;
    for (unsigned i = 0; choices[i] != NULL; i++) {
        if (strcmp(choices[i], given) == 0) {
            *out = i;
            return true;
        }
    }
    return refuse_choice(fields, name, choices);
}
