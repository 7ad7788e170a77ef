/* labels.h - the names of a model's classes. */
#ifndef SERVER_MODEL_LABELS_H
#define SERVER_MODEL_LABELS_H

#include <stdbool.h>
#include <stdint.h>

#include "server/json/document.h"
#include "server/json/writer.h"

struct label {
    const char *name;
    int32_t number;
};

/* One name a class; count 0 where they have none. */
struct labels {
    size_t count;
    struct label *sorted; /* by name; owned, one block with all names */
    char **names;         /* [count] by class */
};

/* Reads an array of `count` different names. */
bool labels_read(struct json_value value, const char *pointer, size_t count,
                 struct problem *problem, struct labels *ret_labels);
void labels_finish(struct labels *labels);
void labels_write(struct json_writer *writer, const struct labels *labels); /* null for none */
/* The class of a name, or -1. */
int32_t labels_find(const struct labels *labels, const char *name);

#endif
