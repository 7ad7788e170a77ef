#include "server/model/config.h"

#include "server/base/limits.h"

void model_config_finish(struct model_config *config)
{
    if (config->has_encoder)
        encoder_finish(&config->encoder);
    *config = (struct model_config){0};
}

static void check_product(uint64_t product, uint64_t limit, const char *pointer, const char *what,
                          struct problem *problem)
{
    if (product > limit)
        problem_add_field(problem, PROBLEM_TOO_LARGE, pointer, "%s must be at most %llu.", what,
                          (unsigned long long)limit);
}

/* The field that makes the last layer, or the widest one, as large as it is. */
static const char *cause_of_size(const struct network_params *params)
{
    if (params->hidden_count > 0)
        return "/hidden";
    return network_outputs(params) < params->tempotron.out_features ? "/neurons_per_class"
                                                                    : "/out_features";
}

void model_config_check_sizes(const struct model_config *config, struct problem *problem)
{
    const struct network_params *params = &config->network;
    const size_t outputs = params->tempotron.out_features;
    uint64_t weights = 0, widest = 0;
    for (size_t l = 0; l < network_depth(params); l++) {
        const uint64_t neurons = network_neurons(params, l);
        weights += network_afferents(params, l) * neurons;
        widest = neurons > widest ? neurons : widest;
    }
    const bool is_deep = params->hidden_count > 0;
    if (config->has_encoder)
        check_product(encoder_afferents(&config->encoder), LIMIT_IN_FEATURES, "/encoder",
                      "The number of the encoder's neurons", problem);
    check_product((uint64_t)read_out_max_spikes(&params->read_out) * outputs, LIMIT_ANSWER,
                  "/max_spikes", "max_spikes * out_features", problem);
    check_product(weights, LIMIT_WEIGHTS, cause_of_size(params),
                  is_deep ? "The number of weights of all layers"
                          : "in_features * out_features * neurons_per_class",
                  problem);
    check_product(params->tempotron.T * widest, LIMIT_VOLTAGES, "/T",
                  is_deep ? "T * the neurons of the widest layer"
                          : "T * out_features * neurons_per_class",
                  problem);
}
