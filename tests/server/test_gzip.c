/* What is compressed comes out again, in pieces of any size, and what is not gzip is refused. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/gzip.h"
#include "tests/support/files.h"
#include "tests/support/suite.h"

enum { TEXT = 3000 };

/* Bytes that repeat themselves, but not soon. */
static struct bytes text_of(size_t size)
{
    struct bytes bytes = bytes_padded("", 'a', size);
    for (size_t i = 0; i < size; i++)
        bytes.at[i] = (unsigned char)"one two three "[(i + i / 100) % 14];
    return bytes;
}

/* Inflates in pieces of `step` bytes into as many; asserts that nothing is written beyond them.
 * Returns how it ended, and adds what came to `out`. */
static enum gunzip_status inflate_by(const struct bytes *packed, size_t step, struct bytes *out)
{
    char block[TEXT + 1];
    struct gunzip *gunzip = gunzip_create();
    ck_assert_ptr_nonnull(gunzip);
    enum gunzip_status status = GUNZIP_MORE;
    size_t at = 0;
    while ((at < packed->size || status == GUNZIP_FULL) && status <= GUNZIP_FULL) {
        const size_t size = packed->size - at < step ? packed->size - at : step;
        const char *piece = (const char *)packed->at + at;
        size_t left = size, written = 0;
        block[step] = '#';
        status = gunzip_piece(gunzip, &piece, &left, block, step, &written);
        ck_assert_int_eq(block[step], '#');
        ck_assert_ptr_eq(piece, packed->at + at + (size - left));
        ck_assert(status != GUNZIP_MORE || left == 0);
        ck_assert(status != GUNZIP_FULL || written == step);
        bytes_add(out, block, written);
        at += size - left;
    }
    gunzip_destroy(gunzip);
    return status;
}

START_TEST(what_is_packed_comes_out_in_pieces_of_any_size)
{
    static const size_t steps[] = {1, 2, 7, 64, TEXT};
    struct bytes text = text_of(TEXT);
    struct buffer packed = {0};
    ck_assert(gzip_pack(text.at, text.size, &packed));
    ck_assert_uint_lt(packed.size, text.size / 4);
    const struct bytes bytes = {.at = (unsigned char *)packed.bytes, .size = packed.size};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct bytes out = {0};
        ck_assert_int_eq(inflate_by(&bytes, steps[i], &out), GUNZIP_END);
        ck_assert_uint_eq(out.size, text.size);
        ck_assert_mem_eq(out.at, text.at, text.size);
        bytes_finish(&out);
    }
    buffer_finish(&packed);
    bytes_finish(&text);
}
END_TEST

START_TEST(packed_bytes_are_added_to_those_before)
{
    struct buffer packed = {0};
    struct bytes out = {0};
    buffer_add(&packed, "before", 6);
    ck_assert(gzip_pack("", 0, &packed));
    ck_assert_mem_eq(packed.bytes, "before\x1f\x8b", 8);
    const struct bytes bytes = {.at = (unsigned char *)packed.bytes + 6, .size = packed.size - 6};
    ck_assert_int_eq(inflate_by(&bytes, 5, &out), GUNZIP_END);
    ck_assert_uint_eq(out.size, 0);
    buffer_finish(&packed);
}
END_TEST

START_TEST(a_stream_has_one_end)
{
    struct bytes text = text_of(10), packed = bytes_gzipped(&text), out = {0};
    struct gunzip *gunzip = gunzip_create();
    char block[64];
    const char *piece = (const char *)packed.at;
    size_t left = packed.size, written = 0;
    ck_assert_int_eq(gunzip_piece(gunzip, &piece, &left, block, sizeof block, &written),
                     GUNZIP_END);
    ck_assert_uint_eq(written, 10);
    ck_assert_int_eq(gunzip_piece(gunzip, &piece, &left, block, sizeof block, &written),
                     GUNZIP_END);
    piece = "x";
    left = 1;
    ck_assert_int_eq(gunzip_piece(gunzip, &piece, &left, block, sizeof block, &written),
                     GUNZIP_BROKEN);
    gunzip_destroy(gunzip);
    bytes_add(&packed, "x", 1);
    ck_assert_int_eq(inflate_by(&packed, packed.size, &out), GUNZIP_BROKEN);
    bytes_finish(&out);
    bytes_finish(&packed);
    bytes_finish(&text);
}
END_TEST

START_TEST(what_is_not_gzip_is_broken)
{
    struct bytes text = text_of(TEXT), packed = bytes_gzipped(&text), out = {0};
    ck_assert_int_eq(inflate_by(&text, 100, &out), GUNZIP_BROKEN);
    packed.at[packed.size - 5] ^= 1; /* of the checksum */
    ck_assert_int_eq(inflate_by(&packed, TEXT, &out), GUNZIP_BROKEN);
    packed.size -= 8;
    ck_assert_int_eq(inflate_by(&packed, TEXT, &out), GUNZIP_MORE);
    bytes_finish(&out);
    bytes_finish(&packed);
    bytes_finish(&text);
    gunzip_destroy(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gzip");
    TCase *tests = tcase_create("gzip");
    tcase_add_test(tests, what_is_packed_comes_out_in_pieces_of_any_size);
    tcase_add_test(tests, packed_bytes_are_added_to_those_before);
    tcase_add_test(tests, a_stream_has_one_end);
    tcase_add_test(tests, what_is_not_gzip_is_broken);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
