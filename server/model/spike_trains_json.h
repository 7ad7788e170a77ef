/* spike_trains_json.h - reads in_spikes whose entries may be arrays: any number of spikes of an
 * afferent, in any order. */
#ifndef SERVER_MODEL_SPIKE_TRAINS_JSON_H
#define SERVER_MODEL_SPIKE_TRAINS_JSON_H

#include "core/samples.h"
#include "server/json/fields.h"
#include "server/json/numbers.h"

enum { SPIKE_TRAINS_DEPTH = 3 }; /* brackets around the times of a train */

/* Whether some entry of [b][in_features] is an array, so that the whole has to be read as trains.
 * Takes NULL. */
static inline bool spike_trains_are_given(const struct numbers *in_spikes)
{
    return in_spikes != NULL && in_spikes->depth >= SPIKE_TRAINS_DEPTH;
}

/* Reads in_spikes, [b][in_features] of numbers (one spike; negative: silent) and arrays of numbers
 * that are not negative, into samples without labels. Wrong types, ragged rows, numbers beyond
 * float32 and an empty batch are told as by float_array_read(). */
bool spike_trains_read(const struct fields *fields, const struct numbers *in_spikes,
                       size_t in_features, struct samples *ret_samples);

#endif
