#include "core/explanation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/psp_kernel.h"

/* What the potential of a spike is worth at a time: on the grid, between two steps, on the line
 * that connects them. */
static double potential_at(const struct tempotron *tempotron, double at, double spike)
{
    if (tempotron->params.clock == CLOCK_CONTINUOUS)
        return psp_value(&tempotron->psp, at - spike);
    const double step = ceil(at), lead = step - at;
    const double upper = psp_value(&tempotron->psp, step - spike);
    return lead == 0 ? upper
                     : (1 - lead) * upper + lead * psp_value(&tempotron->psp, step - 1 - spike);
}

/* Adds to the spikes' afferents what their potentials contributed to a neuron at a time: scaled, so
 * that the parts add up to `whole`, unless that is NAN. */
static void divide(const struct layer *layer, const struct pattern *pattern, size_t neuron,
                   double at, double whole, double *parts, double *scratch)
{
    size_t stride;
    const struct tempotron *block = layer->blocks[neuron / BLOCK_NEURONS];
    const float *weight = layer_neuron(layer, neuron, &stride);
    double sum = 0;
    for (size_t s = 0; s < pattern->count; s++) {
        scratch[s] = (double)weight[pattern->afferent[s] * stride] *
                     potential_at(block, at, (double)pattern->time[s]);
        sum += scratch[s];
    }
    const double scale = isnan(whole) ? 1 : sum != 0 ? whole / sum : 0;
    for (size_t s = 0; s < pattern->count; s++)
        parts[pattern->afferent[s]] += scale * scratch[s];
}

/* Inserts it in order, if it is large enough. */
static size_t insert(struct contribution *contributions, size_t count, size_t max,
                     struct contribution contribution)
{
    size_t at = count;
    while (at > 0 && fabs(contributions[at - 1].potential) < fabs(contribution.potential))
        at--;
    if (at == max)
        return count;
    const size_t kept = count < max ? count : max - 1;
    memmove(contributions + at + 1, contributions + at, (kept - at) * sizeof *contributions);
    contributions[at] = contribution;
    return kept + 1;
}

static size_t widest(const struct network *network, const struct activity *activity)
{
    size_t max = 1;
    for (size_t l = 0; l < network->depth; l++) {
        const size_t afferents = layer_afferents(&network->layers[l]);
        const size_t spikes = activity->layers[l].pattern.count;
        max = afferents > max ? afferents : max;
        max = spikes > max ? spikes : max;
    }
    return max;
}

/* parts[of][] of the afferents of each layer in turn, from the last down. */
static const double *trace(const struct network *network, const struct activity *activity,
                           size_t output, size_t size, double *memory)
{
    double *parts = memory, *of_neurons = memory + size, *scratch = memory + 2 * size;
    size_t l = network->depth - 1;
    divide(&network->layers[l], &activity->layers[l].pattern, output,
           activity->layers[l].t_max[output], NAN, parts, scratch);
    while (l-- > 0) {
        const struct layer *layer = &network->layers[l];
        const struct layer_activity *of_layer = &activity->layers[l];
        double *swap = parts;
        parts = of_neurons;
        of_neurons = swap;
        memset(parts, 0, size * sizeof *parts);
        for (size_t j = 0; j < layer_neurons(layer); j++)
            if (of_neurons[j] != 0)
                divide(layer, &of_layer->pattern, j, (double)of_layer->spike[j], of_neurons[j],
                       parts, scratch);
    }
    return parts;
}

enum core_status network_explain(const struct network *network, const struct activity *activity,
                                 size_t output, struct contribution *contributions, size_t max,
                                 size_t *ret_count)
{
    const size_t size = widest(network, activity);
    double *memory = calloc(size, 3 * sizeof *memory);
    size_t count = 0;
    if (memory == NULL)
        return CORE_NO_MEMORY;
    const double *parts = trace(network, activity, output, size, memory);
    for (size_t i = 0; i < layer_afferents(&network->layers[0]); i++)
        if (parts[i] != 0)
            count = insert(contributions, count, max, (struct contribution){i, parts[i]});
    free(memory);
    *ret_count = count;
    return CORE_OK;
}
