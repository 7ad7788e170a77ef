/* Arrays in files: IDX and .npy, gzipped or not, whole, broken and hostile. */
#include <check.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/dtype.h"
#include "server/base/utf8.h"
#include "server/files/array_file.h"
#include "tests/support/arrays.h"
#include "tests/support/files.h"
#include "tests/support/problems.h"
#include "tests/support/suite.h"

enum { MOST = 1024 * 1024 };

/* --- whole files --- */

/* Reads all values in pieces of at most `piece` bytes; the problem says whether it went well. */
static struct bytes read_pieces(struct array_file *file, size_t piece, struct problem *problem)
{
    char values[4096];
    struct bytes all = bytes_of("", 0);
    for (size_t size = 1; size > 0;) {
        if (!array_file_read(file, values, piece, &size, problem))
            break;
        ck_assert_uint_le(size, piece);
        bytes_add(&all, values, size);
    }
    return all;
}

static void expect_values(const struct bytes *bytes, enum dtype dtype, const void *expected,
                          size_t size)
{
    static const size_t pieces[] = {8, 9, 15, 24, 4096};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct problem problem = {0};
        const int fd = file_of(bytes);
        struct array_file *file = array_file_create(fd, size, &problem);
        ck_assert_msg(file != NULL, "%s", problem.detail);
        ck_assert_int_eq(array_file_layout(file)->dtype, dtype);
        ck_assert_uint_eq(array_file_layout(file)->bytes, size);
        struct bytes all = read_pieces(file, pieces[i], &problem);
        ck_assert_msg(!problem_is_set(&problem), "%s", problem.detail);
        ck_assert_uint_eq(all.size, size);
        ck_assert_mem_eq(all.at, expected, size);
        ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), (off_t)bytes->size);
        bytes_finish(&all);
        array_file_destroy(file);
        close(fd);
    }
}

static void expect_values_gzipped_too(const struct bytes *bytes, enum dtype dtype,
                                      const void *expected, size_t size)
{
    struct bytes gzipped = bytes_gzipped(bytes);
    expect_values(bytes, dtype, expected, size);
    expect_values(&gzipped, dtype, expected, size);
    bytes_finish(&gzipped);
}

/* Six values of a type, little-endian. */
static void make_values(enum dtype dtype, char *out)
{
    for (int i = 0; i < 6; i++) {
        const double real = (i - 2) * 1.25;
        const float single = (float)real;
        const int64_t whole = (INT64_C(0x0102030405060708) >> (8 * i)) * (i % 2 == 0 ? 1 : -1);
        const void *value = dtype == DTYPE_F8   ? (const void *)&real
                            : dtype == DTYPE_F4 ? (const void *)&single
                                                : (const void *)&whole;
        memcpy(out + (size_t)i * dtype_size(dtype), value, dtype_size(dtype));
    }
}

START_TEST(every_type_of_npy_is_read_in_either_order)
{
    static const char *const kinds[DTYPES] = {"u1", "i1", "i2", "i4", "i8", "f4", "f8"};
    static const char orders[] = "<>=|";
    for (unsigned i = 0; i < DTYPES * 4; i++) {
        const enum dtype dtype = (enum dtype)(i % DTYPES);
        const char order = orders[i / DTYPES];
        const size_t size = 6 * dtype_size(dtype);
        char dict[128], values[48], stored[48];
        make_values(dtype, values);
        memcpy(stored, values, size);
        if (order == '>')
            dtype_swap(dtype, stored, 6);
        snprintf(dict, sizeof dict, "{'descr': '%c%s', 'fortran_order': False, 'shape': (2, 3), }",
                 order, kinds[dtype]);
        struct bytes bytes = npy_of_dict(dict);
        bytes_add(&bytes, stored, size);
        expect_values_gzipped_too(&bytes, dtype, values, size);
        bytes_finish(&bytes);
    }
}
END_TEST

START_TEST(every_type_of_idx_is_read)
{
    static const struct {
        unsigned char code;
        enum dtype dtype;
    } types[] = {{0x08, DTYPE_U1}, {0x09, DTYPE_I1}, {0x0B, DTYPE_I2},
                 {0x0C, DTYPE_I4}, {0x0D, DTYPE_F4}, {0x0E, DTYPE_F8}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const unsigned char header[] = {0, 0, types[i].code, 2, 0, 0, 0, 3, 0, 0, 0, 2};
        const size_t size = 6 * dtype_size(types[i].dtype);
        char values[48], stored[48];
        make_values(types[i].dtype, values);
        memcpy(stored, values, size);
        dtype_swap(types[i].dtype, stored, 6);
        struct bytes bytes = bytes_of(header, sizeof header);
        bytes_add(&bytes, stored, size);
        expect_values_gzipped_too(&bytes, types[i].dtype, values, size);
        bytes_finish(&bytes);
    }
}
END_TEST

START_TEST(files_that_numpy_saved_are_read)
{
    struct bytes bytes = npy_saved(NPY_SAVED_F4, sizeof NPY_SAVED_F4 - 1,
                                   "\0\0\xC0\x3F\0\0\0\xC0\0\0\x40\x40\0\0\x80\x3E", 16);
    expect_values_gzipped_too(&bytes, DTYPE_F4, (float[]){1.5f, -2, 3, 0.25f}, 16);
    bytes_finish(&bytes);
    bytes = npy_saved(NPY_SAVED_I8, sizeof NPY_SAVED_I8 - 1,
                      "\0\0\0\0\0\0\0\1\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFE", 16);
    expect_values_gzipped_too(&bytes, DTYPE_I8, (int64_t[]){1, -2}, 16);
    bytes_finish(&bytes);
}
END_TEST

/* Longer than the head, the buffer of gzip and a window of it. */
START_TEST(a_long_array_is_read_whole)
{
    enum { VALUES = 300000 };
    const unsigned char header[] = {0, 0, 8, 1, 0, VALUES >> 16, VALUES >> 8 & 0xFF, VALUES & 0xFF};
    struct bytes values = bytes_of("", 0), bytes = bytes_of(header, sizeof header);
    uint32_t state = 1;
    for (int i = 0; i < VALUES; i++) {
        const unsigned char value = next_random(&state) >> 24 & 0x3F;
        bytes_add(&values, &value, 1);
    }
    bytes_add(&bytes, values.at, values.size);
    expect_values_gzipped_too(&bytes, DTYPE_U1, values.at, values.size);
    bytes_finish(&values);
    bytes_finish(&bytes);
}
END_TEST

/* --- broken files --- */

/* The problem of reading the whole file. */
static struct problem read_whole(const struct bytes *bytes, size_t max_bytes)
{
    struct problem problem = {0};
    const int fd = file_of(bytes);
    struct array_file *file = array_file_create(fd, max_bytes, &problem);
    ck_assert(file != NULL || problem_is_set(&problem));
    if (file != NULL) {
        struct bytes all = read_pieces(file, 4096, &problem);
        ck_assert_uint_le(all.size, array_file_layout(file)->bytes);
        ck_assert(problem_is_set(&problem) || all.size == array_file_layout(file)->bytes);
        bytes_finish(&all);
    }
    array_file_destroy(file);
    close(fd);
    return problem;
}

static void expect_broken(const struct bytes *bytes, enum problem_code code, const char *detail)
{
    const struct problem problem = read_whole(bytes, MOST);
    expect_refusal(&problem, code, detail);
}

static void expect_whole(const struct bytes *bytes, size_t max_bytes)
{
    const struct problem problem = read_whole(bytes, max_bytes);
    ck_assert_msg(!problem_is_set(&problem), "%s", problem.detail);
}

/* Twelve bytes of IDX. */
static struct bytes small_file(void)
{
    return bytes_of("\0\0\x08\1\0\0\0\4abcd", 12);
}

START_TEST(less_and_more_than_the_header_promises_is_refused)
{
    struct bytes bytes = bytes_of("\0\0\x0D\2\0\0\0\3\0\0\0\2" /* 24 bytes */, 12);
    char values[24] = {0};
    bytes_add(&bytes, values, 23);
    expect_broken(&bytes, PROBLEM_TRUNCATED_DATA,
                  "The header promises 24 bytes of data, but only 23 follow.");
    bytes_add(&bytes, values, 1);
    expect_whole(&bytes, 24);
    bytes_add(&bytes, values, 1);
    expect_broken(&bytes, PROBLEM_MALFORMED_DATA,
                  "The header promises 24 bytes of data, but more follow.");
    struct bytes gzipped = bytes_gzipped(&bytes);
    expect_broken(&gzipped, PROBLEM_MALFORMED_DATA,
                  "The header promises 24 bytes of data, but more follow.");
    bytes_finish(&gzipped);
    bytes_finish(&bytes);
}
END_TEST

START_TEST(a_file_that_is_not_an_array_is_refused)
{
    static const struct {
        const char *text;
        enum problem_code code;
        const char *detail;
    } cases[] = {
        {"", PROBLEM_EMPTY_BATCH, "The file is empty."},
        {"a,b\n1,2\n", PROBLEM_UNSUPPORTED_FORMAT,
         "The file is neither IDX nor NumPy's .npy, nor one of them gzipped."},
        {"P", PROBLEM_UNSUPPORTED_FORMAT,
         "The file is neither IDX nor NumPy's .npy, nor one of them gzipped."},
        {"PK\3\4", PROBLEM_UNSUPPORTED_FORMAT,
         "The file is a ZIP archive, as .npz is; send one array, as IDX or .npy."},
        {"\x93NUMPY", PROBLEM_TRUNCATED_DATA, "The file ends within its .npy header."},
        {"\x1F\x8B", PROBLEM_TRUNCATED_DATA, "The gzipped data end too early."},
        {"\x1F\x8B\xFF", PROBLEM_MALFORMED_DATA,
         "The gzipped data are damaged (unknown compression method)."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes bytes = bytes_of(cases[i].text, strlen(cases[i].text));
        if (i == 6)
            bytes_add(&bytes, "\0\0\0\0\0\0\0", 7);
        expect_broken(&bytes, cases[i].code, cases[i].detail);
        bytes_finish(&bytes);
    }
}
END_TEST

START_TEST(a_gzipped_file_that_ends_too_early_is_truncated)
{
    struct bytes bytes = small_file(), gzipped = bytes_gzipped(&bytes);
    const size_t whole = gzipped.size;
    for (gzipped.size = 2; gzipped.size < whole; gzipped.size++)
        expect_broken(&gzipped, PROBLEM_TRUNCATED_DATA, "The gzipped data end too early.");
    expect_whole(&gzipped, MOST);
    bytes_finish(&bytes);
    bytes_finish(&gzipped);
}
END_TEST

START_TEST(a_damaged_gzipped_file_is_refused)
{
    struct bytes bytes = small_file(), gzipped = bytes_gzipped(&bytes);
    gzipped.at[gzipped.size - 8] ^= 1;
    expect_broken(&gzipped, PROBLEM_MALFORMED_DATA,
                  "The gzipped data are damaged (incorrect data check).");
    gzipped.at[gzipped.size - 8] ^= 1;
    gzipped.at[gzipped.size - 4] ^= 1;
    expect_broken(&gzipped, PROBLEM_MALFORMED_DATA,
                  "The gzipped data are damaged (incorrect length check).");
    gzipped.at[gzipped.size - 4] ^= 1;
    bytes_add(&gzipped, "x", 1);
    expect_broken(&gzipped, PROBLEM_MALFORMED_DATA,
                  "Data that are not gzipped follow the gzipped data.");
    bytes_finish(&bytes);
    bytes_finish(&gzipped);
}
END_TEST

/* As `cat a.gz b.gz` makes it. */
START_TEST(streams_of_gzip_may_follow_each_other)
{
    struct bytes bytes = small_file();
    struct bytes first = {.at = bytes.at, .size = 6}, rest = {.at = bytes.at + 6, .size = 6};
    struct bytes gzipped = bytes_gzipped(&first), more = bytes_gzipped(&rest);
    bytes_add(&gzipped, more.at, more.size);
    expect_values(&gzipped, DTYPE_U1, "abcd", 4);
    bytes_finish(&bytes);
    bytes_finish(&gzipped);
    bytes_finish(&more);
}
END_TEST

START_TEST(values_that_are_not_finite_floats_are_named_by_their_place)
{
    const double doubles[] = {1, 2, 3, 4, 5, 1e39};
    struct bytes bytes = npy_of_dict(NPY_DICT("'<f8'", "False", "(1, 2, 3)"));
    bytes_add(&bytes, doubles, sizeof doubles);
    expect_broken(&bytes, PROBLEM_NOT_FINITE,
                  "The value at [0, 1, 2] is not a number, infinite, or beyond float32.");
    bytes_finish(&bytes);
    /* The second row is beyond the first piece. */
    bytes = npy_of_dict(NPY_DICT("'>f4'", "False", "(2, 1024)"));
    float floats[2048] = {[1030] = NAN};
    dtype_swap(DTYPE_F4, floats, 2048);
    bytes_add(&bytes, floats, sizeof floats);
    expect_broken(&bytes, PROBLEM_NOT_FINITE,
                  "The value at [1, 6] is not a number, infinite, or beyond float32.");
    bytes_finish(&bytes);
}
END_TEST

START_TEST(an_array_beyond_the_limit_is_refused_by_its_header)
{
    struct bytes bytes = bytes_of("\0\0\x0E\1\0\0\0\4", 8);
    const struct problem problem = read_whole(&bytes, 31);
    expect_refusal(&problem, PROBLEM_TOO_LARGE,
                   "The header promises 32 bytes of data; the limit is 31.");
    bytes_finish(&bytes);
}
END_TEST

START_TEST(a_file_that_can_not_be_read_is_the_services_fault)
{
    struct problem problem = {0};
    ck_assert_ptr_null(array_file_create(-1, MOST, &problem));
    expect_refusal(&problem, PROBLEM_INTERNAL, "The file can't be read back.");
    array_file_destroy(NULL);
}
END_TEST

/* Far after what is promised the stream is damaged: inflating on comes upon it. */
START_TEST(a_bomb_is_not_inflated_beyond_the_promise)
{
    struct bytes bytes = small_file();
    unsigned char *zeros = calloc(1, 64 * MOST);
    bytes_add(&bytes, zeros, 64 * MOST);
    struct bytes gzipped = bytes_gzipped(&bytes);
    ck_assert_uint_lt(gzipped.size, 70000);
    memset(gzipped.at + gzipped.size / 2, 0xFF, 64);
    expect_broken(&gzipped, PROBLEM_MALFORMED_DATA,
                  "The header promises 4 bytes of data, but more follow.");
    free(zeros);
    bytes_finish(&bytes);
    bytes_finish(&gzipped);
}
END_TEST

static size_t memory_in_use(void)
{
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

/* Sanitizers have an allocator of their own, which does not count so. */
START_TEST(what_a_header_promises_takes_no_memory)
{
    struct bytes bytes = npy_of_dict(NPY_DICT("'<f8'", "False", "(1000000, 1000000)"));
    bytes_add(&bytes, "12345678", 8);
    struct bytes gzipped = bytes_gzipped(&bytes);
    const int fd = file_of(&gzipped);
    const size_t before = memory_in_use();
    struct problem problem = {0};
    struct array_file *file = array_file_create(fd, SIZE_MAX, &problem);
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(array_file_layout(file)->bytes, 8000000000000);
    double values[512];
    size_t size = 99;
    ck_assert(!array_file_read(file, values, sizeof values, &size, &problem));
    ck_assert_uint_eq(size, 99);
    ck_assert_uint_le(memory_in_use() - before, 200 * 1024);
    expect_refusal(&problem, PROBLEM_TRUNCATED_DATA,
                   "The header promises 8000000000000 bytes of data, but only 8 follow.");
    array_file_destroy(file);
    close(fd);
    bytes_finish(&bytes);
    bytes_finish(&gzipped);
}
END_TEST

static bool mutant_is_read(const struct bytes *mutant, unsigned long round)
{
    (void)round;
    const struct problem problem = read_whole(mutant, MOST);
    ck_assert(utf8_is_valid(problem.detail, strlen(problem.detail)));
    ck_assert_uint_ne(problem.code, PROBLEM_INTERNAL);
    return !problem_is_set(&problem);
}

START_TEST(no_mutant_of_a_file_does_harm)
{
    struct bytes files[3];
    files[0] = npy_of_dict(NPY_DICT("'>f4'", "False", "(2, 3)"));
    bytes_add(&files[0], (float[6]){0}, 24);
    files[1] = bytes_of("\0\0\x0E\2\0\0\0\1\0\0\0\3", 12);
    bytes_add(&files[1], (double[3]){0}, 24);
    files[2] = npy_saved(NPY_SAVED_F4, sizeof NPY_SAVED_F4 - 1, "0123456789ABCDEF", 16);
    mutate_files(files, 20, mutant_is_read);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("array_file");
    TCase *files = tcase_create("files");
    tcase_add_test(files, every_type_of_npy_is_read_in_either_order);
    tcase_add_test(files, every_type_of_idx_is_read);
    tcase_add_test(files, files_that_numpy_saved_are_read);
    tcase_add_test(files, a_long_array_is_read_whole);
    tcase_add_test(files, less_and_more_than_the_header_promises_is_refused);
    tcase_add_test(files, a_file_that_is_not_an_array_is_refused);
    tcase_add_test(files, a_gzipped_file_that_ends_too_early_is_truncated);
    tcase_add_test(files, a_damaged_gzipped_file_is_refused);
    tcase_add_test(files, streams_of_gzip_may_follow_each_other);
    tcase_add_test(files, values_that_are_not_finite_floats_are_named_by_their_place);
    tcase_add_test(files, an_array_beyond_the_limit_is_refused_by_its_header);
    tcase_add_test(files, a_file_that_can_not_be_read_is_the_services_fault);
    tcase_add_test(files, a_bomb_is_not_inflated_beyond_the_promise);
    tcase_add_test(files, what_a_header_promises_takes_no_memory);
    suite_add_tcase(suite, files);
    TCase *mutation = tcase_create("mutation");
    tcase_set_timeout(mutation, 3600);
    tcase_add_test(mutation, no_mutant_of_a_file_does_harm);
    suite_add_tcase(suite, mutation);
    return suite_run(suite);
}
