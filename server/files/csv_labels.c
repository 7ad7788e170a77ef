/* csv_labels.c - a balanced tree finds the texts, so that no choice of texts makes it slow. */
#include "server/files/csv_labels.h"

#include <math.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "server/files/csv_number.h"

struct label_text {
    const char *text; /* `storage`, except in a key */
    int32_t code;
    int32_t number; /* its value, if it is a whole number */
    char storage[];
};

struct csv_labels {
    void *tree; /* of label_text, by text; owned */
    size_t count;
    bool has_words; /* one is not a whole number of 0 .. INT32_MAX */

    int32_t *of_code;  /* [count] of the classes that were asked for */
    const char **name; /* [count] */
    size_t named;      /* so far */
};

struct csv_labels *csv_labels_create(void)
{
    return calloc(1, sizeof(struct csv_labels));
}

void csv_labels_destroy(struct csv_labels *labels)
{
    if (labels == NULL)
        return;
    tdestroy(labels->tree, free);
    free(labels->of_code);
    free(labels->name);
    free(labels);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(((const struct label_text *)a)->text, ((const struct label_text *)b)->text);
}

static bool read_whole(const char *text, size_t size, int32_t *ret_number)
{
    double value;
    if (csv_number_read(text, size, &value) != CSV_NUMBER)
        return false;
    if (value < 0 || value > INT32_MAX || value != floor(value))
        return false;
    *ret_number = (int32_t)value;
    return true;
}

static bool add_text(struct csv_labels *labels, const char *text, size_t size)
{
    struct label_text *added = malloc(sizeof *added + size + 1);
    if (added == NULL)
        return false;
    memcpy(added->storage, text, size + 1);
    added->text = added->storage;
    added->code = (int32_t)labels->count;
    if (tsearch(added, &labels->tree, compare_texts) == NULL) {
        free(added);
        return false;
    }
    labels->has_words |= !read_whole(text, size, &added->number);
    labels->count++;
    return true;
}

bool csv_labels_add(struct csv_labels *labels, const char *text, size_t size, int32_t *ret_code)
{
    const struct label_text key = {.text = text};
    struct label_text *const *found = tfind(&key, &labels->tree, compare_texts);
    if (found == NULL && !add_text(labels, text, size))
        return false;
    *ret_code = found != NULL ? (*found)->code : (int32_t)labels->count - 1;
    return true;
}

size_t csv_labels_count(const struct csv_labels *labels)
{
    return labels->count;
}

/* Called for each text in order, among other visits: <search.h> calls those postorder. */
static void name_class(const void *node, VISIT visit, void *context)
{
    struct csv_labels *labels = context;
    const struct label_text *text = *(struct label_text *const *)node;
    if (visit != postorder && visit != leaf)
        return;
    labels->of_code[text->code] = labels->has_words ? (int32_t)labels->named : text->number;
    labels->name[labels->named++] = text->text;
}

bool csv_labels_classes(struct csv_labels *labels, struct csv_classes *ret_classes)
{
    free(labels->of_code);
    free(labels->name);
    labels->of_code = malloc((labels->count + 1) * sizeof *labels->of_code);
    labels->name = malloc((labels->count + 1) * sizeof *labels->name);
    if (labels->of_code == NULL || labels->name == NULL)
        return false;
    labels->named = 0;
    twalk_r(labels->tree, name_class, labels);
    *ret_classes = (struct csv_classes){.codes = labels->count,
                                        .of_code = labels->of_code,
                                        .count = labels->has_words ? labels->count : 0,
                                        .name = labels->name};
    return true;
}
