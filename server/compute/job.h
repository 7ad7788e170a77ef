/* job.h - what a worker does with the run that it has claimed, until its end is in the store.
 *
 * The run goes on from its last checkpoint, if it has one. It trains outside of any transaction;
 * its progress is written a few times a second, and a checkpoint now and then. Its end is a
 * success, with which its version is published in one transaction, a failure, a cancellation, or an
 * interruption, which queues the run again with a checkpoint of that moment. A store that cannot
 * take the end now is asked again until it can, or until the stop. */
#ifndef SERVER_COMPUTE_JOB_H
#define SERVER_COMPUTE_JOB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct memory;
struct model_cache;
struct run_record;
struct store_pool;

/* What all jobs have in common. */
struct job_options {
    struct store_pool *stores;   /* borrowed */
    struct model_cache *cache;   /* borrowed */
    struct memory *memory;       /* that runs take from; borrowed */
    unsigned checkpoint_seconds; /* of work between two checkpoints of a run */
    bool logs_all;               /* the end of every run, not only of those that failed */
    /* Called when a run has ended and its end is in the store, from any thread. */
    void (*on_end)(void *context, int64_t run);
    void *context;
};

/* What makes a job stop early; all borrowed. */
struct job_control {
    const atomic_bool *cancelled; /* this run: its end is a cancellation */
    const atomic_bool *stopping;  /* every run: its end is an interruption */
    /* Waits a while for the stop, and returns whether it came. */
    bool (*stops_meanwhile)(void *context);
    void *context;
};

/* Trains the run, on the caller's thread and a team of that many threads, and writes its end. */
void job_run(const struct run_record *record, unsigned threads, const struct job_options *options,
             const struct job_control *control);

#endif
