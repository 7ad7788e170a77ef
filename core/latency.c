/* latency.c - a block of features at a time: their spike times, then the spikes among them. */
#include "core/latency.h"

#include <math.h>

#include "core/exponential.h"
#include "core/simd.h"

enum { BLOCK = 64 };

enum core_status latency_init(struct latency *latency, size_t n, enum latency_scale scale,
                              const float *x_min, const float *x_max, uint32_t max_spike_time)
{
    *latency = (struct latency){
        .scale = scale,
        .faintest = exp_nonpositive(1 - (double)max_spike_time),
    };
    return feature_ranges_init(&latency->ranges, n, 0, x_min, x_max, max_spike_time);
}

/* Whether a value fires at all. */
INLINED bool fires(const struct latency *latency, size_t feature, float x)
{
    return (x > latency->ranges.x_min[feature]) &
           (latency->ranges.clamps | (x <= latency->ranges.x_max[feature]));
}

INLINED float inside(const struct latency *latency, size_t feature, float x)
{
    const float low = x > latency->ranges.x_min[feature] ? x : latency->ranges.x_min[feature];
    return low < latency->ranges.x_max[feature] ? low : latency->ranges.x_max[feature];
}

INLINED void find_linear(const struct latency *latency, size_t from, size_t count, const float *x,
                         float *times)
{
    const float latest = latency->ranges.max_spike_time - 1;
    for (size_t l = 0; l < count; l++) {
        const size_t i = from + l;
        const float u =
            (inside(latency, i, x[l]) - latency->ranges.x_min[i]) / latency->ranges.width[i];
        const float t = round_to_even((1 - u) * latest);
        times[l] = fires(latency, i, x[l]) ? t : -1;
    }
}

INLINED void find_log(const struct latency *latency, size_t from, size_t count, const float *x,
                      float *times)
{
    for (size_t l = 0; l < count; l++) {
        const size_t i = from + l;
        times[l] = -1;
        if (!fires(latency, i, x[l]))
            continue;
        const float above = inside(latency, i, x[l]) - latency->ranges.x_min[i];
        const double u = (double)above / (double)latency->ranges.width[i];
        const double t = -logarithm(u + (1 - u) * latency->faintest);
        times[l] = (float)rint(t);
    }
}

VECTORIZED static void find_times(const struct latency *latency, size_t from, size_t count,
                                  const float *x, float *times)
{
    switch (latency->scale) {
    case LATENCY_LINEAR:
        find_linear(latency, from, count, x, times);
        break;
    case LATENCY_LOG:
        find_log(latency, from, count, x, times);
        break;
    }
}

/* Writes every time and then keeps it or not: no branch to guess. */
static void add_spikes(size_t from, size_t count, const float *times, struct pattern *pattern)
{
    uint32_t *afferent = pattern->afferent;
    float *time = pattern->time;
    size_t spikes = pattern->count;
    bool fired = pattern->fired;
    for (size_t l = 0; l < count; l++) {
        const float t = times[l];
        afferent[spikes] = (uint32_t)(from + l);
        time[spikes] = t;
        spikes += (t >= 0) & (t <= pattern->last);
        fired |= t >= 0;
    }
    pattern->count = spikes;
    pattern->fired = fired;
}

void latency_add(const struct latency *latency, size_t first, size_t count, const float *x,
                 struct pattern *pattern)
{
    float times[BLOCK];
    for (size_t done = 0; done < count; done += BLOCK) {
        const size_t rest = count - done, of_block = rest < BLOCK ? rest : BLOCK;
        find_times(latency, first + done, of_block, x + done, times);
        add_spikes(first + done, of_block, times, pattern);
    }
}

float latency_encode(const struct latency *latency, size_t feature, float x)
{
    float time;
    find_times(latency, feature, 1, &x, &time);
    return time;
}
