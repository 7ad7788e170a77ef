#include "membranes.h"

#include <stdlib.h>
#include <string.h>

#include "continuous.h"
#include "grid.h"
#include "simd.h"

/* Lays arrays one behind the other, each aligned; first without memory, to learn how much. */
struct layout {
    char *memory;
    size_t bytes;
};

static void *place(struct layout *layout, size_t count, size_t size)
{
    void *array = layout->memory == NULL ? NULL : layout->memory + layout->bytes;
    layout->bytes += simd_round_up(count * size);
    return array;
}

/* t_max comes first: it is the block. */
static void lay_out(struct membranes *membranes, const struct tempotron *tempotron, size_t capacity,
                    struct layout *layout)
{
    const size_t stride = tempotron->stride, T = tempotron->params.T;
    *membranes = (struct membranes){.stride = stride};
    membranes->t_max = place(layout, stride, sizeof *membranes->t_max);
    membranes->v_max = place(layout, stride, sizeof *membranes->v_max);
    switch (tempotron->params.clock) {
    case CLOCK_GRID:
        membranes->drive = place(layout, 2 * T * stride, sizeof *membranes->drive);
        membranes->jump = place(layout, T * stride, sizeof *membranes->jump);
        break;
    case CLOCK_CONTINUOUS:
        membranes->order = place(layout, capacity, sizeof *membranes->order);
        membranes->buffer = place(layout, capacity, sizeof *membranes->buffer);
        membranes->decay_slow = place(layout, capacity + 1, sizeof *membranes->decay_slow);
        membranes->decay_fast = place(layout, capacity + 1, sizeof *membranes->decay_fast);
        membranes->turn = place(layout, capacity + 1, sizeof *membranes->turn);
        membranes->slow = place(layout, stride, sizeof *membranes->slow);
        membranes->fast = place(layout, stride, sizeof *membranes->fast);
        membranes->best = place(layout, stride, sizeof *membranes->best);
        break;
    }
}

enum core_status membranes_init(struct membranes *membranes, const struct tempotron *tempotron,
                                size_t capacity)
{
    struct layout layout = {0};
    lay_out(membranes, tempotron, capacity, &layout);
    layout.memory = aligned_alloc(SIMD_ALIGNMENT, layout.bytes);
    if (layout.memory == NULL) {
        *membranes = (struct membranes){0};
        return CORE_NO_MEMORY;
    }
    memset(layout.memory, 0, layout.bytes);
    layout.bytes = 0;
    lay_out(membranes, tempotron, capacity, &layout);
    return CORE_OK;
}

void membranes_finish(struct membranes *membranes)
{
    free(membranes->t_max);
    *membranes = (struct membranes){0};
}

void membranes_forward(const struct tempotron *tempotron, const struct pattern *pattern,
                       struct membranes *membranes, float *v)
{
    switch (tempotron->params.clock) {
    case CLOCK_GRID:
        grid_forward(tempotron, pattern, membranes, v);
        break;
    case CLOCK_CONTINUOUS:
        continuous_forward(tempotron, pattern, membranes, v);
        break;
    }
}

static bool is_zero(const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (values[i] != 0)
            return false;
    return true;
}

void membranes_backward(const struct tempotron *tempotron, const struct pattern *pattern,
                        struct membranes *membranes, const float *dv, struct credit *credit)
{
    credit->is_zero = is_zero(dv, membranes->stride);
    if (credit->is_zero)
        return;
    switch (tempotron->params.clock) {
    case CLOCK_GRID:
        grid_backward(tempotron, pattern, membranes, dv, credit);
        break;
    case CLOCK_CONTINUOUS:
        continuous_backward(tempotron, pattern, membranes, dv, credit);
        break;
    }
}

size_t membranes_decide(const struct membranes *membranes, size_t out_features)
{
    const float *v_max = membranes->v_max;
    size_t best = 0;
    for (size_t j = 1; j < out_features; j++)
        if (v_max[j] > v_max[best])
            best = j;
    return best;
}
