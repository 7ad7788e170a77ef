/* encoder_json.h - reads and writes the description of an encoder. */
#ifndef SERVER_MODEL_ENCODER_JSON_H
#define SERVER_MODEL_ENCODER_JSON_H

#include "core/encoder.h"
#include "server/json/fields.h"
#include "server/json/writer.h"
#include "server/model/encoder_ranges.h"

/* Reads the fields of an encoder from an object that is open, of which the samples are another
 * member: type (gaussian_tuning where it is absent), n, x_min, x_max, max_spike_time (default 50),
 * out_of_range (default silent) and, by the type, m or scale. False with the problem set. Free with
 * encoder_finish(). */
bool encoder_json_read_function(struct fields *fields, struct encoder *ret_encoder);

/* Reads the member encoder: {"type": "gaussian_tuning", ...}, likewise; where n is given, x_min and
 * x_max may both be left out. */
bool encoder_json_read(struct fields *parent, struct encoder *ret_encoder,
                       enum encoder_ranges *ret_ranges);

void encoder_json_write(struct json_writer *writer, const struct encoder *encoder,
                        enum encoder_ranges ranges);

#endif
