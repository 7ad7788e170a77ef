/* run_params.h - the parameters of a run, in one table: reads and writes them. */
#ifndef SERVER_COMPUTE_RUN_PARAMS_H
#define SERVER_COMPUTE_RUN_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/training.h"
#include "server/json/fields.h"
#include "server/json/params.h"
#include "server/json/writer.h"
#include "server/model/config.h"

struct run_params {
    struct training_params training;
    double validation_fraction; /* the share of the samples to set aside as validation; 0: none */
    size_t checkpoint_every;    /* epochs after which a version is kept; 0: never */
    bool fit;                   /* take the encoder's ranges from the samples */
};

/* Those of TrainRequest in openapi.yaml, apart from its samples. Their context is the model's
 * config. */
extern const struct params_row run_params_rows[];
extern const size_t run_params_count;

/* The members of augment. */
enum { AUGMENT_PARAMS = 3 };
extern const struct params_row run_params_augment_rows[AUGMENT_PARAMS];

/* Reads all of them. False with the problem set; *ret_params is set in any case. */
bool run_params_read(struct fields *fields, const struct model_config *config,
                     struct run_params *ret_params);

/* Reads the loss and its parameters only. Adds what is wrong to the problem. */
void run_params_read_loss(struct fields *fields, const struct model_config *config,
                          struct loss *ret_loss);

/* Writes all of them as one object, with the defaults. */
void run_params_write(struct buffer *json, const struct model_config *config,
                      const struct run_params *params);

/* How many of that many samples a validation_fraction sets aside. */
size_t run_params_validation_count(size_t count, double validation_fraction);

/* How many versions of its epochs the run keeps, at most LIMIT_KEPT_VERSIONS. */
size_t run_params_kept_versions(const struct run_params *params);

#endif
