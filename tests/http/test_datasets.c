/* Datasets, over HTTP: arrays and tables are put, shown, listed and deleted; what is no such file
 * is refused and leaves nothing behind. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/arrays.h"
#include "tests/support/client.h"
#include "tests/support/datasets.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/suite.h"

/* --- what is put is shown --- */

static void expect_array(const json_t *array, const char *dtype, size_t count, size_t features,
                         const struct bytes *values)
{
    char sha256[65];
    sha256_of(values->at, values->size, sha256);
    ck_assert_str_eq(member_string(array, "dtype"), dtype);
    const json_t *shape = json_object_get(array, "shape");
    ck_assert_uint_eq(json_array_size(shape), 2);
    ck_assert_int_eq(json_integer_value(json_array_get(shape, 0)), (json_int_t)count);
    ck_assert_int_eq(json_integer_value(json_array_get(shape, 1)), (json_int_t)features);
    ck_assert_int_eq(member_integer(array, "bytes"), (json_int_t)values->size);
    ck_assert_str_eq(member_string(array, "sha256"), sha256);
}

/* The sum of both arrays' sums. */
static void expect_sum(const json_t *dataset)
{
    char sums[129], sha256[65];
    snprintf(sums, sizeof sums, "%s%s", member_string(json_object_get(dataset, "x"), "sha256"),
             member_string(json_object_get(dataset, "label"), "sha256"));
    sha256_of(sums, strlen(sums), sha256);
    ck_assert_str_eq(member_string(dataset, "sha256"), sha256);
}

static const struct {
    const char *type, *kept, *dtype;
} types[] = {
    {"|u1", "|u1", "uint8"},   {"|i1", "|i1", "int8"},    {"<i2", "<i2", "int16"},
    {">i2", "<i2", "int16"},   {"<i4", "<i4", "int32"},   {">i4", "<i4", "int32"},
    {"<i8", "<i8", "int64"},   {">i8", "<i8", "int64"},   {"<f4", "<f4", "float32"},
    {">f4", "<f4", "float32"}, {"<f8", "<f8", "float64"}, {">f8", "<f8", "float64"},
};

START_TEST(arrays_of_every_type_are_kept_as_they_are)
{
    static const double numbers[] = {1, 2, 3, 4, 100, 127}, classes[] = {0, 4};
    const char *type = types[_i].type;
    json_t *dataset =
        put_file(&server, "/datasets/a/x", npy_of_numbers(type, "(2, 3)", numbers, 6));
    struct bytes values = values_of(types[_i].kept, numbers, 6);
    struct bytes labels = values_of(types[_i].kept, classes, 2);
    ck_assert_str_eq(member_string(dataset, "id"), "a");
    ck_assert_int_eq(member_integer(dataset, "count"), 2);
    ck_assert_int_eq(member_integer(dataset, "features"), 3);
    ck_assert_str_eq(member_string(dataset, "dtype"), types[_i].dtype);
    ck_assert(json_is_null(json_object_get(dataset, "classes")));
    ck_assert(json_is_null(json_object_get(dataset, "label")));
    ck_assert(json_is_null(json_object_get(dataset, "sha256")));
    ck_assert_int_eq(member_integer(dataset, "bytes"), (json_int_t)values.size);
    expect_array(json_object_get(dataset, "x"), types[_i].dtype, 2, 3, &values);
    json_decref(dataset);
    json_decref(put_file(&server, "/datasets/a/label", npy_of_numbers(type, "(2,)", classes, 2)));
    dataset = http_get(&server, "/datasets/a");
    ck_assert_int_eq(member_integer(dataset, "classes"), 5);
    ck_assert(json_is_null(json_object_get(dataset, "labels")));
    ck_assert_int_eq(member_integer(dataset, "bytes"), (json_int_t)(values.size + labels.size));
    expect_array(json_object_get(dataset, "x"), types[_i].dtype, 2, 3, &values);
    expect_array(json_object_get(dataset, "label"), types[_i].dtype, 2, 1, &labels);
    expect_sum(dataset);
    json_decref(dataset);
    bytes_finish(&values);
    bytes_finish(&labels);
}
END_TEST

/* As MNIST comes: images of several rows, and labels, gzipped. */
START_TEST(idx_is_taken_gzipped_or_not)
{
    static const uint8_t pixels[] = {0, 1, 2, 3, 250, 251, 252, 255, 9, 8, 7, 6};
    static const uint8_t digits[] = {9, 0, 4};
    static const uint32_t images_shape[] = {3, 2, 2}, labels_shape[] = {3};
    const struct bytes values = {.at = (uint8_t *)(uintptr_t)pixels, .size = sizeof pixels};
    const struct bytes labels = {.at = (uint8_t *)(uintptr_t)digits, .size = sizeof digits};
    struct bytes images_file = idx_of(3, images_shape, pixels);
    struct bytes labels_file = idx_of(1, labels_shape, digits);
    json_decref(put_file(&server, "/datasets/mnist/label",
                         _i == 0 ? bytes_gzipped(&labels_file)
                                 : bytes_of(labels_file.at, labels_file.size)));
    json_t *dataset = put_file(&server, "/datasets/mnist/x",
                               _i == 0 ? bytes_gzipped(&images_file)
                                       : bytes_of(images_file.at, images_file.size));
    ck_assert_int_eq(member_integer(dataset, "count"), 3);
    ck_assert_int_eq(member_integer(dataset, "features"), 4);
    ck_assert_int_eq(member_integer(dataset, "classes"), 10);
    expect_array(json_object_get(dataset, "x"), "uint8", 3, 4, &values);
    expect_array(json_object_get(dataset, "label"), "uint8", 3, 1, &labels);
    expect_sum(dataset);
    json_decref(dataset);
    bytes_finish(&images_file);
    bytes_finish(&labels_file);
    expect_arrays(&server, 2);
}
END_TEST

START_TEST(an_upload_without_length_is_taken)
{
    static const double numbers[] = {1, 2, 3, 4};
    struct bytes file = npy_of_numbers("<f4", "(2, 2)", numbers, 4);
    struct bytes values = values_of("<f4", numbers, 4);
    struct http_answer answer = http_send_bytes(&server, "PUT", "/datasets/a/x", &file,
                                                "Transfer-Encoding: chunked", "Expect:", NULL);
    expect_dataset(&answer);
    expect_array(json_object_get(answer.json, "x"), "float32", 2, 2, &values);
    http_answer_finish(&answer);
    bytes_finish(&file);
    bytes_finish(&values);
}
END_TEST

#define TABLE "width,species,height\n1.5,virginica,2\n-3,setosa,4\n0,virginica,1e2\n"

START_TEST(a_table_becomes_features_and_named_classes)
{
    static const double numbers[] = {1.5, 2, -3, 4, 0, 100}, classes[] = {1, 0, 1};
    struct bytes values = values_of("<f4", numbers, 6), labels = values_of("<i4", classes, 3);
    struct bytes plain = csv_of(TABLE);
    json_t *dataset = put_file(&server, "/datasets/a?label=species",
                               _i == 0 ? bytes_gzipped(&plain) : csv_of(TABLE));
    ck_assert_int_eq(member_integer(dataset, "count"), 3);
    ck_assert_int_eq(member_integer(dataset, "features"), 2);
    ck_assert_int_eq(member_integer(dataset, "classes"), 2);
    const json_t *names = json_object_get(dataset, "labels");
    ck_assert_uint_eq(json_array_size(names), 2);
    ck_assert_str_eq(json_string_value(json_array_get(names, 0)), "setosa");
    ck_assert_str_eq(json_string_value(json_array_get(names, 1)), "virginica");
    expect_array(json_object_get(dataset, "x"), "float32", 3, 2, &values);
    expect_array(json_object_get(dataset, "label"), "int32", 3, 1, &labels);
    expect_sum(dataset);
    json_decref(dataset);
    bytes_finish(&plain);
    bytes_finish(&values);
    bytes_finish(&labels);
}
END_TEST

START_TEST(the_labels_of_a_table_may_be_numbers_or_absent)
{
    static const double numbers[] = {1, 4, 2, 0}, all[] = {1, 7, 4, 2, 3, 0}, classes[] = {7, 3};
    struct bytes values = values_of("<f4", numbers, 4), labels = values_of("<i4", classes, 2);
    struct bytes everything = values_of("<f4", all, 6);
    json_t *dataset = put_file(&server, "/datasets/a?label=c", csv_of("a,c,b\n1,7,4\n2,3,0\n"));
    ck_assert_int_eq(member_integer(dataset, "classes"), 8);
    ck_assert(json_is_null(json_object_get(dataset, "labels")));
    expect_array(json_object_get(dataset, "x"), "float32", 2, 2, &values);
    expect_array(json_object_get(dataset, "label"), "int32", 2, 1, &labels);
    json_decref(dataset);
    expect_arrays(&server, 2);
    /* A table takes the place of all that was there. */
    dataset = put_file(&server, "/datasets/a", csv_of("a,c,b\n1,7,4\n2,3,0\n"));
    ck_assert(json_is_null(json_object_get(dataset, "label")));
    ck_assert(json_is_null(json_object_get(dataset, "classes")));
    ck_assert(json_is_null(json_object_get(dataset, "sha256")));
    expect_array(json_object_get(dataset, "x"), "float32", 2, 3, &everything);
    json_decref(dataset);
    expect_arrays(&server, 1);
    bytes_finish(&values);
    bytes_finish(&labels);
    bytes_finish(&everything);
}
END_TEST

START_TEST(a_dataset_is_created_by_its_first_part)
{
    static const double numbers[] = {1, 2};
    struct bytes file = npy_of_numbers("|u1", "(2,)", numbers, 2);
    struct http_answer first = put_bytes(&server, "/datasets/a/x", &file);
    struct http_answer second = put_bytes(&server, "/datasets/a/label", &file);
    ck_assert_int_eq(first.status, 201);
    http_expect_location(&first, "/datasets/a/x", "/datasets/a");
    ck_assert_int_eq(second.status, 200);
    ck_assert_ptr_null(http_header(&second, "location"));
    http_answer_finish(&first);
    http_answer_finish(&second);
    bytes_finish(&file);
}
END_TEST

START_TEST(a_new_array_takes_the_place_of_the_old_one)
{
    static const double numbers[] = {1, 2, 3, 4, 5, 6}, others[] = {9, 8};
    struct bytes values = values_of("<i2", others, 2);
    json_decref(put_file(&server, "/datasets/a?label=c", csv_of("a,c\n1,x\n2,y\n")));
    json_t *before = http_get(&server, "/datasets/a");
    json_t *after = put_file(&server, "/datasets/a/x", npy_of_numbers("<i2", "(2,)", others, 2));
    expect_array(json_object_get(after, "x"), "int16", 2, 1, &values);
    ck_assert(json_equal(json_object_get(after, "label"), json_object_get(before, "label")));
    ck_assert(json_equal(json_object_get(after, "labels"), json_object_get(before, "labels")));
    ck_assert_str_eq(member_string(after, "created_at"), member_string(before, "created_at"));
    ck_assert_str_ne(member_string(after, "sha256"), member_string(before, "sha256"));
    expect_sum(after);
    json_decref(before);
    /* Labels by number are no names any more. */
    json_decref(after);
    after = put_file(&server, "/datasets/a/label", npy_of_numbers("|u1", "(2,)", numbers, 2));
    ck_assert(json_is_null(json_object_get(after, "labels")));
    ck_assert_int_eq(member_integer(after, "classes"), 3);
    json_decref(after);
    bytes_finish(&values);
    expect_arrays(&server, 2);
}
END_TEST

START_TEST(a_dataset_has_as_many_labels_as_samples)
{
    static const double numbers[] = {0, 1, 2, 3};
    static const char *const parts[] = {"/datasets/a/x", "/datasets/a/label"};
    struct bytes three = npy_of_numbers("|u1", "(3,)", numbers, 3);
    json_decref(put_file(&server, parts[_i], npy_of_numbers("|u1", "(2,)", numbers, 2)));
    json_t *before = http_get(&server, "/datasets/a");
    struct http_answer answer = put_bytes(&server, parts[1 - _i], &three);
    expect_problem(&answer, 422, "wrong_shape");
    http_answer_finish(&answer);
    json_t *after = http_get(&server, "/datasets/a");
    ck_assert(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    bytes_finish(&three);
    expect_arrays(&server, 1);
}
END_TEST

START_TEST(datasets_are_listed_newest_first_page_by_page)
{
    char path[64];
    static const double number[] = {1};
    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof path, "/datasets/set-%d/x", i);
        json_decref(put_file(&server, path, npy_of_numbers("|u1", "(1,)", number, 1)));
    }
    snprintf(path, sizeof path, "/datasets?limit=2");
    for (int i = 4, pages = 0; pages < 3; pages++) {
        json_t *page = http_get(&server, path);
        const json_t *list = json_object_get(page, "datasets");
        ck_assert_uint_eq(json_array_size(list), pages < 2 ? 2 : 1);
        for (size_t j = 0; j < json_array_size(list); j++, i--) {
            char id[16];
            snprintf(id, sizeof id, "set-%d", i);
            ck_assert_str_eq(member_string(json_array_get(list, j), "id"), id);
        }
        const json_t *next = json_object_get(page, "next_cursor");
        ck_assert_int_eq(json_is_string(next), pages < 2);
        if (json_is_string(next))
            snprintf(path, sizeof path, "/datasets?limit=2&cursor=%s", json_string_value(next));
        json_decref(page);
    }
}
END_TEST

START_TEST(a_deleted_dataset_is_gone_with_its_arrays)
{
    static const char *const methods[] = {"GET", "DELETE"};
    put_both(&server, "a");
    put_both(&server, "b");
    expect_arrays(&server, 4);
    json_decref(http_call(&server, 204, "DELETE", "/datasets/a", NULL));
    for (int i = 0; i < ROWS(methods); i++) {
        struct http_answer answer = http_send(&server, methods[i], "/datasets/a", NULL, NULL);
        expect_problem(&answer, 404, "dataset_not_found");
        http_answer_finish(&answer);
    }
    expect_arrays(&server, 2);
    json_t *other = http_get(&server, "/datasets/b");
    ck_assert_int_eq(member_integer(other, "count"), DATASET_COUNT);
    json_decref(other);
}
END_TEST

/* --- what is refused --- */

#define NPY(type, shape, data) 0, type, shape, data, sizeof(data) - 1
#define NINES                  "\0\0\0\0\0\0\xf8\x7f" /* not a number, as float64 */

static const struct {
    const char *path;
    const char *csv; /* else .npy: */
    const char *type, *shape, *data;
    size_t size;
    long status;
    const char *code;
} hostile[] = {
    {"/datasets/a/x", NPY("<f4", "(2, 2)", "0123456789abcde"), 422, "truncated_data"},
    {"/datasets/a/x", NPY("<f4", "(2, 2)", "0123456789abcdefg"), 422, "malformed_data"},
    {"/datasets/a/x", NPY("<f4", "(2, 2)", ""), 422, "truncated_data"},
    {"/datasets/a/x", NPY("|O", "(1,)", "01234567"), 415, "unsupported_format"},
    {"/datasets/a/x", NPY("<c8", "(1,)", "01234567"), 415, "unsupported_format"},
    {"/datasets/a/x", NPY("<f8", "(1,)", NINES), 422, "not_finite"},
    {"/datasets/a/x", NPY("<f8", "(1,)", "\0\0\0\0\0\0\xf0\x7f"), 422, "not_finite"},
    {"/datasets/a/x", NPY("<f8", "(1,)", "\xff\xff\xff\xff\xff\xff\xef\x7f"), 422, "not_finite"},
    {"/datasets/a/x", NPY("|u1", "(0, 4)", ""), 422, "empty_batch"},
    {"/datasets/a/x", NPY("|u1", "(4, 0)", ""), 422, "empty_batch"},
    {"/datasets/a/x", NPY("|u1", "()", "1"), 422, "wrong_shape"},
    {"/datasets/a/x", NPY("|u1", "(1, 1000001)", "1"), 422, "too_large"},
    {"/datasets/a/x", NPY("|u1", "(1048577,)", "1"), 422, "too_large"},
    {"/datasets/a/x", NPY("<f8", "(4611686018427387904, 4)", "1"), 422, "too_large"},
    {"/datasets/a/x", NPY("|u1", "(99999999999999999999,)", "1"), 422, "too_large"},
    {"/datasets/a/label", NPY("<f4", "(1,)", "\0\0\xc0\x3f"), 422, "label_out_of_range"},
    {"/datasets/a/label", NPY("<i4", "(1,)", "\xff\xff\xff\xff"), 422, "label_out_of_range"},
    {"/datasets/a/label", NPY("<i4", "(1,)", "\x70\x11\x01\0"), 422, "label_out_of_range"},
    {"/datasets/a/label", NPY("<i8", "(1,)", "\0\0\0\0\1\0\0\0"), 422, "label_out_of_range"},
    {"/datasets/a/label", NPY("<f8", "(1,)", NINES), 422, "not_finite"},
    {"/datasets/a/label", NPY("|u1", "(1, 2)", "\0\1"), 422, "wrong_shape"},
    {"/datasets/a/x", "x", "", "", "", 0, 415, "unsupported_format"},
    {"/datasets/a/x", "PK\3\4", "", "", "", 0, 415, "unsupported_format"},
    {"/datasets/a/x", "", "", "", "", 0, 422, "empty_batch"},
    {"/datasets/a", "", "", "", "", 0, 422, "empty_batch"},
    {"/datasets/a", "a,b\n", "", "", "", 0, 422, "empty_batch"},
    {"/datasets/a", "a,b\n1\n", "", "", "", 0, 422, "ragged_array"},
    {"/datasets/a", "a,b\n1,x\n", "", "", "", 0, 422, "wrong_type"},
    {"/datasets/a", "a,b\n1,nan\n", "", "", "", 0, 422, "not_finite"},
    {"/datasets/a?label=c", "a,b\n1,2\n", "", "", "", 0, 422, "missing_field"},
    {"/datasets/a?label=b", "a,b\n1,70000\n", "", "", "", 0, 422, "label_out_of_range"},
};

START_TEST(a_file_of_another_kind_is_refused_and_leaves_nothing)
{
    struct bytes file = hostile[_i].csv != NULL ? csv_of(hostile[_i].csv)
                                                : npy_of(hostile[_i].type, hostile[_i].shape,
                                                         hostile[_i].data, hostile[_i].size);
    for (int turn = 0; turn < 2; turn++) {
        struct http_answer answer = put_bytes(&server, hostile[_i].path, &file);
        expect_problem(&answer, hostile[_i].status, hostile[_i].code);
        http_answer_finish(&answer);
        struct bytes gzipped = bytes_gzipped(&file);
        bytes_finish(&file);
        file = gzipped;
    }
    bytes_finish(&file);
    expect_arrays(&server, 0);
    json_decref(http_call(&server, 404, "GET", "/datasets/a", NULL));
}
END_TEST

START_TEST(arrays_in_fortrans_order_are_refused)
{
    static const char text_of_header[] =
        "\x93NUMPY\1\0\x40\0{'descr': '|u1', 'fortran_order': True, 'shape': (2, 2), }    \n1234";
    struct bytes file = bytes_of(text_of_header, sizeof text_of_header - 1);
    struct http_answer answer = put_bytes(&server, "/datasets/a/x", &file);
    file.at[8] = (unsigned char)(file.size - 4 - 10);
    http_answer_finish(&answer);
    answer = put_bytes(&server, "/datasets/a/x", &file);
    expect_problem(&answer, 415, "unsupported_format");
    http_answer_finish(&answer);
    bytes_finish(&file);
    expect_arrays(&server, 0);
}
END_TEST

/* Streams that are cut off, that something follows, that break after the first chunk. */
START_TEST(damaged_gzip_is_refused_and_leaves_nothing)
{
    enum { PIXELS = 1000000 };
    static const char *const codes[] = {"truncated_data", "malformed_data", "malformed_data"};
    uint8_t *pixels = calloc(1, PIXELS);
    struct bytes plain = npy_of("|u1", "(1000, 1000)", pixels, PIXELS);
    struct bytes file = bytes_gzipped(&plain);
    file.capacity = 0;
    if (_i == 0)
        file.size -= 9;
    else if (_i == 1)
        bytes_add(&file, "more", 4);
    else
        file.at[file.size - 6] ^= 1; /* of the checksum */
    struct http_answer answer = put_bytes(&server, "/datasets/a/x", &file);
    expect_problem(&answer, 422, codes[_i]);
    http_answer_finish(&answer);
    bytes_finish(&file);
    bytes_finish(&plain);
    free(pixels);
    expect_arrays(&server, 0);
}
END_TEST

/* The header is modest, or it is not: the stream holds 64 MB either way. */
START_TEST(a_bomb_does_not_go_off)
{
    enum { BOMB = 64000000 };
    static const struct {
        const char *path, *shape, *code;
    } bombs[] = {{"/datasets/a/x", "(10, 10)", "malformed_data"},
                 {"/datasets/a/x", "(64000, 1000)", "too_large"},
                 {"/datasets/a/label", "(64000000,)", "too_large"}};
    uint8_t *zeros = calloc(1, BOMB);
    struct bytes plain = npy_of("|u1", bombs[_i].shape, zeros, BOMB);
    struct bytes file = bytes_gzipped(&plain);
    ck_assert_uint_lt(file.size, 100000);
    struct http_answer answer = put_bytes(&server, bombs[_i].path, &file);
    expect_problem(&answer, 422, bombs[_i].code);
    http_answer_finish(&answer);
    bytes_finish(&file);
    bytes_finish(&plain);
    free(zeros);
    expect_arrays(&server, 0);
    ck_assert_int_lt(number_in_database(&server, "PRAGMA page_count"), 1000);
}
END_TEST

START_TEST(a_table_may_be_as_large_as_an_array)
{
    enum { LINES = 700000 };
    struct bytes plain = csv_of("a\n");
    for (int i = 0; i < LINES; i++)
        bytes_add(&plain, "1\n", 2);
    struct bytes file = bytes_gzipped(&plain);
    struct http_answer answer = put_bytes(&server, "/datasets/a", &file);
    expect_problem(&answer, 422, "too_large");
    http_answer_finish(&answer);
    bytes_finish(&plain);
    bytes_finish(&file);
    expect_arrays(&server, 0);
}
END_TEST

START_TEST(an_upload_beyond_the_limit_is_refused)
{
    enum { LIMIT = 1048576, HEADER = 128 };
    uint8_t *zeros = calloc(1, LIMIT);
    char shape[32];
    snprintf(shape, sizeof shape, "(%d,)", LIMIT - HEADER + 1);
    struct bytes file = npy_of("|u1", shape, zeros, LIMIT - HEADER + 1);
    ck_assert_uint_eq(file.size, LIMIT + 1);
    const char *coding = _i == 0 ? "Expect:" : "Transfer-Encoding: chunked";
    struct http_answer answer =
        http_send_bytes(&server, "PUT", "/datasets/a/label", &file, coding, NULL);
    expect_problem(&answer, 413, "body_too_large");
    http_answer_finish(&answer);
    expect_arrays(&server, 0);
    /* One byte less is taken. */
    bytes_finish(&file);
    snprintf(shape, sizeof shape, "(%d,)", LIMIT - HEADER);
    file = npy_of("|u1", shape, zeros, LIMIT - HEADER);
    ck_assert_uint_eq(file.size, LIMIT);
    answer = http_send_bytes(&server, "PUT", "/datasets/a/label", &file, coding, NULL);
    expect_dataset(&answer);
    ck_assert_int_eq(member_integer(answer.json, "count"), LIMIT - HEADER);
    http_answer_finish(&answer);
    bytes_finish(&file);
    free(zeros);
    expect_arrays(&server, 1);
}
END_TEST

START_TEST(a_file_is_not_taken_for_json)
{
    struct bytes file = csv_of("{}");
    struct http_answer answer = http_send_bytes(&server, "PUT", "/datasets/a/x", &file,
                                                "Content-Type: application/json", NULL);
    expect_problem(&answer, 415, "unsupported_media_type");
    http_answer_finish(&answer);
    bytes_finish(&file);
}
END_TEST

START_TEST(an_id_that_is_not_valid_is_not_found)
{
    static const char *const paths[] = {"/datasets/A/x", "/datasets/-a/x", "/datasets/a/y",
                                        "/datasets//x"};
    struct bytes file = csv_of("x");
    struct http_answer answer = put_bytes(&server, paths[_i], &file);
    ck_assert_msg(answer.status == 404, "%ld %s", answer.status, answer.body);
    http_answer_finish(&answer);
    bytes_finish(&file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("datasets");
    TCase *tests = fixture_case(suite, "datasets", datasets_start);
    tcase_add_loop_test(tests, arrays_of_every_type_are_kept_as_they_are, 0, ROWS(types));
    tcase_add_loop_test(tests, idx_is_taken_gzipped_or_not, 0, 2);
    tcase_add_test(tests, an_upload_without_length_is_taken);
    tcase_add_loop_test(tests, a_table_becomes_features_and_named_classes, 0, 2);
    tcase_add_test(tests, the_labels_of_a_table_may_be_numbers_or_absent);
    tcase_add_test(tests, a_dataset_is_created_by_its_first_part);
    tcase_add_test(tests, a_new_array_takes_the_place_of_the_old_one);
    tcase_add_loop_test(tests, a_dataset_has_as_many_labels_as_samples, 0, 2);
    tcase_add_test(tests, datasets_are_listed_newest_first_page_by_page);
    tcase_add_test(tests, a_deleted_dataset_is_gone_with_its_arrays);
    tcase_add_loop_test(tests, a_file_of_another_kind_is_refused_and_leaves_nothing, 0,
                        ROWS(hostile));
    tcase_add_test(tests, arrays_in_fortrans_order_are_refused);
    tcase_add_loop_test(tests, damaged_gzip_is_refused_and_leaves_nothing, 0, 3);
    tcase_add_loop_test(tests, a_bomb_does_not_go_off, 0, 3);
    tcase_add_test(tests, a_table_may_be_as_large_as_an_array);
    tcase_add_loop_test(tests, an_upload_beyond_the_limit_is_refused, 0, 2);
    tcase_add_test(tests, a_file_is_not_taken_for_json);
    tcase_add_loop_test(tests, an_id_that_is_not_valid_is_not_found, 0, 4);
    return suite_run(suite);
}
