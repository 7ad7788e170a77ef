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

/* Moves an image of pixels of `size` bytes; those that come in stay what they are. */
static void move_image(const struct augmentation *augmentation, const struct move *move,
                       const char *from, size_t size, char *to)
{
    const ptrdiff_t height = (ptrdiff_t)augmentation->height;
    const ptrdiff_t width = (ptrdiff_t)augmentation->width;
    const ptrdiff_t first = move->right > 0 ? move->right : 0;
    const ptrdiff_t end = move->right < 0 ? width + move->right : width;
    for (ptrdiff_t y = 0; y < height; y++) {
        const ptrdiff_t row = y - move->down;
        if (row < 0 || row >= height || end <= first)
            continue;
        memcpy(to + (size_t)(y * width + first) * size,
               from + (size_t)(row * width + first - move->right) * size,
               (size_t)(end - first) * size);
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
    const size_t first = sample * samples->features;
    const float *x_min = encoder_x_min(encoding->encoder);
    struct samples moved = *samples;
    if (samples->kind == SAMPLES_BYTES) {
        moved.data.bytes = (uint8_t *)image;
        nearest_bytes(x_min, samples->features, moved.data.bytes);
        move_image(augmentation, &move, (const char *)(samples->data.bytes + first), 1,
                   (char *)image);
    } else {
        moved.data.values = image;
        memcpy(image, x_min, samples->features * sizeof *image);
        move_image(augmentation, &move, (const char *)(samples->data.values + first), sizeof *image,
                   (char *)image);
    }
    samples_pattern(&moved, encoding, 0, pattern);
}
