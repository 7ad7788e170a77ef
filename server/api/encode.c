/* Requests to encode: by an encoder that the request describes, or by a model's. */
#include <stdlib.h>

#include "server/api/answer.h"
#include "server/api/handlers.h"
#include "server/api/request_document.h"
#include "server/api/service.h"
#include "server/json/float_array.h"
#include "server/model/cache.h"
#include "server/model/encoder_json.h"
#include "server/model/encoder_ranges.h"

/* An encode request between its steps. */
struct encode_request {
    struct encoder own;            /* owned; the encoder that the request describes, if it does */
    struct model *model;           /* owned; otherwise the model that has one */
    const struct encoder *encoder; /* which of them encodes */
    struct float_array x;          /* owned; [b][n] or [b][n][k] */
};

static void encode_request_finish(void *state)
{
    struct encode_request *asked = state;
    encoder_finish(&asked->own);
    model_release(asked->model);
    float_array_finish(&asked->x);
}

/* The work, in units of LIMIT_WORK, to encode and write one spike time. */
enum { ENCODING_WORK = 40 };

static bool check_size(const struct encoder *encoder, const struct float_array *x,
                       struct problem *problem)
{
    const size_t n = encoder_features(encoder), m = encoder_neurons(encoder);
    if (x->shape[1] != n)
        problem_add_field(problem, PROBLEM_WRONG_SHAPE, "/x",
                          "Each sample must have %zu features, but these have %zu.", n,
                          x->shape[1]);
    else if (x->count > LIMIT_SPIKES / m)
        problem_add_field(problem, PROBLEM_TOO_LARGE, "/x",
                          "The answer would hold %zu x %zu spike times; the limit is %d.", x->count,
                          m, LIMIT_SPIKES);
    return !problem_is_set(problem);
}

static size_t values_a_feature(const struct float_array *x)
{
    return x->rank == 3 ? x->shape[2] : 1;
}

/* Whether the encoder accepts all values. */
static bool check_values(const struct encoder *encoder, const struct float_array *x,
                         struct problem *problem)
{
    char pointer[PROBLEM_POINTER];
    const float *x_min = encoder_x_min(encoder), *x_max = encoder_x_max(encoder);
    const size_t n = x->shape[1], k = values_a_feature(x);
    if (encoder->out_of_range != OUT_OF_RANGE_REJECT)
        return true;
    for (size_t at = 0; at < x->count; at++) {
        const size_t feature = at / k % n;
        if (x->values[at] >= x_min[feature] && x->values[at] <= x_max[feature])
            continue;
        problem_pointer_index("/x", at / k / n, pointer);
        problem_pointer_index(pointer, feature, pointer);
        if (x->rank == 3)
            problem_pointer_index(pointer, at % k, pointer);
        encoder_ranges_refuse(encoder, feature, x->values[at], pointer, problem);
        return false;
    }
    return true;
}

static void write_spikes(const float *spikes, const size_t *shape, unsigned rank,
                         struct reply *reply)
{
    struct buffer *json = &reply->body;
    json_write_object_begin(json);
    json_write_key(json, "out_spikes");
    json_write_spike_array(json, spikes, shape, rank);
    json_write_key(json, "shape");
    json_write_array_begin(json);
    for (unsigned i = 0; i < rank; i++)
        json_write_integer(json, (int64_t)shape[i]);
    json_write_array_end(json);
    json_write_object_end(json);
}

/* Of a spike time, and of its text while that grows. */
enum { SPIKE_BYTES = sizeof(float) + 8 };

/* Encodes x into spikes [b][n][m], or [b][n][k][m]; m neurons encode one value. */
static void encode_run(struct service *service, const struct request *request, struct reply *reply)
{
    (void)service;
    const struct encode_request *asked = request->state;
    const struct float_array *x = &asked->x;
    const size_t n = x->shape[1], k = values_a_feature(x), m = encoder_neurons(asked->encoder);
    if (!check_values(asked->encoder, x, &reply->problem) ||
        !charge_demand(request->memory, x->count * m * SPIKE_BYTES, &reply->problem))
        return;
    float *spikes = malloc(x->count * m * sizeof *spikes);
    if (spikes == NULL) {
        problem_set_no_memory(&reply->problem);
        return;
    }
    for (size_t i = 0; i < x->count; i++)
        encoder_encode_value(asked->encoder, i / k % n, x->values[i], spikes + i * m);

    size_t shape[4] = {x->shape[0], x->shape[1], x->shape[2]};
    shape[x->rank] = m;
    if (answer_wants_npy(request, 1, reply)) {
        answer_npy(request, reply, DTYPE_F4, x->rank + 1, shape, spikes);
        return;
    }
    write_spikes(spikes, shape, x->rank + 1, reply);
    free(spikes);
}

/* Reads x, and the encoder unless the model has one. */
static void read_fields(const struct document *document, struct problem *problem,
                        struct encode_request *asked)
{
    struct fields fields;
    if (!fields_open_document(&fields, document, problem))
        return;
    float_array_read(&fields, "x", FIELD_REQUIRED, 2, 3, LIMIT_SPIKES, &asked->x);
    if (asked->encoder == NULL) {
        encoder_json_read_function(&fields, &asked->own);
        asked->encoder = &asked->own;
    }
    fields_close(&fields);
    if (!problem_is_set(problem))
        check_size(asked->encoder, &asked->x, problem);
}

static bool can_encode(const struct model *model, struct problem *problem)
{
    return model->config.has_encoder
               ? model_encoder_is_usable(model, false, problem)
               : problem_set(problem, PROBLEM_CONFLICTING_FIELDS, "The model has no encoder.");
}

void encode_post(struct service *service, const struct request *request, struct reply *reply)
{
    struct encode_request *asked = reply_make_state(reply, sizeof *asked, encode_request_finish);
    if (asked == NULL)
        return;
    if (request->model[0] != '\0') {
        asked->model = model_cache_find(service->cache, request->model, 0, &reply->problem);
        if (asked->model == NULL)
            return;
        asked->encoder = &asked->model->config.encoder;
    }
    struct document *document = request_document(request, "x", ARRAY_AS_IT_IS, &reply->problem);
    if (document != NULL && (asked->model == NULL || can_encode(asked->model, &reply->problem)))
        read_fields(document, &reply->problem, asked);
    document_destroy(document);
    if (!problem_is_set(&reply->problem))
        reply_continue(reply, encode_run,
                       ENCODING_WORK * asked->x.count * encoder_neurons(asked->encoder));
}
