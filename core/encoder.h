/* encoder.h - turns a sample of real values into an input pattern: a tagged type, one member a
 * code. */
#ifndef CORE_ENCODER_H
#define CORE_ENCODER_H

#include <stddef.h>

#include "gaussian_tuning.h"
#include "pattern.h"

enum encoder_type { ENCODER_GAUSSIAN_TUNING };

struct encoder {
    enum encoder_type type;
    union {
        struct gaussian_tuning gaussian_tuning;
    };
};

void encoder_finish(struct encoder *encoder); /* does nothing on a zeroed one */

size_t encoder_features(const struct encoder *encoder);  /* values of a sample */
size_t encoder_afferents(const struct encoder *encoder); /* neurons that encode one */
size_t encoder_spikes(const struct encoder *encoder);    /* of one sample, at most */

/* Fills the pattern with the spikes of x[features]. Its capacity is at least
 * encoder_spikes(). */
void encoder_encode(const struct encoder *encoder, const float *x, struct pattern *pattern);

#endif
