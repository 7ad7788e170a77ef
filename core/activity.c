#include "core/activity.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

static void lay_out(struct activity *activity, const struct network *network, struct arena *arena)
{
    for (size_t l = 0; l < network->depth; l++) {
        struct layer_activity *layer = &activity->layers[l];
        const size_t width = network->layers[l].width;
        layer->v_max = arena_place(arena, width, sizeof *layer->v_max);
        layer->t_max = arena_place(arena, width, sizeof *layer->t_max);
        if (l + 1 == network->depth)
            continue;
        layer->spike = arena_place(arena, width, sizeof *layer->spike);
        layer->slope = arena_place(arena, width, sizeof *layer->slope);
    }
    activity->score =
        arena_place(arena, network_outputs(&network->params), sizeof *activity->score);
}

/* The spikes that may come into a layer. */
static size_t layer_capacity(const struct network *network, size_t layer, size_t capacity)
{
    return layer == 0 ? capacity : layer_afferents(&network->layers[layer]);
}

static enum core_status init_layer(struct layer_activity *layer, const struct network *network,
                                   size_t capacity)
{
    const struct tempotron_params *params = &network->params.tempotron;
    enum core_status status = pattern_init(&layer->pattern, capacity, tempotron_last(params));
    if (status == CORE_OK)
        status = timeline_init(&layer->timeline, params->clock, capacity);
    return status;
}

enum core_status activity_init(struct activity *activity, const struct network *network,
                               size_t capacity)
{
    struct arena arena = {0};
    enum core_status status = CORE_OK;
    *activity = (struct activity){.depth = network->depth};
    lay_out(activity, network, &arena);
    if (!arena_allocate(&arena))
        return CORE_NO_MEMORY;
    lay_out(activity, network, &arena);
    activity->memory = arena.memory;
    for (size_t l = 0; status == CORE_OK && l < network->depth; l++)
        status = init_layer(&activity->layers[l], network, layer_capacity(network, l, capacity));
    if (status != CORE_OK)
        activity_finish(activity);
    return status;
}

void activity_finish(struct activity *activity)
{
    for (size_t l = 0; l < activity->depth; l++) {
        pattern_finish(&activity->layers[l].pattern);
        timeline_finish(&activity->layers[l].timeline);
    }
    free(activity->memory);
    *activity = (struct activity){0};
}

struct pattern *activity_input(struct activity *activity)
{
    return &activity->layers[0].pattern;
}

static void keep_maxima(const struct membranes *membranes, size_t block,
                        struct layer_activity *layer)
{
    const size_t first = block * BLOCK_NEURONS, stride = membranes->stride;
    memcpy(layer->v_max + first, membranes->v_max, stride * sizeof *layer->v_max);
    memcpy(layer->t_max + first, membranes->t_max, stride * sizeof *layer->t_max);
}

/* Neurons whose maximum reaches the threshold fire at its time. */
static void fire_at_peaks(const struct tempotron *tempotron, size_t block,
                          struct layer_activity *layer)
{
    const float threshold = (float)tempotron->params.v_threshold;
    for (size_t j = block * BLOCK_NEURONS; j < block * BLOCK_NEURONS + tempotron->stride; j++)
        layer->spike[j] = layer->v_max[j] >= threshold ? (float)layer->t_max[j] : -1;
}

void activity_fire_block(const struct tempotron *tempotron, enum hidden_spike hidden_spike,
                         size_t block, struct membranes *membranes, struct layer_activity *layer)
{
    const size_t first = block * BLOCK_NEURONS;
    const size_t bytes = tempotron->stride * sizeof *layer->spike;
    switch (hidden_spike) {
    case HIDDEN_CROSSING:
        membranes->block = block;
        membranes_fire(tempotron, &layer->pattern, &layer->timeline, membranes);
        keep_maxima(membranes, block, layer);
        memcpy(layer->spike + first, membranes->spike, bytes);
        memcpy(layer->slope + first, membranes->slope, bytes);
        break;
    case HIDDEN_PEAK:
        activity_read_block(tempotron, block, membranes, layer, NULL);
        fire_at_peaks(tempotron, block, layer);
        break;
    }
}

void activity_read_block(const struct tempotron *tempotron, size_t block,
                         struct membranes *membranes, struct layer_activity *layer, float *v)
{
    membranes->block = block;
    membranes_run(tempotron, &layer->pattern, &layer->timeline, membranes, v);
    keep_maxima(membranes, block, layer);
}

void activity_pass_on(const struct layer_activity *layer, size_t neurons, struct pattern *pattern)
{
    pattern_clear(pattern);
    for (size_t j = 0; j < neurons; j++)
        pattern_add(pattern, j, layer->spike[j]);
}

void activity_forward(const struct network *network, struct membranes *membranes,
                      struct activity *activity)
{
    for (size_t l = 0; l < network->depth; l++) {
        const struct layer *layer = &network->layers[l];
        struct layer_activity *of_layer = &activity->layers[l];
        timeline_read(&of_layer->timeline, layer->blocks[0], &of_layer->pattern);
        if (l + 1 == network->depth)
            break;
        for (size_t b = 0; b < layer->block_count; b++)
            activity_fire_block(layer->blocks[b], network->params.hidden_spike, b, membranes,
                                of_layer);
        activity_pass_on(of_layer, layer_neurons(layer), &activity->layers[l + 1].pattern);
    }
}

bool activity_decides(const struct activity *activity)
{
    return activity->layers[activity->depth - 1].pattern.fired;
}
