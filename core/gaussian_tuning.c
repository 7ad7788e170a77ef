/* gaussian_tuning.c - a block of features at a time: for each of them the first neuron within
 * reach, then the spike times of that one and the next few, in loops over the block that become
 * vector code; then the spikes among them, one after the other. */
#include "core/gaussian_tuning.h"

#include <math.h>

#include "core/exponential.h"
#include "core/simd.h"

enum { BLOCK = 64 };

/* What a neuron that does not fire has in place of a spike time: later than all. */
static const float never = HUGE_VALF;

struct block {
    int32_t first[BLOCK];                   /* neuron within reach, or m */
    float time[GAUSSIAN_CANDIDATES][BLOCK]; /* of neuron first + c */
};

enum core_status gaussian_tuning_init(struct gaussian_tuning *tuning, size_t n, size_t m,
                                      const float *x_min, const float *x_max,
                                      uint32_t max_spike_time)
{
    struct feature_ranges ranges;
    if (feature_ranges_init(&ranges, n, 2, x_min, x_max, max_spike_time) != CORE_OK)
        return CORE_NO_MEMORY;
    *tuning = (struct gaussian_tuning){
        .ranges = ranges,
        .m = m,
        .sigma2 = ranges.width + n,
        .per_delta = ranges.width + 2 * n,
    };
    /* g >= 1/(2 max_spike_time) for a neuron to fire; the margin of 1 % covers float32's rounding.
     */
    tuning->reach = (float)(sqrt(2 * log(2.0 * max_spike_time)) / 1.5 * 1.01);
    tuning->candidates = (size_t)(2 * tuning->reach) + 1;
    for (size_t i = 0; i < n; i++) {
        const float sigma = (float)(1 / 1.5) * ranges.width[i] / (float)(m - 2);
        tuning->sigma2[i] = sigma * sigma;
        tuning->per_delta[i] = (float)(m - 2) / ranges.width[i];
    }
    return CORE_OK;
}

static inline float clamp(float x, float low, float high)
{
    x = x > low ? x : low;
    return x < high ? x : high;
}

/* x lies by neuron (x - x_min) / delta + 1/2, counted from 0. */
INLINED void find_first(const struct gaussian_tuning *tuning, size_t from, size_t count,
                        const float *restrict x, int32_t *restrict first)
{
    const float *restrict x_min = tuning->ranges.x_min + from;
    const float *restrict per_delta = tuning->per_delta + from;
    const float m = (float)tuning->m, shift = 0.5f - tuning->reach;
    for (size_t l = 0; l < count; l++) {
        const float lowest = (x[l] - x_min[l]) * per_delta[l] + shift;
        first[l] = (int32_t)(clamp(lowest, -1, m - 1) + 2) - 1; /* the next integer above */
    }
}

INLINED void find_times(const struct gaussian_tuning *tuning, size_t from, size_t count,
                        int32_t candidate, const float *restrict x, const int32_t *restrict first,
                        float *restrict time)
{
    static const float min_exponent = -80; /* g is far below 1/(2 max_spike_time) there */
    const float *restrict x_min = tuning->ranges.x_min + from;
    const float *restrict range = tuning->ranges.width + from;
    const float *restrict sigma2 = tuning->sigma2 + from;
    const float max_spike_time = tuning->ranges.max_spike_time, m = (float)tuning->m;
    for (size_t l = 0; l < count; l++) {
        const float j = (float)(first[l] + candidate);
        const float mu = x_min[l] + (j - 0.5f) * range[l] / (m - 2);
        const float distance = x[l] - mu;
        const float exponent = -(distance * distance) / 2 / sigma2[l];
        const float response = expf_nonpositive(exponent > min_exponent ? exponent : min_exponent);
        const float t = round_to_even(max_spike_time * (1 - response));
        const float fires = t < max_spike_time ? t : never;
        time[l] = j < m ? fires : never;
    }
}

INLINED void clamp_values(const struct gaussian_tuning *tuning, size_t from, size_t count,
                          const float *restrict x, float *restrict clamped)
{
    for (size_t l = 0; l < count; l++)
        clamped[l] = clamp(x[l], tuning->ranges.x_min[from + l], tuning->ranges.x_max[from + l]);
}

VECTORIZED static void find_spikes(const struct gaussian_tuning *tuning, size_t from, size_t count,
                                   const float *x, struct block *block)
{
    float clamped[BLOCK];
    if (tuning->ranges.clamps) {
        clamp_values(tuning, from, count, x, clamped);
        x = clamped;
    }
    find_first(tuning, from, count, x, block->first);
    for (size_t c = 0; c < tuning->candidates; c++)
        find_times(tuning, from, count, (int32_t)c, x, block->first, block->time[c]);
}

/* Writes every candidate and then keeps it or not: no branch to guess. */
static void add_spikes(const struct gaussian_tuning *tuning, size_t from, size_t count,
                       const struct block *block, struct pattern *pattern)
{
    uint32_t *afferent = pattern->afferent;
    float *time = pattern->time;
    size_t spikes = pattern->count;
    bool fired = pattern->fired;
    for (size_t l = 0; l < count; l++) {
        const uint32_t first = (uint32_t)((from + l) * tuning->m) + (uint32_t)block->first[l];
        for (size_t c = 0; c < tuning->candidates; c++) {
            const float t = block->time[c][l];
            afferent[spikes] = first + (uint32_t)c;
            time[spikes] = t;
            spikes += t <= pattern->last;
            fired |= t < never;
        }
    }
    pattern->count = spikes;
    pattern->fired = fired;
}

void gaussian_tuning_add(const struct gaussian_tuning *tuning, size_t first, size_t count,
                         const float *x, struct pattern *pattern)
{
    struct block block;
    for (size_t done = 0; done < count; done += BLOCK) {
        const size_t rest = count - done, of_block = rest < BLOCK ? rest : BLOCK;
        find_spikes(tuning, first + done, of_block, x + done, &block);
        add_spikes(tuning, first + done, of_block, &block, pattern);
    }
}

void gaussian_tuning_encode(const struct gaussian_tuning *tuning, size_t feature, float x,
                            float *times)
{
    struct block block;
    find_spikes(tuning, feature, 1, &x, &block);
    for (size_t j = 0; j < tuning->m; j++)
        times[j] = -1;
    for (size_t c = 0; c < tuning->candidates; c++)
        if (block.time[c][0] < never)
            times[(size_t)block.first[0] + c] = block.time[c][0];
}
