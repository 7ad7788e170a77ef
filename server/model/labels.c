#include "server/model/labels.h"

#include <stdlib.h>
#include <string.h>

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct label *)a)->name, ((const struct label *)b)->name);
}

bool labels_init(struct labels *labels, const char *const *names, size_t count)
{
    size_t bytes = count * (sizeof(struct label) + sizeof(char *));
    for (size_t i = 0; i < count; i++)
        bytes += strlen(names[i]) + 1;
    *labels = (struct labels){.count = count, .sorted = malloc(bytes)};
    if (labels->sorted == NULL)
        return false;
    labels->names = (const char **)(labels->sorted + count);
    char *text = (char *)(labels->names + count);
    for (size_t i = 0; i < count; i++) {
        labels->names[i] = text;
        labels->sorted[i] = (struct label){.name = text, .number = (int32_t)i};
        text = stpcpy(text, names[i]) + 1;
    }
    qsort(labels->sorted, count, sizeof *labels->sorted, compare_names);
    return true;
}

const char *labels_duplicate(const struct labels *labels)
{
    for (size_t i = 1; i < labels->count; i++)
        if (compare_names(&labels->sorted[i - 1], &labels->sorted[i]) == 0)
            return labels->sorted[i].name;
    return NULL;
}

void labels_finish(struct labels *labels)
{
    free(labels->sorted);
    *labels = (struct labels){0};
}

int32_t labels_find(const struct labels *labels, const char *name)
{
    const struct label key = {.name = name};
    const struct label *found = NULL;
    if (labels->count > 0)
        found = bsearch(&key, labels->sorted, labels->count, sizeof key, compare_names);
    return found != NULL ? found->number : -1;
}
