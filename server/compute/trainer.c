#include "server/compute/trainer.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "server/base/buffer.h"
#include "server/base/log.h"
#include "server/base/timestamp.h"
#include "server/compute/checkpoint.h"
#include "server/compute/run.h"
#include "server/model/cache.h"
#include "server/model/memory.h"
#include "server/store/pool.h"
#include "server/store/queue.h"

enum {
    TRAINING_NICE = 10,
    NS_PER_MS = 1000000,
    PROGRESS_INTERVAL_NS = 250 * NS_PER_MS,
    STORE_RETRY_SECONDS = 1,
    CHECKPOINT_COST = 100 /* the work between checkpoints takes this many times as long as one, */
};
/* as long as that is no more than twice the interval that was asked for. */

struct worker {
    struct trainer *trainer;
    pthread_t thread;
    int64_t run;     /* that it trains; 0: none. Under the trainer's lock */
    bool has_memory; /* these bytes are taken for the run: */
    size_t taken;
    atomic_bool cancelled;
};

struct trainer {
    struct trainer_options options;
    atomic_bool stopping;
    pthread_mutex_t lock;
    pthread_cond_t work;
    uint64_t wakes;   /* how often something may have been queued */
    unsigned started; /* workers whose threads run */
    unsigned threads; /* of the teams of all runs */
    struct worker workers[];
};

/* --- one run --- */

struct job {
    struct worker *worker;
    struct run_record record;
    struct run run;
    struct problem problem; /* why the samples cannot be trained on, if they cannot */

    struct buffer pending; /* epoch_metrics that the store has not seen yet */
    int64_t begun_ns;      /* of the monotonic clock, like the next */
    int64_t progress_at;   /* when some were last written */

    unsigned threads; /* of its team */

    int64_t epoch;      /* done */
    int64_t best_epoch; /* with patience: whose weights are kept */

    int64_t checkpoint_due;       /* when the next one is written */
    struct checkpoint checkpoint; /* of the training's end or interruption */
    enum store_status restored;   /* how its last checkpoint could be read */
    bool lacks_version;           /* one that it should have kept is not in the store */
};

static void job_finish(struct job *job)
{
    run_unload(&job->run);
    run_record_finish(&job->record);
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
    struct store_pool *stores = job->worker->trainer->options.stores;
    struct store *store = store_pool_borrow_writer(stores);
    const enum store_status status = store_pool_return_writer(
        stores, store_run_progress(store, job->record.id, job->pending.items, pending_count(job)));
    if (status == STORE_OK)
        job->pending.size = 0;
}

static bool fails_for_now(enum store_status status)
{
    return status == STORE_FULL || status == STORE_UNAVAILABLE || status == STORE_NO_MEMORY;
}

/* Whether the trainer stops before a while has passed. */
static bool stops_meanwhile(struct trainer *trainer)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += STORE_RETRY_SECONDS;
    int error = 0;
    pthread_mutex_lock(&trainer->lock);
    while (error == 0 && !atomic_load(&trainer->stopping))
        error = pthread_cond_clockwait(&trainer->work, &trainer->lock, CLOCK_MONOTONIC, &end);
    pthread_mutex_unlock(&trainer->lock);
    return atomic_load(&trainer->stopping);
}

static bool stop_requested(void *context)
{
    const struct job *job = context;
    return job->pending.failed || atomic_load(&job->worker->cancelled) ||
           atomic_load(&job->worker->trainer->stopping);
}

/* A version that was asked for is in the store before the training goes on. */
static void keep_version(struct job *job, int64_t epoch)
{
    struct trainer *trainer = job->worker->trainer;
    const size_t every = job->run.params.checkpoint_every;
    enum store_status status;
    if (every == 0 || (size_t)epoch % every != 0)
        return;
    do
        status = run_keep(&job->run, trainer->options.stores, epoch);
    while (fails_for_now(status) && !stop_requested(job) && !stops_meanwhile(trainer));
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
    log_event("run=%lld model=%s state=%s code=%s epoch=%lld ms=%lld", (long long)job->record.id,
              job->record.model, state, code, (long long)job->epoch, (long long)ms);
}

static void log_end(const struct job *job, const struct run_end *end)
{
    if (end->state == RUN_FAILED)
        log_state(job, run_state_names[end->state], end->code);
    else if (job->worker->trainer->options.logs_all)
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
    end.best_epoch = end.state == RUN_SUCCEEDED ? job->best_epoch : 0;
    if (end.state == RUN_RUNNING)
        return store_queue_return(store, job->record.id, pending, count, end.checkpoint);
    if (end.state == RUN_SUCCEEDED)
        return run_publish(&job->run, store, pending, count, &end);
    return store_run_end(store, job->record.id, pending, count, &end, timestamp_now());
}

/* A cancellation that the store has noted is kept: nobody can note another one meanwhile. */
static enum store_status try_to_end(struct job *job, struct run_end *end)
{
    struct model_cache *cache = job->worker->trainer->options.cache;
    struct store *store = model_cache_change_begin(cache, job->record.model);
    if (end->state == RUN_SUCCEEDED &&
        store_queue_is_cancelled(store, job->record.id) == STORE_OK) {
        *end = (struct run_end){.state = RUN_CANCELLED};
        log_end(job, end);
    }
    const enum store_status status = write_end(job, end, store);
    if (status == STORE_OK)
        checkpoint_kept(&job->checkpoint);
    return model_cache_change_end(cache, job->record.model, status);
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
    if (status == STORE_CORRUPT && end->state != RUN_FAILED) {
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
    return fails_for_now(status) && !stops_meanwhile(job->worker->trainer);
}

/* A store that can't take the end now, its disk being full, is asked again until it can. What it
 * has not taken when the process ends stays "running", and is trained again after the next start.
 */
static void end_job(struct job *job, struct run_end *end)
{
    const struct trainer_options *options = &job->worker->trainer->options;
    enum store_status status;
    log_end(job, end);
    do
        status = try_to_end(job, end);
    while (may_end_later(job, status, end));
    options->on_end(options->context, job->record.id);
    store_pool_sweep(options->stores);
}

/* --- checkpoints --- */

/* A checkpoint that can't be written now is not written: the one before it stays. */
static void write_checkpoint(struct job *job, const struct training_state *state)
{
    struct store_pool *stores = job->worker->trainer->options.stores;
    struct checkpoint checkpoint;
    struct checkpoint_end end;
    if (!checkpoint_collect(&checkpoint, stores, state))
        return;
    struct store *store = store_pool_borrow_writer(stores);
    const enum store_status status =
        store_checkpoint_keep(store, job->record.id, checkpoint_end(&checkpoint, &end),
                              job->pending.items, pending_count(job));
    if (status == STORE_OK) {
        checkpoint_kept(&checkpoint);
        job->pending.size = 0;
    }
    store_pool_return_writer(stores, status);
    checkpoint_discard(&checkpoint);
    store_pool_sweep(stores);
}

static void plan_checkpoint(struct job *job, int64_t cost_ns)
{
    const int64_t interval = (int64_t)job->worker->trainer->options.checkpoint_seconds * 1000000000;
    int64_t wait = cost_ns * CHECKPOINT_COST;
    if (wait < interval)
        wait = interval;
    job->checkpoint_due = timestamp_monotonic_ns() + (wait < 2 * interval ? wait : 2 * interval);
}

static void on_batch(void *context, const struct training_state *state)
{
    struct job *job = context;
    const int64_t begun = timestamp_monotonic_ns();
    if (begun < job->checkpoint_due || job->lacks_version)
        return;
    write_checkpoint(job, state);
    plan_checkpoint(job, timestamp_monotonic_ns() - begun);
}

static void on_end(void *context, const struct training_state *state)
{
    struct job *job = context;
    if (!job->lacks_version)
        checkpoint_collect(&job->checkpoint, job->worker->trainer->options.stores, state);
}

static bool on_begin(void *context, struct training_state *state)
{
    struct job *job = context;
    const struct trainer_options *options = &job->worker->trainer->options;
    const enum store_status status = checkpoint_restore(options->stores, job->record.id, state);
    plan_checkpoint(job, 0);
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
    struct store_pool *stores = job->worker->trainer->options.stores;
    if (job->restored != STORE_CORRUPT)
        return false;
    log_state(job, "restarted", "damaged_data");
    struct store *store = store_pool_borrow_writer(stores);
    return store_pool_return_writer(stores, store_checkpoint_drop(store, job->record.id)) ==
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

static struct run_end unreadable(enum store_status status)
{
    if (status == STORE_NO_MEMORY)
        return no_memory();
    if (status == STORE_CORRUPT)
        return damaged();
    return failure("store_unavailable", "The database can't be read.");
}

static struct run_end train(struct job *job)
{
    const struct training_observer observer = {job,      on_begin, on_batch,
                                               on_epoch, on_end,   stop_requested};
    const enum core_status status = run_train(&job->run, &observer);
    if (job->restored != STORE_OK)
        return unreadable(job->restored);
    if (status == CORE_DIVERGED)
        return failure("diverged", "The loss or a weight is no longer finite. Nothing was "
                                   "published; try a smaller learning_rate.");
    if (status == CORE_STOPPED && atomic_load(&job->worker->cancelled))
        return (struct run_end){.state = RUN_CANCELLED};
    if (status == CORE_NO_MEMORY || job->pending.failed)
        return no_memory();
    return (struct run_end){.state = status == CORE_STOPPED ? RUN_RUNNING : RUN_SUCCEEDED};
}

/* A run has all threads that no other run has, and at least its share of them: all runs together
 * have at most about twice as many as one alone. */
static void join_threads(struct job *job)
{
    struct trainer *trainer = job->worker->trainer;
    const unsigned all = trainer->options.threads, workers = trainer->options.workers;
    const unsigned share = (all + workers - 1) / workers;
    pthread_mutex_lock(&trainer->lock);
    const unsigned left = all > trainer->threads ? all - trainer->threads : 0;
    job->threads = left > share ? left : share;
    trainer->threads += job->threads;
    pthread_mutex_unlock(&trainer->lock);
}

static void leave_threads(const struct job *job)
{
    struct trainer *trainer = job->worker->trainer;
    pthread_mutex_lock(&trainer->lock);
    trainer->threads -= job->threads;
    pthread_mutex_unlock(&trainer->lock);
}

static struct run_end load_and_train(struct job *job)
{
    const struct trainer_options *options = &job->worker->trainer->options;
    struct run_end end;
    if (!memory_can_hold(options->memory, job->record.memory, "", &job->problem))
        return failure(problem_name(job->problem.code), job->problem.detail);
    do {
        run_unload(&job->run);
        job->restored = STORE_OK;
        const enum store_status status = run_load(&job->run, &job->record, options->stores,
                                                  options->cache, job->threads, &job->problem);
        if (status != STORE_OK)
            return unreadable(status);
        if (problem_is_set(&job->problem))
            return failure(problem_name(job->problem.code), job->problem.detail);
        end = train(job);
    } while (begins_again(job));
    return end;
}

/* --- workers --- */

/* A run that has become too large for all memory is claimed, and fails; see load_and_train(). */
static bool take_memory(void *context, size_t bytes)
{
    struct worker *worker = context;
    struct memory *memory = worker->trainer->options.memory;
    if (bytes > memory->budget.max)
        bytes = 0;
    if (!memory_take_for_run(memory, bytes))
        return false;
    worker->taken = bytes;
    worker->has_memory = true;
    return true;
}

static void give_memory(struct worker *worker)
{
    if (worker->has_memory)
        memory_give_of_run(worker->trainer->options.memory, worker->taken);
    worker->has_memory = false;
}

/* Claims the next run. The worker's run is set before the claim is released, so that no
 * cancellation falls between. */
static enum store_status claim(struct worker *worker, struct run_record *ret_record)
{
    struct trainer *trainer = worker->trainer;
    struct store *store = store_pool_borrow_writer(trainer->options.stores);
    const enum store_status status =
        store_queue_claim(store, timestamp_now(), take_memory, worker, ret_record);
    if (status != STORE_OK)
        give_memory(worker);
    if (status == STORE_OK) {
        pthread_mutex_lock(&trainer->lock);
        worker->run = ret_record->id;
        atomic_store(&worker->cancelled, false);
        pthread_mutex_unlock(&trainer->lock);
    }
    return store_pool_return_writer(trainer->options.stores, status);
}

/* Waits for a wake that came after `seen` ones, and returns how many there were: every idle worker
 * looks for itself, so that runs queued at the same time are trained at the same time. */
static uint64_t wait_for_work(struct trainer *trainer, uint64_t seen)
{
    pthread_mutex_lock(&trainer->lock);
    while (trainer->wakes == seen && !atomic_load(&trainer->stopping))
        pthread_cond_wait(&trainer->work, &trainer->lock);
    seen = trainer->wakes;
    pthread_mutex_unlock(&trainer->lock);
    return seen;
}

/* Training gives way to requests and still is never starved: it may hold a lock that others wait
 * for. */
static void lower_priority(void)
{
    const struct sched_param none = {0};
    pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);
    setpriority(PRIO_PROCESS, 0, TRAINING_NICE); /* of this thread only, on Linux */
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct trainer *trainer = worker->trainer;
    uint64_t seen = 0;
    lower_priority();
    while (!atomic_load(&trainer->stopping)) {
        struct job job = {.worker = worker, .begun_ns = timestamp_monotonic_ns()};
        job.progress_at = job.begun_ns;
        const enum store_status claimed = claim(worker, &job.record);
        if (claimed == STORE_NOT_FOUND || claimed == STORE_NO_ROOM)
            seen = wait_for_work(trainer, seen);
        else if (claimed != STORE_OK)
            stops_meanwhile(trainer); /* the disk is full, say: ask again */
        if (claimed != STORE_OK)
            continue;
        join_threads(&job);
        struct run_end end = load_and_train(&job);
        end_job(&job, &end);
        pthread_mutex_lock(&trainer->lock);
        worker->run = 0;
        pthread_mutex_unlock(&trainer->lock);
        job_finish(&job);
        leave_threads(&job);
        give_memory(worker);
        trainer_wake(trainer); /* another worker may now take the model's next run */
    }
    return NULL;
}

struct trainer *trainer_create(const struct trainer_options *options)
{
    struct trainer *trainer =
        calloc(1, sizeof *trainer + options->workers * sizeof *trainer->workers);
    if (trainer == NULL)
        return NULL;
    trainer->options = *options;
    pthread_mutex_init(&trainer->lock, NULL);
    pthread_cond_init(&trainer->work, NULL);
    return trainer;
}

bool trainer_start(struct trainer *trainer)
{
    for (unsigned i = 0; i < trainer->options.workers; i++) {
        struct worker *worker = &trainer->workers[i];
        worker->trainer = trainer;
        if (pthread_create(&worker->thread, NULL, work, worker) != 0)
            return false;
        trainer->started++;
    }
    return true;
}

void trainer_wake(struct trainer *trainer)
{
    pthread_mutex_lock(&trainer->lock);
    trainer->wakes++;
    pthread_cond_broadcast(&trainer->work);
    pthread_mutex_unlock(&trainer->lock);
}

void trainer_cancel(struct trainer *trainer, int64_t run, bool ended)
{
    if (ended) {
        trainer->options.on_end(trainer->options.context, run);
        return;
    }
    pthread_mutex_lock(&trainer->lock);
    for (unsigned i = 0; i < trainer->options.workers; i++)
        if (trainer->workers[i].run == run)
            atomic_store(&trainer->workers[i].cancelled, true);
    pthread_mutex_unlock(&trainer->lock);
}

void trainer_interrupt(struct trainer *trainer)
{
    pthread_mutex_lock(&trainer->lock);
    atomic_store(&trainer->stopping, true);
    pthread_cond_broadcast(&trainer->work);
    pthread_mutex_unlock(&trainer->lock);
}

void trainer_stop(struct trainer *trainer)
{
    if (trainer == NULL)
        return;
    trainer_interrupt(trainer);
    while (trainer->started > 0)
        pthread_join(trainer->workers[--trainer->started].thread, NULL);
}

void trainer_destroy(struct trainer *trainer)
{
    if (trainer == NULL)
        return;
    trainer_stop(trainer);
    pthread_cond_destroy(&trainer->work);
    pthread_mutex_destroy(&trainer->lock);
    free(trainer);
}
