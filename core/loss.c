#include "loss.h"

#include <stdbool.h>

double mse_loss(const float *v_max, const float *v_threshold, size_t threshold_stride,
                const int32_t *label, size_t batch, size_t classes)
{
    double sum = 0;
    for (size_t b = 0; b < batch; b++) {
        for (size_t j = 0; j < classes; j++) {
            const size_t at = b * classes + j;
            const float threshold = v_threshold[at * threshold_stride];
            const bool fires = v_max[at] >= threshold;
            const bool should_fire = label[b] >= 0 && (size_t)label[b] == j;
            const double error = (double)v_max[at] - (double)threshold;
            if (fires != should_fire)
                sum += error * error;
        }
    }
    return sum / (double)batch;
}
