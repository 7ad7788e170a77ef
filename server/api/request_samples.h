/* request_samples.h - what a request sends through a model: the samples in its body, or those of a
 * dataset that it names. */
#ifndef SERVER_API_REQUEST_SAMPLES_H
#define SERVER_API_REQUEST_SAMPLES_H

#include "server/http/request.h"
#include "server/json/document.h"
#include "server/model/samples_json.h"
#include "server/store/datasets.h"

/* The samples to predict or to evaluate. */
struct request_samples {
    struct model *model;        /* owned */
    struct samples samples;     /* owned; count 0: the dataset is not loaded yet */
    char dataset[LIMIT_ID + 1]; /* the id of the dataset; "": the samples are in the body */
    struct memory *memory;      /* that the bytes are taken from; borrowed */
    size_t taken;               /* bytes, for the dataset */
};

/* Finds the model that the path names, and makes a document of the body. NULL with the problem set.
 */
struct document *request_samples_open(struct service *service, const struct request *request,
                                      struct problem *problem, struct request_samples *samples);
void request_samples_finish(struct request_samples *samples); /* does nothing on a zeroed one */

/* Reads the members x, in_spikes and label, or count, or the member dataset, which must suit the
 * model. Adds what is wrong to the problem. */
void request_samples_read(struct service *service, struct fields *fields, enum samples_use use,
                          struct request_samples *samples);

/* Loads the samples of the dataset, if one is named; does nothing otherwise. Waits for the disk.
 * False with the problem set. */
bool request_samples_load(struct service *service, enum samples_use use, struct problem *problem,
                          struct request_samples *samples);

static inline bool request_samples_are_loaded(const struct request_samples *samples)
{
    return samples->samples.count > 0;
}

/* Reads the member dataset. False: it is not given. True: *ret_dataset is a dataset that suits the
 * model, and x, in_spikes and label are not given beside it; or the problem is set. A dataset to
 * train on is read through, without being loaded, to check that it has no values outside the
 * ranges, if the model's encoder rejects those. Free it with dataset_record_finish(). */
bool request_samples_find_dataset(struct service *service, struct fields *fields,
                                  const struct model *model, enum samples_use use,
                                  struct dataset_record *ret_dataset);

#endif
