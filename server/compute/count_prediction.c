/* count_prediction.c - outputs of samples are shared out to hands, each of which has its own
 * scratch memory; one takes a sample's spikes anew where its part begins, or where the sample does.
 */
#include "server/compute/count_prediction.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/critical_threshold.h"
#include "core/multi_spike.h"

enum { PARTS_A_HAND = 4 };

/* --- memory --- */

size_t count_prediction_size(const struct model *model, const struct count_prediction *wanted)
{
    const struct tempotron_params *params = &model->config.network.tempotron;
    return params->out_features *
           (1 + wanted->k_max + (wanted->wants_times ? model->config.max_spikes : 0) +
            (wanted->wants_v ? params->T : 0));
}

static bool init(const struct model *model, size_t samples, struct count_prediction *prediction)
{
    const struct tempotron_params *params = &model->config.network.tempotron;
    const size_t trains = samples * params->out_features;
    prediction->samples = samples;
    prediction->outputs = params->out_features;
    prediction->max_spikes = model->config.max_spikes;
    prediction->T = params->T;
    prediction->count = malloc(trains * sizeof *prediction->count);
    if (prediction->wants_times)
        prediction->times = malloc(trains * prediction->max_spikes * sizeof *prediction->times);
    if (prediction->k_max > 0)
        prediction->theta = malloc(trains * prediction->k_max * sizeof *prediction->theta);
    if (prediction->wants_v)
        prediction->v = malloc(trains * prediction->T * sizeof *prediction->v);
    return prediction->count != NULL && (prediction->times != NULL || !prediction->wants_times) &&
           (prediction->theta != NULL || prediction->k_max == 0) &&
           (prediction->v != NULL || !prediction->wants_v);
}

void count_prediction_finish(struct count_prediction *prediction)
{
    free(prediction->count);
    free(prediction->times);
    free(prediction->theta);
    free(prediction->v);
}

/* What one hand works with. */
struct bench {
    struct pattern pattern;
    struct multi_spike multi_spike;
    struct spike_train train;
    struct critical_search search;
};

static enum core_status bench_init(struct bench *bench, const struct tempotron *counter,
                                   size_t capacity, const struct count_prediction *prediction)
{
    enum core_status status =
        pattern_init(&bench->pattern, capacity, multi_spike_last(&counter->params));
    if (status == CORE_OK)
        status = multi_spike_init(&bench->multi_spike, capacity);
    if (status == CORE_OK)
        status = spike_train_init(&bench->train, prediction->max_spikes);
    if (status == CORE_OK && prediction->k_max > 0)
        status = critical_search_init(&bench->search, prediction->k_max);
    return status;
}

static void bench_finish(struct bench *bench)
{
    pattern_finish(&bench->pattern);
    multi_spike_finish(&bench->multi_spike);
    spike_train_finish(&bench->train);
    critical_search_finish(&bench->search);
}

/* --- computing --- */

static void find_thresholds(struct bench *bench, double v_threshold, size_t k_max, double *theta)
{
    for (size_t k = 1; k <= k_max; k++) {
        struct critical_threshold critical;
        const bool is_there =
            critical_threshold_find(&bench->multi_spike, k, v_threshold, &bench->search, &critical);
        theta[k - 1] = is_there ? critical.theta : (double)NAN;
    }
}

/* An output of a sample, by its number among all of them. */
static void predict_train(const struct tempotron *counter, size_t number, struct bench *bench,
                          struct count_prediction *prediction)
{
    const double v_threshold = counter->params.v_threshold;
    multi_spike_take_output(&bench->multi_spike, counter, &bench->pattern,
                            number % prediction->outputs);
    multi_spike_fire(&bench->multi_spike, v_threshold, &bench->train);
    prediction->count[number] = (int32_t)bench->train.count;
    if (prediction->times != NULL)
        memcpy(prediction->times + number * prediction->max_spikes, bench->train.time,
               bench->train.count * sizeof *prediction->times);
    if (prediction->v != NULL)
        multi_spike_sample(&bench->multi_spike, v_threshold, &bench->train, prediction->T,
                           prediction->v + number * prediction->T);
    if (prediction->theta != NULL)
        find_thresholds(bench, v_threshold, prediction->k_max,
                        prediction->theta + number * prediction->k_max);
}

struct predicting {
    const struct tempotron *counter;
    const struct model *model;
    const struct samples *samples;
    struct count_prediction *prediction;
    size_t parts;
    atomic_bool failed; /* no memory */
};

static void predict_part(void *work, size_t part)
{
    struct predicting *predicting = work;
    const struct tempotron *counter = predicting->counter;
    const size_t outputs = predicting->prediction->outputs;
    const size_t trains = predicting->samples->count * outputs;
    const size_t begin = trains * part / predicting->parts;
    const size_t end = trains * (part + 1) / predicting->parts;
    const struct encoding *encoding = &predicting->model->encoding;
    const size_t capacity = samples_capacity(predicting->samples, encoding);
    struct bench bench = {0};
    if (bench_init(&bench, counter, capacity, predicting->prediction) != CORE_OK)
        atomic_store(&predicting->failed, true);
    for (size_t i = begin; i < end && !atomic_load(&predicting->failed); i++) {
        if (i == begin || i % outputs == 0) {
            samples_pattern(predicting->samples, encoding, i / outputs, &bench.pattern);
            multi_spike_take_pattern(&bench.multi_spike, counter, &bench.pattern);
        }
        predict_train(counter, i, &bench, predicting->prediction);
    }
    bench_finish(&bench);
}

enum core_status count_predict(const struct model *model, const struct samples *samples,
                               const struct thread_team *team, struct count_prediction *prediction)
{
    if (!init(model, samples->count, prediction))
        return CORE_NO_MEMORY;
    const size_t trains = samples->count * prediction->outputs;
    const size_t parts = team != NULL ? PARTS_A_HAND * thread_team_size(team) : 1;
    struct predicting predicting = {.counter = model->counter,
                                    .model = model,
                                    .samples = samples,
                                    .prediction = prediction,
                                    .parts = parts < trains ? parts : trains};
    thread_team_run(team, predict_part, &predicting, predicting.parts);
    return atomic_load(&predicting.failed) ? CORE_NO_MEMORY : CORE_OK;
}
