#include "server/compute/run_params.h"

#include <math.h>
#include <stdio.h>

#include "server/base/limits.h"
#include "server/model/count_json.h"

static const char *const optimizer_names[] = {
    [OPTIMIZER_SGD] = "sgd", [OPTIMIZER_ADAM] = "adam", NULL};
static const char *const loss_names[] = {[LOSS_MSE] = "mse",
                                         [LOSS_CROSS_ENTROPY] = "cross_entropy",
                                         [LOSS_MARGIN] = "margin",
                                         [LOSS_TEMPOTRON] = "tempotron",
                                         NULL};
static const char *const schedule_names[] = {[SCHEDULE_CONSTANT] = "constant",
                                             [SCHEDULE_EXPONENTIAL] = "exponential",
                                             [SCHEDULE_COSINE] = "cosine",
                                             NULL};

static void conflict(struct fields *fields, const char *name, const char *detail)
{
    char pointer[PROBLEM_POINTER];
    fields_pointer(fields, name, pointer);
    problem_add_field(fields->problem, PROBLEM_CONFLICTING_FIELDS, pointer, "%s", detail);
}

/* A parameter of one loss alone. */
static void read_loss_number(struct fields *fields, const char *name, enum loss_type of,
                             const struct loss *loss, double min, double max, float *number)
{
    char detail[64];
    double given = (double)*number;
    if (fields_number(fields, name, FIELD_OPTIONAL, min, max, &given) && loss->type != of) {
        snprintf(detail, sizeof detail, "%s belongs to the loss %s.", name, loss_names[of]);
        conflict(fields, name, detail);
    }
    *number = (float)given;
}

void loss_read(struct fields *fields, double v_threshold, struct loss *ret_loss)
{
    unsigned type = LOSS_MSE;
    struct loss loss = {.v_threshold = (float)v_threshold,
                        .beta = 5,
                        .target = (float)(1.5 * v_threshold),
                        .other = (float)(0.5 * v_threshold)};
    fields_choice(fields, "loss", FIELD_OPTIONAL, loss_names, &type);
    loss.type = (enum loss_type)type;
    read_loss_number(fields, "beta", LOSS_CROSS_ENTROPY, &loss, LIMIT_BETA_LEAST, LIMIT_BETA,
                     &loss.beta);
    read_loss_number(fields, "margin_target", LOSS_MARGIN, &loss, -LIMIT_MARGIN, LIMIT_MARGIN,
                     &loss.target);
    read_loss_number(fields, "margin_other", LOSS_MARGIN, &loss, -LIMIT_MARGIN, LIMIT_MARGIN,
                     &loss.other);
    if (loss.type == LOSS_MARGIN && loss.other >= loss.target)
        conflict(fields, fields_has(fields, "margin_other") ? "margin_other" : "margin_target",
                 "margin_other must be below margin_target.");
    *ret_loss = loss;
}

static void read_optimizer(struct fields *fields, struct training_params *params)
{
    unsigned type = OPTIMIZER_SGD;
    fields_choice(fields, "optimizer", FIELD_OPTIONAL, optimizer_names, &type);
    params->optimizer = (enum optimizer_type)type;
    if (fields_number(fields, "momentum", FIELD_OPTIONAL, 0, 1, &params->momentum) &&
        params->momentum > 0 && type != OPTIMIZER_SGD)
        conflict(fields, "momentum", "momentum belongs to the optimizer sgd.");
    fields_number(fields, "weight_decay", FIELD_OPTIONAL, 0, LIMIT_WEIGHT_DECAY,
                  &params->weight_decay);
}

/* A decay alone asks for the exponential schedule. */
static void read_schedule(struct fields *fields, struct schedule *schedule)
{
    unsigned type = SCHEDULE_CONSTANT;
    fields_number_above(fields, "learning_rate", FIELD_OPTIONAL, 0, LIMIT_LEARNING_RATE,
                        &schedule->learning_rate);
    const bool decays =
        fields_number_above(fields, "learning_rate_decay", FIELD_OPTIONAL, 0, 1, &schedule->decay);
    if (!fields_choice(fields, "learning_rate_schedule", FIELD_OPTIONAL, schedule_names, &type))
        type = decays ? SCHEDULE_EXPONENTIAL : SCHEDULE_CONSTANT;
    else if (decays && type != SCHEDULE_EXPONENTIAL)
        conflict(fields, "learning_rate_decay",
                 "learning_rate_decay belongs to the schedule exponential.");
    schedule->type = (enum schedule_type)type;
}

/* Spikes left out, and what else keeps a network from learning its samples by heart. */
static void read_regularisation(struct fields *fields, const struct network_params *network,
                                struct training_params *params)
{
    const char *const of_hidden[] = {"dropout", "silence_cost", "slope_floor"};
    const bool crosses = network->hidden_count > 0 && network->hidden_spike == HIDDEN_CROSSING;
    fields_number(fields, "input_dropout", FIELD_OPTIONAL, 0, LIMIT_DROPOUT,
                  &params->input_dropout);
    fields_number(fields, "dropout", FIELD_OPTIONAL, 0, LIMIT_DROPOUT, &params->dropout);
    params->silence_cost = network->hidden_count > 0 ? 1e-5 : 0;
    fields_number(fields, "silence_cost", FIELD_OPTIONAL, 0, LIMIT_SILENCE_COST,
                  &params->silence_cost);
    params->slope_floor = crosses ? 4 : 0;
    if (fields_number(fields, "slope_floor", FIELD_OPTIONAL, 0, LIMIT_SLOPE_FLOOR,
                      &params->slope_floor) &&
        network->hidden_count > 0 && !crosses)
        conflict(fields, "slope_floor", "It is of the hidden_spike crossing.");
    for (size_t i = 0; network->hidden_count == 0 && i < 3; i++)
        if (fields_is_given(fields, of_hidden[i]))
            conflict(fields, of_hidden[i], "It is of models with hidden layers.");
    fields_number_above(fields, "max_grad_norm", FIELD_OPTIONAL, 0, LIMIT_GRAD_NORM,
                        &params->max_grad_norm);
}

/* {"shift": 1, "height": 28, "width": 28} */
static void read_augmentation(struct fields *fields, struct augmentation *ret_augmentation)
{
    int64_t shift = 0, height = 0, width = 0;
    struct fields augment;
    if (!fields_open_member(&augment, fields, "augment", FIELD_OPTIONAL))
        return;
    bool read = fields_integer(&augment, "shift", FIELD_REQUIRED, 1, LIMIT_SHIFT, &shift);
    read &= fields_integer(&augment, "height", FIELD_REQUIRED, 1, LIMIT_FEATURES, &height);
    read &= fields_integer(&augment, "width", FIELD_REQUIRED, 1, LIMIT_FEATURES, &width);
    fields_close(&augment);
    if (read)
        *ret_augmentation = (struct augmentation){(size_t)shift, (size_t)height, (size_t)width};
}

/* What a run lowers, and how else it is led there: of the read-out v_max alone. */
static void read_aims(struct fields *fields, const struct model_config *config,
                      struct training_params *params)
{
    static const char *const others[] = {
        "loss",    "beta",         "margin_target", "margin_other",  "input_dropout",
        "dropout", "silence_cost", "slope_floor",   "max_grad_norm", "augment",
        NULL};
    if (config->read_out == READ_OUT_SPIKE_COUNT) {
        counts_refuse(fields, others);
        return;
    }
    loss_read(fields, config->network.tempotron.v_threshold, &params->loss);
    read_regularisation(fields, &config->network, params);
    read_augmentation(fields, &params->augmentation);
}

bool training_params_read(struct fields *fields, const struct model_config *config,
                          struct training_params *ret_params, double *ret_validation_fraction)
{
    struct training_params params = {
        .loop = {.schedule = {SCHEDULE_EXPONENTIAL, 0.001, 1}, .shuffle = true}};
    int64_t epochs = 100, batch_size = 64, seed = 0, patience = 0;
    double fraction = 0;
    fields_integer(fields, "epochs", FIELD_OPTIONAL, 1, LIMIT_EPOCHS, &epochs);
    fields_integer(fields, "batch_size", FIELD_OPTIONAL, 1, UINT32_MAX, &batch_size);
    read_schedule(fields, &params.loop.schedule);
    read_optimizer(fields, &params);
    read_aims(fields, config, &params);
    fields_boolean(fields, "shuffle", FIELD_OPTIONAL, &params.loop.shuffle);
    fields_integer(fields, "seed", FIELD_OPTIONAL, 0, UINT32_MAX, &seed);
    fields_integer(fields, "patience", FIELD_OPTIONAL, 1, LIMIT_EPOCHS, &patience);
    fields_number(fields, "validation_fraction", FIELD_OPTIONAL, 0, 0.9, &fraction);
    params.loop.epochs = (size_t)epochs;
    params.loop.batch_size = (size_t)batch_size;
    params.loop.seed = (uint32_t)seed;
    params.loop.patience = (size_t)patience;
    *ret_params = params;
    *ret_validation_fraction = fraction;
    return !problem_is_set(fields->problem);
}

bool training_fit_read(struct fields *fields)
{
    bool fit = false;
    fields_boolean(fields, "fit", FIELD_OPTIONAL, &fit);
    return fit;
}

static void write_integer(struct json_writer *json, const char *key, size_t value)
{
    json_write_key(json, key);
    json_write_integer(json, (int64_t)value);
}

static void write_float(struct json_writer *json, const char *key, float value)
{
    json_write_key(json, key);
    json_write_float(json, value);
}

static void write_string(struct json_writer *json, const char *key, const char *value)
{
    json_write_key(json, key);
    json_write_string(json, value);
}

static void write_unless_0(struct json_writer *json, const char *key, double value)
{
    if (value != 0)
        json_write_number(json, key, value);
}

static void write_augmentation(struct json_writer *json, const struct augmentation *augmentation)
{
    json_write_key(json, "augment");
    json_write_object_begin(json);
    write_integer(json, "shift", augmentation->shift);
    write_integer(json, "height", augmentation->height);
    write_integer(json, "width", augmentation->width);
    json_write_object_end(json);
}

static void write_loss(struct json_writer *json, const struct loss *loss)
{
    write_string(json, "loss", loss_names[loss->type]);
    if (loss->type == LOSS_CROSS_ENTROPY)
        write_float(json, "beta", loss->beta);
    if (loss->type == LOSS_MARGIN) {
        write_float(json, "margin_target", loss->target);
        write_float(json, "margin_other", loss->other);
    }
}

void training_params_write(struct json_writer *json, const struct model_config *config,
                           const struct training_params *params, double validation_fraction,
                           bool fit)
{
    json_write_object_begin(json);
    write_integer(json, "epochs", params->loop.epochs);
    write_integer(json, "batch_size", params->loop.batch_size);
    json_write_number(json, "learning_rate", params->loop.schedule.learning_rate);
    write_string(json, "learning_rate_schedule", schedule_names[params->loop.schedule.type]);
    if (params->loop.schedule.type == SCHEDULE_EXPONENTIAL)
        json_write_number(json, "learning_rate_decay", params->loop.schedule.decay);
    write_string(json, "optimizer", optimizer_names[params->optimizer]);
    if (params->optimizer == OPTIMIZER_SGD)
        json_write_number(json, "momentum", params->momentum);
    if (params->weight_decay > 0)
        json_write_number(json, "weight_decay", params->weight_decay);
    if (config->read_out == READ_OUT_V_MAX)
        write_loss(json, &params->loss);
    write_unless_0(json, "input_dropout", params->input_dropout);
    write_unless_0(json, "dropout", params->dropout);
    if (config->network.hidden_count > 0)
        json_write_number(json, "silence_cost", params->silence_cost);
    if (config->network.hidden_count > 0 && config->network.hidden_spike == HIDDEN_CROSSING)
        json_write_number(json, "slope_floor", params->slope_floor);
    write_unless_0(json, "max_grad_norm", params->max_grad_norm);
    if (params->augmentation.shift > 0)
        write_augmentation(json, &params->augmentation);
    json_write_key(json, "shuffle");
    json_write_boolean(json, params->loop.shuffle);
    write_integer(json, "seed", params->loop.seed);
    if (params->loop.patience > 0)
        write_integer(json, "patience", params->loop.patience);
    if (validation_fraction > 0)
        json_write_number(json, "validation_fraction", validation_fraction);
    if (fit) {
        json_write_key(json, "fit");
        json_write_boolean(json, fit);
    }
    json_write_object_end(json);
}

size_t validation_count(size_t count, double validation_fraction)
{
    return (size_t)fmax(1, rint((double)count * validation_fraction));
}

struct count_training_params count_training_params_of(const struct training_params *params,
                                                      uint32_t max_spikes)
{
    return (struct count_training_params){
        .loop = params->loop,
        .max_spikes = max_spikes,
        .optimizer = params->optimizer,
        .momentum = params->momentum,
        .weight_decay = params->weight_decay,
    };
}
