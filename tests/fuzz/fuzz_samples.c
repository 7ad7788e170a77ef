/* Any bytes as the body of a request with samples: x or in_spikes with their targets, of a model of
 * each kind, and weights. What is accepted has the shape of the model. The first byte says which
 * model it is. */
#include <string.h>

#include "server/model/config_json.h"
#include "server/model/samples_json.h"
#include "server/model/weights_json.h"
#include "tests/fuzz/fuzz.h"

enum { MODELS = 4 };

static const char plain[] = "{\"in_features\":3,\"out_features\":2,\"T\":9}";
static const char encoded[] =
    "{\"out_features\":2,\"encoder\":{\"type\":\"gaussian_tuning\",\"m\":3,\"x_min\":[0,-1],"
    "\"x_max\":[9,1],\"max_spike_time\":9,\"out_of_range\":\"reject\"}}";
static const char deep[] = "{\"in_features\":3,\"out_features\":2,\"T\":9,\"hidden\":[2],"
                           "\"clock\":\"continuous\"}";
static const char counting[] = "{\"in_features\":3,\"out_features\":2,\"T\":9,"
                               "\"read_out\":\"spike_count\",\"max_spikes\":5}";
static const char *const configs[MODELS] = {plain, encoded, deep, counting};

static struct model *make_model(const char *config)
{
    struct fields fields;
    struct problem problem = {0};
    struct model *model = calloc(1, sizeof *model);
    struct document *document = document_read_stored(config, &problem);
    demand(model != NULL && fields_open_document(&fields, document, &problem) &&
           config_json_read(&fields, &model->config));
    document_destroy(document);
    return model;
}

static void read_samples(struct fields *fields, const struct model *model, enum samples_use use)
{
    struct samples samples = {0};
    const bool is_read = samples_json_read(fields, model, use, &samples);
    demand(is_read != problem_is_set(fields->problem));
    if (is_read) {
        demand(samples.count > 0 && samples.features == model_config_features(&model->config));
        samples_finish(&samples);
    }
}

static void read_weights(struct fields *fields, const struct model *model)
{
    struct weights weights;
    if (!weights_json_are_given(fields, &model->config.network))
        return;
    if (weights_json_read(fields, &model->config.network, &weights))
        weights_finish(&weights);
    else
        demand(problem_is_set(fields->problem));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct model *models[MODELS];
    if (models[0] == NULL)
        for (size_t i = 0; i < MODELS; i++)
            models[i] = make_model(configs[i]);
    if (size == 0)
        return 0;
    struct fields fields;
    struct problem problem = {0};
    const struct model *model = models[data[0] % MODELS];
    struct document *document = document_read((const char *)data + 1, size - 1, NULL, &problem);
    if (fields_open_document(&fields, document, &problem)) {
        if (data[0] & 0x80)
            read_weights(&fields, model);
        else
            read_samples(&fields, model, (enum samples_use)(data[0] / MODELS % 4));
        fields_close(&fields);
    }
    demand(problem.code != PROBLEM_INTERNAL);
    document_destroy(document);
    return 0;
}
