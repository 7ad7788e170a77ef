/* Arrays in files: IDX and .npy, gzipped or not, whole, broken and hostile. */
#include <check.h>
#include <float.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/utf8.h"
#include "server/files/array_file.h"
#include "server/files/idx.h"
#include "server/files/npy.h"
#include "tests/support/files.h"
#include "tests/support/suite.h"

enum { MOST = 1024 * 1024 };

static void expect_problem(const struct problem *problem, enum problem_code code,
                           const char *detail)
{
    ck_assert_str_eq(problem_name(problem->code), problem_name(code));
    ck_assert_str_eq(problem->detail, detail);
}

/* --- types --- */

START_TEST(types_have_sizes_and_numpys_names)
{
    static const struct {
        const char *name;
        size_t size;
    } expected[DTYPES] = {{"uint8", 1}, {"int8", 1},    {"int16", 2},  {"int32", 4},
                          {"int64", 8}, {"float32", 4}, {"float64", 8}};
    enum dtype found = DTYPE_U1;
    for (unsigned i = 0; i < DTYPES; i++) {
        ck_assert_str_eq(dtype_name((enum dtype)i), expected[i].name);
        ck_assert_uint_eq(dtype_size((enum dtype)i), expected[i].size);
        ck_assert(dtype_find(expected[i].name, &found) && found == i);
    }
    ck_assert(!dtype_find("uint16", &found) && !dtype_find("", &found));
    ck_assert_int_eq(found, DTYPE_F8);
}
END_TEST

START_TEST(bytes_are_swapped_within_each_value)
{
    static const char *const expected[DTYPES] = {
        [DTYPE_U1] = "01234567", [DTYPE_I1] = "01234567", [DTYPE_I2] = "10325476",
        [DTYPE_I4] = "32107654", [DTYPE_I8] = "76543210", [DTYPE_F4] = "32107654",
        [DTYPE_F8] = "76543210",
    };
    for (unsigned i = 0; i < DTYPES; i++) {
        char bytes[] = "-01234567-";
        dtype_swap((enum dtype)i, bytes + 1, 8 / dtype_size((enum dtype)i));
        ck_assert_mem_eq(bytes + 1, expected[i], 8);
        ck_assert(bytes[0] == '-' && bytes[9] == '-');
    }
}
END_TEST

/* Converts from an odd address; returns how many values were converted. */
static size_t to_float(enum dtype dtype, const void *values, size_t count, float *out)
{
    char bytes[128];
    memcpy(bytes + 1, values, count * dtype_size(dtype));
    return dtype_to_float(dtype, bytes + 1, count, out);
}

START_TEST(values_become_the_nearest_floats)
{
    float out[3];
    ck_assert_uint_eq(to_float(DTYPE_U1, (uint8_t[]){0, 255, 7}, 3, out), 3);
    ck_assert(out[0] == 0 && out[1] == 255 && out[2] == 7);
    ck_assert_uint_eq(to_float(DTYPE_I1, (int8_t[]){-128, 127}, 2, out), 2);
    ck_assert(out[0] == -128 && out[1] == 127);
    ck_assert_uint_eq(to_float(DTYPE_I2, (int16_t[]){-32768, 258}, 2, out), 2);
    ck_assert(out[0] == -32768 && out[1] == 258);
    ck_assert_uint_eq(to_float(DTYPE_I4, (int32_t[]){16777217, INT32_MIN}, 2, out), 2);
    ck_assert(out[0] == 16777216 && out[1] == -0x1p31f);
    /* The first would be another by way of a double. */
    const int64_t wide[] = {(INT64_C(1) << 60) + (INT64_C(1) << 36) + 1, INT64_MAX, -3};
    ck_assert_uint_eq(to_float(DTYPE_I8, wide, 3, out), 3);
    ck_assert(out[0] == 0x1p60f + 0x1p37f && out[1] == 0x1p63f && out[2] == -3);
    ck_assert_uint_eq(to_float(DTYPE_F4, (float[]){FLT_MAX, -0.1f}, 2, out), 2);
    ck_assert(out[0] == FLT_MAX && out[1] == -0.1f);
    ck_assert_uint_eq(to_float(DTYPE_F8, (double[]){0.1, 3.40282350e38, 1e-60}, 3, out), 3);
    ck_assert(out[0] == 0.1f && out[1] == FLT_MAX && out[2] == 0);
}
END_TEST

START_TEST(the_first_value_that_is_no_finite_float_is_named)
{
    float out[3] = {0, 9, 9};
    ck_assert_uint_eq(to_float(DTYPE_F4, (float[]){1, NAN, 2}, 3, out), 1);
    ck_assert(out[0] == 1 && out[1] == 9 && out[2] == 9);
    ck_assert_uint_eq(to_float(DTYPE_F4, (float[]){-INFINITY}, 1, out), 0);
    ck_assert_uint_eq(to_float(DTYPE_F8, (double[]){1, 2, 1e39}, 3, out), 2);
    ck_assert_uint_eq(dtype_find_not_finite(DTYPE_F8, (double[]){1, -1e39, NAN}, 3), 1);
    ck_assert_uint_eq(dtype_find_not_finite(DTYPE_F4, (float[]){1, 2, INFINITY}, 3), 2);
    ck_assert_uint_eq(dtype_find_not_finite(DTYPE_F4, (float[]){FLT_MAX, -1}, 2), 2);
    ck_assert_uint_eq(dtype_find_not_finite(DTYPE_I8, (int64_t[]){INT64_MAX}, 1), 1);
}
END_TEST

START_TEST(whole_numbers_become_labels)
{
    int32_t out[3] = {0, 9, 9};
    ck_assert_uint_eq(dtype_to_label(DTYPE_U1, (uint8_t[]){255, 0}, 2, out), 2);
    ck_assert(out[0] == 255 && out[1] == 0);
    ck_assert_uint_eq(dtype_to_label(DTYPE_I8, (int64_t[]){INT32_MAX, 4}, 2, out), 2);
    ck_assert(out[0] == INT32_MAX && out[1] == 4);
    ck_assert_uint_eq(dtype_to_label(DTYPE_F8, (double[]){3.0, -0.0, INT32_MAX}, 3, out), 3);
    ck_assert(out[0] == 3 && out[1] == 0 && out[2] == INT32_MAX);
    ck_assert_uint_eq(dtype_to_label(DTYPE_F4, (float[]){2, 2.5f}, 2, out), 1);
    ck_assert(out[0] == 2 && out[1] == 0);
    ck_assert_uint_eq(dtype_to_label(DTYPE_I1, (int8_t[]){1, -1}, 2, out), 1);
    ck_assert_uint_eq(dtype_to_label(DTYPE_I2, (int16_t[]){-1}, 1, out), 0);
    ck_assert_uint_eq(dtype_to_label(DTYPE_I4, (int32_t[]){0, 1, INT32_MIN}, 3, out), 2);
    ck_assert_uint_eq(dtype_to_label(DTYPE_I8, (int64_t[]){INT32_MAX + INT64_C(1)}, 1, out), 0);
    ck_assert_uint_eq(dtype_to_label(DTYPE_F8, (double[]){0x1p31}, 1, out), 0);
    ck_assert_uint_eq(dtype_to_label(DTYPE_F8, (double[]){NAN}, 1, out), 0);
}
END_TEST

/* --- headers --- */

/* A .npy of version 1.0 with this dict. */
static struct bytes npy_of(const char *dict)
{
    const size_t size = strlen(dict);
    const unsigned char prefix[] = {0x93,
                                    'N',
                                    'U',
                                    'M',
                                    'P',
                                    'Y',
                                    1,
                                    0,
                                    (unsigned char)(size & 0xFF),
                                    (unsigned char)(size >> 8)};
    struct bytes bytes = bytes_of(prefix, sizeof prefix);
    bytes_add(&bytes, dict, size);
    return bytes;
}

START_TEST(a_header_of_npy_is_read_however_it_is_spelt)
{
    static const struct {
        const char *dict;
        enum dtype dtype;
        bool is_big_endian;
        unsigned rank;
        size_t count, features;
    } cases[] = {
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }  \n", DTYPE_F4, false, 2, 3,
         4},
        {"{'descr': '>f8', 'fortran_order': False, 'shape': (3, 4, 5), }", DTYPE_F8, true, 3, 3,
         20},
        {"{\"shape\":(7,),\"fortran_order\":True,\"descr\":\"=i4\"}", DTYPE_I4, false, 1, 7, 1},
        {" {\n'shape' :( 2,3 , ) , 'descr'\t: '|u1' ,'fortran_order':False}", DTYPE_U1, false, 2, 2,
         3},
        {"{'descr': '|b1', 'fortran_order': False, 'shape': (1,)}", DTYPE_U1, false, 1, 1, 1},
        {"{'descr': '>i1', 'fortran_order': False, 'shape': (1,)}", DTYPE_I1, false, 1, 1, 1},
        {"{'descr': '>i2', 'fortran_order': False, 'shape': (5L, 6L)}", DTYPE_I2, true, 2, 5, 6},
        {"{'descr': '<i8', 'fortran_order': False, 'shape': (1,2,1,2,1,2,1,2)}", DTYPE_I8, false, 8,
         1, 16},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct problem problem = {0};
        struct array_layout layout;
        size_t header_size = 0;
        struct bytes bytes = npy_of(cases[i].dict);
        ck_assert_msg(npy_header_read(bytes.at, bytes.size, &layout, &header_size, &problem),
                      "%s: %s", cases[i].dict, problem.detail);
        ck_assert_uint_eq(header_size, bytes.size);
        ck_assert_int_eq(layout.dtype, cases[i].dtype);
        ck_assert_int_eq(layout.is_big_endian, cases[i].is_big_endian);
        ck_assert_uint_eq(layout.rank, cases[i].rank);
        ck_assert_uint_eq(layout.count, cases[i].count);
        ck_assert_uint_eq(layout.features, cases[i].features);
        ck_assert_uint_eq(layout.bytes, layout.count * layout.features * dtype_size(layout.dtype));
        bytes_finish(&bytes);
    }
}
END_TEST

/* The header is refused, and nothing written. */
static void expect_npy_refused(const struct bytes *bytes, enum problem_code code,
                               const char *detail)
{
    struct problem problem = {0};
    struct array_layout layout = {.rank = 99};
    size_t header_size = 99;
    ck_assert(!npy_header_read(bytes->at, bytes->size, &layout, &header_size, &problem));
    expect_problem(&problem, code, detail);
    ck_assert(layout.rank == 99 && header_size == 99);
}

#define DICT(descr, order, shape)                                                                  \
    "{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape "}"
#define TAKEN "; the accepted types are uint8, int8, int16, int32, int64, float32 and float64."

START_TEST(types_and_orders_of_npy_that_are_not_taken_are_named)
{
    static const struct {
        const char *dict, *detail;
    } cases[] = {
        {DICT("'|O'", "False", "(3,)"), "The array's type is \"|O\" (Python objects)" TAKEN},
        {DICT("'<U5'", "False", "(3,)"), "The array's type is \"<U5\" (texts)" TAKEN},
        {DICT("'|S3'", "False", "(3,)"), "The array's type is \"|S3\" (texts)" TAKEN},
        {DICT("'|V8'", "False", "(3,)"), "The array's type is \"|V8\" (structures)" TAKEN},
        {DICT("'<c8'", "False", "(3,)"), "The array's type is \"<c8\" (complex numbers)" TAKEN},
        {DICT("'<M8[ns]'", "False", "(3,)"), "The array's type is \"<M8[ns]\" (times)" TAKEN},
        {DICT("'<f2'", "False", "(3,)"), "The array's type is \"<f2\"" TAKEN},
        {DICT("'<f16'", "False", "(3,)"), "The array's type is \"<f16\"" TAKEN},
        {DICT("'<u2'", "False", "(3,)"), "The array's type is \"<u2\"" TAKEN},
        {DICT("'<u8'", "False", "(3,)"), "The array's type is \"<u8\"" TAKEN},
        {DICT("''", "False", "(3,)"), "The array's type is \"\"" TAKEN},
        {DICT("[('a', '<f4')]", "False", "(3,)"), "The array's type is structured" TAKEN},
        {DICT("'<f4'", "True", "(3, 4)"),
         "The array is in Fortran's order; numpy.ascontiguousarray() gives it in C's."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes bytes = npy_of(cases[i].dict);
        expect_npy_refused(&bytes, PROBLEM_UNSUPPORTED_FORMAT, cases[i].detail);
        bytes_finish(&bytes);
    }
}
END_TEST

START_TEST(a_header_of_npy_that_is_no_such_dict_is_malformed)
{
    static const struct {
        const char *dict, *what;
    } cases[] = {
        {"", "it is not a dict"},
        {"[]", "it is not a dict"},
        {"{descr: '<f4'}", "it is not a dict"},
        {"{'descr'; '<f4'}", "it is not a dict"},
        {"{'descr': '<f4'", "a comma is missing"},
        {"{'descr': '<f4' 'shape': (3,)}", "a comma is missing"},
        {"{'descr': '<f4',", "it is not a dict"},
        {"{'descr': '<f4', 'shape': (3,)}", "\"descr\", \"fortran_order\" or \"shape\" is missing"},
        {"{}", "\"descr\", \"fortran_order\" or \"shape\" is missing"},
        {"{'descr': '<f4', 'descr': '<f4'}", "\"descr\" appears twice"},
        {"{'shape': (3,), 'shape': (3,)}", "\"shape\" appears twice"},
        {"{'fortran_order': False, 'fortran_order': False}", "\"fortran_order\" appears twice"},
        {"{'order': 1}", "it has a key other than \"descr\", \"fortran_order\" and \"shape\""},
        {"{'descr': 4}", "\"descr\" is not a type"},
        {"{'descr': '<f4}", "\"descr\" is not a type"},
        {"{'descr': '<f4\"}", "\"descr\" is not a type"},
        {"{'descr': '<f\\x34'}", "\"descr\" is not a type"},
        {"{'descr': '\xFF'}", "\"descr\" is not a type"},
        {"{'descr': 'a name that is longer than any type is'}", "\"descr\" is not a type"},
        {"{'fortran_order': 0}", "\"fortran_order\" is neither True nor False"},
        {"{'shape': 3}", "\"shape\" is not a tuple"},
        {"{'shape': [3]}", "\"shape\" is not a tuple"},
        {"{'shape': (3)}", "\"shape\" is a number, not a tuple"},
        {"{'shape': (-3,)}", "\"shape\" is not a tuple of whole numbers"},
        {"{'shape': (3.0,)}", "a comma is missing in \"shape\""},
        {"{'shape': (3 4)}", "a comma is missing in \"shape\""},
        {"{'shape': (,)}", "\"shape\" is not a tuple of whole numbers"},
        {"{'shape': (3,", "\"shape\" is not a tuple of whole numbers"},
        {DICT("'<f4'", "False", "(3,)") " x", "something follows its dict"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char detail[PROBLEM_DETAIL];
        struct bytes bytes = npy_of(cases[i].dict);
        snprintf(detail, sizeof detail, "The .npy header can't be read: %s.", cases[i].what);
        expect_npy_refused(&bytes, PROBLEM_MALFORMED_DATA, detail);
        bytes_finish(&bytes);
    }
}
END_TEST

START_TEST(shapes_of_npy_that_can_not_be_are_refused)
{
    static const struct {
        const char *shape;
        enum problem_code code;
        const char *detail;
    } cases[] = {
        {"()", PROBLEM_WRONG_SHAPE, "The array has 0 dimensions; it must have 1 to 8."},
        {"(1,1,1,1,1,1,1,1,1)", PROBLEM_WRONG_SHAPE,
         "The array has 9 dimensions; it must have 1 to 8."},
        {"(0,)", PROBLEM_EMPTY_BATCH, "An array of the shape (0,) holds no values."},
        {"(5, 0)", PROBLEM_EMPTY_BATCH, "An array of the shape (5, 0) holds no values."},
        {"(4294967296, 4294967296)", PROBLEM_TOO_LARGE,
         "An array of the shape (4294967296, 4294967296) is larger than any memory."},
        {"(2, 1152921504606846976)", PROBLEM_TOO_LARGE,
         "An array of the shape (2, 1152921504606846976) is larger than any memory."},
        {"(18446744073709551616,)", PROBLEM_TOO_LARGE,
         "A dimension of the array is larger than any memory."},
        {"(99999999999999999999999999999999999999, 0)", PROBLEM_TOO_LARGE,
         "A dimension of the array is larger than any memory."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char dict[256];
        snprintf(dict, sizeof dict, "{'descr': '<f4', 'fortran_order': False, 'shape': %s}",
                 cases[i].shape);
        struct bytes bytes = npy_of(dict);
        expect_npy_refused(&bytes, cases[i].code, cases[i].detail);
        bytes_finish(&bytes);
    }
}
END_TEST

START_TEST(versions_and_lengths_of_npy_are_held_against_the_file)
{
    struct bytes bytes = npy_of(DICT("'<f4'", "False", "(3,)"));
    const size_t whole = bytes.size;
    for (bytes.size = 6; bytes.size < whole; bytes.size++)
        expect_npy_refused(&bytes, PROBLEM_TRUNCATED_DATA, "The file ends within its .npy header.");
    bytes.at[6] = 4;
    expect_npy_refused(
        &bytes, PROBLEM_UNSUPPORTED_FORMAT,
        "The file is .npy of version 4.0; the accepted versions are 1.0, 2.0 and 3.0.");
    bytes.at[6] = 1;
    bytes.at[7] = 1;
    expect_npy_refused(
        &bytes, PROBLEM_UNSUPPORTED_FORMAT,
        "The file is .npy of version 1.1; the accepted versions are 1.0, 2.0 and 3.0.");
    bytes.at[6] = 2;
    bytes.at[7] = 0;
    memset(bytes.at + 8, 0xFF, 4);
    expect_npy_refused(&bytes, PROBLEM_MALFORMED_DATA,
                       "The .npy header claims a text of 4294967295 bytes; the limit "
                       "is 16372.");
    bytes.at[0] = 'x';
    expect_npy_refused(&bytes, PROBLEM_MALFORMED_DATA,
                       "The data should be .npy, but do not begin like it.");
    bytes_finish(&bytes);
}
END_TEST

/* As numpy.save() of NumPy 1.24 writes them, but that the padding is cut out. */
static const char saved_f4[] = "\x93NUMPY\x01\x00\x76\x00"
                               "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }";
static const char saved_i8_2[] = "\x93NUMPY\x02\x00\x74\x00\x00\x00"
                                 "{'descr': '>i8', 'fortran_order': False, 'shape': (2,), }";

static struct bytes saved(const char *header, size_t size, const void *values, size_t values_size)
{
    char padded[128];
    memset(padded, ' ', sizeof padded);
    memcpy(padded, header, size);
    padded[sizeof padded - 1] = '\n';
    struct bytes bytes = bytes_of(padded, sizeof padded);
    bytes_add(&bytes, values, values_size);
    return bytes;
}

START_TEST(headers_of_npy_are_written_as_numpy_writes_them)
{
    char out[NPY_HEADER_WRITTEN];
    ck_assert_uint_eq(npy_header_write(DTYPE_F4, 2, (size_t[]){2, 2}, out), 128);
    struct bytes bytes = saved(saved_f4, sizeof saved_f4 - 1, "", 0);
    ck_assert_mem_eq(out, bytes.at, 128);
    bytes_finish(&bytes);
}
END_TEST

START_TEST(headers_that_are_written_can_be_read)
{
    static const size_t longest[ARRAY_RANK] = {1, 1, 1, 1, 1, 1, 1, 1234567890123456789};
    static const size_t some[ARRAY_RANK] = {2, 3, 1, 2, 1, 1, 1, 2};
    for (unsigned i = 0; i < DTYPES * ARRAY_RANK; i++) {
        const enum dtype dtype = (enum dtype)(i % DTYPES);
        const unsigned rank = i / DTYPES + 1;
        const size_t *shape = rank == ARRAY_RANK && dtype_size(dtype) == 1 ? longest : some;
        struct problem problem = {0};
        struct array_layout layout;
        char out[NPY_HEADER_WRITTEN];
        size_t header_size;
        const size_t size = npy_header_write(dtype, rank, shape, out);
        ck_assert_uint_eq(size % 64, 0);
        ck_assert_int_eq(out[size - 1], '\n');
        ck_assert_msg(npy_header_read(out, size, &layout, &header_size, &problem), "%s",
                      problem.detail);
        ck_assert_uint_eq(header_size, size);
        ck_assert(layout.dtype == dtype && layout.rank == rank && !layout.is_big_endian);
        ck_assert_mem_eq(layout.shape, shape, rank * sizeof *shape);
    }
}
END_TEST

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
        expect_problem(&problem, cases[i].code, cases[i].detail);
        ck_assert(layout.rank == 99 && header_size == 99);
    }
}
END_TEST

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
        struct bytes bytes = npy_of(dict);
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
    struct bytes bytes =
        saved(saved_f4, sizeof saved_f4 - 1, "\0\0\xC0\x3F\0\0\0\xC0\0\0\x40\x40\0\0\x80\x3E", 16);
    expect_values_gzipped_too(&bytes, DTYPE_F4, (float[]){1.5f, -2, 3, 0.25f}, 16);
    bytes_finish(&bytes);
    bytes = saved(saved_i8_2, sizeof saved_i8_2 - 1,
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
    expect_problem(&problem, code, detail);
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

START_TEST(what_is_no_array_is_refused)
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

START_TEST(values_that_are_no_finite_floats_are_named_by_their_place)
{
    const double doubles[] = {1, 2, 3, 4, 5, 1e39};
    struct bytes bytes = npy_of(DICT("'<f8'", "False", "(1, 2, 3)"));
    bytes_add(&bytes, doubles, sizeof doubles);
    expect_broken(&bytes, PROBLEM_NOT_FINITE,
                  "The value at [0, 1, 2] is not a number, infinite, or beyond float32.");
    bytes_finish(&bytes);
    /* The second row is beyond the first piece. */
    bytes = npy_of(DICT("'>f4'", "False", "(2, 1024)"));
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
    expect_problem(&problem, PROBLEM_TOO_LARGE,
                   "The header promises 32 bytes of data; the limit is 31.");
    bytes_finish(&bytes);
}
END_TEST

START_TEST(a_file_that_can_not_be_read_is_the_services_fault)
{
    struct problem problem = {0};
    ck_assert_ptr_null(array_file_create(-1, MOST, &problem));
    expect_problem(&problem, PROBLEM_INTERNAL, "The file can't be read back.");
    array_file_destroy(NULL);
}
END_TEST

/* Far behind what is promised the stream is damaged: who inflates on comes upon it. */
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
    struct bytes bytes = npy_of(DICT("'<f8'", "False", "(1000000, 1000000)"));
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
    expect_problem(&problem, PROBLEM_TRUNCATED_DATA,
                   "The header promises 8000000000000 bytes of data, but only 8 follow.");
    array_file_destroy(file);
    close(fd);
    bytes_finish(&bytes);
    bytes_finish(&gzipped);
}
END_TEST

START_TEST(no_mutant_of_a_file_does_harm)
{
    struct bytes files[6];
    files[0] = npy_of(DICT("'>f4'", "False", "(2, 3)"));
    bytes_add(&files[0], (float[6]){0}, 24);
    files[1] = bytes_of("\0\0\x0E\2\0\0\0\1\0\0\0\3", 12);
    bytes_add(&files[1], (double[3]){0}, 24);
    files[2] = saved(saved_f4, sizeof saved_f4 - 1, "0123456789ABCDEF", 16);
    for (int i = 0; i < 3; i++)
        files[3 + i] = bytes_gzipped(&files[i]);
    uint32_t state = 20;
    unsigned long whole = 0, total = suite_rounds(6000);
    for (unsigned long i = 0; i < total; i++) {
        struct bytes mutant = bytes_mutated(&files[i % 6], &state);
        const struct problem problem = read_whole(&mutant, MOST);
        ck_assert(utf8_is_valid(problem.detail, strlen(problem.detail)));
        ck_assert_uint_ne(problem.code, PROBLEM_INTERNAL);
        whole += !problem_is_set(&problem);
        bytes_finish(&mutant);
    }
    ck_assert_uint_gt(whole, total / 100);
    ck_assert_uint_lt(whole, total / 2);
    for (int i = 0; i < 6; i++)
        bytes_finish(&files[i]);
}
END_TEST

int main(void)
{
    TCase *types = tcase_create("types");
    tcase_add_test(types, types_have_sizes_and_numpys_names);
    tcase_add_test(types, bytes_are_swapped_within_each_value);
    tcase_add_test(types, values_become_the_nearest_floats);
    tcase_add_test(types, the_first_value_that_is_no_finite_float_is_named);
    tcase_add_test(types, whole_numbers_become_labels);
    TCase *headers = tcase_create("headers");
    tcase_add_test(headers, a_header_of_npy_is_read_however_it_is_spelt);
    tcase_add_test(headers, types_and_orders_of_npy_that_are_not_taken_are_named);
    tcase_add_test(headers, a_header_of_npy_that_is_no_such_dict_is_malformed);
    tcase_add_test(headers, shapes_of_npy_that_can_not_be_are_refused);
    tcase_add_test(headers, versions_and_lengths_of_npy_are_held_against_the_file);
    tcase_add_test(headers, headers_of_npy_are_written_as_numpy_writes_them);
    tcase_add_test(headers, headers_that_are_written_can_be_read);
    tcase_add_test(headers, a_header_of_idx_is_read);
    tcase_add_test(headers, wrong_headers_of_idx_are_refused);
    TCase *files = tcase_create("files");
    tcase_add_test(files, every_type_of_npy_is_read_in_either_order);
    tcase_add_test(files, every_type_of_idx_is_read);
    tcase_add_test(files, files_that_numpy_saved_are_read);
    tcase_add_test(files, a_long_array_is_read_whole);
    tcase_add_test(files, less_and_more_than_the_header_promises_is_refused);
    tcase_add_test(files, what_is_no_array_is_refused);
    tcase_add_test(files, a_gzipped_file_that_ends_too_early_is_truncated);
    tcase_add_test(files, a_damaged_gzipped_file_is_refused);
    tcase_add_test(files, streams_of_gzip_may_follow_each_other);
    tcase_add_test(files, values_that_are_no_finite_floats_are_named_by_their_place);
    tcase_add_test(files, an_array_beyond_the_limit_is_refused_by_its_header);
    tcase_add_test(files, a_file_that_can_not_be_read_is_the_services_fault);
    tcase_add_test(files, a_bomb_is_not_inflated_beyond_the_promise);
    tcase_add_test(files, what_a_header_promises_takes_no_memory);
    TCase *mutation = tcase_create("mutation");
    tcase_set_timeout(mutation, 3600);
    tcase_add_test(mutation, no_mutant_of_a_file_does_harm);
    Suite *suite = suite_create("array_files");
    suite_add_tcase(suite, types);
    suite_add_tcase(suite, headers);
    suite_add_tcase(suite, files);
    suite_add_tcase(suite, mutation);
    return suite_run(suite);
}
