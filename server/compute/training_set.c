#include "server/compute/training_set.h"

#include "server/model/samples_json.h"

enum store_status training_set_init(struct training_set *set, struct samples *take_samples,
                                    const struct model *model)
{
    struct samples samples = *take_samples;
    *take_samples = (struct samples){0};
    if (!samples_suit(&samples, model)) {
        samples_finish(&samples);
        return STORE_NO_MEMORY;
    }
    *set = (struct training_set){.samples = samples, .view = samples_view(&samples, model)};
    return STORE_OK;
}

void training_set_finish(struct training_set *set)
{
    samples_finish(&set->samples);
    *set = (struct training_set){0};
}
