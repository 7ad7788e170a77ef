/* csv_table.h - a table in CSV, read whole. */
#ifndef TESTS_SUPPORT_CSV_TABLE_H
#define TESTS_SUPPORT_CSV_TABLE_H

#include "server/files/csv_file.h"
#include "tests/support/files.h"

enum {
    CSV_TABLE_BYTES = 1024 * 1024,
    CSV_TABLE_PIECE = 8
}; /* the usual limit and rows at a time */

struct csv_table {
    int fd;
    struct csv_file *file;
    size_t rows;
    float x[256 * 4];
    int32_t code[256];
    struct csv_classes classes;
    struct problem problem;
};

/* Reads a whole table in pieces of so many rows; its problem says whether that went well. */
void csv_table_read(struct csv_table *table, const struct bytes *bytes, const char *label_column,
                    size_t max_bytes, size_t piece);
void csv_table_finish(struct csv_table *table);

/* Asserts that a table with the column "l" of labels is refused. */
void expect_broken_table(const struct bytes *bytes, enum problem_code code, const char *detail);

/* The class of a row. */
int32_t csv_table_class(const struct csv_table *table, size_t row);

/* Reads all rows of a file in pieces, and forgets them. Returns how many there were. */
size_t csv_file_drain(struct csv_file *file, size_t piece, struct problem *problem);

#endif
