#include "sample_set.h"

void sample_set_pattern(const struct sample_set *set, size_t sample, struct pattern *pattern)
{
    const float *values = set->values + sample * set->features;
    if (set->encoder != NULL) {
        encoder_encode(set->encoder, values, pattern);
        return;
    }
    pattern_clear(pattern);
    for (size_t i = 0; i < set->features; i++)
        pattern_add(pattern, i, values[i]);
    pattern_sort(pattern);
}
