#include "server/model/config_json.h"

#include <math.h>
#include <stdio.h>

#include "server/base/limits.h"
#include "server/model/encoder_json.h"

static const char *const clocks[] = {
    [CLOCK_GRID] = "grid", [CLOCK_CONTINUOUS] = "continuous", NULL};
static const char *const hidden_spikes[] = {
    [HIDDEN_CROSSING] = "crossing", [HIDDEN_PEAK] = "peak", NULL};
static const char *const read_outs[] = {
    [READ_OUT_V_MAX] = "v_max", [READ_OUT_SPIKE_COUNT] = "spike_count", NULL};

static void refuse(struct fields *fields, const char *name, const char *detail)
{
    fields_refuse(fields, name, PROBLEM_CONFLICTING_FIELDS, "%s", detail);
}

/* in_features follows from the encoder where there is one. */
static void read_inputs(struct fields *fields, struct model_config *config)
{
    int64_t in_features = 0;
    const bool encodes = fields_is_given(fields, "encoder");
    const enum field_presence presence = encodes ? FIELD_OPTIONAL : FIELD_REQUIRED;
    const bool given =
        fields_integer(fields, "in_features", presence, 1, LIMIT_IN_FEATURES, &in_features);
    config->network.tempotron.in_features = (size_t)in_features;
    if (!encodes)
        return;
    config->has_encoder = encoder_json_read(fields, &config->encoder, &config->ranges);
    if (!config->has_encoder)
        return;
    config->network.tempotron.in_features = encoder_afferents(&config->encoder);
    if (given && (size_t)in_features != config->network.tempotron.in_features)
        fields_refuse(fields, "in_features", PROBLEM_CONFLICTING_FIELDS,
                      "The encoder has %zu neurons.", config->network.tempotron.in_features);
}

static void read_neuron(struct fields *fields, struct tempotron_params *params)
{
    params->tau = 15;
    params->v_threshold = 1;
    fields_number(fields, "tau", FIELD_OPTIONAL, LIMIT_TAU_LEAST, LIMIT_TAU, &params->tau);
    params->tau_s = params->tau / 4;
    fields_number(fields, "tau_s", FIELD_OPTIONAL, LIMIT_TAU_LEAST, LIMIT_TAU, &params->tau_s);
    fields_number(fields, "v_threshold", FIELD_OPTIONAL, LIMIT_V_THRESHOLD_LEAST, LIMIT_V_THRESHOLD,
                  &params->v_threshold);
    if ((float)params->tau == (float)params->tau_s)
        fields_refuse(
            fields, "tau_s", PROBLEM_EQUAL_TIME_CONSTANTS,
            "tau_s must differ from tau: with equal ones the potential is 0 at all times.");
}

static void read_hidden_layers(struct fields *fields, struct network_params *params)
{
    char pointer[PROBLEM_POINTER], item[PROBLEM_POINTER];
    struct float_array hidden;
    const struct json_value given = fields_get(fields, "hidden", FIELD_OPTIONAL);
    if (json_value_kind(given) == JSON_KIND_ARRAY && json_value_count(given) == 0)
        return; /* none, and said so */
    if (!fields_float_array(fields, "hidden", FIELD_OPTIONAL, 1, 1, HIDDEN_LAYERS, &hidden))
        return;
    fields_pointer(fields, "hidden", pointer);
    params->hidden_count = hidden.shape[0] < HIDDEN_LAYERS ? hidden.shape[0] : HIDDEN_LAYERS;
    for (size_t l = 0; l < params->hidden_count; l++) {
        const float neurons = hidden.values[l];
        problem_pointer_index(pointer, l, item);
        if (neurons >= 1 && neurons <= LIMIT_OUT_FEATURES && neurons == rintf(neurons))
            params->hidden[l] = (size_t)neurons;
        else
            problem_add_field(fields->problem, PROBLEM_OUT_OF_RANGE, item,
                              "A hidden layer has 1 to %d neurons.", LIMIT_OUT_FEATURES);
    }
    float_array_finish(&hidden);
}

static void read_hidden(struct fields *fields, struct network_params *params)
{
    unsigned spike = HIDDEN_CROSSING;
    read_hidden_layers(fields, params);
    if (fields_choice(fields, "hidden_spike", FIELD_OPTIONAL, hidden_spikes, &spike) &&
        params->hidden_count == 0)
        refuse(fields, "hidden_spike", "hidden_spike is of models with hidden layers.");
    else if (spike == HIDDEN_PEAK && params->tempotron.clock == CLOCK_CONTINUOUS)
        refuse(fields, "hidden_spike", "Peaks are passed on on the clock grid alone.");
    params->hidden_spike = (enum hidden_spike)spike;
}

static void read_read_out(struct fields *fields, struct network_params *params)
{
    int64_t group = 1;
    double beta = 5;
    fields_integer(fields, "neurons_per_class", FIELD_OPTIONAL, 1, LIMIT_OUT_FEATURES, &group);
    if (fields_number(fields, "score_beta", FIELD_OPTIONAL, LIMIT_BETA_LEAST, LIMIT_BETA, &beta) &&
        group == 1)
        refuse(fields, "score_beta", "score_beta pools several neurons_per_class.");
    params->read_out = (struct read_out){(size_t)group, (float)beta};
    params->tempotron.out_features *= (size_t)group;
}

/* Whether the model counts spikes, and what of it. */
static void read_spike_count(struct fields *fields, struct model_config *config)
{
    unsigned read_out = READ_OUT_V_MAX;
    int64_t max_spikes = 100;
    fields_choice(fields, "read_out", FIELD_OPTIONAL, read_outs, &read_out);
    if (fields_integer(fields, "max_spikes", FIELD_OPTIONAL, 2, LIMIT_SPIKES_MOST, &max_spikes) &&
        read_out != READ_OUT_SPIKE_COUNT)
        refuse(fields, "max_spikes", "max_spikes is of the read-out spike_count.");
    config->read_out = (enum read_out_kind)read_out;
    config->max_spikes = (uint32_t)max_spikes;
}

/* Who counts spikes is one layer, in continuous time. */
static void check_spike_count(struct fields *fields, const struct model_config *config)
{
    const struct network_params *params = &config->network;
    if (params->tempotron.clock != CLOCK_CONTINUOUS)
        refuse(fields, "clock", "Spikes are counted on the clock continuous alone.");
    if (params->hidden_count > 0)
        refuse(fields, "hidden", "Spikes are counted of models without hidden layers.");
    if (params->read_out.neurons_per_class > 1)
        refuse(fields, "neurons_per_class", "Spikes are counted of each output alone.");
}

bool config_json_read(struct fields *fields, struct model_config *ret_config)
{
    struct model_config config = {0};
    int64_t out_features = 0, T = 0, seed = 0;
    read_inputs(fields, &config);
    read_spike_count(fields, &config);
    const bool counts = config.read_out == READ_OUT_SPIKE_COUNT;
    unsigned clock = counts ? CLOCK_CONTINUOUS : CLOCK_GRID;
    const bool encodes = fields_is_given(fields, "encoder");
    if (config.has_encoder) /* late enough for every spike */
        T = encoder_max_spike_time(&config.encoder);
    fields_integer(fields, "out_features", FIELD_REQUIRED, 1, LIMIT_OUT_FEATURES, &out_features);
    fields_integer(fields, "T", encodes ? FIELD_OPTIONAL : FIELD_REQUIRED, 1, LIMIT_T, &T);
    read_neuron(fields, &config.network.tempotron);
    fields_choice(fields, "clock", FIELD_OPTIONAL, clocks, &clock);
    fields_integer(fields, "seed", FIELD_OPTIONAL, 0, UINT32_MAX, &seed);
    config.network.tempotron.clock = (enum tempotron_clock)clock;
    config.network.tempotron.out_features = (size_t)out_features;
    config.network.tempotron.T = (size_t)T;
    read_hidden(fields, &config.network);
    read_read_out(fields, &config.network);
    if (counts)
        check_spike_count(fields, &config);
    config.seed = (uint32_t)seed;
    model_config_check_sizes(&config, fields->problem);
    if (problem_is_set(fields->problem)) {
        model_config_finish(&config);
        return false;
    }
    *ret_config = config;
    return true;
}

static void write_integer(struct json_writer *writer, const char *key, size_t value)
{
    json_write_key(writer, key);
    json_write_integer(writer, (int64_t)value);
}

static void write_hidden(struct json_writer *writer, const struct network_params *network)
{
    json_write_key(writer, "hidden");
    json_write_array_begin(writer);
    for (size_t l = 0; l < network->hidden_count; l++)
        json_write_integer(writer, (int64_t)network->hidden[l]);
    json_write_array_end(writer);
    json_write_key(writer, "hidden_spike");
    json_write_string(writer, hidden_spikes[network->hidden_spike]);
}

void config_json_write(struct json_writer *writer, const struct model_config *config)
{
    if (config->has_encoder) {
        json_write_key(writer, "encoder");
        encoder_json_write(writer, &config->encoder, config->ranges);
    }
    const struct network_params *network = &config->network;
    const struct tempotron_params *params = &network->tempotron;
    write_integer(writer, "in_features", params->in_features);
    write_integer(writer, "out_features", network_classes(network));
    if (network->read_out.neurons_per_class > 1) {
        write_integer(writer, "neurons_per_class", network->read_out.neurons_per_class);
        json_write_key(writer, "score_beta");
        json_write_float(writer, network->read_out.beta);
    }
    if (network->hidden_count > 0)
        write_hidden(writer, network);
    write_integer(writer, "T", params->T);
    json_write_number(writer, "tau", params->tau);
    json_write_number(writer, "tau_s", params->tau_s);
    json_write_number(writer, "v_threshold", params->v_threshold);
    json_write_key(writer, "clock");
    json_write_string(writer, clocks[params->clock]);
    if (config->read_out == READ_OUT_SPIKE_COUNT) {
        json_write_key(writer, "read_out");
        json_write_string(writer, read_outs[config->read_out]);
        write_integer(writer, "max_spikes", config->max_spikes);
    }
    write_integer(writer, "seed", config->seed);
}

char *config_json_text(const struct model_config *config)
{
    struct buffer text = {0};
    struct json_writer json = json_writer_to(&text);
    json_write_object_begin(&json);
    config_json_write(&json, config);
    json_write_object_end(&json);
    return buffer_take_string(&text);
}
