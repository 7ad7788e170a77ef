/* Checks what the caller gives, and translates between the public types and the core's. */
#include "core/libtempotron.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/activity.h"
#include "core/encoder.h"
#include "core/network.h"
#include "core/psp_kernel.h"
#include "core/samples.h"
#include "core/training.h"
#include "core/v_max_reading.h"

enum { MAX_T = 1 << 22, MAX_FEATURES = 1 << 24 };

struct tempotron_encoder {
    struct encoder encoder;
};

struct tempotron_model {
    struct network *network;
};

static enum tempotron_status status_of(enum core_status status)
{
    switch (status) {
    case CORE_OK:
        return TEMPOTRON_OK;
    case CORE_NO_MEMORY:
        return TEMPOTRON_NO_MEMORY;
    case CORE_STOPPED:
        return TEMPOTRON_STOPPED;
    case CORE_DIVERGED:
        return TEMPOTRON_DIVERGED;
    }
    return TEMPOTRON_INVALID;
}

const char *tempotron_status_text(enum tempotron_status status)
{
    switch (status) {
    case TEMPOTRON_OK:
        return "nothing is wrong";
    case TEMPOTRON_INVALID:
        return "an argument is outside its bounds";
    case TEMPOTRON_NO_MEMORY:
        return "there is not enough memory";
    case TEMPOTRON_DIVERGED:
        return "the loss or a weight is no longer finite; try a smaller learning rate";
    case TEMPOTRON_STOPPED:
        return "the training was stopped";
    }
    return "the status is unknown";
}

double tempotron_psp_kernel(double t, double tau, double tau_s)
{
    return psp_kernel(t, tau, tau_s);
}

/* --- encoders --- */

static bool ranges_are_valid(size_t n, const float *x_min, const float *x_max,
                             uint32_t max_spike_time)
{
    for (size_t i = 0; i < n; i++)
        if (!(x_min[i] < x_max[i]) || !isfinite(x_max[i] - x_min[i]))
            return false;
    return n >= 1 && n <= MAX_FEATURES && max_spike_time >= 1 &&
           max_spike_time <= GAUSSIAN_MAX_SPIKE_TIME;
}

/* Takes the encoder, if it was made. */
static enum tempotron_status finish_encoder(struct tempotron_encoder *encoder,
                                            enum core_status status,
                                            struct tempotron_encoder **ret_encoder)
{
    if (status == CORE_OK)
        *ret_encoder = encoder;
    else
        free(encoder);
    return status_of(status);
}

enum tempotron_status tempotron_encoder_gaussian_tuning(size_t n, size_t m, const float *x_min,
                                                        const float *x_max, uint32_t max_spike_time,
                                                        struct tempotron_encoder **ret_encoder)
{
    if (!ranges_are_valid(n, x_min, x_max, max_spike_time) || m <= 2 || m > MAX_FEATURES / n)
        return TEMPOTRON_INVALID;
    struct tempotron_encoder *encoder = calloc(1, sizeof *encoder);
    if (encoder == NULL)
        return TEMPOTRON_NO_MEMORY;
    encoder->encoder.type = ENCODER_GAUSSIAN_TUNING;
    return finish_encoder(
        encoder,
        gaussian_tuning_init(&encoder->encoder.gaussian_tuning, n, m, x_min, x_max, max_spike_time),
        ret_encoder);
}

enum tempotron_status tempotron_encoder_latency(size_t n, const float *x_min, const float *x_max,
                                                uint32_t max_spike_time,
                                                struct tempotron_encoder **ret_encoder)
{
    if (!ranges_are_valid(n, x_min, x_max, max_spike_time))
        return TEMPOTRON_INVALID;
    struct tempotron_encoder *encoder = calloc(1, sizeof *encoder);
    if (encoder == NULL)
        return TEMPOTRON_NO_MEMORY;
    encoder->encoder.type = ENCODER_LATENCY;
    return finish_encoder(
        encoder,
        latency_init(&encoder->encoder.latency, n, LATENCY_LINEAR, x_min, x_max, max_spike_time),
        ret_encoder);
}

void tempotron_encoder_destroy(struct tempotron_encoder *encoder)
{
    if (encoder == NULL)
        return;
    encoder_finish(&encoder->encoder);
    free(encoder);
}

size_t tempotron_encoder_afferents(const struct tempotron_encoder *encoder)
{
    return encoder_afferents(&encoder->encoder);
}

void tempotron_encode(const struct tempotron_encoder *encoder, const float *x, size_t count,
                      float *ret_in_spikes)
{
    const size_t n = encoder_features(&encoder->encoder);
    const size_t neurons = encoder_neurons(&encoder->encoder);
    for (size_t i = 0; i < count * n; i++)
        encoder_encode_value(&encoder->encoder, i % n, x[i], ret_in_spikes + i * neurons);
}

/* --- models --- */

struct tempotron_model_params tempotron_model_defaults(size_t in_features, size_t out_features)
{
    return (struct tempotron_model_params){
        .in_features = in_features,
        .out_features = out_features,
        .T = 100,
        .tau = 15,
        .tau_s = 3.75,
        .v_threshold = 1,
    };
}

static bool is_positive(double value)
{
    return isfinite(value) && value > 0;
}

static bool model_is_valid(const struct tempotron_model_params *params)
{
    if (params->hidden_count > TEMPOTRON_HIDDEN_LAYERS ||
        (params->hidden_count > 0 && params->clock != TEMPOTRON_CLOCK_GRID))
        return false;
    for (size_t l = 0; l < params->hidden_count; l++)
        if (params->hidden[l] < 1 || params->hidden[l] > MAX_FEATURES)
            return false;
    return params->in_features >= 1 && params->in_features <= MAX_FEATURES &&
           params->out_features >= 1 && params->out_features <= MAX_FEATURES && params->T >= 1 &&
           params->T <= MAX_T && is_positive(params->tau) && is_positive(params->tau_s) &&
           params->tau != params->tau_s && is_positive(params->v_threshold);
}

static struct network_params network_params(const struct tempotron_model_params *params)
{
    const struct tempotron_params tempotron = {
        .clock = params->clock == TEMPOTRON_CLOCK_GRID ? CLOCK_GRID : CLOCK_CONTINUOUS,
        .in_features = params->in_features,
        .out_features = params->out_features,
        .T = params->T,
        .tau = params->tau,
        .tau_s = params->tau_s,
        .v_threshold = params->v_threshold,
    };
    struct network_params network = network_params_of(&tempotron);
    network.hidden_count = params->hidden_count;
    memcpy(network.hidden, params->hidden, sizeof network.hidden);
    return network;
}

/* Draws the weights of all layers into one block, which *ret_block is then. */
static bool draw_weights(const struct network_params *params, uint32_t seed,
                         const float *weight[NETWORK_LAYERS], float **ret_block)
{
    size_t first[NETWORK_LAYERS + 1] = {0};
    const size_t depth = network_depth(params);
    for (size_t l = 0; l < depth; l++)
        first[l + 1] = first[l] + network_neurons(params, l) * network_afferents(params, l);
    float *block = malloc(first[depth] * sizeof *block);
    if (block == NULL)
        return false;
    for (size_t l = 0; l < depth; l++) {
        network_draw_weight(params, l, seed, block + first[l]);
        weight[l] = block + first[l];
    }
    *ret_block = block;
    return true;
}

enum tempotron_status tempotron_model_create(const struct tempotron_model_params *params,
                                             const float *const *weight,
                                             struct tempotron_model **ret_model)
{
    float *block = NULL;
    const float *drawn[NETWORK_LAYERS];
    if (!model_is_valid(params))
        return TEMPOTRON_INVALID;
    const struct network_params shape = network_params(params);
    struct tempotron_model *model = calloc(1, sizeof *model);
    if (model == NULL || (weight == NULL && !draw_weights(&shape, params->seed, drawn, &block))) {
        free(model);
        return TEMPOTRON_NO_MEMORY;
    }
    const enum core_status status =
        network_create(&shape, weight != NULL ? weight : drawn, &model->network);
    free(block);
    if (status == CORE_OK)
        *ret_model = model;
    else
        free(model);
    return status_of(status);
}

void tempotron_model_destroy(struct tempotron_model *model)
{
    if (model == NULL)
        return;
    network_destroy(model->network);
    free(model);
}

void tempotron_model_weight(const struct tempotron_model *model, size_t layer, float *ret_weight)
{
    layer_weight(&model->network->layers[layer], ret_weight);
}

/* --- samples --- */

static bool times_are_finite(const float *times, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(times[i]))
            return false;
    return true;
}

static bool labels_are_valid(const struct tempotron_samples *samples, size_t classes)
{
    for (size_t i = 0; i < samples->count; i++)
        if (samples->label[i] < 0 || (size_t)samples->label[i] >= classes)
            return false;
    return true;
}

/* A view of the caller's samples as the core knows them. Its `first`, if it has spike trains, is
 * free() by view_finish(). */
static enum tempotron_status view_init(struct samples *view, const struct network *network,
                                       const struct tempotron_samples *samples)
{
    const size_t features = network->params.tempotron.in_features;
    const bool has_trains = samples->in_spikes == NULL;
    *view = (struct samples){.kind = has_trains ? SAMPLES_SPIKE_TRAINS : SAMPLES_SPIKE_TIMES,
                             .count = samples->count,
                             .features = features};
    if (samples->count < 1 || (has_trains && (samples->spikes == NULL || samples->times == NULL)))
        return TEMPOTRON_INVALID;
    if (samples->label != NULL && !labels_are_valid(samples, network->outputs))
        return TEMPOTRON_INVALID;
    view->targets.kind = samples->label != NULL ? TARGETS_CLASS : TARGETS_NONE;
    view->targets.label = (int32_t *)samples->label;
    if (!has_trains) {
        view->data.values = (float *)samples->in_spikes;
        return times_are_finite(samples->in_spikes, samples->count * features) ? TEMPOTRON_OK
                                                                               : TEMPOTRON_INVALID;
    }
    view->data.trains.spikes = (uint32_t *)samples->spikes;
    view->data.trains.times = (float *)samples->times;
    if (!samples_index(view))
        return TEMPOTRON_NO_MEMORY;
    return times_are_finite(samples->times, view->data.trains.first[samples->count])
               ? TEMPOTRON_OK
               : TEMPOTRON_INVALID;
}

static void view_finish(struct samples *view)
{
    if (view->kind == SAMPLES_SPIKE_TRAINS)
        free(view->data.trains.first);
}

/* --- training --- */

struct tempotron_training tempotron_training_defaults(void)
{
    return (struct tempotron_training){
        .epochs = 100,
        .batch_size = 64,
        .learning_rate = 0.01,
        .adam = 1,
        .loss = TEMPOTRON_LOSS_CROSS_ENTROPY,
        .beta = 5,
        .shuffle = 1,
    };
}

static bool training_is_valid(const struct tempotron_training *training)
{
    return training->epochs >= 1 && training->batch_size >= 1 &&
           is_positive(training->learning_rate) && training->momentum >= 0 &&
           training->momentum < 1 && isfinite(training->weight_decay) &&
           training->weight_decay >= 0 && is_positive(training->beta);
}

static enum loss_type loss_type(enum tempotron_loss_type type)
{
    switch (type) {
    case TEMPOTRON_LOSS_MSE:
        return LOSS_MSE;
    case TEMPOTRON_LOSS_CROSS_ENTROPY:
        return LOSS_CROSS_ENTROPY;
    case TEMPOTRON_LOSS_TEMPOTRON:
        return LOSS_TEMPOTRON;
    }
    return LOSS_MSE;
}

static struct training_params training_params(const struct tempotron_training *training,
                                              double v_threshold)
{
    return (struct training_params){
        .loop = {.epochs = training->epochs,
                 .batch_size = training->batch_size,
                 .schedule = {.learning_rate = training->learning_rate},
                 .shuffle = training->shuffle != 0,
                 .seed = training->seed,
                 .patience = training->patience},
        .optimizer = training->adam != 0 ? OPTIMIZER_ADAM : OPTIMIZER_SGD,
        .momentum = training->momentum,
        .weight_decay = training->weight_decay,
        .loss = {.type = loss_type(training->loss),
                 .v_threshold = (float)v_threshold,
                 .beta = (float)training->beta},
    };
}

/* The caller's on_epoch, as the core's observer. */
struct listener {
    const struct tempotron_training *training;
    bool stops;
};

static void on_epoch(void *context, const struct training_epoch *epoch)
{
    struct listener *listener = context;
    const struct tempotron_training *training = listener->training;
    listener->stops =
        training->on_epoch != NULL &&
        training->on_epoch(training->context, epoch->epoch, epoch->loss, epoch->accuracy) != 0;
}

static bool stop_requested(void *context)
{
    return ((const struct listener *)context)->stops;
}

/* Trains a copy, which takes the model's place if all goes well. */
static enum tempotron_status train(struct tempotron_model *model, const struct samples *samples,
                                   const struct samples *validation,
                                   const struct tempotron_training *training)
{
    struct network *network;
    struct listener listener = {.training = training};
    const struct training_observer observer = {
        .context = &listener, .on_epoch = on_epoch, .stop_requested = stop_requested};
    const struct training_params params =
        training_params(training, model->network->params.tempotron.v_threshold);
    enum core_status status = network_copy(model->network, &network);
    if (status != CORE_OK)
        return status_of(status);
    status = network_train(network, samples, validation, NULL, &params, &observer, NULL);
    if (status == CORE_OK) {
        network_destroy(model->network);
        model->network = network;
    } else {
        network_destroy(network);
    }
    return status_of(status);
}

enum tempotron_status tempotron_train(struct tempotron_model *model,
                                      const struct tempotron_samples *samples,
                                      const struct tempotron_samples *validation,
                                      const struct tempotron_training *training)
{
    struct samples view = {0}, validation_view = {0};
    if (!training_is_valid(training) || samples->label == NULL ||
        (validation != NULL && validation->label == NULL))
        return TEMPOTRON_INVALID;
    enum tempotron_status status = view_init(&view, model->network, samples);
    if (status == TEMPOTRON_OK && validation != NULL)
        status = view_init(&validation_view, model->network, validation);
    if (status == TEMPOTRON_OK)
        status = train(model, &view, validation != NULL ? &validation_view : NULL, training);
    view_finish(&view);
    view_finish(&validation_view);
    return status;
}

/* --- prediction --- */

/* What one prediction works in. */
struct predicting {
    const struct network *network;
    const struct tempotron_prediction *prediction;
    struct membranes membranes;
    struct activity activity;
    struct arena arena;
};

static enum core_status predicting_init(struct predicting *predicting,
                                        const struct network *network, size_t capacity,
                                        const struct tempotron_prediction *prediction)
{
    *predicting = (struct predicting){.network = network, .prediction = prediction};
    activity_init(&predicting->activity, network, capacity, &predicting->arena);
    membranes_init(&predicting->membranes, network_widest_block(network), &predicting->arena);
    return arena_status(&predicting->arena);
}

static void predict_sample(struct predicting *predicting, size_t sample)
{
    const struct tempotron_params *params = &predicting->network->params.tempotron;
    const struct tempotron_prediction *prediction = predicting->prediction;
    struct activity *activity = &predicting->activity;
    const struct layer_activity *last = &activity->layers[activity->depth - 1];
    const size_t outputs = params->out_features;
    float *v = prediction->v != NULL ? prediction->v + sample * outputs * params->T : NULL;
    activity_forward(predicting->network, &predicting->membranes, activity);
    v_max_reading_voltages(predicting->network, &predicting->membranes, activity, v);
    if (prediction->label != NULL)
        prediction->label[sample] = v_max_reading_label(predicting->network, activity);
    if (prediction->v_max != NULL)
        memcpy(prediction->v_max + sample * outputs, last->v_max, outputs * sizeof(float));
    if (prediction->spikes != NULL)
        v_max_reading_spikes(predicting->network, activity, prediction->spikes + sample * outputs);
}

enum tempotron_status tempotron_predict(const struct tempotron_model *model,
                                        const struct tempotron_samples *samples,
                                        const struct tempotron_prediction *ret_prediction)
{
    struct samples view;
    struct predicting predicting = {0};
    enum tempotron_status status = view_init(&view, model->network, samples);
    if (status == TEMPOTRON_OK)
        status = status_of(predicting_init(&predicting, model->network,
                                           samples_capacity(&view, NULL), ret_prediction));
    for (size_t b = 0; status == TEMPOTRON_OK && b < view.count; b++) {
        samples_pattern(&view, NULL, b, activity_input(&predicting.activity));
        predict_sample(&predicting, b);
    }
    arena_finish(&predicting.arena);
    view_finish(&view);
    return status;
}
