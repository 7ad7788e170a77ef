/* http_exchange.c - the first callback decides everything that the headers can tell; what is wrong
 * is noted in the reply, and told at the end of the body, so that the connection lives on. Told at
 * once, and the connection closed, is what leaves the body's end in doubt or the body unwanted: a
 * malformed request, one too large, one that still waits for its 100 Continue.
 *
 * A request whose handler parks it is suspended first and then enters the waiting room; resumed,
 * the library calls again as after the body, and the reply's `finish` answers. */
#include "http_exchange.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#include "http_guard.h"
#include "http_reply.h"
#include "http_server.h"
#include "routes.h"

/* A client that is sending sees no answer before it has sent all: so much of a body that is too
 * large, in units of the largest allowed, is read and discarded. */
enum { METHOD = 16, LEAST_BODY = 4096, DISCARDED_BODIES = 4 };

struct exchange {
    struct http_server *server;
    struct connection *connection;
    struct timespec begun;
    struct http_headers headers;
    const struct route *route; /* NULL: refused */
    struct request request;
    struct reply reply;
    struct waiting_place place;
    route_handler *finish; /* of the wait that it is in; NULL: none */
    char method[METHOD];   /* as the log shows it */
    char path[LIMIT_PATH + 1];
    char allow[ROUTES_ALLOW];
    bool path_is_plain;
    bool headers_read;
    bool close;
    char *body;
    size_t body_capacity; /* counted in the server's budget */
    size_t received;      /* bytes of the body, kept or not */
    unsigned status;      /* 0: not answered */
    size_t answer_bytes;
};

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

/* Copies what may be shown in logs and problems: printable ASCII, the rest as question marks.
 * Returns whether nothing was lost. */
static bool copy_plain(char *out, size_t out_size, const char *text, size_t length)
{
    bool is_plain = length < out_size;
    size_t i = 0;
    for (; i < length && i + 1 < out_size; i++) {
        const bool is_printable = text[i] > ' ' && text[i] < 127;
        out[i] = is_printable ? text[i] : '?';
        is_plain = is_plain && is_printable;
    }
    out[i] = '\0';
    return is_plain;
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
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL)
        return NULL;
    exchange->server = server;
    exchange->connection = connection_of(connection);
    clock_gettime(CLOCK_MONOTONIC, &exchange->begun);
    json_writer_init(&exchange->reply.json);
    uri = path_of(uri);
    exchange->path_is_plain =
        copy_plain(exchange->path, sizeof exchange->path, uri, strcspn(uri, "?")) &&
        strchr(exchange->path, '%') == NULL;
    if (exchange->connection != NULL)
        connections_request_begun(server->connections, exchange->connection);
    return exchange;
}

/* --- after the headers --- */

static bool is_request_id(const char *text)
{
    const size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789._~-+/=:");
    return length > 0 && length <= LIMIT_REQUEST_ID && text[length] == '\0';
}

static void name_request(struct exchange *exchange, const char *client_id)
{
    char *id = exchange->request.id;
    if (client_id != NULL && is_request_id(client_id)) {
        strcpy(id, client_id);
        return;
    }
    uint64_t random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
        random = (uint64_t)exchange->begun.tv_nsec ^ (uintptr_t)exchange;
    snprintf(id, LIMIT_REQUEST_ID + 1, "%016" PRIx64, random);
}

static const char *known_parameter(const struct route *route, const char *name)
{
    for (size_t i = 0; i < QUERY_MOST && route->query[i] != NULL; i++)
        if (strcmp(route->query[i], name) == 0)
            return route->query[i];
    return NULL;
}

static enum MHD_Result read_parameter(void *cls, enum MHD_ValueKind kind, const char *name,
                                      size_t name_size, const char *value, size_t value_size)
{
    (void)kind;
    struct exchange *exchange = cls;
    struct request *request = &exchange->request;
    struct problem *problem = &exchange->reply.problem;
    char shown[PROBLEM_POINTER];
    char plain_value[LIMIT_PATH];
    copy_plain(shown, sizeof shown, name, name_size);
    const char *known = known_parameter(exchange->route, shown);
    if (known == NULL)
        problem_add_parameter(problem, PROBLEM_UNKNOWN_PARAMETER, shown,
                              "This path knows no such parameter.");
    else if (request_query(request, known) != NULL || request->query_count == QUERY_MOST)
        problem_add_parameter(problem, PROBLEM_INVALID_PARAMETER, known, "It is given twice.");
    else if (value != NULL && !copy_plain(plain_value, sizeof plain_value, value, value_size))
        problem_add_parameter(problem, PROBLEM_INVALID_PARAMETER, known,
                              "It is too long, or not plain text.");
    else
        request->query[request->query_count++] =
            (struct query_parameter){.name = known, .value = value != NULL ? value : ""};
    return MHD_YES;
}

static void find_route(struct exchange *exchange, struct MHD_Connection *connection)
{
    struct problem *problem = &exchange->reply.problem;
    if (!exchange->path_is_plain) {
        problem_set(problem, PROBLEM_NOT_FOUND, "There is nothing at this path.");
        return;
    }
    exchange->route = routes_match(&exchange->request, exchange->allow, problem);
    if (exchange->route == NULL) {
        exchange->reply.allow = exchange->allow[0] != '\0' ? exchange->allow : NULL;
        return;
    }
    MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, read_parameter, exchange);
}

/* Whether the body, as the headers announce it, may come. */
static void check_body(struct exchange *exchange)
{
    struct problem *problem = &exchange->reply.problem;
    const struct http_headers *headers = &exchange->headers;
    const size_t most = exchange->server->options.max_body_bytes;
    if (headers->length > most) {
        exchange->close = headers->length / DISCARDED_BODIES > most;
        problem_set(problem, PROBLEM_BODY_TOO_LARGE, "A body may have %zu bytes.", most);
    }
    if (exchange->route == NULL)
        return;
    if (!exchange->route->takes_body && headers->length > 0)
        problem_set(problem, PROBLEM_MALFORMED_REQUEST, "This request takes no body.");
    if (exchange->route->takes_body && !http_headers_say_json(headers))
        problem_set(problem, PROBLEM_UNSUPPORTED_MEDIA_TYPE, "The body has to be plain JSON.");
}

/* Who watches over the service may do so by any name. */
static bool is_health(const struct exchange *exchange)
{
    return strncmp(exchange->path, "/health/", strlen("/health/")) == 0;
}

static void read_headers(struct exchange *exchange, struct MHD_Connection *connection,
                         const char *method, const char *version)
{
    struct http_headers *headers = &exchange->headers;
    struct request *request = &exchange->request;
    struct problem *problem = &exchange->reply.problem;
    exchange->headers_read = true;
    copy_plain(exchange->method, sizeof exchange->method, method, strlen(method));
    request->method = strcmp(exchange->method, "HEAD") == 0 ? "GET" : exchange->method;
    request->path = exchange->path;
    if (!http_headers_read(connection, method, version, headers, problem)) {
        name_request(exchange, NULL);
        exchange->close = true;
        return;
    }
    name_request(exchange, headers->request_id);
    request->prefers_wait = headers->has_wait;
    request->wait_seconds = headers->wait_seconds;
    const char *hosts = is_health(exchange) ? "*" : exchange->server->options.hosts;
    if (http_headers_may_ask(headers, hosts, problem))
        find_route(exchange, connection);
    check_body(exchange);
    if (problem_is_set(problem) && headers->expects_continue)
        exchange->close = true;
}

/* --- the body --- */

static void drop_body(struct exchange *exchange)
{
    free(exchange->body);
    exchange->body = NULL;
    atomic_fetch_sub(&exchange->server->bodies_bytes, exchange->body_capacity);
    exchange->body_capacity = 0;
}

/* Doubles, so that memory follows what has come and not what was announced. */
static bool reserve_body(struct exchange *exchange, size_t size)
{
    if (size <= exchange->body_capacity)
        return true;
    const struct http_headers *headers = &exchange->headers;
    size_t capacity = exchange->body_capacity * 2;
    if (capacity < LEAST_BODY)
        capacity = LEAST_BODY;
    if (capacity < size)
        capacity = size;
    if (!headers->is_chunked && capacity > headers->length)
        capacity = (size_t)headers->length;

    struct http_server *server = exchange->server;
    struct problem *problem = &exchange->reply.problem;
    const size_t more = capacity - exchange->body_capacity;
    if (atomic_fetch_add(&server->bodies_bytes, more) + more > server->options.max_bodies_bytes) {
        atomic_fetch_sub(&server->bodies_bytes, more);
        problem_set(problem, PROBLEM_OVERLOADED, "Too many bodies are in flight.");
        return false;
    }
    char *body = realloc(exchange->body, capacity);
    if (body == NULL) {
        atomic_fetch_sub(&server->bodies_bytes, more);
        problem_set(problem, PROBLEM_OUT_OF_MEMORY, "There is no memory for the body.");
        return false;
    }
    exchange->body = body;
    exchange->body_capacity = capacity;
    return true;
}

/* Keeps a piece, or discards it where the answer is a problem anyway. False: enough is enough. */
static bool take_piece(struct exchange *exchange, const char *piece, size_t size)
{
    struct problem *problem = &exchange->reply.problem;
    const size_t most = exchange->server->options.max_body_bytes;
    const size_t before = exchange->received;
    exchange->received += size;
    if (exchange->received > most) {
        problem_set(problem, PROBLEM_BODY_TOO_LARGE, "A body may have %zu bytes.", most);
    } else if (exchange->route != NULL && !exchange->route->takes_body) {
        problem_set(problem, PROBLEM_MALFORMED_REQUEST, "This request takes no body.");
    }
    if (!problem_is_set(problem) && reserve_body(exchange, exchange->received))
        memcpy(exchange->body + before, piece, size);
    if (problem_is_set(problem))
        drop_body(exchange);
    return exchange->received / DISCARDED_BODIES <= most;
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

/* The event may have come before the exchange was in the room: hence the question after it. The
 * exchange stays alive, since resuming only makes this same thread call again. */
static void park(struct exchange *exchange, struct MHD_Connection *connection)
{
    struct http_server *server = exchange->server;
    const struct reply_park wait = exchange->reply.park;
    exchange->finish = wait.finish;
    exchange->request.parked_key = wait.key;
    drop_body(exchange); /* the handler has read it, and a wait may be long */
    exchange->request.body = NULL;
    exchange->request.body_size = 0;
    json_writer_finish(&exchange->reply.json);
    exchange->reply = (struct reply){0};
    json_writer_init(&exchange->reply.json);

    MHD_suspend_connection(connection);
    waiting_room_enter(server->room, &exchange->place, connection, wait.key, wait.seconds);
    if (wait.is_over(server->service, wait.key))
        waiting_room_wake(server->room, wait.key);
}

static enum MHD_Result handle(struct exchange *exchange, struct MHD_Connection *connection)
{
    struct request *request = &exchange->request;
    struct reply *reply = &exchange->reply;
    route_handler *handler = exchange->finish;
    if (handler == NULL) {
        if (exchange->connection != NULL)
            connections_request_received(exchange->server->connections, exchange->connection);
        if (problem_is_set(&reply->problem))
            return answer(exchange, connection);
        request->body = exchange->body;
        request->body_size = exchange->received;
        handler = exchange->route->handler;
    }
    exchange->finish = NULL;
    handler(exchange->server->service, request, reply);
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
        read_headers(exchange, connection, method, version);
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
    return exchange->server->options.log_requests && !is_health(exchange);
}

static void log_exchange(const struct exchange *exchange)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const double ms = (double)(now.tv_sec - exchange->begun.tv_sec) * 1e3 +
                      (double)(now.tv_nsec - exchange->begun.tv_nsec) / 1e6;
    clock_gettime(CLOCK_REALTIME, &now);
    struct tm utc;
    gmtime_r(&now.tv_sec, &utc);
    char time[32];
    strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%S", &utc);
    fprintf(stderr,
            "time=%s.%03ldZ method=%s path=\"%s\" status=%u bytes=%zu ms=%.3f request_id=%s\n",
            time, now.tv_nsec / 1000000, exchange->method, exchange->path, exchange->status,
            exchange->answer_bytes, ms, exchange->request.id);
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
