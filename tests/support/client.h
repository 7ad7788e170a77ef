/* client.h - what clients of the service do all the time: create models, and read answers. */
#ifndef TESTS_SUPPORT_CLIENT_H
#define TESTS_SUPPORT_CLIENT_H

#include "tests/support/http.h"

/* POST /models, which has to be answered 201; takes the model. */
void create_model(const struct service *service, json_t *model);
/* Likewise of a model in JSON's text. */
void create_model_of_text(const struct service *service, const char *model);

/* A model of 2 afferents and 2 outputs on a grid of 20 steps, with weights by chance. */
void create_plain_model(const struct service *service, const char *id);

/* Members of an answer's JSON, which have to be there. */
const char *member_string(const json_t *object, const char *name);
json_int_t member_integer(const json_t *object, const char *name);
double member_number(const json_t *object, const char *name);
/* An element of a member that is an array of arrays. */
const json_t *member_element(const json_t *object, const char *name, size_t row, size_t column);

/* Asserts that the answer is this problem, with every member that a problem has. */
void expect_problem(const struct http_answer *answer, long status, const char *code);
/* The pointers, or parameters, of all fields that a problem names, with a space between them; valid
 * until the next call. */
const char *problem_names(const struct http_answer *answer);

#endif
