#include "training_set.h"

#include <stdlib.h>

#include "samples_json.h"

static bool are_bytes(const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!(values[i] >= 0 && values[i] <= 255 && values[i] == (float)(uint8_t)values[i]))
            return false;
    return true;
}

/* False: no memory. */
static bool turn_to_bytes(struct training_set *set, const struct model_config *config)
{
    const size_t count = set->samples.count * set->samples.features;
    set->bytes = malloc(count);
    if (set->bytes == NULL ||
        byte_table_init(&set->table, &config->encoder, tempotron_last(&config->params)) != CORE_OK)
        return false;
    for (size_t i = 0; i < count; i++)
        set->bytes[i] = (uint8_t)set->samples.values[i];
    free(set->samples.values);
    set->samples.values = NULL;
    return true;
}

enum store_status training_set_init(struct training_set *set, struct samples *take_samples,
                                    const struct model_config *config)
{
    *set = (struct training_set){.samples = *take_samples};
    *take_samples = (struct samples){0};
    const size_t count = set->samples.count * set->samples.features;
    if (set->samples.kind == SAMPLES_X && count > 0 && byte_table_fits(&config->encoder) &&
        are_bytes(set->samples.values, count) && !turn_to_bytes(set, config)) {
        training_set_finish(set);
        return STORE_NO_MEMORY;
    }
    set->view = samples_view(&set->samples, config);
    if (set->bytes != NULL) {
        set->view.kind = SAMPLE_BYTES;
        set->view.bytes = set->bytes;
        set->view.table = &set->table;
    }
    return STORE_OK;
}

void training_set_finish(struct training_set *set)
{
    samples_finish(&set->samples);
    free(set->bytes);
    byte_table_finish(&set->table);
    *set = (struct training_set){0};
}
