/* spike_trial.h - a random layer that fires many times, a sample of spike trains for it, and what
 * runs them. */
#ifndef TESTS_SUPPORT_SPIKE_TRIAL_H
#define TESTS_SUPPORT_SPIKE_TRIAL_H

#include "core/critical_threshold.h"
#include "core/multi_spike.h"
#include "core/random.h"
#include "core/tempotron.h"
#include "core/timeline.h"
#include "tests/support/dense.h"

enum { TRIAL_AFFERENTS = 12, TRIAL_OUTPUTS = 3, TRIAL_SPIKES_MAX = 4, TRIAL_TRAIN_MAX = 200 };

/* A model with random weights, and a sample of spike trains. */
struct spike_trial {
    struct tempotron_params params;
    float weight[TRIAL_OUTPUTS * TRIAL_AFFERENTS];
    uint32_t spikes[TRIAL_AFFERENTS];
    float times[TRIAL_AFFERENTS * TRIAL_SPIKES_MAX];
    size_t first[2];
    double spike_time[TRIAL_AFFERENTS * TRIAL_SPIKES_MAX]; /* of each spike, for the reference */
    double spike_weight[TRIAL_OUTPUTS][TRIAL_AFFERENTS * TRIAL_SPIKES_MAX];
};

/* Sets a weight of the model and of the reference. */
void spike_trial_set_weight(struct spike_trial *trial, size_t output, size_t afferent,
                            float weight);

/* Draws 0 to 4 spikes for each afferent, some too late, some at the same time, and weights that are
 * more often positive than not, and large enough for several spikes. */
void spike_trial_draw(struct spike_trial *trial, struct random *random);

/* What the core needs to run a trial. */
struct trial_scratch {
    struct tempotron *tempotron;
    struct pattern pattern;
    struct timeline timeline;
    struct multi_spike multi_spike;
    struct spike_train train;
    struct critical_search search;
    struct arena arena;
};

/* Reads the sample; and then one output, whose spikes are counted next. */
void trial_scratch_init(struct trial_scratch *scratch, const struct spike_trial *trial);
void trial_scratch_take(struct trial_scratch *scratch, size_t output);
void trial_scratch_finish(struct trial_scratch *scratch);

/* The same model and sample for the dense reference. */
struct dense_kernel spike_trial_kernel(const struct spike_trial *trial);
struct dense_spikes spike_trial_spikes(const struct spike_trial *trial, size_t output);

#endif
