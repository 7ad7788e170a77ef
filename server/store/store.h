/* store.h - models, versions, runs and datasets, kept for good.
 *
 * The interface speaks of models and runs; that it is SQLite only store*.c know. A store is one
 * connection with its prepared statements, used by one thread at a time. There is exactly one
 * writer, which alone commits and checkpoints; readers are read-only. Every call is one
 * transaction: it has happened wholly and durably, or not at all. Times are milliseconds since 1970
 * UTC. Outputs are untouched on failure. */
#ifndef SERVER_STORE_STORE_H
#define SERVER_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/dtype.h"
#include "server/base/limits.h"
#include "server/base/samples.h"

enum store_status {
    STORE_OK,
    STORE_NOT_FOUND,  /* the model, version or run that the call names is not there */
    STORE_TAKEN,      /* the id is */
    STORE_IN_USE,     /* a run of the model, or that uses the dataset, is queued or running */
    STORE_MISMATCH,   /* a dataset would have samples and labels of different counts */
    STORE_ENDED,      /* the run has ended already */
    STORE_QUEUE_FULL, /* LIMIT_QUEUED_RUNS wait */
    STORE_NO_MEMORY,
    STORE_FULL,        /* disk or quota */
    STORE_UNAVAILABLE, /* I/O error, busy with another program, can't open */
    STORE_LOCKED,      /* another tempotrond has it */
    STORE_CORRUPT,     /* damaged database, or a checksum that does not match */
    STORE_FOREIGN,     /* a database of another program */
    STORE_NEWER        /* a database of a newer tempotrond */
};

const char *store_status_text(enum store_status status); /* for the log and the start-up message */

struct store;

/* Opens for writing: creates the file where it is absent, takes an exclusive claim so that no
 * second tempotrond writes, migrates it. */
enum store_status store_open_writer(const char *path, struct store **ret_store);
/* Opens read-only, after a writer has. */
enum store_status store_open_reader(const char *path, struct store **ret_store);
/* Writes what changes nothing, durably: whether the disk works. */
enum store_status store_probe(struct store *store);
/* The writer checkpoints. Takes NULL. */
void store_close(struct store *store);

/* A named matrix of float32; a version holds one or more. Kept as one checksummed (SHA-256) BLOB.
 */
enum { TENSOR_NAME = 32 };
struct tensor {
    char name[TENSOR_NAME];
    size_t rows;
    size_t columns;
    const float *values; /* [rows][columns] */
};

struct tensors {
    size_t count;
    struct tensor *items;
    void *memory; /* owned: what items and their values point into */
};
void tensors_finish(struct tensors *tensors);

/* --- models --- */

struct model_record {
    int64_t sequence; /* grows with each model created, and is never used again: calls that change a
                         model name it thus, so that they can't meet another one, made meanwhile
                         under the same id; also the cursor of listings */
    char id[LIMIT_ID + 1];
    char *description; /* owned */
    char *config; /* owned; JSON text: encoder, in_features, out_features, T ... as the routes' side
                     defines it */
    char *labels; /* owned; JSON text of an array, or NULL */
    int64_t version; /* the one served */
    int64_t created_at;
    int64_t updated_at;
};
void model_record_finish(struct model_record *record);

/* Creates the model with its version 1. Of the record id, description, config, labels are read.
 * STORE_TAKEN. */
enum store_status store_model_insert(struct store *store, const struct model_record *record,
                                     const struct tensor *tensors, size_t tensor_count,
                                     int64_t now);
enum store_status store_model_find(struct store *store, const char *id,
                                   struct model_record *ret_record);
/* Newest first, those with a sequence below `before` (0: from the newest); up to `limit` records
 * into records[limit]. */
enum store_status store_model_list(struct store *store, int64_t before, size_t limit,
                                   struct model_record *records, size_t *ret_count);

struct model_change {
    const char *description; /* NULL: as it is */
    const char *labels;      /* JSON text; NULL: as it is */
    bool remove_labels;
    int64_t version; /* 0: as it is; must exist, else STORE_NOT_FOUND */
};
/* STORE_IN_USE: labels can't change while a run waits, or trains, on classes that have names. */
enum store_status store_model_update(struct store *store, int64_t model,
                                     const struct model_change *change, int64_t now);
/* With its versions, runs, metrics, and samples that no other run uses. STORE_IN_USE. */
enum store_status store_model_delete(struct store *store, const char *id);

/* --- versions --- */

struct version_record {
    int64_t version;
    int64_t run;     /* that published it; 0: created or imported */
    char sha256[65]; /* of its tensors, hex */
    int64_t created_at;
};

/* Publishes tensors as the model's next version and serves it. */
enum store_status store_version_insert(struct store *store, int64_t model,
                                       const struct tensor *tensors, size_t tensor_count,
                                       int64_t now, int64_t *ret_version);
/* Newest first, those below `before` (0: all). STORE_NOT_FOUND where there is no such model. */
enum store_status store_version_list(struct store *store, const char *model, int64_t before,
                                     size_t limit, struct version_record *records,
                                     size_t *ret_count);
/* Those tensors of a version whose names begin so; the checksum of all is not verified.
 * STORE_NOT_FOUND where there are none. */
enum store_status store_version_peek(struct store *store, int64_t model, int64_t version,
                                     const char *prefix, struct tensors *ret_tensors);
/* The tensors of a version, their checksums verified. */
enum store_status store_version_load(struct store *store, int64_t model, int64_t version,
                                     struct tensors *ret_tensors);

/* --- datasets --- */

struct array_record {
    int64_t id; /* 0: there is no array */
    enum dtype dtype;
    size_t count;
    size_t features;
    size_t bytes;
    char sha256[65]; /* of its values, little-endian, row by row */
};

struct dataset_record {
    int64_t sequence; /* grows with each dataset; the cursor of listings */
    char id[LIMIT_ID + 1];
    struct array_record x;
    struct array_record label; /* of as many as x has, once both are there */
    size_t classes;            /* one more than the greatest label */
    char *names;               /* owned; JSON text of an array, or NULL: labels are numbers */
    char sha256[65];           /* of both arrays' checksums; "" while one is missing */
    int64_t created_at;
    int64_t updated_at;
};
void dataset_record_finish(struct dataset_record *record);

/* Begins an array of which dtype and features are known, adds a chunk to it, gives it up. */
enum store_status store_array_begin(struct store *store, const struct array_record *array,
                                    int64_t *ret_array);
enum store_status store_array_append(struct store *store, int64_t array, size_t position,
                                     const void *data, size_t bytes);
enum store_status store_array_abandon(struct store *store, int64_t array);
/* While nothing is uploaded: deletes what belongs to no dataset. */
enum store_status store_arrays_prune(struct store *store);
/* The values, their checksum verified. *ret_values: free() */
enum store_status store_array_load(struct store *store, const struct array_record *array,
                                   void **ret_values);

struct dataset_change {
    const struct array_record *x;     /* NULL: as it is */
    const struct array_record *label; /* likewise */
    size_t classes;                   /* of label */
    const char *names;                /* of label; JSON text, or NULL */
    bool replaces;                    /* both: what is NULL goes */
};
/* Puts arrays, wholly written, in the place of those that the dataset has; creates it where there
 * is none, as *ret_created says. STORE_IN_USE, STORE_MISMATCH. */
enum store_status store_dataset_put(struct store *store, const char *id,
                                    const struct dataset_change *change, int64_t now,
                                    bool *ret_created);
enum store_status store_dataset_find(struct store *store, const char *id,
                                     struct dataset_record *ret_record);
/* Newest first, as store_model_list(). */
enum store_status store_dataset_list(struct store *store, int64_t before, size_t limit,
                                     struct dataset_record *records, size_t *ret_count);
/* STORE_IN_USE. Runs that have ended keep its checksum. */
enum store_status store_dataset_delete(struct store *store, const char *id);

/* What a reader reads from here to there is of one moment, whatever is written meanwhile. */
enum store_status store_snapshot_begin(struct store *store);
void store_snapshot_end(struct store *store);

/* --- runs --- */

enum run_state { RUN_QUEUED, RUN_RUNNING, RUN_SUCCEEDED, RUN_FAILED, RUN_CANCELLED };
extern const char *const run_state_names[]; /* NULL-terminated, in the order of the enum */

struct epoch_metrics {
    int64_t epoch; /* from 1 */
    double loss;
    double accuracy;
    double validation_loss;     /* NaN where there is no validation set */
    double validation_accuracy; /* NaN likewise */
};

enum { RUN_ERROR_CODE = 32 };
struct run_record {
    int64_t id; /* grows with each run; the cursor of listings */
    char model[LIMIT_ID + 1];
    enum run_state state;
    bool cancel_requested;
    int64_t base_version;         /* whose weights it starts from; 0 until it first ran */
    int64_t version;              /* published; 0 until then */
    int64_t epoch;                /* done */
    int64_t epochs;               /* asked for */
    char *params;                 /* owned; JSON text */
    int64_t best_epoch;           /* see run_result; 0: none */
    struct epoch_metrics metrics; /* of the best epoch, or the last one done; epoch 0: none yet */
    char error_code[RUN_ERROR_CODE]; /* "" where it has not failed */
    char *error_detail;              /* owned; NULL likewise */
    char samples_sha256[65];
    char validation_sha256[65];            /* "" where there is none */
    char dataset[LIMIT_ID + 1];            /* "" where it is none, or is not there any more */
    char validation_dataset[LIMIT_ID + 1]; /* likewise */
    int64_t created_at;
    int64_t started_at;  /* 0: not yet */
    int64_t finished_at; /* 0: not yet */
};
void run_record_finish(struct run_record *record);

/* What a run uses: samples, or the dataset of this sequence, which has to have this checksum. */
struct run_data {
    const struct samples *samples; /* NULL: the dataset */
    int64_t dataset;               /* 0, and no samples: nothing */
    const char *sha256;            /* of the dataset */
};

/* Queues a run. Equal samples (by their SHA-256) are stored once, whatever the number of runs.
 * STORE_NOT_FOUND (model; dataset), STORE_QUEUE_FULL. */
enum store_status store_run_insert(struct store *store, int64_t model, const char *params,
                                   int64_t epochs, const struct run_data *training,
                                   const struct run_data *validation, int64_t now,
                                   int64_t *ret_run);
enum store_status store_run_find(struct store *store, int64_t run, struct run_record *ret_record);
/* Newest first; model NULL and state -1: any. STORE_NOT_FOUND where a model is named that is not
 * there. */
enum store_status store_run_list(struct store *store, const char *model, int state, int64_t before,
                                 size_t limit, struct run_record *records, size_t *ret_count);
/* Epochs above `after`, in order. */
enum store_status store_run_metrics(struct store *store, int64_t run, int64_t after, size_t limit,
                                    struct epoch_metrics *metrics, size_t *ret_count);
/* training, or validation: STORE_NOT_FOUND where the run has none of its own. Checksum verified. */
enum store_status store_run_samples(struct store *store, int64_t run, bool validation,
                                    struct samples *ret_samples);

/* The dataset that a run uses instead. STORE_NOT_FOUND. */
enum store_status store_run_dataset(struct store *store, int64_t run, bool validation,
                                    struct dataset_record *ret_record);

/* On start: running rows become queued again, from their beginning (their metrics go, base_version
 * stays); those whose cancellation was asked for become cancelled. */
enum store_status store_runs_take_up(struct store *store, int64_t now);
/* Claims the oldest queued run whose model trains no other: it is running from now on, and its
 * base_version is set (kept where it was set before). STORE_NOT_FOUND: nothing to do. */
enum store_status store_run_claim(struct store *store, int64_t now, struct run_record *ret_record);
/* Adds epochs to a running run. */
enum store_status store_run_progress(struct store *store, int64_t run,
                                     const struct epoch_metrics *metrics, size_t count);

/* What a run publishes. */
struct run_result {
    const struct tensor *tensors;
    size_t tensor_count;
    int64_t best_epoch; /* whose weights these are, with patience; 0: the last one's */
};

/* The ends of a running run, each one transaction with its last metrics. Succeeding publishes the
 * next version and serves it. */
enum store_status store_run_succeed(struct store *store, int64_t run,
                                    const struct epoch_metrics *metrics, size_t count,
                                    const struct run_result *result, int64_t now,
                                    int64_t *ret_version);
enum store_status store_run_fail(struct store *store, int64_t run,
                                 const struct epoch_metrics *metrics, size_t count,
                                 const char *code, const char *detail, int64_t now);
enum store_status store_run_cancelled(struct store *store, int64_t run,
                                      const struct epoch_metrics *metrics, size_t count,
                                      int64_t now);
/* Asks for a cancellation: a queued run is cancelled at once (*ret_state says so), a running one is
 * marked. STORE_ENDED. */
enum store_status store_run_cancel(struct store *store, int64_t run, int64_t now,
                                   enum run_state *ret_state);

#endif
