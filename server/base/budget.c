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
