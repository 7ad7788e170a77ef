#include "server/compute/job.h"

#include <math.h>

#include "server/base/buffer.h"
#include "server/base/log.h"
#include "server/base/timestamp.h"
#include "server/compute/checkpoint_writer.h"
#include "server/compute/run.h"
#include "server/model/cache.h"
#include "server/model/memory.h"
#include "server/store/pool.h"
#include "server/store/queue.h"

enum {
    NS_PER_MS = 1000000,
    PROGRESS_INTERVAL_NS = 250 * NS_PER_MS,
    CHECKPOINT_COST = 100, /* see plan_checkpoint() */
    MEMORY_TRIES = 10      /* after which a run that gets no memory fails */
};

struct job {
    const struct job_options *options;
    const struct job_control *control;
    const struct run_record *record;
    struct run run;
    struct problem problem; /* why the samples cannot be trained on, if they cannot */

    struct buffer pending; /* epoch_metrics that the store has not seen yet */
    int64_t begun_ns;      /* of the monotonic clock, like the next */
    int64_t progress_at;   /* when some were last written */

    int64_t epoch;      /* done */
    int64_t best_epoch; /* with patience: whose weights are kept */

    int64_t checkpoint_due; /* when the next one is begun */
    struct checkpoint_writer writer;
    struct checkpoint checkpoint; /* of the training's end or interruption */
    struct run_snapshot result;   /* of a success: what it publishes */
    enum store_status restored;   /* how its last checkpoint could be read */
    bool lacks_memory;            /* to begin or to go on */
    unsigned tries;               /* that lacked memory since the last epoch */
    bool lacks_version;           /* one that it should have kept is not in the store */
};

static void job_finish(struct job *job)
{
    checkpoint_writer_abandon(&job->writer);
    run_snapshot_finish(&job->result);
    run_unload(&job->run);
    buffer_finish(&job->pending);
    checkpoint_discard(&job->checkpoint);
}

static size_t pending_count(const struct job *job)
{
    return job->pending.size / sizeof(struct epoch_metrics);
}

/* --- progress --- */

/* A progress that can't be written now is written with the next, or with the run's end. */
static void write_progress(struct job *job)
{
    struct store_pool *stores = job->options->stores;
    struct store *store = store_pool_borrow_writer(stores);
    const enum store_status status = store_pool_return_writer(
        stores, store_run_progress(store, job->record->id, job->pending.items, pending_count(job)));
    if (status == STORE_OK)
        job->pending.size = 0;
}

static bool fails_for_now(enum store_status status)
{
    return status == STORE_FULL || status == STORE_UNAVAILABLE || status == STORE_NO_MEMORY;
}

/* Whether the stop comes before a while has passed. */
static bool stops_meanwhile(const struct job *job)
{
    return job->control->stops_meanwhile(job->control->context);
}

static bool stop_requested(void *context)
{
    const struct job *job = context;
    return job->pending.failed || atomic_load(job->control->cancelled) ||
           atomic_load(job->control->stopping);
}

/* A version that was asked for is in the store before the training goes on. */
static void keep_version(struct job *job, int64_t epoch)
{
    const size_t every = job->run.params.checkpoint_every;
    enum store_status status;
    if (every == 0 || (size_t)epoch % every != 0)
        return;
    do
        status = run_keep(&job->run, job->options->stores, epoch);
    while (fails_for_now(status) && !stop_requested(job) && !stops_meanwhile(job));
    job->lacks_version = status != STORE_OK;
}

static void on_epoch(void *context, const struct training_epoch *epoch)
{
    struct job *job = context;
    const struct epoch_metrics metrics = {
        .epoch = (int64_t)epoch->epoch,
        .loss = epoch->loss,
        .accuracy = epoch->accuracy,
        .validation_loss = epoch->has_validation ? epoch->validation_loss : NAN,
        .validation_accuracy = epoch->has_validation ? epoch->validation_accuracy : NAN,
    };
    job->epoch = metrics.epoch;
    job->tries = 0;
    buffer_add(&job->pending, &metrics, sizeof metrics);
    if (epoch->is_best)
        job->best_epoch = metrics.epoch;
    keep_version(job, metrics.epoch);
    const int64_t now = timestamp_monotonic_ns();
    if (now - job->progress_at < PROGRESS_INTERVAL_NS)
        return;
    job->progress_at = now;
    write_progress(job);
}

/* --- the end --- */

static void log_state(const struct job *job, const char *state, const char *code)
{
    const int64_t ms = (timestamp_monotonic_ns() - job->begun_ns) / NS_PER_MS;
    log_event("run=%lld model=%s state=%s code=%s epoch=%lld ms=%lld", (long long)job->record->id,
              job->record->model, state, code, (long long)job->epoch, (long long)ms);
}

static void log_end(const struct job *job, const struct run_end *end)
{
    if (end->state == RUN_FAILED)
        log_state(job, run_state_names[end->state], end->code);
    else if (job->options->logs_all)
        log_state(job, end->state == RUN_RUNNING ? "interrupted" : run_state_names[end->state],
                  "-");
}

/* An end whose state is RUN_RUNNING is an interruption. */
static enum store_status write_end(struct job *job, const struct run_end *asked,
                                   struct store *store)
{
    const struct epoch_metrics *pending = job->pending.items;
    const size_t count = pending_count(job);
    struct checkpoint_end checkpoint;
    struct run_end end = *asked;
    end.checkpoint = checkpoint_end(&job->checkpoint, &checkpoint);
    if (end.state == RUN_RUNNING)
        return store_queue_return(store, job->record->id, pending, count, end.checkpoint);
    if (end.state == RUN_SUCCEEDED) {
        end.tensors = &job->result.sealed;
        end.best_epoch = job->best_epoch;
    }
    return store_run_end(store, job->record->id, pending, count, &end, timestamp_now());
}

static bool has_result(struct job *job)
{
    return job->result.sealed.count > 0 || run_snapshot_take(&job->run, &job->result);
}

/* A run whose cancellation the store has noted is not published. While the writer is lent here, no
 * other cancellation can be noted. */
static enum store_status try_to_end(struct job *job, struct run_end *end)
{
    struct model_cache *cache = job->options->cache;
    if (end->state == RUN_SUCCEEDED && !has_result(job))
        return STORE_NO_MEMORY;
    struct store *store = model_cache_change_begin(cache, job->record->model);
    enum store_status status = STORE_NOT_FOUND;
    if (end->state == RUN_SUCCEEDED)
        status = store_queue_is_cancelled(store, job->record->id);
    if (status == STORE_OK) {
        *end = (struct run_end){.state = RUN_CANCELLED};
        log_end(job, end);
    }
    if (status == STORE_OK || status == STORE_NOT_FOUND)
        status = write_end(job, end, store);
    if (status == STORE_OK)
        checkpoint_kept(&job->checkpoint);
    return model_cache_change_end(cache, job->record->model, status);
}

static struct run_end damaged(void)
{
    return (struct run_end){
        .state = RUN_FAILED, .code = "damaged_data", .detail = "The stored data can't be read."};
}

/* An end is worth more than what a later run could go on from. */
static bool may_end_later(struct job *job, enum store_status status, struct run_end *end)
{
    /* A damaged database that refuses the end takes that of a failure, with nothing beside it. */
    if (store_status_is_damage(status) && end->state != RUN_FAILED) {
        *end = damaged();
        job->pending.size = 0;
        checkpoint_discard(&job->checkpoint);
        log_end(job, end);
        return true;
    }
    if (status == STORE_FULL && job->checkpoint.stores != NULL) {
        checkpoint_discard(&job->checkpoint);
        return true;
    }
    return fails_for_now(status) && !stops_meanwhile(job);
}

/* A store that can't take the end now, its disk being full, is asked again until it can. What it
 * has not taken when the process ends stays "running", and goes on after the next start.
 */
static void end_job(struct job *job, struct run_end *end)
{
    const struct job_options *options = job->options;
    enum store_status status;
    log_end(job, end);
    do
        status = try_to_end(job, end);
    while (may_end_later(job, status, end));
    options->on_end(options->context, job->record->id);
    store_pool_sweep(options->stores);
}

/* --- checkpoints --- */

/* A checkpoint takes no more than a hundredth of the time, as long as the time between two is no
 * more than twice what was asked for. */
static void plan_checkpoint(struct job *job, int64_t begun_ns, int64_t took_ns)
{
    const int64_t interval = (int64_t)job->options->checkpoint_seconds * 1000000000;
    const int64_t longest = 2 * interval - took_ns;
    int64_t wait = took_ns * CHECKPOINT_COST;
    if (wait > longest)
        wait = longest;
    if (wait < interval)
        wait = interval;
    job->checkpoint_due = begun_ns + wait;
}

/* A checkpoint that can't be written now is not written: the one before it stays. */
static void on_batch(void *context, const struct training_state *state)
{
    struct job *job = context;
    struct checkpoint_writer *writer = &job->writer;
    const int64_t now = timestamp_monotonic_ns();
    if (checkpoint_writer_has_ended(writer))
        plan_checkpoint(job, writer->begun_ns, writer->took_ns);
    if (writer->has_thread || now < job->checkpoint_due || job->lacks_version)
        return;
    if (pending_count(job) > 0)
        write_progress(job);
    if (pending_count(job) > 0 ||
        !checkpoint_writer_begin(writer, job->options->stores, job->record->id, state))
        plan_checkpoint(job, now, 0);
}

static void on_end(void *context, const struct training_state *state)
{
    struct job *job = context;
    checkpoint_writer_abandon(&job->writer);
    if (!job->lacks_version && checkpoint_collect(&job->checkpoint, job->options->stores, state))
        checkpoint_write(&job->checkpoint, NULL);
}

static bool on_begin(void *context, struct training_state *state)
{
    struct job *job = context;
    const struct job_options *options = job->options;
    const enum store_status status = checkpoint_restore(options->stores, job->record->id, state);
    plan_checkpoint(job, timestamp_monotonic_ns(), 0);
    job->restored = status == STORE_NOT_FOUND ? STORE_OK : status;
    if (status != STORE_OK)
        return status == STORE_NOT_FOUND;
    job->epoch = (int64_t)training_state_epochs(state);
    job->best_epoch = (int64_t)state->best_epoch;
    if (options->logs_all)
        log_state(job, "continued", "-");
    return true;
}

/* Whether a damaged checkpoint has been dropped, so that the run can begin again. */
static bool begins_again(struct job *job)
{
    struct store_pool *stores = job->options->stores;
    if (!store_status_is_damage(job->restored))
        return false;
    log_state(job, "restarted", "damaged_data");
    struct store *store = store_pool_borrow_writer(stores);
    return store_pool_return_writer(stores, store_checkpoint_drop(store, job->record->id)) ==
           STORE_OK;
}

/* --- training --- */

static struct run_end failure(const char *code, const char *detail)
{
    return (struct run_end){.state = RUN_FAILED, .code = code, .detail = detail};
}

static struct run_end no_memory(void)
{
    return failure("out_of_memory", "There was not enough memory.");
}

static struct run_end lack_memory(struct job *job)
{
    job->lacks_memory = true;
    return no_memory();
}

static struct run_end stopped(const struct job *job)
{
    if (job->pending.failed)
        return no_memory();
    const bool is_cancelled = atomic_load(job->control->cancelled);
    return (struct run_end){.state = is_cancelled ? RUN_CANCELLED : RUN_RUNNING};
}

static struct run_end unreadable(struct job *job, enum store_status status)
{
    if (status == STORE_NO_MEMORY)
        return lack_memory(job);
    if (store_status_is_damage(status))
        return damaged();
    return failure("store_unavailable", "The database can't be read.");
}

static struct run_end train(struct job *job)
{
    const struct training_observer observer = {job,      on_begin, on_batch,
                                               on_epoch, on_end,   stop_requested};
    const enum core_status status = run_train(&job->run, &observer);
    checkpoint_writer_abandon(&job->writer);
    if (job->restored != STORE_OK)
        return unreadable(job, job->restored);
    if (status == CORE_DIVERGED)
        return failure("diverged", "The loss or a weight is no longer finite. Nothing was "
                                   "published; try a smaller learning_rate.");
    if (status == CORE_NO_MEMORY)
        return lack_memory(job);
    if (job->pending.failed)
        return no_memory();
    return status == CORE_STOPPED ? stopped(job) : (struct run_end){.state = RUN_SUCCEEDED};
}

/* From the last checkpoint, or from the beginning. */
static struct run_end try_to_train(struct job *job, unsigned threads)
{
    const struct job_options *options = job->options;
    run_unload(&job->run);
    job->restored = STORE_OK;
    job->lacks_memory = false;
    job->problem = (struct problem){0};
    const struct stop_check stop_check = {job, stop_requested};
    const enum store_status status = run_load(&job->run, job->record, options->stores,
                                              options->cache, threads, &stop_check, &job->problem);
    if (status == STORE_STOPPED)
        return stopped(job);
    if (status != STORE_OK)
        return unreadable(job, status);
    if (job->problem.code == PROBLEM_OUT_OF_MEMORY)
        return lack_memory(job);
    if (problem_is_set(&job->problem))
        return failure(problem_name(job->problem.code), job->problem.detail);
    return train(job);
}

/* Forgets the epochs since the last checkpoint. */
static bool rewind_metrics(struct job *job)
{
    struct store_pool *stores = job->options->stores;
    struct store *store = store_pool_borrow_writer(stores);
    const enum store_status status =
        store_pool_return_writer(stores, store_queue_rewind(store, job->record->id));
    if (status != STORE_OK)
        return false;
    job->pending.size = 0;
    job->epoch = job->best_epoch = 0;
    return true;
}

/* Whether a run that got no memory is tried again: at once, and then after a while. */
static bool tries_again(struct job *job, struct run_end *end)
{
    if (!job->lacks_memory || ++job->tries == MEMORY_TRIES)
        return false;
    if (job->tries > 1)
        stops_meanwhile(job);
    if (!stop_requested(job))
        return rewind_metrics(job);
    *end = stopped(job);
    return false;
}

static struct run_end load_and_train(struct job *job, unsigned threads)
{
    struct run_end end;
    if (!memory_fits_run(job->options->memory, job->record->memory, &job->problem))
        return failure(problem_name(job->problem.code), job->problem.detail);
    do
        end = try_to_train(job, threads);
    while (begins_again(job) || tries_again(job, &end));
    return end;
}

void job_run(const struct run_record *record, unsigned threads, const struct job_options *options,
             const struct job_control *control)
{
    struct job job = {.options = options,
                      .control = control,
                      .record = record,
                      .begun_ns = timestamp_monotonic_ns()};
    job.progress_at = job.begun_ns;
    struct run_end end = load_and_train(&job, threads);
    end_job(&job, &end);
    job_finish(&job);
}
