/* encoder_json.h - reads and writes the description of an encoder. */
#ifndef SERVER_ENCODER_JSON_H
#define SERVER_ENCODER_JSON_H

#include "encoder.h"
#include "json_reader.h"
#include "json_writer.h"

/* Reads m, x_min, x_max and max_spike_time (default 50) of an object that is open. False, with the
 * problem set and *ret_tuning untouched, where they are no Gaussian tuning. */
bool gaussian_tuning_read(struct fields *fields, struct gaussian_tuning *ret_tuning);

/* Reads the member encoder: {"type": "gaussian_tuning", ...}. */
bool encoder_read(struct fields *parent, struct encoder *ret_encoder);

void encoder_write(struct json_writer *writer, const struct encoder *encoder);

#endif
