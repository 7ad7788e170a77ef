/* weights_json.h - reads the weights of a model's layers. */
#ifndef SERVER_MODEL_WEIGHTS_JSON_H
#define SERVER_MODEL_WEIGHTS_JSON_H

#include "server/json/fields.h"
#include "server/model/weights.h"

/* Whether an open object has those of some layer. Declares those of every layer. */
bool weights_json_are_given(struct fields *fields, const struct network_params *params);

/* Reads those of every layer, or of one in place of what is there. False with the problem set. */
bool weights_json_read(struct fields *fields, const struct network_params *params,
                       struct weights *ret_weights);
bool weights_json_read_layer(struct fields *fields, const struct network_params *params,
                             size_t layer, struct weights *weights);

#endif
