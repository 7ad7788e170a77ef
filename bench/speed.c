/* The time that one sample of MNIST's shape takes (784 features of 16 neurons, T = 100, 10 outputs,
 * batches of 64), against the floor that no implementation can pass: a loop that does nothing but
 * load the weight rows of the same spikes. Then how the time grows with each size, doubled four
 * times, and with the threads. One core unless it says otherwise. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench/support/images.h"
#include "core/activity.h"
#include "core/membranes.h"
#include "core/random.h"
#include "core/simd.h"
#include "core/training.h"
#include "core/v_max_reading.h"
#include "server/base/team_threads.h"
#include "tests/support/run_pattern.h"
#include "tests/support/single_layer.h"
#include "tests/support/views.h"

enum { SAMPLES = 1024, ROUNDS = 7 };

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

/* --- one problem --- */

struct problem {
    size_t features;
    size_t neurons;
    size_t outputs;
    size_t T;
    struct images images;
    struct image_encoder encoder;
    struct samples bytes;
    struct samples floats;
    float *values;
    struct network *network;
    struct pattern *patterns; /* [SAMPLES] encoded beforehand */
    double spikes;            /* mean */
    struct pattern pattern;   /* scratch */
    struct timeline timeline;
    struct membranes membranes;
    struct activity activity;
    struct arena arena;
};

static void problem_init(struct problem *problem, size_t features, size_t neurons, size_t outputs,
                         size_t T, enum tempotron_clock clock)
{
    const struct tempotron_params shape = {clock, features * neurons, outputs, T, 100, 25, 1};
    float *weight = malloc(shape.in_features * outputs * sizeof *weight);
    *problem =
        (struct problem){.features = features, .neurons = neurons, .outputs = outputs, .T = T};
    images_make_up(SAMPLES, features, outputs, &problem->images);
    image_encoder_init(&problem->encoder, features, neurons, (uint32_t)T, tempotron_last(&shape));
    problem->bytes = images_view(&problem->images, 0, SAMPLES);
    problem->values = malloc(SAMPLES * features * sizeof *problem->values);
    problem->patterns = calloc(SAMPLES, sizeof *problem->patterns);
    if (weight == NULL || problem->values == NULL || problem->patterns == NULL)
        abort();
    for (size_t i = 0; i < SAMPLES * features; i++)
        problem->values[i] = (float)problem->images.bytes[i];
    problem->floats = view_values(SAMPLES_VALUES, SAMPLES, features, problem->values, NULL);
    tempotron_draw_weight(0, shape.in_features, outputs, weight);
    problem->network = single_layer(&shape, weight);
    free(weight);
    const size_t capacity = samples_capacity(&problem->bytes, &problem->encoder.encoding);
    pattern_init(&problem->pattern, capacity, tempotron_last(&shape), &problem->arena);
    timeline_init(&problem->timeline, clock, capacity, &problem->arena);
    membranes_init(&problem->membranes, network_widest_block(problem->network), &problem->arena);
    activity_init(&problem->activity, problem->network, capacity, &problem->arena);
    must(arena_status(&problem->arena));
    for (size_t i = 0; i < SAMPLES; i++) {
        struct pattern *pattern = &problem->patterns[i];
        samples_pattern(&problem->bytes, &problem->encoder.encoding, i, &problem->pattern);
        pattern_init(pattern, problem->pattern.count, tempotron_last(&shape), &problem->arena);
        must(arena_status(&problem->arena));
        for (size_t s = 0; s < problem->pattern.count; s++)
            pattern_add(pattern, problem->pattern.afferent[s], problem->pattern.time[s]);
        problem->spikes += (double)pattern->count / SAMPLES;
    }
}

static void problem_finish(struct problem *problem)
{
    free(problem->patterns);
    free(problem->values);
    arena_finish(&problem->arena);
    network_destroy(problem->network);
    image_encoder_finish(&problem->encoder);
    images_finish(&problem->images);
}

/* --- what is measured: each goes through all samples once --- */

/* `vectors` is a constant where the function is inlined for few outputs, as in the core. */
INLINED void load_rows(const lanes *restrict weight, const struct pattern *pattern, size_t vectors,
                       lanes *restrict sums)
{
    for (size_t s = 0; s < pattern->count; s++) {
        const lanes *row = weight + pattern->afferent[s] * vectors;
        for (size_t l = 0; l < vectors; l++)
            sums[l] += row[l];
    }
}

VECTORIZED static void load_sample(const struct tempotron *block, const struct pattern *pattern,
                                   lanes *sums)
{
    const lanes *weight = (const lanes *)block->weight;
    const size_t vectors = block->stride / LANES;
    if (vectors == 2) {
        lanes two[2] = {sums[0], sums[1]};
        load_rows(weight, pattern, 2, two);
        sums[0] = two[0];
        sums[1] = two[1];
        return;
    }
    load_rows(weight, pattern, vectors, sums);
}

static void floor_pass(struct problem *problem)
{
    static lanes sums[BLOCK_NEURONS / LANES];
    const struct layer *layer = &problem->network->layers[0];
    for (size_t b = 0; b < layer->block_count; b++)
        for (size_t i = 0; i < SAMPLES; i++)
            load_sample(layer->blocks[b], &problem->patterns[i], sums);
}

static void encode_bytes_pass(struct problem *problem)
{
    for (size_t i = 0; i < SAMPLES; i++)
        samples_pattern(&problem->bytes, &problem->encoder.encoding, i, &problem->pattern);
}

static void encode_floats_pass(struct problem *problem)
{
    for (size_t i = 0; i < SAMPLES; i++)
        samples_pattern(&problem->floats, &problem->encoder.encoding, i, &problem->pattern);
}

static void forward_pass(struct problem *problem)
{
    const struct layer *layer = &problem->network->layers[0];
    struct timeline *timeline = &problem->timeline;
    for (size_t i = 0; i < SAMPLES; i++) {
        timeline_read(timeline, layer->blocks[0], &problem->patterns[i]);
        for (size_t b = 0; b < layer->block_count; b++)
            membranes_run(layer->blocks[b], &problem->patterns[i], timeline, &problem->membranes,
                          NULL);
    }
}

static void predict_pass(struct problem *problem)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        samples_pattern(&problem->bytes, &problem->encoder.encoding, i,
                        activity_input(&problem->activity));
        activity_forward(problem->network, &problem->membranes, &problem->activity);
        v_max_reading_voltages(problem->network, &problem->membranes, &problem->activity, NULL);
        v_max_read_out_decide(problem->activity.score, problem->outputs);
    }
}

static const struct training_params training = {
    .loop = {.epochs = 2, .batch_size = 64, .schedule = {.learning_rate = 1e-4}, .shuffle = true},
    .optimizer = OPTIMIZER_ADAM,
    .loss = {.type = LOSS_CROSS_ENTROPY, .v_threshold = 1, .beta = 5},
};

static void train(struct problem *problem, const struct thread_team *team)
{
    must(network_train(problem->network, &problem->bytes, NULL, &problem->encoder.encoding,
                       &training, NULL, team));
}

static void train_pass(struct problem *problem)
{
    train(problem, NULL);
}

/* The least of several rounds, in microseconds a sample; an epoch a round of training. */
static double time_of(void (*pass)(struct problem *), struct problem *problem, size_t passes)
{
    double fastest = INFINITY;
    for (int round = 0; round < ROUNDS; round++) {
        const double begin = seconds();
        pass(problem);
        fastest = fmin(fastest, seconds() - begin);
    }
    return fastest / (double)(SAMPLES * passes) * 1e6;
}

/* --- the tables --- */

static void print_row(const char *name, double time, double floor)
{
    printf("%-38s %8.2f %8.2f\n", name, time, time / floor);
    fflush(stdout);
}

static void against_the_floor(void)
{
    struct problem problem;
    problem_init(&problem, 784, 16, 10, 100, CLOCK_GRID);
    printf("MNIST's shape, %.0f spikes a sample     us    / floor\n", problem.spikes);
    const double floor = time_of(floor_pass, &problem, 1);
    print_row("floor: load the rows of weights", floor, floor);
    print_row("encode, bytes", time_of(encode_bytes_pass, &problem, 1), floor);
    print_row("encode, floats", time_of(encode_floats_pass, &problem, 1), floor);
    print_row("forward", time_of(forward_pass, &problem, 1), floor);
    print_row("predict: encode, forward, decide", time_of(predict_pass, &problem, 1), floor);
    print_row("train: encode, forward, update", time_of(train_pass, &problem, training.loop.epochs),
              floor);
    problem_finish(&problem);
    problem_init(&problem, 784, 16, 10, 100, CLOCK_CONTINUOUS);
    print_row("forward, continuous clock", time_of(forward_pass, &problem, 1), floor);
    problem_finish(&problem);
}

/* A window whose only spike is at `time`: what a membrane keeps of it long after costs no more than
 * what it does not have yet. */
static double time_of_window(size_t T, float time)
{
    struct arena arena = {0};
    const struct tempotron_params shape = {CLOCK_GRID, 1, 10, T, 15, 3.75, 1};
    const float weight[10] = {1, -1, 0.5f, 2, 1e-3f, -3, 1, 1, 1, 1};
    double best = INFINITY;
    struct pattern pattern;
    struct membranes membranes;
    struct tempotron *tempotron = tempotron_create(&shape, weight, &arena);
    pattern_init(&pattern, 1, tempotron_last(&shape), &arena);
    membranes_init(&membranes, tempotron, &arena);
    must(arena_status(&arena));
    pattern_clear(&pattern);
    pattern_add(&pattern, 0, time);
    for (int round = 0; round < ROUNDS; round++) {
        const double begin = seconds();
        run_pattern(tempotron, &pattern, &membranes, NULL);
        best = fmin(best, seconds() - begin);
    }
    arena_finish(&arena);
    return best * 1e6;
}

static void early_and_late(void)
{
    enum { WINDOW = 100000 };
    const double late = time_of_window(WINDOW, WINDOW - 10), early = time_of_window(WINDOW, 10);
    printf("\nforward, T = 100000, one spike: early %.0f us, late %.0f us, ratio %.2f\n", early,
           late, early / late);
}

struct growth {
    size_t features, neurons, outputs, T;
};

/* The exponent e of time ~ size^e, from the first to the last. */
static void grow(const char *of, const struct growth *start, size_t which)
{
    double first = 0, last = 0, first_train = 0, last_train = 0;
    printf("%-9s forward", of);
    double train_times[5];
    for (int step = 0; step < 5; step++) {
        struct problem problem;
        size_t size[] = {start->features, start->outputs, start->T};
        size[which] <<= step;
        problem_init(&problem, size[0], start->neurons, size[1], size[2], CLOCK_GRID);
        last = time_of(forward_pass, &problem, 1);
        last_train = train_times[step] = time_of(train_pass, &problem, training.loop.epochs);
        first = step == 0 ? last : first;
        first_train = step == 0 ? last_train : first_train;
        printf(" %8.2f", last);
        fflush(stdout);
        problem_finish(&problem);
    }
    printf("   ^%.2f\n          train  ", log2(last / first) / 4);
    for (int step = 0; step < 5; step++)
        printf(" %8.2f", train_times[step]);
    printf("   ^%.2f\n", log2(last_train / first_train) / 4);
}

static double peak_mib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

/* The first of all: a peak can't be taken back. */
static void memory_of_a_run(void)
{
    struct problem problem;
    problem_init(&problem, 784, 16, 10, 100, CLOCK_GRID);
    const double before = peak_mib();
    train(&problem, NULL);
    printf("memory of a run beside its data and model: %.1f MiB\n\n", peak_mib() - before);
    problem_finish(&problem);
}

static void with_threads(void)
{
    struct problem problem;
    double alone = 0;
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    problem_init(&problem, 784, 16, 10, 100, CLOCK_GRID);
    printf("threads   train  ");
    for (unsigned threads = 1; threads <= 16; threads *= 2) {
        struct thread_team *team = team_threads_create(threads);
        double fastest = INFINITY;
        for (int round = 0; round < ROUNDS; round++) {
            const double begin = seconds();
            train(&problem, team);
            fastest = fmin(fastest, seconds() - begin);
        }
        fastest = fastest / (double)(SAMPLES * training.loop.epochs) * 1e6;
        alone = threads == 1 ? fastest : alone;
        printf(" %8.2f", fastest);
        team_threads_destroy(team);
    }
    printf("   us, 1 2 4 8 16 of them on %ld cores\n", cores);
    problem_finish(&problem);
}

/* With the argument `mnist` the first table alone. */
int main(int argc, char **argv)
{
    const struct growth start = {.features = 98, .neurons = 16, .outputs = 8, .T = 50};
    if (argc > 1 && strcmp(argv[1], "mnist") == 0) {
        against_the_floor();
        early_and_late();
        return EXIT_SUCCESS;
    }
    memory_of_a_run();
    against_the_floor();
    early_and_late();
    puts("\nus a sample, each size doubled four times, and the exponent of the growth");
    grow("spikes", &start, 0); /* 98 features and up */
    grow("outputs", &start, 1);
    grow("T", &start, 2);
    with_threads();
    return EXIT_SUCCESS;
}
