/* budget.h - bytes that many share: what one takes, another can't have until it is given back. Any
 * thread may call. */
#ifndef SERVER_BASE_BUDGET_H
#define SERVER_BASE_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct budget {
    size_t max;
    atomic_size_t used; /* at most max; a zeroed one has all of it */
};

/* False: so much is not there now, and nothing is taken. A budget of which `bytes` are free never
 * refuses them, whatever others ask for meanwhile. */
bool budget_take(struct budget *budget, size_t bytes);

/* Gives back bytes that were taken. */
void budget_give(struct budget *budget, size_t bytes);

/* The bytes that are taken now. */
size_t budget_used(const struct budget *budget);

#endif
