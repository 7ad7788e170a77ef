/* datasets.h - the datasets: an array of samples and one of their labels, under one id. */
#ifndef SERVER_STORE_DATASETS_H
#define SERVER_STORE_DATASETS_H

#include <stdbool.h>

#include "server/base/limits.h"
#include "server/store/arrays.h"

struct dataset_record {
    int64_t sequence; /* grows with each dataset; the cursor of listings */
    char id[LIMIT_ID + 1];
    struct array_record x;
    struct array_record label;  /* its count is that of x, once both are there */
    size_t classes;             /* one more than the greatest label */
    char *names;                /* owned; JSON text of an array, or NULL: labels are numbers */
    bool is_abridged;           /* in a listing: there are names, more than LIMIT_LISTED */
    char sha256[CHECKSUM_TEXT]; /* of both arrays' checksums; "" while one is missing */
    int64_t created_at;
    int64_t updated_at;
};
void dataset_record_finish(struct dataset_record *record);

struct dataset_change {
    const struct array_record *x;     /* NULL: as it is */
    const struct array_record *label; /* likewise */
    size_t classes;                   /* of label; 0 without one */
    const char *names;                /* of label; JSON text, or NULL */
    bool replaces;                    /* both: an array that is NULL goes */
};
/* Puts arrays, wholly written, in the place of those that the dataset has. Creates the dataset if
 * there is none, as *ret_created says. STORE_IN_USE, STORE_MISMATCH. */
enum store_status store_dataset_put(struct store *store, const char *id,
                                    const struct dataset_change *change, int64_t now,
                                    bool *ret_created);
enum store_status store_dataset_find(struct store *store, const char *id,
                                     struct dataset_record *ret_record);
/* The dataset that a run trains on, or is validated on. STORE_NOT_FOUND: it has samples of its own,
 * or the dataset is gone. */
enum store_status store_dataset_of_run(struct store *store, int64_t run, bool validation,
                                       struct dataset_record *ret_record);
/* Newest first, as store_model_list(). */
enum store_status store_dataset_list(struct store *store, int64_t before, size_t limit,
                                     struct dataset_record *records, size_t *ret_count);
/* Runs that have ended keep its checksum. STORE_IN_USE. */
enum store_status store_dataset_delete(struct store *store, const char *id);

#endif
