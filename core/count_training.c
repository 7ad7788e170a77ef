/* count_training.c - the two phases of training.c: samples, each with a slot for what comes of it,
 * then afferents, each part of the team having its own. No number is ever summed by two threads. */
#include "core/count_training.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/credit.h"
#include "core/critical_threshold.h"
#include "core/multi_spike.h"
#include "core/simd.h"

enum { SLOTS_BYTES = 4 * 1024 * 1024 }; /* of all slots */

/* What comes of one sample of a batch. */
struct slot {
    struct pattern pattern;
    struct credit credit;
    bool *errs; /* [out_features] */
    struct count_errors errors;
};

/* Scratch memory of each part of the team. */
struct hand {
    struct multi_spike multi_spike;
    struct spike_train train;
    struct critical_search search;
    double *credit; /* [capacity] of one output */
};

struct count_trainer {
    struct tempotron *tempotron;
    struct count_trainer_params params;
    const struct encoding *encoding;
    const struct thread_team *team;
    size_t slot_count;
    struct slot *slots; /* [slot_count] */
    size_t hand_count;
    struct hand *hands; /* [hand_count] */
    struct optimizer optimizer;
    float *gradient; /* [in_features][stride]; 0 between steps */
    float *frozen;   /* [stride] of a step: not 0 for outputs that made no error */

    /* The samples in the slots now. */
    const struct samples *set;
    const struct stop_check *stop_check;
    const uint32_t *samples; /* NULL: as they come, from `first` on */
    size_t first;
    size_t sample_count;
    size_t batch;   /* the samples of the whole batch */
    bool learns;    /* or only counts */
    bool completes; /* they complete the batch */
    atomic_bool stopped;
};

/* --- memory --- */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Aligned for vectors; free(). */
static float *zeroed_floats(size_t count)
{
    const size_t bytes = simd_round_up(count * sizeof(float));
    float *floats = aligned_alloc(SIMD_ALIGNMENT, bytes);
    if (floats != NULL)
        memset(floats, 0, bytes);
    return floats;
}

static enum core_status init_slots(struct count_trainer *trainer)
{
    const size_t capacity = trainer->params.capacity;
    struct tempotron shape = *trainer->tempotron; /* for its credit: one row for each spike */
    shape.params.clock = CLOCK_CONTINUOUS;
    const size_t fitting = SLOTS_BYTES / (credit_bytes(&shape, capacity) + 8 * capacity);
    enum core_status status = CORE_OK;
    trainer->slot_count = least(trainer->params.batch_most, fitting > 0 ? fitting : 1);
    trainer->slots = calloc(trainer->slot_count, sizeof *trainer->slots);
    if (trainer->slots == NULL)
        return CORE_NO_MEMORY;
    for (size_t i = 0; status == CORE_OK && i < trainer->slot_count; i++) {
        struct slot *slot = &trainer->slots[i];
        slot->errs = calloc(shape.params.out_features, sizeof *slot->errs);
        if (slot->errs == NULL)
            return CORE_NO_MEMORY;
        status = pattern_init(&slot->pattern, capacity, multi_spike_last(&shape.params));
        if (status == CORE_OK)
            status = credit_init(&slot->credit, &shape, capacity);
    }
    return status;
}

static enum core_status init_hands(struct count_trainer *trainer)
{
    const size_t capacity = trainer->params.capacity, most = trainer->params.max_spikes;
    enum core_status status = CORE_OK;
    trainer->hand_count = least(thread_team_size(trainer->team), trainer->slot_count);
    trainer->hands = calloc(trainer->hand_count, sizeof *trainer->hands);
    if (trainer->hands == NULL)
        return CORE_NO_MEMORY;
    for (size_t i = 0; status == CORE_OK && i < trainer->hand_count; i++) {
        struct hand *hand = &trainer->hands[i];
        hand->credit = calloc(capacity + 1, sizeof *hand->credit);
        status =
            hand->credit != NULL ? multi_spike_init(&hand->multi_spike, capacity) : CORE_NO_MEMORY;
        if (status == CORE_OK)
            status = spike_train_init(&hand->train, most);
        if (status == CORE_OK)
            status = critical_search_init(&hand->search, most);
    }
    return status;
}

static enum core_status init(struct count_trainer *trainer)
{
    const struct tempotron *tempotron = trainer->tempotron;
    const size_t in = tempotron->params.in_features;
    trainer->gradient = zeroed_floats(in * tempotron->stride);
    trainer->frozen = zeroed_floats(tempotron->stride);
    if (trainer->gradient == NULL || trainer->frozen == NULL)
        return CORE_NO_MEMORY;
    enum core_status status = init_slots(trainer);
    if (status == CORE_OK)
        status = init_hands(trainer);
    if (status == CORE_OK)
        status = optimizer_init(&trainer->optimizer, trainer->params.optimizer,
                                trainer->params.momentum, in, tempotron->stride);
    return status;
}

enum core_status count_trainer_create(struct tempotron *tempotron,
                                      const struct count_trainer_params *params,
                                      const struct encoding *encoding,
                                      const struct thread_team *team,
                                      struct count_trainer **ret_trainer)
{
    struct count_trainer *trainer = calloc(1, sizeof *trainer);
    if (trainer == NULL)
        return CORE_NO_MEMORY;
    trainer->tempotron = tempotron;
    trainer->params = *params;
    trainer->encoding = encoding;
    trainer->team = team;
    const enum core_status status = init(trainer);
    if (status != CORE_OK) {
        count_trainer_destroy(trainer);
        return status;
    }
    *ret_trainer = trainer;
    return CORE_OK;
}

static void finish_slots(struct count_trainer *trainer)
{
    for (size_t i = 0; trainer->slots != NULL && i < trainer->slot_count; i++) {
        pattern_finish(&trainer->slots[i].pattern);
        credit_finish(&trainer->slots[i].credit);
        free(trainer->slots[i].errs);
    }
    free(trainer->slots);
}

static void finish_hands(struct count_trainer *trainer)
{
    for (size_t i = 0; trainer->hands != NULL && i < trainer->hand_count; i++) {
        multi_spike_finish(&trainer->hands[i].multi_spike);
        spike_train_finish(&trainer->hands[i].train);
        critical_search_finish(&trainer->hands[i].search);
        free(trainer->hands[i].credit);
    }
    free(trainer->hands);
}

void count_trainer_destroy(struct count_trainer *trainer)
{
    if (trainer == NULL)
        return;
    finish_slots(trainer);
    finish_hands(trainer);
    optimizer_finish(&trainer->optimizer);
    free(trainer->gradient);
    free(trainer->frozen);
    free(trainer);
}

/* --- a sample --- */

/* Adds the loss's derivative by every weight of an output: that of the threshold at which it gains
 * or loses a spike, with the sign that descends. */
static void find_credit(const struct count_trainer *trainer, struct hand *hand, size_t output,
                        size_t count, uint32_t wanted, struct slot *slot)
{
    const double v_threshold = trainer->tempotron->params.v_threshold;
    const double share = (count < wanted ? -1 : 1) / (double)trainer->batch;
    const size_t k = count < wanted ? least(count + 1, trainer->params.max_spikes) : count;
    struct critical_threshold critical;
    if (!critical_threshold_find(&hand->multi_spike, k, v_threshold, &hand->search, &critical))
        critical = critical_threshold_of_silent(&hand->multi_spike);
    critical_threshold_credit(&hand->multi_spike, &critical, &hand->search, hand->credit);
    float *column = slot->credit.rise + output;
    for (size_t s = 0; s < slot->pattern.count; s++)
        column[s * slot->credit.stride] = (float)(share * hand->credit[s]);
}

static void count_output(const struct count_trainer *trainer, struct hand *hand, size_t output,
                         uint32_t wanted, struct slot *slot)
{
    struct multi_spike *multi_spike = &hand->multi_spike;
    multi_spike_take_output(multi_spike, trainer->tempotron, &slot->pattern, output);
    multi_spike_fire(multi_spike, trainer->tempotron->params.v_threshold, &hand->train);
    const size_t count = hand->train.count;
    slot->errs[output] = count != wanted;
    slot->errors.counts++;
    slot->errors.correct += count == wanted;
    slot->errors.error += count > wanted ? count - wanted : wanted - count;
    if (count == wanted || !trainer->learns)
        return;
    if (slot->credit.is_zero)
        memset(slot->credit.rise, 0,
               slot->pattern.count * slot->credit.stride * sizeof *slot->credit.rise);
    slot->credit.is_zero = false;
    find_credit(trainer, hand, output, count, wanted, slot);
}

/* Whether a stop was requested; notes it for all threads. */
static bool stops(struct count_trainer *trainer)
{
    if (!stop_check_requested(trainer->stop_check))
        return false;
    atomic_store(&trainer->stopped, true);
    return true;
}

static void count_sample(struct count_trainer *trainer, size_t sample, struct hand *hand,
                         struct slot *slot)
{
    const size_t outputs = trainer->tempotron->params.out_features;
    slot->errors = (struct count_errors){0};
    slot->credit.is_zero = true;
    samples_pattern(trainer->set, trainer->encoding, sample, &slot->pattern);
    multi_spike_take_pattern(&hand->multi_spike, trainer->tempotron, &slot->pattern);
    for (size_t j = 0; j < outputs && !stops(trainer); j++)
        count_output(trainer, hand, j, trainer->set->targets.wanted[sample * outputs + j], slot);
}

/* --- a batch --- */

static void count_samples(void *work, size_t part)
{
    struct count_trainer *trainer = work;
    for (size_t i = part; i < trainer->sample_count; i += trainer->hand_count) {
        if (stops(trainer))
            return;
        const size_t number = trainer->first + i;
        count_sample(trainer, trainer->samples != NULL ? trainer->samples[number] : number,
                     &trainer->hands[part], &trainer->slots[i]);
    }
}

static void step_afferents(void *work, size_t part)
{
    struct count_trainer *trainer = work;
    struct tempotron *tempotron = trainer->tempotron;
    const size_t in = tempotron->params.in_features, parts = trainer->hand_count;
    const size_t first = in * part / parts, end = in * (part + 1) / parts;
    for (size_t i = 0; i < trainer->sample_count; i++)
        credit_add(&trainer->slots[i].credit, &trainer->slots[i].pattern, NULL, first, end,
                   trainer->gradient);
    if (trainer->completes)
        optimizer_step(&trainer->optimizer, first, end, trainer->frozen, trainer->gradient,
                       tempotron->weight);
}

static void tally(const struct count_trainer *trainer, struct count_errors *errors)
{
    for (size_t i = 0; i < trainer->sample_count; i++) {
        const struct slot *slot = &trainer->slots[i];
        errors->counts += slot->errors.counts;
        errors->correct += slot->errors.correct;
        errors->error += slot->errors.error;
        for (size_t j = 0; j < trainer->tempotron->params.out_features; j++)
            if (slot->errs[j])
                trainer->frozen[j] = 0;
    }
}

static bool all_are_frozen(const struct count_trainer *trainer)
{
    for (size_t j = 0; j < trainer->tempotron->params.out_features; j++)
        if (trainer->frozen[j] == 0)
            return false;
    return true;
}

/* Fills the slots from sample number `done` on. False: the stop_check ended it. */
static bool fill_slots(struct count_trainer *trainer, size_t done, size_t count,
                       struct count_errors *errors)
{
    trainer->first = done;
    trainer->sample_count = least(trainer->slot_count, count - done);
    trainer->completes = done + trainer->sample_count == count;
    thread_team_run(trainer->team, count_samples, trainer, trainer->hand_count);
    if (atomic_load(&trainer->stopped))
        return false;
    tally(trainer, errors);
    return true;
}

static void begin(struct count_trainer *trainer, const struct samples *set,
                  const struct stop_check *stop_check)
{
    trainer->set = set;
    trainer->stop_check = stop_check;
    atomic_store(&trainer->stopped, false);
    for (size_t j = 0; j < trainer->tempotron->stride; j++)
        trainer->frozen[j] = 1;
}

bool count_trainer_step(struct count_trainer *trainer, const struct samples *set,
                        const uint32_t *samples, size_t count, double learning_rate,
                        const struct stop_check *stop_check, struct count_errors *errors)
{
    const struct tempotron *tempotron = trainer->tempotron;
    struct count_errors sums = {0};
    begin(trainer, set, stop_check);
    trainer->samples = samples;
    trainer->batch = count;
    trainer->learns = true;
    for (size_t done = 0; done < count; done += trainer->sample_count) {
        if (!fill_slots(trainer, done, count, &sums)) {
            memset(trainer->gradient, 0,
                   tempotron->params.in_features * tempotron->stride * sizeof(float));
            return false;
        }
        if (all_are_frozen(trainer))
            continue;
        if (trainer->completes)
            optimizer_begin(&trainer->optimizer, learning_rate, trainer->params.weight_decay);
        thread_team_run(trainer->team, step_afferents, trainer, trainer->hand_count);
    }
    errors->counts += sums.counts;
    errors->correct += sums.correct;
    errors->error += sums.error;
    return true;
}

bool count_trainer_evaluate(struct count_trainer *trainer, const struct samples *set,
                            const struct stop_check *stop_check, struct count_errors *ret_errors)
{
    struct count_errors errors = {0};
    begin(trainer, set, stop_check);
    trainer->samples = NULL;
    trainer->learns = false;
    for (size_t done = 0; done < set->count; done += trainer->sample_count)
        if (!fill_slots(trainer, done, set->count, &errors))
            return false;
    *ret_errors = errors;
    return true;
}

/* --- epochs --- */

struct run {
    struct count_trainer *trainer;
    const struct samples *training;
    const struct samples *validation; /* or NULL */
    const struct encoding *encoding;
    struct stop_check stop_check;
    struct tempotron *best;     /* of the best epoch; NULL without patience */
    struct count_errors errors; /* of this epoch */
};

static double mean_error(const struct count_errors *errors)
{
    return (double)errors->error / (double)errors->counts;
}

static double share_correct(const struct count_errors *errors)
{
    return (double)errors->correct / (double)errors->counts;
}

static bool is_finite(const struct tempotron *tempotron)
{
    for (size_t i = 0; i < tempotron->params.in_features * tempotron->stride; i++)
        if (!isfinite(tempotron->weight[i]))
            return false;
    return true;
}

static enum core_status learn(void *context, const struct batch *batch)
{
    struct run *run = context;
    return count_trainer_step(run->trainer, run->training, batch->samples, batch->count,
                              batch->learning_rate, &run->stop_check, &run->errors)
               ? CORE_OK
               : CORE_STOPPED;
}

static enum core_status validate(struct run *run, struct training_epoch *epoch)
{
    struct count_errors errors;
    if (run->validation == NULL)
        return CORE_OK;
    if (!count_trainer_evaluate(run->trainer, run->validation, &run->stop_check, &errors))
        return CORE_STOPPED;
    epoch->has_validation = true;
    epoch->validation_loss = mean_error(&errors);
    epoch->validation_accuracy = share_correct(&errors);
    return CORE_OK;
}

static enum core_status report(void *context, struct training_epoch *epoch)
{
    struct run *run = context;
    epoch->loss = mean_error(&run->errors);
    epoch->accuracy = share_correct(&run->errors);
    run->errors = (struct count_errors){0};
    return is_finite(run->trainer->tempotron) ? validate(run, epoch) : CORE_DIVERGED;
}

static void copy_weights(const struct tempotron *from, struct tempotron *to)
{
    memcpy(to->weight, from->weight,
           from->params.in_features * from->stride * sizeof *from->weight);
}

static void save_best(void *context)
{
    const struct run *run = context;
    copy_weights(run->trainer->tempotron, run->best);
}

static void restore_best(void *context)
{
    const struct run *run = context;
    copy_weights(run->best, run->trainer->tempotron);
}

static enum core_status run_init(struct run *run, struct tempotron *tempotron,
                                 const struct count_training_params *params,
                                 const struct thread_team *team)
{
    struct count_trainer_params trainer_params = {
        .batch_most = least(params->loop.batch_size, run->training->count),
        .capacity = samples_capacity(run->training, run->encoding),
        .max_spikes = params->max_spikes,
        .optimizer = params->optimizer,
        .momentum = params->momentum,
        .weight_decay = params->weight_decay,
    };
    if (run->validation != NULL) {
        const size_t capacity = samples_capacity(run->validation, run->encoding);
        if (capacity > trainer_params.capacity)
            trainer_params.capacity = capacity;
    }
    enum core_status status =
        count_trainer_create(tempotron, &trainer_params, run->encoding, team, &run->trainer);
    if (status == CORE_OK && run->validation != NULL && params->loop.patience > 0)
        status = tempotron_copy(tempotron, &run->best);
    return status;
}

enum core_status tempotron_train_counts(struct tempotron *tempotron, const struct samples *training,
                                        const struct samples *validation,
                                        const struct encoding *encoding,
                                        const struct count_training_params *params,
                                        const struct training_observer *observer,
                                        const struct thread_team *team)
{
    struct run run = {.training = training, .validation = validation, .encoding = encoding};
    struct training_callbacks callbacks = {.context = &run, .learn = learn, .report = report};
    if (observer != NULL)
        run.stop_check = (struct stop_check){.context = observer->context,
                                             .stop_requested = observer->stop_requested};
    enum core_status status = run_init(&run, tempotron, params, team);
    if (run.best != NULL) {
        callbacks.save_best = save_best;
        callbacks.restore_best = restore_best;
    }
    if (status == CORE_OK)
        status = training_loop_run(&params->loop, training->count, &callbacks, observer);
    count_trainer_destroy(run.trainer);
    tempotron_destroy(run.best);
    return status;
}
