/* route.c - compares a path with the patterns of the table, segment by segment.
 *
 * The table is short and read in order; a pattern's {name} stands for one non-empty segment. The
 * segments are read only if the method fits too, so that a wrong method is reported before a wrong
 * id. */
#include "server/http/route.h"

#include <stdint.h>
#include <string.h>

static size_t segment_length(const char *text)
{
    return (size_t)(strchrnul(text, '/') - text);
}

static bool path_fits(const char *pattern, const char *path)
{
    while (*pattern != '\0') {
        if (*pattern == '{') {
            const char *segment = path;
            path += segment_length(path);
            pattern += segment_length(pattern);
            if (path == segment)
                return false;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool route_is_id(const char *text, size_t length)
{
    if (length > LIMIT_ID || !is_alphanumeric(*text))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_alphanumeric(text[i]) && text[i] != '_' && text[i] != '-')
            return false;
    return true;
}

static bool read_id(const char *text, size_t length, char *out)
{
    if (!route_is_id(text, length))
        return false;
    memcpy(out, text, length);
    out[length] = '\0';
    return true;
}

/* A positive decimal number without leading zeros. */
static bool read_number(const char *text, size_t length, int64_t *out)
{
    if (*text == '0')
        return false;
    int64_t value = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || value > (INT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (text[i] - '0');
    }
    *out = value;
    return true;
}

static bool read_segment(const char *name, const char *text, size_t length, struct request *request,
                         struct problem *problem)
{
    if (strncmp(name, "{model}", 7) == 0) {
        if (read_id(text, length, request->model))
            return true;
        problem_set(problem, PROBLEM_MODEL_NOT_FOUND, "No model can have this id.");
    } else if (strncmp(name, "{dataset}", 9) == 0) {
        if (read_id(text, length, request->dataset))
            return true;
        problem_set(problem, PROBLEM_DATASET_NOT_FOUND, "No dataset can have this id.");
    } else if (strncmp(name, "{version}", 9) == 0) {
        if (read_number(text, length, &request->version))
            return true;
        problem_set(problem, PROBLEM_VERSION_NOT_FOUND, "Versions are numbers from 1.");
    } else {
        if (read_number(text, length, &request->run))
            return true;
        problem_set(problem, PROBLEM_RUN_NOT_FOUND, "The ids of runs are numbers from 1.");
    }
    return false;
}

static bool read_segments(const char *pattern, struct request *request, struct problem *problem)
{
    const char *path = request->path;
    while (*pattern == '/') {
        const size_t length = segment_length(++path);
        if (*++pattern == '{' && !read_segment(pattern, path, length, request, problem))
            return false;
        pattern += segment_length(pattern);
        path += length;
    }
    return true;
}

/* Appends a method. One that no longer fits is left out. */
static void allow(struct reply *reply, const char *method)
{
    const size_t size = strlen(reply->allow);
    if (size + strlen(", ") + strlen(method) >= REPLY_ALLOW)
        return;
    strcpy(reply->allow + size, size > 0 ? ", " : "");
    strcat(reply->allow, method);
}

const struct route *route_match(const struct route *routes, size_t count, struct request *request,
                                struct reply *reply)
{
    for (size_t i = 0; i < count; i++) {
        const struct route *route = &routes[i];
        if (!path_fits(route->pattern, request->path))
            continue;
        if (strcmp(route->method, request->method) == 0) {
            reply->allow[0] = '\0';
            return read_segments(route->pattern, request, &reply->problem) ? route : NULL;
        }
        allow(reply, route->method);
        if (strcmp(route->method, "GET") == 0)
            allow(reply, "HEAD");
    }
    if (reply->allow[0] == '\0')
        problem_set(&reply->problem, PROBLEM_NOT_FOUND, "There is nothing at this path.");
    else
        problem_set(&reply->problem, PROBLEM_METHOD_NOT_ALLOWED, "This path answers %s.",
                    reply->allow);
    return NULL;
}
