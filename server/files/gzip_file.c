/* gzip_file.c - inflate() over pieces of the file.
 *
 * zlib's own gzread() ignores what follows a stream; here such a file is damaged. Streams may
 * follow each other, as gzip allows. */
#include "server/files/gzip_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <zlib.h>

enum {
    INPUT = 64 * 1024,
    MAX_PIECE = 1 << 30, /* of one call: within what zlib can count */
    GZIP_HEADER = 16     /* added to inflateInit2()'s window */
};

struct gzip_file {
    int fd;
    off_t offset; /* in the file, after what was read */
    bool is_gzipped;
    /* These belong to a gzipped file. */
    bool has_ended;
    z_stream stream;
    unsigned char input[INPUT];
};

/* Fills `bytes` from the file itself; *ret_size is less only at its end. */
static bool read_raw(struct gzip_file *file, unsigned char *bytes, size_t size, size_t *ret_size,
                     struct problem *problem)
{
    size_t done = 0;
    ssize_t got = 1;
    while (done < size && got != 0) {
        got = pread(file->fd, bytes + done, size - done, file->offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return problem_set(problem, PROBLEM_INTERNAL, "The file can't be read back.");
        file->offset += got;
        done += (size_t)got;
    }
    *ret_size = done;
    return true;
}

/* Fills the input up after what is left of it. */
static bool refill(struct gzip_file *file, struct problem *problem)
{
    z_stream *stream = &file->stream;
    size_t got;
    memmove(file->input, stream->next_in, stream->avail_in);
    stream->next_in = file->input;
    if (!read_raw(file, file->input + stream->avail_in, INPUT - stream->avail_in, &got, problem))
        return false;
    stream->avail_in += (uInt)got;
    return true;
}

static bool begins_gzip(const z_stream *stream)
{
    return stream->avail_in >= 2 && stream->next_in[0] == 0x1F && stream->next_in[1] == 0x8B;
}

static bool open_file(struct gzip_file *file, struct problem *problem)
{
    file->stream.next_in = file->input;
    if (!refill(file, problem))
        return false;
    if (!begins_gzip(&file->stream)) {
        file->offset = 0;
        return true;
    }
    if (inflateInit2(&file->stream, MAX_WBITS + GZIP_HEADER) != Z_OK)
        return problem_set_no_memory(problem);
    file->is_gzipped = true;
    return true;
}

struct gzip_file *gzip_file_create(int fd, struct problem *problem)
{
    struct gzip_file *file = calloc(1, sizeof *file);
    if (file == NULL) {
        problem_set_no_memory(problem);
        return NULL;
    }
    file->fd = fd;
    if (open_file(file, problem))
        return file;
    gzip_file_destroy(file);
    return NULL;
}

void gzip_file_destroy(struct gzip_file *file)
{
    if (file != NULL && file->is_gzipped)
        inflateEnd(&file->stream);
    free(file);
}

/* After the end of a stream: the next one, or the file's end. */
static bool begin_next_stream(struct gzip_file *file, struct problem *problem)
{
    if (file->stream.avail_in < 2 && !refill(file, problem))
        return false;
    file->has_ended = file->stream.avail_in == 0;
    if (file->has_ended)
        return true;
    if (!begins_gzip(&file->stream))
        return problem_set(problem, PROBLEM_MALFORMED_DATA,
                           "Data that are not gzipped follow the gzipped data.");
    inflateReset(&file->stream);
    return true;
}

static bool inflate_some(struct gzip_file *file, struct problem *problem)
{
    if (file->stream.avail_in == 0 && !refill(file, problem))
        return false;
    switch (inflate(&file->stream, Z_NO_FLUSH)) {
    case Z_OK:
        return true;
    case Z_STREAM_END:
        return begin_next_stream(file, problem);
    case Z_BUF_ERROR: /* there is room, but no more input */
        return problem_set(problem, PROBLEM_TRUNCATED_DATA, "The gzipped data end too early.");
    case Z_MEM_ERROR:
        return problem_set_no_memory(problem);
    }
    return problem_set(problem, PROBLEM_MALFORMED_DATA, "The gzipped data are damaged (%s).",
                       file->stream.msg != NULL ? file->stream.msg : "no reason is known");
}

static bool read_gzipped(struct gzip_file *file, unsigned char *bytes, size_t size,
                         size_t *ret_size, struct problem *problem)
{
    z_stream *stream = &file->stream;
    size_t done = 0;
    while (done < size && !file->has_ended) {
        const size_t wanted = size - done < MAX_PIECE ? size - done : MAX_PIECE;
        stream->next_out = bytes + done;
        stream->avail_out = (uInt)wanted;
        if (!inflate_some(file, problem))
            return false;
        done += wanted - stream->avail_out;
    }
    *ret_size = done;
    return true;
}

bool gzip_file_read(struct gzip_file *file, void *bytes, size_t size, size_t *ret_size,
                    struct problem *problem)
{
    return file->is_gzipped ? read_gzipped(file, bytes, size, ret_size, problem)
                            : read_raw(file, bytes, size, ret_size, problem);
}
