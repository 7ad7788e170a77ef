#include "tests/support/http.h"

#include <arpa/inet.h>
#include <check.h>
#include <ctype.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void http_answer_finish(struct http_answer *answer)
{
    json_decref(answer->headers);
    json_decref(answer->json);
    free(answer->body);
    *answer = (struct http_answer){0};
}

const char *http_header(const struct http_answer *answer, const char *name)
{
    return json_string_value(json_object_get(answer->headers, name));
}

static void append(struct http_answer *answer, const char *data, size_t size)
{
    answer->body = realloc(answer->body, answer->size + size + 1);
    ck_assert_ptr_nonnull(answer->body);
    memcpy(answer->body + answer->size, data, size);
    answer->size += size;
    answer->body[answer->size] = '\0';
}

/* Keeps "Name: value\r\n"; a status line has no such colon. */
static void keep_header(struct http_answer *answer, const char *line, size_t size)
{
    const char *colon = memchr(line, ':', size);
    if (colon == NULL)
        return;
    char name[64];
    const size_t name_size = (size_t)(colon - line);
    ck_assert_uint_lt(name_size, sizeof name);
    for (size_t i = 0; i < name_size; i++)
        name[i] = (char)tolower((unsigned char)line[i]);
    name[name_size] = '\0';
    const char *value = colon + 1, *end = line + size;
    while (value < end && *value == ' ')
        value++;
    while (end > value && isspace((unsigned char)end[-1]))
        end--;
    json_object_set_new(answer->headers, name, json_stringn(value, (size_t)(end - value)));
}

static void parse_body(struct http_answer *answer)
{
    if (answer->body == NULL)
        append(answer, "", 0);
    answer->json = json_loadb(answer->body, answer->size, JSON_DECODE_ANY, NULL);
}

/* Resolves a reference against a URL, and asserts what comes of it. */
static void expect_reference(const char *base, const char *path, const char *reference,
                             const char *target)
{
    char url[512], expected[512], *resolved = NULL;
    CURLU *handle = curl_url();
    snprintf(url, sizeof url, "%s%s", base, path);
    snprintf(expected, sizeof expected, "%s%s", base, target);
    ck_assert_int_eq(curl_url_set(handle, CURLUPART_URL, url, 0), CURLUE_OK);
    ck_assert_int_eq(curl_url_set(handle, CURLUPART_URL, reference, 0), CURLUE_OK);
    ck_assert_int_eq(curl_url_get(handle, CURLUPART_URL, &resolved, 0), CURLUE_OK);
    ck_assert_str_eq(resolved, expected);
    curl_free(resolved);
    curl_url_cleanup(handle);
}

void http_expect_location(const struct http_answer *answer, const char *path, const char *target)
{
    const char *location = http_header(answer, "location");
    ck_assert_ptr_nonnull(location);
    expect_reference("http://h", path, location, target);
    expect_reference("http://h/t", path, location, target);
    expect_reference("https://h:8443/a/b", path, location, target);
}

/* --- through libcurl --- */

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
    append(context, data, size * count);
    return size * count;
}

static size_t take_header(char *data, size_t size, size_t count, void *context)
{
    keep_header(context, data, size * count);
    return size * count;
}

static void prepare(CURL *curl, const char *method, const void *body, size_t size,
                    struct http_answer *answer)
{
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_NOBODY, strcmp(method, "HEAD") == 0 ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)service_patience());
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, answer);
    if (body != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
}

static struct http_answer perform(const struct service *service, const char *method,
                                  const char *path, const void *body, size_t size, va_list more)
{
    char url[2048];
    struct http_answer answer = {.headers = json_object()};
    struct curl_slist *headers = NULL;
    CURL *curl = curl_easy_init();
    ck_assert_ptr_nonnull(curl);
    for (const char *line; (line = va_arg(more, const char *)) != NULL;)
        headers = curl_slist_append(headers, line);
    snprintf(url, sizeof url, "http%s://%s%s", service->certificate != NULL ? "s" : "",
             service->address, path);
    prepare(curl, method, body, size, &answer);
    if (service->certificate != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, service->certificate);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    const CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK) {
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    } else {
        answer.size = 0;
        append(&answer, curl_easy_strerror(code), strlen(curl_easy_strerror(code)));
    }
    parse_body(&answer);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return answer;
}

struct http_answer http_send(const struct service *service, const char *method, const char *path,
                             const char *body, ...)
{
    va_list more;
    va_start(more, body);
    const size_t size = body != NULL ? strlen(body) : 0;
    const struct http_answer answer = perform(service, method, path, body, size, more);
    va_end(more);
    return answer;
}

struct http_answer http_send_bytes(const struct service *service, const char *method,
                                   const char *path, const struct bytes *body, ...)
{
    va_list more;
    va_start(more, body);
    const struct http_answer answer = perform(service, method, path, body->at, body->size, more);
    va_end(more);
    return answer;
}

json_t *http_call(const struct service *service, long status, const char *method, const char *path,
                  json_t *body)
{
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    json_decref(body);
    struct http_answer answer = http_send(service, method, path, text, NULL);
    ck_assert_msg(answer.status == status, "%s %s answered %ld instead of %ld: %.1000s", method,
                  path, answer.status, status, answer.body);
    json_t *json = json_incref(answer.json);
    http_answer_finish(&answer);
    free(text);
    return json;
}

json_t *http_get(const struct service *service, const char *path)
{
    return http_call(service, 200, "GET", path, NULL);
}

json_t *http_post(const struct service *service, const char *path, json_t *body)
{
    return http_call(service, 200, "POST", path, body);
}

void http_await_readiness(const struct service *service, long status)
{
    enum { ASK_AGAIN_MS = 5 };
    for (;;) {
        struct http_answer answer = http_send(service, "GET", "/health/ready", NULL, NULL);
        const long seen = answer.status;
        http_answer_finish(&answer);
        if (seen == status)
            return;
        poll(NULL, 0, ASK_AGAIN_MS);
    }
}

/* --- byte by byte --- */

int http_connect(const struct service *service)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)service->port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(connection, 0);
    ck_assert_int_eq(connect(connection, (const struct sockaddr *)&address, sizeof address), 0);
    return connection;
}

static void read_until_closed(int connection, struct http_answer *answer)
{
    char piece[4096];
    struct pollfd event = {.fd = connection, .events = POLLIN};
    for (;;) {
        ck_assert_msg(poll(&event, 1, service_patience()) == 1, "the connection was not closed");
        const ssize_t size = recv(connection, piece, sizeof piece, 0);
        if (size <= 0)
            return;
        append(answer, piece, (size_t)size);
    }
}

/* Moves the status and the headers from the bytes that came to their places. */
static void split(struct http_answer *answer)
{
    char *end = answer->size > 0 ? strstr(answer->body, "\r\n\r\n") : NULL;
    if (end == NULL || sscanf(answer->body, "HTTP/1.1 %3ld", &answer->status) != 1)
        return;
    for (char *line = answer->body; line < end; line = strstr(line, "\r\n") + 2)
        keep_header(answer, line, (size_t)(strstr(line, "\r\n") - line));
    answer->size -= (size_t)(end + 4 - answer->body);
    memmove(answer->body, end + 4, answer->size + 1);
}

void http_exchange_bytes(const struct service *service, const char *bytes, size_t size,
                         struct http_answer *ret_answer)
{
    struct http_answer answer = {.headers = json_object()};
    const int connection = http_connect(service);
    for (size_t sent = 0; sent < size;) {
        const ssize_t piece = send(connection, bytes + sent, size - sent, MSG_NOSIGNAL);
        if (piece <= 0)
            break; /* refused early: what it answered is still to be read */
        sent += (size_t)piece;
    }
    read_until_closed(connection, &answer);
    close(connection);
    split(&answer);
    parse_body(&answer);
    *ret_answer = answer;
}
