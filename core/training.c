#include "training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluation.h"
#include "learner.h"
#include "random.h"

struct run {
    struct network *network;
    const struct sample_set *training;
    const struct training_params *params;
    const struct training_observer *observer;
    struct watch watch; /* the observer, as learner and evaluator know it */
    struct learner *learner;
    struct evaluator *evaluator; /* of the validation set; NULL: there is none */
    struct network *best;        /* of the best epoch; NULL without patience */
    struct random random;
    uint32_t *order; /* [count] the samples, as this epoch takes them */
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool is_finite(const struct tempotron *block)
{
    for (size_t i = 0; i < block->params.in_features * block->stride; i++)
        if (!isfinite(block->weight[i]))
            return false;
    return true;
}

static bool all_are_finite(const struct network *network)
{
    for (size_t l = 0; l < network->depth; l++)
        for (size_t b = 0; b < network->layers[l].block_count; b++)
            if (!is_finite(network->layers[l].blocks[b]))
                return false;
    return true;
}

static enum core_status learn_epoch(struct run *run, struct training_epoch *epoch)
{
    const struct training_params *params = run->params;
    const size_t count = run->training->count;
    const size_t batches = (count - 1) / params->batch_size + 1;
    const size_t steps = batches * params->epochs, before = batches * (epoch->epoch - 1);
    struct batch_sums sums = {0};
    enum core_status status = CORE_OK;
    if (params->shuffle)
        random_shuffle(&run->random, run->order, count);
    for (size_t i = 0; status == CORE_OK && i < batches; i++) {
        const size_t start = i * params->batch_size;
        const struct batch batch = {
            .epoch = epoch->epoch,
            .samples = run->order + start,
            .count = least(params->batch_size, count - start),
            .learning_rate = schedule_rate(&params->schedule, epoch->epoch - 1, before + i, steps),
        };
        status = learner_batch(run->learner, &batch, &sums);
    }
    if (status != CORE_OK)
        return status;
    epoch->loss = sums.loss / (double)count;
    epoch->accuracy = (double)sums.correct / (double)count;
    return isfinite(epoch->loss) && all_are_finite(run->network) ? CORE_OK : CORE_DIVERGED;
}

static enum core_status validate(const struct run *run, struct training_epoch *epoch)
{
    struct evaluation evaluation;
    enum core_status status = evaluator_run(run->evaluator, &evaluation, NULL);
    if (status == CORE_OK && !isfinite(evaluation.loss))
        status = CORE_DIVERGED;
    if (status == CORE_OK) {
        epoch->has_validation = true;
        epoch->validation_loss = evaluation.loss;
        epoch->validation_accuracy = evaluation.accuracy;
    }
    return status;
}

static void copy_weights(const struct network *from, struct network *to)
{
    for (size_t l = 0; l < from->depth; l++) {
        for (size_t b = 0; b < from->layers[l].block_count; b++) {
            const struct tempotron *block = from->layers[l].blocks[b];
            memcpy(to->layers[l].blocks[b]->weight, block->weight,
                   block->params.in_features * block->stride * sizeof *block->weight);
        }
    }
}

static enum core_status learn(struct run *run)
{
    const struct training_params *params = run->params;
    const bool keeps_best = run->best != NULL;
    double best_loss = INFINITY;
    size_t best_epoch = 0;
    for (size_t number = 1; number <= params->epochs; number++) {
        struct training_epoch epoch = {.epoch = number};
        enum core_status status = learn_epoch(run, &epoch);
        if (status == CORE_OK && run->evaluator != NULL)
            status = validate(run, &epoch);
        if (status != CORE_OK)
            return status;
        if (run->observer != NULL && run->observer->on_epoch != NULL)
            run->observer->on_epoch(run->observer->context, &epoch);
        if (!keeps_best)
            continue;
        if (epoch.validation_loss < best_loss) {
            best_loss = epoch.validation_loss;
            best_epoch = number;
            copy_weights(run->network, run->best);
        } else if (number - best_epoch >= params->patience) {
            break;
        }
    }
    if (best_epoch > 0)
        copy_weights(run->best, run->network);
    return CORE_OK;
}

static enum core_status run_init(struct run *run, const struct sample_set *validation,
                                 const struct crew *crew)
{
    const struct training_params *params = run->params;
    enum core_status status =
        learner_create(run->network, run->training, params, crew, &run->watch, &run->learner);
    if (status == CORE_OK && validation != NULL)
        status = evaluator_create(run->network, validation, &params->loss, crew, &run->watch,
                                  &run->evaluator);
    if (status == CORE_OK && validation != NULL && params->patience > 0)
        status = network_copy(run->network, &run->best);
    run->order = calloc(run->training->count, sizeof *run->order);
    if (status == CORE_OK && run->order == NULL)
        status = CORE_NO_MEMORY;
    for (size_t i = 0; status == CORE_OK && i < run->training->count; i++)
        run->order[i] = (uint32_t)i;
    random_init(&run->random, params->seed);
    return status;
}

static void run_finish(struct run *run)
{
    learner_destroy(run->learner);
    evaluator_destroy(run->evaluator);
    network_destroy(run->best);
    free(run->order);
}

enum core_status network_train(struct network *network, const struct sample_set *training,
                               const struct sample_set *validation,
                               const struct training_params *params,
                               const struct training_observer *observer, const struct crew *crew)
{
    struct run run = {
        .network = network,
        .training = training,
        .params = params,
        .observer = observer,
    };
    if (observer != NULL)
        run.watch = (struct watch){.context = observer->context, .goes_on = observer->goes_on};
    enum core_status status = run_init(&run, validation, crew);
    if (status == CORE_OK)
        status = learn(&run);
    run_finish(&run);
    return status;
}
