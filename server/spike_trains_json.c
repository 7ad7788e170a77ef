#include "spike_trains_json.h"

#include <math.h>
#include <stdlib.h>

bool spike_trains_are_given(const json_t *in_spikes)
{
    for (size_t b = 0; b < json_array_size(in_spikes); b++) {
        const json_t *sample = json_array_get(in_spikes, b);
        for (size_t i = 0; i < json_array_size(sample); i++)
            if (json_is_array(json_array_get(sample, i)))
                return true;
    }
    return false;
}

size_t spike_trains_count(const json_t *in_spikes)
{
    size_t count = 0;
    for (size_t b = 0; b < json_array_size(in_spikes); b++) {
        const json_t *sample = json_array_get(in_spikes, b);
        for (size_t i = 0; i < json_array_size(sample); i++)
            count += json_array_size(json_array_get(sample, i));
    }
    return count;
}

struct reading {
    const char *pointer; /* of in_spikes */
    struct problem *problem;
    struct samples samples;
    size_t time_count;
};

/* The place of an entry, or of a spike within it where `spike` is not negative. */
static bool refuse(const struct reading *reading, size_t b, size_t i, long spike,
                   enum problem_code code, const char *detail)
{
    char pointer[PROBLEM_POINTER];
    problem_pointer_index(reading->pointer, b, pointer);
    problem_pointer_index(pointer, i, pointer);
    if (spike >= 0)
        problem_pointer_index(pointer, (size_t)spike, pointer);
    problem_add_field(reading->problem, code, pointer, "%s", detail);
    return false;
}

/* Counts every sample's spikes, so that all memory is there before one is read. */
static bool count_spikes(struct reading *reading, const json_t *in_spikes)
{
    struct samples *samples = &reading->samples;
    char pointer[PROBLEM_POINTER];
    for (size_t b = 0; b < samples->count; b++) {
        const json_t *sample = json_array_get(in_spikes, b);
        problem_pointer_index(reading->pointer, b, pointer);
        if (!json_is_array(sample)) {
            problem_add_field(reading->problem, PROBLEM_WRONG_TYPE, pointer, "must be an array");
            return false;
        }
        if (json_array_size(sample) != samples->features) {
            problem_add_field(reading->problem, PROBLEM_WRONG_SHAPE, pointer,
                              "Each sample must have %zu entries, but this has %zu.",
                              samples->features, json_array_size(sample));
            return false;
        }
        for (size_t i = 0; i < samples->features; i++) {
            const json_t *entry = json_array_get(sample, i);
            reading->time_count += json_is_array(entry) ? json_array_size(entry) : 1;
        }
    }
    return true;
}

static bool read_time(struct reading *reading, const json_t *value, size_t b, size_t i, long spike)
{
    struct samples *samples = &reading->samples;
    if (!json_is_number(value))
        return refuse(reading, b, i, spike, PROBLEM_WRONG_TYPE,
                      spike < 0 ? "must be a number or an array of numbers" : "must be a number");
    const float time = (float)json_number_value(value);
    if (!isfinite(time))
        return refuse(reading, b, i, spike, PROBLEM_NOT_FINITE, "is beyond the range of float32");
    if (time < 0 && spike >= 0)
        return refuse(reading, b, i, spike, PROBLEM_OUT_OF_RANGE,
                      "must not be negative: an afferent without spikes has an empty array");
    if (time >= 0) {
        samples->times[reading->time_count++] = time;
        samples->spikes[b * samples->features + i]++;
    }
    return true;
}

static bool read_entry(struct reading *reading, const json_t *entry, size_t b, size_t i)
{
    if (!json_is_array(entry))
        return read_time(reading, entry, b, i, -1);
    for (size_t k = 0; k < json_array_size(entry); k++)
        if (!read_time(reading, json_array_get(entry, k), b, i, (long)k))
            return false;
    return true;
}

static bool read_spikes(struct reading *reading, const json_t *in_spikes)
{
    struct samples *samples = &reading->samples;
    samples->times = malloc((reading->time_count + 1) * sizeof *samples->times);
    samples->spikes = calloc(samples->count * samples->features, sizeof *samples->spikes);
    if (samples->times == NULL || samples->spikes == NULL) {
        problem_set_no_memory(reading->problem);
        return false;
    }
    reading->time_count = 0;
    for (size_t b = 0; b < samples->count; b++)
        for (size_t i = 0; i < samples->features; i++)
            if (!read_entry(reading, json_array_get(json_array_get(in_spikes, b), i), b, i))
                return false;
    if (samples_index(samples))
        return true;
    problem_set_no_memory(reading->problem);
    return false;
}

bool spike_trains_read(const json_t *in_spikes, const char *pointer, size_t in_features,
                       struct problem *problem, struct samples *ret_samples)
{
    struct reading reading = {
        .pointer = pointer,
        .problem = problem,
        .samples = {.kind = SAMPLES_SPIKE_TRAINS,
                    .count = json_array_size(in_spikes),
                    .features = in_features},
    };
    if (!count_spikes(&reading, in_spikes) || !read_spikes(&reading, in_spikes)) {
        samples_finish(&reading.samples);
        return false;
    }
    *ret_samples = reading.samples;
    return true;
}
