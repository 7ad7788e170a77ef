#include "encoder.h"

void encoder_finish(struct encoder *encoder)
{
    switch (encoder->type) {
    case ENCODER_GAUSSIAN_TUNING:
        gaussian_tuning_finish(&encoder->gaussian_tuning);
        break;
    }
}

size_t encoder_features(const struct encoder *encoder)
{
    switch (encoder->type) {
    case ENCODER_GAUSSIAN_TUNING:
        return encoder->gaussian_tuning.n;
    }
    return 0;
}

size_t encoder_afferents(const struct encoder *encoder)
{
    switch (encoder->type) {
    case ENCODER_GAUSSIAN_TUNING:
        return encoder->gaussian_tuning.n * encoder->gaussian_tuning.m;
    }
    return 0;
}

static void encode_gaussian(const struct gaussian_tuning *tuning, const float *x,
                            struct pattern *pattern)
{
    for (size_t i = 0; i < tuning->n; i++) {
        size_t first, last;
        gaussian_tuning_reach(tuning, i, x[i], &first, &last);
        for (size_t j = first; j < last; j++)
            pattern_add(pattern, i * tuning->m + j, gaussian_tuning_spike_time(tuning, i, j, x[i]));
    }
}

void encoder_encode(const struct encoder *encoder, const float *x, struct pattern *pattern)
{
    pattern_clear(pattern);
    switch (encoder->type) {
    case ENCODER_GAUSSIAN_TUNING:
        encode_gaussian(&encoder->gaussian_tuning, x, pattern);
        break;
    }
    pattern_sort(pattern);
}
