/* Trains small networks on either clock and prints their weights' bits, then the latencies of its
 * samples. Built once for each level of the processor (see the Makefile) without the core's own
 * choice among them; tests/levels/run.sh compares what they print. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "core/training.h"
#include "tests/support/views.h"

enum { FEATURES = 30, NEURONS = 8, OUTPUTS = 11, SAMPLES = 100 };

static void print_bits(const float *weight, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &weight[i], sizeof bits);
        printf("%08" PRIx32 "\n", bits);
    }
}

enum { AFFERENTS = FEATURES * NEURONS, MAX_LAYERS = 3, MAX_WEIGHTS = 70 * AFFERENTS };

static const struct network_params shapes[] = {
    {.tempotron = {CLOCK_GRID, AFFERENTS, OUTPUTS, 60, 15, 3.75, 1}, .read_out.v_max = {1, 1}},
    {.tempotron = {CLOCK_CONTINUOUS, AFFERENTS, OUTPUTS, 60, 15, 3.75, 1},
     .read_out.v_max = {1, 1}},
    {.tempotron = {CLOCK_GRID, AFFERENTS, 3 * OUTPUTS, 60, 15, 3.75, 1},
     .hidden_count = 2,
     .hidden = {70, 33},
     .read_out.v_max = {3, 5}},
    {.tempotron = {CLOCK_CONTINUOUS, AFFERENTS, 3 * OUTPUTS, 60, 15, 3.75, 1},
     .hidden_count = 2,
     .hidden = {70, 33},
     .read_out.v_max = {3, 5}},
    {.tempotron = {CLOCK_GRID, AFFERENTS, OUTPUTS, 60, 15, 3.75, 1},
     .hidden_count = 1,
     .hidden = {40},
     .hidden_spike = HIDDEN_PEAK,
     .read_out.v_max = {1, 1}},
};

static struct training_params params_for(const struct network_params *shape)
{
    struct training_params params = {
        .loop = {.epochs = 5,
                 .batch_size = 32,
                 .schedule = {SCHEDULE_COSINE, 0.01, 1},
                 .shuffle = true},
        .optimizer = OPTIMIZER_ADAM,
        .weight_decay = 0.1,
        .loss = {.type = LOSS_CROSS_ENTROPY, .v_threshold = 1, .beta = 5},
    };
    if (shape->hidden_count > 0) {
        params.input_dropout = 0.1;
        params.dropout = 0.2;
        params.silence_cost = 1e-4;
        params.max_grad_norm = 0.5;
        params.augmentation = (struct augmentation){.shift = 1, .height = 5, .width = FEATURES / 5};
    }
    return params;
}

static void print_layer(const struct layer *layer)
{
    static float weight[MAX_WEIGHTS];
    layer_weight(layer, weight);
    print_bits(weight, layer_neurons(layer) * layer_afferents(layer));
}

static bool train_and_print(const struct network_params *shape,
                            const struct training_params *params, const struct samples *set,
                            const struct encoding *encoding)
{
    static float weights[MAX_LAYERS][MAX_WEIGHTS];
    const float *const weight[MAX_LAYERS] = {weights[0], weights[1], weights[2]};
    struct network *network;
    for (size_t l = 0; l < network_depth(shape); l++)
        network_draw_weight(shape, l, 3, weights[l]);
    if (network_create(shape, weight, &network) != CORE_OK)
        return false;
    const bool trained = network_train(network, set, NULL, encoding, params, NULL, NULL) == CORE_OK;
    for (size_t l = 0; l < network->depth; l++)
        print_layer(&network->layers[l]);
    network_destroy(network);
    return trained;
}

/* Each output is to fire as often as its number and the sample's label say. */
static bool train_counts_and_print(const struct samples *set, const struct encoding *encoding)
{
    const struct network_params shape = {
        .tempotron = {CLOCK_CONTINUOUS, AFFERENTS, OUTPUTS, 60, 15, 3.75, 1},
        .read_out = {.kind = READ_OUT_SPIKE_COUNT, .spike_count = {.max_spikes = 32}},
    };
    const struct training_params params = {
        .loop = {.epochs = 5,
                 .batch_size = 8,
                 .schedule = {SCHEDULE_CONSTANT, 1e-3, 1},
                 .shuffle = true},
        .momentum = 0.9,
    };
    static uint32_t wanted[SAMPLES * OUTPUTS];
    for (size_t i = 0; i < SAMPLES * OUTPUTS; i++)
        wanted[i] = (uint32_t)(set->targets.label[i / OUTPUTS] + (int32_t)(i % OUTPUTS)) % 4;
    struct samples counted = *set;
    counted.targets = (struct targets){.kind = TARGETS_COUNT, .outputs = OUTPUTS, .wanted = wanted};
    return train_and_print(&shape, &params, &counted, encoding);
}

static int encode_and_print(enum latency_scale scale, const float *values, const float *x_min,
                            const float *x_max)
{
    struct encoder encoder = {.type = ENCODER_LATENCY};
    if (latency_init(&encoder.latency, FEATURES, scale, x_min, x_max, 1000) != CORE_OK)
        return EXIT_FAILURE;
    for (size_t i = 0; i < SAMPLES * FEATURES; i++)
        printf("%g\n", (double)latency_encode(&encoder.latency, i % FEATURES, values[i]));
    encoder_finish(&encoder);
    return EXIT_SUCCESS;
}

int main(void)
{
    static float values[SAMPLES * FEATURES];
    static int32_t label[SAMPLES];
    float x_min[FEATURES], x_max[FEATURES];
    struct random random;
    struct encoder encoder = {.type = ENCODER_GAUSSIAN_TUNING};
    random_init(&random, 1);
    for (size_t i = 0; i < SAMPLES * FEATURES; i++)
        values[i] = random_uniform(&random);
    for (size_t i = 0; i < SAMPLES; i++)
        label[i] = (int32_t)(random_bits(&random) % OUTPUTS);
    for (size_t i = 0; i < FEATURES; i++) {
        x_min[i] = 0;
        x_max[i] = 1;
    }
    if (gaussian_tuning_init(&encoder.gaussian_tuning, FEATURES, NEURONS, x_min, x_max, 60) !=
        CORE_OK)
        return EXIT_FAILURE;
    const struct samples set = view_values(SAMPLES_VALUES, SAMPLES, FEATURES, values, label);
    const struct encoding encoding = {.encoder = &encoder};
    bool trained = true;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const struct training_params params = params_for(&shapes[i]);
        trained &= train_and_print(&shapes[i], &params, &set, &encoding);
    }
    trained &= train_counts_and_print(&set, &encoding);
    trained &= encode_and_print(LATENCY_LINEAR, values, x_min, x_max) == EXIT_SUCCESS;
    trained &= encode_and_print(LATENCY_LOG, values, x_min, x_max) == EXIT_SUCCESS;
    encoder_finish(&encoder);
    return trained ? EXIT_SUCCESS : EXIT_FAILURE;
}
