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

size_t encoder_spikes(const struct encoder *encoder)
{
    switch (encoder->type) {
    case ENCODER_GAUSSIAN_TUNING:
        return encoder->gaussian_tuning.n * encoder->gaussian_tuning.candidates;
    }
    return 0;
}

void encoder_encode(const struct encoder *encoder, const float *x, struct pattern *pattern)
{
    pattern_clear(pattern);
    switch (encoder->type) {
    case ENCODER_GAUSSIAN_TUNING:
        gaussian_tuning_add(&encoder->gaussian_tuning, x, pattern);
        break;
    }
}
