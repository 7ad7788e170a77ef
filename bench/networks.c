/* How well networks classify images from a latency code, and how long they take to get there on one
 * core: with hidden layers, and with several neurons a class in one. Each row is a training on all
 * training samples with settings that were chosen on the last sixth of them alone:
 *
 *     bench/networks                     the table; MNIST and FASHION_MNIST name directories of the
 *                                        data
 *     bench/networks TASK [SEED]         one row, with another seed
 *     bench/networks TASK SEED validate  trains without the last sixth and tells the accuracy on it
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/support/images.h"
#include "core/evaluation.h"
#include "core/network.h"
#include "core/training.h"

enum { CLASSES = 10, SIDE = 28 };

struct task {
    const char *name;
    const char *directory; /* the environment variable that names it */
    size_t hidden[HIDDEN_LAYERS];
    size_t neurons_per_class;
    uint32_t max_spike_time;
    size_t T;
    double tau; /* tau_s is a quarter of it */
    struct training_params params;
};

#define CROSS_ENTROPY(beta_)                                                                       \
    {                                                                                              \
        .type = LOSS_CROSS_ENTROPY, .v_threshold = 1, .beta = (beta_)                              \
    }

static const struct task tasks[] = {
    {"mnist-512",
     "MNIST",
     {512},
     1,
     16,
     32,
     150,
     {.loop = {.epochs = 20,
               .batch_size = 64,
               .schedule = {SCHEDULE_COSINE, 1.5e-3, 1},
               .shuffle = true},
      .optimizer = OPTIMIZER_ADAM,
      .loss = CROSS_ENTROPY(4),
      .dropout = 0.2,
      .silence_cost = 1e-4,
      .slope_floor = 4,
      .augmentation = {1, SIDE, SIDE}}},
    {"mnist-512-short",
     "MNIST",
     {512},
     1,
     16,
     32,
     150,
     {.loop = {.epochs = 12,
               .batch_size = 64,
               .schedule = {SCHEDULE_COSINE, 2.5e-3, 1},
               .shuffle = true},
      .optimizer = OPTIMIZER_ADAM,
      .loss = CROSS_ENTROPY(4),
      .dropout = 0.1,
      .silence_cost = 1e-4,
      .slope_floor = 4,
      .augmentation = {1, SIDE, SIDE}}},
    {"mnist-800-400",
     "MNIST",
     {800, 400},
     1,
     16,
     32,
     150,
     {.loop = {.epochs = 40,
               .batch_size = 64,
               .schedule = {SCHEDULE_COSINE, 1.5e-3, 1},
               .shuffle = true},
      .optimizer = OPTIMIZER_ADAM,
      .loss = CROSS_ENTROPY(4),
      .dropout = 0.25,
      .silence_cost = 1e-4,
      .slope_floor = 4,
      .augmentation = {1, SIDE, SIDE}}},
    {"fashion-512",
     "FASHION_MNIST",
     {512},
     1,
     16,
     32,
     150,
     {.loop =
          {.epochs = 40, .batch_size = 64, .schedule = {SCHEDULE_COSINE, 1e-3, 1}, .shuffle = true},
      .optimizer = OPTIMIZER_ADAM,
      .loss = CROSS_ENTROPY(4),
      .dropout = 0.3,
      .silence_cost = 1e-4,
      .slope_floor = 4}},
    {"mnist-grouped",
     "MNIST",
     {0},
     16,
     50,
     50,
     100,
     {.loop =
          {.epochs = 15, .batch_size = 64, .schedule = {SCHEDULE_COSINE, 2e-3, 1}, .shuffle = true},
      .optimizer = OPTIMIZER_ADAM,
      .weight_decay = 0.3,
      .loss = CROSS_ENTROPY(5),
      .input_dropout = 0.15}},
};
enum { TASKS = sizeof tasks / sizeof *tasks };

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void must(enum core_status status)
{
    if (status != CORE_OK)
        abort();
}

static struct network_params params_of(const struct task *task, size_t features)
{
    struct network_params params = {
        .tempotron = {.clock = CLOCK_GRID,
                      .in_features = features,
                      .out_features = CLASSES * task->neurons_per_class,
                      .T = task->T,
                      .tau = task->tau,
                      .tau_s = task->tau / 4,
                      .v_threshold = 1},
        .read_out.v_max = {.neurons_per_class = task->neurons_per_class, .beta = 5},
    };
    while (params.hidden_count < HIDDEN_LAYERS && task->hidden[params.hidden_count] > 0) {
        params.hidden[params.hidden_count] = task->hidden[params.hidden_count];
        params.hidden_count++;
    }
    return params;
}

static struct network *draw_network(const struct network_params *params, uint32_t seed)
{
    float *weights[NETWORK_LAYERS];
    const float *borrowed[NETWORK_LAYERS];
    struct network *network;
    for (size_t l = 0; l < network_depth(params); l++) {
        weights[l] =
            malloc(network_neurons(params, l) * network_afferents(params, l) * sizeof *weights[l]);
        if (weights[l] == NULL)
            abort();
        network_draw_weight(params, l, seed, weights[l]);
        borrowed[l] = weights[l];
    }
    must(network_create(params, borrowed, &network));
    for (size_t l = 0; l < network_depth(params); l++)
        free(weights[l]);
    return network;
}

static void keep_accuracy(void *context, const struct training_epoch *epoch)
{
    *(double *)context = epoch->accuracy;
}

static void run(const struct task *task, uint32_t seed, const struct encoding *encoding,
                const struct samples *training, const struct samples *test)
{
    const struct network_params shape = params_of(task, training->features);
    struct training_params params = task->params;
    struct evaluation evaluation;
    double accuracy = 0;
    const struct training_observer observer = {.context = &accuracy, .on_epoch = keep_accuracy};
    struct network *network = draw_network(&shape, seed);
    params.loop.seed = seed;
    const double begin = seconds();
    must(network_train(network, training, NULL, encoding, &params, &observer, NULL));
    const double taken = seconds() - begin;
    must(network_evaluate(network, test, encoding, &params.loss, NULL, NULL, &evaluation, NULL));
    printf("%-14s %6zu %8.2f %8.1f %10.2f %10.2f\n", task->name, params.loop.epochs,
           taken / (double)params.loop.epochs, taken, 100 * accuracy, 100 * evaluation.accuracy);
    fflush(stdout);
    network_destroy(network);
}

static void run_task(const struct task *task, uint32_t seed, bool validates)
{
    struct images images, test_images;
    struct image_encoder encoder;
    const char *directory = getenv(task->directory);
    if (!images_read(directory, "train", &images) ||
        !images_read(directory, "t10k", &test_images)) {
        printf("%-14s no data: set %s to its directory\n", task->name, task->directory);
        return;
    }
    image_latency_init(&encoder, images.pixels, task->max_spike_time, (float)(task->T - 1));
    const size_t kept = validates ? images.count - images.count / 6 : images.count;
    const struct samples training = images_view(&images, 0, kept);
    const struct samples test = validates ? images_view(&images, kept, images.count - kept)
                                          : images_view(&test_images, 0, test_images.count);
    run(task, seed, &encoder.encoding, &training, &test);
    image_encoder_finish(&encoder);
    images_finish(&images);
    images_finish(&test_images);
}

int main(int argc, char **argv)
{
    const uint32_t seed = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
    printf("task           epochs  s/epoch  seconds  training %%  %s %%\n",
           argc > 3 ? "validation" : "      test");
    for (size_t i = 0; i < TASKS; i++)
        if (argc < 2 || strcmp(argv[1], tasks[i].name) == 0)
            run_task(&tasks[i], seed, argc > 3);
    return EXIT_SUCCESS;
}
