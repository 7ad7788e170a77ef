/* Samples in CSV: numbers, names, quotes and line ends, whole, broken and hostile. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/limits.h"
#include "server/base/utf8.h"
#include "server/files/csv_file.h"
#include "server/files/csv_number.h"
#include "server/files/csv_records.h"
#include "tests/support/files.h"
#include "tests/support/suite.h"

enum { MOST = 1024 * 1024, MOST_ROWS = 8 };

/* --- numbers and texts --- */

START_TEST(numbers_are_read_as_strtod_reads_them)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "5.1",
        " 5.1\t",
        "+.5",
        "3.",
        "1e3",
        "1E+3",
        "-1.25e-3",
        "0.1",
        "123456789012345678",
        "9007199254740993",
        "0.30000000000000004",
        "1e22",
        "1e23",
        "8.5e-23",
        "1e-400",
        "0e999999999",
        "1.7976931348623157e308",
        "4.9e-324",
        "00012",
        "3.4028235e38",
        "0.000000000000000000000000000000000001234567890123456789",
        "100000000000000000000000000000000000000000000000000000000000001",
        "2.2250738585072011e-308",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        double value = 9;
        const double expected = strtod(texts[i], NULL);
        ck_assert_msg(csv_number_read(texts[i], strlen(texts[i]), &value) == CSV_NUMBER, "%s",
                      texts[i]);
        ck_assert_msg(memcmp(&value, &expected, sizeof value) == 0, "%s: %a", texts[i], value);
    }
}
END_TEST

START_TEST(random_numbers_are_read_as_strtod_reads_them)
{
    uint32_t state = 3;
    for (int i = 0; i < 100000; i++) {
        char text[64];
        double value = 0;
        snprintf(text, sizeof text, "%s%u.%0*ue%d", i % 2 ? "-" : "", next_random(&state) >> i % 32,
                 1 + i % 12, next_random(&state) >> i % 31, (int)(next_random(&state) % 60) - 30);
        const double expected = strtod(text, NULL);
        ck_assert(csv_number_read(text, strlen(text), &value) == CSV_NUMBER);
        ck_assert_msg(memcmp(&value, &expected, sizeof value) == 0, "%s: %a", text, value);
    }
}
END_TEST

START_TEST(what_is_no_number_is_told_from_what_is_not_finite)
{
    static const char *const none[] = {"",
                                       " ",
                                       "a",
                                       "-",
                                       ".",
                                       "e5",
                                       "1e",
                                       "1e+",
                                       "0x1",
                                       "1 2",
                                       "1,5",
                                       "--1",
                                       "+-1",
                                       "1.2.3",
                                       "nano",
                                       "infinit",
                                       "1f",
                                       "\xC2\xA0"
                                       "1",
                                       "- 1",
                                       "NA"};
    static const char *const not_finite[] = {"nan",       "-NaN",  "inf",
                                             "+Infinity", "1e309", "-1e999999"};
    double value = 9;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        ck_assert_msg(csv_number_read(none[i], strlen(none[i]), &value) == CSV_NO_NUMBER, "%s",
                      none[i]);
    for (size_t i = 0; i < sizeof not_finite / sizeof *not_finite; i++)
        ck_assert_msg(csv_number_read(not_finite[i], strlen(not_finite[i]), &value) ==
                          CSV_NOT_FINITE,
                      "%s", not_finite[i]);
    ck_assert(csv_number_read("1\0002", 3, &value) == CSV_NO_NUMBER);
    ck_assert(value == 9);
}
END_TEST

START_TEST(texts_are_utf8_or_not)
{
    static const struct {
        const char *text;
        bool is_valid;
    } cases[] = {
        {"", true},
        {"plain", true},
        {"\xC3\xA9", true},
        {"\xE2\x82\xAC", true},
        {"\xF0\x9F\x98\x80", true},
        {"\xF4\x8F\xBF\xBF", true},
        {"\xED\x9F\xBF", true},
        {"\xC3", false},
        {"\x80", false},
        {"\xC1\xBF", false},
        {"\xE0\x9F\xBF", false},
        {"\xED\xA0\x80", false},
        {"\xF0\x8F\xBF\xBF", false},
        {"\xF4\x90\x80\x80", false},
        {"\xF5\x80\x80\x80", false},
        {"\xE2\x82", false},
        {"\xE2\x82q", false},
        {"\xFF\xFE", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(utf8_is_valid(cases[i].text, strlen(cases[i].text)) == cases[i].is_valid,
                      "case %zu", i);
}
END_TEST

START_TEST(excerpts_are_utf8_whatever_the_text_is)
{
    char out[UTF8_EXCERPT], text[200];
    utf8_excerpt("a\xFFq\n\xC3\xA9\x7F\xE2\x82", 9, out);
    ck_assert_str_eq(out, "a?q?\xC3\xA9???");
    for (size_t at = 0; at + 2 < sizeof text; at += 2)
        memcpy(text + at, "\xC3\xA9", 3);
    utf8_excerpt(text, strlen(text), out);
    ck_assert_uint_eq(strlen(out), 63);
    ck_assert_str_eq(out + 58, "\xC3\xA9...");
    memset(text, 'x', 60);
    text[60] = '\0';
    utf8_excerpt(text, 60, out);
    ck_assert_str_eq(out, text);
}
END_TEST

/* --- whole files --- */

struct table {
    int fd;
    struct csv_file *file;
    size_t rows;
    float x[256 * 4];
    int32_t code[256];
    struct csv_classes classes;
    struct problem problem;
};

/* Reads a whole table in pieces; its problem says whether that went well. */
static void table_read(struct table *table, const struct bytes *bytes, const char *label_column,
                       size_t max_bytes, size_t piece)
{
    *table = (struct table){.fd = file_of(bytes)};
    table->file = csv_file_create(table->fd, label_column, max_bytes, &table->problem);
    ck_assert(table->file != NULL || problem_is_set(&table->problem));
    const size_t features = table->file != NULL ? csv_file_features(table->file) : 0;
    const size_t room = features > 0 ? sizeof table->x / sizeof *table->x / features : 0;
    for (size_t rows = piece; table->file != NULL && rows == piece; table->rows += rows) {
        if (room - table->rows < piece || 256 - table->rows < piece)
            break;
        if (!csv_file_read(table->file, table->x + table->rows * features, piece,
                           label_column != NULL ? table->code + table->rows : NULL, &rows,
                           &table->problem)) {
            ck_assert_uint_eq(rows, piece);
            break;
        }
    }
    if (table->file != NULL)
        ck_assert(csv_file_classes(table->file, &table->classes, &table->problem) ||
                  problem_is_set(&table->problem));
}

static void table_finish(struct table *table)
{
    csv_file_destroy(table->file);
    close(table->fd);
}

static void table_of(struct table *table, const char *text, const char *label_column)
{
    struct bytes bytes = bytes_of(text, strlen(text));
    table_read(table, &bytes, label_column, MOST, MOST_ROWS);
    bytes_finish(&bytes);
    ck_assert_msg(!problem_is_set(&table->problem), "%s", table->problem.detail);
}

static int32_t class_of(const struct table *table, size_t row)
{
    return table->classes.of_code[table->code[row]];
}

static struct bytes iris(void)
{
    char text[8192];
    FILE *file = fopen("examples/iris.csv", "r");
    ck_assert_ptr_nonnull(file);
    struct bytes bytes = bytes_of(text, fread(text, 1, sizeof text, file));
    fclose(file);
    return bytes;
}

static void check_iris(const struct bytes *bytes, size_t piece)
{
    static const char *const names[] = {"sepal_length", "sepal_width", "petal_length",
                                        "petal_width"};
    struct table table;
    table_read(&table, bytes, "species", MOST, piece);
    ck_assert_msg(!problem_is_set(&table.problem), "%s", table.problem.detail);
    ck_assert_uint_eq(table.rows, 150);
    ck_assert_uint_eq(csv_file_features(table.file), 4);
    for (int i = 0; i < 4; i++)
        ck_assert_str_eq(csv_file_names(table.file)[i], names[i]);
    ck_assert_mem_eq(table.x, ((float[]){5.1f, 3.5f, 1.4f, 0.2f}), 16);
    ck_assert_mem_eq(table.x + 149 * 4, ((float[]){5.9f, 3, 5.1f, 1.8f}), 16);
    ck_assert_uint_eq(table.classes.codes, 3);
    ck_assert_uint_eq(table.classes.count, 3);
    ck_assert_str_eq(table.classes.name[0], "setosa");
    ck_assert_str_eq(table.classes.name[1], "versicolor");
    ck_assert_str_eq(table.classes.name[2], "virginica");
    for (size_t i = 0; i < 150; i++)
        ck_assert_int_eq(class_of(&table, i), (int32_t)i / 50);
    table_finish(&table);
}

START_TEST(iris_is_read_in_any_pieces)
{
    struct bytes bytes = iris(), gzipped = bytes_gzipped(&bytes);
    for (size_t piece = 1; piece <= 101; piece += 4) {
        check_iris(&bytes, piece);
        check_iris(&gzipped, piece);
    }
    bytes_finish(&bytes);
    bytes_finish(&gzipped);
}
END_TEST

START_TEST(cells_are_read_as_rfc_4180_says)
{
    static const char *const texts[] = {
        "a,b,l\n1,2,u\n3,4,v\n",
        "a,b,l\r\n1,2,u\r\n3,4,v\r\n",
        "a,b,l\n1,2,u\n3,4,v",
        "a,b,l\r\n1,2,u\r\n3,4,v\r",
        "\xEF\xBB\xBF"
        "a,b,l\n1,2,u\n3,4,v\n\n\r\n\n",
        "\"a\",\"b\",\"l\"\n\"1\",\"2\",\"u\"\n\"3\",\"4\",\"v\"",
        "\"a\",\"b\",\"l\"\r\n\"1\",\"2\",\"u\"\r\n\"3\",\"4\",\"v\"\r\n",
        " a ,\tb, l \n 1 ,2\t, u\n\" 3\", 4,v\t\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct table table;
        table_of(&table, texts[i], "l");
        ck_assert_uint_eq(table.rows, 2);
        ck_assert_uint_eq(csv_file_features(table.file), 2);
        ck_assert_str_eq(csv_file_names(table.file)[0], "a");
        ck_assert_str_eq(csv_file_names(table.file)[1], "b");
        ck_assert_mem_eq(table.x, ((float[]){1, 2, 3, 4}), 16);
        ck_assert_uint_eq(table.classes.count, 2);
        ck_assert_str_eq(table.classes.name[0], "u");
        ck_assert_str_eq(table.classes.name[1], "v");
        ck_assert(class_of(&table, 0) == 0 && class_of(&table, 1) == 1);
        table_finish(&table);
    }
}
END_TEST

START_TEST(quoted_cells_hold_anything)
{
    struct table table;
    table_of(&table, "l,\"x, \"\"1\"\"\"\n\"a,\"\"b\"\"\r\n\"\"\",1\n\" a \",2\n", "l");
    ck_assert_str_eq(csv_file_names(table.file)[0], "x, \"1\"");
    ck_assert_str_eq(table.classes.name[0], " a ");
    ck_assert_str_eq(table.classes.name[1], "a,\"b\"\r\n\"");
    ck_assert_mem_eq(table.x, ((float[]){1, 2}), 8);
    ck_assert(class_of(&table, 0) == 1 && class_of(&table, 1) == 0);
    table_finish(&table);
}
END_TEST

START_TEST(names_become_classes_in_their_order)
{
    struct table table;
    table_of(&table, "x,l\n1,zeta\n2,B\n3,\xC3\xA9\n4,a\n5,zeta\n6,1\n", "l");
    ck_assert_uint_eq(table.rows, 6);
    ck_assert_mem_eq(table.code, ((int32_t[]){0, 1, 2, 3, 0, 4}), 24);
    ck_assert_uint_eq(table.classes.codes, 5);
    ck_assert_uint_eq(table.classes.count, 5);
    static const char *const sorted[] = {"1", "B", "a", "zeta", "\xC3\xA9"};
    for (int i = 0; i < 5; i++)
        ck_assert_str_eq(table.classes.name[i], sorted[i]);
    ck_assert_mem_eq(table.classes.of_code, ((int32_t[]){3, 1, 4, 2, 0}), 20);
    table_finish(&table);
}
END_TEST

START_TEST(whole_numbers_are_their_own_classes)
{
    struct table table;
    table_of(&table, "l,x\n7,1\n2147483647,2\n0,3\n7.0,4\n 7 ,5\n", "l");
    ck_assert_uint_eq(table.classes.codes, 4);
    ck_assert_uint_eq(table.classes.count, 0);
    static const int32_t expected[] = {7, INT32_MAX, 0, 7, 7};
    for (size_t i = 0; i < 5; i++)
        ck_assert_int_eq(class_of(&table, i), expected[i]);
    table_finish(&table);
}
END_TEST

START_TEST(other_numbers_are_names)
{
    static const char *const texts[] = {"l,x\n1,1\n-1,2\n", "l,x\n1,1\n2147483648,2\n",
                                        "l,x\n1,1\n0.5,2\n", "l,x\n1,1\n0x2,2\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct table table;
        table_of(&table, texts[i], "l");
        ck_assert_uint_eq(table.classes.count, 2);
        table_finish(&table);
    }
}
END_TEST

START_TEST(without_a_column_of_labels_all_are_features)
{
    struct table table;
    table_of(&table, "a,a,\n1,2,3\n", NULL);
    ck_assert_uint_eq(csv_file_features(table.file), 3);
    ck_assert_str_eq(csv_file_names(table.file)[2], "");
    ck_assert_mem_eq(table.x, ((float[]){1, 2, 3}), 12);
    ck_assert_uint_eq(table.classes.codes, 0);
    ck_assert_uint_eq(table.classes.count, 0);
    table_finish(&table);
}
END_TEST

/* --- broken files --- */

static void expect_problem(const struct problem *problem, enum problem_code code,
                           const char *detail)
{
    ck_assert_str_eq(problem->detail, detail);
    ck_assert_str_eq(problem_name(problem->code), problem_name(code));
}

static void expect_broken(const struct bytes *bytes, enum problem_code code, const char *detail)
{
    struct table table;
    table_read(&table, bytes, "l", MOST, MOST_ROWS);
    expect_problem(&table.problem, code, detail);
    table_finish(&table);
}

#define MALFORMED PROBLEM_MALFORMED_DATA
START_TEST(broken_tables_say_where)
{
    static const struct {
        const char *text;
        enum problem_code code;
        const char *detail;
    } cases[] = {
        {"", PROBLEM_EMPTY_BATCH, "The file is empty."},
        {"\xEF\xBB\xBF\n\n", PROBLEM_EMPTY_BATCH, "The file is empty."},
        {"x,l", PROBLEM_EMPTY_BATCH, "No row follows the header."},
        {"x,l\n\n", PROBLEM_EMPTY_BATCH, "No row follows the header."},
        {"l\na\n", PROBLEM_WRONG_SHAPE, "The only column is that of the labels."},
        {"x,y,label\n1,2,a\n", PROBLEM_MISSING_FIELD,
         "There is no column \"l\"; the columns are: x, y, label."},
        {"x,l,y,l\n1,2,3,4\n", MALFORMED,
         "Line 1, column \"l\": the column of labels appears twice."},
        {"\nx,l\n", PROBLEM_RAGGED_ARRAY, "Line 1 is empty, but rows follow it."},
        {"x,l\n1,a\n\n\r\n2,b\n", PROBLEM_RAGGED_ARRAY, "Line 3 is empty, but rows follow it."},
        {"x,l\n1,a\n2\n", PROBLEM_RAGGED_ARRAY, "Line 3 has 1 cells, but the header has 2."},
        {"x,l\n1,a,\n", PROBLEM_RAGGED_ARRAY, "Line 2 has 3 cells, but the header has 2."},
        {"x,l\n\"1\n\n\",a\n", PROBLEM_WRONG_TYPE,
         "Line 2, column \"x\": \"1??\" is not a number."},
        {"x,l\n1,\"a\nb\"\n?,c", PROBLEM_WRONG_TYPE,
         "Line 4, column \"x\": \"?\" is not a number."},
        {"x,l\n,a\n", PROBLEM_WRONG_TYPE, "Line 2, column \"x\": a number is missing."},
        {"l,\na, \n", PROBLEM_WRONG_TYPE, "Line 2, column 2: a number is missing."},
        {"x,l\n0x10,a\n", PROBLEM_WRONG_TYPE, "Line 2, column \"x\": \"0x10\" is not a number."},
        {"x,l\nnan,a\n", PROBLEM_NOT_FINITE,
         "Line 2, column \"x\": \"nan\" is not finite, or beyond float32."},
        {"x,l\n1,a\n-1e39,a\n", PROBLEM_NOT_FINITE,
         "Line 3, column \"x\": \"-1e39\" is not finite, or beyond float32."},
        {"x,l\n1,\n", MALFORMED, "Line 2, column \"l\": a label is missing."},
        {"x,l\n1,\"\"\n", MALFORMED, "Line 2, column \"l\": a label is missing."},
        {"x,l\n1,\xFF\n", PROBLEM_INVALID_UTF8, "Line 2, column \"l\": the name is not UTF-8."},
        {"x,\xC3(\n", PROBLEM_INVALID_UTF8, "Line 1, column 2: the name is not UTF-8."},
        {"x,l\n1,a\"b\"\n", MALFORMED,
         "Line 2, column \"l\": the cell contains a quote, but does not begin with one."},
        {"x,l\n1,\"a\"b\n", MALFORMED,
         "Line 2, column \"l\": something follows the cell's closing quote."},
        {"x,l\n\"1\"\r,a\n", MALFORMED,
         "Line 2, column \"x\": something follows the cell's closing quote."},
        {"x,l\n1,a\n1,\"a\n2,b\n", MALFORMED,
         "Line 3, column \"l\": the cell's quote is never closed."},
        {"x,\"l\n", MALFORMED, "Line 1, column 2: the cell's quote is never closed."},
        {"x,l\n1,a,\"\n", MALFORMED, "Line 2, column 3: the cell's quote is never closed."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes bytes = bytes_of(cases[i].text, strlen(cases[i].text));
        expect_broken(&bytes, cases[i].code, cases[i].detail);
        bytes_finish(&bytes);
    }
}
END_TEST

START_TEST(names_have_no_nul)
{
    struct bytes bytes = bytes_of("x,l\n1,a\0b\n", 10);
    expect_broken(&bytes, MALFORMED, "Line 2, column \"l\": the name has a NUL character.");
    bytes_finish(&bytes);
    bytes = bytes_of("x,l\n1\0,a\n", 9);
    expect_broken(&bytes, PROBLEM_WRONG_TYPE, "Line 2, column \"x\": \"1\" is not a number.");
    bytes_finish(&bytes);
}
END_TEST

START_TEST(a_missing_column_of_labels_lists_as_many_as_fit)
{
    struct bytes bytes = bytes_of("", 0);
    for (int i = 0; i < 100; i++)
        bytes_add(&bytes, "\xC3\xA9\xC3\xA9\xC3\xA9,", 7);
    bytes_add(&bytes, "x\n1\n", 4);
    struct table table;
    table_read(&table, &bytes, "l", MOST, MOST_ROWS);
    ck_assert_int_eq(table.problem.code, PROBLEM_MISSING_FIELD);
    const size_t size = strlen(table.problem.detail);
    ck_assert_str_eq(table.problem.detail + size - 11, "\xC3\xA9\xC3\xA9\xC3\xA9, ...");
    ck_assert(utf8_is_valid(table.problem.detail, size));
    table_finish(&table);
    bytes_finish(&bytes);
}
END_TEST

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
        struct table table;
        struct bytes bytes = long_name(LIMIT_LABEL, is_label);
        table_read(&table, &bytes, "l", MOST, MOST_ROWS);
        ck_assert_msg(!problem_is_set(&table.problem), "%s", table.problem.detail);
        table_finish(&table);
        bytes_finish(&bytes);
        bytes = long_name(LIMIT_LABEL + 1, is_label);
        expect_broken(&bytes, PROBLEM_TOO_LARGE,
                      is_label ? "Line 2, column \"l\": the name has 257 bytes; the limit is 256."
                               : "Line 1, column 2: the name has 257 bytes; the limit is 256.");
        bytes_finish(&bytes);
    }
}
END_TEST

START_TEST(rows_have_their_limit)
{
    struct table table;
    struct bytes bytes = bytes_of("x,y,l\n1,2,a\n3,4,b\n5,6,c\n", 24);
    table_read(&table, &bytes, "l", 24, MOST_ROWS);
    ck_assert(!problem_is_set(&table.problem) && table.rows == 3);
    table_finish(&table);
    table_read(&table, &bytes, "l", 23, MOST_ROWS);
    expect_problem(&table.problem, PROBLEM_TOO_LARGE,
                   "Line 4 is one row too many: the limit is 2 rows of 2 numbers.");
    table_finish(&table);
    bytes_finish(&bytes);
}
END_TEST

/* Reads all rows, and forgets them. */
static size_t read_rows(struct csv_file *file, size_t piece, struct problem *problem)
{
    float *x = malloc(piece * csv_file_features(file) * sizeof *x);
    int32_t *code = malloc(piece * sizeof *code);
    size_t rows = 0, all = 0;
    do {
        all += rows;
    } while (csv_file_read(file, x, piece, code, &rows, problem) && rows > 0);
    free(x);
    free(code);
    return all;
}

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
        struct csv_file *file = csv_file_create(fd, "l", MOST, &problem);
        ck_assert_uint_eq(read_rows(file, 4096, &problem), LIMIT_OUT_FEATURES);
        if (is_beyond)
            expect_problem(&problem, PROBLEM_TOO_LARGE,
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
            ck_assert_uint_eq(read_rows(file, 1, &problem), 1);
        else if (columns == LIMIT_FEATURES + 1)
            expect_problem(&problem, PROBLEM_TOO_LARGE,
                           "There are more than 1000000 columns of features.");
        else
            expect_problem(&problem, PROBLEM_TOO_LARGE,
                           "There are 1000002 columns; the limit is 1000000.");
        csv_file_destroy(file);
        close(fd);
        bytes_finish(&bytes);
    }
}
END_TEST

/* `text`, then so many bytes of one character. */
static struct bytes padded(const char *text, char character, size_t size)
{
    const size_t length = strlen(text);
    struct bytes bytes = {.at = malloc(length + size), .size = length + size};
    memcpy(bytes.at, text, length);
    memset(bytes.at + length, character, size);
    return bytes;
}

START_TEST(a_record_has_its_limit)
{
    struct bytes bytes = padded("x,l\n1,a\n", ' ', CSV_RECORD_BYTES);
    bytes_add(&bytes, "1,a\n", 4);
    struct table table;
    table_read(&table, &bytes, "l", 8 * MOST, MOST_ROWS);
    expect_problem(&table.problem, PROBLEM_TOO_LARGE, "Line 3 has more than 16777216 bytes.");
    table_finish(&table);
    bytes_finish(&bytes);
    bytes = padded("x,l\n1,a\n", ' ', CSV_RECORD_BYTES - 5);
    bytes_add(&bytes, "1,a\n", 4);
    table_read(&table, &bytes, "l", 8 * MOST, MOST_ROWS);
    ck_assert(!problem_is_set(&table.problem) && table.rows == 2);
    table_finish(&table);
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

/* Of `size` bytes, the last of which are `ending`, in rows of up to `row_size` bytes. */
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
    struct table table;
    table_read(&table, bytes, "l", MOST, MOST_ROWS);
    ck_assert_msg(!problem_is_set(&table.problem), "%zu bytes: %s", bytes->size,
                  table.problem.detail);
    ck_assert_uint_eq(table.rows, rows);
    ck_assert_float_eq(table.x[rows - 2], 1);
    ck_assert_float_eq(table.x[rows - 1], 7);
    ck_assert_str_eq(table.classes.name[class_of(&table, rows - 2)], "a");
    ck_assert_str_eq(table.classes.name[class_of(&table, rows - 1)], "bc");
    table_finish(&table);
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
    struct bytes bytes = padded("x,l\n1,a\n", '\n', 128 * MOST), gzipped = bytes_gzipped(&bytes);
    memset(gzipped.at + gzipped.size / 2, 0xFF, 64);
    expect_broken(&gzipped, PROBLEM_TOO_LARGE,
                  "The file holds more text than the numbers of the largest dataset need.");
    bytes_finish(&bytes);
    bytes_finish(&gzipped);
}
END_TEST

START_TEST(a_broken_gzip_stream_is_refused)
{
    struct bytes bytes = iris(), gzipped = bytes_gzipped(&bytes);
    gzipped.size -= 5;
    expect_broken(&gzipped, PROBLEM_TRUNCATED_DATA, "The gzipped data end too early.");
    gzipped.size += 5;
    gzipped.at[gzipped.size - 6] ^= 1;
    expect_broken(&gzipped, PROBLEM_MALFORMED_DATA,
                  "The gzipped data are damaged (incorrect data check).");
    bytes_finish(&gzipped);
    bytes_finish(&bytes);
}
END_TEST

/* The damage comes after the buffer's first filling, behind rows, and behind an empty line. */
START_TEST(a_gzip_stream_that_breaks_late_is_refused)
{
    struct bytes bytes = bytes_of("x,l\n", 4);
    for (int i = 0; i < 100000; i++) {
        char row[32];
        bytes_add(&bytes, row, (size_t)snprintf(row, sizeof row, "%d,a\n", i));
    }
    for (int has_blank = 0; has_blank < 2; has_blank++) {
        struct bytes gzipped = bytes_gzipped(&bytes);
        gzipped.size -= 2;
        struct problem problem = {0};
        const int fd = file_of(&gzipped);
        struct csv_file *file = csv_file_create(fd, "l", MOST, &problem);
        ck_assert_ptr_nonnull(file);
        read_rows(file, 1000, &problem);
        expect_problem(&problem, PROBLEM_TRUNCATED_DATA, "The gzipped data end too early.");
        csv_file_destroy(file);
        close(fd);
        bytes_finish(&gzipped);
        bytes_add(&bytes, "\n", 1);
    }
    bytes_finish(&bytes);
    struct problem problem = {0};
    ck_assert_ptr_null(csv_file_create(-1, NULL, MOST, &problem));
    expect_problem(&problem, PROBLEM_INTERNAL, "The file can't be read back.");
    csv_file_destroy(NULL);
}
END_TEST

START_TEST(a_record_that_can_not_be_read_is_no_matter_of_empty_lines)
{
    struct bytes bytes = padded("\n", 'x', MOST), gzipped = bytes_gzipped(&bytes);
    gzipped.size -= 2;
    struct problem problem = {0};
    struct csv_record record = {.line = 99};
    const int fd = file_of(&gzipped);
    struct csv_records *records = csv_records_create(fd, 1, 2 * MOST, &problem);
    ck_assert_ptr_nonnull(records);
    ck_assert_int_eq(csv_records_next(records, &record, &problem), CSV_FAILED);
    ck_assert_uint_eq(record.line, 99);
    expect_problem(&problem, PROBLEM_TRUNCATED_DATA, "The gzipped data end too early.");
    csv_records_destroy(records);
    csv_records_destroy(NULL);
    close(fd);
    bytes_finish(&gzipped);
    bytes_finish(&bytes);
}
END_TEST

START_TEST(no_mutant_of_a_table_does_harm)
{
    static const char *const texts[] = {
        "a,b,l\n1,2.5,u\n-3e2, 4 ,v\n",
        "\xEF\xBB\xBF\"a\",b,l\r\n\"1\",\"2\",\"u \"\"x\"\"\"\r\n0.3,4,\xC3\xA9\r\n\r\n",
        "l,\"a\nb\",c\n1,9007199254740993,1e-45\n12,0.0000001,123456789.123456789\n",
    };
    struct bytes files[6];
    for (int i = 0; i < 3; i++) {
        files[i] = bytes_of(texts[i], strlen(texts[i]));
        files[3 + i] = bytes_gzipped(&files[i]);
    }
    uint32_t state = 22;
    unsigned long whole = 0, total = suite_rounds(6000);
    for (unsigned long i = 0; i < total; i++) {
        struct table table;
        struct bytes mutant =
            bytes_mutated(&files[next_random(&state) % 4 ? i % 3 : i % 6], &state);
        table_read(&table, &mutant, i % 7 == 0 ? NULL : "l", MOST, 1 + i % 3);
        ck_assert(utf8_is_valid(table.problem.detail, strlen(table.problem.detail)));
        ck_assert_uint_ne(table.problem.code, PROBLEM_INTERNAL);
        whole += !problem_is_set(&table.problem);
        for (size_t row = 0; row < table.rows && i % 7 > 0; row++)
            ck_assert_uint_lt((size_t)table.code[row], table.classes.codes);
        table_finish(&table);
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
    TCase *texts = tcase_create("texts");
    tcase_add_test(texts, numbers_are_read_as_strtod_reads_them);
    tcase_add_test(texts, random_numbers_are_read_as_strtod_reads_them);
    tcase_add_test(texts, what_is_no_number_is_told_from_what_is_not_finite);
    tcase_add_test(texts, texts_are_utf8_or_not);
    tcase_add_test(texts, excerpts_are_utf8_whatever_the_text_is);
    TCase *files = tcase_create("files");
    tcase_set_timeout(files, 60);
    tcase_add_test(files, iris_is_read_in_any_pieces);
    tcase_add_test(files, cells_are_read_as_rfc_4180_says);
    tcase_add_test(files, quoted_cells_hold_anything);
    tcase_add_test(files, names_become_classes_in_their_order);
    tcase_add_test(files, whole_numbers_are_their_own_classes);
    tcase_add_test(files, other_numbers_are_names);
    tcase_add_test(files, without_a_column_of_labels_all_are_features);
    tcase_add_loop_test(files, a_table_may_end_where_the_buffer_does, 0, 5);
    TCase *broken = tcase_create("broken");
    tcase_set_timeout(broken, 60);
    tcase_add_test(broken, broken_tables_say_where);
    tcase_add_test(broken, names_have_no_nul);
    tcase_add_test(broken, a_missing_column_of_labels_lists_as_many_as_fit);
    tcase_add_test(broken, names_have_their_limit);
    tcase_add_test(broken, rows_have_their_limit);
    tcase_add_test(broken, different_labels_have_their_limit);
    tcase_add_test(broken, features_have_their_limit);
    tcase_add_test(broken, a_record_has_its_limit);
    tcase_add_test(broken, a_bomb_of_empty_lines_is_not_inflated_to_its_end);
    tcase_add_test(broken, a_broken_gzip_stream_is_refused);
    tcase_add_test(broken, a_gzip_stream_that_breaks_late_is_refused);
    tcase_add_test(broken, a_record_that_can_not_be_read_is_no_matter_of_empty_lines);
    TCase *mutation = tcase_create("mutation");
    tcase_set_timeout(mutation, 3600);
    tcase_add_test(mutation, no_mutant_of_a_table_does_harm);
    Suite *suite = suite_create("csv");
    suite_add_tcase(suite, texts);
    suite_add_tcase(suite, files);
    suite_add_tcase(suite, broken);
    suite_add_tcase(suite, mutation);
    return suite_run(suite);
}
