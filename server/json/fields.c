/* json_fields.c - the members of one object. Each reader asks for its member, checks the type, then
 * the value; what it asked for is kept in a short list, which fields_close() holds against the
 * object. */
#include "server/json/arrays.h"
#include "server/json/document.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

bool fields_open(struct fields *fields, const struct document *document, const json_t *value,
                 const char *pointer, struct problem *problem)
{
    const bool is_object = json_is_object(value);
    *fields = (struct fields){.document = document,
                              .object = is_object ? value : NULL,
                              .pointer = pointer,
                              .problem = problem};
    if (!is_object)
        problem_add_field(problem, PROBLEM_WRONG_TYPE, pointer, "must be an object");
    return is_object;
}

bool fields_open_document(struct fields *fields, const struct document *document,
                          struct problem *problem)
{
    return fields_open(fields, document, document_root(document), "", problem);
}

static bool was_asked(const struct fields *fields, const char *name)
{
    for (unsigned i = 0; i < fields->asked_count; i++)
        if (strcmp(fields->asked[i], name) == 0)
            return true;
    return false;
}

static const json_t *ask(struct fields *fields, const char *name)
{
    if (!was_asked(fields, name)) {
        assert(fields->asked_count < FIELDS_MOST);
        fields->asked[fields->asked_count++] = name;
    }
    return json_object_get(fields->object, name);
}

void fields_close(struct fields *fields)
{
    if (fields->object == NULL)
        return;
    const char *name;
    json_t *value;
    /* jansson iterates over non-const objects only; it changes none. */
    json_object_foreach((json_t *)fields->object, name, value) {
        if (was_asked(fields, name))
            continue;
        char pointer[PROBLEM_POINTER];
        fields_pointer(fields, name, pointer);
        problem_add_field(fields->problem, PROBLEM_UNKNOWN_FIELD, pointer, "is not a known field");
    }
}

void fields_pointer(const struct fields *fields, const char *name, char *out)
{
    problem_pointer_join(fields->pointer, name, out);
}

bool fields_has(struct fields *fields, const char *name)
{
    return ask(fields, name) != NULL;
}

static bool refuse(const struct fields *fields, const char *name, enum problem_code code,
                   const char *detail)
{
    char pointer[PROBLEM_POINTER];
    fields_pointer(fields, name, pointer);
    problem_add_field(fields->problem, code, pointer, "%s", detail);
    return false;
}

/* The member as jansson has it; see json_document.c. */
static const json_t *get(struct fields *fields, const char *name, enum field_presence presence)
{
    const json_t *value = ask(fields, name);
    if (value != NULL && !json_is_null(value))
        return value;
    if (presence == FIELD_REQUIRED && fields->object != NULL)
        refuse(fields, name, PROBLEM_MISSING_FIELD, "is required");
    return NULL;
}

const json_t *fields_get(struct fields *fields, const char *name, enum field_presence presence)
{
    return document_value(get(fields, name, presence));
}

const struct numbers *fields_numbers(struct fields *fields, const char *name)
{
    const json_t *value = get(fields, name, FIELD_OPTIONAL);
    return document_value(value) == value ? document_numbers(fields->document, value) : NULL;
}

bool fields_integer(struct fields *fields, const char *name, enum field_presence presence,
                    int64_t min, int64_t max, int64_t *out)
{
    const json_t *value = fields_get(fields, name, presence);
    if (value == NULL)
        return false;
    const double number = json_number_value(value); /* 3.0 is an integer too */
    if (!json_is_number(value) || number != trunc(number))
        return refuse(fields, name, PROBLEM_WRONG_TYPE, "must be an integer");
    if (number < (double)min || number > (double)max || number >= 0x1p63) {
        char detail[PROBLEM_DETAIL];
        snprintf(detail, sizeof detail, "must be from %" PRId64 " to %" PRId64, min, max);
        return refuse(fields, name, PROBLEM_OUT_OF_RANGE, detail);
    }
    *out = (int64_t)number;
    return true;
}

static bool get_number(struct fields *fields, const char *name, enum field_presence presence,
                       double *out)
{
    const json_t *value = fields_get(fields, name, presence);
    if (value == NULL)
        return false;
    if (!json_is_number(value))
        return refuse(fields, name, PROBLEM_WRONG_TYPE, "must be a number");
    *out = json_number_value(value);
    return true;
}

static bool refuse_range(const struct fields *fields, const char *name, const char *lower,
                         double min, double max)
{
    char detail[PROBLEM_DETAIL];
    snprintf(detail, sizeof detail, "must be %s %g and at most %g", lower, min, max);
    return refuse(fields, name, PROBLEM_OUT_OF_RANGE, detail);
}

bool fields_number(struct fields *fields, const char *name, enum field_presence presence,
                   double min, double max, double *out)
{
    double number;
    if (!get_number(fields, name, presence, &number))
        return false;
    if (number < min || number > max)
        return refuse_range(fields, name, "at least", min, max);
    *out = number;
    return true;
}

bool fields_number_above(struct fields *fields, const char *name, enum field_presence presence,
                         double min, double max, double *out)
{
    double number;
    if (!get_number(fields, name, presence, &number))
        return false;
    if (number <= min || number > max)
        return refuse_range(fields, name, "above", min, max);
    *out = number;
    return true;
}

bool fields_boolean(struct fields *fields, const char *name, enum field_presence presence,
                    bool *out)
{
    const json_t *value = fields_get(fields, name, presence);
    if (value == NULL)
        return false;
    if (!json_is_boolean(value))
        return refuse(fields, name, PROBLEM_WRONG_TYPE, "must be true or false");
    *out = json_is_true(value);
    return true;
}

bool fields_string(struct fields *fields, const char *name, enum field_presence presence,
                   size_t max_bytes, const char **out)
{
    const json_t *value = fields_get(fields, name, presence);
    if (value == NULL)
        return false;
    if (!json_is_string(value))
        return refuse(fields, name, PROBLEM_WRONG_TYPE, "must be a string");
    if (json_string_length(value) > max_bytes) {
        char detail[PROBLEM_DETAIL];
        snprintf(detail, sizeof detail, "must be at most %zu bytes long", max_bytes);
        return refuse(fields, name, PROBLEM_TOO_LARGE, detail);
    }
    *out = json_string_value(value);
    return true;
}

static bool refuse_choice(const struct fields *fields, const char *name, const char *const *choices)
{
    char detail[PROBLEM_DETAIL] = "must be one of";
    for (size_t i = 0; choices[i] != NULL; i++) {
        const size_t size = strlen(detail);
        snprintf(detail + size, sizeof detail - size, "%s %s", i > 0 ? "," : "", choices[i]);
    }
    return refuse(fields, name, PROBLEM_UNKNOWN_VALUE, detail);
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

bool fields_float_array(struct fields *fields, const char *name, enum field_presence presence,
                        unsigned min_rank, unsigned max_rank, size_t limit, struct float_array *out)
{
    const json_t *value = get(fields, name, presence);
    if (value == NULL)
        return false;
    char pointer[PROBLEM_POINTER];
    fields_pointer(fields, name, pointer);
    const struct array_rules rules = {pointer, min_rank, max_rank, limit, fields->problem};
    struct numbers *numbers = document_numbers(fields->document, value);
    return numbers != NULL ? float_array_take(numbers, &rules, out)
                           : float_array_read(value, &rules, out);
}
