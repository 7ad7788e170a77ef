#include "samples.h"

#include <stdlib.h>

void samples_finish(struct samples *samples)
{
    free(samples->values);
    free(samples->label);
    *samples = (struct samples){0};
}
