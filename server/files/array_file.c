/* array_file.c - reads a head first that is long enough for any header. The values in it are handed
 * out before the rest, which goes straight from the file to the caller. */
#include "server/files/array_file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "server/files/gzip_file.h"
#include "server/files/idx.h"
#include "server/files/npy.h"

struct array_file {
    struct gzip_file *bytes;
    struct array_layout layout;
    size_t done_bytes; /* of the values */
    size_t head_begin, head_end;
    unsigned char head[NPY_HEADER_READ];
};

static bool read_format(struct array_file *file, struct problem *problem)
{
    if (npy_matches(file->head, file->head_end))
        return npy_header_read(file->head, file->head_end, &file->layout, &file->head_begin,
                               problem);
    if (idx_matches(file->head, file->head_end))
        return idx_header_read(file->head, file->head_end, &file->layout, &file->head_begin,
                               problem);
    if (file->head_end == 0)
        return problem_set(problem, PROBLEM_EMPTY_BATCH, "The file is empty.");
    if (file->head_end >= 2 && memcmp(file->head, "PK", 2) == 0)
        return problem_set(
            problem, PROBLEM_UNSUPPORTED_FORMAT,
            "The file is a ZIP archive, as .npz is; send one array, as IDX or .npy.");
    return problem_set(problem, PROBLEM_UNSUPPORTED_FORMAT,
                       "The file is neither IDX nor NumPy's .npy, nor one of them gzipped.");
}

static bool read_header(struct array_file *file, size_t max_bytes, struct problem *problem)
{
    if (!gzip_file_read(file->bytes, file->head, sizeof file->head, &file->head_end, problem) ||
        !read_format(file, problem))
        return false;
    if (file->layout.bytes > max_bytes)
        return problem_set(problem, PROBLEM_TOO_LARGE,
                           "The header promises %zu bytes of data; the limit is %zu.",
                           file->layout.bytes, max_bytes);
    return true;
}

struct array_file *array_file_create(int fd, size_t max_bytes, struct problem *problem)
{
    struct array_file *file = calloc(1, sizeof *file);
    if (file == NULL) {
        problem_set_no_memory(problem);
        return NULL;
    }
    file->bytes = gzip_file_create(fd, problem);
    if (file->bytes != NULL && read_header(file, max_bytes, problem))
        return file;
    array_file_destroy(file);
    return NULL;
}

void array_file_destroy(struct array_file *file)
{
    if (file != NULL)
        gzip_file_destroy(file->bytes);
    free(file);
}

const struct array_layout *array_file_layout(const struct array_file *file)
{
    return &file->layout;
}

static bool read_bytes(struct array_file *file, char *bytes, size_t size, size_t *ret_size,
                       struct problem *problem)
{
    const size_t left = file->head_end - file->head_begin;
    const size_t from_head = size < left ? size : left;
    size_t rest = 0;
    memcpy(bytes, file->head + file->head_begin, from_head);
    file->head_begin += from_head;
    if (from_head < size &&
        !gzip_file_read(file->bytes, bytes + from_head, size - from_head, &rest, problem))
        return false;
    *ret_size = from_head + rest;
    return true;
}

static bool check_end(struct array_file *file, size_t *ret_bytes, struct problem *problem)
{
    char byte;
    size_t size;
    if (!read_bytes(file, &byte, 1, &size, problem))
        return false;
    if (size > 0)
        return problem_set(problem, PROBLEM_MALFORMED_DATA,
                           "The header promises %zu bytes of data, but more follow.",
                           file->layout.bytes);
    *ret_bytes = 0;
    return true;
}

static bool check_finite(const struct array_file *file, const void *values, size_t count,
                         struct problem *problem)
{
    const struct array_layout *layout = &file->layout;
    char place[ARRAY_TEXT];
    const size_t at = dtype_find_not_finite(layout->dtype, values, count);
    if (at == count)
        return true;
    array_layout_place(layout, file->done_bytes / dtype_size(layout->dtype) + at, place);
    return problem_set(problem, PROBLEM_NOT_FINITE,
                       "The value at %s is not a number, infinite, or beyond float32.", place);
}

bool array_file_read(struct array_file *file, void *values, size_t max_bytes, size_t *ret_bytes,
                     struct problem *problem)
{
    const struct array_layout *layout = &file->layout;
    const size_t size = dtype_size(layout->dtype);
    const size_t left = layout->bytes - file->done_bytes;
    const size_t wanted = (max_bytes < left ? max_bytes : left) / size * size;
    size_t got;
    assert(max_bytes >= size);
    if (left == 0)
        return check_end(file, ret_bytes, problem);
    if (!read_bytes(file, values, wanted, &got, problem))
        return false;
    if (got < wanted)
        return problem_set(problem, PROBLEM_TRUNCATED_DATA,
                           "The header promises %zu bytes of data, but only %zu follow.",
                           layout->bytes, file->done_bytes + got);
    if (layout->is_big_endian)
        dtype_swap(layout->dtype, values, wanted / size);
    if (!check_finite(file, values, wanted / size, problem))
        return false;
    file->done_bytes += wanted;
    *ret_bytes = wanted;
    return true;
}
