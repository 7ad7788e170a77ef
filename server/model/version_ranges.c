#include "server/model/version_ranges.h"

#include <string.h>

#include "server/store/sizes.h"

#define PREFIX "encoder."
static const char x_min_name[] = PREFIX "x_min", x_max_name[] = PREFIX "x_max";

static struct tensor tensor_of(const char *name, const float *values, size_t n)
{
    struct tensor tensor = {.rows = 1, .columns = n, .values = values};
    strncpy(tensor.name, name, TENSOR_NAME - 1);
    return tensor;
}

const struct encoder *version_ranges_fitted(const struct model_config *config)
{
    return config->has_encoder && config->ranges == RANGES_FITTED ? &config->encoder : NULL;
}

size_t version_ranges_put(const struct encoder *fitted, struct tensor tensors[RANGE_TENSORS])
{
    if (fitted == NULL)
        return 0;
    tensors[0] = tensor_of(x_min_name, encoder_x_min(fitted), encoder_features(fitted));
    tensors[1] = tensor_of(x_max_name, encoder_x_max(fitted), encoder_features(fitted));
    return RANGE_TENSORS;
}

size_t version_ranges_count(const struct tensors *tensors)
{
    size_t count = 0;
    for (size_t i = 0; i < tensors->count; i++)
        count += strncmp(tensors->items[i].name, PREFIX, strlen(PREFIX)) == 0;
    return count;
}

static bool is_row(const struct tensor *tensor, size_t n)
{
    return tensor != NULL && tensor->rows == 1 && tensor->columns == n;
}

enum store_status version_ranges_take(const struct tensors *tensors, struct model_config *config)
{
    struct encoder encoder;
    const struct tensor *x_min = tensors_find(tensors, x_min_name),
                        *x_max = tensors_find(tensors, x_max_name);
    if (version_ranges_count(tensors) == 0)
        return STORE_OK;
    if (!config->has_encoder || version_ranges_count(tensors) != RANGE_TENSORS ||
        !is_row(x_min, encoder_features(&config->encoder)) ||
        !is_row(x_max, encoder_features(&config->encoder)))
        return STORE_CORRUPT;
    if (encoder_with_ranges(&config->encoder, x_min->values, x_max->values, &encoder) != CORE_OK)
        return STORE_NO_MEMORY;
    encoder_finish(&config->encoder);
    config->encoder = encoder;
    config->ranges = RANGES_FITTED;
    return STORE_OK;
}

enum store_status version_ranges_peek(struct store *store, int64_t model, int64_t version,
                                      struct tensors *ret_tensors)
{
    return store_version_peek(store, model, version, PREFIX, ret_tensors);
}

size_t version_ranges_size_of_model(struct store *store, const char *id, size_t enough)
{
    return store_size_of_model(store, id, PREFIX, enough);
}

enum store_status version_ranges_features(struct store *store, int64_t model, int64_t version,
                                          size_t *ret_features)
{
    const enum store_status status =
        store_version_columns(store, model, version, x_min_name, ret_features);
    if (status != STORE_NOT_FOUND)
        return status;
    *ret_features = 0;
    return STORE_OK;
}
