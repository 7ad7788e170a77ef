#include "training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluation.h"
#include "forward.h"
#include "gradient.h"
#include "random.h"

/* All that a run needs, allocated once. */
struct run {
    struct tempotron *tempotron;
    const struct sample_set *training;
    const struct training_params *params;
    const struct training_observer *observer;
    size_t weights; /* in_features * stride */
    struct pattern pattern;
    struct membranes membranes;
    struct gradient gradient;
    struct optimizer optimizer;
    struct random random;
    uint32_t *order;    /* [count] the samples, as this epoch takes them */
    float *dv;          /* [stride]; the padding stays 0 */
    float *best_weight; /* [weights] of the best epoch; NULL without patience */
};

static void run_finish(struct run *run)
{
    pattern_finish(&run->pattern);
    membranes_finish(&run->membranes);
    gradient_finish(&run->gradient);
    optimizer_finish(&run->optimizer);
    free(run->order);
    free(run->dv);
    free(run->best_weight);
}

static enum core_status run_init(struct run *run)
{
    const struct tempotron *tempotron = run->tempotron;
    const struct training_params *params = run->params;
    run->weights = tempotron->params.in_features * tempotron->stride;
    run->order = calloc(run->training->count, sizeof *run->order);
    run->dv = calloc(tempotron->stride, sizeof *run->dv);
    if (params->patience > 0)
        run->best_weight = calloc(run->weights, sizeof *run->best_weight);
    if (run->order == NULL || run->dv == NULL || (params->patience > 0 && run->best_weight == NULL))
        return CORE_NO_MEMORY;
    for (size_t i = 0; i < run->training->count; i++)
        run->order[i] = (uint32_t)i;
    random_init(&run->random, params->seed);

    enum core_status status =
        pattern_init(&run->pattern, tempotron->params.in_features, tempotron->params.T);
    if (status == CORE_OK)
        status = membranes_init(&run->membranes, tempotron);
    if (status == CORE_OK)
        status = gradient_init(&run->gradient, tempotron);
    if (status == CORE_OK)
        status = optimizer_init(&run->optimizer, params->optimizer, params->momentum, run->weights);
    return status;
}

/* An output that never rose above rest has its maximum at step 0, where no spike can have had an
 * effect: it would never learn. Gütig & Sompolinsky let it learn from the time at which the last
 * spike's potential peaks. */
static void revive_silent_outputs(struct run *run, int32_t label)
{
    const struct pattern *pattern = &run->pattern;
    size_t last = pattern->steps;
    while (last > 0 && pattern->first[last - 1] == pattern->first[pattern->steps])
        last--;
    if (last == 0 || run->membranes.t_max[label] > 0)
        return;
    const double peak = (double)(last - 1) + ceil(run->tempotron->psp.t_peak);
    run->membranes.t_max[label] = (int32_t)fmin(peak, (double)(pattern->steps - 1));
}

static double learn_sample(struct run *run, uint32_t sample, size_t batch, size_t *correct)
{
    const size_t classes = run->tempotron->params.out_features;
    const int32_t label = run->training->label[sample];
    sample_set_pattern(run->training, sample, &run->pattern);
    forward(run->tempotron, &run->pattern, &run->membranes, NULL);
    if (run->pattern.count > 0)
        *correct += forward_decide(run->membranes.v_max, classes) == (size_t)label;
    const double loss =
        loss_of_sample(&run->params->loss, run->membranes.v_max, label, classes, run->dv);
    if (run->params->loss.type == LOSS_TEMPOTRON)
        revive_silent_outputs(run, label);
    for (size_t j = 0; j < classes; j++)
        run->dv[j] /= (float)batch;
    gradient_add(&run->gradient, run->tempotron, &run->pattern, run->dv, run->membranes.t_max);
    return loss;
}

static bool is_zero(const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (values[i] != 0)
            return false;
    return true;
}

static bool goes_on(const struct run *run)
{
    const struct training_observer *observer = run->observer;
    return observer == NULL || observer->goes_on == NULL || observer->goes_on(observer->context);
}

/* Adds to the sum of the samples' losses. False: the observer ends it. */
static bool learn_batch(struct run *run, const uint32_t *samples, size_t count, double rate,
                        double *loss, size_t *correct)
{
    gradient_clear(&run->gradient);
    for (size_t i = 0; i < count; i++) {
        if (!goes_on(run))
            return false;
        *loss += learn_sample(run, samples[i], count, correct);
    }
    /* Gütig's rule, momentum included, learns on error trials only. */
    if (run->params->loss.type != LOSS_TEMPOTRON || !is_zero(run->gradient.weight, run->weights))
        optimizer_step(&run->optimizer, run->gradient.weight, rate, run->tempotron->weight);
    return true;
}

static bool is_finite(const struct run *run, double loss)
{
    if (!isfinite(loss))
        return false;
    for (size_t i = 0; i < run->weights; i++)
        if (!isfinite(run->tempotron->weight[i]))
            return false;
    return true;
}

static enum core_status learn_epoch(struct run *run, double rate, struct training_epoch *epoch)
{
    const size_t count = run->training->count;
    double loss = 0;
    size_t correct = 0;
    if (run->params->shuffle)
        random_shuffle(&run->random, run->order, count);
    for (size_t start = 0; start < count; start += run->params->batch_size) {
        const size_t rest = count - start;
        const size_t batch = rest < run->params->batch_size ? rest : run->params->batch_size;
        if (!learn_batch(run, run->order + start, batch, rate, &loss, &correct))
            return CORE_STOPPED;
    }
    epoch->loss = loss / (double)count;
    epoch->accuracy = (double)correct / (double)count;
    return is_finite(run, epoch->loss) ? CORE_OK : CORE_DIVERGED;
}

static enum core_status validate(const struct run *run, const struct sample_set *validation,
                                 struct training_epoch *epoch)
{
    struct evaluation evaluation;
    const enum core_status status =
        evaluate(run->tempotron, validation, &run->params->loss, &evaluation, NULL);
    if (status == CORE_OK) {
        epoch->has_validation = true;
        epoch->validation_loss = evaluation.loss;
        epoch->validation_accuracy = evaluation.accuracy;
    }
    return status;
}

static enum core_status learn(struct run *run, const struct sample_set *validation)
{
    const struct training_params *params = run->params;
    const size_t bytes = run->weights * sizeof(float);
    const bool keeps_best = params->patience > 0 && validation != NULL;
    double rate = params->learning_rate, best_loss = INFINITY;
    size_t best_epoch = 0;
    for (size_t number = 1; number <= params->epochs;
         number++, rate *= params->learning_rate_decay) {
        struct training_epoch epoch = {.epoch = number};
        enum core_status status = learn_epoch(run, rate, &epoch);
        if (status == CORE_OK && validation != NULL)
            status = validate(run, validation, &epoch);
        if (status != CORE_OK)
            return status;
        if (run->observer != NULL && run->observer->on_epoch != NULL)
            run->observer->on_epoch(run->observer->context, &epoch);
        if (!keeps_best)
            continue;
        if (epoch.validation_loss < best_loss) {
            best_loss = epoch.validation_loss;
            best_epoch = number;
            memcpy(run->best_weight, run->tempotron->weight, bytes);
        } else if (number - best_epoch >= params->patience) {
            break;
        }
    }
    if (best_epoch > 0)
        memcpy(run->tempotron->weight, run->best_weight, bytes);
    return CORE_OK;
}

enum core_status train(struct tempotron *tempotron, const struct sample_set *training,
                       const struct sample_set *validation, const struct training_params *params,
                       const struct training_observer *observer)
{
    struct run run = {
        .tempotron = tempotron,
        .training = training,
        .params = params,
        .observer = observer,
    };
    enum core_status status = run_init(&run);
    if (status == CORE_OK)
        status = learn(&run, validation);
    run_finish(&run);
    return status;
}
