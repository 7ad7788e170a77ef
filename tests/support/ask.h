/* ask.h - asks the fixture's server with JSON that is written as text, and compares its answers. */
#ifndef TESTS_SUPPORT_ASK_H
#define TESTS_SUPPORT_ASK_H

#include "tests/support/http.h"

/* Sends a text (NULL: no body), and asserts the status. */
struct http_answer ask(long status, const char *method, const char *path, const char *body);

/* Posts a text; the answer's JSON, with status 200; json_decref(). */
json_t *ask_json(const char *path, const char *body);

/* Asserts a member of an answer of 200, as compact JSON with up to nine digits; without a body it
 * is asked for with GET. */
void expect_member(const char *path, const char *body, const char *name, const char *expected);

/* Asserts that a request is refused: with this problem, which names these fields and no others, in
 * this order, by pointers or parameters with a space between them (NULL: none). */
void expect_refused(const char *method, const char *path, const char *body, long status,
                    const char *code, const char *names);

/* Asserts a value, which is written as text. */
void expect_json(const json_t *found, const char *expected);
/* Asserts that two values are equal. */
void expect_equal_json(json_t *take_one, json_t *take_other);

/* Asserts the shape of nested arrays, and gives one of their numbers. */
void expect_shape(const json_t *matrix, size_t rows, size_t columns);
double matrix_number(const json_t *matrix, size_t row, size_t column);

/* Asserts that an answer is .npy of the shape "(2, 3)" with the float32 of these rows. */
void expect_npy_rows(const struct http_answer *answer, const json_t *expected, const char *shape);

/* A member of what a GET answers, as compact JSON; free(). */
char *ask_member(const char *path, const char *member);

/* Asserts the member "version". */
void expect_version(const char *path, json_int_t version);

#endif
