/* count_task.h - a task for the read-out of spike counts: random spike trains, the counts that are
 * wanted, and a model that counts. */
#ifndef TESTS_SUPPORT_COUNT_TASK_H
#define TESTS_SUPPORT_COUNT_TASK_H

#include "core/activity.h"
#include "core/network.h"
#include "core/reading.h"
#include "core/samples.h"

enum { TASK_AFFERENTS = 60, TASK_OUTPUTS = 2, TASK_SAMPLES = 24, TASK_WINDOW = 200, TASK_RATE = 4 };

/* Random spike trains with random counts wanted. */
struct count_task {
    uint32_t spikes[TASK_SAMPLES * TASK_AFFERENTS];
    float times[TASK_SAMPLES * TASK_AFFERENTS * TASK_RATE];
    size_t first[TASK_SAMPLES + 1];
    uint32_t wanted[TASK_SAMPLES * TASK_OUTPUTS];
    struct samples samples;
};

extern const struct network_params count_task_shape;
void count_task_draw(struct count_task *task);

/* A model with drawn weights; network_destroy(). */
struct network *count_task_model(void);

/* What the outputs of a network are counted with, after it has taken a sample. */
struct counting {
    const struct layer *layer;
    struct activity activity;
    struct layer_activity *last;
    struct reading_scratch scratch;
    struct arena arena;
};

void counting_init(struct counting *counting, const struct count_task *task,
                   const struct network *network, size_t sample);
size_t counting_count(struct counting *counting, size_t output);
void counting_finish(struct counting *counting);

/* How often an output of a network fires in a sample. */
uint32_t count_task_fired(const struct count_task *task, const struct network *network,
                          size_t sample, size_t output);

#endif
