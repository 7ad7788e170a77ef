#include "server/api/prediction_json.h"

#include "server/api/answer.h"

static void write_labels(struct json_writer *json, const struct prediction *prediction,
                         const struct labels *labels)
{
    json_write_array_begin(json);
    for (size_t b = 0; b < prediction->count; b++) {
        const int32_t label = prediction->label[b];
        if (label < 0)
            json_write_null(json);
        else if (labels->count > 0)
            json_write_string(json, labels->names[label]);
        else
            json_write_integer(json, label);
    }
    json_write_array_end(json);
}

static void write_contribution(struct json_writer *json, const struct model *model,
                               const struct contribution *contribution)
{
    json_write_object_begin(json);
    json_write_number(json, "afferent", (double)contribution->afferent);
    if (model->config.has_encoder) {
        const size_t neurons = encoder_neurons(&model->config.encoder);
        json_write_number(json, "feature", (double)(contribution->afferent / neurons));
        json_write_number(json, "neuron", (double)(contribution->afferent % neurons));
    }
    json_write_key(json, "potential");
    json_write_float(json, (float)contribution->potential);
    json_write_object_end(json);
}

static void write_decisions(struct json_writer *json, const struct model *model,
                            const struct prediction *prediction)
{
    json_write_array_begin(json);
    for (size_t b = 0; b < prediction->count; b++) {
        const struct decision *decision = &prediction->decisions[b];
        if (prediction->label[b] < 0) {
            json_write_null(json);
            continue;
        }
        json_write_object_begin(json);
        json_write_number(json, "output", (double)decision->output);
        json_write_key(json, "t_max");
        json_write_float(json, (float)decision->t_max);
        json_write_key(json, "margin");
        json_write_float(json, (float)decision->margin);
        json_write_key(json, "contributions");
        json_write_array_begin(json);
        for (size_t i = 0; i < decision->count; i++)
            write_contribution(json, model, &decision->contributions[i]);
        json_write_array_end(json);
        json_write_object_end(json);
    }
    json_write_array_end(json);
}

static void write_hidden_spikes(struct json_writer *json, const struct model *model,
                                const struct prediction *prediction)
{
    const struct network_params *params = &model->config.network;
    json_write_object_begin(json);
    for (size_t l = 0; l < params->hidden_count; l++) {
        const size_t shape[] = {prediction->count, params->hidden[l]};
        json_write_key(json, weights_name(params, l));
        json_write_float_array(json, prediction->hidden[l], shape, 2);
    }
    json_write_object_end(json);
}

static void write_prediction(struct json_writer *json, const struct model *model,
                             const struct prediction *prediction)
{
    const size_t shape[] = {prediction->count, prediction->neurons, prediction->T};
    json_write_object_begin(json);
    json_write_key(json, "model");
    json_write_string(json, model->id);
    json_write_key(json, "version");
    json_write_integer(json, model->version);
    if (prediction->wanted[RET_LABEL]) {
        json_write_key(json, "label");
        write_labels(json, prediction, &model->labels);
    }
    if (prediction->wanted[RET_V_MAX]) {
        json_write_key(json, "v_max");
        json_write_float_array(json, prediction->v_max, shape, 2);
    }
    if (prediction->wanted[RET_SCORE]) {
        const size_t score_shape[] = {prediction->count, prediction->classes};
        json_write_key(json, "score");
        json_write_float_array(json, prediction->score, score_shape, 2);
    }
    if (prediction->wanted[RET_SPIKES]) {
        json_write_key(json, "spikes");
        if (model->config.network.tempotron.clock == CLOCK_GRID)
            json_write_spike_array(json, prediction->spikes, shape, 2);
        else
            json_write_float_array(json, prediction->spikes, shape, 2);
    }
    if (prediction->wanted[RET_HIDDEN_SPIKES]) {
        json_write_key(json, "hidden_spikes");
        write_hidden_spikes(json, model, prediction);
    }
    if (prediction->wanted[RET_V]) {
        json_write_key(json, "v");
        json_write_float_array(json, prediction->v, shape, 3);
    }
    if (prediction->explains) {
        json_write_key(json, "explain");
        write_decisions(json, model, prediction);
    }
    json_write_object_end(json);
}

/* The one array that is wanted; classes are numbers here, -1: undecided. */
static void answer_array(const struct model *model, const struct prediction *prediction,
                         struct reply *reply)
{
    const size_t hidden[] = {prediction->count, model->config.network.hidden[0]};
    const size_t neurons[] = {prediction->count, prediction->neurons, prediction->T};
    const size_t classes[] = {prediction->count, prediction->classes};
    if (prediction->wanted[RET_LABEL])
        answer_npy(reply, DTYPE_I4, 1, classes, prediction->label);
    else if (prediction->wanted[RET_V_MAX])
        answer_npy(reply, DTYPE_F4, 2, neurons, prediction->v_max);
    else if (prediction->wanted[RET_SCORE])
        answer_npy(reply, DTYPE_F4, 2, classes, prediction->score);
    else if (prediction->wanted[RET_SPIKES])
        answer_npy(reply, DTYPE_F4, 2, neurons, prediction->spikes);
    else if (prediction->wanted[RET_HIDDEN_SPIKES])
        answer_npy(reply, DTYPE_F4, 2, hidden, prediction->hidden[0]);
    else
        answer_npy(reply, DTYPE_F4, 3, neurons, prediction->v);
}

void prediction_answer(const struct request *request, const struct model *model,
                       const struct prediction *prediction, struct reply *reply)
{
    unsigned arrays = prediction->explains ? 2 : 0;
    for (unsigned i = 0; i < RET_COUNT; i++)
        arrays += prediction->wanted[i];
    if (prediction->wanted[RET_HIDDEN_SPIKES]) /* one for each layer */
        arrays += (unsigned)model->config.network.hidden_count - 1;
    if (answer_wants_npy(request, arrays, reply)) {
        answer_array(model, prediction, reply);
    } else {
        write_prediction(&reply->json, model, prediction);
        reply_with(reply, 200);
    }
}
