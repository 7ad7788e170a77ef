/* bodies.h - a server with two models to send bodies to, and what is sent. */
#ifndef TESTS_SUPPORT_BODIES_H
#define TESTS_SUPPORT_BODIES_H

#include "tests/support/http.h"

enum { MAX_BODY = 1048576 };

#define NPY_TYPE "Content-Type: application/x-npy"

/* Three samples of two features, as numbers and as JSON. */
extern const double body_numbers[6];
#define BODY_NUMBERS_JSON "[[0, 100], [127, 7], [3, 50]]"

/* A server that takes no body beyond MAX_BODY, with the model "tuned", which has an encoder of 2
 * features with a table of bytes, and "plain", which has none. */
void bodies_start(void);

/* Sends text, asserts 200. */
struct http_answer post_text(const struct service *service, const char *path, const char *body);

/* Takes both answers: the second is as good as the first, byte by byte. */
void expect_equal_bodies(struct http_answer expected, struct http_answer found);

#endif
