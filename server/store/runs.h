/* runs.h - the runs: their history, their epochs and their ends. */
#ifndef SERVER_STORE_RUNS_H
#define SERVER_STORE_RUNS_H

#include <stdbool.h>

#include "server/base/checksum.h"
#include "server/base/limits.h"
#include "server/store/versions.h"

struct checkpoint_end;

enum run_state { RUN_QUEUED, RUN_RUNNING, RUN_SUCCEEDED, RUN_FAILED, RUN_CANCELLED };
extern const char *const run_state_names[]; /* NULL-terminated, in the order of the enum */

struct epoch_metrics {
    int64_t epoch; /* from 1 */
    double loss;
    double accuracy;
    double validation_loss;     /* NaN: there is no validation set */
    double validation_accuracy; /* likewise */
};

enum { RUN_ERROR_CODE = 32 };
struct run_record {
    int64_t id; /* grows with each run; the cursor of listings */
    char model[LIMIT_ID + 1];
    enum run_state state;
    bool cancel_requested;
    int64_t continues;            /* the run that it goes on from; 0: none */
    int64_t base_version;         /* whose weights it starts from; 0 until it first ran */
    int64_t version;              /* published; 0 until then */
    int64_t epoch;                /* done */
    int64_t epochs;               /* asked for */
    size_t memory;                /* bytes that it is counted with while it runs */
    char *params;                 /* owned; JSON text */
    int64_t best_epoch;           /* see run_end; 0: none */
    struct epoch_metrics metrics; /* of the best epoch, or the last one done; epoch 0: none yet */
    char error_code[RUN_ERROR_CODE]; /* "": it has not failed */
    char *error_detail;              /* owned; NULL: it has not failed */
    char samples_sha256[CHECKSUM_TEXT];
    char validation_sha256[CHECKSUM_TEXT]; /* "": there is no validation set */
    char dataset[LIMIT_ID + 1];            /* "": it uses none, or the dataset is gone */
    char validation_dataset[LIMIT_ID + 1]; /* likewise */
    char *kept; /* owned; JSON text: [{"epoch": 10, "version": 2}, ...], or NULL: no versions were
                   kept */
    int64_t created_at;
    int64_t started_at;  /* 0: not yet */
    int64_t finished_at; /* 0: not yet */
};
void run_record_finish(struct run_record *record);

enum store_status store_run_find(struct store *store, int64_t run, struct run_record *ret_record);
/* Newest first, those below `before` (0: all), up to `limit` (1 or more) into records[limit]; model
 * NULL and state -1: any. STORE_NOT_FOUND: no such model. */
enum store_status store_run_list(struct store *store, const char *model, int state, int64_t before,
                                 size_t limit, struct run_record *records, size_t *ret_count);
/* Epochs above `after`, in order. STORE_NOT_FOUND: no such run. */
enum store_status store_run_metrics(struct store *store, int64_t run, int64_t after, size_t limit,
                                    struct epoch_metrics *metrics, size_t *ret_count);

/* Adds epochs to a running run; the second within a transaction of the caller's. */
enum store_status store_run_progress(struct store *store, int64_t run,
                                     const struct epoch_metrics *metrics, size_t count);

enum store_status store_run_add_metrics(struct store *store, int64_t run,
                                        const struct epoch_metrics *metrics, size_t count);

/* Within the transaction that inserts a run: its row gets its checksum. */
enum store_status store_run_seal(struct store *store, int64_t run);

/* How a run ends. */
struct run_end {
    enum run_state state;                 /* RUN_SUCCEEDED, RUN_FAILED or RUN_CANCELLED */
    const struct sealed_tensors *tensors; /* of a success: the model's next version, which it then
                                             serves */
    int64_t best_epoch; /* of a success with patience: whose weights these are; else 0 */
    const char *code;   /* of a failure */
    const char *detail; /* likewise */
    /* What a later run can go on from, after a success or a cancellation; NULL: none can. Only
     * the model's last ended run that has one keeps it. */
    const struct checkpoint_end *checkpoint;
};
/* Ends a running run, with its last metrics. STORE_ENDED. */
enum store_status store_run_end(struct store *store, int64_t run,
                                const struct epoch_metrics *metrics, size_t count,
                                const struct run_end *end, int64_t now);

/* Deletes a piece of the metrics that runs of deleted models have left. STORE_NOT_FOUND: there are
 * none. */
enum store_status store_run_sweep(struct store *store);

#endif
