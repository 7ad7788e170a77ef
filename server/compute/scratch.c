/* scratch.c - a thread-specific pointer, whose destructor frees it at the thread's end. Large
 * scratch memory is not kept: a prediction that needs that much takes long anyway. */
#include "server/compute/scratch.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT_BYTES = 512 * 1024 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;

static void empty(struct scratch *scratch)
{
    arena_finish(&scratch->arena);
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

static struct scratch_shape shape_of(const struct network *network, size_t capacity, bool searches)
{
    const struct network_params *params = &network->params;
    struct scratch_shape shape = {{
        capacity,
        searches,
        params->tempotron.T,
        params->tempotron.out_features,
        params->tempotron.clock,
        network->outputs,
        read_out_max_spikes(&params->read_out),
    }};
    memcpy(shape.sizes + SCRATCH_SIZES - HIDDEN_LAYERS, params->hidden,
           params->hidden_count * sizeof *params->hidden);
    return shape;
}

static size_t bytes_of(const struct network *network, size_t capacity)
{
    const struct network_params *params = &network->params;
    const size_t stride = network_widest_block(network)->stride;
    size_t bytes = sizeof(float) * (3 * params->tempotron.T * stride + 10 * capacity);
    for (size_t l = 0; l < network->depth; l++)
        bytes += sizeof(float) * 16 * network->layers[l].width;
    const uint32_t max_spikes = read_out_max_spikes(&params->read_out);
    if (max_spikes > 0)
        bytes += sizeof(double) * (10 * capacity + 16 * max_spikes);
    return bytes;
}

struct scratch *scratch_borrow(const struct network *network, size_t capacity, bool searches)
{
    struct scratch *scratch = of_this_thread();
    const struct scratch_shape shape = shape_of(network, capacity, searches);
    if (scratch == NULL ||
        (scratch->bytes > 0 && memcmp(&scratch->shape, &shape, sizeof shape) == 0))
        return scratch;
    empty(scratch);
    activity_init(&scratch->activity, network, capacity, &scratch->arena);
    reading_scratch_init(&scratch->reading, network, capacity, searches, &scratch->arena);
    if (arena_status(&scratch->arena) != CORE_OK) {
        empty(scratch);
        return NULL;
    }
    scratch->shape = shape;
    scratch->bytes = bytes_of(network, capacity);
    return scratch;
}

void scratch_return(struct scratch *scratch)
{
    if (scratch != NULL && scratch->bytes > KEPT_BYTES)
        empty(scratch);
}
