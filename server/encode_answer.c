#include "encode_answer.h"

#include <stdlib.h>

#include "npy_answer.h"

/* Of LIMIT_WORK's unit, for one spike time: encoded, and written. */
enum { ENCODING_WORK = 40 };

static bool check_size(const struct gaussian_tuning *tuning, const struct float_array *x,
                       struct problem *problem)
{
    if (x->shape[1] != tuning->n)
        problem_add_field(problem, PROBLEM_WRONG_SHAPE, "/x",
                          "Each sample must have %zu features, but these have %zu.", tuning->n,
                          x->shape[1]);
    else if (x->count > LIMIT_SPIKES / tuning->m)
        problem_add_field(problem, PROBLEM_TOO_LARGE, "/x",
                          "The answer would have %zu times %zu spike times; at most %d go.",
                          x->count, tuning->m, LIMIT_SPIKES);
    return !problem_is_set(problem);
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

void encode_answer(const struct gaussian_tuning *tuning, const struct float_array *x,
                   const struct request *request, struct reply *reply)
{
    if (problem_is_set(&reply->problem) || !check_size(tuning, x, &reply->problem))
        return;
    if (reply_defers(reply, request, ENCODING_WORK * x->count * tuning->m))
        return;
    const size_t values_a_feature = x->rank == 3 ? x->shape[2] : 1;
    float *spikes = malloc(x->count * tuning->m * sizeof *spikes);
    if (spikes == NULL) {
        problem_set_no_memory(&reply->problem);
        return;
    }
    for (size_t i = 0; i < x->count; i++)
        gaussian_tuning_encode(tuning, i / values_a_feature % tuning->n, x->values[i],
                               spikes + i * tuning->m);

    size_t shape[4] = {x->shape[0], x->shape[1], x->shape[2]};
    shape[x->rank] = tuning->m;
    if (npy_is_wanted(request, 1, reply))
        npy_answer(reply, DTYPE_F4, x->rank + 1, shape, spikes);
    else
        write_spikes(spikes, shape, x->rank + 1, reply);
    free(spikes);
}
