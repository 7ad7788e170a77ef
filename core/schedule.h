/* schedule.h - how the learning rate changes over a training. */
#ifndef CORE_SCHEDULE_H
#define CORE_SCHEDULE_H

#include <stddef.h>

enum schedule_type {
    SCHEDULE_CONSTANT,
    SCHEDULE_EXPONENTIAL, /* times `decay` after each epoch */
    SCHEDULE_COSINE       /* rate (1 + cos(pi s/S))/2 at step s of S: down to 0 (Loshchilov &
                             Hutter 2017, without restarts) */
};

struct schedule {
    enum schedule_type type;
    double learning_rate; /* of the first step */
    double decay;         /* of SCHEDULE_EXPONENTIAL: 0 < decay <= 1 */
};

/* The rate of step `step` of all `steps`, in epoch `epoch`; both are counted from 0. */
double schedule_rate(const struct schedule *schedule, size_t epoch, size_t step, size_t steps);

#endif
