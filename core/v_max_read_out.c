#include "core/v_max_read_out.h"

#include <string.h>

#include "core/activity.h"
#include "core/exponential.h"
#include "core/layer_gradient.h"
#include "core/loss.h"
#include "core/network.h"
#include "core/read_out.h"

static float max_of(const float *values, size_t count)
{
    float max = values[0];
    for (size_t i = 1; i < count; i++)
        max = values[i] > max ? values[i] : max;
    return max;
}

/* exp(beta (v - max)), relative to the greatest so that nothing overflows. */
static double share(const struct v_max_read_out *read_out, float v, float max)
{
    return exp_nonpositive((double)read_out->beta * ((double)v - (double)max));
}

static double share_sum(const struct v_max_read_out *read_out, const float *v, float max)
{
    double sum = 0;
    for (size_t g = 0; g < read_out->neurons_per_class; g++)
        sum += share(read_out, v[g], max);
    return sum;
}

void v_max_read_out_scores(const struct v_max_read_out *read_out, const float *v_max,
                           size_t classes, float *score)
{
    const size_t group = read_out->neurons_per_class;
    if (group == 1) {
        memcpy(score, v_max, classes * sizeof *score);
        return;
    }
    for (size_t k = 0; k < classes; k++) {
        const float *v = v_max + k * group;
        const float max = max_of(v, group);
        const double sum = share_sum(read_out, v, max);
        score[k] = (float)((double)max + logarithm(sum) / (double)read_out->beta);
    }
}

float v_max_read_out_rest(const struct v_max_read_out *read_out)
{
    if (read_out->neurons_per_class == 1)
        return 0;
    return (float)(logarithm((double)read_out->neurons_per_class) / (double)read_out->beta);
}

/* From the last class down, so that no derivative is overwritten before it is read. */
void v_max_read_out_backward(const struct v_max_read_out *read_out, const float *v_max,
                             const float *ds, size_t classes, float *dv)
{
    const size_t group = read_out->neurons_per_class;
    if (group == 1) {
        memmove(dv, ds, classes * sizeof *dv);
        return;
    }
    for (size_t k = classes; k-- > 0;) {
        const float *v = v_max + k * group;
        const float max = max_of(v, group);
        const double sum = share_sum(read_out, v, max), of_class = (double)ds[k];
        for (size_t g = 0; g < group; g++)
            dv[k * group + g] = (float)(of_class * share(read_out, v[g], max) / sum);
    }
}

size_t v_max_read_out_decide(const float *score, size_t classes)
{
    size_t best = 0;
    for (size_t k = 1; k < classes; k++)
        if (score[k] > score[best])
            best = k;
    return best;
}

/* --- a sample --- */

void v_max_read_out_read(const struct network *network, struct membranes *membranes,
                         struct activity *activity, float *v)
{
    const struct network_params *params = &network->params;
    const struct layer *layer = &network->layers[network->depth - 1];
    struct layer_activity *last = &activity->layers[network->depth - 1];
    const size_t block_voltages = BLOCK_NEURONS * params->tempotron.T;
    for (size_t b = 0; b < layer->block_count; b++)
        activity_read_block(layer->blocks[b], b, membranes, last,
                            v == NULL ? NULL : v + b * block_voltages);
    v_max_read_out_scores(&params->read_out.v_max, last->v_max, network_outputs(params),
                          activity->score);
}

void v_max_read_out_forward(const struct network *network, struct membranes *membranes,
                            struct activity *activity, float *v)
{
    activity_forward(network, membranes, activity);
    v_max_read_out_read(network, membranes, activity, v);
}

int32_t v_max_read_out_label(const struct network *network, const struct activity *activity)
{
    if (!activity_decides(activity))
        return READ_OUT_UNDECIDED;
    return (int32_t)v_max_read_out_decide(activity->score, network_outputs(&network->params));
}

void v_max_read_out_spikes(const struct network *network, const struct activity *activity,
                           float *spikes)
{
    const struct tempotron_params *params = &network->params.tempotron;
    const struct layer_activity *last = &activity->layers[network->depth - 1];
    for (size_t j = 0; j < params->out_features; j++)
        spikes[j] = last->v_max[j] >= (float)params->v_threshold ? (float)last->t_max[j] : -1;
}

/* Lets the label's output learn although it never rose above rest, if the loss wants that. */
static void revive(const struct network *network, const struct read_out_task *task,
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

void v_max_read_out_sample(const struct network *network, const struct read_out_task *task,
                           struct membranes *membranes, struct activity *activity,
                           struct layer_gradient *gradient, struct read_out_outcome *ret_outcome)
{
    const struct network_params *params = &network->params;
    const struct v_max_read_out *read_out = &params->read_out.v_max;
    const struct layer_activity *last = &activity->layers[network->depth - 1];
    const struct loss loss = loss_above(task->loss, v_max_read_out_rest(read_out));
    const size_t classes = network_outputs(params);
    const int32_t label = task->targets->label[task->sample];
    float *ds = gradient == NULL ? NULL : gradient->amount;
    v_max_read_out_read(network, membranes, activity, NULL);
    const int32_t decided = v_max_read_out_label(network, activity);
    *ret_outcome = (struct read_out_outcome){
        .loss = loss_of_sample(&loss, activity->score, label, classes, ds),
        .decisions = 1,
        .correct = decided >= 0 && decided == label,
        .label = decided,
    };
    if (gradient == NULL)
        return;
    v_max_read_out_backward(read_out, last->v_max, ds, classes, gradient->amount);
    memcpy(gradient->at, last->t_max, network->layers[network->depth - 1].lanes * sizeof(double));
    for (size_t j = 0; j < params->tempotron.out_features; j++)
        gradient->amount[j] /= (float)task->batch;
    revive(network, task, &last->pattern, gradient);
}
