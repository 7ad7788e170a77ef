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

#endif
