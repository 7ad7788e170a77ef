#include "tests/support/few_samples.h"

#include <check.h>

#include "tests/support/single_layer.h"
#include "tests/support/views.h"

const float few_spikes[] = {0, 3, 5, 1, 8, -1, 2, 2, 7};

const int32_t few_labels[] = {0, 1, 0};

const struct tempotron_params few_shape = {CLOCK_GRID, 3, 2, 30, 15, 3.75, 1};

const struct training_params few_params = {
    .loop = {.epochs = 1, .batch_size = 2, .schedule = {.learning_rate = 0.1}},
    .loss = {.type = LOSS_CROSS_ENTROPY, .v_threshold = 1, .beta = 5},
};

struct network *few_drawn(void)
{
    float weight[6];
    tempotron_draw_weight(5, 3, 2, weight);
    return single_layer(&few_shape, weight);
}

void few_train(struct network *network, size_t from, size_t count,
               const struct training_params *params)
{
    const struct samples set =
        view_values(SAMPLES_SPIKE_TIMES, count, 3, few_spikes + 3 * from, few_labels + from);
    ck_assert_int_eq(network_train(network, &set, NULL, NULL, params, NULL, NULL), CORE_OK);
}
