#include "core/encoder.h"

void encoder_finish(struct encoder *encoder)
{
    feature_ranges_finish(&encoder->ranges);
}

void encoder_set_out_of_range(struct encoder *encoder, enum out_of_range out_of_range)
{
    encoder->out_of_range = out_of_range;
    encoder->ranges.clamps = out_of_range == OUT_OF_RANGE_CLAMP;
}

enum core_status encoder_with_ranges(const struct encoder *encoder, const float *x_min,
                                     const float *x_max, struct encoder *ret_encoder)
{
    const size_t n = encoder_features(encoder);
    const uint32_t max_spike_time = encoder_max_spike_time(encoder);
    struct encoder made = {.type = encoder->type};
    enum core_status status = CORE_OK;
    switch (encoder->type) {
    case ENCODER_GAUSSIAN_TUNING:
        status = gaussian_tuning_init(&made.gaussian_tuning, n, encoder->gaussian_tuning.m, x_min,
                                      x_max, max_spike_time);
        break;
    case ENCODER_LATENCY:
        status =
            latency_init(&made.latency, n, encoder->latency.scale, x_min, x_max, max_spike_time);
        break;
    }
    if (status != CORE_OK)
        return status;
    encoder_set_out_of_range(&made, encoder->out_of_range);
    *ret_encoder = made;
    return CORE_OK;
}

/* --- what it is like --- */

size_t encoder_features(const struct encoder *encoder)
{
    return encoder->ranges.n;
}

size_t encoder_neurons(const struct encoder *encoder)
{
    switch (encoder->type) {
    case ENCODER_GAUSSIAN_TUNING:
        return encoder->gaussian_tuning.m;
    case ENCODER_LATENCY:
        return 1;
    }
    return 0;
}

size_t encoder_afferents(const struct encoder *encoder)
{
    return encoder_features(encoder) * encoder_neurons(encoder);
}

size_t encoder_spikes(const struct encoder *encoder)
{
    switch (encoder->type) {
    case ENCODER_GAUSSIAN_TUNING:
        return encoder_features(encoder) * encoder->gaussian_tuning.candidates;
    case ENCODER_LATENCY:
        return encoder_features(encoder);
    }
    return 0;
}

size_t encoder_bytes(const struct encoder *encoder)
{
    enum { ARRAYS = 5 }; /* of a float for each feature, at most */
    return encoder_features(encoder) * ARRAYS * sizeof(float);
}

uint32_t encoder_max_spike_time(const struct encoder *encoder)
{
    return (uint32_t)encoder->ranges.max_spike_time;
}

const float *encoder_x_min(const struct encoder *encoder)
{
    return encoder->ranges.x_min;
}

const float *encoder_x_max(const struct encoder *encoder)
{
    return encoder->ranges.x_max;
}

bool encoder_is_inside(const struct encoder *encoder, size_t feature, float x)
{
    return x >= encoder->ranges.x_min[feature] && x <= encoder->ranges.x_max[feature];
}

/* --- encoding --- */

static void add_features(const struct encoder *encoder, size_t first, size_t count, const float *x,
                         struct pattern *pattern)
{
    switch (encoder->type) {
    case ENCODER_GAUSSIAN_TUNING:
        gaussian_tuning_add(&encoder->gaussian_tuning, first, count, x, pattern);
        break;
    case ENCODER_LATENCY:
        latency_add(&encoder->latency, first, count, x, pattern);
        break;
    }
}

void encoder_encode(const struct encoder *encoder, const float *x, struct pattern *pattern)
{
    pattern_clear(pattern);
    add_features(encoder, 0, encoder_features(encoder), x, pattern);
}

void encoder_encode_bytes(const struct encoder *encoder, const uint8_t *x, struct pattern *pattern)
{
    enum { PIECE = 256 };
    float values[PIECE];
    const size_t n = encoder_features(encoder);
    pattern_clear(pattern);
    for (size_t first = 0; first < n; first += PIECE) {
        const size_t rest = n - first, count = rest < PIECE ? rest : PIECE;
        for (size_t i = 0; i < count; i++)
            values[i] = x[first + i];
        add_features(encoder, first, count, values, pattern);
    }
}

void encoder_encode_value(const struct encoder *encoder, size_t feature, float x, float *times)
{
    switch (encoder->type) {
    case ENCODER_GAUSSIAN_TUNING:
        gaussian_tuning_encode(&encoder->gaussian_tuning, feature, x, times);
        break;
    case ENCODER_LATENCY:
        *times = latency_encode(&encoder->latency, feature, x);
        break;
    }
}
