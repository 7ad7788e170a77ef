#include "server/model/memory.h"

/* A request may have given back what is needed before it could see that a run waits: hence the
 * second try. */
bool memory_take_for_run(struct memory *memory, size_t bytes)
{
    bool taken = budget_take(&memory->budget, bytes);
    if (!taken) {
        atomic_store(&memory->run_waits, true);
        taken = budget_take(&memory->budget, bytes);
    }
    if (taken) {
        atomic_fetch_add(&memory->runs, 1);
        atomic_store(&memory->run_waits, false);
    }
    return taken;
}

void memory_no_run_waits(struct memory *memory)
{
    atomic_store(&memory->run_waits, false);
}

void memory_give_of_run(struct memory *memory, size_t bytes)
{
    atomic_fetch_sub(&memory->runs, 1);
    budget_give(&memory->budget, bytes);
}

bool memory_can_hold(const struct memory *memory, size_t bytes, const char *pointer,
                     struct problem *problem)
{
    return bytes <= memory->budget.max ||
           problem_add_field(problem, PROBLEM_TOO_LARGE, pointer,
                             "This needs about %zu MiB of memory, and --memory is %zu MiB.",
                             (bytes >> 20) + 1, memory->budget.max >> 20);
}

static bool take(struct memory *memory, size_t bytes)
{
    const bool gives_way = atomic_load(&memory->run_waits) && atomic_load(&memory->runs) == 0;
    return !gives_way && budget_take(&memory->budget, bytes);
}

size_t memory_take_for_model(struct memory *memory, size_t bytes)
{
    const size_t counted = bytes < memory->budget.max ? bytes : memory->budget.max;
    return take(memory, counted) ? counted : 0;
}

bool memory_take(struct memory *memory, size_t bytes, const char *pointer, struct problem *problem)
{
    if (bytes == 0)
        return true;
    if (!memory_can_hold(memory, bytes, pointer, problem))
        return false;
    return take(memory, bytes) ||
           problem_set(problem, PROBLEM_OVERLOADED,
                       "This needs about %zu MiB of memory, which is in use. Try again later.",
                       (bytes >> 20) + 1);
}

void memory_give(struct memory *memory, size_t bytes)
{
    if (bytes == 0)
        return;
    budget_give(&memory->budget, bytes);
    if (atomic_load(&memory->run_waits))
        memory->on_room(memory->context);
}
