/* writing.h - what a JSON json has written. */
#ifndef TESTS_SUPPORT_WRITING_H
#define TESTS_SUPPORT_WRITING_H

#include "server/json/writer.h"

/* Asserts what was written so far, and begins anew. */
void expect_written(struct buffer *json, const char *expected);

#endif
