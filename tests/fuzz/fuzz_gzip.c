/* Any bytes as a stream of gzip, in pieces: they inflate to what zlib makes of the whole. And any
 * bytes packed: they come out again. */
#include <string.h>
#include <zlib.h>

#include "server/base/gzip.h"
#include "tests/fuzz/fuzz.h"

enum { MOST = 1 << 16 };

/* Inflates in pieces of `step` bytes, into an output of as many. Returns how it ended. */
static enum gunzip_status inflate_pieces(const char *bytes, size_t size, size_t step, char *out,
                                         size_t *ret_size)
{
    struct gunzip *gunzip = gunzip_create();
    demand(gunzip != NULL);
    enum gunzip_status status = GUNZIP_MORE;
    size_t done = 0;
    /* What follows the end is refused when it comes. */
    for (size_t at = 0; (at < size && status != GUNZIP_BROKEN) || status == GUNZIP_FULL;) {
        const char *piece = bytes + at;
        size_t left = size - at < step ? size - at : step, written = 0;
        const size_t room = MOST - done < step ? MOST - done : step;
        if (room == 0)
            break;
        status = gunzip_piece(gunzip, &piece, &left, out + done, room, &written);
        demand(written <= room && piece >= bytes + at && piece + left <= bytes + size);
        demand(status != GUNZIP_FULL || written == room);
        at = (size_t)(piece - bytes);
        done += written;
    }
    gunzip_destroy(gunzip);
    *ret_size = done;
    return status;
}

/* How zlib inflates them at once; GUNZIP_BROKEN too if the stream has not ended. */
static enum gunzip_status inflate_whole(const void *data, size_t size, char *out, size_t *ret_size)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)size};
    stream.next_out = (Bytef *)out;
    stream.avail_out = MOST;
    demand(inflateInit2(&stream, MAX_WBITS + 16) == Z_OK);
    const int status = inflate(&stream, Z_FINISH);
    const bool has_ended = status == Z_STREAM_END && stream.avail_in == 0;
    *ret_size = stream.total_out;
    inflateEnd(&stream);
    return has_ended ? GUNZIP_END : GUNZIP_BROKEN;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char pieces[MOST], whole[MOST];
    size_t pieces_size, whole_size;
    const enum gunzip_status status =
        inflate_pieces((const char *)data, size, 1 + size % 61, pieces, &pieces_size);
    if (inflate_whole(data, size, whole, &whole_size) == GUNZIP_END) {
        demand(whole_size == MOST || status == GUNZIP_END);
        demand(pieces_size == whole_size && memcmp(pieces, whole, whole_size) == 0);
    } else {
        demand(status != GUNZIP_END);
    }

    struct buffer packed = {0};
    demand(gzip_pack(data, size, &packed));
    if (size < MOST) {
        demand(inflate_whole(packed.bytes, packed.size, whole, &whole_size) == GUNZIP_END);
        demand(whole_size == size && memcmp(whole, data, size) == 0);
    }
    buffer_finish(&packed);
    return 0;
}
