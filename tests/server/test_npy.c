/* The header of .npy, read and written. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "server/base/dtype.h"
#include "server/files/npy.h"
#include "tests/support/arrays.h"
#include "tests/support/files.h"
#include "tests/support/problems.h"
#include "tests/support/suite.h"

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
        struct bytes bytes = npy_of_dict(cases[i].dict);
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
    expect_refusal(&problem, code, detail);
    ck_assert(layout.rank == 99 && header_size == 99);
}

#define TAKEN "; the accepted types are uint8, int8, int16, int32, int64, float32 and float64."

START_TEST(types_and_orders_of_npy_that_are_not_taken_are_named)
{
    static const struct {
        const char *dict, *detail;
    } cases[] = {
        {NPY_DICT("'|O'", "False", "(3,)"), "The array's type is \"|O\" (Python objects)" TAKEN},
        {NPY_DICT("'<U5'", "False", "(3,)"), "The array's type is \"<U5\" (texts)" TAKEN},
        {NPY_DICT("'|S3'", "False", "(3,)"), "The array's type is \"|S3\" (texts)" TAKEN},
        {NPY_DICT("'|V8'", "False", "(3,)"), "The array's type is \"|V8\" (structures)" TAKEN},
        {NPY_DICT("'<c8'", "False", "(3,)"), "The array's type is \"<c8\" (complex numbers)" TAKEN},
        {NPY_DICT("'<M8[ns]'", "False", "(3,)"), "The array's type is \"<M8[ns]\" (times)" TAKEN},
        {NPY_DICT("'<f2'", "False", "(3,)"), "The array's type is \"<f2\"" TAKEN},
        {NPY_DICT("'<f16'", "False", "(3,)"), "The array's type is \"<f16\"" TAKEN},
        {NPY_DICT("'<u2'", "False", "(3,)"), "The array's type is \"<u2\"" TAKEN},
        {NPY_DICT("'<u8'", "False", "(3,)"), "The array's type is \"<u8\"" TAKEN},
        {NPY_DICT("''", "False", "(3,)"), "The array's type is \"\"" TAKEN},
        {NPY_DICT("[('a', '<f4')]", "False", "(3,)"), "The array's type is structured" TAKEN},
        {NPY_DICT("'<f4'", "True", "(3, 4)"),
         "The array is in Fortran's order; numpy.ascontiguousarray() gives it in C's."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes bytes = npy_of_dict(cases[i].dict);
        expect_npy_refused(&bytes, PROBLEM_UNSUPPORTED_FORMAT, cases[i].detail);
        bytes_finish(&bytes);
    }
}
END_TEST

START_TEST(a_header_of_npy_with_another_dict_is_malformed)
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
        {NPY_DICT("'<f4'", "False", "(3,)") " x", "something follows its dict"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char detail[PROBLEM_DETAIL];
        struct bytes bytes = npy_of_dict(cases[i].dict);
        snprintf(detail, sizeof detail, "The .npy header can't be read: %s.", cases[i].what);
        expect_npy_refused(&bytes, PROBLEM_MALFORMED_DATA, detail);
        bytes_finish(&bytes);
    }
}
END_TEST

START_TEST(impossible_shapes_of_npy_are_refused)
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
        struct bytes bytes = npy_of_dict(dict);
        expect_npy_refused(&bytes, cases[i].code, cases[i].detail);
        bytes_finish(&bytes);
    }
}
END_TEST

START_TEST(versions_and_lengths_of_npy_are_held_against_the_file)
{
    struct bytes bytes = npy_of_dict(NPY_DICT("'<f4'", "False", "(3,)"));
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
    expect_npy_refused(&bytes, PROBLEM_MALFORMED_DATA, "The data do not begin like .npy.");
    bytes_finish(&bytes);
}
END_TEST

START_TEST(headers_of_npy_are_written_as_numpy_writes_them)
{
    char out[NPY_HEADER_WRITTEN];
    ck_assert_uint_eq(npy_header_write(DTYPE_F4, 2, (size_t[]){2, 2}, out), 128);
    struct bytes bytes = npy_saved(NPY_SAVED_F4, sizeof NPY_SAVED_F4 - 1, "", 0);
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

int main(void)
{
    Suite *suite = suite_create("npy");
    TCase *headers = tcase_create("headers");
    tcase_add_test(headers, a_header_of_npy_is_read_however_it_is_spelt);
    tcase_add_test(headers, types_and_orders_of_npy_that_are_not_taken_are_named);
    tcase_add_test(headers, a_header_of_npy_with_another_dict_is_malformed);
    tcase_add_test(headers, impossible_shapes_of_npy_are_refused);
    tcase_add_test(headers, versions_and_lengths_of_npy_are_held_against_the_file);
    tcase_add_test(headers, headers_of_npy_are_written_as_numpy_writes_them);
    tcase_add_test(headers, headers_that_are_written_can_be_read);
    suite_add_tcase(suite, headers);
    return suite_run(suite);
}
