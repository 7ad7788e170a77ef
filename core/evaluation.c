#include "evaluation.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "membranes.h"

enum { UNDECIDED = -1 };

struct scratch {
    struct pattern pattern;
    struct membranes membranes;
};

struct work {
    const struct tempotron *tempotron;
    const struct sample_set *set;
    const struct loss *loss;
    size_t parts;
    struct scratch *scratch; /* [parts] */
    const struct watch *watch;
    atomic_bool stopped;
    double *losses;     /* [count] */
    int32_t *decisions; /* [count] */
};

static bool goes_on(const struct watch *watch)
{
    return watch == NULL || watch->goes_on == NULL || watch->goes_on(watch->context);
}

static void evaluate_part(void *context, size_t part)
{
    struct work *work = context;
    const struct sample_set *set = work->set;
    const size_t classes = work->tempotron->params.out_features;
    struct pattern *pattern = &work->scratch[part].pattern;
    struct membranes *membranes = &work->scratch[part].membranes;
    const size_t end = set->count * (part + 1) / work->parts;
    for (size_t b = set->count * part / work->parts; b < end; b++) {
        if (!goes_on(work->watch)) {
            atomic_store(&work->stopped, true);
            return;
        }
        sample_set_pattern(set, b, pattern);
        membranes_forward(work->tempotron, pattern, membranes, NULL);
        work->losses[b] =
            loss_of_sample(work->loss, membranes->v_max, set->label[b], classes, NULL);
        work->decisions[b] =
            pattern->fired ? (int32_t)membranes_decide(membranes, classes) : UNDECIDED;
    }
}

static void work_finish(struct work *work)
{
    for (size_t part = 0; work->scratch != NULL && part < work->parts; part++) {
        membranes_finish(&work->scratch[part].membranes);
        pattern_finish(&work->scratch[part].pattern);
    }
    free(work->scratch);
    free(work->losses);
    free(work->decisions);
}

static enum core_status work_init(struct work *work)
{
    const struct tempotron *tempotron = work->tempotron;
    const size_t count = work->set->count, capacity = sample_set_capacity(work->set);
    enum core_status status = CORE_OK;
    work->scratch = calloc(work->parts, sizeof *work->scratch);
    work->losses = malloc(count * sizeof *work->losses);
    work->decisions = malloc(count * sizeof *work->decisions);
    if (work->scratch == NULL || work->losses == NULL || work->decisions == NULL)
        status = CORE_NO_MEMORY;
    for (size_t part = 0; status == CORE_OK && part < work->parts; part++) {
        struct scratch *scratch = &work->scratch[part];
        status = pattern_init(&scratch->pattern, capacity, tempotron_last(&tempotron->params));
        if (status == CORE_OK)
            status = membranes_init(&scratch->membranes, tempotron, capacity);
    }
    return status;
}

/* In the order of the samples, whoever evaluated them. */
static struct evaluation tally(const struct work *work, uint64_t *confusion)
{
    const size_t count = work->set->count, classes = work->tempotron->params.out_features;
    struct evaluation evaluation = {0};
    size_t correct = 0;
    if (confusion != NULL)
        memset(confusion, 0, classes * classes * sizeof *confusion);
    for (size_t b = 0; b < count; b++) {
        const int32_t label = work->set->label[b], decision = work->decisions[b];
        evaluation.loss += work->losses[b];
        evaluation.undecided += decision == UNDECIDED;
        correct += decision == label;
        if (confusion != NULL && decision != UNDECIDED)
            confusion[(size_t)label * classes + (size_t)decision]++;
    }
    evaluation.loss /= (double)count;
    evaluation.accuracy = (double)correct / (double)count;
    return evaluation;
}

enum core_status tempotron_evaluate(const struct tempotron *tempotron, const struct sample_set *set,
                                    const struct loss *loss, const struct crew *crew,
                                    const struct watch *watch, struct evaluation *ret_evaluation,
                                    uint64_t *confusion)
{
    enum { SAMPLES_A_PART = 16 };
    const size_t most = set->count / SAMPLES_A_PART + 1, hands = crew_size(crew);
    struct work work = {
        .tempotron = tempotron,
        .set = set,
        .loss = loss,
        .watch = watch,
        .parts = hands < most ? hands : most,
    };
    enum core_status status = work_init(&work);
    if (status == CORE_OK) {
        crew_run(crew, evaluate_part, &work, work.parts);
        if (atomic_load(&work.stopped))
            status = CORE_STOPPED;
    }
    if (status == CORE_OK)
        *ret_evaluation = tally(&work, confusion);
    work_finish(&work);
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
