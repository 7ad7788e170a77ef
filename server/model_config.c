#include "model_config.h"

#include <stdio.h>

#include "encoder_json.h"
#include "limits.h"

static const char *const clocks[] = {
    [CLOCK_GRID] = "grid", [CLOCK_CONTINUOUS] = "continuous", NULL};

static void too_large(struct fields *fields, const char *name, const char *what, uint64_t limit)
{
    char pointer[PROBLEM_POINTER];
    fields_pointer(fields, name, pointer);
    problem_add_field(fields->problem, PROBLEM_TOO_LARGE, pointer, "%s must be at most %llu.", what,
                      (unsigned long long)limit);
}

/* in_features follows from the encoder where there is one. */
static void read_inputs(struct fields *fields, struct model_config *config)
{
    char pointer[PROBLEM_POINTER];
    int64_t in_features = 0;
    const json_t *encoder = fields_get(fields, "encoder", FIELD_OPTIONAL);
    const enum field_presence presence = encoder == NULL ? FIELD_REQUIRED : FIELD_OPTIONAL;
    const bool given =
        fields_integer(fields, "in_features", presence, 1, LIMIT_IN_FEATURES, &in_features);
    config->params.in_features = (size_t)in_features;
    if (encoder == NULL)
        return;
    config->has_encoder = encoder_read(fields, &config->encoder);
    if (!config->has_encoder)
        return;
    config->params.in_features = encoder_afferents(&config->encoder);
    if (config->params.in_features > LIMIT_IN_FEATURES)
        too_large(fields, "encoder", "n * m", LIMIT_IN_FEATURES);
    if (given && (size_t)in_features != config->params.in_features) {
        fields_pointer(fields, "in_features", pointer);
        problem_add_field(fields->problem, PROBLEM_CONFLICTING_FIELDS, pointer,
                          "The encoder has %zu neurons.", config->params.in_features);
    }
}

static void read_neuron(struct fields *fields, struct tempotron_params *params)
{
    char pointer[PROBLEM_POINTER];
    params->tau = 15;
    params->v_threshold = 1;
    fields_number(fields, "tau", FIELD_OPTIONAL, LIMIT_TAU_LEAST, LIMIT_TAU, &params->tau);
    params->tau_s = params->tau / 4;
    fields_number(fields, "tau_s", FIELD_OPTIONAL, LIMIT_TAU_LEAST, LIMIT_TAU, &params->tau_s);
    fields_number(fields, "v_threshold", FIELD_OPTIONAL, LIMIT_V_THRESHOLD_LEAST, LIMIT_V_THRESHOLD,
                  &params->v_threshold);
    if ((float)params->tau == (float)params->tau_s) {
        fields_pointer(fields, "tau_s", pointer);
        problem_add_field(fields->problem, PROBLEM_EQUAL_TIME_CONSTANTS, pointer,
                          "tau_s must differ from tau: the potential would be 0 throughout.");
    }
}

static void check_sizes(struct fields *fields, const struct tempotron_params *params)
{
    if (params->in_features * params->out_features > LIMIT_WEIGHTS)
        too_large(fields, "out_features", "in_features * out_features", LIMIT_WEIGHTS);
    if (params->T * params->out_features > LIMIT_VOLTAGES)
        too_large(fields, "T", "T * out_features", LIMIT_VOLTAGES);
}

bool model_config_read(struct fields *fields, struct model_config *ret_config)
{
    struct model_config config = {0};
    int64_t out_features = 0, T = 0, seed = 0;
    unsigned clock = CLOCK_GRID;
    read_inputs(fields, &config);
    const bool encodes = fields_get(fields, "encoder", FIELD_OPTIONAL) != NULL;
    if (config.has_encoder) /* late enough for every spike */
        T = (int64_t)config.encoder.gaussian_tuning.max_spike_time;
    fields_integer(fields, "out_features", FIELD_REQUIRED, 1, LIMIT_OUT_FEATURES, &out_features);
    fields_integer(fields, "T", encodes ? FIELD_OPTIONAL : FIELD_REQUIRED, 1, LIMIT_T, &T);
    read_neuron(fields, &config.params);
    fields_choice(fields, "clock", FIELD_OPTIONAL, clocks, &clock);
    fields_integer(fields, "seed", FIELD_OPTIONAL, 0, UINT32_MAX, &seed);
    config.params.clock = (enum tempotron_clock)clock;
    config.params.out_features = (size_t)out_features;
    config.params.T = (size_t)T;
    config.seed = (uint32_t)seed;
    check_sizes(fields, &config.params);
    if (problem_is_set(fields->problem)) {
        model_config_finish(&config);
        return false;
    }
    *ret_config = config;
    return true;
}

void model_config_finish(struct model_config *config)
{
    if (config->has_encoder)
        encoder_finish(&config->encoder);
    *config = (struct model_config){0};
}

void model_config_write(struct json_writer *writer, const struct model_config *config)
{
    if (config->has_encoder) {
        json_write_key(writer, "encoder");
        encoder_write(writer, &config->encoder);
    }
    json_write_key(writer, "in_features");
    json_write_integer(writer, (int64_t)config->params.in_features);
    json_write_key(writer, "out_features");
    json_write_integer(writer, (int64_t)config->params.out_features);
    json_write_key(writer, "T");
    json_write_integer(writer, (int64_t)config->params.T);
    json_write_key(writer, "tau");
    json_write_double(writer, config->params.tau);
    json_write_key(writer, "tau_s");
    json_write_double(writer, config->params.tau_s);
    json_write_key(writer, "v_threshold");
    json_write_double(writer, config->params.v_threshold);
    json_write_key(writer, "clock");
    json_write_string(writer, clocks[config->params.clock]);
    json_write_key(writer, "seed");
    json_write_integer(writer, (int64_t)config->seed);
}
