/* csv_file.h - samples from a table. Each column is a feature, except one that may be the label.
 *
 * The first line names the columns. Numbers are read as those of JSON: the nearest double, then the
 * nearest float32. Spaces around a number or a name count only within quotes. */
#ifndef SERVER_FILES_CSV_FILE_H
#define SERVER_FILES_CSV_FILE_H

#include "server/base/problem.h"
#include "server/files/csv_labels.h"

struct csv_file;

/* Reads the header. The file (a regular one, perhaps gzipped) is borrowed and read from its
 * beginning, without moving its offset. `label_column` is the name of the column of labels; NULL:
 * there is none. The features of all rows may take `max_bytes` as float32, and the text of the file
 * eight times that and 16 MiB. Memory holds one row's text, the names and the labels. NULL with the
 * problem set: empty_batch, missing_field (no such column), ragged_array (the first line is empty),
 * too_large, wrong_shape (no feature), malformed_data, truncated_data, invalid_utf8. */
struct csv_file *csv_file_create(int fd, const char *label_column, size_t max_bytes,
                                 struct problem *problem);
void csv_file_destroy(struct csv_file *file); /* takes NULL */

size_t csv_file_features(const struct csv_file *file);
/* Reads the next rows to x[max_rows][features], and the codes of their labels, which
 * csv_file_classes() explains, to code[max_rows] (untouched without a column of labels). *ret_rows
 * is less than `max_rows` at the end. False with the problem set, *ret_rows untouched and anything
 * in x and code: empty_batch (no row at all), ragged_array, wrong_type (a cell is not a number),
 * not_finite, too_large, malformed_data, truncated_data, invalid_utf8. After that the file can only
 * be destroyed. */
bool csv_file_read(struct csv_file *file, float *x, size_t max_rows, int32_t *code,
                   size_t *ret_rows, struct problem *problem);

/* What the codes of the rows read so far stand for; borrowed until the next call. There are no
 * codes without a column of labels. False: no memory; the problem is set. */
bool csv_file_classes(struct csv_file *file, struct csv_classes *ret_classes,
                      struct problem *problem);

#endif
