/* config_json.h - reads and writes a model's config. */
#ifndef SERVER_MODEL_CONFIG_JSON_H
#define SERVER_MODEL_CONFIG_JSON_H

#include "server/json/fields.h"
#include "server/json/params.h"
#include "server/model/config.h"

/* The fields of a config, which are read into a struct model_config. They have no context. */
enum { CONFIG_PARAMS = 15 };
extern const struct params_row config_json_rows[CONFIG_PARAMS];

/* Reads them from an open document, and checks them and their products against the limits. False
 * with the problem set. */
bool config_json_read(struct fields *fields, struct model_config *ret_config);

/* Writes them as the text of an object, as the store keeps it; NULL: no memory. free() */
char *config_json_text(const struct model_config *config);

/* Whether that text is too long for a listing, and the text without the encoder's ranges. */
bool config_json_is_long(const struct model_config *config);
char *config_json_summary(const struct model_config *config);

#endif
