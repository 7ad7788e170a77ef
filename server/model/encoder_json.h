/* encoder_json.h - reads and writes the description of an encoder. */
#ifndef SERVER_MODEL_ENCODER_JSON_H
#define SERVER_MODEL_ENCODER_JSON_H

#include "core/encoder.h"
#include "server/json/fields.h"
#include "server/json/params.h"
#include "server/json/writer.h"
#include "server/model/encoder_ranges.h"

/* What encoders have besides type, n, x_min and x_max: those of one type, and of all. */
enum { GAUSSIAN_TUNING_PARAMS = 1, LATENCY_PARAMS = 1, ENCODER_PARAMS = 2 };
extern const struct params_row encoder_json_gaussian_tuning_rows[GAUSSIAN_TUNING_PARAMS];
extern const struct params_row encoder_json_latency_rows[LATENCY_PARAMS];
extern const struct params_row encoder_json_rows[ENCODER_PARAMS];

/* Reads an encoder from an open object that has the samples too. Without a type it is
 * gaussian_tuning. False with the problem set. Free with encoder_finish(). */
bool encoder_json_read_function(struct fields *fields, struct encoder *ret_encoder);

/* Reads the member encoder, likewise; it has a type, and if n is given it may have no ranges. */
bool encoder_json_read(struct fields *parent, struct encoder *ret_encoder,
                       enum encoder_ranges *ret_ranges);

void encoder_json_write(struct buffer *json, const struct encoder *encoder,
                        enum encoder_ranges ranges);

#endif
