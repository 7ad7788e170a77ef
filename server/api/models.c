/* The models: create, list, show, change, delete. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "server/api/etag.h"
#include "server/api/handlers.h"
#include "server/api/page.h"
#include "server/api/request_retry.h"
#include "server/api/service.h"
#include "server/base/timestamp.h"
#include "server/http/route.h"
#include "server/model/cache.h"
#include "server/model/config_json.h"
#include "server/model/errors.h"
#include "server/model/labels_json.h"
#include "server/model/model.h"
#include "server/model/version_ranges.h"
#include "server/model/weights.h"
#include "server/model/weights_json.h"
#include "server/store/models.h"
#include "server/store/pool.h"
#include "server/store/sizes.h"

/* --- showing --- */

static void write_model(struct buffer *json, const struct model_record *record)
{
    json_write_object_begin(json);
    json_write_member_string(json, "id", record->id);
    json_write_member_string(json, "description", record->description);
    json_write_raw_members(json, record->config);
    json_write_key(json, "labels");
    json_write_raw(json, record->labels == NULL ? "null" : record->labels);
    if (record->is_abridged) {
        json_write_key(json, "abridged");
        json_write_boolean(json, true);
    }
    json_write_member_integer(json, "version", record->version);
    json_write_member_timestamp(json, "created_at", record->created_at);
    json_write_member_timestamp(json, "updated_at", record->updated_at);
    json_write_object_end(json);
}

/* The model of this id, or else of this sequence, which a request has made. */
static void answer_model(struct service *service, const char *id, int64_t made, struct reply *reply)
{
    struct store *store;
    struct model_record record = {0};
    enum store_status status = store_pool_borrow_reader(service->stores, &store);
    if (status == STORE_OK) {
        status = id != NULL ? store_model_find(store, id, &record)
                            : store_model_find_made(store, made, &record);
        if (status == STORE_OK)
            etag_of_model(&record, reply);
        if (status == STORE_OK)
            status = model_record_fit(store, &record);
        store_pool_return_reader(service->stores, store);
    }
    if (id == NULL && status == STORE_NOT_FOUND)
        problem_set(&reply->problem, PROBLEM_MODEL_NOT_FOUND,
                    "The model that this request has made has been deleted since.");
    else if (errors_store_ok(status, PROBLEM_MODEL_NOT_FOUND, id, &reply->problem))
        write_model(&reply->body, &record);
    if (id == NULL && status == STORE_OK)
        snprintf(reply->location, sizeof reply->location, "/models/%s", record.id);
    model_record_finish(&record);
}

static bool is_large(struct service *service, const char *id)
{
    struct store *store;
    if (store_pool_borrow_reader(service->stores, &store) != STORE_OK)
        return false;
    const size_t bytes = version_ranges_size_of_model(store, id, LIMIT_INLINE_BODY);
    store_pool_return_reader(service->stores, store);
    return bytes > LIMIT_INLINE_BODY;
}

void models_get(struct service *service, const struct request *request, struct reply *reply)
{
    if (request->team == NULL && is_large(service, request->model))
        reply_continue(reply, models_get, WORK_FOR_POOL);
    else
        answer_model(service, request->model, 0, reply);
}

/* A model whose ranges are damaged keeps only its place in the listing. */
static enum store_status fit_listed(struct store *store, struct model_record *record)
{
    const int64_t sequence = record->sequence;
    const enum store_status status = model_record_fit_summary(store, record);
    if (status != STORE_CORRUPT)
        return status;
    model_record_finish(record);
    record->sequence = sequence;
    return STORE_OK;
}

static const struct page_kind models_page = {models_list, "models", sizeof(struct model_record),
                                             LIMIT_PAGE_DEFAULT, store_size_of_models};

void models_list(struct service *service, const struct request *request, struct reply *reply)
{
    size_t i;
    struct page page;
    if (!page_begin(&page, service, request, &models_page, reply))
        return;
    struct model_record *records = page.records;
    enum store_status status =
        store_model_list(page.store, page.cursor, page.limit, records, &page.count);
    for (i = 0; status == STORE_OK && i < page.count; i++)
        if (records[i].id[0] != '\0')
            status = fit_listed(page.store, &records[i]);
    if (page_is_listed(&page,
                       errors_store_ok(status, PROBLEM_MODEL_NOT_FOUND, "", &reply->problem)))
        while (page_takes(&page, &i))
            if (page_shows(&page, records[i].id[0] != '\0'))
                write_model(&reply->body, &records[i]);
    const int64_t last = page.listed > 0 ? records[page.listed - 1].sequence : 0;
    for (i = 0; i < page.count; i++)
        model_record_finish(&records[i]);
    page_end(&page, last);
}

/* --- creating --- */

struct new_model {
    char id[LIMIT_ID + 1];
    char *description;
    struct model_config config;
    struct labels labels;
    struct weights weights;
    bool are_drawn; /* by the seed, not given */
    struct retry retry;
};

static void new_model_finish(void *state)
{
    struct new_model *model = state;
    free(model->description);
    model_config_finish(&model->config);
    labels_finish(&model->labels);
    weights_finish(&model->weights);
}

static void make_up_id(char id[LIMIT_ID + 1])
{
    uint32_t bits = 0;
    if (getrandom(&bits, sizeof bits, 0) != sizeof bits)
        bits = (uint32_t)timestamp_now(); /* a clash would be refused as taken */
    snprintf(id, LIMIT_ID + 1, "model-%08x", bits);
}

static void read_id(struct fields *fields, char id[LIMIT_ID + 1])
{
    const char *given;
    if (!fields_string(fields, "id", FIELD_OPTIONAL, LIMIT_ID, &given))
        make_up_id(id);
    else if (route_is_id(given, strlen(given)))
        strcpy(id, given);
    else
        problem_add_field(fields->problem, PROBLEM_UNKNOWN_VALUE, "/id",
                          "An id is a letter or digit and up to 62 of a-z, 0-9, _ and -.");
}

static void read_description(struct fields *fields, struct new_model *model)
{
    const char *description = "";
    fields_string(fields, "description", FIELD_OPTIONAL, LIMIT_DESCRIPTION, &description);
    model->description = strdup(description);
    if (model->description == NULL)
        problem_set_no_memory(fields->problem);
}

/* An answer shows these members too, so that a model that was shown can be created again under
 * another id. */
static void ignore_read_only(struct fields *fields)
{
    static const char *const names[] = {"version", "created_at", "updated_at"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        fields_has(fields, names[i]);
}

static void read_model(const struct document *document, struct problem *problem,
                       struct new_model *model)
{
    static const struct network_params any = {.hidden_count = HIDDEN_LAYERS};
    struct fields fields;
    if (!fields_open_document(&fields, document, problem))
        return;
    ignore_read_only(&fields);
    read_id(&fields, model->id);
    read_description(&fields, model);
    const struct json_value labels = fields_get(&fields, "labels", FIELD_OPTIONAL);
    const bool configured = config_json_read(&fields, &model->config);
    model->are_drawn = !weights_json_are_given(&fields, configured ? &model->config.network : &any);
    fields_close(&fields);
    if (!configured)
        return;
    if (json_value_is_given(labels))
        labels_json_read(labels, "/labels", network_outputs(&model->config.network), problem,
                         &model->labels);
    if (!problem_is_set(problem) && !model->are_drawn)
        weights_json_read(&fields, &model->config.network, &model->weights);
}

/* A retry that came meanwhile has made the model. */
static enum store_status insert_model(struct service *service, struct new_model *model,
                                      int64_t *ret_sequence)
{
    const bool is_long = config_json_is_long(&model->config);
    struct model_record record = {
        .label_count = model->labels.count,
        .description = strdup(model->description),
        .config = config_json_text(&model->config),
        .summary = is_long ? config_json_summary(&model->config) : NULL,
        .labels = model->labels.count > 0
                      ? labels_json_text(model->labels.names, model->labels.count)
                      : NULL};
    struct tensor tensors[NETWORK_LAYERS];
    enum store_status status = STORE_NO_MEMORY;
    strcpy(record.id, model->id);
    weights_tensors(&model->config.network, &model->weights, tensors);
    const struct sealed_tensors sealed =
        tensors_seal(tensors, network_depth(&model->config.network));
    if (record.description != NULL && record.config != NULL &&
        (record.summary != NULL || !is_long) &&
        (record.labels != NULL || model->labels.count == 0)) {
        struct store *store = store_pool_borrow_writer(service->stores);
        status = store_retry_begin(store, timestamp_now(), &model->retry);
        if (status == STORE_OK)
            *ret_sequence = model->retry.made;
        else if (status == STORE_NOT_FOUND)
            status = store_model_insert(store, &record, &sealed, model->are_drawn, timestamp_now(),
                                        ret_sequence);
        store_pool_return_writer(service->stores, status);
    }
    model_record_finish(&record);
    return status;
}

static void answer_created(struct service *service, int64_t made, struct reply *reply)
{
    reply->status = 201;
    answer_model(service, NULL, made, reply);
}

/* The initial weights are those of torch. */
static void create(struct service *service, const struct request *request, struct reply *reply)
{
    int64_t made;
    struct new_model *model = request->state;
    if (model->are_drawn &&
        !weights_draw(&model->config.network, model->config.seed, &model->weights))
        problem_set_no_memory(&reply->problem);
    else if (errors_store_ok(insert_model(service, model, &made), PROBLEM_MODEL_NOT_FOUND,
                             model->id, &reply->problem))
        answer_created(service, made, reply);
}

/* To draw the weights, and their checksums. */
static uint64_t work_of(const struct network_params *params)
{
    enum { A_WEIGHT = 32 };
    uint64_t weights = 0;
    for (size_t l = 0; l < network_depth(params); l++)
        weights += (uint64_t)network_neurons(params, l) * network_afferents(params, l);
    return WORK_FOR_POOL + A_WEIGHT * weights;
}

void models_create(struct service *service, const struct request *request, struct reply *reply)
{
    struct new_model *model = reply_make_state(reply, sizeof *model, new_model_finish);
    if (model == NULL)
        return;
    if (request_retry_is_repeated(service, request, &reply->problem, &model->retry)) {
        answer_created(service, model->retry.made, reply);
        return;
    }
    if (problem_is_set(&reply->problem))
        return;
    struct document *document =
        document_read(request->body, request->body_size, request->memory, &reply->problem);
    read_model(document, &reply->problem, model);
    document_destroy(document);
    if (!problem_is_set(&reply->problem))
        reply_continue(reply, create, work_of(&model->config.network));
}

/* --- changing --- */

static bool read_change(const struct document *document, size_t classes, struct problem *problem,
                        struct model_change *change, char **labels)
{
    struct fields fields;
    struct labels names = {0};
    if (!fields_open_document(&fields, document, problem))
        return false;
    fields_string(&fields, "description", FIELD_OPTIONAL, LIMIT_DESCRIPTION, &change->description);
    fields_integer(&fields, "version", FIELD_OPTIONAL, 1, INT64_MAX, &change->version);
    const struct json_value given = fields_get(&fields, "labels", FIELD_OPTIONAL);
    change->remove_labels = !json_value_is_given(given) && fields_has(&fields, "labels");
    fields_close(&fields);
    if (json_value_is_given(given) &&
        labels_json_read(given, "/labels", classes, problem, &names)) {
        *labels = labels_json_text(names.names, names.count);
        change->labels = *labels;
        change->label_count = names.count;
        labels_finish(&names);
        if (*labels == NULL)
            problem_set_no_memory(problem);
    }
    return !problem_is_set(problem);
}

static void apply_change(struct service *service, const struct request *request,
                         const struct model *model, const struct model_change *change,
                         struct problem *problem)
{
    struct store *store = model_cache_change_begin(service->cache, model->id);
    enum store_status status = etag_check_model(store, request);
    if (status == STORE_OK)
        status = store_model_update(store, model->sequence, change, timestamp_now());
    model_cache_change_end(service->cache, model->id, status);
    if (status == STORE_NOT_FOUND && change->version > 0)
        problem_add_field(problem, PROBLEM_UNKNOWN_VERSION, "/version",
                          "The model has no version %lld.", (long long)change->version);
    else
        errors_store_ok(status, PROBLEM_MODEL_NOT_FOUND, model->id, problem);
}

void models_update(struct service *service, const struct request *request, struct reply *reply)
{
    struct model_change change = {0};
    char *labels = NULL;
    struct model *model = model_cache_describe(service->cache, request->model, &reply->problem);
    if (model == NULL)
        return;
    struct document *document =
        document_read(request->body, request->body_size, request->memory, &reply->problem);
    if (read_change(document, network_outputs(&model->config.network), &reply->problem, &change,
                    &labels))
        apply_change(service, request, model, &change, &reply->problem);
    if (!problem_is_set(&reply->problem))
        answer_model(service, request->model, 0, reply);
    free(labels);
    document_destroy(document);
    model_release(model);
}

void models_delete(struct service *service, const struct request *request, struct reply *reply)
{
    struct store *store = model_cache_change_begin(service->cache, request->model);
    enum store_status status = etag_check_model(store, request);
    if (status == STORE_OK)
        status = store_model_delete(store, request->model);
    model_cache_change_end(service->cache, request->model, status);
    if (errors_store_ok(status, PROBLEM_MODEL_NOT_FOUND, request->model, &reply->problem))
        reply->status = 204;
    store_pool_sweep(service->stores);
}
