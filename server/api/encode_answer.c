#include "server/api/encode_answer.h"

#include <stdlib.h>

#include "server/api/npy_answer.h"
#include "server/model/encoder_ranges.h"

/* Of LIMIT_WORK's unit, for one spike time: encoded, and written. */
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
                          "The answer would have %zu times %zu spike times; at most %d go.",
                          x->count, m, LIMIT_SPIKES);
    return !problem_is_set(problem);
}

static void refuse_value(const struct encoder *encoder, const struct float_array *x, size_t at,
                         struct problem *problem)
{
    const size_t values = x->rank == 3 ? x->shape[2] : 1, feature = at / values % x->shape[1];
    char pointer[PROBLEM_POINTER];
    problem_pointer_index("/x", at / values / x->shape[1], pointer);
    problem_pointer_index(pointer, feature, pointer);
    if (x->rank == 3)
        problem_pointer_index(pointer, at % values, pointer);
    range_refuse_value(encoder, feature, x->values[at], pointer, problem);
}

/* Whether no value has to be refused. */
static bool check_values(const struct encoder *encoder, const struct float_array *x,
                         struct problem *problem)
{
    const float *x_min = encoder_x_min(encoder), *x_max = encoder_x_max(encoder);
    const size_t values = x->rank == 3 ? x->shape[2] : 1;
    if (encoder->out_of_range != OUT_OF_RANGE_REJECT)
        return true;
    for (size_t at = 0; at < x->count; at++) {
        const size_t feature = at / values % x->shape[1];
        if (x->values[at] >= x_min[feature] && x->values[at] <= x_max[feature])
            continue;
        refuse_value(encoder, x, at, problem);
        return false;
    }
    return true;
}

static void write_spikes(const float *spikes, const size_t *shape, unsigned rank,
                         struct reply *reply)
{
    struct json_writer *json = &reply->json;
    json_write_object_begin(json);
    json_write_key(json, "out_spikes");
    json_write_spike_array(json, spikes, shape, rank);
    json_write_key(json, "shape");
    json_write_array_begin(json);
    for (unsigned i = 0; i < rank; i++)
        json_write_integer(json, (int64_t)shape[i]);
    json_write_array_end(json);
    json_write_object_end(json);
    reply_with(reply, 200);
}

void encode_answer(const struct encoder *encoder, const struct float_array *x,
                   const struct request *request, struct reply *reply)
{
    const size_t n = encoder_features(encoder), m = encoder_neurons(encoder);
    if (problem_is_set(&reply->problem) || !check_size(encoder, x, &reply->problem))
        return;
    if (reply_defers(reply, request, ENCODING_WORK * x->count * m))
        return;
    if (!check_values(encoder, x, &reply->problem))
        return;
    const size_t values_a_feature = x->rank == 3 ? x->shape[2] : 1;
    float *spikes = malloc(x->count * m * sizeof *spikes);
    if (spikes == NULL) {
        problem_set_no_memory(&reply->problem);
        return;
    }
    for (size_t i = 0; i < x->count; i++)
        encoder_encode_value(encoder, i / values_a_feature % n, x->values[i], spikes + i * m);

    size_t shape[4] = {x->shape[0], x->shape[1], x->shape[2]};
    shape[x->rank] = m;
    if (npy_is_wanted(request, 1, reply))
        npy_answer(reply, DTYPE_F4, x->rank + 1, shape, spikes);
    else
        write_spikes(spikes, shape, x->rank + 1, reply);
    free(spikes);
}
