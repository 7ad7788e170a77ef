/* reply.h - the answer to a request: what a handler puts into it, and how it is sent. Only reply.c
 * builds responses of libmicrohttpd. */
#ifndef SERVER_HTTP_REPLY_H
#define SERVER_HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/buffer.h"
#include "server/base/problem.h"
#include "server/http/request.h"
#include "server/json/writer.h"

struct MHD_Connection;

/* The step that follows the one that is being called. */
struct reply_next {
    request_handler *handler; /* NULL: none follows, the reply is the answer */
    void *state;              /* owned; NULL: none */
    void (*finish)(void *state);
    uint64_t work;         /* of the step, counted as LIMIT_WORK is */
    unsigned wait_seconds; /* 0: it follows at once */
    int64_t event; /* else after this one (the id of a run that ends), or when the time is over */
    bool (*has_happened)(struct service *service, int64_t event);
};

/* A body that is made while the client reads it: it follows what reply->body has. */
struct reply_stream {
    /* Adds the next piece, of about REPLY_PIECE bytes; nothing: the body has ended. On an event
     * loop. NULL: there is no stream. */
    void (*write)(void *state, struct buffer *piece);
    void *state; /* owned */
    void (*finish)(void *state);
    uint64_t size; /* bytes of the whole body, with what reply->body has; 0: not known */
    size_t held;   /* bytes that the state keeps until its end */
};

enum { REPLY_PIECE = 32768 };
enum { REPLY_LOCATION = 128, REPLY_ETAG = 36, REPLY_ALLOW = 64, REPLY_FILE_NAME = 96 };

struct reply {
    unsigned status;                 /* of the answer, unless it is a problem; 200 unless set */
    const char *content_type;        /* static text; application/json unless set */
    char etag[REPLY_ETAG];           /* with its quotes; "" for none */
    char location[REPLY_LOCATION];   /* a path, e.g. "/runs/7"; "" for none */
    unsigned waited_seconds;         /* of Preference-Applied: wait=N; 0 for none */
    char allow[REPLY_ALLOW];         /* the methods of a 405; "" for none */
    char file_name[REPLY_FILE_NAME]; /* that a client keeps the body as; "" for none */
    bool is_gzip;                    /* the body is compressed already */
    struct buffer body;
    struct reply_next next;
    struct reply_stream stream;
    struct problem problem; /* if set, it is the answer, whatever else was written */
};

/* --- for handlers --- */

/* Makes the state of the next step: `size` zeroed bytes, suitably aligned. The request owns it and,
 * whatever happens, calls finish(state) and then frees it after the last step that it is handed on
 * to. NULL with the problem set: there is no memory. A step calls it at most once. */
void *reply_make_state(struct reply *reply, size_t size, void (*finish)(void *state));

/* Makes the state of a stream: zeroed bytes, as reply_make_state() does. finish(state) is called
 * when the answer is sent, or never will be. NULL with the problem set: there is no memory. */
void *reply_make_stream(struct reply *reply, size_t size,
                        void (*write)(void *state, struct buffer *piece),
                        void (*finish)(void *state));

/* A little more work than an event loop takes: that of a step that writes to the store, or reads
 * much from it. */
#define WORK_FOR_POOL (LIMIT_INLINE_WORK + 1)

/* Names the next step, in which request->state is the state made, or if none was, that of this
 * step, and request->body is gone. A problem that is set cancels it. */
static inline void reply_continue(struct reply *reply, request_handler *handler, uint64_t work)
{
    reply->next.handler = handler;
    reply->next.work = work;
}

/* Names a step of little work that follows an event (the end of the run of this id), or the end of
 * that many seconds. has_happened() is asked once after the request has begun to wait, so that no
 * event is missed. */
static inline void reply_wait(struct reply *reply, request_handler *handler, unsigned seconds,
                              int64_t event,
                              bool (*has_happened)(struct service *service, int64_t event))
{
    reply->next.handler = handler;
    reply->next.wait_seconds = seconds;
    reply->next.event = event;
    reply->next.has_happened = has_happened;
}

/* --- for the HTTP layer --- */

/* An empty reply, which must not be moved after this. */
void reply_init(struct reply *reply);
void reply_finish(struct reply *reply);

/* Hands the state of a step on to the next one. */
static inline void reply_hand_on(struct reply_next *step, struct reply_next *next)
{
    next->state = step->state;
    next->finish = step->finish;
    step->state = NULL;
}

/* Drops a step that is not called, or has been called: frees its state. */
void reply_drop_step(struct reply_next *step);

/* Compresses the reply if the request accepts that and it is worth it. It takes time: a thread that
 * has some calls it. */
void reply_pack(const struct request *request, struct reply *reply);

/* The memory that the answer takes until the client has read it. */
size_t reply_bytes(const struct reply *reply);

/* Queues the reply, or its problem; takes what reply->body holds, and the stream. With `close`, the
 * connection ends after it. Returns the status, and how many bytes the body has; those of a stream
 * are added to *ret_size as they are sent. 0 if nothing could be queued, and the connection must be
 * dropped. */
unsigned reply_send(struct MHD_Connection *connection, const struct request *request,
                    struct reply *reply, bool close, size_t *ret_size);

/* Writes the application/problem+json document: type, title, status, detail, instance, code,
 * errors (if fields are named) and request_id. */
void reply_write_problem(const struct problem *problem, const char *instance,
                         const char *request_id, struct buffer *json);

#endif
