#include "server/http/reply.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/gzip.h"
#include "server/http/tls.h"

/* The fields of a problem are large, and none is read before it is added: they are not zeroed. */
void reply_init(struct reply *reply)
{
    memset(reply, 0, offsetof(struct reply, problem) + offsetof(struct problem, fields));
    reply->status = MHD_HTTP_OK;
    reply->content_type = "application/json";
}

static void drop_stream(struct reply_stream *stream)
{
    if (stream->state != NULL) {
        stream->finish(stream->state);
        free(stream->state);
    }
    *stream = (struct reply_stream){0};
}

void reply_finish(struct reply *reply)
{
    reply_drop_step(&reply->next);
    drop_stream(&reply->stream);
    buffer_finish(&reply->body);
}

/* --- steps --- */

void *reply_make_state(struct reply *reply, size_t size, void (*finish)(void *state))
{
    void *state = calloc(1, size);
    if (state == NULL)
        problem_set_no_memory(&reply->problem);
    else
        reply->next = (struct reply_next){.state = state, .finish = finish};
    return state;
}

void *reply_make_stream(struct reply *reply, size_t size,
                        void (*write)(void *state, struct buffer *piece),
                        void (*finish)(void *state))
{
    void *state = calloc(1, size);
    if (state == NULL)
        problem_set_no_memory(&reply->problem);
    else
        reply->stream = (struct reply_stream){.write = write, .state = state, .finish = finish};
    return state;
}

void reply_drop_step(struct reply_next *step)
{
    if (step->state != NULL) {
        step->finish(step->state);
        free(step->state);
    }
    *step = (struct reply_next){0};
}

/* --- the body --- */

/* For readers of JSON in a terminal. */
static void end_line(struct reply *reply)
{
    const bool is_text = strstr(reply->content_type, "json") != NULL;
    const struct buffer *body = &reply->body;
    if (is_text && !reply->is_gzip && body->size > 0 && body->bytes[body->size - 1] != '\n')
        buffer_add(&reply->body, "\n", 1);
}

/* An answer for whose compression there is no memory is sent as it is. */
void reply_pack(const struct request *request, struct reply *reply)
{
    struct buffer packed = {0};
    struct buffer *body = &reply->body;
    if (!request->accepts_gzip || problem_is_set(&reply->problem) || reply->stream.write != NULL ||
        body->size < LIMIT_GZIP_MIN)
        return;
    end_line(reply);
    if (body->failed || !gzip_pack(body->bytes, body->size, &packed)) {
        buffer_finish(&packed);
        return;
    }
    buffer_finish(body);
    *body = packed;
    reply->is_gzip = true;
}

static void write_fields(const struct problem *problem, struct buffer *json)
{
    json_write_key(json, "errors");
    json_write_array_begin(json);
    for (unsigned i = 0; i < problem->field_count && i < PROBLEM_FIELDS; i++) {
        const struct problem_field *field = &problem->fields[i];
        json_write_object_begin(json);
        json_write_member_string(json, field->parameter ? "parameter" : "pointer", field->pointer);
        json_write_member_string(json, "code", problem_name(field->code));
        json_write_member_string(json, "detail", field->detail);
        json_write_object_end(json);
    }
    json_write_array_end(json);
}

void reply_write_problem(const struct problem *problem, const char *instance,
                         const char *request_id, struct buffer *json)
{
    const unsigned status = problem_status(problem->code);
    json_write_object_begin(json);
    json_write_member_string(json, "type", "about:blank");
    json_write_member_string(json, "title", MHD_get_reason_phrase_for(status));
    json_write_member_integer(json, "status", status);
    json_write_member_string(json, "detail", problem->detail);
    json_write_member_string(json, "instance", instance);
    json_write_member_string(json, "code", problem_name(problem->code));
    if (problem->field_count > 0)
        write_fields(problem, json);
    json_write_member_string(json, "request_id", request_id);
    json_write_object_end(json);
}

/* Replaces what was written with the problem's document. */
static void write_problem(const struct request *request, struct reply *reply)
{
    buffer_finish(&reply->body);
    drop_stream(&reply->stream);
    reply_write_problem(&reply->problem, request->path, request->id, &reply->body);
    reply->status = problem_status(reply->problem.code);
    reply->content_type = "application/problem+json";
    reply->is_gzip = false;
    reply->location[0] = '\0';
    reply->etag[0] = '\0';
    reply->file_name[0] = '\0';
    reply->waited_seconds = 0;
}

/* --- a body that is made while it is read --- */

struct sender {
    struct reply_stream stream;
    struct buffer piece;
    size_t sent;     /* of the piece */
    size_t *counter; /* of all bytes that were sent; of the request, which outlives the sending */
};

static ssize_t send_piece(void *cls, uint64_t position, char *out, size_t max)
{
    (void)position;
    struct sender *sender = cls;
    struct buffer *piece = &sender->piece;
    if (sender->sent == piece->size) {
        piece->size = 0;
        sender->sent = 0;
        sender->stream.write(sender->stream.state, piece);
    }
    if (piece->failed)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (piece->size == 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    const size_t left = piece->size - sender->sent;
    const size_t size = left < max ? left : max;
    memcpy(out, piece->bytes + sender->sent, size);
    sender->sent += size;
    *sender->counter += size;
    return (ssize_t)size;
}

static void free_sender(void *cls)
{
    struct sender *sender = cls;
    drop_stream(&sender->stream);
    buffer_finish(&sender->piece);
    free(sender);
}

static struct MHD_Response *make_stream(struct reply *reply, size_t *counter)
{
    struct sender *sender = malloc(sizeof *sender);
    if (sender == NULL)
        return NULL;
    *sender = (struct sender){.stream = reply->stream, .piece = reply->body, .counter = counter};
    reply->stream = (struct reply_stream){0};
    reply->body = (struct buffer){0};
    const uint64_t size = sender->stream.size != 0 ? sender->stream.size : MHD_SIZE_UNKNOWN;
    struct MHD_Response *response =
        MHD_create_response_from_callback(size, REPLY_PIECE, send_piece, sender, free_sender);
    if (response == NULL)
        free_sender(sender);
    return response;
}

size_t reply_bytes(const struct reply *reply)
{
    const struct reply_stream *stream = &reply->stream;
    return stream->write != NULL ? 2 * REPLY_PIECE + stream->held : reply->body.capacity;
}

/* --- the answer --- */

static struct MHD_Response *make_response(struct reply *reply, size_t *counter)
{
    if (reply->stream.write != NULL)
        return make_stream(reply, counter);
    const size_t size = reply->body.size;
    char *bytes = buffer_take(&reply->body);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, bytes, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        free(bytes);
    return response;
}

/* A path of this service, e.g. "/runs/7", as a reference relative to the path of the request: a
 * proxy may have taken a prefix off that path, and a client that resolves the reference (RFC 3986,
 * 5.2) puts it back. */
static void write_location(const char *path, const char *location, char *out)
{
    for (const char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
        out = stpcpy(out, "../");
    strcpy(out, location + 1);
}

/* A key that is too fast gets another request within a second, too. */
static bool is_for_later(unsigned status)
{
    return status == MHD_HTTP_SERVICE_UNAVAILABLE || status == MHD_HTTP_TOO_MANY_REQUESTS;
}

static bool add_headers(struct MHD_Response *response, const struct request *request,
                        const struct reply *reply, bool close)
{
    char location[REPLY_LOCATION + 3 * LIMIT_PATH], preference[32];
    char disposition[sizeof "attachment; filename=\"\"" + REPLY_FILE_NAME];
    if (reply->location[0] != '\0')
        write_location(request->path, reply->location, location);
    if (reply->waited_seconds > 0)
        snprintf(preference, sizeof preference, "wait=%u", reply->waited_seconds);
    snprintf(disposition, sizeof disposition, "attachment; filename=\"%s\"", reply->file_name);
    const struct {
        const char *name;
        const char *value; /* NULL: none */
    } headers[] = {
        {"X-Request-Id", request->id},
        {"X-Content-Type-Options", "nosniff"},
        {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Strict-Transport-Security", tls_is_on() ? "max-age=31536000" : NULL},
        {"Content-Type", reply->status != MHD_HTTP_NO_CONTENT ? reply->content_type : NULL},
        {"Content-Disposition", reply->file_name[0] != '\0' ? disposition : NULL},
        {"Content-Encoding", reply->is_gzip ? "gzip" : NULL},
        {"Vary", reply->is_gzip ? "Accept-Encoding" : NULL},
        {"Cache-Control", strcmp(request->method, "GET") == 0 ? "no-store" : NULL},
        {"Location", reply->location[0] != '\0' ? location : NULL},
        {"ETag", reply->etag[0] != '\0' ? reply->etag : NULL},
        {"Allow", reply->allow[0] != '\0' ? reply->allow : NULL},
        {"WWW-Authenticate",
         reply->status == MHD_HTTP_UNAUTHORIZED ? "Bearer realm=\"tempotrond\"" : NULL},
        {"Retry-After", is_for_later(reply->status) ? "1" : NULL},
        {"Preference-Applied", reply->waited_seconds > 0 ? preference : NULL},
        {"Connection", close ? "close" : NULL},
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        if (headers[i].value != NULL &&
            MHD_add_response_header(response, headers[i].name, headers[i].value) != MHD_YES)
            return false;
    return true;
}

unsigned reply_send(struct MHD_Connection *connection, const struct request *request,
                    struct reply *reply, bool close, size_t *ret_size)
{
    if (reply->body.failed)
        problem_set_no_memory(&reply->problem);
    if (problem_is_set(&reply->problem))
        write_problem(request, reply);
    if (reply->stream.write == NULL)
        end_line(reply);
    const size_t size = reply->stream.write == NULL ? reply->body.size : 0;
    struct MHD_Response *response = make_response(reply, ret_size);
    if (response == NULL)
        return 0;
    const bool is_queued = add_headers(response, request, reply, close) &&
                           MHD_queue_response(connection, reply->status, response) == MHD_YES;
    MHD_destroy_response(response);
    if (!is_queued)
        return 0;
    *ret_size = size;
    return reply->status;
}
