/* run_params.h - reads and writes the parameters of a run. */
#ifndef SERVER_COMPUTE_RUN_PARAMS_H
#define SERVER_COMPUTE_RUN_PARAMS_H

#include "core/count_training.h"
#include "core/training.h"
#include "server/json/fields.h"
#include "server/json/writer.h"
#include "server/model/config.h"

/* Reads all parameters of a run (see TrainRequest in openapi.yaml) but its samples and fit. The
 * outputs are set in any case; false with the problem set. */
bool training_params_read(struct fields *fields, const struct model_config *config,
                          struct training_params *ret_params, double *ret_validation_fraction);

/* Reads the loss and its parameters alone. */
void loss_read(struct fields *fields, double v_threshold, struct loss *ret_loss);

/* Reads whether the run fits the encoder to its samples; not so where it is absent. */
bool training_fit_read(struct fields *fields);

/* Writes all of these as one object, defaults included. */
void training_params_write(struct json_writer *json, const struct model_config *config,
                           const struct training_params *params, double validation_fraction,
                           bool fit);

/* Those of a model that counts spikes: of the others it takes no notice. */
struct count_training_params count_training_params_of(const struct training_params *params,
                                                      uint32_t max_spikes);

/* How many of so many samples a validation_fraction sets aside. */
size_t validation_count(size_t count, double validation_fraction);

#endif
