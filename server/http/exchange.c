/* http_exchange.c - the first callback decides everything that the headers can tell; what is wrong
 * is noted in the reply, and told at the end of the body, so that the connection lives on. Told at
 * once, and the connection closed, is what leaves the body's end in doubt or the body unwanted: a
 * malformed request, one too large, one that still waits for its 100 Continue.
 *
 * What would hold up the event loop goes to the compute pool: by its route, by the size of its
 * body, or because its handler has deferred it. The connection is suspended first and queued then;
 * the pool's thread calls the handler and resumes, and the library calls again as after the body.
 *
 * A request whose handler parks it is suspended and enters the waiting room; resumed, it is called
 * again likewise, and the reply's `finish` answers. */
#include "server/http/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "server/base/timestamp.h"
#include "server/http/admit.h"
#include "server/http/reply.h"

static struct connection *connection_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

void http_exchange_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                              enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = cls;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        *socket_context =
            info != NULL ? connections_open(server->connections, info->connect_fd) : NULL;
    } else if (*socket_context != NULL) {
        connections_close(server->connections, *socket_context);
    }
}

/* "http://host/path" is asked of proxies, but a server has to understand it too. */
static const char *path_of(const char *uri)
{
    static const char scheme[] = "http://";
    if (strncasecmp(uri, scheme, sizeof scheme - 1) != 0)
        return uri;
    const char *path = strchr(uri + sizeof scheme - 1, '/');
    return path != NULL ? path : "/";
}

void *http_exchange_begin(void *cls, const char *uri, struct MHD_Connection *connection)
{
    struct http_server *server = cls;
    struct exchange *exchange = malloc(sizeof *exchange);
    if (exchange == NULL)
        return NULL;
    memset(exchange, 0, offsetof(struct exchange, reply));
    reply_init(&exchange->reply);
    exchange->body.file = -1;
    exchange->server = server;
    exchange->connection = connection_of(connection);
    clock_gettime(CLOCK_MONOTONIC, &exchange->begun);
    uri = path_of(uri);
    exchange->path_is_plain =
        copy_plain(exchange->path, sizeof exchange->path, uri, strcspn(uri, "?")) &&
        strchr(exchange->path, '%') == NULL;
    if (exchange->connection != NULL)
        connections_request_begun(server->connections, exchange->connection);
    return exchange;
}

/* --- the body --- */

static void drop_body(struct exchange *exchange)
{
    http_body_drop(&exchange->body, &exchange->server->body_limits);
    exchange->request.body = NULL;
    exchange->request.body_size = 0;
    exchange->request.file = -1;
}

/* Keeps a piece, or discards it where the answer is a problem anyway. False: enough is enough. */
static bool take_piece(struct exchange *exchange, const char *piece, size_t size)
{
    struct problem *problem = &exchange->reply.problem;
    exchange->received += size;
    if (exchange->route != NULL && exchange->route->body == BODY_NONE)
        problem_set(problem, PROBLEM_MALFORMED_REQUEST, "This request takes no body.");
    if (problem_is_set(problem) ||
        !http_body_add(&exchange->body, &exchange->server->body_limits, piece, size, problem))
        drop_body(exchange);
    return exchange->received / DISCARDED_BODIES <= exchange_most_bytes(exchange);
}

/* --- the answer --- */

static enum MHD_Result answer(struct exchange *exchange, struct MHD_Connection *connection)
{
    const bool close = exchange->close || atomic_load(&exchange->server->draining);
    exchange->status = http_reply_send(connection, &exchange->request, &exchange->reply, close,
                                       &exchange->answer_bytes);
    drop_body(exchange);
    return exchange->status != 0 ? MHD_YES : MHD_NO;
}

static void clear_reply(struct exchange *exchange)
{
    json_writer_finish(&exchange->reply.json);
    reply_init(&exchange->reply);
}

/* By the thread that has time for it: what can be done of the answer before it is sent. */
static void call_handler(struct exchange *exchange, const struct thread_team *team)
{
    route_handler *handler = exchange->handler;
    exchange->handler = NULL;
    exchange->request.team = team;
    handler(exchange->server->service, &exchange->request, &exchange->reply);
    if (!exchange->reply.defers)
        http_reply_pack(&exchange->request, &exchange->reply);
}

/* The event may have come before the exchange was in the room: hence the question after it. The
 * exchange stays alive, since resuming only makes this same thread call again. */
static void park(struct exchange *exchange, struct MHD_Connection *connection)
{
    struct http_server *server = exchange->server;
    const struct reply_park wait = exchange->reply.park;
    exchange->handler = wait.finish;
    exchange->request.parked_key = wait.key;
    drop_body(exchange); /* the handler has read it, and a wait may be long */
    clear_reply(exchange);
    MHD_suspend_connection(connection);
    waiting_room_enter(server->room, &exchange->place, connection, wait.key, wait.seconds);
    if (wait.is_over(server->service, wait.key))
        waiting_room_wake(server->room, wait.key);
}

static void refuse_while_stopping(struct exchange *exchange)
{
    problem_set(&exchange->reply.problem, PROBLEM_SHUTTING_DOWN, "The server is stopping.");
}

/* On a thread of the pool. Once resumed, the exchange belongs to its event loop again. */
static void run_job(struct thread_pool_job *job)
{
    struct exchange *exchange =
        (struct exchange *)(void *)((char *)job - offsetof(struct exchange, job));
    if (!atomic_load(&exchange->server->stopping)) {
        call_handler(exchange, thread_pool_team(exchange->server->pool));
    } else {
        exchange->handler = NULL;
        refuse_while_stopping(exchange);
    }
    MHD_resume_connection(exchange->suspended);
}

static enum MHD_Result leave_to_pool(struct exchange *exchange, struct MHD_Connection *connection)
{
    clear_reply(exchange);
    exchange->job.run = run_job;
    exchange->suspended = connection;
    MHD_suspend_connection(connection);
    if (thread_pool_submit(exchange->server->pool, &exchange->job))
        return MHD_YES;
    exchange->handler = NULL;
    if (atomic_load(&exchange->server->stopping))
        refuse_while_stopping(exchange);
    problem_set(&exchange->reply.problem, PROBLEM_QUEUE_FULL,
                "Too many requests wait to be computed.");
    MHD_resume_connection(connection);
    return MHD_YES;
}

/* The whole request is there. */
static void receive(struct exchange *exchange)
{
    struct request *request = &exchange->request;
    struct problem *problem = &exchange->reply.problem;
    exchange->is_received = true;
    if (exchange->connection != NULL)
        connections_request_received(exchange->connection);
    if (problem_is_set(problem) || !http_body_end(&exchange->body, problem))
        return;
    request->body = exchange->body.bytes;
    request->body_size = exchange->body.size;
    request->file = exchange->body.file;
    exchange->handler = exchange->route->handler;
}

static enum MHD_Result handle(struct exchange *exchange, struct MHD_Connection *connection)
{
    struct reply *reply = &exchange->reply;
    bool goes_to_pool = false;
    if (!exchange->is_received) {
        receive(exchange);
        goes_to_pool = exchange->handler != NULL && (exchange->route->place == ON_POOL ||
                                                     exchange->body.size > LIMIT_INLINE_BODY);
    }
    route_handler *handler = exchange->handler;
    if (handler != NULL && !goes_to_pool) {
        call_handler(exchange, NULL);
        goes_to_pool = reply->defers && !problem_is_set(&reply->problem);
        exchange->handler = goes_to_pool ? handler : NULL;
    }
    if (goes_to_pool)
        return leave_to_pool(exchange, connection);
    if (problem_is_set(&reply->problem) || reply->park.finish == NULL)
        return answer(exchange, connection);
    park(exchange, connection);
    return MHD_YES;
}

enum MHD_Result http_exchange_handle(void *cls, struct MHD_Connection *connection, const char *url,
                                     const char *method, const char *version, const char *upload,
                                     size_t *upload_size, void **context)
{
    (void)cls;
    (void)url;
    struct exchange *exchange = *context;
    if (exchange == NULL) /* there was no memory for it */
        return MHD_NO;
    if (!exchange->headers_read) {
        exchange_admit(exchange, connection, method, version);
        return exchange->close ? answer(exchange, connection) : MHD_YES;
    }
    if (*upload_size > 0) {
        const size_t size = *upload_size;
        *upload_size = 0;
        return take_piece(exchange, upload, size) ? MHD_YES : MHD_NO;
    }
    return handle(exchange, connection);
}

/* Engines ask for the health every few seconds: that all is well is no news. */
static bool is_worth_a_line(const struct exchange *exchange)
{
    if (exchange->status >= 500)
        return true;
    return exchange->server->options.log_requests && !exchange_is_health(exchange);
}

static void log_exchange(const struct exchange *exchange)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const double ms = (double)(now.tv_sec - exchange->begun.tv_sec) * 1e3 +
                      (double)(now.tv_nsec - exchange->begun.tv_nsec) / 1e6;
    fprintf(stderr, "time=%s method=%s path=\"%s\" status=%u bytes=%zu ms=%.3f request_id=%s\n",
            timestamp_text(timestamp_now()).text, exchange->method, exchange->path,
            exchange->status, exchange->answer_bytes, ms, exchange->request.id);
}

void http_exchange_end(void *cls, struct MHD_Connection *connection, void **context,
                       enum MHD_RequestTerminationCode code)
{
    (void)connection;
    (void)code;
    struct http_server *server = cls;
    struct exchange *exchange = *context;
    if (exchange == NULL)
        return;
    *context = NULL;
    if (exchange->headers_read && is_worth_a_line(exchange))
        log_exchange(exchange);
    if (exchange->connection != NULL)
        connections_request_ended(server->connections, exchange->connection);
    drop_body(exchange);
    json_writer_finish(&exchange->reply.json);
    free(exchange);
}
