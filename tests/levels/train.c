/* Trains a small model on either clock and prints its weights' bits. Built once for each level of
 * the processor (see the Makefile) without the core's own choice among them; tests/levels/run.sh
 * compares what they print. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "training.h"

enum { FEATURES = 30, NEURONS = 8, OUTPUTS = 11, SAMPLES = 100 };

static int train_and_print(enum tempotron_clock clock, const struct sample_set *set)
{
    const struct tempotron_params shape = {clock, FEATURES * NEURONS, OUTPUTS, 60, 15, 3.75, 1};
    const struct training_params params = {
        .epochs = 5,
        .batch_size = 32,
        .schedule = {SCHEDULE_COSINE, 0.01, 1},
        .optimizer = OPTIMIZER_ADAM,
        .weight_decay = 0.1,
        .loss = {.type = LOSS_CROSS_ENTROPY, .v_threshold = 1, .beta = 5},
        .shuffle = true,
    };
    static float weight[OUTPUTS * FEATURES * NEURONS];
    struct tempotron *tempotron;
    tempotron_draw_weight(3, FEATURES * NEURONS, OUTPUTS, weight);
    if (tempotron_create(&shape, weight, &tempotron) != CORE_OK ||
        tempotron_train(tempotron, set, NULL, &params, NULL, NULL) != CORE_OK)
        return EXIT_FAILURE;
    tempotron_weight(tempotron, weight);
    tempotron_destroy(tempotron);
    for (size_t i = 0; i < sizeof weight / sizeof *weight; i++) {
        uint32_t bits;
        memcpy(&bits, &weight[i], sizeof bits);
        printf("%08" PRIx32 "\n", bits);
    }
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
    const struct sample_set set = {.kind = SAMPLE_VALUES,
                                   .count = SAMPLES,
                                   .features = FEATURES,
                                   .label = label,
                                   .encoder = &encoder,
                                   .values = values};
    const int grid = train_and_print(CLOCK_GRID, &set);
    const int continuous = train_and_print(CLOCK_CONTINUOUS, &set);
    encoder_finish(&encoder);
    return grid != EXIT_SUCCESS ? grid : continuous;
}
