/* The time that one sample takes in a network with a hidden layer, and the memory, as the layer
 * grows: 784 pixels in a latency code, T = 32, 10 outputs, batches of 64, one core. Beside them the
 * floor that no implementation can pass: a loop that does nothing but load the rows of weights that
 * the same spikes reach in the hidden layer, sample by sample. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "bench/support/images.h"
#include "core/activity.h"
#include "core/simd.h"
#include "core/training.h"
#include "core/v_max_reading.h"

enum { SAMPLES = 2048, ROUNDS = 5, PIXELS = 784, CLASSES = 10, T = 32, MAX_SPIKE_TIME = 16 };

struct problem {
    struct arena arena;
    struct images images;
    struct image_encoder encoder;
    struct samples set;
    struct network *network;
    struct activity activity;
    struct membranes membranes;
    struct pattern *patterns; /* [SAMPLES] */
};

static void must(enum core_status status)
{
    if (status != CORE_OK)
        abort();
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct network *draw_network(size_t hidden)
{
    const struct network_params params = {
        .tempotron = {CLOCK_GRID, PIXELS, CLASSES, T, 150, 37.5, 1},
        .hidden_count = 1,
        .hidden = {hidden},
        .read_out.v_max = {1, 1},
    };
    float *weight[2];
    struct network *network;
    for (size_t l = 0; l < 2; l++) {
        const size_t count = network_neurons(&params, l) * network_afferents(&params, l);
        weight[l] = malloc(count * sizeof(float));
        if (weight[l] == NULL)
            abort();
        network_draw_weight(&params, l, 0, weight[l]);
    }
    must(network_create(&params, (const float *const[]){weight[0], weight[1]}, &network));
    free(weight[0]);
    free(weight[1]);
    return network;
}

static void problem_init(struct problem *problem, size_t hidden)
{
    images_make_up(SAMPLES, PIXELS, CLASSES, &problem->images);
    image_latency_init(&problem->encoder, PIXELS, MAX_SPIKE_TIME, T - 1);
    problem->set = images_view(&problem->images, 0, SAMPLES);
    problem->network = draw_network(hidden);
    const size_t capacity = samples_capacity(&problem->set, &problem->encoder.encoding);
    activity_init(&problem->activity, problem->network, capacity, &problem->arena);
    membranes_init(&problem->membranes, network_widest_block(problem->network), &problem->arena);
    problem->patterns = calloc(SAMPLES, sizeof *problem->patterns);
    if (problem->patterns == NULL)
        abort();
    for (size_t i = 0; i < SAMPLES; i++)
        pattern_init(&problem->patterns[i], capacity, T - 1, &problem->arena);
    must(arena_status(&problem->arena));
    for (size_t i = 0; i < SAMPLES; i++)
        samples_pattern(&problem->set, &problem->encoder.encoding, i, &problem->patterns[i]);
}

static void problem_finish(struct problem *problem)
{
    free(problem->patterns);
    arena_finish(&problem->arena);
    network_destroy(problem->network);
    image_encoder_finish(&problem->encoder);
    images_finish(&problem->images);
}

/* --- what is measured --- */

VECTORIZED static void load_rows(const struct tempotron *block, const struct pattern *pattern,
                                 lanes *restrict sums)
{
    const size_t vectors = block->stride / LANES;
    for (size_t s = 0; s < pattern->count; s++)
        for (size_t l = 0; l < vectors; l++)
            sums[l] += ((const lanes *)block->weight)[pattern->afferent[s] * vectors + l];
}

static void floor_pass(struct problem *problem)
{
    static lanes sums[BLOCK_NEURONS / LANES];
    const struct layer *layer = &problem->network->layers[0];
    for (size_t i = 0; i < SAMPLES; i++)
        for (size_t b = 0; b < layer->block_count; b++)
            load_rows(layer->blocks[b], &problem->patterns[i], sums);
}

static void predict_pass(struct problem *problem)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        samples_pattern(&problem->set, &problem->encoder.encoding, i,
                        activity_input(&problem->activity));
        activity_forward(problem->network, &problem->membranes, &problem->activity);
        v_max_reading_voltages(problem->network, &problem->membranes, &problem->activity, NULL);
    }
}

static void train_pass(struct problem *problem)
{
    const struct training_params params = {
        .loop = {.epochs = 1, .batch_size = 64, .schedule = {.learning_rate = 1e-4}},
        .optimizer = OPTIMIZER_ADAM,
        .loss = {.type = LOSS_CROSS_ENTROPY, .v_threshold = 1, .beta = 4},
        .dropout = 0.2,
        .silence_cost = 1e-4,
        .slope_floor = 4,
    };
    must(network_train(problem->network, &problem->set, NULL, &problem->encoder.encoding, &params,
                       NULL, NULL));
}

/* The best of some rounds, in microseconds a sample. */
static double time_of(void (*pass)(struct problem *problem), struct problem *problem)
{
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        const double begin = seconds();
        pass(problem);
        const double taken = seconds() - begin;
        best = taken < best ? taken : best;
    }
    return 1e6 * best / SAMPLES;
}

static double memory(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

int main(void)
{
    puts("hidden   floor us   predict us  / floor   train us   MiB of the program so far");
    for (size_t hidden = 64; hidden <= 2048; hidden *= 2) {
        struct problem problem;
        problem_init(&problem, hidden);
        const double floor = time_of(floor_pass, &problem);
        const double predict = time_of(predict_pass, &problem);
        const double train = time_of(train_pass, &problem);
        printf("%6zu %10.2f %12.2f %8.2f %10.2f %10.1f\n", hidden, floor, predict, predict / floor,
               train, memory());
        fflush(stdout);
        problem_finish(&problem);
    }
    return EXIT_SUCCESS;
}
