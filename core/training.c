#include "core/training.h"

#include <math.h>
#include <stdlib.h>

#include "core/evaluation.h"
#include "core/learner.h"
#include "core/random.h"
#include "core/training_state.h"

struct run {
    const struct samples *training;
    const struct training_loop *loop;
    const struct training_observer *observer;
    struct stop_check stop_check; /* the observer, as learner and evaluator know it */
    struct evaluator *evaluator;  /* of the validation set; NULL: there is none */
    struct training_state state;
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

static size_t batches_of(const struct run *run)
{
    return (run->training->count - 1) / run->loop->batch_size + 1;
}

/* Takes the next batch. Until its end, the state is that before it. */
static enum core_status learn_batch(struct run *run)
{
    const struct training_loop *loop = run->loop;
    struct training_state *state = &run->state;
    const size_t batches = batches_of(run), before = batches * (state->epoch - 1);
    const size_t start = state->batch * loop->batch_size, left = run->training->count - start;
    const struct batch batch = {
        .epoch = state->epoch,
        .samples = state->order + start,
        .count = left < loop->batch_size ? left : loop->batch_size,
        .learning_rate = schedule_rate(&loop->schedule, state->epoch - 1, before + state->batch,
                                       batches * loop->epochs),
    };
    struct learner_sums sums = state->sums;
    const enum core_status status = learner_batch(state->learner, run->training, &batch, &sums);
    if (status != CORE_OK)
        return status;
    state->sums = sums;
    state->batch++;
    return CORE_OK;
}

static enum core_status learn(struct run *run, struct training_epoch *epoch)
{
    const struct training_observer *observer = run->observer;
    struct training_state *state = &run->state;
    enum core_status status = CORE_OK;
    if (run->loop->shuffle && !state->is_drawn)
        random_shuffle(&state->random, state->order, state->count, NULL);
    state->is_drawn = true;
    while (status == CORE_OK && state->batch < batches_of(run)) {
        if (observer->on_batch != NULL)
            observer->on_batch(observer->context, state);
        status = learn_batch(run);
    }
    if (status != CORE_OK)
        return status;
    epoch->loss = state->sums.loss / (double)state->sums.decisions;
    epoch->accuracy = (double)state->sums.correct / (double)state->sums.decisions;
    return isfinite(epoch->loss) && all_are_finite(state->network) ? CORE_OK : CORE_DIVERGED;
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

static enum core_status run_epoch(struct run *run)
{
    const struct training_observer *observer = run->observer;
    struct training_state *state = &run->state;
    struct training_epoch epoch = {.epoch = state->epoch};
    enum core_status status = learn(run, &epoch);
    if (status == CORE_OK)
        status = validate(run, &epoch);
    if (status != CORE_OK)
        return status;
    epoch.is_best = state->best != NULL && epoch.validation_loss < state->best_loss;
    if (epoch.is_best) {
        state->best_loss = epoch.validation_loss;
        state->best_epoch = epoch.epoch;
        network_copy_weights(state->network, state->best);
    }
    state->epoch++;
    state->is_drawn = false;
    state->batch = 0;
    state->sums = (struct learner_sums){0};
    if (observer->on_epoch != NULL)
        observer->on_epoch(observer->context, &epoch);
    return CORE_OK;
}

static bool has_no_patience_left(const struct run *run)
{
    const struct training_state *state = &run->state;
    return state->best != NULL &&
           training_state_epochs(state) - state->best_epoch >= run->loop->patience;
}

static enum core_status run_epochs(struct run *run)
{
    const struct training_observer *observer = run->observer;
    struct training_state *state = &run->state;
    enum core_status status = CORE_OK;
    if (observer->on_begin != NULL && !observer->on_begin(observer->context, state))
        return CORE_STOPPED;
    while (status == CORE_OK && training_state_epochs(state) < run->loop->epochs &&
           !has_no_patience_left(run))
        status = run_epoch(run);
    if (observer->on_end != NULL && (status == CORE_OK || status == CORE_STOPPED))
        observer->on_end(observer->context, state);
    if (status == CORE_OK && state->best_epoch > 0)
        network_copy_weights(state->best, state->network);
    return status;
}

static enum core_status state_init(struct training_state *state, const struct run *run)
{
    state->count = run->training->count;
    state->order = malloc(state->count * sizeof *state->order);
    if (state->order == NULL)
        return CORE_NO_MEMORY;
    for (size_t i = 0; i < state->count; i++)
        state->order[i] = (uint32_t)i;
    random_init(&state->random, run->loop->seed);
    state->epoch = 1;
    state->best_loss = INFINITY;
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
    struct training_state *state = &run->state;
    enum core_status status = learner_create(state->network, &options, &state->learner);
    if (status == CORE_OK && validation != NULL)
        status = evaluator_create(state->network, validation, encoding, &params->loss, team,
                                  &run->stop_check, &run->evaluator);
    if (status == CORE_OK && validation != NULL && run->loop->patience > 0)
        status = network_copy(state->network, &state->best);
    return status == CORE_OK ? state_init(state, run) : status;
}

static void run_finish(struct run *run)
{
    learner_destroy(run->state.learner);
    evaluator_destroy(run->evaluator);
    network_destroy(run->state.best);
    free(run->state.order);
}

enum core_status network_train(struct network *network, const struct samples *training,
                               const struct samples *validation, const struct encoding *encoding,
                               const struct training_params *params,
                               const struct training_observer *observer,
                               const struct thread_team *team)
{
    static const struct training_observer none = {0};
    struct run run = {
        .training = training,
        .loop = &params->loop,
        .observer = observer != NULL ? observer : &none,
        .state.network = network,
    };
    run.stop_check = (struct stop_check){.context = run.observer->context,
                                         .stop_requested = run.observer->stop_requested};
    enum core_status status = run_init(&run, validation, encoding, params, team);
    if (status == CORE_OK)
        status = run_epochs(&run);
    run_finish(&run);
    return status;
}
