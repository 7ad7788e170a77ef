#include "core/augmentation.h"

#include <string.h>

#include "core/simd.h"

/* How far the image is moved to the right and down. */
struct move {
    ptrdiff_t right, down;
};

static ptrdiff_t draw_move(size_t shift, struct dropout_stream *stream)
{
    return (ptrdiff_t)(dropout_draw(stream) % (2 * shift + 1)) - (ptrdiff_t)shift;
}

/* Which pixels of a row go where: as they are, or bytes as values. */
typedef void copy_pixels(const void *from, size_t first, size_t count, void *to, size_t place);

static void copy_values(const void *from, size_t first, size_t count, void *to, size_t place)
{
    memcpy((float *)to + place, (const float *)from + first, count * sizeof(float));
}

static void copy_bytes(const void *from, size_t first, size_t count, void *to, size_t place)
{
    memcpy((uint8_t *)to + place, (const uint8_t *)from + first, count);
}

static void copy_bytes_to_values(const void *from, size_t first, size_t count, void *to,
                                 size_t place)
{
    const uint8_t *bytes = (const uint8_t *)from + first;
    float *values = (float *)to + place;
    for (size_t i = 0; i < count; i++)
        values[i] = bytes[i];
}

/* Moves an image; pixels that come in stay what they are. */
static void move_image(const struct augmentation *augmentation, const struct move *move,
                       copy_pixels *copy, const void *from, void *to)
{
    const ptrdiff_t height = (ptrdiff_t)augmentation->height;
    const ptrdiff_t width = (ptrdiff_t)augmentation->width;
    const ptrdiff_t first = move->right > 0 ? move->right : 0;
    const ptrdiff_t end = move->right < 0 ? width + move->right : width;
    for (ptrdiff_t y = 0; y < height; y++) {
        const ptrdiff_t row = y - move->down;
        if (row < 0 || row >= height || end <= first)
            continue;
        copy(from, (size_t)(row * width + first - move->right), (size_t)(end - first), to,
             (size_t)(y * width + first));
    }
}

VECTORIZED static void nearest_bytes(const float *restrict values, size_t count,
                                     uint8_t *restrict bytes)
{
    for (size_t i = 0; i < count; i++) {
        const float above = values[i] > 0 ? values[i] : 0;
        bytes[i] = (uint8_t)(int32_t)((above < UINT8_MAX ? above : UINT8_MAX) + 0.5f);
    }
}

void augmentation_pattern(const struct augmentation *augmentation, const struct samples *samples,
                          const struct encoding *encoding, size_t sample,
                          struct dropout_stream *stream, float *image, struct pattern *pattern)
{
    struct move move;
    move.right = draw_move(augmentation->shift, stream);
    move.down = draw_move(augmentation->shift, stream);
    const size_t n = samples->features, first = samples_row(samples, sample) * n;
    const bool are_bytes = samples->kind == SAMPLES_BYTES;
    const float *x_min = encoder_x_min(encoding->encoder);
    struct samples moved = {.kind = samples->kind, .count = 1, .features = n};
    if (are_bytes && encoding_takes_bytes(encoding)) {
        moved.data.bytes = (uint8_t *)image;
        nearest_bytes(x_min, n, moved.data.bytes);
        move_image(augmentation, &move, copy_bytes, samples->data.bytes + first, image);
    } else {
        moved.kind = SAMPLES_VALUES;
        moved.data.values = image;
        memcpy(image, x_min, n * sizeof *image);
        move_image(augmentation, &move, are_bytes ? copy_bytes_to_values : copy_values,
                   are_bytes ? (const void *)(samples->data.bytes + first)
                             : (const void *)(samples->data.values + first),
                   image);
    }
    samples_pattern(&moved, encoding, 0, pattern);
}
