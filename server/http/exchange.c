/* exchange.c - the first callback decides everything that the headers can tell. What is wrong is
 * noted in the reply and told at the end of the body, so that the connection lives on. A request is
 * answered at once, and its connection closed, if the end of its body is in doubt or the body is
 * unwanted: a malformed request, one too large, one that still waits for its 100 Continue.
 *
 * Then the steps of the handler follow (see request.h). For the compute pool, the connection is
 * suspended first and queued then; the pool's thread calls the step and those that follow at once,
 * if they are short, and resumes. After each resumption the library calls again as after the body.
 */
#include <limits.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/log.h"
#include "server/base/timestamp.h"
#include "server/http/admit.h"

#define LOOK_AGAIN_NS INT64_C(20000000)
#define HAS_LEFT      INT64_MAX /* in place of a time to look */

/* To read a byte of a body, in units of LIMIT_WORK. */
enum { WORK_OF_BYTE = 2 };

/* --- the connection --- */

static void open_or_close(void *cls, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = cls;
    struct exchange *exchange = *socket_context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (exchange != NULL)
            connections_close(server->connections, &exchange->connection);
        free(exchange);
        return;
    }
    exchange = malloc(sizeof *exchange);
    if (exchange == NULL) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        connections_give_back_place(server->connections, info->client_addr);
        return;
    }
    exchange->server = server;
    connections_open(server->connections, &exchange->connection, connection);
    *socket_context = exchange;
}

/* --- the request line --- */

/* A name for a request whose client gives it none: sixteen hexadecimal digits. Those of successive
 * numbers look unrelated (the mixing of splitmix64). */
static void name_request(struct http_server *server, char *out)
{
    uint64_t number = server->first_request + atomic_fetch_add(&server->requests, 1);
    number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9u;
    number = (number ^ (number >> 27)) * 0x94d049bb133111ebu;
    number ^= number >> 31;
    for (int i = 0; i < 16; i++)
        out[i] = "0123456789abcdef"[number >> (60 - 4 * i) & 15];
    out[16] = '\0';
}

/* The request line has arrived. */
static void *begin(void *cls, const char *uri, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct exchange *exchange = info->socket_context;
    if (exchange == NULL) /* there was no memory for it */
        return NULL;
    const size_t kept = offsetof(struct exchange, begun_ns);
    memset((char *)exchange + kept, 0, offsetof(struct exchange, reply) - kept);
    reply_init(&exchange->reply);
    exchange->body.file = -1;
    strcpy(exchange->method, "-"); /* until the headers have been read */
    exchange->begun_ns = timestamp_monotonic_ns();
    name_request(cls, exchange->request.id);
    admit_target(exchange, uri);
    connections_request_begun(exchange->server->connections, &exchange->connection);
    malformed_watch(exchange, uri);
    return exchange;
}

/* --- the body --- */

static void drop_body(struct exchange *exchange)
{
    body_drop(&exchange->body);
    exchange->request.body = NULL;
    exchange->request.body_size = 0;
    exchange->request.file = -1;
}

/* Shows the request its body, of a compressed one at least `enough` bytes. False with the problem
 * set. */
static bool show_body(struct exchange *exchange, size_t enough)
{
    struct body *body = &exchange->body;
    if (!body_unpack(body, enough, &exchange->reply.problem))
        return false;
    exchange->request.body = body->bytes.bytes;
    exchange->request.body_size = body->bytes.size;
    exchange->request.file = body->file;
    exchange->request.memory = &exchange->memory;
    exchange->memory.budget = &exchange->server->options.bodies.memory;
    exchange->memory.free = LIMIT_SMALL_READING;
    return true;
}

/* Keeps a piece, or discards it if the answer is a problem anyway. False: too much was discarded.
 */
static bool take_piece(struct exchange *exchange, const char *piece, size_t size)
{
    struct problem *problem = &exchange->reply.problem;
    exchange->received += size;
    if (exchange->route != NULL && exchange->route->body == BODY_NONE)
        problem_set(problem, PROBLEM_MALFORMED_REQUEST, "This request takes no body.");
    if (problem_is_set(problem) || !body_add(&exchange->body, piece, size, problem))
        drop_body(exchange);
    return exchange->received / DISCARDED_BODIES <= exchange->max_bytes;
}

/* --- the answer --- */

/* Counts a large answer until the client has read it. An answer for which there is no room, now or
 * ever, is refused instead. */
static void charge_answer(struct exchange *exchange)
{
    struct reply *reply = &exchange->reply;
    struct budget *answers = &exchange->server->options.answers;
    if (reply->body.capacity > 2 * LIMIT_SMALL_ANSWER)
        buffer_resize(&reply->body, reply->body.size + 1); /* and a line's end */
    const size_t bytes = reply_bytes(reply);
    const size_t counted = bytes > LIMIT_SMALL_ANSWER ? bytes - LIMIT_SMALL_ANSWER : 0;
    if (problem_is_set(&reply->problem))
        return;
    if (counted > answers->max)
        problem_set(&reply->problem, PROBLEM_TOO_LARGE,
                    "The answer takes %zu bytes, and all answers together may take %zu "
                    "(--max-answers). Ask for fewer samples, for fewer of ret_type, or for "
                    "application/x-npy, or let --max-answers be raised.",
                    bytes, answers->max);
    else if (budget_take(answers, counted))
        exchange->charged = counted;
    else
        problem_set(&reply->problem, PROBLEM_OVERLOADED,
                    "The answer takes %zu bytes, and of the %zu bytes for answers that clients "
                    "have not read yet (--max-answers) %zu are in use.",
                    bytes, answers->max, budget_used(answers));
}

static enum MHD_Result answer(struct exchange *exchange)
{
    charge_answer(exchange);
    connections_answer_begun(&exchange->connection);
    const bool close = exchange->close || atomic_load(exchange->server->options.draining);
    exchange->status = reply_send(exchange->connection.handle, &exchange->request, &exchange->reply,
                                  close, &exchange->answer_bytes);
    drop_body(exchange);
    charge_finish(&exchange->memory);
    return exchange->status != 0 ? MHD_YES : MHD_NO;
}

/* Calls the step, which leaves the next one or the whole answer. Its thread has the time to
 * compress the answer. */
static void call_step(struct exchange *exchange, const struct thread_team *team)
{
    struct reply *reply = &exchange->reply;
    struct reply_next step = reply->next;
    reply->next = (struct reply_next){0};
    exchange->request.team = team;
    exchange->request.stop_check = team != NULL ? &exchange->stop_check : NULL;
    exchange->request.state = step.state;
    step.handler(exchange->server->service, &exchange->request, reply);
    if (reply->next.handler != NULL && reply->next.state == NULL)
        reply_hand_on(&step, &reply->next);
    reply_drop_step(&step);
    if (reply->next.handler == NULL || problem_is_set(&reply->problem)) {
        reply_drop_step(&reply->next);
        reply_pack(&exchange->request, reply);
    } else {
        drop_body(exchange); /* its handler has read it, and the next step may have to wait */
    }
}

/* The event may have come before the exchange waits for it: hence the question after it. The
 * exchange stays alive, since resuming only makes this same thread call again. */
static void wait_for_event(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    const struct reply_next step = exchange->reply.next;
    exchange->reply.next.wait_seconds = 0;
    charge_finish(&exchange->memory);
    MHD_suspend_connection(exchange->connection.handle);
    connections_wait(server->connections, &exchange->connection, step.event, step.wait_seconds);
    if (step.has_happened(server->service, step.event))
        connections_wake(server->connections, step.event);
}

static void refuse(struct exchange *exchange)
{
    struct problem *problem = &exchange->reply.problem;
    if (atomic_load(&exchange->server->stopping))
        problem_set(problem, PROBLEM_SHUTTING_DOWN, "The server is stopping.");
    else
        problem_set(problem, PROBLEM_QUEUE_FULL, "Too many requests wait to be computed.");
    reply_drop_step(&exchange->reply.next);
}

static bool is_long(const struct reply_next *step)
{
    return step->work > LIMIT_LONG_WORK;
}

/* A write that came with a small body, and takes no computation, is short. */
static struct thread_pool *pool_for(const struct exchange *exchange)
{
    const struct http_server *server = exchange->server;
    const bool is_short = exchange->route->place == ON_WRITE_LANE &&
                          exchange->request.body_size <= LIMIT_INLINE_BODY &&
                          !is_long(&exchange->reply.next);
    return is_short ? server->writers : server->pool;
}

/* The key that the request came with, or else the address. */
static uint64_t client_of(const struct exchange *exchange)
{
    uint64_t number = 0;
    for (const char *at = exchange->holder.name; *at != '\0'; at++)
        number = (number ^ (unsigned char)*at) * 0x100000001b3u; /* FNV */
    return number != 0 ? number : exchange->connection.address;
}

/* Queues the next step. Then the exchange belongs to the pool's thread. False: it is refused. */
static bool queue(struct exchange *exchange)
{
    struct reply_next *next = &exchange->reply.next;
    if (next->work > LIMIT_WORK)
        next->work = LIMIT_WORK;
    exchange->job.cost = next->work;
    if (thread_pool_submit(pool_for(exchange), &exchange->job))
        return true;
    refuse(exchange);
    return false;
}

static bool follows_at_once(const struct reply_next *step)
{
    return step->handler != NULL && step->wait_seconds == 0;
}

/* Any thread of the team asks; one of them looks, now and then. */
static bool has_left(struct exchange *exchange)
{
    const int64_t time = timestamp_monotonic_ns();
    int64_t look = atomic_load(&exchange->look);
    if (time >= look &&
        atomic_compare_exchange_strong(&exchange->look, &look, time + LOOK_AGAIN_NS) &&
        connections_has_left(&exchange->connection))
        atomic_store(&exchange->look, HAS_LEFT);
    return atomic_load(&exchange->look) == HAS_LEFT;
}

static bool no_client_waits(void *context)
{
    struct exchange *exchange = context;
    return atomic_load(&exchange->server->stopping) || has_left(exchange);
}

/* Queues a step that has turned out long. What was read for it is kept meanwhile, and all of that
 * is counted. */
static bool moves_over(struct exchange *exchange)
{
    if (charge_demand(&exchange->memory, LIMIT_SMALL_READING, &exchange->reply.problem))
        return queue(exchange);
    reply_drop_step(&exchange->reply.next);
    return false;
}

/* On a thread of the pool. Once resumed, the exchange belongs to its event loop again. A step that
 * turns out long waits for its turn. */
static void run_job(struct thread_pool_job *job)
{
    struct exchange *exchange =
        (struct exchange *)(void *)((char *)job - offsetof(struct exchange, job));
    struct reply_next *next = &exchange->reply.next;
    if (atomic_load(&exchange->server->stopping))
        refuse(exchange);
    else if (has_left(exchange)) {
        problem_set(&exchange->reply.problem, PROBLEM_OVERLOADED, "The client has left.");
        reply_drop_step(next);
    } else if (!show_body(exchange, SIZE_MAX)) {
        reply_drop_step(next);
    } else if (next->work < WORK_OF_BYTE * exchange->request.body_size) {
        next->work = WORK_OF_BYTE * exchange->request.body_size;
    }
    while (follows_at_once(next)) {
        if (!is_long(next) || next->work <= job->cost)
            call_step(exchange, thread_pool_team(job));
        else if (moves_over(exchange))
            return;
    }
    MHD_resume_connection(exchange->connection.handle);
}

static void leave_to_pool(struct exchange *exchange)
{
    exchange->job.work = run_job;
    exchange->job.client = client_of(exchange);
    exchange->stop_check =
        (struct stop_check){.context = exchange, .stop_requested = no_client_waits};
    exchange->look = timestamp_monotonic_ns() + CONNECTIONS_LEFT_WAIT;
    MHD_suspend_connection(exchange->connection.handle);
    if (!queue(exchange))
        MHD_resume_connection(exchange->connection.handle);
}

/* Whether the first step is short, if the body is. */
static bool is_light(const struct exchange *exchange)
{
    const struct http_server *server = exchange->server;
    switch (exchange->route->place) {
    case ON_EVENT_LOOP:
        return true;
    case ON_EVENT_LOOP_IF_CACHED:
        return server->options.is_cached(server->service, &exchange->request);
    case ON_WRITE_LANE:
    case ON_POOL:
        return false;
    }
    return false;
}

/* A file that is compressed may be a thousand times as long as its body. */
static bool is_large_file(const struct exchange *exchange)
{
    return exchange->body.file >= 0 && exchange->received > LIMIT_SMALL_BODY;
}

/* The whole request has arrived. */
static void receive(struct exchange *exchange)
{
    const struct problem *problem = &exchange->reply.problem;
    exchange->is_received = true;
    connections_request_received(&exchange->connection);
    if (problem_is_set(problem) || !show_body(exchange, LIMIT_INLINE_BODY))
        return;
    const bool is_heavy = exchange->request.body_size > LIMIT_INLINE_BODY || !is_light(exchange);
    const uint64_t work = (is_large_file(exchange) ? LIMIT_LONG_WORK : 0) + WORK_FOR_POOL +
                          WORK_OF_BYTE * exchange->received;
    exchange->reply.next =
        (struct reply_next){.handler = exchange->route->handler, .work = is_heavy ? work : 0};
}

static enum MHD_Result handle(struct exchange *exchange)
{
    if (!exchange->is_received)
        receive(exchange);
    while (follows_at_once(&exchange->reply.next)) {
        if (exchange->reply.next.work > LIMIT_INLINE_WORK) {
            leave_to_pool(exchange);
            return MHD_YES;
        }
        call_step(exchange, NULL);
    }
    if (exchange->reply.next.handler == NULL)
        return answer(exchange);
    wait_for_event(exchange);
    return MHD_YES;
}

/* The headers have arrived; then a piece of the body has, as often as one arrives; then the whole
 * body has; and again whenever the request has been resumed. */
static enum MHD_Result go_on(void *cls, struct MHD_Connection *connection, const char *url,
                             const char *method, const char *version, const char *upload,
                             size_t *upload_size, void **context)
{
    (void)cls;
    (void)connection;
    (void)url;
    struct exchange *exchange = *context;
    if (exchange == NULL)
        return MHD_NO;
    if (!exchange->headers_read) {
        if (exchange->status != 0) /* it is answered: see malformed.h */
            return MHD_NO;
        malformed_forget(exchange);
        admit_headers(exchange, method, version);
        return exchange->close ? answer(exchange) : MHD_YES;
    }
    if (*upload_size > 0) {
        const size_t size = *upload_size;
        *upload_size = 0;
        return take_piece(exchange, upload, size) ? MHD_YES : MHD_NO;
    }
    return handle(exchange);
}

/* Whether the request changes something, or tries to. One without a route was refused before it was
 * looked for, or has none: its method says what it tries. */
static bool is_change(const struct exchange *exchange)
{
    if (exchange->route != NULL)
        return exchange->route->role >= ROLE_READ_WRITE;
    return exchange->headers_read && strcmp(exchange->method, "GET") != 0 &&
           strcmp(exchange->method, "HEAD") != 0;
}

/* Container engines ask for the health every few seconds: that all is well is not logged. What a
 * key changes, or is not allowed to change, always is. */
static bool is_worth_a_line(const struct exchange *exchange)
{
    return exchange->status >= 500 || (exchange->server->keys != NULL && is_change(exchange)) ||
           (exchange->server->options.log_requests && !admit_is_health(exchange));
}

/* " key=NAME", and "-" in place of a name if the request had no key that is known. */
static const char *key_field(const struct exchange *exchange, char *field, size_t size)
{
    const char *name = exchange->holder.name;
    snprintf(field, size, " key=%s", *name != '\0' ? name : "-");
    return exchange->server->keys != NULL ? field : "";
}

static void log_exchange(const struct exchange *exchange)
{
    char field[sizeof exchange->holder.name + sizeof " key="];
    const double ms = (double)(timestamp_monotonic_ns() - exchange->begun_ns) / 1e6;
    log_event("method=%s path=\"%s\" status=%u bytes=%zu ms=%.3f%s request_id=%s", exchange->method,
              exchange->path, exchange->status, exchange->answer_bytes, ms,
              key_field(exchange, field, sizeof field), exchange->request.id);
}

/* The answer is sent, or the connection is lost. */
static void end(void *cls, struct MHD_Connection *connection, void **context,
                enum MHD_RequestTerminationCode code)
{
    (void)cls;
    (void)code;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_HTTP_STATUS);
    struct exchange *exchange = *context;
    if (exchange == NULL)
        return;
    *context = NULL;
    if (!exchange->headers_read)
        malformed_forget(exchange);
    if (exchange->status == 0 && info != NULL) /* the library itself has answered */
        exchange->status = info->http_status;
    if ((exchange->headers_read || exchange->status != 0) && is_worth_a_line(exchange))
        log_exchange(exchange);
    budget_give(&exchange->server->options.answers, exchange->charged);
    charge_finish(&exchange->memory);
    connections_request_ended(exchange->server->connections, &exchange->connection);
    drop_body(exchange);
    reply_finish(&exchange->reply);
}

/* It has no timeout and none of its threads reaches its share of the connections: see
 * connections.h. */
struct MHD_Daemon *exchange_start_daemon(struct http_server *server, unsigned loops)
{
    const struct MHD_OptionItem encryption[] = {
        {MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, tls_certificate_callback()},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL}};
    const unsigned is_encrypted = tls_is_on() ? MHD_USE_TLS : 0;
    return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                                MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG | is_encrypted,
                            0, NULL, NULL, go_on, server, MHD_OPTION_EXTERNAL_LOGGER, malformed_log,
                            NULL, MHD_OPTION_THREAD_POOL_SIZE, loops, MHD_OPTION_CONNECTION_LIMIT,
                            UINT_MAX, MHD_OPTION_STRICT_FOR_CLIENT, 0, MHD_OPTION_NOTIFY_CONNECTION,
                            open_or_close, server, MHD_OPTION_URI_LOG_CALLBACK, begin, server,
                            MHD_OPTION_NOTIFY_COMPLETED, end, server, MHD_OPTION_ARRAY,
                            is_encrypted ? encryption : encryption + 2, MHD_OPTION_END);
}
