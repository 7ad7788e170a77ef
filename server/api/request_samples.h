/* request_samples.h - the samples that a request is about: those in its body, or those of a dataset
 * that it names. */
#ifndef SERVER_API_REQUEST_SAMPLES_H
#define SERVER_API_REQUEST_SAMPLES_H

#include "server/http/request.h"
#include "server/model/samples_json.h"

/* Reads the member dataset where it is given. False: it is not. Else *ret_dataset is the dataset,
 * which suits the model and goes without x, in_spikes and label; or the problem is set. Free with
 * dataset_record_finish(). */
bool dataset_read(struct service *service, struct fields *fields, const struct model *model,
                  enum samples_use use, struct dataset_record *ret_dataset);

/* Whether the values of a dataset to train on lie in the ranges of the model's encoder, where it
 * rejects others; loads them. False with the problem set. */
bool dataset_check_values(struct service *service, struct fields *fields,
                          const struct dataset_record *dataset, const struct model *model);

/* Reads the samples to predict or to evaluate. False with the problem set, or the reply deferred,
 * since a dataset is not loaded on an event loop. Free with samples_finish(). */
bool request_samples_read(struct service *service, const struct request *request,
                          struct fields *fields, const struct model *model, enum samples_use use,
                          struct reply *reply, struct samples *ret_samples);

#endif
