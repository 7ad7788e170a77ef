/* problem.c - one table maps each code to its status and name.
 *
 * Texts are cut to their inline room between characters, never within one: details quote what
 * clients sent, and the answer must remain valid UTF-8. */
#include "server/base/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "server/base/decimal.h"

static const struct {
    unsigned status;
    const char *name;
} codes[] = {
    [PROBLEM_NONE] = {200, "none"},
    [PROBLEM_INVALID_JSON] = {400, "invalid_json"},
    [PROBLEM_TRUNCATED_JSON] = {400, "truncated_json"},
    [PROBLEM_INVALID_UTF8] = {400, "invalid_utf8"},
    [PROBLEM_DUPLICATE_KEY] = {400, "duplicate_key"},
    [PROBLEM_NUMBER_OUT_OF_RANGE] = {400, "number_out_of_range"},
    [PROBLEM_NESTING_TOO_DEEP] = {400, "nesting_too_deep"},
    [PROBLEM_MALFORMED_REQUEST] = {400, "malformed_request"},
    [PROBLEM_UNAUTHORIZED] = {401, "unauthorized"},
    [PROBLEM_FORBIDDEN] = {403, "forbidden"},
    [PROBLEM_FOREIGN_ORIGIN] = {403, "foreign_origin"},
    [PROBLEM_FOREIGN_HOST] = {403, "foreign_host"},
    [PROBLEM_NOT_FOUND] = {404, "not_found"},
    [PROBLEM_MODEL_NOT_FOUND] = {404, "model_not_found"},
    [PROBLEM_VERSION_NOT_FOUND] = {404, "version_not_found"},
    [PROBLEM_RUN_NOT_FOUND] = {404, "run_not_found"},
    [PROBLEM_DATASET_NOT_FOUND] = {404, "dataset_not_found"},
    [PROBLEM_NOT_ACCEPTABLE] = {406, "not_acceptable"},
    [PROBLEM_METHOD_NOT_ALLOWED] = {405, "method_not_allowed"},
    [PROBLEM_PRECONDITION_FAILED] = {412, "precondition_failed"},
    [PROBLEM_BODY_TOO_LARGE] = {413, "body_too_large"},
    [PROBLEM_UNSUPPORTED_MEDIA_TYPE] = {415, "unsupported_media_type"},
    [PROBLEM_UNSUPPORTED_FORMAT] = {415, "unsupported_format"},
    [PROBLEM_ID_TAKEN] = {409, "id_taken"},
    [PROBLEM_RUN_ENDED] = {409, "run_ended"},
    [PROBLEM_RUN_NOT_RESUMABLE] = {409, "run_not_resumable"},
    [PROBLEM_MODEL_IN_USE] = {409, "model_in_use"},
    [PROBLEM_DATASET_IN_USE] = {409, "dataset_in_use"},
    [PROBLEM_ENCODER_NOT_FITTED] = {409, "encoder_not_fitted"},
    [PROBLEM_MISSING_FIELD] = {422, "missing_field"},
    [PROBLEM_UNKNOWN_FIELD] = {422, "unknown_field"},
    [PROBLEM_WRONG_TYPE] = {422, "wrong_type"},
    [PROBLEM_OUT_OF_RANGE] = {422, "out_of_range"},
    [PROBLEM_UNKNOWN_VALUE] = {422, "unknown_value"},
    [PROBLEM_RAGGED_ARRAY] = {422, "ragged_array"},
    [PROBLEM_WRONG_SHAPE] = {422, "wrong_shape"},
    [PROBLEM_EMPTY_BATCH] = {422, "empty_batch"},
    [PROBLEM_NOT_FINITE] = {422, "not_finite"},
    [PROBLEM_LABEL_OUT_OF_RANGE] = {422, "label_out_of_range"},
    [PROBLEM_UNKNOWN_LABEL] = {422, "unknown_label"},
    [PROBLEM_DUPLICATE_LABEL] = {422, "duplicate_label"},
    [PROBLEM_EQUAL_TIME_CONSTANTS] = {422, "equal_time_constants"},
    [PROBLEM_EMPTY_RANGE] = {422, "empty_range"},
    [PROBLEM_TOO_LARGE] = {422, "too_large"},
    [PROBLEM_CONFLICTING_FIELDS] = {422, "conflicting_fields"},
    [PROBLEM_UNKNOWN_VERSION] = {422, "unknown_version"},
    [PROBLEM_KEY_REUSED] = {422, "key_reused"},
    [PROBLEM_UNKNOWN_PARAMETER] = {422, "unknown_parameter"},
    [PROBLEM_INVALID_PARAMETER] = {422, "invalid_parameter"},
    [PROBLEM_MALFORMED_DATA] = {422, "malformed_data"},
    [PROBLEM_TRUNCATED_DATA] = {422, "truncated_data"},
    [PROBLEM_RATE_LIMITED] = {429, "rate_limited"},
    [PROBLEM_INTERNAL] = {500, "internal"},
    [PROBLEM_DAMAGED_DATA] = {500, "damaged_data"},
    [PROBLEM_OUT_OF_MEMORY] = {503, "out_of_memory"},
    [PROBLEM_QUEUE_FULL] = {503, "queue_full"},
    [PROBLEM_OVERLOADED] = {503, "overloaded"},
    [PROBLEM_SHUTTING_DOWN] = {503, "shutting_down"},
    [PROBLEM_STORE_UNAVAILABLE] = {503, "store_unavailable"},
    [PROBLEM_STORE_FULL] = {507, "store_full"},
};

unsigned problem_status(enum problem_code code)
{
    return codes[code].status;
}

const char *problem_name(enum problem_code code)
{
    return codes[code].name;
}

/* Drops the last character if some of its bytes are missing. */
static void drop_partial_character(char *text)
{
    const size_t size = strlen(text);
    size_t lead = size;
    while (lead > 0 && ((unsigned char)text[lead - 1] & 0xC0) == 0x80)
        lead--;
    if (lead == 0)
        return;
    lead--;
    const unsigned char byte = (unsigned char)text[lead];
    const size_t length = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    if (size - lead < length)
        text[lead] = '\0';
}

static void format_detail(char *out, const char *detail, va_list arguments)
{
    vsnprintf(out, PROBLEM_DETAIL, detail, arguments);
    drop_partial_character(out);
}

bool problem_set(struct problem *problem, enum problem_code code, const char *detail, ...)
{
    if (problem_is_set(problem))
        return false;
    va_list arguments;
    va_start(arguments, detail);
    format_detail(problem->detail, detail, arguments);
    va_end(arguments);
    problem->code = code;
    return false;
}

static void add(struct problem *problem, bool parameter, enum problem_code code, const char *name,
                const char *detail, va_list arguments)
{
    if (problem->field_count++ >= PROBLEM_FIELDS)
        return;
    struct problem_field *field = &problem->fields[problem->field_count - 1];
    field->code = code;
    field->parameter = parameter;
    snprintf(field->pointer, sizeof field->pointer, "%s", name);
    drop_partial_character(field->pointer);
    format_detail(field->detail, detail, arguments);
    if (*name != '\0')
        problem_set(problem, code, "%s: %s", field->pointer, field->detail);
    else
        problem_set(problem, code, "%s", field->detail);
}

bool problem_add_field(struct problem *problem, enum problem_code code, const char *pointer,
                       const char *detail, ...)
{
    va_list arguments;
    va_start(arguments, detail);
    add(problem, false, code, pointer, detail, arguments);
    va_end(arguments);
    return false;
}

bool problem_add_parameter(struct problem *problem, enum problem_code code, const char *name,
                           const char *detail, ...)
{
    va_list arguments;
    va_start(arguments, detail);
    add(problem, true, code, name, detail, arguments);
    va_end(arguments);
    return false;
}

/* Readers make a pointer for each field and label, though few are ever shown: so without printf. */
void problem_pointer_join(const char *pointer, const char *name, char *out)
{
    const size_t max = PROBLEM_POINTER - 1;
    size_t size = strnlen(pointer, max);
    memmove(out, pointer, size);
    if (size < max)
        out[size++] = '/';
    for (; *name != '\0' && size + 1 < max; name++) { /* an escape takes two bytes */
        const bool escape = *name == '~' || *name == '/';
        if (escape)
            out[size++] = '~';
        out[size++] = (char)(escape ? (*name == '~' ? '0' : '1') : *name);
    }
    out[size] = '\0';
    drop_partial_character(out);
}

void problem_pointer_index(const char *pointer, size_t index, char *out)
{
    char name[DECIMAL_TEXT + 1];
    name[decimal_write_integer((int64_t)index, name)] = '\0';
    problem_pointer_join(pointer, name, out);
}

bool problem_set_no_memory(struct problem *problem)
{
    return problem_set(problem, PROBLEM_OUT_OF_MEMORY, "There is not enough memory right now.");
}
