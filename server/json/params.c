#include "server/json/params.h"

#include <math.h>

/* --- members: every kind of value is exact as a double --- */

static double load_member(enum params_kind kind, size_t offset, const void *params)
{
    const void *member = (const char *)params + offset;
    switch (kind) {
    case PARAMS_SIZE:
        return (double)*(const size_t *)member;
    case PARAMS_UINT32:
    case PARAMS_CHOICE:
        return *(const uint32_t *)member;
    case PARAMS_NUMBER:
        return *(const double *)member;
    case PARAMS_FLOAT:
        return (double)*(const float *)member;
    case PARAMS_BOOLEAN:
        return *(const bool *)member;
    case PARAMS_OTHER:
        break;
    }
    return 0;
}

static double load(const struct params_row *row, const void *params)
{
    return load_member(row->kind, row->offset, params);
}

static void set(const struct params_row *row, double value, void *params)
{
    void *member = (char *)params + row->offset;
    switch (row->kind) {
    case PARAMS_SIZE:
        *(size_t *)member = (size_t)value;
        break;
    case PARAMS_UINT32:
    case PARAMS_CHOICE:
        *(uint32_t *)member = (uint32_t)value;
        break;
    case PARAMS_NUMBER:
        *(double *)member = value;
        break;
    case PARAMS_FLOAT:
        *(float *)member = (float)value;
        break;
    case PARAMS_BOOLEAN:
        *(bool *)member = value != 0;
        break;
    case PARAMS_OTHER:
        break;
    }
}

/* The scope that does not hold: the widest one of the row's; NULL: all hold. */
static const struct params_scope *find_obstacle(const struct params_scope *scope,
                                                const void *params, const void *context)
{
    if (scope == NULL)
        return NULL;
    const struct params_scope *wider = find_obstacle(scope->within, params, context);
    if (wider != NULL)
        return wider;
    const double value =
        load_member(scope->kind, scope->offset, scope->is_of_context ? context : params);
    return value >= scope->min && value <= scope->max ? NULL : scope;
}

/* --- reading --- */

/* Returns whether a valid value is given, and sets *value then. */
static bool read_value(struct fields *fields, const struct params_row *row, const void *params,
                       double *value)
{
    int64_t integer;
    unsigned choice;
    bool boolean, is_given = false;
    const enum field_presence presence =
        row->is_required && load(row, params) == 0 ? FIELD_REQUIRED : FIELD_OPTIONAL;
    switch (row->kind) {
    case PARAMS_SIZE:
    case PARAMS_UINT32:
        is_given = fields_integer(fields, row->name, presence, (int64_t)row->min, (int64_t)row->max,
                                  &integer);
        if (is_given)
            *value = (double)integer;
        break;
    case PARAMS_NUMBER:
    case PARAMS_FLOAT:
        is_given = fields_number(fields, row->name, presence, row->min, row->max, row->is_above_min,
                                 value);
        break;
    case PARAMS_CHOICE:
        is_given = fields_choice(fields, row->name, presence, row->choices, &choice);
        if (is_given)
            *value = choice;
        break;
    case PARAMS_BOOLEAN:
        is_given = fields_boolean(fields, row->name, presence, &boolean);
        if (is_given)
            *value = boolean;
        break;
    case PARAMS_OTHER:
        break;
    }
    return is_given;
}

/* What a member is if its field is absent. */
static double default_of(const struct params_row *row, const void *params)
{
    const double before = load(row, params);
    return before != 0 ? before : row->fallback;
}

static void read_row(struct fields *fields, const struct params_row *row, void *params)
{
    double value = default_of(row, params);
    if (row->kind == PARAMS_OTHER) {
        row->read(fields, row, params);
        return;
    }
    read_value(fields, row, params, &value);
    if (!isnan(value))
        set(row, value, params);
}

/* Stores the choices, which scopes depend on. What is wrong with them is said when their turn
 * comes. */
static void peek_choices(const struct fields *fields, const struct params_row *rows, size_t count,
                         void *params)
{
    struct problem problem = {0};
    struct fields silent = *fields;
    silent.problem = &problem;
    for (size_t i = 0; i < count; i++)
        if (rows[i].kind == PARAMS_CHOICE)
            read_row(&silent, &rows[i], params);
}

/* A field out of scope, unless its value is wrong in itself. */
static void refuse_row(struct fields *fields, const struct params_row *row,
                       const struct params_scope *scope, const void *params)
{
    double value = NAN;
    const bool is_given = row->kind == PARAMS_OTHER ? fields_is_given(fields, row->name)
                                                    : read_value(fields, row, params, &value);
    if (is_given && !(row->allows_default && value == row->fallback))
        fields_refuse(fields, row->name, PROBLEM_CONFLICTING_FIELDS, "applies only to %s",
                      scope->name);
}

void params_read(struct fields *fields, const struct params_row *rows, size_t count,
                 const void *context, void *params)
{
    peek_choices(fields, rows, count, params);
    for (size_t i = 0; i < count; i++) {
        const struct params_scope *obstacle = find_obstacle(rows[i].scope, params, context);
        if (obstacle == NULL)
            read_row(fields, &rows[i], params);
        else
            refuse_row(fields, &rows[i], obstacle, params);
    }
}

/* --- writing --- */

static void write_member(struct buffer *json, const struct params_row *row, const void *params)
{
    const double value = load(row, params);
    json_write_key(json, row->name);
    switch (row->kind) {
    case PARAMS_SIZE:
    case PARAMS_UINT32:
    case PARAMS_NUMBER:
        json_write_double(json, value);
        break;
    case PARAMS_FLOAT:
        json_write_float(json, (float)value);
        break;
    case PARAMS_CHOICE:
        json_write_string(json, row->choices[(size_t)value]);
        break;
    case PARAMS_BOOLEAN:
        json_write_boolean(json, value != 0);
        break;
    case PARAMS_OTHER:
        break;
    }
}

void params_write(struct buffer *json, const struct params_row *rows, size_t count,
                  const void *context, const void *params)
{
    for (size_t i = 0; i < count; i++) {
        const struct params_row *row = &rows[i];
        const bool is_left_out = row->is_terse && load(row, params) == row->fallback;
        if (is_left_out || find_obstacle(row->scope, params, context) != NULL)
            continue;
        if (row->kind == PARAMS_OTHER)
            row->write(json, params);
        else
            write_member(json, row, params);
    }
}
