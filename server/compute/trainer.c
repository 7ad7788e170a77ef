#include "server/compute/trainer.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "server/base/team_threads.h"
#include "server/base/timestamp.h"
#include "server/compute/run_params.h"
#include "server/model/cache.h"
#include "server/model/dataset_samples.h"
#include "server/model/encoder_ranges.h"
#include "server/model/model.h"
#include "server/model/version_ranges.h"
#include "server/model/weights.h"
#include "server/store/datasets.h"
#include "server/store/pool.h"
#include "server/store/queue.h"
#include "server/store/samples.h"

enum { TRAINING_NICE = 10, PROGRESS_INTERVAL_MS = 250, STORE_RETRY_SECONDS = 1 };

struct worker {
    struct trainer *trainer;
    pthread_t thread;
    int64_t run; /* that it trains; 0: none. Under the trainer's lock */
    atomic_bool cancelled;
};

struct trainer {
    struct trainer_options options;
    atomic_bool stopping;
    pthread_mutex_t lock;
    pthread_cond_t work;
    uint64_t wakes;   /* how often something may have been queued */
    unsigned started; /* workers whose threads run */
    struct worker workers[];
};

/* --- one run --- */

/* All that training a run needs. */
struct job {
    struct worker *worker;
    struct run_record record;
    struct model *base;    /* whose weights it starts from */
    struct encoder fitted; /* to the samples, if the run fits its encoder, and */
    struct encoding fitted_encoding;
    const struct encoding *encoding; /* that the samples go through: this, or the base's */
    struct run_params params;
    struct problem problem; /* why the samples can't be trained on, where they came */
    struct samples training;
    struct samples validation; /* count 0: none */
    struct thread_team *team;
    struct network *network; /* the private copy */

    /* Epochs that the store has not seen yet. */
    struct epoch_metrics *pending;
    size_t pending_count;
    size_t pending_capacity;
    int64_t begun;
    int64_t progress_at; /* when some were last written */

    int64_t epoch;      /* done */
    int64_t best_epoch; /* with patience: whose weights are kept */
    bool failed;        /* no memory for metrics */
};

static void job_finish(struct job *job)
{
    run_record_finish(&job->record);
    encoding_finish(&job->fitted_encoding);
    encoder_finish(&job->fitted);
    model_release(job->base);
    samples_finish(&job->training);
    samples_finish(&job->validation);
    team_threads_destroy(job->team);
    network_destroy(job->network);
    free(job->pending);
}

static struct store_pool *stores_of(const struct job *job)
{
    return job->worker->trainer->options.stores;
}

static bool read_params(struct job *job)
{
    struct fields fields;
    struct problem problem = {0};
    struct document *document = document_read_stored(job->record.params, &problem);
    const bool read = document != NULL && fields_open_document(&fields, document, &problem) &&
                      run_params_read(&fields, &job->base->config, &job->params);
    document_destroy(document);
    return read;
}

/* Samples of the run's own, or those of its dataset. */
static enum store_status load_samples(const struct job *job, struct store *store, bool validation,
                                      struct samples *samples)
{
    struct dataset_record dataset;
    enum store_status status = store_samples_load(store, job->record.id, validation, samples);
    if (status != STORE_NOT_FOUND)
        return status;
    status = store_dataset_of_run(store, job->record.id, validation, &dataset);
    if (status != STORE_OK)
        return status;
    struct problem problem = {0};
    if (dataset_samples_suit(&dataset, job->base, SAMPLES_TO_FIT, "", &problem))
        status = dataset_samples_load(store, &dataset, job->base, SAMPLES_TO_FIT, samples);
    else
        status = STORE_CORRUPT;
    dataset_record_finish(&dataset);
    return status;
}

/* Of a run's own samples the share was set aside when they came in. */
static enum store_status load_validation(const struct job *job, struct store *store,
                                         struct samples *training, struct samples *validation)
{
    if (job->record.validation_sha256[0] != '\0')
        return load_samples(job, store, true, validation);
    if (job->record.dataset[0] == '\0' || job->params.validation_fraction == 0)
        return STORE_OK;
    const size_t drawn =
        run_params_validation_count(training->count, job->params.validation_fraction);
    return samples_split(training, job->params.training.loop.seed, drawn, validation)
               ? STORE_OK
               : STORE_NO_MEMORY;
}

/* Other ranges may have come, with another version, since the samples were accepted. */
static void check_values(struct job *job, const struct samples *samples, const char *name)
{
    const struct encoder *encoder = &job->base->config.encoder;
    if (samples->count > 0 && samples_are_encoded(samples) &&
        model_encoder_is_usable(job->base, false, &job->problem))
        encoder_ranges_hold(encoder, samples, name, false, &job->problem);
}

/* Fits the encoder to the samples, or finds that they go through it as it is. */
static enum store_status choose_encoding(struct job *job)
{
    const struct model_config *config = &job->base->config;
    job->encoding = &job->base->encoding;
    if (!job->params.fit) {
        check_values(job, &job->training, "The training samples");
        check_values(job, &job->validation, "The validation samples");
        return STORE_OK;
    }
    if (!encoder_ranges_fit(&config->encoder, &job->training, &job->problem, &job->fitted))
        return STORE_OK;
    job->encoding = &job->fitted_encoding;
    return encoding_init(&job->fitted_encoding, &job->fitted,
                         tempotron_last(&config->network.tempotron)) == CORE_OK
               ? STORE_OK
               : STORE_NO_MEMORY;
}

static enum store_status load_sets(struct job *job)
{
    struct store *store;
    enum store_status status = store_pool_borrow_reader(stores_of(job), &store);
    if (status != STORE_OK)
        return status;
    status = load_samples(job, store, false, &job->training);
    if (status == STORE_OK)
        status = load_validation(job, store, &job->training, &job->validation);
    store_pool_return_reader(stores_of(job), store);
    if (status == STORE_OK)
        status = choose_encoding(job);
    if (status == STORE_OK && !problem_is_set(&job->problem) &&
        !(samples_suit(&job->training, job->encoding) &&
          samples_suit(&job->validation, job->encoding)))
        status = STORE_NO_MEMORY;
    return status;
}

static enum store_status job_load(struct job *job)
{
    struct model_cache *cache = job->worker->trainer->options.cache;
    enum store_status status =
        model_cache_get(cache, job->record.model, job->record.base_version, &job->base);
    if (status != STORE_OK)
        return status;
    if (!read_params(job))
        return STORE_CORRUPT;
    status = load_sets(job);
    if (status != STORE_OK || problem_is_set(&job->problem))
        return status;
    job->team = team_threads_create(job->worker->trainer->options.threads);
    return job->team != NULL && network_copy(job->base->network, &job->network) == CORE_OK
               ? STORE_OK
               : STORE_NO_MEMORY;
}

/* --- progress --- */

static bool keep_pending(struct job *job, const struct epoch_metrics *metrics)
{
    if (job->pending_count == job->pending_capacity) {
        const size_t capacity = job->pending_capacity * 2 + 64;
        struct epoch_metrics *pending = realloc(job->pending, capacity * sizeof *pending);
        if (pending == NULL)
            return false;
        job->pending = pending;
        job->pending_capacity = capacity;
    }
    job->pending[job->pending_count++] = *metrics;
    return true;
}

/* A progress that can't be written now is written with the next, or with the run's end. */
static void write_progress(struct job *job)
{
    struct store *store = store_pool_borrow_writer(stores_of(job));
    const enum store_status status =
        store_run_progress(store, job->record.id, job->pending, job->pending_count);
    store_pool_return_writer(stores_of(job), status);
    if (status == STORE_OK)
        job->pending_count = 0;
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
    if (!keep_pending(job, &metrics))
        job->failed = true;
    if (epoch->is_best)
        job->best_epoch = metrics.epoch;
    const int64_t now = timestamp_now();
    if (now - job->progress_at < PROGRESS_INTERVAL_MS)
        return;
    job->progress_at = now;
    write_progress(job);
}

static bool stop_requested(void *context)
{
    const struct job *job = context;
    return job->failed || atomic_load(&job->worker->cancelled) ||
           atomic_load(&job->worker->trainer->stopping);
}

/* --- the end --- */

struct outcome {
    enum { SUCCEEDED, FAILED, CANCELLED, INTERRUPTED } end;
    const char *code; /* of FAILED */
    const char *detail;
};

/* Whose ranges the version keeps; NULL: it has those of the model. */
static const struct encoder *fitted_encoder(const struct job *job)
{
    return job->params.fit ? &job->fitted : version_ranges_fitted(&job->base->config);
}

static enum store_status publish(struct job *job, struct store *store)
{
    int64_t version;
    struct weights weights;
    struct tensor tensors[NETWORK_LAYERS + RANGE_TENSORS];
    const struct network_params *params = &job->base->config.network;
    const size_t depth = network_depth(params);
    if (!weights_copy(job->network, &weights))
        return STORE_NO_MEMORY;
    weights_tensors(params, &weights, tensors);
    const struct run_result result = {
        .tensors = tensors,
        .tensor_count = depth + version_ranges_put(fitted_encoder(job), tensors + depth),
        .best_epoch = job->best_epoch,
    };
    const enum store_status status =
        store_run_succeed(store, job->record.id, job->pending, job->pending_count, &result,
                          timestamp_now(), &version);
    weights_finish(&weights);
    return status;
}

static enum store_status write_end(struct job *job, const struct outcome *outcome,
                                   struct store *store)
{
    const int64_t run = job->record.id, now = timestamp_now();
    switch (outcome->end) {
    case SUCCEEDED:
        return publish(job, store);
    case FAILED:
        return store_run_fail(store, run, job->pending, job->pending_count, outcome->code,
                              outcome->detail, now);
    case CANCELLED:
        return store_run_cancelled(store, run, job->pending, job->pending_count, now);
    case INTERRUPTED:
        return STORE_OK;
    }
    return STORE_OK;
}

/* Whether the trainer stops before a while has passed. */
static bool stops_meanwhile(struct trainer *trainer)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += STORE_RETRY_SECONDS;
    int error = 0;
    pthread_mutex_lock(&trainer->lock);
    while (error == 0 && !atomic_load(&trainer->stopping))
        error = pthread_cond_timedwait(&trainer->work, &trainer->lock, &end);
    pthread_mutex_unlock(&trainer->lock);
    return atomic_load(&trainer->stopping);
}

static enum store_status try_to_end(struct job *job, const struct outcome *outcome)
{
    struct model_cache *cache = job->worker->trainer->options.cache;
    struct store *store = model_cache_change_begin(cache, job->record.model);
    return model_cache_change_end(cache, job->record.model, write_end(job, outcome, store));
}

static void log_end(const struct job *job, const struct outcome *outcome)
{
    static const char *const states[] = {[SUCCEEDED] = "succeeded",
                                         [FAILED] = "failed",
                                         [CANCELLED] = "cancelled",
                                         [INTERRUPTED] = "interrupted"};
    const int64_t now = timestamp_now();
    if (outcome->end != FAILED && !job->worker->trainer->options.logs_all)
        return;
    fprintf(stderr, "time=%s run=%lld model=%s state=%s code=%s epoch=%lld ms=%lld\n",
            timestamp_text(now).text, (long long)job->record.id, job->record.model,
            states[outcome->end], outcome->end == FAILED ? outcome->code : "-",
            (long long)job->epoch, (long long)(now - job->begun));
}

/* A store that can't take the end now, its disk being full, is asked again until it can. What it
 * has not taken when the process ends stays "running", and is trained again after the next start.
 */
static void end_job(struct job *job, const struct outcome *outcome)
{
    struct trainer *trainer = job->worker->trainer;
    enum store_status status;
    log_end(job, outcome);
    do
        status = try_to_end(job, outcome);
    while ((status == STORE_FULL || status == STORE_UNAVAILABLE || status == STORE_NO_MEMORY) &&
           !stops_meanwhile(trainer));
    trainer->options.on_end(trainer->options.context, job->record.id);
}

static struct outcome train_job(struct job *job)
{
    const struct training_observer observer = {
        .context = job, .on_epoch = on_epoch, .stop_requested = stop_requested};
    const struct samples *validation = job->validation.count > 0 ? &job->validation : NULL;
    switch (network_train(job->network, &job->training, validation, job->encoding,
                          &job->params.training, &observer, job->team)) {
    case CORE_OK:
        break;
    case CORE_NO_MEMORY:
        return (struct outcome){FAILED, "out_of_memory", "There was not enough memory."};
    case CORE_DIVERGED:
        return (struct outcome){FAILED, "diverged",
                                "The loss or a weight is no longer finite. Nothing was "
                                "published; try a smaller learning_rate."};
    case CORE_STOPPED:
        if (atomic_load(&job->worker->cancelled))
            return (struct outcome){.end = CANCELLED};
        if (!job->failed)
            return (struct outcome){.end = INTERRUPTED};
        break;
    }
    if (job->failed)
        return (struct outcome){FAILED, "out_of_memory", "There was not enough memory."};
    return (struct outcome){.end = SUCCEEDED};
}

static void run_job(struct job *job)
{
    struct outcome outcome;
    switch (job_load(job)) {
    case STORE_OK:
        if (problem_is_set(&job->problem))
            outcome =
                (struct outcome){FAILED, problem_name(job->problem.code), job->problem.detail};
        else
            outcome = train_job(job);
        break;
    case STORE_NO_MEMORY:
        outcome = (struct outcome){FAILED, "out_of_memory", "There was not enough memory."};
        break;
    case STORE_CORRUPT:
        outcome = (struct outcome){FAILED, "damaged_data", "The stored data can't be read."};
        break;
    case STORE_NOT_FOUND:
    case STORE_TAKEN:
    case STORE_IN_USE:
    case STORE_MISMATCH:
    case STORE_ENDED:
    case STORE_QUEUE_FULL:
    case STORE_FULL:
    case STORE_UNAVAILABLE:
    case STORE_LOCKED:
    case STORE_FOREIGN:
    case STORE_NEWER:
        outcome = (struct outcome){FAILED, "store_unavailable", "The database can't be read."};
        break;
    }
    end_job(job, &outcome);
}

/* --- workers --- */

/* Claims the next run. The worker's run is set before the claim is released, so that no
 * cancellation falls between. */
static enum store_status claim(struct worker *worker, struct run_record *ret_record)
{
    struct trainer *trainer = worker->trainer;
    struct store *store = store_pool_borrow_writer(trainer->options.stores);
    const enum store_status status = store_queue_claim(store, timestamp_now(), ret_record);
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

/* Training gives way to requests, but is never starved: it may hold a lock that others wait for. */
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
        struct job job = {.worker = worker, .begun = timestamp_now()};
        job.progress_at = job.begun;
        const enum store_status claimed = claim(worker, &job.record);
        if (claimed == STORE_NOT_FOUND)
            seen = wait_for_work(trainer, seen);
        else if (claimed != STORE_OK)
            stops_meanwhile(trainer); /* the disk is full, say: ask again */
        if (claimed != STORE_OK)
            continue;
        run_job(&job);
        pthread_mutex_lock(&trainer->lock);
        worker->run = 0;
        pthread_mutex_unlock(&trainer->lock);
        job_finish(&job);
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
