/* versions.h - the versions of a model: its weights, as tensors that never change. */
#ifndef SERVER_STORE_VERSIONS_H
#define SERVER_STORE_VERSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/checksum.h"
#include "server/store/store.h"

enum { TENSOR_NAME = 32, TENSORS = 16 /* of a version, at most */ };

/* A named matrix of float32. A version holds one or more, under one checksum (SHA-256). */
struct tensor {
    char name[TENSOR_NAME];
    size_t rows;
    size_t columns;
    const float *values; /* [rows][columns] */
};

/* Tensors (borrowed) with their checksum. That of large ones takes long: it is computed before the
 * writer is borrowed. */
struct sealed_tensors {
    const struct tensor *items;
    size_t count;
    char sha256[CHECKSUM_TEXT];
};
struct sealed_tensors tensors_seal(const struct tensor *tensors, size_t count);

struct tensors {
    size_t count;
    struct tensor items[TENSORS]; /* their values are owned */
};
void tensors_finish(struct tensors *tensors);

const struct tensor *tensors_find(const struct tensors *tensors, const char *name); /* or NULL */

struct version_record {
    int64_t version;
    int64_t run;                /* that published it; 0: created or imported */
    int64_t epoch;              /* after which the run kept it; 0: it is not such a version */
    bool is_drawn;              /* its tensors are not kept: they follow from the model's seed */
    char sha256[CHECKSUM_TEXT]; /* of its tensors, in hex */
    int64_t created_at;
};

/* Publishes tensors as the model's next version and serves it. STORE_NOT_FOUND: no such model. */
enum store_status store_version_insert(struct store *store, int64_t model,
                                       const struct sealed_tensors *tensors, int64_t now,
                                       int64_t *ret_version);
/* The same within a transaction of the caller's, for a run that publishes; run 0: none. */
enum store_status store_version_publish(struct store *store, int64_t model, int64_t run,
                                        const struct sealed_tensors *tensors, int64_t now,
                                        int64_t *ret_version);
/* Keeps what a run is after an epoch as the model's next version, and does not serve it; does
 * nothing if the run has kept that epoch before. */
enum store_status store_version_keep(struct store *store, int64_t model, int64_t run, int64_t epoch,
                                     const struct sealed_tensors *tensors, int64_t now);
/* Newest first, those below `before` (0: all), up to `limit` (1 or more) into records[limit].
 * STORE_NOT_FOUND: no such model. */
enum store_status store_version_list(struct store *store, const char *model, int64_t before,
                                     size_t limit, struct version_record *records,
                                     size_t *ret_count);
/* The tensors of a version whose names begin with the prefix, their checksum not verified.
 * STORE_NOT_FOUND: there are none. */
enum store_status store_version_peek(struct store *store, int64_t model, int64_t version,
                                     const char *prefix, struct tensors *ret_tensors);
/* How many columns a tensor of a version has. STORE_NOT_FOUND: there is none of this name. */
enum store_status store_version_columns(struct store *store, int64_t model, int64_t version,
                                        const char *name, size_t *ret_columns);
/* Within a transaction of the caller's: the first version of a new model, whose tensors are drawn.
 * Only their checksum is kept. */
enum store_status store_version_note_drawn(struct store *store, int64_t model,
                                           const struct sealed_tensors *tensors, int64_t now);
/* Whether these are the tensors of a version. STORE_CORRUPT: their checksum differs. */
enum store_status store_version_verify(struct store *store, int64_t model, int64_t version,
                                       const struct sealed_tensors *tensors);
/* The tensors of a version, their checksum verified. Their count is 0 if they are drawn: then the
 * caller draws and verifies them. */
enum store_status store_version_load(struct store *store, int64_t model, int64_t version,
                                     struct tensors *ret_tensors);

/* Within the transaction that deletes a model: notes that its versions belong to nothing. */
enum store_status store_version_abandon(struct store *store, int64_t model);
/* Deletes a piece of these. STORE_NOT_FOUND: there are none. */
enum store_status store_version_sweep(struct store *store);

#endif
