/* weight_json.h - reads the weights of a request. */
#ifndef SERVER_WEIGHT_JSON_H
#define SERVER_WEIGHT_JSON_H

#include "json_reader.h"
#include "tempotron.h"

/* Reads weight [out_features][in_features] of a document. *ret_weight: free(). False with the
 * problem set. */
bool weight_read(struct fields *fields, const struct tempotron_params *params, float **ret_weight);

#endif
