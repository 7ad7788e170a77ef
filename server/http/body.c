#include "server/http/body.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/limits.h"

enum { MIN_CAPACITY = 4096 };

/* How much of a body's bytes is counted. */
static size_t counted(size_t bytes)
{
    return bytes > LIMIT_SMALL_BODY ? bytes - LIMIT_SMALL_BODY : 0;
}

/* Counts a body that grows. */
static bool charge(struct budget *budget, size_t before, size_t after, struct problem *problem)
{
    return budget_take(budget, counted(after) - counted(before)) ||
           problem_set(problem, PROBLEM_OVERLOADED,
                       "Too many large bodies are in flight; those of up to %d bytes are accepted.",
                       LIMIT_SMALL_BODY);
}

bool body_begin(struct body *body, struct body_limits *limits, bool is_gzip, size_t announced,
                struct problem *problem)
{
    body->limits = limits;
    body->announced = is_gzip ? 0 : announced;
    body->gunzip = is_gzip ? gunzip_create() : NULL;
    return !is_gzip || body->gunzip != NULL || problem_set_no_memory(problem);
}

/* Sets what errno says. */
static bool fail_file(const struct body_limits *limits, enum problem_code code,
                      struct problem *problem)
{
    problem_set(problem, code, "The body can't be put into a file: %s.", strerror(errno));
    limits->on_file_error(limits->context);
    return false;
}

/* Some file systems can't make a file without a name: there it has a name for a moment. */
static int open_nameless(const char *directory)
{
    char path[PATH_MAX];
    int file = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return file;
    snprintf(path, sizeof path, "%s/tempotrond-XXXXXX", directory);
    file = mkostemp(path, O_CLOEXEC);
    if (file >= 0)
        unlink(path);
    return file;
}

bool body_begin_file(struct body *body, struct body_limits *limits, struct problem *problem)
{
    body->limits = limits;
    body->file = open_nameless(limits->directory);
    return body->file >= 0 || fail_file(limits, PROBLEM_STORE_UNAVAILABLE, problem);
}

/* Doubles, up to what was announced. */
static size_t next_capacity(const struct body *body, size_t size)
{
    size_t capacity = body->bytes.capacity * 2;
    if (capacity < MIN_CAPACITY)
        capacity = MIN_CAPACITY;
    if (capacity < size)
        capacity = size;
    return body->announced >= size && capacity > body->announced ? body->announced : capacity;
}

static bool reserve(struct body *body, size_t size, struct problem *problem)
{
    struct body_limits *limits = body->limits;
    const size_t before = body->bytes.capacity;
    if (size <= before)
        return true;
    const size_t capacity = next_capacity(body, size);
    if (!charge(&limits->memory, before, capacity, problem))
        return false;
    if (buffer_resize(&body->bytes, capacity))
        return true;
    budget_give(&limits->memory, counted(capacity) - counted(before));
    return problem_set_no_memory(problem);
}

bool body_check_size(size_t size, size_t max, struct problem *problem)
{
    return size <= max ||
           problem_set(problem, PROBLEM_BODY_TOO_LARGE,
                       "A body may have at most %zu bytes here (--max-body, --max-dataset).", max);
}

static bool keep(struct body *body, const char *piece, size_t size, struct problem *problem)
{
    const size_t whole = body->bytes.size + size;
    if (!body_check_size(whole, body->limits->max_bytes, problem) || !reserve(body, whole, problem))
        return false;
    buffer_add(&body->bytes, piece, size);
    return true;
}

/* Decompresses straight into the body, and stops soon after the limit is passed. */
static bool unpack(struct body *body, const char *piece, size_t size, struct problem *problem)
{
    enum gunzip_status status;
    struct buffer *bytes = &body->bytes;
    do {
        size_t written = 0;
        if (!reserve(body, bytes->size + 1, problem))
            return false;
        status = gunzip_piece(body->gunzip, &piece, &size, bytes->bytes + bytes->size,
                              bytes->capacity - bytes->size, &written);
        bytes->size += written;
        if (!body_check_size(bytes->size, body->limits->max_bytes, problem))
            return false;
    } while (status == GUNZIP_FULL);
    if (status == GUNZIP_BROKEN)
        return problem_set(problem, PROBLEM_MALFORMED_REQUEST,
                           "The body is not a valid gzip stream.");
    return status != GUNZIP_NO_MEMORY || problem_set_no_memory(problem);
}

static bool spool(struct body *body, const char *piece, size_t size, struct problem *problem)
{
    struct body_limits *limits = body->limits;
    if (!body_check_size(body->file_bytes + size, limits->max_file_bytes, problem) ||
        !charge(&limits->files, body->file_bytes, body->file_bytes + size, problem))
        return false;
    body->file_bytes += size;
    while (size > 0) {
        const ssize_t written = write(body->file, piece, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return fail_file(limits, PROBLEM_STORE_FULL, problem);
        piece += written;
        size -= (size_t)written;
    }
    return true;
}

bool body_add(struct body *body, const char *piece, size_t size, struct problem *problem)
{
    if (body->file >= 0)
        return spool(body, piece, size, problem);
    if (body->gunzip != NULL)
        return unpack(body, piece, size, problem);
    return keep(body, piece, size, problem);
}

bool body_end(const struct body *body, struct problem *problem)
{
    return body->gunzip == NULL || gunzip_has_ended(body->gunzip) ||
           problem_set(problem, PROBLEM_MALFORMED_REQUEST, "The body's gzip stream is cut off.");
}

void body_drop(struct body *body)
{
    if (body->bytes.capacity > 0)
        budget_give(&body->limits->memory, counted(body->bytes.capacity));
    buffer_finish(&body->bytes);
    if (body->gunzip != NULL)
        gunzip_destroy(body->gunzip);
    if (body->file >= 0) {
        budget_give(&body->limits->files, counted(body->file_bytes));
        close(body->file);
    }
    *body = (struct body){.file = -1};
}
