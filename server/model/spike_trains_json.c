/* spike_trains_json.c - goes through the tokens of in_spikes: how deep a number stands tells what
 * it is. An entry is a number, a train of one spike or of none, or an array of any. */
#include "server/model/spike_trains_json.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/buffer.h"

enum { BATCH = 1, SAMPLE, TRAIN = SPIKE_TRAINS_DEPTH }; /* brackets open */

struct reader {
    const struct fields *fields;
    struct samples samples;
    size_t index[TRAIN + 1]; /* of the sample, of its entry, of the entry's spike */
    unsigned depth;
    size_t time_count;
    struct buffer spikes; /* uint32_t [samples begun][features], for the samples to take */
};

/* Names the element at the first `depth` indices. */
static bool refuse(const struct reader *reader, unsigned depth, enum problem_code code,
                   const char *detail)
{
    return fields_refuse_element(reader->fields, "in_spikes", reader->index, depth, code, "%s",
                                 detail);
}

static bool read_time(struct reader *reader, double value)
{
    struct samples *samples = &reader->samples;
    const float time = (float)value;
    if (reader->depth < SAMPLE)
        return refuse(reader, reader->depth, PROBLEM_WRONG_TYPE, "must be an array");
    if (!(fabsf(time) <= FLT_MAX))
        return refuse(reader, reader->depth, PROBLEM_NOT_FINITE, "is beyond the range of float32");
    if (time < 0 && reader->depth == TRAIN)
        return refuse(reader, TRAIN, PROBLEM_OUT_OF_RANGE,
                      "must not be negative: an afferent without spikes has an empty array");
    const size_t entry = reader->index[1];
    uint32_t *spikes = reader->spikes.items;
    if (time >= 0 && entry < samples->features) {
        samples->data.trains.times[reader->time_count++] = time;
        spikes[reader->index[0] * samples->features + entry]++;
    }
    reader->index[reader->depth - 1]++;
    return true;
}

static bool end_array(struct reader *reader)
{
    const size_t features = reader->samples.features;
    if (reader->depth == SAMPLE && reader->index[1] != features)
        return fields_refuse_element(
            reader->fields, "in_spikes", reader->index, 1, PROBLEM_WRONG_SHAPE,
            "Each sample must have %zu entries, but this has %zu.", features, reader->index[1]);
    if (--reader->depth > 0)
        reader->index[reader->depth - 1]++;
    return true;
}

/* Room for the sample that begins: memory follows the samples that had all their entries. */
static bool begin_sample(struct reader *reader)
{
    const size_t bytes = reader->samples.features * sizeof(uint32_t);
    if (!fields_take_memory(reader->fields, bytes))
        return false;
    void *spikes = buffer_extend(&reader->spikes, bytes);
    if (spikes == NULL)
        return problem_set_no_memory(reader->fields->problem);
    memset(spikes, 0, bytes);
    return true;
}

static bool begin_array(struct reader *reader)
{
    if (reader->depth == TRAIN)
        return refuse(reader, TRAIN, PROBLEM_WRONG_TYPE, "must be a number");
    if (reader->depth == BATCH && !begin_sample(reader))
        return false;
    reader->index[reader->depth++] = 0;
    return true;
}

static bool read_all(struct reader *reader, const struct numbers *in_spikes)
{
    double value;
    bool is_right = true;
    enum numbers_token token;
    struct samples *samples = &reader->samples;
    struct numbers_walk walk = numbers_walk(in_spikes);
    if (!fields_take_memory(reader->fields, in_spikes->count * sizeof(float)))
        return false;
    samples->data.trains.times = malloc((in_spikes->count + 1) * sizeof(float));
    if (samples->data.trains.times == NULL)
        return problem_set_no_memory(reader->fields->problem);
    while (is_right && (token = numbers_next(&walk, &value)) != NUMBERS_END)
        is_right = token == NUMBERS_OPEN    ? begin_array(reader)
                   : token == NUMBERS_CLOSE ? end_array(reader)
                                            : read_time(reader, value);
    if (!is_right)
        return false;
    samples->data.trains.spikes = buffer_take(&reader->spikes);
    return samples_index(samples) || problem_set_no_memory(reader->fields->problem);
}

bool spike_trains_read(const struct fields *fields, const struct numbers *in_spikes,
                       size_t in_features, struct samples *ret_samples)
{
    struct reader reader = {
        .fields = fields,
        .samples = {.kind = SAMPLES_SPIKE_TRAINS,
                    .count = in_spikes->shape[0],
                    .features = in_features},
    };
    const bool read = read_all(&reader, in_spikes);
    if (read)
        *ret_samples = reader.samples;
    else
        samples_finish(&reader.samples);
    buffer_finish(&reader.spikes);
    return read;
}
