#include "bench/support/images.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/random.h"
#include "tests/support/views.h"

enum { IMAGES_MAGIC = 0x803, LABELS_MAGIC = 0x801 };

static FILE *open_file(const char *directory, const char *prefix, const char *kind)
{
    char path[512], command[600];
    snprintf(path, sizeof path, "%s/%s-%s", directory, prefix, kind);
    if (access(path, R_OK) == 0) {
        snprintf(command, sizeof command, "cat '%s'", path);
        return popen(command, "r");
    }
    strncat(path, ".gz", sizeof path - strlen(path) - 1);
    if (access(path, R_OK) != 0)
        return NULL;
    snprintf(command, sizeof command, "gzip -dc '%s'", path);
    return popen(command, "r");
}

static uint32_t read_number(FILE *file)
{
    unsigned char bytes[4] = {0};
    if (fread(bytes, 1, sizeof bytes, file) != sizeof bytes)
        return 0;
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The rest of a file, whose header told its size. */
static uint8_t *read_bytes(FILE *file, size_t size)
{
    uint8_t *bytes = malloc(size);
    if (bytes != NULL && fread(bytes, 1, size, file) == size)
        return bytes;
    free(bytes);
    return NULL;
}

static bool read_images(FILE *file, struct images *images)
{
    if (read_number(file) != IMAGES_MAGIC)
        return false;
    images->count = read_number(file);
    images->pixels = read_number(file);
    images->pixels *= read_number(file);
    images->bytes = read_bytes(file, images->count * images->pixels);
    return images->bytes != NULL;
}

static bool read_labels(FILE *file, struct images *images)
{
    if (read_number(file) != LABELS_MAGIC || read_number(file) != images->count)
        return false;
    uint8_t *bytes = read_bytes(file, images->count);
    images->label = malloc(images->count * sizeof *images->label);
    for (size_t i = 0; bytes != NULL && images->label != NULL && i < images->count; i++)
        images->label[i] = bytes[i];
    free(bytes);
    return bytes != NULL && images->label != NULL;
}

bool images_read(const char *directory, const char *prefix, struct images *ret_images)
{
    struct images images = {0};
    FILE *file = directory != NULL ? open_file(directory, prefix, "images-idx3-ubyte") : NULL;
    FILE *labels = directory != NULL ? open_file(directory, prefix, "labels-idx1-ubyte") : NULL;
    const bool read = file != NULL && labels != NULL && read_images(file, &images) &&
                      read_labels(labels, &images);
    if (file != NULL)
        pclose(file);
    if (labels != NULL)
        pclose(labels);
    if (read) {
        *ret_images = images;
        return true;
    }
    images_finish(&images);
    return false;
}

void images_finish(struct images *images)
{
    free(images->bytes);
    free(images->label);
    *images = (struct images){0};
}

void images_make_up(size_t count, size_t pixels, size_t classes, struct images *ret_images)
{
    struct random random;
    struct images images = {.count = count, .pixels = pixels};
    random_init(&random, 1);
    images.bytes = calloc(count, pixels);
    images.label = calloc(count, sizeof *images.label);
    if (images.bytes == NULL || images.label == NULL)
        abort();
    for (size_t i = 0; i < count * pixels; i++)
        if (random_bits(&random) % 5 == 0)
            images.bytes[i] = (uint8_t)random_bits(&random);
    for (size_t i = 0; i < count; i++)
        images.label[i] = (int32_t)(random_bits(&random) % classes);
    *ret_images = images;
}

/* 0 and 255 for every pixel: x_min[pixels], and x_max[pixels] after it; free(). */
static float *pixel_ranges(size_t pixels)
{
    float *x_min = calloc(pixels, 2 * sizeof *x_min);
    if (x_min == NULL)
        abort();
    for (size_t i = 0; i < pixels; i++)
        x_min[pixels + i] = 255;
    return x_min;
}

static void must(enum core_status status)
{
    if (status != CORE_OK)
        abort();
}

void image_encoder_init(struct image_encoder *encoder, size_t pixels, size_t m,
                        uint32_t max_spike_time, float last)
{
    float *x_min = pixel_ranges(pixels);
    *encoder = (struct image_encoder){.encoder = {.type = ENCODER_GAUSSIAN_TUNING}};
    must(gaussian_tuning_init(&encoder->encoder.gaussian_tuning, pixels, m, x_min, x_min + pixels,
                              max_spike_time));
    must(encoding_init(&encoder->encoding, &encoder->encoder, last));
    free(x_min);
}

void image_latency_init(struct image_encoder *encoder, size_t pixels, uint32_t max_spike_time,
                        float last)
{
    float *x_min = pixel_ranges(pixels);
    *encoder = (struct image_encoder){.encoder = {.type = ENCODER_LATENCY}};
    must(latency_init(&encoder->encoder.latency, pixels, LATENCY_LINEAR, x_min, x_min + pixels,
                      max_spike_time));
    must(encoding_init(&encoder->encoding, &encoder->encoder, last));
    free(x_min);
}

void image_encoder_finish(struct image_encoder *encoder)
{
    encoding_finish(&encoder->encoding);
    encoder_finish(&encoder->encoder);
}

struct samples images_view(const struct images *images, size_t first, size_t count)
{
    return view_bytes(count, images->pixels, images->bytes + first * images->pixels,
                      images->label + first);
}
