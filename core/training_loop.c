#include "core/training_loop.h"

#include <math.h>
#include <stdlib.h>

#include "core/random.h"

struct run {
    const struct training_loop *loop;
    const struct training_callbacks *callbacks;
    size_t samples;
    struct random random;
    uint32_t *order; /* [samples] as this epoch takes them */
};

static enum core_status learn_epoch(struct run *run, struct training_epoch *epoch)
{
    const struct training_loop *loop = run->loop;
    const size_t batches = (run->samples - 1) / loop->batch_size + 1;
    const size_t steps = batches * loop->epochs, before = batches * (epoch->epoch - 1);
    enum core_status status = CORE_OK;
    if (loop->shuffle)
        random_shuffle(&run->random, run->order, run->samples);
    for (size_t i = 0; status == CORE_OK && i < batches; i++) {
        const size_t start = i * loop->batch_size, left = run->samples - start;
        const struct batch batch = {
            .epoch = epoch->epoch,
            .samples = run->order + start,
            .count = left < loop->batch_size ? left : loop->batch_size,
            .learning_rate = schedule_rate(&loop->schedule, epoch->epoch - 1, before + i, steps),
        };
        status = run->callbacks->learn(run->callbacks->context, &batch);
    }
    return status == CORE_OK ? run->callbacks->report(run->callbacks->context, epoch) : status;
}

static enum core_status learn(struct run *run, const struct training_observer *observer)
{
    const struct training_callbacks *callbacks = run->callbacks;
    const bool keeps_best = callbacks->save_best != NULL && run->loop->patience > 0;
    double best_loss = INFINITY;
    size_t best_epoch = 0;
    for (size_t number = 1; number <= run->loop->epochs; number++) {
        struct training_epoch epoch = {.epoch = number};
        const enum core_status status = learn_epoch(run, &epoch);
        if (status != CORE_OK)
            return status;
        epoch.is_best = keeps_best && epoch.validation_loss < best_loss;
        if (observer != NULL && observer->on_epoch != NULL)
            observer->on_epoch(observer->context, &epoch);
        if (epoch.is_best) {
            best_loss = epoch.validation_loss;
            best_epoch = number;
            callbacks->save_best(callbacks->context);
        } else if (keeps_best && number - best_epoch >= run->loop->patience) {
            break;
        }
    }
    if (best_epoch > 0)
        callbacks->restore_best(callbacks->context);
    return CORE_OK;
}

enum core_status training_loop_run(const struct training_loop *loop, size_t samples,
                                   const struct training_callbacks *callbacks,
                                   const struct training_observer *observer)
{
    struct run run = {.loop = loop, .callbacks = callbacks, .samples = samples};
    run.order = calloc(samples, sizeof *run.order);
    if (run.order == NULL)
        return CORE_NO_MEMORY;
    for (size_t i = 0; i < samples; i++)
        run.order[i] = (uint32_t)i;
    random_init(&run.random, loop->seed);
    const enum core_status status = learn(&run, observer);
    free(run.order);
    return status;
}
