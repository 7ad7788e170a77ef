#include "core/training.h"

#include <math.h>

#include "core/evaluation.h"
#include "core/learner.h"

struct run {
    struct network *network;
    struct stop_check stop_check; /* the observer, as learner and evaluator know it */
    struct learner *learner;
    struct evaluator *evaluator; /* of the validation set; NULL: there is none */
    struct network *best;        /* of the best epoch; NULL without patience */
    const struct samples *training;
    struct learner_sums sums; /* of this epoch */
};

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

static enum core_status learn(void *context, const struct batch *batch)
{
    struct run *run = context;
    return learner_batch(run->learner, run->training, batch, &run->sums);
}

static enum core_status validate(const struct run *run, struct training_epoch *epoch)
{
    struct evaluation evaluation;
    if (run->evaluator == NULL)
        return CORE_OK;
    const enum core_status status = evaluator_run(run->evaluator, &evaluation, NULL);
    if (status != CORE_OK)
        return status;
    epoch->has_validation = true;
    epoch->validation_loss = evaluation.loss;
    epoch->validation_accuracy = evaluation.accuracy;
    return isfinite(evaluation.loss) ? CORE_OK : CORE_DIVERGED;
}

static enum core_status report(void *context, struct training_epoch *epoch)
{
    struct run *run = context;
    epoch->loss = run->sums.loss / (double)run->sums.decisions;
    epoch->accuracy = (double)run->sums.correct / (double)run->sums.decisions;
    run->sums = (struct learner_sums){0};
    if (!isfinite(epoch->loss) || !all_are_finite(run->network))
        return CORE_DIVERGED;
    return validate(run, epoch);
}

static void save_best(void *context)
{
    const struct run *run = context;
    network_copy_weights(run->network, run->best);
}

static void restore_best(void *context)
{
    const struct run *run = context;
    network_copy_weights(run->best, run->network);
}

static enum core_status run_init(struct run *run, const struct samples *validation,
                                 const struct encoding *encoding,
                                 const struct training_params *params,
                                 const struct thread_team *team)
{
    const size_t batch_size = params->loop.batch_size, count = run->training->count;
    const struct learner_options options = {
        .params = params,
        .encoding = encoding,
        .capacity = samples_capacity(run->training, encoding),
        .batch_size = batch_size < count ? batch_size : count,
        .team = team,
        .stop_check = &run->stop_check,
    };
    enum core_status status = learner_create(run->network, &options, &run->learner);
    if (status == CORE_OK && validation != NULL)
        status = evaluator_create(run->network, validation, encoding, &params->loss, team,
                                  &run->stop_check, &run->evaluator);
    if (status == CORE_OK && validation != NULL && params->loop.patience > 0)
        status = network_copy(run->network, &run->best);
    return status;
}

static void run_finish(struct run *run)
{
    learner_destroy(run->learner);
    evaluator_destroy(run->evaluator);
    network_destroy(run->best);
}

enum core_status network_train(struct network *network, const struct samples *training,
                               const struct samples *validation, const struct encoding *encoding,
                               const struct training_params *params,
                               const struct training_observer *observer,
                               const struct thread_team *team)
{
    struct run run = {.network = network, .training = training};
    struct training_callbacks callbacks = {.context = &run, .learn = learn, .report = report};
    if (observer != NULL)
        run.stop_check = (struct stop_check){.context = observer->context,
                                             .stop_requested = observer->stop_requested};
    enum core_status status = run_init(&run, validation, encoding, params, team);
    if (run.best != NULL) {
        callbacks.save_best = save_best;
        callbacks.restore_best = restore_best;
    }
    if (status == CORE_OK)
        status = training_loop_run(&params->loop, training->count, &callbacks, observer);
    run_finish(&run);
    return status;
}
