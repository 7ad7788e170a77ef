/* errors.h - what a status of the store or the core means to a client. Only this file says so. */
#ifndef SERVER_MODEL_ERRORS_H
#define SERVER_MODEL_ERRORS_H

#include <stdint.h>

#include "core/status.h"
#include "server/base/problem.h"
#include "server/store/store.h"

/* Whether the status is OK; otherwise false with the problem set. `missing` says what was looked
 * for, by the code for STORE_NOT_FOUND: PROBLEM_MODEL_NOT_FOUND or _DATASET_NOT_FOUND; `name` is
 * its id. */
bool errors_store_ok(enum store_status status, enum problem_code missing, const char *name,
                     struct problem *problem);
bool errors_run_ok(enum store_status status, int64_t run, struct problem *problem);
bool errors_core_ok(enum core_status status, struct problem *problem);

/* How the reading of a stored text went. It was checked when it came in: one that can't be read,
 * for another reason than memory, is damaged. */
enum store_status errors_of_stored(bool read, const struct problem *problem);

#endif
