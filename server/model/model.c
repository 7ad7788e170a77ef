#include "server/model/model.h"

#include <stdlib.h>
#include <string.h>

#include "core/training_memory.h"
#include "server/model/config_json.h"
#include "server/model/errors.h"
#include "server/model/labels_json.h"
#include "server/model/memory.h"
#include "server/model/version_ranges.h"

static enum store_status restore_config(const char *text, struct model_config *ret_config)
{
    struct problem problem = {0};
    struct fields fields;
    struct document *document = document_read_stored(text, &problem);
    const bool read =
        fields_open_document(&fields, document, &problem) && config_json_read(&fields, ret_config);
    document_destroy(document);
    return errors_of_stored(read, &problem);
}

static enum store_status restore_labels(const char *text, size_t count, struct labels *ret_labels)
{
    struct problem problem = {0};
    if (text == NULL)
        return STORE_OK;
    struct document *document = document_read_stored(text, &problem);
    const bool read = document != NULL &&
                      labels_json_read(document_root(document), "", count, &problem, ret_labels);
    document_destroy(document);
    return errors_of_stored(read, &problem);
}

static enum store_status make_encoding(struct model *model)
{
    const struct model_config *config = &model->config;
    const struct tempotron_params *params = &config->network.tempotron;
    struct encoding *encoding = &model->encoding;
    if (!config->has_encoder || config->ranges == RANGES_UNFITTED)
        return STORE_OK;
    if (encoding_init(encoding, &config->encoder, tempotron_last(params)) != CORE_OK)
        return STORE_NO_MEMORY;
    model->bytes += encoder_bytes(&config->encoder) + byte_table_bytes(&encoding->byte_table);
    if (!encoding_takes_bytes(encoding) || params->clock != CLOCK_GRID)
        return STORE_OK;
    if (encoding_add_background(encoding, &model->network->layers[0]) != CORE_OK)
        return STORE_NO_MEMORY;
    model->bytes += background_bytes(encoding->background, &model->network->layers[0]);
    return STORE_OK;
}

/* Weights that the version does not keep: they are drawn again. */
static enum store_status draw_network(struct store *store, struct model *model)
{
    struct weights weights;
    struct tensor tensors[NETWORK_LAYERS];
    const float *layers[NETWORK_LAYERS];
    const struct network_params *params = &model->config.network;
    const size_t depth = network_depth(params);
    if (!weights_draw(params, model->config.seed, &weights))
        return STORE_NO_MEMORY;
    weights_tensors(params, &weights, tensors);
    const struct sealed_tensors sealed = tensors_seal(tensors, depth);
    enum store_status status =
        store_version_verify(store, model->sequence, model->version, &sealed);
    for (size_t l = 0; l < depth; l++)
        layers[l] = tensors[l].values;
    if (status == STORE_OK && network_create(params, layers, &model->network) != CORE_OK)
        status = STORE_NO_MEMORY;
    weights_finish(&weights);
    return status;
}

/* Takes the tensors. */
static enum store_status restore_network(struct model *model, struct tensors *tensors)
{
    const size_t layers = tensors->count - version_ranges_count(tensors);
    enum store_status status =
        layers == network_depth(&model->config.network) ? STORE_OK : STORE_CORRUPT;
    if (status == STORE_OK)
        status = version_ranges_take(tensors, &model->config);
    if (status == STORE_OK)
        status = weights_restore(&model->config.network, tensors, &model->network);
    tensors_finish(tensors);
    return status;
}

static enum store_status restore_version(struct store *store, struct model *model)
{
    struct tensors tensors;
    enum store_status status = store_version_load(store, model->sequence, model->version, &tensors);
    if (status == STORE_OK)
        status = tensors.count == 0 ? draw_network(store, model) : restore_network(model, &tensors);
    if (status != STORE_OK)
        return status;
    model->bytes += network_bytes(model->network);
    return make_encoding(model);
}

static enum store_status restore_ranges(struct store *store, struct model *model)
{
    struct tensors ranges;
    enum store_status status = version_ranges_peek(store, model->sequence, model->version, &ranges);
    if (status != STORE_OK)
        return status == STORE_NOT_FOUND ? STORE_OK : status;
    status = version_ranges_take(&ranges, &model->config);
    tensors_finish(&ranges);
    return status;
}

/* --- memory --- */

static enum store_status take_memory(struct model *model, size_t bytes)
{
    if (model->memory == NULL || bytes <= LIMIT_SMALL_MODEL || model->taken > 0)
        return STORE_OK;
    model->taken = memory_take_for_model(model->memory, bytes);
    return model->taken > 0 ? STORE_OK : STORE_NO_ROOM;
}

static void keep_memory(struct model *model, size_t bytes)
{
    if (model->taken <= bytes)
        return;
    memory_give(model->memory, model->taken - bytes);
    model->taken = bytes;
}

void model_give_memory(struct model *model)
{
    keep_memory(model, 0);
}

struct model *model_hold(struct model *model, struct problem *problem)
{
    pthread_mutex_lock(&model->memory->models);
    const enum store_status status = take_memory(model, model->bytes);
    model->holds += status == STORE_OK;
    pthread_mutex_unlock(&model->memory->models);
    return errors_store_ok(status, PROBLEM_MODEL_NOT_FOUND, model->id, problem)
               ? model_retain(model)
               : NULL;
}

void model_let_go(struct model *model)
{
    if (model == NULL)
        return;
    pthread_mutex_lock(&model->memory->models);
    if (--model->holds == 0)
        keep_memory(model, 0);
    pthread_mutex_unlock(&model->memory->models);
    model_release(model);
}

/* The tensors are there beside the network that is made of them, and are gone then. */
static enum store_status restore_counted(struct store *store, struct model *model)
{
    enum store_status status =
        take_memory(model, 2 * training_memory_of_weights(&model->config.network));
    if (status == STORE_OK)
        status = restore_version(store, model);
    if (status == STORE_OK)
        keep_memory(model, model->bytes);
    return status;
}

/* --- loading --- */

static enum store_status restore(const struct model_record *record, struct model *model)
{
    model->sequence = record->sequence;
    model->version = record->version;
    strcpy(model->id, record->id);
    model->bytes = sizeof *model + 2 * strlen(record->config);
    if (record->labels != NULL)
        model->bytes += 2 * strlen(record->labels);
    const enum store_status status = restore_config(record->config, &model->config);
    if (status != STORE_OK)
        return status;
    return restore_labels(record->labels, network_outputs(&model->config.network), &model->labels);
}

enum store_status model_load(struct store *store, const char *id, int64_t version,
                             bool with_weights, struct memory *memory, struct model **ret_model)
{
    struct model_record record;
    enum store_status status = store_model_find(store, id, &record);
    if (status != STORE_OK)
        return status;
    if (version != 0)
        record.version = version;
    struct model *model = calloc(1, sizeof *model);
    status = STORE_NO_MEMORY;
    if (model != NULL) {
        atomic_init(&model->references, 1);
        model->memory = memory;
        status = restore(&record, model);
    }
    model_record_finish(&record);
    if (status == STORE_OK)
        status = with_weights ? restore_counted(store, model) : restore_ranges(store, model);
    if (status == STORE_NOT_FOUND && version == 0)
        status = STORE_CORRUPT; /* the version that is served is not there */
    if (status == STORE_OK)
        *ret_model = model;
    else
        model_release(model);
    return status;
}

bool model_encoder_is_usable(const struct model *model, bool fits, struct problem *problem)
{
    if (model->config.ranges != RANGES_UNFITTED || fits)
        return true;
    return problem_set(problem, PROBLEM_ENCODER_NOT_FITTED,
                       "The encoder has no ranges yet: train the model with \"fit\": true first.");
}

struct model *model_retain(struct model *model)
{
    atomic_fetch_add_explicit(&model->references, 1, memory_order_relaxed);
    return model;
}

void model_release(struct model *model)
{
    if (model == NULL)
        return;
    if (atomic_fetch_sub_explicit(&model->references, 1, memory_order_acq_rel) > 1)
        return;
    model_give_memory(model);
    network_destroy(model->network);
    encoding_finish(&model->encoding);
    labels_finish(&model->labels);
    model_config_finish(&model->config);
    free(model);
}

static enum store_status fit_config(const struct tensors *ranges, char **config_text)
{
    struct model_config config;
    enum store_status status = restore_config(*config_text, &config);
    if (status != STORE_OK)
        return status;
    status = version_ranges_take(ranges, &config);
    char *text = status == STORE_OK ? config_json_text(&config) : NULL;
    model_config_finish(&config);
    if (text == NULL)
        return status == STORE_OK ? STORE_NO_MEMORY : status;
    free(*config_text);
    *config_text = text;
    return STORE_OK;
}

enum store_status model_record_fit(struct store *store, struct model_record *record)
{
    struct tensors ranges;
    enum store_status status =
        version_ranges_peek(store, record->sequence, record->version, &ranges);
    if (status == STORE_NOT_FOUND)
        return STORE_OK;
    if (status != STORE_OK)
        return status;
    status = fit_config(&ranges, &record->config);
    tensors_finish(&ranges);
    return status;
}

enum store_status model_record_fit_summary(struct store *store, struct model_record *record)
{
    size_t features;
    const enum store_status status =
        version_ranges_features(store, record->sequence, record->version, &features);
    if (status != STORE_OK || features == 0)
        return status;
    if (features <= LIMIT_LISTED)
        return model_record_fit(store, record);
    record->is_abridged = true;
    return STORE_OK;
}
