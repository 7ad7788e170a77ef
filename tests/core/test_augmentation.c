/* Images that are moved: every pixel lands where it should, zeros come in, and every move comes up
 * about as often as any other. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/augmentation.h"
#include "tests/support/suite.h"
#include "tests/support/views.h"

/* Neither square nor of whole blocks of features at rest. */
enum { HEIGHT = 5, WIDTH = 7, PIXELS = HEIGHT * WIDTH, NEURONS = 4, IMAGES = 2, TIMES = 100 };

struct fixture {
    struct encoder encoder;
    struct encoding encoding;
    uint8_t bytes[IMAGES * PIXELS];
    float values[IMAGES * PIXELS];
    struct samples as_bytes;
    struct samples as_values;
};
static struct fixture f;

/* The spikes of each pixel tell its value, which no other pixel of the two images has. */
static void set_up_ranges(size_t ranges)
{
    float x_min[PIXELS], x_max[PIXELS];
    f = (struct fixture){.encoder = {.type = ENCODER_GAUSSIAN_TUNING}};
    for (size_t i = 0; i < PIXELS; i++) {
        x_min[i] = (float)(i % ranges); /* what comes in */
        x_max[i] = 100;
    }
    ck_assert_int_eq(gaussian_tuning_init(&f.encoder.gaussian_tuning, PIXELS, NEURONS, x_min, x_max,
                                          TIMES * 100),
                     CORE_OK);
    ck_assert_int_eq(encoding_init(&f.encoding, &f.encoder, TIMES * 100), CORE_OK);
    for (size_t i = 0; i < IMAGES * PIXELS; i++) {
        f.bytes[i] = (uint8_t)(i + 1);
        f.values[i] = (float)f.bytes[i];
    }
    f.as_values = view_values(SAMPLES_VALUES, IMAGES, PIXELS, f.values, NULL);
    f.as_bytes = view_bytes(IMAGES, PIXELS, f.bytes, NULL);
}

static void set_up(void)
{
    set_up_ranges(3);
}

static void tear_down(void)
{
    encoding_finish(&f.encoding);
    encoder_finish(&f.encoder);
}

static bool same_patterns(const struct pattern *a, const struct pattern *b)
{
    return a->count == b->count &&
           memcmp(a->afferent, b->afferent, a->count * sizeof *a->afferent) == 0 &&
           memcmp(a->time, b->time, a->count * sizeof *a->time) == 0;
}

/* The pattern of an image that was moved pixel by pixel. */
static void expect_move(size_t image, ptrdiff_t right, ptrdiff_t down, struct pattern *pattern)
{
    float moved[PIXELS];
    memcpy(moved, encoder_x_min(&f.encoder), sizeof moved);
    for (ptrdiff_t y = 0; y < HEIGHT; y++)
        for (ptrdiff_t x = 0; x < WIDTH; x++)
            if (x + right >= 0 && x + right < WIDTH && y + down >= 0 && y + down < HEIGHT)
                moved[(y + down) * WIDTH + x + right] =
                    f.values[image * PIXELS + (size_t)(y * WIDTH + x)];
    encoder_encode(&f.encoder, moved, pattern);
}

enum { MAX_SHIFT = 9, SPAN = 2 * MAX_SHIFT + 1 };

/* Counts which moves within `shift` have the pattern; where the image has left the frame, all moves
 * look alike. */
static void count_moves(size_t image, size_t shift, const struct pattern *pattern,
                        size_t counts[SPAN][SPAN])
{
    const ptrdiff_t most = (ptrdiff_t)shift;
    struct pattern expected;
    struct arena arena = {0};
    bool found = false;
    pattern_init(&expected, PIXELS * PATTERN_SLACK, TIMES * 100, &arena);
    for (ptrdiff_t down = -most; down <= most; down++) {
        for (ptrdiff_t right = -most; right <= most; right++) {
            expect_move(image, right, down, &expected);
            if (!same_patterns(&expected, pattern))
                continue;
            found = true;
            counts[down + most][right + most]++;
        }
    }
    ck_assert(found);
    arena_finish(&arena);
}

static void move_often(const struct samples *set, size_t shift, size_t draws,
                       size_t counts[SPAN][SPAN])
{
    const struct augmentation augmentation = {shift, HEIGHT, WIDTH};
    float image[PIXELS];
    struct pattern pattern;
    struct arena arena = {0};
    pattern_init(&pattern, PIXELS * PATTERN_SLACK, TIMES * 100, &arena);
    memset(counts, 0, SPAN * sizeof *counts);
    for (size_t i = 0; i < draws; i++) {
        struct dropout_stream stream = dropout_stream_of(3, i, 1);
        augmentation_pattern(&augmentation, set, &f.encoding, i % IMAGES, &stream, image, &pattern);
        count_moves(i % IMAGES, shift, &pattern, counts);
    }
    arena_finish(&arena);
}

/* Bytes become values if their features have too many ranges for a table. */
static const struct samples *images_of(int kind)
{
    if (kind == 2) {
        tear_down();
        set_up_ranges(PIXELS);
    }
    ck_assert(encoding_takes_bytes(&f.encoding) == (kind != 2));
    return kind == 0 ? &f.as_values : &f.as_bytes;
}
enum { IMAGE_KINDS = 3 };

START_TEST(every_pixel_lands_where_it_should)
{
    enum { DRAWS = 1000 };
    size_t counts[SPAN][SPAN];
    const struct samples *images = images_of(_i);
    for (size_t shift = 1; shift <= 2; shift++) {
        const double share = DRAWS / (double)((2 * shift + 1) * (2 * shift + 1));
        move_often(images, shift, DRAWS, counts);
        for (size_t down = 0; down <= 2 * shift; down++)
            for (size_t right = 0; right <= 2 * shift; right++)
                ck_assert_double_eq_tol((double)counts[down][right], share, 5 * sqrt(share));
    }
}
END_TEST

/* Out of the frame altogether: only what comes in. */
START_TEST(an_image_may_leave_its_frame)
{
    size_t counts[SPAN][SPAN];
    move_often(images_of(_i), MAX_SHIFT, 60, counts);
    ck_assert_uint_gt(counts[0][0], 20); /* by nine pixels up and left, as by any other so far */
}
END_TEST

START_TEST(samples_stay_as_they_are)
{
    static uint8_t bytes[IMAGES * PIXELS];
    static float values[IMAGES * PIXELS];
    size_t counts[SPAN][SPAN];
    memcpy(bytes, f.bytes, sizeof bytes);
    memcpy(values, f.values, sizeof values);
    move_often(&f.as_values, 2, 20, counts);
    move_often(&f.as_bytes, 2, 20, counts);
    ck_assert_mem_eq(bytes, f.bytes, sizeof bytes);
    ck_assert_mem_eq(values, f.values, sizeof values);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("augmentation");
    TCase *tests = suite_case(suite, "augmentation", set_up, tear_down, 60);
    tcase_add_loop_test(tests, every_pixel_lands_where_it_should, 0, IMAGE_KINDS);
    tcase_add_loop_test(tests, an_image_may_leave_its_frame, 0, IMAGE_KINDS);
    tcase_add_test(tests, samples_stay_as_they_are);
    return suite_run(suite);
}
