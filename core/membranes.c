#include "core/membranes.h"

#include <math.h>

#include "core/continuous.h"
#include "core/grid.h"

void membranes_init(struct membranes *membranes, const struct tempotron *tempotron,
                    struct arena *arena)
{
    const size_t stride = tempotron->stride, T = tempotron->params.T;
    *membranes = (struct membranes){.stride = stride};
    membranes->t_max = arena_place(arena, stride, sizeof *membranes->t_max);
    membranes->v_max = arena_place(arena, stride, sizeof *membranes->v_max);
    membranes->spike = arena_place(arena, stride, sizeof *membranes->spike);
    membranes->slope = arena_place(arena, stride, sizeof *membranes->slope);
    switch (tempotron->params.clock) {
    case CLOCK_GRID:
        membranes->drive = arena_place(arena, 2 * T * stride, sizeof *membranes->drive);
        membranes->jump = arena_place(arena, T * stride, sizeof *membranes->jump);
        break;
    case CLOCK_CONTINUOUS:
        membranes->slow = arena_place(arena, stride, sizeof *membranes->slow);
        membranes->fast = arena_place(arena, stride, sizeof *membranes->fast);
        membranes->best = arena_place(arena, stride, sizeof *membranes->best);
        break;
    }
}

void membranes_run(const struct tempotron *tempotron, const struct pattern *pattern,
                   const struct timeline *timeline, struct membranes *membranes, float *v)
{
    membranes->stride = tempotron->stride;
    switch (tempotron->params.clock) {
    case CLOCK_GRID:
        grid_forward(tempotron, pattern, timeline, membranes, v);
        break;
    case CLOCK_CONTINUOUS:
        continuous_forward(tempotron, pattern, timeline, membranes, v);
        break;
    }
}

void membranes_fire(const struct tempotron *tempotron, const struct pattern *pattern,
                    const struct timeline *timeline, struct membranes *membranes)
{
    membranes->stride = tempotron->stride;
    switch (tempotron->params.clock) {
    case CLOCK_GRID:
        grid_fire(tempotron, pattern, timeline, membranes);
        break;
    case CLOCK_CONTINUOUS:
        continuous_fire(tempotron, pattern, timeline, membranes);
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
                        const struct timeline *timeline, const struct voltage_gradient *gradient,
                        struct membranes *membranes, struct credit *credit)
{
    membranes->stride = credit->stride = tempotron->stride;
    credit->is_zero = is_zero(gradient->amount, tempotron->stride);
    if (credit->is_zero)
        return;
    switch (tempotron->params.clock) {
    case CLOCK_GRID:
        grid_backward(tempotron, gradient, credit);
        break;
    case CLOCK_CONTINUOUS:
        continuous_backward(tempotron, pattern, timeline, gradient, membranes, credit);
        break;
    }
}

void membranes_follow_kinks(const struct tempotron *tempotron, const struct pattern *pattern,
                            const struct timeline *timeline,
                            const struct voltage_gradient *gradient, float *time_gradient)
{
    switch (tempotron->params.clock) {
    case CLOCK_GRID: /* its maxima stay on their steps */
        break;
    case CLOCK_CONTINUOUS:
        continuous_follow_kinks(tempotron, pattern, timeline, gradient, time_gradient);
        break;
    }
}

double membranes_revival_time(const struct tempotron *tempotron, const struct pattern *pattern)
{
    const double end = (double)tempotron_last(&tempotron->params);
    float last = -1;
    for (size_t s = 0; s < pattern->count; s++)
        last = pattern->time[s] > last ? pattern->time[s] : last;
    if (last < 0)
        return 0;
    const double peak = (double)last + tempotron->psp.t_peak;
    return fmin(tempotron->params.clock == CLOCK_GRID ? ceil(peak) : peak, end);
}
