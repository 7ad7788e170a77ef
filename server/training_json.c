#include "training_json.h"

#include "limits.h"

static const char *const optimizer_names[] = {
    [OPTIMIZER_SGD] = "sgd", [OPTIMIZER_ADAM] = "adam", NULL};
static const char *const loss_names[] = {[LOSS_MSE] = "mse",
                                         [LOSS_CROSS_ENTROPY] = "cross_entropy",
                                         [LOSS_TEMPOTRON] = "tempotron",
                                         NULL};

static void conflict(struct fields *fields, const char *name, const char *detail)
{
    char pointer[PROBLEM_POINTER];
    fields_pointer(fields, name, pointer);
    problem_add_field(fields->problem, PROBLEM_CONFLICTING_FIELDS, pointer, "%s", detail);
}

void loss_read(struct fields *fields, double v_threshold, struct loss *ret_loss)
{
    unsigned type = LOSS_MSE;
    double beta = 5;
    fields_choice(fields, "loss", FIELD_OPTIONAL, loss_names, &type);
    if (fields_number(fields, "beta", FIELD_OPTIONAL, LIMIT_BETA_LEAST, LIMIT_BETA, &beta) &&
        type != LOSS_CROSS_ENTROPY)
        conflict(fields, "beta", "beta belongs to the loss cross_entropy.");
    *ret_loss = (struct loss){
        .type = (enum loss_type)type, .v_threshold = (float)v_threshold, .beta = (float)beta};
}

static void read_optimizer(struct fields *fields, struct training_params *params)
{
    unsigned type = OPTIMIZER_SGD;
    fields_choice(fields, "optimizer", FIELD_OPTIONAL, optimizer_names, &type);
    params->optimizer = (enum optimizer_type)type;
    fields_number_above(fields, "learning_rate", FIELD_OPTIONAL, 0, 1e6, &params->learning_rate);
    fields_number_above(fields, "learning_rate_decay", FIELD_OPTIONAL, 0, 1,
                        &params->learning_rate_decay);
    if (fields_number(fields, "momentum", FIELD_OPTIONAL, 0, 1, &params->momentum) &&
        params->momentum > 0 && type != OPTIMIZER_SGD)
        conflict(fields, "momentum", "momentum belongs to the optimizer sgd.");
}

bool training_params_read(struct fields *fields, double v_threshold,
                          struct training_params *ret_params, double *ret_validation_fraction)
{
    struct training_params params = {
        .learning_rate = 0.001, .learning_rate_decay = 1, .shuffle = true};
    int64_t epochs = 100, batch_size = 64, seed = 0, patience = 0;
    double fraction = 0;
    fields_integer(fields, "epochs", FIELD_OPTIONAL, 1, LIMIT_EPOCHS, &epochs);
    fields_integer(fields, "batch_size", FIELD_OPTIONAL, 1, UINT32_MAX, &batch_size);
    read_optimizer(fields, &params);
    loss_read(fields, v_threshold, &params.loss);
    fields_boolean(fields, "shuffle", FIELD_OPTIONAL, &params.shuffle);
    fields_integer(fields, "seed", FIELD_OPTIONAL, 0, UINT32_MAX, &seed);
    fields_integer(fields, "patience", FIELD_OPTIONAL, 1, LIMIT_EPOCHS, &patience);
    fields_number(fields, "validation_fraction", FIELD_OPTIONAL, 0, 0.9, &fraction);
    params.epochs = (size_t)epochs;
    params.batch_size = (size_t)batch_size;
    params.seed = (uint32_t)seed;
    params.patience = (size_t)patience;
    *ret_params = params;
    *ret_validation_fraction = fraction;
    return !problem_is_set(fields->problem);
}

static void write_integer(struct json_writer *json, const char *key, size_t value)
{
    json_write_key(json, key);
    json_write_integer(json, (int64_t)value);
}

static void write_number(struct json_writer *json, const char *key, double value)
{
    json_write_key(json, key);
    json_write_double(json, value);
}

static void write_string(struct json_writer *json, const char *key, const char *value)
{
    json_write_key(json, key);
    json_write_string(json, value);
}

void training_params_write(struct json_writer *json, const struct training_params *params,
                           double validation_fraction)
{
    json_write_object_begin(json);
    write_integer(json, "epochs", params->epochs);
    write_integer(json, "batch_size", params->batch_size);
    write_number(json, "learning_rate", params->learning_rate);
    write_number(json, "learning_rate_decay", params->learning_rate_decay);
    write_string(json, "optimizer", optimizer_names[params->optimizer]);
    if (params->optimizer == OPTIMIZER_SGD)
        write_number(json, "momentum", params->momentum);
    write_string(json, "loss", loss_names[params->loss.type]);
    if (params->loss.type == LOSS_CROSS_ENTROPY) {
        json_write_key(json, "beta");
        json_write_float(json, params->loss.beta);
    }
    json_write_key(json, "shuffle");
    json_write_boolean(json, params->shuffle);
    write_integer(json, "seed", params->seed);
    if (params->patience > 0)
        write_integer(json, "patience", params->patience);
    if (validation_fraction > 0)
        write_number(json, "validation_fraction", validation_fraction);
    json_write_object_end(json);
}
