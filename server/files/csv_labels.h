/* csv_labels.h - the different texts of a column of labels, and the classes they stand for.
 *
 * Whether all of them are numbers is known only at the end. So each text first gets a code, in the
 * order of appearance, and the codes become classes at the end. */
#ifndef SERVER_FILES_CSV_LABELS_H
#define SERVER_FILES_CSV_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct csv_classes {
    size_t codes;            /* different texts */
    const int32_t *of_code;  /* [codes] the class of each */
    size_t count;            /* of names; 0: every text is a whole number, which is the class */
    const char *const *name; /* [count] of each class, sorted by strcmp() */
};

struct csv_labels;

struct csv_labels *csv_labels_create(void);         /* NULL: no memory */
void csv_labels_destroy(struct csv_labels *labels); /* takes NULL */

/* Finds the code of text[size], which a NUL follows, or gives it the next one. False: no memory. */
bool csv_labels_add(struct csv_labels *labels, const char *text, size_t size, int32_t *ret_code);
size_t csv_labels_count(const struct csv_labels *labels);

/* The classes of the texts so far; borrowed until the next call. False: no memory. */
bool csv_labels_classes(struct csv_labels *labels, struct csv_classes *ret_classes);

#endif
