/* route.c - compares a path with the patterns of the table, segment by segment.
 *
 * The table is short and read in order; a pattern's {name} stands for one non-empty segment. The
 * segments are read only if the method fits too, so that a wrong method is reported before a wrong
 * id. */
#include "server/http/route.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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

bool route_is_id(const char *text, size_t length)
{
    return length > 0 && length <= LIMIT_ID && *text != '_' && *text != '-' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") >= length;
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
    errno = 0;
    const int64_t value = strtoll(text, NULL, 10);
    if (*text == '0' || strspn(text, "0123456789") < length || errno != 0)
        return false;
    *out = value;
    return true;
}

static bool read_segment(const char *name, const char *text, size_t length, struct request *request,
                         struct problem *problem)
{
    if (strncmp(name, "{model}", 7) == 0)
        return read_id(text, length, request->model) ||
               problem_set(problem, PROBLEM_MODEL_NOT_FOUND, "No model can have this id.");
    if (strncmp(name, "{dataset}", 9) == 0)
        return read_id(text, length, request->dataset) ||
               problem_set(problem, PROBLEM_DATASET_NOT_FOUND, "No dataset can have this id.");
    if (strncmp(name, "{version}", 9) == 0)
        return read_number(text, length, &request->version) ||
               problem_set(problem, PROBLEM_VERSION_NOT_FOUND, "Versions are numbers from 1.");
    return read_number(text, length, &request->run) ||
           problem_set(problem, PROBLEM_RUN_NOT_FOUND, "The ids of runs are numbers from 1.");
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

static void allow(struct reply *reply, const char *method)
{
    const size_t size = strlen(reply->allow);
    snprintf(reply->allow + size, REPLY_ALLOW - size, "%s%s", size > 0 ? ", " : "", method);
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
