#include "gaussian_tuning.h"

#include <math.h>
#include <stdlib.h>

#include "exponential.h"

enum core_status gaussian_tuning_init(struct gaussian_tuning *tuning, size_t n, size_t m,
                                      const float *x_min, const float *x_max,
                                      uint32_t max_spike_time)
{
    float *block = calloc(n, 4 * sizeof *block);
    if (block == NULL)
        return CORE_NO_MEMORY;
    *tuning = (struct gaussian_tuning){
        .n = n,
        .m = m,
        .max_spike_time = (float)max_spike_time,
        .x_min = block,
        .x_max = block + n,
        .range = block + 2 * n,
        .sigma2 = block + 3 * n,
    };
    /* g >= 1/(2 max_spike_time) for a neuron to fire; the margin of 1 % covers float32's rounding.
     */
    tuning->reach = (float)(sqrt(2 * log(2.0 * max_spike_time)) / 1.5 * 1.01);
    for (size_t i = 0; i < n; i++) {
        const float range = x_max[i] - x_min[i];
        const float sigma = (float)(1 / 1.5) * range / (float)(m - 2);
        tuning->x_min[i] = x_min[i];
        tuning->x_max[i] = x_max[i];
        tuning->range[i] = range;
        tuning->sigma2[i] = sigma * sigma;
    }
    return CORE_OK;
}

void gaussian_tuning_finish(struct gaussian_tuning *tuning)
{
    free(tuning->x_min);
    *tuning = (struct gaussian_tuning){0};
}

void gaussian_tuning_reach(const struct gaussian_tuning *tuning, size_t feature, float x,
                           size_t *first, size_t *last)
{
    const double delta = (double)tuning->range[feature] / (double)(tuning->m - 2);
    const double centre = ((double)x - (double)tuning->x_min[feature]) / delta + 0.5;
    const double low = ceil(centre - (double)tuning->reach);
    const double high = floor(centre + (double)tuning->reach) + 1;
    const double m = (double)tuning->m;
    *first = (size_t)fmin(fmax(low, 0), m);
    *last = (size_t)fmin(fmax(high, 0), m);
}

float gaussian_tuning_spike_time(const struct gaussian_tuning *tuning, size_t feature, size_t j,
                                 float x)
{
    const float steps = (2 * (float)(j + 1) - 3) / 2;
    const float mu =
        tuning->x_min[feature] + steps * tuning->range[feature] / (float)(tuning->m - 2);
    const float distance = x - mu;
    const float exponent = -(distance * distance) / 2 / tuning->sigma2[feature];
    const float response = (float)exp_nonpositive((double)exponent);
    const float time = rintf(tuning->max_spike_time * (1 - response));
    return time >= tuning->max_spike_time ? -1 : time;
}

void gaussian_tuning_encode(const struct gaussian_tuning *tuning, size_t feature, float x,
                            float *times)
{
    size_t first, last;
    gaussian_tuning_reach(tuning, feature, x, &first, &last);
    for (size_t j = 0; j < tuning->m; j++)
        times[j] = -1;
    for (size_t j = first; j < last; j++)
        times[j] = gaussian_tuning_spike_time(tuning, feature, j, x);
}
