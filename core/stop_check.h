/* stop_check.h - lets a caller stop long work: the work asks again and again, from any thread of a
 * team, whether a stop was requested. */
#ifndef CORE_STOP_CHECK_H
#define CORE_STOP_CHECK_H

#include <stdbool.h>
#include <stddef.h>

struct stop_check {
    void *context;
    bool (*stop_requested)(void *context); /* NULL: never */
};

/* stop_check may be NULL: never. */
static inline bool stop_check_requested(const struct stop_check *stop_check)
{
    return stop_check != NULL && stop_check->stop_requested != NULL &&
           stop_check->stop_requested(stop_check->context);
}

#endif
