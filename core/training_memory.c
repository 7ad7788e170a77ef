/* training_memory.c - the arrays of the files named here, summed by their sizes. */
#include "core/training_memory.h"

#include <stdint.h>

#include "core/learner.h"
#include "core/multi_spike.h"
#include "core/reading.h"
#include "core/simd.h"
#include "core/slot.h"

/* As many lanes as hold a layer's neurons. */
static size_t width_of(const struct network_params *params, size_t layer)
{
    return (network_neurons(params, layer) + LANES - 1) / LANES * LANES;
}

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t max(size_t a, size_t b)
{
    return a > b ? a : b;
}

size_t training_memory_of_weights(const struct network_params *params)
{
    size_t weights = 0;
    for (size_t l = 0; l < network_depth(params); l++)
        weights += network_afferents(params, l) * width_of(params, l);
    return weights * sizeof(float);
}

static size_t widest(const struct network_params *params)
{
    size_t neurons = 0;
    for (size_t l = 0; l < network_depth(params); l++)
        neurons = max(neurons, width_of(params, l));
    return neurons;
}

/* activity.c, with pattern.c and timeline.c. */
static size_t of_activity(const struct network_params *params, size_t capacity)
{
    const size_t spike =
        9 + (params->tempotron.clock == CLOCK_GRID ? 3 * sizeof(float) : 3 * sizeof(double) + 8);
    size_t bytes = 0;
    for (size_t l = 0; l < network_depth(params); l++) {
        const size_t spikes = l == 0 ? capacity : network_afferents(params, l);
        bytes += (spikes + PATTERN_SLACK) * spike;
        bytes += width_of(params, l) * (3 * sizeof(float) + sizeof(double));
    }
    return bytes + network_outputs(params) * sizeof(float);
}

/* Rows of credit.c. */
static size_t of_credit(const struct network_params *params, size_t neurons, size_t capacity)
{
    const size_t rows = params->tempotron.clock == CLOCK_GRID ? params->tempotron.T : capacity + 1;
    return 2 * rows * neurons * sizeof(float);
}

/* reading.c, with membranes.c and spike_counter.c. */
static size_t of_reading(const struct network_params *params, size_t capacity)
{
    const size_t block = min(widest(params), BLOCK_NEURONS);
    const size_t steps = params->tempotron.clock == CLOCK_GRID ? params->tempotron.T : 1;
    const size_t max_spikes = read_out_max_spikes(&params->read_out);
    size_t bytes = 3 * (steps + 4) * block * sizeof(float);
    if (max_spikes > 0)
        bytes += (capacity + 2) * 5 * sizeof(double) + max_spikes * 4 * 4 * sizeof(double);
    return bytes;
}

/* slot.c */
static size_t of_slot(const struct network_params *params, size_t capacity)
{
    size_t bytes = sizeof(struct slot) + of_activity(params, capacity);
    for (size_t l = 0; l < network_depth(params); l++)
        bytes += width_of(params, l) * (sizeof(double) + sizeof(float));
    if (read_out_finds_credit(&params->read_out))
        bytes += of_credit(params, width_of(params, params->hidden_count), capacity);
    return bytes;
}

/* learner.c, with learning_block.c, optimizer.c and thread_scratch.c. */
static size_t of_learner(const struct network_params *params, const struct training_size *size)
{
    const size_t slot = of_slot(params, size->capacity);
    const size_t batch = min(size->batch_size, size->samples);
    const size_t block = min(widest(params), BLOCK_NEURONS);
    const size_t slots = max(slot, min(batch * slot, LEARNER_SLOTS_BYTES));
    size_t thread = of_reading(params, size->capacity) + size->pixels * sizeof(float) +
                    of_credit(params, block, max(size->capacity, widest(params)));
    if (params->hidden_count > 0 && params->hidden_spike == HIDDEN_PEAK)
        thread += 2 * params->tempotron.T * BLOCK_NEURONS * sizeof(float);
    return slots + size->threads * thread + 3 * training_memory_of_weights(params);
}

static size_t of_evaluation(const struct network_params *params, size_t capacity, size_t samples,
                            size_t threads)
{
    const size_t thread = of_activity(params, capacity) + of_reading(params, capacity);
    return samples * sizeof(struct reading) + min(threads, samples) * thread;
}

size_t training_memory(const struct network_params *params, const struct training_size *size)
{
    const size_t copies = size->validation > 0 ? 2 : 1;
    size_t bytes = copies * training_memory_of_weights(params) + of_learner(params, size);
    bytes += size->samples * sizeof(uint32_t);
    if (size->validation > 0)
        bytes += of_evaluation(params, size->capacity, size->validation, size->threads);
    return bytes;
}
