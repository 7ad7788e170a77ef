#include "core/training.h"

#include <math.h>
#include <stdlib.h>

#include "core/evaluation.h"
#include "core/learner.h"
#include "core/random.h"

struct run {
    struct network *network;
    const struct samples *training;
    const struct training_loop *loop;
    struct stop_check stop_check; /* the observer, as learner and evaluator know it */
    struct learner *learner;
    struct evaluator *evaluator; /* of the validation set; NULL: there is none */
    struct network *best;        /* of the best epoch; NULL without patience */
    struct random random;
    uint32_t *order; /* [training->count] as this epoch takes them */
};

/* --- an epoch --- */

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

static enum core_status learn(struct run *run, struct training_epoch *epoch)
{
    const struct training_loop *loop = run->loop;
    const size_t count = run->training->count, batches = (count - 1) / loop->batch_size + 1;
    const size_t steps = batches * loop->epochs, before = batches * (epoch->epoch - 1);
    struct learner_sums sums = {0};
    enum core_status status = CORE_OK;
    if (loop->shuffle)
        random_shuffle(&run->random, run->order, count);
    for (size_t i = 0; status == CORE_OK && i < batches; i++) {
        const size_t start = i * loop->batch_size, left = count - start;
        const struct batch batch = {
            .epoch = epoch->epoch,
            .samples = run->order + start,
            .count = left < loop->batch_size ? left : loop->batch_size,
            .learning_rate = schedule_rate(&loop->schedule, epoch->epoch - 1, before + i, steps),
        };
        status = learner_batch(run->learner, run->training, &batch, &sums);
    }
    if (status != CORE_OK)
        return status;
    epoch->loss = sums.loss / (double)sums.decisions;
    epoch->accuracy = (double)sums.correct / (double)sums.decisions;
    return isfinite(epoch->loss) && all_are_finite(run->network) ? CORE_OK : CORE_DIVERGED;
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

/* --- all epochs --- */

static enum core_status run_epochs(struct run *run, const struct training_observer *observer)
{
    double best_loss = INFINITY;
    size_t best_epoch = 0;
    for (size_t number = 1; number <= run->loop->epochs; number++) {
        struct training_epoch epoch = {.epoch = number};
        enum core_status status = learn(run, &epoch);
        if (status == CORE_OK)
            status = validate(run, &epoch);
        if (status != CORE_OK)
            return status;
        epoch.is_best = run->best != NULL && epoch.validation_loss < best_loss;
        if (observer != NULL && observer->on_epoch != NULL)
            observer->on_epoch(observer->context, &epoch);
        if (epoch.is_best) {
            best_loss = epoch.validation_loss;
            best_epoch = number;
            network_copy_weights(run->network, run->best);
        } else if (run->best != NULL && number - best_epoch >= run->loop->patience) {
            break;
        }
    }
    if (best_epoch > 0)
        network_copy_weights(run->best, run->network);
    return CORE_OK;
}

static enum core_status run_init(struct run *run, const struct samples *validation,
                                 const struct encoding *encoding,
                                 const struct training_params *params,
                                 const struct thread_team *team)
{
    const size_t batch_size = run->loop->batch_size, count = run->training->count;
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
    if (status == CORE_OK && validation != NULL && run->loop->patience > 0)
        status = network_copy(run->network, &run->best);
    run->order = malloc(count * sizeof *run->order);
    if (run->order == NULL)
        return CORE_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        run->order[i] = (uint32_t)i;
    random_init(&run->random, run->loop->seed);
    return status;
}

static void run_finish(struct run *run)
{
    learner_destroy(run->learner);
    evaluator_destroy(run->evaluator);
    network_destroy(run->best);
    free(run->order);
}

enum core_status network_train(struct network *network, const struct samples *training,
                               const struct samples *validation, const struct encoding *encoding,
                               const struct training_params *params,
                               const struct training_observer *observer,
                               const struct thread_team *team)
{
    struct run run = {.network = network, .training = training, .loop = &params->loop};
    if (observer != NULL)
        run.stop_check = (struct stop_check){.context = observer->context,
                                             .stop_requested = observer->stop_requested};
    enum core_status status = run_init(&run, validation, encoding, params, team);
    if (status == CORE_OK)
        status = run_epochs(&run, observer);
    run_finish(&run);
    return status;
}
