/* images.h - labelled images in MNIST's format (IDX), as the benchmarks take them: bytes, and the
 * encoder's table for them. */
#ifndef BENCH_SUPPORT_IMAGES_H
#define BENCH_SUPPORT_IMAGES_H

#include <stdbool.h>

#include "core/samples.h"

struct images {
    size_t count;
    size_t pixels;
    uint8_t *bytes; /* [count][pixels] */
    int32_t *label; /* [count] */
};

/* Reads DIRECTORY/PREFIX-images-idx3-ubyte and its labels, or the same with .gz. False, and a
 * sentence on stdout, where they are not there. */
bool images_read(const char *directory, const char *prefix, struct images *ret_images);
void images_finish(struct images *images);

/* Images that look like digits to an encoder: four of five pixels are 0. For measuring time. */
void images_make_up(size_t count, size_t pixels, size_t classes, struct images *ret_images);

/* An encoder of m neurons a pixel and the encoding by it. */
struct image_encoder {
    struct encoder encoder;
    struct encoding encoding;
};
void image_encoder_init(struct image_encoder *encoder, size_t pixels, size_t m,
                        uint32_t max_spike_time, float last);
/* One that fires the earlier the brighter a pixel is, and not at all for a dark one. */
void image_latency_init(struct image_encoder *encoder, size_t pixels, uint32_t max_spike_time,
                        float last);
void image_encoder_finish(struct image_encoder *encoder);

/* A view of images first .. first + count - 1. */
struct samples images_view(const struct images *images, size_t first, size_t count);

#endif
