/* spike_trains_json.c - goes through the tokens of in_spikes: how deep a number stands tells what
 * it is. An entry is a number, a train of one spike or of none, or an array of any. */
#include "server/model/spike_trains_json.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/buffer.h"

enum { BATCH = 1, SAMPLE, TRAIN }; /* brackets open */

struct reading {
    const struct fields *fields;
    struct samples samples;
    size_t index[TRAIN + 1]; /* of the sample, of its entry, of the entry's spike */
    unsigned depth;
    size_t time_count;
    struct buffer spikes; /* uint32_t [samples begun][features], for the samples to take */
};

bool spike_trains_are_given(const struct numbers *in_spikes)
{
    return in_spikes != NULL && in_spikes->depth >= TRAIN;
}

/* Names the element at the first `depth` indices. */
static bool refuse(const struct reading *reading, unsigned depth, enum problem_code code,
                   const char *detail)
{
    return fields_refuse_element(reading->fields, "in_spikes", reading->index, depth, code, "%s",
                                 detail);
}

static bool read_time(struct reading *reading, double value)
{
    struct samples *samples = &reading->samples;
    const float time = (float)value;
    if (reading->depth < SAMPLE)
        return refuse(reading, reading->depth, PROBLEM_WRONG_TYPE, "must be an array");
    if (!(fabsf(time) <= FLT_MAX))
        return refuse(reading, reading->depth, PROBLEM_NOT_FINITE,
                      "is beyond the range of float32");
    if (time < 0 && reading->depth == TRAIN)
        return refuse(reading, TRAIN, PROBLEM_OUT_OF_RANGE,
                      "must not be negative: an afferent without spikes has an empty array");
    const size_t entry = reading->index[1];
    uint32_t *spikes = reading->spikes.items;
    if (time >= 0 && entry < samples->features) {
        samples->data.trains.times[reading->time_count++] = time;
        spikes[reading->index[0] * samples->features + entry]++;
    }
    reading->index[reading->depth - 1]++;
    return true;
}

static bool end_array(struct reading *reading)
{
    const size_t features = reading->samples.features;
    if (reading->depth == SAMPLE && reading->index[1] != features)
        return fields_refuse_element(
            reading->fields, "in_spikes", reading->index, 1, PROBLEM_WRONG_SHAPE,
            "Each sample must have %zu entries, but this has %zu.", features, reading->index[1]);
    if (--reading->depth > 0)
        reading->index[reading->depth - 1]++;
    return true;
}

/* Room for the sample that begins: memory follows the samples that had all their entries. */
static bool begin_sample(struct reading *reading)
{
    const size_t bytes = reading->samples.features * sizeof(uint32_t);
    void *spikes = buffer_extend(&reading->spikes, bytes);
    if (spikes == NULL)
        return problem_set_no_memory(reading->fields->problem);
    memset(spikes, 0, bytes);
    return true;
}

static bool begin_array(struct reading *reading)
{
    if (reading->depth == TRAIN)
        return refuse(reading, TRAIN, PROBLEM_WRONG_TYPE, "must be a number");
    if (reading->depth == BATCH && !begin_sample(reading))
        return false;
    reading->index[reading->depth++] = 0;
    return true;
}

static bool read_all(struct reading *reading, const struct numbers *in_spikes)
{
    double value;
    bool goes_on = true;
    enum numbers_token token;
    struct samples *samples = &reading->samples;
    struct numbers_walk walk = numbers_walk(in_spikes);
    samples->data.trains.times = malloc((in_spikes->count + 1) * sizeof(float));
    if (samples->data.trains.times == NULL)
        return problem_set_no_memory(reading->fields->problem);
    while (goes_on && (token = numbers_next(&walk, &value)) != NUMBERS_END)
        goes_on = token == NUMBERS_OPEN    ? begin_array(reading)
                  : token == NUMBERS_CLOSE ? end_array(reading)
                                           : read_time(reading, value);
    if (!goes_on)
        return false;
    samples->data.trains.spikes = buffer_take(&reading->spikes);
    return samples_index(samples) || problem_set_no_memory(reading->fields->problem);
}

bool spike_trains_read(const struct fields *fields, const struct numbers *in_spikes,
                       size_t in_features, struct samples *ret_samples)
{
    struct reading reading = {
        .fields = fields,
        .samples = {.kind = SAMPLES_SPIKE_TRAINS,
                    .count = in_spikes->shape[0],
                    .features = in_features},
    };
    const bool read = read_all(&reading, in_spikes);
    if (read)
        *ret_samples = reading.samples;
    else
        samples_finish(&reading.samples);
    buffer_finish(&reading.spikes);
    return read;
}
