/* request_samples.h - the samples that a request is about: those in its body, or those of a dataset
 * that it names. */
#ifndef SERVER_API_REQUEST_SAMPLES_H
#define SERVER_API_REQUEST_SAMPLES_H

#include "server/http/request.h"
#include "server/model/samples_json.h"
#include "server/store/datasets.h"

/* The samples to predict or to evaluate. */
struct request_samples {
    struct samples samples;     /* owned; count 0: those of the dataset are not loaded yet */
    char dataset[LIMIT_ID + 1]; /* whose samples they are; "": the request's own */
};

/* Reads the members x, in_spikes and label, or count, or the member dataset, which must suit the
 * model. False with the problem set. */
bool request_samples_read(struct service *service, struct fields *fields, const struct model *model,
                          enum samples_use use, struct request_samples *ret_samples);
void request_samples_finish(struct request_samples *samples); /* does nothing on a zeroed one */

/* Loads the samples of the dataset, if one is named; does nothing otherwise. Waits for the disk.
 * False with the problem set. */
bool request_samples_load(struct service *service, const struct model *model, enum samples_use use,
                          struct problem *problem, struct request_samples *samples);

static inline bool request_samples_are_loaded(const struct request_samples *samples)
{
    return samples->samples.count > 0;
}

/* The JSON pointer of the member that holds the samples or names them. */
const char *request_samples_pointer(const struct request_samples *samples);

/* Reads the member dataset where it is given. False: it is not. Else *ret_dataset is the dataset,
 * which suits the model and goes without x, in_spikes and label; or the problem is set. Free with
 * dataset_record_finish(). */
bool dataset_read(struct service *service, struct fields *fields, const struct model *model,
                  enum samples_use use, struct dataset_record *ret_dataset);

/* Whether the values of a dataset to train on lie in the ranges of the model's encoder, where it
 * rejects others; loads them. False with the problem set. */
bool dataset_check_values(struct service *service, struct fields *fields,
                          const struct dataset_record *dataset, const struct model *model);

#endif
