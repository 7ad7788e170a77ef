/* labels_json.h - reads and writes the names of a model's classes. */
#ifndef SERVER_MODEL_LABELS_JSON_H
#define SERVER_MODEL_LABELS_JSON_H

#include "server/base/problem.h"
#include "server/json/value.h"
#include "server/json/writer.h"
#include "server/model/labels.h"

/* Reads an array of `count` different names. False with the problem set. */
bool labels_json_read(struct json_value value, const char *pointer, size_t count,
                      struct problem *problem, struct labels *ret_labels);

void labels_json_write(struct json_writer *writer, const struct labels *labels); /* null for none */

/* The same as a text, as the store keeps it; NULL: no memory. free() */
char *labels_json_text(const struct labels *labels);

#endif
