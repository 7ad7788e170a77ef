/* json_document.c - a body becomes a jansson document, or a problem that says where it broke.
 *
 * Integers are read as doubles, which hold larger ones than jansson's integers.
 *
 * Stricter than jansson by default: a key given twice is refused. \u0000 is refused too, so that
 * every string of a document is a C string. */
#include "json_reader.h"

static enum problem_code code_of(enum json_error_code code)
{
    switch (code) {
    case json_error_premature_end_of_input:
        return PROBLEM_TRUNCATED_JSON;
    case json_error_invalid_utf8:
        return PROBLEM_INVALID_UTF8;
    case json_error_duplicate_key:
        return PROBLEM_DUPLICATE_KEY;
    case json_error_numeric_overflow:
        return PROBLEM_NUMBER_OUT_OF_RANGE;
    case json_error_stack_overflow:
        return PROBLEM_NESTING_TOO_DEEP;
    case json_error_unknown: /* jansson fails without a word for want of memory alone */
    case json_error_out_of_memory:
        return PROBLEM_OUT_OF_MEMORY;
    default:
        return PROBLEM_INVALID_JSON;
    }
}

json_t *json_document_parse(const char *text, size_t size, struct problem *problem)
{
    if (size == 0) {
        problem_set(problem, PROBLEM_TRUNCATED_JSON, "the body is empty; it must be JSON");
        return NULL;
    }
    json_error_t error = {0};
    json_t *document = json_loadb(
        text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &error);
    if (document != NULL)
        return document;
    const enum problem_code code = code_of(json_error_code(&error));
    if (code == PROBLEM_OUT_OF_MEMORY)
        problem_set(problem, code, "no memory to read the body");
    else if (json_error_code(&error) == json_error_null_character)
        problem_set(problem, code, "\\u0000 can't be in a string (line %d, column %d)", error.line,
                    error.column);
    else
        problem_set(problem, code, "%s (line %d, column %d)", error.text, error.line, error.column);
    return NULL;
}
