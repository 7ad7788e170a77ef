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
#include "http_exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "http_guard.h"
#include "http_reply.h"
#include "http_server.h"
#include "routes.h"

/* A client that is sending sees no answer before it has sent all: so much of a body that is too
 * large, in units of the largest allowed, is read and discarded. */
enum { METHOD = 16, DISCARDED_BODIES = 4 };

struct exchange {
    struct http_server *server;
    struct connection *connection;
    struct timespec begun;
    struct http_headers headers;
    const struct route *route; /* NULL: refused */
    struct request request;
    struct waiting_place place;
    struct pool_job job;
    struct MHD_Connection *suspended; /* that the job resumes */
    route_handler *handler;           /* that is to be called next; NULL: the reply is ready */
    char method[METHOD];              /* as the log shows it */
    char path[LIMIT_PATH + 1];
    char allow[ROUTES_ALLOW];
    bool path_is_plain;
    bool headers_read;
    bool close;
    bool is_received;
    struct http_body body;
    size_t received; /* bytes of the body, kept or not */
    unsigned status; /* 0: not answered */
    size_t answer_bytes;
    struct reply reply; /* last, see reply_init() */
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

/* --- after the headers --- */

static bool is_request_id(const char *text)
{
    const size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789._~-+/=:");
    return length > 0 && length <= LIMIT_REQUEST_ID && text[length] == '\0';
}

/* Sixteen digits, that of a number and its successor differ throughout (splitmix64's mixing). */
static void write_hex(uint64_t number, char *out)
{
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9u;
    number = (number ^ (number >> 27)) * 0x94d049bb133111ebu;
    number ^= number >> 31;
    for (int i = 0; i < 16; i++)
        out[i] = "0123456789abcdef"[number >> (60 - 4 * i) & 15];
    out[16] = '\0';
}

static void name_request(struct exchange *exchange, const char *client_id)
{
    char *id = exchange->request.id;
    if (client_id != NULL && is_request_id(client_id)) {
        strcpy(id, client_id);
        return;
    }
    struct http_server *server = exchange->server;
    write_hex(server->first_request + atomic_fetch_add(&server->requests, 1), id);
}

static const char *known_parameter(const struct route *route, const char *name)
{
    for (size_t i = 0; i < QUERY_MOST && route->query[i] != NULL; i++)
        if (strcmp(route->query[i], name) == 0)
            return route->query[i];
    return NULL;
}

static bool is_text(const char *value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)value[i] < ' ' || value[i] == 127)
            return false;
    return size <= LIMIT_QUERY;
}

static enum MHD_Result read_parameter(void *cls, enum MHD_ValueKind kind, const char *name,
                                      size_t name_size, const char *value, size_t value_size)
{
    (void)kind;
    struct exchange *exchange = cls;
    struct request *request = &exchange->request;
    struct problem *problem = &exchange->reply.problem;
    char shown[PROBLEM_POINTER];
    copy_plain(shown, sizeof shown, name, name_size);
    const char *known = known_parameter(exchange->route, shown);
    if (known == NULL)
        problem_add_parameter(problem, PROBLEM_UNKNOWN_PARAMETER, shown,
                              "This path knows no such parameter.");
    else if (request_query(request, known) != NULL || request->query_count == QUERY_MOST)
        problem_add_parameter(problem, PROBLEM_INVALID_PARAMETER, known, "It is given twice.");
    else if (value != NULL && !is_text(value, value_size))
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

static bool is_json(const char *type)
{
    return type == NULL || http_media_is(type, "application/json") ||
           http_media_is(type, "application/x-www-form-urlencoded");
}

/* Whether the route takes what Content-Type and Content-Encoding announce. A file says itself what
 * it is, and a compressed one is as good as one that was compressed before. */
static void check_media(struct exchange *exchange)
{
    struct problem *problem = &exchange->reply.problem;
    const struct http_headers *headers = &exchange->headers;
    const char *type = headers->content_type;
    const enum route_body body = exchange->route->body;
    if (headers->coding == CODING_UNKNOWN)
        problem_set(problem, PROBLEM_UNSUPPORTED_MEDIA_TYPE, "A body may be compressed by gzip.");
    else if (body == BODY_ARRAY && type != NULL && http_media_is(type, "application/x-npy"))
        exchange->request.media = MEDIA_NPY;
    else if (body == BODY_FILE && type != NULL && http_media_is(type, "application/json"))
        problem_set(problem, PROBLEM_UNSUPPORTED_MEDIA_TYPE, "The body can't be JSON.");
    else if (body == BODY_ARRAY && !is_json(type))
        problem_set(problem, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
                    "The body has to be JSON or application/x-npy.");
    else if (body == BODY_JSON && !is_json(type))
        problem_set(problem, PROBLEM_UNSUPPORTED_MEDIA_TYPE, "The body has to be plain JSON.");
}

static size_t most_bytes(const struct exchange *exchange)
{
    const struct http_body_limits *limits = &exchange->server->body_limits;
    const bool is_file = exchange->route != NULL && exchange->route->body == BODY_FILE;
    return is_file ? limits->most_file_bytes : limits->most_bytes;
}

/* Whether the body, as the headers announce it, may come. */
static void check_body(struct exchange *exchange)
{
    struct problem *problem = &exchange->reply.problem;
    const struct http_headers *headers = &exchange->headers;
    const size_t most = most_bytes(exchange);
    if (headers->length > most) {
        exchange->close = headers->length / DISCARDED_BODIES > most;
        problem_set(problem, PROBLEM_BODY_TOO_LARGE, "A body may have %zu bytes.", most);
    }
    if (exchange->route == NULL)
        return;
    if (exchange->route->body == BODY_NONE && headers->length > 0)
        problem_set(problem, PROBLEM_MALFORMED_REQUEST, "This request takes no body.");
    if (exchange->route->body != BODY_NONE)
        check_media(exchange);
    if (problem_is_set(problem))
        return;
    if (exchange->route->body == BODY_FILE)
        http_body_begin_file(&exchange->body, &exchange->server->body_limits, problem);
    else
        http_body_begin(&exchange->body, headers->coding == CODING_GZIP, headers->length, problem);
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
    request->accepts_npy = http_list_names(headers->accept, "application/x-npy");
    request->accepts_json = headers->accept == NULL ||
                            http_list_names(headers->accept, "application/json") ||
                            http_list_names(headers->accept, "application/*") ||
                            http_list_names(headers->accept, "*/*");
    request->accepts_gzip = http_list_names(headers->accept_encoding, "gzip");
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
    return exchange->received / DISCARDED_BODIES <= most_bytes(exchange);
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
static void call_handler(struct exchange *exchange, const struct crew *crew)
{
    route_handler *handler = exchange->handler;
    exchange->handler = NULL;
    exchange->request.crew = crew;
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
static void run_job(struct pool_job *job)
{
    struct exchange *exchange =
        (struct exchange *)(void *)((char *)job - offsetof(struct exchange, job));
    if (!atomic_load(&exchange->server->stopping)) {
        call_handler(exchange, pool_crew(exchange->server->pool));
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
    if (pool_submit(exchange->server->pool, &exchange->job))
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
        connections_request_received(exchange->server->connections, exchange->connection);
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
