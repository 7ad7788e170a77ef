#include "server/compute/run_params.h"

#include <math.h>

#include "server/base/limits.h"

static const char *const optimizers[] = {[OPTIMIZER_SGD] = "sgd", [OPTIMIZER_ADAM] = "adam", NULL};
static const char *const losses[] = {[LOSS_MSE] = "mse",
                                     [LOSS_CROSS_ENTROPY] = "cross_entropy",
                                     [LOSS_MARGIN] = "margin",
                                     [LOSS_TEMPOTRON] = "tempotron",
                                     NULL};
static const char *const schedules[] = {[SCHEDULE_CONSTANT] = "constant",
                                        [SCHEDULE_EXPONENTIAL] = "exponential",
                                        [SCHEDULE_COSINE] = "cosine",
                                        NULL};

#define TRAINING(member) offsetof(struct run_params, training.member)
#define NETWORK(member)  offsetof(struct model_config, network.member)

/* --- scopes --- */

static const struct params_scope exponential = {
    .name = "the learning_rate_schedule exponential",
    PARAMS_CHOSEN(TRAINING(loop.schedule.type), SCHEDULE_EXPONENTIAL)};
static const struct params_scope sgd = {.name = "the optimizer sgd",
                                        PARAMS_CHOSEN(TRAINING(optimizer), OPTIMIZER_SGD)};
static const struct params_scope v_max = {.name = "models with the read_out v_max",
                                          PARAMS_CHOSEN(NETWORK(read_out.kind), READ_OUT_V_MAX),
                                          .is_of_context = true};
static const struct params_scope cross_entropy = {
    .name = "the loss cross_entropy",
    PARAMS_CHOSEN(TRAINING(loss.type), LOSS_CROSS_ENTROPY),
    .within = &v_max};
static const struct params_scope margin = {
    .name = "the loss margin", PARAMS_CHOSEN(TRAINING(loss.type), LOSS_MARGIN), .within = &v_max};
static const struct params_scope hidden = {.name = "models with hidden layers",
                                           .kind = PARAMS_SIZE,
                                           .offset = NETWORK(hidden_count),
                                           .min = 1,
                                           .max = HIDDEN_LAYERS,
                                           .within = &v_max,
                                           .is_of_context = true};
static const struct params_scope crossing = {.name = "models with the hidden_spike crossing",
                                             PARAMS_CHOSEN(NETWORK(hidden_spike), HIDDEN_CROSSING),
                                             .within = &hidden,
                                             .is_of_context = true};

/* --- images: {"shift": 1, "height": 28, "width": 28} --- */

const struct params_row run_params_augment_rows[AUGMENT_PARAMS] = {
    {"shift", PARAMS_SIZE, offsetof(struct augmentation, shift), 1, LIMIT_SHIFT,
     .is_required = true, .fallback = NAN},
    {"height", PARAMS_SIZE, offsetof(struct augmentation, height), 1, LIMIT_FEATURES,
     .is_required = true, .fallback = NAN},
    {"width", PARAMS_SIZE, offsetof(struct augmentation, width), 1, LIMIT_FEATURES,
     .is_required = true, .fallback = NAN},
};

static void read_augmentation(struct fields *fields, const struct params_row *row, void *params)
{
    struct fields augment;
    struct augmentation augmentation = {0};
    if (!fields_open_member(&augment, fields, row->name, FIELD_OPTIONAL))
        return;
    params_read(&augment, run_params_augment_rows, AUGMENT_PARAMS, NULL, &augmentation);
    fields_close(&augment);
    if (augmentation.shift > 0 && augmentation.height > 0 && augmentation.width > 0)
        ((struct run_params *)params)->training.augmentation = augmentation;
}

static void write_augmentation(struct buffer *json, const void *params)
{
    const struct augmentation *augmentation =
        &((const struct run_params *)params)->training.augmentation;
    if (augmentation->shift == 0)
        return;
    json_write_key(json, "augment");
    json_write_object_begin(json);
    params_write(json, run_params_augment_rows, AUGMENT_PARAMS, NULL, augmentation);
    json_write_object_end(json);
}

/* --- the table --- */

const struct params_row run_params_rows[] = {
    {"epochs", PARAMS_SIZE, TRAINING(loop.epochs), 1, LIMIT_EPOCHS, .fallback = 100},
    {"batch_size", PARAMS_SIZE, TRAINING(loop.batch_size), 1, UINT32_MAX, .fallback = 64},
    {"learning_rate", PARAMS_NUMBER, TRAINING(loop.schedule.learning_rate), 0, LIMIT_LEARNING_RATE,
     .is_above_min = true, .fallback = 0.001},
    {"learning_rate_schedule", PARAMS_CHOICE, TRAINING(loop.schedule.type), .choices = schedules,
     .fallback = SCHEDULE_CONSTANT},
    {"learning_rate_decay", PARAMS_NUMBER, TRAINING(loop.schedule.decay), 0, 1,
     .is_above_min = true, .fallback = 1, .scope = &exponential},
    {"optimizer", PARAMS_CHOICE, TRAINING(optimizer), .choices = optimizers,
     .fallback = OPTIMIZER_SGD},
    {"momentum", PARAMS_NUMBER, TRAINING(momentum), 0, 1, .fallback = 0, .scope = &sgd,
     .allows_default = true},
    {"weight_decay", PARAMS_NUMBER, TRAINING(weight_decay), 0, LIMIT_WEIGHT_DECAY, .fallback = 0,
     .is_terse = true},
    {"loss", PARAMS_CHOICE, TRAINING(loss.type), .choices = losses, .fallback = LOSS_MSE,
     .scope = &v_max},
    {"beta", PARAMS_FLOAT, TRAINING(loss.beta), LIMIT_BETA_MIN, LIMIT_BETA, .fallback = 5,
     .scope = &cross_entropy},
    {"margin_target", PARAMS_FLOAT, TRAINING(loss.target), -LIMIT_MARGIN, LIMIT_MARGIN,
     .fallback = NAN, .scope = &margin},
    {"margin_other", PARAMS_FLOAT, TRAINING(loss.other), -LIMIT_MARGIN, LIMIT_MARGIN,
     .fallback = NAN, .scope = &margin},
    {"input_dropout", PARAMS_NUMBER, TRAINING(input_dropout), 0, LIMIT_DROPOUT, .fallback = 0,
     .is_terse = true, .scope = &v_max},
    {"dropout", PARAMS_NUMBER, TRAINING(dropout), 0, LIMIT_DROPOUT, .fallback = 0, .is_terse = true,
     .scope = &hidden},
    {"silence_cost", PARAMS_NUMBER, TRAINING(silence_cost), 0, LIMIT_SILENCE_COST, .fallback = 1e-5,
     .scope = &hidden},
    {"slope_floor", PARAMS_NUMBER, TRAINING(slope_floor), 0, LIMIT_SLOPE_FLOOR, .fallback = 4,
     .scope = &crossing},
    {"max_grad_norm", PARAMS_NUMBER, TRAINING(max_grad_norm), 0, LIMIT_GRAD_NORM,
     .is_above_min = true, .fallback = 0, .is_terse = true, .scope = &v_max},
    {"augment", PARAMS_OTHER, .scope = &v_max, .read = read_augmentation,
     .write = write_augmentation},
    {"shuffle", PARAMS_BOOLEAN, TRAINING(loop.shuffle), .fallback = true},
    {"seed", PARAMS_UINT32, TRAINING(loop.seed), 0, UINT32_MAX, .fallback = 0},
    {"patience", PARAMS_SIZE, TRAINING(loop.patience), 1, LIMIT_EPOCHS, .fallback = 0,
     .is_terse = true},
    {"validation_fraction", PARAMS_NUMBER, offsetof(struct run_params, validation_fraction), 0,
     LIMIT_VALIDATION, .fallback = 0, .is_terse = true},
    {"checkpoint_every", PARAMS_SIZE, offsetof(struct run_params, checkpoint_every), 1,
     LIMIT_EPOCHS, .fallback = 0, .is_terse = true},
    {"fit", PARAMS_BOOLEAN, offsetof(struct run_params, fit), .fallback = false, .is_terse = true},
};

const size_t run_params_count = sizeof run_params_rows / sizeof *run_params_rows;

/* The defaults that the model decides. */
static struct run_params defaults(const struct model_config *config)
{
    const double v_threshold = config->network.tempotron.v_threshold;
    return (struct run_params){
        .training.loss = {.v_threshold = (float)v_threshold,
                          .target = (float)(1.5 * v_threshold),
                          .other = (float)(0.5 * v_threshold)},
    };
}

static void check_margins(struct fields *fields, const struct loss *loss)
{
    if (loss->type == LOSS_MARGIN && loss->other >= loss->target)
        fields_refuse(fields,
                      fields_is_given(fields, "margin_other") ? "margin_other" : "margin_target",
                      PROBLEM_CONFLICTING_FIELDS, "margin_other must be below margin_target.");
}

static void check_kept_versions(struct fields *fields, const struct run_params *params)
{
    if (run_params_kept_versions(params) > LIMIT_KEPT_VERSIONS)
        fields_refuse(fields, "checkpoint_every", PROBLEM_OUT_OF_RANGE,
                      "The run would keep %zu versions; the limit is %d.",
                      run_params_kept_versions(params), LIMIT_KEPT_VERSIONS);
}

bool run_params_read(struct fields *fields, const struct model_config *config,
                     struct run_params *ret_params)
{
    *ret_params = defaults(config);
    if (fields_is_given(fields,
                        "learning_rate_decay")) /* which on its own asks for this schedule */
        ret_params->training.loop.schedule.type = SCHEDULE_EXPONENTIAL;
    params_read(fields, run_params_rows, run_params_count, config, ret_params);
    check_margins(fields, &ret_params->training.loss);
    check_kept_versions(fields, ret_params);
    return !problem_is_set(fields->problem);
}

static bool is_of_loss(const struct params_row *row)
{
    return row->kind != PARAMS_OTHER && row->offset >= TRAINING(loss) &&
           row->offset < TRAINING(loss) + sizeof(struct loss);
}

/* The rows of the loss follow each other, and others follow them. */
void run_params_read_loss(struct fields *fields, const struct model_config *config,
                          struct loss *ret_loss)
{
    size_t first = 0, count = 0;
    struct run_params params = defaults(config);
    while (!is_of_loss(&run_params_rows[first]))
        first++;
    while (is_of_loss(&run_params_rows[first + count]))
        count++;
    params_read(fields, &run_params_rows[first], count, config, &params);
    check_margins(fields, &params.training.loss);
    *ret_loss = params.training.loss;
}

void run_params_write(struct buffer *json, const struct model_config *config,
                      const struct run_params *params)
{
    json_write_object_begin(json);
    params_write(json, run_params_rows, run_params_count, config, params);
    json_write_object_end(json);
}

size_t run_params_validation_count(size_t count, double validation_fraction)
{
    return (size_t)fmax(1, rint((double)count * validation_fraction));
}

size_t run_params_kept_versions(const struct run_params *params)
{
    return params->checkpoint_every > 0 ? params->training.loop.epochs / params->checkpoint_every
                                        : 0;
}
