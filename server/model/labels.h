/* labels.h - the names of a model's classes. */
#ifndef SERVER_MODEL_LABELS_H
#define SERVER_MODEL_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct label {
    const char *name;
    int32_t number;
};

/* One name a class; count 0: they have none. */
struct labels {
    size_t count;
    struct label *sorted; /* by name; owned, one block with all names */
    const char **names;   /* [count] by class */
};

/* Copies the names[count] > 0 of classes. False: no memory. */
bool labels_init(struct labels *labels, const char *const *names, size_t count);
void labels_finish(struct labels *labels); /* does nothing on a zeroed one */

/* A name that two classes have, or NULL. */
const char *labels_duplicate(const struct labels *labels);

/* The class of a name, or -1. */
int32_t labels_find(const struct labels *labels, const char *name);

#endif
