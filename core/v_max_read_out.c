#include "core/v_max_read_out.h"

#include <string.h>

#include "core/exponential.h"

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
