#include "server/model/errors.h"

#include <stdio.h>

#include "server/base/limits.h"

static bool refuse_use(enum problem_code missing, const char *name, struct problem *problem)
{
    if (missing == PROBLEM_DATASET_NOT_FOUND)
        return problem_set(
            problem, PROBLEM_DATASET_IN_USE,
            "A run that uses %s is queued or running: cancel it or wait for its end.", name);
    return problem_set(problem, PROBLEM_MODEL_IN_USE,
                       "A run of %s is queued or running: cancel it or wait for its end.", name);
}

static const char unusable[] = "The database can't be used right now.";
static const char broken[] =
    "The file of the database, or its -wal, is damaged. Nothing of it was used or changed; look at "
    "it with tempotrond check, and restore a backup.";

static bool damaged(enum problem_code missing, const char *name, struct problem *problem)
{
    if (name == NULL || *name == '\0')
        return problem_set(problem, PROBLEM_DAMAGED_DATA, "The database is damaged.");
    return problem_set(problem, PROBLEM_DAMAGED_DATA,
                       "What the database holds of the %s \"%s\" is damaged. Nothing of it was "
                       "used; restore it from a backup, or delete it.",
                       missing == PROBLEM_MODEL_NOT_FOUND     ? "model"
                       : missing == PROBLEM_DATASET_NOT_FOUND ? "dataset"
                                                              : "run",
                       name);
}

static bool refuse_queue(const char *name, struct problem *problem)
{
    return problem_set(problem, PROBLEM_QUEUE_FULL,
                       "%d runs of %s are queued already. Try again later.",
                       LIMIT_QUEUED_RUNS_OF_MODEL, name);
}

static bool refuse_shape(const char *name, struct problem *problem)
{
    return problem_set(problem, PROBLEM_WRONG_SHAPE,
                       "The dataset \"%s\" must have one label for each sample, but the numbers "
                       "would differ. To replace both, delete it first.",
                       name);
}

static const char full[] =
    "The disk is full, or the database is as large as --max-store allows. Make "
    "room on the disk, or delete models or datasets.";

static bool say_missing(enum problem_code missing, const char *name, struct problem *problem)
{
    return problem_set(problem, missing,
                       missing == PROBLEM_MODEL_NOT_FOUND     ? "There is no model named \"%s\"."
                       : missing == PROBLEM_DATASET_NOT_FOUND ? "There is no dataset named \"%s\"."
                                                              : "There is no run %s.",
                       name);
}

bool errors_store_ok(enum store_status status, enum problem_code missing, const char *name,
                     struct problem *problem)
{
    switch (status) {
    case STORE_OK:
        return true;
    case STORE_NOT_FOUND:
        return say_missing(missing, name, problem);
    case STORE_TAKEN:
        return problem_add_field(problem, PROBLEM_ID_TAKEN, "/id", "The id %s is taken.", name);
    case STORE_IN_USE:
        return refuse_use(missing, name, problem);
    case STORE_MISMATCH:
        return refuse_shape(name, problem);
    case STORE_OTHER_REQUEST:
        return problem_set(problem, PROBLEM_KEY_REUSED,
                           "The Idempotency-Key came with another request before.");
    case STORE_CHANGED:
        return problem_set(problem, PROBLEM_PRECONDITION_FAILED,
                           "%s is not as If-Match says: it was changed or deleted.", name);
    case STORE_ENDED:
        return problem_set(problem, PROBLEM_RUN_ENDED, "The run %s has ended already.", name);
    case STORE_QUEUE_FULL:
        return problem_set(problem, PROBLEM_QUEUE_FULL,
                           "%d runs are queued already. Try again later.", LIMIT_QUEUED_RUNS);
    case STORE_MODEL_QUEUE_FULL:
        return refuse_queue(name, problem);
    case STORE_NO_ROOM:
        return problem_set(problem, PROBLEM_OVERLOADED, "The memory is in use. Try again later.");
    case STORE_STOPPED:
        return problem_set(problem, PROBLEM_SHUTTING_DOWN, "The server is stopping.");
    case STORE_NO_MEMORY:
        return problem_set_no_memory(problem);
    case STORE_FULL:
        return problem_set(problem, PROBLEM_STORE_FULL, "%s", full);
    case STORE_UNAVAILABLE:
    case STORE_LOCKED:
        return problem_set(problem, PROBLEM_STORE_UNAVAILABLE, "%s", unusable);
    case STORE_BROKEN:
        return problem_set(problem, PROBLEM_DAMAGED_DATA, "%s", broken);
    case STORE_CORRUPT:
        return damaged(missing, name, problem);
    case STORE_NO_FILE:
    case STORE_NO_LOG_FILE:
    case STORE_UNFINISHED:
    case STORE_FOREIGN:
    case STORE_NEWER:
    case STORE_ALTERED:
        return problem_set(problem, PROBLEM_INTERNAL, "The stored data can't be read.");
    }
    return false;
}

bool errors_run_ok(enum store_status status, int64_t run, struct problem *problem)
{
    char name[24];
    snprintf(name, sizeof name, "%lld", (long long)run);
    return errors_store_ok(status, PROBLEM_RUN_NOT_FOUND, name, problem);
}

bool errors_core_ok(enum core_status status, struct problem *problem)
{
    switch (status) {
    case CORE_OK:
        return true;
    case CORE_NO_MEMORY:
        return problem_set_no_memory(problem);
    case CORE_STOPPED:
        return problem_set(problem, PROBLEM_SHUTTING_DOWN, "The service is shutting down.");
    case CORE_DIVERGED:
        return problem_set(problem, PROBLEM_INTERNAL, "The result is not finite.");
    }
    return false;
}

enum store_status errors_of_stored(bool read, const struct problem *problem)
{
    if (read)
        return STORE_OK;
    return problem->code == PROBLEM_OUT_OF_MEMORY ? STORE_NO_MEMORY : STORE_CORRUPT;
}
