/* Tables in CSV: names, quotes and line ends, whole, broken and hostile. */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/base/utf8.h"
#include "server/files/csv_file.h"
#include "server/files/csv_records.h"
#include "tests/support/csv_table.h"
#include "tests/support/files.h"
#include "tests/support/problems.h"
#include "tests/support/suite.h"

/* --- whole files --- */

static void table_of(struct csv_table *table, const char *text, const char *label_column)
{
    struct bytes bytes = bytes_of(text, strlen(text));
    csv_table_read(table, &bytes, label_column, CSV_TABLE_BYTES, CSV_TABLE_PIECE);
    bytes_finish(&bytes);
    ck_assert_msg(!problem_is_set(&table->problem), "%s", table->problem.detail);
}

/* The names of all columns, as the error about one that is not there lists them. */
static void expect_names(const struct bytes *bytes, const char *names)
{
    char detail[PROBLEM_DETAIL];
    struct csv_table table;
    csv_table_read(&table, bytes, "?", CSV_TABLE_BYTES, CSV_TABLE_PIECE);
    snprintf(detail, sizeof detail, "There is no column \"?\"; the columns are: %s.", names);
    ck_assert_str_eq(table.problem.detail, detail);
    csv_table_finish(&table);
}

static void expect_names_of(const char *text, const char *names)
{
    struct bytes bytes = bytes_of(text, strlen(text));
    expect_names(&bytes, names);
    bytes_finish(&bytes);
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
    struct csv_table table;
    csv_table_read(&table, bytes, "species", CSV_TABLE_BYTES, piece);
    ck_assert_msg(!problem_is_set(&table.problem), "%s", table.problem.detail);
    ck_assert_uint_eq(table.rows, 150);
    ck_assert_uint_eq(csv_file_features(table.file), 4);
    expect_names(bytes, "sepal_length, sepal_width, petal_length, petal_width, species");
    ck_assert_mem_eq(table.x, ((float[]){5.1f, 3.5f, 1.4f, 0.2f}), 16);
    ck_assert_mem_eq(table.x + 149 * 4, ((float[]){5.9f, 3, 5.1f, 1.8f}), 16);
    ck_assert_uint_eq(table.classes.codes, 3);
    ck_assert_uint_eq(table.classes.count, 3);
    ck_assert_str_eq(table.classes.name[0], "setosa");
    ck_assert_str_eq(table.classes.name[1], "versicolor");
    ck_assert_str_eq(table.classes.name[2], "virginica");
    for (size_t i = 0; i < 150; i++)
        ck_assert_int_eq(csv_table_class(&table, i), (int32_t)i / 50);
    csv_table_finish(&table);
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
        struct csv_table table;
        table_of(&table, texts[i], "l");
        ck_assert_uint_eq(table.rows, 2);
        ck_assert_uint_eq(csv_file_features(table.file), 2);
        expect_names_of(texts[i], "a, b, l");
        ck_assert_mem_eq(table.x, ((float[]){1, 2, 3, 4}), 16);
        ck_assert_uint_eq(table.classes.count, 2);
        ck_assert_str_eq(table.classes.name[0], "u");
        ck_assert_str_eq(table.classes.name[1], "v");
        ck_assert(csv_table_class(&table, 0) == 0 && csv_table_class(&table, 1) == 1);
        csv_table_finish(&table);
    }
}
END_TEST

START_TEST(quoted_cells_hold_anything)
{
    static const char text[] = "l,\"x, \"\"1\"\"\"\n\"a,\"\"b\"\"\r\n\"\"\",1\n\" a \",2\n";
    struct csv_table table;
    table_of(&table, text, "l");
    expect_names_of(text, "l, x, \"1\"");
    ck_assert_str_eq(table.classes.name[0], " a ");
    ck_assert_str_eq(table.classes.name[1], "a,\"b\"\r\n\"");
    ck_assert_mem_eq(table.x, ((float[]){1, 2}), 8);
    ck_assert(csv_table_class(&table, 0) == 1 && csv_table_class(&table, 1) == 0);
    csv_table_finish(&table);
}
END_TEST

START_TEST(names_become_classes_in_their_order)
{
    struct csv_table table;
    table_of(&table, "x,l\n1,zeta\n2,B\n3,\xC3\xA9\n4,a\n5,zeta\n6,1\n", "l");
    ck_assert_uint_eq(table.rows, 6);
    ck_assert_mem_eq(table.code, ((int32_t[]){0, 1, 2, 3, 0, 4}), 24);
    ck_assert_uint_eq(table.classes.codes, 5);
    ck_assert_uint_eq(table.classes.count, 5);
    static const char *const sorted[] = {"1", "B", "a", "zeta", "\xC3\xA9"};
    for (int i = 0; i < 5; i++)
        ck_assert_str_eq(table.classes.name[i], sorted[i]);
    ck_assert_mem_eq(table.classes.of_code, ((int32_t[]){3, 1, 4, 2, 0}), 20);
    csv_table_finish(&table);
}
END_TEST

START_TEST(whole_numbers_are_their_own_classes)
{
    struct csv_table table;
    table_of(&table, "l,x\n7,1\n2147483647,2\n0,3\n7.0,4\n 7 ,5\n", "l");
    ck_assert_uint_eq(table.classes.codes, 4);
    ck_assert_uint_eq(table.classes.count, 0);
    static const int32_t expected[] = {7, INT32_MAX, 0, 7, 7};
    for (size_t i = 0; i < 5; i++)
        ck_assert_int_eq(csv_table_class(&table, i), expected[i]);
    csv_table_finish(&table);
}
END_TEST

START_TEST(other_numbers_are_names)
{
    static const char *const texts[] = {"l,x\n1,1\n-1,2\n", "l,x\n1,1\n2147483648,2\n",
                                        "l,x\n1,1\n0.5,2\n", "l,x\n1,1\n0x2,2\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct csv_table table;
        table_of(&table, texts[i], "l");
        ck_assert_uint_eq(table.classes.count, 2);
        csv_table_finish(&table);
    }
}
END_TEST

START_TEST(without_a_column_of_labels_all_are_features)
{
    struct csv_table table;
    table_of(&table, "a,a,\n1,2,3\n", NULL);
    ck_assert_uint_eq(csv_file_features(table.file), 3);
    expect_names_of("a,a,\n1,2,3\n", "a, a, ");
    ck_assert_mem_eq(table.x, ((float[]){1, 2, 3}), 12);
    ck_assert_uint_eq(table.classes.codes, 0);
    ck_assert_uint_eq(table.classes.count, 0);
    csv_table_finish(&table);
}
END_TEST

/* --- broken files --- */

#define MALFORMED PROBLEM_MALFORMED_DATA

static const struct {
    const char *text;
    enum problem_code code;
    const char *detail;
} broken_tables[] = {
    {"", PROBLEM_EMPTY_BATCH, "The file is empty."},
    {"\xEF\xBB\xBF\n\n", PROBLEM_EMPTY_BATCH, "The file is empty."},
    {"x,l", PROBLEM_EMPTY_BATCH, "No row follows the header."},
    {"x,l\n\n", PROBLEM_EMPTY_BATCH, "No row follows the header."},
    {"l\na\n", PROBLEM_WRONG_SHAPE, "The only column is that of the labels."},
    {"x,y,label\n1,2,a\n", PROBLEM_MISSING_FIELD,
     "There is no column \"l\"; the columns are: x, y, label."},
    {"x,l,y,l\n1,2,3,4\n", MALFORMED, "Line 1, column \"l\": the column of labels appears twice."},
    {"\nx,l\n", PROBLEM_RAGGED_ARRAY, "Line 1 is empty, but rows follow it."},
    {"x,l\n1,a\n\n\r\n2,b\n", PROBLEM_RAGGED_ARRAY, "Line 3 is empty, but rows follow it."},
    {"x,l\n1,a\n2\n", PROBLEM_RAGGED_ARRAY, "Line 3 has 1 cells, but the header has 2."},
    {"x,l\n1,a,\n", PROBLEM_RAGGED_ARRAY, "Line 2 has 3 cells, but the header has 2."},
    {"x,l\n\"1\n\n\",a\n", PROBLEM_WRONG_TYPE, "Line 2, column \"x\": \"1??\" is not a number."},
    {"x,l\n1,\"a\nb\"\n?,c", PROBLEM_WRONG_TYPE, "Line 4, column \"x\": \"?\" is not a number."},
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
    {"x,l\n1,\xFF\n2,b,c\n", PROBLEM_INVALID_UTF8, "Line 2, column \"l\": the name is not UTF-8."},
    {"x,l\n1,a,\"\n", MALFORMED, "Line 2, column 3: the cell's quote is never closed."},
};

START_TEST(broken_tables_say_where)
{
    for (size_t i = 0; i < sizeof broken_tables / sizeof *broken_tables; i++) {
        struct bytes bytes = bytes_of(broken_tables[i].text, strlen(broken_tables[i].text));
        expect_broken_table(&bytes, broken_tables[i].code, broken_tables[i].detail);
        bytes_finish(&bytes);
    }
}
END_TEST

START_TEST(names_have_no_nul)
{
    struct bytes bytes = bytes_of("x,l\n1,a\0b\n", 10);
    expect_broken_table(&bytes, MALFORMED, "Line 2, column \"l\": the name has a NUL character.");
    bytes_finish(&bytes);
    bytes = bytes_of("x,l\n1\0,a\n", 9);
    expect_broken_table(&bytes, PROBLEM_WRONG_TYPE, "Line 2, column \"x\": \"1\" is not a number.");
    bytes_finish(&bytes);
}
END_TEST

START_TEST(a_missing_column_of_labels_lists_as_many_as_fit)
{
    struct bytes bytes = bytes_of("", 0);
    for (int i = 0; i < 100; i++)
        bytes_add(&bytes, "\xC3\xA9\xC3\xA9\xC3\xA9,", 7);
    bytes_add(&bytes, "x\n1\n", 4);
    struct csv_table table;
    csv_table_read(&table, &bytes, "l", CSV_TABLE_BYTES, CSV_TABLE_PIECE);
    ck_assert_int_eq(table.problem.code, PROBLEM_MISSING_FIELD);
    const size_t size = strlen(table.problem.detail);
    ck_assert_str_eq(table.problem.detail + size - 11, "\xC3\xA9\xC3\xA9\xC3\xA9, ...");
    ck_assert(utf8_is_valid(table.problem.detail, size));
    csv_table_finish(&table);
    bytes_finish(&bytes);
}
END_TEST

START_TEST(a_broken_gzip_stream_is_refused)
{
    struct bytes bytes = iris(), gzipped = bytes_gzipped(&bytes);
    gzipped.size -= 5;
    expect_broken_table(&gzipped, PROBLEM_TRUNCATED_DATA, "The gzipped data end too early.");
    gzipped.size += 5;
    gzipped.at[gzipped.size - 6] ^= 1;
    expect_broken_table(&gzipped, PROBLEM_MALFORMED_DATA,
                        "The gzipped data are damaged (incorrect data check).");
    bytes_finish(&gzipped);
    bytes_finish(&bytes);
}
END_TEST

/* The damage comes after the buffer's first filling, after rows, and after an empty line. */
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
        struct csv_file *file = csv_file_create(fd, "l", CSV_TABLE_BYTES, &problem);
        ck_assert_ptr_nonnull(file);
        csv_file_drain(file, 1000, &problem);
        expect_refusal(&problem, PROBLEM_TRUNCATED_DATA, "The gzipped data end too early.");
        csv_file_destroy(file);
        close(fd);
        bytes_finish(&gzipped);
        bytes_add(&bytes, "\n", 1);
    }
    bytes_finish(&bytes);
    struct problem problem = {0};
    ck_assert_ptr_null(csv_file_create(-1, NULL, CSV_TABLE_BYTES, &problem));
    expect_refusal(&problem, PROBLEM_INTERNAL, "The file can't be read back.");
    csv_file_destroy(NULL);
}
END_TEST

START_TEST(a_record_that_can_not_be_read_is_not_an_empty_line)
{
    struct bytes bytes = bytes_padded("\n", 'x', CSV_TABLE_BYTES), gzipped = bytes_gzipped(&bytes);
    gzipped.size -= 2;
    struct problem problem = {0};
    struct csv_record record = {.line = 99};
    const int fd = file_of(&gzipped);
    struct csv_records *records = csv_records_create(fd, 1, 2 * CSV_TABLE_BYTES, &problem);
    ck_assert_ptr_nonnull(records);
    ck_assert_int_eq(csv_records_next(records, &record, &problem), CSV_FAILED);
    ck_assert_uint_eq(record.line, 99);
    expect_refusal(&problem, PROBLEM_TRUNCATED_DATA, "The gzipped data end too early.");
    csv_records_destroy(records);
    csv_records_destroy(NULL);
    close(fd);
    bytes_finish(&gzipped);
    bytes_finish(&bytes);
}
END_TEST

static bool mutant_is_read(const struct bytes *mutant, unsigned long round)
{
    struct csv_table table;
    const char *label = round % 7 == 0 ? NULL : "l";
    csv_table_read(&table, mutant, label, CSV_TABLE_BYTES, 1 + round % 5);
    ck_assert(utf8_is_valid(table.problem.detail, strlen(table.problem.detail)));
    ck_assert_uint_ne(table.problem.code, PROBLEM_INTERNAL);
    const bool is_whole = !problem_is_set(&table.problem);
    for (size_t row = 0; row < table.rows && label != NULL; row++)
        ck_assert_uint_lt((size_t)table.code[row], table.classes.codes);
    csv_table_finish(&table);
    return is_whole;
}

START_TEST(no_mutant_of_a_table_does_harm)
{
    static const char *const texts[] = {
        "a,b,l\n1,2.5,u\n-3e2, 4 ,v\n",
        "\xEF\xBB\xBF\"a\",b,l\r\n\"1\",\"2\",\"u \"\"x\"\"\"\r\n0.3,4,\xC3\xA9\r\n\r\n",
        "l,\"a\nb\",c\n1,9007199254740993,1e-45\n12,0.0000001,123456789.123456789\n",
    };
    struct bytes files[3];
    for (int i = 0; i < 3; i++)
        files[i] = bytes_of(texts[i], strlen(texts[i]));
    mutate_files(files, 22, mutant_is_read);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("csv_file");
    TCase *files = tcase_create("files");
    tcase_set_timeout(files, 60);
    tcase_add_test(files, iris_is_read_in_any_pieces);
    tcase_add_test(files, cells_are_read_as_rfc_4180_says);
    tcase_add_test(files, quoted_cells_hold_anything);
    tcase_add_test(files, names_become_classes_in_their_order);
    tcase_add_test(files, whole_numbers_are_their_own_classes);
    tcase_add_test(files, other_numbers_are_names);
    tcase_add_test(files, without_a_column_of_labels_all_are_features);
    suite_add_tcase(suite, files);
    TCase *broken = tcase_create("broken");
    tcase_set_timeout(broken, 60);
    tcase_add_test(broken, broken_tables_say_where);
    tcase_add_test(broken, names_have_no_nul);
    tcase_add_test(broken, a_missing_column_of_labels_lists_as_many_as_fit);
    tcase_add_test(broken, a_broken_gzip_stream_is_refused);
    tcase_add_test(broken, a_gzip_stream_that_breaks_late_is_refused);
    tcase_add_test(broken, a_record_that_can_not_be_read_is_not_an_empty_line);
    suite_add_tcase(suite, broken);
    TCase *mutation = tcase_create("mutation");
    tcase_set_timeout(mutation, 3600);
    tcase_add_test(mutation, no_mutant_of_a_table_does_harm);
    suite_add_tcase(suite, mutation);
    return suite_run(suite);
}
