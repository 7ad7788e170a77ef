#include "tests/support/count_task.h"

#include <check.h>

#include "core/random.h"
#include "tests/support/views.h"

const struct network_params count_task_shape = {
    .tempotron = {CLOCK_CONTINUOUS, TASK_AFFERENTS, TASK_OUTPUTS, TASK_WINDOW, 20, 5, 1},
    .read_out = {.kind = READ_OUT_SPIKE_COUNT, .spike_count = {.max_spikes = 32}},
};

void count_task_draw(struct count_task *task)
{
    struct random random;
    size_t count = 0;
    random_init(&random, 21);
    for (size_t b = 0; b < TASK_SAMPLES; b++) {
        task->first[b] = count;
        for (size_t i = 0; i < TASK_AFFERENTS; i++) {
            task->spikes[b * TASK_AFFERENTS + i] = random_bits(&random) % (TASK_RATE + 1);
            for (uint32_t k = 0; k < task->spikes[b * TASK_AFFERENTS + i]; k++)
                task->times[count++] = random_uniform(&random) * TASK_WINDOW;
        }
        for (size_t j = 0; j < TASK_OUTPUTS; j++)
            task->wanted[b * TASK_OUTPUTS + j] = random_bits(&random) % 5;
    }
    task->first[TASK_SAMPLES] = count;
    task->samples =
        view_trains(TASK_SAMPLES, TASK_AFFERENTS, task->spikes, task->times, task->first);
    task->samples.targets =
        (struct targets){.kind = TARGETS_COUNT, .outputs = TASK_OUTPUTS, .wanted = task->wanted};
}

struct network *count_task_model(void)
{
    float weight[TASK_OUTPUTS * TASK_AFFERENTS];
    const float *const layers[] = {weight};
    struct network *network;
    network_draw_weight(&count_task_shape, 0, 4, weight);
    ck_assert_int_eq(network_create(&count_task_shape, layers, &network), CORE_OK);
    return network;
}

void counting_init(struct counting *counting, const struct count_task *task,
                   const struct network *network, size_t sample)
{
    const size_t capacity = samples_capacity(&task->samples, NULL);
    *counting =
        (struct counting){.layer = &network->layers[0], .last = &counting->activity.layers[0]};
    activity_init(&counting->activity, network, capacity, &counting->arena);
    reading_scratch_init(&counting->scratch, network, capacity, true, &counting->arena);
    samples_pattern(&task->samples, NULL, sample, activity_input(&counting->activity));
    activity_forward(network, &counting->scratch.membranes, &counting->activity);
    spike_counter_take_pattern(&counting->scratch.counter, counting->layer,
                               &counting->last->pattern, &counting->last->timeline);
}

size_t counting_count(struct counting *counting, size_t output)
{
    return spike_counter_count(&counting->scratch.counter, counting->layer,
                               &counting->last->pattern, output);
}

void counting_finish(struct counting *counting)
{
    arena_finish(&counting->arena);
}

uint32_t count_task_fired(const struct count_task *task, const struct network *network,
                          size_t sample, size_t output)
{
    struct counting counting;
    counting_init(&counting, task, network, sample);
    const size_t count = counting_count(&counting, output);
    counting_finish(&counting);
    return (uint32_t)count;
}
