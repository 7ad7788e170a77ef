#include "evaluation.h"

#include <string.h>

#include "forward.h"

static void count_samples(const struct tempotron *tempotron, const struct sample_set *set,
                          const struct loss *loss, struct pattern *pattern,
                          struct membranes *membranes, struct evaluation *evaluation,
                          uint64_t *confusion)
{
    const size_t classes = tempotron->params.out_features;
    size_t correct = 0;
    for (size_t b = 0; b < set->count; b++) {
        const int32_t label = set->label[b];
        sample_set_pattern(set, b, pattern);
        forward(tempotron, pattern, membranes, NULL);
        evaluation->loss += loss_of_sample(loss, membranes->v_max, label, classes, NULL);
        if (pattern->count == 0) {
            evaluation->undecided++;
            continue;
        }
        const size_t decision = forward_decide(membranes->v_max, classes);
        correct += decision == (size_t)label;
        if (confusion != NULL)
            confusion[(size_t)label * classes + decision]++;
    }
    evaluation->loss /= (double)set->count;
    evaluation->accuracy = (double)correct / (double)set->count;
}

enum core_status evaluate(const struct tempotron *tempotron, const struct sample_set *set,
                          const struct loss *loss, struct evaluation *ret_evaluation,
                          uint64_t *confusion)
{
    const size_t classes = tempotron->params.out_features;
    struct pattern pattern = {0};
    struct membranes membranes = {0};
    enum core_status status =
        pattern_init(&pattern, tempotron->params.in_features, tempotron->params.T);
    if (status == CORE_OK)
        status = membranes_init(&membranes, tempotron);
    if (status == CORE_OK) {
        struct evaluation evaluation = {0};
        if (confusion != NULL)
            memset(confusion, 0, classes * classes * sizeof *confusion);
        count_samples(tempotron, set, loss, &pattern, &membranes, &evaluation, confusion);
        *ret_evaluation = evaluation;
    }
    membranes_finish(&membranes);
    pattern_finish(&pattern);
    return status;
}
