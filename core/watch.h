/* watch.h - who may end what takes long, asked again and again, by any hand of a crew. */
#ifndef CORE_WATCH_H
#define CORE_WATCH_H

#include <stdbool.h>
#include <stddef.h>

struct watch {
    void *context;
    bool (*goes_on)(void *context); /* NULL: nobody */
};

static inline bool watch_goes_on(const struct watch *watch)
{
    return watch == NULL || watch->goes_on == NULL || watch->goes_on(watch->context);
}

#endif
