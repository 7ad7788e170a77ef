/* The versions of a model, and its weights: get them, put them as a new version. */
#include <string.h>

#include "core/network.h"
#include "server/api/answer.h"
#include "server/api/etag.h"
#include "server/api/handlers.h"
#include "server/api/page.h"
#include "server/api/request_document.h"
#include "server/api/service.h"
#include "server/base/timestamp.h"
#include "server/model/cache.h"
#include "server/model/errors.h"
#include "server/model/model.h"
#include "server/model/version_ranges.h"
#include "server/model/weights.h"
#include "server/model/weights_json.h"
#include "server/store/versions.h"

static void write_version(struct buffer *json, const struct version_record *record)
{
    json_write_object_begin(json);
    json_write_member_integer(json, "version", record->version);
    json_write_member_positive(json, "run", record->run);
    if (record->epoch != 0)
        json_write_member_integer(json, "epoch", record->epoch);
    json_write_member_string(json, "sha256", record->sha256);
    json_write_member_timestamp(json, "created_at", record->created_at);
    json_write_object_end(json);
}

static const struct page_kind versions_page = {
    versions_list, "versions", sizeof(struct version_record), LIMIT_PAGE_DEFAULT, NULL};

void versions_list(struct service *service, const struct request *request, struct reply *reply)
{
    size_t i;
    struct page page;
    if (!page_begin(&page, service, request, &versions_page, reply))
        return;
    struct version_record *records = page.records;
    const enum store_status status = store_version_list(page.store, request->model, page.cursor,
                                                        page.limit, records, &page.count);
    if (page_is_listed(&page, errors_store_ok(status, PROBLEM_MODEL_NOT_FOUND, request->model,
                                              &reply->problem)))
        while (page_takes(&page, &i))
            if (page_shows(&page, records[i].sha256[0] != '\0'))
                write_version(&reply->body, &records[i]);
    page_end(&page, page.listed > 0 ? records[page.listed - 1].version : 0);
}

static void write_weights(const struct model *model, const struct weights *weights,
                          struct reply *reply)
{
    const struct network_params *params = &model->config.network;
    json_write_object_begin(&reply->body);
    answer_write_version(&reply->body, model->id, model->version);
    for (size_t l = 0; l < network_depth(params); l++) {
        const size_t shape[] = {network_neurons(params, l), network_afferents(params, l)};
        json_write_key(&reply->body, weights_name(params, l));
        json_write_float_array(&reply->body, weights->layers[l], shape, 2);
    }
    json_write_object_end(&reply->body);
}

/* Finds the layer that ?tensor= names; without it, the last one. */
static bool find_tensor(const struct request *request, const struct network_params *params,
                        struct problem *problem, size_t *ret_layer)
{
    const char *name = request_query(request, "tensor");
    for (size_t l = 0; l < network_depth(params); l++) {
        if (strcmp(name != NULL ? name : "weight", weights_name(params, l)) != 0)
            continue;
        *ret_layer = l;
        return true;
    }
    return problem_add_parameter(problem, PROBLEM_INVALID_PARAMETER, "tensor",
                                 "The model has no such layer.");
}

static void answer_weights(const struct request *request, const struct model *model,
                           struct weights *weights, struct reply *reply)
{
    const struct network_params *params = &model->config.network;
    const bool names_one = request_query(request, "tensor") != NULL;
    const unsigned arrays = names_one ? 1 : (unsigned)network_depth(params);
    size_t layer;
    if (!find_tensor(request, params, &reply->problem, &layer))
        return;
    if (answer_wants_npy(request, arrays, reply)) {
        const size_t shape[] = {network_neurons(params, layer), network_afferents(params, layer)};
        answer_npy(request, reply, DTYPE_F4, 2, shape, weights->layers[layer]);
        weights->layers[layer] = NULL;
    } else {
        write_weights(model, weights, reply);
    }
}

/* --- weights in pieces --- */

/* The weight of the model's network that comes next. */
struct weights_stream {
    struct model *model; /* a reference */
    size_t layer, neuron, afferent;
    size_t end; /* after the last layer */
};

static void finish_stream(void *state)
{
    const struct weights_stream *at = state;
    model_let_go(at->model);
}

/* Moves on to the next neuron, or the next layer. */
static void leave_neuron(struct weights_stream *at, size_t neurons)
{
    at->afferent = 0;
    if (++at->neuron < neurons)
        return;
    at->neuron = 0;
    at->layer++;
}

/* Writes a neuron's weights, or as many of them as a piece has room for. */
static void write_neuron(struct weights_stream *at, struct buffer *json)
{
    size_t stride;
    const struct network *network = at->model->network;
    const struct network_params *params = &network->params;
    const size_t neurons = network_neurons(params, at->layer);
    const size_t afferents = network_afferents(params, at->layer);
    const float *weight = layer_neuron(&network->layers[at->layer], at->neuron, &stride);
    if (at->afferent == 0 && at->neuron == 0) {
        buffer_add(json, ",", 1); /* the version, or another layer, comes before */
        json_write_key(json, weights_name(params, at->layer));
        buffer_add(json, "[", 1);
    }
    if (at->afferent == 0 && at->neuron > 0)
        buffer_add(json, ",", 1);
    if (at->afferent == 0)
        buffer_add(json, "[", 1);
    for (; at->afferent < afferents && json->size < REPLY_PIECE; at->afferent++) {
        if (at->afferent > 0)
            buffer_add(json, ",", 1);
        json_write_float(json, weight[at->afferent * stride]);
    }
    if (at->afferent < afferents)
        return;
    buffer_add(json, "]]", at->neuron + 1 == neurons ? 2 : 1);
    leave_neuron(at, neurons);
    if (at->layer == at->end)
        buffer_add(json, "}\n", 2);
}

static void write_json_piece(void *state, struct buffer *piece)
{
    struct weights_stream *at = state;
    while (at->layer < at->end && piece->size < REPLY_PIECE && !piece->failed)
        write_neuron(at, piece);
}

/* One layer's numbers as they are. */
static void write_npy_piece(void *state, struct buffer *piece)
{
    struct weights_stream *at = state;
    const struct network *network = at->model->network;
    while (at->layer < at->end && piece->size < REPLY_PIECE && !piece->failed) {
        size_t stride;
        const size_t afferents = network_afferents(&network->params, at->layer);
        const float *weight = layer_neuron(&network->layers[at->layer], at->neuron, &stride);
        for (; at->afferent < afferents && piece->size < REPLY_PIECE; at->afferent++)
            buffer_add(piece, &weight[at->afferent * stride], sizeof *weight);
        if (at->afferent == afferents)
            leave_neuron(at, network_neurons(&network->params, at->layer));
    }
}

/* The document begins here, and the stream goes on with the layers. */
static void stream_weights(const struct request *request, struct model *model, struct reply *reply)
{
    const struct network_params *params = &model->config.network;
    const bool names_one = request_query(request, "tensor") != NULL;
    const unsigned arrays = names_one ? 1 : (unsigned)network_depth(params);
    size_t layer;
    if (!find_tensor(request, params, &reply->problem, &layer))
        return;
    const bool as_npy = answer_wants_npy(request, arrays, reply);
    struct weights_stream *at = reply_make_stream(
        reply, sizeof *at, as_npy ? write_npy_piece : write_json_piece, finish_stream);
    if (at == NULL || (at->model = model_hold(model, &reply->problem)) == NULL)
        return;
    at->layer = as_npy ? layer : 0;
    at->end = as_npy ? layer + 1 : network_depth(params);
    if (as_npy) {
        const size_t shape[] = {network_neurons(params, layer), network_afferents(params, layer)};
        answer_npy_header(reply, DTYPE_F4, 2, shape);
        reply->stream.size = reply->body.size + shape[0] * shape[1] * sizeof(float);
    } else {
        json_write_object_begin(&reply->body);
        answer_write_version(&reply->body, model->id, model->version);
    }
}

static bool is_large(const struct network_params *params)
{
    size_t weights = 0;
    for (size_t l = 0; l < network_depth(params); l++)
        weights += network_neurons(params, l) * network_afferents(params, l);
    return weights > LIMIT_WHOLE_ANSWER;
}

static bool copy_weights(const struct model *model, struct weights *ret_weights,
                         struct problem *problem)
{
    return weights_copy(model->network, ret_weights) || problem_set_no_memory(problem);
}

void versions_get_weights(struct service *service, const struct request *request,
                          struct reply *reply)
{
    struct weights weights = {0};
    struct model *model =
        model_cache_find(service->cache, request->model, request->version, &reply->problem);
    if (model != NULL && is_large(&model->config.network))
        stream_weights(request, model, reply);
    else if (model != NULL && copy_weights(model, &weights, &reply->problem))
        answer_weights(request, model, &weights, reply);
    weights_finish(&weights);
    model_release(model);
}

/* The new version has the encoder's ranges of the version that is served. STORE_MISMATCH: that is
 * another one by now. All that takes long comes before the writer is borrowed. */
static enum store_status try_to_publish(struct service *service, const struct request *request,
                                        const struct model *served, const struct weights *weights,
                                        int64_t *ret_version)
{
    struct tensor tensors[NETWORK_LAYERS + RANGE_TENSORS];
    const size_t depth = network_depth(&served->config.network);
    weights_tensors(&served->config.network, weights, tensors);
    const struct encoder *fitted = version_ranges_fitted(&served->config);
    const struct sealed_tensors sealed =
        tensors_seal(tensors, depth + version_ranges_put(fitted, tensors + depth));
    struct store *store = model_cache_change_begin(service->cache, served->id);
    enum store_status status = etag_check_model(store, request);
    if (status == STORE_OK &&
        store_model_serves(store, served->sequence, served->version) != STORE_OK)
        status = STORE_MISMATCH;
    if (status == STORE_OK)
        status =
            store_version_insert(store, served->sequence, &sealed, timestamp_now(), ret_version);
    return model_cache_change_end(service->cache, served->id, status);
}

/* A model that was made meanwhile under the same id is another one. */
static struct model *find_again(struct service *service, const struct model *model,
                                struct problem *problem)
{
    struct model *found = model_cache_describe(service->cache, model->id, problem);
    if (found == NULL || found->sequence == model->sequence)
        return found;
    model_release(found);
    errors_store_ok(STORE_NOT_FOUND, PROBLEM_MODEL_NOT_FOUND, model->id, problem);
    return NULL;
}

static void publish(struct service *service, const struct request *request, struct model *model,
                    const struct weights *weights, struct reply *reply)
{
    int64_t version;
    struct model *served = model_retain(model);
    enum store_status status = STORE_MISMATCH;
    while (status == STORE_MISMATCH && served != NULL) {
        status = try_to_publish(service, request, served, weights, &version);
        model_release(served);
        if (status == STORE_MISMATCH)
            served = find_again(service, model, &reply->problem);
    }
    if (problem_is_set(&reply->problem) ||
        !errors_store_ok(status, PROBLEM_MODEL_NOT_FOUND, model->id, &reply->problem))
        return;
    json_write_object_begin(&reply->body);
    answer_write_version(&reply->body, model->id, version);
    json_write_object_end(&reply->body);
}

/* An array holds one layer: if there are several, ?tensor= must name it. */
static bool find_array(const struct request *request, const struct network_params *params,
                       struct problem *problem, size_t *ret_layer)
{
    if (params->hidden_count > 0 && request_query(request, "tensor") == NULL)
        return problem_add_parameter(
            problem, PROBLEM_INVALID_PARAMETER, "tensor",
            "An array holds one layer: name it, hidden_0 and so on, or weight.");
    return find_tensor(request, params, problem, ret_layer);
}

/* Reads one layer; the others are those of the version that is served. */
static bool read_one(struct service *service, const struct request *request, size_t layer,
                     struct fields *fields, struct weights *weights)
{
    struct model *served = model_cache_find(service->cache, request->model, 0, fields->problem);
    const bool read = served != NULL && copy_weights(served, weights, fields->problem) &&
                      weights_json_read_layer(fields, &served->config.network, layer, weights);
    model_release(served);
    return read;
}

static void put(struct service *service, const struct request *request, struct model *model,
                struct reply *reply)
{
    const struct network_params *params = &model->config.network;
    const bool is_array = request->media == MEDIA_NPY;
    size_t layer = params->hidden_count;
    struct fields fields;
    struct weights weights = {0};
    if (is_array && !find_array(request, params, &reply->problem, &layer))
        return;
    struct document *document =
        request_document(request, weights_name(params, layer), ARRAY_AS_IT_IS, &reply->problem);
    if (fields_open_document(&fields, document, &reply->problem)) {
        fields_has(&fields, "model"); /* an answer of GET may be sent as it is */
        fields_has(&fields, "version");
        if (is_array)
            fields_has(&fields, "tensor");
        const bool read = is_array && params->hidden_count > 0
                              ? read_one(service, request, layer, &fields, &weights)
                              : weights_json_read(&fields, params, &weights);
        fields_close(&fields);
        if (read && !problem_is_set(&reply->problem))
            publish(service, request, model, &weights, reply);
    }
    weights_finish(&weights);
    document_destroy(document);
}

void versions_put_weights(struct service *service, const struct request *request,
                          struct reply *reply)
{
    struct model *model = model_cache_describe(service->cache, request->model, &reply->problem);
    if (model == NULL)
        return;
    put(service, request, model, reply);
    model_release(model);
}
