#include "tests/support/csv_table.h"

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/problems.h"

void csv_table_read(struct csv_table *table, const struct bytes *bytes, const char *label_column,
                    size_t max_bytes, size_t piece)
{
    *table = (struct csv_table){.fd = file_of(bytes)};
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

void csv_table_finish(struct csv_table *table)
{
    csv_file_destroy(table->file);
    close(table->fd);
}

void expect_broken_table(const struct bytes *bytes, enum problem_code code, const char *detail)
{
    struct csv_table table;
    csv_table_read(&table, bytes, "l", CSV_TABLE_BYTES, CSV_TABLE_PIECE);
    expect_refusal(&table.problem, code, detail);
    csv_table_finish(&table);
}

int32_t csv_table_class(const struct csv_table *table, size_t row)
{
    return table->classes.of_code[table->code[row]];
}

size_t csv_file_drain(struct csv_file *file, size_t piece, struct problem *problem)
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
