/* value_writer.h - writes what was read, to compare it with the text. */
#ifndef TESTS_SUPPORT_VALUE_WRITER_H
#define TESTS_SUPPORT_VALUE_WRITER_H

#include "server/json/value.h"
#include "server/json/writer.h"

void value_writer_write(struct buffer *json, struct json_value value);

#endif
