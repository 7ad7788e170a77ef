#include "server/api/answer.h"

#include <math.h>

#include "server/files/npy.h"

/* --- documents --- */

void answer_write_version(struct buffer *json, const char *model, int64_t version)
{
    json_write_member_string(json, "model", model);
    json_write_member_integer(json, "version", version);
}

/* --- one array --- */

bool answer_wants_npy(const struct request *request, unsigned arrays, struct reply *reply)
{
    if (!request->accepts_npy)
        return false;
    if (arrays != 1 && !request->accepts_json)
        problem_set(
            &reply->problem, PROBLEM_NOT_ACCEPTABLE,
            "application/x-npy holds one array: ask for exactly one, by ret_type or tensor.");
    return arrays == 1;
}

void answer_npy_header(struct reply *reply, enum dtype dtype, unsigned rank, const size_t *shape)
{
    char header[NPY_HEADER_WRITTEN];
    buffer_add(&reply->body, header, npy_header_write(dtype, rank, shape, header));
    reply->content_type = "application/x-npy";
}

void answer_npy(struct reply *reply, enum dtype dtype, unsigned rank, const size_t *shape,
                const void *values)
{
    size_t bytes = dtype_size(dtype);
    for (unsigned d = 0; d < rank; d++)
        bytes *= shape[d];
    answer_npy_header(reply, dtype, rank, shape);
    buffer_add(&reply->body, values, bytes);
}

/* --- predictions: their arrays --- */

void answer_write_class(struct buffer *json, const struct labels *labels, int32_t class)
{
    if (class < 0)
        json_write_null(json);
    else if (labels->count > 0)
        json_write_string(json, labels->names[class]);
    else
        json_write_integer(json, class);
}

/* False: a list has ended. */
static bool write_value(struct buffer *json, const struct labels *labels,
                        const struct prediction_array *array, size_t number)
{
    if (array->dtype == DTYPE_F8) {
        const double value = ((const double *)array->values)[number];
        if (array->style == PREDICTION_LISTS && isnan(value))
            return false;
        json_write_double(json, value);
        return true;
    }
    const int32_t value = ((const int32_t *)array->values)[number];
    if (array->style == PREDICTION_CLASSES)
        answer_write_class(json, labels, value);
    else
        json_write_integer(json, value);
    return true;
}

/* The elements of one dimension, the first value of which is values[first]. */
static void write_dimension(struct buffer *json, const struct labels *labels,
                            const struct prediction_array *array, unsigned dimension, size_t first)
{
    size_t step = 1;
    for (unsigned d = dimension + 1; d < array->rank; d++)
        step *= array->shape[d];
    json_write_array_begin(json);
    for (size_t i = 0; i < array->shape[dimension]; i++) {
        if (dimension + 1 < array->rank)
            write_dimension(json, labels, array, dimension + 1, first + i * step);
        else if (!write_value(json, labels, array, first + i))
            break;
    }
    json_write_array_end(json);
}

static void write_array(struct buffer *json, const struct labels *labels,
                        const struct prediction_array *array)
{
    if (array->dtype != DTYPE_F4)
        write_dimension(json, labels, array, 0, 0);
    else
        json_write_float_array(json, array->values, array->shape, array->rank);
}

/* Arrays of a group follow each other. */
static void write_arrays(struct buffer *json, const struct labels *labels,
                         const struct prediction *prediction)
{
    const char *group = NULL;
    for (size_t i = 0; i < prediction->array_count; i++) {
        const struct prediction_array *array = &prediction->arrays[i];
        if (group != NULL && array->group != group)
            json_write_object_end(json);
        if (array->group != NULL && array->group != group) {
            json_write_key(json, array->group);
            json_write_object_begin(json);
        }
        group = array->group;
        json_write_key(json, array->name);
        write_array(json, labels, array);
    }
    if (group != NULL)
        json_write_object_end(json);
}

/* --- predictions: how decisions came about --- */

static void write_contribution(struct buffer *json, const struct model *model,
                               const struct contribution *contribution)
{
    json_write_object_begin(json);
    json_write_member_double(json, "afferent", (double)contribution->afferent);
    if (model->config.has_encoder) {
        const size_t neurons = encoder_neurons(&model->config.encoder);
        json_write_member_double(json, "feature", (double)(contribution->afferent / neurons));
        json_write_member_double(json, "neuron", (double)(contribution->afferent % neurons));
    }
    json_write_key(json, "potential");
    json_write_float(json, (float)contribution->potential);
    json_write_object_end(json);
}

static void write_decision(struct buffer *json, const struct model *model,
                           const struct decision *decision)
{
    if (!decision->is_made) {
        json_write_null(json);
        return;
    }
    json_write_object_begin(json);
    json_write_member_double(json, "output", (double)decision->output);
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

/* --- predictions: the answer --- */

static void write_prediction(struct buffer *json, const struct model *model,
                             const struct prediction *prediction)
{
    json_write_object_begin(json);
    answer_write_version(json, model->id, model->version);
    write_arrays(json, &model->labels, prediction);
    if (prediction->decisions != NULL) {
        json_write_key(json, "explain");
        json_write_array_begin(json);
        for (size_t b = 0; b < prediction->count; b++)
            write_decision(json, model, &prediction->decisions[b]);
        json_write_array_end(json);
    }
    json_write_object_end(json);
}

void answer_prediction(const struct request *request, const struct model *model,
                       const struct prediction *prediction, struct reply *reply)
{
    const struct prediction_array *array = &prediction->arrays[0];
    const bool is_whole = prediction->decisions == NULL && array->style != PREDICTION_LISTS;
    const unsigned arrays = (unsigned)prediction->array_count + (is_whole ? 0 : 1);
    if (answer_wants_npy(request, arrays, reply))
        answer_npy(reply, array->dtype, array->rank, array->shape, array->values);
    else
        write_prediction(&reply->body, model, prediction);
}
