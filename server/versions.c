/* The versions of a model, and its weights: out, and in as a new version. */
#include <stdlib.h>

#include "handlers.h"
#include "model.h"
#include "npy_answer.h"
#include "page.h"
#include "registry.h"
#include "request_document.h"
#include "service.h"
#include "status_problem.h"
#include "timestamp.h"
#include "weight_json.h"

static void write_version(struct json_writer *json, const struct version_record *record)
{
    json_write_object_begin(json);
    json_write_key(json, "version");
    json_write_integer(json, record->version);
    json_write_key(json, "run");
    if (record->run == 0)
        json_write_null(json);
    else
        json_write_integer(json, record->run);
    json_write_key(json, "sha256");
    json_write_string(json, record->sha256);
    json_write_key(json, "created_at");
    timestamp_write(json, record->created_at);
    json_write_object_end(json);
}

void versions_list(struct service *service, const struct request *request, struct reply *reply)
{
    struct page page;
    struct store *store;
    size_t count = 0;
    if (!page_read(request, &reply->problem, &page))
        return;
    struct version_record *records = calloc(page.limit, sizeof *records);
    enum store_status result =
        records == NULL ? STORE_NO_MEMORY : store_pool_borrow_reader(service->stores, &store);
    if (result == STORE_OK) {
        result =
            store_version_list(store, request->model, page.cursor, page.limit, records, &count);
        store_pool_return(service->stores, store);
    }
    if (store_succeeded(result, PROBLEM_MODEL_NOT_FOUND, request->model, &reply->problem)) {
        json_write_object_begin(&reply->json);
        json_write_key(&reply->json, "versions");
        json_write_array_begin(&reply->json);
        for (size_t i = 0; i < count; i++)
            write_version(&reply->json, &records[i]);
        json_write_array_end(&reply->json);
        page_write_next(&reply->json, &page, count, count > 0 ? records[count - 1].version : 0);
        json_write_object_end(&reply->json);
        reply_with(reply, 200);
    }
    free(records);
}

static void write_weight(const struct model *model, const float *weight, const size_t *shape,
                         struct reply *reply)
{
    json_write_object_begin(&reply->json);
    json_write_key(&reply->json, "model");
    json_write_string(&reply->json, model->id);
    json_write_key(&reply->json, "version");
    json_write_integer(&reply->json, model->version);
    json_write_key(&reply->json, "weight");
    json_write_float_array(&reply->json, weight, shape, 2);
    json_write_object_end(&reply->json);
    reply_with(reply, 200);
}

void weights_get(struct service *service, const struct request *request, struct reply *reply)
{
    struct model *model;
    if (!store_succeeded(registry_get(service->registry, request->model, 0, &model),
                         PROBLEM_MODEL_NOT_FOUND, request->model, &reply->problem))
        return;
    const size_t shape[] = {model->config.params.out_features, model->config.params.in_features};
    float *weight = malloc(shape[0] * shape[1] * sizeof *weight);
    if (weight == NULL) {
        problem_set_no_memory(&reply->problem);
    } else {
        tempotron_weight(model->tempotron, weight);
        if (npy_is_wanted(request, 1, reply))
            npy_answer(reply, DTYPE_F4, 2, shape, weight);
        else
            write_weight(model, weight, shape, reply);
    }
    free(weight);
    model_release(model);
}

static void publish(struct service *service, const struct model *model, const float *weight,
                    struct reply *reply)
{
    int64_t version;
    const struct tensor tensor = model_weight_tensor(&model->config.params, weight);
    struct store *store = store_pool_borrow_writer(service->stores);
    registry_change_begin(service->registry, model->id);
    const enum store_status status =
        store_version_insert(store, model->sequence, &tensor, 1, timestamp_now(), &version);
    registry_change_end(service->registry, model->id);
    store_pool_note(service->stores, status);
    store_pool_return(service->stores, store);
    if (!store_succeeded(status, PROBLEM_MODEL_NOT_FOUND, model->id, &reply->problem))
        return;
    json_write_object_begin(&reply->json);
    json_write_key(&reply->json, "model");
    json_write_string(&reply->json, model->id);
    json_write_key(&reply->json, "version");
    json_write_integer(&reply->json, version);
    json_write_object_end(&reply->json);
    reply_with(reply, 200);
}

void weights_put(struct service *service, const struct request *request, struct reply *reply)
{
    struct model *model;
    struct fields fields;
    float *weight = NULL;
    if (!store_succeeded(registry_describe(service->registry, request->model, &model),
                         PROBLEM_MODEL_NOT_FOUND, request->model, &reply->problem))
        return;
    struct document *document =
        request_document(request, "weight", ARRAY_AS_IT_IS, &reply->problem);
    if (document != NULL && fields_open_document(&fields, document, &reply->problem)) {
        weight_read(&fields, &model->config.params, &weight);
        fields_has(&fields, "model"); /* what GET has answered may be sent as it is */
        fields_has(&fields, "version");
        fields_close(&fields);
        if (!problem_is_set(&reply->problem))
            publish(service, model, weight, reply);
    }
    free(weight);
    document_destroy(document);
    model_release(model);
}
