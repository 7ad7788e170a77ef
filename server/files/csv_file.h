/* csv_file.h - samples from a table: each column a feature, one perhaps the label.
 *
 * The first line names the columns. Numbers are read as JSON's are: the nearest double, then the
 * nearest float32. Spaces around a number or a name count only within quotes. */
#ifndef SERVER_FILES_CSV_FILE_H
#define SERVER_FILES_CSV_FILE_H

#include "server/base/problem.h"
#include "server/files/csv_labels.h"

struct csv_file;

/* Reads the header. The file (a regular one, perhaps gzipped) is borrowed and read from its
 * beginning; its own place stays. `label_column` is the name of the column of labels; NULL: none.
 * The features of all rows may take `most_bytes` as float32, and the text of the file eight times
 * as much and 16 MiB. Memory is taken for one row's text at most, the names, and the labels. NULL
 * with the problem set: empty_batch, missing_field (no such column), ragged_array (a first line is
 * empty), too_large, wrong_shape (no feature), malformed_data, truncated_data, invalid_utf8. */
struct csv_file *csv_file_create(int fd, const char *label_column, size_t most_bytes,
                                 struct problem *problem);
void csv_file_destroy(struct csv_file *file); /* takes NULL */

size_t csv_file_features(const struct csv_file *file);
/* [features] in the order of the file; borrowed, as long as the file. Two may be the same, or "".
 */
const char *const *csv_file_names(const struct csv_file *file);

/* Reads the next rows to x[most_rows][features], and the codes of their labels, which
 * csv_file_classes() explains, to code[most_rows] (untouched without a column of labels). *ret_rows
 * is less than `most_rows` at the end. False with the problem set, *ret_rows untouched and anything
 * in x and code: empty_batch (no row at all), ragged_array, wrong_type (a cell is no number),
 * not_finite, too_large, malformed_data, truncated_data, invalid_utf8. Then the file is only fit to
 * be destroyed. */
bool csv_file_read(struct csv_file *file, float *x, size_t most_rows, int32_t *code,
                   size_t *ret_rows, struct problem *problem);

/* What the codes of the rows read so far stand for; borrowed, until the next call. No codes where
 * there is no column of labels. False: no memory; the problem is set. */
bool csv_file_classes(struct csv_file *file, struct csv_classes *ret_classes,
                      struct problem *problem);

#endif
