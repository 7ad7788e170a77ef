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

void body_begin(struct body *body, struct body_limits *limits, bool is_gzip, size_t announced)
{
    body->limits = limits;
    body->is_packed = is_gzip;
    body->announced = announced;
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
static size_t next_capacity(const struct buffer *bytes, size_t size, size_t announced)
{
    size_t capacity = bytes->capacity * 2;
    if (capacity < MIN_CAPACITY)
        capacity = MIN_CAPACITY;
    if (capacity < size)
        capacity = size;
    return announced >= size && capacity > announced ? announced : capacity;
}

static bool reserve(struct body_limits *limits, struct buffer *bytes, size_t size, size_t announced,
                    struct problem *problem)
{
    const size_t before = bytes->capacity;
    if (size <= before)
        return true;
    const size_t capacity = next_capacity(bytes, size, announced);
    if (!charge(&limits->memory, before, capacity, problem))
        return false;
    if (buffer_resize(bytes, capacity))
        return true;
    budget_give(&limits->memory, counted(capacity) - counted(before));
    return problem_set_no_memory(problem);
}

static void give_back(struct body_limits *limits, struct buffer *bytes)
{
    if (bytes->capacity > 0)
        budget_give(&limits->memory, counted(bytes->capacity));
    buffer_finish(bytes);
}

bool body_check_size(size_t size, size_t max, struct problem *problem)
{
    return size <= max ||
           problem_set(problem, PROBLEM_BODY_TOO_LARGE,
                       "A body may have at most %zu bytes here (--max-body, --max-dataset).", max);
}

static bool keep(struct body *body, const char *piece, size_t size, struct problem *problem)
{
    struct buffer *bytes = body->is_packed ? &body->packed : &body->bytes;
    const size_t whole = bytes->size + size;
    if (!body_check_size(whole, body->limits->max_bytes, problem) ||
        !reserve(body->limits, bytes, whole, body->announced, problem))
        return false;
    buffer_add(bytes, piece, size);
    return true;
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
    return body->file >= 0 ? spool(body, piece, size, problem) : keep(body, piece, size, problem);
}

/* --- a compressed body --- */

static void drop_packed(struct body *body)
{
    give_back(body->limits, &body->packed);
    gunzip_destroy(body->gunzip);
    body->gunzip = NULL;
    body->is_packed = false;
}

/* Adds what there is room for, and makes some if there is none. */
static bool unpack_piece(struct body *body, enum gunzip_status *status, struct problem *problem)
{
    struct buffer *bytes = &body->bytes, *packed = &body->packed;
    const char *piece = packed->bytes + body->unpacked;
    size_t left = packed->size - body->unpacked, written = 0;
    if (!reserve(body->limits, bytes, bytes->size + 1, 0, problem))
        return false;
    *status = gunzip_piece(body->gunzip, &piece, &left, bytes->bytes + bytes->size,
                           bytes->capacity - bytes->size, &written);
    body->unpacked = packed->size - left;
    bytes->size += written;
    return body_check_size(bytes->size, body->limits->max_bytes, problem);
}

bool body_unpack(struct body *body, size_t enough, struct problem *problem)
{
    enum gunzip_status status = GUNZIP_FULL;
    if (!body->is_packed)
        return true;
    if (body->gunzip == NULL)
        body->gunzip = gunzip_create();
    if (body->gunzip == NULL)
        return problem_set_no_memory(problem);
    while (status == GUNZIP_FULL && body->bytes.size <= enough)
        if (!unpack_piece(body, &status, problem))
            return false;
    switch (status) {
    case GUNZIP_FULL:
        return true;
    case GUNZIP_END:
        drop_packed(body);
        return true;
    case GUNZIP_MORE:
        return problem_set(problem, PROBLEM_MALFORMED_REQUEST,
                           "The body's gzip stream is cut off.");
    case GUNZIP_BROKEN:
        return problem_set(problem, PROBLEM_MALFORMED_REQUEST,
                           "The body is not a valid gzip stream.");
    case GUNZIP_NO_MEMORY:
        return problem_set_no_memory(problem);
    }
    return false;
}

void body_drop(struct body *body)
{
    if (body->is_packed)
        drop_packed(body);
    give_back(body->limits, &body->bytes);
    if (body->file >= 0) {
        budget_give(&body->limits->files, counted(body->file_bytes));
        close(body->file);
    }
    *body = (struct body){.file = -1};
}
