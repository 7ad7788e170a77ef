/* v_max_reading.h - the reading of READ_OUT_V_MAX: the highest voltage of each neuron, and the
 * class decided from them (v_max_read_out.h). */
#ifndef CORE_V_MAX_READING_H
#define CORE_V_MAX_READING_H

#include "core/reading.h"

/* Reads the last layer of a sample that has gone forward: v_max, t_max and the scores of the
 * classes. Fills v[out_features][T], its voltages at t = 0 .. T - 1, unless NULL. */
void v_max_reading_voltages(const struct network *network, struct membranes *membranes,
                            struct activity *activity, float *v);

/* The class decided, READING_UNDECIDED if no spike reached the last layer; and
 * spikes[out_features], the time of each neuron's greatest voltage, or -1 if that is below the
 * threshold. The voltages have been read. */
int32_t v_max_reading_label(const struct network *network, const struct activity *activity);
void v_max_reading_spikes(const struct network *network, const struct activity *activity,
                          float *spikes);

/* See reading_take(). */
void v_max_reading_take(const struct network *network, const struct reading_task *task,
                        struct membranes *membranes, struct activity *activity,
                        struct layer_gradient *gradient, struct reading *ret_reading);

#endif
