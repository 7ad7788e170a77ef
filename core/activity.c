#include "core/activity.h"

#include <string.h>

static void init_layer(struct layer_activity *layer, const struct network *network, size_t number,
                       size_t capacity, struct arena *arena)
{
    const struct tempotron_params *params = &network->params.tempotron;
    const size_t width = network->layers[number].width;
    pattern_init(&layer->pattern, capacity, tempotron_last(params), arena);
    timeline_init(&layer->timeline, params->clock, capacity, arena);
    layer->v_max = arena_place(arena, width, sizeof *layer->v_max);
    layer->t_max = arena_place(arena, width, sizeof *layer->t_max);
    if (number + 1 == network->depth)
        return;
    layer->spike = arena_place(arena, width, sizeof *layer->spike);
    layer->slope = arena_place(arena, width, sizeof *layer->slope);
}

void activity_init(struct activity *activity, const struct network *network, size_t capacity,
                   struct arena *arena)
{
    *activity = (struct activity){
        .depth = network->depth,
        .score = arena_place(arena, network->outputs, sizeof *activity->score),
    };
    for (size_t l = 0; l < network->depth; l++)
        init_layer(&activity->layers[l], network, l,
                   l == 0 ? capacity : layer_afferents(&network->layers[l]), arena);
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
