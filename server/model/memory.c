#include "server/model/memory.h"

void memory_init(struct memory *memory, size_t bytes)
{
    *memory = (struct memory){.runs.max = bytes - bytes / 4,
                              .requests.max = bytes / 4,
                              .models = PTHREAD_MUTEX_INITIALIZER};
}

void memory_finish(struct memory *memory)
{
    pthread_mutex_destroy(&memory->models);
}

static bool fits(const struct budget *budget, size_t bytes, const char *which, const char *pointer,
                 struct problem *problem)
{
    return bytes <= budget->max ||
           problem_add_field(problem, PROBLEM_TOO_LARGE, pointer,
                             "This needs about %zu MiB of memory, and %s have %zu MiB (--memory).",
                             (bytes >> 20) + 1, which, budget->max >> 20);
}

bool memory_fits_run(const struct memory *memory, size_t bytes, struct problem *problem)
{
    return fits(&memory->runs, bytes, "runs", "", problem);
}

size_t memory_take_for_model(struct memory *memory, size_t bytes)
{
    struct budget *requests = &memory->requests;
    const size_t counted = bytes < requests->max ? bytes : requests->max;
    return budget_take(requests, counted) ? counted : 0;
}

bool memory_take(struct memory *memory, size_t bytes, const char *pointer, struct problem *problem)
{
    if (!fits(&memory->requests, bytes, "requests", pointer, problem))
        return false;
    return budget_take(&memory->requests, bytes) ||
           problem_set(problem, PROBLEM_OVERLOADED,
                       "This needs about %zu MiB of memory, which is in use. Try again later.",
                       (bytes >> 20) + 1);
}

void memory_give(struct memory *memory, size_t bytes)
{
    budget_give(&memory->requests, bytes);
}
