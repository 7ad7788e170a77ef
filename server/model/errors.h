/* errors.h - what a status of the floors below means to a client: the only place that says
 * so. */
#ifndef SERVER_MODEL_ERRORS_H
#define SERVER_MODEL_ERRORS_H

#include "core/status.h"
#include "server/base/problem.h"
#include "server/store/store.h"

/* Sets the problem and returns false, unless the status is OK: then true. `missing` is the code of
 * STORE_NOT_FOUND, e.g. PROBLEM_MODEL_NOT_FOUND, and `name` what was not found, e.g. "iris". */
bool store_succeeded(enum store_status status, enum problem_code missing, const char *name,
                     struct problem *problem);

/* Likewise for the core. */
bool core_succeeded(enum core_status status, struct problem *problem);

#endif
