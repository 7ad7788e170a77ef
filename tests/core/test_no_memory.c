/* Every single array that gets no memory ends a call with CORE_NO_MEMORY, and leaves nothing
 * behind, which the address sanitizer checks. */
#include <check.h>
#include <stdlib.h>

#include "core/evaluation.h"
#include "core/training.h"
#include "tests/support/count_task.h"
#include "tests/support/suite.h"
#include "tests/support/views.h"

/* The core's arrays come from here, in this program: one of them is refused. */
static struct {
    bool counts;
    size_t before; /* how many are given until then */
} refusal;

void *aligned_alloc(size_t alignment, size_t size)
{
    void *memory;
    if (refusal.counts && refusal.before-- == 0)
        return NULL;
    return posix_memalign(&memory, alignment, size) == 0 ? memory : NULL;
}

static const struct training_params training = {
    .loop = {.epochs = 1, .batch_size = 2, .schedule = {.learning_rate = 0.01}, .patience = 1},
    .optimizer = OPTIMIZER_ADAM,
    .loss = {.type = LOSS_CROSS_ENTROPY, .v_threshold = 1, .beta = 5},
};

/* Makes a network, evaluates and trains it; ends at the first call that fails. */
static enum core_status use_network(const struct network_params *params, const struct samples *set,
                                    const struct encoding *encoding)
{
    struct network *network;
    struct evaluation evaluation;
    enum core_status status = network_create(params, NULL, &network);
    if (status != CORE_OK)
        return status;
    status =
        network_evaluate(network, set, encoding, &training.loss, NULL, NULL, &evaluation, NULL);
    if (status == CORE_OK)
        status = network_train(network, set, set, encoding, &training, NULL, NULL);
    network_destroy(network);
    return status;
}

/* Images, through hidden neurons that fire at their peaks, with a background. */
enum { FEATURES = 40, IMAGES = 3, NEURONS = 4, T = 20 };

static enum core_status learn_images(void)
{
    static const uint8_t bytes[IMAGES * FEATURES] = {[3] = 9, [50] = 255, [90] = 80};
    static const int32_t label[IMAGES] = {0, 1, 0};
    static const struct network_params params = {
        .tempotron = {CLOCK_GRID, FEATURES * NEURONS, 2, T, 15, 3.75, 1},
        .hidden_count = 1,
        .hidden = {70},
        .hidden_spike = HIDDEN_PEAK,
        .read_out.v_max = {1, 1},
    };
    const struct samples set = view_bytes(IMAGES, FEATURES, bytes, label);
    float x_min[FEATURES], x_max[FEATURES];
    struct encoder encoder = {.type = ENCODER_GAUSSIAN_TUNING};
    struct encoding encoding = {0};
    for (size_t i = 0; i < FEATURES; i++) {
        x_min[i] = 0;
        x_max[i] = 255;
    }
    ck_assert_int_eq(
        gaussian_tuning_init(&encoder.gaussian_tuning, FEATURES, NEURONS, x_min, x_max, T),
        CORE_OK);
    enum core_status status = encoding_init(&encoding, &encoder, T - 1);
    if (status == CORE_OK)
        status = use_network(&params, &set, &encoding);
    encoding_finish(&encoding);
    encoder_finish(&encoder);
    return status;
}

/* Spike trains, whose outputs' spikes are counted. */
static enum core_status learn_counts(void)
{
    static struct count_task task;
    count_task_draw(&task);
    task.samples.count = 3;
    return use_network(&count_task_shape, &task.samples, NULL);
}

static enum core_status (*const uses[])(void) = {learn_images, learn_counts};

START_TEST(an_array_without_memory_is_an_error)
{
    size_t given = 0;
    for (enum core_status status = CORE_NO_MEMORY; status != CORE_OK; given++) {
        refusal.counts = true;
        refusal.before = given;
        status = uses[_i]();
        refusal.counts = false;
        if (status != CORE_OK)
            ck_assert_int_eq(status, CORE_NO_MEMORY);
    }
    ck_assert_uint_gt(given, 50);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("no_memory");
    TCase *tests = suite_case(suite, "no_memory", NULL, NULL, 30);
    tcase_add_loop_test(tests, an_array_without_memory_is_an_error, 0, ROWS(uses));
    return suite_run(suite);
}
