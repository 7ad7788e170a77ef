/* training.c - a batch is worked through in two phases, each shared out to the crew.
 *
 * First the samples: encoded, run forward, and their credit found; every sample has a slot of its
 * own for what comes of it. Then the afferents: each part of the crew has some of them, adds all
 * slots' credit to their gradient in the order of the samples, and steps their weights. No number
 * is ever summed by two threads, so the bits are the same for any crew. A batch whose slots would
 * take too much memory takes both phases several times before the step. */
#include "training.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "evaluation.h"
#include "membranes.h"
#include "random.h"
#include "simd.h"

enum {
    SLOTS_BYTES = 4 * 1024 * 1024, /* of all slots */
    PART_ROWS = 16384              /* rows of weights that make it worth to wake another hand */
};

/* What comes of one sample of a batch. */
struct slot {
    struct pattern pattern;
    struct credit credit;
    float *dv; /* [stride] the loss's derivative by v_max; the padding stays 0 */
    double loss;
    bool correct;
};

/* All that a run needs, allocated once. */
struct run {
    struct tempotron *tempotron;
    const struct sample_set *training;
    const struct training_params *params;
    const struct training_observer *observer;
    const struct crew *crew;
    struct watch watch;          /* the observer, as the evaluator knows it */
    struct evaluator *evaluator; /* of the validation set; NULL: there is none */
    size_t weights;              /* in_features * stride */
    size_t slot_count;
    struct slot *slots; /* [slot_count] */
    size_t part_count;
    struct membranes *membranes; /* [part_count] scratch memory of each part of the crew */
    struct optimizer optimizer;
    struct random random;
    uint32_t *order;    /* [count] the samples, as this epoch takes them */
    float *gradient;    /* [weights]; 0 between batches */
    float *best_weight; /* [weights] of the best epoch; NULL without patience */
    float *frozen;      /* [stride] of a batch: not 0 for outputs that made no error */

    /* The samples in the slots now. */
    const uint32_t *samples;
    size_t sample_count;
    size_t batch;        /* the samples of the whole batch */
    bool completes;      /* they complete the batch */
    bool freezes;        /* outputs without an error don't step */
    atomic_bool stopped; /* the observer has ended it */
};

/* --- memory --- */

static void run_finish(struct run *run)
{
    for (size_t i = 0; run->slots != NULL && i < run->slot_count; i++) {
        free(run->slots[i].dv);
        credit_finish(&run->slots[i].credit);
        pattern_finish(&run->slots[i].pattern);
    }
    for (size_t i = 0; run->membranes != NULL && i < run->part_count; i++)
        membranes_finish(&run->membranes[i]);
    free(run->slots);
    free(run->membranes);
    optimizer_finish(&run->optimizer);
    free(run->order);
    free(run->gradient);
    free(run->best_weight);
    free(run->frozen);
    evaluator_destroy(run->evaluator);
}

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

static enum core_status init_slots(struct run *run, size_t capacity)
{
    const struct tempotron *tempotron = run->tempotron;
    const size_t bytes = credit_bytes(tempotron, capacity) + 8 * capacity;
    const size_t fitting = SLOTS_BYTES / bytes;
    enum core_status status = CORE_OK;
    run->slot_count = least(run->params->batch_size, run->training->count);
    run->slot_count = least(run->slot_count, fitting > 0 ? fitting : 1);
    run->slots = calloc(run->slot_count, sizeof *run->slots);
    if (run->slots == NULL)
        return CORE_NO_MEMORY;
    for (size_t i = 0; status == CORE_OK && i < run->slot_count; i++) {
        struct slot *slot = &run->slots[i];
        slot->dv = zeroed_floats(tempotron->stride);
        if (slot->dv == NULL)
            return CORE_NO_MEMORY;
        status = pattern_init(&slot->pattern, capacity, tempotron_last(&tempotron->params));
        if (status == CORE_OK)
            status = credit_init(&slot->credit, tempotron, capacity);
    }
    return status;
}

static enum core_status init_membranes(struct run *run, size_t capacity)
{
    const struct tempotron *tempotron = run->tempotron;
    const size_t rows = run->slot_count * (capacity + tempotron->params.T);
    enum core_status status = CORE_OK;
    run->part_count = least(crew_size(run->crew), rows / PART_ROWS + 1);
    run->membranes = calloc(run->part_count, sizeof *run->membranes);
    if (run->membranes == NULL)
        return CORE_NO_MEMORY;
    for (size_t i = 0; status == CORE_OK && i < run->part_count; i++)
        status = membranes_init(&run->membranes[i], tempotron, capacity);
    return status;
}

static enum core_status run_init(struct run *run)
{
    const struct training_params *params = run->params;
    const size_t capacity = sample_set_capacity(run->training);
    run->weights = run->tempotron->params.in_features * run->tempotron->stride;
    run->order = calloc(run->training->count, sizeof *run->order);
    run->gradient = zeroed_floats(run->weights);
    run->frozen = zeroed_floats(run->tempotron->stride);
    if (params->patience > 0)
        run->best_weight = calloc(run->weights, sizeof *run->best_weight);
    if (run->order == NULL || run->gradient == NULL || run->frozen == NULL ||
        (params->patience > 0 && run->best_weight == NULL))
        return CORE_NO_MEMORY;
    for (size_t i = 0; i < run->training->count; i++)
        run->order[i] = (uint32_t)i;
    random_init(&run->random, params->seed);

    enum core_status status = init_slots(run, capacity);
    if (status == CORE_OK)
        status = init_membranes(run, capacity);
    if (status == CORE_OK)
        status = optimizer_init(&run->optimizer, params->optimizer, params->momentum,
                                run->tempotron->params.in_features, run->tempotron->stride);
    return status;
}

/* --- a batch --- */

/* An output that never rose above rest has its maximum at time 0, where no spike can have had an
 * effect: it would never learn. Gütig & Sompolinsky let it learn from the time at which the last
 * spike's potential peaks. */
static void revive_silent_output(const struct tempotron *tempotron, const struct pattern *pattern,
                                 double *t_max)
{
    const double end = (double)tempotron_last(&tempotron->params);
    double last = -1;
    for (size_t s = 0; s < pattern->count; s++)
        last = fmax(last, (double)pattern->time[s]);
    if (last < 0 || *t_max > 0)
        return;
    const double peak = last + tempotron->psp.t_peak;
    *t_max = fmin(tempotron->params.clock == CLOCK_GRID ? ceil(peak) : peak, end);
}

static void learn_sample(const struct run *run, uint32_t sample, struct membranes *membranes,
                         struct slot *slot)
{
    const struct tempotron *tempotron = run->tempotron;
    const size_t classes = tempotron->params.out_features;
    const int32_t label = run->training->label[sample];
    sample_set_pattern(run->training, sample, &slot->pattern);
    membranes_forward(tempotron, &slot->pattern, membranes, NULL);
    slot->correct = slot->pattern.fired && membranes_decide(membranes, classes) == (size_t)label;
    slot->loss = loss_of_sample(&run->params->loss, membranes->v_max, label, classes, slot->dv);
    if (label >= 0 && loss_revives(&run->params->loss))
        revive_silent_output(tempotron, &slot->pattern, &membranes->t_max[label]);
    for (size_t j = 0; j < classes; j++)
        slot->dv[j] /= (float)run->batch;
    membranes_backward(tempotron, &slot->pattern, membranes, slot->dv, &slot->credit);
}

static bool goes_on(const struct run *run)
{
    const struct training_observer *observer = run->observer;
    return observer == NULL || observer->goes_on == NULL || observer->goes_on(observer->context);
}

static void learn_samples(void *work, size_t part)
{
    struct run *run = work;
    for (size_t i = part; i < run->sample_count; i += run->part_count) {
        if (!goes_on(run)) {
            atomic_store(&run->stopped, true);
            return;
        }
        learn_sample(run, run->samples[i], &run->membranes[part], &run->slots[i]);
    }
}

static void step_afferents(void *work, size_t part)
{
    struct run *run = work;
    struct tempotron *tempotron = run->tempotron;
    const size_t in = tempotron->params.in_features;
    const size_t first = in * part / run->part_count, end = in * (part + 1) / run->part_count;
    for (size_t i = 0; i < run->sample_count; i++)
        credit_add(&run->slots[i].credit, tempotron, &run->slots[i].pattern, first, end,
                   run->gradient);
    if (run->completes)
        optimizer_step(&run->optimizer, first, end, run->freezes ? run->frozen : NULL,
                       run->gradient, tempotron->weight);
}

/* Sums over an epoch. */
struct sums {
    double loss;
    size_t correct;
};

static void tally(const struct run *run, struct sums *sums)
{
    for (size_t i = 0; i < run->sample_count; i++) {
        const struct slot *slot = &run->slots[i];
        sums->loss += slot->loss;
        sums->correct += slot->correct;
        for (size_t j = 0; j < run->tempotron->params.out_features; j++)
            if (slot->dv[j] != 0)
                run->frozen[j] = 0;
    }
}

static bool all_are_frozen(const struct run *run)
{
    for (size_t j = 0; j < run->tempotron->params.out_features; j++)
        if (run->frozen[j] == 0)
            return false;
    return true;
}

/* False: the observer ends it. */
static bool learn_batch(struct run *run, const uint32_t *samples, size_t count, double rate,
                        struct sums *sums)
{
    /* Gütig's rule, momentum included, learns on error trials only. */
    run->freezes = run->params->loss.type == LOSS_TEMPOTRON;
    run->batch = count;
    for (size_t j = 0; j < run->tempotron->stride; j++)
        run->frozen[j] = 1;
    for (size_t done = 0; done < count; done += run->sample_count) {
        run->samples = samples + done;
        run->sample_count = least(run->slot_count, count - done);
        crew_run(run->crew, learn_samples, run, run->part_count);
        if (atomic_load(&run->stopped))
            return false;
        tally(run, sums);
        run->completes = done + run->sample_count == count;
        if (run->freezes && all_are_frozen(run))
            continue;
        if (run->completes)
            optimizer_begin(&run->optimizer, rate, run->params->weight_decay);
        crew_run(run->crew, step_afferents, run, run->part_count);
    }
    return true;
}

/* --- epochs --- */

static bool is_finite(const struct run *run, double loss)
{
    if (!isfinite(loss))
        return false;
    for (size_t i = 0; i < run->weights; i++)
        if (!isfinite(run->tempotron->weight[i]))
            return false;
    return true;
}

static enum core_status learn_epoch(struct run *run, struct training_epoch *epoch)
{
    const struct training_params *params = run->params;
    const size_t count = run->training->count;
    const size_t batches = (count - 1) / params->batch_size + 1;
    const size_t steps = batches * params->epochs, before = batches * (epoch->epoch - 1);
    struct sums sums = {0};
    if (params->shuffle)
        random_shuffle(&run->random, run->order, count);
    for (size_t batch = 0; batch < batches; batch++) {
        const size_t start = batch * params->batch_size;
        const double rate =
            schedule_rate(&params->schedule, epoch->epoch - 1, before + batch, steps);
        if (!learn_batch(run, run->order + start, least(params->batch_size, count - start), rate,
                         &sums))
            return CORE_STOPPED;
    }
    epoch->loss = sums.loss / (double)count;
    epoch->accuracy = (double)sums.correct / (double)count;
    return is_finite(run, epoch->loss) ? CORE_OK : CORE_DIVERGED;
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

static enum core_status learn(struct run *run)
{
    const struct training_params *params = run->params;
    const size_t bytes = run->weights * sizeof(float);
    const bool keeps_best = params->patience > 0 && run->evaluator != NULL;
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
            memcpy(run->best_weight, run->tempotron->weight, bytes);
        } else if (number - best_epoch >= params->patience) {
            break;
        }
    }
    if (best_epoch > 0)
        memcpy(run->tempotron->weight, run->best_weight, bytes);
    return CORE_OK;
}

enum core_status tempotron_train(struct tempotron *tempotron, const struct sample_set *training,
                                 const struct sample_set *validation,
                                 const struct training_params *params,
                                 const struct training_observer *observer, const struct crew *crew)
{
    struct run run = {
        .tempotron = tempotron,
        .training = training,
        .params = params,
        .observer = observer,
        .crew = crew,
    };
    if (observer != NULL)
        run.watch = (struct watch){.context = observer->context, .goes_on = observer->goes_on};
    enum core_status status = run_init(&run);
    if (status == CORE_OK && validation != NULL)
        status = evaluator_create(tempotron, validation, &params->loss, crew, &run.watch,
                                  &run.evaluator);
    if (status == CORE_OK)
        status = learn(&run);
    run_finish(&run);
    return status;
}
