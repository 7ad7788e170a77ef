/* scratch.c - a thread-specific pointer, whose destructor frees it at the thread's end. What is
 * large is not kept: a prediction that needs so much takes long anyway. */
#include "server/compute/scratch.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { KEPT_BYTES = 512 * 1024 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;

static void empty(struct scratch *scratch)
{
    membranes_finish(&scratch->membranes);
    activity_finish(&scratch->activity);
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

static bool has_equal_layers(const struct network_params *a, const struct network_params *b)
{
    bool equal = a->hidden_count == b->hidden_count;
    for (size_t l = 0; equal && l < a->hidden_count; l++)
        equal = a->hidden[l] == b->hidden[l];
    return equal && network_outputs(a) == network_outputs(b);
}

static bool fits(const struct scratch *scratch, const struct network_params *params,
                 size_t capacity)
{
    const struct tempotron_params *a = &scratch->params.tempotron, *b = &params->tempotron;
    return scratch->bytes > 0 && scratch->capacity == capacity && a->T == b->T &&
           a->out_features == b->out_features && a->clock == b->clock &&
           has_equal_layers(&scratch->params, params);
}

static bool fill(struct scratch *scratch, const struct network *network, size_t capacity)
{
    const struct tempotron *block = network_widest_block(network);
    const size_t T = network->params.tempotron.T;
    if (activity_init(&scratch->activity, network, capacity) != CORE_OK ||
        membranes_init(&scratch->membranes, block, 0) != CORE_OK) {
        empty(scratch);
        return false;
    }
    scratch->params = network->params;
    scratch->capacity = capacity;
    scratch->bytes = sizeof(float) * (3 * T * block->stride + 10 * capacity);
    for (size_t l = 0; l < network->depth; l++)
        scratch->bytes += sizeof(float) * 16 * network->layers[l].lanes;
    return true;
}

struct scratch *scratch_borrow(const struct network *network, size_t capacity)
{
    struct scratch *scratch = of_this_thread();
    if (scratch == NULL || fits(scratch, &network->params, capacity))
        return scratch;
    empty(scratch);
    return fill(scratch, network, capacity) ? scratch : NULL;
}

void scratch_return(struct scratch *scratch)
{
    if (scratch != NULL && scratch->bytes > KEPT_BYTES)
        empty(scratch);
}
