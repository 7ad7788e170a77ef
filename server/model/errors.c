#include "server/model/errors.h"

#include "server/base/limits.h"

static void set_missing(enum problem_code missing, const char *name, struct problem *problem)
{
    if (missing == PROBLEM_MODEL_NOT_FOUND)
        problem_set(problem, missing, "There is no model named \"%s\".", name);
    else if (missing == PROBLEM_DATASET_NOT_FOUND)
        problem_set(problem, missing, "There is no dataset named \"%s\".", name);
    else
        problem_set(problem, missing, "There is no run %s.", name);
}

bool errors_store_ok(enum store_status status, enum problem_code missing, const char *name,
                     struct problem *problem)
{
    switch (status) {
    case STORE_OK:
        return true;
    case STORE_NOT_FOUND:
        set_missing(missing, name, problem);
        return false;
    case STORE_TAKEN:
        problem_add_field(problem, PROBLEM_ID_TAKEN, "/id", "The id %s is taken.", name);
        return false;
    case STORE_IN_USE:
        problem_set(problem, PROBLEM_MODEL_IN_USE,
                    "A run of %s is queued or running: cancel it or wait for its end.", name);
        return false;
    case STORE_MISMATCH:
        problem_set(problem, PROBLEM_WRONG_SHAPE,
                    "The dataset \"%s\" must have one label for each sample, but the numbers would "
                    "differ. To replace both, delete it first.",
                    name);
        return false;
    case STORE_ENDED:
        problem_set(problem, PROBLEM_RUN_ENDED, "The run %s has ended already.", name);
        return false;
    case STORE_QUEUE_FULL:
        problem_set(problem, PROBLEM_QUEUE_FULL, "%d runs are queued already. Try again later.",
                    LIMIT_QUEUED_RUNS);
        return false;
    case STORE_NO_MEMORY:
        problem_set_no_memory(problem);
        return false;
    case STORE_FULL:
        problem_set(problem, PROBLEM_STORE_FULL, "The disk of the database is full.");
        return false;
    case STORE_UNAVAILABLE:
    case STORE_LOCKED:
        problem_set(problem, PROBLEM_STORE_UNAVAILABLE, "The database can't be used right now.");
        return false;
    case STORE_CORRUPT:
    case STORE_FOREIGN:
    case STORE_NEWER:
        problem_set(problem, PROBLEM_INTERNAL, "The stored data can't be read.");
        return false;
    }
    return false;
}

bool errors_core_ok(enum core_status status, struct problem *problem)
{
    switch (status) {
    case CORE_OK:
        return true;
    case CORE_NO_MEMORY:
        problem_set_no_memory(problem);
        return false;
    case CORE_STOPPED:
        problem_set(problem, PROBLEM_SHUTTING_DOWN, "The service is shutting down.");
        return false;
    case CORE_DIVERGED:
        problem_set(problem, PROBLEM_INTERNAL, "The result is not finite.");
        return false;
    }
    return false;
}
