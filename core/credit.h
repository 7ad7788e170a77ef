/* credit.h - what each spike of a sample has to do with the sample's loss.
 *
 *     dL/dw_ji = sum over the spikes t_i of dL/dv_max_j K(t_max_j - t_i)
 *
 * The term depends on the output j and on when the spike was, not on its afferent: it is a table
 * of rows of outputs, of which each spike adds one to its afferent's row of the gradient. On the
 * grid there is a row for each step, on the continuous clock one for each spike. */
#ifndef CORE_CREDIT_H
#define CORE_CREDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "pattern.h"
#include "status.h"
#include "tempotron.h"

struct credit {
    size_t stride;
    enum tempotron_clock clock;
    bool is_zero; /* dv was 0 throughout: the rows are not filled */
    float *rise;  /* [T or capacity][stride] dv K(t_max - t); owned, one block with `fall` */
    float *fall;  /* [T][stride] dv exp(-(t_max - t)/tau), for spikes between two steps of the grid;
                     NULL on the continuous clock */
};

/* The memory that a table for patterns of up to `capacity` spikes takes. */
size_t credit_bytes(const struct tempotron *tempotron, size_t capacity);
enum core_status credit_init(struct credit *credit, const struct tempotron *tempotron,
                             size_t capacity);
void credit_finish(struct credit *credit); /* does nothing on a zeroed one */

/* Adds a pattern's part to the gradient[in_features][stride] (aligned for vectors) of the afferents
 * first .. end - 1. */
void credit_add(const struct credit *credit, const struct tempotron *tempotron,
                const struct pattern *pattern, size_t first, size_t end, float *gradient);

#endif
