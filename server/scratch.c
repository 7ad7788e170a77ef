/* scratch.c - a thread-specific pointer, whose destructor frees it at the thread's end. What is
 * large is not kept: a prediction that needs so much takes long anyway. */
#include "scratch.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { KEPT_BYTES = 512 * 1024 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;

static void empty(struct scratch *scratch)
{
    membranes_finish(&scratch->membranes);
    pattern_finish(&scratch->pattern);
    *scratch = (struct scratch){0};
}

static void destroy(void *scratch)
{
    empty(scratch);
    free(scratch);
}

static void make_key(void)
{
    pthread_key_create(&key, destroy);
}

static struct scratch *of_this_thread(void)
{
    pthread_once(&once, make_key);
    struct scratch *scratch = pthread_getspecific(key);
    if (scratch == NULL) {
        scratch = calloc(1, sizeof *scratch);
        if (scratch != NULL && pthread_setspecific(key, scratch) != 0) {
            free(scratch);
            scratch = NULL;
        }
    }
    return scratch;
}

static bool fits(const struct scratch *scratch, const struct tempotron_params *params,
                 size_t capacity)
{
    return scratch->bytes > 0 && scratch->pattern.capacity == capacity &&
           scratch->pattern.last == tempotron_last(params) && scratch->params.T == params->T &&
           scratch->params.out_features == params->out_features &&
           scratch->params.clock == params->clock;
}

static bool fill(struct scratch *scratch, const struct tempotron *tempotron, size_t capacity)
{
    const struct tempotron_params *params = &tempotron->params;
    const size_t rows = params->clock == CLOCK_GRID ? 3 * params->T : 4 * capacity;
    if (pattern_init(&scratch->pattern, capacity, tempotron_last(params)) != CORE_OK ||
        membranes_init(&scratch->membranes, tempotron, capacity) != CORE_OK) {
        empty(scratch);
        return false;
    }
    scratch->params = *params;
    scratch->bytes = sizeof(float) * (rows * tempotron->stride + 2 * capacity);
    return true;
}

struct scratch *scratch_borrow(const struct tempotron *tempotron, size_t capacity)
{
    struct scratch *scratch = of_this_thread();
    if (scratch == NULL || fits(scratch, &tempotron->params, capacity))
        return scratch;
    empty(scratch);
    return fill(scratch, tempotron, capacity) ? scratch : NULL;
}

void scratch_return(struct scratch *scratch)
{
    if (scratch != NULL && scratch->bytes > KEPT_BYTES)
        empty(scratch);
}
