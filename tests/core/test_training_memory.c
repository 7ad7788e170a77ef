/* What a training is estimated to take, beside what its arrays really take. */
#include <check.h>
#include <stdlib.h>

#include "core/random.h"
#include "core/training.h"
#include "core/training_memory.h"
#include "tests/support/suite.h"
#include "tests/support/views.h"

/* The core's arrays come from here, in this program: their bytes are summed. */
static struct {
    bool counts;
    size_t bytes;
} taken;

void *aligned_alloc(size_t alignment, size_t size)
{
    void *memory;
    if (taken.counts)
        taken.bytes += size;
    return posix_memalign(&memory, alignment, size) == 0 ? memory : NULL;
}

enum { SAMPLES = 40, MAX_AFFERENTS = 20000 };

#define V_MAX                                                                                      \
    {                                                                                              \
        .kind = READ_OUT_V_MAX, .v_max = {.neurons_per_class = 1, .beta = 1 }                      \
    }
#define COUNTS                                                                                     \
    {                                                                                              \
        .kind = READ_OUT_SPIKE_COUNT, .spike_count = {.max_spikes = 50 }                           \
    }

/* Each is large in another way. */
static const struct {
    struct network_params network;
    size_t batch_size;
} shapes[] = {
    {{{CLOCK_GRID, MAX_AFFERENTS, 4, 50, 15, 3.75, 1}, .read_out = V_MAX}, 32},
    {{{CLOCK_GRID, 3, 4000, 20, 15, 3.75, 1}, .read_out = V_MAX}, SAMPLES},
    {{{CLOCK_GRID, 5, 2, 50000, 15, 3.75, 1}, .read_out = V_MAX}, 8},
    {{{CLOCK_CONTINUOUS, 2000, 70, 100, 15, 3.75, 1}, .read_out = V_MAX}, 8},
    {{{CLOCK_CONTINUOUS, 3000, 9, 100, 15, 3.75, 1}, .read_out = COUNTS}, 8},
    {{{CLOCK_GRID, 200, 10, 100, 15, 3.75, 1}, 2, {300, 2000}, HIDDEN_CROSSING, V_MAX}, 16},
    {{{CLOCK_GRID, 200, 10, 3000, 15, 3.75, 1}, 1, {100}, HIDDEN_PEAK, V_MAX}, 16},
};

static const struct samples_arrays {
    float *times;
    int32_t *label;
    uint32_t *wanted;
} no_arrays;

/* Samples of which each afferent may spike. */
static struct samples draw_samples(const struct network_params *params,
                                   struct samples_arrays *arrays)
{
    const size_t n = params->tempotron.in_features, outputs = params->tempotron.out_features;
    struct random random;
    random_init(&random, 3);
    arrays->times = malloc(SAMPLES * n * sizeof *arrays->times);
    arrays->label = calloc(SAMPLES, sizeof *arrays->label);
    arrays->wanted = calloc(SAMPLES * outputs, sizeof *arrays->wanted);
    for (size_t i = 0; i < SAMPLES * n; i++)
        arrays->times[i] = random_uniform(&random) * 19;
    struct samples samples =
        view_values(SAMPLES_SPIKE_TIMES, SAMPLES, n, arrays->times, arrays->label);
    if (read_out_targets(&params->read_out) == TARGETS_COUNT)
        samples.targets =
            (struct targets){.kind = TARGETS_COUNT, .outputs = outputs, .wanted = arrays->wanted};
    return samples;
}

START_TEST(a_training_takes_about_what_was_estimated)
{
    const struct network_params *params = &shapes[_i].network;
    const struct training_params how = {
        .loop = {.epochs = 1, .batch_size = shapes[_i].batch_size, .patience = 1},
        .optimizer = OPTIMIZER_ADAM,
        .loss = {.type = LOSS_CROSS_ENTROPY, .v_threshold = 1, .beta = 5},
    };
    const struct training_size size = {.capacity = params->tempotron.in_features,
                                       .samples = SAMPLES,
                                       .validation = SAMPLES,
                                       .batch_size = shapes[_i].batch_size,
                                       .threads = 1};
    struct samples_arrays arrays = no_arrays;
    struct network *network;
    const struct samples samples = draw_samples(params, &arrays);
    taken.counts = true;
    ck_assert_int_eq(network_create(params, NULL, &network), CORE_OK);
    ck_assert_int_eq(network_train(network, &samples, &samples, NULL, &how, NULL, NULL), CORE_OK);
    taken.counts = false;
    const double ratio = (double)training_memory(params, &size) / (double)taken.bytes;
    ck_assert_msg(ratio > 0.85 && ratio < 2.5, "shape %d: %g times %zu bytes", _i, ratio,
                  taken.bytes);
    network_destroy(network);
    free(arrays.times);
    free(arrays.label);
    free(arrays.wanted);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("training_memory");
    TCase *tests = suite_case(suite, "training_memory", NULL, NULL, 20);
    tcase_add_loop_test(tests, a_training_takes_about_what_was_estimated, 0, ROWS(shapes));
    return suite_run(suite);
}
