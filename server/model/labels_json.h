/* labels_json.h - reads and writes the names of classes. */
#ifndef SERVER_MODEL_LABELS_JSON_H
#define SERVER_MODEL_LABELS_JSON_H

#include "server/base/problem.h"
#include "server/json/value.h"
#include "server/model/labels.h"

/* Reads an array of `count` different names. False with the problem set. */
bool labels_json_read(struct json_value value, const char *pointer, size_t count,
                      struct problem *problem, struct labels *ret_labels);

/* The text of an array of names, as the store keeps it; NULL: no memory. free() */
char *labels_json_text(const char *const *names, size_t count);

#endif
