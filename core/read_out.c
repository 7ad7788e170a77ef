#include "core/read_out.h"

#include <string.h>

#include "core/exponential.h"

static float greatest_of(const float *values, size_t count)
{
    float greatest = values[0];
    for (size_t i = 1; i < count; i++)
        greatest = values[i] > greatest ? values[i] : greatest;
    return greatest;
}

/* exp(beta (v - greatest)), relative to the greatest so that nothing overflows. */
static double share(const struct read_out *read_out, float v, float greatest)
{
    return exp_nonpositive((double)read_out->beta * ((double)v - (double)greatest));
}

static double share_sum(const struct read_out *read_out, const float *v, float greatest)
{
    double sum = 0;
    for (size_t g = 0; g < read_out->neurons_per_class; g++)
        sum += share(read_out, v[g], greatest);
    return sum;
}

void read_out_scores(const struct read_out *read_out, const float *v_max, size_t classes,
                     float *score)
{
    const size_t group = read_out->neurons_per_class;
    if (group == 1) {
        memcpy(score, v_max, classes * sizeof *score);
        return;
    }
    for (size_t k = 0; k < classes; k++) {
        const float *v = v_max + k * group;
        const float greatest = greatest_of(v, group);
        const double sum = share_sum(read_out, v, greatest);
        score[k] = (float)((double)greatest + logarithm(sum) / (double)read_out->beta);
    }
}

float read_out_rest(const struct read_out *read_out)
{
    if (read_out->neurons_per_class == 1)
        return 0;
    return (float)(logarithm((double)read_out->neurons_per_class) / (double)read_out->beta);
}

void read_out_backward(const struct read_out *read_out, const float *v_max, const float *ds,
                       size_t classes, float *dv)
{
    const size_t group = read_out->neurons_per_class;
    if (group == 1) {
        memcpy(dv, ds, classes * sizeof *dv);
        return;
    }
    for (size_t k = 0; k < classes; k++) {
        const float *v = v_max + k * group;
        const float greatest = greatest_of(v, group);
        const double sum = share_sum(read_out, v, greatest);
        for (size_t g = 0; g < group; g++)
            dv[k * group + g] = (float)((double)ds[k] * share(read_out, v[g], greatest) / sum);
    }
}

size_t read_out_decide(const float *score, size_t classes)
{
    size_t best = 0;
    for (size_t k = 1; k < classes; k++)
        if (score[k] > score[best])
            best = k;
    return best;
}
