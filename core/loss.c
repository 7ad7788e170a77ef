#include "core/loss.h"

#include <math.h>

#include "core/exponential.h"

static bool is_wrong(float v_max, float v_threshold, int32_t label, size_t output)
{
    const bool fires = v_max >= v_threshold;
    const bool should_fire = label >= 0 && (size_t)label == output;
    return fires != should_fire;
}

double mse_loss(const float *v_max, const float *v_threshold, size_t threshold_stride,
                const int32_t *label, size_t batch, size_t classes)
{
    double sum = 0;
    for (size_t b = 0; b < batch; b++) {
        for (size_t j = 0; j < classes; j++) {
            const size_t at = b * classes + j;
            const float threshold = v_threshold[at * threshold_stride];
            const double error = (double)v_max[at] - (double)threshold;
            if (is_wrong(v_max[at], threshold, label[b], j))
                sum += error * error;
        }
    }
    return sum / (double)batch;
}

static double squared_error(const struct loss *loss, const float *v_max, int32_t label,
                            size_t classes, float *dv)
{
    for (size_t j = 0; dv != NULL && j < classes; j++) {
        const bool wrong = is_wrong(v_max[j], loss->v_threshold, label, j);
        dv[j] = wrong ? 2 * (v_max[j] - loss->v_threshold) : 0;
    }
    return mse_loss(v_max, &loss->v_threshold, 0, &label, 1, classes);
}

/* softmax relative to the highest voltage, so that no exponential overflows. */
static double cross_entropy(const struct loss *loss, const float *v_max, int32_t label,
                            size_t classes, float *dv)
{
    const double beta = (double)loss->beta;
    float greatest = v_max[0];
    for (size_t j = 1; j < classes; j++)
        greatest = v_max[j] > greatest ? v_max[j] : greatest;
    double sum = 0;
    for (size_t j = 0; j < classes; j++)
        sum += exp_nonpositive(beta * ((double)v_max[j] - (double)greatest));
    for (size_t j = 0; dv != NULL && j < classes; j++) {
        const double p = exp_nonpositive(beta * ((double)v_max[j] - (double)greatest)) / sum;
        dv[j] = (float)(beta * (p - ((size_t)label == j ? 1 : 0)));
    }
    return logarithm(sum) - beta * ((double)v_max[label] - (double)greatest);
}

static double margin_loss(const struct loss *loss, const float *v_max, int32_t label,
                          size_t classes, float *dv)
{
    double sum = 0;
    for (size_t j = 0; j < classes; j++) {
        const bool is_label = (size_t)label == j;
        const float error = v_max[j] - (is_label ? loss->target : loss->other);
        const float violation = is_label == (error < 0) ? error : 0;
        sum += (double)violation * (double)violation;
        if (dv != NULL)
            dv[j] = 2 * violation;
    }
    return sum;
}

static double tempotron_cost(const struct loss *loss, const float *v_max, int32_t label,
                             size_t classes, float *dv)
{
    double cost = 0;
    for (size_t j = 0; j < classes; j++) {
        const bool wrong = is_wrong(v_max[j], loss->v_threshold, label, j);
        if (wrong)
            cost += fabs((double)v_max[j] - (double)loss->v_threshold);
        if (dv != NULL)
            dv[j] = !wrong ? 0 : (size_t)label == j ? -1 : 1;
    }
    return cost;
}

struct loss loss_above(const struct loss *loss, float rest)
{
    struct loss above = *loss;
    above.v_threshold += rest;
    above.target += rest;
    above.other += rest;
    return above;
}

bool loss_revives(const struct loss *loss, bool any_rose)
{
    switch (loss->type) {
    case LOSS_MSE:
        return false;
    case LOSS_CROSS_ENTROPY:
        return !any_rose;
    case LOSS_MARGIN:
    case LOSS_TEMPOTRON:
        return true;
    }
    return false;
}

double loss_of_sample(const struct loss *loss, const float *v_max, int32_t label, size_t classes,
                      float *dv)
{
    switch (loss->type) {
    case LOSS_MSE:
        return squared_error(loss, v_max, label, classes, dv);
    case LOSS_CROSS_ENTROPY:
        return cross_entropy(loss, v_max, label, classes, dv);
    case LOSS_MARGIN:
        return margin_loss(loss, v_max, label, classes, dv);
    case LOSS_TEMPOTRON:
        return tempotron_cost(loss, v_max, label, classes, dv);
    }
    return 0;
}
