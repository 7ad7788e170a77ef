#include "server/base/gzip.h"

#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

enum { GZIP_WINDOW = MAX_WBITS + 16, MEMORY_LEVEL = 8 };

bool gzip_pack(const void *data, size_t size, struct buffer *packed)
{
    z_stream stream = {0};
    if (size > UINT32_MAX || deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW,
                                          MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    const uLong max_size = deflateBound(&stream, (uLong)size);
    int result = Z_MEM_ERROR;
    if (max_size <= UINT32_MAX && buffer_reserve(packed, max_size)) {
        stream.next_in = (Bytef *)(uintptr_t)data;
        stream.avail_in = (uInt)size;
        stream.next_out = (Bytef *)packed->bytes + packed->size;
        stream.avail_out = (uInt)max_size;
        result = deflate(&stream, Z_FINISH);
    }
    if (result == Z_STREAM_END)
        packed->size += stream.total_out;
    deflateEnd(&stream);
    return result == Z_STREAM_END;
}

struct gunzip {
    z_stream stream;
    bool has_ended;
};

struct gunzip *gunzip_create(void)
{
    struct gunzip *gunzip = calloc(1, sizeof *gunzip);
    if (gunzip == NULL || inflateInit2(&gunzip->stream, GZIP_WINDOW) == Z_OK)
        return gunzip;
    free(gunzip);
    return NULL;
}

void gunzip_destroy(struct gunzip *gunzip)
{
    if (gunzip == NULL)
        return;
    inflateEnd(&gunzip->stream);
    free(gunzip);
}

enum gunzip_status gunzip_piece(struct gunzip *gunzip, const char **piece, size_t *piece_size,
                                char *out, size_t out_size, size_t *ret_size)
{
    z_stream *stream = &gunzip->stream;
    if (gunzip->has_ended)
        return *piece_size > 0 ? GUNZIP_BROKEN : GUNZIP_END;
    stream->next_in = (Bytef *)(uintptr_t)*piece;
    stream->avail_in = (uInt)*piece_size;
    stream->next_out = (Bytef *)out;
    stream->avail_out = (uInt)out_size;
    /* A stream that ends in this call needs no memory for its window. */
    const int result = inflate(stream, Z_FINISH);
    *piece += *piece_size - stream->avail_in;
    *piece_size = stream->avail_in;
    *ret_size = out_size - stream->avail_out;
    switch (result) {
    case Z_STREAM_END:
        gunzip->has_ended = true;
        return *piece_size > 0 ? GUNZIP_BROKEN : GUNZIP_END;
    case Z_OK:
    case Z_BUF_ERROR:
        return stream->avail_out == 0 ? GUNZIP_FULL : GUNZIP_MORE;
    case Z_MEM_ERROR:
        return GUNZIP_NO_MEMORY;
    default:
        return GUNZIP_BROKEN;
    }
}
