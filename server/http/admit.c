#include "server/http/admit.h"

#include <microhttpd.h>
#include <string.h>
#include <strings.h>

#include "server/base/utf8.h"

/* Copies what logs and problems may show: printable ASCII except quotes and backslashes; the rest
 * becomes question marks. Returns whether nothing was lost. */
static bool copy_plain(char *out, size_t out_size, const char *text, size_t length)
{
    bool is_plain = length < out_size;
    size_t i = 0;
    for (; i < length && i + 1 < out_size; i++) {
        const bool is_printable =
            text[i] > ' ' && text[i] < 127 && text[i] != '"' && text[i] != '\\';
        out[i] = is_printable ? text[i] : '?';
        is_plain = is_plain && is_printable;
    }
    out[i] = '\0';
    return is_plain;
}

/* A request target is a path, or "http://host/path" (https:// over TLS): clients send the latter to
 * proxies, but a server has to understand it too (RFC 9112, 3.2.2). */
void admit_target(struct exchange *exchange, const char *target)
{
    const char *scheme = http_server_scheme(exchange->server);
    bool is_plain = true;
    exchange->target = target;
    exchange->target_end = target + strlen(target); /* before it is decoded in place */
    if (strncasecmp(target, scheme, strlen(scheme)) == 0) {
        target += strlen(scheme);
        const size_t length = strcspn(target, "/?");
        is_plain = length > 0 &&
                   copy_plain(exchange->authority, sizeof exchange->authority, target, length);
        target += length;
    }
    is_plain &= copy_plain(exchange->path, sizeof exchange->path, target, strcspn(target, "?"));
    exchange->path_is_plain = is_plain && strchr(exchange->path, '%') == NULL;
    if (exchange->path[0] == '\0')
        strcpy(exchange->path, "/");
}

static bool is_request_id(const char *text)
{
    const size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789._~-+/=:");
    return length > 0 && length <= LIMIT_REQUEST_ID && text[length] == '\0';
}

static void keep_idempotency_key(const struct headers *headers, struct request *request,
                                 struct problem *problem)
{
    const char *key = headers->idempotency_key;
    if (key == NULL)
        return;
    const size_t size = strlen(key);
    if (size > 0 && size <= LIMIT_IDEMPOTENCY_KEY && utf8_is_valid(key, size))
        memcpy(request->idempotency_key, key, size + 1);
    else
        problem_set(problem, PROBLEM_MALFORMED_REQUEST,
                    "An Idempotency-Key must have 1 to %d bytes of UTF-8.", LIMIT_IDEMPOTENCY_KEY);
}

/* What is empty by mistake must not change what was not seen. */
static void keep_if_match(const struct headers *headers, struct request *request,
                          struct problem *problem)
{
    request->if_match = headers->if_match;
    if (headers->if_match != NULL && headers->if_match[0] == '\0')
        problem_set(problem, PROBLEM_MALFORMED_REQUEST,
                    "If-Match is empty: it takes an ETag, or *.");
}

static const char *known_parameter(const struct route *route, const char *name)
{
    for (size_t i = 0; route->query != NULL && route->query[i] != NULL; i++)
        if (strcmp(route->query[i], name) == 0)
            return route->query[i];
    return NULL;
}

static bool is_text(const char *value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)value[i] < ' ' || value[i] == 127)
            return false;
    return size <= LIMIT_QUERY && utf8_is_valid(value, size);
}

static enum MHD_Result read_parameter(void *cls, enum MHD_ValueKind kind, const char *name,
                                      size_t name_size, const char *value, size_t value_size)
{
    (void)kind;
    struct exchange *exchange = cls;
    struct request *request = &exchange->request;
    struct problem *problem = &exchange->reply.problem;
    char shown[PROBLEM_POINTER];
    if (name_size == 0 && value == NULL) /* "?&limit=1" */
        return MHD_YES;
    copy_plain(shown, sizeof shown, name, name_size);
    const char *known = known_parameter(exchange->route, shown);
    if (known == NULL)
        problem_add_parameter(problem, PROBLEM_UNKNOWN_PARAMETER, shown,
                              "This path has no such parameter.");
    else if (request_query(request, known) != NULL)
        problem_add_parameter(problem, PROBLEM_INVALID_PARAMETER, known, "It is given twice.");
    else if (value != NULL && !is_text(value, value_size))
        problem_add_parameter(problem, PROBLEM_INVALID_PARAMETER, known,
                              "It has control characters, is not UTF-8, or exceeds %d bytes.",
                              LIMIT_QUERY);
    else
        request->query[request->query_count++] =
            (struct request_parameter){.name = known, .value = value != NULL ? value : ""};
    return MHD_YES;
}

static void find_route(struct exchange *exchange)
{
    struct problem *problem = &exchange->reply.problem;
    if (!exchange->path_is_plain) {
        problem_set(problem, PROBLEM_NOT_FOUND, "There is nothing at this path.");
        return;
    }
    exchange->route =
        route_match(exchange->server->options.routes, exchange->server->options.routes_count,
                    &exchange->request, &exchange->reply);
    if (exchange->route != NULL)
        MHD_get_connection_values_n(exchange->connection.handle, MHD_GET_ARGUMENT_KIND,
                                    read_parameter, exchange);
}

static bool is_json(const char *type)
{
    return type == NULL || headers_media_is(type, "application/json") ||
           headers_media_is(type, "application/x-www-form-urlencoded");
}

/* Whether the route accepts what Content-Type and Content-Encoding announce. A file itself says
 * what it is, and a file that the client's library has compressed is read like a .gz file. */
static void check_media(struct exchange *exchange, const struct headers *headers)
{
    struct problem *problem = &exchange->reply.problem;
    const char *type = headers->content_type;
    const enum route_body body = exchange->route->body;
    if (headers->coding == CODING_UNKNOWN)
        problem_set(problem, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
                    "The only Content-Encoding that is accepted is gzip.");
    else if (body == BODY_ARRAY && headers_media_is(type, "application/x-npy"))
        exchange->request.media = MEDIA_NPY;
    else if (body == BODY_FILE && headers_media_is(type, "application/json"))
        problem_set(problem, PROBLEM_UNSUPPORTED_MEDIA_TYPE, "The body must be a file, not JSON.");
    else if (body == BODY_ARRAY && !is_json(type))
        problem_set(problem, PROBLEM_UNSUPPORTED_MEDIA_TYPE,
                    "The body must be application/json or application/x-npy.");
    else if (body == BODY_JSON && !is_json(type))
        problem_set(problem, PROBLEM_UNSUPPORTED_MEDIA_TYPE, "The body must be application/json.");
}

static void check_body(struct exchange *exchange, const struct headers *headers)
{
    struct problem *problem = &exchange->reply.problem;
    struct body_limits *limits = &exchange->server->options.bodies;
    const bool is_file = exchange->route != NULL && exchange->route->body == BODY_FILE;
    exchange->max_bytes = is_file ? limits->max_file_bytes : limits->max_bytes;
    if (!body_check_size(headers->length, exchange->max_bytes, problem))
        exchange->close = headers->length / DISCARDED_BODIES > exchange->max_bytes;
    if (exchange->route == NULL)
        return;
    if (exchange->route->body == BODY_NONE && headers->length > 0)
        problem_set(problem, PROBLEM_MALFORMED_REQUEST, "This request takes no body.");
    if (exchange->route->body != BODY_NONE)
        check_media(exchange, headers);
    if (problem_is_set(problem))
        return;
    if (is_file)
        body_begin_file(&exchange->body, limits, problem);
    else
        body_begin(&exchange->body, limits, headers->coding == CODING_GZIP, headers->length);
}

/* Whose key it is. A request whose client is not known learns nothing of what is there. */
static void identify(struct exchange *exchange, const char *authorization)
{
    struct problem *problem = &exchange->reply.problem;
    if (exchange->server->keys == NULL || admit_is_health(exchange))
        return;
    switch (keys_find(exchange->server->keys, authorization, &exchange->holder)) {
    case KEYS_MISSING:
        problem_set(problem, PROBLEM_UNAUTHORIZED,
                    "An API key is needed: Authorization: Bearer KEY.");
        break;
    case KEYS_UNKNOWN:
        problem_set(problem, PROBLEM_UNAUTHORIZED, "The API key is not known.");
        break;
    case KEYS_TOO_FAST:
        problem_set(problem, PROBLEM_RATE_LIMITED,
                    "The API key has used up its requests of this second.");
        break;
    case KEYS_KNOWN:
        break;
    }
}

/* What its key is good for. */
static void check_role(struct exchange *exchange)
{
    const enum role role = exchange->route->role;
    if (exchange->server->keys != NULL && exchange->holder.role < role)
        problem_set(&exchange->reply.problem, PROBLEM_FORBIDDEN,
                    "This needs a key of the role %s; the role of \"%s\" is %s.", role_name(role),
                    exchange->holder.name, role_name(exchange->holder.role));
}

bool admit_is_health(const struct exchange *exchange)
{
    return strncmp(exchange->path, "/health/", strlen("/health/")) == 0;
}

/* libmicrohttpd takes the request line apart in place, at blanks only. A NUL within a part cuts it,
 * which shows as a gap before the next. */
static bool is_whole_line(struct exchange *exchange, const char *method, const char *version)
{
    return (exchange->target == method + strlen(method) + 1 &&
            version == exchange->target_end + 1) ||
           problem_set(&exchange->reply.problem, PROBLEM_MALFORMED_REQUEST,
                       "The request line has a NUL, or several blanks between its parts.");
}

void admit_headers(struct exchange *exchange, const char *method, const char *version)
{
    struct headers headers;
    struct request *request = &exchange->request;
    struct problem *problem = &exchange->reply.problem;
    exchange->headers_read = true;
    copy_plain(exchange->method, sizeof exchange->method, method, strlen(method));
    request->method = strcmp(exchange->method, "HEAD") == 0 ? "GET" : exchange->method;
    request->path = exchange->path;
    if (!is_whole_line(exchange, method, version) ||
        !headers_read(exchange->connection.handle, method, version, &headers, problem)) {
        exchange->close = true;
        return;
    }
    if (headers.request_id != NULL && is_request_id(headers.request_id))
        strcpy(request->id, headers.request_id);
    if (exchange->authority[0] != '\0')
        headers.host = exchange->authority;
    request->wait_seconds = headers.wait_seconds;
    keep_idempotency_key(&headers, request, problem);
    keep_if_match(&headers, request, problem);
    request->accepts_npy = headers_list_names(headers.accept, "application/x-npy");
    request->accepts_json = headers.accept == NULL ||
                            headers_list_names(headers.accept, "application/json") ||
                            headers_list_names(headers.accept, "application/*") ||
                            headers_list_names(headers.accept, "*/*");
    request->accepts_gzip = headers_list_names(headers.accept_encoding, "gzip");
    const char *hosts = admit_is_health(exchange) ? "*" : exchange->server->options.hosts;
    if (headers_may_ask(&headers, hosts, problem))
        identify(exchange, headers.authorization);
    if (!problem_is_set(problem))
        find_route(exchange);
    if (exchange->route != NULL)
        check_role(exchange);
    check_body(exchange, &headers);
    if (problem_is_set(problem) && headers.expects_continue)
        exchange->close = true;
}
