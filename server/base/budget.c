#include "server/base/budget.h"

/* The bytes are added only if they fit: a sum that is too large for a moment would make another
 * thread be refused what is there. */
bool budget_take(struct budget *budget, size_t bytes)
{
    size_t used = atomic_load(&budget->used);
    do {
        if (bytes > budget->max - used)
            return false;
    } while (!atomic_compare_exchange_weak(&budget->used, &used, used + bytes));
    return true;
}

void budget_give(struct budget *budget, size_t bytes)
{
    atomic_fetch_sub(&budget->used, bytes);
}

size_t budget_used(const struct budget *budget)
{
    return atomic_load(&budget->used);
}

static size_t counted(const struct charge *charge, size_t bytes)
{
    return bytes > charge->free ? bytes - charge->free : 0;
}

bool charge_take(struct charge *charge, size_t bytes)
{
    if (charge == NULL)
        return true;
    const size_t taken = charge->taken + bytes;
    if (!budget_take(charge->budget, counted(charge, taken) - counted(charge, charge->taken)))
        return false;
    charge->taken = taken;
    return true;
}

bool charge_demand(struct charge *charge, size_t bytes, struct problem *problem)
{
    return charge_take(charge, bytes) || problem_set(problem, PROBLEM_OVERLOADED, CHARGE_REFUSED);
}

void charge_give(struct charge *charge, size_t bytes)
{
    if (charge == NULL || bytes == 0)
        return;
    const size_t taken = charge->taken - bytes;
    budget_give(charge->budget, counted(charge, charge->taken) - counted(charge, taken));
    charge->taken = taken;
}

void charge_finish(struct charge *charge)
{
    charge_give(charge, charge->taken);
}
