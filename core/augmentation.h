/* augmentation.h - makes more of the samples there are: images are moved a little, by other amounts
 * in every epoch. */
#ifndef CORE_AUGMENTATION_H
#define CORE_AUGMENTATION_H

#include <stddef.h>

#include "core/dropout.h"
#include "core/samples.h"

struct augmentation {
    size_t shift;  /* at most this many pixels in each direction; 0: no augmentation */
    size_t height; /* of the image whose pixels, row by row, are a sample's features */
    size_t width;
};

/* Fills the pattern with a sample, moved by as many pixels as the stream says. Pixels that come in
 * have their feature's x_min, of bytes the nearest one. The samples are values or bytes;
 * image[features] is scratch memory. */
void augmentation_pattern(const struct augmentation *augmentation, const struct samples *samples,
                          const struct encoding *encoding, size_t sample,
                          struct dropout_stream *stream, float *image, struct pattern *pattern);

#endif
