#include "server/compute/trainer.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "server/base/timestamp.h"
#include "server/model/memory.h"
#include "server/store/pool.h"
#include "server/store/queue.h"

enum {
    TRAINING_NICE = 10,
    STORE_RETRY_SECONDS = 1,
};

struct worker {
    struct trainer *trainer;
    pthread_t thread;
    int64_t run;  /* that it trains; 0: none. Under the trainer's lock */
    size_t taken; /* of the memory of runs */
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

/* --- what the workers share --- */

/* Whether the trainer stops before a while has passed. */
static bool stops_meanwhile(void *context)
{
    struct trainer *trainer = context;
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

/* A run has all threads that no other run has, and at least its share of them: all runs together
 * have at most about twice as many as one alone. */
static unsigned join_threads(struct trainer *trainer)
{
    const unsigned all = trainer->options.threads, workers = trainer->options.workers;
    const unsigned share = (all + workers - 1) / workers;
    pthread_mutex_lock(&trainer->lock);
    const unsigned left = all > trainer->threads ? all - trainer->threads : 0;
    const unsigned threads = left > share ? left : share;
    trainer->threads += threads;
    pthread_mutex_unlock(&trainer->lock);
    return threads;
}

static void leave_threads(struct trainer *trainer, unsigned threads)
{
    pthread_mutex_lock(&trainer->lock);
    trainer->threads -= threads;
    pthread_mutex_unlock(&trainer->lock);
}

/* --- workers --- */

/* A run that has become too large for all memory is claimed, and fails; see job.c. */
static bool take_memory(void *context, size_t bytes)
{
    struct worker *worker = context;
    struct budget *runs = &worker->trainer->options.jobs.memory->runs;
    if (bytes > runs->max)
        bytes = 0;
    if (!budget_take(runs, bytes))
        return false;
    worker->taken = bytes;
    return true;
}

static void give_memory(struct worker *worker)
{
    budget_give(&worker->trainer->options.jobs.memory->runs, worker->taken);
    worker->taken = 0;
}

/* Claims the next run. The worker's run is set before the claim is released, so that no
 * cancellation falls between. */
static enum store_status claim(struct worker *worker, struct run_record *ret_record)
{
    struct trainer *trainer = worker->trainer;
    struct store *store = store_pool_borrow_writer(trainer->options.jobs.stores);
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
    return store_pool_return_writer(trainer->options.jobs.stores, status);
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

/* Trains the run that the worker has claimed. */
static void train(struct worker *worker, struct run_record *take_record)
{
    struct trainer *trainer = worker->trainer;
    const struct job_control control = {.cancelled = &worker->cancelled,
                                        .stopping = &trainer->stopping,
                                        .stops_meanwhile = stops_meanwhile,
                                        .context = trainer};
    const unsigned threads = join_threads(trainer);
    job_run(take_record, threads, &trainer->options.jobs, &control);
    pthread_mutex_lock(&trainer->lock);
    worker->run = 0;
    pthread_mutex_unlock(&trainer->lock);
    run_record_finish(take_record);
    leave_threads(trainer, threads);
    give_memory(worker);
    trainer_wake(trainer); /* another worker may now take the model's next run */
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct trainer *trainer = worker->trainer;
    uint64_t seen = 0;
    lower_priority();
    store_pool_sweep(trainer->options.jobs.stores); /* what the last process has left */
    while (!atomic_load(&trainer->stopping)) {
        struct run_record record = {0};
        const enum store_status claimed = claim(worker, &record);
        if (claimed == STORE_OK)
            train(worker, &record);
        else if (claimed == STORE_NOT_FOUND || claimed == STORE_NO_ROOM)
            seen = wait_for_work(trainer, seen);
        else
            stops_meanwhile(trainer); /* the disk is full, say: ask again */
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
        trainer->options.jobs.on_end(trainer->options.jobs.context, run);
        trainer_wake(trainer); /* it may have kept others waiting for memory */
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
