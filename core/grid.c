/* grid.c - the spikes are not sorted: each adds its row of weights to its step's row of the drive,
 * which stays in the processor's nearest cache. Two drives take turns, so that a spike need not
 * wait for the one before it where both fall on the same step. */
#include "core/grid.h"

#include <math.h>

#include "core/background.h"
#include "core/membrane_state.h"
#include "core/simd.h"

/* --- forward: the spikes --- */

/* If the function is inlined for few outputs, `vectors` is a constant. */
INLINED void add_rows(const struct tempotron *tempotron, const struct pattern *pattern,
                      lanes *restrict even, lanes *restrict odd, size_t vectors)
{
    const lanes *restrict weight = (const lanes *)tempotron->weight;
    const uint32_t *afferent = pattern->afferent;
    const float *time = pattern->time;
    size_t s = 0;
    for (; s + 1 < pattern->count; s += 2) {
        const lanes *row = weight + afferent[s] * vectors;
        const lanes *next_row = weight + afferent[s + 1] * vectors;
        lanes *to = even + (uint32_t)time[s] * vectors;
        lanes *next_to = odd + (uint32_t)time[s + 1] * vectors;
        for (size_t l = 0; l < vectors; l++)
            to[l] += row[l];
        for (size_t l = 0; l < vectors; l++)
            next_to[l] += next_row[l];
    }
    if (s < pattern->count)
        for (size_t l = 0; l < vectors; l++)
            even[(uint32_t)time[s] * vectors + l] += weight[afferent[s] * vectors + l];
}

/* Adds the rows of a background; see background.h. */
INLINED void add_background(const struct pattern *pattern, size_t neurons, lanes *restrict drive,
                            size_t vectors)
{
    const struct background *background = pattern->background;
    const lanes *rows =
        pattern->background_count > 0 ? (const lanes *)background->rows[neurons] : NULL;
    for (size_t b = 0; b < pattern->background_count; b++) {
        const uint32_t block = pattern->background_blocks[b];
        for (uint32_t r = background->first[block]; r < background->first[block + 1]; r++)
            for (size_t l = 0; l < vectors; l++)
                drive[background->step[r] * vectors + l] += rows[r * vectors + l];
    }
}

VECTORIZED static void add_spikes(const struct tempotron *tempotron, const struct pattern *pattern,
                                  struct membranes *membranes)
{
    const size_t vectors = tempotron->stride / LANES;
    lanes *even = (lanes *)membranes->drive;
    lanes *odd = even + tempotron->params.T * vectors;
    const size_t block = membranes->block;
    switch (vectors) {
    case 1:
        add_background(pattern, block, even, 1);
        add_rows(tempotron, pattern, even, odd, 1);
        break;
    case 2:
        add_background(pattern, block, even, 2);
        add_rows(tempotron, pattern, even, odd, 2);
        break;
    case 4:
        add_background(pattern, block, even, 4);
        add_rows(tempotron, pattern, even, odd, 4);
        break;
    default:
        add_background(pattern, block, even, vectors);
        add_rows(tempotron, pattern, even, odd, vectors);
        break;
    }
}

/* A spike that leads its step has decayed, and its potential has risen, for that long. */
VECTORIZED static void add_fractional_spikes(const struct tempotron *tempotron,
                                             const struct pattern *pattern,
                                             const struct timeline *timeline,
                                             struct membranes *membranes)
{
    const size_t stride = tempotron->stride;
    for (size_t s = 0; s < pattern->count; s++) {
        const size_t step = (size_t)ceilf(pattern->time[s]);
        const float decayed = timeline->decayed[s], risen = timeline->risen[s];
        const float *restrict row = tempotron->weight + pattern->afferent[s] * stride;
        float *restrict drive = membranes->drive + step * stride;
        float *restrict jump = membranes->jump + step * stride;
        for (size_t j = 0; j < stride; j++) {
            drive[j] += decayed * row[j];
            jump[j] += risen * row[j];
        }
    }
}

/* --- forward: the steps --- */

/* Where `mask` is set a, else b. */
INLINED void choose(const int_lanes *mask, const lanes *a, const lanes *b, lanes *out)
{
    *out = (lanes)((*mask & (int_lanes)*a) | (~*mask & (int_lanes)*b));
}

/* The first step at which the voltage has reached the threshold; -1: there is none yet. */
struct crossing {
    int_lanes step;
    lanes voltage;
    lanes rise; /* since the step before */
};

INLINED void note_crossing(const lanes *before, const lanes *voltage, float threshold, size_t t,
                           struct crossing *crossing)
{
    const int_lanes crosses = (*voltage >= threshold) & (crossing->step < 0);
    const lanes rise = *voltage - *before;
    crossing->step = (crosses & (int32_t)t) | (~crosses & crossing->step);
    choose(&crosses, voltage, &crossing->voltage, &crossing->voltage);
    choose(&crosses, &rise, &crossing->rise, &crossing->rise);
}

/* When a straight line from the step before crosses it; -1: never. */
INLINED void find_crossing_time(const struct crossing *crossing, float threshold, lanes *spike)
{
    const int_lanes never = crossing->step < 0;
    const lanes none = {0}, silent = none - 1;
    const lanes time = __builtin_convertvector(crossing->step, lanes) -
                       (crossing->voltage - threshold) / crossing->rise;
    choose(&never, &silent, &time, spike);
}

/* One vector of neurons on its way through the steps. */
struct sweep {
    lanes *even;
    lanes *odd;
    lanes *jump;
    struct membrane_state state;
    lanes before; /* the voltage of the step before */
    lanes v_max;
    int_lanes t_max;
    struct crossing crossing;
};

INLINED struct sweep begin_sweep(const struct tempotron *tempotron, struct membranes *membranes,
                                 size_t vector)
{
    const size_t vectors = tempotron->stride / LANES;
    lanes *even = (lanes *)membranes->drive + vector;
    return (struct sweep){
        .even = even,
        .odd = even + tempotron->params.T * vectors,
        .jump = (lanes *)membranes->jump + vector,
        .crossing = {.step = (int_lanes){0} - 1, .rise = (lanes){0} + 1},
    };
}

/* Clears the drive of the step. */
INLINED void take_step(const struct psp *psp, size_t t, size_t vectors, bool fractional, bool fires,
                       float threshold, struct sweep *sweep)
{
    const lanes none = {0};
    lanes *even = sweep->even + t * vectors, *odd = sweep->odd + t * vectors;
    const lanes drive = *even + *odd;
    lanes voltage;
    membrane_state_advance(psp, &drive, &sweep->state);
    *even = *odd = none;
    if (fractional) {
        struct double_lanes jump;
        lanes_widen(&sweep->jump[t * vectors], &jump);
        sweep->state.v.low += jump.low;
        sweep->state.v.high += jump.high;
        sweep->jump[t * vectors] = none;
    }
    lanes_narrow(&sweep->state.v, &voltage);
    const int_lanes is_higher = voltage > sweep->v_max;
    sweep->t_max = (is_higher & (int32_t)t) | (~is_higher & sweep->t_max);
    choose(&is_higher, &voltage, &sweep->v_max, &sweep->v_max);
    if (fires)
        note_crossing(&sweep->before, &voltage, threshold, t, &sweep->crossing);
    sweep->before = voltage;
}

INLINED void end_sweep(const struct sweep *sweep, size_t vector, bool fires, float threshold,
                       struct membranes *membranes)
{
    ((lanes *)membranes->v_max)[vector] = sweep->v_max;
    for (size_t l = 0; l < LANES; l++)
        membranes->t_max[vector * LANES + l] = sweep->t_max[l];
    if (fires) {
        find_crossing_time(&sweep->crossing, threshold, (lanes *)membranes->spike + vector);
        ((lanes *)membranes->slope)[vector] = sweep->crossing.rise;
    }
}

INLINED void sample_voltage(const struct tempotron *tempotron, const struct sweep *sweep,
                            size_t vector, size_t t, float *v)
{
    for (size_t l = 0; l < LANES; l++)
        if (vector * LANES + l < tempotron->params.out_features)
            v[(vector * LANES + l) * tempotron->params.T + t] = sweep->before[l];
}

/* Two vectors together, if there are two, since each step of one waits for the step before it. */
INLINED void run_vectors(const struct tempotron *tempotron, bool fractional,
                         struct membranes *membranes, float *v, bool fires)
{
    const size_t T = tempotron->params.T, vectors = tempotron->stride / LANES;
    const float threshold = (float)tempotron->params.v_threshold;
    const struct psp psp = tempotron->psp;
    for (size_t vector = 0; vector < vectors; vector += 2) {
        const bool has_other = vector + 1 < vectors;
        struct sweep one = begin_sweep(tempotron, membranes, vector);
        struct sweep other = begin_sweep(tempotron, membranes, vector + has_other);
        for (size_t t = 0; t < T; t++) {
            membrane_state_settle(&one.state, t);
            membrane_state_settle(&other.state, t);
            take_step(&psp, t, vectors, fractional, fires, threshold, &one);
            if (v != NULL)
                sample_voltage(tempotron, &one, vector, t, v);
            if (!has_other)
                continue;
            take_step(&psp, t, vectors, fractional, fires, threshold, &other);
            if (v != NULL)
                sample_voltage(tempotron, &other, vector + 1, t, v);
        }
        end_sweep(&one, vector, fires, threshold, membranes);
        if (has_other)
            end_sweep(&other, vector + 1, fires, threshold, membranes);
    }
}

VECTORIZED static void read_vectors(const struct tempotron *tempotron,
                                    const struct pattern *pattern, struct membranes *membranes)
{
    if (pattern->fractional)
        run_vectors(tempotron, true, membranes, NULL, false);
    else
        run_vectors(tempotron, false, membranes, NULL, false);
}

VECTORIZED static void sample_vectors(const struct tempotron *tempotron,
                                      const struct pattern *pattern, struct membranes *membranes,
                                      float *v)
{
    run_vectors(tempotron, pattern->fractional, membranes, v, false);
}

VECTORIZED static void fire_vectors(const struct tempotron *tempotron,
                                    const struct pattern *pattern, struct membranes *membranes)
{
    if (pattern->fractional)
        run_vectors(tempotron, true, membranes, NULL, true);
    else
        run_vectors(tempotron, false, membranes, NULL, true);
}

static void add_pattern(const struct tempotron *tempotron, const struct pattern *pattern,
                        const struct timeline *timeline, struct membranes *membranes)
{
    if (pattern->fractional)
        add_fractional_spikes(tempotron, pattern, timeline, membranes);
    else
        add_spikes(tempotron, pattern, membranes);
}

void grid_forward(const struct tempotron *tempotron, const struct pattern *pattern,
                  const struct timeline *timeline, struct membranes *membranes, float *v)
{
    add_pattern(tempotron, pattern, timeline, membranes);
    if (v != NULL)
        sample_vectors(tempotron, pattern, membranes, v);
    else
        read_vectors(tempotron, pattern, membranes);
}

void grid_fire(const struct tempotron *tempotron, const struct pattern *pattern,
               const struct timeline *timeline, struct membranes *membranes)
{
    add_pattern(tempotron, pattern, timeline, membranes);
    fire_vectors(tempotron, pattern, membranes);
}

/* --- backward --- */

/* c is added at the time at which the loss depends on the voltage: m(t) = m(t + 1) decay + c falls
 * with the slow exponential, and v(t) = v(t + 1) decay_s + gain m(t + 1) rises as a potential does.
 */
INLINED void trace_step(const struct psp *psp, const lanes *c, size_t at,
                        struct membrane_state *trace, lanes *rises, lanes *falls)
{
    membrane_state_advance(psp, c, trace);
    lanes_narrow(&trace->v, &rises[at]);
    lanes_narrow(&trace->m, &falls[at]);
}

/* Where one vector of neurons lands: between two steps it is shared by them, the nearer one having
 * the more of it. */
struct shares {
    int_lanes upper;
    lanes at_upper;
    lanes at_lower;
};

INLINED struct shares share_gradient(const struct voltage_gradient *gradient, size_t vector)
{
    const lanes amount = ((const lanes *)gradient->amount)[vector];
    struct shares shares;
    lanes lead;
    for (size_t l = 0; l < LANES; l++) {
        const double at = gradient->at[vector * LANES + l], step = ceil(at);
        shares.upper[l] = (int32_t)step;
        lead[l] = (float)(step - at);
    }
    shares.at_lower = amount * lead;
    shares.at_upper = amount - shares.at_lower;
    return shares;
}

INLINED void share_of_step(const struct shares *shares, size_t t, lanes *c)
{
    const int_lanes is_upper = shares->upper == (int32_t)t;
    const int_lanes is_lower = shares->upper == (int32_t)t + 1;
    *c = (lanes)((is_upper & (int_lanes)shares->at_upper) |
                 (is_lower & (int_lanes)shares->at_lower));
}

VECTORIZED void grid_backward(const struct tempotron *tempotron,
                              const struct voltage_gradient *gradient, struct credit *credit)
{
    const size_t vectors = tempotron->stride / LANES;
    const struct psp psp = tempotron->psp;
    for (size_t vector = 0; vector < vectors; vector += 2) {
        const size_t next = vector + 1 < vectors ? vector + 1 : vector;
        const struct shares shares = share_gradient(gradient, vector);
        const struct shares next_shares = share_gradient(gradient, next);
        struct membrane_state trace = {0}, next_trace = {0};
        lanes *rises = (lanes *)credit->rise, *falls = (lanes *)credit->fall;
        for (size_t t = tempotron->params.T; t-- > 0;) {
            lanes c, next_c;
            membrane_state_settle(&trace, t);
            membrane_state_settle(&next_trace, t);
            share_of_step(&shares, t, &c);
            share_of_step(&next_shares, t, &next_c);
            trace_step(&psp, &c, t * vectors + vector, &trace, rises, falls);
            trace_step(&psp, &next_c, t * vectors + next, &next_trace, rises, falls);
        }
    }
}

VECTORIZED void grid_backward_steps(const struct tempotron *tempotron, const float *amounts,
                                    struct credit *credit)
{
    const size_t vectors = tempotron->stride / LANES;
    for (size_t vector = 0; vector < vectors; vector++) {
        struct membrane_state trace = {0};
        for (size_t t = tempotron->params.T; t-- > 0;) {
            membrane_state_settle(&trace, t);
            trace_step(&tempotron->psp, (const lanes *)amounts + t * vectors + vector, t * vectors,
                       &trace, (lanes *)credit->rise + vector, (lanes *)credit->fall + vector);
        }
    }
}
