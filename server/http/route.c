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

/* [a-z0-9][a-z0-9_-]{0,62} */
static bool read_id(const char *text, size_t length, char *out)
{
    if (length > LIMIT_ID || !is_alphanumeric(*text))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_alphanumeric(text[i]) && text[i] != '_' && text[i] != '-')
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
static void allow(char allow_text[ROUTE_ALLOW], const char *method)
{
    const size_t size = strlen(allow_text);
    if (size + strlen(", ") + strlen(method) >= ROUTE_ALLOW)
        return;
    strcpy(allow_text + size, size > 0 ? ", " : "");
    strcat(allow_text, method);
}

/* No route has this path and the request's method: finds the methods of the path. */
static void refuse(const struct route *routes, size_t count, const char *path,
                   char allow_text[ROUTE_ALLOW], struct problem *problem)
{
    char allowed[ROUTE_ALLOW] = "";
    for (size_t i = 0; i < count; i++) {
        if (!path_fits(routes[i].pattern, path))
            continue;
        allow(allowed, routes[i].method);
        if (strcmp(routes[i].method, "GET") == 0)
            allow(allowed, "HEAD");
    }
    if (*allowed == '\0') {
        problem_set(problem, PROBLEM_NOT_FOUND, "There is nothing at this path.");
        return;
    }
    strcpy(allow_text, allowed);
    problem_set(problem, PROBLEM_METHOD_NOT_ALLOWED, "This path answers %s.", allowed);
}

const struct route *route_match(const struct route *routes, size_t count, struct request *request,
                                char allow_text[ROUTE_ALLOW], struct problem *problem)
{
    for (const struct route *route = routes; route < routes + count; route++)
        if (strcmp(route->method, request->method) == 0 && path_fits(route->pattern, request->path))
            return read_segments(route->pattern, request, problem) ? route : NULL;
    refuse(routes, count, request->path, allow_text, problem);
    return NULL;
}
