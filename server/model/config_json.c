#include "server/model/config_json.h"

#include <math.h>
#include <string.h>

#include "server/base/limits.h"
#include "server/json/float_array.h"
#include "server/model/encoder_json.h"

static const char *const clocks[] = {
    [CLOCK_GRID] = "grid", [CLOCK_CONTINUOUS] = "continuous", NULL};
static const char *const hidden_spikes[] = {
    [HIDDEN_CROSSING] = "crossing", [HIDDEN_PEAK] = "peak", NULL};
static const char *const read_outs[] = {
    [READ_OUT_V_MAX] = "v_max", [READ_OUT_SPIKE_COUNT] = "spike_count", NULL};

#define CONFIG(member)    offsetof(struct model_config, member)
#define NETWORK(member)   offsetof(struct model_config, network.member)
#define TEMPOTRON(member) offsetof(struct model_config, network.tempotron.member)

/* --- scopes --- */

static const struct params_scope v_max = {.name = "models with the read_out v_max",
                                          PARAMS_CHOSEN(NETWORK(read_out.kind), READ_OUT_V_MAX)};
static const struct params_scope spike_count = {
    .name = "models with the read_out spike_count",
    PARAMS_CHOSEN(NETWORK(read_out.kind), READ_OUT_SPIKE_COUNT)};
static const struct params_scope groups = {.name = "models with several neurons_per_class",
                                           .kind = PARAMS_SIZE,
                                           .offset = NETWORK(read_out.v_max.neurons_per_class),
                                           .min = 2,
                                           .max = LIMIT_OUT_FEATURES,
                                           .within = &v_max};
static const struct params_scope hidden = {.name = "models with hidden layers",
                                           .kind = PARAMS_SIZE,
                                           .offset = NETWORK(hidden_count),
                                           .min = 1,
                                           .max = HIDDEN_LAYERS};

/* --- the encoder --- */

/* With an encoder in_features and T follow from it. If it is wrong they are not asked for either.
 */
static void read_encoder(struct fields *fields, const struct params_row *row, void *params)
{
    struct model_config *config = params;
    struct tempotron_params *tempotron = &config->network.tempotron;
    if (!fields_is_given(fields, row->name))
        return;
    config->has_encoder = encoder_json_read(fields, &config->encoder, &config->ranges);
    tempotron->in_features = config->has_encoder ? encoder_afferents(&config->encoder) : 1;
    tempotron->T = config->has_encoder ? encoder_max_spike_time(&config->encoder) : 1;
}

static void write_encoder(struct buffer *json, const void *params)
{
    const struct model_config *config = params;
    if (!config->has_encoder)
        return;
    json_write_key(json, "encoder");
    encoder_json_write(json, &config->encoder, config->ranges);
}

/* --- hidden layers: [64, 32] --- */

static void read_hidden(struct fields *fields, const struct params_row *row, void *params)
{
    struct float_array neurons;
    struct network_params *network = &((struct model_config *)params)->network;
    const struct json_value given = fields_get(fields, row->name, FIELD_OPTIONAL);
    if (json_value_kind(given) == JSON_KIND_ARRAY && json_value_count(given) == 0)
        return; /* a model without hidden layers may say so */
    if (!float_array_read(fields, row->name, FIELD_OPTIONAL, 1, 1, HIDDEN_LAYERS, &neurons))
        return;
    for (size_t l = 0; l < neurons.count; l++) {
        const double count = (double)neurons.values[l];
        if (count >= row->min && count <= row->max && count == rint(count))
            network->hidden[l] = (size_t)count;
        else
            fields_refuse_element(fields, row->name, &l, 1, PROBLEM_OUT_OF_RANGE,
                                  "must be an integer from %g to %g", row->min, row->max);
    }
    network->hidden_count = neurons.count;
    float_array_finish(&neurons);
}

static void write_hidden(struct buffer *json, const void *params)
{
    const struct network_params *network = &((const struct model_config *)params)->network;
    if (network->hidden_count == 0)
        return;
    json_write_key(json, "hidden");
    json_write_array_begin(json);
    for (size_t l = 0; l < network->hidden_count; l++)
        json_write_integer(json, (int64_t)network->hidden[l]);
    json_write_array_end(json);
}

/* --- the table --- */

const struct params_row config_json_rows[CONFIG_PARAMS] = {
    {"encoder", PARAMS_OTHER, .read = read_encoder, .write = write_encoder},
    {"in_features", PARAMS_SIZE, TEMPOTRON(in_features), 1, LIMIT_IN_FEATURES, .is_required = true,
     .fallback = NAN},
    {"out_features", PARAMS_SIZE, TEMPOTRON(out_features), 1, LIMIT_OUT_FEATURES,
     .is_required = true, .fallback = NAN},
    {"neurons_per_class", PARAMS_SIZE, NETWORK(read_out.v_max.neurons_per_class), 1,
     LIMIT_OUT_FEATURES, .fallback = 1, .is_terse = true, .scope = &v_max, .allows_default = true},
    {"score_beta", PARAMS_FLOAT, NETWORK(read_out.v_max.beta), LIMIT_BETA_MIN, LIMIT_BETA,
     .fallback = 5, .scope = &groups},
    {"hidden", PARAMS_OTHER, .min = 1, .max = LIMIT_OUT_FEATURES, .read = read_hidden,
     .write = write_hidden},
    {"hidden_spike", PARAMS_CHOICE, NETWORK(hidden_spike), .choices = hidden_spikes,
     .fallback = HIDDEN_CROSSING, .scope = &hidden},
    {"T", PARAMS_SIZE, TEMPOTRON(T), 1, LIMIT_T, .is_required = true, .fallback = NAN},
    {"tau", PARAMS_NUMBER, TEMPOTRON(tau), LIMIT_TAU_MIN, LIMIT_TAU, .fallback = 15},
    {"tau_s", PARAMS_NUMBER, TEMPOTRON(tau_s), LIMIT_TAU_MIN, LIMIT_TAU, .fallback = NAN},
    {"v_threshold", PARAMS_NUMBER, TEMPOTRON(v_threshold), LIMIT_V_THRESHOLD_MIN, LIMIT_V_THRESHOLD,
     .fallback = 1},
    {"clock", PARAMS_CHOICE, TEMPOTRON(clock), .choices = clocks, .fallback = CLOCK_GRID},
    {"read_out", PARAMS_CHOICE, NETWORK(read_out.kind), .choices = read_outs,
     .fallback = READ_OUT_V_MAX, .is_terse = true},
    {"max_spikes", PARAMS_UINT32, NETWORK(read_out.spike_count.max_spikes), 2, LIMIT_MAX_SPIKES,
     .fallback = 100, .scope = &spike_count},
    {"seed", PARAMS_UINT32, CONFIG(seed), 0, UINT32_MAX, .fallback = 0},
};

/* The defaults that other fields decide. */
static void fill_defaults(struct model_config *config)
{
    struct tempotron_params *tempotron = &config->network.tempotron;
    if (tempotron->tau_s == 0)
        tempotron->tau_s = tempotron->tau / 4;
    struct read_out *read_out = &config->network.read_out;
    if (read_out->kind == READ_OUT_V_MAX && read_out->v_max.neurons_per_class <= 1)
        read_out->v_max = (struct v_max_read_out){.neurons_per_class = 1, .beta = 5};
}

static void check_conflicts(struct fields *fields, const struct model_config *config)
{
    const struct network_params *network = &config->network;
    const struct tempotron_params *tempotron = &network->tempotron;
    if (config->has_encoder && tempotron->in_features != encoder_afferents(&config->encoder))
        fields_refuse(fields, "in_features", PROBLEM_CONFLICTING_FIELDS,
                      "The encoder has %zu neurons.", encoder_afferents(&config->encoder));
    if ((float)tempotron->tau == (float)tempotron->tau_s)
        fields_refuse(fields, "tau_s", PROBLEM_EQUAL_TIME_CONSTANTS,
                      "tau_s must differ from tau: if both are equal, every voltage is 0.");
    if (network->hidden_count > 0 && network->hidden_spike == HIDDEN_PEAK &&
        tempotron->clock != CLOCK_GRID)
        fields_refuse(fields, "hidden_spike", PROBLEM_CONFLICTING_FIELDS,
                      "peak applies only to the clock grid");
    if (network->read_out.kind == READ_OUT_SPIKE_COUNT && tempotron->clock != CLOCK_CONTINUOUS)
        fields_refuse(fields, "clock", PROBLEM_CONFLICTING_FIELDS,
                      "must be continuous for the read_out spike_count");
    if (network->read_out.kind == READ_OUT_SPIKE_COUNT && network->hidden_count > 0)
        fields_refuse(fields, "hidden", PROBLEM_CONFLICTING_FIELDS,
                      "applies only to models with the read_out v_max");
}

bool config_json_read(struct fields *fields, struct model_config *ret_config)
{
    struct model_config config = {0};
    const char *read_out = json_value_string(fields_get(fields, "read_out", FIELD_OPTIONAL));
    if (read_out != NULL && strcmp(read_out, read_outs[READ_OUT_SPIKE_COUNT]) == 0)
        config.network.tempotron.clock = CLOCK_CONTINUOUS; /* its default then */
    params_read(fields, config_json_rows, CONFIG_PARAMS, NULL, &config);
    fill_defaults(&config);
    check_conflicts(fields, &config);
    if (config.has_encoder)
        config.network.tempotron.in_features = encoder_afferents(&config.encoder);
    if (config.network.read_out.kind == READ_OUT_V_MAX)
        config.network.tempotron.out_features *= config.network.read_out.v_max.neurons_per_class;
    model_config_check_sizes(&config, fields->problem);
    if (problem_is_set(fields->problem)) {
        model_config_finish(&config);
        return false;
    }
    *ret_config = config;
    return true;
}

char *config_json_text(const struct model_config *config)
{
    struct buffer text = {0};
    struct model_config shown = *config; /* of which nothing is freed */
    shown.network.tempotron.out_features = network_outputs(&config->network);
    json_write_object_begin(&text);
    params_write(&text, config_json_rows, CONFIG_PARAMS, NULL, &shown);
    json_write_object_end(&text);
    return buffer_take_string(&text);
}

bool config_json_is_long(const struct model_config *config)
{
    return config->has_encoder && config->ranges == RANGES_OF_FEATURES &&
           encoder_features(&config->encoder) > LIMIT_LISTED;
}

char *config_json_summary(const struct model_config *config)
{
    struct model_config shown = *config; /* of which nothing is freed */
    shown.ranges = RANGES_UNFITTED;
    return config_json_text(&shown);
}
