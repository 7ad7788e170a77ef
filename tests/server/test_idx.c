/* The header of IDX. */
#include <check.h>

#include "server/base/dtype.h"
#include "server/files/idx.h"
#include "tests/support/files.h"
#include "tests/support/problems.h"
#include "tests/support/suite.h"

START_TEST(a_header_of_idx_is_read)
{
    /* That of MNIST's training images. */
    static const unsigned char mnist[] = {0, 0, 8, 3, 0, 0, 0xEA, 0x60, 0, 0, 0, 28, 0, 0, 0, 28};
    struct problem problem = {0};
    struct array_layout layout;
    size_t header_size;
    ck_assert(idx_header_read(mnist, sizeof mnist, &layout, &header_size, &problem));
    ck_assert_uint_eq(header_size, 16);
    ck_assert(layout.dtype == DTYPE_U1 && !layout.is_big_endian && layout.rank == 3);
    ck_assert_uint_eq(layout.count, 60000);
    ck_assert_uint_eq(layout.features, 784);
    ck_assert_uint_eq(layout.bytes, 47040000);
}
END_TEST

START_TEST(wrong_headers_of_idx_are_refused)
{
    static const struct {
        const char *bytes;
        size_t size;
        enum problem_code code;
        const char *detail;
    } cases[] = {
        {"\0\0\x08", 3, PROBLEM_TRUNCATED_DATA, "The file ends within its IDX header."},
        {"\0\0\x08\1\0\0\0", 7, PROBLEM_TRUNCATED_DATA, "The file ends within its IDX header."},
        {"\0\0\x0A\1\0\0\0\1", 8, PROBLEM_UNSUPPORTED_FORMAT,
         "The file begins with two zero bytes as IDX does, but IDX has no type 0x0A."},
        {"\0\0\x0D\0\0\0\0\0", 8, PROBLEM_WRONG_SHAPE,
         "The array has 0 dimensions; it must have 1 to 8."},
        {"\0\0\x0D\xFF\0\0\0\0", 8, PROBLEM_WRONG_SHAPE,
         "The array has 255 dimensions; it must have 1 to 8."},
        {"\0\0\x0D\2\0\0\0\3\0\0\0\0", 12, PROBLEM_EMPTY_BATCH,
         "An array of the shape (3, 0) holds no values."},
        {"\0\0\x0E\2\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 12, PROBLEM_TOO_LARGE,
         "An array of the shape (4294967295, 4294967295) is larger than any memory."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct problem problem = {0};
        struct array_layout layout = {.rank = 99};
        size_t header_size = 99;
        ck_assert(!idx_header_read(cases[i].bytes, cases[i].size, &layout, &header_size, &problem));
        expect_refusal(&problem, cases[i].code, cases[i].detail);
        ck_assert(layout.rank == 99 && header_size == 99);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("idx");
    TCase *headers = tcase_create("headers");
    tcase_add_test(headers, a_header_of_idx_is_read);
    tcase_add_test(headers, wrong_headers_of_idx_are_refused);
    suite_add_tcase(suite, headers);
    return suite_run(suite);
}
