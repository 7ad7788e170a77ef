#include "trained.h"

#include <string.h>

void keep_epoch(void *context, const struct training_epoch *epoch)
{
    struct last_epoch *last = context;
    last->epoch = *epoch;
    last->epochs++;
}

bool same_weights(const struct tempotron *a, const struct tempotron *b)
{
    return memcmp(a->weight, b->weight, a->params.in_features * a->stride * sizeof(float)) == 0;
}
