#include "core/v_max_reading.h"

#include <string.h>

#include "core/activity.h"
#include "core/layer_gradient.h"
#include "core/network.h"

void v_max_reading_voltages(const struct network *network, struct membranes *membranes,
                            struct activity *activity, float *v)
{
    const struct network_params *params = &network->params;
    const struct layer *layer = &network->layers[network->depth - 1];
    struct layer_activity *last = &activity->layers[network->depth - 1];
    const size_t block_voltages = BLOCK_NEURONS * params->tempotron.T;
    for (size_t b = 0; b < layer->block_count; b++)
        activity_read_block(layer->blocks[b], b, membranes, last,
                            v == NULL ? NULL : v + b * block_voltages);
    v_max_read_out_scores(&params->read_out.v_max, last->v_max, network->outputs, activity->score);
}

int32_t v_max_reading_label(const struct network *network, const struct activity *activity)
{
    if (!activity_decides(activity))
        return READING_UNDECIDED;
    return (int32_t)v_max_read_out_decide(activity->score, network->outputs);
}

void v_max_reading_spikes(const struct network *network, const struct activity *activity,
                          float *spikes)
{
    const struct tempotron_params *params = &network->params.tempotron;
    const struct layer_activity *last = &activity->layers[network->depth - 1];
    for (size_t j = 0; j < params->out_features; j++)
        spikes[j] = last->v_max[j] >= (float)params->v_threshold ? (float)last->t_max[j] : -1;
}

/* Lets the label's output learn although it never rose above rest, if the loss wants that. */
static void revive(const struct network *network, const struct reading_task *task,
                   const struct pattern *pattern, struct layer_gradient *gradient)
{
    const struct network_params *params = &network->params;
    const size_t group = params->read_out.v_max.neurons_per_class;
    const int32_t label = task->targets->label[task->sample];
    bool any_rose = false;
    for (size_t j = 0; j < params->tempotron.out_features; j++)
        any_rose |= gradient->at[j] > 0;
    if (label < 0 || !loss_revives(task->loss, any_rose))
        return;
    const double time = membranes_revival_time(network->layers[0].blocks[0], pattern);
    for (size_t j = (size_t)label * group; j < ((size_t)label + 1) * group; j++)
        if (gradient->at[j] <= 0)
            gradient->at[j] = time;
}

void v_max_reading_take(const struct network *network, const struct reading_task *task,
                        struct membranes *membranes, struct activity *activity,
                        struct layer_gradient *gradient, struct reading *ret_reading)
{
    const struct network_params *params = &network->params;
    const struct v_max_read_out *read_out = &params->read_out.v_max;
    const struct layer_activity *last = &activity->layers[network->depth - 1];
    const struct loss loss = loss_above(task->loss, v_max_read_out_rest(read_out));
    const size_t classes = network->outputs;
    const int32_t label = task->targets->label[task->sample];
    float *ds = gradient == NULL ? NULL : gradient->amount;
    v_max_reading_voltages(network, membranes, activity, NULL);
    const int32_t decided = v_max_reading_label(network, activity);
    *ret_reading = (struct reading){
        .loss = loss_of_sample(&loss, activity->score, label, classes, ds),
        .decisions = 1,
        .correct = decided >= 0 && decided == label,
        .label = decided,
    };
    if (gradient == NULL)
        return;
    v_max_read_out_backward(read_out, last->v_max, ds, classes, gradient->amount);
    memcpy(gradient->at, last->t_max, network->layers[network->depth - 1].width * sizeof(double));
    for (size_t j = 0; j < params->tempotron.out_features; j++)
        gradient->amount[j] /= (float)task->batch;
    revive(network, task, &last->pattern, gradient);
}
