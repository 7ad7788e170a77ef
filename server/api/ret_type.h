/* ret_type.h - which of its answers a prediction is asked for. */
#ifndef SERVER_API_RET_TYPE_H
#define SERVER_API_RET_TYPE_H

#include <stdbool.h>

#include "server/json/fields.h"

/* Reads the member ret_type, one of `names` (ended by NULL) or a list of them, and sets wanted[] of
 * those that are named. False: it is not given. */
bool ret_type_read(struct fields *fields, const char *const *names, bool *wanted);

#endif
