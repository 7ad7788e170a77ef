#include "server/compute/run.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/team_threads.h"
#include "server/base/timestamp.h"
#include "server/model/cache.h"
#include "server/model/dataset_samples.h"
#include "server/model/encoder_ranges.h"
#include "server/model/errors.h"
#include "server/store/datasets.h"
#include "server/store/pool.h"
#include "server/store/samples.h"

enum { TRAINING, VALIDATION };

void run_unload(struct run *run)
{
    encoding_finish(&run->fitted_encoding);
    encoder_finish(&run->fitted);
    model_release(run->base);
    samples_finish(&run->given[TRAINING]);
    samples_finish(&run->given[VALIDATION]);
    free(run->shares);
    team_threads_destroy(run->team);
    network_destroy(run->network);
    *run = (struct run){0};
}

/* --- loading --- */

static enum store_status read_params(struct run *run)
{
    struct fields fields;
    struct problem problem = {0};
    struct document *document = document_read_stored(run->record->params, &problem);
    const bool read = fields_open_document(&fields, document, &problem) &&
                      run_params_read(&fields, &run->base->config, &run->params);
    document_destroy(document);
    return errors_of_stored(read, &problem);
}

/* Samples of the run's own, or those of its dataset. */
static enum store_status load_samples(const struct run *run, struct store *store, bool validation,
                                      struct samples *samples)
{
    struct dataset_record dataset;
    enum store_status status = store_samples_load(store, run->record->id, validation, samples);
    if (status != STORE_NOT_FOUND)
        return status;
    status = store_dataset_of_run(store, run->record->id, validation, &dataset);
    if (status != STORE_OK)
        return status == STORE_NOT_FOUND ? STORE_CORRUPT : status;
    struct problem problem = {0};
    const char *sha256 = validation ? run->record->validation_sha256 : run->record->samples_sha256;
    const bool suits = strcmp(dataset.sha256, sha256) == 0 &&
                       dataset_samples_suit(&dataset, run->base, SAMPLES_TO_FIT, "", &problem);
    status = errors_of_stored(suits, &problem);
    if (status == STORE_OK)
        status = dataset_samples_load(store, &dataset, run->base, SAMPLES_TO_FIT, samples);
    dataset_record_finish(&dataset);
    return status;
}

/* Those that the run was given, or a share of the training samples, which is drawn by number. */
static enum store_status load_validation(struct run *run, struct store *store,
                                         const struct stop_check *stop_check)
{
    const size_t count = run->given[TRAINING].count;
    if (run->record->validation_sha256[0] != '\0')
        return load_samples(run, store, true, &run->given[VALIDATION]);
    if (run->params.validation_fraction == 0)
        return STORE_OK;
    run->shares = samples_shuffled(count, run->params.training.loop.seed, stop_check);
    return run->shares != NULL ? STORE_OK : STORE_NO_MEMORY;
}

/* What training sees of the samples that the run was given, as they are now. */
static void show_samples(struct run *run)
{
    const struct samples *given = &run->given[TRAINING];
    run->training = *given;
    run->validation = run->given[VALIDATION];
    if (run->shares == NULL)
        return;
    const size_t drawn = run_params_validation_count(given->count, run->params.validation_fraction);
    run->validation = samples_view(given, run->shares, drawn);
    run->training = samples_view(given, run->shares + drawn, given->count - drawn);
}

static void suit_samples(struct run *run)
{
    samples_suit(&run->given[TRAINING], run->encoding);
    samples_suit(&run->given[VALIDATION], run->encoding);
    show_samples(run);
}

/* Other ranges may have come, with another version, since the samples were accepted. */
static void check_values(const struct run *run, const struct samples *samples, const char *name,
                         struct problem *problem)
{
    const struct encoder *encoder = &run->base->config.encoder;
    if (samples->count > 0 && samples_are_encoded(samples) &&
        model_encoder_is_usable(run->base, false, problem) &&
        encoder->out_of_range == OUT_OF_RANGE_REJECT)
        encoder_ranges_hold(encoder, samples, name, false, problem);
}

/* Fits the encoder to the samples, or checks that they go through it as it is. */
static enum store_status choose_encoding(struct run *run, const struct stop_check *stop_check,
                                         struct problem *problem)
{
    const struct model_config *config = &run->base->config;
    run->encoding = &run->base->encoding;
    if (!run->params.fit) {
        check_values(run, &run->training, "The training samples", problem);
        check_values(run, &run->validation, "The validation samples", problem);
        return STORE_OK;
    }
    if (!encoder_ranges_fit(&config->encoder, &run->training, stop_check, problem, &run->fitted))
        return STORE_OK;
    run->encoding = &run->fitted_encoding;
    return encoding_init(&run->fitted_encoding, &run->fitted,
                         tempotron_last(&config->network.tempotron)) == CORE_OK
               ? STORE_OK
               : STORE_NO_MEMORY;
}

static enum store_status load_sets(struct run *run, struct store_pool *stores,
                                   const struct stop_check *stop_check)
{
    struct store *store;
    enum store_status status = store_pool_borrow_reader(stores, &store);
    if (status != STORE_OK)
        return status;
    store_set_stop_check(store, stop_check);
    status = load_samples(run, store, false, &run->given[TRAINING]);
    if (status == STORE_OK)
        status = load_validation(run, store, stop_check);
    store_set_stop_check(store, NULL);
    store_pool_return_reader(stores, store);
    show_samples(run);
    return status;
}

enum store_status run_load(struct run *run, const struct run_record *record,
                           struct store_pool *stores, struct model_cache *cache, unsigned threads,
                           const struct stop_check *stop_check, struct problem *problem)
{
    *run = (struct run){.record = record};
    enum store_status status =
        model_cache_get(cache, record->model, record->base_version, &run->base);
    if (status == STORE_OK)
        status = read_params(run);
    if (status == STORE_OK)
        status = load_sets(run, stores, stop_check);
    if (status == STORE_OK)
        status = choose_encoding(run, stop_check, problem);
    if (stop_check_requested(stop_check))
        return STORE_STOPPED;
    if (status != STORE_OK || problem_is_set(problem))
        return status;
    suit_samples(run);
    run->team = team_threads_create(threads);
    return run->team != NULL && network_copy(run->base->network, &run->network) == CORE_OK
               ? STORE_OK
               : STORE_NO_MEMORY;
}

/* --- training --- */

enum core_status run_train(struct run *run, const struct training_observer *observer)
{
    const struct samples *validation = run->validation.count > 0 ? &run->validation : NULL;
    return network_train(run->network, &run->training, validation, run->encoding,
                         &run->params.training, observer, run->team);
}

/* Whose ranges the version keeps; NULL: it has those of the model. */
static const struct encoder *fitted_encoder(const struct run *run)
{
    return run->params.fit ? &run->fitted : version_ranges_fitted(&run->base->config);
}

bool run_snapshot_take(const struct run *run, struct run_snapshot *snapshot)
{
    const struct network_params *params = &run->network->params;
    const size_t depth = network_depth(params);
    if (!weights_copy(run->network, &snapshot->weights))
        return false;
    weights_tensors(params, &snapshot->weights, snapshot->tensors);
    const size_t ranges = version_ranges_put(fitted_encoder(run), snapshot->tensors + depth);
    snapshot->sealed = tensors_seal(snapshot->tensors, depth + ranges);
    return true;
}

void run_snapshot_finish(struct run_snapshot *snapshot)
{
    weights_finish(&snapshot->weights);
    *snapshot = (struct run_snapshot){0};
}

enum store_status run_keep(const struct run *run, struct store_pool *stores, int64_t epoch)
{
    struct run_snapshot snapshot;
    if (!run_snapshot_take(run, &snapshot))
        return STORE_NO_MEMORY;
    struct store *store = store_pool_borrow_writer(stores);
    const enum store_status status = store_pool_return_writer(
        stores, store_version_keep(store, run->base->sequence, run->record->id, epoch,
                                   &snapshot.sealed, timestamp_now()));
    run_snapshot_finish(&snapshot);
    return status;
}
