/* answer_prediction.c - writes a prediction. Its document is written value by value, so that it can
 * go on where a piece has ended: a large one is made while the client reads it, from the arrays,
 * which are smaller than its text. */
#include <math.h>

#include "server/api/answer.h"

/* A document, and where it goes on. */
struct document_writer {
    const struct model *model;
    const struct prediction *prediction;
    size_t array;  /* of the prediction; array_count: the decisions */
    size_t number; /* of the value, or of the decision */
    bool has_ended;
};

/* --- arrays --- */

static size_t count_of(const struct prediction_array *array)
{
    size_t count = 1;
    for (unsigned d = 0; d < array->rank; d++)
        count *= array->shape[d];
    return count;
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

/* The brackets that open before a value, or close after the one before it: one for each dimension
 * that begins there. */
static void write_brackets(struct buffer *json, const struct prediction_array *array, size_t number,
                           const char *brackets)
{
    size_t step = 1, count = 0;
    for (unsigned d = array->rank; d-- > 0 && number % (step *= array->shape[d]) == 0;)
        count++;
    buffer_add(json, brackets, count);
}

/* Writes values up to the end of the innermost dimension, or some of them; a list always to its
 * end. Returns the number of the value that follows. */
static size_t write_values(struct buffer *json, const struct labels *labels,
                           const struct prediction_array *array, size_t first)
{
    enum { AT_ONCE = LIMIT_MAX_SPIKES };
    const size_t row = array->shape[array->rank - 1], left = row - first % row;
    const size_t next = first + (left < AT_ONCE ? left : AT_ONCE);
    if (first > 0)
        buffer_add(json, ",", 1);
    write_brackets(json, array, first, "[[[");
    if (array->dtype == DTYPE_F4)
        json_write_floats(json, (const float *)array->values + first, next - first);
    for (size_t i = first; array->dtype != DTYPE_F4 && i < next; i++)
        if (!write_value(json, labels, array, i))
            break;
    write_brackets(json, array, next, "]]]");
    return next;
}

/* Arrays of a group follow each other. */
static void begin_array(struct document_writer *writer, struct buffer *json)
{
    const struct prediction *prediction = writer->prediction;
    const struct prediction_array *array = &prediction->arrays[writer->array];
    const char *before = writer->array > 0 ? array[-1].group : NULL;
    if (before != NULL && before != array->group)
        json_write_object_end(json);
    if (array->group != NULL && before != array->group) {
        json_write_key(json, array->group);
        json_write_object_begin(json);
    }
    json_write_key(json, array->name);
}

/* False: the array has not ended, as the piece is full. */
static bool write_array(struct document_writer *writer, struct buffer *json, size_t full)
{
    const struct prediction_array *array = &writer->prediction->arrays[writer->array];
    const size_t count = count_of(array);
    if (writer->number == 0)
        begin_array(writer, json);
    do
        writer->number = write_values(json, &writer->model->labels, array, writer->number);
    while (writer->number < count && json->size < full);
    if (writer->number < count)
        return false;
    writer->number = 0;
    return ++writer->array;
}

/* --- how decisions came about --- */

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

/* Likewise. */
static bool write_decisions(struct document_writer *writer, struct buffer *json, size_t full)
{
    const struct prediction *prediction = writer->prediction;
    if (writer->number == 0) {
        json_write_key(json, "explain");
        json_write_array_begin(json);
    }
    do {
        if (writer->number > 0)
            buffer_add(json, ",", 1);
        write_decision(json, writer->model, &prediction->decisions[writer->number]);
        writer->number++;
    } while (writer->number < prediction->count && json->size < full);
    if (writer->number < prediction->count)
        return false;
    json_write_array_end(json);
    return true;
}

/* --- the answer --- */

/* Goes on until the document has ended or a piece, of which something is there, is full. */
static void go_on(struct document_writer *writer, struct buffer *json, size_t full)
{
    const struct prediction *prediction = writer->prediction;
    const size_t last = prediction->array_count - 1;
    while (writer->array <= last)
        if (!write_array(writer, json, full))
            return;
    if (prediction->arrays[last].group != NULL && writer->number == 0)
        json_write_object_end(json);
    if (prediction->decisions != NULL && !write_decisions(writer, json, full))
        return;
    buffer_add(json, "}\n", 2);
    writer->has_ended = true;
}

static void begin_document(struct document_writer *writer, struct buffer *json, size_t full)
{
    json_write_object_begin(json);
    answer_write_version(json, writer->model->id, writer->model->version);
    go_on(writer, json, full);
}

/* --- the document in pieces --- */

struct document_stream {
    struct document_writer writer;
    struct model *model;          /* held */
    struct prediction prediction; /* owned */
};

static void finish_stream(void *state)
{
    struct document_stream *stream = state;
    prediction_finish(&stream->prediction);
    model_let_go(stream->model);
}

static void write_piece(void *state, struct buffer *piece)
{
    struct document_stream *stream = state;
    if (!stream->writer.has_ended)
        go_on(&stream->writer, piece, REPLY_PIECE);
}

static size_t bytes_of(const struct prediction *prediction)
{
    size_t bytes =
        prediction->decisions == NULL ? 0 : prediction->count * sizeof *prediction->decisions;
    for (size_t i = 0; i < prediction->array_count; i++)
        bytes += count_of(&prediction->arrays[i]) * dtype_size(prediction->arrays[i].dtype);
    return bytes;
}

/* Takes the prediction. */
static void stream_document(struct model *model, struct prediction *prediction, struct reply *reply)
{
    struct document_stream *stream =
        reply_make_stream(reply, sizeof *stream, write_piece, finish_stream);
    if (stream == NULL || (stream->model = model_hold(model, &reply->problem)) == NULL)
        return;
    stream->prediction = *prediction;
    *prediction = (struct prediction){0};
    stream->writer = (struct document_writer){.model = model, .prediction = &stream->prediction};
    reply->stream.held = bytes_of(&stream->prediction);
    begin_document(&stream->writer, &reply->body, REPLY_PIECE);
}

static size_t numbers_of(const struct prediction *prediction)
{
    size_t numbers = prediction->decisions == NULL ? 0 : prediction->count * CONTRIBUTIONS;
    for (size_t i = 0; i < prediction->array_count; i++)
        numbers += count_of(&prediction->arrays[i]);
    return numbers;
}

void answer_prediction(const struct request *request, struct model *model,
                       struct prediction *prediction, struct reply *reply)
{
    struct prediction_array *array = &prediction->arrays[0];
    struct document_writer writer = {.model = model, .prediction = prediction};
    const bool is_whole = prediction->decisions == NULL && array->style != PREDICTION_LISTS;
    const unsigned arrays = (unsigned)prediction->array_count + (is_whole ? 0 : 1);
    if (answer_wants_npy(request, arrays, reply)) {
        answer_npy(request, reply, array->dtype, array->rank, array->shape, array->values);
        array->values = NULL;
    } else if (answer_is_in_pieces(request, numbers_of(prediction))) {
        stream_document(model, prediction, reply);
    } else {
        begin_document(&writer, &reply->body, SIZE_MAX);
    }
}
