/* The limits of tables in CSV: rows, features, labels, and bytes of a record. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/limits.h"
#include "server/files/csv_file.h"
#include "server/files/csv_records.h"
#include "tests/support/csv_table.h"
#include "tests/support/files.h"
#include "tests/support/problems.h"
#include "tests/support/suite.h"

/* A table of one row, whose label or name is that long. */
static struct bytes long_name(size_t size, bool is_label)
{
    struct bytes bytes = bytes_of(is_label ? "x,l\n1," : "l,", is_label ? 6 : 2);
    for (size_t i = 0; i < size; i++)
        bytes_add(&bytes, "n", 1);
    bytes_add(&bytes, "\na,1\n", is_label ? 1 : 5);
    return bytes;
}

START_TEST(names_have_their_limit)
{
    for (int is_label = 0; is_label < 2; is_label++) {
        struct csv_table table;
        struct bytes bytes = long_name(LIMIT_LABEL, is_label);
        csv_table_read(&table, &bytes, "l", CSV_TABLE_BYTES, CSV_TABLE_PIECE);
        ck_assert_msg(!problem_is_set(&table.problem), "%s", table.problem.detail);
        csv_table_finish(&table);
        bytes_finish(&bytes);
        bytes = long_name(LIMIT_LABEL + 1, is_label);
        expect_broken_table(&bytes, PROBLEM_TOO_LARGE,
                            is_label
                                ? "Line 2, column \"l\": the name has 257 bytes; the limit is 256."
                                : "Line 1, column 2: the name has 257 bytes; the limit is 256.");
        bytes_finish(&bytes);
    }
}
END_TEST

START_TEST(rows_have_their_limit)
{
    struct csv_table table;
    struct bytes bytes = bytes_of("x,y,l\n1,2,a\n3,4,b\n5,6,c\n", 24);
    csv_table_read(&table, &bytes, "l", 24, CSV_TABLE_PIECE);
    ck_assert(!problem_is_set(&table.problem) && table.rows == 3);
    csv_table_finish(&table);
    csv_table_read(&table, &bytes, "l", 23, CSV_TABLE_PIECE);
    expect_refusal(&table.problem, PROBLEM_TOO_LARGE,
                   "Line 4 is one row too many: the limit is 2 rows of 2 numbers.");
    csv_table_finish(&table);
    bytes_finish(&bytes);
}
END_TEST

START_TEST(different_labels_have_their_limit)
{
    struct bytes bytes = bytes_of("x,l\n", 4);
    for (int i = 0; i < LIMIT_OUT_FEATURES; i++) {
        char row[32];
        bytes_add(&bytes, row, (size_t)snprintf(row, sizeof row, "1,n%d\n", i));
    }
    for (int is_beyond = 0; is_beyond < 2; is_beyond++) {
        struct problem problem = {0};
        struct csv_classes classes;
        const int fd = file_of(&bytes);
        struct csv_file *file = csv_file_create(fd, "l", CSV_TABLE_BYTES, &problem);
        ck_assert_uint_eq(csv_file_drain(file, 4096, &problem), LIMIT_OUT_FEATURES);
        if (is_beyond)
            expect_refusal(&problem, PROBLEM_TOO_LARGE,
                           "Line 65538, column \"l\": there are more than 65536 different labels.");
        ck_assert_int_eq(problem_is_set(&problem), is_beyond);
        ck_assert(csv_file_classes(file, &classes, &problem));
        ck_assert_str_eq(classes.name[classes.of_code[12345]], "n12345");
        csv_file_destroy(file);
        close(fd);
        bytes_add(&bytes, "1,one\n", 6);
    }
    bytes_finish(&bytes);
}
END_TEST

/* A header of `columns` features, and a row of zeros. */
static struct bytes wide_file(size_t columns)
{
    struct bytes bytes = {.at = malloc(4 * columns), .size = 4 * columns};
    for (size_t i = 0; i < columns; i++) {
        memcpy(bytes.at + 2 * i, i + 1 < columns ? "x," : "x\n", 2);
        memcpy(bytes.at + 2 * (columns + i), i + 1 < columns ? "0," : "0\n", 2);
    }
    return bytes;
}

START_TEST(features_have_their_limit)
{
    for (size_t columns = LIMIT_FEATURES; columns <= LIMIT_FEATURES + 2; columns++) {
        struct problem problem = {0};
        struct bytes bytes = wide_file(columns);
        const int fd = file_of(&bytes);
        struct csv_file *file = csv_file_create(fd, NULL, 4 * columns, &problem);
        if (columns == LIMIT_FEATURES)
            ck_assert_uint_eq(csv_file_drain(file, 1, &problem), 1);
        else if (columns == LIMIT_FEATURES + 1)
            expect_refusal(&problem, PROBLEM_TOO_LARGE,
                           "There are more than 1000000 columns of features.");
        else
            expect_refusal(&problem, PROBLEM_TOO_LARGE,
                           "There are 1000002 columns; the limit is 1000000.");
        csv_file_destroy(file);
        close(fd);
        bytes_finish(&bytes);
    }
}
END_TEST

START_TEST(a_record_has_its_limit)
{
    struct bytes bytes = bytes_padded("x,l\n1,a\n", ' ', LIMIT_RECORD);
    bytes_add(&bytes, "1,a\n", 4);
    struct csv_table table;
    csv_table_read(&table, &bytes, "l", 8 * CSV_TABLE_BYTES, CSV_TABLE_PIECE);
    expect_refusal(&table.problem, PROBLEM_TOO_LARGE, "Line 3 has more than 16777216 bytes.");
    csv_table_finish(&table);
    bytes_finish(&bytes);
    bytes = bytes_padded("x,l\n1,a\n", ' ', LIMIT_RECORD - 5);
    bytes_add(&bytes, "1,a\n", 4);
    csv_table_read(&table, &bytes, "l", 8 * CSV_TABLE_BYTES, CSV_TABLE_PIECE);
    ck_assert(!problem_is_set(&table.problem) && table.rows == 2);
    csv_table_finish(&table);
    bytes_finish(&bytes);
}
END_TEST

enum { READER_BUFFER = 256 * 1024 }; /* bytes that the reader takes from a file at once */

/* A row of this size, "1" and blanks. */
static void add_long_row(struct bytes *bytes, size_t size)
{
    bytes_add(bytes, "1", 1);
    for (size_t i = 4; i < size; i++)
        bytes_add(bytes, " ", 1);
    bytes_add(bytes, ",a\n", 3);
}

/* A table of `size` bytes in rows of up to `row_size`, which ends with `ending`. */
static struct bytes table_of_size(size_t size, size_t row_size, const char *ending,
                                  size_t *ret_rows)
{
    static const char header[] = "x,l\n";
    struct bytes bytes = bytes_of(header, strlen(header));
    size_t left = size - strlen(header) - strlen(ending);
    *ret_rows = 1;
    for (size_t row; left > 0; left -= row, ++*ret_rows) {
        row = left >= 2 * row_size ? row_size : left;
        add_long_row(&bytes, row);
    }
    bytes_add(&bytes, ending, strlen(ending));
    ck_assert_uint_eq(bytes.size, size);
    return bytes;
}

static void check_table(const struct bytes *bytes, size_t rows)
{
    struct csv_table table;
    csv_table_read(&table, bytes, "l", CSV_TABLE_BYTES, CSV_TABLE_PIECE);
    ck_assert_msg(!problem_is_set(&table.problem), "%zu bytes: %s", bytes->size,
                  table.problem.detail);
    ck_assert_uint_eq(table.rows, rows);
    ck_assert_float_eq(table.x[rows - 2], 1);
    ck_assert_float_eq(table.x[rows - 1], 7);
    ck_assert_str_eq(table.classes.name[csv_table_class(&table, rows - 2)], "a");
    ck_assert_str_eq(table.classes.name[csv_table_class(&table, rows - 1)], "bc");
    csv_table_finish(&table);
}

/* With its last line end or without, and also if a record is as large as the buffer, or larger. */
START_TEST(a_table_may_end_where_the_buffer_does)
{
    static const char *const endings[] = {"7,bc", "7,bc\n", "7,bc\r\n", "7,\"bc\"", "7,bc\n\n"};
    static const size_t row_sizes[] = {4096, READER_BUFFER, 4 * READER_BUFFER};
    for (size_t buffers = 1; buffers <= 3; buffers++)
        for (size_t size = buffers * READER_BUFFER - 7; size <= buffers * READER_BUFFER + 2; size++)
            for (size_t row = 0; row < sizeof row_sizes / sizeof *row_sizes; row++) {
                size_t rows;
                struct bytes bytes = table_of_size(size, row_sizes[row], endings[_i], &rows);
                check_table(&bytes, rows);
                bytes_finish(&bytes);
            }
}
END_TEST

/* Far behind what may be read the stream is damaged: who inflates on comes upon it. */
START_TEST(a_bomb_of_empty_lines_is_not_inflated_to_its_end)
{
    struct bytes bytes = bytes_padded("x,l\n1,a\n", '\n', 128 * CSV_TABLE_BYTES),
                 gzipped = bytes_gzipped(&bytes);
    memset(gzipped.at + gzipped.size / 2, 0xFF, 64);
    expect_broken_table(&gzipped, PROBLEM_TOO_LARGE,
                        "The file holds more text than the numbers of the largest dataset need.");
    bytes_finish(&bytes);
    bytes_finish(&gzipped);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("csv_limits");
    TCase *limits = tcase_create("limits");
    tcase_set_timeout(limits, 60);
    tcase_add_test(limits, names_have_their_limit);
    tcase_add_test(limits, rows_have_their_limit);
    tcase_add_test(limits, different_labels_have_their_limit);
    tcase_add_test(limits, features_have_their_limit);
    tcase_add_test(limits, a_record_has_its_limit);
    tcase_add_test(limits, a_bomb_of_empty_lines_is_not_inflated_to_its_end);
    tcase_add_loop_test(limits, a_table_may_end_where_the_buffer_does, 0, 5);
    suite_add_tcase(suite, limits);
    return suite_run(suite);
}
