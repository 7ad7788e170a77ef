#include "model.h"

#include <stdlib.h>
#include <string.h>

#include "status_problem.h"

/* What was stored was checked when it came in: what can't be read now is damaged. */
static enum store_status restore_config(const char *text, struct model_config *ret_config)
{
    struct problem problem = {0};
    struct fields fields;
    bool read = false;
    struct document *document = document_read(text, strlen(text), &problem);
    if (document != NULL && fields_open_document(&fields, document, &problem))
        read = model_config_read(&fields, ret_config);
    document_destroy(document);
    if (read)
        return STORE_OK;
    return problem.code == PROBLEM_OUT_OF_MEMORY ? STORE_NO_MEMORY : STORE_CORRUPT;
}

static enum store_status restore_labels(const char *text, size_t count, struct labels *ret_labels)
{
    struct problem problem = {0};
    if (text == NULL)
        return STORE_OK;
    struct document *document = document_read(text, strlen(text), &problem);
    const bool read =
        document != NULL && labels_read(document_root(document), "", count, &problem, ret_labels);
    document_destroy(document);
    if (read)
        return STORE_OK;
    return problem.code == PROBLEM_OUT_OF_MEMORY ? STORE_NO_MEMORY : STORE_CORRUPT;
}

/* Bytes are encoded by a table wherever that is small. */
static enum store_status make_table(struct model *model)
{
    const struct model_config *config = &model->config;
    if (!config->has_encoder || !byte_table_fits(&config->encoder))
        return STORE_OK;
    if (byte_table_init(&model->table, &config->encoder, tempotron_last(&config->params)) !=
        CORE_OK)
        return STORE_NO_MEMORY;
    model->has_table = true;
    model->bytes += byte_table_bytes(&model->table);
    if (config->params.clock != CLOCK_GRID)
        return STORE_OK;
    if (rest_create(model->tempotron, &model->table, &model->rest) != CORE_OK)
        return STORE_NO_MEMORY;
    model->bytes += rest_bytes(model->rest, model->tempotron);
    return STORE_OK;
}

static enum store_status restore_weight(struct store *store, struct model *model)
{
    struct tensors tensors;
    const struct tempotron_params *params = &model->config.params;
    const enum store_status status =
        store_version_load(store, model->sequence, model->version, &tensors);
    if (status != STORE_OK)
        return status;
    const struct tensor *weight = tensors.items;
    enum core_status made = CORE_NO_MEMORY;
    const bool fits = tensors.count == 1 && weight->rows == params->out_features &&
                      weight->columns == params->in_features;
    if (fits)
        made = tempotron_create(params, weight->values, &model->tempotron);
    tensors_finish(&tensors);
    if (!fits)
        return STORE_CORRUPT;
    if (made != CORE_OK)
        return STORE_NO_MEMORY;
    model->bytes += params->in_features * model->tempotron->stride * sizeof(float);
    return make_table(model);
}

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
    return restore_labels(record->labels, model->config.params.out_features, &model->labels);
}

enum store_status model_load_description(struct store *store, const char *id,
                                         struct model **ret_model)
{
    struct model_record record;
    enum store_status status = store_model_find(store, id, &record);
    if (status != STORE_OK)
        return status;
    struct model *model = calloc(1, sizeof *model);
    status = STORE_NO_MEMORY;
    if (model != NULL) {
        atomic_init(&model->references, 1);
        status = restore(&record, model);
    }
    model_record_finish(&record);
    if (status == STORE_OK)
        *ret_model = model;
    else
        model_release(model);
    return status;
}

enum store_status model_load(struct store *store, const char *id, int64_t version,
                             struct model **ret_model)
{
    struct model *model;
    enum store_status status = model_load_description(store, id, &model);
    if (status != STORE_OK)
        return status;
    if (version != 0)
        model->version = version;
    status = restore_weight(store, model);
    if (status == STORE_OK)
        *ret_model = model;
    else
        model_release(model);
    return status;
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
    tempotron_destroy(model->tempotron);
    rest_destroy(model->rest);
    byte_table_finish(&model->table);
    labels_finish(&model->labels);
    model_config_finish(&model->config);
    free(model);
}

struct tensor model_weight_tensor(const struct tempotron_params *params, const float *values)
{
    return (struct tensor){
        .name = "weight",
        .rows = params->out_features,
        .columns = params->in_features,
        .values = values,
    };
}
