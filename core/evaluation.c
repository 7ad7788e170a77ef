#include "core/evaluation.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/activity.h"
#include "core/background.h"

enum { UNDECIDED = -1 };

struct scratch {
    struct activity activity;
    struct membranes membranes;
};

struct evaluator {
    const struct network *network;
    const struct samples *samples;
    struct encoding encoding; /* whose background is its own; only bytes on the grid have one */
    struct loss loss;         /* of the classes' scores */
    const struct thread_team *team;
    size_t parts;
    struct scratch *scratch; /* [parts] */
    const struct stop_check *stop_check;
    atomic_bool stopped;
    double *losses;     /* [count] */
    int32_t *decisions; /* [count] */
};

static void evaluate_part(void *context, size_t part)
{
    struct evaluator *evaluator = context;
    const struct samples *samples = evaluator->samples;
    const size_t classes = network_classes(&evaluator->network->params);
    struct activity *activity = &evaluator->scratch[part].activity;
    struct membranes *membranes = &evaluator->scratch[part].membranes;
    const size_t end = samples->count * (part + 1) / evaluator->parts;
    for (size_t b = samples->count * part / evaluator->parts; b < end; b++) {
        if (stop_check_requested(evaluator->stop_check)) {
            atomic_store(&evaluator->stopped, true);
            return;
        }
        samples_pattern(samples, &evaluator->encoding, b, activity_input(activity));
        activity_forward(evaluator->network, membranes, activity, NULL);
        evaluator->losses[b] = loss_of_sample(&evaluator->loss, activity->score,
                                              samples->targets.label[b], classes, NULL);
        evaluator->decisions[b] = activity_decides(activity)
                                      ? (int32_t)read_out_decide(activity->score, classes)
                                      : UNDECIDED;
    }
}

void evaluator_destroy(struct evaluator *evaluator)
{
    if (evaluator == NULL)
        return;
    for (size_t part = 0; evaluator->scratch != NULL && part < evaluator->parts; part++) {
        membranes_finish(&evaluator->scratch[part].membranes);
        activity_finish(&evaluator->scratch[part].activity);
    }
    background_destroy(evaluator->encoding.background);
    free(evaluator->scratch);
    free(evaluator->losses);
    free(evaluator->decisions);
    free(evaluator);
}

static enum core_status init_scratch(struct evaluator *evaluator)
{
    const struct network *network = evaluator->network;
    const size_t count = evaluator->samples->count;
    const size_t capacity = samples_capacity(evaluator->samples, &evaluator->encoding);
    enum core_status status = CORE_OK;
    evaluator->scratch = calloc(evaluator->parts, sizeof *evaluator->scratch);
    evaluator->losses = malloc(count * sizeof *evaluator->losses);
    evaluator->decisions = malloc(count * sizeof *evaluator->decisions);
    if (evaluator->scratch == NULL || evaluator->losses == NULL || evaluator->decisions == NULL)
        status = CORE_NO_MEMORY;
    for (size_t part = 0; status == CORE_OK && part < evaluator->parts; part++) {
        struct scratch *scratch = &evaluator->scratch[part];
        status = activity_init(&scratch->activity, network, capacity);
        if (status == CORE_OK)
            status = membranes_init(&scratch->membranes, network_widest_block(network), 0);
    }
    return status;
}

enum core_status evaluator_create(const struct network *network, const struct samples *samples,
                                  const struct encoding *encoding, const struct loss *loss,
                                  const struct thread_team *team,
                                  const struct stop_check *stop_check,
                                  struct evaluator **ret_evaluator)
{
    enum { SAMPLES_A_PART = 16 };
    const size_t most = samples->count / SAMPLES_A_PART + 1, hands = thread_team_size(team);
    struct evaluator *evaluator = malloc(sizeof *evaluator);
    if (evaluator == NULL)
        return CORE_NO_MEMORY;
    *evaluator = (struct evaluator){
        .network = network,
        .samples = samples,
        .loss = loss_above(loss, read_out_rest(&network->params.read_out)),
        .team = team,
        .stop_check = stop_check,
        .parts = hands < most ? hands : most,
    };
    if (encoding != NULL)
        evaluator->encoding = *encoding;
    evaluator->encoding.background = NULL;
    enum core_status status = init_scratch(evaluator);
    if (status == CORE_OK && samples->kind == SAMPLES_BYTES &&
        network->params.tempotron.clock == CLOCK_GRID)
        status = encoding_add_background(&evaluator->encoding, &network->layers[0]);
    if (status == CORE_OK)
        *ret_evaluator = evaluator;
    else
        evaluator_destroy(evaluator);
    return status;
}

/* In the order of the samples, whoever evaluated them. */
static struct evaluation tally(const struct evaluator *evaluator, uint64_t *confusion)
{
    const size_t count = evaluator->samples->count,
                 classes = network_classes(&evaluator->network->params);
    struct evaluation evaluation = {0};
    size_t correct = 0;
    if (confusion != NULL)
        memset(confusion, 0, classes * classes * sizeof *confusion);
    for (size_t b = 0; b < count; b++) {
        const int32_t label = evaluator->samples->targets.label[b],
                      decision = evaluator->decisions[b];
        evaluation.loss += evaluator->losses[b];
        evaluation.undecided += decision == UNDECIDED;
        correct += decision == label;
        if (confusion != NULL && decision != UNDECIDED)
            confusion[(size_t)label * classes + (size_t)decision]++;
    }
    evaluation.loss /= (double)count;
    evaluation.accuracy = (double)correct / (double)count;
    return evaluation;
}

enum core_status evaluator_run(struct evaluator *evaluator, struct evaluation *ret_evaluation,
                               uint64_t *confusion)
{
    atomic_store(&evaluator->stopped, false);
    if (evaluator->encoding.background != NULL)
        background_update(evaluator->encoding.background, &evaluator->network->layers[0],
                          &evaluator->encoding.byte_table);
    thread_team_run(evaluator->team, evaluate_part, evaluator, evaluator->parts);
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
