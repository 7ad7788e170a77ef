/* How many random patterns tempotrons can learn, by the founding paper's protocol (Gütig &
 * Sompolinsky 2006): 500 afferents that fire once each, at a random time of 500 ms; each pattern's
 * class is drawn at random; tau = 15 ms, tau_s = 3.75 ms, the continuous clock, the paper's rule
 * with momentum, one pattern at a time; solved is an epoch without an error. alpha is patterns an
 * afferent; 3 is the theory's limit.
 *
 *     bench/capacity [ALPHA [SEED [LEARNING_RATE [MOMENTUM [DECAY]]]]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/random.h"
#include "core/training.h"
#include "tests/support/single_layer.h"
#include "tests/support/views.h"

enum { AFFERENTS = 500, WINDOW = 500, OUTPUTS = 1, MAX_EPOCHS = 20000 };

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct search {
    size_t epochs;
    bool solved;
};

static void look(void *context, const struct training_epoch *epoch)
{
    struct search *search = context;
    search->epochs = epoch->epoch;
    search->solved = epoch->loss == 0;
}

static bool is_solved(void *context)
{
    return ((const struct search *)context)->solved;
}

static void learn(double alpha, uint32_t seed, const struct schedule *schedule, double momentum)
{
    const size_t count = (size_t)(alpha * AFFERENTS);
    const struct tempotron_params shape = {
        CLOCK_CONTINUOUS, AFFERENTS, OUTPUTS, WINDOW, 15, 3.75, 1};
    const struct training_params params = {
        .loop = {.epochs = MAX_EPOCHS,
                 .batch_size = 1,
                 .schedule = *schedule,
                 .shuffle = true,
                 .seed = seed},
        .momentum = momentum,
        .loss = {.type = LOSS_TEMPOTRON, .v_threshold = 1},
    };
    struct random random;
    struct search search = {0};
    const struct training_observer observer = {
        .context = &search, .on_epoch = look, .stop_requested = is_solved};
    float *times = malloc(count * AFFERENTS * sizeof *times);
    int32_t *label = malloc(count * sizeof *label);
    float weight[OUTPUTS * AFFERENTS];
    if (times == NULL || label == NULL)
        abort();
    random_init(&random, seed);
    for (size_t i = 0; i < count * AFFERENTS; i++)
        times[i] = random_uniform(&random) * WINDOW;
    for (size_t i = 0; i < count; i++)
        label[i] = random_bits(&random) % 2 == 0 ? 0 : -1; /* fire, or not */
    tempotron_draw_weight(seed, AFFERENTS, OUTPUTS, weight);
    const struct samples set = view_values(SAMPLES_SPIKE_TIMES, count, AFFERENTS, times, label);
    struct network *network = single_layer(&shape, weight);
    const double begin = seconds();
    network_train(network, &set, NULL, NULL, &params, &observer, NULL);
    const double taken = seconds() - begin;
    printf("%5.2f %8zu   %-8s %6zu %8.1f %10.2f\n", alpha, count, search.solved ? "yes" : "no",
           search.epochs, taken, taken / (double)(search.epochs * count) * 1e6);
    fflush(stdout);
    network_destroy(network);
    free(label);
    free(times);
}

int main(int argc, char **argv)
{
    const double alphas[] = {1, 2, 2.5};
    const uint32_t seed = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;
    const struct schedule schedule = {
        .type = SCHEDULE_EXPONENTIAL,
        .learning_rate = argc > 3 ? strtod(argv[3], NULL) : 1e-2,
        .decay = argc > 5 ? strtod(argv[5], NULL) : 0.9997,
    };
    const double momentum = argc > 4 ? strtod(argv[4], NULL) : 0.9;
    puts("alpha patterns   solved   epochs  seconds us/pattern");
    if (argc > 1) {
        learn(strtod(argv[1], NULL), seed, &schedule, momentum);
        return EXIT_SUCCESS;
    }
    for (size_t i = 0; i < sizeof alphas / sizeof *alphas; i++)
        learn(alphas[i], seed, &schedule, momentum);
    return EXIT_SUCCESS;
}
