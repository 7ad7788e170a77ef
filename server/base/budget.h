/* budget.h - bytes that many share: what one takes, another can't have until it is given back. Any
 * thread may call. */
#ifndef SERVER_BASE_BUDGET_H
#define SERVER_BASE_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "server/base/problem.h"

/* What overloaded says then. */
#define CHARGE_REFUSED "Requests take all of the memory that there is for them now (--max-bodies)."

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

/* What one user has taken of a budget, less what is free for each. One thread at a time. */
struct charge {
    struct budget *budget;
    size_t free;
    size_t taken;
};

/* NULL, in place of a charge, counts nothing. */
bool charge_take(struct charge *charge, size_t bytes);
/* The same for what a request needs. False with the problem set: overloaded. */
bool charge_demand(struct charge *charge, size_t bytes, struct problem *problem);
void charge_give(struct charge *charge, size_t bytes);
/* Gives back all that was taken. Does nothing on a zeroed charge. */
void charge_finish(struct charge *charge);

#endif
