#include "tests/support/spike_trial.h"

#include <check.h>
#include <math.h>

#include "core/samples.h"
#include "tests/support/views.h"

void spike_trial_set_weight(struct spike_trial *trial, size_t output, size_t afferent, float weight)
{
    size_t from = 0;
    for (size_t i = 0; i < afferent; i++)
        from += trial->spikes[i];
    trial->weight[output * TRIAL_AFFERENTS + afferent] = weight;
    for (size_t s = from; s < from + trial->spikes[afferent]; s++)
        trial->spike_weight[output][s] = (double)weight;
}

void spike_trial_draw(struct spike_trial *trial, struct random *random)
{
    const double tau = 4 + 20 * (double)random_uniform(random);
    const double ratio = 0.1 + 0.8 * (double)random_uniform(random);
    const bool swaps = random_bits(random) % 8 == 0; /* the synapse may be the slower one */
    *trial = (struct spike_trial){
        .params = {.clock = CLOCK_CONTINUOUS,
                   .in_features = TRIAL_AFFERENTS,
                   .out_features = TRIAL_OUTPUTS,
                   .T = 20 + random_bits(random) % 60,
                   .tau = swaps ? tau * ratio : tau,
                   .tau_s = swaps ? tau : tau * ratio,
                   .v_threshold = 1.5},
    };
    for (size_t i = 0; i < TRIAL_AFFERENTS; i++) {
        trial->spikes[i] = random_bits(random) % (TRIAL_SPIKES_MAX + 1);
        for (uint32_t k = 0; k < trial->spikes[i]; k++) {
            const float time = random_uniform(random) * (float)(trial->params.T + 5);
            const float kept = random_bits(random) % 8 == 0 ? floorf(time) : time;
            trial->spike_time[trial->first[1]] = (double)kept;
            trial->times[trial->first[1]++] = kept;
        }
    }
    for (size_t j = 0; j < TRIAL_OUTPUTS; j++)
        for (size_t i = 0; i < TRIAL_AFFERENTS; i++)
            spike_trial_set_weight(trial, j, i, 1.6f * random_uniform(random) - 0.5f);
}

void trial_scratch_init(struct trial_scratch *scratch, const struct spike_trial *trial)
{
    const size_t capacity = TRIAL_AFFERENTS * TRIAL_SPIKES_MAX;
    const struct samples set =
        view_trains(1, TRIAL_AFFERENTS, trial->spikes, trial->times, trial->first);
    scratch->arena = (struct arena){0};
    scratch->tempotron = tempotron_create(&trial->params, trial->weight, &scratch->arena);
    pattern_init(&scratch->pattern, capacity, tempotron_last(&trial->params), &scratch->arena);
    timeline_init(&scratch->timeline, CLOCK_CONTINUOUS, capacity, &scratch->arena);
    multi_spike_init(&scratch->multi_spike, capacity, &scratch->arena);
    spike_train_init(&scratch->train, TRIAL_TRAIN_MAX, &scratch->arena);
    critical_search_init(&scratch->search, TRIAL_TRAIN_MAX, &scratch->arena);
    samples_pattern(&set, NULL, 0, &scratch->pattern);
    timeline_read(&scratch->timeline, scratch->tempotron, &scratch->pattern);
    multi_spike_take_pattern(&scratch->multi_spike, scratch->tempotron, &scratch->pattern,
                             &scratch->timeline);
}

void trial_scratch_take(struct trial_scratch *scratch, size_t output)
{
    multi_spike_take_output(&scratch->multi_spike, scratch->tempotron, &scratch->pattern, output);
}

void trial_scratch_finish(struct trial_scratch *scratch)
{
    arena_finish(&scratch->arena);
}

struct dense_kernel spike_trial_kernel(const struct spike_trial *trial)
{
    return (struct dense_kernel){.tau = trial->params.tau,
                                 .tau_s = trial->params.tau_s,
                                 .v_threshold = trial->params.v_threshold};
}

struct dense_spikes spike_trial_spikes(const struct spike_trial *trial, size_t output)
{
    return (struct dense_spikes){
        .count = trial->first[1], .weight = trial->spike_weight[output], .time = trial->spike_time};
}
