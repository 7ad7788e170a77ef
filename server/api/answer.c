#include "server/api/answer.h"

#include <stdlib.h>

#include "server/files/npy.h"

/* --- documents --- */

void answer_write_version(struct buffer *json, const char *model, int64_t version)
{
    json_write_member_string(json, "model", model);
    json_write_member_integer(json, "version", version);
}

void answer_write_class(struct buffer *json, const struct labels *labels, int32_t class)
{
    if (class < 0)
        json_write_null(json);
    else if (labels->count > 0)
        json_write_string(json, labels->names[class]);
    else
        json_write_integer(json, class);
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

/* The values of an array of application/x-npy. */
struct npy_stream {
    char *values; /* owned */
    size_t bytes;
    size_t sent;
};

static void finish_npy(void *state)
{
    const struct npy_stream *stream = state;
    free(stream->values);
}

static void write_npy_piece(void *state, struct buffer *piece)
{
    struct npy_stream *stream = state;
    const size_t left = stream->bytes - stream->sent;
    const size_t size = left < REPLY_PIECE ? left : REPLY_PIECE;
    buffer_add(piece, stream->values + stream->sent, size);
    stream->sent += size;
}

bool answer_is_in_pieces(const struct request *request, size_t numbers)
{
    return numbers > LIMIT_WHOLE_ANSWER && !request->accepts_gzip;
}

void answer_npy(const struct request *request, struct reply *reply, enum dtype dtype, unsigned rank,
                const size_t *shape, void *take_values)
{
    struct npy_stream *stream = NULL;
    size_t numbers = 1;
    for (unsigned d = 0; d < rank; d++)
        numbers *= shape[d];
    const size_t bytes = numbers * dtype_size(dtype);
    answer_npy_header(reply, dtype, rank, shape);
    if (answer_is_in_pieces(request, numbers))
        stream = reply_make_stream(reply, sizeof *stream, write_npy_piece, finish_npy);
    if (stream == NULL) {
        buffer_add(&reply->body, take_values, bytes);
        free(take_values);
        return;
    }
    *stream = (struct npy_stream){.values = take_values, .bytes = bytes};
    reply->stream.size = reply->body.size + bytes;
    reply->stream.held = bytes;
}
