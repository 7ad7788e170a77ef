#include "core/feature_ranges.h"

#include <stdlib.h>

enum core_status feature_ranges_init(struct feature_ranges *ranges, size_t n, size_t extra,
                                     const float *x_min, const float *x_max,
                                     uint32_t max_spike_time)
{
    float *block = calloc(n, (3 + extra) * sizeof *block);
    if (block == NULL)
        return CORE_NO_MEMORY;
    *ranges = (struct feature_ranges){
        .n = n,
        .max_spike_time = (float)max_spike_time,
        .x_min = block,
        .x_max = block + n,
        .width = block + 2 * n,
    };
    for (size_t i = 0; i < n; i++) {
        ranges->x_min[i] = x_min[i];
        ranges->x_max[i] = x_max[i];
        ranges->width[i] = x_max[i] - x_min[i];
    }
    return CORE_OK;
}

void feature_ranges_finish(struct feature_ranges *ranges)
{
    free(ranges->x_min);
    *ranges = (struct feature_ranges){0};
}
