#include "course.h"

#include <math.h>
#include <stdlib.h>

#include "random.h"

struct run {
    const struct course *course;
    const struct pupil *pupil;
    size_t samples;
    struct random random;
    uint32_t *order; /* [samples] as this epoch takes them */
};

static enum core_status learn_epoch(struct run *run, struct training_epoch *epoch)
{
    const struct course *course = run->course;
    const size_t batches = (run->samples - 1) / course->batch_size + 1;
    const size_t steps = batches * course->epochs, before = batches * (epoch->epoch - 1);
    enum core_status status = CORE_OK;
    if (course->shuffle)
        random_shuffle(&run->random, run->order, run->samples);
    for (size_t i = 0; status == CORE_OK && i < batches; i++) {
        const size_t start = i * course->batch_size, left = run->samples - start;
        const struct batch batch = {
            .epoch = epoch->epoch,
            .samples = run->order + start,
            .count = left < course->batch_size ? left : course->batch_size,
            .learning_rate = schedule_rate(&course->schedule, epoch->epoch - 1, before + i, steps),
        };
        status = run->pupil->learn(run->pupil->context, &batch);
    }
    return status == CORE_OK ? run->pupil->report(run->pupil->context, epoch) : status;
}

static enum core_status learn(struct run *run, const struct training_observer *observer)
{
    const struct pupil *pupil = run->pupil;
    const bool keeps_best = pupil->keep != NULL && run->course->patience > 0;
    double best_loss = INFINITY;
    size_t best_epoch = 0;
    for (size_t number = 1; number <= run->course->epochs; number++) {
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
            pupil->keep(pupil->context);
        } else if (keeps_best && number - best_epoch >= run->course->patience) {
            break;
        }
    }
    if (best_epoch > 0)
        pupil->restore(pupil->context);
    return CORE_OK;
}

enum core_status course_run(const struct course *course, size_t samples, const struct pupil *pupil,
                            const struct training_observer *observer)
{
    struct run run = {.course = course, .pupil = pupil, .samples = samples};
    run.order = calloc(samples, sizeof *run.order);
    if (run.order == NULL)
        return CORE_NO_MEMORY;
    for (size_t i = 0; i < samples; i++)
        run.order[i] = (uint32_t)i;
    random_init(&run.random, course->seed);
    const enum core_status status = learn(&run, observer);
    free(run.order);
    return status;
}
