/* How well one layer classifies, and how long it takes to get there on one core. Each row is a
 * training on all training samples with settings that were chosen on the last sixth of them alone:
 *
 *     bench/accuracy              the table; MNIST and FASHION_MNIST name directories of the data
 *     bench/accuracy TASK SEED    one row, with another seed
 *     bench/accuracy TASK SEED LEARNING_RATE WEIGHT_DECAY TAU EPOCHS
 *                                 trains without the last sixth and tells the accuracy on that
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/support/images.h"
#include "core/evaluation.h"
#include "core/random.h"
#include "core/training.h"
#include "tests/support/iris.h"
#include "tests/support/single_layer.h"

enum { OUTPUTS = 10, T = 100, NEURONS = 16 };

struct task {
    const char *name;
    const char *directory; /* the environment variable that names it */
    double tau;            /* tau_s is a quarter of it */
    struct training_params params;
};

static struct task tasks[] = {
    {"mnist",
     "MNIST",
     100,
     {.loop =
          {.epochs = 12, .batch_size = 64, .schedule = {SCHEDULE_COSINE, 2e-4, 1}, .shuffle = true},
      .optimizer = OPTIMIZER_ADAM,
      .weight_decay = 3,
      .loss = {.type = LOSS_MARGIN, .v_threshold = 1, .target = 1.5f, .other = 0.5f}}},
    {"fashion",
     "FASHION_MNIST",
     100,
     {.loop =
          {.epochs = 10, .batch_size = 64, .schedule = {SCHEDULE_COSINE, 1e-4, 1}, .shuffle = true},
      .optimizer = OPTIMIZER_ADAM,
      .weight_decay = 3,
      .loss = {.type = LOSS_MARGIN, .v_threshold = 1, .target = 1.5f, .other = 0.5f}}},
    /* SpikingJelly's own example: mse, adam, 1e-3, 100 epochs, tau 15 */
    {"spikingjelly",
     "MNIST",
     15,
     {.loop =
          {.epochs = 100, .batch_size = 64, .schedule = {.learning_rate = 1e-3}, .shuffle = true},
      .optimizer = OPTIMIZER_ADAM,
      .loss = {.type = LOSS_MSE, .v_threshold = 1}}},
};
enum { TASKS = sizeof tasks / sizeof *tasks };

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct result {
    double seconds;
    double training;
    double test;
};

static void keep_accuracy(void *context, const struct training_epoch *epoch)
{
    ((struct result *)context)->training = epoch->accuracy;
}

static struct result run(const struct task *task, const struct encoding *encoding,
                         const struct samples *training, const struct samples *test, size_t classes)
{
    const struct tempotron_params shape = {
        .clock = CLOCK_GRID,
        .in_features = training->features * NEURONS,
        .out_features = classes,
        .T = T,
        .tau = task->tau,
        .tau_s = task->tau / 4,
        .v_threshold = 1,
    };
    struct result result = {0};
    struct evaluation evaluation = {0};
    const struct training_observer observer = {.context = &result, .on_epoch = keep_accuracy};
    float *weight = malloc(shape.in_features * classes * sizeof *weight);
    if (weight == NULL)
        abort();
    tempotron_draw_weight(task->params.loop.seed, shape.in_features, classes, weight);
    struct network *network = single_layer(&shape, weight);
    const double begin = seconds();
    if (network_train(network, training, NULL, encoding, &task->params, &observer, NULL) != CORE_OK)
        abort();
    result.seconds = seconds() - begin;
    if (network_evaluate(network, test, encoding, &task->params.loss, NULL, NULL, &evaluation,
                         NULL) != CORE_OK)
        abort();
    result.test = evaluation.accuracy;
    network_destroy(network);
    free(weight);
    return result;
}

static void print_result(const struct task *task, const char *on, const struct result *result)
{
    printf("%-14s %6zu %8.4f %8.2f %10.2f %s %.2f\n", task->name, task->params.loop.epochs,
           result->seconds / (double)task->params.loop.epochs, result->seconds,
           100 * result->training, on, 100 * result->test);
    fflush(stdout);
}

static void run_task(const struct task *task, bool validates)
{
    struct images images, test_images;
    struct image_encoder encoder;
    const char *directory = getenv(task->directory);
    if (!images_read(directory, "train", &images)) {
        printf("%-14s no data: set %s to its directory\n", task->name, task->directory);
        return;
    }
    image_encoder_init(&encoder, images.pixels, NEURONS, T, T - 1);
    const size_t kept = validates ? images.count - images.count / 6 : images.count;
    const struct samples training = images_view(&images, 0, kept);
    if (validates) {
        const struct samples rest = images_view(&images, kept, images.count - kept);
        const struct result result = run(task, &encoder.encoding, &training, &rest, OUTPUTS);
        print_result(task, "validation", &result);
    } else if (images_read(directory, "t10k", &test_images)) {
        const struct samples test = images_view(&test_images, 0, test_images.count);
        const struct result result = run(task, &encoder.encoding, &training, &test, OUTPUTS);
        print_result(task, "test", &result);
        images_finish(&test_images);
    }
    image_encoder_finish(&encoder);
    images_finish(&images);
}

/* Ten times five folds, each time shuffled anew: mean of the tests' accuracies. */
static void run_iris(void)
{
    enum { REPEATS = 10, FOLDS = 5 };
    struct iris iris;
    struct task task = {
        .name = "iris 10 x 5",
        .tau = 15,
        .params = {.loop = {.epochs = 40,
                            .batch_size = 16,
                            .schedule = {.learning_rate = 0.01},
                            .shuffle = true},
                   .optimizer = OPTIMIZER_ADAM,
                   .loss = {.type = LOSS_CROSS_ENTROPY, .v_threshold = 1, .beta = 5}},
    };
    struct result mean = {0};
    iris_load(&iris);
    for (uint32_t repeat = 0; repeat < REPEATS; repeat++) {
        for (size_t fold = 0; fold < FOLDS; fold++) {
            struct samples training, test;
            iris_fold(&iris, repeat, fold, &training, &test);
            task.params.loop.seed = repeat;
            const struct result result = run(&task, &iris.encoding, &training, &test, IRIS_CLASSES);
            mean.seconds += result.seconds / (REPEATS * FOLDS);
            mean.training += result.training / (REPEATS * FOLDS);
            mean.test += result.test / (REPEATS * FOLDS);
        }
    }
    print_result(&task, "test", &mean);
    iris_finish(&iris);
}

int main(int argc, char **argv)
{
    puts("task           epochs  s/epoch  seconds  training %");
    for (size_t i = 0; i < TASKS; i++) {
        struct task *task = &tasks[i];
        if (argc > 1 && strcmp(argv[1], task->name) != 0)
            continue;
        if (argc > 2)
            task->params.loop.seed = (uint32_t)strtoul(argv[2], NULL, 10);
        if (argc > 6) {
            task->params.loop.schedule.learning_rate = strtod(argv[3], NULL);
            task->params.weight_decay = strtod(argv[4], NULL);
            task->tau = strtod(argv[5], NULL);
            task->params.loop.epochs = strtoul(argv[6], NULL, 10);
        }
        run_task(task, argc > 6);
    }
    if (argc < 2 || strcmp(argv[1], "iris") == 0)
        run_iris();
    return EXIT_SUCCESS;
}
