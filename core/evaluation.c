#include "core/evaluation.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/activity.h"
#include "core/reading.h"

/* Of network_work(): what makes it worth to wake another thread, and after which a thread may have
 * something else to do. */
enum { PART_WORK = 128 * 1024, LONGEST_PART = 16 * 1024 * 1024 };

struct scratch {
    struct activity activity;
    struct reading_scratch reading;
};

struct evaluator {
    const struct network *network;
    const struct samples *samples;
    struct encoding encoding; /* whose background is its own; only bytes on the grid have one */
    struct loss loss;
    const struct thread_team *team;
    const struct stop_check *stop_check;
    size_t parts;
    size_t capacity; /* the most spikes of a sample */
    atomic_bool stopped;
    atomic_bool failed;       /* no memory */
    struct reading *readings; /* [samples] */
    struct arena arena;
};

static bool evaluate_sample(struct evaluator *evaluator, size_t sample, struct scratch *scratch)
{
    const struct reading_task task = {
        .targets = &evaluator->samples->targets,
        .sample = samples_row(evaluator->samples, sample),
        .loss = &evaluator->loss,
        .stop_check = evaluator->stop_check,
    };
    struct activity *activity = &scratch->activity;
    samples_pattern(evaluator->samples, &evaluator->encoding, sample, activity_input(activity));
    activity_forward(evaluator->network, &scratch->reading.membranes, activity);
    return reading_take(evaluator->network, &task, &scratch->reading, activity, NULL,
                        &evaluator->readings[sample]);
}

static void evaluate_samples(struct evaluator *evaluator, size_t first, size_t end,
                             struct scratch *scratch)
{
    for (size_t b = first; b < end; b++) {
        if (stop_check_requested(evaluator->stop_check) ||
            !evaluate_sample(evaluator, b, scratch)) {
            atomic_store(&evaluator->stopped, true);
            return;
        }
    }
}

/* The scratch memory lasts as long as the part: there are as many as threads that work, however
 * many evaluations share them. */
static void evaluate_part(void *context, size_t part)
{
    struct evaluator *evaluator = context;
    struct scratch scratch;
    struct arena arena = {0};
    const size_t count = evaluator->samples->count, parts = evaluator->parts;
    activity_init(&scratch.activity, evaluator->network, evaluator->capacity, &arena);
    reading_scratch_init(&scratch.reading, evaluator->network, evaluator->capacity, false, &arena);
    if (arena_status(&arena) == CORE_OK)
        evaluate_samples(evaluator, count * part / parts, count * (part + 1) / parts, &scratch);
    else
        atomic_store(&evaluator->failed, true);
    arena_finish(&arena);
}

void evaluator_destroy(struct evaluator *evaluator)
{
    if (evaluator == NULL)
        return;
    arena_finish(&evaluator->arena);
    free(evaluator);
}

static size_t part_count(const struct evaluator *evaluator)
{
    const size_t count = evaluator->samples->count, threads = thread_team_size(evaluator->team);
    const uint64_t work = count * network_work(&evaluator->network->params, evaluator->capacity);
    const size_t max = work / PART_WORK + 1 < count ? (size_t)(work / PART_WORK + 1) : count;
    const size_t parts = threads < max ? threads : max;
    const size_t short_ones = work / LONGEST_PART < count ? (size_t)(work / LONGEST_PART) : count;
    return evaluator->team != NULL && short_ones > parts ? short_ones : parts;
}

enum core_status evaluator_create(const struct network *network, const struct samples *samples,
                                  const struct encoding *encoding, const struct loss *loss,
                                  const struct thread_team *team,
                                  const struct stop_check *stop_check,
                                  struct evaluator **ret_evaluator)
{
    struct evaluator *evaluator = malloc(sizeof *evaluator);
    if (evaluator == NULL)
        return CORE_NO_MEMORY;
    *evaluator = (struct evaluator){
        .network = network,
        .samples = samples,
        .loss = *loss,
        .team = team,
        .stop_check = stop_check,
    };
    if (encoding != NULL)
        evaluator->encoding = *encoding;
    evaluator->encoding.background = NULL;
    if (samples->kind == SAMPLES_BYTES && encoding_takes_bytes(&evaluator->encoding) &&
        network->params.tempotron.clock == CLOCK_GRID)
        evaluator->encoding.background = background_create(
            &network->layers[0], &evaluator->encoding.byte_table, &evaluator->arena);
    evaluator->capacity = samples_capacity(samples, &evaluator->encoding);
    evaluator->parts = part_count(evaluator);
    evaluator->readings =
        arena_place(&evaluator->arena, samples->count, sizeof *evaluator->readings);
    const enum core_status status = arena_status(&evaluator->arena);
    if (status == CORE_OK)
        *ret_evaluator = evaluator;
    else
        evaluator_destroy(evaluator);
    return status;
}

/* In the order of the samples, whichever thread evaluated them. */
static struct evaluation tally(const struct evaluator *evaluator, uint64_t *confusion)
{
    const size_t classes = evaluator->network->outputs;
    struct evaluation evaluation = {0};
    size_t correct = 0, decisions = 0;
    if (confusion != NULL)
        memset(confusion, 0, classes * classes * sizeof *confusion);
    for (size_t b = 0; b < evaluator->samples->count; b++) {
        const struct reading *reading = &evaluator->readings[b];
        evaluation.loss += reading->loss;
        evaluation.undecided += reading->label == READING_UNDECIDED;
        decisions += reading->decisions;
        correct += reading->correct;
        if (confusion != NULL && reading->label != READING_UNDECIDED) {
            const size_t row = samples_row(evaluator->samples, b);
            const size_t label = (size_t)evaluator->samples->targets.label[row];
            confusion[label * classes + (size_t)reading->label]++;
        }
    }
    evaluation.loss /= (double)decisions;
    evaluation.accuracy = (double)correct / (double)decisions;
    return evaluation;
}

enum core_status evaluator_run(struct evaluator *evaluator, struct evaluation *ret_evaluation,
                               uint64_t *confusion)
{
    atomic_store(&evaluator->stopped, false);
    atomic_store(&evaluator->failed, false);
    if (evaluator->encoding.background != NULL)
        background_update(evaluator->encoding.background, &evaluator->network->layers[0],
                          &evaluator->encoding.byte_table);
    thread_team_run(evaluator->team, evaluate_part, evaluator, evaluator->parts);
    if (atomic_load(&evaluator->failed))
        return CORE_NO_MEMORY;
    if (atomic_load(&evaluator->stopped))
        return CORE_STOPPED;
    *ret_evaluation = tally(evaluator, confusion);
    return CORE_OK;
}

enum core_status network_evaluate(const struct network *network, const struct samples *samples,
                                  const struct encoding *encoding, const struct loss *loss,
                                  const struct thread_team *team,
                                  const struct stop_check *stop_check,
                                  struct evaluation *ret_evaluation, uint64_t *confusion)
{
    struct evaluator *evaluator;
    enum core_status status =
        evaluator_create(network, samples, encoding, loss, team, stop_check, &evaluator);
    if (status != CORE_OK)
        return status;
    status = evaluator_run(evaluator, ret_evaluation, confusion);
    evaluator_destroy(evaluator);
    return status;
}

static double ratio(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

struct class_metrics class_metrics(const uint64_t *confusion, size_t classes, size_t number,
                                   uint64_t support)
{
    const uint64_t hits = confusion[number * classes + number];
    uint64_t decided = 0;
    for (size_t row = 0; row < classes; row++)
        decided += confusion[row * classes + number];
    return (struct class_metrics){
        .support = support,
        .precision = ratio(hits, decided),
        .recall = ratio(hits, support),
        .f1 = ratio(2 * hits, decided + support),
    };
}
